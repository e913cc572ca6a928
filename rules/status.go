package rules

// Status is what became of a trade or a refund. Each ends in exactly one.
type Status uint8

// The statuses, in the order in which the first that applies is taken.
const (
	StatusDuplicate Status = iota + 1
	StatusExcluded
	StatusStatusMismatch
	StatusAmountMismatch
	StatusMatched
	StatusPending
	StatusBillOnly // 长款
	StatusPOSOnly  // 短款
)

var statusWords = []string{
	StatusDuplicate:      "duplicate",
	StatusExcluded:       "excluded",
	StatusStatusMismatch: "status_mismatch",
	StatusAmountMismatch: "amount_mismatch",
	StatusMatched:        "matched",
	StatusPending:        "pending",
	StatusBillOnly:       "bill_only",
	StatusPOSOnly:        "pos_only",
}

func (s Status) String() string { return word(statusWords, uint8(s), "Status") }

// ParseStatus is the inverse of String.
func ParseStatus(s string) (Status, bool) { return parseWord[Status](statusWords, s) }

// statusBreaks are the codes of the statuses that are breaks, of a payment and of
// a refund.
var statusBreaks = [...][2]BreakCode{
	StatusDuplicate:      {BreakDuplicate, BreakRefundDuplicate},
	StatusStatusMismatch: {BreakStatusMismatch, BreakRefundStatusMismatch},
	StatusAmountMismatch: {BreakAmountMismatch, BreakRefundAmountMismatch},
	StatusBillOnly:       {BreakBillOnly, BreakRefundBillOnly},
	StatusPOSOnly:        {BreakPOSOnly, BreakRefundPOSOnly},
}

// Break is the break of a payment with this status; matched, pending and
// excluded are none.
func (s Status) Break() (BreakCode, bool) { return s.breakOf(0) }

// RefundBreak is Break for a refund.
func (s Status) RefundBreak() (BreakCode, bool) { return s.breakOf(1) }

func (s Status) breakOf(which int) (BreakCode, bool) {
	if int(s) >= len(statusBreaks) {
		return 0, false
	}
	code := statusBreaks[s][which]
	return code, code != 0
}

// Reason says more about a status. 0 is none, which prints blank.
type Reason uint8

// The reasons.
const (
	ReasonO2OPassport Reason = iota + 1
	ReasonOnlineOrder
	ReasonNotFacePay
	ReasonOtherChannel
	ReasonNotPaid
	ReasonZeroAmount
	ReasonPaidTwice
	ReasonMerchantDiffers
	ReasonCancelledRefunded
	ReasonPOSRejected
)

var reasonWords = []string{
	ReasonO2OPassport:       "o2o_passport",
	ReasonOnlineOrder:       "online_order",
	ReasonNotFacePay:        "not_face_pay",
	ReasonOtherChannel:      "other_channel",
	ReasonNotPaid:           "not_paid",
	ReasonZeroAmount:        "zero_amount",
	ReasonPaidTwice:         "paid_twice",
	ReasonMerchantDiffers:   "merchant_differs",
	ReasonCancelledRefunded: "cancelled_refunded",
	ReasonPOSRejected:       "pos_rejected",
}

// String is the contract's word, blank without a reason.
func (r Reason) String() string {
	if r == 0 {
		return ""
	}
	return word(reasonWords, uint8(r), "Reason")
}

// ParseReason is the inverse of String.
func ParseReason(s string) (Reason, bool) { return parseWord[Reason](reasonWords, s) }

// Side is where a break was found.
type Side uint8

// The sides.
const (
	SideBill Side = iota + 1
	SidePOS
	SideBoth
	SideStatement
	SideAccount
	SideFile
)

var sideWords = []string{
	SideBill:      "bill",
	SidePOS:       "pos",
	SideBoth:      "both",
	SideStatement: "statement",
	SideAccount:   "account",
	SideFile:      "file",
}

func (s Side) String() string { return word(sideWords, uint8(s), "Side") }

// ParseSide is the inverse of String.
func ParseSide(s string) (Side, bool) { return parseWord[Side](sideWords, s) }

// Severity says how much a break matters.
type Severity uint8

// The severities, gravest first.
const (
	SeverityError Severity = iota + 1
	SeverityWarn
	SeverityInfo
)

var severityWords = []string{SeverityError: "error", SeverityWarn: "warn", SeverityInfo: "info"}

func (s Severity) String() string { return word(severityWords, uint8(s), "Severity") }

// ParseSeverity is the inverse of String.
func ParseSeverity(s string) (Severity, bool) { return parseWord[Severity](severityWords, s) }

// Counts reports whether a break of this severity counts towards the job's
// limits.
func (s Severity) Counts() bool { return s == SeverityError || s == SeverityWarn }
