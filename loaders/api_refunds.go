package loaders

import (
	"cmp"
	"slices"

	"duizhang/engine/schema"
)

// A messageRefund is one refund of a trade: asked for once or several times under
// one number, answered, confirmed.
type messageRefund struct {
	requestNo []byte
	amount    int64 // what was asked for, or what the cumulative amounts leave; Null
	time      int64 // when the money went back, else when it was asked for
	done      bool
	ask       *message   // the first that asked for it; nil where only answers are known
	asked     []int      // places of its requests among the trade's messages in time
	messages  []*message // by place
}

// A refundChain is the refunds of one trade.
type refundChain struct {
	timed   []*message
	refunds []*messageRefund
	rest    []*message // messages that speak of no refund

	byNumber map[string]*messageRefund
	byAmount map[int64]*messageRefund // asked for without a number
	byAsk    map[*message]*messageRefund
	byLine   map[[2]int32]*messageRefund // of its first request
	open     int                         // refunds before it are taken
}

// newRefundChain finds the refunds among a trade's messages; nil if there are
// none. all: the logs have no answers, so that what was asked for is taken for done.
//
// An answer gives refund_fee, what all refunds of the trade come to so far, and not
// the number of the one that was asked for. So the amounts that occur, in rising
// order, are the trade's refunds one after the other, and the difference of two is
// the later one's: with it, the request is found. A request that is repeated has
// its refund's number, and its answer the same refund_fee.
func newRefundChain(l *lane, timed []*message, all bool) *refundChain {
	if !slices.ContainsFunc(timed, func(m *message) bool {
		return m.kind.ofRefund() || m.has(msgRefundNot) || m.kind == cancelAnswered && m.has(msgRefunded)
	}) {
		return nil
	}
	c := &refundChain{
		timed: timed, byNumber: map[string]*messageRefund{}, byAmount: map[int64]*messageRefund{},
		byAsk: map[*message]*messageRefund{}, byLine: map[[2]int32]*messageRefund{},
	}
	var answers []*message
	for i, m := range timed {
		if m.has(msgUnread) {
			continue
		}
		switch m.kind {
		case refundAsked:
			r := c.asked(m)
			r.asked = append(r.asked, i)
			r.messages = append(r.messages, m)
			r.done = r.done || all
		case cancelAnswered:
			if m.done() && m.has(msgRefunded) {
				c.refunds = append(c.refunds, &messageRefund{
					amount: l.total, done: true, time: firstGiven(m.number[msgRefundedAt], m.number[msgTime]), messages: []*message{m},
				})
			}
		case refundAnswered:
			if m.done() {
				answers = append(answers, m)
			}
		case notified:
			if m.has(msgRefundNot) {
				answers = append(answers, m)
			}
		case payAsked, payAnswered, offerAnswered, queryAsked, queryAnswered, cancelAsked, refundQueried, refundConfirmed:
		}
	}
	c.confirm()
	c.follow(answers)
	if len(c.refunds) == 0 {
		return nil
	}
	c.attach(l)
	return c
}

// asked is the refund that a request asks for: the one of its number, or without a
// number the one of its amount.
func (c *refundChain) asked(m *message) *messageRefund {
	no, amount := m.text[msgRequestNo], m.number[msgRefundAmount]
	r := c.named(no)
	if len(no) == 0 {
		r = c.byAmount[amount]
	}
	if r != nil {
		return r
	}
	r = &messageRefund{requestNo: no, amount: amount, time: m.number[msgTime], ask: m}
	c.add(r)
	c.byAsk[m] = r
	if at := [2]int32{m.table, m.line}; c.byLine[at] == nil {
		c.byLine[at] = r
	}
	if len(no) == 0 {
		c.byAmount[amount] = r
	}
	return r
}

// add appends a refund.
func (c *refundChain) add(r *messageRefund) {
	c.refunds = append(c.refunds, r)
	if len(r.requestNo) > 0 && c.named(r.requestNo) == nil {
		c.byNumber[string(r.requestNo)] = r
	}
}

// confirm takes the answers to refund queries, which name their refund.
func (c *refundChain) confirm() {
	for _, m := range c.timed {
		if m.kind != refundConfirmed || !m.has(msgRefunded) || m.has(msgUnread) {
			continue
		}
		r := c.named(m.text[msgRequestNo])
		if r == nil {
			r = &messageRefund{requestNo: m.text[msgRequestNo], amount: m.number[msgRefundAmount], time: schema.Null}
			c.add(r)
		}
		r.finish(m)
	}
}

// named is the refund of a number; nil if there is none.
func (c *refundChain) named(no []byte) *messageRefund {
	if len(no) == 0 {
		return nil
	}
	return c.byNumber[string(no)]
}

// finish notes that the refund is done.
func (r *messageRefund) finish(m *message) {
	at := firstGiven(m.number[msgRefundedAt], m.number[msgTime])
	if at != schema.Null && (!r.done || r.time == schema.Null) && !m.has(msgRepeat) {
		r.time = at
	}
	r.done = true
	r.messages = append(r.messages, m)
}

// follow gives the answers to their refunds, along the cumulative amounts.
func (c *refundChain) follow(answers []*message) {
	place := make(map[*message]int, len(c.timed))
	for i, m := range c.timed {
		place[m] = i
	}
	slices.SortStableFunc(answers, func(x, y *message) int {
		return cmp.Compare(orZero(x.number[msgRefundFee]), orZero(y.number[msgRefundFee]))
	})
	before := int64(0)
	taken := map[*messageRefund]bool{}
	for from, to := 0, 0; from < len(answers); from = to {
		fee := answers[from].number[msgRefundFee]
		for to = from; to < len(answers) && answers[to].number[msgRefundFee] == fee; to++ {
		}
		same := answers[from:to]
		step := int64(schema.Null)
		if fee != schema.Null {
			step = fee - before
			before = fee
		}
		r := c.refundOf(same, step, fee, place, taken)
		if r == nil {
			r = &messageRefund{amount: step, time: schema.Null}
			c.refunds = append(c.refunds, r)
		}
		taken[r] = true
		if r.amount == schema.Null {
			r.amount = step
		}
		for _, m := range same {
			r.finish(m)
		}
	}
}

// refundOf is the refund that answers with one refund_fee are of: the one that
// they name or stand on a line with; else one of the amount that refund_fee has
// grown by, the last that was asked for before the answer; else, as earlier refunds
// may be of another day, the first that is still open and not larger.
func (c *refundChain) refundOf(same []*message, step, fee int64, place map[*message]int, taken map[*messageRefund]bool) *messageRefund {
	first := len(c.timed)
	for _, m := range same {
		first = min(first, place[m])
		if r := c.named(m.text[msgRequestNo]); r != nil {
			return r
		}
		if r := c.byLine[[2]int32{m.table, m.line}]; r != nil && !taken[r] {
			return r
		}
	}
	for c.open < len(c.refunds) && taken[c.refunds[c.open]] {
		c.open++
	}
	// No trade has many refunds; a log in which one number stands for many must not
	// take for ever.
	var exact, before, open *messageRefund
	for _, r := range c.refunds[c.open:min(len(c.refunds), c.open+manyRefunds)] {
		if r.ask == nil || taken[r] {
			continue
		}
		if r.amount == step || step == schema.Null {
			exact = cmpFirstRefund(exact, r)
			if r.asked[0] < first {
				before = r
			}
		}
		if fee == schema.Null || r.amount == schema.Null || r.amount <= fee {
			open = cmpFirstRefund(open, r)
		}
	}
	switch {
	case before != nil:
		return before
	case exact != nil:
		return exact
	}
	return open
}

// manyRefunds is how many open refunds are looked at for an answer.
const manyRefunds = 1000

func cmpFirstRefund(first, r *messageRefund) *messageRefund {
	if first != nil {
		return first
	}
	return r
}

// attach gives every message that speaks of refunds alone to a refund: requests
// and queries by their number, others to the one asked for last before them. What
// is left is the order's.
func (c *refundChain) attach(l *lane) {
	owned := map[*message]bool{}
	for _, r := range c.refunds {
		for _, m := range r.messages {
			owned[m] = true
		}
	}
	last := c.refunds[0]
	for _, m := range c.timed {
		switch {
		case owned[m]:
			if r := c.byAsk[m]; r != nil {
				last = r
			}
		case m.kind.ofRefund():
			r := c.named(m.text[msgRequestNo])
			if r == nil {
				r = last
			}
			r.messages = append(r.messages, m)
			owned[m] = true
		}
	}
	for _, m := range l.messages {
		if !owned[m] {
			c.rest = append(c.rest, m)
		}
	}
	for _, r := range c.refunds {
		slices.SortFunc(r.messages, func(x, y *message) int {
			return cmp.Or(cmp.Compare(x.table, y.table), cmp.Compare(x.line, y.line), cmp.Compare(x.part, y.part))
		})
	}
}

// done tells whether money went back, for which it must have come before.
func (c *refundChain) done() bool {
	return slices.ContainsFunc(c.refunds, func(r *messageRefund) bool { return r.done })
}

// emit appends the refunds.
func (c *refundChain) emit(a *assembler, l *lane) {
	for _, r := range c.refunds {
		a.refund(l, r)
	}
}

// refund appends one refund: a run for each file that its messages stand in, all
// with what tells it from others.
func (a *assembler) refund(l *lane, r *messageRefund) {
	f := &a.refunds
	run := -1
	for _, m := range r.messages {
		if run < 0 || m.table != f.Table[run] {
			run = a.beginRefund(l, r, m)
		}
		flags := uint8(0)
		if m.has(msgReported) && (m.has(msgUnread) || m != r.ask) {
			flags = schema.LineOrderRejected
		}
		if m != r.ask || len(m.goods) == 0 {
			a.returnedLine(run, m.line, messageGoods{quantity: schema.Null}, flags|schema.LineNoGoods)
			continue
		}
		for _, g := range m.goods {
			if g.rejected {
				a.returnedLine(run, m.line, messageGoods{quantity: schema.Null}, flags|schema.LineGoodsRejected)
			} else {
				a.returnedLine(run, m.line, g, flags)
			}
			flags |= schema.LineContinues
		}
	}
}

func (a *assembler) beginRefund(l *lane, r *messageRefund, m *message) int {
	f := &a.refunds
	run := f.Len()
	f.Table = append(f.Table, m.table)
	f.Line = append(f.Line, m.line)
	f.Lines = append(f.Lines, 0)
	f.OutTradeNo.Append(m.text[msgOutTradeNo])
	f.TradeNo.Append(l.tradeNo)
	f.RequestNo.Append(r.requestNo)
	f.Merchant = append(f.Merchant, l.seller)
	store := l.store
	if r.ask != nil && r.ask.word[msgStore] != 0 {
		store = r.ask.word[msgStore]
	}
	f.Store = append(f.Store, store)
	f.Time = append(f.Time, r.time)
	f.Amount = append(f.Amount, r.amount)
	f.Mode = append(f.Mode, 0)
	undone := uint8(1)
	if r.done {
		undone = 0
	}
	f.Undone = append(f.Undone, undone)
	f.Reject = append(f.Reject, 0)
	f.RejectLine = append(f.RejectLine, 0)
	f.Conflict = append(f.Conflict, 0)
	f.ConflictLine = append(f.ConflictLine, 0)
	f.ConflictValue = append(f.ConflictValue, 0)
	return run
}

func (a *assembler) returnedLine(run int, line int32, g messageGoods, flags uint8) {
	a.refunds.Lines[run]++
	l := &a.returned
	l.Line = append(l.Line, line)
	l.Goods = append(l.Goods, g.id)
	l.Quantity = append(l.Quantity, g.quantity)
	l.Flags = append(l.Flags, flags)
}
