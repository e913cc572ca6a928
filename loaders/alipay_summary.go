package loaders

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The quantities of a trade summary (formats 2.6): counts, then amounts that are
// net of refunds.
var summaryColumns = []struct {
	name    string
	control string
	column  billColumn
}{
	{"交易订单总笔数", "payments.count", billColumnCount},
	{"退款订单总笔数", "refunds.count", billColumnCount},
	{"订单金额", "order_amount", colAmount},
	{"商家实收", "received", colReceived},
	{"支付宝优惠", "platform_discount", colPlatform},
	{"商家优惠", "merchant_discount", colMerchantDiscount},
	{"卡消费金额", "card", colCard},
	{"服务费", "fee", colFee},
	{"分润", "royalty", colRoyalty},
	{"实收净额", "net", colNet},
}

const (
	summaryCounts = 2
	summaryWidth  = 10
)

// A summaryRow is one store of a summary, the rest (其他) or the total (合计).
type summaryRow struct {
	line   int32
	store  string
	values [summaryWidth]int64 // Null if not given
}

// summaryRows are the rows of a summary, gathered by all parsers.
type summaryRows struct {
	mu    sync.Mutex
	at    [summaryWidth]int
	store int
	rows  []summaryRow
	total *summaryRow
	ended bool
}

const (
	totalWord = "合计"
	otherWord = "其他"
)

// openTradeSummary reads the header of a trade summary, which is a control only.
func openTradeSummary(t *tableReader, header []string) (func() rowParser, error) {
	names, err := openHeader(t, "trade_summary", header)
	if err != nil {
		return nil, err
	}
	s := &t.bill.summary
	t.bill.header = header
	s.store = slices.Index(names, "门店编号")
	for k, column := range summaryColumns {
		s.at[k] = slices.Index(names, column.name)
	}
	t.finish = func(context.Context) error { return s.finish(t) }
	return func() rowParser { return &summaryParser{t: t, s: s} }, nil
}

// A summaryParser reads the rows of a trade summary.
type summaryParser struct {
	t      *tableReader
	s      *summaryRows
	skips  int64
	padded int64
}

func (p *summaryParser) rows() int { return 0 }

func (p *summaryParser) flush(ctx context.Context) error {
	p.t.skip(p.skips)
	p.t.repair("excel_padding", p.padded)
	p.skips, p.padded = 0, 0
	return ctx.Err()
}

func (p *summaryParser) row(line int32, cells [][]byte, raw []byte) {
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
	row := summaryRow{line: line, store: p.t.text(trimCell(cells[p.s.store]))}
	for k, at := range p.s.at {
		row.values[k] = schema.Null
		if at < 0 {
			continue
		}
		v, err := rules.ParseFen(cells[at])
		if code := rules.CodeOf(err); code == rules.CodeMissingValue {
			continue
		} else if code != 0 {
			rej.Code, rej.Column, rej.Value = code, trimHeader(p.t.bill.header[at]), p.t.text(trimBlanks(cells[at]))
			rej.Raw = p.t.text(shortRaw(raw))
			p.t.reject(rej)
			return
		}
		row.values[k] = int64(v)
		if k < summaryCounts {
			row.values[k] /= 100
		}
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if row.store == totalWord {
		p.skips++
		p.s.total = &row
		return
	}
	p.s.rows = append(p.s.rows, row)
}

// finish checks that the stores add up to the total.
func (s *summaryRows) finish(t *tableReader) error {
	if t.bill.pre.listLine > 0 && !s.ended {
		return &FileError{Code: "truncated", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang}
	}
	slices.SortFunc(s.rows, func(a, b summaryRow) int { return cmp.Compare(a.line, b.line) })
	if s.total == nil {
		t.notStated()
		return nil
	}
	for k, column := range summaryColumns {
		if s.total.values[k] == schema.Null {
			continue
		}
		var sum rules.Sum
		for i := range s.rows {
			sum.AddInt(orZero(s.rows[i].values[k]))
		}
		t.control(summaryControl("total."+column.control, k, s.total.values[k], sum))
	}
	return nil
}

func summaryControl(name string, k int, stated int64, found rules.Sum) schema.Control {
	if k < summaryCounts {
		n, _ := found.Int64()
		return countControl(name, itoa(stated), n)
	}
	return amountControl(name, rules.Fen(stated), found)
}

// compareSummaries compares every summary with the detail of the same account and
// period: the one in its archive, else the first of the run.
func (r *run) compareSummaries() {
	for _, t := range r.tables {
		if t.table.Refused || t.known != tradeSummary {
			continue
		}
		detail := r.detailOf(t)
		if detail == nil {
			t.problem(schema.Problem{
				Code: "detail_absent",
				Message: say(r.opt.Lang, "没有同一账号、同一周期的业务明细，汇总只作登记",
					"no detail of the same account and period: the summary is listed only"),
			})
			continue
		}
		r.compareSummary(t, detail)
	}
}

func (r *run) detailOf(s *tableRun) (detail *tableRun) {
	for _, t := range r.tables {
		if t.table.Refused || t.known != tradeBill || t.table.Account != s.table.Account ||
			t.table.From != s.table.From || t.table.To != s.table.To {
			continue
		}
		if t.file == s.file {
			return t
		}
		if detail == nil {
			detail = t
		}
	}
	return detail
}

// compareSummary compares the total and each store with the detail's rows. Of the
// stores only those that differ are listed, beside how many agree.
func (r *run) compareSummary(t, detail *tableRun) {
	s, totals := &t.bill.summary, &detail.bill.totals
	stores := map[string]*storeTotals{}
	texts := r.opt.Words.Texts()
	for code, store := range totals.stores {
		name := texts[code]
		if name == "" {
			name = otherWord
		}
		if stores[name] == nil {
			stores[name] = new(storeTotals)
		}
		stores[name].merge(store)
	}
	if s.total != nil {
		for _, c := range compareRow("detail.", s.total, &totals.storeTotals, detail.bill) {
			t.control(c)
		}
	}
	agree := 0
	for i := range s.rows {
		row := &s.rows[i]
		store := stores[row.store]
		if store == nil {
			store = new(storeTotals)
		}
		delete(stores, row.store)
		controls := compareRow("store."+row.store+".", row, store, detail.bill)
		controls = slices.DeleteFunc(controls, func(c schema.Control) bool { return *c.Holds })
		if len(controls) == 0 {
			agree++
		}
		for _, c := range controls {
			t.control(c)
		}
	}
	// The stores that the summary lacks differ, unless it states none at all.
	stated := itoa(int64(len(s.rows)))
	holds := agree == len(s.rows) && len(stores) == 0
	t.control(schema.Control{Name: "stores.count", Stated: &stated, Found: itoa(int64(agree + len(stores))), Holds: &holds})
}

// compareRow gives the controls of one row of a summary.
func compareRow(prefix string, row *summaryRow, found *storeTotals, b *billTable) []schema.Control {
	var controls []schema.Control
	pay, refund := &found[schema.Payment], &found[schema.Refund]
	for k, column := range summaryColumns {
		stated := row.values[k]
		if stated == schema.Null || column.column < billColumnCount && b.at[column.column] < 0 {
			continue
		}
		var sum rules.Sum
		switch {
		case k == 0:
			sum.AddInt(pay.count)
		case k == 1:
			sum.AddInt(refund.count)
		case column.column == colRoyalty || column.column == colNet: // as written on both
			sum = pay.sum(column.column)
			sum.AddSum(refund.sum(column.column))
		case column.column == colFee:
			sum = pay.sum(colFee).Abs().Sub(refund.sum(colFee).Abs()).Abs()
			stated = magnitude(stated)
		default:
			sum = pay.sum(column.column).Sub(refund.sum(column.column))
		}
		controls = append(controls, summaryControl(prefix+column.control, k, stated, sum))
	}
	return controls
}

// checkArchives looks at the tables of each archive together, before any row is
// read: a member that is no table is listed and refuses nothing, as long as another
// is one; a detail and a summary of two accounts refuse each other.
func (r *run) checkArchives() {
	summaries := false
	archives := map[*inputFile][]*tableRun{}
	for _, t := range r.tables {
		if t.member.kind == zipFile || t.member.kind == xlsxFile {
			archives[t.file] = append(archives[t.file], t)
		}
		summaries = summaries || t.known == tradeSummary
	}
	for _, f := range r.files {
		checkStrangers(archives[f])
		checkAccounts(archives[f], tradeBill, tradeSummary)
		checkAccounts(archives[f], accountBill, accountSummary)
	}
	for _, t := range r.tables {
		if t.bill != nil {
			t.bill.stores = summaries
		}
	}
}

func checkStrangers(members []*tableRun) {
	known := slices.ContainsFunc(members, func(t *tableRun) bool { return t.known != nil })
	for _, t := range members {
		if t.stranger && known {
			t.table.Refused = false
		}
	}
}

// checkAccounts refuses the one detail and the one summary of an archive where
// they are of two accounts.
func checkAccounts(members []*tableRun, detail, summary *format) {
	var details, sums []*tableRun
	for _, t := range members {
		switch {
		case t.table.Refused:
		case t.known == detail:
			details = append(details, t)
		case t.known == summary:
			sums = append(sums, t)
		}
	}
	if len(details) != 1 || len(sums) != 1 {
		return
	}
	a, b := details[0].bill.pre.account, sums[0].bill.pre.account
	if a == "" || b == "" || a == b {
		return
	}
	for _, t := range []*tableRun{details[0], sums[0]} {
		t.fail(&FileError{
			Code: "account_conflict", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang,
			Detail: say(t.opt.Lang, "明细 "+a+"，汇总 "+b, "detail "+a+", summary "+b),
		})
	}
}
