package loaders

import (
	"context"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of pos_refunds (contract 3), by their place in refundColumns.
const (
	refundOutTradeNo = iota
	refundTradeNo
	refundRequestNo
	refundMerchant
	refundStore
	refundTime
	refundAmount
	refundMode
	refundGoodsID // from here on of the returned line
	refundQuantity
)

var refundColumns = []canonicalColumn{
	refundOutTradeNo: {"out_trade_no", "商户订单号 订单编号", idCell, required},
	refundTradeNo:    {"trade_no", "支付宝交易号", idCell, !required},
	refundRequestNo:  {"out_request_no", "退款请求号", idCell, !required},
	refundMerchant:   {"merchant_pid", "商户PID", pidCell, !required},
	refundStore:      {"store_id", "门店编号", idCell, !required},
	refundTime:       {"refund_time", "退款时间", timeCell, required},
	refundAmount:     {"refund_amount", "退款金额", amountCell, required},
	refundMode:       {"mode", "退款方式", wordCell, !required},
	refundGoodsID:    {"goods_id", "商品编号", idCell, !required},
	refundQuantity:   {"quantity", "数量", numberCell, !required},
}

// modeNames are the words of rules.RefundMode, in the order of its kinds.
var modeNames = []string{"whole 整单", "list_price 方案一", "prorated 方案二", "reorder 方案三"}

// A refundParser reads pos_refunds: one row a returned line. Consecutive lines
// of one refund become one run, as those of an order do. Lines of a refund
// without a request number also have its time and amount, which are blank or the
// same on each.
type refundParser struct {
	gathering
	refunds schema.PosRefunds
	lines   schema.RefundLines
	mode    wordSet

	request []byte // reused
}

// newRefundParser is the parser of pos_refunds tables.
func newRefundParser(t *tableReader, c *canonicalHeader) func() rowParser {
	return func() rowParser {
		p := &refundParser{
			gathering: newGathering(t, c, schema.Refund, refundGoodsID),
			mode:      newWordSet(t.opt.Words, modeNames...),
		}
		p.init()
		return p
	}
}

func (p *refundParser) rows() int { return len(p.lines.Line) }

// flush ends the run: the engine joins the runs of one refund.
func (p *refundParser) flush(ctx context.Context) error {
	p.rest()
	err := p.t.send(ctx, &p.refunds, &p.lines)
	schema.Reset(&p.refunds)
	schema.Reset(&p.lines)
	return err
}

// row reads one line.
func (p *refundParser) row(line int32, cells [][]byte, raw []byte) {
	if !p.begin(line, cells, raw) {
		return
	}
	flags := uint8(0)
	if p.run >= 0 && p.fault == 0 && p.same(cells, raw) {
		p.fixed |= p.found
	} else {
		var ok bool
		if flags, ok = p.refund(); !ok {
			return
		}
	}
	p.refunds.Lines[p.run]++
	if p.fault == rules.CodeColumnCount {
		p.appendLine(0, schema.Null, flags|schema.LineGoodsRejected)
	} else {
		p.goods(flags)
	}
	if p.fault != 0 {
		p.report(schema.Null)
	}
	p.end()
}

// A refundLine is what a line says of its refund.
type refundLine struct {
	merchant, store uint32
	time, amount    int64
	mode            uint8
}

// refund reads the line's columns of the refund into its run, and gives the
// flags that the line has for them. ok is false for a row that can belong to no
// run; that row is dealt with.
func (p *refundParser) refund() (flags uint8, ok bool) {
	shifted := p.fault == rules.CodeColumnCount
	var of refundLine
	of.merchant, _ = p.idWord(refundMerchant)
	of.store, _ = p.idWord(refundStore)
	of.time, of.amount = schema.Null, schema.Null
	if !shifted {
		of.time, of.mode = p.time(refundTime), p.oneOf(refundMode, p.mode)
		of.amount = p.amount(refundAmount)
		if of.amount < 0 && of.amount != schema.Null {
			of.amount = -of.amount // compared by magnitude (rules 3)
		}
	}
	request, _ := p.id(refundRequestNo)
	p.request = append(p.request[:0], request...)
	id, blank, ok := p.key(refundOutTradeNo)
	switch {
	case blank:
		return 0, false
	case !ok:
		p.report(of.amount)
		p.end()
		return 0, false
	}
	p.conflict = -1
	if !p.belongs(id, &of) {
		p.beginRun(id)
	}
	if !shifted {
		p.giveTradeNo()
	}
	p.give(&of)
	f, run := &p.refunds, p.run
	return p.judge(runMarks{
		&f.Reject[run], &f.RejectLine[run], &f.Conflict[run], &f.ConflictLine[run], &f.ConflictValue[run],
	}), true
}

// belongs tells whether a line is one of the run that gathers.
func (p *refundParser) belongs(id []byte, of *refundLine) bool {
	f, run := &p.refunds, p.run
	if run < 0 || string(f.OutTradeNo.At(run)) != string(id) ||
		of.merchant != 0 && f.Merchant[run] != 0 && of.merchant != f.Merchant[run] {
		return false
	}
	if (of.merchant == 0 || f.Merchant[run] == 0) && of.store != 0 && f.Store[run] != 0 && of.store != f.Store[run] {
		return false // without a merchant the store says whose refund it is
	}
	given := f.RequestNo.At(run)
	if len(given) > 0 || len(p.request) > 0 {
		return string(given) == string(p.request)
	}
	return (of.time == f.Time[run] || of.time == schema.Null) &&
		(of.amount == f.Amount[run] || of.amount == schema.Null)
}

// beginRun appends a run whose other columns are blank.
func (p *refundParser) beginRun(id []byte) {
	f := &p.refunds
	p.run = f.Len()
	f.Table = append(f.Table, p.t.number)
	f.Line = append(f.Line, p.line)
	f.Lines = append(f.Lines, 0)
	f.OutTradeNo.Append(id)
	f.TradeNo.Append(nil)
	f.RequestNo.Append(p.request)
	f.Merchant = append(f.Merchant, 0)
	f.Store = append(f.Store, 0)
	f.Time = append(f.Time, schema.Null)
	f.Amount = append(f.Amount, schema.Null)
	f.Mode = append(f.Mode, 0)
	f.Undone = append(f.Undone, 0)
	f.Reject = append(f.Reject, 0)
	f.RejectLine = append(f.RejectLine, 0)
	f.Conflict = append(f.Conflict, 0)
	f.ConflictLine = append(f.ConflictLine, 0)
	f.ConflictValue = append(f.ConflictValue, 0)
}

func (p *refundParser) giveTradeNo() {
	if id, ok := p.id(refundTradeNo); ok {
		giveText(&p.canonicalRow, refundTradeNo, &p.refunds.TradeNo, id)
	}
}

// give gives the run what the line says.
func (p *refundParser) give(of *refundLine) {
	f, run, r := &p.refunds, p.run, &p.canonicalRow
	give(r, refundMerchant, &f.Merchant[run], of.merchant, 0)
	give(r, refundStore, &f.Store[run], of.store, 0)
	give(r, refundTime, &f.Time[run], of.time, schema.Null)
	give(r, refundAmount, &f.Amount[run], of.amount, schema.Null)
	give(r, refundMode, &f.Mode[run], of.mode, 0)
}

// goods reads the line that is returned.
func (p *refundParser) goods(flags uint8) {
	faults := p.faults
	id, _ := p.idWord(refundGoodsID)
	quantity := p.micro(refundQuantity)
	switch {
	case p.faults != faults:
	case id == 0 && quantity == schema.Null:
		flags |= schema.LineNoGoods
	case quantity == schema.Null:
		p.bad(refundQuantity, rules.CodeMissingValue)
	case quantity <= 0:
		p.bad(refundQuantity, rules.CodeNegativeGoods)
	}
	if p.faults != faults {
		id, quantity, flags = 0, schema.Null, flags|schema.LineGoodsRejected
	}
	p.appendLine(id, quantity, flags)
}

func (p *refundParser) appendLine(id uint32, quantity int64, flags uint8) {
	l := &p.lines
	l.Line = append(l.Line, p.line)
	l.Goods = append(l.Goods, id)
	l.Quantity = append(l.Quantity, quantity)
	l.Flags = append(l.Flags, flags)
}
