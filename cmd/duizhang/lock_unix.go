//go:build unix

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"duizhang/engine/fsys"
)

// An outputLock keeps other runs from the same output folder. The system
// releases it when the process ends, however it ends.
type outputLock struct{ file *fsys.File }

// lockFile takes the lock of that name; nil is one that another process has.
func lockFile(name string) (*outputLock, error) {
	for {
		f, err := fsys.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
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
			return &outputLock{f}, nil
		}
		_ = f.Close()
	}
}

func (l *outputLock) release() {
	_ = fsys.Remove(l.file.Name())
	_ = l.file.Close()
}
