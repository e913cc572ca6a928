package parquet

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A Codec is how pages are compressed.
type Codec uint8

// The codecs.
const (
	Zstd Codec = iota + 1
	Snappy
)

// id is the codec's number in Parquet.
func (c Codec) id() int {
	switch c {
	case Zstd:
		return 6
	case Snappy:
		return 1
	}
	panic("parquet: a codec of no kind")
}

// A compressor compresses pages. It keeps its tables from page to page.
type compressor struct {
	codec  Codec
	zstd   *zstd.Encoder
	sample []byte // reused
}

// sampleBytes are taken from the middle of a page of dense numbers to see whether it
// is worth compressing.
const sampleBytes = 4 << 10

// compressDense is compress for a page of numbers that have been packed into as few
// bits as they need. Amounts, and the numbers of goods, are then mostly as good as random: where a sample does
// not shrink by a sixteenth, they are stored, in a fifth of the time that looking for
// repetitions takes (BenchmarkDense).
func (c *compressor) compressDense(dst, src []byte) []byte {
	if c.codec != Zstd || len(src) < 2*sampleBytes {
		return c.compress(dst, src)
	}
	from := (len(src) - sampleBytes) / 2
	c.sample = c.compress(c.sample[:0], src[from:from+sampleBytes])
	if len(c.sample) < sampleBytes-sampleBytes/16 {
		return c.compress(dst, src)
	}
	return appendStored(dst, src)
}

// appendStored appends src as a Zstandard frame of blocks that are stored as they are
// (RFC 8878, 3.1.1): one segment, its size in four bytes, no checksum.
func appendStored(dst, src []byte) []byte {
	const (
		magic       = 0xFD2FB528
		segmentSize = 1<<7 | 1<<5 // the flags: four bytes of size, a single segment
		blockBytes  = 128 << 10
	)
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	dst = append(dst, segmentSize)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)))
	for {
		n := min(len(src), blockBytes)
		head := uint32(n) << 3 // a raw block
		if n == len(src) {
			head |= 1 // the last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, src[:n]...)
		if src = src[n:]; len(src) == 0 {
			return dst
		}
	}
}

// compress appends src, compressed, to dst.
func (c *compressor) compress(dst, src []byte) []byte {
	if c.codec == Snappy {
		n := s2.MaxEncodedLen(len(src))
		dst = slices.Grow(dst, n)
		out := s2.EncodeSnappy(dst[len(dst):len(dst)+n], src)
		return dst[:len(dst)+len(out)]
	}
	if c.zstd == nil {
		// The options are constant and right, so that there is no error. Zero
		// frames: a page without values is a frame as well.
		c.zstd, _ = zstd.NewWriter(nil,
			zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithAllLitEntropyCompression(true), zstd.WithZeroFrames(true), zstd.WithWindowSize(windowBytes))
	}
	return c.zstd.EncodeAll(src, dst)
}

// windowBytes is how far back Zstandard looks: no page is much longer.
const windowBytes = 1 << 20
