package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/state"
	"duizhang/reports"
	"duizhang/reports/diff"
	"duizhang/rules"
)

// diffFlags are the flags of diff, and of what ends with one.
type diffFlags struct {
	limit    int
	limitSet bool
	exitCode bool
}

// shownChanges is how many changes the terminal shows if nothing else is said.
const shownChanges = 20

func (a *app) diffCommand() *cobra.Command {
	var f diffFlags
	var of verdictFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "diff RUN1 [RUN2]",
		Short: a.say("两次对账的差别：哪些交易的状态变了，钱动了多少", "what changed between two runs: statuses and money"),
		Long: a.say(`逐笔比较两次对账的结果：每一侧从什么状态变成什么状态，各多少笔、多少钱；差异新增、消除了哪些；
合计的变化逐项加得起来，并当场核对。
RUN 是状态里的一次对账（2026-11-20#1；2026-11-20 是那一天现有的一次；每天保留最近两次），或一个
输出文件夹（须有 CSV；与日期同名的文件夹写成 ./2026-11-20）。只给一个日期，就比较那一天的最近两次。
退出码 0 表示比较完成，无论有无差别；加 --exit-code，有差别时为 1。`,
			`Compares the results of two runs trade by trade: which sides went from which status to which, how many
and how much; which breaks came and went. The changes add up to the change of the totals, and that is
proved.
A RUN is one of the state (2026-11-20#1; 2026-11-20 is the one that the day has; the last two of each
day are kept) or an output folder (with CSV; write ./2026-11-20 for a folder of that name). One date
alone compares the last two runs of that day.
Exit status 0 says that the comparison was made, whatever it found; with --exit-code it is 1 where
anything differs.`),
		Example: `  duizhang diff 2026-11-20
  duizhang diff 2026-11-20#1 2026-11-20#2 --job duizhang.yaml
  duizhang diff /data/recon/before out --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) == 2 {
				return nil
			}
			return a.wrongArgs(cmd, "请给出两次对账，或一个日期", "give two runs, or one date")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.limitSet = cmd.Flags().Changed("limit")
			return a.diffRuns(cmd, args, of, wait, f)
		},
	}
	a.limitFlag(cmd, &f)
	cmd.Flags().BoolVar(&f.exitCode, "exit-code", false, a.say("有差别时退出码为 1", "exit status 1 where anything differs"))
	a.verdictFlags(cmd, &of)
	a.waitFlag(cmd, &wait)
	return cmd
}

func (a *app) limitFlag(cmd *cobra.Command, f *diffFlags) {
	cmd.Flags().IntVar(&f.limit, "limit", shownChanges, a.say("至多列出多少行，0 为全部（--json 默认全部）", "how many rows to list, 0 for all (with --json all by default)"))
}

// most is how many rows are listed.
func (a *app) most(f diffFlags) (int, error) {
	if f.limit < 0 {
		return 0, usage(a.say("--limit: %q: 应为 0 或正整数", "--limit: %q: must be 0 or more", strconv.Itoa(f.limit)), "")
	}
	if a.json && !f.limitSet {
		return 0, nil
	}
	return f.limit, nil
}

// A comparedRun is one of two runs, as a comparison names it.
type comparedRun struct {
	Name        string `json:"name"`
	Date        string `json:"date"`
	Revision    int    `json:"revision,omitempty"`
	ExitCode    int    `json:"exit_code"`
	Incomplete  bool   `json:"incomplete"`
	Breaks      int64  `json:"breaks"` // that count towards the limits
	BreakAmount string `json:"break_amount"`

	summary []byte
}

func (a *app) diffRuns(cmd *cobra.Command, names []string, of verdictFlags, wait bool, f diffFlags) error {
	limit, err := a.most(f)
	if err != nil {
		return err
	}
	named := make([]*runName, len(names))
	inState := false
	for i, name := range names {
		if n, ok := parseRunName(name); ok {
			named[i], inState = &n, true
		}
	}
	if len(names) == 1 && (!inState || named[0].revision != 0) {
		return a.wrongArgs(cmd, "请给出两次对账，或一个日期", "give two runs, or one date")
	}
	temp, err := fsys.MkdirTemp("", "duizhang-diff-")
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	defer fsys.RemoveAll(temp) //nolint:errcheck // a temporary folder
	c := diff.New(temp)
	defer c.Close() //nolint:errcheck // likewise
	var runs [2]comparedRun
	gather := func(ctx context.Context, s *jobState) (err error) {
		if len(names) == 1 {
			if named, err = s.lastTwo(named[0].date); err != nil {
				return err
			}
		}
		for i, n := range named {
			if n == nil {
				runs[i], err = a.addFolder(c, i, names[i])
			} else {
				runs[i], err = s.addNamed(ctx, c, i, *n)
			}
			if err != nil {
				return err
			}
		}
		return a.finishDiff(ctx, c, runs, limit, f.exitCode)
	}
	if !inState {
		return gather(cmd.Context(), nil)
	}
	return a.withState(cmd, of, wait, gather)
}

// lastTwo are the last two runs of a day.
func (s *jobState) lastTwo(date int32) ([]*runName, error) {
	run, err := s.find(runName{date: date})
	if err != nil {
		return nil, err
	}
	if run.Revision < 2 {
		return nil, usage(s.app.say("%s 只有一次对账", "%s has one run alone", state.DateText(date)), s.app.say("请给出两次对账", "give two runs"))
	}
	return []*runName{{date, run.Revision - 1}, {date, run.Revision}}, nil
}

// addNamed adds a run of the state by its name.
func (s *jobState) addNamed(ctx context.Context, c *diff.Comparer, at int, name runName) (comparedRun, error) {
	run, err := s.find(name)
	if err != nil {
		return comparedRun{}, err
	}
	if !run.Kept {
		return comparedRun{}, usage(s.app.say("%s 的明细已不保留：每天保留最近两次", "the rows of %s are not kept any more: the last two runs of each day are", run.Token), "")
	}
	return s.addRevision(ctx, c, at, run.Date, run.Revision)
}

// finishDiff compares and shows what was gathered.
func (a *app) finishDiff(ctx context.Context, c *diff.Comparer, runs [2]comparedRun, limit int, tell bool) error { //nolint:revive // flag-parameter: --exit-code
	d, err := c.Finish(ctx, limit)
	if err != nil {
		return err
	}
	figures, err := diff.Figures(runs[0].summary, runs[1].summary)
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	for _, p := range d.Proofs {
		if !p.Holds {
			return &engine.InvariantError{Invariant: p}
		}
	}
	shown := shownDiff(runs, d, figures)
	if a.json {
		err = a.printJSON(shown)
	} else {
		a.printDiff(runs, d, figures, limit)
	}
	if err == nil && tell && shown.Changed {
		return quietly(exitBreaks)
	}
	return err
}

// addFolder adds the run whose results are in a folder.
func (a *app) addFolder(c *diff.Comparer, run int, dir string) (comparedRun, error) {
	r, err := a.runOfFolder(dir)
	if err != nil {
		return r, err
	}
	switch err := c.AddFolder(run, dir); {
	case errors.Is(err, diff.ErrNoTables):
		return r, usage(a.say("%s: 没有 CSV，无法逐笔比较", "%s: holds no CSV to compare by", dir),
			a.say("在作业的 output.formats 里加上 csv", "add csv to the job's output.formats"))
	case err != nil:
		return r, &failure{status: exitInput, err: err}
	}
	return r, nil
}

// runOfFolder reads what a folder's summary says of its run.
func (a *app) runOfFolder(dir string) (comparedRun, error) {
	r := comparedRun{Name: dir}
	var err error
	if r.summary, err = os.ReadFile(filepath.Join(dir, reports.SummaryName)); err != nil {
		return r, usage(a.say("%s: 不是对账的输出文件夹：没有 %s", "%s: not an output folder: it has no %s", dir, reports.SummaryName),
			a.say("请给出输出文件夹", "give an output folder"))
	}
	if err := r.read(); err != nil {
		return r, &failure{status: exitInput, err: fmt.Errorf("%s: %w", filepath.Join(dir, reports.SummaryName), err)}
	}
	return r, nil
}

// read fills the run in from its summary.
func (r *comparedRun) read() error {
	var s struct {
		Date       string `json:"date"`
		Incomplete bool   `json:"incomplete"`
		ExitCode   int    `json:"exit_code"`
		Limits     struct {
			Breaks struct {
				Found int64 `json:"found"`
			} `json:"breaks"`
			BreakAmount struct {
				Found string `json:"found"`
			} `json:"break_amount"`
		} `json:"limits"`
	}
	if err := json.Unmarshal(r.summary, &s); err != nil {
		return err
	}
	r.Date, r.Incomplete, r.ExitCode, r.Breaks, r.BreakAmount = s.Date, s.Incomplete, s.ExitCode, s.Limits.Breaks.Found, s.Limits.BreakAmount.Found
	return nil
}

// The comparison as JSON.
type (
	diffJSON struct {
		Schema      int         `json:"schema"`
		From        comparedRun `json:"from"`
		To          comparedRun `json:"to"`
		Changed     bool        `json:"changed"`
		Moves       []moveJSON  `json:"moves"`
		SidesMoved  int64       `json:"sides_changed"`
		Rows        []rowJSON   `json:"rows"`
		Codes       []codeJSON  `json:"break_codes"`
		Opened      int         `json:"breaks_opened"`
		Closed      int         `json:"breaks_closed"`
		OtherBreaks int         `json:"breaks_changed"`
		Breaks      []breakJSON `json:"breaks"`
		Figures     []figure    `json:"figures"`
		Proofs      []proofJSON `json:"proofs"`
	}
	moveJSON struct {
		Table  string `json:"table"`
		Side   string `json:"side"`
		From   string `json:"from"`
		To     string `json:"to"`
		Count  int64  `json:"count"`
		Before string `json:"before"`
		After  string `json:"after"`
	}
	rowJSON struct {
		Table      string `json:"table"`
		Side       string `json:"side"`
		From       string `json:"from"`
		To         string `json:"to"`
		Merchant   string `json:"merchant_pid"`
		OutTradeNo string `json:"out_trade_no"`
		TradeNo    string `json:"trade_no"`
		RequestNo  string `json:"out_request_no"`
		PosBefore  string `json:"pos_before"`
		PosAfter   string `json:"pos_after"`
		BillBefore string `json:"bill_before"`
		BillAfter  string `json:"bill_after"`
	}
	tallyJSON struct {
		Count  int64  `json:"count"`
		Amount string `json:"amount"`
	}
	codeJSON struct {
		Code    string    `json:"code"`
		Before  tallyJSON `json:"before"`
		Opened  tallyJSON `json:"opened"`
		Closed  tallyJSON `json:"closed"`
		Changed tallyJSON `json:"changed"`
		After   tallyJSON `json:"after"`
	}
	breakJSON struct {
		Change     string `json:"change"`
		ID         string `json:"id"`
		Code       string `json:"code"`
		Merchant   string `json:"merchant_pid"`
		OutTradeNo string `json:"out_trade_no"`
		TradeNo    string `json:"trade_no"`
		RequestNo  string `json:"out_request_no"`
		Before     string `json:"before"`
		After      string `json:"after"`
	}
	figure struct {
		Path   string `json:"path"`
		Before string `json:"before"`
		After  string `json:"after"`
	}
	proofJSON struct {
		Name  string `json:"name"`
		Left  string `json:"left"`
		Right string `json:"right"`
		Holds bool   `json:"holds"`
	}
)

// statusWord is a status, blank for a run that does not have the side.
func statusWord(s rules.Status) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func amountText(v diff.Amount) string {
	if !v.Given {
		return ""
	}
	return v.Fen.String()
}

func tallyOf(t diff.Tally) tallyJSON { return tallyJSON{t.Count, t.Amount.String6()} }

// stakeText is a break's amount in one of the runs, blank where it is not.
func stakeText(t diff.Tally) string {
	if t.Count == 0 {
		return ""
	}
	return t.Amount.String6()
}

func breakChange(b *diff.BreakChange) string {
	switch {
	case b.Before.Count == 0:
		return "opened"
	case b.After.Count == 0:
		return "closed"
	}
	return "changed"
}

func shownDiff(runs [2]comparedRun, d *diff.Diff, figures []diff.Figure) *diffJSON {
	x := &diffJSON{
		Schema: 1, From: runs[0], To: runs[1], SidesMoved: d.Changed, Opened: d.Opened, Closed: d.Closed, OtherBreaks: d.Other,
		Changed: d.Changed > 0 || d.Opened+d.Closed+d.Other > 0 || len(figures) > 0,
		Moves:   []moveJSON{}, Rows: []rowJSON{}, Codes: []codeJSON{}, Breaks: []breakJSON{}, Figures: []figure{}, Proofs: []proofJSON{},
	}
	for i := range d.Moves {
		m := &d.Moves[i]
		x.Moves = append(x.Moves, moveJSON{
			m.Table.String(), m.Side.String(), statusWord(m.From), statusWord(m.To), m.Count, m.Before.String2(), m.After.String2(),
		})
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		x.Rows = append(x.Rows, rowJSON{
			c.Table.String(), c.Side.String(), statusWord(c.From), statusWord(c.To), c.Merchant, c.OutTradeNo, c.TradeNo, c.RequestNo,
			amountText(c.Pos[0]), amountText(c.Pos[1]), amountText(c.Bill[0]), amountText(c.Bill[1]),
		})
	}
	for i := range d.Codes {
		c := &d.Codes[i]
		x.Codes = append(x.Codes, codeJSON{c.Code, tallyOf(c.Before), tallyOf(c.Opened), tallyOf(c.Closed), tallyOf(c.Changed), tallyOf(c.After)})
	}
	for i := range d.Breaks {
		b := &d.Breaks[i]
		x.Breaks = append(x.Breaks, breakJSON{
			breakChange(b), b.ID, b.Code, b.Merchant, b.OutTradeNo, b.TradeNo, b.RequestNo, stakeText(b.Before), stakeText(b.After),
		})
	}
	for _, f := range figures {
		x.Figures = append(x.Figures, figure(f))
	}
	for _, p := range d.Proofs {
		x.Proofs = append(x.Proofs, proofJSON(p))
	}
	return x
}

// printDiff shows the comparison to people: what moved, and what that adds up to.
func (a *app) printDiff(runs [2]comparedRun, d *diff.Diff, figures []diff.Figure, limit int) {
	fmt.Fprintln(a.stdout, a.say("从 %s 到 %s", "from %s to %s", runs[0].Name, runs[1].Name))
	t := newTable(1, 2)
	t.row("", runs[0].Name, runs[1].Name)
	t.row(a.say("业务日期", "business date"), runs[0].Date, runs[1].Date)
	t.row(a.say("计入限额的差异", "breaks that count"), strconv.FormatInt(runs[0].Breaks, 10), strconv.FormatInt(runs[1].Breaks, 10))
	t.row(a.say("差异金额", "amount at stake"), runs[0].BreakAmount, runs[1].BreakAmount)
	t.row(a.say("退出码", "exit status"), strconv.Itoa(runs[0].ExitCode), strconv.Itoa(runs[1].ExitCode))
	t.write(a.stdout)
	if d.Changed == 0 && d.Opened+d.Closed+d.Other == 0 && len(figures) == 0 {
		fmt.Fprintln(a.stdout, a.say("\n没有差别", "\nnothing differs"))
		return
	}
	a.printMoves(d)
	a.printChanges(d, limit)
	a.printBreakChanges(d, limit)
	if len(figures) > 0 {
		fmt.Fprintf(a.stdout, "\n%s\n", a.say("其他数字", "other figures"))
		t := newTable(1, 2)
		for _, f := range figures {
			t.row("  "+f.Path, orBlank(f.Before, "–"), orBlank(f.After, "–"))
		}
		t.write(a.stdout)
	}
	fmt.Fprintln(a.stdout, a.say("\n✔ 变化逐项相加，等于两次合计之差（%d 项核对）", "\n✔ the changes add up to the change of the totals (%d checks)", len(d.Proofs)))
}

func (a *app) status(s rules.Status) string {
	if s == 0 {
		return a.say("（无）", "(none)")
	}
	return reports.Lang(a.lang).StatusText(s)
}

func (a *app) diffTable(t diff.Table) string {
	if t == diff.Refunds {
		return a.say("退款", "refunds")
	}
	return a.say("交易", "trades")
}

func (a *app) diffSide(s diff.Side) string {
	switch s {
	case diff.POS:
		return "POS"
	case diff.Bill:
		return a.say("支付宝", "Alipay")
	case diff.Both:
	}
	return a.say("两侧", "both")
}

func (a *app) printMoves(d *diff.Diff) {
	if d.Changed == 0 {
		return
	}
	fmt.Fprintln(a.stdout)
	t := newTable(3, 4, 5, 6)
	t.row(a.say("表", "table"), a.say("侧", "side"), a.say("状态", "status"), a.say("笔数", "count"), a.say("原金额", "before"), a.say("现金额", "after"), a.say("变动", "moved"))
	type total struct {
		before, after       rules.Sum
		countFrom, countsTo int64
	}
	var sum total
	for i := range d.Moves {
		m := &d.Moves[i]
		if m.From != 0 {
			sum.countFrom += m.Count
		}
		if m.To != 0 {
			sum.countsTo += m.Count
		}
		sum.before.AddSum(m.Before)
		sum.after.AddSum(m.After)
		switch {
		case m.Stayed():
		case m.From == m.To:
			t.row(a.diffTable(m.Table), a.diffSide(m.Side), a.status(m.From), strconv.FormatInt(m.Count, 10), m.Before.String2(), m.After.String2(), signed(m.After.Sub(m.Before)))
		default:
			t.row(a.diffTable(m.Table), a.diffSide(m.Side), a.status(m.From)+" → "+a.status(m.To), strconv.FormatInt(m.Count, 10), m.Before.String2(), m.After.String2(), signed(m.After.Sub(m.Before)))
		}
		if last := i == len(d.Moves)-1; last || d.Moves[i+1].Table != m.Table || d.Moves[i+1].Side != m.Side {
			counts := strconv.FormatInt(sum.countFrom, 10)
			if sum.countFrom != sum.countsTo {
				counts += " → " + strconv.FormatInt(sum.countsTo, 10)
			}
			t.row(a.diffTable(m.Table), a.diffSide(m.Side), a.say("合计（含未变的）", "total, with what stayed"), counts, sum.before.String2(), sum.after.String2(), signed(sum.after.Sub(sum.before)))
			sum = total{}
		}
	}
	t.write(a.stdout)
}

// signed is an amount of fen with its sign.
func signed(s rules.Sum) string {
	if s.Sign() > 0 {
		return "+" + s.String2()
	}
	return s.String2()
}

func (a *app) printChanges(d *diff.Diff, limit int) {
	if len(d.Changes) == 0 {
		return
	}
	fmt.Fprintf(a.stdout, "\n%s\n", a.say("变了的交易和退款", "trades and refunds that changed"))
	t := newTable()
	for i := range d.Changes {
		c := &d.Changes[i]
		text := a.status(c.From) + " → " + a.status(c.To)
		if c.From == c.To {
			text = a.status(c.From)
		}
		number := c.OutTradeNo
		if c.RequestNo != "" {
			number += " / " + c.RequestNo
		}
		t.row("  "+a.diffTable(c.Table), number, c.TradeNo, a.diffSide(c.Side), text, a.amounts("POS", c.Pos), a.amounts(a.say("支付宝", "Alipay"), c.Bill))
	}
	t.write(a.stdout)
	a.more(limit, len(d.Changes), a.say("共 %d 侧有变化", "%d sides changed in all", d.Changed))
}

// amounts are those of one side in both runs.
func (a *app) amounts(side string, v [2]diff.Amount) string {
	switch {
	case !v[0].Given && !v[1].Given:
		return ""
	case v[0] == v[1]:
		return side + " " + amountText(v[0])
	}
	return side + " " + orBlank(amountText(v[0]), "–") + " → " + orBlank(amountText(v[1]), "–")
}

// more says that a list is not whole.
func (a *app) more(limit, shown int, text string) {
	if limit > 0 && shown >= limit {
		fmt.Fprintln(a.stdout, "  … "+text+a.say("；--limit 0 列出全部", "; --limit 0 lists all"))
	}
}

func (a *app) printBreakChanges(d *diff.Diff, limit int) {
	if d.Opened+d.Closed+d.Other == 0 {
		return
	}
	fmt.Fprintln(a.stdout)
	t := newTable(1, 2, 3, 4, 5)
	pair := func(v diff.Tally) string {
		if v.Count == 0 {
			return "–"
		}
		return strconv.FormatInt(v.Count, 10) + " / " + v.Amount.String6()
	}
	t.row(a.say("差异", "breaks"), a.say("原有", "before"), a.say("新增", "opened"), a.say("消除", "closed"), a.say("金额变了", "changed"), a.say("现有", "after"))
	for i := range d.Codes {
		if c := &d.Codes[i]; c.Opened.Count+c.Closed.Count+c.Changed.Count > 0 {
			t.row(a.title(c.Code), pair(c.Before), pair(c.Opened), pair(c.Closed), pair(c.Changed), pair(c.After))
		}
	}
	t.write(a.stdout)
	words := map[string]string{"opened": a.say("新增", "opened"), "closed": a.say("消除", "closed"), "changed": a.say("金额变了", "changed")}
	list := newTable()
	for i := range d.Breaks {
		b := &d.Breaks[i]
		amount := stakeText(b.After)
		switch breakChange(b) {
		case "closed":
			amount = stakeText(b.Before)
		case "changed":
			amount = stakeText(b.Before) + " → " + stakeText(b.After)
		}
		number := strings.TrimRight(b.OutTradeNo+" "+b.TradeNo, " ")
		list.row("  "+words[breakChange(b)], a.title(b.Code), number, amount, b.ID)
	}
	list.write(a.stdout)
	a.more(limit, len(d.Breaks), a.say("共新增 %d、消除 %d、变动 %d", "%d opened, %d closed, %d changed in all", d.Opened, d.Closed, d.Other))
}
