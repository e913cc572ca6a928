package loaders

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
)

func inspect(t testing.TB, path string) ([]*schema.Table, [][]string) {
	t.Helper()
	tables, first, err := Inspect(context.Background(), Input{Path: path, Name: filepath.Base(path)}, Options{Lang: "en"}, 2)
	if err != nil {
		t.Fatalf("Inspect(%s) = %v", path, err)
	}
	return tables, first
}

// TestInspectFixtures names what no input takes, and checks the totals that a
// WeChat bill states.
func TestInspectFixtures(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"v25_bare.csv", "trade_bill V25 5/5 !control_not_stated=1"},
		{"pinduoduo.csv", "pinduoduo_bill 1/1"},
		{"personal_w16.csv", "alipay_personal W16 1/1"},
		{"personal_a11.csv", "alipay_personal A11 1/1"},
		{"personal_a12.csv", "alipay_personal A12 1/1"},
		{"personal_a12b.csv", "alipay_personal A12 1/1"},
		{"wechat_all.csv", "wechat_bill ALL 3/3"},
		{"wechat_old_tab.csv", "wechat_bill ALL24 3/3"},
		{"wechat_personal.csv", "wechat_personal 1/1"},
		{"wechat_fund.csv", "wechat_fund 3/3"},
		{"pos_no_header.csv", "refused !unrecognised=1"},
	} {
		tables, _ := inspect(t, filepath.Join("testdata", test.file))
		if got := outcome(tables[0]); got != test.want {
			t.Errorf("Inspect(%s) = %s, want %s\n%v", test.file, got, test.want, tables[0].Problems)
		}
	}
	for file, want := range map[string]int{"wechat_all.csv": 7, "wechat_old_tab.csv": 5, "wechat_fund.csv": 5} {
		tables, first := inspect(t, filepath.Join("testdata", file))
		if got := len(tables[0].Controls); got != want || len(first[0]) != 2 {
			t.Errorf("Inspect(%s) has %d controls and %d first rows, want %d and 2", file, got, len(first[0]), want)
		}
	}
}

// TestWechatTotals changes a total of each bill: the control fails, and names it.
func TestWechatTotals(t *testing.T) {
	for _, test := range []struct{ file, old, with, want string }{
		{"wechat_all.csv", "`0.06000,`12.00,`2.00\n", "`0.05000,`12.00,`2.00\n", "fee:0.05000/0.06"},
		{"wechat_all.csv", "`3,`12.00", "`4,`12.00", "rows.count:4/3"},
		{"wechat_fund.csv", "`2,`2.07", "`2,`2.08", "expense.amount:2.08/2.07"},
		{"wechat_fund.csv", "`3,`1,`12.00", "`3,`2,`12.00", "income.count:2/1"},
	} {
		data := string(makeFixtures()[test.file])
		if !strings.Contains(data, test.old) {
			t.Fatalf("%s does not hold %q", test.file, test.old)
		}
		in := writeFile(t, test.file, []byte(strings.Replace(data, test.old, test.with, 1)))
		tables, _ := inspect(t, in.Path)
		if got := outcome(tables[0]); !strings.HasSuffix(got, " !control_total=1 "+test.want) {
			t.Errorf("Inspect(%s with %s) = %s, want %s", test.file, test.with, got, test.want)
		}
	}
}

// TestAdvice: what no input takes is named, with the export to take in its place.
func TestAdvice(t *testing.T) {
	for file, want := range map[string]string{
		"personal_w16.csv": "inputs.alipay_account", "personal_a12.csv": "inputs.alipay_bill", "wechat_personal.csv": "pos_orders",
		"wechat_all.csv": "inspect", "wechat_fund.csv": "inspect",
	} {
		_, tables := loadBills(t, Options{}, fixture(file))
		if got := tables[0].Problems[0].Message; !strings.Contains(got, want) {
			t.Errorf("Load(%s): %s, want advice with %s", file, got, want)
		}
	}
}

// TestInspectTable compares all that is said of one bill.
func TestInspectTable(t *testing.T) {
	tables, first := inspect(t, "testdata/v25_shuffled.csv")
	tab := tables[0]
	if tab.Kind != schema.AlipayBill || tab.Encoding != "gb18030" || tab.Account != fixturePID || clockText(tab.From) != "2026-11-19 00:00:00" ||
		clockText(tab.To) != "2026-11-20 00:00:00" || len(tab.Known) != 25 || len(tab.Unknown) != 1 || tab.Unknown[0] != "新增列" ||
		len(tab.Controls) != 6 || len(tab.SHA256) != 64 || tab.Bytes == 0 || len(first[0]) != 2 || !tab.FeesAllZero ||
		clockText(tab.FirstTime) != "2026-11-19 10:55:23" || clockText(tab.LastTime) != "2026-11-19 14:10:05" {
		t.Errorf("Inspect = %+v %q", tab, first)
	}
}

// TestTitleMismatch reads a detail under a summary's title.
func TestTitleMismatch(t *testing.T) {
	f := &fixtures{rng: newRand()}
	text := strings.Replace(f.v25().text(), "业务明细查询", "业务汇总查询", 1)
	_, tables := loadBills(t, Options{}, writeFile(t, "bill.csv", []byte(text)))
	if got, want := outcome(tables[0]), "trade_bill V25 5/5 !title_mismatch=1"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
}

// TestSheets reads B5 as a workbook, with an id that is a number and one that was
// a number, beside a sheet of notes.
func TestSheets(t *testing.T) {
	fx := &fixtures{rng: newRand()}
	b := fx.v25()
	b.rows[2]["门店编号"] = "7"
	f := excelize.NewFile()
	defer f.Close()
	for i, line := range strings.Split(strings.TrimSpace(b.text()), "\n") {
		cells := strings.Split(line, ",")
		if strings.HasPrefix(line, "#") {
			cells = []string{line}
		}
		for k, value := range cells {
			name, _ := excelize.CoordinatesToCellName(k+1, i+1)
			switch {
			case value == "7\t":
				f.SetCellValue("Sheet1", name, 7)
			case value == "2026111922001400000010000002\t" && i == 6:
				f.SetCellValue("Sheet1", name, 2.026111922001400e27)
			case value == "12.00":
				f.SetCellValue("Sheet1", name, 12)
			default:
				f.SetCellValue("Sheet1", name, strings.TrimSpace(value))
			}
		}
	}
	f.NewSheet("说明")
	f.SetCellValue("说明", "A1", "请核对")
	path := filepath.Join(t.TempDir(), "bill.csv") // known by its content
	if err := f.SaveAs(strings.TrimSuffix(path, "csv") + "xlsx"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(strings.TrimSuffix(path, "csv")+"xlsx", path); err != nil {
		t.Fatal(err)
	}
	s, tables := loadBills(t, Options{}, Input{Kind: schema.AlipayBill, Path: path, Name: "bill.csv"})
	if got, want := outcome(tables[0]), "trade_bill V25 4/5 id_number=1 !id_damaged=1"; got != want || len(tables) != 2 {
		t.Errorf("Load = %s, want %s", got, want)
	}
	if tables[0].Member != "Sheet1" || tables[0].Encoding != "xlsx" || tables[1].Refused || outcome(tables[1]) != "none 0/0 !unrecognised=1" {
		t.Errorf("tables %+v, %+v", tables[0], tables[1])
	}
	raw, err := RawLines(context.Background(), path, "Sheet1", []int32{6, 500})
	if err != nil || len(raw) != 1 || !strings.HasPrefix(raw[6], "2026111922001400000010000001,POS000123,交易") {
		t.Errorf("RawLines = %q, %v", raw, err)
	}
	if len(s.rejects) != 1 || s.rejects[0].Line != 7 {
		t.Errorf("rejects %v", s.rejects)
	}
}

// The hash of a line is that of its bytes in the file, without the line end.
func TestHashLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	long := strings.Repeat("x", 3<<20)
	gb := "\xb2\xee,1"
	if err := os.WriteFile(path, []byte("first\r\n"+gb+"\n"+long+"\n\nlast"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := map[int32]string{1: "first", 2: gb, 3: long, 4: "", 5: "last"}
	got := map[int32][32]byte{}
	if err := HashLines(t.Context(), path, "", []int32{1, 2, 3, 4, 5, 6}, func(line int32, sum [32]byte) error {
		got[line] = sum
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for line, text := range want {
		if got[line] != sha256.Sum256([]byte(text)) {
			t.Errorf("line %d: another hash than that of %.20q", line, text)
		}
	}
}
