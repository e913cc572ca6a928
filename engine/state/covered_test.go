package state_test

import (
	"context"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
)

var (
	november = engine.Coverage{Provider: "2088731199938475", Product: "face_to_face", Period: "2026-11"}
	december = engine.Coverage{Provider: "2088731199938475", Product: "face_to_face", Period: "2026-12"}
)

// coverDay runs a date that has no rows and whose statements cover something; dirty: as
// an amendment.
func coverDay(t *testing.T, s *state.Store, date int32, dirty []bool, covered ...engine.Coverage) (unchanged bool, later []int32) {
	t.Helper()
	d, err := s.Begin(date, schema.NewWords(), 400)
	if err != nil {
		t.Fatal(err)
	}
	run := state.Run{}
	if dirty != nil {
		run.Inputs = []state.Input{{Kind: "rebate", Path: "late.csv"}}
		if err := d.Amend(dirty); err != nil {
			t.Fatal(err)
		}
	}
	d.KeepCovered(covered)
	if _, unchanged, err = d.Prepare(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	if later, err = d.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return unchanged, later
}

// TestCovered: a run is told the latest day before it that covered the same, an
// amendment says it for the whole revision, and what changes it makes that run stale and
// no other.
func TestCovered(t *testing.T) {
	x := &trial{t: t, fs: vfs.NewMem(), model: model{}}
	x.open()
	defer x.close()
	told := func(day int32, c engine.Coverage, want int32) {
		t.Helper()
		d, err := x.store.Begin(firstDay+day, schema.NewWords(), 400)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := d.Covered(c); ok != (want >= 0) || ok && got != firstDay+want {
			t.Errorf("Covered(%v) on day %d = day %d, %v; want %d", c.Period, day, got-firstDay, ok, want)
		}
		if err := d.Discard(); err != nil {
			t.Fatal(err)
		}
	}
	run := func(day int32, dirty []bool, wantUnchanged bool, wantLater []int32, covered ...engine.Coverage) {
		t.Helper()
		unchanged, later := coverDay(t, x.store, firstDay+day, dirty, covered...)
		for i := range later {
			later[i] -= firstDay
		}
		if unchanged != wantUnchanged || !slices.Equal(later, wantLater) {
			t.Errorf("day %d: unchanged %v, later %v; want %v, %v", day, unchanged, later, wantUnchanged, wantLater)
		}
	}
	run(0, nil, false, nil, november)
	run(1, nil, false, nil)
	run(3, nil, false, nil, november, december)
	run(4, nil, false, nil, november)
	run(5, nil, false, nil, december)
	told(0, november, -1)
	told(1, november, 0)
	told(3, november, 0)
	told(3, december, -1)
	told(4, november, 3)
	told(6, november, 4)
	told(6, december, 5)
	run(3, nil, true, nil, november, december)

	dirty := make([]bool, 9)
	dirty[8] = true
	run(4, dirty, false, nil, november)
	told(6, november, 4)
	x.close()
	x.open()
	told(6, november, 4)

	run(2, nil, false, []int32{3}, november) // the 4th goes on from the 3rd
	told(3, november, 2)
	run(3, nil, false, nil, november, december) // with another answer, it is another run
	run(3, nil, true, nil, november, december)
	run(3, nil, false, []int32{4}, december) // the 5th is as before
	told(4, november, 2)
	run(4, nil, false, nil, november)
	run(2, nil, false, []int32{4}) // neither of the 3rd nor of the 5th
	told(4, november, 0)
	problems, err := x.store.Check(context.Background())
	if err != nil || len(problems) > 0 {
		t.Errorf("Check: %v, %v", problems, err)
	}
}
