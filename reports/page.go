package reports

import (
	"html/template"
	"io"
	"strings"

	"duizhang/engine"
)

// pageName is the page's file.
const pageName = "report.html"

var pageTemplate = template.Must(template.New(pageName).Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
body { font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1c2530 }
table { border-collapse: collapse; margin: 1.2rem 0; width: 100% }
th, td { border-bottom: 1px solid #dde3ea; padding: .3rem .6rem; text-align: left; overflow-wrap: anywhere }
th { background: #e7eef7 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
</style>
<h1>{{.Title}}</h1>
{{range .Tables}}<table>
{{if .Head}}<tr>{{range .Head}}<th>{{.Text}}</th>{{end}}</tr>
{{end}}{{range .Rows}}<tr>{{range .}}<td{{if .Number}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
{{end}}</html>
`))

type pageCell struct {
	Text   string
	Number bool
}

type pageTable struct {
	Head []pageCell
	Rows [][]pageCell
}

// page writes report.html: one page that needs nothing else, with the figures of
// the workbook's overview.
func (w *Writer) page(r *engine.Result, end Outcome) error {
	data := struct {
		Lang, Title string
		Tables      []pageTable
	}{Lang: w.opts.Lang.pick("zh-CN", "en")}
	table := pageTable{}
	add := func() {
		if len(table.Rows) > 0 {
			data.Tables = append(data.Tables, table)
		}
	}
	for _, line := range overviewOf(r, &w.opts, end) {
		cells := make([]pageCell, len(line.cells))
		for i, cell := range line.cells {
			cells[i] = pageCellOf(cell)
		}
		switch {
		case line.style == titleLine:
			data.Title = strings.TrimSpace(cells[0].Text + " " + r.Date)
		case line.style == headLine:
			add()
			table = pageTable{Head: cells}
		case len(cells) > 0:
			table.Rows = append(table.Rows, cells)
		}
	}
	add()
	return w.writeFile(pageName, func(out io.Writer) error { return pageTemplate.Execute(out, data) })
}

func pageCellOf(cell any) pageCell {
	switch v := cell.(type) {
	case int64:
		return pageCell{itoa(v), true}
	case amountCell:
		return pageCell{v.text(), true}
	case string:
		return pageCell{v, false}
	}
	return pageCell{}
}
