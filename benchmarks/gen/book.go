package gen

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// book is an XLSX workbook that is written row by row. Its first error stays.
type book struct {
	path string
	f    *excelize.File
	used bool // the sheet that a new workbook has
	open []*bookSheet
	err  error
}

// bookSheet is one sheet of a book.
type bookSheet struct {
	of    *book
	w     *excelize.StreamWriter
	n     int
	cells []any // reused
}

func createBook(dir, name string) (*book, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return &book{path: path, f: excelize.NewFile()}, f.Close()
}

// sheet begins a sheet.
func (b *book) sheet(name string) *bookSheet {
	s := &bookSheet{of: b}
	b.open = append(b.open, s)
	switch {
	case b.err != nil:
		return s
	case !b.used:
		b.err = b.f.SetSheetName("Sheet1", name)
	default:
		_, b.err = b.f.NewSheet(name)
	}
	b.used = true
	if b.err == nil {
		s.w, b.err = b.f.NewStreamWriter(name)
	}
	return s
}

// row writes a row; the cells that money tells are numbers.
func (s *bookSheet) row(cells []string, money func(i int) bool) {
	s.n++
	if s.of.err != nil {
		return
	}
	s.cells = s.cells[:0]
	for i, cell := range cells {
		switch {
		case cell == "":
			s.cells = append(s.cells, nil)
		case money(i): // as Excel stores it: the double that is nearest
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				panic("gen: " + err.Error())
			}
			s.cells = append(s.cells, v)
		default:
			s.cells = append(s.cells, cell)
		}
	}
	s.of.err = s.w.SetRow("A"+strconv.Itoa(s.n), s.cells)
}

func (b *book) finish() error {
	for _, s := range b.open {
		if b.err == nil && s.w != nil {
			b.err = s.w.Flush()
		}
	}
	if b.err == nil {
		b.err = b.f.SaveAs(b.path)
	}
	if err := b.f.Close(); b.err == nil {
		b.err = err
	}
	return b.err
}
