package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"golang.org/x/text/encoding/simplifiedchinese"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// gathered is a sink that keeps what it is given.
type gathered struct {
	words *schema.Words

	mu         sync.Mutex
	orders     schema.Orders
	lines      schema.Lines
	refunds    schema.PosRefunds
	returned   schema.RefundLines
	statements schema.Statements
	rejects    []schema.Reject

	tables   []*schema.Table
	registry *schema.Registry
}

func (g *gathered) Batch(_ context.Context, b schema.Batch) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch b.Kind {
	case schema.PosOrders:
		return cmp.Or(keep(&g.orders, &schema.Orders{}, b.Rows), keep(&g.lines, &schema.Lines{}, b.Lines))
	case schema.PosRefundsKind:
		return cmp.Or(keep(&g.refunds, &schema.PosRefunds{}, b.Rows), keep(&g.returned, &schema.RefundLines{}, b.Lines))
	case schema.Rebate:
		return keep(&g.statements, &schema.Statements{}, b.Rows)
	case schema.AlipayBill, schema.AlipayAccount, schema.TaobaoOrders, schema.KukeduoOrders, schema.PosAPI,
		schema.AgreementsKind, schema.ProvidersKind, schema.MerchantsKind, schema.StoresKind, schema.GoodsKind,
		schema.CouponsKind, schema.DevicesKind, schema.DevicePoliciesKind, schema.DeviceRewardsKind:
	}
	return fmt.Errorf("a batch of %v", b.Kind)
}

func keep[R schema.Rows](to, view R, rec arrow.Record) error {
	if err := schema.View(view, rec); err != nil {
		return err
	}
	schema.AppendAll(to, view)
	return nil
}

func (g *gathered) Reject(r schema.Reject) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rejects = append(g.rejects, r)
}

// A canonicalInput is one file of a test.
type canonicalInput struct {
	kind schema.InputKind
	name string // file name; "" for one made from the kind
	data []byte
}

// load reads inputs with the given options, on one worker unless they say more.
func load(t testing.TB, opt Options, inputs ...canonicalInput) *gathered {
	t.Helper()
	dir := t.TempDir()
	var in []Input
	for i, input := range inputs {
		name := cmp.Or(input.name, fmt.Sprintf("%d_%s.csv", i, input.kind))
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, input.data, 0o600); err != nil {
			t.Fatal(err)
		}
		in = append(in, Input{Kind: input.kind, Path: path, Name: name})
	}
	g := &gathered{words: schema.NewWords()}
	opt.Words = g.words
	opt.Workers = max(opt.Workers, 1)
	result, err := Load(t.Context(), in, opt, g)
	if err != nil {
		t.Fatal(err)
	}
	g.tables, g.registry = result.Tables, result.Registry
	slices.SortFunc(g.rejects, func(a, b schema.Reject) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line))
	})
	return g
}

// loadText reads one file of a kind.
func loadText(t testing.TB, kind schema.InputKind, text string) *gathered {
	t.Helper()
	return load(t, Options{StatementPID: ownPID}, canonicalInput{kind: kind, data: []byte(text)})
}

// PIDs of the tests.
const (
	ownPID      = "2088731199938475"
	merchantOne = "2088717085982806"
	merchantTwo = "2088725146974493"
)

// word is the text of a word.
func (g *gathered) word(code uint32) string { return g.words.Texts()[code] }

// placed are the rejects, one a line: line code (column) "value".
func (g *gathered) placed() string {
	var b strings.Builder
	for _, r := range g.rejects {
		fmt.Fprintf(&b, "%d %v (%s) %q\n", r.Line, r.Code, r.Column, r.Value)
	}
	return b.String()
}

// marked takes the place marks § out of a CSV text without quoted commas. places
// are the rows and header cells of the marked cells, with the cells: what placed
// gives for them, after each code.
func marked(text string, codes ...rules.Code) (plain, places string) {
	var header []string
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, ",")
		if header == nil && !strings.HasPrefix(line, "#") {
			header = cells
		}
		for k, cell := range cells {
			value, ok := strings.CutPrefix(cell, "§")
			if !ok {
				continue
			}
			column := header[k]
			fmt.Fprintf(&b, "%d %v (%s) %q\n", i+1, codes[0], column, value)
			codes = codes[1:]
		}
	}
	return strings.ReplaceAll(text, "§", ""), b.String()
}

// repairsOf are the repairs of the first table, in order.
func (g *gathered) repairsOf() string {
	var list []string
	for _, code := range slices.Sorted(maps.Keys(g.tables[0].Repairs)) {
		list = append(list, fmt.Sprintf("%s %d", code, g.tables[0].Repairs[code]))
	}
	return strings.Join(list, ", ")
}

// counts are the rows of the first table.
func (g *gathered) counts() string {
	tab := g.tables[0]
	return fmt.Sprintf("%d rows, %d accepted, %d rejected", tab.Rows, tab.Accepted, tab.Rejected)
}

// problems are those of the first table.
func (g *gathered) problems() string {
	var list []string
	for _, p := range g.tables[0].Problems {
		list = append(list, p.Code+": "+p.Message)
	}
	return strings.Join(list, "\n")
}

func gb18030(t testing.TB, text string) []byte {
	t.Helper()
	data, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
