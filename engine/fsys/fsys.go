// Package fsys is the seam between a run and the file system: every step by which
// a run changes what is on disk (creates, writes, syncs, renames, folders, removals)
// goes through it. Reading does not.
//
// The functions are those of package os, and cost what those cost. A test may watch
// the steps ([Watch]): it counts them, lets one fail as a full or broken disk would,
// or ends the process there. So it is proved that whatever step a run fails or dies
// at, what it leaves is the run before or the run after.
package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// A Kind says what a step does.
type Kind uint8

// The kinds of steps.
const (
	ToCreate   Kind = iota + 1 // a file, or opens it for writing
	ToWrite                    // to a file
	ToTruncate                 // a file to a size
	ToSync                     // a file or folder to the disk
	ToClose                    // a file that was written
	ToRename                   // a file or folder, or exchanges two
	ToMkdir                    // one folder, or all on a path
	ToRemove                   // a file or an empty folder
	ToChmod                    // a file or folder
	ToLink                     // gives a file another name
)

var kinds = [...]string{
	ToCreate: "create", ToWrite: "write", ToTruncate: "truncate", ToSync: "sync", ToClose: "close", ToRename: "rename",
	ToMkdir: "mkdir", ToRemove: "remove", ToChmod: "chmod", ToLink: "link",
}

// String is the kind in one word.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kinds) {
		return "?"
	}
	return kinds[k]
}

// A Step is about to be made.
type Step struct {
	Kind Kind
	Path string // as the caller gave it; of a rename the new name; of a temporary file its name
	Half func() // of a Write: writes the first half, as a disk does that fails on the way; else nil
}

// watcher is asked before every step; nil, as always but in tests, is not.
var watcher atomic.Pointer[func(Step) error]

// Watch has every step from now on announced to watch, which may be called from
// several goroutines. An error from it is the step's: the step is not made. Nil
// watches no longer. It is for tests alone.
func Watch(watch func(Step) error) {
	if watch == nil {
		watcher.Store(nil)
		return
	}
	watcher.Store(&watch)
}

// Watched reports whether somebody watches.
func Watched() bool { return watcher.Load() != nil }

// Before announces a step that the caller makes itself. An error is the step's.
func Before(kind Kind, path string) error {
	watch := watcher.Load()
	if watch == nil {
		return nil
	}
	return (*watch)(Step{Kind: kind, Path: path})
}

// BeforeWrite announces a write that the caller makes itself; half writes its first half.
func BeforeWrite(path string, half func()) error {
	watch := watcher.Load()
	if watch == nil {
		return nil
	}
	return (*watch)(Step{ToWrite, path, half})
}

// A File is an open file whose changes are steps.
type File struct{ *os.File }

// OpenFile is os.OpenFile, for writing.
func OpenFile(path string, flag int, mode fs.FileMode) (*File, error) {
	if err := Before(ToCreate, path); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// CreateTemp is os.CreateTemp.
func CreateTemp(dir, pattern string) (*File, error) {
	if err := Before(ToCreate, filepath.Join(dir, pattern)); err != nil {
		return nil, &fs.PathError{Op: "createtemp", Path: filepath.Join(dir, pattern), Err: err}
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

func (f *File) failed(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.Name(), Err: err}
}

// Write is os.File's.
func (f *File) Write(p []byte) (n int, err error) {
	if !Watched() {
		return f.File.Write(p)
	}
	if err := BeforeWrite(f.Name(), func() { n, _ = f.File.Write(p[:len(p)/2]) }); err != nil {
		return n, f.failed("write", err)
	}
	return f.File.Write(p)
}

// WriteAt is os.File's.
func (f *File) WriteAt(p []byte, at int64) (n int, err error) {
	if !Watched() {
		return f.File.WriteAt(p, at)
	}
	if err := BeforeWrite(f.Name(), func() { n, _ = f.File.WriteAt(p[:len(p)/2], at) }); err != nil {
		return n, f.failed("write", err)
	}
	return f.File.WriteAt(p, at)
}

// WriteString is os.File's.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// ReadFrom copies r to the file.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	if !Watched() {
		return f.File.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{f}, r)
}

// Truncate is os.File's.
func (f *File) Truncate(size int64) error {
	if err := Before(ToTruncate, f.Name()); err != nil {
		return f.failed("truncate", err)
	}
	return f.File.Truncate(size)
}

// Sync is os.File's.
func (f *File) Sync() error {
	if err := Before(ToSync, f.Name()); err != nil {
		return f.failed("sync", err)
	}
	return f.File.Sync()
}

// Chmod is os.File's.
func (f *File) Chmod(mode fs.FileMode) error {
	if err := Before(ToChmod, f.Name()); err != nil {
		return f.failed("chmod", err)
	}
	return f.File.Chmod(mode)
}

// Close is os.File's. A file whose closing fails is closed.
func (f *File) Close() error {
	if err := Before(ToClose, f.Name()); err != nil {
		return errors.Join(f.failed("close", err), f.File.Close())
	}
	return f.File.Close()
}

// WriteFile is os.WriteFile.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	f, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// SyncFile makes a file durable that is not open.
func SyncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := Before(ToSync, path); err != nil {
		return errors.Join(&fs.PathError{Op: "sync", Path: path, Err: err}, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

// Rename is os.Rename.
func Rename(from, to string) error {
	if err := Before(ToRename, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

// Link is os.Link.
func Link(from, to string) error {
	if err := Before(ToLink, to); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	return os.Link(from, to)
}

// Remove is os.Remove.
func Remove(path string) error {
	if err := Before(ToRemove, path); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return os.Remove(path)
}

// RemoveAll is os.RemoveAll. Watched, it is a step for each file and folder.
func RemoveAll(path string) error {
	if !Watched() {
		return os.RemoveAll(path)
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := RemoveAll(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Mkdir is os.Mkdir.
func Mkdir(path string, mode fs.FileMode) error {
	if err := Before(ToMkdir, path); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return os.Mkdir(path, mode)
}

// MkdirAll is os.MkdirAll.
func MkdirAll(path string, mode fs.FileMode) error {
	if Watched() {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return nil // no step
		}
	}
	if err := Before(ToMkdir, path); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return os.MkdirAll(path, mode)
}

// MkdirTemp is os.MkdirTemp.
func MkdirTemp(dir, pattern string) (string, error) {
	if err := Before(ToMkdir, filepath.Join(dir, pattern)); err != nil {
		return "", &fs.PathError{Op: "mkdirtemp", Path: filepath.Join(dir, pattern), Err: err}
	}
	return os.MkdirTemp(dir, pattern)
}

// Chmod is os.Chmod.
func Chmod(path string, mode fs.FileMode) error {
	if err := Before(ToChmod, path); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return os.Chmod(path, mode)
}
