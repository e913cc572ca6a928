package loaders

import (
	"fmt"
	"strings"
	"testing"
)

// TestBillPlaces puts a fault into a cell and marks it with §: the reject must name
// that line and that column.
func TestBillPlaces(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(rows []billRecord)
		want   string // codes
	}{
		{"type", func(r []billRecord) { r[1]["业务类型"] = "§充值" }, "enum_value"},
		{"type empty", func(r []billRecord) { r[1]["业务类型"] = "§" }, "missing_value"},
		{"time", func(r []billRecord) { r[0]["完成时间"] = "§2026-11-31 10:00:00" }, "time_syntax"},
		{"time empty", func(r []billRecord) { r[0]["完成时间"] = "§" }, "missing_value"},
		{"created", func(r []billRecord) { r[2]["创建时间"] = "§soon" }, "time_syntax"},
		{"amount", func(r []billRecord) { r[0]["订单金额"] = "§131.77(已退款89.84)" }, "amount_syntax"},
		{"amount empty", func(r []billRecord) { r[0]["商家实收"] = "§ " }, "missing_value"},
		{"range", func(r []billRecord) { r[0]["订单金额"] = "§10000000000000.00" }, "amount_range"},
		{"precision", func(r []billRecord) { r[3]["服务费"] = "§0.005" }, "amount_precision"},
		{"scientific", func(r []billRecord) { r[4]["商户订单号"] = "§2.01907E+27" }, "id_damaged"},
		{"zeros", func(r []billRecord) { r[4]["支付宝交易号"] = "§2026111922001400000000000000" }, "id_damaged"},
		{"no number", func(r []billRecord) { r[4]["支付宝交易号"], r[4]["商户订单号"] = "§", "" }, "missing_value"},
		{"the first of two", func(r []billRecord) { r[2]["完成时间"], r[2]["分润"] = "§x", "y" }, "time_syntax"},
		{"two rows", func(r []billRecord) { r[0]["集分宝"], r[3]["卡消费金额"] = "§1.2.3", "§--" }, "amount_syntax amount_syntax"},
	} {
		f := &fixtures{rng: newRand()}
		b := f.v25()
		b.footers = nil
		test.change(b.rows)
		plain, want := markedCells(b.text())
		s, tables := loadBills(t, Options{}, writeFile(t, "bill.csv", gbk(plain)))
		var codes, places []string
		for _, r := range s.rejects {
			codes = append(codes, r.Code.String())
			places = append(places, fmt.Sprintf("%d %s", r.Line, r.Column))
		}
		if got := strings.Join(codes, " "); got != test.want || strings.Join(places, ", ") != want {
			t.Errorf("%s: rejects %s at %s, want %s at %s", test.name, got, strings.Join(places, ", "), test.want, want)
		}
		if n := int64(len(s.rejects)); tables[0].Rejected != n || tables[0].Accepted != 5-n {
			t.Errorf("%s: %s", test.name, outcome(tables[0]))
		}
	}
}

// markedCells takes the marks out of a bill and gives their places.
func markedCells(text string) (plain, places string) {
	var found []string
	for i, line := range strings.Split(text, "\n") {
		for k, cell := range strings.Split(line, ",") {
			if strings.HasPrefix(cell, "§") {
				found = append(found, fmt.Sprintf("%d %s", i+1, strings.Split(v25Header, ",")[k]))
			}
		}
	}
	return strings.ReplaceAll(text, "§", ""), strings.Join(found, ", ")
}

// TestBillRepairs reads rows that are put right, and counts each repair once a row.
func TestBillRepairs(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(text string) string
		want   string
	}{
		{"formula", func(s string) string {
			return strings.Replace(strings.Replace(s, "POS000124\t", `="POS000124"`, 1), ",30.00,", `,="30.00",`, 1)
		}, "trade_bill V25 5/5 excel_formula=1"},
		{"point zero", func(s string) string { return strings.Replace(s, "POS000124\t", "124.0", 1) }, "trade_bill V25 5/5 id_number=1"},
		{"padded row", func(s string) string { return strings.Replace(s, ",0.00,0.00,\n", ",0.00,0.00,,,\n", 2) }, "trade_bill V25 5/5 excel_padding=2"},
		{"remark missing", func(s string) string { return strings.Replace(s, ",0.00,0.00,\n", ",0.00,0.00\n", 2) }, "trade_bill V25 5/5 cells_padded=2"},
		{
			"royalty missing", func(s string) string { return strings.Replace(s, ",0.00,0.00,\n", ",0.00\n", 1) },
			"trade_bill V25 4/5 !column_count=1 !control_total=2 payments.count:3/2 payments.received:40.01/28.01",
		},
		{"blank lines", func(s string) string { return strings.ReplaceAll(s, "\n2026", "\n\n ,,\n2026") }, "trade_bill V25 5/5"},
		{"yuan and commas", func(s string) string { return strings.Replace(s, ",30.00,28.00,", `,"￥30.00",28.00元,`, 1) }, "trade_bill V25 5/5"},
		{"minutes", func(s string) string { return strings.Replace(s, "2026-11-19 13:00:00", "2026/11/19 13:00", 1) }, "trade_bill V25 5/5 seconds_lost=1"},
		{"empty first column", func(s string) string {
			return "," + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n,") + "\n"
		}, "trade_bill V25 5/5"},
		{"text after a quote", func(s string) string { return strings.Replace(s, ",咖啡,", `,"5"寸屏,`, 1) }, "trade_bill V25 5/5 quote_literal=1"},
		{"quoted comma", func(s string) string { return strings.Replace(s, ",咖啡,", `,"拿铁,""大""杯",`, 1) }, "trade_bill V25 5/5"},
		{"comma in two texts", func(s string) string {
			return strings.Replace(strings.Replace(s, ",咖啡,", ",拿,铁,", 1), "S001店\t", "S001,店\t", 1)
		}, "trade_bill V25 5/5 comma_joined=1"},
		{
			"comma at the end", func(s string) string {
				return strings.Replace(s, ",0.00\t,0.00,\t,0.00,0.00,\n", ",0.00\t,0.00,\t,0.00,0.00,x,\n", 1)
			},
			"trade_bill V25 5/5 excel_padding=1",
		},
		{"dashes of the other kind", func(s string) string {
			return strings.Replace(s, listEnd, "#----------------------------------------业务明细列表结束-------------------------------------", 1)
		}, "trade_bill V25 5/5"},
		{"no line end", func(s string) string { return strings.TrimSuffix(s, "\n") }, "trade_bill V25 5/5"},
	} {
		f := &fixtures{rng: newRand()}
		text := f.v25().text()
		changed := test.change(text)
		if changed == text {
			t.Fatalf("%s: nothing changed", test.name)
		}
		_, tables := loadBills(t, Options{}, writeFile(t, "bill.csv", gbk(changed)))
		if got := outcome(tables[0]); got != test.want {
			t.Errorf("%s: %s, want %s\n%v", test.name, got, test.want, tables[0].Problems)
		}
	}
}

// TestAccounts finds the PID of a bill.
func TestAccounts(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"#账号：[20881234567890120156]", "2088123456789012"},
		{"#账号：[2088123456789012]", "2088123456789012"},
		{"#账号：demo***@example.com[2088000000000000]", "2088000000000000"},
		{"账号:[x@example.com]", ""},
		{"#账号：[208812345678]", ""},
		{"#起始日期：[2088123456789012]", ""},
	} {
		if got := accountIn(test.text); got != test.want {
			t.Errorf("accountIn(%s) = %s, want %s", test.text, got, test.want)
		}
	}
	for _, test := range []struct{ name, want string }{
		{"bills/20881234567890120156_20261119.csv.zip", "2088123456789012"},
		{"2088123456789012.csv", "2088123456789012"},
		{"208812345678901234.csv", ""},
		{"bill.csv", ""},
	} {
		if got := accountInName(test.name); got != test.want {
			t.Errorf("accountInName(%s) = %s, want %s", test.name, got, test.want)
		}
	}
}

// TestPeriods reads the period lines; the portal's end is inclusive.
func TestPeriods(t *testing.T) {
	for _, test := range []struct{ text, from, to string }{
		{"#起始日期：[2026年11月19日 00:00:00]   终止日期：[2026年11月20日 00:00:00]", "2026-11-19 00:00:00", "2026-11-20 00:00:00"},
		{"#查询起始日期：2026-05-24 00:00:00查询终止日期：2026-06-22 18:06:54", "2026-05-24 00:00:00", "2026-06-22 18:06:55"},
		{"起始日期:[2019-08-01 00:00:00]    终止日期:[2019-10-01 00:00:00]", "2019-08-01 00:00:00", "2019-10-01 00:00:00"},
		{"#起始日期：[2026/11/1]   终止日期：[2026/12/1]", "2026-11-01 00:00:00", "2026-12-01 00:00:00"},
		{"#起始日期：[]   终止日期：[]", "-", "-"},
	} {
		from, to := periodIn(test.text)
		if clockOrNull(from) != test.from || clockOrNull(to) != test.to {
			t.Errorf("periodIn(%s) = %s, %s, want %s, %s", test.text, clockOrNull(from), clockOrNull(to), test.from, test.to)
		}
	}
}
