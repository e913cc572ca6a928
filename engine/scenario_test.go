package engine_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
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
	state   state // of a job with one; else nil
}

// howRun is how a scenario is run, which never changes what comes out.
type howRun struct {
	partitions, workers int
	budget              int64
	spread              int // 0: partitions
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
	case "carry_days":
		j.CarryDays, err = strconv.Atoi(value)
	case "rebate_tolerance":
		j.RebateTolerance, err = rules.ParseMicro([]byte(value))
	case "statement_pid":
		s.options.StatementPID = value
	case "fee_tolerance":
		j.FeeTolerance, err = rules.ParseFen([]byte(value))
	case "guard":
		j.Guard = true
	case "shift":
		name, start, _ := strings.Cut(value, " ")
		at, err := time.Parse("15:04", start)
		if err != nil {
			return err
		}
		j.Shifts = append(j.Shifts, engine.Shift{Name: name, Start: int32(at.Hour()*3600 + at.Minute()*60)})
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

func known[T any](v T, ok bool) (T, error) { //nolint:revive // it turns the two results of a parser into those of another
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
	{"account/", schema.AlipayAccount},
	{"pos/", schema.PosOrders},
	{"refunds/", schema.PosRefundsKind},
	{"taobao/", schema.TaobaoOrders},
	{"kukeduo/", schema.KukeduoOrders},
	{"api/", schema.PosAPI},
	{"rebate/", schema.Rebate},
	{"ref/agreements.csv", schema.AgreementsKind},
	{"ref/providers.csv", schema.ProvidersKind},
	{"ref/merchants.csv", schema.MerchantsKind},
	{"ref/stores", schema.StoresKind},
	{"ref/goods.csv", schema.GoodsKind},
	{"ref/coupons.csv", schema.CouponsKind},
	{"ref/devices.csv", schema.DevicesKind},
	{"ref/device_policies.csv", schema.DevicePoliciesKind},
	{"rewards/", schema.DeviceRewardsKind},
}

// run writes the inputs to a folder, loads them, and reconciles.
func (s scenario) run(t testing.TB, partitions, workers int) (*rowSink, *engine.Result) {
	t.Helper()
	return s.runAs(t, howRun{partitions: partitions, workers: workers})
}

func (s scenario) runAs(t testing.TB, how howRun) (*rowSink, *engine.Result) {
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
	store := engine.NewStore(engine.StoreOptions{Words: words, Layout: engine.Layout{Partitions: how.partitions, Spread: how.spread}, Budget: how.budget, History: s.state != nil, SpillDir: t.TempDir()})
	defer store.Close()
	opt := s.options
	opt.Words, opt.Workers, opt.Lang = words, how.workers, "en"
	opt.References = func(reg *schema.Registry) { store.KnowMerchants(reg, job.DefaultMerchant) }
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
	tables, tonight := loaded.Tables, night{leave: func(*engine.Result) {}}
	if s.state != nil {
		tonight = s.state.begin(t, &job, words)
		if tables, err = store.AddCarried(tables, tonight.carried); err != nil {
			t.Fatal(err)
		}
		job.History, job.HistoryDays = tonight.history, tonight.days
	}
	sink := &rowSink{words: words, tables: tables, keep: tonight.keep}
	result, err := engine.Run(t.Context(), &job, store, tables, sink, engine.RunOptions{
		Workers: how.workers, ShiftOrders: sink.shiftOrder,
	})
	if err != nil {
		t.Fatal(err)
	}
	tonight.leave(result)
	for _, inv := range result.Invariants {
		if !inv.Holds {
			t.Errorf("invariant %s: %s is not %s", inv.Name, inv.Left, inv.Right)
		}
	}
	return sink, result
}

// scenarioTables are the results that a scenario can want, by name.
func (s *rowSink) scenarioTables(r *engine.Result) map[string][]map[string]string {
	tables := map[string][]map[string]string{
		"breaks": breakRows(r), "rejects": rejectRows(r), "groups": groupRows(r), "devices": deviceRows(r),
		"shifts":       shiftRows(r),
		"shift_orders": s.orders, "excluded": excludedRows(r), "account_types": accountTypeRows(r),
		"pid_uses": pidUseRows(r),
		"counts": {{
			"no_goods": strconv.FormatInt(r.NoGoods, 10), "price_unknown": strconv.FormatInt(r.PriceUnknown, 10),
			"goods_incomplete": strconv.FormatInt(r.Incomplete, 10), "out_of_scope": strconv.FormatInt(r.OutOfScope, 10),
			"fees_later":          strconv.Itoa(len(r.FeesLater)),
			"account_not_covered": fmt.Sprint(r.Accounts.NotCovered.BillCount, " ", r.Accounts.NotCovered.BillAmount.String2()),
			"account_indirect":    fmt.Sprint(r.Accounts.Indirect.BillCount, " ", r.Accounts.Indirect.BillAmount.String2()),
		}},
	}
	for _, name := range []string{"trades", "refunds", "goods", "rebates", "accounts"} {
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
			"out_request_no": b.RequestNo, "amount": amount, "what": b.What, "reason": b.Reason, "source": placeOf(r, b.Table, b.Line),
			// The place of the candidate stands last in a suggestion.
			"suggested": b.Suggestion[strings.LastIndexByte(b.Suggestion, ' ')+1:],
		}
	}
	return rows
}

func placeOf(r *engine.Result, table, line int32) string {
	if table < 0 {
		return ""
	}
	return r.Tables[table].Source(line)
}

func deviceRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Devices))
	for i := range r.Devices {
		d := &r.Devices[i]
		rows[i] = map[string]string{
			"device_sn": d.SN, "signer_pid": d.Signer, "month": d.Month.String(), "stated": d.Stated.String(),
			"allowed": d.Allowed.String(), "excess": d.Excess.String(), "cause": d.Cause.String(),
			"months_used": strconv.Itoa(d.MonthsUsed), "total_used": d.TotalUsed.String(), "still_to_come": d.StillToCome.String(),
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

func excludedRows(r *engine.Result) []map[string]string {
	var rows []map[string]string
	for reason, t := range r.Excluded {
		if t.Count > 0 {
			rows = append(rows, map[string]string{
				"reason": rules.Reason(reason).String(), "count": strconv.FormatInt(t.Count, 10), "amount": t.Amount.String2(),
			})
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
			"basis": g.Basis.String2(), "cause": g.Cause.String(), "lost": micro(g.Lost), "claimable": micro(g.Claimable),
		}
		if g.HasStated || g.Cause != rules.CauseStatementPending {
			rows[i]["difference"] = micro(g.Stated.Sub(g.Expected))
		}
	}
	return rows
}

func shiftRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Shifts))
	for i := range r.Shifts {
		s := &r.Shifts[i]
		rows[i] = map[string]string{
			"store_id": s.Store, "terminal_id": s.Terminal, "operator_id": s.Operator, "shift": s.Shift, "channel": s.Channel,
			"shift_date": s.Day, "place": strconv.Itoa(i + 1),
			"pos": fmt.Sprint(s.PosCount, " ", s.PosAmount.String2()), "bill": fmt.Sprint(s.BillCount, " ", s.BillAmount.String2()),
			"refunds":     fmt.Sprint(s.RefundCount, " ", s.RefundAmount.String2()),
			"pos_refunds": fmt.Sprint(s.PosRefundCount, " ", s.PosRefundAmount.String2()),
			"difference":  s.Difference().String2(), "balanced": fmt.Sprint(s.Balanced()),
		}
	}
	return rows
}

func pidUseRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.PIDUses))
	for i := range r.PIDUses {
		u := &r.PIDUses[i]
		rows[i] = map[string]string{
			"merchant_pid": u.Merchant, "store_id": u.Store, "terminal_id": u.Terminal, "product": u.Product, "pid": u.PID,
			"cause": u.Cause.String(), "count": strconv.FormatInt(u.Count, 10), "amount": u.Amount.String2(), "expected": micro(u.Expected),
			"first": time.Unix(u.First, 0).UTC().Format(time.TimeOnly), "last": time.Unix(u.Last, 0).UTC().Format(time.TimeOnly),
			"order": u.Order, "times": strconv.Itoa(len(u.Times)),
		}
	}
	return rows
}

func accountTypeRows(r *engine.Result) []map[string]string {
	rows := make([]map[string]string, len(r.Accounts.Types))
	for i, t := range r.Accounts.Types {
		rows[i] = map[string]string{
			"type": t.Type, "count": strconv.FormatInt(t.Count, 10), "income": t.Income.String2(), "expense": t.Expense.String2(),
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

// TestScenarios runs every scenario in one part by one worker, and in many parts by
// several, with and without groups of merchants: all must give the wanted tables.
func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			s := readScenario(t, path)
			for _, how := range []howRun{{1, 1, 0, 0}, {8, 4, 0, 0}, {8, 2, 0, 1}, {8, 3, 0, 2}, {64, 2, 0, 1}, {8, 2, 0, 4}} {
				t.Run(fmt.Sprintf("partitions %d spread %d workers %d", how.partitions, how.spread, how.workers), func(t *testing.T) {
					s.check(t, how)
				})
			}
		})
	}
}

func (s scenario) check(t *testing.T, how howRun) {
	sink, result := s.runAs(t, how)
	s.compare(t, sink, result)
}

// compare compares a run with what the scenario wants.
func (s scenario) compare(t *testing.T, sink *rowSink, result *engine.Result) {
	t.Helper()
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

// A naiveOrder, naivePayment and naiveRefund are rows of the differential test.
type naiveOrder struct {
	source, merchant, key, trade string
	amount                       int // yuan
	status, channel, time        string
}

type naivePayment struct {
	source, merchant, key, trade string
	amount                       int
	time                         string
}

type naiveRefund struct {
	trade, number string
	amount        int
	time          string
}

// A naiveDay is the rows of one case, in the order of rules 1.
type naiveDay struct {
	orders   []naiveOrder
	payments []naivePayment
	refunds  []naiveRefund
}

// naiveRow is what the two matchers are compared on.
type naiveRow struct {
	merchant, key, status, reason, pos, bill string
}

// match gives the day's trades as rules 3 say it, with nested loops.
func (d *naiveDay) match() []naiveRow {
	takenOrder, takenPayment := make([]bool, len(d.orders)), make([]bool, len(d.payments)) // duplicates
	for i, o := range d.orders {
		for _, e := range d.orders[:i] {
			takenOrder[i] = takenOrder[i] || e.merchant == o.merchant && e.key == o.key
		}
	}
	for i, p := range d.payments {
		for _, e := range d.payments[:i] {
			takenPayment[i] = takenPayment[i] || e.trade == p.trade
		}
	}
	orderOf, paymentOf := d.pair(takenOrder, takenPayment)

	var rows []naiveRow
	for i, o := range d.orders {
		row := naiveRow{merchant: o.merchant, key: o.key, pos: o.source}
		switch p := paymentOf[i]; {
		case takenOrder[i]:
			row.status = "duplicate"
		case d.left(o) != "":
			row.status, row.reason = "excluded", d.left(o)
		case p >= 0:
			row.bill = d.payments[p].source
			row.status, row.reason = d.settlePair(o, d.payments[p])
		case o.status != "paid":
			row.status, row.reason = "excluded", "not_paid"
		case o.time == "23:55:00":
			row.status = "pending"
		default:
			row.status = "pos_only"
		}
		rows = append(rows, row)
	}
	for i, p := range d.payments {
		row := naiveRow{merchant: p.merchant, key: p.key, bill: p.source}
		switch {
		case orderOf[i] >= 0:
			continue
		case takenPayment[i]:
			row.status = "duplicate"
		case d.paidTwice(i, takenPayment, orderOf):
			row.status, row.reason = "bill_only", "paid_twice"
		case p.time == "23:55:00":
			row.status = "pending"
		default:
			row.status = "bill_only"
		}
		rows = append(rows, row)
	}
	return rows
}

// left is why an order is left out before any matching.
func (d *naiveDay) left(o naiveOrder) string {
	switch {
	case o.channel == "cash":
		return "other_channel"
	case o.status == "paid" && o.amount == 0:
		return "zero_amount"
	}
	return ""
}

// pair finds the pairs: the same key, with the trade_no that the order names if
// there are several; then, for the rest, the same trade_no.
func (d *naiveDay) pair(takenOrder, takenPayment []bool) (orderOf, paymentOf []int) {
	orderOf, paymentOf = slices.Repeat([]int{-1}, len(d.payments)), slices.Repeat([]int{-1}, len(d.orders))
	rounds := []func(o naiveOrder, p naivePayment) bool{
		func(o naiveOrder, p naivePayment) bool {
			return o.merchant == p.merchant && o.key == p.key && o.trade == p.trade
		},
		func(o naiveOrder, p naivePayment) bool { return o.merchant == p.merchant && o.key == p.key },
		func(o naiveOrder, p naivePayment) bool { return o.trade != "" && o.trade == p.trade },
	}
	for _, same := range rounds {
		for i, o := range d.orders {
			for k, p := range d.payments {
				open := paymentOf[i] < 0 && orderOf[k] < 0 && !takenOrder[i] && !takenPayment[k] && d.left(o) == ""
				if open && same(o, p) {
					paymentOf[i], orderOf[k] = k, i
				}
			}
		}
	}
	return orderOf, paymentOf
}

func (d *naiveDay) settlePair(o naiveOrder, p naivePayment) (status, reason string) {
	if o.merchant != p.merchant {
		reason = "merchant_differs"
	}
	switch {
	case o.status != "paid" && d.refunded(p) == p.amount:
		return "matched", "cancelled_refunded"
	case o.status != "paid":
		return "status_mismatch", reason
	case o.amount != p.amount:
		return "amount_mismatch", reason
	}
	return "matched", reason
}

// refunded adds up the trade's refunds: a number counts once, and one that goes
// beyond the total is refused.
func (d *naiveDay) refunded(p naivePayment) int {
	var refunds []naiveRefund
	for i, r := range d.refunds {
		again := false
		for _, e := range d.refunds[:i] {
			again = again || e.trade == r.trade && e.number == r.number
		}
		if r.trade == p.trade && !again {
			refunds = append(refunds, r)
		}
	}
	slices.SortStableFunc(refunds, func(a, b naiveRefund) int {
		return strings.Compare(a.time+a.number, b.time+b.number)
	})
	sum := 0
	for _, r := range refunds {
		if sum+r.amount <= p.amount {
			sum += r.amount
		}
	}
	return sum
}

// paidTwice: the key has another payment, which its order matches or which is
// before this one and no other order's.
func (d *naiveDay) paidTwice(i int, taken []bool, orderOf []int) bool {
	p := d.payments[i]
	for k, e := range d.payments {
		if k == i || taken[k] || e.merchant != p.merchant || e.key != p.key {
			continue
		}
		if o := orderOf[k]; o >= 0 && d.orders[o].key == e.key || o < 0 && k < i {
			return true
		}
	}
	return false
}

// naiveCases writes the rows of many small cases into the files of one day. The
// numbers of a case begin with its own: cases never meet.
type naiveCases struct {
	random *rand.Rand
	files  map[string]*bytes.Buffer
	lines  map[string]int
	days   []naiveDay
}

// The merchants, and the files of each side in order, with the account of a bill.
var (
	naiveMerchants = []string{"2088717085982806", "2088725146974493"}
	naiveBills     = []struct{ name, account string }{
		{"bills/a.csv", naiveMerchants[0]}, {"bills/b.csv", naiveMerchants[1]}, {"bills/c.csv", naiveMerchants[0]},
	}
	naivePOS = []string{"pos/a.csv", "pos/b.csv"}
)

const (
	naiveBillHeader = "支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号"
	naivePOSHeader  = "out_trade_no,trade_no,merchant_pid,order_time,status,channel,total_amount"
)

func newNaiveCases(seed uint64) *naiveCases {
	c := &naiveCases{
		random: rand.New(rand.NewPCG(seed, 3)), files: map[string]*bytes.Buffer{}, lines: map[string]int{},
	}
	for _, b := range naiveBills {
		c.files[b.name] = &bytes.Buffer{}
		c.write(b.name, "#账号：["+b.account+"0156]")
		c.write(b.name, "#----业务明细列表----")
		c.write(b.name, naiveBillHeader)
	}
	for _, name := range naivePOS {
		c.files[name] = &bytes.Buffer{}
		c.write(name, naivePOSHeader)
	}
	return c
}

// write appends a line and gives its place.
func (c *naiveCases) write(file, line string) (source string) {
	c.files[file].WriteString(line + "\n")
	c.lines[file]++
	return file + ":" + strconv.Itoa(c.lines[file])
}

func (c *naiveCases) one(of ...string) string { return of[c.random.IntN(len(of))] }

func (c *naiveCases) time() string { return c.one("00:05:00", "12:00:00", "12:00:00", "23:55:00") }

// add makes one more case.
func (c *naiveCases) add() {
	n := len(c.days)
	key := func() string { return fmt.Sprintf("%d-K%d", n, c.random.IntN(4)) }
	trade := func() string { return fmt.Sprintf("%d-T%d", n, c.random.IntN(6)) }
	var d naiveDay
	for _, file := range naivePOS {
		used := map[string]bool{}
		for range c.random.IntN(4) {
			o := naiveOrder{
				merchant: c.one(naiveMerchants...), key: key(), trade: c.one(trade(), trade(), ""), amount: c.random.IntN(5) / 2 * 10,
				status: c.one("paid", "paid", "paid", "unpaid", "closed"), channel: c.one("alipay", "", "", "cash"), time: c.time(),
			}
			if used[o.merchant+o.key] { // it would be a line of the same order
				continue
			}
			used[o.merchant+o.key] = true
			o.source = c.write(file, fmt.Sprintf("%s,%s,%s,2026-11-20 %s,%s,%s,%d.00", o.key, o.trade, o.merchant, o.time, o.status, o.channel, o.amount))
			d.orders = append(d.orders, o)
		}
	}
	for _, bill := range naiveBills {
		for range c.random.IntN(4) {
			p := naivePayment{merchant: bill.account, key: key(), trade: trade(), amount: 10 + c.random.IntN(2)*10, time: c.time()}
			p.source = c.write(bill.name, fmt.Sprintf("%s\t,%s\t,交易,2026-11-20 %s,%d.00,%d.00,\t", p.trade, p.key, p.time, p.amount, p.amount))
			d.payments = append(d.payments, p)
		}
		for _, p := range d.payments {
			if p.merchant != bill.account || c.random.IntN(2) == 0 {
				continue
			}
			r := naiveRefund{trade: p.trade, number: c.one("R1", "R2", "R3"), amount: c.random.IntN(2)*5 + p.amount/2, time: c.one("13:00:00", "14:00:00")}
			c.write(bill.name, fmt.Sprintf("%s\t,%s\t,退款,2026-11-20 %s,-%d.00,-%d.00,%s\t", p.trade, p.key, r.time, r.amount, r.amount, r.number))
			d.refunds = append(d.refunds, r)
		}
	}
	c.days = append(c.days, d)
}

// TestMatchingAgainstNestedLoops compares the engine's trades with those of
// nested loops, over small cases whose keys, trade_nos and merchants collide.
func TestMatchingAgainstNestedLoops(t *testing.T) {
	for seed := range uint64(4) {
		c := newNaiveCases(seed)
		for range 150 {
			c.add()
		}
		s := scenario{files: map[string][]byte{}, job: scenarioJob()}
		for _, b := range naiveBills {
			c.write(b.name, "#----业务明细列表结束----")
		}
		for name, b := range c.files {
			s.files[name] = b.Bytes()
		}
		var want []naiveRow
		for i := range c.days {
			want = append(want, c.days[i].match()...)
		}
		for _, how := range []howRun{{1, 1, 0, 0}, {8, 4, 0, 0}, {8, 2, 0, 1}, {8, 2, 0, 2}, {8, 2, 0, 4}} {
			sink, _ := s.runAs(t, how)
			compareNaive(t, c, want, sink.table("trades"), fmt.Sprintf("seed %d, %+v", seed, how))
		}
	}
}

func compareNaive(t *testing.T, c *naiveCases, want []naiveRow, trades []map[string]string, run string) {
	t.Helper()
	count := map[naiveRow]int{}
	for _, row := range want {
		count[row]++
	}
	for _, row := range trades {
		count[naiveRow{row["merchant_pid"], row["out_trade_no"], row["status"], row["reason"], row["pos_source"], row["bill_source"]}]--
	}
	differ := map[string][]string{} // by case
	for row, n := range count {
		if n == 0 {
			continue
		}
		number, _, _ := strings.Cut(row.key, "-")
		differ[number] = append(differ[number], fmt.Sprintf("%+d × %+v", n, row))
	}
	for number, lines := range differ {
		slices.Sort(lines)
		i, _ := strconv.Atoi(number)
		t.Errorf("%s: case %s: engine and nested loops differ:\n%s\n%s", run, number, strings.Join(lines, "\n"), c.days[i])
	}
}

// String shows the rows of a case.
func (d naiveDay) String() string {
	var b strings.Builder
	for _, o := range d.orders {
		fmt.Fprintf(&b, "order   %+v\n", o)
	}
	for _, p := range d.payments {
		fmt.Fprintf(&b, "payment %+v\n", p)
	}
	for _, r := range d.refunds {
		fmt.Fprintf(&b, "refund  %+v\n", r)
	}
	return b.String()
}
