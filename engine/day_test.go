package engine_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/rules"
)

// rowSink keeps the result rows as maps from column to text.
type rowSink struct {
	mu     sync.Mutex
	words  *schema.Words
	tables []*schema.Table
	rows   map[string][][]map[string]string // table → part → rows
	orders []map[string]string              // behind the differences of the shifts
	keep   func(*engine.Part)               // takes what the run leaves; may be nil
}

func (s *rowSink) shiftOrder(o engine.ShiftOrder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	amount := func(v int64) string {
		if v == schema.Null {
			return ""
		}
		return rules.Fen(v).String()
	}
	s.orders = append(s.orders, map[string]string{
		"terminal_id": o.Terminal, "shift": o.Shift, "shift_date": o.Day, "refund": fmt.Sprint(o.Refund), "out_trade_no": o.OutTradeNo,
		"out_request_no": o.RequestNo, "status": o.Status.String(), "pos": amount(o.Pos), "bill": amount(o.Bill),
	})
}

func (s *rowSink) Begin(parts int) error {
	s.rows = map[string][][]map[string]string{}
	for _, name := range []string{"trades", "refunds", "goods", "rebates", "accounts"} {
		s.rows[name] = make([][]map[string]string, parts)
	}
	return nil
}

func (s *rowSink) Part(_ context.Context, p *engine.Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows["trades"][p.Number] = s.textRows(p.Trades.Columns(), p.Trades.Len())
	s.rows["refunds"][p.Number] = s.textRows(p.Refunds.Columns(), p.Refunds.Len())
	s.rows["goods"][p.Number] = s.textRows(p.Goods.Columns(), p.Goods.Len())
	s.rows["rebates"][p.Number] = s.textRows(p.Rebates.Columns(), p.Rebates.Len())
	s.rows["accounts"][p.Number] = s.textRows(p.Accounts.Columns(), p.Accounts.Len())
	if s.keep != nil {
		s.keep(p)
	}
	return nil
}

func (s *rowSink) table(name string) []map[string]string { return slices.Concat(s.rows[name]...) }

func (s *rowSink) textRows(columns []schema.Column, n int) []map[string]string {
	texts := s.words.Texts()
	rows := make([]map[string]string, n)
	for i := range rows {
		rows[i] = map[string]string{}
		for _, c := range columns {
			rows[i][c.Name] = s.cell(c, i, texts)
		}
	}
	return rows
}

func (s *rowSink) cell(c schema.Column, i int, texts []string) string {
	micro := func(v int64, decimals int) string { return string(rules.AppendMicro(nil, rules.Micro(v), decimals)) }
	number := map[schema.ColumnType]func(int64) string{
		schema.FenType:      func(v int64) string { return rules.Fen(v).String() },
		schema.RebateType:   func(v int64) string { return micro(v, 2) },
		schema.PriceType:    func(v int64) string { return micro(v, 2) },
		schema.QuantityType: func(v int64) string { return micro(v, 0) },
		schema.RateType:     func(v int64) string { return micro(v, 0) },
		schema.TimeType:     func(v int64) string { return time.Unix(v, 0).UTC().Format(time.DateTime) },
		schema.IntType:      func(v int64) string { return fmt.Sprint(v) },
	}[c.Type]
	switch {
	case number != nil && c.Ints[i] == schema.Null, c.Tables != nil && c.Tables[i] < 0:
		return ""
	case number != nil:
		return number(c.Ints[i])
	case c.Text != nil:
		return string(c.Text.At(i))
	case c.Words != nil:
		return texts[c.Words[i]]
	case c.Names != nil:
		return c.Names[c.Bytes[i]]
	case c.Bytes != nil:
		return fmt.Sprint(c.Bytes[i] != 0)
	}
	return s.tables[c.Tables[i]].Source(c.Lines[i])
}

// A dayRun is a day of files that a test runs.
type dayRun struct {
	dir        string
	partitions int
	spread     int // 0: partitions
	workers    int
	budget     int64
	change     func(*engine.Job)
	read       func(*loaders.Options)
}

func (d dayRun) run(t testing.TB) (*rowSink, *engine.Result) {
	t.Helper()
	words := schema.NewWords()
	var inputs []loaders.Input
	kinds := map[schema.InputKind]bool{}
	add := func(kind schema.InputKind, pattern string) {
		paths, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, _ := filepath.Rel(d.dir, path)
			inputs = append(inputs, loaders.Input{Kind: kind, Path: path, Name: filepath.ToSlash(name)})
			kinds[kind] = true
		}
	}
	add(schema.AlipayBill, "bills/*")
	add(schema.AlipayAccount, "account/*")
	add(schema.PosOrders, "pos/*.csv")
	add(schema.PosRefundsKind, "refunds/*.csv")
	add(schema.KukeduoOrders, "kukeduo/*.csv")
	add(schema.PosAPI, "api/*.jsonl")
	add(schema.TaobaoOrders, "taobao/*")
	add(schema.Rebate, "rebate/*")
	add(schema.AgreementsKind, "ref/agreements.csv")
	add(schema.ProvidersKind, "ref/providers.csv")
	add(schema.MerchantsKind, "ref/merchants.csv")
	add(schema.StoresKind, "ref/stores.csv")
	add(schema.GoodsKind, "ref/goods.csv")
	add(schema.CouponsKind, "ref/coupons.csv")
	add(schema.DevicesKind, "ref/devices.csv")
	add(schema.DevicePoliciesKind, "ref/device_policies.csv")
	add(schema.DeviceRewardsKind, "rebate_devices/*.csv")
	store := engine.NewStore(engine.StoreOptions{Words: words, Layout: engine.Layout{Partitions: d.partitions, Spread: d.spread}, Budget: d.budget, SpillDir: t.TempDir()})
	defer store.Close()
	options := loaders.Options{Words: words, Workers: d.workers, Lang: "en"}
	options.References = func(reg *schema.Registry) { store.KnowMerchants(reg, "") }
	if d.read != nil {
		d.read(&options)
	}
	loaded, err := loaders.Load(t.Context(), inputs, options, store)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range loaded.Tables {
		if table.Refused {
			t.Fatalf("%s is refused: %v", table.File(), table.Problems)
		}
	}
	job := &engine.Job{
		Date: int32(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Unix() / 86400), CutoffWindow: 600, SuggestWindow: 600, CarryDays: 3,
		Remainder: rules.LargestRemainder, Policy: rules.SmartStore(), RefundMode: rules.ModeProrated,
		FeeTolerance: 1, FeeOnRefund: engine.FeeNone, Registry: loaded.Registry, Inputs: kinds,
	}
	if d.change != nil {
		d.change(job)
	}
	sink := &rowSink{words: words, tables: loaded.Tables}
	result, err := engine.Run(t.Context(), job, store, loaded.Tables, sink, engine.RunOptions{Workers: d.workers})
	if err != nil {
		t.Fatal(err)
	}
	return sink, result
}

func readCSV(t testing.TB, path string) (header []string, rows [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

// sameRows compares two tables as multisets on the wanted columns; a blank stated
// counts as 0.00.
func sameRows(t *testing.T, name string, header []string, want [][]string, got []map[string]string) {
	t.Helper()
	count := map[string]int{}
	line := func(cell func(column string) string) string {
		cells := make([]string, len(header))
		for i, column := range header {
			cells[i] = cell(column)
			if column == "stated" && cells[i] == "" {
				cells[i] = "0.00"
			}
		}
		return strings.Join(cells, " | ")
	}
	for _, row := range want {
		count[line(func(column string) string { return row[slices.Index(header, column)] })]++
	}
	for _, row := range got {
		count[line(func(column string) string { return row[column] })]--
	}
	var lines []string
	for text, n := range count {
		switch {
		case n > 0:
			lines = append(lines, fmt.Sprintf("%s: missing %d × %s", name, n, text))
		case n < 0:
			lines = append(lines, fmt.Sprintf("%s: not wanted %d × %s", name, -n, text))
		}
	}
	slices.Sort(lines)
	if len(lines) > 20 {
		lines = append(lines[:20], fmt.Sprintf("… and %d more", len(lines)-20))
	}
	for _, l := range lines {
		t.Error(l)
	}
	if len(want) != len(got) {
		t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
	}
}

// TestSampleDay runs the published sample day and compares with its truth.
func TestSampleDay(t *testing.T) {
	dir := os.Getenv("DUIZHANG_SAMPLES")
	if dir == "" {
		t.Skip("DUIZHANG_SAMPLES is not set: the sample day is not compared")
	}
	dir = filepath.Join(dir, "day")
	for _, spread := range []int{0, 1, 2} {
		compareSample(t, dir, spread)
	}
}

func compareSample(t *testing.T, dir string, spread int) {
	t.Helper()
	sink, result := dayRun{dir: dir, partitions: 4, spread: spread, workers: 2}.run(t)
	for _, name := range []string{"trades", "refunds", "goods", "rebates"} {
		header, want := readCSV(t, filepath.Join(dir, "expected", name+".csv"))
		sameRows(t, name, header, want, sink.table(name))
	}
	header, want := readCSV(t, filepath.Join(dir, "expected", "split_breaks.csv"))
	var got []map[string]string
	for _, b := range result.Breaks {
		if b.Code == rules.BreakRefundSplit {
			got = append(got, map[string]string{"merchant_pid": b.Merchant, "out_trade_no": b.OutTradeNo, "out_request_no": b.RequestNo})
		}
	}
	sameRows(t, "refund_split", header, want, got)
}
