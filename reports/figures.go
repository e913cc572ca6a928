package reports

import (
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/rules"
)

// Figures that the workbook, the page and the console share.

// shares is what is matched of what is compared, by count and by money: both sides
// of what ended matched over both sides of what ended matched or as a break.
func shares(t *[9]engine.Tally) (count, amount [2]rules.Sum) {
	for _, s := range comparedStatuses {
		var n, m rules.Sum
		n.AddInt(t[s].PosCount + t[s].BillCount)
		m.AddSum(t[s].PosAmount)
		m.AddSum(t[s].BillAmount)
		if s == rules.StatusMatched {
			count[0], amount[0] = n, m
		}
		count[1].AddSum(n)
		amount[1].AddSum(m)
	}
	return count, amount
}

var comparedStatuses = []rules.Status{
	rules.StatusMatched, rules.StatusAmountMismatch, rules.StatusStatusMismatch, rules.StatusBillOnly, rules.StatusPOSOnly,
}

// rankedBreaks are the kinds of break by how grave they are and by money.
func rankedBreaks(breaks []engine.Break) []codeTally {
	tallies := tallyBreaks(breaks)
	slices.SortStableFunc(tallies, func(a, b codeTally) int {
		if a.severity != b.severity {
			return int(a.severity) - int(b.severity)
		}
		return b.amount.Cmp(a.amount)
	})
	return tallies
}

// rebateLosses are what the audit found missing, by whether it can be won back.
func rebateLosses(r *engine.Result) (lost, claimable rules.Sum) {
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		switch c.Appeal() {
		case rules.AppealLost:
			lost.AddSum(r.Causes[c].Loss)
		case rules.AppealClaimable:
			claimable.AddSum(r.Causes[c].Loss)
		case rules.AppealOwed, rules.AppealNone:
		}
	}
	return lost, claimable
}

// money is an amount in millionths with its thousands apart: 1,234,567.89.
func money(s rules.Sum) string { return thousandsApart(s.String6()) }

// fenMoney is money of an amount in fen.
func fenMoney(s rules.Sum) string { return thousandsApart(s.String2()) }

// thousandsApart sets a comma after each three digits of a number's whole part.
func thousandsApart(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, decimals := strings.Cut(text, ".")
	var parts []string
	for len(whole) > 3 {
		parts = append(parts, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	parts = append(parts, whole)
	slices.Reverse(parts)
	text = sign + strings.Join(parts, ",")
	if decimals {
		text += "." + fraction
	}
	return text
}

// countText is a count with its thousands apart.
func countText[T ~int | ~int64](n T) string { return thousandsApart(itoa(n)) }

// statedControls is how many control totals the files state, and how many hold.
func statedControls(r *engine.Result) (stated, holds int) {
	for _, t := range r.Inputs() {
		n, hold := controlCounts(t)
		stated, holds = stated+n, holds+hold
	}
	return stated, holds
}

// provenInvariants is how many proofs the run has, and how many hold.
func provenInvariants(r *engine.Result) (proofs, hold int) {
	for i := range r.Invariants {
		if r.Invariants[i].Holds {
			hold++
		}
	}
	return len(r.Invariants), hold
}

// invariant says in words what a proof shows.
func (l Lang) invariant(name string) string {
	if text, ok := invariantTexts[name]; ok {
		return text[l.index()]
	}
	return name
}

var invariantTexts = map[string][2]string{
	"bill.payments":       {"账单交易：读入 = 各去向 + 拒收（笔数 / 金额）", "bill payments: read = all statuses + rejects"},
	"bill.refunds":        {"账单退款：读入 = 各去向 + 拒收", "bill refunds: read = all statuses + rejects"},
	"pos.orders":          {"POS 订单：读入 = 各去向 + 拒收", "POS orders: read = all statuses + rejects"},
	"pos.refunds":         {"POS 退款：读入 = 各去向 + 拒收", "POS refunds: read = all statuses + rejects"},
	"goods.allocated":     {"商品分摊：订单金额 = 分摊之和", "goods: totals of the orders = what is allocated"},
	"refunds.parts":       {"退款拆分：退款额 = 各部分之和", "refunds: what is returned = its parts"},
	"rows.alipay_bill":    {"账单行：文件行数 = 采用 + 拒收", "bill rows: in the files = accepted + rejected"},
	"rows.taobao_orders":  {"淘宝订单行：文件行数 = 采用 + 拒收", "Taobao order rows: in the files = accepted + rejected"},
	"rows.kukeduo_orders": {"酷客多订单行：文件行数 = 采用 + 拒收", "Kukeduo order rows: in the files = accepted + rejected"},
	"rows.pos_api":        {"支付接口报文：读入 = 采用 + 拒收 + 无须计入", "API messages: read = used + rejected + idle"},
	"rows.alipay_account": {"账务明细行：文件行数 = 采用 + 拒收", "account rows: in the files = accepted + rejected"},
	"rows.pos_orders":     {"POS 订单行：文件行数 = 采用 + 拒收", "POS rows: in the files = accepted + rejected"},
	"rows.pos_refunds":    {"POS 退款行：文件行数 = 采用 + 拒收", "POS refund rows: in the files = accepted + rejected"},
	"rows.rebate":         {"返佣账单行：文件行数 = 采用 + 拒收", "statement rows: in the files = accepted + rejected"},
	"rebates.losses":      {"返佣损失：各原因之和 = 应得 − 已付", "rebate losses: by cause = expected − paid"},
	"rows.device_rewards": {"设备奖励行：文件行数 = 采用 + 拒收", "device rows: in the files = accepted + rejected"},
	"devices.rewards":     {"设备奖励：读入 = 采用 + 拒收", "device rewards: read = used + rejects"},
	"devices.stated":      {"设备奖励：各行之和 = 各设备各月之和", "device rewards: by row = by device and month"},
	"devices.amount":      {"设备奖励：已付 = 应付 + 超出", "device rewards: stated = allowed + excess"},
	"accounts.rows":       {"账务明细：读入 = 各交易 + 业务明细之外 + 重复", "account bills: read = of trades + beyond the trade bill + duplicates"},
	"accounts.expected":   {"账务核对：业务明细的净额 = 应入账 + 无账务明细 + 间连", "account tie-out: the trade bill's net = expected + not covered + indirect"},
	"shifts.pos":          {"交接班：POS 订单 = 各班次之和", "shifts: POS orders = the sum of the shifts"},
	"shifts.bill":         {"交接班：支付宝收款 = 各班次之和", "shifts: Alipay's payments = the sum of the shifts"},
	"shifts.refunds":      {"交接班：支付宝退款 = 各班次之和", "shifts: Alipay's refunds = the sum of the shifts"},
	"shifts.pos_refunds":  {"交接班：POS 退款 = 各班次之和", "shifts: POS refunds = the sum of the shifts"},
	"carry.in":            {"跨日结转：转入的行 = 了结 + 继续结转", "carried in: rows = closed + carried on"},
	"carry.out":           {"跨日结转：待定的笔数、金额 = 转到后续日的", "carried out: pending units = what is left to the next days"},
	"refunds.cumulative":  {"累计退款：各交易之和 = 以前各日 + 本日", "cumulative refunds: of all trades = earlier days + today"},
	"statements.amount":   {"返佣账单金额：读入 = 各去向之和", "statement amounts: read = where they ended"},
}
