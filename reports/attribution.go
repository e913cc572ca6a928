package reports

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// attribution says in a sentence where the breaks of a kind come from:
//
//	短款的 91 %（¥1,053.81 中的 ¥980.20）在门店 NJ001、终端 7，而它只有 2 % 的交易；自 21:40 起
//	91 % of 短款 … at store NJ001, terminal 7, which has 2 % of the trades; since 21:40
func (l Lang) attribution(a *engine.Attribution, date string, p Privacy) string {
	kind, where := l.text(a.Code).Title, l.segment(a.Segment, p)
	breaks, rows := percent(a.Breaks, a.AllBreaks), percent(a.Rows, a.AllRows)
	rows = strings.Replace(rows, "< ", l.pick("不到 ", "less than "), 1)
	return l.pick("“"+kind+"”的 "+breaks+" 在"+where+"，而它只有 "+rows+" 的"+pickRows(a, "交易", "退款"),
		breaks+" of “"+kind+"” "+where+", which has "+rows+" of the "+pickRows(a, "trades", "refunds")) + l.during(a, date)
}

// during says since when, or from when to when, at the end of a sentence.
func (l Lang) during(a *engine.Attribution, date string) string {
	if when := l.when(a, date); when != "" {
		return l.pick("；", "; ") + when
	}
	return ""
}

// when says since when, or from when to when; "" where no time is known.
func (l Lang) when(a *engine.Attribution, date string) string {
	first, last := wallClock(a.First, date), wallClock(a.Last, date)
	switch {
	case first == "":
		return ""
	case a.Ended && first == last:
		return l.pick("在 "+first, "at "+first)
	case a.Ended:
		return l.pick(first+" 至 "+last, "from "+first+" to "+last)
	}
	return l.pick("自 "+first+" 起", "since "+first)
}

func pickRows(a *engine.Attribution, trades, refunds string) string {
	if a.Refunds {
		return refunds
	}
	return trades
}

// segment names where it is: 门店 NJ001、终端 7.
func (l Lang) segment(facets []engine.Facet, p Privacy) string {
	var names []string
	for _, f := range facets {
		names = append(names, l.facet(f, p))
	}
	if l == English {
		return strings.ReplaceAll(strings.Join(names, ", "), ", at terminal ", ", terminal ")
	}
	return strings.Join(names, "、")
}

// facetTexts are the words before a value, and what a blank is called.
var facetTexts = map[engine.Dimension][2][2]string{
	engine.DimensionStore:    {{"门店 ", "没有门店编号的交易"}, {"at store ", "on rows without a store"}},
	engine.DimensionTerminal: {{"终端 ", "没有终端号的交易"}, {"at terminal ", "on rows without a terminal"}},
	engine.DimensionOperator: {{"操作员 ", "没有操作员的交易"}, {"with operator ", "on rows without an operator"}},
	engine.DimensionProvider: {{"服务商 PID ", "没有服务商 PID 的交易"}, {"with provider PID ", "on rows without a provider PID"}},
	engine.DimensionProduct:  {{"产品 ", "没有产品的交易"}, {"with product ", "on rows without a product"}},
	engine.DimensionMerchant: {{"商户 ", "没有商户的交易"}, {"at merchant ", "on rows without a merchant"}},
	engine.DimensionGoods:    {{"含商品 ", "没有商品编号的交易"}, {"with goods ", "on rows without goods"}},
}

func (l Lang) facet(f engine.Facet, p Privacy) string {
	if f.Dimension == engine.DimensionHour {
		return l.pick(f.Value+":00–"+f.Value+":59", "from "+f.Value+":00 to "+f.Value+":59")
	}
	texts := facetTexts[f.Dimension][l.index()]
	if f.Value == "" {
		return texts[1]
	}
	value := p.cell(f.Dimension.String(), f.Value)
	if f.Dimension == engine.DimensionProduct {
		value = worded(whatTexts, value, l)
	}
	return texts[0] + value
}

// wallClock is a time of the business day, with its date on another day.
func wallClock(at int64, date string) string {
	if at == schema.Null {
		return ""
	}
	t := time.Unix(at, 0).UTC() // wall-clock seconds
	if t.Format(time.DateOnly) == date {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// percent is part of whole in per cent, exactly rounded to what a reader needs: whole
// per cents, and a decimal near 0 and 100, where 100 % is all and 0 % is nothing.
//
//	91 of 100  ->  91 %      1 of 300  ->  0.3 %     999 of 1000  ->  99.9 %
func percent(part, whole int64) string {
	return percentOf(big.NewInt(part), big.NewInt(whole))
}

// percentOfSum is percent of amounts.
func percentOfSum(part, whole rules.Sum) string { return percentOf(bigSum(part), bigSum(whole)) }

func percentOf(part, whole *big.Int) string {
	if whole.Sign() <= 0 {
		return "–"
	}
	if part.Cmp(whole) == 0 {
		return "100 %"
	}
	if part.Sign() == 0 {
		return "0 %"
	}
	// Half up: ⌊(2 × 1000 × part + whole) / (2 × whole)⌋ tenths of a per cent.
	const perMille, half = 1000, 2
	tenths := new(big.Int).Mul(part, big.NewInt(half*perMille))
	tenths.Add(tenths, whole).Quo(tenths, new(big.Int).Mul(whole, big.NewInt(half)))
	n := tenths.Int64()
	switch {
	case n < 1:
		return "< 0.1 %"
	case n > perMille-1 && part.Cmp(whole) < 0:
		return "> 99.9 %"
	case n < 100 || n > perMille-50:
		text := strconv.FormatInt(n/10, 10)
		if n%10 != 0 {
			text += "." + strconv.FormatInt(n%10, 10)
		}
		return text + " %"
	}
	return strconv.FormatInt((n+5)/10, 10) + " %"
}

func bigSum(s rules.Sum) *big.Int {
	hi, lo := s.Parts()
	v := new(big.Int).Lsh(big.NewInt(hi), 64)
	return v.Add(v, new(big.Int).SetUint64(lo))
}

// An attributionInfo is an attribution in summary.json.
type attributionInfo struct {
	Code     string      `json:"code"`
	Severity string      `json:"severity"`
	Segment  []facetInfo `json:"segment"`
	Count    int64       `json:"count"`
	OfCount  int64       `json:"of_count"`
	Amount   string      `json:"amount"`
	OfAmount string      `json:"of_amount"`
	Rows     int64       `json:"rows"`
	OfRows   int64       `json:"of_rows"`
	RowsAre  string      `json:"rows_are"`
	Since    *string     `json:"since"`
	Last     *string     `json:"last"`
	Ended    bool        `json:"ended"`
}

type facetInfo struct {
	Dimension string `json:"dimension"`
	Value     string `json:"value"`
}

// attributionsOf are the causes in the order of the result.
func attributionsOf(r *engine.Result, p Privacy) []attributionInfo {
	infos := []attributionInfo{}
	for i := range r.Attributions {
		a := &r.Attributions[i]
		info := attributionInfo{
			Code: a.Code.String(), Severity: a.Severity.String(), Count: a.Breaks, OfCount: a.AllBreaks,
			Amount: a.Amount.String6(), OfAmount: a.AllAmount.String6(), Rows: a.Rows, OfRows: a.AllRows,
			RowsAre: pickRows(a, "trades", "refunds"), Since: moment(a.First), Last: moment(a.Last), Ended: a.Ended,
		}
		for _, f := range a.Segment {
			info.Segment = append(info.Segment, facetInfo{f.Dimension.String(), p.cell(f.Dimension.String(), f.Value)})
		}
		infos = append(infos, info)
	}
	return infos
}
