package kept_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"duizhang/engine/kept"
)

type note struct{ Token string }

// folder is one with two sections and a linked file.
func folder(t *testing.T) (dir, output string) {
	t.Helper()
	base := t.TempDir()
	output = filepath.Join(base, "part.parquet")
	if err := os.WriteFile(output, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(base, "kept", "2026-11-20")
	w, err := kept.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.Put("a", []byte("first")), w.Put("b", nil), w.Link(output, "trades.parquet/part.parquet"), w.Close(note{"x"}))
	if err != nil {
		t.Fatal(err)
	}
	return dir, output
}

func open(t *testing.T, dir string) *kept.Reader {
	t.Helper()
	var n note
	r, err := kept.Open(dir, &n)
	if err != nil {
		t.Fatal(err)
	}
	if n.Token != "x" {
		t.Errorf("the note is %+v", n)
	}
	return r
}

func TestFolder(t *testing.T) {
	dir, _ := folder(t)
	r := open(t, dir)
	for section, want := range map[string]string{"a": "first", "b": ""} {
		if got, err := r.Get(section); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", section, got, err)
		}
	}
	if r.Has("c") || !r.Has("b") {
		t.Error("what is there is not known")
	}
	path, err := r.Path("trades.parquet/part.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "rows" {
		t.Errorf("the linked file: %q, %v", data, err)
	}
	next := filepath.Join(filepath.Dir(dir), "next")
	w, err := kept.Create(next)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Take(r, "a"), w.Close(note{"x"})); err != nil {
		t.Fatal(err)
	}
	if err := w.Take(r, "c"); err == nil {
		t.Error("a section was taken that is not there")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, next).Get("a"); err != nil || string(got) != "first" {
		t.Errorf("a section that was taken: %q, %v", got, err)
	}
	if _, err := kept.Create(next); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder that is there: %v", err)
	}
}

// What is damaged is an error, whatever it is.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func(dir, output string) error{
		"a section is changed":  func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte("FIRST"), 0o600) },
		"a section is short":    func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "a"), 2) },
		"a section is gone":     func(dir, _ string) error { return os.Remove(filepath.Join(dir, "a")) },
		"a link is gone":        func(dir, _ string) error { return os.Remove(filepath.Join(dir, "trades.parquet", "part.parquet")) },
		"the output is changed": func(_, output string) error { return os.WriteFile(output, []byte("ROWS"), 0o600) },
		"the output is touched": func(_, output string) error { return os.Chtimes(output, time.Time{}, time.Unix(1, 0)) },
		"no head":               func(dir, _ string) error { return os.Remove(filepath.Join(dir, "head")) },
		"half a head":           func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "head"), 20) },
		"another schema": func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "head"), []byte(`{"schema":99,"note":{}}`), 0o600)
		},
	} {
		dir, output := folder(t)
		if err := damage(dir, output); err != nil {
			t.Fatal(err)
		}
		var n note
		r, err := kept.Open(dir, &n)
		if err == nil {
			_, inSection := r.Get("a")
			_, inLink := r.Path("trades.parquet/part.parquet")
			err = errors.Join(inSection, inLink)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
