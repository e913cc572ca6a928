package engine

import (
	"slices"

	"duizhang/engine/schema"
)

// keyOrder is the memory of inKeyOrder, used again from partition to partition.
type keyOrder struct {
	ranked []rankedKey
	keys   int     // that were ranked
	rank   []int32 // by key as it was numbered first
	start  []int32
	rows   []int32 // of a table, as they are to stand
	first  []int32 // of each run as it stood: its first line
	lines  []int32
	spare  [7]schema.Spare // one a table: what a small table gives back is too small for a large one
	groups []int32
}

// inKeyOrder numbers the rows, as number does, and puts them in order: keys are
// numbered in the order of their bytes, the rows of every table stand in the order
// of their keys, and trades are numbered as the rows have them. Rows arrive in an
// order of their own in each input, and what follows takes up a trade at a time, in
// the order of the keys, and reads some 65 columns of it: now it goes forward
// through all of them. BenchmarkReconcile pays for it.
func (w *worker) inKeyOrder() {
	r, o := &w.rows, &w.ordering
	w.numberKeys()
	o.rankKeys(&w.keys)
	w.keys.renumber(o.rank)
	w.orderKey = o.byKey(w.orderKey)
	o.moveRuns(&r.Orders, &r.Lines, r.Orders.Lines, o.spare[0:2])
	w.refundKey = o.byKey(w.refundKey)
	o.moveRuns(&r.Refunds, &r.RefundLines, r.Refunds.Lines, o.spare[2:4])
	w.billKey = o.byKey(w.billKey)
	schema.Reorder(&r.Bills, o.rows, &o.spare[4])
	w.accountKey = o.byKey(w.accountKey)
	schema.Reorder(&r.Accounts, o.rows, &o.spare[5])
	w.statementKey = o.byKey(w.statementKey)
	schema.Reorder(&r.Statements, o.rows, &o.spare[6])
	w.numberTrades()
	w.statementsInTradeOrder()
	w.keys.moved(&r.Orders.OutTradeNo, w.orderKey)
	w.keys.moved(&r.Refunds.OutTradeNo, w.refundKey)
	w.keys.moved(&r.Bills.OutTradeNo, w.billKey)
	w.keys.moved(&r.Statements.OutTradeNo, w.statementKey)
	w.keys.moved(&r.Accounts.OutTradeNo, w.accountKey)
}

// statementsInTradeOrder: most statements name trades and no keys.
func (w *worker) statementsInTradeOrder() {
	r, o := &w.rows, &w.ordering
	o.sort(w.statementTrade, w.trades.len())
	schema.Reorder(&r.Statements, o.rows, &o.spare[6])
	o.groups = pick(o.groups[:0], w.statementKey, o.rows)
	w.statementKey, o.groups = o.groups, w.statementKey
	o.groups = pick(o.groups[:0], w.statementTrade, o.rows)
	w.statementTrade, o.groups = o.groups, w.statementTrade
	w.trades.moved(&r.Statements.TradeNo, w.statementTrade)
}

// rankKeys gives every key its place among the partition's.
func (o *keyOrder) rankKeys(keys *groups) {
	o.ranked = keys.ranked(o.ranked)
	o.keys = len(o.ranked)
	o.rank = slices.Grow(o.rank[:0], o.keys)[:o.keys]
	for rank, k := range o.ranked {
		o.rank[k.key] = int32(rank)
	}
}

// rankLater ranks the keys anew if trades of earlier days have brought further ones,
// whose numbers say nothing of their order.
func (o *keyOrder) rankLater(keys *groups) {
	if keys.len() > o.keys {
		o.rankKeys(keys)
		return
	}
	o.rank = o.rank[:0]
}

// of is the place of a key after rankLater: before all others for a blank
// out_trade_no.
func (o *keyOrder) of(key int32) int32 {
	if key < 0 || len(o.rank) == 0 {
		return key
	}
	return o.rank[key]
}

// byKey finds in o.rows how the rows with those keys are to stand, and gives the
// keys, as places in their order, of the rows as they will stand then.
func (o *keyOrder) byKey(keys []int32) []int32 {
	for row, key := range keys {
		if key >= 0 {
			keys[row] = o.rank[key]
		}
	}
	o.sort(keys, o.keys)
	o.groups = pick(o.groups[:0], keys, o.rows)
	keys, o.groups = o.groups, keys
	return keys
}

// sort puts the rows of n groups in o.rows in the order of their groups, those of
// one group as they stand, those of none last.
func (o *keyOrder) sort(group []int32, n int) {
	o.start = slices.Grow(o.start[:0], n+2)[:n+2]
	clear(o.start)
	at := func(g int32) int32 { // of group -1: n
		if g < 0 {
			return int32(n)
		}
		return g
	}
	for _, g := range group {
		o.start[at(g)+1]++
	}
	for g := range n {
		o.start[g+1] += o.start[g]
	}
	o.rows = slices.Grow(o.rows[:0], len(group))[:len(group)]
	for row, g := range group {
		next := &o.start[at(g)]
		o.rows[*next] = int32(row)
		*next++
	}
}

// moveRuns puts runs, and the lines that belong to each, as o.rows has them.
func (o *keyOrder) moveRuns(runs, lines schema.Rows, counts []int32, spare []schema.Spare) {
	o.first = lineStarts(o.first, counts)
	o.lines = linesOf(o.lines[:0], o.rows, o.first)
	schema.Reorder(runs, o.rows, &spare[0])
	schema.Reorder(lines, o.lines, &spare[1])
}

func pick(to, from, rows []int32) []int32 {
	for _, row := range rows {
		to = append(to, from[row])
	}
	return to
}
