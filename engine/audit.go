package engine

import (
	"bytes"
	"slices"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A judgeKey is all that the judgement of a PID depends on.
type judgeKey struct {
	pid, merchant, product uint32
	day                    int32
	wrongKey               bool // no PID, and one under another key
}

// noOrder stands for the PID of a trade without a POS order: nobody knows it.
const noOrder = ^uint32(0)

type judgement struct {
	cause     rules.Cause
	agreement *rules.Agreement // the trade's own, or the primary's for a wrong PID; nil for none
	provider  uint32           // of the agreement; the primary where there is none
	period    uint32
	covered   bool  // a statement has a row of the provider, product and period
	together  bool  // one row of a statement pays the merchant's trades of the period
	before    int32 // the latest earlier run that judged what it covers, NoDate for none
	number    int32 // of the agreement in the registry, -1 for none
}

// judge says whether the PID is right, and by which agreement the trade is
// measured.
func (w *worker) judge(key judgeKey) judgement {
	last := &w.lastJudged
	if last.key != key || len(w.judged) == 0 {
		last.key, last.judgement = key, w.judgeAnew(key)
	}
	return last.judgement
}

func (w *worker) judgeAnew(key judgeKey) judgement {
	if j, ok := w.judged[key]; ok {
		return j
	}
	product := w.p.text(key.product)
	j := judgement{cause: rules.CausePIDUnknown}
	if key.pid != noOrder {
		j.cause, j.agreement = w.p.book.Judge(w.p.text(key.pid), w.p.text(key.merchant), product, key.day, key.wrongKey)
	}
	if j.agreement == nil {
		j.agreement = w.p.book.Primary(product, key.day)
	}
	j.provider = w.p.primary
	if j.agreement != nil {
		j.provider = w.p.words.Code(j.agreement.Provider)
	}
	j.period = w.p.period(j.provider, key.product, key.merchant, key.day)
	j.covered = w.p.covered[[3]uint32{j.provider, key.product, j.period}]
	j.together = w.p.aggregates(j.provider, key.product, key.merchant, j.period)
	j.before = NoDate
	if date, ok := w.p.before[[3]uint32{j.provider, key.product, j.period}]; ok && !perPeriod(j) {
		j.before = date
	}
	j.number = w.p.agreementNumber(j.agreement)
	w.judged[key] = j
	return j
}

// period is the period of a day: its month, or the day itself where the
// provider's statements for the product are by day (rules 6). Of both, the month
// counts if trades of it, or the merchant, are in its statement.
func (p *plan) period(provider, product, merchant uint32, day int32) uint32 {
	month := p.words.Code(monthText(day))
	if !p.byDay[[2]uint32{provider, product}] || p.aggregates(provider, product, merchant, month) ||
		p.coverage[coverKey{provider: provider, product: product, period: month}] > 0 {
		return month
	}
	return p.words.Code(dayText(day))
}

// aggregates: a statement pays the merchant's trades of the period in one row.
func (p *plan) aggregates(provider, product, merchant, period uint32) bool {
	key := coverKey{provider: provider, product: product, period: period, aggregated: true, merchant: merchant}
	if p.coverage[key] > 0 {
		return true
	}
	key.merchant = 0
	return p.coverage[key] > 0
}

// sortStatements finds the statement rows of each trade and key.
func (w *worker) sortStatements() {
	s := &w.rows.Statements
	w.statementUsed = append(w.statementUsed[:0], make([]bool, s.Len())...)
	for i := range s.Len() {
		if m := s.Merchant[i]; m != 0 && !w.p.isPID[m] {
			w.statementUsed[i] = true
			w.statementTrade[i], w.statementKey[i] = -1, -1
			w.reject(s.Table[i], s.Line[i], rules.CodeMerchantUnknown, "merchant_pid", s.Line[i], w.p.text(m))
			w.totals.statementsRejected.add(s.Rebate[i] + s.Adjustment[i])
		}
	}
	w.tradeOrdered = append(w.tradeOrdered[:0], make([]bool, w.trades.len())...)
	for i := range w.orders {
		if o := &w.orders[i]; o.trade >= 0 && !o.rejected && !w.leftOut(o) {
			w.tradeOrdered[o.trade] = true
		}
	}
	w.statementsByTrade.build(w.p.places, w.trades.len(), w.statementTrade, s.Table, s.Line)
	w.statementsByKey.build(w.p.places, w.keys.len(), w.statementKey, s.Table, s.Line)
}

// statementsOf gathers in w.paidRows the unused statement rows of a trade: those
// of its trade_no, and those of its key that name no trade_no or one that no
// input knows.
func (w *worker) statementsOf(u *unit) {
	s := &w.rows.Statements
	w.paidRows = w.paidRows[:0]
	if s.Len() == 0 {
		return
	}
	trade := int32(-1)
	if u.bill >= 0 {
		trade = w.billTrade[u.bill]
	}
	if trade < 0 && u.order >= 0 {
		trade = w.orders[u.order].trade
	}
	past := len(w.pastPaid) > 0
	for _, row := range w.statementsByTrade.of(trade) {
		if !w.statementUsed[row] && (!past || w.pastOfRow[row] < 0) {
			w.paidRows = append(w.paidRows, row)
		}
	}
	if u.reason == rules.ReasonPaidTwice {
		return
	}
	for _, row := range w.statementsByKey.of(u.key) {
		t := w.statementTrade[row]
		if w.statementUsed[row] || t >= 0 && (t == trade || w.tradeKnown(t)) || past && w.pastOfRow[row] >= 0 {
			continue
		}
		if s.Merchant[row] == u.merchant || s.Merchant[row] == 0 {
			w.paidRows = append(w.paidRows, row)
		}
	}
	if len(w.paidRows) > 1 {
		slices.SortFunc(w.paidRows, func(a, b int32) int { return w.p.places.compare(s.Table[a], s.Line[a], s.Table[b], s.Line[b]) })
	}
}

// tradeKnown: a payment or an order has that trade_no.
func (w *worker) tradeKnown(trade int32) bool {
	return len(w.paymentsByTrade.of(trade)) > 0 || w.tradeOrdered[trade]
}

// auditUnit audits the rebates of a payment, one row a product (rules 6).
func (w *worker) auditUnit(u *unit, out *Part) {
	if !w.p.audit || u.status == rules.StatusDuplicate || u.order >= 0 && w.leftOut(&w.orders[u.order]) {
		return
	}
	w.statementsOf(u)
	w.auditTrade(u, out)
}

// auditTrade audits a trade, today's or an earlier day's, whose statement rows are
// in w.paidRows.
func (w *worker) auditTrade(u *unit, out *Part) {
	if !w.hasPayment(u) {
		w.unearned(u)
		return
	}
	w.products = w.products[:0]
	if w.p.inScope[w.p.faceToFace] {
		w.products = append(w.products, w.p.faceToFace)
	}
	if w.instalments(u) && w.p.inScope[w.p.huabei] {
		w.products = append(w.products, w.p.huabei)
	}
	for _, row := range w.paidRows {
		if product := w.rows.Statements.Product[row]; !slices.Contains(w.products, product) {
			w.products = append(w.products, product)
		}
	}
	for _, product := range w.products {
		w.auditProduct(u, product, out)
	}
}

// A sale is what the audit must know of a trade besides its money.
type sale struct {
	merchant        uint32 // of the payment
	time            int64  // 完成时间
	store, terminal uint32
	pid             uint32 // sys_service_provider_id as sent, 0 if empty
	pidKnown        bool   // there is an order that says what was sent
	wrongKey        bool
	run             int32 // of the order, or -1
}

// judgedFor is what its PID is judged by for a product.
func (s *sale) judgedFor(product uint32) judgeKey {
	key := judgeKey{pid: noOrder, merchant: s.merchant, product: product, day: dayOf(s.time), wrongKey: s.wrongKey}
	if s.pidKnown {
		key.pid = s.pid
	}
	return key
}

func (w *worker) saleOf(u *unit) sale {
	b, in, h := &w.rows.Bills, &w.rows.Orders, &w.past
	if w.isPast(u) {
		flags := h.Flags[u.past]
		return sale{
			merchant: h.BillMerchant[u.past], time: h.BillTime[u.past], store: h.Store[u.past], terminal: h.Terminal[u.past],
			pid: h.ProviderPID[u.past], pidKnown: h.PosAmount[u.past] != schema.Null && flags&schema.SettledPIDUnknown == 0,
			wrongKey: flags&schema.SettledWrongKey != 0, run: -1,
		}
	}
	s := sale{merchant: b.Merchant[u.bill], time: b.Time[u.bill], run: -1}
	if u.order >= 0 {
		s.run = w.orders[u.order].run
		s.pid = in.ProviderPID[s.run]
		s.wrongKey = in.Flags[s.run]&schema.OrderPIDWrongKey != 0
		s.pidKnown = in.Flags[s.run]&schema.OrderPIDUnknown == 0
	}
	s.store = either(in.Store, s.run, b.Store, u.bill)
	s.terminal = either(in.Terminal, s.run, b.Terminal, u.bill)
	return s
}

// hasPayment: a bill has the trade.
func (w *worker) hasPayment(u *unit) bool {
	return u.bill >= 0 || w.isPast(u) && w.past.BillAmount[u.past] != schema.Null
}

// A payout is what statements pay for one trade and product.
type payout struct {
	amount int64 // millionths
	rows   int
	first  int32 // statement row, or -1
}

func (w *worker) payout(product uint32) payout {
	s := &w.rows.Statements
	p := payout{first: -1}
	for _, row := range w.paidRows {
		if s.Product[row] != product {
			continue
		}
		w.statementUsed[row] = true
		p.amount += s.Rebate[row] + s.Adjustment[row]
		p.rows++
		if p.first < 0 {
			p.first = row
		}
	}
	return p
}

// An audited is the audit of one trade for one product.
type audited struct {
	judgement
	sale
	unit     *unit
	product  uint32
	group    groupKey
	cause    rules.Cause // the final one
	basis    rules.Fen
	expected rules.Micro
	paid     payout
	loss     int64 // millionths
	settled  bool  // an aggregated row pays it with the others of its group
	judged   bool  // an earlier run judged whether it is listed
}

func (w *worker) auditProduct(u *unit, product uint32, out *Part) {
	a := audited{unit: u, product: product, sale: w.saleOf(u)}
	a.judgement = w.judge(a.judgedFor(product))
	a.group = groupKey{a.provider, u.merchant, product, a.period}
	a.basis = w.basis(u, a.judgement)
	a.paid = w.payout(product)
	a.judged = a.covered && w.judgedBefore(u, &a.judgement, a.time)
	a.covered = a.covered && !a.judged
	if a.paid.rows == 0 && !a.covered && !a.together && w.isPast(u) {
		return // there is nothing new to say of it
	}
	if w.p.collecting {
		w.collect(&a)
		return
	}
	a.expected = w.expected(&a)
	w.concludeAudit(&a)
	if a.paid.rows == 0 && a.cause != rules.CauseStatementMissing && w.isPast(u) { // its own day has said it
		w.addToGroup(&a)
		w.cleared = w.cleared || a.cause == rules.CauseOK && !a.settled && !perPeriod(a.judgement)
		w.unsaid = w.unsaid || a.cause.Lost()
		return
	}
	if product == w.p.faceToFace {
		u.cause = a.cause
	} else if u.order >= 0 {
		w.extraAudits = append(w.extraAudits, extraAudit{u.order, product})
	}
	w.emitRebate(&a, &out.Rebates)
	if w.claims(&a) {
		w.emitClaim(&a, out)
	}
	w.addLoss(&a)
	w.checkRebate(&a)
}

// concludeAudit finds the cause: that of the PID, else that of the statement.
func (w *worker) concludeAudit(a *audited) {
	stated := a.paid.rows > 0
	a.cause, a.loss = a.judgement.cause, int64(a.expected)-a.paid.amount
	switch {
	case a.cause == rules.CausePIDUnknown && a.judged && !stated:
		a.cause, a.loss = rules.CauseStatementPending, 0
	case a.cause == rules.CausePIDUnknown:
		if absolute(a.loss) <= int64(w.p.job.RebateTolerance) {
			a.cause = rules.CauseOK
		}
	case a.cause != rules.CauseOK:
	case !stated && a.together: // compared with the others of its group
		a.loss, a.settled = 0, true
	case !stated && !a.covered:
		a.cause, a.loss = rules.CauseStatementPending, 0
	case w.settledTogether(a.group):
	default:
		a.cause = rules.CompareStatement(a.expected, rules.Micro(a.paid.amount), stated, w.p.job.RebateTolerance)
	}
}

// basis is what the rebate of the trade is computed on, less the same of its
// refunds completed in the period.
func (w *worker) basis(u *unit, j judgement) rules.Fen {
	kind, h, r := basisKind(j), &w.past, &w.pastRefunds
	var basis rules.Fen
	if u.bill >= 0 {
		basis = w.basisOf(kind, u.bill)
	} else {
		basis = kind.Of(rules.Fen(h.BillAmount[u.past]), rules.Fen(h.Received[u.past]), rules.Fen(h.RedPacket[u.past]))
	}
	w.eachRefund(u, j, func(row int32) { basis -= w.basisOf(kind, row) })
	if u.past < 0 || u.again {
		return basis
	}
	for _, row := range w.pastReturns.of(u.past) {
		if r.Counts[row] != 0 && inPeriod(dayOf(r.Time[row]), w.p.text(j.period)) {
			basis -= kind.Of(rules.Fen(r.BillAmount[row]), rules.Fen(r.Received[row]), rules.Fen(r.RedPacket[row]))
		}
	}
	return basis
}

// basisKind is what the agreement computes from.
func basisKind(j judgement) rules.Basis {
	if j.agreement != nil && j.agreement.Basis != 0 {
		return j.agreement.Basis
	}
	return rules.BasisReceived
}

// eachRefund gives the bill rows of the trade's refunds that were completed in the
// period and count.
func (w *worker) eachRefund(u *unit, j judgement, each func(row int32)) {
	if u.firstRefund < 0 {
		return
	}
	period := w.p.text(j.period)
	for i := u.firstRefund; i >= 0; i = w.refunds[i].next {
		r := &w.refunds[i]
		if r.bill < 0 || r.exceeds {
			continue
		}
		if inPeriod(dayOf(w.rows.Bills.Time[r.bill]), period) {
			each(r.bill)
		}
	}
}

// inPeriod: the period is a day or the month that it is in.
func inPeriod(day int32, period string) bool {
	var room [len("2006-01-02")]byte
	text := time.Unix(int64(day)*daySeconds, 0).UTC().AppendFormat(room[:0], time.DateOnly)
	return bytes.HasPrefix(text, []byte(period))
}

func (w *worker) basisOf(kind rules.Basis, row int32) rules.Fen {
	b := &w.rows.Bills
	return kind.Of(rules.Fen(b.Amount[row]), rules.Fen(b.Received[row]), w.platformPaid(row))
}

func (w *worker) emitRebate(a *audited, out *schema.Rebates) {
	in, s := &w.rows.Orders, &w.rows.Statements
	u := a.unit
	out.Merchant = append(out.Merchant, u.merchant)
	out.OutTradeNo.Append(w.numberOf(u))
	out.TradeNo.Append(w.tradeNo(u))
	out.Product = append(out.Product, a.product)
	out.ProviderPID = append(out.ProviderPID, a.pid)
	out.Cause = append(out.Cause, uint8(a.cause))
	out.Appeal = append(out.Appeal, uint8(a.cause.Appeal()))
	out.Basis = append(out.Basis, int64(a.basis))
	rate, agreement := int64(schema.Null), uint32(0)
	if a.agreement != nil {
		rate, agreement = int64(a.agreement.Rate), a.provider
	}
	out.Rate = append(out.Rate, rate)
	out.Expected = append(out.Expected, int64(a.expected))
	stated := int64(schema.Null)
	if a.paid.rows > 0 {
		stated = a.paid.amount
	}
	out.Stated = append(out.Stated, stated)
	out.Loss = append(out.Loss, a.loss)
	out.Period = append(out.Period, a.period)
	out.Store = append(out.Store, a.store)
	out.Terminal = append(out.Terminal, a.terminal)
	out.Time = append(out.Time, a.time)
	out.Agreement = append(out.Agreement, agreement)
	appendPlace(&out.Pos, in.Table, in.Line, a.run)
	appendPlace(&out.Statement, s.Table, s.Line, a.paid.first)
}

// checkRebate finds the breaks of a trade's rebate.
func (w *worker) checkRebate(a *audited) {
	if code, ok := a.cause.Break(); ok {
		atStake := absolute(a.loss)
		if a.cause.Lost() {
			atStake = max(a.loss, 0) // a wrong PID that is paid more than is due loses nothing
		}
		w.findRebate(code, a.unit, a.product, atStake, int64(a.expected), a.paid.amount, a.paid.first)
	}
	if a.cause.Lost() && a.paid.amount > 0 {
		w.findRebate(rules.BreakStatementUnearned, a.unit, a.product, a.paid.amount, 0, a.paid.amount, a.paid.first)
	}
	w.checkStatementRows(a)
}

// checkStatementRows finds doubled rows, and rows whose terms are not ours.
func (w *worker) checkStatementRows(a *audited) {
	s := &w.rows.Statements
	for k, row := range w.paidRows {
		if s.Product[row] != a.product {
			continue
		}
		amount := s.Rebate[row] + s.Adjustment[row]
		for _, e := range w.paidRows[:k] {
			if s.Product[e] == a.product && s.Period[e] == s.Period[row] && s.Rebate[e]+s.Adjustment[e] == amount {
				w.findRebate(rules.BreakStatementDuplicate, a.unit, a.product, max(amount, 0), 0, amount, row)
				break
			}
		}
		if amount >= 0 && a.agreement != nil { // a clawback has terms of its own
			w.checkTerms(a, row)
		}
	}
}

func (w *worker) checkTerms(a *audited, row int32) {
	s := &w.rows.Statements
	what, gap, found := "", int64(0), int64(schema.Null)
	switch {
	case s.TradeAmount[row] != schema.Null && s.TradeAmount[row] != int64(a.basis):
		what, gap = "trade_amount", absolute(s.TradeAmount[row]-int64(a.basis))
		found = s.TradeAmount[row] * microPerFen
	case s.Rate[row] != schema.Null && s.Rate[row] != int64(a.agreement.Rate):
		what = "rate"
	case s.TradeCount[row] != schema.Null && s.TradeCount[row] != 1:
		what = "trade_count"
	default:
		return
	}
	w.findRebate(rules.BreakStatementTerms, a.unit, a.product, gap*microPerFen, int64(a.basis)*microPerFen, found, row)
	w.found.breaks[len(w.found.breaks)-1].What = what
}

// microPerFen is a fen in millionths of a yuan.
const microPerFen = 10_000

// findRebate adds a break of a trade's rebate; amounts in millionths.
func (w *worker) findRebate(code rules.BreakCode, u *unit, product uint32, amount, expected, found int64, statement int32) {
	i := w.find(code, code.Side(), u, amount, expected, found, w.p.text(product))
	br := &w.found.breaks[i]
	br.Micro = true
	if n := len(w.subjects); n > 0 {
		w.subjects[n-1].product = product
	}
	if s := &w.rows.Statements; statement >= 0 && br.Side == rules.SideStatement {
		br.Table, br.Line = s.Table[statement], s.Line[statement]
	}
}

// unearned finds what statements pay for a POS order that is in no bill.
func (w *worker) unearned(u *unit) {
	s := &w.rows.Statements
	for len(w.paidRows) > 0 {
		product := s.Product[w.paidRows[0]]
		paid := w.payout(product)
		w.totals.unearned.add(paid.amount)
		w.totals.unearned.count += int64(paid.rows - 1)
		if paid.amount > 0 {
			w.findRebate(rules.BreakStatementUnearned, u, product, paid.amount, 0, paid.amount, paid.first)
		}
		w.paidRows = slices.DeleteFunc(w.paidRows, func(row int32) bool { return s.Product[row] == product })
	}
}

// orphanStatements deals with the statement rows that no trade has taken: an
// orphan, where the bills of its days are in the inputs or the history; else out of
// scope.
func (w *worker) orphanStatements() {
	s := &w.rows.Statements
	w.rest = w.rest[:0]
	for i := range s.Len() {
		if !w.statementUsed[i] {
			w.rest = append(w.rest, int32(i))
		}
	}
	slices.SortFunc(w.rest, func(a, b int32) int { return w.p.places.compare(s.Table[a], s.Line[a], s.Table[b], s.Line[b]) })
	for _, row := range w.rest {
		amount := s.Rebate[row] + s.Adjustment[row]
		if !w.p.audit || !w.p.inDays(s.Time[row], w.p.text(s.Period[row])) {
			w.totals.outOfScope.add(amount)
			continue
		}
		w.totals.orphans.add(amount)
		w.found.breaks = append(w.found.breaks, Break{
			Code: rules.BreakStatementOrphan, Severity: rules.BreakStatementOrphan.Severity(), Side: rules.SideStatement,
			Merchant: w.p.text(s.Merchant[row]), OutTradeNo: string(s.OutTradeNo.At(int(row))),
			TradeNo: string(s.TradeNo.At(int(row))), Amount: max(amount, 0), Micro: true,
			Expected: 0, Found: amount, What: w.p.text(s.Product[row]), Table: s.Table[row], Line: s.Line[row], Time: s.Time[row],
		})
	}
}

// inDays: the time, else the whole period, lies in days whose bills are in the
// inputs or in the history.
func (p *plan) inDays(t int64, period string) bool {
	if t != schema.Null {
		return p.billDays[billDay{0, dayOf(t)}]
	}
	from, to, ok := periodDays(period)
	if !ok {
		return false
	}
	for day := from; day <= to; day++ {
		if !p.billDays[billDay{0, day}] {
			return false
		}
	}
	return true
}
