package loaders

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duizhang/engine/schema"
)

// The fixtures of formats 15 that concern rebate statements.

const kaHeader = "品牌,收钱吧商户名称,收钱吧商户号,支付宝交易金额,支付宝返佣比例,支付宝返佣金额,支付宝间连返佣,微信交易金额,微信返佣比例,微信返佣金额,返佣合计,交易期日,备注,一级组织,二级组织,三级组织"

// kaBook is a month's workbook of an aggregator: a sheet a brand below a title, with
// rows of totals and a merchant who has WeChat trades alone, and what it comes to.
func kaBook(total string) []byte {
	lines := func(text string) [][]string {
		var all [][]string
		for line := range strings.Lines(text) {
			all = append(all, strings.Split(strings.TrimSuffix(line, "\n"), ","))
		}
		return all
	}
	return bookOf(
		bookSheet{"品牌一", lines("KA 返佣明细\n\n统计周期：2026 年 11 月\n" + kaHeader + `
甲,一店,1680001234567,100.50,0.20%,0.20,,50.00,0.10%,0.05,0.25,202611,,华东,上海,一组
甲,二店,1680001234568,29.90,0.002,0.0598,,,,,0.0598,202611
甲,三店,1680001234569,,,,,10.00,0.10%,0.01,0.01,202611
甲,,小计,130.40,,0.2598,,60.00,,0.06,0.3198
甲,一店,1680001234567,,,-0.10,,,,,-0.10,202611,10 月调账
合计,,,130.40,,0.1598,,60.00,,0.06,0.2198
`)},
		bookSheet{"品牌二", lines(kaHeader + "\n乙,四店,1680001234570,10.00,5.5‰,0.055,,,,,0.0550000000000001,2026-11\n总计,,,10.00,,0.055,,,,,0.055\n")},
		bookSheet{"汇总", lines("KA返佣汇总\n商户号,商户名称,应返金额\n1680001234567,一店,0.15\n1680001234568,二店,0.0598\n1680001234569,三店,0.01\n1680001234570,四店,0.06\n合计,," + total + "\n")},
		bookSheet{"说明", lines("本表由渠道部提供\n")},
	)
}

func (f *fixtures) rebates() {
	f.files["rebate.csv"] = gbk(rebateFile)
	f.files["rebate_ka.xlsx"] = kaBook("0.2748")
	f.files["rebate_mchno.csv"] = gbk("清算日期,商户号,交易金额,结算费率,应返金额\n2026-11,1680001234567,1000.00,0.0032,3.20\n2026-11,2088717085982806,500.00,0.002,1.00\n")
	f.files["rebate_official.csv"] = []byte("commission_ym,commission_pin_mch_id,commission_shop_name,commission_site,commission_total_amount,commission_count_amount,commission_feilv,commission_settle_amount\n" +
		"202611,2088717085982806,一店,alipay,1000.00,20,0.0020,2.00\n202611,1680001234567,一店,wxpay,300.00,9,0.0020,0.60\n202611,2088725146974493,二店,alipay,,,,-0.50\n")
}

// loadFixture reads a file of testdata as a rebate statement.
func loadFixture(t *testing.T, name string, opt Options) *gathered {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, opt, canonicalInput{kind: schema.Rebate, name: name, data: data})
}

var kaColumns = map[schema.InputKind]map[string][]string{schema.Rebate: {
	"trade_amount": {"支付宝交易金额"}, "rate": {"支付宝返佣比例"}, "rebate_amount": {"支付宝返佣金额"}, "period": {"交易期日"},
}}

// rebate_ka.xlsx: rows of brands, totals and WeChat apart, and every stated total
// compared. A row that is a correction is an adjustment.
func TestKAFixture(t *testing.T) {
	g := loadFixture(t, "rebate_ka.xlsx", Options{StatementPID: ownPID, Columns: kaColumns})
	want := `5: 2026-11 2088731199938475  face_to_face | amount=100.50 rate=0.002 rebate=0.2
6: 2026-11 2088731199938475  face_to_face | amount=29.90 rate=0.002 rebate=0.0598
9: 2026-11 2088731199938475  face_to_face | rebate=0 adjustment=-0.1
2: 2026-11 2088731199938475  face_to_face | amount=10.00 rate=0.0055 rebate=0.055
`
	if got := g.statementText(); got != want {
		t.Errorf("rows\n%s\nwant\n%s\n%s", got, want, g.problems())
	}
	tables := map[string]*schema.Table{}
	for _, table := range g.tables {
		tables[table.Member] = table
	}
	if got := tables["品牌一"]; got.Rows != 3 || got.Accepted != 3 || got.Repairs["total_row"] != 2 || got.Repairs["wechat_row"] != 1 {
		t.Errorf("品牌一: %+v", got)
	}
	if got := tables["说明"]; got.Refused || got.Format != "" || got.Problems[0].Code != "unrecognised" {
		t.Errorf("说明: %+v", got)
	}
	summary := tables["汇总"]
	if summary.Format != "rebate_summary" || summary.Refused || summary.Rows != 4 || summary.Rejected != 0 || len(summary.Controls) != 5 {
		t.Fatalf("汇总: %+v", summary)
	}
	for _, c := range summary.Controls {
		if c.Holds == nil || !*c.Holds {
			t.Errorf("%s: stated %s, found %s", c.Name, *c.Stated, c.Found)
		}
	}
}

// A total that does not hold is said with its merchant.
func TestRebateSummaryFails(t *testing.T) {
	g := load(t, Options{StatementPID: ownPID, Columns: kaColumns}, canonicalInput{kind: schema.Rebate, name: "KA返佣202611.xlsx", data: kaBook("0.30")})
	if got := g.tables[2].Member + " " + g.problemsOf(2); !strings.Contains(got, "control_total") || !strings.Contains(got, "合计应返金额：文件所列 0.30，实际 0.27") {
		t.Errorf("problems %q", got)
	}
}

// A summary that states something unreadable rejects the row, and one without
// statements is listed only.
func TestRebateSummaryAlone(t *testing.T) {
	book := bookOf(bookSheet{"返佣汇总", [][]string{{"商户号", "应返金额"}, {"1680001234567", "0.1x"}, {"", ""}, {"1680001234568", "0.00000049"}}})
	g := load(t, Options{StatementPID: ownPID}, canonicalInput{kind: schema.Rebate, name: "a.xlsx", data: book})
	if got := g.placed(); got != "2 amount_syntax (应返金额) \"0.1x\"\n" {
		t.Errorf("rejects %q", got)
	}
	if got := g.problemsOf(0); !strings.Contains(got, "detail_absent") || len(g.tables[0].Controls) != 0 {
		t.Errorf("problems %q, controls %v", got, g.tables[0].Controls)
	}
}

func (g *gathered) problemsOf(table int) string {
	var b strings.Builder
	for _, p := range g.tables[table].Problems {
		b.WriteString(p.Code + " " + p.Message + "\n")
	}
	return b.String()
}

// rebate_mchno.csv: a merchant number that is no PID is not guessed at.
func TestMerchantNumberFixture(t *testing.T) {
	g := loadFixture(t, "rebate_mchno.csv", Options{StatementPID: ownPID, Columns: map[schema.InputKind]map[string][]string{schema.Rebate: {
		"merchant_pid": {"商户号"}, "rebate_amount": {"应返金额"}, "period": {"清算日期"}, "trade_amount": {"交易金额"}, "rate": {"结算费率"},
	}}})
	if got, want := g.placed(), "2 merchant_unknown (商户号) \"1680001234567\"\n"; got != want {
		t.Errorf("rejects %q, want %q", got, want)
	}
	if got, want := g.statementText(), "3: 2026-11 2088731199938475 2088717085982806 face_to_face | amount=500.00 rate=0.002 rebate=1\n"; got != want {
		t.Errorf("rows %q, want %q", got, want)
	}
}

// rebate_official.csv: the monthly table of commissions is read by its own names.
func TestOfficialFixture(t *testing.T) {
	g := loadFixture(t, "rebate_official.csv", Options{StatementPID: ownPID})
	want := `2: 2026-11 2088731199938475 2088717085982806 face_to_face | amount=1000.00 count=20 rate=0.002 rebate=2
4: 2026-11 2088731199938475 2088725146974493 face_to_face | rebate=-0.5
`
	if got := g.statementText(); got != want {
		t.Errorf("rows\n%s\nwant\n%s\n%s", got, want, g.problems())
	}
	if got, want := g.counts()+"; "+g.repairsOf(), "2 rows, 2 accepted, 0 rejected; wechat_row 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPeriodInName(t *testing.T) {
	for name, want := range map[string]string{
		"KA返佣202611.xlsx": "2026-11", "返佣-202611_v2.xlsx": "2026-11", "KA返佣2026-11.xlsx": "", "KA返佣202613.xlsx": "",
		"202611.xlsx": "", "返佣20261120.xlsx": "", "返佣.xlsx": "",
	} {
		if got := periodInName(&schema.Table{Path: "rebate/" + name, Member: "品牌一"}); got != want {
			t.Errorf("periodInName(%s) = %q, want %q", name, got, want)
		}
	}
	text := "商户PID,返佣金额\n2088717085982806,1.00\n"
	g := load(t, Options{StatementPID: ownPID}, canonicalInput{kind: schema.Rebate, name: "KA返佣202611.csv", data: []byte(text)})
	if got, want := g.statementText(), "2: 2026-11 2088731199938475 2088717085982806 face_to_face | rebate=1\n"; got != want {
		t.Errorf("rows %q, want %q; %s", got, want, g.problems())
	}
}

func TestShortDecimal(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "1": "1", "1.5": "1.5", "0.30000000000000004": "0.300000", "0.0000005": "0.000001", "-0.9999999": "-1.000000",
		"9.9999995": "10.000000", "1,999.99999999": "2,000.000000", "1.2345678x": "1.2345678x", "0.12345649": "0.123456", "¥9.9999999": "¥10.000000",
	} {
		if got := string(shortDecimal([]byte(cell))); got != want {
			t.Errorf("shortDecimal(%q) = %q, want %q", cell, got, want)
		}
	}
}
