package gen

type status uint8

const (
	matched status = iota + 1
	amountMismatch
	statusMismatch
	pending
	billOnly
	posOnly
	duplicate
	excluded
	statusCount
)

var statusNames = [statusCount]string{
	"", "matched", "amount_mismatch", "status_mismatch", "pending", "bill_only", "pos_only", "duplicate", "excluded",
}

type breakCode uint8

const (
	bBillOnly breakCode = iota
	bPOSOnly
	bAmountMismatch
	bStatusMismatch
	bDuplicate
	bDuplicateConflict
	bTradeNoConflict
	bAmountIdentity
	bFundingMismatch
	bPriceUnknown
	bGoodsIncomplete
	bRefundBillOnly
	bRefundPOSOnly
	bRefundAmountMismatch
	bRefundDuplicate
	bRefundSplit
	bRefundExceeds
	bRefundRequest
	bRefundOrphan
	bStatementUnearned
	bStatementTerms
	bStatementOrphan
	bStatementDuplicate
	bFeeMismatch
	bCouponThreshold
	bAllowanceStep
	bGoodsUnknown
	bPayCode
	bHuabeiOnFace
	bStoreSyncOff
	bDeviceUnknown
	bDeviceUnsigned
	bDeviceMonthCount
	bDeviceMonthCap
	bDeviceTotalCap
	bAccountMissing
	bAccountMismatch
	bFirstCause // the causes of rules 6 follow
	breakCodes  = bFirstCause + breakCode(causeCount)
	noBreak     = breakCodes
)

var breakNames = [bFirstCause]string{
	"bill_only", "pos_only", "amount_mismatch", "status_mismatch", "duplicate", "duplicate_conflict",
	"trade_no_conflict", "amount_identity", "funding_mismatch", "price_unknown", "goods_incomplete",
	"refund_bill_only", "refund_pos_only", "refund_amount_mismatch", "refund_duplicate", "refund_split",
	"refund_exceeds_total", "refund_request", "refund_orphan", "statement_unearned", "statement_terms",
	"statement_orphan", "statement_duplicate", "fee_mismatch", "coupon_threshold", "allowance_step",
	"goods_unknown", "pay_code", "huabei_on_face", "store_sync_off", "device_unknown", "device_unsigned",
	"device_month_count", "device_month_cap", "device_total_cap", "account_missing", "account_mismatch",
}

func (c breakCode) String() string {
	if c < bFirstCause {
		return breakNames[c]
	}
	return causeNames[c-bFirstCause]
}

type rejectCode uint8

const (
	rAmountSyntax rejectCode = iota
	rAmountPrecision
	rAmountRange
	rTimeSyntax
	rEnumValue
	rIDDamaged
	rOrderConflict
	rColumnCount
	rMissingValue
	rMerchantUnknown
	rNegativeGoods
	rNumberSyntax
	rejectCodes
)

var rejectNames = [rejectCodes]string{
	"amount_syntax", "amount_precision", "amount_range", "time_syntax", "enum_value", "id_damaged",
	"order_conflict", "column_count", "missing_value", "merchant_unknown", "negative_goods", "number_syntax",
}
