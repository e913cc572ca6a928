package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A billSink keeps the rows of bills as lines of text.
type billSink struct {
	mu      sync.Mutex
	words   *schema.Words
	rows    []string
	rejects []schema.Reject
}

func (s *billSink) Batch(_ context.Context, batch schema.Batch) error {
	if batch.Kind != schema.AlipayBill {
		return nil
	}
	var b schema.Bills
	if err := schema.View(&b, batch.Rows); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	word := s.words.Texts()
	for i := range b.Line {
		s.rows = append(s.rows, fmt.Sprintf("%d:%05d %d %s %s %s %s %s %s/%s %s %s %s %s red %s points %s platform %s merchant %s voucher %s mred %s card %s fee %s royalty %s %d",
			b.Table[i], b.Line[i], b.Kind[i], word[b.Account[i]], word[b.SubMerchant[i]],
			b.TradeNo.At(i), b.OutTradeNo.At(i), b.RequestNo.At(i), clockOrNull(b.Time[i]), clockOrNull(b.Created[i]),
			word[b.Store[i]], word[b.Operator[i]],
			fen(b.Amount[i]), fen(b.Received[i]), fen(b.RedPacket[i]), fen(b.Points[i]), fen(b.PlatformDiscount[i]),
			fen(b.MerchantDiscount[i]), fen(b.Voucher[i]), fen(b.MerchantRed[i]), fen(b.Card[i]), fen(b.Fee[i]), fen(b.Royalty[i]), b.Flags[i]))
	}
	return nil
}

func (s *billSink) Reject(r schema.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejects = append(s.rejects, r)
}

func (s *billSink) sort() {
	slices.Sort(s.rows)
	slices.SortFunc(s.rejects, func(a, b schema.Reject) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line))
	})
}

func fen(v int64) string {
	if v == schema.Null {
		return "-"
	}
	return rules.Fen(v).String()
}

func clockOrNull(v int64) string {
	if v == schema.Null {
		return "-"
	}
	return clockText(v)
}

// loadBills loads files as alipay_bill.
func loadBills(t testing.TB, opt Options, inputs ...Input) (*billSink, []*schema.Table) {
	t.Helper()
	opt.Words = schema.NewWords()
	s := &billSink{words: opt.Words}
	res, err := Load(context.Background(), inputs, opt, s)
	if err != nil {
		t.Fatalf("Load(%v) = %v", inputs, err)
	}
	s.sort()
	return s, res.Tables
}

func fixture(name string) Input {
	return Input{Kind: schema.AlipayBill, Path: filepath.Join("testdata", name), Name: name}
}

// outcome is what a table test compares of a table, in one line.
func outcome(tab *schema.Table) string {
	var b strings.Builder
	if tab.Refused {
		b.WriteString("refused")
	} else {
		fmt.Fprintf(&b, "%s %d/%d", cmp.Or(strings.TrimSpace(tab.Format+" "+tab.Dialect), "none"), tab.Accepted, tab.Rows)
	}
	for _, code := range slices.Sorted(maps.Keys(tab.Repairs)) {
		fmt.Fprintf(&b, " %s=%d", code, tab.Repairs[code])
	}
	codes := map[string]int{}
	for _, p := range tab.Problems {
		codes[p.Code]++
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		fmt.Fprintf(&b, " !%s=%d", code, codes[code])
	}
	for _, c := range tab.Controls {
		if c.Holds != nil && !*c.Holds {
			fmt.Fprintf(&b, " %s:%s/%s", c.Name, *c.Stated, c.Found)
		}
	}
	return b.String()
}

// TestBillFixtures reads every fixture of formats 15 that concerns trade bills.
func TestBillFixtures(t *testing.T) {
	for _, test := range []struct {
		file string
		want string // outcomes of the tables, one a line
		name string // what it is called, if not file
	}{
		{file: "v25_base.csv", want: "trade_bill V25 5/5"},
		{file: "v25_utf8.csv", want: "trade_bill V25 5/5"},
		{file: "v25_shuffled.csv", want: "trade_bill V25 5/5"},
		{file: "v25_gbk_names.zip", want: "trade_summary 2/2\ntrade_bill V25 5/5"},
		{file: "v25_empty_day.csv", want: "trade_bill V25 0/0"},
		{file: "v25_excel.csv", want: "trade_bill V25 5/5 excel_padding=8 seconds_lost=5"},
		{file: "v25_excel_ids_lost.csv", want: "trade_bill V25 3/5 excel_padding=8 seconds_lost=3 !id_damaged=2"},
		{file: "v25_comma.csv", want: "trade_bill V25 5/5 comma_joined=2"},
		{file: "v25_comma_ambiguous.csv", want: "trade_bill V25 4/5 !column_count=1"},
		{file: "v25_quotes.csv", want: "trade_bill V25 5/5 quote_literal=1"},
		{file: "v25_bad_bytes.csv", want: "trade_bill V25 4/5 bytes_replaced=1 !encoding=1"},
		{file: "v25_refund_positive.csv", want: "trade_bill V25 5/5 sign_conflict=2"},
		{file: "v25_fee_neg.csv", want: "trade_bill V25 5/5"},
		{file: "v25_fee_pos.csv", want: "trade_bill V25 5/5"},
		{file: "v25_fee_mixed.csv", want: "trade_bill V25 5/5 sign_conflict=1"},
		{file: "v25_footer_amount.csv", want: "trade_bill V25 5/5"},
		{file: "v25_footer_hash.csv", want: "trade_bill V25 5/5"},
		{file: "v25_footer_wrong.csv", want: "trade_bill V25 5/5 !control_total=1 payments.received:40.02/40.01"},
		{file: "v25_truncated.csv", want: "refused !truncated=1"},
		{file: "v25_bare.csv", want: "trade_bill V25 0/5 !control_not_stated=1 !merchant_unknown=5"},
		{file: "v25_bare.csv", name: "20881234567890120156_20261119.csv", want: "trade_bill V25 5/5 !control_not_stated=1"},
		{file: "v25_outside_period.csv", want: "trade_bill V25 5/5 !outside_period=1"},
		{file: "v25_refunds.csv", want: "trade_bill V25 9/9"},
		{file: "v25_day_month.zip", want: "trade_bill V25 5/5\ntrade_bill V25 5/5"},
		{file: "v25_two_accounts.zip", want: "refused !account_conflict=1\nrefused !account_conflict=1"},
		{file: "v25_bad_cells.csv", want: "trade_bill V25 2/5 sign_conflict=1 !amount_precision=1 !amount_syntax=1 !control_not_stated=1 !enum_value=1"},
		{file: "v27.zip", want: "trade_bill V27 5/5"},
		{file: "v29.csv", want: "trade_bill V29 5/5"},
		{file: "v22.csv", want: "trade_bill V22 5/5 !control_not_stated=1"},
		{file: "v28b.csv", want: "trade_bill V28b 5/5 sign_conflict=2"},
		{file: "v27_net.csv", want: "trade_bill V27 5/5"},
		{file: "summary_wrong_store.zip", want: "trade_summary 2/2 !control_total=3 detail.refunds.count:3/2 store.S001.refunds.count:2/1 stores.count:2/1\ntrade_bill V25 5/5"},
		{file: "readme.zip", want: "trade_bill V25 5/5\nnone 0/0 !unrecognised=1"},
		{file: "settlement.zip", want: "refused !unrecognised=1"},
		{file: "slip.zip", want: "trade_bill V25 5/5"},
		{file: "nested.zip", want: "refused !archive_unsafe=1"},
		{file: "encrypted.zip", want: "refused !archive_encrypted=1"},
		{file: "pinduoduo.csv", want: "refused !wrong_kind=1"},
		{file: "pos_no_header.csv", want: "refused !unrecognised=1"},
		{file: "personal_w16.csv", want: "refused !wrong_kind=1"},
		{file: "personal_a11.csv", want: "refused !wrong_kind=1"},
		{file: "personal_a12.csv", want: "refused !wrong_kind=1"},
		{file: "personal_a12b.csv", want: "refused !wrong_kind=1"},
		{file: "wechat_all.csv", want: "refused !wrong_kind=1"},
		{file: "wechat_old_tab.csv", want: "refused !wrong_kind=1"},
		{file: "wechat_personal.csv", want: "refused !wrong_kind=1"},
		{file: "wechat_fund.csv", want: "refused !wrong_kind=1"},
	} {
		t.Run(test.file, func(t *testing.T) {
			in := fixture(test.file)
			if test.name != "" {
				in.Name = test.name
			}
			_, tables := loadBills(t, Options{}, in)
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

// TestBillSameRows reads the files that say the same in other words.
func TestBillSameRows(t *testing.T) {
	base, _ := loadBills(t, Options{}, fixture("v25_base.csv"))
	if len(base.rows) != 5 {
		t.Fatalf("v25_base.csv has %d rows: %q", len(base.rows), base.rows)
	}
	// What differs is left out: operators are drawn anew for each file.
	want := values(base.rows)
	for _, file := range []string{
		"v25_utf8.csv", "v25_shuffled.csv", "v25_refund_positive.csv", "v25_footer_hash.csv", "slip.zip", "v27.zip", "v29.csv", "v28b.csv",
	} {
		s, _ := loadBills(t, Options{}, fixture(file))
		if got := values(s.rows); !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// values are the kind, the trade number and the amounts of rows.
func values(rows []string) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		fields := strings.Fields(row[:strings.Index(row, " red ")])
		_, amounts, _ := strings.Cut(row, " red ")
		amounts, _, _ = strings.Cut(amounts, " royalty")
		no := row[strings.Index(row, "2026111922"):][:28]
		out[i] = fmt.Sprint(fields[1], no, fields[len(fields)-2:], amounts)
	}
	return out
}

// TestSlipWritesNothing makes sure that a member name is a label and no path.
func TestSlipWritesNothing(t *testing.T) {
	loadBills(t, Options{}, fixture("slip.zip"))
	for _, path := range []string{"../../x.csv", "../x.csv", "x.csv", "testdata/x.csv"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
}
