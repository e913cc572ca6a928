package gen

import "fmt"

// Kind is one thing that can be planted in a record. A record has at most one
// kind of each group; kinds that would make each other's truth uncertain are
// never combined.
//
// A switch on kinds deals with the few that matter there and is marked so
// (exhaustive:ignore): that each kind is planted and counted is for the tests.
type Kind uint8

// The kinds, by group. A group's first line is what most records are.
const (
	noKind Kind = iota

	Matched           // both sides agree
	NoTradeNo         // the POS lacks the trade_no; the key matches
	NoMerchantPID     // the POS lacks the PID; the store registry gives it
	AmountMismatch    // the sides differ in the amount
	ClosedPaid        // the POS says closed, the bill has the money
	UnpaidPaid        // the POS says unpaid, the bill has the money
	CancelledRefunded // as ClosedPaid, and the bill refunds all of it
	BillOnly          // no POS order
	POSOnly           // no bill row
	PendingPOS        // no bill row yet, minutes before midnight
	PendingBill       // no POS order yet, minutes before midnight
	BillAtStart       // no POS order, minutes after midnight
	NotPaid           // unpaid or closed, and no bill row
	ZeroAmount        // a paid order of 0.00
	OtherChannel      // paid by WeChat or in cash
	DuplicatePOS      // the order again in a second POS file
	DuplicateBill     // the row again in an overlapping bill
	ConflictPOS       // as DuplicatePOS, with another amount
	ConflictBill      // as DuplicateBill, with another amount
	PaidTwice         // a second payment under the same order number
	OtherNumber       // the order numbers differ, the trade_no is the same
	MerchantDiffers   // the POS names another merchant, the trade_no is the same
	TradeNoConflict   // the key matches, the trade_nos differ
	IdentityBill      // the bill row's amounts do not add up
	IdentityPOS       // the POS order's amounts do not add up
	OrphanRefund      // a refund of an earlier day's order
	StatementOrphan   // a statement row of this day for an unknown trade
	OutOfScope        // a statement row of another day
	RejectAmount      // amount_syntax, the bill has the trade
	RejectPrecision   // amount_precision, the bill has the trade
	RejectRange       // amount_range, the bill has the trade
	RejectTime        // time_syntax, the bill has the trade
	RejectStatus      // enum_value, the bill has the trade
	RejectTradeNo     // id_damaged, the bill has the trade
	OrderConflict     // order_conflict, the bill has the trade
	RejectColumns     // column_count, a line of its own
	RejectNoNumber    // missing_value, a line of its own
	RejectMerchant    // merchant_unknown, a line of its own
	RejectBillTime    // time_syntax in the bill, the POS has the order
	RejectBillType    // enum_value in the bill, the POS has the order

	Equal        // the lines add up to the total
	Below        // the total is less than the lines
	Above        // the total is more than the lines
	TagPrice     // no line has a price
	TagSome      // one line has no price
	PriceUnknown // a line has neither price nor tag price
	ZeroAbove    // all prices are 0.00
	ZeroTag      // no line has a price and all tag prices are 0.00
	Merged       // lines of one goods_id at two prices
	NoGoods      // no goods cell at all
	BlankID      // lines without goods_id
	NegativeQuantity
	BadQuantity
	BlankQuantity

	BuyerOnly        // the buyer paid all
	RedPacket        // 支付宝红包
	PlatformDiscount // 支付宝优惠
	Allowance        // 购物津贴
	Coupon           // 优惠券, with 券核销金额
	AllowanceAndCoupon
	MerchantRedPacket // 商家红包; the POS states no funding
	Points            // 集分宝
	AllFunds          // red packet, discount, allowance, coupon and points
	POSFundsBlank     // the POS states no funding
	FundingMismatch   // the POS states another red packet
	FundingMismatchAC // the POS does not know of the coupon

	NoRefund
	RefundPart
	RefundSeveral
	RefundWhole
	RefundListPrice     // 方案一, with lines
	RefundListPriceLeft // 方案一, the last ask is more than what is left
	RefundProrated      // 方案二, with lines
	RefundProratedParts // 方案二, part of a quantity
	RefundRequest       // asks for something else than its mode prescribes
	RefundBillOnly
	RefundPOSOnly
	RefundAmountMismatch
	RefundSplitWrong   // the bill splits it otherwise
	RefundExceeds      // more than the total
	RefundPortal       // blank 请求号
	RefundPortalNumber // 请求号 is the order number
	RefundOtherStore
	RefundPendingPOS    // minutes before midnight, not yet in the bill
	RefundPendingBill   // minutes before midnight, not yet in the POS
	RefundDuplicateBill // again in an overlapping bill
	RefundDuplicatePOS  // again in a second POS file

	RightPrimary    // the primary PID, paid as expected
	SecondProvider  // another signed PID, paid as expected
	PendingProvider // a signed PID whose statement is not there yet
	PIDMissing
	PIDDamagedE    // 2.08873E+15
	PIDDamagedZero // the 16th digit became 0
	PIDMalformed
	PIDIsMerchant      // the merchant's own
	PIDIsOtherMerchant // another registered merchant's
	PIDNotEffective    // the agreement is over, or not yet
	PIDUnsigned
	PIDForeign
	StatementMissing
	StatementShort
	StatementOver
	StatementDuplicate // the row twice
	StatementUnearned  // no PID and paid all the same
	Clawback           // paid too much and taken back in a second row
	Adjustment         // paid too much and taken back in 调整金额
	StatementTerms     // another trade_amount
	ByOrderNumber      // the row has the order number, not the trade_no

	FeeRight
	FeeWithin   // off by 0.01, tolerated
	FeeMismatch // off by more

	// Attributes, each drawn on its own.
	Instalment     // hb_fq_num, audited for huabei_instalment too
	BillOnlyPaid   // of BillOnly: the statement pays it
	POSOnlyPaid    // of POSOnly: the statement pays it
	BlankCells     // order cells blank after the first line
	Apart          // the last line stands apart
	Thousands      // "1,234.50"
	YenSign        // ¥12.30
	PaddedPID      // spaces and a tab around the service provider's PID
	CommaInSubject // an unquoted comma in the bill's 商品名称
	BlankBillStore // no 门店编号 in the bill

	kindCount
)

// The first kind of each group: what most records are.
const (
	firstMatch     = Matched
	firstGoods     = Equal
	firstFunding   = BuyerOnly
	firstRefund    = NoRefund
	firstRebate    = RightPrimary
	firstFee       = FeeRight
	firstAttribute = Instalment
)

var kindNames = [kindCount]string{
	Matched:              "matched",
	NoTradeNo:            "no_trade_no",
	NoMerchantPID:        "no_merchant_pid",
	AmountMismatch:       "amount_mismatch",
	ClosedPaid:           "closed_paid",
	UnpaidPaid:           "unpaid_paid",
	CancelledRefunded:    "cancelled_refunded",
	BillOnly:             "bill_only",
	POSOnly:              "pos_only",
	PendingPOS:           "pending_pos",
	PendingBill:          "pending_bill",
	BillAtStart:          "bill_at_start",
	NotPaid:              "not_paid",
	ZeroAmount:           "zero_amount",
	OtherChannel:         "other_channel",
	DuplicatePOS:         "duplicate_pos",
	DuplicateBill:        "duplicate_bill",
	ConflictPOS:          "conflict_pos",
	ConflictBill:         "conflict_bill",
	PaidTwice:            "paid_twice",
	OtherNumber:          "other_number",
	MerchantDiffers:      "merchant_differs",
	TradeNoConflict:      "trade_no_conflict",
	IdentityBill:         "identity_bill",
	IdentityPOS:          "identity_pos",
	OrphanRefund:         "orphan_refund",
	StatementOrphan:      "statement_orphan",
	OutOfScope:           "out_of_scope",
	RejectAmount:         "reject_amount",
	RejectPrecision:      "reject_precision",
	RejectRange:          "reject_range",
	RejectTime:           "reject_time",
	RejectStatus:         "reject_status",
	RejectTradeNo:        "reject_trade_no",
	OrderConflict:        "order_conflict",
	RejectColumns:        "reject_columns",
	RejectNoNumber:       "reject_no_number",
	RejectMerchant:       "reject_merchant",
	RejectBillTime:       "reject_bill_time",
	RejectBillType:       "reject_bill_type",
	Equal:                "equal",
	Below:                "below",
	Above:                "above",
	TagPrice:             "tag_price",
	TagSome:              "tag_some",
	PriceUnknown:         "price_unknown",
	ZeroAbove:            "zero_above",
	ZeroTag:              "zero_tag",
	Merged:               "merged",
	NoGoods:              "no_goods",
	BlankID:              "blank_id",
	NegativeQuantity:     "negative_quantity",
	BadQuantity:          "bad_quantity",
	BlankQuantity:        "blank_quantity",
	BuyerOnly:            "buyer_only",
	RedPacket:            "red_packet",
	PlatformDiscount:     "platform_discount",
	Allowance:            "allowance",
	Coupon:               "coupon",
	AllowanceAndCoupon:   "allowance_and_coupon",
	MerchantRedPacket:    "merchant_red_packet",
	Points:               "points",
	AllFunds:             "all_funds",
	POSFundsBlank:        "pos_funds_blank",
	FundingMismatch:      "funding_mismatch",
	FundingMismatchAC:    "funding_mismatch_ac",
	NoRefund:             "no_refund",
	RefundPart:           "refund_part",
	RefundSeveral:        "refund_several",
	RefundWhole:          "refund_whole",
	RefundListPrice:      "refund_list_price",
	RefundListPriceLeft:  "refund_list_price_left",
	RefundProrated:       "refund_prorated",
	RefundProratedParts:  "refund_prorated_parts",
	RefundRequest:        "refund_request",
	RefundBillOnly:       "refund_bill_only",
	RefundPOSOnly:        "refund_pos_only",
	RefundAmountMismatch: "refund_amount_mismatch",
	RefundSplitWrong:     "refund_split_wrong",
	RefundExceeds:        "refund_exceeds",
	RefundPortal:         "refund_portal",
	RefundPortalNumber:   "refund_portal_number",
	RefundOtherStore:     "refund_other_store",
	RefundPendingPOS:     "refund_pending_pos",
	RefundPendingBill:    "refund_pending_bill",
	RefundDuplicateBill:  "refund_duplicate_bill",
	RefundDuplicatePOS:   "refund_duplicate_pos",
	RightPrimary:         "right_primary",
	SecondProvider:       "second_provider",
	PendingProvider:      "pending_provider",
	PIDMissing:           "pid_missing",
	PIDDamagedE:          "pid_damaged_e",
	PIDDamagedZero:       "pid_damaged_zero",
	PIDMalformed:         "pid_malformed",
	PIDIsMerchant:        "pid_is_merchant",
	PIDIsOtherMerchant:   "pid_is_other_merchant",
	PIDNotEffective:      "pid_not_effective",
	PIDUnsigned:          "pid_unsigned",
	PIDForeign:           "pid_foreign",
	StatementMissing:     "statement_missing",
	StatementShort:       "statement_short",
	StatementOver:        "statement_over",
	StatementDuplicate:   "statement_duplicate",
	StatementUnearned:    "statement_unearned",
	Clawback:             "clawback",
	Adjustment:           "adjustment",
	StatementTerms:       "statement_terms",
	ByOrderNumber:        "by_order_number",
	FeeRight:             "fee_right",
	FeeWithin:            "fee_within",
	FeeMismatch:          "fee_mismatch",
	Instalment:           "instalment",
	BillOnlyPaid:         "bill_only_paid",
	POSOnlyPaid:          "pos_only_paid",
	BlankCells:           "blank_cells",
	Apart:                "apart",
	Thousands:            "thousands",
	YenSign:              "yen_sign",
	PaddedPID:            "padded_pid",
	CommaInSubject:       "comma_in_subject",
	BlankBillStore:       "blank_bill_store",
}

// String is the kind's name in truth.json.
func (k Kind) String() string {
	if k == noKind || k >= kindCount {
		return "?"
	}
	return kindNames[k]
}

// ParseKind finds a kind by its name in truth.json.
func ParseKind(name string) (Kind, error) {
	for k := firstMatch; k < kindCount; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%q: no kind of record", name)
}

// rejecting reports whether the kind makes a reject.
func (k Kind) rejecting() bool {
	return k >= RejectAmount && k <= RejectBillType || k >= NegativeQuantity && k <= BlankQuantity
}

// Mix says how often each kind is planted, in per mille of the records that can
// carry it; a group's first kind is what is left. The shares of the refund kinds
// are weights among the refunded orders, whose own share is Config.Refunds.
type Mix map[Kind]int

// check reports a share below 0, or shares of a group that are more than all.
func (m Mix) check() error {
	groups := []Kind{firstMatch, firstGoods, firstFunding, firstRefund, firstRebate, firstFee, firstAttribute, kindCount}
	for g, first := range groups[:len(groups)-1] {
		sum := 0
		for k := first; k < groups[g+1]; k++ {
			share := m[k]
			if share < 0 || share > 1000 {
				return fmt.Errorf("mix: %v: %d is not in 0 to 1000", k, share)
			}
			if k != first {
				sum += share
			}
		}
		if sum > 1000 && first != firstRefund && first != firstAttribute {
			return fmt.Errorf("mix: the kinds beside %v have %d of 1000", first, sum)
		}
	}
	return nil
}

// DefaultMix plants every kind.
func DefaultMix() Mix {
	return Mix{
		NoTradeNo: 20, NoMerchantPID: 10, AmountMismatch: 6, ClosedPaid: 2, UnpaidPaid: 2,
		CancelledRefunded: 3, BillOnly: 4, POSOnly: 4, PendingPOS: 2, PendingBill: 2,
		BillAtStart: 1, NotPaid: 6, ZeroAmount: 3, OtherChannel: 15, DuplicatePOS: 5,
		DuplicateBill: 4, ConflictPOS: 2, ConflictBill: 2, PaidTwice: 2, OtherNumber: 3,
		MerchantDiffers: 2, TradeNoConflict: 2, IdentityBill: 2, IdentityPOS: 2,
		OrphanRefund: 3, StatementOrphan: 2, OutOfScope: 3,
		RejectAmount: 1, RejectPrecision: 1, RejectRange: 1, RejectTime: 1, RejectStatus: 1,
		RejectTradeNo: 1, OrderConflict: 1, RejectColumns: 1, RejectNoNumber: 1,
		RejectMerchant: 1, RejectBillTime: 1, RejectBillType: 1,

		Below: 250, Above: 60, TagPrice: 15, TagSome: 5, PriceUnknown: 4, ZeroAbove: 2,
		ZeroTag: 2, Merged: 30, NoGoods: 20, BlankID: 10, NegativeQuantity: 1,
		BadQuantity: 1, BlankQuantity: 1,

		RedPacket: 80, PlatformDiscount: 30, Allowance: 40, Coupon: 60, AllowanceAndCoupon: 20,
		MerchantRedPacket: 10, Points: 15, AllFunds: 20, POSFundsBlank: 30,
		FundingMismatch: 3, FundingMismatchAC: 2,

		RefundPart: 40, RefundSeveral: 15, RefundWhole: 25, RefundListPrice: 8,
		RefundListPriceLeft: 4, RefundProrated: 10, RefundProratedParts: 5, RefundRequest: 2,
		RefundBillOnly: 2, RefundPOSOnly: 2, RefundAmountMismatch: 2, RefundSplitWrong: 2,
		RefundExceeds: 1, RefundPortal: 3, RefundPortalNumber: 1, RefundOtherStore: 5,
		RefundPendingPOS: 1, RefundPendingBill: 1, RefundDuplicateBill: 1, RefundDuplicatePOS: 1,

		SecondProvider: 60, PendingProvider: 10, PIDMissing: 12, PIDDamagedE: 4,
		PIDDamagedZero: 4, PIDMalformed: 5, PIDIsMerchant: 5, PIDIsOtherMerchant: 3,
		PIDNotEffective: 5, PIDUnsigned: 5, PIDForeign: 5, StatementMissing: 8,
		StatementShort: 6, StatementOver: 6, StatementDuplicate: 3, StatementUnearned: 3,
		Clawback: 5, Adjustment: 3, StatementTerms: 3, ByOrderNumber: 10,

		FeeWithin: 10, FeeMismatch: 3,

		Instalment: 30, BillOnlyPaid: 150, POSOnlyPaid: 150, BlankCells: 150, Apart: 20,
		Thousands: 60, YenSign: 5, PaddedPID: 10, CommaInSubject: 2, BlankBillStore: 5,
	}
}

// cleanMix is a day on which everything agrees.
func cleanMix() Mix { return Mix{RefundPart: 1, RefundWhole: 1} }

// picker draws a kind of one group.
type picker struct {
	upTo  []uint64
	kinds []Kind
	rest  Kind
}

// newPicker takes the group of kinds from first up to the next group.
func newPicker(mix Mix, first, end Kind) picker {
	p := picker{rest: first}
	var sum uint64
	for k := first + 1; k < end; k++ {
		if mix[k] <= 0 {
			continue
		}
		sum += uint64(mix[k])
		p.upTo = append(p.upTo, sum)
		p.kinds = append(p.kinds, k)
	}
	return p
}

func (p *picker) total() uint64 {
	if len(p.upTo) == 0 {
		return 0
	}
	return p.upTo[len(p.upTo)-1]
}

// pick returns the kind at x of 1000, or of total for a group of weights.
func (p *picker) pick(x uint64) Kind {
	if x >= p.total() {
		return p.rest
	}
	for i, up := range p.upTo {
		if x < up {
			return p.kinds[i]
		}
	}
	return p.rest
}
