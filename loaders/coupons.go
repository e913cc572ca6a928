package loaders

import (
	"bytes"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of coupons (contract 3), by their place in couponColumns.
const (
	couponName = iota
	couponKind
	couponThreshold
	couponOff
	couponGoods
	couponStores
)

var couponColumns = []canonicalColumn{
	couponName:      {"coupon_name", "券名称", textCell, required},
	couponKind:      {"kind", "券类型", wordCell, !required},
	couponThreshold: {"threshold", "门槛金额", amountCell, !required},
	couponOff:       {"off", "优惠金额", amountCell, !required},
	couponGoods:     {"goods_ids", "适用商品", textCell, !required},
	couponStores:    {"store_ids", "适用门店", textCell, !required},
}

const couponWords = "alipay, smart_store, allowance"

// couponKinds are the kinds by their Chinese names.
var couponKinds = map[string]rules.CouponKind{
	"支付宝": rules.CouponAlipay, "智慧门店": rules.CouponSmartStore, "购物津贴": rules.CouponAllowance,
}

func parseCouponKind(text string) (rules.CouponKind, bool) {
	if kind, ok := couponKinds[text]; ok {
		return kind, true
	}
	return rules.ParseCouponKind(text)
}

// readCoupon reads an offer. One without a kind is the smart store's own.
func readCoupon(r *referenceRow) func(*schema.Registry) {
	c := schema.Coupon{
		Name:      r.text(couponName),
		Kind:      kindOf(r, couponKind, rules.CouponSmartStore, parseCouponKind, couponWords),
		Threshold: r.magnitude(couponThreshold),
		Off:       r.magnitude(couponOff),
		Goods:     r.ids(couponGoods),
		Stores:    r.ids(couponStores),
		Table:     r.t.number, Line: r.line,
	}
	return func(to *schema.Registry) { to.Coupons = append(to.Coupons, c) }
}

// magnitude is an amount that is not negative; Null for a blank.
func (r *referenceRow) magnitude(k int) int64 {
	amount := r.amount(k)
	if amount < 0 && amount != schema.Null {
		r.bad(k, rules.CodeAmountRange)
		return schema.Null
	}
	return amount
}

// ids are the ids of a cell, parted by |; blank ones do not count.
func (r *referenceRow) ids(k int) []string {
	cell := r.value(k)
	if len(cell) == 0 {
		return nil
	}
	if !r.t.valid(cell) {
		r.bad(k, rules.CodeEncoding)
		return nil
	}
	var ids []string
	text := bytes.ReplaceAll([]byte(r.t.text(cell)), []byte("｜"), []byte("|"))
	for part := range bytes.SplitSeq(text, []byte("|")) {
		id, repaired, damaged := checkID(trimCell(part), r.numeric(k))
		switch {
		case damaged:
			r.bad(k, rules.CodeIDDamaged)
			return nil
		case repaired:
			r.fixed |= repairIDNumber
		}
		if len(id) > 0 {
			ids = append(ids, string(id))
		}
	}
	return ids
}
