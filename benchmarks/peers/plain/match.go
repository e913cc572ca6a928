package main

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// trade is one row of trades: a pair, or a single unit.
type trade struct {
	order  *order
	bill   *payment
	status string
	reason string
}

// match pairs orders and payments by key and then by trade_no, and gives every
// unit its status (rules 3).
func match(d *day, sums *checksums) []trade {
	taken := make(map[string]bool, len(d.payments)) // trade_nos
	paidKeys := make(map[key]bool, len(d.payments))
	byTradeNo := map[string]*payment{} // those whose key no order has
	for _, p := range d.payments {
		if taken[p.tradeNo] {
			p.duplicate = true
			continue
		}
		taken[p.tradeNo] = true
		o := d.byKey[p.key]
		switch {
		case paidKeys[p.key]:
			p.second = true
		case o != nil:
			p.order, o.bill = o, p
		default:
			byTradeNo[p.tradeNo] = p
		}
		paidKeys[p.key] = true
	}
	trades := make([]trade, 0, len(d.orders))
	for _, o := range d.orders {
		if o.bill == nil && o.tradeNo != "" {
			if p := byTradeNo[o.tradeNo]; p != nil && p.order == nil {
				o.bill, p.order = p, o
			}
		}
		trades = append(trades, trade{order: o, bill: o.bill})
	}
	for _, p := range d.payments {
		if p.order == nil {
			trades = append(trades, trade{bill: p})
		}
		if !p.duplicate {
			p.fund = fundingOf(p)
		}
	}
	for i := range trades {
		trades[i].judge(sums)
	}
	slices.SortFunc(trades, func(a, b trade) int {
		x, y := a.key(), b.key()
		return cmp.Or(cmp.Compare(x.merchant, y.merchant), cmp.Compare(x.number, y.number))
	})
	d.assignRefunds()
	return trades
}

func (t *trade) key() key {
	if t.order != nil {
		return t.order.key
	}
	return t.bill.key
}

// judge sets the status and notes what hangs on it.
func (t *trade) judge(sums *checksums) {
	o, p := t.order, t.bill
	var pos, bill decimal.NullDecimal
	f := finding{key: t.key(), severity: "error"}
	if p != nil {
		bill = decimal.NewNullDecimal(p.total)
		f.tradeNo, f.store, f.side, f.amount = p.tradeNo, p.store, "bill", p.total
	}
	if o != nil {
		pos = decimal.NewNullDecimal(o.total)
		f.store, f.side = o.store, "pos"
	}
	switch {
	case o == nil && p.duplicate:
		t.status = "duplicate"
		f.severity = "info"
	case o == nil:
		t.status = "bill_only"
		if p.second {
			t.reason = "paid_twice"
		}
	case p == nil && o.status != "paid":
		t.status, t.reason = "excluded", "not_paid"
	case p == nil:
		t.status = "pos_only"
		f.tradeNo, f.amount = o.tradeNo, o.total
	case o.status != "paid":
		t.status, f.side = "status_mismatch", "both"
	case !o.total.Equal(p.total):
		t.status, f.side, f.amount = "amount_mismatch", "both", p.total.Sub(o.total).Abs()
	default:
		t.status = "matched"
	}
	at(sums.Trades, t.status).add(pos, bill)
	if t.status != "matched" && t.status != "excluded" {
		f.code = t.status
		sums.found(f)
	}
}

// fundingOf is what paid for p, by the bill's row; the POS tells allowance from
// coupon where it agrees on their sum (rules 5).
func fundingOf(p *payment) funding {
	f := funding{red: p.red, merchantRed: p.merchantRed}
	if o := p.order; o != nil && o.funded && o.fund.allowance.Add(o.fund.coupon).Equal(p.discount) {
		f.allowance, f.coupon = o.fund.allowance, o.fund.coupon
	} else {
		f.coupon = decimal.Min(p.discount, p.voucher)
		f.allowance = plus(p.discount, f.coupon.Neg())
	}
	f.buyer = p.total
	for _, other := range []decimal.Decimal{f.red, p.discount, f.merchantRed} {
		if !other.IsZero() {
			f.buyer = f.buyer.Sub(other)
		}
	}
	return f
}

// assignRefunds gives every payment its refunds, in their order.
func (d *day) assignRefunds() {
	by := make(map[string]*payment, len(d.payments))
	for _, p := range d.payments {
		if !p.duplicate {
			by[p.tradeNo] = p
		}
	}
	for _, r := range d.refunds {
		if p := by[r.tradeNo]; p != nil && r.bill.Valid {
			p.refunds = append(p.refunds, r)
			p.refundedTotal = p.refundedTotal.Add(r.bill.Decimal)
			p.refundedToAccount = p.refundedToAccount.Add(r.received)
		}
	}
	for _, p := range d.payments {
		slices.SortFunc(p.refunds, func(a, b *refund) int {
			return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.request, b.request))
		})
		p.splitRefunds()
	}
}

// splitRefunds says how each of p's refunds has to fall on the funding.
func (p *payment) splitRefunds() {
	before := funding{}
	for _, r := range p.refunds {
		p.refunded = p.refunded.Add(r.bill.Decimal)
		now := p.fund.returned(p.refunded)
		r.cumulative = p.refunded
		r.paid = now.buyer.Sub(before.buyer)
		r.expectedRed = now.red.Sub(before.red)
		r.expectedAllowance = now.allowance.Sub(before.allowance)
		before = now
	}
}

// returned is what has come back once x of the order is refunded.
func (f *funding) returned(x decimal.Decimal) funding {
	var r funding
	r.buyer = decimal.Min(x, f.buyer)
	r.red = decimal.Min(x.Sub(r.buyer), f.red)
	if x.Sub(r.buyer).Sub(r.red).GreaterThanOrEqual(f.allowance) {
		r.allowance = f.allowance
	}
	return r
}
