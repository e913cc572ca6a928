package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/reports"
	"duizhang/rules"
)

// A verdict is what pid prints of one PID.
type verdict struct {
	PID       string  `json:"pid"`
	Product   string  `json:"product"`
	Cause     string  `json:"cause"`
	Appeal    string  `json:"appeal"`
	Agreement *string `json:"agreement_pid"` // by which it earns, or is measured
	Rate      *string `json:"rate"`
	Why       string  `json:"why"`
}

type pidFlags struct {
	merchant, product, date, primary string
	wrongKey                         bool
	agreements                       []string
	agreementFiles, providerFiles    []string
	merchantFiles                    []string
}

func (a *app) pidCommand() *cobra.Command {
	var f pidFlags
	cmd := &cobra.Command{
		Use:   "pid [PID…]",
		Short: a.say("计算器：交易带的服务商 PID 能不能拿到返佣", "calculator: does the PID that a trade carried earn the rebate"),
		Long: a.say(`判断交易所带的 sys_service_provider_id（规则 6）。协议来自 --agreements 文件或 --agreement；
不给 PID 时从标准输入读取，每行一个，空行表示没有带 PID。`,
			`Judges the sys_service_provider_id that a trade carried (rules 6). Agreements come from the files of
--agreements or from --agreement. Without arguments PIDs are read from standard input, one a line;
a blank line is a trade without a PID.`),
		Example: `  duizhang pid 2088731199938475 --merchant 2088717085982806 --agreement 2088731199938475:face_to_face:0.002
  duizhang pid 2.08873E+15 --agreements ref/agreements.csv --providers ref/providers.csv --merchants ref/merchants.csv
  cut -d, -f15 pos.csv | sort -u | duizhang pid --agreements ref/agreements.csv --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(f.agreements) == 0 && len(f.agreementFiles) == 0 {
				return usage(a.say("没有给出协议（--agreement 或 --agreements）", "no agreements are given (--agreement or --agreements)"), "")
			}
			book, err := a.pidBook(cmd.Context(), f)
			if err != nil {
				return err
			}
			day, err := a.pidDay(f.date)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if args, err = readLines(cmd.InOrStdin()); err != nil {
					return &failure{status: exitUsage, err: err}
				}
			}
			verdicts := make([]verdict, len(args))
			for i, pid := range args {
				verdicts[i] = a.judge(book, f, pid, day)
			}
			return a.printVerdicts(verdicts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.merchant, "merchant", "", a.say("交易的商户 PID", "the trade's merchant PID"))
	flags.StringVar(&f.product, "product", "face_to_face", a.say("产品", "product"))
	flags.StringVar(&f.date, "date", "", a.say("交易日期（默认今天）", "the trade's day (today by default)"))
	flags.StringArrayVar(&f.agreements, "agreement", nil, a.say("协议 PID:产品:费率[:生效日[:失效日]]，可重复", "an agreement, PID:product:rate[:from[:to]]; may be repeated"))
	flags.StringVar(&f.primary, "primary", "", a.say("主服务商 PID", "the primary provider's PID"))
	flags.BoolVar(&f.wrongKey, "wrong-key", false, a.say("报文把 PID 写在了别的键下", "the message carried the PID under another key"))
	flags.StringArrayVar(&f.agreementFiles, "agreements", nil, a.say("agreements 文件", "agreements file"))
	flags.StringArrayVar(&f.providerFiles, "providers", nil, a.say("providers 文件", "providers file"))
	flags.StringArrayVar(&f.merchantFiles, "merchants", nil, a.say("merchants 文件", "merchants file"))
	cmd.AddCommand(a.pidWatchCommand())
	return cmd
}

// pidBook gathers whose PID is whose from the flags and the files that they name.
func (a *app) pidBook(ctx context.Context, f pidFlags) (*rules.PIDBook, error) {
	reg, err := a.pidRegistry(ctx, f)
	if err != nil {
		return nil, err
	}
	agreements := reg.Agreements
	for _, text := range f.agreements {
		agreement, err := a.parseAgreement(text)
		if err != nil {
			return nil, err
		}
		agreements = append(agreements, agreement)
	}
	var providers, merchants []string
	primary := f.primary
	for _, p := range reg.Providers {
		providers = append(providers, p.PID)
		if p.Primary && primary == "" {
			primary = p.PID
		}
	}
	for _, m := range reg.Merchants {
		merchants = append(merchants, m.PID)
	}
	if primary == "" && len(agreements) > 0 && !slices.ContainsFunc(agreements, func(x rules.Agreement) bool {
		return x.Provider != agreements[0].Provider
	}) {
		primary = agreements[0].Provider
	}
	book, err := rules.NewPIDBook(agreements, providers, merchants, primary)
	if err != nil {
		return nil, usage(err.Error(), "")
	}
	return book, nil
}

// pidRegistry reads the files of the flags.
func (a *app) pidRegistry(ctx context.Context, f pidFlags) (*schema.Registry, error) {
	var inputs []loaders.Input
	for _, list := range []struct {
		kind  schema.InputKind
		files []string
	}{{schema.AgreementsKind, f.agreementFiles}, {schema.ProvidersKind, f.providerFiles}, {schema.MerchantsKind, f.merchantFiles}} {
		for _, file := range list.files {
			inputs = append(inputs, loaders.Input{Kind: list.kind, Path: file, Name: filepath.ToSlash(file)})
		}
	}
	if len(inputs) == 0 {
		return &schema.Registry{}, nil
	}
	result, err := loaders.Load(ctx, inputs, loaders.Options{Words: schema.NewWords(), Lang: a.lang.String()}, discard{})
	if err != nil {
		return nil, err
	}
	for _, t := range result.Tables {
		if t.Refused {
			a.complainTable(t)
			return nil, quietly(exitInput)
		}
		if t.Rejected > 0 {
			for _, p := range t.Problems {
				a.complain(lang.Plain(schema.Pos{File: t.File(), Line: p.Line, Name: p.Column}.String())+": "+reports.Mask.Text(p.Message), "")
			}
			return nil, quietly(exitRejects)
		}
	}
	return result.Registry, nil
}

// discard is a sink for those who want the tables alone.
type discard struct{}

func (discard) Batch(ctx context.Context, _ schema.Batch) error { return ctx.Err() }
func (discard) Reject(schema.Reject)                            {}

func (a *app) parseAgreement(text string) (rules.Agreement, error) {
	bad := func() (rules.Agreement, error) {
		return rules.Agreement{}, usage(a.say("--agreement: %q: 应为 PID:产品:费率[:生效日[:失效日]]", "--agreement: %q: must be PID:product:rate[:from[:to]]", text),
			a.say("例如 2088731199938475:face_to_face:0.002:2026-01-01", "such as 2088731199938475:face_to_face:0.002:2026-01-01"))
	}
	parts := strings.Split(text, ":")
	if len(parts) < 3 || len(parts) > 5 || !rules.IsPID(parts[0]) || parts[1] == "" {
		return bad()
	}
	rate, err := rules.ParseRate([]byte(parts[2]))
	if err != nil || rate < 0 {
		return bad()
	}
	agreement := rules.Agreement{
		Provider: parts[0], Product: parts[1], Rate: rate, Basis: rules.BasisReceived,
		To: rules.OpenEnd, Scale: 2, Rounding: rules.RoundTrade,
	}
	for i, into := range []*int32{&agreement.From, &agreement.To} {
		if len(parts) <= 3+i || parts[3+i] == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, parts[3+i])
		if err != nil {
			return bad()
		}
		*into = daysOf(day)
	}
	return agreement, nil
}

func daysOf(day time.Time) int32 { return int32(day.Unix() / (24 * 60 * 60)) }

func (a *app) pidDay(date string) (int32, error) {
	if date == "" {
		now := a.now()
		return daysOf(time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)), nil
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0, usage(a.say("--date: %q: 应为日期，例如 2026-11-20", "--date: %q: must be a date such as 2026-11-20", date), "")
	}
	return daysOf(day), nil
}

func (a *app) judge(book *rules.PIDBook, f pidFlags, pid string, day int32) verdict {
	cause, agreement := book.Judge(pid, f.merchant, f.product, day, f.wrongKey)
	v := verdict{PID: pid, Product: f.product, Cause: cause.String(), Appeal: cause.Appeal().String(), Why: a.whyPID(cause)}
	if agreement == nil {
		agreement = book.Primary(f.product, day)
	}
	if agreement != nil {
		rate := agreement.Rate.String()
		v.Agreement, v.Rate = &agreement.Provider, &rate
	}
	return v
}

// whyPID is a cause in words.
func (a *app) whyPID(cause rules.Cause) string {
	switch cause {
	case rules.CauseOK:
		return a.say("PID 正确，有生效的协议", "right: it has an agreement in force")
	case rules.CausePIDMissing:
		return a.say("没有带 PID", "no PID was sent")
	case rules.CausePIDWrongKey:
		return a.say("PID 写在了别的键下", "the PID was sent under another key")
	case rules.CausePIDDamaged:
		return a.say("PID 被电子表格损坏", "a spreadsheet damaged the PID")
	case rules.CausePIDMalformed:
		return a.say("不是 2088 开头的 16 位数字", "not 16 digits beginning 2088")
	case rules.CausePIDIsMerchant:
		return a.say("是商户自己的或另一商户的 PID", "the PID of the merchant or of another merchant")
	case rules.CausePIDNotEffective:
		return a.say("有协议，但当天不在有效期内", "it has an agreement that is not in force on that day")
	case rules.CausePIDUnsigned:
		return a.say("是自己的 PID，但没有签这个产品的协议", "an own PID without an agreement for the product")
	case rules.CausePIDForeign:
		return a.say("是别家服务商的 PID", "some other provider's PID")
	case rules.CausePIDUnknown, rules.CauseStatementPending, rules.CauseStatementMissing,
		rules.CauseStatementShort, rules.CauseStatementOver:
	}
	return cause.String()
}

func (a *app) printVerdicts(verdicts []verdict) error {
	if a.json {
		return a.printJSON(verdicts)
	}
	t := newTable()
	for _, v := range verdicts {
		pid := v.PID
		if pid == "" {
			pid = a.say("（空）", "(blank)")
		}
		agreement := ""
		if v.Agreement != nil {
			agreement = *v.Agreement + " " + *v.Rate
		}
		appeal := map[string]string{"lost": a.say("返佣已丢失", "the rebate is lost")}[v.Appeal]
		t.row(pid, v.Cause, v.Why, appeal, agreement)
	}
	if len(t.rows) == 0 {
		a.complain(a.say("没有 PID", "no PIDs"), "")
		return nil
	}
	t.write(a.stdout)
	return nil
}
