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
	rows    schema.Returned
	query   []int32
	digests []uint64
	order   []int32 // of rows
	fields  []schema.Field
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

// appendTo appends a row; of is the row of its trade.
func (r *foundRefunds) appendTo(dst *schema.Returned, row, of int32) {
	appendPicked(schema.Fields(dst), r.fields, []int32{row})
	dst.Of[dst.Len()-1] = of
}

// A lead is a refund that may be of a trade that is wanted.
type lead struct {
	day   int // of the finder's
	row   int
	query int32
}

// refunds collects the refunds of the trades that were found, and of those that were
// not: a trade may have refunds before it is settled.
func (f *finder) refunds() (*foundRefunds, error) {
	leads, err := f.leads()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(leads, func(a, b lead) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.row, b.row), cmp.Compare(a.query, b.query))
	})
	found := &foundRefunds{}
	found.fields = schema.Fields(&found.rows)
	p := &refundPage{page: -1}
	for _, l := range slices.Compact(leads) {
		if err := f.follow(l, p, found); err != nil {
			return nil, err
		}
	}
	for i := range found.query {
		found.order = append(found.order, int32(i))
	}
	rows := &found.rows
	slices.SortStableFunc(found.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(found.query[a], found.query[b]), cmp.Compare(rows.Time[a], rows.Time[b]),
			bytes.Compare(rows.RequestNo.At(int(a)), rows.RequestNo.At(int(b))))
	})
	return found, nil
}

// leads finds what was noted of the trades' refunds.
func (f *finder) leads() ([]lead, error) {
	type asked struct {
		hash  uint64
		query int32
	}
	var order []asked
	var ref []byte
	texts := f.words.Texts()
	for i := range f.wanted.Len() {
		merchant, no, trade := f.identity(i)
		if len(trade) > 0 {
			ref = appendRef(ref[:0], "", nil, trade)
			order = append(order, asked{xxh3.Hash(ref), int32(i)})
		}
		if len(no) > 0 {
			ref = appendRef(ref[:0], texts[merchant], no, nil)
			order = append(order, asked{xxh3.Hash(ref), int32(i)})
		}
	}
	slices.SortFunc(order, func(a, b asked) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.query, b.query)) })
	days := make(map[generation]int, len(f.days))
	for k, r := range f.days {
		days[r.gen] = k
	}
	it, err := f.s.iterator([]byte{refundedKey}, []byte{refundedKey + 1})
	if err != nil {
		return nil, err
	}
	var leads []lead
	var prefix []byte
	for k, one := range order {
		if k > 0 && order[k-1].hash == one.hash && order[k-1].query == one.query {
			continue
		}
		prefix = appendBig(append(prefix[:0], refundedKey), one.hash)
		for ok := it.SeekGE(prefix); ok && bytes.HasPrefix(it.Key(), prefix); ok = it.Next() {
			rest := it.Key()[len(prefix):]
			if len(rest) != generationLength+4 {
				err = errors.Join(errPage, it.Close())
				return nil, err
			}
			if day, ok := days[generationOf(rest)]; ok {
				leads = append(leads, lead{day, rowOf(rest[generationLength:]), one.query})
			}
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

// A refundPage is the page of refunds that is held.
type refundPage struct {
	day, page int
	rows      schema.Returned
	digests   []uint64
}

func (p *refundPage) load(r *rows, day, page int) error {
	if p.page == page && p.day == day {
		return nil
	}
	p.page = -1
	fields := refunds.fields(&p.rows)
	resetFields(fields)
	if err := r.dictionary(); err != nil {
		return err
	}
	if err := r.page(numbered(r.gen.key(refundPages), page), refundTable, fields); err != nil {
		return err
	}
	p.rows.Day = p.rows.Day[:0]
	p.digests = p.digests[:0]
	var buf []byte
	for i := range p.rows.Len() {
		refunds.unpack(&p.rows, i)
		p.rows.Day = append(p.rows.Day, r.gen.Date)
		digest, err := digestRow(r, fields, i, appendDate(buf[:0], r.gen.Date))
		if err != nil {
			return err
		}
		p.digests = append(p.digests, digest)
	}
	p.day, p.page = day, page
	return nil
}

// follow takes the refund if it is one of the trade.
func (f *finder) follow(l lead, p *refundPage, found *foundRefunds) error {
	r := f.days[l.day]
	if err := p.load(r, l.day, l.row/pageRows); err != nil {
		return err
	}
	i := l.row % pageRows
	if i >= p.rows.Len() {
		return r.damaged("refunds: there is no row %d", l.row)
	}
	merchant, no, trade := f.identity(int(l.query))
	if !p.is(i, merchant, f.words.Texts()[merchant], no, trade) {
		return nil
	}
	appendPicked(found.fields, schema.Fields(&p.rows), []int32{int32(i)})
	found.query = append(found.query, l.query)
	found.digests = append(found.digests, p.digests[i])
	return nil
}

// is reports whether a refund is one of the trade: it was said to be, or has its
// trade_no, or its merchant and out_trade_no where one of the two has no trade_no.
func (p *refundPage) is(i int, merchant uint32, name string, no, trade []byte) bool {
	own := p.rows.TradeNo.At(i)
	if len(trade) > 0 && bytes.Equal(own, trade) {
		return true
	}
	if bytes.Equal(p.rows.Ref.At(i), appendRef(nil, name, no, trade)) {
		return true
	}
	return (len(own) == 0 || len(trade) == 0) && len(no) > 0 &&
		bytes.Equal(p.rows.OutTradeNo.At(i), no) && p.rows.Merchant[i] == merchant
}
