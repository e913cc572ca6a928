package verdicts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"duizhang/engine/fsys"
	"duizhang/reports"
)

const (
	fileName = "verdicts.jsonl"
	format   = "duizhang verdicts"
	schema   = 1

	// Limits of the file: what is more was not written by us.
	maxFile = 1 << 30
	maxLine = 1 << 20
)

// An Event is one verdict as it came in.
type Event struct {
	ID      string
	Verdict reports.Verdict
	At      time.Time
	Source  string // the place that it was read from: report.xlsx:短款!Q7
}

// A Store is the state folder as far as verdicts go.
type Store struct {
	dir    string
	events []Event
	last   map[string]int // by id: its last event
	bytes  []byte         // of the file, as it stands
}

// A StateError is a state folder that cannot be used as one.
type StateError struct {
	Path string
	why  [2]string // in Chinese and in English
}

// Error is Text in Chinese.
func (e *StateError) Error() string { return e.Text(reports.Chinese) }

// Text says what is wrong.
func (e *StateError) Text(lang reports.Lang) string {
	if lang == reports.English {
		return "state folder " + e.Path + ": " + e.why[1]
	}
	return "状态文件夹 " + e.Path + "：" + e.why[0]
}

// A CorruptError is a line of verdicts.jsonl that is not one of ours.
type CorruptError struct {
	Path string
	Line int
	Why  string
}

// Error names the line.
func (e *CorruptError) Error() string {
	return e.Path + ":" + strconv.Itoa(e.Line) + ": " + e.Why
}

// Check reports whether dir may be the state folder: it is not there yet, or is a
// folder. A link is refused.
func Check(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return &StateError{dir, [2]string{"是链接，不是文件夹", "is a link"}}
	case !info.IsDir():
		return &StateError{dir, [2]string{"不是文件夹", "is not a folder"}}
	}
	return nil
}

// Make makes the state folder, private to its owner, where there is none.
func Make(dir string) error {
	if err := Check(dir); err != nil {
		return err
	}
	const parents = 0o755
	if err := fsys.MkdirAll(filepath.Dir(dir), parents); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return Check(dir)
}

// Open reads the verdicts of a state folder; there are none where there is no
// folder yet.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, last: map[string]int{}}
	if err := Check(dir); err != nil {
		return nil, err
	}
	f, err := openRegular(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	s.bytes, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(s.bytes) > maxFile {
		return nil, &CorruptError{f.Name(), 1, "the file is too large"}
	}
	return s, s.parse(f.Name())
}

// openRegular opens a file that is one; a link is none.
func openRegular(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &StateError{path, [2]string{"不是普通文件", "is not a regular file"}}
	}
	return os.Open(path)
}

// A head is the first line of the file.
type head struct {
	Format string `json:"format"`
	Schema int    `json:"schema"`
}

// An eventLine is a further line of the file.
type eventLine struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Handler string `json:"handler"`
	Note    string `json:"note"`
	At      string `json:"at"`
	Source  string `json:"source"`
}

func (s *Store) parse(path string) error {
	lines := bufio.NewScanner(bytes.NewReader(s.bytes))
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		if number == 1 {
			if err := checkHead(lines.Bytes()); err != nil {
				return &CorruptError{path, number, err.Error()}
			}
			continue
		}
		e, err := parseEvent(lines.Bytes())
		if err != nil {
			return &CorruptError{path, number, err.Error()}
		}
		s.add(e)
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return &CorruptError{path, number + 1, "the line is too long"}
	case lines.Err() != nil:
		return lines.Err()
	case number == 0:
		return &CorruptError{path, 1, "the file is empty"}
	case s.bytes[len(s.bytes)-1] != '\n':
		return &CorruptError{path, number, "the line is cut off"}
	}
	return nil
}

func checkHead(line []byte) error {
	var h head
	if err := strict(line, &h); err != nil || h.Format != format {
		return fmt.Errorf("not a file of verdicts")
	}
	if h.Schema != schema {
		return fmt.Errorf("schema %d: this version knows schema %d", h.Schema, schema)
	}
	return nil
}

func parseEvent(line []byte) (Event, error) {
	var l eventLine
	if err := strict(line, &l); err != nil {
		return Event{}, fmt.Errorf("not a verdict: %w", err)
	}
	e := Event{ID: l.ID, Verdict: reports.Verdict{By: l.Handler, Note: l.Note}, Source: l.Source}
	if !isID(l.ID) {
		return e, fmt.Errorf("id %q: not the id of a break", l.ID)
	}
	if l.Verdict != "" {
		state, ok := reports.ParseVerdictState(l.Verdict)
		if !ok || state.String() != l.Verdict {
			return e, fmt.Errorf("verdict %q: not a verdict", l.Verdict)
		}
		e.Verdict.State = state
	}
	at, err := time.Parse(time.RFC3339, l.At)
	if err != nil {
		return e, fmt.Errorf("at %q: not a time", l.At)
	}
	e.At = at
	return e, nil
}

// strict reads one JSON value with no more in it than is known.
func strict(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func (s *Store) add(e Event) {
	s.last[e.ID] = len(s.events)
	s.events = append(s.events, e)
}

// Current are the verdicts that hold, by the break's id.
func (s *Store) Current() map[string]reports.Verdict {
	all := make(map[string]reports.Verdict, len(s.last))
	for id, i := range s.last {
		all[id] = s.events[i].Verdict
	}
	return all
}

// Latest are the events that hold, in the order in which they came in.
func (s *Store) Latest() []Event {
	var latest []Event
	for i, e := range s.events {
		if s.last[e.ID] == i {
			latest = append(latest, e)
		}
	}
	return latest
}

// History are all events of the break, the oldest first.
func (s *Store) History(id string) []Event {
	var history []Event
	for _, e := range s.events {
		if e.ID == id {
			history = append(history, e)
		}
	}
	return history
}

// save appends events to the file.
func (s *Store) save(events []Event) error {
	text := bytes.Clone(s.bytes)
	if len(text) == 0 {
		text = fmt.Appendf(text, `{"format":%q,"schema":%d}`+"\n", format, schema)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		word := ""
		if e.Verdict.State != 0 {
			word = e.Verdict.State.String()
		}
		if err := enc.Encode(eventLine{e.ID, word, e.Verdict.By, e.Verdict.Note, e.At.Format(time.RFC3339), e.Source}); err != nil {
			return err
		}
	}
	text = append(text, out.Bytes()...)
	if err := writeDurable(filepath.Join(s.dir, fileName), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}); err != nil {
		return err
	}
	s.bytes = text
	for _, e := range events {
		s.add(e)
	}
	return nil
}

// writeDurable writes a file that is there whole or not at all.
func writeDurable(path string, write func(io.Writer) error) error {
	f, err := fsys.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer fsys.Remove(f.Name()) //nolint:errcheck // gone once it is renamed
	out := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(write(out), out.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(f.Name(), path); err != nil {
		return err
	}
	return fsys.SyncFolder(filepath.Dir(path))
}

// idLength is that of a break's id: b and 20 base32 characters.
const idLength = 21

// isID reports whether s looks like the id of a break.
func isID(s string) bool {
	return len(s) == idLength && s[0] == 'b' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
