package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"duizhang/engine/schema"
	"duizhang/engine/spill"
)

// Rows are collected from the engine's workers, sorted in runs of sortRows, and
// kept packed until Prepare merges the runs: in memory up to a bound, then in a
// spill file.
const (
	sortRows = 1 << 16
	inMemory = 96 << 20 // bytes of packed runs that are kept in memory
)

// A shelf keeps the packed runs of one run.
type shelf struct {
	mu   sync.Mutex
	dir  string // of the spill file
	held int
	most int
	file *spill.File
}

// A sortedRun is pages of rows in their order.
type sortedRun struct {
	pages   [][]byte
	spilled *spill.Blocks
	blocks  int
}

// put keeps pages; it owns them.
func (s *shelf) put(pages [][]byte) (sortedRun, error) {
	size := 0
	for _, p := range pages {
		size += len(p)
	}
	s.mu.Lock()
	if s.held+size <= s.most {
		s.held += size
		s.mu.Unlock()
		return sortedRun{pages: pages, blocks: len(pages)}, nil
	}
	s.mu.Unlock()
	file, err := s.spillFile()
	if err != nil {
		return sortedRun{}, err
	}
	data, ends := make([]byte, 0, size), make([]uint32, 0, len(pages))
	for _, p := range pages {
		data = append(data, p...)
		ends = append(ends, uint32(len(data)))
	}
	blocks, err := file.Put(data, ends)
	return sortedRun{spilled: &blocks, blocks: len(pages)}, err
}

// spillFile is the file for what does not fit the memory.
func (s *shelf) spillFile() (*spill.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		f, err := spill.Create(s.dir)
		if err != nil {
			return nil, err
		}
		s.file = f
	}
	return s.file, nil
}

// page is page k of the run; dst is reused where it was spilled.
func (s *shelf) page(dst []byte, r *sortedRun, k int) ([]byte, error) {
	if r.spilled == nil {
		return r.pages[k], nil
	}
	return s.file.Get(dst[:0], r.spilled, k)
}

func (s *shelf) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// A collector gathers and sorts rows of one kind; it is for one goroutine at a time.
type collector[T schema.Rows] struct {
	kind   *kind[T]
	shelf  *shelf
	words  *dictionary
	rows   T
	from   []schema.Field // of rows
	sorted T              // a page
	packer packer
	order  []sortKey
	picked []int32
	runs   []sortedRun
}

func newCollector[T schema.Rows](k *kind[T], s *shelf, words *dictionary) *collector[T] {
	c := &collector[T]{kind: k, shelf: s, words: words, rows: k.fresh(), sorted: k.fresh()}
	c.from = k.columns(c.rows)
	return c
}

// full makes room once there are enough rows for a run.
func (c *collector[T]) full() error {
	if c.rows.Len() < sortRows {
		return nil
	}
	return c.flush()
}

// flush sorts what was gathered, and keeps it as a run.
func (c *collector[T]) flush() error {
	n := c.rows.Len()
	if n == 0 {
		return nil
	}
	c.sort()
	var pages [][]byte
	fields := c.kind.columns(c.sorted)
	for from := 0; from < n; from += pageRows {
		c.picked = c.picked[:0]
		for _, k := range c.order[from:min(from+pageRows, n)] {
			c.picked = append(c.picked, k.row)
		}
		c.kind.reset(c.sorted)
		appendPicked(fields, c.from, c.picked)
		for i := range c.sorted.Len() {
			if !c.kind.pack(c.sorted, i) {
				return errRange
			}
		}
		pages = append(pages, c.packer.page(nil, fields, c.sorted.Len()))
	}
	c.kind.reset(c.rows)
	run, err := c.shelf.put(pages)
	c.runs = append(c.runs, run)
	return err
}

// A sortKey sorts most rows without a look at their refs.
type sortKey struct {
	head uint64
	row  int32
}

func (c *collector[T]) sort() {
	n := c.rows.Len()
	ref := c.kind.ref(c.rows)
	head := headOf(ref, n)
	c.order = c.order[:0]
	for i := range n {
		c.order = append(c.order, sortKey{head(i), int32(i)})
	}
	texts := c.words.all()
	slices.SortFunc(c.order, func(a, b sortKey) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return c.kind.compare(c.rows, int(a.row), c.rows, int(b.row), texts)
	})
}

func (k *kind[T]) compare(a T, i int, b T, j int, words []string) int {
	if n := bytes.Compare(k.ref(a).At(i), k.ref(b).At(j)); n != 0 {
		return n
	}
	if n := k.tie(a, i, b, j); n != 0 {
		return n
	}
	return strings.Compare(words[k.merchant(a)[i]], words[k.merchant(b)[j]])
}

// headOf gives numbers that sort as refs do, but for ties: what follows their common
// prefix, 18 digits where all have them.
func headOf(ref *schema.Text, n int) func(i int) uint64 {
	prefix, even := ref.At(0), true
	length := len(prefix)
	for i := 1; i < n; i++ {
		r := ref.At(i)
		even = even && len(r) == length
		k := 0
		for k < len(prefix) && k < len(r) && prefix[k] == r[k] {
			k++
		}
		prefix = prefix[:k]
	}
	from := len(prefix)
	to := min(from+digitsAtOnce, length)
	if even {
		for i := 0; i < n && even; i++ {
			for _, c := range ref.At(i)[from:to] {
				even = even && c >= '0' && c <= '9'
			}
		}
	}
	if even {
		return func(i int) uint64 {
			v := uint64(0)
			for _, c := range ref.At(i)[from:to] {
				v = v*10 + uint64(c-'0')
			}
			return v
		}
	}
	return func(i int) uint64 {
		var b [8]byte
		copy(b[:], ref.At(i)[from:])
		return binary.BigEndian.Uint64(b[:])
	}
}
