package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
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

	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// Export writes the history to a new folder, as Parquet that any tool reads: the
// trades, refunds, breaks and carried rows of each date as its current run left
// them, and the runs.
//
//	trades/2026-11-20.parquet   refunds/…   breaks/…   carried_bills/…   carried_orders/…   carried_refunds/…
//	runs.parquet
//
// Columns have the names of the result tables.
func (s *Store) Export(ctx context.Context, dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return &FolderError{dir, [2]string{"不是空的", "is not empty"}}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fsys.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	for _, date := range s.dates() {
		if err := s.exportDate(ctx, dir, date); err != nil {
			return fmt.Errorf("state: export %s: %w", DateText(date), err)
		}
	}
	return s.exportRuns(dir)
}

func (s *Store) exportDate(ctx context.Context, dir string, date int32) error {
	r, err := s.Revision(date, 0)
	if err != nil {
		return err
	}
	name := DateText(date) + ".parquet"
	if err := exportTable(filepath.Join(dir, "trades"), name, tradeColumns(r), func(add func(exported) error) error {
		return r.Trades(ctx, func(rows *schema.Settled) error { return add(rows) })
	}); err != nil {
		return err
	}
	if err := exportTable(filepath.Join(dir, "refunds"), name, refundColumns(r), func(add func(exported) error) error {
		return r.Refunds(ctx, func(rows *schema.Returned) error { return add(rows) })
	}); err != nil {
		return err
	}
	if err := s.exportBreaks(dir, name, r); err != nil {
		return err
	}
	c, err := r.Carried()
	if err != nil || c == nil {
		return err
	}
	texts := r.Words.Texts()
	for _, t := range []struct {
		folder string
		rows   schema.Rows
		since  []int32
	}{{"carried_bills", &c.Bills, c.BillSince}, {"carried_orders", &c.Orders, c.OrderSince}, {"carried_refunds", &c.Refunds, c.RefundSince}} {
		if err := exportTable(filepath.Join(dir, t.folder), name, carriedColumns(t.rows, t.since, c.Tables, texts, date), func(add func(exported) error) error {
			return add(t.rows)
		}); err != nil {
			return err
		}
	}
	return nil
}

// A parquetColumn is a column of an exported table: its type, and how the value of a
// row is appended.
type parquetColumn struct {
	field arrow.Field
	add   func(b array.Builder, rows exported, i int)
}

// exported is a table that is written.
type exported interface{ Len() int }

var (
	amountType = &arrow.Decimal128Type{Precision: 18, Scale: 2}
	dateType   = arrow.FixedWidthTypes.Date32
	momentType = &arrow.TimestampType{Unit: arrow.Millisecond} // wall clock, without a zone
)

func textColumn(name string, at func(rows exported, i int) string) parquetColumn {
	return parquetColumn{arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}, func(b array.Builder, rows exported, i int) {
		if text := at(rows, i); text != "" {
			b.(*array.StringBuilder).Append(text)
			return
		}
		b.AppendNull()
	}}
}

func numberColumn(name string, at func(rows exported, i int) int64) parquetColumn {
	return parquetColumn{arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}, func(b array.Builder, rows exported, i int) {
		if v := at(rows, i); v != schema.Null {
			b.(*array.Int64Builder).Append(v)
			return
		}
		b.AppendNull()
	}}
}

func amountColumn(name string, at func(rows exported, i int) int64) parquetColumn {
	return parquetColumn{arrow.Field{Name: name, Type: amountType, Nullable: true}, func(b array.Builder, rows exported, i int) {
		if v := at(rows, i); v != schema.Null {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64(v))
			return
		}
		b.AppendNull()
	}}
}

func momentColumn(name string, at func(rows exported, i int) int64) parquetColumn {
	return parquetColumn{arrow.Field{Name: name, Type: momentType, Nullable: true}, func(b array.Builder, rows exported, i int) {
		if v := at(rows, i); v != schema.Null {
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(v * 1000))
			return
		}
		b.AppendNull()
	}}
}

func dateColumn(name string, at func(rows exported, i int) int32) parquetColumn {
	return parquetColumn{arrow.Field{Name: name, Type: dateType, Nullable: true}, func(b array.Builder, rows exported, i int) {
		if v := at(rows, i); v != NoDate {
			b.(*array.Date32Builder).Append(arrow.Date32(v))
			return
		}
		b.AppendNull()
	}}
}

// columnOf makes a column of a field by what its name says: status and reason are
// words of the rules, times and amounts are such.
func columnOf(name string, pick func(rows exported) schema.Field, texts func() []string) parquetColumn {
	long := func(rows exported, i int) int64 { return (*pick(rows).Data.(*[]int64))[i] }
	switch name {
	case "status":
		return textColumn(name, func(rows exported, i int) string {
			return rules.Status((*pick(rows).Data.(*[]uint8))[i]).String()
		})
	case "reason":
		return textColumn(name, func(rows exported, i int) string {
			return rules.Reason((*pick(rows).Data.(*[]uint8))[i]).String()
		})
	case "time", "order_time", "bill_time", "created":
		return momentColumn(name, long)
	case "quantity", "price", "gap":
		return numberColumn(name, long)
	}
	switch pick(nil).Data.(type) {
	case *[]int64:
		return amountColumn(name, long)
	case *[]int32:
		return numberColumn(name, func(rows exported, i int) int64 { return int64((*pick(rows).Data.(*[]int32))[i]) })
	case *[]uint32:
		return textColumn(name, func(rows exported, i int) string { return texts()[(*pick(rows).Data.(*[]uint32))[i]] })
	case *[]uint8:
		return numberColumn(name, func(rows exported, i int) int64 { return int64((*pick(rows).Data.(*[]uint8))[i]) })
	}
	return textColumn(name, func(rows exported, i int) string { return string(pick(rows).Data.(*schema.Text).At(i)) })
}

// shownAs are the names of columns where the result tables have others.
var shownAs = map[string]string{
	"merchant": "merchant_pid", "bill_merchant": "bill_merchant_pid", "request_no": "out_request_no", "store": "store_id",
	"bill_store": "bill_store_id", "terminal": "terminal_id", "operator": "operator_id", "provider_pid": "sys_service_provider_id",
	"paid": "buyer_paid", "merchant_red": "merchant_red_packet",
}

// tableColumns are all columns of a table but some.
func tableColumns(fresh schema.Rows, texts func() []string, without ...string) []parquetColumn {
	var columns []parquetColumn
	for k, f := range schema.Fields(fresh) {
		if slices.Contains(without, f.Name) {
			continue
		}
		// The table of the last call, with its fields: one page after the other.
		var last exported = fresh
		fields := schema.Fields(fresh)
		pick := func(rows exported) schema.Field {
			if table, ok := rows.(schema.Rows); ok && rows != last {
				last, fields = rows, schema.Fields(table)
			}
			return fields[k]
		}
		c := columnOf(f.Name, pick, texts)
		if name, ok := shownAs[f.Name]; ok {
			c.field.Name = name
		}
		columns = append(columns, c)
	}
	return columns
}

func businessDate(date int32) parquetColumn {
	return dateColumn("business_date", func(exported, int) int32 { return date })
}

func tradeColumns(r *Revision) []parquetColumn {
	columns := append([]parquetColumn{businessDate(r.Run.Date)}, tableColumns(&schema.Settled{}, r.Words.Texts, "query", "day", "ref", "flags")...)
	for _, flag := range []struct {
		name string
		bit  uint8
	}{
		{"funding_known", schema.SettledSplit},
		{"pid_wrong_key", schema.SettledWrongKey},
		{"pid_unknown", schema.SettledPIDUnknown},
		{"from_api_messages", schema.SettledByMessages},
	} {
		columns = append(columns, parquetColumn{arrow.Field{Name: flag.name, Type: arrow.FixedWidthTypes.Boolean}, func(b array.Builder, rows exported, i int) {
			b.(*array.BooleanBuilder).Append(rows.(*schema.Settled).Flags[i]&flag.bit != 0)
		}})
	}
	return columns
}

func refundColumns(r *Revision) []parquetColumn {
	return append([]parquetColumn{
		businessDate(r.Run.Date),
		textColumn("order_trade_no", func(rows exported, i int) string { return string(tradeNoOf(rows.(*schema.Returned).Ref.At(i))) }),
	}, tableColumns(&schema.Returned{}, r.Words.Texts, "of", "ref", "day")...)
}

func carriedColumns(fresh schema.Rows, since []int32, tables []*schema.Table, texts []string, date int32) []parquetColumn {
	place := func(rows exported, i int) string {
		var table, line int32
		switch rows := rows.(type) {
		case *schema.Bills:
			table, line = rows.Table[i], rows.Line[i]
		case *schema.Orders:
			table, line = rows.Table[i], rows.Line[i]
		case *schema.PosRefunds:
			table, line = rows.Table[i], rows.Line[i]
		}
		if table < 0 || int(table) >= len(tables) {
			return ""
		}
		return tables[table].Source(line)
	}
	return append([]parquetColumn{
		businessDate(date),
		dateColumn("carried_since", func(_ exported, i int) int32 { return since[i] }),
		textColumn("source", place),
	}, tableColumns(fresh, func() []string { return texts }, "table", "line", "kind", "status", "mode", "reason", "excluded",
		"reject", "reject_line", "conflict", "conflict_line", "conflict_value", "pay_code", "pay_code_tail")...)
}

// exportTable writes one file; each hands it the rows.
func exportTable(dir, name string, columns []parquetColumn, each func(add func(exported) error) error) (err error) {
	if err := fsys.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	f, err := fsys.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fields := make([]arrow.Field, len(columns))
	for k, c := range columns {
		fields[k] = c.field
	}
	types := arrow.NewSchema(fields, nil)
	out := bufio.NewWriterSize(f, 1<<16)
	w, err := pqarrow.NewFileWriter(types, onlyWrites{out}, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, types)
	defer b.Release()
	const atOnce = 1 << 16
	rows := 0
	flush := func() error {
		rec := b.NewRecord()
		defer rec.Release()
		rows = 0
		return w.Write(rec)
	}
	err = each(func(table exported) error {
		for i := range table.Len() {
			for k := range columns {
				columns[k].add(b.Field(k), table, i)
			}
			if rows++; rows == atOnce {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return errors.Join(err, w.Close(), out.Flush())
}

// onlyWrites hides what else a writer can: it is not the Parquet writer's to close.
type onlyWrites struct{ w *bufio.Writer }

func (o onlyWrites) Write(p []byte) (int, error) { return o.w.Write(p) }

// exportRow is a table that is a list.
type exportRow[T any] struct{ rows []T }

// Len is the number of rows.
func (e exportRow[T]) Len() int { return len(e.rows) }

func listColumn[T any](name string, at func(*T) string) parquetColumn {
	return textColumn(name, func(rows exported, i int) string { return at(&rows.(exportRow[T]).rows[i]) })
}

func (s *Store) exportBreaks(dir, name string, r *Revision) error {
	breaks, err := r.Breaks()
	if err != nil {
		return err
	}
	columns := []parquetColumn{
		businessDate(r.Run.Date),
		listColumn("id", func(b *Break) string { return b.ID }),
		listColumn("code", func(b *Break) string { return b.Code }),
		listColumn("merchant_pid", func(b *Break) string { return b.Merchant }),
		listColumn("out_trade_no", func(b *Break) string { return b.OutTradeNo }),
		listColumn("trade_no", func(b *Break) string { return b.TradeNo }),
		listColumn("out_request_no", func(b *Break) string { return b.RequestNo }),
		listColumn("amount", func(b *Break) string {
			if b.Micro {
				var sum rules.Sum
				sum.AddInt(b.Amount)
				return sum.String6()
			}
			return rules.Fen(b.Amount).String()
		}),
		dateColumn("first_seen", func(rows exported, i int) int32 { return rows.(exportRow[Break]).rows[i].FirstSeen }),
	}
	return exportTable(filepath.Join(dir, "breaks"), name, columns, func(add func(exported) error) error {
		return add(exportRow[Break]{rows: breaks})
	})
}

func (s *Store) exportRuns(dir string) error {
	runs, err := s.Runs()
	if err != nil {
		return err
	}
	number := func(name string, at func(*Run) int64) parquetColumn {
		return numberColumn(name, func(rows exported, i int) int64 { return at(&rows.(exportRow[Run]).rows[i]) })
	}
	sum := func(list []Tally) (n int64) {
		for _, t := range list {
			n += t.Rows
		}
		return n
	}
	columns := []parquetColumn{
		dateColumn("business_date", func(rows exported, i int) int32 { return rows.(exportRow[Run]).rows[i].Date }),
		number("revision", func(r *Run) int64 { return int64(r.Revision) }),
		listColumn("run", func(r *Run) string { return r.Token }),
		{arrow.Field{Name: "current", Type: arrow.FixedWidthTypes.Boolean}, func(b array.Builder, rows exported, i int) {
			b.(*array.BooleanBuilder).Append(rows.(exportRow[Run]).rows[i].Current)
		}},
		listColumn("job", func(r *Run) string { return r.Job }),
		listColumn("version", func(r *Run) string { return r.Version }),
		number("inputs", func(r *Run) int64 { return int64(len(r.Inputs)) }),
		number("trades", func(r *Run) int64 { return sum(r.Trades) }),
		number("refunds", func(r *Run) int64 { return sum(r.Refunds) }),
		number("carried_in", func(r *Run) int64 { return r.CarriedIn[0] + r.CarriedIn[1] + r.CarriedIn[2] }),
		number("carried_out", func(r *Run) int64 { return r.CarriedOut[0] + r.CarriedOut[1] + r.CarriedOut[2] }),
		number("looked_up", func(r *Run) int64 { return r.LookedUp }),
		number("breaks", func(r *Run) int64 { return r.Breaks }),
		listColumn("break_amount", func(r *Run) string { return r.BreakAmount }),
		number("exit_code", func(r *Run) int64 { return int64(r.ExitCode) }),
		listColumn("started", func(r *Run) string { return r.Started.Format(time.RFC3339) }),
		number("duration_ms", func(r *Run) int64 { return r.Duration.Milliseconds() }),
	}
	return exportTable(dir, "runs.parquet", columns, func(add func(exported) error) error {
		return add(exportRow[Run]{rows: runs})
	})
}
