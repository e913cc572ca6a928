package state

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// A tradeCursor reads single trades of a generation: of a page it looks into the
// columns that it is asked for, and into one row of them.
type tradeCursor struct {
	r      *rows
	it     *pebble.Iterator
	key    []byte
	prefix int // length of what all keys of trades begin with

	held        bool
	number      int // of the page that is held
	first, last []byte
	page        page
	columns     []columnReader

	fields                           []schema.Field
	at                               []int // by field: its column, -1 for none
	ref, no, owner, status, posMoney int   // fields
	buf                              []byte
}

// A columnReader is a column of a page.
type columnReader struct {
	open    bool
	numbers numbers
	texts   texts
}

func (r *rows) cursor() (*tradeCursor, error) {
	if err := r.dictionary(); err != nil {
		return nil, err
	}
	key := r.gen.key(tradePages)
	it, err := r.s.iterator(key, after(key))
	if err != nil {
		return nil, err
	}
	c := &tradeCursor{r: r, it: it, key: key, prefix: len(key), at: r.at[tradeTable], fields: trades.fields(trades.fresh())}
	c.columns = make([]columnReader, len(c.fields))
	field := func(name string) int {
		return slices.IndexFunc(c.fields, func(f schema.Field) bool { return f.Name == name })
	}
	c.ref, c.no, c.owner, c.status, c.posMoney = field("ref"), field("out_trade_no"), field("merchant"), field("status"), field("pos_amount")
	return c, nil
}

func (c *tradeCursor) close() error { return c.it.Close() }

// seek finds the first row with the ref, unless all are duplicates: -1.
func (c *tradeCursor) seek(ref []byte) (int, error) {
	if !c.held || bytes.Compare(ref, c.first) <= 0 || bytes.Compare(ref, c.last) > 0 {
		c.held = false
		c.key = appendEscaped(c.key[:c.prefix], ref)
		if !c.it.SeekGE(c.key) {
			return -1, c.it.Error()
		}
		if err := c.load(); err != nil {
			return -1, err
		}
	}
	refs := &c.columns[c.ref].texts
	low, high := 0, c.page.rows
	for low < high {
		mid := (low + high) / 2
		c.buf = refs.append(c.buf[:0], mid)
		if bytes.Compare(c.buf, ref) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == c.page.rows {
		return -1, c.r.damaged("trades: page %d ends before its key", c.number)
	}
	c.buf = refs.append(c.buf[:0], low)
	if !bytes.Equal(c.buf, ref) {
		return -1, nil
	}
	w, err := c.worth(low)
	if err != nil || w == 0 {
		return -1, err
	}
	return low, nil
}

// seekRow finds a row by its number among all trades, and gives its place in the page.
func (c *tradeCursor) seekRow(row int) (int, error) {
	number := row / pageRows
	if !c.held || c.number != number {
		c.held = false
		last, err := c.r.lastRefs()
		if err != nil {
			return -1, err
		}
		if number >= last.Len() {
			return -1, c.r.damaged("trades: there is no row %d", row)
		}
		c.key = numbered(appendEscaped(c.key[:c.prefix], last.At(number)), number)
		if !c.it.SeekGE(c.key) || !bytes.Equal(c.it.Key(), c.key) {
			if err := c.it.Error(); err != nil {
				return -1, err
			}
			return -1, c.r.damaged("trades: page %d is missing", number)
		}
		if err := c.load(); err != nil {
			return -1, err
		}
	}
	if row%pageRows >= c.page.rows {
		return -1, c.r.damaged("trades: there is no row %d", row)
	}
	return row % pageRows, nil
}

// load takes the page that the iterator is at.
func (c *tradeCursor) load() error {
	value, err := c.it.ValueAndErr()
	if err != nil {
		return err
	}
	for k := range c.columns {
		c.columns[k].open = false
	}
	if err := c.page.open(value); err != nil {
		return c.r.explain(err, "trades: ")
	}
	if len(c.page.columns) != len(c.r.head.Columns[tradeTable]) || c.page.rows == 0 || len(c.it.Key()) < c.prefix+4 {
		return c.r.explain(errPage, "trades: ")
	}
	if err := c.look(c.ref); err != nil {
		return err
	}
	key := c.it.Key()
	c.number = int(binary.BigEndian.Uint32(key[len(key)-4:]))
	refs := &c.columns[c.ref].texts
	c.first = refs.append(c.first[:0], 0)
	c.last = refs.append(c.last[:0], c.page.rows-1)
	c.held = true
	return nil
}

// look opens the column of a field.
func (c *tradeCursor) look(field int) error {
	column := &c.columns[field]
	if column.open {
		return nil
	}
	if c.at[field] < 0 {
		column.numbers = numbers{kind: constantNumbers}
		column.open = true
		return nil
	}
	data := c.page.columns[c.at[field]]
	var err error
	if _, text := c.fields[field].Data.(*schema.Text); text {
		err = column.texts.open(data, c.page.rows)
	} else {
		err = column.numbers.open(data, c.page.rows)
	}
	column.open = err == nil
	return c.r.explain(err, "trades: "+c.fields[field].Name+": ")
}

func (c *tradeCursor) value(field, row int) (int64, error) {
	if err := c.look(field); err != nil {
		return 0, err
	}
	return c.columns[field].numbers.at(row), nil
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

// outTradeNo appends a row's out_trade_no.
func (c *tradeCursor) outTradeNo(dst []byte, row int) ([]byte, error) {
	if err := c.look(c.no); err != nil {
		return dst, err
	}
	return c.columns[c.no].texts.append(dst, row), nil
}

// merchant is a row's merchant, in the words of who reads.
func (c *tradeCursor) merchant(row int) (uint32, error) {
	code, err := c.value(c.owner, row)
	if err != nil {
		return 0, err
	}
	codes := []uint32{uint32(code)}
	err = c.r.recode(codes)
	return codes[0], err
}

// read appends a row to trades, with its day and number, and gives the digest of
// what it says.
func (c *tradeCursor) read(row int, to *schema.Settled) (uint64, error) {
	fields := trades.fields(to)
	for k, f := range fields {
		if err := c.look(k); err != nil {
			return 0, err
		}
		if data, ok := f.Data.(*schema.Text); ok {
			c.buf = c.columns[k].texts.append(c.buf[:0], row)
			data.Append(c.buf)
			continue
		}
		v := c.columns[k].numbers.at(row)
		switch data := f.Data.(type) {
		case *[]int64:
			*data = append(*data, v)
		case *[]int32:
			*data = append(*data, int32(v))
		case *[]uint32:
			*data = append(*data, uint32(v))
		case *[]uint8:
			*data = append(*data, uint8(v))
		}
	}
	i := to.Len() - 1
	to.Query = append(to.Query, 0)
	to.Day = append(to.Day, c.r.gen.Date)
	to.TradeNo.Append(tradeNoOf(to.Ref.At(i)))
	trades.unpack(to, i)
	c.buf = appendDate(c.buf[:0], c.r.gen.Date)
	return digestRow(c.r, fields, i, c.buf)
}

// digestRow is the digest of what a row says, after what is in buf already: the same
// in every run, whatever codes its words have there. It puts the words into the codes
// of who reads.
func digestRow(r *rows, fields []schema.Field, i int, buf []byte) (uint64, error) {
	for _, f := range fields {
		switch data := f.Data.(type) {
		case *[]int64:
			buf = appendLong(buf, uint64((*data)[i]))
		case *[]int32:
			buf = appendLong(buf, uint64((*data)[i]))
		case *[]uint32:
			code := (*data)[i]
			if err := r.recode((*data)[i : i+1]); err != nil {
				return 0, err
			}
			buf = appendLong(buf, r.hashes[code])
		case *[]uint8:
			buf = append(buf, (*data)[i])
		case *schema.Text:
			buf = appendLong(buf, uint64(len(data.At(i))))
			buf = append(buf, data.At(i)...)
		}
	}
	return xxh3.Hash(buf), nil
}

func appendLong(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) }

// A numberCursor reads the index of out_trade_nos.
type numberCursor struct {
	r      *rows
	it     *pebble.Iterator
	key    []byte
	prefix int
	held   bool
	page   page
	hash   numbers
	row    numbers
	first  uint64
	last   uint64
}

func (r *rows) numbers() (*numberCursor, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	key := r.gen.key(numberPages)
	it, err := r.s.iterator(key, after(key))
	if err != nil {
		return nil, err
	}
	return &numberCursor{r: r, it: it, key: key, prefix: len(key)}, nil
}

func (c *numberCursor) close() error { return c.it.Close() }

func (c *numberCursor) load() error {
	value, err := c.it.ValueAndErr()
	if err != nil {
		return err
	}
	err = c.page.open(value)
	if err == nil && (len(c.page.columns) != 2 || c.page.rows == 0) {
		err = errPage
	}
	if err == nil {
		err = c.hash.open(c.page.columns[0], c.page.rows)
	}
	if err == nil {
		err = c.row.open(c.page.columns[1], c.page.rows)
	}
	if err != nil {
		return c.r.explain(err, "index: ")
	}
	c.first, c.last = uint64(c.hash.at(0)), uint64(c.hash.at(c.page.rows-1))
	c.held = true
	return nil
}

// seek appends the rows whose number has the hash.
func (c *numberCursor) seek(hash uint64, places []place, query int32) ([]place, error) {
	if !c.held || hash <= c.first || hash > c.last {
		c.held = false
		c.key = appendHash(c.key[:c.prefix], hash)
		if !c.it.SeekGE(c.key) {
			return places, c.it.Error()
		}
		if err := c.load(); err != nil {
			return places, err
		}
	}
	low, high := 0, c.page.rows
	for low < high {
		if mid := (low + high) / 2; uint64(c.hash.at(mid)) < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for {
		for ; low < c.page.rows; low++ {
			if uint64(c.hash.at(low)) != hash {
				return places, nil
			}
			places = append(places, place{uint32(c.row.at(low)), query})
		}
		// The rows of one hash may go on in the next page.
		if c.held = false; !c.it.Next() {
			return places, c.it.Error()
		}
		if err := c.load(); err != nil {
			return places, err
		}
		low = 0
	}
}
