package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sort"

	"github.com/cockroachdb/pebble/v2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// A pageCursor goes to pages of one kind of a generation by their number. It gets
// them one by one: an iterator, told to go forward, first tries the next blocks, and
// each of them is another page.
type pageCursor struct {
	r      *rows
	what   string // for errors
	key    []byte
	prefix int
	number int // of the page that is held, -1 for none
	page   page
	held   io.Closer // of the page's bytes
}

func (r *rows) pageCursor(kind byte, what string) pageCursor {
	key := r.gen.key(kind)
	return pageCursor{r: r, what: what, key: key, prefix: len(key), number: -1}
}

func (c *pageCursor) close() {
	if c.held != nil {
		_ = c.held.Close() // always nil
		c.held = nil
	}
}

// load goes to a page; fresh is false if it is held already.
func (c *pageCursor) load(number, columns int) (fresh bool, err error) {
	if c.number == number {
		return false, nil
	}
	c.number = -1
	c.close()
	c.key = numbered(c.key[:c.prefix], number)
	value, held, err := c.r.s.db.Get(c.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, c.r.damaged("%s: page %d is missing", c.what, number)
	}
	if err != nil {
		return false, err
	}
	c.held = held
	return true, c.hold(number, value, columns)
}

// hold takes a page that is read; it borrows the bytes until the next one.
func (c *pageCursor) hold(number int, value []byte, columns int) error {
	err := c.page.open(value)
	if err == nil && (len(c.page.columns) != columns || c.page.rows == 0) {
		err = errPage
	}
	c.number = number
	if err != nil {
		c.number = -1
	}
	return c.r.explain(err, c.what+": ")
}

// A rowCursor reads single rows of a kind: of a page it looks into the columns that it
// is asked for, and into one row of them.
type rowCursor struct {
	pageCursor
	table   string
	fields  []schema.Field
	part    int   // field
	at      []int // by field: its column, -1 for none
	columns []columnReader
}

// A columnReader is a column of a page.
type columnReader struct {
	open    bool
	numbers numbers
	texts   texts
}

func newRowCursor[T schema.Rows](r *rows, k *kind[T], pages byte, table string) (rowCursor, error) {
	if err := r.dictionary(); err != nil {
		return rowCursor{}, err
	}
	fields := k.columns(k.fresh())
	return rowCursor{r.pageCursor(pages, table), table, fields, len(fields) - 1, r.at[table], make([]columnReader, len(fields))}, nil
}

// counts reports whether a row of the page counts.
func (c *rowCursor) counts(row int) (bool, error) {
	if len(c.r.replaced) == 0 {
		return true, nil
	}
	part, err := c.value(c.part, row)
	return c.r.counts(part), err
}

// field is the place of a field.
func (c *rowCursor) field(name string) int {
	return slices.IndexFunc(c.fields, func(f schema.Field) bool { return f.Name == name })
}

// goTo goes to a row by its number among all, and gives its place in the page.
func (c *rowCursor) goTo(row int) (int, error) {
	if err := c.load(row / pageRows); err != nil {
		return -1, err
	}
	if row%pageRows >= c.page.rows {
		return -1, c.r.damaged("%s: there is no row %d", c.what, row)
	}
	return row % pageRows, nil
}

func (c *rowCursor) load(number int) error {
	fresh, err := c.pageCursor.load(number, len(c.r.head.Columns[c.table]))
	if fresh {
		c.unlook()
	}
	return err
}

// hold takes a page that is read.
func (c *rowCursor) hold(number int, value []byte) error {
	c.unlook()
	return c.pageCursor.hold(number, value, len(c.r.head.Columns[c.table]))
}

func (c *rowCursor) unlook() {
	for k := range c.columns {
		c.columns[k].open = false
	}
}

// look opens the column of a field.
func (c *rowCursor) look(field int) error {
	column := &c.columns[field]
	if column.open {
		return nil
	}
	_, isText := c.fields[field].Data.(*schema.Text)
	var err error
	switch at := c.at[field]; {
	case at < 0: // the page is too old to have it
		column.numbers = numbers{kind: constantNumbers}
		if isText {
			err = column.texts.open(blankTexts, c.page.rows)
		}
	case isText:
		err = column.texts.open(c.page.columns[at], c.page.rows)
	default:
		err = column.numbers.open(c.page.columns[at], c.page.rows)
	}
	column.open = err == nil
	return c.r.explain(err, c.what+": "+c.fields[field].Name+": ")
}

// blankTexts is a column of blanks.
var blankTexts = []byte{shapedTexts, 1, 0, 2, constantNumbers, 0, 0}

func (c *rowCursor) value(field, row int) (int64, error) {
	if err := c.look(field); err != nil {
		return 0, err
	}
	return c.columns[field].numbers.at(row), nil
}

func (c *rowCursor) text(dst []byte, field, row int) ([]byte, error) {
	if err := c.look(field); err != nil {
		return dst, err
	}
	return c.columns[field].texts.append(dst, row), nil
}

// read appends a row to fields, which are those of a table of the kind.
func (c *rowCursor) read(row int, to []schema.Field) error {
	for k, f := range to {
		if err := c.look(k); err != nil {
			return err
		}
		column := &c.columns[k]
		switch data := f.Data.(type) {
		case *[]int64:
			*data = append(*data, column.numbers.at(row))
		case *[]int32:
			*data = append(*data, int32(column.numbers.at(row)))
		case *[]uint32:
			*data = append(*data, uint32(column.numbers.at(row)))
		case *[]uint8:
			*data = append(*data, uint8(column.numbers.at(row)))
		case *schema.Text:
			if len(data.Offsets) == 0 {
				data.Offsets = append(data.Offsets, 0)
			}
			data.Data = column.texts.append(data.Data, row)
			data.Offsets = append(data.Offsets, int32(len(data.Data)))
		}
	}
	return nil
}

// A tradeCursor reads single trades of a generation.
type tradeCursor struct {
	rowCursor
	last                             *schema.Text // refs of the pages
	ref, no, owner, status, posMoney int          // fields
	buf                              []byte
}

func (r *rows) trades() (*tradeCursor, error) {
	last, err := r.lastRefs()
	if err != nil {
		return nil, err
	}
	rows, err := newRowCursor(r, &trades, tradePages, tradeTable)
	c := &tradeCursor{rowCursor: rows, last: last}
	c.ref, c.no, c.owner, c.status, c.posMoney = c.field("ref"), c.field("out_trade_no"), c.field("merchant"), c.field("status"), c.field("pos_amount")
	return c, err
}

// seek finds the first row with the ref that counts, unless all are duplicates: -1.
func (c *tradeCursor) seek(ref []byte) (int, error) {
	number := sort.Search(c.last.Len(), func(i int) bool { return bytes.Compare(c.last.At(i), ref) >= 0 })
	for ; number < c.last.Len(); number++ { // the rows of one ref may go on in the next page
		if err := c.load(number); err != nil {
			return -1, err
		}
		if err := c.look(c.ref); err != nil {
			return -1, err
		}
		refs := &c.columns[c.ref].texts
		row := sort.Search(c.page.rows, func(i int) bool {
			c.buf = refs.append(c.buf[:0], i)
			return bytes.Compare(c.buf, ref) >= 0
		})
		if row == c.page.rows {
			return -1, c.r.damaged("trades: page %d ends before its key", number)
		}
		for ; row < c.page.rows; row++ {
			c.buf = refs.append(c.buf[:0], row)
			if !bytes.Equal(c.buf, ref) {
				return -1, nil
			}
			w, err := c.worth(row)
			if err != nil || w == 0 { // duplicates are the last
				return -1, err
			}
			if counts, err := c.counts(row); err != nil || counts {
				return row, err
			}
		}
	}
	return -1, nil
}

// worth is that of a row's trade.
func (c *tradeCursor) worth(row int) (int, error) {
	status, err := c.value(c.status, row)
	if err != nil {
		return 0, err
	}
	pos, err := c.value(c.posMoney, row)
	if err != nil {
		return 0, err
	}
	return worthOf(uint8(status), pos), nil
}

// merchant is a row's merchant, in the words of who reads.
func (c *tradeCursor) merchant(row int) (uint32, error) {
	code, err := c.value(c.owner, row)
	if err != nil {
		return 0, err
	}
	codes := [1]uint32{uint32(code)}
	err = c.r.recode(codes[:])
	return codes[0], err
}

// take appends a row to trades, whose kept fields are given, with its day and number,
// and gives the digest of what it says.
func (c *tradeCursor) take(row int, to *tradeRows, fields []schema.Field) (uint64, error) {
	if err := c.read(row, fields); err != nil {
		return 0, err
	}
	i := to.Len() - 1
	to.Query = append(to.Query, 0)
	to.Day = append(to.Day, c.r.gen.Date)
	to.TradeNo.Append(tradeNoOf(to.Ref.At(i)))
	trades.unpack(to, i)
	var digest uint64
	var err error
	digest, c.buf, err = digestRow(c.r, fields, i, c.buf)
	return digest, err
}

// digestRow is the digest of what a row says, and its day: the same in every run,
// whatever codes its words have there. It puts the words into the codes of who reads.
// The buffer is reused.
func digestRow(r *rows, fields []schema.Field, i int, buf []byte) (uint64, []byte, error) {
	buf = appendDate(buf[:0], r.gen.Date)
	for _, f := range fields {
		switch data := f.Data.(type) {
		case *[]int64:
			buf = appendLong(buf, uint64((*data)[i]))
		case *[]int32:
			buf = appendLong(buf, uint64((*data)[i]))
		case *[]uint32:
			code := (*data)[i]
			if err := r.recode((*data)[i : i+1]); err != nil {
				return 0, buf, err
			}
			buf = appendLong(buf, r.hashes[code])
		case *[]uint8:
			buf = append(buf, (*data)[i])
		case *schema.Text:
			buf = appendLong(buf, uint64(len(data.At(i))))
			buf = append(buf, data.At(i)...)
		}
	}
	return xxh3.Hash(buf), buf, nil
}

func appendLong(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) }

// A numberCursor reads the index of out_trade_nos.
type numberCursor struct {
	pageCursor
	ends      []int64
	hash, row numbers
}

func (r *rows) numbers() (*numberCursor, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	ends, err := r.lastHashes()
	if err != nil {
		return nil, err
	}
	return &numberCursor{pageCursor: r.pageCursor(numberPages, "index"), ends: ends}, nil
}

func (c *numberCursor) load(number int) error {
	fresh, err := c.pageCursor.load(number, 2)
	if !fresh {
		return err
	}
	if err = c.hash.open(c.page.columns[0], c.page.rows); err == nil {
		err = c.row.open(c.page.columns[1], c.page.rows)
	}
	if err != nil {
		c.number = -1
	}
	return c.r.explain(err, "index: ")
}

// seek appends the rows whose number has the hash.
func (c *numberCursor) seek(hash uint64, places []place, query int32) ([]place, error) {
	number := sort.Search(len(c.ends), func(i int) bool { return uint64(c.ends[i]) >= hash })
	for ; number < len(c.ends); number++ { // the rows of one hash may go on in the next page
		if err := c.load(number); err != nil {
			return places, err
		}
		row := sort.Search(c.page.rows, func(i int) bool { return uint64(c.hash.at(i)) >= hash })
		for ; row < c.page.rows; row++ {
			if uint64(c.hash.at(row)) != hash {
				return places, nil
			}
			places = append(places, place{uint32(c.row.at(row)), query})
		}
	}
	return places, nil
}
