package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"duizhang/loaders"
	"duizhang/reports/claim"
)

func (a *app) claimCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claim",
		Short: a.say("返佣申诉包：复核", "rebate claims: check a claim pack"),
		Long: a.say(`对账在输出文件夹的 claim/ 下为每个服务商 PID 和账期写一份申诉包。收到申诉包的一方不需要作业文件，
用 claim verify 就能独立复核。`,
			`A run writes a claim pack for each provider PID and period below claim/ in its output folder. Whoever
receives one checks it with claim verify, without the job.`),
		Example: "  duizhang claim verify out/claim/2088731199938475-2026-11\n  duizhang claim verify 2088731199938475-2026-11 --inputs /data/originals",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.claimVerify())
	return cmd
}

func (a *app) claimVerify() *cobra.Command {
	var inputs string
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: a.say("复核申诉包：由证据重算每一笔，可与原始文件逐行核对", "compute a claim pack anew from its evidence, and compare it with the original files"),
		Long: a.say(`由申诉包里的证据重算每一笔、每一组和合计，核对工作簿与申诉书，指出一切不符之处。
--inputs 给出原始文件所在的文件夹（作业文件所在处）时，还核对文件和行的 SHA-256，重读用到的列，
并查找没有列入证据的返佣账单行。只读取，不写入，不执行包里的任何东西。
清单含绝对路径、..、重复项，或文件夹里有链接、未列出的文件时，拒绝复核。
退出码：0 全部相符；1 有不符；2 用法错误；3 缺少文件、无法读取，或不是申诉包。`,
			`Computes every trade, group and total of the pack anew from its evidence, compares the workbook and
the statement, and says what differs. With --inputs, the folder of the original files (that of the job
file), it also compares SHA-256 of files and lines, reads the columns used again, and looks for
statement rows that the evidence leaves out. It reads only; nothing in the pack is run.
A manifest with absolute paths, .. or an entry twice, and a folder with links or files that are not
listed, are refused.
Exit status: 0 all holds; 1 something differs; 2 usage; 3 a file is missing or unreadable, or it is no
claim pack.`),
		Example: "  duizhang claim verify out/claim/2088731199938475-2026-11 --inputs .",
		Args:    a.exactly(1, "请给出一个申诉包文件夹", "give one folder of a claim pack"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("inputs") && inputs == "" {
				return a.blankFlag("inputs")
			}
			return a.verifyClaim(cmd.Context(), args[0], inputs)
		},
	}
	cmd.Flags().StringVar(&inputs, "inputs", "", a.say("原始文件所在的文件夹", "folder of the original files"))
	return cmd
}

func (a *app) verifyClaim(ctx context.Context, dir, inputs string) error {
	pack, err := claim.Open(dir)
	if err != nil {
		return a.claimError(dir, err)
	}
	defer func() { _ = pack.Close() }()
	report, err := pack.Verify(func(row func(sheet string, line int, cells []string) error) error {
		var texts []string
		return loaders.EachSheetRow(ctx, pack.Book(), func(sheet string, line int32, cells []loaders.SheetCell) error {
			texts = texts[:0]
			for _, c := range cells {
				texts = append(texts, string(c.Text))
			}
			return row(sheet, int(line), texts)
		})
	})
	if err == nil && inputs != "" {
		err = a.verifyOriginals(ctx, pack, report, inputs)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return a.claimError(dir, err)
	}
	if err := a.showVerified(&pack.Manifest, report, inputs != ""); err != nil {
		return err
	}
	if !report.Holds() {
		return quietly(exitBreaks)
	}
	return nil
}

// claimError says why a pack, or an original, could not be read.
func (a *app) claimError(dir string, err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	switch {
	case errors.Is(err, claim.ErrNotAPack):
		err = errors.New(a.say("%s: 不是可以复核的申诉包：%s", "%s: refused: %s", dir, err))
	case errors.Is(err, os.ErrNotExist):
		err = errors.New(a.say("%s: 没有这个文件夹", "%s: no such folder", dir))
	default:
		err = fmt.Errorf("%s: %s", dir, a.lang.System(err))
	}
	return &failure{status: exitInput, err: err}
}

// checkTexts name the checks.
var checkTexts = map[string][2]string{
	claim.CheckFiles:     {"包内文件与清单相符", "files of the pack are those of the manifest"},
	claim.CheckTrades:    {"逐笔重算相符", "trades, computed anew"},
	claim.CheckGroups:    {"分组合计相符", "sums of the groups"},
	claim.CheckTotals:    {"申诉合计相符", "totals of the manifest"},
	claim.CheckBook:      {"工作簿与明细相符", "trades in the workbook"},
	claim.CheckStatement: {"申诉书金额相符", "amount in the statement"},
	claim.CheckInputs:    {"原始文件 SHA-256 相符", "SHA-256 of the original files"},
	claim.CheckLines:     {"原始行 SHA-256 相符", "SHA-256 of the original lines"},
	claim.CheckEvidence:  {"证据与原始行的列相符", "evidence, read again from the originals"},
	claim.CheckLeftOut:   {"没有漏列返佣账单行", "statement rows that the evidence leaves out"},
}

// showVerified says what was checked, and what differs.
func (a *app) showVerified(m *claim.Manifest, r *claim.Report, originals bool) error { //nolint:revive // flag-parameter: whether they were given
	if a.json {
		return a.printJSON(struct {
			Provider string `json:"provider_pid"`
			Period   string `json:"period"`
			Claim    string `json:"claim"`
			Holds    bool   `json:"holds"`
			*claim.Report
		}{m.Provider, m.Period, m.Claim, r.Holds(), r})
	}
	if !a.quiet {
		fmt.Fprintln(a.stdout, a.say("服务商 %s，账期 %s，申诉 %s 元，%s 笔", "provider %s, period %s: claims %s yuan for %s trades",
			m.Provider, m.Period, m.Claim, strconv.FormatInt(m.Claimed, 10)))
		t := newTable(2)
		for _, c := range r.Checks {
			mark := "✓"
			if !c.Holds {
				mark = "✗"
			}
			text := checkTexts[c.Name]
			t.row(mark, a.say(text[0], text[1]), strconv.FormatInt(c.Count, 10))
		}
		t.write(a.stdout)
	}
	for _, d := range r.Differences {
		fmt.Fprintln(a.stdout, a.say("不符 %s（%s）：包内 %q，核得 %q", "differs: %s (%s): the pack says %q, found %q", d.Place, d.What, d.Pack, d.Found))
	}
	if r.More > 0 {
		fmt.Fprintln(a.stdout, a.say("另有 %d 处不符", "%d more", r.More))
	}
	if a.quiet || !r.Holds() {
		return nil
	}
	if !originals {
		a.note(a.say("未与原始文件核对；加 --inputs 可逐行核对", "not compared with the original files; --inputs does so line by line"))
	}
	return nil
}
