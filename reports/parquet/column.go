package parquet

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strconv"
)

// Null in a column of integers is no value.
const Null = math.MinInt64

// An Int128 is a number of two's complement.
type Int128 struct {
	High int64
	Low  uint64
}

// Ints writes a column of integers, decimals (in units of their last digit) or
// timestamps. The values are borrowed.
func (w *Writer) Ints(values []int64) {
	field, k := w.next(len(values), Int, Decimal, Timestamp)
	kind, size := field.physical()
	if field.Range && kind != physicalFixed {
		k.rangeOf(values, kind)
	}
	// Few values, as amounts that are mostly 0, rates and quantities are, take the
	// fewest bits by number. Looking for that costs little: it ends as soon as
	// there are more.
	limit := len(values) / 8
	if kind == physicalFixed {
		limit = len(values) / 4 // the other way is the longer one
	}
	indices, few := w.distinct.index(w.indices[:0], values, limit)
	w.indices = indices
	if few && len(w.distinct.values) > 0 {
		w.body = w.body[:0]
		for _, v := range w.distinct.values {
			w.body = appendInt(w.body, v, kind, size)
		}
		w.dictionary(k, indices, len(w.distinct.values))
		return
	}
	for len(values) > 0 {
		rows := min(len(values), pageRows)
		present := w.presentOf(k, values[:rows])
		e := encodingDeltas
		switch {
		case kind == physicalFixed || len(present) == 0:
			e = encodingPlain
			for _, v := range present {
				w.body = appendInt(w.body, v, kind, size)
			}
		default:
			w.body = appendDeltas(w.body, present)
		}
		w.endPage(k, pageData, rows, e)
		values = values[rows:]
	}
}

// presentOf begins a page with the levels of values, and gives those that are
// not null: values itself if none is.
func (w *Writer) presentOf(k *chunk, values []int64) []int64 {
	nulls := 0
	for _, v := range values {
		if v == Null {
			nulls++
		}
	}
	if nulls == 0 {
		w.levels(k, len(values), 0, nil)
		return values
	}
	w.bitmap = cleared(w.bitmap, len(values))
	w.present = grown(w.present, len(values))
	n := 0
	for i, v := range values {
		bit := 0
		if v != Null {
			bit = 1
		}
		w.bitmap[i/8] |= byte(bit << (i % 8))
		w.present[n] = v
		n += bit
	}
	w.levels(k, len(values), nulls, w.bitmap)
	return w.present[:n]
}

// appendInt appends a value as it is stored.
func appendInt(dst []byte, v int64, kind physical, size int) []byte {
	switch kind {
	case physicalInt32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	case physicalInt64:
		return binary.LittleEndian.AppendUint64(dst, uint64(v))
	case physicalFixed:
		for range size - 8 {
			dst = append(dst, byte(v>>63))
		}
		return binary.BigEndian.AppendUint64(dst, uint64(v))
	case physicalBool, physicalBytes:
	}
	panic("parquet: an integer that is none")
}

// rangeOf finds the least and the greatest value.
func (k *chunk) rangeOf(values []int64, kind physical) {
	low, high := int64(math.MaxInt64), int64(Null)
	for _, v := range values {
		high = max(high, v)
		if v != Null {
			low = min(low, v)
		}
	}
	if high == Null {
		return
	}
	k.ranged = true
	k.low, k.high = appendInt(k.low[:0], low, kind, 0), appendInt(k.high[:0], high, kind, 0)
}

// Wide writes a column of decimals that may be beyond 64 bits. None says which
// are null; it is nil if none is.
func (w *Writer) Wide(values []Int128, none []bool) {
	field, k := w.next(len(values), Decimal)
	kind, size := field.physical()
	for len(values) > 0 {
		rows := min(len(values), pageRows)
		w.bitmap = cleared(w.bitmap, rows)
		nulls := 0
		for i := range rows {
			if none != nil && none[i] {
				nulls++
				continue
			}
			w.bitmap[i/8] |= 1 << (i % 8)
		}
		w.levels(k, rows, nulls, w.bitmap)
		for i, v := range values[:rows] {
			if none != nil && none[i] {
				continue
			}
			if kind != physicalFixed {
				w.body = appendInt(w.body, int64(v.Low), kind, size)
				continue
			}
			for shift := 8 * (size - 9); shift >= 0; shift -= 8 {
				w.body = append(w.body, byte(v.High>>shift))
			}
			w.body = binary.BigEndian.AppendUint64(w.body, v.Low)
		}
		w.endPage(k, pageData, rows, encodingPlain)
		values = values[rows:]
		if none != nil {
			none = none[rows:]
		}
	}
}

// Bools writes a column of booleans, 0 or 1, without nulls.
func (w *Writer) Bools(values []uint8) {
	_, k := w.next(len(values), Bool)
	for len(values) > 0 {
		rows := min(len(values), pageRows)
		w.levels(k, rows, 0, nil)
		at := len(w.body)
		w.body = slices.Grow(w.body, rows/8+1)[:at+(rows+7)/8]
		clear(w.body[at:])
		for i, v := range values[:rows] {
			bit := byte(0)
			if v != 0 {
				bit = 1
			}
			w.body[at+i/8] |= bit << (i % 8)
		}
		w.endPage(k, pageData, rows, encodingPlain)
		values = values[rows:]
	}
}

// Words writes a column of words by their numbers: words[i] has number i, and -1
// is a null. The slices are borrowed.
func (w *Writer) Words(indices []int32, words []string) {
	_, k := w.next(len(indices), Word)
	if len(indices) == 0 {
		return
	}
	w.body = w.body[:0]
	for _, word := range words {
		w.body = binary.LittleEndian.AppendUint32(w.body, uint32(len(word)))
		w.body = append(w.body, word...)
	}
	w.dictionary(k, indices, len(words))
}

// dictionary writes the pages of a column with a dictionary of n values, which is
// the body.
func (w *Writer) dictionary(k *chunk, indices []int32, n int) {
	w.endPage(k, pageDictionary, n, encodingPlain)
	width := max(1, bits.Len(uint(max(n, 1)-1)))
	for len(indices) > 0 {
		rows := min(len(indices), pageRows)
		codes := w.codesOf(k, indices[:rows])
		w.body = append(w.body, byte(width))
		w.body = appendHybrid(w.body, codes, width)
		w.endPage(k, pageData, rows, encodingDictionary)
		indices = indices[rows:]
	}
}

// codesOf begins a page with the levels of indices, and gives those that are not
// null.
func (w *Writer) codesOf(k *chunk, indices []int32) []uint32 {
	w.codes = grown(w.codes, len(indices))
	any := int32(0)
	for i, index := range indices {
		w.codes[i] = uint32(index)
		any |= index
	}
	if any >= 0 {
		w.levels(k, len(indices), 0, nil)
		return w.codes
	}
	w.bitmap = cleared(w.bitmap, len(indices))
	n := 0
	for i, index := range indices {
		bit := int(^index >> 31 & 1)
		w.bitmap[i/8] |= byte(bit << (i % 8))
		w.codes[n] = uint32(index)
		n += bit
	}
	w.levels(k, len(indices), len(indices)-n, w.bitmap)
	return w.codes[:n]
}

// Text writes a column of texts: the bytes between offsets[i] and offsets[i+1] of
// data, which are UTF-8. Empty ones are nulls. The slices are borrowed.
func (w *Writer) Text(offsets []int32, data []byte) {
	rows := max(len(offsets)-1, 0)
	field, k := w.next(rows, Text)
	if rows > 0 && field.Range {
		k.rangeOfTexts(offsets, data)
	}
	for from := 0; from < rows; {
		to := textPage(offsets, from)
		w.bitmap = cleared(w.bitmap, to-from)
		w.front.reset()
		var last []byte
		start := offsets[from]
		for i, end := range offsets[from+1 : to+1] {
			if text := data[start:end]; len(text) > 0 {
				shared := commonWide(last, text)
				if n := len(text) - shared; n <= 8 && int(start)+shared+8 <= len(data) {
					w.front.addPacked(shared, binary.LittleEndian.Uint64(data[int(start)+shared:]), n)
				} else {
					w.front.add(shared, text[shared:])
				}
				w.bitmap[i/8] |= 1 << (i % 8)
				last = text
			}
			start = end
		}
		w.texts(k, to-from)
		from = to
	}
}

// textPage is the end of the page that begins at from.
func textPage(offsets []int32, from int) int {
	most := min(len(offsets)-1-from, pageRows)
	return from + max(1, sort.Search(most, func(n int) bool {
		return offsets[from+n+1]-offsets[from] > pageBytes
	}))
}

// texts writes a page of the texts in front.
func (w *Writer) texts(k *chunk, rows int) {
	n := len(w.front.added)
	w.levels(k, rows, rows-n, w.bitmap)
	e := encodingPlain
	if n > 0 {
		e = encodingFront
		w.body = w.front.append(w.body)
	}
	w.endPage(k, pageData, rows, e)
}

// maxRange is how long texts may be for a range.
const maxRange = 128

// rangeOfTexts finds the least and the greatest text, in the order of bytes.
func (k *chunk) rangeOfTexts(offsets []int32, data []byte) {
	var low, high []byte
	for i, end := range offsets[1:] {
		text := data[offsets[i]:end]
		if len(text) == 0 {
			continue
		}
		if low == nil || string(text) < string(low) {
			low = text
		}
		if string(text) > string(high) {
			high = text
		}
	}
	if low != nil && len(low) <= maxRange && len(high) <= maxRange {
		k.ranged = true
		k.low, k.high = append(k.low[:0], low...), append(k.high[:0], high...)
	}
}

// Places writes a column of texts of the form prefix and line: the prefix of
// files[i], which ends in a colon, and lines[i]. Line 0 is the file as a whole, a
// prefix without its colon; file -1 is a null. The slices are borrowed.
//
// A place is not rendered to find what it shares with the one before: within a
// file that is the prefix, and some digits.
func (w *Writer) Places(prefixes []string, files, lines []int32) {
	_, k := w.next(len(files), Text)
	for len(files) > 0 {
		rows := min(len(files), pageRows)
		w.bitmap = cleared(w.bitmap, rows)
		w.front.reset()
		var last placeAt
		for i, file := range files[:rows] {
			if file < 0 {
				continue
			}
			w.bitmap[i/8] |= 1 << (i % 8)
			at := placeAt{file: file + 1, line: lines[i]}
			at.digits, at.n = packDigits(at.line)
			if at.file == last.file && at.n > 0 && last.n > 0 {
				shared := min(bits.TrailingZeros64(at.digits^last.digits)/8, at.n) // 8 for equal ones
				w.front.addPacked(len(prefixes[file])+shared, at.digits>>(8*shared&63), at.n-shared)
			} else {
				before, place := last.place(prefixes), at.place(prefixes)
				w.front.addPlace(&before, &place)
			}
			last = at
		}
		w.texts(k, rows)
		files, lines = files[rows:], lines[rows:]
	}
}

// A placeAt is a place that is not rendered, but for its digits.
type placeAt struct {
	file   int32 // and 1, 0 for none
	line   int32
	digits uint64
	n      int // of the digits; 0 where the line has none, or too many
}

// place is the place's text.
func (p *placeAt) place(prefixes []string) (at place) {
	if p.file > 0 {
		at.set(prefixes[p.file-1], p.line)
	}
	return at
}

// packDigits gives the decimal digits of a line from 1 to 99,999,999 in the bytes of a
// number, the first in the lowest, and how many there are; n is 0 for any other line.
func packDigits(line int32) (digits uint64, n int) {
	if line <= 0 || line > 99_999_999 {
		return 0, 0
	}
	v := uint64(line)
	fours := v/1e4 | v%1e4<<32 // two numbers of four digits, in halves
	twos := fours * 10486 >> 20 & 0x7f_0000_007f
	twos |= (fours - 100*twos) << 16 // four numbers of two digits
	ones := twos * 103 >> 10 & 0x000f_000f_000f_000f
	ones |= (twos - 10*ones) << 8
	zeros := bits.TrailingZeros64(ones) / 8
	return (ones | 0x3030_3030_3030_3030) >> (8 * zeros & 63), 8 - zeros
}

// A place is a place's text in two parts.
type place struct {
	prefix string
	digits [10]byte
	n      int // of the digits
}

func (p *place) set(prefix string, line int32) {
	if line == 0 {
		p.prefix, p.n = prefix[:len(prefix)-1], 0
		return
	}
	p.prefix = prefix
	p.n = len(strconv.AppendInt(p.digits[:0], int64(line), 10))
}

// addPlace adds p, behind last.
func (f *front) addPlace(last, p *place) {
	digits := p.digits[:p.n]
	if last.prefix == p.prefix {
		shared := common(last.digits[:last.n], digits)
		f.add(len(p.prefix)+shared, digits[shared:])
		return
	}
	shared := common(last.prefix, p.prefix)
	f.add(shared, digits)
	f.bytes = append(f.bytes[:len(f.bytes)-p.n], p.prefix[shared:]...)
	f.bytes = append(f.bytes, digits...)
	f.added[len(f.added)-1] += int64(len(p.prefix) - shared)
}

// grown gives a slice of n values, of s's memory where it is enough. The values
// are whatever they were.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// cleared gives a bitmap of n zeros, of s's memory where it is enough.
func cleared(s []byte, n int) []byte {
	s = grown(s, (n+7)/8)
	clear(s)
	return s
}
