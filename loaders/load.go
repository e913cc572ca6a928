package loaders

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An Input is one file of the job.
type Input struct {
	Kind schema.InputKind // 0 in Inspect: any
	Path string           // to open
	Name string           // relative to the job file, with slashes: what outputs show
}

// Options say how to read.
type Options struct {
	Words *schema.Words
	// Columns are the job's extra header names: canonical column → names.
	Columns         map[schema.InputKind]map[string][]string
	StatementPID    string // rebate.statement_pid
	DefaultMerchant string // PID of a bill without an account in header or name
	// Policy tells which fund_channel of API messages is which fund; nil is the
	// built-in smart_store.
	Policy  rules.Policy
	Workers int    // 0: one for each processor
	Lang    string // zh or en, for the texts of problems
	// Progress is told now and then how many bytes of an input file were read,
	// as stored, and how many rows were found in it. It may be nil and is called
	// from several goroutines.
	Progress func(name string, bytes, rows int64)

	// Listed is told the tables, by number, before their rows come; of each only
	// the path and the member are known then. It may be nil.
	Listed func([]*schema.Table)

	// References is told the reference data before the rows come, which is when it is
	// whole. It may be nil.
	References func(*schema.Registry)

	// Known gives the tables of a file whose rows an earlier run has kept, in order;
	// nil of a file that is to be read. Such a file is not opened: its tables have their
	// numbers among the others, and are as they were. It may be nil.
	Known func(name string) []*schema.Table

	// Messages of API logs wait until all logs are read. Those beyond MessageBudget
	// bytes are put away by Spill, which borrows the data; 0 or nil keeps all of them.
	MessageBudget int64
	Spill         func(data []byte) (Spilled, error)

	chunkSize int // of the tests; 0 is the default
	caches    *wordCaches
}

// A Result is what was read beside the rows themselves.
type Result struct {
	// Tables are sorted by path, then member. The index of a table is the Table
	// number in rows and rejects.
	Tables   []*schema.Table
	Registry *schema.Registry
}

// Load reads all inputs: the rows of bills, POS orders, POS refunds and rebate
// statements into the sink, the reference kinds into the registry. References are
// read first.
//
// A refused file does not stop the others. Its tables have Refused set, and
// their Problems say why; a table may be found refused only at its end (cut off,
// a second account), when rows of it have been handed over. An error is returned
// for the context and for what the sink returns alone.
func Load(ctx context.Context, inputs []Input, opt Options, sink schema.Sink) (*Result, error) {
	r := newRun(inputs, opt, sink)
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return &Result{Tables: r.schemaTables(), Registry: r.registry}, nil
}

// A run is one call of Load or Inspect.
type run struct {
	opt      Options
	sink     schema.Sink // nil in Inspect
	registry *schema.Registry
	messages *messageLog
	files    []*inputFile
	tables   []*tableRun
	maxRows  int // first rows that Inspect keeps of each table
}

// An inputFile is one file of the run.
type inputFile struct {
	Input
	read atomic.Int64 // bytes as stored
	rows atomic.Int64
	hash fileHash
	kept []*schema.Table // of a file that is not read again
	book *workbook       // of an XLSX, open until the run ends
}

// A tableRun is one table of the run, from listing to the last row.
type tableRun struct {
	*tableReader
	file   *inputFile
	member member
	sheet  *xlsxSheet // workbooks

	known      *format
	bom        bool
	headerLine int32
	newParser  func() rowParser
	parsers    []rowParser    // one a worker, made when first needed
	pending    sync.WaitGroup // chunks not yet parsed
	firstRows  []string
	isKept     bool   // an earlier run has read it
	whole      []byte // all of a small table, which the probe has read to its end; else nil
	stranger   bool   // a member of no known format, in an archive that has others

	encodingKnown bool // the head of a table of no known format is text
}

func newRun(inputs []Input, opt Options, sink schema.Sink) *run {
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Words == nil {
		opt.Words = schema.NewWords()
	}
	if opt.chunkSize <= 0 {
		opt.chunkSize = defaultChunk
	}
	opt.caches = new(wordCaches)
	r := &run{opt: opt, sink: sink, registry: &schema.Registry{}, messages: &messageLog{budget: opt.MessageBudget, spill: opt.Spill}}
	for _, in := range inputs {
		f := &inputFile{Input: in}
		if opt.Known != nil {
			f.kept = opt.Known(in.Name)
		}
		r.files = append(r.files, f)
	}
	return r
}

// read is the whole of a run, one line a step.
func (r *run) read(ctx context.Context) error {
	defer r.closeBooks()
	hashes, hashCtx := errgroup.WithContext(ctx)
	hashes.Go(func() error { return r.hash(hashCtx) })
	if err := r.list(ctx); err != nil {
		return err
	}
	if r.opt.Listed != nil {
		r.opt.Listed(r.schemaTables())
	}
	if err := r.probe(ctx); err != nil {
		return err
	}
	r.checkArchives()
	if err := r.readReferences(ctx); err != nil {
		return err
	}
	if r.opt.References != nil {
		r.opt.References(r.registry)
	}
	if err := r.readRows(ctx); err != nil {
		return err
	}
	if err := r.assembleMessages(ctx); err != nil {
		return err
	}
	if err := hashes.Wait(); err != nil {
		return err
	}
	r.compareSummaries()
	r.compareRebateSummaries()
	r.settleAccounts()
	r.compareAccountSummaries()
	r.complete()
	return ctx.Err()
}

// hash takes SHA-256 and size of every input, beside the reading. A file that
// cannot be read is reported by the reading.
func (r *run) hash(ctx context.Context) error {
	buf := make([]byte, hashBuffer)
	for _, f := range r.files {
		if f.kept != nil {
			continue
		}
		if hash, err := hashFile(ctx, f.Path, buf); err == nil {
			f.hash = hash
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// list finds all tables and numbers them.
func (r *run) list(ctx context.Context) error {
	found := make([][]*tableRun, len(r.files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opt.Workers)
	for i, f := range r.files {
		g.Go(func() error {
			found[i] = r.listFile(f)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.tables = slices.Concat(found...)
	slices.SortStableFunc(r.tables, func(a, b *tableRun) int {
		return cmp.Or(
			cmp.Compare(a.table.Path, b.table.Path),
			cmp.Compare(a.table.Member, b.table.Member),
			cmp.Compare(a.member.index, b.member.index),
			cmp.Compare(a.file.Kind, b.file.Kind),
		)
	})
	for i, t := range r.tables {
		t.number = int32(i)
	}
	return nil
}

// listFile lists the tables of one file. A file that cannot be listed is one
// refused table.
func (r *run) listFile(f *inputFile) []*tableRun {
	if f.kept != nil {
		return r.keptTables(f)
	}
	members, encrypted, unsafe, err := listMembers(f.Path)
	whole := r.newTable(f, member{kind: plainFile})
	switch {
	case err != nil:
		whole.fail(openError(whole.table, err, r.opt.Lang))
		return []*tableRun{whole}
	case encrypted != "":
		whole.fail(&FileError{
			Code: "archive_encrypted", Pos: schema.Pos{File: f.Name}, Value: encrypted, Lang: r.opt.Lang,
			Advice: say(r.opt.Lang, "加密的压缩包通常是支付宝个人账单，不是商家账单；请用密码解压后再确认",
				"an encrypted archive is usually the personal export, not a merchant's bill; unpack it with its password first"),
		})
		return []*tableRun{whole}
	case unsafe != "":
		whole.fail(&FileError{
			Code: "archive_unsafe", Pos: schema.Pos{File: f.Name}, Lang: r.opt.Lang,
			Detail: say(r.opt.Lang, unsafe+" 个成员，最多 "+itoa(maxMembers)+" 个",
				unsafe+" members, at most "+itoa(maxMembers)),
		})
		return []*tableRun{whole}
	case len(members) == 1 && members[0].kind == xlsxFile:
		return r.listSheets(f, members[0])
	case len(members) == 0:
		whole.fail(&FileError{
			Code: "unrecognised", Pos: schema.Pos{File: f.Name}, Lang: r.opt.Lang,
			Detail: say(r.opt.Lang, "压缩包是空的", "the archive is empty"),
		})
		return []*tableRun{whole}
	}
	tables := make([]*tableRun, len(members))
	for i, m := range members {
		tables[i] = r.newTable(f, m)
	}
	return tables
}

// keptTables are the tables of a file that an earlier run has read.
func (r *run) keptTables(f *inputFile) []*tableRun {
	tables := make([]*tableRun, len(f.kept))
	for i, t := range f.kept {
		tables[i] = r.newTable(f, member{kind: plainFile, name: t.Member, index: i})
		tables[i].table, tables[i].isKept = t, true
	}
	return tables
}

func (r *run) newTable(f *inputFile, m member) *tableRun {
	return &tableRun{
		tableReader: &tableReader{
			table: &schema.Table{
				Path: f.Name, Member: m.name,
				From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
			},
			kind: f.Kind, opt: &r.opt, sink: r.sink, registry: r.registry, messages: r.messages,
			charset: newCharset(charsetOpen), comma: ',', inspected: r.sink == nil,
		},
		file: f, member: m,
	}
}

// fail refuses the table.
func (t *tableRun) fail(err *FileError) {
	t.table.Refused = true
	t.table.Format = ""
	t.problem(err.problem())
}

// probe reads the head of every table and decides what it is.
func (r *run) probe(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opt.Workers)
	for _, t := range r.tables {
		if t.table.Refused || t.isKept {
			continue
		}
		g.Go(func() error {
			r.probeTable(t)
			return ctx.Err()
		})
	}
	return g.Wait()
}

// isReference tells the kinds that fill the registry from those with rows.
func isReference(kind schema.InputKind) bool {
	switch kind {
	case schema.AgreementsKind, schema.ProvidersKind, schema.MerchantsKind, schema.StoresKind,
		schema.GoodsKind, schema.CouponsKind, schema.DevicesKind, schema.DevicePoliciesKind, schema.DeviceRewardsKind:
		return true
	case schema.AlipayBill, schema.AlipayAccount, schema.PosOrders, schema.PosRefundsKind, schema.Rebate,
		schema.TaobaoOrders, schema.KukeduoOrders, schema.PosAPI:
	}
	return false
}

// readable tells whether a table has rows to read.
func (t *tableRun) readable() bool { return !t.table.Refused && t.newParser != nil }

// readReferences reads the reference tables one after the other, in order: the
// first of two rows with one identity counts.
func (r *run) readReferences(ctx context.Context) error {
	for _, t := range r.tables {
		if t.readable() && isReference(t.table.Kind) {
			if err := r.readSerially(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRows reads all other tables: feeders unpack and cut, workers parse.
func (r *run) readRows(ctx context.Context) error {
	var tables []*tableRun
	for _, t := range r.tables {
		if t.readable() && !isReference(t.table.Kind) {
			tables = append(tables, t)
		}
	}
	if len(tables) == 0 {
		return ctx.Err()
	}
	feeders := min(r.opt.Workers, len(tables))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newPipeline(r.opt.Workers, feeders, r.opt.chunkSize)
	var workers sync.WaitGroup
	for w := range r.opt.Workers {
		workers.Go(func() { p.work(ctx, cancel, w) })
	}
	feed, feedCtx := errgroup.WithContext(ctx)
	feed.SetLimit(feeders)
	for _, t := range tables {
		feed.Go(func() error { return r.readTable(feedCtx, p, t) })
	}
	err := feed.Wait()
	close(p.chunks)
	workers.Wait()
	if ctx.Err() != nil { // what made it end: the sink, or the caller
		return context.Cause(ctx)
	}
	return err
}

// complete fills in what is known at the end.
func (r *run) complete() {
	for _, t := range r.tables {
		if t.isKept {
			continue
		}
		t.cutProblems()
		tab := t.table
		tab.Problems, tab.More = t.problems, t.more
		tab.Rows = t.rows - t.skipped
		tab.Rejected = t.rejected
		if !tab.Refused { // else none of its rows is used
			tab.Accepted = tab.Rows - tab.Rejected
		}
		tab.SHA256, tab.Bytes = t.file.hash.sum, t.file.hash.bytes
		if t.known != nil || t.encodingKnown {
			tab.Encoding = t.encodingName()
		}
		slices.SortStableFunc(tab.Controls, func(a, b schema.Control) int { return cmp.Compare(a.Name, b.Name) })
	}
}

func (t *tableRun) encodingName() string {
	switch {
	case t.isXLSX:
		return "xlsx"
	case t.bom:
		return "utf-8-bom"
	}
	return t.charset.String()
}

func (r *run) schemaTables() []*schema.Table {
	tables := make([]*schema.Table, len(r.tables))
	for i, t := range r.tables {
		tables[i] = t.table
	}
	return tables
}

// progress tells the caller how far a file is.
func (t *tableRun) progress() {
	if t.opt.Progress != nil {
		t.opt.Progress(t.file.Name, t.file.read.Load(), t.file.rows.Load())
	}
}
