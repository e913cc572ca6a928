package state_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/schema"
	"duizhang/engine/state"
)

// leaveDay runs a day that leaves rows, and gives what Prepare and Commit said.
func leaveDay(t testing.TB, s *state.Store, date int32, left *modelDay, run state.Run, historyDays int) (token string, unchanged bool, later []int32) {
	t.Helper()
	words := schema.NewWords()
	d, err := s.Begin(date, words, historyDays)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(left.keep(d, words), d.Carry(left.carriedIn(words))); err != nil {
		t.Fatal(err)
	}
	d.KeepBreaks(slices.Clone(left.breaks), nil)
	token, unchanged, err = d.Prepare(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	if later, err = d.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return token, unchanged, later
}

func openDisk(t testing.TB, dir string, o state.Options) *state.Store {
	t.Helper()
	o.Owner = "a test"
	s, err := state.Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t testing.TB, s *state.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func someDay(seed uint64, date int32, rows int) *modelDay {
	r := source{rand.New(rand.NewPCG(seed, 3))}
	return r.day(date, rows)
}

func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	s := openDisk(t, dir, state.Options{})
	leaveDay(t, s, firstDay, someDay(1, firstDay, 300), state.Run{}, 400)
	check := func() {
		if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	check()
	closeStore(t, s)
	check()
	if _, err := os.Lstat(filepath.Join(dir, ".lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}
}

func TestLinkRefused(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func(state string) error{
		"state": func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"history": func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Symlink(t.TempDir(), filepath.Join(dir, "history")))
		},
		"db": func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "history"), 0o700), os.Symlink(t.TempDir(), filepath.Join(dir, "history", "db")))
		},
		"file": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		path := filepath.Join(dir, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, err := state.Open(context.Background(), path, state.Options{})
		var folder *state.FolderError
		if !errors.As(err, &folder) || !strings.Contains(folder.Text(true), "状态文件夹") {
			t.Errorf("%s: Open = %v, want a *FolderError", name, err)
		}
	}
}

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first := openDisk(t, dir, state.Options{})
	_, err := state.Open(context.Background(), dir, state.Options{Owner: "another"})
	var locked *state.LockedError
	if !errors.As(err, &locked) || locked.Owner != "a test" || !strings.Contains(locked.Text(true), "a test") {
		t.Fatalf("Open of a folder in use = %v, want a *LockedError that names its owner", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := state.Open(ctx, dir, state.Options{Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open that waits = %v, want the context's error", err)
	}
	opened := make(chan error)
	go func() {
		s, err := state.Open(context.Background(), dir, state.Options{Wait: true})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	time.Sleep(20 * time.Millisecond)
	closeStore(t, first)
	if err := <-opened; err != nil {
		t.Errorf("Open that waited = %v", err)
	}
	lock, err := state.LockFolder(context.Background(), dir, "one\ntwo\x1b", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(context.Background(), dir, state.Options{})
	if !errors.As(err, &locked) || locked.Owner != "one two" {
		t.Errorf("Open = %v, want the owner in one line", err)
	}
	s := openDisk(t, dir, state.Options{Lock: lock})
	closeStore(t, s)
	if _, err := state.Open(context.Background(), dir, state.Options{}); !errors.As(err, &locked) {
		t.Errorf("Close released a lock that is the caller's: %v", err)
	}
	lock.Release()
}

func TestReadOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := openDisk(t, dir, state.Options{ReadOnly: true})
	if runs, err := s.Runs(); err != nil || len(runs) != 0 {
		t.Errorf("Runs of nothing = %v, %v", runs, err)
	}
	if problems, err := s.Check(context.Background()); err != nil || len(problems) != 0 {
		t.Errorf("Check of nothing = %v, %v", problems, err)
	}
	closeStore(t, s)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the folder: %v", err)
	}
	s = openDisk(t, dir, state.Options{})
	leaveDay(t, s, firstDay, someDay(1, firstDay, 300), state.Run{Job: "j"}, 400)
	closeStore(t, s)
	s = openDisk(t, dir, state.Options{ReadOnly: true})
	defer closeStore(t, s)
	runs, err := s.Runs()
	if err != nil || len(runs) != 1 || runs[0].Token != state.DateText(firstDay)+"#1" || !runs[0].Current || !runs[0].Kept || runs[0].Job != "j" {
		t.Errorf("Runs = %+v, %v", runs, err)
	}
	day, err := s.Begin(firstDay, schema.NewWords(), 400) // a run that leaves nothing
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := day.Prepare(context.Background(), state.Run{}); err == nil {
		t.Error("Prepare of what is read only succeeds")
	}
	if problems, err := s.Check(context.Background()); err != nil || len(problems) != 0 {
		t.Errorf("Check = %v, %v", problems, err)
	}
}

func TestUnchanged(t *testing.T) {
	s, err := state.Open(context.Background(), "state", state.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	run := state.Run{Job: "j", Settings: "s", Version: "v", Inputs: []state.Input{{Kind: "b", Path: "2"}, {Kind: "a", Path: "1"}}, ExitCode: 1}
	day := someDay(1, firstDay, 300)
	first, unchanged, _ := leaveDay(t, s, firstDay, day, run, 400)
	if unchanged {
		t.Fatal("the first run is unchanged")
	}
	slices.Reverse(run.Inputs)
	run.Started, run.Duration = time.Now(), time.Second
	again, unchanged, later := leaveDay(t, s, firstDay, day, run, 400)
	if !unchanged || again != first || len(later) > 0 {
		t.Errorf("the same run again: token %s, unchanged %v, later %v; want %s, true, none", again, unchanged, later, first)
	}
	run.Settings = "other"
	next, unchanged, _ := leaveDay(t, s, firstDay, day, run, 400)
	if unchanged || next == first || s.Committed(first) || !s.Committed(next) {
		t.Errorf("a run with other settings: token %s, unchanged %v", next, unchanged)
	}
	runs, err := s.Runs()
	if err != nil || len(runs) != 2 || runs[0].Current || !runs[0].Kept || !runs[1].Current {
		t.Errorf("Runs = %+v, %v", runs, err)
	}
	for i := range 3 {
		run.Settings = strings.Repeat("x", i+1)
		leaveDay(t, s, firstDay, day, run, 400)
	}
	runs, err = s.Runs()
	if err != nil || len(runs) != 5 || runs[2].Kept || !runs[3].Kept || !runs[4].Kept {
		t.Errorf("Runs = %+v, %v", runs, err)
	}
	if _, err := s.Revision(firstDay, 2); err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("Revision that is not kept: %v", err)
	}
}

// TestHistoryDays: days that no run sees any more go.
func TestHistoryDays(t *testing.T) {
	s, err := state.Open(context.Background(), "state", state.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	for i := range int32(6) {
		leaveDay(t, s, firstDay+i, someDay(uint64(i), firstDay+i, 50), state.Run{}, 3)
	}
	runs, err := s.Runs()
	if err != nil {
		t.Fatal(err)
	}
	var dates []int32
	for _, r := range runs {
		dates = append(dates, r.Date-firstDay)
	}
	if want := []int32{2, 3, 4, 5}; !slices.Equal(dates, want) {
		t.Errorf("days %v are kept, want %v", dates, want)
	}
	if problems, err := s.Check(context.Background()); err != nil || len(problems) != 0 {
		t.Errorf("Check = %v, %v", problems, err)
	}
}

// TestVersions: a newer format is refused, what is no state too, an older one is
// migrated.
func TestVersions(t *testing.T) {
	write := func(t *testing.T, key, value string) vfs.FS {
		mem := vfs.NewMem()
		if err := mem.MkdirAll("state/history/db", 0o700); err != nil {
			t.Fatal(err)
		}
		db, err := pebble.Open("state/history/db", &pebble.Options{FS: mem, FormatMajorVersion: pebble.FormatTableFormatV6, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Set([]byte(key), []byte(value), pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
		return mem
	}
	for _, test := range []struct{ name, key, value, zh, en string }{
		{"newer", "a", `{"format":3,"writer":"v9"}`, "状态格式是 3（由版本 v9 写入），本程序只认识到 2", "has format 3 (written by version v9), this program knows up to 2"},
		{"garbage", "a", "x", "不认识的状态格式", "not a state that this program knows"},
		{"another program's", "hello", "x", "不认识的状态格式", "not a state that this program knows"},
		{"too old", "a", `{"format":0,"writer":"v0"}`, "不认识的状态格式", "not a state that this program knows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := state.Open(context.Background(), "state", state.Options{FS: write(t, test.key, test.value)})
			var version *state.VersionError
			if !errors.As(err, &version) {
				t.Fatalf("Open = %v, want a *VersionError", err)
			}
			if !strings.Contains(version.Text(true), test.zh) || !strings.Contains(version.Text(false), test.en) {
				t.Errorf("Open says %q and %q, want %q and %q", version.Text(true), version.Text(false), test.zh, test.en)
			}
		})
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// TestDamage: a byte that changes anywhere in the tables is found.
func TestDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := openDisk(t, dir, state.Options{})
	leaveDay(t, s, firstDay, someDay(1, firstDay, 700), state.Run{}, 400)
	closeStore(t, s)
	paths, err := filepath.Glob(filepath.Join(dir, "history", "db", "*.sst"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		path := paths[r.IntN(len(paths))]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(whole)
		at := r.IntN(len(bad))
		bad[at] ^= 1 << r.IntN(8)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		found := false
		s, err := state.Open(context.Background(), dir, state.Options{ReadOnly: true})
		if err != nil {
			found = true
		} else {
			problems, err := s.Check(context.Background())
			found = len(problems) > 0 || err != nil
			_ = s.Close()
		}
		if !found {
			t.Errorf("%s: byte %d of %d is changed, and Check finds nothing", filepath.Base(path), at, len(bad))
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openDisk(t, dir, state.Options{})
	defer closeStore(t, s)
	if problems, err := s.Check(context.Background()); err != nil || len(problems) != 0 {
		t.Errorf("Check of what is whole = %v, %v", problems, err)
	}
}

func TestDiff(t *testing.T) {
	s, err := state.Open(context.Background(), "state", state.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	old, now := someDay(1, firstDay, 300), someDay(1, firstDay, 300)
	now.settled.BillAmount[7] += 5
	now.settled.Terminal[9] = now.words.Code("another till")
	var kept schema.Settled
	rows := make([]int32, 0, now.settled.Len())
	for i := range now.settled.Len() {
		if i != 11 {
			rows = append(rows, int32(i))
		}
	}
	appendTable(&kept, &now.settled, rows)
	for i, of := range now.returned.Of {
		if of == 11 {
			now.returned.Of[i] = -1
		} else if of > 11 {
			now.returned.Of[i]--
		}
	}
	before := describe(&now.settled, 11, now.words, "", "", "query", "day", "ref")
	now.settled, now.tradeParts = kept, slices.Delete(now.tradeParts, 11, 12)
	now.settled.TradeNo.AppendString("new")
	leaveDay(t, s, firstDay, old, state.Run{Settings: "1"}, 400)
	now.settled.TradeNo.Offsets = now.settled.TradeNo.Offsets[:len(now.settled.TradeNo.Offsets)-1]
	leaveDay(t, s, firstDay, now, state.Run{Settings: "2"}, 400)
	words := schema.NewWords()
	changed, gone, came := 0, "", 0
	if err := s.Diff(context.Background(), firstDay, 1, 2, words, func(before, after *schema.Settled) error {
		switch {
		case after.Len() == 0:
			gone += describe(before, 0, words, "", "", "query", "day", "ref")
		case before.Len() == 0:
			came++
		default:
			changed++
		}
		return nil
	}, func(*schema.Returned, *schema.Returned) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if changed != 2 || came != 0 || gone != before {
		t.Errorf("Diff: %d changed, %d came, gone %s; want 2, 0, %s", changed, came, gone, before)
	}
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	s, err := state.Open(context.Background(), "state", state.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	day := someDay(4, firstDay, 300)
	leaveDay(t, s, firstDay, day, state.Run{Job: "作业.yaml"}, 400)
	out := filepath.Join(dir, "export")
	if err := s.Export(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	name := state.DateText(firstDay) + ".parquet"
	for folder, want := range map[string]struct {
		rows    int
		columns string
	}{
		"trades/" + name:  {day.settled.Len(), "business_date merchant_pid bill_merchant_pid out_trade_no trade_no status reason order_time"},
		"refunds/" + name: {day.returned.Len(), "business_date order_trade_no merchant_pid out_trade_no out_request_no trade_no status"},
		"breaks/" + name:  {len(day.breaks), "business_date id code merchant_pid out_trade_no"},
		"runs.parquet":    {1, "business_date revision run current job version inputs trades"},
	} {
		table := readParquet(t, filepath.Join(out, folder))
		var columns []string
		for _, f := range table.Schema().Fields() {
			columns = append(columns, f.Name)
		}
		if table.NumRows() != int64(want.rows) || !strings.HasPrefix(strings.Join(columns, " "), want.columns) {
			t.Errorf("%s has %d rows, columns %v; want %d, %s", folder, table.NumRows(), columns, want.rows, want.columns)
		}
	}
	trades := readParquet(t, filepath.Join(out, "trades", name))
	amounts := trades.Column(slices.IndexFunc(trades.Schema().Fields(), func(f arrow.Field) bool { return f.Name == "bill_amount" }))
	if got := amounts.DataType().String(); got != "decimal(18, 2)" {
		t.Errorf("bill_amount is %s", got)
	}
	var nulls int
	for _, v := range day.settled.BillAmount {
		if v == schema.Null {
			nulls++
		}
	}
	if amounts.NullN() != nulls {
		t.Errorf("%d amounts are null, want %d", amounts.NullN(), nulls)
	}
	if err := s.Export(context.Background(), out); err == nil {
		t.Error("a second export to the folder succeeds")
	}
}

func readParquet(t *testing.T, path string) arrow.Table {
	t.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return table
}
