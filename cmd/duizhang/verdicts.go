package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine/fsys"
	"duizhang/loaders"
	"duizhang/reports"
	"duizhang/reports/verdicts"
	"duizhang/rules"
)

// verdictFlags say whose verdicts are meant.
type verdictFlags struct {
	job   string
	state string
}

func (a *app) verdictsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verdicts",
		Short: a.say("差异的处理结论：读回、查看、导出", "what people concluded about breaks: import, list, export"),
		Long: a.say(`报告里每条差异都有「处理人」「结论」「备注」三格。填好后用 verdicts import 读回，
下一次对账会显示它们，已有结论的差异不再计入作业的限额（「待处理」除外）。
结论保存在作业的 state 文件夹里的 verdicts.jsonl，每次改动都留有历史。`,
			`Every break of a report has cells for who handles it, a verdict and a note. Fill them in and read
them back with verdicts import: the next run shows them, and breaks with a verdict (other than
"open") count towards no limit any more. They are kept in verdicts.jsonl in the job's state folder,
with the history of every change.`),
		Example: `  duizhang verdicts import out/report.xlsx
  duizhang verdicts list
  duizhang verdicts export verdicts.csv --open`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.verdictsImport(), a.verdictsList(), a.verdictsExport())
	return cmd
}

func (a *app) verdictFlags(cmd *cobra.Command, f *verdictFlags) {
	cmd.Flags().StringVar(&f.job, "job", "", a.say("作业文件（默认当前文件夹的 duizhang.yaml 或 job.yaml）", "job file (by default duizhang.yaml or job.yaml in the current folder)"))
	cmd.Flags().StringVar(&f.state, "state", "", a.say("状态文件夹，替代作业的 state.dir", "state folder, in place of the job's state.dir"))
}

// stateDir is the state folder that the flags mean.
func (a *app) stateDir(cmd *cobra.Command, f verdictFlags) (string, error) {
	switch {
	case f.state != "" && f.job != "":
		return "", usage(a.say("--job 和 --state 只给一个", "give one of --job and --state"), "")
	case f.state != "":
		return f.state, nil
	case cmd.Flags().Changed("state"):
		return "", a.blankFlag("state")
	case cmd.Flags().Changed("job") && f.job == "":
		return "", a.blankFlag("job")
	}
	file := f.job
	for _, name := range []string{initName, jobName} {
		if _, err := os.Stat(name); file == "" && err == nil {
			file = name
		}
	}
	if file == "" {
		return "", usage(a.say("当前文件夹没有 %s", "there is no %s in the current folder", initName),
			a.say("用 --job 给出作业文件", "name the job file with --job"))
	}
	j, err := a.readJob(file, "")
	if err != nil { // perhaps its paths ask for a date, on which the state does not depend
		var dated error
		if j, dated = a.readJob(file, "today"); dated != nil {
			return "", err
		}
	}
	if j.StateDir() == "" {
		return "", usage(a.say("%s: 没有 state", "%s: has no state", file),
			a.say("在作业文件里加上 state: {dir: state}，再运行一次", "add state: {dir: state} to the job file and run it once"))
	}
	return j.StateDir(), nil
}

func (a *app) verdictsImport() *cobra.Command {
	var f verdictFlags
	var by string
	var wait bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: a.say("从报告或导出的表读回结论", "read verdicts back from a report or an exported list"),
		Long: a.say(`FILE 是填好结论的 report.xlsx（任何表格软件另存的也行），或 verdicts export 导出后改过的 CSV。
按差异编号读回，行的次序、筛选、列的位置都不要紧。编号损坏、不认识，或结论不在可选之列时，
指出表和单元格，整个文件都不读入。重复读入不会重复记录；结论有变就以新的为准，旧的留在历史里。`,
			`FILE is a report.xlsx with its verdicts filled in, whatever program saved it, or a CSV from verdicts
export. Rows are known by the break id: their order, filters and the places of columns do not matter.
Where an id is damaged or unknown, or a verdict is none of the choices, the sheet and cell are named
and nothing of the file is taken. Importing again records nothing twice; another verdict replaces the
one before it, which stays in the history.`),
		Example: `  duizhang verdicts import out/report.xlsx
  duizhang verdicts import report-checked.xlsx --job /data/recon/duizhang.yaml --by 张会计`,
		Args: a.exactly(1, "请给出一个文件", "give one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.stateDir(cmd, f)
			if err != nil {
				return err
			}
			return a.importVerdicts(cmd.Context(), args[0], dir, by, wait)
		},
	}
	a.verdictFlags(cmd, &f)
	a.waitFlag(cmd, &wait)
	cmd.Flags().StringVar(&by, "by", "", a.say("没有写处理人的行算谁的", "who handles the rows that name nobody"))
	return cmd
}

func (a *app) importVerdicts(ctx context.Context, file, dir, by string, wait bool) error {
	sheet, err := a.readVerdicts(ctx, file)
	if err != nil {
		return err
	}
	if err := verdicts.Make(dir); err != nil {
		return a.stateError(err)
	}
	if err := a.settleState(ctx, dir); err != nil {
		return err
	}
	lock, err := a.lockState(ctx, dir, wait)
	if err != nil {
		return err
	}
	defer lock.Release()
	store, err := verdicts.Open(dir)
	if err != nil {
		return a.stateError(err)
	}
	change, err := store.Import(sheet, a.now().Truncate(time.Second), strings.TrimSpace(by), reports.Lang(a.lang))
	if err != nil {
		return a.stateError(err)
	}
	for _, name := range sheet.Blind {
		a.note(a.say("表「%s」有差异编号而没有结论列，没有读", "sheet %q has break ids and no column of verdicts, and was not read", name))
	}
	if a.json {
		return a.printJSON(struct {
			New     int `json:"new"`
			Changed int `json:"changed"`
			Same    int `json:"unchanged"`
			Kept    int `json:"kept"`
		}{change.New, change.Changed, change.Same, change.Kept})
	}
	if a.quiet {
		return nil
	}
	t := newTable(1)
	t.row(a.say("新的结论", "new verdicts"), strconv.Itoa(change.New))
	t.row(a.say("改变的结论", "changed verdicts"), strconv.Itoa(change.Changed))
	t.row(a.say("没有变化", "unchanged"), strconv.Itoa(change.Same))
	t.write(a.stdout)
	if change.Kept > 0 {
		a.note(a.say("%d 行是空白，原有的结论保留；要撤回请选「%s」", "%d rows are blank and their earlier verdicts stay; choose %q to withdraw one",
			change.Kept, reports.VerdictOpen.Text(reports.Lang(a.lang))))
	}
	return nil
}

// maxVerdictText bounds a list in text.
const maxVerdictText = 256 << 20

// readVerdicts gathers the verdicts of a workbook or a list.
func (a *app) readVerdicts(ctx context.Context, file string) (*verdicts.Sheet, error) {
	name := filepath.Base(file)
	book := verdicts.NewCollector(name, false, reports.Lang(a.lang))
	var cells []verdicts.Cell
	err := loaders.EachSheetRow(ctx, file, func(sheet string, line int32, row []loaders.SheetCell) error {
		cells = cells[:0]
		for _, cell := range row {
			cells = append(cells, verdicts.Cell{Text: string(cell.Text), Number: cell.Number})
		}
		book.Row(sheet, int(line), cells)
		return nil
	})
	if errors.Is(err, loaders.ErrNoWorkbook) {
		book = verdicts.NewCollector(name, true, reports.Lang(a.lang))
		err = readVerdictText(file, book)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &failure{status: exitInput, err: errors.New(a.say("%s: 没有这个文件", "%s: no such file", file))}
	case err != nil:
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &failure{
			status: exitInput, err: errors.New(a.say("%s: 无法读取：%s", "%s: cannot be read: %s", file, a.lang.System(err))),
			hint: a.say("请给出 report.xlsx，或 verdicts export 导出的 CSV；旧的 .xls 请另存为 .xlsx", "give a report.xlsx or a CSV from verdicts export; save an old .xls as .xlsx"),
		}
	}
	sheet, err := book.Done()
	return sheet, turned(err, a.stateError)
}

func readVerdictText(file string, into *verdicts.Collector) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("not a regular file")
	case info.Size() > maxVerdictText:
		return errors.New("too large for a list of verdicts")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if bytes.IndexByte(data, 0) >= 0 && !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return errors.New("not a workbook and not a text file")
	}
	return into.ReadText(data)
}

// stateError says what is wrong with the state, or with a file of verdicts: an
// input that cannot be used.
func (a *app) stateError(err error) error {
	if folder, ok := errors.AsType[*verdicts.StateError](err); ok {
		return usage(folder.Text(reports.Lang(a.lang)), "")
	}
	if corrupt, ok := errors.AsType[*verdicts.CorruptError](err); ok {
		return &failure{status: exitInput, err: corrupt, hint: a.say("从备份恢复这个文件，或改正这一行", "restore the file from a backup, or put the line right")}
	}
	if problems, ok := errors.AsType[verdicts.Problems](err); ok {
		return &failure{status: exitInput, err: problems, hint: a.say("一行也没有读入；改正后再读", "nothing was imported; put these cells right and import again")}
	}
	return &failure{status: exitUsage, err: err}
}

// A listed is a verdict with what it is about.
type listed struct {
	ID       string       `json:"id"`
	Verdict  string       `json:"verdict"`
	Handler  string       `json:"handler"`
	Note     string       `json:"note"`
	At       string       `json:"at,omitempty"`
	Source   string       `json:"source,omitempty"`
	Code     string       `json:"code"`
	Merchant string       `json:"merchant_pid"`
	OutTrade string       `json:"out_trade_no"`
	TradeNo  string       `json:"trade_no"`
	Amount   string       `json:"amount"`
	Seen     string       `json:"last_seen"`
	Place    string       `json:"break_source"`
	History  []eventLines `json:"history,omitempty"`

	state reports.VerdictState
}

// An eventLines is an earlier verdict.
type eventLines struct {
	Verdict string `json:"verdict"`
	Handler string `json:"handler"`
	Note    string `json:"note"`
	At      string `json:"at"`
	Source  string `json:"source"`
}

// listVerdicts gives the verdicts that hold, in the order in which they came;
// behind them the open breaks of the latest day, if asked for.
func (a *app) listVerdicts(ctx context.Context, dir string, open, history bool) ([]listed, error) { //nolint:revive // flag-parameter: both are flags of the command
	if err := a.settleState(ctx, dir); err != nil {
		return nil, err
	}
	store, err := verdicts.Open(dir)
	if err != nil {
		return nil, a.stateError(err)
	}
	latest := store.Latest()
	ids := map[string]bool{}
	for _, e := range latest {
		ids[e.ID] = true
	}
	known, _, err := store.Known(ids)
	if err != nil {
		return nil, a.stateError(err)
	}
	list := []listed{}
	for _, e := range latest {
		l := about(known[e.ID])
		l.ID, l.state, l.Handler, l.Note = e.ID, e.Verdict.State, e.Verdict.By, e.Verdict.Note
		l.At, l.Source = e.At.Format(time.RFC3339), e.Source
		if l.state != 0 {
			l.Verdict = l.state.String()
		}
		if history {
			past := store.History(e.ID)
			for _, h := range past[:len(past)-1] {
				word := ""
				if h.Verdict.State != 0 {
					word = h.Verdict.State.String()
				}
				l.History = append(l.History, eventLines{word, h.Verdict.By, h.Verdict.Note, h.At.Format(time.RFC3339), h.Source})
			}
		}
		list = append(list, l)
	}
	if !open {
		return list, nil
	}
	still, err := store.Open()
	if err != nil {
		return nil, a.stateError(err)
	}
	for _, k := range still {
		if !ids[k.ID] {
			list = append(list, about(k))
		}
	}
	return list, nil
}

func about(k verdicts.Known) listed {
	return listed{
		ID: k.ID, Code: k.Code, Merchant: k.Merchant, OutTrade: k.OutTradeNo, TradeNo: k.TradeNo, Amount: k.Amount, Seen: k.Date, Place: k.At,
	}
}

// title is a break's title by its code.
func (a *app) title(code string) string {
	if c, ok := rules.ParseBreakCode(code); ok {
		return reports.Lang(a.lang).Title(c)
	}
	return code
}

func (a *app) verdictsList() *cobra.Command {
	var f verdictFlags
	var open, history bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: a.say("列出现有的结论", "list the verdicts"),
		Example: `  duizhang verdicts list
  duizhang verdicts list --open --json`,
		Args: a.atMost(0, "不需要参数", "takes no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.stateDir(cmd, f)
			if err != nil {
				return err
			}
			list, err := a.listVerdicts(cmd.Context(), dir, open, history || a.json)
			if err != nil {
				return err
			}
			return a.showVerdicts(list)
		},
	}
	a.verdictFlags(cmd, &f)
	cmd.Flags().BoolVar(&open, "open", false, a.say("也列出最近一天还没有结论的差异", "also the breaks of the latest day that have no verdict"))
	cmd.Flags().BoolVar(&history, "history", false, a.say("也列出以前的结论", "also the verdicts that were replaced"))
	return cmd
}

func (a *app) showVerdicts(list []listed) error {
	if a.json {
		return a.printJSON(list)
	}
	if len(list) == 0 {
		a.note(a.say("还没有结论", "there are no verdicts yet"))
		return nil
	}
	t := newTable(3)
	t.row(a.say("差异编号", "break id"), a.say("结论", "verdict"), a.say("处理人", "handled by"), a.say("金额", "amount"),
		a.say("商户订单号", "out_trade_no"), a.say("差异", "break"), a.say("时间", "at"), a.say("备注", "note"))
	for _, l := range list {
		t.row(l.ID, a.verdictText(l.state), l.Handler, l.Amount, l.OutTrade, a.title(l.Code), l.At, l.Note)
		for _, h := range l.History {
			state, _ := reports.ParseVerdictState(h.Verdict)
			t.row("", a.say("曾为 ", "was ")+a.verdictText(state), h.Handler, "", "", "", h.At, h.Note)
		}
	}
	t.write(a.stdout)
	return nil
}

func (a *app) verdictText(s reports.VerdictState) string {
	if s == 0 {
		return "-"
	}
	return s.Text(reports.Lang(a.lang))
}

func (a *app) verdictsExport() *cobra.Command {
	var f verdictFlags
	var open, force bool
	cmd := &cobra.Command{
		Use:   "export [FILE.csv]",
		Short: a.say("导出结论，改好后可再读回", "export verdicts as a list that can be imported again"),
		Long: a.say(`把现有的结论写成 CSV（没有 FILE 就写到标准输出），Excel 可直接打开；改好「结论」等列后
用 verdicts import 读回。--open 还包括最近一天没有结论的差异。`,
			`Writes the verdicts as CSV that Excel opens, to standard output without FILE. Change the columns of
verdicts and read them back with verdicts import. --open adds the breaks of the latest day that have
no verdict.`),
		Example: `  duizhang verdicts export
  duizhang verdicts export verdicts.csv --open`,
		Args: a.atMost(1, "至多给出一个文件", "give one file at most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.stateDir(cmd, f)
			if err != nil {
				return err
			}
			list, err := a.listVerdicts(cmd.Context(), dir, open, false)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.writeVerdicts(a.stdout, list)
			}
			return a.exportVerdicts(args[0], list, force)
		},
	}
	a.verdictFlags(cmd, &f)
	cmd.Flags().BoolVar(&open, "open", false, a.say("也导出最近一天还没有结论的差异", "also the breaks of the latest day that have no verdict"))
	cmd.Flags().BoolVar(&force, "force", false, a.say("替换已有的文件", "replace a file that is there"))
	return cmd
}

func (a *app) exportVerdicts(file string, list []listed, force bool) error { //nolint:revive // flag-parameter: --force
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	out, err := fsys.OpenFile(file, how, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usage(a.say("%s: 已经存在", "%s: is there already", file), a.say("用 --force 替换", "replace it with --force"))
	}
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	return turned(errors.Join(a.writeVerdicts(out, list), out.Close()), func(err error) error {
		return &failure{status: exitUsage, err: err}
	})
}

// writeVerdicts writes the list for a spreadsheet: with a BOM, with a tab behind
// numbers that it would round, and with no text that it would take for a formula.
func (a *app) writeVerdicts(out io.Writer, list []listed) error {
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	l := reports.Lang(a.lang)
	rows := [][]string{{
		reports.VerdictIDColumn.Head(l), reports.VerdictByColumn.Head(l), reports.VerdictStateColumn.Head(l), reports.VerdictNoteColumn.Head(l),
		a.say("差异", "Break"), a.say("金额", "Amount"), a.say("商户PID", "Merchant PID"), a.say("商户订单号", "Out trade no"),
		a.say("支付宝交易号", "Trade no"), a.say("业务日期", "Date"), a.say("来源", "Source"), a.say("结论时间", "Verdict at"),
	}}
	for _, v := range list {
		rows = append(rows, []string{
			v.ID, inert(v.Handler), v.state.Text(l), inert(v.Note), a.title(v.Code), v.Amount, spelled(v.Merchant), spelled(v.OutTrade),
			spelled(v.TradeNo), v.Seen, inert(v.Place), v.At,
		})
	}
	return w.WriteAll(rows)
}

// inert is text that no spreadsheet takes for a formula.
func inert(text string) string {
	if strings.TrimLeft(text, "=+-@\t\r") != text {
		return "'" + text
	}
	return text
}

// spelled is an id that no spreadsheet takes for a number.
func spelled(id string) string {
	if id == "" {
		return ""
	}
	return inert(id) + "\t"
}

// checkState refuses a state that a run with this output folder cannot use.
func (a *app) checkState(j *job.Job, out string) error {
	switch {
	case j.StateDir() == "":
	case within(out, j.StateDir()):
		return usage(a.say("状态文件夹 %s 在输出文件夹 %s 之内，每次对账都会替换它", "the state folder %s is in the output folder %s, which every run replaces", j.StateDir(), out), "")
	case j.Day.IsZero():
		return &failure{
			status: exitUsage,
			err:    job.Problem{Pos: j.Place("state"), Text: a.say("有 state 的作业须有业务日期", "a job with a state needs a business date")},
			hint:   a.say("在作业文件里写 date，或用 --date", "give date in the job file, or --date"),
		}
	}
	return nil
}

// knownVerdicts reads the verdicts that hold for a run; there are none without a
// state.
func (a *app) knownVerdicts(j *job.Job) (map[string]reports.Verdict, error) {
	if j.StateDir() == "" {
		return nil, nil
	}
	store, err := verdicts.Open(j.StateDir())
	if err != nil {
		return nil, a.stateError(err)
	}
	return store.Current(), nil
}

// within reports whether the path is the folder or in it.
func within(folder, path string) bool {
	from, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(from, to)
	return err == nil && filepath.IsLocal(rel)
}
