package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/shopspring/decimal"
)

// The column types of the results.
var (
	money   = &arrow.Decimal128Type{Precision: 18, Scale: 2}
	rebated = &arrow.Decimal128Type{Precision: 20, Scale: 6}
	number  = &arrow.Decimal128Type{Precision: 22, Scale: 6}
	rate    = &arrow.Decimal128Type{Precision: 9, Scale: 6}
	text    = arrow.BinaryTypes.String
	whole   = arrow.PrimitiveTypes.Int64
	moment  = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Shanghai"}
	yes     = arrow.FixedWidthTypes.Boolean
)

const rowGroup = 128 << 10

type column struct {
	name string
	kind arrow.DataType
}

// dictionary names the columns of few different texts: those alone get one.
var dictionary = []string{
	"merchant_pid", "status", "store_id", "terminal_id", "operator_id", "sys_service_provider_id", "rebate_cause", "reason",
	"mode", "scenario", "product", "cause", "appeal", "period", "agreement_pid", "goods_id", "goods_name",
}

// table writes one Parquet file, cell by cell.
type table struct {
	f    *os.File
	w    *pqarrow.FileWriter
	b    *array.RecordBuilder
	col  int
	rows int
	err  error
}

func newTable(dir, name string, columns []column) (*table, error) {
	fields := make([]arrow.Field, len(columns))
	props := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(false), parquet.WithMaxRowGroupLength(rowGroup),
	}
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.kind, Nullable: true}
		if slices.Contains(dictionary, c.name) {
			props = append(props, parquet.WithDictionaryFor(c.name, true))
		}
	}
	f, err := os.Create(filepath.Join(dir, name+".parquet"))
	if err != nil {
		return nil, err
	}
	schema := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, err
	}
	return &table{f: f, w: w, b: array.NewRecordBuilder(memory.DefaultAllocator, schema)}, nil
}

func (t *table) next() array.Builder {
	b := t.b.Field(t.col)
	t.col++
	return b
}

func (t *table) text(s string) {
	b := t.next().(*array.StringBuilder)
	if s == "" {
		b.AppendNull()
		return
	}
	b.Append(s)
}

func (t *table) decimal(v decimal.Decimal) { t.decimalOrNull(decimal.NewNullDecimal(v)) }

func (t *table) decimalOrNull(v decimal.NullDecimal) {
	b := t.next().(*array.Decimal128Builder)
	if !v.Valid {
		b.AppendNull()
		return
	}
	scale := b.Type().(*arrow.Decimal128Type).Scale
	b.Append(decimal128.FromI64(v.Decimal.Shift(scale).IntPart()))
}

func (t *table) time(v time.Time) {
	b := t.next().(*array.TimestampBuilder)
	if v.IsZero() {
		b.AppendNull()
		return
	}
	b.Append(arrow.Timestamp(v.UnixMilli()))
}

func (t *table) integer(v int64) { t.next().(*array.Int64Builder).Append(v) }
func (t *table) bool(v bool)     { t.next().(*array.BooleanBuilder).Append(v) }

func (t *table) null() { t.next().AppendNull() }

// end ends a row, and a full row group.
func (t *table) end() {
	t.col = 0
	t.rows++
	if t.rows%rowGroup == 0 {
		t.flush()
	}
}

func (t *table) flush() {
	rec := t.b.NewRecord()
	defer rec.Release()
	if t.err == nil && rec.NumRows() > 0 {
		t.err = t.w.Write(rec)
	}
}

func (t *table) close() error {
	t.flush()
	return firstError(t.err, t.w.Close()) // it closes the file
}
