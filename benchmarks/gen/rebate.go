package gen

type cause uint8

const (
	okCause cause = iota + 1
	pidUnknown
	pidMissing
	pidDamaged
	pidMalformed
	pidIsMerchant
	pidNotEffective
	pidUnsigned
	pidForeign
	statementPending
	statementMissing
	statementShort
	statementOver
	causeCount
)

var causeNames = [causeCount]string{
	"", "ok", "pid_unknown", "pid_missing", "pid_damaged", "pid_malformed", "pid_is_merchant",
	"pid_not_effective", "pid_unsigned", "pid_foreign", "statement_pending",
	"statement_missing", "statement_short", "statement_over",
}

func (c cause) appeal() string {
	//exhaustive:ignore
	switch c {
	case pidMissing, pidDamaged, pidMalformed, pidIsMerchant, pidNotEffective, pidUnsigned, pidForeign:
		return "lost"
	case statementMissing, statementShort:
		return "claimable"
	case statementOver:
		return "owed"
	}
	return ""
}

// rebate is what is true of one (trade, product).
type rebate struct {
	product                int
	cause                  cause
	expected, stated, loss micro
	hasRow                 bool

	unearned, duplicated micro // paid on a wrong PID; paid by a second row
	terms                fen   // by how much the row's trade_amount is off
}

// statementRow is one row of the statement.
type statementRow struct {
	provider, product  int
	tradeNo            []byte
	byNumber           bool
	time               int64
	otherDay           bool
	tradeAmount        fen // or blankAmount
	amount, adjustment micro
	orphan             bool
}

// drawRebates sets the PID that the order carries, what the statement pays and
// what is to be found of it.
func (w *world) drawRebates(o *order, r *rng) {
	o.nRebates, o.nStatements = 0, 0
	o.secondRebate = rebate{}
	//exhaustive:ignore
	switch o.kind {
	case StatementOrphan, OutOfScope:
		row := o.pay(primary, faceToFace, r.between(1, 500)*10_000)
		row.otherDay, row.orphan = o.kind == OutOfScope, o.kind == StatementOrphan
		return
	case OrphanRefund:
		return
	}
	w.drawPID(o, r)
	if !o.bill {
		e := rebateOf(o.posTotal, 2000, w.cfg.RebateScale, 0)
		if o.kind == POSOnly && e > 0 && r.perMille(w.attribute[POSOnlyPaid]) {
			o.pay(primary, faceToFace, e)
		}
		return
	}
	if !o.pos {
		b := w.unknownTrade(o)
		if r.perMille(w.attribute[BillOnlyPaid]) {
			b = o.paidAnyway(b, o.tradeNo)
		}
		o.addRebate(b)
		return
	}
	w.auditFaceToFace(o, r)
	if o.hbNum > 0 {
		w.auditHuabei(o)
	}
	if o.kind == PaidTwice {
		o.secondRebate = w.unknownTrade(o)
		if r.n(5) == 0 && !w.together() {
			o.secondRebate = o.paidAnyway(o.secondRebate, o.secondTradeNo)
		}
	}
}

func (o *order) addRebate(b rebate) {
	o.rebates[o.nRebates] = b
	o.nRebates++
}

// pay adds a statement row.
func (o *order) pay(p, product int, amount micro) *statementRow {
	row := &o.statements[o.nStatements]
	o.nStatements++
	*row = statementRow{provider: p, product: product, tradeNo: o.tradeNo, time: o.finished, tradeAmount: blankAmount, amount: amount}
	return row
}

// basis is what the agreement's rate is applied to: less the bill's refunds.
func (o *order) basis(a *agreement) fen {
	if a.basis == "order_amount" {
		x := o.billTotal
		for k := range o.nRefunds {
			x -= o.refunds[k].billAmount
		}
		return x
	}
	x := o.received
	for k := range o.nRefunds {
		x -= o.refunds[k].received
	}
	return x
}

func (o *order) expects(a *agreement) micro {
	return rebateOf(o.basis(a), a.rate, a.scale, a.limit)
}

// unknownTrade is a payment that no POS order explains, measured by the primary's
// agreement.
func (w *world) unknownTrade(o *order) rebate {
	b := rebate{product: faceToFace, cause: pidUnknown}
	b.expected = o.expects(&w.providers[primary].agreements[faceToFace])
	b.loss = b.expected
	if b.loss == 0 {
		b.cause = okCause
	}
	return b
}

// paidAnyway is an unknown trade's rebate when it was paid all the same: it is ok.
func (o *order) paidAnyway(b rebate, tradeNo []byte) rebate {
	if b.expected > 0 {
		o.pay(primary, faceToFace, b.expected).tradeNo = tradeNo
		b.stated, b.hasRow, b.loss, b.cause = b.expected, true, 0, okCause
	}
	return b
}

// drawPID sets what the order carries as its service provider's PID.
func (w *world) drawPID(o *order, r *rng) {
	pid := ""
	own := []int{primary, second, unsigned}[r.n(3)]
	b := o.pidBuf[:0]
	//exhaustive:ignore
	switch o.rebateKind {
	case PIDMissing, StatementUnearned:
	case SecondProvider:
		pid = w.providers[second].pid
	case PendingProvider:
		pid = w.providers[pendingPID].pid
	case PIDDamagedE:
		pid = damaged(w.providers[own].pid)
	case PIDDamagedZero:
		pid = w.providers[own].pid[:15] + "0"
	case PIDMalformed:
		switch r.n(3) {
		case 0: // a digit short
			b = appendDigits(append(b, "20889"...), r.n(1e10), 10)
		case 1: // not an Alipay account
			b = appendDigits(append(b, "1088"...), r.n(1e12), 12)
		default:
			b = appendDigits(append(b, "2088ISV"...), r.n(1e9), 9)
		}
	case PIDIsMerchant:
		pid = w.merchants[o.m].pid
	case PIDIsOtherMerchant:
		pid = w.merchants[(o.m+1)%len(w.merchants)].pid
	case PIDNotEffective:
		pid = w.providers[[]int{expired, future}[r.n(2)]].pid
	case PIDUnsigned:
		pid = w.providers[unsigned].pid
	case PIDForeign:
		b = appendDigits(append(b, "20889"...), r.n(1e11), 11)
	default:
		pid = w.providers[primary].pid
	}
	o.pid = append(b, pid...)
}

// wrongPID is the cause of a kind whose PID is wrong for face_to_face; 0: it is right.
func wrongPID(k Kind) cause {
	//exhaustive:ignore
	switch k {
	case PIDMissing, StatementUnearned:
		return pidMissing
	case PIDDamagedE, PIDDamagedZero:
		return pidDamaged
	case PIDMalformed:
		return pidMalformed
	case PIDIsMerchant, PIDIsOtherMerchant:
		return pidIsMerchant
	case PIDNotEffective:
		return pidNotEffective
	case PIDUnsigned:
		return pidUnsigned
	case PIDForeign:
		return pidForeign
	}
	return 0
}

func (w *world) auditFaceToFace(o *order, r *rng) {
	p := primary
	//exhaustive:ignore
	switch o.rebateKind {
	case SecondProvider:
		p = second
	case PendingProvider:
		p = pendingPID
	}
	a := &w.providers[p].agreements[faceToFace]
	b := rebate{product: faceToFace, cause: okCause, expected: o.expects(a)}
	e := b.expected
	unit := micro(1)
	for range 6 - a.scale {
		unit *= 10
	}
	if c := wrongPID(o.rebateKind); c != 0 {
		b.cause = c
		if o.rebateKind == StatementUnearned && e > 0 {
			o.pay(p, faceToFace, e)
			b.stated, b.hasRow, b.unearned = e, true, e
		}
		b.loss = e - b.stated
		o.addRebate(b)
		return
	}
	switch kind := o.rebateKind; {
	case kind == PendingProvider:
		b.cause = statementPending
		o.addRebate(b)
		return
	case w.together() && p == primary:
		// What is not in the statement at all is missing; else it is compared with the
		// others of its month.
		if e > 0 && w.groupPlan(o.m).kind == groupMissing {
			b.cause, b.loss = statementMissing, e
		}
		o.addRebate(b)
		return
	case kind == StatementMissing && e > 0:
		b.cause = statementMissing
	case kind == StatementShort && e > unit:
		b.cause = statementShort
		o.payBasis(p, a, e-unit*r.between(1, min(e/unit-1, 200)))
	case kind == StatementOver:
		b.cause = statementOver
		o.payBasis(p, a, e+unit*r.between(1, 200))
	case kind == StatementDuplicate && e > 0:
		b.cause, b.duplicated = statementOver, e
		o.payBasis(p, a, e)
		o.payBasis(p, a, e)
	case kind == Clawback:
		c := unit * r.between(1, 200)
		o.pay(p, faceToFace, e+c)
		o.pay(p, faceToFace, -c)
	case kind == Adjustment:
		c := unit * r.between(1, 200)
		o.pay(p, faceToFace, e+c).adjustment = -c
	case kind == StatementTerms && e > 0 && o.nRefunds == 0:
		b.terms = 100
		o.payBasis(p, a, e).tradeAmount += b.terms
	case e > 0:
		o.payBasis(p, a, e).byNumber = kind == ByOrderNumber
	}
	for k := range o.nStatements {
		b.hasRow = true
		b.stated += o.statements[k].amount + o.statements[k].adjustment
	}
	b.loss = e - b.stated
	o.addRebate(b)
}

// payBasis adds a row with its trade_amount, which an order with refunds leaves blank.
func (o *order) payBasis(p int, a *agreement, amount micro) *statementRow {
	row := o.pay(p, faceToFace, amount)
	if o.nRefunds == 0 {
		row.tradeAmount = o.basis(a)
	}
	return row
}

// auditHuabei: only the primary has signed for instalments, so that every other
// PID of ours is pid_unsigned there.
func (w *world) auditHuabei(o *order) {
	a := &w.providers[primary].agreements[huabei]
	b := rebate{product: huabei, cause: okCause, expected: o.expects(a)}
	switch c := wrongPID(o.rebateKind); {
	case c == pidNotEffective, o.rebateKind == SecondProvider, o.rebateKind == PendingProvider:
		b.cause = pidUnsigned
	case c != 0:
		b.cause = c
	case b.expected == 0:
	case o.rebateKind == StatementMissing:
		b.cause = statementMissing
	default:
		o.pay(primary, huabei, b.expected)
		b.stated, b.hasRow = b.expected, true
	}
	b.loss = b.expected - b.stated
	o.addRebate(b)
}
