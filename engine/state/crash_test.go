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
	tokens    [4]string    // by revision
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

// crashDays are what the runs leave: the third amends the second.
func crashDays() [4]*modelDay {
	first, second, third := someDay(21, firstDay, 120), someDay(22, firstDay, 120), someDay(23, firstDay, 20)
	second.parts, third.parts = 8, 8
	for i := range second.tradeParts {
		second.tradeParts[i] %= 8
	}
	for i := range second.refundParts {
		second.refundParts[i] %= 8
	}
	third.amends = make([]bool, 8)
	third.amends[5] = true
	for i := range third.tradeParts {
		third.tradeParts[i] = 5
	}
	for i := range third.refundParts {
		third.refundParts[i] = 5
	}
	return [4]*modelDay{nil, first, second, third}
}

// whole is what the days are once all has been run.
func whole(days [4]*modelDay, revision int64) *modelDay {
	if revision < 3 {
		return days[revision]
	}
	all := *days[3]
	all.words = schema.NewWords()
	all.settled, all.returned, all.wanted = schema.Settled{}, schema.Returned{}, schema.Wanted{}
	for _, rows := range []struct{ to, from schema.Rows }{{&all.settled, &days[3].settled}, {&all.returned, &days[3].returned}} {
		appendTable(rows.to, rows.from, rowsOf(rows.from.Len()))
		translate(rows.to, days[3].words, all.words)
	}
	all.tradeParts, all.refundParts = slices.Clone(all.tradeParts), slices.Clone(all.refundParts)
	for i := range all.breaks {
		all.breaks[i].FirstSeen = days[3].breaks[i].FirstSeen
	}
	all.previous = days[2]
	all.takeOver()
	all.amends = nil
	return &all
}

func rowsOf(n int) []int32 {
	var all []int32
	for i := range n {
		all = append(all, int32(i))
	}
	return all
}

func (l *life) live(days [4]*modelDay) error {
	s, err := state.Open(context.Background(), "state", state.Options{FS: errorfs.Wrap(l.disk, l)})
	if err != nil {
		return err
	}
	for revision := 1; revision <= 3; revision++ {
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
	if left.amends != nil {
		if err := d.Amend(left.amends); err != nil {
			return errors.Join(err, d.Discard())
		}
	}
	if err := errors.Join(left.keep(d, words), d.Carry(left.carriedIn(words))); err != nil {
		return err
	}
	d.KeepBreaks(slices.Clone(left.breaks), nil)
	token, _, err := d.Prepare(context.Background(), state.Run{Settings: fmt.Sprint(revision), Partitions: left.parts})
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
func (l *life) look(t *testing.T, disk vfs.FS, days [4]*modelDay, low, high int64) {
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
	for k := 1; k <= 3; k++ {
		if token := l.tokens[k]; token != "" && x.store.Committed(token) != (int64(k) == revision) {
			t.Errorf("Committed(%s) = %v with revision %d", token, x.store.Committed(token), revision)
		}
	}
	problems, err := x.store.Check(context.Background())
	if err != nil || len(problems) > 0 {
		t.Errorf("Check: %v, %v", problems, err)
	}
	if revision > 0 {
		x.model[firstDay] = whole(days, revision)
		x.compareRows(firstDay)
	}
	// It goes on from there.
	leaveDay(t, x.store, firstDay, days[2], state.Run{Settings: "again"}, 400)
	x.model[firstDay] = days[2]
	x.compareRows(firstDay)
	x.close()
}

// steps counts those of an undisturbed life.
func undisturbed(t *testing.T, days [4]*modelDay) int64 {
	l := &life{disk: vfs.NewCrashableMem()}
	if err := l.live(days); err != nil {
		t.Fatal(err)
	}
	l.look(t, l.disk, days, 3, 3)
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
			var tokens [4]string
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
			if err == nil && low != 3 {
				t.Errorf("no error, and revision %d", low)
			}
			l.look(t, l.disk.CrashClone(vfs.CrashCloneCfg{}), days, low, high)
			if t.Failed() {
				t.Fatalf("step %d fails (forever: %v): %v", at, forever, err)
			}
		}
	}
}
