package loaders

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A movementSum counts movements of one direction.
type movementSum struct {
	count int64
	sum   rules.Sum
}

func (m *movementSum) add(v int64) {
	m.count++
	m.sum.AddInt(v)
}

func (m *movementSum) merge(o movementSum) {
	m.count += o.count
	m.sum.AddSum(o.sum)
}

func (m movementSum) plus(o movementSum) movementSum {
	m.merge(o)
	return m
}

// accountTotals are what one parser found in an account bill. Totals are taken
// over all rows whose amounts can be read, rejected ones included.
type accountTotals struct {
	none   int64 // movements of 0.00
	income movementSum
	out    [2]movementSum // magnitudes of 支出 written positive, negative
	// Rows with both sides filled are rejected; a footer may count them all the
	// same.
	both    movementSum // income
	bothOut [2]movementSum

	// What was found in the rows that were accepted.
	accept      int64
	reversals   int64 // negative incomes
	outs        [2]int64
	first       int64
	latest      int64
	outside     int64
	outsideLine int32
	outsideTime int64
	balances    balanceRuns
}

func (t *accountTotals) reset() { *t = accountTotals{first: schema.Null, latest: schema.Null} }

// signOf is the place of an amount's sign in a pair.
func signOf(v int64) int {
	if v < 0 {
		return 1
	}
	return 0
}

// add counts a row, accepted or not.
func (t *accountTotals) add(r *accountRow) {
	income, expense := orZero(r.income), orZero(r.expense)
	switch {
	case r.unread:
	case r.both:
		t.both.add(income)
		t.bothOut[signOf(expense)].add(magnitude(expense))
	case income != 0:
		t.income.add(income)
	case expense != 0:
		t.out[signOf(expense)].add(magnitude(expense))
	default:
		t.none++
	}
}

// accepted takes down what an accepted row says of signs, times and balances.
func (t *accountTotals) accepted(r *accountRow, line int32, pre *preamble) {
	t.accept++
	income, expense := orZero(r.income), orZero(r.expense)
	if income < 0 {
		t.reversals++
	}
	if expense != 0 {
		t.outs[signOf(expense)]++
	}
	if t.first == schema.Null || r.time < t.first {
		t.first = r.time
	}
	t.latest = max(t.latest, r.time)
	if pre.from != schema.Null && r.time < pre.from || pre.to != schema.Null && r.time >= pre.to {
		if t.outside++; t.outside == 1 || line < t.outsideLine {
			t.outsideLine, t.outsideTime = line, r.time
		}
	}
	t.balances.add(line, r.balance, income, expense)
}

// merge adds the totals of another parser or of another part of the same bill.
func (t *accountTotals) merge(o *accountTotals) {
	t.none += o.none
	t.income.merge(o.income)
	t.both.merge(o.both)
	for sign := range t.out {
		t.out[sign].merge(o.out[sign])
		t.bothOut[sign].merge(o.bothOut[sign])
		t.outs[sign] += o.outs[sign]
	}
	t.accept += o.accept
	t.reversals += o.reversals
	if o.first != schema.Null && (t.first == schema.Null || o.first < t.first) {
		t.first = o.first
	}
	t.latest = max(t.latest, o.latest)
	if o.outside > 0 && (t.outside == 0 || o.outsideLine < t.outsideLine) {
		t.outsideLine, t.outsideTime = o.outsideLine, o.outsideTime
	}
	t.outside += o.outside
	t.balances.merge(&o.balances)
}

// expense is the sum of 支出 by magnitude.
func (t *accountTotals) expense() movementSum { return t.out[0].plus(t.out[1]) }

// signedExpense is the sum of 支出 as written, which a footer means where one file
// has both signs and some rows are reversals.
func (t *accountTotals) signedExpense() movementSum {
	return movementSum{t.out[0].count + t.out[1].count, t.out[0].sum.Sub(t.out[1].sum)}
}

// mixed: the file writes 支出 with both signs.
func (t *accountTotals) mixed() bool { return t.out[0].count > 0 && t.out[1].count > 0 }

// expenseSign decides what the signs of 支出 mean (formats 1.4): where they are
// mixed and the signed sum is the footer's, the fewer are reversals; else all are
// magnitudes.
func (t *accountTotals) expenseSign(footer *movementSum) schema.ExpenseSign {
	if !t.mixed() || footer == nil || t.signedExpense().sum.Abs() != footer.sum.Abs() {
		return 0
	}
	negative := t.out[1].count > t.out[0].count
	if t.out[1].count == t.out[0].count {
		negative = footer.sum.Sign() < 0
	}
	if negative {
		return schema.OutNegative
	}
	return schema.OutPositive
}

// signConflicts counts the accepted rows whose sign is not the file's.
func (t *accountTotals) signConflicts() int64 { return t.reversals + min(t.outs[0], t.outs[1]) }

// accountFooters are what the lines below the list state; nil for what they do
// not.
type accountFooters struct{ income, expense *movementSum }

// readFooters reads 收入合计 and 支出合计:
//
//	#支出合计：2笔，共-12.07元
func readAccountFooters(notes []billNote) (f accountFooters) {
	for _, n := range notes {
		count, sum := footerCount.FindStringSubmatch(n.text), footerSum.FindStringSubmatch(n.text)
		if count == nil || sum == nil {
			continue
		}
		amount, err := rules.ParseFen([]byte(sum[2]))
		number, countErr := rules.ParseFen([]byte(strings.ReplaceAll(count[1], ",", "")))
		if err != nil || countErr != nil {
			continue
		}
		stated := &movementSum{count: int64(number) / 100, sum: sumOf(amount)}
		switch {
		case strings.Contains(n.text, "收入合计"):
			f.income = stated
		case strings.Contains(n.text, "支出合计"):
			f.expense = stated
		}
	}
	return f
}

// finish completes an account bill after its last row. Its control totals wait
// for the other parts of the same bill (settleAccounts).
func (b *accountTable) finish(t *tableReader) error {
	b.totals.reset()
	for _, p := range b.parsers {
		b.totals.merge(&p.totals)
		schema.Reset(p.out)
		accountsPool.Put(p.out)
	}
	b.parsers = nil
	totals := &b.totals
	t.table.FirstTime, t.table.LastTime = totals.first, totals.latest
	t.repair("sign_conflict", totals.signConflicts())
	if totals.outside > 0 {
		name := b.name(accTime)
		t.problem(schema.Problem{
			Code: "outside_period", Line: int(totals.outsideLine), Column: name, Value: clockText(totals.outsideTime),
			Message: say(t.opt.Lang, fmt.Sprintf("%d 行的%s不在账单周期内，已读入", totals.outside, name),
				fmt.Sprintf("%d rows are outside the bill's period; they are loaded", totals.outside)),
		})
	}
	slices.SortFunc(b.notes, func(x, y billNote) int { return cmp.Compare(x.line, y.line) })
	ended := false
	for _, n := range b.notes {
		if account := accountIn(n.text); account != "" && b.pre.account != "" && account != b.pre.account {
			return &FileError{
				Code: "account_conflict", Pos: schema.Pos{File: t.table.File(), Line: int(n.line)}, Lang: t.opt.Lang,
				Detail: b.pre.account + ", " + account,
			}
		}
		ended = ended || isListEnd(n.text)
	}
	if b.pre.listLine > 0 && !ended {
		return &FileError{
			Code: "truncated", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang,
			Advice: say(t.opt.Lang, "请重新下载该账单", "download the bill again"),
		}
	}
	b.footers = readAccountFooters(b.notes)
	return nil
}

// settleAccounts checks the control totals of every account bill, once all are
// read: several details of one account and of adjoining periods in one archive
// are one bill, whose footers may stand in each or in one of them.
func (r *run) settleAccounts() {
	for _, group := range r.accountGroups() {
		var all accountTotals
		all.reset()
		for _, t := range group {
			all.merge(&t.movements.totals)
		}
		var whole *accountFooters // of the part that states the totals of all
		for _, t := range group {
			if f := &t.movements.footers; len(group) > 1 && f.stated() && f.fits(&all) {
				whole = f
			}
		}
		for _, t := range group {
			t.movements.settle(t.tableReader, &all, whole)
		}
	}
}

// accountGroups are the account bills of the run, the parts of one bill together.
func (r *run) accountGroups() [][]*tableRun {
	var details []*tableRun
	for _, t := range r.tables {
		if !t.table.Refused && (t.known == accountBill || t.known == fundFlow) {
			details = append(details, t)
		}
	}
	slices.SortStableFunc(details, func(a, b *tableRun) int {
		return cmp.Or(cmp.Compare(a.table.Path, b.table.Path), cmp.Compare(a.table.Account, b.table.Account), cmp.Compare(a.table.From, b.table.From))
	})
	var groups [][]*tableRun
	for _, t := range details {
		if n := len(groups); n > 0 {
			last := groups[n-1][len(groups[n-1])-1]
			if last.file == t.file && t.member.kind == zipFile && last.table.Account == t.table.Account &&
				t.table.From != schema.Null && last.table.To == t.table.From {
				groups[n-1] = append(groups[n-1], t)
				continue
			}
		}
		groups = append(groups, []*tableRun{t})
	}
	return groups
}

// settle decides the signs and checks the footers of one part of a bill. all are
// the totals of the whole bill, and whole its footers, if one part states them.
func (b *accountTable) settle(t *tableReader, all *accountTotals, whole *accountFooters) {
	found := &b.totals
	t.table.ExpenseSign = found.expenseSign(b.footers.expense)
	apart := b.footers.stated() && (whole == nil || b.footers.fits(found))
	if !apart && whole != nil {
		found = all
		t.table.ExpenseSign = all.expenseSign(whole.expense)
	}
	b.noteGaps(t)
	switch {
	case b.footers.stated():
		for _, c := range b.footers.controls(found) {
			t.control(c)
		}
	case whole == nil:
		t.control(schema.Control{Name: "income.count", Found: itoa(found.income.count)})
		t.control(schema.Control{Name: "income.amount", Found: found.income.sum.String2()})
		t.control(schema.Control{Name: "expense.count", Found: itoa(found.expense().count)})
		t.control(schema.Control{Name: "expense.amount", Found: found.expense().sum.String2()})
		t.notStated()
	}
}

func (f *accountFooters) stated() bool { return f.income != nil && f.expense != nil }

// fits tells whether all that the footers state is found.
func (f *accountFooters) fits(found *accountTotals) bool {
	return !slices.ContainsFunc(f.controls(found), func(c schema.Control) bool { return !*c.Holds })
}

// controls compare the footers with what was found. Rows with both sides filled
// are no movements, but count where the footers count them; a movement of 0.00
// may be counted on either side.
func (f *accountFooters) controls(found *accountTotals) []schema.Control {
	income, expense := found.income, found.expense()
	if f.expense.sum.Abs() != expense.sum && found.mixed() {
		if signed := found.signedExpense(); signed.sum.Abs() == f.expense.sum.Abs() {
			expense = signed
		}
	}
	rows := income.count + expense.count
	if both := income.plus(found.both); found.both.count > 0 && income != *f.income && both == *f.income {
		outs := found.bothOut[0].plus(found.bothOut[1])
		income, expense = both, expense.plus(outs)
		rows = income.count + expense.count
	}
	// The movements of 0.00 stand wherever the footers count them.
	stated := f.income.count + f.expense.count
	if spare := stated - rows; spare > 0 && spare <= found.none {
		atIncome := min(max(f.income.count-income.count, 0), spare)
		income.count += atIncome
		expense.count += spare - atIncome
		rows += spare
	}
	return []schema.Control{
		countControl("income.count", itoa(f.income.count), income.count),
		movementControl("income.amount", f.income.sum, income.sum),
		countControl("expense.count", itoa(f.expense.count), expense.count),
		movementControl("expense.amount", f.expense.sum.Abs(), expense.sum.Abs()),
		countControl("rows.count", itoa(stated), rows),
	}
}

func movementControl(name string, stated, found rules.Sum) schema.Control {
	v, ok := stated.Int64()
	if !ok { // not stated by a footer, whose amounts are in the range
		v = 0
	}
	return amountControl(name, rules.Fen(v), found)
}

// noteGaps says, for information, where the running balance is not that of the
// row before it and the movement: the balance is never a check.
func (b *accountTable) noteGaps(t *tableReader) {
	gaps, line, value := b.totals.balances.gaps(t.table.ExpenseSign)
	if gaps == 0 {
		return
	}
	t.problem(schema.Problem{
		Code: "balance_gap", Line: int(line), Column: b.name(accBalance), Value: rules.Fen(value).String(),
		Message: say(t.opt.Lang, fmt.Sprintf("账户余额有 %d 处与上一行及本行收支不连续，仅供参考", gaps),
			fmt.Sprintf("the running balance does not follow from the row before it in %d places; for information only", gaps)),
	})
}
