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

	"duizhang/benchmarks/gen"
	"duizhang/engine"
	"duizhang/rules"
)

// TestMessageDays: a random day whose POS side is an API log has the same truth as
// one of tables: every trade, refund, goods line and rebate, and every break.
func TestMessageDays(t *testing.T) {
	seeds := 25
	if testing.Short() {
		seeds = 6
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := gen.Random(seed)
			cfg.POS, cfg.NoRejects, cfg.Mix = gen.POSMessages, true, gen.MessageMix(cfg.Mix)
			compareDay(t, cfg, dayRun{partitions: 4, workers: 2})
			compareDay(t, cfg, dayRun{partitions: 8, spread: 1, workers: 2})
		})
	}
}

// TestMessagesAsTables: the same day as API messages and as tables gives the same
// rows, but for the places.
func TestMessagesAsTables(t *testing.T) {
	cfg := gen.Config{Seed: 11, Trades: 1500, Merchants: 3, NoRejects: true, Mix: gen.MessageMix(gen.DefaultMix())}
	var rows [2]map[string][]string
	for i, form := range []gen.POSForm{gen.POSTables, gen.POSMessages} {
		cfg.POS = form
		dir := t.TempDir()
		if _, err := gen.Write(t.Context(), dir, cfg); err != nil {
			t.Fatal(err)
		}
		sink, _ := dayRun{dir: dir, partitions: 4, workers: 2}.run(t)
		rows[i] = map[string][]string{}
		for _, name := range []string{"trades", "refunds", "goods", "rebates"} {
			for _, row := range sink.table(name) {
				var cells []string
				for _, column := range slices.Sorted(maps.Keys(row)) {
					// An unpaid order's funding and a portal refund's place in its chain are the same;
					// places differ, and a message names no mode.
					if !strings.HasSuffix(column, "source") && column != "mode" {
						cells = append(cells, column+"="+row[column])
					}
				}
				rows[i][name] = append(rows[i][name], strings.Join(cells, " "))
			}
			slices.Sort(rows[i][name])
		}
	}
	for name, want := range rows[0] {
		got := rows[1][name]
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				t.Errorf("%s: row %d of %d and %d differs:\ntables   %s\nmessages %s", name, i, len(want), len(got), at(want, i), at(got, i))
				break
			}
		}
	}
}

func at(rows []string, i int) string {
	if i >= len(rows) {
		return "none"
	}
	return rows[i]
}

// TestAccountForms: a random day whose account side is written in any of its forms,
// the bill's generations, the portal's exports and workbooks, is tied out alike:
// every trade, every planted difference, and what is beyond the trade bill by type.
func TestAccountForms(t *testing.T) {
	days := 300
	if testing.Short() {
		days = 20
	}
	for seed := range uint64(days) {
		form := gen.AccountForm(seed % uint64(len(gen.AccountForms)))
		t.Run(fmt.Sprintf("%s-%d", gen.AccountForms[form], seed), func(t *testing.T) {
			t.Parallel()
			cfg := gen.Random(seed)
			cfg.Accounts, cfg.AccountForm = true, form
			compareDay(t, cfg, dayRun{partitions: 4, workers: 2})
			compareDay(t, cfg, dayRun{partitions: 8, spread: 1, workers: 2})
		})
	}
}

// TestTaobaoForms: a random day beside which the order list of the Tmall shop lies,
// in any of its forms, has the same truth: the POS's sales in the list are left out,
// the others are totalled as the online side, and nothing is counted twice.
func TestTaobaoForms(t *testing.T) {
	days := 300
	if testing.Short() {
		days = 20
	}
	for seed := range uint64(days) {
		form := gen.TaobaoForm(1 + seed%uint64(len(gen.TaobaoForms)-1))
		t.Run(fmt.Sprintf("%s-%d", gen.TaobaoForms[form], seed), func(t *testing.T) {
			t.Parallel()
			cfg := gen.Random(seed)
			cfg.Taobao = form
			compareDay(t, cfg, dayRun{partitions: 4, workers: 2})
			compareDay(t, cfg, dayRun{partitions: 8, spread: 1, workers: 2})
		})
	}
}

// TestRebateForms: a random day whose rebates for face payments are stated by the
// month, in an aggregator's workbook or in the official table, is audited merchant by
// merchant: what is short, over, adjusted or missing, beside what wrong PIDs lost.
func TestRebateForms(t *testing.T) {
	days := 300
	if testing.Short() {
		days = 20
	}
	for seed := range uint64(days) {
		form := gen.RebateWorkbook + gen.RebateForm(seed%2)
		t.Run(fmt.Sprintf("%s-%d", gen.RebateForms[form], seed), func(t *testing.T) {
			t.Parallel()
			cfg := gen.Random(seed)
			cfg.Rebate, cfg.Mix = form, gen.TogetherMix(cfg.Mix)
			compareDay(t, cfg, dayRun{partitions: 4, workers: 2})
			compareDay(t, cfg, dayRun{partitions: 8, spread: 1, workers: 2})
		})
	}
}

// TestKukeduoDays: a random day whose POS side is a Kukeduo list has the same
// trades, by what the list can say of them; its orders of goods are left out, and so
// is the order list of a shop beside it.
func TestKukeduoDays(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 8
	}
	for seed := range uint64(seeds) {
		cfg := gen.Random(seed)
		cfg.Merchants, cfg.Weights = 1, nil
		cfg.POS, cfg.NoRejects, cfg.Mix = gen.POSKukeduo, true, gen.ListMix(cfg.Mix)
		cfg.Taobao = gen.TaobaoForm(seed % uint64(len(gen.TaobaoForms)))
		dir := t.TempDir()
		truth, err := gen.Write(t.Context(), dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		sink, result := dayRun{dir: dir, partitions: 4, workers: 2, change: func(j *engine.Job) {
			jobOf(t, cfg)(j)
			j.DefaultMerchant = j.Registry.Merchants[0].PID
		}}.run(t)
		header, want := readCSV(t, filepath.Join(dir, "expected", "trades.csv"))
		columns := slices.DeleteFunc([]string{"merchant_pid", "out_trade_no", "status", "pos_amount", "bill_amount", "difference", "reason"}, func(column string) bool {
			return !slices.Contains(header, column)
		})
		picked := make([][]string, len(want))
		for i, row := range want {
			for _, column := range columns {
				picked[i] = append(picked[i], row[slices.Index(header, column)])
			}
		}
		sameKnown(t, "trades", columns, picked, sink.table("trades"), []string{"merchant_pid", "out_trade_no"})
		sameExcluded(t, truth, result)
		if cfg.Trades > 20 && truth.Excluded["not_face_pay"].Count == 0 {
			t.Errorf("seed %d: no order of goods", seed)
		}
	}
}

// TestTaobaoCountsNothingTwice: the order list of the Tmall shop, which has the
// POS's sales again beside the online ones, changes no trade, refund, rebate or
// break, and adds what it has to excluded, row by row.
func TestTaobaoCountsNothingTwice(t *testing.T) {
	dir := t.TempDir()
	cfg := gen.Config{Seed: 5, Trades: 600, Merchants: 2}
	if _, err := gen.Write(t.Context(), dir, cfg); err != nil {
		t.Fatal(err)
	}
	sink, before := dayRun{dir: dir, partitions: 4, workers: 2}.run(t)
	plain := sink.rows

	// Every second sale again: by its own number or by one of Taobao's, with its
	// trade_no, and in a file that comes before the POS's.
	var list strings.Builder
	list.WriteString("订单编号,支付单号,买家应付货款,买家实际支付金额,订单状态,订单创建时间,是否是O2O交易\n")
	var o2o, online rules.Sum
	n := [2]int64{}
	for i, row := range sink.table("trades") {
		if row["pos_amount"] == "" || row["status"] == "duplicate" || i%2 == 0 {
			continue
		}
		number := row["out_trade_no"]
		if i%3 == 0 {
			number = fmt.Sprintf("19300000000%08d", i)
		}
		if strings.Contains(list.String(), "\n"+number+",") {
			continue // another merchant's of that number
		}
		amount, err := rules.ParseFen([]byte(row["pos_amount"]))
		if err != nil {
			t.Fatal(err)
		}
		flag := "是"
		if i%5 == 0 {
			flag = ""
			online.Add(amount)
			n[1]++
		} else {
			o2o.Add(amount)
			n[0]++
		}
		fmt.Fprintf(&list, "%s,%s,%s,%s,交易成功,2026-11-20 10:00:00,%s\n", number, row["trade_no"], row["pos_amount"], row["pos_amount"], flag)
	}
	if err := os.MkdirAll(filepath.Join(dir, "taobao"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "taobao", "orders.csv"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	sink, after := dayRun{dir: dir, partitions: 4, workers: 2}.run(t)
	for reason, want := range map[rules.Reason]struct {
		n   int64
		sum rules.Sum
	}{rules.ReasonO2OPassport: {n[0], o2o}, rules.ReasonOnlineOrder: {n[1], online}} {
		if got := after.Excluded[reason]; got.Count != want.n || got.Amount != want.sum || got.Count == 0 {
			t.Errorf("%v: %d, %s, want %d, %s", reason, got.Count, got.Amount.String2(), want.n, want.sum.String2())
		}
	}
	for name, parts := range plain {
		var want, got []string
		for _, row := range slices.Concat(parts...) {
			want = append(want, rowText(row))
		}
		for _, row := range sink.table(name) {
			if row["reason"] != "o2o_passport" && row["reason"] != "online_order" {
				got = append(got, rowText(row))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s: %d rows, without the list %d, or they differ", name, len(got), len(want))
		}
	}
	a, b := breakTexts(before), breakTexts(after)
	if !slices.Equal(a, b) {
		t.Errorf("breaks differ: %d without the list, %d with it", len(a), len(b))
	}
}

func rowText(row map[string]string) string {
	var cells []string
	for _, column := range slices.Sorted(maps.Keys(row)) {
		cells = append(cells, column+"="+row[column])
	}
	return strings.Join(cells, " ")
}

func breakTexts(r *engine.Result) []string {
	texts := make([]string, len(r.Breaks))
	for i, b := range r.Breaks {
		texts[i] = fmt.Sprintf("%v %v %s %s %s %d %s", b.Code, b.Side, b.Merchant, b.OutTradeNo, b.RequestNo, b.Amount, cmp.Or(b.What, "-"))
	}
	return texts
}
