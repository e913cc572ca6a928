package reports

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"duizhang/engine/schema"
	"duizhang/rules"
)

const bom = "\uFEFF"

// A csvEncoder turns tables into CSV (contract 4). It is for one goroutine; what
// it looks up is shared.
type csvEncoder struct {
	lookup *lookup
	sheet  bool // csv_bom: for spreadsheets
	cells  []cell
	day    int64 // the day that dayText stands for
	text   [11]byte
}

// cellKind says how a column's cells are written; the case is chosen once a
// table and not once a cell.
type cellKind uint8

const (
	cellText      cellKind = iota + 1 // nothing to quote
	cellTextQuote                     // look at every value
	cellTextSheet                     // for spreadsheets
	cellWord
	cellFen
	cellMicro2 // 2 to 6 decimals
	cellMicro0 // the decimals it has
	cellTime
	cellInt
	cellBool
	cellEnum
	cellSource
	cellSum
)

// A cell is a column as its cells are written: the slices that the loop needs lie
// side by side.
type cell struct {
	kind     cellKind
	form     form
	codes    []uint32
	rendered []string // words, enum names, or prefixes of sources
	ints     []int64
	bytes    []uint8 // of an enum or a boolean
	offsets  []int32 // of text
	data     []byte
	tables   []int32
	lines    []int32
	*column
}

// header gives the table's first line.
func (e *csvEncoder) header(dst []byte, t *table) []byte {
	if e.sheet {
		dst = append(dst, bom...)
	}
	for k := range t.columns {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, t.columns[k].Name...)
	}
	return append(dst, '\n')
}

// rows appends the table's rows, without the header. The kinds that most cells
// are of stand in the loop itself, the others in cell.
func (e *csvEncoder) rows(dst []byte, t *table) []byte {
	e.plan(t)
	for i := range t.rows {
		for k := range e.cells {
			c := &e.cells[k]
			switch c.kind {
			case cellText:
				dst = append(dst, c.data[c.offsets[i]:c.offsets[i+1]]...)
			case cellWord:
				dst = append(dst, c.rendered[c.codes[i]]...)
			case cellFen:
				if v := c.ints[i]; v != schema.Null {
					dst = appendFen(dst, v)
				}
			case cellEnum:
				dst = append(dst, c.rendered[c.bytes[i]]...)
			case cellTime:
				if v := c.ints[i]; v != schema.Null {
					dst = e.time(dst, v)
				}
			case cellSource:
				if at := c.tables[i]; at >= 0 {
					dst = appendSource(dst, c.rendered[at], c.lines[i])
				}
			case cellTextQuote, cellTextSheet, cellMicro2, cellMicro0, cellInt, cellBool, cellSum:
				dst = c.append(dst, i)
			}
			dst = append(dst, ',')
		}
		dst[len(dst)-1] = '\n'
	}
	return dst
}

// append appends a cell of one of the rarer kinds.
func (c *cell) append(dst []byte, i int) []byte {
	switch c.kind {
	case cellMicro2:
		if v := c.ints[i]; v != schema.Null {
			return rules.AppendMicro(dst, rules.Micro(v), 2)
		}
		return dst
	case cellMicro0:
		if v := c.ints[i]; v != schema.Null {
			return rules.AppendMicro(dst, rules.Micro(v), 0)
		}
		return dst
	case cellInt:
		if v := c.ints[i]; v != schema.Null {
			return strconv.AppendInt(dst, v, 10)
		}
		return dst
	case cellBool:
		if c.bytes[i] != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case cellTextQuote:
		return appendField(dst, c.Text.At(i))
	case cellTextSheet:
		return appendSheetField(dst, c.Text.At(i), c.form)
	case cellSum:
		if c.None != nil && c.None[i] {
			return dst
		}
		if c.Type == schema.FenType {
			return c.Sums[i].AppendDecimal(dst, 2, 2)
		}
		return c.Sums[i].AppendDecimal(dst, 6, 2)
	case cellText, cellWord, cellFen, cellEnum, cellTime, cellSource:
	}
	panic("reports: a cell of no kind")
}

// appendFen is rules.AppendFen for amounts below 10,000,000.00, which nearly all
// are, without a division for each digit.
func appendFen(dst []byte, v int64) []byte {
	if v < 0 || v >= 1_000_000_000 {
		return rules.AppendFen(dst, rules.Fen(v))
	}
	u := uint32(v)
	yuan, cents := u/100, u%100
	switch {
	case yuan < 10:
		dst = append(dst, '0'+byte(yuan))
	case yuan < 100:
		dst = append(dst, pairs[2*yuan], pairs[2*yuan+1])
	case yuan < 10_000:
		high, low := yuan/100, yuan%100
		if high >= 10 {
			dst = append(dst, pairs[2*high])
		}
		dst = append(dst, pairs[2*high+1], pairs[2*low], pairs[2*low+1])
	default:
		dst = strconv.AppendUint(dst, uint64(yuan), 10)
	}
	return append(dst, '.', pairs[2*cents], pairs[2*cents+1])
}

// pairs are 00, 01, … 99.
var pairs = func() (p [200]byte) {
	for i := range 100 {
		p[2*i], p[2*i+1] = '0'+byte(i/10), '0'+byte(i%10)
	}
	return p
}()

// plan chooses how each column is written.
func (e *csvEncoder) plan(t *table) {
	e.cells = e.cells[:0]
	for k := range t.columns {
		col := &t.columns[k]
		c := cell{
			column: col, form: e.formOf(col.Name), codes: col.Words, ints: col.Ints, bytes: col.Bytes,
			tables: col.Tables, lines: col.Lines,
		}
		switch col.Type {
		case schema.TextType:
			c.kind = cellTextQuote
			if e.sheet {
				c.kind = cellTextSheet
			} else if !needsQuotes(col.Text.Data) {
				c.kind, c.offsets, c.data = cellText, col.Text.Offsets, col.Text.Data
			}
		case schema.WordType:
			c.kind = cellWord
			c.rendered = e.lookup.words(maxWord(col.Words), variant{e.lookup.privacy.of(col.Name), c.form})
		case schema.EnumType:
			c.kind, c.rendered = cellEnum, e.names(col.Names)
		case schema.FenType, schema.RebateType:
			c.kind = cellFen
			if col.Sums != nil {
				c.kind = cellSum
			} else if col.Type == schema.RebateType {
				c.kind = cellMicro2
			}
		case schema.PriceType:
			c.kind = cellMicro2
		case schema.QuantityType, schema.RateType:
			c.kind = cellMicro0
		case schema.TimeType:
			c.kind = cellTime
		case schema.IntType:
			c.kind = cellInt
		case schema.BoolType:
			c.kind = cellBool
		case schema.SourceType:
			c.kind, c.rendered = cellSource, e.lookup.sources
		}
		e.cells = append(e.cells, c)
	}
}

// names renders an enum's names: the same slice where nothing is to be done.
func (e *csvEncoder) names(names []string) []string {
	for i, name := range names {
		if renderWord(name, e.formOf("")) != name {
			rendered := slices.Clone(names)
			for j := i; j < len(names); j++ {
				rendered[j] = renderWord(names[j], e.formOf(""))
			}
			return rendered
		}
	}
	return names
}

func maxWord(codes []uint32) uint32 {
	var most uint32
	for _, code := range codes {
		most = max(most, code)
	}
	return most
}

// time appends wall-clock seconds as 2006-01-02 15:04:05. The text of the day is
// kept: most rows are of one day.
func (e *csvEncoder) time(dst []byte, seconds int64) []byte {
	const perDay = 24 * 60 * 60
	day := seconds / perDay
	rest := seconds % perDay
	if rest < 0 {
		day, rest = day-1, rest+perDay
	}
	if day != e.day || e.text[0] == 0 {
		e.day = day
		appendDay(e.text[:0], day)
		e.text[10] = ' '
	}
	minutes, s := uint32(rest)/60, uint32(rest)%60
	h, m := minutes/60, minutes%60
	dst = append(dst, e.text[:]...)
	return append(dst, pairs[2*h], pairs[2*h+1], ':', pairs[2*m], pairs[2*m+1], ':', pairs[2*s], pairs[2*s+1])
}

// appendDay appends days since 1970-01-01 as 2006-01-02 (Hinnant's civil from
// days). Years outside 0000 to 9999 are cut to their last four digits.
func appendDay(dst []byte, day int64) []byte {
	z := day + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	y := yoe + era*400
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	if m > 12 {
		m -= 12
		y++
	}
	y = ((y % 10000) + 10000) % 10000
	return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10),
		'-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// appendSource appends a place whose prefix is rendered: an open quote at its
// beginning is closed behind the line. Line 0 is the whole file.
func appendSource(dst []byte, prefix string, line int32) []byte {
	dst = append(dst, prefix...)
	if line != 0 {
		dst = strconv.AppendInt(dst, int64(line), 10)
	} else {
		dst = dst[:len(dst)-1] // the colon
	}
	if prefix != "" && prefix[0] == '"' {
		dst = append(dst, '"')
	}
	return dst
}

// needsQuotes reports whether a field with these bytes is quoted (RFC 4180).
func needsQuotes(b []byte) bool {
	return bytes.IndexByte(b, ',') >= 0 || bytes.IndexByte(b, '"') >= 0 ||
		bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '\r') >= 0
}

// appendField appends a field, quoted where it must be.
func appendField(dst, field []byte) []byte {
	if !needsQuotes(field) {
		return append(dst, field...)
	}
	return append(appendQuoted(append(dst, '"'), field), '"')
}

func appendQuoted(dst, field []byte) []byte {
	for _, c := range field {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return dst
}

// A form is how text stands in a CSV field.
type form uint8

const (
	plainForm   form = iota + 1 // as it is
	sheetForm                   // for a spreadsheet
	sheetIDForm                 // for a spreadsheet, which must not read a number
	asIs                        // no CSV field
)

// formOf is the form of a column's text.
func (e *csvEncoder) formOf(name string) form {
	switch {
	case !e.sheet:
		return plainForm
	case isID(name):
		return sheetIDForm
	}
	return sheetForm
}

// appendSheetField appends a field for a spreadsheet: text that it would take
// for a formula is made inert with an apostrophe, and an id carries a tab behind
// it. A semicolon is quoted too, because some spreadsheets part cells at it.
func appendSheetField(dst, field []byte, f form) []byte {
	if len(field) == 0 {
		return dst
	}
	quote := needsQuotes(field) || bytes.IndexByte(field, ';') >= 0
	if quote {
		dst = append(dst, '"')
	}
	if startsFormula(field) {
		dst = append(dst, '\'')
	}
	if quote {
		dst = appendQuoted(dst, field)
	} else {
		dst = append(dst, field...)
	}
	if f == sheetIDForm {
		dst = append(dst, '\t')
	}
	if quote {
		dst = append(dst, '"')
	}
	return dst
}

// startsFormula reports whether a spreadsheet may take the text for a formula:
// it begins, perhaps after blanks, with = + - @ or their full-width forms, or
// with a tab, CR or LF.
func startsFormula(field []byte) bool {
	if len(field) == 0 {
		return false
	}
	switch field[0] {
	case '\t', '\r', '\n':
		return true
	}
	r, _ := utf8.DecodeRune(bytes.TrimLeft(field, " \u00a0\u3000\uFEFF"))
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n':
		return true
	}
	return false
}

// renderSource is the prefix of the places in a table, up to the line: quoted at
// its beginning where the path needs it, and made inert for a spreadsheet.
func renderSource(t *schema.Table, f form) string {
	prefix := []byte(strings.ToValidUTF8(t.File(), "\uFFFD"))
	prefix = append(prefix, ':')
	quote := needsQuotes(prefix) || f != plainForm && bytes.IndexByte(prefix, ';') >= 0
	var dst []byte
	if quote {
		dst = append(dst, '"')
	}
	if f != plainForm && startsFormula(prefix) {
		dst = append(dst, '\'')
	}
	if quote {
		return string(appendQuoted(dst, prefix))
	}
	return string(append(dst, prefix...))
}
