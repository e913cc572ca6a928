package schema

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// randomRows fills a table's columns, each in a way of its own: one value, few,
// many, with and without Null, extreme; texts alike and not.
func randomRows(r Rows, rng *rand.Rand, n int) {
	for _, c := range r.columns() {
		way := rng.IntN(8)
		number := func() int64 {
			switch way {
			case 0:
				return 7
			case 1:
				return int64(rng.IntN(3))
			case 2:
				return math.MaxInt64 - int64(rng.IntN(2))
			case 3:
				return int64(rng.Uint64())
			case 4:
				return []int64{Null, Null + 1, math.MaxInt64, 0}[rng.IntN(4)]
			case 5:
				return -int64(rng.Uint64() >> (8 + rng.IntN(56)))
			case 6:
				return []int64{Null, int64(rng.IntN(100_000))}[rng.IntN(2)]
			}
			return Null
		}
		switch data := c.data.(type) {
		case *[]int64:
			fillColumn(data, n, number)
		case *[]int32:
			fillColumn(data, n, number)
		case *[]uint32:
			fillColumn(data, n, number)
		case *[]uint8:
			fillColumn(data, n, number)
		case *Text:
			for range n {
				data.AppendString(randomText(rng, way))
			}
		}
	}
}

func fillColumn[T whole](data *[]T, n int, number func() int64) {
	for range n {
		*data = append(*data, T(number()))
	}
}

func randomText(rng *rand.Rand, way int) string {
	blank := rng.IntN(4) == 0
	switch {
	case way == 0 || way < 5 && blank:
		return ""
	case way == 1:
		return fmt.Sprintf("2026112022001%015d", rng.Uint64N(1e15))
	case way == 2:
		return fmt.Sprintf("POS-%0*d", 3+rng.IntN(3), rng.IntN(1000))
	case way == 3:
		return strconv.FormatUint(rng.Uint64(), 36)
	case way == 4:
		return fmt.Sprintf("%020d%020d%07d", rng.Uint64(), rng.Uint64(), rng.IntN(1e7))
	case way == 5:
		return "长款" + strconv.Itoa(rng.IntN(20))
	case way == 6:
		return []string{"20261120", "202611", "2026112"}[rng.IntN(3)]
	}
	return strconv.Itoa(rng.IntN(10))
}

// TestPack: what is packed and unpacked is what Append gives, row for row.
func TestPack(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		from, to, want := new(Bills), new(Bills), new(Bills)
		randomRows(from, rng, rng.IntN(60))
		packer, unpacker := NewPacker(from), NewPacker(to)
		packer.Scan()
		var packed []byte
		var pieces [][]int32
		for range 3 {
			var rows []int32
			for row := range from.Len() {
				if rng.IntN(3) > 0 {
					rows = append(rows, int32(row))
				}
			}
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			pieces = append(pieces, rows)
			packed = packer.Pack(packed, rows)
		}
		for _, rows := range pieces {
			Append(want, from, rows)
			var err error
			if packed, err = unpacker.Unpack(packed); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if len(packed) > 0 {
			t.Fatalf("seed %d: %d bytes left", seed, len(packed))
		}
		if err := sameRows(to, want); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func sameRows(got, want Rows) error {
	if got.Len() != want.Len() {
		return fmt.Errorf("%d rows, want %d", got.Len(), want.Len())
	}
	if want.Len() == 0 {
		return nil
	}
	from := want.columns()
	for k, c := range got.columns() {
		if text, ok := c.data.(*Text); ok {
			for i := range text.Len() {
				if w := from[k].data.(*Text).At(i); !bytes.Equal(text.At(i), w) {
					return fmt.Errorf("%s of row %d is %q, want %q", c.name, i, text.At(i), w)
				}
			}
		} else if !reflect.DeepEqual(c.data, from[k].data) {
			return fmt.Errorf("%s is %v, want %v", c.name,
				reflect.ValueOf(c.data).Elem(), reflect.ValueOf(from[k].data).Elem())
		}
	}
	return nil
}

// TestPackedSize: numbers of trades and orders take the bytes of their digits
// that differ, and columns of one value next to none.
func TestPackedSize(t *testing.T) {
	s := new(Statements)
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 1000
	var rows []int32
	for i := range n {
		rows = append(rows, int32(i))
		s.TradeNo.AppendString(fmt.Sprintf("2026112022001%015d", rng.Uint64N(1e15)))
		s.OutTradeNo.AppendString("")
		s.Line = append(s.Line, int32(i))
		for _, c := range s.columns() {
			switch data := c.data.(type) {
			case *[]int64:
				*data = append(*data, Null)
			case *[]uint32:
				*data = append(*data, 5)
			case *[]int32:
				if data != &s.Line {
					*data = append(*data, 6)
				}
			}
		}
	}
	p := NewPacker(s)
	if got, most := len(p.Pack(nil, rows)), n*(2+7)+200; got > most {
		t.Errorf("%d bytes for %d rows, want at most %d", got, n, most)
	}
	p.Scan()
	packed := make([]byte, 0, 20*n)
	if allocs := testing.AllocsPerRun(5, func() { packed = p.Pack(packed[:0], rows) }); allocs > 0 {
		t.Errorf("Pack makes %v allocations", allocs)
	}
	to := new(Statements)
	u := NewPacker(to)
	if allocs := testing.AllocsPerRun(5, func() {
		u.Reset()
		if _, err := u.Unpack(packed); err != nil {
			t.Fatal(err)
		}
	}); allocs > 0 {
		t.Errorf("Unpack makes %v allocations", allocs)
	}
}

// TestDigits compares the reading of eight digits at a time with one by one.
func TestDigits(t *testing.T) {
	plainDigits := func(b []byte) bool {
		for _, c := range b {
			if c < '0' || c > '9' {
				return false
			}
		}
		return true
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		b := make([]byte, rng.IntN(40))
		for i := range b {
			b[i] = '0' + byte(rng.IntN(10))
		}
		if len(b) > 0 && rng.IntN(2) == 0 {
			b[rng.IntN(len(b))] = byte(rng.IntN(256))
		}
		to := rng.IntN(len(b) + 1)
		from := max(0, to-rng.IntN(17))
		got, ok := digitsValue(b, from, to)
		if ok != plainDigits(b[from:to]) {
			t.Fatalf("digitsValue(%q, %d, %d): %v", b, from, to, ok)
		}
		if !ok {
			continue
		}
		var want uint64
		for _, c := range b[from:to] {
			want = want*10 + uint64(c-'0')
		}
		if got != want {
			t.Fatalf("digitsValue(%q, %d, %d) = %d", b, from, to, got)
		}
		back := make([]byte, to-from)
		if putDigits(back, want); !bytes.Equal(back, b[from:to]) {
			t.Fatalf("putDigits(%d) = %q, want %q", want, back, b[from:to])
		}
	}
}

// FuzzUnpack: damaged bytes are an error or rows, never a panic.
func FuzzUnpack(f *testing.F) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := new(Statements)
		randomRows(s, rng, 5)
		f.Add(NewPacker(s).Pack(nil, []int32{4, 2, 0}))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if len(packed) > 2 { // a count that is large makes memory, not a finding
			packed[1] &= 0x7f
		}
		to := new(Statements)
		rest, err := NewPacker(to).Unpack(packed)
		if err == nil && len(rest) > len(packed) {
			t.Errorf("%d bytes left of %d", len(rest), len(packed))
		}
	})
}

func packedBills(n int) (*Bills, []int32) {
	b := new(Bills)
	rng := rand.New(rand.NewPCG(1, 1))
	var rows []int32
	for i := range n {
		rows = append(rows, int32(i))
		b.TradeNo.AppendString(fmt.Sprintf("2026112022001%015d", rng.Uint64N(1e15)))
		b.OutTradeNo.AppendString(fmt.Sprintf("POS20261120%07d", i))
		b.RequestNo.AppendString("")
		for k, c := range b.columns() {
			switch data := c.data.(type) {
			case *[]int64:
				*data = append(*data, int64(k%3*rng.IntN(100_000)))
			case *[]uint32:
				*data = append(*data, uint32(k%3*rng.IntN(300)))
			case *[]int32:
				*data = append(*data, int32(k%2*i))
			case *[]uint8:
				*data = append(*data, 1)
			}
		}
	}
	return b, rows
}

// BenchmarkPack packs pieces of 64 bill rows, as the store does.
func BenchmarkPack(b *testing.B) {
	bills, rows := packedBills(8192)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	p := NewPacker(bills)
	var packed []byte
	b.ReportAllocs()
	b.SetBytes(Size(bills))
	for b.Loop() {
		p.Scan()
		packed = packed[:0]
		for from := 0; from < len(rows); from += 64 {
			packed = p.Pack(packed, rows[from:from+64])
		}
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(len(packed))/float64(len(rows)), "bytes/row")
}

func BenchmarkUnpack(b *testing.B) {
	bills, rows := packedBills(8192)
	p := NewPacker(bills)
	p.Scan()
	var packed []byte
	for from := 0; from < len(rows); from += 64 {
		packed = p.Pack(packed, rows[from:from+64])
	}
	to := NewPacker(new(Bills))
	b.ReportAllocs()
	b.SetBytes(Size(bills))
	for b.Loop() {
		to.Reset()
		for rest := packed; len(rest) > 0; {
			var err error
			if rest, err = to.Unpack(rest); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
