package rules

// CouponKind says whose coupon it is, and so what its threshold looks at.
type CouponKind uint8

// The kinds of coupons.
const (
	CouponAlipay     CouponKind = iota + 1 // Alipay's own offer
	CouponSmartStore                       // the smart store's
	CouponAllowance                        // a shopping allowance, 每满 N 减 n
)

var couponWords = []string{CouponAlipay: "alipay", CouponSmartStore: "smart_store", CouponAllowance: "allowance"}

func (k CouponKind) String() string { return word(couponWords, uint8(k), "CouponKind") }

// ParseCouponKind is the inverse of String.
func ParseCouponKind(s string) (CouponKind, bool) { return parseWord[CouponKind](couponWords, s) }

// CouponGoodsLimit is the number of goods from which on a coupon is no longer
// accepted by the platform.
const CouponGoodsLimit = 3000

// Base is the amount that a coupon for the whole order holds against its
// threshold. Alipay leaves the undiscountable amount out.
//
//	total 100.00, undiscountable 10.00  ->  alipay 90.00, smart_store 100.00
func (k CouponKind) Base(total, undiscountable Fen) Fen {
	if k == CouponAlipay {
		return total - undiscountable
	}
	return total
}

// GoodsBase is Base for a coupon that lists its goods: goods is what was
// allocated to those lines.
func (k CouponKind) GoodsBase(total, undiscountable, goods Fen) Fen {
	if k == CouponAlipay {
		return min(goods, total-undiscountable)
	}
	return goods
}

// AllowanceLimit is the most that an allowance of off for every threshold takes
// off total: ⌊total / threshold⌋ × off. Without a threshold there is none.
func AllowanceLimit(total, threshold, off Fen) Fen {
	if threshold <= 0 || total <= 0 || off <= 0 {
		return 0
	}
	steps := uint64(total / threshold)
	limit, ok := mulDivHalfUp(steps, uint64(off), 1)
	if !ok || limit > uint64(MaxFen) {
		return MaxFen
	}
	return Fen(limit)
}
