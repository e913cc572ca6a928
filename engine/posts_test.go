package engine

import (
	"maps"
	"math/rand/v2"
	"slices"
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
			w.countPayment(0, w.posts.number(key.post()))
			plain.cells.at(int(plain.place(&withProvider, ofPayments))).counts[ofPayments]++
			continue
		}
		u := unit{cause: rules.Cause(rng.IntN(2))}
		w.countOrder(&u, w.posts.number(key.post()))
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

// scattered gives a worker payments that were taken at posts of a large table, in no
// order, as trades come.
func scattered(payments, posts int) *worker {
	rng := rand.New(rand.NewPCG(7, 7))
	w := &worker{}
	b := &w.rows.Bills
	for i := range payments {
		post := uint32(rng.IntN(posts))
		b.Store, b.Terminal, b.Operator = append(b.Store, post%100), append(b.Terminal, post), append(b.Operator, 0)
		b.Time, b.Merchant = append(b.Time, int64(rng.IntN(24*hourSeconds))), append(b.Merchant, 1)
		w.units = append(w.units, unit{order: -1, bill: int32(i), merchant: 1})
		w.sorted = append(w.sorted, int32(i))
	}
	return w
}

// eachPost calls f with the post of each unit, which is looked for when it is needed.
func (w *worker) eachPost(f func(u *unit, post int32)) {
	for _, i := range w.sorted {
		u := &w.units[i]
		f(u, w.posts.number(w.postKeyOf(u)))
	}
}

// eachPostAhead is eachPost with posts that are found ahead.
func (w *worker) eachPostAhead(f func(u *unit, post int32)) {
	for k, i := range w.sorted {
		u := &w.units[i]
		if k%aheadUnits == 0 {
			w.lookAhead(w.sorted[k:min(k+aheadUnits, len(w.sorted))])
		}
		posts := &w.ahead.posts[k%aheadUnits]
		if posts.payment != posts.unit || posts.order != posts.unit {
			panic("a payment alone was taken elsewhere")
		}
		f(u, posts.unit)
	}
}

// TestLookAhead: posts that are found ahead are those that are found one by one.
func TestLookAhead(t *testing.T) {
	ahead, plain := scattered(5000, 700), scattered(5000, 700)
	var want []postKey
	plain.eachPost(func(u *unit, post int32) {
		want = append(want, plain.posts.all.at(int(post)).key)
		plain.posts.hours.of(post, hourOf(plain.rows.Bills.Time[u.bill])).payments++
	})
	var have []postKey
	ahead.eachPostAhead(func(u *unit, post int32) {
		have = append(have, ahead.posts.all.at(int(post)).key)
		ahead.posts.hours.of(post, hourOf(ahead.rows.Bills.Time[u.bill])).payments++
	})
	if !slices.Equal(have, want) {
		t.Error("posts found ahead are others")
	}
	for _, i := range plain.sorted {
		u := &plain.units[i]
		key, hour := plain.postKeyOf(u), hourOf(plain.rows.Bills.Time[u.bill])
		a, p := ahead.posts.hours.of(ahead.posts.number(key), hour), plain.posts.hours.of(plain.posts.number(key), hour)
		if a.payments != p.payments {
			t.Fatalf("post %v has %d payments in hour %d, want %d", key, a.payments, hour, p.payments)
		}
	}
}

// TestUnitPosts: the posts of a day's units, orders and payments are those of their
// words.
func TestUnitPosts(t *testing.T) {
	w, rows := oneWorker(t, makeDay(4, 2000))
	w.rows.add(rows)
	if _, err := w.reconcile(0); err != nil {
		t.Fatal(err)
	}
	others := 0
	for from := 0; from < len(w.sorted); from += aheadUnits {
		units := w.sorted[from:min(from+aheadUnits, len(w.sorted))]
		w.lookAhead(units)
		for k, i := range units {
			u, have := &w.units[i], w.ahead.posts[k]
			want := unitPosts{unit: w.posts.number(w.postKeyOf(u))}
			want.order, want.payment = want.unit, want.unit
			if u.order >= 0 {
				key, _ := w.orderCell(u.order, 0)
				want.order = w.posts.number(key.post())
			}
			if u.bill >= 0 {
				key := w.billCell(u.bill)
				want.payment = w.posts.number(key.post())
			}
			if have != want {
				t.Fatalf("unit %d: posts %v, want %v", i, have, want)
			}
			if have.order != have.unit || have.payment != have.unit {
				others++
			}
		}
	}
	if others == 0 {
		t.Error("all orders and payments have the words of their units: nothing is tested")
	}
}

// BenchmarkLookAhead: the posts of a large chain, ahead and one by one. Between two
// trades there is the work that emitting one of them is.
func BenchmarkLookAhead(b *testing.B) {
	for name, each := range map[string]func(*worker, func(*unit, int32)){
		"ahead": (*worker).eachPostAhead, "plain": (*worker).eachPost,
	} {
		b.Run(name, func(b *testing.B) {
			w := scattered(200_000, 60_000)
			b.ReportAllocs()
			for b.Loop() {
				each(w, func(u *unit, post int32) {
					count := w.posts.hours.of(post, hourOf(w.rows.Bills.Time[u.bill]))
					work := uint64(count.payments)
					for range 400 {
						work = work*0x9e3779b97f4a7c15 + 1
					}
					count.payments = uint32(work)
				})
			}
			b.ReportMetric(float64(len(w.sorted)*b.N)/b.Elapsed().Seconds(), "trades/s")
		})
	}
}
