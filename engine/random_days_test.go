package engine_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duizhang/benchmarks/gen"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/rules"
)

// TestRandomDays runs 1,000 small random days with every kind of break and
// compares each table with the truth that the generator computed on its own.
func TestRandomDays(t *testing.T) {
	days := 1000
	if testing.Short() {
		days = 25
	}
	for seed := range uint64(days) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			compareDay(t, gen.Random(seed), dayRun{partitions: 1 << (seed % 4), spread: int(seed / 4 % 3), workers: 1 + int(seed%3)})
		})
	}
}

// TestLargeDay is a day of 100,000 trades with every kind of break.
func TestLargeDay(t *testing.T) {
	cfg := gen.Demo(20)
	cfg.Trades = 100_000
	if testing.Short() {
		cfg.Trades = 10_000
	}
	compareDay(t, cfg, dayRun{partitions: 16, workers: 2})
	compareDay(t, cfg, dayRun{partitions: 16, spread: 2, workers: 2})
}

// TestManyMerchants is a day of merchants who number their orders alike: each
// out_trade_no is that of many orders.
func TestManyMerchants(t *testing.T) {
	cfg := gen.SmallZips(6000, 70)
	cfg.TotalsOnly, cfg.Mix, cfg.Refunds = false, gen.Demo(1).Mix, 200
	for _, spread := range []int{0, 1, 2} {
		compareDay(t, cfg, dayRun{partitions: 4, spread: spread, workers: 2})
	}
	compareDay(t, cfg, dayRun{partitions: 32, spread: 1, workers: 2})
}

func compareDay(t *testing.T, cfg gen.Config, d dayRun) {
	t.Helper()
	dir := t.TempDir()
	truth, err := gen.Write(t.Context(), dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.dir, d.change, d.read = dir, jobOf(t, cfg), readingOf(t, dir, cfg)
	sink, result := d.run(t)
	tables := map[string][]string{
		"trades":  {"merchant_pid", "out_trade_no"},
		"refunds": {"merchant_pid", "out_trade_no"},
		"goods":   {"merchant_pid", "out_trade_no"},
		"rebates": {"merchant_pid", "out_trade_no", "product"},
	}
	header, want := readCSV(t, filepath.Join(dir, "expected", "rebate_groups.csv"))
	sameKnown(t, "rebate_groups", header, want, groupRows(result), header[:2])
	if cfg.Accounts {
		tables["accounts"] = []string{"merchant_pid", "out_trade_no"}
	}
	for name, key := range tables {
		header, want := readCSV(t, filepath.Join(dir, "expected", name+".csv"))
		sameKnown(t, name, header, want, sink.table(name), key)
	}
	if devices := filepath.Join(dir, "expected", "devices.csv"); fileExists(devices) {
		header, want := readCSV(t, devices)
		sameKnown(t, "devices", header, want, deviceRows(result), header[:1])
	}
	sameExcluded(t, truth, result)
	var splits []map[string]string
	breaks, rejects := map[string]tallied{}, map[string]int{}
	for i := range result.Breaks {
		b := &result.Breaks[i]
		if b.Code == rules.BreakRefundSplit {
			splits = append(splits, map[string]string{"merchant_pid": b.Merchant, "out_trade_no": b.OutTradeNo, "out_request_no": b.RequestNo})
		}
		tally := breaks[b.Code.String()]
		tally.count++
		if b.Micro {
			tally.amount.AddInt(b.Amount)
		} else {
			tally.amount.AddInt(b.Amount * 10_000)
		}
		breaks[b.Code.String()] = tally
	}
	for i := range result.Rejects {
		rejects[result.Rejects[i].Code.String()]++
	}
	if cfg.POS == gen.POSMessages { // tables do not name the interface, without which no goods are demanded
		delete(breaks, rules.BreakGoodsFieldMissing.String())
	}
	header, want = readCSV(t, filepath.Join(dir, "expected", "split_breaks.csv"))
	sameKnown(t, "refund_split", header, want, splits, header[:2])
	sameBreaks(t, filepath.Join(dir, "expected", "breaks_by_code.csv"), breaks)
	_, want = readCSV(t, filepath.Join(dir, "expected", "rejects_by_code.csv"))
	for _, row := range want {
		if got := fmt.Sprint(rejects[row[0]]); row[1] != "?" && got != row[1] {
			t.Errorf("rejects %s: %s, want %s", row[0], got, row[1])
		}
		delete(rejects, row[0])
	}
	if len(rejects) > 0 {
		t.Errorf("rejects of codes that the truth has not: %v", rejects)
	}
}

// sameExcluded compares what is left out, by reason.
func sameExcluded(t *testing.T, truth *gen.Truth, result *engine.Result) {
	t.Helper()
	left := maps.Clone(truth.Excluded)
	for reason, got := range result.Excluded {
		want := left[rules.Reason(reason).String()]
		delete(left, rules.Reason(reason).String())
		if amount, _ := got.Amount.Int64(); got.Count != want.Count || amount != int64(want.Amount) {
			t.Errorf("excluded %v: %d of %s, want %d of %v", rules.Reason(reason), got.Count, got.Amount.String2(), want.Count, rules.Fen(want.Amount))
		}
	}
	for reason, want := range left {
		t.Errorf("excluded %s: none, want %+v", reason, want)
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// jobOf is the engine's part of the job file that the generator writes.
func jobOf(t *testing.T, cfg gen.Config) func(*engine.Job) {
	return func(j *engine.Job) {
		if cfg.Date != "" {
			day, err := time.Parse(time.DateOnly, cfg.Date)
			if err != nil {
				t.Fatal(err)
			}
			j.Date = int32(day.Unix() / 86400)
		}
		if cfg.LastLine {
			j.Remainder = rules.LastLine
		}
		if cfg.FeesProRata {
			j.FeeOnRefund = engine.FeeProRata
		}
	}
}

// readingOf is what the job file that the generator writes says of reading.
func readingOf(t *testing.T, dir string, cfg gen.Config) func(*loaders.Options) {
	if cfg.Rebate == gen.RebateRows {
		return nil
	}
	_, providers := readCSV(t, filepath.Join(dir, "ref", "providers.csv"))
	return func(o *loaders.Options) {
		o.StatementPID = providers[0][0] // the primary
		if cfg.Rebate == gen.RebateWorkbook {
			o.Columns = map[schema.InputKind]map[string][]string{schema.Rebate: {
				"merchant_pid": {"支付宝商户PID"}, "trade_amount": {"支付宝交易金额"}, "rate": {"支付宝返佣比例"},
				"rebate_amount": {"支付宝返佣金额"}, "period": {"交易期日"},
			}}
		}
	}
}

type tallied struct {
	count  int
	amount rules.Sum // millionths
}

// sameBreaks compares counts and amounts per code; "?" is not known to the truth.
func sameBreaks(t *testing.T, path string, got map[string]tallied) {
	t.Helper()
	_, want := readCSV(t, path)
	for _, row := range want {
		tally := got[row[0]]
		count, amount := fmt.Sprint(tally.count), string(tally.amount.AppendDecimal(nil, 6, 2))
		if at := strings.IndexByte(row[2], '.'); at == len(row[2])-3 { // the truth rounds to the fen
			v, _ := tally.amount.Int64()
			amount = rules.MulRate(rules.Fen(v), 100).String()
		}
		if row[1] != "?" && row[1] != count || row[2] != "?" && row[2] != amount {
			t.Errorf("breaks %s: %s of %s, want %s of %s", row[0], count, amount, row[1], row[2])
		}
		delete(got, row[0])
	}
	for code, tally := range got {
		t.Errorf("breaks %s: %d, which the truth has not", code, tally.count)
	}
}

// sameKnown compares two tables as multisets; a cell "?" of the truth fits
// anything, and a blank stated is 0.00. Rows are looked for among those of their
// key.
func sameKnown(t *testing.T, name string, header []string, want [][]string, got []map[string]string, key []string) {
	t.Helper()
	left := map[string][]map[string]string{}
	for _, row := range got {
		cells := make([]string, len(key))
		for i, column := range key {
			cells[i] = row[column]
		}
		k := strings.Join(cells, "\x00")
		left[k] = append(left[k], row)
	}
	var problems []string
	// rows that know more are placed first, so that a "?" takes no other's row
	slices.SortStableFunc(want, func(a, b []string) int {
		return cmp.Compare(strings.Count(strings.Join(a, ""), "?"), strings.Count(strings.Join(b, ""), "?"))
	})
	for _, row := range want {
		cells := make([]string, len(key))
		for i, column := range key {
			cells[i] = row[slices.Index(header, column)]
		}
		k := strings.Join(cells, "\x00")
		at := slices.IndexFunc(left[k], func(g map[string]string) bool { return fits(header, row, g) })
		if at < 0 {
			problems = append(problems, fmt.Sprintf("%s: missing %v; there are %v", name, row, shown(header, left[k])))
			continue
		}
		left[k] = slices.Delete(left[k], at, at+1)
	}
	for _, rows := range left {
		for _, row := range shown(header, rows) {
			problems = append(problems, fmt.Sprintf("%s: not wanted %v", name, row))
		}
	}
	slices.Sort(problems)
	for _, p := range problems[:min(len(problems), 8)] {
		t.Error(p)
	}
	if len(problems) > 8 {
		t.Errorf("%s: … and %d more", name, len(problems)-8)
	}
}

func fits(header, want []string, got map[string]string) bool {
	for i, column := range header {
		w, g := want[i], got[column]
		if column == "stated" {
			w, g = cmp.Or(w, "0.00"), cmp.Or(g, "0.00")
		}
		if w != "?" && w != g {
			return false
		}
	}
	return true
}

func shown(header []string, rows []map[string]string) [][]string {
	all := make([][]string, len(rows))
	for i, row := range rows {
		for _, column := range header {
			all[i] = append(all[i], row[column])
		}
	}
	return all
}
