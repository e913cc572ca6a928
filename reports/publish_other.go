//go:build !unix

package reports

import (
	"errors"
	"os"
	"path/filepath"
)

// A folderLock tells others that the folder's run lives: an open file, which
// this system does not let anybody remove.
type folderLock struct{ f *os.File }

const lockName = "lock"

// lockFolder locks a folder; nil is a folder that somebody else has locked.
func lockFolder(dir string) (*folderLock, error) {
	path := filepath.Join(dir, lockName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil
	}
	return &folderLock{f}, nil
}

func (l *folderLock) release() error {
	err := l.f.Close()
	_ = os.Remove(l.f.Name())
	_ = os.Remove(filepath.Dir(l.f.Name()))
	return err
}

// folderID has nothing to go by.
func folderID(string) (string, error) { return "", nil }
