package rules

// BreakCode names a finding that a person must look at.
type BreakCode uint8

// The break codes, in the order of the report's table.
const (
	BreakBillOnly BreakCode = iota + 1
	BreakRefundBillOnly
	BreakPOSOnly
	BreakRefundPOSOnly
	BreakAmountMismatch
	BreakRefundAmountMismatch
	BreakStatusMismatch
	BreakRefundStatusMismatch
	BreakDuplicate
	BreakRefundDuplicate
	BreakDuplicateConflict
	BreakTradeNoConflict
	BreakAmountIdentity
	BreakFundingMismatch
	BreakPriceUnknown
	BreakGoodsIncomplete
	BreakCouponThreshold
	BreakAllowanceStep
	BreakCouponGoodsLimit
	BreakGoodsFieldMissing
	BreakGoodsUnknown
	BreakPayCode
	BreakHuabeiOnFace
	BreakStoreUnknown
	BreakStoreSyncOff
	BreakRefundSplit
	BreakRefundExceedsTotal
	BreakRefundRequest
	BreakRefundOrphan
	BreakPIDMissing
	BreakPIDWrongKey
	BreakPIDDamaged
	BreakPIDMalformed
	BreakPIDIsMerchant
	BreakPIDNotEffective
	BreakPIDUnsigned
	BreakPIDForeign
	BreakPIDUnknown
	BreakStatementTerms
	BreakStatementUnearned
	BreakStatementMissing
	BreakStatementShort
	BreakStatementOver
	BreakStatementOrphan
	BreakStatementDuplicate
	BreakDeviceMonthCap
	BreakDeviceTotalCap
	BreakDeviceMonthCount
	BreakDeviceUnsigned
	BreakDeviceUnknown
	BreakFeeMismatch
	BreakAccountMissing
	BreakAccountMismatch
	BreakControlTotal
	BreakDialectDrift
)

// breaks is the table of rules 12. A side of 0 is the side of the unit itself.
var breaks = []struct {
	word     string
	side     Side
	severity Severity
}{
	BreakBillOnly:             {"bill_only", SideBill, SeverityError},
	BreakRefundBillOnly:       {"refund_bill_only", SideBill, SeverityError},
	BreakPOSOnly:              {"pos_only", SidePOS, SeverityError},
	BreakRefundPOSOnly:        {"refund_pos_only", SidePOS, SeverityError},
	BreakAmountMismatch:       {"amount_mismatch", SideBoth, SeverityError},
	BreakRefundAmountMismatch: {"refund_amount_mismatch", SideBoth, SeverityError},
	BreakStatusMismatch:       {"status_mismatch", SideBoth, SeverityError},
	BreakRefundStatusMismatch: {"refund_status_mismatch", SideBoth, SeverityError},
	BreakDuplicate:            {"duplicate", 0, SeverityInfo},
	BreakRefundDuplicate:      {"refund_duplicate", 0, SeverityInfo},
	BreakDuplicateConflict:    {"duplicate_conflict", 0, SeverityError},
	BreakTradeNoConflict:      {"trade_no_conflict", SideBoth, SeverityWarn},
	BreakAmountIdentity:       {"amount_identity", 0, SeverityError},
	BreakFundingMismatch:      {"funding_mismatch", SideBoth, SeverityWarn},
	BreakPriceUnknown:         {"price_unknown", SidePOS, SeverityWarn},
	BreakGoodsIncomplete:      {"goods_incomplete", SidePOS, SeverityWarn},
	BreakCouponThreshold:      {"coupon_threshold", SidePOS, SeverityError},
	BreakAllowanceStep:        {"allowance_step", SidePOS, SeverityWarn},
	BreakCouponGoodsLimit:     {"coupon_goods_limit", SidePOS, SeverityInfo},
	BreakGoodsFieldMissing:    {"goods_field_missing", SidePOS, SeverityInfo},
	BreakGoodsUnknown:         {"goods_unknown", SidePOS, SeverityInfo},
	BreakPayCode:              {"pay_code", SidePOS, SeverityInfo},
	BreakHuabeiOnFace:         {"huabei_on_face", SidePOS, SeverityInfo},
	BreakStoreUnknown:         {"store_unknown", SidePOS, SeverityWarn},
	BreakStoreSyncOff:         {"store_sync_off", SidePOS, SeverityWarn},
	BreakRefundSplit:          {"refund_split", SideBill, SeverityError},
	BreakRefundExceedsTotal:   {"refund_exceeds_total", SideBill, SeverityError},
	BreakRefundRequest:        {"refund_request", SidePOS, SeverityWarn},
	BreakRefundOrphan:         {"refund_orphan", SideBill, SeverityInfo}, // error with state
	BreakPIDMissing:           {"pid_missing", SidePOS, SeverityWarn},
	BreakPIDWrongKey:          {"pid_wrong_key", SidePOS, SeverityWarn},
	BreakPIDDamaged:           {"pid_damaged", SidePOS, SeverityWarn},
	BreakPIDMalformed:         {"pid_malformed", SidePOS, SeverityWarn},
	BreakPIDIsMerchant:        {"pid_is_merchant", SidePOS, SeverityWarn},
	BreakPIDNotEffective:      {"pid_not_effective", SidePOS, SeverityWarn},
	BreakPIDUnsigned:          {"pid_unsigned", SidePOS, SeverityWarn},
	BreakPIDForeign:           {"pid_foreign", SidePOS, SeverityWarn},
	BreakPIDUnknown:           {"pid_unknown", SideBill, SeverityInfo},
	BreakStatementTerms:       {"statement_terms", SideStatement, SeverityInfo},
	BreakStatementUnearned:    {"statement_unearned", SideStatement, SeverityInfo},
	BreakStatementMissing:     {"statement_missing", SideStatement, SeverityError},
	BreakStatementShort:       {"statement_short", SideStatement, SeverityError},
	BreakStatementOver:        {"statement_over", SideStatement, SeverityWarn},
	BreakStatementOrphan:      {"statement_orphan", SideStatement, SeverityWarn},
	BreakStatementDuplicate:   {"statement_duplicate", SideStatement, SeverityWarn},
	BreakDeviceMonthCap:       {"device_month_cap", SideStatement, SeverityWarn},
	BreakDeviceTotalCap:       {"device_total_cap", SideStatement, SeverityWarn},
	BreakDeviceMonthCount:     {"device_month_count", SideStatement, SeverityWarn},
	BreakDeviceUnsigned:       {"device_unsigned", SideStatement, SeverityWarn},
	BreakDeviceUnknown:        {"device_unknown", SideStatement, SeverityWarn},
	BreakFeeMismatch:          {"fee_mismatch", SideBill, SeverityWarn},
	BreakAccountMissing:       {"account_missing", SideAccount, SeverityError},
	BreakAccountMismatch:      {"account_mismatch", SideAccount, SeverityError},
	BreakControlTotal:         {"control_total", SideFile, SeverityError},
	BreakDialectDrift:         {"dialect_drift", SideFile, SeverityWarn},
}

var breakWords = func() []string {
	words := make([]string, len(breaks))
	for i := range breaks {
		words[i] = breaks[i].word
	}
	return words
}()

func (c BreakCode) String() string { return word(breakWords, uint8(c), "BreakCode") }

// ParseBreakCode is the inverse of String.
func ParseBreakCode(s string) (BreakCode, bool) { return parseWord[BreakCode](breakWords, s) }

// BreakCodes lists all codes in the order of the report's table.
func BreakCodes() []BreakCode {
	codes := make([]BreakCode, 0, len(breaks)-1)
	for i := 1; i < len(breaks); i++ {
		codes = append(codes, BreakCode(i))
	}
	return codes
}

// Severity is how much the break matters in a run without state: refund_orphan
// is information there, for the order of a refund may be of an earlier day.
func (c BreakCode) Severity() Severity {
	if int(c) >= len(breaks) {
		return 0
	}
	return breaks[c].severity
}

// SeverityWithState is Severity for a run with state, where the order of a
// refund would be in the history.
func (c BreakCode) SeverityWithState() Severity {
	if c == BreakRefundOrphan {
		return SeverityError
	}
	return c.Severity()
}

// OfRebate tells whether the break is the rebate audit's finding of a trade.
func (c BreakCode) OfRebate() bool {
	return c >= BreakPIDMissing && c <= BreakStatementDuplicate
}

// Side is where the break is always found, or 0 when it is on the side of the
// unit that it is about.
func (c BreakCode) Side() Side {
	if int(c) >= len(breaks) {
		return 0
	}
	return breaks[c].side
}
