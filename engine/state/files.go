package state

import (
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/fsys"
)

// privateFiles is the disk as the database sees it: everything belongs to its owner
// alone, and every change is a step that tests may let fail (package fsys).
type privateFiles struct{ vfs.FS }

const (
	folderMode = 0o700
	fileMode   = 0o600
)

func (p privateFiles) private(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if err := fsys.Chmod(name, fileMode); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &steppedFile{f, name}, nil
}

// Create makes a private file.
func (p privateFiles) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, err
	}
	f, err := p.FS.Create(name, category)
	return p.private(name, f, err)
}

// OpenReadWrite opens a file, or makes a private one.
func (p privateFiles) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, err
	}
	f, err := p.FS.OpenReadWrite(name, category, opts...)
	return p.private(name, f, err)
}

// ReuseForWrite renames and opens a file.
func (p privateFiles) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fsys.Before(fsys.ToRename, newname); err != nil {
		return nil, err
	}
	f, err := p.FS.ReuseForWrite(oldname, newname, category)
	return p.private(newname, f, err)
}

// OpenDir opens a folder, to make it durable.
func (p privateFiles) OpenDir(name string) (vfs.File, error) {
	f, err := p.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &steppedFile{f, name}, nil
}

// MkdirAll makes private folders.
func (p privateFiles) MkdirAll(dir string, _ os.FileMode) error {
	if err := fsys.Before(fsys.ToMkdir, dir); err != nil {
		return err
	}
	return p.FS.MkdirAll(dir, folderMode)
}

// Link gives a file another name.
func (p privateFiles) Link(oldname, newname string) error {
	if err := fsys.Before(fsys.ToLink, newname); err != nil {
		return err
	}
	return p.FS.Link(oldname, newname)
}

// Rename renames a file.
func (p privateFiles) Rename(oldname, newname string) error {
	if err := fsys.Before(fsys.ToRename, newname); err != nil {
		return err
	}
	return p.FS.Rename(oldname, newname)
}

// Remove removes a file or an empty folder.
func (p privateFiles) Remove(name string) error {
	if err := fsys.Before(fsys.ToRemove, name); err != nil {
		return err
	}
	return p.FS.Remove(name)
}

// RemoveAll removes a folder and what is in it.
func (p privateFiles) RemoveAll(name string) error { return fsys.RemoveAll(name) }

// Lock locks a private file.
func (p privateFiles) Lock(name string) (io.Closer, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, err
	}
	lock, err := p.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	if err := fsys.Chmod(name, fileMode); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// Unwrap is the disk.
func (p privateFiles) Unwrap() vfs.FS { return p.FS }

// A steppedFile is an open file whose changes are steps.
type steppedFile struct {
	vfs.File
	name string
}

// Write writes at the end.
func (f *steppedFile) Write(p []byte) (n int, err error) {
	if err := fsys.BeforeWrite(f.name, func() { n, _ = f.File.Write(p[:len(p)/2]) }); err != nil {
		return n, err
	}
	return f.File.Write(p)
}

// WriteAt writes in place.
func (f *steppedFile) WriteAt(p []byte, at int64) (n int, err error) {
	if err := fsys.BeforeWrite(f.name, func() { n, _ = f.File.WriteAt(p[:len(p)/2], at) }); err != nil {
		return n, err
	}
	return f.File.WriteAt(p, at)
}

// Sync makes the file durable.
func (f *steppedFile) Sync() error {
	if err := fsys.Before(fsys.ToSync, f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

// SyncData makes what the file holds durable.
func (f *steppedFile) SyncData() error {
	if err := fsys.Before(fsys.ToSync, f.name); err != nil {
		return err
	}
	return f.File.SyncData()
}

// SyncTo makes the beginning of the file durable.
func (f *steppedFile) SyncTo(length int64) (bool, error) {
	if err := fsys.Before(fsys.ToSync, f.name); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}
