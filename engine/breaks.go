package engine

import (
	"cmp"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// checkUnit finds the breaks of a trade (rules 12).
func (w *worker) checkUnit(u *unit) {
	in, b := &w.rows.Orders, &w.rows.Bills
	run, pos, bill := int32(-1), int64(schema.Null), int64(schema.Null)
	if u.order >= 0 {
		run = w.orders[u.order].run
		pos = in.Total[run]
	}
	if u.bill >= 0 {
		bill = b.Amount[u.bill]
	}
	switch u.status {
	case rules.StatusDuplicate:
		w.checkDuplicate(u, run, pos, bill)
		return
	case rules.StatusStatusMismatch:
		w.find(rules.BreakStatusMismatch, rules.SideBoth, u, bill, pos, bill, "")
	case rules.StatusAmountMismatch:
		w.find(rules.BreakAmountMismatch, rules.SideBoth, u, absolute(bill-pos), pos, bill, "")
	case rules.StatusBillOnly, rules.StatusPOSOnly, rules.StatusPending:
		w.checkSingle(u, pos, bill)
	case rules.StatusExcluded, rules.StatusMatched:
	}
	if u.order >= 0 {
		w.checkOrderIdentity(u, run)
		if u.status != rules.StatusExcluded {
			w.checkRegistries(u, run)
		}
	}
	if u.bill >= 0 {
		w.checkPayment(u)
	}
	if u.order >= 0 && u.bill >= 0 && u.status != rules.StatusExcluded {
		w.checkPair(u, run)
	}
}

// checkSingle finds what a one-sided trade means; without the other side's input
// it means nothing.
func (w *worker) checkSingle(u *unit, pos, bill int64) {
	if !w.p.compares {
		return
	}
	at := int32(-1) // pending is no break, but it may be what another waits for
	if code, ok := u.status.Break(); ok {
		at = w.find(code, code.Side(), u, max(pos, bill), pos, bill, "") // one of the two is Null
	}
	w.noteOpen(u, at)
}

func absolute(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

func (w *worker) checkDuplicate(u *unit, run int32, pos, bill int64) {
	gap := int64(0)
	if u.again {
		w.checkAgain(u, pos, bill)
		return
	}
	if u.order >= 0 {
		w.find(rules.BreakDuplicate, rules.SidePOS, u, pos, schema.Null, pos, "")
		in := &w.rows.Orders
		first := w.orders[w.orders[u.order].first].run
		for _, v := range [...][]int64{in.Total, in.BuyerPaid, in.RedPacket, in.Allowance, in.Coupon, in.Undiscountable} {
			if v[run] != schema.Null && v[first] != schema.Null {
				gap = max(gap, absolute(v[run]-v[first]))
			}
		}
		if gap != 0 {
			w.find(rules.BreakDuplicateConflict, rules.SidePOS, u, gap, in.Total[first], pos, "")
		}
		return
	}
	w.find(rules.BreakDuplicate, rules.SideBill, u, bill, schema.Null, bill, "")
	if gap = w.billGap(u.bill, w.billUse[u.bill].first); gap != 0 {
		w.find(rules.BreakDuplicateConflict, rules.SideBill, u, gap, w.rows.Bills.Amount[w.billUse[u.bill].first], bill, "")
	}
}

// checkAgain finds the breaks of a unit that an earlier day settled. Of that day
// the amount is known.
func (w *worker) checkAgain(u *unit, pos, bill int64) {
	side, amount, first := rules.SidePOS, pos, w.past.PosAmount[u.past]
	if u.order < 0 {
		side, amount, first = rules.SideBill, bill, w.past.BillAmount[u.past]
	}
	w.find(rules.BreakDuplicate, side, u, amount, schema.Null, amount, "")
	if gap := absolute(amount - first); gap != 0 {
		w.find(rules.BreakDuplicateConflict, side, u, gap, first, amount, "")
	}
}

// billGap is the largest difference of two bill rows of one identity.
func (w *worker) billGap(row, first int32) int64 {
	b := &w.rows.Bills
	gap := int64(0)
	for _, v := range [...][]int64{
		b.Amount, b.Received, b.RedPacket, b.Points, b.PlatformDiscount, b.MerchantDiscount,
		b.Voucher, b.MerchantRed, b.Card, b.Fee, b.Royalty,
	} {
		if v[row] != schema.Null && v[first] != schema.Null {
			gap = max(gap, absolute(v[row]-v[first]))
		}
	}
	return gap
}

func (w *worker) checkOrderIdentity(u *unit, run int32) {
	in := &w.rows.Orders
	if in.Flags[run]&schema.OrderMessages != 0 {
		if gap := in.Gap[run]; gap != 0 {
			w.find(rules.BreakAmountIdentity, rules.SidePOS, u, absolute(gap), schema.Null, schema.Null, gapNames[in.Flags[run]/schema.OrderGapReceipt&3])
		}
		return
	}
	if in.BuyerPaid[run] == schema.Null {
		return
	}
	paid := given(in.BuyerPaid[run]) + given(in.RedPacket[run]) + given(in.Allowance[run]) + given(in.Coupon[run])
	gap := rules.OrderGap(rules.Fen(in.Total[run]), given(in.BuyerPaid[run]), given(in.RedPacket[run]), given(in.Allowance[run]), given(in.Coupon[run]))
	if gap != 0 {
		w.find(rules.BreakAmountIdentity, rules.SidePOS, u, int64(gap.Abs()), in.Total[run], int64(paid), "")
	}
}

// gapNames are the fields of the identities of API messages, by the order's flags.
var gapNames = [...]string{1: "receipt_amount", 2: "buyer_pay_amount", 3: "invoice_amount"}

func (w *worker) checkPayment(u *unit) {
	b, i := &w.rows.Bills, u.bill
	if b.Flags[i]&schema.NoSplit == 0 {
		gap := rules.BillGap(rules.Fen(b.Amount[i]), rules.Fen(b.Received[i]), given(b.MerchantDiscount[i]), given(b.MerchantRed[i]))
		if gap != 0 {
			w.find(rules.BreakAmountIdentity, rules.SideBill, u, int64(gap.Abs()), b.Received[i]-int64(gap), b.Received[i], "商家实收")
		}
	}
	if due := w.feeDue(u); due != schema.Null {
		if gap := absolute(due - b.Fee[i]); gap > int64(w.p.job.FeeTolerance) {
			w.find(rules.BreakFeeMismatch, rules.SideBill, u, gap, due, b.Fee[i], "服务费")
		}
	}
}

func (w *worker) checkPair(u *unit, run int32) {
	in, b := &w.rows.Orders, &w.rows.Bills
	o := &w.orders[u.order]
	if !o.byTrade && o.trade >= 0 && w.billTrade[u.bill] >= 0 && o.trade != w.billTrade[u.bill] {
		i := w.find(rules.BreakTradeNoConflict, rules.SideBoth, u, b.Amount[u.bill], schema.Null, schema.Null, "")
		w.found.breaks[i].Reason = string(w.trades.key(o.trade))
	}
	if !u.split {
		return
	}
	worst, what, want, have := rules.Fen(0), "", rules.Fen(0), rules.Fen(0)
	compare := func(name string, pos int64, bill rules.Fen) {
		if pos == schema.Null {
			return
		}
		if gap := (rules.Fen(pos) - bill).Abs(); gap > worst {
			worst, what, want, have = gap, name, rules.Fen(pos), bill
		}
	}
	compare("buyer_paid", in.BuyerPaid[run], u.funding[rules.FundPaid])
	compare("red_packet", in.RedPacket[run], u.funding[rules.FundRedPacket])
	if in.Allowance[run] != schema.Null || in.Coupon[run] != schema.Null {
		compare("allowance+coupon", int64(given(in.Allowance[run])+given(in.Coupon[run])),
			u.funding[rules.FundAllowance]+u.funding[rules.FundCoupon])
	}
	if worst > 0 {
		w.find(rules.BreakFundingMismatch, rules.SideBoth, u, int64(worst), int64(want), int64(have), what)
	}
}

// checkRefund finds the breaks that a refund's status makes.
func (w *worker) checkRefund(r *refundUnit) {
	b := &w.rows.Bills
	pos, bill := int64(schema.Null), int64(schema.Null)
	if r.pos >= 0 {
		pos = w.rows.Refunds.Amount[w.posRefunds[r.pos].run]
	}
	if r.bill >= 0 {
		bill = b.Amount[r.bill]
	}
	switch r.status {
	case rules.StatusDuplicate:
		if r.past >= 0 {
			w.checkRefundAgain(r, pos, bill)
			return
		}
		if r.bill < 0 {
			w.findRefund(rules.BreakRefundDuplicate, r, pos, schema.Null, pos, "")
			first := w.posRefunds[w.posRefunds[r.pos].first].run
			if gap := absolute(pos - w.rows.Refunds.Amount[first]); gap != 0 {
				w.findRefund(rules.BreakDuplicateConflict, r, gap, w.rows.Refunds.Amount[first], pos, "")
			}
			return
		}
		w.findRefund(rules.BreakRefundDuplicate, r, bill, schema.Null, bill, "")
		if gap := w.billGap(r.bill, w.billUse[r.bill].first); gap != 0 {
			w.findRefund(rules.BreakDuplicateConflict, r, gap, b.Amount[w.billUse[r.bill].first], bill, "")
		}
		return
	case rules.StatusAmountMismatch:
		w.findRefund(rules.BreakRefundAmountMismatch, r, absolute(bill-pos), pos, bill, "")
	case rules.StatusBillOnly, rules.StatusPOSOnly:
		if code, ok := r.status.RefundBreak(); ok && w.p.comparesRefunds {
			w.findRefund(code, r, max(pos, bill), pos, bill, "") // one of the two is Null
		}
	case rules.StatusStatusMismatch:
		w.findRefund(rules.BreakRefundStatusMismatch, r, bill, pos, bill, "")
	case rules.StatusMatched, rules.StatusPending, rules.StatusExcluded:
	}
	if r.bill >= 0 && r.unit >= 0 && w.isOrphan(&w.units[r.unit]) {
		w.findRefund(rules.BreakRefundOrphan, r, bill, schema.Null, bill, "")
		if w.p.job.History != nil {
			w.found.breaks[len(w.found.breaks)-1].Severity = rules.BreakRefundOrphan.SeverityWithState()
		}
	}
}

// checkRefundAgain finds the breaks of a refund that an earlier day had.
func (w *worker) checkRefundAgain(r *refundUnit, pos, bill int64) {
	amount, first := pos, w.pastRefunds.PosAmount[r.past]
	if r.bill >= 0 {
		amount, first = bill, w.pastRefunds.BillAmount[r.past]
	}
	w.findRefund(rules.BreakRefundDuplicate, r, amount, schema.Null, amount, "")
	if gap := absolute(amount - first); gap != 0 {
		w.findRefund(rules.BreakDuplicateConflict, r, gap, first, amount, "")
	}
}

// find adds a break of a trade and gives its number.
func (w *worker) find(code rules.BreakCode, side rules.Side, u *unit, amount, expected, found int64, what string) int32 {
	br := Break{
		Code: code, Severity: code.Severity(), Side: side, Merchant: w.p.text(u.merchant),
		OutTradeNo: string(w.numberOf(u)), TradeNo: string(w.tradeNo(u)),
		Amount: amount, Expected: expected, Found: found, What: what, Reason: u.reason.String(),
	}
	in, b := &w.rows.Orders, &w.rows.Bills
	run := int32(-1)
	if u.order >= 0 {
		run = w.orders[u.order].run
	}
	if w.isPast(u) {
		w.fillPast(&br, u)
		w.found.breaks = append(w.found.breaks, br)
		w.about(subject{order: -1, bill: -1})
		return int32(len(w.found.breaks) - 1)
	}
	br.Store = w.p.text(either(in.Store, run, b.Store, u.bill))
	br.Terminal = w.p.text(either(in.Terminal, run, b.Terminal, u.bill))
	br.Operator = w.p.text(either(in.Operator, run, b.Operator, u.bill))
	br.Time = at(b.Time, u.bill)
	if br.Time == schema.Null {
		br.Time = at(in.Time, run)
	}
	if run >= 0 {
		br.PID = w.p.text(in.ProviderPID[run])
	}
	if u.order >= 0 && side != rules.SideBill {
		br.Table, br.Line = in.Table[run], in.Line[run]
	} else if u.bill >= 0 {
		br.Table, br.Line = b.Table[u.bill], b.Line[u.bill]
	} else {
		br.Table, br.Line = in.Table[run], in.Line[run]
	}
	w.found.breaks = append(w.found.breaks, br)
	w.about(subject{order: u.order, bill: u.bill})
	return int32(len(w.found.breaks) - 1)
}

// fillPast says of a trade of an earlier day what find says of one of today's.
func (w *worker) fillPast(br *Break, u *unit) {
	h := &w.past
	br.Store, br.Terminal = w.p.text(h.Store[u.past]), w.p.text(h.Terminal[u.past])
	br.Operator, br.PID = w.p.text(h.Operator[u.past]), w.p.text(h.ProviderPID[u.past])
	if br.Time = h.BillTime[u.past]; br.Time == schema.Null {
		br.Time = h.OrderTime[u.past]
	}
	br.Table = -1
}

// findRefund adds a break of a refund.
func (w *worker) findRefund(code rules.BreakCode, r *refundUnit, amount, expected, found int64, what string) {
	side := code.Side()
	if side == 0 {
		side = rules.SidePOS
		if r.bill >= 0 {
			side = rules.SideBill
		}
	}
	in, b := &w.rows.Refunds, &w.rows.Bills
	run := int32(-1)
	if r.pos >= 0 {
		run = w.posRefunds[r.pos].run
	}
	br := Break{
		Code: code, Severity: code.Severity(), Side: side, Merchant: w.p.text(r.merchant),
		OutTradeNo: string(w.outTradeNo(r.key)), TradeNo: string(w.refundTradeNo(r)), RequestNo: string(w.requestNo(r)),
		Store: w.p.text(either(in.Store, run, b.Store, r.bill)), Amount: amount, Expected: expected, Found: found,
		What: what, Reason: r.reason.String(), Time: at(b.Time, r.bill),
	}
	if br.Time == schema.Null {
		br.Time = at(in.Time, run)
	}
	if r.bill >= 0 { // a POS refund does not say where
		br.Terminal, br.Operator = w.p.text(b.Terminal[r.bill]), w.p.text(b.Operator[r.bill])
	}
	if r.pos >= 0 && (side != rules.SideBill || r.bill < 0) {
		br.Table, br.Line = in.Table[run], in.Line[run]
	} else {
		br.Table, br.Line = b.Table[r.bill], b.Line[r.bill]
	}
	w.found.breaks = append(w.found.breaks, br)
	w.about(subject{order: r.pos, bill: r.bill, refund: true})
}

// An openUnit is a one-sided trade that a suggestion may explain (rules 3).
type openUnit struct {
	amount, time int64
	store        uint32
	pos          bool
	part         int32 // whose breaks the next field counts in
	at           int32 // its break, or -1
	table        int32 `memo:"table"`
	line         int32
	number       string // trade_no or out_trade_no, as a person looks it up
}

func (w *worker) noteOpen(u *unit, at int32) {
	in, b := &w.rows.Orders, &w.rows.Bills
	open := openUnit{at: at, part: w.found.part}
	open.table, open.line = w.placeOf(u)
	if u.order >= 0 {
		run := w.orders[u.order].run
		open.pos, open.amount, open.time, open.store = true, in.Total[run], in.Time[run], in.Store[run]
		open.number = string(w.keys.key(u.key))
	} else {
		open.amount, open.time, open.store = b.Amount[u.bill], b.Time[u.bill], b.Store[u.bill]
		open.number = string(w.tradeNo(u))
	}
	if open.store != 0 {
		w.found.open = append(w.found.open, open)
	}
}

// suggest finds pairs of open orders and payments of one store and amount within
// the window, each the other's only candidate, and says so on their breaks.
func suggest(p *plan, open []openUnit, breaks [][]Break) {
	slices.SortFunc(open, func(a, b openUnit) int {
		return cmp.Or(cmp.Compare(a.store, b.store), cmp.Compare(a.amount, b.amount), cmp.Compare(a.time, b.time),
			p.places.compare(a.table, a.line, b.table, b.line))
	})
	window := p.job.SuggestWindow
	only := func(i int) int { // the one candidate of open[i], or -1
		found := -1
		scan := func(k int) bool {
			if k < 0 || k >= len(open) || open[k].store != open[i].store || open[k].amount != open[i].amount ||
				absolute(open[k].time-open[i].time) > window {
				return false
			}
			if open[k].pos != open[i].pos {
				if found >= 0 {
					found = len(open)
					return false
				}
				found = k
			}
			return true
		}
		for k := i - 1; scan(k); k-- {
		}
		for k := i + 1; found < len(open) && scan(k); k++ {
		}
		if found == len(open) {
			return -1
		}
		return found
	}
	for i := range open {
		if k := only(i); k >= 0 && open[i].at >= 0 && only(k) == i {
			breaks[open[i].part][open[i].at].Suggestion = open[k].number + " " + p.tables[open[k].table].Source(open[k].line)
		}
	}
}

// sortBreaks puts the breaks of all parts in the contract's order and numbers those
// that are of one code, side and key. It takes the parts apart as it goes. What is
// sorted are pointers: a break is large, and moved once.
func sortBreaks(places placeOrder, parts [][]Break) []Break {
	var order []*Break
	for _, part := range parts {
		for i := range part {
			order = append(order, &part[i])
		}
	}
	clear(parts)
	slices.SortFunc(order, func(a, b *Break) int { return compareBreaks(places, a, b) })
	breaks := make([]Break, len(order))
	for i, b := range order {
		breaks[i] = *b
	}
	for i := range breaks {
		b := &breaks[i]
		if i > 0 && b.Code == breaks[i-1].Code && b.Side == breaks[i-1].Side && b.key() == breaks[i-1].key() {
			b.Ordinal = breaks[i-1].Ordinal + 1
		}
	}
	return breaks
}

func compareBreaks(places placeOrder, a, b *Break) int {
	if c := cmp.Or(strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.OutTradeNo, b.OutTradeNo)); c != 0 {
		return c // as nearly all do
	}
	return cmp.Or(strings.Compare(a.RequestNo, b.RequestNo), strings.Compare(a.Code.String(), b.Code.String()),
		strings.Compare(a.Side.String(), b.Side.String()), strings.Compare(a.TradeNo, b.TradeNo),
		strings.Compare(a.subject(), b.subject()), places.compare(a.Table, a.Line, b.Table, b.Line), strings.Compare(a.What, b.What))
}
