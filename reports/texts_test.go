package reports

import (
	"strings"
	"testing"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

func TestEveryBreakHasItsWords(t *testing.T) {
	for _, code := range rules.BreakCodes() {
		for _, lang := range []Lang{Chinese, English} {
			text, ok := breakTexts[code]
			if !ok {
				t.Fatalf("%s has no texts", code)
			}
			got := text[lang.index()]
			if got.Title == "" || got.Detail == "" || got.Do == "" {
				t.Errorf("%s in %s = %+v", code, lang, got)
			}
		}
		sheets := 0
		for _, kind := range breakKinds {
			for _, c := range kind.codes {
				if c == code {
					sheets++
				}
			}
		}
		if sheets != 1 {
			t.Errorf("%s is on %d sheets", code, sheets)
		}
	}
	if len(breakTexts) != len(rules.BreakCodes()) {
		t.Errorf("%d texts for %d codes", len(breakTexts), len(rules.BreakCodes()))
	}
	for code := rules.CodeColumnCount; code <= rules.CodeNegativeGoods; code++ {
		if rejectTexts[code][0] == "" || rejectTexts[code][1] == "" {
			t.Errorf("reject %s has no text", code)
		}
	}
	for r := rules.ReasonO2OPassport; r <= rules.ReasonPOSRejected; r++ {
		if reasonTexts[r.String()][0] == "" || reasonTexts[r.String()][1] == "" {
			t.Errorf("reason %s has no text", r)
		}
	}
	for _, s := range statusOrder {
		if Chinese.status(s) == "" || English.status(s) == "" {
			t.Errorf("status %s has no text", s)
		}
	}
}

func TestDetail(t *testing.T) {
	for _, c := range []struct {
		name   string
		b      engine.Break
		zh, en string
	}{
		{
			"长款",
			engine.Break{Code: rules.BreakBillOnly, Side: rules.SideBill, Amount: 1200, Expected: schema.Null, Found: 1200, Reason: "paid_twice"},
			"长款 +12.00：支付宝已收款，POS 没有这笔订单；同一订单支付了两次，这是第二笔",
			"over +12.00: Alipay has received the payment, the POS has no such order; the order was paid twice, this is the second payment",
		},
		{
			"短款",
			engine.Break{Code: rules.BreakPOSOnly, Side: rules.SidePOS, Amount: 1200, Expected: 1200, Found: schema.Null, Terminal: "T1"},
			"短款 -12.00：POS 记为已支付，支付宝没有收款；终端 T1",
			"short -12.00: the POS counts the order as paid, Alipay has no payment; terminal T1",
		},
		{
			"金额",
			engine.Break{Code: rules.BreakAmountMismatch, Side: rules.SideBoth, Amount: 100, Expected: 1200, Found: 1100},
			"同一笔订单两边金额不同，相差 1.00；POS 12.00，支付宝 11.00，差额 -1.00（短款）",
			"the two sides have different amounts for one order, 1.00 apart; POS 12.00, Alipay 11.00, difference -1.00 (short)",
		},
		{
			"返佣",
			engine.Break{Code: rules.BreakStatementShort, Side: rules.SideStatement, Amount: 123456, Micro: true, Expected: 223456, Found: 100000, What: "face_to_face"},
			"返佣账单少付 0.123456；当面付：应为 0.223456，实为 0.10，差额 -0.123456",
			"the statement pays 0.123456 less than expected; face_to_face: expected 0.223456, found 0.10, difference -0.123456",
		},
		{
			"最大",
			engine.Break{Code: rules.BreakBillOnly, Side: rules.SideBill, Amount: int64(rules.MaxFen), Expected: schema.Null, Found: schema.Null},
			"长款 +9999999999999.99：支付宝已收款，POS 没有这笔订单",
			"over +9999999999999.99: Alipay has received the payment, the POS has no such order",
		},
	} {
		if got := detail(&c.b, Chinese, Mask); got != c.zh {
			t.Errorf("%s: detail = %q, want %q", c.name, got, c.zh)
		}
		if got := detail(&c.b, English, Mask); got != c.en {
			t.Errorf("%s: detail = %q, want %q", c.name, got, c.en)
		}
	}
	b := engine.Break{Code: rules.BreakBillOnly, Suggestion: "POS001 pos.csv:7"}
	if got := suggestion(&b, Chinese); !strings.HasPrefix(got, "可能对应 POS001 pos.csv:7，请人工确认；") {
		t.Errorf("suggestion = %q", got)
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"13812340000", "138****0000"},
		{"手机13812340000，", "手机138****0000，"},
		{"+8613812340000", "+86138****0000"},
		{"008613812340000", "0086138****0000"},
		{"A13812340000", "A13812340000"}, // a number of an order
		{"138123400001", "138123400001"}, // 12 digits
		{"12812340000", "12812340000"},   // no mobile begins so
		{"286012345678901234", "****1234"},
		{"2026111922001400000123456789", "2026111922001400000123456789"},
		{"2088111111111111", "2088111111111111"},
		{"fp0123456789abcd", "****abcd"},
		{"fpga", "fpga"},
		{"a,13812340000,13912340001,b", "a,138****0000,139****0001,b"},
		{"138****0000", "138****0000"},
		{"会员13812345678充值", "会员138****5678充值"},
		{"8613812345678", "86138****5678"},
		{"138-1234-5678", "138****5678"},
		{"电话138 1234 5678,x", "电话138****5678,x"},
		{"+86 138 1234 5678", "+86 138****5678"},
		{"+86 13812345678", "+86 138****5678"},
		{"+86-138-1234-5678", "+86-138****5678"},
		{"86138-1234-5678", "86138****5678"},
		{"A-138-1234-5678", "A-138-1234-5678"}, // a number of an order
		{"138-1234-5678-9", "138-1234-5678-9"},
		{"138-1234 5678", "138-1234 5678"},
		{"138-1234-567", "138-1234-567"},
		{"138 1234", "138 1234"},
		{"13812345678.00", "13812345678.00"}, // an amount
		{"0.13812345678", "0.13812345678"},
		{"打电话到13812345678.", "打电话到138****5678."},
		{"30601234567890123456", "****3456"},
		{"316012345678901234", "316012345678901234"},
		{"****1234", "****1234"},
		{"", ""},
	} {
		if got := Mask.Text(c.in); got != c.want {
			t.Errorf("text(%q) = %q, want %q", c.in, got, c.want)
		}
		if got := Keep.Text(c.in); got != c.in {
			t.Errorf("Keep.Text(%q) = %q", c.in, got)
		}
	}
	for _, c := range []struct{ column, in, want string }{
		{"付款码", "12345678", "****5678"},
		{"付款码", "****5678", "****5678"},
		{"pay_code", "286012345678901234", "****1234"},
		{"pay_code", "", ""},
		{"out_trade_no", "286012345678901234", "286012345678901234"},
		{"商户订单号", "13812345678", "13812345678"},
		{"goods_id", "13812345678", "13812345678"},
		{"store_id", "13812345678", "138****5678"},
		{"终端号", "286012345678901234", "286012345678901234"},
		{"备注", "13812345678", "138****5678"},
	} {
		if got := Mask.cell(c.column, c.in); got != c.want {
			t.Errorf("cell(%q, %q) = %q, want %q", c.column, c.in, got, c.want)
		}
		if got := Keep.cell(c.column, c.in); got != c.in {
			t.Errorf("Keep.cell(%q, %q) = %q", c.column, c.in, got)
		}
	}
}

func TestCounted(t *testing.T) {
	breaks := []engine.Break{
		{Severity: rules.SeverityError, Amount: int64(rules.MaxFen)},
		{Severity: rules.SeverityWarn, Amount: 1, Micro: true},
		{Severity: rules.SeverityInfo, Amount: 500},
	}
	count, amount := Counted(breaks)
	if count != 2 || amount.String6() != "9999999999999.990001" {
		t.Errorf("Counted = %d, %s", count, amount.String6())
	}
	r := &engine.Result{Breaks: breaks}
	if above, _ := (Limits{Breaks: 2, BreakAmount: rules.MaxFen}).Above(r); !above {
		t.Error("an amount above the limit is not above")
	}
}
