package claim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"duizhang/rules"
)

// sheetRows is how many rows a sheet has.
const sheetRows = 1 << 20

// A book is the pack's workbook while it is being filled.
type book struct {
	file   *excelize.File
	lang   string
	m      *Manifest
	limit  int
	trades *sheet
	again  *sheet // the recomputation
	cells  []any  // reused

	title, head, amount, rebate, date, plain, check, wrap int // styles
}

// A sheet is a list that goes on on a further sheet when one is full.
type sheet struct {
	book   *book
	name   string
	heads  []heading
	names  []string // of its sheets
	rows   []int    // of each, the header included
	stream *excelize.StreamWriter
}

type heading struct {
	text  string
	width float64
}

func newBook(m *Manifest, opt Options) (*book, error) {
	f, err := newFile(opt.Temp)
	if err != nil {
		return nil, err
	}
	b := &book{file: f, lang: m.Lang, m: m, limit: opt.sheetRows}
	if b.limit == 0 {
		b.limit = sheetRows
	}
	say := func(zh, en string) string { return say(b.lang, zh, en) }
	if err := b.styles(); err != nil {
		return nil, err
	}
	if err := f.SetSheetName("Sheet1", say("汇总", "Summary")); err != nil {
		return nil, err
	}
	b.trades = &sheet{book: b, name: TradesSheet(b.lang), heads: []heading{
		{say("序号", "No."), 8},
		{say("商户PID", "Merchant PID"), 19},
		{say("商户订单号", "Out trade no"), 30},
		{say("支付宝交易号", "Trade no"), 31},
		{say("产品", "Product"), 18},
		{say("交易上传的服务商PID", "Provider PID sent"), 21},
		{say("门店", "Store"), 14},
		{say("完成时间", "Paid at"), 19},
		{say("应得返佣", "Expected"), 12},
		{say("已付返佣", "Paid"), 12},
		{say("申诉金额", "Claimed"), 12},
		{say("原因", "Cause"), 22},
	}}
	b.again = &sheet{book: b, name: say("复算", "Recomputation"), heads: []heading{
		{say("序号", "No."), 8},
		{say("支付宝交易号", "Trade no"), 31},
		{say("交易金额（计佣口径）", "Paid amount"), 18},
		{say("减：本期退款", "Less refunds"), 13},
		{say("计佣基数", "Basis"), 12},
		{say("费率", "Rate"), 10},
		{say("应得返佣", "Expected"), 12},
		{say("已付返佣", "Paid"), 12},
		{say("差额", "Difference"), 12},
		{say("计算", "Computation"), 60},
		{say("协议", "Agreement"), 8},
	}}
	for _, s := range []*sheet{b.trades, b.again} {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// TradesSheet is the name of the sheet of trades; further ones are numbered.
func TradesSheet(lang string) string { return say(lang, "交易", "Trades") }

func (b *book) styles() error {
	style := func(into *int, s *excelize.Style) error {
		id, err := b.file.NewStyle(s)
		*into = id
		return err
	}
	two, six, when := "#,##0.00", "#,##0.00####", "yyyy-mm-dd hh:mm:ss"
	border := []excelize.Border{{Type: "bottom", Color: "DDE3EA", Style: 1}}
	for _, s := range []struct {
		into  *int
		style excelize.Style
	}{
		{&b.title, excelize.Style{Font: &excelize.Font{Bold: true, Size: 16}}},
		{&b.head, excelize.Style{
			Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7EEF7"}}, Border: border,
			Alignment: &excelize.Alignment{Vertical: "center"},
		}},
		{&b.amount, excelize.Style{CustomNumFmt: &two}},
		{&b.rebate, excelize.Style{CustomNumFmt: &six}},
		{&b.date, excelize.Style{CustomNumFmt: &when}},
		{&b.plain, excelize.Style{NumFmt: 49}},
		{&b.check, excelize.Style{Font: &excelize.Font{Bold: true, Color: "1B7F3B"}, Alignment: &excelize.Alignment{Horizontal: "center"}}},
		{&b.wrap, excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
	} {
		if err := style(s.into, &s.style); err != nil {
			return err
		}
	}
	return nil
}

// next begins the list's next sheet.
func (s *sheet) next() error {
	b := s.book
	if s.stream != nil {
		if err := s.end(); err != nil {
			return err
		}
	}
	name := s.name
	if n := len(s.names); n > 0 {
		name += " (" + strconv.Itoa(n+1) + ")"
	}
	if _, err := b.file.NewSheet(name); err != nil {
		return err
	}
	// All of this comes before the stream: a sheet that is asked for anything
	// later is read back into memory.
	last, err := excelize.CoordinatesToCellName(len(s.heads), b.limit)
	if err != nil {
		return err
	}
	if err := b.file.AutoFilter(name, "A1:"+last, nil); err != nil {
		return err
	}
	if err := landscape(b.file, name, "$1:$1"); err != nil {
		return err
	}
	stream, err := b.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	for i, h := range slices.Backward(s.heads) { // the stream writes the last first
		if err := stream.SetColWidth(i+1, i+1, h.width); err != nil {
			return err
		}
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	row := make([]any, len(s.heads))
	for i, h := range s.heads {
		row[i] = excelize.Cell{StyleID: b.head, Value: h.text}
	}
	s.stream = stream
	s.names, s.rows = append(s.names, name), append(s.rows, 1)
	return stream.SetRow("A1", row)
}

func (s *sheet) add(cells []any) error {
	last := len(s.rows) - 1
	if s.rows[last] == s.book.limit {
		if err := s.next(); err != nil {
			return err
		}
		last++
	}
	s.rows[last]++
	return s.stream.SetRow("A"+strconv.Itoa(s.rows[last]), cells)
}

// end finishes the sheet at hand.
func (s *sheet) end() error {
	err := s.stream.Flush()
	s.stream = nil
	return err
}

// landscape has the sheet print its columns on the width of a page, with the rows of
// the header on each; "" for none.
func landscape(f *excelize.File, name, header string) error {
	orientation, paper, wide, high, fit := "landscape", 9, 1, 0, true
	if err := f.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &orientation, Size: &paper, FitToWidth: &wide, FitToHeight: &high}); err != nil {
		return err
	}
	if err := f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}); err != nil {
		return err
	}
	if header == "" {
		return nil
	}
	return f.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", RefersTo: "'" + name + "'!" + header, Scope: name,
	})
}

// text is an inert cell: whatever it holds, it is no formula.
func text(s string) any { return excelize.Cell{Value: strings.ToValidUTF8(s, "\uFFFD")} }

// number is an amount as a number; one that a float does not show exactly is text.
func number(style int, s string) any {
	const exact = 15
	if len(strings.Trim(strings.Replace(s, ".", "", 1), "-")) > exact {
		return excelize.Cell{Value: s}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return excelize.Cell{Value: s}
	}
	return excelize.Cell{StyleID: style, Value: v}
}

func (b *book) trade(t *Trade, f *figure, evidence []Evidence) error {
	var paid any
	if t.HasPaid {
		paid = number(b.rebate, money(t.Paid))
	}
	b.cells = append(b.cells[:0], t.Row, text(t.Merchant), text(t.OutTradeNo), text(t.TradeNo), text(t.Product), text(t.PID), text(t.Store),
		excelize.Cell{StyleID: b.date, Value: time.Unix(t.Time, 0).UTC()},
		number(b.rebate, money(t.Expected)), paid, number(b.rebate, money(t.Claim())), text(causeText(t.Cause, b.lang)))
	if err := b.trades.add(b.cells); err != nil {
		return err
	}
	kind := rules.BasisReceived
	rate, agreement := "", ""
	if f.agreement != nil {
		kind, rate, agreement = f.agreement.Basis, f.agreement.Rate.String(), strconv.Itoa(t.Agreement)
	}
	var sale, back rules.Fen
	for i := range evidence {
		switch evidence[i].Role {
		case RoleBill:
			sale += evidence[i].basisOf(kind)
		case RoleRefund:
			back += evidence[i].basisOf(kind)
		case RoleAgreement, RoleAggregated, RolePOS, RoleStatement:
		}
	}
	b.cells = append(b.cells[:0], t.Row, text(t.TradeNo), number(b.amount, sale.String()), number(b.amount, back.String()), number(b.amount, f.basis.String()),
		number(0, rate), number(b.rebate, money(t.Expected)), paid, number(b.rebate, money(t.Loss())), text(b.computation(t, f)), text(agreement))
	return b.again.add(b.cells)
}

// computation says how the rebate comes about: 129.17 × 0.0055 = 0.710435 → 0.71.
func (b *book) computation(t *Trade, f *figure) string {
	a := f.agreement
	switch {
	case a == nil:
		return say(b.lang, "没有在效的协议", "no agreement in force")
	case f.basis <= 0:
		return say(b.lang, "基数不大于 0，返佣为 0", "basis not above 0: no rebate")
	}
	exact := f.basis.Decimal().Mul(a.Rate.Decimal())
	s := f.basis.String() + " × " + a.Rate.String() + " = " + exact.String()
	if a.HasCap && exact.GreaterThan(a.Cap.Decimal()) {
		s += say(b.lang, "，单笔上限 ", ", cap ") + money(a.Cap)
	}
	if a.Rounding == rules.RoundPeriod {
		return s + say(b.lang, "；本组合计一次舍入，本笔分得 ", "; the group is rounded once, its share is ") + money(t.Expected)
	}
	return s + say(b.lang, fmt.Sprintf("，四舍五入到 %d 位 → ", a.Scale), fmt.Sprintf(", rounded half up to %d decimals → ", a.Scale)) + money(t.Expected)
}

// close writes the summary and the agreements.
func (b *book) close(groups []Group, signed []Evidence) error {
	for _, s := range []*sheet{b.trades, b.again} {
		if err := s.end(); err != nil {
			return err
		}
	}
	if err := b.agreements(signed); err != nil {
		return err
	}
	return b.summary(groups)
}

func (b *book) agreements(signed []Evidence) error {
	say := func(zh, en string) string { return say(b.lang, zh, en) }
	s := &sheet{book: b, name: say("协议", "Agreements"), heads: []heading{
		{say("编号", "No."), 8},
		{say("服务商PID", "Provider PID"), 19},
		{say("产品", "Product"), 18},
		{say("费率", "Rate"), 10},
		{say("计算基数", "Basis"), 14},
		{say("生效日期", "From"), 12},
		{say("失效日期", "To"), 12},
		{say("小数位数", "Decimals"), 10},
		{say("舍入", "Rounding"), 12},
		{say("单笔上限", "Cap per trade"), 12},
		{say("来源", "Source"), 40},
	}}
	if err := s.next(); err != nil {
		return err
	}
	for i := range signed {
		e := &signed[i]
		u := e.used()[14:]
		in := b.m.Inputs[e.Input]
		place := in.Path
		if in.Member != "" {
			place += ":" + in.Member
		}
		if err := s.add([]any{
			e.Row, text(e.Provider), text(e.Product), number(0, u[0]), text(u[1]), text(u[2]), text(u[3]), number(0, u[4]), text(u[5]), text(u[6]),
			text(place + ":" + strconv.Itoa(int(e.Line))),
		}); err != nil {
			return err
		}
	}
	return s.end()
}

// summary is the first sheet: the claim, and its sums as live formulas over the
// trades, each with a check beside it.
func (b *book) summary(groups []Group) error {
	say := func(zh, en string) string { return say(b.lang, zh, en) }
	if err := landscape(b.file, say("汇总", "Summary"), ""); err != nil {
		return err
	}
	stream, err := b.file.NewStreamWriter(say("汇总", "Summary"))
	if err != nil {
		return err
	}
	for i, width := range slices.Backward([]float64{24, 20, 12, 14, 14, 14, 14, 14, 14, 10}) {
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	row := 0
	line := func(cells ...any) error {
		row++
		return stream.SetRow("A"+strconv.Itoa(row), cells)
	}
	bold := func(s string) any { return excelize.Cell{StyleID: b.head, Value: s} }
	// The sums of groups are bounded by the pack's; a formula adds up the rows.
	column := func(c string) string {
		var parts []string
		for i, name := range b.trades.names {
			parts = append(parts, fmt.Sprintf("SUM('%s'!%s2:%s%d)", name, c, c, max(b.trades.rows[i], 2)))
		}
		return strings.Join(parts, "+")
	}
	if err := line(excelize.Cell{StyleID: b.title, Value: say("返佣申诉", "Rebate claim")}); err != nil {
		return err
	}
	for _, pair := range [][2]string{
		{say("服务商PID", "Provider PID"), b.m.Provider},
		{say("账期", "Period"), b.m.Period},
		{say("对账日期", "Reconciled"), b.m.Date},
		{say("列出的交易", "Trades listed"), strconv.FormatInt(b.m.Rows, 10)},
		{say("其中申诉", "Of them claimed"), strconv.FormatInt(b.m.Claimed, 10)},
		{say("申诉金额合计", "Claimed in all"), b.m.Claim},
	} {
		if err := line(text(pair[0]), text(pair[1])); err != nil {
			return err
		}
	}
	if err := line(); err != nil {
		return err
	}
	if err := line(bold(say("商户PID", "Merchant PID")), bold(say("产品", "Product")), bold(say("交易", "Trades")), bold(say("应得", "Expected")), bold(say("PID 错误损失", "Lost by wrong PIDs")),
		bold(say("已付", "Paid")), bold(say("逐笔申诉", "Claims of trades")), bold(say("整组申诉", "Claims of groups")), bold(say("申诉合计", "Claimed")), bold("")); err != nil {
		return err
	}
	first := row + 1
	var claims, rest, all rules.Sum
	for i := range groups {
		g := &groups[i]
		claims.AddSum(g.Claims)
		rest.AddSum(g.Rest)
		all.AddSum(g.Total())
		total := number(b.rebate, g.Total().String6())
		if c, ok := total.(excelize.Cell); ok {
			c.Formula = fmt.Sprintf("G%d+H%d", row+1, row+1)
			total = c
		}
		if err := line(text(g.Merchant), text(g.Product), g.Trades, number(b.rebate, g.Expected.String6()), number(b.rebate, g.Lost.String6()),
			number(b.rebate, g.Paid.String6()), number(b.rebate, g.Claims.String6()), number(b.rebate, g.Rest.String6()), total); err != nil {
			return err
		}
	}
	last := max(row, first)
	sums := []any{bold(say("合计", "Total")), bold(""), excelize.Cell{StyleID: b.head, Formula: fmt.Sprintf("SUM(C%d:C%d)", first, last), Value: b.m.Rows}}
	for i, s := range []rules.Sum{sumOf(groups, func(g *Group) rules.Sum { return g.Expected }), sumOf(groups, func(g *Group) rules.Sum { return g.Lost }), sumOf(groups, func(g *Group) rules.Sum { return g.Paid }), claims, rest, all} {
		c := string(rune('D' + i))
		cell, _ := number(b.rebate, s.String6()).(excelize.Cell)
		cell.Formula = fmt.Sprintf("SUM(%s%d:%s%d)", c, first, c, last)
		sums = append(sums, cell)
	}
	if err := line(sums...); err != nil {
		return err
	}
	total := row
	if err := line(); err != nil {
		return err
	}
	if err := line(bold(say("核对", "Check")), bold(say("由明细求和", "From the rows")), bold(say("本申诉", "This claim")), bold("")); err != nil {
		return err
	}
	ok := say("相符", "holds")
	check := func(name, formula string, value rules.Sum) error {
		live, _ := number(b.rebate, value.String6()).(excelize.Cell)
		live.Formula = formula
		at := row + 1
		return line(text(name), live, number(b.rebate, value.String6()), excelize.Cell{
			StyleID: b.check, Formula: fmt.Sprintf(`IF(ABS(B%d-C%d)<0.0000005,"%s","%s")`, at, at, ok, say("不符", "differs")), Value: ok,
		})
	}
	if err := check(say("逐笔申诉", "Claims of trades"), column("K"), claims); err != nil {
		return err
	}
	if err := check(say("申诉合计", "Claimed"), fmt.Sprintf("%s+H%d", column("K"), total), all); err != nil {
		return err
	}
	if err := line(); err != nil {
		return err
	}
	for _, note := range []string{
		say("应得 = 四舍五入（计佣基数 × 费率），见「复算」；申诉 = 应得 − 已付。", "Expected = basis × rate, rounded half up: see Recomputation. Claimed = expected − paid."),
		say("申诉金额为 0 的交易：与同组一起计算（合并结算或合计舍入），列出供复核。", "Trades that claim 0.00 are computed together with their group (paid in one sum, or rounded once), and listed so that it can be checked."),
		say("复核：duizhang claim verify 本文件夹 [--inputs 原始文件所在文件夹]", "To check: duizhang claim verify THIS-FOLDER [--inputs FOLDER-OF-THE-ORIGINALS]"),
	} {
		if err := line(text(note)); err != nil {
			return err
		}
	}
	return stream.Flush()
}

func sumOf(groups []Group, of func(*Group) rules.Sum) (s rules.Sum) {
	for i := range groups {
		s.AddSum(of(&groups[i]))
	}
	return s
}

var causeTexts = map[rules.Cause][2]string{
	rules.CauseStatementMissing: {"返佣账单缺这一笔", "missing from the statement"},
	rules.CauseStatementShort:   {"返佣账单少付", "paid short"},
	rules.CauseStatementOver:    {"返佣账单多付", "paid in excess"},
	rules.CauseOK:               {"无差异", "no difference"},
	rules.CausePIDUnknown:       {"没有 POS 订单，PID 未知", "no POS order: PID unknown"},
}

// causeText is a cause in words; those of wrong PIDs have one between them.
func causeText(c rules.Cause, lang string) string {
	t, ok := causeTexts[c]
	switch {
	case ok:
		return say(lang, t[0], t[1])
	case c.Lost():
		return say(lang, "PID 错误，不申诉", "wrong PID, not claimed")
	}
	return c.String()
}
