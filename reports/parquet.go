package reports

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/reports/parquet"
	"duizhang/rules"
)

// parquetPart writes the table's rows as one file of its folder. A part without
// rows has no file, but the first always has, so that the columns are known. What
// is kept of the file goes to note; nil keeps nothing.
func (w *Writer) parquetPart(enc *encoder, t *table, number int, note *KeptFile) error {
	if t.rows == 0 && number > 0 {
		return nil
	}
	name := partName(t.name, number)
	f, err := fsys.OpenFile(w.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, w.opts.Mode)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if note == nil {
		err = enc.parquet.write(f, t)
	} else {
		s := summer{out: f}
		err = enc.parquet.write(&s, t)
		*note = KeptFile{s.size, s.hash.Sum64()}
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("output %s: %w", name, err)
	}
	return nil
}

// partName is the file of a part in the folder of its table.
func partName(table string, number int) string {
	return filepath.Join(table+".parquet", fmt.Sprintf("part-%05d.parquet", number))
}

// A parquetEncoder turns tables into Parquet (contract 4). It is for one
// goroutine; its memory is reused from table to table.
type parquetEncoder struct {
	lookup  *lookup
	codec   Codec
	zone    zone
	sorted  bool                       // least and greatest ids help readers to skip files
	schemas map[string]*parquet.Schema // by table name
	writer  *parquet.Writer
	codes   codeIndex
	indices []int32
	words   []string
	times   []int64
	wide    []parquet.Int128
	places  []string // prefixes of places, by table
}

var (
	fenDecimal      = &arrow.Decimal128Type{Precision: 18, Scale: 2}
	rebateDecimal   = &arrow.Decimal128Type{Precision: 20, Scale: 6}
	quantityDecimal = &arrow.Decimal128Type{Precision: 22, Scale: 6}
	rateDecimal     = &arrow.Decimal128Type{Precision: 9, Scale: 6}
	wordDictionary  = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
)

// arrowType is the Arrow type of a column.
func (e *parquetEncoder) arrowType(c *column) arrow.DataType {
	switch c.Type {
	case schema.TextType, schema.SourceType:
		return arrow.BinaryTypes.String
	case schema.WordType, schema.EnumType:
		return wordDictionary
	case schema.FenType:
		return fenDecimal
	case schema.RebateType:
		return rebateDecimal
	case schema.QuantityType, schema.PriceType:
		return quantityDecimal
	case schema.RateType:
		return rateDecimal
	case schema.TimeType:
		return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: e.zone.name()}
	case schema.IntType:
		return arrow.PrimitiveTypes.Int64
	case schema.BoolType:
		return arrow.FixedWidthTypes.Boolean
	}
	panic("reports: column " + c.Name + " has no type")
}

// field is the Parquet form of an Arrow type.
func field(name string, kind arrow.DataType) parquet.Field {
	switch kind := kind.(type) {
	case *arrow.StringType:
		return parquet.Field{Name: name, Kind: parquet.Text}
	case *arrow.DictionaryType:
		return parquet.Field{Name: name, Kind: parquet.Word}
	case *arrow.Decimal128Type:
		return parquet.Field{Name: name, Kind: parquet.Decimal, Precision: int(kind.Precision), Scale: int(kind.Scale)}
	case *arrow.TimestampType:
		return parquet.Field{Name: name, Kind: parquet.Timestamp}
	case *arrow.Int64Type:
		return parquet.Field{Name: name, Kind: parquet.Int}
	case *arrow.BooleanType:
		return parquet.Field{Name: name, Kind: parquet.Bool}
	}
	panic("reports: column " + name + " has no Parquet form")
}

// schemaOf is the table's schema, made once. It carries the Arrow schema, in
// which readers find the zone of times and that words are to be dictionaries.
func (e *parquetEncoder) schemaOf(t *table) (*parquet.Schema, error) {
	if s := e.schemas[t.name]; s != nil {
		return s, nil
	}
	fields := make([]parquet.Field, len(t.columns))
	columns := make([]arrow.Field, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		columns[i] = arrow.Field{Name: c.Name, Type: e.arrowType(c), Nullable: true}
		fields[i] = field(c.Name, columns[i].Type)
		fields[i].Range = e.sorted && c.Type == schema.TextType || c.Type == schema.FenType || c.Type == schema.TimeType
	}
	var stream bytes.Buffer
	if err := ipc.NewWriter(&stream, ipc.WithSchema(arrow.NewSchema(columns, nil))).Close(); err != nil {
		return nil, err
	}
	s := parquet.NewSchema(fields, parquet.KeyValue{
		Key: "ARROW:schema", Value: base64.StdEncoding.EncodeToString(stream.Bytes()),
	})
	if e.schemas == nil {
		e.schemas = make(map[string]*parquet.Schema)
	}
	e.schemas[t.name] = s
	return s, nil
}

// write writes the table as one Parquet file.
func (e *parquetEncoder) write(out io.Writer, t *table) error {
	s, err := e.schemaOf(t)
	if err != nil {
		return err
	}
	if e.writer == nil {
		codec := parquet.Zstd
		if e.codec == Snappy {
			codec = parquet.Snappy
		}
		e.writer = parquet.NewWriter(codec)
	}
	e.writer.Begin(out, s, t.rows)
	for i := range t.columns {
		if err := e.column(&t.columns[i]); err != nil {
			return fmt.Errorf("column %s: %w", t.columns[i].Name, err)
		}
	}
	return e.writer.End()
}

// column writes one column.
func (e *parquetEncoder) column(c *column) error {
	w := e.writer
	switch c.Type {
	case schema.TextType:
		w.Text(c.Text.Offsets, c.Text.Data)
	case schema.SourceType:
		w.Places(e.prefixes(), c.Tables, c.Lines)
	case schema.WordType:
		e.wordsOf(c)
		w.Words(e.indices, e.words)
	case schema.EnumType:
		e.namesOf(c)
		w.Words(e.indices, e.words)
	case schema.FenType, schema.RebateType, schema.QuantityType, schema.PriceType, schema.RateType:
		if c.Sums != nil {
			return e.sums(e.arrowType(c).(*arrow.Decimal128Type), c)
		}
		w.Ints(c.Ints)
	case schema.TimeType:
		w.Ints(e.instants(c.Ints))
	case schema.IntType:
		w.Ints(c.Ints)
	case schema.BoolType:
		w.Bools(c.Bytes)
	}
	return nil
}

// prefixes are what places begin with, by table.
func (e *parquetEncoder) prefixes() []string {
	for _, t := range e.lookup.tables[len(e.places):] {
		e.places = append(e.places, strings.ToValidUTF8(t.File(), "\uFFFD")+":")
	}
	return e.places
}

// wordsOf numbers the words of a column in the order of their first appearance;
// -1 is a null.
func (e *parquetEncoder) wordsOf(c *column) {
	words := e.lookup.raw(maxWord(c.Words))
	e.codes.reset(len(words))
	e.indices, e.words = e.indices[:0], e.words[:0]
	for _, code := range c.Words {
		index, fresh := e.codes.index(code)
		if fresh {
			e.words = append(e.words, words[code])
		}
		e.indices = append(e.indices, index)
	}
}

// namesOf is wordsOf for an enum.
func (e *parquetEncoder) namesOf(c *column) {
	e.codes.reset(len(c.Names))
	e.indices, e.words = e.indices[:0], e.words[:0]
	for _, value := range c.Bytes {
		code := uint32(value)
		if c.Names[code] == "" {
			code = 0
		}
		index, fresh := e.codes.index(code)
		if fresh {
			e.words = append(e.words, c.Names[code])
		}
		e.indices = append(e.indices, index)
	}
}

// sums writes totals, which may be too large for the column's type.
func (e *parquetEncoder) sums(kind *arrow.Decimal128Type, c *column) error {
	e.wide = grow(e.wide, len(c.Sums))
	for i, sum := range c.Sums {
		if c.None != nil && c.None[i] {
			sum = rules.Sum{}
		}
		if len(sum.Abs().AppendDecimal(nil, 0, 0)) > int(kind.Precision) {
			return fmt.Errorf("row %d: a total of more than %d digits", i+1, kind.Precision)
		}
		e.wide[i].High, e.wide[i].Low = sum.Parts()
	}
	e.writer.Wide(e.wide, c.None)
	return nil
}

// instants turns wall-clock seconds into milliseconds since 1970.
func (e *parquetEncoder) instants(seconds []int64) []int64 {
	e.times = grow(e.times, len(seconds))
	for i, v := range seconds {
		if v != schema.Null {
			v = e.zone.instant(v) * 1000
		}
		e.times[i] = v
	}
	return e.times
}

// grow gives a slice of n values, of s's memory where it is enough. The values
// are whatever they were.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n+n/4)[:n]
	}
	return s[:n]
}

// A codeIndex numbers codes in the order of their first appearance. Code 0, the
// blank, has no number. It is reused: what was numbered before the last reset
// does not count.
type codeIndex struct {
	round  uint32
	rounds []uint32 // the round in which a code was numbered
	number []int32
	next   int32
}

func (x *codeIndex) reset(codes int) {
	if len(x.rounds) < codes {
		x.rounds = append(x.rounds, make([]uint32, codes-len(x.rounds))...)
		x.number = append(x.number, make([]int32, codes-len(x.number))...)
	}
	x.round++
	if x.round == 0 {
		clear(x.rounds)
		x.round = 1
	}
	x.next = 0
}

func (x *codeIndex) index(code uint32) (number int32, fresh bool) {
	if code == 0 {
		return -1, false
	}
	if x.rounds[code] == x.round {
		return x.number[code], false
	}
	x.rounds[code], x.number[code] = x.round, x.next
	x.next++
	return x.number[code], true
}

// A zone turns wall-clock seconds into instants. It remembers the span of time
// in which its last answer holds.
type zone struct {
	loc      *time.Location
	from, to int64 // wall clock
	offset   int64
}

func newZone(loc *time.Location) zone { return zone{loc: loc} }

func (z *zone) name() string { return z.loc.String() }

// instant is seconds since 1970-01-01 00:00:00 UTC. A wall-clock time that a
// change of the clocks skips or repeats is one of the two that it may be.
func (z *zone) instant(wall int64) int64 {
	if wall >= z.from && wall < z.to {
		return wall - z.offset
	}
	u := time.Unix(wall, 0).UTC()
	t := time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, z.loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	const day = 24 * 60 * 60 // from a change of the clocks, to be on the safe side
	z.offset = int64(offset)
	z.from, z.to = wall, wall // nothing, unless well within the bounds
	from, to := wall-day, wall+day
	if start.IsZero() || from > start.Unix()+z.offset+day {
		if end.IsZero() || to < end.Unix()+z.offset-day {
			z.from, z.to = from, to
		}
	}
	return t.Unix()
}
