package reports

import (
	"duizhang/engine"
	"duizhang/rules"
)

// lineStyle says how a line of the overview is shown.
type lineStyle uint8

const (
	plainLine lineStyle = iota + 1
	titleLine
	headLine
)

// An overviewLine is one line of the overview, in the workbook and on the page.
type overviewLine struct {
	style lineStyle
	cells []any // string, int64 or amountCell
}

// overviewOf puts the figures of the whole run together.
func overviewOf(r *engine.Result, o *Options, end Outcome) []overviewLine {
	l := o.Lang
	ran := ResultsOf(r.Parts)
	var lines []overviewLine
	line := func(cells ...any) { lines = append(lines, overviewLine{plainLine, cells}) }
	section := func(cells ...any) {
		lines = append(lines, overviewLine{plainLine, nil}, overviewLine{headLine, cells})
	}
	lines = append(lines, overviewLine{titleLine, []any{l.pick("对账报告", "Reconciliation report")}})
	line(l.pick("业务日期", "Business date"), r.Date)
	line(l.pick("作业", "Job"), o.Job.Name)
	line(l.pick("版本", "Version"), o.Job.Version)
	line(l.pick("结论", "Result"), verdict(r, end, l))
	if end.Incomplete {
		line(l.pick("注意", "Mind"), l.pick("输入不完整，本报告不是最终结果", "an input is incomplete: this is not the final result"))
	}
	for _, side := range []struct {
		name    string
		ran     bool
		tallies *[9]engine.Tally
	}{{l.pick("交易", "Trades"), ran.Trades, &r.Trades}, {l.pick("退款", "Refunds"), ran.Refunds, &r.Refunds}} {
		if !side.ran {
			continue // it is among what was left out
		}
		section(side.name, l.pick("POS 笔数", "POS count"), l.pick("POS 金额", "POS amount"), l.pick("支付宝笔数", "Alipay count"), l.pick("支付宝金额", "Alipay amount"))
		for s := rules.StatusMatched; s != 0; s = nextStatus(s) {
			if t := &side.tallies[s]; t.PosCount != 0 || t.BillCount != 0 {
				line(l.status(s), t.PosCount, amountCell{t.PosAmount, false}, t.BillCount, amountCell{t.BillAmount, false})
			}
		}
	}
	section(l.pick("差异", "Breaks"), l.pick("级别", "Severity"), l.pick("笔数", "Count"), l.pick("金额", "Amount"))
	for _, t := range tallyBreaks(r.Breaks) {
		line(l.text(t.code).Title, l.severity(t.severity), t.count, amountCell{t.amount, true})
	}
	if count, amount := Settled(r.Breaks); count > 0 {
		line(l.pick("其中已有结论，不计入限额", "of them with a verdict, towards no limit"), "", count, amountCell{amount, true})
	}
	if ran.Rebates {
		section(l.pick("返佣", "Rebates"), l.pick("笔数", "Count"), l.pick("应得", "Expected"), l.pick("已付", "Stated"), l.pick("损失", "Loss"))
		for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
			if t := &r.Causes[c]; t.Count > 0 {
				line(l.cause(c), t.Count, amountCell{t.Expected, true}, amountCell{t.Stated, true}, amountCell{t.Loss, true})
			}
		}
	}
	l.inputs(r, o.Privacy, line, section)
	section(l.pick("未做的部分", "Left out"), l.pick("缺少的输入", "Absent input"))
	for _, p := range r.Parts {
		if !p.Ran {
			line(l.part(p.Name), p.Why)
		}
	}
	section(l.pick("自检", "Proof"), l.pick("左边", "Left"), l.pick("右边", "Right"), l.pick("相等", "Equal"))
	for _, i := range r.Invariants {
		line(i.Name, i.Left, i.Right, l.yes(i.Holds))
	}
	return lines
}

// inputs lists the tables, each with its control totals in one word; those that do
// not hold follow one by one.
func (l Lang) inputs(r *engine.Result, p Privacy, line, section func(cells ...any)) {
	section(l.pick("输入", "Input"), l.pick("格式", "Format"), l.pick("账号", "Account"), l.pick("行数", "Rows"),
		l.pick("采用", "Accepted"), l.pick("拒收", "Rejected"), l.pick("控制总额", "Control totals"))
	failing := 0
	for _, t := range r.Inputs() {
		format := t.Format
		if t.Dialect != "" {
			format += " " + t.Dialect
		}
		stated, holds := controlCounts(t)
		failing += stated - holds
		controls := l.pick("文件未列", "not stated")
		switch {
		case stated > 0 && stated == holds:
			controls = l.pick("全部相符", "all hold") + " (" + itoa(stated) + ")"
		case stated > 0:
			controls = l.pick("不符 ", "failing: ") + itoa(stated-holds) + " / " + itoa(stated)
		}
		line(t.File(), format, t.Account, t.Rows, t.Accepted, t.Rejected, controls)
	}
	if failing == 0 {
		return
	}
	section(l.pick("不符的控制总额", "Control total that fails"), l.pick("文件所列", "Stated"), l.pick("实际", "Found"), l.pick("文件", "File"))
	for _, t := range r.Inputs() {
		for _, c := range t.Controls {
			if c.Stated != nil && c.Holds != nil && !*c.Holds {
				line(l.control(c.Name, p), *c.Stated, c.Found, t.File())
			}
		}
	}
}

// statusOrder is the order of a reader: what is settled, then what is open, then
// what does not count.
var statusOrder = []rules.Status{
	rules.StatusMatched, rules.StatusAmountMismatch, rules.StatusStatusMismatch, rules.StatusBillOnly,
	rules.StatusPOSOnly, rules.StatusPending, rules.StatusExcluded, rules.StatusDuplicate,
}

// nextStatus is the status after s in that order, 0 after the last.
func nextStatus(s rules.Status) rules.Status {
	for i := range statusOrder[:len(statusOrder)-1] {
		if statusOrder[i] == s {
			return statusOrder[i+1]
		}
	}
	return 0
}

// verdict says in words how the run ended. Where the trades were not matched,
// nothing is balanced: it says what that lacked.
func verdict(r *engine.Result, end Outcome, l Lang) string {
	switch end.ExitCode {
	case 0:
		if !ResultsOf(r.Parts).Trades {
			return nothingMatched(r, l)
		}
		if count, _ := Counted(r.Breaks); count > 0 {
			return l.pick("有 "+itoa(int(count))+" 条差异，都在作业的限额之内", itoa(int(count))+" breaks, all within the job's limits")
		}
		return l.pick("平：没有差异", "balanced: no break")
	case 1:
		return l.pick("有差异超过限额，需要处理", "breaks above the limits: somebody must look at them")
	case 3:
		return l.pick("输入缺失、无法读取或控制总额不符", "an input is missing, unreadable or fails its control total")
	case 4:
		return l.pick("拒收的行超过限额，需要处理", "rejected rows above the limit: somebody must look at them")
	}
	return l.pick("退出码 ", "exit code ") + itoa(end.ExitCode)
}

// nothingMatched says why no trade was matched, and how many breaks the other
// parts found.
func nothingMatched(r *engine.Result, l Lang) string {
	text := l.pick("没有可对账的交易", "no trades to reconcile")
	for _, p := range r.Parts {
		if p.Name == "trades" && p.Why != "" {
			text += l.pick("：缺少 "+p.Why, ": no "+p.Why+" input")
		}
	}
	if count, _ := Counted(r.Breaks); count > 0 {
		text += l.pick("；有 "+itoa(int(count))+" 条差异，都在作业的限额之内", "; "+itoa(int(count))+" breaks, all within the job's limits")
	}
	return text
}

func (l Lang) yes(holds bool) string {
	return map[bool]string{true: l.pick("是", "yes"), false: l.pick("否", "no")}[holds]
}

var statusTexts = map[rules.Status][2]string{
	rules.StatusDuplicate:      {"重复", "duplicate"},
	rules.StatusExcluded:       {"不参与对账", "excluded"},
	rules.StatusStatusMismatch: {"状态不符", "status differs"},
	rules.StatusAmountMismatch: {"金额不符", "amount differs"},
	rules.StatusMatched:        {"对平", "matched"},
	rules.StatusPending:        {"跨日待对", "pending"},
	rules.StatusBillOnly:       {"支付宝有、POS 无", "in Alipay, not in the POS"},
	rules.StatusPOSOnly:        {"POS 有、支付宝无", "in the POS, not in Alipay"},
}

func (l Lang) status(s rules.Status) string { return statusTexts[s][l.index()] }

var severityTexts = map[rules.Severity][2]string{
	rules.SeverityError: {"错误", "error"},
	rules.SeverityWarn:  {"警告", "warning"},
	rules.SeverityInfo:  {"提示", "info"},
}

func (l Lang) severity(s rules.Severity) string { return severityTexts[s][l.index()] }

var sideTexts = map[rules.Side][2]string{
	rules.SideBill:      {"支付宝", "Alipay"},
	rules.SidePOS:       {"POS", "POS"},
	rules.SideBoth:      {"两边", "both"},
	rules.SideStatement: {"返佣账单", "statement"},
	rules.SideAccount:   {"账务明细", "account"},
	rules.SideFile:      {"文件", "file"},
}

func (l Lang) side(s rules.Side) string { return sideTexts[s][l.index()] }

// cause names a cause of the rebate audit: by its break's title, where it has
// one.
func (l Lang) cause(c rules.Cause) string {
	if code, ok := c.Break(); ok {
		return l.text(code).Title
	}
	return causeTexts[c][l.index()]
}

// causeTexts name the causes that are no breaks.
var causeTexts = map[rules.Cause][2]string{
	rules.CauseOK:               {"正确", "ok"},
	rules.CauseStatementPending: {"返佣账单未到", "statement still to come"},
}

var partTexts = map[string][2]string{
	"trades":      {"交易对账", "matching"},
	"refunds":     {"退款", "refunds"},
	"pos_refunds": {"POS 退款核对", "POS refunds"},
	"goods":       {"商品分摊", "goods"},
	"shifts":      {"交接班结算", "shift settlement"},
	"accounts":    {"账务核对", "account tie-out"},
	"fees":        {"手续费", "fees"},
	"rebates":     {"返佣审计", "rebate audit"},
	"statements":  {"返佣账单核对", "rebate statements"},

	"store_registry":  {"门店档案核对", "checks of stores"},
	"goods_registry":  {"商品档案核对", "checks of goods"},
	"coupons":         {"优惠券核对", "coupons"},
	"devices":         {"设备奖励核对", "device rewards"},
	"device_registry": {"设备档案核对", "checks of devices"},
	"carry":           {"跨日结转", "carry-forward of open trades"},
	"history":         {"历史交易", "history of earlier days"},
}

// part names a part of the work.
func (l Lang) part(name string) string {
	if text, ok := partTexts[name]; ok {
		return text[l.index()]
	}
	return name
}

// StatusText is a status in words.
func (l Lang) StatusText(s rules.Status) string { return l.status(s) }
