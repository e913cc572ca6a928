package state

import (
	"bytes"
	"cmp"
	"slices"

	"duizhang/engine/schema"
)

// Find is engine.History: it looks in the days that the run sees, and notes what was
// asked and answered.
func (d *Day) Find(part int, wanted *schema.Wanted, found *schema.Settled, returned *schema.Returned) error {
	if err := d.takes(part); err != nil {
		return err
	}
	n := wanted.Len()
	if n == 0 || d.s.db == nil {
		return nil
	}
	f := &finder{s: d.s, days: d.earlier, words: d.words, wanted: wanted}
	var answers []answer
	if err := d.s.guard(func() (err error) {
		answers, err = f.find(found, returned)
		return err
	}); err != nil {
		return err
	}
	d.asked.add(part, wanted, d.words.Texts(), d.dict, answers)
	return nil
}

// A finder answers one call of Find.
type finder struct {
	s      *Store
	days   []*chain // ascending
	words  *schema.Words
	wanted *schema.Wanted
	trades tradeRows      // that were read
	kept   []schema.Field // those that pages have
	hits   []hit          // by row of wanted
	buf    []byte
}

// A hit is the best trade for a row of wanted so far.
type hit struct {
	row    int32 // of trades, -1 for none
	worth  int
	from   *rows
	many   bool // merchants have the number, and none was named
	digest uint64
}

// An answer is what is noted of one: its digest, and the keys that it was found by.
type answer struct {
	digest uint64
	keys   questionKeys
}

func (f *finder) find(found *schema.Settled, returned *schema.Returned) ([]answer, error) {
	n := f.wanted.Len()
	f.hits = make([]hit, n)
	f.kept = trades.fields(&f.trades)
	for i := range f.hits {
		f.hits[i].row = -1
	}
	if err := f.byTrade(); err != nil {
		return nil, err
	}
	if err := f.byNumber(); err != nil {
		return nil, err
	}
	refunds, err := f.refunds()
	if err != nil {
		return nil, err
	}
	answers := make([]answer, n)
	texts := f.words.Texts()
	from, to, back := schema.Fields(&f.trades), schema.Fields(found), schema.Fields(returned)
	for i := range f.hits {
		h, a := &f.hits[i], &answers[i]
		f.noteKeys(&a.keys, i, texts)
		mine := refunds.of(int32(i))
		if h.row < 0 && len(mine) == 0 {
			continue
		}
		at := int32(found.Len())
		if h.row >= 0 {
			appendPicked(to, from, []int32{h.row})
			found.Query[at] = int32(i)
			a.digest = h.digest
		} else {
			appendBlank(found, int32(i))
		}
		for _, r := range mine {
			appendPicked(back, refunds.all, []int32{r})
			returned.Of[returned.Len()-1] = at
			a.digest = a.digest*31 + refunds.digests[r]
		}
	}
	return answers, nil
}

// appendBlank adds a row for a trade of which the history has refunds alone.
func appendBlank(found *schema.Settled, query int32) {
	for _, f := range schema.Fields(found) {
		switch data := f.Data.(type) {
		case *[]int64:
			v := int64(schema.Null)
			switch f.Name {
			case "paid", "red_packet", "allowance", "coupon", "merchant_red":
				v = 0
			}
			*data = append(*data, v)
		case *[]int32:
			*data = append(*data, 0)
		case *[]uint32:
			*data = append(*data, 0)
		case *[]uint8:
			*data = append(*data, 0)
		case *schema.Text:
			data.Append(nil)
		}
	}
	found.Query[len(found.Query)-1] = query
}

// byTrade looks for those whose trade_no is known, the latest day first: it has the
// trade that counts, if it is worth the most that there is.
func (f *finder) byTrade() error {
	order := make([]int32, 0, f.wanted.Len())
	for i := range f.wanted.Len() {
		if len(f.wanted.TradeNo.At(i)) > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		return bytes.Compare(f.wanted.TradeNo.At(int(a)), f.wanted.TradeNo.At(int(b)))
	})
	for k := len(f.days) - 1; k >= 0 && len(order) > 0; k-- {
		for _, r := range f.days[k].layers {
			if err := f.tradesOf(r, order); err != nil {
				return err
			}
		}
		order = slices.DeleteFunc(order, func(i int32) bool { return f.hits[i].worth == bestWorth })
	}
	return nil
}

// tradesOf looks in one day; order is sorted by trade_no.
func (f *finder) tradesOf(r *rows, order []int32) error {
	if err := r.open(); err != nil {
		return err
	}
	var c *tradeCursor
	for _, i := range order {
		no := f.wanted.TradeNo.At(int(i))
		if !r.head.has(no) {
			continue
		}
		if c == nil {
			var err error
			if c, err = r.trades(); err != nil {
				return err
			}
			defer c.close()
		}
		f.buf = appendRef(f.buf[:0], "", nil, no)
		row, err := c.seek(f.buf)
		if err != nil {
			return err
		}
		if row < 0 {
			continue
		}
		if err := f.take(c, row, i); err != nil {
			return err
		}
	}
	return nil
}

// take makes a row of a page the answer, if it is worth more than what was found in
// later days. Of rows of one day that are worth the same it is the first in their order,
// whatever layers they are in.
func (f *finder) take(c *tradeCursor, row int, query int32) error {
	w, err := c.worth(row)
	if err != nil {
		return err
	}
	h := &f.hits[query]
	other := w == h.worth && h.from != nil && h.from != c.r && h.from.gen.Date == c.r.gen.Date
	if w <= h.worth && !other {
		return nil
	}
	digest, err := c.take(row, &f.trades, f.kept)
	if err != nil {
		return err
	}
	at := int32(f.trades.Len() - 1)
	if other && trades.compare(&f.trades, int(at), &f.trades, int(h.row), f.words.Texts()) >= 0 {
		return nil
	}
	h.row, h.worth, h.digest, h.from = at, w, digest, c.r
	return nil
}

// byNumber looks for the others by merchant and out_trade_no.
func (f *finder) byNumber() error {
	type query struct {
		hash uint64
		row  int32
	}
	var order []query
	for i := range f.wanted.Len() {
		if no := f.wanted.OutTradeNo.At(i); f.hits[i].row < 0 && len(no) > 0 {
			order = append(order, query{numberHash(no), int32(i)})
		}
	}
	if len(order) == 0 {
		return nil
	}
	slices.SortFunc(order, func(a, b query) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row)) })
	merchants := make(map[int32]uint32) // of queries that name none: the merchant of what was found
	for k := len(f.days) - 1; k >= 0 && len(order) > 0; k-- {
		for _, r := range f.days[k].layers {
			x, err := r.numbers()
			if err != nil {
				return err
			}
			var places []place
			for _, q := range order {
				if places, err = x.seek(q.hash, places, q.row); err != nil {
					break
				}
			}
			x.close()
			if err != nil {
				return err
			}
			if err := f.numbersOf(r, places, merchants); err != nil {
				return err
			}
		}
		order = slices.DeleteFunc(order, func(q query) bool {
			return f.hits[q.row].worth == bestWorth && f.wanted.Merchant[q.row] != 0
		})
	}
	for i, h := range f.hits {
		if h.many {
			f.hits[i] = hit{row: -1}
		}
	}
	return nil
}

// A place is where a query may be answered: a row of a day's trades.
type place struct {
	trade uint32
	query int32
}

// numbersOf compares the whole number of what has its hash.
func (f *finder) numbersOf(r *rows, places []place, merchants map[int32]uint32) error {
	if len(places) == 0 {
		return nil
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.trade, b.trade), cmp.Compare(a.query, b.query)) })
	c, err := r.trades()
	if err != nil {
		return err
	}
	defer c.close()
	for _, p := range places {
		row, err := c.goTo(int(p.trade))
		if err != nil {
			return err
		}
		if f.buf, err = c.text(f.buf[:0], c.no, row); err != nil {
			return err
		}
		if !bytes.Equal(f.buf, f.wanted.OutTradeNo.At(int(p.query))) {
			continue
		}
		if counts, err := c.counts(row); err != nil {
			return err
		} else if !counts {
			continue
		}
		merchant, err := c.merchant(row)
		if err != nil {
			return err
		}
		want := f.wanted.Merchant[p.query]
		if want != 0 && want != merchant {
			continue
		}
		if want == 0 {
			if other, ok := merchants[p.query]; ok && other != merchant {
				f.hits[p.query].many = true
			}
			merchants[p.query] = merchant
		}
		if err := f.take(c, row, p.query); err != nil {
			return err
		}
	}
	return nil
}
