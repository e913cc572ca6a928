package rules

import (
	"cmp"
	"math/bits"
)

// Sum is a total of amounts in 128 bits with sign. It does not wrap: a column
// would need more than 10^22 rows of MaxFen. The zero value is 0.
//
// A Sum does not know its unit. One of Fen is printed by String2, one of Micro by
// String6, any other by AppendDecimal.
type Sum struct {
	hi int64
	lo uint64
}

// SumOf is the Sum with the given halves, the inverse of Parts.
func SumOf(hi int64, lo uint64) Sum { return Sum{hi, lo} }

// Parts are the upper and the lower half of s in two's complement.
func (s Sum) Parts() (hi int64, lo uint64) { return s.hi, s.lo }

// Add adds an amount.
func (s *Sum) Add(f Fen) { s.AddInt(int64(f)) }

// AddMicro adds a number with six decimals. A Sum counts Fen or Micro, never
// both.
func (s *Sum) AddMicro(m Micro) { s.AddInt(int64(m)) }

// AddInt adds v units.
func (s *Sum) AddInt(v int64) {
	lo, carry := bits.Add64(s.lo, uint64(v), 0)
	s.lo = lo
	s.hi += v>>63 + int64(carry)
}

// AddSum adds another total of the same unit.
func (s *Sum) AddSum(t Sum) {
	lo, carry := bits.Add64(s.lo, t.lo, 0)
	s.lo = lo
	s.hi += t.hi + int64(carry)
}

// Sub is s - t.
func (s Sum) Sub(t Sum) Sum {
	lo, borrow := bits.Sub64(s.lo, t.lo, 0)
	return Sum{s.hi - t.hi - int64(borrow), lo}
}

// Neg is -s.
func (s Sum) Neg() Sum { return Sum{}.Sub(s) }

// Abs is the magnitude of s.
func (s Sum) Abs() Sum {
	if s.hi < 0 {
		return s.Neg()
	}
	return s
}

// Over is s / n, rounded half up and away from zero for negatives; 0 for n < 1.
//
//	10.00 over 3  ->  3.33
func (s Sum) Over(n int) Sum {
	if n < 1 {
		return Sum{}
	}
	units, rest := s.Abs().div(uint64(n))
	if rest >= uint64(n)-rest {
		units.AddInt(1)
	}
	if s.hi < 0 {
		return units.Neg()
	}
	return units
}

// Cmp is -1, 0 or 1 as s is less than, equal to or more than t.
func (s Sum) Cmp(t Sum) int {
	if c := cmp.Compare(s.hi, t.hi); c != 0 {
		return c
	}
	return cmp.Compare(s.lo, t.lo)
}

// Equal reports whether s and t are the same total.
func (s Sum) Equal(t Sum) bool { return s == t }

// IsZero reports whether s is 0.
func (s Sum) IsZero() bool { return s == Sum{} }

// Sign is -1, 0 or 1.
func (s Sum) Sign() int { return s.Cmp(Sum{}) }

// Int64 is s where it fits.
func (s Sum) Int64() (int64, bool) {
	v := int64(s.lo)
	return v, s.hi == v>>63
}

// MicroToFen is a Sum of Micro rounded half up to the fen, where it fits.
func (s Sum) MicroToFen() (Fen, bool) {
	const microPerFen = 10_000
	fen, rest := s.Abs().div(microPerFen)
	if rest >= microPerFen/2 {
		fen.AddInt(1)
	}
	if s.Sign() < 0 {
		fen = fen.Neg()
	}
	v, ok := fen.Int64()
	return Fen(v), ok
}

// String2 gives a total of Fen, with two decimals.
func (s Sum) String2() string {
	var buf [48]byte
	return string(s.AppendDecimal(buf[:0], 2, 2))
}

// String6 gives a total of Micro, with two decimals and up to six where those
// are not zero.
func (s Sum) String6() string {
	var buf [48]byte
	return string(s.AppendDecimal(buf[:0], 6, 2))
}

// AppendDecimal appends s, which counts units of 10^-scale, with at least
// minDecimals decimals and with more where those are not zero. scale is at most
// 18.
func (s Sum) AppendDecimal(dst []byte, scale, minDecimals int) []byte {
	if s.hi < 0 {
		dst = append(dst, '-')
		s = s.Neg()
	}
	whole, fraction := s.div(pow10[scale])
	dst = whole.appendDigits(dst)
	return appendFraction(dst, fraction, scale, minDecimals)
}

// appendDigits appends a magnitude: s is taken as unsigned, so that the smallest
// Sum, whose Neg is itself, comes out right.
func (s Sum) appendDigits(dst []byte) []byte {
	var buf [40]byte
	i := len(buf)
	for {
		var d uint64
		s, d = s.div(10)
		i--
		buf[i] = '0' + byte(d)
		if s.IsZero() {
			return append(dst, buf[i:]...)
		}
	}
}

// div divides s, taken as unsigned, by d, and gives what is left.
func (s Sum) div(d uint64) (Sum, uint64) {
	hi, rest := uint64(s.hi)/d, uint64(s.hi)%d
	lo, rest := bits.Div64(rest, s.lo, d)
	return Sum{int64(hi), lo}, rest
}

// mul is s × m for an s that is not negative and a product that fits.
func (s Sum) mul(m uint64) Sum {
	hi, lo := bits.Mul64(s.lo, m)
	return Sum{int64(hi + uint64(s.hi)*m), lo}
}
