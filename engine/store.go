package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Rows are the input rows of one partition: plain data, owned by whoever holds
// it. All rows of one out_trade_no that can have to do with one another are in one
// partition, lines in the order of the runs that they belong to.
type Rows struct {
	Bills       schema.Bills
	Orders      schema.Orders
	Lines       schema.Lines
	Refunds     schema.PosRefunds
	RefundLines schema.RefundLines
	Statements  schema.Statements
	Accounts    schema.Accounts

	// Trades of earlier days that statements cover (scan.go): Query says how many of
	// the refunds are a trade's. They are read some at a time.
	Earlier        schema.Settled
	EarlierRefunds schema.Returned

	entries  schema.Entries // of the index, on their way through the store
	refunded schema.Wanted  // trades of bill refunds, likewise
}

func (r *Rows) reset() {
	for kind := billRows; kind <= earlierRows; kind++ {
		rows, lines := r.tables(kind)
		schema.Reset(rows)
		if lines != nil {
			schema.Reset(lines)
		}
	}
}

// add appends all rows of another set.
func (r *Rows) add(o *Rows) {
	schema.AppendAll(&r.Bills, &o.Bills)
	schema.AppendAll(&r.Orders, &o.Orders)
	schema.AppendAll(&r.Lines, &o.Lines)
	schema.AppendAll(&r.Refunds, &o.Refunds)
	schema.AppendAll(&r.RefundLines, &o.RefundLines)
	schema.AppendAll(&r.Statements, &o.Statements)
	schema.AppendAll(&r.Accounts, &o.Accounts)
	schema.AppendAll(&r.Earlier, &o.Earlier)
	schema.AppendAll(&r.EarlierRefunds, &o.EarlierRefunds)
}

// StoreOptions are what a store needs to know.
type StoreOptions struct {
	Words    *schema.Words
	Layout   Layout // LayoutFor gives it
	Budget   int64  // bytes of packed rows held in memory; 0 is without bound
	SpillDir string // "" is the system's temporary folder
	// History: the run has one, in which trades of refunds are looked up (rules 9).
	History bool
	// Keep takes what the run keeps for a later one of the same day; nil: nothing is kept.
	Keep Keeper

	// A test's own: nil is xxh3, 0 mostContested.
	hash      func([]byte) uint64
	contested int
}

// A Store gathers the batches of a run and divides their rows among partitions
// by merchant and by the hash of out_trade_no (Layout). It holds them packed, in memory
// up to its budget and on disk beyond it. It is the loaders' sink.
type Store struct {
	opt         StoreOptions
	hash        func([]byte) uint64
	bucketShift uint // bucket = hash >> bucketShift
	shift       uint // partition = first of the group + hash >> shift
	grouped     bool // there are several groups, so that a row's merchant counts
	whose       merchants
	receives    map[uint32]bool // accounts that stores collect into
	keep        *keeper

	wordMu sync.Mutex
	byWord merchantWords

	bills, orders, refunds, statements, accounts *shuffle // by partition
	// By bucket, which is by hash of out_trade_no: rows whose number may be any
	// merchant's, so that their partition is where the number is found (locate.go).
	// There are none in a layout of one group.
	adriftOrders, adriftRefunds, adriftStatements, adriftAccounts *shuffle
	// By bucket, which is by hash of trade_no; as many as there are partitions.
	entries *shuffle // the index from trade_no to partition
	routed  *shuffle // statement rows that give a trade_no
	// The trades of refunds, with a history.
	refunded *shuffle
	earlier  *shuffle // by partition: trades of earlier days that statements cover
	scanned  side     // of them, fen

	routedAccounts *shuffle // account rows that give one
	flows          *shuffle // as entries, by bucket of 账务流水号: where its rows went

	mu         sync.Mutex // guards what follows
	rejects    []schema.Reject
	coverage   map[coverKey]int64
	aggregated schema.Statements
	byNumber   bool // some statement row gives an out_trade_no alone

	carried     int64 // rows that an earlier day carried
	carriedFrom int32 // the first table of such rows; noTable before there is one

	late    *Earlier    // what the run before has kept, of a late run; else nil
	routing keptRouting // what the routing leaves to late runs
	sizes   []int64     // rows by partition, before those that are routed
	strays  uint        // where the router sent statement rows whose trade nobody has

	readMu sync.Mutex
	read   map[int32]*readCount // by table
}

// A readCount is what arrived of one table, added up from the batches themselves:
// the left side of the conservation proofs (rules 8).
type readCount struct {
	payments, refunds side
	lines             int64 // of POS orders or refunds
	reported          int64 // of them reported as rejects by their loader; they came along for their order's sake
	statements        side  // millionths
	accounts          movements
}

func (c *readCount) merge(o *readCount) {
	c.payments.merge(o.payments)
	c.refunds.merge(o.refunds)
	c.lines += o.lines
	c.reported += o.reported
	c.statements.merge(o.statements)
}

// count adds each row of a batch to the count of its table.
func (s *Store) count(table []int32, add func(c *readCount, row int)) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	var c *readCount
	for row, t := range table {
		if row == 0 || t != table[row-1] {
			if c = s.read[t]; c == nil {
				c = new(readCount)
				s.read[t] = c
			}
		}
		add(c, row)
	}
}

// A side counts units and adds their amounts.
type side struct {
	count  int64
	amount rules.Sum
}

func (s *side) add(amount int64) {
	s.count++
	if amount != schema.Null {
		s.amount.AddInt(amount)
	}
}

func (s *side) merge(o side) {
	s.count += o.count
	s.amount.AddSum(o.amount)
}

// NewStore makes an empty store. The caller closes it.
func NewStore(opt StoreOptions) *Store {
	s := &Store{
		opt: opt, hash: opt.hash, shift: 64, keep: newKeeper(opt),
		coverage: map[coverKey]int64{}, read: map[int32]*readCount{}, carriedFrom: noTable,
	}
	if s.hash == nil {
		s.hash = xxh3.Hash // fixed: the same input falls into the same partition everywhere
	}
	s.bucketShift = shiftOf(opt.Layout.Partitions)
	s.layOut(opt.Layout)
	s.routed, s.routedAccounts = s.shuffle(statementRows), s.shuffle(accountRows)
	s.adriftStatements, s.adriftAccounts = s.shuffle(statementRows), s.shuffle(accountRows)
	return s
}

const noTable = 1<<31 - 1

// shiftOf is how far a hash is shifted to be one of n: by 64, which gives 0, for one.
func shiftOf(n int) uint {
	shift := uint(64)
	for k := 1; k < n; k *= 2 {
		shift--
	}
	return shift
}

func (s *Store) shuffle(kind rowKind) *shuffle { return &shuffle{kind: kind, keep: s.keep} }

// layOut begins a layout: of the shuffles that depend on it there are new ones.
func (s *Store) layOut(l Layout) {
	s.opt.Layout, s.byWord = l, merchantWords{}
	s.shift, s.grouped = shiftOf(l.spread()), l.spread() < l.Partitions
	s.bills, s.orders, s.refunds = s.shuffle(billRows), s.shuffle(orderRows), s.shuffle(refundRows)
	s.statements, s.accounts = s.shuffle(statementRows), s.shuffle(accountRows)
	s.adriftOrders, s.adriftRefunds = s.shuffle(orderRows), s.shuffle(refundRows)
	s.earlier = s.shuffle(earlierRows)
	s.entries, s.refunded, s.flows = s.shuffle(entryRows), s.shuffle(refundedRows), s.shuffle(entryRows)
}

// Layout is how the rows are divided: as the options say, unless Run has found that
// they do not lend themselves to it.
func (s *Store) Layout() Layout {
	return Layout{Partitions: s.opt.Layout.Partitions, Spread: s.opt.Layout.spread()}
}

// KnowMerchants tells the store the reference data by which it knows the merchants of
// rows, before the rows come. A layout of one group does without it.
func (s *Store) KnowMerchants(reg *schema.Registry, defaultPID string) {
	if !s.grouped {
		return
	}
	s.whose = newMerchants(s.opt.Words, reg, defaultPID)
	s.receives = map[uint32]bool{}
	for _, account := range s.whose.storeReceiving {
		s.receives[account] = account != 0
	}
}

// Close removes what was spilled.
func (s *Store) Close() error { return s.keep.close() }

// Reject takes a rejected row.
func (s *Store) Reject(r schema.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejects = append(s.rejects, r)
}

// bucketOf is the bucket of a hash: of one of all partitions.
func (s *Store) bucketOf(hash uint64) int32 { return int32(hash >> s.bucketShift) }

// partOf is the partition of a hash in a merchant's group, whose first partition is
// group: 0 where there is one group.
func (s *Store) partOf(group int32, hash uint64) int32 { return group + int32(hash>>s.shift) }

// Batch takes a batch of rows; it borrows it.
func (s *Store) Batch(ctx context.Context, b schema.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	add := map[schema.InputKind]func(schema.Batch) error{
		schema.AlipayBill: s.addBills, schema.PosOrders: s.addOrders,
		schema.PosRefundsKind: s.addRefunds, schema.Rebate: s.addStatements, schema.AlipayAccount: s.addAccounts,
	}[b.Kind]
	if add == nil {
		return fmt.Errorf("engine: a batch of %s", b.Kind)
	}
	return add(b)
}

// A spread divides the rows of a batch among partitions: a counting sort. It is
// reused from batch to batch.
type spread struct {
	part   []int32 // by row
	start  []int32 // by partition; one more
	rows   []int32 // by partition, in row order
	hashes []uint64
	flags  []uint64 // of entries of the index
	adrift []int32  // rows that go elsewhere
}

var spreads = sync.Pool{New: func() any { return new(spread) }}

func (d *spread) sort(parts int) {
	d.start = append(d.start[:0], make([]int32, parts+1)...)
	for _, p := range d.part {
		d.start[p+1]++
	}
	for p := range parts {
		d.start[p+1] += d.start[p]
	}
	d.rows = slices.Grow(d.rows[:0], len(d.part))[:len(d.part)]
	for row, p := range d.part {
		d.rows[d.start[p]] = int32(row)
		d.start[p]++
	}
	copy(d.start[1:], d.start[:parts]) // each start has moved to its end
	d.start[0] = 0
}

func (s *Store) addBills(b schema.Batch) error {
	var v schema.Bills
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	if err := s.placeBills(&v); err != nil {
		return err
	}
	s.count(v.Table, func(c *readCount, i int) {
		if v.Kind[i] == uint8(schema.Payment) {
			c.payments.add(v.Amount[i])
		} else {
			c.refunds.add(v.Amount[i])
		}
	})
	return nil
}

// placeBills sends bill rows to their partitions.
func (s *Store) placeBills(v *schema.Bills) error {
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part, d.hashes, d.flags = d.part[:0], d.hashes[:0], d.flags[:0]
	type owner struct {
		flags               uint8
		account, sub, store uint32
	}
	var last owner
	var words merchantWords
	group, sure := int32(0), uint64(0)
	for i := range v.Len() {
		trade := v.TradeNo.At(i)
		hash := s.hash(trade)
		d.hashes = append(d.hashes, hash)
		if s.grouped {
			of := owner{v.Flags[i], v.Account[i], v.SubMerchant[i], v.Store[i]}
			if words.group == nil {
				words = s.merchantWords()
				last = owner{account: ^of.account}
			}
			if of != last {
				merchant := s.whose.billMerchant(of.flags, of.account, of.sub, of.store)
				last, group, sure = of, words.group[merchant], 0
				if words.isPID[merchant] {
					sure = sureBit
				}
			}
		}
		d.flags = append(d.flags, s.billFlags(v, i, sure))
		if no := v.OutTradeNo.At(i); len(no) > 0 {
			hash = s.hash(no)
		}
		d.part = append(d.part, s.partOf(group, hash))
	}
	if err := s.bills.add(d.part, func(to *Rows) { schema.AppendAll(&to.Bills, v) }); err != nil {
		return err
	}
	if err := s.indexTrades(d, &v.TradeNo, nil); err != nil {
		return err
	}
	return s.noteRefunded(d, v)
}

// billFlags are what the index knows of a bill row; sure is what it knows of payments
// of its merchant.
func (s *Store) billFlags(v *schema.Bills, i int, sure uint64) uint64 {
	flags := uint64(0)
	if v.Kind[i] == uint8(schema.Payment) {
		flags = saleBit | sure
	}
	if v.Table[i] >= s.carriedFrom {
		flags |= carriedBit
	}
	return flags
}

// noteRefunded sends the trades of bill refunds to their buckets, if there is a
// history to look them up in.
func (s *Store) noteRefunded(d *spread, v *schema.Bills) error {
	if !s.opt.History {
		return nil
	}
	d.rows, d.part = d.rows[:0], d.part[:0]
	for i, kind := range v.Kind {
		if kind == uint8(schema.Refund) && len(v.TradeNo.At(i)) > 0 {
			d.rows = append(d.rows, int32(i))
			d.part = append(d.part, s.bucketOf(d.hashes[i]))
		}
	}
	return s.refunded.add(d.part, func(to *Rows) {
		for _, row := range d.rows {
			to.refunded.Merchant = append(to.refunded.Merchant, v.Account[row])
			to.refunded.OutTradeNo.Append(nil)
			to.refunded.TradeNo.Append(v.TradeNo.At(int(row)))
			to.refunded.Time = append(to.refunded.Time, v.Created[row])
		}
	})
}

func (s *Store) addOrders(b schema.Batch) error {
	var v schema.Orders
	var l schema.Lines
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	if err := schema.View(&l, b.Lines); err != nil {
		return err
	}
	if err := s.placeOrders(&v, &l); err != nil {
		return err
	}
	s.countLines(v.Table, firstLines(v.Lines), l.Flags)
	return nil
}

// placeOrders sends runs of orders to their partitions; those that may go on with an
// order of any merchant wait until it is known where that is.
func (s *Store) placeOrders(v *schema.Orders, l *schema.Lines) error {
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	s.spreadKeys(d, &v.OutTradeNo, &v.TradeNo, v.Merchant, v.Store, v.Flags)
	if len(d.adrift) > 0 {
		return s.driftOrders(d, v, l)
	}
	err := s.orders.add(d.part, func(to *Rows) {
		schema.AppendAll(&to.Orders, v)
		schema.AppendAll(&to.Lines, l)
	})
	if err != nil {
		return err
	}
	return s.indexOrders(d, v)
}

func (s *Store) addRefunds(b schema.Batch) error {
	var v schema.PosRefunds
	var l schema.RefundLines
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	if err := schema.View(&l, b.Lines); err != nil {
		return err
	}
	if err := s.placeRefunds(&v, &l); err != nil {
		return err
	}
	s.countLines(v.Table, firstLines(v.Lines), l.Flags)
	return nil
}

// placeRefunds sends runs of POS refunds to their partitions, as placeOrders does.
func (s *Store) placeRefunds(v *schema.PosRefunds, l *schema.RefundLines) error {
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	s.spreadKeys(d, &v.OutTradeNo, &v.TradeNo, v.Merchant, v.Store, nil)
	if len(d.adrift) > 0 {
		return s.driftRefunds(d, v, l)
	}
	err := s.refunds.add(d.part, func(to *Rows) {
		schema.AppendAll(&to.Refunds, v)
		schema.AppendAll(&to.RefundLines, l)
	})
	if err != nil {
		return err
	}
	return s.indexRefunds(d, v)
}

func (s *Store) countLines(table, first []int32, flags []uint8) {
	s.count(table, func(c *readCount, run int) {
		reported := false // the row, which may have several goods
		for _, f := range flags[first[run]:first[run+1]] {
			if f&schema.LineContinues == 0 {
				c.lines++
				reported = false
			}
			if f&(schema.LineGoodsRejected|schema.LineOrderRejected) != 0 && !reported {
				c.reported++
				reported = true
			}
		}
	})
}

// spreadKeys finds the partition of each POS row by its merchant and out_trade_no, and
// hashes its trade_no. Rows that any merchant's may be are adrift.
func (s *Store) spreadKeys(d *spread, outTradeNo, tradeNo *schema.Text, merchant, store []uint32, flags []uint8) {
	d.part, d.hashes, d.adrift = d.part[:0], d.hashes[:0], d.adrift[:0]
	if !s.grouped {
		for i := range outTradeNo.Len() {
			d.part = append(d.part, s.partOf(0, s.hash(outTradeNo.At(i))))
			d.hashes = append(d.hashes, s.hash(tradeNo.At(i)))
		}
		return
	}
	words := s.merchantWords()
	for i := range outTradeNo.Len() {
		no := outTradeNo.At(i)
		if silent(merchant[i], store[i]) && len(no) > 0 && (flags == nil || flags[i]&schema.OrderWhole == 0) {
			d.adrift = append(d.adrift, int32(i))
		}
		group := words.group[s.whose.posMerchant(merchant[i], store[i], words.isPID)]
		d.part = append(d.part, s.partOf(group, s.hash(no)))
		d.hashes = append(d.hashes, s.hash(tradeNo.At(i)))
	}
}

// firstLines gives the first line of each run, and one more.
func firstLines(counts []int32) []int32 {
	first := make([]int32, len(counts)+1)
	for i, n := range counts {
		first[i+1] = first[i] + n
	}
	return first
}

func linesOf(lines, runs, first []int32) []int32 {
	for _, run := range runs {
		for line := first[run]; line < first[run+1]; line++ {
			lines = append(lines, line)
		}
	}
	return lines
}

// seal ends the reading: every row is in a segment.
func (s *Store) seal() error {
	for _, h := range [...]*shuffle{
		s.bills, s.orders, s.refunds, s.statements, s.accounts, s.entries, s.routed, s.refunded, s.earlier, s.routedAccounts, s.flows,
		s.adriftOrders, s.adriftRefunds, s.adriftStatements, s.adriftAccounts,
	} {
		if err := h.seal(); err != nil {
			return err
		}
	}
	return nil
}

// forget lets go of all rows, once the last pass is done with them.
func (s *Store) forget() {
	for _, h := range [...]*shuffle{s.bills, s.orders, s.refunds, s.statements, s.earlier} {
		h.forget()
	}
}

// rows gathers a partition's rows in r, which is reset first. Their order is that
// of arrival and means nothing.
func (s *Store) rows(p int, r *Rows) error {
	r.reset()
	for _, h := range [...]*shuffle{s.bills, s.orders, s.refunds, s.statements, s.accounts} {
		if err := h.rows(p, r); err != nil {
			return err
		}
	}
	return nil
}
