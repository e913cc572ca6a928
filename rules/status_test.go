package rules

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// checkWords holds a kind against its words, in order, as the contract has them,
// and against its parser.
func checkWords[T interface {
	~uint8
	fmt.Stringer
}](t *testing.T, parse func(string) (T, bool), words string) {
	t.Helper()
	all := strings.Fields(words)
	for i, want := range all {
		v := T(i + 1)
		if v.String() != want {
			t.Errorf("%T(%d) is %q, want %q", v, v, v, want)
		}
		if got, ok := parse(want); got != v || !ok {
			t.Errorf("%q parses as %d, %v, want %d", want, got, ok, v)
		}
	}
	// A forgotten kind shows, and is no word of ours.
	beyond := T(len(all) + 1)
	if want := fmt.Sprintf("(%d)", beyond); !strings.HasSuffix(beyond.String(), want) {
		t.Errorf("%T(%d) is %q, want ...%s", beyond, beyond, beyond, want)
	}
	for _, s := range []string{"", beyond.String(), strings.ToUpper(all[0])} {
		if got, ok := parse(s); ok {
			t.Errorf("%q parses as %v", s, got)
		}
	}
}

func TestWords(t *testing.T) {
	checkWords(t, ParseCode, `column_count encoding missing_value amount_syntax amount_precision amount_range
		number_syntax time_syntax enum_value id_damaged merchant_unknown order_conflict negative_goods`)
	checkWords(t, ParseRemainder, "largest_remainder last_line")
	checkWords(t, ParseScenario, "equal below above tag_price")
	checkWords(t, ParseCouponKind, "alipay smart_store allowance")
	checkWords(t, ParseDeviceCause, "ok device_unknown device_unsigned device_month_count device_month_cap device_total_cap")
	checkWords(t, ParseFund, "paid red_packet allowance coupon merchant_red_packet")
	checkWords(t, ParseRefundMode, "whole list_price prorated reorder")
	checkWords(t, ParseBasis, "received order_amount buyer_paid")
	checkWords(t, ParseRounding, "trade period")
	checkWords(t, ParseCause, `ok pid_unknown pid_missing pid_wrong_key pid_damaged pid_malformed pid_is_merchant
		pid_not_effective pid_unsigned pid_foreign statement_pending statement_missing statement_short statement_over`)
	checkWords(t, ParseStatus, "duplicate excluded status_mismatch amount_mismatch matched pending bill_only pos_only")
	checkWords(t, ParseReason, `o2o_passport online_order not_face_pay other_channel not_paid zero_amount paid_twice
		merchant_differs cancelled_refunded pos_rejected`)
	checkWords(t, ParseSide, "bill pos both statement account file")
	checkWords(t, ParseSeverity, "error warn info")
	for i, want := range strings.Fields("整单 方案一 方案二 方案三") {
		if got, ok := ParseRefundMode(want); got != RefundMode(i+1) || !ok {
			t.Errorf("ParseRefundMode(%s) = %v, %v", want, got, ok)
		}
	}
	if got := fmt.Sprintf("%v|%v|%v|%v", Reason(0), Scenario(0), AppealNone, Cause(0)); got != "|||Cause(0)" {
		t.Errorf("what is blank prints %s", got)
	}
}

// The table of rules 12, as it stands there but for the device_* and the *lost*
// causes, which are written out.
const breakTable = `
bill_only, refund_bill_only | bill | error
pos_only, refund_pos_only | pos | error
amount_mismatch, refund_amount_mismatch | both | error
status_mismatch, refund_status_mismatch | both | error
duplicate, refund_duplicate | its side | info
duplicate_conflict | its side | error
trade_no_conflict | both | warn
amount_identity | its side | error
funding_mismatch | both | warn
price_unknown, goods_incomplete | pos | warn
coupon_threshold | pos | error
allowance_step | pos | warn
coupon_goods_limit, goods_field_missing, goods_unknown, pay_code, huabei_on_face | pos | info
store_unknown, store_sync_off | pos | warn
refund_split | bill | error
refund_exceeds_total | bill | error
refund_request | pos | warn
refund_orphan | bill | info
pid_missing, pid_wrong_key, pid_damaged, pid_malformed, pid_is_merchant, pid_not_effective, pid_unsigned, pid_foreign | pos | warn
pid_unknown | bill | info
statement_terms, statement_unearned | statement | info
statement_missing, statement_short | statement | error
statement_over, statement_orphan, statement_duplicate | statement | warn
device_month_cap, device_total_cap, device_month_count, device_unsigned, device_unknown | statement | warn
fee_mismatch | bill | warn
account_missing, account_mismatch | account | error
control_total | file | error
dialect_drift | file | warn`

func TestBreakTable(t *testing.T) {
	next := BreakCode(1)
	for _, line := range strings.Split(strings.TrimSpace(breakTable), "\n") {
		cells := strings.Split(line, " | ")
		side := strings.TrimSuffix(cells[1], "its side")
		for _, want := range strings.Split(cells[0], ", ") {
			code, ok := ParseBreakCode(want)
			if !ok || code.String() != want || code != next {
				t.Errorf("%s is code %d, %v, want %d", want, code, ok, next)
			}
			if got := code.Severity().String(); got != cells[2] {
				t.Errorf("%s is %s, want %s", want, got, cells[2])
			}
			if got := code.Side(); got == 0 && side != "" || got != 0 && got.String() != side {
				t.Errorf("%s is found on %v, want %q", want, got, side)
			}
			next++
		}
	}
	if codes := BreakCodes(); len(codes) != int(next)-1 || codes[0] != BreakBillOnly || codes[len(codes)-1] != BreakDialectDrift {
		t.Errorf("BreakCodes has %d codes, the table %d", len(codes), next-1)
	}
	if next.String() != fmt.Sprintf("BreakCode(%d)", next) || next.Severity() != 0 || next.Side() != 0 {
		t.Errorf("code %d is %v, %v, %v", next, next, next.Severity(), next.Side())
	}
	for _, code := range BreakCodes() {
		want := code.Severity()
		if code == BreakRefundOrphan {
			want = SeverityError
		}
		if got := code.SeverityWithState(); got != want {
			t.Errorf("%v with state is %v, want %v", code, got, want)
		}
	}
}

func TestSeverityCounts(t *testing.T) {
	if !SeverityError.Counts() || !SeverityWarn.Counts() || SeverityInfo.Counts() {
		t.Error("error and warn count towards the limits, info does not")
	}
}

// A unit that is not matched, pending or excluded is a break with the status for
// its code, refund_ before it for a refund.
func TestStatusBreaks(t *testing.T) {
	for s := StatusDuplicate; s <= StatusPOSOnly; s++ {
		none := s == StatusMatched || s == StatusPending || s == StatusExcluded
		code, ok := s.Break()
		if ok == none || ok && code.String() != s.String() {
			t.Errorf("%v.Break() = %v, %v", s, code, ok)
		}
		code, ok = s.RefundBreak()
		if ok == none || ok && code.String() != "refund_"+s.String() {
			t.Errorf("%v.RefundBreak() = %v, %v", s, code, ok)
		}
	}
	if code, ok := Status(0).Break(); ok {
		t.Errorf("no status is the break %v", code)
	}
	if code, ok := Status(99).Break(); ok {
		t.Errorf("status 99 is the break %v", code)
	}
}

func TestCauses(t *testing.T) {
	for c := CauseOK; c <= CauseStatementOver; c++ {
		code, ok := c.Break()
		quiet := c == CauseOK || c == CauseStatementPending
		if ok == quiet || ok && code.String() != c.String() {
			t.Errorf("%v.Break() = %v, %v", c, code, ok)
		}
		want := AppealNone
		switch {
		case c == CauseStatementMissing, c == CauseStatementShort:
			want = AppealClaimable
		case c == CauseStatementOver:
			want = AppealOwed
		case strings.HasPrefix(c.String(), "pid_") && c != CausePIDUnknown:
			want = AppealLost
		}
		if got := c.Appeal(); got != want || c.Lost() != (want == AppealLost) {
			t.Errorf("%v.Appeal() = %v, want %v", c, got, want)
		}
	}
	if _, ok := Cause(99).Break(); ok || Cause(99).Appeal() != AppealNone || Cause(0).Lost() {
		t.Error("a cause that is none has a break, or an appeal")
	}
}

func TestBreakID(t *testing.T) {
	shape := regexp.MustCompile("^b[a-z2-7]{20}$")
	seen := map[string]string{}
	for _, code := range []BreakCode{BreakBillOnly, BreakPOSOnly} {
		for _, side := range []Side{SideBill, SidePOS} {
			for _, key := range []string{"", "a", "a\x001", "a\x00", strings.Repeat("k", 1000)} {
				for _, ordinal := range []int{0, 1, 11} {
					what := fmt.Sprintf("%v %v %q %d", code, side, key, ordinal)
					id := BreakID(code, side, key, ordinal)
					if !shape.MatchString(id) {
						t.Fatalf("the id of %s is %s", what, id)
					}
					if id != BreakID(code, side, key, ordinal) {
						t.Fatalf("the id of %s changes", what)
					}
					if other, ok := seen[id]; ok {
						t.Fatalf("%s and %s have the same id", what, other)
					}
					seen[id] = what
				}
			}
		}
	}
	// Ids are kept in the state and in other people's notes: this one stays.
	// printf 'bill_only\0bill\0k\0001' | sha256sum, its first 100 bits as base32
	if got, want := BreakID(BreakBillOnly, SideBill, "k", 1), "bwczzkmdzdtwjbdxizsoc"; got != want {
		t.Errorf("BreakID = %s, want %s", got, want)
	}
}

func TestIdentities(t *testing.T) {
	// Formats 8: total 100, merchant 8 off, platform 5, points 2.
	for _, test := range []struct {
		name      string
		got, want Fen
	}{
		{"BillGap", BillGap(10000, 9200, 800, 0), 0},
		{"BillGap with a merchant red packet", BillGap(10000, 7000, 1000, 2000), 0},
		{"BillGap, 0.01 too much", BillGap(10000, 9201, 800, 0), 1},
		{"OrderGap", OrderGap(10000, 7700, 500, 800, 1000), 0},
		{"OrderGap, 1.00 missing", OrderGap(10000, 7600, 500, 800, 1000), 100},
		{"ReceiptGap", ReceiptGap(10000, 800, 9200), 0},
		{"ReceiptGap, short", ReceiptGap(10000, 800, 9100), -100},
		{"BuyerPayGap", BuyerPayGap(9200, 500, 8700), 0},
		{"BuyerPayGap, over", BuyerPayGap(9200, 500, 8701), 1},
		{"InvoiceGap", InvoiceGap(8700, 200, 8500), 0},
		{"InvoiceGap, points forgotten", InvoiceGap(8700, 200, 8700), 200},
	} {
		if test.got != test.want {
			t.Errorf("%s = %v, want %v", test.name, test.got, test.want)
		}
	}
}
