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
				out.Again.add(u.merchant, w.outTradeNo(u.key), w.tradeNo(u), nil, 1)
			}
			continue
		}
		w.checkUnit(u)
		w.checkCoupon(u, w.emitGoods(u, &out.Goods))
		w.auditUnit(u, out)
		w.emitTrade(u, &out.Trades)
		if w.p.job.State {
			w.keepTrade(i, &out.Settled)
			if pos, bill := w.unitTables(u); w.p.carried(pos) || w.p.carried(bill) {
				out.Again.add(u.merchant, w.outTradeNo(u.key), w.tradeNo(u), nil, 0)
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
	w.emitRefunds(out)
}

func (w *worker) emitTrade(u *unit, out *schema.Trades) {
	in, b := &w.rows.Orders, &w.rows.Bills
	run := int32(-1)
	if u.order >= 0 {
		run = w.orders[u.order].run
	}
	duplicate := u.status == rules.StatusDuplicate
	out.Merchant = append(out.Merchant, u.merchant)
	out.OutTradeNo.Append(w.outTradeNo(u.key))
	out.TradeNo.Append(w.tradeNo(u))
	out.Status = append(out.Status, uint8(u.status))
	out.OrderTime = append(out.OrderTime, at(in.Time, run))
	out.BillTime = append(out.BillTime, at(b.Time, u.bill))
	out.Store = append(out.Store, either(in.Store, run, b.Store, u.bill))
	out.Terminal = append(out.Terminal, either(in.Terminal, run, b.Terminal, u.bill))
	out.Operator = append(out.Operator, either(in.Operator, run, b.Operator, u.bill))
	pos, bill := at(in.Total, run), at(b.Amount, u.bill)
	out.PosAmount = append(out.PosAmount, pos)
	out.BillAmount = append(out.BillAmount, bill)
	out.Difference = append(out.Difference, int64(given(bill)-given(pos)))
	out.Received = append(out.Received, at(b.Received, u.bill))
	funded := u.split && !duplicate
	fund := func(f rules.Fund) int64 {
		if !funded {
			return schema.Null
		}
		return int64(u.funding[f])
	}
	out.BuyerPaid = append(out.BuyerPaid, fund(rules.FundPaid))
	out.RedPacket = append(out.RedPacket, fund(rules.FundRedPacket))
	out.Allowance = append(out.Allowance, fund(rules.FundAllowance))
	out.Coupon = append(out.Coupon, fund(rules.FundCoupon))
	out.ServiceFee = append(out.ServiceFee, at(b.Fee, u.bill))
	feeDue, refunded := int64(schema.Null), int64(schema.Null)
	if !duplicate {
		feeDue, refunded = w.feeDue(u), int64(u.refunded)
	}
	out.FeeExpected = append(out.FeeExpected, feeDue)
	out.Refunded = append(out.Refunded, refunded)
	provider := uint32(0)
	if run >= 0 {
		provider = in.ProviderPID[run]
	}
	out.ProviderPID = append(out.ProviderPID, provider)
	out.Cause = append(out.Cause, uint8(u.cause))
	out.CarriedDays = append(out.CarriedDays, w.p.daysCarried(w.unitTables(u)))
	out.Reason = append(out.Reason, uint8(u.reason))
	appendPlace(&out.Pos, in.Table, in.Line, run)
	appendPlace(&out.Bill, b.Table, b.Line, u.bill)
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
