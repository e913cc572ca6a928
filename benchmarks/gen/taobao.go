package gen

import (
	"fmt"
	"strings"
)

// TaobaoForm says in which of its forms the order list of the Tmall shop is written
// (formats 9).
type TaobaoForm uint8

// The forms.
const (
	NoTaobao     TaobaoForm = iota
	TaobaoE41               // the export of 2016
	TaobaoE56               // of 2018
	TaobaoE61               // and later
	TaobaoE61New            // with the column names of 2026
	TaobaoBook              // E61 as XLSX
	TaobaoAPI               // answers of taobao.trades.sold.get and .increment.get
	TaobaoMixed             // some of each
)

// TaobaoForms are the forms' words.
var TaobaoForms = []string{"none", "e41", "e56", "e61", "e61-2026", "xlsx", "api", "mixed"}

// Columns of the exports. Some of E41's have a blank behind them.
const (
	e41Header = "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ," +
		"运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费," +
		"发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,定金排名,修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易"
	e56Header = "订单编号,买家会员名,买家支付宝账号,支付单号,支付详情,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言," +
		"收货人姓名,收货地址,运送方式,联系电话,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝种类,物流单号,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因," +
		"卖家服务费,买家服务费,发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,是否上传合同照片,是否上传小票,是否代付,定金排名,修改后的sku,修改后的收货地址,异常信息," +
		"天猫卡券抵扣,集分宝抵扣,是否是O2O交易,新零售交易类型,新零售导购门店名称,新零售导购门店id,新零售发货门店名称,新零售发货门店id,退款金额,预约门店,确认收货时间," +
		"打款商家金额,含应开票给个人的个人红包"
	e61Header = e56Header + ",是否信用购,体验期结束时间,前N有礼,配送类型,主订单编号"
)

// newTaobaoNames are the names of 2026.
var newTaobaoNames = strings.NewReplacer("订单创建时间", "买家下单时间", "订单付款时间", "买家付款时间", "买家实际支付金额", "买家实付金额", "物流单号", "运单号")

// taobaoState is the state of an online order, by its words in an export and in the
// API.
type taobaoState struct {
	words, code  string
	unpaid, paid bool // never paid; paid when it was closed
}

var taobaoStates = []taobaoState{
	{words: "交易成功", code: "TRADE_FINISHED", paid: true},
	{words: "买家已付款，等待卖家发货", code: "WAIT_SELLER_SEND_GOODS", paid: true},
	{words: "卖家已发货，等待买家确认", code: "WAIT_BUYER_CONFIRM_GOODS", paid: true},
	{words: "等待买家付款", code: "WAIT_BUYER_PAY", unpaid: true},
	{words: "交易关闭", code: "TRADE_CLOSED_BY_TAOBAO", unpaid: true},
	{words: "交易关闭", code: "TRADE_CLOSED", paid: true},
}

// badRow is why a row of a list cannot be read.
type badRow uint8

const (
	goodRow badRow = iota
	badNumber
	badTaobaoAmount
)

// A listOrder is one row of the shop's order list: a sale of the POS again, which is
// marked, or an online order.
type listOrder struct {
	number, tradeNo string
	amount          fen
	state           *taobaoState
	created         int64 // second of the day
	o2o             bool
	again           bool // in a second export too
	bad             badRow
}

// listOrders are the rows that a record leads to. They are drawn from a stream of
// their own, so that the day is the same day without them.
func (w *world) listOrders(o *order, room *[2]listOrder) []listOrder {
	if w.cfg.Taobao == NoTaobao {
		return nil
	}
	r := streamOf(w.cfg.Seed, o.i, 0x7a0b)
	list := room[:0]
	if o.pos && o.status == paid && o.channel == alipay && r.perMille(450) {
		l := listOrder{amount: o.posTotal, tradeNo: string(o.posTradeNo), state: &taobaoStates[0], created: o.created, o2o: true}
		l.number = w.taobaoNumber(o, 0)
		if r.perMille(300) && len(w.merchants) == 1 { // by the POS's own number
			l.number = string(o.number)
		}
		list = append(list, l)
	}
	if r.perMille(350) {
		l := listOrder{
			amount: r.between(1, 50_000), state: &taobaoStates[r.n(int64(len(taobaoStates)))],
			created: r.n(midnight - 60), again: r.perMille(100), number: w.taobaoNumber(o, 1),
		}
		if l.state.unpaid && r.n(2) == 0 {
			l.amount = 0
		}
		if !w.cfg.NoRejects && !w.cfg.Clean && r.perMille(60) {
			l.bad, l.again = badNumber+badRow(r.n(2)), false
		}
		l.again = l.again && !w.cfg.Clean
		list = append(list, l)
	}
	return list
}

// taobaoNumber has 19 digits, the last never 0.
func (w *world) taobaoNumber(o *order, k int64) string {
	return fmt.Sprintf("%019d", 1_930_000_000_000_000_001+(2*o.i+k)*10)
}

// listMerchant is whose the rows of a list are: it names no merchant.
func (w *world) listMerchant() string {
	if w.cfg.POS == POSKukeduo {
		return w.merchants[0].pid // default_merchant
	}
	return ""
}

// listTruth adds what is true of the record's rows in lists: all are left out, and
// totalled by reason.
func (e *expected) listTruth(o *order, t *tallies) {
	w := e.w
	var room [2]listOrder
	for _, l := range w.listOrders(o, &room) {
		switch l.bad {
		case badNumber:
			t.rejects[rIDDamaged]++
			continue
		case badTaobaoAmount:
			t.rejects[rAmountSyntax]++
			continue
		case goodRow:
		}
		reason := "online_order"
		if l.o2o {
			reason = "o2o_passport"
		}
		e.leftOut(l.number, reason, l.amount, t)
		if l.again {
			t.trades[duplicate].count(l.amount, noAmount)
			t.duplicate(l.amount, 0)
			e.listRow(l.number, duplicate, "", l.amount)
		}
	}
	if (w.cfg.POS == POSKukeduo || w.cfg.POS == POSMixed) && o.posLines && o.kukeduoGoods() {
		e.leftOut(w.goodsNumber(o), "not_face_pay", o.posTotal, t)
	}
}

// leftOut counts an order that its list leaves out.
func (e *expected) leftOut(number, reason string, amount fen, t *tallies) {
	t.trades[excluded].count(amount, noAmount)
	t.leftOut(reason, amount)
	e.listRow(number, excluded, reason, amount)
}

func (e *expected) listRow(number string, s status, reason string, amount fen) {
	if e.trades == nil {
		return
	}
	b := append(e.trades.b, e.w.listMerchant()...)
	b = append(b, ',')
	b = append(b, number...)
	b = append(b, ',')
	b = append(b, statusNames[s]...)
	b = append(b, ',')
	b = appendFen(b, amount)
	b = append(b, ",,"...)
	b = append(b, reason...)
	e.trades.b = append(b, ",?,?,?,?,?,?"...)
	e.trades.newline()
}
