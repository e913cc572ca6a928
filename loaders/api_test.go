package loaders

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// messageRefunds is the refunds that were read, one a line.
func (g *gathered) messageRefunds() string {
	var b strings.Builder
	f := &g.refunds
	next := 0
	for i := range f.Len() {
		fmt.Fprintf(&b, "%d: no=%s trade=%s request=%s store=%s amount=%s undone=%d time=%s", f.Line[i], f.OutTradeNo.At(i), f.TradeNo.At(i),
			f.RequestNo.At(i), g.word(f.Store[i]), given(f.Amount[i]), f.Undone[i], clockOrNull(f.Time[i]))
		for range f.Lines[i] {
			fmt.Fprintf(&b, " %d", g.returned.Line[next])
			next++
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// readMessages reads one line.
func readMessages(t testing.TB, line string) (*messageReader, []message) {
	t.Helper()
	tab := &tableReader{table: &schema.Table{}, opt: &Options{Words: schema.NewWords()}, charset: newCharset(charsetUTF8)}
	r := newMessageReader(tab)
	return r, r.read(1, line, wrapping{time: schema.Null})
}

// TestMessageReader: what a line is, in every wrapping.
func TestMessageReader(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"request", `{"method":"alipay.trade.pay","biz_content":"{\"out_trade_no\":\"A\",\"total_amount\":\"1.00\"}"}`, "1 A 1.00"},
		{"request as an object", `{"method":"alipay.trade.precreate","biz_content":{"out_trade_no":"A","total_amount":1}}`, "1 A 1.00"},
		{"request without its method", `{"out_trade_no":"A","total_amount":"1.00","scene":"bar_code"}`, "1 A 1.00"},
		{"camelCase", `{"outTradeNo":"A","totalAmount":"1.00","authCode":"281234567890123456"}`, "1 A 1.00"},
		{"answer", `{"alipay_trade_pay_response":{"code":"10000","out_trade_no":"A","total_amount":"1.00"}}`, "2 A 1.00"},
		{"answer in a string", `{"body":"{\"alipay_trade_pay_response\":{\"code\":\"10000\",\"out_trade_no\":\"A\"}}"}`, "2 A blank"},
		{"answer in a string in a string", `{"msg":{"resp":"{\"body\":\"{\\\"alipay_trade_query_response\\\":{\\\"code\\\":\\\"10000\\\",\\\"out_trade_no\\\":\\\"A\\\",\\\"trade_status\\\":\\\"TRADE_SUCCESS\\\"}}\"}"}}`, "5 A blank"},
		{"precreate's answer", `{"alipay_trade_precreate_response":{"code":"10000","out_trade_no":"A","qr_code":"x"}}`, "3 A blank"},
		{"both on a line", `{"request":{"out_trade_no":"A","total_amount":"1.00"},"response":{"code":"40004"}}`, "1 A 1.00, 2 A blank"},
		{"method around both", `{"api":"alipay.trade.refund","request":{"out_trade_no":"A","refund_amount":"1.00"},"response":{"code":"10000","refund_fee":"1.00"}}`, "9 A blank, 10 A blank"},
		{"a list", `[{"out_trade_no":"A","total_amount":"1.00"},{"out_trade_no":"B","total_amount":"2.00"}]`, "1 A 1.00, 1 B 2.00"},
		{"notice as an object", `{"notify_id":"n","trade_status":"TRADE_SUCCESS","out_trade_no":"A","total_amount":"1.00"}`, "6 A 1.00"},
		{"notice as a form", `notify_id=n&trade_status=TRADE_SUCCESS&out_trade_no=A&total_amount=1.00`, "6 A 1.00"},
		{"notice as a form in a string", `"notify_id=n&trade_status=TRADE_SUCCESS&out_trade_no=A%2F1&total_amount=1.00"`, "6 A/1 1.00"},
		{"notice in a log's object", `{"time":"2026-11-20 10:00:00","level":"info","fields":{"raw":"notify_id=n&out_trade_no=A&total_amount=1.00"}}`, "6 A 1.00"},
		{"request as a form", `method=alipay.trade.pay&biz_content=%7B%22out_trade_no%22%3A%22A%22%2C%22total_amount%22%3A%221.00%22%7D&app_id=1`, "1 A 1.00"},
		{"refund query", `{"method":"alipay.trade.fastpay.refund.query","biz_content":{"out_trade_no":"A","out_request_no":"R"}}`, "11 A blank"},
		{"refund query's answer", `{"alipay_trade_fastpay_refund_query_response":{"code":"10000","out_trade_no":"A","out_request_no":"R","refund_amount":"1.00"}}`, "12 A blank"},
		{"cancel", `{"method":"alipay.trade.cancel","biz_content":{"out_trade_no":"A"}}`, "7 A blank"},
		{"close's answer", `{"alipay_trade_close_response":{"code":"10000","out_trade_no":"A"}}`, "8 A blank"},
		{"digits of a long number", `{"out_trade_no":1930000000000000021000000001,"total_amount":1}`, "1 1930000000000000021000000001 1.00"},
		{"a settlement's trade_no is none", `{"alipay_trade_query_response":{"code":"10000","out_trade_no":"A","trade_status":"TRADE_SUCCESS","trade_settle_info":{"trade_settle_detail_list":[{"trade_no":"T9"}]}}}`, "5 A blank"},
		{"another interface", `{"method":"alipay.system.oauth.token","biz_content":{"code":"1"}}`, ""},
		{"another answer", `{"alipay_user_info_share_response":{"code":"10000","user_id":"2088"}}`, ""},
		{"no message", `{"a":1}`, ""},
		{"nulls", `{"out_trade_no":"A","total_amount":null,"goods_detail":null,"extend_params":null,"scene":null}`, "4 A blank"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, found := readMessages(t, test.line)
			var got []string
			for i := range found {
				m := &found[i]
				if m.fault != 0 {
					t.Errorf("fault %v", m.fault)
				}
				got = append(got, fmt.Sprintf("%d %s %s", m.kind, m.text[msgOutTradeNo], given(m.number[msgTotal])))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("read = %q, want %q", got, test.want)
			}
		})
	}
}

// TestMessageFaults: what is wrong with a message, and where.
func TestMessageFaults(t *testing.T) {
	for _, test := range []struct {
		line   string
		code   rules.Code
		column string
		value  string
	}{
		{`{"out_trade_no":"A","total_amount":"1O.00"}`, rules.CodeAmountSyntax, "totalamount", "1O.00"},
		{`{"out_trade_no":"A","total_amount":1e2}`, rules.CodeAmountSyntax, "totalamount", "1e2"},
		{`{"out_trade_no":"A","total_amount":"1.005"}`, rules.CodeAmountPrecision, "totalamount", "1.005"},
		{`{"out_trade_no":"2.02E+27","total_amount":"1.00"}`, rules.CodeIDDamaged, "outtradeno", "2.02E+27"},
		{`{"notify_id":"n","out_trade_no":"A","trade_status":"TRADE_SUCCESS","gmt_payment":"gestern"}`, rules.CodeTimeSyntax, "gmtpayment", "gestern"},
		{`{"notify_id":"n","out_trade_no":"A","trade_status":"PAID"}`, rules.CodeEnumValue, "tradestatus", "PAID"},
		{`{"method":"alipay.trade.pay","biz_content":{"total_amount":"1.00"}}`, rules.CodeMissingValue, "out_trade_no", ""},
		{`{"out_trade_no":"A","total_amount":"1.00","goods_detail":[{"goods_id":"G","quantity":"2x","price":1}]}`, rules.CodeNumberSyntax, "goods_detail.quantity", "2x"},
		{`{"out_trade_no":"A","total_amount":"1.00","goods_detail":[{"goods_id":"G","quantity":0,"price":1}]}`, rules.CodeNegativeGoods, "goods_detail.quantity", "0"},
		{`{"out_trade_no":"A",`, rules.CodeColumnCount, "", ""},
		{`2026-11-20 something`, rules.CodeColumnCount, "", ""},
	} {
		t.Run(test.line, func(t *testing.T) {
			g := load(t, Options{Lang: "en"}, canonicalInput{kind: schema.PosAPI, data: []byte(`{"out_trade_no":"X","total_amount":"1.00"}` + "\n" + test.line + "\n")})
			if len(g.rejects) != 1 {
				t.Fatalf("%d rejects: %+v", len(g.rejects), g.rejects)
			}
			r := g.rejects[0]
			if r.Line != 2 || r.Code != test.code || r.Column != test.column || r.Value != test.value {
				t.Errorf("reject = line %d %v %q %q, want line 2 %v %q %q", r.Line, r.Code, r.Column, r.Value, test.code, test.column, test.value)
			}
			proveMessages(t, g)
		})
	}
}

// proveMessages checks that every message of the logs is in an order or a refund,
// idle, or rejected.
func proveMessages(t testing.TB, g *gathered) {
	t.Helper()
	reached := make([]int64, len(g.tables))
	count := func(tables, lines []int32, flags []uint8) {
		next := 0
		for run, n := range lines {
			reported := false
			for range n {
				f := flags[next]
				next++
				if f&schema.LineContinues == 0 {
					reached[tables[run]]++
					reported = false
				}
				if f&(schema.LineOrderRejected|schema.LineGoodsRejected) != 0 && !reported {
					reached[tables[run]]--
					reported = true
				}
			}
		}
	}
	count(g.orders.Table, g.orders.Lines, g.lines.Flags)
	count(g.refunds.Table, g.refunds.Lines, g.returned.Flags)
	rejected := make([]int64, len(g.tables))
	for _, r := range g.rejects {
		rejected[r.Table]++
	}
	for i, tab := range g.tables {
		if tab.Refused {
			continue
		}
		if tab.Rejected != rejected[i] || tab.Rows != reached[i]+tab.Rejected+tab.Idle {
			t.Fatalf("%s: %d rows, %d in orders and refunds, %d idle, %d rejected (%d told)", tab.Path, tab.Rows, reached[i], tab.Idle, tab.Rejected, rejected[i])
		}
	}
}

// TestMessageCode: what waits in the log is what was read.
func TestMessageCode(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 3))
	for range 2000 {
		var m, back message
		m.reset()
		m.kind, m.state = messageKind(1+rng.IntN(12)), tradeState(rng.IntN(4))
		m.flags, m.fault = uint16(rng.Uint32()), rules.Code(rng.IntN(5))
		m.table, m.line, m.part = rng.Int32N(1000), rng.Int32(), rng.Int32N(3)
		for i := range m.text {
			m.text[i] = []byte(strings.Repeat("1", rng.IntN(40)))
		}
		for i := range m.word {
			m.word[i] = rng.Uint32() >> rng.IntN(33)
		}
		for i := range m.number {
			if rng.IntN(2) == 0 {
				m.number[i] = int64(rng.Uint64()>>rng.IntN(64)) - 5
			}
		}
		for range rng.IntN(4) {
			m.goods = append(m.goods, messageGoods{rng.Uint32() >> 1, rng.Uint32(), rng.Int64() - 9, rng.Int64(), rng.IntN(2) == 0})
		}
		back.decode(m.encode(nil))
		if len(back.goods) == 0 {
			back.goods = nil
		}
		if !reflect.DeepEqual(m, back) {
			t.Fatalf("decode(encode(%+v)) = %+v", m, back)
		}
	}
}

func TestLogTime(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`"2026-11-20 10:00:05"`, "2026-11-20 10:00:05"},
		{`"2026-11-20 10:00:05.320"`, "2026-11-20 10:00:05"},
		{`"2026-11-20T10:00:05+08:00"`, "2026-11-20 10:00:05"},
		{`"2026-11-20T02:00:05Z"`, "2026-11-20 10:00:05"},
		{`"2026-11-20T02:00:05.123456Z"`, "2026-11-20 10:00:05"},
		{`"2026-11-20T11:00:05.123+0900"`, "2026-11-20 10:00:05"},
		{`1795140005`, "2026-11-20 02:00:05"},
		{`"1795140005123"`, "2026-11-20 02:00:05"},
	} {
		_, found := readMessages(t, `{"out_trade_no":"A","total_amount":1,"timestamp":`+test.text+`}`)
		got := clockOrNull(found[0].number[msgTime])
		if test.text[0] == '1' || strings.HasPrefix(test.text, `"17`) {
			continue // checked below
		}
		if got != test.want {
			t.Errorf("logTime(%s) = %s, want %s", test.text, got, test.want)
		}
	}
	_, found := readMessages(t, `{"out_trade_no":"A","total_amount":1,"timestamp":0}`)
	if found[0].number[msgTime] != schema.Null {
		t.Error("0 is a time")
	}
}

// TestAmountIdentities follows rules 3 and the example of formats 8.
func TestAmountIdentities(t *testing.T) {
	const example = `"total_amount":"100.00","receipt_amount":"92.00","buyer_pay_amount":"87.00","invoice_amount":"85.00","point_amount":"2.00"`
	for _, test := range []struct {
		name, fields string
		gap          int64
		of           uint8
	}{
		{"the example", example + `,"mdiscount_amount":"8.00","discount_amount":"5.00"`, 0, 0},
		{"discounts from the vouchers", example + `,"voucher_detail_list":[{"merchant_contribute":"8.00","other_contribute":"5.00"}]`, 0, 0},
		{"discounts from the funds", example + `,"fund_bill_list":"[{\"amount\":\"8.00\",\"fundChannel\":\"MDISCOUNT\"},{\"amount\":\"5.00\",\"fundChannel\":\"DISCOUNT\"}]"`, 0, 0},
		{"a channel against its voucher: the voucher tells", `"total_amount":"0.20","receipt_amount":"0.20","fund_bill_list":[{"amount":"0.20","fund_channel":"MDISCOUNT"}],"voucher_detail_list":[{"merchant_contribute":"0.00","other_contribute":"0.20"}]`, 0, 0},
		{"receipt", `"total_amount":"100.00","receipt_amount":"91.00","mdiscount_amount":"8.00"`, -100, schema.OrderGapReceipt},
		{"blank discount is 0", `"total_amount":"100.00","receipt_amount":"92.00"`, -800, schema.OrderGapReceipt},
		{"buyer", `"receipt_amount":"92.00","buyer_pay_amount":"88.00","discount_amount":"5.00"`, 100, schema.OrderGapBuyerPay},
		{"a red packet is the platform's or the buyer's", `"receipt_amount":"92.00","buyer_pay_amount":"87.00","fund_bill_list":[{"amount":"5.00","fund_channel":"COUPON"}]`, 0, 0},
		{"invoice", `"buyer_pay_amount":"87.00","invoice_amount":"86.00","point_amount":"2.00"`, 100, schema.OrderGapReceipt | schema.OrderGapBuyerPay},
		{"nothing to compare", `"total_amount":"100.00"`, 0, 0},
	} {
		_, found := readMessages(t, `{"alipay_trade_pay_response":{"code":"10000","out_trade_no":"A",`+test.fields+`}}`)
		if gap, of := found[0].gap(); gap != test.gap || of != test.of {
			t.Errorf("%s: gap = %d of %d, want %d of %d", test.name, gap, of, test.gap, test.of)
		}
	}
}

// TestMessageFunding: what paid an order, by the policy's channels.
func TestMessageFunding(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		policy       rules.Policy
		want         string
	}{
		{"by the funds", `"fund_bill_list":[{"fund_channel":"PCREDIT","amount":"77"},{"fund_channel":"DISCOUNT","amount":"5"},{"fund_channel":"MDISCOUNT","amount":"18"}]`, nil, "77.00 5.00 18.00"},
		{"points are the buyer's, an unknown channel too", `"fund_bill_list":[{"fund_channel":"POINT","amount":"7"},{"fund_channel":"NEW","amount":"70"},{"fund_channel":"COUPON","amount":"23"}]`, nil, "77.00 23.00 0.00"},
		{"merchant's red packet", `"fund_bill_list":[{"fund_channel":"BANKCARD","amount":"90"},{"fund_channel":"MCOUPON","amount":"10"}]`, nil, "90.00 0.00 0.00"},
		{"receipt is trusted", `"receipt_amount":"100","fund_bill_list":[{"fund_channel":"BANKCARD","amount":"90"},{"fund_channel":"MDISCOUNT","amount":"10"}]`, nil, "90.00 10.00 0.00"},
		{"by the amounts", `"receipt_amount":"92","buyer_pay_amount":"87"`, nil, "87.00 5.00 8.00"},
		{"nothing told", `"receipt_amount":"92"`, nil, "blank blank blank"},
		{"a policy of its own", `"fund_bill_list":[{"fund_channel":"BANKCARD","amount":"90"},{"fund_channel":"DISCOUNT","amount":"10"}]`, rules.Policy{
			{Fund: rules.FundPaid, FundChannel: []string{"BANKCARD"}}, {Fund: rules.FundCoupon, FundChannel: []string{"DISCOUNT"}},
		}, "90.00 0.00 10.00"},
	} {
		tab := &tableReader{table: &schema.Table{}, opt: &Options{Words: schema.NewWords(), Policy: test.policy}, charset: newCharset(charsetUTF8)}
		found := newMessageReader(tab).read(1, `{"alipay_trade_pay_response":{"code":"10000","out_trade_no":"A","total_amount":"100",`+test.fields+`}}`, wrapping{time: schema.Null})
		f := found[0].funding(100_00)
		if got := given(f.buyerPaid) + " " + given(f.red) + " " + given(f.merchant); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestMessagesInAnyOrder: the same messages in other orders, files and chunks make
// the same orders and refunds, but for their places.
func TestMessagesInAnyOrder(t *testing.T) {
	lines := syntheticMessages(60, 7)
	value := func(g *gathered) string {
		proveMessages(t, g)
		var all []string
		o := &g.orders
		for i := range o.Len() {
			if o.Total[i] == schema.Null {
				continue // a further file's run
			}
			all = append(all, fmt.Sprintf("%s %s %d %s %s %d", o.OutTradeNo.At(i), o.TradeNo.At(i), o.Status[i], given(o.Total[i]), g.word(o.Terminal[i]), o.Time[i]))
		}
		seen := map[string]bool{}
		for _, line := range strings.Split(strings.TrimSpace(g.messageRefunds()), "\n") {
			_, line, _ = strings.Cut(line, ": ")
			line, _, _ = strings.Cut(line, " time=")
			if !seen[line] {
				all = append(all, line)
			}
			seen[line] = true
		}
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	one := func(lines []string) canonicalInput {
		return canonicalInput{kind: schema.PosAPI, data: []byte(strings.Join(lines, "\n"))}
	}
	want := value(load(t, Options{}, one(lines)))
	if strings.Count(want, "\n") < 60 {
		t.Fatalf("few orders:\n%s", want)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		rng.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
		cut := 1 + rng.IntN(len(lines)-1)
		g := load(t, Options{Workers: 1 + rng.IntN(4), chunkSize: 200 + rng.IntN(4000)}, one(lines[:cut]), one(lines[cut:]))
		if got := value(g); got != want {
			t.Fatalf("shuffled:\n%s\nwant\n%s", got, want)
		}
	}
}

// syntheticMessages are the messages of n trades, every fifth with two refunds.
func syntheticMessages(n, seed int) []string {
	rng := rand.New(rand.NewPCG(uint64(seed), 5))
	var lines []string
	for i := range n {
		total := 1000 + rng.IntN(9000)
		at := fmt.Sprintf("2026-11-20 10:%02d:%02d", i/60%60, i%60)
		amount := rules.Fen(total).String()
		lines = append(lines,
			fmt.Sprintf(`{"method":"alipay.trade.pay","timestamp":"%s","app_id":"2021000000000000","biz_content":"{\"out_trade_no\":\"P%06d\",\"scene\":\"bar_code\",\"auth_code\":\"28763443825664%04d\",\"subject\":\"商品\",\"total_amount\":\"%s\",\"store_id\":\"S%d\",\"terminal_id\":\"T%d\",\"operator_id\":\"O%d\",\"goods_detail\":[{\"goods_id\":\"G%d\",\"goods_name\":\"咖啡\",\"quantity\":1,\"price\":\"%s\"}],\"extend_params\":{\"sys_service_provider_id\":\"2088511833207846\"}}","sign":"ERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEE"}`, at, i, i%10000, amount, i%7, i%3, i%5, i%50, amount),
			fmt.Sprintf(`{"alipay_trade_pay_response":{"code":"10000","msg":"Success","trade_no":"20261120220014%014d","out_trade_no":"P%06d","buyer_logon_id":"159****5620","total_amount":"%s","receipt_amount":"%s","buyer_pay_amount":"%s","point_amount":"0.00","invoice_amount":"%s","gmt_payment":"%s","fund_bill_list":[{"fund_channel":"ALIPAYACCOUNT","amount":"%s"}]},"sign":"ERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEE"}`, i, i, amount, amount, amount, amount, at, amount))
		if i%5 != 0 {
			continue
		}
		fee := 0
		for k := range 2 {
			part := 100 + rng.IntN(300)
			fee += part
			later := fmt.Sprintf("2026-11-20 1%d:%02d:%02d", k+1, i/60%60, i%60)
			lines = append(lines,
				fmt.Sprintf(`{"method":"alipay.trade.refund","timestamp":"%s","biz_content":{"out_trade_no":"P%06d","refund_amount":"%s","out_request_no":"R%06d%d"}}`, later, i, rules.Fen(part), i, k),
				fmt.Sprintf(`{"alipay_trade_refund_response":{"code":"10000","out_trade_no":"P%06d","trade_no":"20261120220014%014d","refund_fee":"%s","fund_change":"Y","gmt_refund_pay":"%s"}}`, i, i, rules.Fen(fee), later))
		}
	}
	return lines
}

// TestTaobaoAPI reads the fixture of formats 15: offline only where the flag is
// true, numbers to the last digit.
func TestTaobaoAPI(t *testing.T) {
	g := load(t, Options{}, canonicalInput{kind: schema.TaobaoOrders, name: "taobao_api.json", data: readFixture(t, "taobao_api.json")})
	want := `
6: no=1930000000000000021 time=10:00:00 status=1 total=12.00 excluded=o2o_passport flags=1
7: no=1930000000000000022 time=11:00:00 status=1 total=30.50 excluded=online_order flags=1
8: no=1930000000000000023 time=12:00:00 status=3 total=7.00 excluded=online_order flags=1
9: no=1930000000000000024 trade=2026112022001400000000000024 store=8 time=13:00:00 status=1 total=9.00 excluded=o2o_passport flags=1
`
	if got := sortedLines(listText(g)); got != sortedLines(want) {
		t.Errorf("orders =\n%swant%s", got, want)
	}
	if got := outcome(g.tables[0]); got != "taobao_orders 4/4" {
		t.Errorf("outcome = %s", got)
	}
}

// TestDocuments: JSON over several lines, lists of it, and what is broken in
// between.
func TestDocuments(t *testing.T) {
	const trade = `{"tid":1,"status":"TRADE_FINISHED","payment":"1.00"}`
	page := func(trades ...string) string {
		return `{"trades_sold_get_response":{"trades":{"trade":[` + strings.Join(trades, ",\n") + `]}}}`
	}
	for _, test := range []struct {
		name, text, want string
		kind             schema.InputKind
	}{
		{"pages a line", page(trade) + "\n" + page(trade, trade) + "\n", "3/3 !o2o_unmarked=1", schema.TaobaoOrders},
		{"a list of pages", "[" + page(trade) + ",\n" + page(trade) + "]", "2/2 !o2o_unmarked=1", schema.TaobaoOrders},
		{"no trades", page(), "0/0 !o2o_unmarked=1", schema.TaobaoOrders},
		{"a broken page between", page(trade) + "\n{\"trades_sold_get_response\":\n" + page(trade), "2/3 !column_count=1 !o2o_unmarked=1", schema.TaobaoOrders},
		{"cut off", page(trade)[:60], "0/1 !column_count=1 !o2o_unmarked=1", schema.TaobaoOrders},
		{"messages printed over lines", "{\n \"out_trade_no\":\"A\",\n \"total_amount\":1\n}\n{\n \"out_trade_no\":\"B\",\n \"total_amount\":2\n}", "2/2", schema.PosAPI},
		{"messages in a list", "[\n{\"out_trade_no\":\"A\",\"total_amount\":1},\n{\"out_trade_no\":\"B\",\"total_amount\":2}\n]", "2/2", schema.PosAPI},
		{"the first line is broken", "{\"out_trade_no\":\n{\"out_trade_no\":\"B\",\"total_amount\":2}\n", "1/2 !column_count=1", schema.PosAPI},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := load(t, Options{}, canonicalInput{kind: test.kind, data: []byte(test.text)})
			if got := outcome(g.tables[0]); got != test.kind.String()+" "+test.want {
				t.Errorf("outcome = %s, want %s\n%+v", got, test.want, g.tables[0].Problems)
			}
			proveMessages(t, g)
		})
	}
}

// TestMessagesShown: payment codes and receivers are not shown.
func TestMessagesShown(t *testing.T) {
	for _, text := range []string{
		`{"out_trade_no":"A","auth_code":"281234567890123456"}`,
		`{"biz_content":"{\"out_trade_no\":\"A\",\"auth_code\":\"281234567890123456\"}"}`,
		`{"biz_content":"{\\\"auth_code\\\":\\\"281234567890123456\\\"}"}`,
		`out_trade_no=A&auth_code=281234567890123456&x=1`,
		`{"authCode": "281234567890123456"`,
		`{"auth_code":281234567890123456}`,
		`{"receiver_name":"张三","receiver_address":"某路\"1号\"","receiver_mobile":"18600001234","buyer_nick":"甲"}`,
	} {
		shown := shownMessage(text)
		for _, secret := range []string{"2812345", "78901", "张三", "某路", "1号", "1860000", "甲"} {
			if strings.Contains(shown, secret) {
				t.Errorf("shownMessage(%s) = %s", text, shown)
			}
		}
	}
}

// TestLoggedLines: a line of an application's log is read for the messages in it.
func TestLoggedLines(t *testing.T) {
	pay := `{"out_trade_no":"A","total_amount":"1.00"}`
	answer := `{"alipay_trade_pay_response":{"code":"10000","out_trade_no":"A","trade_no":"T1","total_amount":"1.00"}}`
	for _, test := range []struct {
		name, line string
		want       string // kind, number and time of each message
	}{
		{"a time and a level", `2026-11-20 10:00:00.123 INFO [http-nio-1] c.x.PayClient - request: ` + pay, "1 A 2026-11-20 10:00:00"},
		{"in brackets", `[2026-11-20 10:00:01,250] [INFO] [main] ` + pay, "1 A 2026-11-20 10:00:01"},
		{"with a zone", `2026-11-20T02:00:02.000Z info ` + pay, "1 A 2026-11-20 10:00:02"},
		{"with slashes", `2026/11/20 10:00:03 ` + pay, "1 A 2026-11-20 10:00:03"},
		{"its own time counts", `2026-11-20 10:00:00 {"timestamp":"2026-11-20 09:59:59","out_trade_no":"A","total_amount":"1.00"}`, "1 A 2026-11-20 09:59:59"},
		{"without a time", `pay ` + pay, "1 A -"},
		{"both, and what it cost", `2026-11-20 10:00:00 INFO alipay.trade.pay req=` + pay + ` resp=` + answer + `, cost=35ms`, "1 A 2026-11-20 10:00:00, 2 A 2026-11-20 10:00:00"},
		{"the interface before it", `10:00 alipay.trade.refund {"out_trade_no":"A","refund_amount":"1.00"} => {"code":"10000","refund_fee":"1.00"}`, "9 A -, 10 A -"},
		{"a query's answer", `INFO alipay.trade.query: {"code":"10000","out_trade_no":"A","trade_status":"TRADE_SUCCESS"}`, "5 A -"},
		{"a class is no interface", `INFO com.x.alipay.trade.refund.Client {"out_trade_no":"A","total_amount":"1.00"}`, "1 A -"},
		{"another object before it", `INFO {"traceId":"x"} ` + pay, "1 A -"},
		{"braces that are none", `INFO {} ctx={a=b} [x] ` + pay, "1 A -"},
		{"a form", `2026-11-20 10:00:00 INFO notify body=notify_id=n&trade_status=TRADE_SUCCESS&out_trade_no=A&total_amount=1.00`, "6 A 2026-11-20 10:00:00"},
		{"a form of a URL", `INFO POST /notify?notify_id=n&out_trade_no=A&total_amount=1.00`, "6 A -"},
		{"a form whose first value ends in =", `INFO sign=ab==&notify_id=n&out_trade_no=A&total_amount=1.00`, "6 A -"},
		{"another interface", `INFO {"method":"alipay.system.oauth.token"}`, ""},
		{"no message", `2026-11-20 10:00:00 INFO started`, "rejected"},
		{"cut off", `2026-11-20 10:00:00 INFO {"traceId":"x"} {"out_trade_no":"A","total_am`, "rejected"},
		{"a form feed", "\f", "rejected"},
		{"names only", `INFO [main] out_trade_no=A`, "rejected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			logged, ok := readLogged(test.line)
			if !ok {
				if test.want != "rejected" {
					t.Fatalf("readLogged(%q) finds nothing", test.line)
				}
				return
			}
			tab := &tableReader{table: &schema.Table{}, opt: &Options{Words: schema.NewWords()}, charset: newCharset(charsetUTF8)}
			var got []string
			for _, m := range newMessageReader(tab).read(1, logged.json, logged.around) {
				got = append(got, fmt.Sprintf("%d %s %s", m.kind, m.text[msgOutTradeNo], clockOrNull(m.number[msgTime])))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("read = %q, want %q", got, test.want)
			}
		})
	}
}

// A log that an application writes is known, read, and loses no line.
func TestApplicationLog(t *testing.T) {
	log := "2026-11-20 09:00:00 INFO started\n" +
		"2026-11-20 10:00:00.001 INFO [t1] req: {\"method\":\"alipay.trade.pay\",\"biz_content\":{\"out_trade_no\":\"A\",\"total_amount\":\"1.00\",\"auth_code\":\"281234567890123456\"}}\n" +
		"2026-11-20 10:00:01.001 INFO [t1] resp: {\"alipay_trade_pay_response\":{\"code\":\"10000\",\"out_trade_no\":\"A\",\"trade_no\":\"T1\",\"total_amount\":\"1.00\"}} 35ms\n"
	path := filepath.Join(t.TempDir(), "pay.log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	tables, first, err := Inspect(t.Context(), Input{Path: path, Name: "pay.log"}, Options{}, 5)
	if err != nil || tables[0].Format != "pos_api" || tables[0].Rows != 3 || tables[0].Rejected != 1 {
		t.Fatalf("Inspect = %+v, %v", tables[0], err)
	}
	if shown := strings.Join(first[0], "\n"); strings.Contains(shown, "281234567890123456") || !strings.Contains(shown, "****3456") {
		t.Errorf("shown %q", shown)
	}
	g := load(t, Options{}, canonicalInput{kind: schema.PosAPI, data: []byte(log)})
	proveMessages(t, g)
	if got, want := listText(g), "2: no=A trade=T1 "; g.orders.Len() != 1 || !strings.HasPrefix(got, want) || !strings.Contains(got, "time=10:00:00") {
		t.Errorf("orders %q", got)
	}
}

// FuzzMessages reads anything as a log, in whole and in chunks: every message is
// in an order or a refund, idle or rejected, and no two ways of reading differ.
func FuzzMessages(f *testing.F) {
	for _, line := range syntheticMessages(2, 1) {
		f.Add([]byte(line))
	}
	f.Add([]byte("notify_id=n&trade_status=TRADE_CLOSED&out_trade_no=A&total_amount=1.00&gmt_payment=2026-11-20 10:00:00"))
	f.Add([]byte(`[{"a":"{\"out_trade_no\":\"1\"}"}]`))
	f.Add([]byte(`[2026-11-20 10:00:00,123] INFO alipay.trade.refund req={"out_trade_no":"A","refund_amount":"1.00"} resp={"code":"10000"}, 3ms`))
	f.Add([]byte(`2026-11-20 10:00:00 INFO body=notify_id=n&out_trade_no=A&total_amount=1.00`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			t.Skip()
		}
		log := append([]byte(`{"out_trade_no":"A","total_amount":"1.00"}`+"\n"), data...)
		whole := load(t, Options{}, canonicalInput{kind: schema.PosAPI, data: log})
		parts := load(t, Options{Workers: 2, chunkSize: 97}, canonicalInput{kind: schema.PosAPI, data: log})
		proveMessages(t, whole)
		proveMessages(t, parts)
		if a, b := sortedLines(whole.orderText()+whole.messageRefunds()), sortedLines(parts.orderText()+parts.messageRefunds()); a != b {
			t.Fatalf("whole:\n%s\nin parts:\n%s", a, b)
		}
	})
}

// FuzzTaobaoAPI reads anything as an answer.
func FuzzTaobaoAPI(f *testing.F) {
	f.Add([]byte(`{"trades_sold_get_response":{"trades":{"trade":[{"tid":1,"status":"x","payment":"1.00"}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, append([]byte(`{"trades_sold_get_response":{}}`+"\n"), data...), 0o600); err != nil {
			t.Fatal(err)
		}
		g := load(t, Options{}, canonicalInput{kind: schema.TaobaoOrders, data: append([]byte(`{"trades_sold_get_response":{}}`+"\n"), data...)})
		if tab := g.tables[0]; !tab.Refused && (int64(g.orders.Len()) != tab.Accepted || int64(len(g.rejects)) != tab.Rejected || tab.Accepted < 0) {
			t.Fatalf("%d rows, %d accepted, %d rejected; %d orders", tab.Rows, tab.Accepted, tab.Rejected, g.orders.Len())
		}
	})
}

// BenchmarkMessages reads logs to orders and refunds: bare messages, and the lines of
// an application's log.
func BenchmarkMessages(b *testing.B) {
	for _, bench := range []struct{ name, before string }{{"bare", ""}, {"logged", "2026-11-20 10:00:00.123 INFO [http-nio-1] c.x.PayClient - "}} {
		b.Run(bench.name, func(b *testing.B) {
			lines := syntheticMessages(20_000, 3)
			for i := range lines {
				lines[i] = bench.before + lines[i]
			}
			data := []byte(strings.Join(lines, "\n"))
			path := filepath.Join(b.TempDir(), "log.jsonl")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				g := &gathered{words: schema.NewWords()}
				if _, err := Load(b.Context(), []Input{{Kind: schema.PosAPI, Path: path, Name: "log.jsonl"}}, Options{Words: g.words, Workers: 1}, g); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// TestMessagesSpilled: messages that are put away come back, whatever the budget; what
// cannot be put away or had again ends the run.
func TestMessagesSpilled(t *testing.T) {
	data := []byte(strings.Join(syntheticMessages(14_000, 5), "\n"))
	whole := load(t, Options{}, canonicalInput{kind: schema.PosAPI, data: data})
	var mu sync.Mutex
	var away [][]byte
	opt := Options{Workers: 2, MessageBudget: 1 << 18, Spill: func(data []byte) (Spilled, error) {
		mu.Lock()
		defer mu.Unlock()
		away = append(away, bytes.Clone(data))
		k := len(away) - 1
		return func(dst []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			return append(dst, away[k]...), nil
		}, nil
	}}
	parts := load(t, opt, canonicalInput{kind: schema.PosAPI, data: data})
	if a, b := sortedLines(whole.orderText()+whole.messageRefunds()), sortedLines(parts.orderText()+parts.messageRefunds()); a != b {
		t.Error("messages that were put away make other orders")
	}
	proveMessages(t, parts)
	if len(away) == 0 {
		t.Error("nothing was put away")
	}
	full := errors.New("the disk is full")
	path := filepath.Join(t.TempDir(), "x.jsonl")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, spill := range map[string]func([]byte) (Spilled, error){
		"put": func([]byte) (Spilled, error) { return nil, full },
		"get": func([]byte) (Spilled, error) { return func([]byte) ([]byte, error) { return nil, full }, nil },
	} {
		opt := Options{Words: schema.NewWords(), MessageBudget: 1 << 18, Spill: spill}
		if _, err := Load(t.Context(), []Input{{Kind: schema.PosAPI, Path: path, Name: "x.jsonl"}}, opt, &gathered{words: opt.Words}); !errors.Is(err, full) {
			t.Errorf("%s: Load = %v, want %v", name, err, full)
		}
	}
}

// TestOneNumberForAll: a log in which one number stands for every order takes no
// longer than another, and loses no message.
func TestOneNumberForAll(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `{"alipay_trade_pay_response":{"code":"10000","out_trade_no":"0","trade_no":"T%d","total_amount":"1.00"}}`+"\n", i)
		fmt.Fprintf(&b, `{"method":"alipay.trade.refund","biz_content":{"out_trade_no":"1","refund_amount":"1.00","out_request_no":"R%d"}}`+"\n", i)
		fmt.Fprintf(&b, `{"alipay_trade_refund_response":{"code":"10000","out_trade_no":"1","trade_no":"T","refund_fee":"%d.00"}}`+"\n", i+1)
	}
	g := load(t, Options{}, canonicalInput{kind: schema.PosAPI, data: []byte(b.String())})
	proveMessages(t, g)
	if g.orders.Len() != 20_000 || g.refunds.Len() != 20_000 {
		t.Errorf("%d orders, %d refunds", g.orders.Len(), g.refunds.Len())
	}
}
