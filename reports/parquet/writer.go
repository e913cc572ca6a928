package parquet

import "io"

// A Writer writes Parquet files, one after another, of the same codec. It is for
// one goroutine; its memory is reused from file to file.
type Writer struct {
	out    io.Writer
	err    error // of out, the first
	schema *Schema
	rows   int
	column int // the next field
	offset int64

	compressor compressor
	chunks     []chunk // one for each column, so far
	body       []byte  // of the page at hand
	packed     []byte  // the same, compressed
	header     compact // of a page; the footer
	file       []byte  // what is not written to out yet

	bitmap   []byte
	present  []int64 // of a page, the values that are not null
	indices  []int32
	codes    []uint32 // of a page, the indices of values that are not null
	front    front
	distinct distinct
}

// NewWriter gives a Writer that compresses pages with the codec.
func NewWriter(codec Codec) *Writer {
	return &Writer{compressor: compressor{codec: codec}}
}

// Begin begins a file with so many rows. A call for each column of the schema
// follows, in its order, and then End. An error of out comes with End.
func (w *Writer) Begin(out io.Writer, s *Schema, rows int) {
	w.out, w.err, w.schema, w.rows = out, nil, s, rows
	w.column, w.offset = 0, 0
	w.chunks, w.file = w.chunks[:0], w.file[:0]
	w.append(magic)
}

const magic = "PAR1"

// End writes what is left of the file, and reports the first error. The file
// belongs to whoever opened it.
func (w *Writer) End() error {
	if w.column != len(w.schema.fields) {
		panic("parquet: not every column was written")
	}
	f := &w.header
	*f = compact{b: append(f.b[:0], w.schema.head...), last: 2, outer: f.outer[:0]}
	f.int64(3, int64(w.rows))
	if w.rows == 0 {
		f.list(4, 0, compactStruct)
	} else {
		f.list(4, 1, compactStruct)
		w.rowGroup(f)
	}
	f.b = append(f.b, w.schema.tail...)
	n := len(f.b)
	f.b = append(f.b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	f.b = append(f.b, magic...)
	w.file = append(w.file, f.b...)
	w.flush()
	w.out = nil
	return w.err
}

// rowGroup appends the file's one row group.
func (w *Writer) rowGroup(f *compact) {
	var plain, packed int64
	for i := range w.chunks {
		plain += w.chunks[i].plain
		packed += w.chunks[i].packed
	}
	f.beginElement()
	f.list(1, len(w.chunks), compactStruct)
	for i := range w.chunks {
		w.chunks[i].append(f, &w.schema.fields[i], w.compressor.codec, int64(w.rows))
	}
	f.int64(2, plain)
	f.int64(3, int64(w.rows))
	f.int64(5, int64(len(magic)))
	f.int64(6, packed)
	f.int16(7, 0)
	f.end()
}

// append appends to the file.
func (w *Writer) append(s string) {
	w.file = append(w.file, s...)
	w.offset += int64(len(s))
}

// flushBytes is how much is written at once.
const flushBytes = 256 << 10

// flush hands on what there is. After an error nothing more is written.
func (w *Writer) flush() {
	if w.err == nil {
		_, w.err = w.out.Write(w.file)
	}
	w.file = w.file[:0]
}
