package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"duizhang/engine/schema"
	"duizhang/reports"
)

func (a *app) validateCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "validate JOB.yaml",
		Short: a.say("检查作业文件和输入，不对账", "checks job file and inputs without running"),
		Long: a.say(`检查作业文件，读完所有输入，核对控制总额，数出被拒绝的行；不对账，不写任何结果。
退出码同 run：2 作业文件错误，3 输入缺失或控制总额不符，4 拒收行超限。`,
			`Checks the job file, reads all inputs, compares control totals and counts rejected rows; nothing is
reconciled and no results are written. Exit status as of run: 2 job-file error, 3 an input is missing
or a control total does not hold, 4 rejects above the limit.`),
		Example: `  duizhang validate duizhang.yaml
  duizhang validate duizhang.yaml --date yesterday --json`,
		Args: a.exactly(1, "请给出一个作业文件", "give one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.validate(cmd.Context(), args[0], f)
		},
	}
	a.dateFlag(cmd, &f)
	a.setFlag(cmd, &f)
	a.sizeFlags(cmd, &f)
	return cmd
}

func (a *app) validate(ctx context.Context, file string, f runFlags) error {
	j, size, err := a.prepare(file, f)
	if err != nil {
		return err
	}
	out := outOf(j, f)
	if err := a.checkState(j, out); err != nil {
		return err
	}
	a.tidy(out, out+failedSuffix, out+explainSuffix)
	size.dry = true
	show := a.newProgress()
	s, err := a.load(ctx, j, size, show)
	show.close()
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	if err := s.checkPrimary(); err != nil {
		return err
	}
	status := exitDone
	if len(s.rejects) > j.Limits.Rejects {
		status = exitRejects
	}
	if s.incomplete() {
		status = worst(status, exitInput)
	}
	past, err := s.checkedState(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(s.validation(status, past))
	} else {
		s.printValidation()
		a.printStateCheck(past)
	}
	if err != nil {
		return err
	}
	s.complainInputs()
	return quietly(status)
}

// validation is what validate --json prints.
func (s *session) validation(status int, past *stateCheck) any {
	tables := make([]any, len(s.tables))
	for i, t := range s.tables {
		tables[i] = reports.TableJSON(t)
	}
	return struct {
		Job        string `json:"job"`
		Date       string `json:"date"`
		Incomplete bool   `json:"incomplete"`
		Rejects    int    `json:"rejects"`
		Tables     []any  `json:"tables"`
		Settings   any    `json:"settings"`
		ExitCode   int    `json:"exit_code"`

		State *stateCheck `json:"state"` // null without
	}{s.job.File, s.job.Settings().Date, s.incomplete(), len(s.rejects), tables, s.job.Settings(), status, past}
}

func (s *session) printValidation() {
	a := s.app
	t := newTable(3, 4)
	t.row(a.say("文件", "file"), a.say("输入类别", "kind"), a.say("格式", "format"), a.say("接受", "accepted"), a.say("拒收", "rejected"), a.say("控制总额", "controls"))
	for _, table := range s.tables {
		kind, format := "–", table.Format+" "+table.Dialect
		if table.Kind != 0 {
			kind = table.Kind.String()
		}
		switch {
		case missing(table):
			format = a.say("（缺失）", "(missing)")
		case table.Refused:
			format = a.say("（拒绝）", "(refused)")
		case table.Format == "":
			format = "–"
		}
		t.row(table.File(), kind, format, strconv.FormatInt(table.Accepted, 10), strconv.FormatInt(table.Rejected, 10), a.controls(table))
	}
	t.write(a.stdout)
	fmt.Fprintln(a.stdout, a.say("作业文件 %s 没有错误；拒收 %d 行", "job file %s has no errors; %d rows rejected", s.job.File, len(s.rejects))+s.faults())
}

// faults counts the inputs that a run could not do with.
func (s *session) faults() string {
	a := s.app
	gone, refused, apart := 0, 0, 0
	for _, t := range s.tables {
		switch {
		case missing(t):
			gone++
		case t.Refused:
			refused++
		case !controlsHold(t):
			apart++
		}
	}
	text := ""
	for _, f := range []struct {
		n      int
		zh, en string
	}{
		{gone, "；%d 个输入缺失", "; inputs missing: %d"},
		{refused, "；%d 个输入被拒绝", "; inputs refused: %d"},
		{apart, "；%d 个输入控制总额不符", "; inputs whose control totals do not hold: %d"},
	} {
		if f.n > 0 {
			text += a.say(f.zh, f.en, f.n)
		}
	}
	return text
}

// controls says in a word whether the control totals of a table hold.
func (a *app) controls(t *schema.Table) string {
	stated := false
	for _, c := range t.Controls {
		stated = stated || c.Holds != nil
	}
	switch {
	case !controlsHold(t):
		return a.say("不符", "do not hold")
	case stated:
		return a.say("相符", "hold")
	}
	return "–"
}
