package rules

// Fund is a kind of money that paid an order.
type Fund uint8

// The funds.
const (
	FundPaid        Fund = iota + 1 // what the buyer paid, points included
	FundRedPacket                   // 红包, paid to the merchant by the platform
	FundAllowance                   // 购物津贴, of the merchant
	FundCoupon                      // 优惠券, of the merchant
	FundMerchantRed                 // 商家红包, of the merchant
)

var fundWords = []string{
	FundPaid:        "paid",
	FundRedPacket:   "red_packet",
	FundAllowance:   "allowance",
	FundCoupon:      "coupon",
	FundMerchantRed: "merchant_red_packet",
}

func (f Fund) String() string { return word(fundWords, uint8(f), "Fund") }

// ParseFund is the inverse of String.
func ParseFund(s string) (Fund, bool) { return parseWord[Fund](fundWords, s) }

// Funding is what paid an order, or what a refund returns, by Fund. Its place 0
// is not used.
type Funding [6]Fen

// Total is the sum of all funds.
func (f Funding) Total() Fen {
	return f[FundPaid] + f[FundRedPacket] + f[FundAllowance] + f[FundCoupon] + f[FundMerchantRed]
}

// Add is f + g, fund by fund.
func (f Funding) Add(g Funding) Funding {
	for k := range f {
		f[k] += g[k]
	}
	return f
}

// Sub is f - g, fund by fund.
func (f Funding) Sub(g Funding) Funding {
	for k := range f {
		f[k] -= g[k]
	}
	return f
}

// Received is paid and red packet, the part of a refund that 商家实收 shows.
func (f Funding) Received() Fen { return f[FundPaid] + f[FundRedPacket] }

// BillFunding is the funding of a payment as the bill states it: order 订单金额,
// red 支付宝红包 + 支付宝优惠, merchantRed 商家红包消费金额, discount 商家优惠, couponUsed
// 券核销金额. The buyer paid the rest.
//
// The bill has allowance and coupon in one column. They are the POS row's where
// its two add up to that column; else the coupon is the smaller of discount and
// couponUsed.
func BillFunding(order, red, merchantRed, discount, couponUsed Fen, pos Funding) Funding {
	allowance, coupon := pos[FundAllowance], pos[FundCoupon]
	if allowance+coupon != discount {
		coupon = min(discount, couponUsed)
		allowance = discount - coupon
	}
	return Funding{
		FundPaid:        order - red - merchantRed - discount,
		FundRedPacket:   red,
		FundAllowance:   allowance,
		FundCoupon:      coupon,
		FundMerchantRed: merchantRed,
	}
}

// PolicyFund is how one fund goes back.
type PolicyFund struct {
	Fund       Fund
	Refundable bool
	Divisible  bool // any part of it, or all or nothing
	// Bill names the columns of the bill that add up to it; empty is the rest
	// of 订单金额. A column that two funds name holds both of them together.
	Bill        []string
	FundChannel []string // the fund_channel codes of messages that fill it
}

// Policy lists the funds in the order in which money is returned. A fund that is
// not in it is not returned.
type Policy []PolicyFund

// SmartStore is the built-in policy, smart_store: first what the buyer paid, then
// the red packet, then the allowance if all of it is covered. Coupon and merchant
// red packet do not come back.
//
// 商家优惠 and MDISCOUNT hold allowance and coupon together; BillFunding parts
// them. POINT is the buyer's, COUPON is the bill's 支付宝红包, PCARD and MCARD are
// cards that the buyer paid for earlier.
func SmartStore() Policy {
	return Policy{
		{
			Fund: FundPaid, Refundable: true, Divisible: true,
			FundChannel: []string{"ALIPAYACCOUNT", "PCREDIT", "BANKCARD", "FINANCEACCOUNT", "POINT", "PCARD", "MCARD"},
		},
		{
			Fund: FundRedPacket, Refundable: true, Divisible: true,
			Bill: []string{"支付宝红包", "支付宝优惠"}, FundChannel: []string{"COUPON", "DISCOUNT"},
		},
		{
			Fund: FundAllowance, Refundable: true,
			Bill: []string{"商家优惠"}, FundChannel: []string{"MDISCOUNT"},
		},
		{
			Fund: FundCoupon,
			Bill: []string{"商家优惠"}, FundChannel: []string{"MDISCOUNT"},
		},
		{
			Fund: FundMerchantRed,
			Bill: []string{"商家红包消费金额"}, FundChannel: []string{"MCOUPON"},
		},
	}
}

// Split is what a cumulative refund amount x returns in all, 0 <= x <= f.Total().
// Each fund in turn takes what it can of what the earlier ones left.
//
//	smart_store, paid 77, red packet 5, allowance 8, coupon 10:
//	x 97  ->  paid 77, red packet 5, allowance 8
//	x 89  ->  paid 77, red packet 5: the 7 left do not cover the allowance
func (p Policy) Split(f Funding, x Fen) Funding {
	var back Funding
	rest := max(x, 0)
	for i := range p {
		fund := &p[i]
		if !fund.Refundable {
			continue
		}
		take := f[fund.Fund] - back[fund.Fund] // less what an earlier line of the policy took
		if take > rest {
			if !fund.Divisible {
				continue
			}
			take = rest
		}
		if take <= 0 {
			continue
		}
		back[fund.Fund] += take
		rest -= take
	}
	return back
}

// Step is what one refund returns that brings the cumulative amount from before
// to x. ok is false when x is more than the order's total: the refund is refused
// and returns nothing.
func (p Policy) Step(f Funding, before, x Fen) (back Funding, ok bool) {
	if x > f.Total() {
		return Funding{}, false
	}
	return p.Split(f, x).Sub(p.Split(f, before)), true
}

// RefundableTotal is all that can ever come back of f.
func RefundableTotal(p Policy, f Funding) Fen { return p.Split(f, f.Total()).Total() }

// Left is what can still come back when x has been refunded: at most that much
// is paid for a further refund, whatever it asks.
func (p Policy) Left(f Funding, x Fen) Fen {
	return RefundableTotal(p, f) - p.Split(f, x).Total()
}

// Overpaid is the merchant's loss so far (资损): what was returned beyond the
// prorated share of the goods that came back, and 0 when it was not more.
func Overpaid(returned, prorated Fen) Fen { return max(returned-prorated, 0) }
