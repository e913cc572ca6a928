//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"duizhang/benchmarks/gen"
	"duizhang/engine"
)

// lateOrders is how many random orders of late files TestLateFiles goes through. The
// long version is
//
//	DUIZHANG_LATE_ORDERS=1000 go test -run TestLateFiles -timeout 2h ./cmd/duizhang
func lateOrders(t *testing.T) int {
	if text := os.Getenv("DUIZHANG_LATE_ORDERS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("DUIZHANG_LATE_ORDERS: %v", err)
		}
		return n
	}
	if testing.Short() {
		return 1
	}
	return 6
}

// However the files of a day come, one after the other, each run finds what a run in
// full over the files that are there finds, byte by byte, and leaves the same to later
// days.
func TestLateFiles(t *testing.T) {
	late, all := 0, 0
	for seed := range uint64(lateOrders(t)) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			l, n := lateFiles(t, seed)
			late, all = late+l, all+n
		})
		if t.Failed() {
			t.Fatalf("seed %d failed", seed)
		}
	}
	t.Logf("%d of %d runs with more files took parts from the run before", late, all)
	if late*3 < all {
		t.Errorf("of %d runs with more files only %d took parts from the run before", all, late)
	}
}

// A house is a firm's files, state and outputs.
type house struct {
	*simulation
	full bool // every run of it is one in full
	made int  // late runs
}

func (h *house) night(day int) {
	h.t.Helper()
	full := runsInFull
	runsInFull = h.full
	args := slices.DeleteFunc(h.args(day, "--workers", "2"), func(arg string) bool { return arg == "--quiet" })
	_, stderr := h.command(exitDone, args...)
	runsInFull = full
	if strings.Contains(stderr, "late files") {
		h.made++
	}
}

// lateFiles gives how many runs were late ones, and how many had more files than the
// run before.
func lateFiles(t *testing.T, seed uint64) (late, all int) {
	r := rand.New(rand.NewPCG(seed, 0x1a7e))
	cfg := gen.DaysConfig{
		Seed: seed, From: fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(11), 1+r.IntN(28)), Days: 2 + r.IntN(2), Trades: 40 + r.IntN(160),
		Merchants: 3 + r.IntN(6), Crossing: 30 + r.IntN(200), Refunded: 60 + r.IntN(300),
		Formats: [][]string{{"csv", "json"}, {"parquet", "csv", "json"}, {"xlsx", "html", "csv", "parquet", "json"}}[r.IntN(3)],
	}
	layout := engine.Layout{Partitions: 16 << r.IntN(3), Spread: 1 << r.IntN(3)}
	defer func(was func(int64, []int64) engine.Layout) { layoutFor = was }(layoutFor)
	layoutFor = func(int64, []int64) engine.Layout { return layout }
	days, err := gen.NewDays(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var houses [2]*house
	for i := range houses {
		houses[i] = &house{simulation: &simulation{t: t, dir: t.TempDir(), r: r, days: days, files: map[int]map[string]gen.DayFile{}}, full: i == 1}
		if err := days.Begin(houses[i].dir); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, %+v, %+v:\n%s", seed, cfg, layout, strings.Join(houses[0].actions, "\n"))
		}
	}()
	for day := range days.Len() {
		files := days.Files(day)
		r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		files = slices.DeleteFunc(files, func(f gen.DayFile) bool {
			if f.Kind != gen.StatementOfDay {
				return false
			}
			for _, h := range houses { // the job asks for one
				h.deliver(f)
			}
			return true
		})
		step := 0
		for len(files) > 0 {
			n := 1 + r.IntN(3)
			if step == 0 {
				n += r.IntN(len(files))
			}
			n = min(n, len(files))
			for _, f := range files[:n] {
				for _, h := range houses {
					h.deliver(f)
				}
			}
			files = files[n:]
			if !houses[0].whole(day) {
				continue
			}
			for _, h := range houses {
				h.night(day)
			}
			if step > 0 {
				all++
			}
			step++
			houses[0].sameOutputs(fmt.Sprintf("day %d, run %d", day, step), outputs(t, houses[1].out(day)), outputs(t, houses[0].out(day)))
			if t.Failed() {
				return houses[0].made, all
			}
		}
		if day > 0 && r.IntN(2) == 0 { // a day that is based on it sees the same
			for _, h := range houses {
				h.night(day)
			}
			houses[0].sameOutputs(fmt.Sprintf("day %d, again", day), outputs(t, houses[1].out(day)), outputs(t, houses[0].out(day)))
		}
	}
	houses[0].sameStates(houses[1])
	return houses[0].made, all
}

// sameStates compares what two houses leave to later days.
func (h *house) sameStates(full *house) {
	h.t.Helper()
	for _, x := range [...]*house{h, full} {
		x.command(exitDone, "state", "check", "--job", filepath.Join(x.dir, "job.yaml"), "--lang", "en")
		x.command(exitDone, "state", "export", filepath.Join(x.dir, "exported"), "--job", filepath.Join(x.dir, "job.yaml"), "--lang", "en")
	}
	want, got := outputs(h.t, filepath.Join(full.dir, "exported")), outputs(h.t, filepath.Join(h.dir, "exported"))
	for name := range want {
		if !strings.Contains(name, "trades") && !strings.Contains(name, "refunds") && !strings.Contains(name, "carried") {
			delete(want, name)
			delete(got, name)
		}
	}
	if len(want) == 0 {
		h.t.Error("nothing was exported")
	}
	h.sameOutputs("state", want, got)
}
