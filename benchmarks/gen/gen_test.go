package gen

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func write(t *testing.T, cfg Config) (string, *Truth) {
	t.Helper()
	dir := t.TempDir()
	truth, err := Write(t.Context(), dir, cfg)
	if err != nil {
		t.Fatalf("Write(%+v) = %v", cfg, err)
	}
	return dir, truth
}

// sums hashes every file below dir.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, cfg := range []Config{{Seed: 7, Trades: 2000, Merchants: 3}, Demo(7), Random(7), Performance(3000, 7)} {
		first, _ := write(t, cfg)
		again, _ := write(t, cfg)
		if a, b := sums(t, first), sums(t, again); !maps.Equal(a, b) {
			t.Errorf("seed %d: two runs differ:\n%v\n%v", cfg.Seed, a, b)
		}
		cfg.Seed++
		other, _ := write(t, cfg)
		if a, b := sums(t, first), sums(t, other); a["pos/orders_001.csv"] == b["pos/orders_001.csv"] {
			t.Errorf("seeds %d and %d give the same POS", cfg.Seed-1, cfg.Seed)
		}
	}
}

func TestWriteLeavesOtherFilesAlone(t *testing.T) {
	dir, _ := write(t, Config{Trades: 5})
	_, err := Write(t.Context(), dir, Config{Trades: 5})
	if want := filepath.Join(dir, "bills") + ": not empty"; err == nil || err.Error() != want {
		t.Errorf("Write into a full folder = %v, want %q", err, want)
	}
}

func TestWriteStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, t.TempDir(), Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want %v", err, context.Canceled)
	}
}

// TestSlimDayAgrees: the fewer columns must not lose what the truth hangs on.
func TestSlimDayAgrees(t *testing.T) {
	cfg := Config{Seed: 9, Trades: 4000, Merchants: 2, Slim: true}
	_, truth := write(t, cfg)
	for _, k := range []Kind{Adjustment, StatementOrphan} {
		if n := truth.Planted[k.String()]; n != 0 {
			t.Errorf("%v is planted %d times in a slim day", k, n)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Date: "20 Nov"}, `date "20 Nov": not a date`},
		{Config{Trades: -1}, "trades: -1 is not in 1 to 1000000000"},
		{Config{Level: 11}, "compression level: 11 is not in 1 to 9"},
		{Config{Merchants: 2, Weights: []int{1}}, "weights: 1 is not in 2 to 2"},
		{Config{Mix: Mix{BillOnly: -1}}, "mix: bill_only: -1 is not in 0 to 1000"},
		{Config{Mix: Mix{BillOnly: 600, POSOnly: 600}}, "mix: the kinds beside matched have 1200 of 1000"},
		{Config{Merchants: 2, Weights: []int{1, 0}}, "weights: 0 is not in 1 to 1000"},
	} {
		_, err := Write(t.Context(), t.TempDir(), test.cfg)
		if err == nil || err.Error() != test.want {
			t.Errorf("Write(%+v) = %v, want %q", test.cfg, err, test.want)
		}
	}
}

// fenOf reads an amount of a file in plain decimals.
func fenOf(t *testing.T, text string) fen {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q: not an amount", text)
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() {
		t.Fatalf("%q: more than two decimals", text)
	}
	return r.Num().Int64()
}

func table(t *testing.T, path string) []map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

var footer = regexp.MustCompile(`^#(交易|退款)合计：(\d+)笔，商家实收(?:退款)?共(.+)元，商家优惠(?:退款)?共(.+)元$`)

// readBills gives the members of all archives as lines of text.
func readBills(t *testing.T, dir string) map[string][]string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "bills", "*.zip"))
	out := map[string][]string{}
	for _, path := range paths {
		z, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range z.File {
			if member.Flags&0x800 != 0 {
				t.Errorf("%s: member %q says that its name is UTF-8", path, member.Name)
			}
			name, err := simplifiedchinese.GB18030.NewDecoder().String(member.Name)
			if err != nil || !strings.Contains(name, "业务明细") {
				t.Errorf("%s: member %q is not a GBK name", path, member.Name)
			}
			r, err := member.Open()
			if err != nil {
				t.Fatal(err)
			}
			scan := bufio.NewScanner(simplifiedchinese.GB18030.NewDecoder().Reader(r))
			for scan.Scan() {
				out[filepath.Base(path)+":"+name] = append(out[filepath.Base(path)+":"+name], scan.Text())
			}
			if err := scan.Err(); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// detail is what the rows of a detail member come to, by type and by store.
type detail struct {
	count              map[string]int64
	received, discount map[string]fen
	stores             map[string]storeSums
}

func readDetail(t *testing.T, lines []string) detail {
	t.Helper()
	d := detail{map[string]int64{}, map[string]fen{}, map[string]fen{}, map[string]storeSums{}}
	for _, line := range lines {
		if line[0] == '#' || strings.HasPrefix(line, "支付宝交易号") {
			continue
		}
		cells := strings.Split(strings.ReplaceAll(line, "拿铁,大杯", "拿铁"), ",")
		if len(cells) != 25 {
			t.Fatalf("%d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		kind := cells[2]
		if kind != "交易" && kind != "退款" {
			continue
		}
		received, discount := fenOf(t, cells[12]), fenOf(t, cells[16])
		d.count[kind]++
		d.received[kind] += received
		d.discount[kind] += discount
		for _, id := range []string{either(cells[6], "其他"), "合计"} {
			s := d.stores[id]
			if kind == "交易" {
				s.payments++
			} else {
				s.refunds++
			}
			s.total += fenOf(t, cells[11])
			s.received += received
			s.platform += fenOf(t, cells[15])
			s.discount += discount
			s.fees += fenOf(t, cells[22])
			d.stores[id] = s
		}
	}
	return d
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestControlTotalsAddUp(t *testing.T) {
	for _, cfg := range []Config{
		{Seed: 3, Trades: 3000, Merchants: 4},
		{Seed: 4, Trades: 2000, Merchants: 3, BillMode: AllInOne, FeesProRata: true},
		Demo(5),
		{Seed: 6, Trades: 1, Merchants: 3},
	} {
		dir, truth := write(t, cfg)
		var payments, refunds int64
		members := readBills(t, dir)
		for name, lines := range members {
			if strings.Contains(name, "汇总") {
				continue
			}
			d := readDetail(t, lines)
			payments += d.count["交易"]
			refunds += d.count["退款"]
			footers := 0
			for _, line := range lines {
				m := footer.FindStringSubmatch(line)
				if m == nil {
					continue
				}
				footers++
				if got := fmt.Sprintf("%d %s %s", d.count[m[1]], appendFen(nil, d.received[m[1]]), appendFen(nil, d.discount[m[1]])); got != strings.Join(m[2:], " ") {
					t.Errorf("%s: rows of %s come to %s, the footer says %v", name, m[1], got, m[2:])
				}
			}
			if footers != 2 {
				t.Errorf("%s: %d footers", name, footers)
			}
			checkSummary(t, name, d, members[strings.Replace(name, "明细.csv", "明细(汇总).csv", 1)])
		}
		if payments != truth.Rows.BillPayments || refunds != truth.Rows.BillRefunds {
			t.Errorf("bills have %d payments and %d refunds, the truth says %d and %d", payments, refunds, truth.Rows.BillPayments, truth.Rows.BillRefunds)
		}
	}
}

func checkSummary(t *testing.T, name string, d detail, lines []string) {
	t.Helper()
	found := map[string]bool{}
	for _, line := range lines {
		if line[0] == '#' || strings.HasPrefix(line, "门店编号") {
			continue
		}
		cells := strings.Split(line, ",")
		id := strings.TrimSpace(cells[0])
		found[id] = true
		s := d.stores[id]
		want := []string{
			strconv.FormatInt(s.payments, 10), strconv.FormatInt(s.refunds, 10), string(appendFen(nil, s.total)),
			string(appendFen(nil, s.received)), string(appendFen(nil, s.platform)), string(appendFen(nil, s.discount)), "0.00",
			string(appendFen(nil, s.fees)), "0.00",
		}
		if !slices.Equal(cells[2:11], want) {
			t.Errorf("%s: summary of %s = %v, its rows come to %v", name, id, cells[2:11], want)
		}
	}
	for id := range d.stores {
		if !found[id] {
			t.Errorf("%s: the summary lacks %s", name, id)
		}
	}
	if !found["合计"] {
		t.Errorf("%s: the summary has no total", name)
	}
}

// TestTablesAgreeWithTotals reads expected/ and adds it up again.
func TestTablesAgreeWithTotals(t *testing.T) {
	for seed := range uint64(60) {
		cfg := Random(seed)
		dir, truth := write(t, cfg)
		trades := map[string]Sides{}
		for _, row := range table(t, filepath.Join(dir, "expected/trades.csv")) {
			s := trades[row["status"]]
			if row["pos_amount"] != "" {
				s.POSCount++
				s.POSAmount += Amount(fenOf(t, row["pos_amount"]))
			}
			if row["bill_amount"] != "" {
				s.BillCount++
				s.BillAmount += Amount(fenOf(t, row["bill_amount"]))
			}
			trades[row["status"]] = s
		}
		if !maps.Equal(trades, truth.Trades) {
			t.Errorf("seed %d: trades.csv comes to %v, truth.json says %v", seed, trades, truth.Trades)
		}
		var allocated, totals fen
		for _, row := range table(t, filepath.Join(dir, "expected/goods.csv")) {
			allocated += fenOf(t, row["allocated"])
		}
		for _, s := range truth.Goods {
			totals += fen(s.Amount)
		}
		if allocated != totals {
			t.Errorf("seed %d: goods.csv allocates %d, the orders' totals are %d", seed, allocated, totals)
		}
		checkConservation(t, seed, truth)
		if cfg.NoRejects && len(truth.Rejects) > 0 {
			t.Errorf("seed %d: rejects %v although there must be none", seed, truth.Rejects)
		}
	}
}

// checkConservation counts the bill's rows by status: all but the rejected ones.
func checkConservation(t *testing.T, seed uint64, truth *Truth) {
	t.Helper()
	var payments, refunds int64
	for _, s := range truth.Trades {
		payments += s.BillCount
	}
	for _, s := range truth.Refunds {
		refunds += s.BillCount
	}
	// RejectBillTime is a payment that was written and is rejected; a row whose type
	// cannot be read is in no footer.
	payments += truth.Planted[RejectBillTime.String()]
	if payments != truth.Rows.BillPayments || refunds != truth.Rows.BillRefunds {
		t.Errorf("seed %d: statuses have %d payments and %d refunds, the bills %d and %d", seed,
			payments, refunds, truth.Rows.BillPayments, truth.Rows.BillRefunds)
	}
}

func TestTruthJSONReadsBack(t *testing.T) {
	dir, truth := write(t, Config{Seed: 2, Trades: 500})
	b, err := os.ReadFile(filepath.Join(dir, "expected/truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Trades map[string]struct {
			Count  int64  `json:"pos_count"`
			Amount string `json:"pos_amount"`
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := truth.Trades["matched"]
	if g := got.Trades["matched"]; g.Count != want.POSCount || fenOf(t, g.Amount) != fen(want.POSAmount) {
		t.Errorf("truth.json says %v of matched, want %v", g, want)
	}
}

func TestCleanDayHasNoBreaks(t *testing.T) {
	_, truth := write(t, Config{Seed: 1, Trades: 3000, Merchants: 4, Clean: true, Accounts: true})
	if len(truth.Breaks) != 0 || len(truth.Rejects) != 0 {
		t.Errorf("breaks %v, rejects %v on a clean day", truth.Breaks, truth.Rejects)
	}
	if n := truth.Trades["matched"].POSCount; n != 3000 || len(truth.Trades) != 1 {
		t.Errorf("matched = %d of %v, want 3000 and nothing else", n, truth.Trades)
	}
	if truth.Refunds["matched"].BillCount == 0 {
		t.Error("a clean day has no refunds")
	}
}

func TestEveryKindIsPlanted(t *testing.T) {
	_, truth := write(t, Config{Seed: 1, Trades: 60_000, Merchants: 8, TotalsOnly: true, Registries: true, Accounts: true})
	for k := firstMatch; k < firstAttribute; k++ {
		if truth.Planted[k.String()] == 0 && k != NoRefund && k != FeeRight {
			t.Errorf("%v is never planted", k)
		}
	}
	for c := range breakCodes {
		switch {
		case c == bFirstCause, c == bFirstCause+breakCode(okCause), c == bFirstCause+breakCode(statementPending):
		case truth.Breaks[c.String()].Count == 0:
			t.Errorf("no break %v", c)
		}
	}
	for _, name := range rejectNames {
		if truth.Rejects[name] == 0 {
			t.Errorf("no reject %v", name)
		}
	}
}

func TestDemoTellsItsStory(t *testing.T) {
	cfg := Demo(1)
	_, truth := write(t, cfg)
	if n := truth.Rebates["pid_missing"].Count; n < 20 {
		t.Errorf("pid_missing = %d, want the till that lost its PID", n)
	}
	if n := truth.Trades["pos_only"].POSCount; n < 15 {
		t.Errorf("pos_only = %d, want the hour that never reached Alipay", n)
	}
	w := newWorld(must(t, cfg))
	o := new(order)
	for i := range int64(w.cfg.Trades) {
		w.build(i, o)
		lost := o.pos && o.posStore == 1 && o.terminal == 1 && o.created >= 15*3600+40*60
		if lost && o.kind != MerchantDiffers && len(o.pid) > 0 {
			t.Fatalf("record %d: the till that lost its PID sends %s", i, o.pid)
		}
		if h := o.created / 3600; (h < 6 || h > 22) && o.kind == Matched {
			t.Fatalf("record %d: an order at %d o'clock", i, h)
		}
	}
}

func TestParseKind(t *testing.T) {
	for k := firstMatch; k < kindCount; k++ {
		if got, err := ParseKind(k.String()); err != nil || got != k {
			t.Errorf("ParseKind(%q) = %v, %v", k, got, err)
		}
	}
	if _, err := ParseKind("paid_thrice"); err == nil || err.Error() != `"paid_thrice": no kind of record` {
		t.Errorf("ParseKind of an unknown name = %v", err)
	}
}

func must(t *testing.T, cfg Config) Config {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestMemoryDoesNotGrow(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200,000 trades")
	}
	runtime.GC()
	var peak atomic.Uint64
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	cfg := Config{Seed: 1, Trades: 200_000, Merchants: 4}
	write(t, cfg)
	close(done)
	<-stopped
	if got := peak.Load(); got > 64<<20 {
		t.Errorf("heap grew to %d MiB with %d trades, want at most 64", got>>20, cfg.Trades)
	}
}

func TestPermutationIsABijection(t *testing.T) {
	for _, n := range []int64{1, 2, 3, 4, 5, 17, 256, 1000, 4097} {
		p := newPermutation(n, uint64(n))
		seen := make([]bool, n)
		for k := range n {
			i := p.at(k)
			if i < 0 || i >= n || seen[i] {
				t.Fatalf("n = %d: at(%d) = %d comes twice or is outside", n, k, i)
			}
			seen[i] = true
		}
	}
}

func TestIndexIsTheInverseOfPlace(t *testing.T) {
	for _, weights := range [][]int{{1}, {1, 1, 1}, {5, 3, 2}, {1, 7}} {
		w := newWorld(must(t, Config{Trades: 101, Merchants: len(weights), Weights: weights}))
		count := make([]int64, len(weights))
		for i := range int64(101) {
			m, j := w.place(i)
			if j != count[m] || w.index(m, j) != i {
				t.Fatalf("weights %v: place(%d) = %d, %d; index of it = %d", weights, i, m, j, w.index(m, j))
			}
			count[m]++
		}
		for m, n := range count {
			if w.merchants[m].count != n {
				t.Errorf("weights %v: count of %d = %d, want %d", weights, m, w.merchants[m].count, n)
			}
		}
	}
}

// TestTradeNoIsUnique covers the numbers of a day and those of second payments.
func TestTradeNoIsUnique(t *testing.T) {
	w := newWorld(must(t, Config{}))
	seen := map[string]bool{}
	for i := range int64(100_000) {
		no := string(w.appendTradeNo(nil, w.compact, i))
		if seen[no] || len(no) != 28 {
			t.Fatalf("trade_no %d = %s: not new or not 28 digits", i, no)
		}
		seen[no] = true
	}
}

func TestProrate(t *testing.T) {
	for _, test := range []struct {
		total    fen
		weights  []fen
		lastLine bool
		want     []fen
	}{
		{800, []fen{600, 400}, false, []fen{480, 320}},
		{100, []fen{100, 100, 100}, false, []fen{34, 33, 33}},
		{100, []fen{100, 100, 100}, true, []fen{33, 33, 34}},
		{2, []fen{100, 100, 100, 100, 0}, true, []fen{1, 1, 0, 0, 0}}, // halves up leave −1 for the last
		{0, []fen{5, 7}, false, []fen{0, 0}},
		{9000, []fen{6000, 4000}, false, []fen{5400, 3600}},
	} {
		got := make([]fen, len(test.weights))
		(&Config{LastLine: test.lastLine}).prorate(test.total, test.weights, got)
		if !slices.Equal(got, test.want) {
			t.Errorf("prorate(%d, %v, last line %v) = %v, want %v", test.total, test.weights, test.lastLine, got, test.want)
		}
	}
}

// TestReturned is the table of rules 5.
func TestReturned(t *testing.T) {
	f := funding{buyer: 7700, red: 500, allowance: 800, coupon: 1000}
	for _, test := range []struct {
		x    fen
		want parts
	}{
		{10000, parts{7700, 500, 800}},
		{9700, parts{7700, 500, 800}},
		{8900, parts{7700, 500, 0}},
		{8000, parts{7700, 300, 0}},
		{6000, parts{6000, 0, 0}},
	} {
		if got := f.returned(test.x); got != test.want {
			t.Errorf("returned(%d) = %v, want %v", test.x, got, test.want)
		}
	}
}

func TestRounding(t *testing.T) {
	if got := lineAmount(10_005, 500_000); got != 1 { // 0.010005 × 0.5 = 0.0050025
		t.Errorf("lineAmount = %d, want 1", got)
	}
	if got := lineAmount(9_999_999_000_000, 999_000_000_000); got <= 0 {
		t.Errorf("lineAmount of large numbers = %d", got)
	}
	for _, test := range []struct {
		basis fen
		rate  micro
		scale int
		limit micro
		want  micro
	}{
		{194301, 2000, 2, 0, 3_890_000},
		{25000, 2000, 2, 0, 500_000},
		{250, 2000, 2, 0, 10_000}, // 0.005 up
		{249, 2000, 2, 0, 0},
		{12345, 2000, 4, 0, 246_900},
		{12345, 2001, 6, 0, 247_023},
		{1_000_000, 1500, 2, 2_000_000, 2_000_000},
		{-5, 2000, 2, 0, 0},
	} {
		if got := rebateOf(test.basis, test.rate, test.scale, test.limit); got != test.want {
			t.Errorf("rebateOf(%+v) = %d, want %d", test, got, test.want)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{string(appendFen(nil, 0)), "0.00"},
		{string(appendFen(nil, -5)), "-0.05"},
		{string(appendFen(nil, 123456789)), "1234567.89"},
		{string(appendThousands(nil, 123456789)), `"1,234,567.89"`},
		{string(appendThousands(nil, 99999)), "999.99"},
		{string(appendMicro(nil, 3_890_000, 2)), "3.89"},
		{string(appendMicro(nil, 3_000_000, 0)), "3"},
		{string(appendMicro(nil, 3_000_000, 2)), "3.00"},
		{string(appendMicro(nil, -246_900, 2)), "-0.2469"},
		{string(appendMicro(nil, 1_000_001, 0)), "1.000001"},
		{string(appendDigits(nil, 7, 3)), "007"},
		{string(appendDigits(nil, 0, 1)), "0"},
		{string(appendDigits(nil, 1234, 2)), "1234"},
		{string(appendClock(nil, 86399)), "23:59:59"},
		{string(appendRate(nil, 2000, 0, false)), "0.002"},
		{string(appendRate(nil, 2000, 2, false)), "0.2%"},
		{string(appendRate(nil, 1500, 3, false)), "1.5‰"},
		{quoted(`12" 披萨,大`), `"12"" 披萨,大"`},
		{damaged("2088731199938475"), "2.08873E+15"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestAppendDigitsOfEveryLength(t *testing.T) {
	for p := int64(1); p > 0 && p < 1e18; p *= 10 {
		for _, v := range []int64{p - 1, p, p + 1, 7 * p} {
			for _, width := range []int{1, 4, 19} {
				if got, want := string(appendDigits([]byte("x"), v, width)), fmt.Sprintf("x%0*d", width, v); got != want {
					t.Fatalf("appendDigits(%d, %d) = %s, want %s", v, width, got, want)
				}
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	const trades = 100_000
	for b.Loop() {
		dir := b.TempDir()
		if _, err := Write(b.Context(), dir, Performance(trades, 1)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(trades)*float64(b.N)/b.Elapsed().Seconds(), "trades/s")
}
