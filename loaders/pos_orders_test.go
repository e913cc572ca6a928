package loaders

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// orderText prints the runs and their lines, what is blank left out.
func (g *gathered) orderText() string {
	var b strings.Builder
	o, l := &g.orders, &g.lines
	next := 0
	for i := range o.Len() {
		fmt.Fprintf(&b, "%d:", o.Line[i])
		show := func(name string, value any) {
			if text := fmt.Sprint(value); text != "" && text != "0" && text != "blank" {
				fmt.Fprintf(&b, " %s=%s", name, text)
			}
		}
		show("no", string(o.OutTradeNo.At(i)))
		show("trade", string(o.TradeNo.At(i)))
		for _, w := range []struct {
			name string
			code uint32
		}{
			{"merchant", o.Merchant[i]},
			{"store", o.Store[i]},
			{"terminal", o.Terminal[i]},
			{"operator", o.Operator[i]},
			{"interface", o.Interface[i]},
			{"channel", o.Channel[i]},
			{"couponname", o.CouponName[i]},
			{"provider", o.ProviderPID[i]},
			{"scene", o.Scene[i]},
			{"tail", o.PayCodeTail[i]},
			{"shift", o.Shift[i]},
		} {
			show(w.name, g.word(w.code))
		}
		if o.Time[i] != schema.Null {
			show("time", time.Unix(o.Time[i], 0).UTC().Format("15:04:05"))
		}
		show("status", o.Status[i])
		show("link", o.Link[i])
		show("total", given(o.Total[i]))
		show("undiscountable", given(o.Undiscountable[i]))
		show("paid", given(o.BuyerPaid[i]))
		show("red", given(o.RedPacket[i]))
		show("allowance", given(o.Allowance[i]))
		show("coupon", given(o.Coupon[i]))
		if o.Instalments[i] >= 0 {
			fmt.Fprintf(&b, " hb=%d", o.Instalments[i])
		}
		show("paycode", o.PayCode[i])
		if o.Reject[i] != 0 {
			fmt.Fprintf(&b, " reject=%v:%d", rules.Code(o.Reject[i]), o.RejectLine[i])
		}
		if o.Excluded[i] != 0 {
			fmt.Fprintf(&b, " excluded=%v", rules.Reason(o.Excluded[i]))
		}
		show("flags", o.Flags[i])
		if o.Gap[i] != 0 {
			show("gap", given(o.Gap[i]))
		}
		if o.Conflict[i] != 0 {
			fmt.Fprintf(&b, " conflict=%s:%d:%s", g.word(o.Conflict[i]), o.ConflictLine[i], g.word(o.ConflictValue[i]))
		}
		b.WriteByte('\n')
		for range o.Lines[i] {
			fmt.Fprintf(&b, "  %d:", l.Line[next])
			show("id", g.word(l.Goods[next]))
			show("name", g.word(l.Name[next]))
			show("quantity", givenMicro(l.Quantity[next]))
			show("price", givenMicro(l.Price[next]))
			for bit, word := range []string{" goods-rejected", " order-rejected", " no-goods"} {
				if l.Flags[next]&(1<<bit) != 0 {
					b.WriteString(word)
				}
			}
			b.WriteByte('\n')
			next++
		}
	}
	if next != l.Len() {
		fmt.Fprintf(&b, "%d lines of no run\n", l.Len()-next)
	}
	return b.String()
}

func given(fen int64) string {
	if fen == schema.Null {
		return "blank"
	}
	return rules.Fen(fen).String()
}

func givenMicro(micro int64) string {
	if micro == schema.Null {
		return "blank"
	}
	return rules.Micro(micro).String()
}

func TestPosOrders(t *testing.T) {
	for _, c := range []struct{ name, file, want, repairs string }{
		{
			name: "lines of one order are one run",
			file: `out_trade_no,order_time,total_amount,goods_id,goods_name,quantity,price
A1,2026-11-20 10:00:00,10.00,G1,茶,2,3
A1,2026-11-20 10:00:00,10.00,G2,饼,1,4.00
A2,2026-11-20 10:00:01,8,G1,茶,0.5,3.333333
`,
			want: `2: no=A1 time=10:00:00 total=10.00
  2: id=G1 name=茶 quantity=2 price=3
  3: id=G2 name=饼 quantity=1 price=4
4: no=A2 time=10:00:01 total=8.00
  4: id=G1 name=茶 quantity=0.5 price=3.333333
`,
		},
		{
			name: "order columns blank after the first line, or first given later",
			file: `订单编号,商户PID,订单时间,门店编号,应付金额,商品编号,数量,单价
A1,,2026-11-20 10:00:00,,10.00,G1,1,6
A1,20887170859828060156,,S1,,G2,1,4
A1,2088717085982806,,,,G3,1,1
A1,2088725146974493,2026-11-20 10:00:00,S2,10.00,G3,1,1
`,
			want: `2: no=A1 merchant=2088717085982806 store=S1 time=10:00:00 total=10.00
  2: id=G1 quantity=1 price=6
  3: id=G2 quantity=1 price=4
  4: id=G3 quantity=1 price=1
5: no=A1 merchant=2088725146974493 store=S2 time=10:00:00 total=10.00
  5: id=G3 quantity=1 price=1
`,
		},
		{
			name: "values are compared, not bytes",
			file: `out_trade_no,order_time,status,channel,total_amount,goods_id,quantity
A1,2026-11-20 10:00:00,paid,alipay,12.0,G1,1
A1,2026/11/20 10:00:00,已支付,支付宝,12.00,G2,1
A1,2026-11-20T10:00:00, paid ,alipay,￥12,G3,1
`,
			want: `2: no=A1 channel=alipay time=10:00:00 status=1 total=12.00
  2: id=G1 quantity=1
  3: id=G2 quantity=1
  4: id=G3 quantity=1
`,
		},
		{
			name: "all columns",
			file: `商户订单号,支付宝交易号,商户PID,门店编号,终端号,操作员,交易时间,订单状态,支付接口,支付渠道,直连间连,订单金额（元）,不可打折金额,实付金额,红包,购物津贴,优惠券,券名称,花呗分期数,服务商PID,支付场景,付款码,班次,商品编号,商品名称,数量,单价
A1,2026112022001619730000000001,2088717085982806,S1,T1,op1,2026/11/20 9:05,订单取消,alipay.trade.pay,微信,间连,"1,000.00元",1,977,5,8,10,满减,12,2.08873E+15,bar_code,2512345678901234,早班,G1,茶,1,1000
`,
			want: `2: no=A1 trade=2026112022001619730000000001 merchant=2088717085982806 store=S1 terminal=T1 operator=op1` +
				` interface=alipay.trade.pay channel=wechat couponname=满减 provider=2.08873E+15 scene=bar_code tail=1234 shift=早班` +
				` time=09:05:00 status=3 link=2 total=1000.00 undiscountable=1.00 paid=977.00 red=5.00 allowance=8.00 coupon=10.00` +
				` hb=12 paycode=1
  2: id=G1 name=茶 quantity=1 price=1000
`,
			repairs: "seconds_lost 1",
		},
		{
			name: "conflicts",
			file: `out_trade_no,trade_no,order_time,total_amount,pay_code,goods_id,quantity
A1,T1,2026-11-20 10:00:00,12.00,2512345678901234,G1,1
A1,T1,2026-11-20 10:00:00,12.01,2512345678901234,G2,1
A1,T2,2026-11-20 10:00:00,12.00,2512345678901234,G3,1
A2,T3,2026-11-20 10:00:00,12.00,2512345678901234,G1,1
A2,T3,2026-11-20 10:00:00,12.00,2612345678901234,G1,1
A3,,2026-11-20 10:00:00,5.00,,G1,1
A3,T4,2026-11-20 10:00:00,5.00,,G1,1
A3,T5,2026-11-20 10:00:00,5.00,,G1,1
`,
			want: `2: no=A1 trade=T1 tail=1234 time=10:00:00 total=12.00 paycode=1 conflict=total_amount:3:12.01
  2: id=G1 quantity=1
  3: id=G2 quantity=1
  4: id=G3 quantity=1
5: no=A2 trade=T3 tail=1234 time=10:00:00 total=12.00 paycode=1 conflict=pay_code:6:****1234
  5: id=G1 quantity=1
  6: id=G1 quantity=1
7: no=A3 trade=T4 time=10:00:00 total=5.00 conflict=trade_no:9:T5
  7: id=G1 quantity=1
  8: id=G1 quantity=1
  9: id=G1 quantity=1
`,
		},
		{
			name: "lines without goods",
			file: `out_trade_no,order_time,total_amount,goods_id,goods_name,quantity,price
A1,2026-11-20 10:00:00,1.00,,,,
A1,2026-11-20 10:00:00,1.00,, ,1,
`,
			want: `2: no=A1 time=10:00:00 total=1.00
  2: no-goods
  3: quantity=1
`,
		},
		{
			name: "a goods_name alone is what the order is called",
			file: `out_trade_no,order_time,total_amount,goods_name
A1,2026-11-20 10:00:00,1.00,咖啡
`,
			want: `2: no=A1 time=10:00:00 total=1.00
  2: no-goods
`,
		},
		{
			name: "repairs are counted once a row",
			file: `out_trade_no,store_id,terminal_id,order_time,total_amount,goods_id,quantity,shift
"=""A1""","=""S1""",12.0,2026/11/20 10:00,1.00,G1,1,x
"=""A1""","=""S1""",12.0,2026/11/20 10:00,1.00,7.0,1,x
A1,S1,12,2026-11-20 10:00:00,1.00,G2,1
`,
			want: `2: no=A1 store=S1 terminal=12 shift=x time=10:00:00 total=1.00
  2: id=G1 quantity=1
  3: id=7 quantity=1
  4: id=G2 quantity=1
`,
			repairs: "cells_padded 1, excel_formula 2, id_number 2, seconds_lost 2",
		},
		{
			name: "goods columns first and between",
			file: `goods_id,out_trade_no,quantity,order_time,row,total_amount
G1,A1,1,2026-11-20 10:00:00,1,3
G2,A1,2,2026-11-20 10:00:00,2,3
G3,A2,2,2026-11-20 10:00:00,3,3
`,
			want: `2: no=A1 time=10:00:00 total=3.00
  2: id=G1 quantity=1
  3: id=G2 quantity=2
4: no=A2 time=10:00:00 total=3.00
  4: id=G3 quantity=2
`,
		},
		{
			name: "a title block, comments, blank rows and empty columns",
			file: `POS日报
# 导出
,out_trade_no,order_time,total_amount,,
,A1,2026-11-20 10:00:00,3,,

,,,,,
,A1,2026-11-20 10:00:00,3,,
`,
			want: `4: no=A1 time=10:00:00 total=3.00
  4: no-goods
  7: no-goods
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, data := range [][]byte{[]byte(c.file), []byte("\ufeff" + strings.ReplaceAll(c.file, "\n", "\r\n")), gb18030(t, c.file)} {
				g := load(t, Options{}, canonicalInput{kind: schema.PosOrders, data: data})
				if got := g.orderText(); got != c.want {
					t.Errorf("orders of\n%s\nare\n%s\nwant\n%s\n%s", data, got, c.want, g.problems())
				}
				if got := g.placed(); got != "" {
					t.Errorf("rejects:\n%s", got)
				}
				if got := g.repairsOf(); got != c.repairs {
					t.Errorf("repairs %q, want %q", got, c.repairs)
				}
			}
		})
	}
}

const orderHeader = "out_trade_no,trade_no,merchant_pid,store_id,order_time,status,channel,link,total_amount,coupon,hb_fq_num,goods_id,quantity,price\n"

func TestPosOrdersRejects(t *testing.T) {
	for _, c := range []struct {
		name, file string
		codes      []rules.Code
		want       string
	}{
		{
			"an order number that is missing or damaged is a row alone",
			orderHeader + `§,,,,2026-11-20 10:00:00,,,,1.00,,,,,
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,1
§2.02611E+27,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G2,1,1
`,
			[]rules.Code{rules.CodeMissingValue, rules.CodeIDDamaged},
			`3: no=A1 time=10:00:00 total=1.00
  3: id=G1 quantity=1 price=1
  5: id=G2 quantity=1 price=1
`,
		},
		{
			"an order column takes the order",
			orderHeader + `A1,,,,2026-11-20 10:00:00,,,,§1O.00,,,G1,1,1
A1,,,,2026-11-20 10:00:00,,,,10.00,,,G2,1,1
A1,,,,§2026-11-31 10:00:00,,,,10.00,,,G2,1,1
`,
			[]rules.Code{rules.CodeAmountSyntax, rules.CodeTimeSyntax},
			`2: no=A1 time=10:00:00 total=10.00 reject=amount_syntax:2
  2: id=G1 quantity=1 price=1 order-rejected
  3: id=G2 quantity=1 price=1
  4: id=G2 quantity=1 price=1 order-rejected
`,
		},
		{
			"each code of an order column",
			orderHeader + `A1,,,,2026-11-20 10:00:00,,,,§1.234,,,,,
A2,,,,2026-11-20 10:00:00,,,,§99999999999999,,,,,
A3,,,,2026-11-20 10:00:00,,,,§-1,,,,,
A4,,,,2026-11-20 10:00:00,§refunded,,,1,,,,,
A5,,,,2026-11-20 10:00:00,,,§?,1,,,,,
A6,,,,2026-11-20 10:00:00,,,,1,,§3.5,,,
A7,§2026112022001610000000000000,,,2026-11-20 10:00:00,,,,1,,,,,
A8,,§2.08872E+15,,2026-11-20 10:00:00,,,,1,,,,,
A9,,,,2026-11-20 10:00:00,,bank card,,1,§.5,,,,
`,
			[]rules.Code{
				rules.CodeAmountPrecision, rules.CodeAmountRange, rules.CodeNegativeGoods, rules.CodeEnumValue, rules.CodeEnumValue,
				rules.CodeNumberSyntax, rules.CodeIDDamaged, rules.CodeIDDamaged, rules.CodeAmountSyntax,
			},
			`2: no=A1 time=10:00:00 reject=amount_precision:2
  2: order-rejected no-goods
3: no=A2 time=10:00:00 reject=amount_range:3
  3: order-rejected no-goods
4: no=A3 time=10:00:00 total=-1.00 reject=negative_goods:4
  4: order-rejected no-goods
5: no=A4 time=10:00:00 total=1.00 reject=enum_value:5
  5: order-rejected no-goods
6: no=A5 time=10:00:00 total=1.00 reject=enum_value:6
  6: order-rejected no-goods
7: no=A6 time=10:00:00 total=1.00 reject=number_syntax:7
  7: order-rejected no-goods
8: no=A7 time=10:00:00 total=1.00 reject=id_damaged:8
  8: order-rejected no-goods
9: no=A8 time=10:00:00 total=1.00 reject=id_damaged:9
  9: order-rejected no-goods
10: no=A9 channel=bank card time=10:00:00 total=1.00 reject=amount_syntax:10
  10: order-rejected no-goods
`,
		},
		{
			"a goods column leaves the order",
			orderHeader + `A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,§two,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,§0,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,§-1,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,§-0.01
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,§,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,§1.1234567
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,§99999999999999
A1,,,,2026-11-20 10:00:00,,,,1.00,,,§1E+18,1,1
A1,,,,2026-11-20 10:00:00,,,,1.00,,,G1,1,1
`,
			[]rules.Code{
				rules.CodeNumberSyntax, rules.CodeNegativeGoods, rules.CodeNegativeGoods, rules.CodeNegativeGoods, rules.CodeMissingValue,
				rules.CodeAmountPrecision, rules.CodeAmountRange, rules.CodeIDDamaged,
			},
			`2: no=A1 time=10:00:00 total=1.00
  2: goods-rejected
  3: goods-rejected
  4: goods-rejected
  5: goods-rejected
  6: goods-rejected
  7: goods-rejected
  8: goods-rejected
  9: goods-rejected
  10: id=G1 quantity=1 price=1
`,
		},
		{
			"the leftmost fault is reported, the flags are of both",
			orderHeader + `A1,,,,2026-11-20 10:00:00,,,,§x,,,G1,y,1
`,
			[]rules.Code{rules.CodeAmountSyntax},
			`2: no=A1 time=10:00:00 reject=amount_syntax:2
  2: goods-rejected order-rejected
`,
		},
		{
			"blank order columns are the engine's to judge",
			orderHeader + `A1,,,,,,,,,,,G1,1,1
`,
			nil,
			`2: no=A1
  2: id=G1 quantity=1 price=1
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, places := marked(c.file, c.codes...)
			g := loadText(t, schema.PosOrders, file)
			if got := g.placed(); got != places {
				t.Errorf("rejects\n%s\nwant\n%s", got, places)
			}
			if got := g.orderText(); got != c.want {
				t.Errorf("orders\n%s\nwant\n%s", got, c.want)
			}
			for _, r := range g.rejects {
				if want := strings.Split(file, "\n")[r.Line-1]; r.Raw != want {
					t.Errorf("raw of line %d is %q, want %q", r.Line, r.Raw, want)
				}
			}
			if tab := g.tables[0]; tab.Rejected != int64(len(c.codes)) || tab.Rows != tab.Accepted+tab.Rejected {
				t.Errorf("%s, want %d rejected", g.counts(), len(c.codes))
			}
		})
	}
}

// A line with too many cells belongs to an order whose goods are then not whole:
// the order goes with it.
func TestPosOrdersColumnCount(t *testing.T) {
	g := loadText(t, schema.PosOrders, `out_trade_no,store_id,order_time,total_amount,pay_code,goods_id,goods_name,quantity,price
A1,S1,2026-11-20 10:00:00,10.00,2512345678901234,G1,茶,1,6
A1,S1,2026-11-20 10:00:00,10.00,2512345678901234,G2,饼, 大,1,4
A2,S1,2026-11-20 10:00:00
,S1,2026-11-20 10:00:00
A3,S1,2026-11-20 10:00:00,10.00,,G1,茶,1,6
`)
	want := `2: no=A1 store=S1 tail=1234 time=10:00:00 total=10.00 paycode=1 reject=column_count:3
  2: id=G1 name=茶 quantity=1 price=6
  3: goods-rejected order-rejected
4: no=A2 store=S1 reject=column_count:4
  4: goods-rejected order-rejected
6: no=A3 store=S1 time=10:00:00 total=10.00
  6: id=G1 name=茶 quantity=1 price=6
`
	if got := g.orderText(); got != want {
		t.Errorf("orders\n%s\nwant\n%s", got, want)
	}
	if got, want := g.placed(), "3 column_count () \"\"\n4 column_count () \"\"\n5 column_count () \"\"\n"; got != want {
		t.Errorf("rejects\n%s\nwant\n%s", got, want)
	}
	if got, want := g.rejects[0].Raw, "A1,S1,2026-11-20 10:00:00,10.00,****1234,G2,饼, 大,1,4"; got != want {
		t.Errorf("raw %q, want %q", got, want)
	}
}

// A message says what would have been right.
func TestPosOrdersMessages(t *testing.T) {
	g := loadText(t, schema.PosOrders, "out_trade_no,order_time,total_amount,link\nA1,2026-11-20 10:00:00,1.00,wifi\nA2,2026-11-20 10:00:00,1.00,,x\n")
	want := `enum_value: 不是允许的取值: 应为 direct, 直连, indirect, 间连
column_count: 列数与表头不符: 表头 4 列，本行 5 列`
	if got := g.problems(); got != want {
		t.Errorf("problems\n%s\nwant\n%s", got, want)
	}
}

func TestPosOrdersEncoding(t *testing.T) {
	file := []byte("out_trade_no,store_id,order_time,status,total_amount,goods_id,goods_name,quantity\n" +
		"中1,店,2026-11-20 10:00:00,已支付,1.00,货,茶,1\n" +
		"A\xff,S1,2026-11-20 10:00:00,,1.00,G1,茶,1\n" +
		"A2,S\xff,2026-11-20 10:00:00,,1.00,G1,茶,1\n" +
		"A3,S1,2026-11-20 10:00:00,\xff,1.00,G1,茶,1\n" +
		"A4,S1,2026-11-20 10:00:0\xff,,1.00,G1,茶,1\n" +
		"A5,S1,2026-11-20 10:00:00,,1.\xff0,G1,茶,1\n" +
		"A6,S1,2026-11-20 10:00:00,,1.00,G\xff,茶,1\n" +
		"A7,S1,2026-11-20 10:00:00,,1.00,G1,茶\xff,1\n" +
		"A7,S1,2026-11-20 10:00:00,,1.00,G2,茶\xff,1\n" +
		"A8,S1,2026-11-20 10:00:00,,1.00,G\x00,茶,1\n")
	// A long run of good lines first, so that one bad byte does not make it GB18030.
	var head bytes.Buffer
	head.WriteString(strings.SplitAfter(string(file), "\n")[0])
	for i := range 2000 {
		fmt.Fprintf(&head, "P%d,店,2026-11-20 10:00:00,已支付,1.00,货,茶,1\n", i)
	}
	_, rest, _ := bytes.Cut(file, []byte("\n"))
	head.Write(rest)
	g := load(t, Options{}, canonicalInput{kind: schema.PosOrders, data: head.Bytes()})
	want := "2003 encoding (out_trade_no) \"A\ufffd\"\n" +
		"2004 encoding (store_id) \"S\ufffd\"\n" +
		"2005 encoding (status) \"\ufffd\"\n" +
		"2006 encoding (order_time) \"2026-11-20 10:00:0\ufffd\"\n" +
		"2007 encoding (total_amount) \"1.\ufffd0\"\n" +
		"2008 encoding (goods_id) \"G\ufffd\"\n" +
		"2011 encoding (goods_id) \"G\ufffd\"\n"
	if got := g.placed(); got != want {
		t.Errorf("rejects\n%s\nwant\n%s", got, want)
	}
	if got, want := g.repairsOf(), "bytes_replaced 2"; got != want {
		t.Errorf("repairs %q, want %q", got, want)
	}
	if got := string(g.orders.OutTradeNo.At(2000)); got != "中1" {
		t.Errorf("order number %q, want 中1", got)
	}
	if got := g.word(g.lines.Name[2007]); got != "茶\ufffd" {
		t.Errorf("goods_name %q, want 茶 and a replaced byte", got)
	}
}

func TestPosOrdersHeader(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{
			"a column missing", "商户订单号,订单时间,应收,门店编号,终端号",
			"column_missing: 缺少必需的列: total_amount（订单金额、应付金额）" +
				"\n在作业文件的 columns.pos_orders 中写明列名，例如 total_amount: [\"列名\"]",
		},
		{
			"with the nearest name", "out_trade_no,order_times,total_amounts,store_id",
			"column_missing: 缺少必需的列: order_time（订单时间、交易时间），文件中最接近的是「order_times」；" +
				"total_amount（订单金额、应付金额），文件中最接近的是「total_amounts」" +
				"\n在作业文件的 columns.pos_orders 中写明列名，例如 order_time: [\"列名\"]",
		},
		{
			"a column twice", "out_trade_no,order_time,total_amount,订单金额（元）",
			"column_duplicate: 列名重复: total_amount 同时对应「total_amount」「订单金额（元）」" +
				"\n在作业文件的 columns.pos_orders 中写明列名，例如 total_amount: [\"列名\"]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := loadText(t, schema.PosOrders, c.header+"\nA1,2026-11-20 10:00:00,1.00,2,\n")
			if got := g.problems(); got != c.want || !g.tables[0].Refused {
				t.Errorf("problems\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Names of the job are in addition to the built-in ones, and win where the file
// has both.
func TestPosOrdersColumns(t *testing.T) {
	opt := Options{Columns: map[schema.InputKind]map[string][]string{schema.PosOrders: {
		"out_trade_no": {"小票号"}, "total_amount": {"应收", "实付金额"},
	}}}
	g := load(t, opt, canonicalInput{kind: schema.PosOrders, data: []byte(`小票号,交易时间,实付金额,订单金额,备注
A1,2026-11-20 10:00:00,7.00,9.00,x
`)})
	if got, want := g.orderText(), "2: no=A1 time=10:00:00 total=7.00\n  2: no-goods\n"; got != want {
		t.Errorf("orders\n%s\nwant\n%s\n%s", got, want, g.problems())
	}
	if got, want := strings.Join(g.tables[0].Unknown, " "), "订单金额 备注"; got != want {
		t.Errorf("unknown columns %q, want %q", got, want)
	}
}

// The same rows in chunks of any size, by any number of workers, are the same
// lines and the same orders once their runs are joined.
func TestPosOrdersChunks(t *testing.T) {
	data := syntheticOrders(2000, 3)
	whole := joined(load(t, Options{}, canonicalInput{kind: schema.PosOrders, data: data}))
	for _, size := range []int{300, 1000, 5000, 100_000} {
		for _, workers := range []int{1, 3} {
			opt := Options{Workers: workers, chunkSize: size}
			if got := joined(load(t, opt, canonicalInput{kind: schema.PosOrders, data: data})); got != whole {
				t.Fatalf("chunks of %d on %d workers give other rows", size, workers)
			}
		}
	}
}

// joined prints the orders by number, with all their lines: what is left when
// runs are joined.
func joined(g *gathered) string {
	orders := map[string][]string{}
	next := 0
	for i := range g.orders.Len() {
		o := &g.orders
		order := fmt.Sprint(string(o.OutTradeNo.At(i)), " ", string(o.TradeNo.At(i)), " ", given(o.Total[i]), " ", o.Time[i], " ", g.word(o.Store[i]))
		for range o.Lines[i] {
			l := &g.lines
			orders[order] = append(orders[order], fmt.Sprint(l.Line[next], " ", g.word(l.Goods[next]), " ", g.word(l.Name[next]), " ", l.Quantity[next], " ", l.Price[next]))
			next++
		}
	}
	var b strings.Builder
	for _, order := range slices.Sorted(maps.Keys(orders)) {
		fmt.Fprintln(&b, order, slices.Sorted(slices.Values(orders[order])))
	}
	return b.String()
}

// syntheticOrders are n orders of 1 to 4 lines, all columns of the usual till.
func syntheticOrders(n, seed int) []byte {
	var b bytes.Buffer
	b.WriteString("out_trade_no,trade_no,merchant_pid,store_id,terminal_id,operator_id,order_time,status,total_amount,buyer_paid,red_packet,allowance,coupon,hb_fq_num,sys_service_provider_id,goods_id,goods_name,quantity,price\n")
	x := uint64(seed)
	random := func(n uint64) uint64 {
		x = x*6364136223846793005 + 1442695040888963407
		return x >> 33 % n
	}
	for i := range n {
		order := fmt.Sprintf("POS20261120%07d,20261120220%08d%09d,%s,S%04d,T%d,op%d,2026-11-20 %02d:%02d:%02d,paid,%d.%02d,%d.%02d,0.00,%d.00,0.00,,%s,",
			i, random(1e8), i, []string{merchantOne, merchantTwo}[random(2)], random(300), random(9), random(5),
			random(24), random(60), random(60), random(2000), random(100), random(2000), random(100), random(30), ownPID)
		for range 1 + random(4)*random(2) {
			b.WriteString(order)
			fmt.Fprintf(&b, "SKU%05d,%s,%d,%d.%02d\n", random(3000), []string{"鲜榨橙汁", "面包", "水果拼盘", "羊肉串（10串）"}[random(4)], 1+random(3), random(500), random(100))
		}
	}
	return b.Bytes()
}

// benchParser gives a parser on a table of the data's header, and the data's
// records cut into cells.
func benchParser(t testing.TB, data []byte) (p *orderParser, rows []benchRow) {
	t.Helper()
	header, data, _ := bytes.Cut(data, []byte("\n"))
	table := &tableReader{
		table: &schema.Table{Kind: schema.PosOrders}, opt: &Options{Words: schema.NewWords()}, charset: newCharset(charsetUTF8),
	}
	c := specOf(schema.PosOrders).find(strings.Split(string(header), ","), table.opt)
	table.columns = c.width
	for line := int32(2); len(data) > 0; line++ {
		raw, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		rows = append(rows, benchRow{line, cutCells(nil, raw), raw})
	}
	return newOrderParser(table, c)().(*orderParser), rows
}

type benchRow struct {
	line  int32
	cells [][]byte
	raw   []byte
}

func TestPosOrdersAllocateNothing(t *testing.T) {
	p, rows := benchParser(t, syntheticOrders(1000, 1))
	reset := func() {
		p.run = -1
		schema.Reset(&p.orders)
		schema.Reset(&p.lines)
	}
	pass := func() {
		for _, r := range rows {
			p.row(r.line, r.cells, r.raw)
		}
		reset()
	}
	pass() // columns grow, words are met
	if got := testing.AllocsPerRun(10, pass) - testing.AllocsPerRun(10, reset); got != 0 {
		t.Errorf("%v allocations for %d rows, want 0", got, len(rows))
	}
}

// The comparison of bytes changes nothing but the time it takes.
func TestPosOrdersSameBytes(t *testing.T) {
	data := syntheticOrders(500, 7)
	fast, rows := benchParser(t, data)
	slow, _ := benchParser(t, data)
	slow.pieces = nil
	for _, r := range rows {
		fast.row(r.line, r.cells, r.raw)
		slow.row(r.line, r.cells, r.raw)
	}
	show := func(p *orderParser) string {
		return (&gathered{words: p.t.opt.Words, orders: p.orders, lines: p.lines}).orderText()
	}
	if got, want := show(fast), show(slow); got != want {
		t.Error("rows compared by bytes and by value differ")
	}
}

// BenchmarkPosOrders cuts records and reads them; Split is the cutting alone.
func BenchmarkPosOrders(b *testing.B) {
	data := syntheticOrders(3_300, 1) // a chunk
	for _, c := range []struct {
		name string
		read bool
	}{{"Split", false}, {"Read", true}} {
		b.Run(c.name, func(b *testing.B) {
			p, rows := benchParser(b, data)
			lines := len(rows)
			var cells [][]byte
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, rest, _ := bytes.Cut(data, []byte("\n"))
				for line := int32(2); len(rest) > 0; line++ {
					end := bytes.IndexByte(rest, '\n')
					raw := rest[:end]
					rest = rest[end+1:]
					cells = cutCells(cells[:0], raw)
					if c.read {
						p.row(line, cells, raw)
					}
				}
				if err := p.flush(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func cutCells(cells [][]byte, raw []byte) [][]byte {
	for {
		i := bytes.IndexByte(raw, ',')
		if i < 0 {
			return append(cells, raw)
		}
		cells = append(cells, raw[:i])
		raw = raw[i+1:]
	}
}

// Whatever the rows are, no line is lost, and what is compared by bytes is what
// is compared by value.
func FuzzPosOrders(f *testing.F) {
	rows := "A1,,,,2026-11-20 10:00:00,,,,10.00,,,G1,1,1\nA1,,,,,,,,,,,G1,2,1\n"
	f.Add([]byte(rows))
	f.Add(gb18030(f, "中,,,,2026-11-20 10:00,已支付,支付宝,直连,\"1,0\",,,\"=\"\"1\"\"\",x,1\n"+rows))
	f.Fuzz(func(t *testing.T, data []byte) {
		var shown [2]string
		for i := range shown {
			p, _ := benchParser(t, []byte(orderHeader))
			p.t.charset = newCharset(charsetOf(data))
			g := &gathered{words: p.t.opt.Words}
			p.t.sink = g
			if i == 1 {
				p.pieces = nil
			}
			read := 0
			for k, raw := range bytes.Split(data, []byte("\n")) {
				cells, _, ok := splitQuoted(nil, nil, raw, ',')
				if !ok || len(bytes.Trim(raw, "\t ,")) == 0 {
					continue
				}
				p.row(int32(k+2), cells, raw)
				read++
			}
			g.orders, g.lines = p.orders, p.lines
			alone := 0
			for _, r := range g.rejects {
				if !slices.Contains(g.lines.Line, r.Line) {
					alone++
				}
			}
			if got := g.lines.Len() + alone + int(p.skipped); got != read {
				t.Errorf("%d lines in runs, %d rejected alone, %d blank: %d rows were read", g.lines.Len(), alone, p.skipped, read)
			}
			shown[i] = g.placed() + g.orderText()
		}
		if shown[0] != shown[1] {
			t.Errorf("compared by bytes:\n%s\nby value:\n%s", shown[0], shown[1])
		}
	})
}

// The payment code's own cell is masked, not the first place where its digits
// stand.
func TestPayCodeOfRejectedRow(t *testing.T) {
	g := loadText(t, schema.PosOrders, "out_trade_no,operator_id,pay_code,order_time,total_amount\nA1,912345678,12345678,2026-11-20 09:00:00,x\n")
	if len(g.rejects) != 1 {
		t.Fatalf("%d rejects, want 1", len(g.rejects))
	}
	if got, want := g.rejects[0].Raw, "A1,912345678,****5678,2026-11-20 09:00:00,x"; got != want {
		t.Errorf("raw %q, want %q", got, want)
	}
}
