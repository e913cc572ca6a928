package reports

import (
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/klauspost/compress/zstd"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A plainParquet is the plain version of parquetEncoder: it lays a table out as
// Arrow has it and leaves the rest to the Arrow project's Parquet library. Its
// buffers are reused from table to table, so that the arrays built over them live
// no longer than the call that writes them.
type plainParquet struct {
	parquetEncoder
	shapes map[string]*shape // by table name
	bufs   []columnBuffers   // by column
	out    sticky
}

// A shape is what all parts of a table have in common.
type shape struct {
	schema *arrow.Schema
	props  *parquet.WriterProperties
	arrow  pqarrow.ArrowWriterProperties
}

// columnBuffers is the memory of one column, reused.
type columnBuffers struct {
	valid   []byte
	values  []uint64 // amounts: two a value; times
	bytes   []byte   // text, or bits of booleans
	offsets []int32
	indices []int32
}

func (e *plainParquet) shapeOf(t *table) *shape {
	if s := e.shapes[t.name]; s != nil {
		return s
	}
	fields := make([]arrow.Field, len(t.columns))
	// Ids and amounts hardly repeat: looking for what repeats in them is what
	// makes a dictionary slow.
	codec := compress.Codecs.Zstd
	if e.codec == Snappy {
		codec = compress.Codecs.Snappy
	}
	props := []parquet.WriterProperty{
		parquet.WithDictionaryDefault(false),
		parquet.WithCompression(codec),
		parquet.WithStoreDecimalAsInteger(true),
		parquet.WithBatchSize(batchRows),
		parquet.WithStats(false),
	}
	for i := range t.columns {
		c := &t.columns[i]
		fields[i] = arrow.Field{Name: c.Name, Type: e.arrowType(c), Nullable: true}
		if c.Type == schema.WordType || c.Type == schema.EnumType {
			props = append(props, parquet.WithDictionaryFor(c.Name, true))
		}
		if e.sorted && c.Type == schema.TextType || c.Type == schema.FenType || c.Type == schema.TimeType {
			props = append(props, parquet.WithStatsFor(c.Name, true))
		}
	}
	s := &shape{
		schema: arrow.NewSchema(fields, nil),
		props:  parquet.NewWriterProperties(props...),
		arrow:  pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()),
	}
	if e.shapes == nil {
		e.shapes = make(map[string]*shape)
	}
	e.shapes[t.name] = s
	return s
}

// batchRows is how many rows go to a column writer at once.
const batchRows = 16 << 10

// write writes the table as one Parquet file.
func (e *plainParquet) write(out io.Writer, t *table) error {
	s := e.shapeOf(t)
	e.out = sticky{out: out}
	w, err := pqarrow.NewFileWriter(s.schema, &e.out, s.props, s.arrow)
	if err != nil {
		return err
	}
	if t.rows > 0 {
		for len(e.bufs) < len(t.columns) {
			e.bufs = append(e.bufs, columnBuffers{})
		}
		w.NewRowGroup()
		for i := range t.columns {
			if err := e.column(w, &t.columns[i], &e.bufs[i], t.rows); err != nil {
				_ = w.Close()
				return fmt.Errorf("column %s: %w", t.columns[i].Name, err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return e.out.err
}

// column writes one column.
func (e *plainParquet) column(w *pqarrow.FileWriter, c *column, b *columnBuffers, rows int) error {
	data, err := e.data(c, b, rows)
	if err != nil {
		return err
	}
	defer data.Release()
	arr := array.MakeFromData(data)
	defer arr.Release()
	return w.WriteColumnData(arr)
}

// data lays the column out as Arrow has it. The caller releases it.
func (e *plainParquet) data(c *column, b *columnBuffers, rows int) (*array.Data, error) {
	switch c.Type {
	case schema.TextType:
		return b.text(c.Text, rows), nil
	case schema.SourceType:
		return b.sources(e.lookup.tables, c, rows), nil
	case schema.WordType:
		words := e.lookup.raw(maxWord(c.Words))
		e.codes.reset(len(words))
		b.begin()
		for _, code := range c.Words {
			index, fresh := e.codes.index(code)
			if fresh {
				b.bytes = append(b.bytes, words[code]...)
				b.offsets = append(b.offsets, int32(len(b.bytes)))
			}
			b.indices = append(b.indices, index)
		}
		return b.dictionary(rows), nil
	case schema.EnumType:
		e.codes.reset(len(c.Names))
		b.begin()
		for _, value := range c.Bytes {
			code := uint32(value)
			if c.Names[code] == "" {
				code = 0
			}
			index, fresh := e.codes.index(code)
			if fresh {
				b.bytes = append(b.bytes, c.Names[code]...)
				b.offsets = append(b.offsets, int32(len(b.bytes)))
			}
			b.indices = append(b.indices, index)
		}
		return b.dictionary(rows), nil
	case schema.FenType, schema.RebateType, schema.QuantityType, schema.PriceType, schema.RateType:
		if c.Sums != nil {
			return b.sums(e.arrowType(c).(*arrow.Decimal128Type), c)
		}
		return b.decimals(e.arrowType(c), c.Ints), nil
	case schema.TimeType:
		return b.times(e.arrowType(c), c.Ints, &e.zone), nil
	case schema.IntType:
		nulls := b.validOf(c.Ints)
		return array.NewData(arrow.PrimitiveTypes.Int64, rows,
			buffers(b.valid, nulls, arrow.Int64Traits.CastToBytes(c.Ints)), nil, nulls, 0), nil
	case schema.BoolType:
		b.bytes = append(b.bytes[:0], make([]byte, (rows+7)/8)...)
		for i, v := range c.Bytes {
			if v != 0 {
				b.bytes[i/8] |= 1 << (i % 8)
			}
		}
		return array.NewData(arrow.FixedWidthTypes.Boolean, rows, buffers(nil, 0, b.bytes), nil, 0, 0), nil
	}
	panic("reports: column " + c.Name + " has no type")
}

// buffers are an array's buffers: the validity bitmap if there are nulls, and
// the values.
func buffers(valid []byte, nulls int, values ...[]byte) []*memory.Buffer {
	bufs := make([]*memory.Buffer, 1, 1+len(values))
	if nulls > 0 {
		bufs[0] = memory.NewBufferBytes(valid)
	}
	for _, v := range values {
		bufs = append(bufs, memory.NewBufferBytes(v))
	}
	return bufs
}

// begin empties the buffers of a dictionary.
func (b *columnBuffers) begin() {
	b.bytes, b.indices = b.bytes[:0], b.indices[:0]
	b.offsets = append(b.offsets[:0], 0)
}

// dictionary gives the indices and their words; index -1 is a null.
func (b *columnBuffers) dictionary(rows int) *array.Data {
	nulls := b.clear(rows)
	for i, index := range b.indices {
		if index >= 0 {
			b.valid[i/8] |= 1 << (i % 8)
			continue
		}
		b.indices[i] = 0
		nulls++
	}
	n := len(b.offsets) - 1
	words := array.NewData(arrow.BinaryTypes.String, n,
		buffers(nil, 0, arrow.Int32Traits.CastToBytes(b.offsets), b.bytes), nil, 0, 0)
	defer words.Release()
	return array.NewDataWithDictionary(wordDictionary, rows,
		buffers(b.valid, nulls, arrow.Int32Traits.CastToBytes(b.indices)), nulls, 0, words)
}

// text shares the column's memory; blanks are nulls.
func (b *columnBuffers) text(t *schema.Text, rows int) *array.Data {
	nulls := b.clear(rows)
	for i := range rows {
		if t.Offsets[i] != t.Offsets[i+1] {
			b.valid[i/8] |= 1 << (i % 8)
			continue
		}
		nulls++
	}
	return array.NewData(arrow.BinaryTypes.String, rows,
		buffers(b.valid, nulls, arrow.Int32Traits.CastToBytes(t.Offsets), t.Data), nil, nulls, 0)
}

// sources renders places.
func (b *columnBuffers) sources(tables []*schema.Table, c *column, rows int) *array.Data {
	nulls := b.clear(rows)
	b.begin()
	at, prefix := int32(-1), ""
	for i, table := range c.Tables {
		if table < 0 {
			nulls++
		} else {
			if table != at {
				at, prefix = table, tables[table].File()+":"
			}
			b.valid[i/8] |= 1 << (i % 8)
			b.bytes = append(b.bytes, prefix...)
			if c.Lines[i] != 0 {
				b.bytes = strconv.AppendInt(b.bytes, int64(c.Lines[i]), 10)
			} else {
				b.bytes = b.bytes[:len(b.bytes)-1] // the whole file: without the colon
			}
		}
		b.offsets = append(b.offsets, int32(len(b.bytes)))
	}
	return array.NewData(arrow.BinaryTypes.String, rows,
		buffers(b.valid, nulls, arrow.Int32Traits.CastToBytes(b.offsets), b.bytes), nil, nulls, 0)
}

// decimals widens int64 to 128 bits.
func (b *columnBuffers) decimals(kind arrow.DataType, ints []int64) *array.Data {
	nulls := b.validOf(ints)
	b.values = grow(b.values, 2*len(ints))
	for i, v := range ints {
		if v == schema.Null {
			v = 0
		}
		b.values[2*i], b.values[2*i+1] = uint64(v), uint64(v>>63)
	}
	return array.NewData(kind, len(ints),
		buffers(b.valid, nulls, arrow.Uint64Traits.CastToBytes(b.values)), nil, nulls, 0)
}

// sums are totals, which may be too large for the column's type.
func (b *columnBuffers) sums(kind *arrow.Decimal128Type, c *column) (*array.Data, error) {
	nulls := b.clear(len(c.Sums))
	b.values = grow(b.values, 2*len(c.Sums))
	for i, sum := range c.Sums {
		if c.None != nil && c.None[i] {
			nulls++
			sum = rules.Sum{}
		} else {
			b.valid[i/8] |= 1 << (i % 8)
		}
		if len(sum.Abs().AppendDecimal(nil, 0, 0)) > int(kind.Precision) {
			return nil, fmt.Errorf("row %d: a total of more than %d digits", i+1, kind.Precision)
		}
		hi, lo := sum.Parts()
		b.values[2*i], b.values[2*i+1] = lo, uint64(hi)
	}
	return array.NewData(kind, len(c.Sums),
		buffers(b.valid, nulls, arrow.Uint64Traits.CastToBytes(b.values)), nil, nulls, 0), nil
}

// times turns wall-clock seconds into instants.
func (b *columnBuffers) times(kind arrow.DataType, ints []int64, z *zone) *array.Data {
	nulls := b.validOf(ints)
	b.values = grow(b.values, len(ints))
	for i, v := range ints {
		if v == schema.Null {
			b.values[i] = 0
			continue
		}
		b.values[i] = uint64(z.instant(v) * 1000)
	}
	return array.NewData(kind, len(ints),
		buffers(b.valid, nulls, arrow.Uint64Traits.CastToBytes(b.values)), nil, nulls, 0)
}

// clear makes room for a bitmap of zeros, and gives 0, the nulls so far.
func (b *columnBuffers) clear(rows int) int {
	n := (rows + 7) / 8
	b.valid = grow(b.valid, n)
	clear(b.valid)
	return 0
}

// validOf marks what is not Null, and counts the nulls.
func (b *columnBuffers) validOf(ints []int64) int {
	b.clear(len(ints))
	for i, v := range ints {
		if v != schema.Null {
			b.valid[i/8] |= 1 << (i % 8)
		}
	}
	valid := 0
	for _, byte8 := range b.valid {
		valid += bits.OnesCount8(byte8)
	}
	return len(ints) - valid
}

// A sticky remembers the first error of its writer and hides it from the Parquet
// library, which forgets some errors and panics on others. It is no io.Closer:
// the file is closed by whoever opened it.
type sticky struct {
	out io.Writer
	err error
}

func (s *sticky) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.out.Write(p)
	}
	return len(p), nil
}

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
