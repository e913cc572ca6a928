package engine

import (
	"context"
	"slices"
	"sync"

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
// An entry of the index is 48 bits of the hash and the partition; the bucket adds
// further bits. Two trades that share all of them are only taken for contested,
// or a statement row is sent to a partition that does not know it: whole keys
// decide there, so that the result is the same whatever the hash.
type tradeBucket struct {
	mu         sync.Mutex
	entries    []uint64 // hash, the partition in the low 16 bits
	statements schema.Statements
}

const partBits = 0xffff

// indexTrades adds the trades of a batch; d holds their hashes and partitions.
// Rows that are leftOut, if it is given, match nothing and contest no trade.
func (s *Store) indexTrades(d *spread, tradeNo *schema.Text, leftOut []uint8) {
	byBucket := spreads.Get().(*spread)
	defer spreads.Put(byBucket)
	byBucket.part = byBucket.part[:0]
	for _, hash := range d.hashes {
		byBucket.part = append(byBucket.part, s.partOf(hash))
	}
	byBucket.sort(len(s.index))
	for k := range s.index {
		rows := byBucket.rows[byBucket.start[k]:byBucket.start[k+1]]
		if len(rows) == 0 {
			continue
		}
		bucket := &s.index[k]
		bucket.mu.Lock()
		for _, row := range rows {
			if o := tradeNo.Offsets; o[row] != o[row+1] && (leftOut == nil || leftOut[row] == 0) { // a row without a trade_no is not indexed
				bucket.entries = append(bucket.entries, d.hashes[row]&^partBits|uint64(d.part[row]))
			}
		}
		bucket.mu.Unlock()
	}
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
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part = d.part[:0]
	var aggregated, byKey []int32
	for i := range v.Len() {
		key := coverKey{table: v.Table[i], provider: v.Provider[i], product: v.Product[i], period: v.Period[i]}
		trade, no := v.TradeNo.At(i), v.OutTradeNo.At(i)
		if len(trade) == 0 && len(no) == 0 {
			key.aggregated, key.merchant = true, v.Merchant[i]
			aggregated = append(aggregated, int32(i))
		}
		cover[key]++
		if len(trade) == 0 && len(no) > 0 {
			byKey = append(byKey, int32(i))
		}
		d.part = append(d.part, s.partOf(s.hash(trade)))
	}
	skip := make([]bool, v.Len())
	for _, row := range byKey {
		skip[row] = true
		s.sendStatement(int(s.partOf(s.hash(v.OutTradeNo.At(int(row))))), &v, row)
	}
	for _, row := range aggregated {
		skip[row] = true
	}
	d.sort(len(s.index))
	for k := range s.index {
		rows := slices.DeleteFunc(d.rows[d.start[k]:d.start[k+1]], func(row int32) bool { return skip[row] })
		if len(rows) == 0 {
			continue
		}
		bucket := &s.index[k]
		bucket.mu.Lock()
		schema.Append(&bucket.statements, &v, rows)
		bucket.mu.Unlock()
	}
	s.mu.Lock()
	for key, n := range cover {
		s.coverage[key] += n
	}
	schema.Append(&s.aggregated, &v, aggregated)
	s.mu.Unlock()
	s.readMu.Lock()
	defer s.readMu.Unlock()
	for i, table := range v.Table {
		s.readOf(table).statements.add(v.Rebate[i] + v.Adjustment[i])
	}
	return nil
}

func (s *Store) sendStatement(p int, v *schema.Statements, row int32) {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	schema.Append(&part.opened(statementChunk).Statements, v, []int32{row})
}

// A router sends the statement rows to their trades' partitions and finds the
// contested trades.
type router struct {
	store     *Store
	mu        sync.Mutex
	contested []map[uint64]bool // by partition: index entries without their partition bits
	doubts    schema.Statements // rows whose two numbers point to two partitions
	parts     [][2]int32        // of each doubt: by trade_no, by out_trade_no
}

// route is the routing of all buckets.
func (s *Store) route(ctx context.Context, workers int) ([]map[uint64]bool, error) {
	r := &router{store: s, contested: make([]map[uint64]bool, len(s.parts))}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for k := range s.index {
		group.Go(func() error {
			if err := groupCtx.Err(); err != nil {
				return err
			}
			bucket := &s.index[k]
			table := tradeTables.Get().(*tradeTable)
			defer tradeTables.Put(table)
			table.reset(len(bucket.entries))
			for _, e := range bucket.entries {
				if other, clash := table.add(e); clash {
					r.contest(e, int32(other&partBits), int32(e&partBits))
				}
			}
			r.sendStatements(bucket, table)
			bucket.entries, bucket.statements = nil, schema.Statements{}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return r.contested, r.settleDoubts(ctx)
}

// contest makes the rows of a trade leave both partitions.
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

func (r *router) sendStatements(bucket *tradeBucket, table *tradeTable) {
	v := &bucket.statements
	if v.Len() == 0 {
		return
	}
	s := r.store
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part = d.part[:0]
	var sure []int32
	for i := range v.Len() {
		hash, no := s.hash(v.TradeNo.At(i)), v.OutTradeNo.At(i)
		byKey := s.partOf(hash) // of no trade here: any partition will say so
		if len(no) > 0 {
			byKey = s.partOf(s.hash(no))
		}
		e, known := table.find(hash)
		if byTrade := int32(e & partBits); known && len(no) > 0 && byTrade != byKey {
			r.doubt(v, int32(i), byTrade, byKey)
			continue
		} else if known {
			byKey = byTrade
		}
		sure = append(sure, int32(i))
		d.part = append(d.part, byKey)
	}
	d.each(s, statementChunk, func(to *Rows, rows []int32) {
		picked := make([]int32, len(rows))
		for k, row := range rows {
			picked[k] = sure[row]
		}
		schema.Append(&to.Statements, v, picked)
	})
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
	if r.doubts.Len() == 0 {
		return nil
	}
	s := r.store
	wanted := map[int32]map[uint64]bool{} // by partition: hashes of out_trade_nos, true if found
	for i, parts := range r.parts {
		if wanted[parts[1]] == nil {
			wanted[parts[1]] = map[uint64]bool{}
		}
		wanted[parts[1]][s.hash(r.doubts.OutTradeNo.At(i))] = false
	}
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
	for i, parts := range r.parts {
		to := parts[0]
		if wanted[parts[1]][s.hash(r.doubts.OutTradeNo.At(i))] {
			r.contest(s.hash(r.doubts.TradeNo.At(i)), parts[0], parts[1])
			to = parts[1]
		}
		s.sendStatement(int(to), &r.doubts, int32(i))
	}
	return nil
}

// A tradeTable is a hash set of index entries, each hash with the first partition
// that it was added with.
type tradeTable struct {
	slots []uint64 // entry + 1; 0 is empty
	mask  uint64
}

// tradeTables are used again from bucket to bucket: fresh memory is dear.
var tradeTables = sync.Pool{New: func() any { return new(tradeTable) }}

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

// add adds an entry. A clash is an entry of the same hash in another partition.
func (t *tradeTable) add(e uint64) (other uint64, clash bool) {
	for i := (e >> 16) & t.mask; ; i = (i + 1) & t.mask {
		switch at := t.slots[i]; {
		case at == 0:
			t.slots[i] = e + 1
			return 0, false
		case (at-1)&^partBits == e&^partBits:
			return at - 1, at-1 != e
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
