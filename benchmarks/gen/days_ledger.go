package gen

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Ledger says what the run of a day must find, for any order in which the days
// are run and their files come. It keeps the books as a person would who has the
// records before them, with maps and sums of this package's own.
type Ledger struct {
	d       *Days
	effects map[int]*effect
}

// NewLedger begins with no day run.
func NewLedger(d *Days) *Ledger { return &Ledger{d: d, effects: map[int]*effect{}} }

// A DayTruth is what a run of a day must find: rows of its tables, cut to the
// columns of TruthColumns, in any order. A cell "?" is not stated.
type DayTruth struct {
	Trades, Refunds, Rebates []string
	// Breaks are the keys of the breaks of some codes: code, merchant, order, request.
	Breaks []string
	// Carried is how many rows are left to the next day.
	Carried int
	// Doubtful: a trade stands twice in what earlier days left, because of a day that
	// has to be run again; what is found of it is not stated.
	Doubtful bool
}

// TruthColumns are the columns of the tables of a DayTruth.
var TruthColumns = map[string][]string{
	"trades": {
		"merchant_pid", "out_trade_no", "status", "pos_amount", "bill_amount", "carried_days", "reason",
		"buyer_paid", "red_packet", "allowance", "coupon", "refunded",
	},
	"refunds": {
		"merchant_pid", "out_trade_no", "out_request_no", "status", "pos_amount", "bill_amount", "cumulative",
		"expected_paid", "expected_red_packet", "expected_allowance", "expected_coupon", "reason",
	},
	"rebates": {"merchant_pid", "out_trade_no", "trade_no", "cause", "expected", "stated", "loss"},
	"breaks":  {"code", "merchant_pid", "out_trade_no", "out_request_no"},
}

// TruthCodes are the codes that DayTruth.Breaks states.
var TruthCodes = []string{"refund_orphan", "refund_exceeds_total", "refund_split"}

// An effect is what the run of a day leaves.
type effect struct {
	truth   *DayTruth
	byKey   map[string][]*unitOfDay   // what is settled
	byTrade map[string][]*unitOfDay   // likewise, where the number is known
	refunds map[string][]*refundOfDay // by key: those that count
	closed  map[string]bool           // refunds by key and request that do not wait
	carried []*unitOfDay
	waiting []*refundOfDay
}

// A unitOfDay is a payment: an order, a bill row or both.
type unitOfDay struct {
	merchant        int
	number          string
	tradeNo         string // "" where only the till's side is there, and it does not know
	pos, bill       bool
	posTime         int64
	billTime        int64
	posTotal, total fen
	posFund, fund   funding
	posStated       bool
	wechat, noPID   bool
	since           int // the first day of a carried one
	status, reason  string
	refunded        fen
	noteRefunded    bool
}

// A refundOfDay is a refund likewise.
type refundOfDay struct {
	merchant        int
	number, tradeNo string
	posNo, billNo   string // requests
	pos, bill       bool
	posTime         int64
	billTime        int64
	posAmount       fen
	amount          fen
	actual          parts
	listPrice       bool
	since           int
	status, reason  string
	cumulative      fen
	expected        parts
	known, counted  bool
	of              *unitOfDay
}

func (u *unitOfDay) key() string   { return strconv.Itoa(u.merchant) + "/" + u.number }
func (r *refundOfDay) key() string { return strconv.Itoa(r.merchant) + "/" + r.number }

func (r *refundOfDay) time() int64 {
	if r.bill {
		return r.billTime
	}
	return r.posTime
}

func (r *refundOfDay) request() string {
	if r.bill && (r.billNo != "" || !r.pos) {
		return r.billNo
	}
	return r.posNo
}

// Run says what a run of the day finds with these files of it, and takes it into
// the books in place of an earlier run of the same day.
func (l *Ledger) Run(day int, files []DayFile) (*DayTruth, error) {
	e, err := l.compute(day, files)
	if err != nil {
		return nil, err
	}
	l.effects[day] = e
	return e.truth, nil
}

// Look says what a run of the day would find, without taking it into the books.
func (l *Ledger) Look(day int, files []DayFile) (*DayTruth, error) {
	e, err := l.compute(day, files)
	if err != nil {
		return nil, err
	}
	return e.truth, nil
}

// Has reports whether the day was run.
func (l *Ledger) Has(day int) bool { return l.effects[day] != nil }

// Truth is what the latest run of the day found.
func (l *Ledger) Truth(day int) *DayTruth { return l.effects[day].truth }

// A dayRun is one run while it is computed.
type dayRun struct {
	l       *Ledger
	d       *Days
	day     int
	out     *effect
	units   []*unitOfDay
	again   []*unitOfDay // duplicates
	refunds []*refundOfDay
	orders  map[string]*unitOfDay // by key
	bills   map[string]*unitOfDay // by trade_no
	past    []*effect             // of earlier days, in order
}

func (l *Ledger) compute(day int, files []DayFile) (*effect, error) {
	r := &dayRun{
		l: l, d: l.d, day: day, orders: map[string]*unitOfDay{}, bills: map[string]*unitOfDay{},
		out: &effect{
			truth: &DayTruth{}, byKey: map[string][]*unitOfDay{}, byTrade: map[string][]*unitOfDay{},
			refunds: map[string][]*refundOfDay{}, closed: map[string]bool{},
		},
	}
	for _, k := range slices.Sorted(maps.Keys(l.effects)) {
		if k < day {
			r.past = append(r.past, l.effects[k])
		}
	}
	r.takeCarried()
	statement := false
	for _, f := range files {
		if f.Day != day {
			return nil, fmt.Errorf("a file of day %d in the run of day %d", f.Day, day)
		}
		if err := r.read(f); err != nil {
			return nil, err
		}
		statement = statement || f.Kind == StatementOfDay
	}
	r.settle()
	r.settleRefunds()
	if statement {
		if err := r.audit(); err != nil {
			return nil, err
		}
	}
	r.state()
	return r.out, nil
}

func (r *dayRun) takeCarried() {
	if len(r.past) == 0 {
		return
	}
	last := r.past[len(r.past)-1]
	for _, u := range last.carried {
		c := *u
		c.status, c.reason, c.refunded, c.noteRefunded = "", "", 0, false
		r.doubt(r.settled(&c))
		r.units = append(r.units, &c)
		if c.pos {
			r.orders[c.key()] = &c
		} else {
			r.bills[c.tradeNo] = &c
		}
	}
	for _, x := range last.waiting {
		c := *x
		c.status, c.reason, c.of, c.known, c.counted, c.expected, c.cumulative = "", "", nil, false, false, parts{}, 0
		for _, e := range r.past {
			r.doubt(e.closed[c.key()+c.posNo+c.billNo])
		}
		r.refunds = append(r.refunds, &c)
	}
}

// read takes the rows of a file.
func (r *dayRun) read(f DayFile) error {
	switch f.Kind {
	case OrdersOfDay:
		return r.d.eachOrder(f, func(t *dayTrade, total fen) error {
			r.order(t, total)
			return nil
		})
	case BillOfDay, OverlapOfDay:
		if err := r.d.eachBill(f, func(t *dayTrade) error {
			r.payment(t)
			return nil
		}); err != nil {
			return err
		}
		return r.d.eachRefund(f, func(t *dayTrade, x *dayRefund) error {
			r.refund(&refundOfDay{
				merchant: t.merchant, number: string(t.number), tradeNo: string(t.tradeNo), billNo: billRequest(t, x), bill: true,
				billTime: x.billTime, amount: x.amount, actual: x.actual, since: r.day,
			})
			return nil
		})
	case RefundsOfDay:
		return r.d.eachRefund(f, func(t *dayTrade, x *dayRefund) error {
			r.refund(&refundOfDay{
				merchant: t.merchant, number: string(t.number), posNo: string(appendDayRequest(nil, t, x.k)), pos: true,
				posTime: x.posTime, posAmount: x.posAmount, listPrice: x.listPrice, since: r.day,
			})
			return nil
		})
	case StatementOfDay:
	}
	return nil
}

func billRequest(t *dayTrade, x *dayRefund) string {
	if x.noRequest {
		return ""
	}
	return string(appendDayRequest(nil, t, x.k))
}

func (r *dayRun) order(t *dayTrade, total fen) {
	u := &unitOfDay{
		merchant: t.merchant, number: string(t.number), pos: true, posTime: t.posTime, posTotal: total,
		posFund: t.fund, posStated: t.posTotal == t.total, wechat: t.fate == wechatPaid, noPID: t.noPID, since: r.day,
	}
	u.posFund.buyer += total - t.posTotal
	if t.posTradeNo && !u.wechat {
		u.tradeNo = string(t.tradeNo)
	}
	if r.orders[u.key()] != nil {
		u.status = "duplicate"
		r.again = append(r.again, u)
		return
	}
	r.orders[u.key()] = u
	r.units = append(r.units, u)
}

func (r *dayRun) payment(t *dayTrade) {
	u := &unitOfDay{
		merchant: t.merchant, number: string(t.number), tradeNo: string(t.tradeNo), bill: true, billTime: t.billTime,
		total: t.total, fund: t.fund, since: r.day,
	}
	if r.bills[u.tradeNo] != nil {
		u.status = "duplicate"
		r.again = append(r.again, u)
		return
	}
	r.bills[u.tradeNo] = u
	r.units = append(r.units, u)
}

// refund takes one side of a refund, and pairs it with the other if that is there.
func (r *dayRun) refund(x *refundOfDay) {
	for _, y := range r.refunds {
		if y.key() != x.key() || y.pos == x.pos || y.pos && y.bill {
			continue
		}
		bill, pos := x, y
		if y.bill {
			bill, pos = y, x
		}
		if bill.billNo != pos.posNo && (bill.billNo != "" || bill.amount != pos.posAmount) {
			continue
		}
		y.since = min(x.since, y.since)
		y.pos, y.bill = true, true
		y.posNo, y.posTime, y.posAmount, y.listPrice = pos.posNo, pos.posTime, pos.posAmount, pos.listPrice
		y.billNo, y.billTime, y.amount, y.actual, y.tradeNo = bill.billNo, bill.billTime, bill.amount, bill.actual, bill.tradeNo
		return
	}
	r.refunds = append(r.refunds, x)
}

// near reports whether a time is where the other side may still come.
func (r *dayRun) near(t int64, start bool) bool {
	from := int64(r.day) * midnight
	return t >= from+midnight-cutoff && t < from+midnight || start && t >= from && t < from+cutoff
}

// pair puts the sides together.
func (r *dayRun) pair() {
	var left []*unitOfDay
	for _, u := range r.units {
		if u.bill {
			if o := r.orders[u.key()]; o != nil && o != u && !o.bill && !o.wechat && !r.seen(o) && !r.seen(u) {
				o.bill, o.billTime, o.total, o.fund, o.tradeNo = true, u.billTime, u.total, u.fund, u.tradeNo
				o.since = min(o.since, u.since)
				r.bills[u.tradeNo] = o
				continue
			}
		}
		left = append(left, u)
	}
	r.units = left
}

// settle gives every payment its status.
func (r *dayRun) settle() {
	r.pair()
	var units []*unitOfDay
	for _, u := range r.units {
		switch {
		case u.wechat:
			u.status, u.reason = "excluded", "other_channel"
		case u.pos && u.bill && u.posTotal != u.total:
			u.status = "amount_mismatch"
		case u.pos && u.bill:
			u.status = "matched"
		case r.seen(u):
			u.status = "duplicate"
			if u.pos {
				delete(r.orders, u.key())
			} else {
				delete(r.bills, u.tradeNo)
			}
			r.again = append(r.again, u)
			continue
		case u.since < r.day && r.day-u.since < carries,
			u.since == r.day && u.bill && r.near(u.billTime, true), u.since == r.day && u.pos && r.near(u.posTime, false):
			u.status = "pending"
		case u.bill:
			u.status = "bill_only"
		default:
			u.status = "pos_only"
		}
		units = append(units, u)
	}
	r.units = units
	for _, u := range r.units {
		if u.status == "pending" {
			r.out.carried = append(r.out.carried, u)
		} else {
			r.out.byKey[u.key()] = append(r.out.byKey[u.key()], u)
			if u.tradeNo != "" {
				r.out.byTrade[u.tradeNo] = append(r.out.byTrade[u.tradeNo], u)
			}
		}
	}
}

// doubt: a day that was run later than the one after it has settled what that one
// still carries.
func (r *dayRun) doubt(there bool) {
	r.out.truth.Doubtful = r.out.truth.Doubtful || there
}

// seen reports whether an earlier day settled the same side already.
func (r *dayRun) seen(u *unitOfDay) bool { return u.since == r.day && r.settled(u) }

func (r *dayRun) settled(u *unitOfDay) bool {
	for _, e := range r.past {
		for _, s := range e.byKey[u.key()] {
			if u.bill && s.bill && s.tradeNo == u.tradeNo || u.pos && s.pos {
				return true
			}
		}
	}
	return false
}

// trade finds the trade of a refund: among today's, else in the books.
func (r *dayRun) trade(x *refundOfDay) *unitOfDay {
	if x.bill {
		if u := r.bills[x.tradeNo]; u != nil {
			return u
		}
	}
	if u := r.orders[x.key()]; u != nil {
		return u
	}
	for _, u := range r.units {
		if u.bill && u.key() == x.key() {
			return u
		}
	}
	var found []*unitOfDay
	for _, e := range r.past {
		found = append(found, e.byKey[x.key()]...)
	}
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 {
		r.out.truth.Doubtful = true
	}
	return found[len(found)-1]
}

// before are the refunds of earlier days that moved the trade's cumulative amount.
func (r *dayRun) before(u *unitOfDay) fen {
	var x fen
	seen := map[string]bool{}
	for _, e := range r.past {
		for _, ref := range e.refunds[u.key()] {
			if no := ref.request() + "@" + strconv.FormatInt(ref.billTime, 10); seen[no] {
				r.doubt(true)
			} else {
				seen[no] = true
				x += ref.amount
			}
		}
	}
	return x
}

func (r *dayRun) settleRefunds() {
	chains := map[string][]*refundOfDay{}
	for _, x := range r.refunds {
		x.of = r.trade(x)
		switch {
		case x.of != nil && x.of.wechat && !x.bill:
			x.status, x.reason = "excluded", "other_channel"
		case x.pos && x.bill:
			x.status = "matched" // until the amounts are compared
		case x.since < r.day && r.day-x.since < carries,
			x.since == r.day && x.bill && r.near(x.billTime, true), x.since == r.day && x.pos && r.near(x.posTime, false):
			x.status = "pending"
		case x.bill:
			x.status = "bill_only"
		default:
			x.status = "pos_only"
		}
		if x.status != "excluded" {
			chains[x.key()] = append(chains[x.key()], x)
		}
		if x.bill && x.of == nil {
			r.found("refund_orphan", x)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(chains)) {
		r.follow(chains[key])
	}
	for _, x := range r.refunds {
		if x.status != "pending" {
			for _, no := range []string{x.posNo, x.billNo} {
				r.out.closed[x.key()+no] = true
			}
		}
		switch {
		case x.status == "pending":
			r.out.waiting = append(r.out.waiting, x)
		case x.counted && x.bill:
			r.out.refunds[x.key()] = append(r.out.refunds[x.key()], x)
		}
	}
}

func (r *dayRun) found(code string, x *refundOfDay) {
	r.out.truth.Breaks = append(r.out.truth.Breaks, strings.Join([]string{code, r.d.merchants[x.merchant], x.number, x.request()}, ","))
}

// follow goes through the refunds of one order.
func (r *dayRun) follow(chain []*refundOfDay) {
	slices.SortStableFunc(chain, func(a, b *refundOfDay) int {
		return cmp.Or(cmp.Compare(a.time(), b.time()), cmp.Compare(a.request(), b.request()))
	})
	u := chain[0].of
	for _, x := range chain {
		if x.of != nil {
			u = x.of
		}
	}
	var so fen
	if u != nil {
		so = r.before(u)
	}
	for _, x := range chain {
		left := fen(0)
		total, fund := fen(0), funding{}
		if u != nil {
			total, fund = u.money()
			left = fund.buyer + fund.red + fund.allowance - fund.returned(so).sum()
		}
		if x.status == "matched" && x.amount != x.posAmount && (!x.listPrice || x.amount != min(x.posAmount, left)) {
			x.status = "amount_mismatch"
		}
		if !x.bill && x.status != "pending" {
			continue
		}
		if u == nil {
			x.counted = x.bill // for a day that knows the order
			continue
		}
		amount := x.posAmount
		if x.bill {
			amount = x.amount
		}
		x.known = true
		if so+amount > total {
			x.cumulative = so
			if x.bill {
				r.found("refund_exceeds_total", x)
			}
			continue
		}
		x.counted = true
		x.expected = fund.returned(so + amount).minus(fund.returned(so))
		so += amount
		x.cumulative = so
		if x.bill && x.expected != x.actual {
			r.found("refund_split", x)
		}
	}
	if u != nil {
		u.refunded, u.noteRefunded = so, true
	}
}

// money is what paid the trade: the bill's, else the till's.
func (u *unitOfDay) money() (total fen, fund funding) {
	if u.bill {
		return u.total, u.fund
	}
	if !u.posStated { // what is not said to be paid otherwise, the buyer paid
		return u.posTotal, funding{buyer: u.posTotal}
	}
	return u.posTotal, u.posFund
}

// audit says what the statement's rows come to.
func (r *dayRun) audit() error {
	type sum struct {
		amount micro
		t      dayTrade
	}
	rows := map[string]*sum{}
	var order []string
	err := r.d.eachStated(r.day, func(s dayStated) error {
		no := string(s.t.tradeNo)
		if rows[no] == nil {
			rows[no] = &sum{t: *s.t}
			order = append(order, no)
		}
		rows[no].amount += s.amount
		return nil
	})
	if len(order) == 0 {
		return err
	}
	for _, no := range order {
		if u, back := r.paidFor(no); u != nil {
			r.rebate(u, rebateOf(u.fund.buyer+u.fund.red-back, r.d.rates[0], 2, 0), rows[no].amount)
		}
	}
	// It covers its month: what it does not list is missing.
	month := r.d.period(int(rows[order[0]].t.billTime / midnight))
	unlisted := map[string]bool{}
	for _, e := range append(slices.Clone(r.past), r.out) {
		for no := range e.byTrade {
			unlisted[no] = rows[no] == nil
		}
	}
	for no := range unlisted {
		if !unlisted[no] {
			continue
		}
		u, back := r.paidFor(no)
		if u == nil || !u.pos || u.noPID || r.d.period(int(u.billTime/midnight)) != month {
			continue
		}
		if expected := rebateOf(u.fund.buyer+u.fund.red-back, r.d.rates[0], 2, 0); expected > 0 {
			text := string(appendMicro(nil, expected, 2))
			r.out.truth.Rebates = append(r.out.truth.Rebates, strings.Join([]string{
				r.d.merchants[u.merchant], u.number, u.tradeNo, "statement_missing", text, "", text,
			}, ","))
		}
	}
	return err
}

// paidFor finds the payment of a trade, nil for none, and what its bill refunds of the
// payment's month gave back.
func (r *dayRun) paidFor(no string) (u *unitOfDay, back fen) {
	count := 0
	keys := map[string]bool{}
	books := append(slices.Clone(r.past), r.out)
	for _, e := range books {
		for _, found := range e.byTrade[no] {
			count++
			u = found
			keys[found.key()] = true
		}
	}
	r.doubt(count > 1)
	if u == nil || !u.bill {
		return nil, 0
	}
	for _, e := range books {
		for key := range keys {
			for _, x := range e.refunds[key] {
				if r.d.period(int(x.billTime/midnight)) == r.d.period(int(u.billTime/midnight)) {
					back += x.actual.paid + x.actual.red
				}
			}
		}
	}
	return u, back
}

func (r *dayRun) rebate(u *unitOfDay, expected, paid micro) {
	cause := "ok"
	switch {
	case !u.pos:
		cause = "pid_unknown"
		if paid == expected {
			cause = "ok"
		}
	case u.noPID:
		cause = "pid_missing"
	case paid < expected:
		cause = "statement_short"
	case paid > expected:
		cause = "statement_over"
	}
	r.out.truth.Rebates = append(r.out.truth.Rebates, strings.Join([]string{
		r.d.merchants[u.merchant], u.number, u.tradeNo, cause, string(appendMicro(nil, expected, 2)),
		string(appendMicro(nil, paid, 2)), string(appendMicro(nil, expected-paid, 2)),
	}, ","))
}

// state writes the rows down.
func (r *dayRun) state() {
	t := r.out.truth
	amount := func(there bool, v fen) string {
		if !there {
			return ""
		}
		return string(appendFen(nil, v))
	}
	for _, u := range slices.Concat(r.units, r.again) {
		cells := []string{
			r.d.merchants[u.merchant], u.number, u.status, amount(u.pos, u.posTotal), amount(u.bill, u.total),
			strconv.Itoa(r.day - u.since), u.reason, "?", "?", "?", "?", "?",
		}
		if u.status == "duplicate" {
			cells[5] = "?"
			cells[6] = "?"
		} else if _, f := u.money(); !u.wechat {
			for k, v := range [...]fen{f.buyer, f.red, f.allowance, f.coupon} {
				cells[7+k] = amount(true, v)
			}
			if u.noteRefunded && u.refunded > 0 {
				cells[11] = amount(true, u.refunded)
			}
		}
		t.Trades = append(t.Trades, strings.Join(cells, ","))
	}
	for _, x := range r.refunds {
		cells := []string{
			r.d.merchants[x.merchant], x.number, x.request(), x.status, amount(x.pos, x.posAmount), amount(x.bill, x.amount),
			"?", "?", "?", "?", "?", x.reason,
		}
		if x.pos && x.bill && x.billNo == "" {
			cells[2] = "?"
		}
		if x.cumulative > 0 && (x.counted || x.known) && x.of != nil {
			cells[6] = amount(true, x.cumulative)
			if x.known {
				for k, v := range [...]fen{x.expected.paid, x.expected.red, x.expected.allowance, 0} {
					cells[7+k] = amount(true, v)
				}
			}
		}
		t.Refunds = append(t.Refunds, strings.Join(cells, ","))
	}
	for _, rows := range [][]string{t.Trades, t.Refunds, t.Rebates, t.Breaks} {
		slices.Sort(rows)
	}
	t.Carried = len(r.out.carried) + len(r.out.waiting)
}
