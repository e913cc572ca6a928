package reports

import (
	"errors"

	"golang.org/x/sys/unix"

	"duizhang/engine/fsys"
)

// exchange exchanges two folders in one step. errors.ErrUnsupported: the file
// system cannot.
func exchange(a, b string) error {
	if err := fsys.Before(fsys.ToRename, b); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return errors.ErrUnsupported
	}
	return err
}
