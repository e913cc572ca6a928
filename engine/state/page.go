package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"duizhang/engine/schema"
)

// A page is some rows of a table, column after column, so that one row can be read
// without the others:
//
//	uvarint rows, uvarint columns, per column uvarint length; then the columns
//
// Which columns a page has is written once for a run's table (layout.go). Numbers
// are packed in as few bits as they need (numbers.go), texts in what their
// characters have in common (texts.go). It is what makes a trade take some 35
// bytes: general compression of whole rows takes more, and has to be undone for
// each row that is looked up.
const (
	pageRows = 256      // of trades, refunds, breaks
	maxRows  = 1 << 20  // of any page: what is more was not written by us
	maxWidth = 1 << 12  // columns
	maxText  = 1 << 30  // bytes of one text column
	maxTexts = 15       // lengths of the texts in one column; more, and they are kept as they are
	intWidth = 1 << 6   // bits
	nullFlag = 1 << 7   // of the width of packed numbers: 0 stands for Null
	widthBit = 1<<7 - 1 // the width
)

var errPage = errors.New("the page is damaged")

// A packer makes pages; its memory is reused.
type packer struct {
	values  []int64
	rest    []int64
	lengths []int
	columns []byte
}

// page appends a page of all rows of the fields.
func (p *packer) page(dst []byte, fields []schema.Field, rows int) []byte {
	dst = binary.AppendUvarint(dst, uint64(rows))
	dst = binary.AppendUvarint(dst, uint64(len(fields)))
	p.columns, p.lengths = p.columns[:0], p.lengths[:0]
	for _, f := range fields {
		from := len(p.columns)
		switch data := f.Data.(type) {
		case *[]int64:
			p.columns = p.numbers(p.columns, *data)
		case *[]int32:
			p.columns = packAll(p, p.columns, *data)
		case *[]uint32:
			p.columns = packAll(p, p.columns, *data)
		case *[]uint8:
			p.columns = packAll(p, p.columns, *data)
		case *schema.Text:
			p.columns = p.texts(p.columns, data, rows)
		}
		p.lengths = append(p.lengths, len(p.columns)-from)
	}
	for _, n := range p.lengths {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return append(dst, p.columns...)
}

func packAll[T int32 | uint32 | uint8](p *packer, dst []byte, from []T) []byte {
	p.values = p.values[:0]
	for _, v := range from {
		p.values = append(p.values, int64(v))
	}
	return p.numbers(dst, p.values)
}

// A page that is read: its columns, not yet looked into.
type page struct {
	rows    int
	columns [][]byte // reused
	scratch []int64  // reused
	text    texts    // reused
}

// open takes a page apart; it borrows the bytes.
func (p *page) open(src []byte) error {
	r := reader{src: src}
	p.rows = r.count(maxRows)
	n := r.count(maxWidth)
	p.columns = p.columns[:0]
	for range n {
		length := r.count(len(src))
		if r.err != nil {
			return r.err
		}
		p.columns = append(p.columns, src[:length]) // its length, for now
	}
	for k := range p.columns {
		p.columns[k] = r.take(len(p.columns[k]))
	}
	if r.err == nil && len(r.src) != 0 {
		r.fail()
	}
	return r.err
}

// appendTo appends all rows of the page to the fields; field k is column at[k], or
// has its default where at[k] is -1.
func (p *page) appendTo(fields []schema.Field, at []int) error {
	for k, f := range fields {
		var err error
		switch data := f.Data.(type) {
		case *[]int64:
			*data, err = unpackAll(p, at[k], *data)
		case *[]int32:
			*data, err = unpackAll(p, at[k], *data)
		case *[]uint32:
			*data, err = unpackAll(p, at[k], *data)
		case *[]uint8:
			*data, err = unpackAll(p, at[k], *data)
		case *schema.Text:
			err = p.allTexts(at[k], data)
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	return nil
}

func unpackAll[T int64 | int32 | uint32 | uint8](p *page, column int, dst []T) ([]T, error) {
	if column < 0 { // a column that this page is too old to have
		return append(dst, make([]T, p.rows)...), nil
	}
	var v numbers
	if err := v.open(p.columns[column], p.rows); err != nil {
		return dst, err
	}
	p.scratch = v.appendTo(p.scratch[:0], p.rows)
	for _, x := range p.scratch {
		dst = append(dst, T(x))
	}
	return dst, nil
}

func (p *page) allTexts(column int, dst *schema.Text) error {
	if column < 0 {
		for range p.rows {
			dst.Append(nil)
		}
		return nil
	}
	if err := p.text.open(p.columns[column], p.rows); err != nil {
		return err
	}
	p.text.appendTo(dst, p.rows)
	return nil
}

// A reader reads bytes from disk; the first error stays.
type reader struct {
	src []byte
	err error
}

func (r *reader) fail() { r.src, r.err = nil, errPage }

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.src) {
		r.fail()
		return nil
	}
	taken := r.src[:n:n]
	r.src = r.src[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// count reads a number of 0 to limit.
func (r *reader) count(limit int) int {
	v, n := binary.Uvarint(r.src)
	if n <= 0 || v > uint64(limit) {
		r.fail()
		return 0
	}
	r.src = r.src[n:]
	return int(v)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.src)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.src = r.src[n:]
	return v
}
