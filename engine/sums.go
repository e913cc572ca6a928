package engine

// A sumTable adds up by key: a hash table that takes no memory a row. A key's hash
// is the caller's. Sums that do not depend on the order in which they are added
// may be kept by a worker for all its partitions.
type sumTable[K comparable, S any] struct {
	slots  []int32 // number of the entry + 1; a power of two long
	hashes []uint64
	keys   []K
	sums   []S
}

// at is the sum of the key, and whether it has just been added. It is valid until
// the next is added.
func (t *sumTable[K, S]) at(key K, hash uint64) (sum *S, added bool) {
	n, added := t.index(key, hash)
	return &t.sums[n], added
}

// index is the number of the key, and whether it has just been added.
func (t *sumTable[K, S]) index(key K, hash uint64) (number int32, added bool) {
	if 2*len(t.keys) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			var zero S
			t.hashes, t.keys, t.sums = append(t.hashes, hash), append(t.keys, key), append(t.sums, zero)
			t.slots[i] = int32(len(t.keys))
			return int32(len(t.keys) - 1), true
		}
		if t.hashes[n-1] == hash && t.keys[n-1] == key {
			return n - 1, false
		}
	}
}

func (t *sumTable[K, S]) grow() {
	const least = 64
	t.slots = make([]int32, max(2*len(t.slots), least))
	mask := uint64(len(t.slots) - 1)
	for n, hash := range t.hashes {
		i := hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(n) + 1
	}
}

// merge adds another table's sums.
func (t *sumTable[K, S]) merge(o *sumTable[K, S], add func(sum, more *S, added bool)) {
	for i, key := range o.keys {
		sum, added := t.at(key, o.hashes[i])
		add(sum, &o.sums[i], added)
	}
}
