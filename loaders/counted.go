package loaders

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A layout is one generation of a format's header (its dialect).
type layout struct {
	dialect string
	columns []string
}

func newLayout(dialect, columns string) layout {
	return layout{dialect, strings.Split(columns, ",")}
}

// layouts are the known headers of the formats (formats 2.3 to 11), normalised.
var layouts = map[string][]layout{
	"account_bill": {
		newLayout("S12", "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额,支出金额,账户余额,交易渠道,业务类型,备注"),
		newLayout("S12b", "账务流水号,业务流水号,商品名称,发生时间,收入金额,支出金额,账户余额,交易渠道,业务类型,备注,商户订单号,对方账号"),
		newLayout("S13", "账务流水号,业务流水号,商品名称,发生时间,收入金额,支出金额,账户余额,业务类型,备注,商户订单号,对方账号,业务描述,业务基础订单号"),
		newLayout("S16", "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额,支出金额,账户余额,交易渠道,业务类型,备注,业务描述,业务账单来源,业务基础订单号,业务订单号"),
	},
	"account_summary": {newLayout("", "类型,收入笔数,收入金额,支出笔数,支出金额,总金额")},
	"fund_flow": {
		newLayout("P19", "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入,支出,账户余额,对方账户,对方名称,银行订单号,商品名称,备注,业务基础订单号,业务订单号,业务账单来源,业务描述,付款备注"),
		newLayout("P15", "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入,支出,账户余额,对方账户,对方名称,银行订单号,商品名称,备注,业务描述"),
		newLayout("P8", "入账时间,账务类型,收入,支出,业务描述,支付宝流水号,业务基础订单号,余额"),
	},
	"alipay_personal": {
		newLayout("W16", "交易号,商家订单号,交易创建时间,付款时间,最近修改时间,交易来源地,类型,交易对方,商品名称,金额,收/支,交易状态,服务费,成功退款,备注,资金状态"),
		newLayout("A11", "收/支,交易对方,对方账号,商品说明,收/付款方式,金额,交易状态,交易分类,交易订单号,商家订单号,交易时间"),
		newLayout("A12", "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注"),
		newLayout("A10", "交易时间,交易类型,交易对方,商品,金额,收/支,交易状态,交易订单号,商家订单号,备注"),
	},
	"wechat_bill": {
		newLayout("ALL", "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"),
		newLayout("ALL24", "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率"),
		newLayout("SUCCESS", "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注"),
		newLayout("REFUND", "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"),
	},
	"wechat_fund":     {newLayout("", "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额,账户结余,资金变更提交申请人,备注,业务凭证号")},
	"wechat_personal": {newLayout("", "交易时间,交易类型,交易对方,商品,收/支,金额,支付方式,当前状态,交易单号,商户单号,备注")},
	"taobao_orders": {
		newLayout("E41", "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址,运送方式,联系电话,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝种类,物流单号,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,定金排名,修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易"),
		newLayout("E56", taobaoE56),
		newLayout("E61", taobaoE56+",是否信用购,体验期结束时间,前N有礼,配送类型,主订单编号"),
	},
	"taobao_items":   {newLayout("", "订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码")},
	"kukeduo_orders": {newLayout("", "订单编号,订单类型,订单子类型,订单状态,支付状态,支付方式,储值抵扣,应付金额,收货人,电话,订单时间,操作")},
	"trade_summary":  {newLayout("", "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额,商家实收,支付宝优惠,商家优惠,卡消费金额,服务费,分润,实收净额")},
	"trade_bill": {
		newLayout("V25", "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额,商家实收,支付宝红包,集分宝,支付宝优惠,商家优惠,券核销金额,券名称,商家红包消费金额,卡消费金额,退款批次号/请求号,服务费,分润,备注"),
		newLayout("V27", "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额,商家实收,支付宝红包,集分宝,支付宝优惠,商家优惠,券核销金额,券名称,商家红包消费金额,卡消费金额,退款批次号,服务费,实收净额,商户识别号,交易方式,备注"),
		newLayout("V29", "银联交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额,商家实收,支付宝红包,集分宝,支付宝优惠,商家优惠,券核销金额,券名称,商家红包消费金额,卡消费金额,退款批次号,服务费,实收净额,商户识别号,交易方式,备注,花呗分期手续费,花呗分期数"),
		newLayout("V28b", "商户ID,支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额,商家实收,支付宝红包,集分宝,支付宝优惠,商家优惠,券核销金额,券名称,商家红包消费金额,卡消费金额,退款批次号,手续费,费率,实收净额,交易方式,备注"),
		newLayout("V22", "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,交易门店,操作员,终端号,对账账户,订单金额,交易金额,红包抵扣,集分宝抵扣,优惠汇总,卡消费金额,卷核销金额,商家红包,退款批次号,服务费,分润,备注"),
	},
}

const taobaoE56 = "订单编号,买家会员名,买家支付宝账号,支付单号,支付详情,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址,运送方式,联系电话,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝种类,物流单号,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,是否上传合同照片,是否上传小票,是否代付,定金排名,修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易,新零售交易类型,新零售导购门店名称,新零售导购门店id,新零售发货门店名称,新零售发货门店id,退款金额,预约门店,确认收货时间,打款商家金额,含应开票给个人的个人红包"

// requiredColumns of the formats that are not canonical (formats 1.6); a column
// is any one of the names.
var requiredColumns = map[string][][]string{
	"trade_bill": {
		{"支付宝交易号", "银联交易号"}, {"商户订单号"}, {"业务类型"}, {"完成时间"}, {"订单金额"}, {"商家实收", "交易金额"},
	},
	"trade_summary":   {{"门店编号"}, {"交易订单总笔数"}, {"退款订单总笔数"}, {"订单金额"}, {"商家实收"}},
	"account_bill":    {{"账务流水号"}, {"发生时间"}, {"收入金额"}, {"支出金额"}},
	"account_summary": {{"类型"}, {"收入笔数"}, {"收入金额"}, {"支出笔数"}, {"支出金额"}},
	"fund_flow":       {{"入账时间"}, {"账务类型"}, {"收入"}, {"支出"}, {"支付宝流水号"}},
	"taobao_orders":   {{"订单编号"}, {"订单状态"}, {"买家实际支付金额", "买家实付金额"}},
	"kukeduo_orders":  {{"订单编号"}, {"订单类型"}, {"支付状态"}, {"应付金额"}, {"订单时间"}},
	"wechat_bill":     {{"交易时间"}, {"微信订单号"}, {"商户订单号"}, {"交易状态"}},
}

// sameColumn are other names of a column (formats 2.4, 9, 11).
var sameColumn = map[string]string{
	"退款批次号": "退款批次号/请求号", "手续费": "服务费", "集分宝抵扣": "集分宝", "红包抵扣": "支付宝红包",
	"卷核销金额": "券核销金额", "商家红包": "商家红包消费金额", "对账账户": "对方账户", "交易门店": "门店名称",
	"交易金额": "商家实收",
}

// laterNames are names that columns took later, by format (formats 9).
var laterNames = map[string]map[string]string{
	"taobao_orders": {
		"买家下单时间": "订单创建时间", "买家付款时间": "订单付款时间", "买家实付金额": "买家实际支付金额", "运单号": "物流单号",
	},
}

// openHeader compares a header with the layouts of its format: the dialect is the
// layout with the fewest columns missing, then the fewest unknown, then the one in
// the same order, then the first.
// names are the normalised cells. All missing and doubled columns are refused at
// once.
func openHeader(t *tableReader, name string, header []string) (names []string, err error) {
	names = sourceNames(header, t.kind, t.opt)
	of := make([]string, len(names)) // by the names that the layouts have
	for i, cell := range names {
		of[i] = cell
		if older := laterNames[name][cell]; older != "" && !slices.Contains(names, older) {
			of[i] = older
		}
	}
	known := map[string]bool{}
	var best [3]int
	for i, l := range layouts[name] {
		fit := [3]int{}
		for _, column := range l.columns {
			known[column] = true
			if !slices.Contains(of, column) {
				fit[0]++
			}
		}
		for _, column := range of {
			if !slices.Contains(l.columns, column) {
				fit[1]++
			}
		}
		if !slices.Equal(names, l.columns) {
			fit[2] = 1
		}
		if i == 0 || slices.Compare(fit[:], best[:]) < 0 {
			best = fit
			t.table.Dialect = l.dialect
		}
	}
	var doubled []string
	for i, cell := range header {
		switch {
		case names[i] == "":
		case slices.Contains(names[:i], names[i]):
			doubled = append(doubled, trimHeader(cell))
		case known[of[i]]:
			t.table.Known = append(t.table.Known, trimHeader(cell))
		default:
			t.table.Unknown = append(t.table.Unknown, trimHeader(cell))
		}
	}
	var missing []string
	for _, column := range requiredColumns[name] {
		if !slices.ContainsFunc(column, func(n string) bool { return slices.Contains(names, n) }) {
			missing = append(missing, missingText(column[0], names, t.opt.Lang))
		}
	}
	switch {
	case len(missing) > 0:
		return nil, t.refuse("column_missing", "", "", strings.Join(missing, say(t.opt.Lang, "；", "; ")))
	case len(doubled) > 0:
		return nil, t.refuse("column_duplicate", doubled[0], doubled[0], strings.Join(doubled, ", "))
	}
	return names, nil
}

// missingText names a missing column, with the nearest name that is there.
func missingText(column string, names []string, lang string) string {
	nearest, least := "", len([]rune(column))
	for _, name := range names {
		if d := editDistance(column, name); d < least {
			nearest, least = name, d
		}
	}
	if nearest == "" {
		return column
	}
	return say(lang, column+"（最接近的是 "+nearest+"）", column+" (nearest: "+nearest+")")
}

// openCounted opens a format that is recognised and counted, and not read.
func openCounted(t *tableReader, header []string) (func() rowParser, error) {
	counted := &countedTable{flow: [2]int{-1, -1}}
	if len(header) > 0 { // else messages without a header
		names, err := openHeader(t, t.formatName, header)
		if err != nil {
			return nil, err
		}
		counted.place(names)
	}
	t.finish = func(context.Context) error {
		counted.finish(t)
		return nil
	}
	return func() rowParser { return &countingParser{t: t, table: counted} }, nil
}

// wechatTotals are the totals of a WeChat bill and the columns that they add up
// (formats 11); the count has none.
var wechatTotals = [wechatTotalCount]struct{ total, column, control string }{
	{"总交易单数", "", "rows.count"},
	{"应结订单总金额", "应结订单金额", "settled.amount"},
	{"总交易额", "总金额", "settled.amount"},
	{"退款总金额", "退款金额", "refunds.amount"},
	{"总退款金额", "退款金额", "refunds.amount"},
	{"充值券退款总金额", "充值券退款金额", "refunds.voucher"},
	{"总企业红包退款金额", "企业红包退款金额", "refunds.voucher"},
	{"手续费总金额", "手续费", "fee"},
	{"订单总金额", "订单金额", "order_amount"},
	{"申请退款总金额", "申请退款金额", "refunds.asked"},
}

const wechatTotalCount = 10

// A countedTable is what the parsers of a counted table share.
type countedTable struct {
	at   []int  // cell of each column of wechatTotals, -1 if there is none
	flow [2]int // cells of 收支类型 and 收支金额 of a fund bill, -1 if there is none

	mu    sync.Mutex
	rows  int64
	sums  []rules.Sum // millionths, as at
	fund  fundSums
	tails []billNote
}

// fundSums are the income and the expense of a WeChat fund bill.
type fundSums struct {
	rows [2]int64
	sums [2]rules.Sum // millionths
}

// fundDirections are the words of 收支类型, in the order of fundSums, and what the
// totals of each are called.
var fundDirections = [2]struct{ word, control string }{{"收入", "income"}, {"支出", "expense"}}

// fundTotals are the totals below a fund bill: a header line that begins so.
const fundTotals = "资金流水总笔数"

// finishFund compares the totals of a fund bill (formats 11).
func (c *countedTable) finishFund(t *tableReader) {
	i := slices.IndexFunc(c.tails, func(n billNote) bool { return normalHeader(n.cells[0]) == fundTotals })
	if i < 0 || i+1 >= len(c.tails) {
		t.notStated()
		return
	}
	for k, name := range c.tails[i].cells {
		if k >= len(c.tails[i+1].cells) {
			break
		}
		name, stated := normalHeader(name), c.tails[i+1].cells[k]
		if name == fundTotals {
			t.control(countControl("rows.count", stated, c.rows))
			continue
		}
		for d, direction := range fundDirections {
			switch name {
			case direction.word + "笔数":
				t.control(countControl(direction.control+".count", stated, c.fund.rows[d]))
			case direction.word + "金额":
				c.sumControl(t, direction.control+".amount", stated, c.fund.sums[d])
			}
		}
	}
}

// sumControl compares a total that has up to six decimals.
func (c *countedTable) sumControl(t *tableReader, name, stated string, found rules.Sum) {
	v, err := rules.ParseMicro([]byte(stated))
	if err != nil {
		return
	}
	var sum rules.Sum
	sum.AddMicro(v)
	holds := sum == found
	control := schema.Control{Name: name, Stated: &stated, Found: found.String6(), Holds: &holds}
	if gap, ok := sum.Sub(found).Abs().Int64(); ok {
		control.Gap = rules.Fen(gap / 10_000)
	}
	t.control(control)
}

func (c *countedTable) place(names []string) {
	c.flow = [2]int{slices.Index(names, "收支类型"), slices.Index(names, "收支金额")}
	c.at = make([]int, len(wechatTotals))
	c.sums = make([]rules.Sum, len(wechatTotals))
	for i, total := range wechatTotals {
		c.at[i] = slices.Index(names, total.column)
	}
}

// finish compares the totals of a WeChat bill. Other counted formats state none
// that are read here.
func (c *countedTable) finish(t *tableReader) {
	slices.SortFunc(c.tails, func(a, b billNote) int { return cmp.Compare(a.line, b.line) })
	switch t.formatName {
	case "wechat_fund":
		c.finishFund(t)
		return
	case "wechat_bill":
	default:
		return
	}
	i := slices.IndexFunc(c.tails, func(n billNote) bool { return n.cells[0] == tailWords[0] })
	if i < 0 || i+1 >= len(c.tails) {
		t.notStated()
		return
	}
	for k, name := range c.tails[i].cells {
		j := slices.IndexFunc(wechatTotals[:], func(w struct{ total, column, control string }) bool { return w.total == normalHeader(name) })
		if j < 0 || k >= len(c.tails[i+1].cells) {
			continue
		}
		stated := c.tails[i+1].cells[k]
		if j == 0 {
			t.control(countControl(wechatTotals[j].control, stated, c.rows))
			continue
		}
		if c.at[j] >= 0 {
			c.sumControl(t, wechatTotals[j].control, stated, c.sums[j])
		}
	}
}

// A countingParser counts the rows of a recognised format: lines that are as wide
// as the header, and not the totals below them.
type countingParser struct {
	t     *tableReader
	table *countedTable
	skips int64
	n     int
	sums  [wechatTotalCount]rules.Sum
	fund  fundSums
	tails []billNote
}

func (p *countingParser) row(line int32, cells [][]byte, _ []byte) {
	p.n++
	first := trimCell(cells[0])
	switch {
	case p.t.comment(first) || string(first) == totalWord:
		p.skips++
	case p.t.columns > 1 && len(cells) < p.t.columns-1:
		p.skips++
		n := billNote{line: line}
		for _, cell := range cells {
			n.cells = append(n.cells, p.t.text(trimCell(cell)))
		}
		p.tails = append(p.tails, n)
	default:
		p.addFlow(cells)
		for i, at := range p.table.at {
			if at >= 0 && at < len(cells) {
				if v, err := rules.ParseMicro(cells[at]); err == nil {
					p.sums[i].AddMicro(v)
				}
			}
		}
	}
}

// addFlow adds a row of a fund bill to its direction.
func (p *countingParser) addFlow(cells [][]byte) {
	at := p.table.flow
	if at[0] < 0 || at[1] < 0 || max(at[0], at[1]) >= len(cells) {
		return
	}
	word := p.t.text(trimCell(cells[at[0]]))
	v, err := rules.ParseMicro(cells[at[1]])
	for d, direction := range fundDirections {
		if direction.word == word && err == nil {
			p.fund.rows[d]++
			p.fund.sums[d].AddMicro(v)
		}
	}
}

func (p *countingParser) rows() int { return p.n }

func (p *countingParser) flush(ctx context.Context) error {
	p.t.skip(p.skips)
	p.table.mu.Lock()
	p.table.rows += int64(p.n) - p.skips
	p.table.tails = append(p.table.tails, p.tails...)
	for i := range p.table.sums {
		p.table.sums[i].AddSum(p.sums[i])
	}
	for d := range p.fund.rows {
		p.table.fund.rows[d] += p.fund.rows[d]
		p.table.fund.sums[d].AddSum(p.fund.sums[d])
	}
	p.table.mu.Unlock()
	p.sums, p.fund, p.tails, p.skips, p.n = [wechatTotalCount]rules.Sum{}, fundSums{}, nil, 0, 0
	return ctx.Err()
}
