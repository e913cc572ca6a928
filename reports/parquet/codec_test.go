package parquet

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestDense: whatever a page of numbers holds, it comes out as it went in, and one
// that does not shrink is no longer than it was by more than its frame.
func TestDense(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	reader, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c := compressor{codec: Zstd}
	for _, n := range []int{0, 1, sampleBytes, 2*sampleBytes - 1, 2 * sampleBytes, 128 << 10, 128<<10 + 1, 300_000, 1 << 20} {
		for _, bits := range []int{0, 1, 4, 7, 8} { // that are random of each byte
			src := make([]byte, n)
			for i := range src {
				src[i] = byte(rng.Uint32() & (1<<bits - 1))
			}
			packed := c.compressDense(nil, src)
			got, err := reader.DecodeAll(packed, nil)
			if err != nil || !bytes.Equal(got, src) {
				t.Errorf("%d bytes, %d bits: not what went in: %v", n, bits, err)
			}
			if limit := n + n/1000 + 32; len(packed) > limit {
				t.Errorf("%d bytes, %d bits: packed to %d", n, bits, len(packed))
			}
			if plain := c.compress(nil, src); bits < 7 && !bytes.Equal(packed, plain) {
				t.Errorf("%d bytes, %d bits: %d bytes, compressed as any page %d", n, bits, len(packed), len(plain))
			}
		}
	}
}

// BenchmarkDense compresses a page of amounts as they are, and sampled before.
func BenchmarkDense(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	amounts := make([]int64, 15_600) // of a part of a day
	for i := range amounts {
		amounts[i] = int64(rng.ExpFloat64() * 6_000)
	}
	page := appendDeltas(nil, amounts)
	c := compressor{codec: Zstd}
	for _, bench := range []struct {
		name     string
		compress func(dst, src []byte) []byte
	}{{"whole", c.compress}, {"sampled", c.compressDense}} {
		b.Run(bench.name, func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				dst = bench.compress(dst[:0], page)
			}
			b.ReportMetric(float64(len(dst))/float64(len(page)), "ratio")
		})
	}
}
