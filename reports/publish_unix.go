//go:build unix

package reports

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A folderLock tells others that the folder's run lives. The system releases it
// when the process ends, however it ends.
type folderLock struct{ f *os.File }

// lockFolder locks a folder; nil is a folder that somebody else has locked, or
// that is gone.
func lockFolder(dir string) (*folderLock, error) {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		_ = f.Close()
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// It may have been removed between opening and locking.
	locked, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if now, err := os.Lstat(dir); err != nil || !os.SameFile(locked, now) {
		_ = f.Close()
		return nil, nil
	}
	return &folderLock{f}, nil
}

func (l *folderLock) release() error { return l.f.Close() }

// folderID identifies a folder on its file system, whatever its name is.
func folderID(dir string) (string, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), nil
}
