package parquet

import (
	"encoding/binary"
	"slices"
)

// encoding is how a page's values are laid out.
type encoding uint8

const (
	encodingPlain      encoding = 0
	encodingHybrid     encoding = 3 // runs and packed groups: of levels
	encodingDeltas     encoding = 5
	encodingFront      encoding = 7
	encodingDictionary encoding = 8
)

// The kinds of page.
const (
	pageData       = 0
	pageDictionary = 2
)

// A chunk is what the footer says of a column.
type chunk struct {
	dictionary int64 // where its page is, 0 for none
	data       int64 // where the first of its pages is
	plain      int64 // bytes of the pages before their compression, headers included
	packed     int64 // and after
	nulls      int64
	encodings  uint16 // a bit for each
	ranged     bool   // low and high are known
	low, high  []byte // reused
}

// append appends the chunk.
func (k *chunk) append(f *compact, field *Field, codec Codec, rows int64) {
	start := k.data
	if k.dictionary != 0 {
		start = k.dictionary
	}
	f.beginElement()
	f.int64(2, start)
	f.begin(3)
	kind, _ := field.physical()
	f.int32(1, int(kind))
	n := 0
	for e := range 16 {
		n += int(k.encodings >> e & 1)
	}
	f.list(2, n, compactI32)
	for e := range 16 {
		if k.encodings>>e&1 != 0 {
			f.b = appendZigzag(f.b, int64(e))
		}
	}
	f.list(3, 1, compactBinary)
	f.element(field.Name)
	f.int32(4, codec.id())
	f.int64(5, rows)
	f.int64(6, k.plain)
	f.int64(7, k.packed)
	f.int64(9, k.data)
	if k.dictionary != 0 {
		f.int64(11, k.dictionary)
	}
	f.begin(12)
	f.int64(3, k.nulls)
	if k.ranged {
		f.bytes(5, k.high)
		f.bytes(6, k.low)
	}
	f.end()
	f.end()
	f.end()
}

// next begins the chunk of the next column, of one of the kinds.
func (w *Writer) next(rows int, kinds ...Kind) (*Field, *chunk) {
	if w.column == len(w.schema.fields) {
		panic("parquet: more columns than fields")
	}
	field := &w.schema.fields[w.column]
	if !slices.Contains(kinds, field.Kind) || rows != w.rows {
		panic("parquet: column " + field.Name + " has another kind or length")
	}
	w.column++
	if n := len(w.chunks); n < cap(w.chunks) {
		w.chunks = w.chunks[:n+1]
		old := &w.chunks[n]
		*old = chunk{low: old.low[:0], high: old.high[:0]}
	} else {
		w.chunks = append(w.chunks, chunk{})
	}
	return field, &w.chunks[len(w.chunks)-1]
}

// A page has no more rows than pageRows, nor much more text than pageBytes.
const (
	pageRows  = 64 << 10
	pageBytes = 1 << 20
)

// levels begins the body of a page: which of its rows have a value. The bitmap
// counts unless all or none have.
func (w *Writer) levels(k *chunk, rows, nulls int, bitmap []byte) {
	k.nulls += int64(nulls)
	body := append(w.body[:0], 0, 0, 0, 0)
	switch nulls {
	case 0:
		body = appendRun(body, rows, 1, 1)
	case rows:
		body = appendRun(body, rows, 0, 1)
	default:
		groups := (rows + 7) / 8
		body = binary.AppendUvarint(body, uint64(groups)<<1|1)
		body = append(body, bitmap[:groups]...)
	}
	binary.LittleEndian.PutUint32(body, uint32(len(body)-4))
	w.body = body
}

// endPage compresses the body and appends it to the file as a page of n values.
func (w *Writer) endPage(k *chunk, kind, n int, e encoding) {
	if e == encodingDeltas || e == encodingDictionary {
		w.packed = w.compressor.compressDense(w.packed[:0], w.body)
	} else {
		w.packed = w.compressor.compress(w.packed[:0], w.body)
	}
	h := &w.header
	*h = compact{b: h.b[:0], outer: h.outer[:0]}
	h.int32(1, kind)
	h.int32(2, len(w.body))
	h.int32(3, len(w.packed))
	if kind == pageDictionary {
		k.dictionary = w.offset
		h.begin(7)
		h.int32(1, n)
		h.int32(2, int(e))
		h.end()
	} else {
		if k.data == 0 {
			k.data = w.offset
		}
		k.encodings |= 1 << encodingHybrid
		h.begin(5)
		h.int32(1, n)
		h.int32(2, int(e))
		h.int32(3, int(encodingHybrid)) // of definition levels
		h.int32(4, int(encodingHybrid)) // of repetition levels, of which there are none
		h.end()
	}
	h.b = append(h.b, 0)
	k.encodings |= 1 << e
	k.plain += int64(len(h.b) + len(w.body))
	k.packed += int64(len(h.b) + len(w.packed))
	w.offset += int64(len(h.b) + len(w.packed))
	w.file = append(append(w.file, h.b...), w.packed...)
	if len(w.file) >= flushBytes {
		w.flush()
	}
}
