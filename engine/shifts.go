package engine

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Shift is one of the job's shifts: it lasts until the next one starts, the
// last of the day until the first of the next day.
type Shift struct {
	Name  string
	Start int32 // seconds after midnight
}

// A ShiftRow is a row of shifts: what one operator took at one terminal in one
// shift by one channel, the POS beside Alipay (rules 10).
//
//   - The POS side is its paid orders, duplicates left out. Orders that were paid
//     otherwise stand under their channel. An order that the POS calls unpaid or
//     closed counts where Alipay's refunds have undone it: then the two agree.
//   - The bill side is every payment of the bill, duplicates left out.
//   - A unit belongs to its order's store, terminal and operator, and to the shift
//     that the order names, else to the job's at order_time. A payment without an
//     order has its own and 完成时间.
//   - A refund belongs where it was made: to the store, terminal and operator of
//     its bill row, else, where that names none, to its order's; and to the job's
//     shift at its own time. Without shifts in the job it belongs to the shift
//     that its order names, if it is of that day.
//   - Without any of these a day is one shift, whose name is blank.
type ShiftRow struct {
	Store, Terminal, Operator, Shift, Channel string
	Day                                       string // on which the shift began

	PosCount, BillCount, RefundCount, PosRefundCount     int64
	PosAmount, BillAmount, RefundAmount, PosRefundAmount rules.Sum // fen

	// Compared: the channel is Alipay's, so that there are two sides. Other
	// channels have what the POS says alone, refunds too.
	Compared bool
	// ComparedRefunds: Compared, and the inputs have POS refunds.
	ComparedRefunds bool
}

// HasPosRefunds tells whether the inputs say what the POS refunded.
func (r *ShiftRow) HasPosRefunds() bool { return r.ComparedRefunds || !r.Compared }

// Difference is what the bill has beyond the POS.
func (r *ShiftRow) Difference() rules.Sum { return r.BillAmount.Sub(r.PosAmount) }

// RefundDifference is what the bill refunded beyond the POS.
func (r *ShiftRow) RefundDifference() rules.Sum { return r.RefundAmount.Sub(r.PosRefundAmount) }

// Balanced tells whether what can be compared agrees.
func (r *ShiftRow) Balanced() bool {
	return !r.Compared || r.PosCount == r.BillCount && r.Difference().IsZero() &&
		(!r.ComparedRefunds || r.PosRefundCount == r.RefundCount && r.RefundDifference().IsZero())
}

// Add adds another row's counts and amounts.
func (r *ShiftRow) Add(o *ShiftRow) {
	r.PosCount += o.PosCount
	r.BillCount += o.BillCount
	r.RefundCount += o.RefundCount
	r.PosRefundCount += o.PosRefundCount
	r.PosAmount.AddSum(o.PosAmount)
	r.BillAmount.AddSum(o.BillAmount)
	r.RefundAmount.AddSum(o.RefundAmount)
	r.PosRefundAmount.AddSum(o.PosRefundAmount)
}

// A ShiftOrder is an order, payment or refund whose two sides differ in its shift:
// what is behind a difference.
type ShiftOrder struct {
	Store, Terminal, Operator, Shift, Channel, Day string // of its ShiftRow

	Refund                                   bool
	Merchant, OutTradeNo, TradeNo, RequestNo string
	Status                                   rules.Status
	Reason                                   rules.Reason
	Time                                     int64
	Pos, Bill                                int64 // as counted in the row, fen; Null if it is not in that side
	PosTable, PosLine, BillTable, BillLine   int32 // -1 for none
}

// A shiftKey is a ShiftRow's identity, in words.
type shiftKey struct {
	store, terminal, operator, shift, channel uint32
	day                                       int32
}

func (k shiftKey) hash() uint64 {
	const a, b, c = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9 // odd, without a pattern
	h := (uint64(k.store)<<32 | uint64(k.terminal)) * a
	h = (bits.RotateLeft64(h, 29) ^ uint64(k.operator)<<32 ^ uint64(k.shift)) * b
	h = (bits.RotateLeft64(h, 29) ^ uint64(k.channel)<<32 ^ uint64(uint32(k.day))) * c
	return h ^ h>>32
}

type shiftSum struct {
	pos, bill, posRefunds, refunds side
}

// A shiftTable adds up by shift. A worker keeps one for all its partitions.
type shiftTable struct{ sumTable[shiftKey, shiftSum] }

func (t *shiftTable) at(key shiftKey) *shiftSum {
	sum, _ := t.sumTable.at(key, key.hash())
	return sum
}

func (t *shiftTable) merge(o *shiftTable) {
	t.sumTable.merge(&o.sumTable, func(sum, more *shiftSum, _ bool) {
		sum.pos.merge(more.pos)
		sum.bill.merge(more.bill)
		sum.posRefunds.merge(more.posRefunds)
		sum.refunds.merge(more.refunds)
	})
}

// A planShift is a Shift by its word.
type planShift struct {
	start int64
	word  uint32
}

func (p *plan) planShifts() {
	for _, s := range p.job.Shifts {
		p.shifts = append(p.shifts, planShift{int64(s.Start), p.words.Code(s.Name)})
	}
	slices.SortFunc(p.shifts, func(a, b planShift) int { return cmp.Compare(a.start, b.start) })
}

// shiftAt is the shift that goes on at a time, and the day on which it began: the
// named one, else the job's, else the day.
func (p *plan) shiftAt(named uint32, t int64) (shift uint32, day int32) {
	day = dayOf(t)
	if len(p.shifts) == 0 {
		return named, day
	}
	second, last := t-int64(day)*daySeconds, len(p.shifts)-1
	at := last // before the first start, last night's goes on
	for i := range p.shifts {
		if p.shifts[i].start <= second {
			at = i
		}
	}
	if named == 0 {
		named = p.shifts[at].word
	}
	if second < p.shifts[0].start && named == p.shifts[last].word {
		day--
	}
	return named, day
}

// addToShift counts a trade in its shift.
func (w *worker) addToShift(u *unit) {
	in, b := &w.rows.Orders, &w.rows.Bills
	pos, bill := int64(schema.Null), int64(schema.Null)
	key, run, moment := shiftKey{channel: w.p.alipay}, int32(-1), int64(0)
	named := uint32(0)
	if u.order >= 0 {
		o := &w.orders[u.order]
		run = o.run
		moment, named = in.Time[run], in.Shift[run]
		if in.Channel[run] != 0 {
			key.channel = in.Channel[run]
		}
		pos = in.Total[run]
	} else {
		moment = b.Time[u.bill]
	}
	if u.bill >= 0 {
		bill = b.Amount[u.bill]
	}
	switch u.status {
	case rules.StatusDuplicate:
		return
	case rules.StatusExcluded:
		if u.reason != rules.ReasonOtherChannel && u.reason != rules.ReasonZeroAmount {
			return
		}
		if !w.paid(&w.orders[u.order]) {
			w.totals.unpaidElsewhere.add(pos)
			return
		}
	case rules.StatusStatusMismatch:
		pos = schema.Null
	case rules.StatusAmountMismatch, rules.StatusMatched, rules.StatusPending, rules.StatusBillOnly, rules.StatusPOSOnly:
	}
	at := &w.posts.all.at(int(w.post)).key
	key.store, key.terminal, key.operator = at.store, at.terminal, at.operator
	key.shift, key.day = w.p.shiftAt(named, moment)
	sum := w.shiftOf(key.channel, key.shift, key.day)
	if pos != schema.Null {
		sum.pos.add(pos)
	}
	if bill != schema.Null {
		sum.bill.add(bill)
	}
	if w.shiftOrders != nil && key.channel == w.p.alipay && pos != bill && u.reason != rules.ReasonZeroAmount {
		order := w.shiftOrder(key, u.merchant, u.key, u.status, u.reason, moment, pos, bill)
		order.TradeNo = string(w.tradeNo(u))
		order.PosTable, order.PosLine = placeIn(in.Table, in.Line, run)
		order.BillTable, order.BillLine = placeIn(b.Table, b.Line, u.bill)
		w.shiftOrders(order)
	}
}

// addRefundToShift counts a refund in the shift in which it was made.
func (w *worker) addRefundToShift(r *refundUnit) {
	if r.status == rules.StatusDuplicate || r.status == rules.StatusExcluded && r.reason != rules.ReasonOtherChannel {
		return
	}
	in, b, orders := &w.rows.Refunds, &w.rows.Bills, &w.rows.Orders
	pos, bill, run, order := int64(schema.Null), int64(schema.Null), int32(-1), int32(-1)
	if r.pos >= 0 {
		run = w.posRefunds[r.pos].run
		pos = in.Amount[run]
	}
	if r.bill >= 0 {
		bill = b.Amount[r.bill]
	}
	if r.unit >= 0 && w.units[r.unit].order >= 0 {
		order = w.orders[w.units[r.unit].order].run
	}
	if r.status == rules.StatusStatusMismatch {
		pos = schema.Null // the POS says that it did not come about
	}
	moment := w.refundTime(r)
	key, named := shiftKey{channel: w.p.alipay, store: either(in.Store, run, b.Store, r.bill)}, uint32(0)
	if r.bill >= 0 {
		key.terminal, key.operator = b.Terminal[r.bill], b.Operator[r.bill]
	}
	if order >= 0 {
		if orders.Channel[order] != 0 {
			key.channel = orders.Channel[order]
		}
		if key.store == 0 {
			key.store = orders.Store[order]
		}
		if key.store == orders.Store[order] && key.terminal == 0 && key.operator == 0 {
			key.terminal, key.operator = orders.Terminal[order], orders.Operator[order]
		}
		if len(w.p.shifts) == 0 && dayOf(orders.Time[order]) == dayOf(moment) {
			named = orders.Shift[order]
		}
	}
	if r.unit >= 0 && w.isPast(&w.units[r.unit]) {
		w.fillPastShift(&key, w.units[r.unit].past)
	}
	key.shift, key.day = w.p.shiftAt(named, moment)
	sum := w.shifts.at(key)
	if pos != schema.Null {
		sum.posRefunds.add(pos)
	}
	if bill != schema.Null {
		sum.refunds.add(bill)
	}
	if w.shiftOrders != nil && key.channel == w.p.alipay && pos != bill && w.p.comparesRefunds {
		order := w.shiftOrder(key, r.merchant, r.key, r.status, r.reason, moment, pos, bill)
		order.Refund, order.TradeNo, order.RequestNo = true, string(w.refundTradeNo(r)), string(w.requestNo(r))
		order.PosTable, order.PosLine = placeIn(in.Table, in.Line, run)
		order.BillTable, order.BillLine = placeIn(b.Table, b.Line, r.bill)
		w.shiftOrders(order)
	}
}

// fillPastShift says where the refund of an earlier day's trade belongs, as far as its
// own rows do not.
func (w *worker) fillPastShift(key *shiftKey, past int32) {
	h := &w.past
	if h.Channel[past] != 0 {
		key.channel = h.Channel[past]
	}
	if key.store == 0 {
		key.store = h.Store[past]
	}
	if key.store == h.Store[past] && key.terminal == 0 && key.operator == 0 {
		key.terminal, key.operator = h.Terminal[past], h.Operator[past]
	}
}

func (w *worker) shiftOrder(key shiftKey, merchant uint32, no int32, status rules.Status, reason rules.Reason, moment, pos, bill int64) ShiftOrder {
	p := w.p
	return ShiftOrder{
		Store: p.text(key.store), Terminal: p.text(key.terminal), Operator: p.text(key.operator), Shift: p.text(key.shift),
		Channel: p.text(key.channel), Day: dayText(key.day), Merchant: p.text(merchant), OutTradeNo: string(w.outTradeNo(no)),
		Status: status, Reason: reason, Time: moment, Pos: pos, Bill: bill,
	}
}

func placeIn(table, line []int32, row int32) (int32, int32) {
	if row < 0 {
		return -1, -1
	}
	return table[row], line[row]
}

// shiftRows are the rows of shifts: by store, then as the shifts follow one
// another, then by terminal and operator, Alipay first.
func shiftRows(p *plan, t *shiftTable) []ShiftRow {
	rows := make([]ShiftRow, 0, t.len())
	for _, i := range shiftOrder(p, t) {
		key, s := t.key(int(i)), t.sum(int(i))
		row := ShiftRow{
			Store: p.text(key.store), Terminal: p.text(key.terminal), Operator: p.text(key.operator), Shift: p.text(key.shift),
			Channel: p.text(key.channel), Day: dayText(key.day),
			PosCount: s.pos.count, BillCount: s.bill.count, RefundCount: s.refunds.count, PosRefundCount: s.posRefunds.count,
			PosAmount: s.pos.amount, BillAmount: s.bill.amount, RefundAmount: s.refunds.amount, PosRefundAmount: s.posRefunds.amount,
			Compared: key.channel == p.alipay,
		}
		row.ComparedRefunds = row.Compared && p.comparesRefunds
		if !row.Compared {
			row.RefundCount, row.RefundAmount = row.PosRefundCount, row.PosRefundAmount
		}
		rows = append(rows, row)
	}
	return rows
}

// shiftOrder is the order of the rows. Words are compared once each, and then by
// their places among all.
func shiftOrder(p *plan, t *shiftTable) []int32 {
	var words []uint32
	rank := map[uint32]int{}
	for i := range t.len() {
		k := t.key(i)
		for _, word := range [...]uint32{k.store, k.terminal, k.operator, k.shift, k.channel} {
			if _, ok := rank[word]; !ok {
				rank[word] = 0
				words = append(words, word)
			}
		}
	}
	slices.SortFunc(words, func(a, b uint32) int { return strings.Compare(p.text(a), p.text(b)) })
	for i, word := range words {
		rank[word] = i + len(p.shifts)
	}
	// The job's shifts follow one another; any other comes after them, by its name.
	shiftRank := maps.Clone(rank)
	for i, s := range p.shifts {
		shiftRank[s.word] = i
	}
	type place struct {
		store, day, shift, terminal, operator, channel int
		at                                             int32
	}
	places := make([]place, t.len())
	for i := range places {
		k := t.key(i)
		channel := -1 // Alipay first
		if k.channel != p.alipay {
			channel = rank[k.channel]
		}
		places[i] = place{rank[k.store], int(k.day), shiftRank[k.shift], rank[k.terminal], rank[k.operator], channel, int32(i)}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(a.store-b.store, a.day-b.day, a.shift-b.shift, a.terminal-b.terminal, a.operator-b.operator, a.channel-b.channel)
	})
	order := make([]int32, len(places))
	for i := range places {
		order[i] = places[i].at
	}
	return order
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// proveShifts checks that the shifts have every trade and refund that is to be
// settled, once: what the table adds up to is what the result rows do.
func (d *driver) proveShifts(add func(name, left, right string)) {
	var have shiftSum
	for i := range d.shifts.len() {
		s := d.shifts.sum(i)
		have.pos.merge(s.pos)
		have.bill.merge(s.bill)
		have.posRefunds.merge(s.posRefunds)
		have.refunds.merge(s.refunds)
	}
	var want shiftSum
	for status := range d.out.trades {
		t, r := &d.out.trades[status], &d.out.refunds[status]
		s := rules.Status(status)
		if s == rules.StatusDuplicate {
			continue
		}
		want.bill.merge(side{t.BillCount, t.BillAmount})
		want.refunds.merge(side{r.BillCount, r.BillAmount})
		if s != rules.StatusExcluded && s != rules.StatusStatusMismatch {
			want.pos.merge(side{t.PosCount, t.PosAmount})
			want.posRefunds.merge(side{r.PosCount, r.PosAmount})
		}
	}
	want.pos.merge(d.out.excluded[rules.ReasonOtherChannel])
	want.pos.merge(d.out.excluded[rules.ReasonZeroAmount])
	want.posRefunds.merge(d.out.excludedRefunds[rules.ReasonOtherChannel])
	have.pos.merge(d.totals.unpaidElsewhere)
	add("shifts.pos", want.pos.String(), have.pos.String())
	add("shifts.bill", want.bill.String(), have.bill.String())
	add("shifts.pos_refunds", want.posRefunds.String(), have.posRefunds.String())
	add("shifts.refunds", want.refunds.String(), have.refunds.String())
}
