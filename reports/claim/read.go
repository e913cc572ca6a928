package claim

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duizhang/rules"
)

// Limits of a pack that somebody else made.
const (
	maxManifest = 64 << 20
	maxFile     = 64 << 30
	maxRecord   = 1 << 20 // of a row of a CSV file
	maxInputs   = 100_000
)

// A Pack is a claim pack that was opened. Nothing in it is written or run.
type Pack struct {
	Manifest Manifest
	root     *os.Root
	dir      string
	inputs   map[[2]string]int
	limit    rules.Micro
}

// Open opens a pack. A folder that is none, whose manifest names other files than a
// pack's own, or that holds links, folders or files that are not listed, is an error
// that wraps ErrNotAPack.
func Open(dir string) (*Pack, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	p := &Pack{root: root, dir: dir}
	if err := p.open(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return p, nil
}

// Close lets go of the pack.
func (p *Pack) Close() error { return p.root.Close() }

// Book is the path of the pack's workbook.
func (p *Pack) Book() string { return filepath.Join(p.dir, bookName) }

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotAPack}, args...)...)
}

func (p *Pack) open() error {
	data, err := p.manifest()
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	m := &p.Manifest
	if err := d.Decode(m); err != nil {
		return refuse("%s: %v", ManifestName, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse("%s: more than one value", ManifestName)
	}
	if m.Format != format || m.Schema != packSchema {
		return refuse("%s: format %q, schema %d", ManifestName, m.Format, m.Schema)
	}
	if m.Lang != "zh" && m.Lang != "en" {
		return refuse("%s: lang %q", ManifestName, m.Lang)
	}
	if Folder(m.Provider, m.Period) == "" {
		return refuse("%s: provider_pid %q, period %q", ManifestName, m.Provider, m.Period)
	}
	if p.limit, err = rules.ParseMicro([]byte(m.Tolerance)); err != nil || p.limit < 0 {
		return refuse("%s: rebate_tolerance %q", ManifestName, m.Tolerance)
	}
	if err := p.checkFiles(); err != nil {
		return err
	}
	return p.checkInputs()
}

func (p *Pack) manifest() ([]byte, error) {
	info, err := p.root.Lstat(ManifestName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse("no %s", ManifestName)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, refuse("%s: not a regular file", ManifestName)
	case info.Size() > maxManifest:
		return nil, refuse("%s: too large", ManifestName)
	}
	f, err := p.root.Open(ManifestName)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(f, maxManifest))
}

// checkFiles compares the list of files with a pack's own, and with what is there.
func (p *Pack) checkFiles() error {
	listed := map[string]bool{}
	for _, f := range p.Manifest.Files {
		switch {
		case f.Path != filepath.Base(f.Path) || strings.ContainsAny(f.Path, `/\:`) || f.Path == "." || f.Path == "..":
			return refuse("%s: file %q: not a name in the pack", ManifestName, f.Path)
		case listed[f.Path]:
			return refuse("%s: file %q: listed twice", ManifestName, f.Path)
		case !slices.Contains(fileNames, f.Path):
			return refuse("%s: file %q: not a file of a pack", ManifestName, f.Path)
		case f.Bytes < 0 || f.Bytes > maxFile:
			return refuse("%s: file %q: %d bytes", ManifestName, f.Path, f.Bytes)
		}
		listed[f.Path] = true
	}
	for _, name := range fileNames {
		if !listed[name] {
			return refuse("%s: does not list %s", ManifestName, name)
		}
	}
	dir, err := p.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // only read
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if name != ManifestName && !listed[name] {
			return refuse("%q: not listed in %s", name, ManifestName)
		}
		if !e.Type().IsRegular() {
			return refuse("%q: a link, a folder or another thing than a file", name)
		}
		info, err := p.root.Lstat(name)
		if err != nil {
			return err
		}
		if info.Size() > maxFile {
			return refuse("%q: too large", name)
		}
		found[name] = true
	}
	for _, name := range fileNames {
		if !found[name] {
			return refuse("%s: missing", name)
		}
	}
	return nil
}

func (p *Pack) checkInputs() error {
	if len(p.Manifest.Inputs) > maxInputs {
		return refuse("%s: %d inputs", ManifestName, len(p.Manifest.Inputs))
	}
	p.inputs = map[[2]string]int{}
	for i, in := range p.Manifest.Inputs {
		key := [2]string{in.Path, in.Member}
		switch _, again := p.inputs[key]; {
		case !filepath.IsLocal(filepath.FromSlash(in.Path)) || strings.ContainsAny(in.Path, "\\\x00") || filepath.VolumeName(in.Path) != "":
			return refuse("%s: input %q: leads out of its folder", ManifestName, in.Path)
		case again:
			return refuse("%s: input %q: listed twice", ManifestName, in.Path)
		}
		p.inputs[key] = i
	}
	return nil
}

// digests compares the files with what the manifest says of them.
func (p *Pack) digests(report func(Difference)) error {
	for _, f := range p.Manifest.Files {
		in, err := p.root.Open(f.Path)
		if err != nil {
			return err
		}
		hash := sha256.New()
		n, err := io.Copy(hash, in)
		_ = in.Close()
		if err != nil {
			return err
		}
		if n != f.Bytes {
			report(Difference{Place: f.Path, What: "bytes", Pack: fmt.Sprint(f.Bytes), Found: fmt.Sprint(n)})
		}
		if sum := hex.EncodeToString(hash.Sum(nil)); sum != f.SHA256 {
			report(Difference{Place: f.Path, What: "sha256", Pack: f.SHA256, Found: sum})
		}
	}
	return nil
}

// A lineLimit ends a file whose rows are longer than any of ours.
type lineLimit struct {
	in   io.Reader
	line int
}

var errLongRow = errors.New("a row is too long")

func (l *lineLimit) Read(p []byte) (int, error) {
	const most = 1 << 16 // so that a row is not much longer than the limit
	n, err := l.in.Read(p[:min(len(p), most)])
	for _, b := range p[:n] {
		if l.line++; b == '\n' {
			l.line = 0
		}
	}
	if l.line > maxRecord {
		return 0, errLongRow
	}
	return n, err
}

// rows reads a CSV file of the pack. The record is valid during the call; at and end
// are its place in the file.
func (p *Pack) rows(name string, header []string, row func(line int, at, end int64, record []string) error) error {
	f, err := p.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	r := csv.NewReader(&lineLimit{in: bufio.NewReaderSize(f, 1<<18)})
	r.FieldsPerRecord, r.ReuseRecord = len(header), true
	at := int64(0)
	for first := true; ; first = false {
		record, err := r.Read()
		if errors.Is(err, io.EOF) && !first {
			return nil
		}
		if err != nil {
			return refuse("%s: %v", name, err)
		}
		line, _ := r.FieldPos(0)
		if first {
			if !slices.Equal(record, header) {
				return refuse("%s:1: not the columns of a pack", name)
			}
		} else if err := row(line, at, r.InputOffset(), record); err != nil {
			return err
		}
		at = r.InputOffset()
	}
}

// eachTrade gives the trades with their evidence, and before them what belongs to
// none. It reads both files once, side by side.
func (p *Pack) eachTrade(shared func(*Evidence) error, trade func(line int, t *Trade, claim rules.Micro, evidence []Evidence) error) error {
	evidence, stop := p.pullEvidence()
	defer stop()
	e, line, err := evidence()
	for err == nil && e != nil && (e.Role == RoleAgreement || e.Role == RoleAggregated) {
		if err := shared(e); err != nil {
			return err
		}
		e, line, err = evidence()
	}
	if err != nil {
		return err
	}
	var of []Evidence
	row := int64(0)
	err = p.rows(tradesName, tradeHeader, func(at int, _, _ int64, record []string) error {
		t, claim, err := parseTrade(record)
		if err != nil {
			return refuse("%s:%d: %v", tradesName, at, err)
		}
		if row++; t.Row != row {
			return refuse("%s:%d: row %d, want %d", tradesName, at, t.Row, row)
		}
		of = of[:0]
		for e != nil && e.Row == row {
			if e.Role == RoleAgreement || e.Role == RoleAggregated {
				return refuse("%s:%d: %s among the rows of trades", evidenceName, line, e.Role)
			}
			of = append(of, *e)
			if e, line, err = evidence(); err != nil {
				return err
			}
		}
		return trade(at, &t, claim, of)
	})
	if err == nil && e != nil {
		return refuse("%s:%d: row %d is no trade's", evidenceName, line, e.Row)
	}
	return err
}

// pullEvidence reads evidence.csv row by row; nil is its end.
func (p *Pack) pullEvidence() (next func() (*Evidence, int, error), stop func()) {
	type item struct {
		e    Evidence
		line int
	}
	pull, stop := pull2(func(yield func(item, error) bool) {
		errStop := errors.New("stopped")
		err := p.rows(evidenceName, evidenceHeader, func(line int, _, _ int64, record []string) error {
			e, err := parseEvidence(record, p.inputs, &p.Manifest)
			if err != nil {
				return refuse("%s:%d: %v", evidenceName, line, err)
			}
			if !yield(item{e, line}, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(item{}, err)
		}
	})
	return func() (*Evidence, int, error) {
		i, err, ok := pull()
		if !ok || err != nil {
			return nil, i.line, err
		}
		return &i.e, i.line, nil
	}, stop
}
