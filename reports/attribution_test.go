package reports

import (
	"math"
	"testing"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

func TestAttributionSentences(t *testing.T) {
	causes := newDay(1, 1, 1).result().Attributions
	hour := engine.Attribution{
		Code: rules.BreakBillOnly, Breaks: 62, AllBreaks: 100, Rows: 1, AllRows: 100, First: 1795210800 - 86400, Last: schema.Null,
		Segment: []engine.Facet{{Dimension: engine.DimensionStore}, {Dimension: engine.DimensionHour, Value: "18"}},
	}
	product := engine.Attribution{
		Code: rules.BreakPIDUnsigned, Breaks: 5, AllBreaks: 5, Rows: 1, AllRows: 2, First: schema.Null, Last: schema.Null,
		Segment: []engine.Facet{{Dimension: engine.DimensionProduct, Value: "huabei_instalment"}},
	}
	for _, test := range []struct {
		cause  *engine.Attribution
		zh, en string
	}{
		{
			&causes[0], "“短款：POS 有、支付宝无”的 91 % 在门店 NJ001、终端 7，而它只有 2 % 的交易；自 21:40 起",
			"91 % of “Short: in the POS, not in Alipay” at store NJ001, terminal 7, which has 2 % of the trades; since 21:40",
		},
		{
			&causes[1], "“退款拆分不符”的 100 % 在操作员 138****0000，而它只有 不到 0.1 % 的退款；2026-11-19 21:40 至 2026-11-19 22:40",
			"100 % of “Refund split differs” with operator 138****0000, which has less than 0.1 % of the refunds; from 2026-11-19 21:40 to 2026-11-19 22:40",
		},
		{
			&hour, "“长款：支付宝有、POS 无”的 62 % 在没有门店编号的交易、18:00–18:59，而它只有 1 % 的交易；自 2026-11-19 21:40 起",
			"62 % of “Over: in Alipay, not in the POS” on rows without a store, from 18:00 to 18:59, which has 1 % of the trades; since 2026-11-19 21:40",
		},
		{
			&product, "“返佣损失：PID 未签约该产品”的 100 % 在产品 花呗分期，而它只有 50 % 的交易",
			"100 % of “Rebate lost: PID has not signed” with product huabei_instalment, which has 50 % of the trades",
		},
	} {
		if got := Chinese.attribution(test.cause, "2026-11-20", Mask); got != test.zh {
			t.Errorf("attribution = %s, want %s", got, test.zh)
		}
		if got := English.attribution(test.cause, "2026-11-20", Mask); got != test.en {
			t.Errorf("attribution = %s, want %s", got, test.en)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		part, whole int64
		want        string
	}{
		{0, 7, "0 %"},
		{7, 7, "100 %"},
		{91, 100, "91 %"},
		{1, 300, "0.3 %"},
		{1, 3000, "< 0.1 %"},
		{1, 40, "2.5 %"},
		{999, 1000, "99.9 %"},
		{99_999, 100_000, "> 99.9 %"},
		{949, 1000, "95 %"},
		{995, 1000, "99.5 %"},
		{1, 3, "33 %"},
		{math.MaxInt64 - 1, math.MaxInt64, "> 99.9 %"},
		{3, 0, "–"},
	} {
		if got := percent(test.part, test.whole); got != test.want {
			t.Errorf("percent(%d, %d) = %s, want %s", test.part, test.whole, got, test.want)
		}
	}
	huge := rules.SumOf(1, 0)
	if got := percentOfSum(huge, rules.SumOf(4, 0)); got != "25 %" {
		t.Errorf("percentOfSum of a quarter = %s", got)
	}
}
