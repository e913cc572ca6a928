package engine

import (
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// FeeOnRefund says how the service fee comes back on a refund (rules 7).
type FeeOnRefund uint8

// The choices of fees.on_refund.
const (
	FeeNone FeeOnRefund = iota + 1
	FeeProRata
	FeeFullRefundOnly
)

var feeNames = [...]string{"", "none", "pro_rata", "full_refund_only"}

// String is the choice's word in a job file.
func (f FeeOnRefund) String() string { return feeNames[f] }

// A Job is everything that decides a run's results besides the rows: the rules
// of the job file, the reference data, and which inputs there are.
type Job struct {
	// Date is the business date in days since 1970-01-01, or NoDate: then it is
	// found from the bills (rules 3).
	Date int32

	AmountTolerance rules.Fen
	CutoffWindow    int64 // seconds
	SuggestWindow   int64 // seconds
	CarryDays       int

	Remainder  rules.Remainder
	Policy     rules.Policy
	RefundMode rules.RefundMode

	RebateTolerance rules.Micro

	FeeTolerance rules.Fen
	FeeOnRefund  FeeOnRefund

	DefaultMerchant string
	Registry        *schema.Registry

	// Shifts are the job's shifts, in any order; empty: a day is one shift.
	Shifts []Shift

	// Guard has the PIDs of the POS orders judged by themselves (Result.PIDUses),
	// which takes agreements and no bill.
	Guard bool

	// Inputs are the kinds that the job gives; a part of the work whose inputs
	// are absent is left out.
	Inputs map[schema.InputKind]bool

	// State: the run has a yesterday and a tomorrow (rules 9). Rows that are open
	// near the ends of the day are pending until CarryDays are over, and the result
	// has what the run leaves to later days.
	State bool

	// History is what earlier days left; nil for nothing. It takes State.
	History History
	// HistoryDays are the days whose bills earlier runs had.
	HistoryDays []int32

	// Layout is how the rows are divided among partitions.
	Layout Layout
}

// Parts says which parts of the work the inputs lead to: those run. It is known
// before the run, as Result.Parts is after it.
func (j *Job) Parts() []PartState {
	part := func(name string, needs ...schema.InputKind) PartState {
		for _, kind := range needs {
			if !j.given(sourcesOf(kind)...) {
				return PartState{Name: name, Why: kind.String()}
			}
		}
		return PartState{Name: name, Ran: true}
	}
	parts := []PartState{
		part("trades", schema.AlipayBill, schema.PosOrders),
		part("refunds", schema.AlipayBill),
		part("pos_refunds", schema.AlipayBill, schema.PosRefundsKind),
		part("goods", schema.PosOrders),
		part("shifts", schema.AlipayBill, schema.PosOrders),
		part("accounts", schema.AlipayBill, schema.AlipayAccount),
		part("fees", schema.AlipayBill, schema.MerchantsKind),
		part("rebates", schema.AlipayBill, schema.AgreementsKind),
		part("statements", schema.AlipayBill, schema.AgreementsKind, schema.Rebate),
		part("store_registry", schema.PosOrders, schema.StoresKind),
		part("goods_registry", schema.PosOrders, schema.GoodsKind),
		part("coupons", schema.PosOrders, schema.CouponsKind),
		part("devices", schema.DeviceRewardsKind),
		part("device_registry", schema.DeviceRewardsKind, schema.DevicesKind),
	}
	if j.State {
		parts = append(parts, PartState{Name: "carry", Ran: true}, PartState{Name: "history", Ran: true})
	}
	return parts
}

// The kinds of input whose orders or refunds are the POS's. Taobao orders are
// not: they are left out and totalled.
var (
	posOrderKinds  = []schema.InputKind{schema.PosOrders, schema.KukeduoOrders, schema.PosAPI}
	posRefundKinds = []schema.InputKind{schema.PosRefundsKind, schema.PosAPI}
)

// sourcesOf are the kinds that give what a kind gives.
func sourcesOf(kind schema.InputKind) []schema.InputKind {
	switch kind { //nolint:exhaustive // the others have themselves alone
	case schema.PosOrders:
		return posOrderKinds
	case schema.PosRefundsKind:
		return posRefundKinds
	}
	return []schema.InputKind{kind}
}

// given tells whether the job has one of the kinds.
func (j *Job) given(kinds ...schema.InputKind) bool {
	return slices.ContainsFunc(kinds, func(kind schema.InputKind) bool { return j.Inputs[kind] })
}

// NoDate is the Date of a job that gives none.
const NoDate = -1 << 31

// A Layout is how rows are divided among partitions. A merchant's rows lie in one
// group of Spread partitions, in which they are divided by out_trade_no: what comes
// to a day for one merchant touches few partitions. Where Spread is Partitions there
// is one group, and the merchant plays no part. It never changes a result, only the
// order of the rows in the outputs.
type Layout struct {
	Partitions int // a power of two, at most mostPartitions
	Spread     int // a power of two; 0, or from Partitions on, is Partitions
}

// mostPartitions bounds a layout: an entry of the index has ten bits for it.
const mostPartitions = 1024

// share is n of bytes, of which there are hardly more than a petabyte.
func share(n int, bytes int64) int64 { return int64(n) * bytes }

// spread is Spread as it is meant.
func (l Layout) spread() int {
	if l.Spread <= 0 || l.Spread > l.Partitions {
		return l.Partitions
	}
	return l.Spread
}

// LayoutFor is the layout for inputs of so many bytes, of which the files of bills
// have those sizes. It depends on the inputs alone, never on the machine, so that
// outputs have the same bytes everywhere. A merchant's bill is rarely larger than the
// largest file of bills: as large a share as that has of all bills, of the partitions
// a group has, so that a group's partitions are no larger than if there were no groups.
func LayoutFor(bytes int64, bills []int64) Layout {
	const perPartition = 12 << 20 // of input as it is on disk: a partition's rows fit a core's cache
	l := Layout{Partitions: 1, Spread: 1}
	for int64(l.Partitions)*perPartition < bytes && l.Partitions < mostPartitions {
		l.Partitions *= 2
	}
	var all, largest int64
	for _, n := range bills {
		all, largest = all+n, max(largest, n)
	}
	if all == 0 {
		l.Spread = l.Partitions
	}
	for l.Spread < l.Partitions && share(l.Spread, all) < share(l.Partitions, largest) {
		l.Spread *= 2
	}
	return l
}
