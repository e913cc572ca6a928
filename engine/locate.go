package engine

import (
	"context"
	"sync/atomic"

	"duizhang/engine/schema"
)

// In a layout by merchants a row that gives a number alone has no partition of its
// own: it may be any merchant's. It is adrift until it is known where the number is.
//
//   - A run of a POS order or refund that names neither merchant nor store: it may go
//     on with one of any merchant.
//   - A statement row without a merchant, and without a trade_no that the bill has.
//   - An account row without such a trade_no, in an account that stores of other
//     merchants collect into.
//
// One scan over the partitions finds their numbers. A number that is in one partition
// takes the row there; of one that is in several, all rows meet in the last part.

// keyed are rows, and the bucket of the out_trade_no of each.
type keyed struct{ rows, parts []int32 }

func (k *keyed) reset() { k.rows, k.parts = k.rows[:0], k.parts[:0] }

func (k *keyed) add(row, bucket int32) {
	k.rows, k.parts = append(k.rows, row), append(k.parts, bucket)
}

// statementDrifts tells whether nothing but the out_trade_no of a statement row says
// whose it is.
func (s *Store) statementDrifts(v *schema.Statements, i int) bool {
	return s.grouped && v.Merchant[i] == 0 && len(v.OutTradeNo.At(i)) > 0
}

// accountDrifts tells it of an account row.
func (s *Store) accountDrifts(v *schema.Accounts, i int) bool {
	return s.grouped && s.receives[v.Account[i]] && len(v.OutTradeNo.At(i)) > 0
}

// groupWords are the groups of merchants, by word; none where there is one group.
type groupWords []int32

func (g groupWords) of(merchant uint32) int32 {
	if g == nil {
		return 0
	}
	return g[merchant]
}

func (s *Store) groups() groupWords {
	if !s.grouped {
		return nil
	}
	return s.merchantWords().group
}

// home is the partition of a merchant's out_trade_no.
func (s *Store) home(merchant uint32, key uint64) int32 {
	return s.partOf(s.groups().of(merchant), key)
}

// driftOrders sends those runs that are adrift to the buckets of their numbers, and
// the others to their partitions.
func (s *Store) driftOrders(d *spread, v *schema.Orders, l *schema.Lines) error {
	adrift, stay, first := s.drifting(d, &v.OutTradeNo), schema.Orders{}, firstLines(v.Lines)
	var lines schema.Lines
	err := s.adriftOrders.add(adrift, func(to *Rows) {
		schema.Append(&to.Orders, v, d.adrift)
		schema.Append(&to.Lines, l, linesOf(nil, d.adrift, first))
	})
	if err != nil || len(d.rows) == 0 {
		return err
	}
	schema.Append(&stay, v, d.rows)
	schema.Append(&lines, l, linesOf(nil, d.rows, first))
	return s.placeOrders(&stay, &lines)
}

// driftRefunds does it with runs of refunds.
func (s *Store) driftRefunds(d *spread, v *schema.PosRefunds, l *schema.RefundLines) error {
	adrift, stay, first := s.drifting(d, &v.OutTradeNo), schema.PosRefunds{}, firstLines(v.Lines)
	var lines schema.RefundLines
	err := s.adriftRefunds.add(adrift, func(to *Rows) {
		schema.Append(&to.Refunds, v, d.adrift)
		schema.Append(&to.RefundLines, l, linesOf(nil, d.adrift, first))
	})
	if err != nil || len(d.rows) == 0 {
		return err
	}
	schema.Append(&stay, v, d.rows)
	schema.Append(&lines, l, linesOf(nil, d.rows, first))
	return s.placeRefunds(&stay, &lines)
}

// drifting are the buckets of the rows of d.adrift, which are in order; d.rows are the
// others.
func (s *Store) drifting(d *spread, outTradeNo *schema.Text) (buckets []int32) {
	d.rows = d.rows[:0]
	next := 0
	for row := range int32(outTradeNo.Len()) {
		if next < len(d.adrift) && d.adrift[next] == row {
			next++
			buckets = append(buckets, s.bucketOf(s.hash(outTradeNo.At(int(row)))))
			continue
		}
		d.rows = append(d.rows, row)
	}
	return buckets
}

// A locator finds the partitions of out_trade_nos: a table of hashes, open addressing,
// each with the partition where it was found first.
type locator struct {
	slots []uint64 // hash; 0 is empty
	at    []int32  // partition + 1; 0 is none
	count int
}

func (l *locator) slot(hash uint64) int {
	if len(l.slots) == 0 {
		return -1
	}
	hash |= 1 // none is empty
	mask := uint64(len(l.slots) - 1)
	for i := (hash >> 1) & mask; ; i = (i + 1) & mask {
		if l.slots[i] == hash || l.slots[i] == 0 {
			return int(i)
		}
	}
}

func (l *locator) want(hash uint64) {
	if 2*l.count >= len(l.slots) {
		old := l.slots
		l.slots, l.count = make([]uint64, max(2*len(old), 1<<10)), 0
		for _, h := range old {
			if h != 0 {
				l.want(h)
			}
		}
	}
	if i := l.slot(hash); l.slots[i] == 0 {
		l.slots[i] = hash | 1
		l.count++
	}
}

// where is the partition of a number, -1 if none has it. One of several is as good as
// another: its rows leave it.
func (l *locator) where(hash uint64) int32 { return l.at[l.slot(hash)] - 1 }

// locate scans the partitions for the numbers of the wanted texts of the buckets.
func (r *router) locate(ctx context.Context, workers int, from []*shuffle, texts func(*Rows) []*schema.Text) (*locator, error) {
	s, l := r.store, &locator{}
	var rows Rows
	for k := range s.keep.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows.reset()
		for _, h := range from {
			if err := h.rows(k, &rows); err != nil {
				return nil, err
			}
		}
		for _, text := range texts(&rows) {
			for i := range text.Len() {
				l.want(s.hash(text.At(i)))
			}
		}
	}
	l.at = make([]int32, len(l.slots))
	return l, eachPart(ctx, s.keep.parts, workers, func() func(p int) error {
		var rows Rows
		return func(p int) error { return r.scan(l, p, &rows) }
	})
}

// scan looks for wanted numbers in a partition.
func (r *router) scan(l *locator, p int, rows *Rows) error {
	s := r.store
	if r.crowded() {
		return errCrowded
	}
	rows.reset()
	for _, h := range [...]*shuffle{s.bills, s.orders, s.refunds} {
		if err := h.rows(p, rows); err != nil {
			return err
		}
	}
	for _, text := range [...]*schema.Text{&rows.Bills.OutTradeNo, &rows.Orders.OutTradeNo, &rows.Refunds.OutTradeNo} {
		for i := range text.Len() {
			no := text.At(i)
			if len(no) == 0 {
				continue
			}
			hash := s.hash(no)
			at := l.slot(hash)
			if l.slots[at] == 0 || atomic.CompareAndSwapInt32(&l.at[at], 0, int32(p)+1) {
				continue
			}
			if other := atomic.LoadInt32(&l.at[at]) - 1; other != int32(p) {
				r.contest(hash, other, int32(p))
			}
		}
	}
	return nil
}

// locateOrders sends the runs of orders and refunds that are adrift to the partition
// that has their number, else to that of the default merchant, whose they are if they
// go on with nothing. Of that merchant other rows may speak of the number.
func (r *router) locateOrders(ctx context.Context, workers int) error {
	s := r.store
	if s.adriftOrders.empty() && s.adriftRefunds.empty() {
		return nil
	}
	l, err := r.locate(ctx, workers, []*shuffle{s.adriftOrders, s.adriftRefunds}, func(rows *Rows) []*schema.Text {
		return []*schema.Text{&rows.Orders.OutTradeNo, &rows.Refunds.OutTradeNo}
	})
	if err != nil {
		return err
	}
	words := s.merchantWords()
	owner := s.whose.posMerchant(0, 0, words.isPID)
	place := func(d *spread, outTradeNo, tradeNo *schema.Text) {
		d.part, d.hashes = d.part[:0], d.hashes[:0]
		for i := range outTradeNo.Len() {
			hash := s.hash(outTradeNo.At(i))
			home := s.partOf(words.group[owner], hash)
			part := l.where(hash)
			switch {
			case part < 0:
				part = home
			case part != home && owner != 0:
				r.contest(hash, part, home)
			}
			d.part = append(d.part, part)
			d.hashes = append(d.hashes, s.hash(tradeNo.At(i)))
		}
	}
	var d spread
	var rows Rows
	for k := range s.keep.parts {
		rows.reset()
		for _, h := range [...]*shuffle{s.adriftOrders, s.adriftRefunds} {
			if err := h.rows(k, &rows); err != nil {
				return err
			}
		}
		orders, refunds := &rows.Orders, &rows.Refunds
		place(&d, &orders.OutTradeNo, &orders.TradeNo)
		err := s.orders.add(d.part, func(to *Rows) {
			schema.AppendAll(&to.Orders, orders)
			schema.AppendAll(&to.Lines, &rows.Lines)
		})
		if err != nil {
			return err
		}
		if err := s.indexOrders(&d, orders); err != nil {
			return err
		}
		place(&d, &refunds.OutTradeNo, &refunds.TradeNo)
		err = s.refunds.add(d.part, func(to *Rows) {
			schema.AppendAll(&to.Refunds, refunds)
			schema.AppendAll(&to.RefundLines, &rows.RefundLines)
		})
		if err != nil {
			return err
		}
		if err := s.indexRefunds(&d, refunds); err != nil {
			return err
		}
	}
	s.adriftOrders.forget()
	s.adriftRefunds.forget()
	return s.seal()
}

// mix has the rows of a lost row's trade meet with it in the last part: others of the
// trade are in a partition.
func (r *router) mix(trade uint64, parts ...int32) {
	r.contest(trade, parts...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mixed[trade] = true
}

// mixLost finds the trades that lost statement rows of the bucket share with other
// rows, which may go elsewhere.
func (r *router) mixLost(w *routeWorker) {
	s, v := r.store, &w.rows.Statements
	if w.keys == nil {
		w.keys = map[uint64]uint64{}
	}
	clear(w.keys)
	for _, row := range w.lost.rows {
		if len(v.TradeNo.At(int(row))) == 0 {
			continue
		}
		trade, key := s.hash(v.TradeNo.At(int(row))), s.hash(v.OutTradeNo.At(int(row)))
		if e, known := w.table.find(trade); known {
			r.mix(trade, partIn(e))
			continue
		}
		if r.history == nil {
			continue
		}
		if e, known := w.later.find(trade); known {
			r.mix(trade, partIn(e))
		}
		if other, known := w.keys[trade]; known && other != key {
			r.mix(trade)
		}
		w.keys[trade] = key
	}
}

// locateNumbers sends the statement and account rows that are adrift: to the partition
// that has their number; else a statement row to that of a trade of an earlier day, an
// account row to that of its own account.
func (r *router) locateNumbers(ctx context.Context, workers int) error {
	s := r.store
	from := []*shuffle{s.adriftStatements, s.adriftAccounts, r.lostStatements, r.lostAccounts}
	some := false
	for _, h := range from {
		if err := h.seal(); err != nil {
			return err
		}
		some = some || !h.empty()
	}
	if !some {
		return nil
	}
	l, err := r.locate(ctx, workers, from, func(rows *Rows) []*schema.Text {
		return []*schema.Text{&rows.Statements.OutTradeNo, &rows.Accounts.OutTradeNo}
	})
	if err != nil {
		return err
	}
	return eachPart(ctx, s.keep.parts, workers, func() func(k int) error {
		var w routeWorker
		return func(k int) error {
			w.rows.reset()
			for _, h := range from {
				if err := h.rows(k, &w.rows); err != nil {
					return err
				}
			}
			if err := r.findStatements(&w, l); err != nil {
				return err
			}
			return r.findAccounts(&w, l)
		}
	})
}

// findStatements sends the statement rows of a bucket of numbers.
func (r *router) findStatements(w *routeWorker, l *locator) error {
	s, v := r.store, &w.rows.Statements
	if err := r.askNumbers(w); err != nil {
		return err
	}
	w.parts = w.parts[:0]
	for i := range v.Len() {
		key := s.hash(v.OutTradeNo.At(i))
		part := l.where(key)
		if part < 0 {
			part = s.partOf(r.groups.of(0), key)
			if w.earlier[i] >= 0 {
				part = w.earlier[i]
			}
		}
		trade := s.hash(v.TradeNo.At(i))
		if past := w.earlier[i]; past >= 0 && past != part { // it is of one or the other
			r.contest(key, part, past)
			if len(v.TradeNo.At(i)) > 0 {
				r.contest(trade, part, past)
			}
		}
		r.contestMixed(trade, part)
		w.parts = append(w.parts, part)
	}
	return r.statements.add(w.parts, func(to *Rows) { schema.AppendAll(&to.Statements, v) })
}

// askNumbers asks the history for the trades of earlier days that statement rows may
// be of: w.earlier has their partitions.
func (r *router) askNumbers(w *routeWorker) error {
	s, v := r.store, &w.rows.Statements
	w.earlier = fill(w.earlier, v.Len(), -1)
	if r.history == nil || v.Len() == 0 {
		return nil
	}
	schema.Reset(&w.wanted)
	schema.Reset(&w.found)
	schema.Reset(&w.returned)
	for i := range v.Len() {
		w.wanted.Merchant = append(w.wanted.Merchant, 0)
		w.wanted.OutTradeNo.Append(v.OutTradeNo.At(i))
		w.wanted.TradeNo.Append(v.TradeNo.At(i))
		w.wanted.Time = append(w.wanted.Time, v.Time[i])
	}
	if err := r.history.Find(Routing, &w.wanted, &w.found, &w.returned); err != nil {
		return err
	}
	for row, query := range w.found.Query {
		if no := w.found.OutTradeNo.At(row); w.found.Status[row] != 0 && len(no) > 0 {
			key, own := s.hash(no), s.hash(v.OutTradeNo.At(int(query)))
			past := s.home(w.found.Merchant[row], key)
			w.earlier[query] = past
			if key != own { // its trade_no has another number there
				r.contest(key, past)
				r.contest(own, past)
			}
		}
	}
	return nil
}

// contestMixed has the rows of a trade leave, if a lost row and others have it.
func (r *router) contestMixed(trade uint64, part int32) {
	if r.mixed[trade] { // nobody writes any more
		r.contest(trade, part)
	}
}

// findAccounts sends the account rows of a bucket of numbers.
func (r *router) findAccounts(w *routeWorker, l *locator) error {
	s, v := r.store, &w.rows.Accounts
	w.parts = w.parts[:0]
	for i := range v.Len() {
		key := s.hash(v.OutTradeNo.At(i))
		part := l.where(key)
		if part < 0 {
			part = s.partOf(r.groups.of(v.Account[i]), key)
		}
		r.contestMixed(s.hash(v.TradeNo.At(i)), part)
		w.parts = append(w.parts, part)
	}
	return s.keepAccounts(r.accounts, v, nil, w.parts)
}
