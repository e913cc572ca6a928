package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"duizhang/engine/schema"
)

// Rows meet by out_trade_no in their partition. Two things meet by trade_no
// only: a statement row that gives nothing else, and the rows of one trade that
// stand under different out_trade_nos (rules 3, step 2). For both, the store
// keeps an index from trade_no to partition.
//
//   - A statement row is sent to the partition of its trade.
//   - A trade that is found in two partitions is contested: the rows that hang
//     together with it leave their partitions and meet in one more partition,
//     the last, which is reconciled like every other.
//
// With a history, a trade of an earlier day may be what rows of today have in common
// (rules 9): it is looked up where rows that know its trade_no must meet rows that
// know its out_trade_no alone.
//
// An entry of the index is 48 bits of the hash and the partition; the bucket adds
// further bits. Two trades that share all of them are only taken for contested,
// or a statement row is sent to a partition that does not know it: whole keys
// decide there, so that the result is the same whatever the hash.
const (
	partBits = 0xffff // of an entry that are not the hash's
	saleBit  = 0x8000 // of them: an order or a payment has the trade, and not refunds alone
)

// partIn is the partition in an entry.
func partIn(e uint64) int32 { return int32(e & (partBits &^ saleBit)) }

// indexTrades adds the trades of a batch; d holds their hashes and partitions.
// Rows that are leftOut, if it is given, match nothing and contest no trade; the
// kinds of bill rows, if they are given, tell sales from refunds.
func (s *Store) indexTrades(d *spread, tradeNo *schema.Text, leftOut, kinds []uint8, sale uint64) error {
	byBucket := spreads.Get().(*spread)
	defer spreads.Put(byBucket)
	byBucket.part, byBucket.hashes = byBucket.part[:0], byBucket.hashes[:0]
	for row, hash := range d.hashes {
		if o := tradeNo.Offsets; o[row] != o[row+1] && (leftOut == nil || leftOut[row] == 0) { // a row without a trade_no is not indexed
			byBucket.part = append(byBucket.part, s.partOf(hash))
			if kinds != nil {
				sale = 0
				if kinds[row] == uint8(schema.Payment) {
					sale = saleBit
				}
			}
			byBucket.hashes = append(byBucket.hashes, hash&^partBits|sale|uint64(d.part[row]))
		}
	}
	return s.entries.add(byBucket.part, func(to *Rows) {
		for _, e := range byBucket.hashes {
			to.entries.Entry = append(to.entries.Entry, int64(e))
		}
	})
}

// A coverKey is what a statement covers by having a row of it (rules 6).
type coverKey struct {
	table                     int32 // 0 once the plan has added the tables up
	provider, product, period uint32
	aggregated                bool
	merchant                  uint32 // of aggregated rows only
}

func (s *Store) addStatements(b schema.Batch) error {
	var v schema.Statements
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	cover := map[coverKey]int64{}
	byTrade, byKey := spreads.Get().(*spread), spreads.Get().(*spread)
	defer spreads.Put(byTrade)
	defer spreads.Put(byKey)
	byTrade.rows, byTrade.part = byTrade.rows[:0], byTrade.part[:0]
	byKey.rows, byKey.part = byKey.rows[:0], byKey.part[:0]
	var aggregated []int32
	var last coverKey
	run := int64(0) // rows since last changed
	for i := range v.Len() {
		key := coverKey{table: v.Table[i], provider: v.Provider[i], product: v.Product[i], period: v.Period[i]}
		trade, no := v.TradeNo.At(i), v.OutTradeNo.At(i)
		switch {
		case len(trade) > 0:
			byTrade.rows = append(byTrade.rows, int32(i))
			byTrade.part = append(byTrade.part, s.partOf(s.hash(trade)))
		case len(no) > 0:
			byKey.rows = append(byKey.rows, int32(i))
			byKey.part = append(byKey.part, s.partOf(s.hash(no)))
		default:
			key.aggregated, key.merchant = true, v.Merchant[i]
			aggregated = append(aggregated, int32(i))
		}
		if key != last {
			if run > 0 {
				cover[last] += run
			}
			last, run = key, 0
		}
		run++
	}
	if run > 0 {
		cover[last] += run
	}
	err := s.routed.add(byTrade.part, func(to *Rows) { schema.Append(&to.Statements, &v, byTrade.rows) })
	if err != nil {
		return err
	}
	err = s.statements.add(byKey.part, func(to *Rows) { schema.Append(&to.Statements, &v, byKey.rows) })
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.byNumber = s.byNumber || len(byKey.rows) > 0
	for key, n := range cover {
		s.coverage[key] += n
	}
	schema.Append(&s.aggregated, &v, aggregated)
	s.mu.Unlock()
	s.count(v.Table, func(c *readCount, i int) { c.statements.add(v.Rebate[i] + v.Adjustment[i]) })
	return nil
}

// A router sends the statement rows to their trades' partitions and finds the
// contested trades.
type router struct {
	store     *Store
	history   History // nil for none
	mu        sync.Mutex
	contested []map[uint64]bool // by partition: index entries without their partition bits
	doubts    schema.Statements // rows whose two numbers point to two partitions
	parts     [][2]int32        // of each doubt: by trade_no, by out_trade_no

	accountDoubts schema.Accounts
	accountParts  [][2]int32
}

// route is the routing of all buckets.
func (s *Store) route(ctx context.Context, workers int, history History) ([]map[uint64]bool, error) {
	if err := s.seal(); err != nil {
		return nil, err
	}
	n := s.keep.parts
	r := &router{store: s, history: history, contested: make([]map[uint64]bool, n)}
	var next atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	for range max(min(workers, n), 1) {
		group.Go(func() error {
			var w routeWorker
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				if err := groupCtx.Err(); err != nil {
					return err
				}
				if err := r.bucket(k, &w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.entries.forget()
	s.routed.forget()
	s.refunded.forget()
	s.routedAccounts.forget()
	if err := r.settleDoubts(ctx); err != nil {
		return nil, err
	}
	if err := s.seal(); err != nil {
		return nil, err
	}
	return r.contested, r.contestFlows(ctx)
}

// A routeWorker is memory that is used again from bucket to bucket.
type routeWorker struct {
	rows  Rows
	table tradeTable
	sure  []int32 // rows whose partition is known
	parts []int32 // of each of them

	wanted   schema.Wanted
	asked    []int32 // statement row of each of wanted; -1: a refund's trade
	found    schema.Settled
	returned schema.Returned
	earlier  []int32 // by statement row: the partition of its trade, which an earlier day had; -1 for none
}

// bucket routes one bucket.
func (r *router) bucket(k int, w *routeWorker) error {
	w.rows.reset()
	if err := r.store.entries.rows(k, &w.rows); err != nil {
		return err
	}
	if err := r.store.routed.rows(k, &w.rows); err != nil {
		return err
	}
	if err := r.store.routedAccounts.rows(k, &w.rows); err != nil {
		return err
	}
	if err := r.store.refunded.rows(k, &w.rows); err != nil {
		return err
	}
	w.table.reset(len(w.rows.entries.Entry))
	for _, entry := range w.rows.entries.Entry {
		e := uint64(entry)
		if other, clash := w.table.add(e); clash {
			r.contest(e, partIn(other), partIn(e))
		}
	}
	if err := r.lookUp(w); err != nil {
		return err
	}
	if err := r.sendStatements(w); err != nil {
		return err
	}
	return r.sendAccounts(w)
}

// contest makes the rows of a trade, or of an out_trade_no, leave both partitions.
func (r *router) contest(hash uint64, a, b int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range [...]int32{a, b} {
		if r.contested[p] == nil {
			r.contested[p] = map[uint64]bool{}
		}
		r.contested[p][hash&^partBits] = true
	}
}

// lookUp asks the history for trades that only refunds of today speak of, and for
// those of statement rows that no row of today speaks of. Where rows of such a trade
// are not where its out_trade_no is, both meet in the last part. A statement row that
// knows the trade_no alone goes where the out_trade_no is: that is looked up only if
// some row knows a trade by its out_trade_no alone.
func (r *router) lookUp(w *routeWorker) error {
	s, v := r.store, &w.rows.Statements
	w.earlier = fill(w.earlier, v.Len(), -1)
	if r.history == nil {
		return nil
	}
	schema.Reset(&w.wanted)
	schema.Reset(&w.found)
	schema.Reset(&w.returned)
	w.asked = w.asked[:0]
	ask := func(row int32, trade []byte) {
		w.wanted.Merchant = append(w.wanted.Merchant, 0)
		w.wanted.OutTradeNo.Append(nil)
		w.wanted.TradeNo.Append(trade)
		w.wanted.Time = append(w.wanted.Time, schema.Null)
		w.asked = append(w.asked, row)
	}
	for i := range w.rows.refunded.Len() {
		trade := w.rows.refunded.TradeNo.At(i)
		if e, known := w.table.find(s.hash(trade)); known && e&saleBit == 0 {
			ask(-1, trade)
		}
	}
	for i := range v.Len() {
		trade := v.TradeNo.At(i)
		if _, known := w.table.find(s.hash(trade)); s.byNumber && !known && len(v.OutTradeNo.At(i)) == 0 {
			ask(int32(i), trade)
		}
	}
	if w.wanted.Len() == 0 {
		return nil
	}
	if err := r.history.Find(&w.wanted, &w.found, &w.returned); err != nil {
		return err
	}
	for row, query := range w.found.Query {
		no := w.found.OutTradeNo.At(row)
		if len(no) == 0 || w.found.Status[row] == 0 {
			continue
		}
		key := s.hash(no)
		if statement := w.asked[query]; statement >= 0 {
			w.earlier[statement] = s.partOf(key)
			continue
		}
		trade := s.hash(w.wanted.TradeNo.At(int(query)))
		if e, _ := w.table.find(trade); partIn(e) != s.partOf(key) {
			r.contest(trade, partIn(e), partIn(e))
			r.contest(key, s.partOf(key), s.partOf(key))
		}
	}
	return nil
}

func (r *router) sendStatements(w *routeWorker) error {
	s, v := r.store, &w.rows.Statements
	w.sure, w.parts = w.sure[:0], w.parts[:0]
	for i := range v.Len() {
		byTrade, byKey := w.partsOf(s, v.TradeNo.At(i), v.OutTradeNo.At(i))
		if part := w.earlier[i]; part >= 0 {
			byTrade, byKey = part, part
		}
		if byTrade != byKey {
			r.doubt(v, int32(i), byTrade, byKey)
			continue
		}
		w.sure = append(w.sure, int32(i))
		w.parts = append(w.parts, byKey)
	}
	return s.statements.add(w.parts, func(to *Rows) { schema.Append(&to.Statements, v, w.sure) })
}

// partsOf are the partitions that a row's trade_no and its out_trade_no point to:
// the same, unless it is in doubt which of them it belongs to.
func (w *routeWorker) partsOf(s *Store, trade, no []byte) (byTrade, byKey int32) {
	hash := s.hash(trade)
	byKey = s.partOf(hash) // of no trade here: any partition will say so
	if len(no) > 0 {
		byKey = s.partOf(s.hash(no))
	}
	e, known := w.table.find(hash)
	switch {
	case !known:
		return byKey, byKey
	case len(no) == 0:
		byKey = partIn(e)
	}
	return partIn(e), byKey
}

func (r *router) doubt(v *schema.Statements, row, byTrade, byKey int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	schema.Append(&r.doubts, v, []int32{row})
	r.parts = append(r.parts, [2]int32{byTrade, byKey})
}

// settleDoubts sends the rows whose two numbers point to two partitions. If no
// row has the out_trade_no, the trade_no decides; else the trade is contested, and
// its rows meet those of the out_trade_no in the last part.
func (r *router) settleDoubts(ctx context.Context) error {
	if r.doubts.Len() == 0 && r.accountDoubts.Len() == 0 {
		return nil
	}
	s := r.store
	wanted := map[int32]map[uint64]bool{} // by partition: hashes of out_trade_nos, true if found
	want := func(numbers *schema.Text, parts [][2]int32) {
		for i, p := range parts {
			if wanted[p[1]] == nil {
				wanted[p[1]] = map[uint64]bool{}
			}
			wanted[p[1]][s.hash(numbers.At(i))] = false
		}
	}
	want(&r.doubts.OutTradeNo, r.parts)
	want(&r.accountDoubts.OutTradeNo, r.accountParts)
	var rows Rows
	for p, hashes := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.rows(int(p), &rows); err != nil {
			return err
		}
		for _, text := range [...]*schema.Text{&rows.Bills.OutTradeNo, &rows.Orders.OutTradeNo} {
			for i := range text.Len() {
				if hash := s.hash(text.At(i)); len(text.At(i)) > 0 {
					if _, ok := hashes[hash]; ok {
						hashes[hash] = true
					}
				}
			}
		}
	}
	settle := func(trades, numbers *schema.Text, parts [][2]int32) []int32 {
		to := make([]int32, len(parts))
		for i, p := range parts {
			to[i] = p[0]
			if wanted[p[1]][s.hash(numbers.At(i))] {
				r.contest(s.hash(trades.At(i)), p[0], p[1])
				to[i] = p[1]
			}
		}
		return to
	}
	to := settle(&r.doubts.TradeNo, &r.doubts.OutTradeNo, r.parts)
	if err := s.statements.add(to, func(to *Rows) { schema.AppendAll(&to.Statements, &r.doubts) }); err != nil {
		return err
	}
	to = settle(&r.accountDoubts.TradeNo, &r.accountDoubts.OutTradeNo, r.accountParts)
	return s.keepAccounts(&r.accountDoubts, nil, to)
}

// A tradeTable is a hash set of index entries, each hash with the first partition
// that it was added with.
type tradeTable struct {
	slots []uint64 // entry + 1; 0 is empty
	mask  uint64
}

func (t *tradeTable) reset(n int) {
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(t.slots) < size {
		t.slots = make([]uint64, size)
	} else {
		t.slots = t.slots[:size]
		clear(t.slots)
	}
	t.mask = uint64(size - 1)
}

// add adds an entry. A clash is an entry of the same hash in another partition. An
// entry of a sale makes all of its hash those of one.
func (t *tradeTable) add(e uint64) (other uint64, clash bool) {
	for i := (e >> 16) & t.mask; ; i = (i + 1) & t.mask {
		switch at := t.slots[i]; {
		case at == 0:
			t.slots[i] = e + 1
			return 0, false
		case (at-1)&^partBits == e&^partBits:
			t.slots[i] = ((at - 1) | e&saleBit) + 1
			return at - 1, partIn(at-1) != partIn(e)
		}
	}
}

func (t *tradeTable) find(hash uint64) (uint64, bool) {
	hash &^= partBits
	for i := (hash >> 16) & t.mask; ; i = (i + 1) & t.mask {
		switch at := t.slots[i]; {
		case at == 0:
			return 0, false
		case (at-1)&^partBits == hash:
			return at - 1, true
		}
	}
}
