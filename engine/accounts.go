package engine

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A tie is one trade of the trade bill, its payment and its refunds, beside the
// rows that the account bill has of it (rules 8).
type tie struct {
	unit     int32  // or -1
	merchant uint32 // as the trade is shown
	key      int32
	owner    uint32 // whose trade bill it stands in
	account  uint32 // in whose account bill it is looked for
	bill     int32  // its payment, else its first refund; the others follow in tieScratch.next
	indirect bool   // 间连: it has no entry in an account bill
	covered  int32  // rows that the account bill covers
	late     int32  // of them, finished at the very end of the account bill
	lateNet  rules.Fen
	moves    bool // a covered row moves money
	expected rules.Fen

	rows            int32 // of the account bill
	first           int32 // of them, or -1
	rejected        int32 // the first row of it that was rejected, or -1
	income, expense int64
	status          rules.AccountStatus
}

// tieScratch is the memory of the tie-out, reused from partition to partition.
type tieScratch struct {
	ties     []tie
	ofUnit   []int32 // by unit: its tie, or -1
	next     []int32 // by bill row: the next of its tie, or -1
	ofTrade  []int32 // by trade: its tie, or -1
	byKey    members // ties by the bill's out_trade_no
	key      []int32
	account  []uint32 // by tie
	table    []int32
	line     []int32
	flowRows members // account rows by 账务流水号
	first    []int32 // by account row: of a duplicate the row that counts, else -1
	out      []accountOut
}

// An accountOut is a row of accounts on its way out: a tie, or a duplicate.
type accountOut struct {
	merchant    uint32
	key         int32
	tie         int32 // or -1
	row         int32 // of a duplicate
	table, line int32
}

// accountTotals are added up over the partitions.
type accountTotals struct {
	linked        movements // rows that trades have
	expected      rules.Sum // of all bill rows that count
	indirect      side      // trades that have no entry, and their bill rows' money
	uncovered     side      // trades that no account bill covers
	uncoveredRows rules.Sum // money of all bill rows that no account bill covers
}

func (t *accountTotals) merge(o *accountTotals) {
	t.linked.merge(&o.linked)
	t.expected.AddSum(o.expected)
	t.indirect.merge(o.indirect)
	t.uncovered.merge(o.uncovered)
	t.uncoveredRows.AddSum(o.uncoveredRows)
}

// tieAccounts compares the trade bill with the account bill, trade by trade.
func (w *worker) tieAccounts(out *schema.AccountRows) {
	if w.p.collecting {
		return
	}
	w.findDuplicateAccounts()
	w.ties.ties = w.ties.ties[:0]
	if w.p.tiesOut {
		w.makeTies()
		w.coverTies()
		w.indexTies()
	}
	w.linkAccounts()
	for i := range w.ties.ties {
		w.judgeTie(&w.ties.ties[i])
	}
	w.emitAccounts(out)
}

// spent is 支出 of an account row as money out.
func (w *worker) spent(row int32) int64 {
	a := &w.rows.Accounts
	return w.p.tables[a.Table[row]].ExpenseSign.Spent(a.Expense[row])
}

// findDuplicateAccounts marks the account rows whose 账务流水号 is taken: a day that
// is in two files, or a day and its month.
func (w *worker) findDuplicateAccounts() {
	a, s := &w.rows.Accounts, &w.ties
	s.first = fill(s.first, a.Len(), -1)
	s.flowRows.build(w.p.places, w.flows.len(), w.accountFlow, a.Table, a.Line)
	s.flowRows.byMerchant(a.Account) // accounts may number their rows alike
	for flow := range int32(w.flows.len()) {
		first := int32(-1)
		for _, row := range s.flowRows.of(flow) {
			if a.Reject[row] != 0 {
				continue
			}
			if first >= 0 && a.Account[row] == a.Account[first] {
				s.first[row] = first
				continue
			}
			first = row
		}
	}
}

// makeTies makes one tie of each payment with its refunds, and of each trade of
// which the bill has refunds alone. Duplicates and rejected rows have none, nor have
// carried ones: they were tied out on their day.
func (w *worker) makeTies() {
	s, b := &w.ties, &w.rows.Bills
	s.ofUnit = fill(s.ofUnit, len(w.units), -1)
	s.next = fill(s.next, b.Len(), -1)
	s.ofTrade = fill(s.ofTrade, w.trades.len(), -1)
	for i := range b.Len() {
		if use := &w.billUse[i]; !use.rejected && use.first < 0 && !w.p.carried(b.Table[i]) {
			w.totals.accounts.expected.Add(w.net(int32(i)))
		}
	}
	for i := range w.units {
		if u := &w.units[i]; u.bill >= 0 && w.billUse[u.bill].first < 0 && !w.p.carried(b.Table[u.bill]) {
			w.tieBill(int32(i), u.bill)
		}
	}
	for i := range w.refunds {
		if r := &w.refunds[i]; r.bill >= 0 && w.billUse[r.bill].first < 0 && !w.p.carried(b.Table[r.bill]) {
			w.tieBill(r.unit, r.bill)
		}
	}
}

// tieBill adds a bill row to the tie of its unit.
func (w *worker) tieBill(unit, row int32) {
	s, b := &w.ties, &w.rows.Bills
	at := int32(-1)
	if unit >= 0 {
		at = s.ofUnit[unit]
	}
	if at < 0 {
		at = int32(len(s.ties))
		t := tie{unit: unit, merchant: b.Merchant[row], key: w.billKey[row], bill: row, first: -1, rejected: -1}
		if unit >= 0 {
			s.ofUnit[unit] = at
			t.merchant, t.key = w.units[unit].merchant, w.units[unit].key
		}
		s.ties = append(s.ties, t)
	} else if t := &s.ties[at]; b.Kind[t.bill] == uint8(schema.Refund) && w.p.places.compare(b.Table[row], b.Line[row], b.Table[t.bill], b.Line[t.bill]) < 0 {
		s.next[row] = t.bill
		t.bill = row
	} else {
		s.next[row], s.next[t.bill] = s.next[t.bill], row
	}
	trade := w.billTrade[row]
	if trade < 0 {
		return
	}
	switch other := s.ofTrade[trade]; {
	case other < 0:
		s.ofTrade[trade] = at
	case other != at && b.Kind[s.ties[other].bill] == uint8(schema.Refund) && w.tieBefore(at, other):
		s.ofTrade[trade] = at
	}
}

func (w *worker) tieBefore(a, b int32) bool {
	bills, x, y := &w.rows.Bills, w.ties.ties[a].bill, w.ties.ties[b].bill
	return w.p.places.compare(bills.Table[x], bills.Line[x], bills.Table[y], bills.Line[y]) < 0
}

// net is what a bill row moves on the account.
func (w *worker) net(row int32) rules.Fen {
	b := &w.rows.Bills
	received, fee, royalty := given(b.Received[row]), given(b.Fee[row]), given(b.Royalty[row])
	if b.Kind[row] == uint8(schema.Payment) {
		return rules.PaymentNet(received, fee, royalty)
	}
	return rules.RefundNet(received, fee, royalty)
}

// coverTies finds where each trade is looked for, and what the account bill must
// have of it: the bill rows at times that the account's bills cover.
func (w *worker) coverTies() {
	b, in := &w.rows.Bills, &w.rows.Orders
	for i := range w.ties.ties {
		t := &w.ties.ties[i]
		store := b.Store[t.bill]
		if t.unit >= 0 && w.units[t.unit].order >= 0 {
			run := w.orders[w.units[t.unit].order].run
			if store == 0 {
				store = in.Store[run]
			}
			t.indirect = in.Link[run] == uint8(schema.Indirect)
		} else if t.unit >= 0 && w.isPast(&w.units[t.unit]) {
			past := w.units[t.unit].past
			if store == 0 {
				store = w.past.Store[past]
			}
			t.indirect = w.past.Flags[past]&schema.SettledIndirect != 0
		}
		t.owner, t.account = w.p.owner(b.Account[t.bill]), b.Merchant[t.bill]
		if receiving := w.p.receiving(store); receiving != 0 {
			t.account = receiving
		}
		cover := w.p.accountSpans[t.account]
		var all rules.Fen
		for row := t.bill; row >= 0; row = w.ties.next[row] {
			net := w.net(row)
			all += net
			t.indirect = t.indirect || b.Flags[row]&schema.Institution != 0
			at := cover.of(b.Time[row])
			if at == nil {
				continue
			}
			t.covered++
			t.expected += net
			t.moves = t.moves || net != 0
			if b.Time[row]+postingLag >= at.to {
				t.late++
				t.lateNet += net
			}
		}
		totals := &w.totals.accounts
		switch {
		case t.indirect:
			totals.indirect.add(int64(all))
		case t.covered == 0:
			totals.uncovered.add(int64(all))
			totals.uncoveredRows.Add(all)
		default:
			totals.uncoveredRows.Add(all - t.expected)
		}
	}
}

// compared tells whether the trade is looked for in an account bill.
func (t *tie) compared() bool { return !t.indirect && t.covered > 0 }

// indexTies finds the ties of each out_trade_no of the bill.
func (w *worker) indexTies() {
	s, b := &w.ties, &w.rows.Bills
	s.key, s.account, s.table, s.line = s.key[:0], s.account[:0], s.table[:0], s.line[:0]
	for i := range s.ties {
		row := s.ties[i].bill
		s.key, s.account = append(s.key, w.billKey[row]), append(s.account, s.ties[i].account)
		s.table, s.line = append(s.table, b.Table[row]), append(s.line, b.Line[row])
	}
	s.byKey.build(w.p.places, w.keys.len(), s.key, s.table, s.line)
	s.byKey.byMerchant(s.account)
}

// linkAccounts gives each account row to its trade; what no trade has is beyond
// the trade bill and is totalled by 业务类型.
func (w *worker) linkAccounts() {
	a, s := &w.rows.Accounts, &w.ties
	for i := range a.Len() {
		row := int32(i)
		if s.first[row] >= 0 {
			continue
		}
		at := w.tieOf(row)
		if a.Reject[row] != 0 {
			if at >= 0 {
				w.tieRejected(&s.ties[at], row)
			}
			continue
		}
		income, expense := a.Income[row], w.spent(row)
		if at < 0 {
			m := w.found.beyond[a.Type[row]]
			if m == nil {
				m = new(movements)
				w.found.beyond[a.Type[row]] = m
			}
			m.add(income, expense)
			continue
		}
		w.totals.accounts.linked.add(income, expense)
		t := &s.ties[at]
		t.rows++
		t.income += income
		t.expense += expense
		if t.first < 0 || w.p.places.compare(a.Table[row], a.Line[row], a.Table[t.first], a.Line[t.first]) < 0 {
			t.first = row
		}
	}
}

// tieRejected notes that a row of the trade was rejected: the first by its place.
func (w *worker) tieRejected(t *tie, row int32) {
	a := &w.rows.Accounts
	if t.rejected < 0 || w.p.places.compare(a.Table[row], a.Line[row], a.Table[t.rejected], a.Line[t.rejected]) < 0 {
		t.rejected = row
	}
}

// tieOf is the trade that an account row is of: by 业务流水号, else by 商户订单号; -1
// if there is none.
func (w *worker) tieOf(row int32) int32 {
	s := &w.ties
	if len(s.ties) == 0 {
		return -1
	}
	if trade := w.accountTrade[row]; trade >= 0 && s.ofTrade[trade] >= 0 {
		if at := s.ofTrade[trade]; w.takes(at, row) {
			return at
		}
		return -1
	}
	found := int32(-1)
	for _, at := range s.byKey.ofMerchant(w.accountKey[row], w.rows.Accounts.Account[row], s.account) {
		switch {
		case !w.takes(at, row):
		case w.explains(at, row): // of several trades of one number, the one with the amount
			return at
		case found < 0:
			found = at
		}
	}
	return found
}

// takes tells whether a row of its number is the trade's: it stands in the account
// where the trade is looked for, at a time of which the trade bill is there. A
// refund of another day's bill is none of this one's.
func (w *worker) takes(at, row int32) bool {
	a, t := &w.rows.Accounts, &w.ties.ties[at]
	if !t.compared() || a.Account[row] != t.account {
		return false
	}
	if a.Time[row] == schema.Null { // a rejected row without a time
		return true
	}
	bills := w.p.billSpans[t.owner]
	return bills.of(a.Time[row]) != nil || bills.of(a.Time[row]-postingLag) != nil
}

// explains tells whether a row of the trade bill has the account row's amount.
func (w *worker) explains(at, row int32) bool {
	a, b := &w.rows.Accounts, &w.rows.Bills
	net := a.Income[row] - w.spent(row)
	for bill := w.ties.ties[at].bill; bill >= 0; bill = w.ties.next[bill] {
		received := b.Received[bill]
		if b.Kind[bill] == uint8(schema.Refund) {
			received = -received
		}
		if received == net {
			return true
		}
	}
	return false
}

// judgeTie gives a trade its status.
func (w *worker) judgeTie(t *tie) {
	if !t.compared() {
		return
	}
	gap := rules.Fen(t.income-t.expense) - t.expected
	switch {
	case t.rows == 0 && !t.moves, t.rows > 0 && gap == 0:
		t.status = rules.AccountMatched
	case t.rows == 0 && t.late == t.covered, t.rows > 0 && t.late > 0 && gap == -t.lateNet:
		t.status = rules.AccountPending
	case t.rows == 0:
		t.status = rules.AccountMissing
		w.findAccount(t, int64(t.expected.Abs()), schema.Null)
	default:
		t.status = rules.AccountMismatch
		w.findAccount(t, int64(gap.Abs()), t.income-t.expense)
	}
}

// findAccount adds the break of a trade.
func (w *worker) findAccount(t *tie, amount, found int64) {
	a, b := &w.rows.Accounts, &w.rows.Bills
	code, _ := t.status.Break()
	br := Break{
		Code: code, Severity: code.Severity(), Side: code.Side(), Merchant: w.p.text(t.merchant),
		OutTradeNo: string(w.outTradeNo(t.key)), TradeNo: string(b.TradeNo.At(int(t.bill))),
		Store: w.p.text(b.Store[t.bill]), Terminal: w.p.text(b.Terminal[t.bill]), Operator: w.p.text(b.Operator[t.bill]),
		Time: b.Time[t.bill], Amount: amount, Expected: int64(t.expected), Found: found,
		Table: b.Table[t.bill], Line: b.Line[t.bill],
	}
	if t.first >= 0 {
		br.Table, br.Line = a.Table[t.first], a.Line[t.first]
	}
	if t.rejected >= 0 {
		br.Reason = w.p.tables[a.Table[t.rejected]].Source(a.Line[t.rejected])
	}
	w.found.breaks = append(w.found.breaks, br)
	if b.Kind[t.bill] == uint8(schema.Refund) {
		w.about(subject{order: -1, bill: t.bill, refund: true})
		return
	}
	w.about(subject{order: w.units[t.unit].order, bill: t.bill})
}

// findAccountConflict adds the break of a duplicate that has another amount.
func (w *worker) findAccountConflict(row int32) {
	a, first := &w.rows.Accounts, w.ties.first[row]
	expected, found := a.Income[first]-w.spent(first), a.Income[row]-w.spent(row)
	if expected == found {
		return
	}
	code := rules.BreakDuplicateConflict
	w.found.breaks = append(w.found.breaks, Break{
		Code: code, Severity: code.Severity(), Side: rules.SideAccount, Merchant: w.p.text(a.Account[row]),
		OutTradeNo: string(a.OutTradeNo.At(int(row))), TradeNo: string(a.TradeNo.At(int(row))), Time: a.Time[row],
		Amount: absolute(found - expected), Expected: expected, Found: found, Table: a.Table[row], Line: a.Line[row],
	})
}

// emitAccounts writes the trades that were looked for and the duplicates, in key
// order.
func (w *worker) emitAccounts(out *schema.AccountRows) {
	s, a, b := &w.ties, &w.rows.Accounts, &w.rows.Bills
	s.out = s.out[:0]
	for i := range s.ties {
		if t := &s.ties[i]; t.compared() {
			s.out = append(s.out, accountOut{t.merchant, t.key, int32(i), -1, b.Table[t.bill], b.Line[t.bill]})
		}
	}
	for row, first := range s.first {
		if first >= 0 {
			s.out = append(s.out, accountOut{a.Account[row], w.accountKey[row], -1, int32(row), a.Table[row], a.Line[row]})
			w.findAccountConflict(int32(row))
		}
	}
	slices.SortFunc(s.out, func(x, y accountOut) int {
		if c := w.compareKeys(x.merchant, x.key, y.merchant, y.key); c != 0 {
			return c
		}
		return cmp.Or(bytes.Compare(w.accountTradeNo(x), w.accountTradeNo(y)), w.p.places.compare(x.table, x.line, y.table, y.line))
	})
	for _, o := range s.out {
		out.Merchant = append(out.Merchant, o.merchant)
		out.OutTradeNo.Append(w.outTradeNo(o.key))
		out.TradeNo.Append(w.accountTradeNo(o))
		if o.tie >= 0 {
			w.emitTie(&s.ties[o.tie], out)
			continue
		}
		out.Status = append(out.Status, uint8(rules.AccountDuplicate))
		out.Expected, out.Difference = append(out.Expected, schema.Null), append(out.Difference, schema.Null)
		out.Income, out.Expense = append(out.Income, a.Income[o.row]), append(out.Expense, w.spent(o.row))
		out.Account.Append(o.table, o.line)
		out.Bill.Append(-1, 0)
	}
}

func (w *worker) accountTradeNo(o accountOut) []byte {
	if o.tie < 0 {
		return w.rows.Accounts.TradeNo.At(int(o.row))
	}
	return w.rows.Bills.TradeNo.At(int(w.ties.ties[o.tie].bill))
}

func (w *worker) emitTie(t *tie, out *schema.AccountRows) {
	a, b := &w.rows.Accounts, &w.rows.Bills
	out.Status = append(out.Status, uint8(t.status))
	out.Expected = append(out.Expected, int64(t.expected))
	income, expense := t.income, t.expense
	if t.rows == 0 {
		income, expense = schema.Null, schema.Null
	}
	out.Income, out.Expense = append(out.Income, income), append(out.Expense, expense)
	out.Difference = append(out.Difference, t.income-t.expense-int64(t.expected))
	appendPlace(&out.Account, a.Table, a.Line, t.first)
	appendPlace(&out.Bill, b.Table, b.Line, t.bill)
}

// An AccountTally adds up the rows of accounts of one status.
type AccountTally struct {
	Count                     int64
	Expected, Income, Expense rules.Sum // fen
}

func (t *AccountTally) merge(o *AccountTally) {
	t.Count += o.Count
	t.Expected.AddSum(o.Expected)
	t.Income.AddSum(o.Income)
	t.Expense.AddSum(o.Expense)
}

// An AccountType adds up the account rows of one 业务类型 that no trade of the trade
// bill has.
type AccountType struct {
	Type            string
	Count           int64
	Income, Expense rules.Sum // fen
}

// An AccountResult is what the tie-out of the account bill comes to.
type AccountResult struct {
	Statuses   [6]AccountTally // by rules.AccountStatus
	NotCovered Tally           // bill side: trades of a PID or a time without an account bill
	Indirect   Tally           // bill side: trades without an account entry (间连)
	Types      []AccountType   // by name
}

func tallyAccounts(tallies *[6]AccountTally, rows *schema.AccountRows) {
	add := func(sum *rules.Sum, v int64) {
		if v != schema.Null {
			sum.AddInt(v)
		}
	}
	for i, status := range rows.Status {
		t := &tallies[status]
		t.Count++
		add(&t.Expected, rows.Expected[i])
		add(&t.Income, rows.Income[i])
		add(&t.Expense, rows.Expense[i])
	}
}

// beyond adds up what the parts found beyond the trade bill.
func (d *driver) beyond() map[uint32]*movements {
	all := map[uint32]*movements{}
	for _, f := range d.found {
		for kind, m := range f.beyond {
			if all[kind] == nil {
				all[kind] = new(movements)
			}
			all[kind].merge(m)
		}
	}
	return all
}

// accounts puts the tie-out together.
func (d *driver) accounts() AccountResult {
	t := &d.totals.accounts
	r := AccountResult{
		Statuses:   d.out.accounts,
		NotCovered: Tally{BillCount: t.uncovered.count, BillAmount: t.uncovered.amount},
		Indirect:   Tally{BillCount: t.indirect.count, BillAmount: t.indirect.amount},
	}
	for kind, m := range d.beyond() {
		r.Types = append(r.Types, AccountType{d.plan.text(kind), m.count, m.income, m.expense})
	}
	slices.SortFunc(r.Types, func(a, b AccountType) int { return strings.Compare(a.Type, b.Type) })
	return r
}

// proveAccounts checks that every account row is of a trade, beyond the trade
// bill, or a duplicate, and that what is expected is what the trade bill says.
func (d *driver) proveAccounts(add func(name, left, right string)) {
	if !d.plan.job.Inputs[schema.AlipayAccount] {
		return
	}
	var read, found movements
	for number, c := range d.store.read {
		if t := d.plan.tables[number]; !t.Refused {
			read.count += c.accounts.count
			read.income.AddSum(c.accounts.income)
			read.expense.AddSum(c.accounts.spent(t.ExpenseSign))
		}
	}
	for _, m := range d.beyond() {
		found.merge(m)
	}
	var expected rules.Sum
	for status := range d.out.accounts {
		t := &d.out.accounts[status]
		found.income.AddSum(t.Income)
		found.expense.AddSum(t.Expense)
		expected.AddSum(t.Expected)
	}
	t := &d.totals.accounts
	found.count += t.linked.count + d.out.accounts[rules.AccountDuplicate].Count
	add("accounts.rows", read.String(), found.String())
	if d.plan.tiesOut {
		expected.AddSum(t.uncoveredRows)
		expected.AddSum(t.indirect.amount)
		add("accounts.expected", t.expected.String2(), expected.String2())
	}
}

func (m *movements) String() string {
	return side{m.count, m.income}.String() + " / " + m.expense.String2()
}
