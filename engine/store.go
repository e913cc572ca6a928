package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/engine/spill"
	"duizhang/rules"
)

// Rows are the input rows of one partition: plain data, owned by whoever holds
// it. All rows of one out_trade_no are in one partition, lines in the order of
// the runs that they belong to.
type Rows struct {
	Bills       schema.Bills
	Orders      schema.Orders
	Lines       schema.Lines
	Refunds     schema.PosRefunds
	RefundLines schema.RefundLines
	Statements  schema.Statements
}

func (r *Rows) tables() [6]schema.Rows {
	return [6]schema.Rows{&r.Bills, &r.Orders, &r.Lines, &r.Refunds, &r.RefundLines, &r.Statements}
}

func (r *Rows) reset() {
	for _, t := range r.tables() {
		schema.Reset(t)
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
}

func (r *Rows) size() int64 {
	var n int64
	for _, t := range r.tables() {
		n += schema.Size(t)
	}
	return n
}

// StoreOptions are what a store needs to know.
type StoreOptions struct {
	Words      *schema.Words
	Partitions int    // a power of two; PartitionsFor gives it
	Budget     int64  // bytes of rows held in memory; 0 is without bound
	SpillDir   string // "" is the system's temporary folder

	hash func([]byte) uint64 // a test's own; nil is xxh3
}

// A Store gathers the batches of a run and divides their rows among partitions
// by the hash of out_trade_no. It holds them in memory up to its budget and on
// disk beyond it. It is the loaders' sink.
type Store struct {
	opt   StoreOptions
	hash  func([]byte) uint64
	shift uint // partition = hash >> shift

	parts []partition
	index []tradeBucket // by hash of trade_no; as many as there are partitions

	mu         sync.Mutex // guards what follows
	rejects    []schema.Reject
	coverage   map[coverKey]int64
	aggregated schema.Statements
	spilled    *spill.File

	held    atomic.Int64 // bytes of sealed chunks in memory
	spillMu sync.Mutex

	readMu sync.Mutex
	read   map[int32]*readCount // by table
}

// A partition's rows arrive in chunks, each of one kind of input: one of a kind is
// open, the others are sealed, in memory or on disk.
type partition struct {
	mu     sync.Mutex
	open   [chunkKinds]*Rows
	sealed []chunk
}

// The kinds of chunk.
const (
	billChunk = iota
	orderChunk
	refundChunk
	statementChunk
	chunkKinds
)

type chunk struct {
	rows *Rows        // nil if spilled
	refs [6]spill.Ref // of the six tables
}

// chunkBytes is the size at which an open chunk is sealed: large enough that a
// spilled chunk is worth a seek, small beside the partitions' number.
const chunkBytes = 512 << 10

// A readCount is what arrived of one table, added up from the batches themselves:
// the left side of the conservation proofs (rules 8).
type readCount struct {
	payments, refunds side
	lines             int64 // of POS orders or refunds
	reported          int64 // of them reported as rejects by their loader; they came along for their order's sake
	statements        side  // millionths
}

func (c *readCount) merge(o *readCount) {
	c.payments.merge(o.payments)
	c.refunds.merge(o.refunds)
	c.lines += o.lines
	c.reported += o.reported
	c.statements.merge(o.statements)
}

// readOf is the count of a table; the caller holds readMu.
func (s *Store) readOf(table int32) *readCount {
	c := s.read[table]
	if c == nil {
		c = new(readCount)
		s.read[table] = c
	}
	return c
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
	s := &Store{opt: opt, hash: opt.hash, shift: 64, coverage: map[coverKey]int64{}, read: map[int32]*readCount{}}
	if s.hash == nil {
		s.hash = xxh3.Hash // fixed: the same input falls into the same partition everywhere
	}
	for n := 1; n < opt.Partitions; n *= 2 {
		s.shift--
	}
	s.parts = make([]partition, opt.Partitions)
	s.index = make([]tradeBucket, opt.Partitions)
	return s
}

// Close removes what was spilled.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spilled == nil {
		return nil
	}
	err := s.spilled.Close()
	s.spilled = nil
	return err
}

// Reject takes a rejected row.
func (s *Store) Reject(r schema.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejects = append(s.rejects, r)
}

// partOf is the partition of a hash. A store of one partition shifts by 64,
// which gives 0.
func (s *Store) partOf(hash uint64) int32 { return int32(hash >> s.shift) }

// Batch takes a batch of rows; it borrows it.
func (s *Store) Batch(ctx context.Context, b schema.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	add := map[schema.InputKind]func(schema.Batch) error{
		schema.AlipayBill: s.addBills, schema.PosOrders: s.addOrders,
		schema.PosRefundsKind: s.addRefunds, schema.Rebate: s.addStatements,
	}[b.Kind]
	if add == nil {
		return fmt.Errorf("engine: a batch of %s", b.Kind)
	}
	if err := add(b); err != nil {
		return err
	}
	return s.keepBudget()
}

// A spread divides the rows of a batch among partitions: a counting sort. It is
// reused from batch to batch.
type spread struct {
	part   []int32 // by row
	start  []int32 // by partition; one more
	rows   []int32 // by partition, in row order
	hashes []uint64
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

// each calls do with the rows of every partition that has some, under its lock.
func (d *spread) each(s *Store, kind int, do func(to *Rows, rows []int32)) {
	d.sort(len(s.parts))
	for p := range s.parts {
		rows := d.rows[d.start[p]:d.start[p+1]]
		if len(rows) == 0 {
			continue
		}
		part := &s.parts[p]
		part.mu.Lock()
		open := part.opened(kind)
		do(open, rows)
		if size := open.size(); size >= chunkBytes {
			part.sealed = append(part.sealed, chunk{rows: open})
			s.held.Add(size)
			part.open[kind] = open.roomLike()
		}
		part.mu.Unlock()
	}
}

// opened is the open chunk of the kind.
func (p *partition) opened(kind int) *Rows {
	if p.open[kind] == nil {
		p.open[kind] = new(Rows)
	}
	return p.open[kind]
}

// roomLike is an empty chunk with room for as many rows as r has: growing step by
// step touches twice the memory, which is dear.
func (r *Rows) roomLike() *Rows {
	room := new(Rows)
	from := r.tables()
	for k, t := range room.tables() {
		schema.Reserve(t, from[k])
	}
	return room
}

func (s *Store) addBills(b schema.Batch) error {
	var v schema.Bills
	if err := schema.View(&v, b.Rows); err != nil {
		return err
	}
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part, d.hashes = d.part[:0], d.hashes[:0]
	for i := range v.Len() {
		trade := v.TradeNo.At(i)
		hash := s.hash(trade)
		d.hashes = append(d.hashes, hash)
		if no := v.OutTradeNo.At(i); len(no) > 0 {
			d.part = append(d.part, s.partOf(s.hash(no)))
		} else {
			d.part = append(d.part, s.partOf(hash))
		}
	}
	d.each(s, billChunk, func(to *Rows, rows []int32) { schema.Append(&to.Bills, &v, rows) })
	s.indexTrades(d, &v.TradeNo, nil)
	s.readMu.Lock()
	defer s.readMu.Unlock()
	for i, table := range v.Table {
		if v.Kind[i] == uint8(schema.Payment) {
			s.readOf(table).payments.add(v.Amount[i])
		} else {
			s.readOf(table).refunds.add(v.Amount[i])
		}
	}
	return nil
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
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	s.spreadKeys(d, &v.OutTradeNo, &v.TradeNo)
	first := firstLines(v.Lines)
	var lines []int32
	d.each(s, orderChunk, func(to *Rows, rows []int32) {
		schema.Append(&to.Orders, &v, rows)
		lines = linesOf(lines[:0], rows, first)
		schema.Append(&to.Lines, &l, lines)
	})
	s.indexTrades(d, &v.TradeNo, v.Excluded)
	s.countLines(v.Table, first, l.Flags)
	return nil
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
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	s.spreadKeys(d, &v.OutTradeNo, &v.TradeNo)
	first := firstLines(v.Lines)
	var lines []int32
	d.each(s, refundChunk, func(to *Rows, rows []int32) {
		schema.Append(&to.Refunds, &v, rows)
		lines = linesOf(lines[:0], rows, first)
		schema.Append(&to.RefundLines, &l, lines)
	})
	s.indexTrades(d, &v.TradeNo, nil)
	s.countLines(v.Table, first, l.Flags)
	return nil
}

func (s *Store) countLines(table, first []int32, flags []uint8) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	for run, t := range table {
		c := s.readOf(t)
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
	}
}

// spreadKeys finds the partition of each row by its out_trade_no, and hashes its
// trade_no.
func (s *Store) spreadKeys(d *spread, outTradeNo, tradeNo *schema.Text) {
	d.part, d.hashes = d.part[:0], d.hashes[:0]
	for i := range outTradeNo.Len() {
		d.part = append(d.part, s.partOf(s.hash(outTradeNo.At(i))))
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

// keepBudget spills the sealed chunks when they outgrow the budget.
func (s *Store) keepBudget() error {
	if s.opt.Budget <= 0 || s.held.Load() <= s.opt.Budget {
		return nil
	}
	s.spillMu.Lock() // one spill at a time; others wait, which also holds the loaders back
	defer s.spillMu.Unlock()
	if s.held.Load() <= s.opt.Budget {
		return nil
	}
	return s.spillAll()
}

func (s *Store) spillAll() error {
	s.mu.Lock()
	if s.spilled == nil {
		f, err := spill.Create(s.opt.SpillDir)
		if err != nil {
			s.mu.Unlock()
			return err
		}
		s.spilled = f
	}
	file := s.spilled
	s.mu.Unlock()
	for p := range s.parts {
		part := &s.parts[p]
		part.mu.Lock()
		err := s.spillPart(file, part)
		part.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) spillPart(file *spill.File, part *partition) error {
	for i := range part.sealed {
		c := &part.sealed[i]
		if c.rows == nil {
			continue
		}
		size := c.rows.size()
		for k, table := range c.rows.tables() {
			if table.Len() == 0 {
				continue
			}
			rec := schema.Record(table)
			ref, err := file.Put(rec)
			rec.Release()
			if err != nil {
				return err
			}
			c.refs[k] = ref
		}
		c.rows = nil
		s.held.Add(-size)
	}
	return nil
}

// rows gathers a partition's chunks in r, which is reset first. The order of the
// rows is that of arrival and means nothing.
func (s *Store) rows(p int, r *Rows) error {
	r.reset()
	part := &s.parts[p]
	for i := range part.sealed {
		c := &part.sealed[i]
		if c.rows != nil {
			r.add(c.rows)
			continue
		}
		if err := s.addSpilled(c, r); err != nil {
			return err
		}
	}
	for _, open := range part.open {
		if open != nil {
			r.add(open)
		}
	}
	return nil
}

// release forgets a partition's rows, once it is done with.
func (s *Store) release(p int) {
	s.parts[p].sealed, s.parts[p].open = nil, [chunkKinds]*Rows{}
}

func (s *Store) addSpilled(c *chunk, r *Rows) error {
	var none spill.Ref
	var piece Rows
	from, to := piece.tables(), r.tables()
	for k, ref := range c.refs {
		if ref == none {
			continue
		}
		rec, err := s.spilled.Get(ref)
		if err != nil {
			return err
		}
		err = schema.View(from[k], rec)
		if err == nil {
			appendTable(to[k], from[k])
		}
		rec.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func appendTable(to, from schema.Rows) {
	schema.AppendAll(to, from)
}
