package loaders

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"

	"duizhang/engine/schema"
	"duizhang/rules"
)

func writeFile(t testing.TB, name string, data []byte) Input {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Input{Kind: schema.AlipayBill, Path: path, Name: name}
}

// TestChunks reads one bill in chunks of every size, by one worker and by eight:
// rows, rejects and tables are the same.
func TestChunks(t *testing.T) {
	bill := bigBill(400)
	bill = bytes.Replace(bill, []byte(",0.00,\n"), []byte(",0.00\n"), 3)          // cells_padded
	bill = bytes.Replace(bill, []byte("\tPOS"), []byte("\t\"POS"), 1)             // never a quote
	bill = bytes.Replace(bill, []byte(",POS20261120000001"), []byte(",\"P"), 2)   // quote_literal
	bill = bytes.Replace(bill, []byte(",op2\t"), []byte(",\xff\t"), 2)            // bytes_replaced
	bill = bytes.Replace(bill, []byte("2026-11-20 1"), []byte("2026-11-31 1"), 5) // time_syntax
	in := writeFile(t, "20881234567890120156_20261120.csv", bill)
	want, wantTables := loadBills(t, Options{Workers: 1}, in)
	if len(want.rows) < 390 || len(want.rejects) < 3 {
		t.Fatalf("%d rows, %d rejects", len(want.rows), len(want.rejects))
	}
	for _, size := range []int{1, 7, 250, 1000, 4096, 100_000} {
		for _, workers := range []int{1, 8} {
			got, tables := loadBills(t, Options{Workers: workers, chunkSize: size}, in)
			name := fmt.Sprintf("chunks of %d, %d workers", size, workers)
			if !slices.Equal(got.rows, want.rows) {
				t.Errorf("%s: %d rows, want %d", name, len(got.rows), len(want.rows))
			}
			if !slices.Equal(got.rejects, want.rejects) {
				t.Errorf("%s: rejects %v, want %v", name, got.rejects, want.rejects)
			}
			if g, w := fmt.Sprintf("%+v", *tables[0]), fmt.Sprintf("%+v", *wantTables[0]); stripPointers(tables[0]) != stripPointers(wantTables[0]) {
				t.Errorf("%s: table %s, want %s", name, g, w)
			}
		}
	}
}

func stripPointers(tab *schema.Table) string {
	s := outcome(tab) + fmt.Sprint(tab.Problems, tab.More, tab.Encoding, tab.Account, tab.SHA256, tab.FirstTime, tab.LastTime)
	for _, c := range tab.Controls {
		s += c.Name + c.Found
	}
	return s
}

// TestRecordChunks cuts a canonical table with cells over several lines, quotes
// that are never closed and quotes in the middle of cells at every place.
func TestRecordChunks(t *testing.T) {
	var b strings.Builder
	b.WriteString("out_trade_no,order_time,total_amount,goods_name,quantity,price\n")
	for i := range 60 {
		name := []string{
			"可乐", `"可乐,330ml"`, "\"两\n行\"", `5" 屏`, `"say ""hi"" x"`, "\"a\n\nb\"\"\nc\"", `"never closed`, `"closed" text`, "",
		}[i%9]
		fmt.Fprintf(&b, "P%03d,2026-11-20 10:00:%02d,1.00,%s,1,1.00\n", i, i, name)
	}
	in := writeFile(t, "pos.csv", []byte(b.String()))
	in.Kind = schema.PosOrders
	load := func(size, workers int) string {
		words := schema.NewWords()
		s := &orderSink{words: words}
		res, err := Load(context.Background(), []Input{in}, Options{Words: words, Workers: workers, chunkSize: size}, s)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(s.lines)
		return strings.Join(s.lines, "\n") + stripPointers(res.Tables[0])
	}
	want := load(1<<20, 1)
	if n := strings.Count(want, "P0"); n < 50 {
		t.Fatalf("%d orders in\n%s", n, want)
	}
	for size := 1; size < 400; size += 1 + size/8 {
		if got := load(size, 1+size%3); got != want {
			t.Fatalf("chunks of %d:\n%s\nwant\n%s", size, got, want)
		}
	}
}

// An orderSink keeps the numbers and lines of orders and of rejects.
type orderSink struct {
	billSink
	words *schema.Words
	lines []string
}

func (s *orderSink) Batch(_ context.Context, b schema.Batch) error {
	var orders schema.Orders
	if err := schema.View(&orders, b.Rows); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range orders.Line {
		s.lines = append(s.lines, fmt.Sprintf("%05d %s %d", orders.Line[i], orders.OutTradeNo.At(i), orders.Lines[i]))
	}
	return nil
}

func (s *orderSink) Reject(r schema.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%05d %v %q", r.Line, r.Code, r.Raw))
}

// TestLongLine reads a line of 100 MB between two rows: it is one reject, and it is
// not held.
func TestLongLine(t *testing.T) {
	f := &fixtures{rng: newRand()}
	text := string(gbk(f.v25().text()))
	lines := strings.SplitAfter(text, "\n")
	path := filepath.Join(t.TempDir(), "long.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, strings.Join(lines[:6], ""))
	block := bytes.Repeat([]byte("x,"), 1<<19)
	for range 100 {
		file.Write(block)
	}
	io.WriteString(file, "\n"+strings.Join(lines[6:], ""))
	file.Close()
	s, tables := loadBills(t, Options{}, Input{Kind: schema.AlipayBill, Path: path, Name: "long.csv"})
	if len(s.rows) != 5 || len(s.rejects) != 1 || s.rejects[0].Code != rules.CodeColumnCount || s.rejects[0].Line != 7 || len(s.rejects[0].Raw) > 2*maxRaw {
		t.Errorf("%d rows, rejects %d %s", len(s.rows), len(s.rejects), outcome(tables[0]))
	}
	if want := "00008"; !strings.Contains(s.rows[1], want) {
		t.Errorf("second row is %s, want line %s", s.rows[1], want)
	}
}

// TestNUL reads a byte that does not decode in a number and in a text.
func TestNUL(t *testing.T) {
	f := &fixtures{rng: newRand()}
	b := f.v25()
	b.rows[0]["商品名称"], b.rows[1]["商户订单号"] = "咖@啡", "POS@124"
	in := writeFile(t, "20881234567890120156.csv", bytes.ReplaceAll([]byte(b.text()), []byte("@"), []byte{0}))
	_, tables := loadBills(t, Options{}, in)
	if got, want := outcome(tables[0]), "trade_bill V25 4/5 bytes_replaced=1 !encoding=1"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
}

// TestZipBomb stops at the limits, while reading.
func TestZipBomb(t *testing.T) {
	f := &fixtures{rng: newRand()}
	path := filepath.Join(t.TempDir(), "bomb.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	w, err := z.Create("x.csv")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(f.v25().text()))
	zeros := make([]byte, 1<<20)
	for range 200 {
		w.Write(zeros)
	}
	z.Close()
	file.Close()
	_, tables := loadBills(t, Options{}, Input{Kind: schema.AlipayBill, Path: path, Name: "bomb.zip"})
	if got, want := outcome(tables[0]), "refused !archive_unsafe=1"; !strings.HasPrefix(got, "refused") || !strings.Contains(got, "!archive_unsafe=1") {
		t.Errorf("Load = %s, want %s", got, want)
	}
	many := make([]zipMember, maxMembers+1)
	for i := range many {
		many[i] = zipMember{fmt.Sprintf("%d.csv", i), []byte("x")}
	}
	_, tables = loadBills(t, Options{}, writeFile(t, "many.zip", packed(many...)))
	if got, want := outcome(tables[0]), "refused !archive_unsafe=1"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
}

// TestGzip reads a bill in gzip, whatever its name.
func TestGzip(t *testing.T) {
	f := &fixtures{rng: newRand()}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(gbk(f.v25().text()))
	z.Close()
	_, tables := loadBills(t, Options{}, writeFile(t, "bill.csv", buf.Bytes()))
	if got, want := outcome(tables[0]), "trade_bill V25 5/5"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
	cut := buf.Bytes()[:buf.Len()-20]
	_, tables = loadBills(t, Options{}, writeFile(t, "cut.csv.gz", cut))
	if !tables[0].Refused || tables[0].Problems[0].Code != "unreadable" {
		t.Errorf("a cut gzip file: %s", outcome(tables[0]))
	}
}

// TestRefusals says every refusal in the one form of messages.
func TestRefusals(t *testing.T) {
	f := &fixtures{rng: newRand()}
	bill := func(change func(b *billFile)) []byte {
		b := f.v25()
		change(b)
		return gbk(b.text())
	}
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{
			"missing.csv",
			bill(func(b *billFile) {
				b.header = strings.NewReplacer("商户订单号", "商户定单号", ",完成时间", "").Replace(b.header)
			}),
			"column_missing 5 : required columns are missing: 商户订单号 (nearest: 商户定单号); 完成时间 (nearest: 创建时间)",
		},
		{
			"no_received.csv",
			bill(func(b *billFile) { b.header = strings.Replace(b.header, ",商家实收（元）", "", 1) }),
			"column_missing 5 : required columns are missing: 商家实收 (nearest: 商家优惠)",
		},
		{
			"doubled.csv",
			bill(func(b *billFile) { b.header += ",订单金额(元)" }),
			"column_duplicate 5 订单金额(元): a column name occurs twice: 订单金额(元)",
		},
		{"empty.csv", nil, "unrecognised 0 : no known format: the file is empty"},
		{"noise.csv", []byte("\xff\xfe\x00a\x00,\nb"), "unrecognised 0 : no known format\n    ���a�,\n    b"},
		{"account.csv", append(gbk(f.v25().text()), gbk(strings.Replace(f.v25().text(), "2088123", "2088999", 1))...), "account_conflict 16 : two accounts in one file: 2088123456789012, 2088999456789012"},
	} {
		_, tables := loadBills(t, Options{Lang: "en"}, writeFile(t, test.name, test.data))
		got := "not refused"
		if tables[0].Refused {
			for _, p := range tables[0].Problems {
				if p.Code != "control_not_stated" && !strings.HasPrefix(p.Code, "enum") {
					got = fmt.Sprintf("%s %d %s: %s", p.Code, p.Line, p.Column, p.Message)
				}
			}
		}
		if got != test.want {
			t.Errorf("Load(%s):\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

func TestFileErrorText(t *testing.T) {
	e := &FileError{
		Code: "column_missing", Pos: schema.Pos{File: "bill.zip:1101.csv", Line: 7, Column: 12, Name: "订单金额"},
		Value: "1O.00", Detail: "x", Lang: "en", Cause: os.ErrNotExist,
	}
	if got, want := e.Error(), `bill.zip:1101.csv:7:12 (订单金额): "1O.00": required columns are missing: x`; got != want {
		t.Errorf("Error() = %s, want %s", got, want)
	}
	if !errors.Is(e, os.ErrNotExist) {
		t.Error("the cause is not wrapped")
	}
}

// TestSinkError stops the run at the first error of the sink.
func TestSinkError(t *testing.T) {
	in := writeFile(t, "20881234567890120156.csv", bigBill(2000))
	want := errors.New("no room")
	_, err := Load(context.Background(), []Input{in, in}, Options{chunkSize: 1000, Workers: 3}, failingSink{want})
	if !errors.Is(err, want) {
		t.Errorf("Load = %v, want %v", err, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, []Input{in}, Options{}, failingSink{nil}); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want %v", err, context.Canceled)
	}
}

type failingSink struct{ err error }

func (s failingSink) Batch(context.Context, schema.Batch) error { return s.err }
func (failingSink) Reject(schema.Reject)                        {}

// TestRawLines gives lines back as written.
func TestRawLines(t *testing.T) {
	for _, file := range []string{"v25_base.csv", "v25_gbk_names.zip"} {
		member := ""
		if strings.HasSuffix(file, ".zip") {
			member = fixtureAccount + "_20261119_业务明细.csv"
		}
		got, err := RawLines(context.Background(), filepath.Join("testdata", file), member, []int32{10, 1, 6, 99})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 3 || got[1] != "#支付宝业务明细查询" || !strings.HasPrefix(got[6], "2026111922001400000010000001\t,POS000123\t,交易\t,咖啡,") ||
			!strings.Contains(got[10], "退款") {
			t.Errorf("RawLines(%s) = %q", file, got)
		}
	}
	if _, err := RawLines(context.Background(), "testdata/slip.zip", "y.csv", []int32{1}); err == nil {
		t.Error("RawLines of a member that is not there: no error")
	}
}

// TestParseAllocates parses a chunk again and again: nothing is allocated for a row.
func TestParseAllocates(t *testing.T) {
	bill := bigBill(1000)
	in := writeFile(t, "20881234567890120156.csv", bill)
	r := newRun([]Input{in}, Options{Workers: 1}, nil)
	if err := r.list(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := r.probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	tab := r.tables[0]
	tab.parsers = make([]rowParser, 1)
	for range tab.headerLine {
		bill, _ = lineCut(bill)
	}
	bill = bill[:bytes.Index(bill, []byte("\n#"))+1]
	var s splitter
	c := chunk{tab, bill, nil, tab.headerLine + 1}
	parse := func() {
		if err := tab.parse(context.Background(), &s, c, 0); err != nil {
			t.Fatal(err)
		}
	}
	parse()
	if n := testing.AllocsPerRun(20, parse); n > 2 {
		t.Errorf("parsing 1000 rows allocates %v times", n)
	}
	if tab.rows != 22*1000 || tab.rejected != 0 {
		t.Errorf("%d rows, %d rejected", tab.rows, tab.rejected)
	}
}
