package engine

import (
	"maps"
	"math/rand/v2"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// TestPostsCountAsTheCensus: what posts count by hour is what the census would have
// counted, row by row.
func TestPostsCountAsTheCensus(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 7))
	w := &worker{census: newCensus()}
	plain := newCensus()
	for range 20_000 {
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
		withProvider := key
		withProvider[DimensionProvider] = in.ProviderPID[0]
		if rng.IntN(2) == 0 {
			w.countPayment(0)
			plain.cells[plain.place(&withProvider, ofPayments)].counts[ofPayments]++
			continue
		}
		u := unit{cause: rules.Cause(rng.IntN(2))}
		w.countOrder(&u)
		counts := &plain.cells[plain.place(&withProvider, ofOrders)].counts
		counts[ofOrders]++
		if u.cause != 0 {
			counts[ofAudits]++
		}
	}
	all := newCensus()
	all.merge(w.census)
	all.addHours(&w.posts)
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
	for i := range c.cells {
		for of, n := range c.cells[i].counts {
			if n > 0 {
				rows[populationCell{c.cells[i].keyOf(population(of)), population(of)}] += n
			}
		}
	}
	return rows
}
