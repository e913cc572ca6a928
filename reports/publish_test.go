package reports

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// asRun writes what makes a folder a run of ours, and a file that tells which.
func asRun(t *testing.T, dir, which string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		SummaryName: `{"schema": 1, "exit_code": 0, "inputs": []}`, "which": which, "only-" + which: "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// which is the run in the folder, whole and nothing else.
func which(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "which"))
	if errors.Is(err, fs.ErrNotExist) && !exists(dir) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 || !exists(filepath.Join(dir, "only-"+string(b))) {
		t.Errorf("%s holds a part of a run: %v", dir, entries)
	}
	return string(b)
}

// alone fails if anything but out is left beside it.
func alone(t *testing.T, out string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(out) {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// without has no exchange of folders.
func without(ops folderOps) folderOps {
	ops.exchange = func(_, _ string) error { return errors.ErrUnsupported }
	return ops
}

func TestPublish(t *testing.T) {
	for name, ops := range map[string]folderOps{"exchange": systemOps, "renames": without(systemOps)} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "reports", "out")
			for i, run := range []string{"first", "second"} {
				s, err := newStaging(out, []fs.FileMode{0, 0o640}[i], ops)
				if err != nil {
					t.Fatal(err)
				}
				asRun(t, s.Dir(), run)
				if err := s.Publish(); err != nil {
					t.Fatal(err)
				}
				if got := which(t, out); got != run {
					t.Errorf("out is %s, want %s", got, run)
				}
				if err := s.Discard(); err != nil {
					t.Error(err)
				}
				info, err := os.Stat(out)
				if err != nil {
					t.Fatal(err)
				}
				if want := []fs.FileMode{0o700, 0o750}[i]; info.Mode().Perm() != want {
					t.Errorf("mode of out = %v, want %v", info.Mode().Perm(), want)
				}
			}
			alone(t, out)
		})
	}
}

var errKilled = errors.New("killed")

// A run that is killed at any step leaves one whole run for readers, or none for
// a moment between two renames, and the next command puts it right.
func TestKilled(t *testing.T) {
	for _, prior := range []bool{true, false} {
		for _, renames := range []bool{true, false} {
			for step := 0; ; step++ {
				out := filepath.Join(t.TempDir(), "out")
				if prior {
					asRun(t, out, "old")
				}
				ops := systemOps
				if renames {
					ops = without(ops)
				}
				ops, left := killedAfter(step, ops)
				s, err := newStaging(out, 0, ops)
				if err != nil {
					t.Fatal(err)
				}
				asRun(t, s.Dir(), "new")
				err = s.Publish()
				died := left() < 0
				if !died && err != nil {
					t.Fatal(err)
				}
				if died {
					// What a dead process does: its locks go, nothing else is done.
					_ = s.lock.f.Close()
				}
				before := which(t, out)
				if before == "none" && prior && !renames {
					t.Errorf("step %d: readers see nothing", step)
				}
				if err := Recover(out, nil); err != nil {
					t.Fatal(err)
				}
				if got := which(t, out); got != "new" {
					t.Errorf("prior %v, renames %v, step %d: out is %s after recovery, want new", prior, renames, step, got)
				}
				alone(t, out)
				if !died {
					break
				}
			}
		}
	}
}

// killedAfter does so many steps; then nothing happens any more.
func killedAfter(steps int, system folderOps) (ops folderOps, left func() int) {
	ops = system
	alive := func() bool {
		steps--
		return steps >= 0
	}
	rename, exch, remove := ops.rename, ops.exchange, ops.remove
	ops.rename = func(a, b string) error {
		if !alive() {
			return errKilled
		}
		return rename(a, b)
	}
	ops.exchange = func(a, b string) error {
		if !alive() {
			return errKilled
		}
		return exch(a, b)
	}
	ops.remove = func(path string) error {
		if !alive() {
			return errKilled
		}
		return remove(path)
	}
	return ops, func() int { return steps }
}

// A rename that fails leaves the old run in its place.
func TestRenameFails(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	asRun(t, out, "old")
	ops := without(systemOps)
	ops.rename = func(from, to string) error {
		if filepath.Base(from) == newName {
			return errKilled
		}
		return os.Rename(from, to)
	}
	s, err := newStaging(out, 0, ops)
	if err != nil {
		t.Fatal(err)
	}
	asRun(t, s.Dir(), "new")
	if err := s.Publish(); !errors.Is(err, errKilled) {
		t.Fatalf("Publish = %v", err)
	}
	if err := s.Discard(); err != nil {
		t.Fatal(err)
	}
	if got := which(t, out); got != "old" {
		t.Errorf("out is %s, want old", got)
	}
	alone(t, out)
}

// The state's commit decides what becomes of a run that was prepared.
func TestCommitDecides(t *testing.T) {
	for _, committed := range []bool{true, false} {
		out := filepath.Join(t.TempDir(), "out")
		asRun(t, out, "old")
		s, err := NewStaging(out, 0)
		if err != nil {
			t.Fatal(err)
		}
		asRun(t, s.Dir(), "new")
		if err := s.Prepare("2026-11-20#7"); err != nil {
			t.Fatal(err)
		}
		_ = s.lock.f.Close() // killed
		if err := Recover(out, nil); err != nil {
			t.Fatal(err)
		}
		if got := which(t, out); got != "old" {
			t.Errorf("out is %s before anybody asked the state", got)
		}
		asked := ""
		err = Recover(out, func(token string) bool {
			asked = token
			return committed
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "new", false: "old"}[committed]
		if got := which(t, out); got != want || asked != "2026-11-20#7" {
			t.Errorf("committed %v: out is %s, asked for %q", committed, got, asked)
		}
		alone(t, out)
	}
}

func TestStagings(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	living, err := NewStaging(out, 0)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := NewStaging(out, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.lock.f.Close()
	next, err := NewStaging(out, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !exists(living.Dir()) || exists(dead.root) {
		t.Errorf("living %v, dead %v: want true, false", exists(living.Dir()), exists(dead.root))
	}
	for _, s := range []*Staging{living, next} {
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
	entries, _ := os.ReadDir(filepath.Dir(out))
	if len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestUsable(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	asRun(t, path("ours"), "old")
	for _, name := range []string{"empty", "foreign", "fake"} {
		if err := os.Mkdir(path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"foreign/thesis.doc": "x", "fake/summary.json": `{"schema": "x"}`, "file": ""} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range [][2]string{{"ours", "link"}, {"nowhere", "dangling"}} {
		if err := os.Symlink(path(link[0]), path(link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, zh, en string }{
		{"absent", "", ""},
		{"empty", "", ""},
		{"ours", "", ""},
		{"foreign", "不是空的，也没有本程序写的 summary.json", "is not empty and holds no summary.json of ours"},
		{"fake", "不是空的，也没有本程序写的 summary.json", "is not empty and holds no summary.json of ours"},
		{"file", "不是文件夹", "is not a folder"},
		{"link", "是链接，不是文件夹", "is a link"},
		{"dangling", "是链接，不是文件夹", "is a link"},
	} {
		s, err := NewStaging(path(c.name), 0)
		if s != nil {
			_ = s.Discard()
		}
		output, refused := errors.AsType[*OutputError](err)
		switch {
		case c.en == "" && err != nil:
			t.Errorf("NewStaging(%s) = %v", c.name, err)
		case c.en == "":
		case !refused:
			t.Errorf("NewStaging(%s) = %v, want an OutputError", c.name, err)
		default:
			zh, en := "输出文件夹 "+path(c.name)+"："+c.zh, "output folder "+path(c.name)+": "+c.en
			if got := output.Error(); got != zh {
				t.Errorf("NewStaging(%s) = %q, want %q", c.name, got, zh)
			}
			if got := output.Text(English); got != en {
				t.Errorf("NewStaging(%s) in English = %q, want %q", c.name, got, en)
			}
		}
	}
}

// What came into the folder while the run was going on is not overwritten.
func TestForeignFolderAppears(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s, err := NewStaging(out, 0)
	if err != nil {
		t.Fatal(err)
	}
	asRun(t, s.Dir(), "new")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "thesis.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, refused := errors.AsType[*OutputError](s.Publish()); !refused {
		t.Error("a folder of somebody else's was replaced")
	}
	_ = s.Discard()
	if !exists(filepath.Join(out, "thesis.doc")) {
		t.Error("the folder was touched")
	}
}

func TestFolderMode(t *testing.T) {
	for file, want := range map[fs.FileMode]fs.FileMode{0o600: 0o700, 0o640: 0o750, 0o644: 0o755, 0o660: 0o770, 0o400: 0o700} {
		if got := folderMode(file); got != want {
			t.Errorf("folderMode(%o) = %o, want %o", file, got, want)
		}
	}
}
