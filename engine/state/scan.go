package state

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Scan is engine.History: it goes through the pages of the runs that had trades paid
// on the days, all at once in the order of refs, so that the rows of one trade meet
// and nothing but a page of each run is held. What it was asked and what it handed
// out counts for the run as look-ups do.
func (d *Day) Scan(ctx context.Context, days []int32, each func(*schema.Settled, *schema.Returned) error) error {
	if d.s.db == nil || len(days) == 0 {
		return nil
	}
	s := &scan{days: days, each: each, strays: map[string][]strayRefund{}}
	if err := d.s.guard(func() error { return s.through(ctx, d.earlier) }); err != nil {
		return err
	}
	d.asked.addScan(days, s.digest)
	return nil
}

// scanRows are handed out at once.
const scanRows = 4096

// A scan is on its way through several runs.
type scan struct {
	days []int32
	each func(*schema.Settled, *schema.Returned) error

	trades  []*scanCursor[*tradeRows]
	refunds []*scanCursor[*refundRows]
	refund  *scanCursor[*refundRows] // of them, that with the least ref; nil: they are at their ends
	strays  map[string][]strayRefund // by the ref that finds them

	settled  tradeRows // rows to be handed out
	returned refundRows
	kept     []schema.Field // of settled
	back     []schema.Field // of returned
	ref      []byte         // of the trade in hand
	best     *rows          // whose row of it is the last of settled; nil: it has none yet
	buf      []byte
	digest   uint64 // of all trades with their refunds, whatever their order

	refundDigest uint64 // of the refunds of the trade in hand
}

// A strayRefund is one that does not stand under the trade_no that it names.
type strayRefund struct {
	row  refundRows // one
	from *rows
}

func (s *scan) through(ctx context.Context, earlier []*chain) error {
	s.kept, s.back = trades.fields(&s.settled), refunds.fields(&s.returned)
	defer s.close()
	for _, c := range earlier {
		for _, r := range c.layers {
			if err := s.add(r); err != nil {
				return err
			}
		}
	}
	s.sortStrays()
	s.refund, _ = leading(s.refunds)
	for {
		first, next := leading(s.trades)
		if first == nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for goesOn := true; goesOn; goesOn = first.ref() != nil && (next == nil || bytes.Compare(first.ref(), next) < 0) {
			if err := s.offer(first); err != nil {
				return err
			}
			if err := first.advance(); err != nil {
				return err
			}
		}
	}
	if err := s.endTrade(); err != nil {
		return err
	}
	return s.hand()
}

// add begins with a run that has something of the days.
func (s *scan) add(r *rows) error {
	paid, err := r.on(paidTimes, s.days)
	if err != nil {
		return err
	}
	returned, err := r.on(returnedTimes, s.days)
	if err != nil || !paid && !returned {
		return err
	}
	if err := r.dictionary(); err != nil {
		return err
	}
	if paid {
		c, err := newScanCursor(r, &trades, tradePages, tradeTable)
		if err != nil {
			return err
		}
		s.trades = append(s.trades, c)
	}
	if !returned {
		return nil
	}
	if err := s.findStrays(r); err != nil {
		return err
	}
	c, err := newScanCursor(r, &refunds, refundPages, refundTable)
	if err != nil {
		return err
	}
	s.refunds = append(s.refunds, c)
	return nil
}

func (s *scan) close() {
	for _, c := range s.trades {
		_ = c.it.Close() // errors are those of reading, which are said there
	}
	for _, c := range s.refunds {
		_ = c.it.Close()
	}
}

// leading is the cursor with the least ref, and the least ref of the others, nil if
// there is none. Of layers of one day it is the one whose row comes first.
func leading[T schema.Rows](cursors []*scanCursor[T]) (first *scanCursor[T], next []byte) {
	for _, c := range cursors {
		ref := c.ref()
		switch {
		case ref == nil:
		case first == nil:
			first = c
		case bytes.Compare(ref, first.ref()) < 0,
			c.r.gen.Date == first.r.gen.Date && bytes.Equal(ref, first.ref()) && before(c.kind, c.rows, c.row, c.r, first.rows, first.row, first.r):
			first, next = c, first.ref()
		case next == nil || bytes.Compare(ref, next) < 0:
			next = ref
		}
	}
	return first, next
}

// before reports whether a row of one layer comes before that of another.
func before[T schema.Rows](k *kind[T], a T, i int, of *rows, b T, j int, other *rows) bool {
	order := k.tie(a, i, b, j)
	if order == 0 {
		order = strings.Compare(of.texts[k.merchant(a)[i]], other.texts[k.merchant(b)[j]])
	}
	return order < 0
}

// sortStrays puts those of one trade in the order in which a run in full has them.
func (s *scan) sortStrays() {
	for _, list := range s.strays {
		slices.SortStableFunc(list, func(a, b strayRefund) int {
			if a.from == b.from || a.from.gen.Date != b.from.gen.Date {
				return cmp.Compare(a.from.gen.Date, b.from.gen.Date)
			}
			if order := bytes.Compare(a.row.Ref.At(0), b.row.Ref.At(0)); order != 0 {
				return order
			}
			if before(&refunds, &a.row, 0, a.from, &b.row, 0, b.from) {
				return -1
			}
			return 1
		})
	}
}

// offer makes a row the one that is handed out of its trade, if it is worth the most
// so far, or as much on a later day.
func (s *scan) offer(c *scanCursor[*tradeRows]) error {
	if !bytes.Equal(c.ref(), s.ref) {
		if err := s.endTrade(); err != nil {
			return err
		}
		s.ref = append(s.ref[:0], c.ref()...)
	}
	w := worth(c.rows, c.row)
	if w == 0 || c.rows.BillAmount[c.row] == schema.Null {
		return nil
	}
	if s.best != nil {
		last := s.settled.Len() - 1
		if was := worth(&s.settled, last); was > w || was == w && s.best.gen.Date >= c.r.gen.Date {
			return nil
		}
		truncate(s.kept, last)
	}
	s.best = c.r
	appendPicked(s.kept, c.fields, []int32{int32(c.row)})
	return nil
}

// endTrade completes the trade in hand: its words, its refunds.
func (s *scan) endTrade() error {
	if s.best == nil {
		return nil
	}
	i, r := s.settled.Len()-1, s.best
	s.best = nil
	if !onDays(s.settled.BillTime[i], s.days) {
		truncate(s.kept, i)
		return nil
	}
	digest, buf, err := digestRow(r, s.kept, i, s.buf)
	s.buf = buf
	if err != nil {
		return err
	}
	from := s.returned.Len()
	s.refundDigest = 0
	for _, one := range s.strays[string(s.ref)] {
		if err := s.take(one.from, refunds.fields(&one.row), 0); err != nil {
			return err
		}
	}
	if err := s.refundsOf(); err != nil {
		return err
	}
	s.settled.Query = append(s.settled.Query, int32(s.returned.Len()-from))
	s.settled.Day = append(s.settled.Day, r.gen.Date)
	s.settled.TradeNo.Append(tradeNoOf(s.ref))
	s.digest += digest ^ s.refundDigest
	if s.settled.Len() < scanRows {
		return nil
	}
	return s.hand()
}

// refundsOf takes the refunds that stand under the ref of the trade in hand.
func (s *scan) refundsOf() error {
	for s.refund != nil {
		c := s.refund
		switch order := bytes.Compare(c.ref(), s.ref); {
		case order > 0:
			return nil
		case order == 0 && s.counts(c.rows, c.row) && !stray(c.rows, c.row):
			if err := s.take(c.r, c.fields, c.row); err != nil {
				return err
			}
		}
		if err := c.advance(); err != nil {
			return err
		}
		s.refund, _ = leading(s.refunds)
	}
	return nil
}

// take adds a refund to the trade in hand.
func (s *scan) take(r *rows, from []schema.Field, row int) error {
	appendPicked(s.back, from, []int32{int32(row)})
	s.returned.Day = append(s.returned.Day, r.gen.Date)
	digest, buf, err := digestRow(r, s.back, s.returned.Len()-1, s.buf)
	s.buf = buf
	s.refundDigest = s.refundDigest*31 + digest
	return err
}

// hand hands out what there is.
func (s *scan) hand() error {
	if s.settled.Len() == 0 {
		return nil
	}
	err := s.each(&s.settled.Settled, &s.returned.Returned)
	schema.Reset(&s.settled)
	schema.Reset(&s.returned)
	return err
}

// counts tells whether a refund lessens what its trade brought in on the days.
func (s *scan) counts(rows *refundRows, i int) bool {
	return rows.Counts[i] != 0 && rules.Status(rows.Status[i]) != rules.StatusDuplicate && onDays(rows.Time[i], s.days)
}

// stray tells whether a refund stands elsewhere than under the trade_no that it names.
func stray(rows *refundRows, i int) bool {
	no := rows.TradeNo.At(i)
	return len(no) == 0 || !bytes.Equal(tradeNoOf(rows.Ref.At(i)), no)
}

// findStrays keeps the refunds that a look-up finds otherwise than under the trade_no
// that they name: there are few.
func (s *scan) findStrays(r *rows) error {
	return r.returned(func(p *refundRows) error {
		for i := range p.Len() {
			if !r.counts(int64(p.Part[i])) || !s.counts(p, i) || !stray(p, i) {
				continue
			}
			one := strayRefund{from: r}
			appendPicked(refunds.fields(&one.row), refunds.fields(p), []int32{int32(i)})
			refs := map[string]bool{string(p.Ref.At(i)): true}
			refundKeys(&p.Returned, i, r.texts[p.Merchant[i]], func(_ byte, ref []byte) {
				if no := p.TradeNo.At(i); len(no) == 0 || bytes.Equal(tradeNoOf(ref), no) {
					refs[string(ref)] = true
				}
			})
			for ref := range refs {
				s.strays[ref] = append(s.strays[ref], one)
			}
		}
		return nil
	})
}

// A scanCursor goes through all rows of a kind of a run.
type scanCursor[T schema.Rows] struct {
	r      *rows
	kind   *kind[T]
	table  string
	it     *pebble.Iterator
	page   page
	rows   T // of the page
	fields []schema.Field
	row    int
	ended  bool
}

func newScanCursor[T schema.Rows](r *rows, k *kind[T], pages byte, table string) (*scanCursor[T], error) {
	prefix := r.gen.key(pages)
	it, err := r.s.iterator(prefix, after(prefix))
	if err != nil {
		return nil, err
	}
	c := &scanCursor[T]{r: r, kind: k, table: table, it: it, rows: k.fresh()}
	c.fields = k.columns(c.rows)
	if !it.First() {
		c.ended = true
		return c, it.Error()
	}
	if err := c.load(); err != nil || c.r.counts(int64((*k.part(c.rows))[0])) {
		return c, err
	}
	return c, c.advance()
}

// ref is that of the row in hand, nil at the end.
func (c *scanCursor[T]) ref() []byte {
	if c.ended {
		return nil
	}
	return c.kind.ref(c.rows).At(c.row)
}

// advance goes to the next row that counts.
func (c *scanCursor[T]) advance() error {
	for {
		if c.row++; c.row >= c.page.rows {
			if !c.it.Next() {
				c.ended = true
				return c.it.Error()
			}
			if err := c.load(); err != nil {
				return err
			}
		}
		if len(c.r.replaced) == 0 || c.r.counts(int64((*c.kind.part(c.rows))[c.row])) {
			return nil
		}
	}
}

// load unpacks the page that the iterator is at.
func (c *scanCursor[T]) load() error {
	value, err := c.it.ValueAndErr()
	if err != nil {
		return err
	}
	if err = c.page.open(value); err == nil && (len(c.page.columns) != len(c.r.head.Columns[c.table]) || c.page.rows == 0) {
		err = errPage
	}
	if err == nil {
		resetFields(c.fields)
		err = c.page.appendTo(c.fields, c.r.at[c.table])
	}
	if err != nil {
		return c.r.explain(err, c.table+": ")
	}
	c.row = 0
	for i := range c.page.rows {
		c.kind.unpack(c.rows, i)
	}
	return nil
}

// truncate leaves the first n rows.
func truncate(fields []schema.Field, n int) {
	for _, f := range fields {
		switch data := f.Data.(type) {
		case *[]int64:
			*data = (*data)[:n]
		case *[]int32:
			*data = (*data)[:n]
		case *[]uint32:
			*data = (*data)[:n]
		case *[]uint8:
			*data = (*data)[:n]
		case *schema.Text:
			data.Offsets = data.Offsets[:n+1]
			data.Data = data.Data[:data.Offsets[n]]
		}
	}
}

// addScan notes a scan and the digest of what it handed out, once.
func (a *askedRows) addScan(days []int32, digest uint64) {
	buf := appendLong(nil, digest)
	for _, day := range days {
		buf = binary.BigEndian.AppendUint32(buf, uint32(day))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.addSum(xxh3.Hash(buf)) {
		return
	}
	for _, day := range days {
		if at, known := slices.BinarySearch(a.scanned, day); !known {
			a.scanned = slices.Insert(a.scanned, at, day)
		}
	}
}

// addSum adds a hash of something that was asked, with the answer, to the digest of all
// look-ups, once; false: it was known. a.mu is held.
func (a *askedRows) addSum(sum uint64) bool {
	if a.routed == nil {
		a.routed = map[uint64]bool{}
	}
	if a.routed[sum] {
		return false
	}
	a.routed[sum] = true
	if a.tallies == nil {
		a.tallies = byPart{}
	}
	a.tallies.of(routingPart).answers += sum
	a.scanSums = append(a.scanSums, sum)
	return true
}
