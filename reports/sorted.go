package reports

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"duizhang/engine/fsys"
	"duizhang/engine/schema"
)

// sortKeys are the columns that order a table in output.sort, the first one
// first. What is still equal stands in the order of the parts.
var sortKeys = map[string][]string{
	tradesName:   {"merchant_pid", "out_trade_no", "pos_source", "bill_source"},
	refundsName:  {"merchant_pid", "out_trade_no", "out_request_no", "pos_source", "bill_source"},
	goodsName:    {"merchant_pid", "out_trade_no", "line", "source"},
	rebatesName:  {"merchant_pid", "out_trade_no", "product", "pos_source", "statement_source"},
	accountsName: {"merchant_pid", "out_trade_no", "trade_no", "bill_source", "account_source"},
}

// chunkRows is how many rows are merged before they are encoded; it is also the
// length of a Parquet file of a sorted table.
const chunkRows = 64 << 10

// A sorter puts the rows of all parts in one order: each part's rows go to a
// temporary file, sorted, and are merged at the end. It holds one chunk of rows
// and a small buffer for each part.
type sorter struct {
	w      *Writer
	tables []*sortedTable
	parts  int
}

// A sortedTable is one table on its way through the temporary file.
type sortedTable struct {
	name  string
	keys  []int // columns
	shape []column

	mu       sync.Mutex
	file     *fsys.File
	end      int64
	segments []segment // by part
}

// A segment is where a part's rows are in the file.
type segment struct {
	offset, size int64
	come         bool
}

func newSorter(w *Writer, tables []table, parts int) *sorter {
	s := &sorter{w: w, parts: parts}
	for i := range tables {
		t := &sortedTable{name: tables[i].name, shape: tables[i].columns, segments: make([]segment, parts)}
		for _, key := range sortKeys[t.name] {
			t.keys = append(t.keys, slices.IndexFunc(t.shape, func(c column) bool { return c.Name == key }))
		}
		s.tables = append(s.tables, t)
	}
	return s
}

// add takes the rows of a part. It is safe for concurrent use.
func (s *sorter) add(number int, tables []table) error {
	if number < 0 || number >= s.parts {
		return fmt.Errorf("output: part %d of %d", number, s.parts)
	}
	for i := range tables {
		if err := s.tables[i].add(s.w, number, &tables[i]); err != nil {
			return fmt.Errorf("output %s: %w", tables[i].name, err)
		}
	}
	return nil
}

func (t *sortedTable) add(w *Writer, number int, rows *table) error {
	encoded := t.encode(w.lookup, rows)
	t.mu.Lock()
	if t.segments[number].come {
		t.mu.Unlock()
		return fmt.Errorf("part %d came twice", number)
	}
	if t.file == nil {
		f, err := w.createTemp("sort-*")
		if err != nil {
			t.mu.Unlock()
			return err
		}
		t.file = f
	}
	at := t.end
	t.end += int64(len(encoded))
	t.segments[number] = segment{at, int64(len(encoded)), true}
	t.mu.Unlock()
	_, err := t.file.WriteAt(encoded, at)
	return err
}

// encode gives the rows in their order: the length of the key, the key, whose
// bytes compare as the rows do, and the cells.
func (t *sortedTable) encode(l *lookup, rows *table) []byte {
	var keys []byte
	ends := make([]int, rows.rows+1)
	words := t.wordsOf(l, rows)
	for i := range rows.rows {
		for _, k := range t.keys {
			keys = appendKey(keys, &rows.columns[k], words, i)
		}
		ends[i+1] = len(keys)
	}
	key := func(i int) []byte { return keys[ends[i]:ends[i+1]] }
	order := make([]int, rows.rows)
	for i := range order {
		order[i] = i
	}
	byKey := func(a, b int) int { return cmp.Or(bytes.Compare(key(a), key(b)), cmp.Compare(a, b)) }
	if !slices.IsSortedFunc(order, byKey) {
		slices.SortFunc(order, byKey)
	}
	var dst []byte
	for _, i := range order {
		dst = binary.AppendUvarint(dst, uint64(len(key(i))))
		dst = append(dst, key(i)...)
		for k := range rows.columns {
			dst = appendRaw(dst, &rows.columns[k], i)
		}
	}
	return dst
}

// wordsOf gives the words that the keys need.
func (t *sortedTable) wordsOf(l *lookup, rows *table) []string {
	var most uint32
	for _, k := range t.keys {
		most = max(most, maxWord(rows.columns[k].Words))
	}
	return l.raw(most)
}

// appendKey appends one column of a key. Texts end in 0 0, and a 0 in them is
// 0 1, so that a text that begins another comes before it.
func appendKey(dst []byte, c *column, words []string, i int) []byte {
	switch c.Type {
	case schema.WordType:
		return appendKeyText(dst, words[c.Words[i]])
	case schema.TextType:
		return appendKeyText(dst, c.Text.At(i))
	case schema.IntType:
		return binary.BigEndian.AppendUint64(dst, uint64(c.Ints[i])^1<<63)
	case schema.SourceType:
		dst = binary.BigEndian.AppendUint32(dst, uint32(c.Tables[i])^1<<31)
		return binary.BigEndian.AppendUint32(dst, uint32(c.Lines[i])^1<<31)
	case schema.FenType, schema.RebateType, schema.QuantityType, schema.PriceType, schema.RateType,
		schema.TimeType, schema.BoolType, schema.EnumType:
	}
	panic("reports: no table is sorted by a column like " + c.Name)
}

func appendKeyText[T ~string | ~[]byte](dst []byte, text T) []byte {
	for i := range len(text) {
		dst = append(dst, text[i])
		if text[i] == 0 {
			dst = append(dst, 1)
		}
	}
	return append(dst, 0, 0)
}

// appendRaw appends a cell as it is in memory.
func appendRaw(dst []byte, c *column, i int) []byte {
	switch {
	case c.Text != nil:
		value := c.Text.At(i)
		dst = binary.AppendUvarint(dst, uint64(len(value)))
		return append(dst, value...)
	case c.Type == schema.WordType:
		return binary.LittleEndian.AppendUint32(dst, c.Words[i])
	case c.Type == schema.EnumType, c.Type == schema.BoolType:
		return append(dst, c.Bytes[i])
	case c.Type == schema.SourceType:
		dst = binary.LittleEndian.AppendUint32(dst, uint32(c.Tables[i]))
		return binary.LittleEndian.AppendUint32(dst, uint32(c.Lines[i]))
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(c.Ints[i]))
}

// merge writes all tables in their order.
func (s *sorter) merge(ctx context.Context) error {
	for i, t := range s.tables {
		if err := t.merge(ctx, s.w, i); err != nil {
			return fmt.Errorf("output %s: %w", t.name, err)
		}
	}
	return nil
}

func (t *sortedTable) merge(ctx context.Context, w *Writer, at int) error {
	heap, err := t.open()
	if err != nil {
		return err
	}
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	out := t.empty()
	var csv []byte
	flush := func(number int) error {
		if w.opts.Formats.Parquet {
			if err := w.veiledPart(enc, &out, number, nil); err != nil {
				return err
			}
		}
		if w.opts.Formats.CSV {
			csv = enc.csv.rows(csv[:0], &out)
			if _, err := w.files[at].Write(csv); err != nil {
				return err
			}
		}
		out.reset()
		return ctx.Err()
	}
	number := 0
	for len(heap) > 0 {
		first := heap[0]
		if err := first.cells(&out); err != nil {
			return err
		}
		if out.rows == chunkRows {
			if err := flush(number); err != nil {
				return err
			}
			number++
		}
		switch err := first.next(); {
		case errors.Is(err, io.EOF):
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		case err != nil:
			return err
		}
		heap.down(0)
	}
	if out.rows > 0 || number == 0 {
		return flush(number)
	}
	return nil
}

// open gives a reader for each part that has rows, as a heap.
func (t *sortedTable) open() (runHeap, error) {
	var heap runHeap
	for number, s := range t.segments {
		if !s.come {
			return nil, fmt.Errorf("part %d of %d never came", number, len(t.segments))
		}
		if s.size == 0 {
			continue
		}
		const buffer = 32 << 10
		r := &run{part: number, in: bufio.NewReaderSize(io.NewSectionReader(t.file, s.offset, s.size), buffer)}
		if err := r.next(); err != nil {
			return nil, err
		}
		heap = append(heap, r)
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		heap.down(i)
	}
	return heap, nil
}

// empty gives a table of this shape without rows, to which rows are added.
func (t *sortedTable) empty() table {
	out := table{name: t.name, columns: slices.Clone(t.shape)}
	for k := range out.columns {
		c := &out.columns[k]
		c.Words, c.Ints, c.Bytes, c.Tables, c.Lines = nil, nil, nil, nil, nil
		if c.Text != nil {
			c.Text = &schema.Text{}
		}
	}
	return out
}

// reset takes the rows away and keeps the memory.
func (t *table) reset() {
	t.rows = 0
	for k := range t.columns {
		c := &t.columns[k]
		c.Words, c.Ints, c.Bytes, c.Tables, c.Lines = c.Words[:0], c.Ints[:0], c.Bytes[:0], c.Tables[:0], c.Lines[:0]
		if c.Text != nil {
			c.Text.Data, c.Text.Offsets = c.Text.Data[:0], c.Text.Offsets[:0]
		}
	}
}

// A run is the sorted rows of one part, read from the file.
type run struct {
	part int
	in   *bufio.Reader
	key  []byte // of the row that is next
	buf  []byte // reused
}

// next reads the key of the next row.
func (r *run) next() error {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err // io.EOF at the end
	}
	r.key = grow(r.key, int(n))
	return r.full(r.key)
}

// cells adds the row's cells to the table.
func (r *run) cells(t *table) error {
	t.rows++
	for k := range t.columns {
		if err := r.cell(&t.columns[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) cell(c *column) error {
	size := 8
	switch {
	case c.Text != nil:
		n, err := binary.ReadUvarint(r.in)
		if err != nil {
			return unexpected(err)
		}
		size = int(n)
	case c.Type == schema.WordType:
		size = 4
	case c.Type == schema.EnumType, c.Type == schema.BoolType:
		size = 1
	}
	r.buf = grow(r.buf, size)
	b := r.buf
	if err := r.full(b); err != nil {
		return err
	}
	switch {
	case c.Text != nil:
		c.Text.Append(b)
	case c.Type == schema.WordType:
		c.Words = append(c.Words, binary.LittleEndian.Uint32(b))
	case c.Type == schema.EnumType, c.Type == schema.BoolType:
		c.Bytes = append(c.Bytes, b[0])
	case c.Type == schema.SourceType:
		c.Tables = append(c.Tables, int32(binary.LittleEndian.Uint32(b)))
		c.Lines = append(c.Lines, int32(binary.LittleEndian.Uint32(b[4:])))
	default:
		c.Ints = append(c.Ints, int64(binary.LittleEndian.Uint64(b)))
	}
	return nil
}

func (r *run) full(b []byte) error {
	_, err := io.ReadFull(r.in, b)
	return unexpected(err)
}

// unexpected is the error of a row that ends before its cells do.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A runHeap has the run whose row comes first at its top.
type runHeap []*run

func (h runHeap) less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return h[i].part < h[j].part
}

func (h runHeap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
