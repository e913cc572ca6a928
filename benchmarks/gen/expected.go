package gen

import "strconv"

// expected writes the tables of expected/, a record at a time. A cell "?" is not
// stated: the rules leave it open, or nothing hangs on it.
type expected struct {
	w                                      *world
	dir                                    string
	trades, refunds, goods, rebates, split *sheet
	ledger                                 *sheet // accounts
	beyond                                 beyond // of the account bills
	groups                                 rebateSums
	tallies                                *tallies
	rows                                   []tradeRow // reused
	ties                                   [2]tie     // reused
}

func newExpected(w *world, dir string, t *tallies) (*expected, error) {
	e := &expected{w: w, dir: dir, beyond: beyond{}, groups: rebateSums{}, tallies: t}
	if w.cfg.TotalsOnly {
		return e, nil
	}
	for _, file := range []struct {
		to     **sheet
		name   string
		header string
	}{
		{&e.trades, "trades", "merchant_pid,out_trade_no,status,pos_amount,bill_amount,reason," +
			"buyer_paid,red_packet,allowance,coupon,refunded,rebate_cause"},
		{&e.refunds, "refunds", "merchant_pid,out_trade_no,out_request_no,status,cumulative,expected_paid," +
			"expected_red_packet,expected_allowance,expected_coupon,pos_amount,bill_amount,refund_overpaid"},
		{&e.goods, "goods", "merchant_pid,out_trade_no,goods_id,allocated,is_filler,scenario,line,quantity,line_amount"},
		{&e.rebates, "rebates", "merchant_pid,out_trade_no,product,cause,appeal,expected,stated,loss,trade_no"},
		{&e.split, "split_breaks", "merchant_pid,out_trade_no,out_request_no"},
	} {
		s, err := createSheet(dir, "expected/"+file.name+".csv")
		if err != nil {
			return nil, err
		}
		s.line(file.header)
		*file.to = s
	}
	if w.cfg.Accounts {
		s, err := createSheet(dir, "expected/accounts.csv")
		if err != nil {
			return nil, err
		}
		s.line(accountColumns)
		e.ledger = s
	}
	return e, nil
}

// order adds what is true of the record to the tallies and the tables.
func (e *expected) order(o *order, t *tallies) {
	w := e.w
	w.allocate(o)
	t.planted[o.kind]++
	o.countRejects(t)
	w.otherBreaks(o, t)
	w.extraBreaks(o, t)
	e.accounts(o, t)
	e.listTruth(o, t)
	e.rows = w.tradeRows(o, t, e.rows[:0])
	for k := range e.rows {
		row := &e.rows[k]
		t.trades[row.status].count(row.pos, row.bill)
		if row.status == excluded {
			t.leftOut(row.reason, row.pos)
		}
		if e.trades != nil {
			e.trade(o, row)
		}
	}
	for k := range o.nRefunds {
		w.countRefund(o, &o.refunds[k], t)
		if e.refunds != nil {
			e.refund(o, k)
		}
	}
	for k := range o.nRebates {
		t.countRebate(&o.rebates[k])
		e.groups.add(w, o, &o.rebates[k], o.sentKind())
		if e.rebates != nil {
			e.rebate(o, &o.rebates[k], o.tradeNo)
		}
	}
	if o.secondRebate.cause != 0 {
		t.countRebate(&o.secondRebate)
		e.groups.add(w, o, &o.secondRebate, RightPrimary)
		if e.rebates != nil {
			e.rebate(o, &o.secondRebate, o.secondTradeNo)
		}
	}
	if o.allocated() {
		e.goodsRows(o, t)
	}
	e.plantedKinds(o, t)
}

// plantedKinds counts the kinds that the record really carries.
func (e *expected) plantedKinds(o *order, t *tallies) {
	if o.pos {
		t.planted[o.goodsKind]++
	}
	if o.pos || o.bill {
		t.planted[o.fundKind]++
	}
	if o.nRefunds > 0 && o.refundKind != NoRefund {
		t.planted[o.refundKind]++
	}
	if o.pos && o.bill {
		t.planted[o.rebateKind]++
	}
	if o.bill && o.feeKind != FeeRight {
		t.planted[o.feeKind]++
	}
	if o.nRebates > 1 {
		t.planted[Instalment]++
	}
}

// key begins a row: the POS's key where there is one.
func (e *expected) key(s *sheet, o *order) []byte { return e.keyOf(s, o.posMerchant, o.number) }

// billKey is key where there is none.
func (e *expected) billKey(s *sheet, o *order) []byte { return e.keyOf(s, o.m, o.billNumber) }

func (e *expected) keyOf(s *sheet, m int, number []byte) []byte {
	b := append(s.b, e.w.merchants[m].pid...)
	b = append(b, ',')
	b = append(b, number...)
	return append(b, ',')
}

func appendOr(b []byte, v fen) []byte {
	if v == noAmount {
		return b
	}
	return appendFen(b, v)
}

func (e *expected) trade(o *order, row *tradeRow) {
	s := e.trades
	key := e.key
	if row.billKey {
		key = e.billKey
	}
	b := key(s, o)
	b = append(b, statusNames[row.status]...)
	b = append(b, ',')
	b = appendOr(b, row.pos)
	b = append(b, ',')
	b = appendOr(b, row.bill)
	b = append(b, ',')
	b = append(b, row.reason...)
	b = append(b, ',')
	if !row.first || row.bill == noAmount && !o.posFund.stated {
		b = append(b, "?,?,?,?,?,?"...)
	} else {
		f := &o.fund
		b = appendFen(b, f.buyer)
		b = append(b, ',')
		b = appendFen(b, f.red)
		b = append(b, ',')
		b = appendFen(b, f.allowance)
		b = append(b, ',')
		b = appendFen(b, f.coupon)
		b = append(b, ',')
		if x := o.refunded(); x > 0 && !row.second {
			b = appendFen(b, x)
		} else {
			b = append(b, '?')
		}
		b = append(b, ',')
		switch {
		case row.second:
			b = append(b, causeNames[o.secondRebate.cause]...)
		case o.nRebates > 0:
			b = append(b, causeNames[o.rebates[0].cause]...)
		}
	}
	s.b = b
	s.newline()
}

// refunded is the cumulative after the last refund that counts.
func (o *order) refunded() fen {
	for k := o.nRefunds - 1; k >= 0; k-- {
		if o.refunds[k].counted {
			return o.refunds[k].cumulative
		}
	}
	return 0
}

func (e *expected) refund(o *order, k int) {
	ref := &o.refunds[k]
	s := e.refunds
	pos, bill := fen(noAmount), fen(noAmount)
	if ref.pos {
		pos = ref.posAmount
	}
	if ref.bill {
		bill = ref.billAmount
	}
	e.refundRow(s, o, k, statusNames[ref.status], pos, bill, ref)
	//exhaustive:ignore
	switch ref.again {
	case RefundDuplicateBill:
		e.refundRow(s, o, k, statusNames[duplicate], noAmount, bill, nil)
	case RefundDuplicatePOS:
		e.refundRow(s, o, k, statusNames[duplicate], pos, noAmount, nil)
	}
	if ref.splitGap != 0 {
		e.split.b = e.key(e.split, o)
		e.split.b = appendRequestNo(e.split.b, o, k)
		e.split.newline()
	}
}

// refundRow writes one row; truth is nil where the split is not stated.
func (e *expected) refundRow(s *sheet, o *order, k int, status string, pos, bill fen, truth *refund) {
	b := e.key(s, o)
	if truth != nil && truth.billNo == orderNo {
		b = append(b, '?') // either side's number may be shown
	} else {
		b = appendRequestNo(b, o, k)
	}
	b = append(b, ',')
	b = append(b, status...)
	b = append(b, ',')
	if truth == nil || !truth.counted {
		b = append(b, "?,?,?,?,?,"...)
	} else {
		b = appendFen(b, truth.cumulative)
		b = append(b, ',')
		b = appendFen(b, truth.expected.paid)
		b = append(b, ',')
		b = appendFen(b, truth.expected.red)
		b = append(b, ',')
		b = appendFen(b, truth.expected.allowance)
		b = append(b, ",0.00,"...)
	}
	b = appendOr(b, pos)
	b = append(b, ',')
	b = appendOr(b, bill)
	b = append(b, ',')
	if truth != nil && truth.known {
		b = appendFen(b, truth.overpaid)
	} else {
		b = append(b, '?')
	}
	s.b = b
	s.newline()
}

func (e *expected) rebate(o *order, r *rebate, tradeNo []byte) {
	s := e.rebates
	key := e.key
	if !o.pos {
		key = e.billKey
	}
	b := key(s, o)
	b = append(b, productNames[r.product]...)
	b = append(b, ',')
	b = append(b, causeNames[r.cause]...)
	b = append(b, ',')
	b = append(b, r.cause.appeal()...)
	b = append(b, ',')
	b = appendMicro(b, r.expected, 2)
	b = append(b, ',')
	if r.hasRow {
		b = appendMicro(b, r.stated, 2)
	}
	b = append(b, ',')
	b = appendMicro(b, r.loss, 2)
	b = append(b, ',')
	b = append(b, tradeNo...)
	s.b = b
	s.newline()
}

// goodsRows counts and writes the merged lines and the filler.
func (e *expected) goodsRows(o *order, t *tallies) {
	t.goods[o.scenario].Count++
	t.goods[o.scenario].Amount += Amount(o.posTotal)
	t.goodsLines += int64(o.nMerged)
	if o.filler > 0 {
		t.filler.Count++
		t.filler.Amount += Amount(o.filler)
		t.goodsLines++
	}
	if e.goods == nil {
		return
	}
	for k := range o.nMerged {
		m := &o.merged[k]
		id := ""
		if !m.blankID {
			id = e.w.articles[m.goods].id
		}
		e.goodsRow(o, k+1, id, m.quantity, m.amount, m.allocated, false)
	}
	if o.filler > 0 {
		e.goodsRow(o, o.nMerged+1, "", 1_000_000, 0, o.filler, true)
	}
}

func (e *expected) goodsRow(o *order, line int, id string, quantity micro, amount, allocated fen, filler bool) {
	s := e.goods
	b := e.key(s, o)
	b = append(b, id...)
	b = append(b, ',')
	b = appendFen(b, allocated)
	b = append(b, ',')
	b = strconv.AppendBool(b, filler)
	b = append(b, ',')
	b = append(b, scenarioNames[o.scenario]...)
	b = append(b, ',')
	b = appendDigits(b, int64(line), 1)
	b = append(b, ',')
	b = appendMicro(b, quantity, 0)
	b = append(b, ',')
	b = appendFen(b, amount)
	s.b = b
	s.newline()
}

func (e *expected) finish() error {
	var first error
	for _, s := range []*sheet{e.trades, e.refunds, e.goods, e.rebates, e.split, e.ledger} {
		if err := s.finish(); first == nil {
			first = err
		}
	}
	e.groups.settle(e.w, e.tallies)
	e.w.rejectStrange(e.tallies)
	if !e.w.cfg.TotalsOnly && first == nil {
		first = e.groups.write(e.w, e.dir)
	}
	if e.w.cfg.Accounts && first == nil {
		first = e.beyond.write(e.dir, len(e.w.merchants))
	}
	return first
}
