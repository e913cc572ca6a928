package gen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// accountKind is what the account bill of Config.Accounts does with a trade. It is
// drawn from a stream of its own, so that a day is the same day without it.
type accountKind uint8

const (
	accountRight    accountKind = iota
	accountMissing              // no row of the trade
	accountOff                  // the payment, or the only refund, is off by some fen
	accountNoFee                // the fee of the payment was not taken
	accountByNumber             // the rows name the order alone
)

// accountShares are the shares of the kinds, in per mille, in their order.
var accountShares = [...]int64{accountMissing: 15, accountOff: 15, accountNoFee: 10, accountByNumber: 60}

// postingLag is how near to midnight a trade is not held against the account bill,
// in seconds.
const postingLag = 60

const accountHeader = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"

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
	if w.cfg.Clean && kind != accountByNumber || o.kind == PaidTwice {
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
	case t.kind == accountMissing && t.late:
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
	for _, row := range t.rows[:t.n] {
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
	case t.n == 0 && !t.moves, t.n > 0 && t.income-t.expense == t.expected:
		return tied
	case t.n == 0:
		return tieMissing
	}
	return tieOff
}

// accounts adds what is true of a record's account rows.
func (e *expected) accounts(o *order, t *tallies) {
	if !e.w.cfg.Accounts {
		return
	}
	for _, tie := range e.w.tiesOf(o, &e.ties) {
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
	if t.n > 0 {
		b = appendFen(b, t.income)
	}
	b = append(b, ',')
	if t.n > 0 {
		b = appendFen(b, t.expense)
	}
	b = append(b, ',')
	b = appendFen(b, t.income-t.expense-t.expected)
	s.b = b
	s.newline()
}

// accountWriter writes the account bill of one merchant.
type accountWriter struct {
	w       *world
	m       int
	out     *sheet
	flow    int64
	balance fen
	in, not movementSum
}

type movementSum struct {
	rows   int64
	amount fen
}

func (m *movementSum) add(v fen) {
	if v != 0 {
		m.rows++
		m.amount += v
	}
}

// writeAccounts writes account/, a bill for each merchant.
func (w *world) writeAccounts(ctx context.Context, dir string) error {
	if !w.cfg.Accounts {
		return nil
	}
	o := new(order)
	for m := range w.merchants {
		if err := w.writeAccount(ctx, dir, m, o); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) writeAccount(ctx context.Context, dir string, m int, o *order) error {
	s, err := createSheet(dir, "account/"+w.merchants[m].pid+billSuffix+"_"+w.compact+"_账务明细.csv")
	if err != nil {
		return err
	}
	s.encoding = gb18030
	p := accountWriter{w: w, m: m, out: s, balance: 1_000_000}
	f := &billFile{w: w, m: m}
	f.preamble(s, "账务明细", 41, 40)
	s.line(accountHeader)
	var ties [2]tie
	for k := range w.merchants[m].count {
		if k%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		w.build(w.index(m, k), o)
		for _, t := range w.tiesOf(o, &ties) {
			for i := range t.rows[:t.n] {
				p.row(&t.rows[i], t.tradeNo, o.billNumber)
			}
		}
	}
	p.others()
	s.line("#" + strings.Repeat("-", 41) + "账务明细列表结束" + strings.Repeat("-", 36))
	s.line(fmt.Sprintf("#支出合计：%d笔，共%s元", p.not.rows, appendFen(nil, p.signed(p.not.amount))))
	s.line(fmt.Sprintf("#收入合计：%d笔，共%s元", p.in.rows, appendFen(nil, p.in.amount)))
	f.exported(s)
	if err := s.finish(); err != nil {
		return err
	}
	return ctx.Err()
}

// others are rows beyond the trade bill.
func (p *accountWriter) others() {
	for _, row := range []accountRow{
		{time: 3600, in: 880, kind: "在线支付", beside: "personal"},
		{time: 7200, out: 250, kind: "收费"},
		{time: 79_200, out: 500_000, kind: "提现", beside: "withdrawal"},
		{time: 79_201, kind: "转账", beside: "transfer"},
	} {
		p.row(&row, nil, nil)
	}
}

// signed is an expense as the merchant's bills write it.
func (p *accountWriter) signed(v fen) fen {
	if p.w.merchants[p.m].positive {
		return v
	}
	return -v
}

func (p *accountWriter) row(row *accountRow, tradeNo, number []byte) {
	p.flow++
	p.balance += row.in - row.out
	p.in.add(row.in)
	p.not.add(row.out)
	b := append(p.out.b, p.w.compact...)
	b = appendDigits(b, p.flow, 8)
	b = append(b, "\t,"...)
	if row.beside != "" {
		b = append(b, p.w.compact...)
		b = strconv.AppendInt(append(b, "9900"...), p.flow, 10)
		b = append(b, row.beside...)
	} else if !row.numberOnly {
		b = append(b, tradeNo...)
	}
	b = append(b, "\t,"...)
	b = append(b, number...)
	b = append(b, "\t,,"...)
	b = append(b, p.w.day...)
	b = appendClock(b, row.time)
	b = append(b, ",,"...)
	b = appendFen(b, row.in)
	b = append(b, ',')
	b = appendFen(b, p.signed(row.out))
	b = append(b, ',')
	b = appendFen(b, p.balance)
	b = append(b, ',')
	b = append(b, channelCell.gbk...)
	kind := rawCell(row.kind)
	b = append(b, kind.gbk...)
	b = append(b, ',')
	p.out.b = b
	p.out.newline()
}

var channelCell = rawCell("支付宝,")
