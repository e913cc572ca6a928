package engine

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// splitRefunds follows each trade's refunds: the cumulative amount and what each
// returns (rules 5).
func (w *worker) splitRefunds() {
	for i := range w.refunds {
		r := &w.refunds[i]
		r.cumulative, r.feeDue, r.overpaid = schema.Null, schema.Null, schema.Null
		if r.pos >= 0 {
			r.mode = rules.RefundMode(w.rows.Refunds.Mode[w.posRefunds[r.pos].run])
			if r.mode == 0 {
				r.mode = w.p.job.RefundMode
			}
		}
		if r.unit < 0 && r.status == rules.StatusMatched {
			w.compareRefund(r, 0)
		}
	}
	for i := range w.units {
		if w.units[i].firstRefund >= 0 {
			w.splitUnit(&w.units[i])
		}
	}
}

func (w *worker) splitUnit(u *unit) {
	w.follows = w.beginReturns(u)
	policy := w.p.job.Policy
	for i := u.firstRefund; i >= 0; i = w.refunds[i].next {
		r := &w.refunds[i]
		before := u.refunded
		if r.bill >= 0 && r.pos >= 0 {
			left := rules.Fen(0)
			if u.split {
				left = policy.Left(u.funding, before)
			}
			w.compareRefund(r, left)
		}
		w.askRefund(r)
		if !r.counts() {
			continue
		}
		amount := w.refundAmount(r)
		if u.hasTotal && before+amount > u.total {
			r.exceeds, r.cumulative = true, int64(before)
			r.hasParts = u.split
			w.findRefund(rules.BreakRefundExceedsTotal, r, int64(before+amount-u.total), int64(u.total), int64(before+amount), "")
			w.refundFee(u, r)
			continue
		}
		u.refunded += amount
		r.cumulative = int64(u.refunded)
		if u.split && u.hasTotal {
			r.expected = policy.Split(u.funding, u.refunded).Sub(policy.Split(u.funding, before))
			r.hasParts = true
			w.checkSplit(r)
		}
		w.overpaid(u, r, amount)
		w.refundFee(u, r)
	}
}

func (w *worker) refundAmount(r *refundUnit) rules.Fen {
	if r.bill >= 0 {
		return rules.Fen(w.rows.Bills.Amount[r.bill])
	}
	return rules.Fen(w.rows.Refunds.Amount[w.posRefunds[r.pos].run])
}

// compareRefund compares the amounts of a pair. A list_price refund is paid at
// most what is left (rules 5).
func (w *worker) compareRefund(r *refundUnit, left rules.Fen) {
	if r.status != rules.StatusMatched {
		return // the state differs, which comes first
	}
	ask := rules.Fen(w.rows.Refunds.Amount[w.posRefunds[r.pos].run])
	got := rules.Fen(w.rows.Bills.Amount[r.bill])
	if (got - ask).Abs() <= w.p.job.AmountTolerance {
		return
	}
	if r.mode == rules.ModeListPrice && got == min(ask, left) {
		return
	}
	r.status = rules.StatusAmountMismatch
}

// checkSplit compares what the bill's refund row shows with what it should
// return.
func (w *worker) checkSplit(r *refundUnit) {
	if r.bill < 0 || w.rows.Bills.Flags[r.bill]&schema.NoSplit != 0 {
		return
	}
	b := &w.rows.Bills
	worst, what := rules.Fen(0), ""
	var want, have rules.Fen
	for _, part := range [...]struct {
		what       string
		want, have rules.Fen
	}{
		{"商家实收", r.expected.Received(), rules.Fen(b.Received[r.bill])},
		{"支付宝红包+支付宝优惠", r.expected[rules.FundRedPacket], given(b.RedPacket[r.bill]) + given(b.PlatformDiscount[r.bill])},
		{"商家优惠", r.expected[rules.FundAllowance] + r.expected[rules.FundCoupon], given(b.MerchantDiscount[r.bill])},
	} {
		if gap := (part.want - part.have).Abs(); gap > worst {
			worst, what, want, have = gap, part.what, part.want, part.have
		}
	}
	if worst > 0 {
		w.findRefund(rules.BreakRefundSplit, r, int64(worst), int64(want), int64(have), what)
	}
}

// beginReturns starts to follow the goods that come back, if the order's goods
// are known and a POS refund names some.
func (w *worker) beginReturns(u *unit) bool {
	past := w.isPast(u) && w.past.PosAmount[u.past] != schema.Null
	if u.order < 0 && !past || !u.split {
		return false
	}
	asks := false
	for i := u.firstRefund; i >= 0; i = w.refunds[i].next {
		asks = asks || w.refunds[i].pos >= 0
	}
	if !asks {
		return false
	}
	coupon := u.funding[rules.FundCoupon]
	if past { // whose goods are not known any more
		return w.continueReturns(u, nil, rules.Fen(w.past.PosAmount[u.past]), coupon)
	}
	o := &w.orders[u.order]
	_, lines, err := w.allocate(o)
	if err != nil {
		lines = nil
	}
	return w.continueReturns(u, lines, rules.Fen(w.rows.Orders.Total[o.run]), coupon)
}

// continueReturns starts with what earlier days refunded: which goods came back
// with it is not known.
func (w *worker) continueReturns(u *unit, lines []rules.AllocatedLine, total, coupon rules.Fen) bool {
	if w.returns.Begin(lines, total, coupon, w.p.job.Remainder) != nil {
		return false
	}
	if u.order < 0 || u.before > 0 {
		w.returns.Book(u.before)
		w.returns.Forget()
	}
	return true
}

// askRefund compares what a POS refund that lists its goods asks for with what
// its mode prescribes, and takes the goods as returned.
func (w *worker) askRefund(r *refundUnit) {
	if !w.follows {
		return
	}
	if r.pos < 0 {
		w.returns.Forget()
		return
	}
	complete := w.returnedLines(&w.posRefunds[r.pos])
	if !complete {
		w.returns.Forget()
		return
	}
	ask, known := w.returns.Ask(r.mode, w.returned)
	amount := rules.Fen(w.rows.Refunds.Amount[w.posRefunds[r.pos].run])
	if known && len(w.returned) > 0 && ask != amount {
		w.findRefund(rules.BreakRefundRequest, r, int64((ask - amount).Abs()), int64(ask), int64(amount), "")
	}
}

// returnedLines gathers the goods of a POS refund in w.returned; false if a line
// of it was rejected.
func (w *worker) returnedLines(p *posRefund) bool {
	w.returned = w.returned[:0]
	l := &w.rows.RefundLines
	for run := p.run; run >= 0; run = w.nextRefundRun[run] {
		for line := w.refundLine[run]; line < w.refundLine[run+1]; line++ {
			switch {
			case l.Flags[line]&schema.LineGoodsRejected != 0:
				return false
			case l.Flags[line]&schema.LineNoGoods != 0 || l.Goods[line] == 0:
				continue
			case l.Quantity[line] == schema.Null:
				return false
			}
			w.returned = append(w.returned, rules.ReturnedLine{ID: l.Goods[line], Quantity: rules.Micro(l.Quantity[line])})
		}
	}
	return true
}

// overpaid is the merchant's loss so far (资损).
func (w *worker) overpaid(u *unit, r *refundUnit, amount rules.Fen) {
	if !w.follows {
		return
	}
	w.returns.Book(amount)
	if !w.returns.Known() {
		return
	}
	returned := w.p.job.Policy.Split(u.funding, u.refunded).Total()
	r.overpaid = int64(rules.Overpaid(returned, w.returns.ProratedReturned()))
}

// A paidAt says by what the fee of a payment was charged; its merchant is 0 if the
// payment is not known.
type paidAt struct {
	merchant, store uint32
	received        rules.Fen
}

func (w *worker) paymentOfRefund(u *unit) paidAt {
	b, h := &w.rows.Bills, &w.past
	switch {
	case u.bill >= 0:
		return paidAt{b.Merchant[u.bill], b.Store[u.bill], rules.Fen(b.Received[u.bill])}
	case w.isPast(u) && h.BillAmount[u.past] != schema.Null:
		return paidAt{h.BillMerchant[u.past], h.BillStore[u.past], rules.Fen(h.Received[u.past])}
	}
	return paidAt{}
}

// refundFee is the service fee that should come back with the refund (rules 7).
func (w *worker) refundFee(u *unit, r *refundUnit) {
	if r.bill < 0 || w.rows.Bills.Fee[r.bill] == schema.Null || w.p.tables[w.rows.Bills.Table[r.bill]].FeesAllZero {
		return // a file without fees, or a row without one, has none to compare
	}
	b := &w.rows.Bills
	store, merchant := b.Store[r.bill], b.Merchant[r.bill]
	received := rules.Fen(b.Received[r.bill])
	paid := w.paymentOfRefund(u)
	if paid.merchant != 0 { // the fee comes back at the rate at which it was charged
		store, merchant = paid.store, paid.merchant
	}
	rate := w.p.feeRate(merchant, store)
	if rate == schema.Null {
		return
	}
	var due rules.Fen
	switch w.p.job.FeeOnRefund {
	case FeeNone:
	case FeeProRata:
		if r.exceeds {
			break // refused: nothing is to come back
		}
		due = rules.ExpectedFee(received, rules.Micro(rate))
	case FeeFullRefundOnly:
		if !r.exceeds && paid.merchant != 0 && u.refunded == u.total {
			due = rules.ExpectedFee(paid.received, rules.Micro(rate))
		}
	}
	r.feeDue = int64(due)
	if gap := (due - rules.Fen(b.Fee[r.bill])).Abs(); gap > w.p.job.FeeTolerance {
		w.findRefund(rules.BreakFeeMismatch, r, int64(gap), int64(due), b.Fee[r.bill], "")
	}
}
