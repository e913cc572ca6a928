package engine

import (
	"bytes"
	"slices"
	"strings"

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
	mode       rules.RefundMode
}

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
		for len(w.family) > 0 { // of one merchant after the other
			m := b.Merchant[w.family[0]]
			slices.SortStableFunc(w.family, func(x, y int32) int {
				return boolOrder(b.Merchant[x] != m) - boolOrder(b.Merchant[y] != m)
			})
			n := 0
			for n < len(w.family) && b.Merchant[w.family[n]] == m {
				n++
			}
			w.markDuplicateRefunds(w.family[:n])
			w.family = w.family[n:]
		}
	}
}

func boolOrder(later bool) int {
	if later {
		return 1
	}
	return 0
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
func (w *worker) matchRefunds() {
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
	w.posRefundsByTrade.build(w.trades.len(), w.posRefundTrade, w.posTable, w.posLine)
	b := &w.rows.Bills
	for i := range w.posRefunds {
		w.pairRefund(i, w.refundsByKey.of(w.posRefunds[i].key), func(p *posRefund, row int32) bool {
			return b.Merchant[row] == p.merchant
		})
	}
	for i := range w.posRefunds {
		w.pairRefund(i, w.refundsByTrade.of(w.posRefunds[i].trade), func(*posRefund, int32) bool { return true })
	}
	for i := range w.posRefunds {
		w.pairByAmount(i)
	}
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

// orderOf is the order that counts of a key, or -1.
func (w *worker) orderOf(key int32, merchant uint32) int32 {
	from, orders := w.ordersOf(key)
	for i := range orders {
		if o := &orders[i]; !o.rejected && o.first < 0 && o.merchant == merchant {
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
func (w *worker) pairRefund(i int, rows []int32, fits func(*posRefund, int32) bool) {
	p := &w.posRefunds[i]
	no := w.rows.Refunds.RequestNo.At(int(p.run))
	if len(rows) == 0 || len(no) == 0 || !w.openPosRefund(p) {
		return
	}
	for _, row := range rows {
		if w.openBillRefund(row) && fits(p, row) && bytes.Equal(w.rows.Bills.RequestNo.At(int(row)), no) {
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
	for _, row := range w.refundsByKey.of(p.key) {
		if w.rows.Bills.Merchant[row] != p.merchant || p.trade >= 0 && w.billTrade[row] == p.trade || !w.candidates(p, row) {
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
	_, refunds := w.posRefundsOf(w.billKey[row])
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

// makeRefundUnits makes one unit of each pair and of each single refund, and
// hangs it on its trade.
func (w *worker) makeRefundUnits() {
	b := &w.rows.Bills
	w.refunds = w.refunds[:0]
	w.orphanOfTrade = fill(w.orphanOfTrade, w.trades.len(), -1)
	w.orphanOfKey = fill(w.orphanOfKey, w.keys.len(), -1)
	for i := range w.posRefunds {
		p := &w.posRefunds[i]
		if p.rejected {
			continue
		}
		u := refundUnit{pos: int32(i), bill: p.bill, unit: -1, next: -1, key: p.key, merchant: p.merchant}
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
		default:
			u.status = rules.StatusPOSOnly
			if w.p.nearEnd(w.rows.Refunds.Time[p.run]) {
				u.status = rules.StatusPending
			}
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
		u := refundUnit{pos: -1, bill: int32(i), unit: -1, next: -1, key: w.billKey[i], merchant: b.Merchant[i]}
		if use.first >= 0 {
			u.status = rules.StatusDuplicate
		} else {
			u.unit = w.unitOfBillRefund(int32(i))
			u.status = rules.StatusBillOnly
			if w.p.nearEnd(b.Time[i]) {
				u.status = rules.StatusPending
			}
			if at := w.rejectedRefund(int32(i)); at {
				u.reason = rules.ReasonPOSRejected
			}
		}
		w.refunds = append(w.refunds, u)
	}
}

// rejectedRefund: a rejected POS refund would have matched the row.
func (w *worker) rejectedRefund(row int32) bool {
	_, refunds := w.posRefundsOf(w.billKey[row])
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
		for _, payment := range w.paymentsByKey.of(key) {
			if w.rows.Bills.Merchant[payment] == merchant && w.billUse[payment].first < 0 {
				return w.billUse[payment].unit
			}
		}
	}
	if o := w.orderOf(key, merchant); o >= 0 && w.orders[o].bill < 0 && (trade < 0 || w.orders[o].trade < 0 || w.orders[o].trade == trade) {
		return w.orderUnit[o]
	}
	at := &w.lostOrphan
	switch {
	case trade >= 0:
		at = &w.orphanOfTrade[trade]
	case key >= 0:
		at = &w.orphanOfKey[key]
	}
	if *at < 0 {
		*at = int32(len(w.units))
		w.units = append(w.units, unit{order: -1, bill: -1, key: key, merchant: merchant, firstRefund: -1, lastRefund: -1})
	}
	return *at
}

func (w *worker) unitOfPosRefund(p *posRefund) int32 {
	if o := w.orderOf(p.key, p.merchant); o >= 0 {
		return w.orderUnit[o]
	}
	if rows := w.paymentsByTrade.of(p.trade); len(rows) > 0 {
		return w.billUse[rows[0]].unit
	}
	for _, payment := range w.paymentsByKey.of(p.key) {
		if w.rows.Bills.Merchant[payment] == p.merchant && w.billUse[payment].first < 0 {
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
	return comparePlaces(tx, lx, ty, ly)
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
	follows := w.beginReturns(u)
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
		w.askRefund(u, r, follows)
		if !r.counts() {
			continue
		}
		amount := w.refundAmount(r)
		if u.hasTotal && before+amount > u.total {
			r.exceeds, r.cumulative = true, int64(before)
			r.hasParts = u.split
			w.findRefund(rules.BreakRefundExceedsTotal, r, int64(before+amount-u.total), int64(u.total), int64(before+amount), "")
			continue
		}
		u.refunded += amount
		r.cumulative = int64(u.refunded)
		if u.split && u.hasTotal {
			r.expected = policy.Split(u.funding, u.refunded).Sub(policy.Split(u.funding, before))
			r.hasParts = true
			w.checkSplit(r)
		}
		w.overpaid(u, r, follows, amount)
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
	if u.order < 0 || !u.split {
		return false
	}
	asks := false
	for i := u.firstRefund; i >= 0; i = w.refunds[i].next {
		asks = asks || w.refunds[i].pos >= 0
	}
	if !asks {
		return false
	}
	o := &w.orders[u.order]
	total := rules.Fen(w.rows.Orders.Total[o.run])
	_, lines, err := w.allocate(o)
	if err != nil {
		lines = nil
	}
	return w.returns.Begin(lines, total, u.funding[rules.FundCoupon], w.p.job.Remainder) == nil
}

// askRefund compares what a POS refund that lists its goods asks for with what
// its mode prescribes, and takes the goods as returned.
func (w *worker) askRefund(u *unit, r *refundUnit, follows bool) {
	if !follows {
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
func (w *worker) overpaid(u *unit, r *refundUnit, follows bool, amount rules.Fen) {
	if !follows {
		return
	}
	w.returns.Book(amount)
	if !w.returns.Known() {
		return
	}
	returned := w.p.job.Policy.Split(u.funding, u.refunded).Total()
	r.overpaid = int64(rules.Overpaid(returned, w.returns.ProratedReturned()))
}

// refundFee is the service fee that should come back with the refund (rules 7).
func (w *worker) refundFee(u *unit, r *refundUnit) {
	if r.bill < 0 || w.rows.Bills.Fee[r.bill] == schema.Null || w.p.tables[w.rows.Bills.Table[r.bill]].FeesAllZero {
		return // a file without fees, or a row without one, has none to compare
	}
	b := &w.rows.Bills
	store, merchant := b.Store[r.bill], b.Merchant[r.bill]
	received := rules.Fen(b.Received[r.bill])
	if u.bill >= 0 { // the fee comes back at the rate at which it was charged
		store, merchant = b.Store[u.bill], b.Merchant[u.bill]
	}
	rate := w.p.feeRate(merchant, store)
	if rate == schema.Null {
		return
	}
	var due rules.Fen
	switch w.p.job.FeeOnRefund {
	case FeeNone:
	case FeeProRata:
		due = rules.ExpectedFee(received, rules.Micro(rate))
	case FeeFullRefundOnly:
		if u.bill >= 0 && u.refunded == u.total {
			due = rules.ExpectedFee(rules.Fen(b.Received[u.bill]), rules.Micro(rate))
		}
	}
	r.feeDue = int64(due)
	if gap := (due - rules.Fen(b.Fee[r.bill])).Abs(); gap > w.p.job.FeeTolerance {
		w.findRefund(rules.BreakFeeMismatch, r, int64(gap), int64(due), b.Fee[r.bill], "")
	}
}

// allocate divides the order's total over its goods (rules 4).
func (w *worker) allocate(o *order) (rules.Scenario, []rules.AllocatedLine, error) {
	w.goodsLines = w.goodsLines[:0]
	l := &w.rows.Lines
	for run := o.run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			switch {
			case l.Flags[line]&schema.LineGoodsRejected != 0:
				return 0, nil, errIncomplete
			case l.Flags[line]&schema.LineNoGoods != 0:
				continue
			}
			g := rules.GoodsLine{ID: l.Goods[line], Name: l.Name[line], Quantity: rules.Micro(l.Quantity[line])}
			if l.Price[line] != schema.Null {
				g.Price, g.HasPrice = rules.Micro(l.Price[line]), true
			}
			w.goodsLines = append(w.goodsLines, g)
		}
	}
	return w.allocator.Order(rules.Fen(w.rows.Orders.Total[o.run]), w.goodsLines, w.tagPrice, w.p.job.Remainder)
}

// tagOf is the tag price of a goods_id.
func (w *worker) tagOf(id uint32) (rules.Micro, bool) {
	tag := w.p.tag[id]
	return rules.Micro(tag), tag != schema.Null
}

func joinWords(words ...string) string { return strings.Join(words, " ") }
