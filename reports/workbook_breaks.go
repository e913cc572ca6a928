package reports

import (
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A breakKind is one of the workbook's sheets of breaks.
type breakKind struct {
	id     string
	sheet  [2]string
	title  [2]string
	always bool      // also when there is none of it
	form   breakForm // its amounts
	codes  []rules.BreakCode
}

// A breakForm says which columns a sheet of breaks has beside those that all
// have.
type breakForm uint8

const (
	sidesForm  breakForm = iota + 1 // both sides and the difference
	refundForm                      // the same, with the refund's number
	dueForm                         // what is due and what is
	rebateForm                      // PID, product, due, paid, loss
	stakeForm                       // the amount at stake alone
)

// breakKinds are the sheets of breaks. 长款 and 短款 say their side and their sign
// wherever they stand.
var breakKinds = []breakKind{
	{
		"over",
		[2]string{"长款", "Over"},
		[2]string{"长款：支付宝有、POS 无（+，支付宝多于 POS）", "Over: in Alipay, not in the POS (+, Alipay has more than the POS)"},
		true, sidesForm,
		[]rules.BreakCode{rules.BreakBillOnly},
	},
	{
		"short",
		[2]string{"短款", "Short"},
		[2]string{"短款：POS 有、支付宝无（−，支付宝少于 POS）", "Short: in the POS, not in Alipay (−, Alipay has less than the POS)"},
		true, sidesForm,
		[]rules.BreakCode{rules.BreakPOSOnly},
	},
	{
		"amounts",
		[2]string{"金额不符", "Amounts"},
		[2]string{"金额不符：两边都有，金额、支付构成或编号对不上", "Amounts: on both sides, but amounts, funding or numbers differ"},
		true, sidesForm,
		[]rules.BreakCode{
			rules.BreakAmountMismatch, rules.BreakDuplicateConflict, rules.BreakTradeNoConflict,
			rules.BreakAmountIdentity, rules.BreakFundingMismatch,
		},
	},
	{
		"status",
		[2]string{"状态不符", "Status"},
		[2]string{"状态不符：支付宝已收款，POS 为未支付或已取消", "Status: Alipay has received the payment, the POS says unpaid or closed"},
		true, sidesForm,
		[]rules.BreakCode{rules.BreakStatusMismatch},
	},
	{
		"refunds",
		[2]string{"退款", "Refunds"},
		[2]string{"退款：对不上的退款（金额为正数；支付宝多退为短款 −，少退为长款 +）", "Refunds that do not match (amounts are positive; Alipay refunded more: short −, less: over +)"},
		true, refundForm,
		[]rules.BreakCode{
			rules.BreakRefundBillOnly, rules.BreakRefundPOSOnly, rules.BreakRefundAmountMismatch,
			rules.BreakRefundStatusMismatch, rules.BreakRefundSplit, rules.BreakRefundExceedsTotal,
			rules.BreakRefundRequest, rules.BreakRefundOrphan,
		},
	},
	{
		"goods",
		[2]string{"商品与优惠", "Goods and coupons"},
		[2]string{"商品与优惠：商品、券、门店档案和支付参数的问题", "Goods, coupons, stores and payment parameters"},
		false, stakeForm,
		[]rules.BreakCode{
			rules.BreakPriceUnknown, rules.BreakGoodsIncomplete, rules.BreakCouponThreshold, rules.BreakAllowanceStep,
			rules.BreakCouponGoodsLimit, rules.BreakGoodsFieldMissing, rules.BreakGoodsUnknown, rules.BreakPayCode,
			rules.BreakHuabeiOnFace, rules.BreakStoreUnknown, rules.BreakStoreSyncOff,
		},
	},
	{
		"fees",
		[2]string{"手续费", "Fees"},
		[2]string{"手续费：账单服务费与签约费率算出的不同", "Service fees that differ from the contract's rate"},
		true, dueForm,
		[]rules.BreakCode{rules.BreakFeeMismatch},
	},
	{
		"rebates",
		[2]string{"返佣差异", "Rebate breaks"},
		[2]string{"返佣差异：逐笔，损失 = 应得 − 已付", "Rebate breaks, trade by trade; loss = expected − paid"},
		false, rebateForm,
		[]rules.BreakCode{
			rules.BreakPIDMissing, rules.BreakPIDWrongKey, rules.BreakPIDDamaged, rules.BreakPIDMalformed,
			rules.BreakPIDIsMerchant, rules.BreakPIDNotEffective, rules.BreakPIDUnsigned, rules.BreakPIDForeign,
			rules.BreakPIDUnknown, rules.BreakStatementTerms, rules.BreakStatementUnearned, rules.BreakStatementMissing,
			rules.BreakStatementShort, rules.BreakStatementOver, rules.BreakStatementOrphan, rules.BreakStatementDuplicate,
		},
	},
	{
		"accounts",
		[2]string{"账务差异", "Account breaks"},
		[2]string{"账务差异：业务明细与账务明细对不上", "The trade bill and the account bill differ"},
		false, dueForm,
		[]rules.BreakCode{rules.BreakAccountMissing, rules.BreakAccountMismatch},
	},
	{
		"devices",
		[2]string{"设备差异", "Device breaks"},
		[2]string{"设备差异：奖励超出政策的设备", "Devices rewarded beyond the policy"},
		false, stakeForm,
		[]rules.BreakCode{
			rules.BreakDeviceMonthCap, rules.BreakDeviceTotalCap, rules.BreakDeviceMonthCount,
			rules.BreakDeviceUnsigned, rules.BreakDeviceUnknown,
		},
	},
	{
		"files",
		[2]string{"文件差异", "File breaks"},
		[2]string{"文件差异：控制总额不符，或格式有变化", "Control totals that fail, and formats that changed"},
		false, stakeForm,
		[]rules.BreakCode{rules.BreakControlTotal, rules.BreakDialectDrift},
	},
	{
		"repeated",
		[2]string{"重复", "Repeated"},
		[2]string{"重复：同一侧出现多次，只计第一次", "Units that occur again on one side; the first counts"},
		true, refundForm,
		[]rules.BreakCode{rules.BreakDuplicate, rules.BreakRefundDuplicate},
	},
}

// kindOfBreak is the sheet of each code.
var kindOfBreak = func() (kinds [256]int) {
	for i := range kinds {
		kinds[i] = -1
	}
	for kind := range breakKinds {
		for _, code := range breakKinds[kind].codes {
			kinds[code] = kind
		}
	}
	return kinds
}()

// breakRows are breaks of a list.
type breakRows struct {
	breaks []engine.Break
	rows   []int32
	id     string // of the row that was asked for last
	idRow  int
}

func (r *breakRows) at(i int) *engine.Break { return &r.breaks[r.rows[i]] }

// idAt is the break's id: asked for by several columns, computed once.
func (r *breakRows) idAt(i int) string {
	if r.id == "" || r.idRow != i {
		r.id, r.idRow = r.at(i).ID(), i
	}
	return r.id
}

// A wholeCursor goes through rows that are all there.
type wholeCursor[T any] struct {
	rows  *T
	n, at int
}

func (c *wholeCursor[T]) next() (*T, int, bool, error) {
	if c.at == c.n {
		return nil, 0, false, nil
	}
	c.at++
	return c.rows, c.at - 1, true, nil
}

// breakLists are the sheets of breaks, by kind; nil where there is nothing to show.
func (b *book) breakLists(breaks []engine.Break) []listSheet {
	of := make([][]int32, len(breakKinds))
	for i := range breaks {
		kind := kindOfBreak[breaks[i].Code]
		of[kind] = append(of[kind], int32(i))
	}
	lists := make([]listSheet, len(breakKinds))
	for i, rows := range of {
		kind := &breakKinds[i]
		if len(rows) == 0 && !kind.always {
			continue
		}
		at := b.lang.index()
		l := &rowList[breakRows]{
			listInfo: listInfo{
				id: kind.id, sheet: kind.sheet[at], title: kind.title[at], none: b.lang.pick("无差异", "no break"),
				limit: b.limitOf(breakLimit), full: breaksName,
			},
			columns: b.breakColumns(kind),
		}
		l.note = b.lang.pick("黄色列由处理人填写，写好后用 duizhang verdicts import 读回。", "People fill in the yellow columns; duizhang verdicts import reads them back.")
		if len(kind.codes) == 1 {
			l.note = b.lang.pick("处理建议：", "What to do: ") + b.lang.text(kind.codes[0]).Do + b.lang.pick("。", ". ") + l.note
		}
		l.open = func() (cursor[breakRows], error) {
			return &wholeCursor[breakRows]{rows: &breakRows{breaks: breaks, rows: rows}, n: len(rows)}, nil
		}
		lists[i] = b.list(l)
	}
	return lists
}

type breakColumn = listColumn[breakRows]

// breakColumns are the columns of a kind's sheet.
func (b *book) breakColumns(kind *breakKind) []breakColumn {
	l := b.lang
	columns := []breakColumn{{head: b.head(headSeverity), width: 7, cell: b.severityCell}}
	if len(kind.codes) > 1 {
		columns = append(columns, textOf(b.head(headKind), 26, textCell, func(br *engine.Break) string { return l.text(br.Code).Title }))
	}
	columns = append(columns,
		textOf(b.head(headOrder), 25, idCell, func(br *engine.Break) string { return br.OutTradeNo }),
		textOf(b.head(headTrade), 31, idCell, func(br *engine.Break) string { return br.TradeNo }))
	if kind.form == refundForm {
		columns = append(columns, textOf(b.head(headRequest), 20, idCell, func(br *engine.Break) string { return br.RequestNo }))
	}
	columns = append(columns,
		breakColumn{head: b.head(headTime), width: 19, style: momentStyle, cell: func(c *cellsWriter, style cellStyle, r *breakRows, i int) {
			c.moment(style, r.at(i).Time)
		}},
		textOf(b.head(headStore), 11, idCell, func(br *engine.Break) string { return b.privacy.mobiles(br.Store) }),
		textOf(b.head(headTerminal), 10, idCell, func(br *engine.Break) string { return b.privacy.mobiles(br.Terminal) }),
		textOf(b.head(headOperator), 10, idCell, func(br *engine.Break) string { return b.privacy.mobiles(br.Operator) }))
	columns = append(columns, b.breakAmounts(kind)...)
	columns = append(columns, b.verdictColumns()...)
	days := func(c *cellsWriter, style cellStyle, r *breakRows, i int) { c.integer(style, int64(r.at(i).AgeDays)) }
	return append(columns,
		textOf(b.head(headDetail), 52, textCell, func(br *engine.Break) string { return detail(br, l, b.privacy) }),
		textOf(b.head(headDo), 44, textCell, func(br *engine.Break) string { return suggestion(br, l) }),
		breakColumn{head: b.head(headFirst), width: 12, style: dateStyle, cell: func(c *cellsWriter, style cellStyle, r *breakRows, i int) {
			c.day(style, r.at(i).FirstSeen)
		}},
		breakColumn{head: b.head(headAge), width: 7, style: countStyle, cell: days},
		textOf(b.head(headMerchant), 19, idCell, func(br *engine.Break) string { return br.Merchant }),
		textOf(b.head(headSource), 34, idCell, func(br *engine.Break) string {
			if br.Table < 0 {
				return ""
			}
			return placeOf(tableAt(b.result.Tables, br.Table), br.Line)
		}),
		keyOf(b.head(headSide), 9, wordCell, func(br *engine.Break) string { return l.side(br.Side) }),
		keyOf(b.head(headCode), 22, textCell, func(br *engine.Break) string { return br.Code.String() }),
		breakColumn{head: VerdictIDColumn.Head(l), width: 25, style: idCell, cell: func(c *cellsWriter, style cellStyle, r *breakRows, i int) {
			c.text(style, r.idAt(i))
		}},
	)
}

func textOf(head string, width float64, style cellStyle, of func(*engine.Break) string) breakColumn {
	return breakColumn{head: head, width: width, style: style, cell: func(c *cellsWriter, style cellStyle, r *breakRows, i int) {
		c.text(style, of(r.at(i)))
	}}
}

// keyOf is textOf of a column that the overview asks for.
func keyOf(head string, width float64, style cellStyle, of func(*engine.Break) string) breakColumn {
	col := textOf(head, width, style, of)
	col.key = func(r *breakRows, i int) string { return of(r.at(i)) }
	return col
}

func amountOfBreak(head string, style cellStyle, of func(*engine.Break) (rules.Sum, bool)) breakColumn {
	return breakColumn{head: head, width: 14, style: style, amount: func(r *breakRows, i int) (rules.Sum, bool) { return of(r.at(i)) }}
}

func (b *book) severityCell(c *cellsWriter, _ cellStyle, r *breakRows, i int) {
	s := r.at(i).Severity
	c.text(severityStyle(s, errorCell, warnCell, infoCell), b.lang.severity(s))
}

func severityStyle(s rules.Severity, grave, warn, info cellStyle) cellStyle {
	switch s {
	case rules.SeverityError:
		return grave
	case rules.SeverityWarn:
		return warn
	case rules.SeverityInfo:
	}
	return info
}

// breakAmounts are the columns of amounts.
func (b *book) breakAmounts(kind *breakKind) []breakColumn {
	stakes := amountOfBreak(b.head(headStake), amountStyle, func(br *engine.Break) (rules.Sum, bool) { return stake(br), true })
	side := func(which int) func(br *engine.Break) (rules.Sum, bool) {
		return func(br *engine.Break) (rules.Sum, bool) {
			v := sidesOf(br)[which]
			if v == schema.Null {
				return rules.Sum{}, false
			}
			return amountOf(br, v), true
		}
	}
	gap := func(br *engine.Break) (rules.Sum, bool) {
		s := sidesOf(br)
		if s[0] == schema.Null && s[1] == schema.Null || !s.differs(br) {
			return rules.Sum{}, false
		}
		given := func(v int64) rules.Sum {
			if v == schema.Null {
				return rules.Sum{}
			}
			return amountOf(br, v)
		}
		return given(s[1]).Sub(given(s[0])), true
	}
	what := textOf(b.head(headWhat), 13, wordCell, func(br *engine.Break) string { return worded(whatTexts, br.What, b.lang) })
	switch kind.form {
	case sidesForm, refundForm:
		pos, bill := kind.sides()
		columns := []breakColumn{
			amountOfBreak(b.head(pos), amountStyle, side(0)),
			amountOfBreak(b.head(bill), amountStyle, side(1)),
			amountOfBreak(b.head(headGap), signedStyle, gap),
			stakes,
		}
		if pos == headPosDue {
			columns = append([]breakColumn{what}, columns...)
		}
		return columns
	case dueForm:
		return []breakColumn{
			what,
			amountOfBreak(b.head(headDue), amountStyle, side(0)),
			amountOfBreak(b.head(headIs), amountStyle, side(1)),
			amountOfBreak(b.head(headIsGap), signedStyle, gap),
			stakes,
		}
	case rebateForm:
		loss := func(br *engine.Break) (rules.Sum, bool) {
			if br.Expected == schema.Null || br.Found == schema.Null {
				return rules.Sum{}, false
			}
			return amountOf(br, br.Expected).Sub(amountOf(br, br.Found)), true
		}
		rebate := func(head int, which int) breakColumn {
			return amountOfBreak(b.head(head), rebateStyle, side(which))
		}
		stakes.style = rebateStyle
		return []breakColumn{
			textOf(b.head(headPID), 19, idCell, func(br *engine.Break) string { return br.PID }),
			textOf(b.head(headProduct), 18, textCell, func(br *engine.Break) string { return worded(whatTexts, br.What, b.lang) }),
			rebate(headExpected, 0), rebate(headPaid, 1),
			amountOfBreak(b.head(headLoss), rebateStyle, loss),
			stakes,
			keyOf(b.head(headLevel), 8, wordCell, b.level),
		}
	case stakeForm:
	}
	return []breakColumn{stakes}
}

// sides are the heads of the two sides' amounts. Where not all codes of the sheet
// compare the POS with Alipay, they say so.
func (k *breakKind) sides() (pos, bill int) {
	if k.id == "amounts" || k.id == "refunds" {
		return headPosDue, headBillIs
	}
	return headPos, headBill
}

// level says whether a break of a rebate is of one trade, or of a row of a
// statement that adds trades up.
func (b *book) level(br *engine.Break) string {
	if br.OutTradeNo == "" && br.TradeNo == "" {
		return b.lang.pick("汇总", "sum")
	}
	return b.lang.pick("逐笔", "trade")
}

// bothSides are what the POS and the bill say, or what is due and what is; Null
// where one says nothing.
type bothSides [2]int64

// sidesOf gives the amounts of the two sides. A row that occurs again has the
// amount of its own side.
func sidesOf(br *engine.Break) bothSides {
	switch br.Code { //nolint:exhaustive // the others have what is due and what is
	case rules.BreakDuplicate, rules.BreakRefundDuplicate:
		if br.Side == rules.SidePOS {
			return bothSides{br.Found, schema.Null}
		}
	}
	return bothSides{br.Expected, br.Found}
}

// differs reports whether the difference of the sides means something: a row that
// occurs again differs from nothing.
func (bothSides) differs(br *engine.Break) bool {
	return br.Code != rules.BreakDuplicate && br.Code != rules.BreakRefundDuplicate && br.Code != rules.BreakRefundOrphan
}

// verdictColumns are filled in by people, and with what they filled in before.
func (b *book) verdictColumns() []breakColumn {
	column := func(of VerdictColumn, width float64, text func(Verdict) string) breakColumn {
		return breakColumn{head: of.Head(b.lang), width: width, style: inputCell, input: true, cell: func(c *cellsWriter, style cellStyle, r *breakRows, i int) {
			if len(b.verdicts) == 0 {
				c.blank(style)
				return
			}
			c.text(style, text(b.verdicts[r.idAt(i)]))
		}}
	}
	return []breakColumn{
		column(VerdictByColumn, 10, func(v Verdict) string { return b.privacy.Text(v.By) }),
		column(VerdictStateColumn, 11, func(v Verdict) string { return v.State.Text(b.lang) }),
		column(VerdictNoteColumn, 22, func(v Verdict) string { return b.privacy.Text(v.Note) }),
	}
}
