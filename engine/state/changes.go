package state

import (
	"cmp"
	"slices"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An answer can only have changed if a row has that it could have been found by: a
// look-up goes through keys, of what is wanted and of the trade that it finds, and
// reads no row that has none of them. A run therefore notes the hashes of the keys that
// each look-up went through; a commit gathers those of the rows that have changed.

// keysOfQuestion: trade_no and number, of what is wanted and of what is found.
const keysOfQuestion = 4

// questionKeys are hashes of the keys that a look-up went through; 0 is none.
type questionKeys [keysOfQuestion]uint32

var keyColumns = [keysOfQuestion]string{"key0", "key1", "key2", "key3"}

// keyHash is the hash of a key: of a ref, or of an out_trade_no of any merchant. That
// two have one costs time alone.
func keyHash(key []byte) uint32 { return max(uint32(xxh3.Hash(key)>>32), 1) }

// add notes a hash once; those of one question are never more than there is room for.
func (q *questionKeys) add(h uint32) {
	for k := range q {
		switch q[k] {
		case h:
			return
		case 0:
			q[k] = h
			return
		}
	}
}

// noteKeys notes what the answer to a row of wanted hangs on.
func (f *finder) noteKeys(q *questionKeys, i int, texts []string) {
	own := f.wanted.OutTradeNo.At(i)
	if trade := f.wanted.TradeNo.At(i); len(trade) > 0 {
		f.buf = appendRef(f.buf[:0], "", nil, trade)
		q.add(keyHash(f.buf))
	}
	if len(own) > 0 {
		if m := f.wanted.Merchant[i]; m != 0 {
			f.buf = appendRef(f.buf[:0], texts[m], own, nil)
		} else {
			f.buf = append(append(f.buf[:0], refAnyMerchant), own...)
		}
		q.add(keyHash(f.buf))
	}
	merchant, no, trade := f.identity(i)
	if len(trade) > 0 {
		f.buf = appendRef(f.buf[:0], "", nil, trade)
		q.add(keyHash(f.buf))
	}
	if len(no) > 0 {
		f.buf = appendRef(f.buf[:0], texts[merchant], no, nil)
		q.add(keyHash(f.buf))
	}
}

// A keySet is a set of hashes of keys.
type keySet struct {
	filter []uint64 // a bit for each value of the first filterBits of those that are in it
	sorted []uint32
}

const filterBits = 22

func newKeySet(keys []uint32) *keySet {
	slices.Sort(keys)
	s := &keySet{sorted: slices.Compact(keys)}
	if len(keys) > 0 {
		s.filter = make([]uint64, 1<<(filterBits-6))
	}
	for _, h := range s.sorted {
		bit := h >> (32 - filterBits)
		s.filter[bit/64] |= 1 << (bit % 64)
	}
	return s
}

func (s *keySet) empty() bool { return len(s.sorted) == 0 }

func (s *keySet) has(h uint32) bool {
	if len(s.sorted) == 0 {
		return false
	}
	bit := h >> (32 - filterBits)
	if s.filter[bit/64]&(1<<(bit%64)) == 0 {
		return false
	}
	_, ok := slices.BinarySearch(s.sorted, h)
	return ok
}

// A mark is a row and the digest of what it says.
type mark struct {
	digest uint64
	layer  int32
	row    int32
}

// changed is what look-ups and scans find the rows by that only one of two revisions has.
type changed struct {
	keys *keySet
	days map[int32]bool // on which trades were paid, or refunds completed
	all  []uint32       // keys is made of
}

// on notes the day of a time.
func (c *changed) on(t int64) {
	if t == schema.Null {
		return
	}
	day := t / daySeconds
	if t < day*daySeconds {
		day--
	}
	c.days[int32(day)] = true
}

// changedRows compares two revisions. was is nil for nothing. What the two share, layers
// of which the same parts count, is not read.
func changedRows(was, now *chain) (*changed, error) {
	c := &changed{days: map[int32]bool{}}
	sides := [2][]scope{scopes(was, now), scopes(now, was)}
	for _, kind := range []struct {
		marks func(scope, int32, []mark) ([]mark, error)
		note  func(*changed, *rows, []mark) error
	}{
		{scope.trades, (*changed).trades},
		{scope.refunds, (*changed).refunds},
	} {
		var marks [2][]mark
		for k, side := range sides {
			for at, s := range side {
				var err error
				if marks[k], err = kind.marks(s, int32(at), marks[k]); err != nil {
					return nil, err
				}
			}
		}
		marks[0], marks[1] = onlyOne(marks[0], marks[1])
		for k, side := range sides {
			for at, s := range side {
				var mine []mark
				mine, marks[k] = ofLayer(marks[k], int32(at))
				if len(mine) == 0 {
					continue
				}
				if err := kind.note(c, s.r, mine); err != nil {
					return nil, err
				}
			}
		}
	}
	c.keys, c.all = newKeySet(c.all), nil
	return c, nil
}

// A scope is the rows of a layer that count in one revision and not in the other.
type scope struct{ r, other *rows }

// scopes are those of a revision that may have such rows.
func scopes(c, other *chain) []scope {
	if c == nil {
		return nil
	}
	var all []scope
	for _, r := range c.layers {
		s := scope{r, other.layer(r.gen)}
		if s.other == nil || !s.r.replaced.covers(s.other.replaced) {
			all = append(all, s)
		}
	}
	return all
}

// has reports whether the rows of a part are in it.
func (s scope) has(part int64) bool {
	return s.r.counts(part) && (s.other == nil || !s.other.counts(part))
}

// whole reports whether all rows are in it.
func (s scope) whole() bool { return s.other == nil && len(s.r.replaced) == 0 }

// onlyOne are the marks whose digest only one of the lists has, as often as it has it
// more, by layer and row.
func onlyOne(a, b []mark) ([]mark, []mark) {
	var onlyA, onlyB []mark
	byDigest := func(a, b mark) int { return cmp.Compare(a.digest, b.digest) }
	slices.SortFunc(a, byDigest)
	slices.SortFunc(b, byDigest)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i].digest < b[j].digest:
			onlyA = append(onlyA, a[i])
			i++
		case i == len(a) || a[i].digest > b[j].digest:
			onlyB = append(onlyB, b[j])
			j++
		default:
			i++
			j++
		}
	}
	byRow := func(a, b mark) int { return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.row, b.row)) }
	slices.SortFunc(onlyA, byRow)
	slices.SortFunc(onlyB, byRow)
	return onlyA, onlyB
}

// ofLayer are the marks of a layer, which come first, and the rest.
func ofLayer(marks []mark, layer int32) (mine, rest []mark) {
	n := 0
	for n < len(marks) && marks[n].layer == layer {
		n++
	}
	return marks[:n], marks[n:]
}

func (s scope) trades(layer int32, marks []mark) ([]mark, error) {
	return marksOf(s, &trades, (*rows).settled, tradePages, tradeTable, layer, marks)
}

func (s scope) refunds(layer int32, marks []mark) ([]mark, error) {
	return marksOf(s, &refunds, (*rows).returned, refundPages, refundTable, layer, marks)
}

// marksOf appends the marks of the rows in a scope: of all rows page by page, of some
// without a look at the others.
func marksOf[T schema.Rows](s scope, k *kind[T], each func(*rows, func(T) error) error, pages byte, table string, layer int32, marks []mark) ([]mark, error) {
	r := s.r
	if err := r.dictionary(); err != nil {
		return marks, err
	}
	var buf []byte
	from := int32(0)
	add := func(fields []schema.Field, i int, row int32) (err error) {
		m := mark{layer: layer, row: row}
		m.digest, buf, err = digestRow(r, fields, i, buf)
		marks = append(marks, m)
		return err
	}
	if s.whole() {
		err := each(r, func(rows T) error {
			fields := k.fields(rows)
			for i := range rows.Len() {
				if err := add(fields, i, from+int32(i)); err != nil {
					return err
				}
			}
			from += int32(rows.Len())
			return nil
		})
		return marks, err
	}
	c, err := newRowCursor(r, k, pages, table)
	if err != nil {
		return marks, err
	}
	one := k.fresh()
	fields := k.fields(one)
	err = r.each(pages, func(_, value []byte) error {
		if err := c.hold(int(from)/pageRows, value); err != nil {
			return err
		}
		for i := range c.page.rows {
			part, err := c.value(c.part, i)
			if err != nil {
				return err
			}
			if !s.has(part) {
				continue
			}
			resetFields(fields)
			if err := c.read(i, fields); err != nil {
				return err
			}
			k.unpack(one, 0)
			if err := add(fields, 0, from+int32(i)); err != nil {
				return err
			}
		}
		from += int32(c.page.rows)
		return nil
	})
	return marks, err
}

// trades notes some of a layer; duplicates are never found.
func (c *changed) trades(r *rows, marks []mark) error {
	in, err := r.trades()
	if err != nil {
		return err
	}
	defer in.close()
	var one tradeRows
	fields := trades.fields(&one)
	var key []byte
	for _, m := range marks {
		if err := in.one(m, fields); err != nil {
			return err
		}
		trades.unpack(&one, 0)
		if rules.Status(one.Status[0]) == rules.StatusDuplicate {
			continue
		}
		c.all = append(c.all, keyHash(one.Ref.At(0)))
		if no := one.OutTradeNo.At(0); len(no) > 0 {
			key = append(append(key[:0], refAnyMerchant), no...)
			c.all = append(c.all, keyHash(key))
			key = appendRef(key[:0], r.texts[one.Merchant[0]], no, nil)
			c.all = append(c.all, keyHash(key))
		}
		if one.BillAmount[0] != schema.Null {
			c.on(one.BillTime[0])
		}
	}
	return nil
}

// refunds notes some of a layer.
func (c *changed) refunds(r *rows, marks []mark) error {
	in, err := newRowCursor(r, &refunds, refundPages, refundTable)
	if err != nil {
		return err
	}
	defer in.close()
	var one refundRows
	fields := refunds.fields(&one)
	for _, m := range marks {
		if err := in.one(m, fields); err != nil {
			return err
		}
		refundKeys(&one.Returned, 0, r.texts[one.Merchant[0]], func(_ byte, ref []byte) { c.all = append(c.all, keyHash(ref)) })
		if one.Counts[0] != 0 && rules.Status(one.Status[0]) != rules.StatusDuplicate {
			c.on(one.Time[0])
		}
	}
	return nil
}

// one reads a row that is marked into empty fields.
func (c *rowCursor) one(m mark, fields []schema.Field) error {
	row, err := c.goTo(int(m.row))
	if err != nil {
		return err
	}
	resetFields(fields)
	return c.read(row, fields)
}
