package loaders

import (
	"context"
	"errors"
	"slices"

	"duizhang/engine/schema"
)

// listSheets lists the sheets of a workbook as tables. The workbook stays open
// until the run ends.
func (r *run) listSheets(f *inputFile, m member) []*tableRun {
	book, err := openXLSX(f.Path)
	if err != nil {
		t := r.newTable(f, m)
		t.fail(openError(t.table, err, r.opt.Lang))
		return []*tableRun{t}
	}
	f.book = book
	if len(book.sheets) == 0 {
		t := r.newTable(f, m)
		t.fail(&FileError{Code: "unrecognised", Pos: schema.Pos{File: f.Name}, Lang: r.opt.Lang})
		return []*tableRun{t}
	}
	tables := make([]*tableRun, len(book.sheets))
	for i, sheet := range book.sheets {
		t := r.newTable(f, member{name: sheet.name, kind: xlsxFile, index: i})
		t.sheet, t.isXLSX = sheet, true
		t.charset.state.Store(charsetUTF8)
		tables[i] = t
	}
	return tables
}

func (r *run) closeBooks() {
	for _, f := range r.files {
		if f.book != nil {
			_ = f.book.close() // it was only read
		}
	}
}

// errEnough ends the reading of a sheet whose head is all that is wanted.
var errEnough = errors.New("enough rows")

// probeSheet reads the first rows of a sheet and decides what it is.
func (r *run) probeSheet(t *tableRun) {
	var rows [][]string
	err := t.sheet.each(func(line int32, cells []xlsxCell) error {
		if line > headerLines {
			return errEnough
		}
		for len(rows) < int(line) {
			rows = append(rows, nil)
		}
		for _, cell := range cells {
			rows[line-1] = append(rows[line-1], string(cell.text))
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		t.fail(openError(t.table, err, r.opt.Lang))
		return
	}
	t.encodingKnown = true
	h := head{rows: rows}
	for _, row := range rows {
		h.lines = append(h.lines, joinTexts(row))
	}
	d := t.detectRebateSummary(rows)
	if d.format == nil {
		d = detect(rows, ',', t.kind, t.opt)
	}
	r.openTable(t, &h, d)
}

// joinTexts is a row of a sheet as one line; empty cells at its end go.
func joinTexts(cells []string) string {
	n := len(cells)
	for n > 0 && cells[n-1] == "" {
		n--
	}
	var line []byte
	for i, cell := range cells[:n] {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, cell...)
	}
	return string(line)
}

// readSheet reads the rows of a sheet with one parser.
func (r *run) readSheet(ctx context.Context, t *tableRun) error {
	var s splitter
	p := t.newParser()
	s.start(t, p, nil)
	var rowErr error // of the sink or the context, not of the file
	var raw []byte
	err := t.sheet.each(func(line int32, cells []xlsxCell) error {
		if line <= t.headerLine {
			return nil
		}
		raw = t.sheetRow(&s, line, cells, raw[:0])
		if p.rows() >= batchRows || line%1024 == 0 {
			rowErr = p.flush(ctx)
		}
		return rowErr
	})
	if rowErr == nil {
		rowErr = p.flush(ctx)
	}
	s.end()
	if rowErr != nil {
		return rowErr
	}
	return t.done(ctx, err)
}

// sheetRow hands one row of a sheet to the parser, as wide as the header at
// least: a sheet does not store the empty cells at the end of a row.
func (t *tableRun) sheetRow(s *splitter, line int32, cells []xlsxCell, raw []byte) []byte {
	for len(cells) > t.columns && len(cells[len(cells)-1].text) == 0 {
		cells = cells[:len(cells)-1]
	}
	if t.dropFirst && len(cells) > 0 && isBlank(cells[0].text) {
		cells = cells[1:]
	}
	if len(cells) == 0 {
		return raw
	}
	s.cells, t.numeric = s.cells[:0], t.numeric[:0]
	filled := 0
	for i, cell := range cells {
		if len(cell.text) > 0 {
			filled = i + 1
		}
		s.cells, t.numeric = append(s.cells, cell.text), append(t.numeric, cell.numeric)
	}
	if filled == 0 {
		return raw
	}
	for i, cell := range cells[:filled] {
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, cell.text...)
	}
	for len(s.cells) < t.columns {
		s.cells, t.numeric = append(s.cells, nil), append(t.numeric, false)
	}
	if len(t.firstRows) < cap(t.firstRows) && s.cells[0] != nil && !t.comment(s.cells[0]) {
		if t.private != nil {
			t.firstRows = append(t.firstRows, string(shortRaw(t.shownCells(s.cells))))
		} else {
			t.firstRows = append(t.firstRows, string(shortRaw(raw)))
		}
	}
	if m, ok := s.p.(chunkMarker); ok {
		m.chunk(t.valid(raw))
	}
	s.row(line, raw)
	return raw
}

// rawSheetLines are rows of a sheet as RawLines gives them: cells joined by
// commas.
func rawSheetLines(ctx context.Context, path, name string, lines []int32) (map[int32]string, error) {
	book, err := openXLSX(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = book.close() }()
	sheet := book.sheet(name)
	if sheet == nil {
		return nil, &FileError{Code: "unreadable", Pos: schema.Pos{File: path + ":" + name}, Detail: "no such sheet", Lang: "en"}
	}
	want := slices.Compact(slices.Sorted(slices.Values(lines)))
	texts := make(map[int32]string, len(want))
	err = sheet.each(func(line int32, cells []xlsxCell) error {
		for len(want) > 0 && want[0] < line {
			want = want[1:]
		}
		if len(want) == 0 {
			return errEnough
		}
		if line == want[0] {
			row := make([]string, len(cells))
			for i, cell := range cells {
				row[i] = string(cell.text)
			}
			texts[line] = joinTexts(row)
		}
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return texts, nil
}

// A SheetCell is a cell of a workbook: its text, and whether it is stored as a
// number. The text is valid during the call.
type SheetCell struct {
	Text   []byte
	Number bool
}

// EachSheetRow goes through the rows of all sheets of a workbook, whatever they
// hold. A file that is no workbook is ErrNoWorkbook.
func EachSheetRow(ctx context.Context, path string, row func(sheet string, line int32, cells []SheetCell) error) error {
	members, _, _, err := listMembers(path)
	if err != nil {
		return err
	}
	if len(members) != 1 || members[0].kind != xlsxFile {
		return ErrNoWorkbook
	}
	book, err := openXLSX(path)
	if err != nil {
		return err
	}
	defer func() { _ = book.close() }() // it was only read
	var shown []SheetCell
	for _, sheet := range book.sheets {
		err := sheet.each(func(line int32, cells []xlsxCell) error {
			if line%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			shown = shown[:0]
			for _, cell := range cells {
				shown = append(shown, SheetCell{cell.text, cell.numeric})
			}
			return row(sheet.name, line, shown)
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ErrNoWorkbook is a file that is no XLSX workbook.
var ErrNoWorkbook = errors.New("not an XLSX workbook")
