package rules

import (
	"cmp"
	"math"
	"slices"
)

// Remainder says who gets the fen that rounding leaves over (尾差).
type Remainder uint8

// The remainder rules of an allocation.
const (
	LargestRemainder Remainder = iota + 1 // to the largest fractional parts
	LastLine                              // to the last line with a weight
)

var remainderWords = []string{LargestRemainder: "largest_remainder", LastLine: "last_line"}

func (r Remainder) String() string { return word(remainderWords, uint8(r), "Remainder") }

// ParseRemainder is the inverse of String.
func ParseRemainder(s string) (Remainder, bool) { return parseWord[Remainder](remainderWords, s) }

// fraction is what flooring took from the share of one line.
type fraction struct {
	rest uint64
	line int
}

// stackLines is the number of lines for which Allocate needs no memory.
const stackLines = 32

// Allocate splits total over the weights into shares, which has their length.
//
// Shares add up to total exactly. Each is the floor of its ideal share, or one
// fen more: the fen that flooring leaves over go one each to the largest
// remainders, earlier lines first among equals.
//
//	total 10.00 over weights 1, 1, 1  ->  3.34  3.33  3.33
//
// ErrNegative is a negative total or weight, ErrNoWeight a total that is not 0
// over weights that all are, ErrRange a sum of weights beyond int64. After an
// error shares is undefined. shares may be weights itself.
func Allocate(shares []Fen, total Fen, weights []Fen) error {
	var stack [stackLines]fraction
	scratch := stack[:0]
	if len(weights) > stackLines {
		scratch = make([]fraction, 0, len(weights))
	}
	return allocateLargest(shares, total, weights, scratch)
}

// AllocateLast splits total as Allocate does, but rounds every share half up and
// lets the last line with a weight take the difference. Should that make it
// negative, the shares are those of Allocate.
//
//	total 10.00 over weights 1, 1, 1  ->  3.33  3.33  3.34
func AllocateLast(shares []Fen, total Fen, weights []Fen) error {
	var stack [stackLines]fraction
	scratch := stack[:0]
	if len(weights) > stackLines {
		scratch = make([]fraction, 0, len(weights))
	}
	return allocateLast(shares, total, weights, scratch)
}

// allocate is the remainder rule r with the caller's scratch, which has room for
// all lines.
func (r Remainder) allocate(shares []Fen, total Fen, weights []Fen, scratch []fraction) error {
	if r == LastLine {
		return allocateLast(shares, total, weights, scratch)
	}
	return allocateLargest(shares, total, weights, scratch)
}

func allocateLargest(shares []Fen, total Fen, weights []Fen, scratch []fraction) error {
	sum, err := weightSum(shares, total, weights)
	if err != nil {
		return err
	}
	if total == 0 {
		clear(shares)
		return nil
	}
	left := total
	fractions := scratch[:0]
	for i, w := range weights {
		// The share is no more than total, so the quotient fits.
		q, rest, _ := mulDiv(uint64(total), uint64(w), sum)
		shares[i] = Fen(q)
		left -= Fen(q)
		if rest > 0 {
			fractions = append(fractions, fraction{rest, i})
		}
	}
	if left == 0 {
		return nil
	}
	// Every rest is less than sum and they add up to left × sum: there are more
	// of them than fen left over.
	slices.SortFunc(fractions, func(a, b fraction) int {
		if c := cmp.Compare(b.rest, a.rest); c != 0 {
			return c
		}
		return cmp.Compare(a.line, b.line)
	})
	for _, f := range fractions[:left] {
		shares[f.line]++
	}
	return nil
}

func allocateLast(shares []Fen, total Fen, weights []Fen, scratch []fraction) error {
	sum, err := weightSum(shares, total, weights)
	if err != nil {
		return err
	}
	if total == 0 {
		clear(shares)
		return nil
	}
	last := len(weights) - 1
	for weights[last] == 0 {
		last--
	}
	left := total
	for _, w := range weights[:last] {
		q, _ := mulDivHalfUp(uint64(total), uint64(w), sum)
		left -= Fen(q)
	}
	if left < 0 {
		return allocateLargest(shares, total, weights, scratch)
	}
	for i, w := range weights[:last] {
		q, _ := mulDivHalfUp(uint64(total), uint64(w), sum)
		shares[i] = Fen(q)
	}
	shares[last] = left
	clear(shares[last+1:])
	return nil
}

// weightSum checks what an allocation is given and adds up the weights. It is
// not 0 where total is not.
func weightSum(shares []Fen, total Fen, weights []Fen) (uint64, error) {
	if len(shares) != len(weights) {
		panic("rules: an allocation needs as many shares as weights")
	}
	if total < 0 {
		return 0, ErrNegative
	}
	var sum uint64
	for _, w := range weights {
		if w < 0 {
			return 0, ErrNegative
		}
		if sum += uint64(w); sum > math.MaxInt64 {
			return 0, ErrRange
		}
	}
	if sum == 0 && total > 0 {
		return 0, ErrNoWeight
	}
	return sum, nil
}
