package engine

// Pages are a list that grows without being copied: its values stay where they
// are. A slice that is appended to, a quarter at a time when it is large, is copied
// four times over before it is full, and memory that is touched first is dear.
type pages[T any] struct {
	list [][]T
	n    int
}

const (
	pageBits = 10
	pageRows = 1 << pageBits
)

// at is the value of that number.
func (p *pages[T]) at(i int) *T { return &p.list[i>>pageBits][i&(pageRows-1)] }

// add appends a value. The first page grows like any slice: most lists are short.
func (p *pages[T]) add(v T) {
	last := p.n >> pageBits
	if last == len(p.list) {
		var page []T
		if last > 0 {
			page = make([]T, 0, pageRows)
		}
		p.list = append(p.list, page)
	}
	p.list[last] = append(p.list[last], v)
	p.n++
}
