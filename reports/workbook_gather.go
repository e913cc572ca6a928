package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// bookRows gathers the rows of the parts that the workbook lists: open and excluded
// units, goods that are not as the lines say, refunds that returned too much, trades that the
// account bill does not bear out. Rows
// go to a temporary file, part by part, so that any number of them is held.
type bookRows struct {
	pending, excluded, goods, overpaid, accounts *gathered
}

// newBookRows gathers the rows of so many parts, and stores so many times the rows that
// are shown.
func newBookRows(b *book, parts int, times int64) *bookRows {
	limit := b.limitOf(rowLimit)
	held := times * limit
	var none engine.Part
	return &bookRows{
		pending:  newGathered(parts, limit, held, b.pendingColumns(), (&units{}).columns()),
		excluded: newGathered(parts, limit, held, b.excludedColumns(), (&units{}).columns()),
		goods:    newGathered(parts, limit, held, b.goodsColumns(), none.Goods.Columns()),
		overpaid: newGathered(parts, limit, held, b.overpaidColumns(), none.Refunds.Columns()),
		accounts: newGathered(parts, limit, held, b.accountColumns(), none.Accounts.Columns()),
	}
}

// add takes the rows of a part. It is safe for concurrent use.
func (r *bookRows) add(w *Writer, p *engine.Part) error {
	var pending, excluded units
	pending.gather(p, rules.StatusPending)
	excluded.gather(p, rules.StatusExcluded)
	var goods, overpaid, accounts []int32
	for i, s := range p.Goods.Scenario {
		if rules.Scenario(s) != rules.Equal {
			goods = append(goods, int32(i))
		}
	}
	for i, v := range p.Refunds.Overpaid {
		if v != schema.Null && v != 0 {
			overpaid = append(overpaid, int32(i))
		}
	}
	for i, s := range p.Accounts.Status {
		if rules.AccountStatus(s) != rules.AccountMatched {
			accounts = append(accounts, int32(i))
		}
	}
	var kept []byte
	for _, part := range []struct {
		into    *gathered
		columns []schema.Column
		rows    []int32
	}{
		{r.pending, pending.columns(), all(len(pending.Kind))},
		{r.excluded, excluded.columns(), all(len(excluded.Kind))},
		{r.goods, p.Goods.Columns(), goods},
		{r.overpaid, p.Refunds.Columns(), overpaid},
		{r.accounts, p.Accounts.Columns(), accounts},
	} {
		t := appendTable(nil, "", 0, part.columns)[0]
		of := part.into.gather(p.Number, &t, part.rows)
		if w.keep != nil {
			kept = part.into.appendPart(kept, &of)
		}
		if err := part.into.put(w, p.Number, &of); err != nil {
			return fmt.Errorf("output %s: %w", workbookName, err)
		}
	}
	if w.keep == nil {
		return nil
	}
	return w.keep.keeper.Keep(p.Number, bookSection, sealed(kept))
}

// enough reports whether the rows that the lists show are all there.
func (r *bookRows) enough() error {
	for _, g := range r.all() {
		if err := g.enough(); err != nil {
			return err
		}
	}
	return nil
}

func (r *bookRows) all() []*gathered {
	return []*gathered{r.pending, r.excluded, r.goods, r.overpaid, r.accounts}
}

func (r *bookRows) close() {
	for _, g := range r.all() {
		g.close()
	}
}

func all(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// units are trades and refunds in one shape.
type units struct {
	Kind                      []uint8
	Merchant                  []uint32
	OutTradeNo, Request, No   schema.Text
	Time, Pos, Bill, Carried  []int64
	Store, Terminal, Operator []uint32
	Reason                    []uint8
	PosPlace, BillPlace       schema.Place
}

// The kinds of unit.
const (
	paymentUnit uint8 = iota + 1
	refundUnit
)

var unitNames = []string{"", "payment", "refund"}

// The columns of units, in their order.
const (
	unitKind = iota
	unitMerchant
	unitOrder
	unitRequest
	unitTrade
	unitTime
	unitStore
	unitTerminal
	unitOperator
	unitPos
	unitBill
	unitReason
	unitCarried
	unitPosPlace
	unitBillPlace
)

func (u *units) columns() []schema.Column {
	return []schema.Column{
		unitKind:      {Name: "unit", Type: schema.EnumType, Bytes: u.Kind, Names: unitNames},
		unitMerchant:  {Name: "merchant_pid", Type: schema.WordType, Words: u.Merchant},
		unitOrder:     {Name: "out_trade_no", Type: schema.TextType, Text: &u.OutTradeNo},
		unitRequest:   {Name: "out_request_no", Type: schema.TextType, Text: &u.Request},
		unitTrade:     {Name: "trade_no", Type: schema.TextType, Text: &u.No},
		unitTime:      {Name: "time", Type: schema.TimeType, Ints: u.Time},
		unitStore:     {Name: "store_id", Type: schema.WordType, Words: u.Store},
		unitTerminal:  {Name: "terminal_id", Type: schema.WordType, Words: u.Terminal},
		unitOperator:  {Name: "operator_id", Type: schema.WordType, Words: u.Operator},
		unitPos:       {Name: "pos_amount", Type: schema.FenType, Ints: u.Pos},
		unitBill:      {Name: "bill_amount", Type: schema.FenType, Ints: u.Bill},
		unitReason:    {Name: "reason", Type: schema.EnumType, Bytes: u.Reason, Names: schema.ReasonNames},
		unitCarried:   {Name: "carried_days", Type: schema.IntType, Ints: u.Carried},
		unitPosPlace:  {Name: "pos_source", Type: schema.SourceType, Tables: u.PosPlace.Table, Lines: u.PosPlace.Line},
		unitBillPlace: {Name: "bill_source", Type: schema.SourceType, Tables: u.BillPlace.Table, Lines: u.BillPlace.Line},
	}
}

// gather adds the part's units of a status.
func (u *units) gather(p *engine.Part, status rules.Status) {
	t := &p.Trades
	for i, s := range t.Status {
		if rules.Status(s) != status {
			continue
		}
		at := t.BillTime[i]
		if at == schema.Null {
			at = t.OrderTime[i]
		}
		u.add(paymentUnit, t.Merchant[i], t.OutTradeNo.At(i), nil, t.TradeNo.At(i), at, t.Store[i], t.PosAmount[i], t.BillAmount[i])
		u.Terminal, u.Operator = append(u.Terminal, t.Terminal[i]), append(u.Operator, t.Operator[i])
		u.Reason, u.Carried = append(u.Reason, t.Reason[i]), append(u.Carried, t.CarriedDays[i])
		u.PosPlace.Append(t.Pos.Table[i], t.Pos.Line[i])
		u.BillPlace.Append(t.Bill.Table[i], t.Bill.Line[i])
	}
	f := &p.Refunds
	for i, s := range f.Status {
		if rules.Status(s) != status {
			continue
		}
		u.add(refundUnit, f.Merchant[i], f.OutTradeNo.At(i), f.RequestNo.At(i), f.TradeNo.At(i), f.Time[i], f.Store[i], f.PosAmount[i], f.BillAmount[i])
		u.Terminal, u.Operator = append(u.Terminal, 0), append(u.Operator, 0)
		u.Reason, u.Carried = append(u.Reason, f.Reason[i]), append(u.Carried, schema.Null)
		u.PosPlace.Append(f.Pos.Table[i], f.Pos.Line[i])
		u.BillPlace.Append(f.Bill.Table[i], f.Bill.Line[i])
	}
}

func (u *units) add(kind uint8, merchant uint32, order, request, trade []byte, at int64, store uint32, pos, bill int64) {
	u.Kind, u.Merchant = append(u.Kind, kind), append(u.Merchant, merchant)
	u.OutTradeNo.Append(order)
	u.Request.Append(request)
	u.No.Append(trade)
	u.Time, u.Store = append(u.Time, at), append(u.Store, store)
	u.Pos, u.Bill = append(u.Pos, pos), append(u.Bill, bill)
}

// gathered are rows of the parts on their way to a list of the workbook. All are
// counted; those that the list can show are kept.
type gathered struct {
	limit   int64 // of rows that are shown; 0: all
	held    int64 // rows that are stored, at least as many
	columns []listColumn[table]
	keyed   []int
	shape   []column // of a row

	mu       sync.Mutex
	file     *fsys.File
	end      int64
	segments []segment
	rows     []int64 // by part
	stored   []int64 // of them
	tallies  map[string]*listTally
}

// A gatheredPart is what a part leaves in a gathered.
type gatheredPart struct {
	rows, stored int64
	encoded      []byte // the stored ones
	tallies      map[string]*listTally
}

// newGathered gathers for a list with these columns, of which amounts and keys are
// used, from rows of this shape.
func newGathered(parts int, limit, held int64, columns []listColumn[table], shape []schema.Column) *gathered {
	g := &gathered{
		limit: limit, held: held, columns: columns, shape: appendTable(nil, "", 0, shape)[0].columns, segments: make([]segment, parts),
		rows: make([]int64, parts), stored: make([]int64, parts), tallies: map[string]*listTally{},
	}
	for k := range columns {
		if columns[k].key != nil {
			g.keyed = append(g.keyed, k)
		}
	}
	return g
}

// gather counts and encodes the part's rows.
func (g *gathered) gather(number int, t *table, rows []int32) gatheredPart {
	p := gatheredPart{rows: int64(len(rows)), tallies: map[string]*listTally{}}
	var buf []byte
	for _, i := range rows {
		buf = addTally(p.tallies, g.columns, g.keyed, t, int(i), buf)
	}
	rows = rows[:g.reserve(number, len(rows))]
	p.stored = int64(len(rows))
	for _, i := range rows {
		for k := range t.columns {
			p.encoded = appendRaw(p.encoded, &t.columns[k], int(i))
		}
	}
	return p
}

// put adds what a part leaves. It is safe for concurrent use, and keeps the tallies.
func (g *gathered) put(w *Writer, number int, p *gatheredPart) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows[number], g.stored[number] = p.rows, p.stored
	for key, t := range p.tallies {
		into := g.tallies[key]
		if into == nil {
			g.tallies[key] = t
			continue
		}
		into.count += t.count
		for k := range t.sums {
			into.sums[k].AddSum(t.sums[k])
		}
	}
	if len(p.encoded) == 0 {
		return nil
	}
	if g.file == nil {
		f, err := w.createTemp("rows-*")
		if err != nil {
			return err
		}
		g.file = f
	}
	g.segments[number] = segment{g.end, int64(len(p.encoded)), true}
	_, err := g.file.WriteAt(p.encoded, g.end)
	g.end += int64(len(p.encoded))
	return err
}

// reserve says how many of a part's rows are stored: as many as the parts before
// it that have come leave room for. Which parts have come does not matter in the
// end: what is shown are the first rows of all, and they are always kept.
func (g *gathered) reserve(number, rows int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held > 0 {
		room := g.held
		for _, n := range g.stored[:number] {
			room -= n
		}
		rows = int(min(int64(rows), max(room, 0)))
	}
	g.stored[number] = int64(rows)
	return rows
}

// enough reports whether every part has stored the rows that are shown of it. One
// that came from an earlier run may not: more rows were before it then.
func (g *gathered) enough() error {
	left := g.limit
	for number, rows := range g.rows {
		if g.limit > 0 {
			rows = min(rows, left)
			left -= rows
		}
		if stored := g.stored[number]; stored < rows {
			return keptError("part %d: %d of %d rows that the workbook shows", number, stored, rows)
		}
	}
	return nil
}

func (g *gathered) close() {
	if g.file != nil {
		_ = g.file.Close()
		_ = fsys.Remove(g.file.Name())
		g.file = nil
	}
}

// counted are all rows, by key.
func (g *gathered) counted() map[string]*listTally { return g.tallies }

// open gives the rows in the order of the parts.
func (g *gathered) open() (cursor[table], error) {
	c := &gatheredCursor{g: g, left: g.limit}
	if g.limit == 0 {
		c.left = -1
	}
	c.rows = (&sortedTable{shape: g.shape}).empty()
	return c, nil
}

// A gatheredCursor reads gathered rows, one at a time.
type gatheredCursor struct {
	g    *gathered
	rows table
	in   run
	part int
	left int64 // rows that may still be shown; below 0: any number
}

func (c *gatheredCursor) next() (*table, int, bool, error) {
	if c.left == 0 {
		return nil, 0, false, nil
	}
	for {
		if c.in.in == nil {
			if !c.nextPart() {
				return nil, 0, false, nil
			}
		}
		if _, err := c.in.in.Peek(1); errors.Is(err, io.EOF) {
			c.in.in = nil
			continue
		}
		c.rows.reset()
		if err := c.in.cells(&c.rows); err != nil {
			return nil, 0, false, err
		}
		c.left--
		return &c.rows, 0, true, nil
	}
}

func (c *gatheredCursor) nextPart() bool {
	for ; c.part < len(c.g.segments); c.part++ {
		if s := c.g.segments[c.part]; s.size > 0 {
			const buffer = 64 << 10
			c.in.in = bufio.NewReaderSize(io.NewSectionReader(c.g.file, s.offset, s.size), buffer)
			c.part++
			return true
		}
	}
	return false
}
