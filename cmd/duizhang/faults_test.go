//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duizhang/benchmarks/gen"
	"duizhang/engine/state"
)

// A faultCase is a way to run a day that has steps of its own on the disk.
type faultCase struct {
	name  string
	ran   int    // how many days were run before
	days  [2]int // the first and the last that are run when things go wrong
	job   [2]string
	flags []string
}

var (
	plainFormats = [2]string{}
	allFormats   = [2]string{"formats: [csv, json]", "formats: [xlsx, html, csv, parquet, json]"}
	sorted       = [2]string{"formats: [csv, json]", "formats: [csv, parquet, json], sort: true"}
)

var faultCases = []faultCase{
	{"again", 4, [2]int{1, 1}, plainFormats, nil},
	{"all formats", 4, [2]int{1, 1}, allFormats, nil},
	{"sorted", 4, [2]int{1, 1}, sorted, []string{"--memory", "64MiB", "--workers", "3"}},
	{"first", 0, [2]int{0, 0}, plainFormats, nil},
	{"next", 2, [2]int{2, 2}, plainFormats, nil},
	{"two days", 3, [2]int{1, 2}, plainFormats, nil},
}

// Every step by which a run changes the disk fails, or the process dies there. In
// most cases the day has a run already, a corrected file has come since, and later
// days are there. Readers see the run before or the run after. Then the command is
// given once more, and its outputs, those of the day that follows and the state are
// those of a run that nothing happened to.
//
// A few steps are taken each time. All of them, and all ways to fail, are some
// thousands, and take hours; DUIZHANG_ALL_FAULTS says which ways:
//
//	DUIZHANG_ALL_FAULTS=dies go test -run TestFaults -timeout 4h ./cmd/duizhang
//	DUIZHANG_ALL_FAULTS=dies,breaks,full,gone go test -run TestFaults -timeout 12h ./cmd/duizhang
func TestFaults(t *testing.T) {
	hows, n := []string{faultDies, faultBreaks, faultFull, faultGone}, 4
	all := os.Getenv("DUIZHANG_ALL_FAULTS")
	if all != "" {
		hows = strings.Split(all, ",")
	}
	cases := faultCases
	if testing.Short() && all == "" {
		cases, n = cases[:1], 3
	}
	for k, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newFaultScene(t, c)
			if all != "" {
				t.Logf("%d steps", len(s.places))
				for _, how := range hows {
					for _, place := range s.places {
						s.fail(t, place, how)
					}
				}
				return
			}
			r := rand.New(rand.NewPCG(uint64(len(s.places)), uint64(k)))
			for i := range n {
				s.fail(t, s.places[r.IntN(len(s.places))], hows[i%len(hows)])
			}
		})
	}
}

// A faultScene is a folder before the run that goes wrong, and what it comes to
// if nothing does.
type faultScene struct {
	c        faultCase
	template string
	dates    []string
	places   []string
	before   map[int]map[string]string // what readers see of the days before the run
	want     map[int]map[string]string // and after it, and of the day that follows
	state    map[string]string
}

func newFaultScene(t *testing.T, c faultCase) *faultScene {
	days, err := gen.NewDays(gen.DaysConfig{Seed: 5, From: "2026-11-03", Days: 4, Trades: 60, Crossing: 250, Refunded: 250})
	if err != nil {
		t.Fatal(err)
	}
	s := &faultScene{
		c: c, template: filepath.Join(t.TempDir(), "template"),
		before: map[int]map[string]string{}, want: map[int]map[string]string{},
	}
	if err := days.Begin(s.template); err != nil {
		t.Fatal(err)
	}
	job := filepath.Join(s.template, "job.yaml")
	text, err := os.ReadFile(job)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(job, []byte(strings.Replace(string(text), c.job[0], c.job[1], 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for day := range days.Len() {
		s.dates = append(s.dates, days.Date(day))
		for _, f := range days.Files(day) {
			f.Draft = day == 1 && f.Kind == gen.OrdersOfDay && f.Merchant == 0
			if err := days.WriteFile(s.template, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for day := range c.ran {
		s.run(t, s.template, day, day)
	}
	if err := days.WriteFile(s.template, gen.DayFile{Day: 1, Kind: gen.OrdersOfDay}); err != nil {
		t.Fatal(err)
	}
	for day := c.days[0]; day <= c.days[1]; day++ {
		s.before[day] = s.seen(t, s.template, day)
	}

	dir := s.copy(t)
	trace := filepath.Join(t.TempDir(), "trace")
	if text, status, _ := runFailing(t, fault{Base: dir, Trace: trace}, s.args(dir, c.days[0], c.days[1])...); status != exitDone {
		t.Fatalf("undisturbed: status %d\n%s", status, text)
	}
	lines, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	s.places = strings.Split(strings.TrimSpace(string(lines)), "\n")
	s.run(t, dir, c.days[1]+1, c.days[1]+1)
	for day := c.days[0]; day <= c.days[1]+1; day++ {
		s.want[day] = s.seen(t, dir, day)
		if maps.Equal(s.want[day], s.before[day]) {
			t.Fatalf("the run changes nothing of %s", s.dates[day])
		}
	}
	s.state = exported(t, dir)
	return s
}

func (s *faultScene) args(dir string, from, to int) []string {
	args := []string{"run", filepath.Join(dir, "job.yaml"), "--quiet", "--lang", "en"}
	if from == to {
		args = append(args, "--date", s.dates[from])
	} else {
		args = append(args, "--from", s.dates[from], "--to", s.dates[to])
	}
	return append(args, s.c.flags...)
}

func (s *faultScene) run(t *testing.T, dir string, from, to int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), s.args(dir, from, to), &stdout, &stderr); status != exitDone {
		t.Fatalf("%s: status %d\n%s", s.dates[from], status, stderr.String())
	}
}

func (s *faultScene) copy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(s.template), "case-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(s.template)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// seen is what readers see of a day.
func (s *faultScene) seen(t *testing.T, dir string, day int) map[string]string {
	t.Helper()
	out := filepath.Join(dir, "out", strings.ReplaceAll(s.dates[day], "-", ""))
	if _, err := os.Lstat(out); err != nil {
		return nil
	}
	return outputs(t, out)
}

func (s *faultScene) fail(t *testing.T, place, how string) {
	t.Helper()
	dir := s.copy(t)
	defer os.RemoveAll(dir)
	met := filepath.Join(dir, "met")
	first, last := s.c.days[0], s.c.days[1]
	text, status, died := runFailing(t, fault{Base: dir, At: place, How: how, Met: met}, s.args(dir, first, last)...)
	complain := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s: %s\nstatus %d, died: %v; the command said: %s", place, how, fmt.Sprintf(format, args...), status, died, text)
	}
	_, err := os.Stat(met)
	happened := err == nil
	_ = os.Remove(met)
	switch {
	case !happened && (died || status != exitDone):
		complain("nothing happened to it")
	case !happened:
		t.Logf("%s: not met this time", place)
	case how == faultDies && !died, how != faultDies && (died || status != exitDone && status != exitUsage):
		complain("this is no way to end")
	}
	for day := first; day <= last; day++ {
		between := s.seen(t, dir, day)
		whole := maps.Equal(between, s.want[day])
		if !whole && !maps.Equal(between, s.before[day]) {
			complain("readers see neither the run before nor the run after of %s", s.dates[day])
		}
		if status == exitDone && !died && !whole {
			complain("it is done, and readers see the run before of %s", s.dates[day])
		}
	}
	var stdout, stderr bytes.Buffer
	for _, days := range [][2]int{{first, last}, {last + 1, last + 1}} {
		if status := run(t.Context(), s.args(dir, days[0], days[1]), &stdout, &stderr); status != exitDone {
			complain("%s run again: status %d: %s", s.dates[days[0]], status, stderr.String())
			return
		}
	}
	for day := first; day <= last+1; day++ {
		got := s.seen(t, dir, day)
		for name, want := range s.want[day] {
			if got[name] != want {
				complain("run again, %s of %s differs: %s", name, s.dates[day], firstDifference(want, got[name]))
			}
		}
		if len(got) != len(s.want[day]) {
			complain("run again, %s has %d files, want %d", s.dates[day], len(got), len(s.want[day]))
		}
	}
	for name, got := range exported(t, dir) {
		if got != s.state[name] {
			complain("run again, the state differs: %s: %s", name, firstDifference(s.state[name], got))
		}
	}
	if left := leftBehind(t, dir); len(left) > 0 {
		complain("left behind: %v", left)
	}
}

// exported is what is in the state: all rows of its days, and what it says of their
// runs. It is checked as well.
func exported(t *testing.T, dir string) map[string]string {
	t.Helper()
	store, err := state.Open(t.Context(), filepath.Join(dir, "state"), state.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := store.Check(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("the state: %v, %v", problems, err)
	}
	out := filepath.Join(t.TempDir(), "export")
	if err := errors.Join(store.Export(t.Context(), out), store.Close()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "runs.parquet" { // which has times
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(out, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var runs strings.Builder
	for _, r := range runsOf(t, filepath.Join(dir, "job.yaml")) {
		r.Started, r.Seconds = "", ""
		fmt.Fprintf(&runs, "%+v\n", r)
	}
	files["runs"] = runs.String()
	return files
}

// runsOf are the runs that the days of a job have.
func runsOf(t *testing.T, job string) []listedRun {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"runs", job, "--json"}, &stdout, &stderr); status != exitDone {
		t.Fatalf("runs: status %d\n%s", status, stderr.String())
	}
	var list []listedRun
	if err := json.Unmarshal(stdout.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// leftBehind are temporary files and folders that should have gone.
func leftBehind(t *testing.T, dir string) []string {
	t.Helper()
	var left []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		name := e.Name()
		if strings.HasPrefix(name, ".") && path != dir && name != ".lock" || strings.HasSuffix(name, ".new") {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(left)
	return left
}
