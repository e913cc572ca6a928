package schema

import (
	"sync"

	"github.com/zeebo/xxh3"
)

// Words are the distinct values of the low-cardinality columns of a run. A word
// has a code, from 1; code 0 is the blank. Words are safe for concurrent use and
// only ever grow.
type Words struct {
	mu    sync.RWMutex
	codes map[string]uint32
	texts []string
}

// NewWords gives words that hold the blank alone.
func NewWords() *Words {
	return &Words{codes: map[string]uint32{"": 0}, texts: []string{""}}
}

// Code is the code of the text, which is added if it is new.
func (w *Words) Code(text string) uint32 {
	w.mu.RLock()
	code, ok := w.codes[text]
	w.mu.RUnlock()
	if ok {
		return code
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if code, ok = w.codes[text]; !ok {
		code = uint32(len(w.texts))
		w.codes[text] = code
		w.texts = append(w.texts, text)
	}
	return code
}

// Find is the code of the text if it has one.
func (w *Words) Find(text string) (uint32, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	code, ok := w.codes[text]
	return code, ok
}

// Texts are all words by code: a snapshot that stays valid.
func (w *Words) Texts() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.texts[:len(w.texts):len(w.texts)]
}

// A WordCache is one worker's way to Words: it looks raw bytes up without
// decoding, locking or allocating, and decodes only what it has not met.
type WordCache struct {
	words  *Words
	decode func(raw []byte) string
	slots  []wordSlot // open addressing, a power of two long
	known  []knownWord
}

// A wordSlot is small, so that many fit the processor's cache: a part of the
// hash, and the word's number in known from 1, 0 for an empty slot.
type wordSlot struct{ hash, number uint32 }

type knownWord struct {
	raw  string
	code uint32
}

// NewWordCache gives an empty cache. The decode function turns a cell's raw
// bytes into the word's text; it must depend on the bytes alone.
func NewWordCache(words *Words, decode func(raw []byte) string) *WordCache {
	return &WordCache{words: words, decode: decode, slots: make([]wordSlot, 256)}
}

// Rebind gives the cache to another user, whose decode function must make the
// same texts of the bytes that are known already.
func (c *WordCache) Rebind(decode func(raw []byte) string) { c.decode = decode }

// Code is the code of a cell's raw bytes.
func (c *WordCache) Code(raw []byte) uint32 {
	if len(raw) == 0 {
		return 0
	}
	hash := uint32(xxh3.Hash(raw) >> 32)
	mask := uint32(len(c.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := c.slots[i]
		if slot.number == 0 {
			return c.add(i, hash, raw)
		}
		if slot.hash == hash {
			if word := &c.known[slot.number-1]; word.raw == string(raw) {
				return word.code
			}
		}
	}
}

// add puts a word that is met for the first time into the empty slot.
func (c *WordCache) add(slot, hash uint32, raw []byte) uint32 {
	code := c.words.Code(c.decode(raw))
	c.known = append(c.known, knownWord{string(raw), code})
	c.slots[slot] = wordSlot{hash, uint32(len(c.known))}
	if 2*len(c.known) > len(c.slots) {
		c.grow()
	}
	return code
}

func (c *WordCache) grow() {
	old := c.slots
	c.slots = make([]wordSlot, 2*len(old))
	mask := uint32(len(c.slots) - 1)
	for _, slot := range old {
		if slot.number == 0 {
			continue
		}
		i := slot.hash & mask
		for c.slots[i].number != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = slot
	}
}
