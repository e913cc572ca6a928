package main

import "github.com/shopspring/decimal"

var tradeColumns = []column{
	{"merchant_pid", text},
	{"out_trade_no", text},
	{"trade_no", text},
	{"status", text},
	{"order_time", moment},
	{"bill_time", moment},
	{"store_id", text},
	{"terminal_id", text},
	{"operator_id", text},
	{"pos_amount", money},
	{"bill_amount", money},
	{"difference", money},
	{"received", money},
	{"buyer_paid", money},
	{"red_packet", money},
	{"allowance", money},
	{"coupon", money},
	{"service_fee", money},
	{"fee_expected", money},
	{"refunded", money},
	{"sys_service_provider_id", text},
	{"rebate_cause", text},
	{"carried_days", whole},
	{"reason", text},
}

func writeTrades(dir string, d *day, trades []trade, sums *checksums) error {
	t, err := newTable(dir, "trades", tradeColumns)
	if err != nil {
		return err
	}
	for i := range trades {
		t.tradeRow(d, &trades[i], sums)
	}
	return t.close()
}

// tradeRow is one long row, in the order of the columns.
func (t *table) tradeRow(d *day, x *trade, sums *checksums) {
	o, p := x.order, x.bill
	if o == nil {
		o = &order{key: p.key, tradeNo: p.tradeNo, store: p.store, terminal: p.terminal}
	}
	b := p
	if b == nil {
		b = &payment{tradeNo: o.tradeNo, fund: o.fund}
	}
	null := func(v decimal.Decimal, valid bool) decimal.NullDecimal {
		return decimal.NullDecimal{Decimal: v, Valid: valid}
	}
	t.text(o.merchant)
	t.text(o.number)
	t.text(b.tradeNo)
	t.text(x.status)
	t.time(o.time)
	t.time(b.time)
	t.text(o.store)
	t.text(o.terminal)
	t.text(b.operator)
	t.decimalOrNull(null(o.total, x.order != nil))
	t.decimalOrNull(null(b.total, p != nil))
	t.decimal(b.total.Sub(o.total))
	t.decimalOrNull(null(b.received, p != nil))
	again := b.duplicate
	t.decimalOrNull(null(b.fund.buyer, !again))
	t.decimalOrNull(null(b.fund.red, !again))
	t.decimalOrNull(null(b.fund.allowance, !again))
	t.decimalOrNull(null(b.fund.coupon, !again))
	t.decimalOrNull(null(b.fee, p != nil))
	t.decimalOrNull(d.checkFee(p, o.key, sums))
	t.decimalOrNull(null(b.refunded, !again))
	t.text(o.pid)
	t.text(b.cause)
	t.null()
	t.text(x.reason)
	t.end()
}

var feeTolerance = decimal.New(1, -2)

// checkFee is the service fee that p had to cost (rules 7).
func (d *day) checkFee(p *payment, k key, sums *checksums) decimal.NullDecimal {
	if p == nil || p.duplicate {
		return decimal.NullDecimal{}
	}
	percent := d.rates[p.merchant]
	if own := d.storeRates[p.store]; own.Valid {
		percent = own.Decimal
	}
	expected := p.received.Mul(percent).Round(2)
	if off := p.fee.Sub(expected).Abs(); off.GreaterThan(feeTolerance) {
		sums.found(finding{
			code: "fee_mismatch", severity: "warn", side: "bill", key: k,
			tradeNo: p.tradeNo, store: p.store, amount: off,
		})
	}
	return decimal.NewNullDecimal(expected)
}
