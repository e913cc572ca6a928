package rules

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestLineAmountExamples(t *testing.T) {
	check(t, "line_amount.txt", func(t *testing.T, left string) string {
		price, quantity, _ := strings.Cut(left, " x ")
		f, err := LineAmount(mustMicro(t, price), mustMicro(t, quantity))
		return f.orCode(err)
	})
}

func TestLineAmountDifferential(t *testing.T) {
	r := seeded()
	most := decimal.New(int64(MaxFen), -2)
	inRange := 0
	for range 50_000 {
		price, quantity := Micro(signedAmount(r, math.MaxInt64)), Micro(signedAmount(r, math.MaxInt64))
		want := halfUp(price.Decimal().Mul(quantity.Decimal()), 2)
		got, err := LineAmount(price, quantity)
		if want.Abs().Cmp(most) > 0 {
			if !errors.Is(err, ErrRange) || got != 0 {
				t.Fatalf("LineAmount(%v, %v) = %v, %v, want ErrRange for %v", price, quantity, got, err, want)
			}
			continue
		}
		inRange++
		if err != nil || !got.Decimal().Equal(want) {
			t.Fatalf("LineAmount(%v, %v) = %v, %v, want %v", price, quantity, got, err, want)
		}
	}
	if inRange < 15_000 {
		t.Errorf("only %d products were in range", inRange)
	}
}

func TestMulRateDifferential(t *testing.T) {
	r := seeded()
	for range 50_000 {
		f, rate := Fen(signedAmount(r, int64(MaxFen))), Micro(signedAmount(r, math.MaxInt64))
		want := halfUp(f.Decimal().Mul(rate.Decimal()), 2)
		if most := MaxFen.Decimal(); want.Abs().Cmp(most) > 0 {
			want = most.Mul(decimal.NewFromInt(int64(want.Sign())))
		}
		if got := MulRate(f, rate); !got.Decimal().Equal(want) {
			t.Fatalf("MulRate(%v, %v) = %v, want %v", f, rate, got, want)
		}
	}
}

func TestMulDivHalfUpAtTheEnds(t *testing.T) {
	for _, test := range []struct {
		a, b, c, want uint64
		ok            bool
	}{
		{math.MaxUint64, 1, 1, math.MaxUint64, true},
		{math.MaxUint64, 2, 2, math.MaxUint64, true},
		{math.MaxUint64, 2, 1, 0, false},
		{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64, true},
		{1, 1, 2, 1, true},
		{1, 1, 3, 0, true},
		{2, 1, 3, 1, true},
		{1, math.MaxUint64, math.MaxUint64, 1, true},
		{1, math.MaxUint64/2 + 1, math.MaxUint64, 1, true}, // the half, when doubling would wrap
		{1, math.MaxUint64 / 2, math.MaxUint64, 0, true},
		{0, 0, 1, 0, true},
	} {
		got, ok := mulDivHalfUp(test.a, test.b, test.c)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("mulDivHalfUp(%d, %d, %d) = %d, %v, want %d, %v", test.a, test.b, test.c, got, ok, test.want, test.ok)
		}
	}
}

func TestFeeExamples(t *testing.T) {
	check(t, "fee.txt", func(t *testing.T, left string) string {
		w := strings.Fields(left)
		return ExpectedFee(mustFen(t, w[0]), mustMicro(t, w[1])).String()
	})
}
