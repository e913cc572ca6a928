package engine

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A chain is made-up trades of stores with tills, staff, opening hours and goods,
// all unevenly busy.
type chain struct {
	rng    *rand.Rand
	words  *schema.Words
	trades []cellKey
	goods  [][]uint32 // of each trade
}

func newChain(seed uint64) *chain {
	c := &chain{rng: rand.New(rand.NewPCG(seed, 0x5e6)), words: schema.NewWords()}
	stores, merchants := 3+c.rng.IntN(60), 1+c.rng.IntN(4)
	ownTills, ownStaff := c.rng.IntN(2) == 0, c.rng.IntN(2) == 0
	tills, staff, pids, catalogue := 1+c.rng.IntN(5), 2+c.rng.IntN(5), 1+c.rng.IntN(3), 20+c.rng.IntN(200)
	weights := make([]int, stores)
	for i := range weights {
		weights[i] = 1 + c.rng.IntN(9)
	}
	opens, hours := 6+c.rng.IntN(4), 8+c.rng.IntN(8)
	for range 2000 + c.rng.IntN(10_000) {
		store := weighted(c.rng, weights)
		till, clerk := c.rng.IntN(tills), c.rng.IntN(staff)
		key := cellKey{
			DimensionStore:    c.words.Code(fmt.Sprintf("NJ%03d", store)),
			DimensionTerminal: c.words.Code(fmt.Sprintf("T%d", till)),
			DimensionOperator: c.words.Code(fmt.Sprintf("op%d", clerk)),
			DimensionHour:     uint32(opens + min(c.rng.IntN(hours), c.rng.IntN(hours+2))),
			DimensionProvider: c.words.Code(fmt.Sprintf("208800000000000%d", min(c.rng.IntN(pids), c.rng.IntN(pids)))),
			DimensionMerchant: c.words.Code(fmt.Sprintf("208811111111111%d", store%merchants)),
		}
		if ownTills {
			key[DimensionTerminal] = c.words.Code(fmt.Sprintf("SN%d-%d", store, till))
		}
		if ownStaff {
			key[DimensionOperator] = c.words.Code(fmt.Sprintf("%d-%d", store, clerk))
		}
		c.trades = append(c.trades, key)
		basket := map[uint32]bool{}
		for range 1 + c.rng.IntN(3) {
			basket[c.words.Code(fmt.Sprintf("SKU%05d", min(c.rng.IntN(catalogue), c.rng.IntN(catalogue))))] = true
		}
		var list []uint32
		for id := range basket {
			list = append(list, id)
		}
		slices.Sort(list)
		c.goods = append(c.goods, list)
	}
	return c
}

func weighted(rng *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := rng.IntN(sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return 0
}

// within gives the trades of a segment.
func (c *chain) within(dims [2]Dimension, values [2]uint32) []int {
	var rows []int
	for i := range c.trades {
		in := true
		for x, d := range dims {
			if d == DimensionGoods {
				in = in && slices.Contains(c.goods[i], values[x])
			} else {
				in = in && c.trades[i][d] == values[x]
			}
		}
		if in {
			rows = append(rows, i)
		}
	}
	return rows
}

// attribute counts the breaks, given by trade, as two workers would.
func (c *chain) attribute(breaks map[rules.BreakCode][]int) []Attribution {
	workers := []*census{newCensus(), newCensus()}
	var list []Break
	for i := range c.trades {
		w := workers[i%2]
		w.cells.at(int(w.place(&c.trades[i], ofOrders))).counts[ofOrders]++
		w.growGoods(len(c.words.Texts()))
		for _, id := range c.goods[i] {
			w.goods[id]++
		}
	}
	for code, rows := range breaks {
		for _, i := range rows {
			w := workers[i%2]
			b := Break{Code: code, Severity: code.Severity(), Amount: int64(100 + i%7)}
			at := int64(i)
			t := breakTally{1, b.atStake(), at, at}
			w.addBreak(&c.trades[i], ofOrders, code, &t)
			for _, id := range c.goods[i] {
				addTally(w, w.broken, brokenGoods{id, code}, &t)
			}
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b Break) int { return int(a.Code) - int(b.Code) })
	all := newCensus()
	all.merge(workers[1])
	all.merge(workers[0])
	texts := c.words.Texts()
	return attribute(all, list, func(code uint32) string { return texts[code] })
}

func randomCases(t *testing.T) uint64 {
	t.Helper()
	if testing.Short() {
		return 20
	}
	return 200
}

// A cause that was planted is the one that is named.
func TestPlantedCausesComeFirst(t *testing.T) {
	cases, hits := randomCases(t), uint64(0)
	for seed := range cases {
		c := newChain(seed)
		var dims [2]Dimension
		var values [2]uint32
		var rows []int
		for { // a segment of a size in which something can be seen
			dims[0] = Dimension(c.rng.IntN(int(DimensionGoods) + 1))
			dims[1] = dims[0]
			if dims[0] != DimensionGoods && c.rng.IntN(2) == 0 {
				dims[1] = Dimension(c.rng.IntN(int(dimensions)))
			}
			if dims[0] > dims[1] {
				dims[0], dims[1] = dims[1], dims[0]
			}
			if dims[0] == DimensionProduct || dims[1] == DimensionProduct {
				continue
			}
			i := c.rng.IntN(len(c.trades))
			for x, d := range dims {
				if d == DimensionGoods {
					values[x] = c.goods[i][0]
				} else {
					values[x] = c.trades[i][d]
				}
			}
			rows = c.within(dims, values)
			if len(rows) >= 30 && len(rows)*5 < len(c.trades)*2 {
				break
			}
		}
		c.rng.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		planted := max(20, len(rows)*(20+c.rng.IntN(80))/100)
		broken := slices.Clone(rows[:min(planted, len(rows))])
		for range c.rng.IntN(len(broken)) { // what breaks everywhere
			if i := c.rng.IntN(len(c.trades)); !slices.Contains(broken, i) {
				broken = append(broken, i)
			}
		}
		code := []rules.BreakCode{rules.BreakPOSOnly, rules.BreakAmountMismatch, rules.BreakGoodsIncomplete}[c.rng.IntN(3)]
		noise := c.rng.Perm(len(c.trades))[:50]
		found := c.attribute(map[rules.BreakCode][]int{code: broken, rules.BreakFundingMismatch: noise})
		var got *Attribution
		for i := range found {
			if found[i].Code == code {
				got = &found[i]
			}
		}
		in := 0
		for _, i := range broken {
			if slices.Contains(rows, i) {
				in++
			}
		}
		if got != nil && got.Rows == int64(len(rows)) && got.Breaks == int64(in) && len(got.Segment) <= 2 {
			hits++
			continue
		}
		texts := c.words.Texts()
		name := func(x int) string {
			if dims[x] == DimensionHour {
				return fmt.Sprint(values[x])
			}
			return texts[values[x]]
		}
		t.Logf("case %d: planted %v %s, %v %s: %d of %d breaks in %d of %d trades; found %+v", seed,
			dims[0], name(0), dims[1], name(1), in, len(broken), len(rows), len(c.trades), got)
	}
	t.Logf("%d of %d", hits, cases)
	if hits*100 < cases*95 {
		t.Errorf("%d of %d planted causes are named, want 95 %%", hits, cases)
	}
}

// Where breaks are spread evenly, nothing is named.
func TestNoCauseWhereBreaksAreSpread(t *testing.T) {
	cases, named := randomCases(t), 0
	for seed := range cases {
		c := newChain(1000 + seed)
		breaks := map[rules.BreakCode][]int{}
		for _, code := range []rules.BreakCode{
			rules.BreakPOSOnly, rules.BreakAmountMismatch, rules.BreakStatusMismatch, rules.BreakFundingMismatch,
			rules.BreakPriceUnknown, rules.BreakStoreUnknown,
		} {
			n := []int{3, 6, 12, 40, 200, 1500}[c.rng.IntN(6)]
			breaks[code] = c.rng.Perm(len(c.trades))[:n]
		}
		found := c.attribute(breaks)
		for i := range found {
			named++
			t.Logf("case %d: %+v", seed, found[i])
		}
	}
	// Six kinds in each case, and one in a thousand runs may be wrong.
	if named > 1 {
		t.Errorf("%d causes are named in %d cases without any", named, cases)
	}
}

func TestLogTail(t *testing.T) {
	for _, test := range []struct{ k, n, hits, of int64 }{
		{0, 10, 1, 2},
		{1, 1, 1, 3},
		{5, 5, 1, 40},
		{7, 20, 3, 50},
		{10, 20, 25, 50},
		{60, 100, 2, 100},
		{200, 300, 1, 10},
		{3, 3, 5, 5},
		{3, 4, 0, 5},
	} {
		want, _ := exactTail(test.k, test.n, test.hits, test.of).Float64()
		got := math.Exp(logTail(test.k, test.n, test.hits, test.of))
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("logTail(%d, %d, %d, %d) = ln %g, want ln %g", test.k, test.n, test.hits, test.of, got, want)
		}
	}
	if got := logTail(100_000, 100_000, 1, 1000); math.Abs(got+690775.5279) > 1e-3 {
		t.Errorf("logTail of a certain cause = %g, want 100000 ln 0.001", got)
	}
}

// exactTail is the tail in rational numbers.
func exactTail(k, n, hits, of int64) *big.Rat {
	p, q := big.NewRat(hits, of), big.NewRat(of-hits, of)
	sum := new(big.Rat)
	for x := k; x <= n; x++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(n, x))
		for range x {
			term.Mul(term, p)
		}
		for range n - x {
			term.Mul(term, q)
		}
		sum.Add(sum, term)
	}
	return sum
}
