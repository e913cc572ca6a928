package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"duizhang/engine"
	"duizhang/rules"
)

// ConsoleOptions are the choices of [Console].
type ConsoleOptions struct {
	Lang    Lang
	Color   bool
	Width   int     // of the terminal in columns, where long lines are broken; 0: they are not
	Privacy Privacy // 0 is Mask
	Out     string  // where the outputs are, shown at the end; blank: not shown
	Formats Formats // of the outputs, which are named
}

// Console writes what a run came to, for a terminal: the result, each check with its
// mark, what was found by kind, the causes that explain most of it, and where the
// outputs are. Columns are aligned by the width that characters have there.
func Console(w io.Writer, r *engine.Result, end Outcome, o ConsoleOptions) error {
	c := &console{lang: o.Lang, color: o.Color, width: o.Width, privacy: o.Privacy}
	if c.lang == 0 {
		c.lang = Chinese
	}
	if c.privacy == 0 {
		c.privacy = Mask
	}
	c.run(r, end)
	c.outputs(o.Out, o.Formats)
	_, err := io.WriteString(w, c.text.String())
	return err
}

type console struct {
	lang    Lang
	color   bool
	width   int
	privacy Privacy
	text    strings.Builder
}

// The colours of a terminal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

func (c *console) paint(style, s string) string {
	if !c.color || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func (c *console) run(r *engine.Result, end Outcome) {
	l := c.lang
	style, mark := green, "✔"
	count, _ := Counted(r.Breaks)
	switch {
	case end.ExitCode != 0 || end.Incomplete:
		style, mark = red, "✘"
	case count > 0 || !ResultsOf(r.Parts).Trades:
		style, mark = yellow, "!"
	}
	c.text.WriteString(c.paint(bold, l.pick("对账", "Reconciled")) + " ")
	if r.Date != "" {
		c.text.WriteString(visible(r.Date) + "  ")
	}
	fmt.Fprintf(&c.text, "%s\n", c.paint(style, mark+" "+visible(verdict(r, end, l))))
	if end.Incomplete {
		fmt.Fprintf(&c.text, "%s\n", c.paint(yellow, l.pick("输入不完整，不是最终结果", "an input is incomplete: not the final result")))
	}
	c.checks(r)
	if ResultsOf(r.Parts).Trades {
		c.trades(r)
	}
	c.breaks(r)
	if text := settledText(r.Breaks, l); text != "" {
		fmt.Fprintf(&c.text, "\n%s\n", c.paint(green, text))
	}
	for _, text := range []string{carriedLine(end.Carried, r, l), closedLine(end.Closed, l)} {
		if text != "" {
			c.wrapped("\n", "  ", text)
		}
	}
	c.causes(r)
	if n := len(r.Rejects); n > 0 {
		fmt.Fprintf(&c.text, "\n%s\n", c.paint(yellow, l.pick(itoa(n)+" 行拒收，见 rejects", itoa(n)+" rows were rejected, see rejects")))
	}
	c.leftOut(r)
}

// checks shows each proof of the run, and the control totals of the files: those
// that do not hold one by one.
func (c *console) checks(r *engine.Result) {
	l := c.lang
	var rows [][]string
	var styles []string
	check := func(holds bool, name, text string) {
		mark, style := "✔", green
		if !holds {
			mark, style = "✘", red
		}
		rows, styles = append(rows, []string{mark, name, text}), append(styles, style)
	}
	for _, v := range r.Invariants {
		text := v.Left
		if !v.Holds {
			text += " ≠ " + v.Right
		}
		check(v.Holds, l.invariant(v.Name), text)
	}
	if stated, holds := statedControls(r); stated > 0 {
		check(stated == holds, l.pick("控制总额：文件所列 = 实际", "control totals: stated = found"), itoa(holds)+" / "+itoa(stated))
	}
	const most = 5
	for _, text := range c.failing(r, most) {
		check(false, text[0], text[1])
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(&c.text, "\n%s\n", c.paint(bold, l.pick("核对", "checks")))
	names := 0
	for _, row := range rows {
		names = max(names, displayWidth(visible(row[1])))
	}
	for i, row := range rows {
		name := visible(row[1])
		fmt.Fprintf(&c.text, "%s %s%s  %s\n", c.paint(styles[i], row[0]), name, strings.Repeat(" ", names-displayWidth(name)), visible(row[2]))
	}
}

// failing are the first control totals that do not hold, with what is stated and
// found.
func (c *console) failing(r *engine.Result, most int) (names [][2]string) {
	for _, t := range r.Inputs() {
		for _, k := range t.Controls {
			if k.Stated != nil && k.Holds != nil && !*k.Holds && len(names) < most {
				names = append(names, [2]string{c.lang.control(k.Name, c.privacy), *k.Stated + " ≠ " + k.Found + "  " + t.File()})
			}
		}
	}
	return names
}

// leftOut says in one line which parts of the work were left out, and for want of
// which input.
func (c *console) leftOut(r *engine.Result) {
	l := c.lang
	var parts []string
	for _, p := range r.Parts {
		if !p.Ran {
			why := l.pick("缺 "+p.Why, "no "+p.Why)
			parts = append(parts, l.part(p.Name)+l.pick("（"+why+"）", " ("+why+")"))
		}
	}
	if len(parts) > 0 {
		c.wrapped(l.pick("未做：", "left out: "), "  ", strings.Join(parts, l.pick("、", ", ")))
	}
}

// trades shows both sides of the trades by status.
func (c *console) trades(r *engine.Result) {
	l := c.lang
	var tallies [][]string
	for s := rules.StatusMatched; s != 0; s = nextStatus(s) {
		if t := &r.Trades[s]; t.PosCount != 0 || t.BillCount != 0 {
			tallies = append(tallies, []string{l.status(s), countText(t.PosCount), fenMoney(t.PosAmount), countText(t.BillCount), fenMoney(t.BillAmount)})
		}
	}
	c.table([]string{l.pick("交易", "trades"), "POS", l.pick("金额", "amount"), l.pick("支付宝", "Alipay"), l.pick("金额", "amount")}, tallies, nil)
}

// breaks shows the breaks by code, the gravest first.
func (c *console) breaks(r *engine.Result) {
	l := c.lang
	var breaks [][]string
	var styles []string
	for _, t := range rankedBreaks(r.Breaks) {
		breaks = append(breaks, []string{l.text(t.code).Title, countText(t.count), money(t.amount), l.severity(t.severity)})
		styles = append(styles, map[rules.Severity]string{rules.SeverityError: red, rules.SeverityWarn: yellow}[t.severity])
	}
	c.table([]string{l.pick("差异", "breaks"), l.pick("笔数", "count"), l.pick("金额", "amount"), l.pick("级别", "severity")}, breaks, styles)
}

// causes shows what explains most of the breaks, with what to do about it.
func (c *console) causes(r *engine.Result) {
	const most = 3
	for i := range r.Attributions[:min(most, len(r.Attributions))] {
		a := &r.Attributions[i]
		if i == 0 {
			fmt.Fprintf(&c.text, "\n%s\n", c.paint(bold, c.lang.pick("主要原因", "main causes")))
		}
		number := itoa(i+1) + " "
		c.wrapped(number, "  ", c.lang.attribution(a, r.Date, c.privacy))
		c.wrapped("  → ", "    ", c.lang.text(a.Code).Do)
	}
}

// outputs says where the results are, and which is for whom.
func (c *console) outputs(out string, f Formats) {
	if out == "" {
		return
	}
	l := c.lang
	fmt.Fprintf(&c.text, "\n%s %s\n", l.pick("结果在", "results in"), c.paint(bold, visible(out)))
	for _, file := range []struct {
		written    bool
		name, text string
	}{
		{f.XLSX, workbookName, l.pick("工作簿：明细、自检、处理结论", "workbook: every finding, self-checking, for verdicts")},
		{f.HTML, pageName, l.pick("网页：一页看懂，可搜索", "page: the whole story, searchable")},
		{f.CSV, "*.csv", l.pick("各表明细", "the tables")},
		{f.Parquet, "*.parquet", l.pick("各表明细，供分析", "the tables, for analysis")},
		{f != Formats{}, SummaryName, l.pick("全部数字，供程序读取", "all figures, for programs")},
	} {
		if file.written {
			fmt.Fprintf(&c.text, "  %-13s %s\n", file.name, file.text)
		}
	}
}

// wrapped writes text after its head, and breaks lines that the terminal is too
// narrow for: at a space, or between two wide characters.
func (c *console) wrapped(head, indent, text string) {
	line, at := head, displayWidth(head)
	for _, word := range wrappable(visible(text)) {
		width := displayWidth(strings.TrimRight(word, " "))
		if c.width > 0 && at+width > c.width && at > displayWidth(indent) {
			c.text.WriteString(strings.TrimRight(line, " ") + "\n")
			line, at = indent, displayWidth(indent)
		}
		line += word
		at += displayWidth(word)
	}
	c.text.WriteString(line + "\n")
}

// wrappable divides text at the places where a line may end. A line does not begin
// with punctuation.
func wrappable(text string) []string {
	const closing = "，。；：、）”！？,.;:)%"
	var words []string
	from, runes := 0, []rune(text)
	for i := 1; i < len(runes); i++ {
		before, after := runes[i-1], runes[i]
		wide := terminal.RuneWidth(before) > 1 || terminal.RuneWidth(after) > 1
		if (before == ' ' || wide && after != ' ') && !strings.ContainsRune(closing, after) && before != '“' && before != '（' {
			words = append(words, string(runes[from:i]))
			from = i
		}
	}
	return append(words, string(runes[from:]))
}

// visible is s with characters that a terminal would obey written out: \n, \x1b,
// \u202e. What a file's name holds neither moves the cursor nor hides a line.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// table writes rows below a head: the first column to the left, numbers to the
// right. styles are the rows' colours.
func (c *console) table(head []string, rows [][]string, styles []string) {
	if len(rows) == 0 {
		return
	}
	for _, row := range rows {
		for i := range row {
			row[i] = visible(row[i])
		}
	}
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	c.text.WriteByte('\n')
	c.row(head, widths, bold)
	for i, row := range rows {
		style := ""
		if i < len(styles) {
			style = styles[i]
		}
		c.row(row, widths, style)
	}
}

func (c *console) row(cells []string, widths []int, style string) {
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-displayWidth(cell))
		painted := cell
		if style != "" && (i == 0 || style == bold) {
			painted = c.paint(style, cell)
		}
		switch {
		case i == 0:
			c.text.WriteString(painted + pad)
		case i == len(cells)-1 && !numeric(cell):
			c.text.WriteString("  " + painted)
		default:
			c.text.WriteString("  " + pad + painted)
		}
	}
	c.text.WriteByte('\n')
}

// numeric reports whether a cell is a number, which stands to the right.
func numeric(cell string) bool {
	return cell != "" && strings.Trim(cell, "0123456789.,-") == ""
}

// terminal counts East Asian wide characters as two columns, whatever the
// environment says, so that the same run prints the same text.
var terminal = func() *runewidth.Condition {
	c := runewidth.NewCondition()
	c.EastAsianWidth = false
	return c
}()

func displayWidth(s string) int { return terminal.StringWidth(s) }
