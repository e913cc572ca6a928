package reports

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
	"duizhang/rules"
)

// The overview tells the run's story on its first screen: the result in a line, five
// figures, what to do first and why, the breaks by kind, and four charts beside
// them. Below stand the control totals and the proofs.
//
// Its figures are formulas over the other sheets wherever these have the rows, and
// beside each a check compares it with the engine's own figure: the workbook
// audits itself, also after somebody has touched it.

// The columns of the overview.
const (
	colName    = 1 + iota // B
	colWord               // C
	colCount              // D
	colAmount             // E
	colCount2             // F
	colAmount2            // G
	colCheck              // H
	colNote               // I
	colChart   = colNote + 2
)

var overviewWidths = []float64{1.5, 32, 10, 12, 17, 12, 17, 9, 36, 2}

// An overviewSheet is the overview while it is written.
type overviewSheet struct {
	*book
	c      *cellsWriter
	sheet  string
	merges [][2]string
	checks int // how many there are
	fails  int

	// Where the tables are that figures and charts are taken from.
	breaksFrom, breaksTo   int
	rebatesFrom, rebatesTo int
	matched                map[rules.Status]int
}

// overview writes the first sheet, its charts, and the sheet that these are drawn
// from.
func (b *book) overview(member string, lists []listSheet) {
	o := &overviewSheet{book: b, sheet: b.overviewName()}
	ran := ResultsOf(b.result.Parts)
	// The figures at the top are taken from the tables below, which come first.
	var top, tables bytes.Buffer
	o.c = newCellsWriter(&tables, b.styles)
	o.c.row = topRows
	if b.end.Incomplete {
		o.c.row++
	}
	o.first()
	o.causes()
	o.breaks()
	o.largest()
	o.statuses(ran)
	o.acrossDays()
	o.rebates(ran)
	o.goods(ran)
	o.accounts(ran)
	o.inputs()
	o.proofs()
	o.leftOut()
	o.index(lists)
	o.c.flush()
	last := o.c.row
	o.c = newCellsWriter(&top, b.styles)
	o.top(ran, last)
	o.c.flush()
	b.members.rows[member] = func(out io.Writer) error {
		_, err := out.Write(append(top.Bytes(), tables.Bytes()...))
		return err
	}
	for _, m := range o.merges {
		b.check(b.file.MergeCell(o.sheet, m[0], m[1]))
	}
	for k := range 2 * chartColumns {
		b.check(b.file.SetColWidth(o.sheet, columnNames[colChart+k], columnNames[colChart+k], 8))
	}
	for k, width := range overviewWidths {
		if b.lang == English { // whose words are longer
			width += map[int]float64{colName: 8, colCount2: 4}[k]
		}
		b.check(b.file.SetColWidth(o.sheet, columnNames[k], columnNames[k], width))
	}
	b.paper(o.sheet, 0)
	b.check(b.file.SetSheetDimension(o.sheet, "A1:"+columnNames[colNote]+itoa(last)))
	o.redChecks(last)
	zoom := 90.0
	b.check(b.file.SetSheetView(o.sheet, 0, &excelize.ViewOptions{ZoomScale: &zoom, ShowGridLines: new(bool)}))
	o.draw()
}

// topRows is how many rows the title and the five figures take.
const topRows = 6

// redChecks shows a check that fails for what it is.
func (o *overviewSheet) redChecks(last int) {
	red, err := o.file.NewConditionalStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true, Color: redColor}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{paleRed}},
	})
	o.check(err)
	cell := columnNames[colCheck]
	o.check(o.file.SetConditionalFormat(o.sheet, cell+itoa(topRows+1)+":"+cell+itoa(last), []excelize.ConditionalFormatOptions{
		{Type: "formula", Criteria: "AND(ISLOGICAL($" + cell + itoa(topRows+1) + "),NOT($" + cell + itoa(topRows+1) + "))", Format: &red},
	}))
}

// row writes one row; cells are placed by their columns.
func (o *overviewSheet) row(height int, cells func()) {
	o.c.begin(height)
	o.c.skip(colName)
	cells()
	o.c.end()
}

// span merges the row's cells of these columns, and gives the hidden ones a style.
func (o *overviewSheet) span(from, to int, style cellStyle) {
	o.merges = append(o.merges, [2]string{columnNames[from] + itoa(o.c.row), columnNames[to] + itoa(o.c.row)})
	for o.c.col <= to {
		o.c.blank(style)
	}
}

func (o *overviewSheet) gap() { o.row(8, func() {}) }

// section is a heading over all columns of the tables, and the heads of their
// columns.
func (o *overviewSheet) section(title string, heads ...string) {
	o.gap()
	o.row(20, func() {
		o.c.text(sectionStyle, title)
		for _, h := range heads {
			style := sectionStyle
			switch o.c.col {
			case colCount, colAmount, colCount2, colAmount2:
				style = sectionNumber
			case colWord, colCheck:
				style = sectionWord
			}
			if h == o.lang.pick("处理建议", "What to do") || h == o.lang.pick("商户订单号", "Order number") {
				style = sectionStyle
			}
			o.c.text(style, h)
		}
		for o.c.col <= colNote {
			o.c.blank(sectionStyle)
		}
	})
}

func (o *overviewSheet) linkTo(list string) {
	if l := o.lists[list]; l != nil {
		o.link(o.sheet, o.c.col-1, o.c.row, l.info().pages[0].sheet, "A1")
	}
}

// figure writes a live figure, and remembers whether it is the engine's.
func (o *overviewSheet) figure(style, typed cellStyle, v live) {
	if v.formula == "" {
		o.c.number(typed, []byte(v.text()))
		return
	}
	o.c.formula(style, v.formula, numberFigure(v.text()))
}

// A claim is a figure of the sheet beside the one that the engine says it is.
type claim struct {
	cell   string
	figure live
	engine live
}

// here claims the figure that stands in a column of this row.
func (o *overviewSheet) here(col int, v, engine live) claim {
	return claim{columnNames[col] + itoa(o.c.row), v, engine}
}

// checked writes the check of a row: all its figures are the engine's. Figures that
// are the engine's own prove nothing and are left out.
func (o *overviewSheet) checked(claims ...claim) {
	var terms []string
	holds := true
	for _, c := range claims {
		if c.figure.formula == "" {
			continue
		}
		holds = holds && c.figure.value.Equal(c.engine.value)
		engine := c.engine.text()
		if significant([]byte(engine)) > exactDigits {
			engine = `VALUE("` + engine + `")`
		}
		if c.engine.count {
			terms = append(terms, c.cell+"="+engine)
		} else {
			terms = append(terms, "ABS("+c.cell+"-("+engine+"))<0.005")
		}
	}
	if len(terms) == 0 {
		o.c.text(lineInfo, "—")
		return
	}
	formula := terms[0]
	if len(terms) > 1 {
		formula = "AND(" + strings.Join(terms, ",") + ")"
	}
	o.truth(formula, truthFigure(holds))
}

func (o *overviewSheet) truth(formula string, value figure) {
	o.checks++
	if !value.truth {
		o.fails++
	}
	o.c.formula(lineCheck, formula, value)
}

// top is the title, the result, and five figures.
func (o *overviewSheet) top(ran Results, last int) {
	l, r := o.lang, o.result
	o.row(34, func() {
		o.c.text(bigTitle, strings.TrimSpace(l.pick("对账报告  ", "Reconciliation report  ")+r.Date))
		o.c.to(colNote)
		o.c.text(rightNote, strings.Join(nonBlank(o.opts.Job.Name, "duizhang "+o.opts.Job.Version), " · "))
	})
	style, text := o.verdict()
	o.row(30, func() {
		o.c.text(style, text)
		o.span(colName, colNote, style)
	})
	if o.end.Incomplete {
		o.row(22, func() {
			o.c.text(badBanner, l.pick("输入不完整，本报告不是最终结果", "an input is incomplete: this is not the final result"))
			o.span(colName, colNote, badBanner)
		})
	}
	o.gap()
	o.cards(ran, last)
}

func nonBlank(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// verdict is the result in a line.
func (o *overviewSheet) verdict() (cellStyle, string) {
	l, r := o.lang, o.result
	text := verdict(r, o.end, l)
	count, amount := Counted(r.Breaks)
	var more []string
	for _, t := range tallyBreaks(r.Breaks) {
		switch t.code { //nolint:exhaustive // the two that money is named by
		case rules.BreakBillOnly:
			more = append(more, l.pick("长款（支付宝有、POS 无）", "over (in Alipay, not in the POS) ")+itoa(t.count)+l.pick(" 笔 +", ": +")+money(t.amount))
		case rules.BreakPOSOnly:
			more = append(more, l.pick("短款（POS 有、支付宝无）", "short (in the POS, not in Alipay) ")+itoa(t.count)+l.pick(" 笔 −", ": −")+money(t.amount))
		}
	}
	if len(more) > 0 {
		text += l.pick("。", ". ") + strings.Join(more, l.pick("；", "; "))
	}
	switch {
	case o.end.ExitCode != 0 || o.end.Incomplete:
		return badBanner, "✘ " + text
	case count > 0 || !amount.IsZero():
		return warnBanner, "! " + text
	case !ResultsOf(r.Parts).Trades:
		return warnBanner, "! " + text
	}
	return goodBanner, "✔ " + text
}

// share is such a share as a formula over the table of statuses. It is cut off to
// four decimals: what is not all is never shown as 100 %.
func (o *overviewSheet) share(v [2]rules.Sum, columns ...int) live {
	var all, matched []string
	for _, s := range comparedStatuses {
		row, ok := o.matched[s]
		if !ok {
			continue
		}
		for _, col := range columns {
			cell := columnNames[col] + itoa(row)
			all = append(all, cell)
			if s == rules.StatusMatched {
				matched = append(matched, cell)
			}
		}
	}
	if len(all) == 0 || v[1].IsZero() {
		return live{}
	}
	sum := strings.Join(all, "+")
	return live{
		formula: "IF((" + sum + ")=0,0,ROUNDDOWN((" + strings.Join(matched, "+") + ")/(" + sum + "),4))",
		value:   sumOf(ratio(v)),
	}
}

// ratio is a/b in millionths, cut off to four decimals.
func ratio(v [2]rules.Sum) int64 {
	a, okA := v[0].Int64()
	b, okB := v[1].Int64()
	const scale, unit = 10_000, 100
	for okA && okB && a > math.MaxInt64/scale { // far above any real total
		a, b = a/10, b/10
	}
	if !okA || !okB || b <= 0 || a < 0 {
		return 0
	}
	return a * scale / b * unit
}

// A card is one of the five figures: a label, the figure, a note.
type card struct {
	label    string
	style    cellStyle
	figure   live
	text     string // instead of a number
	note     string
	from, to int
}

func (o *overviewSheet) cards(ran Results, last int) {
	l, r := o.lang, o.result
	count, amount := shares(&r.Trades)
	cards := []card{
		{
			label: l.pick("对平率（笔数）", "Matched by count"), style: kpiPercent, from: colName, to: colName,
			figure: o.share(count, colCount, colCount2),
			note:   thousands(count[0]) + " / " + thousands(count[1]) + l.pick("（两侧合计）", " (both sides)"),
		},
		{
			label: l.pick("对平率（金额）", "Matched by money"), style: kpiPercent, from: colWord, to: colCount,
			figure: o.share(amount, colAmount, colAmount2),
			note:   money(micros128(amount[0])) + " / " + money(micros128(amount[1])),
		},
		o.breakCard(),
		o.moneyCard(ran),
		o.proofCard(last),
	}
	if !ran.Trades {
		for i := range 2 {
			cards[i].figure, cards[i].text, cards[i].note = live{}, "—", l.pick("没有做交易对账", "trades were not matched")
		}
	}
	line := func(height int, write func(k *card) cellStyle) {
		o.row(height, func() {
			for i := range cards {
				k := &cards[i]
				style := write(k)
				if k.to > k.from {
					o.span(k.from, k.to, style)
				}
			}
		})
	}
	line(18, func(k *card) cellStyle { o.c.text(kpiLabel, k.label); return kpiLabel })
	line(30, func(k *card) cellStyle {
		switch {
		case k.figure.formula != "" && k.text != "":
			o.c.formula(k.style, k.figure.formula, textFigure(k.text))
		case k.text != "":
			o.c.text(k.style, k.text)
		default:
			o.figure(k.style, k.style, k.figure)
		}
		return k.style
	})
	line(18, func(k *card) cellStyle { o.c.text(kpiNote, k.note); return kpiNote })
}

// breakCard has the breaks that count.
func (o *overviewSheet) breakCard() card {
	l := o.lang
	breaks, stakes := Counted(o.result.Breaks)
	k := card{
		label: l.pick("待处理差异（错误、警告）", "Breaks to look at"), style: kpiCount, from: colAmount, to: colAmount,
		figure: live{value: sumOf(breaks), count: true}, note: l.pick("涉及 ", "at stake ") + money(stakes),
	}
	if o.breaksFrom > 0 {
		k.figure.formula = o.sumWhere(colCount, colWord, o.breaksFrom, o.breaksTo, l.severity(rules.SeverityError), l.severity(rules.SeverityWarn))
		if settled, _ := Settled(o.result.Breaks); settled > 0 {
			k.figure.formula += "-" + itoa(settled)
			k.note += l.pick(" · 已有结论 ", " · settled ") + itoa(settled)
		}
	}
	return k
}

// sumWhere adds a column of one of the tables up where another has one of the words.
func (o *overviewSheet) sumWhere(of, where, from, to int, words ...string) string {
	var terms []string
	for _, word := range words {
		terms = append(terms, "SUMIFS("+absoluteRef(of, from)+":"+absoluteRef(of, to)+","+absoluteRef(where, from)+":"+absoluteRef(where, to)+`,"`+word+`")`)
	}
	return strings.Join(terms, "+")
}

// moneyCard has the rebates that were lost, or the rejects of a run without
// rebates.
func (o *overviewSheet) moneyCard(ran Results) card {
	l := o.lang
	if !ran.Rebates {
		return card{
			label: l.pick("坏行", "Rejects"), style: kpiCount, from: colCount2, to: colAmount2,
			figure: live{value: sumOf(int64(len(o.result.Rejects))), count: true}, note: l.pick("没有采用的输入行", "input rows not accepted"),
		}
	}
	var of [5]rules.Sum // by appeal
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		of[c.Appeal()].AddSum(o.result.Causes[c].Loss)
	}
	lost, claim := of[rules.AppealLost], of[rules.AppealClaimable]
	both := lost
	both.AddSum(claim)
	k := card{
		label: l.pick("返佣损失", "Rebate losses"), style: kpiAmount, from: colCount2, to: colAmount2, figure: live{value: both},
		note: l.pick("不可申诉 ", "lost ") + money(lost) + l.pick(" · 可申诉 ", " · claimable ") + money(claim),
	}
	if o.rebatesTo > o.rebatesFrom {
		k.figure.formula = o.sumWhere(colAmount2, colWord, o.rebatesFrom, o.rebatesTo-1, l.appealWord(rules.AppealLost), l.appealWord(rules.AppealClaimable))
	}
	return k
}

// proofCard says whether all checks below hold, which it finds out anew.
func (o *overviewSheet) proofCard(last int) card {
	l := o.lang
	yes, no := l.pick("✔ 全部相符", "✔ all hold"), l.pick("✘ 有不符", "✘ something differs")
	shown := yes
	if o.fails > 0 {
		shown = no
	}
	area := absoluteRef(colCheck, topRows+1) + ":" + absoluteRef(colCheck, last)
	return card{
		label: l.pick("自检", "Self-check"), style: kpiText, from: colCheck, to: colNote, text: shown,
		figure: live{formula: `IF(COUNTIF(` + area + `,FALSE)=0,"` + yes + `","` + no + `")`},
		note:   itoa(o.checks) + l.pick(" 处核对，打开时重新计算", " checks, computed again when opened"),
	}
}

// thousands is a count with its thousands apart.
func thousands(s rules.Sum) string {
	whole, _, _ := strings.Cut(money(micros128(timesHundred(s))), ".")
	return whole
}

// timesHundred turns a count into what fen are to yuan.
func timesHundred(s rules.Sum) rules.Sum {
	var t rules.Sum
	for range 100 {
		t.AddSum(s)
	}
	return t
}

// first is what to do first: the kinds of break by how grave they are and by
// money, with what to do about them.
func (o *overviewSheet) first() {
	l := o.lang
	open := slices.DeleteFunc(slices.Clone(o.result.Breaks), func(br engine.Break) bool { return br.Settled || !br.Severity.Counts() })
	tallies := rankedBreaks(open)
	o.section(l.pick("先做什么", "What to do first"), l.pick("级别", "Severity"), l.pick("笔数", "Count"), l.pick("涉及金额", "At stake"), l.pick("处理建议", "What to do"))
	if len(tallies) == 0 {
		o.row(22, func() {
			o.c.text(noneStyle, l.pick("无差异，无需处理", "no break: nothing to do"))
		})
		return
	}
	const most = 3
	for _, t := range tallies[:min(most, len(tallies))] {
		o.row(34, func() {
			kind := &breakKinds[kindOfBreak[t.code]]
			o.c.text(lineLink, l.text(t.code).Title)
			o.linkTo(kind.id)
			o.c.text(severityStyle(t.severity, lineError, lineWarn, lineInfo), l.severity(t.severity))
			o.c.integer(lineCount, t.count)
			o.c.amount(lineAmount, amountCell{t.amount, true})
			o.c.text(stepStyle, l.text(t.code).Do)
			o.span(colCount2, colNote, stepStyle)
		})
	}
}

// causes is what most breaks have in common, as the attribution found it.
func (o *overviewSheet) causes() {
	l := o.lang
	causes := o.result.Attributions
	if len(causes) == 0 {
		return
	}
	o.section(l.pick("主要原因", "Main causes"))
	const most = 6
	for i := range causes[:min(most, len(causes))] {
		o.row(20, func() {
			o.c.text(lineText, l.attribution(&causes[i], o.result.Date, o.privacy))
			o.span(colName, colNote, lineText)
		})
	}
}

// breaks are the breaks by code: counted over their sheets, beside the engine's
// figures.
func (o *overviewSheet) breaks() {
	l := o.lang
	tallies := rankedBreaks(o.result.Breaks)
	o.section(l.pick("差异分类", "Breaks by kind"), l.pick("级别", "Severity"), l.pick("笔数", "Count"), l.pick("涉及金额", "At stake"),
		l.pick("引擎笔数", "Engine count"), l.pick("引擎金额", "Engine amount"), l.pick("核对", "Check"), l.pick("工作表", "Sheet"))
	if len(tallies) == 0 {
		o.row(22, func() { o.c.text(noneStyle, l.pick("无差异", "no break")) })
		return
	}
	o.breaksFrom = o.c.row + 1
	for _, t := range tallies {
		o.row(0, func() {
			kind := &breakKinds[kindOfBreak[t.code]]
			list := o.lists[kind.id]
			want := wanted{o.head(headCode), t.code.String()}
			count := list.info().sum(list.heads(), "", want)
			amount := list.info().sum(list.heads(), o.head(headStake), want)
			o.c.text(lineText, l.text(t.code).Title)
			o.c.text(severityStyle(t.severity, lineError, lineWarn, lineInfo), l.severity(t.severity))
			o.figure(lineCount, lineTypedCount, count)
			o.figure(lineRebate, lineTyped, amount)
			o.c.integer(lineTypedCount, t.count)
			o.c.amount(lineTyped, amountCell{t.amount, true})
			o.checked(o.here(colCount, count, live{value: sumOf(t.count), count: true}), o.here(colAmount, amount, live{value: t.amount}))
			o.c.text(lineLink, list.info().sheet)
			o.linkTo(kind.id)
		})
	}
	o.breaksTo = o.c.row
}

func sumOf(n int64) rules.Sum {
	var s rules.Sum
	s.AddInt(n)
	return s
}

// largest are the breaks of most money, which are where to begin.
func (o *overviewSheet) largest() {
	l := o.lang
	const most = 10
	type place struct {
		at   int
		kind int
		row  int // in its list
	}
	var top []place
	next := make([]int, len(breakKinds))
	breaks := o.result.Breaks
	for i := range breaks {
		kind := kindOfBreak[breaks[i].Code]
		p := place{i, kind, next[kind]}
		next[kind]++
		if breaks[i].Severity != rules.SeverityError || breaks[i].Settled || len(top) == most && stake(&breaks[top[most-1].at]).Cmp(stake(&breaks[i])) >= 0 {
			continue
		}
		at := slices.IndexFunc(top, func(q place) bool { return stake(&breaks[q.at]).Cmp(stake(&breaks[i])) < 0 })
		if at < 0 {
			at = len(top)
		}
		top = slices.Insert(top, at, p)
		top = top[:min(len(top), most)]
	}
	if len(top) == 0 {
		return
	}
	o.section(l.pick("金额最大的差异", "Largest breaks"), l.pick("门店", "Store"), l.pick("终端", "Terminal"), l.pick("涉及金额", "At stake"), l.pick("商户订单号", "Order number"), "", "", l.pick("说明", "Detail"))
	for _, p := range top {
		br := &breaks[p.at]
		o.row(0, func() {
			o.c.text(lineLink, l.text(br.Code).Title)
			o.linkToRow(breakKinds[p.kind].id, int64(p.row))
			o.c.text(lineText, o.privacy.mobiles(br.Store))
			o.c.text(lineText, o.privacy.mobiles(br.Terminal))
			o.c.amount(lineAmount, amountCell{stake(br), true})
			number := br.OutTradeNo
			if number == "" {
				number = br.TradeNo
			}
			o.c.text(lineText, number)
			o.span(colCount2, colCheck, lineText)
			o.c.text(lineText, detail(br, l, o.privacy))
		})
	}
}

func (o *overviewSheet) linkToRow(list string, row int64) {
	l := o.lists[list].info()
	for i := range l.pages {
		if row < l.pages[i].rows {
			o.link(o.sheet, o.c.col-1, o.c.row, l.pages[i].sheet, "A"+itoa(row+firstRow))
			return
		}
		row -= l.pages[i].rows
	}
}

// statuses are the control totals of both sides: where every unit ended.
func (o *overviewSheet) statuses(ran Results) {
	l := o.lang
	if ran.Trades {
		o.matched = o.sides(l.pick("交易去向", "Where trades ended"), paymentUnit, &o.result.Trades)
	}
	if ran.Refunds {
		o.sides(l.pick("退款去向", "Where refunds ended"), refundUnit, &o.result.Refunds)
	}
}

func (o *overviewSheet) partRan(name string) bool {
	for _, p := range o.result.Parts {
		if p.Name == name {
			return p.Ran
		}
	}
	return false
}

// sides is one of the two tables; it gives the rows of the statuses.
func (o *overviewSheet) sides(title string, unit uint8, tallies *[9]engine.Tally) map[rules.Status]int {
	l := o.lang
	o.section(title, "", l.pick("POS 笔数", "POS count"), l.pick("POS 金额", "POS amount"), l.pick("支付宝笔数", "Alipay count"),
		l.pick("支付宝金额", "Alipay amount"), l.pick("核对", "Check"), l.pick("说明", "Note"))
	rows := map[rules.Status]int{}
	from := o.c.row + 1
	var total engine.Tally
	for _, s := range statusOrder {
		t := &tallies[s]
		total.PosCount += t.PosCount
		total.BillCount += t.BillCount
		total.PosAmount.AddSum(t.PosAmount)
		total.BillAmount.AddSum(t.BillAmount)
		if t.PosCount == 0 && t.BillCount == 0 && s != rules.StatusMatched {
			continue
		}
		o.row(0, func() {
			rows[s] = o.c.row
			o.c.text(lineText, l.statusSided(unit, s))
			o.c.blank(lineText)
			figures := o.unitFigures(unit, s, t)
			engine := typedFigures(t)
			for k := range figures {
				if k%2 == 0 {
					o.figure(lineCount, lineTypedCount, figures[k])
				} else {
					o.figure(lineAmount, lineTyped, figures[k])
				}
			}
			o.checked(o.here(colCount, figures[0], engine[0]), o.here(colAmount, figures[1], engine[1]),
				o.here(colCount2, figures[2], engine[2]), o.here(colAmount2, figures[3], engine[3]))
			note := statusMeanings[s][l.index()]
			if unit == refundUnit && (s == rules.StatusBillOnly || s == rules.StatusPOSOnly) {
				note = ""
			}
			if figures[0].formula == "" && s == rules.StatusMatched {
				note = l.pick("灰色为引擎结果：逐笔在 trades/refunds 表", "grey: the engine's figure; the rows are in the tables")
			}
			o.c.text(lineText, note)
		})
	}
	o.row(0, func() {
		o.c.text(lineTotal, l.pick("合计", "Total"))
		o.c.blank(lineTotal)
		engine := typedFigures(&total)
		var claims []claim
		for k, col := range []int{colCount, colAmount, colCount2, colAmount2} {
			v := engine[k]
			v.formula = "SUM(" + columnNames[col] + itoa(from) + ":" + columnNames[col] + itoa(o.c.row-1) + ")"
			style := lineTotalCount
			if k%2 == 1 {
				style = lineTotalAmount
			}
			o.c.formula(style, v.formula, numberFigure(v.text()))
			claims = append(claims, o.here(col, v, engine[k]))
		}
		o.checked(claims...)
		o.c.text(lineTotal, l.pick("= 采用的全部单据", "= all units accepted"))
	})
	return rows
}

// statusSided is the status with its side and sign. A refund that Alipay alone has
// is money that is missing.
func (l Lang) statusSided(unit uint8, s rules.Status) string {
	switch {
	case s == rules.StatusBillOnly && unit == refundUnit:
		return l.pick("短款：支付宝已退、POS 无（−）", "Short: refunded in Alipay, not in the POS (−)")
	case s == rules.StatusPOSOnly && unit == refundUnit:
		return l.pick("长款：POS 已退、支付宝无（+）", "Over: refunded in the POS, not in Alipay (+)")
	case s == rules.StatusBillOnly:
		return l.pick("长款：支付宝有、POS 无（+）", "Over: in Alipay, not in the POS (+)")
	case s == rules.StatusPOSOnly:
		return l.pick("短款：POS 有、支付宝无（−）", "Short: in the POS, not in Alipay (−)")
	}
	return l.status(s)
}

// typedFigures are the engine's figures of a status: POS count and amount, bill
// count and amount.
func typedFigures(t *engine.Tally) [4]live {
	return [4]live{
		{value: sumOf(t.PosCount), count: true},
		{value: micros128(t.PosAmount)},
		{value: sumOf(t.BillCount), count: true},
		{value: micros128(t.BillAmount)},
	}
}

// unitFigures are the same figures as formulas over the sheet that has the units
// of this status; the engine's where none has.
func (o *overviewSheet) unitFigures(unit uint8, s rules.Status, t *engine.Tally) [4]live {
	figures := typedFigures(t)
	both, pos, bill := o.lang.side(rules.SideBoth), o.lang.side(rules.SidePOS), o.lang.side(rules.SideBill)
	switch s {
	case rules.StatusMatched:
		return figures
	case rules.StatusPending, rules.StatusExcluded:
		list := o.lists[s.String()]
		kind := wanted{o.head(headUnit), o.lang.unit(unit)}
		count := func(side string) live {
			one := list.info().sum(list.heads(), "", kind, wanted{o.head(headSide), side})
			two := list.info().sum(list.heads(), "", kind, wanted{o.head(headSide), both})
			if two.value.IsZero() {
				return one
			}
			one.formula += "+" + two.formula
			one.value.AddSum(two.value)
			return one
		}
		return [4]live{
			count(pos), list.info().sum(list.heads(), o.head(headPos), kind),
			count(bill), list.info().sum(list.heads(), o.head(headBill), kind),
		}
	case rules.StatusAmountMismatch, rules.StatusStatusMismatch, rules.StatusBillOnly, rules.StatusPOSOnly, rules.StatusDuplicate:
	}
	code, ok := s.Break()
	compared := o.partRan("trades")
	if unit == refundUnit {
		code, ok = s.RefundBreak()
		compared = o.partRan("pos_refunds")
	}
	if !ok || !compared && s != rules.StatusDuplicate {
		return figures
	}
	kind := &breakKinds[kindOfBreak[code]]
	list := o.lists[kind.id]
	posHead, billHead := kind.sides()
	want := []wanted{{o.head(headCode), code.String()}}
	count := func(side string, has int64) live {
		if s == rules.StatusDuplicate {
			return list.info().sum(list.heads(), "", append(want, wanted{o.head(headSide), side})...)
		}
		if has == 0 {
			return live{count: true}
		}
		return list.info().sum(list.heads(), "", want...)
	}
	return [4]live{
		count(pos, t.PosCount), list.info().sum(list.heads(), o.head(posHead), want...),
		count(bill, t.BillCount), list.info().sum(list.heads(), o.head(billHead), want...),
	}
}

// rebates are the causes of the audit.
func (o *overviewSheet) rebates(ran Results) {
	if !ran.Rebates {
		return
	}
	l, list := o.lang, o.lists["rebates"]
	o.section(l.pick("返佣审计", "Rebate audit"), l.pick("申诉", "Appeal"), l.pick("笔数", "Count"), l.pick("应得", "Expected"), l.pick("已付", "Paid"),
		l.pick("损失（应得−已付）", "Loss"), l.pick("核对", "Check"), l.pick("说明", "Note"))
	from := o.c.row + 1
	o.rebatesFrom = from
	var total rules.Sum
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		t := &o.result.Causes[c]
		if t.Count == 0 {
			continue
		}
		total.AddSum(t.Loss)
		count, expected, paid, loss := live{value: sumOf(t.Count), count: true}, live{value: t.Expected}, live{value: t.Stated}, live{value: t.Loss}
		engine := [4]live{count, expected, paid, loss}
		if code, ok := c.Break(); ok && list != nil {
			want := []wanted{{o.head(headCode), code.String()}, {o.head(headLevel), l.pick("逐笔", "trade")}}
			count = list.info().sum(list.heads(), "", want...)
			expected = list.info().sum(list.heads(), o.head(headExpected), want...)
			paid = list.info().sum(list.heads(), o.head(headPaid), want...)
			loss = list.info().sum(list.heads(), o.head(headLoss), want...)
		}
		o.row(0, func() {
			o.c.text(lineText, l.cause(c))
			o.c.text(lineInfo, l.appealWord(c.Appeal()))
			o.figure(lineCount, lineTypedCount, count)
			o.figure(lineRebate, lineTyped, expected)
			o.figure(lineRebate, lineTyped, paid)
			o.figure(lineRebate, lineTyped, loss)
			o.checked(o.here(colCount, count, engine[0]), o.here(colAmount, expected, engine[1]),
				o.here(colCount2, paid, engine[2]), o.here(colAmount2, loss, engine[3]))
			o.c.text(lineText, l.appeal(c.Appeal()))
		})
	}
	o.rebatesTo = o.c.row + 1 // behind the last
	o.row(0, func() {
		o.c.text(lineTotal, l.pick("合计", "Total"))
		for o.c.col < colAmount2 {
			o.c.blank(lineTotal)
		}
		cell := columnNames[colAmount2]
		v := live{formula: "SUM(" + cell + itoa(from) + ":" + cell + itoa(o.c.row-1) + ")", value: total}
		o.c.formula(lineTotalAmount, v.formula, numberFigure(v.text()))
		o.checked(o.here(colAmount2, v, live{value: total}))
		o.c.text(lineTotal, l.pick("= 应得 − 已付", "= expected − paid"))
	})
}

// goods are the scenarios of the allocation.
func (o *overviewSheet) goods(ran Results) {
	list := o.lists["allocation"]
	if !ran.Goods || list == nil {
		return
	}
	l := o.lang
	o.section(l.pick("商品分摊", "Goods allocation"), "", l.pick("商品行数", "Lines"), l.pick("订单金额", "Orders' total"), l.pick("订单数", "Orders"),
		l.pick("填充金额", "Filler"), l.pick("核对", "Check"), l.pick("说明", "Note"))
	for s := rules.Equal; s <= rules.TagPrice; s++ {
		t := &o.result.Scenarios[s]
		if t.Orders == 0 {
			continue
		}
		lines, amount, filler := live{value: sumOf(t.Lines), count: true}, live{value: micros128(t.Amount)}, live{value: micros128(t.Filler)}
		engine := [3]live{lines, amount, filler}
		note := l.pick("逐行在 goods 表", "its lines are in the table goods")
		if s != rules.Equal {
			want := wanted{o.head(headScenario), l.scenario(s)}
			lines = list.info().sum(list.heads(), "", want)
			amount = list.info().sum(list.heads(), o.head(headAllocated), want)
			filler = list.info().sum(list.heads(), o.head(headAllocated), want, wanted{o.head(headFiller), l.pick("填充", "filler")})
			note = l.pick("订单金额 = 分摊金额之和", "the total = the sum of what is allocated")
		}
		o.row(0, func() {
			o.c.text(lineText, l.scenario(s))
			o.c.blank(lineText)
			o.figure(lineCount, lineTypedCount, lines)
			o.figure(lineAmount, lineTyped, amount)
			o.c.integer(lineTypedCount, t.Orders)
			o.figure(lineAmount, lineTyped, filler)
			o.checked(o.here(colCount, lines, engine[0]), o.here(colAmount, amount, engine[1]), o.here(colAmount2, filler, engine[2]))
			o.c.text(lineText, note)
		})
	}
}

// accounts are the tie-out with the account bill, and what this has beyond the trade
// bill.
func (o *overviewSheet) accounts(ran Results) {
	list := o.lists["ties"]
	if !ran.Accounts || list == nil {
		return
	}
	l := o.lang
	o.section(l.pick("账务勾稽", "Accounts"), "", l.pick("笔数", "Count"), l.pick("应入账", "Expected"), l.pick("收入", "Income"), l.pick("支出", "Expense"),
		l.pick("核对", "Check"), l.pick("说明", "Note"))
	for s := rules.AccountMatched; s <= rules.AccountDuplicate; s++ {
		t := &o.result.Accounts.Statuses[s]
		if t.Count == 0 {
			continue
		}
		figures := [4]live{{value: sumOf(t.Count), count: true}, {value: micros128(t.Expected)}, {value: micros128(t.Income)}, {value: micros128(t.Expense)}}
		engine := figures
		note := l.pick("灰色为引擎结果：逐笔在 accounts 表", "grey: the engine's figure; the rows are in the table accounts")
		if s != rules.AccountMatched {
			want := wanted{o.head(headClass), l.account(s)}
			figures[0] = list.info().sum(list.heads(), "", want)
			for k, head := range []int{headCredit, headIncome, headExpense} {
				figures[k+1] = list.info().sum(list.heads(), o.head(head), want)
			}
			note = ""
		}
		o.row(0, func() {
			o.c.text(lineText, l.account(s))
			o.c.blank(lineText)
			var claims []claim
			for k, col := range []int{colCount, colAmount, colCount2, colAmount2} {
				if k == 0 {
					o.figure(lineCount, lineTypedCount, figures[k])
				} else {
					o.figure(lineAmount, lineTyped, figures[k])
				}
				claims = append(claims, o.here(col, figures[k], engine[k]))
			}
			o.checked(claims...)
			o.c.text(lineText, note)
		})
	}
	plain := func(name string, count int64, expected, income, expense rules.Sum, note string) {
		o.row(0, func() {
			o.c.text(lineText, name)
			o.c.blank(lineText)
			o.c.integer(lineTypedCount, count)
			for _, v := range []rules.Sum{expected, income, expense} {
				o.c.amount(lineTyped, amountCell{micros128(v), true})
			}
			o.c.text(lineInfo, "—")
			o.c.text(lineText, note)
		})
	}
	a := &o.result.Accounts
	if t := &a.NotCovered; t.BillCount > 0 {
		plain(l.pick("没有账务明细", "no account bill"), t.BillCount, t.BillAmount, rules.Sum{}, rules.Sum{}, l.pick("该账号或时间的账务明细不在输入中", "of a PID or a time without an account bill"))
	}
	if t := &a.Indirect; t.BillCount > 0 {
		plain(l.pick("间连", "indirect"), t.BillCount, t.BillAmount, rules.Sum{}, rules.Sum{}, l.pick("间连交易没有账务记录", "indirect trades have no account entry"))
	}
	for i := range a.Types {
		t := &a.Types[i]
		plain(o.privacy.Text(t.Type), t.Count, rules.Sum{}, t.Income, t.Expense, l.pick("账务明细独有，不是差异", "beyond the trade bill: no break"))
	}
}

// inputs are what was read, by kind of input.
func (o *overviewSheet) inputs() {
	l, sources := o.lang, o.lists["sources"]
	o.section(l.pick("读入", "What was read"), l.pick("表数", "Tables"), l.pick("行数", "Rows"), l.pick("采用", "Accepted"), l.pick("拒收", "Rejected"),
		l.pick("控制总额", "Control totals"), l.pick("核对", "Check"))
	type sums struct{ tables, rows, accepted, rejected, stated, holds int64 }
	of := map[string]*sums{}
	var order []string
	for _, t := range o.result.Inputs() {
		name := t.Kind.String()
		if of[name] == nil {
			of[name] = &sums{}
			order = append(order, name)
		}
		s := of[name]
		stated, holds := controlCounts(t)
		s.tables++
		s.rows += t.Rows
		s.accepted += t.Accepted
		s.rejected += t.Rejected
		s.stated += int64(stated)
		s.holds += int64(holds)
	}
	slices.Sort(order)
	for _, name := range order {
		s := of[name]
		want := wanted{o.head(headInput), name}
		read := func(head int) live { return asCount(sources.info().sum(sources.heads(), o.head(head), want)) }
		tables := sources.info().sum(sources.heads(), "", want)
		rows, accepted, rejected := read(headRows), read(headAccepted), read(headRejected)
		o.row(0, func() {
			o.c.text(lineText, name)
			o.figure(lineCount, lineTypedCount, tables)
			o.figure(lineCount, lineTypedCount, rows)
			o.figure(lineCount, lineTypedCount, accepted)
			o.figure(lineCount, lineTypedCount, rejected)
			style, text := lineInfo, l.pick("文件未列", "not stated")
			switch {
			case s.stated > 0 && s.stated == s.holds:
				style, text = lineCheck, l.pick("✔ 相符 ", "✔ hold ")+itoa(s.holds)+"/"+itoa(s.stated)
			case s.stated > 0:
				style, text = lineError, l.pick("✘ 不符 ", "✘ fail ")+itoa(s.stated-s.holds)+"/"+itoa(s.stated)
			}
			o.c.text(style, text)
			engine := func(n int64) live { return live{value: sumOf(n), count: true} }
			o.checked(o.here(colWord, tables, engine(s.tables)), o.here(colCount, rows, engine(s.rows)),
				o.here(colAmount, accepted, engine(s.accepted)), o.here(colCount2, rejected, engine(s.rejected)))
			o.c.blank(lineText)
		})
	}
}

// asCount is a sum of counts, which a list holds in millionths.
func asCount(v live) live {
	whole, _, _ := strings.Cut(v.text(), ".")
	var n int64
	for _, d := range whole {
		n = n*10 + int64(d-'0')
	}
	return live{formula: v.formula, value: sumOf(n), count: true}
}

// proofs are the run's invariants: both sides, and whether they are equal.
func (o *overviewSheet) proofs() {
	if len(o.result.Invariants) == 0 {
		return
	}
	l := o.lang
	o.section(l.pick("守恒自检", "Proofs"), "", "", l.pick("左边", "Left"), l.pick("右边", "Right"), "", l.pick("核对", "Check"), l.pick("代码", "Code"))
	for _, v := range o.result.Invariants {
		o.row(0, func() {
			text := v.Name
			if t, ok := invariantTexts[v.Name]; ok {
				text = t[l.index()]
			}
			o.c.text(lineText, text)
			o.span(colName, colCount, lineText)
			o.c.text(lineRight, v.Left)
			o.c.text(lineRight, v.Right)
			o.span(colCount2, colAmount2, lineRight)
			row := itoa(o.c.row)
			o.truth(columnNames[colAmount]+row+"="+columnNames[colCount2]+row, truthFigure(v.Left == v.Right))
			o.c.text(lineInfo, v.Name)
		})
	}
}

// acrossDays says what came from earlier days and goes to the next, and which breaks
// are gone.
func (o *overviewSheet) acrossDays() {
	l := o.lang
	carried, closed := carriedLine(o.end.Carried, o.result, l), closedLine(o.end.Closed, l)
	if carried == "" && closed == "" {
		return
	}
	o.section(l.pick("跨日", "Across days"))
	for _, text := range [...]string{carried, closed} {
		if text != "" {
			o.row(0, func() {
				o.c.text(lineText, text)
				o.span(colName, colNote, lineText)
			})
		}
	}
	const most = 50
	for i := range o.end.Closed[:min(most, len(o.end.Closed))] {
		b := &o.end.Closed[i]
		o.row(0, func() {
			o.c.text(lineText, b.title(l))
			o.c.text(lineText, b.numbers())
			o.span(colWord, colAmount, lineText)
			o.c.text(lineRight, b.Amount.String6())
			o.c.text(lineText, l.pick("首见 ", "since ")+b.FirstSeen)
			o.span(colAmount2, colCheck, lineText)
			o.c.text(lineInfo, b.ID)
		})
	}
	if n := len(o.end.Closed); n > most {
		o.row(0, func() {
			o.c.text(lineInfo, l.pick("其余 "+countText(n-most)+" 条见 "+SummaryName, countText(n-most)+" more are in "+SummaryName))
			o.span(colName, colNote, lineInfo)
		})
	}
}

// leftOut says which parts of the work had no input.
func (o *overviewSheet) leftOut() {
	l := o.lang
	missing := slices.DeleteFunc(slices.Clone(o.result.Parts), func(p engine.PartState) bool { return p.Ran })
	if len(missing) == 0 {
		return
	}
	o.section(l.pick("未做的部分", "Left out"), l.pick("缺少的输入", "Absent input"))
	for _, p := range missing {
		o.row(0, func() {
			o.c.text(lineText, l.part(p.Name))
			o.c.text(lineText, p.Why)
			o.span(colWord, colNote, lineText)
		})
	}
}

// index has every sheet with its rows; a list on several sheets is added up.
func (o *overviewSheet) index(lists []listSheet) {
	l := o.lang
	o.section(l.pick("工作表目录", "Index of sheets"), "", l.pick("行数", "Rows"), l.pick("金额小计", "Subtotal"), l.pick("全部行数", "All rows"), "", l.pick("核对", "Check"), l.pick("内容", "What it has"))
	for _, list := range lists {
		info, heads := list.info(), list.heads()
		amount := o.mainAmount(info, heads)
		from := o.c.row + 1
		for i := range info.pages {
			p := &info.pages[i]
			o.row(0, func() {
				o.c.text(lineLink, p.sheet)
				o.link(o.sheet, colName, o.c.row, p.sheet, "A1")
				o.c.blank(lineText)
				rows := live{value: sumOf(p.rows), count: true}
				if p.rows > 0 && len(info.keyed) > 0 {
					at := info.keyed[0]
					rows.formula = "COUNTA(" + quoteSheet(p.sheet) + "!" + absoluteRef(at, firstRow) + ":" + absoluteRef(at, firstRow+int(p.rows)-1) + ")"
				}
				o.figure(lineCount, lineTypedCount, rows)
				if amount < 0 {
					o.c.blank(lineText)
				} else {
					o.figure(lineRebate, lineTyped, live{
						formula: "SUM(" + quoteSheet(p.sheet) + "!" + absoluteRef(amount, firstRow) + ":" + absoluteRef(amount, firstRow+int(max(p.rows, 1))-1) + ")",
						value:   p.sums[amount],
					})
				}
				if len(info.pages) > 1 {
					o.c.blank(lineText)
				} else {
					o.c.integer(lineTypedCount, info.total())
				}
				o.c.blank(lineText)
				if len(info.pages) > 1 {
					o.c.blank(lineText)
				} else {
					o.checked(o.here(colCount, rows, live{value: sumOf(info.listed), count: true}))
				}
				o.c.text(lineText, info.title)
			})
		}
		if len(info.pages) > 1 {
			o.indexTotal(info, amount, from)
		}
	}
}

// indexTotal adds up the sheets of one list.
func (o *overviewSheet) indexTotal(info *listInfo, amount, from int) {
	l := o.lang
	o.row(0, func() {
		over := func(col int) string {
			return "SUM(" + columnNames[col] + itoa(from) + ":" + columnNames[col] + itoa(o.c.row-1) + ")"
		}
		o.c.text(lineTotal, info.sheet+l.pick(" 小计", " together"))
		o.c.blank(lineTotal)
		rows := live{formula: over(colCount), value: sumOf(info.listed), count: true}
		o.c.formula(lineTotalCount, rows.formula, numberFigure(rows.text()))
		claims := []claim{o.here(colCount, rows, rows)}
		if amount >= 0 {
			var sum rules.Sum
			for i := range info.pages {
				sum.AddSum(info.pages[i].sums[amount])
			}
			v := live{formula: over(colAmount), value: sum}
			o.c.formula(lineTotalAmount, v.formula, numberFigure(v.text()))
			claims = append(claims, o.here(colAmount, v, v))
		} else {
			o.c.blank(lineTotal)
		}
		o.c.integer(lineTotalCount, info.total())
		o.c.blank(lineTotal)
		o.checked(claims...)
		o.c.text(lineTotal, "")
	})
}

// mainAmount is the column that a list's subtotal is of, -1 for none.
func (b *book) mainAmount(info *listInfo, heads []listHead) int {
	if info.mixed {
		return -1
	}
	for _, head := range []int{headStake, headAllocated, headPos, headExpected} {
		for k := range heads {
			if heads[k].total && heads[k].name == b.head(head) {
				return k
			}
		}
	}
	return -1
}
