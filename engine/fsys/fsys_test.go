package fsys_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"duizhang/engine/fsys"
)

// steps makes every kind of step that the package has, and gives the first error.
func steps(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := fsys.MkdirAll(at("a/b"), 0o700); err != nil {
		return err
	}
	if err := fsys.Mkdir(at("c"), 0o700); err != nil {
		return err
	}
	temp, err := fsys.MkdirTemp(dir, "t-*")
	if err != nil {
		return err
	}
	f, err := fsys.CreateTemp(temp, "f-*")
	if err != nil {
		return err
	}
	if _, err := f.WriteString("0123456789"); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.WriteAt([]byte("ab"), 8); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.ReadFrom(strings.NewReader("cd")); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Truncate(9), f.Chmod(0o640), f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fsys.Rename(f.Name(), at("c/f")); err != nil {
		return err
	}
	if err := fsys.WriteFile(at("a/b/g"), []byte("x"), 0o600); err != nil {
		return err
	}
	if err := fsys.Link(at("a/b/g"), at("c/g")); err != nil {
		return err
	}
	if err := os.Symlink(at("c"), at("a/link")); err != nil {
		return err
	}
	return errors.Join(fsys.SyncFile(at("a/b/g")), fsys.SyncFolder(dir), fsys.Chmod(at("c"), 0o750),
		fsys.RemoveAll(at("a")), fsys.Remove(at("c/g")), fsys.Remove(temp), fsys.RemoveAll(at("none")))
}

// What is done watched is done as well without, and every step is announced.
func TestSteps(t *testing.T) {
	plain := t.TempDir()
	if err := steps(plain); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var got []string
	fsys.Watch(func(s fsys.Step) error {
		path, _ := filepath.Rel(dir, s.Path)
		if strings.HasPrefix(path, "t-") {
			path = "t" + strings.TrimLeft(path[2:], "0123456789*")
		}
		if strings.HasPrefix(path, "t/f-") {
			path = "t/f"
		}
		got = append(got, s.Kind.String()+" "+path)
		return nil
	})
	err := steps(dir)
	fsys.Watch(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mkdir a/b", "mkdir c", "mkdir t", "create t/f", "write t/f", "write t/f", "write t/f", "truncate t/f", "chmod t/f", "sync t/f",
		"close t/f", "rename c/f", "create a/b/g", "write a/b/g", "close a/b/g", "link c/g", "sync a/b/g", "sync .", "chmod c",
		"remove a/b/g", "remove a/b", "remove a/link", "remove a", "remove c/g", "remove t",
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, d := range []string{plain, dir} {
		text, err := os.ReadFile(filepath.Join(d, "c", "f"))
		if string(text) != "01234567a" || err != nil {
			t.Errorf("%s: %q, %v", d, text, err)
		}
		if entries, _ := os.ReadDir(d); len(entries) != 1 {
			t.Errorf("%s: %d entries are left, want c alone", d, len(entries))
		}
	}
}

// Each step fails once: the error is its caller's, and the step is not made.
func TestFail(t *testing.T) {
	total := 0
	fsys.Watch(func(fsys.Step) error { total++; return nil })
	err := steps(t.TempDir())
	fsys.Watch(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range total {
		dir := t.TempDir()
		at, failed := 0, ""
		fsys.Watch(func(s fsys.Step) error {
			at++
			if at-1 != n {
				return nil
			}
			if s.Half != nil {
				s.Half()
			}
			failed = fmt.Sprintf("%v %s", s.Kind, s.Path)
			return syscall.ENOSPC
		})
		err := steps(dir)
		fsys.Watch(nil)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("step %d (%s) fails: %v, want no space left", n, failed, err)
		}
	}
}

// Half of a write that fails is on the disk.
func TestHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	fsys.Watch(func(s fsys.Step) error {
		if s.Kind != fsys.ToWrite {
			return nil
		}
		s.Half()
		return syscall.EIO
	})
	err := fsys.WriteFile(path, []byte("0123456789"), 0o600)
	fsys.Watch(nil)
	text, _ := os.ReadFile(path)
	if !errors.Is(err, syscall.EIO) || string(text) != "01234" {
		t.Errorf("WriteFile: %v, %q, want EIO and half", err, text)
	}
}
