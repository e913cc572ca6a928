package loaders

import (
	"cmp"
	"slices"

	"duizhang/engine/schema"
)

// balanceRuns follow the running balance (账户余额) of an account bill. Chunks are
// parsed in any order, so that the runs of rows that one parser saw are joined at
// the end.
type balanceRuns struct {
	runs    []balanceRun
	found   balanceGaps // within the runs
	open    bool        // the last run goes on
	cutting bool        // the last run is a cut, of this chunk
}

// A balanceRun is rows that stand one after the other.
type balanceRun struct {
	first, last balanceRow
	cut         bool // no row: what stands before it does not go on after it
}

type balanceRow struct {
	line            int32
	balance         int64 // or Null
	income, expense int64 // as written
}

// balanceGaps count the gaps by what the signs of 支出 mean (as
// schema.ExpenseSign), and by order: oldest row first, newest first.
type balanceGaps [3][2]struct {
	count int64
	at    balanceRow // the first
}

// gap compares two rows that stand one after the other.
func (g *balanceGaps) gap(a, b *balanceRow) {
	if a.balance == schema.Null || b.balance == schema.Null {
		return
	}
	for sign := range g {
		s := schema.ExpenseSign(sign)
		for order, gap := range [2]bool{
			a.balance+b.income-s.Spent(b.expense) != b.balance,
			b.balance+a.income-s.Spent(a.expense) != a.balance,
		} {
			if at := &g[sign][order]; gap {
				if at.count++; at.count == 1 || b.line < at.at.line {
					at.at = *b
				}
			}
		}
	}
}

func (g *balanceGaps) merge(o *balanceGaps) {
	for sign := range g {
		for order := range g[sign] {
			at, other := &g[sign][order], &o[sign][order]
			if other.count > 0 && (at.count == 0 || other.at.line < at.at.line) {
				at.at = other.at
			}
			at.count += other.count
		}
	}
}

// add takes down a row.
func (b *balanceRuns) add(line int32, balance, income, expense int64) {
	row := balanceRow{line, balance, income, expense}
	if !b.open {
		b.runs = append(b.runs, balanceRun{first: row, last: row})
		b.open, b.cutting = true, false
		return
	}
	run := &b.runs[len(b.runs)-1]
	b.found.gap(&run.last, &row)
	run.last = row
}

// broken: a row that cannot be read stands here.
func (b *balanceRuns) broken(line int32) {
	if !b.cutting {
		b.runs = append(b.runs, balanceRun{first: balanceRow{line: line}, cut: true})
	}
	b.open, b.cutting = false, true
}

// end ends the run: the next row may stand elsewhere.
func (b *balanceRuns) end() { b.open, b.cutting = false, false }

func (b *balanceRuns) merge(o *balanceRuns) {
	b.runs = append(b.runs, o.runs...)
	b.found.merge(&o.found)
}

// gaps are how many rows do not follow from the one before, in the order that fits
// better, and the first of them.
func (b *balanceRuns) gaps(sign schema.ExpenseSign) (count int64, line int32, balance int64) {
	slices.SortFunc(b.runs, func(x, y balanceRun) int { return cmp.Compare(x.first.line, y.first.line) })
	all := b.found
	for i := range b.runs {
		if run := &b.runs[i]; i > 0 && !run.cut && !b.runs[i-1].cut {
			all.gap(&b.runs[i-1].last, &run.first)
		}
	}
	best := &all[sign][0]
	if all[sign][1].count < best.count {
		best = &all[sign][1]
	}
	return best.count, best.at.line, best.at.balance
}
