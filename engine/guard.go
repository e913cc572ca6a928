package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A PIDUse is what one till sent as sys_service_provider_id with the POS orders
// that are paid by Alipay, and what became of the rebate by that alone (rules 6):
// the guard's view, which needs no bill. Orders are those of the business day;
// without one, all.
//
// Expected is measured by the order's own amounts: order_amount is total_amount,
// buyer_paid the POS's P, received the total less allowance and coupon. A wrong PID
// is measured by the primary's agreement.
type PIDUse struct {
	Merchant, Store, Terminal, Product string
	PID                                string // as sent
	Cause                              rules.Cause

	Count    int64
	Amount   rules.Sum // fen: totals of the orders
	Expected rules.Sum // millionths: their rebates
	First    int64
	Last     int64
	Times    []int64 // of orders with a wrong PID, sorted; nil of right ones
	Days     []int32 // on which there are such orders, sorted

	Order string // the first order's out_trade_no, and its place
	Table int32  `memo:"table"`
	Line  int32
}

type pidUseKey struct {
	merchant, store, terminal, product, pid uint32
	cause                                   rules.Cause
}

// guard judges the PID of an order for each product that it is in the scope of.
func (w *worker) guard(u *unit) {
	if u.order < 0 || u.status == rules.StatusDuplicate {
		return
	}
	in, o := &w.rows.Orders, &w.orders[u.order]
	if o.excluded != 0 || !w.paid(o) || !w.p.guarded(in.Time[o.run]) {
		return
	}
	products := [...]uint32{w.p.faceToFace, w.p.huabei}
	n := 1
	if in.Instalments[o.run] > 0 {
		n = 2
	}
	for _, product := range products[:n] {
		if w.p.inScope[product] {
			w.guardProduct(u, product)
		}
	}
}

// guarded: the order is of the business day.
func (p *plan) guarded(t int64) bool {
	return p.job.Date == NoDate || t >= p.dayStart && t < p.dayEnd
}

func (w *worker) guardProduct(u *unit, product uint32) {
	in, o := &w.rows.Orders, &w.orders[u.order]
	run := o.run
	t := in.Time[run]
	judged := w.judge(judgeKey{
		pid: in.ProviderPID[run], merchant: o.merchant, product: product, day: dayOf(t),
		wrongKey: in.Flags[run]&schema.OrderPIDWrongKey != 0,
	})
	key := pidUseKey{o.merchant, in.Store[run], in.Terminal[run], product, in.ProviderPID[run], judged.cause}
	use := w.pidUses[key]
	if use == nil {
		p := w.p
		use = &PIDUse{
			Merchant: p.text(key.merchant), Store: p.text(key.store), Terminal: p.text(key.terminal), Product: p.text(key.product),
			PID: p.text(key.pid), Cause: key.cause, First: t, Last: t, Table: -1,
		}
		if w.pidUses == nil {
			w.pidUses = map[pidUseKey]*PIDUse{}
		}
		w.pidUses[key] = use
	}
	use.Count++
	use.Amount.AddInt(in.Total[run])
	basis := rules.Fen(in.Total[run])
	if judged.agreement != nil {
		switch judged.agreement.Basis {
		case rules.BasisBuyerPaid:
			basis = u.funding[rules.FundPaid]
		case rules.BasisReceived, 0:
			basis -= given(in.Allowance[run]) + given(in.Coupon[run])
		case rules.BasisOrderAmount:
		}
	}
	use.Expected.AddMicro(rules.Expected(basis, judged.agreement))
	if judged.cause.Lost() {
		use.Times = append(use.Times, t)
	}
	if day := dayOf(t); !slices.Contains(use.Days, day) {
		use.Days = append(use.Days, day)
	}
	table, line := in.Table[run], in.Line[run]
	if use.Table < 0 || t < use.First || t == use.First && w.p.places.compare(table, line, use.Table, use.Line) < 0 {
		use.First, use.Order, use.Table, use.Line = t, string(w.outTradeNo(u.key)), table, line
	}
	use.Last = max(use.Last, t)
}

func mergeUses(places placeOrder, all, more map[pidUseKey]*PIDUse) {
	for key, use := range more {
		have := all[key]
		if have == nil {
			all[key] = use
			continue
		}
		have.Count += use.Count
		have.Amount.AddSum(use.Amount)
		have.Expected.AddSum(use.Expected)
		have.Times = append(have.Times, use.Times...)
		have.Days = append(have.Days, use.Days...)
		if use.First < have.First || use.First == have.First && places.compare(use.Table, use.Line, have.Table, have.Line) < 0 {
			have.First, have.Order, have.Table, have.Line = use.First, use.Order, use.Table, use.Line
		}
		have.Last = max(have.Last, use.Last)
	}
}

func sortedUses(uses map[pidUseKey]*PIDUse) []PIDUse {
	sorted := make([]PIDUse, 0, len(uses))
	for use := range maps.Values(uses) {
		slices.Sort(use.Times)
		slices.Sort(use.Days)
		use.Days = slices.Compact(use.Days)
		sorted = append(sorted, *use)
	}
	slices.SortFunc(sorted, func(a, b PIDUse) int {
		return cmp.Or(strings.Compare(a.Merchant, b.Merchant), strings.Compare(a.Store, b.Store), strings.Compare(a.Terminal, b.Terminal),
			strings.Compare(a.Product, b.Product), cmp.Compare(a.First, b.First), strings.Compare(a.PID, b.PID), cmp.Compare(a.Cause, b.Cause))
	})
	return sorted
}
