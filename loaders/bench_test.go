package loaders

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zip"
	"golang.org/x/text/encoding/simplifiedchinese"

	"duizhang/engine/schema"
)

// bigBill is a V25 bill of n rows in GB18030, made by a seeded generator.
func bigBill(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"咖啡", "拿铁（大杯）", "门店消费", "水果拼盘\\大", "“特价”面包"}
	out := []byte("#支付宝业务明细查询\n#账号：[20881234567890120156]\n#起始日期：[2026年11月20日 00:00:00]   终止日期：[2026年11月21日 00:00:00]\n" +
		"#-----------------------------------------业务明细列表----------------------------------------\n" + v25Header + "\n")
	for i := range n {
		kind, sign := "交易", ""
		if i%20 == 19 {
			kind, sign = "退款", "-"
		}
		amount := 200 + rng.IntN(200000)
		off := rng.IntN(2) * rng.IntN(100)
		created := fmt.Sprintf("2026-11-20 %02d:%02d:%02d", 6+rng.IntN(17), rng.IntN(60), rng.IntN(60))
		out = fmt.Appendf(out, "20261120220010%014d\t,POS20261120%08d\t,%s\t,%s,%s,%s,S%04d\t,门店S%04d\t,op%d\t,T%d\t,*明(139****%04d)\t,%s%d.%02d,%s%d.%02d,0.00,0.00,0.00,%s%d.%02d,0.00,,0.00\t,0.00,\t,%d.%02d,0.00,\n",
			i+1, i, kind, names[rng.IntN(len(names))], created, created, i%300, i%300, rng.IntN(30), rng.IntN(9), rng.IntN(10000),
			sign, amount/100, amount%100, sign, (amount-off)/100, (amount-off)%100, sign, off/100, off%100, amount/20000, amount/200%100)
	}
	out = append(out, "#-----------------------------------------业务明细列表结束------------------------------------\n#导出时间：[2026年11月21日 05:46:49]\n"...)
	encoded, err := simplifiedchinese.GB18030.NewEncoder().Bytes(out)
	if err != nil {
		panic(err)
	}
	return encoded
}

const v25Header = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"

// A countingSink counts rows and does no more.
type countingSink struct{ rows, rejects atomic.Int64 }

func (s *countingSink) Batch(_ context.Context, b schema.Batch) error {
	s.rows.Add(b.Rows.NumRows())
	return nil
}

func (s *countingSink) Reject(schema.Reject) { s.rejects.Add(1) }

func writeZip(tb testing.TB, path string, members map[string][]byte) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, data := range members {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkLoadBill reads a bill of 500,000 rows, plain and zipped, and beside it
// what unpacking alone takes.
func BenchmarkLoadBill(b *testing.B) {
	const rows = 500_000
	bill := bigBill(rows)
	dir := b.TempDir()
	plain, packed := filepath.Join(dir, "bill.csv"), filepath.Join(dir, "bill.zip")
	if err := os.WriteFile(plain, bill, 0o600); err != nil {
		b.Fatal(err)
	}
	writeZip(b, packed, map[string][]byte{"bill.csv": bill})
	for _, bench := range []struct {
		name, path string
		workers    int
	}{{"zip/1", packed, 1}, {"zip/2", packed, 2}, {"plain/1", plain, 1}, {"plain/2", plain, 2}} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bill)))
			b.ReportAllocs()
			for b.Loop() {
				var sink countingSink
				in := []Input{{Kind: schema.AlipayBill, Path: bench.path, Name: "bill"}}
				_, err := Load(context.Background(), in, Options{Words: schema.NewWords(), Workers: bench.workers}, &sink)
				if err != nil || sink.rows.Load() != rows {
					b.Fatalf("Load = %v, %d rows, %d rejects", err, sink.rows.Load(), sink.rejects.Load())
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("inflate", func(b *testing.B) {
		b.SetBytes(int64(len(bill)))
		for b.Loop() {
			z, err := zip.OpenReader(packed)
			if err != nil {
				b.Fatal(err)
			}
			r, err := z.File[0].Open()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
			z.Close()
		}
	})
}

// BenchmarkScan cuts lines into cells, as they are and with each cell in quotes.
func BenchmarkScan(b *testing.B) {
	const rows = 10_000
	plain := bytes.Split(bytes.TrimSpace(bigBill(rows)), []byte{'\n'})[5:]
	quoted := make([][]byte, len(plain))
	for i, line := range plain {
		quoted[i] = append(append([]byte{'"'}, bytes.ReplaceAll(line, []byte{','}, []byte(`","`))...), '"')
	}
	for _, bench := range []struct {
		name  string
		lines [][]byte
		split func(s *splitter, line []byte)
	}{
		{"plain", plain, func(s *splitter, line []byte) { s.cells = splitPlain(s.cells[:0], line, ',') }},
		{"quoted", quoted, func(s *splitter, line []byte) {
			s.cells, s.scratch, _ = splitQuoted(s.cells[:0], s.scratch[:0], line, ',')
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var s splitter
			size := 0
			for _, line := range bench.lines {
				size += len(line) + 1
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range bench.lines {
					bench.split(&s, line)
				}
			}
			b.ReportMetric(float64(len(bench.lines)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// TestScanAllocates: cutting a line takes no memory, with quotes and without.
func TestScanAllocates(t *testing.T) {
	var s splitter
	for _, line := range [][]byte{[]byte("a,b,,长款,1.00"), []byte(`a,"b,""c""",,"长款"`)} {
		cut := func() {
			s.cells = splitPlain(s.cells[:0], line, ',')
			s.cells, s.scratch, _ = splitQuoted(s.cells[:0], s.scratch[:0], line, ',')
		}
		cut()
		if n := testing.AllocsPerRun(100, cut); n > 0 {
			t.Errorf("%v allocations for %s", n, line)
		}
	}
}

// BenchmarkLoadSmall reads a bill of five rows: what a file costs.
func BenchmarkLoadSmall(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var sink countingSink
		if _, err := Load(context.Background(), []Input{fixture("v25_base.csv")}, Options{Words: schema.NewWords(), Workers: 2}, &sink); err != nil {
			b.Fatal(err)
		}
	}
}
