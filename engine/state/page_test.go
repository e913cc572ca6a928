package state

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"duizhang/engine/schema"
)

func TestNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int, f func(i int) int64) []int64 {
		v := make([]int64, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	for name, values := range map[string][]int64{
		"none":           {},
		"one":            {7},
		"one Null":       {schema.Null},
		"all Null":       {schema.Null, schema.Null},
		"constant":       {-5, -5, -5},
		"two":            {1, 2},
		"extremes":       {math.MinInt64, math.MaxInt64, 0, math.MinInt64 + 1},
		"Null, smallest": {math.MinInt64, math.MinInt64 + 1, math.MinInt64 + 2, 9},
		"Null, largest":  {math.MinInt64, math.MaxInt64, math.MaxInt64 - 3},
		"half":           {0, 0, 0, 0, 1, 2, 3, 4},
		"sparse":         random(256, func(i int) int64 { return map[bool]int64{true: r.Int64N(5000), false: 0}[i%7 == 0] }),
		"sparse Null":    random(256, func(i int) int64 { return map[bool]int64{true: r.Int64N(5000), false: schema.Null}[i%7 == 0] }),
		"sparse of Null": random(256, func(i int) int64 { return map[bool]int64{true: schema.Null, false: 12}[i%7 == 0] }),
		"sparse wide":    random(256, func(i int) int64 { return map[bool]int64{true: r.Int64() - r.Int64(), false: 1}[i%9 == 0] }),
		"amounts":        random(256, func(int) int64 { return 100 + r.Int64N(30_000) }),
		"57 bits":        random(100, func(int) int64 { return r.Int64N(1 << 57) }),
		"61 bits":        random(100, func(int) int64 { return -r.Int64N(1 << 61) }),
		"any":            random(100, func(int) int64 { return int64(r.Uint64()) }),
	} {
		var p packer
		packed := p.numbers(nil, values)
		var v numbers
		if err := v.open(packed, len(values)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := v.appendTo(nil, len(values)); !slices.Equal(got, values) {
			t.Errorf("%s: all are %v, want %v", name, got, values)
		}
		for i, want := range values {
			if got := v.at(i); got != want {
				t.Errorf("%s: row %d is %d, want %d", name, i, got, want)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func(n int, f func(i int) string) []string {
		v := make([]string, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	for name, values := range map[string][]string{
		"none":       {},
		"blank":      {""},
		"blanks":     {"", "", ""},
		"one":        {"2026112022001412345678901234"},
		"numbers":    random(256, func(int) string { return fmt.Sprintf("20261120220014%014d", r.Int64N(1e14)) }),
		"64 digits":  random(256, func(int) string { return fmt.Sprintf("%032d%032d", r.Uint64(), r.Uint64()) }),
		"serials":    random(256, func(i int) string { return fmt.Sprintf("S%04d-20261120-%06d", i%3, i) }),
		"and blanks": random(256, func(i int) string { return strings.Repeat(fmt.Sprint("PO", i+1000), i%2) }),
		"lengths":    random(256, func(i int) string { return strings.Repeat("7", i%15) }),
		"many":       random(256, func(i int) string { return strings.Repeat("8", i%40) }),
		"Chinese":    random(50, func(i int) string { return fmt.Sprint("门店", i, "号") }),
		"bytes":      random(256, func(i int) string { return string([]byte{byte(i), 0xff, byte(r.IntN(256))}) }),
		"uuids":      random(256, func(int) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }),
	} {
		var in schema.Text
		for _, v := range values {
			in.AppendString(v)
		}
		var p packer
		packed := p.texts(nil, &in, len(values))
		var v texts
		if err := v.open(packed, len(values)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var all schema.Text
		v.appendTo(&all, len(values))
		for i, want := range values {
			if got := string(all.At(i)); got != want {
				t.Errorf("%s: text %d of all is %q, want %q", name, i, got, want)
			}
			if got := string(v.append(nil, i)); got != want {
				t.Errorf("%s: text %d is %q, want %q", name, i, got, want)
			}
		}
	}
}

// FuzzPage: damaged bytes are an error or other rows, and never a panic.
func FuzzPage(f *testing.F) {
	settled := randomSettled(rand.New(rand.NewPCG(5, 6)), 40)
	var p packer
	fields := schema.Fields(settled)
	f.Add(p.page(nil, fields, settled.Len()))
	f.Add([]byte{})
	at := make([]int, len(fields))
	for k := range at {
		at[k] = k
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in page
		if err := in.open(data); err != nil || len(in.columns) != len(fields) || in.rows > 1000 {
			return
		}
		var out schema.Settled
		if err := in.appendTo(schema.Fields(&out), at); err != nil {
			return
		}
		var q packer
		var again page
		if err := again.open(q.page(nil, schema.Fields(&out), in.rows)); err != nil {
			t.Fatal(err)
		}
		var back schema.Settled
		if err := again.appendTo(schema.Fields(&back), at); err != nil {
			t.Fatal(err)
		}
		if in.rows > 0 && !reflect.DeepEqual(back, out) {
			t.Fatalf("read back\n%v\nwant\n%v", back, out)
		}
	})
}

// randomSettled has all columns filled with whatever.
func randomSettled(r *rand.Rand, rows int) *schema.Settled {
	var s schema.Settled
	for _, f := range schema.Fields(&s) {
		for range rows {
			v := int64(r.Uint64N(1 << r.IntN(64)))
			switch data := f.Data.(type) {
			case *[]int64:
				*data = append(*data, []int64{v, -v, 0, schema.Null}[r.IntN(4)])
			case *[]int32:
				*data = append(*data, int32(v))
			case *[]uint32:
				*data = append(*data, uint32(v))
			case *[]uint8:
				*data = append(*data, uint8(v))
			case *schema.Text:
				data.AppendString([]string{"", fmt.Sprint(v), fmt.Sprintf("20261120%020d", v), fmt.Sprintf("%x", v)}[r.IntN(4)])
			}
		}
	}
	return &s
}
