package reports

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A shelf is where a run keeps its parts, and where a later one finds them.
type shelf struct {
	dir string // links of the output files

	mu       sync.Mutex
	sections map[string][]byte
	outputs  *KeptOutputs
}

func (s *shelf) Keep(part int, section string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sections == nil {
		s.sections = map[string][]byte{}
	}
	s.sections[fmt.Sprint(section, part)] = slices.Clone(data)
	return nil
}

func (s *shelf) Section(part int, name string) ([]byte, error) {
	b, ok := s.sections[fmt.Sprint(name, part)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clip(b), nil
}

func (s *shelf) Path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// take links the files of a run that is finished.
func (s *shelf) take(t *testing.T, out string, outputs *KeptOutputs) {
	t.Helper()
	b, err := json.Marshal(outputs)
	if err != nil {
		t.Fatal(err)
	}
	s.outputs = &KeptOutputs{}
	if err := json.Unmarshal(b, s.outputs); err != nil {
		t.Fatal(err)
	}
	s.dir = t.TempDir()
	for _, name := range s.outputs.Files() {
		if err := os.MkdirAll(filepath.Dir(s.Path(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(out, filepath.FromSlash(name)), s.Path(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// clone is a shelf that can be damaged.
func (s *shelf) clone(t *testing.T) *shelf {
	t.Helper()
	c := &shelf{sections: maps.Clone(s.sections)}
	c.take(t, s.dir, s.outputs)
	return c
}

// A late is a day that is run several times, with other rows in some of its parts and
// further tables each time.
type late struct {
	*day
	rng *rand.Rand
}

func newLate(seed uint64, parts, rows int) *late {
	d := &late{day: newDay(seed, parts, rows), rng: rand.New(rand.NewPCG(seed, 11))}
	for _, p := range d.parts {
		if d.rng.IntN(6) == 0 {
			*p = engine.Part{Number: p.Number}
		}
		d.addClaims(p)
	}
	return d
}

// addClaims gives some of the part's rebates evidence.
func (d *late) addClaims(p *engine.Part) {
	for row := range p.Rebates.Len() {
		claimable := rules.Cause(p.Rebates.Cause[row]).Appeal() == rules.AppealClaimable
		if !claimable && d.rng.IntN(20) > 0 {
			continue
		}
		c := &p.Claims
		c.Row, c.Provider = append(c.Row, int32(row)), append(c.Provider, p.Rebates.ProviderPID[row])
		c.Agreement = append(c.Agreement, int32(d.rng.IntN(2)-1))
		e := &c.Evidence
		for range d.rng.IntN(3) {
			e.Role = append(e.Role, uint8(1+d.rng.IntN(4)))
			e.Place.Append(int32(d.rng.IntN(len(d.tables))), int32(d.rng.IntN(1000)))
			e.TradeNo.AppendString("T" + strings.Repeat("1", d.rng.IntN(4)))
			e.OutTradeNo.AppendString("O")
			e.RequestNo.AppendString("")
			for _, v := range []*[]int64{&e.Time, &e.Amount, &e.Received, &e.Red, &e.Discount, &e.Rebate, &e.Adjustment} {
				*v = append(*v, d.rng.Int64N(1000)-500)
			}
			e.Provider, e.Period = append(e.Provider, p.Rebates.ProviderPID[row]), append(e.Period, p.Rebates.Period[row])
		}
		c.End = append(c.End, int32(len(e.Role)))
	}
}

// places are the table numbers of a part.
func places(p *engine.Part) [][]int32 {
	return [][]int32{
		p.Trades.Pos.Table, p.Trades.Bill.Table, p.Refunds.Pos.Table, p.Refunds.Bill.Table, p.Goods.Source.Table, p.Rebates.Pos.Table,
		p.Rebates.Statement.Table, p.Accounts.Account.Table, p.Accounts.Bill.Table, p.Claims.Evidence.Place.Table,
	}
}

// next is the run after a file came: the numbers of the tables in it, and which parts
// have other rows.
func (d *late) next() (tables []int32, dirty []bool) {
	added := d.rng.IntN(3) // how many files come; before one of the others each
	for range d.tables {
		tables = append(tables, int32(len(tables)))
	}
	for range added {
		at := d.rng.IntN(len(d.tables) + 1)
		d.tables = slices.Insert(slices.Clone(d.tables), at, &schema.Table{Path: fmt.Sprintf("late/%d.csv", len(d.tables)), Kind: schema.AlipayBill, From: schema.Null, To: schema.Null})
		for i, now := range tables {
			if int(now) >= at {
				tables[i]++
			}
		}
	}
	dirty = make([]bool, len(d.parts))
	for i, p := range d.parts {
		for _, column := range places(p) {
			for row, table := range column {
				if table >= 0 {
					column[row] = tables[table]
				}
			}
		}
		if d.rng.IntN(3) > 0 {
			continue
		}
		dirty[i] = true
		from := newDayInto(d.day, d.rng.Uint64(), d.rng.IntN(30))
		from.Number = i
		d.parts[i] = from
		d.addClaims(from)
	}
	return tables, dirty
}

// newDayInto makes a part of the day's words, new ones among them: a mobile is one.
func newDayInto(d *day, seed uint64, rows int) *engine.Part {
	other := newDay(seed, 1, rows)
	p, texts := other.parts[0], other.words.Texts()
	mobile := d.words.Code(fmt.Sprintf("138%08d", seed%100_000_000))
	codes := func(columns ...[]uint32) {
		for _, c := range columns {
			for i, code := range c {
				c[i] = d.words.Code(texts[code])
			}
		}
	}
	codes(p.Trades.Merchant, p.Trades.Store, p.Trades.Terminal, p.Trades.Operator, p.Trades.ProviderPID, p.Goods.Merchant, p.Goods.Goods,
		p.Goods.Name, p.Goods.Store, p.Refunds.Merchant, p.Refunds.Store, p.Accounts.Merchant, p.Rebates.Merchant, p.Rebates.Product,
		p.Rebates.ProviderPID, p.Rebates.Period, p.Rebates.Store, p.Rebates.Terminal, p.Rebates.Agreement)
	for i := range p.Trades.Store {
		if i%3 == 0 {
			p.Trades.Store[i], p.Trades.Operator[i] = mobile, mobile
		}
	}
	return p
}

// groups are the groups that the claims of the parts add up to.
func (d *late) groups() []engine.RebateGroup {
	texts := d.words.Texts()
	type key struct{ provider, merchant, product, period uint32 }
	var order []key
	sums := map[key]*rules.Sum{}
	for _, p := range d.parts {
		for i, row := range p.Claims.Row {
			b := &p.Rebates
			k := key{p.Claims.Provider[i], b.Merchant[row], b.Product[row], b.Period[row]}
			if sums[k] == nil {
				sums[k] = &rules.Sum{}
				order = append(order, k)
			}
			stated := b.Stated[row]
			if stated == schema.Null {
				stated = 0
			}
			if rules.Cause(b.Cause[row]).Appeal() == rules.AppealClaimable {
				sums[k].AddInt(b.Expected[row] - stated)
			}
		}
	}
	var groups []engine.RebateGroup
	for _, k := range order {
		groups = append(groups, engine.RebateGroup{
			Provider: texts[k.provider], Merchant: texts[k.merchant], Product: texts[k.product], Period: texts[k.period],
			Rate: schema.Null, Cause: rules.CauseStatementShort, Claimable: *sums[k],
		})
	}
	return groups
}

// outputs are a variant of a run's options.
type outputs struct {
	set   func(*Options)
	limit int64 // of the workbook's lists; 0: as it is
}

func (d *late) options(t testing.TB, v outputs) Options {
	o := d.day.options(t.TempDir())
	o.Temp = t.TempDir()
	o.Claims = ClaimOptions{
		Agreements: []rules.Agreement{{Provider: "2088222222222221", Product: "face_to_face", Rate: 5500, Scale: 2}},
		Signed:     schema.Place{Table: []int32{0}, Line: []int32{3}},
		Lines: func(_ context.Context, table int32, lines []int32, each func(int32, [32]byte) error) error {
			for _, line := range lines {
				var sum [32]byte
				copy(sum[:], d.tables[table].Path)
				binary.LittleEndian.PutUint32(sum[28:], uint32(line))
				if err := each(line, sum); err != nil {
					return err
				}
			}
			return nil
		},
	}
	if v.set != nil {
		v.set(&o)
	}
	return o
}

// run writes the day: the parts that are not dirty are taken from the shelf.
func (d *late) run(t *testing.T, o Options, v outputs, from *Earlier, dirty []bool) (*Writer, error) {
	t.Helper()
	w := NewWriter(o)
	t.Cleanup(func() { _ = w.Close() })
	if from != nil && d.rng.IntN(2) == 0 {
		if err := w.From(*from); err != nil {
			return nil, err
		}
	}
	if err := w.Begin(len(d.parts)); err != nil {
		return nil, err
	}
	if from != nil && w.earlier == nil {
		if err := w.From(*from); err != nil {
			return nil, err
		}
	}
	if v.limit > 0 && w.book != nil {
		for _, g := range w.book.rows.all() {
			g.limit, g.held = v.limit, v.limit
			if o.Keep != nil {
				g.held *= 2
			}
		}
	}
	var wg sync.WaitGroup
	failed := make([]error, len(d.parts))
	for _, i := range d.rng.Perm(len(d.parts)) {
		part := func() {
			if from != nil && !dirty[i] {
				failed[i] = w.Reuse(context.Background(), i)
			} else {
				failed[i] = w.Part(context.Background(), d.parts[i])
			}
		}
		if d.rng.IntN(2) == 0 {
			part()
		} else {
			wg.Go(part)
		}
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	r := d.result()
	r.Groups = d.groups()
	return w, w.Finish(context.Background(), r, Outcome{ExitCode: 1})
}

var reuseVariants = []outputs{
	{},
	{set: func(o *Options) { o.CSVBOM = true }},
	{set: func(o *Options) { o.Parquet, o.Privacy = Snappy, Privacy(2) }},
	{set: func(o *Options) { o.Lang, o.Memory = English, 1 }},
	{set: func(o *Options) { o.Formats = Formats{XLSX: true} }},
	{set: func(o *Options) { o.Formats = Formats{CSV: true} }},
	{set: func(o *Options) { o.Formats, o.Claims = Formats{Parquet: true}, ClaimOptions{} }},
	{set: func(o *Options) { o.Formats = Formats{JSON: true, HTML: true} }},
	{set: func(o *Options) { o.Results = Results{Trades: true, Goods: true} }},
	{set: func(o *Options) { o.Mode = 0o640 }, limit: 10},
	{limit: 3},
}

// Whatever parts are taken from the run before, which took some from the one before
// that: the outputs are those of a run that has all rows.
func TestReuse(t *testing.T) {
	var packs, masked, limited int
	seeds, nights := uint64(3), 3
	if testing.Short() {
		seeds, nights = 1, 2
	}
	for i, v := range reuseVariants {
		for seed := range seeds {
			d := newLate(seed*100+uint64(i), 1+int(seed+uint64(i))%7, 20)
			var from *Earlier
			var dirty []bool
			for night := range nights {
				want := d.options(t, v)
				if _, err := d.run(t, want, v, nil, nil); err != nil {
					t.Fatal(err)
				}
				o, kept := d.options(t, v), &shelf{}
				o.Keep = kept
				w, err := d.run(t, o, v, from, dirty)
				if v.limit > 0 && from != nil && errors.Is(err, ErrKept) {
					break // there were more rows before
				}
				if err != nil {
					t.Fatalf("variant %d, seed %d, night %d: %v", i, seed, night, err)
				}
				if v.limit > 0 && from != nil {
					limited++
				}
				got, all := files(t, o.Dir), files(t, want.Dir)
				sameFiles(t, got, all)
				if t.Failed() {
					t.Fatalf("variant %d, seed %d, night %d", i, seed, night)
				}
				for name, text := range all {
					if strings.HasPrefix(name, claimDir) {
						packs++
					}
					if name == "trades.csv" && strings.Contains(text, "138****") {
						masked++
					}
				}
				if entries, err := os.ReadDir(o.Temp); err != nil || len(entries) > 0 {
					t.Errorf("%v, %v are left", entries, err)
				}
				kept.take(t, o.Dir, w.Kept())
				from = &Earlier{Outputs: kept.outputs, Source: kept}
				from.Tables, dirty = d.next()
			}
		}
	}
	if packs == 0 || masked == 0 || limited == 0 {
		t.Errorf("%d files of packs, %d tables with something masked, %d limited lists: want some of each", packs, masked, limited)
	}
}

// What a run leaves behind does not change its outputs, and without a Keeper nothing
// is left.
func TestKeepNothing(t *testing.T) {
	d := newDay(1, 2, 5)
	for _, set := range []func(*Options){
		func(*Options) {},
		func(o *Options) { o.Sort, o.Keep = true, &shelf{} },
	} {
		o := d.options(t.TempDir())
		set(&o)
		w := NewWriter(o)
		if w.Kept() != nil || w.CanReuse() == o.Sort {
			t.Errorf("sorted %v: kept %v, can reuse %v", o.Sort, w.Kept(), w.CanReuse())
		}
	}
}

// keptRun is a run whose parts are on the shelf.
func keptRun(t *testing.T, d *late, v outputs) (*shelf, map[string]string) {
	t.Helper()
	o, s := d.options(t, v), &shelf{}
	o.Keep = s
	w, err := d.run(t, o, v, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.take(t, o.Dir, w.Kept())
	return s, files(t, o.Dir)
}

func sameTables(d *late) []int32 {
	tables := make([]int32, len(d.tables))
	for i := range tables {
		tables[i] = int32(i)
	}
	return tables
}

// What is missing or is not what was kept is an error, and no output.
func TestReuseDamaged(t *testing.T) {
	d := newLate(5, 4, 20)
	clean := make([]bool, 4)
	whole, _ := keptRun(t, d, outputs{})
	rewrite := func(name string, change func([]byte) []byte) func(*testing.T, *shelf, *Earlier) {
		return func(t *testing.T, s *shelf, _ *Earlier) {
			b, err := os.ReadFile(s.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(s.Path(name)); err != nil {
				t.Fatal(err)
			}
			if b = change(b); b == nil {
				return
			}
			if err := os.WriteFile(s.Path(name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	gone := func([]byte) []byte { return nil }
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	longer := func(b []byte) []byte { return append(b, 0) }
	flip := func(b []byte) []byte { b[d.rng.IntN(len(b))] ^= 1; return b }
	section := func(name string, change func([]byte) []byte) func(*testing.T, *shelf, *Earlier) {
		return func(_ *testing.T, s *shelf, _ *Earlier) {
			key := fmt.Sprint(name, 1)
			if b := change(slices.Clone(s.sections[key])); b != nil {
				s.sections[key] = b
			} else {
				delete(s.sections, key)
			}
		}
	}
	type damage struct {
		name string
		do   func(*testing.T, *shelf, *Earlier)
	}
	damages := []damage{
		{"other options", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Options += " " }},
		{"other parts", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Parts++ }},
		{"no outputs", func(_ *testing.T, _ *shelf, e *Earlier) { e.Outputs = nil }},
		{"a table less", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables = s.outputs.Tables[1:] }},
		{"no CSV", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables[0].CSV = nil }},
		{"no Parquet", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables[0].Parquet = nil }},
		{"no file of the first part", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables[0].Parquet[0] = KeptFile{} }},
		{"an end less", func(_ *testing.T, s *shelf, _ *Earlier) {
			s.outputs.Tables[0].CSV.Ends = s.outputs.Tables[0].CSV.Ends[1:]
		}},
		{"ends in disorder", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables[0].CSV.Ends[0] = 1 << 40 }},
		{"another header", func(_ *testing.T, s *shelf, _ *Earlier) { s.outputs.Tables[0].CSV.Header-- }},
		{"a table gone", func(_ *testing.T, _ *shelf, e *Earlier) { e.Tables[1] = -1 }},
		{"too few tables", func(_ *testing.T, _ *shelf, e *Earlier) { e.Tables = e.Tables[:1] }},
		{"another file in its place", func(_ *testing.T, _ *shelf, e *Earlier) { e.Tables[1], e.Tables[2] = 2, 1 }},
		{"a file beyond the last", func(_ *testing.T, _ *shelf, e *Earlier) { e.Tables[1] = 3 }},
		{"a folder for a file", func(t *testing.T, s *shelf, _ *Earlier) {
			path := s.Path("trades.parquet/part-00000.parquet")
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
	}{{"gone", gone}, {"cut", cut}, {"longer", longer}, {"flipped", flip}, {"empty", func([]byte) []byte { return []byte{} }}} {
		for _, file := range []string{"trades.csv", "rebates.csv", "trades.parquet/part-00001.parquet", "goods.parquet/part-00000.parquet"} {
			damages = append(damages, damage{c.name + " " + file, rewrite(file, c.change)})
		}
		for _, name := range []string{bookSection, claimsSection} {
			damages = append(damages, damage{c.name + " " + name, section(name, c.change)})
		}
	}
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			s := whole.clone(t)
			e := Earlier{Outputs: s.outputs, Source: s, Tables: sameTables(d)}
			c.do(t, s, &e)
			o := d.options(t, outputs{})
			if _, err := d.run(t, o, outputs{}, &e, clean); !errors.Is(err, ErrKept) {
				t.Errorf("run = %v, want %v", err, ErrKept)
			}
			if exists(filepath.Join(o.Dir, SummaryName)) {
				t.Error("a summary is written")
			}
		})
	}
}

// A section that is read as something else is an error, or other rows, and no panic.
func TestReuseForged(t *testing.T) {
	d := newLate(9, 2, 20)
	whole, _ := keptRun(t, d, outputs{})
	s := whole.clone(t)
	tables := sameTables(d)
	added := &schema.Table{Path: "0.csv", Kind: schema.AlipayBill}
	d.tables = append([]*schema.Table{added}, d.tables...)
	for i := range tables {
		tables[i]++
	}
	w := NewWriter(d.options(t, outputs{}))
	defer func() { _ = w.Close() }()
	if err := w.Begin(2); err != nil {
		t.Fatal(err)
	}
	if err := w.From(Earlier{Outputs: s.outputs, Source: s, Tables: tables}); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range 3000 {
		for _, name := range []string{bookSection, claimsSection} {
			section, err := unsealed(whole.sections[name+"1"])
			if err != nil {
				t.Fatal(err)
			}
			section = slices.Clone(section)
			for range 1 + d.rng.IntN(3) {
				section[d.rng.IntN(len(section))] = byte(d.rng.Uint32())
			}
			s.sections[name+"1"] = sealed(section[:len(section)-d.rng.IntN(2)])
		}
		_, rows := w.keptRows(1)
		_, claims := w.keptClaims(1)
		for _, err := range []error{rows, claims} {
			if err != nil && !errors.Is(err, ErrKept) {
				t.Fatalf("%v, want %v", err, ErrKept)
			}
			if err != nil {
				failed++
			}
		}
	}
	if failed < 1000 {
		t.Errorf("%d of 6000 are errors", failed)
	}
}

// Rows that the workbook shows now, and did not then, are not kept beyond twice the
// limit: that is seen.
func TestReuseTooFewRows(t *testing.T) {
	v := outputs{set: func(o *Options) { o.Claims = ClaimOptions{} }, limit: 40}
	for _, c := range []struct {
		goods int // of the first part, of which there were 50; as many are in the others
		want  error
	}{{50, nil}, {12, nil}, {10, nil}, {8, ErrKept}, {0, ErrKept}} {
		d := newLate(8, 3, 1)
		part := func(number, goods int) {
			p := newDayInto(d.day, 1, goods/2)
			p.Number = number
			for i := range p.Goods.Scenario {
				p.Goods.Scenario[i] = uint8(rules.Above)
			}
			d.parts[number] = p
		}
		for number := range d.parts {
			part(number, 50)
		}
		run := func(o Options, from *Earlier) error {
			w := NewWriter(o)
			defer func() { _ = w.Close() }()
			if err := w.Begin(3); err != nil {
				return err
			}
			g := w.book.rows.goods
			g.limit, g.held = v.limit, 2*v.limit
			for i, p := range d.parts { // in order: the later ones have no more room than they must
				var err error
				if from == nil || i == 0 {
					err = w.Part(t.Context(), p)
				} else {
					if i == 1 {
						err = w.From(*from)
					}
					err = errors.Join(err, w.Reuse(t.Context(), i))
				}
				if err != nil {
					return err
				}
			}
			if err := w.Finish(t.Context(), d.result(), Outcome{}); err != nil {
				return err
			}
			if s, ok := o.Keep.(*shelf); ok {
				s.take(t, o.Dir, w.Kept())
			}
			return nil
		}
		first, s := d.options(t, v), &shelf{}
		first.Keep = s
		if err := run(first, nil); err != nil {
			t.Fatal(err)
		}
		part(0, c.goods)
		want, got := d.options(t, v), d.options(t, v)
		if err := run(want, nil); err != nil {
			t.Fatal(err)
		}
		err := run(got, &Earlier{Outputs: s.outputs, Source: s, Tables: sameTables(d)})
		if !errors.Is(err, c.want) {
			t.Errorf("%d rows in the first part: %v, want %v", c.goods, err, c.want)
		}
		if err == nil {
			sameFiles(t, files(t, got.Dir), files(t, want.Dir))
		}
	}
}

// After From has failed the Writer does without.
func TestFromFails(t *testing.T) {
	d := newLate(6, 3, 10)
	s, want := keptRun(t, d, outputs{})
	if err := os.Remove(s.Path("refunds.csv")); err != nil {
		t.Fatal(err)
	}
	o := d.options(t, outputs{})
	w := NewWriter(o)
	if err := w.Begin(3); err != nil {
		t.Fatal(err)
	}
	if err := w.From(Earlier{Outputs: s.outputs, Source: s, Tables: sameTables(d)}); !errors.Is(err, ErrKept) {
		t.Fatalf("From = %v, want %v", err, ErrKept)
	}
	if err := w.Reuse(context.Background(), 0); !errors.Is(err, ErrKept) {
		t.Fatalf("Reuse = %v, want %v", err, ErrKept)
	}
	for _, p := range d.parts {
		if err := w.Part(context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	r := d.result()
	r.Groups = d.groups()
	if err := w.Finish(context.Background(), r, Outcome{ExitCode: 1}); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, o.Dir), want)
}

// Files of parts are the earlier run's own where they can be, and copies where they
// cannot; the earlier run's are as they were.
func TestReuseLinks(t *testing.T) {
	d := newLate(7, 3, 20)
	const name = "goods.parquet/part-00000.parquet"
	for _, c := range []struct {
		name   string
		mode   fs.FileMode // of the later run
		fail   fsys.Kind
		linked bool
	}{
		{"linked", 0o600, 0, true},
		{"another mode", 0o640, 0, false},
		{"no links", 0o600, fsys.ToLink, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, want := keptRun(t, d, outputs{})
			before, err := os.Stat(s.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			if c.fail != 0 {
				fsys.Watch(func(step fsys.Step) error {
					if step.Kind == c.fail {
						return syscall.EMLINK
					}
					return nil
				})
				defer fsys.Watch(nil)
			}
			o := d.options(t, outputs{})
			o.Mode = c.mode
			if _, err := d.run(t, o, outputs{}, &Earlier{Outputs: s.outputs, Source: s, Tables: sameTables(d)}, make([]bool, 3)); err != nil {
				t.Fatal(err)
			}
			sameFiles(t, files(t, o.Dir), want)
			after, err := os.Stat(s.Path(name))
			if err != nil {
				t.Fatal(err)
			}
			if after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
				t.Errorf("the kept file was %v, is %v", before, after)
			}
			fresh, err := os.Stat(filepath.Join(o.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if fresh.Mode() != c.mode || os.SameFile(fresh, after) != c.linked {
				t.Errorf("mode %v, the same file %v, want %v, %v", fresh.Mode(), os.SameFile(fresh, after), c.mode, c.linked)
			}
		})
	}
}
