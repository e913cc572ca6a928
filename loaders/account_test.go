package loaders

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"duizhang/engine/schema"
)

// An accountSink keeps the rows of account bills as lines of text; 支出 is as
// written.
type accountSink struct {
	mu      sync.Mutex
	words   *schema.Words
	rows    []string
	rejects []schema.Reject
}

func (s *accountSink) Batch(_ context.Context, batch schema.Batch) error {
	if batch.Kind != schema.AlipayAccount {
		return fmt.Errorf("a batch of %s", batch.Kind)
	}
	var a schema.Accounts
	if err := schema.View(&a, batch.Rows); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	word := s.words.Texts()
	for i := range a.Len() {
		s.rows = append(s.rows, fmt.Sprintf("%d:%05d %s %s %s %s %s %s in %s out %s", a.Table[i], a.Line[i], word[a.Account[i]],
			a.Flow.At(i), a.TradeNo.At(i), a.OutTradeNo.At(i), word[a.Type[i]], clockOrNull(a.Time[i]), fen(a.Income[i]), fen(a.Expense[i])))
	}
	return nil
}

func (s *accountSink) Reject(r schema.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejects = append(s.rejects, r)
}

func loadAccounts(t testing.TB, opt Options, inputs ...Input) (*accountSink, []*schema.Table) {
	t.Helper()
	opt.Words = schema.NewWords()
	s := &accountSink{words: opt.Words}
	res, err := Load(context.Background(), inputs, opt, s)
	if err != nil {
		t.Fatalf("Load(%v) = %v", inputs, err)
	}
	slices.Sort(s.rows)
	return s, res.Tables
}

func accountFixture(name string) Input {
	return Input{Kind: schema.AlipayAccount, Path: filepath.Join("testdata", name), Name: name}
}

// TestAccountFixtures reads every fixture of formats 15 that concerns account
// bills.
func TestAccountFixtures(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"s12.csv", "account_bill S12 4/4"},
		{"s12b.csv", "account_bill S12b 4/4"},
		{"s13.xlsx", "account_bill S13 4/4"},
		{"s16.csv", "account_bill S16 4/4"},
		{"s12_mixed.csv", "account_bill S12 5/5 sign_conflict=1"},
		{"s12_mixed2.csv", "account_bill S12 5/5 sign_conflict=1"},
		{"s12_odd.csv", "account_bill S12 4/4 excel_padding=8 !title_mismatch=1"},
		{"s12_rows.csv", "account_bill S12 7/8 !amount_syntax=1"},
		{"s12_footer_wrong.csv", "account_bill S12 4/4 !control_total=1 income.amount:40.01/40.00"},
		{"s12_split.zip", "account_bill S12 3/3\naccount_bill S12 1/1\naccount_summary 3/3"},
		{"s_summary.csv", "account_summary 3/3 !detail_absent=1"},
		{"s12_two_accounts.zip", "refused !account_conflict=1\nrefused !account_conflict=1"},
		{"portal19.csv", "fund_flow P19 5/5 !control_not_stated=1"},
		{"portal15.csv", "fund_flow P15 5/5 !control_not_stated=1"},
		{"portal8.csv", "fund_flow P8 5/5 !account_unlinked=1 !control_not_stated=1"},
		{"portal.xlsx", "fund_flow P19 5/5 !control_not_stated=1"},
		{"v25_base.csv", "refused !wrong_kind=1"},
	} {
		t.Run(test.file, func(t *testing.T) {
			_, tables := loadAccounts(t, Options{}, accountFixture(test.file))
			got := make([]string, len(tables))
			for i, tab := range tables {
				got[i] = outcome(tab)
			}
			if s := strings.Join(got, "\n"); s != test.want {
				t.Errorf("Load(%s) = \n%s\nwant\n%s", test.file, s, test.want)
				for _, tab := range tables {
					t.Logf("%s %+v", tab.File(), tab.Problems)
				}
			}
		})
	}
}

// movements are the rows without their places, 支出 as money out.
func movements(t testing.TB, file string) []string {
	t.Helper()
	s, tables := loadAccounts(t, Options{}, accountFixture(file))
	out := make([]string, len(s.rows))
	for i, row := range s.rows {
		_, row, _ = strings.Cut(row, " ")
		row, expense, _ := strings.Cut(row, " out ")
		negative := strings.HasPrefix(expense, "-")
		switch tables[0].ExpenseSign {
		case schema.OutNegative:
			if negative {
				expense = expense[1:]
			} else if expense != "0.00" {
				expense = "-" + expense
			}
		case schema.OutPositive:
		default:
			expense = strings.TrimPrefix(expense, "-")
		}
		out[i] = row + " out " + expense
	}
	slices.Sort(out)
	return out
}

// TestAccountSameMovements reads the files that say the same in other words.
func TestAccountSameMovements(t *testing.T) {
	want := []string{
		"2088123456789012 123456789001 2026111922001400000010000001 POS000123 在线支付 2026-11-19 10:55:23 in 12.00 out 0.00",
		"2088123456789012 123456789002 2026111922001400000010000001 POS000123 收费 2026-11-19 10:55:23 in 0.00 out 0.07",
		"2088123456789012 123456789003 2026111922001400000010000002 POS000124 交易付款 2026-11-19 11:02:09 in 28.00 out 0.00",
		"2088123456789012 123456789004 2026111922001400000010000001 POS000123 交易退款 2026-11-19 13:00:00 in 0.00 out 12.00",
	}
	for _, file := range []string{"s12.csv", "s12b.csv", "s13.xlsx", "s16.csv", "s12_odd.csv", "s12_split.zip"} {
		if got := movements(t, file); !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	buyer := "2088123456789012 123456789009 2026111822001400000088888888  退款 2026-11-19 14:00:00 in 3.00 out 0.00"
	for _, file := range []string{"portal19.csv", "portal15.csv", "portal.xlsx"} {
		if got := movements(t, file); !slices.Equal(got, append(slices.Clone(want), buyer)) {
			t.Errorf("%s has\n%s", file, strings.Join(got, "\n"))
		}
	}
	back := "2088123456789012 123456789005 2026111922001400000010000001 POS000123 收费 2026-11-19 13:00:01 in 0.00 out "
	for file, last := range map[string]string{"s12_mixed.csv": back + "-0.07", "s12_mixed2.csv": back + "0.07"} {
		if got := movements(t, file); !slices.Equal(got, append(slices.Clone(want), last)) {
			t.Errorf("%s has\n%s", file, strings.Join(got, "\n"))
		}
	}
}

// TestAccountTable compares all that is said of a bill, and of the portal's export,
// whose end is inclusive.
func TestAccountTable(t *testing.T) {
	tables, first := inspect(t, "testdata/s12.csv")
	tab := tables[0]
	controls := make([]string, len(tab.Controls))
	for i, c := range tab.Controls {
		controls[i] = c.Name + " " + *c.Stated + " " + c.Found
	}
	want := "expense.amount 12.07 12.07, expense.count 2 2, income.amount 40.00 40.00, income.count 2 2, rows.count 4 4"
	if got := strings.Join(controls, ", "); got != want {
		t.Errorf("controls %s, want %s", got, want)
	}
	if tab.Kind != schema.AlipayAccount || tab.Encoding != "gb18030" || tab.Account != fixturePID || clockText(tab.From) != "2026-11-19 00:00:00" ||
		clockText(tab.To) != "2026-11-20 00:00:00" || len(tab.Known) != 12 || len(tab.Unknown) != 0 || len(first[0]) != 2 || !tab.Linked ||
		clockText(tab.FirstTime) != "2026-11-19 10:55:23" || clockText(tab.LastTime) != "2026-11-19 13:00:00" {
		t.Errorf("Inspect = %+v %q", tab, first)
	}
	tables, _ = inspect(t, "testdata/portal19.csv")
	tab = tables[0]
	if tab.Account != fixturePID || clockText(tab.From) != "2026-11-19 00:00:00" || clockText(tab.To) != "2026-11-20 00:00:00" ||
		len(tab.Controls) != 4 || tab.Controls[0].Stated != nil || tab.Controls[0].Holds != nil || !tab.Linked {
		t.Errorf("Inspect = %+v", tab)
	}
	if tables, _ = inspect(t, "testdata/portal8.csv"); tables[0].Linked {
		t.Error("portal8.csv names no trades")
	}
}

// TestAccountPlaces puts a fault into a cell and marks it with §: the reject must
// name that line and that column.
func TestAccountPlaces(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(rows []billRecord)
		want   string // codes
	}{
		{"no flow number", func(r []billRecord) { r[1]["账务流水号"] = "§" }, "missing_value"},
		{"time", func(r []billRecord) { r[0]["发生时间"] = "§2026-11-31 10:00:00" }, "time_syntax"},
		{"time empty", func(r []billRecord) { r[0]["发生时间"] = "§" }, "missing_value"},
		{"amount", func(r []billRecord) { r[0]["收入金额"] = "§1O.00" }, "amount_syntax"},
		{"both sides", func(r []billRecord) { r[0]["支出金额"] = "§1.00" }, "amount_syntax"},
		{"precision", func(r []billRecord) { r[2]["收入金额"] = "§0.005" }, "amount_precision"},
		{"range", func(r []billRecord) { r[2]["收入金额"] = "§10000000000000.00" }, "amount_range"},
		{"balance", func(r []billRecord) { r[2]["账户余额"] = "§n/a" }, "amount_syntax"},
		{"scientific", func(r []billRecord) { r[3]["业务流水号"] = "§2.01907E+27" }, "id_damaged"},
		{"zeros", func(r []billRecord) { r[3]["业务流水号"] = "§2026111922001400000000000000" }, "id_damaged"},
		{"the first of two", func(r []billRecord) { r[3]["发生时间"], r[3]["账户余额"] = "§x", "y" }, "time_syntax"},
	} {
		f := &fixtures{rng: newRand()}
		a := f.a4()
		a.footers, a.positive = nil, true
		test.change(a.rows)
		plain, want := markedAccountCells(a.text())
		s, tables := loadAccounts(t, Options{}, writeAccount(t, gbk(plain)))
		var codes, places []string
		for _, r := range s.rejects {
			codes = append(codes, r.Code.String())
			places = append(places, fmt.Sprintf("%d %s", r.Line, r.Column))
		}
		if got := strings.Join(codes, " "); got != test.want || strings.Join(places, ", ") != want {
			t.Errorf("%s: rejects %s at %s, want %s at %s", test.name, got, strings.Join(places, ", "), test.want, want)
		}
		if tables[0].Rejected != 1 || tables[0].Accepted != 3 {
			t.Errorf("%s: %s", test.name, outcome(tables[0]))
		}
	}
}

func markedAccountCells(text string) (plain, places string) {
	var found []string
	for i, line := range strings.Split(text, "\n") {
		for k, cell := range strings.Split(line, ",") {
			if strings.HasPrefix(cell, "§") {
				found = append(found, fmt.Sprintf("%d %s", i+1, strings.Split(s12Header, ",")[k]))
			}
		}
	}
	return strings.ReplaceAll(text, "§", ""), strings.Join(found, ", ")
}

func writeAccount(t testing.TB, data []byte) Input {
	t.Helper()
	in := writeFile(t, "account.csv", data)
	in.Kind = schema.AlipayAccount
	return in
}

// TestAccountRepairs changes A4 and says what comes of it.
func TestAccountRepairs(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(s string) string
		want   string
	}{
		{"comma in the subject", replace(",咖啡,", ",拿铁,大杯,", 1), "account_bill S12 4/4 comma_joined=1"},
		{"comma in the remark", replace(",收费,\n", ",收费,a,b\n", 1), "account_bill S12 4/4 comma_joined=1"},
		{"padded row", replace(",收费,\n", ",收费,,,\n", 1), "account_bill S12 4/4 excel_padding=1"},
		{"remark missing", replace(",收费,\n", ",收费\n", 1), "account_bill S12 4/4 cells_padded=1"},
		{
			"type missing", replace(",支付宝,收费,\n", ",支付宝\n", 1),
			"account_bill S12 3/4 !column_count=1 !control_total=3 expense.amount:12.07/12.00 expense.count:2/1 rows.count:4/3",
		},
		{"stray quote", replace(",咖啡,", `,"咖啡,`, 1), "account_bill S12 4/4 quote_literal=1"},
		{"quoted footer", replace("#支出合计：2笔，共-12.07元", `"#支出合计：2笔，共-12.07元"`, 1), "account_bill S12 4/4"},
		{"thousands in a footer", replace("共40.00元", "共+40.00元", 1), "account_bill S12 4/4"},
		{"no footers", replace("合计", "小计", 2), "account_bill S12 4/4 !control_not_stated=1"},
		{"one footer", replace("支出合计", "支出小计", 1), "account_bill S12 4/4 !control_not_stated=1"},
		{"cut off", func(s string) string {
			return s[:strings.Index(s, "#----------------------------------------账务明细列表结束")]
		}, "refused !truncated=1"},
		{"the other dashes", replace(accountListEnd, "#-----------------------------------------账务明细列表结束------------------------------------", 1), "account_bill S12 4/4"},
		{"outside", replace("2026-11-19 13:00:00", "2026-11-20 00:00:00", 1), "account_bill S12 4/4 !outside_period=1"},
		{"balance", replace("1039.93", "1039.94", 1), "account_bill S12 4/4 !balance_gap=1"},
		{"balance blank", replace("1039.93", "", 1), "account_bill S12 4/4"},
		{"a negative income", func(s string) string {
			return strings.Replace(strings.Replace(strings.Replace(s, ",28.00,", ",-28.00,", 1), "共40.00元", "共-16.00元", 1), "1039.93", "", 1)
		}, "account_bill S12 4/4 sign_conflict=1"},
		{"another account below", replace("#导出时间", "#账号：[20889999999999990156] 导出时间", 1), "refused !account_conflict=1"},
		{"nothing moved", func(s string) string {
			return strings.Replace(strings.Replace(s, ",28.00,", ", ,", 1), "收入合计：2笔，共40.00元", "收入合计：1笔，共12.00元", 1)
		}, "account_bill S12 4/4 !balance_gap=1"},
		{"nothing moved, and counted", func(s string) string {
			return strings.Replace(strings.Replace(strings.Replace(s, ",28.00,", ",0.00,", 1), "共40.00元", "共12.00元", 1), "1039.93", "", 1)
		}, "account_bill S12 4/4"},
		{"bytes in the subject", replace("咖啡", "咖\xff", 1), "account_bill S12 4/4 bytes_replaced=1"},
		{"a column gone", replace("发生时间", "发生", 1), "refused !column_missing=1"},
		{"a column twice", replace("交易渠道", "发生时间", 1), "refused !column_duplicate=1"},
	} {
		f := &fixtures{rng: newRand()}
		text := f.a4().text()
		changed := test.change(text)
		if changed == text {
			t.Fatalf("%s: nothing changed", test.name)
		}
		data := gbk(strings.ReplaceAll(changed, "\xff", "@"))
		if strings.Contains(changed, "\xff") {
			data = []byte(strings.ReplaceAll(string(data), "@", "\xff"))
		}
		_, tables := loadAccounts(t, Options{}, writeAccount(t, data))
		if got := outcome(tables[0]); got != test.want {
			t.Errorf("%s: %s, want %s\n%v", test.name, got, test.want, tables[0].Problems)
		}
	}
}

func replace(old, with string, n int) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, n) }
}

// TestAccountSplit: one part of a bill may state the totals of all parts.
func TestAccountSplit(t *testing.T) {
	f := &fixtures{rng: newRand()}
	first, second := f.a4(), f.a4()
	first.to, second.from = "2026年11月19日 12:00:00", "2026年11月19日 12:00:00"
	first.rows, second.rows = first.rows[:3], second.rows[3:]
	first.footers = nil
	zip := func(second *accountFile) Input {
		return writeAccount(t, packed(zipMember{"a.csv", gbk(first.text())}, zipMember{"b.csv", gbk(second.text())}))
	}
	_, tables := loadAccounts(t, Options{}, zip(second))
	if got, want := outcome(tables[0])+", "+outcome(tables[1]), "account_bill S12 3/3, account_bill S12 1/1"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
	second.footers[1] = "#收入合计：2笔，共40.01元"
	_, tables = loadAccounts(t, Options{}, zip(second))
	if got := outcome(tables[1]); !strings.Contains(got, "control_total") {
		t.Errorf("Load = %s, want control_total", got)
	}
}

// TestAccountOwner: without an account in header and name, default_merchant owns
// the rows, else nobody does.
func TestAccountOwner(t *testing.T) {
	f := &fixtures{rng: newRand()}
	a := f.a4()
	a.title = ""
	in := writeAccount(t, gbk(a.text()))
	_, tables := loadAccounts(t, Options{}, in)
	if got, want := outcome(tables[0]), "account_bill S12 0/4 !control_not_stated=1 !merchant_unknown=4"; got != want {
		t.Errorf("Load = %s, want %s", got, want)
	}
	s, tables := loadAccounts(t, Options{DefaultMerchant: fixturePID}, in)
	if tables[0].Accepted != 4 || !strings.Contains(s.rows[0], fixturePID) {
		t.Errorf("Load = %s, %q", outcome(tables[0]), s.rows)
	}
}

// TestRealFundFlow reads the real export of the shared samples, if they are there.
func TestRealFundFlow(t *testing.T) {
	dir := os.Getenv("DUIZHANG_SAMPLES")
	if dir == "" {
		t.Skip("DUIZHANG_SAMPLES is not set")
	}
	in := Input{Kind: schema.AlipayAccount, Path: filepath.Join(dir, "sailorsinbad14__hengji", "alipay-fund-flow-19col.gb18030.csv"), Name: "flow.csv"}
	s, tables := loadAccounts(t, Options{}, in)
	tab := tables[0]
	if tab.Format != "fund_flow" || tab.Dialect != "P19" || tab.Accepted != 40 || tab.Account != "2088000000000000" ||
		clockText(tab.To) != "2026-06-22 18:06:55" || len(tab.Unknown) != 0 {
		t.Errorf("Load = %s %+v", outcome(tab), tab)
	}
	refund := slices.IndexFunc(s.rows, func(row string) bool { return strings.Contains(row, " 退款 ") })
	if refund < 0 || !strings.HasSuffix(s.rows[refund], "in 167.24 out 0.00") {
		t.Errorf("the buyer's refund is %q", s.rows)
	}
}

// FuzzAccount reads anything as an account bill, whole and in small chunks, with
// one result.
func FuzzAccount(f *testing.F) {
	for name, data := range makeFixtures() {
		if strings.HasSuffix(name, ".csv") && (name[0] == 's' || name[0] == 'p') {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if isZip(data) || isGzip(data) {
			t.Skip()
		}
		in := writeAccount(t, data)
		in.Name = "20881234567890120156.csv"
		whole, a := loadAccounts(t, Options{Workers: 1, chunkSize: 1 << 15}, in)
		parts, b := loadAccounts(t, Options{Workers: 2, chunkSize: 97}, in)
		if !slices.Equal(whole.rows, parts.rows) || len(whole.rejects) != len(parts.rejects) || outcome(a[0]) != outcome(b[0]) ||
			a[0].ExpenseSign != b[0].ExpenseSign {
			t.Fatalf("whole: %s, in parts: %s", outcome(a[0]), outcome(b[0]))
		}
		if tab := a[0]; !tab.Refused && (tab.Accepted < 0 || tab.Accepted+tab.Rejected != tab.Rows) {
			t.Fatalf("%d rows, %d accepted, %d rejected", tab.Rows, tab.Accepted, tab.Rejected)
		}
	})
}
