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
func (w *worker) expected(u *unit, j judgement, basis rules.Fen, group groupKey) rules.Micro {
	if !perPeriod(j) || w.p.collecting {
		return rules.Expected(basis, j.agreement)
	}
	g := w.p.shares[group]
	if g == nil {
		return rules.Expected(basis, j.agreement)
	}
	return g.cutoff.Share(rules.ExactRebate(basis, j.agreement), w.placeRank(u))
}

func perPeriod(j judgement) bool {
	return j.agreement != nil && j.agreement.Rounding == rules.RoundPeriod
}

// placeRank is the unit's place as one number: bill table and line.
func (w *worker) placeRank(u *unit) uint64 {
	b := &w.rows.Bills
	return uint64(b.Table[u.bill])<<32 | uint64(b.Line[u.bill])
}

// settledTogether: the group is rounded as one and paid as expected, so that its
// trades are too.
func (w *worker) settledTogether(group groupKey) bool {
	g := w.p.shares[group]
	return g != nil && g.holds
}

// collect adds a trade to its period group, in the pass before the audit.
func (w *worker) collect(u *unit, j judgement, basis rules.Fen, group groupKey, product uint32) {
	paid := w.payout(product)
	if !perPeriod(j) {
		return
	}
	g := w.found.shares[group]
	if g == nil {
		g = &periodGroup{sum: rules.NewPeriodGroup(j.agreement.Scale)}
		w.found.shares[group] = g
	}
	if rest := g.sum.Add(rules.ExactRebate(basis, j.agreement)); rest > 0 {
		g.ranks = append(g.ranks, rules.Rank{Remainder: rest, Order: w.placeRank(u)})
	}
	if paid.rows > 0 {
		g.stated.AddInt(paid.amount)
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

// A lossKey names what losses add up by. Those of stores and merchants are
// added up from their terminals at the end.
type lossKey struct {
	kind    lossKind
	a, b, c uint32 // word codes; a day in a
}

type lossKind uint8

const (
	byProvider lossKind = iota + 1
	byMerchant
	byStore    // store, merchant
	byTerminal // terminal, store, merchant
	byDay
)

// A lossSum adds up losses, and follows since when a till sends wrong PIDs.
type lossSum struct {
	count             int64
	loss, lost, claim rules.Sum
	lastRight         int64   // latest trade with a right PID
	wrong             []int64 // times of wrong ones after it, as far as known
}

func (l *lossSum) merge(o *lossSum) {
	l.count += o.count
	l.loss.AddSum(o.loss)
	l.lost.AddSum(o.lost)
	l.claim.AddSum(o.claim)
	l.lastRight = max(l.lastRight, o.lastRight)
	l.wrong = append(l.wrong, o.wrong...)
	l.prune()
}

// prune forgets wrong trades before the latest right one; only the first after it
// matters.
func (l *lossSum) prune() {
	l.wrong = slices.DeleteFunc(l.wrong, func(t int64) bool { return t <= l.lastRight })
}

// since is the first trade of the current run of wrong ones, or Null.
func (l *lossSum) since() int64 {
	l.prune()
	if len(l.wrong) == 0 {
		return schema.Null
	}
	return slices.Min(l.wrong)
}

func (w *worker) addLoss(u *unit, group groupKey, provider uint32, cause rules.Cause, j judgement, basis rules.Fen, expected rules.Micro, paid payout, loss int64, together bool) {
	g := w.found.groups[group]
	if g == nil {
		g = &groupSum{rate: schema.Null}
		if j.agreement != nil {
			g.rate = int64(j.agreement.Rate)
		}
		w.found.groups[group] = g
	}
	g.trades++
	g.basis.Add(basis)
	if j.agreement != nil && g.rate != int64(j.agreement.Rate) {
		g.mixed = true
	}
	g.expected.AddMicro(expected)
	if paid.rows > 0 {
		g.stated.AddInt(paid.amount)
		g.hasStated = true
	}
	if cause == rules.CauseStatementPending {
		g.pending++
	}
	if together && cause == rules.CauseOK && loss == 0 {
		w.totals.together.AddMicro(expected)
	}
	switch cause.Appeal() {
	case rules.AppealLost:
		g.lost.AddInt(loss)
	case rules.AppealClaimable:
		g.claimable.AddInt(loss)
	case rules.AppealOwed, rules.AppealNone:
	}
	b, in := &w.rows.Bills, &w.rows.Orders
	run := int32(-1)
	if u.order >= 0 {
		run = w.orders[u.order].run
	}
	store, terminal := either(in.Store, run, b.Store, u.bill), either(in.Terminal, run, b.Terminal, u.bill)
	t := b.Time[u.bill]
	w.addLossTo(lossKey{byTerminal, terminal, store, group.merchant}, cause, loss, t)
	if cause != rules.CauseOK && cause != rules.CauseStatementPending {
		w.addLossTo(lossKey{kind: byProvider, a: provider}, cause, loss, t)
		w.addLossTo(lossKey{kind: byDay, a: uint32(dayOf(t))}, cause, loss, t)
	}
}

func (w *worker) addLossTo(key lossKey, cause rules.Cause, loss, t int64) {
	l := w.found.losses[key]
	if l == nil {
		l = &lossSum{lastRight: schema.Null}
		w.found.losses[key] = l
	}
	if key.kind == byTerminal && cause != rules.CausePIDUnknown {
		if cause.Lost() {
			if t > l.lastRight {
				l.wrong = append(l.wrong, t)
			}
		} else if t > l.lastRight {
			l.lastRight = t
			l.prune()
		}
	}
	if cause == rules.CauseOK || cause == rules.CauseStatementPending {
		return
	}
	l.count++
	l.loss.AddInt(loss)
	switch cause.Appeal() {
	case rules.AppealLost:
		l.lost.AddInt(loss)
	case rules.AppealClaimable:
		l.claim.AddInt(loss)
	case rules.AppealOwed, rules.AppealNone:
	}
}

// sumTerminals adds the terminals up to stores and merchants.
func sumTerminals(sums map[lossKey]*lossSum) {
	var terminals []lossKey
	for key := range sums {
		if key.kind == byTerminal {
			terminals = append(terminals, key)
		}
	}
	for _, key := range terminals {
		for _, up := range []lossKey{{kind: byStore, a: key.b, b: key.c}, {kind: byMerchant, a: key.c}} {
			l := sums[up]
			if l == nil {
				l = &lossSum{lastRight: schema.Null}
				sums[up] = l
			}
			l.merge(sums[key])
		}
	}
}

// rankLosses gives the losses of each kind, the largest first.
func rankLosses(p *plan, sums map[lossKey]*lossSum) Losses {
	sumTerminals(sums)
	var all Losses
	for key, l := range sums {
		if l.count == 0 {
			continue
		}
		g := LossGroup{Count: l.count, Loss: l.loss, Lost: l.lost, Claim: l.claim, Since: schema.Null}
		var list *[]LossGroup
		switch key.kind {
		case byProvider:
			list, g.Key = &all.Provider, p.text(key.a)
		case byMerchant:
			list, g.Key = &all.Merchant, p.text(key.a)
		case byStore:
			list, g.Key, g.Merchant, g.Since = &all.Store, p.text(key.a), p.text(key.b), l.since()
		case byTerminal:
			list, g.Key, g.Parent, g.Merchant, g.Since = &all.Terminal, p.text(key.a), p.text(key.b), p.text(key.c), l.since()
		case byDay:
			list, g.Key = &all.Day, dayText(int32(key.a))
		}
		*list = append(*list, g)
	}
	for _, list := range []*[]LossGroup{&all.Provider, &all.Merchant, &all.Store, &all.Terminal, &all.Day} {
		slices.SortFunc(*list, func(a, b LossGroup) int {
			return cmp.Or(b.Loss.Cmp(a.Loss), strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.Parent, b.Parent), strings.Compare(a.Key, b.Key))
		})
	}
	return all
}

// rebateGroups gives the rows of rebate_groups, aggregated statement rows
// included, and the breaks of the groups that those rows pay.
func rebateGroups(p *plan, groups map[groupKey]*groupSum, aggregated *schema.Statements, totals *totals, found *findings) []RebateGroup {
	type payment struct {
		stated rules.Sum
		row    int32
	}
	paid := map[groupKey]*payment{}
	order := make([]int32, aggregated.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return comparePlaces(aggregated.Table[a], aggregated.Line[a], aggregated.Table[b], aggregated.Line[b])
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
	}
	for key := range paid {
		if groups[key] == nil {
			groups[key] = &groupSum{rate: schema.Null}
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
		}
		due := row.Expected.Sub(row.Lost)
		row.Cause = rules.CompareSums(due, row.Stated, row.HasStated, p.job.RebateTolerance)
		if g.pending > 0 && !row.HasStated {
			row.Cause = rules.CauseStatementPending
		}
		if a != nil {
			gap, _ := due.Sub(row.Stated).Int64()
			if row.Cause == rules.CauseStatementShort {
				row.Claimable.AddInt(gap)
			}
			if code, ok := row.Cause.Break(); ok {
				found.breaks = append(found.breaks, Break{
					Code: code, Severity: code.Severity(), Side: code.Side(), Merchant: row.Merchant,
					Amount: absolute(gap), Micro: true, Expected: sum64(due), Found: sum64(row.Stated),
					What: row.Product + " " + row.Period, Table: aggregated.Table[a.row], Line: aggregated.Line[a.row],
				})
			}
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
