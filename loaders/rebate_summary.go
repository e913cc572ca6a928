package loaders

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The sheet 汇总 of a workbook of rebates (formats 6) is no statement: it says for each
// merchant number what the other sheets come to, and is a control only.

var rebateSummary = &format{name: "rebate_summary", kind: schema.Rebate, open: openRebateSummary}

const (
	summarySheet = "汇总"
	summaryDue   = "应返金额"
)

// numberNames end the heading of a merchant's number.
var numberNames = []string{"商户号", "商户PID"}

// detectRebateSummary knows such a sheet by its name and header.
func (t *tableRun) detectRebateSummary(rows [][]string) detection {
	if t.kind != 0 && t.kind != schema.Rebate || !strings.Contains(t.member.name, summarySheet) {
		return detection{}
	}
	for i, cells := range rows {
		header, padding, dropFirst := headerCells(cells)
		if number, due := rebateSummaryColumns(header); number >= 0 && due >= 0 {
			return detection{rebateSummary, int32(i + 1), header, padding, dropFirst, ','}
		}
	}
	return detection{}
}

func rebateSummaryColumns(header []string) (number, due int) {
	ends := func(names ...string) int {
		return slices.IndexFunc(header, func(cell string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(normalHeader(cell), name) })
		})
	}
	return ends(numberNames...), ends(summaryDue)
}

// A rebateTotals adds up a sheet by merchant number: the rebates of a statement, or
// what a summary states.
type rebateTotals struct {
	mu       sync.Mutex
	merchant map[string]*rebateTotal
	all      rebateTotal
	// hasBoth: the sheet also has a column of all channels together, 返佣合计.
	hasBoth bool
	total   *rebateTotal // the total row of a summary, or nil
}

// A rebateTotal is the sum of one merchant number, in millionths: of the rebates that
// are read, and of all channels together.
type rebateTotal struct{ rebate, both rules.Sum }

func (s *rebateTotals) add(number string, rebate, both int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.merchant == nil {
		s.merchant = map[string]*rebateTotal{}
	}
	m := s.merchant[number]
	if m == nil {
		m = new(rebateTotal)
		s.merchant[number] = m
	}
	for _, t := range []*rebateTotal{m, &s.all} {
		t.rebate.AddInt(rebate)
		t.both.AddInt(both)
	}
}

// openRebateSummary reads the header of a summary.
func openRebateSummary(t *tableReader, header []string) (func() rowParser, error) {
	number, due := rebateSummaryColumns(header)
	for i, cell := range header {
		if name := trimHeader(cell); i == number || i == due {
			t.table.Known = append(t.table.Known, name)
		} else if name != "" {
			t.table.Unknown = append(t.table.Unknown, name)
		}
	}
	t.rebates = &rebateTotals{}
	return func() rowParser {
		return &rebateSummaryParser{t: t, number: number, due: due, name: trimHeader(header[due])}
	}, nil
}

// A rebateSummaryParser reads the rows of a summary.
type rebateSummaryParser struct {
	t           *tableReader
	number, due int
	name        string // of the amounts' column
	skips       int64
	totals      int64
	n           int
}

func (p *rebateSummaryParser) rows() int { return p.n }

func (p *rebateSummaryParser) flush(ctx context.Context) error {
	p.t.skip(p.skips + p.totals)
	p.t.repair(totalRow, p.totals)
	p.skips, p.totals, p.n = 0, 0, 0
	return ctx.Err()
}

func (p *rebateSummaryParser) row(line int32, cells [][]byte, raw []byte) {
	p.n++
	number, _, _ := checkID(trimCell(cells[p.number]), false)
	cell := trimCell(cells[p.due])
	total := slices.ContainsFunc(cells, func(cell []byte) bool { return isTotal(p.t.text(trimCell(cell))) })
	switch {
	case len(number) == 0 && !total:
		p.skips++
		return
	case len(cell) == 0 && total:
		p.totals++
		return
	}
	due, err := rules.ParseMicro(shortDecimal(cell))
	if err != nil {
		p.t.reject(schema.Reject{
			Line: line, Code: rules.CodeOf(err), Column: p.name, Value: p.t.text(cell), Raw: p.t.text(raw), Amount: schema.Null,
		})
		return
	}
	s := p.t.rebates
	if total {
		p.totals++
		s.total = new(rebateTotal)
		s.total.rebate.AddMicro(due)
		return
	}
	s.add(string(number), int64(due), 0)
}

// isTotal: the text names a total.
func isTotal(text string) bool {
	text = strings.ReplaceAll(text, " ", "")
	return slices.ContainsFunc(totalWords, func(word string) bool { return strings.HasPrefix(text, word) }) ||
		slices.ContainsFunc(totalWords, func(word string) bool { return strings.HasSuffix(text, word) })
}

// shortDecimal rounds a number to six decimals, half up: a sum that a spreadsheet has
// computed may be 0.30000000000000004. Anything else stays as it is.
func shortDecimal(cell []byte) []byte {
	const decimals = 6
	point := bytes.IndexByte(cell, '.')
	if point < 0 || len(cell)-point-1 <= decimals || !digitsOnly(cell[point+1:]) {
		return cell
	}
	short := bytes.Clone(cell[:point+1+decimals])
	if cell[point+1+decimals] < '5' {
		return short
	}
	for i := len(short) - 1; i >= 0; i-- {
		switch c := short[i]; {
		case c == '.' || c == ',':
		case c < '0' || c > '9': // a sign or ¥
			return slices.Insert(short, i+1, '1')
		case c < '9':
			short[i]++
			return short
		default:
			short[i] = '0'
		}
	}
	return slices.Insert(short, 0, '1')
}

// compareRebateSummaries compares every summary with the statements in its workbook.
func (r *run) compareRebateSummaries() {
	for _, t := range r.tables {
		if t.table.Refused || t.known != rebateSummary {
			continue
		}
		found, any := rebateTotals{merchant: map[string]*rebateTotal{}}, false
		for _, detail := range r.tables {
			if detail.file != t.file || detail.table.Refused || detail.known == rebateSummary || detail.rebates == nil {
				continue
			}
			any = true
			found.join(detail.rebates)
		}
		if !any {
			t.problem(schema.Problem{
				Code: "detail_absent",
				Message: say(r.opt.Lang, "工作簿里没有返佣明细，汇总只作登记",
					"the workbook has no statement: the summary is listed only"),
			})
			continue
		}
		t.compareRebates(&found)
	}
}

func (s *rebateTotals) join(o *rebateTotals) {
	s.hasBoth = s.hasBoth || o.hasBoth
	s.all.join(&o.all)
	for number, total := range o.merchant {
		if s.merchant[number] == nil {
			s.merchant[number] = &rebateTotal{}
		}
		s.merchant[number].join(total)
	}
}

func (t *rebateTotal) join(o *rebateTotal) {
	t.rebate.AddSum(o.rebate)
	t.both.AddSum(o.both)
}

func (t *tableRun) compareRebates(found *rebateTotals) {
	stated := t.rebates
	for number, total := range stated.merchant {
		of := found.merchant[number]
		if of == nil {
			of = &rebateTotal{}
		}
		t.control(found.due("merchant."+number+".due", total, of))
	}
	if stated.total != nil {
		t.control(found.due("total.due", stated.total, &found.all))
	}
}

// due compares what is stated, to the fen, with the rebates that were read, or with all
// channels together: either is what a summary may mean.
func (s *rebateTotals) due(name string, stated, found *rebateTotal) schema.Control {
	due, _ := stated.rebate.MicroToFen()
	rebate, _ := found.rebate.MicroToFen()
	both, _ := found.both.MicroToFen()
	sum := rebate
	if s.hasBoth && rebate != due {
		sum = both
	}
	var total rules.Sum
	total.Add(sum)
	return amountControl(name, due, total)
}
