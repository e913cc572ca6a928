package loaders

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The quantities of an account summary (formats 3), in the order of
// accountSummaryRow.
var accountSummaryColumns = [...]struct{ name, control string }{
	{"收入笔数", "income.count"},
	{"收入金额", "income.amount"},
	{"支出笔数", "expense.count"},
	{"支出金额", "expense.amount"},
	{"总金额", "movements"},
}

const (
	sumIncomeCount = iota
	sumIncome
	sumExpenseCount
	sumExpense
	sumTotal
	accountSummaryWidth
)

// An accountSummaryRow is one type of an account summary, or the total (合计).
type accountSummaryRow struct {
	line   int32
	values [accountSummaryWidth]int64 // counts and fen; Null if not given
}

// accountSummaryRows are the rows of an account summary, gathered by all parsers.
type accountSummaryRows struct {
	mu     sync.Mutex
	header []string
	kind   int
	at     [accountSummaryWidth]int
	rows   []accountSummaryRow
	total  *accountSummaryRow
	ended  bool
}

// openAccountSummary reads the header of an account summary, which is a control
// only.
func openAccountSummary(t *tableReader, header []string) (func() rowParser, error) {
	names, err := openHeader(t, "account_summary", header)
	if err != nil {
		return nil, err
	}
	s := &accountSummaryRows{header: header, kind: slices.Index(names, "类型")}
	t.account = s
	for k, column := range accountSummaryColumns {
		s.at[k] = slices.Index(names, column.name)
	}
	t.finish = func(context.Context) error { return s.finish(t) }
	return func() rowParser { return &accountSummaryParser{t: t, s: s} }, nil
}

// An accountSummaryParser reads the rows of an account summary.
type accountSummaryParser struct {
	t      *tableReader
	s      *accountSummaryRows
	skips  int64
	padded int64
}

func (p *accountSummaryParser) rows() int { return 0 }

func (p *accountSummaryParser) flush(ctx context.Context) error {
	p.t.skip(p.skips)
	p.t.repair("excel_padding", p.padded)
	p.skips, p.padded = 0, 0
	return ctx.Err()
}

func (p *accountSummaryParser) row(line int32, cells [][]byte, raw []byte) {
	if p.t.comment(cells[0]) {
		p.skips++
		text, padded := unpad(p.t.text(raw))
		if padded {
			p.padded++
		}
		p.s.mu.Lock()
		p.s.ended = p.s.ended || isListEnd(text)
		p.s.mu.Unlock()
		return
	}
	rej := schema.Reject{Line: line, Amount: schema.Null}
	if len(cells) < p.t.columns || len(cells) > p.t.columns && !allBlank(cells[p.t.columns:]) {
		rej.Code, rej.Raw = rules.CodeColumnCount, p.t.text(shortRaw(raw))
		p.t.reject(rej)
		return
	}
	row := accountSummaryRow{line: line}
	for k, at := range p.s.at {
		row.values[k] = schema.Null
		if at < 0 {
			continue
		}
		v, err := rules.ParseFen(cells[at])
		if code := rules.CodeOf(err); code == rules.CodeMissingValue {
			continue
		} else if code != 0 {
			rej.Code, rej.Column, rej.Value = code, trimHeader(p.s.header[at]), p.t.text(trimBlanks(cells[at]))
			rej.Raw = p.t.text(shortRaw(raw))
			p.t.reject(rej)
			return
		}
		row.values[k] = int64(v)
		if k == sumIncomeCount || k == sumExpenseCount {
			row.values[k] /= 100
		}
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.t.text(trimCell(cells[p.s.kind])) == totalWord {
		p.skips++
		p.s.total = &row
		return
	}
	p.s.rows = append(p.s.rows, row)
}

// finish checks that the types add up to the total.
func (s *accountSummaryRows) finish(t *tableReader) error {
	if t.bill.pre.listLine > 0 && !s.ended {
		return &FileError{Code: "truncated", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang}
	}
	slices.SortFunc(s.rows, func(a, b accountSummaryRow) int { return cmp.Compare(a.line, b.line) })
	if s.total == nil {
		t.notStated()
		return nil
	}
	for k := range accountSummaryColumns {
		if s.total.values[k] == schema.Null {
			continue
		}
		var sum rules.Sum
		for i := range s.rows {
			sum.AddInt(orZero(s.rows[i].values[k]))
		}
		t.control(s.control("total.", k, sum))
	}
	return nil
}

// control compares the total's k-th quantity.
func (s *accountSummaryRows) control(prefix string, k int, found rules.Sum) schema.Control {
	name, stated := prefix+accountSummaryColumns[k].control, s.total.values[k]
	if k == sumIncomeCount || k == sumExpenseCount {
		n, _ := found.Int64()
		return countControl(name, itoa(stated), n)
	}
	if k == sumExpense { // signs as they may be
		stated, found = magnitude(stated), found.Abs()
	}
	return amountControl(name, rules.Fen(stated), found)
}

// compareAccountSummaries compares every account summary with the detail of the
// same account and period, which may be in several parts: those of its archive,
// else the first of the run.
func (r *run) compareAccountSummaries() {
	groups := r.accountGroups()
	for _, t := range r.tables {
		if t.table.Refused || t.known != accountSummary {
			continue
		}
		detail := accountDetailOf(t, groups)
		if detail == nil {
			t.problem(schema.Problem{
				Code: "detail_absent",
				Message: say(r.opt.Lang, "没有同一账号、同一周期的账务明细，汇总只作登记",
					"no detail of the same account and period: the summary is listed only"),
			})
			continue
		}
		if t.account.total == nil {
			continue
		}
		var all accountTotals
		all.reset()
		for _, d := range detail {
			all.merge(&d.movements.totals)
		}
		expense := all.expense()
		if slices.ContainsFunc(detail, func(d *tableRun) bool { return d.table.ExpenseSign != 0 }) {
			expense = all.signedExpense()
		}
		for _, c := range t.account.compare(all.income, expense) {
			t.control(c)
		}
	}
}

func accountDetailOf(s *tableRun, groups [][]*tableRun) (detail []*tableRun) {
	for _, group := range groups {
		first, last := group[0].table, group[len(group)-1].table
		if first.Account != s.table.Account || first.From != s.table.From || last.To != s.table.To {
			continue
		}
		if group[0].file == s.file {
			return group
		}
		if detail == nil {
			detail = group
		}
	}
	return detail
}

// compare compares the total with the rows of the detail.
func (s *accountSummaryRows) compare(income, expense movementSum) []schema.Control {
	sums := [accountSummaryWidth]rules.Sum{sumIncome: income.sum, sumExpense: expense.sum}
	sums[sumIncomeCount].AddInt(income.count)
	sums[sumExpenseCount].AddInt(expense.count)
	// What 总金额 means is not known: the difference or the sum satisfies it.
	sums[sumTotal] = income.sum.Sub(expense.sum.Abs())
	turnover := income.sum
	turnover.AddSum(expense.sum.Abs())
	if stated := s.total.values[sumTotal]; stated != schema.Null && turnover == sumOf(rules.Fen(stated)) {
		sums[sumTotal] = turnover
	}
	var controls []schema.Control
	for k := range accountSummaryColumns {
		if s.total.values[k] != schema.Null {
			controls = append(controls, s.control("detail.", k, sums[k]))
		}
	}
	return controls
}
