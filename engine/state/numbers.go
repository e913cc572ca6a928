package state

import (
	"encoding/binary"
	"math"
	"math/bits"

	"duizhang/engine/schema"
)

// A column of numbers begins with a byte that says how it is packed.
const (
	constantNumbers = iota + 1 // varint: all have this value
	packedNumbers              // width, varint smallest; the distances to it, width bits each
	sparseNumbers              // varint most have; a bit for each row: 1 has another, which follow as a column
)

// numbers appends a packed column.
func (p *packer) numbers(dst []byte, values []int64) []byte {
	if len(values) == 0 {
		return binary.AppendVarint(append(dst, constantNumbers), 0)
	}
	common, same := mostCommon(values)
	if same == len(values) {
		return binary.AppendVarint(append(dst, constantNumbers), common)
	}
	if same > len(values)/2 {
		_, width, _ := frame(values)
		p.rest = p.rest[:0]
		for _, v := range values {
			if v != common {
				p.rest = append(p.rest, v)
			}
		}
		_, narrow, _ := frame(p.rest)
		if len(values)+len(p.rest)*narrow < len(values)*width {
			dst = binary.AppendVarint(append(dst, sparseNumbers), common)
			at := len(dst)
			dst = append(dst, make([]byte, (len(values)+7)/8)...)
			for i, v := range values {
				if v != common {
					dst[at+i/8] |= 1 << (i % 8)
				}
			}
			return appendFrame(dst, p.rest)
		}
	}
	return appendFrame(dst, values)
}

// appendFrame appends a column that is packed whatever it holds.
func appendFrame(dst []byte, values []int64) []byte {
	first, width, nulls := frame(values)
	head := byte(width)
	if nulls {
		head |= nullFlag
	}
	dst = binary.AppendVarint(append(dst, packedNumbers, head), first)
	at := len(dst)
	dst = append(dst, make([]byte, (len(values)*width+7)/8+slack)...)
	if width == 0 {
		return dst
	}
	bit := 0
	for _, v := range values {
		x := uint64(v) - uint64(first)
		if nulls && v == schema.Null {
			x = 0
		}
		to := dst[at+bit/8:]
		shift := bit % 8
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(to)|x<<shift)
		if shift+width > 64 {
			to[8] |= byte(x >> (64 - shift))
		}
		bit += width
	}
	return dst
}

// mostCommon finds a value that more than half have, if there is one, and says how
// many have what it found.
func mostCommon(values []int64) (common int64, count int) {
	lead := 0
	for _, v := range values {
		switch {
		case lead == 0:
			common, lead = v, 1
		case v == common:
			lead++
		default:
			lead--
		}
	}
	for _, v := range values {
		if v == common {
			count++
		}
	}
	return common, count
}

// frame finds what 0 stands for, the bits that the largest distance from it takes,
// and whether 0 is Null.
func frame(values []int64) (first int64, width int, nulls bool) {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range values {
		if v == schema.Null {
			nulls = true
			continue
		}
		low, high = min(low, v), max(high, v)
	}
	if low > high { // all are Null
		return 0, 0, true
	}
	if nulls {
		low-- // Null is 0; it wraps only where the width is 64 anyhow
	}
	span := uint64(high) - uint64(low)
	if width = bits.Len64(span); width == intWidth {
		return 0, intWidth, false // as they are, Null among them
	}
	return low, width, nulls
}

// slack follows packed numbers, so that nine bytes can be read wherever one begins.
const slack = 8

// numbers is a column of numbers that is read.
type numbers struct {
	kind   byte
	common int64  // that all have, or most
	others []byte // of sparse numbers, a bit for each row
	packed packed
}

// packed are numbers of one width.
type packed struct {
	data  []byte
	first int64
	width int
	mask  uint64
	nulls bool
}

// open reads the head of a column; it borrows the bytes.
func (v *numbers) open(src []byte, rows int) error {
	r := reader{src: src}
	*v = numbers{kind: r.byte()}
	switch v.kind {
	case constantNumbers:
		v.common = r.varint()
	case packedNumbers:
		v.packed.open(&r, rows)
	case sparseNumbers:
		v.common = r.varint()
		v.others = r.take((rows + 7) / 8)
		count := 0
		for _, b := range v.others {
			count += bits.OnesCount8(b)
		}
		if r.byte() != packedNumbers || count > rows {
			r.fail()
		}
		v.packed.open(&r, count)
	default:
		r.fail()
	}
	if r.err == nil && len(r.src) != 0 {
		r.fail()
	}
	return r.err
}

func (v *packed) open(r *reader, rows int) {
	head := r.byte()
	v.nulls = head&nullFlag != 0
	v.width = int(head & widthBit)
	if v.width > intWidth {
		r.fail()
	}
	v.first = r.varint()
	v.mask = 1<<v.width - 1 // all bits of width 64
	v.data = r.take((rows*v.width+7)/8 + slack)
}

func (v *packed) at(i int) int64 {
	bit := i * v.width
	from := v.data[bit/8:]
	shift := bit % 8
	x := binary.LittleEndian.Uint64(from) >> shift
	if shift+v.width > 64 {
		x |= uint64(from[8]) << (64 - shift)
	}
	x &= v.mask
	if x == 0 && v.nulls {
		return schema.Null
	}
	return int64(x + uint64(v.first))
}

// at is the number of row i.
func (v *numbers) at(i int) int64 {
	switch v.kind {
	case packedNumbers:
		return v.packed.at(i)
	case sparseNumbers:
		if v.others[i/8]&(1<<(i%8)) == 0 {
			return v.common
		}
		return v.packed.at(v.rank(i))
	}
	return v.common
}

// rank is the number of rows before i that have another value than most.
func (v *numbers) rank(i int) int {
	n := bits.OnesCount8(v.others[i/8] & (1<<(i%8) - 1))
	for _, b := range v.others[:i/8] {
		n += bits.OnesCount8(b)
	}
	return n
}

// appendTo appends the numbers of all rows.
func (v *numbers) appendTo(dst []int64, rows int) []int64 {
	switch v.kind {
	case packedNumbers:
		for i := range rows {
			dst = append(dst, v.packed.at(i))
		}
	case sparseNumbers:
		k := 0
		for i := range rows {
			x := v.common
			if v.others[i/8]&(1<<(i%8)) != 0 {
				x = v.packed.at(k)
				k++
			}
			dst = append(dst, x)
		}
	default:
		for range rows {
			dst = append(dst, v.common)
		}
	}
	return dst
}
