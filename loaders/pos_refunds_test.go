package loaders

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// refundText prints the runs and their lines, what is blank left out.
func (g *gathered) refundText() string {
	var b strings.Builder
	f, l := &g.refunds, &g.returned
	next := 0
	for i := range f.Len() {
		fmt.Fprintf(&b, "%d: %s|%s|%s", f.Line[i], f.OutTradeNo.At(i), f.RequestNo.At(i), f.TradeNo.At(i))
		fmt.Fprintf(&b, " %s %s", g.word(f.Merchant[i]), g.word(f.Store[i]))
		if f.Time[i] != schema.Null {
			b.WriteString(time.Unix(f.Time[i], 0).UTC().Format(" 15:04:05"))
		}
		fmt.Fprintf(&b, " %s", given(f.Amount[i]))
		if f.Mode[i] != 0 {
			fmt.Fprintf(&b, " %v", rules.RefundMode(f.Mode[i]))
		}
		if f.Reject[i] != 0 {
			fmt.Fprintf(&b, " reject=%v:%d", rules.Code(f.Reject[i]), f.RejectLine[i])
		}
		if f.Conflict[i] != 0 {
			fmt.Fprintf(&b, " conflict=%s:%d:%s", g.word(f.Conflict[i]), f.ConflictLine[i], g.word(f.ConflictValue[i]))
		}
		for range f.Lines[i] {
			fmt.Fprintf(&b, " [%d %s %s %d]", l.Line[next], g.word(l.Goods[next]), givenMicro(l.Quantity[next]), l.Flags[next])
			next++
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPosRefunds(t *testing.T) {
	for _, c := range []struct {
		name, file string
		codes      []rules.Code
		want       string
	}{
		{
			name: "lines of one request, sign and modes",
			file: `out_trade_no,out_request_no,trade_no,merchant_pid,store_id,refund_time,refund_amount,mode,goods_id,quantity
A1,R1,T1,2088717085982806,S1,2026-11-20 10:00:00,-12.00,方案二,G1,1
A1,R1,T1,2088717085982806,S1,2026-11-20 10:00:00,-12.00,方案二,G2,0.5
A1,R1,,,,,12,prorated,G3,2
A1,R2,T1,2088717085982806,S1,2026-11-20 11:00:00,3.00,whole,,
A1,R3,T1,2088717085982806,S1,2026-11-20 11:00:00,3.00,,,
`,
			want: `2: A1|R1|T1 2088717085982806 S1 10:00:00 12.00 prorated [2 G1 1 0] [3 G2 0.5 0] [4 G3 2 0]
5: A1|R2|T1 2088717085982806 S1 11:00:00 3.00 whole [5  blank 4]
6: A1|R3|T1 2088717085982806 S1 11:00:00 3.00 [6  blank 4]
`,
		},
		{
			name: "without a request number, time and amount tell",
			file: `商户订单号,退款时间,退款金额,商品编号,数量
A1,2026-11-20 10:00:00,12.00,G1,1
A1,2026-11-20 10:00:00,12.0,G2,1
A1,,,G3,1
A1,2026-11-20 10:00:00,13.00,G2,1
A1,2026-11-20 10:00:01,13.00,G2,1
A2,2026-11-20 10:00:01,13.00,G2,1
`,
			want: `2: A1||   10:00:00 12.00 [2 G1 1 0] [3 G2 1 0] [4 G3 1 0]
5: A1||   10:00:00 13.00 [5 G2 1 0]
6: A1||   10:00:01 13.00 [6 G2 1 0]
7: A2||   10:00:01 13.00 [7 G2 1 0]
`,
		},
		{
			name: "conflicts",
			file: `out_trade_no,out_request_no,merchant_pid,store_id,refund_time,refund_amount
A1,R1,2088717085982806,S1,2026-11-20 10:00:00,12.00
A1,R1,2088717085982806,S2,2026-11-20 10:00:00,12.00
A1,R1,2088717085982806,S1,2026-11-20 10:00:00,13.00
`,
			want: `2: A1|R1| 2088717085982806 S1 10:00:00 12.00 conflict=store_id:3:S2 [2  blank 4] [3  blank 4] [4  blank 4]
`,
		},
		{
			name: "rejects",
			file: `out_trade_no,out_request_no,refund_time,refund_amount,mode,goods_id,quantity
A1,R1,§yesterday,12.00,,,
A2,R1,2026-11-20 10:00:00,§twelve,,,
A3,R1,2026-11-20 10:00:00,12.00,§half,,
A4,§1.23E+20,2026-11-20 10:00:00,12.00,,,
§,R1,2026-11-20 10:00:00,12.00,,,
A5,R1,2026-11-20 10:00:00,12.00,,G1,§
A5,R1,2026-11-20 10:00:00,12.00,,G1,§0
A5,R1,2026-11-20 10:00:00,12.00,,G1,§x
A5,R1,2026-11-20 10:00:00,12.00,,G1,1
`,
			codes: []rules.Code{
				rules.CodeTimeSyntax, rules.CodeAmountSyntax, rules.CodeEnumValue, rules.CodeIDDamaged, rules.CodeMissingValue,
				rules.CodeMissingValue, rules.CodeNegativeGoods, rules.CodeNumberSyntax,
			},
			want: `2: A1|R1|   12.00 reject=time_syntax:2 [2  blank 6]
3: A2|R1|   10:00:00 blank reject=amount_syntax:3 [3  blank 6]
4: A3|R1|   10:00:00 12.00 reject=enum_value:4 [4  blank 6]
5: A4||   10:00:00 12.00 reject=id_damaged:5 [5  blank 6]
7: A5|R1|   10:00:00 12.00 [7  blank 1] [8  blank 1] [9  blank 1] [10 G1 1 0]
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, places := marked(c.file, c.codes...)
			for _, data := range [][]byte{[]byte(file), gb18030(t, file)} {
				g := load(t, Options{}, canonicalInput{kind: schema.PosRefundsKind, data: data})
				if got := g.placed(); got != places {
					t.Errorf("rejects\n%s\nwant\n%s\n%s", got, places, g.problems())
				}
				if got := g.refundText(); got != c.want {
					t.Errorf("refunds\n%s\nwant\n%s", got, c.want)
				}
			}
		})
	}
}

func TestPosRefundsColumnCount(t *testing.T) {
	g := loadText(t, schema.PosRefundsKind, `out_trade_no,out_request_no,refund_time,refund_amount
A1,R1,2026-11-20 10:00:00,12.00,x
A2,R1,2026-11-20 10:00:00
A3,R1,2026-11-20 10:00:00,12.00
`)
	want := `2: A1|R1|   blank reject=column_count:2 [2  blank 3]
3: A2|R1|   blank reject=column_count:3 [3  blank 3]
4: A3|R1|   10:00:00 12.00 [4  blank 4]
`
	if got := g.refundText(); got != want {
		t.Errorf("refunds\n%s\nwant\n%s", got, want)
	}
}

// FuzzPosRefunds reads anything as refunds: every line is in a run, rejected or blank.
func FuzzPosRefunds(f *testing.F) {
	f.Add([]byte("A1,T1,R1,2088717085982806,S1,2026-11-20 10:00:00,1.00,whole,G1,1\nA1,,R1,,,,,,G2,2\n"))
	f.Add([]byte("A1,,,,,2026-11-20 10:00,\"1,000.00\",方案一,,\n"))
	f.Fuzz(func(t *testing.T, rows []byte) {
		header := "out_trade_no,trade_no,out_request_no,merchant_pid,store_id,refund_time,refund_amount,mode,goods_id,quantity\n"
		g := load(t, Options{}, canonicalInput{kind: schema.PosRefundsKind, data: append([]byte(header), rows...)})
		tab := g.tables[0]
		if tab.Refused {
			return
		}
		lines := 0
		for _, n := range g.refunds.Lines {
			lines += int(n)
		}
		if lines != g.returned.Len() || tab.Accepted < 0 || tab.Accepted+tab.Rejected != tab.Rows {
			t.Fatalf("%d rows, %d accepted, %d rejected; %d lines in runs, %d lines", tab.Rows, tab.Accepted, tab.Rejected, lines, g.returned.Len())
		}
	})
}
