package reports

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// readParquet gives the rows of a table's folder as CSV has them.
func readParquet(t *testing.T, all map[string]string, name string) [][]string {
	t.Helper()
	var rows [][]string
	for _, path := range sortedNames(all) {
		if !strings.HasPrefix(path, name+".parquet/") {
			continue
		}
		pf, err := file.NewParquetReader(bytes.NewReader([]byte(all[path])))
		if err != nil {
			t.Fatal(err)
		}
		reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		tbl, err := reader.ReadTable(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if rows == nil {
			rows = append(rows, nil)
			for _, f := range tbl.Schema().Fields() {
				rows[0] = append(rows[0], f.Name)
			}
		}
		tr := array.NewTableReader(tbl, 0)
		for tr.Next() {
			rec := tr.Record()
			for i := range int(rec.NumRows()) {
				row := make([]string, rec.NumCols())
				for k := range row {
					row[k] = cellText2(t, rec.ColumnName(k), rec.Column(k), i)
				}
				rows = append(rows, row)
			}
		}
		tr.Release()
		tbl.Release()
	}
	return rows
}

func sortedNames(all map[string]string) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// cellText2 renders a cell of an Arrow array as CSV does.
func cellText2(t *testing.T, name string, a arrow.Array, i int) string {
	if a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(i))
	case *array.Int64:
		return itoa(a.Value(i))
	case *array.Boolean:
		return map[bool]string{true: "true", false: "false"}[a.Value(i)]
	case *array.Timestamp:
		kind := a.DataType().(*arrow.TimestampType)
		if kind.Unit != arrow.Millisecond || kind.TimeZone != "Asia/Shanghai" {
			t.Errorf("%s is %s", name, kind)
		}
		return time.UnixMilli(int64(a.Value(i))).In(shanghai).Format("2006-01-02 15:04:05")
	case *array.Decimal128:
		kind := a.DataType().(*arrow.Decimal128Type)
		v := rules.SumOf(a.Value(i).HighBits(), a.Value(i).LowBits())
		switch kind.String() {
		case "decimal(18, 2)":
			return v.String2()
		case "decimal(20, 6)":
			return v.String6()
		case "decimal(22, 6)":
			if name == "price" {
				return v.String6()
			}
			return string(v.AppendDecimal(nil, 6, 0))
		case "decimal(9, 6)":
			return string(v.AppendDecimal(nil, 6, 0))
		}
	}
	t.Fatalf("%s has type %s", name, a.DataType())
	return ""
}

// What is in Parquet is what is in CSV, cell by cell.
func TestParquetRoundTrip(t *testing.T) {
	for _, codec := range []Codec{Zstd, Snappy} {
		for _, sorted := range []bool{false, true} {
			d := newDay(2, 3, 40)
			o := d.options(t.TempDir())
			o.Parquet, o.Sort = codec, sorted
			d.write(t, o, []int{0, 2, 1})
			all := files(t, o.Dir)
			for _, name := range []string{"trades", "refunds", "goods", "rebates", "rebate_groups", "devices", "shifts", "breaks", "rejects"} {
				got, want := readParquet(t, all, name), records(t, all[name+".csv"])
				if len(got) != len(want) {
					t.Fatalf("%s: %d rows, want %d", name, len(got), len(want))
				}
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Fatalf("%s, row %d:\n got %q\nwant %q", name, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// Ids have no dictionary; words have, and amounts where they are few.
func TestParquetEncodings(t *testing.T) {
	d := newDay(2, 1, 100)
	o := d.options(t.TempDir())
	d.write(t, o, []int{0})
	pf, err := file.OpenParquetFile(filepath.Join(o.Dir, "trades.parquet", "part-00000.parquet"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer pf.Close()
	few := []string{"red_packet", "coupon", "refunded", "carried_days"}
	for k, c := range d.parts[0].Trades.Columns() {
		chunk, err := pf.MetaData().RowGroup(0).ColumnChunk(k)
		if err != nil {
			t.Fatal(err)
		}
		want := c.Type == schema.WordType || c.Type == schema.EnumType || slices.Contains(few, c.Name)
		if got := chunk.HasDictionaryPage(); got != want {
			t.Errorf("%s has a dictionary: %v, want %v", c.Name, got, want)
		}
	}
}

// A file reads as the plain encoder's does: its schema with its metadata, and
// every cell.
func TestParquetAsPlain(t *testing.T) {
	for _, rows := range []int{0, 1, 9, 3000} {
		for _, codec := range []Codec{Zstd, Snappy} {
			for _, sorted := range []bool{false, true} {
				d := newDay(uint64(rows)+3, 1, rows)
				o := d.options(t.TempDir())
				o.Parquet, o.Sort = codec, sorted
				w := NewWriter(o)
				enc := w.takeEncoder()
				plain := plainParquet{parquetEncoder: parquetEncoder{
					lookup: w.lookup, codec: codec, zone: enc.parquet.zone, sorted: sorted,
				}}
				tables := w.opts.Results.tablesOf(nil, d.parts[0])
				for _, whole := range w.wholeTables(d.result()) {
					tables = append(tables, whole.of(0, whole.rows))
				}
				for i := range tables {
					var got, want bytes.Buffer
					if err := enc.parquet.write(&got, &tables[i]); err != nil {
						t.Fatal(err)
					}
					if err := plain.write(&want, &tables[i]); err != nil {
						t.Fatal(err)
					}
					sameTable(t, tables[i].name, got.Bytes(), want.Bytes())
				}
			}
		}
	}
}

func sameTable(t *testing.T, name string, got, want []byte) {
	t.Helper()
	g, w := readTable(t, got), readTable(t, want)
	defer g.Release()
	defer w.Release()
	if !g.Schema().Equal(w.Schema()) || g.NumRows() != w.NumRows() {
		t.Fatalf("%s:\n got %d rows of %s\nwant %d rows of %s", name, g.NumRows(), g.Schema(), w.NumRows(), w.Schema())
	}
	for k := range int(w.NumCols()) {
		column := w.Column(k).Name()
		gc, wc := columnText(t, g, k), columnText(t, w, k)
		for i := range wc {
			if gc[i] != wc[i] {
				t.Fatalf("%s: %s[%d] = %q, want %q", name, column, i, gc[i], wc[i])
			}
		}
	}
}

func readTable(t *testing.T, data []byte) arrow.Table {
	t.Helper()
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := reader.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

func columnText(t *testing.T, tbl arrow.Table, k int) []string {
	t.Helper()
	var cells []string
	for _, a := range tbl.Column(k).Data().Chunks() {
		for i := range a.Len() {
			cells = append(cells, cellText2(t, tbl.Column(k).Name(), a, i))
		}
	}
	return cells
}

// A part without rows has no file, but the first has.
func TestParquetEmpty(t *testing.T) {
	d := newDay(2, 3, 0)
	for _, sorted := range []bool{false, true} {
		o := d.options(t.TempDir())
		o.Sort = sorted
		d.write(t, o, []int{0, 1, 2})
		entries, err := os.ReadDir(filepath.Join(o.Dir, "trades.parquet"))
		if err != nil || len(entries) != 1 || entries[0].Name() != "part-00000.parquet" {
			t.Errorf("files = %v, %v", entries, err)
		}
		if got := readParquet(t, files(t, o.Dir), "trades"); len(got) != 1 || got[0][0] != "merchant_pid" {
			t.Errorf("rows = %v", got)
		}
	}
}

type fullDisk struct{ room int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

// An error of the file is never lost, at whatever byte it comes.
func TestParquetFullDisk(t *testing.T) {
	d := newDay(2, 1, 200)
	w := NewWriter(d.options(t.TempDir()))
	enc := w.takeEncoder()
	tables := Results{Trades: true}.tablesOf(nil, d.parts[0])
	var whole bytes.Buffer
	if err := enc.parquet.write(&whole, &tables[0]); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len(); room += whole.Len()/50 + 1 {
		if err := enc.parquet.write(&fullDisk{room}, &tables[0]); err == nil {
			t.Errorf("no error with room for %d of %d bytes", room, whole.Len())
		}
	}
	if err := enc.parquet.write(&fullDisk{whole.Len() - 1}, &tables[0]); err == nil {
		t.Error("no error for the last byte")
	}
}

func TestZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for _, loc := range []*time.Location{shanghai, berlin, time.UTC} {
		z := newZone(loc)
		for wall := int64(1774000000); wall < 1774000000+400*86400; wall += 5000 {
			u := time.Unix(wall, 0).UTC()
			want := time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, loc).Unix()
			if got := z.instant(wall); got != want {
				t.Fatalf("%s: instant(%d) = %d, want %d", loc, wall, got, want)
			}
		}
	}
}
