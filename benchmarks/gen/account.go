package gen

// accountKind is what the account bill of Config.Accounts does with a trade. It is
// drawn from a stream of its own, so that a day is the same day without it.
type accountKind uint8

const (
	accountRight    accountKind = iota
	accountMissing              // no row of the trade
	accountOff                  // the payment, or the only refund, is off by some fen
	accountNoFee                // the fee of the payment was not taken
	accountByNumber             // the rows name the order alone
	accountRejected             // the first row has a time that is none
)

// accountShares are the shares of the kinds, in per mille, in their order.
var accountShares = [...]int64{accountMissing: 15, accountOff: 15, accountNoFee: 10, accountByNumber: 60, accountRejected: 10}

// postingLag is how near to midnight a trade is not held against the account bill,
// in seconds.
const postingLag = 60

// A tie is a trade of the bill, what the account bill must have of it, and what it
// has.
type tie struct {
	tradeNo         []byte
	second          bool // of PaidTwice
	kind            accountKind
	expected        fen
	income, expense fen
	n               int
	rows            [2 + 2*maxRefunds]accountRow
	read            int  // of them, those that can be read
	moves           bool // the trade bill moves money
	late            bool // some of it in the last minute of the day
}

// An accountRow is one row of an account bill.
type accountRow struct {
	time       int64
	in, out    fen
	kind       string
	beside     string // instead of a trade_no and an order number, the one's
	numberOnly bool
	badTime    bool
}

func (t *tie) add(time int64, in, out fen, kind string) {
	if in != 0 || out != 0 {
		t.rows[t.n] = accountRow{time: time, in: in, out: out, kind: kind, numberOnly: t.kind == accountByNumber}
		t.n++
	}
}

// tiesOf are the trades of a record that the trade bill has: its payment with the
// refunds, and the second payment of an order that was paid twice.
func (w *world) tiesOf(o *order, ties *[2]tie) []tie {
	t := &ties[0]
	*t = tie{tradeNo: o.tradeNo, kind: w.accountKindOf(o)}
	if o.bill {
		t.pay(o)
	}
	for k := range o.nRefunds {
		if ref := &o.refunds[k]; ref.bill {
			t.refund(ref)
		}
	}
	if !o.bill && t.n == 0 && !t.moves {
		return nil
	}
	t.plant(w, o)
	if o.kind != PaidTwice {
		return ties[:1]
	}
	second := &ties[1]
	*second = tie{tradeNo: o.secondTradeNo, second: true}
	second.pay(o)
	second.plant(w, o)
	return ties[:2]
}

// tiedOut tells whether the account bill of the merchant names trades: without, none
// can be missing from it.
func (w *world) tiedOut(m int) bool {
	layout := w.accountLayout(m)
	return layout.has(accTradeNo) || layout.has(accNumber)
}

// accountKindOf draws the kind. What two trades share a number is never left to
// the number, and what could still be posted is never missing.
func (w *world) accountKindOf(o *order) accountKind {
	r := streamOf(w.cfg.Seed, o.i, 0xacc0)
	x := r.n(1000)
	kind := accountRight
	for k, share := range accountShares {
		if x < share {
			kind = accountKind(k)
			break
		}
		x -= share
	}
	if w.cfg.Clean && kind != accountByNumber || w.cfg.NoRejects && kind == accountRejected || o.kind == PaidTwice {
		return accountRight
	}
	return kind
}

func (t *tie) pay(o *order) {
	t.expected += o.received - o.fee
	t.moves = t.moves || o.received != o.fee
	t.late = t.late || o.finished >= midnight-postingLag
	t.add(o.finished, o.received, 0, "在线支付")
	if t.kind != accountNoFee {
		t.add(o.finished, 0, o.fee, "收费")
	}
}

func (t *tie) refund(ref *refund) {
	t.expected -= ref.received - ref.fee
	t.moves = t.moves || ref.received != ref.fee
	t.late = t.late || ref.billTime >= midnight-postingLag
	t.add(ref.billTime, 0, ref.received, "交易退款")
	t.add(ref.billTime, ref.fee, 0, "收费")
}

// plant changes the rows as the kind says, and adds up what is there.
func (t *tie) plant(w *world, o *order) {
	r := streamOf(w.cfg.Seed, o.i, 0xacc1)
	switch {
	case (t.kind == accountMissing || t.kind == accountRejected) && t.late:
		t.kind = accountRight
	case t.kind == accountMissing:
		t.n = 0
	case t.kind == accountOff && t.n > 0:
		off := r.between(1, 500)
		if row := &t.rows[0]; row.in > 0 {
			row.in += off
		} else {
			row.out += off
		}
	}
	if t.kind == accountRejected && t.n > 0 {
		t.rows[0].badTime = true
	}
	for _, row := range t.rows[:t.n] {
		if row.badTime {
			continue
		}
		t.read++
		t.income += row.in
		t.expense += row.out
	}
}

// accountStatuses are those of the table accounts that a day has.
const (
	tied           = "matched"
	tieOff         = "account_mismatch"
	tieMissing     = "account_missing"
	accountColumns = "merchant_pid,out_trade_no,trade_no,status,expected,income,expense,difference"
)

func (t *tie) status() string {
	switch {
	case t.read == 0 && !t.moves, t.read > 0 && t.income-t.expense == t.expected:
		return tied
	case t.read == 0:
		return tieMissing
	}
	return tieOff
}

// accounts adds what is true of a record's account rows.
func (e *expected) accounts(o *order, t *tallies) {
	if !e.w.cfg.Accounts {
		return
	}
	linked := e.w.tiedOut(o.m)
	for _, tie := range e.w.tiesOf(o, &e.ties) {
		if tie.n > tie.read {
			t.rejects[rTimeSyntax]++
		}
		if !linked {
			e.beyond.addTie(&tie)
			continue
		}
		status := tie.status()
		switch status {
		case tieMissing:
			t.found(bAccountMissing, abs(tie.expected))
		case tieOff:
			t.found(bAccountMismatch, abs(tie.income-tie.expense-tie.expected))
		}
		if e.ledger != nil {
			e.tie(o, &tie, status)
		}
	}
}

func (e *expected) tie(o *order, t *tie, status string) {
	s, key := e.ledger, e.key
	if !o.pos || t.second {
		key = e.billKey
	}
	b := key(s, o)
	b = append(b, t.tradeNo...)
	b = append(b, ',')
	b = append(b, status...)
	b = append(b, ',')
	b = appendFen(b, t.expected)
	b = append(b, ',')
	if t.read > 0 {
		b = appendFen(b, t.income)
	}
	b = append(b, ',')
	if t.read > 0 {
		b = appendFen(b, t.expense)
	}
	b = append(b, ',')
	b = appendFen(b, t.income-t.expense-t.expected)
	s.b = b
	s.newline()
}
