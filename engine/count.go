package engine

import (
	"duizhang/engine/schema"
)

// A subject is what a break in w.found is about, in the rows of the partition.
type subject struct {
	at          int32  // number of the break
	order, bill int32  // of a trade: order, payment; of a refund: POS refund, bill row; -1 for none
	product     uint32 // of a rebate, 0 for none
	refund      bool
}

// An extraAudit is an order that is audited for another product than
// face_to_face, for which the unit's cause stands.
type extraAudit struct {
	order   int32
	product uint32
}

// beginCount makes ready to count a partition's rows in the worker's census.
func (w *worker) beginCount() {
	w.subjects, w.extraAudits = w.subjects[:0], w.extraAudits[:0]
	w.census.growGoods(len(w.p.texts))
	w.goodsOrder = fill(w.goodsOrder, len(w.p.texts), 0)
}

// countUnit counts a trade whose audit is known where it was taken. The mark is the
// trade's own, above 0.
func (w *worker) countUnit(u *unit, posts *unitPosts, mark int32) {
	if u.order >= 0 {
		w.countOrder(u, posts.order)
		w.eachGoods(u.order, mark, func(id uint32) { w.census.goods[id]++ })
	}
	if u.bill >= 0 {
		w.countPayment(u.bill, posts.payment)
	}
}

// countRest counts the partition's refunds and breaks.
func (w *worker) countRest() {
	c := w.census
	for i := range w.refunds {
		r := &w.refunds[i]
		if r.pos >= 0 {
			key := w.refundCell(r.pos)
			c.cells.at(int(c.at(&key))).counts[ofPOSRefunds]++
		}
		if r.bill >= 0 {
			key := w.billCell(r.bill)
			c.cells.at(int(c.at(&key))).counts[ofBillRefunds]++
		}
	}
	for _, a := range w.extraAudits {
		key, provider := w.orderCell(a.order, a.product)
		c.cells.at(int(c.withProvider(c.at(&key), provider))).counts[ofAudits]++
	}
	for i := range w.subjects {
		w.countBreak(&w.subjects[i], int32(-1-i))
	}
}

// countOrder counts an order and its audit; the post is the order's.
func (w *worker) countOrder(u *unit, post int32) {
	key, provider := w.orderCell(u.order, 0)
	if hour := key[DimensionHour]; hour < hours {
		p := w.posts.all.at(int(post))
		if p.provider == unknownWord {
			p.provider = provider
		}
		if p.provider == provider {
			count := w.posts.hours.of(post, hour)
			count.orders++
			if u.cause != 0 {
				count.audits++
			}
			return
		}
	}
	key[DimensionProvider] = provider
	counts := &w.census.cells.at(int(w.census.place(&key, ofOrders))).counts
	counts[ofOrders]++
	if u.cause != 0 {
		counts[ofAudits]++
	}
}

// countPayment counts a payment; the post is the payment's.
func (w *worker) countPayment(row, post int32) {
	if hour := hourOf(w.rows.Bills.Time[row]); hour < hours {
		w.posts.hours.of(post, hour).payments++
		return
	}
	key := w.billCell(row)
	w.census.cells.at(int(w.census.at(&key))).counts[ofPayments]++
}

// countBreak counts a break in each population that its subject is a row of.
func (w *worker) countBreak(s *subject, mark int32) {
	b, c := &w.found.breaks[s.at], w.census
	t := breakTally{count: 1, amount: b.atStake(), first: schema.Null, last: schema.Null}
	in, bills, refunds := &w.rows.Orders, &w.rows.Bills, &w.rows.Refunds
	if s.refund {
		if s.bill >= 0 {
			t.seen(bills.Time[s.bill])
			key := w.billCell(s.bill)
			c.addBreak(&key, ofBillRefunds, b.Code, &t)
		}
		if s.order >= 0 {
			t.seen(refunds.Time[w.posRefunds[s.order].run])
			key := w.refundCell(s.order)
			c.addBreak(&key, ofPOSRefunds, b.Code, &t)
		}
		return
	}
	if s.bill >= 0 {
		t.seen(bills.Time[s.bill])
	}
	if s.order >= 0 {
		t.first, t.last = schema.Null, schema.Null // the POS's time, where there is one
		t.seen(in.Time[w.orders[s.order].run])
		product, of := uint32(0), ofOrders
		if s.product != 0 {
			of = ofAudits
			if s.product != w.p.faceToFace {
				product = s.product
			}
		}
		key, provider := w.orderCell(s.order, product)
		key[DimensionProvider] = provider
		c.addBreak(&key, of, b.Code, &t)
		if of == ofOrders {
			w.eachGoods(s.order, mark, func(id uint32) { addTally(c, c.broken, brokenGoods{id, b.Code}, &t) })
		}
	}
	if s.bill >= 0 {
		key := w.billCell(s.bill)
		c.addBreak(&key, ofPayments, b.Code, &t)
	}
}

// orderCell is the cell of an order, or of its audit for a product, and the PID
// that it was sent with.
func (w *worker) orderCell(order int32, product uint32) (key cellKey, provider uint32) {
	o, in := &w.orders[order], &w.rows.Orders
	return cellKey{
		in.Store[o.run], in.Terminal[o.run], in.Operator[o.run], hourOf(in.Time[o.run]), anyProvider, product, o.merchant,
	}, in.ProviderPID[o.run]
}

func (w *worker) billCell(row int32) cellKey {
	b := &w.rows.Bills
	return cellKey{
		b.Store[row], b.Terminal[row], b.Operator[row], hourOf(b.Time[row]), anyProvider, 0, b.Merchant[row],
	}
}

func (w *worker) refundCell(refund int32) cellKey {
	p, in := &w.posRefunds[refund], &w.rows.Refunds
	return cellKey{
		in.Store[p.run], unknownWord, unknownWord, hourOf(in.Time[p.run]), anyProvider, 0, p.merchant,
	}
}

// hourOf is the hour of the day from 0 to 23.
func hourOf(t int64) uint32 {
	if t == schema.Null {
		return unknownWord
	}
	return uint32((t - int64(dayOf(t))*daySeconds) / hourSeconds)
}

// eachGoods calls f once for each goods_id of the order. The mark is the order's
// own; it tells a goods_id that has been met.
func (w *worker) eachGoods(order, mark int32, f func(id uint32)) {
	l := &w.rows.Lines
	for run := w.orders[order].run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			if id := l.Goods[line]; id != 0 && int(id) < len(w.goodsOrder) && w.goodsOrder[id] != mark {
				w.goodsOrder[id] = mark
				f(id)
			}
		}
	}
}

// takeBack forgets the break that was found last.
func (w *worker) takeBack() {
	w.found.breaks = w.found.breaks[:len(w.found.breaks)-1]
	if n := len(w.subjects); n > 0 {
		w.subjects = w.subjects[:n-1]
	}
}

// about notes what the break that was found last is about.
func (w *worker) about(s subject) {
	if !w.p.collecting {
		s.at = int32(len(w.found.breaks) - 1)
		w.subjects = append(w.subjects, s)
	}
}
