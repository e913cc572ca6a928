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
	Lang  Lang
	Color bool
	Out   string // where the outputs are, shown at the end; blank: not shown
}

// Console writes what a run came to, for a terminal: a few lines, columns
// aligned by the width that characters have there.
func Console(w io.Writer, r *engine.Result, end Outcome, o ConsoleOptions) error {
	c := &console{lang: o.Lang, color: o.Color}
	if c.lang == 0 {
		c.lang = Chinese
	}
	c.run(r, end, o.Out)
	_, err := io.WriteString(w, c.text.String())
	return err
}

type console struct {
	lang  Lang
	color bool
	text  strings.Builder
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

func (c *console) run(r *engine.Result, end Outcome, out string) {
	l := c.lang
	style := green
	if end.ExitCode != 0 {
		style = red
	}
	c.text.WriteString(c.paint(bold, l.pick("对账", "Reconciled")) + " ")
	if r.Date != "" {
		c.text.WriteString(visible(r.Date) + "  ")
	}
	fmt.Fprintf(&c.text, "%s\n", c.paint(style, visible(verdict(r, end, l))))
	if end.Incomplete {
		fmt.Fprintf(&c.text, "%s\n", c.paint(yellow, l.pick("输入不完整，不是最终结果", "an input is incomplete: not the final result")))
	}
	if ResultsOf(r.Parts).Trades {
		c.trades(r)
	}
	c.breaks(r)
	if text := settledText(r.Breaks, l); text != "" {
		fmt.Fprintf(&c.text, "\n%s\n", c.paint(green, text))
	}
	c.causes(r)
	if n := len(r.Rejects); n > 0 {
		fmt.Fprintf(&c.text, "\n%s\n", c.paint(yellow, l.pick(itoa(n)+" 行拒收，见 rejects", itoa(n)+" rows were rejected, see rejects")))
	}
	c.leftOut(r)
	if out != "" {
		fmt.Fprintf(&c.text, "\n%s %s\n", l.pick("结果在", "results in"), visible(out))
	}
}

// leftOut says in one line which parts of the work were left out, and for want of
// which input.
func (c *console) leftOut(r *engine.Result) {
	l := c.lang
	var parts []string
	for _, p := range r.Parts {
		if !p.Ran {
			why := l.why(p)
			if why == p.Why {
				why = l.pick("缺 "+why, "no "+why)
			}
			parts = append(parts, l.part(p.Name)+l.pick("（"+why+"）", " ("+why+")"))
		}
	}
	if len(parts) > 0 {
		text := l.pick("未做：", "left out: ") + strings.Join(parts, l.pick("、", ", "))
		fmt.Fprintf(&c.text, "%s\n", visible(text))
	}
}

// trades shows both sides of the trades by status.
func (c *console) trades(r *engine.Result) {
	l := c.lang
	var tallies [][]string
	for s := rules.StatusMatched; s != 0; s = nextStatus(s) {
		if t := &r.Trades[s]; t.PosCount != 0 || t.BillCount != 0 {
			tallies = append(tallies, []string{l.status(s), itoa(t.PosCount), t.PosAmount.String2(), itoa(t.BillCount), t.BillAmount.String2()})
		}
	}
	c.table([]string{l.pick("交易", "trades"), "POS", l.pick("金额", "amount"), l.pick("支付宝", "Alipay"), l.pick("金额", "amount")}, tallies, nil)
}

// breaks shows the breaks by code.
func (c *console) breaks(r *engine.Result) {
	l := c.lang
	var breaks [][]string
	var styles []string
	for _, t := range tallyBreaks(r.Breaks) {
		breaks = append(breaks, []string{l.text(t.code).Title, itoa(t.count), t.amount.String6(), l.severity(t.severity)})
		styles = append(styles, map[rules.Severity]string{rules.SeverityError: red, rules.SeverityWarn: yellow}[t.severity])
	}
	c.table([]string{l.pick("差异", "breaks"), l.pick("笔数", "count"), l.pick("金额", "amount"), l.pick("级别", "severity")}, breaks, styles)
}

// causes shows what explains most of the breaks.
func (c *console) causes(r *engine.Result) {
	const most = 3
	for i := range r.Attributions[:min(most, len(r.Attributions))] {
		if i == 0 {
			fmt.Fprintf(&c.text, "\n%s\n", c.paint(bold, c.lang.pick("主要原因", "main causes")))
		}
		fmt.Fprintf(&c.text, "%s\n", visible(c.lang.attribution(&r.Attributions[i], r.Date, Mask)))
	}
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
