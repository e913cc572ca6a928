package gen

type mode uint8

const (
	noMode mode = iota
	wholeMode
	listPrice
	prorated
	reorder
)

// requestNo says which 请求号 the bill shows.
type requestNo uint8

const (
	ownNo requestNo = iota
	blankNo
	orderNo
)

type returnedLine struct {
	line     int // of the merged ones
	quantity micro
}

// refund is one refund of an order, what each side says of it and what is true of it.
type refund struct {
	pos, bill             bool
	posAmount, billAmount fen
	posTime, billTime     int64
	billNo                requestNo
	mode                  mode
	lines                 [maxLines]returnedLine
	n                     int
	store                 int
	again                 Kind // RefundDuplicateBill, RefundDuplicatePOS

	status     status
	counted    bool // it is part of the cumulative
	cumulative fen
	expected   parts
	received   fen // what the bill gives back: 商家实收, red packet, 商家优惠
	actual     parts
	fee        fen
	request    fen // how far the ask is from what its mode prescribes
	exceeds    fen
	splitGap   fen
	overpaid   fen
	known      bool // overpaid is stated
}

// refunder draws the refunds of one order in their order of time.
type refunder struct {
	w    *world
	o    *order
	r    *rng
	time int64
	x    fen // cumulative
	left fen
	base [maxLines + 1]fen // shares of T - C
	back [maxLines]micro   // returned quantities
}

func (w *world) drawRefunds(o *order, r *rng) {
	d := refunder{w: w, o: o, r: r, time: o.finished, left: o.billTotal}
	switch {
	case o.kind == CancelledRefunded:
		d.both(d.left)
		if r.n(2) == 0 {
			last := &o.refunds[0]
			last.pos, last.posAmount, last.status = false, 0, billOnly
		}
	case o.kind == OrphanRefund:
		d.orphan()
	case o.refundKind != NoRefund:
		d.draw()
	}
}

func (d *refunder) draw() {
	o, r := d.o, d.r
	kind := o.refundKind
	//exhaustive:ignore
	switch kind {
	case RefundListPrice, RefundListPriceLeft, RefundProrated, RefundProratedParts, RefundRequest:
		if !o.returnsLines() {
			kind = RefundPart
			break
		}
		d.w.allocate(o)
	case RefundSeveral, RefundAmountMismatch:
		if d.left < 3 {
			kind = RefundPart
		}
	}
	//exhaustive:ignore
	switch kind {
	case RefundSeveral:
		for k := 2 + r.n(2); k > 0; k-- {
			d.both(r.between(1, max(d.left/k, 1)))
		}
	case RefundWhole:
		if d.left > 1 && r.n(3) == 0 {
			d.both(r.between(1, d.left-1))
		}
		d.both(d.left).mode = wholeMode + 3*mode(r.n(2))
	case RefundListPrice:
		d.listPrice(1 + int(r.n(int64(o.nMerged))))
	case RefundListPriceLeft:
		d.listPrice(o.nMerged)
	case RefundProrated, RefundRequest:
		d.shareBase()
		d.proratedLines(1 + int(r.n(int64(o.nMerged))))
	case RefundProratedParts:
		d.shareBase()
		d.proratedParts()
	case RefundExceeds:
		d.both(d.left)
		d.exceed(r.between(1, 500))
	default:
		d.oneRefund(kind)
	}
}

// oneRefund is a single refund of part of the total, with what the kind does to it.
func (d *refunder) oneRefund(kind Kind) {
	o, r := d.o, d.r
	if kind == RefundPOSOnly {
		d.posOnly(r.between(1, d.left))
		return
	}
	if kind == RefundPendingPOS || kind == RefundPendingBill {
		d.time = midnight - cutoff - 50 // the next one is a minute later at least
	}
	if kind == RefundAmountMismatch {
		ask := r.between(2, d.left)
		ref := d.both(r.between(1, ask-1))
		ref.posAmount, ref.status = ask, amountMismatch
		return
	}
	ref := d.both(r.between(1, max(d.left-1, 1)))
	//exhaustive:ignore
	switch kind {
	case RefundBillOnly:
		ref.pos, ref.posAmount, ref.status = false, 0, billOnly
	case RefundSplitWrong:
		ref.splitGap = r.between(1, min(ref.received, 100))
		ref.received -= ref.splitGap
	case RefundPortal:
		ref.billNo = blankNo
	case RefundPortalNumber:
		ref.billNo = orderNo
	case RefundOtherStore:
		ref.store = d.w.otherStore(o.store)
	case RefundPendingPOS:
		ref.bill, ref.billAmount, ref.received, ref.actual, ref.status = false, 0, 0, parts{}, pending
	case RefundPendingBill:
		ref.pos, ref.posAmount, ref.status = false, 0, pending
	case RefundDuplicateBill, RefundDuplicatePOS:
		ref.again = kind
	}
	ref.fee = d.fee(ref)
}

// otherStore finds a store of the same merchant at the same fee.
func (w *world) otherStore(s int) int {
	me := &w.merchants[w.stores[s].merchant]
	for k := me.firstStore; k < me.firstStore+me.stores; k++ {
		if k != s && w.stores[k].rate == w.stores[s].rate && w.stores[k].own == w.stores[s].own {
			return k
		}
	}
	return s
}

// add begins the next refund, a few minutes after the one before.
func (d *refunder) add() *refund {
	o := d.o
	ref := &o.refunds[o.nRefunds]
	o.nRefunds++
	d.time += d.r.between(60, 480)
	*ref = refund{posTime: d.time - d.r.between(0, 5), billTime: d.time, store: o.store}
	return ref
}

// both is a refund of x that both sides have.
func (d *refunder) both(x fen) *refund {
	ref := d.add()
	ref.pos, ref.bill, ref.posAmount, ref.billAmount, ref.status, ref.counted = true, true, x, x, matched, true
	f := &d.o.fund
	before := f.returned(d.x)
	d.x += x
	d.left -= x
	ref.cumulative = d.x
	ref.expected = f.returned(d.x).minus(before)
	ref.actual = ref.expected
	ref.received = ref.expected.paid + ref.expected.red
	ref.fee = d.fee(ref)
	return ref
}

func (d *refunder) posOnly(x fen) {
	ref := d.add()
	ref.pos, ref.posAmount, ref.status = true, x, posOnly
}

// exceed is a refund beyond the total. The bill gives nothing back on it, as the
// rules expect, so that no other break hangs on it.
func (d *refunder) exceed(x fen) {
	ref := d.add()
	ref.pos, ref.bill, ref.posAmount, ref.billAmount, ref.status, ref.counted = true, true, x, x, matched, true
	ref.cumulative = d.x
	ref.exceeds = x + d.x - d.o.billTotal
}

// orphan is a refund whose order is of an earlier day.
func (d *refunder) orphan() {
	x := d.r.between(100, 9000)
	ref := d.add()
	ref.pos, ref.bill, ref.posAmount, ref.billAmount, ref.status = true, true, x, x, matched
	ref.received = x
	ref.fee = d.fee(ref)
	if d.r.n(2) == 0 {
		ref.pos, ref.posAmount, ref.status = false, 0, billOnly
	}
}

func (d *refunder) fee(ref *refund) fen {
	if !d.w.cfg.FeesProRata || !ref.bill || d.w.merchants[d.o.m].deferred {
		return 0
	}
	return feeOf(ref.received, d.w.stores[ref.store].rate)
}

// returnsLines reports whether the order's goods can be named in a refund.
func (o *order) returnsLines() bool {
	//exhaustive:ignore
	switch o.goodsKind {
	case Equal, Below, Above, Merged:
		return o.pos && o.kind != AmountMismatch
	}
	return false
}

// shareBase divides T - C over the allocated lines and the filler.
func (d *refunder) shareBase() {
	o := d.o
	var weights [maxLines + 1]fen
	n := o.nMerged
	for k := range n {
		weights[k] = o.merged[k].allocated
	}
	if o.filler > 0 {
		weights[n] = o.filler
		n++
	}
	d.w.cfg.prorate(o.posTotal-o.fund.coupon, weights[:n], d.base[:n])
}

// goodsBack is what the returned goods are worth of their line's amount, the part
// quantities rounded cumulatively.
func goodsBack(amount fen, back, quantity micro) fen {
	return mulDivHalfUp(amount, back, quantity)
}

// askFor is what returning quantity more of merged line k asks for.
func (d *refunder) askFor(amount fen, k int, quantity micro) fen {
	all := d.o.merged[k].quantity
	return goodsBack(amount, d.back[k]+quantity, all) - goodsBack(amount, d.back[k], all)
}

// giveBack notes the returned goods on ref and whether too much came back for them.
func (d *refunder) giveBack(ref *refund, k int, quantity micro, m mode) {
	o := d.o
	d.back[k] += quantity
	ref.mode = m
	ref.lines[ref.n] = returnedLine{k, quantity}
	ref.n++
	if o.fund.allowance != 0 || o.fund.merchantRed != 0 {
		return // the shares are of T - C, and these do not come back in step
	}
	var worth fen
	all := true
	for k := range o.nMerged {
		worth += goodsBack(d.base[k], d.back[k], o.merged[k].quantity)
		all = all && d.back[k] == o.merged[k].quantity
	}
	ref.overpaid = max(o.fund.returned(d.x).sum()-worth, 0)
	ref.known = o.filler == 0 || !all // is all back when the filler is not?
}

// listPrice gives lines back at their prices; RefundListPriceLeft goes on to the
// last fen that is left.
func (d *refunder) listPrice(lines int) {
	d.shareBase()
	for k := range lines {
		all := d.o.merged[k].quantity
		ask := d.askFor(d.o.merged[k].amount, k, all)
		gets := min(ask, d.left)
		if gets <= 0 || gets < ask && d.o.refundKind != RefundListPriceLeft {
			break
		}
		ref := d.both(gets)
		ref.posAmount = ask
		d.giveBack(ref, k, all, listPrice)
	}
	if d.o.nRefunds == 0 {
		d.both(1)
	}
}

func (d *refunder) proratedLines(lines int) {
	for k := range lines {
		all := d.o.merged[k].quantity
		ask := d.askFor(d.base[k], k, all)
		if ask <= 0 || ask > d.left {
			break
		}
		var off fen
		if d.o.refundKind == RefundRequest {
			off = d.r.between(1, 100)
			if ask+off > d.left {
				off = -min(off, ask-1)
			}
		}
		ref := d.both(ask + off)
		d.giveBack(ref, k, all, prorated)
		ref.request = max(off, -off)
		if off != 0 {
			break
		}
	}
	if d.o.nRefunds == 0 {
		d.both(1)
	}
}

// proratedParts returns a line of several pieces one by one.
func (d *refunder) proratedParts() {
	for k := range d.o.nMerged {
		all := d.o.merged[k].quantity
		if all < 2_000_000 {
			continue
		}
		for range min(all/1_000_000, 3) {
			ask := d.askFor(d.base[k], k, 1_000_000)
			if ask <= 0 || ask > d.left {
				break
			}
			d.giveBack(d.both(ask), k, 1_000_000, prorated)
		}
		break
	}
	if d.o.nRefunds == 0 {
		d.proratedLines(1)
	}
}
