package loaders

import (
	"bytes"
	"context"
	"strings"

	"github.com/tidwall/gjson"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A tradeParser reads answers of taobao.trades.sold.get and .increment.get: JSON
// documents whose trades are the rows.
type tradeParser struct {
	t      *tableReader
	cache  *schema.WordCache
	orders schema.Orders
	lines  schema.Lines
	decide *tradeMarks
	extra  int64 // trades beyond one a document
	fault  rules.Code
	column string
	value  string
}

// tradeMarks is what is known of all trades of a file.
type tradeMarks struct{ marked bool }

// openTaobaoTrades opens answers of the API.
func openTaobaoTrades(t *tableReader, _ []string) (func() rowParser, error) {
	t.private = []bool{}
	t.document = true
	marks := new(tradeMarks)
	t.finish = func(context.Context) error {
		if !marks.marked {
			t.unmarked()
		}
		return nil
	}
	return func() rowParser {
		return &tradeParser{t: t, decide: marks, cache: schema.NewWordCache(t.opt.Words, func(raw []byte) string { return string(raw) })}
	}, nil
}

func (p *tradeParser) rows() int { return p.orders.Len() }

func (p *tradeParser) flush(ctx context.Context) error {
	p.t.skip(-p.extra)
	p.extra = 0
	err := p.t.sendAs(ctx, schema.PosOrders, &p.orders, &p.lines)
	schema.Reset(&p.orders)
	schema.Reset(&p.lines)
	return err
}

// row reads one document, which is JSON in UTF-8.
func (p *tradeParser) row(line int32, _ [][]byte, raw []byte) {
	text := string(raw)
	found := 0
	p.find(gjson.Parse(text), 0, func(trade gjson.Result) {
		found++
		p.trade(line+int32(strings.Count(text[:trade.Index], "\n")), trade)
	})
	p.extra += int64(found - 1)
}

// find calls do for every trade in a value: the objects of a list that have a tid.
// Its Index is its place, by which its line is known.
func (p *tradeParser) find(v gjson.Result, depth int, do func(gjson.Result)) {
	if depth > maxDepth || v.Type != gjson.JSON {
		return
	}
	if v.IsObject() && (v.Get("tid").Exists() || v.Get("tid_str").Exists()) {
		do(v)
		return
	}
	v.ForEach(func(_, e gjson.Result) bool {
		if e.Type == gjson.JSON {
			p.find(e, depth+1, do)
		}
		return true
	})
}

// trade reads one trade.
func (p *tradeParser) trade(line int32, v gjson.Result) {
	p.fault, p.column, p.value = 0, "", ""
	var id, tradeNo []byte
	var total, created, paid int64 = schema.Null, schema.Null, schema.Null
	status, o2o, store := "", false, uint32(0)
	v.ForEach(func(k, value gjson.Result) bool {
		switch k.Str {
		case "tid_str":
			if no := p.id(k.Str, value); len(no) > 0 {
				id = no
			}
		case "tid":
			if len(id) == 0 {
				id = p.id(k.Str, value)
			}
		case "alipay_no":
			tradeNo = p.id(k.Str, value)
		case "status":
			status = token(value)
		case "payment":
			fen, err := rules.ParseFen([]byte(token(value)))
			switch {
			case token(value) == "":
			case err != nil:
				p.bad(rules.CodeOf(err), k.Str, value)
			case fen < 0:
				p.bad(rules.CodeNegativeGoods, k.Str, value)
			default:
				total = int64(fen)
			}
		case "created":
			created = p.time(k.Str, value)
		case "pay_time":
			paid = p.time(k.Str, value)
		case "is_o2o_passport":
			p.decide.marked = true
			o2o = o2o || isO2O([]byte(token(value)))
		case "type":
			if token(value) == "o2o_offlinetrade" {
				p.decide.marked, o2o = true, true
			}
		case "o2o_shop_id":
			if id := token(value); id != "" {
				store = p.cache.Code([]byte(id))
			}
		}
		return true
	})
	switch {
	case p.fault != 0:
	case len(id) == 0:
		p.bad(rules.CodeMissingValue, "tid", gjson.Result{})
	case status == "":
		p.bad(rules.CodeMissingValue, "status", gjson.Result{})
	case total == schema.Null:
		p.bad(rules.CodeMissingValue, "payment", gjson.Result{})
	}
	if p.fault != 0 {
		p.t.reject(schema.Reject{
			Line: line, Code: p.fault, Column: p.column, Value: p.value, Raw: shownMessage(v.Raw), Amount: total, Kind: schema.Payment,
		})
		return
	}
	o := &p.orders
	run := appendOrder(o, p.t.number, line, id)
	o.TradeNo.Data = append(o.TradeNo.Data, tradeNo...)
	o.TradeNo.Offsets[run+1] = int32(len(o.TradeNo.Data))
	o.Lines[run], o.Flags[run] = 1, schema.OrderWhole
	o.Time[run] = firstGiven(created, paid)
	o.Total[run], o.Store[run] = total, store
	switch {
	case status == "WAIT_BUYER_PAY":
		o.Status[run] = uint8(schema.OrderUnpaid)
	case strings.HasPrefix(status, "TRADE_CLOSED") && paid == schema.Null:
		o.Status[run] = uint8(schema.OrderClosed)
	default:
		o.Status[run] = uint8(schema.OrderPaid)
	}
	o.Excluded[run] = uint8(rules.ReasonOnlineOrder)
	if o2o {
		o.Excluded[run] = uint8(rules.ReasonO2OPassport)
	}
	appendNoGoods(&p.lines, line)
}

// appendNoGoods appends the line of an order without goods.
func appendNoGoods(l *schema.Lines, line int32) {
	l.Line = append(l.Line, line)
	l.Goods = append(l.Goods, 0)
	l.Name = append(l.Name, 0)
	l.Quantity = append(l.Quantity, schema.Null)
	l.Price = append(l.Price, schema.Null)
	l.Flags = append(l.Flags, schema.LineNoGoods)
}

func (p *tradeParser) bad(code rules.Code, column string, v gjson.Result) {
	if p.fault == 0 {
		p.fault, p.column, p.value = code, column, token(v)
	}
}

func (p *tradeParser) id(column string, v gjson.Result) []byte {
	id, _, damaged := checkID([]byte(token(v)), false)
	if damaged {
		p.bad(rules.CodeIDDamaged, column, v)
	}
	if bytes.Contains(id, []byte("\ufffd")) {
		p.bad(rules.CodeEncoding, column, v)
	}
	return id
}

func (p *tradeParser) time(column string, v gjson.Result) int64 {
	if token(v) == "" {
		return schema.Null
	}
	seconds, ok := logTime(v)
	if !ok {
		p.bad(rules.CodeTimeSyntax, column, v)
		return schema.Null
	}
	return seconds
}
