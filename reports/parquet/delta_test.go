package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// undelta is the plain reading of appendDeltas, and what is behind it.
func undelta(t testing.TB, src []byte) (values []int64, rest []byte) {
	t.Helper()
	uvarint := func() uint64 {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			t.Fatal("no number")
		}
		src = src[n:]
		return v
	}
	zigzag := func() int64 {
		v := uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	block, minis, total := int(uvarint()), int(uvarint()), int(uvarint())
	v := zigzag()
	if total == 0 {
		return nil, src
	}
	values = append(values, v)
	for len(values) < total {
		least := zigzag()
		widths := src[:minis]
		src = src[minis:]
		for _, width := range widths {
			if len(values) == total {
				if width != 0 {
					t.Fatalf("width %d of no values", width)
				}
				continue
			}
			n := block / minis
			for i := range n {
				var delta uint64
				for b := range int(width) {
					at := i*int(width) + b
					delta |= uint64(src[at/8]>>(at%8)&1) << b
				}
				if len(values) == total {
					if delta != 0 {
						t.Fatal("filled up with something")
					}
					continue
				}
				v += least + int64(delta)
				values = append(values, v)
			}
			src = src[n*int(width)/8:]
		}
	}
	return values, src
}

func checkDeltas(t testing.TB, values []int64) {
	t.Helper()
	got, rest := undelta(t, appendDeltas([]byte("before")[:0], values))
	if !slices.Equal(got, values) || len(rest) > 0 {
		t.Errorf("appendDeltas(%v) reads as %v and %d bytes", values, got, len(rest))
	}
}

func TestDeltas(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for width := range 65 {
		for _, n := range []int{0, 1, 2, 31, 32, 33, 34, 128, 129, 130, 160, 161, 1000} {
			values := make([]int64, n)
			for i := range values {
				values[i] = int64(rng.Uint64() >> (64 - width))
				if i%2 == 0 {
					values[i] = -values[i]
				}
			}
			checkDeltas(t, values)
			for i := range values {
				values[i] = int64(width*i) - 7
			}
			checkDeltas(t, values)
		}
	}
	checkDeltas(t, []int64{math.MinInt64, math.MaxInt64, 0, math.MaxInt64, math.MinInt64, -1, 1})
}

func FuzzDeltas(f *testing.F) {
	f.Add([]byte("12345678abcdefgh12345678"), uint8(3))
	f.Add(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 255}, 40), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		var values []int64
		for len(data) >= 8 {
			values = append(values, int64(binary.LittleEndian.Uint64(data))>>(shift%64))
			data = data[8:]
		}
		checkDeltas(t, values)
	})
}

// unfront is the plain reading of front.append.
func unfront(t testing.TB, src []byte) []string {
	t.Helper()
	shared, src := undelta(t, src)
	added, src := undelta(t, src)
	var texts []string
	last := ""
	for i := range shared {
		last = last[:shared[i]] + string(src[:added[i]])
		src = src[added[i]:]
		texts = append(texts, last)
	}
	if len(src) > 0 {
		t.Fatalf("%d bytes left", len(src))
	}
	return texts
}

func FuzzFront(f *testing.F) {
	f.Add([]byte("POS0001\nPOS0002\nPOS0002\nPOS00025\nP\nX"))
	f.Add([]byte("2026112022001400000000000011\n2026112022001400000000000012\n订单号码一\n订单号码丁"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var texts []string
		var fr front
		var last []byte
		for text := range bytes.SplitSeq(data, []byte("\n")) {
			shared := commonWide(last, text)
			if want := common(last, text); shared != want {
				t.Fatalf("commonWide(%q, %q) = %d, want %d", last, text, shared, want)
			}
			fr.add(shared, text[shared:])
			texts = append(texts, string(text))
			last = text
		}
		if got := unfront(t, fr.append(nil)); !slices.Equal(got, texts) {
			t.Errorf("%q reads as %q", texts, got)
		}
	})
}

// Places read as if they had been rendered.
func FuzzPlaces(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x00\x00\x00\x06\x01\x00\x01\x07\x02\x00\x00\x00\x00\x00\x00\x00"))
	prefixes := []string{"a.zip:1101.csv:", "a.zip:1102.csv:", "a.zip:", "账单.csv:", ":", "a.zip:1101.csv:1:"}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fr front
		var last, p place
		var want []string
		for len(data) >= 4 {
			prefix := prefixes[int(data[0])%len(prefixes)]
			line := int32(data[1])<<16 | int32(data[2])<<8 | int32(data[3])
			data = data[4:]
			p.set(prefix, line)
			fr.addPlace(&last, &p)
			last, p = p, last
			want = append(want, placeText(prefix, line))
		}
		if got := unfront(t, fr.append(nil)); !slices.Equal(got, want) {
			t.Errorf("places %q read as %q", want, got)
		}
	})
}

func TestDistinct(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var d distinct
	for _, many := range []int64{1, 3, 100, 5000, 1 << 40} {
		values := make([]int64, 20000)
		for i := range values {
			if values[i] = rng.Int64N(many) - many/2; rng.IntN(5) == 0 {
				values[i] = Null
			}
		}
		numbers := map[int64]int32{Null: -1}
		var want []int32
		for _, v := range values {
			if _, ok := numbers[v]; !ok {
				numbers[v] = int32(len(numbers) - 1)
			}
			want = append(want, numbers[v])
		}
		n := len(numbers) - 1
		for _, limit := range []int{n - 1, n, n + 1, len(values)} {
			got, ok := d.index(nil, values, limit)
			if ok != (n <= min(limit, maxDistinct)) {
				t.Errorf("%d different values, limit %d: %v", n, limit, ok)
			}
			if ok && (!slices.Equal(got, want) || len(d.values) != n) {
				t.Errorf("%d different values: wrong numbers", n)
			}
		}
	}
}

// TestPackDigits: the digits of a line are those that strconv writes.
func TestPackDigits(t *testing.T) {
	for line := int32(1); line > 0 && line <= 99_999_999; line += 1 + line/97 {
		for _, line := range []int32{line, 100_000_000 - line} {
			digits, n := packDigits(line)
			have := binary.LittleEndian.AppendUint64(nil, digits)
			if want := strconv.Itoa(int(line)); string(have[:n]) != want || n < 8 && digits>>(8*n) != 0 {
				t.Fatalf("packDigits(%d) = %q, %d", line, have, n)
			}
		}
	}
	for _, line := range []int32{0, -1, math.MinInt32, 100_000_000, math.MaxInt32} {
		if _, n := packDigits(line); n != 0 {
			t.Errorf("packDigits(%d) has %d digits, want none", line, n)
		}
	}
}
