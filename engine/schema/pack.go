package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// A Packer packs rows of one table into few bytes, without a pointer in them, and
// unpacks them again. What it keeps is a fifth or less of what the columns take:
//
//   - A column of one value is that value.
//   - Numbers, words, times and places are their distance to the smallest, in as few
//     whole bytes as the largest needs; 0 stands for Null where a column has both.
//   - Texts lose the prefix that all share. Numbers of trades and orders are then
//     digits of one length, and become numbers, 16 digits each.
//
// The bytes are for the process that wrote them: they carry no version. Unpack
// takes whatever they hold without a panic.
type Packer struct {
	rows     Rows
	columns  []column
	constant []bool      // by column: all rows of the table have the value of the first
	digits   []digitText // by column
	values   []int64
	picked   [][]byte
}

// NewPacker gives the packer of a table. It stays the table's when rows come
// and go.
func NewPacker(r Rows) *Packer {
	columns := r.columns()
	return &Packer{rows: r, columns: columns, constant: make([]bool, len(columns)), digits: make([]digitText, len(columns))}
}

// Size is the number of bytes that the table's values take.
func (p *Packer) Size() int64 { return size(p.columns) }

// Reset empties the table and keeps its memory.
func (p *Packer) Reset() { reset(p.columns) }

// Scan looks for the columns that have one value in all rows of the table, and
// for texts that are digits after a prefix, whose numbers it reads while they lie
// in a row: Pack goes to rows here and there, and what it need not touch is not
// fetched from memory. It must be called before Pack when the table has changed.
func (p *Packer) Scan() {
	for k, c := range p.columns {
		switch data := c.data.(type) {
		case *[]int64:
			p.constant[k] = allEqual(*data)
		case *[]int32:
			p.constant[k] = allEqual(*data)
		case *[]uint32:
			p.constant[k] = allEqual(*data)
		case *[]uint8:
			p.constant[k] = allEqual(*data)
		case *Text:
			p.constant[k] = len(data.Offsets) == 0 || data.Offsets[0] == data.Offsets[len(data.Offsets)-1]
			p.digits[k].known = !p.constant[k] && p.digits[k].read(data)
		}
	}
}

func allEqual[T comparable](values []T) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// slack follows packed columns, so that eight bytes can be read wherever a value
// begins.
const slack = 8

// maxPacked bounds what damaged bytes can make Unpack believe.
const maxPacked = 1 << 27

// Pack appends the given rows of the table, packed.
func (p *Packer) Pack(dst []byte, rows []int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	if len(rows) == 0 {
		return dst
	}
	for k, c := range p.columns {
		switch data := c.data.(type) {
		case *[]int64:
			dst = packInts(p, dst, k, *data, rows)
		case *[]int32:
			dst = packInts(p, dst, k, *data, rows)
		case *[]uint32:
			dst = packInts(p, dst, k, *data, rows)
		case *[]uint8:
			dst = packInts(p, dst, k, *data, rows)
		case *Text:
			switch {
			case p.constant[k]:
				dst = append(dst, blankTexts)
			case p.digits[k].known:
				dst = p.packKnown(dst, &p.digits[k], rows)
			default:
				dst = p.packTexts(dst, data, rows)
			}
		}
	}
	return append(dst, make([]byte, slack)...)
}

// Unpack appends packed rows to the table. It gives what follows them.
func (p *Packer) Unpack(src []byte) ([]byte, error) {
	u := unpacker{src: src}
	n := u.count(maxPacked)
	if n == 0 {
		return u.src, u.err
	}
	for _, c := range p.columns {
		switch data := c.data.(type) {
		case *[]int64:
			*data = unpackInts(&u, *data, n)
		case *[]int32:
			*data = unpackInts(&u, *data, n)
		case *[]uint32:
			*data = unpackInts(&u, *data, n)
		case *[]uint8:
			*data = unpackInts(&u, *data, n)
		case *Text:
			u.texts(data, n)
		}
		if u.err != nil {
			return nil, fmt.Errorf("schema: packed column %s: %w", c.name, u.err)
		}
	}
	u.take(slack)
	return u.src, u.err
}

var errPacked = errors.New("damaged")

// An unpacker reads packed bytes; the first error stays.
type unpacker struct {
	src []byte
	err error
}

func (u *unpacker) fail() { u.src, u.err = nil, errPacked }

func (u *unpacker) take(n int) []byte {
	if n < 0 || n > len(u.src) {
		u.fail()
		return nil
	}
	taken := u.src[:n]
	u.src = u.src[n:]
	return taken
}

func (u *unpacker) byte() byte {
	if b := u.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// count reads a number of 0 to limit.
func (u *unpacker) count(limit int) int {
	v, n := binary.Uvarint(u.src)
	if n <= 0 || v > uint64(limit) {
		u.fail()
		return 0
	}
	u.src = u.src[n:]
	return int(v)
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.src)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.src = u.src[n:]
	return v
}

// A packed column of numbers begins with a byte: the width of each in bytes, 0
// for one value in all rows, and whether 0 stands for Null. The smallest follows.
const (
	widthMask = 0x0f
	hasNull   = 0x10
)

type whole interface{ int64 | int32 | uint32 | uint8 }

func packInts[T whole](p *Packer, dst []byte, column int, from []T, rows []int32) []byte {
	if p.constant[column] {
		return binary.AppendVarint(append(dst, 0), int64(from[0]))
	}
	return packRows(p, dst, from, rows)
}

// packRows appends the given rows of a column of numbers.
func packRows[T whole](p *Packer, dst []byte, from []T, rows []int32) []byte {
	values := p.scratch(len(rows))
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for i, row := range rows {
		v := int64(from[row])
		values[i] = v
		low, high = min(low, v), max(high, v)
	}
	return packValues(dst, values, low, high)
}

// scratch is room for n numbers, reused.
func (p *Packer) scratch(n int) []int64 {
	if cap(p.values) < n {
		p.values = make([]int64, n+n/2)
	}
	return p.values[:n]
}

// packValues appends a packed column of numbers, of which low is the smallest and
// high the largest.
func packValues(dst []byte, values []int64, low, high int64) []byte {
	if low == high {
		return binary.AppendVarint(append(dst, 0), low)
	}
	nulls := low == Null
	if nulls {
		low = math.MaxInt64
		for _, v := range values {
			if v != Null {
				low = min(low, v)
			}
		}
	}
	span := uint64(high) - uint64(low)
	first := uint64(low) // what 0 stands for
	head := byte(0)
	if nulls {
		first--
		span++
		head = hasNull
	}
	width := (bits.Len64(span) + 7) / 8
	if width >= 8 { // as they are, Null among them
		first, head, width = 0, 0, 8
	}
	dst = binary.AppendVarint(append(dst, head|byte(width)), int64(first))
	at := len(dst)
	dst = grown(dst, width*len(values), slack)
	if head == hasNull {
		for _, v := range values {
			x := uint64(0)
			if v != Null {
				x = uint64(v) - first
			}
			binary.LittleEndian.PutUint64(dst[at:at+8], x)
			at += width
		}
		return dst[:at]
	}
	for _, v := range values {
		binary.LittleEndian.PutUint64(dst[at:at+8], uint64(v)-first)
		at += width
	}
	return dst[:at]
}

// grown makes dst n bytes longer, with room for more beyond them that may be
// written to.
func grown(dst []byte, n, more int) []byte {
	need := len(dst) + n + more
	if cap(dst) < need {
		dst = append(make([]byte, 0, need+need/2), dst...)
	}
	return dst[:need]
}

// A numbers is the head of a packed column of numbers: value i is first plus the
// number in the bytes from i*width on.
type numbers struct {
	data  []byte // with slack
	first uint64
	width int
	mask  uint64
	nulls bool
}

func (u *unpacker) numbers(n int) numbers {
	head := u.byte()
	v := numbers{first: uint64(u.varint()), width: int(head & widthMask), nulls: head&hasNull != 0}
	if v.width > 8 || len(u.src) < n*v.width+slack {
		u.fail()
		return numbers{}
	}
	v.data = u.src[:n*v.width+slack]
	v.mask = uint64(1)<<(8*v.width) - 1 // all bits of width 8
	u.src = u.src[n*v.width:]
	return v
}

func (v *numbers) at(i int) int64 {
	x := binary.LittleEndian.Uint64(v.data[i*v.width:]) & v.mask
	if x == 0 && v.nulls {
		return Null
	}
	return int64(x + v.first)
}

func unpackInts[T whole](u *unpacker, dst []T, n int) []T {
	v := u.numbers(n)
	if u.err != nil {
		return dst
	}
	from := len(dst)
	dst = lengthened(dst, n)
	to := dst[from:]
	switch {
	case v.width == 0:
		one := T(v.first)
		for i := range to {
			to[i] = one
		}
	case v.nulls:
		for i := range to {
			to[i] = T(v.at(i))
		}
	default:
		at := 0
		for i := range to {
			to[i] = T(binary.LittleEndian.Uint64(v.data[at:])&v.mask + v.first)
			at += v.width
		}
	}
	return dst
}

// lengthened makes a slice n values longer; what they hold is undefined.
func lengthened[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		s = append(make([]T, 0, max(2*cap(s), len(s)+n)), s...)
	}
	return s[:len(s)+n]
}

// A packed column of texts begins with a byte.
const (
	blankTexts   = iota // all are blank
	digitTexts          // the shared prefix, the number of digits that follow it in each, columns of numbers
	rawTexts            // the shared prefix, a column of lengths beyond it plus 1, the bytes
	digitsAtOnce = 16
	maxDigits    = 8 * digitsAtOnce
)

func (p *Packer) packTexts(dst []byte, from *Text, rows []int32) []byte {
	p.picked = p.picked[:0]
	var prefix []byte
	length, given, even := 0, 0, true
	for _, row := range rows {
		value := from.At(int(row))
		p.picked = append(p.picked, value)
		if len(value) == 0 {
			continue
		}
		if given++; given == 1 {
			prefix, length = value, len(value)
			continue
		}
		even = even && len(value) == length
		if len(value) < len(prefix) || string(value[:len(prefix)]) != string(prefix) {
			prefix = prefix[:sharedPrefix(prefix, value)]
		}
	}
	if given == 0 {
		return append(dst, blankTexts)
	}
	if even && length-len(prefix) <= maxDigits {
		if packed, ok := p.packDigits(dst, prefix, length-len(prefix)); ok {
			return packed
		}
	}
	dst = append(dst, rawTexts)
	dst = binary.AppendUvarint(dst, uint64(len(prefix)))
	dst = append(dst, prefix...)
	values := p.scratch(len(rows))
	low, high := int64(math.MaxInt64), int64(0)
	for i, value := range p.picked {
		values[i] = 0
		if len(value) > 0 {
			values[i] = int64(len(value) - len(prefix) + 1)
		}
		low, high = min(low, values[i]), max(high, values[i])
	}
	dst = packValues(dst, values, low, high)
	for _, value := range p.picked {
		if len(value) > 0 {
			dst = append(dst, value[len(prefix):]...)
		}
	}
	return dst
}

// A digitText is a whole column of texts that are digits after a prefix.
type digitText struct {
	known   bool
	prefix  []byte
	count   int     // of digits, at most digitsAtOnce
	numbers []int64 // by row, Null for a blank
}

// read reads the column if it is one, and tells.
func (d *digitText) read(from *Text) bool {
	var prefix []byte
	length := 0
	for row := range from.Len() {
		value := from.At(row)
		switch {
		case len(value) == 0:
		case length == 0:
			prefix, length = value, len(value)
		case len(value) != length:
			return false
		case string(value[:len(prefix)]) != string(prefix):
			prefix = prefix[:sharedPrefix(prefix, value)]
			if length-len(prefix) > digitsAtOnce {
				return false
			}
		}
	}
	d.prefix, d.count = append(d.prefix[:0], prefix...), length-len(prefix)
	d.numbers = d.numbers[:0]
	for row := range from.Len() {
		number := int64(Null)
		if value := from.At(row); len(value) > 0 {
			v, ok := digitsValue(value, len(prefix), length)
			if !ok {
				return false
			}
			number = int64(v)
		}
		d.numbers = append(d.numbers, number)
	}
	return true
}

// packKnown packs rows of a column of digits: as packDigits does with their texts.
func (p *Packer) packKnown(dst []byte, d *digitText, rows []int32) []byte {
	dst = append(dst, digitTexts)
	dst = binary.AppendUvarint(dst, uint64(len(d.prefix)))
	dst = append(dst, d.prefix...)
	dst = binary.AppendUvarint(dst, uint64(d.count))
	return packRows(p, dst, d.numbers, rows)
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// packDigits is false if there is something else than digits.
func (p *Packer) packDigits(dst, prefix []byte, count int) ([]byte, bool) {
	dst = append(dst, digitTexts)
	dst = binary.AppendUvarint(dst, uint64(len(prefix)))
	dst = append(dst, prefix...)
	dst = binary.AppendUvarint(dst, uint64(count))
	values := p.scratch(len(p.picked))
	for from := 0; from == 0 || from < count; from += digitsAtOnce {
		to := min(from+digitsAtOnce, count)
		low, high := int64(math.MaxInt64), int64(math.MinInt64)
		for i, value := range p.picked {
			v := int64(Null)
			if len(value) > 0 {
				number, ok := digitsValue(value, len(prefix)+from, len(prefix)+to)
				if !ok {
					return nil, false
				}
				v = int64(number)
			}
			values[i] = v
			low, high = min(low, v), max(high, v)
		}
		dst = packValues(dst, values, low, high)
	}
	return dst, true
}

func (u *unpacker) texts(to *Text, n int) {
	if len(to.Offsets) == 0 {
		to.Offsets = append(to.Offsets, 0)
	}
	kind := u.byte()
	if kind == blankTexts {
		end := to.Offsets[len(to.Offsets)-1]
		for range n {
			to.Offsets = append(to.Offsets, end)
		}
		return
	}
	prefix := u.take(u.count(len(u.src)))
	switch {
	case u.err != nil:
	case kind == digitTexts:
		u.digits(to, n, prefix)
	case kind == rawTexts:
		u.raw(to, n, prefix)
	default:
		u.fail()
	}
}

func (u *unpacker) raw(to *Text, n int, prefix []byte) {
	lengths := u.numbers(n)
	if u.err != nil {
		return
	}
	for i := range n {
		length := lengths.at(i)
		if length == 0 {
			to.Offsets = append(to.Offsets, int32(len(to.Data)))
			continue
		}
		if length < 0 || length > int64(len(u.src))+1 {
			u.fail()
			return
		}
		to.Data = append(to.Data, prefix...)
		to.Data = append(to.Data, u.take(int(length-1))...)
		to.Offsets = append(to.Offsets, int32(len(to.Data)))
	}
}

func (u *unpacker) digits(to *Text, n int, prefix []byte) {
	count := u.count(maxDigits)
	var columns [maxDigits / digitsAtOnce]numbers
	parts := max((count+digitsAtOnce-1)/digitsAtOnce, 1)
	for k := range parts {
		columns[k] = u.numbers(n)
	}
	if u.err != nil {
		return
	}
	for i := range n {
		value := columns[0].at(i)
		if value != Null {
			to.Data = append(to.Data, prefix...)
			at := len(to.Data)
			to.Data = lengthened(to.Data, count)
			for k := range parts {
				if k > 0 {
					value = columns[k].at(i)
				}
				putDigits(to.Data[at+k*digitsAtOnce:at+min((k+1)*digitsAtOnce, count)], uint64(value))
			}
		}
		to.Offsets = append(to.Offsets, int32(len(to.Data)))
	}
}
