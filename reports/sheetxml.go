package reports

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A cellStyle is one of the workbook's styles; workbook_style.go has what they
// look like.
type cellStyle uint8

// cellsWriter appends the rows of a sheet as SpreadsheetML and hands them on
// from time to time. Amounts go from fen to text and are never a float. Text is
// always a typed string cell: no value can be a formula.
//
// The rest of a package is the library's work. Rows are not, because a stream of
// it takes 113 allocations a row, twice the time, and a temporary file of the whole
// sheet (BenchmarkWorkbook).
type cellsWriter struct {
	out    io.Writer
	styles []int // the library's number of each style
	names  []string
	buf    []byte
	row    int
	col    int // of the next cell, from 0
	err    error
}

func newCellsWriter(out io.Writer, styles []int) *cellsWriter {
	return &cellsWriter{out: out, styles: styles, names: columnNames}
}

// columnNames are A, B, … for as many columns as any sheet of ours has.
var columnNames = func() []string {
	const most = 64
	names := make([]string, most)
	for i := range names {
		names[i], _ = excelize.ColumnNumberToName(i + 1)
	}
	return names
}()

// begin starts the next row; a height of 0 is the default.
func (c *cellsWriter) begin(height int) {
	c.row++
	c.col = 0
	c.buf = append(c.buf, `<row r="`...)
	c.buf = strconv.AppendInt(c.buf, int64(c.row), 10)
	if height > 0 {
		c.buf = append(c.buf, `" ht="`...)
		c.buf = strconv.AppendInt(c.buf, int64(height), 10)
		c.buf = append(c.buf, `" customHeight="1`...)
	}
	c.buf = append(c.buf, `">`...)
}

func (c *cellsWriter) end() {
	const enough = 1 << 16
	c.buf = append(c.buf, `</row>`...)
	if len(c.buf) >= enough {
		c.flush()
	}
}

func (c *cellsWriter) flush() {
	if c.err == nil {
		_, c.err = c.out.Write(c.buf)
	}
	c.buf = c.buf[:0]
}

// open starts a cell, up to its attributes.
func (c *cellsWriter) open(style cellStyle) {
	c.buf = append(c.buf, `<c r="`...)
	c.buf = append(c.buf, c.names[c.col]...)
	c.buf = strconv.AppendInt(c.buf, int64(c.row), 10)
	c.buf = append(c.buf, '"')
	if id := c.styles[style]; id != 0 {
		c.buf = append(c.buf, ` s="`...)
		c.buf = strconv.AppendInt(c.buf, int64(id), 10)
		c.buf = append(c.buf, '"')
	}
	c.col++
}

// skip leaves cells out.
func (c *cellsWriter) skip(n int) { c.col += n }

// to leaves cells out up to a column.
func (c *cellsWriter) to(col int) { c.col = max(c.col, col) }

// blank is an empty cell with a style.
func (c *cellsWriter) blank(style cellStyle) {
	c.open(style)
	c.buf = append(c.buf, `/>`...)
}

// text is a string cell; nothing for "".
func (c *cellsWriter) text(style cellStyle, s string) {
	if s == "" {
		c.blank(style)
		return
	}
	c.open(style)
	c.buf = append(c.buf, ` t="inlineStr"><is><t xml:space="preserve">`...)
	c.buf = appendXMLText(c.buf, fitCell(s))
	c.buf = append(c.buf, `</t></is></c>`...)
}

func (c *cellsWriter) bytes(style cellStyle, s []byte) { c.text(style, string(s)) }

// number is a number cell with these digits; what a spreadsheet would round is
// text.
func (c *cellsWriter) number(style cellStyle, digits []byte) {
	if significant(digits) > exactDigits {
		c.text(style, string(digits))
		return
	}
	c.open(style)
	c.buf = append(c.buf, `><v>`...)
	c.buf = append(c.buf, digits...)
	c.buf = append(c.buf, `</v></c>`...)
}

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// significant counts the digits of a decimal that are not leading zeros.
func significant(digits []byte) int {
	n := 0
	for _, d := range digits {
		if d >= '0' && d <= '9' && (n > 0 || d != '0') {
			n++
		}
	}
	return n
}

func (c *cellsWriter) integer(style cellStyle, v int64) {
	var buf [24]byte
	c.number(style, strconv.AppendInt(buf[:0], v, 10))
}

// fen is an amount in fen; a blank for Null.
func (c *cellsWriter) fen(style cellStyle, v int64) {
	if v == schema.Null {
		c.blank(style)
		return
	}
	var buf [32]byte
	c.number(style, rules.AppendFen(buf[:0], rules.Fen(v)))
}

// micro is a number in millionths; a blank for Null.
func (c *cellsWriter) micro(style cellStyle, v int64) {
	if v == schema.Null {
		c.blank(style)
		return
	}
	var buf [32]byte
	c.number(style, rules.AppendMicro(buf[:0], rules.Micro(v), 2))
}

// amount is a total.
func (c *cellsWriter) amount(style cellStyle, a amountCell) {
	var buf [48]byte
	c.number(style, a.append(buf[:0]))
}

// moment is a wall-clock time as a spreadsheet counts: days since 1899-12-30 and
// their fraction. Null is a blank; what a spreadsheet has no date for is text.
func (c *cellsWriter) moment(style cellStyle, seconds int64) {
	const perDay = 24 * 60 * 60
	if seconds == schema.Null {
		c.blank(style)
		return
	}
	if seconds < -perDay*epochDays || seconds >= lastDay*perDay {
		c.text(style, momentText(seconds))
		return
	}
	day, rest := seconds/perDay, seconds%perDay
	if rest < 0 {
		day, rest = day-1, rest+perDay
	}
	var buf [32]byte
	digits := strconv.AppendInt(buf[:0], day+epochDays, 10)
	if rest != 0 {
		// Ten decimals tell 86,400 seconds apart.
		const scale = 10_000_000_000
		fraction := strconv.FormatInt((rest*scale+perDay/2)/perDay, 10)
		digits = append(digits, '.')
		digits = append(digits, "0000000000"[len(fraction):]...)
		digits = append(digits, fraction...)
	}
	c.open(style)
	c.buf = append(c.buf, `><v>`...)
	c.buf = append(c.buf, digits...)
	c.buf = append(c.buf, `</v></c>`...)
}

const (
	epochDays = 25569   // from 1899-12-30 to 1970-01-01
	lastDay   = 2932897 // 10000-01-01, from 1970-01-01
)

// day is a date given as 2006-01-02; what is none stays text.
func (c *cellsWriter) day(style cellStyle, text string) {
	if day, ok := dayNumber(text); ok {
		c.moment(style, day*24*60*60)
		return
	}
	c.text(style, text)
}

// A figure is a number, a truth value or a text that a formula has come to when
// the workbook is opened without calculating.
type figure struct {
	kind  byte // n, b, s
	text  string
	truth bool
}

func numberFigure(text string) figure { return figure{kind: 'n', text: text} }
func truthFigure(v bool) figure       { return figure{kind: 'b', truth: v} }
func textFigure(s string) figure      { return figure{kind: 's', text: s} }

// formula is a formula and what it comes to.
func (c *cellsWriter) formula(style cellStyle, formula string, value figure) {
	c.open(style)
	switch value.kind {
	case 'b':
		c.buf = append(c.buf, ` t="b"`...)
	case 's':
		c.buf = append(c.buf, ` t="str"`...)
	}
	c.buf = append(c.buf, `><f>`...)
	c.buf = appendXMLText(c.buf, formula)
	c.buf = append(c.buf, `</f><v>`...)
	switch {
	case value.kind != 'b':
		c.buf = appendXMLText(c.buf, value.text)
	case value.truth:
		c.buf = append(c.buf, '1')
	default:
		c.buf = append(c.buf, '0')
	}
	c.buf = append(c.buf, `</v></c>`...)
}

// absoluteRef is the place of a cell, $ before its parts.
func absoluteRef(col, row int) string { return "$" + columnNames[col] + "$" + itoa(row) }

// fitCell is the text as a cell can hold it: cut where it is longer than a
// spreadsheet allows, which it then says.
func fitCell(s string) string {
	const most, cut = excelize.TotalCellChars, "…"
	if len(s) <= most {
		return s
	}
	units, at := 0, 0 // at: where it is cut, if it is
	for i, r := range s {
		n := max(utf16.RuneLen(r), 1)
		if units+n <= most-1 {
			at = i + utf8.RuneLen(r)
			if r == utf8.RuneError {
				_, size := utf8.DecodeRuneInString(s[i:])
				at = i + size
			}
		}
		if units += n; units > most {
			return s[:at] + cut
		}
	}
	return s
}

// appendXMLText appends text as the content of an element. What XML cannot hold
// becomes U+FFFD. A text that reads like one of Excel's escapes (_x0041_) is
// escaped itself, so that it stays what it is.
func appendXMLText(dst []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		var with string
		size := 1
		switch b := s[i]; {
		case b == '&':
			with = "&amp;"
		case b == '<':
			with = "&lt;"
		case b == '>':
			with = "&gt;"
		case b == '\t':
			with = "&#x9;"
		case b == '\n':
			with = "&#xA;"
		case b == '\r':
			with = "&#xD;"
		case b < ' ':
			with = "\uFFFD"
		case b == '_' && escapeLike(s[i:]):
			with = "_x005F_"
		case b >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				with = "\uFFFD"
			}
		}
		if with != "" {
			dst = append(append(dst, s[from:i]...), with...)
			from = i + size
		}
		i += size
	}
	return append(dst, s[from:]...)
}

// escapeLike reports whether s begins with _xHHHH_.
func escapeLike(s string) bool {
	const length = len("_x0041_")
	if len(s) < length || s[1] != 'x' || s[length-1] != '_' {
		return false
	}
	return strings.Trim(s[2:length-1], "0123456789abcdefABCDEF") == ""
}

// dayNumber is the number of days from 1970-01-01 to a date 2006-01-02.
func dayNumber(text string) (int64, bool) {
	if len(text) != len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	year, month, day := 0, 0, 0
	for _, part := range []struct {
		text string
		into *int
	}{{text[:4], &year}, {text[5:7], &month}, {text[8:], &day}} {
		n, err := strconv.ParseUint(part.text, 10, 16)
		if err != nil {
			return 0, false
		}
		*part.into = int(n)
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || year < 1 {
		return 0, false
	}
	// Hinnant's days from civil.
	if month <= 2 {
		year--
	}
	era := year / 400
	yoe := year - era*400
	doy := (153*((month+9)%12)+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468, true
}
