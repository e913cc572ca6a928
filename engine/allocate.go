package engine

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// allocate divides the order's total over its goods (rules 4).
func (w *worker) allocate(o *order) (rules.Scenario, []rules.AllocatedLine, error) {
	w.goodsLines, w.goodsAt = w.goodsLines[:0], w.goodsAt[:0]
	l := &w.rows.Lines
	for run := o.run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			switch {
			case l.Flags[line]&schema.LineGoodsRejected != 0:
				return 0, nil, errIncomplete
			case l.Flags[line]&schema.LineNoGoods != 0:
				continue
			}
			g := rules.GoodsLine{ID: l.Goods[line], Name: l.Name[line], Quantity: rules.Micro(l.Quantity[line])}
			if l.Price[line] != schema.Null {
				g.Price, g.HasPrice = rules.Micro(l.Price[line]), true
			}
			w.goodsLines = append(w.goodsLines, g)
			w.goodsAt = append(w.goodsAt, l.Line[line])
		}
	}
	return w.allocator.Order(rules.Fen(w.rows.Orders.Total[o.run]), w.goodsLines, w.tagPrice, w.p.job.Remainder)
}

// tagOf is the tag price of a goods_id.
func (w *worker) tagOf(id uint32) (rules.Micro, bool) {
	tag := w.p.tag[id]
	return rules.Micro(tag), tag != schema.Null
}
