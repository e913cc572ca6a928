package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/reports"
)

// A sight is one table that inspect has looked at, with its first rows.
type sight struct {
	table *schema.Table
	rows  []string
}

func (a *app) inspectCommand() *cobra.Command {
	var rows int
	cmd := &cobra.Command{
		Use:   "inspect FILE…",
		Short: a.say("文件是什么：格式、账号、期间、行数、控制总额、问题", "what a file is: format, account, period, rows, control totals, problems"),
		Long: a.say(`读完每个文件，说明它是什么、有什么问题。退出码：0 都认识且干净；3 有文件被拒绝或控制总额不符；
4 有被拒绝的行。`,
			`Reads each file to its end and says what it is and what is wrong with it. Exit status: 0 all are
known and clean; 3 one is refused or a control total does not hold; 4 rows are rejected.`),
		Example: `  duizhang inspect bills/20881234567890120156_20261120.csv.zip
  duizhang inspect pos/*.csv --rows 10
  duizhang inspect *.zip --json | jq '.[] | {path, format, rows}'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.wrongArgs(cmd, "请给出至少一个文件", "give at least one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if rows < 0 || rows > 1000 {
				return usage(a.say("--rows: %q: 应为 0 到 1000", "--rows: %q: must be 0 to 1000", strconv.Itoa(rows)), "")
			}
			sights, err := a.inspect(cmd.Context(), args, rows)
			if err != nil {
				return err
			}
			if err := a.printSights(sights); err != nil {
				return err
			}
			return quietly(inspected(sights))
		},
	}
	cmd.Flags().IntVar(&rows, "rows", 3, a.say("显示前几行", "first rows to show"))
	return cmd
}

// inspect looks at the files one after the other.
func (a *app) inspect(ctx context.Context, files []string, rows int) ([]sight, error) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			return nil, usage(a.say("%s: 是文件夹", "%s: is a folder", file),
				a.say("用 duizhang inspect %s/* 看其中的文件，或用 duizhang init %s", "look at its files with duizhang inspect %s/*, or use duizhang init %s", file, file))
		}
	}
	var sights []sight
	for _, file := range files {
		tables, first, err := loaders.Inspect(ctx, loaders.Input{Path: file, Name: filepath.ToSlash(file)},
			loaders.Options{Words: schema.NewWords(), Lang: a.lang.String()}, rows)
		if err != nil {
			return nil, err
		}
		for i, t := range tables {
			sights = append(sights, sight{t, first[i]})
		}
	}
	return sights, nil
}

// inspected is the exit status of what was seen.
func inspected(sights []sight) int {
	var statuses []int
	for _, s := range sights {
		if s.table.Refused || !controlsHold(s.table) {
			statuses = append(statuses, exitInput)
		}
		if s.table.Rejected > 0 {
			statuses = append(statuses, exitRejects)
		}
	}
	return worst(statuses...)
}

func (a *app) printSights(sights []sight) error {
	if a.json {
		list := make([]any, len(sights))
		for i, s := range sights {
			list[i] = reports.TableJSON(s.table)
		}
		return a.printJSON(list)
	}
	for i, s := range sights {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		a.printSight(s)
	}
	return nil
}

func (a *app) printSight(s sight) {
	t := s.table
	fmt.Fprintln(a.stdout, lang.Plain(t.File()))
	facts := newTable()
	fact := func(zh, en, value string) {
		if value != "" {
			facts.row("  "+a.say(zh, en), value)
		}
	}
	if t.Refused || t.Format == "" {
		fact("格式", "format", a.say("（不认识）", "(none that is known)"))
	} else {
		fact("格式", "format", strings.TrimSpace(t.Format+" "+t.Dialect))
	}
	if t.Kind != 0 {
		fact("输入类别", "input kind", t.Kind.String())
	}
	fact("编码", "encoding", t.Encoding)
	fact("账号", "account", t.Account)
	fact("期间", "period", a.period(t))
	if t.Format != "" {
		fact("行数", "rows", a.say("%d，接受 %d，拒收 %d", "%d, accepted %d, rejected %d", t.Rows, t.Accepted, t.Rejected))
	}
	fact("修正", "repairs", repairs(t))
	fact("不认识的列", "unknown columns", strings.Join(t.Unknown, ", "))
	facts.write(a.stdout)
	a.printControls(t)
	a.printProblems(t)
	a.printFirst(s.rows)
}

func (a *app) period(t *schema.Table) string {
	if t.From == schema.Null && t.To == schema.Null {
		return ""
	}
	return moment(t.From) + " – " + moment(t.To)
}

// moment is a time of the job's wall clock.
func moment(seconds int64) string {
	if seconds == schema.Null {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateTime)
}

func repairs(t *schema.Table) string {
	var parts []string
	for _, code := range sortedKeys(t.Repairs) {
		parts = append(parts, code+" "+strconv.FormatInt(t.Repairs[code], 10))
	}
	return strings.Join(parts, ", ")
}

func (a *app) printControls(t *schema.Table) {
	if len(t.Controls) == 0 {
		return
	}
	fmt.Fprintln(a.stdout, "  "+a.say("控制总额", "control totals"))
	controls := newTable(2, 4)
	for _, c := range t.Controls {
		stated, verdict := "–", ""
		if c.Stated != nil {
			stated = *c.Stated
		}
		if c.Holds != nil {
			verdict = a.say("相符", "holds")
			if !*c.Holds {
				verdict = a.say("不符", "does not hold")
			}
		}
		controls.row("    "+c.Name, a.say("文件所列", "stated"), stated, a.say("实际", "found"), c.Found, verdict)
	}
	controls.write(a.stdout)
}

// shownProblems is how many problems the text lists; --json has more.
const shownProblems = 10

func (a *app) printProblems(t *schema.Table) {
	if len(t.Problems) == 0 {
		return
	}
	fmt.Fprintln(a.stdout, "  "+a.say("问题", "problems"))
	for i, p := range t.Problems {
		if i == shownProblems {
			more := len(t.Problems) - i + t.More
			fmt.Fprintln(a.stdout, "    "+a.say("……另有 %d 个（用 --json 查看）", "… and %d more (see --json)", more))
			return
		}
		text := lang.Plain(schema.Pos{File: t.File(), Line: p.Line, Name: p.Column}.String()) + ": "
		if p.Value != "" {
			text += strconv.Quote(reports.Mask.Text(p.Value)) + ": "
		}
		indented(a.stdout, 4, text+reports.Mask.Text(p.Message)+" ["+p.Code+"]\n")
	}
}

func (a *app) printFirst(rows []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(a.stdout, "  "+a.say("前几行", "first rows"))
	width, _ := terminal(a.stdout)
	for _, row := range rows {
		text := lang.Plain(reports.Mask.Text(strings.ReplaceAll(row, "\n", " ")))
		if width > 24 {
			text = shortened(text, width-4)
		}
		fmt.Fprintln(a.stdout, "    "+text)
	}
}
