package rules

// Cause says what became of a trade's rebate.
type Cause uint8

// The causes, in the order of the tests: first those of the PID, then those of
// the statement.
const (
	CauseOK Cause = iota + 1
	CausePIDUnknown
	CausePIDMissing
	CausePIDWrongKey
	CausePIDDamaged
	CausePIDMalformed
	CausePIDIsMerchant
	CausePIDNotEffective
	CausePIDUnsigned
	CausePIDForeign
	CauseStatementPending
	CauseStatementMissing
	CauseStatementShort
	CauseStatementOver
)

var causes = []struct {
	word   string
	appeal Appeal
	code   BreakCode // 0: no break
}{
	CauseOK:               {"ok", AppealNone, 0},
	CausePIDUnknown:       {"pid_unknown", AppealNone, BreakPIDUnknown},
	CausePIDMissing:       {"pid_missing", AppealLost, BreakPIDMissing},
	CausePIDWrongKey:      {"pid_wrong_key", AppealLost, BreakPIDWrongKey},
	CausePIDDamaged:       {"pid_damaged", AppealLost, BreakPIDDamaged},
	CausePIDMalformed:     {"pid_malformed", AppealLost, BreakPIDMalformed},
	CausePIDIsMerchant:    {"pid_is_merchant", AppealLost, BreakPIDIsMerchant},
	CausePIDNotEffective:  {"pid_not_effective", AppealLost, BreakPIDNotEffective},
	CausePIDUnsigned:      {"pid_unsigned", AppealLost, BreakPIDUnsigned},
	CausePIDForeign:       {"pid_foreign", AppealLost, BreakPIDForeign},
	CauseStatementPending: {"statement_pending", AppealNone, 0},
	CauseStatementMissing: {"statement_missing", AppealClaimable, BreakStatementMissing},
	CauseStatementShort:   {"statement_short", AppealClaimable, BreakStatementShort},
	CauseStatementOver:    {"statement_over", AppealOwed, BreakStatementOver},
}

var causeWords = func() []string {
	words := make([]string, len(causes))
	for i := range causes {
		words[i] = causes[i].word
	}
	return words
}()

func (c Cause) String() string { return word(causeWords, uint8(c), "Cause") }

// ParseCause is the inverse of String.
func ParseCause(s string) (Cause, bool) { return parseWord[Cause](causeWords, s) }

// Appeal is what can be done about the cause.
func (c Cause) Appeal() Appeal {
	if c == 0 || int(c) >= len(causes) {
		return AppealNone
	}
	return causes[c].appeal
}

// Lost reports whether the rebate is lost for good: the PID was wrong.
func (c Cause) Lost() bool { return c.Appeal() == AppealLost }

// Break is the break that goes with the cause; ok and statement_pending have
// none.
func (c Cause) Break() (BreakCode, bool) {
	if c == 0 || int(c) >= len(causes) {
		return 0, false
	}
	return causes[c].code, causes[c].code != 0
}

// Appeal is what can be done about a rebate that did not come as expected.
type Appeal uint8

// The appeals.
const (
	AppealNone      Appeal = iota + 1
	AppealLost             // the PID was wrong; to be fixed at the till
	AppealClaimable        // goes into a claim pack
	AppealOwed             // was paid beyond what is due
)

var appealWords = []string{AppealNone: "", AppealLost: "lost", AppealClaimable: "claimable", AppealOwed: "owed"}

// String is the contract's word, blank where there is nothing to do.
func (a Appeal) String() string { return word(appealWords, uint8(a), "Appeal") }
