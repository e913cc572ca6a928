package engine

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An order is one POS order: its runs joined.
type order struct {
	run      int32 // the run that holds the order's values; the first
	tradeRun int32 // the run that gives the trade_no, or -1
	last     int32 // the last run joined
	key      int32 // group of the out_trade_no
	trade    int32 // group of the trade_no, or -1
	merchant uint32
	excluded rules.Reason
	rejected bool
	first    int32 // of a duplicate: the order that counts; else -1
	bill     int32 // the payment that it matches, or -1
	byTrade  bool  // matched by trade_no

	again bool  // it was taken apart from its payment: an earlier day settled it
	apart int32 // the payment that it was taken apart from
}

// A posRefund is one POS refund: its runs joined.
type posRefund struct {
	run      int32
	last     int32
	key      int32
	trade    int32
	merchant uint32
	rejected bool
	first    int32
	bill     int32 // the bill refund that it matches, or -1
}

// number gives every row its groups: by out_trade_no and by trade_no.
func (w *worker) number() {
	w.numberKeys()
	w.numberTrades()
}

func (w *worker) numberKeys() {
	r := &w.rows
	n := r.Orders.Len() + r.Bills.Len() + r.Refunds.Len() + r.Statements.Len() + r.Accounts.Len()
	if w.p.job.History != nil {
		n *= 2 // out_trade_nos of earlier days come on top
	}
	w.keys.reset(n)
	w.orderKey = w.group(w.orderKey, &w.keys, &r.Orders.OutTradeNo)
	w.refundKey = w.group(w.refundKey, &w.keys, &r.Refunds.OutTradeNo)
	w.billKey = w.group(w.billKey, &w.keys, &r.Bills.OutTradeNo)
	w.statementKey = w.group(w.statementKey, &w.keys, &r.Statements.OutTradeNo)
	w.accountKey = w.group(w.accountKey, &w.keys, &r.Accounts.OutTradeNo)
}

func (w *worker) numberTrades() {
	r := &w.rows
	w.trades.reset(r.Orders.Len() + r.Bills.Len() + r.Refunds.Len() + r.Statements.Len() + r.Accounts.Len())
	w.orderTrade = w.group(w.orderTrade, &w.trades, &r.Orders.TradeNo)
	w.refundTrade = w.groupBeside(w.refundTrade, w.refundKey, &r.Refunds.TradeNo)
	w.billTrade = w.groupBeside(w.billTrade, w.billKey, &r.Bills.TradeNo)
	w.statementTrade = w.group(w.statementTrade, &w.trades, &r.Statements.TradeNo)
	w.accountTrade = w.group(w.accountTrade, &w.trades, &r.Accounts.TradeNo)
	w.flows.reset(r.Accounts.Len())
	w.accountFlow = w.group(w.accountFlow, &w.flows, &r.Accounts.Flow)
}

func (w *worker) group(group []int32, g *groups, text *schema.Text) []int32 {
	group = group[:0]
	if text.Len() == 0 {
		return group
	}
	column := g.text(text)
	var hashes [groupsAhead]uint64
	for from := 0; from < text.Len(); from += groupsAhead {
		n := min(groupsAhead, text.Len()-from)
		for k := range n {
			hashes[k] = w.p.hash(text.At(from + k))
		}
		g.lookAhead(hashes[:n])
		for k := range n {
			if len(text.At(from+k)) == 0 {
				group = append(group, -1)
				continue
			}
			group = append(group, g.addIn(hashes[k], column, from+k))
		}
	}
	return group
}

// groupBeside is group for the trade_nos of rows with those keys. Nearly all are that
// of the order with the same key: where rows stand in the order of their keys, it is
// found on the way, and nothing is looked up.
func (w *worker) groupBeside(group, keys []int32, text *schema.Text) []int32 {
	orders := &w.rows.Orders.TradeNo
	group = group[:0]
	order := 0
	column := w.trades.text(text)
	for row, key := range keys {
		trade := text.At(row)
		if len(trade) == 0 {
			group = append(group, -1)
			continue
		}
		for order < len(w.orderKey)-1 && w.orderKey[order] < key {
			order++
		}
		if order < len(w.orderKey) && w.orderTrade[order] >= 0 && bytes.Equal(orders.At(order), trade) {
			group = append(group, w.orderTrade[order])
			continue
		}
		group = append(group, w.trades.addIn(w.p.hash(trade), column, row))
	}
	return group
}

// lineStarts gives the first line of each run.
func lineStarts(starts, counts []int32) []int32 {
	starts = append(starts[:0], 0)
	for i, n := range counts {
		starts = append(starts, starts[i]+n)
	}
	return starts
}

// assembleOrders joins the runs of each order, rejects those that cannot be one,
// and finds the duplicates.
func (w *worker) assembleOrders() {
	in := &w.rows.Orders
	w.orderLine = lineStarts(w.orderLine, in.Lines)
	w.runsByKey.build(w.p.places, w.keys.len(), w.orderKey, in.Table, in.Line)
	w.nextRun = append(w.nextRun[:0], make([]int32, in.Len())...)
	w.orders = w.orders[:0]
	w.orderStart = w.orderStart[:0]
	for key := range int32(w.keys.len()) {
		base := len(w.orders)
		w.orderStart = append(w.orderStart, int32(base))
		for _, run := range w.runsByKey.of(key) {
			w.addRun(base, key, run)
		}
		// Merchants may number their orders alike; those of one stay in their order.
		slices.SortStableFunc(w.orders[base:], func(a, b order) int { return cmp.Compare(a.merchant, b.merchant) })
		for i, first := base, base; i < len(w.orders); i++ {
			if w.orders[i].merchant != w.orders[first].merchant {
				first = i
			}
			w.finishOrder(first, i)
		}
	}
	w.orderStart = append(w.orderStart, int32(len(w.orders)))
}

// ordersOf are the orders of an out_trade_no and a merchant, in order, with the
// number of the first.
func (w *worker) ordersOf(key int32, merchant uint32) (int32, []order) {
	if key < 0 {
		return 0, nil
	}
	from, to := w.orderStart[key], w.orderStart[key+1]
	from += int32(sort.Search(int(to-from), func(i int) bool { return w.orders[int(from)+i].merchant >= merchant }))
	end := from
	for end < to && w.orders[end].merchant == merchant {
		end++
	}
	return from, w.orders[from:end]
}

// addRun joins the run to its order: the one of its source and merchant. A run
// that names neither merchant nor store continues the first of its source.
func (w *worker) addRun(base int, key, run int32) {
	in := &w.rows.Orders
	w.nextRun[run] = -1
	merchant := w.p.posMerchant(in.Merchant[run], in.Store[run], w.p.isPID)
	if i := w.orderToJoin(base, run, merchant); i >= 0 {
		w.joinRun(&w.orders[i], run)
		return
	}
	o := order{
		run: run, last: run, tradeRun: -1, key: key, trade: w.orderTrade[run],
		merchant: merchant, first: -1, bill: -1,
	}
	if o.trade >= 0 {
		o.tradeRun = run
	}
	w.orders = append(w.orders, o)
	w.noteJoinable(base, len(w.orders)-1)
}

// A joinable is what runs of one order have in common.
type joinable struct {
	source   int32
	merchant uint32
}

// anyMerchant stands in a joinable for the first order of a source.
const anyMerchant = 1<<32 - 1

// orderToJoin is the order of w.orders[base:] that the run belongs to, or -1.
func (w *worker) orderToJoin(base int, run int32, merchant uint32) int {
	in := &w.rows.Orders
	if in.Flags[run]&schema.OrderWhole != 0 {
		return -1
	}
	silent := silent(in.Merchant[run], in.Store[run])
	if len(w.orders)-base > many {
		want := joinable{w.p.source(in.Table[run]), merchant}
		if silent {
			want.merchant = anyMerchant
		}
		if i, ok := w.joinables[want]; ok {
			return int(i)
		}
		return -1
	}
	for i := base; i < len(w.orders); i++ {
		o := &w.orders[i]
		if w.p.oneSource(in.Table[o.run], in.Table[run]) && (o.merchant == merchant || silent) {
			return i
		}
	}
	return -1
}

// noteJoinable keeps the index of the orders of one number, once they are many.
func (w *worker) noteJoinable(base, i int) {
	from := i
	switch n := i + 1 - base; {
	case n <= many:
		return
	case n == many+1:
		clear(w.joinables)
		from = base
	}
	for ; from <= i; from++ {
		o := &w.orders[from]
		source := w.p.source(w.rows.Orders.Table[o.run])
		for _, key := range [...]joinable{{source, o.merchant}, {source, anyMerchant}} {
			if _, ok := w.joinables[key]; !ok {
				w.joinables[key] = int32(from)
			}
		}
	}
}

// joinRun fills the order's blanks from a further run of it; where both give a
// value they must agree.
func (w *worker) joinRun(o *order, run int32) {
	in := &w.rows.Orders
	w.nextRun[o.last] = run
	o.last = run
	at := o.run
	conflict := func(column string) {
		if in.Conflict[at] == 0 {
			in.Conflict[at] = w.p.words.Code(column)
			in.ConflictLine[at] = in.Line[run]
		}
	}
	if in.Conflict[at] == 0 && in.Conflict[run] != 0 {
		in.Conflict[at], in.ConflictLine[at], in.ConflictValue[at] = in.Conflict[run], in.ConflictLine[run], in.ConflictValue[run]
	}
	if in.Reject[at] == 0 && in.Reject[run] != 0 {
		in.Reject[at], in.RejectLine[at] = in.Reject[run], in.RejectLine[run]
	}
	switch trade := w.orderTrade[run]; {
	case trade < 0:
	case o.trade < 0:
		o.trade, o.tradeRun = trade, run
	case trade != o.trade:
		conflict("trade_no")
	}
	for _, c := range w.joined {
		if !joinValue(c.values, at, run, c.blank) {
			conflict(c.name)
		}
	}
	for _, c := range w.joinedWords {
		if !joinValue(c.values, at, run, 0) {
			conflict(c.name)
		}
	}
	for _, c := range w.joinedBytes {
		if !joinValue(c.values, at, run, 0) {
			conflict(c.name)
		}
	}
	if !joinValue(in.Instalments, at, run, -1) {
		conflict("hb_fq_num")
	}
}

// A joinedColumn is an order column that may be blank after the first line.
type joinedColumn[T comparable] struct {
	name   string
	values []T
	blank  T
}

// joinValue fills a blank; false if the two values differ.
func joinValue[T comparable](values []T, at, run int32, blank T) bool {
	switch {
	case values[run] == blank:
	case values[at] == blank:
		values[at] = values[run]
	default:
		return values[at] == values[run]
	}
	return true
}

func (w *worker) prepareJoin() {
	in := &w.rows.Orders
	amount := func(name string, v []int64) joinedColumn[int64] { return joinedColumn[int64]{name, v, schema.Null} }
	w.joined = append(w.joined[:0],
		amount("order_time", in.Time), amount("total_amount", in.Total),
		amount("undiscountable_amount", in.Undiscountable), amount("buyer_paid", in.BuyerPaid),
		amount("red_packet", in.RedPacket), amount("allowance", in.Allowance), amount("coupon", in.Coupon))
	word := func(name string, v []uint32) joinedColumn[uint32] { return joinedColumn[uint32]{name, v, 0} }
	w.joinedWords = append(w.joinedWords[:0],
		word("store_id", in.Store), word("terminal_id", in.Terminal), word("operator_id", in.Operator),
		word("interface", in.Interface), word("channel", in.Channel), word("coupon_name", in.CouponName),
		word("sys_service_provider_id", in.ProviderPID), word("scene", in.Scene),
		word("pay_code", in.PayCodeTail), word("shift", in.Shift))
	octet := func(name string, v []uint8) joinedColumn[uint8] { return joinedColumn[uint8]{name, v, 0} }
	w.joinedBytes = append(w.joinedBytes[:0], octet("status", in.Status), octet("link", in.Link), octet("pay_code", in.PayCode))
}

// finishOrder judges a joined order: rejected, excluded or a duplicate.
func (w *worker) finishOrder(base, i int) {
	in := &w.rows.Orders
	o := &w.orders[i]
	at := o.run
	w.totals.orders.add(in.Total[at])
	switch {
	case in.Reject[at] != 0:
		w.rejectOrder(o, rules.Code(in.Reject[at]), "", in.RejectLine[at], "")
		return
	case o.merchant == 0 && in.Excluded[at] == 0: // before a conflict: without a merchant nobody knows that it is one order
		w.rejectOrder(o, rules.CodeMerchantUnknown, "merchant_pid", in.Line[at], w.p.text(in.Merchant[at]))
		return
	case in.Conflict[at] != 0:
		w.rejectOrder(o, rules.CodeOrderConflict, w.p.words.Texts()[in.Conflict[at]], in.ConflictLine[at], w.p.text(in.ConflictValue[at]))
		return
	case in.Time[at] == schema.Null && in.Excluded[at] == 0:
		w.rejectOrder(o, rules.CodeMissingValue, "order_time", in.Line[at], "")
		return
	case in.Total[at] == schema.Null:
		w.rejectOrder(o, rules.CodeMissingValue, "total_amount", in.Line[at], "")
		return
	}
	for k := base; k < i; k++ {
		// An order that its source leaves out (the online side) takes no number from
		// the POS: the sale that it may show again counts once, as the POS's.
		if e := &w.orders[k]; !e.rejected && e.first < 0 && e.merchant == o.merchant && w.leftOut(e) == w.leftOut(o) {
			o.first = int32(k)
			return
		}
	}
	switch {
	case in.Excluded[at] != 0:
		o.excluded = rules.Reason(in.Excluded[at])
	case in.Channel[at] != 0 && in.Channel[at] != w.p.alipay:
		o.excluded = rules.ReasonOtherChannel
	case w.paid(o) && in.Total[at] == 0:
		o.excluded = rules.ReasonZeroAmount
	}
}

// leftOut: the order's source says that it is not the POS's to reconcile.
func (w *worker) leftOut(o *order) bool { return w.rows.Orders.Excluded[o.run] != 0 }

func (w *worker) paid(o *order) bool {
	status := schema.OrderStatus(w.rows.Orders.Status[o.run])
	return status == 0 || status == schema.OrderPaid
}

// rejectOrder rejects all lines of an order. Lines that the loader has reported
// are not reported again.
func (w *worker) rejectOrder(o *order, code rules.Code, column string, fault int32, value string) {
	in := &w.rows.Orders
	o.rejected = true
	w.totals.ordersRejected.add(in.Total[o.run])
	for run := o.run; run >= 0; run = w.nextRun[run] {
		for line := w.orderLine[run]; line < w.orderLine[run+1]; line++ {
			if w.rows.Lines.Flags[line]&(schema.LineOrderRejected|schema.LineGoodsRejected|schema.LineContinues) != 0 {
				continue
			}
			w.reject(in.Table[run], w.rows.Lines.Line[line], code, column, fault, value)
		}
	}
}

// reject reports a row at fault, or one that shares the fate of the row at fault.
func (w *worker) reject(table, line int32, code rules.Code, column string, fault int32, value string) {
	r := schema.Reject{Table: table, Line: line, Code: code, Column: column, Amount: schema.Null}
	if line == fault {
		r.Value = value
	} else {
		r.Order = fault
	}
	w.found.rejects = append(w.found.rejects, r)
}

// assembleRefunds joins the runs of each POS refund as assembleOrders does.
func (w *worker) assembleRefunds() {
	in := &w.rows.Refunds
	w.refundLine = lineStarts(w.refundLine, in.Lines)
	w.refundRuns.build(w.p.places, w.keys.len(), w.refundKey, in.Table, in.Line)
	w.nextRefundRun = append(w.nextRefundRun[:0], make([]int32, in.Len())...)
	w.posRefunds = w.posRefunds[:0]
	w.posRefundStart = w.posRefundStart[:0]
	for key := range int32(w.keys.len()) {
		base := len(w.posRefunds)
		w.posRefundStart = append(w.posRefundStart, int32(base))
		for _, run := range w.refundRuns.of(key) {
			w.addRefundRun(base, key, run)
		}
		for i := base; i < len(w.posRefunds); i++ {
			w.finishRefund(base, i)
		}
	}
	w.posRefundStart = append(w.posRefundStart, int32(len(w.posRefunds)))
}

func (w *worker) posRefundsOf(key int32) []posRefund {
	if key < 0 {
		return nil
	}
	return w.posRefunds[w.posRefundStart[key]:w.posRefundStart[key+1]]
}

func (w *worker) addRefundRun(base int, key, run int32) {
	in := &w.rows.Refunds
	w.nextRefundRun[run] = -1
	merchant := w.p.posMerchant(in.Merchant[run], in.Store[run], w.p.isPID)
	for i := len(w.posRefunds) - 1; i >= base; i-- {
		r := &w.posRefunds[i]
		silent := silent(in.Merchant[run], in.Store[run])
		if w.p.oneSource(in.Table[r.run], in.Table[run]) && (r.merchant == merchant || silent) && w.sameRefund(r.run, run) {
			w.joinRefundRun(r, run)
			return
		}
	}
	w.posRefunds = append(w.posRefunds, posRefund{
		run: run, last: run, key: key, trade: w.refundTrade[run], merchant: merchant, first: -1, bill: -1,
	})
}

// sameRefund: two runs of one order's refunds are lines of one refund when they
// have the same number; without one, the same time and amount, or none of them.
func (w *worker) sameRefund(a, b int32) bool {
	in := &w.rows.Refunds
	no := in.RequestNo.At(int(b))
	if len(no) > 0 || len(in.RequestNo.At(int(a))) > 0 {
		if len(no) == 0 {
			return in.Time[b] == schema.Null && in.Amount[b] == schema.Null
		}
		return bytes.Equal(in.RequestNo.At(int(a)), no)
	}
	return (in.Time[b] == schema.Null || in.Time[a] == in.Time[b]) &&
		(in.Amount[b] == schema.Null || in.Amount[a] == in.Amount[b])
}

func (w *worker) joinRefundRun(r *posRefund, run int32) {
	in := &w.rows.Refunds
	w.nextRefundRun[r.last] = run
	r.last = run
	at := r.run
	conflict := func(column string) {
		if in.Conflict[at] == 0 {
			in.Conflict[at], in.ConflictLine[at] = w.p.words.Code(column), in.Line[run]
		}
	}
	if in.Conflict[at] == 0 && in.Conflict[run] != 0 {
		in.Conflict[at], in.ConflictLine[at], in.ConflictValue[at] = in.Conflict[run], in.ConflictLine[run], in.ConflictValue[run]
	}
	if in.Reject[at] == 0 && in.Reject[run] != 0 {
		in.Reject[at], in.RejectLine[at] = in.Reject[run], in.RejectLine[run]
	}
	if trade := w.refundTrade[run]; trade >= 0 {
		if r.trade < 0 {
			r.trade = trade
		} else if r.trade != trade {
			conflict("trade_no")
		}
	}
	if !joinValue(in.Store, at, run, 0) {
		conflict("store_id")
	}
	if !joinValue(in.Time, at, run, schema.Null) {
		conflict("refund_time")
	}
	if !joinValue(in.Amount, at, run, schema.Null) {
		conflict("refund_amount")
	}
	if !joinValue(in.Mode, at, run, 0) {
		conflict("mode")
	}
}

func (w *worker) finishRefund(base, i int) {
	in := &w.rows.Refunds
	r := &w.posRefunds[i]
	at := r.run
	w.totals.posRefunds.add(in.Amount[at])
	switch {
	case in.Reject[at] != 0:
		w.rejectRefund(r, rules.Code(in.Reject[at]), "", in.RejectLine[at], "")
		return
	case r.merchant == 0:
		w.rejectRefund(r, rules.CodeMerchantUnknown, "merchant_pid", in.Line[at], w.p.text(in.Merchant[at]))
		return
	case in.Conflict[at] != 0:
		w.rejectRefund(r, rules.CodeOrderConflict, w.p.words.Texts()[in.Conflict[at]], in.ConflictLine[at], w.p.text(in.ConflictValue[at]))
		return
	case in.Time[at] == schema.Null:
		w.rejectRefund(r, rules.CodeMissingValue, "refund_time", in.Line[at], "")
		return
	case in.Amount[at] == schema.Null:
		w.rejectRefund(r, rules.CodeMissingValue, "refund_amount", in.Line[at], "")
		return
	}
	for k := base; k < i; k++ {
		e := &w.posRefunds[k]
		if e.rejected || e.first >= 0 || e.merchant != r.merchant {
			continue
		}
		no := in.RequestNo.At(int(at))
		same := bytes.Equal(in.RequestNo.At(int(e.run)), no)
		if same && len(no) == 0 {
			same = in.Time[e.run] == in.Time[at] && in.Amount[e.run] == in.Amount[at]
		}
		if same {
			r.first = int32(k)
			return
		}
	}
}

func (w *worker) rejectRefund(r *posRefund, code rules.Code, column string, fault int32, value string) {
	in := &w.rows.Refunds
	r.rejected = true
	w.totals.posRefundsRejected.add(in.Amount[r.run])
	for run := r.run; run >= 0; run = w.nextRefundRun[run] {
		for line := w.refundLine[run]; line < w.refundLine[run+1]; line++ {
			if w.rows.RefundLines.Flags[line]&(schema.LineOrderRejected|schema.LineGoodsRejected|schema.LineContinues) != 0 {
				continue
			}
			w.reject(in.Table[run], w.rows.RefundLines.Line[line], code, column, fault, value)
		}
	}
}
