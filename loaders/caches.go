package loaders

import (
	"strings"
	"sync"

	"duizhang/engine/schema"
)

// wordCaches are the word caches, and the columns of orders, that no parser has at the moment. A night of two
// thousand small bills has as many parsers, and all meet the same stores, operators
// and goods: a parser takes up a cache that another table's has filled.
//
// A cell's bytes mean another text in another charset, so that caches are kept by
// it. What was read while a table's charset was still open is ASCII, the same in
// both.
type wordCaches struct {
	mu   sync.Mutex
	free [charsetGB18030 + 1][]*schema.WordCache

	orders []orderBatch
}

// An orderBatch is the empty columns of a batch of orders, which another table has
// made grow.
type orderBatch struct {
	orders schema.Orders
	lines  schema.Lines
}

// takeOrders gives columns to fill. A nil w has none that have grown.
func (w *wordCaches) takeOrders() (b orderBatch) {
	if w == nil {
		return b
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.orders) - 1; last >= 0 {
		b = w.orders[last]
		w.orders = w.orders[:last]
	}
	return b
}

func (w *wordCaches) giveOrders(b orderBatch) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orders = append(w.orders, b)
}

// A borrowedCache is one that a table's parser has.
type borrowedCache struct {
	cache *schema.WordCache
	// bad: it knows a word with bytes that do not decode. A parser finds that when
	// it decodes them, so that no other may take them for known.
	bad bool
}

// take gives a cache that knows words of the charset, or nil. A nil w has none.
func (w *wordCaches) take(charset uint32) *schema.WordCache {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	free := &w.free[charset]
	if len(*free) == 0 {
		return nil
	}
	last := len(*free) - 1
	c := (*free)[last]
	*free = (*free)[:last]
	return c
}

func (w *wordCaches) give(charset uint32, c *schema.WordCache) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free[charset] = append(w.free[charset], c)
}

// newWordCache gives a parser its way to the run's words. The function is told of
// a text that is decoded for the first time and has bytes that do not decode; it
// may be nil.
func (t *tableReader) newWordCache(undecoded func()) *schema.WordCache {
	b := &borrowedCache{}
	decode := func(raw []byte) string {
		text := t.charset.text(raw)
		if strings.Contains(text, "\ufffd") {
			b.bad = true
			if undecoded != nil {
				undecoded()
			}
		}
		return text
	}
	if b.cache = t.opt.caches.take(t.charset.state.Load()); b.cache != nil {
		b.cache.Rebind(decode)
	} else {
		b.cache = schema.NewWordCache(t.opt.Words, decode)
	}
	t.borrowed = append(t.borrowed, b) // under the table's lock, as all of newParser
	return b.cache
}

// giveCaches lets others have the caches, when the table's parsers have ended.
func (t *tableReader) giveCaches() {
	for _, b := range t.borrowed {
		if !b.bad {
			t.opt.caches.give(t.charset.state.Load(), b.cache)
		}
	}
	t.borrowed = nil
	for _, p := range t.orderParsers {
		schema.Reset(&p.orders)
		schema.Reset(&p.lines)
		t.opt.caches.giveOrders(orderBatch{p.orders, p.lines})
	}
	t.orderParsers = nil
}
