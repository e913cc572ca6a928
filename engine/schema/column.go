package schema

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Null is the value of an amount, a number or a time that is not given.
const Null = math.MinInt64

// Text is a column of byte strings in one buffer, laid out as Arrow's Binary.
// The zero value is an empty column.
type Text struct {
	Offsets []int32 // one more than there are values; empty for none
	Data    []byte
}

// Len is the number of values.
func (t *Text) Len() int { return max(len(t.Offsets)-1, 0) }

// At is the value in row i; it aliases the column's buffer.
func (t *Text) At(i int) []byte { return t.Data[t.Offsets[i]:t.Offsets[i+1]] }

// Append adds a value.
func (t *Text) Append(value []byte) {
	if len(t.Offsets) == 0 {
		t.Offsets = append(t.Offsets, 0)
	}
	t.Data = append(t.Data, value...)
	t.Offsets = append(t.Offsets, int32(len(t.Data)))
}

// AppendString adds a value.
func (t *Text) AppendString(value string) {
	if len(t.Offsets) == 0 {
		t.Offsets = append(t.Offsets, 0)
	}
	t.Data = append(t.Data, value...)
	t.Offsets = append(t.Offsets, int32(len(t.Data)))
}

func (t *Text) reset() {
	t.Offsets = t.Offsets[:0]
	t.Data = t.Data[:0]
}

// A column is one field of a table: its name and a pointer to its slice or Text.
type column struct {
	name string
	data any // *[]int64, *[]int32, *[]uint32, *[]uint8 or *Text
}

// A Rows is one of this package's tables of input rows.
type Rows interface {
	// Len is the number of rows.
	Len() int
	columns() []column
}

// A Field is a column of a table: its name, and where its values are.
type Field struct {
	Name string
	Data any // *[]int64, *[]int32, *[]uint32 (words), *[]uint8 or *Text
}

// Fields are the columns of a table, in their order. They stay the table's when
// rows come and go.
func Fields(r Rows) []Field {
	columns := r.columns()
	fields := make([]Field, len(columns))
	for k, c := range columns {
		fields[k] = Field{c.name, c.data}
	}
	return fields
}

// Reset empties a table and keeps its memory.
func Reset(r Rows) { reset(r.columns()) }

func reset(columns []column) {
	for _, c := range columns {
		switch data := c.data.(type) {
		case *[]int64:
			*data = (*data)[:0]
		case *[]int32:
			*data = (*data)[:0]
		case *[]uint32:
			*data = (*data)[:0]
		case *[]uint8:
			*data = (*data)[:0]
		case *Text:
			data.reset()
		}
	}
}

// Append adds the given rows of src to dst, column by column. Both are of one
// type.
func Append[R Rows](dst, src R, rows []int32) {
	from := src.columns()
	for k, c := range dst.columns() {
		switch to := c.data.(type) {
		case *[]int64:
			*to = pick(*to, *from[k].data.(*[]int64), rows)
		case *[]int32:
			*to = pick(*to, *from[k].data.(*[]int32), rows)
		case *[]uint32:
			*to = pick(*to, *from[k].data.(*[]uint32), rows)
		case *[]uint8:
			*to = pick(*to, *from[k].data.(*[]uint8), rows)
		case *Text:
			to.pick(from[k].data.(*Text), rows)
		}
	}
}

// A Spare is the memory of one column of each type, which Reorder uses again.
type Spare struct {
	ints    []int64
	numbers []int32
	words   []uint32
	bytes   []uint8
	text    Text
}

// Reorder makes the given rows of a table, in that order, all of it.
func Reorder(r Rows, rows []int32, spare *Spare) {
	for _, c := range r.columns() {
		switch data := c.data.(type) {
		case *[]int64:
			spare.ints = pick(spare.ints[:0], *data, rows)
			*data, spare.ints = spare.ints, *data
		case *[]int32:
			spare.numbers = pick(spare.numbers[:0], *data, rows)
			*data, spare.numbers = spare.numbers, *data
		case *[]uint32:
			spare.words = pick(spare.words[:0], *data, rows)
			*data, spare.words = spare.words, *data
		case *[]uint8:
			spare.bytes = pick(spare.bytes[:0], *data, rows)
			*data, spare.bytes = spare.bytes, *data
		case *Text:
			spare.text.reset()
			spare.text.pick(data, rows)
			*data, spare.text = spare.text, *data
		}
	}
}

// AppendAll adds every row of src to dst.
func AppendAll[R Rows](dst, src R) { appendAll(dst.columns(), src.columns()) }

func appendAll(dst, from []column) {
	for k, c := range dst {
		switch to := c.data.(type) {
		case *[]int64:
			*to = append(*to, *from[k].data.(*[]int64)...)
		case *[]int32:
			*to = append(*to, *from[k].data.(*[]int32)...)
		case *[]uint32:
			*to = append(*to, *from[k].data.(*[]uint32)...)
		case *[]uint8:
			*to = append(*to, *from[k].data.(*[]uint8)...)
		case *Text:
			src := from[k].data.(*Text)
			if src.Len() == 0 {
				continue
			}
			if len(to.Offsets) == 0 {
				to.Offsets = append(to.Offsets, 0)
			}
			base := int32(len(to.Data)) - src.Offsets[0]
			to.Data = append(to.Data, src.Data[src.Offsets[0]:src.Offsets[src.Len()]]...)
			for _, end := range src.Offsets[1:] {
				to.Offsets = append(to.Offsets, base+end)
			}
		}
	}
}

func pick[T any](to, from []T, rows []int32) []T {
	at := len(to)
	to = roomFor(to, len(rows))[:at+len(rows)]
	picked := to[at:]
	for i, row := range rows {
		picked[i] = from[row]
	}
	return to
}

// roomFor makes room for n more values, and for some beyond: the next table is a
// little larger as often as not.
func roomFor[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		s = slices.Grow(s, n+n/8)
	}
	return s
}

// pick appends the given values of another column.
func (t *Text) pick(from *Text, rows []int32) {
	if len(rows) == 0 {
		return
	}
	if len(t.Offsets) == 0 {
		t.Offsets = append(t.Offsets, 0)
	}
	n := 0
	for _, row := range rows {
		n += int(from.Offsets[row+1] - from.Offsets[row])
	}
	data, offsets := roomFor(t.Data, n), roomFor(t.Offsets, len(rows))
	for _, row := range rows {
		data = append(data, from.At(int(row))...)
		offsets = append(offsets, int32(len(data)))
	}
	t.Data, t.Offsets = data, offsets
}

// Size is the number of bytes that a table's values take.
func Size(r Rows) int64 { return size(r.columns()) }

func size(columns []column) int64 {
	var n int64
	for _, c := range columns {
		switch data := c.data.(type) {
		case *[]int64:
			n += 8 * int64(len(*data))
		case *[]int32:
			n += 4 * int64(len(*data))
		case *[]uint32:
			n += 4 * int64(len(*data))
		case *[]uint8:
			n += int64(len(*data))
		case *Text:
			n += 4*int64(len(data.Offsets)) + int64(len(data.Data))
		}
	}
	return n
}

// Record gives the table as an Arrow record batch that shares its memory: it is
// valid until the table is changed. The caller releases it.
func Record(r Rows) arrow.Record {
	columns := r.columns()
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	n := r.Len()
	for k, c := range columns {
		data := arrayData(c, n)
		fields[k] = arrow.Field{Name: c.name, Type: data.DataType()}
		arrays[k] = array.MakeFromData(data)
		data.Release()
		defer arrays[k].Release()
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(n))
}

func arrayData(c column, n int) *array.Data {
	bytes := func(b []byte) *memory.Buffer { return memory.NewBufferBytes(b) }
	switch data := c.data.(type) {
	case *[]int64:
		return array.NewData(arrow.PrimitiveTypes.Int64, n, []*memory.Buffer{nil, bytes(arrow.Int64Traits.CastToBytes(*data))}, nil, 0, 0)
	case *[]int32:
		return array.NewData(arrow.PrimitiveTypes.Int32, n, []*memory.Buffer{nil, bytes(arrow.Int32Traits.CastToBytes(*data))}, nil, 0, 0)
	case *[]uint32:
		return array.NewData(arrow.PrimitiveTypes.Uint32, n, []*memory.Buffer{nil, bytes(arrow.Uint32Traits.CastToBytes(*data))}, nil, 0, 0)
	case *[]uint8:
		return array.NewData(arrow.PrimitiveTypes.Uint8, n, []*memory.Buffer{nil, bytes(*data)}, nil, 0, 0)
	case *Text:
		offsets := data.Offsets
		if len(offsets) == 0 {
			offsets = []int32{0}
		}
		return array.NewData(arrow.BinaryTypes.Binary, n, []*memory.Buffer{nil, bytes(arrow.Int32Traits.CastToBytes(offsets)), bytes(data.Data)}, nil, 0, 0)
	}
	panic(fmt.Sprintf("schema: column %s has type %T", c.name, c.data))
}

// View makes r a view of the record, column by column, without copying. It is
// valid while the record is. The error names the first column that does not fit.
func View(r Rows, rec arrow.Record) error {
	columns := r.columns()
	if int(rec.NumCols()) != len(columns) {
		return fmt.Errorf("schema: %d columns, want %d", rec.NumCols(), len(columns))
	}
	for k, c := range columns {
		if rec.ColumnName(k) != c.name {
			return fmt.Errorf("schema: column %d is %s, want %s", k+1, rec.ColumnName(k), c.name)
		}
		fits := false
		switch data := c.data.(type) {
		case *[]int64:
			fits = viewed(data, rec.Column(k), (*array.Int64).Int64Values)
		case *[]int32:
			fits = viewed(data, rec.Column(k), (*array.Int32).Int32Values)
		case *[]uint32:
			fits = viewed(data, rec.Column(k), (*array.Uint32).Uint32Values)
		case *[]uint8:
			fits = viewed(data, rec.Column(k), (*array.Uint8).Uint8Values)
		case *Text:
			var col *array.Binary
			if col, fits = rec.Column(k).(*array.Binary); fits {
				data.Offsets = col.ValueOffsets()
				if buffers := col.Data().Buffers(); buffers[2] != nil {
					data.Data = buffers[2].Bytes()
				}
			}
		}
		if !fits {
			return fmt.Errorf("schema: column %s has type %s", c.name, rec.Column(k).DataType())
		}
	}
	return nil
}

func viewed[T any, A arrow.Array](data *[]T, col arrow.Array, values func(A) []T) bool {
	typed, ok := col.(A)
	if ok {
		*data = values(typed)
	}
	return ok
}
