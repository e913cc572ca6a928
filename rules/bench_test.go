package rules

import (
	"testing"
)

// The kernels run for every row, line or trade: they must not allocate.
func TestNoAllocation(t *testing.T) {
	plain, marked, rate := []byte("1234.56"), []byte(" ￥1,234.56元 "), []byte("0.55%")
	shares, weights := make([]Fen, stackLines), make([]Fen, stackLines)
	for i := range weights {
		weights[i] = Fen(i*7 + 1)
	}
	lines, merged := benchLines(5), benchLines(3*smallIndex)
	var a, large Allocator
	var r Returns
	policy := SmartStore()
	funding := Funding{FundPaid: 7700, FundRedPacket: 500, FundAllowance: 800, FundCoupon: 1000}
	book := testBook(t)
	back := []ReturnedLine{{ID: 1, Quantity: One / 2}}
	buf := make([]byte, 0, 64)
	var sum Sum
	agreement := &Agreement{Rate: 5500, Scale: 2}
	group := NewPeriodGroup(2)
	ranks := []Rank{{3, 1}, {2, 2}, {3, 0}}
	for name, run := range map[string]func(){
		"ParseFen":         func() { must(ParseFen(plain)) },
		"ParseFen, marked": func() { must(ParseFen(marked)) },
		"ParseFen, error":  func() { ParseFen(plain[:5]) },
		"ParseMicro":       func() { must(ParseMicro(plain)) },
		"ParseRate":        func() { must(ParseRate(rate)) },
		"AppendFen":        func() { buf = AppendFen(buf[:0], -123456) },
		"AppendMicro":      func() { buf = AppendMicro(buf[:0], 710_435, 2) },
		"Sum":              func() { sum.Add(5); buf = sum.AppendDecimal(buf[:0], 2, 2) },
		"LineAmount":       func() { must(LineAmount(163_940_000, 3_745_000)) },
		"Allocate":         func() { mustDo(Allocate(shares, 9999, weights)) },
		"AllocateLast":     func() { mustDo(AllocateLast(shares, 9999, weights)) },
		"Order": func() {
			_, _, err := a.Order(77777, lines, randomTag, LargestRemainder)
			mustDo(err)
		},
		"Order, many lines": func() {
			_, _, err := large.Order(77777, merged, randomTag, LastLine)
			mustDo(err)
		},
		"Returns": func() {
			mustDo(r.Begin(a.lines, 77777, 500, LargestRemainder))
			r.Ask(ModeProrated, back)
		},
		"Split":            func() { policy.Split(funding, 8900) },
		"Step":             func() { policy.Step(funding, 6000, 8900) },
		"Judge":            func() { book.Judge("2088000000000017", "2088100000000009", "face_to_face", 150, false) },
		"Judge, damaged":   func() { book.Judge("2.08873E+15", "2088100000000009", "face_to_face", 150, false) },
		"Judge, foreign":   func() { book.Judge("2088555555555550", "2088100000000009", "face_to_face", 150, false) },
		"Expected":         func() { Expected(12917, agreement) },
		"PeriodGroup":      func() { group.Add(ExactRebate(12917, agreement)); group.Cutoff(ranks).Share(Sum{}, 0) },
		"CompareStatement": func() { CompareStatement(71, 70, true, 0) },
	} {
		if got := testing.AllocsPerRun(100, run); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

func must[T any](_ T, err error) { mustDo(err) }

func mustDo(err error) {
	if err != nil {
		panic(err)
	}
}

// benchLines are the lines of one order, two of them of the same goods.
func benchLines(n int) []GoodsLine {
	lines := make([]GoodsLine, n)
	for i := range lines {
		lines[i] = GoodsLine{ID: uint32(i%(n-1)) + 1, Quantity: One + Micro(i)*500_000, Price: Micro(i+3) * 12_340_000, HasPrice: true}
	}
	return lines
}

func BenchmarkParseFen(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"plain", "1234.56"},
		{"negative", "-1234.56"},
		{"long", "9999999999999.99"},
		{"whole", "1234"},
		{"tab", "1234.56\t"},
		{"marked", " ￥1,234.56元 "},
		{"wrong", "1O.00"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			text := []byte(bench.text)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				ParseFen(text)
			}
		})
	}
}

func BenchmarkParseMicro(b *testing.B) {
	text := []byte("3.745")
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		ParseMicro(text)
	}
}

func BenchmarkAppendFen(b *testing.B) {
	buf := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFen(buf[:0], 123456)
	}
}

func BenchmarkSum(b *testing.B) {
	var s Sum
	b.ReportAllocs()
	for b.Loop() {
		s.Add(-123456)
	}
}

func BenchmarkLineAmount(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		LineAmount(163_940_000, 3_745_000)
	}
}

func BenchmarkAllocate(b *testing.B) {
	for _, bench := range []struct {
		name  string
		lines int
	}{{"3", 3}, {"32", 32}, {"1000", 1000}} {
		b.Run(bench.name, func(b *testing.B) {
			weights, shares := make([]Fen, bench.lines), make([]Fen, bench.lines)
			for i := range weights {
				weights[i] = Fen(i*7919%1000 + 1)
			}
			b.ReportAllocs()
			for b.Loop() {
				Allocate(shares, 99999, weights)
			}
			b.ReportMetric(float64(b.N)*float64(bench.lines)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkOrder(b *testing.B) {
	for _, bench := range []struct {
		name  string
		total Fen
		lines int
	}{{"equal", 0, 3}, {"below", 777, 3}, {"above", 7777777, 3}, {"many", 77777, 100}} {
		b.Run(bench.name, func(b *testing.B) {
			var a Allocator
			lines, total := benchLines(bench.lines), bench.total
			if total == 0 {
				for _, line := range lines {
					amount, _ := LineAmount(line.Price, line.Quantity)
					total += amount
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				a.Order(total, lines, nil, LargestRemainder)
			}
			b.ReportMetric(float64(b.N)*float64(bench.lines)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkStep(b *testing.B) {
	policy := SmartStore()
	funding := Funding{FundPaid: 7700, FundRedPacket: 500, FundAllowance: 800, FundCoupon: 1000}
	b.ReportAllocs()
	for b.Loop() {
		policy.Step(funding, 6000, 9700)
	}
}

func BenchmarkJudge(b *testing.B) {
	book := testBook(b)
	for _, bench := range []struct{ name, pid string }{
		{"right", "2088000000000017"}, {"foreign", "2088555555555555"}, {"damaged", "2.08873E+15"}, {"missing", ""},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				book.Judge(bench.pid, "2088100000000009", "face_to_face", 150, false)
			}
		})
	}
}

func BenchmarkExpected(b *testing.B) {
	a := &Agreement{Rate: 5500, Scale: 2}
	b.ReportAllocs()
	for b.Loop() {
		Expected(12917, a)
	}
}

func BenchmarkBreakID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		BreakID(BreakBillOnly, SideBill, "2088000000000017 POS202611200000001", 0)
	}
}
