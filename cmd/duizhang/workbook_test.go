package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// leastChecks is how many checks the demo has at least.
const leastChecks = 60

// demoBook runs the demo and gives its workbook's file.
func demoBook(t *testing.T, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	if status := run(t.Context(), append([]string{"demo", dir, "--quiet"}, args...), io.Discard, io.Discard); status != exitDone {
		t.Fatalf("the demo ends with status %d", status)
	}
	return filepath.Join(dir, "out", "report.xlsx")
}

// The checks of the overview compare formulas over the sheets with the engine's
// figures: computed anew, all of them hold.
func TestWorkbookAuditsItself(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		f := openBook(t, demoBook(t, "--lang", lang))
		sheet := f.GetSheetName(0)
		checks := checkCells(t, f, sheet)
		if len(checks) < leastChecks {
			t.Errorf("%s: %d checks, want %d or more", lang, len(checks), leastChecks)
		}
		for _, cell := range checks {
			formula, _ := f.GetCellFormula(sheet, cell)
			if got, err := f.CalcCellValue(sheet, cell); err != nil || got != "TRUE" {
				t.Errorf("%s: %s is %q (%v): %s", lang, cell, got, err, formula)
			}
		}
	}
}

// A check that cannot fail checks nothing.
func TestWorkbookChecksFail(t *testing.T) {
	f := openBook(t, demoBook(t))
	sheet := f.GetSheetName(0)
	amount, err := f.GetCellValue("长款", "K5", excelize.Options{RawCellValue: true})
	if err != nil || amount == "" {
		t.Fatalf("长款!K5 = %q, %v", amount, err)
	}
	if err := f.SetCellValue("长款", "K5", 0.01); err != nil {
		t.Fatal(err)
	}
	var failing []string
	for _, cell := range checkCells(t, f, sheet) {
		if got, _ := f.CalcCellValue(sheet, cell); got == "FALSE" {
			failing = append(failing, cell)
		}
	}
	if len(failing) == 0 {
		t.Error("an amount was changed and no check fails")
	}
}

// LibreOffice opens the workbook, computes every formula, and finds that all checks
// hold; with an amount changed it finds that one does not.
func TestWorkbookInLibreOffice(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("soffice is not installed: the workbook's formulas are checked by TestWorkbookAuditsItself alone")
	}
	path := demoBook(t)
	f := openBook(t, computed(t, office, path))
	sheet := f.GetSheetName(0)
	count := 0
	for _, cell := range checkCells(t, openBook(t, path), sheet) {
		got, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
		if err != nil || got != "1" && got != "TRUE" {
			formula, _ := f.GetCellFormula(sheet, cell)
			t.Errorf("%s is %q (%v): %s", cell, got, err, formula)
		}
		count++
	}
	if count < leastChecks {
		t.Errorf("%d checks, want %d or more", count, leastChecks)
	}
	if got, _ := f.GetCellValue(sheet, "H5"); got != "✔ 全部相符" {
		t.Errorf("the overview says %q", got)
	}

	changed := openBook(t, path)
	if err := changed.SetCellValue("长款", "K5", 0.01); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "changed.xlsx")
	if err := changed.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if got, _ := openBook(t, computed(t, office, path)).GetCellValue(sheet, "H5"); got != "✘ 有不符" {
		t.Errorf("an amount was changed, and the overview says %q", got)
	}
}

func openBook(t *testing.T, path string) *excelize.File {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// checkCells are the checks of the overview: the truth values in the column of that
// head.
func checkCells(t *testing.T, f *excelize.File, sheet string) []string {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for i := range rows {
		cell, _ := excelize.CoordinatesToCellName(8, i+1)
		if kind, _ := f.GetCellType(sheet, cell); kind == excelize.CellTypeBool {
			cells = append(cells, cell)
		}
	}
	return cells
}

// computed has LibreOffice compute a workbook's formulas, whatever values stand in
// the file, and save it.
func computed(t *testing.T, office, path string) string {
	t.Helper()
	profile, out := t.TempDir(), t.TempDir()
	const always = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>`
	if err := os.MkdirAll(filepath.Join(profile, "user"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "user", "registrymodifications.xcu"), []byte(always), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), office, "-env:UserInstallation=file://"+filepath.ToSlash(profile), "--headless",
		"--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", out, path)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return filepath.Join(out, strings.TrimSuffix(filepath.Base(path), ".xlsx")+".xlsx")
}
