package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/benchmarks/gen"
)

type generateFlags struct {
	trades, merchants int
	days              int
	seed              uint64
	date, out         string
	profile           string
	pos               string
	account, taobao   string
	rebate            string
	clean, force      bool
	accounts          bool
	registries        bool
}

// posForms are the forms of the POS side, by the words of --pos.
var posForms = map[string]gen.POSForm{"tables": gen.POSTables, "api": gen.POSMessages, "kukeduo": gen.POSKukeduo, "mixed": gen.POSMixed}

var posWords = []string{"tables", "api", "kukeduo", "mixed"}

var profileWords = []string{"demo", "performance", "small-zips", "random", "sources"}

func (a *app) generateCommand() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate",
		Short: a.say("生成任意规模的一天，并给出正确答案", "a synthetic day of any size with known truth"),
		Long: a.say(`生成一天的账单、POS 订单、退款、返佣账单和档案，附作业文件；expected/ 里是对账应得的结果。
同样的参数总是生成同样的文件。`,
			`Writes the bills, POS orders, refunds, rebate statements and registries of one day with a job file;
expected/ has what a run must find. The same flags always give the same files.`),
		Example: `  duizhang generate --out day --trades 10000
  duizhang generate --out log --pos api
  duizhang generate --out all --profile sources
  duizhang generate --out portal --account-form portal19 --taobao e61 --rebate ka
  duizhang generate --out month --days 30 --date 2026-11-01 --trades 200
  duizhang generate --out perf --profile performance --trades 1000000
  duizhang generate --out many --profile small-zips --trades 100000 --merchants 500`,
		Args: a.exactly(0, "generate 不带参数；请用 --out", "generate takes no arguments; use --out"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.out == "" {
				return a.blankFlag("out")
			}
			if cmd.Flags().Changed("days") {
				return a.generateDays(cmd.Context(), f)
			}
			cfg, err := a.generateConfig(cmd, f)
			if err != nil {
				return err
			}
			truth, err := a.generate(cmd.Context(), f.out, cfg, f.force)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(truth)
			}
			a.note(a.say("已写入 %s：POS %d 行，账单 %d 行；作业文件 %s", "wrote %s: %d POS lines, %d bill rows; job file %s",
				f.out, truth.Rows.POSLines, truth.Rows.BillPayments+truth.Rows.BillRefunds, filepath.Join(f.out, jobName)))
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.out, "out", "duizhang-data", a.say("写到这个文件夹", "folder to write to"))
	flags.StringVar(&f.profile, "profile", "random", a.say("demo、performance、small-zips、random 或 sources（带上每一种来源）",
		"demo, performance, small-zips, random or sources (every source beside the trade bill)"))
	completeWith(cmd, "profile", profileWords)
	flags.StringVar(&f.pos, "pos", "tables", a.say("POS 一侧写成 tables（CSV）、api（支付接口日志）、kukeduo（酷客多列表）或 mixed（混合）",
		"the POS side as tables (CSV), api (a log of API messages), kukeduo (an order list) or mixed (some of each)"))
	completeWith(cmd, "pos", posWords)
	flags.IntVar(&f.trades, "trades", 0, a.say("交易数（默认由 profile 定）", "trades (by default the profile's)"))
	flags.IntVar(&f.merchants, "merchants", 0, a.say("商户数；small-zips 为账单数", "merchants; of small-zips, the number of bills"))
	flags.Uint64Var(&f.seed, "seed", 1, a.say("随机种子", "seed"))
	flags.StringVar(&f.date, "date", "", a.say("业务日期", "business date"))
	flags.IntVar(&f.days, "days", 0, a.say("生成连续这么多天（从 --date 起）：跨零点的订单、隔天的退款、上月的返佣账单，用来试带状态的运行",
		"so many days one after the other, from --date on: orders across midnight, refunds of earlier days, last month's statement; to try runs with a state"))
	flags.BoolVar(&f.clean, "clean", false, a.say("不埋任何差异", "plant nothing: both sides agree"))
	flags.BoolVar(&f.accounts, "accounts", false, a.say("加上账务明细", "account bills as well"))
	flags.StringVar(&f.account, "account-form", gen.AccountForms[0], a.say("账务写成账务明细的哪一代、资金流水或 XLSX（含 --accounts）：",
		"the account side as a generation of the account bill, the portal's export or XLSX (implies --accounts): ")+strings.Join(gen.AccountForms, ", "))
	completeWith(cmd, "account-form", gen.AccountForms)
	flags.StringVar(&f.taobao, "taobao", gen.TaobaoForms[0], a.say("加上天猫店铺的订单：", "the order list of the Tmall shop as well: ")+strings.Join(gen.TaobaoForms, ", "))
	completeWith(cmd, "taobao", gen.TaobaoForms)
	flags.StringVar(&f.rebate, "rebate", gen.RebateForms[0], a.say("返佣账单写成逐笔（rows）、按月的 KA 工作簿（ka）或官方月表（monthly）",
		"the rebate statement by trade (rows), as a month's KA workbook (ka) or the official monthly table (monthly)"))
	completeWith(cmd, "rebate", gen.RebateForms)
	flags.BoolVar(&f.registries, "registries", false, a.say("加上优惠券、设备、商品和门店档案里的差异", "coupons, devices, and what the registries of stores and goods find"))
	flags.BoolVar(&f.force, "force", false, a.say("替换文件夹里以前生成的数据", "replace the data set that is in the folder"))
	return cmd
}

// jobName is the job file of a data set.
const jobName = "job.yaml"

func (a *app) generateConfig(cmd *cobra.Command, f generateFlags) (gen.Config, error) {
	var cfg gen.Config
	switch f.profile {
	case "demo":
		cfg = gen.Demo(f.seed)
	case "performance":
		cfg = gen.Performance(orElse(f.trades, 100_000), f.seed)
	case "small-zips":
		cfg = gen.SmallZips(orElse(f.trades, 100_000), orElse(f.merchants, 500))
		cfg.Seed = f.seed
	case "random":
		cfg = gen.Random(f.seed)
	case "sources":
		cfg = gen.Sources(f.seed)
	default:
		return cfg, a.badFlag("profile", f.profile, profileWords)
	}
	if cmd.Flags().Changed("trades") {
		if f.trades < 1 {
			return cfg, usage(a.say("--trades: 至少为 1", "--trades: at least 1"), "")
		}
		cfg.Trades = f.trades
	}
	if cmd.Flags().Changed("merchants") {
		if f.merchants < 1 {
			return cfg, usage(a.say("--merchants: 至少为 1", "--merchants: at least 1"), "")
		}
		if len(cfg.Profiles) > 0 {
			return cfg, usage(a.say("--merchants 不能与 --profile demo 同用", "--merchants does not go with --profile demo"), "")
		}
		cfg.Merchants, cfg.Weights = f.merchants, nil
	}
	if f.date != "" {
		if _, err := time.Parse(time.DateOnly, f.date); err != nil {
			return cfg, usage(a.say("--date: %q: 应为日期，例如 2026-11-20", "--date: %q: must be a date such as 2026-11-20", f.date), "")
		}
		cfg.Date = f.date
	}
	cfg.Clean = cfg.Clean || f.clean
	if err := a.generateForms(cmd, f, &cfg); err != nil {
		return cfg, err
	}
	return cfg, nil
}

// generateForms sets in which forms the sources are written. What a form cannot say
// is not planted.
func (a *app) generateForms(cmd *cobra.Command, f generateFlags, cfg *gen.Config) error {
	form := func(name, word string, words []string, set func(i int)) error {
		if !cmd.Flags().Changed(name) {
			return nil
		}
		i := slices.Index(words, word)
		if i < 0 {
			return a.badFlag(name, word, words)
		}
		set(i)
		return nil
	}
	cfg.Accounts = cfg.Accounts || f.accounts
	cfg.Registries = cfg.Registries || f.registries
	err := cmp.Or(
		form("account-form", f.account, gen.AccountForms, func(i int) { cfg.Accounts, cfg.AccountForm = true, gen.AccountForm(i) }),
		form("taobao", f.taobao, gen.TaobaoForms, func(i int) { cfg.Taobao = gen.TaobaoForm(i) }),
		form("rebate", f.rebate, gen.RebateForms, func(i int) { cfg.Rebate = gen.RebateForm(i) }),
	)
	if err != nil {
		return err
	}
	if cfg.Rebate != gen.RebateRows {
		cfg.Mix = gen.TogetherMix(cfg.Mix)
	}
	if !cmd.Flags().Changed("pos") {
		return nil // the profile's
	}
	pos, known := posForms[f.pos]
	if !known {
		return a.badFlag("pos", f.pos, posWords)
	}
	switch cfg.POS = pos; pos {
	case gen.POSMessages:
		cfg.NoRejects, cfg.Mix = true, gen.MessageMix(cfg.Mix)
	case gen.POSMixed:
		cfg.Mix = gen.MessageMix(cfg.Mix)
	case gen.POSKukeduo:
		cfg.NoRejects, cfg.Mix = true, gen.ListMix(cfg.Mix)
		if len(cfg.Profiles) == 0 {
			cfg.Merchants, cfg.Weights = 1, nil // the list names no merchant
		}
	case gen.POSTables:
	}
	return nil
}

func orElse(value, otherwise int) int {
	if value > 0 {
		return value
	}
	return otherwise
}

// dataFolders are what a data set has besides its job file.
var dataFolders = []string{"bills", "pos", "refunds", "api", "kukeduo", "rebate", "rebate_devices", "ref", "account", "taobao", "others", "expected"}

// generate writes a data set.
func (a *app) generate(ctx context.Context, dir string, cfg gen.Config, force bool) (*gen.Truth, error) {
	if err := a.clearData(dir, force); err != nil {
		return nil, err
	}
	truth, err := gen.Write(ctx, dir, cfg)
	if err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	return truth, nil
}

// generateDays writes the data of several days.
func (a *app) generateDays(ctx context.Context, f generateFlags) error {
	if f.days < 1 || f.days > 400 {
		return usage(a.say("--days: 应为 1 到 400", "--days: must be 1 to 400"), "")
	}
	if f.date != "" {
		if _, err := time.Parse(time.DateOnly, f.date); err != nil {
			return usage(a.say("--date: %q: 应为日期，例如 2026-11-20", "--date: %q: must be a date such as 2026-11-20", f.date), "")
		}
	}
	if err := a.clearData(f.out, f.force); err != nil {
		return err
	}
	truth, err := gen.WriteDays(ctx, f.out, gen.DaysConfig{
		Seed: f.seed, From: f.date, Days: f.days, Trades: f.trades, Merchants: f.merchants,
	})
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if a.json {
		return a.printJSON(truth)
	}
	a.note(a.say("已写入 %s：%d 天，从 %s 到 %s；作业文件 %s", "wrote %s: %d days, from %s to %s; job file %s",
		f.out, len(truth.Days), truth.Days[0].Date, truth.Days[len(truth.Days)-1].Date, filepath.Join(f.out, jobName)))
	return nil
}

// clearData makes room for a data set. What is in the folder is left alone, unless it
// is an earlier data set and force says to replace it.
func (a *app) clearData(dir string, force bool) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return usage(a.say("%s: 不是文件夹", "%s: not a folder", dir), "")
	}
	empty, err := isEmpty(dir)
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if !empty {
		_, err := os.Stat(filepath.Join(dir, "expected", "truth.json"))
		ours := err == nil
		switch {
		case !force:
			hint := a.say("换一个文件夹", "choose another folder")
			if ours {
				hint = a.say("换一个文件夹，或用 --force 替换以前生成的数据", "choose another folder, or replace the earlier data set with --force")
			}
			return usage(a.say("%s 不是空文件夹，没有改动", "%s is not empty; nothing was changed", dir), hint)
		case !ours:
			return usage(a.say("%s 里不是以前生成的数据，没有改动", "%s holds something else than a data set; nothing was changed", dir),
				a.say("换一个文件夹", "choose another folder"))
		}
		for _, name := range append([]string{jobName}, dataFolders...) {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return &failure{status: exitUsage, err: err}
			}
		}
	}
	return nil
}

// isEmpty tells whether the folder is empty or not there yet.
func isEmpty(dir string) (bool, error) {
	f, err := os.Open(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Readdirnames(1); errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, nil
}
