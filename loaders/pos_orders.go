package loaders

import (
	"context"
	"math"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of pos_orders (contract 3), by their place in orderColumns.
const (
	orderOutTradeNo = iota
	orderTradeNo
	orderMerchant
	orderStore
	orderTerminal
	orderOperator
	orderTime
	orderStatus
	orderInterface
	orderChannel
	orderLink
	orderTotal
	orderUndiscountable
	orderBuyerPaid
	orderRedPacket
	orderAllowance
	orderCoupon
	orderCouponName
	orderInstalments
	orderProviderPID
	orderScene
	orderPayCode
	orderShift
	orderGoodsID // from here on of the goods line
	orderGoodsName
	orderQuantity
	orderPrice
)

var orderColumns = []canonicalColumn{
	orderOutTradeNo:     {"out_trade_no", "商户订单号 订单编号", idCell, required},
	orderTradeNo:        {"trade_no", "支付宝交易号", idCell, !required},
	orderMerchant:       {"merchant_pid", "商户PID", pidCell, !required},
	orderStore:          {"store_id", "门店编号", idCell, !required},
	orderTerminal:       {"terminal_id", "终端号", idCell, !required},
	orderOperator:       {"operator_id", "操作员", textCell, !required},
	orderTime:           {"order_time", "订单时间 交易时间", timeCell, required},
	orderStatus:         {"status", "订单状态", wordCell, !required},
	orderInterface:      {"interface", "支付接口", textCell, !required},
	orderChannel:        {"channel", "支付渠道", wordCell, !required},
	orderLink:           {"link", "直连间连", wordCell, !required},
	orderTotal:          {"total_amount", "订单金额 应付金额", amountCell, required},
	orderUndiscountable: {"undiscountable_amount", "不可打折金额", amountCell, !required},
	orderBuyerPaid:      {"buyer_paid", "实付金额", amountCell, !required},
	orderRedPacket:      {"red_packet", "红包", amountCell, !required},
	orderAllowance:      {"allowance", "购物津贴", amountCell, !required},
	orderCoupon:         {"coupon", "优惠券", amountCell, !required},
	orderCouponName:     {"coupon_name", "券名称", textCell, !required},
	orderInstalments:    {"hb_fq_num", "花呗分期数", countCell, !required},
	orderProviderPID:    {"sys_service_provider_id", "服务商PID", textCell, !required},
	orderScene:          {"scene", "支付场景", textCell, !required},
	orderPayCode:        {"pay_code", "付款码", textCell, !required},
	orderShift:          {"shift", "班次", textCell, !required},
	orderGoodsID:        {"goods_id", "商品编号", idCell, !required},
	orderGoodsName:      {"goods_name", "商品名称", textCell, !required},
	orderQuantity:       {"quantity", "数量", numberCell, !required},
	orderPrice:          {"price", "单价", numberCell, !required},
}

// Words of the enumerations, in the order of their kinds.
var (
	statusNames = []string{"paid 已支付", "unpaid 未支付", "closed 已取消 订单取消"}
	linkNames   = []string{"direct 直连", "indirect 间连"}
	// Any other channel is a word of its own.
	channelNames = [][2]string{{"支付宝", "alipay"}, {"微信", "wechat"}, {"现金", "cash"}}
)

// An orderParser reads pos_orders: one row a goods line, the order's columns on
// each of them or on the first alone.
//
// Consecutive lines of one order become one run. Its columns hold the first
// value given; a line that gives another one is a conflict, for which the engine
// rejects the order. Most lines say again, byte for byte, what the line before
// them said: those are compared as bytes, and only their goods are parsed.
//
// A column that must be filled (order_time, total_amount) may be blank on every
// line of a run, because the order may have others elsewhere in the file: the
// engine, which joins them, judges that.
type orderParser struct {
	gathering
	orders schema.Orders
	lines  schema.Lines

	hasGoods bool // else goods_name alone is what the whole order is called
	status   wordSet
	link     wordSet
	channels []channelWord

	payCode []byte // of the run, as given

	isAgain bool // the row's columns of the order are those of the row remembered
	isFresh bool // the row read last is the one remembered, or equal to it
}

// A channelWord is a channel by its two names.
type channelWord struct{ chinese, english uint32 }

// newOrderParser is the parser of pos_orders tables.
func newOrderParser(t *tableReader, c *canonicalHeader) func() rowParser {
	return func() rowParser {
		p := &orderParser{
			gathering: newGathering(t, c, schema.Payment, orderGoodsID),
			hasGoods:  c.has(orderGoodsID) || c.has(orderQuantity) || c.has(orderPrice),
			status:    newWordSet(t.opt.Words, statusNames...),
			link:      newWordSet(t.opt.Words, linkNames...),
		}
		for _, names := range channelNames {
			p.channels = append(p.channels, channelWord{t.opt.Words.Code(names[0]), t.opt.Words.Code(names[1])})
		}
		p.secret, p.last = orderPayCode, make([]lastWord, orderGoodsID)
		p.init()
		b := t.opt.caches.takeOrders()
		p.orders, p.lines = b.orders, b.lines
		t.orderParsers = append(t.orderParsers, p) // under the table's lock
		return p
	}
}

func (p *orderParser) rows() int { return len(p.lines.Line) }

// flush ends the run: the engine joins the runs of one order.
func (p *orderParser) flush(ctx context.Context) error {
	p.rest()
	err := p.t.send(ctx, &p.orders, &p.lines)
	schema.Reset(&p.orders)
	schema.Reset(&p.lines)
	return err
}

func (p *orderParser) again() { p.isAgain = true }

func (p *orderParser) repeats() (cells, bytes int) {
	if !p.isFresh {
		return 0, 0
	}
	return p.front(p.t.comma)
}

// row reads one line.
func (p *orderParser) row(line int32, cells [][]byte, raw []byte) {
	again := p.isAgain
	p.isAgain, p.isFresh = false, false
	if !p.begin(line, cells, raw) {
		return
	}
	flags := uint8(0)
	if p.run >= 0 && p.fault == 0 && (again || p.same(cells, raw)) {
		p.fixed |= p.found
	} else {
		if !p.startOrder() {
			return
		}
		flags = p.order()
	}
	p.isFresh = p.fault == 0
	p.orders.Lines[p.run]++
	if p.fault == rules.CodeColumnCount {
		p.appendLine(0, 0, schema.Null, schema.Null, flags|schema.LineGoodsRejected)
	} else {
		p.goods(flags)
	}
	if p.fault != 0 {
		p.report(schema.Null)
	}
	p.end()
}

// startOrder finds the run that the line belongs to, or begins it. It is false
// for a row that can belong to none; that row is dealt with.
func (p *orderParser) startOrder() bool {
	id, blank, ok := p.key(orderOutTradeNo)
	switch {
	case blank:
		return false
	case !ok:
		p.report(p.readable(orderTotal))
		p.end()
		return false
	}
	merchant, _ := p.idWord(orderMerchant)
	if p.run >= 0 && string(p.orders.OutTradeNo.At(p.run)) == string(id) {
		// Without a merchant the store says whose order it is: another store starts
		// a run, and the engine joins the runs of one order.
		store, _ := p.idWord(orderStore)
		given, at := &p.orders.Merchant[p.run], p.orders.Store[p.run]
		switch {
		case merchant == *given && merchant != 0, merchant == 0 && (store == 0 || store == at):
			return true
		case *given == 0 && at == 0: // the run has neither yet
			*given = merchant
			return true
		}
	}
	p.beginRun(id, merchant)
	return true
}

// beginRun appends a run whose other columns are blank.
func (p *orderParser) beginRun(id []byte, merchant uint32) {
	p.run = appendOrder(&p.orders, p.t.number, p.line, id)
	p.orders.Merchant[p.run] = merchant
	p.payCode = p.payCode[:0]
}

// appendOrder appends a run whose other columns are blank, and gives its number.
func appendOrder(o *schema.Orders, table, line int32, id []byte) int {
	run := o.Len()
	o.Table = append(o.Table, table)
	o.Line = append(o.Line, line)
	o.Lines = append(o.Lines, 0)
	o.OutTradeNo.Append(id)
	o.TradeNo.Append(nil)
	o.Merchant = append(o.Merchant, 0)
	o.Store = append(o.Store, 0)
	o.Terminal = append(o.Terminal, 0)
	o.Operator = append(o.Operator, 0)
	o.Time = append(o.Time, schema.Null)
	o.Status = append(o.Status, 0)
	o.Interface = append(o.Interface, 0)
	o.Channel = append(o.Channel, 0)
	o.Link = append(o.Link, 0)
	o.Total = append(o.Total, schema.Null)
	o.Undiscountable = append(o.Undiscountable, schema.Null)
	o.BuyerPaid = append(o.BuyerPaid, schema.Null)
	o.RedPacket = append(o.RedPacket, schema.Null)
	o.Allowance = append(o.Allowance, schema.Null)
	o.Coupon = append(o.Coupon, schema.Null)
	o.CouponName = append(o.CouponName, 0)
	o.Instalments = append(o.Instalments, -1)
	o.ProviderPID = append(o.ProviderPID, 0)
	o.Scene = append(o.Scene, 0)
	o.PayCode = append(o.PayCode, schema.PayCodeNone)
	o.PayCodeTail = append(o.PayCodeTail, 0)
	o.Shift = append(o.Shift, 0)
	o.Reject = append(o.Reject, 0)
	o.RejectLine = append(o.RejectLine, 0)
	o.Conflict = append(o.Conflict, 0)
	o.ConflictLine = append(o.ConflictLine, 0)
	o.ConflictValue = append(o.ConflictValue, 0)
	o.Excluded = append(o.Excluded, 0)
	o.Flags = append(o.Flags, 0)
	o.Gap = append(o.Gap, 0)
	return run
}

// order reads the line's order columns into the run, and gives the flags that
// the line has for them.
func (p *orderParser) order() (flags uint8) {
	o, run := &p.orders, p.run
	p.conflict = -1
	if p.fault != rules.CodeColumnCount {
		p.orderColumns()
	} else if store, ok := p.idWord(orderStore); ok { // the order's merchant may be known by it
		give(&p.canonicalRow, orderStore, &o.Store[run], store, 0)
	}
	return p.judge(runMarks{
		&o.Reject[run], &o.RejectLine[run], &o.Conflict[run], &o.ConflictLine[run], &o.ConflictValue[run],
	})
}

// orderColumns gives the run what the line says of the order. It is one step a
// column, in the order of the contract.
func (p *orderParser) orderColumns() {
	o, run, r := &p.orders, p.run, &p.canonicalRow
	if id, ok := r.id(orderTradeNo); ok && len(id) > 0 {
		giveText(r, orderTradeNo, &o.TradeNo, id)
	}
	if store, ok := r.idWord(orderStore); ok {
		give(r, orderStore, &o.Store[run], store, 0)
	}
	if terminal, ok := r.idWord(orderTerminal); ok {
		give(r, orderTerminal, &o.Terminal[run], terminal, 0)
	}
	give(r, orderOperator, &o.Operator[run], r.word(orderOperator), 0)
	give(r, orderTime, &o.Time[run], r.time(orderTime), schema.Null)
	give(r, orderStatus, &o.Status[run], r.oneOf(orderStatus, p.status), 0)
	give(r, orderInterface, &o.Interface[run], r.word(orderInterface), 0)
	give(r, orderChannel, &o.Channel[run], p.channel(), 0)
	give(r, orderLink, &o.Link[run], r.oneOf(orderLink, p.link), 0)
	total := r.amount(orderTotal)
	if total < 0 && total != schema.Null {
		r.bad(orderTotal, rules.CodeNegativeGoods)
	}
	give(r, orderTotal, &o.Total[run], total, schema.Null)
	give(r, orderUndiscountable, &o.Undiscountable[run], r.amount(orderUndiscountable), schema.Null)
	give(r, orderBuyerPaid, &o.BuyerPaid[run], r.amount(orderBuyerPaid), schema.Null)
	give(r, orderRedPacket, &o.RedPacket[run], r.amount(orderRedPacket), schema.Null)
	give(r, orderAllowance, &o.Allowance[run], r.amount(orderAllowance), schema.Null)
	give(r, orderCoupon, &o.Coupon[run], r.amount(orderCoupon), schema.Null)
	give(r, orderCouponName, &o.CouponName[run], r.word(orderCouponName), 0)
	if n := r.count(orderInstalments, math.MaxInt32); n != schema.Null {
		give(r, orderInstalments, &o.Instalments[run], int32(n), -1)
	}
	give(r, orderProviderPID, &o.ProviderPID[run], r.word(orderProviderPID), 0)
	give(r, orderScene, &o.Scene[run], r.word(orderScene), 0)
	p.paymentCode()
	give(r, orderShift, &o.Shift[run], r.word(orderShift), 0)
}

// channel is the word of the channel: the English one for those of the contract.
func (p *orderParser) channel() uint32 {
	word, _ := p.typeWord(orderChannel)
	for _, c := range p.channels {
		if c.chinese == word {
			return c.english
		}
	}
	return word
}

// paymentCode cuts the payment code to its validity and last four characters.
// The code itself is kept only while its run gathers.
func (p *orderParser) paymentCode() {
	code := p.value(orderPayCode)
	switch {
	case len(code) == 0:
	case len(p.payCode) > 0:
		if string(p.payCode) != string(code) && p.conflict < 0 {
			p.conflict = orderPayCode
		}
	default:
		p.payCode = append(p.payCode, code...)
		var tail []byte
		p.orders.PayCode[p.run], tail = payCode(code)
		p.orders.PayCodeTail[p.run], _ = p.code(tail)
	}
}

// goods reads the line's goods. A goods column at fault drops all of them; flags
// are those that the line has for its order columns.
func (p *orderParser) goods(flags uint8) {
	faults := p.faults
	id, _ := p.idWord(orderGoodsID)
	name := p.word(orderGoodsName)
	quantity, price := p.micro(orderQuantity), p.micro(orderPrice)
	if p.faults == faults && id == 0 && quantity == schema.Null && price == schema.Null && (name == 0 || !p.hasGoods) {
		p.appendLine(0, 0, schema.Null, schema.Null, flags|schema.LineNoGoods)
		return
	}
	switch {
	case quantity == schema.Null:
		if len(p.value(orderQuantity)) == 0 {
			p.bad(orderQuantity, rules.CodeMissingValue)
		}
	case quantity <= 0:
		p.bad(orderQuantity, rules.CodeNegativeGoods)
	}
	if price < 0 && price != schema.Null {
		p.bad(orderPrice, rules.CodeNegativeGoods)
	}
	if p.faults != faults {
		p.appendLine(0, 0, schema.Null, schema.Null, flags|schema.LineGoodsRejected)
		return
	}
	p.appendLine(id, name, quantity, price, flags)
}

func (p *orderParser) appendLine(id, name uint32, quantity, price int64, flags uint8) {
	l := &p.lines
	l.Line = append(l.Line, p.line)
	l.Goods = append(l.Goods, id)
	l.Name = append(l.Name, name)
	l.Quantity = append(l.Quantity, quantity)
	l.Price = append(l.Price, price)
	l.Flags = append(l.Flags, flags)
}
