package state

import (
	"encoding/json"
	"fmt"

	"github.com/zeebo/xxh3"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// carriedIn is what the latest earlier day left open.
type carriedIn struct {
	from   int32 // NoDate for none
	digest string
	rows   [3]int64
	taken  *engine.Carried
}

// carriedOut is what the run leaves open.
type carriedOut struct {
	sum    string
	counts [3]int64
	tables []carriedTable
	pages  [][][]byte // by table of rows
	names  [][]string
}

// digest is that of what is left; "" for nothing.
func (c *carriedOut) digest() string {
	if c == nil {
		return ""
	}
	return c.sum
}

func (c *carriedOut) rows() [3]int64 {
	if c == nil {
		return [3]int64{}
	}
	return c.counts
}

// A carriedTable is what is kept of a table that rows come from.
type carriedTable struct {
	Path        string `json:"path"`
	Member      string `json:"member,omitempty"`
	Kind        string `json:"kind"`
	Format      string `json:"format"`
	Dialect     string `json:"dialect,omitempty"`
	Encoding    string `json:"encoding,omitempty"`
	Account     string `json:"account,omitempty"`
	FeesAllZero bool   `json:"fees_all_zero,omitempty"`
	SHA256      string `json:"sha256"`
	Bytes       int64  `json:"bytes"`
}

func keptTable(t *schema.Table) carriedTable {
	return carriedTable{t.Path, t.Member, t.Kind.String(), t.Format, t.Dialect, t.Encoding, t.Account, t.FeesAllZero, t.SHA256, t.Bytes}
}

func (t *carriedTable) table() *schema.Table {
	return &schema.Table{
		Path: t.Path, Member: t.Member, Kind: schema.ParseInputKind(t.Kind), Format: t.Format, Dialect: t.Dialect,
		Encoding: t.Encoding, Account: t.Account, FeesAllZero: t.FeesAllZero, SHA256: t.SHA256, Bytes: t.Bytes,
		From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
	}
}

// carriedFields are the tables of rows of Carried, in a fixed order.
func carriedFields(c *engine.Carried) [][]schema.Field {
	since := func(rows schema.Rows, since *[]int32) []schema.Field {
		return append(schema.Fields(rows), schema.Field{Name: "carried_since", Data: since})
	}
	return [][]schema.Field{
		since(&c.Bills, &c.BillSince), since(&c.Orders, &c.OrderSince), schema.Fields(&c.Lines),
		since(&c.Refunds, &c.RefundSince), schema.Fields(&c.RefundLines),
	}
}

func lengthOf(f schema.Field) int {
	switch data := f.Data.(type) {
	case *[]int64:
		return len(*data)
	case *[]int32:
		return len(*data)
	case *[]uint32:
		return len(*data)
	case *[]uint8:
		return len(*data)
	case *schema.Text:
		return data.Len()
	}
	return 0
}

// carriedAtOnce are the rows of a page.
const carriedAtOnce = 4096

// Carry takes what the run leaves open; it borrows it. Nil is nothing.
func (d *Day) Carry(c *engine.Carried) error {
	if err := d.check(); err != nil {
		return err
	}
	d.carried = nil
	if c == nil || c.Bills.Len()+c.Orders.Len()+c.Refunds.Len() == 0 {
		return nil
	}
	out := &carriedOut{counts: [3]int64{int64(c.Bills.Len()), int64(c.Orders.Len()), int64(c.Refunds.Len())}}
	for _, t := range c.Tables {
		out.tables = append(out.tables, keptTable(t))
	}
	texts := d.words.Texts()
	var packer packer
	for _, fields := range carriedFields(c) {
		n := lengthOf(fields[0])
		for _, f := range fields {
			if lengthOf(f) != n {
				return fmt.Errorf("state: carried: column %s has %d rows, not %d", f.Name, lengthOf(f), n)
			}
		}
		own := copyFields(fields)
		var pages [][]byte
		for from := 0; from < n; from += carriedAtOnce {
			rows := rowsFrom(from, min(from+carriedAtOnce, n))
			resetFields(own)
			appendPicked(own, fields, rows)
			for _, f := range own {
				if codes, ok := f.Data.(*[]uint32); ok {
					for i, code := range *codes {
						(*codes)[i] = d.dict.code(texts[code])
					}
				}
			}
			pages = append(pages, packer.page(nil, own, len(rows)))
		}
		out.pages = append(out.pages, pages)
		out.names = append(out.names, names(fields))
	}
	sum, err := digestCarried(c, texts)
	if err != nil {
		return err
	}
	out.sum = sum
	d.carried = out
	return nil
}

// digestCarried is the digest of what carried rows say, words as their text.
func digestCarried(c *engine.Carried, texts []string) (string, error) {
	var tables []carriedTable
	for _, t := range c.Tables {
		tables = append(tables, keptTable(t))
	}
	head, err := json.Marshal(tables)
	if err != nil {
		return "", err
	}
	hash := xxh3.New()
	_, _ = hash.Write(head)
	for _, fields := range carriedFields(c) {
		for _, f := range fields {
			digestColumn(hash, f, texts)
		}
	}
	sum := hash.Sum128()
	return fmt.Sprintf("%016x%016x", sum.Hi, sum.Lo), nil
}

func rowsFrom(from, to int) []int32 {
	rows := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, int32(i))
	}
	return rows
}

// copyFields gives empty fields of the same names and kinds.
func copyFields(fields []schema.Field) []schema.Field {
	own := make([]schema.Field, len(fields))
	for k, f := range fields {
		own[k].Name = f.Name
		switch f.Data.(type) {
		case *[]int64:
			own[k].Data = new([]int64)
		case *[]int32:
			own[k].Data = new([]int32)
		case *[]uint32:
			own[k].Data = new([]uint32)
		case *[]uint8:
			own[k].Data = new([]uint8)
		case *schema.Text:
			own[k].Data = new(schema.Text)
		}
	}
	return own
}

// digestColumn adds what a column says, words as their text.
func digestColumn(hash *xxh3.Hasher, f schema.Field, texts []string) {
	var buf []byte
	switch data := f.Data.(type) {
	case *[]int64:
		for _, v := range *data {
			buf = appendLong(buf, uint64(v))
		}
	case *[]int32:
		for _, v := range *data {
			buf = appendLong(buf, uint64(v))
		}
	case *[]uint32:
		for _, code := range *data {
			buf = appendLong(buf, uint64(len(texts[code])))
			buf = append(buf, texts[code]...)
		}
	case *[]uint8:
		buf = append(buf, *data...)
	case *schema.Text:
		for i := range data.Len() {
			buf = appendLong(buf, uint64(len(data.At(i))))
			buf = append(buf, data.At(i)...)
		}
	}
	_, _ = hash.WriteString(f.Name)
	_, _ = hash.Write(appendLong(nil, uint64(len(buf))))
	_, _ = hash.Write(buf)
}

// carriedHead is the first value of what a generation carries.
type carriedHead struct {
	Tables  []carriedTable `json:"tables"`
	Columns [][]string     `json:"columns"` // by table of rows
}

func (d *Day) writeCarried(w *written, _ *head) error {
	if d.carried == nil {
		return nil
	}
	value, err := json.Marshal(carriedHead{d.carried.tables, d.carried.names})
	if err != nil {
		return err
	}
	key := w.gen.key(carriedRows)
	if err := w.table.set(append(key, 0), value); err != nil {
		return err
	}
	for table, pages := range d.carried.pages {
		for i, p := range pages {
			if err := w.table.set(numbered(append(w.gen.key(carriedRows), byte(table+1)), i), p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Carried are the rows that the latest earlier day left open, in the words of the
// run; nil for none. They are the caller's.
func (d *Day) Carried() (*engine.Carried, error) { return d.carry.taken, nil }

// takeCarried reads them.
func (d *Day) takeCarried() error {
	d.carry = &carriedIn{from: NoDate}
	if len(d.earlier) == 0 {
		return nil
	}
	r := d.earlier[len(d.earlier)-1]
	d.carry.from = r.date
	d.carry.digest = d.s.day(r.date).CarryOut
	if d.carry.digest == "" {
		return nil
	}
	c, err := r.newest().carried()
	if err != nil {
		return err
	}
	d.carry.taken = c
	d.carry.rows = [3]int64{int64(c.Bills.Len()), int64(c.Orders.Len()), int64(c.Refunds.Len())}
	return nil
}

// carried reads what the generation carries; nil for nothing.
func (r *rows) carried() (*engine.Carried, error) {
	if err := r.dictionary(); err != nil {
		return nil, err
	}
	var c *engine.Carried
	var tables [][]schema.Field
	var at [][]int
	err := r.each(carriedRows, func(rest, value []byte) error {
		if len(rest) == 0 {
			return errPage
		}
		table := int(rest[0]) - 1
		if table < 0 {
			var h carriedHead
			if err := json.Unmarshal(value, &h); err != nil {
				return err
			}
			c = new(engine.Carried)
			tables = carriedFields(c)
			if len(h.Columns) != len(tables) {
				return errPage
			}
			for i := range h.Tables {
				c.Tables = append(c.Tables, h.Tables[i].table())
			}
			for k, fields := range tables {
				at = append(at, places(fields, h.Columns[k]))
			}
			return nil
		}
		if table >= len(tables) {
			return errPage
		}
		var p page
		if err := p.open(value); err != nil {
			return err
		}
		for _, column := range at[table] {
			if column >= len(p.columns) {
				return errPage
			}
		}
		from := lengthOf(tables[table][0])
		if err := p.appendTo(tables[table], at[table]); err != nil {
			return err
		}
		for _, f := range tables[table] {
			if codes, ok := f.Data.(*[]uint32); ok {
				if err := r.recode((*codes)[from:]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return c, err
}
