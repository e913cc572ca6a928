package state

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// foundRefunds are refunds of earlier days, by the row of wanted whose trade they are
// of, and in the order of time.
type foundRefunds struct {
	rows    refundRows
	all     []schema.Field // of rows
	query   []int32
	digests []uint64
	order   []int32 // of rows
}

// of are the rows that answer a query, in their order.
func (r *foundRefunds) of(query int32) []int32 {
	from, _ := slices.BinarySearchFunc(r.order, query, func(row, query int32) int { return cmp.Compare(r.query[row], query) })
	to := from
	for to < len(r.order) && r.query[r.order[to]] == query {
		to++
	}
	return r.order[from:to]
}

// A lead is a refund that may be of a trade that is wanted.
type lead struct {
	day   int // of the layers of the finder's days
	row   int
	query int32
}

// refunds collects the refunds of the trades that were found, and of those that were
// not: a trade may have refunds before it is settled.
func (f *finder) refunds() (*foundRefunds, error) {
	var layers []*rows
	for _, c := range f.days {
		layers = append(layers, c.layers...)
	}
	leads, err := f.leads(layers)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(leads, func(a, b lead) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.row, b.row), cmp.Compare(a.query, b.query))
	})
	leads = slices.Compact(leads)
	found := &foundRefunds{}
	found.all = schema.Fields(&found.rows)
	for from := 0; from < len(leads); {
		to := from
		for to < len(leads) && leads[to].day == leads[from].day {
			to++
		}
		if err := f.follow(layers[leads[from].day], leads[from:to], found); err != nil {
			return nil, err
		}
		from = to
	}
	for i := range found.query {
		found.order = append(found.order, int32(i))
	}
	rows, texts := &found.rows, f.words.Texts()
	slices.SortStableFunc(found.order, func(a, b int32) int {
		order := cmp.Or(cmp.Compare(found.query[a], found.query[b]), cmp.Compare(rows.Time[a], rows.Time[b]),
			bytes.Compare(rows.RequestNo.At(int(a)), rows.RequestNo.At(int(b))), cmp.Compare(rows.Day[a], rows.Day[b]))
		if order == 0 { // as one generation would have them
			order = refunds.compare(rows, int(a), rows, int(b), texts)
		}
		return order
	})
	return found, nil
}

// A trail is where leads may be noted: what a refund is known by, and which row of
// wanted asks.
type trail struct {
	hash  uint64
	query int32
}

// leads finds what was noted of the trades' refunds.
func (f *finder) leads(layers []*rows) ([]lead, error) {
	var named, unnamed []trail
	var ref []byte
	texts := f.words.Texts()
	for i := range f.wanted.Len() {
		merchant, no, trade := f.identity(i)
		number := &named
		if len(trade) > 0 {
			ref = appendRef(ref[:0], "", nil, trade)
			named = append(named, trail{xxh3.Hash(ref), int32(i)})
			number = &unnamed // of those that have a trade_no it has no other
		}
		if len(no) > 0 {
			ref = appendRef(ref[:0], texts[merchant], no, nil)
			*number = append(*number, trail{xxh3.Hash(ref), int32(i)})
		}
	}
	days := make(map[generation]int, len(layers))
	for k, r := range layers {
		days[r.gen] = k
	}
	leads, err := f.noted(nil, refundedKey, named, days)
	if err != nil {
		return nil, err
	}
	return f.noted(leads, unnamedKey, unnamed, days)
}

// noted appends what a space of keys has.
func (f *finder) noted(leads []lead, space byte, trails []trail, days map[generation]int) ([]lead, error) {
	slices.SortFunc(trails, func(a, b trail) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.query, b.query)) })
	it, err := f.s.iterator([]byte{space}, []byte{space + 1})
	if err != nil {
		return nil, err
	}
	var prefix []byte
	for from := 0; from < len(trails); {
		to := from
		for to < len(trails) && trails[to].hash == trails[from].hash {
			to++
		}
		prefix = appendBig(append(prefix[:0], space), trails[from].hash)
		ok := it.SeekGE(prefix)
		for ; ok && bytes.HasPrefix(it.Key(), prefix); ok = it.Next() {
			rest := it.Key()[len(prefix):]
			if len(rest) != generationLength+4 {
				return nil, errors.Join(errPage, it.Close())
			}
			if day, known := days[generationOf(rest)]; known {
				for _, t := range trails[from:to] {
					leads = append(leads, lead{day, rowOf(rest[generationLength:]), t.query})
				}
			}
		}
		if from = to; !ok {
			break // there is nothing behind it
		}
	}
	return leads, errors.Join(it.Error(), it.Close())
}

// identity is what is known of the trade of a query: that of the trade that was
// found, else what is wanted.
func (f *finder) identity(i int) (merchant uint32, outTradeNo, tradeNo []byte) {
	if row := f.hits[i].row; row >= 0 {
		return f.trades.Merchant[row], f.trades.OutTradeNo.At(int(row)), f.trades.TradeNo.At(int(row))
	}
	return f.wanted.Merchant[i], f.wanted.OutTradeNo.At(i), f.wanted.TradeNo.At(i)
}

// follow reads the refunds of a generation that leads point to, and takes those that are of
// the trades.
func (f *finder) follow(r *rows, leads []lead, found *foundRefunds) error {
	c, err := newRowCursor(r, &refunds, refundPages, refundTable)
	if err != nil {
		return err
	}
	defer c.close()
	var one refundRows
	kept, all := refunds.fields(&one), schema.Fields(&one)
	texts := f.words.Texts()
	held, digest, counts := -1, uint64(0), true
	for _, l := range leads {
		if l.row != held {
			row, err := c.goTo(l.row)
			if err != nil {
				return err
			}
			held = l.row
			if counts, err = c.counts(row); err != nil {
				return err
			}
			if !counts {
				continue
			}
			resetFields(all)
			if err := c.read(row, kept); err != nil {
				return err
			}
			refunds.unpack(&one, 0)
			one.Day = append(one.Day, r.gen.Date)
			if digest, f.buf, err = digestRow(r, kept, 0, f.buf); err != nil {
				return err
			}
		}
		if !counts {
			continue
		}
		merchant, no, trade := f.identity(int(l.query))
		if isRefundOf(&one.Returned, merchant, texts[merchant], no, trade) {
			appendAll(found.all, all)
			found.query = append(found.query, l.query)
			found.digests = append(found.digests, digest)
		}
	}
	return nil
}

// isRefundOf reports whether a refund is one of the trade: it was said to be, or has
// its trade_no, or its merchant and out_trade_no where one of the two has no trade_no.
func isRefundOf(one *schema.Returned, merchant uint32, name string, no, trade []byte) bool {
	own := one.TradeNo.At(0)
	if len(trade) > 0 && bytes.Equal(own, trade) {
		return true
	}
	if bytes.Equal(one.Ref.At(0), appendRef(nil, name, no, trade)) {
		return true
	}
	return (len(own) == 0 || len(trade) == 0) && len(no) > 0 &&
		bytes.Equal(one.OutTradeNo.At(0), no) && one.Merchant[0] == merchant
}
