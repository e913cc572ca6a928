package loaders

import (
	"context"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An orderList reads tables in which one row is one whole order without its
// goods: those of other systems of the business (Taobao, Kukeduo). What a format
// makes of a row is in its read.
type orderList struct {
	canonicalRow
	orders schema.Orders
	lines  schema.Lines
	read   func(p *orderList, o listedOrder) listedOrder
	id     int // columns of the number and the amount
	amount int
	number []byte // reused
	keep   bool   // a rejected row is still known by its number, so that a payment can say so
}

// A listedOrder is what a row says.
type listedOrder struct {
	time     int64
	status   schema.OrderStatus
	total    int64
	tradeNo  []byte // valid during the call
	store    uint32
	excluded rules.Reason
}

// newOrderList gives the parsers of a table of such rows. Cells of the private
// columns are never shown.
func newOrderList(t *tableReader, spec *canonicalSpec, header []string, private []string, list orderList) (func() rowParser, error) {
	if _, err := openHeader(t, t.formatName, header); err != nil {
		return nil, err
	}
	c := spec.find(header, t.opt)
	t.hide(header, private)
	return func() rowParser {
		p := list
		p.canonicalRow = newCanonicalRow(t, c, schema.Payment)
		p.last = make([]lastWord, len(spec.columns))
		p.init()
		return &p
	}, nil
}

func (p *orderList) rows() int { return len(p.lines.Line) }

func (p *orderList) flush(ctx context.Context) error {
	p.flushCounts()
	err := p.t.sendAs(ctx, schema.PosOrders, &p.orders, &p.lines)
	schema.Reset(&p.orders)
	schema.Reset(&p.lines)
	return err
}

// row reads one order.
func (p *orderList) row(line int32, cells [][]byte, raw []byte) {
	if !p.begin(line, cells, raw) {
		return
	}
	number, ok := p.canonicalRow.id(p.id)
	if ok && len(number) == 0 {
		if blankRow(p.cells) {
			p.skipped++
			return
		}
		p.bad(p.id, rules.CodeMissingValue)
	}
	if p.fault != 0 {
		p.report(p.readable(p.amount))
		p.end()
		return
	}
	p.number = append(p.number[:0], number...) // reading further ids moves it
	of := p.read(p, listedOrder{time: schema.Null, total: schema.Null})
	if p.fault != 0 && !p.keep {
		p.report(p.readable(p.amount))
		p.end()
		return
	}
	o := &p.orders
	run := appendOrder(o, p.t.number, line, p.number)
	o.Lines[run] = 1
	o.Flags[run] = schema.OrderWhole | schema.OrderPIDUnknown // no list says what was sent
	o.Time[run], o.Status[run], o.Total[run] = of.time, uint8(of.status), of.total
	o.Store[run], o.Excluded[run] = of.store, uint8(of.excluded)
	if len(of.tradeNo) > 0 {
		giveText(&p.canonicalRow, p.id, &o.TradeNo, of.tradeNo)
	}
	flags := schema.LineNoGoods
	if p.fault != 0 {
		o.Reject[run], o.RejectLine[run] = uint8(p.fault), line
		flags |= schema.LineOrderRejected
		p.report(schema.Null)
	}
	appendNoGoods(&p.lines, line)
	p.lines.Flags[p.lines.Len()-1] = flags
	p.end()
}

// required finds fault with a column that is blank.
func (p *orderList) required(k int) {
	if len(p.value(k)) == 0 {
		p.bad(k, rules.CodeMissingValue)
	}
}

// money is a required amount that is not negative.
func (p *orderList) money(k int) int64 {
	p.required(k)
	total := p.canonicalRow.amount(k)
	if total < 0 && total != schema.Null {
		p.bad(k, rules.CodeNegativeGoods)
	}
	return total
}
