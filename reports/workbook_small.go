package reports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// The lists that the result holds whole: rebate losses and groups, rejects, rules,
// sources.

// Columns of a slice's rows.

func texts[T any](head string, width float64, style cellStyle, of func(*T) string) listColumn[[]T] {
	return listColumn[[]T]{head: head, width: width, style: style, cell: func(c *cellsWriter, style cellStyle, t *[]T, i int) {
		c.text(style, of(&(*t)[i]))
	}}
}

func keys[T any](head string, width float64, style cellStyle, of func(*T) string) listColumn[[]T] {
	col := texts(head, width, style, of)
	col.key = func(t *[]T, i int) string { return of(&(*t)[i]) }
	return col
}

func counts[T any](head string, width float64, of func(*T) int64) listColumn[[]T] {
	return listColumn[[]T]{head: head, width: width, style: countStyle, cell: func(c *cellsWriter, style cellStyle, t *[]T, i int) {
		if v := of(&(*t)[i]); v != schema.Null {
			c.integer(style, v)
		} else {
			c.blank(style)
		}
	}}
}

// countsUp is counts of what is added up, too: a formula of the overview asks for it.
func countsUp[T any](head string, width float64, of func(*T) int64) listColumn[[]T] {
	return listColumn[[]T]{head: head, width: width, style: countStyle, amount: func(t *[]T, i int) (rules.Sum, bool) {
		const unit = 1_000_000
		var s rules.Sum
		s.AddInt(of(&(*t)[i]) * unit)
		return s, true
	}}
}

func moments[T any](head string, of func(*T) int64) listColumn[[]T] {
	return listColumn[[]T]{head: head, width: 19, style: momentStyle, cell: func(c *cellsWriter, style cellStyle, t *[]T, i int) {
		c.moment(style, of(&(*t)[i]))
	}}
}

func amounts[T any](head string, style cellStyle, of func(*T) (rules.Sum, bool)) listColumn[[]T] {
	return listColumn[[]T]{head: head, width: 15, style: style, amount: func(t *[]T, i int) (rules.Sum, bool) { return of(&(*t)[i]) }}
}

// sliceList is a list of the rows of a slice.
func sliceList[T any](b *book, info listInfo, rows []T, columns ...listColumn[[]T]) listSheet {
	l := &rowList[[]T]{listInfo: info, columns: columns}
	l.open = func() (cursor[[]T], error) { return &wholeCursor[[]T]{rows: &rows, n: len(rows)}, nil }
	return b.list(l)
}

func (b *book) smallLists(ran Results) []listSheet {
	lists := []listSheet{b.rejectList(), b.ruleList(), b.sourceList()}
	if ran.Rebates {
		lists = append(lists, b.lossList())
		if len(b.result.Groups) > 0 {
			lists = append(lists, b.groupList())
		}
	}
	if ran.Shifts {
		lists = append(lists, b.shiftList())
	}
	if ran.Devices {
		lists = append(lists, b.deviceList())
	}
	if l := b.controlList(); l != nil {
		lists = append(lists, l)
	}
	return lists
}

// A lossLine is one row of the losses: by what, and which of it.
type lossLine struct {
	by, shown, appeal string
	engine.LossGroup
}

// lossLines are the losses by cause, PID, merchant, store, terminal and day, each
// ranked by money.
func (b *book) lossLines() []lossLine {
	l := b.lang
	var causes []lossLine
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		t := &b.result.Causes[c]
		if t.Count == 0 || t.Loss.IsZero() {
			continue
		}
		line := lossLine{by: b.byCause(), shown: l.cause(c), appeal: l.appeal(c.Appeal()), LossGroup: engine.LossGroup{
			Key: c.String(), Count: t.Count, Loss: t.Loss, Since: schema.Null,
		}}
		switch c.Appeal() {
		case rules.AppealLost:
			line.Lost = t.Loss
		case rules.AppealClaimable:
			line.Claim = t.Loss
		case rules.AppealOwed, rules.AppealNone:
		}
		causes = append(causes, line)
	}
	slices.SortStableFunc(causes, func(a, c lossLine) int { return c.Loss.Cmp(a.Loss) })
	lines := causes
	losses := &b.result.Losses
	for _, g := range []struct {
		by     string
		groups []engine.LossGroup
		none   string
	}{
		{b.byProvider(), losses.Provider, l.pick("（未传 PID）", "(no PID)")},
		{l.pick("商户", "Merchant"), losses.Merchant, ""},
		{b.byStore(), b.privacy.losses(losses.Store), l.pick("（无门店编号）", "(no store)")},
		{l.pick("终端", "Terminal"), b.privacy.losses(losses.Terminal), l.pick("（无终端号）", "(no terminal)")},
		{l.pick("日期", "Day"), losses.Day, ""},
	} {
		for _, group := range g.groups {
			lines = append(lines, lossLine{by: g.by, shown: cmp.Or(group.Key, g.none), LossGroup: group})
		}
	}
	return lines
}

func (b *book) byCause() string    { return b.lang.pick("原因", "Cause") }
func (b *book) byStore() string    { return b.lang.pick("门店", "Store") }
func (b *book) byProvider() string { return b.lang.pick("服务商 PID", "Provider PID") }

var appealTexts = map[rules.Appeal][2]string{
	rules.AppealLost:      {"不可申诉，须改终端", "lost: to be fixed at the till"},
	rules.AppealClaimable: {"可申诉", "claimable"},
	rules.AppealOwed:      {"多付，预留退还", "overpaid: set aside"},
}

func (l Lang) appeal(a rules.Appeal) string { return appealTexts[a][l.index()] }

// appealWord is the short one.
func (l Lang) appealWord(a rules.Appeal) string {
	return map[rules.Appeal][2]string{
		rules.AppealLost: {"不可申诉", "lost"}, rules.AppealClaimable: {"可申诉", "claimable"}, rules.AppealOwed: {"多付", "overpaid"},
	}[a][l.index()]
}

func (b *book) lossList() listSheet {
	l := b.lang
	sum := func(of func(*lossLine) rules.Sum) func(*lossLine) (rules.Sum, bool) {
		return func(line *lossLine) (rules.Sum, bool) { return of(line), true }
	}
	return sliceList(b, listInfo{
		id: "losses", sheet: l.pick("返佣", "Rebates"), mixed: true, always: true,
		title: l.pick("返佣损失：按原因、服务商 PID、商户、门店、终端、日期，各自按金额从大到小", "Rebate losses by cause, provider PID, merchant, store, terminal and day, each by money"),
		note: l.pick("损失 = 应得 − 已付。不可申诉的只能在终端止损（看「出错始于」）；可申诉的随申诉包申诉。各维度是同一笔损失的不同切法，不可相加。",
			"Loss = expected − paid. What is lost can only be stopped at the till (see since when); what is claimable goes into a claim pack. The dimensions cut the same losses, they do not add up."),
		none: l.pick("无差异：没有返佣损失", "no rebate is lost"),
	}, b.lossLines(),
		keys(b.head(headBy), 12, wordCell, func(g *lossLine) string { return g.by }),
		texts(b.head(headWhich), 32, idCell, func(g *lossLine) string { return g.shown }),
		texts(b.head(headStore), 14, idCell, func(g *lossLine) string { return g.Parent }),
		texts(b.head(headMerchant), 19, idCell, func(g *lossLine) string { return g.Merchant }),
		counts(b.head(headTrades), 9, func(g *lossLine) int64 { return g.Count }),
		amounts(b.head(headLoss), rebateStyle, sum(func(g *lossLine) rules.Sum { return g.Loss })),
		amounts(b.head(headLost), rebateStyle, sum(func(g *lossLine) rules.Sum { return g.Lost })),
		amounts(b.head(headClaim), rebateStyle, sum(func(g *lossLine) rules.Sum { return g.Claim })),
		moments(b.head(headSince), func(g *lossLine) int64 { return g.Since }),
		texts(b.head(headAppeal), 20, textCell, func(g *lossLine) string { return g.appeal }),
	)
}

// groupList is rebate_groups.
func (b *book) groupList() listSheet {
	type group = engine.RebateGroup
	l := b.lang
	rate := listColumn[[]group]{head: b.head(headRate), width: 10, style: rateStyle, cell: func(c *cellsWriter, style cellStyle, t *[]group, i int) {
		if v := (*t)[i].Rate; v != schema.Null {
			c.number(style, rules.AppendMicro(nil, rules.Micro(v), 0))
		} else {
			c.blank(style)
		}
	}}
	sum := func(of func(*group) rules.Sum) func(*group) (rules.Sum, bool) {
		return func(g *group) (rules.Sum, bool) { return of(g), true }
	}
	return sliceList(b, listInfo{
		id: "groups", sheet: l.pick("返佣汇总", "Rebate groups"), full: groupsName, limit: b.limitOf(rowLimit),
		title: l.pick("返佣汇总：服务商 × 商户 × 产品 × 账期", "Rebates by provider × merchant × product × period"),
		note:  l.pick("差额 = 账单已付 − 应得。", "Difference = stated − expected."),
	}, b.result.Groups,
		texts(b.head(headProvider), 19, idCell, func(g *group) string { return g.Provider }),
		texts(b.head(headMerchant), 19, idCell, func(g *group) string { return g.Merchant }),
		keys(b.head(headProduct), 18, textCell, func(g *group) string { return worded(whatTexts, g.Product, l) }),
		texts(b.head(headPeriod), 11, idCell, func(g *group) string { return g.Period }),
		counts(b.head(headTrades), 9, func(g *group) int64 { return g.Trades }),
		amounts(b.head(headBasis), amountStyle, sum(func(g *group) rules.Sum { return micros128(g.Basis) })),
		rate,
		amounts(b.head(headExpected), rebateStyle, sum(func(g *group) rules.Sum { return g.Expected })),
		amounts(b.head(headStated), rebateStyle, func(g *group) (rules.Sum, bool) { return g.Stated, g.HasStated }),
		amounts(b.head(headIsGap), rebateStyle, sum(func(g *group) rules.Sum { return g.Stated.Sub(g.Expected) })),
		texts(b.head(headCause), 26, textCell, func(g *group) string { return l.cause(g.Cause) }),
		amounts(b.head(headLost), rebateStyle, sum(func(g *group) rules.Sum { return g.Lost })),
		amounts(b.head(headClaim), rebateStyle, sum(func(g *group) rules.Sum { return g.Claimable })),
	)
}

// micros128 is a total of fen in millionths.
func micros128(s rules.Sum) rules.Sum {
	var m rules.Sum
	// Ten thousand times, by doubling: 10011100010000 in binary.
	for bit := 13; bit >= 0; bit-- {
		m.AddSum(m)
		if 10_000>>bit&1 == 1 {
			m.AddSum(s)
		}
	}
	return m
}

// shiftList is the settlement of the shifts.
func (b *book) shiftList() listSheet {
	type row = engine.ShiftRow
	l := b.lang
	fen := func(of func(*row) rules.Sum, given func(*row) bool) func(*row) (rules.Sum, bool) {
		return func(r *row) (rules.Sum, bool) { return micros128(of(r)), given(r) }
	}
	always := func(*row) bool { return true }
	compared := func(r *row) bool { return r.Compared }
	count := func(of func(*row) int64, given func(*row) bool) func(*row) int64 {
		return func(r *row) int64 {
			if !given(r) {
				return schema.Null
			}
			return of(r)
		}
	}
	cell := func(column string, of func(*row) string) func(*row) string {
		return func(r *row) string { return b.privacy.cell(column, of(r)) }
	}
	return sliceList(b, listInfo{
		id: "shifts", sheet: l.pick("交接班", "Shifts"), full: shiftsName, limit: b.limitOf(rowLimit),
		title: l.pick("交接班结算：每店每终端每人每班，POS 与支付宝并列", "Shift settlement: the POS beside Alipay, per store, terminal, operator and shift"),
		note:  l.pick("差额 = 支付宝 − POS：正为长款，负为短款。支付宝以外的渠道只有 POS 一侧。", "Difference = Alipay − POS. Other channels have the POS side alone."),
		none:  l.pick("没有班次", "no shifts"),
	}, b.result.Shifts,
		texts(l.pick("班次日期", "Day"), 11, idCell, func(r *row) string { return r.Day }),
		texts(b.head(headStore), 12, idCell, cell("store_id", func(r *row) string { return r.Store })),
		texts(b.head(headTerminal), 10, idCell, cell("terminal_id", func(r *row) string { return r.Terminal })),
		texts(b.head(headOperator), 10, idCell, cell("operator_id", func(r *row) string { return r.Operator })),
		texts(l.pick("班次", "Shift"), 10, idCell, cell("shift", func(r *row) string { return r.Shift })),
		texts(l.pick("渠道", "Channel"), 10, idCell, cell("channel", func(r *row) string { return r.Channel })),
		counts(l.pick("POS 笔数", "POS count"), 9, func(r *row) int64 { return r.PosCount }),
		amounts(b.head(headPos), amountStyle, fen(func(r *row) rules.Sum { return r.PosAmount }, always)),
		counts(l.pick("支付宝笔数", "Alipay count"), 10, count(func(r *row) int64 { return r.BillCount }, compared)),
		amounts(b.head(headBill), amountStyle, fen(func(r *row) rules.Sum { return r.BillAmount }, compared)),
		amounts(b.head(headGap), signedStyle, fen((*row).Difference, compared)),
		counts(l.pick("POS 退款笔数", "POS refunds"), 10, count(func(r *row) int64 { return r.PosRefundCount }, (*row).HasPosRefunds)),
		amounts(l.pick("POS 退款金额", "POS refunded"), amountStyle, fen(func(r *row) rules.Sum { return r.PosRefundAmount }, (*row).HasPosRefunds)),
		counts(l.pick("退款笔数", "Refunds"), 10, func(r *row) int64 { return r.RefundCount }),
		amounts(l.pick("退款金额", "Refunded"), amountStyle, fen(func(r *row) rules.Sum { return r.RefundAmount }, always)),
		amounts(l.pick("退款差额", "Refund difference"), signedStyle, fen((*row).RefundDifference, func(r *row) bool { return r.ComparedRefunds })),
	)
}

// deviceList is what devices were rewarded with, and what the policy makes of it.
func (b *book) deviceList() listSheet {
	type row = engine.DeviceReward
	l := b.lang
	fen := func(of func(*row) rules.Fen) func(*row) (rules.Sum, bool) {
		return func(r *row) (rules.Sum, bool) { return micros(int64(of(r))), true }
	}
	// What a device has come to is not added up over its months.
	running := func(head string, of func(*row) rules.Fen) listColumn[[]row] {
		return listColumn[[]row]{head: head, width: 14, style: amountStyle, cell: func(c *cellsWriter, style cellStyle, t *[]row, i int) {
			c.fen(style, int64(of(&(*t)[i])))
		}}
	}
	return sliceList(b, listInfo{
		id: "rewards", sheet: l.pick("设备奖励", "Devices"), full: devicesName, limit: b.limitOf(rowLimit),
		title: l.pick("设备奖励：每台设备每月，账单所付与政策应付", "Device rewards: what was paid for each device and month, and what the policy allows"),
		note:  l.pick("超出部分预留退还；差异逐条在「设备差异」。", "Set aside what is above; the breaks stand on their own sheet."),
		none:  l.pick("无设备奖励", "no device rewards"),
	}, b.result.Devices,
		texts(l.pick("设备序列号", "Device"), 22, idCell, func(r *row) string { return r.SN }),
		texts(l.pick("签约人 PID", "Signer PID"), 19, idCell, func(r *row) string { return r.Signer }),
		texts(l.pick("月份", "Month"), 10, idCell, func(r *row) string { return r.Month.String() }),
		amounts(b.head(headStated), amountStyle, fen(func(r *row) rules.Fen { return r.Stated })),
		amounts(l.pick("政策应付", "Allowed"), amountStyle, fen(func(r *row) rules.Fen { return r.Allowed })),
		amounts(l.pick("超出", "Excess"), amountStyle, fen(func(r *row) rules.Fen { return r.Excess })),
		keys(b.head(headCause), 24, textCell, func(r *row) string {
			if r.Cause == rules.DeviceOK {
				return l.pick("正常", "ok")
			}
			return worded(reasonTexts, r.Cause.String(), l)
		}),
		counts(l.pick("已用月数", "Months used"), 10, func(r *row) int64 { return int64(r.MonthsUsed) }),
		running(l.pick("累计", "In all"), func(r *row) rules.Fen { return r.TotalUsed }),
		running(l.pick("还可获得", "Still to come"), func(r *row) rules.Fen { return r.StillToCome }),
	)
}

// rejectList has the rows that were not accepted.
func (b *book) rejectList() listSheet {
	type reject = schema.Reject
	l := b.lang
	input := func(r *reject) *schema.Table { return tableAt(b.result.Tables, r.Table) }
	return sliceList(b, listInfo{
		id: "rejects", sheet: l.pick("坏行", "Rejects"), always: true, full: rejectsName, limit: b.limitOf(rowLimit),
		title: l.pick("坏行：没有采用的输入行，逐行说明原因", "Rejects: input rows that were not accepted, and why"),
		note:  l.pick("更正来源文件后重跑；每一行都计入守恒，没有一行被悄悄丢掉。", "Correct the source and run again; every row is accounted for."),
		none:  l.pick("无坏行：全部读入", "no rejects: every row was accepted"),
	}, b.result.Rejects,
		texts(b.head(headFile), 36, idCell, func(r *reject) string { return input(r).File() }),
		counts(b.head(headLineNo), 9, func(r *reject) int64 { return int64(r.Line) }),
		keys(b.head(headInput), 14, textCell, func(r *reject) string { return input(r).Kind.String() }),
		texts(b.head(headCode), 18, textCell, func(r *reject) string { return r.Code.String() }),
		texts(b.head(headColumn), 18, textCell, func(r *reject) string { return r.Column }),
		texts(b.head(headValue), 24, idCell, func(r *reject) string { return b.privacy.cell(r.Column, r.Value) }),
		texts(b.head(headMessage), 64, textCell, func(r *reject) string { return rejectMessage(r, l, b.privacy) }),
		texts(b.head(headRaw), 80, idCell, func(r *reject) string {
			return b.cut(b.privacy.raw(columnsOf(input(r), r.Code), r.Raw))
		}),
	)
}

// cut keeps a sheet readable: what is longer is in the table of the rejects.
func (b *book) cut(raw string) string {
	const most = 1000
	if len(raw) <= most {
		return raw
	}
	return strings.ToValidUTF8(raw[:most], "") + b.lang.pick("……（全文见 rejects 表）", "… (the rest is in the table rejects)")
}

// sourceList has the inputs: what was read, and what proves that it was all.
func (b *book) sourceList() listSheet {
	type source = *schema.Table
	l := b.lang
	micro := func(of func(*source) int64) func(*source) int64 { return of }
	return sliceList(b, listInfo{
		id: "sources", sheet: l.pick("来源文件", "Sources"), always: true, mixed: true,
		title: l.pick("来源文件：读了哪些文件，各有多少行，指纹是什么", "Sources: what was read, how many rows, and the files' digests"),
		note:  l.pick("行数 = 采用 + 拒收。SHA-256 可用来证明文件没有被改过。", "Rows = accepted + rejected. The SHA-256 proves that a file has not been changed."),
		none:  l.pick("没有输入", "no inputs"),
	}, b.result.Tables,
		texts(b.head(headFile), 42, idCell, func(t *source) string { return (*t).Path }),
		texts(b.head(headMember), 34, idCell, func(t *source) string { return (*t).Member }),
		keys(b.head(headInput), 15, textCell, func(t *source) string { return (*t).Kind.String() }),
		texts(b.head(headFormat), 18, textCell, func(t *source) string { return strings.TrimSpace((*t).Format + " " + (*t).Dialect) }),
		texts(b.head(headAccount), 19, idCell, func(t *source) string { return (*t).Account }),
		moments(b.head(headFrom), func(t *source) int64 { return (*t).From }),
		moments(b.head(headTo), func(t *source) int64 { return (*t).To }),
		countsUp(b.head(headRows), 10, micro(func(t *source) int64 { return (*t).Rows })),
		countsUp(b.head(headAccepted), 10, micro(func(t *source) int64 { return (*t).Accepted })),
		countsUp(b.head(headRejected), 8, micro(func(t *source) int64 { return (*t).Rejected })),
		texts(b.head(headControls), 18, textCell, func(t *source) string { return l.controls(*t) }),
		texts(b.head(headEncoding), 10, wordCell, func(t *source) string { return (*t).Encoding }),
		counts(b.head(headBytes), 13, func(t *source) int64 { return (*t).Bytes }),
		texts(b.head(headSHA), 68, idCell, func(t *source) string { return (*t).SHA256 }),
	)
}

// controls says in a word whether a table's control totals hold.
func (l Lang) controls(t *schema.Table) string {
	stated, holds := controlCounts(t)
	switch stated {
	case 0:
		return l.pick("文件未列", "not stated")
	case holds:
		return l.pick("✔ 全部相符", "✔ all hold") + " (" + itoa(stated) + ")"
	}
	return l.pick("✘ 不符 ", "✘ failing: ") + itoa(stated-holds) + " / " + itoa(stated)
}

// controlCounts is how many control totals a table states, and how many of them
// hold.
func controlCounts(t *schema.Table) (stated, holds int) {
	for _, c := range t.Controls {
		if c.Stated == nil || c.Holds == nil {
			continue
		}
		stated++
		if *c.Holds {
			holds++
		}
	}
	return stated, holds
}

// A controlLine is a control total of a table.
type controlLine struct {
	table *schema.Table
	schema.Control
}

// controlList has the control totals, nil where no file states any.
func (b *book) controlList() listSheet {
	l := b.lang
	var lines []controlLine
	for _, t := range b.result.Inputs() {
		for _, c := range t.Controls {
			if c.Stated != nil {
				lines = append(lines, controlLine{t, c})
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return sliceList(b, listInfo{
		id: "controls", sheet: l.pick("控制总额", "Control totals"), mixed: true,
		title: l.pick("控制总额：文件自己写明的笔数和金额，与实际读到的逐项比对", "Control totals: what the files state, compared with what was read"),
		note:  l.pick("有一项不符，文件就不完整或被改过。", "If one fails, the file is incomplete or was edited."),
	}, lines,
		texts(b.head(headFile), 60, idCell, func(c *controlLine) string { return c.table.File() }),
		texts(b.head(headControl), 30, textCell, func(c *controlLine) string { return l.control(c.Name, b.privacy) }),
		texts(l.pick("文件所列", "Stated"), 18, idCell, func(c *controlLine) string { return *c.Stated }),
		texts(b.head(headFound), 18, idCell, func(c *controlLine) string { return c.Found }),
		keys(b.head(headHolds), 10, wordCell, func(c *controlLine) string {
			switch {
			case c.Holds == nil:
				return l.pick("未比对", "not compared")
			case *c.Holds:
				return l.pick("✔ 相符", "✔ holds")
			}
			return l.pick("✘ 不符", "✘ fails")
		}),
	)
}

// A ruleLine is a rule or parameter of the run, or a word that the report uses.
type ruleLine struct{ subject, item, value, meaning string }

// ruleList has the rules and parameters that the run was computed with, and what
// the words mean.
func (b *book) ruleList() listSheet {
	l := b.lang
	lines := []ruleLine{
		{l.pick("运行", "Run"), l.pick("作业", "job"), b.opts.Job.Name, ""},
		{l.pick("运行", "Run"), l.pick("业务日期", "business date"), b.result.Date, ""},
		{l.pick("运行", "Run"), l.pick("版本", "version"), b.opts.Job.Version, ""},
	}
	settings, err := flatten(b.opts.Job.Settings)
	b.check(err)
	for _, s := range settings {
		lines = append(lines, ruleLine{l.pick("参数", "Parameter"), s[0], s[1], settingTexts[s[0]][l.index()]})
	}
	for _, s := range statusOrder {
		lines = append(lines, ruleLine{l.pick("去向", "Status"), s.String(), l.status(s), statusMeanings[s][l.index()]})
	}
	for _, code := range rules.BreakCodes() {
		t := l.text(code)
		lines = append(lines, ruleLine{l.pick("差异代码", "Break code"), code.String(), t.Title, l.severity(code.Severity()) + l.pick("；", "; ") + t.Do})
	}
	return sliceList(b, listInfo{
		id: "rules", sheet: l.pick("规则与参数", "Rules"), always: true, mixed: true,
		title: l.pick("规则与参数：本次对账用的参数，以及报告用词的含义", "Rules: the parameters of this run, and what the report's words mean"),
		note:  l.pick("参数来自作业文件；改参数后重跑会得到新的报告。", "The parameters are the job file's."),
	}, lines,
		keys(b.head(headSubject), 12, wordCell, func(r *ruleLine) string { return r.subject }),
		texts(b.head(headItem), 34, idCell, func(r *ruleLine) string { return r.item }),
		texts(l.pick("值或名称", "Value or name"), 40, idCell, func(r *ruleLine) string { return r.value }),
		texts(b.head(headMeaning), 90, textCell, func(r *ruleLine) string { return r.meaning }),
	)
}

// flatten turns settings into lines of key and value, in the order of the keys.
func flatten(settings any) ([][2]string, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	var lines [][2]string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				walk(strings.TrimPrefix(key+"."+name, "."), v[name])
			}
		case []any:
			if plain := plainList(v); plain != nil {
				lines = append(lines, [2]string{key, strings.Join(plain, ", ")})
				return
			}
			for i, item := range v {
				walk(key+"["+itoa(i+1)+"]", item)
			}
		default:
			lines = append(lines, [2]string{key, plainText(v)})
		}
	}
	walk("", tree)
	return lines, nil
}

// plainList are the values of a list that holds no objects, nil for another.
func plainList(list []any) []string {
	plain := []string{}
	for _, v := range list {
		switch v.(type) {
		case map[string]any, []any:
			return nil
		}
		plain = append(plain, plainText(v))
	}
	return plain
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

var statusMeanings = map[rules.Status][2]string{
	rules.StatusMatched:        {"两侧都有，金额在容差之内", "on both sides, the amounts within the tolerance"},
	rules.StatusAmountMismatch: {"两侧都有，金额相差超过容差", "on both sides, the amounts differ by more than the tolerance"},
	rules.StatusStatusMismatch: {"两侧都有，但 POS 为未支付或已取消", "on both sides, but unpaid or closed in the POS"},
	rules.StatusBillOnly:       {"长款（+）：支付宝收了款，POS 没有", "over (+): Alipay has received it, the POS has it not"},
	rules.StatusPOSOnly:        {"短款（−）：POS 记为已支付，支付宝没有", "short (−): paid in the POS, not in Alipay"},
	rules.StatusPending:        {"只在一侧、时间在日切前后，等另一侧的文件", "on one side, near the day's ends, waiting for the other"},
	rules.StatusExcluded:       {"不参与对账（非支付宝、未支付、线上订单等）", "not reconciled (not Alipay, not paid, online orders, …)"},
	rules.StatusDuplicate:      {"同一侧已出现过，只计第一次", "occurs again on its side; the first counts"},
}

// settingTexts say what the parameters do.
var settingTexts = map[string][2]string{
	"date":                      {"业务日期", "business date"},
	"timezone":                  {"业务日的时区", "the business day's time zone"},
	"default_merchant":          {"POS 行没有商户 PID 时的商户", "the merchant of POS rows without one"},
	"matching.amount_tolerance": {"两侧金额相差不超过它就算对平", "amounts that differ by no more are matched"},
	"matching.cutoff_window":    {"日切前后这么长时间内的单边交易跨日待对", "one-sided trades so near the day's ends are pending"},
	"matching.suggest_window":   {"同店同额、时间相差在它之内的单边交易互为候选", "one-sided trades of a store and amount so near in time are candidates"},
	"matching.carry_days":       {"跨日待对最多结转的天数", "how many days pending trades are carried"},
	"goods.remainder":           {"分摊尾差的归属：largest_remainder 按余数大小，last_line 归最后一行", "where the fen left over go"},
	"refunds.policy":            {"退款时各资金的退回顺序", "the order in which funds are returned"},
	"refunds.mode":              {"退款单未写明时的退款方式", "the mode of refunds that name none"},
	"rebate.tolerance":          {"返佣相差不超过它不算差异", "rebates that differ by no more are no break"},
	"rebate.statement_pid":      {"没有服务商列的返佣账单所属 PID", "whose statements without a provider column are"},
	"fees.tolerance":            {"手续费相差不超过它不算差异", "fees that differ by no more are no break"},
	"fees.on_refund":            {"退款时手续费是否退回", "whether the fee comes back on a refund"},
	"limits.rejects":            {"坏行超过它，退出码为 4", "more rejects than this: exit code 4"},
	"limits.breaks":             {"差异条数超过它，退出码为 1", "more breaks than this: exit code 1"},
	"limits.break_amount":       {"差异金额超过它，退出码为 1", "breaks of more money than this: exit code 1"},
	"output.privacy":            {"mask：手机号和付款码打码", "mask: mobiles and payment codes are masked"},
}
