package main

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

var goodsColumns = []column{
	{"merchant_pid", text},
	{"out_trade_no", text},
	{"line", whole},
	{"goods_id", text},
	{"goods_name", text},
	{"quantity", number},
	{"price", number},
	{"line_amount", money},
	{"allocated", money},
	{"is_filler", yes},
	{"scenario", text},
	{"store_id", text},
}

// share is one merged line with what falls on it.
type share struct {
	goods, name                        string
	quantity, price, amount, allocated decimal.Decimal
	merged                             bool
	rest                               decimal.Decimal // of the division
}

// writeGoods divides every paid order's total over its lines (rules 4).
func writeGoods(dir string, d *day, sums *checksums) error {
	t, err := newTable(dir, "goods", goodsColumns)
	if err != nil {
		return err
	}
	var shares []share // reused
	for _, o := range d.orders {
		if o.status != "paid" {
			continue
		}
		var tagged bool
		shares, tagged = merge(shares[:0], o, d.goods)
		scenario, filler := allocate(shares, o.total, tagged)
		at(sums.Goods, scenario).add(o.total)
		for i := range shares {
			s := &shares[i]
			t.goodsRow(o, i+1, s, scenario, sums)
		}
		if filler.IsPositive() {
			sums.Filler.add(filler)
			t.goodsRow(o, len(shares)+1, &share{name: "填充商品", quantity: decimal.NewFromInt(1), allocated: filler}, scenario, sums)
		}
	}
	return t.close()
}

func (t *table) goodsRow(o *order, n int, s *share, scenario string, sums *checksums) {
	t.text(o.merchant)
	t.text(o.number)
	t.integer(int64(n))
	t.text(s.goods)
	t.text(s.name)
	t.decimal(s.quantity)
	t.decimal(s.price)
	t.decimal(s.amount)
	t.decimal(s.allocated)
	t.bool(s.goods == "")
	t.text(scenario)
	t.text(o.store)
	t.end()
	sums.GoodsRows++
	sums.Allocated = sums.Allocated.Add(s.allocated)
}

// merge makes one line of those with the same goods_id; tagged says that no line
// had a price of its own.
func merge(shares []share, o *order, goods map[string]article) (merged []share, tagged bool) {
	tagged = true
	for _, l := range o.lines {
		price := l.price
		if price.Valid {
			tagged = false
		} else {
			price = goods[l.goods].tag
		}
		amount := price.Decimal.Mul(l.quantity).Round(2)
		if i := slices.IndexFunc(shares, func(s share) bool { return s.goods == l.goods }); i >= 0 {
			s := &shares[i]
			s.quantity, s.amount, s.merged = s.quantity.Add(l.quantity), s.amount.Add(amount), true
			continue
		}
		shares = append(shares, share{goods: l.goods, name: l.name, quantity: l.quantity, price: price.Decimal, amount: amount})
	}
	for i := range shares {
		if s := &shares[i]; s.merged {
			s.price = s.amount.DivRound(s.quantity, 2)
		}
	}
	return shares, tagged
}

// allocate sets what falls on each line, and says by which case; filler is what
// the lines do not explain.
func allocate(shares []share, total decimal.Decimal, tagged bool) (scenario string, filler decimal.Decimal) {
	var sum decimal.Decimal
	for i := range shares {
		shares[i].allocated = shares[i].amount
		sum = sum.Add(shares[i].amount)
	}
	order := total.Cmp(sum)
	switch {
	case tagged:
		scenario = "tag_price"
	case order == 0:
		scenario = "equal"
	case order < 0:
		scenario = "below"
	default:
		scenario = "above"
	}
	switch {
	case order == 0:
	case sum.IsZero(), order > 0 && !tagged:
		return scenario, total.Sub(sum)
	default:
		largestRemainder(shares, total, sum)
	}
	return scenario, decimal.Zero
}

var fen = decimal.New(1, -2)

func largestRemainder(shares []share, total, sum decimal.Decimal) {
	left := total
	byRest := make([]*share, len(shares))
	for i := range shares {
		s := &shares[i]
		s.allocated, s.rest = total.Mul(s.amount).QuoRem(sum, 2)
		left = left.Sub(s.allocated)
		byRest[i] = s
	}
	slices.SortStableFunc(byRest, func(a, b *share) int { return cmp.Compare(b.rest.Cmp(a.rest), 0) })
	for i := 0; left.IsPositive(); i++ {
		byRest[i].allocated = byRest[i].allocated.Add(fen)
		left = left.Sub(fen)
	}
}
