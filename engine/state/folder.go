package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"duizhang/engine/fsys"
)

// A FolderError is a state folder that cannot be used as one.
type FolderError struct {
	Path string
	why  [2]string // in Chinese and in English
}

// Error is Text in English.
func (e *FolderError) Error() string { return e.Text(false) }

// Text says what is wrong, in Chinese or in English.
func (e *FolderError) Text(chinese bool) string { //nolint:revive // one of two languages
	if chinese {
		return "状态文件夹 " + e.Path + "：" + e.why[0]
	}
	return "state folder " + e.Path + ": " + e.why[1]
}

// checkFolder reports whether dir may be a folder of the state: it is not there yet,
// or is a folder. A link is refused.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return &FolderError{dir, [2]string{"是链接，不是文件夹", "is a link"}}
	case !info.IsDir():
		return &FolderError{dir, [2]string{"不是文件夹", "is not a folder"}}
	}
	return nil
}

// makeFolder makes a folder, private to its owner, where there is none.
func makeFolder(dir string) error {
	if err := checkFolder(dir); err != nil {
		return err
	}
	const parents = 0o755
	if err := fsys.MkdirAll(filepath.Dir(dir), parents); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkFolder(dir)
}
