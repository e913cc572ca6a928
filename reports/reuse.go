package reports

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
)

// noPart has the columns of a part, and no row.
var noPart engine.Part

// ErrKept says that what an earlier run kept cannot be used: it is missing, it is not
// what was kept, or it does not fit this run. The run goes on without it, from the
// beginning.
var ErrKept = errors.New("kept parts cannot be used")

func keptError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKept, fmt.Sprintf(format, args...))
}

// A Source is where an earlier run's kept things are. It is safe for concurrent use.
type Source interface {
	// Section is what the earlier run gave its [Keeper]. It is borrowed: it is not
	// changed, and not used after Reuse has returned.
	Section(part int, name string) ([]byte, error)
	// Path is where a file of the earlier run's output folder is now; the names are
	// those of [KeptOutputs.Files]. Its files may be linked: nobody writes them in place.
	Path(name string) string
}

// Earlier is a run of the same day whose parts can be used again. The words of its
// rows have the same codes in this run.
type Earlier struct {
	Outputs *KeptOutputs
	Source  Source
	Tables  []int32 // numbers in this run of its input tables; -1 for one that is gone
}

// earlier is the run that a Writer takes parts from.
type earlier struct {
	Earlier
	same bool // its tables have their numbers in this run too
	csv  []*os.File

	probe sync.Once
	mode  fs.FileMode // of a new file
}

// CanReuse reports whether parts of an earlier run can be used in this one: in
// output.sort all rows are in one order, and no part has a place of its own.
func (w *Writer) CanReuse() bool { return !w.opts.Sort }

// From names the run whose parts [Writer.Reuse] takes. After an error, which is
// ErrKept, w is as it was and can do without.
func (w *Writer) From(e Earlier) error {
	switch {
	case e.Outputs == nil || e.Source == nil:
		return keptError("nothing is kept")
	case !w.CanReuse():
		return keptError("the outputs are sorted")
	case w.earlier != nil:
		return keptError("parts of two runs")
	case len(e.Tables) != len(e.Outputs.Inputs):
		return keptError("%d input tables, not %d", len(e.Outputs.Inputs), len(e.Tables))
	case e.Outputs.Options != w.keptOptions():
		return keptError("written with other options, or by another version")
	}
	from := &earlier{Earlier: e, same: true}
	for number, now := range e.Tables {
		from.same = from.same && int(now) == number
		if now < 0 {
			continue
		}
		if int(now) >= len(w.opts.Tables) || xxh3.HashString(w.opts.Tables[now].File()) != e.Outputs.Inputs[number] {
			return keptError("input table %d is not table %d of the earlier run", now, number)
		}
	}
	if w.parts > 0 {
		if err := from.begin(w.parts); err != nil {
			return err
		}
	}
	if err := from.open(w); err != nil {
		from.close()
		return err
	}
	w.earlier = from
	return nil
}

// begin compares the numbers of parts.
func (e *earlier) begin(parts int) error {
	if e.Outputs.Parts != parts {
		return keptError("%d parts, not %d", e.Outputs.Parts, parts)
	}
	return nil
}

// open opens the CSV tables, and looks whether what is known of the files is whole.
func (e *earlier) open(w *Writer) error {
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	o := e.Outputs
	tables := w.opts.Results.tablesOf(nil, &noPart)
	if len(o.Tables) != len(tables) {
		return keptError("%d tables, not %d", len(o.Tables), len(tables))
	}
	for i := range o.Tables {
		t := &o.Tables[i]
		if t.Name != tables[i].name || (t.CSV != nil) != w.opts.Formats.CSV || w.opts.Formats.Parquet && len(t.Parquet) != o.Parts {
			return keptError("the files of %s are not known", tables[i].name)
		}
		if t.CSV == nil {
			continue
		}
		f, err := e.table(t, o.Parts, enc.csv.header(nil, &tables[i]))
		if err != nil {
			return keptError("%s.csv: %v", t.Name, err)
		}
		e.csv = append(e.csv, f)
	}
	return nil
}

// table opens a CSV table of so many parts with this header.
func (e *earlier) table(t *KeptTable, parts int, header []byte) (*os.File, error) {
	c := t.CSV
	if len(c.Ends) != parts || len(c.Sums) != parts {
		return nil, fmt.Errorf("%d parts, not %d", len(c.Ends), parts)
	}
	last := c.Header
	for _, end := range c.Ends {
		if end < last {
			return nil, errors.New("its parts are in disorder")
		}
		last = end
	}
	f, err := os.Open(e.Source.Path(t.Name + ".csv"))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != last {
		err = fmt.Errorf("%d bytes, not %d", info.Size(), last)
	}
	if err == nil {
		found := make([]byte, min(c.Header, int64(len(header))))
		if _, err = f.ReadAt(found, 0); err == nil && (c.Header != int64(len(header)) || !bytes.Equal(found, header)) {
			err = errors.New("its columns are others")
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (e *earlier) close() {
	if e == nil {
		return
	}
	for _, f := range e.csv {
		_ = f.Close()
	}
	e.csv = nil
}

// number is a table's number in this run. -1 is no table.
func (e *earlier) number(table int32) (int32, error) {
	switch {
	case table == -1:
		return -1, nil
	case table < 0 || int(table) >= len(e.Tables) || e.Tables[table] < 0:
		return 0, fmt.Errorf("rows of table %d, which is gone", table)
	}
	return e.Tables[table], nil
}

// Reuse takes a part from the earlier run: what it writes and gathers is what Part
// would with the rows that the part had there. It is safe for concurrent use, and with
// Part. What is kept for later runs is kept of it too.
func (w *Writer) Reuse(ctx context.Context, part int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := w.earlier
	switch {
	case e == nil:
		return keptError("part %d: there is no earlier run", part)
	case part < 0 || part >= w.parts:
		return keptError("part %d of %d", part, w.parts)
	}
	// First whatever may turn out not to be what was kept.
	rows, err := w.keptRows(part)
	if err != nil {
		return err
	}
	claims, err := w.keptClaims(part)
	if err != nil {
		return err
	}
	var c *chunk
	if w.opts.Formats.CSV {
		c = w.order.take(part)
		for i := range e.csv {
			if err := e.rows(c, i); err != nil {
				return keptError("part %d: %s.csv: %v", part, e.Outputs.Tables[i].Name, err)
			}
		}
	}
	if w.opts.Formats.Parquet {
		for i := range e.Outputs.Tables {
			if err := w.keptFile(i, part); err != nil {
				return err
			}
		}
	}
	for i := range rows {
		if err := w.book.rows.all()[i].put(w, part, &rows[i]); err != nil {
			return fmt.Errorf("output %s: %w", workbookName, err)
		}
	}
	if err := w.spillClaims(part, claims); err != nil {
		return err
	}
	if c == nil {
		return nil
	}
	return w.order.put(c)
}

// section is a section of a part of the earlier run.
func (w *Writer) section(part int, name string) ([]byte, error) {
	b, err := w.earlier.Source.Section(part, name)
	if err == nil {
		b, err = unsealed(b)
	}
	if err != nil {
		return nil, keptError("part %d: section %s: %v", part, name, err)
	}
	return b, nil
}

// keptRows are the part's rows in the lists of the workbook.
func (w *Writer) keptRows(part int) ([]gatheredPart, error) {
	if w.book == nil {
		return nil, nil
	}
	b, err := w.section(part, bookSection)
	if err != nil {
		return nil, err
	}
	r := &keptReader{data: b}
	var parts []gatheredPart
	var kept []byte
	for _, g := range w.book.rows.all() {
		p := g.readPart(r)
		if r.err == nil && !w.earlier.same {
			p.encoded, r.err = w.earlier.renumberRows(p.encoded, g.shape)
		}
		parts = append(parts, p)
		if w.keep != nil {
			kept = g.appendPart(kept, &p)
		}
	}
	if !r.end() {
		r.fail()
	}
	if r.err != nil {
		return nil, keptError("part %d: section %s: %v", part, bookSection, r.err)
	}
	if w.keep != nil {
		return parts, w.keep.keeper.Keep(part, bookSection, sealed(kept))
	}
	return parts, nil
}

// renumberRows gives rows of a shape the numbers that their tables have in this run.
func (e *earlier) renumberRows(encoded []byte, shape []column) ([]byte, error) {
	encoded = bytes.Clone(encoded)
	for r := (&keptReader{data: encoded}); ; {
		if r.end() {
			return encoded, r.err
		}
		for k := range shape {
			switch c := &shape[k]; {
			case c.Text != nil:
				r.bytes()
			case c.Type == schema.WordType:
				r.raw(4)
			case c.Type == schema.EnumType, c.Type == schema.BoolType:
				r.raw(1)
			case c.Type == schema.SourceType:
				at := r.raw(8)
				if r.err != nil {
					return nil, r.err
				}
				table, err := e.number(int32(binary.LittleEndian.Uint32(at)))
				if err != nil {
					return nil, err
				}
				binary.LittleEndian.PutUint32(at, uint32(table))
			default:
				r.raw(8)
			}
		}
	}
}

// keptClaims are the part's rows of claim packs.
func (w *Writer) keptClaims(part int) (map[packKey][]byte, error) {
	if w.opts.Claims.Lines == nil {
		return nil, nil
	}
	b, err := w.section(part, claimsSection)
	if err != nil {
		return nil, err
	}
	texts := map[packKey][]byte{}
	r := &keptReader{data: b}
	for !r.end() {
		key := packKey{uint32(r.uvarint()), uint32(r.uvarint())}
		rows := r.bytes()
		if r.err == nil && !w.earlier.same {
			rows, r.err = w.earlier.renumberClaims(rows)
		}
		texts[key] = rows
	}
	if r.err != nil {
		return nil, keptError("part %d: section %s: %v", part, claimsSection, r.err)
	}
	if w.keep != nil {
		return texts, w.keep.keeper.Keep(part, claimsSection, appendClaims(nil, texts))
	}
	return texts, nil
}

// renumberClaims gives the evidence of rows, as appendClaim writes them, the numbers
// that their tables have in this run.
func (e *earlier) renumberClaims(rows []byte) ([]byte, error) {
	r := &keptReader{data: rows}
	skip := func(numbers int) {
		for range numbers {
			r.uvarint()
		}
	}
	var dst []byte
	from := 0 // what has not been copied yet
	for !r.end() {
		skip(4) // merchant, product, PID, store
		r.bytes()
		r.bytes()
		r.raw(1) // cause
		skip(5)  // basis, expected, stated, time, agreement
		for n := r.uvarint(); n > 0 && r.err == nil; n-- {
			r.raw(1) // role
			dst = append(dst, rows[from:r.at]...)
			table, err := e.number(int32(r.uvarint()))
			if err != nil {
				return nil, err
			}
			dst = binary.AppendUvarint(dst, uint64(table))
			from = r.at
			skip(1) // line
			r.bytes()
			r.bytes()
			r.bytes()
			skip(7) // time and amounts
			skip(2) // provider, period
		}
	}
	return append(dst, rows[from:]...), r.err
}

// rows reads a chunk's rows of a table.
func (e *earlier) rows(c *chunk, table int) error {
	t := e.Outputs.Tables[table].CSV
	from := t.Header
	if c.number > 0 {
		from = t.Ends[c.number-1]
	}
	b := grow(c.bytes[table], int(t.Ends[c.number]-from))
	c.bytes[table], c.sums[table] = b, t.Sums[c.number]
	if _, err := e.csv[table].ReadAt(b, from); err != nil {
		return err
	}
	if xxh3.Hash(b) != c.sums[table] {
		return errors.New("its checksum is another")
	}
	return nil
}

// keptFile puts a Parquet file of the part in its place: another name of the kept
// file, or a copy of it where that cannot be. Nothing writes into a file of an output
// folder afterwards, so that two folders can share it.
func (w *Writer) keptFile(table, part int) error {
	e := w.earlier
	t := &e.Outputs.Tables[table]
	kept := t.Parquet[part]
	if w.keep != nil {
		*w.keep.file(table, part) = kept
	}
	if kept.Size == 0 && part > 0 {
		return nil // the part has no rows
	}
	name := partName(t.Name, part)
	from := e.Source.Path(filepath.ToSlash(name))
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	const size = 1 << 17
	enc.copied = grow(enc.copied, size)
	if info, err := os.Lstat(from); err == nil && info.Mode() == w.newMode() {
		if err := kept.copy(io.Discard, from, enc.copied); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if fsys.Link(from, w.path(name)) == nil {
			return nil
		}
	}
	return w.fill(name, func(f *fsys.File) error { return kept.copy(f, from, enc.copied) })
}

// copy copies the file if it is what was kept, through buf.
func (k *KeptFile) copy(to io.Writer, from string, buf []byte) error {
	f, err := os.Open(from)
	if err != nil {
		return keptError("%v", err)
	}
	defer func() { _ = f.Close() }()
	s := summer{out: to}
	for {
		n, reading := f.Read(buf)
		if _, err := s.Write(buf[:n]); err != nil {
			return err
		}
		switch {
		case errors.Is(reading, io.EOF) && s.size == k.Size && s.hash.Sum64() == k.Sum:
			return nil
		case errors.Is(reading, io.EOF):
			return keptError("%s: it is not what was kept", from)
		case reading != nil:
			return keptError("%v", reading)
		}
	}
}

// newMode is the mode that a new file gets here, which the options and the process
// decide; that of no file if it cannot be told.
func (w *Writer) newMode() fs.FileMode {
	e := w.earlier
	e.probe.Do(func() {
		e.mode = fs.ModeIrregular
		dir, err := w.tempDir()
		if err != nil {
			return
		}
		path := filepath.Join(dir, "mode")
		f, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, w.opts.Mode)
		if err != nil {
			return
		}
		if info, err := f.Stat(); err == nil {
			e.mode = info.Mode()
		}
		_ = f.Close()
		_ = fsys.Remove(path)
	})
	return e.mode
}
