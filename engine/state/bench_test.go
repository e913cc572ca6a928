package state_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/rules"
)

var (
	benchTrades = flag.Int("trades", 100_000, "trades of a day in benchmarks")
	benchDays   = flag.Int("days", 3, "days in state in benchmarks of look-ups")
)

// A business is what days of a chain of shops leave, in parts as a run has them.
type business struct {
	words *schema.Words
	word  map[string][]uint32
}

func newBusiness() *business {
	b := &business{schema.NewWords(), map[string][]uint32{}}
	for name, n := range map[string]int{"merchant": 200, "store": 2000, "till": 6000, "operator": 9000, "pid": 3} {
		for i := range n {
			b.word[name] = append(b.word[name], b.words.Code(fmt.Sprintf("%s%010d", name, i)))
		}
	}
	return b
}

const secondsOfDay = 86_400

// tradeNo is the number of trade i of a day.
func tradeNo(date int32, i int) string {
	day := strings.ReplaceAll(state.DateText(date), "-", "")
	return fmt.Sprintf("%s22001%04d%011d", day, uint64(i)*0x9e3779b97f4a7c15>>50%10_000, (uint64(i)*7_368_787+31_415_926_535)%100_000_000_000)
}

func orderNo(date int32, i int) string {
	return fmt.Sprintf("PO%s%07d", strings.ReplaceAll(state.DateText(date), "-", ""), i)
}

// part is one of several that a day's n trades are divided into, with 3 % refunds.
func (b *business) part(date int32, n, parts, part int) (*schema.Settled, *schema.Returned) {
	r := rand.New(rand.NewPCG(uint64(date), uint64(part)))
	var s schema.Settled
	var t schema.Returned
	for i := part; i < n; i += parts {
		till := r.IntN(6000)
		store := till / 3
		total := 100 + r.Int64N(30_000)
		at := int64(date)*secondsOfDay + r.Int64N(secondsOfDay)
		discount := int64(0)
		if r.IntN(5) == 0 {
			discount = min(total, r.Int64N(2000))
		}
		red := int64(0)
		if r.IntN(8) == 0 {
			red = min(total-discount, r.Int64N(500))
		}
		merchant := b.word["merchant"][store/10]
		s.Merchant = append(s.Merchant, merchant)
		s.BillMerchant = append(s.BillMerchant, merchant)
		s.OutTradeNo.AppendString(orderNo(date, i))
		s.TradeNo.AppendString(tradeNo(date, i))
		status, pos, bill := rules.StatusMatched, total, total
		switch r.IntN(200) {
		case 0:
			status, pos = rules.StatusBillOnly, schema.Null
		case 1:
			status, bill = rules.StatusPOSOnly, schema.Null
		case 2:
			status, bill = rules.StatusAmountMismatch, total+r.Int64N(100)
		}
		s.Status = append(s.Status, uint8(status))
		s.Reason = append(s.Reason, 0)
		s.Flags = append(s.Flags, schema.SettledSplit)
		s.OrderTime = append(s.OrderTime, at)
		s.BillTime = append(s.BillTime, at+r.Int64N(20))
		s.Store = append(s.Store, b.word["store"][store])
		s.BillStore = append(s.BillStore, b.word["store"][store])
		s.Terminal = append(s.Terminal, b.word["till"][till])
		s.Operator = append(s.Operator, b.word["operator"][store*4+r.IntN(4)])
		s.PosAmount = append(s.PosAmount, pos)
		s.BillAmount = append(s.BillAmount, bill)
		s.Paid = append(s.Paid, max(given(bill), given(pos))-discount-red)
		s.RedPacket = append(s.RedPacket, red)
		s.Allowance = append(s.Allowance, 0)
		s.Coupon = append(s.Coupon, discount)
		s.MerchantRed = append(s.MerchantRed, 0)
		received := int64(schema.Null)
		if bill != schema.Null {
			received = bill - discount
		}
		s.Received = append(s.Received, received)
		pid := 0
		if r.IntN(50) == 0 {
			pid = 1 + r.IntN(2)
		}
		s.ProviderPID = append(s.ProviderPID, b.word["pid"][pid])
		s.Instalments = append(s.Instalments, 0)
		if r.IntN(33) == 0 && bill != schema.Null {
			t.Of = append(t.Of, int32(len(s.Status)-1))
			t.Ref.Append(nil)
			t.Merchant = append(t.Merchant, merchant)
			t.OutTradeNo.AppendString(orderNo(date, i))
			t.RequestNo.AppendString(orderNo(date, i) + "R1")
			t.TradeNo.AppendString(tradeNo(date, i))
			t.Status = append(t.Status, uint8(rules.StatusMatched))
			t.Counts = append(t.Counts, 1)
			t.Time = append(t.Time, at+3600)
			back := 1 + r.Int64N(bill)
			t.PosAmount = append(t.PosAmount, back)
			t.BillAmount = append(t.BillAmount, back)
			t.Received = append(t.Received, back)
			t.RedPacket = append(t.RedPacket, 0)
		}
	}
	fillBlank(&s)
	fillBlank(&t)
	return &s, &t
}

// fillBlank gives columns that nothing was said of their blanks.
func fillBlank(rows schema.Rows) {
	for _, f := range schema.Fields(rows) {
		for range rows.Len() {
			switch data := f.Data.(type) {
			case *[]int64:
				if len(*data) < rows.Len() {
					*data = append(*data, 0)
				}
			case *[]int32:
				if len(*data) < rows.Len() {
					*data = append(*data, 0)
				}
			case *[]uint32:
				if len(*data) < rows.Len() {
					*data = append(*data, 0)
				}
			case *[]uint8:
				if len(*data) < rows.Len() {
					*data = append(*data, 0)
				}
			case *schema.Text:
				if data.Len() < rows.Len() {
					data.Append(nil)
				}
			}
		}
	}
}

func given(v int64) int64 {
	if v == schema.Null {
		return 0
	}
	return v
}

// usage is the CPU time that the process has used.
func usage() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func openBench(b testing.TB, dir string) *state.Store {
	b.Helper()
	s, err := state.Open(context.Background(), dir, state.Options{Owner: "benchmark"})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

type part struct {
	number   int
	settled  *schema.Settled
	returned *schema.Returned
}

func (b *business) day(date int32, n int) []part {
	const rowsOfPart = 50_000
	parts := max(n/rowsOfPart, 1)
	all := make([]part, parts)
	for p := range all {
		all[p].number = p
		all[p].settled, all[p].returned = b.part(date, n, parts, p)
	}
	return all
}

// leave keeps a day, by as many workers as there are processors.
func leave(b testing.TB, s *state.Store, words *schema.Words, date int32, parts []part) (prepare time.Duration) {
	b.Helper()
	d, err := s.Begin(date, words, 400)
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	next := make(chan part)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for p := range next {
				if err := d.Keep(p.number, p.settled, p.returned); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, p := range parts {
		next <- p
	}
	close(next)
	wg.Wait()
	from := time.Now()
	if _, _, err := d.Prepare(context.Background(), state.Run{Job: "bench"}); err != nil {
		b.Fatal(err)
	}
	prepare = time.Since(from)
	if _, err := d.Commit(context.Background()); err != nil {
		b.Fatal(err)
	}
	return prepare
}

func sizeOf(b testing.TB, dir string) (total int64) {
	b.Helper()
	_ = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// BenchmarkDay is what a run adds: Keep, Prepare, Commit.
func BenchmarkDay(b *testing.B) {
	shop := newBusiness()
	n := *benchTrades
	parts := shop.day(firstDay, n)
	dir := b.TempDir()
	s := openBench(b, dir)
	date := int32(firstDay)
	cpu := usage()
	b.ReportAllocs()
	var prepare time.Duration
	for b.Loop() {
		prepare += leave(b, s, shop.words, date, parts)
		date++
	}
	rows := float64(b.N) * float64(n)
	b.ReportMetric((usage()-cpu).Seconds()/rows*1e6, "cpu-s/1M")
	b.ReportMetric(prepare.Seconds()/rows*1e6, "prepare-s/1M")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(sizeOf(b, dir))/rows, "B/trade")
}

// BenchmarkFind looks trades of all days up, a few thousand at a time by as many
// workers as there are processors, as a run does for its partitions.
func BenchmarkFind(b *testing.B) {
	shop := newBusiness()
	n := *benchTrades
	dir := b.TempDir()
	s := openBench(b, dir)
	for day := range *benchDays {
		leave(b, s, shop.words, int32(firstDay+day), shop.day(int32(firstDay+day), n))
	}
	defer s.Close()
	if *benchDays > 10 {
		b.Logf("%d days: %.1f bytes a trade", *benchDays, float64(sizeOf(b, dir))/float64(*benchDays)/float64(n))
	}
	today := int32(firstDay + *benchDays)
	wantedOf := func(count int, by string) []*schema.Wanted {
		const atOnce = 3000
		r := rand.New(rand.NewPCG(1, 2))
		var all []*schema.Wanted
		for from := 0; from < count; from += atOnce {
			w := &schema.Wanted{}
			for range min(atOnce, count-from) {
				day, i := int32(firstDay+r.IntN(*benchDays)), r.IntN(n)
				w.Merchant = append(w.Merchant, 0)
				trade, no := tradeNo(day, i), orderNo(day, i)
				switch by {
				case "number":
					trade = ""
				case "none":
					trade, no = tradeNo(today, i), ""
				case "no number":
					trade, no = "", orderNo(today, i)
				}
				w.TradeNo.AppendString(trade)
				w.OutTradeNo.AppendString(no)
				w.Time = append(w.Time, schema.Null)
			}
			all = append(all, w)
		}
		return all
	}
	for _, bench := range []struct {
		count int
		by    string
	}{{15_000, "trade"}, {150_000, "trade"}, {15_000, "number"}, {15_000, "none"}, {15_000, "no number"}} {
		wanted := wantedOf(bench.count, bench.by)
		b.Run(fmt.Sprint(bench.count, " by ", bench.by), func(b *testing.B) {
			cpu := usage()
			found := 0
			for b.Loop() {
				d, err := s.Begin(today, schema.NewWords(), 400)
				if err != nil {
					b.Fatal(err)
				}
				found = find(b, d, wanted)
				if err := d.Discard(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((usage()-cpu).Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(found), "found")
		})
	}
}

func find(b *testing.B, d *state.Day, wanted []*schema.Wanted) int {
	var wg sync.WaitGroup
	next := make(chan *schema.Wanted)
	counts := make([]int, runtime.GOMAXPROCS(0))
	for k := range counts {
		wg.Go(func() {
			for w := range next {
				var settled schema.Settled
				var returned schema.Returned
				if err := d.Find(0, w, &settled, &returned); err != nil {
					b.Error(err)
				}
				counts[k] += settled.Len()
			}
		})
	}
	for _, w := range wanted {
		next <- w
	}
	close(next)
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// BenchmarkParquet is what the same rows take as Parquet, sorted by trade_no: written,
// and the column of trade_nos read back whole, which a look-up in files without an
// index of pages comes to once there is one trade in each group of rows.
func BenchmarkParquet(b *testing.B) {
	shop := newBusiness()
	n := *benchTrades
	s := openBench(b, b.TempDir())
	defer s.Close()
	leave(b, s, shop.words, firstDay, shop.day(firstDay, n))
	dir := b.TempDir()
	round := 0
	var writing, reading time.Duration
	var size int64
	for b.Loop() {
		round++
		out := filepath.Join(dir, fmt.Sprint(round))
		from := usage()
		if err := s.Export(context.Background(), out); err != nil {
			b.Fatal(err)
		}
		writing += usage() - from
		path := filepath.Join(out, "trades", state.DateText(firstDay)+".parquet")
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		size = info.Size()
		from = usage()
		readColumn(b, path, "trade_no", n)
		reading += usage() - from
	}
	rows := float64(round) * float64(n)
	b.ReportMetric(float64(size)/float64(n), "B/trade")
	b.ReportMetric(writing.Seconds()/rows*1e6, "write-cpu-s/1M")
	b.ReportMetric(reading.Seconds()/rows*1e6, "key-cpu-s/1M")
}

func readColumn(b *testing.B, path, name string, rows int) {
	b.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		b.Fatal(err)
	}
	read := 0
	for g := range f.NumRowGroups() {
		column := f.MetaData().Schema.ColumnIndexByName(name)
		table, err := r.ReadRowGroups(context.Background(), []int{column}, []int{g})
		if err != nil {
			b.Fatal(err)
		}
		read += int(table.NumRows())
		table.Release()
	}
	if read != rows {
		b.Fatalf("%d rows, want %d", read, rows)
	}
}

// BenchmarkAmend is what an amendment of one part takes, with later days that asked
// for 15,000 trades each: the part has 500 trades more than it had.
func BenchmarkAmend(b *testing.B) {
	const parts, later = 1024, 5
	shop := newBusiness()
	n := *benchTrades
	s := openBench(b, b.TempDir())
	defer s.Close()
	var all []part
	for p := range parts {
		one := part{number: p}
		one.settled, one.returned = shop.part(firstDay, n, parts, p)
		all = append(all, one)
	}
	leave(b, s, shop.words, firstDay, all)
	for day := int32(firstDay + 1); day <= firstDay+later; day++ {
		d, err := s.Begin(day, shop.words, 400)
		if err != nil {
			b.Fatal(err)
		}
		r := rand.New(rand.NewPCG(uint64(day), 2))
		var w schema.Wanted
		for range 15_000 {
			i := r.IntN(n)
			w.Merchant = append(w.Merchant, 0)
			w.TradeNo.AppendString(tradeNo(firstDay, i))
			w.OutTradeNo.AppendString(orderNo(firstDay, i))
			w.Time = append(w.Time, schema.Null)
		}
		find(b, d, []*schema.Wanted{&w})
		if _, _, err := d.Prepare(context.Background(), state.Run{Job: "bench"}); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Commit(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	more, refunds := shop.part(firstDay, 500*2, 2, 1)
	for i := range more.Len() { // other numbers than the day has
		copy(more.OutTradeNo.At(i), "NEW")
		copy(more.TradeNo.At(i)[8:], "99999")
	}
	var took [3]time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		b.StopTimer()
		if rounds%4 == 1 && rounds > 1 { // a full run begins the chain anew
			leave(b, s, shop.words, firstDay, all)
		}
		b.StartTimer()
		from := usage()
		d, err := s.Begin(firstDay, shop.words, 400)
		if err != nil {
			b.Fatal(err)
		}
		dirty := make([]bool, parts+1)
		dirty[7] = true
		if err := d.Amend(dirty); err != nil {
			b.Fatal(err)
		}
		took[0] += usage() - from
		from = usage()
		for _, p := range []part{all[7], {7, more, refunds}} {
			if err := d.Keep(7, p.settled, p.returned); err != nil {
				b.Fatal(err)
			}
		}
		if _, _, err := d.Prepare(context.Background(), state.Run{Job: "bench", Settings: fmt.Sprint(rounds)}); err != nil {
			b.Fatal(err)
		}
		took[1] += usage() - from
		from = usage()
		if _, err := d.Commit(context.Background()); err != nil {
			b.Fatal(err)
		}
		took[2] += usage() - from
	}
	for k, what := range []string{"amend-cpu-ms", "prepare-cpu-ms", "commit-cpu-ms"} {
		b.ReportMetric(took[k].Seconds()*1000/float64(rounds), what)
	}
}
