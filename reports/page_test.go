package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// hostile is what somebody might type into a till to have his text obeyed.
const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&`

// aPage writes the outputs of a result and gives the page and the summary.
func aPage(t *testing.T, change func(d *day, r *engine.Result, o *Options)) (path, text string, summary map[string]any) {
	t.Helper()
	d := newDay(1, 1, 2)
	o := d.options(t.TempDir())
	o.Formats = Formats{CSV: true, JSON: true, HTML: true}
	r := d.result()
	if change != nil {
		change(d, r, &o)
	}
	w := NewWriter(o)
	defer w.Close()
	if err := w.Begin(1); err != nil {
		t.Fatal(err)
	}
	if err := w.Part(t.Context(), d.parts[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(t.Context(), r, Outcome{ExitCode: 1}); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(o.Dir, pageName)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(o.Dir, SummaryName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatal(err)
	}
	return path, string(page), summary
}

// A node finds its descendants.
type node struct{ *html.Node }

func parsePage(t *testing.T, text string) node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return node{doc}
}

func (n node) attr(name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (n node) all(match func(node) bool) []node {
	var found []node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(node{d}) {
			found = append(found, node{d})
		}
	}
	return found
}

func (n node) tags(name string) []node { return n.all(func(d node) bool { return d.Data == name }) }

func (n node) id(id string) node {
	for _, d := range n.all(func(d node) bool { return d.attr("id") == id }) {
		return d
	}
	return node{&html.Node{}}
}

func (n node) text() string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// row are the cells' texts of the row whose attribute has the value.
func (n node) row(attr, value string) []string {
	rows := n.all(func(d node) bool { return d.Data == "tr" && d.attr(attr) == value })
	if len(rows) == 0 {
		return nil
	}
	var cells []string
	for _, td := range rows[0].tags("td") {
		cells = append(cells, td.text())
	}
	return cells
}

func member1(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func apart(v any) string { return thousandsApart(fmt.Sprint(v)) }

// The figures of the page are those of summary.json.
func TestPageFigures(t *testing.T) {
	_, text, summary := aPage(t, func(_ *day, r *engine.Result, _ *Options) {
		r.Trades[rules.StatusBillOnly] = engine.Tally{BillCount: 1, BillAmount: fenSum(123_456_789)}
	})
	doc := parsePage(t, text)
	wrong := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: the page has %v, the summary %v", what, got, want)
		}
	}
	kinds := doc.id("table-kinds")
	breaks := member1(summary, "breaks").(map[string]any)
	if n := len(kinds.tags("tr")) - 1; n != len(breaks) || n < 50 {
		t.Errorf("%d kinds of break on the page, %d in the summary", n, len(breaks))
	}
	for code, b := range breaks {
		row := kinds.row("data-code", code)
		if len(row) != 5 {
			t.Fatalf("no row of %s", code)
		}
		wrong(code, row[2]+" "+row[3], apart(member1(b, "count"))+" "+apart(member1(b, "amount")))
	}
	for side, i := range map[string]int{"trades": 0, "refunds": 1} {
		for status, v := range member1(summary, side).(map[string]any) {
			if member1(v, "pos_count").(float64)+member1(v, "bill_count").(float64) == 0 {
				continue
			}
			row := node{doc.id("statuses").tags("table")[i].Node}.row("data-status", status)
			wrong(side+" "+status, strings.Join(row[1:], " "), strings.Join([]string{
				apart(member1(v, "pos_count")), apart(member1(v, "pos_amount")), apart(member1(v, "bill_count")), apart(member1(v, "bill_amount")),
			}, " "))
		}
	}
	for cause, v := range member1(summary, "rebates", "causes").(map[string]any) {
		row := doc.id("rebates").row("data-cause", cause)
		wrong(cause, strings.Join(row[2:], " "), strings.Join([]string{
			apart(member1(v, "count")), apart(member1(v, "expected")), apart(member1(v, "stated")), apart(member1(v, "loss")),
		}, " "))
	}
	for _, v := range member1(summary, "invariants").([]any) {
		row := doc.id("checks").row("data-check", fmt.Sprint(member1(v, "name")))
		wrong("invariant", strings.Join([]string{row[0], row[2], row[3]}, " "), fmt.Sprint("✔ ", member1(v, "left"), " ", member1(v, "right")))
	}
	card := func(id string) []string {
		c := doc.id("card-" + id)
		return []string{c.tags("p")[0].text(), c.tags("p")[1].text()}
	}
	wrong("breaks", card("breaks")[0], member1(summary, "limits", "breaks", "found"))
	wrong("amount of the breaks", card("breaks")[1], "涉及 "+apart(member1(summary, "limits", "break_amount", "found")))
	if got := card("share-count")[0]; got != "80 %" { // 4 of 5
		t.Errorf("matched by count = %s", got)
	}
	causes := member1(summary, "attributions").([]any)
	articles := doc.id("causes").tags("article")
	if len(articles) != len(causes) {
		t.Fatalf("%d causes on the page, %d in the summary", len(articles), len(causes))
	}
	if got := doc.id("data").text(); !strings.Contains(got, `"kinds":[`) {
		t.Errorf("data of the charts: %.80s", got)
	}
}

// Nothing in the page is asked of anybody, nothing that was typed is obeyed, and
// privacy holds.
func TestPageIsSealed(t *testing.T) {
	_, text, _ := aPage(t, func(d *day, r *engine.Result, o *Options) {
		for i := range r.Breaks {
			r.Breaks[i].Store, r.Breaks[i].Terminal, r.Breaks[i].OutTradeNo = hostile, hostile, hostile+r.Breaks[i].OutTradeNo
			r.Breaks[i].Suggestion, r.Breaks[i].Reason = hostile, hostile
		}
		r.Losses.Store = []engine.LossGroup{{Key: hostile, Loss: fenSum(10000), Lost: fenSum(10000), Since: schema.Null}, {Key: "13812340000", Loss: fenSum(10000), Lost: fenSum(10000), Since: schema.Null}}
		r.Attributions[0].Segment = []engine.Facet{{Dimension: engine.DimensionStore, Value: hostile}}
		r.Tables[0].Member, o.Job.Name, r.Date = hostile, hostile, hostile
		r.Invariants[0].Left = hostile
		r.Parts = append(r.Parts, engine.PartState{Name: hostile, Why: hostile})
	})
	doc := parsePage(t, text)
	if n := len(doc.tags("script")); n != 3 {
		t.Errorf("%d scripts, want the data and two", n)
	}
	for _, tag := range []string{"img", "link", "iframe", "object", "embed", "base"} {
		if n := len(doc.tags(tag)); n != 0 {
			t.Errorf("%d elements %s", n, tag)
		}
	}
	for _, n := range doc.all(func(node) bool { return true }) {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(doc.id("data").text()), &data); err != nil {
		t.Errorf("data of the charts: %v", err)
	}
	policy := ""
	for _, meta := range doc.tags("meta") {
		if meta.attr("http-equiv") == "Content-Security-Policy" {
			policy = meta.attr("content")
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe-inline' 'sha") {
		t.Errorf("policy %q", policy)
	}
	if strings.Contains(text, "13812340000") {
		t.Error("a mobile is not masked")
	}
}

// However many breaks there are, the page stays small, and says how many it shows
// and where the others are.
func TestPageOfManyBreaks(t *testing.T) {
	const many = 3000
	_, text, _ := aPage(t, func(d *day, r *engine.Result, _ *Options) {
		r.Breaks = nil
		for i := range many {
			r.Breaks = append(r.Breaks, engine.Break{
				Code: rules.BreakBillOnly, Severity: rules.SeverityError, Side: rules.SideBill, OutTradeNo: fmt.Sprintf("POS%d", i),
				Store: strings.Repeat("店", 500), Amount: int64(i), Expected: schema.Null, Found: schema.Null, Time: schema.Null, Table: 0, Line: int32(i),
			})
		}
		for range 3000 {
			r.Tables = append(r.Tables, &schema.Table{Path: strings.Repeat("p", 3000), From: schema.Null, To: schema.Null})
			r.Losses.Store = append(r.Losses.Store, engine.LossGroup{Key: strings.Repeat("店", 3000), Loss: fenSum(1), Lost: fenSum(1), Since: schema.Null})
		}
		d.tables = r.Tables
	})
	if len(text) > 5<<20 {
		t.Errorf("the page has %d bytes", len(text))
	}
	doc := parsePage(t, text)
	rows := doc.id("table-breaks").tags("tr")
	if len(rows) != pageBreaks+1 {
		t.Errorf("%d breaks are shown", len(rows)-1)
	}
	if got := rows[1].tags("td")[1].text(); got != "29.99" {
		t.Errorf("the largest break is %s", got)
	}
	if got, want := doc.id("list-note").text(), "这里是 1000 条，共 3000 条：先错误、警告，再提示，各按金额从大到小。 全部在 breaks.csv。"; got != want {
		t.Errorf("note %q, want %q", got, want)
	}
}

// A run that found nothing says so in words.
func TestPageOfNothing(t *testing.T) {
	_, text, _ := aPage(t, func(_ *day, r *engine.Result, _ *Options) {
		r.Breaks, r.Attributions, r.Rejects = nil, nil, nil
	})
	doc := parsePage(t, text)
	for id, want := range map[string]string{"do": "✔ 无差异，无需处理。", "kinds": "✔ 无差异"} {
		if got := doc.id(id).text(); !strings.Contains(got, want) {
			t.Errorf("%s says %q, want %q", id, got, want)
		}
	}
}
