package parquet

import (
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
	codec Codec
	zstd  *zstd.Encoder
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
