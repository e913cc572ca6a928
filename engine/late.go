package engine

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"duizhang/engine/memo"
	"duizhang/engine/schema"
)

// A run keeps what it knew of its parts ([Keeper]), so that a *late run*, one of the
// same day with more files, computes only the parts that the new files change
// ([Earlier]). What is kept:
//
//   - the rows of a partition as they are packed, one section a generation: the first
//     run's, and what each late run added;
//   - the index from trade_no to partition, by bucket, likewise;
//   - what each part came to besides its rows: its memo;
//   - what the run as a whole knew: words, tables, rejects, what is contested.
//
// A late run gives the same bytes as a run over all files. Whatever would need more
// than the parts that get new rows ends it with [ErrAnew], and the day is computed
// in full.

// ErrAnew is the error of a late run that cannot be made of what was kept.
var ErrAnew = errors.New("what an earlier run of the day has kept does not do")

// anew is an ErrAnew with its cause.
func anew(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAnew, fmt.Sprintf(format, args...))
}

// A Keeper takes sections of what a run keeps; the data is borrowed. It is safe for
// concurrent use.
type Keeper interface {
	Put(section string, data []byte) error
	// Take has a section of the earlier run, which has not changed, kept on.
	Take(section string) error
}

// Kept is what an earlier run has kept, section by section.
type Kept interface {
	Has(section string) bool
	Get(section string) ([]byte, error)
}

// A ReusingSink can take a part from what an earlier run has kept of its outputs.
type ReusingSink interface {
	ResultSink
	Reuse(ctx context.Context, part int) error
}

// KeptShape tells programs apart whose kept sections differ in shape.
func KeptShape() string { return memo.Shape[keptRun]() + memo.Shape[partMemo]() }

// A keptRun is what the run as a whole knew.
type keptRun struct {
	generations [][]string // by generation: the tables by their number then
	away        []int32    // by partition: the generation that has its rows that met in the last part; -1 for none
	memos       []int32    // by part: the generation that has its memo
	parts       int
	words       []string
	tables      []schema.Table
	contested   []map[uint64]bool
	routing     keptRouting
	strays      uint    // where statement rows lie whose trade nobody has
	sizes       []int64 // rows by partition
	plan        string
	spans       [2]map[uint32]spans
	read        []keptCount
	rejects     []schema.Reject
	coverage    []keptCover
	aggregated  schema.Statements
	carried     int64
}

type keptCount struct {
	table int32 `memo:"table"`
	count readCount
}

type keptCover struct {
	table int32 `memo:"table"`
	key   coverKey
	n     int64
}

// A partMemo is what a part came to besides its rows.
type partMemo struct {
	found  *findings
	totals totals
	out    outTotals
	sums   partSums
}

// partSums are what a worker adds up over its partitions.
type partSums struct {
	shifts shiftTable
	losses lossTable
	groups map[groupKey]*groupSum
	uses   map[pidUseKey]*PIDUse
	census *census
	posts  posts
}

// takeSums are the sums of the partitions since the last call.
func (w *worker) takeSums() *partSums {
	s := &partSums{w.shifts, w.losses, w.groups, w.pidUses, w.census, w.posts}
	w.shifts, w.losses, w.groups, w.pidUses, w.census = shiftTable{}, lossTable{}, map[groupKey]*groupSum{}, nil, newCensus()
	w.posts = posts{}
	return s
}

// mergeSums adds sums, which are not used again.
func (d *driver) mergeSums(s *partSums) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shifts.merge(&s.shifts)
	d.losses.merge(&s.losses)
	for key, g := range s.groups {
		if all := d.groups[key]; all != nil {
			all.merge(g)
		} else {
			d.groups[key] = g
		}
	}
	mergeUses(d.plan.places, d.uses, s.uses)
	d.census.merge(s.census)
	d.census.addPosts(&s.posts)
}

// RunSection is there if a run has kept all that a late run needs.
const RunSection = "run"

func rowsSection(part, generation int) string {
	return fmt.Sprintf("rows-%05d.%d", part, generation)
}

func awaySection(part, generation int) string {
	return fmt.Sprintf("away-%05d.%d", part, generation)
}

func indexSection(bucket, generation int) string {
	return fmt.Sprintf("index-%05d.%d", bucket, generation)
}

func memoSection(part, generation int) string {
	return fmt.Sprintf("part-%05d.%d", part, generation)
}

// Earlier is what an earlier run of the day has kept.
type Earlier struct {
	kept Kept
	run  keptRun

	renumber [][]int32 // by generation: number of a table then → now
	dirty    []bool    // by part: it is computed anew
	now      int       // the generation of this run

	moved map[int32]map[uint64]int32 // by partition: trades of its statement rows that lie elsewhere now
}

// ReadEarlier reads what an earlier run knew as a whole.
func ReadEarlier(kept Kept) (*Earlier, error) {
	e := &Earlier{kept: kept}
	data, err := kept.Get(RunSection)
	if err != nil {
		return nil, err
	}
	rest, err := memo.Read(data, &e.run, nil)
	if err != nil || len(rest) > 0 || len(e.run.generations) == 0 {
		return nil, anew("%s is damaged", RunSection)
	}
	e.now = len(e.run.generations)
	return e, nil
}

// Words are the words of the earlier run, by code; a late run begins with them.
func (e *Earlier) Words() []string { return e.run.words }

// Tables are the tables of the earlier run, those of carried rows last.
func (e *Earlier) Tables() []schema.Table { return e.run.tables }

// Dirty tells which parts were computed anew; it is known after the run.
func (e *Earlier) Dirty() []bool { return e.dirty }

// Renumbered is the number of each of the earlier run's tables now.
func (e *Earlier) Renumbered() []int32 { return e.renumber[len(e.renumber)-1] }

// tableNames name tables so that those of two runs can be told to be the same.
func tableNames(tables []*schema.Table) []string {
	names, seen := make([]string, len(tables)), map[string]int{}
	for i, t := range tables {
		name := t.Path + "\x00" + t.Member + "\x00" + t.Kind.String() + "\x00" + strconv.Itoa(int(t.Since)) + "\x00" + t.SHA256
		names[i] = name + "\x00" + strconv.Itoa(seen[name])
		seen[name]++
	}
	return names
}

// Recall gives the store of a late run, which has the rows of the new files alone,
// what the earlier run knew: tables are those of this run, all of the earlier run's
// among them.
func (s *Store) Recall(e *Earlier, tables []*schema.Table) error {
	now := map[string]int32{}
	for i, name := range tableNames(tables) {
		now[name] = int32(i)
	}
	for g, names := range e.run.generations {
		numbers := make([]int32, len(names))
		for i, name := range names {
			number, ok := now[name]
			if !ok {
				return anew("a table of generation %d is gone", g)
			}
			numbers[i] = number
		}
		e.renumber = append(e.renumber, numbers)
	}
	data, err := e.kept.Get(RunSection)
	if err != nil {
		return err
	}
	e.run = keptRun{}
	if _, err := memo.Read(data, &e.run, e.Renumbered()); err != nil {
		return anew("%s: %v", RunSection, err)
	}
	s.late = e
	s.rejects = append(s.rejects, e.run.rejects...)
	for i := range e.run.coverage {
		c := &e.run.coverage[i]
		c.key.table = c.table
		s.coverage[c.key] += c.n
	}
	schema.AppendAll(&s.aggregated, &e.run.aggregated)
	for i := range e.run.read {
		c := &e.run.read[i]
		if s.read[c.table] != nil {
			return anew("table %d was read again", c.table)
		}
		s.read[c.table] = &c.count
	}
	s.carried = e.run.carried
	return nil
}

// packed appends the rows of a partition that are in the store as they are packed.
func (s *Store) packed(dst []byte, p int) ([]byte, error) {
	var buf []byte
	for _, h := range s.rowShuffles() {
		var err error
		if dst, err = h.packed(dst, p, &buf); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (s *Store) rowShuffles() [5]*shuffle {
	return [...]*shuffle{s.bills, s.orders, s.refunds, s.statements, s.accounts}
}

// packed appends the part's packed rows, with their length before them.
func (h *shuffle) packed(dst []byte, p int, buf *[]byte) ([]byte, error) {
	at := len(dst)
	dst = append(dst, make([]byte, lengthBytes)...)
	for i := range h.segments {
		data, err := h.keep.part(&h.segments[i], p, buf)
		if err != nil {
			return nil, err
		}
		dst = append(dst, data...)
	}
	putLength(dst[at:], len(dst)-at-lengthBytes)
	return dst, nil
}

const lengthBytes = 8

func putLength(dst []byte, n int) {
	for i := range lengthBytes {
		dst[i] = byte(uint64(n) >> (8 * i))
	}
}

// takeLength takes a length and as many bytes.
func takeLength(src []byte) (data, rest []byte, ok bool) {
	if len(src) < lengthBytes {
		return nil, nil, false
	}
	n := uint64(0)
	for i := range lengthBytes {
		n |= uint64(src[i]) << (8 * i)
	}
	src = src[lengthBytes:]
	if n > uint64(len(src)) {
		return nil, nil, false
	}
	return src[:n], src[n:], true
}

// unpackRows appends rows that packed or packRows gave.
func unpackRows(data []byte, r *Rows) error {
	for kind := billRows; kind <= accountRows; kind++ {
		part, rest, ok := takeLength(data)
		if !ok {
			return anew("rows are damaged")
		}
		data = rest
		rows, lines := packersOf(r, kind)
		var err error
		for len(part) > 0 && err == nil {
			if part, err = rows.Unpack(part); err == nil && lines != nil {
				part, err = lines.Unpack(part)
			}
		}
		if err != nil {
			return anew("rows: %v", err)
		}
	}
	return nil
}

// packRows appends all rows of r, as packed does.
func packRows(dst []byte, r *Rows) []byte {
	every := func(n int) []int32 {
		all := make([]int32, n)
		for i := range all {
			all[i] = int32(i)
		}
		return all
	}
	for kind := billRows; kind <= accountRows; kind++ {
		at := len(dst)
		dst = append(dst, make([]byte, lengthBytes)...)
		rowTable, lineTable := r.tables(kind)
		rows, lines := packersOf(r, kind)
		if n := rowTable.Len(); n > 0 {
			rows.Scan()
			dst = rows.Pack(dst, every(n))
			if lines != nil {
				lines.Scan()
				dst = lines.Pack(dst, every(lineTable.Len()))
			}
		}
		putLength(dst[at:], len(dst)-at-lengthBytes)
	}
	return dst
}

// renumberTables gives the rows' tables their new numbers.
func (r *Rows) renumberTables(numbers []int32) error {
	for _, column := range [...][]int32{r.Bills.Table, r.Orders.Table, r.Refunds.Table, r.Statements.Table, r.Accounts.Table} {
		for i, t := range column {
			if t < 0 || int(t) >= len(numbers) {
				return anew("rows of a table that is not there")
			}
			column[i] = numbers[t]
		}
	}
	return nil
}

// earlierRows appends the rows of a section, if it is there.
func (e *Earlier) earlierRows(section string, generation int, r *Rows) error {
	if !e.kept.Has(section) {
		return nil
	}
	data, err := e.kept.Get(section)
	if err != nil {
		return err
	}
	var rows Rows
	if err := unpackRows(data, &rows); err != nil {
		return err
	}
	if err := rows.renumberTables(e.renumber[generation]); err != nil {
		return err
	}
	r.add(&rows)
	return nil
}

// partRows appends the rows that a partition had.
func (e *Earlier) partRows(part int, r *Rows) error {
	for g := range e.now {
		if err := e.earlierRows(rowsSection(part, g), g, r); err != nil {
			return err
		}
	}
	return nil
}

// generation is the number of this run among those of its day that are kept.
func (s *Store) generation() int {
	if s.late == nil {
		return 0
	}
	return s.late.now
}

// A keptRouting is what the routing of a run leaves to late runs.
type keptRouting struct {
	loose    bool // a row is where its out_trade_no alone was found
	byNumber bool // some statement row gives an out_trade_no alone
	rows     []earlierRow
	trades   []earlierTrade
}

// nowhere is the partition in a stray's entry whose rows do not move: a trade_no that
// comes later makes more of them than a change of place.
const nowhere = partBits &^ flagBits

// strayRows is of how many statement rows those whose trade nobody has lie in one
// partition. They lie in few, for a late file may know their trades.
const strayRows = 1 << 20

// beginLate looks whether the routing of a late run can go on with that of the run
// before.
func (r *router) beginLate() error {
	s, rows := r.store, int64(0)
	for _, c := range s.read {
		rows += c.statements.count
	}
	n := s.opt.Layout.spread()
	for n < s.keep.parts && int64(n)*strayRows < rows {
		n *= 2
	}
	r.strays = shiftOf(n)
	r.note(!s.adriftOrders.empty() || !s.adriftRefunds.empty() || !s.adriftStatements.empty() || !s.adriftAccounts.empty())
	if s.late == nil {
		return nil
	}
	was := &s.late.run.routing
	switch {
	case s.byNumber && !was.byNumber:
		return anew("statement rows give an out_trade_no alone")
	case s.late.run.strays != r.strays:
		return anew("statement rows without a trade lie elsewhere")
	}
	s.byNumber = was.byNumber
	r.earlier = slices.Clone(was.rows)
	r.moves = map[int32]map[uint64]int32{}
	return nil
}

// note notes that a row is where its out_trade_no alone was found.
func (r *router) note(loose bool) { //nolint:revive // flag-parameter: it is what is noted
	if loose {
		r.mu.Lock()
		r.loose = true
		r.mu.Unlock()
	}
}

// strayPart is the partition of a statement row that gives nothing but a trade_no that
// nobody has.
func (r *router) strayPart(trade uint64) int32 {
	if !r.store.grouped {
		return r.store.partOf(0, trade)
	}
	return int32(trade >> r.strays)
}

// stray notes a row whose trade nobody has, and its partition; one that moves goes
// to its trade when a late file has it.
func (w *routeWorker) stray(trade uint64, part int32, moves bool) error { //nolint:revive // flag-parameter: a property of the row
	if other, known := w.strayed.lookUp(trade); known && partIn(other) != part {
		return anew("rows of one trade")
	}
	if !moves {
		part = nowhere
	}
	w.strays = append(w.strays, trade&^partBits|uint64(part))
	return nil
}

// lookUp is find in a table that may have no slots.
func (t *tradeTable) lookUp(hash uint64) (uint64, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	return t.find(hash)
}

// takeIndex gives the entries of a bucket that the runs before had, and has w know
// their strays.
func (r *router) takeIndex(bucket int, w *routeWorker) ([]int64, error) {
	w.strays, w.open = w.strays[:0], w.open[:0]
	e := r.store.late
	if e == nil {
		return nil, nil
	}
	w.oldIndex.reset()
	for g := range e.now {
		if !e.kept.Has(indexSection(bucket, g)) {
			continue
		}
		data, err := e.kept.Get(indexSection(bucket, g))
		if err != nil {
			return nil, err
		}
		if data, err = unpackEntries(data, &w.oldIndex); err != nil {
			return nil, err
		}
		for ; len(data) >= lengthBytes; data = data[lengthBytes:] {
			w.open = append(w.open, binary.LittleEndian.Uint64(data))
		}
		if err := r.store.opt.Keep.Take(indexSection(bucket, g)); err != nil {
			return nil, err
		}
	}
	w.strayed.reset(len(w.open))
	for _, stray := range w.open {
		w.strayed.add(stray)
	}
	return w.oldIndex.entries.Entry, nil
}

// unpackEntries appends packed entries to r, and gives what follows them.
func unpackEntries(data []byte, r *Rows) ([]byte, error) {
	packed, rest, ok := takeLength(data)
	if !ok {
		return nil, anew("the index is damaged")
	}
	rows, _ := packersOf(r, entryRows)
	for len(packed) > 0 {
		var err error
		if packed, err = rows.Unpack(packed); err != nil {
			return nil, anew("the index: %v", err)
		}
	}
	return rest, nil
}

// keepIndex keeps what this run has added to a bucket of the index.
func (r *router) keepIndex(bucket int, w *routeWorker) error {
	s := r.store
	if s.opt.Keep == nil || !s.grouped {
		return nil
	}
	var buf []byte
	var err error
	if w.packed, err = s.entries.packed(w.packed[:0], bucket, &buf); err != nil {
		return err
	}
	for _, stray := range w.strays {
		w.packed = binary.LittleEndian.AppendUint64(w.packed, stray)
	}
	if len(w.packed) == lengthBytes {
		return nil
	}
	return s.opt.Keep.Put(indexSection(bucket, s.generation()), w.packed)
}

// openStrays leaves out the strays of the runs before whose trades these came to know:
// their rows have moved.
func (w *routeWorker) openStrays() {
	w.open = slices.DeleteFunc(w.open, func(stray uint64) bool {
		_, known := w.table.find(stray)
		return known
	})
}

// moveStrays finds the strays whose trades late files have. The statement rows among
// them move to where these are.
func (r *router) moveStrays(w *routeWorker) error {
	for _, stray := range w.open {
		e, known := w.table.find(stray)
		if !known {
			continue
		}
		from := partIn(stray)
		if from == nowhere {
			return anew("rows of a trade that comes late")
		}
		if from == partIn(e) {
			continue
		}
		r.mu.Lock()
		if r.moves[from] == nil {
			r.moves[from] = map[uint64]int32{}
		}
		r.moves[from][e&^partBits] = partIn(e)
		r.mu.Unlock()
	}
	return nil
}

// recallTrades contests what the runs before contested for trades of earlier days that
// refunds are of. One that is of today now was not asked for.
func (r *router) recallTrades(bucket int, w *routeWorker) error {
	if r.store.late == nil {
		return nil
	}
	was := &r.store.late.run.routing
	for _, t := range was.trades {
		if int(r.store.bucketOf(t.trade)) != bucket {
			continue
		}
		if e, known := w.table.find(t.trade); !known || e&saleBit != 0 || partIn(e) != t.part {
			return anew("a trade of an earlier day is of today")
		}
		if t.part != t.home {
			r.contest(t.trade, t.part)
			r.contest(t.key, t.home)
		}
		r.mu.Lock()
		r.trades = append(r.trades, t)
		r.mu.Unlock()
	}
	return nil
}

func flowSection(bucket, generation int) string {
	return fmt.Sprintf("flows-%05d.%d", bucket, generation)
}

// recallFlows keeps the entries of a bucket of 账务流水号, and adds to w those of the
// runs before.
func (s *Store) recallFlows(bucket int, w *routeWorker) error {
	if s.opt.Keep == nil || !s.grouped {
		return nil
	}
	var buf []byte
	data, err := s.flows.packed(nil, bucket, &buf)
	if err != nil {
		return err
	}
	if len(data) > lengthBytes {
		if err := s.opt.Keep.Put(flowSection(bucket, s.generation()), data); err != nil {
			return err
		}
	}
	if s.late == nil {
		return nil
	}
	for g := range s.late.now {
		section := flowSection(bucket, g)
		if !s.late.kept.Has(section) {
			continue
		}
		data, err := s.late.kept.Get(section)
		if err != nil {
			return err
		}
		if _, err := unpackEntries(data, &w.rows); err != nil {
			return err
		}
		if err := s.opt.Keep.Take(section); err != nil {
			return err
		}
	}
	return nil
}

// moveStatements has statement rows of the runs before go to their trades, which late
// files have.
func (s *Store) moveStatements(moves map[int32]map[uint64]int32) error {
	e := s.late
	e.moved = moves
	for from, trades := range moves {
		var rows Rows
		if err := e.partRows(int(from), &rows); err != nil {
			return err
		}
		v := &rows.Statements
		var goes, parts []int32
		for i := range v.Len() {
			if to, ok := trades[s.hash(v.TradeNo.At(i))&^partBits]; ok && len(v.TradeNo.At(i)) > 0 {
				goes, parts = append(goes, int32(i)), append(parts, to)
			}
		}
		if err := s.statements.add(parts, func(to *Rows) { schema.Append(&to.Statements, v, goes) }); err != nil {
			return err
		}
	}
	return s.statements.seal()
}

// dropMoved leaves out the statement rows that have moved from a partition.
func (e *Earlier) dropMoved(part int, r *Rows, hash func([]byte) uint64) {
	trades := e.moved[int32(part)]
	if trades == nil {
		return
	}
	v := &r.Statements
	var stays []int32
	for i := range v.Len() {
		if _, ok := trades[hash(v.TradeNo.At(i))&^partBits]; !ok || len(v.TradeNo.At(i)) == 0 {
			stays = append(stays, int32(i))
		}
	}
	var stay schema.Statements
	schema.Append(&stay, v, stays)
	*v = stay
}

// partsOf are the partitions of an account's group.
func (s *Store) partsOf(account uint32) (from, to int32) {
	from = s.groups().of(account)
	return from, from + int32(s.opt.Layout.spread())
}

// buffers hold sections on their way to the keeper: fresh memory is dear.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// takeBuffer is an empty buffer.
func takeBuffer() *[]byte {
	buf := buffers.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in it
	*buf = (*buf)[:0]
	return buf
}

// prepareLate finds what a late run computes anew.
func (d *driver) prepareLate() error {
	if d.plan.shares != nil || d.plan.hasRefused || d.store.routing.loose || !d.store.grouped || !d.store.earlier.empty() {
		d.keeper = nil // no part is for itself
	}
	if d.late == nil {
		return nil
	}
	if err := d.findDirty(); err != nil {
		return err
	}
	if _, ok := d.sink.(ReusingSink); !ok {
		return anew("the outputs cannot be used again")
	}
	if d.opt.Amend != nil {
		return d.opt.Amend(d.late.dirty)
	}
	return nil
}

func (d *driver) findDirty() error {
	e, p := d.late, d.plan
	was := &e.run
	n, parts := d.store.keep.parts, d.count()
	switch {
	case d.keeper == nil:
		return anew("no part is for itself")
	case len(was.contested) != n || len(was.away) != n || was.parts > parts || len(was.memos) != was.parts:
		return anew("other partitions")
	case was.plan != p.digest():
		return anew("what decides all parts has changed")
	}
	e.dirty = make([]bool, parts)
	meet := was.parts != parts // rows meet in the last part, or others than before
	for i := range n {
		same := maps.Equal(was.contested[i], d.contested[i])
		e.dirty[i] = !same || d.store.holds(i) || e.moved[int32(i)] != nil
		meet = meet || !same
	}
	if err := d.dirtySpans(); err != nil {
		return err
	}
	for i := range n {
		meet = meet || e.dirty[i] && (len(d.contested[i]) > 0 || was.away[i] >= 0)
	}
	if parts > n {
		e.dirty[n] = meet
	}
	return nil
}

// dirtySpans marks the partitions of accounts of which other times are covered now.
func (d *driver) dirtySpans() error {
	e, p := d.late, d.plan
	for k, now := range [...]map[uint32]spans{p.billSpans, p.accountSpans} {
		was := e.run.spans[k]
		for account := range now {
			if slices.Equal(was[account], now[account]) {
				continue
			}
			if slices.ContainsFunc(p.storeReceiving, func(r uint32) bool { return r != 0 }) {
				return anew("accounts of stores that collect into others")
			}
			from, to := d.store.partsOf(account)
			for i := from; i < to; i++ {
				e.dirty[i] = true
			}
		}
		for account := range was {
			if _, ok := now[account]; !ok {
				return anew("an account is not covered any more")
			}
		}
	}
	return nil
}

// holds tells whether the store has rows of the partition.
func (s *Store) holds(p int) bool {
	for _, h := range s.rowShuffles() {
		for i := range h.segments {
			if h.segments[i].size(p) > 0 {
				return true
			}
		}
	}
	return false
}

// digest stands for what decides all parts besides their rows, as far as files may
// change it. Counts decide nothing, codes are those of the earlier run.
func (p *plan) digest() string {
	keys := slices.SortedFunc(maps.Keys(p.coverage), func(a, b coverKey) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.product, b.product), cmp.Compare(a.period, b.period),
			cmp.Compare(a.merchant, b.merchant), cmp.Compare(fmt.Sprint(a.aggregated), fmt.Sprint(b.aggregated)))
	})
	days := slices.SortedFunc(maps.Keys(p.billDays), func(a, b billDay) int {
		return cmp.Or(cmp.Compare(a.merchant, b.merchant), cmp.Compare(a.day, b.day))
	})
	return fmt.Sprint(keys, days, p.dayStart, p.compares, p.comparesRefunds, p.audit, p.tiesOut, p.settles)
}

// clean tells whether a part of a late run is as it was.
func (d *driver) clean(part int) bool { return d.late != nil && !d.late.dirty[part] }

// keepRows keeps the rows of a partition that the store has, and gives a late run
// those that it had before.
func (d *driver) keepRows(p int, r *Rows) error {
	e := d.late
	if d.keeper == nil || d.plan.collecting {
		return nil
	}
	section := rowsSection(p, d.store.generation())
	if e != nil && e.moved[int32(p)] != nil { // all of them anew
		if err := e.partRows(p, r); err != nil {
			return err
		}
		e.dropMoved(p, r, d.store.hash)
		return d.keeper.Put(section, packRows(nil, r))
	}
	if e == nil || d.store.holds(p) {
		buf := takeBuffer()
		defer buffers.Put(buf)
		var err error
		if *buf, err = d.store.packed(*buf, p); err != nil {
			return err
		}
		if err := d.keeper.Put(section, *buf); err != nil {
			return err
		}
	}
	if e == nil {
		return nil
	}
	if err := d.keepOn(p); err != nil {
		return err
	}
	return e.partRows(p, r)
}

// keepOn keeps the rows that the earlier runs had of a partition.
func (d *driver) keepOn(p int) error {
	for g := range d.late.now {
		if section := rowsSection(p, g); d.late.kept.Has(section) {
			if err := d.keeper.Take(section); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepAway keeps the rows that left a partition.
func (d *driver) keepAway(p int) error {
	if d.keeper == nil || d.plan.collecting {
		return nil
	}
	d.awayOf[p] = int32(d.store.generation())
	return d.keeper.Put(awaySection(p, d.store.generation()), packRows(nil, &d.away[p]))
}

// keepPart keeps what a part came to.
func (d *driver) keepPart(w *worker, found *findings, out *outTotals) error {
	if d.keeper == nil {
		return nil
	}
	sums := w.takeSums()
	g := d.store.generation()
	buf := takeBuffer()
	defer buffers.Put(buf)
	*buf = memo.Append(*buf, &partMemo{found, w.totals, *out, *sums})
	err := d.keeper.Put(memoSection(w.part.Number, g), *buf)
	d.memoOf[w.part.Number] = int32(g)
	d.mergeSums(sums)
	return err
}

// reuse takes a part from what was kept of it.
func (d *driver) reuse(ctx context.Context, _ *worker, part int, stage string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := d.late
	g := e.run.memos[part]
	if g < 0 || int(g) >= e.now {
		return anew("part %d is damaged", part)
	}
	section := memoSection(part, int(g))
	data, err := e.kept.Get(section)
	if err != nil {
		return err
	}
	var m partMemo
	if rest, err := memo.Read(data, &m, e.renumber[g]); err != nil || len(rest) > 0 || m.found == nil || m.sums.census == nil {
		return anew("%s is damaged", section)
	}
	if err := d.keeper.Take(section); err != nil {
		return err
	}
	d.memoOf[part] = g
	if part < d.store.keep.parts {
		if err := d.reuseRows(part); err != nil {
			return err
		}
	}
	if err := d.sink.(ReusingSink).Reuse(ctx, part); err != nil { //nolint:forcetypeassert // prepareLate has looked
		return err
	}
	d.mergeSums(&m.sums)
	d.note(part, m.found, &m.totals, &m.out, stage)
	return nil
}

// reuseRows keeps the rows of a clean partition on, and has those of them that meet
// others in the last part.
func (d *driver) reuseRows(p int) error {
	if err := d.keepOn(p); err != nil {
		return err
	}
	g := d.late.run.away[p]
	if g < 0 {
		return nil
	}
	d.awayOf[p] = g
	section := awaySection(p, int(g))
	if err := d.keeper.Take(section); err != nil {
		return err
	}
	if d.clean(d.store.keep.parts) {
		return nil
	}
	return d.late.earlierRows(section, int(g), &d.away[p])
}

// keepRun keeps what the run as a whole knew.
func (d *driver) keepRun() error {
	p, s := d.plan, d.store
	run := keptRun{
		away: d.awayOf, memos: d.memoOf, parts: d.count(), words: p.words.Texts(), contested: d.contested, routing: s.routing, strays: s.strays, sizes: s.sizes,
		plan: p.digest(), spans: [2]map[uint32]spans{p.billSpans, p.accountSpans},
		rejects: s.rejects, aggregated: s.aggregated, carried: s.carried,
	}
	if d.late != nil {
		run.generations = d.late.run.generations
	}
	run.generations = append(slices.Clip(run.generations), tableNames(p.tables))
	for _, t := range p.tables {
		run.tables = append(run.tables, *t)
	}
	for table, count := range s.read {
		run.read = append(run.read, keptCount{table, *count})
	}
	for key, n := range s.coverage {
		run.coverage = append(run.coverage, keptCover{key.table, key, n})
	}
	return d.keeper.Put(RunSection, memo.Append(nil, &run))
}
