// Package kept is a folder in which a run leaves, section by section, what a later run
// of the same day can use again, and links of the output files that may be the same
// then. A section is what its writer put into it, or there is an error: each is
// compressed (S2) and has its length and a checksum in the folder's head, which is
// written last. A linked file is as it was when it was linked, or there is an error.
//
// Nothing in it is needed: whatever is missing or damaged is computed again.
package kept

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/fsys"
)

const (
	headName = "head"
	schema   = 2
)

// A head lists what is in the folder.
type head struct {
	Schema   int                `json:"schema"`
	Sections map[string]section `json:"sections"`
	Links    map[string]linked  `json:"links"`
	Note     json.RawMessage    `json:"note"`
}

type section struct {
	Size int64  `json:"size"`
	Sum  uint64 `json:"sum"`
}

// A linked file is known by its size and the time of its last change.
type linked struct {
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // nanoseconds
}

// An Error says what of a folder cannot be used.
type Error struct {
	Place string
	Why   string
}

// Error is the place and why it cannot be used.
func (e *Error) Error() string { return "kept: " + e.Place + ": " + e.Why }

// A Writer fills a folder. It is safe for concurrent use.
type Writer struct {
	dir  string
	mu   sync.Mutex
	head head
}

// Create makes the folder, which must not be there.
func Create(dir string) (*Writer, error) {
	const private = 0o700
	if err := fsys.MkdirAll(filepath.Dir(dir), private); err != nil {
		return nil, err
	}
	if err := fsys.Mkdir(dir, private); err != nil {
		return nil, err
	}
	return &Writer{dir: dir, head: head{Schema: schema, Sections: map[string]section{}, Links: map[string]linked{}}}, nil
}

// Dir is the folder.
func (w *Writer) Dir() string { return w.dir }

// Put writes a section; the data is borrowed.
func (w *Writer) Put(name string, data []byte) error {
	const private = 0o600
	buf := compressed.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in it
	defer compressed.Put(buf)
	*buf = s2.Encode((*buf)[:cap(*buf)], data)
	data = *buf
	if err := fsys.WriteFile(filepath.Join(w.dir, name), data, private); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head.Sections[name] = section{int64(len(data)), xxh3.Hash(data)}
	return nil
}

// compressed are buffers of sections on their way to the disk.
var compressed = sync.Pool{New: func() any { return new([]byte) }}

// Has tells whether there is such a section.
func (w *Writer) Has(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.head.Sections[name]
	return ok
}

// Take has a section of an earlier folder in this one as well.
func (w *Writer) Take(from *Reader, name string) error {
	s, ok := from.head.Sections[name]
	if !ok {
		return &Error{filepath.Join(from.dir, name), "is not there"}
	}
	if err := link(from.path(name), filepath.Join(w.dir, name)); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head.Sections[name] = s
	return nil
}

// Link keeps an output file under a name with slashes. It must not be changed any more.
func (w *Writer) Link(file, name string) error {
	place := filepath.Join(w.dir, filepath.FromSlash(name))
	const private = 0o700
	if err := fsys.MkdirAll(filepath.Dir(place), private); err != nil {
		return err
	}
	if err := link(file, place); err != nil {
		return err
	}
	at, err := look(place)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head.Links[name] = at
	return nil
}

// Close ends the folder: what note points to is given to its readers.
func (w *Writer) Close(note any) error {
	var err error
	if w.head.Note, err = json.Marshal(note); err != nil {
		return err
	}
	data, err := json.Marshal(&w.head)
	if err != nil {
		return err
	}
	const private = 0o600
	return fsys.WriteFile(filepath.Join(w.dir, headName), data, private)
}

// A Reader reads a folder. It is safe for concurrent use.
type Reader struct {
	dir  string
	head head
}

// Open opens a folder that was closed in order, and reads its note. Without one the
// error is fs.ErrNotExist.
func Open(dir string, note any) (*Reader, error) {
	data, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		return nil, err
	}
	r := &Reader{dir: dir}
	if err := json.Unmarshal(data, &r.head); err != nil {
		return nil, &Error{filepath.Join(dir, headName), err.Error()}
	}
	if r.head.Schema != schema {
		return nil, &Error{filepath.Join(dir, headName), fmt.Sprintf("schema %d", r.head.Schema)}
	}
	if err := json.Unmarshal(r.head.Note, note); err != nil {
		return nil, &Error{filepath.Join(dir, headName), err.Error()}
	}
	return r, nil
}

func (r *Reader) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// Has tells whether there is such a section.
func (r *Reader) Has(name string) bool {
	_, ok := r.head.Sections[name]
	return ok
}

// Get reads a section.
func (r *Reader) Get(name string) ([]byte, error) {
	s, ok := r.head.Sections[name]
	if !ok {
		return nil, &Error{r.path(name), "is not there"}
	}
	data, err := os.ReadFile(r.path(name))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != s.Size || xxh3.Hash(data) != s.Sum {
		return nil, &Error{r.path(name), "is not what was written"}
	}
	if data, err = s2.Decode(nil, data); err != nil {
		return nil, &Error{r.path(name), err.Error()}
	}
	return data, nil
}

// Path is where a linked file is, which must be as it was.
func (r *Reader) Path(name string) (string, error) {
	was, ok := r.head.Links[name]
	if !ok {
		return "", &Error{r.path(name), "is not there"}
	}
	now, err := look(r.path(name))
	if err != nil {
		return "", err
	}
	if now != was {
		return "", &Error{r.path(name), "has been changed"}
	}
	return r.path(name), nil
}

func look(file string) (linked, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return linked{}, err
	}
	if !info.Mode().IsRegular() {
		return linked{}, &Error{file, "is no file"}
	}
	return linked{info.Size(), info.ModTime().UnixNano()}, nil
}

// link gives a file a second name, or copies it where it can have none.
func link(from, to string) error {
	err := fsys.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := fsys.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
