package rules

import "testing"

func TestAccountStatusWords(t *testing.T) {
	checkWords(t, ParseAccountStatus, "matched account_mismatch account_missing pending duplicate")
	for status, want := range map[AccountStatus]BreakCode{AccountMismatch: BreakAccountMismatch, AccountMissing: BreakAccountMissing} {
		if code, ok := status.Break(); code != want || !ok {
			t.Errorf("%v.Break() = %v, %v, want %v", status, code, ok, want)
		}
	}
	for _, status := range []AccountStatus{AccountMatched, AccountPending, AccountDuplicate} {
		if code, ok := status.Break(); ok {
			t.Errorf("%v.Break() = %v, want none", status, code)
		}
	}
}

func TestNet(t *testing.T) {
	for _, test := range []struct{ received, fee, royalty, payment, refund string }{
		{"12.00", "0.07", "0.00", "11.93", "-11.93"},
		{"12.00", "-0.07", "-1.00", "10.93", "-10.93"}, // a file that writes charges negative
		{"12.00", "0.07", "1.00", "10.93", "-10.93"},
		{"0.00", "0.00", "0.00", "0.00", "0.00"},
	} {
		fen := func(s string) Fen {
			v, err := ParseFen([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		received, fee, royalty := fen(test.received), fen(test.fee), fen(test.royalty)
		if got := PaymentNet(received, fee, royalty); got != fen(test.payment) {
			t.Errorf("PaymentNet(%v, %v, %v) = %v, want %s", received, fee, royalty, got, test.payment)
		}
		if got := RefundNet(received, fee, royalty); got != fen(test.refund) {
			t.Errorf("RefundNet(%v, %v, %v) = %v, want %s", received, fee, royalty, got, test.refund)
		}
	}
}
