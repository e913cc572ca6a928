package loaders

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// statementText prints the rows.
func (g *gathered) statementText() string {
	var b strings.Builder
	s := &g.statements
	for i := range s.Len() {
		fmt.Fprintf(&b, "%d: %s %s %s %s %s|%s", s.Line[i], g.word(s.Period[i]), g.word(s.Provider[i]), g.word(s.Merchant[i]),
			g.word(s.Product[i]), s.TradeNo.At(i), s.OutTradeNo.At(i))
		if s.Time[i] != schema.Null {
			b.WriteString(time.Unix(s.Time[i], 0).UTC().Format(" 15:04:05"))
		}
		if s.TradeAmount[i] != schema.Null {
			fmt.Fprintf(&b, " amount=%v", rules.Fen(s.TradeAmount[i]))
		}
		if s.TradeCount[i] != schema.Null {
			fmt.Fprintf(&b, " count=%d", s.TradeCount[i])
		}
		if s.Rate[i] != schema.Null {
			fmt.Fprintf(&b, " rate=%v", rules.Micro(s.Rate[i]))
		}
		fmt.Fprintf(&b, " rebate=%v", rules.Micro(s.Rebate[i]))
		if s.Adjustment[i] != 0 {
			fmt.Fprintf(&b, " adjustment=%v", rules.Micro(s.Adjustment[i]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// rebateFile is the fixture rebate.csv of formats 15: trade level, a clawback,
// rates in their three forms.
const rebateFile = `账期,服务商PID,商户PID,产品,支付宝交易号,商户订单号,交易时间,有效交易金额（元）,有效交易笔数,费率,返佣金额（元）,调整金额（元）,备注
2026-11,2088731199938475,2088717085982806,当面付,2026112022000003940000000097,POS1,2026-11-20 12:48:47,"2,901.53",1,0.0055,15.96,,
2026-11,2088731199938475,2088717085982806,花呗分期,2026112022007104880000000129,POS2,2026-11-20 11:04:51,1794.03,,0.55%,9.867165,-1.00,调账
2026-11,2088731199938475,2088717085982806,,2026112022000003940000000097,POS1,,-2901.53,,5.5‰,-15.96,,退款
合计,,,,,,,1794.03,,,9.87,-1.00,
`

func TestRebate(t *testing.T) {
	want := `2: 2026-11 2088731199938475 2088717085982806 face_to_face 2026112022000003940000000097|POS1 12:48:47 amount=2901.53 count=1 rate=0.0055 rebate=15.96
3: 2026-11 2088731199938475 2088717085982806 huabei_instalment 2026112022007104880000000129|POS2 11:04:51 amount=1794.03 rate=0.0055 rebate=9.867165 adjustment=-1
4: 2026-11 2088731199938475 2088717085982806 face_to_face 2026112022000003940000000097|POS1 amount=-2901.53 rate=0.0055 rebate=-15.96
`
	for _, data := range [][]byte{[]byte(rebateFile), gb18030(t, rebateFile)} {
		g := load(t, Options{}, canonicalInput{kind: schema.Rebate, data: data})
		if got := g.statementText(); got != want {
			t.Errorf("rows\n%s\nwant\n%s\n%s", got, want, g.problems())
		}
		if got, want := g.counts(), "3 rows, 3 accepted, 0 rejected"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := g.repairsOf(), "total_row 1"; got != want {
			t.Errorf("repairs %q, want %q", got, want)
		}
	}
}

func TestRebateRejects(t *testing.T) {
	file, places := marked(`period,service_provider_pid,merchant_pid,product,trade_no,trade_time,trade_amount,trade_count,rate,rebate_amount,adjustment
§2026-13,2088731199938475,2088717085982806,,T1,,,,,1.00,
§next month,2088731199938475,2088717085982806,,T1,,,,,1.00,
2026-11,2088731199938475,§1680001234567,,T1,,,,,1.00,
2026-11,2088731199938475,2088717085982806,,§2.02611E+27,,,,,1.00,
2026-11,2088731199938475,2088717085982806,,T1,§soon,,,,1.00,
2026-11,2088731199938475,2088717085982806,,T1,,§1.005,,,1.00,
2026-11,2088731199938475,2088717085982806,,T1,,,§1.5,,1.00,
2026-11,2088731199938475,2088717085982806,,T1,,,,§high,1.00,
2026-11,2088731199938475,2088717085982806,,T1,,,,§0.00001%,1.00,
2026-11,2088731199938475,2088717085982806,,T1,,,,,§,
2026-11,2088731199938475,2088717085982806,,T1,,,,,§1.0000001,
2026-11,2088731199938475,2088717085982806,,T1,,,,,1.00,§-
`, rules.CodeTimeSyntax, rules.CodeTimeSyntax, rules.CodeMerchantUnknown, rules.CodeIDDamaged, rules.CodeTimeSyntax, rules.CodeAmountPrecision,
		rules.CodeNumberSyntax, rules.CodeNumberSyntax, rules.CodeAmountPrecision, rules.CodeMissingValue, rules.CodeAmountPrecision, rules.CodeAmountSyntax)
	g := loadText(t, schema.Rebate, file)
	if got := g.placed(); got != places {
		t.Errorf("rejects\n%s\nwant\n%s", got, places)
	}
	if g.statements.Len() != 0 {
		t.Errorf("%d rows accepted, want none", g.statements.Len())
	}
}

// A statement without a provider column is the job's, if it says whose.
func TestRebateProvider(t *testing.T) {
	data := []byte("period,merchant_pid,trade_amount,rebate_amount\n202611,20887170859828060156,100.00,0.55\n")
	g := load(t, Options{StatementPID: ownPID}, canonicalInput{kind: schema.Rebate, data: data})
	want := "2: 2026-11 2088731199938475 2088717085982806 face_to_face | amount=100.00 rebate=0.55\n"
	if got := g.statementText(); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	g = load(t, Options{}, canonicalInput{kind: schema.Rebate, data: data})
	if got := g.problems(); !g.tables[0].Refused || !strings.Contains(got, "column_missing: 缺少必需的列: service_provider_pid") {
		t.Errorf("problems %q, want column_missing for service_provider_pid", got)
	}
}

// rebate_mchno.csv: a merchant number that is no PID is not guessed at.
func TestRebateMerchantNumber(t *testing.T) {
	g := load(t, Options{StatementPID: ownPID, Columns: map[schema.InputKind]map[string][]string{
		schema.Rebate: {"merchant_pid": {"商户号"}, "rebate_amount": {"应返金额"}, "period": {"清算日期"}},
	}}, canonicalInput{kind: schema.Rebate, data: []byte("清算日期,商户号,应返金额\n2026-11,1680001234567,3.20\n2026-11,2088717085982806,1\n")})
	if got, want := g.placed(), "2 merchant_unknown (商户号) \"1680001234567\"\n"; got != want {
		t.Errorf("rejects %q, want %q: %s", got, want, g.problems())
	}
	if g.statements.Len() != 1 {
		t.Errorf("%d rows, want 1", g.statements.Len())
	}
}

func TestRebateWeChatRows(t *testing.T) {
	g := loadText(t, schema.Rebate, `period,product,rebate_amount
2026-11,alipay,1
2026-11,wxpay,2
2026-11,微信支付,3
2026-11,支付宝-间联餐饮,4
小计,,10
`)
	want := `2: 2026-11 2088731199938475  face_to_face | rebate=1
5: 2026-11 2088731199938475  支付宝-间联餐饮 | rebate=4
`
	if got := g.statementText(); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	if got, want := g.counts()+"; "+g.repairsOf(), "2 rows, 2 accepted, 0 rejected; total_row 1, wechat_row 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNormalPeriod(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11": "2026-11", "2026/11": "2026-11", "202611": "2026-11", "2026年11月": "2026-11", "2026.1": "2026-01",
		"2026-11-20": "2026-11-20", "2026/11/2": "2026-11-02", "20261120": "2026-11-20", "2026年11月20日": "2026-11-20",
		"2026-11-20 00:00:00": "2026-11-20", "2026-13": "", "2026-02-30": "", "2026": "", "11": "", "46327": "", "": "", "合计": "",
		"2026-11-20-21": "",
	} {
		got, ok := normalPeriod(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("normalPeriod(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzRebate reads anything as a statement, by trade and by the month of another's
// workbook: every row is accepted, rejected, or none of the statement's.
func FuzzRebate(f *testing.F) {
	f.Add([]byte("2026-11,2088731199938475,2088717085982806,face_to_face,T1,A1,2026-11-20 10:00:00,100.00,1,0.55%,0.55,-0.01,x\n"))
	f.Add([]byte("甲,一店,1680001234567,100.50,0.20%,0.20,,50.00,0.10%,0.05,0.25,202611,调账,华东,上海,一组\n合计,,,1,,2\n"))
	f.Fuzz(func(t *testing.T, rows []byte) {
		for _, header := range []string{
			"period,service_provider_pid,merchant_pid,product,trade_no,out_trade_no,trade_time,trade_amount,trade_count,rate,rebate_amount,adjustment,remark\n",
			kaHeader + "\n",
		} {
			g := load(t, Options{StatementPID: ownPID, Columns: kaColumns}, canonicalInput{kind: schema.Rebate, data: append([]byte(header), rows...)})
			tab := g.tables[0]
			if tab.Refused {
				continue
			}
			if int64(g.statements.Len()) != tab.Accepted || int64(len(g.rejects)) != tab.Rejected || tab.Accepted+tab.Rejected != tab.Rows || tab.Rows < 0 {
				t.Fatalf("%d rows, %d accepted, %d rejected; %d statements, %d rejects", tab.Rows, tab.Accepted, tab.Rejected, g.statements.Len(), len(g.rejects))
			}
		}
	})
}

// FuzzRebateBook reads anything as the sheets of a month's workbook: what it states is
// compared, and no row is lost.
func FuzzRebateBook(f *testing.F) {
	f.Add("甲,一店,1680001234567,100.50,0.20%,0.20,,50.00,0.10%,0.05,0.25,202611\n合计,,,1,,2", "1680001234567,一店,0.25\n合计,,0.25")
	f.Add("\x00", "合计,,1e400")
	f.Fuzz(func(t *testing.T, rows, summary string) {
		cells := func(header, text string) (all [][]string) {
			for _, line := range append([]string{header}, strings.Split(text, "\n")...) {
				row := strings.Split(line, ",")
				for i := range row {
					row[i] = printable(row[i])
				}
				all = append(all, row[:min(len(row), 26)])
			}
			return all[:min(len(all), 200)]
		}
		book := bookOf(bookSheet{"品牌", cells(kaHeader, rows)}, bookSheet{"汇总", cells("商户号,商户名称,应返金额", summary)})
		g := load(t, Options{StatementPID: ownPID, Columns: kaColumns}, canonicalInput{kind: schema.Rebate, name: "KA返佣202611.xlsx", data: book})
		var rejected int64
		for _, tab := range g.tables {
			if !tab.Refused && (tab.Rows < 0 || tab.Accepted+tab.Rejected != tab.Rows) {
				t.Fatalf("%s: %d rows, %d accepted, %d rejected", tab.Member, tab.Rows, tab.Accepted, tab.Rejected)
			}
			rejected += tab.Rejected
		}
		if int64(len(g.rejects)) != rejected {
			t.Fatalf("%d rejects, the tables have %d", len(g.rejects), rejected)
		}
	})
}

// printable is text that XML can hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '\ufffd' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
