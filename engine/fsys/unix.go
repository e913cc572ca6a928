//go:build unix

package fsys

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// SyncFolder makes what a folder holds durable. Some file systems do not sync
// folders: that is no error.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := Before(ToSync, dir); err != nil {
		return errors.Join(&fs.PathError{Op: "sync", Path: dir, Err: err}, f.Close())
	}
	err = f.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
