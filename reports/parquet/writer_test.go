package parquet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// readCells gives the cells of a file, by column, as the Arrow project's reader
// sees them.
func readCells(t testing.TB, data []byte) (names []string, cells [][]string) {
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
	defer tbl.Release()
	cells = make([][]string, tbl.NumCols())
	for k := range cells {
		names = append(names, tbl.Column(k).Name())
		for _, a := range tbl.Column(k).Data().Chunks() {
			for i := range a.Len() {
				cells[k] = append(cells[k], cellOf(t, a, i))
			}
		}
	}
	return names, cells
}

func cellOf(t testing.TB, a arrow.Array, i int) string {
	if a.IsNull(i) {
		return null
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10)
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i))
	case *array.Timestamp:
		return strconv.FormatInt(int64(a.Value(i)), 10)
	case *array.Decimal128:
		return a.Value(i).BigInt().String()
	}
	t.Fatalf("a column of %s", a.DataType())
	return ""
}

func TestRoundTrip(t *testing.T) {
	for _, codec := range []Codec{Zstd, Snappy} {
		for _, rows := range []int{0, 1, 7, 8, 9, 333, 5000, pageRows, 100_000} {
			for _, nulls := range []int{0, 20, 100} {
				if rows > 5000 && (testing.Short() || codec != Zstd || nulls == 100) {
					continue
				}
				t.Run(fmt.Sprintf("%d/%d rows/%d%% nulls", codec, rows, nulls), func(t *testing.T) {
					m := randomModel(3, rows, nulls)
					names, cells := readCells(t, m.file(t, codec))
					for k, f := range m.fields {
						if names[k] != f.Name || len(cells[k]) != rows {
							t.Fatalf("column %s has %d rows, want %s and %d", names[k], len(cells[k]), f.Name, rows)
						}
						for i, want := range m.cells[k] {
							if got := cells[k][i]; got != want {
								t.Fatalf("%s[%d] = %.60q, want %.60q", f.Name, i, got, want)
							}
						}
					}
				})
			}
		}
	}
}

// What the footer says is what the columns are.
func TestFooter(t *testing.T) {
	const rows = 5000
	m := randomModel(4, rows, 20)
	pf, err := file.NewParquetReader(bytes.NewReader(m.file(t, Zstd)))
	if err != nil {
		t.Fatal(err)
	}
	meta := pf.MetaData()
	if *meta.CreatedBy != "duizhang" || *meta.KeyValueMetadata().FindValue("made") != "up" {
		t.Errorf("created by %q, metadata %v", *meta.CreatedBy, meta.KeyValueMetadata())
	}
	for k, f := range m.fields {
		chunk, err := meta.RowGroup(0).ColumnChunk(k)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		var nulls int64
		for _, cell := range m.cells[k] {
			if cell == null {
				nulls++
			}
		}
		if stats.NullCount() != nulls {
			t.Errorf("%s: %d nulls, want %d", f.Name, stats.NullCount(), nulls)
		}
		low, high, ranged := rangeOf(stats)
		if !ranged {
			if want := f.Range && f.Name != "text_long"; want && f.Name != "sum_fen" {
				t.Errorf("%s has no range", f.Name)
			}
			continue
		}
		if !f.Range {
			t.Errorf("%s has a range", f.Name)
		}
		wantLow, wantHigh := null, null
		for _, cell := range m.cells[k] {
			if cell == null {
				continue
			}
			if wantLow == null || lessCell(&f, cell, wantLow) {
				wantLow = cell
			}
			if wantHigh == null || lessCell(&f, wantHigh, cell) {
				wantHigh = cell
			}
		}
		if low != wantLow || high != wantHigh {
			t.Errorf("%s ranges from %s to %s, want %s to %s", f.Name, low, high, wantLow, wantHigh)
		}
	}
}

func lessCell(f *Field, a, b string) bool {
	if f.Kind == Text {
		return a < b
	}
	x, _ := strconv.ParseInt(a, 10, 64)
	y, _ := strconv.ParseInt(b, 10, 64)
	return x < y
}

func rangeOf(s metadata.TypedStatistics) (low, high string, ok bool) {
	if !s.HasMinMax() {
		return "", "", false
	}
	switch s := s.(type) {
	case *metadata.Int64Statistics:
		return strconv.FormatInt(s.Min(), 10), strconv.FormatInt(s.Max(), 10), true
	case *metadata.Int32Statistics:
		return strconv.Itoa(int(s.Min())), strconv.Itoa(int(s.Max())), true
	case *metadata.ByteArrayStatistics:
		return string(s.Min()), string(s.Max()), true
	}
	return "", "", false
}

// The same columns give the same bytes, whatever the Writer wrote before.
func TestDeterministic(t *testing.T) {
	for _, codec := range []Codec{Zstd, Snappy} {
		w := NewWriter(codec)
		for seed := range uint64(6) {
			m := randomModel(seed, 2000+int(seed)*917%3000, 10*int(seed))
			var out bytes.Buffer
			if err := m.writeTo(w, &out); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), m.file(t, codec)) {
				t.Errorf("model %d has other bytes of a used Writer", seed)
			}
		}
	}
}

// Rows and pages allocate nothing. The race detector lets the codecs lose some of
// the memory that they share, hence the room.
func TestAllocs(t *testing.T) {
	for _, codec := range []Codec{Zstd, Snappy} {
		m := randomModel(1, 20_000, 10)
		schema := NewSchema(m.fields)
		w := NewWriter(codec)
		allocs := testing.AllocsPerRun(5, func() {
			w.Begin(io.Discard, schema, m.rows)
			for _, write := range m.write {
				write(w)
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > float64(len(m.fields)) {
			t.Errorf("%v allocations a file of %d columns", allocs, len(m.fields))
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

func TestFullDisk(t *testing.T) {
	m := randomModel(1, 20_000, 10)
	size := len(m.file(t, Snappy))
	w := NewWriter(Snappy)
	for room := 0; room < size; room += size/20 + 1 {
		if err := m.writeTo(w, &fullDisk{room}); err == nil {
			t.Errorf("no error with room for %d of %d bytes", room, size)
		}
	}
	if err := m.writeTo(w, &fullDisk{size}); err != nil {
		t.Errorf("error %v behind those of other files", err)
	}
}
