package reports

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
	"duizhang/rules"
)

// workbookName is the workbook's file.
const workbookName = "report.xlsx"

const (
	sheetRows = 1 << 20 // a sheet has so many rows

	// A list shows so many rows at most where another output has them all, and says
	// what it leaves out. Breaks are for people to work through; the other rows are
	// looked at.
	breakLimit = 2_000_000
	rowLimit   = 200_000

	maxLinks = 65_530 // of a sheet
)

// A book is the workbook. It is made before the run, because it gathers rows while
// the parts come; its sheets are written at the end. After an error it does
// nothing more.
//
// A sheet of rows is a list (workbook_list.go). The library makes everything but
// the rows, which go from the engine's numbers into the file (sheetxml.go).
type book struct {
	lang     Lang
	privacy  Privacy
	opts     *Options
	verdicts map[string]Verdict
	lookup   *lookup
	perSheet int64 // rows of a sheet
	rows     *bookRows

	result  *engine.Result
	end     Outcome
	file    *excelize.File
	styles  []int
	members bookMembers
	sheets  int
	links   map[string]int // by sheet
	lists   map[string]listSheet
	err     error
}

func newBook(o *Options, l *lookup) *book {
	b := &book{lang: o.Lang, privacy: o.Privacy, opts: o, verdicts: o.Verdicts, lookup: l, perSheet: sheetRows}
	b.rows = newBookRows(b, 0, 1)
	return b
}

// workbook writes report.xlsx.
func (w *Writer) workbook(ctx context.Context, r *engine.Result, end Outcome) error {
	b := w.book
	defer b.rows.close()
	b.result, b.end = r, end
	if err := b.make(ctx); err != nil {
		return fmt.Errorf("output %s: %w", workbookName, err)
	}
	return w.writeFile(workbookName, b.members.write)
}

// make makes all sheets; their rows are written with the members.
func (b *book) make(ctx context.Context) error {
	b.file = excelize.NewFile()
	defer func() { _ = b.file.Close() }()
	// Widths of columns count in digits of this font. Every office has one of its
	// measures, so that sheets and charts have the same size everywhere.
	if err := b.file.SetDefaultFont("Arial"); err != nil {
		return err
	}
	b.links = map[string]int{}
	b.members.rows = map[string]func(io.Writer) error{}
	var err error
	if b.styles, err = bookStyles(b.file, b.lang); err != nil {
		return err
	}
	lists, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	overview := b.newSheet(b.overviewName())
	for _, l := range lists {
		b.listSheets(ctx, l)
	}
	b.overview(overview, lists)
	b.file.SetActiveSheet(0)
	b.properties()
	if b.err != nil {
		return b.err
	}
	return b.members.take(b.file)
}

func (b *book) overviewName() string { return b.lang.pick("总览", "Overview") }

// bookOrder is the order of the lists in the workbook; a further sheet is one entry
// more and its list in lists.
var bookOrder = []string{
	"over", "short", "amounts", "status", "refunds", "overpaid", "allocation", "goods", "fees", "losses", "rebates",
	"groups", "ties", "accounts", "shifts", "rewards", "devices", "pending", "repeated", "excluded", "rejects", "files", "rules", "sources", "controls",
}

// prepare makes the lists that have something to show, in their order.
func (b *book) prepare(ctx context.Context) ([]listSheet, error) {
	ran := ResultsOf(b.result.Parts)
	b.lists = b.unitLists(b.rows, ran)
	for i, l := range b.breakLists(b.result.Breaks) {
		if l != nil {
			b.lists[breakKinds[i].id] = l
		}
	}
	for _, l := range b.smallLists(ran) {
		b.lists[l.info().id] = l
	}
	var lists []listSheet
	for _, id := range bookOrder {
		l := b.lists[id]
		if l == nil {
			continue
		}
		if err := l.prepare(ctx); err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// list gives a list its pages' size.
func (b *book) list(l interface {
	listSheet
	sized(rows int64)
},
) listSheet {
	l.sized(b.perSheet - firstRow + 1)
	return l
}

func (l *rowList[T]) sized(rows int64) { l.perPage = rows }

// limitOf is n where another output has all rows, 0 for no limit where the workbook
// is all there is.
func (b *book) limitOf(n int64) int64 {
	if b.opts.Formats.CSV || b.opts.Formats.Parquet {
		return n
	}
	return 0
}

func (b *book) check(err error) {
	if b.err == nil {
		b.err = err
	}
}

// newSheet adds a sheet and gives the member that its rows are in.
func (b *book) newSheet(name string) string {
	b.sheets++
	if b.sheets == 1 {
		b.check(b.file.SetSheetName(b.file.GetSheetName(0), name))
	} else {
		_, err := b.file.NewSheet(name)
		b.check(err)
	}
	member := fmt.Sprintf("xl/worksheets/sheet%d.xml", b.sheets)
	b.members.order = append(b.members.order, member)
	return member
}

// paper sets a sheet up for printing: landscape, as wide as the page, with the
// header on every page and the sheet's name and the page's number on the edge.
func (b *book) paper(name string, header int) {
	fit, landscape, wide, tall, a4 := true, "landscape", 1, 0, 9
	b.check(b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}))
	b.check(b.file.SetPageLayout(name, &excelize.PageLayoutOptions{
		Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &tall,
	}))
	narrow, edge := 0.4, 0.6
	b.check(b.file.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{
		Left: &narrow, Right: &narrow, Top: &edge, Bottom: &edge, Header: &narrow, Footer: &narrow,
	}))
	title := strings.ReplaceAll(b.lang.pick("对账报告 ", "Reconciliation report ")+b.result.Date, "&", "&&")
	b.check(b.file.SetHeaderFooter(name, &excelize.HeaderFooterOptions{
		OddHeader: "&L" + title + "&R&A", OddFooter: b.lang.pick("&C第 &P 页，共 &N 页", "&Cpage &P of &N"),
	}))
	if header > 0 {
		b.check(b.file.SetDefinedName(&excelize.DefinedName{
			Name: "_xlnm.Print_Titles", Scope: name, RefersTo: quoteSheet(name) + "!$" + itoa(header) + ":$" + itoa(header),
		}))
	}
}

// link makes a cell a link to a place in the workbook, as long as the sheet may
// have links.
func (b *book) link(sheet string, col, row int, to string, cell string) {
	if b.links[sheet] == maxLinks {
		return
	}
	b.links[sheet]++
	b.check(b.file.SetCellHyperLink(sheet, columnNames[col]+itoa(row), quoteSheet(to)+"!"+cell, "Location"))
}

// listSheets adds the sheets of a list.
func (b *book) listSheets(ctx context.Context, l listSheet) {
	info, heads := l.info(), l.heads()
	for number := range info.pages {
		p := &info.pages[number]
		member := b.newSheet(p.sheet)
		b.dress(p, heads)
		b.members.rows[member] = func(out io.Writer) error {
			c := newCellsWriter(out, b.styles)
			b.listTop(c, info, number, heads)
			if p.rows == 0 && info.none != "" {
				c.begin(24)
				c.text(noneStyle, info.none)
				c.end()
			}
			if err := l.page(ctx, c, number); err != nil {
				return err
			}
			c.flush()
			return c.err
		}
	}
}

// dress sets a list's sheet up: widths, the frozen header, the filter, paper, and
// the drop-downs.
func (b *book) dress(p *listPage, heads []listHead) {
	for k, h := range heads {
		width := h.width
		if k == 0 {
			width = max(width, 9) // the way back
		}
		b.check(b.file.SetColWidth(p.sheet, columnNames[k], columnNames[k], width))
	}
	b.check(b.file.SetPanes(p.sheet, &excelize.Panes{
		Freeze: true, YSplit: headRow, TopLeftCell: "A" + itoa(firstRow), ActivePane: "bottomLeft",
		Selection: []excelize.Selection{{SQRef: "A" + itoa(firstRow), ActiveCell: "A" + itoa(firstRow), Pane: "bottomLeft"}},
	}))
	last := firstRow + int(max(p.rows, 1)) - 1
	lastColumn := columnNames[len(heads)-1]
	b.check(b.file.AutoFilter(p.sheet, "A"+itoa(headRow)+":"+lastColumn+itoa(last), nil))
	b.check(b.file.SetSheetDimension(p.sheet, "A1:"+lastColumn+itoa(last)))
	// Ids are text, and nobody is to be told so in every cell.
	b.check(b.file.AddIgnoredErrors(p.sheet, "A"+itoa(firstRow)+":"+lastColumn+itoa(last), excelize.IgnoredErrorsNumberStoredAsText))
	b.paper(p.sheet, headRow)
	b.printed(p.sheet, heads, last)
	b.link(p.sheet, 0, totalRow, b.overviewName(), "A1")
	for k, h := range heads {
		if h.name == VerdictStateColumn.Head(b.lang) {
			b.dropDown(p.sheet, columnNames[k]+itoa(firstRow)+":"+columnNames[k]+itoa(last))
		}
	}
	zoom := 90.0
	b.check(b.file.SetSheetView(p.sheet, 0, &excelize.ViewOptions{ZoomScale: &zoom, ShowGridLines: new(bool)}))
}

// printed leaves out what nobody needs on paper: the columns behind the details.
func (b *book) printed(sheet string, heads []listHead, last int) {
	for k, h := range heads {
		if h.name == b.head(headDetail) {
			b.check(b.file.SetDefinedName(&excelize.DefinedName{
				Name: "_xlnm.Print_Area", Scope: sheet, RefersTo: quoteSheet(sheet) + "!$A$1:" + absoluteRef(k, last),
			}))
		}
	}
}

// dropDown lets people choose a verdict.
func (b *book) dropDown(sheet, cells string) {
	choice := excelize.NewDataValidation(true)
	choice.Sqref = cells
	var words []string
	for _, s := range VerdictStates() {
		words = append(words, s.Text(b.lang))
	}
	b.check(choice.SetDropList(words))
	choice.SetError(excelize.DataValidationErrorStyleStop, b.lang.pick("结论", "Verdict"),
		b.lang.pick("请从下拉列表中选择："+strings.Join(words, "、"), "choose from the list: "+strings.Join(words, ", ")))
	b.check(b.file.AddDataValidation(sheet, choice))
}

// listTop writes the rows above a list: title, note, totals, header.
func (b *book) listTop(c *cellsWriter, l *listInfo, number int, heads []listHead) {
	p := &l.pages[number]
	title := l.title
	if len(l.pages) > 1 {
		title += b.lang.pick("（第 "+itoa(number+1)+" 张，共 "+itoa(len(l.pages))+" 张）", " ("+itoa(number+1)+" of "+itoa(len(l.pages))+")")
	}
	c.begin(26)
	c.text(titleStyle, title)
	c.end()
	c.begin(18)
	if rest := l.total() - l.listed; rest > 0 {
		c.text(warnBanner, b.lang.pick(
			"只列前 "+itoa(l.listed)+" 行，其余 "+itoa(rest)+" 行在 "+l.full+" 表（CSV/Parquet）中；总览的合计包含它们。",
			"The first "+itoa(l.listed)+" rows are listed; "+itoa(rest)+" more are in the table "+l.full+" (CSV, Parquet). The overview adds them all up."))
	} else {
		c.text(noteStyle, l.note)
	}
	c.end()
	c.begin(20)
	c.text(linkStyle, b.lang.pick("← 总览", "← Overview"))
	if !l.mixed {
		b.listTotals(c, l, p, heads)
	}
	c.end()
	c.begin(32)
	for _, h := range heads {
		style := headStyle
		if h.input {
			style = headFill
		}
		c.text(style, h.name)
	}
	c.end()
}

// listTotals adds up what the filter shows.
func (b *book) listTotals(c *cellsWriter, l *listInfo, p *listPage, heads []listHead) {
	last := firstRow + int(max(p.rows, 1)) - 1
	over := func(k int) string { return columnNames[k] + itoa(firstRow) + ":" + columnNames[k] + itoa(last) }
	for k := 1; k < len(heads); k++ {
		switch {
		case k == 1 && !heads[k].total:
			counted := 0 // a column that every row fills
			if len(l.keyed) > 0 {
				counted = l.keyed[0]
			}
			if p.rows == 0 {
				c.blank(totalLabel) // the words that say so would be counted
			} else {
				c.formula(totalCount, "SUBTOTAL(103,"+over(counted)+")", numberFigure(itoa(p.rows)))
			}
		case heads[k].total:
			c.formula(totalStyle(heads[k].style), "SUBTOTAL(109,"+over(k)+")", numberFigure(p.sums[k].String6()))
		default:
			c.blank(totalLabel)
		}
	}
}

// totalStyle is the style of the total of such cells.
func totalStyle(of cellStyle) cellStyle {
	if of == signedStyle {
		return totalSigned
	}
	if of == rebateStyle {
		return totalRebate
	}
	return totalAmount
}

// word is the text of a column of words, as it may be shown.
func (b *book) word(col *column, i int) string {
	code := col.Words[i]
	return b.lookup.words(code, variant{b.privacy.of(col.Name), asIs})[code]
}

// properties say what the workbook is. The library's new workbook has a fixed
// date in it, and so has ours: the time of a run reaches no byte.
func (b *book) properties() {
	b.check(b.file.SetDocProps(&excelize.DocProperties{
		Title:   strings.TrimSpace(b.lang.pick("对账报告 ", "Reconciliation report ") + b.result.Date),
		Creator: "duizhang", LastModifiedBy: "duizhang", Version: "1.0",
		Created: "2006-01-02T15:04:05Z", Modified: "2006-01-02T15:04:05Z",
	}))
	always := true
	b.check(b.file.SetCalcProps(&excelize.CalcPropsOptions{FullCalcOnLoad: &always}))
}

// An amountCell is an amount in text: fen, or millionths with two to six decimals.
type amountCell struct {
	sum   rules.Sum
	micro bool
}

func (a amountCell) append(dst []byte) []byte {
	if a.micro {
		return a.sum.AppendDecimal(dst, 6, 2)
	}
	return a.sum.AppendDecimal(dst, 2, 2)
}
