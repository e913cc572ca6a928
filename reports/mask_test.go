package reports

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

func TestMaskRaw(t *testing.T) {
	columns := []string{"out_trade_no", "付款码", "goods_name", "amount"}
	for _, c := range []struct{ in, want string }{
		{"286012345678901234,1234567,会员13812345678,1.00", "286012345678901234,****4567,会员138****5678,1.00"},
		{`13812345678,"286012345678901234","13812345678, ""13912345678""",1`, `13812345678,"****1234","138****5678, ""139****5678""",1`},
		{"A1,,fp0123456789abcd,", "A1,,****abcd,"},
		{`,"",,`, `,"",,`},
		// Cells that are not those of the header: all of it is free text.
		{"13812345678,286012345678901234", "138****5678,****1234"},
		{`A1,"286012345678901234,x`, `A1,"****1234,x`},
		{"", ""},
	} {
		if got := Mask.raw(columns, c.in); got != c.want {
			t.Errorf("raw(%q) = %q, want %q", c.in, got, c.want)
		}
		if got := Keep.raw(columns, c.in); got != c.in {
			t.Errorf("Keep.raw(%q) = %q", c.in, got)
		}
	}
	table := &schema.Table{Known: columns}
	if got := columnsOf(table, rules.CodeAmountSyntax); !slices.Equal(got, columns) {
		t.Errorf("columnsOf = %q, want %q", got, columns)
	}
	if got := columnsOf(table, rules.CodeColumnCount); got != nil {
		t.Errorf("columnsOf = %q where cells have shifted", got)
	}
	table.Unknown = []string{"x"}
	if got := columnsOf(table, rules.CodeAmountSyntax); got != nil {
		t.Errorf("columnsOf = %q where the order is not known", got)
	}
}

// A mobile that somebody typed into a till was in every output in clear.
func TestNoMobileInAnyOutput(t *testing.T) {
	const mobile, code = "13812345678", "286012345678905555"
	for _, sorted := range []bool{false, true} {
		d := newDay(1, 2, 4)
		for _, p := range d.parts {
			for i := range p.Goods.Len() {
				p.Goods.Name[i] = d.words.Code([]string{"会员" + mobile + "充值", "会员138****5678充值"}[i%2])
				p.Goods.Goods[i] = d.words.Code("G1")
			}
			for i := range p.Trades.Len() {
				p.Trades.Store[i], p.Trades.Terminal[i] = d.words.Code(mobile), d.words.Code("T-138-1234-5678")
				p.Trades.Operator[i] = d.words.Code("+86 138 1234 5678")
			}
			p.Trades.Terminal[0] = d.words.Code("店" + mobile)
		}
		r := d.result()
		r.Breaks[0].Store, r.Breaks[0].Terminal = mobile, mobile
		r.Breaks[1].Reason = "电话 " + mobile
		r.Losses.Terminal[0].Key, r.Losses.Terminal[0].Parent = mobile+"/T1", mobile
		r.Losses.Store = r.Losses.Terminal
		r.Rejects[0].Raw = "A1," + mobile + "," + code
		r.Rejects[1].Value, r.Rejects[1].Detail = mobile, "另一行 "+mobile
		r.Rejects[2].Value = code
		d.tables[1].Problems[0].Value = mobile
		no, stated := false, "1"
		d.tables[1].Controls = []schema.Control{{Name: "store." + mobile + ".received", Stated: &stated, Found: "2", Holds: &no}}
		for _, privacy := range []Privacy{Mask, Keep} {
			o := d.options(t.TempDir())
			o.Sort, o.Privacy, o.Parquet = sorted, privacy, Snappy
			w := NewWriter(o)
			if err := w.Begin(len(d.parts)); err != nil {
				t.Fatal(err)
			}
			for _, p := range d.parts {
				if err := w.Part(context.Background(), p); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Finish(context.Background(), r, Outcome{}); err != nil {
				t.Fatal(err)
			}
			all := files(t, o.Dir)
			f := openBook(t, o.Dir)
			for _, sheet := range f.GetSheetList() {
				rows, err := f.GetRows(sheet)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					all["report.xlsx/"+sheet] += strings.Join(row, "\x1f") + "\n"
				}
			}
			goods := words(t, all["goods.parquet/part-00000.parquet"], "goods_name")
			if privacy == Mask {
				for name, text := range all {
					for _, secret := range []string{mobile, "138 1234 5678", code} {
						if strings.Contains(text, secret) {
							t.Errorf("sorted %v: %s has %q", sorted, name, secret)
						}
					}
				}
				if want := []string{"会员138****5678充值"}; !slices.Equal(goods, want) {
					t.Errorf("sorted %v: the goods_name's words are %q, want %q", sorted, goods, want)
				}
				for _, want := range []string{",138****5678,T-138-1234-5678,+86 138****5678,", ",138****5678,店138****5678,+86 138****5678,"} {
					if !strings.Contains(all["trades.csv"], want) {
						t.Errorf("sorted %v: trades.csv has no %q", sorted, want)
					}
				}
				continue
			}
			for _, name := range []string{"goods.csv", "trades.csv", "rejects.csv", "breaks.csv", "summary.json", "report.html", "trades.parquet/part-00000.parquet"} {
				if !strings.Contains(all[name], mobile) {
					t.Errorf("sorted %v: kept, but %s has no mobile", sorted, name)
				}
			}
		}
	}
}

// words are the distinct words of a column of a Parquet file, as its first
// dictionary has them.
func words(t *testing.T, data, column string) []string {
	t.Helper()
	in, err := file.NewParquetReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	at := table.Schema().FieldIndices(column)[0]
	var all []string
	for _, chunk := range table.Column(at).Data().Chunks() {
		for i := range chunk.Len() {
			all = append(all, chunk.ValueStr(i))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Two words that are masked alike are one word of a Parquet dictionary.
func TestVeil(t *testing.T) {
	texts := []string{"", "a", "138****5678", "13812345678", "138-1234-5678", "13912345678"}
	l := newLookup(&Options{Privacy: Mask, Words: func() []string { return texts }})
	for _, c := range []struct {
		in   []uint32
		want string
	}{
		{[]uint32{1, 3, 4, 2, 0, 3}, "a 138****5678 138****5678 138****5678  138****5678"},
		{[]uint32{2, 3, 5, 1, 5}, "138****5678 138****5678 139****5678 a 139****5678"},
	} {
		v := veil{lookup: l}
		codes := v.column(&column{Column: schema.Column{Name: "operator_id", Words: c.in}}, mobilesOnly)
		var got []string
		code := map[string]uint32{}
		for _, at := range codes {
			text := v.words[at]
			got = append(got, text)
			if first, ok := code[text]; ok && first != at {
				t.Errorf("%q has the codes %d and %d", text, first, at)
			}
			code[text] = at
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("column(%v) = %q, want %q", c.in, got, c.want)
		}
	}
	if !l.masks(5, mobilesOnly) || l.masks(5, openText) {
		t.Error("masks does not say what is masked")
	}
}

// Of statement_terms and control_total, the general words hid what differs.
func TestDetailNamesWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		b      engine.Break
		zh, en string
	}{
		{
			engine.Break{Code: rules.BreakStatementTerms, What: "trade_amount", Micro: true, Amount: 1_000_000, Expected: 33_330_000, Found: 32_330_000},
			"交易金额：我方 33.33，账单 32.33", "trade amount: ours 33.33, the statement's 32.33",
		},
		{
			engine.Break{Code: rules.BreakStatementTerms, What: "trade_amount", Micro: true, Amount: 1_000_000, Expected: 33_330_000, Found: schema.Null},
			"交易金额与我方 33.33 相差 1.00", "trade amount differs from ours, 33.33, by 1.00",
		},
		{
			engine.Break{Code: rules.BreakStatementTerms, What: "rate", Micro: true, Expected: 33_330_000, Found: schema.Null},
			"费率与我方不同", "rate differs from ours",
		},
		{
			engine.Break{Code: rules.BreakStatementTerms, What: "rate", Micro: true, Expected: 5500, Found: 5000},
			"费率：我方 0.0055，账单 0.005", "rate: ours 0.0055, the statement's 0.005",
		},
		{
			engine.Break{Code: rules.BreakStatementTerms, What: "trade_count", Micro: true, Expected: 1_000_000, Found: 2_000_000},
			"交易笔数：我方 1，账单 2", "trade count: ours 1, the statement's 2",
		},
		{
			engine.Break{Code: rules.BreakControlTotal, Side: rules.SideFile, What: "payments.received", Reason: "40.02 / 40.01", Amount: 1, Expected: schema.Null, Found: schema.Null},
			"交易商家实收：文件所列 40.02，实际 40.01", "payments received: stated 40.02, found 40.01",
		},
		{
			engine.Break{Code: rules.BreakControlTotal, Side: rules.SideFile, What: "store.13812345678.payments.count", Reason: "3 / 2", Expected: schema.Null, Found: schema.Null},
			"门店 138****5678 交易笔数：文件所列 3，实际 2", "store 138****5678 payments count: stated 3, found 2",
		},
	} {
		if got := detail(&c.b, Chinese, Mask); got != c.zh {
			t.Errorf("detail(%s %s) = %q, want %q", c.b.Code, c.b.What, got, c.zh)
		}
		if got := detail(&c.b, English, Mask); got != c.en {
			t.Errorf("detail(%s %s) = %q, want %q", c.b.Code, c.b.What, got, c.en)
		}
	}
}

func TestControlNames(t *testing.T) {
	for _, c := range []struct{ name, zh, en string }{
		{"payments.count", "交易笔数", "payments count"},
		{"payments.received", "交易商家实收", "payments received"},
		{"payments.merchant_discount", "交易商家优惠", "payments merchant discount"},
		{"refunds.count", "退款笔数", "refunds count"},
		{"refunds.amount", "退款金额", "refunds amount"},
		{"total.received", "合计商家实收", "total received"},
		{"total.refunds.count", "合计退款笔数", "total refunds count"},
		{"detail.order_amount", "明细订单金额", "detail order amount"},
		{"store.S001.net", "门店 S001 实收净额", "store S001 net received"},
		{"merchant.1680001234567.due", "商户 1680001234567 应返金额", "merchant 1680001234567 rebate due"},
		{"store.S.1.refunds.count", "门店 S.1 退款笔数", "store S.1 refunds count"},
		{"stores.count", "门店数", "number of stores"},
		{"交易合计笔数", "交易合计笔数", "交易合计笔数"},
		{"x.received", "x.received", "x.received"},
		{"store.S1", "store.S1", "store.S1"},
	} {
		if got := Chinese.control(c.name, Mask); got != c.zh {
			t.Errorf("control(%q) = %q, want %q", c.name, got, c.zh)
		}
		if got := English.control(c.name, Mask); got != c.en {
			t.Errorf("control(%q) = %q, want %q", c.name, got, c.en)
		}
	}
}

// One word for rows that were not accepted.
func TestRejectedIsOneWord(t *testing.T) {
	wrong := func(where, text string) {
		for _, word := range []string{"坏行", "未采用", "被拒绝", "不采用"} {
			if strings.Contains(text, word) {
				t.Errorf("%s says %q", where, text)
			}
		}
	}
	for code, texts := range breakTexts {
		wrong(code.String(), texts[0].Title+texts[0].Detail+texts[0].Do)
	}
	for word, text := range reasonTexts {
		wrong(word, text[0])
	}
	for code, text := range rejectTexts {
		wrong(code.String(), text[0])
	}
	j := &schema.Reject{Code: rules.CodeOrderConflict, Column: "c", Order: 3}
	wrong("message", rejectMessage(j, Chinese, Mask))
	wrong("verdict", verdict(&engine.Result{}, Outcome{ExitCode: 4}, Chinese))
	var text strings.Builder
	r := newDay(1, 1, 1).result()
	if err := Console(&text, r, Outcome{}, ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	wrong("console", text.String())
	for _, line := range overviewOf(r, &Options{Lang: Chinese, Privacy: Mask}, Outcome{ExitCode: 4}) {
		for _, cell := range line.cells {
			if s, ok := cell.(string); ok {
				wrong("overview", s)
			}
		}
	}
}

// A reject's message is its code's words and what the loader adds.
func TestRejectMessage(t *testing.T) {
	j := &schema.Reject{Code: rules.CodeEnumValue, Column: "status", Value: "x", Detail: "paid, closed"}
	if got, want := rejectMessage(j, Chinese, Mask), "「status」不是该列允许的值，请更正（paid, closed）"; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	j = &schema.Reject{Code: rules.CodeIDDamaged, Column: "merchant_pid", Detail: "2088 开头的 16 位数字"}
	if got := rejectMessage(j, Chinese, Mask); !strings.HasSuffix(got, "（2088 开头的 16 位数字）") {
		t.Errorf("message = %q", got)
	}
	j = &schema.Reject{Code: rules.CodeOrderConflict, Column: "out_trade_no", Detail: "286012345678901234"}
	if got := rejectMessage(j, English, Mask); !strings.HasSuffix(got, "(286012345678901234)") {
		t.Errorf("message = %q", got)
	}
}
