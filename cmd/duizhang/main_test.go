package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"duizhang/engine"
)

func TestMain(m *testing.M) {
	failing()
	testscript.Main(m, map[string]func(){"duizhang": main, "dying": dying, "full": full, "holding": holding})
}

// TestScripts runs testdata/*.txtar: one for each command, with its flags, exit
// statuses and messages.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": wantStatus,
			"places": wantPlaces,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// wantStatus runs the command and checks its exit status: status 3 run job.yaml.
func wantStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: status N args…")
	}
	err := ts.Exec("duizhang", args[1:]...)
	got := "0"
	if err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("duizhang %s: exit status %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// wantPlaces takes the § out of a job file, runs validate on it, and checks that
// standard error names just their places, in order: places job.yaml.
func wantPlaces(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: places FILE")
	}
	var clean strings.Builder
	var want []string
	line, column := 1, 1
	for _, letter := range ts.ReadFile(args[0]) {
		if letter == '§' {
			want = append(want, args[0]+":"+itoa(line)+":"+itoa(column))
			continue
		}
		if letter == '\n' {
			line, column = line+1, 0
		}
		column++
		clean.WriteRune(letter)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(clean.String()), 0o600))
	wantStatus(ts, false, []string{"2", "validate", args[0], "--lang", "en"})
	stderr := ts.ReadFile("stderr")
	var got []string
	for text := range strings.Lines(stderr) {
		place, _, _ := strings.Cut(strings.TrimPrefix(text, "duizhang: "), " ")
		got = append(got, strings.TrimSuffix(place, ":"))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		ts.Fatalf("validate %s: places\n%s\nwant\n%s\n%s", args[0], strings.Join(got, " "), strings.Join(want, " "), stderr)
	}
}

func TestInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "day")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"generate", "--out", dir, "--trades", "50"}, &stdout, &stderr); status != 0 {
		t.Fatalf("generate: status %d\n%s", status, stderr.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stderr.Reset()
	status := run(ctx, []string{"run", filepath.Join(dir, "job.yaml"), "--lang", "en"}, &stdout, &stderr)
	if want := "duizhang: interrupted; nothing was published\n"; status != exitInterrupted || stderr.String() != want {
		t.Errorf("run, interrupted: status %d, %q, want %d, %q", status, stderr.String(), exitInterrupted, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "out") {
			t.Errorf("left behind: %s", entry.Name())
		}
	}
}

func TestStatus(t *testing.T) {
	ctx := t.Context()
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{quietly(exitRejects), 4},
		{errors.New("disk full"), 2},
		{errors.Join(errors.New("stage"), &engine.InvariantError{}), 70},
		{usage("x", ""), 2},
	} {
		if got := statusOf(ctx, test.err); got != test.want {
			t.Errorf("statusOf(%v) = %d, want %d", test.err, got, test.want)
		}
	}
	for _, test := range []struct {
		statuses []int
		want     int
	}{
		{nil, 0},
		{[]int{1, 4}, 4},
		{[]int{4, 3, 1}, 3},
		{[]int{3, 2}, 2},
		{[]int{2, 70}, 70},
		{[]int{70, 130, 1}, 130},
	} {
		if got := worst(test.statuses...); got != test.want {
			t.Errorf("worst(%v) = %d, want %d", test.statuses, got, test.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, test := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"2GiB", 2 << 30, true},
		{"512MiB", 512 << 20, true},
		{"1.5g", 3 << 29, true},
		{"1GB", 1_000_000_000, true},
		{"100 mb", 100_000_000, true},
		{"67108864", 64 << 20, true},
		{"", 0, false},
		{"GiB", 0, false},
		{"-1GiB", 0, false},
		{"NaN", 0, false},
		{"1e30", 0, false},
		{"2Gi", 0, false},
	} {
		if got, ok := parseSize(test.text); got != test.want || ok != test.ok {
			t.Errorf("parseSize(%q) = %d, %v, want %d, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// Another run has the output folder.
func TestOutputInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "day")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"generate", "--out", dir, "--trades", "20"}, &stdout, &stderr); status != 0 {
		t.Fatalf("generate: status %d\n%s", status, stderr.String())
	}
	lock, err := lockFile(filepath.Join(dir, ".out.lock"))
	if err != nil || lock == nil {
		t.Fatalf("lockFile = %v, %v", lock, err)
	}
	args := []string{"run", filepath.Join(dir, "job.yaml"), "--quiet", "--lang", "en"}
	stderr.Reset()
	want := "duizhang: " + filepath.Join(dir, "out") + " is in use by another run\nduizhang: hint: run again when it has ended, or wait for it with --wait\n"
	if status := run(t.Context(), args, &stdout, &stderr); status != exitUsage || stderr.String() != want {
		t.Errorf("run, out in use: status %d, %q, want %d, %q", status, stderr.String(), exitUsage, want)
	}
	lock.release()
	stderr.Reset()
	if status := run(t.Context(), args, &stdout, &stderr); status != exitDone {
		t.Errorf("run, out free again: status %d, %q", status, stderr.String())
	}
}
