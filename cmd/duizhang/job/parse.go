package job

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones of a job file work where the system has none

	"github.com/goccy/go-yaml/ast"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// Options are what the command line adds to a job file.
type Options struct {
	Lang lang.Lang // of messages
	Date string    // --date: a date, today or yesterday; "" leaves the file's
	Now  time.Time // for today and yesterday
	Set  []string  // --set: KEY=VALUE, in place of what the file says
}

// DateFlag is the place that a problem of Options.Date names.
const DateFlag = "--date"

// Parse reads a job file. The error is Problems: all of them, sorted by place.
func Parse(file string, data []byte, opt Options) (*Job, error) {
	r := &reader{file: file, lang: opt.Lang, places: map[string]schema.Pos{}, set: map[string]bool{}}
	j := defaults(file)
	j.lang, j.places, j.Text, j.Set = opt.Lang, r.places, data, opt.Set
	j.Dir = filepath.Dir(file)
	p := filler{reader: r, job: j, zone: "Asia/Shanghai", policies: map[string]rules.Policy{builtIn: rules.SmartStore()}}
	if body := r.document(data); body != nil {
		r.override(body, opt.Set)
		p.mapping("", body, p.fields())
		p.resolve(opt)
		if len(j.Patterns) == 0 && len(r.problems) == 0 {
			r.at(1, 1, r.say("inputs 是必填项，至少要有一个文件", "inputs is required and names at least one file"))
		}
	}
	if len(r.problems) > 0 {
		r.problems.sort()
		return nil, r.problems
	}
	return j, nil
}

// A filler fills a Job. What needs more than one key is kept until resolve.
type filler struct {
	*reader
	job      *Job
	date     time.Time
	zone     string
	policy   ast.Node // refunds.policy
	policies map[string]rules.Policy
	dir      ast.Node // output.dir
	stateDir ast.Node // state.dir
	patterns []Pattern
	nodes    []ast.Node // of patterns
}

// builtIn is the refund policy that every job knows.
const builtIn = "smart_store"

var onRefund = []string{engine.FeeNone.String(), engine.FeeProRata.String(), engine.FeeFullRefundOnly.String()}

func (p *filler) fields() []field {
	return []field{
		leaf("date", p.day),
		leaf("timezone", p.timezone),
		p.section("inputs", p.kinds()...),
		p.section("columns", p.columnKinds()...),
		leaf("default_merchant", p.pid(&p.job.Engine.DefaultMerchant)),
		p.section("matching",
			leaf("amount_tolerance", p.amount(&p.job.Engine.AmountTolerance)),
			leaf("cutoff_window", p.duration(&p.job.Engine.CutoffWindow)),
			leaf("suggest_window", p.duration(&p.job.Engine.SuggestWindow)),
			leaf("carry_days", p.count(&p.job.Engine.CarryDays)),
		),
		p.section("goods",
			leaf("remainder", p.word([]string{"largest_remainder", "last_line"}, func(word string) {
				p.job.Engine.Remainder, _ = rules.ParseRemainder(word)
			})),
		),
		p.section("refunds",
			leaf("policy", func(_ string, n ast.Node) { p.policy = n }),
			leaf("mode", p.word([]string{"whole", "list_price", "prorated", "reorder"}, func(word string) {
				p.job.Engine.RefundMode, _ = rules.ParseRefundMode(word)
			})),
			leaf("policies", p.readPolicies),
		),
		p.section("rebate",
			leaf("tolerance", p.micro(&p.job.Engine.RebateTolerance)),
			leaf("statement_pid", p.pid(&p.job.StatementPID)),
		),
		p.section("fees",
			leaf("tolerance", p.amount(&p.job.Engine.FeeTolerance)),
			leaf("on_refund", p.word(onRefund, func(word string) {
				p.job.Engine.FeeOnRefund = engine.FeeOnRefund(slices.Index(onRefund, word) + 1)
			})),
		),
		leaf("shifts", p.readShifts),
		p.section("limits",
			leaf("rejects", p.count(&p.job.Limits.Rejects)),
			leaf("breaks", p.count(&p.job.Limits.Breaks)),
			leaf("break_amount", p.amount(&p.job.Limits.BreakAmount)),
		),
		p.section("output", p.output()...),
		p.section("state", p.state()...),
	}
}

// leaf is a key with one value.
func leaf(key string, read func(path string, n ast.Node)) field { return field{key: key, read: read} }

// section is a key with a mapping of keys of its own.
func (r *reader) section(key string, fields ...field) field {
	return field{key, func(path string, n ast.Node) { r.mapping(path, n, fields) }, fields}
}

func (p *filler) day(path string, n ast.Node) {
	want := p.say("应为日期，例如 2026-11-20", "must be a date, such as 2026-11-20")
	text, ok := p.scalar(path, n, want)
	if !ok {
		return
	}
	if p.date, ok = parseDay(text); !ok {
		p.problem(path, n, want)
	}
}

func (p *filler) timezone(path string, n ast.Node) {
	text, ok := p.text(path, n)
	if !ok {
		return
	}
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		p.problem(path, n, p.say("没有这个时区；例如 Asia/Shanghai、UTC", "no such time zone; such as Asia/Shanghai or UTC"))
		return
	}
	p.zone = text
}

// supported are the kinds of input that a run takes so far.
var supported = []schema.InputKind{
	schema.AlipayBill, schema.AlipayAccount, schema.PosOrders, schema.PosRefundsKind, schema.Rebate, schema.AgreementsKind,
	schema.ProvidersKind, schema.MerchantsKind, schema.StoresKind, schema.GoodsKind, schema.CouponsKind,
	schema.DevicesKind, schema.DevicePoliciesKind, schema.DeviceRewardsKind,
	schema.TaobaoOrders, schema.KukeduoOrders, schema.PosAPI,
}

// Supported tells whether a run takes the kind.
func Supported(kind schema.InputKind) bool { return slices.Contains(supported, kind) }

// kinds are the keys of inputs.
func (p *filler) kinds() []field {
	var fields []field
	for _, kind := range schema.InputKinds() {
		read := p.unsupported
		if Supported(kind) {
			read = p.input(kind)
		}
		fields = append(fields, leaf(kind.String(), read))
	}
	return fields
}

func (p *filler) input(kind schema.InputKind) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		p.list(path, n, func(path string, item ast.Node) {
			var pattern string
			p.filled(&pattern)(path, item)
			if pattern == "" {
				return
			}
			p.patterns = append(p.patterns, Pattern{Kind: kind, Text: pattern, Pos: p.pos(path, item)})
			p.nodes = append(p.nodes, item)
			p.job.Engine.Inputs[kind] = true
		})
	}
}

// columnKinds are the keys of columns.
func (p *filler) columnKinds() []field {
	var fields []field
	for _, kind := range schema.InputKinds() {
		if len(ColumnNames(kind)) > 0 {
			fields = append(fields, leaf(kind.String(), p.columnsOf(kind)))
		} else {
			fields = append(fields, leaf(kind.String(), p.noColumns))
		}
	}
	return fields
}

// noColumns refuses columns of API messages: their keys are Alipay's protocol, the same
// in every log, and a key counts without case and underscores anyway.
func (p *filler) noColumns(path string, n ast.Node) {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) == 0 || n.Type() == ast.NullType {
		return
	}
	p.problem(path, n, p.say("报文的字段名是支付宝接口规定的，不能另取名字；大小写和下划线不同的写法本来就认得",
		"the keys of messages are those of Alipay's interface and take no other names; case and underscores do not matter"))
}

func (p *filler) columnsOf(kind schema.InputKind) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		known := ColumnNames(kind)
		seen := map[string]string{} // extra name → column
		named := map[string][]string{}
		p.entries(path, n, func(key, path string, at ast.MapKeyNode, value ast.Node) {
			if !slices.Contains(known, key) {
				p.problem(path, at, p.say("没有这一列；可用：", "unknown column; valid: ")+strings.Join(known, ", ")+p.meant(key, known))
				return
			}
			if value.Type() == ast.NullType {
				return
			}
			p.list(path, value, func(path string, item ast.Node) {
				var name string
				p.filled(&name)(path, item)
				if other := seen[name]; name != "" && other != "" {
					p.problem(path, item, p.say("已经给了 %s 列", "already given to the column %s", other))
					return
				}
				if name != "" {
					seen[name] = key
					named[key] = append(named[key], name)
				}
			})
		})
		if len(named) > 0 {
			p.job.Columns[kind] = named
		}
	}
}

func (p *filler) readPolicies(path string, n ast.Node) {
	p.entries(path, n, func(name, path string, at ast.MapKeyNode, value ast.Node) {
		if name == builtIn {
			p.problem(path, at, p.say("内置规则不能改；请另取名字", "is built in; choose another name"))
			return
		}
		var policy rules.Policy
		p.list(path, value, func(path string, item ast.Node) {
			if fund, ok := p.fund(path, item); ok {
				if slices.ContainsFunc(policy, func(f rules.PolicyFund) bool { return f.Fund == fund.Fund }) {
					p.problem(path, item, p.say("%s 出现两次", "%s is given twice", fund.Fund))
				}
				policy = append(policy, fund)
			}
		})
		if value.Type() == ast.NullType {
			p.problem(path, at, p.say("规则为空", "the policy is empty"))
		}
		p.policies[name] = policy
	})
}

var (
	fundWords = []string{"paid", "red_packet", "allowance", "coupon", "merchant_red_packet"}
	// billFunds are the bill's columns that tell what paid an order.
	billFunds = []string{"商家实收", "支付宝红包", "集分宝", "支付宝优惠", "商家优惠", "券核销金额", "商家红包消费金额", "卡消费金额"}
)

func (p *filler) fund(path string, n ast.Node) (rules.PolicyFund, bool) {
	var fund rules.PolicyFund
	before := len(p.problems)
	p.mapping(path, n, []field{
		leaf("fund", p.word(fundWords, func(word string) { fund.Fund, _ = rules.ParseFund(word) })),
		leaf("refundable", p.boolean(&fund.Refundable)),
		leaf("divisible", p.boolean(&fund.Divisible)),
		leaf("bill", func(path string, n ast.Node) {
			p.list(path, n, func(path string, item ast.Node) {
				p.word(billFunds, func(word string) { fund.Bill = append(fund.Bill, word) })(path, item)
			})
		}),
		leaf("fund_channel", func(path string, n ast.Node) {
			p.list(path, n, func(path string, item ast.Node) {
				var code string
				p.filled(&code)(path, item)
				fund.FundChannel = append(fund.FundChannel, code)
			})
		}),
	})
	if fund.Fund == 0 && len(p.problems) == before {
		p.problem(path, n, p.say("缺少 fund：", "fund is missing: ")+strings.Join(fundWords, ", "))
	}
	return fund, len(p.problems) == before
}

// readShifts reads the shifts: names and the times of day at which they start.
func (p *filler) readShifts(path string, n ast.Node) {
	names, starts := map[string]bool{}, map[int32]bool{}
	p.list(path, n, func(path string, item ast.Node) {
		shift := engine.Shift{Start: -1}
		before := len(p.problems)
		want := p.say("应为一天中的时刻，例如 \"06:00\"", `must be a time of day, such as "06:00"`)
		p.mapping(path, item, []field{
			leaf("name", p.filled(&shift.Name)),
			leaf("start", scalarOf(p.reader, want, &shift.Start, clock)),
		})
		if len(p.problems) > before {
			return
		}
		switch {
		case shift.Name == "" || shift.Start < 0:
			p.problem(path, item, p.say("每个班次要有 name 和 start", "a shift has a name and a start"))
		case names[shift.Name]:
			p.problem(path, item, p.say("班次 %s 出现两次", "the shift %s is given twice", shift.Name))
		case starts[shift.Start]:
			p.problem(path, item, p.say("两个班次同时开始", "two shifts start at the same time"))
		}
		names[shift.Name], starts[shift.Start] = true, true
		p.job.Engine.Shifts = append(p.job.Engine.Shifts, shift)
	})
}

// clock is a time of day in seconds after midnight.
func clock(text string) (int32, bool) {
	t, err := time.Parse("15:04", text)
	return int32(t.Hour()*3600 + t.Minute()*60), err == nil
}

// output are the keys of that section.
func (p *filler) output() []field {
	out := &p.job.Output
	return []field{
		leaf("dir", func(path string, n ast.Node) {
			p.filled(&out.Dir)(path, n)
			p.dir = n
		}),
		leaf("formats", func(path string, n ast.Node) {
			out.Formats = nil
			p.list(path, n, func(path string, item ast.Node) {
				p.word(Formats, func(word string) {
					if !slices.Contains(out.Formats, word) {
						out.Formats = append(out.Formats, word)
					}
				})(path, item)
			})
		}),
		leaf("lang", p.word([]string{"zh", "en"}, func(word string) { out.Lang, _ = lang.Parse(word) })),
		leaf("privacy", p.word(privacy, func(word string) { out.Privacy = word })),
		leaf("csv_bom", p.boolean(&out.CSVBOM)),
		leaf("sort", p.boolean(&out.Sort)),
		leaf("parquet", p.word(parquets, func(word string) { out.Parquet = word })),
		leaf("mode", p.mode),
	}
}

// state is what is kept from run to run. A state without a folder is none.
func (p *filler) state() []field {
	s := &p.job.State
	return []field{
		leaf("dir", func(path string, n ast.Node) {
			p.filled(&s.Dir)(path, n)
			p.stateDir = n
		}),
		leaf("history_days", p.count(&s.HistoryDays)),
	}
}

// mode is the mode of the files: octal, and the owner may read and write.
func (p *filler) mode(path string, n ast.Node) {
	want := p.say("应为八进制文件权限，例如 \"0640\"，所有者须可读写", `must be an octal file mode such as "0640" that lets the owner read and write`)
	text, ok := p.scalar(path, n, want)
	if !ok {
		return
	}
	mode, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 32)
	if err != nil || mode > 0o777 || mode&0o600 != 0o600 {
		p.problem(path, n, want)
		return
	}
	p.job.Output.Mode = permissions(mode)
}

// resolve settles what depends on more than one key: the date, by the zone; the
// paths, by the date; the policy, by the policies.
func (p *filler) resolve(opt Options) {
	zone, err := time.LoadLocation(p.zone)
	if err != nil {
		zone = time.UTC // p.zone was checked; only a system without zones comes here
	}
	p.job.Zone, p.job.Day = zone, p.date
	if opt.Date != "" {
		day, ok := chosenDay(opt.Date, opt.Now, zone)
		if !ok {
			p.problems = append(p.problems, Problem{
				Pos: schema.Pos{File: DateFlag}, Value: opt.Date,
				Text: p.say("应为日期（例如 2026-11-20）、today 或 yesterday", "must be a date such as 2026-11-20, today or yesterday"),
			})
		}
		p.job.Day = day
	}
	if !p.job.Day.IsZero() {
		p.job.Engine.Date = dayNumber(p.job.Day)
	}
	p.resolvePaths()
	p.checkState()
	p.resolvePolicy()
}

// checkState keeps the state out of the output folder, which every run replaces,
// and out of folders that change with the date.
func (p *filler) checkState() {
	if p.stateDir == nil || p.job.State.Dir == "" {
		return
	}
	if strings.Contains(p.job.State.Dir, "{date:") {
		p.problem("state.dir", p.stateDir, p.say("state.dir 里不能有日期：它由每天的对账共用", "must have no date in it: the runs of all days share it"))
		return
	}
	out, state := p.job.Path(p.job.Output.Dir), p.job.StateDir()
	if rel, err := filepath.Rel(out, state); err == nil && filepath.IsLocal(rel) {
		p.problem("state.dir", p.stateDir, p.say("不能在 output.dir 之内：每次对账都会替换那个文件夹", "must not be in output.dir, which every run replaces"))
	}
}

func (p *filler) resolvePaths() {
	for i, pattern := range p.patterns {
		text, fault := dated(pattern.Text, p.job.Day, p.lang)
		if fault == "" {
			fault = badPattern(text, p.lang)
		}
		if fault != "" {
			p.problems = append(p.problems, Problem{Pos: pattern.Pos, Value: written(p.nodes[i]), Text: fault})
			continue
		}
		pattern.Text = text
		p.job.Patterns = append(p.job.Patterns, pattern)
	}
	slices.SortStableFunc(p.job.Patterns, func(a, b Pattern) int { return int(a.Kind) - int(b.Kind) })
	if p.dir == nil {
		return
	}
	dir, fault := dated(p.job.Output.Dir, p.job.Day, p.lang)
	if fault != "" {
		p.problem("output.dir", p.dir, fault)
	}
	p.job.Output.Dir = dir
}

func (p *filler) resolvePolicy() {
	if p.policy == nil {
		return
	}
	names := []string{builtIn}
	for name := range p.policies {
		if name != builtIn {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	p.word(names, func(name string) {
		p.job.PolicyName, p.job.Engine.Policy = name, p.policies[name]
	})("refunds.policy", p.policy)
}
