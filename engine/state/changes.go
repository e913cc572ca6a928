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
	row    int32
}

// changedKeys are the keys of the rows that only one of two revisions has. was is nil
// for nothing.
func changedKeys(was, now *rows) (*keySet, error) {
	var keys []uint32
	for _, kind := range []struct {
		marks func(*rows) ([]mark, error)
		keys  func(*rows, []mark, []uint32) ([]uint32, error)
	}{
		{(*rows).tradeMarks, (*rows).tradeKeys},
		{(*rows).refundMarks, (*rows).refundKeys},
	} {
		var marks [2][]mark
		for k, r := range []*rows{was, now} {
			if r == nil {
				continue
			}
			if err := r.dictionary(); err != nil {
				return nil, err
			}
			var err error
			if marks[k], err = kind.marks(r); err != nil {
				return nil, err
			}
		}
		marks[0], marks[1] = onlyOne(marks[0], marks[1])
		for k, r := range []*rows{was, now} {
			if len(marks[k]) == 0 {
				continue
			}
			var err error
			if keys, err = kind.keys(r, marks[k], keys); err != nil {
				return nil, err
			}
		}
	}
	return newKeySet(keys), nil
}

// onlyOne are the marks whose digest only one of the lists has, as often as it has it
// more, by row.
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
	byRow := func(a, b mark) int { return cmp.Compare(a.row, b.row) }
	slices.SortFunc(onlyA, byRow)
	slices.SortFunc(onlyB, byRow)
	return onlyA, onlyB
}

func (r *rows) tradeMarks() ([]mark, error) {
	var marks []mark
	var buf []byte
	err := r.settled(func(s *schema.Settled) error {
		fields := trades.fields(s)
		for i := range s.Len() {
			var err error
			m := mark{row: int32(len(marks))}
			if m.digest, buf, err = digestRow(r, fields, i, buf); err != nil {
				return err
			}
			marks = append(marks, m)
		}
		return nil
	})
	return marks, err
}

func (r *rows) refundMarks() ([]mark, error) {
	var marks []mark
	var buf []byte
	err := r.returned(func(p *returnedPage) error {
		fields := refunds.fields(&p.Returned)
		for i := range p.Len() {
			var err error
			m := mark{row: int32(len(marks))}
			if m.digest, buf, err = digestRow(r, fields, i, buf); err != nil {
				return err
			}
			marks = append(marks, m)
		}
		return nil
	})
	return marks, err
}

// tradeKeys appends what look-ups find trades by.
func (r *rows) tradeKeys(marks []mark, keys []uint32) ([]uint32, error) {
	c, err := r.trades()
	if err != nil {
		return keys, err
	}
	defer c.close()
	var ref, no, key []byte
	for _, m := range marks {
		row, err := c.goTo(int(m.row))
		if err != nil {
			return keys, err
		}
		status, err := c.value(c.status, row)
		if err != nil {
			return keys, err
		}
		if rules.Status(status) == rules.StatusDuplicate { // never found
			continue
		}
		merchant, err := c.value(c.owner, row)
		if err != nil {
			return keys, err
		}
		if ref, err = c.text(ref[:0], c.ref, row); err != nil {
			return keys, err
		}
		if no, err = c.text(no[:0], c.no, row); err != nil {
			return keys, err
		}
		keys = append(keys, keyHash(ref))
		if len(no) > 0 {
			key = append(append(key[:0], refAnyMerchant), no...)
			keys = append(keys, keyHash(key))
			key = appendRef(key[:0], r.texts[merchant], no, nil)
			keys = append(keys, keyHash(key))
		}
	}
	return keys, nil
}

// refundKeys appends what look-ups find refunds by.
func (r *rows) refundKeys(marks []mark, keys []uint32) ([]uint32, error) {
	c, err := newRowCursor(r, &refunds, refundPages, refundTable)
	if err != nil {
		return keys, err
	}
	defer c.close()
	var one schema.Returned
	fields := refunds.fields(&one)
	for _, m := range marks {
		row, err := c.goTo(int(m.row))
		if err != nil {
			return keys, err
		}
		resetFields(fields)
		if err := c.read(row, fields); err != nil {
			return keys, err
		}
		refundKeys(&one, 0, r.texts[one.Merchant[0]], func(_ byte, ref []byte) { keys = append(keys, keyHash(ref)) })
	}
	return keys, nil
}
