package gen

// tradeRow is one row of expected/trades.csv.
type tradeRow struct {
	status    status
	reason    string
	pos, bill fen // noAmount: the side has none
	billKey   bool
	first     bool // the unit that carries funding and rebate; else they are not stated
	second    bool
}

const noAmount = -1

// tradeRows are the rows that the record leads to, and the breaks of the match.
func (w *world) tradeRows(o *order, t *tallies, rows []tradeRow) []tradeRow {
	both := func(s status, reason string) tradeRow {
		return tradeRow{status: s, reason: reason, pos: o.posTotal, bill: o.billTotal, first: true}
	}
	onlyPOS := func(s status, reason string) tradeRow {
		return tradeRow{status: s, reason: reason, pos: o.posTotal, bill: noAmount, first: s != excluded}
	}
	onlyBill := func(s status, reason string) tradeRow {
		return tradeRow{status: s, reason: reason, pos: noAmount, bill: o.billTotal, billKey: true, first: true}
	}
	//exhaustive:ignore
	switch o.kind {
	case AmountMismatch:
		t.found(bAmountMismatch, abs(o.billTotal-o.posTotal))
		return append(rows, both(amountMismatch, ""))
	case ClosedPaid, UnpaidPaid:
		t.found(bStatusMismatch, o.billTotal)
		return append(rows, both(statusMismatch, ""))
	case CancelledRefunded:
		return append(rows, both(matched, "cancelled_refunded"))
	case BillOnly:
		t.found(bBillOnly, o.billTotal)
		return append(rows, onlyBill(billOnly, ""))
	case BillAtStart:
		if w.cfg.State {
			return append(rows, onlyBill(pending, ""))
		}
		t.found(bBillOnly, o.billTotal)
		return append(rows, onlyBill(billOnly, ""))
	case RejectAmount, RejectPrecision, RejectRange, RejectTime, RejectStatus, RejectTradeNo, OrderConflict:
		t.found(bBillOnly, o.billTotal)
		return append(rows, onlyBill(billOnly, "pos_rejected"))
	case POSOnly, RejectBillTime, RejectBillType:
		t.found(bPOSOnly, o.posTotal)
		return append(rows, onlyPOS(posOnly, ""))
	case PendingPOS:
		return append(rows, onlyPOS(pending, ""))
	case PendingBill:
		return append(rows, onlyBill(pending, ""))
	case NotPaid:
		return append(rows, onlyPOS(excluded, "not_paid"))
	case ZeroAmount:
		return append(rows, onlyPOS(excluded, "zero_amount"))
	case OtherChannel:
		return append(rows, onlyPOS(excluded, "other_channel"))
	case DuplicatePOS, ConflictPOS:
		again := onlyPOS(duplicate, "")
		again.pos += o.conflict
		again.first = false
		t.duplicate(again.pos, o.conflict)
		return append(rows, both(matched, ""), again)
	case DuplicateBill, ConflictBill:
		again := onlyBill(duplicate, "")
		again.bill += o.conflict
		again.first = false
		t.duplicate(again.bill, o.conflict)
		return append(rows, both(matched, ""), again)
	case PaidTwice:
		t.found(bBillOnly, o.billTotal)
		twice := onlyBill(billOnly, "paid_twice")
		twice.second = true
		return append(rows, both(matched, ""), twice)
	case MerchantDiffers:
		return append(rows, both(matched, "merchant_differs"))
	case TradeNoConflict:
		t.found(bTradeNoConflict, o.billTotal)
		return append(rows, both(matched, ""))
	case IdentityBill:
		t.found(bAmountIdentity, o.gap)
		return append(rows, both(matched, ""))
	case IdentityPOS:
		t.found(bAmountIdentity, o.fund.merchantRed)
		return append(rows, both(matched, ""))
	case OrphanRefund, StatementOrphan, OutOfScope, RejectColumns, RejectNoNumber, RejectMerchant:
		return rows
	}
	return append(rows, both(matched, ""))
}

func (t *tallies) duplicate(amount, conflict fen) {
	t.found(bDuplicate, amount)
	if conflict != 0 {
		t.found(bDuplicateConflict, conflict)
	}
}

func abs(v fen) fen { return max(v, -v) }

// count adds what rows say to the sums by status.
func (s *Sides) count(pos, bill fen) {
	if pos != noAmount {
		s.POSCount++
		s.POSAmount += Amount(pos)
	}
	if bill != noAmount {
		s.BillCount++
		s.BillAmount += Amount(bill)
	}
}

// otherBreaks counts the breaks of the record that hang on no table row.
func (w *world) otherBreaks(o *order, t *tallies) {
	if o.pos && o.bill && o.fund.stated && o.posFund.stated {
		d := max(abs(o.fund.buyer-o.posFund.buyer), abs(o.fund.red-o.posFund.red),
			abs(o.fund.allowance+o.fund.coupon-o.posFund.allowance-o.posFund.coupon))
		if d != 0 {
			t.found(bFundingMismatch, d)
		}
	}
	if o.pos && o.status == paid {
		//exhaustive:ignore
		switch o.goodsKind {
		case PriceUnknown:
			t.found(bPriceUnknown, o.posTotal)
			t.notShared++
		case NegativeQuantity, BadQuantity, BlankQuantity:
			t.found(bGoodsIncomplete, o.posTotal)
			t.notShared++
		case NoGoods:
			t.noGoods++
		}
	}
	if o.bill && o.feeKind == FeeMismatch {
		t.found(bFeeMismatch, o.fee-feeOf(o.received, w.stores[o.store].rate))
	}
	if o.kind == POSOnly && o.nStatements > 0 {
		t.foundMicro(bStatementUnearned, o.statements[0].amount)
	}
	for k := range o.nStatements {
		row := &o.statements[k]
		if row.orphan {
			t.foundMicro(bStatementOrphan, row.amount)
		}
		if row.otherDay {
			t.outOfScope++
		}
	}
}

// rejectStrange counts the row of a statement whose merchant nobody knows.
func (w *world) rejectStrange(t *tallies) {
	if w.together() && w.strangeRow() {
		t.rejects[rMerchantUnknown]++
	}
}

// countRejects counts the rejected rows of the record.
func (o *order) countRejects(t *tallies) {
	lines := int64(o.n)
	//exhaustive:ignore
	switch o.kind {
	case RejectAmount:
		t.rejects[rAmountSyntax] += lines
	case RejectPrecision:
		t.rejects[rAmountPrecision] += lines
	case RejectRange:
		t.rejects[rAmountRange] += lines
	case RejectTime:
		t.rejects[rTimeSyntax] += lines
	case RejectStatus:
		t.rejects[rEnumValue] += lines
	case RejectTradeNo:
		t.rejects[rIDDamaged] += lines
	case OrderConflict:
		t.rejects[rOrderConflict] += lines
	case RejectColumns:
		t.rejects[rColumnCount]++
	case RejectNoNumber:
		t.rejects[rMissingValue]++
	case RejectMerchant:
		t.rejects[rMerchantUnknown]++
	case RejectBillTime:
		t.rejects[rTimeSyntax]++
	case RejectBillType:
		t.rejects[rEnumValue]++
	}
	if !o.pos {
		return
	}
	for k := range o.n {
		//exhaustive:ignore
		switch o.lines[k].bad {
		case NegativeQuantity:
			t.rejects[rNegativeGoods]++
		case BadQuantity:
			t.rejects[rNumberSyntax]++
		case BlankQuantity:
			t.rejects[rMissingValue]++
		}
	}
}

// countRefund counts one refund and its breaks.
func (w *world) countRefund(o *order, ref *refund, t *tallies) {
	pos, bill := fen(noAmount), fen(noAmount)
	if ref.pos {
		pos = ref.posAmount
	}
	if ref.bill {
		bill = ref.billAmount
	}
	t.refunds[ref.status].count(pos, bill)
	//exhaustive:ignore
	switch ref.status {
	case billOnly:
		t.found(bRefundBillOnly, ref.billAmount)
	case posOnly:
		t.found(bRefundPOSOnly, ref.posAmount)
	case amountMismatch:
		t.found(bRefundAmountMismatch, abs(ref.billAmount-ref.posAmount))
	}
	if o.kind == OrphanRefund {
		t.found(bRefundOrphan, ref.billAmount)
	}
	if ref.splitGap != 0 {
		t.found(bRefundSplit, ref.splitGap)
	}
	if ref.exceeds != 0 {
		t.found(bRefundExceeds, ref.exceeds)
	}
	if ref.request != 0 {
		t.found(bRefundRequest, ref.request)
	}
	//exhaustive:ignore
	switch ref.again {
	case RefundDuplicateBill:
		t.refunds[duplicate].count(noAmount, ref.billAmount)
		t.found(bRefundDuplicate, ref.billAmount)
	case RefundDuplicatePOS:
		t.refunds[duplicate].count(ref.posAmount, noAmount)
		t.found(bRefundDuplicate, ref.posAmount)
	}
}

// countRebate counts one (trade, product) and its breaks.
func (t *tallies) countRebate(b *rebate) {
	s := &t.rebates[b.cause]
	s.Count++
	s.Expected += Rebate(b.expected)
	s.Stated += Rebate(b.stated)
	s.Loss += Rebate(b.loss)
	if b.cause != okCause && b.cause != statementPending {
		t.foundMicro(bFirstCause+breakCode(b.cause), abs(b.loss))
	}
	if b.unearned != 0 {
		t.foundMicro(bStatementUnearned, b.unearned)
	}
	if b.duplicated != 0 {
		t.foundMicro(bStatementDuplicate, b.duplicated)
	}
	if b.terms != 0 {
		t.found(bStatementTerms, b.terms)
	}
}
