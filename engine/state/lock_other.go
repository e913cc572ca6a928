//go:build !unix

package state

import (
	"errors"
	"os"

	"duizhang/engine/fsys"
)

// A fileLock is an open file, which this system does not let anybody remove.
type fileLock struct{ file *fsys.File }

// lockFile takes the lock of that name; nil is one that another process has.
func lockFile(name string) (*fileLock, error) {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	f, err := fsys.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if errors.Is(err, os.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &fileLock{f}, nil
}

func (l *fileLock) write(owner string) error {
	_, err := l.file.WriteAt([]byte(owner), 0)
	return err
}

func (l *fileLock) release() {
	_ = l.file.Close()
	_ = fsys.Remove(l.file.Name())
}
