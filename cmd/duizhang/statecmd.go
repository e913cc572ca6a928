package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/lang"
)

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: a.say("状态文件夹：检查、导出", "the state folder: check it, export it"),
		Long: a.say(`检查作业的状态文件夹是否完好，或把其中的历史导出为 Parquet。都不改动它。`,
			`Checks that the state folder of a job is whole, or exports its history as Parquet. Neither changes it.`),
		Example: `  duizhang state check
  duizhang state export history/ --job duizhang.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.stateCheckCommand(), a.stateExportCommand())
	return cmd
}

func (a *app) stateCheckCommand() *cobra.Command {
	var f verdictFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: a.say("核对状态的校验和与内部一致", "checksums and invariants of the state"),
		Long: a.say(`读完整个历史，核对每一块的校验和，以及明细、索引、笔数、合计与每次对账的记录是否一致。
完好时退出码 0；有问题时逐条列出，退出码 3。`,
			`Reads the whole history, and checks the checksum of each block, and that rows, indexes, counts and sums
agree with one another and with the records of the runs. Exit status 0 if it is whole; else every
problem is listed, exit status 3.`),
		Example: `  duizhang state check
  duizhang state check --state /data/recon/state --json`,
		Args: a.atMost(0, "不需要参数", "takes no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd, f, wait, a.checkHistory)
		},
	}
	a.verdictFlags(cmd, &f)
	a.waitFlag(cmd, &wait)
	return cmd
}

func (a *app) checkHistory(ctx context.Context, s *jobState) error {
	problems, err := s.Check(ctx)
	if err != nil {
		return a.stateFault(ctx, err)
	}
	runs, err := s.Runs()
	if err != nil && len(problems) == 0 {
		return a.stateFault(ctx, err)
	}
	type found struct {
		Place   string `json:"place"`
		Problem string `json:"problem"`
	}
	list := []found{}
	for _, p := range problems {
		list = append(list, found{p.Place, p.Text(a.chinese())})
	}
	if a.json {
		if err := a.printJSON(struct {
			Runs     int     `json:"runs"`
			Whole    bool    `json:"whole"`
			Problems []found `json:"problems"`
		}{len(runs), len(list) == 0, list}); err != nil {
			return err
		}
	}
	for _, p := range list {
		a.complain(lang.Plain(p.Place)+": "+p.Problem, "")
	}
	if len(list) > 0 {
		return &failure{
			status: exitInput, err: errors.New(a.say("状态有 %d 处问题", "the state has %d problems", len(list))),
			hint: a.say("从备份恢复，或按 docs/state.md 重新开始", "restore a backup, or begin anew as docs/state.md says"),
		}
	}
	if !a.json {
		fmt.Fprintln(a.stdout, a.say("✔ 状态完好：%d 次对账", "✔ the state is whole: %d runs", len(runs)))
	}
	return nil
}

func (a *app) stateExportCommand() *cobra.Command {
	var f verdictFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: a.say("把历史导出为 Parquet", "the history as Parquet"),
		Long: a.say(`把每天现有的交易、退款、差异、结转的行，以及历次对账，写成 Parquet，放进一个新的或空的文件夹。`,
			`Writes the trades, refunds, breaks and carried rows that each day has, and the runs, as Parquet to a
folder that is new or empty.`),
		Example: `  duizhang state export history/
  duizhang state export /tmp/history --state /data/recon/state`,
		Args: a.exactly(1, "请给出一个文件夹", "give one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usage(a.say("文件夹不能为空", "the folder must not be blank"), "")
			}
			return a.withState(cmd, f, wait, func(ctx context.Context, s *jobState) error {
				if within(s.dir, args[0]) {
					return usage(a.say("%s 在状态文件夹里", "%s is in the state folder", args[0]), "")
				}
				if info, err := os.Lstat(args[0]); err == nil && !info.IsDir() {
					return usage(a.say("%s: 不是文件夹（也不接受链接）", "%s: not a folder (a link is not accepted)", args[0]), "")
				}
				if err := s.Export(ctx, args[0]); err != nil {
					return a.stateFault(ctx, err)
				}
				a.note(a.say("已导出到 %s", "exported to %s", args[0]))
				return nil
			})
		},
	}
	a.verdictFlags(cmd, &f)
	a.waitFlag(cmd, &wait)
	return cmd
}
