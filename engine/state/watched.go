package state

import (
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/fsys"
)

// disk is the file system of a history. Its steps are announced where somebody
// watches the run's (package fsys), which is in tests alone.
func disk() vfs.FS {
	if !fsys.Watched() {
		return vfs.Default
	}
	return watched{vfs.Default}
}

// watched announces the steps of a file system.
type watched struct{ vfs.FS }

// A watchedFile announces those of a file.
type watchedFile struct {
	vfs.File
	name string
}

func (w watched) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &watchedFile{f, name}, nil
}

func failed(op, path string, err error) error { return &os.PathError{Op: op, Path: path, Err: err} }

// Create announces a new file.
func (w watched) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, failed("open", name, err)
	}
	f, err := w.FS.Create(name, category)
	return w.file(name, f, err)
}

// OpenReadWrite announces a file that is opened for writing.
func (w watched) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, failed("open", name, err)
	}
	f, err := w.FS.OpenReadWrite(name, category, opts...)
	return w.file(name, f, err)
}

// OpenDir gives a folder whose syncing is announced.
func (w watched) OpenDir(name string) (vfs.File, error) {
	f, err := w.FS.OpenDir(name)
	return w.file(name, f, err)
}

// Link announces a link.
func (w watched) Link(oldname, newname string) error {
	if err := fsys.Before(fsys.ToLink, newname); err != nil {
		return failed("link", newname, err)
	}
	return w.FS.Link(oldname, newname)
}

// Remove announces a removal.
func (w watched) Remove(name string) error {
	if err := fsys.Before(fsys.ToRemove, name); err != nil {
		return failed("remove", name, err)
	}
	return w.FS.Remove(name)
}

// RemoveAll announces a removal.
func (w watched) RemoveAll(name string) error {
	if err := fsys.Before(fsys.ToRemove, name); err != nil {
		return failed("remove", name, err)
	}
	return w.FS.RemoveAll(name)
}

// Rename announces a new name.
func (w watched) Rename(oldname, newname string) error {
	if err := fsys.Before(fsys.ToRename, newname); err != nil {
		return failed("rename", newname, err)
	}
	return w.FS.Rename(oldname, newname)
}

// ReuseForWrite announces a new name for a file that is written anew.
func (w watched) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fsys.Before(fsys.ToRename, newname); err != nil {
		return nil, failed("rename", newname, err)
	}
	f, err := w.FS.ReuseForWrite(oldname, newname, category)
	return w.file(newname, f, err)
}

// MkdirAll announces a folder that is not there yet.
func (w watched) MkdirAll(dir string, perm os.FileMode) error {
	if info, err := w.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := fsys.Before(fsys.ToMkdir, dir); err != nil {
		return failed("mkdir", dir, err)
	}
	return w.FS.MkdirAll(dir, perm)
}

// Lock announces the file that is locked.
func (w watched) Lock(name string) (io.Closer, error) {
	if err := fsys.Before(fsys.ToCreate, name); err != nil {
		return nil, failed("lock", name, err)
	}
	return w.FS.Lock(name)
}

// Unwrap is the file system.
func (w watched) Unwrap() vfs.FS { return w.FS }

// Write announces a write.
func (f *watchedFile) Write(p []byte) (n int, err error) {
	if err := fsys.BeforeWrite(f.name, func() { n, _ = f.File.Write(p[:len(p)/2]) }); err != nil {
		return n, failed("write", f.name, err)
	}
	return f.File.Write(p)
}

// WriteAt announces a write.
func (f *watchedFile) WriteAt(p []byte, at int64) (n int, err error) {
	if err := fsys.BeforeWrite(f.name, func() { n, _ = f.File.WriteAt(p[:len(p)/2], at) }); err != nil {
		return n, failed("write", f.name, err)
	}
	return f.File.WriteAt(p, at)
}

func (f *watchedFile) synced(sync func() error) error {
	if err := fsys.Before(fsys.ToSync, f.name); err != nil {
		return failed("sync", f.name, err)
	}
	return sync()
}

// Sync announces it.
func (f *watchedFile) Sync() error { return f.synced(f.File.Sync) }

// SyncData announces it.
func (f *watchedFile) SyncData() error { return f.synced(f.File.SyncData) }

// SyncTo announces it.
func (f *watchedFile) SyncTo(length int64) (whole bool, err error) {
	err = f.synced(func() (err error) {
		whole, err = f.File.SyncTo(length)
		return err
	})
	return whole, err
}
