package claim

import (
	"archive/zip"
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"duizhang/engine/fsys"
	"duizhang/rules"
)

// Options are what a pack is written with besides its manifest.
type Options struct {
	Dir       string // a folder that is not there yet
	Temp      string // for temporary files
	Mode      fs.FileMode
	DirMode   fs.FileMode
	Tolerance rules.Micro

	sheetRows int // of tests; 0 is a sheet's most
}

// A Writer writes one pack: first what its trades share, then the trades one by
// one, then Close. It holds no trade.
type Writer struct {
	opt      Options
	m        Manifest
	calc     *calculator
	trades   *table
	evidence *table
	book     *book
	groups   map[groupKey]*Group
	order    []groupKey
	rows     int64
	claimed  int64
	expected rules.Sum // of the rows that claim something
	paid     rules.Sum
	signed   []Evidence // agreements
}

// Create begins a pack. Of the manifest, Provider, Period, Date, Version, Lang,
// Inputs and Reading are given.
func Create(m Manifest, opt Options) (*Writer, error) {
	m.Format, m.Schema, m.Tolerance = format, packSchema, money(opt.Tolerance)
	w := &Writer{opt: opt, m: m, calc: newCalculator(&m, opt.Tolerance), groups: map[groupKey]*Group{}}
	w.calc.m = &w.m
	if err := fsys.MkdirAll(opt.Dir, opt.DirMode); err != nil {
		return nil, err
	}
	var err error
	if w.trades, err = w.table(tradesName, tradeHeader); err != nil {
		return nil, err
	}
	if w.evidence, err = w.table(evidenceName, evidenceHeader); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	if w.book, err = newBook(&w.m, opt); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// Abort lets go of what is open, after an error; the folder is to be discarded.
func (w *Writer) Abort() error {
	var errs []error
	for _, t := range []*table{w.trades, w.evidence} {
		if t != nil {
			errs = append(errs, t.file.Close())
		}
	}
	if w.book != nil {
		errs = append(errs, w.book.file.Close())
	}
	return errors.Join(errs...)
}

// Shared takes an evidence row that belongs to no trade: an agreement, or an
// aggregated statement row. They come before the trades.
func (w *Writer) Shared(e *Evidence) error {
	w.calc.shared(e)
	if e.Role == RoleAgreement {
		w.signed = append(w.signed, *e)
	} else {
		w.group(e.Merchant, e.Product).Whole = true
	}
	return w.evidence.write(e.record(w.m.Inputs))
}

// Whole says that all trades of a group will come.
func (w *Writer) Whole(merchant, product string) { w.group(merchant, product).Whole = true }

func (w *Writer) group(merchant, product string) *Group {
	key := groupKey{merchant, product}
	g := w.groups[key]
	if g == nil {
		g = &Group{Merchant: merchant, Product: product}
		w.groups[key] = g
		w.order = append(w.order, key)
	}
	return g
}

// Trade takes a trade with its evidence; it numbers both.
func (w *Writer) Trade(t *Trade, evidence []Evidence) error {
	w.rows++
	t.Row = w.rows
	w.group(t.Merchant, t.Product).add(t)
	if t.Claim() != 0 {
		w.claimed++
		w.expected.AddMicro(t.Expected)
		w.paid.AddMicro(t.Paid)
	}
	if err := w.trades.write(t.record()); err != nil {
		return err
	}
	for i := range evidence {
		evidence[i].Row = t.Row
		if err := w.evidence.write(evidence[i].record(w.m.Inputs)); err != nil {
			return err
		}
	}
	f := w.calc.figureOf(t, evidence)
	return w.book.trade(t, &f, evidence)
}

// Close ends the pack, and gives what it claims.
func (w *Writer) Close() (claim rules.Sum, err error) {
	slices.SortFunc(w.order, func(a, b groupKey) int {
		return cmp.Or(strings.Compare(a.merchant, b.merchant), strings.Compare(a.product, b.product))
	})
	groups := make([]Group, 0, len(w.order))
	for _, key := range w.order {
		g := w.groups[key]
		w.calc.rest(g)
		groups = append(groups, *g)
		claim.AddSum(g.Total())
	}
	w.m.Rows, w.m.Claimed = w.rows, w.claimed
	w.m.Expected, w.m.Paid, w.m.Claim = w.expected.String6(), w.paid.String6(), claim.String6()
	files := []func() (File, error){
		func() (File, error) { return w.closeBook(groups) },
		w.evidence.close,
		func() (File, error) { return w.writeGroups(groups) },
		nil, // the statement names the others
		w.trades.close,
	}
	for i, end := range files {
		f := File{Path: fileNames[i]}
		if end != nil {
			if f, err = end(); err != nil {
				return claim, err
			}
		}
		w.m.Files = append(w.m.Files, f)
	}
	if w.m.Files[3], err = w.writeStatement(groups); err != nil {
		return claim, err
	}
	_, err = w.file(ManifestName, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(&w.m)
	})
	return claim, err
}

func (w *Writer) writeGroups(groups []Group) (File, error) {
	t, err := w.table(groupsName, groupHeader)
	if err != nil {
		return File{}, err
	}
	for i := range groups {
		if err := t.write(groups[i].record()); err != nil {
			return File{}, errors.Join(err, t.file.Close())
		}
	}
	return t.close()
}

// closeBook writes the workbook, its members in the order of their names: the
// library writes sheets in the order of a map.
func (w *Writer) closeBook(groups []Group) (File, error) {
	b := w.book
	w.book = nil
	defer func() { _ = b.file.Close() }()
	if err := b.close(groups, w.signed); err != nil {
		return File{}, err
	}
	temp, err := fsys.CreateTemp(w.opt.Temp, "claim-*")
	if err != nil {
		return File{}, err
	}
	defer func() {
		_ = temp.Close()
		_ = fsys.Remove(temp.Name())
	}()
	if err := b.file.Write(temp); err != nil {
		return File{}, err
	}
	size, err := temp.Seek(0, io.SeekEnd)
	if err != nil {
		return File{}, err
	}
	in, err := zip.NewReader(temp, size)
	if err != nil {
		return File{}, err
	}
	const types = "[Content_Types].xml" // readers look for it first
	slices.SortFunc(in.File, func(a, b *zip.File) int {
		if (a.Name == types) != (b.Name == types) {
			if a.Name == types {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return w.file(bookName, func(out io.Writer) error {
		z := zip.NewWriter(out)
		for _, member := range in.File {
			if err := z.Copy(member); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// A counted is a file of the pack that is being written, and its digest.
type counted struct {
	name string
	out  io.Writer
	hash hash.Hash
	n    int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *counted) file() File { return File{c.name, c.n, hex.EncodeToString(c.hash.Sum(nil))} }

func (w *Writer) create(name string) (*fsys.File, error) {
	return fsys.OpenFile(filepath.Join(w.opt.Dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, w.opt.Mode)
}

// file writes a whole file.
func (w *Writer) file(name string, write func(io.Writer) error) (File, error) {
	f, err := w.create(name)
	if err != nil {
		return File{}, err
	}
	c := &counted{name: name, out: f, hash: sha256.New()}
	buffer := bufio.NewWriterSize(c, 1<<16)
	if err := errors.Join(write(buffer), buffer.Flush(), f.Close()); err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return c.file(), nil
}

// A table is a CSV file of the pack that is being written.
type table struct {
	file    *fsys.File
	counted *counted
	buffer  *bufio.Writer
	csv     *csv.Writer
}

func (w *Writer) table(name string, header []string) (*table, error) {
	f, err := w.create(name)
	if err != nil {
		return nil, err
	}
	c := &counted{name: name, out: f, hash: sha256.New()}
	t := &table{file: f, counted: c, buffer: bufio.NewWriterSize(c, 1<<18)}
	t.csv = csv.NewWriter(t.buffer)
	return t, t.write(header)
}

func (t *table) write(record []string) error {
	for i := range record {
		record[i] = strings.ToValidUTF8(record[i], "\uFFFD")
	}
	return t.csv.Write(record)
}

func (t *table) close() (File, error) {
	t.csv.Flush()
	err := errors.Join(t.csv.Error(), t.buffer.Flush(), t.file.Close())
	return t.counted.file(), err
}

// newFile is a workbook whose bytes depend on what is put into it alone.
func newFile(temp string) (*excelize.File, error) {
	f := excelize.NewFile(excelize.Options{TmpDir: temp})
	return f, f.SetDocProps(&excelize.DocProperties{
		Creator: "duizhang", LastModifiedBy: "duizhang", Version: "1.0",
		Created: "2006-01-02T15:04:05Z", Modified: "2006-01-02T15:04:05Z",
	})
}
