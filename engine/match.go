package engine

import (
	"bytes"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A unit is one row of trades: a matched pair, or a single order or payment. An
// orphan is no row: it stands for a trade that only its refunds speak of.
type unit struct {
	order, bill int32 // -1 for none
	key         int32 // group of the out_trade_no it is shown under, or -1
	merchant    uint32
	status      rules.Status
	reason      rules.Reason
	funding     rules.Funding
	split       bool // the funding is known (rules 5)
	total       rules.Fen
	hasTotal    bool
	refunded    rules.Fen
	firstRefund int32 // chain of refund units, -1 for none
	lastRefund  int32
	cause       rules.Cause

	past   int32     // in the history: its trade, or what it has of a trade of today's; -1 for none
	before rules.Fen // what earlier days refunded of it
	again  bool      // an earlier day has settled it
}

// sortBills resolves the merchants of the bill rows, rejects the rows that have
// none, and finds the rows of each key and trade.
func (w *worker) sortBills() {
	b := &w.rows.Bills
	n := b.Len()
	w.billUse = append(w.billUse[:0], make([]billState, n)...)
	w.paymentKey, w.paymentTrade = w.paymentKey[:0], w.paymentTrade[:0]
	w.billRefundKey, w.billRefundTrade = w.billRefundKey[:0], w.billRefundTrade[:0]
	for i := range n {
		b.Merchant[i] = w.p.billMerchant(b.Flags[i], b.Account[i], b.SubMerchant[i], b.Store[i])
		payment := b.Kind[i] == uint8(schema.Payment)
		pk, pt, rk, rt := int32(-1), int32(-1), int32(-1), int32(-1)
		switch m := b.Merchant[i]; {
		case m == 0 || !w.p.isPID[m]:
			w.billUse[i].rejected = true
			w.rejectBill(i)
		case payment:
			pk, pt = w.billKey[i], w.billTrade[i]
		default:
			rk, rt = w.billKey[i], w.billTrade[i]
		}
		w.paymentKey, w.paymentTrade = append(w.paymentKey, pk), append(w.paymentTrade, pt)
		w.billRefundKey, w.billRefundTrade = append(w.billRefundKey, rk), append(w.billRefundTrade, rt)
		w.billUse[i].first, w.billUse[i].order, w.billUse[i].unit = -1, -1, -1
	}
	w.paymentsByKey.build(w.p.places, w.keys.len(), w.paymentKey, b.Table, b.Line)
	w.paymentsByTrade.build(w.p.places, w.trades.len(), w.paymentTrade, b.Table, b.Line)
	w.refundsByKey.build(w.p.places, w.keys.len(), w.billRefundKey, b.Table, b.Line)
	w.paymentsByKey.byMerchant(b.Merchant)
	w.refundsByKey.byMerchant(b.Merchant)
	w.refundsByTrade.build(w.p.places, w.trades.len(), w.billRefundTrade, b.Table, b.Line)
}

// billState is what is known of a bill row.
type billState struct {
	rejected bool
	first    int32 // of a duplicate: the row that counts; else -1
	order    int32 // of a payment: the order it matches, or -1; of a refund: the POS refund
	unit     int32 // of a payment: its unit
	again    bool  // of a payment that was taken apart from its order: an earlier day settled it
}

func (w *worker) rejectBill(i int) {
	b := &w.rows.Bills
	if b.Kind[i] == uint8(schema.Payment) {
		w.totals.paymentsRejected.add(b.Amount[i])
	} else {
		w.totals.billRefundsRejected.add(b.Amount[i])
	}
	w.reject(b.Table[i], b.Line[i], rules.CodeMerchantUnknown, "", b.Line[i], w.p.text(b.SubMerchant[i]))
}

// findDuplicatePayments marks payment rows whose trade_no is taken; without a
// trade_no the key is the identity (rules 2).
func (w *worker) findDuplicatePayments() {
	b := &w.rows.Bills
	for trade := range int32(w.trades.len()) {
		rows := w.paymentsByTrade.of(trade)
		for _, row := range rows[min(1, len(rows)):] {
			w.billUse[row].first = rows[0]
		}
	}
	for i := range b.Len() {
		if w.billUse[i].rejected || b.Kind[i] != uint8(schema.Payment) || w.billTrade[i] >= 0 {
			continue
		}
		for _, row := range w.paymentsByKey.ofMerchant(w.billKey[i], b.Merchant[i], b.Merchant) {
			if int(row) == i {
				break
			}
			if w.billTrade[row] < 0 && w.billUse[row].first < 0 {
				w.billUse[i].first = row
				break
			}
		}
	}
}

// matchPayments pairs orders and payments: by key, then by trade_no (rules 3).
func (w *worker) matchPayments() {
	w.openOrders = w.openOrders[:0]
	for i := range w.orders {
		o := &w.orders[i]
		if o.rejected || o.first >= 0 || o.excluded != 0 {
			continue
		}
		if row := w.paymentOf(o); row >= 0 {
			o.bill = row
			w.billUse[row].order = int32(i)
		} else if o.trade >= 0 {
			w.openOrders = append(w.openOrders, int32(i))
		}
	}
	in := &w.rows.Orders
	slices.SortFunc(w.openOrders, func(a, b int32) int {
		x, y := w.orders[a].run, w.orders[b].run
		return w.p.places.compare(in.Table[x], in.Line[x], in.Table[y], in.Line[y])
	})
	for _, i := range w.openOrders {
		o := &w.orders[i]
		rows := w.paymentsByTrade.of(o.trade)
		if len(rows) > 0 && w.billUse[rows[0]].order < 0 {
			o.bill, o.byTrade = rows[0], true
			w.billUse[rows[0]].order = i
		}
	}
}

// paymentOf is the payment with the order's key: of several the one with its
// trade_no, else the first; -1 if there is none.
func (w *worker) paymentOf(o *order) int32 {
	found := int32(-1)
	for _, row := range w.paymentsByKey.ofMerchant(o.key, o.merchant, w.rows.Bills.Merchant) {
		use := &w.billUse[row]
		if use.first >= 0 || use.order >= 0 {
			continue
		}
		if o.trade >= 0 && w.billTrade[row] == o.trade {
			return row
		}
		if found < 0 {
			found = row
		}
	}
	return found
}

// makeUnits makes one unit of each pair and of each single order and payment.
func (w *worker) makeUnits() {
	b := &w.rows.Bills
	w.units = w.units[:0]
	w.orderUnit = append(w.orderUnit[:0], make([]int32, len(w.orders))...)
	w.tradeRejected = append(w.tradeRejected[:0], make([]bool, w.trades.len())...)
	for i := range w.orders {
		o := &w.orders[i]
		w.orderUnit[i] = -1
		if o.rejected {
			if o.trade >= 0 {
				w.tradeRejected[o.trade] = true
			}
			continue
		}
		w.orderUnit[i] = int32(len(w.units))
		if o.bill >= 0 {
			w.billUse[o.bill].unit = int32(len(w.units))
		}
		w.units = append(w.units, unit{
			order: int32(i), bill: o.bill, key: o.key, merchant: o.merchant, firstRefund: -1, lastRefund: -1, past: -1,
		})
	}
	for i := range b.Len() {
		use := &w.billUse[i]
		if use.rejected || b.Kind[i] != uint8(schema.Payment) || use.order >= 0 {
			continue
		}
		use.unit = int32(len(w.units))
		w.units = append(w.units, unit{
			order: -1, bill: int32(i), key: w.billKey[i], merchant: b.Merchant[i], firstRefund: -1, lastRefund: -1, past: -1,
		})
	}
	w.rowUnits = len(w.units)
	for i := range w.units {
		w.fund(&w.units[i])
	}
}

// fund finds what paid the unit's order (rules 5): from the bill's payment row,
// else from the POS.
func (w *worker) fund(u *unit) {
	var pos rules.Funding
	in := &w.rows.Orders
	if u.order >= 0 {
		run := w.orders[u.order].run
		pos[rules.FundAllowance] = given(in.Allowance[run])
		pos[rules.FundCoupon] = given(in.Coupon[run])
		pos[rules.FundRedPacket] = given(in.RedPacket[run])
		u.total, u.hasTotal = rules.Fen(in.Total[run]), true
		pos[rules.FundPaid] = u.total - pos[rules.FundRedPacket] - pos[rules.FundAllowance] - pos[rules.FundCoupon]
		if in.BuyerPaid[run] != schema.Null {
			pos[rules.FundPaid] = rules.Fen(in.BuyerPaid[run])
		}
		if in.Flags[run]&schema.OrderMessages != 0 {
			pos[rules.FundMerchantRed] = u.total - pos.Total()
		}
	}
	if u.bill < 0 {
		u.funding, u.split = pos, u.hasTotal
		return
	}
	if u.order >= 0 && in.Flags[w.orders[u.order].run]&schema.OrderMessages != 0 {
		pos = rules.Funding{} // its allowance and coupon are not told apart: the bill's voucher tells
	}
	b := &w.rows.Bills
	i := u.bill
	u.total, u.hasTotal = rules.Fen(b.Amount[i]), true
	u.split = b.Flags[i]&schema.NoSplit == 0
	if !u.split {
		return
	}
	u.funding = rules.BillFunding(u.total, given(b.RedPacket[i])+given(b.PlatformDiscount[i]),
		given(b.MerchantRed[i]), given(b.MerchantDiscount[i]), given(b.Voucher[i]), pos)
}

// given is an amount whose blank counts as 0.
func given(v int64) rules.Fen {
	if v == schema.Null {
		return 0
	}
	return rules.Fen(v)
}

// settle gives each unit its status, the first that applies (rules 3). The
// refunds have been added up before: they can cancel a trade.
func (w *worker) settle() {
	for i := range w.units[:w.rowUnits] {
		u := &w.units[i]
		switch {
		case u.again, u.order >= 0 && w.orders[u.order].first >= 0, u.order < 0 && w.billUse[u.bill].first >= 0:
			u.status = rules.StatusDuplicate
		case u.order >= 0 && w.orders[u.order].excluded != 0:
			u.status, u.reason = rules.StatusExcluded, w.orders[u.order].excluded
		case u.order >= 0 && u.bill >= 0:
			w.settlePair(u)
		case u.order >= 0:
			w.settleOrder(u)
		default:
			w.settlePayment(u)
		}
	}
}

func (w *worker) settlePair(u *unit) {
	b, in := &w.rows.Bills, &w.rows.Orders
	o := &w.orders[u.order]
	difference := rules.Fen(b.Amount[u.bill] - in.Total[o.run])
	u.status = rules.StatusMatched
	if o.byTrade && b.Merchant[u.bill] != o.merchant {
		u.reason = rules.ReasonMerchantDiffers
	}
	switch {
	case !w.paid(o) && u.refunded == u.total:
		u.reason = rules.ReasonCancelledRefunded
	case !w.paid(o):
		u.status = rules.StatusStatusMismatch
	case difference.Abs() > w.p.job.AmountTolerance:
		u.status = rules.StatusAmountMismatch
	}
}

func (w *worker) settleOrder(u *unit) {
	o := &w.orders[u.order]
	switch {
	case !w.paid(o):
		u.status, u.reason = rules.StatusExcluded, rules.ReasonNotPaid
	case w.p.mayCome(rules.SidePOS, w.rows.Orders.Table[o.run], w.rows.Orders.Time[o.run]):
		u.status = rules.StatusPending
	default:
		u.status = rules.StatusPOSOnly
	}
}

func (w *worker) settlePayment(u *unit) {
	b := &w.rows.Bills
	if w.posRejected(u) {
		u.reason = rules.ReasonPOSRejected
	}
	if w.paidTwice(u) {
		u.status, u.reason = rules.StatusBillOnly, rules.ReasonPaidTwice
		return
	}
	u.status = rules.StatusBillOnly
	if w.p.mayCome(rules.SideBill, b.Table[u.bill], b.Time[u.bill]) {
		u.status = rules.StatusPending
	}
}

// posRejected: a rejected order has the payment's key or trade_no.
func (w *worker) posRejected(u *unit) bool {
	_, orders := w.ordersOf(u.key, u.merchant)
	for i := range orders {
		if orders[i].rejected {
			return true
		}
	}
	trade := w.billTrade[u.bill]
	return trade >= 0 && w.tradeRejected[trade]
}

// paidTwice: another payment of the unit's key came before it, or is the one that
// the order matches.
func (w *worker) paidTwice(u *unit) bool {
	before := true
	for _, row := range w.paymentsByKey.ofMerchant(u.key, u.merchant, w.rows.Bills.Merchant) {
		if row == u.bill {
			before = false
			continue
		}
		use := &w.billUse[row]
		if use.first >= 0 {
			continue
		}
		matched := use.order >= 0
		if matched && w.orders[use.order].key != u.key { // that one belongs to another order
			continue
		}
		if matched || before {
			return true
		}
	}
	return false
}

// sortUnits orders the units by key: merchant, out_trade_no, then place. Trades of
// earlier days that statements pay are among them.
func (w *worker) sortUnits() {
	o := &w.ordering
	o.rankLater(&w.keys)
	w.unitOrder = w.unitOrder[:0]
	for i := range w.rowUnits {
		u := &w.units[i]
		w.unitOrder = append(w.unitOrder, orderedUnit{u.merchant, o.of(u.key), int32(i)})
	}
	for i, paid := range w.pastPaid {
		if i == 0 || w.pastPaid[i-1].unit != paid.unit {
			u := &w.units[paid.unit]
			w.unitOrder = append(w.unitOrder, orderedUnit{u.merchant, o.of(u.key), paid.unit})
		}
	}
	for _, i := range w.met.units {
		u := &w.units[i]
		w.unitOrder = append(w.unitOrder, orderedUnit{u.merchant, o.of(u.key), i})
	}
	w.sorted = w.sorted[:0]
	if w.mergeUnits() {
		return
	}
	slices.SortFunc(w.unitOrder, w.compareOrdered)
	for _, ordered := range w.unitOrder {
		w.sorted = append(w.sorted, ordered.unit)
	}
}

// mergeUnits sorts units that were made in order, those of orders and then those of
// payments alone, as they are where all are of one merchant; false if they were not.
func (w *worker) mergeUnits() bool {
	a := w.unitOrder
	var b []orderedUnit
	for i := 1; i < len(w.unitOrder); i++ {
		if w.compareOrdered(w.unitOrder[i-1], w.unitOrder[i]) > 0 {
			if b != nil {
				return false
			}
			a, b = w.unitOrder[:i], w.unitOrder[i:]
		}
	}
	for len(a) > 0 && len(b) > 0 {
		if w.compareOrdered(a[0], b[0]) <= 0 {
			w.sorted, a = append(w.sorted, a[0].unit), a[1:]
		} else {
			w.sorted, b = append(w.sorted, b[0].unit), b[1:]
		}
	}
	for _, rest := range [...][]orderedUnit{a, b} {
		for _, ordered := range rest {
			w.sorted = append(w.sorted, ordered.unit)
		}
	}
	return true
}

func (w *worker) compareOrdered(a, b orderedUnit) int {
	if a.merchant == b.merchant && a.rank != b.rank { // nearly always
		return int(a.rank) - int(b.rank)
	}
	return w.compareUnits(&w.units[a.unit], &w.units[b.unit])
}

// An orderedUnit is a unit with what it is ordered by.
type orderedUnit struct {
	merchant   uint32
	rank, unit int32
}

func (w *worker) compareUnits(u, v *unit) int {
	if c := w.compareKeys(u.merchant, u.key, v.merchant, v.key); c != 0 {
		return c
	}
	if up, vp := w.isPast(u), w.isPast(v); up || vp { // they have no place, and come first
		if up && vp {
			return bytes.Compare(w.tradeNo(u), w.tradeNo(v))
		}
		return compareBool(vp, up)
	}
	if (u.order >= 0) != (v.order >= 0) {
		if u.order >= 0 {
			return -1
		}
		return 1
	}
	tu, lu := w.placeOf(u)
	tv, lv := w.placeOf(v)
	return w.p.places.compare(tu, lu, tv, lv)
}

func (w *worker) compareKeys(m1 uint32, k1 int32, m2 uint32, k2 int32) int {
	if m1 != m2 {
		if w.p.text(m1) < w.p.text(m2) {
			return -1
		}
		return 1
	}
	return int(w.ordering.of(k1)) - int(w.ordering.of(k2))
}

// placeOf is where the unit stands: its order's place, else its payment's.
func (w *worker) placeOf(u *unit) (table, line int32) {
	if u.order >= 0 {
		run := w.orders[u.order].run
		return w.rows.Orders.Table[run], w.rows.Orders.Line[run]
	}
	return w.rows.Bills.Table[u.bill], w.rows.Bills.Line[u.bill]
}
