package reports

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"duizhang/engine"
)

// pageName is the page's file.
const pageName = "report.html"

// What the page is made of. The charting library stands in the page itself: a
// report asks nobody for anything.
var (
	//go:embed page/report.html.tmpl
	pageText string
	//go:embed page/report.css
	pageStyle string
	//go:embed page/report.js
	pageScript string
	//go:embed page/chart.min.js
	chartLibrary string
)

var pageTemplate = template.Must(template.New(pageName).Parse(pageText))

// pagePolicy forbids the page every request, and every script but its two.
var pagePolicy = "default-src 'none'; script-src " + scriptSource(chartLibrary) + " " + scriptSource(pageScript) +
	"; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

// scriptSource names a script in a policy by its digest.
func scriptSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page writes report.html: one file that tells the story of the workbook's overview
// and lets a reader look the largest breaks up.
func (w *Writer) page(r *engine.Result, end Outcome) error {
	p := newPage(r, &w.opts, end)
	return w.writeFile(pageName, func(out io.Writer) error { return pageTemplate.Execute(out, p) })
}

// The parts of the page that are not text of the run.

// Policy is the content security policy.
func (p *page) Policy() string { return pagePolicy }

// Style is the style sheet.
func (p *page) Style() template.CSS { return template.CSS(pageStyle) }

// Library is the charting library.
func (p *page) Library() template.JS { return template.JS(chartLibrary) }

// Script is the page's own script.
func (p *page) Script() template.JS { return template.JS(pageScript) }
