package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

var update = flag.Bool("update", false, "rewrite golden files")

func upTo(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func sameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	if !slices.Equal(slices.Sorted(maps.Keys(got)), names) {
		t.Fatalf("files = %v, want %v", slices.Sorted(maps.Keys(got)), names)
	}
	for _, name := range names {
		if got[name] != want[name] {
			t.Errorf("%s differs", name)
		}
	}
}

// Every way in which parts may arrive gives the same bytes.
func TestDeterminism(t *testing.T) {
	for _, sorted := range []bool{false, true} {
		d := newDay(3, 7, 60)
		write := func(memory int64, run func(w *Writer)) map[string]string {
			o := d.options(t.TempDir())
			o.Memory, o.Sort = memory, sorted
			w := NewWriter(o)
			if err := w.Begin(len(d.parts)); err != nil {
				t.Fatal(err)
			}
			run(w)
			if err := w.Finish(context.Background(), d.result(), Outcome{}); err != nil {
				t.Fatal(err)
			}
			return files(t, o.Dir)
		}
		in := func(order []int) func(w *Writer) {
			return func(w *Writer) {
				for _, i := range order {
					if err := w.Part(context.Background(), d.parts[i]); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		want := write(0, in(upTo(7)))
		reverse := upTo(7)
		slices.Reverse(reverse)
		sameFiles(t, write(0, in(reverse)), want)
		sameFiles(t, write(1, in(reverse)), want) // all through temporary files
		sameFiles(t, write(1, in([]int{3, 1, 0, 2, 6, 5, 4})), want)
		for _, memory := range []int64{0, 1, 30_000} {
			sameFiles(t, write(memory, func(w *Writer) {
				var wg sync.WaitGroup
				for _, p := range d.parts {
					wg.Go(func() {
						if err := w.Part(context.Background(), p); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			}), want)
		}
	}
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(o *Options)
	}{
		{"zh", func(*Options) {}},
		{"en", func(o *Options) { o.Lang = English }},
		{"bom", func(o *Options) { o.CSVBOM = true }},
		{"sorted", func(o *Options) { o.Sort = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDay(1, 2, 5)
			o := d.options(t.TempDir())
			o.Formats = Formats{CSV: true, JSON: true, HTML: true}
			c.set(&o)
			d.write(t, o, []int{1, 0})
			for name, got := range files(t, o.Dir) {
				got = strings.Replace(got, chartLibrary, "the charting library", 1)
				golden := filepath.Join("testdata", c.name, name)
				if *update {
					if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs from %s; -update rewrites it", name, golden)
				}
			}
		})
	}
}

// Sorted tables have the rows of the unsorted ones, by key.
func TestSort(t *testing.T) {
	d := newDay(5, 4, 50)
	tables := map[bool]map[string]string{}
	for _, sorted := range []bool{false, true} {
		o := d.options(t.TempDir())
		o.Sort = sorted
		d.write(t, o, []int{2, 0, 3, 1})
		tables[sorted] = files(t, o.Dir)
	}
	for _, name := range []string{"trades", "refunds", "goods", "rebates"} {
		plain, sorted := records(t, tables[false][name+".csv"]), records(t, tables[true][name+".csv"])
		head := plain[0]
		key := func(row []string) string {
			s := row[0] + "\x00" + row[1] + "\x00"
			for _, third := range []string{"out_request_no", "line", "product"} {
				if i := slices.Index(head, third); i >= 0 {
					s += row[i]
				}
			}
			return s
		}
		if !slices.IsSortedFunc(sorted[1:], func(a, b []string) int { return strings.Compare(key(a), key(b)) }) {
			t.Errorf("%s is not in the key's order", name)
		}
		all := func(rows [][]string) []string {
			var lines []string
			for _, row := range rows {
				lines = append(lines, strings.Join(row, "\x1f"))
			}
			slices.Sort(lines)
			return lines
		}
		if !slices.Equal(all(plain), all(sorted)) {
			t.Errorf("%s: the sorted table has other rows", name)
		}
	}
}

func records(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, bom))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A part of the work that was left out has no tables.
func TestLeftOut(t *testing.T) {
	d := newDay(1, 1, 3)
	o := d.options(t.TempDir())
	o.Results = ResultsOf([]engine.PartState{{Name: "trades", Ran: true}, {Name: "refunds", Ran: true}, {Name: "goods", Ran: false}})
	d.write(t, o, []int{0})
	got := slices.Sorted(maps.Keys(files(t, o.Dir)))
	want := []string{
		"breaks.csv", "breaks.parquet/part-00000.parquet", "refunds.csv", "refunds.parquet/part-00000.parquet",
		"rejects.csv", "rejects.parquet/part-00000.parquet", "report.html", "report.xlsx", "summary.json",
		"trades.csv", "trades.parquet/part-00000.parquet",
	}
	if !slices.Equal(got, want) {
		t.Errorf("files = %v, want %v", got, want)
	}
}

func TestMissingPart(t *testing.T) {
	for _, sorted := range []bool{false, true} {
		d := newDay(1, 3, 3)
		o := d.options(t.TempDir())
		o.Sort = sorted
		w := NewWriter(o)
		defer w.Close()
		if err := w.Begin(3); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 2} {
			if err := w.Part(context.Background(), d.parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		err := w.Finish(context.Background(), d.result(), Outcome{})
		if err == nil || !strings.Contains(err.Error(), "part 1 of 3 never came") {
			t.Errorf("sorted %v: Finish = %v", sorted, err)
		}
	}
}

// Nothing but the outputs stays, also where parts went through temporary files.
func TestNoTemporaryFiles(t *testing.T) {
	d := newDay(1, 3, 10)
	for _, sorted := range []bool{false, true} {
		o := d.options(t.TempDir())
		o.Memory, o.Sort = 1, sorted
		d.write(t, o, []int{2, 1, 0})
		entries, err := os.ReadDir(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s is left", e.Name())
			}
		}
	}
}

func TestFail(t *testing.T) {
	d := newDay(1, 1, 1)
	o := d.options(t.TempDir())
	if err := NewWriter(o).Fail(d.result(), Outcome{ExitCode: 3}); err != nil {
		t.Fatal(err)
	}
	got := files(t, o.Dir)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, []string{"rejects.csv", "summary.json"}) {
		t.Errorf("files = %v", names)
	}
	if !isSummary([]byte(got["summary.json"])) {
		t.Error("summary.json is not taken for a summary")
	}
}

func TestSheetFields(t *testing.T) {
	for _, c := range []struct {
		in   string
		form form
		want string
	}{
		{"", sheetIDForm, ""},
		{"S001", sheetIDForm, "S001\t"},
		{"S001", sheetForm, "S001"},
		{"=1+1", sheetForm, "'=1+1"},
		{"+8613800000000", sheetForm, "'+8613800000000"},
		{"-2+3", sheetIDForm, "'-2+3\t"},
		{"@SUM(A1)", sheetForm, "'@SUM(A1)"},
		{"\t=1", sheetForm, "'\t=1"},
		{"\r=1", sheetForm, "\"'\r=1\""},
		{"\n=1", sheetForm, "\"'\n=1\""},
		{"  =1", sheetForm, "'  =1"},
		{"＝1+1", sheetForm, "'＝1+1"},
		{"=HYPERLINK(\"http://x\",\"y\")", sheetForm, "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""},
		{"a;=1", sheetForm, "\"a;=1\""},
		{"'=1", sheetForm, "'=1"},
	} {
		if got := string(appendSheetField(nil, []byte(c.in), c.form)); got != c.want {
			t.Errorf("appendSheetField(%q, %v) = %q, want %q", c.in, c.form, got, c.want)
		}
		if got := renderWord(c.in, c.form); got != c.want {
			t.Errorf("renderWord(%q, %v) = %q, want %q", c.in, c.form, got, c.want)
		}
	}
}

func TestCSVAsTheStandardWrites(t *testing.T) {
	for _, field := range []string{"", "a", "a,b", "a\"b", "\"", "a\nb", "a\rb", "商品，x", "a'b", ";"} {
		var want bytes.Buffer
		w := csv.NewWriter(&want)
		_ = w.Write([]string{"x", field})
		w.Flush()
		if got := "x," + string(appendField(nil, []byte(field))) + "\n"; got != want.String() {
			t.Errorf("appendField(%q) = %q, want %q", field, got, want.String())
		}
	}
}

func TestDays(t *testing.T) {
	for _, c := range []struct {
		seconds int64
		want    string
	}{
		{0, "1970-01-01 00:00:00"},
		{-1, "1969-12-31 23:59:59"},
		{951782399, "2000-02-28 23:59:59"},
		{951782400, "2000-02-29 00:00:00"},
		{1795103999, "2026-11-19 15:59:59"},
		{4107542400, "2100-03-01 00:00:00"},
		{-62167219200, "0000-01-01 00:00:00"},
	} {
		if got := momentText(c.seconds); got != c.want {
			t.Errorf("momentText(%d) = %q, want %q", c.seconds, got, c.want)
		}
	}
}

func TestAppendFen(t *testing.T) {
	for _, v := range []int64{0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 999_999, 1_000_000, 123_456_789, 999_999_999, 1_000_000_000, -1, -12_345, int64(rules.MaxFen)} {
		if got, want := string(appendFen(nil, v)), rules.Fen(v).String(); got != want {
			t.Errorf("appendFen(%d) = %s, want %s", v, got, want)
		}
	}
	for v := range int64(2_000_000) {
		if got, want := string(appendFen(nil, v)), rules.Fen(v).String(); got != want {
			t.Fatalf("appendFen(%d) = %s, want %s", v, got, want)
		}
	}
}

// Long tables are written slice by slice, and read as one.
func TestSlices(t *testing.T) {
	d := newDay(1, 1, 1)
	r := d.result()
	long := strings.Repeat("x", 50)
	r.Rejects = nil
	for i := range 8 {
		r.Rejects = append(r.Rejects, schema.Reject{Table: 1, Line: int32(i + 1), Code: rules.CodeColumnCount, Raw: long})
	}
	o := d.options(t.TempDir())
	w := NewWriter(o)
	table := w.rejects(r)
	table.limit = 101
	if err := w.writeWhole(context.Background(), &table, Formats{CSV: true, Parquet: true}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(o.Dir, "rejects.parquet"))
	if err != nil || len(entries) != 3 {
		t.Errorf("parts = %v, %v, want 3", entries, err)
	}
	all := files(t, o.Dir)
	if got, want := readParquet(t, all, "rejects"), records(t, all["rejects.csv"]); len(got) != 9 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%d rows in Parquet, %d in CSV, want 9", len(got), len(want))
	}
}
