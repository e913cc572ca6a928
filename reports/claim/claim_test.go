package claim

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
	"duizhang/rules"
)

const provider = "2088731199938475"

func blank(role Role, row int64) Evidence {
	const n = schema.Null
	return Evidence{Row: row, Role: role, Line: int32(row), Time: n, Amount: n, Received: n, Red: n, Discount: n, Rebate: n, Adjustment: n}
}

// writePack writes a pack of n trades of 100.00 each at 0.2 %, none of them paid.
func writePack(t *testing.T, n, sheet int) (dir string, claim rules.Sum) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "claim", "pack")
	w, err := Create(Manifest{
		Version: "1", Lang: "en", Provider: provider, Period: "2026-11", Date: "2026-11-20",
		Inputs: []Input{{Path: "a.csv", Kind: "alipay_bill", SHA256: "aa"}},
	}, Options{Dir: dir, Temp: t.TempDir(), Mode: 0o600, DirMode: 0o700, sheetRows: sheet})
	if err != nil {
		t.Fatal(err)
	}
	signed := blank(RoleAgreement, 1)
	signed.Provider, signed.Product = provider, "face_to_face"
	signed.Agreement = &rules.Agreement{Provider: provider, Product: "face_to_face", Rate: 2000, Basis: rules.BasisReceived, From: 20000, To: rules.OpenEnd, Scale: 2, Rounding: rules.RoundTrade}
	if err := w.Shared(&signed); err != nil {
		t.Fatal(err)
	}
	const at = 20777*86400 + 36000
	for i := range n {
		tr := Trade{
			Merchant: "2088101122136241", OutTradeNo: fmt.Sprintf("=POS%d", i), TradeNo: fmt.Sprintf("2026112022%d", i), Product: "face_to_face",
			PID: provider, Time: at, Agreement: 1, Basis: 10000, Expected: 200_000, Cause: rules.CauseStatementMissing,
		}
		bill, pos := blank(RoleBill, 1), blank(RolePOS, 1)
		bill.TradeNo, bill.OutTradeNo, bill.Time, bill.Received = tr.TradeNo, tr.OutTradeNo, at, 10000
		pos.OutTradeNo, pos.Provider = tr.OutTradeNo, provider
		if err := w.Trade(&tr, []Evidence{bill, pos}); err != nil {
			t.Fatal(err)
		}
	}
	claim, err = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return dir, claim
}

// cellsOf gives the rows of a workbook as the loaders do.
func cellsOf(t *testing.T, path string) func(func(string, int, []string) error) error {
	return func(row func(string, int, []string) error) error {
		f, err := excelize.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			for i, cells := range rows {
				if err := row(sheet, i+1, cells); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// A workbook goes on on numbered sheets when one is full; its sums and checks are
// over all of them, and verification reads them all.
func TestSheetsGoOn(t *testing.T) {
	dir, claim := writePack(t, 25, 10)
	if claim.String6() != "5.00" {
		t.Errorf("claim = %s", claim.String6())
	}
	f, err := excelize.OpenFile(filepath.Join(dir, bookName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := []string{"Summary", "Trades", "Recomputation", "Trades (2)", "Recomputation (2)", "Trades (3)", "Recomputation (3)", "Agreements"}
	if got := f.GetSheetList(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sheets = %q, want %q", got, want)
	}
	rows, err := f.GetRows("Trades (3)")
	if err != nil || len(rows) != 8 || rows[0][0] != "No." || rows[7][0] != "25" {
		t.Errorf("Trades (3) = %q, %v", rows, err)
	}
	summary, err := f.GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	for i, row := range summary {
		if len(row) < 4 || row[0] != "Claims of trades" && row[0] != "Claimed" || i < 10 {
			continue
		}
		value, err := f.CalcCellValue("Summary", fmt.Sprintf("B%d", i+1))
		if err != nil || value != "5.00" && value != "5" {
			t.Errorf("%s: %q, %v, want 5", row[0], value, err)
		}
		if holds, err := f.CalcCellValue("Summary", fmt.Sprintf("D%d", i+1)); err != nil || holds != "holds" {
			t.Errorf("%s: check %q, %v", row[0], holds, err)
		}
		checks++
	}
	if checks != 2 {
		t.Errorf("%d checks", checks)
	}
	for _, sheet := range want {
		if name, err := f.GetCellFormula(sheet, "C2"); err != nil || sheet != "Summary" && name != "" {
			t.Errorf("%s!C2 is the formula %q (%v)", sheet, name, err)
		}
	}
	p, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	report, err := p.Verify(cellsOf(t, p.Book()))
	if err != nil || !report.Holds() || report.Checks[4] != (Check{CheckBook, 25, true}) {
		t.Errorf("Verify = %+v, %v", report, err)
	}
}

func TestFolder(t *testing.T) {
	for _, test := range []struct{ provider, period, want string }{
		{provider, "2026-11", provider + "-2026-11"},
		{provider, "2026-11-20", provider + "-2026-11-20"},
		{provider, "2026-13", ""},
		{provider, "2026-11-31", ""},
		{provider, "../2026", ""},
		{provider, "2026-11/..", ""},
		{provider, "", ""},
		{"2088", "2026-11", ""},
		{"208873119993847x", "2026-11", ""},
		{"../../../../../..", "2026-11", ""},
	} {
		if got := Folder(test.provider, test.period); got != test.want {
			t.Errorf("Folder(%q, %q) = %q, want %q", test.provider, test.period, got, test.want)
		}
	}
}
