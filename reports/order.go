package reports

import (
	"fmt"
	"sync"
)

// A chunk is the encoded rows of one part: the CSV bytes of each of its tables.
type chunk struct {
	number int
	bytes  [maxTables][]byte
	spill  string // the temporary file that holds the bytes instead, or ""
	sizes  [maxTables]int64
	sums   [maxTables]uint64 // of the bytes, where the run keeps parts
}

// sizeOf is how many bytes the chunk has of a table, wherever they are.
func (c *chunk) sizeOf(table int) int64 {
	if c.spill != "" {
		return c.sizes[table]
	}
	return int64(len(c.bytes[table]))
}

func (c *chunk) size() int64 {
	var n int64
	for _, b := range c.bytes {
		n += int64(len(b))
	}
	return n
}

// An ordered hands chunks on in the order of their numbers, whatever the order in
// which they are put. Whoever puts the chunk that is next writes it and those
// that wait behind it; the others leave theirs and go. What waits is bounded: a
// chunk beyond the limit goes to a temporary file, or waits while somebody is
// writing. Nobody ever waits for a chunk that has not come.
type ordered struct {
	limit int64
	write func(*chunk) error // in order, one at a time
	spill func(*chunk) error // moves the chunk's bytes to a file

	mu      sync.Mutex
	written sync.Cond // a chunk has been written, or nobody writes any more
	next    int
	waiting map[int]*chunk
	held    int64
	busy    bool // somebody is writing
	err     error
	free    []*chunk
}

func newOrdered(limit int64, write, spill func(*chunk) error) *ordered {
	o := &ordered{limit: limit, write: write, spill: spill, waiting: make(map[int]*chunk)}
	o.written.L = &o.mu
	return o
}

// take gives an empty chunk with the memory of an earlier one.
func (o *ordered) take(number int) *chunk {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := &chunk{}
	if n := len(o.free); n > 0 {
		c, o.free = o.free[n-1], o.free[:n-1]
	}
	c.number, c.spill = number, ""
	for i := range c.bytes {
		c.bytes[i] = c.bytes[i][:0]
	}
	return c
}

// put hands a chunk over.
func (o *ordered) put(c *chunk) error {
	size := c.size()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && o.busy && o.held+size > o.limit && c.number != o.next {
		o.written.Wait()
	}
	if o.err == nil && !o.busy && o.held+size > o.limit && c.number != o.next {
		o.mu.Unlock()
		err := o.spill(c)
		o.mu.Lock()
		size = 0
		o.fail(err)
	}
	if o.err != nil {
		return o.err
	}
	if c.number < o.next || o.waiting[c.number] != nil {
		o.fail(fmt.Errorf("part %d came twice", c.number))
		return o.err
	}
	o.waiting[c.number] = c
	o.held += size
	if o.busy {
		return nil
	}
	return o.drain()
}

// drain writes what is next as long as there is any. The caller holds mu.
func (o *ordered) drain() error {
	o.busy = true
	for o.err == nil {
		c := o.waiting[o.next]
		if c == nil {
			break
		}
		size := c.size()
		delete(o.waiting, o.next)
		o.next++
		o.mu.Unlock()
		err := o.write(c)
		o.mu.Lock()
		o.held -= size
		o.free = append(o.free, c)
		o.fail(err)
		o.written.Broadcast()
	}
	o.busy = false
	o.written.Broadcast()
	return o.err
}

func (o *ordered) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// done reports whether all of the parts have been written.
func (o *ordered) done(parts int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && o.next != parts {
		return fmt.Errorf("part %d of %d never came", o.next, parts)
	}
	return o.err
}
