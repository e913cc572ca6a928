package reports

import (
	"archive/zip"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// workbookName is the workbook's file.
const workbookName = "report.xlsx"

// sheetRows is how many rows a sheet of a workbook has.
const sheetRows = 1 << 20

// workbook writes report.xlsx.
func (w *Writer) workbook(ctx context.Context, r *engine.Result, end Outcome) error {
	dir, err := w.tempDir()
	if err != nil {
		return err
	}
	b := &book{lang: w.opts.Lang, file: excelize.NewFile(excelize.Options{TmpDir: dir}), limit: sheetRows}
	defer func() { _ = b.file.Close() }()
	b.fill(ctx, r, &w.opts, end)
	if b.err != nil {
		return fmt.Errorf("output %s: %w", workbookName, b.err)
	}
	return w.saveBook(b.file)
}

// saveBook writes the workbook with its members in the order of their names: the
// library writes sheets in the order of a map.
func (w *Writer) saveBook(f *excelize.File) error {
	temp, err := w.createTemp("book-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = temp.Close()
		_ = os.Remove(temp.Name())
	}()
	if err := f.Write(temp); err != nil {
		return fmt.Errorf("output %s: %w", workbookName, err)
	}
	size, err := temp.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("output %s: %w", workbookName, err)
	}
	in, err := zip.NewReader(temp, size)
	if err != nil {
		return fmt.Errorf("output %s: %w", workbookName, err)
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int {
		// Readers look for the list of types first.
		const types = "[Content_Types].xml"
		return cmp.Or(-compareBool(a.Name == types, b.Name == types), cmp.Compare(a.Name, b.Name))
	})
	return w.writeFile(workbookName, func(out io.Writer) error {
		z := zip.NewWriter(out)
		for _, member := range in.File {
			if err := z.Copy(member); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// A book is a workbook that is being filled, sheet by sheet. After an error it
// does nothing more.
type book struct {
	file   *excelize.File
	lang   Lang
	limit  int // rows of a sheet
	sheets int
	bold   int // styles
	amount int
	rebate int
	title  int
	err    error
}

// A heading is a column of a sheet.
type heading struct {
	name  string
	width float64 // in characters, a Chinese one is two
}

// An amountCell is an amount in a sheet: a number with two decimals, or up to
// six.
type amountCell struct {
	sum   rules.Sum
	micro bool
}

// float is the one place where an amount becomes a float: a cell of a workbook
// holds nothing else. What a float would not show to the fen is not a number but
// text.
func (a amountCell) float() (float64, bool) {
	text := a.text()
	const exact = 15 // digits
	if len(strings.Trim(strings.Replace(text, ".", "", 1), "-")) > exact {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

func (a amountCell) text() string {
	if a.micro {
		return a.sum.String6()
	}
	return a.sum.String2()
}

func (b *book) check(err error) {
	if b.err == nil {
		b.err = err
	}
}

// fill makes all sheets.
func (b *book) fill(ctx context.Context, r *engine.Result, o *Options, end Outcome) {
	b.styles()
	b.overview(r, o, end)
	b.breakSheets(ctx, r, o)
	b.lossSheet(r, o.Privacy)
	b.groupSheet(r)
	b.rejectSheet(ctx, r, o)
	b.check(ctx.Err())
	if b.err != nil {
		return
	}
	b.file.SetActiveSheet(0)
	// The library's new workbook has a fixed date in it; ours says what it is.
	b.check(b.file.SetDocProps(&excelize.DocProperties{
		Title:   strings.TrimSpace(b.lang.pick("对账报告 ", "Reconciliation report ") + r.Date),
		Creator: "duizhang", LastModifiedBy: "duizhang", Version: "1.0",
		Created: "2006-01-02T15:04:05Z", Modified: "2006-01-02T15:04:05Z",
	}))
}

func (b *book) styles() {
	style := func(s *excelize.Style) int {
		id, err := b.file.NewStyle(s)
		b.check(err)
		return id
	}
	two, six := "#,##0.00", "#,##0.00####"
	b.bold = style(&excelize.Style{
		Font:      &excelize.Font{Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7EEF7"}},
		Alignment: &excelize.Alignment{Vertical: "center"},
	})
	b.title = style(&excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	b.amount = style(&excelize.Style{CustomNumFmt: &two})
	b.rebate = style(&excelize.Style{CustomNumFmt: &six})
}

// sheet writes one sheet, and as many numbered ones as its rows need. row gives
// the values of a row: string, int64, bool, amountCell or nil.
func (b *book) sheet(name string, head []heading, rows int, row func(dst []any, i int) []any) {
	per := b.limit - 1 // below the header
	for from, number := 0, 1; from == 0 || from < rows; from, number = from+per, number+1 {
		part := name
		if number > 1 {
			part += " " + itoa(number)
		}
		b.onePage(part, head, from, min(from+per, rows), row)
	}
}

func (b *book) onePage(name string, head []heading, from, to int, row func(dst []any, i int) []any) {
	sw := b.begin(name, head)
	if b.err != nil {
		return
	}
	b.check(sw.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
		Selection: []excelize.Selection{{SQRef: "A2", ActiveCell: "A2", Pane: "bottomLeft"}},
	}))
	values := make([]any, len(head))
	for i, h := range head {
		values[i] = excelize.Cell{StyleID: b.bold, Value: h.name}
	}
	b.check(sw.SetRow("A1", values))
	last, err := excelize.CoordinatesToCellName(len(head), max(to-from+1, 2))
	b.check(err)
	if b.err == nil {
		b.check(b.file.AutoFilter(name, "A1:"+last, nil))
	}
	for i := from; i < to && b.err == nil; i++ {
		values = row(values[:0], i)
		b.check(b.setRow(sw, i-from+2, values))
	}
	if b.err == nil {
		b.check(sw.Flush())
	}
}

// begin adds a sheet with the widths of its columns.
func (b *book) begin(name string, head []heading) *excelize.StreamWriter {
	if b.err != nil {
		return nil
	}
	var err error
	if b.sheets == 0 {
		err = b.file.SetSheetName(b.file.GetSheetName(0), name)
	} else {
		_, err = b.file.NewSheet(name)
	}
	b.sheets++
	if b.check(err); err != nil {
		return nil
	}
	b.check(b.print(name))
	sw, err := b.file.NewStreamWriter(name)
	if b.check(err); err != nil {
		return nil
	}
	for i, h := range head {
		b.check(sw.SetColWidth(i+1, i+1, h.width))
	}
	return sw
}

// print sets the sheet up for paper: landscape, as wide as the page, the header on
// every page.
func (b *book) print(name string) error {
	fit, landscape, wide, tall, a4 := true, "landscape", 1, 0, 9
	if err := b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}); err != nil {
		return err
	}
	return b.file.SetPageLayout(name, &excelize.PageLayoutOptions{
		Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &tall,
	})
}

// setRow writes a row. Text is always a text cell: no value can be a formula.
func (b *book) setRow(sw *excelize.StreamWriter, number int, values []any) error {
	for i, v := range values {
		a, ok := v.(amountCell)
		if !ok {
			continue
		}
		style := b.amount
		if a.micro {
			style = b.rebate
		}
		if f, ok := a.float(); ok {
			values[i] = excelize.Cell{StyleID: style, Value: f}
		} else {
			values[i] = a.text()
		}
	}
	cell, err := excelize.CoordinatesToCellName(1, number)
	if err != nil {
		return err
	}
	return sw.SetRow(cell, values)
}

// overview is the first sheet: the result, the inputs, the proofs and the
// figures of every part.
func (b *book) overview(r *engine.Result, o *Options, end Outcome) {
	const wide, narrow = 48, 20
	head := []heading{{"", wide}, {"", narrow}, {"", narrow}, {"", narrow}, {"", narrow}, {"", narrow}, {"", narrow}}
	sw := b.begin(b.lang.pick("总览", "Overview"), head)
	number := 0
	for _, line := range overviewOf(r, o, end) {
		if b.err != nil {
			return
		}
		number++
		values := slices.Clone(line.cells)
		if line.style != plainLine {
			style := b.bold
			if line.style == titleLine {
				style = b.title
			}
			for i := range values {
				values[i] = excelize.Cell{StyleID: style, Value: values[i]}
			}
		}
		b.check(b.setRow(sw, number, values))
	}
	if b.err == nil {
		b.check(sw.Flush())
	}
}

// breakKinds are the sheets of breaks, and the codes on each.
var breakKinds = []struct {
	zh, en string
	codes  []rules.BreakCode
}{
	{"长款", "Over", []rules.BreakCode{rules.BreakBillOnly}},
	{"短款", "Short", []rules.BreakCode{rules.BreakPOSOnly}},
	{"金额不符", "Amounts", []rules.BreakCode{
		rules.BreakAmountMismatch, rules.BreakDuplicateConflict, rules.BreakTradeNoConflict,
		rules.BreakAmountIdentity, rules.BreakFundingMismatch,
	}},
	{"状态不符", "Status", []rules.BreakCode{rules.BreakStatusMismatch}},
	{"退款", "Refunds", []rules.BreakCode{
		rules.BreakRefundBillOnly, rules.BreakRefundPOSOnly, rules.BreakRefundAmountMismatch,
		rules.BreakRefundStatusMismatch, rules.BreakRefundSplit, rules.BreakRefundExceedsTotal,
		rules.BreakRefundRequest, rules.BreakRefundOrphan,
	}},
	{"手续费", "Fees", []rules.BreakCode{rules.BreakFeeMismatch}},
	{"账务", "Account", []rules.BreakCode{rules.BreakAccountMissing, rules.BreakAccountMismatch}},
	{"商品与优惠", "Goods and coupons", []rules.BreakCode{
		rules.BreakPriceUnknown, rules.BreakGoodsIncomplete, rules.BreakCouponThreshold, rules.BreakAllowanceStep,
		rules.BreakCouponGoodsLimit, rules.BreakGoodsFieldMissing, rules.BreakGoodsUnknown, rules.BreakPayCode,
		rules.BreakHuabeiOnFace, rules.BreakStoreUnknown, rules.BreakStoreSyncOff,
	}},
	{"返佣", "Rebates", []rules.BreakCode{
		rules.BreakPIDMissing, rules.BreakPIDWrongKey, rules.BreakPIDDamaged, rules.BreakPIDMalformed,
		rules.BreakPIDIsMerchant, rules.BreakPIDNotEffective, rules.BreakPIDUnsigned, rules.BreakPIDForeign,
		rules.BreakPIDUnknown, rules.BreakStatementTerms, rules.BreakStatementUnearned, rules.BreakStatementMissing,
		rules.BreakStatementShort, rules.BreakStatementOver, rules.BreakStatementOrphan, rules.BreakStatementDuplicate,
	}},
	{"设备", "Devices", []rules.BreakCode{
		rules.BreakDeviceMonthCap, rules.BreakDeviceTotalCap, rules.BreakDeviceMonthCount,
		rules.BreakDeviceUnsigned, rules.BreakDeviceUnknown,
	}},
	{"文件", "Files", []rules.BreakCode{rules.BreakControlTotal, rules.BreakDialectDrift}},
	{"重复", "Repeated", []rules.BreakCode{rules.BreakDuplicate, rules.BreakRefundDuplicate}},
}

// breakSheets writes a sheet for each kind of break that occurs.
func (b *book) breakSheets(ctx context.Context, r *engine.Result, o *Options) {
	l := b.lang
	const id, amount, text = 32, 14, 52
	head := []heading{
		{l.pick("类别", "Kind"), 30},
		{l.pick("级别", "Severity"), 9},
		{l.pick("方向", "Side"), 10},
		{l.pick("商户PID", "Merchant PID"), 20},
		{l.pick("商户订单号", "Order number"), id},
		{l.pick("支付宝交易号", "Trade number"), id},
		{l.pick("退款请求号", "Request number"), 24},
		{l.pick("门店", "Store"), 14},
		{l.pick("金额", "Amount"), amount},
		{l.pick("说明", "Detail"), text},
		{l.pick("处理建议", "What to do"), text},
		{l.pick("首次发现", "First seen"), 12},
		{l.pick("天数", "Days"), 7},
		{l.pick("来源", "Source"), 36},
		{VerdictIDColumn.Head(l), 26},
		{VerdictByColumn.Head(l), 12},
		{VerdictStateColumn.Head(l), 12},
		{VerdictNoteColumn.Head(l), 30},
	}
	of := make([][]int32, len(breakKinds))
	var kindOf [256]int
	for kind := range breakKinds {
		for _, code := range breakKinds[kind].codes {
			kindOf[code] = kind
		}
	}
	for i := range r.Breaks {
		kind := kindOf[r.Breaks[i].Code]
		of[kind] = append(of[kind], int32(i))
	}
	for kind, rows := range of {
		if len(rows) == 0 {
			continue
		}
		b.check(ctx.Err())
		b.sheet(l.pick(breakKinds[kind].zh, breakKinds[kind].en), head, len(rows), func(dst []any, i int) []any {
			br := &r.Breaks[rows[i]]
			source := ""
			if br.Table >= 0 {
				source = placeOf(tableAt(r.Tables, br.Table), br.Line)
			}
			id := br.ID()
			v := o.Verdicts[id]
			return append(dst, l.text(br.Code).Title, l.severity(br.Severity), l.side(br.Side), br.Merchant, br.OutTradeNo,
				br.TradeNo, br.RequestNo, o.Privacy.mobiles(br.Store), amountCell{stake(br), true}, detail(br, l, o.Privacy), suggestion(br, l),
				br.FirstSeen, int64(br.AgeDays), source, id, v.By, v.State.Text(l), v.Note)
		})
	}
}

// lossSheet ranks the rebate losses by cause, PID, merchant, store, terminal and
// day.
func (b *book) lossSheet(r *engine.Result, p Privacy) {
	l := b.lang
	type line struct {
		by string
		engine.LossGroup
	}
	var lines []line
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		if t := &r.Causes[c]; t.Count > 0 && !t.Loss.IsZero() {
			lines = append(lines, line{l.pick("原因", "Cause"), engine.LossGroup{
				Key: l.cause(c), Count: t.Count, Loss: t.Loss, Since: schema.Null,
			}})
		}
	}
	for _, g := range []struct {
		by     string
		groups []engine.LossGroup
	}{
		{"PID", r.Losses.Provider},
		{l.pick("商户", "Merchant"), r.Losses.Merchant},
		{l.pick("门店", "Store"), p.losses(r.Losses.Store)},
		{l.pick("终端", "Terminal"), p.losses(r.Losses.Terminal)},
		{l.pick("日期", "Day"), r.Losses.Day},
	} {
		for _, group := range g.groups {
			lines = append(lines, line{g.by, group})
		}
	}
	if len(lines) == 0 {
		return
	}
	head := []heading{
		{l.pick("维度", "By"), 10},
		{l.pick("对象", "Which"), 32},
		{l.pick("所属门店", "Store"), 16},
		{l.pick("商户", "Merchant"), 20},
		{l.pick("笔数", "Trades"), 9},
		{l.pick("损失", "Loss"), 16},
		{l.pick("不可申诉", "Lost"), 16},
		{l.pick("可申诉", "Claimable"), 16},
		{l.pick("始于", "Since"), 20},
	}
	b.sheet(l.pick("返佣损失", "Rebate losses"), head, len(lines), func(dst []any, i int) []any {
		g := &lines[i]
		since := ""
		if g.Since != schema.Null {
			since = momentText(g.Since)
		}
		return append(dst, g.by, g.Key, g.Parent, g.Merchant, g.Count, amountCell{g.Loss, true},
			amountCell{g.Lost, true}, amountCell{g.Claim, true}, since)
	})
}

// groupSheet is rebate_groups.
func (b *book) groupSheet(r *engine.Result) {
	if len(r.Groups) == 0 {
		return
	}
	l := b.lang
	head := []heading{
		{l.pick("服务商PID", "Provider PID"), 20},
		{l.pick("商户PID", "Merchant PID"), 20},
		{l.pick("产品", "Product"), 18},
		{l.pick("账期", "Period"), 12},
		{l.pick("笔数", "Trades"), 9},
		{l.pick("基数", "Basis"), 16},
		{l.pick("费率", "Rate"), 10},
		{l.pick("应得", "Expected"), 16},
		{l.pick("已付", "Stated"), 16},
		{l.pick("差额", "Difference"), 16},
		{l.pick("结论", "Cause"), 26},
		{l.pick("不可申诉", "Lost"), 16},
		{l.pick("可申诉", "Claimable"), 16},
	}
	b.sheet(l.pick("返佣汇总", "Rebate groups"), head, len(r.Groups), func(dst []any, i int) []any {
		g := &r.Groups[i]
		var rate, stated any
		if g.Rate != schema.Null {
			rate = rules.Micro(g.Rate).String()
		}
		if g.HasStated {
			stated = amountCell{g.Stated, true}
		}
		return append(dst, g.Provider, g.Merchant, g.Product, g.Period, g.Trades, amountCell{g.Basis, false}, rate,
			amountCell{g.Expected, true}, stated, amountCell{g.Stated.Sub(g.Expected), true}, l.cause(g.Cause),
			amountCell{g.Lost, true}, amountCell{g.Claimable, true})
	})
}

// rejectSheet lists the rows that were not accepted.
func (b *book) rejectSheet(ctx context.Context, r *engine.Result, o *Options) {
	if len(r.Rejects) == 0 {
		return
	}
	b.check(ctx.Err())
	l := b.lang
	head := []heading{
		{l.pick("文件", "File"), 36},
		{l.pick("行", "Line"), 9},
		{l.pick("输入", "Input"), 14},
		{l.pick("代码", "Code"), 18},
		{l.pick("列", "Column"), 18},
		{l.pick("值", "Value"), 26},
		{l.pick("说明", "What is wrong"), 56},
		{l.pick("原文", "Row"), 80},
	}
	b.sheet(l.pick("坏行", "Rejects"), head, len(r.Rejects), func(dst []any, i int) []any {
		j := &r.Rejects[i]
		t := tableAt(r.Tables, j.Table)
		return append(dst, t.File(), int64(j.Line), t.Kind.String(), j.Code.String(), j.Column,
			o.Privacy.cell(j.Column, j.Value), rejectMessage(j, l, o.Privacy), o.Privacy.raw(columnsOf(t, j.Code), j.Raw))
	})
}
