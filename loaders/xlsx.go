package loaders

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zip"
)

// A workbook is an open XLSX file. Its sheets are read as streams, row by row,
// without the formatting: what is kept of a cell is its text and whether it was
// stored as a number, which tells an id that Excel may have rounded.
//
// The package's own reader, because the usual ones give a number's text without
// telling that it was one.
type workbook struct {
	file   *os.File
	zip    *zip.Reader
	shared sharedStrings
	months []bool // by style: a date shown without its day
	sheets []*xlsxSheet
}

// An xlsxSheet is one worksheet.
type xlsxSheet struct {
	name string
	book *workbook
	part string // its name in the archive
}

// An xlsxCell is one cell of a row. A number is the shortest decimal that gives
// the same double, and numeric is set; times are such numbers, which parseSerial
// reads. A date that its style shows without a day (账期 typed as 2026-11, which
// Excel makes the first of the month) is the text 2026-11.
//
// Parsers see the numeric flags of a row in tableReader.numeric, cell by cell.
type xlsxCell struct {
	text    []byte
	numeric bool
}

// Limits of a workbook, which are Excel's own, and of the memory for texts.
const (
	xlsxColumns   = 16384
	xlsxRows      = 1 << 20
	maxSharedText = 1 << 30
)

// openXLSX opens a workbook and reads what its sheets have in common. The
// caller closes it.
func openXLSX(name string) (_ *workbook, err error) {
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	z, err := openZip(f, f)
	if err != nil {
		return nil, err
	}
	w := &workbook{file: f, zip: z}
	root, err := w.root()
	if err != nil {
		return nil, err
	}
	if err := w.readParts(root); err != nil {
		return nil, err
	}
	return w, nil
}

// close closes the file. Sheets can no longer be read.
func (w *workbook) close() error { return w.file.Close() }

// sheet finds a sheet by its name; nil if there is none.
func (w *workbook) sheet(name string) *xlsxSheet {
	for _, s := range w.sheets {
		if s.name == name {
			return s
		}
	}
	return nil
}

// root is the name of the part that lists the sheets.
func (w *workbook) root() (string, error) {
	root := "xl/workbook.xml"
	relations, err := w.relations("_rels/.rels", "")
	if err != nil {
		return "", err
	}
	for _, r := range relations {
		if strings.HasSuffix(r.kind, "/officeDocument") {
			root = r.target
		}
	}
	return root, nil
}

// readParts reads the list of sheets, the shared texts and the styles.
func (w *workbook) readParts(root string) error {
	dir, base := path.Split(root)
	relations, err := w.relations(dir+"_rels/"+base+".rels", dir)
	if err != nil {
		return err
	}
	date1904 := false
	ids := map[string]string{} // relation → sheet part
	var styles, shared string
	for id, r := range relations {
		switch {
		case strings.HasSuffix(r.kind, "/worksheet"):
			ids[id] = r.target
		case strings.HasSuffix(r.kind, "/styles"):
			styles = r.target
		case strings.HasSuffix(r.kind, "/sharedStrings"):
			shared = r.target
		}
	}
	err = w.scan(root, func(x *xmlScanner) error {
		switch x.name() {
		case "workbookPr":
			value := x.attr("date1904")
			date1904 = value == "1" || value == "true"
		case "sheet":
			if part := ids[x.qualified("id")]; part != "" {
				w.sheets = append(w.sheets, &xlsxSheet{name: x.attr("name"), book: w, part: part})
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case date1904:
		return fmt.Errorf("dates count from 1904")
	}
	if err := w.readStyles(styles); err != nil {
		return err
	}
	return w.shared.read(w, shared)
}

// A relation is a reference from one part to another.
type relation struct{ kind, target string }

// relations reads the references of a part that lies in dir.
func (w *workbook) relations(part, dir string) (map[string]relation, error) {
	found := map[string]relation{}
	err := w.scan(part, func(x *xmlScanner) error {
		if x.name() == "Relationship" {
			target := x.attr("Target")
			if !strings.HasPrefix(target, "/") {
				target = "/" + dir + target
			}
			found[x.attr("Id")] = relation{x.attr("Type"), strings.TrimPrefix(path.Clean(target), "/")}
		}
		return nil
	})
	return found, err
}

// part opens a part of the archive; nil if there is none. Names differ in case
// at times.
func (w *workbook) part(name string) (io.ReadCloser, error) {
	for _, f := range w.zip.File {
		if strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			return newLimitedReader(r, int64(f.CompressedSize64), f.UncompressedSize64, r)
		}
	}
	return nil, nil
}

// scan calls tag for every start tag of a part.
func (w *workbook) scan(name string, tag func(x *xmlScanner) error) error {
	return w.tags(name, func(x *xmlScanner) error {
		if x.closing() {
			return nil
		}
		return tag(x)
	})
}

// tags calls tag for every tag of a part. A part that is not there has none.
func (w *workbook) tags(name string, tag func(x *xmlScanner) error) error {
	if name == "" {
		return nil
	}
	r, err := w.part(name)
	if err != nil || r == nil {
		return err
	}
	defer r.Close()
	x := newXMLScanner(r)
	for x.next() {
		if err := tag(x); err != nil {
			return err
		}
	}
	return x.failure(name)
}

// readStyles finds the styles that show a date without its day.
func (w *workbook) readStyles(name string) error {
	custom := map[string]bool{} // number formats of the workbook's own
	inCells := false
	return w.scan(name, func(x *xmlScanner) error {
		switch x.name() {
		case "numFmt":
			custom[x.attr("numFmtId")] = isMonthFormat(x.attr("formatCode"))
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if inCells {
				id := x.attr("numFmtId")
				month, ok := custom[id]
				w.months = append(w.months, ok && month || !ok && (id == "17" || id == "55"))
			}
		}
		return nil
	})
}

// isMonthFormat tells whether a number format shows year and month alone:
// yyyy-mm, yyyy"年"m"月", mmm-yy.
func isMonthFormat(code string) bool {
	code, _, _ = strings.Cut(code, ";")
	var letters strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; {
		case code[i] == '"':
			if end := strings.IndexByte(code[i+1:], '"'); end >= 0 {
				i += end + 1
			}
		case code[i] == '[':
			if end := strings.IndexByte(code[i:], ']'); end >= 0 {
				i += end
			}
		case code[i] == '\\':
			i++
		case c == 'y' || c == 'm' || c == 'd' || c == 'h' || c == 's':
			letters.WriteByte(c)
		}
	}
	shown := letters.String()
	return strings.Contains(shown, "y") && strings.Contains(shown, "m") && strings.Trim(shown, "ym") == ""
}

// sharedStrings are the texts that cells refer to by number.
type sharedStrings struct {
	text []byte
	ends []int
}

func (s *sharedStrings) at(i int) ([]byte, bool) {
	if i < 0 || i >= len(s.ends) {
		return nil, false
	}
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.text[start:s.ends[i]], true
}

// read reads the table of texts. A text may stand in pieces, one a font; how it
// is pronounced (rPh) is none of it.
func (s *sharedStrings) read(w *workbook, name string) error {
	spoken := false
	return w.tags(name, func(x *xmlScanner) error {
		switch x.name() {
		case "rPh":
			spoken = x.opening()
		case "t":
			if x.closing() && !spoken {
				s.text = appendXLSXText(s.text, x.text)
			}
		case "si":
			if !x.opening() {
				s.ends = append(s.ends, len(s.text))
			}
		}
		if len(s.text) > maxSharedText {
			return errUnsafe{limit: maxSharedText, packed: w.size()}
		}
		return nil
	})
}

func (w *workbook) size() int64 {
	info, err := w.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// each calls row for every row of the sheet that is stored, from the top, with
// its number from 1 and its cells from the first column. Cells that are not
// stored are empty; the cells after the last stored one are left out. They are
// valid during the call.
func (s *xlsxSheet) each(row func(line int32, cells []xlsxCell) error) error {
	r, err := s.book.part(s.part)
	if err != nil {
		return err
	}
	if r == nil {
		return fmt.Errorf("sheet %s: no part %s", s.name, s.part)
	}
	defer r.Close()
	reader := sheetReader{book: s.book, x: newXMLScanner(r)}
	if err := reader.read(row); err != nil {
		return err
	}
	return reader.x.failure(s.part)
}

// A sheetReader gathers the cells of one row.
type sheetReader struct {
	book *workbook
	x    *xmlScanner

	line  int
	cells []xlsxCell
	spans [][2]int // of the cells' texts in text
	text  []byte   // of the row

	column int // of the cell now open or last, from 0; -1 before the first
	inCell bool
	kind   string
	style  int
	spoken bool
}

func (s *sheetReader) read(row func(line int32, cells []xlsxCell) error) error {
	x := s.x
	for x.next() {
		switch x.name() {
		case "row":
			if !x.closing() {
				if err := s.startRow(); err != nil {
					return err
				}
			}
			if !x.opening() {
				if err := row(int32(s.line), s.row()); err != nil {
					return err
				}
			}
		case "c":
			s.inCell = x.opening()
			if !x.closing() {
				if err := s.startCell(); err != nil {
					return err
				}
			}
		case "rPh":
			s.spoken = x.opening()
		case "v", "t":
			if x.closing() && s.inCell && !s.spoken {
				if err := s.value(x.name() == "v"); err != nil {
					return err
				}
			}
		case "sheetData":
			if x.closing() {
				return nil
			}
		}
	}
	return nil
}

func (s *sheetReader) startRow() error {
	s.line++
	if r := s.x.attrBytes("r"); len(r) > 0 {
		n, digits := cutNumber(r, 8)
		if digits != len(r) || n < s.line {
			return fmt.Errorf("row %q after row %d", r, s.line-1)
		}
		s.line = n
	}
	if s.line > xlsxRows {
		return fmt.Errorf("row %d is beyond the last", s.line)
	}
	s.cells, s.spans, s.text, s.column = s.cells[:0], s.spans[:0], s.text[:0], -1
	s.inCell = false // a cell that the row before has left open is none of this one's
	return nil
}

// row gives the texts to the cells, now that they no longer move.
func (s *sheetReader) row() []xlsxCell {
	for i, span := range s.spans {
		s.cells[i].text = s.text[span[0]:span[1]]
	}
	return s.cells
}

func (s *sheetReader) startCell() error {
	s.column++
	if ref := s.x.attrBytes("r"); len(ref) > 0 {
		column, ok := cellColumn(ref)
		if !ok || column < s.column || column >= xlsxColumns {
			return fmt.Errorf("cell %s after column %d", ref, s.column)
		}
		s.column = column
	}
	if s.column >= xlsxColumns {
		return fmt.Errorf("row %d has more than %d cells", s.line, xlsxColumns)
	}
	for len(s.cells) <= s.column {
		s.cells = append(s.cells, xlsxCell{})
		s.spans = append(s.spans, [2]int{len(s.text), len(s.text)})
	}
	s.kind = cellKind(s.x.attrBytes("t"))
	s.style, s.spoken = 0, false
	if style := s.x.attrBytes("s"); len(style) > 0 {
		s.style, _ = cutNumber(style, 8)
	}
	return nil
}

// cellKind keeps a new string from being made for every cell.
func cellKind(t []byte) string {
	switch string(t) {
	case "s":
		return "s"
	case "", "n":
		return "n"
	case "str":
		return "str"
	case "inlineStr":
		return "inlineStr"
	case "b":
		return "b"
	}
	return "e"
}

// cellColumn is the column of a reference such as B3, from 0.
func cellColumn(ref []byte) (column int, ok bool) {
	for i, c := range ref {
		switch {
		case c >= 'A' && c <= 'Z' && column <= xlsxColumns:
			column = column*26 + int(c-'A') + 1
		case i > 0 && c-'0' <= 9:
			return column - 1, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// value adds the text of the element that has just ended to the open cell: a
// value, or a piece of an inline text.
func (s *sheetReader) value(v bool) error {
	cell, start := &s.cells[s.column], s.spans[s.column][0]
	switch {
	case !v && s.kind != "inlineStr":
		return nil
	case s.kind == "s":
		number := bytes.TrimSpace(s.x.text)
		i, digits := cutNumber(number, 10)
		text, ok := s.book.shared.at(i)
		if digits == 0 || digits != len(number) || !ok {
			return fmt.Errorf("row %d: no shared string %q", s.line, s.x.text)
		}
		s.text = append(s.text, text...)
	case s.kind == "n":
		month := s.style < len(s.book.months) && s.book.months[s.style] && s.month()
		cell.numeric = !month
		if cell.numeric {
			s.text = appendNumber(s.text, bytes.TrimSpace(s.x.text))
			cell.numeric = len(s.text) > start
		}
	case s.kind == "b":
		if string(s.x.text) == "1" {
			s.text = append(s.text, "TRUE"...)
		} else {
			s.text = append(s.text, "FALSE"...)
		}
	default:
		s.text = appendXLSXText(s.text, s.x.text)
	}
	s.spans[s.column] = [2]int{start, len(s.text)}
	return nil
}

// month adds a date without its day; it is false for what is no date.
func (s *sheetReader) month() bool {
	seconds, ok := parseSerial(bytes.TrimSpace(s.x.text))
	if !ok {
		return false
	}
	s.text = appendMonth(s.text, int32(seconds/secondsPerDay))
	return true
}

// appendNumber appends a number as the shortest decimal that gives the same
// double: Excel stores 0.07 as 7.0000000000000007E-2. Only what no id and no
// amount can be, from 10^21 on, keeps its exponent, as a spreadsheet shows it.
func appendNumber(dst, v []byte) []byte {
	if len(v) <= 15 && digitsOnly(v) {
		return append(dst, v...)
	}
	f, err := strconv.ParseFloat(string(v), 64)
	switch {
	case err != nil || math.IsInf(f, 0) || math.IsNaN(f):
		return append(dst, v...)
	case math.Abs(f) >= 1e21:
		return strconv.AppendFloat(dst, f, 'E', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// appendXLSXText appends a text; _x000D_ in it is a character by its number.
func appendXLSXText(dst, text []byte) []byte {
	for {
		i := bytes.Index(text, []byte("_x"))
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		text = text[i:]
		if len(text) >= 7 && text[6] == '_' {
			if n, err := strconv.ParseUint(string(text[2:6]), 16, 16); err == nil {
				dst = append(dst, string(rune(n))...)
				text = text[7:]
				continue
			}
		}
		dst = append(dst, text[:2]...)
		text = text[2:]
	}
}
