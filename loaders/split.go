package loaders

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/bits"

	"duizhang/engine/schema"
	"duizhang/rules"
)

const utf8BOM = "\ufeff"

// A splitter cuts chunks into records and records into cells. It belongs to one
// worker and reuses its memory: nothing is allocated for a row.
type splitter struct {
	t     *tableRun
	p     rowParser
	marks quoteMarker // p, if it wants to know
	rep   repeater    // p, if it knows

	// prefix are the bytes of the row before, from its beginning, that the next may
	// repeat, with the delimiter behind them: its first so many cells. Empty for none.
	prefix      []byte
	prefixCells int

	cells   [][]byte // reused
	scratch []byte   // reused; unescaped cells
	rows    int64
	padded  int64
}

// A quoteMarker is a parser of a format whose records are lines. literal is
// called before row where the line's quotes were read as plain characters, because
// they do not add up.
type quoteMarker interface{ literal() }

// A repeater is a parser whose rows often begin as the one before them: the goods
// lines of one order.
type repeater interface {
	// repeats says how many cells of the row read last, and how many bytes, the next
	// one may repeat; 0 for none.
	repeats() (cells, bytes int)
	// again is called before row for a row that does.
	again()
}

// A chunkMarker is a parser that is told at the start of every chunk whether all
// of its bytes decode.
type chunkMarker interface{ chunk(valid bool) }

func (s *splitter) start(t *tableRun, p rowParser, data []byte) {
	s.t, s.p = t, p
	s.marks, _ = p.(quoteMarker)
	s.rep = nil
	if !t.dropFirst {
		s.rep, _ = p.(repeater)
	}
	s.prefix = nil
	s.rows, s.padded = 0, 0
	if m, ok := p.(chunkMarker); ok {
		m.chunk(t.valid(data))
	}
}

// end hands the counts over.
func (s *splitter) end() {
	s.t.mu.Lock()
	s.t.rows += s.rows
	s.t.mu.Unlock()
	s.t.file.rows.Add(s.rows)
	s.t.repair("excel_padding", s.padded)
	s.t, s.p, s.marks, s.rep, s.prefix = nil, nil, nil, nil, nil
}

// lines reads a chunk of a format in which one line is one record.
func (s *splitter) lines(ctx context.Context, data []byte, line int32) error {
	quoted := bytes.IndexByte(data, '"') >= 0
	for ; len(data) > 0; line++ {
		raw := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			raw, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		if n := len(raw); n > 0 && raw[n-1] == '\r' {
			raw = raw[:n-1]
		}
		if len(raw) > maxLine {
			s.t.overlong(line, raw)
			continue
		}
		if quoted && bytes.IndexByte(raw, '"') >= 0 {
			if !s.splitQuoted(raw) {
				s.splitPlain(raw)
				if s.marks != nil {
					s.marks.literal()
				}
			}
		} else if len(s.prefix) > 0 && bytes.HasPrefix(raw, s.prefix) {
			s.splitRest(raw)
			s.rep.again()
		} else {
			s.splitPlain(raw)
		}
		read := s.row(line, raw)
		if s.prefix = nil; read && s.rep != nil {
			n := 0
			s.prefixCells, n = s.rep.repeats()
			s.prefix = raw[:n]
		}
		if s.p.rows() >= batchRows {
			if err := s.p.flush(ctx); err != nil {
				return err
			}
			s.prefix = nil
		}
	}
	return nil
}

// splitRest is splitPlain of a line that begins with the prefix, whose cells are
// where they were in the line before.
func (s *splitter) splitRest(raw []byte) {
	cells := s.cells[:s.prefixCells]
	for i, cell := range cells {
		at := cap(s.prefix) - cap(cell)
		cells[i] = raw[at : at+len(cell)]
	}
	s.cells = splitPlain(cells, raw[len(s.prefix):], s.t.comma)
}

// records reads a chunk of a format in which a quoted cell may span lines.
func (s *splitter) records(ctx context.Context, data []byte, line int32) error {
	for len(data) > 0 {
		// Most records are lines without a quote: those before the next quote.
		quote := bytes.IndexByte(data, '"')
		if quote < 0 {
			return s.lines(ctx, data, line)
		}
		if plain := bytes.LastIndexByte(data[:quote], '\n') + 1; plain > 0 {
			if err := s.lines(ctx, data[:plain], line); err != nil {
				return err
			}
			line += int32(bytes.Count(data[:plain], []byte{'\n'}))
			data = data[plain:]
		}
		end, closed := recordEnd(data, s.t.comma)
		raw := data[:end]
		data = data[end:]
		lines, fault := int32(1), say(s.t.opt.Lang, "引号没有闭合", "a quote that is not closed")
		if closed {
			lines, fault = int32(bytes.Count(raw, []byte{'\n'})), say(s.t.opt.Lang, "引号之后还有文字", "text after a closing quote")
		}
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte{'\n'}), []byte{'\r'})
		switch {
		case len(raw) > maxLine:
			s.t.overlong(line, raw)
		case !closed || !s.splitQuoted(raw):
			s.rows++
			s.t.reject(schema.Reject{
				Line: line, Code: rules.CodeColumnCount, Amount: schema.Null, Raw: s.t.text(shortRaw(s.t.shownFault(raw))),
				Detail: fault,
			})
		default:
			s.row(line, raw)
			s.prefix = nil
		}
		line += lines
		if s.p.rows() >= batchRows {
			if err := s.p.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// row hands the cells to the parser, unless there is nothing in them, and tells so. The empty
// first cell that the header has too goes. Empty cells beyond the header go in the
// formats in which a comma cannot be part of a text that is not quoted.
func (s *splitter) row(line int32, raw []byte) (read bool) {
	t, cells := s.t, s.cells
	if isBlank(cells[0]) {
		if allBlank(cells) {
			return false // a blank line, or one of commas alone
		}
		if t.dropFirst && (len(cells) > t.columns || len(cells) > 1 && t.comment(cells[1])) {
			cells = cells[1:]
		}
	}
	if extra := len(cells) - t.columns; extra > 0 && t.multiline && allBlank(cells[t.columns:]) {
		if extra > t.padding {
			s.padded++
		}
		cells = cells[:t.columns]
	}
	s.rows++
	s.p.row(line, cells, raw)
	return true
}

// comment tells whether a first cell begins one of the # lines around the list
// of a bill.
func (t *tableReader) comment(cell []byte) bool {
	return !t.multiline && len(cell) > 0 && cell[0] == '#'
}

// splitPlain splits a line without quotes, or with quotes that are plain
// characters.
func (s *splitter) splitPlain(raw []byte) { s.cells = splitPlain(s.cells[:0], raw, s.t.comma) }

// splitPlain appends the cells of a line. It looks at eight bytes at once: the
// cells of a bill are short, and a call for each costs more than the search
// (bytes.IndexByte takes half as long again for a whole bill).
func splitPlain(cells [][]byte, raw []byte, comma byte) [][]byte {
	const low7 = 0x7F7F7F7F7F7F7F7F
	pattern := uint64(comma) * 0x0101010101010101
	start, i := 0, 0
	for ; i+8 <= len(raw); i += 8 {
		x := binary.LittleEndian.Uint64(raw[i:]) ^ pattern
		// The high bit of every byte that is 0, and of no other.
		for found := ^((x&low7 + low7) | x | low7); found != 0; found &= found - 1 {
			at := i + bits.TrailingZeros64(found)>>3
			cells = append(cells, raw[start:at])
			start = at + 1
		}
	}
	for ; i < len(raw); i++ {
		if raw[i] == comma {
			cells = append(cells, raw[start:i])
			start = i + 1
		}
	}
	return append(cells, raw[start:])
}

// splitQuoted splits a record with quotes. A quote opens a cell only as its first
// character; ok is false if it is not closed, or text follows the closing one.
func (s *splitter) splitQuoted(raw []byte) (ok bool) {
	s.cells, s.scratch, ok = splitQuoted(s.cells[:0], s.scratch[:0], raw, s.t.comma)
	return ok
}

// splitQuoted appends the cells of a record. Cells with doubled quotes are put
// right in scratch, which is given back grown.
func splitQuoted(cells [][]byte, scratch, raw []byte, comma byte) (_ [][]byte, _ []byte, ok bool) {
	if cap(scratch) < len(raw) { // never moved while cells point into it
		scratch = make([]byte, 0, 2*len(raw))
	}
	for {
		if len(raw) == 0 || raw[0] != '"' {
			i := bytes.IndexByte(raw, comma)
			if i < 0 {
				return append(cells, raw), scratch, true
			}
			cells = append(cells, raw[:i])
			raw = raw[i+1:]
			continue
		}
		n, doubled := quotedLen(raw)
		if n < 0 {
			return cells, scratch, false
		}
		cell := raw[1 : n-1]
		if doubled {
			at := len(scratch)
			for i := 0; i < len(cell); i++ {
				scratch = append(scratch, cell[i])
				if cell[i] == '"' {
					i++
				}
			}
			cell = scratch[at:]
		}
		cells = append(cells, cell)
		raw = raw[n:]
		for len(raw) > 0 && raw[0] != comma {
			if raw[0] != ' ' && raw[0] != '\t' {
				return cells, scratch, false
			}
			raw = raw[1:]
		}
		if len(raw) == 0 {
			return cells, scratch, true
		}
		raw = raw[1:]
	}
}

// quotedLen is the length of the quoted cell at the start of raw, with both
// quotes; -1 if it is not closed.
func quotedLen(raw []byte) (n int, doubled bool) {
	n = 1
	for {
		i := bytes.IndexByte(raw[n:], '"')
		if i < 0 {
			return -1, false
		}
		n += i + 1
		if n == len(raw) || raw[n] != '"' {
			return n, doubled
		}
		n++
		doubled = true
	}
}

// How the search for a closing quote ended.
const (
	quoteClosed   = iota
	quoteOpen     // more bytes are needed
	quoteUnclosed // not closed within the limits
)

// closeQuote finds the end of the quoted cell that opens at data[at], in a record
// that begins at data[start].
func closeQuote(data []byte, start, at int) (end, state int) {
	limit := min(len(data), start+maxLine)
	lines := 0
	if at >= limit {
		return 0, quoteUnclosed
	}
	for i := at + 1; ; {
		k := bytes.IndexByte(data[i:limit], '"')
		part := data[i:limit]
		if k >= 0 {
			part = data[i : i+k]
		}
		if lines += bytes.Count(part, []byte{'\n'}); lines >= maxLines {
			return 0, quoteUnclosed
		}
		switch {
		case k < 0 && limit < len(data):
			return 0, quoteUnclosed
		case k < 0:
			return 0, quoteOpen
		}
		i += k + 1
		switch {
		case i == len(data): // a doubled quote may follow
			return i, quoteOpen
		case data[i] != '"':
			return i, quoteClosed
		}
		if i++; i > limit {
			return 0, quoteUnclosed
		}
	}
}

// lastRecordEnd is the end of the last whole record of data, which begins with a
// record and has more after it; 0 if no record is whole.
func lastRecordEnd(data []byte, comma byte) int {
	record, pos := 0, 0
	for {
		k := bytes.IndexByte(data[pos:], '"')
		if k < 0 {
			if nl := bytes.LastIndexByte(data[pos:], '\n'); nl >= 0 {
				return pos + nl + 1
			}
			return record
		}
		k += pos
		if nl := bytes.LastIndexByte(data[pos:k], '\n'); nl >= 0 {
			record = pos + nl + 1
		}
		if k > record && data[k-1] != comma {
			pos = k + 1
			continue
		}
		end, state := closeQuote(data, record, k)
		switch state {
		case quoteClosed:
			pos = end
		case quoteOpen:
			return record
		case quoteUnclosed:
			// The first line of the record is a reject; the next begins a new one.
			nl := bytes.IndexByte(data[record:], '\n')
			if nl < 0 {
				return record
			}
			record += nl + 1
			pos = record
		}
	}
}

// recordEnd is the end of the first record of data, its line end included. A
// record whose quote is not closed is its first line, and closed is false.
func recordEnd(data []byte, comma byte) (end int, closed bool) {
	pos := 0
	for {
		nl := bytes.IndexByte(data[pos:], '\n')
		if nl < 0 {
			nl = len(data) - pos
		} else {
			nl++
		}
		line := data[pos : pos+nl]
		k := bytes.IndexByte(line, '"')
		for k >= 0 && pos+k > 0 && data[pos+k-1] != comma {
			next := bytes.IndexByte(line[k+1:], '"')
			if next < 0 {
				k = -1
				break
			}
			k += 1 + next
		}
		if k < 0 {
			return pos + nl, true
		}
		at, state := closeQuote(data, 0, pos+k)
		if state == quoteUnclosed || state == quoteOpen && at != len(data) {
			first := bytes.IndexByte(data, '\n') + 1
			if first == 0 {
				first = len(data)
			}
			return first, false
		}
		if pos = at; pos == len(data) {
			return pos, true
		}
	}
}

func isBlank(cell []byte) bool {
	for _, c := range cell {
		if c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}

func allBlank(cells [][]byte) bool {
	for _, cell := range cells {
		if !isBlank(cell) {
			return false
		}
	}
	return true
}
