package reports

import (
	"strconv"
	"strings"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// breaksTable is the table of findings (contract 4), in the order of the result.
func breaksTable(b []engine.Break, o *Options) table {
	return table{name: breaksName, rows: len(b), columns: []column{
		textColumn("id", b, (*engine.Break).ID),
		enumColumn("code", breakNames, b, func(b *engine.Break) uint8 { return uint8(b.Code) }),
		enumColumn("severity", severityNames, b, func(b *engine.Break) uint8 { return uint8(b.Severity) }),
		textColumn("merchant_pid", b, func(b *engine.Break) string { return b.Merchant }),
		textColumn("out_trade_no", b, func(b *engine.Break) string { return b.OutTradeNo }),
		textColumn("trade_no", b, func(b *engine.Break) string { return b.TradeNo }),
		textColumn("out_request_no", b, func(b *engine.Break) string { return b.RequestNo }),
		textColumn("store_id", b, func(b *engine.Break) string { return o.Privacy.mobiles(b.Store) }),
		sumColumn("amount", schema.RebateType, b, func(b *engine.Break) rules.Sum { return stake(b) }),
		enumColumn("side", sideNames, b, func(b *engine.Break) uint8 { return uint8(b.Side) }),
		titleColumn(b, o.Lang),
		textColumn("detail", b, func(b *engine.Break) string { return detail(b, o.Lang, o.Privacy) }),
		textColumn("suggestion", b, func(b *engine.Break) string { return suggestion(b, o.Lang) }),
		textColumn("first_seen", b, func(b *engine.Break) string { return b.FirstSeen }),
		intColumn("age_days", schema.IntType, b, func(b *engine.Break) int64 { return int64(b.AgeDays) }),
		sourceColumn("source", b, func(b *engine.Break) (int32, int32) { return b.Table, b.Line }),
		enumColumn("verdict", verdictWords, b, func(b *engine.Break) uint8 { return uint8(o.verdict(b).State) }),
		textColumn("handler", b, func(b *engine.Break) string { return o.Privacy.Text(o.verdict(b).By) }),
		textColumn("note", b, func(b *engine.Break) string { return o.Privacy.Text(o.verdict(b).Note) }),
	}}
}

// verdict is what a person wrote behind the break, or blank.
func (o *Options) verdict(b *engine.Break) Verdict {
	if len(o.Verdicts) == 0 {
		return Verdict{}
	}
	return o.Verdicts[b.ID()]
}

// The words of the enums that stand in no partition's table.
var (
	breakNames = func() []string {
		names := []string{""}
		for _, code := range rules.BreakCodes() {
			names = append(names, code.String())
		}
		return names
	}()
	severityNames = []string{"", rules.SeverityError.String(), rules.SeverityWarn.String(), rules.SeverityInfo.String()}
	sideNames     = func() []string {
		names := []string{""}
		for side := rules.SideBill; side <= rules.SideFile; side++ {
			names = append(names, side.String())
		}
		return names
	}()
)

// titleColumn is an enum: there are as many titles as codes.
func titleColumn(b []engine.Break, lang Lang) column {
	titles := []string{""}
	for _, code := range rules.BreakCodes() {
		titles = append(titles, lang.text(code).Title)
	}
	return enumColumn("title", titles, b, func(b *engine.Break) uint8 { return uint8(b.Code) })
}

func sourceColumn[T any](name string, rows []T, place func(*T) (int32, int32)) column {
	c := column{Column: schema.Column{Name: name, Type: schema.SourceType}}
	c.Tables, c.Lines = make([]int32, len(rows)), make([]int32, len(rows))
	for i := range rows {
		c.Tables[i], c.Lines[i] = place(&rows[i])
	}
	return c
}

// detail says what was found, in words, with the amounts of both sides:
//
//	短款 -12.00：POS 记为已支付，支付宝没有收款；终端 T1
//
// Where the difference has a name, the name says all: 交易商家实收：文件所列 40.02，实际 40.01.
// A mobile in what somebody typed is masked; the ids of trades stay.
func detail(b *engine.Break, lang Lang, p Privacy) string {
	switch b.Code { //nolint:exhaustive // the others are put together below
	case rules.BreakControlTotal:
		if text := controlDetail(b, lang, p); text != "" {
			return text
		}
	case rules.BreakStatementTerms:
		if text := termsDetail(b, lang); text != "" {
			return text
		}
	}
	text := strings.ReplaceAll(lang.text(b.Code).Detail, "{amount}", stake(b).String6())
	var s strings.Builder
	s.WriteString(text)
	more := func(part string) {
		if part != "" {
			s.WriteString(lang.pick("；", "; "))
			s.WriteString(part)
		}
	}
	more(p.mobiles(facts(b, lang)))
	more(reason(b, lang, p))
	if b.Terminal != "" {
		more(lang.pick("终端 ", "terminal ") + p.mobiles(b.Terminal))
	}
	return s.String()
}

// reason is why, in words; of some codes it holds a value.
func reason(b *engine.Break, lang Lang, p Privacy) string {
	switch {
	case b.Reason == "":
		return ""
	case b.Code == rules.BreakTradeNoConflict:
		return lang.pick("POS 记的交易号 ", "the POS has trade number ") + b.Reason
	case accountRejected(b):
		return lang.pick("账务明细里它有一行被拒收，没有计入："+b.Reason, "a row of it in the account bill was rejected and is not counted: "+b.Reason)
	case b.Code == rules.BreakControlTotal:
		return lang.pick("文件所列 / 实际：", "stated / found: ") + b.Reason
	}
	return p.Text(worded(reasonTexts, b.Reason, lang))
}

// accountRejected: the trade lacks a row of the account bill that was rejected, whose
// place the reason is.
func accountRejected(b *engine.Break) bool {
	return b.Reason != "" && (b.Code == rules.BreakAccountMissing || b.Code == rules.BreakAccountMismatch)
}

// controlDetail names the control total and both of its sides, which the reason
// holds as "stated / found"; "" where it does not.
func controlDetail(b *engine.Break, lang Lang, p Privacy) string {
	stated, found, ok := strings.Cut(b.Reason, " / ")
	if !ok || b.What == "" {
		return ""
	}
	name := lang.control(b.What, p)
	return lang.pick(name+"：文件所列 "+stated+"，实际 "+found, name+": stated "+stated+", found "+found)
}

// termsDetail names the term of a statement that is not ours, with both sides, or
// with ours and the difference where the statement's is not known.
func termsDetail(b *engine.Break, lang Lang) string {
	if b.What == "" {
		return ""
	}
	name := worded(whatTexts, b.What, lang)
	text := func(v int64) string { return amountOf(b, v).String6() }
	plain := b.What == "rate" || b.What == "trade_count" // no amounts
	if plain {
		text = func(v int64) string { return rules.Micro(v).String() }
	}
	switch {
	case b.Expected != schema.Null && b.Found != schema.Null:
		ours, theirs := text(b.Expected), text(b.Found)
		return lang.pick(name+"：我方 "+ours+"，账单 "+theirs, name+": ours "+ours+", the statement's "+theirs)
	case b.Expected == schema.Null || plain || b.Amount == 0:
		return lang.pick(name+"与我方不同", name+" differs from ours")
	}
	ours, gap := text(b.Expected), stake(b).String6()
	return lang.pick(name+"与我方 "+ours+" 相差 "+gap, name+" differs from ours, "+ours+", by "+gap)
}

// facts are the two amounts that differ, the POS before the bill, and their
// difference with its sign. Where only one side has an amount, it is the one at
// stake, which has been said.
func facts(b *engine.Break, lang Lang) string {
	if b.Expected == schema.Null || b.Found == schema.Null {
		return worded(whatTexts, b.What, lang)
	}
	left, right := lang.pick("应为", "expected"), lang.pick("实为", "found")
	if b.Side == rules.SideBoth {
		left, right = "POS", lang.pick("支付宝", "Alipay")
	}
	text := left + " " + amountOf(b, b.Expected).String6() + lang.pick("，", ", ") +
		right + " " + amountOf(b, b.Found).String6() + lang.pick("，", ", ") + difference(b, lang)
	if b.What != "" {
		text = worded(whatTexts, b.What, lang) + lang.pick("：", ": ") + text
	}
	return text
}

// difference is found less expected, with its sign and, where money of the two
// sides differs, its name: 差额 -1.00（短款).
func difference(b *engine.Break, lang Lang) string {
	gap := amountOf(b, b.Found).Sub(amountOf(b, b.Expected))
	text := lang.pick("差额 ", "difference ")
	if gap.Sign() > 0 {
		text += "+"
	}
	text += gap.String6()
	if b.Code != rules.BreakAmountMismatch && b.Code != rules.BreakRefundAmountMismatch {
		return text
	}
	over := gap.Sign() > 0
	if b.Code == rules.BreakRefundAmountMismatch {
		over = !over // Alipay returned more than the POS booked: money is missing
	}
	if over {
		return text + lang.pick("（长款）", " (over)")
	}
	return text + lang.pick("（短款）", " (short)")
}

// suggestion says what to do, and the candidate that was found.
func suggestion(b *engine.Break, lang Lang) string {
	text := lang.text(b.Code).Do
	if accountRejected(b) {
		text = lang.pick("先按「拒收」改正 "+b.Reason+" 这一行，再重跑", "first put right the row "+b.Reason+", see the rejects, and run again")
	}
	if b.Suggestion == "" {
		return text
	}
	return lang.pick("可能对应 ", "possibly ") + b.Suggestion + lang.pick("，请人工确认；", ", to be confirmed by a person; ") + text
}

// worded gives a word's text, or the word where it has none.
func worded(texts map[string][2]string, word string, lang Lang) string {
	if text, ok := texts[word]; ok {
		return text[lang.index()]
	}
	// The reason may be another break's code.
	if code, ok := rules.ParseBreakCode(word); ok {
		return lang.text(code).Title
	}
	return word
}

func itoa[T ~int | ~int32 | ~int64](v T) string { return strconv.FormatInt(int64(v), 10) }
