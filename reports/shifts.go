package reports

import (
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// shiftsTable is shifts. What is not compared has no difference: the sides of
// another channel than Alipay's, and refunds of which the inputs have no POS side.
func shiftsTable(rows []engine.ShiftRow, o *Options) table {
	type row = engine.ShiftRow
	posRefunds := intColumn("pos_refund_count", schema.IntType, rows, func(r *row) int64 {
		if !r.HasPosRefunds() {
			return schema.Null
		}
		return r.PosRefundCount
	})
	posRefunded := sumColumn("pos_refund_amount", schema.FenType, rows, func(r *row) rules.Sum { return r.PosRefundAmount })
	difference := sumColumn("difference", schema.FenType, rows, (*row).Difference)
	refundDifference := sumColumn("refund_difference", schema.FenType, rows, (*row).RefundDifference)
	posRefunded.None, difference.None, refundDifference.None = make([]bool, len(rows)), make([]bool, len(rows)), make([]bool, len(rows))
	for i := range rows {
		posRefunded.None[i] = !rows[i].HasPosRefunds()
		difference.None[i] = !rows[i].Compared
		refundDifference.None[i] = !rows[i].ComparedRefunds
	}
	return table{name: shiftsName, rows: len(rows), columns: []column{
		textColumn("store_id", rows, func(r *row) string { return o.Privacy.cell("store_id", r.Store) }),
		textColumn("terminal_id", rows, func(r *row) string { return o.Privacy.cell("terminal_id", r.Terminal) }),
		textColumn("operator_id", rows, func(r *row) string { return o.Privacy.cell("operator_id", r.Operator) }),
		textColumn("shift", rows, func(r *row) string { return o.Privacy.cell("shift", r.Shift) }),
		textColumn("channel", rows, func(r *row) string { return o.Privacy.cell("channel", r.Channel) }),
		intColumn("pos_count", schema.IntType, rows, func(r *row) int64 { return r.PosCount }),
		sumColumn("pos_amount", schema.FenType, rows, func(r *row) rules.Sum { return r.PosAmount }),
		intColumn("bill_count", schema.IntType, rows, func(r *row) int64 { return r.BillCount }),
		sumColumn("bill_amount", schema.FenType, rows, func(r *row) rules.Sum { return r.BillAmount }),
		intColumn("refund_count", schema.IntType, rows, func(r *row) int64 { return r.RefundCount }),
		sumColumn("refund_amount", schema.FenType, rows, func(r *row) rules.Sum { return r.RefundAmount }),
		difference,
		textColumn("shift_date", rows, func(r *row) string { return r.Day }),
		posRefunds, posRefunded, refundDifference,
	}}
}

type shiftsInfo struct {
	Rows      int    `json:"rows"`
	Different int    `json:"different"` // rows whose two sides differ
	PosCount  int64  `json:"pos_count"`
	PosAmount string `json:"pos_amount"`
	// Of Alipay's channel: what was compared.
	BillCount  int64  `json:"bill_count"`
	BillAmount string `json:"bill_amount"`
	Difference string `json:"difference"`
}

// shiftsOf adds the shifts up, by what their channel is compared with.
func shiftsOf(rows []engine.ShiftRow) countsJSON {
	var alipay, others shiftsInfo
	var pos, bill, other rules.Sum
	for i := range rows {
		r := &rows[i]
		if !r.Compared {
			others.Rows++
			others.PosCount += r.PosCount
			other.AddSum(r.PosAmount)
			continue
		}
		alipay.Rows++
		if !r.Balanced() {
			alipay.Different++
		}
		alipay.PosCount += r.PosCount
		alipay.BillCount += r.BillCount
		pos.AddSum(r.PosAmount)
		bill.AddSum(r.BillAmount)
	}
	var none rules.Sum
	alipay.PosAmount, alipay.BillAmount, alipay.Difference = pos.String2(), bill.String2(), bill.Sub(pos).String2()
	others.PosAmount, others.BillAmount, others.Difference = other.String2(), none.String2(), none.String2()
	return countsJSON{{"alipay", alipay}, {"others", others}}
}
