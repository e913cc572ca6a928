package engine

import (
	"reflect"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// TestEmitTrades: the columns of trades are those of its rows, one after the other.
func TestEmitTrades(t *testing.T) {
	for seed := range uint64(3) {
		w, rows := oneWorker(t, makeDay(seed, 3000))
		w.rows.add(rows)
		if _, err := w.reconcile(0); err != nil {
			t.Fatal(err)
		}
		var want schema.Trades
		for _, i := range w.emitted {
			w.emitTrade(&w.units[i], &want)
		}
		if have := &w.part.Trades; !reflect.DeepEqual(have, &want) {
			t.Errorf("seed %d: trades by column are not those by row", seed)
		}
		if want.Len() == 0 {
			t.Errorf("seed %d: no trades", seed)
		}
	}
}

// emitTrade is emitTrades for one unit, plainly.
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
