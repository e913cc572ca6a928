package verdicts

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"duizhang/engine"
	"duizhang/reports"
	"duizhang/rules"
)

func sampleBreaks() []engine.Break {
	return []engine.Break{
		{Code: rules.BreakPOSOnly, Side: rules.SidePOS, Merchant: "2088101122136241", OutTradeNo: "POS0001", Amount: 1000, Table: -1},
		{Code: rules.BreakBillOnly, Side: rules.SideBill, Merchant: "2088101122136241", OutTradeNo: `PO"S,2`, Amount: 2000, Table: -1},
		{Code: rules.BreakStatementShort, Side: rules.SideStatement, OutTradeNo: "POS0003", Amount: 30, Micro: true, Table: -1},
	}
}

var at = time.Date(2026, 11, 21, 9, 30, 0, 0, time.FixedZone("", 8*60*60))

func day(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

func noSource(*engine.Break) string { return "" }

// remember writes the breaks of a day's run, as a run does.
func remember(t *testing.T, dir, date string, breaks []engine.Break) {
	t.Helper()
	name, data, err := Reported(dir, day(date), breaks, noSource)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A state with the sample breaks of a day.
func sampleState(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	remember(t, dir, "2026-11-20", sampleBreaks())
	return dir
}

// rows makes a sheet of cells parted by |; a cell that begins with # is a number.
func gather(t *testing.T, c *Collector, sheet string, first int, lines ...string) {
	t.Helper()
	for i, line := range lines {
		var cells []Cell
		for _, text := range strings.Split(line, "|") {
			number, found := strings.CutPrefix(text, "#")
			cells = append(cells, Cell{number, found})
		}
		c.Row(sheet, first+i, cells)
	}
}

func TestCollector(t *testing.T) {
	b := sampleBreaks()
	one, two := b[0].ID(), b[1].ID()
	head := "金额|差异编号|处理人|结论|备注"
	settled := reports.Verdict{State: reports.VerdictSettled, By: "张三", Note: "补录"}
	for _, test := range []struct {
		name  string
		lines []string
		want  []Row
		blank int
		err   string
	}{
		{"rows", []string{"说明", head, "10|" + one + "|张三|已解决|补录", "20|" + two + "|||"}, []Row{{one, settled, "r.xlsx:短款!B3"}}, 1, ""},
		{"columns moved, English", []string{"Note|x|Verdict|Break ID|Handled by", "补录|1|settled|" + one + "|张三"}, []Row{{one, settled, "r.xlsx:短款!D2"}}, 0, ""},
		{"what a spreadsheet adds", []string{head, "| '" + strings.ToUpper(one) + "\t|张三 | 已解决| 补录"}, []Row{{one, settled, "r.xlsx:短款!B2"}}, 0, ""},
		{"the same twice", []string{head, "|" + one + "|张三|已解决|补录", "|" + one + "|张三|已解决|补录"}, []Row{{one, settled, "r.xlsx:短款!B2"}}, 0, ""},
		{"a short row, a row of words", []string{head, "", "以上已核对", "|" + one + "|张三|已解决|补录", "合计||||", "||||备注"}, []Row{{one, settled, "r.xlsx:短款!B4"}}, 0, ""},
		{"a note alone", []string{head, "|" + one + "|||'=查"}, []Row{{one, reports.Verdict{Note: "=查"}, "r.xlsx:短款!B2"}}, 0, ""},
		{"rounded", []string{head, "|#2.08810112213624E+15|张三|已解决|"}, nil, 0, `r.xlsx:短款!B2 (差异编号): "2.08810112213624E+15": 差异编号被改成了数字`},
		{"cut", []string{head, "|" + one[:15] + "|||"}, nil, 0, `r.xlsx:短款!B2 (差异编号): "` + one[:15] + `": 差异编号不完整`},
		{"a letter changed", []string{head, "|" + one[:20] + "1|||"}, nil, 0, `差异编号已损坏`},
		{"no id", []string{head, "||张三|已解决|"}, nil, 0, `r.xlsx:短款!B2 (差异编号): 这一行有结论，却没有差异编号`},
		{"another word", []string{head, "|" + one + "|张三|搞定|"}, nil, 0, `r.xlsx:短款!D2 (结论): "搞定": 不是可选的结论；可选：待处理、已解决、无需处理、转申诉、核销损失`},
		{"two minds", []string{head, "|" + one + "|张三|已解决|", "|" + one + "|李四|已解决|"}, nil, 0, `r.xlsx:短款!B3 (差异编号): "` + one + `": 与 r.xlsx:短款!B2 是同一差异，结论却不同`},
		{"two columns", []string{"差异编号|结论|结论", one + "|已解决|待处理"}, nil, 0, `r.xlsx:短款!C1 (结论): 这一列出现了两次`},
		{"no such columns", []string{"差异编号|备注", one + "|x"}, nil, 0, `r.xlsx: 没有找到同时有「差异编号」和「结论」两列的表`},
		{"header too far down", append(slices.Repeat([]string{"x"}, reports.VerdictHeaderRows), head), nil, 0, `没有找到`},
	} {
		c := NewCollector("r.xlsx", false, reports.Chinese)
		gather(t, c, "短款", 1, test.lines...)
		sheet, err := c.Done()
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: Done() = %v, want %s", test.name, err, test.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(sheet.Rows, test.want) || len(sheet.Blank) != test.blank {
			t.Errorf("%s: Done() = %+v, %v, want %+v and %d blank", test.name, sheet, err, test.want, test.blank)
		}
	}
}

// Sheets that are none of breaks are passed by; those without conclusions are said.
func TestCollectorSheets(t *testing.T) {
	one := sampleBreaks()[0].ID()
	c := NewCollector("r.xlsx", false, reports.English)
	gather(t, c, "总览", 1, "对账报告", "业务日期|2026-11-20")
	gather(t, c, "长款", 1, "差异编号|处理人", one+"|张三")
	gather(t, c, "短款 (2)", 1, "差异编号|结论", one+"|written off")
	sheet, err := c.Done()
	if err != nil || len(sheet.Rows) != 1 || sheet.Rows[0].Verdict.State != reports.VerdictWrittenOff ||
		sheet.Rows[0].Place != "r.xlsx:短款 (2)!A2" || !slices.Equal(sheet.Blind, []string{"长款"}) {
		t.Errorf("Done() = %+v, %v", sheet, err)
	}
}

func TestReadText(t *testing.T) {
	one := sampleBreaks()[0].ID()
	list := "差异编号,结论,备注\n" + one + ",已解决,\"甲,乙\n丙\"\n"
	gbk := "\xb2\xee\xd2\xec\xb1\xe0\xba\xc5;\xbd\xe1\xc2\xdb\n" + one + ";\xd2\xd1\xbd\xe2\xbe\xf6\n"
	for name, data := range map[string]string{
		"UTF-8": list, "BOM": "\ufeff" + list, "GB18030, semicolons": gbk,
		"UTF-16, tabs": "\xff\xfe" + utf16("Break ID\tVerdict\n"+one+"\tsettled\n"),
	} {
		c := NewCollector("list.csv", true, reports.Chinese)
		if err := c.ReadText([]byte(data)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sheet, err := c.Done()
		if err != nil || len(sheet.Rows) != 1 || sheet.Rows[0].Verdict.State != reports.VerdictSettled || sheet.Rows[0].Place != "list.csv:2:1" {
			t.Errorf("%s: %+v, %v", name, sheet, err)
		}
	}
}

func utf16(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		b.WriteByte(0)
	}
	return b.String()
}

func importRows(t *testing.T, dir string, rows ...Row) (Change, error) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s.Import(&Sheet{Rows: rows}, at, "", reports.Chinese)
}

// Importing again records nothing; another verdict replaces the first, which stays
// in the history.
func TestImport(t *testing.T) {
	dir := sampleState(t)
	id := sampleBreaks()[1].ID()
	first := Row{id, reports.Verdict{State: reports.VerdictOpen, By: "张三", Note: "电话 13812345678"}, "a.xlsx:长款!A2"}
	masked := first
	masked.Verdict.Note = "电话 138****5678"
	second := Row{id, reports.Verdict{State: reports.VerdictIgnored, By: "李四"}, "b.xlsx:长款!A9"}
	for i, step := range []struct {
		row  Row
		want Change
	}{{first, Change{New: 1}}, {first, Change{Same: 1}}, {masked, Change{Same: 1}}, {second, Change{Changed: 1}}, {second, Change{Same: 1}}} {
		if i == 2 {
			step.row.Verdict.Note = reports.Mask.Text(first.Verdict.Note)
		}
		if got, err := importRows(t, dir, step.row); got != step.want || err != nil {
			t.Errorf("step %d: Import = %+v, %v, want %+v", i, got, err, step.want)
		}
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Current(); !reflect.DeepEqual(got, map[string]reports.Verdict{id: second.Verdict}) {
		t.Errorf("Current() = %+v", got)
	}
	history := s.History(id)
	if len(history) != 2 || history[0].Verdict != first.Verdict || history[0].Source != first.Place || !history[1].At.Equal(at) {
		t.Errorf("History = %+v", history)
	}
	open, err := s.Open()
	if err != nil || len(open) != 2 || open[0].OutTradeNo != "POS0001" || open[1].Amount != "0.00003" {
		t.Errorf("Open() = %+v, %v", open, err)
	}
	want := `{"format":"duizhang verdicts","schema":1}
{"id":"` + id + `","verdict":"open","handler":"张三","note":"电话 13812345678","at":"2026-11-21T09:30:00+08:00","source":"a.xlsx:长款!A2"}
{"id":"` + id + `","verdict":"ignored","handler":"李四","note":"","at":"2026-11-21T09:30:00+08:00","source":"b.xlsx:长款!A9"}
`
	if got, _ := os.ReadFile(filepath.Join(dir, fileName)); string(got) != want {
		t.Errorf("file =\n%s\nwant\n%s", got, want)
	}
}

// One unknown id, and nothing is taken.
func TestImportAllOrNothing(t *testing.T) {
	dir := sampleState(t)
	good := Row{sampleBreaks()[0].ID(), reports.Verdict{State: reports.VerdictSettled}, "a.xlsx:长款!A2"}
	bad := Row{"b" + strings.Repeat("a", 20), reports.Verdict{State: reports.VerdictSettled}, "a.xlsx:长款!A3"}
	_, err := importRows(t, dir, good, bad)
	want := `a.xlsx:长款!A3 (差异编号): "baaaaaaaaaaaaaaaaaaaa": 这个作业的对账从未报告过这个编号；编号被改动过，或是别的作业的`
	if err == nil || err.Error() != want {
		t.Errorf("Import = %v, want %s", err, want)
	}
	if _, err := os.Stat(filepath.Join(dir, fileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was kept: %v", err)
	}
}

// The breaks of an earlier run of the day stay known; those of old days do not.
func TestRemember(t *testing.T) {
	dir := sampleState(t)
	b := sampleBreaks()
	remember(t, dir, "2026-11-20", b[1:2])
	ids := map[string]bool{b[0].ID(): true, b[2].ID(): true}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	known, _, err := s.Known(ids)
	if err != nil || len(known) != 2 || known[b[0].ID()].Merchant != "2088101122136241" {
		t.Errorf("Known = %+v, %v", known, err)
	}
	remember(t, dir, "2026-12-01", nil)
	if err := Forget(dir, day("2026-11-21")); err != nil {
		t.Fatal(err)
	}
	if known, days, err := s.Known(ids); len(known) != 0 || days != 1 || err != nil {
		t.Errorf("Known after ten days = %+v, %d, %v", known, days, err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
}

func TestCorrupt(t *testing.T) {
	const head = `{"format":"duizhang verdicts","schema":1}` + "\n"
	const good = `{"id":"baaaaaaaaaaaaaaaaaaaa","verdict":"open","handler":"","note":"","at":"2026-11-21T09:30:00+08:00","source":""}` + "\n"
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", `:1: the file is empty`},
		{"another file", "id,verdict\n", `:1: not a file of verdicts`},
		{"a later version", `{"format":"duizhang verdicts","schema":2}` + "\n", `:1: schema 2: this version knows schema 1`},
		{"cut off", head + good + good[:40], `:3: not a verdict: unexpected EOF`},
		{"no line end", head + strings.TrimSuffix(good, "\n"), `:2: the line is cut off`},
		{"id", head + strings.Replace(good, "aaa\"", "aA\"", 1), `:2: id "baaaaaaaaaaaaaaaaaaA": not the id of a break`},
		{"word", head + strings.Replace(good, "open", "待处理", 1), `:2: verdict "待处理": not a verdict`},
		{"time", head + strings.Replace(good, "T09:30:00+08:00", "", 1), `:2: at "2026-11-21": not a time`},
		{"more", head + strings.Replace(good, `"source"`, `"extra":1,"source"`, 1), `:2: not a verdict: json: unknown field "extra"`},
		{"two in a line", head + strings.TrimSuffix(good, "\n") + good, `:2: not a verdict: more than one value`},
		{"long", head + `{"id":"` + strings.Repeat("a", maxLine) + "\n", `:2: the line is too long`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, fileName)
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || err.Error() != path+test.want {
			t.Errorf("%s: Open = %v, want %s", test.name, err, test.want)
		}
	}
	dir := sampleState(t)
	path := filepath.Join(dir, breaksDir, "2026-11-20.csv")
	if err := os.WriteFile(path, []byte(strings.Join(knownHeader, ",")+"\nb1,,,,,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := importRows(t, dir, Row{sampleBreaks()[0].ID(), reports.Verdict{State: reports.VerdictOpen}, "x"})
	if want := path + ":2: not a file of known breaks"; err == nil || err.Error() != want {
		t.Errorf("Import = %v, want %s", err, want)
	}
}

func TestStateFolder(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	if err := Make(real); err != nil {
		t.Fatal(err)
	}
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{link: "is a link", file: "is not a folder"} {
		_, _, reported := Reported(path, at, nil, noSource)
		for _, err := range []error{Make(path), Check(path), reported} {
			state, ok := errors.AsType[*StateError](err)
			if !ok || state.Text(reports.English) != "state folder "+path+": "+want {
				t.Errorf("%s: %v", path, err)
			}
		}
		if _, err := Open(path); err == nil {
			t.Errorf("Open(%s): no error", path)
		}
	}
	if err := os.Symlink(file, filepath.Join(real, fileName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(real); err == nil {
		t.Error("a linked verdicts.jsonl was read")
	}
}
