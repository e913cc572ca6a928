package schema

import (
	"encoding/binary"
	"math/bits"
)

// Words of so many bytes, and with codes up to this, are in shortWords.
const (
	longestShort = 12
	largestShort = 1<<shortBits - 1
	shortBits    = 28
)

// shortWords are the short words of a WordCache, by their bytes: stores, terminals,
// numbers of goods. A slot holds all of a word, so that a look-up touches nothing else.
type shortWords struct {
	slots []shortWord // open addressing, a power of two long
	count int
}

// A shortWord is a key and, in the low bits of word, its code. Word 0 is an empty slot.
type shortWord struct {
	head uint64
	tail uint32
	word uint32
}

// A shortKey is the bytes of a short word: what overlaps is there twice, and the length,
// in the high bits of size, tells how much that is.
type shortKey struct {
	head uint64
	tail uint32
	size uint32
}

func shortKeyOf(raw []byte) shortKey {
	n := len(raw)
	key := shortKey{size: uint32(n) << shortBits}
	switch {
	case n >= 8:
		key.head, key.tail = binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint32(raw[n-4:])
	case n >= 4:
		key.head = uint64(binary.LittleEndian.Uint32(raw)) | uint64(binary.LittleEndian.Uint32(raw[n-4:]))<<32
	default:
		key.head = uint64(raw[0]) | uint64(raw[n/2])<<8 | uint64(raw[n-1])<<16
	}
	return key
}

func hashShort(head uint64, tail, size uint32) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93 // odd, without a pattern
	hi, lo := bits.Mul64(head^a, (uint64(tail)<<32|uint64(size))^b)
	return hi ^ lo
}

// find is the code of a key, 0 if it is not known.
func (w *shortWords) find(key shortKey) uint32 {
	mask := uint64(len(w.slots) - 1)
	for i := hashShort(key.head, key.tail, key.size) & mask; ; i = (i + 1) & mask {
		slot := &w.slots[i]
		if slot.head == key.head && slot.tail == key.tail && slot.word&^largestShort == key.size {
			return slot.word & largestShort
		}
		if slot.word == 0 {
			return 0
		}
	}
}

// add adds a key that is not known.
func (w *shortWords) add(key shortKey, code uint32) {
	w.put(shortWord{key.head, key.tail, key.size | code})
	if w.count++; 2*w.count <= len(w.slots) {
		return
	}
	old := w.slots
	w.slots = make([]shortWord, 2*len(old))
	for _, slot := range old {
		if slot.word != 0 {
			w.put(slot)
		}
	}
}

func (w *shortWords) put(word shortWord) {
	mask := uint64(len(w.slots) - 1)
	i := hashShort(word.head, word.tail, word.word&^largestShort) & mask
	for w.slots[i].word != 0 {
		i = (i + 1) & mask
	}
	w.slots[i] = word
}
