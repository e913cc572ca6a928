package rules

// AccountStatus is what the account bill says of a trade of the trade bill (rules
// 8), or of one of its own rows.
type AccountStatus uint8

// The statuses.
const (
	AccountMatched   AccountStatus = iota + 1 // income less expense is what the trade bill expects
	AccountMismatch                           // it is not
	AccountMissing                            // the account bill has no row of the trade
	AccountPending                            // what is missing was finished at the very end of the account bill
	AccountDuplicate                          // an account row whose 账务流水号 is taken; the first counts
)

var accountWords = []string{
	AccountMatched:   "matched",
	AccountMismatch:  "account_mismatch",
	AccountMissing:   "account_missing",
	AccountPending:   "pending",
	AccountDuplicate: "duplicate",
}

// String is the status as the table accounts has it.
func (s AccountStatus) String() string { return word(accountWords, uint8(s), "AccountStatus") }

// ParseAccountStatus is the inverse of String.
func ParseAccountStatus(s string) (AccountStatus, bool) {
	return parseWord[AccountStatus](accountWords, s)
}

// Break is the break of a trade with this status; the others are none.
func (s AccountStatus) Break() (BreakCode, bool) {
	switch s {
	case AccountMismatch:
		return BreakAccountMismatch, true
	case AccountMissing:
		return BreakAccountMissing, true
	case AccountMatched, AccountPending, AccountDuplicate:
	}
	return 0, false
}

// PaymentNet is what a payment moves into the merchant's account: 商家实收 − 服务费 −
// 分润. The two are taken off whatever the sign in which a file writes them.
//
//	received 12.00, fee 0.07, royalty 1.00  ->  10.93
func PaymentNet(received, fee, royalty Fen) Fen { return received - fee.Abs() - royalty.Abs() }

// RefundNet is what a refund moves out, as a negative amount: what the buyer gets
// back, less the fee and the royalty that come back with it.
//
//	received 12.00, fee 0.07, royalty 1.00  ->  -10.93
func RefundNet(received, fee, royalty Fen) Fen {
	return -PaymentNet(received.Abs(), fee, royalty)
}
