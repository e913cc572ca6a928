package parquet

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Delta-encoded numbers come in blocks of four times 32.
const (
	blockValues = 128
	miniValues  = 32
	minis       = blockValues / miniValues
)

// appendDeltas appends numbers as DELTA_BINARY_PACKED has them: each is its
// distance from the one before, less the least distance of the block, in as many
// bits as the largest of 32 such needs. What overflows wraps around, here as
// there.
func appendDeltas(dst []byte, values []int64) []byte {
	dst = binary.AppendUvarint(dst, blockValues)
	dst = binary.AppendUvarint(dst, minis)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return append(dst, 0)
	}
	last := values[0]
	dst = appendZigzag(dst, last)
	for values = values[1:]; len(values) > 0; {
		n := min(len(values), blockValues)
		dst = appendBlock(dst, last, values[:n])
		last = values[n-1]
		values = values[n:]
	}
	return dst
}

// appendBlock appends the block of one to 128 values that follow last.
func appendBlock(dst []byte, last int64, values []int64) []byte {
	var deltas [blockValues]int64
	first := values[0] - last
	least, differ := first, uint64(0)
	for i, v := range values {
		d := v - last
		last = v
		deltas[i] = d
		least = min(least, d)
		differ |= uint64(d ^ first)
	}
	for i := len(values); i < blockValues; i++ {
		deltas[i] = least
	}
	dst = appendZigzag(dst, least)
	widths := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if differ == 0 {
		return dst // nothing but the same distance: no bits
	}
	dst = slices.Grow(dst, 8*blockValues+8)
	for m := 0; m*miniValues < len(values); m++ {
		mini := (*[miniValues]int64)(deltas[m*miniValues:])
		var any uint64
		for i := range mini {
			mini[i] -= least
			any |= uint64(mini[i])
		}
		width := bits.Len64(any)
		dst[widths+m] = byte(width)
		dst = pack32(dst, mini, uint(width))
	}
	return dst
}

// pack32 packs 32 values of so many bits. There is room for 8 bytes more than it
// appends.
func pack32(dst []byte, v *[miniValues]int64, width uint) []byte {
	at := len(dst)
	out := dst[at : at+4*int(width)+8]
	var acc uint64
	var n uint
	for _, value := range v {
		acc |= uint64(value) << (n & 63)
		if n += width; n >= 64 {
			binary.LittleEndian.PutUint64(out, acc)
			out = out[8:]
			n -= 64
			acc = uint64(value) >> (width - n) // 0 of a shift by 64
		}
	}
	binary.LittleEndian.PutUint64(out, acc)
	return dst[:at+4*int(width)]
}

// A front is texts front-coded, as DELTA_BYTE_ARRAY has them: what each shares
// with the one before is not repeated. It is reused.
type front struct {
	shared []int64 // bytes of the text before that this one begins with
	added  []int64 // bytes that follow
	bytes  []byte  // those that follow, of all texts
}

func (f *front) reset() {
	f.shared, f.added, f.bytes = f.shared[:0], f.added[:0], f.bytes[:0]
}

// add adds a text, of which so many bytes are at the beginning of the one before.
func (f *front) add(shared int, rest []byte) {
	f.shared = append(f.shared, int64(shared))
	f.added = append(f.added, int64(len(rest)))
	f.bytes = append(f.bytes, rest...)
}

// addPacked is add for at most eight bytes, which are those of a number from its
// lowest: they are copied at once, whatever their number.
func (f *front) addPacked(shared int, rest uint64, n int) {
	f.shared = append(f.shared, int64(shared))
	f.added = append(f.added, int64(n))
	at := len(f.bytes)
	if cap(f.bytes)-at < 8 {
		f.bytes = slices.Grow(f.bytes, max(8, at/2))
	}
	binary.LittleEndian.PutUint64(f.bytes[at:at+8], rest)
	f.bytes = f.bytes[:at+n]
}

// append appends the texts.
func (f *front) append(dst []byte) []byte {
	dst = appendDeltas(dst, f.shared)
	dst = appendDeltas(dst, f.added)
	return append(dst, f.bytes...)
}

// common is how many bytes a and b have in common at their beginning.
func common[T []byte | string](a, b T) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// commonWide is common, eight bytes at a time.
func commonWide(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	return i + common(a[i:n], b[i:n])
}
