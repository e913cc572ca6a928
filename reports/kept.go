package reports

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"duizhang/rules"
)

// A Keeper takes what a run leaves for later runs of the same day, so that these can
// take parts from it ([Writer.Reuse]) instead of rows. Keep is called from several
// goroutines, for a part at a time; data is borrowed: it is valid during the call.
type Keeper interface {
	Keep(part int, section string, data []byte) error
}

// The sections of a part.
const (
	bookSection   = "reports.workbook" // its rows in the lists of the workbook, and their sums
	claimsSection = "reports.claims"   // its rows of claim packs
)

// keptForm is the form of the sections. Whatever changes them or the files changes it.
const keptForm = 1

// KeptOutputs says where the parts of a run are in its output files. It marshals to
// JSON.
type KeptOutputs struct {
	// Options are what the outputs hang on besides the rows. A run whose are others can
	// use nothing of it.
	Options string      `json:"options"`
	Parts   int         `json:"parts"`
	Inputs  []uint64    `json:"inputs"` // hashes of what the rows call the run's input tables, by number
	Tables  []KeptTable `json:"tables"`
}

// A KeptTable is a table that the parts have rows of.
type KeptTable struct {
	Name    string     `json:"name"`
	CSV     *KeptCSV   `json:"csv,omitempty"`     // nil without CSV
	Parquet []KeptFile `json:"parquet,omitempty"` // by part; nil without Parquet
}

// A KeptCSV is where the rows of the parts are in a CSV file, one part behind the
// other.
type KeptCSV struct {
	Header int64    `json:"header"` // its length
	Ends   []int64  `json:"ends"`   // of the parts
	Sums   []uint64 `json:"sums"`   // of their bytes
}

// A KeptFile is a Parquet file of a part; its size is 0 where the part has none.
type KeptFile struct {
	Size int64  `json:"size"`
	Sum  uint64 `json:"sum"`
}

// Files are the output files that a later run needs, by their names in the output
// folder, with slashes.
func (k *KeptOutputs) Files() []string {
	var names []string
	for i := range k.Tables {
		t := &k.Tables[i]
		if t.CSV != nil {
			names = append(names, t.Name+".csv")
		}
		for number, f := range t.Parquet {
			if f.Size > 0 {
				names = append(names, filepath.ToSlash(partName(t.Name, number)))
			}
		}
	}
	return names
}

// keeping is what a Writer notes for a later run while it writes. nil notes nothing:
// file and times may be called on it.
type keeping struct {
	keeper Keeper
	out    KeptOutputs
}

func newKeeping(w *Writer) *keeping {
	k := &keeping{keeper: w.opts.Keep, out: KeptOutputs{Options: w.keptOptions()}}
	for _, t := range w.opts.Tables {
		k.out.Inputs = append(k.out.Inputs, xxh3.HashString(t.File()))
	}
	for _, t := range w.opts.Results.tablesOf(nil, &noPart) {
		of := KeptTable{Name: t.name}
		if w.opts.Formats.CSV {
			of.CSV = &KeptCSV{}
		}
		k.out.Tables = append(k.out.Tables, of)
	}
	return k
}

func (k *keeping) begin(parts int, f Formats) {
	k.out.Parts = parts
	for i := range k.out.Tables {
		if f.Parquet {
			k.out.Tables[i].Parquet = make([]KeptFile, parts)
		}
	}
}

// file is where a Parquet file of a part is noted.
func (k *keeping) file(table, part int) *KeptFile {
	if k == nil {
		return nil
	}
	return &k.out.Tables[table].Parquet[part]
}

// times is how many times the rows that the workbook shows are stored: more where they
// are kept, because there may be fewer before them in a later run.
func (k *keeping) times() int64 {
	if k == nil {
		return 1
	}
	return 2
}

// chunk notes a chunk of CSV that is written next.
func (k *keeping) chunk(c *chunk, tables int) {
	for i := range tables {
		t := k.out.Tables[i].CSV
		end := t.Header
		if n := len(t.Ends); n > 0 {
			end = t.Ends[n-1]
		}
		t.Ends, t.Sums = append(t.Ends, end+c.sizeOf(i)), append(t.Sums, c.sums[i])
	}
}

// Kept says where the parts are in the output files, after Finish; nil where nothing
// is kept.
func (w *Writer) Kept() *KeptOutputs {
	if w.keep == nil {
		return nil
	}
	return &w.keep.out
}

// keptOptions are the options that the bytes of the parts hang on, in one line.
func (w *Writer) keptOptions() string {
	o := &w.opts
	type tableColumns struct {
		Table   string
		Columns []string
	}
	var columns []tableColumns
	for _, t := range o.Results.tablesOf(nil, &noPart) {
		of := tableColumns{Table: t.name}
		for i := range t.columns {
			c := &t.columns[i]
			of.Columns = append(of.Columns, fmt.Sprint(c.Name, c.Type, c.Names))
		}
		columns = append(columns, of)
	}
	sum := func(v any) string { return fmt.Sprintf("%016x", xxh3.HashString(fmt.Sprintf("%+v", v))) }
	limit := int64(0)
	if w.book != nil {
		limit = w.book.limitOf(rowLimit)
	}
	_, offset := time.Unix(0, 0).In(o.Zone).Zone() // a name may stand for several zones
	b, err := json.Marshal(struct {
		Form                           int
		Version, Lang, Privacy         string
		Formats                        Formats
		BOM                            bool
		Offset                         int
		Parquet, Zone, Tables, Claimed string
		Claims                         bool
		Rows                           int64
	}{
		keptForm, o.Job.Version, o.Lang.String(), o.Privacy.String(), o.Formats, o.CSVBOM, offset, o.Parquet.String(), o.Zone.String(), sum(columns),
		sum(o.Claims.Agreements), o.Claims.Lines != nil, limit,
	})
	if err != nil {
		panic("reports: " + err.Error()) // words and numbers
	}
	return string(b)
}

// A summer adds up what is written through it.
type summer struct {
	out  io.Writer
	hash xxh3.Hasher
	size int64
}

func (s *summer) Write(p []byte) (int, error) {
	n, err := s.out.Write(p)
	_, _ = s.hash.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// sealed is a section with a checksum behind it.
func sealed(section []byte) []byte {
	return binary.LittleEndian.AppendUint64(section, xxh3.Hash(section))
}

// unsealed is the inverse of sealed.
func unsealed(section []byte) ([]byte, error) {
	const size = 8
	end := len(section) - size
	if end < 0 {
		return nil, fmt.Errorf("%d bytes, which is too short", len(section))
	}
	if binary.LittleEndian.Uint64(section[end:]) != xxh3.Hash(section[:end]) {
		return nil, errors.New("its checksum is another")
	}
	return section[:end], nil
}

// appendPart appends what a part leaves in a list.
func (g *gathered) appendPart(b []byte, p *gatheredPart) []byte {
	b = binary.AppendUvarint(b, uint64(p.rows))
	b = binary.AppendUvarint(b, uint64(p.stored))
	b = appendBytes(b, p.encoded)
	b = binary.AppendUvarint(b, uint64(len(p.tallies)))
	for _, key := range slices.Sorted(maps.Keys(p.tallies)) {
		t := p.tallies[key]
		for _, k := range t.keys {
			b = appendBytes(b, []byte(k))
		}
		b = binary.AppendUvarint(b, uint64(t.count))
		for k := range t.sums {
			if g.columns[k].amount != nil {
				hi, lo := t.sums[k].Parts()
				b = binary.AppendVarint(b, hi)
				b = binary.AppendUvarint(b, lo)
			}
		}
	}
	return b
}

// readPart is the inverse of appendPart. What it gives borrows from r.
func (g *gathered) readPart(r *keptReader) gatheredPart {
	p := gatheredPart{rows: int64(r.uvarint()), stored: int64(r.uvarint()), encoded: r.bytes(), tallies: map[string]*listTally{}}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		t := &listTally{sums: make([]rules.Sum, len(g.columns))}
		var key []byte
		for range g.keyed {
			word := r.bytes()
			t.keys = append(t.keys, string(word))
			key = append(append(key, word...), keySeparator)
		}
		t.count = int64(r.uvarint())
		for k := range t.sums {
			if g.columns[k].amount != nil {
				hi := r.varint()
				t.sums[k] = rules.SumOf(hi, r.uvarint())
			}
		}
		p.tallies[string(key)] = t
	}
	return p
}

// appendClaims appends a part's rows of claim packs.
func appendClaims(b []byte, texts map[packKey][]byte) []byte {
	byKey := func(a, b packKey) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.period, b.period))
	}
	for _, key := range slices.SortedFunc(maps.Keys(texts), byKey) {
		b = binary.AppendUvarint(b, uint64(key.provider))
		b = binary.AppendUvarint(b, uint64(key.period))
		b = appendBytes(b, texts[key])
	}
	return sealed(b)
}

// A keptReader reads a section. After an error it gives zeros.
type keptReader struct {
	data []byte
	at   int
	err  error
}

func (r *keptReader) end() bool { return r.err != nil || r.at == len(r.data) }

func (r *keptReader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d of %d: not what was kept there", r.at, len(r.data))
	}
	r.at = len(r.data)
}

func (r *keptReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

func (r *keptReader) varint() int64 {
	v, n := binary.Varint(r.data[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

// raw gives the next n bytes.
func (r *keptReader) raw(n uint64) []byte {
	if n > uint64(len(r.data)-r.at) {
		r.fail()
		return nil
	}
	b := r.data[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

// bytes is the inverse of appendBytes.
func (r *keptReader) bytes() []byte { return r.raw(r.uvarint()) }
