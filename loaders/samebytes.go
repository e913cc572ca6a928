package loaders

// sameBytes tells whether a row says of its order, byte for byte, what the row
// before it said. It looks at the cells of the order's columns as they stand in
// the file, in as few pieces as the header allows: one, where goods come last.
type sameBytes struct {
	pieces []cellRange
	bytes  []byte // of the row remembered, piece by piece
	ends   []int  // of the pieces in bytes
	known  bool   // a row is remembered
}

// A cellRange is a run of cells, both ends included.
type cellRange struct{ from, to int }

// newSameBytes looks at the columns before firstGoods. In a workbook it never
// finds two rows the same: there the bytes of a cell are not all of it.
func newSameBytes(t *tableReader, c *canonicalHeader, firstGoods int) sameBytes {
	var s sameBytes
	if t.isXLSX {
		return s
	}
	for i, column := range c.column {
		last := len(s.pieces) - 1
		switch {
		case column < 0 || column >= firstGoods:
		case last >= 0 && s.pieces[last].to == i-1:
			s.pieces[last].to = i
		default:
			s.pieces = append(s.pieces, cellRange{i, i})
		}
	}
	s.ends = make([]int, len(s.pieces))
	return s
}

// same tells whether the row equals the one remembered.
func (s *sameBytes) same(cells [][]byte, raw []byte) bool {
	if !s.known {
		return false
	}
	start := 0
	for i, piece := range s.pieces {
		part, ok := cellBytes(raw, cells, piece)
		if !ok || string(part) != string(s.bytes[start:s.ends[i]]) {
			return false
		}
		start = s.ends[i]
	}
	return true
}

// remember keeps a row to compare the next ones with.
func (s *sameBytes) remember(cells [][]byte, raw []byte) {
	s.bytes = s.bytes[:0]
	s.known = len(s.pieces) > 0
	for i, piece := range s.pieces {
		part, ok := cellBytes(raw, cells, piece)
		if !ok {
			s.known = false
			return
		}
		s.bytes = append(s.bytes, part...)
		s.ends[i] = len(s.bytes)
	}
}

func (s *sameBytes) forget() { s.known = false }

// front is how many cells and bytes the row remembered begins with, the delimiter
// behind them included; 0 where they are not in one piece from the first cell on.
func (s *sameBytes) front(comma byte) (cells, bytes int) {
	if !s.known || len(s.pieces) != 1 || s.pieces[0].from > 0 {
		return 0, 0
	}
	n := s.ends[0]
	if n == 0 || s.bytes[n-1] != comma { // a row may end before the header does
		return 0, 0
	}
	return s.pieces[0].to + 1, n
}

// cellBytes are the bytes of a row from one cell to another, with the delimiters
// and quotes between and around them, so that equal bytes are equal cells. ok is
// false where the cells were not cut from raw, as those with doubled quotes.
func cellBytes(raw []byte, cells [][]byte, r cellRange) (part []byte, ok bool) {
	if r.to >= len(cells) {
		return nil, false
	}
	start, end := 0, len(raw)
	if r.from > 0 {
		before := cells[r.from-1]
		if start, ok = offset(raw, before); !ok {
			return nil, false
		}
		start += len(before)
	}
	if r.to+1 < len(cells) {
		if end, ok = offset(raw, cells[r.to+1]); !ok {
			return nil, false
		}
	}
	if end-start < r.to-r.from {
		return nil, false
	}
	return raw[start:end], true
}

// offset is where in raw a cell stands that was cut from it.
func offset(raw, cell []byte) (at int, ok bool) {
	at = cap(raw) - cap(cell)
	if at < 0 || at+len(cell) > len(raw) {
		return 0, false
	}
	return at, cap(cell) == 0 || &raw[at : at+1][0] == &cell[:1][0]
}
