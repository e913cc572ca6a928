package reports

import (
	"sync"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// zstdCodec is the Parquet library's Zstandard codec with encoders that are used
// again: the library makes a new one, of some 13 MB, for every page.
type zstdCodec struct{ compress.Codec }

var zstdEncoders = sync.Pool{New: func() any {
	// The options are constant and right, so that there is no error.
	enc, _ := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithZeroFrames(true))
	return enc
}}

// Encode compresses a page.
func (zstdCodec) Encode(dst, src []byte) []byte {
	enc := zstdEncoders.Get().(*zstd.Encoder)
	defer zstdEncoders.Put(enc)
	return enc.EncodeAll(src, dst[:0])
}

// EncodeLevel compresses a page; there is one level.
func (c zstdCodec) EncodeLevel(dst, src []byte, _ int) []byte { return c.Encode(dst, src) }

func init() {
	codec, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		panic("reports: " + err.Error())
	}
	compress.RegisterCodec(compress.Codecs.Zstd, zstdCodec{codec})
}
