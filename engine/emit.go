package engine

import (
	"bytes"
	"errors"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// errIncomplete is an order of which a goods line was rejected.
var errIncomplete = errors.New("a goods line was rejected")

// emit writes the result rows in key order, and finds the breaks on the way.
func (w *worker) emit(out *Part) {
	w.settledRow = fill(w.settledRow, len(w.units), -1)
	w.emitted = w.emitted[:0]
	for k, i := range w.sorted {
		if k%aheadUnits == 0 {
			w.lookAhead(w.sorted[k:min(k+aheadUnits, len(w.sorted))])
		}
		u := &w.units[i]
		posts := &w.ahead.posts[k%aheadUnits]
		w.post = posts.unit
		if w.isPast(u) {
			w.pastStatements(i)
			listed, said := len(w.paidRows) > 0, out.Rebates.Len()
			w.cleared, w.unsaid = false, false
			w.auditTrade(u, out)
			if !w.unsaid && (listed || w.cleared || out.Rebates.Len() > said) {
				out.Again.add(u.merchant, w.outTradeNo(u.key), w.tradeNo(u), nil, AuditAlone)
			}
			continue
		}
		w.checkUnit(u)
		w.checkCoupon(u, w.emitGoods(u, &out.Goods))
		w.unsaid = false
		w.auditUnit(u, out)
		w.emitted = append(w.emitted, i)
		if w.p.job.State {
			w.keepTrade(i, &out.Settled)
			if pos, bill := w.unitTables(u); w.p.carried(pos) || w.p.carried(bill) {
				how := uint8(0)
				if w.unsaid {
					how = NoAudit
				}
				out.Again.add(u.merchant, w.outTradeNo(u.key), w.tradeNo(u), nil, how)
			}
		}
		if w.p.settles {
			w.addToShift(u)
		}
		if w.p.job.Guard {
			w.guard(u)
		}
		if !w.p.collecting {
			w.countUnit(u, posts, i+1)
		}
	}
	w.emitTrades(&out.Trades)
	w.emitRefunds(out)
}

// emitTrades writes the rows of the units in w.emitted, column by column: each is one
// loop over few arrays, where a row at a time goes through some fifty of them.
func (w *worker) emitTrades(out *schema.Trades) {
	in, b := &w.rows.Orders, &w.rows.Bills
	n := len(w.emitted)
	w.runs, w.bills = room(w.runs[:0], n), room(w.bills[:0], n)
	runs, bills := w.runs, w.bills
	for k, i := range w.emitted {
		u := &w.units[i]
		runs[k], bills[k] = -1, u.bill
		if u.order >= 0 {
			runs[k] = w.orders[u.order].run
		}
		out.OutTradeNo.Append(w.outTradeNo(u.key))
		out.TradeNo.Append(w.tradeNo(u))
	}
	w.emitUnits(out)
	out.OrderTime, out.BillTime = appendAt(out.OrderTime, in.Time, runs), appendAt(out.BillTime, b.Time, bills)
	out.Store = appendEither(out.Store, in.Store, runs, b.Store, bills)
	out.Terminal = appendEither(out.Terminal, in.Terminal, runs, b.Terminal, bills)
	out.Operator = appendEither(out.Operator, in.Operator, runs, b.Operator, bills)
	out.PosAmount, out.BillAmount = appendAt(out.PosAmount, in.Total, runs), appendAt(out.BillAmount, b.Amount, bills)
	from := len(out.Difference)
	out.Difference = room(out.Difference, n)
	for k := from; k < len(out.Difference); k++ {
		out.Difference[k] = int64(given(out.BillAmount[k]) - given(out.PosAmount[k]))
	}
	out.Received, out.ServiceFee = appendAt(out.Received, b.Received, bills), appendAt(out.ServiceFee, b.Fee, bills)
	out.ProviderPID = appendEither(out.ProviderPID, in.ProviderPID, runs, nil, nil)
	appendPlaces(&out.Pos, in.Table, in.Line, runs)
	appendPlaces(&out.Bill, b.Table, b.Line, bills)
}

// emitUnits writes the columns that come from the units in w.emitted themselves.
func (w *worker) emitUnits(out *schema.Trades) {
	from, n := len(out.Status), len(w.emitted)
	out.Merchant, out.Status = room(out.Merchant, n), room(out.Status, n)
	out.BuyerPaid, out.RedPacket = room(out.BuyerPaid, n), room(out.RedPacket, n)
	out.Allowance, out.Coupon = room(out.Allowance, n), room(out.Coupon, n)
	out.FeeExpected, out.Refunded = room(out.FeeExpected, n), room(out.Refunded, n)
	out.Cause, out.CarriedDays, out.Reason = room(out.Cause, n), room(out.CarriedDays, n), room(out.Reason, n)
	for k, i := range w.emitted {
		u, row := &w.units[i], from+k
		out.Merchant[row], out.Status[row] = u.merchant, uint8(u.status)
		out.Cause[row], out.Reason[row] = uint8(u.cause), uint8(u.reason)
		out.CarriedDays[row] = w.p.daysCarried(w.unitTables(u))
		paid, red, allowance, coupon := int64(schema.Null), int64(schema.Null), int64(schema.Null), int64(schema.Null)
		feeDue, refunded := int64(schema.Null), int64(schema.Null)
		if u.status != rules.StatusDuplicate {
			feeDue, refunded = w.feeDue(u), int64(u.refunded)
			if f := &u.funding; u.split {
				paid, red = int64(f[rules.FundPaid]), int64(f[rules.FundRedPacket])
				allowance, coupon = int64(f[rules.FundAllowance]), int64(f[rules.FundCoupon])
			}
		}
		out.BuyerPaid[row], out.RedPacket[row] = paid, red
		out.Allowance[row], out.Coupon[row] = allowance, coupon
		out.FeeExpected[row], out.Refunded[row] = feeDue, refunded
	}
}

// room makes a column longer by n values, which are whatever they were.
func room[T any](s []T, n int) []T {
	return slices.Grow(s, n)[:len(s)+n]
}

// appendAt appends the values of rows, Null for row -1.
func appendAt(dst, values []int64, rows []int32) []int64 {
	from := len(dst)
	dst = room(dst, len(rows))
	for k, row := range rows {
		dst[from+k] = at(values, row)
	}
	return dst
}

// appendEither appends the POS's words, else the bill's, of which there may be none.
func appendEither(dst, pos []uint32, runs []int32, bill []uint32, bills []int32) []uint32 {
	from := len(dst)
	dst = room(dst, len(runs))
	for k, run := range runs {
		word := uint32(0)
		if run >= 0 {
			word = pos[run]
		}
		if word == 0 && bills != nil && bills[k] >= 0 {
			word = bill[bills[k]]
		}
		dst[from+k] = word
	}
	return dst
}

// appendPlaces appends the places of rows, a blank for row -1.
func appendPlaces(p *schema.Place, table, line, rows []int32) {
	from := len(p.Table)
	p.Table, p.Line = room(p.Table, len(rows)), room(p.Line, len(rows))
	for k, row := range rows {
		t, l := int32(-1), int32(0)
		if row >= 0 {
			t, l = table[row], line[row]
		}
		p.Table[from+k], p.Line[from+k] = t, l
	}
}

func at(values []int64, row int32) int64 {
	if row < 0 {
		return schema.Null
	}
	return values[row]
}

// either is the POS's word, else the bill's.
func either(pos []uint32, run int32, bill []uint32, row int32) uint32 {
	if run >= 0 && pos[run] != 0 {
		return pos[run]
	}
	if row >= 0 {
		return bill[row]
	}
	return 0
}

func appendPlace(p *schema.Place, table, line []int32, row int32) {
	if row < 0 {
		p.Append(-1, 0)
		return
	}
	p.Append(table[row], line[row])
}

func (w *worker) outTradeNo(key int32) []byte {
	if key < 0 {
		return nil
	}
	return w.keys.key(key)
}

// numberOf is the out_trade_no that the unit is shown under.
func (w *worker) numberOf(u *unit) []byte {
	if u.key < 0 && w.isPast(u) {
		return w.past.OutTradeNo.At(int(u.past))
	}
	return w.outTradeNo(u.key)
}

// tradeNo is the trade_no of the unit's payment, else its order's.
func (w *worker) tradeNo(u *unit) []byte {
	if w.isPast(u) {
		return w.past.TradeNo.At(int(u.past))
	}
	if u.bill >= 0 && w.billTrade[u.bill] >= 0 {
		return w.rows.Bills.TradeNo.At(int(u.bill))
	}
	if u.order >= 0 && w.orders[u.order].trade >= 0 {
		return w.trades.key(w.orders[u.order].trade)
	}
	return nil
}

// feeDue is the service fee that the payment should have cost (rules 7), or Null
// where it is not checked.
func (w *worker) feeDue(u *unit) int64 {
	if u.bill < 0 || w.rows.Bills.Fee[u.bill] == schema.Null || w.p.tables[w.rows.Bills.Table[u.bill]].FeesAllZero {
		return schema.Null
	}
	rate := w.p.feeRate(w.rows.Bills.Merchant[u.bill], w.rows.Bills.Store[u.bill])
	if rate == schema.Null {
		return schema.Null
	}
	return int64(rules.ExpectedFee(rules.Fen(w.rows.Bills.Received[u.bill]), rules.Micro(rate)))
}

// emitGoods allocates the order's total and writes its goods rows. It gives the
// allocated lines, which are reused for the next order; nil where there are none.
func (w *worker) emitGoods(u *unit, out *schema.GoodsRows) []rules.AllocatedLine {
	if u.order < 0 || u.status == rules.StatusDuplicate {
		return nil
	}
	o := &w.orders[u.order]
	if !w.paid(o) || w.leftOut(o) {
		return nil
	}
	total := w.rows.Orders.Total[o.run]
	scenario, lines, err := w.allocate(o)
	switch {
	case errors.Is(err, errIncomplete), err != nil && !errors.Is(err, rules.ErrPriceUnknown):
		if errors.Is(err, rules.ErrRange) {
			w.rejectRange(o)
		}
		w.totals.incomplete++
		w.find(rules.BreakGoodsIncomplete, rules.SidePOS, u, total, schema.Null, schema.Null, "")
		return nil
	case err != nil:
		w.totals.priceUnknown++
		w.find(rules.BreakPriceUnknown, rules.SidePOS, u, total, schema.Null, schema.Null, "")
		return nil
	case scenario == 0:
		w.totals.noGoods++
		return nil
	}
	w.totals.allocatedOrders.AddInt(total)
	tally := &w.totals.scenarios[scenario]
	tally.Orders++
	tally.Amount.AddInt(total)
	in := &w.rows.Orders
	next := 0 // of goodsLines: allocated lines stand in the order of first appearance
	for i := range lines {
		line := &lines[i]
		at := in.Line[o.run]
		if !line.Filler {
			for w.goodsLines[next].ID != line.ID {
				next++
			}
			at = w.goodsAt[next]
			next++
		}
		out.Merchant = append(out.Merchant, o.merchant)
		out.OutTradeNo.Append(w.keys.key(o.key))
		out.Line = append(out.Line, int64(i+1))
		out.Goods = append(out.Goods, line.ID)
		name, filler := line.Name, uint8(0)
		if line.Filler {
			name, filler = w.p.filler, 1
		}
		out.Name = append(out.Name, name)
		out.Quantity = append(out.Quantity, int64(line.Quantity))
		out.Price = append(out.Price, int64(line.Price))
		out.Amount = append(out.Amount, int64(line.Amount))
		out.Allocated = append(out.Allocated, int64(line.Allocated))
		out.Filler = append(out.Filler, filler)
		out.Scenario = append(out.Scenario, uint8(scenario))
		out.Store = append(out.Store, in.Store[o.run])
		out.Source.Append(in.Table[o.run], at)
	}
	return lines
}

// rejectRange rejects the line with which the order's line amounts leave the range
// of amounts (rules 1).
func (w *worker) rejectRange(o *order) {
	var sum rules.Fen
	for i := range w.goodsLines {
		g := &w.goodsLines[i]
		price := g.Price
		if !g.HasPrice {
			price, _ = w.tagOf(g.ID)
		}
		amount, err := rules.LineAmount(price, g.Quantity)
		if err == nil {
			sum += amount // two amounts within the range do not overflow
		}
		if err != nil || sum > rules.MaxFen || i == len(w.goodsLines)-1 {
			w.reject(w.rows.Orders.Table[o.run], w.goodsAt[i], rules.CodeAmountRange, "price", w.goodsAt[i], price.String())
			return
		}
	}
}

// emitRefunds writes the refund rows in key order.
func (w *worker) emitRefunds(out *Part) {
	w.sortedRefunds = w.sortedRefunds[:0]
	for i := range w.refunds {
		w.sortedRefunds = append(w.sortedRefunds, int32(i))
	}
	slices.SortFunc(w.sortedRefunds, func(a, b int32) int {
		x, y := &w.refunds[a], &w.refunds[b]
		if c := w.compareKeys(x.merchant, x.key, y.merchant, y.key); c != 0 {
			return c
		}
		if c := bytes.Compare(w.requestNo(x), w.requestNo(y)); c != 0 {
			return c
		}
		return w.compareRefundPlaces(x, y)
	})
	for _, i := range w.sortedRefunds {
		r := &w.refunds[i]
		w.checkRefund(r)
		w.emitRefund(r, &out.Refunds)
		if w.p.job.State {
			w.keepRefund(r, &out.Returned)
			if w.refundCarried(r) {
				out.Again.add(r.merchant, w.outTradeNo(r.key), w.refundTradeNo(r), w.requestNo(r), 0)
			}
		}
		if w.p.settles {
			w.addRefundToShift(r)
		}
	}
}

func (w *worker) emitRefund(r *refundUnit, out *schema.RefundRows) {
	in, b := &w.rows.Refunds, &w.rows.Bills
	run := int32(-1)
	if r.pos >= 0 {
		run = w.posRefunds[r.pos].run
	}
	out.Merchant = append(out.Merchant, r.merchant)
	out.OutTradeNo.Append(w.outTradeNo(r.key))
	out.RequestNo.Append(w.requestNo(r))
	out.TradeNo.Append(w.refundTradeNo(r))
	out.Status = append(out.Status, uint8(r.status))
	out.Time = append(out.Time, w.refundTime(r))
	out.Store = append(out.Store, either(in.Store, run, b.Store, r.bill))
	out.PosAmount = append(out.PosAmount, at(in.Amount, run))
	out.BillAmount = append(out.BillAmount, at(b.Amount, r.bill))
	out.Cumulative = append(out.Cumulative, r.cumulative)
	part := func(f rules.Fund) int64 {
		if !r.hasParts {
			return schema.Null
		}
		return int64(r.expected[f])
	}
	out.ExpectedPaid = append(out.ExpectedPaid, part(rules.FundPaid))
	out.ExpectedRed = append(out.ExpectedRed, part(rules.FundRedPacket))
	out.ExpectedAllowance = append(out.ExpectedAllowance, part(rules.FundAllowance))
	out.ExpectedCoupon = append(out.ExpectedCoupon, part(rules.FundCoupon))
	received, red, discount := at(b.Received, r.bill), int64(schema.Null), int64(schema.Null)
	if r.bill >= 0 && b.Flags[r.bill]&schema.NoSplit == 0 {
		red = int64(given(b.RedPacket[r.bill]) + given(b.PlatformDiscount[r.bill]))
		discount = int64(given(b.MerchantDiscount[r.bill]))
	}
	out.ActualReceived = append(out.ActualReceived, received)
	out.ActualRed = append(out.ActualRed, red)
	out.ActualAllowance = append(out.ActualAllowance, discount)
	out.ServiceFee = append(out.ServiceFee, at(b.Fee, r.bill))
	out.FeeExpected = append(out.FeeExpected, r.feeDue)
	out.Mode = append(out.Mode, uint8(r.mode))
	out.Overpaid = append(out.Overpaid, r.overpaid)
	out.Reason = append(out.Reason, uint8(r.reason))
	appendPlace(&out.Pos, in.Table, in.Line, run)
	appendPlace(&out.Bill, b.Table, b.Line, r.bill)
}

func (w *worker) refundTradeNo(r *refundUnit) []byte {
	if r.bill >= 0 && w.billTrade[r.bill] >= 0 {
		return w.rows.Bills.TradeNo.At(int(r.bill))
	}
	if r.pos >= 0 && w.posRefunds[r.pos].trade >= 0 {
		return w.trades.key(w.posRefunds[r.pos].trade)
	}
	return nil
}
