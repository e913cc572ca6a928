package engine

import (
	"context"
	"errors"
	"slices"
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
	flagBits = saleBit | sureBit | carriedBit

	// Of them, where several rows have the trade, those of all:
	saleBit    = 0x8000 // an order or a payment has it, and not refunds alone
	sureBit    = 0x4000 // a payment of a merchant that is known; noted where there are groups
	carriedBit = 0x2000 // a bill row that an earlier day carried
)

// partIn is the partition in an entry.
func partIn(e uint64) int32 { return int32(e & (partBits &^ flagBits)) }

// indexOrders adds the trades of orders, as indexTrades does.
func (s *Store) indexOrders(d *spread, v *schema.Orders) error {
	d.flags = slices.Grow(d.flags[:0], v.Len())[:v.Len()]
	for i := range d.flags {
		d.flags[i] = saleBit
	}
	return s.indexTrades(d, &v.TradeNo, v.Excluded)
}

// indexRefunds adds the trades of POS refunds, as indexTrades does.
func (s *Store) indexRefunds(d *spread, v *schema.PosRefunds) error {
	d.flags = slices.Grow(d.flags[:0], v.Len())[:v.Len()]
	clear(d.flags)
	return s.indexTrades(d, &v.TradeNo, nil)
}

// indexTrades adds the trades of rows; d holds their hashes, partitions and flags.
// Rows that are leftOut, if it is given, match nothing and contest no trade.
func (s *Store) indexTrades(d *spread, tradeNo *schema.Text, leftOut []uint8) error {
	byBucket := spreads.Get().(*spread)
	defer spreads.Put(byBucket)
	byBucket.part, byBucket.hashes = byBucket.part[:0], byBucket.hashes[:0]
	for row, hash := range d.hashes {
		if o := tradeNo.Offsets; o[row] != o[row+1] && (leftOut == nil || leftOut[row] == 0) { // a row without a trade_no is not indexed
			byBucket.part = append(byBucket.part, s.bucketOf(hash))
			byBucket.hashes = append(byBucket.hashes, hash&^partBits|d.flags[row]|uint64(d.part[row]))
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
	var aggregated []int32
	var last coverKey
	run := int64(0) // rows since last changed
	byNumber := false
	for i := range v.Len() {
		key := coverKey{table: v.Table[i], provider: v.Provider[i], product: v.Product[i], period: v.Period[i]}
		if len(v.TradeNo.At(i)) == 0 {
			if len(v.OutTradeNo.At(i)) == 0 {
				key.aggregated, key.merchant = true, v.Merchant[i]
				aggregated = append(aggregated, int32(i))
			} else {
				byNumber = true
			}
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
	if err := s.placeStatements(&v); err != nil {
		return err
	}
	s.mu.Lock()
	s.byNumber = s.byNumber || byNumber
	for key, n := range cover {
		s.coverage[key] += n
	}
	schema.Append(&s.aggregated, &v, aggregated)
	s.mu.Unlock()
	s.count(v.Table, func(c *readCount, i int) { c.statements.add(v.Rebate[i] + v.Adjustment[i]) })
	return nil
}

// placeStatements sends statement rows to their partitions, those with a trade_no to
// its bucket. Rows without a number have no trade.
func (s *Store) placeStatements(v *schema.Statements) error {
	byTrade, byKey := spreads.Get().(*spread), spreads.Get().(*spread)
	defer spreads.Put(byTrade)
	defer spreads.Put(byKey)
	byTrade.rows, byTrade.part = byTrade.rows[:0], byTrade.part[:0]
	byKey.rows, byKey.part = byKey.rows[:0], byKey.part[:0]
	var adrift keyed
	groups := s.groups()
	for i := range v.Len() {
		switch trade, no := v.TradeNo.At(i), v.OutTradeNo.At(i); {
		case len(trade) > 0:
			byTrade.rows = append(byTrade.rows, int32(i))
			byTrade.part = append(byTrade.part, s.bucketOf(s.hash(trade)))
		case len(no) == 0:
		case s.statementDrifts(v, i):
			adrift.add(int32(i), s.bucketOf(s.hash(no)))
		default:
			byKey.rows = append(byKey.rows, int32(i))
			byKey.part = append(byKey.part, s.partOf(groups.of(v.Merchant[i]), s.hash(no)))
		}
	}
	err := s.routed.add(byTrade.part, func(to *Rows) { schema.Append(&to.Statements, v, byTrade.rows) })
	if err != nil {
		return err
	}
	err = s.statements.add(byKey.part, func(to *Rows) { schema.Append(&to.Statements, v, byKey.rows) })
	if err != nil {
		return err
	}
	return s.adriftStatements.add(adrift.parts, func(to *Rows) { schema.Append(&to.Statements, v, adrift.rows) })
}

// A router sends the statement rows to their trades' partitions and finds the
// contested trades.
type router struct {
	store   *Store
	history History    // nil for none
	refused bool       // rows of some table are left out later: the index is not sure of payments
	groups  groupWords // of the merchants that the rows name

	// What it sends: the store's own once all is routed.
	statements, accounts *shuffle
	// Rows whose trade is not known and whose number is adrift, by its bucket.
	lostStatements, lostAccounts *shuffle

	mu        sync.Mutex
	contested []map[uint64]bool // by partition: index entries without their partition bits
	count     int               // of them
	doubts    schema.Statements // rows whose two numbers point to two partitions
	parts     [][2]int32        // of each doubt: by trade_no, by out_trade_no
	mixed     map[uint64]bool   // trades of lost rows that other rows have as well
	loose     bool              // a row is where its out_trade_no alone was found
	strays    uint              // shift of a hash to the partition of a statement row whose trade nobody has
	earlier   []earlierRow
	trades    []earlierTrade
	moves     map[int32]map[uint64]int32 // by partition: trades of its statement rows, and where late rows have them

	accountDoubts schema.Accounts
	accountParts  [][2]int32
}

// An earlierRow is a row that was sent to its trade of an earlier day by the
// out_trade_no that this has: they go and stay together.
type earlierRow struct {
	trade, key uint64
	part       int32
}

// An earlierTrade is a trade of an earlier day that today has refunds of, by the hashes
// of its numbers: where these are, and where rows of its out_trade_no are.
type earlierTrade struct {
	trade, key uint64
	part, home int32
}

// mostContested bounds what meets in the last part for the sake of a layout: of more
// it is not worth while.
const mostContested = 1 << 16

// errCrowded: the rows do not lend themselves to a layout by merchants.
var errCrowded = errors.New("engine: too much is contested in this layout")

// route is the routing of all buckets. refused tells that rows of some table will be
// left out.
func (s *Store) route(ctx context.Context, workers int, history History, refused bool) ([]map[uint64]bool, error) {
	if err := s.seal(); err != nil {
		return nil, err
	}
	if s.grouped && s.uneven() {
		if err := s.respread(ctx); err != nil {
			return nil, err
		}
	}
	r := s.newRouter(history, refused)
	err := r.route(ctx, workers)
	if errors.Is(err, errCrowded) {
		if err := s.respread(ctx); err != nil {
			return nil, err
		}
		r = s.newRouter(history, refused)
		err = r.route(ctx, workers)
	}
	s.strays = r.strays
	s.routing = keptRouting{loose: r.loose, byNumber: s.byNumber, rows: r.earlier, trades: r.trades}
	if err == nil && s.late != nil {
		err = s.moveStatements(r.moves)
	}
	return r.contested, err
}

func (s *Store) newRouter(history History, refused bool) *router {
	return &router{
		store: s, history: history, refused: refused, contested: make([]map[uint64]bool, s.keep.parts), mixed: map[uint64]bool{},
		groups: s.groups(), statements: s.shuffle(statementRows), accounts: s.shuffle(accountRows),
		lostStatements: s.shuffle(statementRows), lostAccounts: s.shuffle(accountRows),
	}
}

// route is the routing in one layout, which it may find not to be worth while.
func (r *router) route(ctx context.Context, workers int) error {
	s := r.store
	if err := r.beginLate(); err != nil {
		return err
	}
	if err := r.locateOrders(ctx, workers); err != nil {
		return err
	}
	if err := eachPart(ctx, s.keep.parts, workers, func() func(k int) error {
		var w routeWorker
		return func(k int) error { return r.bucket(k, &w) }
	}); err != nil {
		return err
	}
	if err := r.locateNumbers(ctx, workers); err != nil {
		return err
	}
	r.loose = r.loose || r.doubts.Len() > 0 || r.accountDoubts.Len() > 0
	if err := r.settleDoubts(ctx); err != nil {
		return err
	}
	r.keepTogether()
	for _, h := range [...]*shuffle{r.statements, r.accounts, s.flows} {
		if err := h.seal(); err != nil {
			return err
		}
	}
	if err := r.contestFlows(ctx); err != nil {
		return err
	}
	if r.crowded() {
		return errCrowded
	}
	if r.loose && s.late != nil {
		return anew("rows are where their number alone is found")
	}
	s.statements.take(r.statements)
	s.accounts.take(r.accounts)
	for _, h := range [...]*shuffle{
		s.entries, s.routed, s.refunded, s.routedAccounts, s.flows, s.adriftStatements, s.adriftAccounts, r.lostStatements, r.lostAccounts,
	} {
		h.forget()
	}
	return nil
}

// eachPart calls a function of each worker for all parts, in parallel.
func eachPart(ctx context.Context, parts, workers int, worker func() func(k int) error) error {
	var next atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	for range max(min(workers, parts), 1) {
		group.Go(func() error {
			do := worker()
			for k := int(next.Add(1)) - 1; k < parts; k = int(next.Add(1)) - 1 {
				if err := groupCtx.Err(); err != nil {
					return err
				}
				if err := do(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// A routeWorker is memory that is used again from bucket to bucket.
type routeWorker struct {
	rows  Rows
	table tradeTable
	later tradeTable        // trades of statement rows that no row of today has
	sure  []int32           // rows whose partition is known
	parts []int32           // of each of them
	lost  keyed             // rows whose number is adrift
	keys  map[uint64]uint64 // of lost rows: the hash of the out_trade_no by that of the trade_no

	wanted   schema.Wanted
	asked    []int32 // statement row of each of wanted; -1: a refund's trade
	found    schema.Settled
	returned schema.Returned
	earlier  []int32 // by statement row: the partition of its trade, which an earlier day had; -1 for none

	strays   []uint64   // entries of rows whose trade nobody has, and of where they went; kept for late runs
	strayed  tradeTable // of a late run: those of the runs before
	open     []uint64   // of them
	packed   []byte
	oldIndex Rows
}

// bucket routes one bucket.
func (r *router) bucket(k int, w *routeWorker) error {
	if r.crowded() {
		return errCrowded
	}
	w.rows.reset()
	for _, h := range [...]*shuffle{r.store.entries, r.store.routed, r.store.routedAccounts, r.store.refunded} {
		if err := h.rows(k, &w.rows); err != nil {
			return err
		}
	}
	old, err := r.takeIndex(k, w)
	if err != nil {
		return err
	}
	w.table.reset(len(old) + len(w.rows.entries.Entry))
	r.addEntries(w, old)
	w.openStrays()
	r.addEntries(w, w.rows.entries.Entry)
	if err := r.moveStrays(w); err != nil {
		return err
	}
	if err := r.recallTrades(k, w); err != nil {
		return err
	}
	if err := r.sendAccounts(w); err != nil {
		return err
	}
	if err := r.lookUp(w); err != nil {
		return err
	}
	if err := r.sendStatements(w); err != nil {
		return err
	}
	return r.keepIndex(k, w)
}

func (r *router) addEntries(w *routeWorker, entries []int64) {
	for _, entry := range entries {
		e := uint64(entry)
		if other, clash := w.table.add(e); clash {
			r.contest(e, partIn(other), partIn(e))
		}
	}
}

// contest makes the rows of a trade, or of an out_trade_no, leave the partitions.
func (r *router) contest(hash uint64, parts ...int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range parts {
		if r.contested[p] == nil {
			r.contested[p] = map[uint64]bool{}
		}
		if !r.contested[p][hash&^partBits] {
			r.contested[p][hash&^partBits] = true
			r.count++
		}
	}
}

// isContested tells whether the rows of a trade or an out_trade_no leave a partition.
func (r *router) isContested(hash uint64, part int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.contested[part][hash&^partBits]
}

// crowded: more is contested than the layout is worth.
func (r *router) crowded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := mostContested
	if r.store.opt.contested > 0 {
		most = r.store.opt.contested
	}
	return r.store.grouped && r.count > most
}

// lookUp asks the history for trades that only refunds of today speak of, and for
// those of statement rows that no row of today speaks of. Where rows of such a trade
// are not where its out_trade_no is, both meet in the last part. A statement row that
// knows the trade_no alone goes where the out_trade_no is: that is looked up only if
// some row knows a trade by its out_trade_no alone. So does one that gives an
// out_trade_no as well, which may not be the trade's own.
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
	for i := range w.rows.refunded.Len() {
		trade := w.rows.refunded.TradeNo.At(i)
		if e, known := w.table.find(s.hash(trade)); known && e&saleBit == 0 {
			w.ask(-1, trade)
		}
	}
	for i := range v.Len() {
		trade := v.TradeNo.At(i)
		if _, known := w.table.find(s.hash(trade)); s.byNumber && !known {
			w.ask(int32(i), trade)
		}
	}
	if w.wanted.Len() == 0 {
		return nil
	}
	if err := r.history.Find(Routing, &w.wanted, &w.found, &w.returned); err != nil {
		return err
	}
	for row, query := range w.found.Query {
		no := w.found.OutTradeNo.At(row)
		if len(no) == 0 || w.found.Status[row] == 0 {
			continue
		}
		key, trade := s.hash(no), s.hash(w.wanted.TradeNo.At(int(query)))
		home := s.home(w.found.Merchant[row], key)
		if statement := w.asked[query]; statement >= 0 {
			if len(v.OutTradeNo.At(int(statement))) == 0 || pastTrade(&w.found, row) {
				w.earlier[statement] = home
				r.noteEarlier(trade, key, home)
			}
			continue
		}
		e, _ := w.table.find(trade)
		r.meetEarlier(earlierTrade{trade, key, partIn(e), home})
	}
	return nil
}

func (w *routeWorker) ask(row int32, trade []byte) {
	w.wanted.Merchant = append(w.wanted.Merchant, 0)
	w.wanted.OutTradeNo.Append(nil)
	w.wanted.TradeNo.Append(trade)
	w.wanted.Time = append(w.wanted.Time, schema.Null)
	w.asked = append(w.asked, row)
}

func (r *router) noteEarlier(trade, key uint64, part int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.earlier = append(r.earlier, earlierRow{trade, key, part})
}

// meetEarlier has refunds of a trade of an earlier day meet the rows of its
// out_trade_no: in the last part, if they are in two partitions.
func (r *router) meetEarlier(t earlierTrade) {
	if t.part == t.home {
		r.noteEarlier(t.trade, t.key, t.home)
	} else {
		r.contest(t.trade, t.part)
		r.contest(t.key, t.home)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trades = append(r.trades, t)
}

// keepTogether has rows of trades of earlier days leave with those that give the
// out_trade_no.
func (r *router) keepTogether() {
	for changed := true; changed; {
		changed = false
		for _, e := range r.earlier {
			if key, trade := r.isContested(e.key, e.part), r.isContested(e.trade, e.part); key != trade {
				r.contest(e.key, e.part)
				r.contest(e.trade, e.part)
				changed = true
			}
		}
	}
}

func (r *router) sendStatements(w *routeWorker) error {
	s, v := r.store, &w.rows.Statements
	w.sure, w.parts = w.sure[:0], w.parts[:0]
	w.lost.reset()
	if r.history != nil {
		w.later.reset(v.Len())
	}
	for i := range v.Len() {
		byTrade, byKey, e := w.partsOf(s, r.groups.of(v.Merchant[i]), v.TradeNo.At(i), v.OutTradeNo.At(i))
		if v.Merchant[i] == 0 && e == 0 && len(v.OutTradeNo.At(i)) == 0 {
			byKey = r.strayPart(s.hash(v.TradeNo.At(i)))
			byTrade = byKey
		}
		switch part := w.earlier[i]; {
		case part >= 0:
			byTrade, byKey = part, part
		case e&sureBit != 0 && !r.refused:
			byKey = byTrade // its own payment takes it
		case s.statementDrifts(v, i):
			w.lost.add(int32(i), s.bucketOf(s.hash(v.OutTradeNo.At(i))))
			continue
		}
		if byTrade != byKey {
			r.doubt(v, int32(i), byTrade, byKey)
			continue
		}
		w.sure = append(w.sure, int32(i))
		w.parts = append(w.parts, byKey)
		if e == 0 {
			trade := s.hash(v.TradeNo.At(i))
			r.sameTrade(w, trade, byKey)
			if err := w.stray(trade, byKey, w.earlier[i] < 0 && len(v.OutTradeNo.At(i)) == 0 && v.Merchant[i] == 0); err != nil {
				return err
			}
		}
	}
	r.note(len(w.lost.rows) > 0)
	r.mixLost(w)
	err := r.lostStatements.add(w.lost.parts, func(to *Rows) { schema.Append(&to.Statements, v, w.lost.rows) })
	if err != nil {
		return err
	}
	return r.statements.add(w.parts, func(to *Rows) { schema.Append(&to.Statements, v, w.sure) })
}

// sameTrade: rows of a trade of an earlier day that go to two partitions meet in the
// last part.
func (r *router) sameTrade(w *routeWorker, trade uint64, part int32) {
	if r.history == nil {
		return
	}
	if other, clash := w.later.add(trade&^partBits | uint64(part)); clash {
		r.contest(trade, partIn(other), part)
	}
}

// partsOf are the partitions that a row's trade_no and its out_trade_no point to:
// the same, unless it is in doubt which of them it belongs to; and what the index
// knows of the trade, 0 for nothing. The row is of the merchant of the group.
func (w *routeWorker) partsOf(s *Store, group int32, trade, no []byte) (byTrade, byKey int32, e uint64) {
	hash := s.hash(trade)
	byKey = s.partOf(group, hash) // of no trade here: any partition will say so
	if len(no) > 0 {
		byKey = s.partOf(group, s.hash(no))
	}
	e, known := w.table.find(hash)
	switch {
	case !known:
		return byKey, byKey, 0
	case len(no) == 0:
		byKey = partIn(e)
	}
	return partIn(e), byKey, e
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
			hash := s.hash(numbers.At(i))
			wanted[p[1]][hash] = r.isContested(hash, p[1]) // then its rows are on their way to the last part
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
	if err := r.statements.add(to, func(to *Rows) { schema.AppendAll(&to.Statements, &r.doubts) }); err != nil {
		return err
	}
	to = settle(&r.accountDoubts.TradeNo, &r.accountDoubts.OutTradeNo, r.accountParts)
	return s.keepAccounts(r.accounts, &r.accountDoubts, nil, to)
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

// add adds an entry. A clash is an entry of the same hash in another partition. The
// flags of one entry are those of all of its hash.
func (t *tradeTable) add(e uint64) (other uint64, clash bool) {
	for i := (e >> 16) & t.mask; ; i = (i + 1) & t.mask {
		switch at := t.slots[i]; {
		case at == 0:
			t.slots[i] = e + 1
			return 0, false
		case (at-1)&^partBits == e&^partBits:
			t.slots[i] = ((at - 1) | e&flagBits) + 1
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
