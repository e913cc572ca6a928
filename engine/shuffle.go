package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"duizhang/engine/schema"
	"duizhang/engine/spill"
)

// A shuffle divides the rows of one kind among parts. It gathers batches in a
// stage until there are some rows for every part, and then packs them part by part
// into one segment of bytes. A segment is in memory while the budget lasts, and on
// disk beyond it: the same bytes in either. So what a row costs does not grow
// with the number of parts, and nothing that is kept has pointers in it.
type shuffle struct {
	kind rowKind
	keep *keeper

	mu       sync.Mutex
	filling  *stage   // nil if there is none
	free     []*stage // used again: fresh memory is dear
	segments []segment
	counts   []int64 // rows by part
}

// A rowKind is a kind of rows that pass through the store.
type rowKind uint8

// The kinds of rows.
const (
	billRows rowKind = iota + 1
	orderRows
	refundRows
	statementRows
	accountRows
	entryRows
	refundedRows
	earlierRows
)

// tables are the tables of a kind: its rows, and the lines that belong to them, or
// nil.
func (r *Rows) tables(kind rowKind) (rows, lines schema.Rows) {
	switch kind {
	case billRows:
		return &r.Bills, nil
	case orderRows:
		return &r.Orders, &r.Lines
	case refundRows:
		return &r.Refunds, &r.RefundLines
	case statementRows:
		return &r.Statements, nil
	case accountRows:
		return &r.Accounts, nil
	case entryRows:
		return &r.entries, nil
	case refundedRows:
		return &r.refunded, nil
	case earlierRows:
		return &r.Earlier, &r.EarlierRefunds
	}
	panic("engine: no such kind of rows")
}

// lineCounts says how many lines belong to each row of a kind that has lines.
func (r *Rows) lineCounts(kind rowKind) []int32 {
	switch kind { //nolint:exhaustive // the others have none
	case orderRows:
		return r.Orders.Lines
	case earlierRows:
		return r.Earlier.Query
	}
	return r.Refunds.Lines
}

// A stage is the rows that wait for their segment.
type stage struct {
	Rows
	spread
	rows, lines *schema.Packer // lines is nil for a kind without
	firstLine   []int32
	lineRows    []int32
	packed      []byte
}

func newStage(kind rowKind) *stage {
	st := new(stage)
	st.rows, st.lines = packersOf(&st.Rows, kind)
	return st
}

// packersOf are the packers of a kind's tables in r.
func packersOf(r *Rows, kind rowKind) (rows, lines *schema.Packer) {
	rowTable, lineTable := r.tables(kind)
	rows = schema.NewPacker(rowTable)
	if lineTable != nil {
		lines = schema.NewPacker(lineTable)
	}
	return rows, lines
}

func (st *stage) size() int64 {
	n := st.rows.Size()
	if st.lines != nil {
		n += st.lines.Size()
	}
	return n
}

func (st *stage) reset() {
	st.part = st.part[:0]
	st.rows.Reset()
	if st.lines != nil {
		st.lines.Reset()
	}
}

// add takes the rows that fill appends to a stage, and the part of each.
func (h *shuffle) add(parts []int32, fill func(to *Rows)) error {
	if len(parts) == 0 {
		return nil
	}
	h.mu.Lock()
	st := h.filling
	switch {
	case st != nil:
	case len(h.free) > 0:
		st = h.free[len(h.free)-1]
		h.free = h.free[:len(h.free)-1]
	default:
		st = newStage(h.kind)
	}
	fill(&st.Rows)
	st.part = append(st.part, parts...)
	full := st.size() >= h.keep.stageBytes
	h.filling = st
	if full {
		h.filling = nil // whoever fills it packs it, while others fill the next
	}
	h.mu.Unlock()
	if !full {
		return nil
	}
	return h.flush(st)
}

// seal packs what waits. Rows may be added again afterwards.
func (h *shuffle) seal() error {
	h.mu.Lock()
	st := h.filling
	h.filling = nil
	h.mu.Unlock()
	var err error
	if st != nil {
		err = h.flush(st)
	}
	h.free = nil
	return err
}

// take adds the rows of another shuffle of the kind, which has been sealed.
func (h *shuffle) take(o *shuffle) {
	h.segments = append(h.segments, o.segments...)
	o.segments = nil
}

// empty tells whether a sealed shuffle has no rows.
func (h *shuffle) empty() bool { return len(h.segments) == 0 }

// forget lets go of rows that nobody reads again.
func (h *shuffle) forget() {
	for i := range h.segments {
		h.keep.held.Add(-int64(len(h.segments[i].data)))
	}
	h.segments = nil
}

func (h *shuffle) flush(st *stage) error {
	seg, err := h.keep.segment(st.packed, st.pack(h.kind, h.keep.parts))
	if err != nil {
		return err
	}
	h.mu.Lock()
	if h.counts == nil {
		h.counts = make([]int64, h.keep.parts)
	}
	for p := range h.counts {
		h.counts[p] += int64(st.start[p+1] - st.start[p])
	}
	st.reset()
	h.segments = append(h.segments, seg)
	h.free = append(h.free, st)
	h.mu.Unlock()
	return nil
}

// pack packs the stage's rows part by part into st.packed and gives where each
// part ends.
func (st *stage) pack(kind rowKind, parts int) []uint32 {
	st.sort(parts)
	st.rows.Scan()
	if st.lines != nil {
		st.lines.Scan()
		st.firstLine = lineStarts(st.firstLine, st.lineCounts(kind))
	}
	ends := make([]uint32, parts)
	st.packed = st.packed[:0]
	for p := range parts {
		if rows := st.spread.rows[st.start[p]:st.start[p+1]]; len(rows) > 0 {
			st.packed = st.rows.Pack(st.packed, rows)
			if st.lines != nil {
				st.lineRows = linesOf(st.lineRows[:0], rows, st.firstLine)
				st.packed = st.lines.Pack(st.packed, st.lineRows)
			}
		}
		ends[p] = uint32(len(st.packed))
	}
	return ends
}

// rows appends the rows of a part to r.
func (h *shuffle) rows(p int, r *Rows) error {
	rows, lines := packersOf(r, h.kind)
	var buf []byte
	for i := range h.segments {
		packed, err := h.keep.part(&h.segments[i], p, &buf)
		for len(packed) > 0 && err == nil {
			if packed, err = rows.Unpack(packed); err == nil && lines != nil {
				packed, err = lines.Unpack(packed)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// each puts the rows of a part in r a segment at a time, and calls f with each.
func (h *shuffle) each(p int, r *Rows, f func()) error {
	rows, lines := packersOf(r, h.kind)
	var buf []byte
	for i := range h.segments {
		packed, err := h.keep.part(&h.segments[i], p, &buf)
		for len(packed) > 0 && err == nil {
			rows.Reset()
			lines.Reset()
			if packed, err = rows.Unpack(packed); err == nil {
				packed, err = lines.Unpack(packed)
			}
			if err == nil {
				f()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A segment is the packed rows of one stage, part by part.
type segment struct {
	data   []byte   // nil if it is on disk
	ends   []uint32 // by part
	blocks spill.Blocks
}

// size is the length of a part's packed rows.
func (s *segment) size(p int) int {
	if s.data == nil {
		return s.blocks.Len(p)
	}
	from := uint32(0)
	if p > 0 {
		from = s.ends[p-1]
	}
	return int(s.ends[p] - from)
}

// A keeper keeps the segments of a store: in memory up to the budget, on disk
// beyond it.
type keeper struct {
	parts      int
	stageBytes int64 // a stage of so many bytes is packed
	budget     int64 // 0 is without bound
	dir        string

	held atomic.Int64 // bytes in memory
	mu   sync.Mutex   // guards what follows
	file *spill.File  // nil until something is spilled
}

// The size of a stage: some rows of every part, so that what is said once for a
// part's rows is a small share of them, yet no more than a processor's cache holds.
const (
	stagePerPart  = 32 << 10
	leastStage    = 256 << 10
	largestStage  = 8 << 20
	stagesAtOnce  = 8 // of several kinds, being filled and being packed
	stagesOfWhole = 4 // stages take at most this part of the budget
)

func newKeeper(opt StoreOptions) *keeper {
	k := &keeper{parts: opt.Layout.Partitions, budget: opt.Budget, dir: opt.SpillDir}
	k.stageBytes = int64(min(max(opt.Layout.Partitions*stagePerPart, leastStage), largestStage))
	if k.budget > 0 {
		k.stageBytes = min(k.stageBytes, max(k.budget/stagesOfWhole/stagesAtOnce, leastStage))
	}
	return k
}

// segment keeps packed rows; it borrows packed and owns ends.
func (k *keeper) segment(packed []byte, ends []uint32) (segment, error) {
	n := int64(len(packed))
	if held := k.held.Add(n); k.budget <= 0 || held <= k.budget {
		return segment{data: slices.Clone(packed), ends: ends}, nil
	}
	k.held.Add(-n)
	file, err := k.spilled()
	if err != nil {
		return segment{}, err
	}
	blocks, err := file.Put(packed, ends)
	return segment{blocks: blocks}, err
}

func (k *keeper) spilled() (*spill.File, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		file, err := spill.Create(k.dir)
		if err != nil {
			return nil, err
		}
		k.file = file
	}
	return k.file, nil
}

// part is the packed rows of a part in a segment, valid until the next call with
// the buffer.
func (k *keeper) part(seg *segment, p int, buf *[]byte) ([]byte, error) {
	if seg.data == nil {
		if seg.blocks.Len(p) == 0 {
			return nil, nil
		}
		data, err := k.file.Get((*buf)[:0], &seg.blocks, p)
		*buf = data
		return data, err
	}
	from := uint32(0)
	if p > 0 {
		from = seg.ends[p-1]
	}
	return seg.data[from:seg.ends[p]], nil
}

func (k *keeper) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return nil
	}
	err := k.file.Close()
	k.file = nil
	return err
}
