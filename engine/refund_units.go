package engine

import (
	"bytes"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A refundUnit is one row of refunds: a matched pair, or a single POS or bill
// refund.
type refundUnit struct {
	pos, bill  int32 // -1 for none
	unit       int32 // the trade that it belongs to; orphans have one of their own; -1: none is known
	next       int32 // of the unit's chain
	key        int32 // group of the out_trade_no it is shown under, or -1
	merchant   uint32
	status     rules.Status
	reason     rules.Reason
	cumulative int64 // fen, or Null
	expected   rules.Funding
	hasParts   bool // expected is known
	exceeds    bool
	feeDue     int64 // fen, or Null
	overpaid   int64 // fen, or Null
	past       int32 // of a duplicate: the refund of an earlier day that counts; else -1
	mode       rules.RefundMode
}

// makeRefundUnits makes one unit of each pair and of each single refund, and
// hangs it on its trade.
func (w *worker) makeRefundUnits() {
	b := &w.rows.Bills
	w.refunds = w.refunds[:0]
	w.orphanOfTrade = fill(w.orphanOfTrade, w.trades.len(), -1)
	clear(w.orphanOfKey)
	for i := range w.posRefunds {
		p := &w.posRefunds[i]
		if p.rejected {
			continue
		}
		u := refundUnit{pos: int32(i), bill: p.bill, unit: -1, next: -1, key: p.key, merchant: p.merchant, past: -1}
		switch {
		case p.first >= 0:
			u.status = rules.StatusDuplicate
		case w.exclusion(p) != 0:
			u.status, u.reason = rules.StatusExcluded, w.exclusion(p)
		case p.bill >= 0:
			u.status = rules.StatusMatched // until the amounts are compared
			if b.Merchant[p.bill] != p.merchant {
				u.reason = rules.ReasonMerchantDiffers
			}
			u.unit = w.unitOfBillRefund(p.bill)
			if w.rows.Refunds.Undone[p.run] != 0 {
				u.status = rules.StatusStatusMismatch
			}
		case w.rows.Refunds.Undone[p.run] != 0:
			u.status, u.reason = rules.StatusExcluded, rules.ReasonNotPaid
		default:
			u.status = w.singleRefund(p.run)
		}
		if u.status != rules.StatusDuplicate && (u.unit < 0 || w.units[u.unit].order < 0 && w.units[u.unit].bill < 0) {
			if at := w.unitOfPosRefund(p); at >= 0 {
				u.unit = at
			}
		}
		w.refunds = append(w.refunds, u)
	}
	for i := range b.Len() {
		use := &w.billUse[i]
		if use.rejected || b.Kind[i] != uint8(schema.Refund) || use.order >= 0 {
			continue
		}
		u := refundUnit{pos: -1, bill: int32(i), unit: -1, next: -1, key: w.billKey[i], merchant: b.Merchant[i], past: -1}
		if use.first >= 0 {
			u.status = rules.StatusDuplicate
		} else {
			u.unit = w.unitOfBillRefund(int32(i))
			u.status = w.singleBillRefund(int32(i))
			if at := w.rejectedRefund(int32(i)); at {
				u.reason = rules.ReasonPOSRejected
			}
		}
		w.refunds = append(w.refunds, u)
	}
}

// rejectedRefund: a rejected POS refund would have matched the row.
func (w *worker) rejectedRefund(row int32) bool {
	refunds := w.posRefundsOf(w.billKey[row])
	for k := range refunds {
		p := &refunds[k]
		if p.rejected && p.merchant == w.rows.Bills.Merchant[row] &&
			bytes.Equal(w.rows.Refunds.RequestNo.At(int(p.run)), w.rows.Bills.RequestNo.At(int(row))) {
			return true
		}
	}
	return false
}

func fill(v []int32, n int, with int32) []int32 {
	v = slices.Grow(v[:0], n)[:n]
	for i := range v {
		v[i] = with
	}
	return v
}

// unitOfBillRefund is the trade of a bill refund: by trade_no, else the order of
// its key if that has no other trade; else an orphan's.
func (w *worker) unitOfBillRefund(row int32) int32 {
	trade, key, merchant := w.billTrade[row], w.billKey[row], w.rows.Bills.Merchant[row]
	if rows := w.paymentsByTrade.of(trade); len(rows) > 0 {
		return w.billUse[rows[0]].unit
	}
	if trade < 0 {
		for _, payment := range w.paymentsByKey.ofMerchant(key, merchant, w.rows.Bills.Merchant) {
			if w.billUse[payment].first < 0 {
				return w.billUse[payment].unit
			}
		}
	}
	if o := w.orderOf(key, merchant); o >= 0 && w.orders[o].bill < 0 && (trade < 0 || w.orders[o].trade < 0 || w.orders[o].trade == trade) {
		return w.orderUnit[o]
	}
	if trade >= 0 {
		if w.orphanOfTrade[trade] < 0 {
			w.orphanOfTrade[trade] = w.addOrphan(key, merchant)
		}
		return w.orphanOfTrade[trade]
	}
	at := orphanKey{key, merchant}
	orphan, ok := w.orphanOfKey[at]
	if !ok {
		orphan = w.addOrphan(key, merchant)
		w.orphanOfKey[at] = orphan
	}
	return orphan
}

// An orphanKey is what a refund without a trade_no is known by.
type orphanKey struct {
	key      int32 // -1 for none
	merchant uint32
}

func (w *worker) addOrphan(key int32, merchant uint32) int32 {
	w.units = append(w.units, unit{order: -1, bill: -1, key: key, merchant: merchant, firstRefund: -1, lastRefund: -1, past: -1})
	return int32(len(w.units) - 1)
}

func (w *worker) unitOfPosRefund(p *posRefund) int32 {
	if o := w.orderOf(p.key, p.merchant); o >= 0 {
		return w.orderUnit[o]
	}
	if rows := w.paymentsByTrade.of(p.trade); len(rows) > 0 {
		return w.billUse[rows[0]].unit
	}
	for _, payment := range w.paymentsByKey.ofMerchant(p.key, p.merchant, w.rows.Bills.Merchant) {
		if w.billUse[payment].first < 0 {
			return w.billUse[payment].unit
		}
	}
	return -1
}

// chainRefunds hangs the refunds on their trades in the order in which they
// count: 完成时间, 请求号, place.
func (w *worker) chainRefunds() {
	w.sortedRefunds = w.sortedRefunds[:0]
	for i := range w.refunds {
		if r := &w.refunds[i]; r.unit >= 0 && r.status != rules.StatusDuplicate && r.status != rules.StatusExcluded {
			w.sortedRefunds = append(w.sortedRefunds, int32(i))
		}
	}
	slices.SortFunc(w.sortedRefunds, func(a, b int32) int {
		x, y := &w.refunds[a], &w.refunds[b]
		if x.unit != y.unit {
			return int(x.unit) - int(y.unit)
		}
		if tx, ty := w.refundTime(x), w.refundTime(y); tx != ty {
			if tx < ty {
				return -1
			}
			return 1
		}
		if c := bytes.Compare(w.requestNo(x), w.requestNo(y)); c != 0 {
			return c
		}
		return w.compareRefundPlaces(x, y)
	})
	for _, i := range w.sortedRefunds {
		r := &w.refunds[i]
		u := &w.units[r.unit]
		if u.firstRefund < 0 {
			u.firstRefund = i
		} else {
			w.refunds[u.lastRefund].next = i
		}
		u.lastRefund = i
	}
}

func (w *worker) refundTime(r *refundUnit) int64 {
	if r.bill >= 0 {
		return w.rows.Bills.Time[r.bill]
	}
	return w.rows.Refunds.Time[w.posRefunds[r.pos].run]
}

// requestNo is the number that the refund is shown under: the POS's, else the
// bill's.
func (w *worker) requestNo(r *refundUnit) []byte {
	if r.bill >= 0 {
		if no := w.rows.Bills.RequestNo.At(int(r.bill)); len(no) > 0 || r.pos < 0 {
			return no
		}
	}
	return w.rows.Refunds.RequestNo.At(int(w.posRefunds[r.pos].run))
}

// compareRefundPlaces orders bill rows before POS rows, each by place.
func (w *worker) compareRefundPlaces(x, y *refundUnit) int {
	if (x.bill >= 0) != (y.bill >= 0) {
		if x.bill >= 0 {
			return -1
		}
		return 1
	}
	tx, lx := w.refundPlace(x)
	ty, ly := w.refundPlace(y)
	return w.p.places.compare(tx, lx, ty, ly)
}

func (w *worker) refundPlace(r *refundUnit) (table, line int32) {
	if r.bill >= 0 {
		return w.rows.Bills.Table[r.bill], w.rows.Bills.Line[r.bill]
	}
	run := w.posRefunds[r.pos].run
	return w.rows.Refunds.Table[run], w.rows.Refunds.Line[run]
}

// counts: the refund moves the order's cumulative amount: a bill refund, or a POS
// refund that the bill can still bring.
func (r *refundUnit) counts() bool { return r.bill >= 0 || r.status == rules.StatusPending }
