package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"
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
func (s *Store) indexTrades(d *spread, tradeNo *schema.Text) {
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
			if o := tradeNo.Offsets; o[row] != o[row+1] { // a row without a trade_no is not indexed
				bucket.entries = append(bucket.entries, d.hashes[row]&^partBits|uint64(d.part[row]))
			}
		}
		bucket.mu.Unlock()
	}
}

// A coverKey is what a statement covers by having a row of it (rules 6).
type coverKey struct {
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
		key := coverKey{provider: v.Provider[i], product: v.Product[i], period: v.Period[i]}
		trade, no := v.TradeNo.At(i), v.OutTradeNo.At(i)
		if len(trade) == 0 && len(no) == 0 {
			key.aggregated, key.merchant = true, v.Merchant[i]
			aggregated = append(aggregated, int32(i))
		}
		cover[key]++
		if len(trade) == 0 && len(no) > 0 {
			byKey = append(byKey, int32(i))
		}
		d.part = append(d.part, s.partOf(xxh3.Hash(trade)))
	}
	skip := make([]bool, v.Len())
	for _, row := range byKey {
		skip[row] = true
		s.sendStatement(int(s.partOf(xxh3.Hash(v.OutTradeNo.At(int(row))))), &v, row)
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
	s.read.mu.Lock()
	defer s.read.mu.Unlock()
	s.read.statements += int64(v.Len())
	for i := range v.Len() {
		s.read.statementAmount.AddInt(v.Rebate[i])
		s.read.statementAmount.AddInt(v.Adjustment[i])
	}
	return nil
}

func (s *Store) sendStatement(p int, v *schema.Statements, row int32) {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.open == nil {
		part.open = new(Rows)
	}
	schema.Append(&part.open.Statements, v, []int32{row})
}

// route sends the statement rows to their trades' partitions and finds the
// contested trades. The result holds, for each partition, the index entries
// without their partition bits.
func (s *Store) route(ctx context.Context, workers int) ([]map[uint64]bool, error) {
	contested := make([]map[uint64]bool, len(s.parts))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for k := range s.index {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			bucket := &s.index[k]
			table := newTradeTable(len(bucket.entries))
			for _, e := range bucket.entries {
				if other, clash := table.add(e); clash {
					mu.Lock()
					for _, p := range []uint64{other & partBits, e & partBits} {
						if contested[p] == nil {
							contested[p] = map[uint64]bool{}
						}
						contested[p][e&^partBits] = true
					}
					mu.Unlock()
				}
			}
			s.routeStatements(bucket, table)
			bucket.entries, bucket.statements = nil, schema.Statements{}
			return nil
		})
	}
	return contested, group.Wait()
}

func (s *Store) routeStatements(bucket *tradeBucket, table *tradeTable) {
	v := &bucket.statements
	if v.Len() == 0 {
		return
	}
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part = d.part[:0]
	for i := range v.Len() {
		hash := xxh3.Hash(v.TradeNo.At(i))
		switch e, ok := table.find(hash); {
		case ok:
			d.part = append(d.part, int32(e&partBits))
		case len(v.OutTradeNo.At(i)) > 0:
			d.part = append(d.part, s.partOf(xxh3.Hash(v.OutTradeNo.At(i))))
		default: // of no trade here: any partition will say so
			d.part = append(d.part, s.partOf(hash))
		}
	}
	d.each(s, func(to *Rows, rows []int32) { schema.Append(&to.Statements, v, rows) })
}

// A tradeTable is a hash set of index entries, each hash with the first partition
// that it was added with.
type tradeTable struct {
	slots []uint64 // entry + 1; 0 is empty
	mask  uint64
}

func newTradeTable(n int) *tradeTable {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &tradeTable{slots: make([]uint64, size), mask: uint64(size - 1)}
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
