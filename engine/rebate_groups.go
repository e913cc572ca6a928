package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A groupKey is provider × merchant × product × period (rules 6).
type groupKey struct{ provider, merchant, product, period uint32 }

// A groupSum adds up one group.
type groupSum struct {
	trades           int64
	basis            rules.Sum
	rate             int64
	mixed            bool // several rates
	expected, stated rules.Sum
	hasStated        bool
	pending          int64
	lost, claimable  rules.Sum
	earlier          int64     // trades of earlier days
	earlierClaim     rules.Sum // of claimable
	rounded          bool      // the group is rounded once
}

func (g *groupSum) merge(o *groupSum) {
	if g.trades == 0 {
		g.rate, g.mixed = o.rate, o.mixed
	} else if o.trades > 0 {
		g.mixed = g.mixed || o.mixed || g.rate != o.rate
	}
	g.trades += o.trades
	g.basis.AddSum(o.basis)
	g.expected.AddSum(o.expected)
	g.stated.AddSum(o.stated)
	g.hasStated = g.hasStated || o.hasStated
	g.pending += o.pending
	g.lost.AddSum(o.lost)
	g.claimable.AddSum(o.claimable)
	g.earlier += o.earlier
	g.earlierClaim.AddSum(o.earlierClaim)
	g.rounded = g.rounded || o.rounded
}

// A periodGroup holds a group whose rebate is rounded once (rounding: period).
type periodGroup struct {
	sum    rules.PeriodGroup
	ranks  []rules.Rank
	stated rules.Sum
	has    bool
	cutoff rules.Cutoff
	holds  bool // as a group it is paid as expected
}

// expected is the rebate that the trade should bring.
func (w *worker) expected(a *audited) rules.Micro {
	if g := w.p.shares[a.group]; g != nil && perPeriod(a.judgement) {
		return g.cutoff.Share(rules.ExactRebate(a.basis, a.agreement), w.placeRank(a.unit))
	}
	return rules.Expected(a.basis, a.agreement)
}

func perPeriod(j judgement) bool {
	return j.agreement != nil && j.agreement.Rounding == rules.RoundPeriod
}

// placeRank is the unit's place as one number: bill table and line. Trades of earlier
// days have none: they come before today's, in an order of their own.
func (w *worker) placeRank(u *unit) uint64 {
	const today, uncarried = 1 << 63, 1 << 62
	if u.bill < 0 {
		return w.p.hash(w.tradeNo(u)) &^ today
	}
	b := &w.rows.Bills
	place := today | uint64(b.Table[u.bill])<<32 | uint64(b.Line[u.bill])
	if !w.p.carried(b.Table[u.bill]) {
		place |= uncarried
	}
	return place
}

// settledTogether: the group is rounded as one and paid as expected, so that its
// trades are too.
func (w *worker) settledTogether(group groupKey) bool {
	g := w.p.shares[group]
	return g != nil && g.holds
}

// collect adds a trade to its period group, in the pass before the audit.
func (w *worker) collect(a *audited) {
	if !perPeriod(a.judgement) {
		return
	}
	g := w.found.shares[a.group]
	if g == nil {
		g = &periodGroup{sum: rules.NewPeriodGroup(a.agreement.Scale)}
		w.found.shares[a.group] = g
	}
	if rest := g.sum.Add(rules.ExactRebate(a.basis, a.agreement)); rest > 0 {
		g.ranks = append(g.ranks, rules.Rank{Remainder: rest, Order: w.placeRank(a.unit)})
	}
	if a.paid.rows > 0 {
		g.stated.AddInt(a.paid.amount)
		g.has = true
	}
}

// closeShares finds the cutoffs once all trades are collected.
func (p *plan) closeShares(parts []*findings) {
	for _, f := range parts {
		for key, g := range f.shares {
			all := p.shares[key]
			if all == nil {
				p.shares[key] = g
				continue
			}
			all.sum.Join(g.sum)
			all.ranks = append(all.ranks, g.ranks...)
			all.stated.AddSum(g.stated)
			all.has = all.has || g.has
		}
	}
	for _, g := range p.shares {
		g.cutoff = g.sum.Cutoff(g.ranks)
		g.ranks = nil
		g.holds = g.has && rules.CompareSums(g.sum.Total(), g.stated, true, p.job.RebateTolerance) == rules.CauseOK
	}
}

// rebateGroups gives the rows of rebate_groups, aggregated statement rows
// included, and the breaks of the groups that those rows pay.
func rebateGroups(p *plan, groups map[groupKey]*groupSum, aggregated *schema.Statements, totals *totals, found *findings) []RebateGroup {
	type payment struct {
		stated rules.Sum
		row    int32
		rows   []AggregatedRow
	}
	paid := map[groupKey]*payment{}
	order := make([]int32, aggregated.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return p.places.compare(aggregated.Table[a], aggregated.Line[a], aggregated.Table[b], aggregated.Line[b])
	})
	for _, i := range order {
		amount := aggregated.Rebate[i] + aggregated.Adjustment[i]
		if p.tables[aggregated.Table[i]].Refused {
			continue
		}
		if m := aggregated.Merchant[i]; m != 0 && !p.isPID[m] {
			found.rejects = append(found.rejects, schema.Reject{
				Table: aggregated.Table[i], Line: aggregated.Line[i], Code: rules.CodeMerchantUnknown,
				Column: "merchant_pid", Value: p.text(m), Amount: schema.Null,
			})
			totals.statementsRejected.add(amount)
			continue
		}
		totals.aggregated.add(amount)
		key := groupKey{aggregated.Provider[i], aggregated.Merchant[i], aggregated.Product[i], aggregated.Period[i]}
		if paid[key] == nil {
			paid[key] = &payment{row: i}
		}
		paid[key].stated.AddInt(amount)
		paid[key].rows = append(paid[key].rows, AggregatedRow{
			Table: aggregated.Table[i], Line: aggregated.Line[i], Rebate: aggregated.Rebate[i], Adjustment: aggregated.Adjustment[i],
		})
	}
	for key := range paid {
		if groups[key] == nil {
			groups[key] = &groupSum{rate: schema.Null}
		}
	}
	// A row that names no merchant pays the merchants that no other row names.
	var none rules.Sum
	rest := map[groupKey]rules.Sum{}
	restOf := func(key groupKey) groupKey {
		key.merchant = 0
		return key
	}
	inRest := func(key groupKey, g *groupSum) bool {
		return key.merchant != 0 && paid[key] == nil && !g.hasStated && paid[restOf(key)] != nil
	}
	for key, g := range groups {
		if inRest(key, g) {
			due := rest[restOf(key)]
			due.AddSum(g.expected)
			rest[restOf(key)] = due.Sub(g.lost)
		}
	}
	rows := make([]RebateGroup, 0, len(groups))
	for key, g := range groups {
		row := RebateGroup{
			Provider: p.text(key.provider), Merchant: p.text(key.merchant), Product: p.text(key.product), Period: p.text(key.period),
			Trades: g.trades, Basis: g.basis, Rate: g.rate, Expected: g.expected, Stated: g.stated, HasStated: g.hasStated,
			Lost: g.lost, Claimable: g.claimable, Cause: rules.CauseOK,
		}
		if g.mixed {
			row.Rate = schema.Null
		}
		// As a group it should be paid what is expected less what wrong PIDs lost.
		a := paid[key]
		if a != nil {
			row.Stated.AddSum(a.stated)
			row.HasStated = true
			row.Aggregated = a.rows
		}
		due := row.Expected.Sub(row.Lost)
		if key.merchant == 0 {
			due.AddSum(rest[key])
		}
		if inRest(key, g) {
			due = none
		}
		row.Cause = rules.CompareSums(due, row.Stated, row.HasStated, p.job.RebateTolerance)
		covered := p.covered[[3]uint32{key.provider, key.product, key.period}]
		if !row.HasStated && (g.pending > 0 || !covered && row.Cause != rules.CauseOK) {
			row.Cause = rules.CauseStatementPending
		}
		if a != nil {
			missing := due.Sub(row.Stated)
			gap, _ := missing.Int64()
			// What is claimed trade by trade is in the group's gap: it is not
			// claimed twice.
			if row.Cause == rules.CauseStatementShort && missing.Cmp(row.Claimable) > 0 {
				row.Claimable = missing
			}
			if code, ok := row.Cause.Break(); ok {
				found.breaks = append(found.breaks, Break{
					Code: code, Severity: code.Severity(), Side: code.Side(), Merchant: row.Merchant,
					Amount: absolute(gap), Micro: true, Expected: sum64(due), Found: sum64(row.Stated),
					What: row.Product + " " + row.Period, Table: aggregated.Table[a.row], Line: aggregated.Line[a.row], Time: schema.Null,
				})
			}
		}
		if row.EarlierClaim = g.earlierClaim; g.earlier > 0 && (a != nil || g.rounded) {
			row.EarlierClaim = row.Claimable // what is computed together is shown together
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b RebateGroup) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), strings.Compare(a.Merchant, b.Merchant),
			strings.Compare(a.Product, b.Product), strings.Compare(a.Period, b.Period))
	})
	return rows
}

func sum64(s rules.Sum) int64 {
	v, ok := s.Int64()
	if !ok {
		return schema.Null
	}
	return v
}

// periodDays are the first and last day of a period in words.
func periodDays(period string) (from, to int32, ok bool) {
	if t, err := time.Parse(time.DateOnly, period); err == nil {
		day := dayOf(t.Unix())
		return day, day, true
	}
	t, err := time.Parse("2006-01", period)
	if err != nil {
		return 0, 0, false
	}
	return dayOf(t.Unix()), dayOf(t.AddDate(0, 1, 0).Unix()) - 1, true
}
