//go:build unix

package state

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"duizhang/engine/fsys"
)

// A fileLock is a file that the system keeps locked until the process ends, however
// it ends.
type fileLock struct{ file *fsys.File }

// lockFile takes the lock of that name; nil is one that another process has.
func lockFile(name string) (*fileLock, error) {
	for {
		f, err := fsys.OpenFile(name, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, fileMode)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			_ = f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, nil
			}
			return nil, err
		}
		// Its holder may have removed it between opening and locking.
		locked, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		if now, err := os.Lstat(name); err == nil && os.SameFile(locked, now) {
			return &fileLock{f}, nil
		}
		_ = f.Close()
	}
}

func (l *fileLock) write(owner string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(owner), 0)
	return err
}

func (l *fileLock) release() {
	_ = fsys.Remove(l.file.Name())
	_ = l.file.Close()
}
