package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

func openBook(t *testing.T, dir string) *excelize.File {
	t.Helper()
	f, err := excelize.OpenFile(filepath.Join(dir, workbookName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestWorkbook(t *testing.T) {
	d := newDay(1, 2, 40)
	o := d.options(t.TempDir())
	o.Verdicts = map[string]Verdict{d.result().Breaks[0].ID(): {VerdictSettled, "张会计", "补录"}}
	d.write(t, o, []int{1, 0})
	f := openBook(t, o.Dir)
	want := []string{
		"总览", "长款", "短款", "金额不符", "状态不符", "退款", "退款资损", "商品分摊", "商品与优惠", "手续费", "返佣", "返佣差异", "返佣汇总",
		"账务差异", "设备差异", "存疑跨日", "重复", "剔除", "坏行", "文件差异", "规则与参数", "来源文件", "控制总额", "图表数据",
	}
	if got := f.GetSheetList(); !slices.Equal(got, want) {
		t.Errorf("sheets = %q, want %q", got, want)
	}
	rows, err := f.GetRows("长款", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	b := d.result().Breaks[0]
	wantRow := []string{
		"错误", "POS000", "2026112022001400000000000000", "46346.3333449074", "S001", "T01", "op1", "", "12.00", "12.00", "12.00",
		"张会计", "已解决", "补录", "长款 +12.00：支付宝已收款，POS 没有这笔订单；终端 T01", Chinese.text(rules.BreakBillOnly).Do, "46346", "0",
		"2088111111111111", "pos.csv:2", "支付宝", "bill_only", b.ID(),
	}
	if len(rows) != firstRow || !slices.Equal(rows[firstRow-1], wantRow) {
		t.Errorf("row = %q, want %q", rows[firstRow-1:], wantRow)
	}
	for cell, kind := range map[string]excelize.CellType{"B5": excelize.CellTypeInlineString, "S5": excelize.CellTypeInlineString, "J5": excelize.CellTypeUnset} {
		if got, err := f.GetCellType("长款", cell); err != nil || got != kind {
			t.Errorf("%s has type %v, want %v (%v)", cell, got, kind, err)
		}
	}
	for cell, want := range map[string]string{"I5": "12.00", "J5": "+12.00", "D5": "2026-11-20 08:00:01", "Q5": "2026-11-20"} {
		if shown, _ := f.GetCellValue("长款", cell); shown != want {
			t.Errorf("%s shows as %q, want %q", cell, shown, want)
		}
	}
	panes, err := f.GetPanes("长款")
	if err != nil || !panes.Freeze || panes.YSplit != headRow {
		t.Errorf("panes = %+v, %v", panes, err)
	}
	choices, err := f.GetDataValidations("长款")
	if err != nil || len(choices) != 1 || choices[0].Sqref != "M5:M5" || choices[0].Formula1 != `"待处理,已解决,无需处理,转申诉,核销损失"` {
		t.Errorf("drop-downs = %+v, %v", choices, err)
	}
	names := map[string]int{}
	for _, name := range f.GetDefinedName() {
		names[name.Name]++
	}
	if lists := len(want) - 2; names["_xlnm._FilterDatabase"] != lists || names["_xlnm.Print_Titles"] != lists {
		t.Errorf("names = %v, want %d filters and printed headers", names, lists)
	}
}

// What people have settled is listed, and is not among what is to be done.
func TestWorkbookLeavesSettledBreaks(t *testing.T) {
	d := newDay(1, 1, 1)
	r := manyBreaks(d, 5)
	o := d.options(t.TempDir())
	o.Verdicts = map[string]Verdict{r.Breaks[4].ID(): {VerdictSettled, "13812340000", "ok"}, r.Breaks[3].ID(): {VerdictOpen, "", ""}}
	Settle(r.Breaks, o.Verdicts)
	w := NewWriter(o)
	if err := w.workbook(context.Background(), r, Outcome{}); err != nil {
		t.Fatal(err)
	}
	f := openBook(t, o.Dir)
	evaluate(t, f)
	for cell, want := range map[string]string{"E5": "4", "E6": "涉及 4.06 · 已有结论 1", "D9": "4", "E9": "4.06"} {
		if got, _ := f.GetCellValue("总览", cell); got != want {
			t.Errorf("总览!%s = %q, want %q", cell, got, want)
		}
	}
	for cell, want := range map[string]string{"L9": "138****0000", "M9": "已解决", "M8": "待处理"} {
		if got, _ := f.GetCellValue("长款", cell); got != want {
			t.Errorf("长款!%s = %q, want %q", cell, got, want)
		}
	}
}

// Sheets of breaks are known by their header, also by what reads verdicts.
func TestBreakSheetsHaveVerdictColumns(t *testing.T) {
	for _, lang := range []Lang{Chinese, English} {
		d := newDay(1, 1, 3)
		o := d.options(t.TempDir())
		o.Lang = lang
		d.write(t, o, []int{0})
		f := openBook(t, o.Dir)
		ids := map[string]bool{}
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range verdictIDs(rows) {
				if ids[id] {
					t.Errorf("%s stands twice", id)
				}
				ids[id] = true
			}
		}
		for _, b := range d.result().Breaks {
			if !ids[b.ID()] {
				t.Errorf("%v: the break %s of %v is on no sheet", lang, b.ID(), b.Code)
			}
		}
	}
}

// verdictIDs are the ids of a sheet of breaks, found as VerdictColumn says.
func verdictIDs(rows [][]string) []string {
	for i := range min(VerdictHeaderRows, len(rows)) {
		id, state := -1, -1
		for k, cell := range rows[i] {
			switch column, _ := ParseVerdictColumn(cell); column {
			case VerdictIDColumn:
				id = k
			case VerdictStateColumn:
				state = k
			case VerdictByColumn, VerdictNoteColumn:
			}
		}
		if id < 0 || state < 0 {
			continue
		}
		var ids []string
		for _, row := range rows[i+1:] {
			if id < len(row) && row[id] != "" {
				ids = append(ids, row[id])
			}
		}
		return ids
	}
	return nil
}

// formulaCorpus are texts that a spreadsheet could take for a formula, and texts
// that the format of a sheet could break at.
var formulaCorpus = []string{
	"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(\"http://x\",\"y\")", "=cmd|'/C calc'!A0",
	"+cmd|'/C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@IMPORTXML(\"http://x\")", "＝1+1", "＋1", "－1", "＠A1", " =1", "\u3000=1", "\uFEFF=1",
	"=DDE(\"cmd\";\"/C calc\";\"x\")", "%0A=1", "'=1", "\"=1\"", "=\x001", "<f>1</f>", "</t></is></c><c><f>1</f></c>", "]]>",
	"&amp;", "_x0041_", "_x000D_=1", "a\x00b\x01", "\xff\xfe", "=1;=2", "0123", "1E5", "TRUE", "2026-11-20",
}

// Values that look like formulas are text in every sheet, and stay what they are.
func TestWorkbookIsInert(t *testing.T) {
	d := newDay(1, 1, 1)
	r := d.result()
	r.Breaks = slices.Repeat(r.Breaks[:1], len(formulaCorpus))
	r.Rejects = slices.Repeat(r.Rejects[:1], len(formulaCorpus))
	for i, evil := range formulaCorpus {
		r.Breaks[i].OutTradeNo, r.Breaks[i].Store, r.Breaks[i].Operator = evil, evil, evil
		r.Rejects[i].Raw, r.Rejects[i].Value, r.Rejects[i].Column = evil, evil, evil
	}
	r.Tables[1].Path, r.Tables[0].Member = "=pos.csv", "@SUM(A1)"
	r.Losses.Store = append(r.Losses.Store, engine.LossGroup{Key: "=1+1", Loss: fenSum(1), Since: 0})
	o := d.options(t.TempDir())
	o.Job.Name, o.Job.Settings = "=job", map[string]any{"=key": "=value", "list": []string{"=1", "+2"}}
	o.Privacy = Keep
	o.Verdicts = map[string]Verdict{r.Breaks[0].ID(): {VerdictOpen, "=by", "+note"}}
	w := NewWriter(o)
	if err := w.workbook(context.Background(), r, Outcome{}); err != nil {
		t.Fatal(err)
	}
	f := openBook(t, o.Dir)
	ours := regexp.MustCompile(`^(SUM|SUMIFS|COUNTIFS|COUNTA|SUBTOTAL|IF|AND|ABS)\(|^[A-Z]+\$?\d+=|^'总览'!|^'返佣'!`)
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for k := range row {
				name, _ := excelize.CoordinatesToCellName(k+1, i+1)
				formula, err := f.GetCellFormula(sheet, name)
				if err != nil || formula != "" && !ours.MatchString(formula) {
					t.Errorf("%s!%s is the formula %q (%v)", sheet, name, formula, err)
				}
			}
		}
	}
	for i, evil := range formulaCorpus {
		want := strings.ToValidUTF8(strings.NewReplacer("\x00", "\uFFFD", "\x01", "\uFFFD").Replace(evil), "\uFFFD")
		if evil == "\xff\xfe" {
			want = "\uFFFD\uFFFD" // one for each byte
		}
		for sheet, cell := range map[string]string{"长款": "B", "坏行": "H"} {
			got, _ := f.GetCellValue(sheet, cell+itoa(firstRow+i))
			kind, _ := f.GetCellType(sheet, cell+itoa(firstRow+i))
			if got != want || kind != excelize.CellTypeInlineString {
				t.Errorf("%s: %q stands as %q of type %v", sheet, evil, got, kind)
			}
		}
	}
}

// The same texts in CSV for spreadsheets begin with an apostrophe, and keep their
// bytes in the machine's CSV.
func TestCSVForSpreadsheetsIsInert(t *testing.T) {
	for _, evil := range formulaCorpus {
		inert := string(appendSheetField(nil, []byte(evil), sheetForm))
		field := strings.TrimPrefix(inert, `"`)
		first, _ := utf8.DecodeRuneInString(strings.TrimLeft(evil, " \u3000\uFEFF"))
		dangerous := strings.ContainsRune("=+-@＝＋－＠\t\r\n", first)
		if got := strings.HasPrefix(field, "'") && evil[0] != '\''; got != dangerous {
			t.Errorf("%q is written as %q", evil, inert)
		}
		plain, err := csv.NewReader(strings.NewReader(string(appendField(nil, []byte(evil))))).Read()
		if strings.ContainsAny(evil, "\r") {
			continue // encoding/csv normalises line ends
		}
		if evil != "\n=1" && (err != nil || plain[0] != evil) {
			t.Errorf("%q in CSV is %q (%v)", evil, plain, err)
		}
	}
}

// More rows than a sheet has go on on numbered sheets, and all are added up.
func TestWorkbookContinues(t *testing.T) {
	d := newDay(1, 1, 1)
	r := manyBreaks(d, 23)
	o := d.options(t.TempDir())
	w := NewWriter(o)
	w.book.perSheet = firstRow - 1 + 10
	if err := w.workbook(context.Background(), r, Outcome{}); err != nil {
		t.Fatal(err)
	}
	f := openBook(t, o.Dir)
	var got []string
	for _, sheet := range []string{"长款", "长款 2", "长款 3"} {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[firstRow-1:] {
			got = append(got, row[1])
		}
	}
	var want []string
	for i := range r.Breaks {
		want = append(want, r.Breaks[i].OutTradeNo)
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows = %q, want %q", got, want)
	}
	evaluate(t, f)
}

// Where there are more rows than a list shows, the sheet says so, the overview adds
// all up, and no more than these are kept.
func TestWorkbookIsLimited(t *testing.T) {
	d := newDay(7, 5, 60)
	var books []string
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 2, 0, 3, 1}} {
		o := d.options(t.TempDir())
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w := NewWriter(o)
		if err := w.Begin(len(d.parts)); err != nil {
			t.Fatal(err)
		}
		const limit = 70
		for _, g := range w.book.rows.all() {
			g.limit, g.held = limit, limit
		}
		for _, i := range order {
			if err := w.book.rows.add(w, d.parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		r := manyBreaks(d, 3)
		engineFigures(r, d.parts)
		if err := w.workbook(context.Background(), r, Outcome{}); err != nil {
			t.Fatal(err)
		}
		f := openBook(t, o.Dir)
		rows, err := f.GetRows("商品分摊")
		if err != nil {
			t.Fatal(err)
		}
		if got := len(rows) - firstRow + 1; got != limit {
			t.Errorf("%d rows are listed, want %d", got, limit)
		}
		if !strings.Contains(rows[noteRow-1][0], "只列前 70 行，其余 ") || !strings.Contains(rows[noteRow-1][0], " goods 表") {
			t.Errorf("the sheet says %q", rows[noteRow-1][0])
		}
		evaluate(t, f)
		books = append(books, files(t, o.Dir)[workbookName])
	}
	if books[0] != books[1] {
		t.Error("the order of the parts reaches the workbook")
	}
}

// manyBreaks is a result with so many breaks of one kind, and what goes with them.
func manyBreaks(d *day, n int) *engine.Result {
	r := d.result()
	first := r.Breaks[0]
	r.Breaks = nil
	r.Trades, r.Refunds, r.Causes, r.Scenarios = [9]engine.Tally{}, [9]engine.Tally{}, [32]engine.CauseTally{}, [8]engine.ScenarioTally{}
	for i := range n {
		b := first
		b.OutTradeNo, b.Amount, b.Found = fmt.Sprintf("M%05d", i), int64(100+i), int64(100+i)
		r.Breaks = append(r.Breaks, b)
		r.Trades[rules.StatusBillOnly].BillCount++
		r.Trades[rules.StatusBillOnly].BillAmount.AddInt(b.Found)
	}
	r.Parts = append(r.Parts, engine.PartState{Name: "pos_refunds", Ran: true})
	return r
}

// engineFigures adds up what the engine says of the parts' rows.
func engineFigures(r *engine.Result, parts []*engine.Part) {
	for _, p := range parts {
		for _, of := range []struct {
			tallies   *[9]engine.Tally
			status    []uint8
			pos, bill []int64
		}{{&r.Trades, p.Trades.Status, p.Trades.PosAmount, p.Trades.BillAmount}, {&r.Refunds, p.Refunds.Status, p.Refunds.PosAmount, p.Refunds.BillAmount}} {
			for i, s := range of.status {
				if s != uint8(rules.StatusPending) && s != uint8(rules.StatusExcluded) {
					continue
				}
				t := &of.tallies[s]
				if of.pos[i] != schema.Null {
					t.PosCount++
					t.PosAmount.AddInt(of.pos[i])
				}
				if of.bill[i] != schema.Null {
					t.BillCount++
					t.BillAmount.AddInt(of.bill[i])
				}
			}
		}
		for i, s := range p.Goods.Scenario {
			t := &r.Scenarios[s]
			t.Orders = 1
			t.Lines++
			t.Amount.AddInt(p.Goods.Allocated[i])
			if p.Goods.Filler[i] != 0 {
				t.Fillings++
				t.Filler.AddInt(p.Goods.Allocated[i])
			}
		}
	}
}

// evaluate computes every formula of the workbook anew and compares it with what
// stands in its cell; the checks of the overview hold.
func evaluate(t *testing.T, f *excelize.File) {
	t.Helper()
	formulas, checks := 0, 0
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for k, stands := range row {
				name, _ := excelize.CoordinatesToCellName(k+1, i+1)
				formula, err := f.GetCellFormula(sheet, name)
				if err != nil || formula == "" || stands == "" && i < topRows {
					continue // the hidden part of a merged cell has the formula of the whole
				}
				formulas++
				got, err := f.CalcCellValue(sheet, name, excelize.Options{RawCellValue: true})
				if err != nil {
					t.Errorf("%s!%s: %s: %v", sheet, name, formula, err)
					continue
				}
				if k == colCheck && sheet == f.GetSheetName(0) && stands != "✔ 全部相符" {
					checks++
					if got != "TRUE" {
						t.Errorf("the check %s!%s is %s: %s", sheet, name, got, formula)
					}
				}
				if !sameValue(got, stands) {
					t.Errorf("%s!%s: %s is %s, and %s stands there", sheet, name, formula, got, stands)
				}
			}
		}
	}
	if formulas == 0 || checks == 0 {
		t.Fatalf("%d formulas, %d checks", formulas, checks)
	}
}

func sameValue(a, b string) bool {
	if a == b || a == "TRUE" && b == "1" || a == "FALSE" && b == "0" {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && math.Abs(x-y) < 1e-6
}

func TestWorkbookNumbers(t *testing.T) {
	for _, c := range []struct {
		name string
		cell func(c *cellsWriter)
		want string
	}{
		{"fen", func(c *cellsWriter) { c.fen(plainCell, 7) }, `<c r="A1"><v>0.07</v></c>`},
		{"negative", func(c *cellsWriter) { c.fen(plainCell, -1230) }, `<c r="A1"><v>-12.30</v></c>`},
		{"null", func(c *cellsWriter) { c.fen(plainCell, schema.Null) }, `<c r="A1"/>`},
		{"largest", func(c *cellsWriter) { c.fen(plainCell, 999_999_999_999_999) }, `<c r="A1"><v>9999999999999.99</v></c>`},
		{
			"sixteen digits are text", func(c *cellsWriter) { c.fen(plainCell, 1_000_000_000_000_000) },
			`<c r="A1" t="inlineStr"><is><t xml:space="preserve">10000000000000.00</t></is></c>`,
		},
		{"rebate", func(c *cellsWriter) { c.micro(plainCell, 1_234_567) }, `<c r="A1"><v>1.234567</v></c>`},
		{"day", func(c *cellsWriter) { c.day(plainCell, "2026-11-20") }, `<c r="A1"><v>46346</v></c>`},
		{"first day", func(c *cellsWriter) { c.day(plainCell, "1970-01-01") }, `<c r="A1"><v>25569</v></c>`},
		{"leap day", func(c *cellsWriter) { c.day(plainCell, "2024-02-29") }, `<c r="A1"><v>45351</v></c>`},
		{"no day", func(c *cellsWriter) { c.day(plainCell, "yesterday") }, `<c r="A1" t="inlineStr"><is><t xml:space="preserve">yesterday</t></is></c>`},
		{"noon", func(c *cellsWriter) { c.moment(plainCell, 43200) }, `<c r="A1"><v>25569.5000000000</v></c>`},
		{"a second", func(c *cellsWriter) { c.moment(plainCell, 1) }, `<c r="A1"><v>25569.0000115741</v></c>`},
		{"before", func(c *cellsWriter) { c.moment(plainCell, -1) }, `<c r="A1"><v>25568.9999884259</v></c>`},
		{
			"too early for a date", func(c *cellsWriter) { c.moment(plainCell, -86400*25570) },
			`<c r="A1" t="inlineStr"><is><t xml:space="preserve">1899-12-29 00:00:00</t></is></c>`,
		},
		{"truth", func(c *cellsWriter) { c.formula(plainCell, `A2<"x"`, truthFigure(true)) }, `<c r="A1" t="b"><f>A2&lt;"x"</f><v>1</v></c>`},
	} {
		cells := newCellsWriter(io.Discard, make([]int, styleCount))
		cells.begin(0)
		cells.buf = cells.buf[:0]
		c.cell(cells)
		if got := string(cells.buf); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Every second of a day comes back from its cell.
func TestMomentCells(t *testing.T) {
	cells := newCellsWriter(io.Discard, make([]int, styleCount))
	cells.begin(0)
	for second := range int64(86400) {
		cells.buf, cells.col = cells.buf[:0], 0
		cells.moment(plainCell, 1795104000+second)
		text := strings.TrimSuffix(strings.TrimPrefix(string(cells.buf), `<c r="A1"><v>`), "</v></c>")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(math.Round((v - epochDays) * 86400)); got != 1795104000+second {
			t.Fatalf("second %d is %s, which is %d", second, text, got)
		}
	}
}

// A text that is longer than a cell may be is cut, in units of UTF-16.
func TestLongText(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 40_000), strings.Repeat("单", 40_000), strings.Repeat("😀", 20_000), strings.Repeat("\xff", 40_000)} {
		got := fitCell(text)
		if n := len(utf16.Encode([]rune(got))); n > excelize.TotalCellChars || n < excelize.TotalCellChars-2 || !strings.HasSuffix(got, "…") {
			t.Errorf("%.4q is cut to %d units", text, n)
		}
	}
	if text := strings.Repeat("单", excelize.TotalCellChars); fitCell(text) != text {
		t.Error("a text that fits is cut")
	}
}

func TestSameWorkbook(t *testing.T) {
	d := newDay(1, 3, 30)
	var books []string
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		o := d.options(t.TempDir())
		o.Formats = Formats{XLSX: true}
		d.write(t, o, order)
		books = append(books, files(t, o.Dir)[workbookName])
	}
	for _, b := range books[1:] {
		if b != books[0] {
			t.Fatal("the same result gives another workbook")
		}
	}
}

func TestConsole(t *testing.T) {
	d := newDay(1, 1, 1)
	r := d.result()
	r.Breaks = r.Breaks[:7]
	r.Trades[rules.StatusBillOnly] = engine.Tally{BillCount: 1, BillAmount: fenSum(123_456_789)}
	for name, o := range map[string]ConsoleOptions{
		"console_zh.txt":     {Lang: Chinese, Out: "out", Formats: Formats{CSV: true, XLSX: true, HTML: true, Parquet: true, JSON: true}},
		"console_en.txt":     {Lang: English, Out: "out", Formats: Formats{JSON: true}},
		"console_narrow.txt": {Lang: Chinese, Width: 60},
		"console_color.txt":  {Color: true},
	} {
		var buf bytes.Buffer
		if err := Console(&buf, r, Outcome{ExitCode: 1, Incomplete: true}, o); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, buf.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if buf.String() != string(want) {
			t.Errorf("%s = \n%s", name, buf.String())
		}
	}
	if name := noTable.File(); name != "" {
		t.Error("the table without a name has one")
	}
}

// A run without bills said that it is balanced.
func TestNothingMatchedIsNotBalanced(t *testing.T) {
	left := []engine.PartState{{Name: "trades", Why: "alipay_bill"}, {Name: "refunds", Why: "alipay_bill"}, {Name: "goods", Ran: true}, {Name: "pos_refunds", Why: "pos_refunds"}}
	r := &engine.Result{Parts: left}
	r.Trades[rules.StatusPOSOnly] = engine.Tally{PosCount: 1, PosAmount: fenSum(100)}
	r.Refunds[rules.StatusPOSOnly] = engine.Tally{PosCount: 1, PosAmount: fenSum(100)}
	for lang, want := range map[Lang]string{
		Chinese: "对账 ! 没有可对账的交易：缺少 alipay_bill\n未做：交易对账（缺 alipay_bill）、退款（缺 alipay_bill）、POS 退款核对（缺 pos_refunds）\n",
		English: "Reconciled ! no trades to reconcile: no alipay_bill input\nleft out: matching (no alipay_bill), refunds (no alipay_bill), POS refunds (no pos_refunds)\n",
	} {
		var got strings.Builder
		if err := Console(&got, r, Outcome{}, ConsoleOptions{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("%s: console = %q, want %q", lang, got.String(), want)
		}
	}
	heads := func(r *engine.Result) []string {
		var heads []string
		for _, line := range overviewOf(r, &Options{Lang: English, Privacy: Mask}, Outcome{}) {
			if line.style == headLine {
				heads = append(heads, line.cells[0].(string))
			}
		}
		return heads
	}
	if got, want := heads(r), []string{"Breaks", "Input", "Left out", "Proof"}; !slices.Equal(got, want) {
		t.Errorf("sections = %q, want %q", got, want)
	}
	r.Breaks = []engine.Break{{Code: rules.BreakPriceUnknown, Severity: rules.SeverityWarn, Amount: 100}}
	if got, want := verdict(r, Outcome{}, Chinese), "没有可对账的交易：缺少 alipay_bill；有 1 条差异，都在作业的限额之内"; got != want {
		t.Errorf("verdict = %q, want %q", got, want)
	}
	r.Parts, r.Breaks = []engine.PartState{{Name: "trades", Ran: true}, {Name: "refunds", Ran: true}, {Name: "rebates", Ran: true}}, nil
	if got, want := verdict(r, Outcome{}, Chinese), "平：没有差异"; got != want {
		t.Errorf("verdict = %q, want %q", got, want)
	}
	if got, want := heads(r), []string{"Trades", "Refunds", "Breaks", "Rebates", "Input", "Left out", "Proof"}; !slices.Equal(got, want) {
		t.Errorf("sections = %q, want %q", got, want)
	}
}

// A folder's name could clear the terminal.
func TestConsoleIsVisible(t *testing.T) {
	r := &engine.Result{Date: "2026\x1b[2J", Parts: []engine.PartState{{Name: "trades", Ran: true}, {Name: "a\nb", Why: "\u202ex"}}}
	var got strings.Builder
	if err := Console(&got, r, Outcome{}, ConsoleOptions{Out: "out\n\r\x7f\u009b\xff\u2028 差异 \\"}); err != nil {
		t.Fatal(err)
	}
	want := `对账 2026\x1b[2J  ✔ 平：没有差异` + "\n" + `未做：a\nb（缺 \u202ex）` + "\n\n" + `结果在 out\n\r\x7f\u009b\xff\u2028 差异 \` + "\n"
	if got.String() != want {
		t.Errorf("console = %q, want %q", got.String(), want)
	}
}
