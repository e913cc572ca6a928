package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/engine/state"
)

func (a *app) runsCommand() *cobra.Command {
	var f verdictFlags
	var wait, all bool
	cmd := &cobra.Command{
		Use:   "runs [JOB.yaml]",
		Short: a.say("状态里记下的历次对账", "the runs that the state has recorded"),
		Long: a.say(`列出作业的历次对账：业务日期和次数（2026-11-20#2 是那一天的第二次）、笔数、差异金额、退出码、用时。
默认只列每天现有的一次；--all 也列已被替换的。“需重跑”的那些天，依据的是后来又变了的数据。
diff 和 replay 用这里的名字。`,
			`Lists the runs of a job: business date and revision (2026-11-20#2 is the second run of that day), counts,
money of the breaks, exit status, duration. By default the one that each day has; --all lists those
that were replaced too. A day that is "to be run again" is based on what was changed since.
diff and replay take the names that stand here.`),
		Example: `  duizhang runs
  duizhang runs duizhang.yaml --all
  duizhang runs --state /data/recon/state --json`,
		Args: a.atMost(1, "至多给出一个作业文件", "give one job file at most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if f.job != "" {
					return usage(a.say("作业文件给了两次", "the job file is given twice"), "")
				}
				f.job = args[0]
			}
			return a.withState(cmd, f, wait, func(ctx context.Context, s *jobState) error { return a.listRuns(s, all) })
		},
	}
	a.verdictFlags(cmd, &f)
	a.waitFlag(cmd, &wait)
	cmd.Flags().BoolVar(&all, "all", false, a.say("也列出已被替换的", "also those that were replaced"))
	return cmd
}

// withState opens the state that the flags mean, to be read. A folder that is not
// there has no runs: nil.
func (a *app) withState(cmd *cobra.Command, f verdictFlags, wait bool, do func(context.Context, *jobState) error) error {
	dir, err := a.stateDir(cmd, f)
	if err != nil {
		return err
	}
	s, err := a.openState(cmd.Context(), dir, access{read: true, wait: wait})
	if err != nil {
		return err
	}
	defer s.close()
	if s == nil {
		return usage(a.say("%s: 没有这个状态文件夹：还没有带 state 的对账", "%s: there is no such state folder: no run with a state yet", dir), "")
	}
	return do(cmd.Context(), s)
}

// A listedRun is a run as runs --json gives it.
type listedRun struct {
	Run         string `json:"run"`
	Date        string `json:"date"`
	Revision    int    `json:"revision"`
	Current     bool   `json:"current"`
	Stale       bool   `json:"stale"`
	Incomplete  bool   `json:"incomplete"`
	Trades      int64  `json:"trades"`
	Refunds     int64  `json:"refunds"`
	CarriedIn   int64  `json:"carried_in"`
	CarriedOut  int64  `json:"carried_out"`
	Breaks      int64  `json:"breaks"`
	BreakAmount string `json:"break_amount"`
	ExitCode    int    `json:"exit_code"`
	Started     string `json:"started"`
	Seconds     string `json:"seconds"`
	Inputs      int    `json:"inputs"`
	Version     string `json:"version"`
	Kept        bool   `json:"kept"` // its rows, for diff
}

func asListed(r *state.Run) listedRun {
	l := listedRun{
		Run: r.Token, Date: state.DateText(r.Date), Revision: r.Revision, Current: r.Current, Stale: r.Stale, Incomplete: r.ExitCode == exitInput,
		Breaks: r.Breaks, BreakAmount: r.BreakAmount, ExitCode: r.ExitCode, Started: r.Started.Format(time.RFC3339),
		Seconds: strconv.FormatFloat(r.Duration.Seconds(), 'f', 1, 64), Inputs: len(r.Inputs), Version: r.Version, Kept: r.Kept,
	}
	for _, t := range r.Trades {
		l.Trades += t.Rows
	}
	for _, t := range r.Refunds {
		l.Refunds += t.Rows
	}
	for i := range r.CarriedIn {
		l.CarriedIn += r.CarriedIn[i]
		l.CarriedOut += r.CarriedOut[i]
	}
	return l
}

func (a *app) listRuns(s *jobState, all bool) error { //nolint:revive // flag-parameter: --all
	runs, err := s.Runs()
	if err != nil {
		return a.stateFault(context.Background(), err)
	}
	list := []listedRun{}
	for i := range runs {
		if all || runs[i].Current {
			list = append(list, asListed(&runs[i]))
		}
	}
	if a.json {
		return a.printJSON(list)
	}
	if len(list) == 0 {
		a.note(a.say("还没有记下对账", "no run has been recorded yet"))
		return nil
	}
	t := newTable(1, 2, 3, 4, 5, 6, 8)
	t.row(a.say("对账", "run"), a.say("交易", "trades"), a.say("退款", "refunds"), a.say("结转", "carried"), a.say("差异", "breaks"),
		a.say("差异金额", "amount"), a.say("退出码", "exit"), a.say("开始", "started"), a.say("用时", "took"), "")
	for i := range list {
		l := &list[i]
		var notes []string
		for _, n := range []struct {
			holds  bool
			zh, en string
		}{
			{!l.Current, "已被替换", "replaced"},
			{l.Incomplete, "输入不完整", "incomplete"},
			{l.Stale, "需重跑", "to be run again"},
		} {
			if n.holds {
				notes = append(notes, a.say(n.zh, n.en))
			}
		}
		t.row(l.Run, strconv.FormatInt(l.Trades, 10), strconv.FormatInt(l.Refunds, 10), strconv.FormatInt(l.CarriedOut, 10),
			strconv.FormatInt(l.Breaks, 10), l.BreakAmount, strconv.Itoa(l.ExitCode), l.Started, l.Seconds+"s", strings.Join(notes, a.say("、", ", ")))
	}
	t.write(a.stdout)
	return nil
}

// A runName names a run of the state: 2026-11-20, which is the one that the day has,
// or 2026-11-20#1.
type runName struct {
	date     int32
	revision int // 0: the one that the day has
}

var runNamed = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:#(\d{1,9}))?$`)

func parseRunName(text string) (runName, bool) {
	m := runNamed.FindStringSubmatch(text)
	if m == nil {
		return runName{}, false
	}
	date, err := state.ParseDate(m[1])
	if err != nil {
		return runName{}, false
	}
	revision, _ := strconv.Atoi(cmp.Or(m[2], "0")) // digits
	return runName{date, revision}, m[2] == "" || revision > 0
}

func (n runName) String() string {
	if n.revision == 0 {
		return state.DateText(n.date)
	}
	return fmt.Sprintf("%s#%d", state.DateText(n.date), n.revision)
}

// find is the record of a run. One that is not there is a usage error that says
// which are.
func (s *jobState) find(name runName) (*state.Run, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, s.app.stateFault(context.Background(), err)
	}
	var known []string
	for i := range runs {
		r := &runs[i]
		if r.Date == name.date && (r.Revision == name.revision || name.revision == 0 && r.Current) {
			return r, nil
		}
		if r.Date == name.date || name.revision == 0 && r.Current {
			known = append(known, r.Token)
		}
	}
	a := s.app
	const shown = 5
	hint := a.say("还没有记下对账", "no run has been recorded yet")
	if len(known) > 0 {
		hint = a.say("有：", "there are: ") + strings.Join(known[max(0, len(known)-shown):], ", ") + a.say("；duizhang runs --all 列出全部", "; duizhang runs --all lists them all")
	}
	return nil, usage(a.say("没有对账 %s", "there is no run %s", name.String()), hint)
}
