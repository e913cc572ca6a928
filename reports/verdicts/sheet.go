package verdicts

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"duizhang/reports"
)

// A Row is one row of a sheet of breaks that says something.
type Row struct {
	ID      string
	Verdict reports.Verdict
	Place   string // of its id: report.xlsx:短款!Q7
}

// A Cell is a cell of a sheet: its text, and whether it is stored as a number.
type Cell struct {
	Text   string
	Number bool
}

// A Problem is a cell that cannot be taken for what it should be.
type Problem struct {
	Place string // report.xlsx:短款!Q7
	Head  string // of the column
	Value string
	Text  string
}

// Problems are all that is wrong with a file of verdicts; nothing of it is taken.
type Problems []Problem

// maxProblems is how many problems are said one by one.
const maxProblems = 20

// Error has a line for each problem.
func (p Problems) Error() string {
	var b strings.Builder
	for i, problem := range p {
		if i == maxProblems {
			b.WriteString("… +" + strconv.Itoa(len(p)-i))
			break
		}
		b.WriteString(problem.Place)
		if problem.Head != "" {
			b.WriteString(" (" + problem.Head + ")")
		}
		if problem.Value != "" {
			b.WriteString(": " + strconv.Quote(problem.Value))
		}
		b.WriteString(": " + problem.Text + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// A Collector gathers the verdicts of a file from its sheets, row by row. Where
// the columns stand, in which order the rows are, and what else is in the file
// does not matter.
type Collector struct {
	file   string
	lang   reports.Lang
	text   bool // a text file: places are lines
	sheet  *sheetHead
	tables int      // sheets of breaks found
	blind  []string // sheets with ids and without conclusions

	rows     []Row
	blank    []string // ids of rows that say nothing
	problems Problems
	at       map[string]int // by id: its row
}

// A sheetHead is where the columns of the sheet at hand stand.
type sheetHead struct {
	name  string
	found bool
	tried int
	at    [reports.VerdictNoteColumn + 1]int // from 1, 0 for none
	heads [reports.VerdictNoteColumn + 1]string
	twice int // a further cell that names one of them, 0 for none
}

// NewCollector gathers the verdicts of the file of that name. text: it is a text
// file, whose places are lines and not cells.
func NewCollector(file string, text bool, lang reports.Lang) *Collector {
	return &Collector{file: file, text: text, lang: lang, at: map[string]int{}}
}

func (c *Collector) say(zh, en string) string {
	if c.lang == reports.English {
		return en
	}
	return zh
}

// Row takes one row of a sheet; rows of a sheet come together and in order.
func (c *Collector) Row(sheet string, line int, cells []Cell) {
	if c.sheet == nil || c.sheet.name != sheet {
		c.endSheet()
		c.sheet = &sheetHead{name: sheet}
	}
	if !c.sheet.found {
		c.head(line, cells)
		return
	}
	c.row(line, cells)
}

// head looks whether the row is the header of a sheet of breaks.
func (c *Collector) head(line int, cells []Cell) {
	s := c.sheet
	if s.tried++; s.tried > reports.VerdictHeaderRows {
		return
	}
	var at sheetHead
	for i, cell := range cells {
		column, ok := reports.ParseVerdictColumn(strings.TrimPrefix(cell.Text, "\ufeff"))
		switch {
		case !ok:
		case at.at[column] > 0:
			at.twice = i + 1
		default:
			at.at[column], at.heads[column] = i+1, strings.TrimSpace(cell.Text)
		}
	}
	if at.at[reports.VerdictIDColumn] == 0 {
		return
	}
	if at.at[reports.VerdictStateColumn] == 0 {
		c.blind = append(c.blind, s.name)
		s.tried = reports.VerdictHeaderRows
		return
	}
	if at.twice != 0 {
		c.problem(line, at.twice, "", strings.TrimSpace(cells[at.twice-1].Text), c.say("这一列出现了两次；请只留一列", "the column is there twice; keep one of them"))
	}
	at.name, at.found, at.tried = s.name, true, s.tried
	c.sheet = &at
	c.tables++
}

func (c *Collector) row(line int, cells []Cell) {
	s := c.sheet
	get := func(column reports.VerdictColumn) string {
		if at := s.at[column]; at > 0 && at <= len(cells) {
			return clean(cells[at-1].Text)
		}
		return ""
	}
	id, word := get(reports.VerdictIDColumn), get(reports.VerdictStateColumn)
	v := reports.Verdict{By: get(reports.VerdictByColumn), Note: get(reports.VerdictNoteColumn)}
	says := word != "" || v.By != "" || v.Note != ""
	at := s.at[reports.VerdictIDColumn]
	head := s.heads[reports.VerdictIDColumn]
	if id == "" {
		if says && word != "" {
			c.problem(line, at, "", head, c.say("这一行有结论，却没有差异编号；编号被删掉了，请从报告里补回", "the row has a verdict and no break id; the id was removed: copy it back from the report"))
		}
		return
	}
	if lower := strings.ToLower(id); isID(lower) {
		id = lower
	} else {
		c.problem(line, at, id, head, c.damage(id, cells[at-1].Number))
		return
	}
	if !says {
		c.blank = append(c.blank, id)
		return
	}
	if word != "" {
		state, ok := reports.ParseVerdictState(word)
		if !ok {
			c.problem(line, s.at[reports.VerdictStateColumn], word, s.heads[reports.VerdictStateColumn],
				c.say("不是可选的结论；可选：", "not one of the verdicts: ")+c.choices())
			return
		}
		v.State = state
	}
	row := Row{ID: id, Verdict: v, Place: c.place(line, at)}
	if first, again := c.at[id]; again {
		if c.rows[first].Verdict != v {
			c.problem(line, at, id, head, c.say("与 ", "has another verdict than ")+c.rows[first].Place+c.say(" 是同一差异，结论却不同", ", which is the same break"))
		}
		return
	}
	c.at[id] = len(c.rows)
	c.rows = append(c.rows, row)
}

// damage says what became of an id.
func (c *Collector) damage(id string, number bool) string {
	want := c.say("编号是 b 加 20 个字母数字；请从原报告复制", "an id is b and 20 letters and digits; copy it from the report")
	switch {
	case number:
		return c.say("差异编号被改成了数字；", "the break id was turned into a number; ") + want
	case len(id) < idLength:
		return c.say("差异编号不完整；", "the break id is not whole; ") + want
	}
	return c.say("差异编号已损坏；", "the break id is damaged; ") + want
}

func (c *Collector) choices() string {
	var words []string
	for _, s := range reports.VerdictStates() {
		words = append(words, s.Text(c.lang))
	}
	return strings.Join(words, c.say("、", ", "))
}

// clean is a cell without what surrounds it: blanks, the tab behind an id, and the
// apostrophe before text that would be a formula.
func clean(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if rest, ok := strings.CutPrefix(text, "'"); ok && (strings.HasPrefix(strings.ToLower(rest), "b") || strings.TrimLeft(rest, "=+-@\t\r") != rest) {
		return strings.TrimSpace(rest)
	}
	return text
}

func (c *Collector) place(line, column int) string {
	if c.text {
		return c.file + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
	}
	return c.file + ":" + c.sheet.name + "!" + columnName(column) + strconv.Itoa(line)
}

// columnName is a column as a spreadsheet names it: 1 is A, 27 is AA.
func columnName(n int) string {
	name := ""
	for ; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

func (c *Collector) problem(line, column int, value, head, text string) {
	c.problems = append(c.problems, Problem{c.place(line, column), head, value, text})
}

func (c *Collector) endSheet() { c.sheet = nil }

// A Sheet is what was gathered from a file.
type Sheet struct {
	Rows  []Row
	Blank []string // ids of the rows that say nothing
	Blind []string // sheets that have ids and no column of conclusions
}

// Done gives what was gathered. The error is Problems.
func (c *Collector) Done() (*Sheet, error) {
	if c.tables == 0 && len(c.problems) == 0 {
		id, state := reports.VerdictIDColumn.Head(c.lang), reports.VerdictStateColumn.Head(c.lang)
		c.problems = append(c.problems, Problem{Place: c.file, Text: c.say(
			"没有找到同时有「"+id+"」和「"+state+"」两列的表",
			"no sheet has both of the columns "+strconv.Quote(id)+" and "+strconv.Quote(state))})
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	slices.SortStableFunc(c.rows, func(a, b Row) int { return cmp.Compare(a.ID, b.ID) })
	return &Sheet{c.rows, c.blank, c.blind}, nil
}
