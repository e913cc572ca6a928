package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"duizhang/reports"
)

// A generated day with a state, run once.
func dayWithState(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "day")
	must(t, exitDone, "generate", "--out", dir, "--trades", "300", "--seed", "7")
	file := filepath.Join(dir, "job.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	withBook := strings.Replace(string(text), "formats: [", "formats: [xlsx, ", 1)
	if err := os.WriteFile(file, []byte(withBook+"state: {dir: state}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, exitDone, "run", file, "--quiet")
	return dir
}

// must runs the command and wants the status.
func must(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), args, &out, &errs); got != want {
		t.Fatalf("duizhang %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// fill writes verdicts into the first rows of each sheet of breaks, and gives how
// many.
func fill(t *testing.T, from, to string, change func(f *excelize.File, sheet string, row int, id string)) (filled int) {
	t.Helper()
	f, err := excelize.OpenFile(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		header, at := -1, map[reports.VerdictColumn]int{}
		for i := 0; i < len(rows) && i < reports.VerdictHeaderRows && header < 0; i++ {
			for c, cell := range rows[i] {
				if column, ok := reports.ParseVerdictColumn(cell); ok {
					at[column], header = c+1, i
				}
			}
		}
		if header < 0 || at[reports.VerdictIDColumn] == 0 || at[reports.VerdictStateColumn] == 0 {
			continue
		}
		for i := header + 1; i < len(rows) && i < header+4; i++ {
			if len(rows[i]) < at[reports.VerdictIDColumn] || rows[i][at[reports.VerdictIDColumn]-1] == "" {
				continue
			}
			set := func(c reports.VerdictColumn, text string) {
				name, _ := excelize.CoordinatesToCellName(at[c], i+1)
				if err := f.SetCellStr(sheet, name, text); err != nil {
					t.Fatal(err)
				}
			}
			states := reports.VerdictStates()
			set(reports.VerdictStateColumn, states[filled%len(states)].Text(reports.Chinese))
			set(reports.VerdictByColumn, "张会计")
			set(reports.VerdictNoteColumn, "=1+1 单号 0012")
			filled++
			if change != nil {
				id, _ := excelize.CoordinatesToCellName(at[reports.VerdictIDColumn], i+1)
				change(f, sheet, i+1, id)
			}
		}
	}
	if err := f.SaveAs(to); err != nil {
		t.Fatal(err)
	}
	return filled
}

type imported struct{ New, Changed, Unchanged, Kept int }

func importFile(t *testing.T, dir, file string) imported {
	t.Helper()
	stdout, _ := must(t, exitDone, "verdicts", "import", file, "--job", filepath.Join(dir, "job.yaml"), "--json")
	var got imported
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// The workbook comes back as somebody left it: sheets moved and added, rows
// deleted, columns inserted.
func TestVerdictsRearranged(t *testing.T) {
	dir := dayWithState(t)
	report, file := filepath.Join(dir, "out", "report.xlsx"), filepath.Join(dir, "filled.xlsx")
	n := fill(t, report, file, nil)
	if n < 6 {
		t.Fatalf("only %d breaks in the sheets", n)
	}
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, sheet := range f.GetSheetList() {
		if err := f.InsertCols(sheet, "C", 2); err != nil {
			t.Fatal(err)
		}
		if err := f.RemoveRow(sheet, 20); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.NewSheet("我的笔记"); err != nil {
		t.Fatal(err)
	}
	_ = f.SetCellStr("我的笔记", "A1", "差异编号很多，结论待定")
	moved := filepath.Join(dir, "moved.xlsx")
	if err := f.SaveAs(moved); err != nil {
		t.Fatal(err)
	}
	if got := importFile(t, dir, moved); got.New != n {
		t.Errorf("import = %+v, want %d new", got, n)
	}
	if got := importFile(t, dir, file); got.Unchanged != n || got.New+got.Changed != 0 {
		t.Errorf("import again = %+v, want %d unchanged", got, n)
	}
	must(t, exitDone, "run", filepath.Join(dir, "job.yaml"), "--quiet")
	if got := importFile(t, dir, report); got.Unchanged != n || got.New+got.Changed != 0 {
		t.Errorf("import of the next report = %+v, want %d unchanged", got, n)
	}
}

// An id that became a number, or lost letters, is named with its cell.
func TestVerdictsDamaged(t *testing.T) {
	dir := dayWithState(t)
	report := filepath.Join(dir, "out", "report.xlsx")
	for name, damage := range map[string]struct {
		cell func(f *excelize.File, sheet, id string)
		want string
	}{
		"number": {func(f *excelize.File, sheet, id string) { _ = f.SetCellFloat(sheet, id, 2.0881466543e15, -1, 64) }, "was turned into a number"},
		"cut": {func(f *excelize.File, sheet, id string) {
			text, _ := f.GetCellValue(sheet, id)
			_ = f.SetCellStr(sheet, id, text[:18])
		}, "is not whole"},
		"changed": {func(f *excelize.File, sheet, id string) {
			_ = f.SetCellStr(sheet, id, "bbbbbbbbbbbbbbbbbbbbb")
		}, "no run of this job reported"},
	} {
		file, place, done := filepath.Join(dir, name+".xlsx"), "", false
		fill(t, report, file, func(f *excelize.File, sheet string, _ int, id string) {
			if !done {
				damage.cell(f, sheet, id)
				place, done = name+".xlsx:"+sheet+"!"+id, true
			}
		})
		_, stderr := must(t, exitInput, "verdicts", "import", file, "--job", filepath.Join(dir, "job.yaml"), "--lang", "en")
		if !strings.Contains(stderr, place) || !strings.Contains(stderr, damage.want) {
			t.Errorf("%s: %s\nwant %s … %s", name, stderr, place, damage.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "verdicts.jsonl")); err == nil {
		t.Error("something was imported")
	}
}

// LibreOffice opens the workbook, saves it in its own form and back, and as CSV;
// the verdicts come through.
func TestVerdictsThroughLibreOffice(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil || testing.Short() {
		t.Skip("needs LibreOffice")
	}
	dir := dayWithState(t)
	file := filepath.Join(dir, "filled.xlsx")
	n := fill(t, filepath.Join(dir, "out", "report.xlsx"), file, nil)
	convert := func(from, to, out string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, office, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"),
			"--headless", "--infilter=CSV:44,34,76", "--convert-to", to, "--outdir", filepath.Join(dir, out), from)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("soffice: %v\n%s", err, text)
		}
		base := strings.TrimSuffix(filepath.Base(from), filepath.Ext(from))
		return filepath.Join(dir, out, base+"."+strings.SplitN(to, ":", 2)[0])
	}
	saved := convert(convert(file, "ods", "lo"), "xlsx", "lo")
	if got := importFile(t, dir, saved); got.New != n {
		t.Errorf("import = %+v, want %d new", got, n)
	}
	if got := importFile(t, dir, file); got.Unchanged != n || got.New+got.Changed != 0 {
		t.Errorf("import of the original = %+v, want %d unchanged", got, n)
	}
	list := filepath.Join(dir, "list.csv")
	must(t, exitDone, "verdicts", "export", list, "--job", filepath.Join(dir, "job.yaml"))
	if got := importFile(t, dir, convert(list, "xlsx", "lo")); got.Unchanged != n || got.New+got.Changed != 0 {
		t.Errorf("import of the list = %+v, want %d unchanged", got, n)
	}
}
