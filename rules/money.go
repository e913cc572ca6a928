package rules

import (
	"math"
	"math/big"
	"strconv"

	"github.com/shopspring/decimal"
)

// Fen is an amount in 1/100 yuan.
type Fen int64

// MaxFen is the largest amount, 9,999,999,999,999.99; -MaxFen is the smallest.
// What lies beyond is a reject, amount_range.
const MaxFen Fen = 999_999_999_999_999

// Micro is a number with six decimals: a price, a quantity, a rate or a rebate
// amount, in 1/1,000,000. Its range is that of int64,
// ±9,223,372,036,854.775807, a little less than an amount's: what lies beyond
// is amount_range all the same.
type Micro int64

// MaxMicro is the largest Micro.
const MaxMicro Micro = math.MaxInt64

// One is the Micro 1.000000.
const One Micro = 1_000_000

// AppendFen appends f with its two decimals: -12.30.
func AppendFen(dst []byte, f Fen) []byte {
	u := magnitude(int64(f))
	if f < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, u/100, 10)
	cents := byte(u % 100)
	return append(dst, '.', '0'+cents/10, '0'+cents%10)
}

// String gives f with its two decimals.
func (f Fen) String() string {
	var buf [24]byte
	return string(AppendFen(buf[:0], f))
}

// AppendMicro appends m with at least minDecimals decimals, and with more, up to
// six, where those are not zero.
//
//	2.500000, minDecimals 2  ->  2.50
//	0.005500, minDecimals 2  ->  0.0055
//	3.000000, minDecimals 0  ->  3
func AppendMicro(dst []byte, m Micro, minDecimals int) []byte {
	u := magnitude(int64(m))
	if m < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, u/uint64(One), 10)
	return appendFraction(dst, u%uint64(One), 6, minDecimals)
}

// appendFraction appends the point and the decimals of a fraction that counts
// units of 10^-scale. Zeros at the end go, down to minDecimals.
func appendFraction(dst []byte, fraction uint64, scale, minDecimals int) []byte {
	digits := scale
	for digits > minDecimals && fraction%10 == 0 {
		fraction /= 10
		digits--
	}
	if digits <= 0 {
		return dst
	}
	dst = append(dst, '.')
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, '0'+byte(fraction/pow10[i]%10))
	}
	return dst
}

// String gives m exactly and with no more decimals than it needs: 2, 0.0055.
func (m Micro) String() string {
	var buf [28]byte
	return string(AppendMicro(buf[:0], m, 0))
}

// Micro is f with six decimals. It is exact up to ±9,223,372,036,854.77; beyond,
// in the last eighth of the range of amounts, ok is false.
func (f Fen) Micro() (m Micro, ok bool) {
	const fenAsMicro = Fen(MaxMicro / 10_000)
	if f > fenAsMicro || f < -fenAsMicro {
		return 0, false
	}
	return Micro(f) * 10_000, true
}

// Abs is the magnitude of f.
func (f Fen) Abs() Fen {
	if f < 0 {
		return -f
	}
	return f
}

// Abs is the magnitude of m.
func (m Micro) Abs() Micro {
	if m < 0 {
		return -m
	}
	return m
}

// Decimal is f in yuan.
func (f Fen) Decimal() decimal.Decimal { return decimal.New(int64(f), -2) }

// Decimal is m in whole units.
func (m Micro) Decimal() decimal.Decimal { return decimal.New(int64(m), -6) }

// FenOf is the amount that d is exactly. A fraction of a fen, or more than
// MaxFen, is none.
func FenOf(d decimal.Decimal) (Fen, bool) {
	if d.IsZero() {
		return 0, true
	}
	digits, shift := int64(d.NumDigits()), int64(d.Exponent())+2
	// The sizes are looked at before any power of ten is made: an exponent of
	// a thousand million must cost nothing.
	if digits+shift > 15 || digits+shift <= 0 {
		return 0, false
	}
	c := d.Coefficient()
	if shift >= 0 {
		c.Mul(c, new(big.Int).SetUint64(pow10[shift]))
	} else {
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(-shift), nil)
		if _, rest := c.QuoRem(c, p, new(big.Int)); rest.Sign() != 0 {
			return 0, false
		}
	}
	return Fen(c.Int64()), true
}
