package state

import (
	"container/heap"
	"context"

	"duizhang/engine/schema"
)

// A cursor goes through a sorted run.
type cursor[T schema.Rows] struct {
	m      *merger[T]
	run    *sortedRun
	next   int // page
	buffer []byte
	page   page
	rows   T
	fields []schema.Field
	row    int
}

// load reads the next page; false at the end.
func (c *cursor[T]) load() (bool, error) {
	if c.next == c.run.blocks {
		return false, nil
	}
	data, err := c.m.shelf.page(c.buffer, c.run, c.next)
	if err != nil {
		return false, err
	}
	if c.run.spilled != nil {
		c.buffer = data
	}
	c.next++
	c.row = 0
	c.m.kind.reset(c.rows)
	if err := c.page.open(data); err != nil {
		return false, err
	}
	if err := c.page.appendTo(c.fields, c.m.inOrder); err != nil {
		return false, err
	}
	for i := range c.rows.Len() {
		c.m.kind.unpack(c.rows, i)
	}
	return true, nil
}

// A merger goes through several sorted runs as one.
type merger[T schema.Rows] struct {
	kind    *kind[T]
	shelf   *shelf
	words   []string
	inOrder []int // 0, 1, 2, …
	heap    []*cursor[T]
	out     T
	to      []schema.Field
	taken   []pick[T]
}

// A pick is a row that comes next.
type pick[T schema.Rows] struct {
	from *cursor[T]
	row  int
}

func (m *merger[T]) Len() int      { return len(m.heap) }
func (m *merger[T]) Swap(i, j int) { m.heap[i], m.heap[j] = m.heap[j], m.heap[i] }
func (m *merger[T]) Less(i, j int) bool {
	a, b := m.heap[i], m.heap[j]
	return m.kind.compare(a.rows, a.row, b.rows, b.row, m.words) < 0
}
func (m *merger[T]) Push(x any) { m.heap = append(m.heap, x.(*cursor[T])) }
func (m *merger[T]) Pop() any {
	last := m.heap[len(m.heap)-1]
	m.heap = m.heap[:len(m.heap)-1]
	return last
}

// merge hands out all rows of the runs in their order, a page at a time: all have
// pageRows rows but the last. emit borrows the page.
func merge[T schema.Rows](ctx context.Context, k *kind[T], s *shelf, words *dictionary, runs []sortedRun, emit func(T) error) error {
	m := &merger[T]{kind: k, shelf: s, words: words.all(), out: k.fresh()}
	m.to = k.columns(m.out)
	for i := range m.to {
		m.inOrder = append(m.inOrder, i)
	}
	for i := range runs {
		c := &cursor[T]{m: m, run: &runs[i], rows: k.fresh()}
		c.fields = k.columns(c.rows)
		if ok, err := c.load(); err != nil {
			return err
		} else if ok {
			m.heap = append(m.heap, c)
		}
	}
	heap.Init(m)
	for len(m.heap) > 0 {
		first := m.heap[0]
		m.taken = append(m.taken, pick[T]{first, first.row})
		first.row++
		if ended := first.row == first.rows.Len(); ended {
			m.gather()
			ok, err := first.load()
			if err != nil {
				return err
			}
			if !ok {
				heap.Pop(m)
			} else {
				heap.Fix(m, 0)
			}
		} else if len(m.heap) > 1 {
			heap.Fix(m, 0)
		}
		if m.out.Len()+len(m.taken) < pageRows && len(m.heap) > 0 {
			continue
		}
		m.gather()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := emit(m.out); err != nil {
			return err
		}
		k.reset(m.out)
	}
	return nil
}

// gather copies the rows that were picked, column by column.
func (m *merger[T]) gather() {
	for k, f := range m.to {
		switch to := f.Data.(type) {
		case *[]int64:
			*to = gather(m.taken, *to, k)
		case *[]int32:
			*to = gather(m.taken, *to, k)
		case *[]uint32:
			*to = gather(m.taken, *to, k)
		case *[]uint8:
			*to = gather(m.taken, *to, k)
		case *schema.Text:
			for _, p := range m.taken {
				to.Append(p.from.fields[k].Data.(*schema.Text).At(p.row))
			}
		}
	}
	m.taken = m.taken[:0]
}

func gather[T schema.Rows, V any](picked []pick[T], to []V, column int) []V {
	for _, p := range picked {
		to = append(to, (*p.from.fields[column].Data.(*[]V))[p.row])
	}
	return to
}
