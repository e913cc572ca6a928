package engine_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/rules"
)

// A scenario is a small day in one file of testdata: input files as text, a
// job.txt with settings, and under want/ the tables that must come, each with
// the columns that matter.
type scenario struct {
	files   map[string][]byte
	job     engine.Job
	options loaders.Options
}

// scenarioJob is the job of a scenario without a job.txt.
func scenarioJob() engine.Job {
	return engine.Job{
		Date: day("2026-11-20"), CutoffWindow: 600, SuggestWindow: 600, CarryDays: 3,
		Remainder: rules.LargestRemainder, Policy: rules.SmartStore(), RefundMode: rules.ModeProrated,
		FeeTolerance: 1, FeeOnRefund: engine.FeeNone,
	}
}

func day(text string) int32 {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic("engine_test: " + err.Error())
	}
	return int32(d.Unix() / 86400)
}

func readScenario(t testing.TB, path string) scenario {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(bytes.TrimSpace(archive.Comment)) == 0 {
		t.Fatalf("%s says not what it shows", path)
	}
	s := scenario{files: map[string][]byte{}, job: scenarioJob()}
	for _, f := range archive.Files {
		s.files[f.Name] = f.Data
	}
	if err := s.set(s.files["job.txt"]); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return s
}

// set reads the settings: a line each, "key: value".
func (s *scenario) set(text []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		if !ok {
			return fmt.Errorf("job.txt: %q: not a setting", lines.Text())
		}
		if err := s.setOne(key, value); err != nil {
			return fmt.Errorf("job.txt: %s: %w", key, err)
		}
	}
	return lines.Err()
}

// setOne is the table of settings, in the order of the contract.
func (s *scenario) setOne(key, value string) (err error) {
	switch j := &s.job; key {
	case "date":
		if j.Date = engine.NoDate; value != "none" {
			j.Date = day(value)
		}
	case "default_merchant":
		j.DefaultMerchant, s.options.DefaultMerchant = value, value
	case "amount_tolerance":
		j.AmountTolerance, err = rules.ParseFen([]byte(value))
	case "cutoff_window":
		j.CutoffWindow, err = seconds(value)
	case "suggest_window":
		j.SuggestWindow, err = seconds(value)
	case "remainder":
		j.Remainder, err = known(rules.ParseRemainder(value))
	case "mode":
		j.RefundMode, err = known(rules.ParseRefundMode(value))
	case "rebate_tolerance":
		j.RebateTolerance, err = rules.ParseMicro([]byte(value))
	case "statement_pid":
		s.options.StatementPID = value
	case "fee_tolerance":
		j.FeeTolerance, err = rules.ParseFen([]byte(value))
	case "on_refund":
		choices := []engine.FeeOnRefund{engine.FeeNone, engine.FeeProRata, engine.FeeFullRefundOnly}
		at := slices.IndexFunc(choices, func(f engine.FeeOnRefund) bool { return f.String() == value })
		if at < 0 {
			return fmt.Errorf("%q is none of %v", value, choices)
		}
		j.FeeOnRefund = choices[at]
	default:
		return fmt.Errorf("not a setting")
	}
	return err
}

func seconds(text string) (int64, error) {
	d, err := time.ParseDuration(text)
	return int64(d / time.Second), err
}

func known[T any](v T, ok bool) (T, error) {
	if !ok {
		return v, fmt.Errorf("not one of the words")
	}
	return v, nil
}

// scenarioKinds are the folders and files of a scenario's inputs.
var scenarioKinds = []struct {
	prefix string
	kind   schema.InputKind
}{
	{"bills/", schema.AlipayBill},
	{"pos/", schema.PosOrders},
	{"refunds/", schema.PosRefundsKind},
	{"rebate/", schema.Rebate},
	{"ref/agreements.csv", schema.AgreementsKind},
	{"ref/providers.csv", schema.ProvidersKind},
	{"ref/merchants.csv", schema.MerchantsKind},
	{"ref/stores.csv", schema.StoresKind},
	{"ref/goods.csv", schema.GoodsKind},
}

// run writes the inputs to a folder, loads them, and reconciles.
func (s scenario) run(t testing.TB, partitions, workers int) (*rowSink, *engine.Result) {
	t.Helper()
	dir := t.TempDir()
	var inputs []loaders.Input
	job := s.job
	job.Inputs = map[schema.InputKind]bool{}
	for name, data := range s.files {
		for _, k := range scenarioKinds {
			if !strings.HasPrefix(name, k.prefix) {
				continue
			}
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, loaders.Input{Kind: k.kind, Path: path, Name: name})
			job.Inputs[k.kind] = true
		}
	}
	words := schema.NewWords()
	store := engine.NewStore(engine.StoreOptions{Words: words, Partitions: partitions, SpillDir: t.TempDir()})
	defer store.Close()
	opt := s.options
	opt.Words, opt.Workers, opt.Lang = words, workers, "en"
	loaded, err := loaders.Load(t.Context(), inputs, opt, store)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range loaded.Tables {
		if table.Refused {
			t.Fatalf("%s is refused: %v", table.File(), table.Problems)
		}
	}
	job.Registry = loaded.Registry
	sink := &rowSink{words: words, tables: loaded.Tables}
	result, err := engine.Run(t.Context(), &job, store, loaded.Tables, sink, engine.RunOptions{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	for _, inv := range result.Invariants {
		if !inv.Holds {
			t.Errorf("invariant %s: %s is not %s", inv.Name, inv.Left, inv.Right)
		}
	}
	return sink, result
}

// tables are the results that a scenario can want, by name.
func (s *rowSink) scenarioTables(r *engine.Result) map[string][]map[string]string {
	tables := map[string][]map[string]string{
		"breaks": breakRows(r), "rejects": rejectRows(r), "groups": groupRows(r),
		"counts": {{
			"no_goods": strconv.FormatInt(r.NoGoods, 10), "price_unknown": strconv.FormatInt(r.PriceUnknown, 10),
			"goods_incomplete": strconv.FormatInt(r.Incomplete, 10), "out_of_scope": strconv.FormatInt(r.OutOfScope, 10),
			"fees_later": strconv.Itoa(len(r.FeesLater)),
		}},
	}
	for _, name := range []string{"trades", "refunds", "goods", "rebates"} {
		tables[name] = s.table(name)
	}
	return tables
}

func breakRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Breaks))
	for i, b := range r.Breaks {
		amount := rules.Fen(b.Amount).String()
		if b.Micro {
			amount = string(rules.AppendMicro(nil, rules.Micro(b.Amount), 2))
		}
		rows[i] = map[string]string{
			"code": b.Code.String(), "side": b.Side.String(), "severity": b.Severity.String(),
			"merchant_pid": b.Merchant, "out_trade_no": b.OutTradeNo, "trade_no": b.TradeNo,
			"out_request_no": b.RequestNo, "amount": amount,
			// The place of the candidate stands last in a suggestion.
			"suggested": b.Suggestion[strings.LastIndexByte(b.Suggestion, ' ')+1:],
		}
	}
	return rows
}

func rejectRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Rejects))
	for i, reject := range r.Rejects {
		rows[i] = map[string]string{
			"file": r.Tables[reject.Table].File(), "line": strconv.Itoa(int(reject.Line)), "code": reject.Code.String(),
		}
	}
	return rows
}

func groupRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Groups))
	for i, g := range r.Groups {
		rate := ""
		if g.Rate != schema.Null {
			rate = string(rules.AppendMicro(nil, rules.Micro(g.Rate), 0))
		}
		stated := ""
		if g.HasStated {
			stated = micro(g.Stated)
		}
		rows[i] = map[string]string{
			"provider_pid": g.Provider, "merchant_pid": g.Merchant, "product": g.Product, "period": g.Period,
			"trades": strconv.FormatInt(g.Trades, 10), "rate": rate, "expected": micro(g.Expected), "stated": stated,
			"cause": g.Cause.String(), "lost": micro(g.Lost), "claimable": micro(g.Claimable),
		}
	}
	return rows
}

func micro(s rules.Sum) string {
	v, ok := s.Int64()
	if !ok {
		panic("engine_test: a scenario's sum is small")
	}
	return string(rules.AppendMicro(nil, rules.Micro(v), 2))
}

// TestScenarios runs every scenario in one part by one worker and in eight parts
// by four: both must give the wanted tables.
func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			s := readScenario(t, path)
			for _, run := range [...]struct{ partitions, workers int }{{1, 1}, {8, 4}} {
				t.Run(fmt.Sprintf("partitions %d workers %d", run.partitions, run.workers), func(t *testing.T) {
					s.check(t, run.partitions, run.workers)
				})
			}
		})
	}
}

func (s scenario) check(t *testing.T, partitions, workers int) {
	sink, result := s.run(t, partitions, workers)
	tables := sink.scenarioTables(result)
	wanted := 0
	for name, data := range s.files {
		name, ok := strings.CutPrefix(name, "want/")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, ".csv")
		got, ok := tables[name]
		if !ok {
			t.Fatalf("want/%s.csv: no such table", name)
		}
		reader := csv.NewReader(bytes.NewReader(data))
		reader.Comment = '#'
		rows, err := reader.ReadAll()
		if err != nil {
			t.Fatalf("want/%s.csv: %v", name, err)
		}
		for _, column := range rows[0] {
			if len(got) > 0 {
				if _, ok := got[0][column]; !ok {
					t.Fatalf("want/%s.csv: no such column: %s", name, column)
				}
			}
		}
		sameRows(t, name, rows[0], rows[1:], got)
		wanted++
	}
	if wanted == 0 {
		t.Fatal("nothing is wanted")
	}
}
