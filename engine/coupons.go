package engine

import (
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Redeemed coupons against their terms (rules 4). Checked are the paid orders that
// are no duplicates and not excluded.

// A couponPlan finds coupons by the word of their name.
type couponPlan struct {
	byName map[uint32][]coupon // in the order of the inputs; nil without coupons
}

// A coupon is a schema.Coupon by words.
type coupon struct {
	kind           rules.CouponKind
	threshold, off int64    // fen, or Null
	goods, stores  []uint32 // sorted; empty for all
}

// wordCoupon makes words of what a coupon names.
func (p *plan) wordCoupon(c *schema.Coupon) {
	p.words.Code(c.Name)
	for _, ids := range [...][]string{c.Goods, c.Stores} {
		for _, id := range ids {
			p.words.Code(id)
		}
	}
}

func (p *plan) newCouponPlan() couponPlan {
	var plan couponPlan
	codes := func(texts []string) []uint32 {
		all := make([]uint32, len(texts))
		for i, text := range texts {
			all[i] = p.words.Code(text)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	for i := range p.job.Registry.Coupons {
		c := &p.job.Registry.Coupons[i]
		if plan.byName == nil {
			plan.byName = map[uint32][]coupon{}
		}
		name := p.words.Code(c.Name)
		plan.byName[name] = append(plan.byName[name], coupon{
			kind: c.Kind, threshold: c.Threshold, off: c.Off, goods: codes(c.Goods), stores: codes(c.Stores),
		})
	}
	return plan
}

// of is the coupon of that name in that store: of several with one name the one
// that lists the store, else the first for all stores, else the first.
func (p *couponPlan) of(name, store uint32) *coupon {
	all := p.byName[name]
	if len(all) == 0 {
		return nil
	}
	open := 0
	for i := range all {
		c := &all[i]
		if _, listed := slices.BinarySearch(c.stores, store); listed {
			return c
		}
		if len(c.stores) == 0 && len(all[open].stores) > 0 {
			open = i
		}
	}
	return &all[open]
}

// checkCoupon checks the coupon that an order redeemed. lines are its allocated
// goods, nil where it has none.
func (w *worker) checkCoupon(u *unit, lines []rules.AllocatedLine) {
	if w.p.coupons.byName == nil || u.order < 0 || u.status == rules.StatusDuplicate || u.status == rules.StatusExcluded {
		return
	}
	o := &w.orders[u.order]
	if !w.paid(o) {
		return
	}
	in, b := &w.rows.Orders, &w.rows.Bills
	name := w.redeemed(u, o.run)
	if name == 0 {
		return
	}
	c := w.p.coupons.of(name, either(in.Store, o.run, b.Store, u.bill))
	switch {
	case c == nil:
	case c.kind == rules.CouponAllowance:
		w.checkAllowance(u, o.run, c, name)
	case c.threshold != schema.Null:
		w.checkThreshold(u, o.run, c, name, lines)
	}
}

// redeemed is the name of the coupon that the order redeemed, 0 for none: the
// POS's, else the bill's. A bill may name a voucher beside 0.00 (formats 2.3):
// that one was not redeemed.
func (w *worker) redeemed(u *unit, run int32) uint32 {
	if name := w.rows.Orders.CouponName[run]; name != 0 {
		return name
	}
	if u.bill < 0 {
		return 0
	}
	b := &w.rows.Bills
	name := b.CouponName[u.bill]
	if name == 0 || b.Voucher[u.bill] == 0 && given(b.MerchantDiscount[u.bill]) == 0 && given(b.PlatformDiscount[u.bill]) == 0 {
		return 0
	}
	return name
}

func (w *worker) checkThreshold(u *unit, run int32, c *coupon, name uint32, lines []rules.AllocatedLine) {
	in := &w.rows.Orders
	total, undiscountable := rules.Fen(in.Total[run]), given(in.Undiscountable[run])
	base := c.kind.Base(total, undiscountable)
	if len(c.goods) > 0 {
		if lines == nil { // nobody knows what was paid for its goods
			return
		}
		var goods rules.Fen
		for i := range lines {
			if _, listed := slices.BinarySearch(c.goods, lines[i].ID); listed && lines[i].ID != 0 {
				goods += lines[i].Allocated
			}
		}
		base = c.kind.GoodsBase(total, undiscountable, goods)
	}
	if int64(base) >= c.threshold {
		return
	}
	atStake := given(in.Coupon[run])
	if atStake <= 0 {
		atStake = given(c.off)
	}
	w.find(rules.BreakCouponThreshold, rules.SidePOS, u, int64(atStake), c.threshold, int64(base), w.p.text(name))
}

// checkAllowance checks 每满 N 减 n. The allowance is the POS's, else what the bill
// leaves for it.
func (w *worker) checkAllowance(u *unit, run int32, c *coupon, name uint32) {
	in := &w.rows.Orders
	if given(c.threshold) <= 0 || c.off == schema.Null {
		return
	}
	allowance := given(in.Allowance[run])
	if in.Allowance[run] == schema.Null && u.split {
		allowance = u.funding[rules.FundAllowance]
	}
	limit := rules.AllowanceLimit(rules.Fen(in.Total[run]), rules.Fen(c.threshold), rules.Fen(c.off))
	if excess := allowance - limit; excess > 0 {
		w.find(rules.BreakAllowanceStep, rules.SidePOS, u, int64(excess), int64(limit), int64(allowance), w.p.text(name))
	}
}

// couponBreaks finds the coupons that list too many goods, each once, whether or
// not an order redeemed it.
func couponBreaks(p *plan) []Break {
	var breaks []Break
	for i := range p.job.Registry.Coupons {
		c := &p.job.Registry.Coupons[i]
		if p.tables[c.Table].Refused || len(c.Goods) < rules.CouponGoodsLimit {
			continue
		}
		goods := slices.Clone(c.Goods)
		slices.Sort(goods)
		if len(slices.Compact(goods)) < rules.CouponGoodsLimit {
			continue
		}
		code := rules.BreakCouponGoodsLimit
		breaks = append(breaks, Break{
			Code: code, Severity: code.Severity(), Side: code.Side(), Expected: schema.Null, Found: schema.Null,
			What: c.Name, Table: c.Table, Line: c.Line, Time: schema.Null,
		})
	}
	return breaks
}
