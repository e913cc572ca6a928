package gen

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// POSForm says in which files the POS side of a day is written. The trades are the
// same; what a form has no place for, such as cash in an API log, its day must not
// plant (Messages.Mix leaves it out).
type POSForm uint8

// The forms.
const (
	POSTables   POSForm = iota // pos/*.csv and refunds/*.csv
	POSMessages                // api/*.jsonl, messages of alipay.trade.*
	POSKukeduo                 // kukeduo/*.csv, an order list: no goods, PIDs or refunds
	POSMixed                   // tables and messages, every other order; a list of orders of goods
)

// MessageMix is a mix without what API messages cannot say: orders that Alipay was
// not asked for, a second file's repetitions, rows that cannot be read, refund modes.
func MessageMix(mix Mix) Mix {
	out := Mix{}
	for k, share := range mix {
		out[k] = share
	}
	for _, k := range []Kind{
		OtherChannel, DuplicatePOS, ConflictPOS, IdentityPOS, NegativeQuantity, BadQuantity, BlankQuantity,
		CancelledRefunded, // a refund shows that its trade was paid
		RefundWhole, RefundListPrice, RefundListPriceLeft, RefundRequest, RefundDuplicatePOS, RefundProrated, RefundProratedParts,
	} {
		delete(out, k)
	}
	for k := range out {
		if k.rejecting() && k != RejectBillTime && k != RejectBillType {
			delete(out, k)
		}
	}
	return out
}

// ListMix is a mix without what an order list cannot say either: goods, PIDs,
// trade numbers and funding are not in it.
func ListMix(mix Mix) Mix {
	out := MessageMix(mix)
	for k := range out {
		if k >= firstFunding && k < firstRefund || k >= firstRefund {
			delete(out, k)
		}
	}
	for _, k := range []Kind{NoMerchantPID, OtherNumber, MerchantDiffers, TradeNoConflict} {
		delete(out, k)
	}
	return out
}

// messageWriter writes the orders and refunds as an API log: requests, answers and
// notices in all the wrappings that logs have. Every fourth answer stands in the
// next day's file.
type messageWriter struct {
	w     *world
	log   *sheet
	later *sheet
	rows  *Rows
}

func newMessageWriter(w *world, dir string, rows *Rows) (*messageWriter, error) {
	log, err := createSheet(dir, "api/messages_1.jsonl")
	if err != nil {
		return nil, err
	}
	later, err := createSheet(dir, "api/messages_2.jsonl")
	return &messageWriter{w: w, log: log, later: later, rows: rows}, err
}

// fields is a JSON object whose members stand in the order in which they are given.
type fields []any // name, value, …

func (f fields) json() string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(f); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(jsonText(f[i]))
		b.WriteByte(':')
		b.WriteString(jsonText(f[i+1]))
	}
	b.WriteByte('}')
	return b.String()
}

func jsonText(v any) string {
	switch v := v.(type) {
	case fields:
		return v.json()
	case []fields:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = f.json()
		}
		return "[" + strings.Join(parts, ",") + "]"
	case json.RawMessage:
		return string(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("gen: " + err.Error())
	}
	return string(text)
}

// camel writes names as SDK objects are printed.
func (f fields) camel() fields {
	out := make(fields, len(f))
	for i := 0; i < len(f); i += 2 {
		parts := strings.Split(f[i].(string), "_")
		for k := 1; k < len(parts); k++ {
			parts[k] = strings.ToUpper(parts[k][:1]) + parts[k][1:]
		}
		out[i], out[i+1] = strings.Join(parts, ""), f[i+1]
	}
	return out
}

// amountToken is an amount as a string or, in every third record, as a number.
func amountToken(o *order, v fen) any {
	text := string(appendFen(nil, v))
	if o.i%3 == 2 {
		return json.RawMessage(text)
	}
	return text
}

func (p *messageWriter) clock(second int64) string {
	return p.w.day + string(appendClock(nil, second))
}

// app is the application that calls for the order's merchant: two merchants may use
// one order number, and answers do not say whose they are.
func (p *messageWriter) app(o *order) string { return fmt.Sprintf("2021%012d", o.posMerchant) }

// request writes a request in the record's manner.
func (p *messageWriter) request(o *order, method string, second int64, content fields) {
	if o.i%5 == 3 {
		content = content.camel()
	}
	var body any = content
	if o.i%2 == 0 {
		body = content.json()
	}
	f := fields{"app_id", p.app(o), "method", method, "timestamp", p.clock(second), "biz_content", body}
	if o.i%6 == 4 { // a log's own object around the body as a form
		form := url.Values{"app_id": {p.app(o)}, "method": {method}, "timestamp": {p.clock(second)}, "biz_content": {content.json()}}
		f = fields{"time", p.clock(second), "level", "info", "body", form.Encode()}
	}
	p.log.line(f.json())
	p.rows.POSLines++
}

// answer writes an answer, here or in the next file.
func (p *messageWriter) answer(o *order, method string, content fields) {
	name := strings.ReplaceAll(method, ".", "_") + "_response"
	f := fields{name, content, "sign", "x", "app_id", p.app(o)}
	if o.i%7 == 5 {
		f = fields{"level", "info", "response", f.json()}
	}
	out := p.log
	if o.i%4 == 1 {
		out = p.later
	}
	out.line(f.json())
	p.rows.POSLines++
}

func (p *messageWriter) order(o *order) error {
	if o.posLines {
		p.payment(o)
	}
	fee := fen(0)
	for k := range o.nRefunds {
		if ref := &o.refunds[k]; ref.pos {
			fee += ref.posAmount
			p.refund(o, ref, k, fee)
		}
	}
	if p.log.err != nil {
		return p.log.err
	}
	return p.later.err
}

func (p *messageWriter) payment(o *order) {
	const pay = "alipay.trade.pay"
	w := p.w
	content := fields{
		"out_trade_no", string(o.number), "scene", "bar_code", "auth_code", fmt.Sprintf("2876344382%08d", o.i%1e8), "subject", "商品",
		"total_amount", amountToken(o, o.posTotal), "store_id", w.stores[o.posStore].id,
		"terminal_id", fmt.Sprintf("T%d", o.terminal+1), "operator_id", fmt.Sprintf("op%d", o.operator+1),
	}
	if o.kind != NoMerchantPID {
		content = append(content, "seller_id", w.merchants[o.posMerchant].pid)
	}
	if o.goodsKind != NoGoods {
		goods := make([]fields, o.n)
		for k := range o.n {
			goods[k] = p.goods(&o.lines[k])
		}
		content = append(content, "goods_detail", goods)
	}
	extend := fields{}
	if len(o.pid) > 0 {
		extend = append(extend, "sys_service_provider_id", string(o.pid))
	}
	if o.hbNum > 0 {
		extend = append(extend, "hb_fq_num", fmt.Sprint(o.hbNum))
	}
	content = append(content, "extend_params", extend)
	if o.i%7 == 0 { // an attempt before
		p.request(o, pay, o.created, content)
		p.answer(o, pay, fields{"code", "40004", "msg", "Business Failed", "sub_code", "ACQ.PAYMENT_AUTH_CODE_INVALID", "out_trade_no", string(o.number)})
	}
	p.request(o, pay, o.created, content)
	result := fields{"out_trade_no", string(o.number)}
	if len(o.posTradeNo) > 0 {
		result = append(result, "trade_no", string(o.posTradeNo))
	}
	switch o.status {
	case closed:
		result = append(fields{"notify_type", "trade_status_sync", "notify_id", fmt.Sprintf("n%d", o.i), "app_id", p.app(o), "trade_status", "TRADE_CLOSED"}, result...)
		p.log.line(append(result, "total_amount", string(appendFen(nil, o.posTotal)), "notify_time", p.clock(o.finished)).json())
		p.rows.POSLines++
	case unpaid:
		p.answer(o, pay, append(fields{"code", "10003", "msg", "order success pay inprocess"}, result...))
	case paid:
		p.paid(o, append(result, "total_amount", amountToken(o, o.posTotal)))
	}
}

// paid writes what tells that an order was paid: the answer, or after one that did
// not know it that of a query; to some a notice besides.
func (p *messageWriter) paid(o *order, result fields) {
	at := p.clock(o.finished)
	if o.posFund.stated {
		result = append(result, "fund_bill_list", p.funds(o))
		if o.posFund.allowance+o.posFund.coupon != 0 {
			result = append(result, "voucher_detail_list", []fields{{
				"id", fmt.Sprintf("V%d", o.i), "type", "ALIPAY_FIX_VOUCHER", "amount", string(appendFen(nil, o.posFund.coupon)),
				"merchant_contribute", string(appendFen(nil, o.posFund.coupon)), "other_contribute", "0.00",
			}})
		}
	}
	if o.i%11 == 0 {
		p.answer(o, "alipay.trade.pay", fields{"code", "20000", "msg", "Service Currently Unavailable", "out_trade_no", string(o.number)})
		p.request(o, "alipay.trade.query", o.created, fields{"out_trade_no", string(o.number)})
		query := append(fields{"code", "10000", "msg", "Success", "trade_status", "TRADE_SUCCESS", "send_pay_date", at}, result...)
		p.answer(o, "alipay.trade.query", query)
	} else {
		p.answer(o, "alipay.trade.pay", append(fields{"code", "10000", "msg", "Success", "gmt_payment", at}, result...))
	}
	if o.i%3 == 0 {
		form := url.Values{}
		notice := append(fields{"notify_type", "trade_status_sync", "notify_id", fmt.Sprintf("n%d", o.i), "app_id", p.app(o), "notify_time", at, "trade_status", "TRADE_SUCCESS", "gmt_payment", at}, result...)
		for i := 0; i < len(notice); i += 2 {
			text, ok := notice[i+1].(string)
			if !ok {
				text = jsonText(notice[i+1])
			}
			form.Set(notice[i].(string), text)
		}
		line := form.Encode()
		if o.i%2 == 0 {
			line = jsonText(line)
		}
		p.later.line(line)
		p.rows.POSLines++
	}
}

// funds is fund_bill_list, in every second record as a string of JSON.
func (p *messageWriter) funds(o *order) any {
	f := &o.posFund
	var list []fields
	add := func(channel string, v fen) {
		if v != 0 {
			list = append(list, fields{"amount", string(appendFen(nil, v)), "fund_channel", channel})
		}
	}
	add("ALIPAYACCOUNT", f.buyer-f.points)
	add("POINT", f.points)
	add("DISCOUNT", f.red)
	add("MDISCOUNT", f.allowance+f.coupon)
	if list == nil {
		list = []fields{}
	}
	if o.i%2 == 0 {
		for i := range list {
			list[i] = list[i].camel()
		}
		return jsonText(list)
	}
	return list
}

func (p *messageWriter) goods(l *goodsLine) fields {
	a := &p.w.articles[l.goods]
	f := fields{}
	if !l.blankID {
		f = append(f, "goods_id", a.id)
	}
	f = append(f, "goods_name", a.name, "quantity", json.RawMessage(appendMicro(nil, l.quantity, 0)))
	if !l.noPrice {
		f = append(f, "price", string(appendMicro(nil, l.price, 2)))
	}
	return f
}

func (p *messageWriter) refund(o *order, ref *refund, k int, fee fen) {
	const method = "alipay.trade.refund"
	content := fields{
		"out_trade_no", string(o.number), "refund_amount", amountToken(o, ref.posAmount),
		"out_request_no", string(appendRequestNo(nil, o, k)), "store_id", p.w.stores[ref.store].id,
	}
	if o.i%3 == 1 && len(o.posTradeNo) > 0 {
		content = append(fields{"trade_no", string(o.posTradeNo)}, content[2:]...)
	}
	var goods []fields
	for _, l := range ref.lines[:ref.n] {
		goods = append(goods, fields{"goods_id", p.w.articles[o.merged[l.line].goods].id, "quantity", json.RawMessage(appendMicro(nil, l.quantity, 0))})
	}
	if goods != nil {
		content = append(content, "goods_detail", goods)
	}
	result := fields{"code", "10000", "msg", "Success", "out_trade_no", string(o.number)}
	if len(o.posTradeNo) > 0 {
		result = append(result, "trade_no", string(o.posTradeNo))
	}
	p.request(o, method, ref.posTime, content)
	if o.i%5 == 0 { // unknown, and asked again
		p.answer(o, method, fields{"code", "20000", "msg", "Service Currently Unavailable", "out_trade_no", string(o.number)})
		p.request(o, method, ref.posTime, content)
	}
	p.answer(o, method, append(result, "refund_fee", string(appendFen(nil, fee)), "fund_change", "Y", "gmt_refund_pay", p.clock(ref.posTime)))
}

func (p *messageWriter) finish() error {
	err := p.log.finish()
	if e := p.later.finish(); err == nil {
		err = e
	}
	return err
}

// kukeduoWriter writes the orders as a Kukeduo order list.
type kukeduoWriter struct {
	w         *world
	out       *sheet
	rows      *Rows
	goodsOnly bool
}

func newKukeduoWriter(w *world, dir string, rows *Rows) (*kukeduoWriter, error) {
	out, err := createSheet(dir, "kukeduo/orders.csv")
	if err != nil {
		return nil, err
	}
	out.encoding = gb18030
	out.line("订单编号,订单类型,订单子类型,订单状态,支付状态,支付方式,储值抵扣,应付金额,收货人,电话,订单时间,操作")
	return &kukeduoWriter{w: w, out: out, rows: rows, goodsOnly: w.cfg.POS == POSMixed}, nil
}

func (p *kukeduoWriter) order(o *order) error {
	if !o.posLines {
		return nil
	}
	state, pay := "订单完成", "已支付"
	switch o.status {
	case closed:
		state, pay = "订单取消", "未支付"
	case unpaid:
		pay = "未支付"
	case paid:
	}
	day := strings.ReplaceAll(p.w.day, "-", "/")
	if !p.goodsOnly {
		p.out.line(fmt.Sprintf("%s,刷脸支付订单,支付宝刷脸订单,%s,%s,线上,0.00,%s元,,,%s%s,", o.number, state, pay, appendFen(nil, o.posTotal), day, appendClock(nil, o.created)))
		p.rows.POSLines++
	}
	if o.kukeduoGoods() {
		p.out.line(fmt.Sprintf("%s,实物订单,普通订单,%s,%s,线上,0.00,%s元,张三,13800001234,%s%s,", p.w.goodsNumber(o), state, pay, appendFen(nil, o.posTotal), day, appendClock(nil, o.created)))
		p.rows.POSLines++
	}
	return p.out.err
}

// goodsNumber is the number of an order of goods, which a list of several merchants'
// orders has once.
func (w *world) goodsNumber(o *order) string {
	if len(w.merchants) == 1 {
		return "O" + string(o.number)
	}
	return "O" + w.merchants[o.posMerchant].pid[10:15] + string(o.number)
}

// kukeduoGoods: the list has an order of goods too, which is not Alipay's.
func (o *order) kukeduoGoods() bool { return o.i%4 == 0 }

func (p *kukeduoWriter) finish() error { return p.out.finish() }
