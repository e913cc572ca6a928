package diff

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/rules"
)

// A Break is a finding of a run, as far as it is compared.
type Break struct {
	ID, Code, Severity                       string
	Merchant, OutTradeNo, TradeNo, RequestNo string
	Amount                                   rules.Sum // at stake, in millionths
}

// A Diff is what changed from the first run to the second.
type Diff struct {
	Moves   []Move   // by table, side, from and to; what stayed as it was too
	Changes []Change // the rows that changed, sorted by key; no more than were asked for
	Changed int64    // sides that changed, all of them

	Codes  []CodeChange  // breaks by code
	Breaks []BreakChange // that came, went or changed; no more than were asked for
	Opened int           // all of them
	Closed int
	Other  int // breaks whose amount changed

	Proofs []engine.Invariant
}

// A Move is the sides of a table that went from one status to another; 0 is a run
// that does not have them.
type Move struct {
	Table         Table
	Side          Side
	From, To      rules.Status
	Count         int64
	Before, After rules.Sum // fen
}

// Stayed reports whether nothing of the move is a change.
func (m *Move) Stayed() bool { return m.From == m.To && m.Before == m.After }

// A Change is a row whose status or amount changed; of Both sides if they moved
// together.
type Change struct {
	Table                                    Table
	Side                                     Side
	From, To                                 rules.Status
	Merchant, OutTradeNo, TradeNo, RequestNo string
	Pos, Bill                                [2]Amount
}

// An Amount is one that may not be there.
type Amount struct {
	Fen   rules.Fen
	Given bool
}

// A CodeChange is the breaks of one code in both runs.
type CodeChange struct {
	Code                    string
	Before, After           Tally // in millionths
	Opened, Closed, Changed Tally // Changed: by how much the amounts differ
}

// A BreakChange is a break that is in one run alone, or has another amount.
type BreakChange struct {
	Break
	Before, After Tally // Count 0: the run does not have it
}

// Finish compares what was added. No more than limit changes and breaks are
// listed, 0 for all; all are counted.
func (c *Comparer) Finish(ctx context.Context, limit int) (*Diff, error) {
	d := &Diff{}
	m := &merger{limit: limit, moves: map[moveKey]*Move{}}
	var buf []byte
	for i := range c.buckets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if buf, err = c.buckets[i].all(buf); err != nil {
			return nil, err
		}
		sides, err := decode(buf)
		if err != nil {
			return nil, err
		}
		m.bucket(sides)
	}
	d.Moves, d.Changes, d.Changed = m.sorted(), m.together(), m.changed
	d.compareBreaks(c.breaks, limit)
	d.prove(&c.totals)
	return d, nil
}

type moveKey struct {
	table    Table
	side     Side
	from, to rules.Status
}

// A merger pairs the sides of both runs, bucket by bucket.
type merger struct {
	limit   int
	moves   map[moveKey]*Move
	changes []Change // of one side each
	changed int64
}

// key orders sides so that those of one identity stand together.
func (s *sided) key(o *sided) int {
	if c := cmp.Or(cmp.Compare(s.table, o.table), cmp.Compare(s.side, o.side)); c != 0 {
		return c
	}
	if s.side == Bill && len(s.trade) > 0 && len(o.trade) > 0 {
		return cmp.Or(bytes.Compare(s.trade, o.trade), bytes.Compare(s.request, o.request))
	}
	if s.side == Bill && len(s.trade) != len(o.trade) {
		return cmp.Compare(len(s.trade), len(o.trade)) // one has none
	}
	return cmp.Or(bytes.Compare(s.merchant, o.merchant), bytes.Compare(s.order, o.order), bytes.Compare(s.request, o.request))
}

func (m *merger) bucket(sides []sided) {
	slices.SortFunc(sides, func(a, b sided) int {
		return cmp.Or(a.key(&b), cmp.Compare(a.run, b.run), cmp.Compare(a.status, b.status), cmp.Compare(a.amount, b.amount),
			bytes.Compare(a.merchant, b.merchant), bytes.Compare(a.order, b.order), bytes.Compare(a.trade, b.trade))
	})
	for from := 0; from < len(sides); {
		to := from + 1
		for to < len(sides) && sides[from].key(&sides[to]) == 0 {
			to++
		}
		second := from
		for second < to && sides[second].run == First {
			second++
		}
		m.pair(sides[from:second], sides[second:to])
		from = to
	}
}

// pair says which side of the second run is which of the first, among those of
// one identity: what is alike, then what has the same status, then one after the
// other. Nearly always there is one of each.
func (m *merger) pair(before, after []sided) {
	if len(before) == 1 && len(after) == 1 {
		m.move(&before[0], &after[0])
		return
	}
	usedBefore, usedAfter := make([]bool, len(before)), make([]bool, len(after))
	for _, alike := range [...]func(a, b *sided) bool{
		func(a, b *sided) bool { return a.status == b.status && a.amount == b.amount },
		func(a, b *sided) bool { return a.status == b.status },
		func(a, b *sided) bool { return a.amount == b.amount },
		func(*sided, *sided) bool { return true },
	} {
		for i := range before {
			for j := range after {
				if !usedBefore[i] && !usedAfter[j] && alike(&before[i], &after[j]) {
					usedBefore[i], usedAfter[j] = true, true
					m.move(&before[i], &after[j])
				}
			}
		}
	}
	for i := range before {
		if !usedBefore[i] {
			m.move(&before[i], nil)
		}
	}
	for j := range after {
		if !usedAfter[j] {
			m.move(nil, &after[j])
		}
	}
}

// move counts one side that went from before to after; nil is a run without it.
func (m *merger) move(before, after *sided) {
	shown := after
	if after == nil {
		shown = before
	}
	k := moveKey{table: shown.table, side: shown.side}
	var amounts [2]Amount
	if before != nil {
		k.from, amounts[0] = before.status, Amount{rules.Fen(before.amount), true}
	}
	if after != nil {
		k.to, amounts[1] = after.status, Amount{rules.Fen(after.amount), true}
	}
	at := m.moves[k]
	if at == nil {
		at = &Move{Table: k.table, Side: k.side, From: k.from, To: k.to}
		m.moves[k] = at
	}
	at.Count++
	at.Before.Add(amounts[0].Fen)
	at.After.Add(amounts[1].Fen)
	if k.from == k.to && amounts[0] == amounts[1] {
		return
	}
	m.changed++
	ch := Change{
		Table: k.table, Side: k.side, From: k.from, To: k.to, Merchant: string(shown.merchant),
		OutTradeNo: string(shown.order), TradeNo: string(shown.trade), RequestNo: string(shown.request),
	}
	if k.side == POS {
		ch.Pos = amounts
	} else {
		ch.Bill = amounts
	}
	m.changes = append(m.changes, ch)
	// Two sides make a row: the first rows are among twice as many sides.
	if most := 2 * m.limit; m.limit > 0 && len(m.changes) > 2*most+buckets {
		slices.SortFunc(m.changes, compareChanges)
		m.changes = m.changes[:most]
	}
}

func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.OutTradeNo, b.OutTradeNo),
		strings.Compare(a.RequestNo, b.RequestNo), strings.Compare(a.TradeNo, b.TradeNo), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
		cmp.Compare(a.Side, b.Side), cmp.Compare(a.Pos[0].Fen, b.Pos[0].Fen), cmp.Compare(a.Bill[0].Fen, b.Bill[0].Fen),
		cmp.Compare(a.Pos[1].Fen, b.Pos[1].Fen), cmp.Compare(a.Bill[1].Fen, b.Bill[1].Fen))
}

// together puts the two sides of a row that moved alike into one change.
func (m *merger) together() []Change {
	slices.SortFunc(m.changes, compareChanges)
	rows := m.changes[:0]
	for _, ch := range m.changes {
		if n := len(rows); n > 0 && ch.Side == Bill && rows[n-1].Side == POS && rows[n-1].sameRow(&ch) {
			rows[n-1].Side, rows[n-1].Bill = Both, ch.Bill
			continue
		}
		rows = append(rows, ch)
	}
	if m.limit > 0 && len(rows) > m.limit {
		rows = rows[:m.limit]
	}
	return rows
}

func (c *Change) sameRow(o *Change) bool {
	return c.Table == o.Table && c.From == o.From && c.To == o.To && c.Merchant == o.Merchant &&
		c.OutTradeNo == o.OutTradeNo && c.TradeNo == o.TradeNo && c.RequestNo == o.RequestNo
}

func (m *merger) sorted() []Move {
	moves := make([]Move, 0, len(m.moves))
	for _, mv := range m.moves {
		moves = append(moves, *mv)
	}
	slices.SortFunc(moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Side, b.Side), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return moves
}

// compareBreaks pairs the breaks by id.
func (d *Diff) compareBreaks(runs [2][]Break, limit int) {
	byID := map[string]*BreakChange{}
	for run := range runs {
		for i := range runs[run] {
			b := &runs[run][i]
			at := byID[b.ID]
			if at == nil {
				at = &BreakChange{Break: *b}
				byID[b.ID] = at
			}
			into := &at.Before
			if run == Second {
				into, at.Break = &at.After, *b
			}
			into.Count++
			into.Amount.AddSum(b.Amount)
		}
	}
	codes := map[string]*CodeChange{}
	for _, b := range byID {
		c := codes[b.Code]
		if c == nil {
			c = &CodeChange{Code: b.Code}
			codes[b.Code] = c
		}
		c.Before.merge(b.Before)
		c.After.merge(b.After)
		switch {
		case b.Before.Count == 0:
			c.Opened.merge(b.After)
			d.Opened++
		case b.After.Count == 0:
			c.Closed.merge(b.Before)
			d.Closed++
		case b.Before != b.After:
			c.Changed.merge(Tally{1, b.After.Amount.Sub(b.Before.Amount)})
			d.Other++
		default:
			continue
		}
		d.Breaks = append(d.Breaks, *b)
	}
	for _, c := range codes {
		d.Codes = append(d.Codes, *c)
	}
	slices.SortFunc(d.Codes, func(a, b CodeChange) int { return strings.Compare(a.Code, b.Code) })
	slices.SortFunc(d.Breaks, func(a, b BreakChange) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.OutTradeNo, b.OutTradeNo),
			strings.Compare(a.RequestNo, b.RequestNo), strings.Compare(a.TradeNo, b.TradeNo), strings.Compare(a.ID, b.ID))
	})
	if limit > 0 && len(d.Breaks) > limit {
		d.Breaks = d.Breaks[:limit]
	}
}

func (t *Tally) merge(o Tally) {
	t.Count += o.Count
	t.Amount.AddSum(o.Amount)
}

// prove adds the moves up on both ends: they are the totals of the two runs, which
// were counted when the rows came.
func (d *Diff) prove(runs *[2]totals) {
	var ends [2]totals
	for i := range d.Moves {
		m := &d.Moves[i]
		ends[First][m.Table][m.Side][m.From].merge(Tally{m.Count, m.Before})
		ends[Second][m.Table][m.Side][m.To].merge(Tally{m.Count, m.After})
	}
	for table := Trades; table <= Refunds; table++ {
		for run := range ends {
			for side := POS; side <= Bill; side++ {
				left, right := sumOf(&ends[run][table][side]), sumOf(&runs[run][table][side])
				holds := true
				for status := rules.StatusDuplicate; status <= rules.StatusPOSOnly; status++ {
					holds = holds && ends[run][table][side][status] == runs[run][table][side][status]
				}
				d.Proofs = append(d.Proofs, engine.Invariant{
					Name: [...]string{"from", "to"}[run] + "_" + table.String() + "_" + side.String(),
					Left: left.text(), Right: right.text(), Holds: holds,
				})
			}
		}
	}
	for i := range d.Codes {
		c := &d.Codes[i]
		got := c.Before.Amount
		got.AddSum(c.Opened.Amount)
		got.AddSum(c.Changed.Amount)
		got = got.Sub(c.Closed.Amount)
		d.Proofs = append(d.Proofs, engine.Invariant{
			Name: "break_" + c.Code, Left: got.String6(), Right: c.After.Amount.String6(),
			Holds: got == c.After.Amount && c.Before.Count+c.Opened.Count-c.Closed.Count == c.After.Count,
		})
	}
}

// sumOf is what a side has in all statuses; 0, the other run's alone, is none.
func sumOf(t *[9]Tally) Tally {
	var all Tally
	for status := rules.StatusDuplicate; status <= rules.StatusPOSOnly; status++ {
		all.merge(t[status])
	}
	return all
}

func (t Tally) text() string { return t.Amount.String2() }
