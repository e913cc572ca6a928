package reports

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// BenchmarkWorkbook writes a sheet of breaks: 15 columns with excelize
// alone and all 23 of ours. DUIZHANG_BENCH_ROWS is how many rows, 20,000 by default.
//
//	DUIZHANG_BENCH_ROWS=1000000 go test ./reports -run - -bench Workbook -benchtime 1x
func BenchmarkWorkbook(b *testing.B) {
	rows := benchRows(b)
	report := func(b *testing.B) {
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			breaks := benchBreaks(rows)
			b.ResetTimer()
			var most peak
			writeBook(b, breaks, most.look)
			b.ReportMetric(most.mib(), "heap-MiB")
		}
		report(b)
	})
	b.Run("excelize", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			breaks := benchBreaks(rows)
			b.ResetTimer()
			var most peak
			plainBook(b, breaks, most.look)
			b.ReportMetric(most.mib(), "heap-MiB")
		}
		report(b)
	})
}

func benchRows(b *testing.B) int {
	b.Helper()
	const short = 20_000
	text := os.Getenv("DUIZHANG_BENCH_ROWS")
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// A peak is the most memory in use beyond what was in use at first.
type peak struct{ first, most uint64 }

func (p *peak) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	used := m.HeapSys - m.HeapReleased + m.StackSys
	if p.first == 0 {
		p.first = used
	}
	p.most = max(p.most, used)
}

func (p *peak) mib() float64 { return float64(p.most-p.first) / (1 << 20) }

func benchBreaks(n int) []engine.Break {
	breaks := make([]engine.Break, n)
	for i := range breaks {
		breaks[i] = engine.Break{
			Code: rules.BreakBillOnly, Severity: rules.SeverityError, Side: rules.SideBill, Merchant: "2088111111111111",
			OutTradeNo: fmt.Sprintf("POS%012d", i), TradeNo: fmt.Sprintf("2026112022001400%012d", i), Store: "S" + strconv.Itoa(i%100),
			Terminal: "T1", Operator: "op1", Amount: int64(i % 100_000), Expected: schema.Null, Found: int64(i % 100_000),
			Table: -1, FirstSeen: "2026-11-20", Time: 1795104000 + int64(i%86400),
		}
	}
	return breaks
}

// looking calls look once for every MiB that goes by.
type looking struct {
	look func()
	n    int
}

func (l *looking) Write(p []byte) (int, error) {
	const step = 1 << 20
	if l.n/step != (l.n+len(p))/step {
		l.look()
	}
	l.n += len(p)
	return len(p), nil
}

// writeBook writes a workbook with these breaks as a run does.
func writeBook(b *testing.B, breaks []engine.Break, look func()) {
	b.Helper()
	look()
	o := Options{Dir: b.TempDir(), Formats: Formats{XLSX: true}}
	w := NewWriter(o)
	r := &engine.Result{Date: "2026-11-20", Breaks: breaks, Parts: []engine.PartState{{Name: "trades", Ran: true}}}
	for i := range breaks {
		r.Trades[rules.StatusBillOnly].BillCount++
		r.Trades[rules.StatusBillOnly].BillAmount.AddInt(breaks[i].Found)
	}
	w.book.result = r
	if err := w.book.make(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := w.book.members.write(&looking{look: look}); err != nil {
		b.Fatal(err)
	}
}

// plainBook writes 15 of the columns with the library alone.
func plainBook(b *testing.B, breaks []engine.Break, look func()) {
	b.Helper()
	look()
	f := excelize.NewFile(excelize.Options{TmpDir: b.TempDir()})
	defer f.Close()
	styles, err := bookStyles(f, Chinese)
	if err != nil {
		b.Fatal(err)
	}
	sw, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	values := make([]any, 0, 15)
	for i := range breaks {
		br := &breaks[i]
		amount := excelize.Cell{StyleID: styles[amountStyle], Value: float64(br.Amount) / 100}
		values = append(values[:0], Chinese.severity(br.Severity), br.OutTradeNo, br.TradeNo,
			excelize.Cell{StyleID: styles[momentStyle], Value: float64(br.Time)/86400 + epochDays},
			br.Store, br.Terminal, br.Operator, nil, amount, amount,
			detail(br, Chinese, Mask), suggestion(br, Chinese), br.Merchant, br.Code.String(), br.ID())
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := sw.SetRow(cell, values); err != nil {
			b.Fatal(err)
		}
		if i%10_000 == 0 {
			look()
		}
	}
	if err := sw.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Write(&looking{look: look}); err != nil {
		b.Fatal(err)
	}
	look()
}
