package loaders

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// assembleMessages puts the messages of the run's API logs together to orders and
// refunds, part by part. What comes out depends on the messages and their places
// alone.
func (r *run) assembleMessages(ctx context.Context) error {
	if err := r.messages.settleLoose(r); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(r.opt.Workers, messageParts) {
		group.Go(func() error {
			a := assembler{run: r, all: !r.messages.answered.Load(), idle: map[int32]int64{}, byTrade: map[string]*lane{}}
			for p := next.Add(1) - 1; p < messageParts; p = next.Add(1) - 1 {
				if err := a.part(ctx, &r.messages.parts[p]); err != nil {
					return err
				}
			}
			return a.flush(ctx)
		})
	}
	return group.Wait()
}

// settleLoose finds the out_trade_no of messages that give a trade_no alone: that
// of another message of the trade, the first by rules 1.
func (l *messageLog) settleLoose(r *run) error {
	if len(l.loose) == 0 {
		return l.err()
	}
	type owner struct {
		known      bool
		first      message // its place alone
		outTradeNo []byte
	}
	owners := map[string]*owner{}
	var m message
	for _, encoded := range l.loose {
		m.decode(encoded)
		owners[string(m.text[msgTradeNo])] = new(owner)
	}
	for p := range l.parts {
		err := l.parts[p].each(func(encoded []byte) {
			m.decode(encoded)
			if len(m.text[msgTradeNo]) == 0 || r.tables[m.table].table.Refused {
				return
			}
			if o := owners[string(m.text[msgTradeNo])]; o != nil && (!o.known || m.before(&o.first)) {
				o.known, o.first = true, message{table: m.table, line: m.line, part: m.part}
				o.outTradeNo = bytes.Clone(m.text[msgOutTradeNo])
			}
		})
		if err != nil {
			return err
		}
	}
	var again []byte
	for _, encoded := range l.loose {
		m.decode(encoded)
		o := owners[string(m.text[msgTradeNo])]
		t := r.tables[m.table]
		switch {
		case t.table.Refused:
		case o.known:
			m.text[msgOutTradeNo] = o.outTradeNo
			again = m.encode(again[:0])
			l.add(m.text[msgOutTradeNo], again)
		case !m.has(msgReported):
			t.reject(schema.Reject{
				Line: m.line, Code: rules.CodeMissingValue, Column: "out_trade_no", Amount: schema.Null, Kind: kindOfUnit(m.kind),
				Detail: say(r.opt.Lang, "只有 trade_no，其他报文也没有该交易的 out_trade_no",
					"it gives trade_no alone, and no other message of the trade names its out_trade_no"),
			})
		}
	}
	l.loose = nil
	return l.err()
}

// An assembler makes orders and refunds of messages.
type assembler struct {
	run *run
	all bool // the logs have no answers: what was asked for is taken for done

	arena    []message // of the part, reused
	orders   schema.Orders
	lines    schema.Lines
	refunds  schema.PosRefunds
	returned schema.RefundLines
	idle     map[int32]int64 // by table

	lanes   []*lane // of one out_trade_no
	byTrade map[string]*lane
}

// part assembles one part of the log and lets go of it.
func (a *assembler) part(ctx context.Context, p *messagePart) error {
	a.arena = a.arena[:0]
	err := p.each(func(encoded []byte) {
		if len(a.arena) < cap(a.arena) {
			a.arena = a.arena[:len(a.arena)+1]
		} else {
			a.arena = append(a.arena, message{})
		}
		m := &a.arena[len(a.arena)-1]
		m.decode(encoded)
		if a.run.tables[m.table].table.Refused {
			a.arena = a.arena[:len(a.arena)-1]
		}
	})
	if err != nil {
		return err
	}
	order := make([]*message, len(a.arena))
	for i := range order {
		order[i] = &a.arena[i]
	}
	slices.SortFunc(order, func(x, y *message) int {
		return cmp.Or(bytes.Compare(x.text[msgOutTradeNo], y.text[msgOutTradeNo]),
			cmp.Compare(x.table, y.table), cmp.Compare(x.line, y.line), cmp.Compare(x.part, y.part))
	})
	for from, to := 0, 0; from < len(order); from = to {
		for to = from; to < len(order) && bytes.Equal(order[to].text[msgOutTradeNo], order[from].text[msgOutTradeNo]); to++ {
		}
		a.number(order[from:to])
		if a.lines.Len()+a.returned.Len() >= batchRows {
			if err := a.flush(ctx); err != nil {
				return err
			}
		}
	}
	p.chunks = nil
	return ctx.Err()
}

// flush hands over what has gathered.
func (a *assembler) flush(ctx context.Context) error {
	if len(a.run.tables) == 0 {
		return nil
	}
	t := a.run.tables[0] // any: batches name the tables themselves
	err := t.sendAs(ctx, schema.PosOrders, &a.orders, &a.lines)
	if err == nil {
		err = t.sendAs(ctx, schema.PosRefundsKind, &a.refunds, &a.returned)
	}
	schema.Reset(&a.orders)
	schema.Reset(&a.lines)
	schema.Reset(&a.refunds)
	schema.Reset(&a.returned)
	for number, n := range a.idle {
		table := a.run.tables[number]
		table.mu.Lock()
		table.table.Idle += n
		table.mu.Unlock()
	}
	a.idle = map[int32]int64{}
	return err
}

// A lane is one trade among the messages of an out_trade_no: two merchants may use
// the same number.
type lane struct {
	seller, store uint32
	app, token    uint32
	tradeNo       []byte
	total         int64
	waits         bool       // the last request has no answer yet
	messages      []*message // by place
}

// number deals with all messages of one out_trade_no, which come by place.
func (a *assembler) number(messages []*message) {
	a.lanes = a.lanes[:0]
	clear(a.byTrade)
	for _, m := range inTime(messages) {
		l := a.laneOf(m)
		l.messages = append(l.messages, m)
		fillBlank(&l.seller, m.word[msgSeller])
		fillBlank(&l.app, m.word[msgApp])
		fillBlank(&l.token, m.word[msgToken])
		if !m.kind.ofRefund() { // a refund may be made in another store
			fillBlank(&l.store, m.word[msgStore])
		}
		if len(l.tradeNo) == 0 && len(m.text[msgTradeNo]) > 0 {
			l.tradeNo = m.text[msgTradeNo]
			a.byTrade[string(l.tradeNo)] = l
		}
		if m.number[msgTotal] != schema.Null {
			l.total = m.number[msgTotal]
		}
		l.waits = m.kind.asks()
	}
	for _, l := range a.lanes {
		slices.SortFunc(l.messages, func(x, y *message) int {
			return cmp.Or(cmp.Compare(x.table, y.table), cmp.Compare(x.line, y.line), cmp.Compare(x.part, y.part))
		})
		a.trade(l)
	}
}

func fillBlank(value *uint32, given uint32) {
	if *value == 0 {
		*value = given
	}
}

// laneOf is the trade that a message belongs to: that of its trade_no, else of its
// merchant, else the one that nothing of it speaks against, of several the one with
// its amount or the one that waits for an answer, the later first.
func (a *assembler) laneOf(m *message) *lane {
	trade, seller := m.text[msgTradeNo], m.word[msgSeller]
	if l := a.byTrade[string(trade)]; l != nil && len(trade) > 0 {
		return l
	}
	var best *lane
	rank := -1
	for _, l := range a.lanes[max(0, len(a.lanes)-manyLanes):] {
		sameTrade := len(trade) > 0 && bytes.Equal(trade, l.tradeNo)
		sameSeller := seller != 0 && seller == l.seller
		differs := len(trade) > 0 && len(l.tradeNo) > 0 && !sameTrade || seller != 0 && l.seller != 0 && !sameSeller
		if !sameTrade && !sameSeller {
			differs = differs || other(m.word[msgApp], l.app) || other(m.word[msgToken], l.token) ||
				!m.kind.ofRefund() && other(m.word[msgStore], l.store)
		}
		if differs {
			continue
		}
		r := 0
		for _, point := range []struct {
			holds  bool
			points int
		}{
			{sameTrade, 16},
			{sameSeller || m.word[msgToken] != 0 && m.word[msgToken] == l.token, 8},
			{m.number[msgTotal] != schema.Null && m.number[msgTotal] == l.total, 4},
			{!m.kind.asks() && l.waits, 2},
		} {
			if point.holds {
				r += point.points
			}
		}
		if r >= rank {
			best, rank = l, r
		}
	}
	if best == nil {
		best = &lane{total: schema.Null}
		a.lanes = append(a.lanes, best)
	}
	return best
}

// manyLanes is how many trades of one number, the latest, a message without a
// trade_no may be of.
const manyLanes = 64

func other(a, b uint32) bool { return a != 0 && b != 0 && a != b }

// inTime gives messages in the order of their times, and of their places where
// they have none: one without a time is taken to be of the moment of the one before
// it.
func inTime(messages []*message) []*message {
	type timed struct {
		m    *message
		time int64
	}
	all := make([]timed, len(messages))
	last := int64(schema.Null)
	for i, m := range messages {
		if t := m.number[msgTime]; t != schema.Null {
			last = t
		}
		all[i] = timed{m, last}
	}
	slices.SortStableFunc(all, func(x, y timed) int { return cmp.Compare(x.time, y.time) })
	sorted := make([]*message, len(all))
	for i, t := range all {
		sorted[i] = t.m
	}
	return sorted
}

// trade makes the order of a lane, if it has one, and its refunds.
func (a *assembler) trade(l *lane) {
	timed := inTime(l.messages)
	chain := newRefundChain(l, timed, a.all)
	rest := l.messages
	if chain != nil {
		rest = chain.rest
		chain.emit(a, l)
	}
	if ofItsDay(rest) || chain == nil && paidSomeDay(rest) {
		a.order(l, rest, timed, chain)
		return
	}
	for _, m := range rest {
		if !m.has(msgReported) {
			a.idle[m.table]++
		}
	}
}

// ofItsDay tells whether messages are of an order of the log's own days: it was
// rung up in them, or they show that it was paid on the day on which they were
// logged. A query of an earlier day's trade, before it is refunded, or a notice of
// that refund, makes no order.
func ofItsDay(messages []*message) bool {
	return slices.ContainsFunc(messages, func(m *message) bool {
		switch m.kind {
		case payAsked, payAnswered, offerAnswered:
			return true
		case queryAnswered, notified:
			logged, paid := m.number[msgTime], m.number[msgPaidAt]
			return m.paid() && logged != schema.Null && paid != schema.Null && floorDay(logged) == floorDay(paid)
		case queryAsked, cancelAsked, cancelAnswered, refundAsked, refundAnswered, refundQueried, refundConfirmed:
		}
		return false
	})
}

// paidSomeDay tells whether a query or a notice that does not say when it was
// logged shows that the trade was paid.
func paidSomeDay(messages []*message) bool {
	return slices.ContainsFunc(messages, func(m *message) bool { return m.paid() && m.number[msgTime] == schema.Null })
}

func floorDay(seconds int64) int64 { return seconds / secondsPerDay } // no time is before 1970 here

// order appends the order of a lane: its values on the run of its first message,
// and a run more for every further file that its messages stand in.
func (a *assembler) order(l *lane, messages, timed []*message, chain *refundChain) {
	timed = onlyOf(timed, messages)
	paid := a.all || chain != nil && chain.done()
	var answer, ask, goods, closed, fault *message
	for _, m := range timed {
		if m.has(msgUnread) {
			fault = cmpFirst(fault, m)
			continue
		}
		paid = paid || m.paid()
		if m.paid() && m.number[msgTotal] != schema.Null {
			answer = cmpFirst(answer, m)
		}
		if m.state == tradeClosed || m.kind == cancelAnswered && m.done() {
			closed = m
		}
	}
	total := int64(schema.Null)
	if answer != nil {
		total = answer.number[msgTotal]
	}
	for _, m := range timed { // of several attempts the last with the amount that was paid
		if m.kind != payAsked || m.has(msgUnread) {
			continue
		}
		if ask == nil || total == schema.Null || m.number[msgTotal] == total || ask.number[msgTotal] != total {
			ask = m
		}
	}
	if total == schema.Null && ask != nil {
		total = ask.number[msgTotal]
	}
	o := &a.orders
	run := a.beginOrder(l, messages)
	value := func(at int) int64 { return firstNumber(at, ask, answer, timed) }
	word := func(at int) uint32 { return firstWord(at, ask, timed) }
	if total == schema.Null {
		total = value(msgTotal)
	}
	o.Total[run] = total
	o.TradeNo.Data = append(o.TradeNo.Data, l.tradeNo...) // of the last run so far
	o.TradeNo.Offsets[run+1] = int32(len(o.TradeNo.Data))
	o.Terminal[run], o.Operator[run] = word(msgTerminal), word(msgOperator)
	o.Interface[run], o.Scene[run] = word(msgInterface), word(msgScene)
	o.CouponName[run] = word(msgCoupon)
	o.Undiscountable[run] = value(msgUndiscountable)
	o.Time[run] = rungUpAt(ask, timed)
	if n := value(msgInstalments); n != schema.Null {
		o.Instalments[run] = int32(n)
	}
	switch {
	case paid:
		o.Status[run] = uint8(schema.OrderPaid)
	case closed != nil:
		o.Status[run] = uint8(schema.OrderClosed)
	default:
		o.Status[run] = uint8(schema.OrderUnpaid)
	}
	a.provider(run, ask, timed)
	a.payCode(run, ask, timed)
	a.fund(run, timed, total)
	for _, m := range timed {
		if m.has(msgIndirect) {
			o.Link[run] = uint8(schema.Indirect)
		}
	}
	switch {
	case ask != nil && ask.has(msgHasGoods):
		goods = ask
	default:
		for _, m := range timed {
			if m.has(msgHasGoods) && !m.has(msgUnread) {
				goods = m
			}
		}
	}
	a.conflict(run, timed, answer)
	if total == schema.Null && fault != nil {
		o.Reject[run], o.RejectLine[run] = uint8(fault.fault), fault.line
	}
	a.orderLines(l, run, messages, goods)
}

// onlyOf are those of the messages that are among some.
func onlyOf(all, some []*message) []*message {
	if len(all) == len(some) {
		return all
	}
	among := make(map[*message]bool, len(some))
	for _, m := range some {
		among[m] = true
	}
	var only []*message
	for _, m := range all {
		if among[m] {
			only = append(only, m)
		}
	}
	return only
}

func cmpFirst(first, m *message) *message {
	if first != nil {
		return first
	}
	return m
}

// firstNumber is a number of an order: of its request, else of the answer that
// paid it, else of the first message that gives it.
func firstNumber(at int, ask, answer *message, timed []*message) int64 {
	for _, m := range []*message{ask, answer} {
		if m != nil && m.number[at] != schema.Null {
			return m.number[at]
		}
	}
	for _, m := range timed {
		if m.number[at] != schema.Null && !m.has(msgUnread) {
			return m.number[at]
		}
	}
	return schema.Null
}

// firstWord is firstNumber for a word.
func firstWord(at int, ask *message, timed []*message) uint32 {
	if ask != nil && ask.word[at] != 0 {
		return ask.word[at]
	}
	for _, m := range timed {
		if m.word[at] != 0 && !m.has(msgUnread) {
			return m.word[at]
		}
	}
	return 0
}

// rungUpAt is when an order was rung up: when it was asked to be paid, else when
// Alipay made the trade, else when it was paid.
func rungUpAt(ask *message, timed []*message) int64 {
	if ask != nil && ask.number[msgTime] != schema.Null {
		return ask.number[msgTime]
	}
	for _, at := range []int{msgCreatedAt, msgPaidAt, msgTime} {
		if t := firstNumber(at, nil, nil, timed); t != schema.Null {
			return t
		}
	}
	return schema.Null
}

// beginOrder appends the runs of an order, one a file, all with its merchant and
// store, so that they meet again. It gives the number of the first, which has the
// values.
func (a *assembler) beginOrder(l *lane, messages []*message) int {
	m := messages[0]
	run := appendOrder(&a.orders, m.table, m.line, m.text[msgOutTradeNo])
	a.orders.Merchant[run], a.orders.Store[run] = l.seller, l.store
	a.orders.Flags[run] = schema.OrderMessages
	return run
}

// orderLines appends a line for every message, and one for each of the goods. The
// messages of a further file are a run of their own.
func (a *assembler) orderLines(l *lane, run int, messages []*message, goods *message) {
	for _, m := range messages {
		if m.table != a.orders.Table[run] {
			run = appendOrder(&a.orders, m.table, m.line, m.text[msgOutTradeNo])
			a.orders.Merchant[run], a.orders.Store[run] = l.seller, l.store
			a.orders.Flags[run] = schema.OrderMessages
		}
		flags := uint8(0)
		if m.has(msgUnread) {
			flags = schema.LineOrderRejected
		}
		if m != goods || len(m.goods) == 0 {
			if m.has(msgReported) { // for goods that are not the order's
				flags |= schema.LineOrderRejected
			}
			a.line(run, m.line, messageGoods{quantity: schema.Null, price: schema.Null}, flags|schema.LineNoGoods)
			continue
		}
		for _, g := range m.goods {
			if g.rejected {
				a.line(run, m.line, messageGoods{quantity: schema.Null, price: schema.Null}, flags|schema.LineGoodsRejected)
			} else {
				a.line(run, m.line, g, flags)
			}
			flags |= schema.LineContinues
		}
	}
}

func (a *assembler) line(run int, line int32, g messageGoods, flags uint8) {
	a.orders.Lines[run]++
	l := &a.lines
	l.Line = append(l.Line, line)
	l.Goods = append(l.Goods, g.id)
	l.Name = append(l.Name, g.name)
	l.Quantity = append(l.Quantity, g.quantity)
	l.Price = append(l.Price, g.price)
	l.Flags = append(l.Flags, flags)
}

// provider is the PID that was sent: with the request that was paid, or with any.
func (a *assembler) provider(run int, ask *message, timed []*message) {
	o := &a.orders
	wrong := false
	for _, m := range timed {
		wrong = wrong || m.has(msgWrongKey) && !m.has(msgUnread)
	}
	if ask != nil {
		o.ProviderPID[run], wrong = ask.word[msgProvider], ask.has(msgWrongKey)
	} else {
		o.ProviderPID[run] = firstWord(msgProvider, nil, timed)
	}
	if o.ProviderPID[run] == 0 && wrong {
		o.Flags[run] |= schema.OrderPIDWrongKey
	}
}

// payCode is the payment code of the request that was paid.
func (a *assembler) payCode(run int, ask *message, timed []*message) {
	for _, m := range append([]*message{ask}, timed...) {
		if m == nil || !m.has(msgPayCode) || m.has(msgUnread) {
			continue
		}
		a.orders.PayCode[run], a.orders.PayCodeTail[run] = uint8(m.number[msgPayState]), m.word[msgPayTail]
		return
	}
}

// fund gives the order its funding, from the first answer that tells most, and
// checks the amount identities of every answer.
func (a *assembler) fund(run int, timed []*message, total int64) {
	o := &a.orders
	var best *message
	for _, m := range timed {
		if m.kind.asks() || m.has(msgUnread) {
			continue
		}
		if gap, of := m.gap(); gap != 0 && abs(gap) > abs(o.Gap[run]) {
			o.Gap[run] = gap
			o.Flags[run] = o.Flags[run]&^(schema.OrderGapReceipt|schema.OrderGapBuyerPay) | of
		}
		if best == nil || m.has(msgHasFunds) && !best.has(msgHasFunds) ||
			!best.has(msgHasFunds) && best.number[msgReceipt] == schema.Null && m.number[msgReceipt] != schema.Null {
			best = m
		}
	}
	if best != nil {
		f := best.funding(total)
		o.BuyerPaid[run], o.RedPacket[run], o.Coupon[run] = f.buyerPaid, f.red, f.coupon
		if f.coupon != f.merchant {
			o.Allowance[run] = f.merchant - f.coupon
		}
	}
}

func abs(v int64) int64 { return max(v, -v) }

// conflict finds two answers that say differently what was paid.
func (a *assembler) conflict(run int, timed []*message, answer *message) {
	if answer == nil {
		return
	}
	for _, m := range timed {
		if m.paid() && m.number[msgTotal] != schema.Null && m.number[msgTotal] != answer.number[msgTotal] {
			words := a.run.opt.Words
			a.orders.Conflict[run], a.orders.ConflictLine[run] = words.Code("total_amount"), m.line
			a.orders.ConflictValue[run] = words.Code(rules.Fen(m.number[msgTotal]).String())
			return
		}
	}
}
