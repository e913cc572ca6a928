package gen

const (
	maxLines    = 8
	maxRefunds  = maxLines
	blankAmount = -1 << 62
)

type posStatus uint8

const (
	paid posStatus = iota
	unpaid
	closed
)

type payChannel uint8

const (
	alipay payChannel = iota
	wechat
	cash
)

// goodsLine is one line as the POS writes it.
type goodsLine struct {
	goods    int // index of the article; with blankID its name alone is written
	blankID  bool
	quantity micro
	price    micro
	noPrice  bool
	amount   fen
	bad      Kind // a rejected line
}

// mergedLine is one line as it is allocated.
type mergedLine struct {
	goods     int
	blankID   bool
	quantity  micro
	amount    fen
	allocated fen
}

// order is one record: what both sides, the refunds and the statement say of it,
// and what is true of it. It is reused from record to record.
type order struct {
	i                                                            int64
	m, store, terminal, operator                                 int
	kind, goodsKind, fundKind, refundKind, rebateKind, feeKind   Kind
	created, finished                                            int64
	pos, bill                                                    bool // the side has an accepted unit
	posLines, billRow                                            bool // the side has rows, accepted or not
	posMerchant                                                  int
	posStore                                                     int
	status                                                       posStatus
	channel                                                      payChannel
	posTotal, billTotal                                          fen
	received                                                     fen // 商家实收
	gap                                                          fen // what breaks the bill's identity
	fund                                                         funding
	posFund                                                      funding // as the POS states it
	fee                                                          fen
	buyer                                                        uint64
	blankCells, apart, thousands, yen, comma, blankStore, padded bool

	number, billNumber, tradeNo, posTradeNo, secondTradeNo []byte
	numberBuf, billNumberBuf                               [40]byte
	tradeNoBuf, posTradeNoBuf, secondBuf                   [32]byte

	lines    [maxLines]goodsLine
	n        int // lines
	sum      fen
	merged   [maxLines]mergedLine
	nMerged  int
	scenario scenario
	filler   fen

	refunds  [maxRefunds]refund
	nRefunds int
	pid      []byte // sys_service_provider_id
	pidBuf   [24]byte
	hbNum    int
	rebates  [2]rebate
	nRebates int
	// The second payment of PaidTwice is audited too.
	secondRebate rebate
	statements   [8]statementRow
	nStatements  int
	conflict     fen // by how much the further row of ConflictPOS, ConflictBill differs
}

// draws are a record's first two: cheap enough to find the few records with
// refunds without building the others.
func (w *world) draws(r *rng) (match Kind, refunded bool) {
	match = w.match.pick(uint64(r.n(1000)))
	return match, r.n(1000) < int64(w.cfg.Refunds)
}

func (w *world) mayHaveRefunds(i int64) bool {
	r := streamOf(w.cfg.Seed, i, 1)
	match, refunded := w.draws(&r)
	return refunded || match == CancelledRefunded || match == OrphanRefund
}

// build fills o with record i. It is told in order: who and when, which kinds,
// goods, amounts, numbers, refunds, rebates.
func (w *world) build(i int64, o *order) {
	r := streamOf(w.cfg.Seed, i, 1)
	match, refunded := w.draws(&r)
	var j int64
	o.i = i
	o.m, j = w.place(i)
	me := &w.merchants[o.m]
	o.store = me.firstStore + int(r.n(int64(me.stores)))
	o.terminal = int(r.n(int64(w.cfg.Terminals)))
	o.operator = int(r.n(5))
	o.buyer = r.next()
	u := (uint64(i)<<32 + r.next()>>32) / uint64(w.cfg.Trades)
	o.created = me.second(u)
	o.finished = o.created + r.between(3, 40)

	if c := w.cfg.Cluster; c != nil && match == Matched && o.m == c.Merchant && o.store == me.firstStore+c.Store &&
		int(o.created/3600) == c.Hour && r.perMille(c.Share) {
		match = POSOnly
	}
	if match == MerchantDiffers && (me.partner < 0 || w.stores[o.store].own) {
		match = Matched
	}
	t := traitsOf[match]
	o.kind = match
	o.posLines, o.billRow = t.pos, t.bill
	o.pos, o.bill = t.pos && !t.posRejected, t.bill && match != RejectBillTime && match != RejectBillType
	o.status, o.channel = paid, alipay
	o.posMerchant, o.posStore = o.m, o.store
	o.drawKinds(w, &r)
	if refunded {
		o.drawRefundKind(w, &r, t)
	}
	o.fitKinds(w, &r, t)
	o.setTimes(&r)

	w.drawGoods(o, &r)
	o.setAmounts(w, &r)
	w.setNumbers(o, j)
	w.drawFee(o, &r)
	o.nRefunds = 0
	w.drawRefunds(o, &r)
	w.drawRebates(o, &r)
}

// drawKinds draws one kind of each group, but for refunds.
func (o *order) drawKinds(w *world, r *rng) {
	o.goodsKind = w.goods.pick(uint64(r.n(1000)))
	o.fundKind = w.funding.pick(uint64(r.n(1000)))
	o.rebateKind = w.rebate.pick(uint64(r.n(1000)))
	o.feeKind = w.fee.pick(uint64(r.n(1000)))
	o.refundKind = NoRefund
}

// drawRefundKind draws how a refunded order is refunded.
func (o *order) drawRefundKind(w *world, r *rng, t traits) {
	if total := w.refund.total(); total > 0 && (t.refunds || t.refundPart) {
		o.refundKind = w.refund.pick(uint64(r.n(int64(total))))
		if t.refundPart {
			o.refundKind = RefundPart
		}
	}
}

// fitKinds drops what the match kind cannot carry, and draws the attributes.
func (o *order) fitKinds(w *world, r *rng, t traits) {
	if !t.goodsAll {
		//exhaustive:ignore
		switch o.goodsKind {
		case Equal, Below, Above, Merged:
		default:
			o.goodsKind = Equal
		}
	}
	//exhaustive:ignore
	switch o.kind {
	case RejectColumns, RejectNoNumber, RejectMerchant: // a line of its own
		o.goodsKind = Equal
	case IdentityPOS:
		o.fundKind = MerchantRedPacket
	case OtherChannel, NotPaid, ZeroAmount:
		o.fundKind = BuyerOnly
	case POSOnly, PendingPOS, RejectBillTime, RejectBillType:
		//exhaustive:ignore
		switch o.fundKind {
		case RedPacket, Allowance, Coupon, AllowanceAndCoupon:
		default:
			o.fundKind = BuyerOnly
		}
	default:
		if !t.fundAll && (o.fundKind == FundingMismatch || o.fundKind == FundingMismatchAC) {
			o.fundKind = BuyerOnly
		}
	}
	if o.refundKind == RefundListPriceLeft {
		o.fundKind = BuyerOnly // what is left of the total and of the money are the same then
	}
	if !t.rebateAll {
		o.rebateKind = RightPrimary
	}
	if l := w.cfg.LostPID; l != nil && o.kind != MerchantDiffers && o.m == l.Merchant && o.store == w.merchants[o.m].firstStore+l.Store &&
		o.terminal == l.Terminal && o.created >= int64(l.From.Seconds()) {
		o.rebateKind = PIDMissing
	}
	o.hbNum = 0
	if t.rebateAll && r.perMille(w.attribute[Instalment]) {
		o.hbNum = []int{3, 6, 12}[r.n(3)]
	}
	var x uint64
	left := 0
	attr := func(k Kind) bool { // 21 bits of a draw each
		if left == 0 {
			x, left = r.next(), 3
		}
		share := x & (1<<21 - 1) * 1000 >> 21
		x >>= 21
		left--
		return share < uint64(w.attribute[k])
	}
	o.blankCells = attr(BlankCells) && o.pos && o.kind != NoMerchantPID && !o.goodsKind.rejecting()
	o.apart = attr(Apart) && o.pos && !o.goodsKind.rejecting()
	o.thousands = attr(Thousands)
	o.yen = !o.thousands && attr(YenSign)
	o.comma = attr(CommaInSubject)
	//exhaustive:ignore
	switch o.kind {
	case IdentityBill, RejectBillTime, RejectBillType: // the comma is only found where all else is right
		o.comma = false
	}
	o.padded = attr(PaddedPID)
	o.blankStore = attr(BlankBillStore) && !w.stores[o.store].own && t.bill
}

// setTimes moves the records of the day's ends there.
func (o *order) setTimes(r *rng) {
	//exhaustive:ignore
	switch o.kind {
	case PendingPOS:
		o.created = midnight - cutoff + r.n(cutoff)
	case PendingBill:
		o.finished = midnight - cutoff + r.n(cutoff)
		o.created = o.finished - r.between(1, 30)
	case BillAtStart:
		o.finished = 5 + r.n(cutoff-5)
		o.created = o.finished - r.between(1, 5)
	}
}

// setAmounts draws what each side says and what paid it. The goods have set posTotal.
func (o *order) setAmounts(w *world, r *rng) {
	o.gap, o.conflict = 0, 0
	o.billTotal = o.posTotal
	//exhaustive:ignore
	switch o.kind {
	case AmountMismatch:
		d := []fen{1, 100, r.between(1, 5000)}[r.n(3)]
		if o.posTotal > d && r.n(2) == 0 {
			d = -d
		}
		o.billTotal += d
	case ClosedPaid, CancelledRefunded:
		o.status = closed
	case UnpaidPaid:
		o.status = unpaid
	case NotPaid:
		o.status = unpaid + posStatus(r.n(2))
	case OtherChannel:
		o.channel = wechat + payChannel(r.n(2))
	case ConflictPOS, ConflictBill:
		o.conflict = r.between(1, 100)
	case IdentityBill:
		o.gap = r.between(1, 300)
	case MerchantDiffers:
		o.posMerchant = w.merchants[o.m].partner
		o.posStore = w.merchants[o.posMerchant].firstStore
	}
	o.drawFunding(r)
	o.received = o.billTotal - o.fund.allowance - o.fund.coupon - o.fund.merchantRed + o.gap
}

// drawFunding divides the bill's total (the POS's, without a bill) over the
// funding kinds, and says what the POS states of it.
func (o *order) drawFunding(r *rng) {
	total := o.billTotal
	f := funding{stated: true}
	share := func(upTo int64) fen { // 1 to total/upTo
		return 1 + r.n(max(total/upTo, 1))
	}
	kind := o.fundKind
	if total < 50 {
		kind = BuyerOnly
		if o.kind == IdentityPOS {
			kind = MerchantRedPacket
		}
	}
	if kind == POSFundsBlank { // whatever the bill says
		f.stated = false
		kind = []Kind{BuyerOnly, RedPacket, Allowance, Coupon}[r.n(4)]
	}
	//exhaustive:ignore
	switch kind {
	case RedPacket, FundingMismatch:
		f.redPacket = share(5)
	case PlatformDiscount:
		f.platform = share(5)
	case Allowance:
		f.allowance = share(6)
	case Coupon, FundingMismatchAC:
		f.coupon = share(5)
	case AllowanceAndCoupon:
		f.allowance, f.coupon = share(8), share(8)
	case MerchantRedPacket:
		f.merchantRed = share(6)
		f.stated = o.kind == IdentityPOS
	case Points:
		f.points = share(10)
	case AllFunds:
		f.redPacket, f.platform, f.allowance, f.coupon = share(10), share(10), share(10), share(10)
		f.points = share(10)
	}
	f.red = f.redPacket + f.platform
	f.voucher = f.coupon
	f.buyer = total - f.red - f.allowance - f.coupon - f.merchantRed
	o.posFund = f
	//exhaustive:ignore
	switch kind {
	case FundingMismatch:
		d := r.between(1, f.buyer)
		if r.n(2) == 0 {
			d = -r.between(1, f.red)
		}
		o.posFund.red += d
		o.posFund.buyer -= d
	case FundingMismatchAC:
		o.posFund.buyer += f.coupon
		o.posFund.coupon = 0
	}
	if o.kind == AmountMismatch {
		o.posFund.stated = false
	}
	o.fund = f
}

// numbers gives the record its numbers. The same order numbers occur at every
// merchant: only the PID tells them apart.
func (w *world) setNumbers(o *order, j int64) {
	b := append(o.numberBuf[:0], "POS"...)
	date := w.compact
	//exhaustive:ignore
	switch o.kind {
	case MerchantDiffers: // a series of its own: the other merchant has this number too
		b = append(o.numberBuf[:0], "PMD"...)
		j = o.i
	case OrphanRefund:
		date = w.earlier
	}
	b = append(b, date...)
	b = appendDigits(b, j+1, w.seqWidth)
	o.number = b
	o.billNumber = b
	if o.kind == OtherNumber {
		o.billNumber = append(append(o.billNumberBuf[:0], b...), "_R1"...)
	}
	o.tradeNo = w.appendTradeNo(o.tradeNoBuf[:0], date, o.i)
	o.posTradeNo = o.tradeNo
	o.secondTradeNo = nil
	n := int64(w.cfg.Trades)
	//exhaustive:ignore
	switch o.kind {
	case NoTradeNo:
		o.posTradeNo = nil
	case TradeNoConflict:
		o.posTradeNo = w.appendTradeNo(o.posTradeNoBuf[:0], w.compact, o.i+n)
	case PaidTwice:
		o.secondTradeNo = w.appendTradeNo(o.secondBuf[:0], w.compact, o.i+n)
	case OtherChannel:
		o.posTradeNo = nil
	case NotPaid:
		if o.i%2 == 0 {
			o.posTradeNo = nil
		}
	}
}

// appendTradeNo appends 28 digits that only this number has on its date.
func (w *world) appendTradeNo(b []byte, date string, number int64) []byte {
	b = append(b, date...)
	b = append(b, "22001"...)
	b = appendDigits(b, int64(mix64(uint64(number)^w.cfg.Seed)%10_000), 4)
	// A multiplier with neither 2 nor 5 in it keeps the numbers apart; the offset
	// keeps small ones from ending in zeros, which would look damaged.
	return appendDigits(b, int64((uint64(number)*7_368_787+31_415_926_535)%100_000_000_000), 11)
}

// drawFee sets what the bill charges.
func (w *world) drawFee(o *order, r *rng) {
	o.fee = 0
	if o.feeKind == FeeMismatch && (!o.bill || !w.chargesFee(o) || o.billsTwice()) {
		o.feeKind = FeeRight
	}
	if w.merchants[o.m].deferred {
		return
	}
	o.fee = feeOf(o.received, w.stores[o.store].rate)
	//exhaustive:ignore
	switch o.feeKind {
	case FeeWithin:
		o.fee++
	case FeeMismatch:
		o.fee += r.between(2, 50)
	}
}

// billsTwice reports whether the bills have a further row of o with the same fee.
func (o *order) billsTwice() bool {
	return o.kind == DuplicateBill || o.kind == ConflictBill || o.kind == PaidTwice
}

// chargesFee reports whether the fee of o's bill row is checked.
func (w *world) chargesFee(o *order) bool {
	me := &w.merchants[o.m]
	return !me.deferred && (me.stated || w.stores[o.store].own)
}
