package state

import (
	"encoding/binary"
	"slices"

	"duizhang/engine/schema"
)

// A column of texts begins with a byte. Shaped texts are sorted by length, and what
// all texts of one length have in common is said once: a position that has the same
// character in all of them, and runs of positions that have digits in all, which
// are numbers. The serial numbers of a shop then take the bits that tell one from
// the next.
const (
	shapedTexts = iota + 1 // uvarint lengths; the length of each; a column: which length a row has; the shapes
	plainTexts             // a column of lengths; the bytes
)

// A part of a shape: a kind, how many characters it is long, and what follows.
const (
	samePart  = iota + 1 // the characters
	digitPart            // packed numbers, one a text
	anyPart              // the characters of each
)

// digitsAtOnce fit a number.
const digitsAtOnce = 18

// texts appends a packed column.
func (p *packer) texts(dst []byte, from *schema.Text, rows int) []byte {
	if rows == 0 {
		return append(dst, shapedTexts, 0)
	}
	lengths := make([]int, 0, maxTexts+1)
	p.values = p.values[:0]
	for i := range rows {
		n := len(from.At(i))
		at := slices.Index(lengths, n)
		if at < 0 && len(lengths) <= maxTexts {
			at = len(lengths)
			lengths = append(lengths, n)
		}
		p.values = append(p.values, int64(at))
	}
	if len(lengths) > maxTexts {
		return p.plainTexts(dst, from, rows)
	}
	dst = append(dst, shapedTexts, byte(len(lengths)))
	for _, n := range lengths {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	shapes := slices.Clone(p.values)
	at := len(dst)
	dst = p.numbers(dst, p.values)
	dst = prefixed(dst, at)
	for k, n := range lengths {
		at = len(dst)
		if n > 0 {
			dst = p.shape(dst, from, shapes, int64(k), n)
		}
		dst = prefixed(dst, at)
	}
	return dst
}

// prefixed puts the length of what was appended from at on before it.
func prefixed(dst []byte, at int) []byte {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(dst)-at))
	return slices.Insert(dst, at, head[:n]...)
}

func (p *packer) plainTexts(dst []byte, from *schema.Text, rows int) []byte {
	p.values = p.values[:0]
	for i := range rows {
		p.values = append(p.values, int64(len(from.At(i))))
	}
	dst = append(dst, plainTexts)
	at := len(dst)
	dst = p.numbers(dst, p.values)
	dst = prefixed(dst, at)
	for i := range rows {
		dst = append(dst, from.At(i)...)
	}
	return dst
}

// shape appends the texts of shape k, which are n long.
func (p *packer) shape(dst []byte, from *schema.Text, shapes []int64, k int64, n int) []byte {
	kinds := make([]byte, n)
	var first []byte
	for i, s := range shapes {
		if s != k {
			continue
		}
		text := from.At(i)
		if first == nil {
			first = text
			for at, c := range text {
				kinds[at] = samePart
				if c < '0' || c > '9' {
					kinds[at] |= 0x10 // not a digit in all
				}
			}
			continue
		}
		for at, c := range text {
			if c != first[at] {
				kinds[at] |= 0x20 // not the same
			}
			if c < '0' || c > '9' {
				kinds[at] |= 0x10
			}
		}
	}
	for at, f := range kinds {
		switch {
		case f&0x20 == 0:
			kinds[at] = samePart
		case f&0x10 == 0:
			kinds[at] = digitPart
		default:
			kinds[at] = anyPart
		}
	}
	for at := 0; at < n; {
		end := at + 1
		for end < n && kinds[end] == kinds[at] && (kinds[at] != digitPart || end-at < digitsAtOnce) {
			end++
		}
		dst = binary.AppendUvarint(append(dst, kinds[at]), uint64(end-at))
		dst = p.part(dst, from, shapes, k, kinds[at], first, at, end)
		at = end
	}
	return dst
}

func (p *packer) part(dst []byte, from *schema.Text, shapes []int64, k int64, kind byte, first []byte, at, end int) []byte {
	if kind == samePart {
		return append(dst, first[at:end]...)
	}
	p.rest = p.rest[:0]
	for i, s := range shapes {
		if s != k {
			continue
		}
		text := from.At(i)[at:end]
		if kind == anyPart {
			dst = append(dst, text...)
			continue
		}
		v := int64(0)
		for _, c := range text {
			v = v*10 + int64(c-'0')
		}
		p.rest = append(p.rest, v)
	}
	if kind == digitPart {
		dst = appendFrame(dst, p.rest)
	}
	return dst
}

// texts is a column of texts that is read.
type texts struct {
	lengths numbers // of plain texts
	shapes  []textShape
	shape   numbers // of a row
	data    []byte  // of plain texts
	plain   bool
}

type textShape struct {
	length int
	count  int // of texts
	parts  []textPart
}

type textPart struct {
	kind   byte
	length int
	bytes  []byte
	number packed
}

// open reads the head of a column; it borrows the bytes.
func (v *texts) open(src []byte, rows int) error {
	r := reader{src: src}
	*v = texts{shapes: v.shapes[:0]}
	switch r.byte() {
	case plainTexts:
		v.plain = true
		if err := v.lengths.open(r.take(r.count(len(src))), rows); err != nil {
			return err
		}
		v.data = r.src
		total := int64(0)
		for i := range rows {
			n := v.lengths.at(i)
			if n < 0 || n > int64(len(v.data)) {
				return errPage
			}
			total += n
		}
		if r.err == nil && total != int64(len(v.data)) {
			return errPage
		}
		return r.err
	case shapedTexts:
		v.open2(&r, rows)
	default:
		r.fail()
	}
	if r.err == nil && len(r.src) != 0 {
		r.fail()
	}
	return r.err
}

func (v *texts) open2(r *reader, rows int) {
	n := r.count(maxTexts)
	for range n {
		v.shapes = append(v.shapes, textShape{length: r.count(maxText)})
	}
	if n == 0 {
		if rows > 0 {
			r.fail()
		}
		return
	}
	if err := v.shape.open(r.take(r.count(len(r.src))), rows); err != nil {
		r.err = err
		return
	}
	if v.shape.kind == constantNumbers {
		if v.shape.common < 0 || v.shape.common >= int64(n) {
			r.fail()
			return
		}
		v.shapes[v.shape.common].count = rows
	} else {
		for i := range rows {
			s := v.shape.at(i)
			if s < 0 || s >= int64(n) {
				r.fail()
				return
			}
			v.shapes[s].count++
		}
	}
	for k := range v.shapes {
		s := &v.shapes[k]
		parts := reader{src: r.take(r.count(len(r.src)))}
		for left := s.length; left > 0 && parts.err == nil; {
			part := textPart{kind: parts.byte(), length: parts.count(left)}
			switch part.kind {
			case samePart:
				part.bytes = parts.take(part.length)
			case anyPart:
				part.bytes = parts.take(part.length * s.count)
			case digitPart:
				if parts.byte() != packedNumbers || part.length > digitsAtOnce {
					parts.fail()
				}
				part.number.open(&parts, s.count)
			default:
				parts.fail()
			}
			if part.length == 0 {
				parts.fail()
			}
			left -= part.length
			s.parts = append(s.parts, part)
		}
		if parts.err != nil || len(parts.src) != 0 {
			r.fail()
			return
		}
	}
}

// append appends the text of row i.
func (v *texts) append(dst []byte, i int) []byte {
	if v.plain {
		at := int64(0)
		for k := range i {
			at += v.lengths.at(k)
		}
		return append(dst, v.data[at:at+v.lengths.at(i)]...)
	}
	k := v.shape.at(i)
	s := &v.shapes[k]
	if len(v.shapes) > 1 { // its place among those of its shape
		n := 0
		for j := range i {
			if v.shape.at(j) == k {
				n++
			}
		}
		i = n
	}
	return s.append(dst, i)
}

// append appends text i of the shape.
func (s *textShape) append(dst []byte, i int) []byte {
	for k := range s.parts {
		p := &s.parts[k]
		switch p.kind {
		case samePart:
			dst = append(dst, p.bytes...)
		case anyPart:
			dst = append(dst, p.bytes[i*p.length:(i+1)*p.length]...)
		case digitPart:
			at := len(dst)
			dst = append(dst, make([]byte, p.length)...)
			x := uint64(p.number.at(i))
			for j := len(dst) - 1; j >= at; j-- {
				dst[j] = '0' + byte(x%10)
				x /= 10
			}
		}
	}
	return dst
}

// appendTo appends the texts of all rows.
func (v *texts) appendTo(dst *schema.Text, rows int) {
	if len(dst.Offsets) == 0 {
		dst.Offsets = append(dst.Offsets, 0)
	}
	at := int64(0)
	var next [maxTexts + 1]int
	for i := range rows {
		if v.plain {
			n := v.lengths.at(i)
			dst.Data = append(dst.Data, v.data[at:at+n]...)
			at += n
		} else {
			k := v.shape.at(i)
			dst.Data = v.shapes[k].append(dst.Data, next[k])
			next[k]++
		}
		dst.Offsets = append(dst.Offsets, int32(len(dst.Data)))
	}
}
