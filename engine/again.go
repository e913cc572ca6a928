package engine

import (
	"bytes"
	"slices"

	"duizhang/engine/schema"
)

// An export that overlaps with one of an earlier day brings both sides of a trade
// again, and they match again. To look every pair up would cost more than all the
// rest: a pair is looked up if an earlier day has trades that were paid, or orders
// that were made, at its time to the second (History.Times), which pairs of the
// business day are not but around midnight. What is not found so is a row that comes
// again with another time than it had, at which no earlier day has any.

// within tells whether a time is in one of the spans, which are sorted.
func within(spans []Span, t int64) bool {
	n := len(spans)
	if n == 0 || t > spans[n-1].To { // nearly always
		return false
	}
	at, _ := slices.BinarySearchFunc(spans, t, func(s Span, t int64) int {
		if s.To < t {
			return -1
		}
		return 1 // the first that does not end before it
	})
	return at < n && spans[at].From <= t
}

// pairsAgain takes apart the pairs of which an earlier day has settled one side or
// both: each is a further row with an identity that is taken (rules 2), or is alone.
func (w *worker) pairsAgain() error {
	if len(w.p.paid) == 0 && len(w.p.ordered) == 0 {
		return nil
	}
	in, b := &w.rows.Orders, &w.rows.Bills
	schema.Reset(&w.wanted)
	schema.Reset(&w.past)
	schema.Reset(&w.pastRefunds)
	w.asked = w.asked[:0]
	for i := range w.orders {
		o := &w.orders[i]
		if o.bill < 0 {
			continue
		}
		of := asked{unit: int32(i), refund: -1, statement: -1}
		if !w.p.carried(in.Table[o.run]) && within(w.p.ordered, in.Time[o.run]) {
			w.ask(of, o.merchant, w.outTradeNo(o.key), nil, in.Time[o.run])
		}
		if row := o.bill; !w.p.carried(b.Table[row]) && within(w.p.paid, b.Time[row]) {
			of.payment = true
			w.ask(of, b.Merchant[row], w.outTradeNo(w.billKey[row]), b.TradeNo.At(int(row)), b.Time[row])
		}
	}
	if w.wanted.Len() == 0 {
		return nil
	}
	if err := w.p.job.History.Find(w.part.Number, &w.wanted, &w.past, &w.pastRefunds); err != nil {
		return err
	}
	for row, query := range w.past.Query {
		of := w.asked[query]
		o := &w.orders[of.unit]
		switch {
		case of.payment && w.paymentTaken(w.pairedWith(o), int32(row)):
			w.billUse[w.pairedWith(o)].again = true
		case !of.payment && w.orderTaken(o.merchant, o.key, int32(row)):
			o.again = true
		default:
			continue
		}
		if o.bill >= 0 {
			w.billUse[o.bill].order = -1
			o.apart, o.bill, o.byTrade = o.bill, -1, false
		}
	}
	return nil
}

// pairedWith is the payment that the order matched, taken apart or not.
func (w *worker) pairedWith(o *order) int32 {
	if o.bill >= 0 {
		return o.bill
	}
	return o.apart
}

// orderTaken: an order that an earlier day settled has the key.
func (w *worker) orderTaken(merchant uint32, key, past int32) bool {
	h := &w.past
	return h.Status[past] != 0 && h.Merchant[past] == merchant && bytes.Equal(h.OutTradeNo.At(int(past)), w.outTradeNo(key)) &&
		h.PosAmount[past] != schema.Null && w.pastTrade(past)
}

// paymentTaken: a payment that an earlier day settled is that of the bill row.
func (w *worker) paymentTaken(row, past int32) bool {
	h, b := &w.past, &w.rows.Bills
	if h.Status[past] == 0 || h.BillAmount[past] == schema.Null {
		return false
	}
	if trade := b.TradeNo.At(int(row)); len(trade) > 0 {
		return bytes.Equal(trade, h.TradeNo.At(int(past)))
	}
	return h.Merchant[past] == b.Merchant[row] && bytes.Equal(h.OutTradeNo.At(int(past)), w.outTradeNo(w.billKey[row]))
}
