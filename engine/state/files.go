package state

import (
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/fsys"
)

// privateFiles is a file system on which everything belongs to its owner alone.
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
	return f, nil
}

// Create makes a private file.
func (p privateFiles) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := p.FS.Create(name, category)
	return p.private(name, f, err)
}

// OpenReadWrite opens a file, or makes a private one.
func (p privateFiles) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := p.FS.OpenReadWrite(name, category, opts...)
	return p.private(name, f, err)
}

// ReuseForWrite renames and opens a file.
func (p privateFiles) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := p.FS.ReuseForWrite(oldname, newname, category)
	return p.private(newname, f, err)
}

// MkdirAll makes private folders.
func (p privateFiles) MkdirAll(dir string, _ os.FileMode) error {
	return p.FS.MkdirAll(dir, folderMode)
}

// Lock locks a private file.
func (p privateFiles) Lock(name string) (io.Closer, error) {
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

// Unwrap is the file system below.
func (p privateFiles) Unwrap() vfs.FS { return p.FS }
