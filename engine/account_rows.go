package engine

import (
	"context"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Account rows meet their trade by its trade_no, else by its out_trade_no: they
// travel to the trade's partition as statement rows do (index.go). Their own
// number (账务流水号) is their identity: rows of one number that are sent to two
// partitions meet in the last part, with all that hangs together with them.

// movements count account rows and add their money. written and size are 支出 as
// written and by magnitude: which of them it is, the table says at its end.
type movements struct {
	count          int64
	income         rules.Sum
	expense        rules.Sum
	written, sizes rules.Sum
}

func (m *movements) add(income, expense int64) {
	m.count++
	m.income.AddInt(income)
	m.expense.AddInt(expense)
}

func (m *movements) merge(o *movements) {
	m.count += o.count
	m.income.AddSum(o.income)
	m.expense.AddSum(o.expense)
	m.written.AddSum(o.written)
	m.sizes.AddSum(o.sizes)
}

// spent is what went out, of rows as they were written.
func (m *movements) spent(sign schema.ExpenseSign) rules.Sum {
	switch sign {
	case schema.OutPositive:
		return m.written
	case schema.OutNegative:
		return m.written.Neg()
	}
	return m.sizes
}

func (s *Store) addAccounts(b schema.Batch) error {
	var v schema.Accounts
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	if err := s.placeAccounts(&v); err != nil {
		return err
	}
	s.count(v.Table, func(c *readCount, i int) {
		if v.Reject[i] != 0 {
			return
		}
		m := &c.accounts
		m.count++
		m.income.AddInt(v.Income[i])
		m.written.AddInt(v.Expense[i])
		m.sizes.AddInt(absolute(v.Expense[i]))
	})
	return nil
}

// placeAccounts sends account rows to their partitions, those with a trade_no to its
// bucket.
func (s *Store) placeAccounts(v *schema.Accounts) error {
	byTrade, byKey := spreads.Get().(*spread), spreads.Get().(*spread)
	defer spreads.Put(byTrade)
	defer spreads.Put(byKey)
	byTrade.rows, byTrade.part = byTrade.rows[:0], byTrade.part[:0]
	byKey.rows, byKey.part = byKey.rows[:0], byKey.part[:0]
	var adrift keyed
	groups := s.groups()
	for i := range v.Len() {
		if trade := v.TradeNo.At(i); len(trade) > 0 {
			byTrade.rows = append(byTrade.rows, int32(i))
			byTrade.part = append(byTrade.part, s.bucketOf(s.hash(trade)))
			continue
		}
		if s.accountDrifts(v, i) {
			adrift.add(int32(i), s.bucketOf(s.hash(v.OutTradeNo.At(i))))
			continue
		}
		no := v.OutTradeNo.At(i)
		if len(no) == 0 { // any partition will do, the same in every run
			no = v.Flow.At(i)
		}
		byKey.rows = append(byKey.rows, int32(i))
		byKey.part = append(byKey.part, s.partOf(groups.of(v.Account[i]), s.hash(no)))
	}
	err := s.routedAccounts.add(byTrade.part, func(to *Rows) { schema.Append(&to.Accounts, v, byTrade.rows) })
	if err != nil {
		return err
	}
	if err := s.adriftAccounts.add(adrift.parts, func(to *Rows) { schema.Append(&to.Accounts, v, adrift.rows) }); err != nil {
		return err
	}
	return s.keepAccounts(s.accounts, v, byKey.rows, byKey.part)
}

// keepAccounts sends rows of v, all of them without rows, to the partitions in
// parts of h, and notes where each 账务流水号 went.
func (s *Store) keepAccounts(h *shuffle, v *schema.Accounts, rows, parts []int32) error {
	flows := spreads.Get().(*spread)
	defer spreads.Put(flows)
	flows.part, flows.hashes = flows.part[:0], flows.hashes[:0]
	for k, part := range parts {
		row := k
		if rows != nil {
			row = int(rows[k])
		}
		if v.Reject[row] != 0 { // its number is nobody's
			continue
		}
		hash := s.hash(v.Flow.At(row))
		flows.part = append(flows.part, s.bucketOf(hash))
		flows.hashes = append(flows.hashes, hash&^partBits|uint64(part))
	}
	err := s.flows.add(flows.part, func(to *Rows) {
		for _, e := range flows.hashes {
			to.entries.Entry = append(to.entries.Entry, int64(e))
		}
	})
	if err != nil {
		return err
	}
	return h.add(parts, func(to *Rows) {
		if rows == nil {
			schema.AppendAll(&to.Accounts, v)
		} else {
			schema.Append(&to.Accounts, v, rows)
		}
	})
}

// sendAccounts sends the account rows of a bucket, as sendStatements does.
func (r *router) sendAccounts(w *routeWorker) error {
	v := &w.rows.Accounts
	w.sure, w.parts = w.sure[:0], w.parts[:0]
	w.lost.reset()
	for i := range v.Len() {
		byTrade, byKey, e := w.partsOf(r.store, r.groups.of(v.Account[i]), v.TradeNo.At(i), v.OutTradeNo.At(i))
		switch {
		case e&(sureBit|carriedBit) == sureBit && !r.refused:
			byKey = byTrade // it is tied to its payment
		case r.store.accountDrifts(v, i):
			w.lost.add(int32(i), r.store.bucketOf(r.store.hash(v.OutTradeNo.At(i))))
			if e != 0 {
				r.mix(r.store.hash(v.TradeNo.At(i)), partIn(e))
			}
			continue
		}
		if byTrade != byKey {
			r.mu.Lock()
			schema.Append(&r.accountDoubts, v, []int32{int32(i)})
			r.accountParts = append(r.accountParts, [2]int32{byTrade, byKey})
			r.mu.Unlock()
			continue
		}
		w.sure = append(w.sure, int32(i))
		w.parts = append(w.parts, byKey)
		if e == 0 {
			if err := w.stray(r.store.hash(v.TradeNo.At(i)), byKey, false); err != nil {
				return err
			}
		}
	}
	r.note(len(w.lost.rows) > 0)
	if err := r.lostAccounts.add(w.lost.parts, func(to *Rows) { schema.Append(&to.Accounts, v, w.lost.rows) }); err != nil {
		return err
	}
	return r.store.keepAccounts(r.accounts, v, w.sure, w.parts)
}

// contestFlows finds the 账务流水号 whose rows went to two partitions.
func (r *router) contestFlows(ctx context.Context) error {
	var w routeWorker
	for k := range r.store.keep.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.rows.reset()
		if err := r.store.flows.rows(k, &w.rows); err != nil {
			return err
		}
		if err := r.store.recallFlows(k, &w); err != nil {
			return err
		}
		w.table.reset(len(w.rows.entries.Entry))
		for _, entry := range w.rows.entries.Entry {
			e := uint64(entry)
			if other, clash := w.table.add(e); clash {
				r.contest(e, partIn(other), partIn(e))
			}
		}
	}
	return nil
}

// contestedFlows marks the account rows whose number is contested, and what hangs
// together with them.
func (w *worker) contestedFlows(contested map[uint64]bool) (leaves []bool) {
	leaves = make([]bool, w.flows.len())
	for flow := range leaves {
		leaves[flow] = contested[w.p.hash(w.flows.key(int32(flow)))&^partBits]
	}
	return leaves
}

// flowsTogether makes all rows of an out_trade_no, a trade_no and a 账务流水号 go
// together; it tells whether anything changed.
func (w *worker) flowsTogether(flows, keys, trades []bool) (changed bool) {
	for i, flow := range w.accountFlow {
		marks := [3]*bool{mark(flows, flow), mark(keys, w.accountKey[i]), mark(trades, w.accountTrade[i])}
		some, all := false, true
		for _, m := range marks {
			if m != nil {
				some, all = some || *m, all && *m
			}
		}
		if !some || all {
			continue
		}
		changed = true
		for _, m := range marks {
			if m != nil {
				*m = true
			}
		}
	}
	return changed
}

// mark is the mark of a group, nil of none.
func mark(marks []bool, group int32) *bool {
	if group < 0 {
		return nil
	}
	return &marks[group]
}

// accountLeaves tells whether an account row goes.
func (w *worker) accountLeaves(flows, keys, trades []bool) func(int) bool {
	return func(i int) bool {
		for _, m := range [3]*bool{mark(flows, w.accountFlow[i]), mark(keys, w.accountKey[i]), mark(trades, w.accountTrade[i])} {
			if m != nil && *m {
				return true
			}
		}
		return false
	}
}
