package reports

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"duizhang/engine"
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
	d := newDay(1, 1, 3)
	o := d.options(t.TempDir())
	o.Verdicts = map[string]Verdict{d.result().Breaks[0].ID(): {VerdictSettled, "张会计", "补录"}}
	d.write(t, o, []int{0})
	f := openBook(t, o.Dir)
	want := []string{
		"总览", "长款", "短款", "金额不符", "状态不符", "退款", "手续费", "账务", "商品与优惠", "返佣", "设备", "文件", "重复",
		"返佣损失", "返佣汇总", "坏行",
	}
	if got := f.GetSheetList(); !slices.Equal(got, want) {
		t.Errorf("sheets = %v, want %v", got, want)
	}
	rows, err := f.GetRows("长款", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	b := d.result().Breaks[0]
	wantRow := []string{
		"长款：支付宝有、POS 无", "错误", "支付宝", "2088111111111111", "POS000", "2026112022001400000000000000", "", "S001",
		"12", "长款 +12.00：支付宝已收款，POS 没有这笔订单", Chinese.text(rules.BreakBillOnly).Do, "2026-11-20", "0", "pos.csv:2", b.ID(), "张会计", "已解决", "补录",
	}
	if len(rows) != 2 || !slices.Equal(rows[1], wantRow) {
		t.Errorf("row = %q, want %q", rows[1:], wantRow)
	}
	for cell, kind := range map[string]excelize.CellType{"D2": excelize.CellTypeInlineString, "F2": excelize.CellTypeInlineString, "I2": excelize.CellTypeUnset} {
		if got, err := f.GetCellType("长款", cell); err != nil || got != kind {
			t.Errorf("%s has type %v, want %v (%v)", cell, got, kind, err)
		}
	}
	if shown, _ := f.GetCellValue("长款", "I2"); shown != "12.00" {
		t.Errorf("the amount shows as %q", shown)
	}
	panes, err := f.GetPanes("长款")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes = %+v, %v", panes, err)
	}
	if got := f.GetDefinedName(); len(got) == 0 {
		t.Error("no filter")
	}
}

// Values that look like formulas are text in every sheet.
func TestWorkbookIsInert(t *testing.T) {
	d := newDay(1, 1, 1)
	r := d.result()
	evil := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\")", "=cmd|'/C calc'!A0", "<f>1</f>", "a\x00b\x01", "]]>"}
	for i := range r.Breaks {
		r.Breaks[i].OutTradeNo, r.Breaks[i].Store = evil[i%len(evil)], evil[i%len(evil)]
	}
	r.Rejects[0].Raw, r.Rejects[0].Value = evil[5], evil[0]
	r.Tables[1].Path = "=pos.csv"
	o := d.options(t.TempDir())
	w := NewWriter(o)
	if err := w.workbook(context.Background(), r, Outcome{}); err != nil {
		t.Fatal(err)
	}
	f := openBook(t, o.Dir)
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for k := range row {
				name, _ := excelize.CoordinatesToCellName(k+1, i+1)
				if formula, err := f.GetCellFormula(sheet, name); err != nil || formula != "" {
					t.Errorf("%s!%s is the formula %q (%v)", sheet, name, formula, err)
				}
			}
		}
	}
	if got, _ := f.GetCellValue("坏行", "H2"); got != evil[5] {
		t.Errorf("raw = %q", got)
	}
}

// More rows than a sheet has go on on numbered sheets.
func TestWorkbookContinues(t *testing.T) {
	b := &book{file: excelize.NewFile(), lang: Chinese, limit: 4}
	b.styles()
	b.sheet("长款", []heading{{"n", 8}}, 7, func(dst []any, i int) []any { return append(dst, int64(i)) })
	b.sheet("短款", []heading{{"n", 8}}, 0, nil)
	if b.err != nil {
		t.Fatal(b.err)
	}
	var buf bytes.Buffer
	if err := b.file.Write(&buf); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := f.GetSheetList(), []string{"长款", "长款 2", "长款 3", "短款"}; !slices.Equal(got, want) {
		t.Fatalf("sheets = %v, want %v", got, want)
	}
	var got []string
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			got = append(got, row...)
		}
	}
	if want := strings.Fields("n 0 1 2 n 3 4 5 n 6 n"); !slices.Equal(got, want) {
		t.Errorf("cells = %v, want %v", got, want)
	}
}

func TestAmountCell(t *testing.T) {
	for _, c := range []struct {
		fen   int64
		want  float64
		exact bool
	}{
		{7, 0.07, true},
		{-1230, -12.3, true},
		{0, 0, true},
		{999_999_999_999_999, 9_999_999_999_999.99, true},
		{1_000_000_000_000_000, 0, false}, // sixteen digits: text
	} {
		got, ok := amountCell{fenSum(c.fen), false}.float()
		if got != c.want || ok != c.exact {
			t.Errorf("float(%d fen) = %v, %v, want %v, %v", c.fen, got, ok, c.want, c.exact)
		}
	}
}

func TestSameWorkbook(t *testing.T) {
	d := newDay(1, 1, 3)
	var books []string
	for range 4 {
		o := d.options(t.TempDir())
		o.Formats = Formats{XLSX: true}
		d.write(t, o, []int{0})
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
		"console_zh.txt":    {Lang: Chinese, Out: "out"},
		"console_en.txt":    {Lang: English, Out: "out"},
		"console_color.txt": {Color: true},
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
		Chinese: "对账 没有可对账的交易：缺少 alipay_bill\n未做：交易对账（缺 alipay_bill）、退款（缺 alipay_bill）、POS 退款核对（缺 pos_refunds）\n",
		English: "Reconciled no trades to reconcile: no alipay_bill input\nleft out: matching (no alipay_bill), refunds (no alipay_bill), POS refunds (no pos_refunds)\n",
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
	want := `对账 2026\x1b[2J  平：没有差异` + "\n" + `未做：a\nb（缺 \u202ex）` + "\n\n" + `结果在 out\n\r\x7f\u009b\xff\u2028 差异 \` + "\n"
	if got.String() != want {
		t.Errorf("console = %q, want %q", got.String(), want)
	}
}
