package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A ShiftPage is what one store's cashiers hand over at the end of one shift.
// It marshals to the form that shift --json prints.
type ShiftPage struct {
	Store     string       `json:"store_id"`
	StoreName string       `json:"store_name"`
	Shift     string       `json:"shift"` // blank: the day is one shift
	Day       string       `json:"shift_date"`
	Hours     string       `json:"hours"` // 06:00-14:00, of a shift of the job; blank of others
	Balanced  bool         `json:"balanced"`
	Totals    []ShiftLine  `json:"totals"` // by channel, Alipay first
	Lines     []ShiftLine  `json:"lines"`  // by terminal, operator and channel
	Orders    []ShiftOrder `json:"orders"` // behind the differences, the largest first
}

// A ShiftLine is one line of a page. What is not compared is nil.
type ShiftLine struct {
	Terminal         string  `json:"terminal_id"`
	Operator         string  `json:"operator_id"`
	Channel          string  `json:"channel"`
	PosCount         int64   `json:"pos_count"`
	PosAmount        string  `json:"pos_amount"`
	BillCount        *int64  `json:"bill_count"`
	BillAmount       *string `json:"bill_amount"`
	Difference       *string `json:"difference"`
	RefundCount      int64   `json:"refund_count"`
	RefundAmount     string  `json:"refund_amount"`
	PosRefundCount   *int64  `json:"pos_refund_count"`
	PosRefundAmount  *string `json:"pos_refund_amount"`
	RefundDifference *string `json:"refund_difference"`
	Net              string  `json:"net"` // what the channel took less what it gave back
	Balanced         bool    `json:"balanced"`
}

// A ShiftOrder is an order, payment or refund that is behind a difference.
type ShiftOrder struct {
	Terminal   string  `json:"terminal_id"`
	Operator   string  `json:"operator_id"`
	Kind       string  `json:"kind"` // payment or refund
	Time       string  `json:"time"`
	Merchant   string  `json:"merchant_pid"`
	OutTradeNo string  `json:"out_trade_no"`
	TradeNo    string  `json:"trade_no"`
	RequestNo  string  `json:"out_request_no"`
	Status     string  `json:"status"`
	Reason     string  `json:"reason"`
	Pos        *string `json:"pos_amount"`
	Bill       *string `json:"bill_amount"`
	Difference string  `json:"difference"`
	PosSource  string  `json:"pos_source"`
	BillSource string  `json:"bill_source"`

	status rules.Status
}

// ShiftPages puts the rows of a result and the orders behind their differences
// together, a page for each store and shift, in the order of the result. The
// options' privacy holds.
func ShiftPages(r *engine.Result, orders []engine.ShiftOrder, job *engine.Job, o Options) []ShiftPage {
	o = o.withDefaults()
	type place struct{ store, day, shift string }
	behind := map[place][]engine.ShiftOrder{}
	for i := range orders {
		at := place{orders[i].Store, orders[i].Day, orders[i].Shift}
		behind[at] = append(behind[at], orders[i])
	}
	var pages []ShiftPage
	for from, to := 0, 0; from < len(r.Shifts); from = to {
		first := &r.Shifts[from]
		at := place{first.Store, first.Day, first.Shift}
		for to = from; to < len(r.Shifts) && (place{r.Shifts[to].Store, r.Shifts[to].Day, r.Shifts[to].Shift}) == at; {
			to++
		}
		page := ShiftPage{
			Store: o.Privacy.cell("store_id", at.store), StoreName: o.Privacy.Text(storeName(job.Registry, at.store)),
			Shift: o.Privacy.cell("shift", at.shift), Day: at.day, Hours: hoursOf(job.Shifts, at.shift), Balanced: true,
			Orders: o.shiftOrders(behind[at], r.Tables),
		}
		for i := from; i < to; i++ {
			page.Lines = append(page.Lines, o.shiftLine(&r.Shifts[i]))
			page.Balanced = page.Balanced && r.Shifts[i].Balanced()
		}
		page.Totals = o.shiftTotals(r.Shifts[from:to])
		pages = append(pages, page)
	}
	return pages
}

func storeName(reg *schema.Registry, id string) string {
	if reg == nil {
		return ""
	}
	at := slices.IndexFunc(reg.Stores, func(s schema.Store) bool { return s.ID == id })
	if at < 0 {
		return ""
	}
	return reg.Stores[at].Name
}

// hoursOf are the hours of a shift of the job.
func hoursOf(shifts []engine.Shift, name string) string {
	at := slices.IndexFunc(shifts, func(s engine.Shift) bool { return s.Name == name })
	if at < 0 {
		return ""
	}
	starts := make([]int32, len(shifts))
	for i, s := range shifts {
		starts[i] = s.Start
	}
	slices.Sort(starts)
	next := starts[(slices.Index(starts, shifts[at].Start)+1)%len(starts)]
	clock := func(s int32) string { return fmt.Sprintf("%02d:%02d", s/3600, s/60%60) }
	return clock(shifts[at].Start) + "-" + clock(next)
}

// shiftTotals adds a page's rows up by channel, Alipay first.
func (o *Options) shiftTotals(rows []engine.ShiftRow) []ShiftLine {
	var totals []engine.ShiftRow
	balanced := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		at := slices.IndexFunc(totals, func(t engine.ShiftRow) bool { return t.Channel == r.Channel })
		if at < 0 {
			at = len(totals)
			totals = append(totals, engine.ShiftRow{Channel: r.Channel, Compared: r.Compared, ComparedRefunds: r.ComparedRefunds})
			balanced[r.Channel] = true
		}
		totals[at].Add(r)
		balanced[r.Channel] = balanced[r.Channel] && r.Balanced()
	}
	slices.SortStableFunc(totals, func(a, b engine.ShiftRow) int {
		if a.Compared != b.Compared {
			if a.Compared {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Channel, b.Channel)
	})
	lines := make([]ShiftLine, len(totals))
	for i := range totals {
		lines[i] = o.shiftLine(&totals[i])
		lines[i].Balanced = balanced[totals[i].Channel]
	}
	return lines
}

func (o *Options) shiftLine(r *engine.ShiftRow) ShiftLine {
	text := func(s rules.Sum) *string { v := s.String2(); return &v }
	line := ShiftLine{
		Terminal: o.Privacy.cell("terminal_id", r.Terminal), Operator: o.Privacy.cell("operator_id", r.Operator),
		Channel: o.Privacy.cell("channel", r.Channel), PosCount: r.PosCount, PosAmount: r.PosAmount.String2(),
		RefundCount: r.RefundCount, RefundAmount: r.RefundAmount.String2(), Balanced: r.Balanced(),
		Net: r.PosAmount.Sub(r.RefundAmount).String2(),
	}
	if r.Compared {
		line.BillCount, line.BillAmount, line.Difference = &r.BillCount, text(r.BillAmount), text(r.Difference())
		line.Net = r.BillAmount.Sub(r.RefundAmount).String2()
	}
	if r.HasPosRefunds() {
		line.PosRefundCount, line.PosRefundAmount = &r.PosRefundCount, text(r.PosRefundAmount)
	}
	if r.ComparedRefunds {
		line.RefundDifference = text(r.RefundDifference())
	}
	return line
}

func (o *Options) shiftOrders(orders []engine.ShiftOrder, tables []*schema.Table) []ShiftOrder {
	gap := func(x *engine.ShiftOrder) int64 { return known(x.Bill) - known(x.Pos) }
	slices.SortFunc(orders, func(a, b engine.ShiftOrder) int {
		return cmp.Or(-cmp.Compare(abs(gap(&a)), abs(gap(&b))), cmp.Compare(a.Time, b.Time), strings.Compare(a.Merchant, b.Merchant),
			strings.Compare(a.OutTradeNo, b.OutTradeNo), strings.Compare(a.TradeNo, b.TradeNo), strings.Compare(a.RequestNo, b.RequestNo),
			cmp.Compare(a.PosTable, b.PosTable), cmp.Compare(a.PosLine, b.PosLine),
			cmp.Compare(a.BillTable, b.BillTable), cmp.Compare(a.BillLine, b.BillLine))
	})
	amount := func(v int64) *string {
		if v == schema.Null {
			return nil
		}
		text := rules.Fen(v).String()
		return &text
	}
	source := func(table, line int32) string {
		if table < 0 {
			return ""
		}
		return tables[table].Source(line)
	}
	list := make([]ShiftOrder, len(orders))
	for i := range orders {
		x := &orders[i]
		kind := "payment"
		if x.Refund {
			kind = "refund"
		}
		list[i] = ShiftOrder{
			Terminal: o.Privacy.cell("terminal_id", x.Terminal), Operator: o.Privacy.cell("operator_id", x.Operator), Kind: kind,
			Merchant: x.Merchant, OutTradeNo: x.OutTradeNo, TradeNo: x.TradeNo, RequestNo: x.RequestNo,
			Status: x.Status.String(), Reason: x.Reason.String(), status: x.Status,
			Pos: amount(x.Pos), Bill: amount(x.Bill), Difference: rules.Fen(gap(x)).String(),
			PosSource: source(x.PosTable, x.PosLine), BillSource: source(x.BillTable, x.BillLine),
		}
		if at := moment(x.Time); at != nil {
			list[i].Time = *at
		}
	}
	return list
}

func known(v int64) int64 {
	if v == schema.Null {
		return 0
	}
	return v
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// title is what a page is of: store, day and shift.
func (p *ShiftPage) title(l Lang) (store, shift string) {
	store = strings.TrimSpace(p.Store + " " + p.StoreName)
	if store == "" {
		store = l.pick("（无门店编号）", "(no store_id)")
	}
	shift = p.Shift
	if shift == "" {
		shift = l.pick("全天", "whole day")
	}
	return store, strings.TrimSpace(shift + " " + p.Hours)
}

// channel is a channel in words.
func (l Lang) channel(name string) string {
	if texts, ok := channelTexts[name]; ok {
		return texts[l.index()]
	}
	return name
}

var channelTexts = map[string][2]string{
	"alipay": {"支付宝", "Alipay"},
	"wechat": {"微信", "WeChat"},
	"cash":   {"现金", "cash"},
}

// orderKind says what stands behind a difference.
func (l Lang) orderKind(x *ShiftOrder) string {
	text := l.status(x.status)
	if x.Kind == "refund" {
		text = l.pick("退款："+text, "refund: "+text)
	}
	return text
}

func orDash(s *string) string {
	if s == nil {
		return "–"
	}
	return *s
}

func countOrDash(n *int64) string {
	if n == nil {
		return "–"
	}
	return itoa(*n)
}

// mostOrders is how many orders a page lists: the largest differences. The rest is
// counted, so that a page stays a page.
const mostOrders = 25

// ShiftConsole writes the pages for a terminal.
func ShiftConsole(w io.Writer, pages []ShiftPage, o ConsoleOptions) error {
	c := &console{lang: o.Lang, color: o.Color}
	if c.lang == 0 {
		c.lang = Chinese
	}
	l := c.lang
	for i := range pages {
		p := &pages[i]
		if i > 0 {
			c.text.WriteByte('\n')
		}
		store, shift := p.title(l)
		style, word := green, l.pick("相符", "balances")
		if !p.Balanced {
			style, word = red, l.pick("有差额", "does not balance")
		}
		fmt.Fprintf(&c.text, "%s  %s\n", c.paint(bold, visible(store+"  "+p.Day+"  "+shift)), c.paint(style, word))
		c.shiftLines(p)
		if len(p.Orders) > 0 {
			c.shiftOrders(p)
		}
	}
	_, err := io.WriteString(w, c.text.String())
	return err
}

// shiftHead is the head of the lines of a page.
func (l Lang) shiftHead() []string {
	return []string{
		l.pick("终端", "terminal"), l.pick("操作员", "operator"), l.pick("渠道", "channel"),
		l.pick("POS 笔数", "POS count"), l.pick("POS 收款", "POS amount"),
		l.pick("账单笔数", "bill count"), l.pick("账单收款", "bill amount"), l.pick("差额", "difference"),
		l.pick("退款笔数", "refunds"), l.pick("退款", "refunded"), l.pick("退款差额", "refund diff."), l.pick("净额", "net"),
	}
}

func (l Lang) shiftCells(s *ShiftLine, terminal, operator string) []string {
	return []string{
		terminal, operator, l.channel(s.Channel), itoa(s.PosCount), s.PosAmount, countOrDash(s.BillCount), orDash(s.BillAmount),
		orDash(s.Difference), itoa(s.RefundCount), s.RefundAmount, orDash(s.RefundDifference), s.Net,
	}
}

func (l Lang) orderHead() []string {
	return []string{
		l.pick("时间", "time"), l.pick("终端", "terminal"), l.pick("商户订单号", "out_trade_no"), l.pick("情况", "what"),
		"POS", l.pick("账单", "bill"), l.pick("差额", "difference"), l.pick("来源", "source"),
	}
}

func (l Lang) orderCells(x *ShiftOrder) []string {
	source := x.PosSource
	if source != "" && x.BillSource != "" {
		source += " | "
	}
	number := x.OutTradeNo
	if number == "" {
		number = x.TradeNo
	}
	return []string{
		x.Time, x.Terminal, number, l.orderKind(x), orDash(x.Pos), orDash(x.Bill), x.Difference, source + x.BillSource,
	}
}

func (c *console) shiftLines(p *ShiftPage) {
	l := c.lang
	var rows [][]string
	var styles []string
	add := func(s *ShiftLine, terminal, operator string) {
		style := ""
		if !s.Balanced {
			style = red
		}
		rows, styles = append(rows, l.shiftCells(s, terminal, operator)), append(styles, style)
	}
	for i := range p.Lines {
		add(&p.Lines[i], p.Lines[i].Terminal, p.Lines[i].Operator)
	}
	for i := range p.Totals {
		add(&p.Totals[i], l.pick("合计", "total"), "")
	}
	c.table(l.shiftHead(), rows, styles)
}

func (c *console) shiftOrders(p *ShiftPage) {
	l := c.lang
	var rows [][]string
	for i := range p.Orders[:min(len(p.Orders), mostOrders)] {
		rows = append(rows, l.orderCells(&p.Orders[i]))
	}
	c.table(l.orderHead(), rows, nil)
	if more := len(p.Orders) - mostOrders; more > 0 {
		fmt.Fprintf(&c.text, "%s\n", l.moreOrders(more))
	}
}

func (l Lang) moreOrders(n int) string {
	return l.pick(fmt.Sprintf("另有 %d 笔，见 --json", n), fmt.Sprintf("and %d more, see --json", n))
}

var shiftTemplate = template.Must(template.New("shifts").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
@page { size: A4 landscape; margin: 12mm }
body { font: 13px/1.45 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0 auto; max-width: 72rem; padding: 0 1rem; color: #1c2530 }
section { break-after: page; padding: 1rem 0 }
section:last-child { break-after: auto }
h1 { font-size: 1.4rem; margin: 0 }
p { margin: .2rem 0 .8rem }
table { border-collapse: collapse; margin: .8rem 0; width: 100% }
th, td { border: 1px solid #b8c2cc; padding: .2rem .4rem; text-align: left; overflow-wrap: anywhere }
th { background: #e7eef7 }
tr { break-inside: avoid }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.t td { font-weight: bold; border-top: 2px solid #1c2530 }
.x { color: #b00020 }
.s { display: flex; gap: 3rem; margin-top: 2.2rem }
.s span { flex: 1; border-top: 1px solid #1c2530; padding-top: .3rem }
</style>
{{range .Pages}}<section>
<h1>{{$.Title}}</h1>
<p>{{.Store}} · {{.Day}} · {{.Shift}} · <b{{if not .Balanced}} class="x"{{end}}>{{.Verdict}}</b></p>
<table>
<tr>{{range $.LineHead}}<th>{{.}}</th>{{end}}</tr>
{{range .Lines}}<tr{{if .Total}} class="t"{{end}}>{{range .Cells}}<td{{if .Number}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
{{if .Orders}}<table>
<tr>{{range $.OrderHead}}<th>{{.}}</th>{{end}}</tr>
{{range .Orders}}<tr>{{range .}}<td{{if .Number}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
{{with .More}}<p>{{.}}</p>
{{end}}{{end}}<div class="s">{{range $.Signs}}<span>{{.}}</span>{{end}}</div>
</section>
{{end}}</html>
`))

// A pageCell is a cell of a shift's page.
type pageCell struct {
	Text   string
	Number bool
}

// ShiftHTML writes the pages as one HTML file that prints a page for each shift,
// with lines to sign.
func ShiftHTML(w io.Writer, pages []ShiftPage, l Lang) error {
	if l == 0 {
		l = Chinese
	}
	type line struct {
		Total bool
		Cells []pageCell
	}
	type page struct {
		Store, Day, Shift, Verdict, More string
		Balanced                         bool
		Lines                            []line
		Orders                           [][]pageCell
	}
	cells := func(texts []string) []pageCell {
		row := make([]pageCell, len(texts))
		for i, text := range texts {
			row[i] = pageCell{visible(text), numeric(text) || text == "–"}
		}
		return row
	}
	data := struct {
		Lang, Title                string
		LineHead, OrderHead, Signs []string
		Pages                      []page
	}{
		l.pick("zh-CN", "en"), l.pick("交接班结算单", "Shift settlement"), l.shiftHead(), l.orderHead(),
		[]string{l.pick("交班人", "handed over by"), l.pick("接班人", "taken over by"), l.pick("日期时间", "date and time")},
		nil,
	}
	for i := range pages {
		p := &pages[i]
		one := page{Day: p.Day, Balanced: p.Balanced, Verdict: l.pick("相符", "balances")}
		one.Store, one.Shift = p.title(l)
		if !p.Balanced {
			one.Verdict = l.pick("有差额", "does not balance")
		}
		for k := range p.Lines {
			one.Lines = append(one.Lines, line{false, cells(l.shiftCells(&p.Lines[k], p.Lines[k].Terminal, p.Lines[k].Operator))})
		}
		for k := range p.Totals {
			one.Lines = append(one.Lines, line{true, cells(l.shiftCells(&p.Totals[k], l.pick("合计", "total"), ""))})
		}
		for k := range p.Orders[:min(len(p.Orders), mostOrders)] {
			one.Orders = append(one.Orders, cells(l.orderCells(&p.Orders[k])))
		}
		if more := len(p.Orders) - mostOrders; more > 0 {
			one.More = l.moreOrders(more)
		}
		data.Pages = append(data.Pages, one)
	}
	return shiftTemplate.Execute(w, data)
}
