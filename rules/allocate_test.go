package rules

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestAllocateExamples(t *testing.T) {
	for file, allocate := range map[string]func([]Fen, Fen, []Fen) error{
		"allocate.txt": Allocate, "allocate_last.txt": AllocateLast,
	} {
		check(t, file, func(t *testing.T, left string) string {
			total, weights, _ := strings.Cut(left, " / ")
			w := mustFens(t, weights)
			shares := make([]Fen, len(w))
			if err := allocate(shares, mustFen(t, total), w); err != nil {
				return err.Error()
			}
			return joined(shares)
		})
	}
}

// refAllocate is rules 4 by decimal: floors, then one fen each to the largest
// fractional parts, found by looking at all of them again for every fen.
func refAllocate(total Fen, weights []Fen) []Fen {
	sum := decimal.Zero
	for _, w := range weights {
		sum = sum.Add(decimal.NewFromInt(int64(w)))
	}
	shares := make([]Fen, len(weights))
	rests := make([]decimal.Decimal, len(weights))
	left := total
	for i, w := range weights {
		product := decimal.NewFromInt(int64(total)).Mul(decimal.NewFromInt(int64(w)))
		q, rest := product.QuoRem(sum, 0)
		shares[i], rests[i] = Fen(q.IntPart()), rest
		left -= shares[i]
	}
	for ; left > 0; left-- {
		best := -1
		for i := range rests {
			if best < 0 || rests[i].Cmp(rests[best]) > 0 {
				best = i
			}
		}
		shares[best]++
		rests[best] = decimal.NewFromInt(-1)
	}
	return shares
}

// refAllocateLast is last_line by decimal.
func refAllocateLast(total Fen, weights []Fen) []Fen {
	sum, last := decimal.Zero, 0
	for i, w := range weights {
		sum = sum.Add(decimal.NewFromInt(int64(w)))
		if w != 0 {
			last = i
		}
	}
	shares := make([]Fen, len(weights))
	left := total
	for i, w := range weights {
		if i == last {
			continue
		}
		product := decimal.NewFromInt(int64(total)).Mul(decimal.NewFromInt(int64(w)))
		q, rest := product.QuoRem(sum, 0)
		if rest.Add(rest).Cmp(sum) >= 0 {
			q = q.Add(decimal.NewFromInt(1))
		}
		shares[i] = Fen(q.IntPart())
		left -= shares[i]
	}
	if left < 0 {
		return refAllocate(total, weights)
	}
	shares[last] = left
	return shares
}

// randomWeights are small, equal, extreme or sparse, and never all 0.
func randomWeights(r *rand.Rand) []Fen {
	n := 1 + r.IntN(8)
	if r.IntN(20) == 0 {
		n = 1 + r.IntN(3*stackLines)
	}
	weights := make([]Fen, n)
	same := Fen(amount(r, int64(MaxFen)/int64(n)))
	for i := range weights {
		switch r.IntN(3) {
		case 0:
			weights[i] = same
		case 1:
			weights[i] = Fen(amount(r, int64(MaxFen)))
		}
	}
	weights[r.IntN(n)]++
	return weights
}

func TestAllocateDifferential(t *testing.T) {
	r := seeded()
	fallbacks, extras := 0, 0
	for range 20_000 {
		weights := randomWeights(r)
		total := Fen(amount(r, int64(MaxFen)))
		if r.IntN(3) == 0 {
			total = Fen(r.IntN(40))
		}
		shares := make([]Fen, len(weights))
		if err := Allocate(shares, total, weights); err != nil {
			t.Fatalf("Allocate(%v, %v): %v", total, weights, err)
		}
		want := refAllocate(total, weights)
		if !slices.Equal(shares, want) {
			t.Fatalf("Allocate(%v, %v) = %v, want %v", total, weights, shares, want)
		}
		addsUp(t, shares, total)
		last := make([]Fen, len(weights))
		if err := AllocateLast(last, total, weights); err != nil {
			t.Fatalf("AllocateLast(%v, %v): %v", total, weights, err)
		}
		wantLast := refAllocateLast(total, weights)
		if !slices.Equal(last, wantLast) {
			t.Fatalf("AllocateLast(%v, %v) = %v, want %v", total, weights, last, wantLast)
		}
		addsUp(t, last, total)
		if slices.Equal(last, want) {
			fallbacks++
		} else {
			extras++
		}
	}
	if fallbacks < 1000 || extras < 1000 {
		t.Errorf("the two remainders agreed %d times and differed %d times: the test shows too little", fallbacks, extras)
	}
}

// addsUp is what every allocation must keep: no part is negative, and all of
// them are the total.
func addsUp(t *testing.T, shares []Fen, total Fen) {
	t.Helper()
	var sum Sum
	for _, s := range shares {
		if s < 0 {
			t.Fatalf("a share of %v is negative: %v", total, shares)
		}
		sum.Add(s)
	}
	if v, ok := sum.Int64(); !ok || Fen(v) != total {
		t.Fatalf("shares %v add up to %s, want %v", shares, sum.String2(), total)
	}
}

// The fallback of last_line is taken, and is Allocate.
func TestAllocateLastFallsBack(t *testing.T) {
	r := seeded()
	taken := 0
	for range 20_000 {
		n := 3 + r.IntN(40)
		weights := make([]Fen, n)
		for i := range weights {
			weights[i] = Fen(1 + r.IntN(2))
		}
		total := Fen(r.IntN(n))
		last, largest := make([]Fen, n), make([]Fen, n)
		if err := AllocateLast(last, total, weights); err != nil {
			t.Fatal(err)
		}
		if err := Allocate(largest, total, weights); err != nil {
			t.Fatal(err)
		}
		var sum, rounded uint64
		for _, w := range weights {
			sum += uint64(w)
		}
		for _, w := range weights[:n-1] {
			q, _ := mulDivHalfUp(uint64(total), uint64(w), sum)
			rounded += q
		}
		if rounded > uint64(total) {
			taken++
			if !slices.Equal(last, largest) {
				t.Fatalf("AllocateLast(%v, %v) = %v, want the fallback %v", total, weights, last, largest)
			}
		}
		addsUp(t, last, total)
	}
	if taken < 100 {
		t.Errorf("the fallback was taken %d times", taken)
	}
}

// Shares may stand where the weights stood.
func TestAllocateInPlace(t *testing.T) {
	for _, allocate := range []func([]Fen, Fen, []Fen) error{Allocate, AllocateLast} {
		weights := []Fen{600, 400, 0, 1}
		want := make([]Fen, len(weights))
		if err := allocate(want, 333, weights); err != nil {
			t.Fatal(err)
		}
		if err := allocate(weights, 333, weights); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(weights, want) {
			t.Errorf("in place %v, want %v", weights, want)
		}
	}
}

func TestAllocateErrors(t *testing.T) {
	for _, test := range []struct {
		total   Fen
		weights []Fen
		want    error
	}{
		{1, nil, ErrNoWeight},
		{0, nil, nil},
		{1, []Fen{0}, ErrNoWeight},
		{-1, []Fen{1}, ErrNegative},
		{1, []Fen{1, -1, 1}, ErrNegative},
		{1, []Fen{math.MaxInt64, 1}, ErrRange},
		{1, []Fen{math.MaxInt64}, nil},
	} {
		for _, allocate := range []func([]Fen, Fen, []Fen) error{Allocate, AllocateLast} {
			shares := make([]Fen, len(test.weights))
			if err := allocate(shares, test.total, test.weights); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("allocate %v over %v: %v, want %v", test.total, test.weights, err, test.want)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for two shares and one weight")
		}
	}()
	Allocate(make([]Fen, 2), 1, []Fen{1})
}
