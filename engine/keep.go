package engine

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// What a run with state leaves to later days: a row of Part.Settled for each row of
// trades that is not pending, and a row of Part.Returned for each such refund
// (rules 9).

// keepTrade adds the row of trades that was emitted last.
func (w *worker) keepTrade(unit int32, out *schema.Settled) {
	u := &w.units[unit]
	if u.status == rules.StatusPending {
		return
	}
	w.settledRow[unit] = int32(out.Len())
	in, b := &w.rows.Orders, &w.rows.Bills
	run, flags, provider, channel, instalments := int32(-1), uint8(0), uint32(0), uint32(0), int32(0)
	if u.order >= 0 {
		run = w.orders[u.order].run
		provider, channel, instalments = in.ProviderPID[run], in.Channel[run], max(in.Instalments[run], 0)
		if in.Link[run] == uint8(schema.Indirect) {
			flags |= schema.SettledIndirect
		}
		for _, f := range [...]struct{ of, as uint8 }{
			{schema.OrderPIDWrongKey, schema.SettledWrongKey},
			{schema.OrderPIDUnknown, schema.SettledPIDUnknown},
			{schema.OrderMessages, schema.SettledByMessages},
		} {
			if in.Flags[run]&f.of != 0 {
				flags |= f.as
			}
		}
	}
	billMerchant, billStore, red := uint32(0), uint32(0), int64(u.funding[rules.FundRedPacket])
	if u.bill >= 0 {
		billMerchant, billStore = b.Merchant[u.bill], b.Store[u.bill]
		instalments = max(instalments, b.Instalments[u.bill])
		red = int64(w.platformPaid(u.bill)) // known, if the rest is not
	}
	if u.split {
		flags |= schema.SettledSplit
	}
	out.Query, out.Day = append(out.Query, 0), append(out.Day, 0)
	out.Ref.Append(nil)
	out.Merchant = append(out.Merchant, u.merchant)
	out.BillMerchant = append(out.BillMerchant, billMerchant)
	out.OutTradeNo.Append(w.outTradeNo(u.key))
	out.TradeNo.Append(w.tradeNo(u))
	out.Status = append(out.Status, uint8(u.status))
	out.Reason = append(out.Reason, uint8(u.reason))
	out.Flags = append(out.Flags, flags)
	out.OrderTime = append(out.OrderTime, at(in.Time, run))
	out.BillTime = append(out.BillTime, at(b.Time, u.bill))
	out.Store = append(out.Store, either(in.Store, run, b.Store, u.bill))
	out.BillStore = append(out.BillStore, billStore)
	out.Terminal = append(out.Terminal, either(in.Terminal, run, b.Terminal, u.bill))
	out.Operator = append(out.Operator, either(in.Operator, run, b.Operator, u.bill))
	out.Channel = append(out.Channel, channel)
	out.PosAmount = append(out.PosAmount, at(in.Total, run))
	out.BillAmount = append(out.BillAmount, at(b.Amount, u.bill))
	out.Paid = append(out.Paid, int64(u.funding[rules.FundPaid]))
	out.RedPacket = append(out.RedPacket, red)
	out.Allowance = append(out.Allowance, int64(u.funding[rules.FundAllowance]))
	out.Coupon = append(out.Coupon, int64(u.funding[rules.FundCoupon]))
	out.MerchantRed = append(out.MerchantRed, int64(u.funding[rules.FundMerchantRed]))
	out.Received = append(out.Received, at(b.Received, u.bill))
	out.ProviderPID = append(out.ProviderPID, provider)
	out.Instalments = append(out.Instalments, instalments)
}

// platformPaid is what the platform gave on a bill row: 支付宝红包 + 支付宝优惠.
func (w *worker) platformPaid(row int32) rules.Fen {
	b := &w.rows.Bills
	return given(b.RedPacket[row]) + given(b.PlatformDiscount[row])
}

// keepRefund adds the row of refunds that was emitted last.
func (w *worker) keepRefund(r *refundUnit, out *schema.Returned) {
	if r.status == rules.StatusPending {
		if !r.exceeds && r.cumulative != schema.Null {
			w.totals.refundedPending.Add(w.refundAmount(r))
		}
		return
	}
	in, b := &w.rows.Refunds, &w.rows.Bills
	run, red := int32(-1), int64(schema.Null)
	if r.pos >= 0 {
		run = w.posRefunds[r.pos].run
	}
	if r.bill >= 0 {
		red = int64(w.platformPaid(r.bill))
	}
	of, ref := int32(-1), []byte(nil)
	if r.unit >= 0 {
		if of = w.settledRow[r.unit]; of < 0 && w.isPast(&w.units[r.unit]) {
			ref = w.past.Ref.At(int(w.units[r.unit].past))
		}
	}
	counts := uint8(0)
	if r.moves() {
		counts = 1
	}
	out.Of = append(out.Of, of)
	out.Ref.Append(ref)
	out.Day = append(out.Day, 0)
	out.Merchant = append(out.Merchant, r.merchant)
	out.OutTradeNo.Append(w.outTradeNo(r.key))
	out.RequestNo.Append(w.requestNo(r))
	out.TradeNo.Append(w.refundTradeNo(r))
	out.Status = append(out.Status, uint8(r.status))
	out.Counts = append(out.Counts, counts)
	out.Time = append(out.Time, w.refundTime(r))
	out.PosAmount = append(out.PosAmount, at(in.Amount, run))
	out.BillAmount = append(out.BillAmount, at(b.Amount, r.bill))
	out.Received = append(out.Received, at(b.Received, r.bill))
	out.RedPacket = append(out.RedPacket, red)
}

// moves: the bill has the refund, and it moves the trade's cumulative amount for
// good.
func (r *refundUnit) moves() bool {
	return r.bill >= 0 && !r.exceeds && r.status != rules.StatusDuplicate && r.cumulative != schema.Null
}
