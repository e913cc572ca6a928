package engine

import (
	"fmt"
	"strconv"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An InvariantError is a proof that failed: a fault of the product, for which
// nothing is published (exit 70).
type InvariantError struct{ Invariant }

// Error names the proof and both sides.
func (e *InvariantError) Error() string {
	return fmt.Sprintf("engine: invariant %s does not hold: %s is not %s", e.Name, e.Left, e.Right)
}

// outTotals are counted from the result rows themselves, column by column, after
// they were made: the right side of the proofs.
type outTotals struct {
	trades, refunds [9]Tally
	causes          [32]CauseTally
	scenarios       [8]ScenarioTally
	allocated       rules.Sum
	parts           rules.Sum // expected parts of the refunds
	moved           rules.Sum // bill refunds that move their trade's cumulative amount
	losses          rules.Sum
	stated          rules.Sum

	excluded, excludedRefunds [16]side // of the POS, by rules.Reason

	accounts [6]AccountTally // by rules.AccountStatus
}

func tally(p *Part) outTotals {
	var t outTotals
	tallyUnits(&t.trades, p.Trades.Status, p.Trades.PosAmount, p.Trades.BillAmount)
	tallyUnits(&t.refunds, p.Refunds.Status, p.Refunds.PosAmount, p.Refunds.BillAmount)
	tallyExcluded(&t.excluded, p.Trades.Status, p.Trades.Reason, p.Trades.PosAmount)
	tallyExcluded(&t.excludedRefunds, p.Refunds.Status, p.Refunds.Reason, p.Refunds.PosAmount)
	tallyAccounts(&t.accounts, &p.Accounts)
	for i, scenario := range p.Goods.Scenario {
		s := &t.scenarios[scenario]
		s.Lines++
		t.allocated.AddInt(p.Goods.Allocated[i])
		if p.Goods.Filler[i] != 0 {
			s.Fillings++
			s.Filler.AddInt(p.Goods.Allocated[i])
		}
	}
	for _, column := range [...][]int64{
		p.Refunds.ExpectedPaid, p.Refunds.ExpectedRed, p.Refunds.ExpectedAllowance, p.Refunds.ExpectedCoupon,
	} {
		for _, v := range column {
			if v != schema.Null {
				t.parts.AddInt(v)
			}
		}
	}
	for i, counts := range p.Returned.Counts {
		if counts != 0 {
			t.moved.AddInt(p.Returned.BillAmount[i])
		}
	}
	for i, cause := range p.Rebates.Cause {
		c := &t.causes[cause]
		c.Count++
		stated := p.Rebates.Stated[i]
		if stated == schema.Null {
			stated = 0
		}
		c.Expected.AddInt(p.Rebates.Expected[i])
		c.Stated.AddInt(stated)
		c.Loss.AddInt(p.Rebates.Loss[i])
		t.stated.AddInt(stated)
		t.losses.AddInt(p.Rebates.Loss[i])
	}
	return t
}

func tallyUnits(tallies *[9]Tally, status []uint8, pos, bill []int64) {
	for i, s := range status {
		t := &tallies[s]
		if pos[i] != schema.Null {
			t.PosCount++
			t.PosAmount.AddInt(pos[i])
		}
		if bill[i] != schema.Null {
			t.BillCount++
			t.BillAmount.AddInt(bill[i])
		}
	}
}

func tallyExcluded(sides *[16]side, status, reason []uint8, pos []int64) {
	for i, s := range status {
		if s == uint8(rules.StatusExcluded) {
			sides[reason[i]].add(pos[i])
		}
	}
}

func (t *outTotals) merge(o *outTotals) {
	for i := range t.excluded {
		t.excluded[i].merge(o.excluded[i])
		t.excludedRefunds[i].merge(o.excludedRefunds[i])
	}
	for i := range t.accounts {
		t.accounts[i].merge(&o.accounts[i])
	}
	for i := range t.trades {
		t.trades[i].merge(&o.trades[i])
		t.refunds[i].merge(&o.refunds[i])
	}
	for i := range t.causes {
		c, d := &t.causes[i], &o.causes[i]
		c.Count += d.Count
		c.Expected.AddSum(d.Expected)
		c.Stated.AddSum(d.Stated)
		c.Loss.AddSum(d.Loss)
	}
	for i := range t.scenarios {
		s, o := &t.scenarios[i], &o.scenarios[i]
		s.Lines += o.Lines
		s.Fillings += o.Fillings
		s.Filler.AddSum(o.Filler)
	}
	t.allocated.AddSum(o.allocated)
	t.parts.AddSum(o.parts)
	t.moved.AddSum(o.moved)
	t.losses.AddSum(o.losses)
	t.stated.AddSum(o.stated)
}

func (t *Tally) merge(o *Tally) {
	t.PosCount += o.PosCount
	t.BillCount += o.BillCount
	t.PosAmount.AddSum(o.PosAmount)
	t.BillAmount.AddSum(o.BillAmount)
}

func (s side) String() string { return strconv.FormatInt(s.count, 10) + " / " + s.amount.String2() }

func (s side) plus(o side) side {
	s.merge(o)
	return s
}

// prove checks the conservation of rows and money (rules 3 and 8).
func (d *driver) prove(*Result) []Invariant {
	var all []Invariant
	add := func(name, left, right string) {
		all = append(all, Invariant{Name: name, Left: left, Right: right, Holds: left == right})
	}
	t := &d.totals
	var read readCount
	for table, c := range d.store.read {
		if !d.plan.tables[table].Refused {
			read.merge(c)
		}
	}
	tradesPos, tradesBill := sides(&d.out.trades)
	refundsPos, refundsBill := sides(&d.out.refunds)
	add("bill.payments", read.payments.String(), tradesBill.plus(t.paymentsRejected).String())
	add("bill.refunds", read.refunds.String(), refundsBill.plus(t.billRefundsRejected).String())
	add("pos.orders", t.orders.String(), tradesPos.plus(t.ordersRejected).String())
	add("pos.refunds", t.posRefunds.String(), refundsPos.plus(t.posRefundsRejected).String())
	add("goods.allocated", t.allocatedOrders.String2(), d.out.allocated.String2())
	add("refunds.parts", t.returned.String2(), d.out.parts.String2())
	for _, kind := range []schema.InputKind{
		schema.AlipayBill, schema.AlipayAccount, schema.PosOrders, schema.PosRefundsKind, schema.Rebate,
		schema.TaobaoOrders, schema.KukeduoOrders, schema.PosAPI,
	} {
		if d.plan.job.Inputs[kind] {
			d.proveRows(kind, add)
		}
	}
	if d.plan.job.State {
		d.proveCarried(add)
	}
	d.proveAccounts(add)
	if d.plan.settles {
		d.proveShifts(add)
	}
	if d.plan.job.Inputs[schema.DeviceRewardsKind] {
		v := &d.devices
		add("devices.rewards", v.read.String(), v.used.plus(v.rejected).String())
		add("devices.stated", v.rows.amount.String2(), v.used.amount.String2())
		both := v.allowed
		both.AddSum(v.excess)
		add("devices.amount", v.rows.amount.String2(), both.String2())
		rows, rejected := d.tableRows(schema.DeviceRewardsKind)
		add("rows.device_rewards", strconv.FormatInt(rows, 10), strconv.FormatInt(v.read.count+rejected, 10))
	}
	if d.plan.audit {
		var due, losses rules.Sum
		for cause := range d.out.causes {
			c := &d.out.causes[cause]
			losses.AddSum(c.Loss)
			if rules.Cause(cause) == rules.CauseStatementPending {
				continue
			}
			due.AddSum(c.Expected)
			due = due.Sub(c.Stated)
		}
		due = due.Sub(t.together) // compared with the aggregated row, as a group
		add("rebates.losses", losses.String6(), due.String6())
		accounted := t.unearned.amount
		for _, s := range []side{t.orphans, t.outOfScope, t.aggregated, t.statementsRejected} {
			accounted.AddSum(s.amount)
		}
		accounted.AddSum(d.out.stated)
		add("statements.amount", read.statements.amount.String6(), accounted.String6())
	}
	return all
}

// proveCarried checks what has to do with other days: that every row that was carried in is closed or carried on,
// and that what is carried to the next days is what is pending; and that trades
// have been refunded what earlier days and today's refunds come to.
func (d *driver) proveCarried(add func(name, left, right string)) {
	t := &d.totals
	add("carry.in", strconv.FormatInt(d.store.carried, 10), strconv.FormatInt(t.carriedClosed+t.carriedOn, 10))
	var pending side
	for _, of := range [...]*Tally{&d.out.trades[rules.StatusPending], &d.out.refunds[rules.StatusPending]} {
		pending.merge(side{of.PosCount, of.PosAmount})
		pending.merge(side{of.BillCount, of.BillAmount})
	}
	add("carry.out", pending.String(), t.carriedOut.String())
	if d.store.scanned.count > 0 {
		add("history.scanned", d.store.scanned.String(), t.earlier.String())
	}
	cumulative := t.refundedBefore
	cumulative.AddSum(d.out.moved)
	cumulative.AddSum(t.refundedPending)
	add("refunds.cumulative", t.refunded.String2(), cumulative.String2())
}

// proveRows checks that every row that a loader accepted reached the engine.
func (d *driver) proveRows(kind schema.InputKind, add func(name, left, right string)) {
	var rows, rejected, reached int64
	for i, t := range d.plan.tables {
		if t.Kind == kind && !t.Refused && !t.ControlOnly() && !t.Carried() {
			rows += t.Rows
			rejected += t.Rejected
			reached += t.Idle
			if c := d.store.read[int32(i)]; c != nil {
				reached += c.payments.count + c.refunds.count + c.lines - c.reported + c.statements.count + c.accounts.count
			}
		}
	}
	add("rows."+kind.String(), strconv.FormatInt(rows, 10), strconv.FormatInt(reached+rejected, 10))
}

// tableRows counts the rows of the kind's tables, and those that the loader rejected.
func (d *driver) tableRows(kind schema.InputKind) (rows, rejected int64) {
	for _, t := range d.plan.tables {
		if t.Kind == kind && !t.Refused {
			rows += t.Rows
			rejected += t.Rejected
		}
	}
	return rows, rejected
}

// sides adds the tallies of all statuses up by side.
func sides(tallies *[9]Tally) (pos, bill side) {
	for i := range tallies {
		t := &tallies[i]
		pos.count += t.PosCount
		pos.amount.AddSum(t.PosAmount)
		bill.count += t.BillCount
		bill.amount.AddSum(t.BillAmount)
	}
	return pos, bill
}
