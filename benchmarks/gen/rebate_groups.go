package gen

import (
	"cmp"
	"slices"
	"strconv"
)

// RebateForm says in which form the primary provider's rebates for face payments are
// stated. Those of other providers and products are rows of the product's own table.
type RebateForm uint8

// The forms.
const (
	RebateRows     RebateForm = iota // a row a trade
	RebateWorkbook                   // a month's workbook of an aggregator, a sheet a brand (formats 6)
	RebateMonthly                    // the official monthly table of commissions
)

// RebateForms are the forms' words.
var RebateForms = []string{"rows", "ka", "monthly"}

// TogetherMix is a mix without what a statement that pays a merchant's month in one
// sum cannot say of one trade.
func TogetherMix(mix Mix) Mix {
	out := Mix{}
	for k, share := range mix {
		out[k] = share
	}
	for _, k := range []Kind{
		MerchantDiffers, StatementOrphan, OutOfScope, StatementMissing, StatementShort, StatementOver, StatementDuplicate,
		StatementUnearned, Clawback, Adjustment, StatementTerms, ByOrderNumber, BillOnlyPaid, POSOnlyPaid,
	} {
		delete(out, k)
	}
	return out
}

// together: the primary's face payments are paid by the month.
func (w *world) together() bool { return w.cfg.Rebate != RebateRows }

// groupKind is what is planted on a merchant's month of a statement that pays it in
// one sum.
type groupKind uint8

const (
	groupRight    groupKind = iota
	groupAdjusted           // too much, and taken back by an adjustment
	groupShort
	groupOver
	groupMissing // the merchant is not in the statement
)

// A groupPlan is what the statement does with a merchant's month.
type groupPlan struct {
	kind groupKind
	off  micro // by how much
}

// groupPlan draws it from a stream of its own. The first merchant is always in the
// statement.
func (w *world) groupPlan(m int) groupPlan {
	r := streamOf(w.cfg.Seed, int64(m), 0x6b61)
	p := groupPlan{kind: groupKind(r.n(int64(groupMissing) + 1)), off: r.between(1, 300) * 10_000}
	switch {
	case p.kind == groupMissing && m == 0, w.cfg.Clean && p.kind > groupAdjusted:
		p.kind = groupRight
	case p.kind == groupRight, p.kind == groupMissing:
		p.off = 0
	}
	return p
}

// rebateGroup names a row of rebate_groups.
type rebateGroup struct {
	provider string
	merchant int
	product  int
}

type rebateSum struct {
	trades                            int64
	expected, stated, lost, claimable micro
	hasRow                            bool
	pending                           bool
}

// rebateSums are the groups of a day while they grow.
type rebateSums map[rebateGroup]*rebateSum

func (s rebateSums) at(g rebateGroup) *rebateSum {
	if s[g] == nil {
		s[g] = new(rebateSum)
	}
	return s[g]
}

// add adds what is true of one trade and product, whose PID is of a kind: of a trade
// without a POS order, RightPrimary.
func (s rebateSums) add(w *world, o *order, b *rebate, kind Kind) {
	provider := w.providers[primary].pid
	if b.product == faceToFace {
		//exhaustive:ignore
		switch kind {
		case SecondProvider:
			provider = w.providers[second].pid
		case PendingProvider:
			provider = w.providers[pendingPID].pid
		}
	}
	m := o.m
	if o.pos {
		m = o.posMerchant
	}
	sum := s.at(rebateGroup{provider, m, b.product})
	sum.trades++
	sum.expected += b.expected
	sum.stated += b.stated
	sum.hasRow = sum.hasRow || b.hasRow
	sum.pending = sum.pending || b.cause == statementPending
	switch b.cause.appeal() {
	case "lost":
		sum.lost += b.loss
	case "claimable":
		sum.claimable += b.loss
	}
}

// sentKind is the kind of the PID that the order sent.
func (o *order) sentKind() Kind {
	if !o.pos {
		return RightPrimary
	}
	return o.rebateKind
}

// settle adds what the statement pays by the month, and finds what is off.
func (s rebateSums) settle(w *world, t *tallies) {
	if !w.together() {
		return
	}
	for m := range w.merchants {
		plan := w.groupPlan(m)
		if plan.kind == groupMissing {
			continue
		}
		sum := s.at(rebateGroup{w.providers[primary].pid, m, faceToFace})
		due := sum.expected - sum.lost
		sum.stated += due
		sum.hasRow = true
		switch plan.kind {
		case groupShort:
			off := min(plan.off, due)
			sum.stated -= off
			if off > 0 {
				sum.claimable += off
				t.foundMicro(bFirstCause+breakCode(statementShort), off)
			}
		case groupOver:
			sum.stated += plan.off
			t.foundMicro(bFirstCause+breakCode(statementOver), plan.off)
		case groupRight, groupAdjusted, groupMissing:
		}
	}
}

// cause is that of the group (rules 6): less what wrong PIDs lost, it should be paid
// what is expected.
func (s *rebateSum) cause() cause {
	due := s.expected - s.lost
	switch {
	case s.pending && !s.hasRow:
		return statementPending
	case !s.hasRow && due > 0:
		return statementMissing
	case s.stated < due:
		return statementShort
	case s.stated > due:
		return statementOver
	}
	return okCause
}

func (s rebateSums) write(w *world, dir string) error {
	out, err := createSheet(dir, "expected/rebate_groups.csv")
	if err != nil {
		return err
	}
	out.line("provider_pid,merchant_pid,product,period,trades,expected,stated,difference,cause,lost,claimable")
	groups := make([]rebateGroup, 0, len(s))
	for g := range s {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b rebateGroup) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.merchant, b.merchant), cmp.Compare(a.product, b.product))
	})
	for _, g := range groups {
		sum := s[g]
		b := append(out.b, g.provider...)
		b = append(b, ',')
		b = append(b, w.merchants[g.merchant].pid...)
		b = append(b, ',')
		b = append(b, productNames[g.product]...)
		b = append(b, ',')
		b = append(b, w.period...)
		b = append(b, ',')
		b = strconv.AppendInt(b, sum.trades, 10)
		b = append(b, ',')
		b = appendMicro(b, sum.expected, 2)
		b = append(b, ',')
		if sum.hasRow {
			b = appendMicro(b, sum.stated, 2)
		}
		b = append(b, ',')
		if sum.hasRow || sum.cause() != statementPending { // nothing is missing yet from what has not come
			b = appendMicro(b, sum.stated-sum.expected, 2)
		}
		b = append(b, ',')
		b = append(b, causeNames[sum.cause()]...)
		b = append(b, ',')
		b = appendMicro(b, sum.lost, 2)
		b = append(b, ',')
		out.b = appendMicro(b, sum.claimable, 2)
		out.newline()
	}
	return out.finish()
}
