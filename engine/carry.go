package engine

import (
	"cmp"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Rows of pending units are carried to the next days (rules 9). A carried row is
// a row like any other, but that its table stands behind today's tables and comes
// before them (placeOrder): what is carried is first, and a row of today that says
// the same again is its duplicate. A table of carried rows has the rows of one file
// and one day of origin, so that the table tells since when a row is carried.

// AddCarried takes the rows that an earlier day carried. It gives the tables of the
// run: those of the inputs, and behind them those of the carried rows. It comes
// after the batches, and before Run.
func (s *Store) AddCarried(tables []*schema.Table, c *Carried) ([]*schema.Table, error) {
	if c == nil {
		return tables, nil
	}
	n := carriedTables{tables: c.Tables, base: len(tables)}
	n.note(c.Bills.Table, c.BillSince)
	n.note(c.Orders.Table, c.OrderSince)
	n.note(c.Refunds.Table, c.RefundSince)
	n.number()
	s.carriedFrom = int32(len(tables))
	bills, orders, refunds := c.Bills, c.Orders, c.Refunds // what they share is not changed
	bills.Table = n.numbers(c.Bills.Table, c.BillSince)
	orders.Table = n.numbers(c.Orders.Table, c.OrderSince)
	refunds.Table = n.numbers(c.Refunds.Table, c.RefundSince)
	for _, b := range [...]struct {
		add   func(schema.Batch) error
		rows  schema.Rows
		lines schema.Rows
	}{
		{s.addBills, &bills, nil},
		{s.addOrders, &orders, &c.Lines},
		{s.addRefunds, &refunds, &c.RefundLines},
	} {
		if b.rows.Len() == 0 {
			continue
		}
		batch := schema.Batch{Rows: schema.Record(b.rows)}
		if b.lines != nil {
			batch.Lines = schema.Record(b.lines)
		}
		err := b.add(batch)
		batch.Rows.Release()
		if batch.Lines != nil {
			batch.Lines.Release()
		}
		if err != nil {
			return nil, err
		}
	}
	s.carried = int64(bills.Len() + orders.Len() + refunds.Len())
	return append(slices.Clip(tables), n.made...), nil
}

// carriedTables makes a table of each file and day of origin.
type carriedTables struct {
	tables []*schema.Table
	base   int
	keys   []carriedTable
	made   []*schema.Table
	at     map[carriedTable]int32
}

type carriedTable struct{ table, since int32 }

func (n *carriedTables) note(table, since []int32) {
	if n.at == nil {
		n.at = map[carriedTable]int32{}
	}
	for i := range table {
		key := carriedTable{table[i], since[i]}
		if _, ok := n.at[key]; !ok {
			n.at[key] = -1
			n.keys = append(n.keys, key)
		}
	}
}

// number puts the earlier days first, and the tables of one in the order of rules 1.
func (n *carriedTables) number() {
	slices.SortFunc(n.keys, func(a, b carriedTable) int {
		return cmp.Or(cmp.Compare(a.since, b.since), compareTables(n.tables[a.table], n.tables[b.table]), cmp.Compare(a.table, b.table))
	})
	for _, key := range n.keys {
		t := n.tables[key.table]
		n.at[key] = int32(n.base + len(n.made))
		n.made = append(n.made, &schema.Table{
			Path: t.Path, Member: t.Member, Kind: t.Kind, Format: t.Format, Dialect: t.Dialect, Encoding: t.Encoding, Account: t.Account,
			FeesAllZero: t.FeesAllZero, SHA256: t.SHA256, Bytes: t.Bytes, Since: key.since,
			From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
		})
	}
}

func (n *carriedTables) numbers(table, since []int32) []int32 {
	numbers := make([]int32, len(table))
	for i := range table {
		numbers[i] = n.at[carriedTable{table[i], since[i]}]
	}
	return numbers
}

func compareTables(a, b *schema.Table) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Member, b.Member), strings.Compare(a.SHA256, b.SHA256))
}

// placesOf is the number of today's tables, behind which stand those of carried
// rows.
func placesOf(tables []*schema.Table) placeOrder {
	for i, t := range tables {
		if t.Carried() {
			return placeOrder(i)
		}
	}
	return placeOrder(len(tables))
}

// carried tells whether a table holds carried rows; -1 is no table.
func (p *plan) carried(table int32) bool { return table >= int32(p.places) }

// carriedDays is for how many days a row of the table has been carried, 0 for a row
// of today's.
func (p *plan) carriedDays(table int32) int64 {
	if !p.carried(table) {
		return 0
	}
	return int64(dayOf(p.dayStart) - p.tables[table].Since)
}

// mayCome tells whether the other side of a single row may still come: the row is
// near an end of the business day where the other side may be on the other side of
// it, or it was so on an earlier day and has not been carried for too long (rules
// 3 and 9). Without state there is no yesterday to ask, and nothing is carried.
func (p *plan) mayCome(side rules.Side, table int32, t int64) bool {
	switch {
	case !p.job.State:
		return p.nearEnd(t)
	case p.carried(table):
		return p.carriedDays(table) < int64(p.job.CarryDays)
	}
	return p.job.CarryDays > 0 && (p.nearEnd(t) || side == rules.SideBill && p.nearStart(t))
}

// nearStart: the other side of a row at this time may have come yesterday.
func (p *plan) nearStart(t int64) bool {
	return p.dayStart != schema.Null && t >= p.dayStart && t < p.dayStart+p.job.CutoffWindow
}

// daysCarried is the carried_days of a unit of the two places, -1 for none.
func (p *plan) daysCarried(pos, bill int32) int64 {
	if !p.job.State {
		return schema.Null
	}
	return max(p.carriedDays(pos), p.carriedDays(bill))
}

// unitTables are the tables that the unit's rows stand in, -1 for none.
func (w *worker) unitTables(u *unit) (pos, bill int32) {
	pos, bill = -1, -1
	if u.order >= 0 {
		pos = w.rows.Orders.Table[w.orders[u.order].run]
	}
	if u.bill >= 0 {
		bill = w.rows.Bills.Table[u.bill]
	}
	return pos, bill
}

// refundCarried: a row of the refund has been carried.
func (w *worker) refundCarried(r *refundUnit) bool {
	return r.pos >= 0 && w.p.carried(w.rows.Refunds.Table[w.posRefunds[r.pos].run]) ||
		r.bill >= 0 && w.p.carried(w.rows.Bills.Table[r.bill])
}

// carryOut gathers the rows of the pending units, in the order of the result rows.
func (w *worker) carryOut() {
	c := &w.found.carried
	for _, i := range w.sorted {
		if u := &w.units[i]; u.status == rules.StatusPending {
			if u.order >= 0 {
				w.carryOrder(c, u.order)
			} else {
				w.carryBill(c, u.bill)
			}
		}
	}
	for _, i := range w.sortedRefunds {
		if r := &w.refunds[i]; r.status == rules.StatusPending {
			if r.pos >= 0 {
				w.carryRefund(c, r.pos)
			} else {
				w.carryBill(c, r.bill)
			}
		}
	}
}

// since is the day from which a row of the table is carried if it is carried on.
func (w *worker) since(table int32) int32 {
	if w.p.carried(table) {
		return w.p.tables[table].Since
	}
	return dayOf(w.p.dayStart)
}

func (w *worker) carryBill(c *Carried, row int32) {
	b := &w.rows.Bills
	schema.Append(&c.Bills, b, []int32{row})
	c.BillSince = append(c.BillSince, w.since(b.Table[row]))
	w.totals.carriedOut.add(b.Amount[row])
}

// carryOrder carries an order run by run. What its registry said of its merchant
// stays with it.
func (w *worker) carryOrder(c *Carried, order int32) {
	in, o := &w.rows.Orders, &w.orders[order]
	for run := o.run; run >= 0; run = w.nextRun[run] {
		schema.Append(&c.Orders, in, []int32{run})
		c.Orders.Merchant[c.Orders.Len()-1] = o.merchant
		c.OrderSince = append(c.OrderSince, w.since(in.Table[o.run]))
		schema.Append(&c.Lines, &w.rows.Lines, linesOf(nil, []int32{run}, w.orderLine))
	}
	w.totals.carriedOut.add(in.Total[o.run])
}

func (w *worker) carryRefund(c *Carried, refund int32) {
	in, r := &w.rows.Refunds, &w.posRefunds[refund]
	for run := r.run; run >= 0; run = w.nextRefundRun[run] {
		schema.Append(&c.Refunds, in, []int32{run})
		c.Refunds.Merchant[c.Refunds.Len()-1] = r.merchant
		c.RefundSince = append(c.RefundSince, w.since(in.Table[r.run]))
		schema.Append(&c.RefundLines, &w.rows.RefundLines, linesOf(nil, []int32{run}, w.refundLine))
	}
	w.totals.carriedOut.add(in.Amount[r.run])
}

// countCarried counts what became of the rows that were carried in: those of
// pending units are carried on, those of others are closed.
func (w *worker) countCarried() {
	if int(w.p.places) == len(w.p.tables) {
		return
	}
	count := func(pending bool, table int32) {
		switch {
		case !w.p.carried(table):
		case pending:
			w.totals.carriedOn++
		default:
			w.totals.carriedClosed++
		}
	}
	bill := func(pending bool, row int32) {
		if row >= 0 {
			count(pending, w.rows.Bills.Table[row])
		}
	}
	runs := func(pending bool, run int32, next, table []int32) {
		for ; run >= 0; run = next[run] {
			count(pending, table[run])
		}
	}
	in, refunds := &w.rows.Orders, &w.rows.Refunds
	for i := range w.units[:w.rowUnits] {
		u := &w.units[i]
		pending := u.status == rules.StatusPending
		bill(pending, u.bill)
		if u.order >= 0 {
			runs(pending, w.orders[u.order].run, w.nextRun, in.Table)
		}
	}
	for i := range w.refunds {
		r := &w.refunds[i]
		pending := r.status == rules.StatusPending
		bill(pending, r.bill)
		if r.pos >= 0 {
			runs(pending, w.posRefunds[r.pos].run, w.nextRefundRun, refunds.Table)
		}
	}
	for i := range w.billUse {
		if w.billUse[i].rejected {
			bill(false, int32(i))
		}
	}
	for i := range w.orders {
		if o := &w.orders[i]; o.rejected {
			runs(false, o.run, w.nextRun, in.Table)
		}
	}
	for i := range w.posRefunds {
		if r := &w.posRefunds[i]; r.rejected {
			runs(false, r.run, w.nextRefundRun, refunds.Table)
		}
	}
}

// carriedRows puts what the parts carry together, in their order, with the tables
// that the rows stand in.
func (d *driver) carriedRows() *Carried {
	all := &Carried{}
	for _, f := range d.found {
		c := &f.carried
		schema.AppendAll(&all.Bills, &c.Bills)
		schema.AppendAll(&all.Orders, &c.Orders)
		schema.AppendAll(&all.Lines, &c.Lines)
		schema.AppendAll(&all.Refunds, &c.Refunds)
		schema.AppendAll(&all.RefundLines, &c.RefundLines)
		all.BillSince = append(all.BillSince, c.BillSince...)
		all.OrderSince = append(all.OrderSince, c.OrderSince...)
		all.RefundSince = append(all.RefundSince, c.RefundSince...)
	}
	all.shareTables(d.plan.tables)
	return all
}

// shareTables leaves the tables that the rows stand in, each file once, in the
// order of rules 1, and numbers the rows' tables anew.
func (c *Carried) shareTables(tables []*schema.Table) {
	columns := [...][]int32{c.Bills.Table, c.Orders.Table, c.Refunds.Table}
	used := make([]bool, len(tables))
	for _, column := range columns {
		for _, t := range column {
			used[t] = true
		}
	}
	for i, t := range tables {
		if used[i] {
			c.Tables = append(c.Tables, t)
		}
	}
	slices.SortStableFunc(c.Tables, compareTables)
	c.Tables = slices.CompactFunc(c.Tables, func(a, b *schema.Table) bool { return compareTables(a, b) == 0 })
	number := make([]int32, len(tables))
	for i, t := range tables {
		if used[i] {
			at, _ := slices.BinarySearchFunc(c.Tables, t, compareTables)
			number[i] = int32(at)
		}
	}
	for _, column := range columns {
		for i, t := range column {
			column[i] = number[t]
		}
	}
}
