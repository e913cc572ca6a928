package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Commit makes the run the one of its date: the decision. later are the dates after
// it whose runs would be answered otherwise now, or would take other rows: they are
// to be run again, the first of them first.
//
// After an error the state is as it was, or as after the commit: outputs that were
// made durable stay as they are until [Store.Committed] tells, when the state is
// opened again. An error that is a *StaleError is one of finding later days alone.
func (d *Day) Commit(ctx context.Context) (later []int32, err error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	w := d.written
	if w == nil {
		return nil, errors.New("state: committed before it was prepared")
	}
	d.done = true
	defer d.shelf.close() //nolint:errcheck // nothing is read from it any more
	before := d.s.day(d.date)
	if w.unchanged {
		if !before.Stale && !before.Doubt {
			return nil, nil
		}
		fresh := *before
		fresh.Stale, fresh.Doubt, fresh.Breaking, fresh.Differ = false, false, false, nil
		return nil, d.s.decide(nil, map[int32]*pointer{d.date: &fresh})
	}
	if err := d.s.guard(func() error { return d.s.db.Ingest(ctx, w.table.paths) }); err != nil {
		return nil, errors.Join(d.s.wrap(err), w.table.remove())
	}
	w.table.paths = nil
	// What later days make of it is found before the decision, so that they are
	// marked in the same step.
	d.s.see(d.date, &w.pointer)
	var changed map[int32]*pointer
	unknown := d.s.guard(func() (err error) {
		later, changed, err = d.later(before)
		return err
	})
	if changed == nil {
		changed = map[int32]*pointer{}
	}
	changed[d.date] = &w.pointer
	if err := d.s.decide(w, changed); err != nil {
		d.s.see(d.date, before)
		return nil, err
	}
	if unknown != nil {
		return later, &StaleError{unknown}
	}
	// The run is committed: what cannot be removed now goes later.
	d.s.prune(d.date, d.keep)
	_ = d.s.sweep()
	return later, nil
}

// A StaleError is one of finding the days that a commit, which is done, makes stale.
type StaleError struct{ err error }

// Error says that the run is committed.
func (e *StaleError) Error() string {
	return fmt.Sprintf("state: the run is committed, but which later days it changes is not known: %v", e.err)
}

// Unwrap is what went wrong.
func (e *StaleError) Unwrap() error { return e.err }

// see has the pointer count, or none.
func (s *Store) see(date int32, p *pointer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p == nil {
		delete(s.days, date)
		return
	}
	s.days[date] = p
}

// decide records the run and the pointers of dates in one step, which is durable
// when it returns. Without a run the pointers alone change.
func (s *Store) decide(w *written, dates map[int32]*pointer) error {
	err := s.guard(func() error {
		batch := s.db.NewBatch()
		defer batch.Close() //nolint:errcheck // Commit says what went wrong
		for date, p := range dates {
			value, err := json.Marshal(p)
			if err := errors.Join(err, batch.Set(dateKey(date), value, nil)); err != nil {
				return err
			}
		}
		if w != nil {
			if err := batch.Set(recordKey(w.gen.Date, w.pointer.Revision), w.record, nil); err != nil {
				return err
			}
			if err := batch.Set(revisionKey(detailKey, w.gen.Date, w.pointer.Revision), w.run.Detail, nil); err != nil {
				return err
			}
		}
		return batch.Commit(pebble.Sync)
	})
	if err != nil {
		return s.wrap(err)
	}
	for date, p := range dates {
		s.see(date, p)
	}
	return nil
}

// prune forgets days that no run will see again.
func (s *Store) prune(date, keep int32) {
	dates := s.dates()
	newest := dates[len(dates)-1]
	for _, old := range dates {
		if int64(old) >= int64(newest)-int64(keep) || old == date {
			continue
		}
		if err := s.forget(old); err != nil {
			return // the next run tries again
		}
	}
}

func (s *Store) forget(date int32) error {
	err := s.guard(func() error {
		batch := s.db.NewBatch()
		defer batch.Close() //nolint:errcheck // Commit says what went wrong
		start, detail := recordKey(date, 0), revisionKey(detailKey, date, 0)
		return errors.Join(
			batch.Delete(dateKey(date), nil),
			batch.DeleteRange(start, after(start[:len(start)-4]), nil),
			batch.DeleteRange(detail, after(detail[:len(detail)-4]), nil),
			batch.Commit(pebble.Sync),
		)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.days, date)
	return nil
}

// sweep removes generations that no date names: superseded ones, and what a process
// that died left behind. What cannot be removed now goes later.
func (s *Store) sweep() error {
	if err := s.sweepIncoming(); err != nil {
		return err
	}
	all, err := s.generations()
	if err != nil {
		return err
	}
	for _, g := range all {
		if p := s.day(g.Date); p != nil && p.names(g.Gen) {
			continue
		}
		if err := s.remove(g); err != nil {
			return err
		}
	}
	return nil
}

// names reports whether a generation is of the revision, or of the one before it.
func (p *pointer) names(gen uint32) bool {
	return slices.ContainsFunc(append(p.layers(), p.previous()...), func(l layer) bool { return l.Gen == gen })
}

// sweepIncoming removes tables that were never taken over.
func (s *Store) sweepIncoming() error {
	names, err := s.fs.List(s.incoming())
	if err != nil {
		return s.wrap(err)
	}
	for _, name := range names {
		if err := s.fs.Remove(s.fs.PathJoin(s.incoming(), name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return s.wrap(err)
		}
	}
	return nil
}

// generations are those that have rows, in order.
func (s *Store) generations() ([]generation, error) {
	it, err := s.iterator([]byte{bulkKey}, []byte{bulkKey + 1})
	if err != nil {
		return nil, err
	}
	var all []generation
	for ok := it.First(); ok; {
		key := it.Key()
		if len(key) < 1+generationLength {
			return nil, errors.Join(fmt.Errorf("state: %s: key %x is damaged", s.dir, key), it.Close())
		}
		g := generationOf(key[1:])
		all = append(all, g)
		_, end := g.bounds()
		ok = it.SeekGE(end)
	}
	return all, errors.Join(it.Error(), it.Close())
}

// remove removes a generation: the keys elsewhere that name it, then its rows, which
// are how those keys are known.
func (s *Store) remove(g generation) error {
	keys, err := s.globals(g)
	if err != nil {
		// Its rows are damaged: keys that name it count for nothing, and stay.
		keys = nil
	}
	start, end := g.bounds()
	return s.guard(func() error {
		batch := s.db.NewBatch()
		defer batch.Close() //nolint:errcheck // Commit says what went wrong
		for _, key := range keys {
			if err := batch.Delete(key, nil); err != nil {
				return err
			}
		}
		if err := batch.Commit(pebble.Sync); err != nil {
			return err
		}
		return s.db.Excise(context.Background(), pebble.KeyRange{Start: start, End: end})
	})
}

// globals are the keys elsewhere that name a generation.
func (s *Store) globals(g generation) ([][]byte, error) {
	r := s.rows(g, nil)
	var keys [][]byte
	if err := r.dictionary(); err != nil {
		return nil, err
	}
	row := 0
	err := r.returned(func(rows *refundRows) error {
		for i := range rows.Len() {
			at := rowBytes(row + i)
			refundKeys(&rows.Returned, i, r.texts[rows.Merchant[i]], func(space byte, ref []byte) {
				keys = append(keys, globalKey(space, hashed(ref), g, at...))
			})
		}
		row += rows.Len()
		return nil
	})
	if err != nil {
		return nil, err
	}
	reported, err := r.breaks(breakPages)
	if err != nil {
		return nil, err
	}
	for i := range reported {
		keys = append(keys, breakKeys(&reported[i], g, i)...)
	}
	closed, err := r.breaks(closedPages)
	if err != nil {
		return nil, err
	}
	for i := range closed {
		keys = append(keys, globalKey(breakKey, []byte(closed[i].ID), g, append([]byte{wasClosed}, rowBytes(i)...)...))
	}
	return keys, nil
}
