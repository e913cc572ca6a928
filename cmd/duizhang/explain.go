package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/reports"
	"duizhang/rules"
)

func (a *app) explainCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "explain JOB.yaml ID",
		Short: a.say("一笔交易的来龙去脉：每一行输入、匹配、分摊、退款、返佣", "everything about one trade_no or out_trade_no"),
		Long: a.say(`按作业文件完整计算一遍，列出与这个支付宝交易号或商户订单号有关的每一行输入（文件:行）、
匹配结果、商品分摊、退款拆分、账务核对、返佣，以及为什么。作业有 state 时，还列出以前各天的结果：
哪一次对账了结了它，以及历次退款。不写任何结果。`,
			`Computes the job and lists every input line (file:line) that has to do with this trade_no or
out_trade_no, its match, allocation, refunds, account rows and rebate, and why. With a state, what earlier
days had of it too: the run that settled it, and its refunds over the days. No results are written.`),
		Example: `  duizhang explain duizhang.yaml POS202611200000001
  duizhang explain duizhang.yaml 2026112022001619730000000001 --json`,
		Args: a.exactly(2, "请给出作业文件和一个号码", "give a job file and a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.explain(cmd.Context(), args[0], strings.TrimSpace(args[1]), f)
		},
	}
	a.dateFlag(cmd, &f)
	a.setFlag(cmd, &f)
	a.waitFlag(cmd, &f.wait)
	a.sizeFlags(cmd, &f)
	return cmd
}

// An explanation is what explain prints. Tables have the columns of their CSVs.
type explanation struct {
	ID       string      `json:"id"`
	Inputs   []inputLine `json:"inputs"`
	Trades   []record    `json:"trades"`
	Refunds  []record    `json:"refunds"`
	Goods    []record    `json:"goods"`
	Rebates  []record    `json:"rebates"`
	Breaks   []record    `json:"breaks"`
	Rejects  []record    `json:"rejects"`
	Edges    []edge      `json:"edges"`
	Accounts []record    `json:"accounts"`
	History  []pastTrade `json:"history"` // what earlier days had of it, with state
}

type inputLine struct {
	Source string `json:"source"`
	Kind   string `json:"kind"`
	Raw    string `json:"raw"`
}

func (a *app) explain(ctx context.Context, file, id string, f runFlags) error {
	j, size, err := a.prepare(file, f)
	if err != nil {
		return err
	}
	out := outOf(j, f)
	if err := a.checkState(j, out); err != nil {
		return err
	}
	a.tidy(out, out+failedSuffix)
	scratch, err := a.scratch(out, explainSuffix)
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Discard() }()
	size.spill, size.watch = scratch.Temp(), newWatch(id)
	show := a.newProgress()
	s, err := a.load(ctx, j, size, show)
	if err != nil {
		show.close()
		return err
	}
	defer func() { _ = s.close() }()
	past, err := a.pastOf(ctx, j, access{read: true, wait: f.wait})
	if err != nil {
		show.close()
		return err
	}
	defer past.close()
	e := &explainer{session: s, past: past, id: id, scratch: scratch, keys: map[string]bool{}, numbers: map[string]bool{}}
	found, err := e.explain(ctx, show)
	show.close()
	if err != nil {
		return err
	}
	s.complainInputs()
	if err := a.printExplanation(found); err != nil {
		return err
	}
	switch {
	case s.incomplete():
		return quietly(exitInput)
	case len(found.Inputs) == 0 && len(found.Trades) == 0 && len(found.Breaks) == 0 && len(found.History) == 0:
		return usage(a.say("输入里没有 %q", "no input has %q", id), a.say("请给出完整的支付宝交易号或商户订单号", "give a whole trade_no or out_trade_no"))
	}
	return nil
}

// An explainer keeps of a run what has to do with one number. It is the engine's
// sink: what it keeps goes to a Writer, so that explain shows a row as the
// reports have it.
type explainer struct {
	*session
	past    *jobState // nil without state
	id      string
	scratch *reports.Staging
	writer  *reports.Writer
	mu      sync.Mutex

	keys    map[string]bool // merchant and out_trade_no
	numbers map[string]bool // trade_nos that the results tie to the number
}

func (e *explainer) explain(ctx context.Context, show progress) (*explanation, error) {
	if err := e.checkPrimary(); err != nil {
		return nil, err
	}
	r := &runner{session: e.session, staging: e.scratch, state: e.past}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { r.past.discard() }()
	options := r.reportOptions(e.scratch.Dir())
	options.Formats, options.Sort, options.CSVBOM = reports.Formats{CSV: true}, false, false
	options.Claims = reports.ClaimOptions{} // rows of other trades are not kept, and no pack is written
	e.writer = reports.NewWriter(options)
	defer func() { _ = e.writer.Close() }()
	if err := r.reconcile(ctx, e, show); err != nil {
		return nil, err
	}
	places, err := e.lines(ctx)
	if err != nil {
		return nil, err
	}
	result := *r.result
	result.Breaks = slices.DeleteFunc(slices.Clone(result.Breaks), func(b engine.Break) bool { return !e.aboutBreak(&b) })
	if err := e.fillRaw(ctx, result.Rejects); err != nil {
		return nil, err
	}
	result.Rejects = slices.DeleteFunc(slices.Clone(result.Rejects), func(r schema.Reject) bool {
		return !places[place{r.Table, r.Line}] && !e.aboutReject(&r)
	})
	for i := range result.Rejects {
		places[place{result.Rejects[i].Table, result.Rejects[i].Line}] = true
	}
	if err := e.writer.Finish(ctx, &result, reports.Outcome{}); err != nil {
		return nil, err
	}
	x, err := e.read(ctx, places)
	if err != nil {
		return nil, err
	}
	x.History, err = e.history(ctx, r.past)
	return x, err
}

// Begin begins the tables.
func (e *explainer) Begin(parts int) error { return e.writer.Begin(parts) }

// Part keeps the rows of a part that have to do with the number.
func (e *explainer) Part(ctx context.Context, p *engine.Part) error {
	e.mu.Lock() // one part at a time: what is kept is small
	defer e.mu.Unlock()
	words := e.words.Texts()
	own := map[string]bool{} // keys of this part: an order's rows are in one part
	mark := func(merchant uint32, order, trade []byte) {
		if string(order) != e.id && string(trade) != e.id {
			return
		}
		key := words[merchant] + "\x1f" + string(order)
		own[key], e.keys[key] = true, true
		if len(trade) > 0 {
			e.numbers[string(trade)] = true
		}
	}
	for i := range p.Trades.Len() {
		mark(p.Trades.Merchant[i], p.Trades.OutTradeNo.At(i), p.Trades.TradeNo.At(i))
	}
	for i := range p.Refunds.Len() {
		mark(p.Refunds.Merchant[i], p.Refunds.OutTradeNo.At(i), p.Refunds.TradeNo.At(i))
	}
	about := func(merchant []uint32, order *schema.Text) []int32 {
		var rows []int32
		for i := range merchant {
			if own[words[merchant[i]]+"\x1f"+string(order.At(i))] {
				rows = append(rows, int32(i))
			}
		}
		return rows
	}
	return e.writer.Part(ctx, &engine.Part{
		Number:   p.Number,
		Trades:   pick(&p.Trades, about(p.Trades.Merchant, &p.Trades.OutTradeNo)),
		Refunds:  pick(&p.Refunds, about(p.Refunds.Merchant, &p.Refunds.OutTradeNo)),
		Goods:    pick(&p.Goods, about(p.Goods.Merchant, &p.Goods.OutTradeNo)),
		Rebates:  pick(&p.Rebates, about(p.Rebates.Merchant, &p.Rebates.OutTradeNo)),
		Accounts: pick(&p.Accounts, e.aboutAccounts(&p.Accounts, own)),
	})
}

// aboutAccounts are the tie-outs of the trades that are kept, and the account rows
// that occur again.
func (e *explainer) aboutAccounts(t *schema.AccountRows, own map[string]bool) []int32 {
	var rows []int32
	words := e.words.Texts()
	for i := range t.Len() {
		trade, order := string(t.TradeNo.At(i)), string(t.OutTradeNo.At(i))
		if trade == e.id || order == e.id || trade != "" && e.numbers[trade] || own[words[t.Merchant[i]]+"\x1f"+order] {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func (e *explainer) aboutBreak(b *engine.Break) bool {
	return b.OutTradeNo == e.id || b.TradeNo == e.id || b.TradeNo != "" && e.numbers[b.TradeNo] ||
		b.OutTradeNo != "" && e.keys[b.Merchant+"\x1f"+b.OutTradeNo]
}

// lines are the input lines of the number, and of the numbers that the results
// tie to it: a statement may have the trade_no alone, and a POS order none. Then
// the inputs are read once more.
func (e *explainer) lines(ctx context.Context) (map[place]bool, error) {
	w := newWatch(e.id)
	for number := range e.numbers {
		w.numbers[number] = true
	}
	for key := range e.keys {
		merchant, order, _ := strings.Cut(key, "\x1f")
		if order != "" && order != e.id {
			w.keyed[order] = append(w.keyed[order], merchant)
		}
	}
	if len(w.numbers) == 1 && len(w.keyed) == 0 {
		return e.watch.found, nil
	}
	w.words, w.stores = e.words, e.watch.stores
	for i := range e.job.Engine.Registry.Stores {
		s := &e.job.Engine.Registry.Stores[i]
		w.stores[s.ID] = s.Merchant
		if s.Receiving != "" {
			w.receiving[s.Receiving] = append(w.receiving[s.Receiving], s.Merchant)
		}
	}
	again := &session{
		app: e.app, job: e.job, inputs: e.inputs, words: e.words, workers: e.workers, dry: true, watch: w,
		timings: timings{now: e.app.now}, messages: messageSpill{dir: e.messages.dir, budget: e.messages.budget},
	}
	err := again.read(ctx, 1, noProgress{})
	if e := again.messages.close(); err == nil {
		err = e
	}
	return w.found, err
}

// read gathers what the writer wrote.
func (e *explainer) read(ctx context.Context, places map[place]bool) (*explanation, error) {
	x := &explanation{ID: e.id}
	for _, t := range []struct {
		name string
		into *[]record
	}{
		{"trades", &x.Trades},
		{"refunds", &x.Refunds},
		{"goods", &x.Goods},
		{"rebates", &x.Rebates},
		{"accounts", &x.Accounts},
		{"breaks", &x.Breaks},
		{"rejects", &x.Rejects},
	} {
		var err error
		if *t.into, err = readRecords(filepath.Join(e.scratch.Dir(), t.name+".csv")); err != nil {
			return nil, err
		}
	}
	wanted := map[int32][]int32{}
	for p := range places {
		wanted[p.table] = append(wanted[p.table], p.line)
	}
	raw, err := e.rawLines(ctx, wanted)
	if err != nil {
		return nil, err
	}
	x.Inputs = []inputLine{}
	privacy, _ := reports.ParsePrivacy(e.job.Output.Privacy) // the job has checked the word
	for _, number := range sortedKeys(wanted) {
		t := e.all[number]
		slices.Sort(wanted[number])
		for _, line := range wanted[number] {
			x.Inputs = append(x.Inputs, inputLine{
				Source: t.Source(line), Kind: t.Kind.String(), Raw: privacy.Text(raw[place{number, line}]),
			})
		}
	}
	return x, nil
}

func (a *app) printExplanation(x *explanation) error {
	x.Edges = a.edges(x)
	if a.json {
		return a.printJSON(x)
	}
	if len(x.Inputs) > 0 {
		fmt.Fprintln(a.stdout, a.say("输入行", "input lines"))
	}
	for _, line := range x.Inputs {
		fmt.Fprintf(a.stdout, "  %s  [%s]\n    %s\n", lang.Plain(line.Source), line.Kind, lang.Plain(line.Raw))
	}
	a.printEdges(x.Edges)
	a.printRecords(a.say("匹配", "match"), x.Trades, a.whyTrade)
	a.printGoods(x.Goods)
	a.printRecords(a.say("退款", "refunds"), x.Refunds, a.whyTrade)
	a.printRecords(a.say("账务", "account bill"), x.Accounts, func(r record) string { return a.whyAccount(x, r) })
	a.printRecords(a.say("返佣", "rebate"), x.Rebates, a.whyRebate)
	a.printHistory(x.History)
	a.printRecords(a.say("差异", "breaks"), x.Breaks, nil)
	a.printRecords(a.say("拒收", "rejects"), x.Rejects, nil)
	return nil
}

// printRecords prints each record as a list of what is filled in it, and why it
// came out so.
func (a *app) printRecords(title string, records []record, why func(record) string) {
	for i, r := range records {
		fmt.Fprintln(a.stdout)
		if len(records) > 1 {
			fmt.Fprintf(a.stdout, "%s %d/%d\n", title, i+1, len(records))
		} else {
			fmt.Fprintln(a.stdout, title)
		}
		t := newTable()
		for _, c := range r {
			if c.value != "" {
				t.row("  "+c.name, c.value)
			}
		}
		if why != nil {
			if text := why(r); text != "" {
				t.row("  "+a.say("为什么", "why"), text)
			}
		}
		t.write(a.stdout)
	}
}

func (a *app) printGoods(goods []record) {
	if len(goods) == 0 {
		return
	}
	fmt.Fprintf(a.stdout, "\n%s\n", a.say("商品分摊", "goods allocation"))
	columns := []string{"out_trade_no", "line", "goods_id", "goods_name", "quantity", "price", "line_amount", "allocated", "scenario", "source"}
	t := newTable(1, 4, 5, 6, 7)
	merchant := func(r record) string { return r.value("merchant_pid") }
	if slices.ContainsFunc(goods, func(r record) bool { return merchant(r) != merchant(goods[0]) }) {
		columns = append([]string{"merchant_pid"}, columns...)
		t = newTable(2, 5, 6, 7, 8)
	}
	t.row(append([]string{"  " + columns[0]}, columns[1:]...)...)
	for _, r := range goods {
		cells := make([]string, len(columns))
		for i, name := range columns {
			cells[i] = r.value(name)
		}
		cells[0] = "  " + cells[0]
		t.row(cells...)
	}
	t.write(a.stdout)
}

// whyTrade says a status in words.
func (a *app) whyTrade(r record) string {
	status, _ := rules.ParseStatus(r.value("status"))
	switch status {
	case rules.StatusMatched:
		return a.say("两边都有，金额一致", "both sides have it, with the same amount")
	case rules.StatusAmountMismatch:
		return a.say("两边都有，金额相差 %s", "both sides have it, %s apart", r.either("difference", "bill_amount"))
	case rules.StatusStatusMismatch:
		return a.say("支付宝已收款，POS 为未支付或已取消", "Alipay has the money, the POS says unpaid or closed")
	case rules.StatusPending:
		return a.say("只有一边有，时间在日切窗口内，另一边可能在相邻的一天", "one side only, near the day's cut-off: the other may be in the next day's files")
	case rules.StatusBillOnly:
		if r.value("reason") == rules.ReasonPOSRejected.String() {
			return a.say("支付宝有，POS 的那一行被拒收（见“拒收”）", "Alipay has it, the POS's row is rejected (see rejects)")
		}
		return a.say("支付宝有，POS 没有", "Alipay has it, the POS has not")
	case rules.StatusPOSOnly:
		return a.say("POS 记为已付，支付宝没有", "the POS has it as paid, Alipay has not")
	case rules.StatusDuplicate:
		return a.say("同一侧的同一笔再次出现，只算第一次", "occurs again on the same side; the first counts")
	case rules.StatusExcluded:
		return a.say("不参加匹配：%s", "left out of the matching: %s", r.value("reason"))
	}
	return ""
}

// whyAccount says what the account bill has of a trade, in words.
func (a *app) whyAccount(x *explanation, r record) string {
	status, _ := rules.ParseAccountStatus(r.value("status"))
	switch status {
	case rules.AccountMatched:
		return a.say("账务明细的收入减支出，等于业务明细的商家实收 − 服务费 − 分润", "income less expense of the account bill is what the trade bill expects: received less fee and royalty")
	case rules.AccountMismatch:
		return a.say("账务明细与业务明细相差 %s", "the account bill is %s off what the trade bill expects", r.value("difference"))
	case rules.AccountMissing:
		if slices.ContainsFunc(x.Rejects, func(r record) bool { return r.value("kind") == accountKind }) {
			return a.say("账务明细里它的行被拒收（见“拒收”）", "its row in the account bill was rejected (see the rejects)")
		}
		return a.say("账务明细覆盖这个账号和时间，但没有这一笔", "the account bill covers this account and time, and lacks the trade")
	case rules.AccountPending:
		return a.say("完成时间在账务明细的最末一分钟，入账可能在下一份账单", "finished in the last minute of the account bill: it may be posted in the next one")
	case rules.AccountDuplicate:
		return a.say("账务流水号重复，只算第一行", "the same 账务流水号 again; the first row counts")
	}
	return ""
}

// whyRebate says a cause in words.
func (a *app) whyRebate(r record) string {
	cause, ok := rules.ParseCause(r.value("cause"))
	if !ok {
		return ""
	}
	switch cause {
	case rules.CauseOK:
		if r.value("stated") == "" && r.value("loss") == "0.00" && r.value("expected") != "0.00" {
			return a.say("应得 %s；返佣账单按商户和账期合计支付，见 rebate_groups", "expected %s; the statement pays the merchant's period in one sum, see rebate_groups", r.value("expected"))
		}
		return a.say("应得 %s，已付 %s", "expected %s, paid %s", r.value("expected"), r.either("stated", "expected"))
	case rules.CauseStatementPending:
		return a.say("该服务商、产品、账期的返佣账单还没有", "no statement covers this provider, product and period yet")
	case rules.CauseStatementMissing:
		return a.say("账单覆盖该账期，但没有这一笔", "the period's statement lacks this trade")
	case rules.CauseStatementShort:
		return a.say("少付：应得 %s，已付 %s", "short: expected %s, paid %s", r.value("expected"), r.value("stated"))
	case rules.CauseStatementOver:
		return a.say("多付：应得 %s，已付 %s", "over: expected %s, paid %s", r.value("expected"), r.value("stated"))
	case rules.CausePIDUnknown:
		return a.say("没有对应的 POS 订单，不知道带了什么 PID", "no POS order tells which PID was sent")
	case rules.CausePIDMissing, rules.CausePIDWrongKey, rules.CausePIDDamaged, rules.CausePIDMalformed,
		rules.CausePIDIsMerchant, rules.CausePIDNotEffective, rules.CausePIDUnsigned, rules.CausePIDForeign:
	}
	return a.whyPID(cause)
}

// A record is a row of a table: its cells in the order of the columns.
type record []namedCell

type namedCell struct{ name, value string }

func (r record) value(name string) string {
	for _, c := range r {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

func (r record) either(name, otherwise string) string {
	if value := r.value(name); value != "" {
		return value
	}
	return r.value(otherwise)
}

// MarshalJSON is an object in the order of the columns.
func (r record) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, c := range r {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(c.name)
		value, err2 := json.Marshal(c.value)
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}
