package claim

import (
	"cmp"
	"html/template"
	"io"
	"slices"
	"strconv"

	"duizhang/rules"
)

// mostGroups is how many merchants the statement names: it is one page.
const mostGroups = 8

var statementTemplate = template.Must(template.New(statementName).Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
@page { size: A4; margin: 16mm }
body { font: 13px/1.55 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; margin: 1.5rem auto; max-width: 46rem; padding: 0 1rem; color: #1c2530; background: #fff }
h1 { font-size: 1.45rem; margin: 0 0 .2rem }
.sub { color: #5b6775; margin: 0 0 .9rem }
.sum { font-size: 1.35rem; font-weight: 700; white-space: nowrap }
table { border-collapse: collapse; width: 100%; margin: .7rem 0 }
th, td { border-bottom: 1px solid #dde3ea; padding: .22rem .45rem; text-align: left; overflow-wrap: anywhere }
th { background: #eef3f9; font-weight: 600 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.digest { font: 10.5px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; color: #5b6775 }
p { margin: .5rem 0 }
@media print { body { margin: 0; max-width: none; padding: 0 } }
</style>
<h1>{{.Title}}</h1>
<p class="sub">{{.Sub}}</p>
{{range .Words}}<p>{{.}}</p>
{{end}}<p>{{.SumLabel}} <span class="sum" data-claim="{{.Claim}}">¥ {{.Claim}}</span></p>
<table><tr>{{range .Head}}<th{{if .Number}} class="n"{{end}}>{{.Text}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td{{if .Number}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
<table><tr>{{range .AgreementHead}}<th>{{.}}</th>{{end}}</tr>
{{range .Agreements}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{range .After}}<p>{{.}}</p>
{{end}}<div class="digest">{{range .Files}}{{.Path}} · SHA-256 {{.SHA256}}<br>
{{end}}</div>
</html>
`))

type statementCell struct {
	Text   string
	Number bool
}

type statement struct {
	Lang, Title, Sub, SumLabel, Claim string
	Words, After                      []string
	Head                              []statementCell
	Rows                              [][]statementCell
	AgreementHead                     []string
	Agreements                        [][]string
	Files                             []File
}

// writeStatement writes the page. It names the digests of the other files.
func (w *Writer) writeStatement(groups []Group) (File, error) {
	m := &w.m
	tell := func(zh, en string) string { return say(m.Lang, zh, en) }
	count := strconv.FormatInt(m.Claimed, 10)
	d := statement{
		Lang: tell("zh-CN", "en"), Claim: m.Claim,
		Title:    tell("返佣申诉书", "Rebate claim"),
		Sub:      tell("服务商 PID "+m.Provider+" · 账期 "+m.Period+" · 依据 "+m.Date+" 的对账", "Provider PID "+m.Provider+" · period "+m.Period+" · from the reconciliation of "+m.Date),
		SumLabel: tell("申诉金额合计", "Claimed in all"),
		Words: []string{
			tell("下列交易在支付时均上传了本服务商的 PID（sys_service_provider_id），当日协议在效，返佣账单已出具，但返佣没有支付或没有足额支付。",
				"The trades listed carried this provider's PID (sys_service_provider_id) when they were paid, an agreement was in force on that day, and the statement of the period has come; yet the rebate was not paid, or not in full."),
			tell("逐笔申诉 "+count+" 笔：应得 "+m.Expected+" 元，返佣账单已付 "+m.Paid+" 元。",
				count+" trades are claimed one by one: "+m.Expected+" yuan are due, "+m.Paid+" were paid."),
		},
	}
	if rest := sumOf(groups, func(g *Group) rules.Sum { return g.Rest }); !rest.IsZero() {
		d.Words = append(d.Words, tell("合并结算的商户，按整组应得与实付之差另申诉 "+rest.String6()+" 元；全组交易均已列出。",
			"Where merchants are paid in one sum, the difference between what the group is due and what it was paid, "+rest.String6()+" yuan, is claimed besides; all trades of these groups are listed."))
	}
	d.table(groups, tell)
	d.AgreementHead = []string{tell("协议", "Agreement"), tell("产品", "Product"), tell("费率", "Rate"), tell("计算基数", "Basis"), tell("有效期", "In force"), tell("舍入", "Rounding")}
	for i, e := range w.signed {
		if i == mostGroups {
			d.Agreements = append(d.Agreements, []string{"…", tell("另 "+strconv.Itoa(len(w.signed)-i)+" 份，见工作簿", strconv.Itoa(len(w.signed)-i)+" more, see the workbook"), "", "", "", ""})
			break
		}
		a := e.Agreement
		to := tell("长期", "open")
		if a.To != rules.OpenEnd {
			to = dayText(a.To)
		}
		d.Agreements = append(d.Agreements, []string{
			strconv.FormatInt(e.Row, 10), a.Product, a.Rate.String(), basisText(a.Basis, m.Lang), dayText(a.From) + " – " + to,
			tell(strconv.Itoa(a.Scale)+" 位，", strconv.Itoa(a.Scale)+" decimals, ") + roundingText(a.Rounding, m.Lang),
		})
	}
	d.After = []string{
		tell("计算方法：应得返佣 = 四舍五入（计佣基数 × 费率），基数已减去本账期内完成的退款；申诉 = 应得 − 已付。逐笔复算见 claim.xlsx，原始记录（文件、行号、SHA-256）见 evidence.csv。",
			"Expected = basis × rate, rounded half up, refunds completed in the period taken off the basis; claimed = expected − paid. claim.xlsx recomputes every trade; evidence.csv has the input rows with file, line and SHA-256."),
		tell("任何人都可以复核：duizhang claim verify 本文件夹，或再加 --inputs 与原始账单逐行核对。",
			"Anybody can check it: duizhang claim verify THIS-FOLDER, with --inputs against the original files line by line."),
	}
	for _, f := range m.Files {
		if f.SHA256 != "" {
			d.Files = append(d.Files, f)
		}
	}
	return w.file(statementName, func(out io.Writer) error { return statementTemplate.Execute(out, &d) })
}

// table names the merchants by what they are owed.
func (d *statement) table(groups []Group, tell func(zh, en string) string) {
	n := func(s string) statementCell { return statementCell{s, true} }
	p := func(s string) statementCell { return statementCell{s, false} }
	d.Head = []statementCell{p(tell("商户 PID", "Merchant PID")), p(tell("产品", "Product")), n(tell("应得", "Expected")), n(tell("已付", "Paid")), n(tell("申诉", "Claimed"))}
	var owed []*Group
	for i := range groups {
		if total := groups[i].Total(); !total.IsZero() {
			owed = append(owed, &groups[i])
		}
	}
	slices.SortStableFunc(owed, func(a, b *Group) int {
		return cmp.Or(b.Total().Cmp(a.Total()), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Product, b.Product))
	})
	var rest rules.Sum
	for i, g := range owed {
		if i >= mostGroups {
			rest.AddSum(g.Total())
			continue
		}
		d.Rows = append(d.Rows, []statementCell{p(g.Merchant), p(g.Product), n(g.Expected.String6()), n(g.Paid.String6()), n(g.Total().String6())})
	}
	if more := len(owed) - mostGroups; more > 0 {
		d.Rows = append(d.Rows, []statementCell{p(tell("另 "+strconv.Itoa(more)+" 项，见工作簿", strconv.Itoa(more)+" more, see the workbook")), p(""), n(""), n(""), n(rest.String6())})
	}
	d.Rows = append(d.Rows, []statementCell{p(tell("合计", "Total")), p(""), n(""), n(""), n(d.Claim)})
}

func basisText(b rules.Basis, lang string) string {
	switch b {
	case rules.BasisOrderAmount:
		return say(lang, "订单金额", "order amount")
	case rules.BasisBuyerPaid:
		return say(lang, "买家实付", "paid by the buyer")
	case rules.BasisReceived:
	}
	return say(lang, "商家实收", "received")
}

func roundingText(r rules.Rounding, lang string) string {
	if r == rules.RoundPeriod {
		return say(lang, "合计一次", "once a group")
	}
	return say(lang, "逐笔", "each trade")
}
