package rules

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestAppendFenDifferential(t *testing.T) {
	r := seeded()
	all := []int64{0, 1, -1, 9, 10, 99, 100, -100, int64(MaxFen), -int64(MaxFen), math.MaxInt64, math.MinInt64}
	for range 50_000 {
		all = append(all, signedAmount(r, math.MaxInt64))
	}
	for _, v := range all {
		if got, want := Fen(v).String(), decimal.New(v, -2).StringFixed(2); got != want {
			t.Fatalf("Fen(%d).String() = %s, want %s", v, got, want)
		}
		if got, want := Micro(v).String(), decimal.New(v, -6).String(); got != want {
			t.Fatalf("Micro(%d).String() = %s, want %s", v, got, want)
		}
		for minDecimals := range 7 {
			want := decimal.New(v, -6).String()
			if _, after, _ := strings.Cut(want, "."); len(after) < minDecimals {
				want = decimal.New(v, -6).StringFixed(int32(minDecimals))
			}
			if got := string(AppendMicro(nil, Micro(v), minDecimals)); got != want {
				t.Fatalf("AppendMicro(%d, %d) = %s, want %s", v, minDecimals, got, want)
			}
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	if got := string(AppendFen([]byte("total "), -5)); got != "total -0.05" {
		t.Errorf("AppendFen = %q", got)
	}
	if got := string(AppendMicro([]byte("rate "), 5500, 2)); got != "rate 0.0055" {
		t.Errorf("AppendMicro = %q", got)
	}
	if got := string(AppendMicro(nil, One, 9)); got != "1.000000" {
		t.Errorf("AppendMicro with 9 decimals = %q, want six", got)
	}
}

func TestDecimal(t *testing.T) {
	r := seeded()
	for range 20_000 {
		f := Fen(signedAmount(r, int64(MaxFen)))
		if got, ok := FenOf(f.Decimal()); got != f || !ok {
			t.Fatalf("FenOf(%v) = %v, %v", f, got, ok)
		}
		if got, ok := FenOf(decimal.New(int64(f), -2).Mul(decimal.New(100, -2)).Add(decimal.New(0, -9))); got != f || !ok {
			t.Fatalf("FenOf(%v with more zeros) = %v, %v", f, got, ok)
		}
		m := Micro(signedAmount(r, math.MaxInt64))
		if got := m.Decimal().Shift(6); !got.Equal(decimal.NewFromInt(int64(m))) {
			t.Fatalf("Micro(%d).Decimal() = %v", m, m.Decimal())
		}
	}
	for _, test := range []struct {
		d    decimal.Decimal
		want Fen
		ok   bool
	}{
		{decimal.RequireFromString("12.30"), 1230, true},
		{decimal.RequireFromString("12.3000000000000000000000000"), 1230, true},
		{decimal.RequireFromString("-0.01"), -1, true},
		{decimal.RequireFromString("0.001"), 0, false},
		{decimal.RequireFromString("12.345"), 0, false},
		{decimal.RequireFromString("9999999999999.99"), MaxFen, true},
		{decimal.RequireFromString("10000000000000"), 0, false},
		{decimal.New(1, 12), 100_000_000_000_000, true},
		{decimal.New(1, 13), 0, false},
		{decimal.New(1, math.MaxInt32), 0, false},
		{decimal.New(1, math.MinInt32), 0, false},
		{decimal.New(0, math.MaxInt32), 0, true},
		{decimal.Decimal{}, 0, true},
	} {
		if got, ok := FenOf(test.d); got != test.want || ok != test.ok {
			t.Errorf("FenOf(%d × 10^%d) = %v, %v, want %v, %v", test.d.Coefficient(), test.d.Exponent(), got, ok, test.want, test.ok)
		}
	}
}

func TestFenMicro(t *testing.T) {
	for _, test := range []struct {
		f    Fen
		want Micro
		ok   bool
	}{
		{1230, 12_300_000, true},
		{-1, -10_000, true},
		{922_337_203_685_477, 9_223_372_036_854_770_000, true},
		{922_337_203_685_478, 0, false},
		{-922_337_203_685_478, 0, false},
		{MaxFen, 0, false},
	} {
		if got, ok := test.f.Micro(); got != test.want || ok != test.ok {
			t.Errorf("(%v).Micro() = %v, %v, want %v, %v", test.f, got, ok, test.want, test.ok)
		}
	}
}

func TestAbs(t *testing.T) {
	if got := fmt.Sprint(Fen(-5).Abs(), Fen(5).Abs(), Micro(-5).Abs(), Micro(5).Abs()); got != "0.05 0.05 0.000005 0.000005" {
		t.Error(got)
	}
}

// Sum is checked against big.Int in everything it does.
func TestSumDifferential(t *testing.T) {
	r := seeded()
	toBig := func(s Sum) *big.Int {
		hi, lo := s.Parts()
		v := new(big.Int).Lsh(big.NewInt(hi), 64)
		return v.Add(v, new(big.Int).SetUint64(lo))
	}
	for range 300 {
		var s, u Sum
		want, other := new(big.Int), new(big.Int)
		for range 200 {
			v := signedAmount(r, math.MaxInt64)
			switch r.IntN(6) {
			case 0:
				s.Add(Fen(v))
				want.Add(want, big.NewInt(v))
			case 1:
				s.AddMicro(Micro(v))
				want.Add(want, big.NewInt(v))
			case 2:
				u.AddInt(v)
				other.Add(other, big.NewInt(v))
			case 3:
				s.AddSum(u)
				want.Add(want, other)
			case 4:
				s = s.Sub(u)
				want.Sub(want, other)
			case 5:
				u = u.Neg()
				other.Neg(other)
			}
			if got := toBig(s); got.Cmp(want) != 0 {
				t.Fatalf("Sum is %v, want %v", got, want)
			}
			if got, wantCmp := s.Cmp(u), want.Cmp(other); got != wantCmp {
				t.Fatalf("Cmp(%v, %v) = %d, want %d", want, other, got, wantCmp)
			}
			if s.Equal(u) != (want.Cmp(other) == 0) || s.IsZero() != (want.Sign() == 0) || s.Sign() != want.Sign() {
				t.Fatalf("Equal, IsZero or Sign of %v and %v", want, other)
			}
			if got := toBig(s.Abs()); got.Cmp(new(big.Int).Abs(want)) != 0 {
				t.Fatalf("Abs(%v) = %v", want, got)
			}
			if got, ok := s.Int64(); ok != want.IsInt64() || ok && got != want.Int64() {
				t.Fatalf("Int64(%v) = %v, %v", want, got, ok)
			}
			if got, wantText := s.String2(), decimal.NewFromBigInt(want, -2).StringFixed(2); got != wantText {
				t.Fatalf("String2(%v) = %s, want %s", want, got, wantText)
			}
			for _, scale := range []int{0, 2, 6, 8, 18} {
				got := string(s.AppendDecimal(nil, scale, 0))
				if wantText := decimal.NewFromBigInt(want, -int32(scale)).String(); got != wantText {
					t.Fatalf("AppendDecimal(%v, %d) = %s, want %s", want, scale, got, wantText)
				}
			}
			if hi, lo := s.Parts(); SumOf(hi, lo) != s {
				t.Fatalf("SumOf(Parts) is not %v", want)
			}
		}
	}
}

func TestSumText(t *testing.T) {
	var s Sum
	s.AddMicro(2_500_000)
	if got := s.String6(); got != "2.50" {
		t.Errorf("String6() = %s, want 2.50", got)
	}
	s.AddMicro(1)
	if got := s.String6(); got != "2.500001" {
		t.Errorf("String6() = %s, want 2.500001", got)
	}
	if got := SumOf(math.MinInt64, 0).String2(); got != "-1701411834604692317316873037158841057.28" {
		t.Errorf("the smallest Sum is %s", got)
	}
	if got := SumOf(math.MaxInt64, math.MaxUint64).String2(); got != "1701411834604692317316873037158841057.27" {
		t.Errorf("the largest Sum is %s", got)
	}
}

// A column of MaxFen does not wrap where an int64 would.
func TestSumDoesNotWrap(t *testing.T) {
	var s Sum
	for range 100_000 {
		s.Add(MaxFen)
	}
	if got, want := s.String2(), "999999999999999000.00"; got != want {
		t.Errorf("100,000 × MaxFen = %s, want %s", got, want)
	}
}

func TestSumMulDiv(t *testing.T) {
	r := seeded()
	for range 20_000 {
		a, m := uint64(amount(r, math.MaxInt64)), uint64(amount(r, math.MaxInt64))
		d := uint64(amount(r, math.MaxInt64)) + 1
		product := Sum{lo: a}.mul(m)
		want := new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(m))
		if got := string(product.appendDigits(nil)); got != want.String() {
			t.Fatalf("%d × %d = %s, want %v", a, m, got, want)
		}
		q, rest := product.div(d)
		wantQ, wantRest := want.QuoRem(want, new(big.Int).SetUint64(d), new(big.Int))
		if string(q.appendDigits(nil)) != wantQ.String() || rest != wantRest.Uint64() {
			t.Fatalf("%d × %d / %d = %s rest %d, want %v rest %v", a, m, d, q.appendDigits(nil), rest, wantQ, wantRest)
		}
	}
}

// A factor beyond 64 bits.
func TestSumMulWide(t *testing.T) {
	r := seeded()
	for range 10_000 {
		hi, lo, m := r.Int64N(1e12), r.Uint64(), r.Uint64N(1e6)
		want := new(big.Int).Lsh(big.NewInt(hi), 64)
		want.Add(want, new(big.Int).SetUint64(lo)).Mul(want, new(big.Int).SetUint64(m))
		if got := string(SumOf(hi, lo).mul(m).appendDigits(nil)); got != want.String() {
			t.Fatalf("(%d, %d) × %d = %s, want %v", hi, lo, m, got, want)
		}
	}
}

func TestSumOver(t *testing.T) {
	for _, test := range []struct {
		sum  int64
		n    int
		want int64
	}{
		{1000, 3, 333}, {1001, 2, 501}, {-1001, 2, -501}, {5, 0, 0}, {0, 7, 0}, {2, 3, 1}, {1, 3, 0},
	} {
		var s Sum
		s.AddInt(test.sum)
		if got, _ := s.Over(test.n).Int64(); got != test.want {
			t.Errorf("%d over %d = %d, want %d", test.sum, test.n, got, test.want)
		}
	}
}
