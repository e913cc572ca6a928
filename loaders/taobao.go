package loaders

import (
	"bytes"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of a Taobao or Tmall order export (formats 9), by their place in
// taobaoColumns, each with the name that it has since 2026.
const (
	taobaoNumber = iota
	taobaoTradeNo
	taobaoStatus
	taobaoAmount
	taobaoCreated
	taobaoPaid
	taobaoO2O
	taobaoStore
)

var taobaoSpec = canonicalSpec{kind: schema.TaobaoOrders, columns: []canonicalColumn{
	taobaoNumber:  {"订单编号", "", idCell, required},
	taobaoTradeNo: {"支付单号", "", idCell, !required},
	taobaoStatus:  {"订单状态", "", wordCell, required},
	taobaoAmount:  {"买家实际支付金额", "买家实付金额", amountCell, required},
	taobaoCreated: {"订单创建时间", "买家下单时间", timeCell, !required},
	taobaoPaid:    {"订单付款时间", "买家付款时间", timeCell, !required},
	taobaoO2O:     {"是否是O2O交易", "", textCell, !required},
	taobaoStore:   {"新零售导购门店id", "", idCell, !required},
}}

// taobaoPrivate are the columns about persons. 买家留言 and 订单备注 have
// addresses and telephone numbers in them often enough.
var taobaoPrivate = []string{
	"买家会员名", "买家支付宝账号", "买家留言", "收货人姓名", "收货地址", "联系电话", "联系手机", "发票抬头", "修改后的收货地址", "订单备注",
}

// Words of 订单状态 that say more than paid.
const (
	taobaoUnpaid = "等待买家付款"
	taobaoClosed = "交易关闭"
)

// openTaobao reads the header of a Taobao order export. Its orders are those of
// the online side and, again, offline sales of the smart store, which the POS has:
// none is matched (rules 10).
func openTaobao(t *tableReader, header []string) (func() rowParser, error) {
	words := t.opt.Words
	unpaid, closed := words.Code(taobaoUnpaid), words.Code(taobaoClosed)
	newParser, err := newOrderList(t, &taobaoSpec, header, taobaoPrivate, orderList{
		id: taobaoNumber, amount: taobaoAmount,
		read: func(p *orderList, o listedOrder) listedOrder {
			p.required(taobaoStatus)
			status, _ := p.typeWord(taobaoStatus)
			o.total = p.money(taobaoAmount)
			o.time = p.time(taobaoCreated)
			paid := p.time(taobaoPaid)
			if o.time == schema.Null {
				o.time = paid
			}
			switch {
			case status == unpaid:
				o.status = schema.OrderUnpaid
			case status == closed && paid == schema.Null:
				o.status = schema.OrderClosed // a paid one that is closed was refunded
			default:
				o.status = schema.OrderPaid
			}
			o.excluded = rules.ReasonOnlineOrder
			if isO2O(p.value(taobaoO2O)) {
				o.excluded = rules.ReasonO2OPassport
			}
			o.store, _ = p.idWord(taobaoStore)
			o.tradeNo, _ = p.canonicalRow.id(taobaoTradeNo)
			return o
		},
	})
	if err == nil && taobaoSpec.find(header, t.opt).at[taobaoO2O] < 0 {
		t.unmarked()
	}
	return newParser, err
}

// unmarked says that a file does not tell offline orders from the online side's.
func (t *tableReader) unmarked() {
	t.problem(schema.Problem{
		Code: "o2o_unmarked",
		Message: say(t.opt.Lang, "文件没有标明线下订单（没有「是否是O2O交易」列或 is_o2o_passport），全部计为线上订单",
			"the file does not mark offline orders (no column 是否是O2O交易, no is_o2o_passport): all count as online orders"),
	})
}

// isO2O reads 是否是O2O交易.
func isO2O(cell []byte) bool {
	return bytes.Equal(cell, []byte("是")) || bytes.Equal(cell, []byte("\xca\xc7")) ||
		bytes.Equal(cell, []byte("1")) || bytes.EqualFold(cell, []byte("true"))
}
