package loaders

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A messageReader finds the messages in one line of an API log. A line is a
// request, an answer or a notice, bare or in any wrapping: a log's own object
// around it, JSON in strings (biz_content, bodies), a form body. Keys count
// without case and underscores, so that camelCase is the same (formats 8).
type messageReader struct {
	t     *tableReader
	cache *schema.WordCache
	funds map[string]int    // fund_channel → number of message
	names map[string]string // key → its name

	line    int32
	found   []message // of this line, reused
	used    int
	depth   int
	others  bool // the line has a message of another interface
	spoiled bool // a text has a byte that did not decode, now U+FFFD
}

// wrapping is what the objects around a message say of it.
type wrapping struct {
	method string
	answer bool
	notice bool
	time   int64
	seller uint32
	app    uint32
	token  uint32
	ids    [msgTexts][]byte
}

// maxDepth bounds wrappings in wrappings.
const maxDepth = 12

func newMessageReader(t *tableReader) *messageReader {
	return &messageReader{
		t: t, funds: t.opt.fundChannels(), names: map[string]string{},
		cache: schema.NewWordCache(t.opt.Words, func(raw []byte) string { return string(raw) }),
	}
}

// read finds the messages of a line, which is valid JSON or a form body, in UTF-8;
// around is what a log says of them besides. They are valid until the next call.
func (r *messageReader) read(line int32, text string, around wrapping) []message {
	r.line, r.used, r.depth, r.others, r.spoiled = line, 0, 0, false, false
	if text[0] == '{' || text[0] == '[' || text[0] == '"' {
		r.value(gjson.Parse(text), &around)
	} else {
		r.form(text, &around)
	}
	found := r.found[:r.used]
	for i := range found { // an answer that names no trade has the number of its request
		if m := &found[i]; len(m.text[msgOutTradeNo]) == 0 && len(m.text[msgTradeNo]) == 0 {
			for k := range found {
				if o := &found[k]; len(o.text[msgOutTradeNo]) > 0 || len(o.text[msgTradeNo]) > 0 {
					m.text[msgOutTradeNo], m.text[msgTradeNo] = o.text[msgOutTradeNo], o.text[msgTradeNo]
					m.bare = false
					break
				}
			}
		}
	}
	for i := r.used - 1; i >= 0; i-- {
		if r.found[i].bare { // a code and a text, of whatever
			r.others = true
			r.drop(i)
		}
	}
	return r.found[:r.used]
}

// next is a message to fill in.
func (r *messageReader) next() *message {
	if r.used == len(r.found) {
		r.found = append(r.found, message{})
	}
	m := &r.found[r.used]
	r.used++
	m.reset()
	m.table, m.line, m.part = r.t.number, r.line, int32(r.used-1)
	return m
}

// value looks into a value for messages.
func (r *messageReader) value(v gjson.Result, around *wrapping) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth {
		return
	}
	switch {
	case v.IsObject():
		r.object(v, around)
	case v.IsArray():
		v.ForEach(func(_, e gjson.Result) bool {
			r.value(e, around)
			return true
		})
	case v.Type == gjson.String:
		switch text := strings.TrimSpace(v.Str); {
		case len(text) < 2:
		case (text[0] == '{' || text[0] == '[') && gjson.Valid(text):
			r.value(gjson.Parse(text), around)
		case isForm(text):
			r.form(text, around)
		}
	}
}

// isForm knows the body of a form POST.
func isForm(text string) bool {
	if text[0] == '{' || text[0] == '[' || strings.IndexByte(text, '=') <= 0 {
		return false
	}
	for _, name := range []string{"out_trade_no=", "trade_no=", "biz_content=", "notify_id="} {
		if strings.HasPrefix(text, name) || strings.Contains(text, "&"+name) {
			return true
		}
	}
	return false
}

// form reads a form body: its values are strings, those with JSON in them too.
func (r *messageReader) form(text string, around *wrapping) {
	// As an object it goes the way of the others.
	object := []byte{'{'}
	for pair := range strings.SplitSeq(strings.TrimSpace(text), "&") {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = gjson.AppendJSONString(object, name)
		object = append(object, ':')
		object = gjson.AppendJSONString(object, value)
	}
	r.object(gjson.Parse(string(append(object, '}'))), around)
}

// keyName is a key without case and underscores.
func keyName(key string) string {
	plain := true
	for i := range len(key) {
		if c := key[i]; c == '_' || c == '-' || c == '.' || c >= 'A' && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return key
	}
	name := make([]byte, 0, 64)
	for i := range len(key) {
		switch c := key[i]; {
		case c == '_' || c == '-' || c == '.':
		case c >= 'A' && c <= 'Z':
			name = append(name, c+'a'-'A')
		default:
			name = append(name, c)
		}
	}
	return string(name)
}

// keyName is keyName of a key that was probably seen before.
func (r *messageReader) keyName(key string) string {
	name, known := r.names[key]
	if !known {
		name = keyName(key)
		if len(r.names) < maxNames {
			r.names[strings.Clone(key)] = strings.Clone(name)
		}
	}
	return name
}

// maxNames bounds the keys that are remembered.
const maxNames = 4096

// A messageField is what a key means.
type messageField struct {
	into int // fieldText, …
	at   int
}

const (
	fieldText = iota + 1
	fieldWord
	fieldAmount
	fieldTime    // of the log: what cannot be read is not given
	fieldMoment  // of Alipay: what cannot be read is a fault
	fieldMethod  // which interface
	fieldNotice  // makes it a notice
	fieldCode    // code
	fieldState   // trade_status
	fieldWrapper // holds a message
	fieldAnswer  // holds an answer
	fieldExtend
	fieldFunds
	fieldVouchers
	fieldGoods
	fieldReturned // refund_goods_detail
	fieldInstalments
	fieldPayCode
	fieldProvider // a provider's PID outside extend_params
	fieldChange
	fieldRefundStatus
	fieldAction
	fieldIndirect
	fieldOutBizNo
	fieldOffer // qr_code
)

var messageFields = map[string]messageField{
	"outtradeno": {fieldText, msgOutTradeNo}, "tradeno": {fieldText, msgTradeNo}, "outrequestno": {fieldText, msgRequestNo},
	"outbizno": {into: fieldOutBizNo},
	"sellerid": {fieldWord, msgSeller}, "appid": {fieldWord, msgApp}, "appauthtoken": {fieldWord, msgToken},
	"storeid": {fieldWord, msgStore}, "terminalid": {fieldWord, msgTerminal}, "operatorid": {fieldWord, msgOperator},
	"scene":       {fieldWord, msgScene},
	"totalamount": {fieldAmount, msgTotal}, "undiscountableamount": {fieldAmount, msgUndiscountable},
	"receiptamount": {fieldAmount, msgReceipt}, "buyerpayamount": {fieldAmount, msgBuyerPay}, "pointamount": {fieldAmount, msgPoint},
	"invoiceamount": {fieldAmount, msgInvoice}, "mdiscountamount": {fieldAmount, msgMerchantDiscount},
	"discountamount": {fieldAmount, msgPlatformDiscount}, "refundamount": {fieldAmount, msgRefundAmount}, "refundfee": {fieldAmount, msgRefundFee},
	"gmtpayment": {fieldMoment, msgPaidAt}, "sendpaydate": {fieldMoment, msgPaidAt}, "gmtcreate": {fieldMoment, msgCreatedAt},
	"gmtrefundpay": {fieldMoment, msgRefundedAt}, "gmtrefund": {fieldMoment, msgRefundedAt}, "notifytime": {fieldTime, 1},
	"timestamp": {into: fieldTime}, "@timestamp": {into: fieldTime}, "time": {into: fieldTime}, "ts": {into: fieldTime},
	"logtime": {into: fieldTime}, "datetime": {into: fieldTime}, "requesttime": {into: fieldTime}, "createdat": {into: fieldTime},
	"method": {into: fieldMethod}, "api": {into: fieldMethod}, "apiname": {into: fieldMethod}, "apimethod": {into: fieldMethod},
	"service": {into: fieldMethod}, "interface": {into: fieldMethod},
	"notifyid": {into: fieldNotice}, "notifytype": {into: fieldNotice},
	"code": {into: fieldCode}, "tradestatus": {into: fieldState},
	"bizcontent": {into: fieldWrapper}, "request": {into: fieldWrapper}, "response": {into: fieldWrapper}, "body": {into: fieldWrapper},
	"req": {into: fieldWrapper}, "resp": {into: fieldWrapper}, "rsp": {into: fieldWrapper}, "requestbody": {into: fieldWrapper},
	"responsebody": {into: fieldWrapper}, "content": {into: fieldWrapper}, "payload": {into: fieldWrapper}, "data": {into: fieldWrapper},
	"params": {into: fieldWrapper}, "notify": {into: fieldWrapper}, "message": {into: fieldWrapper}, "messages": {into: fieldWrapper},
	"bizmodel": {into: fieldWrapper}, "bizresponse": {into: fieldWrapper},
	"extendparams": {into: fieldExtend}, "fundbilllist": {into: fieldFunds}, "voucherdetaillist": {into: fieldVouchers},
	"goodsdetail": {into: fieldGoods}, "reqgoodsdetail": {into: fieldGoods}, "refundgoodsdetail": {into: fieldReturned},
	"hbfqpayinfo": {into: fieldInstalments}, "authcode": {into: fieldPayCode},
	"sysserviceproviderid": {into: fieldProvider}, "systemserviceproviderid": {into: fieldProvider},
	"serviceproviderid": {into: fieldProvider}, "providerid": {into: fieldProvider}, "providerpid": {into: fieldProvider},
	"fundchange": {into: fieldChange}, "refundstatus": {into: fieldRefundStatus}, "action": {into: fieldAction},
	"settlementid": {into: fieldIndirect}, "submerchant": {into: fieldIndirect}, "qrcode": {into: fieldOffer},
}

// object reads an object: a message, or a wrapping of some.
func (r *messageReader) object(v gjson.Result, around *wrapping) {
	at := r.used
	m := r.next()
	inside := *around
	inside.answer = false
	var wrapped, unknown [8]gjson.Result // objects, arrays and strings that may hold messages
	var answers [8]string
	wrappers, unknowns := 0, 0
	offer := false
	answer := around.answer
	v.ForEach(func(k, value gjson.Result) bool {
		name := r.keyName(k.Str)
		f, known := messageFields[name]
		if !known && strings.HasPrefix(name, "alipay") && strings.HasSuffix(name, "response") {
			f, known = messageField{into: fieldAnswer}, true
		}
		if !known {
			if (value.Type == gjson.JSON || value.Type == gjson.String && len(value.Str) > 20) && unknowns < len(unknown) {
				unknown[unknowns] = value
				unknowns++
			}
			return true
		}
		if value.Type == gjson.Null {
			return true
		}
		switch f.into {
		case fieldWrapper, fieldAnswer:
			if wrappers < len(wrapped) {
				wrapped[wrappers], answers[wrappers] = value, ""
				if f.into == fieldAnswer {
					answers[wrappers] = name
				}
				wrappers++
			}
		case fieldMethod:
			if method := keyName(value.String()); strings.HasPrefix(method, "alipay") {
				inside.method = strings.TrimPrefix(method, "alipay")
			} else if strings.HasPrefix(method, "trade") || strings.HasSuffix(method, "notify") {
				inside.method = method
			}
		case fieldNotice:
			inside.notice = true
		case fieldOffer:
			offer = true
		default:
			r.field(m, f, name, value)
		}
		return true
	})
	own := len(m.text[msgOutTradeNo]) > 0 || len(m.text[msgTradeNo]) > 0
	inside.fill(m)
	for i := range wrappers {
		within := inside
		if answers[i] != "" {
			within.answer = true
			within.method = strings.TrimSuffix(strings.TrimPrefix(answers[i], "alipay"), "response")
		}
		r.value(wrapped[i], &within)
	}
	m = &r.found[at] // the slice may have moved
	if r.used == at+1 && len(m.text[msgOutTradeNo]) == 0 && len(m.text[msgTradeNo]) == 0 && !answer {
		for _, value := range unknown[:unknowns] {
			r.value(value, &inside)
		}
		m = &r.found[at]
	}
	if r.used > at+1 { // it was a wrapping
		r.drop(at)
		return
	}
	if m.fault == 0 && !own && !m.speaks() {
		r.drop(at)
		return
	}
	inside.answer = answer
	r.conclude(at, &inside, offer)
}

// speaks tells whether a message says more than when it was.
func (m *message) speaks() bool {
	if m.state != 0 || m.flags != 0 || len(m.text[msgRequestNo]) > 0 {
		return true
	}
	for i, n := range m.number {
		if i != msgTime && n != schema.Null {
			return true
		}
	}
	return false
}

// fill gives the message what the wrapping says, and the wrapping of what is in
// it what the object says.
func (w *wrapping) fill(m *message) {
	inherit(&w.time, &m.number[msgTime], schema.Null)
	inherit(&w.seller, &m.word[msgSeller], 0)
	inherit(&w.app, &m.word[msgApp], 0)
	inherit(&w.token, &m.word[msgToken], 0)
	for i := range w.ids {
		if len(m.text[i]) > 0 {
			w.ids[i] = m.text[i]
		}
	}
	if len(m.text[msgOutTradeNo]) == 0 && len(m.text[msgTradeNo]) == 0 {
		m.text[msgOutTradeNo], m.text[msgTradeNo] = w.ids[msgOutTradeNo], w.ids[msgTradeNo]
	}
}

func inherit[T comparable](outer, inner *T, blank T) {
	if *inner == blank {
		*inner = *outer
	} else {
		*outer = *inner
	}
}

// drop takes a message out that was none.
func (r *messageReader) drop(at int) {
	spare := r.found[at]
	copy(r.found[at:r.used], r.found[at+1:r.used])
	r.used--
	r.found[r.used] = spare
	for i := at; i < r.used; i++ {
		r.found[i].part--
	}
}

// conclude says of what kind the message is; what is none goes.
func (r *messageReader) conclude(at int, w *wrapping, offer bool) {
	m := &r.found[at]
	answer := w.answer || m.number[msgCode] != schema.Null
	method := w.method
	switch {
	case strings.HasSuffix(method, "notify"):
		w.notice = true
		method = ""
	case method != "" && !strings.HasPrefix(method, "trade"):
		r.others = true // alipay.system.oauth.token and the like
		r.drop(at)
		return
	}
	ids := len(m.text[msgOutTradeNo]) > 0 || len(m.text[msgTradeNo]) > 0
	switch {
	case w.notice && ids:
		m.kind = notified
		if m.number[msgRefundFee] != schema.Null && m.number[msgRefundFee] != 0 && m.number[msgRefundedAt] != schema.Null {
			m.flags |= msgRefundNot
		}
	case method == "" && !ids && !answer && m.fault == 0:
		r.others = true
		r.drop(at)
		return
	default:
		m.bare = method == "" && !ids && m.fault == 0
		if m.kind = m.requestOf(method); answer {
			m.kind = m.answerOf(method, offer)
		}
	}
	if m.kind == 0 {
		r.others = true
		r.drop(at)
		return
	}
	if m.kind == payAsked {
		name := "alipay.trade.pay"
		if strings.HasPrefix(method, "tradeprecreate") {
			name = "alipay.trade.precreate"
		} else if strings.HasPrefix(method, "tradecreate") {
			name = "alipay.trade.create"
		}
		m.word[msgInterface] = r.cache.Code([]byte(name))
	}
}

// methodKinds are the kinds of the requests and answers of an interface, by how
// its name begins.
var methodKinds = []struct {
	method         string
	asked, answers messageKind
}{
	{"tradefastpayrefundquery", refundQueried, refundConfirmed},
	{"traderefundquery", refundQueried, refundConfirmed},
	{"traderefund", refundAsked, refundAnswered},
	{"tradequery", queryAsked, queryAnswered},
	{"tradecancel", cancelAsked, cancelAnswered},
	{"tradeclose", cancelAsked, cancelAnswered},
	{"tradeprecreate", payAsked, offerAnswered},
	{"tradecreate", payAsked, offerAnswered},
	{"tradepay", payAsked, payAnswered},
}

// requestOf is the kind of a request, by its method, else by what it has; 0 for
// one of another interface.
func (m *message) requestOf(method string) messageKind {
	for _, k := range methodKinds {
		if strings.HasPrefix(method, k.method) {
			return k.asked
		}
	}
	n := &m.number
	switch {
	case method != "":
		return 0 // alipay.trade.orderinfo.sync and the like
	case m.state != 0: // an answer without its code
		return queryAnswered
	case n[msgRefundAmount] != schema.Null:
		return refundAsked
	case len(m.text[msgRequestNo]) > 0:
		return refundQueried
	case n[msgTotal] != schema.Null || m.has(msgPayCode) || m.has(msgHasGoods):
		return payAsked
	}
	return queryAsked
}

// answerOf is requestOf for an answer; offer: it has a code to scan.
func (m *message) answerOf(method string, offer bool) messageKind {
	for _, k := range methodKinds {
		if strings.HasPrefix(method, k.method) {
			return k.answers
		}
	}
	n := &m.number
	switch {
	case method != "":
		return 0
	case n[msgRefundFee] != schema.Null:
		return refundAnswered
	case n[msgRefundAmount] != schema.Null || m.has(msgRefunded):
		return refundConfirmed
	case m.state != 0:
		return queryAnswered
	case offer:
		return offerAnswered
	}
	return payAnswered
}

// field reads one member of a message.
func (r *messageReader) field(m *message, f messageField, name string, v gjson.Result) {
	switch f.into {
	case fieldText:
		r.id(m, f.at, name, v)
	case fieldOutBizNo:
		if len(m.text[msgRequestNo]) == 0 {
			r.id(m, msgRequestNo, name, v)
		}
	case fieldWord:
		text := token(v)
		if f.at == msgSeller {
			pid := trimPID([]byte(text))
			if !isPID(pid) {
				return // an account's name, or nothing
			}
			text = string(pid)
		}
		if text != "" {
			m.word[f.at] = r.word(text)
		}
	case fieldAmount:
		m.number[f.at] = r.amount(m, name, v)
	case fieldTime:
		if seconds, ok := logTime(v); ok && (m.number[msgTime] == schema.Null || f.at == 1) {
			m.number[msgTime] = seconds
		}
	case fieldMoment:
		if text := token(v); text != "" {
			if seconds, ok := logTime(v); ok {
				m.number[f.at] = seconds
			} else {
				r.bad(m, rules.CodeTimeSyntax, name)
			}
		}
	case fieldCode:
		if code, n := cutNumber([]byte(token(v)), 6); n == 5 {
			m.number[msgCode] = int64(code)
		}
	case fieldState:
		switch token(v) {
		case "WAIT_BUYER_PAY":
			m.state = tradeWaits
		case "TRADE_SUCCESS", "TRADE_FINISHED":
			m.state = tradePaid
		case "TRADE_CLOSED":
			m.state = tradeClosed
		case "":
		default:
			r.bad(m, rules.CodeEnumValue, name)
		}
	case fieldExtend:
		r.extend(m, inner(v))
	case fieldFunds:
		r.fundList(m, inner(v))
	case fieldVouchers:
		r.vouchers(m, inner(v))
	case fieldGoods:
		r.goods(m, inner(v), false)
	case fieldReturned:
		if !m.has(msgHasGoods) {
			r.goods(m, inner(v), true)
		}
	case fieldInstalments:
		inner(v).ForEach(func(k, value gjson.Result) bool {
			if r.keyName(k.Str) == "userinstallnum" {
				r.instalments(m, value)
			}
			return true
		})
	case fieldPayCode:
		if code := []byte(token(v)); len(code) > 0 {
			state, tail := payCode(code)
			m.flags |= msgPayCode
			m.number[msgPayState] = int64(state)
			m.word[msgPayTail] = r.cache.Code(tail)
		}
	case fieldProvider:
		if isPID(trimBlanks([]byte(token(v)))) {
			m.flags |= msgWrongKey // beside extend_params nobody reads it
		}
	case fieldChange:
		if strings.EqualFold(token(v), "N") {
			m.flags |= msgRepeat
		}
	case fieldRefundStatus:
		if token(v) == "REFUND_SUCCESS" {
			m.flags |= msgRefunded
		}
	case fieldAction:
		if token(v) == "refund" {
			m.flags |= msgRefunded
		}
	case fieldIndirect:
		if v.Type == gjson.JSON || token(v) != "" {
			m.flags |= msgIndirect
		}
	}
}

// token is a scalar as it is written: the text of a string, the digits of a
// number, and nothing of anything else.
func token(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return strings.Trim(v.Str, " \t")
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	case gjson.Null, gjson.JSON:
	}
	return ""
}

// inner is a value, or what a string of JSON holds.
func inner(v gjson.Result) gjson.Result {
	if v.Type != gjson.String {
		return v
	}
	text := strings.TrimSpace(v.Str)
	if text == "" || text[0] != '{' && text[0] != '[' || !gjson.Valid(text) {
		return gjson.Result{}
	}
	return gjson.Parse(text)
}

// bad notes a fault of the message; the first counts.
func (r *messageReader) bad(m *message, code rules.Code, name string) {
	if m.fault == 0 {
		m.fault = code
		m.word[msgFaultColumn] = r.cache.Code([]byte(name))
	}
}

func (r *messageReader) word(text string) uint32 {
	r.spoiled = r.spoiled || strings.Contains(text, "\ufffd")
	return r.cache.Code([]byte(text))
}

func (r *messageReader) id(m *message, at int, name string, v gjson.Result) {
	text := token(v)
	if text == "" {
		return
	}
	id, _, damaged := checkID([]byte(text), false)
	switch {
	case damaged:
		r.bad(m, rules.CodeIDDamaged, name)
	case bytes.Contains(id, []byte("\ufffd")):
		r.bad(m, rules.CodeEncoding, name)
	default:
		m.text[at] = id
	}
}

func (r *messageReader) amount(m *message, name string, v gjson.Result) int64 {
	text := token(v)
	if text == "" {
		return schema.Null
	}
	fen, err := rules.ParseFen([]byte(text))
	if err != nil {
		r.bad(m, rules.CodeOf(err), name)
		return schema.Null
	}
	return int64(fen)
}

// extend reads extend_params: the provider's PID, and whether one stands under
// another key while its own is blank (rules 6).
func (r *messageReader) extend(m *message, v gjson.Result) {
	other := false
	v.ForEach(func(k, value gjson.Result) bool {
		switch name := r.keyName(k.Str); name {
		case "sysserviceproviderid":
			if text := token(value); text != "" {
				m.word[msgProvider] = r.word(text)
			}
		case "hbfqnum":
			r.instalments(m, value)
		case "hbfqsellerpercent", "industryrefluxinfo", "cardtype", "specifiedsellername", "royaltyfreeze",
			"tradecomponentorderid", "tcinstallmentorderid", "creditextinfo", "origtotalamount":
		default:
			other = other || isPID(trimBlanks([]byte(token(value))))
		}
		return true
	})
	if other {
		m.flags |= msgWrongKey
	}
}

func (r *messageReader) instalments(m *message, v gjson.Result) {
	text := token(v)
	if text == "" {
		return
	}
	if n, digits := cutNumber([]byte(text), 6); digits == len(text) {
		m.number[msgInstalments] = int64(n)
	} else {
		r.bad(m, rules.CodeNumberSyntax, "hb_fq_num")
	}
}

// fundList adds fund_bill_list up by the funds that the policy's channels fill.
func (r *messageReader) fundList(m *message, v gjson.Result) {
	if !v.IsArray() {
		return
	}
	m.flags |= msgHasFunds
	v.ForEach(func(_, fund gjson.Result) bool {
		channel, amount := "", int64(schema.Null)
		fund.ForEach(func(k, value gjson.Result) bool {
			switch r.keyName(k.Str) {
			case "fundchannel":
				channel = token(value)
			case "amount":
				amount = r.amount(m, "fund_bill_list.amount", value)
			}
			return true
		})
		if amount == schema.Null {
			return true
		}
		add := func(at int) { m.number[at] = orZero(m.number[at]) + amount }
		if at := r.funds[channel]; at != 0 {
			add(at)
		}
		switch channel {
		case "POINT":
			add(msgFundPoint)
		case "DISCOUNT":
			add(msgFundDiscount)
		}
		return true
	})
}

// vouchers adds voucher_detail_list up by who pays for it.
func (r *messageReader) vouchers(m *message, v gjson.Result) {
	v.ForEach(func(_, voucher gjson.Result) bool {
		voucher.ForEach(func(k, value gjson.Result) bool {
			switch r.keyName(k.Str) {
			case "merchantcontribute":
				if amount := r.amount(m, "merchant_contribute", value); amount != schema.Null {
					m.number[msgVoucherMerchant] = orZero(m.number[msgVoucherMerchant]) + amount
				}
			case "othercontribute":
				if amount := r.amount(m, "other_contribute", value); amount != schema.Null {
					m.number[msgVoucherOther] = orZero(m.number[msgVoucherOther]) + amount
				}
			case "name":
				if name := token(value); name != "" && m.word[msgCoupon] == 0 {
					m.word[msgCoupon] = r.word(name)
				}
			}
			return true
		})
		return true
	})
}

// goods reads goods_detail, of an order or of a refund.
// Returned goods may be listed by their amounts alone, which tells no quantity.
func (r *messageReader) goods(m *message, v gjson.Result, returned bool) {
	if !v.IsArray() {
		return
	}
	m.flags |= msgHasGoods
	m.goods = m.goods[:0]
	v.ForEach(func(_, item gjson.Result) bool {
		g := messageGoods{quantity: schema.Null, price: schema.Null}
		fault, column := rules.Code(0), ""
		micro := func(name string, v gjson.Result) int64 {
			text := token(v)
			if text == "" {
				return schema.Null
			}
			value, err := rules.ParseMicro([]byte(text))
			if err != nil && fault == 0 {
				fault, column = rules.NumberCodeOf(err), name
			}
			if err != nil {
				return schema.Null
			}
			return int64(value)
		}
		item.ForEach(func(k, value gjson.Result) bool {
			switch r.keyName(k.Str) {
			case "goodsid":
				if id := token(value); id != "" {
					g.id = r.word(id)
				}
			case "goodsname":
				if name := token(value); name != "" {
					g.name = r.word(name)
				}
			case "quantity", "goodsnum", "refundquantity":
				g.quantity = micro("goods_detail.quantity", value)
			case "price":
				g.price = micro("goods_detail.price", value)
			}
			return true
		})
		switch {
		case fault != 0:
		case returned && g.quantity == schema.Null:
			return true
		case g.quantity == schema.Null:
			fault, column = rules.CodeMissingValue, "goods_detail.quantity"
		case g.quantity <= 0:
			fault, column = rules.CodeNegativeGoods, "goods_detail.quantity"
		case g.price != schema.Null && g.price < 0:
			fault, column = rules.CodeNegativeGoods, "goods_detail.price"
		}
		g.rejected = fault != 0
		if g.rejected && m.word[msgFaultColumn] == 0 {
			m.word[msgFaultColumn] = r.cache.Code([]byte(column))
			m.goodsFault = fault
		}
		m.goods = append(m.goods, g)
		return true
	})
}

// logTime reads a time: of the wall clock, with a fraction, with a zone, or as
// seconds or milliseconds since 1970. What names a zone is brought to China's,
// which Alipay's own times have (formats 12).
func logTime(v gjson.Result) (seconds int64, ok bool) { return textTime(token(v)) }

// textTime is logTime of a text.
func textTime(text string) (seconds int64, ok bool) {
	b := []byte(text)
	if len(b) >= 10 && len(b) <= 16 && digitsOnly(b) {
		n, _ := cutNumber(b, 16)
		switch seconds := int64(n); len(b) {
		case 10:
			return seconds + chinaOffset, true
		case 13:
			return seconds/1000 + chinaOffset, true
		case 16:
			return seconds/1_000_000 + chinaOffset, true
		}
		return 0, false
	}
	zone, shift := len(b), int64(0)
	if n := len(b); n > 19 {
		switch c := b[n-1]; {
		case c == 'Z' || c == 'z':
			zone, shift = n-1, chinaOffset
		case n > 24 && (b[n-6] == '+' || b[n-6] == '-') && b[n-3] == ':':
			zone, shift = n-6, zoneShift(b[n-6:])
		case n > 23 && (b[n-5] == '+' || b[n-5] == '-'):
			zone, shift = n-5, zoneShift(append([]byte{b[n-5], b[n-4], b[n-3], ':'}, b[n-2:]...))
		}
	}
	b = b[:zone]
	if len(b) > 20 && (b[19] == '.' || b[19] == ',' || b[19] == ':') && digitsOnly(b[20:]) {
		b = b[:19]
	}
	seconds, _, ok = parseTime(b)
	return seconds + shift, ok
}

// chinaOffset is China's time less UTC.
const chinaOffset = 8 * 3600

// zoneShift brings a wall clock with a zone such as +08:00 to China's.
func zoneShift(zone []byte) int64 {
	hours, _ := cutNumber(zone[1:], 2)
	minutes, _ := cutNumber(zone[4:], 2)
	offset := int64(hours*3600 + minutes*60)
	if zone[0] == '-' {
		offset = -offset
	}
	return chinaOffset - offset
}

// fundChannels tells into which sum of a message a fund_channel goes. A channel
// of the buyer's fund, and one that no fund names, is in none: the buyer's part is
// the rest.
func (o *Options) fundChannels() map[string]int {
	policy := o.Policy
	if policy == nil {
		policy = rules.SmartStore()
	}
	channels := map[string]int{}
	for _, fund := range policy {
		at := map[rules.Fund]int{
			rules.FundRedPacket: msgFundRed, rules.FundAllowance: msgFundMerchant, rules.FundCoupon: msgFundMerchant,
			rules.FundMerchantRed: msgFundMerchantRed,
		}[fund.Fund]
		for _, channel := range fund.FundChannel {
			if channels[channel] == 0 {
				channels[channel] = at
			}
		}
	}
	return channels
}
