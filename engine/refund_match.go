package engine

import (
	"bytes"
	"cmp"
	"slices"

	"duizhang/rules"
)

// findDuplicateRefunds marks bill refunds whose identity is taken: (trade_no,
// 请求号), or without a number (trade_no, 完成时间, amount), of which one file may
// have several (rules 2).
func (w *worker) findDuplicateRefunds() {
	b := &w.rows.Bills
	for trade := range int32(w.trades.len()) {
		w.markDuplicateRefunds(w.refundsByTrade.of(trade))
	}
	for key := range int32(w.keys.len()) { // rows without a trade_no
		w.family = w.family[:0]
		for _, row := range w.refundsByKey.of(key) {
			if w.billTrade[row] < 0 {
				w.family = append(w.family, row)
			}
		}
		slices.SortStableFunc(w.family, func(x, y int32) int { return cmp.Compare(b.Merchant[x], b.Merchant[y]) })
		for from, to := 0, 0; from < len(w.family); from = to { // of one merchant after the other
			for to = from; to < len(w.family) && b.Merchant[w.family[to]] == b.Merchant[w.family[from]]; {
				to++
			}
			w.markDuplicateRefunds(w.family[from:to])
		}
	}
}

// many is the size from which a family of rows is worth a map.
const many = 32

func (w *worker) markDuplicateRefunds(rows []int32) {
	if len(rows) < 2 {
		return
	}
	if len(rows) > many {
		w.markManyRefunds(rows)
		return
	}
	b := &w.rows.Bills
	for k, row := range rows {
		no := b.RequestNo.At(int(row))
		mine, accepted, first := 0, 0, int32(-1)
		for _, e := range rows[:k] {
			if !w.sameBillRefund(e, row) {
				continue
			}
			switch {
			case len(no) > 0 && w.billUse[e].first < 0:
				first = e
			case len(no) > 0:
			case b.Table[e] == b.Table[row]:
				mine++
			case w.billUse[e].first < 0:
				accepted++
				if first < 0 {
					first = e
				}
			}
		}
		if len(no) > 0 {
			w.billUse[row].first = first
		} else if mine < accepted {
			w.billUse[row].first = first
		}
	}
}

func (w *worker) sameBillRefund(a, b int32) bool {
	t := &w.rows.Bills
	no := t.RequestNo.At(int(b))
	if !bytes.Equal(t.RequestNo.At(int(a)), no) {
		return false
	}
	return len(no) > 0 || t.Time[a] == t.Time[b] && t.Amount[a] == t.Amount[b]
}

// markManyRefunds is markDuplicateRefunds for a large family.
func (w *worker) markManyRefunds(rows []int32) {
	b := &w.rows.Bills
	type identity struct {
		no           string
		time, amount int64
	}
	type seen struct {
		first           int32
		accepted        int
		table           int32
		inTable, before int // rows of the current table; accepted of the tables before it
	}
	taken := map[identity]*seen{}
	for _, row := range rows {
		id := identity{no: string(b.RequestNo.At(int(row)))}
		if id.no == "" {
			id.time, id.amount = b.Time[row], b.Amount[row]
		}
		s := taken[id]
		if s == nil {
			s = &seen{first: row, table: b.Table[row]}
			taken[id] = s
		}
		if s.table != b.Table[row] {
			s.table, s.inTable, s.before = b.Table[row], 0, s.accepted
		}
		duplicate := s.inTable < s.before
		if id.no != "" {
			duplicate = s.accepted > 0
		}
		s.inTable++
		if duplicate {
			w.billUse[row].first = s.first
		} else {
			s.accepted++
		}
	}
}

// matchRefunds pairs POS and bill refunds (rules 3).
func (w *worker) matchRefunds() error {
	w.inheritTrades()
	r := &w.rows.Refunds
	w.posRefundTrade = w.posRefundTrade[:0]
	w.posTable, w.posLine = w.posTable[:0], w.posLine[:0]
	for i := range w.posRefunds {
		p := &w.posRefunds[i]
		trade := p.trade
		if p.rejected || p.first >= 0 {
			trade = -1
		}
		w.posRefundTrade = append(w.posRefundTrade, trade)
		w.posTable = append(w.posTable, r.Table[p.run])
		w.posLine = append(w.posLine, r.Line[p.run])
	}
	b := &w.rows.Bills
	for i := range w.posRefunds {
		p := &w.posRefunds[i]
		w.pairRefund(i, w.refundsByKey.ofMerchant(p.key, p.merchant, b.Merchant))
	}
	if err := w.inheritEarlier(); err != nil {
		return err
	}
	w.posRefundsByTrade.build(w.p.places, w.trades.len(), w.posRefundTrade, w.posTable, w.posLine)
	for _, i := range w.openPosRefunds() {
		w.pairRefund(int(i), w.refundsByTrade.of(w.posRefunds[i].trade))
	}
	for _, i := range w.openPosRefunds() {
		w.pairByAmount(int(i))
	}
	return nil
}

// openPosRefunds are the POS refunds that have no bill refund yet, in the order of
// their places: those of two orders may want the same one.
func (w *worker) openPosRefunds() []int32 {
	w.openRefunds = w.openRefunds[:0]
	for i := range w.posRefunds {
		if w.openPosRefund(&w.posRefunds[i]) {
			w.openRefunds = append(w.openRefunds, int32(i))
		}
	}
	slices.SortFunc(w.openRefunds, func(a, b int32) int {
		return w.p.places.compare(w.posTable[a], w.posLine[a], w.posTable[b], w.posLine[b])
	})
	return w.openRefunds
}

func (w *worker) openPosRefund(p *posRefund) bool {
	return !p.rejected && p.first < 0 && p.bill < 0 && !w.refundExcluded(p)
}

// refundExcluded: the refund of an order that Alipay did not take, or of nothing.
func (w *worker) refundExcluded(p *posRefund) bool { return w.exclusion(p) != 0 }

func (w *worker) exclusion(p *posRefund) rules.Reason {
	if o := w.orderOf(p.key, p.merchant); o >= 0 && w.orders[o].excluded == rules.ReasonOtherChannel {
		return rules.ReasonOtherChannel
	}
	if w.rows.Refunds.Amount[p.run] == 0 {
		return rules.ReasonZeroAmount
	}
	return 0
}

// orderOf is the POS order that counts of a key, or -1.
func (w *worker) orderOf(key int32, merchant uint32) int32 {
	from, orders := w.ordersOf(key, merchant)
	for i := range orders {
		if o := &orders[i]; !o.rejected && o.first < 0 && !w.leftOut(o) {
			return from + int32(i)
		}
	}
	return -1
}

// inheritTrades gives a POS refund without a trade_no that of its order.
func (w *worker) inheritTrades() {
	for i := range w.posRefunds {
		p := &w.posRefunds[i]
		if p.trade >= 0 {
			continue
		}
		o := w.orderOf(p.key, p.merchant)
		if o < 0 {
			continue
		}
		p.trade = w.orders[o].trade
		if bill := w.orders[o].bill; bill >= 0 && w.billTrade[bill] >= 0 {
			p.trade = w.billTrade[bill]
		}
	}
}

// pairRefund pairs a POS refund with the first open row that has its number.
func (w *worker) pairRefund(i int, rows []int32) {
	p := &w.posRefunds[i]
	no := w.rows.Refunds.RequestNo.At(int(p.run))
	if len(rows) == 0 || len(no) == 0 || !w.openPosRefund(p) {
		return
	}
	for _, row := range rows {
		if w.openBillRefund(row) && bytes.Equal(w.rows.Bills.RequestNo.At(int(row)), no) {
			p.bill = row
			w.billUse[row].order = int32(i)
			return
		}
	}
}

func (w *worker) openBillRefund(row int32) bool {
	return w.billUse[row].first < 0 && w.billUse[row].order < 0
}

// pairByAmount pairs a POS refund with a bill refund where a number is missing or
// is the order's own: same key or trade_no, same amount, one candidate on either
// side.
func (w *worker) pairByAmount(i int) {
	p := &w.posRefunds[i]
	if !w.openPosRefund(p) {
		return
	}
	row := w.onlyBillRefund(p)
	if row < 0 || w.posCandidates(row) != 1 {
		return
	}
	p.bill = row
	w.billUse[row].order = int32(i)
}

// onlyBillRefund is the one bill refund that could be p's by its amount; -1 if
// there is none or more than one.
func (w *worker) onlyBillRefund(p *posRefund) int32 {
	found := int32(-1)
	for _, row := range w.refundsByTrade.of(p.trade) {
		if w.candidates(p, row) {
			if found >= 0 {
				return -1
			}
			found = row
		}
	}
	for _, row := range w.refundsByKey.ofMerchant(p.key, p.merchant, w.rows.Bills.Merchant) {
		if p.trade >= 0 && w.billTrade[row] == p.trade || !w.candidates(p, row) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = row
	}
	return found
}

// posCandidates counts the POS refunds that the row could be.
func (w *worker) posCandidates(row int32) int {
	n := 0
	trade := w.billTrade[row]
	for _, i := range w.posRefundsByTrade.of(trade) {
		if w.openPosRefund(&w.posRefunds[i]) && w.candidates(&w.posRefunds[i], row) {
			n++
		}
	}
	refunds := w.posRefundsOf(w.billKey[row])
	for k := range refunds {
		p := &refunds[k]
		if p.merchant == w.rows.Bills.Merchant[row] && (trade < 0 || p.trade != trade) && w.openPosRefund(p) && w.candidates(p, row) {
			n++
		}
	}
	return n
}

func (w *worker) candidates(p *posRefund, row int32) bool {
	r, b := &w.rows.Refunds, &w.rows.Bills
	if !w.openBillRefund(row) || r.Amount[p.run] != b.Amount[row] {
		return false
	}
	weak := func(no, order []byte) bool { return len(no) == 0 || bytes.Equal(no, order) }
	return weak(r.RequestNo.At(int(p.run)), r.OutTradeNo.At(int(p.run))) ||
		weak(b.RequestNo.At(int(row)), b.OutTradeNo.At(int(row)))
}
