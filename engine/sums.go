package engine

// A sumTable adds up by key: a hash table that takes no memory a row. A key's hash
// is the caller's. Sums that do not depend on the order in which they are added
// may be kept by a worker for all its partitions.
type sumTable[K comparable, S any] struct {
	slots   []int32 // number of the entry + 1; a power of two long
	entries pages[sumEntry[K, S]]
}

type sumEntry[K comparable, S any] struct {
	hash uint64
	key  K
	sum  S
}

func (t *sumTable[K, S]) len() int { return t.entries.n }

// key and sum are those of a number below len.
func (t *sumTable[K, S]) key(n int) K  { return t.entries.at(n).key }
func (t *sumTable[K, S]) sum(n int) *S { return &t.entries.at(n).sum }

// at is the sum of the key, and whether it has just been added. It is valid until
// the next is added.
func (t *sumTable[K, S]) at(key K, hash uint64) (sum *S, added bool) {
	n, added := t.index(key, hash)
	return t.sum(int(n)), added
}

// index is the number of the key, and whether it has just been added.
func (t *sumTable[K, S]) index(key K, hash uint64) (number int32, added bool) {
	if 2*t.entries.n >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			t.entries.add(sumEntry[K, S]{hash: hash, key: key})
			t.slots[i] = int32(t.entries.n)
			return int32(t.entries.n - 1), true
		}
		if e := t.entries.at(int(n - 1)); e.hash == hash && e.key == key {
			return n - 1, false
		}
	}
}

func (t *sumTable[K, S]) grow() {
	const least = 64
	t.slots = make([]int32, max(2*len(t.slots), least))
	mask := uint64(len(t.slots) - 1)
	for n := range t.entries.n {
		i := t.entries.at(n).hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(n) + 1
	}
}

// merge adds another table's sums.
func (t *sumTable[K, S]) merge(o *sumTable[K, S], add func(sum, more *S, added bool)) {
	if t.len() == 0 {
		*t = *o // which is not used again
		return
	}
	for n := range o.len() {
		e := o.entries.at(n)
		sum, added := t.at(e.key, e.hash)
		add(sum, &e.sum, added)
	}
}
