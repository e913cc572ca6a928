package reports

import (
	"context"
	"io"
	"strings"

	"duizhang/rules"
)

// A listColumn is a column of a list: how its cells are made from row i of rows T.
// One of cell and amount is given.
type listColumn[T any] struct {
	head   string
	width  float64 // in characters, a Chinese one is two
	style  cellStyle
	cell   func(c *cellsWriter, style cellStyle, t *T, i int)
	amount func(t *T, i int) (millionths rules.Sum, ok bool) // is added up above the header
	key    func(t *T, i int) string                          // what formulas of the overview ask for
	input  bool                                              // a person fills it in
}

// A cursor goes through the rows of a list once.
type cursor[T any] interface {
	// next is the rows that hold the next row, and its number in them; false at
	// the end.
	next() (t *T, i int, ok bool, err error)
}

// A listSheet is a list in the workbook, whatever its rows are made of.
type listSheet interface {
	info() *listInfo
	prepare(ctx context.Context) error
	heads() []listHead
	// page writes the rows of one of its pages; they are asked for in their order.
	page(ctx context.Context, c *cellsWriter, number int) error
}

// A listHead is what the header says of a column.
type listHead struct {
	name  string
	width float64
	style cellStyle
	total bool
	input bool
}

// A listInfo is what is known of a list before its rows are written.
type listInfo struct {
	id     string // names it in code
	sheet  string // the name of its first sheet
	title  string
	note   string // what to do, or what the list is
	none   string // said where there is no row
	limit  int64  // of the rows that are listed; the others are in full; 0: all
	full   string // the table that has all rows, such as goods
	keyed  []int  // columns with a key
	pages  []listPage
	listed int64
	always bool                  // its sheet is there without rows too
	mixed  bool                  // its rows are of several kinds that do not add up
	found  map[string]*listTally // of all rows, by their keys; nil until it is prepared
	below  map[string]*listTally // of those that are not listed
}

// A listPage is one sheet of a list.
type listPage struct {
	sheet string
	rows  int64
	sums  []rules.Sum // by column
}

// A listTally adds up the rows with the same keys.
type listTally struct {
	keys  []string
	count int64
	sums  []rules.Sum // by column
}

// total is the rows of the list, whether they are listed or not.
func (l *listInfo) total() int64 {
	n := l.listed
	for _, t := range l.below {
		n += t.count
	}
	return n
}

// A rowList is a list of rows T.
type rowList[T any] struct {
	listInfo
	columns []listColumn[T]
	open    func() (cursor[T], error)
	// counted are all rows by key where the cursor does not have all of them.
	counted func() map[string]*listTally

	perPage int64
	at      cursor[T] // where the pages that are written have come to
}

func (l *rowList[T]) info() *listInfo { return &l.listInfo }

func (l *rowList[T]) heads() []listHead {
	heads := make([]listHead, len(l.columns))
	for k := range l.columns {
		c := &l.columns[k]
		heads[k] = listHead{c.head, c.width, c.style, c.amount != nil, c.input}
	}
	return heads
}

// prepare goes through the rows, adds them up, and divides them into pages.
func (l *rowList[T]) prepare(ctx context.Context) error {
	l.keyed = l.keyed[:0]
	for k := range l.columns {
		if l.columns[k].key != nil {
			l.keyed = append(l.keyed, k)
		}
	}
	l.found, l.below = map[string]*listTally{}, map[string]*listTally{}
	l.pages = []listPage{l.newPage(1)}
	rows, err := l.open()
	if err != nil {
		return err
	}
	var key []byte
	for n := int64(0); ; n++ {
		if n%pollRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t, i, ok, err := rows.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		into := l.found
		if l.limit > 0 && n >= l.limit {
			into = l.below
		} else {
			l.listed++
			p := &l.pages[len(l.pages)-1]
			if p.rows == l.perPage {
				l.pages = append(l.pages, l.newPage(len(l.pages)+1))
				p = &l.pages[len(l.pages)-1]
			}
			p.rows++
			addAmounts(p.sums, l.columns, t, i)
		}
		key = addTally(into, l.columns, l.keyed, t, i, key)
	}
	if l.counted != nil {
		l.below = less(l.counted(), l.found)
	}
	for key, t := range l.below {
		into := l.found[key]
		if into == nil {
			into = &listTally{keys: t.keys, sums: make([]rules.Sum, len(t.sums))}
			l.found[key] = into
		}
		into.count += t.count
		for k := range t.sums {
			into.sums[k].AddSum(t.sums[k])
		}
	}
	return nil
}

// pollRows is how many rows go by between two looks at the context.
const pollRows = 4096

func (l *rowList[T]) newPage(number int) listPage {
	name := l.sheet
	if number > 1 {
		name += " " + itoa(number)
	}
	return listPage{sheet: name, sums: make([]rules.Sum, len(l.columns))}
}

func addAmounts[T any](sums []rules.Sum, columns []listColumn[T], t *T, i int) {
	for k := range columns {
		if of := columns[k].amount; of != nil {
			if v, ok := of(t, i); ok {
				sums[k].AddSum(v)
			}
		}
	}
}

// addTally adds a row to the tally of its keys. buf is reused.
func addTally[T any](tallies map[string]*listTally, columns []listColumn[T], keyed []int, t *T, i int, buf []byte) []byte {
	buf = buf[:0]
	for _, k := range keyed {
		buf = append(append(buf, columns[k].key(t, i)...), keySeparator)
	}
	into := tallies[string(buf)]
	if into == nil {
		into = &listTally{sums: make([]rules.Sum, len(columns))}
		for _, k := range keyed {
			into.keys = append(into.keys, columns[k].key(t, i))
		}
		tallies[string(buf)] = into
	}
	into.count++
	addAmounts(into.sums, columns, t, i)
	return buf
}

const keySeparator = '\x1f'

// less is all without what is listed.
func less(all, listed map[string]*listTally) map[string]*listTally {
	rest := map[string]*listTally{}
	for key, a := range all {
		t := &listTally{keys: a.keys, count: a.count, sums: append([]rules.Sum(nil), a.sums...)}
		if l := listed[key]; l != nil {
			t.count -= l.count
			for k := range t.sums {
				t.sums[k] = t.sums[k].Sub(l.sums[k])
			}
		}
		if t.count > 0 {
			rest[key] = t
		}
	}
	return rest
}

// The rows of a list's sheet: its title, a note, the totals, the header.
const (
	titleRow = iota + 1
	noteRow
	totalRow
	headRow
	firstRow
)

func (l *rowList[T]) page(ctx context.Context, c *cellsWriter, number int) error {
	if l.at == nil {
		var err error
		if l.at, err = l.open(); err != nil {
			return err
		}
	}
	for n := int64(0); n < l.pages[number].rows; n++ {
		if n%pollRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t, i, ok, err := l.at.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return io.ErrUnexpectedEOF
		case c.err != nil:
			return c.err
		}
		c.begin(0)
		for k := range l.columns {
			col := &l.columns[k]
			if col.amount == nil {
				col.cell(c, col.style, t, i)
			} else if v, ok := col.amount(t, i); ok {
				c.amount(col.style, amountCell{v, true})
			} else {
				c.blank(col.style)
			}
		}
		c.end()
	}
	return nil
}

// A wanted is a column of a list and the word that the rows asked for have there.
type wanted struct {
	head string
	word string
}

// sum is a formula over all sheets of the list, and what it comes to: the number
// of the rows that have the words wanted, or with a column the sum of its amounts
// in them, in millionths. Rows that are not listed are added as they are.
func (l *listInfo) sum(heads []listHead, of string, want ...wanted) live {
	column := func(head string) int {
		for k := range heads {
			if heads[k].name == head {
				return k
			}
		}
		panic("reports: the list " + l.id + " has no column " + head)
	}
	v := live{count: of == ""}
	var below rules.Sum
	add := func(into *rules.Sum, tallies map[string]*listTally) {
		for _, t := range tallies {
			if !l.has(t, want, column) {
				continue
			}
			if of == "" {
				into.AddInt(t.count)
			} else {
				into.AddSum(t.sums[column(of)])
			}
		}
	}
	add(&v.value, l.found)
	add(&below, l.below)
	var formula strings.Builder
	for i := range l.pages {
		if i > 0 {
			formula.WriteByte('+')
		}
		formula.WriteString(l.pages[i].formula(column, of, want))
	}
	if !below.IsZero() {
		formula.WriteString("+" + live{count: v.count, value: below}.text())
	}
	v.formula = formula.String()
	return v
}

// A live figure is a formula and what it comes to: a count, or an amount in
// millionths. Without a formula it is the engine's own.
type live struct {
	formula string
	value   rules.Sum
	count   bool
}

func (v live) text() string {
	if v.count {
		return string(v.value.AppendDecimal(nil, 0, 0))
	}
	return v.value.String6()
}

func (l *listInfo) has(t *listTally, want []wanted, column func(string) int) bool {
	for _, w := range want {
		at := column(w.head)
		found := false
		for n, k := range l.keyed {
			found = found || k == at && t.keys[n] == w.word
		}
		if !found {
			return false
		}
	}
	return true
}

func (p *listPage) formula(column func(string) int, of string, want []wanted) string {
	over := func(head string) string {
		at := column(head)
		return quoteSheet(p.sheet) + "!" + absoluteRef(at, firstRow) + ":" + absoluteRef(at, firstRow+int(max(p.rows, 1))-1)
	}
	var criteria []string
	for _, w := range want {
		criteria = append(criteria, over(w.head), `"`+w.word+`"`)
	}
	if of == "" {
		return "COUNTIFS(" + strings.Join(criteria, ",") + ")"
	}
	if len(want) == 0 {
		return "SUM(" + over(of) + ")"
	}
	return "SUMIFS(" + strings.Join(append([]string{over(of)}, criteria...), ",") + ")"
}

// quoteSheet is a sheet's name in a formula.
func quoteSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }
