package rules

import "math/bits"

// pow10 holds the powers of ten that fit.
var pow10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// magnitude is |v|, also for the smallest int64.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// signOfProduct is -1 where a × b is negative and else 1.
func signOfProduct(a, b int64) int64 {
	if a^b < 0 {
		return -1
	}
	return 1
}

// mulDiv is a × b / c, exact in 128 bits, with what the division leaves. ok is
// false when the quotient does not fit 64 bits. c is not 0.
func mulDiv(a, b, c uint64) (quotient, rest uint64, ok bool) {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 0, 0, false
	}
	quotient, rest = bits.Div64(hi, lo, c)
	return quotient, rest, true
}

// mulDivHalfUp is mulDiv rounded half up.
func mulDivHalfUp(a, b, c uint64) (uint64, bool) {
	q, rest, ok := mulDiv(a, b, c)
	if rest >= c-rest { // half or more, without doubling what may not fit
		q++
		ok = ok && q != 0
	}
	return q, ok
}

// LineAmount is price × quantity, rounded half up to the fen, away from zero for
// negatives, once. Beyond MaxFen it is ErrRange.
//
//	163.94 × 3.745  ->  613.96 (613.9553)
func LineAmount(price, quantity Micro) (Fen, error) {
	const microSquaredPerFen = 10_000_000_000 // 10^-12 in 10^-2
	u, ok := mulDivHalfUp(magnitude(int64(price)), magnitude(int64(quantity)), microSquaredPerFen)
	if !ok || u > uint64(MaxFen) {
		return 0, ErrRange
	}
	return Fen(int64(u) * signOfProduct(int64(price), int64(quantity))), nil
}

// MulRate is f × rate, rounded half up to the fen, away from zero for negatives.
// A product beyond the range of amounts, which takes a rate in the thousands, is
// ±MaxFen.
//
//	129.17 × 0.0055  ->  0.71 (0.710435)
func MulRate(f Fen, rate Micro) Fen {
	u, ok := mulDivHalfUp(magnitude(int64(f)), magnitude(int64(rate)), uint64(One))
	if !ok || u > uint64(MaxFen) {
		u = uint64(MaxFen)
	}
	return Fen(int64(u) * signOfProduct(int64(f), int64(rate)))
}

// part is the share of amount that returned of quantity have, rounded half up.
// 0 <= returned <= quantity, quantity > 0, amount >= 0.
func part(amount Fen, returned, quantity Micro) Fen {
	u, _ := mulDivHalfUp(uint64(amount), uint64(returned), uint64(quantity))
	return Fen(u)
}
