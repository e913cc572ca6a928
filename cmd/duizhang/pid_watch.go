package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/reports"
	"duizhang/rules"
)

type pidWatchFlags struct {
	runFlags
	state string
	all   bool
}

func (a *app) pidWatchCommand() *cobra.Command {
	var f pidWatchFlags
	cmd := &cobra.Command{
		Use:   "watch JOB.yaml",
		Short: a.say("PID 卫士：哪些终端带错、漏带、换了服务商 PID，从何时起，每天损失多少", "PID guard: tills that send a wrong, missing or changed PID, since when, and what it costs a day"),
		Long: a.say(`只读作业文件里的 POS 订单或接口日志、协议、服务商、商户和门店，不需要账单，可以每小时运行一次。
带错 PID 的交易不能申诉，只能尽早在终端上改正。发现带错、漏带、损坏或更换 PID 的终端时退出码为 1。

只看业务日期当天的订单：--date，其次是作业文件的 date；路径里有 {date:…} 时默认昨天；都没有时看全部。
有 --state（或作业文件的 state.dir）时，已报告过的终端不再重复，只报新的变化；--all 仍然全部列出。
损失按主服务商的协议费率 × 订单金额估算（basis 为 received 时减去津贴和优惠券）；“每天”是该终端
全部订单的返佣除以天数；已经恢复的，是每天损失了多少。`,
			`Reads only the job's POS orders or API logs, agreements, providers, merchants and stores, and no
bill: fast enough for every hour. A trade with a wrong PID cannot be appealed; the till can only be
put right soon. The exit status is 1 when a till sends a wrong, missing, damaged or changed PID.

Only orders of the business date count: --date, else the job's date; yesterday where a path has
{date:…}; else all orders. With --state (or the job's state.dir) a till that was reported is not
reported again, only what is new; --all lists everything. The loss is estimated by the primary
agreement's rate and the order's amount (less allowance and coupon where the basis is received);
"a day" is the rebate of all the till's orders, divided by the days, or what a day lost where it is
over.`),
		Example: `  duizhang pid watch duizhang.yaml
  duizhang pid watch duizhang.yaml --date today --state state
  duizhang pid watch duizhang.yaml --json`,
		Args: a.exactly(1, "请给出一个作业文件", "give one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pidWatch(cmd.Context(), args[0], f)
		},
	}
	a.dateFlag(cmd, &f.runFlags)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.state, "state", "", a.say("状态文件夹：记住报告过的终端", "state folder: remembers what was reported"))
	flags.BoolVar(&f.all, "all", false, a.say("也列出已报告过的", "list what was reported before, too"))
	a.sizeFlags(cmd, &f.runFlags)
	return cmd
}

// watchKinds are the inputs that the guard reads.
var watchKinds = []schema.InputKind{
	schema.PosOrders, schema.PosAPI, schema.AgreementsKind, schema.ProvidersKind, schema.MerchantsKind, schema.StoresKind,
}

func (a *app) pidWatch(ctx context.Context, file string, f pidWatchFlags) error {
	if f.blank("state", f.state) {
		return a.blankFlag("state")
	}
	j, size, err := a.prepareWatch(file, &f)
	if err != nil {
		return err
	}
	memory, err := a.openWatchState(stateOf(j, f.state))
	if err != nil {
		return err
	}
	defer memory.close()
	uses, s, err := a.pidUses(ctx, j, size, f)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	s.complainInputs()
	findings, after := engine.Tills(uses, memory.tills)
	status := exitDone
	if slices.ContainsFunc(findings, func(f engine.TillFinding) bool { return f.New && f.Wrong() }) {
		status = exitBreaks
	}
	if len(s.rejects) > j.Limits.Rejects {
		status = worst(status, exitRejects)
	}
	if s.incomplete() || len(uses) == 0 {
		status = worst(status, exitInput)
	}
	report := s.watchReport(uses, findings, f, status)
	if a.json {
		err = a.printJSON(report)
	} else {
		err = a.printWatch(report)
	}
	if err != nil {
		return err
	}
	if len(uses) == 0 {
		a.complain(a.say("输入里没有可看的支付宝订单", "the inputs have no Alipay order to look at"),
			a.say("检查日期、文件和协议的产品", "look at the date, the files, and the products of the agreements"))
	}
	if n := len(s.rejects); n > 0 {
		a.complain(a.say("%d 行被拒收，没有看到", "%d rows were rejected and not looked at", n), a.say("duizhang validate 会列出它们", "duizhang validate counts them by file"))
	}
	if s.incomplete() {
		return quietly(status) // nothing is remembered of what was not seen whole
	}
	if err := memory.save(after); err != nil {
		return err
	}
	return quietly(status)
}

// prepareWatch reads the job and leaves in it only what the guard reads.
func (a *app) prepareWatch(file string, f *pidWatchFlags) (*job.Job, sizing, error) {
	if f.date == "" && !f.blank("date", f.date) && a.datedPaths(file) {
		f.date = "yesterday"
	}
	j, size, err := a.prepare(file, f.runFlags)
	if err != nil {
		return nil, size, err
	}
	for _, kind := range schema.InputKinds() {
		if !slices.Contains(watchKinds, kind) {
			delete(j.Engine.Inputs, kind)
		}
	}
	j.Patterns = slices.DeleteFunc(j.Patterns, func(p job.Pattern) bool { return !slices.Contains(watchKinds, p.Kind) })
	j.Engine.Guard = true
	missing := ""
	switch {
	case !j.Given(schema.PosOrders) && !j.Given(schema.PosAPI):
		missing = schema.PosOrders.String()
	case !j.Given(schema.AgreementsKind):
		missing = schema.AgreementsKind.String()
	}
	if missing != "" {
		return nil, size, usage(a.say("pid watch 需要 POS 订单或接口日志，以及协议；作业文件没有 %s", "pid watch takes POS orders or API logs, and agreements; the job has no %s", missing), "")
	}
	return j, size, nil
}

// datedPaths tells whether the job gives no date and has paths that need one. A
// job that cannot be read is for prepare to complain about.
func (a *app) datedPaths(file string) bool {
	data, err := os.ReadFile(file)
	if err != nil || len(data) > maxJobFile {
		return false
	}
	_, undated := job.Parse(file, data, job.Options{Lang: a.lang, Now: a.now()})
	if undated == nil {
		return false
	}
	_, dated := job.Parse(file, data, job.Options{Lang: a.lang, Date: "yesterday", Now: a.now()})
	return dated == nil
}

// pidUses runs the engine over the orders, and gives what the tills sent.
func (a *app) pidUses(ctx context.Context, j *job.Job, size sizing, f pidWatchFlags) ([]engine.PIDUse, *session, error) {
	out := outOf(j, f.runFlags)
	scratch, err := a.scratch(out, explainSuffix)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = scratch.Discard() }()
	size.spill = scratch.Temp()
	show := a.newProgress()
	defer show.close()
	s, err := a.load(ctx, j, size, show)
	if err != nil {
		return nil, nil, err
	}
	r := &runner{session: s, staging: scratch}
	if err := errors.Join(s.checkPrimary(), r.reconcile(ctx, nowhere{}, show)); err != nil {
		_ = s.close()
		return nil, nil, err
	}
	return r.result.PIDUses, s, nil
}

// A watchReport is what pid watch --json prints.
type watchReport struct {
	Date     string        `json:"date"`
	Orders   int64         `json:"orders"` // looked at, by product face_to_face
	Tills    int           `json:"tills"`
	Findings []watchedTill `json:"findings"`
	Known    int           `json:"known"` // findings that are not new and not listed
	Lost     string        `json:"lost"`
	PerDay   string        `json:"per_day"` // of the tills that go on with a wrong PID
	ExitCode int           `json:"exit_code"`
}

type watchedTill struct {
	Merchant  string  `json:"merchant_pid"`
	Store     string  `json:"store_id"`
	StoreName string  `json:"store_name"`
	Terminal  string  `json:"terminal_id"`
	Product   string  `json:"product"`
	What      string  `json:"what"`
	Why       string  `json:"why"`
	PID       string  `json:"pid"`
	Before    string  `json:"pid_before"`
	Since     string  `json:"since"`
	Until     *string `json:"until"` // null while it goes on
	Orders    int64   `json:"orders"`
	Amount    string  `json:"amount"`
	Lost      string  `json:"lost"`
	PerDay    string  `json:"per_day"`
	New       bool    `json:"new"`
	Order     string  `json:"first_order"`
	Source    string  `json:"source"`
}

func (s *session) watchReport(uses []engine.PIDUse, findings []engine.TillFinding, flags pidWatchFlags, status int) watchReport {
	report := watchReport{Date: s.job.Settings().Date, Findings: []watchedTill{}, ExitCode: status}
	privacy, _ := reports.ParsePrivacy(s.job.Output.Privacy) // the job has checked the word
	tills := map[[3]string]bool{}
	for i := range uses {
		u := &uses[i]
		tills[[3]string{u.Merchant, u.Store, u.Terminal}] = true
		if u.Product == uses[0].Product {
			report.Orders += u.Count
		}
	}
	report.Tills = len(tills)
	var lost, perDay rules.Sum
	goesOn := map[[4]string]bool{}
	for i := range findings {
		f := &findings[i]
		lost.AddSum(f.Lost)
		till := [4]string{f.Merchant, f.Store, f.Terminal, f.Product}
		if f.Wrong() && f.What != engine.PIDChanged && f.Until == "" && !goesOn[till] { // two wrong PIDs of one till cost its day once
			goesOn[till] = true
			perDay.AddSum(f.PerDay)
		}
		if !f.New && !flags.all {
			report.Known++
			continue
		}
		one := watchedTill{
			Merchant: f.Merchant, Store: privacy.Cell("store_id", f.Store), StoreName: privacy.Text(s.storeName(f.Store)),
			Terminal: privacy.Cell("terminal_id", f.Terminal), Product: f.Product, What: f.What, Why: s.app.whyTill(f),
			PID: privacy.Text(f.PID), Before: privacy.Text(f.Before), Since: f.Since, Orders: f.Orders, Amount: f.Amount.String2(),
			Lost: f.Lost.String6(), PerDay: f.PerDay.String6(), New: f.New, Order: f.Order,
		}
		if f.Until != "" {
			one.Until = &f.Until
		}
		if f.Table >= 0 {
			one.Source = s.tables[f.Table].Source(f.Line)
		}
		report.Findings = append(report.Findings, one)
	}
	report.Lost, report.PerDay = lost.String6(), perDay.String6()
	return report
}

func (s *session) storeName(id string) string {
	for i := range s.job.Engine.Registry.Stores {
		if store := &s.job.Engine.Registry.Stores[i]; store.ID == id {
			return store.Name
		}
	}
	return ""
}

// whyTill is a finding in words.
func (a *app) whyTill(f *engine.TillFinding) string {
	switch f.What {
	case engine.PIDChanged:
		return a.say("换成了另一个有协议的 PID", "changed to another PID with an agreement")
	case engine.PIDRecovered:
		return a.say("已恢复正确", "right again")
	}
	cause, _ := rules.ParseCause(f.What)
	return a.whyPID(cause)
}

func (a *app) printWatch(r watchReport) error {
	t := newTable(6, 7, 8)
	if len(r.Findings) > 0 {
		t.row(a.say("门店", "store"), a.say("终端", "terminal"), a.say("原因", "what"), "PID", a.say("自", "since"), a.say("至", "until"),
			a.say("笔数", "orders"), a.say("已损失", "lost"), a.say("每天", "a day"), a.say("第一笔", "first order"))
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		pid, until := f.PID, a.say("仍在继续", "goes on")
		if strings.TrimSpace(pid) == "" {
			pid = a.say("（空）", "(blank)")
		}
		if f.Before != "" || f.What == engine.PIDChanged || f.What == engine.PIDRecovered {
			pid = orBlank(f.Before, a.say("（空）", "(blank)")) + " → " + pid
		}
		switch {
		case f.Until != nil:
			until = *f.Until
		case f.What == engine.PIDRecovered:
			until = ""
		}
		t.row(strings.TrimSpace(f.Store+" "+f.StoreName), f.Terminal, f.What+" "+f.Why, pid, f.Since, until,
			fmt.Sprint(f.Orders), f.Lost, f.PerDay, strings.TrimSpace(f.Order+" "+f.Source))
	}
	t.write(a.stdout)
	text := a.say("看了 %d 笔订单、%d 台终端；没有新的变化", "looked at %d orders of %d tills; nothing new", r.Orders, r.Tills)
	if len(r.Findings) > 0 {
		text = a.say("看了 %d 笔订单、%d 台终端；已损失 %s，不改正每天再损失约 %s", "looked at %d orders of %d tills; lost %s, and about %s a day until it is put right",
			r.Orders, r.Tills, r.Lost, r.PerDay)
	}
	if r.Known > 0 {
		text += a.say("；另有 %d 项已报告过（--all 列出）", "; %d reported before (--all lists them)", r.Known)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

func orBlank(text, blank string) string {
	if strings.TrimSpace(text) == "" {
		return blank
	}
	return text
}

// stateOf is the state folder: the flag's, else the job's; blank for none.
func stateOf(j *job.Job, flag string) string {
	if flag != "" {
		return flag
	}
	return j.StateDir()
}

// watchStateName is the file of the state folder in which pid watch remembers the
// tills.
const watchStateName = "pid_watch.json"

// watchStateSchema is the version of that file.
const watchStateSchema = 1

// A watchState is what pid watch remembers, and the lock that keeps other commands
// from it meanwhile.
type watchState struct {
	app   *app
	file  string // blank: nothing is remembered
	lock  *outputLock
	tills []engine.TillState
}

type watchStateFile struct {
	Schema int                `json:"schema"`
	Tills  []engine.TillState `json:"tills"`
}

// openWatchState reads what is remembered in the folder, which is made if it is not
// there.
func (a *app) openWatchState(dir string) (*watchState, error) {
	m := &watchState{app: a}
	if dir == "" {
		return m, nil
	}
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		return nil, usage(a.say("%s: 不是文件夹（也不接受链接）", "%s: not a folder (a link is not accepted)", dir), "")
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	m.file = filepath.Join(dir, watchStateName)
	lock, err := lockFile(filepath.Join(dir, "."+watchStateName+".lock"))
	if err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	if lock == nil {
		return nil, usage(a.say("%s 正在被另一次 pid watch 使用", "%s is in use by another pid watch", dir), a.say("等它结束后再运行", "run again when it has ended"))
	}
	m.lock = lock
	data, err := os.ReadFile(m.file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	var file watchStateFile
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err == nil && file.Schema != watchStateSchema {
		err = fmt.Errorf("schema %d", file.Schema)
	}
	if err != nil {
		m.close()
		return nil, usage(a.say("%s 读不了：%v", "%s cannot be read: %v", m.file, a.lang.System(err)),
			a.say("移走这个文件会从头开始：所有终端重新报告一次", "move it away to begin anew: every till is reported once more"))
	}
	m.tills = file.Tills
	return m, nil
}

// save remembers the tills. The file is replaced in one step.
func (m *watchState) save(tills []engine.TillState) error {
	if m.file == "" {
		return nil
	}
	if tills == nil {
		tills = []engine.TillState{}
	}
	return m.app.replaceFile(m.file, 0o600, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		enc.SetEscapeHTML(false)
		return enc.Encode(watchStateFile{watchStateSchema, tills})
	})
}

func (m *watchState) close() {
	if m.lock != nil {
		m.lock.release()
		m.lock = nil
	}
}
