package engine

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

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

// A lossTable adds up losses. A worker keeps one for all its partitions.
type lossTable struct{ sumTable[lossKey, lossSum] }

func (t *lossTable) at(key lossKey) *lossSum { return t.sum(int(t.index(key))) }

// index is the number of the key's sum.
func (t *lossTable) index(key lossKey) int32 {
	n, added := t.sumTable.index(key, key.hash())
	if added {
		t.sum(int(n)).lastRight = schema.Null
	}
	return n
}

func (t *lossTable) merge(o *lossTable) {
	t.sumTable.merge(&o.sumTable, func(sum, more *lossSum, added bool) {
		if added {
			sum.lastRight = schema.Null
		}
		sum.merge(more)
	})
}

func (k lossKey) hash() uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // odd, without a pattern
	h := (uint64(k.a)<<32 | uint64(k.b)) * a
	h = (bits.RotateLeft64(h, 29) ^ uint64(k.c)<<8 ^ uint64(k.kind)) * b
	return h ^ h>>32
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
	if len(l.wrong) == 0 {
		return
	}
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

// addToGroup adds the audit of a trade to its group.
func (w *worker) addToGroup(a *audited) {
	g := w.groupOf(a)
	g.trades++
	g.basis.Add(a.basis)
	if a.agreement != nil && g.rate != int64(a.agreement.Rate) {
		g.mixed = true
	}
	g.expected.AddMicro(a.expected)
	if a.paid.rows > 0 {
		g.stated.AddInt(a.paid.amount)
		g.hasStated = true
	}
	if a.cause == rules.CauseStatementPending {
		g.pending++
	}
	claimable := a.cause.Appeal() == rules.AppealClaimable
	g.rounded = g.rounded || perPeriod(a.judgement)
	if w.ofEarlier(a.unit) {
		g.earlier++
		if claimable {
			g.earlierClaim.AddInt(a.loss)
		}
	}
	switch a.cause.Appeal() {
	case rules.AppealLost:
		g.lost.AddInt(a.loss)
	case rules.AppealClaimable:
		g.claimable.AddInt(a.loss)
	case rules.AppealOwed, rules.AppealNone:
	}
}

// addLoss adds the audit of a trade to its group, and its loss to its till,
// provider and day.
func (w *worker) addLoss(a *audited) {
	if a.judged && a.cause == rules.CauseStatementPending { // the run that judged it has counted it
		w.unsaid = true
	} else {
		w.addToGroup(a)
	}
	if a.settled {
		w.totals.together.AddMicro(a.expected)
	}
	l := w.lossOf(a)
	if a.cause != rules.CausePIDUnknown {
		l.follow(a.cause.Lost(), a.time)
	}
	if a.cause != rules.CauseOK && a.cause != rules.CauseStatementPending {
		l.add(a.cause, a.loss)
		w.losses.at(lossKey{kind: byProvider, a: a.pid}).add(a.cause, a.loss)
		w.losses.at(lossKey{kind: byDay, a: uint32(dayOf(a.time))}).add(a.cause, a.loss)
	}
}

// groupOf is the sum of the trade's group: most have that of the trade before.
func (w *worker) groupOf(a *audited) *groupSum {
	if w.lastGroup.sum != nil && w.lastGroup.key == a.group {
		return w.lastGroup.sum
	}
	g := w.partGroups[a.group]
	if g == nil {
		g = w.newGroup()
		*g = groupSum{rate: schema.Null}
		if a.agreement != nil {
			g.rate = int64(a.agreement.Rate)
		}
		w.partGroups[a.group] = g
	}
	w.lastGroup.key, w.lastGroup.sum = a.group, g
	return g
}

// newGroup is memory for a group of a partition.
func (w *worker) newGroup() *groupSum {
	last := len(w.freeGroups) - 1
	if last < 0 {
		return new(groupSum)
	}
	g := w.freeGroups[last]
	w.freeGroups = w.freeGroups[:last]
	return g
}

// closeGroups adds the partition's groups to those of all the worker's partitions.
func (w *worker) closeGroups() {
	for key, g := range w.partGroups {
		if all := w.groups[key]; all != nil {
			all.merge(g)
			w.freeGroups = append(w.freeGroups, g)
		} else {
			w.groups[key] = g
		}
	}
	clear(w.partGroups)
	w.lastGroup.sum = nil
}

// follow notes at a till's sum whether a trade was sent with a wrong PID.
func (l *lossSum) follow(wrong bool, t int64) {
	switch {
	case t <= l.lastRight:
	case wrong:
		l.wrong = append(l.wrong, t)
	default:
		l.lastRight = t
		l.prune()
	}
}

// add adds a trade that lost something.
func (l *lossSum) add(cause rules.Cause, loss int64) {
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
func sumTerminals(t *lossTable) {
	for i := range t.len() {
		key := t.key(i)
		if key.kind != byTerminal {
			continue
		}
		for _, up := range [...]lossKey{{kind: byStore, a: key.b, b: key.c}, {kind: byMerchant, a: key.c}} {
			l := t.at(up)
			l.merge(t.sum(i))
		}
	}
}

// rankLosses gives the losses of each kind, the largest first.
func rankLosses(p *plan, t *lossTable) Losses {
	sumTerminals(t)
	var all Losses
	for i := range t.len() {
		key, l := t.key(i), t.sum(i)
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
