package loaders

import (
	"bytes"
	"context"
	"slices"

	"duizhang/engine/schema"
)

// What a row says of a person (receiver, address, telephone) is never loaded and
// never shown (rules 10): where a row is shown, for a reject, by inspect or by
// explain, its private cells are shown as privateCell.

const privateCell = "***"

// hide makes the columns of these names private.
func (t *tableReader) hide(header, names []string) {
	t.private = make([]bool, len(header))
	for i, cell := range header {
		t.private[i] = slices.Contains(names, headerName(cell))
	}
}

// isPrivate tells whether a cell is personal. In a row that is wider than the
// header nobody knows which cells are: all of them may be.
func (t *tableReader) isPrivate(cell int) bool {
	return t.private != nil && (cell >= len(t.private) || t.private[cell])
}

// shownCells is a row as it may be shown, in the table's charset. A row that is
// not as wide as the header has shifted: its first cell alone is shown.
func (t *tableReader) shownCells(cells [][]byte) []byte {
	shifted := len(cells) > len(t.private)
	var out []byte
	for i, cell := range cells {
		if i > 0 {
			out = append(out, t.comma)
		}
		switch {
		case len(trimCell(cell)) == 0:
		case shifted && i > 0, t.isPrivate(i):
			out = append(out, privateCell...)
		case bytes.IndexByte(cell, t.comma) >= 0 || bytes.IndexByte(cell, '"') >= 0 || bytes.IndexByte(cell, '\n') >= 0:
			out = append(out, '"')
			out = append(out, bytes.ReplaceAll(cell, []byte(`"`), []byte(`""`))...)
			out = append(out, '"')
		default:
			out = append(out, cell...)
		}
	}
	return out
}

// shownRecord is shownCells for a record that is not split yet. One whose quotes
// do not add up is not shown.
func (t *tableReader) shownRecord(raw []byte) []byte {
	cells, _, ok := splitQuoted(nil, nil, raw, t.comma)
	if !ok {
		return []byte(privateCell)
	}
	if t.dropFirst && len(cells) > len(t.private) && isBlank(cells[0]) {
		cells = cells[1:]
	}
	return t.shownCells(cells)
}

// shownFault is a row that could not be cut into cells, as it may be shown.
func (t *tableReader) shownFault(raw []byte) []byte {
	if t.private != nil {
		return []byte(privateCell)
	}
	return raw
}

// keepFirstRecords is keepFirstRows of a table with private cells.
func (t *tableRun) keepFirstRecords(data []byte) {
	for t.formatName == "pos_api" && len(t.firstRows) < cap(t.firstRows) && len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) > 0 {
			t.firstRows = append(t.firstRows, shownMessage(t.text(line)))
		}
		data = rest
	}
	for len(t.firstRows) < cap(t.firstRows) && len(data) > 0 {
		end, closed := recordEnd(data, t.comma)
		raw := bytes.TrimRight(data[:end], "\r\n")
		data = data[end:]
		switch {
		case len(raw) == 0:
		case closed:
			t.firstRows = append(t.firstRows, t.text(shortRaw(t.shownRecord(raw))))
		default:
			t.firstRows = append(t.firstRows, privateCell)
		}
	}
}

// ShownLines are lines of a table as they may be shown: RawLines, but for the
// tables with personal data, whose rows are given without it.
func ShownLines(ctx context.Context, path string, t *schema.Table, lines []int32) (map[int32]string, error) {
	if !isPersonal(t.Kind) {
		return RawLines(ctx, path, t.Member, lines)
	}
	r := newRun([]Input{{Kind: t.Kind, Path: path, Name: t.Path}}, Options{}, nil)
	defer r.closeBooks()
	if err := r.list(ctx); err != nil {
		return nil, err
	}
	shown := &shownLines{want: make(map[int32]bool, len(lines)), found: make(map[int32]string, len(lines))}
	for _, line := range lines {
		shown.want[line] = true
	}
	for _, table := range r.tables {
		if table.table.Member != t.Member || table.table.Refused {
			continue
		}
		if r.probeTable(table); !table.readable() {
			continue
		}
		shown.t = table.tableReader
		table.newParser, table.finish = func() rowParser { return shown }, nil
		if err := r.readSerially(ctx, table); err != nil {
			return nil, err
		}
	}
	return shown.found, nil
}

// isPersonal tells the kinds whose rows have personal data.
func isPersonal(kind schema.InputKind) bool {
	return kind == schema.TaobaoOrders || kind == schema.KukeduoOrders || kind == schema.PosAPI
}

// shownLines is the parser that keeps the lines that are wanted.
type shownLines struct {
	t     *tableReader
	want  map[int32]bool
	found map[int32]string
}

func (s *shownLines) row(line int32, cells [][]byte, raw []byte) {
	switch {
	case !s.want[line]:
	case s.t.formatName == "pos_api":
		s.found[line] = shownMessage(s.t.text(raw))
	default:
		s.found[line] = s.t.text(shortRaw(s.t.shownCells(cells)))
	}
}

func (s *shownLines) flush(ctx context.Context) error { return ctx.Err() }

func (s *shownLines) rows() int { return 0 }
