package state

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"duizhang/engine/schema"
)

// Diff compares the rows of two revisions of a date, in the order of their trades.
// trade and refund are called with each row that one of them has not, or has
// otherwise: before or after is empty, or each has one row. Both are borrowed; words
// are those that the rows are read in.
func (s *Store) Diff(ctx context.Context, date int32, from, to int, words *schema.Words,
	trade func(before, after *schema.Settled) error, refund func(before, after *schema.Returned) error,
) error {
	old, err := s.revision(date, from, words)
	if err != nil {
		return err
	}
	now, err := s.revision(date, to, words)
	if err != nil {
		return err
	}
	return s.guard(func() error {
		if err := diff(ctx, &trades, old.rows.settled, now.rows.settled, func(before, after *tradeRows) error {
			return trade(&before.Settled, &after.Settled)
		}); err != nil {
			return err
		}
		return diff(ctx, &refunds, old.rows.returned, now.rows.returned, func(before, after *refundRows) error {
			return refund(&before.Returned, &after.Returned)
		})
	})
}

// A side is one of two revisions, gone through row by row.
type side[T schema.Rows] struct {
	next func() (T, error, bool)
	rows T
	row  int
	some bool
}

// sideOf begins to go through pages; stop ends it.
func sideOf[T schema.Rows](ctx context.Context, each func(context.Context, func(T) error) error) (*side[T], func()) {
	next, stop := iter.Pull2(func(yield func(T, error) bool) {
		var none T
		err := each(ctx, func(rows T) error {
			if !yield(rows, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && err != errStopped { //nolint:errorlint // our own, as it is
			yield(none, err)
		}
	})
	return &side[T]{next: next}, stop
}

type stopped struct{}

func (stopped) Error() string { return "state: stopped" }

var errStopped error = stopped{}

// advance goes to the next row.
func (s *side[T]) advance() error {
	if s.some {
		if s.row++; s.row < s.rows.Len() {
			return nil
		}
	}
	rows, err, ok := s.next()
	s.rows, s.row, s.some = rows, 0, ok
	return err
}

func diff[T schema.Rows](ctx context.Context, k *kind[T], old, now func(context.Context, func(T) error) error, differ func(before, after T) error) error {
	a, stop := sideOf(ctx, old)
	defer stop()
	b, stop := sideOf(ctx, now)
	defer stop()
	before, after := k.fresh(), k.fresh()
	if err := a.advance(); err != nil {
		return err
	}
	if err := b.advance(); err != nil {
		return err
	}
	for a.some || b.some {
		order := 0
		switch {
		case !b.some:
			order = -1
		case !a.some:
			order = 1
		default:
			order = bytes.Compare(k.ref(a.rows).At(a.row), k.ref(b.rows).At(b.row))
		}
		schema.Reset(before)
		schema.Reset(after)
		if order <= 0 {
			take(k, before, a)
		}
		if order >= 0 {
			take(k, after, b)
		}
		if order != 0 || !equalRows(k.fields(before), k.fields(after)) {
			if err := differ(before, after); err != nil {
				return err
			}
		}
		if order <= 0 {
			if err := a.advance(); err != nil {
				return err
			}
		}
		if order >= 0 {
			if err := b.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

// take copies the row that a side is at, all columns of it.
func take[T schema.Rows](_ *kind[T], to T, s *side[T]) {
	appendPicked(schema.Fields(to), schema.Fields(s.rows), []int32{int32(s.row)})
}

// equalRows compares tables of one row each.
func equalRows(a, b []schema.Field) bool {
	for k, f := range a {
		equal := true
		switch data := f.Data.(type) {
		case *[]int64:
			equal = slices.Equal(*data, *b[k].Data.(*[]int64))
		case *[]int32:
			equal = slices.Equal(*data, *b[k].Data.(*[]int32))
		case *[]uint32:
			equal = slices.Equal(*data, *b[k].Data.(*[]uint32))
		case *[]uint8:
			equal = slices.Equal(*data, *b[k].Data.(*[]uint8))
		case *schema.Text:
			equal = bytes.Equal(data.Data, b[k].Data.(*schema.Text).Data)
		}
		if !equal {
			return false
		}
	}
	return true
}
