package loaders

import (
	"encoding/binary"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// messageKind is what a message of alipay.trade.* says (formats 8).
type messageKind uint8

const (
	payAsked        messageKind = iota + 1 // pay, precreate, create
	payAnswered                            // answer to pay
	offerAnswered                          // answer to precreate: a code to scan, nothing paid
	queryAsked                             // query of a trade
	queryAnswered                          // its answer
	notified                               // asynchronous notice
	cancelAsked                            // cancel, close
	cancelAnswered                         // its answer
	refundAsked                            // refund
	refundAnswered                         // its answer: refund_fee is cumulative
	refundQueried                          // fastpay.refund.query
	refundConfirmed                        // its answer: refund_amount is of the one refund
)

// ofRefund tells the kinds that speak of refunds alone.
func (k messageKind) ofRefund() bool { return k >= refundAsked }

// asks tells a request from an answer.
func (k messageKind) asks() bool {
	return k == payAsked || k == queryAsked || k == cancelAsked || k == refundAsked || k == refundQueried
}

// tradeState is trade_status.
type tradeState uint8

const (
	tradeWaits tradeState = iota + 1
	tradePaid             // TRADE_SUCCESS, TRADE_FINISHED
	tradeClosed
)

// The texts of a message.
const (
	msgOutTradeNo = iota
	msgTradeNo
	msgRequestNo
	msgTexts
)

// The words of a message.
const (
	msgSeller = iota
	msgApp    // the caller's application, the same for all merchants of an ISV
	msgToken  // app_auth_token, a merchant's own
	msgStore
	msgTerminal
	msgOperator
	msgInterface
	msgProvider
	msgScene
	msgPayTail
	msgCoupon
	msgFaultColumn // of one that cannot be read
	msgWords
)

// The numbers of a message; Null where it does not give them.
const (
	msgTime = iota // when it was sent or logged
	msgCode
	msgTotal
	msgUndiscountable
	msgReceipt
	msgBuyerPay
	msgPoint
	msgInvoice
	msgMerchantDiscount // mdiscount_amount
	msgPlatformDiscount // discount_amount
	msgRefundAmount
	msgRefundFee
	msgPaidAt    // gmt_payment, send_pay_date
	msgCreatedAt // gmt_create
	msgRefundedAt
	msgInstalments
	msgFundRed      // of fund_bill_list, by the policy's channels
	msgFundMerchant // allowance and coupon
	msgFundMerchantRed
	msgFundPoint
	msgFundDiscount    // DISCOUNT alone, for the identity
	msgVoucherMerchant // of voucher_detail_list
	msgVoucherOther
	msgPayState // of the payment code
	msgNumbers
)

// Flags of a message.
const (
	msgWrongKey  uint16 = 1 << iota // a PID under another key than sys_service_provider_id
	msgHasGoods                     // a list of goods, of any length
	msgHasFunds                     // a list of funds
	msgRepeat                       // fund_change N
	msgRefunded                     // refund_status REFUND_SUCCESS, or a cancel that refunded
	msgIndirect                     // of an institution's merchant
	msgReported                     // rejected, wholly or for its goods
	msgUnread                       // rejected wholly: its numbers are all that is used
	msgPayCode                      // a payment code
	msgRefundNot                    // speaks of a refund beside its trade: a notice with refund_fee
)

// A message is one message of an API log.
type message struct {
	kind        messageKind
	state       tradeState
	flags       uint16
	fault       rules.Code
	bare        bool       // it names neither a trade nor an interface, while it is read
	goodsFault  rules.Code // of one of its goods, while it is read
	table, line int32
	part        int32 // several messages may stand on one line
	text        [msgTexts][]byte
	word        [msgWords]uint32
	number      [msgNumbers]int64
	goods       []messageGoods // reused
}

// messageGoods is one of a message's goods.
type messageGoods struct {
	id, name        uint32
	quantity, price int64 // millionths, or Null
	rejected        bool
}

func (m *message) reset() {
	goods := m.goods[:0]
	*m = message{goods: goods}
	for i := range m.number {
		m.number[i] = schema.Null
	}
}

func (m *message) has(flag uint16) bool { return m.flags&flag != 0 }

// place compares messages by rules 1.
func (m *message) before(o *message) bool {
	switch {
	case m.table != o.table:
		return m.table < o.table
	case m.line != o.line:
		return m.line < o.line
	}
	return m.part < o.part
}

// encode appends a message in the compact form in which it waits for the others
// of its trade: about a hundred bytes.
func (m *message) encode(dst []byte) []byte {
	put := func(v uint64) { dst = binary.AppendUvarint(dst, v) }
	put(uint64(m.kind))
	put(uint64(m.state))
	put(uint64(m.flags))
	put(uint64(m.fault))
	put(uint64(m.table))
	put(uint64(m.line))
	put(uint64(m.part))
	for _, text := range m.text {
		put(uint64(len(text)))
		dst = append(dst, text...)
	}
	var words, numbers uint64
	for i, w := range m.word {
		if w != 0 {
			words |= 1 << i
		}
	}
	for i, n := range m.number {
		if n != schema.Null {
			numbers |= 1 << i
		}
	}
	put(words)
	put(numbers)
	for _, w := range m.word {
		if w != 0 {
			put(uint64(w))
		}
	}
	for _, n := range m.number {
		if n != schema.Null {
			dst = binary.AppendVarint(dst, n)
		}
	}
	put(uint64(len(m.goods)))
	for _, g := range m.goods {
		rejected := uint64(0)
		if g.rejected {
			rejected = 1
		}
		put(uint64(g.id)<<1 | rejected)
		put(uint64(g.name))
		dst = binary.AppendVarint(dst, g.quantity)
		dst = binary.AppendVarint(dst, g.price)
	}
	return dst
}

// decode reads what encode has written; texts alias src.
func (m *message) decode(src []byte) {
	m.reset()
	take := func() uint64 {
		v, n := binary.Uvarint(src)
		src = src[n:]
		return v
	}
	m.kind = messageKind(take())
	m.state = tradeState(take())
	m.flags = uint16(take())
	m.fault = rules.Code(take())
	m.table, m.line, m.part = int32(take()), int32(take()), int32(take())
	for i := range m.text {
		n := take()
		m.text[i], src = src[:n:n], src[n:]
	}
	words, numbers := take(), take()
	for i := range m.word {
		if words&(1<<i) != 0 {
			m.word[i] = uint32(take())
		}
	}
	signed := func() int64 {
		v, n := binary.Varint(src)
		src = src[n:]
		return v
	}
	for i := range m.number {
		if numbers&(1<<i) != 0 {
			m.number[i] = signed()
		}
	}
	for range take() {
		id := take()
		g := messageGoods{id: uint32(id >> 1), rejected: id&1 != 0, name: uint32(take())}
		g.quantity = signed()
		g.price = signed()
		m.goods = append(m.goods, g)
	}
}

// paid tells whether the message shows that its trade was paid. TRADE_CLOSED says
// so too where it gives a time of payment (rules 10).
func (m *message) paid() bool {
	switch {
	case m.has(msgUnread) || m.kind.asks():
		return false
	case m.state == tradePaid, m.number[msgPaidAt] != schema.Null:
		return true
	case m.kind == payAnswered:
		return m.number[msgCode] == codeDone
	case m.kind == refundAnswered:
		return m.done()
	}
	return m.has(msgRefunded)
}

// done tells whether an answer says that what was asked for is done.
func (m *message) done() bool { return m.number[msgCode] == codeDone }

// Codes of answers (formats 8).
const codeDone = 10000

// gap is what an amount identity of the message (rules 3) is off by, and the
// flags that say which: the first that does not hold. A discount that is not stated
// is that of the vouchers or of the list of funds, which can disagree about who
// paid: one reading that holds is enough. One that nothing tells is 0.
func (m *message) gap() (gap int64, of uint8) {
	n := &m.number
	for _, identity := range []struct {
		from, to int
		less     int // what is taken off, as stated
		or       []int64
		of       uint8
	}{
		{
			msgTotal, msgReceipt, msgMerchantDiscount,
			[]int64{n[msgVoucherMerchant], m.funds(msgFundMerchant, msgFundMerchantRed)},
			schema.OrderGapReceipt,
		},
		{
			msgReceipt, msgBuyerPay, msgPlatformDiscount, // a red packet (COUPON) is the platform's or the buyer's
			[]int64{n[msgVoucherOther], m.funds(msgFundDiscount), m.funds(msgFundRed)}, schema.OrderGapBuyerPay,
		},
		{
			msgBuyerPay, msgInvoice, msgPoint,
			[]int64{m.funds(msgFundPoint)},
			schema.OrderGapReceipt | schema.OrderGapBuyerPay,
		},
	} {
		from, to := n[identity.from], n[identity.to]
		if from == schema.Null || to == schema.Null {
			continue
		}
		readings := identity.or
		if stated := n[identity.less]; stated != schema.Null {
			readings = []int64{stated}
		}
		worst, holds := int64(schema.Null), false
		for _, less := range readings {
			if less == schema.Null {
				continue
			}
			holds = holds || to == from-less
			worst = firstGiven(worst, to-(from-less))
		}
		if worst == schema.Null { // nothing tells
			worst = to - from
		}
		if !holds && worst != 0 {
			return worst, identity.of
		}
	}
	return 0, 0
}

// funds adds up sums of fund_bill_list; Null without the list.
func (m *message) funds(of ...int) int64 {
	if !m.has(msgHasFunds) {
		return schema.Null
	}
	sum := int64(0)
	for _, i := range of {
		sum += orZero(m.number[i])
	}
	return sum
}

func firstGiven(amounts ...int64) int64 {
	for _, a := range amounts {
		if a != schema.Null {
			return a
		}
	}
	return schema.Null
}

// A messageFunding is what paid an order, as the columns of schema.Orders have it.
type messageFunding struct {
	buyerPaid, red, merchant int64 // Null where the message does not tell
	coupon                   int64 // the part of merchant that vouchers tell, else all of it
}

// funding tells what paid the order. The list of funds and receipt_amount can
// disagree about who paid a discount: receipt_amount is trusted (formats 8), and
// what the buyer paid is the rest (rules 5).
func (m *message) funding(total int64) messageFunding {
	n := &m.number
	receipt, buyer := n[msgReceipt], n[msgBuyerPay]
	if !m.has(msgHasFunds) && (receipt == schema.Null || buyer == schema.Null) || total == schema.Null {
		return messageFunding{schema.Null, schema.Null, schema.Null, schema.Null}
	}
	if !m.has(msgHasFunds) {
		merchant := total - receipt
		red := receipt - buyer
		return messageFunding{buyer, red, merchant, m.coupon(merchant)}
	}
	red, merchant, merchantRed := orZero(n[msgFundRed]), orZero(n[msgFundMerchant]), orZero(n[msgFundMerchantRed])
	if receipt != schema.Null {
		taken := total - receipt
		if over := merchant + merchantRed - taken; over > 0 {
			red += over // the platform's, under the merchant's channel
		}
		merchantRed = min(merchantRed, taken)
		merchant = taken - merchantRed
	}
	return messageFunding{total - red - merchant - merchantRed, red, merchant, m.coupon(merchant)}
}

// coupon is the part of the merchant's discount that is a coupon: what vouchers
// say, as 券核销金额 does in a bill (rules 5).
func (m *message) coupon(merchant int64) int64 {
	if vouchers := m.number[msgVoucherMerchant]; vouchers != schema.Null {
		return min(merchant, vouchers)
	}
	return merchant
}
