package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// returned goes through the refunds of a generation in their order; f borrows the
// page. Words are codes of the generation.
func (r *rows) returned(f func(*refundRows) error) error {
	var p refundRows
	return r.each(refundPages, func(_, value []byte) error {
		refunds.reset(&p)
		if err := r.unpack(value, refundTable, refunds.columns(&p)); err != nil {
			return err
		}
		for i := range p.Len() {
			refunds.unpack(&p, i)
			p.Day = append(p.Day, r.gen.Date)
		}
		return f(&p)
	})
}

// settled goes through the trades.
func (r *rows) settled(f func(*tradeRows) error) error {
	var s tradeRows
	return r.each(tradePages, func(_, value []byte) error {
		trades.reset(&s)
		if err := r.unpack(value, tradeTable, trades.columns(&s)); err != nil {
			return err
		}
		for i := range s.Len() {
			trades.unpack(&s, i)
			s.Query = append(s.Query, 0)
			s.Day = append(s.Day, r.gen.Date)
			s.TradeNo.Append(tradeNoOf(s.Ref.At(i)))
		}
		return f(&s)
	})
}

// record is the record of a run.
func (s *Store) record(date int32, revision int) (Run, error) {
	value, err := s.get(recordKey(date, revision))
	if errors.Is(err, pebble.ErrNotFound) {
		return Run{}, fmt.Errorf("state: there is no run %s#%d", DateText(date), revision)
	}
	if err != nil {
		return Run{}, s.wrap(err)
	}
	var run Run
	if err := json.Unmarshal(value, &run); err != nil {
		return Run{}, &DamageError{fmt.Sprintf("%s#%d", DateText(date), revision), err.Error()}
	}
	s.place(&run)
	return run, nil
}

// place says what the revision is to the state.
func (s *Store) place(run *Run) {
	p := s.day(run.Date)
	run.Current = p != nil && p.Revision == run.Revision
	run.Kept = run.Current || p != nil && p.Previous == run.Revision
	run.Stale = run.Current && p.Stale
}

// Current is the record of the run that a date has; nil for none.
func (s *Store) Current(date int32) (*Run, error) {
	p := s.day(date)
	if p == nil {
		return nil, nil
	}
	run, err := s.record(date, p.Revision)
	if err != nil {
		return nil, err
	}
	return &run, nil
}

// Runs are the records of all runs, by date and revision.
func (s *Store) Runs() ([]Run, error) {
	if s.db == nil {
		return nil, nil
	}
	var runs []Run
	err := s.guard(func() error {
		return s.each([]byte{runKey}, func(key, value []byte) error {
			var run Run
			if err := json.Unmarshal(value, &run); err != nil {
				return &DamageError{fmt.Sprintf("run record %x", key), err.Error()}
			}
			s.place(&run)
			runs = append(runs, run)
			return nil
		})
	})
	return runs, err
}

// Detail is what the caller recorded with a run; nil if it recorded nothing.
func (s *Store) Detail(date int32, revision int) ([]byte, error) {
	if s.db == nil {
		return nil, nil
	}
	value, err := s.get(revisionKey(detailKey, date, revision))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	return value, s.wrap(err)
}

// A Revision is the rows that a run left, as they can still be read.
type Revision struct {
	Run   Run
	Words *schema.Words // of what is read
	rows  *chain
}

// Revision opens the rows of a run; revision 0 is the current one.
func (s *Store) Revision(date int32, revision int) (*Revision, error) {
	return s.revision(date, revision, schema.NewWords())
}

func (s *Store) revision(date int32, revision int, words *schema.Words) (*Revision, error) {
	p := s.day(date)
	if p == nil {
		return nil, fmt.Errorf("state: there is no run of %s", DateText(date))
	}
	layers := p.layers()
	switch revision {
	case 0, p.Revision:
		revision = p.Revision
	case p.Previous:
		layers = p.previous()
	default:
		return nil, fmt.Errorf("state: the rows of %s#%d are not kept: the state keeps those of the last two revisions", DateText(date), revision)
	}
	run, err := s.record(date, revision)
	if err != nil {
		return nil, err
	}
	return &Revision{run, words, s.chain(date, layers, words)}, nil
}

func (r *Revision) store() *Store { return r.rows.newest().s }

// Trades goes through the trades in the order of their refs, a page at a time; f
// borrows the page.
func (r *Revision) Trades(ctx context.Context, f func(*schema.Settled) error) error {
	return r.store().guard(func() error {
		return r.rows.settled(ctx, func(rows *tradeRows) error { return f(&rows.Settled) })
	})
}

// Refunds goes through the refunds: Ref names the trade, in the same order.
func (r *Revision) Refunds(ctx context.Context, f func(*schema.Returned) error) error {
	return r.store().guard(func() error {
		return r.rows.returned(ctx, func(rows *refundRows) error { return f(&rows.Returned) })
	})
}

// Carried are the rows that the run left open; nil for none.
func (r *Revision) Carried() (*engine.Carried, error) { return r.rows.newest().carried() }

// Breaks are the breaks that the run reported, by id.
func (r *Revision) Breaks() ([]Break, error) {
	return r.store().breaksOf(r.rows.newest().gen, breakPages)
}

// Closed are the breaks of earlier days that the run closed, by id.
func (r *Revision) Closed() ([]Break, error) {
	return r.store().breaksOf(r.rows.newest().gen, closedPages)
}

func (r *rows) recodeAll(fields []schema.Field) error {
	for _, f := range fields {
		if codes, ok := f.Data.(*[]uint32); ok {
			if err := r.recode(*codes); err != nil {
				return err
			}
		}
	}
	return nil
}
