package loaders

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
)

// writeXLSX writes a workbook whose sheets have the given rows.
func writeXLSX(t testing.TB, fill func(f *excelize.File)) (path string, data []byte) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "book.xlsx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, b.Bytes()
}

func setRow(t testing.TB, f *excelize.File, sheet string, row int, values ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", row), &values); err != nil {
		t.Fatal(err)
	}
}

// sheetText prints the rows of a sheet: numbers with a # before them.
func sheetText(t testing.TB, s *xlsxSheet) string {
	t.Helper()
	var b strings.Builder
	err := s.each(func(line int32, cells []xlsxCell) error {
		fmt.Fprintf(&b, "%d:", line)
		for _, cell := range cells {
			if cell.numeric {
				fmt.Fprintf(&b, " [#%s]", cell.text)
			} else {
				fmt.Fprintf(&b, " [%s]", cell.text)
			}
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestXLSX(t *testing.T) {
	path, _ := writeXLSX(t, func(f *excelize.File) {
		setRow(t, f, "Sheet1", 1, "编号", "a<b&\"c\"", "two\nlines", " 空 格 ")
		setRow(t, f, "Sheet1", 2, "2026112022001619730000000001", 2088731199938475, 0.07, 1e21, -12.5, true)
		setRow(t, f, "Sheet1", 4, nil, nil, "c", 12345678901234567, 1e-7, 0)
		day := time.Date(2026, 11, 20, 10, 23, 48, 0, time.UTC)
		setRow(t, f, "Sheet1", 5, day, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
		format := `yyyy"年"m"月"`
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		builtin, err := f.NewStyle(&excelize.Style{NumFmt: 17})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.SetCellStyle("Sheet1", "B5", "B5", style), f.SetCellStyle("Sheet1", "C5", "C5", builtin)); err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellRichText("Sheet1", "A6", []excelize.RichTextRun{{Text: "粗"}, {Text: "细", Font: &excelize.Font{Bold: true}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.NewSheet("第二 & 表"); err != nil {
			t.Fatal(err)
		}
		setRow(t, f, "第二 & 表", 3, "x")
	})
	book, err := openXLSX(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	if len(book.sheets) != 2 || book.sheets[1].name != "第二 & 表" {
		t.Fatalf("sheets %v", book.sheets)
	}
	want := `1: [编号] [a<b&"c"] [two
lines] [ 空 格 ]
2: [2026112022001619730000000001] [#2088731199938475] [#0.07] [#1E+21] [#-12.5] [TRUE]
4: [] [] [c] [#12345678901234568] [#0.0000001] [#0]
5: [#46346.43319444444] [2026-11] [2026-11]
6: [粗细]
`
	if got := sheetText(t, book.sheet("Sheet1")); got != want {
		t.Errorf("Sheet1 is\n%s\nwant\n%s", got, want)
	}
	if got, want := sheetText(t, book.sheet("第二 & 表")), "3: [x]\n"; got != want {
		t.Errorf("the second sheet is %q, want %q", got, want)
	}
	if book.sheet("none") != nil {
		t.Error("a sheet that is not there")
	}
}

// Texts are those that excelize reads, inline and shared, whatever they hold.
func TestXLSXDifferential(t *testing.T) {
	texts := []string{"", "&amp;", "_x000D_", "_x005F_x000D_", "a\tb", "<t>", "\"", "'", "😀", strings.Repeat("长", 9000), "]]>", "x\r\ny", "_x12_"}
	path, _ := writeXLSX(t, func(f *excelize.File) {
		for i, text := range texts {
			setRow(t, f, "Sheet1", i+1, text, i, text+"!")
		}
		if _, err := f.NewSheet("inline"); err != nil {
			t.Fatal(err)
		}
		inline, err := f.NewStreamWriter("inline")
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			if err := inline.SetRow(fmt.Sprintf("B%d", i+1), []any{text, "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := inline.Flush(); err != nil {
			t.Fatal(err)
		}
	})
	peer, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	book, err := openXLSX(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	for _, sheet := range book.sheets {
		want, err := peer.GetRows(sheet.name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		got := make([][]string, len(want))
		err = sheet.each(func(line int32, cells []xlsxCell) error {
			for _, cell := range cells {
				got[line-1] = append(got[line-1], string(cell.text))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if g, w := strings.Join(got[i], "|"), strings.Join(want[i], "|"); g != w {
				t.Errorf("%s row %d is %q, want %q", sheet.name, i+1, g, w)
			}
		}
	}
}

// A book whose one sheet is the given XML.
func sheetXML(t testing.TB, sheet string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "raw.xlsx")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<Types/>`,
		"xl/workbook.xml":            `<x:workbook xmlns:x="m" xmlns:r="r"><x:sheets><x:sheet name="a" sheetId="1" r:id="rId1"/></x:sheets></x:workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/s.xml"/></Relationships>`,
		"xl/worksheets/s.xml":        sheet,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestXLSXOddSheets(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{
			"prefixes, comments, CDATA, no references",
			`<?xml version="1.0"?><!-- a > b --><x:worksheet><x:sheetData><x:row><x:c t="str"><x:f>A&gt;1</x:f><x:v>a<![CDATA[<b>]]></x:v></x:c>` +
				`<x:c><x:v>7.0000000000000007E-2</x:v></x:c></x:row><x:row r="5"/></x:sheetData></x:worksheet>`,
			"1: [a<b>] [#0.07]\n5:\n",
		},
		{
			"gaps, errors, empty values",
			`<worksheet><sheetData><row r="2"><c r="C2" t="e"><v>#N/A</v></c><c r="E2"><v></v></c><c r="F2" t="n"/></row></sheetData></worksheet>`,
			"2: [] [] [#N/A] [] [] []\n",
		},
		{
			"spoken text is none of the cell's",
			`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>东</t><rPh sb="0" eb="1"><t>dong</t></rPh><r><t>京</t></r></is></c></row></sheetData></worksheet>`,
			"1: [东京]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, err := openXLSX(sheetXML(t, c.xml))
			if err != nil {
				t.Fatal(err)
			}
			defer book.close()
			if got := sheetText(t, book.sheet("a")); got != c.want {
				t.Errorf("rows\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	for _, bad := range []string{
		`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData></worksheet>`,
		`<worksheet><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>`,
		`<worksheet><sheetData><row r="9999999"/></sheetData></worksheet>`,
		`<worksheet><sheetData><row><c r="ZZZZZ1"><v>1</v></c></row></sheetData></worksheet>`,
		`<worksheet><sheetData><row><c r="B1"/><c r="A1"/></row></sheetData></worksheet>`,
		`<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>`,
		`<worksheet><sheetData><row`,
	} {
		book, err := openXLSX(sheetXML(t, bad))
		if err != nil {
			t.Fatal(err)
		}
		if err := book.sheet("a").each(func(int32, []xlsxCell) error { return nil }); err == nil {
			t.Errorf("%s is read without an error", bad)
		}
		book.close()
	}
}

// A sheet that unpacks to more than the limits is given up while it is read.
func TestXLSXBomb(t *testing.T) {
	row := `<row><c t="inlineStr"><is><t>` + strings.Repeat("0", 1000) + `</t></is></c></row>`
	path := sheetXML(t, `<worksheet><sheetData>`+strings.Repeat(row, 80<<10)+`</sheetData></worksheet>`)
	book, err := openXLSX(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	err = book.sheet("a").each(func(int32, []xlsxCell) error { return nil })
	if _, ok := errors.AsType[errUnsafe](err); !ok {
		t.Errorf("reading a bomb: %v, want errUnsafe", err)
	}
}

// pos_pid_number.xlsx of formats 15, and what else a workbook does to ids.
func TestPosOrdersXLSX(t *testing.T) {
	_, data := writeXLSX(t, func(f *excelize.File) {
		setRow(t, f, "Sheet1", 1, "一店日报")
		setRow(t, f, "Sheet1", 2, "out_trade_no", "门店编号", "订单时间", "订单金额（元）", "服务商PID", "商品编号", "数量", "单价", "班次")
		at := time.Date(2026, 11, 20, 10, 23, 48, 0, time.UTC)
		setRow(t, f, "Sheet1", 3, "A1", "S1", at, 0.07, 2088731199938475, "G1", 1, 0.07)
		setRow(t, f, "Sheet1", 4, "A2", 12, "2026-11-20 10:00:00", 10, "2088731199938475", 7, 0.1, 100)
		setRow(t, f, "Sheet1", 5, 123456789012345678, "S1", at, 1)
		setRow(t, f, "Sheet1", 6, 1001, "S1", "2026/11/20 10:00", 3)
	})
	g := load(t, Options{}, canonicalInput{kind: schema.PosOrders, name: "pos_pid_number.xlsx", data: data})
	want := `3: no=A1 store=S1 provider=2088731199938475 time=10:23:48 total=0.07
  3: id=G1 quantity=1 price=0.07
4: no=A2 store=12 provider=2088731199938475 time=10:00:00 total=10.00
  4: id=7 quantity=0.1 price=100
6: no=1001 store=S1 time=10:00:00 total=3.00
  6: no-goods
`
	if got := g.orderText(); got != want {
		t.Errorf("orders\n%s\nwant\n%s\n%s", got, want, g.problems())
	}
	if got, want := g.placed(), "5 id_damaged (out_trade_no) \"123456789012345680\"\n"; got != want {
		t.Errorf("rejects %q, want %q", got, want)
	}
	if got, want := g.repairsOf(), "id_number 2, seconds_lost 1"; got != want {
		t.Errorf("repairs %q, want %q", got, want)
	}
}

// rebate_ka.xlsx of formats 15: an aggregator's workbook, a sheet a brand, whose
// columns the job names.
func TestRebateKA(t *testing.T) {
	_, data := writeXLSX(t, func(f *excelize.File) {
		if err := f.SetSheetName("Sheet1", "品牌一"); err != nil {
			t.Fatal(err)
		}
		setRow(t, f, "品牌一", 1, "KA返佣 2026-11")
		setRow(t, f, "品牌一", 3, "品牌", "收钱吧商户名称", "收钱吧商户号", "支付宝交易金额", "支付宝返佣比例", "支付宝返佣金额", "支付宝间连返佣",
			"微信交易金额", "微信返佣比例", "微信返佣金额", "返佣合计", "交易期日", "备注", "一级组织", "二级组织", "三级组织")
		setRow(t, f, "品牌一", 4, "甲", "一店", "1680001234567", 100.5, "0.20%", 0.2, nil, 50, "0.1%", 0.05, 0.25, 202611, "", "a", "b", "c")
		setRow(t, f, "品牌一", 5, "甲", "二店", "1680001234568", 29.9, 0.002, 0.0598, nil, nil, nil, nil, 0.06, "2026-11-20")
		setRow(t, f, "品牌一", 6, "甲", "三店", "1680001234569", 1, 0.002, 0.01, nil, nil, nil, nil, 0.01, 46346)
		setRow(t, f, "品牌一", 7, "合计", nil, nil, 131.4, nil, 0.27)
	})
	opt := Options{StatementPID: ownPID, Columns: map[schema.InputKind]map[string][]string{schema.Rebate: {
		"period": {"交易期日"}, "trade_amount": {"支付宝交易金额"}, "rate": {"支付宝返佣比例"}, "rebate_amount": {"支付宝返佣金额"},
	}}}
	g := load(t, opt, canonicalInput{kind: schema.Rebate, name: "rebate_ka.xlsx", data: data})
	want := `4: 2026-11 2088731199938475  face_to_face | amount=100.50 rate=0.002 rebate=0.2
5: 2026-11-20 2088731199938475  face_to_face | amount=29.90 rate=0.002 rebate=0.0598
6: 2026-11-20 2088731199938475  face_to_face | amount=1.00 rate=0.002 rebate=0.01
`
	if got := g.statementText(); got != want {
		t.Errorf("rows\n%s\nwant\n%s\n%s", got, want, g.problems())
	}
	if got, want := g.counts()+"; "+g.repairsOf(), "3 rows, 3 accepted, 0 rejected; total_row 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add([]byte(`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a&amp;b</t></is></c><c><v>1.5</v></c></row></sheetData></worksheet>`))
	f.Add([]byte(`<row><c r="B1" t="s"><v>0</v></c></row><!-- > --><![CDATA[x]]>`))
	f.Fuzz(func(t *testing.T, xml []byte) {
		s := sheetReader{book: &workbook{}, x: newXMLScanner(bytes.NewReader(xml))}
		last := int32(0)
		_ = s.read(func(line int32, cells []xlsxCell) error {
			if line < last || len(cells) > xlsxColumns {
				t.Errorf("row %d after %d, of %d cells", line, last, len(cells))
			}
			last = line
			return nil
		})
	})
}

func BenchmarkXLSX(b *testing.B) {
	path, _ := writeXLSX(b, func(f *excelize.File) {
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for i := range 20_000 {
			row := []any{fmt.Sprintf("POS%d", i), "2026112022001619730000000001", merchantOne, "S0001", "T1", "2026-11-20 10:00:00", "paid", 12.34, 12.34, "SKU1", "茶", 1, 12.34}
			if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		book, err := openXLSX(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := book.sheets[0].each(func(int32, []xlsxCell) error { return nil }); err != nil {
			b.Fatal(err)
		}
		book.close()
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
