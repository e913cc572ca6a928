package engine

import "math/bits"

// A postKey is where a trade was taken: an operator at a terminal of a merchant's
// store.
type postKey struct{ store, terminal, operator, merchant uint32 }

func (k postKey) hash() uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93 // odd, without a pattern
	hi, lo := bits.Mul64((uint64(k.store)<<32|uint64(k.terminal))^a, (uint64(k.operator)<<32|uint64(k.merchant))^b)
	return hi ^ lo
}

// A post knows what the trades that are taken there count in: a trade is looked up
// once, by its post, and not once in each of a worker's tables.
type post struct {
	key      postKey
	provider uint32 // the PID that its orders carry; unknownWord before the first

	// The shift that was met last: most have one.
	shift, channel uint32
	day            int32
	shiftSum       int32 // its number in worker.shifts and 1, 0 for none

	loss int32 // number in worker.losses and 1, 0 for none
}

// posts are the posts that a worker has met.
type posts struct {
	all   pages[post]
	slots []int32 // open addressing, a power of two long: number of a post and 1, 0 for empty
	last  int32   // the post asked for last
	hours hourCounts
}

// number is the number of the post with that key, which is added if it is new.
func (t *posts) number(key postKey) int32 {
	if int(t.last) < t.all.n && t.all.at(int(t.last)).key == key {
		return t.last
	}
	if 2*t.all.n >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	i := key.hash() & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if n := t.slots[i] - 1; t.all.at(int(n)).key == key {
			t.last = n
			return n
		}
	}
	t.last = int32(t.all.n)
	t.all.add(post{key: key, provider: unknownWord})
	t.slots[i] = t.last + 1
	return t.last
}

// find is the number of the post with that key, -1 if there is none.
func (t *posts) find(key postKey) int32 {
	mask := uint64(len(t.slots) - 1)
	for i := key.hash() & mask; len(t.slots) > 0 && t.slots[i] != 0; i = (i + 1) & mask {
		if n := t.slots[i] - 1; t.all.at(int(n)).key == key {
			return n
		}
	}
	return -1
}

func (t *posts) grow() {
	const least = 1 << 10
	t.slots = make([]int32, max(2*len(t.slots), least))
	mask := uint64(len(t.slots) - 1)
	for n := range t.all.n {
		i := t.all.at(n).key.hash() & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(n) + 1
	}
}

// postKeyOf is where the unit was taken: in the POS's words, else the bill's.
func (w *worker) postKeyOf(u *unit) postKey {
	in, b := &w.rows.Orders, &w.rows.Bills
	run := int32(-1)
	if u.order >= 0 {
		run = w.orders[u.order].run
	}
	return postKey{
		either(in.Store, run, b.Store, u.bill), either(in.Terminal, run, b.Terminal, u.bill),
		either(in.Operator, run, b.Operator, u.bill), u.merchant,
	}
}

// aheadUnits are so many that what is read for them is still in the processor's
// cache when they are emitted.
const aheadUnits = 32

// unitPosts are where a unit was taken, and where its order and its payment were, each
// in its own words.
type unitPosts struct{ unit, order, payment int32 }

// ahead are the units that are emitted next.
type ahead struct {
	posts [aheadUnits]unitPosts
	read  int64 // keeps what is read from being optimised away
}

// An aheadPost is a post that is being found.
type aheadPost struct {
	key   postKey
	place int32  // number of the post where the search begins and 1, or 0
	hour  uint32 // in which it counts, or beyond hours
	to    *int32 // where its number goes
}

// lookAhead finds the posts of the units that are emitted next, at most aheadUnits,
// and reads what will be added to there. Trades come in the order of their keys, so
// that each is added to other places of large tables, and emitting a trade is too
// long for the processor to see the next one's place while it waits for memory. Here
// it sees many at once, and waits for all of them together. Nothing but time depends
// on what is read (BenchmarkLookAhead).
func (w *worker) lookAhead(units []int32) {
	t := &w.posts
	if len(t.slots) == 0 {
		t.grow()
	}
	var room [3 * aheadUnits]aheadPost
	found := w.postsToFind(room[:0], units)
	mask := uint64(len(t.slots) - 1)
	for k := range found {
		found[k].place = t.slots[found[k].key.hash()&mask]
	}
	var read int64
	for k := range found {
		if n := found[k].place - 1; n >= 0 {
			read += int64(t.all.at(int(n)).loss)
		}
	}
	for k := range found {
		f := &found[k]
		*f.to = t.number(f.key)
		if f.hour < hours && len(t.hours.slots) > 0 {
			read += int64(t.hours.slot(*f.to, f.hour).orders)
		}
	}
	for k := range units {
		posts := &w.ahead.posts[k]
		p := t.all.at(int(posts.unit))
		if n := p.shiftSum - 1; n >= 0 {
			sum := w.shifts.sum(int(n))
			read += sum.pos.count + sum.bill.count
		}
		if n := p.loss - 1; n >= 0 {
			read += w.losses.sum(int(n)).lastRight
		}
		if posts.order < 0 {
			posts.order = posts.unit
		}
		if posts.payment < 0 {
			posts.payment = posts.unit
		}
	}
	w.ahead.read += read
}

// postsToFind are the posts of the units, those of their orders and payments where
// they are others: of those that are the unit's, the number stays -1.
func (w *worker) postsToFind(found []aheadPost, units []int32) []aheadPost {
	in, b := &w.rows.Orders, &w.rows.Bills
	for k, i := range units {
		u := &w.units[i]
		posts := &w.ahead.posts[k]
		posts.order, posts.payment = -1, -1
		own := aheadPost{key: w.postKeyOf(u), hour: unknownWord, to: &posts.unit}
		var others [2]aheadPost
		n := 0
		if u.order >= 0 {
			o := &w.orders[u.order]
			key, hour := postKey{in.Store[o.run], in.Terminal[o.run], in.Operator[o.run], o.merchant}, hourOf(in.Time[o.run])
			if key == own.key {
				own.hour = hour
			} else {
				others[n], n = aheadPost{key: key, hour: hour, to: &posts.order}, n+1
			}
		}
		if u.bill >= 0 {
			key, hour := postKey{b.Store[u.bill], b.Terminal[u.bill], b.Operator[u.bill], b.Merchant[u.bill]}, hourOf(b.Time[u.bill])
			if key == own.key {
				own.hour = hour // mostly the same as the order's
			} else {
				others[n], n = aheadPost{key: key, hour: hour, to: &posts.payment}, n+1
			}
		}
		found = append(append(found, own), others[:n]...)
	}
	return found
}

// shiftOf is the sum of a shift of the post in hand.
func (w *worker) shiftOf(channel, shift uint32, day int32) *shiftSum {
	p := w.posts.all.at(int(w.post))
	if p.shiftSum == 0 || p.shift != shift || p.channel != channel || p.day != day {
		key := shiftKey{p.key.store, p.key.terminal, p.key.operator, shift, channel, day}
		n, _ := w.shifts.index(key, key.hash())
		p.shift, p.channel, p.day, p.shiftSum = shift, channel, day, n+1
	}
	return w.shifts.sum(int(p.shiftSum - 1))
}

// lossOf is the sum of the trade's terminal: mostly that of the post in hand.
func (w *worker) lossOf(a *audited) *lossSum {
	key := lossKey{byTerminal, a.terminal, a.store, a.group.merchant}
	p := w.posts.all.at(int(w.post))
	if p.key.terminal != a.terminal || p.key.store != a.store || p.key.merchant != a.group.merchant {
		return w.losses.at(key)
	}
	if p.loss == 0 {
		p.loss = w.losses.index(key) + 1
	}
	return w.losses.sum(int(p.loss - 1))
}

// hourCounts count the trades of a worker's posts by hour, for the census: nearly all
// its rows are counted here, in a third of the memory of a cell.
type hourCounts struct {
	slots []hourCount // open addressing, a power of two long
	count int
}

// An hourCount is what a post took in an hour: orders that carry the PID of the
// post, those of them that are audited, and payments.
type hourCount struct {
	at                       uint32 // post and hour, and 1; 0 is an empty slot
	orders, audits, payments uint32
}

const hourBits = 5

func (c *hourCount) post() int32  { return int32((c.at - 1) >> hourBits) }
func (c *hourCount) hour() uint32 { return (c.at - 1) & (1<<hourBits - 1) }

// of is the count of a post's hour, valid until the next is asked for.
func (t *hourCounts) of(post int32, hour uint32) *hourCount {
	if 3*t.count >= 2*len(t.slots) {
		t.grow()
	}
	c := t.find(post, hour)
	if c.at == 0 {
		c.at = hourAt(post, hour)
		t.count++
	}
	return c
}

func hourAt(post int32, hour uint32) uint32 { return uint32(post)<<hourBits + hour + 1 }

// slot is where the search for a post's hour begins; the table is not empty. The hours
// of a post lie side by side, so that whoever goes through all of them meets a post
// once.
func (t *hourCounts) slot(post int32, hour uint32) *hourCount {
	return &t.slots[t.begin(post, hour)]
}

func (t *hourCounts) begin(post int32, hour uint32) uint32 {
	const odd = 0x9e3779b97f4a7c15
	return (uint32(uint64(post+1)*odd>>32) + hour) & uint32(len(t.slots)-1)
}

// find is where the count of a post's hour is, or would be.
func (t *hourCounts) find(post int32, hour uint32) *hourCount {
	at, mask := hourAt(post, hour), uint32(len(t.slots)-1)
	i := t.begin(post, hour)
	for t.slots[i].at != at && t.slots[i].at != 0 {
		i = (i + 1) & mask
	}
	return &t.slots[i]
}

func (t *hourCounts) grow() {
	const least = 1 << 12
	old := t.slots
	t.slots = make([]hourCount, max(2*len(old), least))
	for _, c := range old {
		if c.at == 0 {
			continue
		}
		*t.find(c.post(), c.hour()) = c
	}
}

// merge adds what another worker's posts took; it is not used again. Orders whose PID
// is not the post's go to the cells of the census.
func (t *posts) merge(o *posts, c *census) {
	if t.all.n == 0 {
		*t = *o
		return
	}
	numbers := make([]int32, o.all.n) // here, and 1
	for _, h := range o.hours.slots {
		if h.at == 0 {
			continue
		}
		post, hour := h.post(), h.hour()
		from := o.all.at(int(post))
		if numbers[post] == 0 {
			numbers[post] = t.number(from.key) + 1
		}
		n := numbers[post] - 1
		to := t.all.at(int(n))
		if to.provider == unknownWord {
			to.provider = from.provider
		}
		count := t.hours.of(n, hour)
		count.payments += h.payments
		if to.provider == from.provider {
			count.orders += h.orders
			count.audits += h.audits
		} else {
			c.addHour(from, hourCount{at: h.at, orders: h.orders, audits: h.audits})
		}
	}
}
