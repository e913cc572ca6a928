package reports

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine"
	"duizhang/engine/fsys"
)

// A Writer writes the outputs of one run into a folder. It is the engine's
// ResultSink. It starts no goroutines: each part is encoded by whoever brings
// it.
//
// After an error the folder holds parts of outputs; it is to be discarded.
type Writer struct {
	opts    Options
	lookup  *lookup
	order   *ordered
	temp    string // folder for temporary files, "" until there is one
	ownTemp bool

	mu       sync.Mutex
	encoders []*encoder // idle ones
	files    [maxTables]*fsys.File
	names    []string // of the tables of a part, in order
	parts    int
	sorted   *sorter // output.sort
	book     *book   // nil without a workbook
	spilled  claimSpill
	claimed  []ClaimInfo
	keep     *keeping // nil: nothing is kept
	earlier  *earlier // whose parts are used again; nil: none
}

var _ engine.ResultSink = (*Writer)(nil)

// An encoder is the scratch of one goroutine.
type encoder struct {
	csv     csvEncoder
	parquet parquetEncoder
	tables  []table // reused
	copied  []byte  // reused
}

// NewWriter gives a Writer into opts.Dir, which exists. Nothing is written
// before Begin.
func NewWriter(opts Options) *Writer {
	opts = opts.withDefaults()
	w := &Writer{opts: opts, lookup: newLookup(&opts)}
	w.order = newOrdered(opts.Memory, w.writeChunk, w.spillChunk)
	if opts.Formats.XLSX {
		w.book = newBook(&w.opts, w.lookup)
	}
	if opts.Keep != nil && !opts.Sort {
		w.keep = newKeeping(w)
	}
	return w
}

// Begin opens the tables, for so many parts.
func (w *Writer) Begin(parts int) error {
	w.parts = parts
	if w.earlier != nil {
		if err := w.earlier.begin(parts); err != nil {
			return err
		}
	}
	if w.keep != nil {
		w.keep.begin(parts, w.opts.Formats)
	}
	tables := w.opts.Results.tablesOf(nil, &engine.Part{})
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	for i := range tables {
		t := &tables[i]
		w.names = append(w.names, t.name)
		if w.opts.Formats.Parquet {
			if err := fsys.Mkdir(w.path(t.name+".parquet"), w.dirMode()); err != nil {
				return fmt.Errorf("output: %w", err)
			}
		}
		if w.opts.Formats.CSV {
			f, err := w.create(t.name + ".csv")
			if err != nil {
				return err
			}
			w.files[i] = f
			header := enc.csv.header(nil, t)
			if _, err := f.Write(header); err != nil {
				return fmt.Errorf("output: %w", err)
			}
			if w.keep != nil {
				w.keep.out.Tables[i].CSV.Header = int64(len(header))
			}
		}
	}
	if w.opts.Sort {
		w.sorted = newSorter(w, tables, parts)
	}
	if w.book != nil {
		w.book.rows = newBookRows(w.book, parts, w.keep.times())
	}
	return nil
}

// Part writes the rows of one part. It is safe for concurrent use; the part is
// borrowed.
func (w *Writer) Part(ctx context.Context, p *engine.Part) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.book != nil {
		if err := w.book.rows.add(w, p); err != nil {
			return err
		}
	}
	if err := w.claims(p); err != nil {
		return err
	}
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	enc.tables = w.opts.Results.tablesOf(enc.tables[:0], p)
	if w.sorted != nil {
		return w.sorted.add(p.Number, enc.tables)
	}
	for i := range enc.tables {
		if w.opts.Formats.Parquet {
			if err := w.veiledPart(enc, &enc.tables[i], p.Number, w.keep.file(i, p.Number)); err != nil {
				return err
			}
		}
	}
	if !w.opts.Formats.CSV {
		return nil
	}
	c := w.order.take(p.Number)
	for i := range enc.tables {
		c.bytes[i] = enc.csv.rows(c.bytes[i], &enc.tables[i])
		if w.keep != nil {
			c.sums[i] = xxh3.Hash(c.bytes[i])
		}
	}
	return w.order.put(c)
}

// Finish writes what the run as a whole comes to: the small tables, the summary,
// the workbook and the page. The parts have all come.
func (w *Writer) Finish(ctx context.Context, r *engine.Result, end Outcome) error {
	defer w.removeTemp()
	if err := w.closeParts(ctx); err != nil {
		return err
	}
	if w.book != nil {
		if err := w.book.rows.enough(); err != nil {
			return err
		}
	}
	for _, t := range w.wholeTables(r) {
		if err := w.writeWhole(ctx, &t, w.opts.Formats); err != nil {
			return err
		}
	}
	if err := w.claimPacks(ctx, r); err != nil {
		return err
	}
	if w.opts.Formats.XLSX {
		if err := w.workbook(ctx, r, end); err != nil {
			return err
		}
	}
	if w.opts.Formats.HTML {
		if err := w.page(r, end); err != nil {
			return err
		}
	}
	return w.summary(r, end)
}

// Fail writes what is known of a run that cannot be published (exit 3):
// summary.json and rejects.csv, whatever the job's formats are. Begin and Part
// have not been called on w.
func (w *Writer) Fail(r *engine.Result, end Outcome) error {
	defer w.removeTemp()
	t := w.rejects(r)
	if err := w.writeWhole(context.Background(), &t, Formats{CSV: true}); err != nil {
		return err
	}
	return w.summary(r, end)
}

// A wholeTable is a table that the result holds whole. It is written slice by
// slice, because its text may be long: every rejected row is in it.
type wholeTable struct {
	name  string
	rows  int
	limit int             // of the bytes of long texts in a slice
	size  func(i int) int // of a row's long texts
	of    func(from, to int) table
}

// wholeTables are the tables that are written at the end.
func (w *Writer) wholeTables(r *engine.Result) []wholeTable {
	var tables []wholeTable
	short := func(int) int { return 0 }
	if w.opts.Results.Rebates {
		tables = append(tables, wholeTable{groupsName, len(r.Groups), sliceBytes, short, func(from, to int) table {
			return groupsTable(r.Groups[from:to])
		}})
	}
	if w.opts.Results.Devices {
		tables = append(tables, wholeTable{devicesName, len(r.Devices), sliceBytes, short, func(from, to int) table {
			return devicesTable(r.Devices[from:to])
		}})
	}
	if w.opts.Results.Shifts {
		tables = append(tables, wholeTable{shiftsName, len(r.Shifts), sliceBytes, short, func(from, to int) table {
			return shiftsTable(r.Shifts[from:to], &w.opts)
		}})
	}
	return append(tables, wholeTable{breaksName, len(r.Breaks), sliceBytes, short, func(from, to int) table {
		return breaksTable(r.Breaks[from:to], &w.opts)
	}}, w.rejects(r))
}

func (w *Writer) rejects(r *engine.Result) wholeTable {
	return wholeTable{
		rejectsName, len(r.Rejects), sliceBytes,
		func(i int) int { return len(r.Rejects[i].Raw) + 2*len(r.Rejects[i].Value) },
		func(from, to int) table { return rejectsTable(r.Rejects[from:to], r.Tables, &w.opts) },
	}
}

// sliceBytes is how long the texts of a slice may be.
const sliceBytes = 64 << 20

// slice is the end of the slice that begins at from.
func (t *wholeTable) slice(from int) int {
	size, to := 0, from
	for to < t.rows && to-from < chunkRows && size < t.limit {
		size += t.size(to)
		to++
	}
	return to
}

func (w *Writer) writeWhole(ctx context.Context, t *wholeTable, f Formats) error {
	enc := w.takeEncoder()
	defer w.giveEncoder(enc)
	if f.Parquet {
		if err := fsys.Mkdir(w.path(t.name+".parquet"), w.dirMode()); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	slices := func(out io.Writer) error {
		var csv []byte
		for from, number := 0, 0; number == 0 || from < t.rows; number++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := t.slice(from)
			part := t.of(from, to)
			from = to
			if f.Parquet {
				if err := w.veiledPart(enc, &part, number, nil); err != nil {
					return err
				}
			}
			if !f.CSV {
				continue
			}
			csv = csv[:0]
			if number == 0 {
				csv = enc.csv.header(csv, &part)
			}
			csv = enc.csv.rows(csv, &part)
			if _, err := out.Write(csv); err != nil {
				return err
			}
		}
		return nil
	}
	if !f.CSV {
		if !f.Parquet {
			return nil
		}
		return slices(io.Discard)
	}
	return w.writeFile(t.name+".csv", slices)
}

// closeParts ends the tables of the parts.
func (w *Writer) closeParts(ctx context.Context) error {
	if w.sorted != nil {
		if err := w.sorted.merge(ctx); err != nil {
			return err
		}
	} else if w.opts.Formats.CSV && len(w.names) > 0 {
		if err := w.order.done(w.parts); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	w.earlier.close()
	for i, f := range w.files {
		if f != nil {
			w.files[i] = nil
			if err := f.Close(); err != nil {
				return fmt.Errorf("output: %w", err)
			}
		}
	}
	return nil
}

// Close lets go of open files and removes temporary ones. After Finish it does
// nothing; a run that fails on its way calls it.
func (w *Writer) Close() error {
	var first error
	if w.book != nil {
		w.book.rows.close()
	}
	w.earlier.close()
	for i, f := range w.files {
		if f != nil {
			w.files[i] = nil
			first = errors.Join(first, f.Close())
		}
	}
	w.spilled.close()
	w.removeTemp()
	return first
}

// writeChunk appends a chunk to the tables' files.
func (w *Writer) writeChunk(c *chunk) error {
	if w.keep != nil {
		w.keep.chunk(c, len(w.names))
	}
	if c.spill != "" {
		return w.writeSpilled(c)
	}
	for i := range w.names {
		if _, err := w.files[i].Write(c.bytes[i]); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

// spillChunk moves a chunk's bytes to a temporary file.
func (w *Writer) spillChunk(c *chunk) error {
	f, err := w.createTemp("chunk-*")
	if err != nil {
		return err
	}
	for i := range c.bytes {
		if _, err := f.Write(c.bytes[i]); err != nil {
			_ = f.Close()
			return fmt.Errorf("output: %w", err)
		}
		c.sizes[i] = int64(len(c.bytes[i]))
		c.bytes[i] = c.bytes[i][:0]
	}
	c.spill = f.Name()
	return f.Close()
}

func (w *Writer) writeSpilled(c *chunk) error {
	f, err := os.Open(c.spill)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	defer func() {
		_ = f.Close()
		_ = fsys.Remove(c.spill)
	}()
	for i := range w.names {
		if _, err := io.CopyN(w.files[i], f, c.sizes[i]); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

func (w *Writer) takeEncoder() *encoder {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.encoders); n > 0 {
		enc := w.encoders[n-1]
		w.encoders = w.encoders[:n-1]
		return enc
	}
	return &encoder{
		csv:     csvEncoder{lookup: w.lookup, sheet: w.opts.CSVBOM},
		parquet: parquetEncoder{lookup: w.lookup, codec: w.opts.Parquet, zone: newZone(w.opts.Zone), sorted: w.opts.Sort},
	}
}

func (w *Writer) giveEncoder(enc *encoder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.encoders = append(w.encoders, enc)
}

func (w *Writer) path(name string) string { return filepath.Join(w.opts.Dir, name) }

// dirMode is the mode of folders that goes with that of files: who may read a
// file may look into its folder.
func (w *Writer) dirMode() os.FileMode { return folderMode(w.opts.Mode) }

func (w *Writer) create(name string) (*fsys.File, error) {
	f, err := fsys.OpenFile(w.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, w.opts.Mode)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return f, nil
}

// writeFile writes one whole file through a buffer.
func (w *Writer) writeFile(name string, write func(io.Writer) error) error {
	return w.fill(name, func(f *fsys.File) error {
		const size = 1 << 16
		out := bufio.NewWriterSize(f, size)
		if err := write(out); err != nil {
			return err
		}
		return out.Flush()
	})
}

// fill creates a file, has it written, and closes it.
func (w *Writer) fill(name string, write func(f *fsys.File) error) error {
	f, err := w.create(name)
	if err != nil {
		return err
	}
	err = write(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("output %s: %w", name, err)
	}
	return nil
}

// createTemp makes a temporary file.
func (w *Writer) createTemp(pattern string) (*fsys.File, error) {
	dir, err := w.tempDir()
	if err != nil {
		return nil, err
	}
	f, err := fsys.CreateTemp(dir, pattern)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return f, nil
}

func (w *Writer) tempDir() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.temp != "" {
		return w.temp, nil
	}
	if w.opts.Temp != "" {
		w.temp = w.opts.Temp
		return w.temp, nil
	}
	dir, err := fsys.MkdirTemp(w.opts.Dir, ".tmp-*")
	if err != nil {
		return "", fmt.Errorf("temporary folder: %w", err)
	}
	w.temp, w.ownTemp = dir, true
	return dir, nil
}

func (w *Writer) removeTemp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ownTemp {
		_ = fsys.RemoveAll(w.temp)
	}
	w.temp, w.ownTemp = "", false
}

// Claims are the claims of the run, and where their packs are. It is known after
// Finish.
func (w *Writer) Claims() []ClaimInfo { return w.claimed }
