package gen

type scenario uint8

const (
	noScenario scenario = iota // not allocated
	equal
	below
	above
	tagPrice
	scenarioCount
)

var scenarioNames = [scenarioCount]string{"", "equal", "below", "above", "tag_price"}

// drawGoods draws the lines and the POS total they lead to.
func (w *world) drawGoods(o *order, r *rng) {
	o.n, o.sum, o.nMerged, o.scenario, o.filler = 0, 0, 0, noScenario, 0
	if !o.posLines {
		o.posTotal = 50 + r.n(12_000)
		o.n = 1
		return
	}
	o.n = lineCount(r)
	if o.goodsKind == Merged || o.goodsKind == TagSome || o.goodsKind == BlankID || o.kind == OrderConflict {
		o.n = max(o.n, 2)
	}
	if o.goodsKind == NoGoods || o.kind == RejectColumns || o.kind == RejectNoNumber || o.kind == RejectMerchant {
		o.n = 1
	}
	me := &w.merchants[o.m]
	for k := range o.n {
		w.drawLine(&o.lines[k], me, r)
	}
	w.bendLines(o, r)
	for k := range o.n {
		l := &o.lines[k]
		l.amount = lineAmount(l.price, l.quantity)
		if l.noPrice {
			l.amount = lineAmount(max(w.articles[l.goods].tag, 0)*10_000, l.quantity)
		}
		o.sum += l.amount
	}
	o.drawTotal(r)
}

// lineCount has a mean of 2.18.
func lineCount(r *rng) int {
	switch x := r.n(100); {
	case x < 37:
		return 1
	case x < 66:
		return 2
	case x < 85:
		return 3
	case x < 94:
		return 4
	}
	return 5
}

func (w *world) drawLine(l *goodsLine, me *merchant, r *rng) {
	*l = goodsLine{goods: me.firstGoods + int(r.n(int64(me.goods))), quantity: 1_000_000}
	l.price = w.prices[l.goods]
	draw := r.next() // the two choices of hundred each take half of it
	switch x := (draw >> 32) * 100 >> 32; {
	case x < 70:
	case x < 94:
		l.quantity = r.between(2, 5) * 1_000_000
	case x < 99: // weighed
		l.quantity = r.between(200, 3999) * 1000
	default:
		l.quantity = r.between(200_000, 3_999_999)
	}
	if w.weighed != nil {
		if w.weighed[l.goods] {
			l.quantity = r.between(200, 1999) * 1000
		} else {
			l.quantity -= l.quantity % 1_000_000
			l.quantity = max(l.quantity, 1_000_000)
		}
	}
	switch x := (draw & (1<<32 - 1)) * 100 >> 32; {
	case x < 80:
	case x < 99: // at a promotion
		l.price -= l.price / 1_000_000 * r.n(30) * 10_000
	default: // a price by weight
		l.price += r.n(10_000)
	}
}

// bendLines makes the lines what the goods kind wants.
func (w *world) bendLines(o *order, r *rng) {
	first := &o.lines[0]
	//exhaustive:ignore
	switch o.goodsKind {
	case TagPrice, ZeroTag:
		for k := range o.n {
			o.lines[k].noPrice = true
			if o.goodsKind == ZeroTag {
				o.lines[k].goods = w.zeroTag + int(r.n(2))
			}
		}
	case TagSome:
		first.noPrice = true
	case PriceUnknown:
		l := &o.lines[r.n(int64(o.n))]
		l.noPrice = true
		l.goods = w.untagged + int(r.n(2))
	case ZeroAbove:
		for k := range o.n {
			o.lines[k].price = 0
		}
	case Merged:
		last := &o.lines[o.n-1]
		last.goods = first.goods
		last.price = first.price / 20_000 * 10_000
	case BlankID:
		for k := range o.n {
			if k != 1 {
				o.lines[k].blankID = true
			}
		}
		if o.n > 2 { // two lines of one name: they are not merged
			o.lines[2].goods = first.goods
		}
	case NegativeQuantity, BadQuantity, BlankQuantity:
		o.lines[r.n(int64(o.n))].bad = o.goodsKind
	}
}

// drawTotal sets the total by the goods kind; it is above 0 unless the kind is ZeroAmount.
func (o *order) drawTotal(r *rng) {
	sum := o.sum
	switch {
	case o.kind == ZeroAmount:
		o.posTotal = 0
		return
	case o.goodsKind == NoGoods, o.goodsKind == ZeroAbove, o.goodsKind == ZeroTag:
		o.posTotal = 50 + r.n(8000)
		return
	}
	o.posTotal = sum
	kind := o.goodsKind
	if kind == TagPrice || kind == TagSome || kind == Merged || kind == BlankID {
		kind = []Kind{Equal, Below, Above}[r.n(3)]
	}
	if o.refundKind == RefundListPriceLeft {
		kind = Below
	}
	//exhaustive:ignore
	switch kind {
	case Below:
		o.posTotal -= r.n(max(sum*3/10, 1))
	case Above:
		o.posTotal += 1 + r.n(1000)
	}
	if o.posTotal <= 0 { // lines that come to nothing
		o.posTotal = 1 + r.n(300)
	}
}

// allocate merges the lines and divides the total over them, by rules 4, once:
// only the truth and the refunds that name lines need it.
func (w *world) allocate(o *order) {
	if o.nMerged > 0 {
		return
	}
	//exhaustive:ignore
	switch o.goodsKind {
	case NoGoods, PriceUnknown, NegativeQuantity, BadQuantity, BlankQuantity:
		return
	}
	if !o.pos {
		return
	}
	for k := range o.n {
		o.merge(&o.lines[k])
	}
	total, sum := o.posTotal, o.sum
	var weights, shares [maxLines]fen
	for k := range o.nMerged {
		weights[k] = o.merged[k].amount
	}
	allTag := o.goodsKind == TagPrice || o.goodsKind == ZeroTag
	switch {
	case allTag:
		o.scenario = tagPrice
		if sum == 0 {
			o.filler = total
		}
	case total == sum:
		o.scenario = equal
	case total < sum:
		o.scenario = below
	default:
		o.scenario = above
		o.filler = total - sum
	}
	shares = weights
	if o.filler == 0 && total != sum {
		w.cfg.prorate(total, weights[:o.nMerged], shares[:o.nMerged])
	}
	for k := range o.nMerged {
		o.merged[k].allocated = shares[k]
	}
}

// merge adds l to the merged line of its goods_id, or begins one.
func (o *order) merge(l *goodsLine) {
	if !l.blankID {
		for k := range o.nMerged {
			m := &o.merged[k]
			if !m.blankID && m.goods == l.goods {
				m.quantity += l.quantity
				m.amount += l.amount
				return
			}
		}
	}
	o.merged[o.nMerged] = mergedLine{goods: l.goods, blankID: l.blankID, quantity: l.quantity, amount: l.amount}
	o.nMerged++
}

// allocated reports whether the order's goods are in the goods table.
func (o *order) allocated() bool {
	return o.scenario != noScenario && o.status == paid
}
