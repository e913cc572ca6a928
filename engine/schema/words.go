package schema

import (
	"encoding/binary"
	"math"
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
	short  shortWords
	slots  []wordSlot // open addressing, a power of two long
	count  int        // of slots that are taken
	known  []byte     // word after word: its code and length, then its raw bytes
}

// A wordSlot is small, so that many fit the processor's cache: a part of the hash,
// and where the word begins in known; 0 for an empty slot. A look-up touches the
// slot and the word, and no more.
type wordSlot struct{ hash, at uint32 }

// wordHead is the length of what stands before a word's raw bytes.
const wordHead = 8

// NewWordCache gives an empty cache. The decode function turns a cell's raw
// bytes into the word's text; it must depend on the bytes alone.
func NewWordCache(words *Words, decode func(raw []byte) string) *WordCache {
	return &WordCache{
		words: words, decode: decode, slots: make([]wordSlot, 256), known: make([]byte, wordHead),
		short: shortWords{slots: make([]shortWord, 256)},
	}
}

// Rebind gives the cache to another user, whose decode function must make the
// same texts of the bytes that are known already.
func (c *WordCache) Rebind(decode func(raw []byte) string) { c.decode = decode }

// Code is the code of a cell's raw bytes.
func (c *WordCache) Code(raw []byte) uint32 {
	switch n := len(raw); {
	case n == 0:
		return 0
	case n <= longestShort:
		key := shortKeyOf(raw)
		if code := c.short.find(key); code != 0 {
			return code
		}
		if code := c.words.Code(c.decode(raw)); code != 0 && code <= largestShort {
			c.short.add(key, code)
			return code
		}
	}
	return c.long(raw)
}

// long is Code of a word of any length.
func (c *WordCache) long(raw []byte) uint32 {
	hash := uint32(xxh3.Hash(raw) >> 32)
	mask := uint32(len(c.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := c.slots[i]
		if slot.at == 0 {
			return c.add(i, hash, raw)
		}
		if slot.hash == hash {
			word := c.known[slot.at:]
			code, length := binary.LittleEndian.Uint32(word), int(binary.LittleEndian.Uint32(word[4:]))
			if length == len(raw) && string(word[wordHead:wordHead+length]) == string(raw) {
				return code
			}
		}
	}
}

// add puts a word that is met for the first time into the empty slot.
func (c *WordCache) add(slot, hash uint32, raw []byte) uint32 {
	code := c.words.Code(c.decode(raw))
	if uint64(len(c.known)+wordHead+len(raw)) > math.MaxUint32 {
		return code // known elsewhere, if not here
	}
	c.slots[slot] = wordSlot{hash, uint32(len(c.known))}
	c.known = binary.LittleEndian.AppendUint32(c.known, code)
	c.known = binary.LittleEndian.AppendUint32(c.known, uint32(len(raw)))
	c.known = append(c.known, raw...)
	if c.count++; 2*c.count > len(c.slots) {
		c.grow()
	}
	return code
}

func (c *WordCache) grow() {
	old := c.slots
	c.slots = make([]wordSlot, 2*len(old))
	mask := uint32(len(c.slots) - 1)
	for _, slot := range old {
		if slot.at == 0 {
			continue
		}
		i := slot.hash & mask
		for c.slots[i].at != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = slot
	}
}
