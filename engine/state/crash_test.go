package state_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"duizhang/engine/schema"
	"duizhang/engine/state"
)

// A life is a process that opens the state, runs a day twice, and closes it, on a disk
// where something happens at one step.
type life struct {
	disk      *vfs.MemFS
	steps     atomic.Int64 // that changed the disk
	at        int64        // the step where it happens; 0: nothing does
	forever   bool         // and at all that come after it
	happens   func() error
	tried     atomic.Int64 // revision that Commit was called for
	committed atomic.Int64 // revision that it was done for
	tokens    [3]string    // by revision
}

// MaybeError is asked before each step.
func (l *life) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	switch n := l.steps.Add(1); {
	case n == l.at, l.forever && l.at > 0 && n > l.at:
		return l.happens()
	}
	return nil
}

// String names the injector.
func (l *life) String() string { return "life" }

// crashDays are what the two runs leave.
func crashDays() [3]*modelDay {
	return [3]*modelDay{nil, someDay(21, firstDay, 120), someDay(22, firstDay, 120)}
}

func (l *life) live(days [3]*modelDay) error {
	s, err := state.Open(context.Background(), "state", state.Options{FS: errorfs.Wrap(l.disk, l)})
	if err != nil {
		return err
	}
	for revision := 1; revision <= 2; revision++ {
		if err = l.leave(s, days[revision], revision); err != nil {
			break
		}
	}
	return errors.Join(err, s.Close())
}

func (l *life) leave(s *state.Store, left *modelDay, revision int) error {
	words := schema.NewWords()
	d, err := s.Begin(firstDay, words, 400)
	if err != nil {
		return err
	}
	var settled schema.Settled
	var returned schema.Returned
	schema.AppendAll(&settled, &left.settled)
	schema.AppendAll(&returned, &left.returned)
	translate(&settled, left.words, words)
	translate(&returned, left.words, words)
	if err := errors.Join(d.Keep(&settled, &returned), d.Carry(left.carriedIn(words))); err != nil {
		return err
	}
	d.KeepBreaks(slices.Clone(left.breaks), nil)
	token, _, err := d.Prepare(context.Background(), state.Run{Settings: fmt.Sprint(revision)})
	if err != nil {
		return errors.Join(err, d.Discard())
	}
	l.tokens[revision] = token
	l.tried.Store(int64(revision))
	_, err = d.Commit(context.Background())
	if stale := (*state.StaleError)(nil); err != nil && !errors.As(err, &stale) {
		return err
	}
	l.committed.Store(int64(revision))
	return err
}

// look opens the disk as it is after the process, and says what is not as it was
// before the run that it died in or as after it.
func (l *life) look(t *testing.T, disk vfs.FS, days [3]*modelDay, low, high int64) {
	t.Helper()
	x := &trial{t: t, fs: disk, model: model{}}
	x.open()
	runs, err := x.store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	revision := int64(0)
	for _, r := range runs {
		if r.Current {
			revision = int64(r.Revision)
		}
	}
	if revision < low || revision > high {
		t.Errorf("the disk has revision %d, want %d to %d", revision, low, high)
		return
	}
	for k := 1; k <= 2; k++ {
		if token := l.tokens[k]; token != "" && x.store.Committed(token) != (int64(k) == revision) {
			t.Errorf("Committed(%s) = %v with revision %d", token, x.store.Committed(token), revision)
		}
	}
	problems, err := x.store.Check(context.Background())
	if err != nil || len(problems) > 0 {
		t.Errorf("Check: %v, %v", problems, err)
	}
	if revision > 0 {
		x.model[firstDay] = days[revision]
		x.compareRows(firstDay)
	}
	// It goes on from there.
	leaveDay(t, x.store, firstDay, days[2], state.Run{Settings: "again"}, 400)
	x.model[firstDay] = days[2]
	x.compareRows(firstDay)
	x.close()
}

// steps counts those of an undisturbed life.
func undisturbed(t *testing.T, days [3]*modelDay) int64 {
	l := &life{disk: vfs.NewCrashableMem()}
	if err := l.live(days); err != nil {
		t.Fatal(err)
	}
	l.look(t, l.disk, days, 2, 2)
	return l.steps.Load()
}

// everyStep is 1, or more in a short test.
func everyStep() int64 {
	if testing.Short() {
		return 7
	}
	return 1
}

// TestDies: the process dies before each step, and the disk keeps none, some or all
// of what was not made durable.
func TestDies(t *testing.T) {
	days := crashDays()
	n := undisturbed(t, days)
	if n < 50 {
		t.Fatalf("%d steps only: the disk is not watched", n)
	}
	t.Logf("%d steps", n)
	for at := int64(1); at <= n; at += everyStep() {
		for _, kept := range []int{0, 50, 100} {
			l := &life{disk: vfs.NewCrashableMem(), at: at}
			var died *vfs.MemFS
			var low, high int64
			var tokens [3]string
			l.happens = func() error {
				// Before the clone, and after it: a commit may end in between.
				low = l.committed.Load()
				died = l.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rand.New(rand.NewPCG(uint64(at), uint64(kept)))})
				high = l.tried.Load()
				tokens = l.tokens
				return nil
			}
			if err := l.live(days); err != nil {
				t.Fatal(err)
			}
			if died == nil {
				continue // the background took fewer steps this time
			}
			l.tokens = tokens
			l.look(t, died, days, low, high)
			if t.Failed() {
				t.Fatalf("step %d, %d %% of what was not durable kept", at, kept)
			}
		}
	}
}

var errFull = errors.New("no space left on device")

// TestFails: each step fails once, and those after it, or not.
func TestFails(t *testing.T) {
	days := crashDays()
	n := undisturbed(t, days)
	for at := int64(1); at <= n; at += everyStep() {
		for _, forever := range []bool{false, true} {
			l := &life{disk: vfs.NewCrashableMem(), at: at, forever: forever}
			l.happens = func() error { return errFull }
			err := l.live(days)
			low, high := l.committed.Load(), l.tried.Load()
			if err == nil && low != 2 {
				t.Errorf("no error, and revision %d", low)
			}
			l.look(t, l.disk.CrashClone(vfs.CrashCloneCfg{}), days, low, high)
			if t.Failed() {
				t.Fatalf("step %d fails (forever: %v): %v", at, forever, err)
			}
		}
	}
}
