package main

import "github.com/shopspring/decimal"

var refundColumns = []column{
	{"merchant_pid", text},
	{"out_trade_no", text},
	{"out_request_no", text},
	{"trade_no", text},
	{"status", text},
	{"refund_time", moment},
	{"store_id", text},
	{"pos_amount", money},
	{"bill_amount", money},
	{"cumulative", money},
	{"expected_paid", money},
	{"expected_red_packet", money},
	{"expected_allowance", money},
	{"expected_coupon", money},
	{"actual_received", money},
	{"actual_red_packet", money},
	{"actual_allowance", money},
	{"service_fee", money},
	{"fee_expected", money},
	{"mode", text},
	{"reason", text},
}

func writeRefunds(dir string, d *day, sums *checksums) error {
	t, err := newTable(dir, "refunds", refundColumns)
	if err != nil {
		return err
	}
	for _, r := range d.refunds {
		t.refundRow(r, sums)
	}
	return t.close()
}

func (t *table) refundRow(r *refund, sums *checksums) {
	f := finding{key: r.key, tradeNo: r.tradeNo, request: r.request, store: r.store, severity: "error"}
	status := "matched"
	switch {
	case !r.bill.Valid:
		status, f.side, f.amount = "pos_only", "pos", r.pos.Decimal
	case !r.pos.Valid:
		status, f.side, f.amount = "bill_only", "bill", r.bill.Decimal
	case !r.pos.Decimal.Equal(r.bill.Decimal):
		status, f.side, f.amount = "amount_mismatch", "both", r.bill.Decimal.Sub(r.pos.Decimal).Abs()
	}
	at(sums.Refunds, status).add(r.pos, r.bill)
	if status != "matched" {
		f.code = "refund_" + status
		sums.found(f)
	}
	if r.bill.Valid {
		gap := decimal.Max(r.received.Sub(r.paid).Sub(r.expectedRed).Abs(), r.red.Sub(r.expectedRed).Abs(),
			r.discount.Sub(r.expectedAllowance).Abs())
		if gap.IsPositive() {
			f.code, f.side, f.amount = "refund_split", "bill", gap
			sums.found(f)
		}
	}
	sums.Split.Paid = sums.Split.Paid.Add(r.paid)
	sums.Split.Red = sums.Split.Red.Add(r.expectedRed)
	sums.Split.Allowance = sums.Split.Allowance.Add(r.expectedAllowance)

	t.text(r.merchant)
	t.text(r.number)
	t.text(r.request)
	t.text(r.tradeNo)
	t.text(status)
	t.time(r.time)
	t.text(r.store)
	t.decimalOrNull(r.pos)
	t.decimalOrNull(r.bill)
	t.decimal(r.cumulative)
	t.decimal(r.paid)
	t.decimal(r.expectedRed)
	t.decimal(r.expectedAllowance)
	t.decimal(decimal.Zero)
	t.decimal(r.received)
	t.decimal(r.red)
	t.decimal(r.discount)
	t.decimal(r.fee)
	t.decimal(decimal.Zero)
	if r.mode == "" {
		r.mode = "prorated" // the job's
	}
	t.text(r.mode)
	t.null()
	t.end()
}
