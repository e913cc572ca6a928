package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/schema"
	"duizhang/engine/state"
)

// amendedDay is what an amendment leaves of one part of its own.
func amendedDay(seed uint64, date int32) *modelDay {
	d := someDay(seed, date, 20)
	d.amends, d.parts = make([]bool, 9), 9
	d.amends[8] = true
	for i := range d.tradeParts {
		d.tradeParts[i] = 8
	}
	for i := range d.refundParts {
		d.refundParts[i] = 8
	}
	return d
}

// amendDay amends a date's revision with amendedDay.
func amendDay(t *testing.T, s *state.Store, date int32, partitions int, seed uint64) error {
	t.Helper()
	words := schema.NewWords()
	d, err := s.Begin(date, words, 400)
	if err != nil {
		t.Fatal(err)
	}
	left := amendedDay(seed, date)
	if err := d.Amend(left.amends); err != nil {
		return errors.Join(err, d.Discard())
	}
	if err := left.keep(d, words); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Prepare(context.Background(), state.Run{Partitions: partitions}); err != nil {
		return errors.Join(err, d.Discard())
	}
	_, err = d.Commit(context.Background())
	return err
}

// TestAmendRefused: what cannot be amended is a full run's.
func TestAmendRefused(t *testing.T) {
	x := &trial{t: t, fs: vfs.NewMem(), model: model{}}
	x.open()
	defer x.close()
	full := func(what, why string) {
		t.Helper()
		err := amendDay(t, x.store, firstDay+1, 0, 1)
		if !errors.Is(err, state.ErrFull) || !strings.Contains(err.Error(), why) {
			t.Errorf("Amend of a day %s = %v, want ErrFull that says %q", what, err, why)
		}
	}
	full("without a run", "no run")
	leaveDay(t, x.store, firstDay+1, someDay(1, firstDay+1, 600), state.Run{}, 400)
	if err := amendDay(t, x.store, firstDay+1, 7, 1); err == nil || !strings.Contains(err.Error(), "0 partitions") {
		t.Errorf("amended with other partitions: %v", err)
	}
	leaveDay(t, x.store, firstDay, someDay(2, firstDay, 600), state.Run{}, 400)
	full("that takes other rows", "earlier day")
	leaveDay(t, x.store, firstDay+1, someDay(3, firstDay+1, 600), state.Run{}, 400)
	for k := range 4 {
		if err := amendDay(t, x.store, firstDay+1, 0, uint64(k)); err != nil {
			t.Fatalf("amendment %d: %v", k, err)
		}
	}
	full("that was amended often", "4 times")
	leaveDay(t, x.store, firstDay+1, someDay(4, firstDay+1, 30), state.Run{}, 400)
	if err := amendDay(t, x.store, firstDay+1, 0, 1); err != nil {
		t.Fatal(err)
	}
	full("of which most is written again", "written again")
	problems, err := x.store.Check(context.Background())
	if err != nil || len(problems) > 0 {
		t.Errorf("Check: %v, %v", problems, err)
	}
}

// TestAmendDiff: a chain is compared with the revision before it, and scanned, as runs in
// full are.
func TestAmendDiff(t *testing.T) {
	differences := func(run func(s *state.Store, k int, day, whole *modelDay)) string {
		x := &trial{t: t, fs: vfs.NewMem(), model: model{}}
		x.open()
		defer x.close()
		before := someDay(1, firstDay, 900)
		run(x.store, 0, before, before)
		for k := 1; k <= 3; k++ {
			day := amendedDay(uint64(k), firstDay)
			day.previous = before
			whole := whole([4]*modelDay{nil, nil, before, day}, 3)
			run(x.store, k, day, whole)
			before = whole
		}
		var b strings.Builder
		words := schema.NewWords()
		both := func(before, after schema.Rows) {
			for _, rows := range []schema.Rows{before, after} {
				for i := range rows.Len() {
					fmt.Fprintf(&b, "%s\n", describe(rows, i, words, "", ""))
				}
			}
			fmt.Fprintln(&b, "--")
		}
		if err := x.store.Diff(context.Background(), firstDay, 3, 4, words,
			func(before, after *schema.Settled) error { both(before, after); return nil },
			func(before, after *schema.Returned) error { both(before, after); return nil }); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, "scan")
		d, err := x.store.Begin(firstDay+1, words, 400)
		if err != nil {
			t.Fatal(err)
		}
		trades := 0
		if err := d.Scan(context.Background(), []int32{-1, 0, 1, 2}, func(s *schema.Settled, r *schema.Returned) error {
			trades += s.Len()
			for i := range s.Len() {
				fmt.Fprintf(&b, "%s\n", describe(s, i, words, "", ""))
			}
			for i := range r.Len() {
				fmt.Fprintf(&b, "\t%s\n", describe(r, i, words, "", ""))
			}
			return nil
		}); err != nil || trades == 0 {
			t.Errorf("Scan: %d trades, %v", trades, err)
		}
		if err := d.Discard(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := differences(func(s *state.Store, k int, day, whole *modelDay) {
		if k == 0 {
			leaveDay(t, s, firstDay, whole, state.Run{}, 400)
		} else if err := amendDay(t, s, firstDay, 0, uint64(k)); err != nil {
			t.Fatal(err)
		}
	})
	want := differences(func(s *state.Store, _ int, _, whole *modelDay) { leaveDay(t, s, firstDay, whole, state.Run{}, 400) })
	if got != want {
		t.Errorf("Diff of an amendment =\n%s\nand of full runs\n%s", got, want)
	}
	if len(want) == 0 {
		t.Error("the runs are the same")
	}
}

// TestFormat1: a database that the version before wrote is read, checked, asked and
// gone on from.
func TestFormat1(t *testing.T) {
	x := &trial{t: t, fs: vfs.NewMem(), model: model{}}
	if err := x.fs.MkdirAll("state/history/db", 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("testdata/format1")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range files {
		data, err := os.ReadFile("testdata/format1/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		f, err := x.fs.Create("state/history/db/"+entry.Name(), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	x.open()
	defer x.close()
	check := func() {
		t.Helper()
		problems, err := x.store.Check(context.Background())
		if err != nil || len(problems) > 0 {
			t.Errorf("Check: %v, %v", problems, err)
		}
	}
	check()
	runs, err := x.store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range runs {
		said = append(said, fmt.Sprintf("%s stale %v current %v asked %d", r.Token, r.Stale, r.Current, r.LookedUp))
	}
	if want := []string{
		"2024-10-04#1 stale false current true asked 60",
		"2024-10-05#1 stale false current false asked 60",
		"2024-10-05#2 stale false current true asked 60",
		"2024-10-06#1 stale true current true asked 60",
	}; !slices.Equal(said, want) {
		t.Errorf("runs %q, want %q", said, want)
	}
	for date := int32(firstDay); date <= firstDay+2; date++ {
		if err := amendDay(t, x.store, date, 0, 1); !errors.Is(err, state.ErrFull) {
			t.Errorf("Amend of a day of format 1 = %v, want ErrFull", err)
		}
	}
	_, _, later := leaveDay(t, x.store, firstDay+2, someDay(35, firstDay+2, 100), state.Run{}, 400)
	if len(later) > 0 {
		t.Errorf("later days %v", later)
	}
	check()
	_, _, later = leaveDay(t, x.store, firstDay, someDay(36, firstDay, 100), state.Run{}, 400)
	// Day 1 asked for trades of the day, and day 2 has trades of hours of which it had none.
	if !slices.Equal(later, []int32{firstDay + 1, firstDay + 2}) {
		t.Errorf("later days %v, want both", later)
	}
	check()
	if err := amendDay(t, x.store, firstDay, 0, 1); err != nil {
		t.Errorf("Amend of a day that was run again: %v", err)
	}
}
