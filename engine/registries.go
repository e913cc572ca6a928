package engine

import (
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Orders against the registries of stores and goods, and what a till should have
// sent (rules 10). Checked are orders that may be trades: accepted, no duplicate and
// not excluded. They are judged by what the POS says.

// A registryPlan is what these checks look up, by word code. A registry that was
// not given is unchecked; so is one of which a file was refused, because every row
// of it would be missing.
type registryPlan struct {
	stores, goods bool
	sold          []bool  // by word: a published goods_id
	sync          []uint8 // by word of a store_id: storeUnknown, or a schema.OrderSync and 1

	pay, precreate          uint32 // the interfaces that need all goods fields
	barCode, security, face uint32 // scenes
}

const storeUnknown = 0

func (p *plan) newRegistryPlan() registryPlan {
	r := registryPlan{
		stores: p.whole(schema.StoresKind), goods: p.whole(schema.GoodsKind),
		sold: make([]bool, len(p.texts)), sync: make([]uint8, len(p.texts)),
		pay: p.words.Code("alipay.trade.pay"), precreate: p.words.Code("alipay.trade.precreate"),
		barCode: p.words.Code("bar_code"), security: p.words.Code("security_code"), face: p.words.Code("face_code"),
	}
	reg := p.job.Registry
	for i := range reg.Stores {
		if id := p.words.Code(reg.Stores[i].ID); r.sync[id] == storeUnknown {
			r.sync[id] = 1 + uint8(reg.Stores[i].OrderSync)
		}
	}
	for i := range reg.Goods {
		r.sold[p.words.Code(reg.Goods[i].ID)] = true
	}
	return r
}

// whole: inputs of the kind are given, and none was refused. A file that was refused
// for being unknown may have been one of them.
func (p *plan) whole(kind schema.InputKind) bool {
	return p.job.Inputs[kind] && !slices.ContainsFunc(p.tables, func(t *schema.Table) bool {
		return t.Refused && (t.Kind == kind || t.Kind == 0)
	})
}

// checkRegistries checks one order.
func (w *worker) checkRegistries(u *unit, run int32) {
	in, r := &w.rows.Orders, &w.p.registries
	if store := in.Store[run]; r.stores && store != 0 {
		switch r.sync[store] {
		case storeUnknown:
			w.find(rules.BreakStoreUnknown, rules.SidePOS, u, in.Total[run], schema.Null, schema.Null, "")
		case 1 + uint8(schema.SyncOff):
			w.find(rules.BreakStoreSyncOff, rules.SidePOS, u, in.Total[run], schema.Null, schema.Null, "")
		}
	}
	if code := in.PayCode[run]; code != schema.PayCodeNone || in.Scene[run] != 0 {
		w.checkPayCode(u, run, code)
	}
	if i := in.Interface[run]; i != 0 && (i == r.pay || i == r.precreate) {
		w.checkFields(u, run)
	}
	if r.goods {
		w.checkSold(u)
	}
}

// checkPayCode checks a payment code, and the instalments of a face payment.
func (w *worker) checkPayCode(u *unit, run int32, code uint8) {
	in, r := &w.rows.Orders, &w.p.registries
	if code == schema.PayCodeInvalid && in.Scene[run] == r.barCode {
		w.find(rules.BreakPayCode, rules.SidePOS, u, 0, schema.Null, schema.Null, "****"+w.p.text(in.PayCodeTail[run]))
	}
	face := code == schema.PayCodeFace || in.Scene[run] == r.security || in.Scene[run] == r.face
	if face && w.instalments(u) {
		w.find(rules.BreakHuabeiOnFace, rules.SidePOS, u, 0, schema.Null, schema.Null, "")
	}
}

// instalments: the order or its payment is in Huabei instalments.
func (w *worker) instalments(u *unit) bool {
	if w.isPast(u) {
		return w.past.Instalments[u.past] > 0
	}
	return u.bill >= 0 && w.rows.Bills.Instalments[u.bill] > 0 ||
		u.order >= 0 && w.rows.Orders.Instalments[w.orders[u.order].run] > 0
}

// checkSold finds the goods of an order that are not published, each once.
func (w *worker) checkSold(u *unit) {
	l, o := &w.rows.Lines, &w.orders[u.order]
	from := len(w.found.breaks)
	for run := o.run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			id := l.Goods[line]
			if id == 0 || w.p.registries.sold[id] {
				continue
			}
			text := w.p.text(id)
			if slices.ContainsFunc(w.found.breaks[from:], func(b Break) bool { return b.What == text }) {
				continue
			}
			i := w.find(rules.BreakGoodsUnknown, rules.SidePOS, u, 0, schema.Null, schema.Null, text)
			w.found.breaks[i].Line = l.Line[line]
		}
	}
}

// A terminalKey names a till.
type terminalKey struct{ merchant, store, terminal uint32 }

// missingFields are the fields that a till does not send, and its first order that
// lacks one.
type missingFields struct {
	fields uint8 // bits, in the order of fieldNames
	first  Break
}

var fieldNames = [...]string{"store_id", "goods_id", "goods_name", "quantity", "price"}

const (
	fieldStore uint8 = 1 << iota
	fieldGoods
	fieldName
	fieldQuantity
	fieldPrice
	goodsFields = fieldGoods | fieldName | fieldQuantity | fieldPrice
)

// checkFields notes the till of an order that lacks a field which its interface
// needs. A goods line that was rejected is not looked at.
func (w *worker) checkFields(u *unit, run int32) {
	fields := w.fieldsMissing(u)
	if fields == 0 {
		return
	}
	in := &w.rows.Orders
	key := terminalKey{w.orders[u.order].merchant, in.Store[run], in.Terminal[run]}
	m := w.found.missing[key]
	if m != nil {
		m.fields |= fields
		if w.p.places.compare(m.first.Table, m.first.Line, in.Table[run], in.Line[run]) < 0 {
			return
		}
	} else {
		m = &missingFields{fields: fields}
		w.found.missing[key] = m
	}
	i := w.find(rules.BreakGoodsFieldMissing, rules.SidePOS, u, 0, schema.Null, schema.Null, "")
	m.first = w.found.breaks[i]
	w.takeBack()
}

func (w *worker) fieldsMissing(u *unit) (fields uint8) {
	l, o := &w.rows.Lines, &w.orders[u.order]
	if w.rows.Orders.Store[o.run] == 0 {
		fields = fieldStore
	}
	goods := false
	for run := o.run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			switch flags := l.Flags[line]; {
			case flags&schema.LineGoodsRejected != 0:
				goods = true
				continue
			case flags&schema.LineNoGoods != 0:
				continue
			}
			goods = true
			if l.Goods[line] == 0 {
				fields |= fieldGoods
			}
			if l.Name[line] == 0 {
				fields |= fieldName
			}
			if l.Quantity[line] == schema.Null {
				fields |= fieldQuantity
			}
			if l.Price[line] == schema.Null {
				fields |= fieldPrice
			}
		}
	}
	if !goods {
		fields |= goodsFields
	}
	return fields
}

// missingFieldBreaks gives one break a till, on its first order, with all fields
// that any of its orders lacks.
func missingFieldBreaks(places placeOrder, parts []*findings) []Break {
	all := map[terminalKey]*missingFields{}
	for _, f := range parts {
		for key, m := range f.missing {
			a := all[key]
			if a == nil {
				all[key] = m
				continue
			}
			a.fields |= m.fields
			if places.compare(m.first.Table, m.first.Line, a.first.Table, a.first.Line) < 0 {
				a.first = m.first
			}
		}
	}
	breaks := make([]Break, 0, len(all))
	for _, m := range all {
		var names []string
		for i, name := range fieldNames {
			if m.fields&(1<<i) != 0 {
				names = append(names, name)
			}
		}
		m.first.What = strings.Join(names, ", ")
		breaks = append(breaks, m.first)
	}
	return breaks
}
