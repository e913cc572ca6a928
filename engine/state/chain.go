package state

import (
	"context"

	"duizhang/engine/schema"
)

// A revision of a date is a chain of generations: a base, which a full run wrote, and
// overlays, each of which replaces the rows of some parts of what is below it. Of a
// generation the rows of those parts count that no newer one has replaced; look-ups
// that were made for a part are a part's rows like others. What is no part's, the
// breaks, the carried rows, what was asked about breaks, is the newest generation's.

// A layer is a generation of a chain, as pointers name it.
type layer struct {
	Gen   uint32  `json:"gen"`
	Parts partSet `json:"parts,omitempty"` // that it replaces; none: it is the base, and has all
}

// A partSet is a set of numbers of parts, a bit each.
type partSet []byte

func newPartSet(dirty []bool) partSet {
	s := make(partSet, len(dirty)/8+1) // never empty: that would be a base
	for p, is := range dirty {
		if is {
			s[p/8] |= 1 << (p % 8)
		}
	}
	return s
}

func (s partSet) has(part int64) bool {
	return part >= 0 && part < int64(len(s))*8 && s[part/8]&(1<<(part%8)) != 0
}

// covers reports whether all of another set are in it.
func (s partSet) covers(o partSet) bool {
	for k, b := range o {
		if k >= len(s) && b != 0 || k < len(s) && b&^s[k] != 0 {
			return false
		}
	}
	return true
}

// union is a new set.
func (s partSet) union(o partSet) partSet {
	both := make(partSet, max(len(s), len(o)))
	copy(both, s)
	for k, b := range o {
		both[k] |= b
	}
	return both
}

// layers are the generations of the revision, the newest first.
func (p *pointer) layers() []layer { return append([]layer{{p.Gen, p.Overlay}}, p.Below...) }

// previous are those of the revision that this one replaced.
func (p *pointer) previous() []layer {
	if p.Previous == 0 {
		return nil
	}
	return append([]layer{{p.PreviousGen, p.PreviousOverlay}}, p.PreviousBelow...)
}

// A chain is the rows of a revision. Safe for concurrent use.
type chain struct {
	date   int32
	words  *schema.Words
	layers []*rows // the newest first
}

func (s *Store) chain(date int32, layers []layer, words *schema.Words) *chain {
	c := &chain{date: date, words: words}
	var replaced partSet
	for _, l := range layers {
		r := s.rows(generation{date, l.Gen}, words)
		r.replaced = replaced
		c.layers = append(c.layers, r)
		replaced = replaced.union(l.Parts)
	}
	return c
}

// newest is the generation that has what is no part's.
func (c *chain) newest() *rows { return c.layers[0] }

// layer is that of a generation, or nil.
func (c *chain) layer(g generation) *rows {
	if c == nil {
		return nil
	}
	for _, r := range c.layers {
		if r.gen == g {
			return r
		}
	}
	return nil
}

// counts reports whether rows of a part count.
func (r *rows) counts(part int64) bool { return !r.replaced.has(part) }

// settled goes through the trades of the revision in their order; f borrows the page.
func (c *chain) settled(ctx context.Context, f func(*tradeRows) error) error {
	return merged(ctx, c, &trades, (*rows).settled, f)
}

// returned goes through the refunds.
func (c *chain) returned(ctx context.Context, f func(*refundRows) error) error {
	return merged(ctx, c, &refunds, (*rows).returned, f)
}

// merged goes through the rows of all layers that count, with the reader's words, in
// the order in which one generation would have them.
func merged[T schema.Rows](ctx context.Context, c *chain, k *kind[T], each func(*rows, func(T) error) error, f func(T) error) error {
	for _, r := range c.layers {
		if err := r.dictionary(); err != nil {
			return err
		}
	}
	if len(c.layers) == 1 {
		return counting(ctx, k, c.layers[0], each, f)
	}
	m := &layerMerger[T]{kind: k, words: c.words.Texts(), out: k.fresh(), emit: f}
	for _, r := range c.layers {
		s, stop := sideOf(ctx, func(ctx context.Context, f func(T) error) error { return counting(ctx, k, r, each, f) })
		defer stop()
		if err := s.advance(); err != nil {
			return err
		}
		m.sides = append(m.sides, s)
	}
	return m.run()
}

// counting goes through those of one generation.
func counting[T schema.Rows](ctx context.Context, k *kind[T], r *rows, each func(*rows, func(T) error) error, f func(T) error) error {
	some := k.fresh()
	return each(r, func(rows T) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.recodeAll(schema.Fields(rows)); err != nil {
			return err
		}
		if len(r.replaced) == 0 {
			return f(rows)
		}
		var picked []int32
		for i, part := range *k.part(rows) {
			if r.counts(int64(part)) {
				picked = append(picked, int32(i))
			}
		}
		if len(picked) == 0 {
			return nil
		}
		k.reset(some)
		appendPicked(k.all(some), k.all(rows), picked)
		return f(some)
	})
}

// A layerMerger puts rows of several layers in one order.
type layerMerger[T schema.Rows] struct {
	kind  *kind[T]
	words []string
	sides []*side[T]
	out   T
	emit  func(T) error
}

func (m *layerMerger[T]) run() error {
	for {
		var first, second *side[T]
		for _, s := range m.sides {
			switch {
			case !s.some:
			case first == nil || m.before(s, first):
				first, second = s, first
			case second == nil || m.before(s, second):
				second = s
			}
		}
		if first == nil {
			break
		}
		if err := m.takeRun(first, second); err != nil {
			return err
		}
	}
	if m.out.Len() == 0 {
		return nil
	}
	return m.emit(m.out)
}

func (m *layerMerger[T]) before(a, b *side[T]) bool {
	return m.kind.compare(a.rows, a.row, b.rows, b.row, m.words) < 0
}

// takeRun takes the rows of a page that come before those of all other layers.
func (m *layerMerger[T]) takeRun(first, second *side[T]) error {
	var picked []int32
	rows := first.rows
	for {
		picked = append(picked, int32(first.row))
		if first.row+1 == rows.Len() {
			break
		}
		first.row++
		if second != nil && !m.before(first, second) {
			first.row--
			break
		}
	}
	appendPicked(m.kind.all(m.out), m.kind.all(rows), picked)
	if err := first.advance(); err != nil {
		return err
	}
	if m.out.Len() < pageRows {
		return nil
	}
	err := m.emit(m.out)
	m.kind.reset(m.out)
	return err
}
