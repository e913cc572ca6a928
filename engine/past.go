package engine

import (
	"bytes"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// What the partition's rows need of earlier days is asked for at once (rules 9):
//
//   - refunds whose order is in no input: the trade becomes a unit of its own, which
//     is no row of trades, and the refunds go on from where earlier days left off;
//   - trades that are carried: which refunds they have had;
//   - single orders and payments: an earlier day may have settled them, then they
//     are duplicates, and what hangs on them belongs to the trade of that day;
//   - statement rows whose trade is in no input: the trade is audited.

// asked is what a row of w.wanted was asked for: one of them is not -1.
type asked struct {
	unit, refund, statement int32
	payment                 bool // of pairsAgain, where unit is an order: for its payment
}

// A pastPaid is a statement row of a trade of an earlier day.
type pastPaid struct{ unit, row int32 }

// inheritEarlier gives an open POS refund that names no trade_no that of its order of
// an earlier day, if a bill refund may be its own by that.
func (w *worker) inheritEarlier() error {
	if w.p.job.History == nil || !w.openBillRefunds() {
		return nil
	}
	schema.Reset(&w.wanted)
	schema.Reset(&w.past)
	schema.Reset(&w.pastRefunds)
	w.asked = w.asked[:0]
	for _, i := range w.openPosRefunds() {
		if p := &w.posRefunds[i]; p.trade < 0 && w.orderOf(p.key, p.merchant) < 0 {
			w.ask(asked{unit: -1, refund: i, statement: -1}, p.merchant, w.outTradeNo(p.key), nil, schema.Null)
		}
	}
	if w.wanted.Len() == 0 {
		return nil
	}
	if err := w.p.job.History.Find(w.part.Number, &w.wanted, &w.past, &w.pastRefunds); err != nil {
		return err
	}
	for row, query := range w.past.Query {
		trade := w.past.TradeNo.At(row)
		if len(trade) == 0 || !w.pastTrade(int32(row)) {
			continue
		}
		i, of := w.asked[query].refund, w.trades.find(w.p.hash(trade), trade)
		if slices.ContainsFunc(w.refundsByTrade.of(of), w.openBillRefund) {
			w.posRefunds[i].trade, w.posRefundTrade[i] = of, of
		}
	}
	return nil
}

func (w *worker) openBillRefunds() bool {
	for i, kind := range w.rows.Bills.Kind {
		if kind == uint8(schema.Refund) && !w.billUse[i].rejected && w.openBillRefund(int32(i)) {
			return true
		}
	}
	return false
}

// isPast: the unit is a trade of an earlier day, of which today has no row.
func (w *worker) isPast(u *unit) bool {
	return u.order < 0 && u.bill < 0 && u.past >= 0 && w.past.Status[u.past] != 0
}

// isOrphan: the unit stands for refunds of a trade that nobody knows.
func (w *worker) isOrphan(u *unit) bool { return u.order < 0 && u.bill < 0 && !w.isPast(u) }

// lookUp asks the history, and puts what it says in its place.
func (w *worker) lookUp() error {
	schema.Reset(&w.wanted)
	schema.Reset(&w.past)
	schema.Reset(&w.pastRefunds)
	w.asked, w.pastPaid = w.asked[:0], w.pastPaid[:0]
	w.pastOfRow = fill(w.pastOfRow, w.rows.Statements.Len(), -1)
	if w.p.job.History == nil {
		return nil
	}
	if err := w.passEarlier(); err != nil {
		return err
	}
	w.askForUnits()
	w.askForRefunds()
	w.askForStatements()
	if w.wanted.Len() > 0 {
		if err := w.p.job.History.Find(w.part.Number, &w.wanted, &w.past, &w.pastRefunds); err != nil {
			return err
		}
	}
	w.joinMet()
	w.indexPast()
	w.answerUnits()
	w.answerRefunds()
	w.refundsAgain()
	w.answerStatements()
	w.metUnits()
	return nil
}

func (w *worker) ask(of asked, merchant uint32, no, trade []byte, t int64) {
	if len(no) == 0 && len(trade) == 0 {
		return
	}
	w.asked = append(w.asked, of)
	w.wanted.Merchant = append(w.wanted.Merchant, merchant)
	w.wanted.OutTradeNo.Append(no)
	w.wanted.TradeNo.Append(trade)
	w.wanted.Time = append(w.wanted.Time, t)
}

// askForUnits asks for the trades of orphans, for carried trades, and for single
// orders and payments.
func (w *worker) askForUnits() {
	b, in := &w.rows.Bills, &w.rows.Orders
	w.unitAsked = append(w.unitAsked[:0], make([]bool, len(w.units))...)
	w.orphanRow = fill(w.orphanRow, len(w.units), -1)
	for i := range w.refunds {
		if r := &w.refunds[i]; r.unit >= 0 && r.bill >= 0 && w.orphanRow[r.unit] < 0 {
			w.orphanRow[r.unit] = r.bill
		}
	}
	for i := range w.units {
		u := &w.units[i]
		of := asked{unit: int32(i), refund: -1, statement: -1}
		if i >= w.rowUnits {
			if row := w.orphanRow[i]; row >= 0 { // else its refund has found its order by the POS's number
				w.ask(of, u.merchant, w.outTradeNo(u.key), b.TradeNo.At(int(row)), b.Created[row])
			}
			continue
		}
		pos, bill := w.unitTables(u)
		carried := w.p.carried(pos) || w.p.carried(bill)
		if !carried && !w.maySettled(u) {
			continue
		}
		trade, t := w.tradeNo(u), at(b.Time, u.bill)
		if u.order >= 0 {
			t = in.Time[w.orders[u.order].run]
			if !carried {
				trade = nil // an order is known by its key (rules 2)
			}
		}
		w.unitAsked[i] = true
		w.ask(of, u.merchant, w.outTradeNo(u.key), trade, t)
	}
}

// maySettled: the unit is an order or a payment alone, and an earlier day may have
// settled it. Where all are alone because the other side is not given, those of
// earlier days are asked for.
func (w *worker) maySettled(u *unit) bool {
	switch {
	case u.order >= 0 && u.bill >= 0:
		return false
	case u.order >= 0 && w.orders[u.order].again, u.order < 0 && w.billUse[u.bill].again:
		return true
	case u.order >= 0:
		o := &w.orders[u.order]
		return o.first < 0 && o.excluded == 0 && w.paid(o) && (w.p.compares || w.rows.Orders.Time[o.run] < w.p.dayStart)
	}
	return w.billUse[u.bill].first < 0 && (w.p.compares || w.rows.Bills.Time[u.bill] < w.p.dayStart)
}

// askForRefunds asks for the orders of POS refunds that are in no input.
func (w *worker) askForRefunds() {
	for i := range w.refunds {
		r := &w.refunds[i]
		if r.pos < 0 || r.bill >= 0 || r.unit >= 0 || r.status == rules.StatusDuplicate || r.status == rules.StatusExcluded {
			continue
		}
		p := &w.posRefunds[r.pos]
		of := asked{unit: -1, refund: int32(i), statement: -1}
		w.ask(of, p.merchant, w.outTradeNo(p.key), nil, schema.Null)
		if p.trade >= 0 {
			w.ask(of, 0, nil, w.trades.key(p.trade), schema.Null)
		}
	}
}

// askForStatements asks for the trades of statement rows that no unit of today is
// sure to take.
func (w *worker) askForStatements() {
	if !w.p.audit {
		return
	}
	s := &w.rows.Statements
	if s.Len() == 0 {
		return
	}
	w.orderOfTrade = fill(w.orderOfTrade, w.trades.len(), -1)
	for i := range w.orders {
		if o := &w.orders[i]; o.trade >= 0 && !o.rejected && !w.leftOut(o) {
			w.orderOfTrade[o.trade] = int32(i)
		}
	}
	for i := range s.Len() {
		if m := s.Merchant[i]; m != 0 && !w.p.isPID[m] {
			continue // rejected
		}
		if byTrade, byKey := w.takesToday(int32(i), w.unitAsked); byTrade || byKey && w.statementTrade[i] < 0 {
			continue
		}
		if t := w.statementTrade[i]; t >= 0 && w.met.rows.Len() > 0 && w.met.byTrade[t] >= 0 {
			w.met.paid = append(w.met.paid, metPaid{int32(i), w.met.byTrade[t]})
			continue
		}
		w.ask(asked{unit: -1, refund: -1, statement: int32(i)}, s.Merchant[i], s.OutTradeNo.At(i), s.TradeNo.At(i), s.Time[i])
	}
}

// takesToday: a trade of today's, which is none of an earlier day, has the
// statement row's trade_no, or its out_trade_no.
func (w *worker) takesToday(row int32, earlier []bool) (byTrade, byKey bool) {
	takes := func(unit int32) bool { return unit >= 0 && !earlier[unit] }
	if trade := w.statementTrade[row]; trade >= 0 {
		for _, payment := range w.paymentsByTrade.of(trade) {
			byTrade = byTrade || takes(w.billUse[payment].unit)
		}
		if o := w.orderOfTrade[trade]; o >= 0 && takes(w.orderUnit[o]) {
			byTrade = true
		}
	}
	key, merchant := w.statementKey[row], w.rows.Statements.Merchant[row]
	if key < 0 {
		return byTrade, false
	}
	for _, payment := range w.paymentsByKey.of(key) {
		if merchant == 0 || w.rows.Bills.Merchant[payment] == merchant {
			byKey = byKey || takes(w.billUse[payment].unit)
		}
	}
	for i := w.orderStart[key]; i < w.orderStart[key+1]; i++ {
		if o := &w.orders[i]; !o.rejected && (merchant == 0 || o.merchant == merchant) {
			byKey = byKey || takes(w.orderUnit[i])
		}
	}
	return byTrade, byKey
}

// indexPast finds which rows of w.past are one trade, and the refunds of each.
func (w *worker) indexPast() {
	n := w.past.Len()
	w.pastRefs.reset(n)
	w.pastFirst = fill(w.pastFirst, n, -1)
	w.pastUnit = fill(w.pastUnit, n, -1)
	first := w.pastPlaces[:0] // by group of Ref
	for row := range int32(n) {
		w.pastFirst[row] = row
		if len(w.past.Ref.At(int(row))) == 0 {
			continue
		}
		if group := w.pastRefs.add(w.p.hash(w.past.Ref.At(int(row))), &w.past.Ref, int(row)); int(group) == len(first) {
			first = append(first, row)
		} else {
			w.pastFirst[row] = first[group]
		}
	}
	w.pastPlaces = first
	w.indexReturns()
}

// indexReturns finds the refunds of each row of w.past.
func (w *worker) indexReturns() {
	w.pastPlaces = fill(w.pastPlaces, w.pastRefunds.Len(), 0)
	lines := w.pastLines[:0]
	for row := range int32(w.pastRefunds.Len()) {
		lines = append(lines, row) // they stay in the order of time
	}
	w.pastLines = lines
	w.pastReturns.build(w.p.places, w.past.Len(), w.pastRefunds.Of, w.pastPlaces, lines)
}

// refundedBefore is what earlier days refunded of the trade.
func (w *worker) refundedBefore(past int32) (sum rules.Fen) {
	for _, row := range w.pastReturns.of(past) {
		if w.pastRefunds.Counts[row] != 0 {
			sum += rules.Fen(w.pastRefunds.BillAmount[row])
		}
	}
	return sum
}

// knownBefore gives the unit what earlier days refunded of its trade.
func (w *worker) knownBefore(u *unit, past int32) {
	u.past = past
	u.before = w.refundedBefore(past)
	u.refunded = u.before
}

func (w *worker) pastTrade(past int32) bool { return pastTrade(&w.past, int(past)) }

// pastTrade: the row found is a trade that a refund or a rebate can be of. The
// online side catches none of today's either.
func pastTrade(found *schema.Settled, row int) bool {
	switch {
	case found.Status[row] == 0:
		return false
	case rules.Status(found.Status[row]) != rules.StatusExcluded:
		return true
	}
	switch rules.Reason(found.Reason[row]) { //nolint:exhaustive // the others are the POS's own
	case rules.ReasonO2OPassport, rules.ReasonOnlineOrder, rules.ReasonNotFacePay:
		return false
	}
	return true
}

// unitOfPast is the unit of a trade of an earlier day, made when it is first met.
func (w *worker) unitOfPast(past int32) int32 {
	past = w.pastFirst[past]
	if w.pastUnit[past] >= 0 {
		return w.pastUnit[past]
	}
	h := &w.past
	u := unit{
		order: -1, bill: -1, key: -1, merchant: h.Merchant[past], firstRefund: -1, lastRefund: -1,
		status: rules.Status(h.Status[past]), reason: rules.Reason(h.Reason[past]), split: h.Flags[past]&schema.SettledSplit != 0,
	}
	if no := h.OutTradeNo.At(int(past)); len(no) > 0 {
		u.key = w.keys.add(w.p.hash(no), &h.OutTradeNo, int(past))
	}
	u.funding[rules.FundPaid] = rules.Fen(h.Paid[past])
	u.funding[rules.FundRedPacket] = rules.Fen(h.RedPacket[past])
	u.funding[rules.FundAllowance] = rules.Fen(h.Allowance[past])
	u.funding[rules.FundCoupon] = rules.Fen(h.Coupon[past])
	u.funding[rules.FundMerchantRed] = rules.Fen(h.MerchantRed[past])
	for _, total := range [...]int64{h.PosAmount[past], h.BillAmount[past]} { // the bill's, if there is one
		if total != schema.Null {
			u.total, u.hasTotal = rules.Fen(total), true
		}
	}
	w.knownBefore(&u, past)
	w.units = append(w.units, u)
	w.pastUnit[past] = int32(len(w.units) - 1)
	return w.pastUnit[past]
}

// answerUnits gives orphans their trade, carried trades their earlier refunds, and
// makes those that an earlier day settled duplicates of its trade.
func (w *worker) answerUnits() {
	n := len(w.units)
	w.unitNow = fill(w.unitNow, n, -1)
	for row, query := range w.past.Query[:w.met.base] {
		of := w.asked[query].unit
		if of < 0 {
			continue
		}
		past := int32(row)
		switch {
		case int(of) >= w.rowUnits && w.past.Status[past] == 0:
			w.knownBefore(&w.units[of], past)
		case int(of) >= w.rowUnits:
			if w.pastTrade(past) && w.sameTrade(past, w.rows.Bills.TradeNo.At(int(w.orphanRow[of]))) {
				w.unitNow[of] = w.unitOfPast(past)
			}
		case w.settledBefore(of, past):
			w.units[of].again = true
			w.units[of].past = w.pastFirst[past]
			w.unitNow[of] = w.unitOfPast(past)
		case w.past.Status[past] == 0 || w.sameTrade(past, w.tradeNo(&w.units[of])) && len(w.past.TradeNo.At(row)) > 0:
			w.knownBefore(&w.units[of], past)
		}
	}
	for i := range w.refunds {
		if r := &w.refunds[i]; r.unit >= 0 && w.unitNow[r.unit] >= 0 {
			r.unit = w.unitNow[r.unit]
		}
	}
}

// sameTrade: the trade_nos do not tell the two apart.
func (w *worker) sameTrade(past int32, trade []byte) bool {
	other := w.past.TradeNo.At(int(past))
	return len(trade) == 0 || len(other) == 0 || bytes.Equal(trade, other)
}

// settledBefore: the identity of the single order or payment is taken by a row that
// an earlier day settled.
func (w *worker) settledBefore(of, past int32) bool {
	u := &w.units[of]
	pos, bill := w.unitTables(u)
	switch {
	case w.p.carried(pos) || w.p.carried(bill):
		return false
	case u.order >= 0:
		return w.orderTaken(u.merchant, u.key, past)
	}
	return w.paymentTaken(u.bill, past)
}

// answerRefunds hangs POS refunds on the trades of earlier days. The refund of an
// order that was left out is left out for the same reason.
func (w *worker) answerRefunds() {
	for row, query := range w.past.Query[:w.met.base] {
		of := w.asked[query]
		if of.refund < 0 || w.past.Status[row] == 0 {
			continue
		}
		r := &w.refunds[of.refund]
		if r.status == rules.StatusExcluded || r.unit >= 0 {
			continue // its key, which is asked for first, has said it
		}
		past := int32(row)
		r.unit = w.unitOfPast(past)
		if w.past.Status[past] == uint8(rules.StatusExcluded) {
			r.status, r.reason = rules.StatusExcluded, rules.Reason(w.past.Reason[past])
		}
	}
}

// refundsAgain makes refunds that an earlier day had duplicates (rules 2). A pair of
// which it had one side alone comes apart.
func (w *worker) refundsAgain() {
	if w.pastRefunds.Len() == 0 {
		return
	}
	for i := range len(w.refunds) {
		r := &w.refunds[i]
		if r.unit < 0 || r.status == rules.StatusDuplicate || r.status == rules.StatusExcluded || w.units[r.unit].past < 0 {
			continue
		}
		pos, bill := int32(-1), int32(-1)
		if r.pos >= 0 {
			pos = w.posRefundBefore(r)
		}
		if r.bill >= 0 {
			bill = w.billRefundBefore(r)
		}
		switch {
		case pos < 0 && bill < 0:
		case r.pos < 0 || r.bill < 0:
			r.status, r.reason, r.past = rules.StatusDuplicate, 0, max(pos, bill)
		default:
			w.comeApart(int32(i), pos, bill)
		}
	}
}

// comeApart makes two single refunds of a pair.
func (w *worker) comeApart(i, pos, bill int32) {
	r := &w.refunds[i]
	row := r.bill
	other := refundUnit{
		pos: -1, bill: row, unit: r.unit, next: -1, key: w.billKey[row], merchant: w.rows.Bills.Merchant[row], past: bill,
		status: rules.StatusDuplicate,
	}
	w.billUse[row].order = -1
	w.posRefunds[r.pos].bill = -1
	r.bill, r.past, r.status, r.reason = -1, pos, rules.StatusDuplicate, 0
	if pos < 0 {
		r.status = w.singleRefund(w.posRefunds[r.pos].run)
	}
	if bill < 0 {
		other.status = w.singleBillRefund(row)
	}
	w.refunds = append(w.refunds, other)
}

// singleRefund is the status of a POS refund that the bill does not have.
func (w *worker) singleRefund(run int32) rules.Status {
	in := &w.rows.Refunds
	if w.p.mayCome(rules.SidePOS, in.Table[run], in.Time[run]) {
		return rules.StatusPending
	}
	return rules.StatusPOSOnly
}

// singleBillRefund is the status of a bill refund that the POS does not have.
func (w *worker) singleBillRefund(row int32) rules.Status {
	b := &w.rows.Bills
	if w.p.mayCome(rules.SideBill, b.Table[row], b.Time[row]) {
		return rules.StatusPending
	}
	return rules.StatusBillOnly
}

// posRefundBefore is the refund of an earlier day that has the POS refund's
// identity, or -1.
func (w *worker) posRefundBefore(r *refundUnit) int32 {
	in, h := &w.rows.Refunds, &w.pastRefunds
	run := w.posRefunds[r.pos].run
	no := in.RequestNo.At(int(run))
	for _, row := range w.pastReturns.of(w.units[r.unit].past) {
		if h.PosAmount[row] == schema.Null || !bytes.Equal(h.RequestNo.At(int(row)), no) {
			continue
		}
		if len(no) > 0 || h.Time[row] == in.Time[run] && h.PosAmount[row] == in.Amount[run] {
			return row
		}
	}
	return -1
}

// billRefundBefore is the refund of an earlier day that has the bill refund's
// identity, or -1. Without a number one file may have several that are alike: they
// are those of the earlier day as far as that had as many.
func (w *worker) billRefundBefore(r *refundUnit) int32 {
	b, h := &w.rows.Bills, &w.pastRefunds
	no := b.RequestNo.At(int(r.bill))
	alike := 0
	if len(no) == 0 {
		for _, row := range w.refundsByTrade.of(w.billTrade[r.bill]) {
			if b.Table[row] == b.Table[r.bill] && b.Line[row] < b.Line[r.bill] && w.sameBillRefund(row, r.bill) {
				alike++
			}
		}
	}
	for _, row := range w.pastReturns.of(w.units[r.unit].past) {
		if h.BillAmount[row] == schema.Null || !bytes.Equal(h.RequestNo.At(int(row)), no) {
			continue
		}
		if len(no) == 0 && (h.Time[row] != b.Time[r.bill] || h.BillAmount[row] != b.Amount[r.bill]) {
			continue
		}
		if alike == 0 {
			return row
		}
		alike--
	}
	return -1
}

// answerStatements gives statement rows to the trades of earlier days.
func (w *worker) answerStatements() {
	s := &w.rows.Statements
	w.unitAsked = w.unitAsked[:0] // from here on: which units are of an earlier day
	for i := range w.units {
		w.unitAsked = append(w.unitAsked, w.units[i].again)
	}
	for row, query := range w.past.Query[:w.met.base] {
		if of := w.asked[query].statement; of >= 0 {
			w.payPast(of, int32(row))
		}
	}
	for _, paid := range w.met.paid {
		w.payPast(paid.statement, w.met.base+paid.row)
	}
	slices.SortFunc(w.pastPaid, func(a, b pastPaid) int {
		if a.unit != b.unit {
			return int(a.unit - b.unit)
		}
		return w.p.places.compare(s.Table[a.row], s.Line[a.row], s.Table[b.row], s.Line[b.row])
	})
}

// payPast gives a statement row to a trade of an earlier day, unless one of today's
// has its number.
func (w *worker) payPast(statement, past int32) {
	trade := w.rows.Statements.TradeNo.At(int(statement))
	if !w.pastTrade(past) || !w.sameTrade(past, trade) {
		return
	}
	byTrade, byKey := w.takesToday(statement, w.unitAsked)
	if byTrade || byKey && !bytes.Equal(trade, w.past.TradeNo.At(int(past))) {
		return
	}
	w.pastOfRow[statement] = w.unitOfPast(past)
	w.pastPaid = append(w.pastPaid, pastPaid{w.pastOfRow[statement], statement})
}

// paysPast: a statement row pays the trade of an earlier day.
func (w *worker) paysPast(unit int32) bool {
	at, _ := slices.BinarySearchFunc(w.pastPaid, unit, func(p pastPaid, unit int32) int { return int(p.unit - unit) })
	return at < len(w.pastPaid) && w.pastPaid[at].unit == unit
}

// pastStatements gathers in w.paidRows the statement rows of a trade of an earlier
// day.
func (w *worker) pastStatements(unit int32) {
	w.paidRows = w.paidRows[:0]
	at, _ := slices.BinarySearchFunc(w.pastPaid, unit, func(p pastPaid, unit int32) int { return int(p.unit - unit) })
	for ; at < len(w.pastPaid) && w.pastPaid[at].unit == unit; at++ {
		w.paidRows = append(w.paidRows, w.pastPaid[at].row)
	}
}
