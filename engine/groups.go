package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"duizhang/engine/schema"
)

// groups numbers the distinct keys of a partition, from 0: an open-addressing
// hash table whose keys stay where they are. Hashes find candidates, the whole
// key decides. Its memory is reused from partition to partition.
type groups struct {
	slots []int32 // group + 1; 0 is empty
	mask  uint64
	stale bool // slots have numbers from before renumber
	keys  []groupRep
	spare []groupRep     // reused
	texts []*schema.Text // where keys stand
	read  int64          // keeps what lookAhead reads from being optimised away
}

// A groupRep is where a key stands. There are no pointers in it, so that the garbage
// collector has nothing to do with it.
type groupRep struct {
	hash uint64
	text int32 // in texts
	row  int32
}

func (g *groups) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if cap(g.slots) < size {
		g.slots = make([]int32, size)
	} else {
		g.slots = g.slots[:size]
		clear(g.slots)
	}
	g.mask = uint64(size - 1)
	g.stale = false
	g.keys = g.keys[:0]
	g.texts = g.texts[:0]
}

func (g *groups) len() int { return len(g.keys) }

func (g *groups) key(group int32) []byte {
	rep := &g.keys[group]
	return g.texts[rep.text].At(int(rep.row))
}

// text is the number of a column of keys, which is added if it is new.
func (g *groups) text(text *schema.Text) int32 {
	i := slices.Index(g.texts, text)
	if i < 0 {
		i = len(g.texts)
		g.texts = append(g.texts, text)
	}
	return int32(i)
}

// add gives the group of the key in text's row.
func (g *groups) add(hash uint64, text *schema.Text, row int) int32 {
	return g.addIn(hash, g.text(text), row)
}

// addIn is add for the column of that number.
func (g *groups) addIn(hash uint64, text int32, row int) int32 {
	g.refresh()
	key := g.texts[text].At(row)
	for i := hash & g.mask; ; i = (i + 1) & g.mask {
		at := g.slots[i]
		if at == 0 {
			g.keys = append(g.keys, groupRep{hash, text, int32(row)})
			g.slots[i] = int32(len(g.keys))
			return int32(len(g.keys) - 1)
		}
		if g.keys[at-1].hash == hash && bytes.Equal(g.key(at-1), key) {
			return at - 1
		}
	}
}

// find is the group of a key that is in none of its texts' rows, or -1.
func (g *groups) find(hash uint64, key []byte) int32 {
	g.refresh()
	for i := hash & g.mask; ; i = (i + 1) & g.mask {
		at := g.slots[i]
		if at == 0 {
			return -1
		}
		if g.keys[at-1].hash == hash && bytes.Equal(g.key(at-1), key) {
			return at - 1
		}
	}
}

// groupsAhead are so many keys that what is read for them is still in the processor's
// cache when they are added.
const groupsAhead = 32

// lookAhead reads what add will read for the hashes, at most groupsAhead: now the
// processor waits for all of it together, and not for one key after the other.
// Nothing but time depends on it (BenchmarkNumber).
func (g *groups) lookAhead(hashes []uint64) {
	var slots [groupsAhead]int32
	var read int64
	for k, hash := range hashes {
		slots[k] = g.slots[hash&g.mask]
	}
	var starts [groupsAhead]int32
	var texts [groupsAhead]int32
	for k := range hashes {
		if at := slots[k]; at > 0 {
			rep := &g.keys[at-1]
			texts[k], starts[k] = rep.text, g.texts[rep.text].Offsets[rep.row]
		}
	}
	for k := range hashes {
		if slots[k] > 0 {
			read += int64(g.texts[texts[k]].Data[starts[k]])
		}
	}
	g.read += read
}

// A rankedKey is a key with its first eight bytes behind the prefix that all share:
// those tell most keys apart, without a look at the keys themselves.
type rankedKey struct {
	head uint64
	key  int32
}

// ranked gives the keys in the order of their bytes, in memory that is reused.
func (g *groups) ranked(order []rankedKey) []rankedKey {
	order = order[:0]
	shared := g.sharedPrefix()
	for key := range int32(g.len()) {
		var head [8]byte
		copy(head[:], g.key(key)[shared:])
		order = append(order, rankedKey{binary.BigEndian.Uint64(head[:]), key})
	}
	slices.SortFunc(order, func(a, b rankedKey) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return bytes.Compare(g.key(a.key), g.key(b.key))
	})
	return order
}

// sharedPrefix is how many bytes all keys begin with alike.
func (g *groups) sharedPrefix() int {
	if g.len() == 0 {
		return 0
	}
	prefix := g.key(0)
	for key := range int32(g.len()) {
		if k := g.key(key); !bytes.HasPrefix(k, prefix) {
			n := 0
			for n < min(len(k), len(prefix)) && k[n] == prefix[n] {
				n++
			}
			prefix = prefix[:n]
		}
	}
	return len(prefix)
}

// moved says that the rows of a column have been moved, with the groups that they
// have now: every group has rows in the column where it had them before.
func (g *groups) moved(text *schema.Text, group []int32) {
	i := int32(slices.Index(g.texts, text))
	if i < 0 {
		return
	}
	for row, group := range group {
		if group < 0 {
			continue
		}
		if rep := &g.keys[group]; rep.text == i {
			rep.row = int32(row)
		}
	}
}

// renumber makes number[k] the number of the key that was k.
func (g *groups) renumber(number []int32) {
	g.spare = slices.Grow(g.spare[:0], len(g.keys))[:len(g.keys)]
	for k, rep := range g.keys {
		g.spare[number[k]] = rep
	}
	g.keys, g.spare = g.spare, g.keys
	g.stale = true
}

// refresh makes the table find keys by the numbers that renumber gave them. Only a
// history asks for keys after that.
func (g *groups) refresh() {
	if !g.stale {
		return
	}
	g.stale = false
	clear(g.slots)
	for k := range g.keys {
		i := g.keys[k].hash & g.mask
		for g.slots[i] != 0 {
			i = (i + 1) & g.mask
		}
		g.slots[i] = int32(k) + 1
	}
}

// members are the rows of each group, in rules 1's order: path, member, line.
type members struct {
	start []int32
	rows  []int32
}

// build gathers the rows of each of n groups; a row of group -1 is left out.
func (m *members) build(places placeOrder, n int, group []int32, table, line []int32) {
	m.start = slices.Grow(m.start[:0], n+1)[:n+1]
	clear(m.start)
	kept := 0
	for _, g := range group {
		if g >= 0 {
			m.start[g+1]++
			kept++
		}
	}
	for g := range n {
		m.start[g+1] += m.start[g]
	}
	m.rows = slices.Grow(m.rows[:0], kept)[:kept]
	for row, g := range group {
		if g >= 0 {
			m.rows[m.start[g]] = int32(row)
			m.start[g]++
		}
	}
	copy(m.start[1:], m.start[:n])
	m.start[0] = 0
	for g := range n {
		if rows := m.of(int32(g)); len(rows) > 1 {
			slices.SortFunc(rows, func(a, b int32) int {
				return places.compare(table[a], line[a], table[b], line[b])
			})
		}
	}
}

// byMerchant puts the rows of each group in the order of their merchants, those of
// one merchant as they were: merchants may number their orders alike, two thousand
// of them on one night.
func (m *members) byMerchant(merchant []uint32) {
	for g := range len(m.start) - 1 {
		if rows := m.of(int32(g)); len(rows) > 1 {
			slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(merchant[a], merchant[b]) })
		}
	}
}

// ofMerchant are the rows of a group that are of the merchant, after byMerchant.
func (m *members) ofMerchant(group int32, merchant uint32, merchants []uint32) []int32 {
	rows := m.of(group)
	if len(rows) == 0 {
		return nil
	}
	from := sort.Search(len(rows), func(i int) bool { return merchants[rows[i]] >= merchant })
	to := from
	for to < len(rows) && merchants[rows[to]] == merchant {
		to++
	}
	return rows[from:to]
}

// of are the rows of a group; none of group -1.
func (m *members) of(group int32) []int32 {
	if group < 0 {
		return nil
	}
	return m.rows[m.start[group]:m.start[group+1]]
}

// A placeOrder is the order of rules 1: by table, then line. It is the number of
// today's tables: those behind them hold the rows that earlier days carried, which
// come before all of today's.
type placeOrder int32

func (o placeOrder) compare(tableA, lineA, tableB, lineB int32) int {
	if tableA == tableB {
		return int(lineA) - int(lineB)
	}
	if carried := tableA >= int32(o); carried != (tableB >= int32(o)) {
		if carried {
			return -1
		}
		return 1
	}
	return int(tableA) - int(tableB)
}
