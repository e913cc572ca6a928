package engine

import (
	"maps"
	"math/rand/v2"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// TestPostsCountAsTheCensus: what the posts of two workers count by hour is what the
// census would have counted, row by row, and every segment is in one cell.
func TestPostsCountAsTheCensus(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 7))
	workers := []*worker{{census: newCensus()}, {census: newCensus()}}
	plain := newCensus()
	for i := range 20_000 {
		w := workers[i%2]
		key := cellKey{rng.Uint32N(40), rng.Uint32N(5), rng.Uint32N(3), rng.Uint32N(hours + 1), anyProvider, 0, rng.Uint32N(2)}
		if key[DimensionHour] == hours {
			key[DimensionHour] = unknownWord
		}
		in := &w.rows.Orders
		in.Store, in.Terminal, in.Operator = []uint32{key[0]}, []uint32{key[1]}, []uint32{key[2]}
		in.Time = []int64{timeOfHour(key[DimensionHour])}
		in.ProviderPID = []uint32{rng.Uint32N(3)}
		w.orders = []order{{merchant: key[DimensionMerchant]}}
		b := &w.rows.Bills
		b.Store, b.Terminal, b.Operator, b.Merchant = in.Store, in.Terminal, in.Operator, []uint32{key[DimensionMerchant]}
		b.Time = in.Time
		if i%50 == 0 { // a break has a cell of its own
			w.census.addBreak(&key, ofPayments, rules.BreakFeeMismatch, &breakTally{count: 1})
		}
		withProvider := key
		withProvider[DimensionProvider] = in.ProviderPID[0]
		if rng.IntN(2) == 0 {
			w.countPayment(0)
			plain.cells.at(int(plain.place(&withProvider, ofPayments))).counts[ofPayments]++
			continue
		}
		u := unit{cause: rules.Cause(rng.IntN(2))}
		w.countOrder(&u)
		counts := &plain.cells.at(int(plain.place(&withProvider, ofOrders))).counts
		counts[ofOrders]++
		if u.cause != 0 {
			counts[ofAudits]++
		}
	}
	all := newCensus()
	for _, w := range workers {
		all.merge(w.census)
		all.addPosts(&w.posts)
	}
	all.close()
	if n := cellsTwice(all); n > 0 {
		t.Errorf("%d segments are in several cells", n)
	}
	if got, want := rowsOf(all), rowsOf(plain); !maps.Equal(got, want) {
		t.Errorf("posts count %d segments, want %d", len(got), len(want))
	}
}

func timeOfHour(hour uint32) int64 {
	if hour == unknownWord {
		return schema.Null
	}
	return int64(hour)*hourSeconds + 17
}

type populationCell struct {
	key cellKey
	of  population
}

// rowsOf are a census' rows by segment and population, however it has them in cells.
func rowsOf(c *census) map[populationCell]uint32 {
	rows := map[populationCell]uint32{}
	c.each(func(one *cell) {
		for of, n := range one.counts {
			if n > 0 {
				rows[populationCell{one.keyOf(population(of)), population(of)}] += n
			}
		}
	})
	return rows
}

// cellsTwice counts the segments of a population that more than one cell has.
func cellsTwice(c *census) (n int) {
	seen := map[populationCell]bool{}
	c.each(func(one *cell) {
		for of, rows := range one.counts {
			key := populationCell{one.keyOf(population(of)), population(of)}
			if rows > 0 && seen[key] {
				n++
			}
			seen[key] = seen[key] || rows > 0
		}
	})
	return n
}
