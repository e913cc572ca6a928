package state

import (
	"cmp"
	"maps"
	"slices"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// Times say when the rows of a run were: for each hour that has some, the first and
// the last. An hour of rows that a clock went wrong for does not make a run seem to
// reach over all hours between.

// The columns whose times a head has.
const (
	paidTimes     = iota // 完成时间 of payments
	orderedTimes         // of orders
	returnedTimes        // of refunds
	timeColumns
)

const (
	hourSeconds = 3600
	daySeconds  = 24 * hourSeconds
	mostHours   = 4096 // that are told apart; of more, the first and the last
)

// A timeline is the times of one column.
type timeline struct {
	hours map[int64]*engine.Span
	last  *engine.Span // of the hour that was met last
}

func (l *timeline) add(t int64) {
	if t == schema.Null {
		return
	}
	if l.last != nil && t >= l.last.From && t <= l.last.To {
		return
	}
	hour := t / hourSeconds
	if t < hour*hourSeconds {
		hour--
	}
	if l.hours == nil {
		l.hours = map[int64]*engine.Span{}
	}
	span := l.hours[hour]
	if span == nil {
		span = &engine.Span{From: t, To: t}
		l.hours[hour] = span
	}
	span.From, span.To = min(span.From, t), max(span.To, t)
	l.last = span
}

// times are those of the columns, as a head has them: sorted, nil for those of a head
// that is too old to say.
type times [timeColumns][]engine.Span

// timesOf joins what the gatherers met.
func timesOf(all []*gatherer) *times {
	var joined times
	for column := range joined {
		hours := map[int64]engine.Span{}
		for _, g := range all {
			for hour, span := range g.times[column].hours {
				if other, known := hours[hour]; known {
					hours[hour] = engine.Span{From: min(other.From, span.From), To: max(other.To, span.To)}
				} else {
					hours[hour] = *span
				}
			}
		}
		spans := make([]engine.Span, 0, len(hours))
		for _, hour := range slices.Sorted(maps.Keys(hours)) {
			spans = append(spans, hours[hour])
		}
		if n := len(spans); n > mostHours {
			spans = []engine.Span{{From: spans[0].From, To: spans[n-1].To}}
		}
		joined[column] = spans
	}
	return &joined
}

// times of the run's rows. One that does not say is taken to have been of its date
// and of all days before.
func (r *rows) times(column int) ([]engine.Span, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	if r.head.Times == nil {
		return []engine.Span{{From: -limit, To: int64(r.gen.Date+1)*daySeconds - 1}}, nil
	}
	return r.head.Times[column], nil
}

// on reports whether some time of the run's rows is on one of the days, which are
// sorted.
func (r *rows) on(column int, days []int32) (bool, error) {
	spans, err := r.times(column)
	for _, s := range spans {
		at, _ := slices.BinarySearchFunc(days, s.From, func(day int32, from int64) int {
			return cmp.Compare(int64(day+1)*daySeconds-1, from)
		})
		if at < len(days) && int64(days[at])*daySeconds <= s.To {
			return true, err
		}
	}
	return false, err
}

// onDays reports whether a time is on one of the days, which are sorted.
func onDays(t int64, days []int32) bool {
	if t == schema.Null {
		return false
	}
	_, found := slices.BinarySearchFunc(days, t, func(day int32, t int64) int {
		switch from := int64(day) * daySeconds; {
		case t < from:
			return 1
		case t >= from+daySeconds:
			return -1
		}
		return 0
	})
	return found
}

// Times is engine.History: the times of all rows that the run sees.
func (d *Day) Times() (paid, ordered []engine.Span) { return d.paid, d.ordered }

func (d *Day) takeTimes() (err error) {
	if d.paid, err = timesOfDays(d.earlier, paidTimes); err == nil {
		d.ordered, err = timesOfDays(d.earlier, orderedTimes)
	}
	return err
}

// timesOfDays joins the times of a column over days.
func timesOfDays(days []*chain, column int) ([]engine.Span, error) {
	var all []engine.Span
	for _, c := range days {
		for _, r := range c.layers {
			spans, err := r.times(column)
			if err != nil {
				return nil, err
			}
			all = append(all, spans...)
		}
	}
	slices.SortFunc(all, func(a, b engine.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	joined := all[:0]
	for _, s := range all {
		if n := len(joined); n > 0 && s.From <= joined[n-1].To+1 {
			joined[n-1].To = max(joined[n-1].To, s.To)
			continue
		}
		joined = append(joined, s)
	}
	return joined, nil
}

// touches reports whether two sorted lists have a second in common.
func touches(a, b []engine.Span) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].To < b[j].From:
			i++
		case b[j].To < a[i].From:
			j++
		default:
			return true
		}
	}
	return false
}

// without is what a has and b has not; both are sorted, and in neither do spans meet.
func without(a, b []engine.Span) []engine.Span {
	var rest []engine.Span
	for _, s := range a {
		for _, o := range b {
			if o.To < s.From || o.From > s.To {
				continue
			}
			if o.From > s.From {
				rest = append(rest, engine.Span{From: s.From, To: o.From - 1})
			}
			s.From = o.To + 1
			if s.From > s.To {
				break
			}
		}
		if s.From <= s.To {
			rest = append(rest, s)
		}
	}
	return rest
}
