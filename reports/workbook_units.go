package reports

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// The lists of rows that the parts brought: open and excluded units, goods, and
// refunds that returned too much.

type tableColumn = listColumn[table]

func (b *book) wordAt(head int, width float64, k int) tableColumn {
	return tableColumn{head: b.head(head), width: width, style: idCell, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		c.text(style, b.word(&t.columns[k], i))
	}}
}

func (b *book) textAt(head int, width float64, k int) tableColumn {
	return tableColumn{head: b.head(head), width: width, style: idCell, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		c.bytes(style, t.columns[k].Text.At(i))
	}}
}

func (b *book) momentAt(head int, k int) tableColumn {
	return tableColumn{head: b.head(head), width: 19, style: momentStyle, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		c.moment(style, t.columns[k].Ints[i])
	}}
}

func (b *book) intAt(head int, k int) tableColumn {
	return tableColumn{head: b.head(head), width: 8, style: countStyle, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		if v := t.columns[k].Ints[i]; v != schema.Null {
			c.integer(style, v)
		} else {
			c.blank(style)
		}
	}}
}

func (b *book) microAt(head int, style cellStyle, k int) tableColumn {
	return tableColumn{head: b.head(head), width: 11, style: style, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		c.micro(style, t.columns[k].Ints[i])
	}}
}

func (b *book) placeAt(head int, k int) tableColumn {
	return tableColumn{head: b.head(head), width: 32, style: idCell, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		if at := t.columns[k].Tables[i]; at >= 0 {
			c.text(style, placeOf(tableAt(b.result.Tables, at), t.columns[k].Lines[i]))
		} else {
			c.blank(style)
		}
	}}
}

func (b *book) fenAt(head int, style cellStyle, of func(t *table, i int) (fen int64)) tableColumn {
	return tableColumn{head: b.head(head), width: 14, style: style, amount: func(t *table, i int) (rules.Sum, bool) {
		v := of(t, i)
		if v == schema.Null {
			return rules.Sum{}, false
		}
		return micros(v), true
	}}
}

// runningAt is an amount that holds those of the rows before it: it is not added
// up.
func (b *book) runningAt(head int, k int) tableColumn {
	return tableColumn{head: b.head(head), width: 14, style: amountStyle, cell: func(c *cellsWriter, style cellStyle, t *table, i int) {
		c.fen(style, t.columns[k].Ints[i])
	}}
}

func intsOf(k int) func(t *table, i int) int64 {
	return func(t *table, i int) int64 { return t.columns[k].Ints[i] }
}

// keyAt is a column of words that the overview asks for.
func (b *book) keyAt(head int, width float64, of func(t *table, i int) string) tableColumn {
	return tableColumn{
		head: b.head(head), width: width, style: wordCell, key: of,
		cell: func(c *cellsWriter, style cellStyle, t *table, i int) { c.text(style, of(t, i)) },
	}
}

// unitColumns are the columns that all lists of units have.
func (b *book) unitColumns() []tableColumn {
	return []tableColumn{
		b.keyAt(headUnit, 10, func(t *table, i int) string { return b.lang.unit(t.columns[unitKind].Bytes[i]) }),
		b.textAt(headOrder, 25, unitOrder),
		b.textAt(headTrade, 31, unitTrade),
		b.textAt(headRequest, 20, unitRequest),
		b.momentAt(headTime, unitTime),
		b.wordAt(headStore, 11, unitStore),
		b.wordAt(headTerminal, 10, unitTerminal),
		b.wordAt(headOperator, 10, unitOperator),
		b.fenAt(headPos, amountStyle, intsOf(unitPos)),
		b.fenAt(headBill, amountStyle, intsOf(unitBill)),
		b.keyAt(headSide, 10, func(t *table, i int) string {
			return b.lang.side(sideOfUnit(t.columns[unitPos].Ints[i], t.columns[unitBill].Ints[i]))
		}),
	}
}

// sideOfUnit is the side that a unit has.
func sideOfUnit(pos, bill int64) rules.Side {
	switch {
	case pos == schema.Null:
		return rules.SideBill
	case bill == schema.Null:
		return rules.SidePOS
	}
	return rules.SideBoth
}

// unit names a kind of unit.
func (l Lang) unit(kind uint8) string {
	if kind == refundUnit {
		return l.pick("退款", "refund")
	}
	return l.pick("交易", "payment")
}

func (b *book) unitPlaces() []tableColumn {
	return []tableColumn{
		b.wordAt(headMerchant, 19, unitMerchant),
		b.placeAt(headPosSource, unitPosPlace),
		b.placeAt(headBillSource, unitBillPlace),
	}
}

func (b *book) pendingColumns() []tableColumn {
	return append(append(b.unitColumns(), b.intAt(headCarried, unitCarried)), b.unitPlaces()...)
}

func (b *book) excludedColumns() []tableColumn {
	reason := b.keyAt(headReason, 30, func(t *table, i int) string {
		return worded(reasonTexts, schema.ReasonNames[t.columns[unitReason].Bytes[i]], b.lang)
	})
	reason.style = textCell
	return append(append(b.unitColumns(), reason), b.unitPlaces()...)
}

// The columns of goods that the list shows, as schema.GoodsRows has them.
const (
	goodsMerchant = iota
	goodsOrder
	goodsLine
	goodsID
	goodsTitle
	goodsQuantity
	goodsPrice
	goodsAmount
	goodsAllocated
	goodsFiller
	goodsScenario
	goodsStore
	goodsSource
)

func (b *book) goodsColumns() []tableColumn {
	name := b.wordAt(headGoodsName, 26, goodsTitle)
	name.style = textCell
	return []tableColumn{
		b.textAt(headOrder, 25, goodsOrder),
		b.intAt(headLineNo, goodsLine),
		b.wordAt(headGoods, 16, goodsID),
		name,
		b.microAt(headQuantity, quantityStyle, goodsQuantity),
		b.microAt(headPrice, amountStyle, goodsPrice),
		b.fenAt(headLineAmount, amountStyle, intsOf(goodsAmount)),
		b.fenAt(headAllocated, amountStyle, intsOf(goodsAllocated)),
		b.fenAt(headAllocGap, signedStyle, func(t *table, i int) int64 {
			amount, allocated := t.columns[goodsAmount].Ints[i], t.columns[goodsAllocated].Ints[i]
			if amount == schema.Null || allocated == schema.Null {
				return schema.Null
			}
			return allocated - amount
		}),
		b.keyAt(headScenario, 26, func(t *table, i int) string {
			return b.lang.scenario(rules.Scenario(t.columns[goodsScenario].Bytes[i]))
		}),
		b.keyAt(headFiller, 8, func(t *table, i int) string {
			if t.columns[goodsFiller].Bytes[i] != 0 {
				return b.lang.pick("填充", "filler")
			}
			return ""
		}),
		b.wordAt(headStore, 11, goodsStore),
		b.wordAt(headMerchant, 19, goodsMerchant),
		b.placeAt(headSource, goodsSource),
	}
}

var scenarioTexts = map[rules.Scenario][2]string{
	rules.Equal:    {"合计相等", "equal"},
	rules.Below:    {"实付低于商品合计", "below the goods' total"},
	rules.Above:    {"实付高于商品合计", "above the goods' total"},
	rules.TagPrice: {"无单价，按吊牌价", "no price, by tag price"},
}

func (l Lang) scenario(s rules.Scenario) string { return scenarioTexts[s][l.index()] }

// The columns of refunds that the list shows, as schema.RefundRows has them.
const (
	refundMerchant   = 0
	refundOrder      = 1
	refundRequest    = 2
	refundTrade      = 3
	refundTime       = 5
	refundStore      = 6
	refundPos        = 7
	refundBill       = 8
	refundCumulative = 9
	refundMode       = 19
	refundOverpaid   = 20
	refundPosPlace   = 22
	refundBillPlace  = 23
)

func (b *book) overpaidColumns() []tableColumn {
	return []tableColumn{
		b.textAt(headOrder, 25, refundOrder),
		b.textAt(headTrade, 31, refundTrade),
		b.textAt(headRequest, 20, refundRequest),
		b.momentAt(headTime, refundTime),
		b.wordAt(headStore, 11, refundStore),
		b.fenAt(headPos, amountStyle, intsOf(refundPos)),
		b.fenAt(headBill, amountStyle, intsOf(refundBill)),
		b.runningAt(headCumulative, refundCumulative),
		b.runningAt(headOverpaid, refundOverpaid),
		b.keyAt(headMode, 20, func(t *table, i int) string { return b.lang.mode(rules.RefundMode(t.columns[refundMode].Bytes[i])) }),
		b.wordAt(headMerchant, 19, refundMerchant),
		b.placeAt(headPosSource, refundPosPlace),
		b.placeAt(headBillSource, refundBillPlace),
	}
}

var modeTexts = map[rules.RefundMode][2]string{
	rules.ModeWhole:     {"整单", "whole"},
	rules.ModeListPrice: {"方案一（原价）", "list price"},
	rules.ModeProrated:  {"方案二（分摊价）", "prorated"},
	rules.ModeReorder:   {"方案三（退后重下单）", "reorder"},
}

func (l Lang) mode(m rules.RefundMode) string {
	if text := modeTexts[m][l.index()]; text != "" {
		return text
	}
	return "—"
}

// unitLists are the lists of what the parts brought.
func (b *book) unitLists(rows *bookRows, ran Results) map[string]listSheet {
	lists := map[string]listSheet{}
	add := func(g *gathered, info listInfo) {
		l := &rowList[table]{listInfo: info, columns: g.columns, open: g.open, counted: g.counted}
		l.limit = g.limit
		lists[info.id] = b.list(l)
	}
	l := b.lang
	add(rows.pending, listInfo{
		id: "pending", sheet: l.pick("存疑跨日", "Pending"), full: tradesName, none: l.pick("无跨日待对", "nothing is open"),
		title: l.pick("存疑跨日：只在一侧出现、时间在日切前后，等另一侧的文件，不算差异", "Pending: on one side only, near the day's start or end, waiting for the other side; no breaks"),
		note:  l.pick("次日的文件到了会自动再对；超过结转天数仍无的，转为长款或短款。带候选的长短款见各表「处理建议」。", "They are tried against the next days' files, and become over or short after the days to carry."),
	})
	add(rows.excluded, listInfo{
		id: "excluded", sheet: l.pick("剔除", "Excluded"), full: tradesName, none: l.pick("无剔除", "nothing is excluded"),
		title: l.pick("剔除：不参与对账的单据及原因", "Excluded: units that are not reconciled, and why"),
		note:  l.pick("按原因筛选；金额照列，不计入差异。", "Filter by the reason; the amounts count as no break."),
	})
	if ran.Goods {
		add(rows.goods, listInfo{
			id: "allocation", sheet: l.pick("商品分摊", "Allocation"), full: goodsName, none: l.pick("无差异：每单商品合计都等于订单金额", "no difference: every order's goods add up to its total"),
			title: l.pick("商品分摊：商品合计与订单金额不相等的订单，逐行分摊到分", "Allocation: orders whose goods do not add up to the total, line by line"),
			note:  l.pick("只列不相等的订单；全部商品行在 goods 表（CSV/Parquet）。每单分摊之和等于订单金额。", "Only orders that are not equal; all lines are in the table goods (CSV, Parquet). The parts of an order add up to its total."),
		})
	}
	if ran.Refunds && len(rows.overpaid.tallies) > 0 {
		add(rows.overpaid, listInfo{
			id: "overpaid", sheet: l.pick("退款资损", "Refund losses"), full: refundsName,
			title: l.pick("退款资损：迄今退回的多于所退商品应退的部分", "Refund losses: what was returned so far above the share of the goods that came back"),
			note:  l.pick("商品全部退回后此数归零；同一订单多次退款时，以最后一行为准，不可相加。", "It is 0 when everything is back; of an order with several refunds the last row counts."),
		})
	}
	if ran.Accounts {
		add(rows.accounts, listInfo{
			id: "ties", sheet: l.pick("账务勾稽", "Accounts"), full: accountsName, none: l.pick("无差异：每笔交易的入账都与业务明细一致", "no break: every trade was credited as the trade bill says"),
			title: l.pick("账务勾稽：业务明细应入账与账务明细实际入账不一致的交易（差额为负＝少入账，短款 −）", "Accounts: trades that the account bill does not bear out (a negative difference is short −)"),
			note:  l.pick("应入账 = 商家实收 − 服务费 − 分润；一致的不列，全部在 accounts 表。逐条处理在「账务差异」。", "Expected = received − fee − royalty. Trades that agree are in the table accounts alone."),
		})
	}
	return lists
}

// The columns of the tie-out, as schema.AccountRows has them.
const (
	tieMerchant = iota
	tieOrder
	tieTrade
	tieStatus
	tieExpected
	tieIncome
	tieExpense
	tieDifference
	tieAccount
	tieBill
)

func (b *book) accountColumns() []tableColumn {
	status := b.keyAt(headClass, 20, func(t *table, i int) string {
		return b.lang.account(rules.AccountStatus(t.columns[tieStatus].Bytes[i]))
	})
	status.style = textCell
	return []tableColumn{
		status,
		b.textAt(headOrder, 25, tieOrder),
		b.textAt(headTrade, 31, tieTrade),
		b.fenAt(headCredit, amountStyle, intsOf(tieExpected)),
		b.fenAt(headIncome, amountStyle, intsOf(tieIncome)),
		b.fenAt(headExpense, amountStyle, intsOf(tieExpense)),
		b.fenAt(headTieGap, signedStyle, intsOf(tieDifference)),
		b.wordAt(headMerchant, 19, tieMerchant),
		b.placeAt(headAccountSource, tieAccount),
		b.placeAt(headBillSource, tieBill),
	}
}

var accountTexts = map[rules.AccountStatus][2]string{
	rules.AccountMatched:   {"入账一致", "agrees"},
	rules.AccountMismatch:  {"入账金额不符", "credited otherwise"},
	rules.AccountMissing:   {"账务明细缺这笔", "missing"},
	rules.AccountPending:   {"账单末尾，次日入账", "pending"},
	rules.AccountDuplicate: {"账务流水重复", "duplicate"},
}

func (l Lang) account(s rules.AccountStatus) string { return accountTexts[s][l.index()] }
