//go:build !unix

package main

import (
	"errors"
	"os"

	"duizhang/engine/fsys"
)

// An outputLock keeps other runs from the same output folder: an open file,
// which this system does not let anybody remove.
type outputLock struct{ file *fsys.File }

// lockFile takes the lock of that name; nil is one that another process has.
func lockFile(name string) (*outputLock, error) {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	f, err := fsys.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &outputLock{f}, nil
}

func (l *outputLock) release() {
	_ = l.file.Close()
	_ = fsys.Remove(l.file.Name())
}
