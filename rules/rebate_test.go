package rules

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// testBook is the registry that pid.txt tells of.
func testBook(t testing.TB) *PIDBook {
	t.Helper()
	terms := func(provider, product, rate string, from, to int32) Agreement {
		return Agreement{
			Provider: provider, Product: product, Rate: mustMicro(t, rate),
			Basis: BasisReceived, From: from, To: to, Scale: 2, Rounding: RoundTrade,
		}
	}
	book, err := NewPIDBook([]Agreement{
		terms("2088000000000017", "face_to_face", "0.0055", 100, OpenEnd),
		terms("2088000000000017", "face_to_face", "0.006", 200, OpenEnd),
		terms("2088000000000017", "face_to_face", "0.007", 200, OpenEnd),
		terms("2088000000000025", "face_to_face", "0.005", 100, 150),
		terms("2088000000000033", "huabei_instalment", "0.008", 0, OpenEnd),
	}, []string{"2088000000000017", "2088000000000041", "2088000000000050"},
		[]string{"2088100000000009", "2088100000000017"}, "2088000000000017")
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestJudgeExamples(t *testing.T) {
	book := testBook(t)
	check(t, "pid.txt", func(t *testing.T, left string) string {
		end := strings.LastIndexByte(left, '"') + 1
		w := strings.Fields(left[end:])
		day, err := strconv.ParseInt(w[0], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		merchant, wrongKey := "2088100000000009", false
		for _, more := range w[1:] {
			if more == "wrong_key" {
				wrongKey = true
			} else {
				merchant = more
			}
		}
		cause, agreement := book.Judge(mustUnquote(t, left[:end]), merchant, "face_to_face", int32(day), wrongKey)
		if (agreement != nil) != (cause == CauseOK) || cause.Lost() == (cause == CauseOK) {
			t.Errorf("%s: cause %v with agreement %v", left, cause, agreement)
		}
		if agreement != nil {
			return cause.String() + " " + agreement.Rate.String()
		}
		return cause.String()
	})
}

func TestBook(t *testing.T) {
	book := testBook(t)
	for _, test := range []struct {
		product string
		day     int32
		want    Micro
	}{
		{"face_to_face", 99, 0},
		{"face_to_face", 150, 5500},
		{"face_to_face", 250, 6000},
		{"huabei_instalment", 150, 0},
	} {
		rate := Micro(0)
		if a := book.Primary(test.product, test.day); a != nil {
			rate = a.Rate
		}
		if rate != test.want {
			t.Errorf("Primary(%s, %d) has the rate %v, want %v", test.product, test.day, rate, test.want)
		}
	}
	for pid, want := range map[string]bool{
		"2088000000000017": true, "2088000000000041": true, "2088000000000033": true,
		"2088100000000009": false, "": false, "2088555555555555": false,
	} {
		if got := book.Own(pid); got != want {
			t.Errorf("Own(%q) = %v, want %v", pid, got, want)
		}
	}
	empty, err := NewPIDBook(nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if cause, _ := empty.Judge("2088000000000017", "", "face_to_face", 0, false); cause != CausePIDForeign {
		t.Errorf("an empty book says %v", cause)
	}
	if a := empty.Primary("face_to_face", 0); a != nil {
		t.Errorf("an empty book has the primary agreement %v", a)
	}
}

func TestBookErrors(t *testing.T) {
	good := Agreement{Provider: "2088000000000017", Product: "face_to_face", Rate: 5500, To: OpenEnd, Scale: 2}
	for _, test := range []struct {
		change func(*Agreement)
		want   string
	}{
		{func(a *Agreement) { a.Provider = "17" }, `agreement 2: provider_pid "17": not a PID`},
		{func(a *Agreement) { a.Rate = -1 }, "agreement 2: rate -0.000001: negative"},
		{func(a *Agreement) { a.Scale = 7 }, "agreement 2: scale 7: not 0 to 6"},
		{func(a *Agreement) { a.Scale = -1 }, "agreement 2: scale -1: not 0 to 6"},
		{func(a *Agreement) { a.Cap, a.HasCap = -One, true }, "agreement 2: cap_per_trade -1: negative"},
		{func(a *Agreement) { a.From, a.To = 10, 9 }, "agreement 2: effective_to before effective_from"},
	} {
		bad := good
		test.change(&bad)
		_, err := NewPIDBook([]Agreement{good, bad}, nil, nil, "")
		if err == nil || err.Error() != test.want {
			t.Errorf("NewPIDBook: %v, want %s", err, test.want)
		}
	}
}

func TestTrimPID(t *testing.T) {
	for s, want := range map[string]string{
		"2088000000000017":       "2088000000000017",
		"20880000000000170156":   "2088000000000017",
		"\t20880000000000170156": "2088000000000017",
		"2088000000000156":       "2088000000000156", // the PID's own digits
		"208800000000170156":     "208800000000170156",
		"x":                      "x",
		"":                       "",
	} {
		if got := TrimPID(s); got != want {
			t.Errorf("TrimPID(%q) = %q, want %q", s, got, want)
		}
	}
}

// rebateText is how reports write a rebate: two decimals, and more where those
// are not zero.
func rebateText(m Micro) string { return string(AppendMicro(nil, m, 2)) }

func TestExpectedExamples(t *testing.T) {
	check(t, "rebate.txt", func(t *testing.T, left string) string {
		w := strings.Fields(left)
		scale, _ := strconv.Atoi(w[2])
		a := Agreement{Rate: mustMicro(t, w[1]), Scale: scale}
		if len(w) > 3 {
			a.Cap, a.HasCap = mustMicro(t, w[3]), true
		}
		return rebateText(Expected(mustFen(t, w[0]), &a))
	})
	if got := Expected(10000, nil); got != 0 {
		t.Errorf("without an agreement %v is expected", got)
	}
}

func randomAgreement(r *rand.Rand) Agreement {
	a := Agreement{Rate: Micro(amount(r, math.MaxInt64)), Scale: r.IntN(7)}
	if r.IntN(2) == 0 {
		a.Rate = Micro(r.IntN(20_000))
	}
	if r.IntN(3) == 0 {
		a.Cap, a.HasCap = Micro(amount(r, 1e9)), true
	}
	return a
}

func TestExpectedDifferential(t *testing.T) {
	r := seeded()
	most := MaxMicro.Decimal()
	for range 40_000 {
		a := randomAgreement(r)
		basis := Fen(signedAmount(r, int64(MaxFen)))
		exact := basis.Decimal().Mul(a.Rate.Decimal())
		want := decimal.Min(halfUp(exact, int32(a.Scale)), most)
		exact = decimal.Min(exact, most)
		if a.HasCap {
			want, exact = decimal.Min(want, a.Cap.Decimal()), decimal.Min(exact, a.Cap.Decimal())
		}
		if basis <= 0 {
			want, exact = decimal.Zero, decimal.Zero
		}
		if got := Expected(basis, &a); !got.Decimal().Equal(want) {
			t.Fatalf("Expected(%v, %+v) = %v, want %v", basis, a, got, want)
		}
		if got := string(ExactRebate(basis, &a).AppendDecimal(nil, 8, 0)); got != exact.String() {
			t.Fatalf("ExactRebate(%v, %+v) = %v, want %v", basis, a, got, exact)
		}
	}
}

// shares runs a group over its trades as the engine does: once to add and rank,
// once to share, the second time backwards.
func shares(group *PeriodGroup, exact []Sum) []Micro {
	var ranks []Rank
	for i, e := range exact {
		if remainder := group.Add(e); remainder > 0 {
			ranks = append(ranks, Rank{remainder, uint64(i)})
		}
	}
	cutoff := group.Cutoff(ranks)
	all := make([]Micro, len(exact))
	for i := len(exact) - 1; i >= 0; i-- {
		all[i] = cutoff.Share(exact[i], uint64(i))
	}
	return all
}

func TestPeriodExamples(t *testing.T) {
	check(t, "period.txt", func(t *testing.T, left string) string {
		scaleText, trades, _ := strings.Cut(left, " / ")
		scale, _ := strconv.Atoi(scaleText)
		var exact []Sum
		for _, trade := range strings.Fields(trades) {
			basis, rate, _ := strings.Cut(trade, "x")
			exact = append(exact, ExactRebate(mustFen(t, basis), &Agreement{Rate: mustMicro(t, rate)}))
		}
		group := NewPeriodGroup(scale)
		all := shares(&group, exact)
		total, _ := group.Total().Int64()
		words := []string{rebateText(Micro(total)) + ":"}
		for _, share := range all {
			words = append(words, rebateText(share))
		}
		return strings.Join(words, " ")
	})
}

// The shares of a group add up to its total, which is the exact sum rounded
// once; each is the floor or one unit more, and the units are where the largest
// remainders are.
func TestPeriodDifferential(t *testing.T) {
	r := seeded()
	extras := 0
	for range 5_000 {
		scale := r.IntN(7)
		exact := make([]Sum, 1+r.IntN(30))
		sum := decimal.Zero
		for i := range exact {
			a := Agreement{Rate: Micro(r.IntN(20_000)), Scale: scale}
			basis := Fen(signedAmount(r, int64(MaxFen)))
			if r.IntN(4) > 0 {
				basis = Fen(r.IntN(100_000))
			}
			exact[i] = ExactRebate(basis, &a)
			if basis > 0 {
				sum = sum.Add(basis.Decimal().Mul(a.Rate.Decimal()))
			}
		}
		one, other := NewPeriodGroup(scale), NewPeriodGroup(scale)
		got := shares(&one, exact)
		want := halfUp(sum, int32(scale)).Shift(6)
		var total Sum
		for i, share := range got {
			total.AddMicro(share)
			hi, lo := exact[i].Parts()
			floor := decimal.NewFromBigInt(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(hi), 64), new(big.Int).SetUint64(lo)), -8).
				RoundFloor(int32(scale))
			more := share.Decimal().Sub(floor).Shift(int32(scale))
			if !more.IsZero() && !more.Equal(decimal.NewFromInt(1)) {
				t.Fatalf("share %v of %v is %v units above its floor", share, floor, more)
			}
		}
		if !total.Equal(one.Total()) || string(total.AppendDecimal(nil, 0, 0)) != want.String() {
			t.Fatalf("shares %v add up to %s, total is %s, want %v", got, total.String6(), one.Total().String6(), want)
		}
		extras += one.Extra()
		// A group in two parts is the same group.
		joint := NewPeriodGroup(scale)
		for i, e := range exact {
			if i%2 == 0 {
				joint.Add(e)
			} else {
				other.Add(e)
			}
		}
		joint.Join(other)
		if joint != one || joint.Trades() != int64(len(exact)) {
			t.Fatalf("two parts joined are %+v, want %+v", joint, one)
		}
	}
	if extras < 1000 {
		t.Errorf("only %d units were given", extras)
	}
}

func TestRankOrder(t *testing.T) {
	ranks := []Rank{{1, 1}, {5, 9}, {5, 2}, {7, 8}, {1, 0}}
	slices.SortFunc(ranks, Rank.Compare)
	if want := []Rank{{7, 8}, {5, 2}, {5, 9}, {1, 0}, {1, 1}}; !slices.Equal(ranks, want) {
		t.Errorf("ranks are %v, want %v", ranks, want)
	}
}

func TestCompareStatementExamples(t *testing.T) {
	check(t, "statement.txt", func(t *testing.T, left string) string {
		w := strings.Fields(left)
		stated, paid := w[1] != "-", Micro(0)
		if stated {
			paid = mustMicro(t, w[1])
		}
		cause := CompareStatement(mustMicro(t, w[0]), paid, stated, mustMicro(t, w[2]))
		return strings.TrimSpace(cause.String() + " " + cause.Appeal().String())
	})
}
