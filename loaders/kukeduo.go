package loaders

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of a Kukeduo order list (formats 10), by their place in kukeduoColumns.
const (
	kukeduoNumber = iota
	kukeduoType
	kukeduoState
	kukeduoPaid
	kukeduoAmount
	kukeduoTime
)

var kukeduoSpec = canonicalSpec{kind: schema.KukeduoOrders, columns: []canonicalColumn{
	kukeduoNumber: {"订单编号", "", idCell, required},
	kukeduoType:   {"订单类型", "", wordCell, required},
	kukeduoState:  {"订单状态", "", textCell, !required},
	kukeduoPaid:   {"支付状态", "", wordCell, required},
	kukeduoAmount: {"应付金额", "", amountCell, required},
	kukeduoTime:   {"订单时间", "", timeCell, required},
}}

// Words of a Kukeduo list.
const (
	kukeduoFacePay   = "刷脸支付订单"
	kukeduoCancelled = "订单取消"
)

var kukeduoPrivate = []string{"收货人", "电话"}

// openKukeduo reads the header of a Kukeduo order list. The list has no merchant,
// store, trade number or refunds, and 应付金额 is what Alipay is asked for:
// 储值抵扣 was taken off before (rules 10).
func openKukeduo(t *tableReader, header []string) (func() rowParser, error) {
	words := t.opt.Words
	facePay, cancelled := words.Code(kukeduoFacePay), words.Code(kukeduoCancelled)
	paid := newWordSet(words, "已支付", "未支付")
	return newOrderList(t, &kukeduoSpec, header, kukeduoPrivate, orderList{
		id: kukeduoNumber, amount: kukeduoAmount, keep: true,
		read: func(p *orderList, o listedOrder) listedOrder {
			if p.fault == rules.CodeColumnCount {
				return o
			}
			p.required(kukeduoType)
			kind, _ := p.typeWord(kukeduoType)
			if kind != facePay {
				o.excluded = rules.ReasonNotFacePay
			}
			if state, _ := p.typeWord(kukeduoState); state == cancelled {
				o.status = schema.OrderClosed
			}
			p.required(kukeduoPaid)
			if given := schema.OrderStatus(p.oneOf(kukeduoPaid, paid)); o.status == 0 {
				o.status = given // 已支付 and 未支付 are kinds 1 and 2, as paid and unpaid
			}
			o.total = p.money(kukeduoAmount)
			p.required(kukeduoTime)
			o.time = p.time(kukeduoTime)
			return o
		},
	})
}
