package reports

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	claimpack "duizhang/reports/claim"
	"duizhang/rules"
)

// claimDir is the folder of the claim packs.
const claimDir = "claim"

// LineHashes gives SHA-256 of lines of an input table, which are sorted and
// distinct: the bytes as they are stored, without the line end.
type LineHashes func(ctx context.Context, table int32, lines []int32, each func(line int32, sum [32]byte) error) error

// ClaimOptions are what claim packs need besides the run.
type ClaimOptions struct {
	Tolerance  rules.Micro
	Agreements []rules.Agreement
	Signed     schema.Place // of the agreements
	Reading    claimpack.Reading
	Lines      LineHashes // nil: no packs are written
}

// A ClaimInfo is what the summary says of a provider's claim for a period.
type ClaimInfo struct {
	Provider string `json:"provider_pid"`
	Period   string `json:"period"`
	Amount   string `json:"amount"`
	Trades   int64  `json:"trades"` // that claim something
	Dir      string `json:"dir"`    // of the pack, "" for none
	Note     string `json:"note,omitempty"`
}

// A packKey is a provider and a period, by their words.
type packKey struct{ provider, period uint32 }

// A section is where the rows of a pack from one part stand in the spill.
type section struct {
	part       int
	at, length int64
}

// A claimSpill holds the rows that claim packs may be made of, until the end of the
// run tells which are. They wait on disk: one file, a section for each part and pack.
type claimSpill struct {
	mu       sync.Mutex
	file     *fsys.File
	end      int64
	sections map[packKey][]section
}

// claims takes the claims of a part.
func (w *Writer) claims(p *engine.Part) error {
	if w.opts.Claims.Lines == nil || p.Claims.Len() == 0 && w.keep == nil {
		return nil
	}
	texts := map[packKey][]byte{}
	for i := range p.Claims.Len() {
		key := packKey{p.Claims.Provider[i], p.Rebates.Period[p.Claims.Row[i]]}
		texts[key] = appendClaim(texts[key], p, i)
	}
	if w.keep != nil {
		if err := w.keep.keeper.Keep(p.Number, claimsSection, appendClaims(nil, texts)); err != nil {
			return err
		}
	}
	return w.spillClaims(p.Number, texts)
}

// spillClaims takes the claims of a part as rows of the spill.
func (w *Writer) spillClaims(part int, texts map[packKey][]byte) error {
	if len(texts) == 0 {
		return nil
	}
	s := &w.spilled
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		f, err := w.createTemp("claims-*")
		if err != nil {
			return err
		}
		s.file, s.sections = f, map[packKey][]section{}
	}
	for key, text := range texts {
		if _, err := s.file.WriteAt(text, s.end); err != nil {
			return fmt.Errorf("temporary file: %w", err)
		}
		s.sections[key] = append(s.sections[key], section{part, s.end, int64(len(text))})
		s.end += int64(len(text))
	}
	return nil
}

func (s *claimSpill) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = fsys.Remove(s.file.Name())
		s.file = nil
	}
}

// A claimRow is a row of the spill.
type claimRow struct {
	merchant, product, pid, store uint32
	outTradeNo, tradeNo           []byte
	cause                         rules.Cause
	basis, expected, stated, time int64
	agreement                     int32
	evidence                      []claimEvidence // reused
}

type claimEvidence struct {
	role                                                    engine.EvidenceRole
	table, line                                             int32
	tradeNo, outTradeNo, requestNo                          []byte
	time, amount, received, red, discount, rebate, adjusted int64
	provider, period                                        uint32
}

func appendClaim(b []byte, p *engine.Part, i int) []byte {
	c, r := &p.Claims, &p.Rebates
	row := c.Row[i]
	for _, v := range []uint32{r.Merchant[row], r.Product[row], r.ProviderPID[row], r.Store[row]} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	b = appendBytes(b, r.OutTradeNo.At(int(row)))
	b = appendBytes(b, r.TradeNo.At(int(row)))
	b = append(b, r.Cause[row])
	for _, v := range []int64{r.Basis[row], r.Expected[row], r.Stated[row], r.Time[row], int64(c.Agreement[i])} {
		b = binary.AppendVarint(b, v)
	}
	from := int32(0)
	if i > 0 {
		from = c.End[i-1]
	}
	e := &c.Evidence
	b = binary.AppendUvarint(b, uint64(c.End[i]-from))
	for k := int(from); k < int(c.End[i]); k++ {
		b = append(b, e.Role[k])
		b = binary.AppendUvarint(b, uint64(e.Place.Table[k]))
		b = binary.AppendUvarint(b, uint64(e.Place.Line[k]))
		b = appendBytes(b, e.TradeNo.At(k))
		b = appendBytes(b, e.OutTradeNo.At(k))
		b = appendBytes(b, e.RequestNo.At(k))
		for _, v := range []int64{e.Time[k], e.Amount[k], e.Received[k], e.Red[k], e.Discount[k], e.Rebate[k], e.Adjustment[k]} {
			b = binary.AppendVarint(b, v)
		}
		b = binary.AppendUvarint(b, uint64(e.Provider[k]))
		b = binary.AppendUvarint(b, uint64(e.Period[k]))
	}
	return b
}

func appendBytes(b, text []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// A claimReader reads rows of the spill.
type claimReader struct {
	in  *bufio.Reader
	err error
}

func (r *claimReader) word() uint32 {
	v, err := binary.ReadUvarint(r.in)
	r.err = errors.Join(r.err, err)
	return uint32(v)
}

func (r *claimReader) number() int64 {
	v, err := binary.ReadVarint(r.in)
	r.err = errors.Join(r.err, err)
	return v
}

func (r *claimReader) byte() byte {
	v, err := r.in.ReadByte()
	r.err = errors.Join(r.err, err)
	return v
}

func (r *claimReader) bytes(into []byte) []byte {
	n := int(r.word())
	if r.err != nil {
		return into[:0]
	}
	into = slices.Grow(into[:0], n)[:n]
	_, err := io.ReadFull(r.in, into)
	r.err = errors.Join(r.err, err)
	return into
}

// row reads one row; false is the end.
func (r *claimReader) row(row *claimRow) bool {
	if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
		return false
	}
	row.merchant, row.product, row.pid, row.store = r.word(), r.word(), r.word(), r.word()
	row.outTradeNo, row.tradeNo = r.bytes(row.outTradeNo), r.bytes(row.tradeNo)
	row.cause = rules.Cause(r.byte())
	row.basis, row.expected, row.stated, row.time = r.number(), r.number(), r.number(), r.number()
	row.agreement = int32(r.number())
	n := int(r.word())
	for len(row.evidence) < n && r.err == nil {
		row.evidence = append(row.evidence, claimEvidence{})
	}
	row.evidence = row.evidence[:min(n, len(row.evidence))]
	for k := range row.evidence {
		e := &row.evidence[k]
		e.role = engine.EvidenceRole(r.byte())
		e.table, e.line = int32(r.word()), int32(r.word())
		e.tradeNo, e.outTradeNo, e.requestNo = r.bytes(e.tradeNo), r.bytes(e.outTradeNo), r.bytes(e.requestNo)
		e.time, e.amount, e.received, e.red, e.discount = r.number(), r.number(), r.number(), r.number(), r.number()
		e.rebate, e.adjusted = r.number(), r.number()
		e.provider, e.period = r.word(), r.word()
	}
	return r.err == nil
}

// claimRow is what the row claims, in millionths.
func (row *claimRow) claim() int64 {
	if row.cause.Appeal() != rules.AppealClaimable {
		return 0
	}
	stated := row.stated
	if stated == schema.Null {
		stated = 0
	}
	return row.expected - stated
}

// each gives the rows of a pack in the order of the parts.
func (s *claimSpill) each(ctx context.Context, key packKey, row func(*claimRow) error) error {
	sections := s.sections[key]
	slices.SortFunc(sections, func(a, b section) int { return cmp.Compare(a.part, b.part) })
	var r claimRow
	in := bufio.NewReaderSize(nil, 1<<16)
	for _, sec := range sections {
		if err := ctx.Err(); err != nil {
			return err
		}
		in.Reset(io.NewSectionReader(s.file, sec.at, sec.length))
		reader := claimReader{in: in}
		for reader.row(&r) {
			if err := row(&r); err != nil {
				return err
			}
		}
		if reader.err != nil {
			return fmt.Errorf("temporary file: %w", reader.err)
		}
	}
	return nil
}

// A pack is a claim on its way into its folder.
type pack struct {
	key              packKey
	provider, period string
	groups           []*engine.RebateGroup // that claim something
	amount           rules.Sum
	whole            map[[2]uint32]bool // merchant and product whose trades are all listed
	left             map[[2]uint32]bool // merchant and product of which nothing can be shown
	earlier          rules.Sum          // what cannot be shown: its trades are of earlier days
	trades           int64
}

// A hashedLines are the lines of a table that some evidence names.
type hashedLines struct {
	lines []int32
	sums  [][32]byte
}

func (h *hashedLines) of(line int32) ([32]byte, bool) {
	i, ok := slices.BinarySearch(h.lines, line)
	if !ok || i >= len(h.sums) {
		return [32]byte{}, false
	}
	return h.sums[i], true
}

// claimPacks writes the packs: one for each provider and period with a claim. What
// the packs claim is what the groups of the run do, or the run has a fault.
func (w *Writer) claimPacks(ctx context.Context, r *engine.Result) error {
	o := &w.opts.Claims
	defer w.spilled.close()
	if o.Lines == nil {
		return nil
	}
	packs := w.packsOf(r)
	hashed := map[int32]*hashedLines{}
	for _, p := range packs {
		if err := w.surveyPack(ctx, p, hashed); err != nil {
			return err
		}
	}
	for table, h := range hashed {
		slices.Sort(h.lines)
		h.lines = slices.Compact(h.lines)
		h.sums = make([][32]byte, 0, len(h.lines))
		err := o.Lines(ctx, table, h.lines, func(line int32, sum [32]byte) error {
			if len(h.sums) >= len(h.lines) || h.lines[len(h.sums)] != line {
				return fmt.Errorf("%s: no line %d", r.Tables[table].File(), h.lines[min(len(h.sums), len(h.lines)-1)])
			}
			h.sums = append(h.sums, sum)
			return nil
		})
		if err == nil && len(h.sums) != len(h.lines) {
			err = fmt.Errorf("%s: no line %d", r.Tables[table].File(), h.lines[len(h.sums)])
		}
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
	}
	for _, p := range packs {
		if err := w.writePack(ctx, r, p, hashed); err != nil {
			return err
		}
	}
	return nil
}

// packsOf are the packs that the run's groups lead to, in the order of provider and
// period, and what is said of them. A provider or period that must not become a path
// has no pack.
func (w *Writer) packsOf(r *engine.Result) []*pack {
	codes := map[string]uint32{}
	for code, text := range w.opts.Words() {
		codes[text] = uint32(code)
	}
	byKey := map[[2]string]*pack{}
	var packs []*pack
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.Claimable.Sign() <= 0 {
			continue
		}
		shown := g.Claimable.Sub(g.EarlierClaim)
		name := [2]string{g.Provider, g.Period}
		p := byKey[name]
		if p == nil {
			p = &pack{
				key: packKey{codes[g.Provider], codes[g.Period]}, provider: g.Provider, period: g.Period, whole: map[[2]uint32]bool{},
				left: map[[2]uint32]bool{},
			}
			byKey[name] = p
			packs = append(packs, p)
		}
		p.earlier.AddSum(g.EarlierClaim)
		if shown.Sign() <= 0 {
			p.left[[2]uint32{codes[g.Merchant], codes[g.Product]}] = true
			continue
		}
		p.groups = append(p.groups, g)
		p.amount.AddSum(shown)
		if len(g.Aggregated) > 0 {
			p.whole[[2]uint32{codes[g.Merchant], codes[g.Product]}] = true
		}
	}
	slices.SortFunc(packs, func(a, b *pack) int {
		return cmp.Or(strings.Compare(a.provider, b.provider), strings.Compare(a.period, b.period))
	})
	kept := packs[:0]
	for _, p := range packs {
		if p.earlier.Sign() > 0 {
			w.claimed = append(w.claimed, ClaimInfo{
				Provider: p.provider, Period: p.period, Amount: p.earlier.String6(),
				Note: w.opts.Lang.pick("这些交易是以前业务日的，本次输入里没有它们的原始行；要证据请把那些日子的文件一并放入重跑",
					"trades of earlier days, whose rows are in no input: for a pack with evidence, run with the files of those days too"),
			})
		}
		if p.amount.IsZero() {
			continue
		}
		if claimpack.Folder(p.provider, p.period) != "" {
			kept = append(kept, p)
			continue
		}
		w.claimed = append(w.claimed, ClaimInfo{
			Provider: p.provider, Period: p.period, Amount: p.amount.String6(),
			Note: w.opts.Lang.pick("服务商 PID 或账期不合规，没有生成申诉包", "no pack: the PID is not 16 digits, or the period no month or day"),
		})
	}
	return kept
}

// surveyPack finds which groups of the pack are listed whole, and which lines its
// evidence names.
func (w *Writer) surveyPack(ctx context.Context, p *pack, hashed map[int32]*hashedLines) error {
	o := &w.opts.Claims
	need := func(table, line int32) {
		h := hashed[table]
		if h == nil {
			h = &hashedLines{}
			hashed[table] = h
		}
		h.lines = append(h.lines, line)
	}
	err := w.spilled.each(ctx, p.key, func(row *claimRow) error {
		if row.claim() != 0 && row.agreement >= 0 && o.Agreements[row.agreement].Rounding == rules.RoundPeriod {
			p.whole[[2]uint32{row.merchant, row.product}] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range p.groups {
		for _, a := range g.Aggregated {
			need(a.Table, a.Line)
		}
	}
	for i := range o.Signed.Table {
		need(o.Signed.Table[i], o.Signed.Line[i])
	}
	return w.spilled.each(ctx, p.key, func(row *claimRow) error {
		if p.lists(row) {
			for i := range row.evidence {
				need(row.evidence[i].table, row.evidence[i].line)
			}
		}
		return nil
	})
}

// lists reports whether the row is in the pack.
func (p *pack) lists(row *claimRow) bool {
	of := [2]uint32{row.merchant, row.product}
	return !p.left[of] && (row.claim() != 0 || p.whole[of])
}

// writePack writes one pack.
func (w *Writer) writePack(ctx context.Context, r *engine.Result, p *pack, hashed map[int32]*hashedLines) (err error) {
	temp, err := w.tempDir()
	if err != nil {
		return err
	}
	name := claimpack.Folder(p.provider, p.period)
	m := claimpack.Manifest{
		Version: w.opts.Job.Version, Lang: w.opts.Lang.String(), Provider: p.provider, Period: p.period, Date: r.Date,
		Reading: w.opts.Claims.Reading,
	}
	inputs := map[int32]int{}
	for i, t := range r.Inputs() {
		statement := t.Kind == schema.Rebate && !t.Refused
		if hashed[int32(i)] == nil && !statement {
			continue
		}
		inputs[int32(i)] = len(m.Inputs)
		m.Inputs = append(m.Inputs, claimpack.Input{Path: inputPath(t.Path), Member: t.Member, Kind: t.Kind.String(), Bytes: t.Bytes, SHA256: t.SHA256})
	}
	out, err := claimpack.Create(m, claimpack.Options{
		Dir: filepath.Join(w.opts.Dir, claimDir, name), Temp: temp, Mode: w.opts.Mode, DirMode: w.dirMode(), Tolerance: w.opts.Claims.Tolerance,
	})
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	f := &packFiller{w: w, p: p, out: out, inputs: inputs, hashed: hashed, words: w.opts.Words()}
	if err := errors.Join(f.shared(), w.spilled.each(ctx, p.key, f.row)); err != nil {
		return errors.Join(err, out.Abort())
	}
	total, err := out.Close()
	if err != nil {
		return errors.Join(fmt.Errorf("output: %w", err), out.Abort())
	}
	if !total.Equal(p.amount) {
		return &engine.InvariantError{Invariant: engine.Invariant{Name: "claim/" + name, Left: total.String6(), Right: p.amount.String6()}}
	}
	w.claimed = append(w.claimed, ClaimInfo{
		Provider: p.provider, Period: p.period, Amount: p.amount.String6(), Trades: p.trades, Dir: path.Join(claimDir, name),
	})
	return nil
}

// inputPath is a path that stays below a folder, whatever the input's is: a pack is
// checked on another machine.
func inputPath(name string) string {
	name = path.Clean(filepath.ToSlash(name))
	if volume := filepath.VolumeName(name); volume != "" {
		name = name[len(volume):]
	}
	for {
		short := strings.TrimPrefix(strings.TrimPrefix(name, "../"), "/")
		if short == name {
			return name
		}
		name = short
	}
}

// A packFiller turns rows of the spill into those of the pack.
type packFiller struct {
	w        *Writer
	p        *pack
	out      *claimpack.Writer
	inputs   map[int32]int
	hashed   map[int32]*hashedLines
	words    []string
	evidence []claimpack.Evidence // reused
}

// place fills in where an evidence row stands.
func (f *packFiller) place(e *claimpack.Evidence, table, line int32) error {
	sum, ok := f.hashed[table].of(line)
	if !ok {
		return fmt.Errorf("claim: no line %d of table %d", line, table)
	}
	e.Input, e.Line, e.LineSum = f.inputs[table], line, sum
	return nil
}

func blankEvidence(role claimpack.Role) claimpack.Evidence {
	const null = schema.Null
	return claimpack.Evidence{Role: role, Time: null, Amount: null, Received: null, Red: null, Discount: null, Rebate: null, Adjustment: null}
}

// shared writes what belongs to no trade: the provider's agreements, and the rows
// that pay groups in one sum.
func (f *packFiller) shared() error {
	o := &f.w.opts.Claims
	used := map[int32]bool{}
	err := f.w.spilled.each(context.Background(), f.p.key, func(row *claimRow) error {
		if f.p.lists(row) && row.agreement >= 0 {
			used[row.agreement] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range o.Agreements {
		if !used[int32(i)] {
			continue
		}
		a := &o.Agreements[i]
		e := blankEvidence(claimpack.RoleAgreement)
		e.Row, e.Agreement, e.Provider, e.Product = int64(i+1), a, a.Provider, a.Product
		if err := f.place(&e, o.Signed.Table[i], o.Signed.Line[i]); err != nil {
			return err
		}
		if err := f.out.Shared(&e); err != nil {
			return err
		}
	}
	for _, g := range f.p.groups {
		for _, a := range g.Aggregated {
			e := blankEvidence(claimpack.RoleAggregated)
			e.Provider, e.Merchant, e.Product, e.Period = g.Provider, g.Merchant, g.Product, g.Period
			e.Rebate, e.Adjustment = a.Rebate, a.Adjustment
			if err := f.place(&e, a.Table, a.Line); err != nil {
				return err
			}
			if err := f.out.Shared(&e); err != nil {
				return err
			}
		}
	}
	return nil
}

var claimRoles = map[engine.EvidenceRole]claimpack.Role{
	engine.EvidenceBill: claimpack.RoleBill, engine.EvidenceRefund: claimpack.RoleRefund, engine.EvidencePOS: claimpack.RolePOS, engine.EvidenceStatement: claimpack.RoleStatement,
}

func (f *packFiller) row(row *claimRow) error {
	if !f.p.lists(row) {
		return nil
	}
	t := claimpack.Trade{
		Merchant: f.words[row.merchant], OutTradeNo: string(row.outTradeNo), TradeNo: string(row.tradeNo), Product: f.words[row.product],
		PID: f.words[row.pid], Store: f.w.opts.Privacy.mobiles(f.words[row.store]), Time: row.time, Agreement: int(row.agreement) + 1,
		Basis: rules.Fen(row.basis), Expected: rules.Micro(row.expected), Cause: row.cause,
	}
	if row.stated != schema.Null {
		t.Paid, t.HasPaid = rules.Micro(row.stated), true
	}
	if f.p.whole[[2]uint32{row.merchant, row.product}] {
		f.out.Whole(t.Merchant, t.Product)
	}
	f.evidence = f.evidence[:0]
	for i := range row.evidence {
		in := &row.evidence[i]
		e := blankEvidence(claimRoles[in.role])
		e.TradeNo, e.OutTradeNo, e.RequestNo = string(in.tradeNo), string(in.outTradeNo), string(in.requestNo)
		e.Time, e.Amount, e.Received, e.Red, e.Discount = in.time, in.amount, in.received, in.red, in.discount
		e.Rebate, e.Adjustment = in.rebate, in.adjusted
		switch e.Role {
		case claimpack.RolePOS:
			e.Provider = t.PID
		case claimpack.RoleStatement:
			e.Provider, e.Product, e.Period = f.words[in.provider], t.Product, f.words[in.period]
		case claimpack.RoleAgreement, claimpack.RoleAggregated, claimpack.RoleBill, claimpack.RoleRefund:
		}
		if err := f.place(&e, in.table, in.line); err != nil {
			return err
		}
		f.evidence = append(f.evidence, e)
	}
	if t.Claim() != 0 {
		f.p.trades++
	}
	return f.out.Trade(&t, f.evidence)
}
