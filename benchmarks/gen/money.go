package gen

import "math/bits"

// fen is an amount in 0.01; micro is a rebate amount, a price, a rate or a
// quantity in 0.000001.
type (
	fen   = int64
	micro = int64
)

// lineAmount is price times quantity, to the fen, half up; neither is negative.
func lineAmount(price, quantity micro) fen {
	hi, lo := bits.Mul64(uint64(price), uint64(quantity))
	lo, carry := bits.Add64(lo, 5_000_000_000, 0)
	q, _ := bits.Div64(hi+carry, lo, 10_000_000_000)
	return fen(q)
}

// mulDiv is a times b over d and what is left; none is negative, and the result fits.
func mulDiv(a, b, d int64) (quotient, rest int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, r := bits.Div64(hi, lo, uint64(d))
	return int64(q), int64(r)
}

// mulDivHalfUp is a times b over d, rounded half up.
func mulDivHalfUp(a, b, d int64) int64 {
	q, r := mulDiv(a, b, d)
	if r >= d-r {
		q++
	}
	return q
}

// prorate divides total over the weights into out by rule 4 of the remainder.
// The weights' sum is above 0.
func (c *Config) prorate(total fen, weights, out []fen) {
	var sum fen
	for _, w := range weights {
		sum += w
	}
	if c.LastLine && prorateLast(total, sum, weights, out) {
		return
	}
	var rests [maxLines + 1]int64
	left := total
	for i, w := range weights {
		out[i], rests[i] = mulDiv(total, w, sum)
		left -= out[i]
	}
	for ; left > 0; left-- {
		best := -1
		for i := range weights {
			if rests[i] >= 0 && (best < 0 || rests[i] > rests[best]) {
				best = i
			}
		}
		out[best]++
		rests[best] = -1
	}
}

// prorateLast gives the last line with a weight what is left, and says no when
// that would be negative.
func prorateLast(total, sum fen, weights, out []fen) bool {
	last, left := -1, total
	for i, w := range weights {
		if w != 0 {
			last = i
		}
	}
	for i, w := range weights {
		out[i] = mulDivHalfUp(total, w, sum)
		if i != last {
			left -= out[i]
		}
	}
	out[last] = left
	return left >= 0
}

// rebateOf is basis times rate, half up to scale decimals, at most the cap; a
// basis at or below 0 expects 0. A cap of 0 is none.
func rebateOf(basis fen, rate micro, scale int, limit micro) micro {
	if basis <= 0 {
		return 0
	}
	unit := int64(1) // of the rebate, in micro
	for range 6 - scale {
		unit *= 10
	}
	// fen times micro is 1e-8; one micro is 100 of them.
	r := mulDivHalfUp(basis, rate, 100*unit) * unit
	if limit > 0 {
		r = min(r, limit)
	}
	return r
}

// feeOf is received times rate, half up to the fen.
func feeOf(received fen, rate micro) fen {
	if received <= 0 {
		return 0
	}
	return mulDivHalfUp(received, rate, 1_000_000)
}

// funding is what paid an order, and what the bill says of it.
type funding struct {
	buyer, red, allowance, coupon, merchantRed fen

	redPacket, platform fen // the bill's two columns of red
	points              fen // part of buyer
	voucher             fen // 券核销金额
	stated              bool
}

// parts is how one refund, or the refunds so far, fall on the funding.
type parts struct{ paid, red, allowance fen }

// returned is f of rules 5: what comes back in all after x of the total.
func (f *funding) returned(x fen) parts {
	var p parts
	p.paid = min(x, f.buyer)
	p.red = min(x-p.paid, f.red)
	if x-p.paid-p.red >= f.allowance {
		p.allowance = f.allowance
	}
	return p
}

func (p parts) minus(q parts) parts {
	return parts{p.paid - q.paid, p.red - q.red, p.allowance - q.allowance}
}

func (p parts) sum() fen { return p.paid + p.red + p.allowance }
