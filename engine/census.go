package engine

import (
	"math/bits"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A population is what a kind of break is compared with: rows of one sort, with
// the words of one side. A one-sided break has the words of its side alone, and so
// is compared with what that side says of all trades; else whatever the other side
// leaves blank would seem to be its cause.
type population uint8

const (
	ofOrders      population = iota // trades with a POS order, in the POS's words
	ofPayments                      // trades with a payment in a bill, in the bill's words
	ofPOSRefunds                    // refunds of the POS
	ofBillRefunds                   // refunds of bills
	ofAudits                        // rows of the rebate audit whose trades have an order
	populations
)

// hasProvider: the population knows the PID that was sent.
func (of population) hasProvider() bool { return of == ofOrders || of == ofAudits }

const (
	unknownWord = ^uint32(0)      // of a dimension of which the population says nothing
	anyProvider = unknownWord - 1 // in the key of a cell that holds the trades of most PIDs
)

// A cellKey is where and when a row was made, in word codes: the smallest segment
// that is counted. Every larger one is a sum of cells.
type cellKey [dimensions]uint32

func (k *cellKey) hash() uint32 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	x := uint64(k[0])<<32 | uint64(k[1])
	y := uint64(k[2])<<32 | uint64(k[3])
	z := uint64(k[4])<<32 | uint64(k[5])
	hi, lo := bits.Mul64(x^a, y^b)
	hi2, lo2 := bits.Mul64(z^hi^lo, uint64(k[6])^a)
	return uint32((hi2 ^ lo2) >> 16)
}

// post is where the rows of the cell were made.
func (k *cellKey) post() postKey {
	return postKey{k[DimensionStore], k[DimensionTerminal], k[DimensionOperator], k[DimensionMerchant]}
}

// A cell counts rows. Nearly all orders of a till carry one PID: the first that is
// met counts in the cell of all PIDs, where the payments do, and every other has a
// cell of its own. So a trade that both sides know is one look-up.
type cell struct {
	key      cellKey
	hash     uint32
	provider uint32 // in a cell of any PID: whose orders it counts, unknownWord before the first
	counts   [populations]uint32
}

// keyOf is the segment of the rows of a population in the cell.
func (c *cell) keyOf(of population) cellKey {
	key := c.key
	switch {
	case !of.hasProvider():
		key[DimensionProvider] = unknownWord
	case key[DimensionProvider] == anyProvider:
		key[DimensionProvider] = c.provider
	}
	return key
}

// A census counts the trades and the breaks of a worker's partitions by cell. Sums
// do not depend on which worker had which partition.
type census struct {
	cells pages[cell]
	slots []uint32 // open addressing, a power of two long: number of a cell from 1, 0 for empty

	breaks map[breakCell]int32   // into tallies
	goods  []uint32              // orders that have the goods, by word
	broken map[brokenGoods]int32 // into tallies

	tallies pages[breakTally]

	// posts count the rows of a post and an hour that no cell has; of the driver's
	// census, once the workers have ended.
	posts posts
}

// A breakCell is one kind of break in one cell, as the population has it.
type breakCell struct {
	cell int32
	code rules.BreakCode
	of   population
}

type brokenGoods struct {
	goods uint32
	code  rules.BreakCode
}

// A breakTally adds up the breaks of a segment.
type breakTally struct {
	count       int64
	amount      rules.Sum // millionths
	first, last int64     // times of their trades, Null if none is known
}

func (t *breakTally) merge(o *breakTally) {
	if t.count == 0 {
		*t = *o
		return
	}
	t.count += o.count
	t.amount.AddSum(o.amount)
	t.seen(o.first)
	t.seen(o.last)
}

// seen moves the ends to hold a time.
func (t *breakTally) seen(at int64) {
	switch {
	case at == schema.Null:
	case t.first == schema.Null:
		t.first, t.last = at, at
	default:
		t.first, t.last = min(t.first, at), max(t.last, at)
	}
}

func newCensus() *census {
	return &census{slots: make([]uint32, 1024), breaks: map[breakCell]int32{}, broken: map[brokenGoods]int32{}}
}

// at is the number of the cell with that key, which is added if it is new.
func (c *census) at(key *cellKey) int32 {
	hash := key.hash()
	mask := uint32(len(c.slots) - 1)
	i := hash & mask
	for ; c.slots[i] != 0; i = (i + 1) & mask {
		if found := c.cells.at(int(c.slots[i] - 1)); found.hash == hash && found.key == *key {
			return int32(c.slots[i] - 1)
		}
	}
	c.cells.add(cell{key: *key, hash: hash, provider: unknownWord})
	c.slots[i] = uint32(c.cells.n)
	if 2*c.cells.n > len(c.slots) {
		c.grow()
	}
	return int32(c.cells.n - 1)
}

func (c *census) grow() {
	c.slots = make([]uint32, 2*len(c.slots))
	mask := uint32(len(c.slots) - 1)
	for n := range c.cells.n {
		i := c.cells.at(n).hash & mask
		for c.slots[i] != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = uint32(n + 1)
	}
}

// withProvider is the cell of the orders with that PID, of the cell of any PID.
func (c *census) withProvider(i int32, provider uint32) int32 {
	all := c.cells.at(int(i))
	switch all.provider {
	case unknownWord:
		all.provider = provider
		return i
	case provider:
		return i
	}
	key := all.key
	key[DimensionProvider] = provider
	return c.at(&key)
}

// addBreak counts a break of a row of the population.
func (c *census) addBreak(key *cellKey, of population, code rules.BreakCode, t *breakTally) {
	addTally(c, c.breaks, breakCell{c.place(key, of), code, of}, t)
}

// place is the cell of the rows of a population.
func (c *census) place(key *cellKey, of population) int32 {
	all := *key
	all[DimensionProvider] = anyProvider
	i := c.at(&all)
	if of.hasProvider() {
		i = c.withProvider(i, key[DimensionProvider])
	}
	return i
}

func addTally[K comparable](c *census, tallies map[K]int32, key K, t *breakTally) {
	i, ok := tallies[key]
	if !ok {
		i = int32(c.tallies.n)
		c.tallies.add(breakTally{})
		tallies[key] = i
	}
	c.tallies.at(int(i)).merge(t)
}

// growGoods makes room for the words of goods.
func (c *census) growGoods(words int) {
	if n := words - len(c.goods); n > 0 {
		c.goods = append(c.goods, make([]uint32, n)...)
	}
}

// merge adds another worker's census, which is not used again.
func (c *census) merge(o *census) {
	if c.cells.n == 0 && len(c.goods) == 0 {
		posts := c.posts
		*c = *o
		c.posts = posts
		return
	}
	for i := range o.cells.n {
		for of, n := range o.cells.at(i).counts {
			if n > 0 {
				key := o.cells.at(i).keyOf(population(of))
				c.cells.at(int(c.place(&key, population(of)))).counts[of] += n
			}
		}
	}
	for where, i := range o.breaks {
		key := o.cells.at(int(where.cell)).keyOf(where.of)
		c.addBreak(&key, where.of, where.code, o.tallies.at(int(i)))
	}
	c.growGoods(len(o.goods))
	for id, n := range o.goods {
		c.goods[id] += n
	}
	for what, i := range o.broken {
		addTally(c, c.broken, what, o.tallies.at(int(i)))
	}
}

// addPosts adds what the posts of a worker took by hour; they are not used again.
func (c *census) addPosts(t *posts) { c.posts.merge(t, c) }

// addHour adds what a post took in an hour to the cells.
func (c *census) addHour(p *post, n hourCount) {
	key := cellOf(p, n.hour())
	if n.orders > 0 {
		counts := &c.cells.at(int(c.place(&key, ofOrders))).counts
		counts[ofOrders] += n.orders
		counts[ofAudits] += n.audits
	}
	if n.payments > 0 {
		c.cells.at(int(c.place(&key, ofPayments))).counts[ofPayments] += n.payments
	}
}

// cellOf is the cell of the orders of a post in an hour.
func cellOf(p *post, hour uint32) cellKey {
	return cellKey{p.key.store, p.key.terminal, p.key.operator, hour, p.provider, 0, p.key.merchant}
}

// close puts the hours of posts that have a cell into it, so that every row is in
// one place: most have no break, and no cell. Nothing is added afterwards.
func (c *census) close() {
	if c.posts.hours.count == 0 {
		return
	}
	for i := range c.cells.n {
		key := c.cells.at(i).key
		if key[DimensionProvider] != anyProvider || key[DimensionProduct] != 0 || key[DimensionHour] >= hours {
			continue
		}
		post := c.posts.find(key.post())
		if post < 0 {
			continue
		}
		if n := c.posts.hours.find(post, key[DimensionHour]); n.at != 0 {
			c.addHour(c.posts.all.at(int(post)), *n)
			*n = hourCount{at: n.at}
		}
	}
}

// each calls f with every cell, those among them that posts stand for, which are
// valid during the call.
func (c *census) each(f func(*cell)) {
	for i := range c.cells.n {
		f(c.cells.at(i))
	}
	var one cell
	for i := range c.posts.hours.slots {
		n := &c.posts.hours.slots[i]
		if n.orders == 0 && n.payments == 0 {
			continue
		}
		p := c.posts.all.at(int(n.post()))
		one = cell{key: cellOf(p, n.hour()), provider: p.provider}
		one.key[DimensionProvider] = anyProvider
		one.counts[ofOrders], one.counts[ofAudits], one.counts[ofPayments] = n.orders, n.audits, n.payments
		f(&one)
	}
}
