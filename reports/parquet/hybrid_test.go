package parquet

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// unpackHybrid is the plain reading of appendHybrid: bit by bit. It gives up to n
// values.
func unpackHybrid(t testing.TB, src []byte, width, n int) []uint32 {
	t.Helper()
	var values []uint32
	for len(values) < n {
		header, size := binary.Uvarint(src)
		if size <= 0 {
			t.Fatalf("no header behind %d of %d values", len(values), n)
		}
		src = src[size:]
		if header&1 == 0 {
			var value uint32
			bytes := (width + 7) / 8
			for i := range bytes {
				value |= uint32(src[i]) << (8 * i)
			}
			src = src[bytes:]
			for range header >> 1 {
				values = append(values, value)
			}
			continue
		}
		count := int(header>>1) * 8
		values = append(values, unpackBits(src, width, count)...)
		src = src[count*width/8:]
	}
	if len(src) > 0 || len(values)-n >= 8 {
		t.Fatalf("%d bytes and %d values left", len(src), len(values)-n)
	}
	return values[:n]
}

func unpackBits(src []byte, width, n int) []uint32 {
	values := make([]uint32, n)
	for i := range values {
		for b := range width {
			at := i*width + b
			values[i] |= uint32(src[at/8]>>(at%8)&1) << b
		}
	}
	return values
}

func checkHybrid(t testing.TB, values []uint32, width int) {
	t.Helper()
	got := unpackHybrid(t, appendHybrid(nil, values, width), width, len(values))
	if !slices.Equal(got, values) {
		t.Errorf("appendHybrid(%v, %d) reads as %v", values, width, got)
	}
}

func TestHybrid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for width := range 33 {
		mask := uint32(1<<width - 1)
		for _, n := range []int{0, 1, 7, 8, 9, 23, 24, 25, 100, 1000} {
			values := make([]uint32, n)
			for _, run := range []int{1, 5, 60} {
				for i := range values {
					if i%run == 0 || i == 0 {
						values[i] = rng.Uint32() & mask
					} else {
						values[i] = values[i-1]
					}
				}
				checkHybrid(t, values, width)
			}
			for i := range values {
				values[i] = mask
			}
			checkHybrid(t, values, width)
		}
	}
}

func FuzzHybrid(f *testing.F) {
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefgh"), uint8(7))
	f.Add([]byte{0, 1, 2, 3, 255}, uint8(17))
	f.Fuzz(func(t *testing.T, data []byte, bits uint8) {
		width := int(bits % 33)
		values := make([]uint32, len(data))
		for i, b := range data {
			values[i] = uint32(uint64(b) * 0x01010101 & (1<<width - 1))
		}
		checkHybrid(t, values, width)
	})
}
