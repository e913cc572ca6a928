package reports

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The charts stand beside the overview's tables, two by two, so that the first
// screen has them.
const (
	chartWidth   = 474
	chartHeight  = 290
	chartColumns = 7  // of 69 pixels
	chartTop     = 4  // row
	chartBottom  = 14 // row of the second two
)

// A chartTable is what a chart is drawn from: rows of a name and a figure for each
// series.
type chartTable struct {
	title  string
	series []string
	colors []string
	rows   []chartRow
	kind   excelize.ChartType
	amount bool
	at     int // row of the series' names on the sheet of charts' data
}

// A chartRow is a name and its figures.
type chartRow struct {
	name    string
	figures []live
}

// draw adds the charts and the sheet that they are drawn from.
func (o *overviewSheet) draw() {
	tables := slices.DeleteFunc([]*chartTable{o.matchedTable(), o.hourTable(), o.lossTable(), o.storeTable()}, func(t *chartTable) bool {
		return t == nil
	})
	if len(tables) == 0 {
		return
	}
	name := o.lang.pick("图表数据", "Chart data")
	member := o.newSheet(name)
	o.check(o.file.SetColWidth(name, "A", "A", 34))
	o.check(o.file.SetColWidth(name, "B", "G", 16))
	o.paper(name, 0)
	row := 2
	for _, t := range tables {
		t.at = row + 1
		row = t.at + len(t.rows) + 1
	}
	o.members.rows[member] = func(out io.Writer) error {
		c := newCellsWriter(out, o.styles)
		o.chartRows(c, tables)
		c.flush()
		return c.err
	}
	for i, t := range tables {
		column, from := colChart+i%2*chartColumns, chartTop
		if i > 1 {
			from = chartBottom
		}
		o.check(o.file.AddChart(o.sheet, columnNames[column]+itoa(from), t.chart(name)))
	}
}

func (o *overviewSheet) chartRows(c *cellsWriter, tables []*chartTable) {
	c.begin(20)
	c.text(noteStyle, o.lang.pick("总览各图的数据；引用其他工作表的单元格，会随之变化。", "What the overview's charts are drawn from."))
	c.end()
	for _, t := range tables {
		c.begin(20)
		c.text(titleStyle, t.title)
		c.end()
		c.begin(18)
		c.text(headStyle, "")
		for _, s := range t.series {
			c.text(headStyle, s)
		}
		c.end()
		for _, r := range t.rows {
			c.begin(0)
			c.text(textCell, r.name)
			for _, v := range r.figures {
				style := rebateStyle
				if v.count {
					style = countStyle
				}
				if v.formula != "" {
					c.formula(style, v.formula, numberFigure(v.text()))
				} else {
					c.number(style, []byte(v.text()))
				}
			}
			c.end()
		}
	}
}

// chart is the table as a chart of the library.
func (t *chartTable) chart(sheet string) *excelize.Chart {
	first, last := t.at+1, t.at+len(t.rows)
	font := &excelize.Font{Size: 9, Color: mutedColor}
	chart := &excelize.Chart{
		Type:      t.kind,
		Dimension: excelize.ChartDimension{Width: chartWidth, Height: chartHeight},
		Title:     excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: t.title, Font: &excelize.Font{Bold: true, Size: 12, Color: inkColor}}}},
		Legend:    excelize.ChartLegend{Position: "bottom", Font: font},
		Border:    excelize.LineOptions{Type: excelize.LineSolid, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{lineColor}}},
		XAxis:     excelize.ChartAxis{Font: *font},
		YAxis:     excelize.ChartAxis{Font: *font, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		PlotArea:  excelize.ChartPlotArea{},
		Format:    excelize.GraphicOptions{AltText: t.title, Positioning: "oneCell"},
	}
	if len(t.series) == 1 {
		chart.Legend.Position = "none"
	}
	gap, overlap := uint(50), 100
	chart.GapWidth = &gap
	switch t.kind {
	case excelize.Bar:
		chart.XAxis.ReverseOrder = true
		chart.YAxis.Minimum = new(float64) // a bar that does not begin at 0 misleads
		chart.PlotArea.ShowVal = true
		chart.YAxis.None = true
		chart.YAxis.MajorGridLines = false
		format := "#,##0.00"
		if !t.amount {
			format = "#,##0"
		}
		chart.PlotArea.NumFmt = excelize.ChartNumFmt{CustomNumFmt: format}
	case excelize.ColStacked, excelize.BarPercentStacked, excelize.BarStacked:
		chart.Overlap = &overlap
		chart.XAxis.Font.Size = 7 // 24 hours side by side
	case excelize.Doughnut:
		chart.HoleSize = 55
		chart.Legend.Position = "right"
	}
	for k := range t.series {
		column := columnNames[1+k]
		s := excelize.ChartSeries{
			Name:       quoteSheet(sheet) + "!$" + column + "$" + itoa(t.at),
			Categories: quoteSheet(sheet) + "!$A$" + itoa(first) + ":$A$" + itoa(last),
			Values:     quoteSheet(sheet) + "!$" + column + "$" + itoa(first) + ":$" + column + "$" + itoa(last),
		}
		if t.kind == excelize.Doughnut {
			for i, color := range t.colors {
				s.DataPoint = append(s.DataPoint, excelize.ChartDataPoint{Index: i, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}})
			}
		} else {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{t.colors[k]}}
		}
		chart.Series = append(chart.Series, s)
	}
	return chart
}

// matchedTable is matched against breaks by money, of both sides.
func (o *overviewSheet) matchedTable() *chartTable {
	if len(o.matched) == 0 {
		return nil
	}
	l := o.lang
	t := &chartTable{
		title: l.pick("对平与差异（金额，两侧合计）", "Matched and breaks by money, both sides"), kind: excelize.Doughnut, amount: true,
		series: []string{l.pick("金额", "Amount")},
	}
	colors := map[rules.Status]string{
		rules.StatusMatched: "2E7D5B", rules.StatusAmountMismatch: "E0A100", rules.StatusStatusMismatch: "8E6BBF",
		rules.StatusBillOnly: "2F6DB5", rules.StatusPOSOnly: "C0392B",
	}
	for _, s := range comparedStatuses {
		row, ok := o.matched[s]
		if !ok {
			continue
		}
		var v rules.Sum
		v.AddSum(o.result.Trades[s].PosAmount)
		v.AddSum(o.result.Trades[s].BillAmount)
		cell := func(col int) string { return quoteSheet(o.sheet) + "!" + absoluteRef(col, row) }
		t.rows = append(t.rows, chartRow{l.statusShort(s) + "  " + money(micros128(v)), []live{{formula: cell(colAmount) + "+" + cell(colAmount2), value: micros128(v)}}})
		t.colors = append(t.colors, colors[s])
	}
	return t
}

// statusShort is the status with its side, for a legend.
func (l Lang) statusShort(s rules.Status) string {
	switch s {
	case rules.StatusBillOnly:
		return l.pick("长款（支付宝有、POS 无）", "over (in Alipay only)")
	case rules.StatusPOSOnly:
		return l.pick("短款（POS 有、支付宝无）", "short (in the POS only)")
	case rules.StatusMatched, rules.StatusAmountMismatch, rules.StatusStatusMismatch, rules.StatusPending,
		rules.StatusExcluded, rules.StatusDuplicate:
	}
	return l.status(s)
}

// hourTable is the breaks of trades and refunds by the hour of the day.
func (o *overviewSheet) hourTable() *chartTable {
	l := o.lang
	const hours = 24
	var count [hours][3]int64
	any := false
	for i := range o.result.Breaks {
		br := &o.result.Breaks[i]
		if !br.Severity.Counts() || br.Time == schema.Null || br.Side == rules.SideStatement || br.Micro {
			continue
		}
		const perHour, perDay = 3600, 86400
		hour := ((br.Time%perDay + perDay) % perDay) / perHour
		which := 2
		switch br.Code { //nolint:exhaustive // the rest is together
		case rules.BreakBillOnly:
			which = 0
		case rules.BreakPOSOnly:
			which = 1
		}
		count[hour][which]++
		any = true
	}
	if !any {
		return nil
	}
	t := &chartTable{
		title:  l.pick("差异发生的时段（笔数，不含返佣）", "Breaks by hour (count, without rebates)"),
		series: []string{l.pick("长款（+）", "over (+)"), l.pick("短款（−）", "short (−)"), l.pick("其他差异", "others")},
		colors: []string{"2F6DB5", "C0392B", "E0A100"}, kind: excelize.ColStacked,
	}
	for hour := range hours {
		r := chartRow{name: itoa(hour)}
		for _, n := range count[hour] {
			r.figures = append(r.figures, live{value: sumOf(n), count: true})
		}
		t.rows = append(t.rows, r)
	}
	return t
}

// lossTable is the rebates lost by cause; without rebates, the breaks by kind.
func (o *overviewSheet) lossTable() *chartTable {
	l := o.lang
	const most = 8
	t := &chartTable{
		title:  l.pick("返佣损失：按原因（元）", "Rebate losses by cause (yuan)"),
		series: []string{l.pick("损失", "Loss")}, colors: []string{"C0392B"}, kind: excelize.Bar, amount: true,
	}
	t.rows = o.lossRows(o.byCause(), most, func(g *lossLine) string {
		name := g.shown
		for _, prefix := range []string{"返佣损失：", "Rebate lost: "} {
			name = strings.TrimPrefix(name, prefix)
		}
		return name
	})
	if len(t.rows) > 0 {
		return t
	}
	t.title = l.pick("差异：按类别（涉及金额，元）", "Breaks by kind (at stake, yuan)")
	t.series = []string{l.pick("涉及金额", "At stake")}
	for i, k := range rankedBreaks(o.result.Breaks) {
		if len(t.rows) == most || !k.severity.Counts() {
			break
		}
		cell := quoteSheet(o.sheet) + "!" + absoluteRef(colAmount, o.breaksFrom+i)
		t.rows = append(t.rows, chartRow{l.text(k.code).Title, []live{{formula: cell, value: k.amount}}})
	}
	if len(t.rows) == 0 {
		return nil
	}
	return t
}

// lossRows are the first lines of one dimension of the losses.
func (o *overviewSheet) lossRows(by string, most int, name func(*lossLine) string) []chartRow {
	list := o.lists["losses"]
	if list == nil {
		return nil
	}
	column := slices.IndexFunc(list.heads(), func(h listHead) bool { return h.name == o.head(headLoss) })
	var rows []chartRow
	for i, g := range o.lossLines() {
		if g.by == by && g.Loss.Sign() > 0 && len(rows) < most {
			g := g
			cell := quoteSheet(list.info().sheet) + "!" + absoluteRef(column, firstRow+i)
			rows = append(rows, chartRow{name(&g), []live{{formula: cell, value: g.Loss}}})
		}
	}
	return rows
}

// storeTable is the stores that lose most rebates; without rebates, those with the
// most money in breaks.
func (o *overviewSheet) storeTable() *chartTable {
	l := o.lang
	const most = 10
	t := &chartTable{
		title:  l.pick("返佣损失：门店前 10（元）", "Rebate losses: ten stores (yuan)"),
		series: []string{l.pick("损失", "Loss")}, colors: []string{"E07B39"}, kind: excelize.Bar, amount: true,
	}
	if t.rows = o.lossRows(o.byStore(), most, func(g *lossLine) string { return g.shown }); len(t.rows) > 0 {
		return t
	}
	t.title = l.pick("差异：门店前 10（涉及金额，元）", "Breaks: ten stores (at stake, yuan)")
	t.series = []string{l.pick("涉及金额", "At stake")}
	of := map[string]*chartRow{}
	for i := range o.result.Breaks {
		br := &o.result.Breaks[i]
		if !br.Severity.Counts() || br.Store == "" {
			continue
		}
		r := of[br.Store]
		if r == nil {
			r = &chartRow{o.privacy.mobiles(br.Store), []live{{}}}
			of[br.Store] = r
		}
		r.figures[0].value.AddSum(stake(br))
	}
	for _, r := range of {
		t.rows = append(t.rows, *r)
	}
	slices.SortFunc(t.rows, func(a, b chartRow) int {
		return cmp.Or(b.figures[0].value.Cmp(a.figures[0].value), cmp.Compare(a.name, b.name))
	})
	t.rows = t.rows[:min(most, len(t.rows))]
	if len(t.rows) == 0 {
		return nil
	}
	return t
}
