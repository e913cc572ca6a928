package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/spill"
	"duizhang/loaders"
	"duizhang/reports"
)

// maxJobFile bounds a job file: what is larger is something else.
const maxJobFile = 1 << 20

// readJob reads and checks a job file, with what the command line sets in it;
// every error is one of usage.
func (a *app) readJob(file, date string, set ...string) (*job.Job, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, usage(a.say("%s: 没有这个作业文件", "%s: no such job file", file),
			a.say("duizhang init 会为一个文件夹写作业文件", "duizhang init writes a job file for a folder"))
	case err != nil:
		return nil, &failure{status: exitUsage, err: err}
	case info.IsDir():
		return nil, usage(a.say("%s: 是文件夹，不是作业文件", "%s: is a folder, not a job file", file),
			a.say("duizhang init %s 会写一份作业文件", "duizhang init %s writes a job file", file))
	case info.Size() > maxJobFile:
		return nil, usage(a.say("%s: 太大，不是作业文件", "%s: too large for a job file", file), "")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	j, err := job.Parse(file, data, job.Options{Lang: a.lang, Date: date, Now: a.now(), Set: set})
	if err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	if a.langGiven {
		j.Output.Lang = a.lang
	} else {
		a.lang = j.Output.Lang // from here on the run speaks the job's language
	}
	return j, nil
}

// A session is a job whose inputs are being, or have been, read.
type session struct {
	app    *app
	job    *job.Job
	inputs []job.Input
	words  *schema.Words
	store  *engine.Store
	tables []*schema.Table // of the inputs
	all    []*schema.Table // and behind them those of the rows that earlier days carried

	drift   *driftCheck // what the inputs looked like before; nil: nothing is known
	missing job.Missing // patterns that found no file
	timings timings
	workers int
	dry     bool
	watch   *watch

	messages messageSpill

	late    *lateStart // of a late run: what its day's earlier run has kept; else nil
	keeping *keeping   // what the run keeps; nil for nothing

	mu      sync.Mutex
	rejects []schema.Reject // what the loaders rejected
}

// sizing is how much of the machine a session may use.
type sizing struct {
	memory  int64
	workers int
	spill   string
	dry     bool // read the inputs and keep no rows
	profile *profile

	layout engine.Layout // blank: as the inputs are large
	watch  *watch        // looks at the rows; may be nil

	past *jobState // where a run keeps what a later one of its day may use; nil: nothing is kept
	anew bool      // nothing of an earlier run is used
}

// load reads the inputs of a job. Files that are missing or refused are no error
// here: they are in missing and tables, and incomplete tells. The caller closes
// the session.
func (a *app) load(ctx context.Context, j *job.Job, size sizing, show progress) (*session, error) {
	s := &session{app: a, job: j, words: schema.NewWords(), workers: size.workers, dry: size.dry, watch: size.watch}
	s.timings.now, s.timings.profile = a.now, size.profile
	inputs, notes, err := j.Files()
	for _, note := range notes {
		a.note(note)
	}
	if err != nil {
		var ok bool
		if s.missing, ok = errors.AsType[job.Missing](err); !ok {
			return nil, err
		}
	}
	s.inputs = inputs
	bytes := inputBytes(inputs)
	if j.Engine.Layout = size.layout; j.Engine.Layout.Partitions == 0 {
		j.Engine.Layout = layoutFor(bytes, billBytes(inputs))
	}
	opt := engine.StoreOptions{
		Layout: j.Engine.Layout, Budget: storeBudget(size.memory), SpillDir: size.spill, History: j.StateDir() != "",
	}
	if err := s.beginLate(ctx, size); err != nil {
		return nil, err
	}
	if s.keeping != nil { // else the interface would not be nil
		opt.Keep = s.keeping
	}
	opt.Words = s.words
	s.store = engine.NewStore(opt)
	s.messages.dir, s.messages.budget = size.spill, messageBudget(size.memory)
	if err := s.read(ctx, bytes, show); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.messages.close(); err != nil { // all are orders and refunds now
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// Tests set these: how rows are divided, and that no run uses what another has kept.
var (
	layoutFor  = engine.LayoutFor
	runsInFull bool
)

// beginLate finds whether the run is a late one, and whether it keeps what it finds.
func (s *session) beginLate(ctx context.Context, size sizing) error {
	if size.past == nil || len(s.missing) > 0 {
		return nil
	}
	if !size.anew && !runsInFull {
		if late := size.past.late(s.job); late != nil {
			ok, err := late.match(ctx, s.inputs, s.workers)
			if err != nil {
				return err
			}
			if ok {
				s.late = late
				letGrow(min(size.memory/8, lateHeap))
				for _, word := range late.earlier.Words() { // they keep their codes
					s.words.Code(word)
				}
			}
		}
	}
	s.keeping = size.past.keeping(s.job, s.late)
	if s.keeping == nil {
		s.late = nil
		return nil
	}
	s.keeping.stamp(s.inputs, s.app.now())
	return nil
}

// A messageSpill is where the messages of API logs wait that are beyond their budget.
type messageSpill struct {
	dir    string
	budget int64

	mu   sync.Mutex
	file *spill.File // made when first needed
}

// put writes data and tells how to have it again.
func (m *messageSpill) put(data []byte) (loaders.Spilled, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		file, err := spill.Create(m.dir)
		if err != nil {
			return nil, err
		}
		m.file = file
	}
	file := m.file
	blocks, err := file.Put(data, []uint32{uint32(len(data))})
	return func(dst []byte) ([]byte, error) { return file.Get(dst, &blocks, 0) }, err
}

func (m *messageSpill) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file = nil
	return file.Close()
}

func (s *session) read(ctx context.Context, bytes int64, show progress) error {
	defer s.timings.start("load")()
	files := make([]loaders.Input, len(s.inputs))
	for i, in := range s.inputs {
		files[i] = loaders.Input{Kind: in.Kind, Path: in.Path, Name: in.Name}
	}
	done := newByteCount(bytes, func(done int64) { show.stage("load", done, bytes) })
	opt := loaders.Options{
		Words: s.words, Columns: s.job.Columns, StatementPID: s.job.StatementPID,
		Policy: s.job.Engine.Policy, DefaultMerchant: s.job.Engine.DefaultMerchant, Workers: s.workers, Lang: s.job.Output.Lang.String(),
		References: s.references,
		Progress:   done.file, MessageBudget: s.messages.budget, Spill: s.messages.put,
	}
	if s.late != nil {
		opt.Known = func(name string) []*schema.Table { return s.late.known[name] }
	}
	result, err := loaders.Load(ctx, files, opt, s)
	if err != nil {
		return err
	}
	if s.late != nil && !s.late.apart(result.Tables) {
		return engine.ErrAnew
	}
	show.stage("load", bytes, bytes)
	s.tables = result.Tables
	s.job.Engine.Registry = result.Registry
	for _, m := range s.missing {
		s.tables = append(s.tables, missingTable(m))
	}
	s.all = s.tables
	return nil
}

// references hands the reference data on to the engine, before the rows.
func (s *session) references(reg *schema.Registry) {
	if !s.dry {
		s.store.KnowMerchants(reg, s.job.Engine.DefaultMerchant)
	}
}

// Batch hands a batch on to the engine.
func (s *session) Batch(ctx context.Context, b schema.Batch) error {
	if s.watch != nil {
		if err := s.watch.batch(b); err != nil {
			return err
		}
	}
	if s.dry {
		return ctx.Err()
	}
	return s.store.Batch(ctx, b)
}

// Reject hands a reject on to the engine, and keeps it for a run that ends
// before the engine begins.
func (s *session) Reject(r schema.Reject) {
	s.mu.Lock()
	s.rejects = append(s.rejects, r)
	s.mu.Unlock()
	if !s.dry {
		s.store.Reject(r)
	}
}

// close lets go of what the session holds on disk.
func (s *session) close() error {
	s.keeping.drop()
	return errors.Join(s.messages.close(), s.store.Close())
}

// missingTable stands for a pattern that found nothing, so that every list of
// inputs shows it.
func missingTable(m job.Problem) *schema.Table {
	return &schema.Table{
		Path: m.Value, From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
		Refused:  true,
		Problems: []schema.Problem{{Code: codeMissing, Column: m.Pos.Name, Value: m.Value, Message: m.Text}},
	}
}

// missing tells whether the table stands for a pattern that found nothing.
func missing(t *schema.Table) bool {
	return t.Refused && len(t.Problems) > 0 && t.Problems[0].Code == codeMissing
}

const codeMissing = "missing"

// incomplete tells whether an input is missing, refused, or fails its control
// total: exit status 3.
func (s *session) incomplete() bool {
	return slices.ContainsFunc(s.tables, func(t *schema.Table) bool { return t.Refused || !controlsHold(t) })
}

func controlsHold(t *schema.Table) bool {
	return !slices.ContainsFunc(t.Controls, func(c schema.Control) bool { return c.Holds != nil && !*c.Holds })
}

// complainInputs says what is wrong with the inputs, each with its place.
func (s *session) complainInputs() {
	a := s.app
	for _, m := range s.missing {
		a.complain(m.Error(), "")
	}
	found := s.tables[:len(s.tables)-len(s.missing)]
	for _, t := range found {
		if t.Refused || !controlsHold(t) {
			a.complainTable(t)
		}
	}
}

// complainTable says why a table is refused or not complete.
func (a *app) complainTable(t *schema.Table) {
	for _, p := range t.Problems {
		if !t.Refused && p.Code != "control_total" {
			continue
		}
		pos := schema.Pos{File: t.File(), Line: p.Line, Name: p.Column}
		a.complain(lang.Plain(pos.String())+": "+reports.Mask.Text(p.Message), "")
	}
}

// checkPrimary settles which provider wrong PIDs are measured by (rules 6).
func (s *session) checkPrimary() error {
	reg := s.job.Engine.Registry
	if !s.job.Given(schema.AgreementsKind) && !s.job.Given(schema.ProvidersKind) {
		return nil
	}
	if slices.ContainsFunc(s.tables, func(t *schema.Table) bool { return t.Refused }) {
		return nil // the list may be short of the one that counts
	}
	if s.job.Given(schema.ProvidersKind) {
		primary := 0
		for _, p := range reg.Providers {
			if p.Primary {
				primary++
			}
		}
		if primary == 1 {
			return nil
		}
		return s.wrongPrimary(schema.ProvidersKind, s.app.say("应恰有一个 primary 服务商，现有 %d 个", "exactly one provider must be primary; there are %d", primary),
			s.app.say("在 providers 文件里把一行的 primary 设为 true，其余为 false", "set primary to true in one row of the providers file, and to false in the others"))
	}
	pids := map[string]bool{}
	for i := range reg.Agreements {
		pids[reg.Agreements[i].Provider] = true
	}
	if len(pids) == 1 {
		return nil
	}
	return s.wrongPrimary(schema.AgreementsKind, s.app.say("协议里有 %d 个服务商 PID，无法确定主 PID", "%d provider PIDs have agreements, and none is known to be the primary one", len(pids)),
		s.app.say("请加上 providers 文件，并把其中一个设为 primary", "add a providers file in which one is primary"))
}

// wrongPrimary is the error of a file that does not tell the primary provider.
// Where rows of it were rejected, they are the likely cause and are named.
func (s *session) wrongPrimary(kind schema.InputKind, text, hint string) error {
	if rows := s.rejectedRows(kind); rows != "" {
		all := !slices.ContainsFunc(s.tables, func(t *schema.Table) bool { return t.Kind == kind && t.Accepted > 0 })
		switch {
		case !all:
			text += s.app.say("；被拒收的行：", "; rejected rows: ") + rows
		case kind == schema.AgreementsKind:
			text = s.app.say("协议文件的行全部被拒收：", "all rows of the agreements are rejected: ") + rows
		default:
			text = s.app.say("服务商文件的行全部被拒收：", "all rows of the providers are rejected: ") + rows
		}
		hint = s.app.say("改正这些行后重跑", "put these rows right and run again")
	}
	return &failure{status: exitUsage, err: job.Problem{Pos: s.job.Place("inputs." + kind.String()), Text: text}, hint: hint}
}

// rejectedRows names the first rejected rows of a kind, or is empty.
func (s *session) rejectedRows(kind schema.InputKind) string {
	const named = 3
	var parts []string
	total := 0
	for _, t := range s.tables {
		if t.Kind != kind {
			continue
		}
		total += int(t.Rejected)
		for _, p := range t.Problems {
			if p.Line > 0 && len(parts) < named {
				part := t.File() + ":" + strconv.Itoa(p.Line)
				if p.Column != "" {
					part += " " + p.Column + " " + strconv.Quote(reports.Mask.Text(p.Value))
				}
				parts = append(parts, part+" ("+p.Code+")")
			}
		}
	}
	if total == 0 {
		return ""
	}
	text := strings.Join(parts, ", ")
	if total > len(parts) {
		text += s.app.say(" 等 %d 行", " … %d in all", total)
	}
	return text
}

// fillRaw reads the lines of rejects that the engine made, which has no files.
func (s *session) fillRaw(ctx context.Context, rejects []schema.Reject) error {
	wanted := map[int32][]int32{}
	for i := range rejects {
		if r := &rejects[i]; r.Raw == "" && r.Line > 0 && !s.all[r.Table].Carried() { // a carried row's file may be gone
			wanted[r.Table] = append(wanted[r.Table], r.Line)
		}
	}
	raw, err := s.rawLines(ctx, wanted)
	if err != nil {
		return err
	}
	for i := range rejects {
		if r := &rejects[i]; r.Raw == "" {
			r.Raw = raw[place{r.Table, r.Line}]
		}
	}
	return nil
}

// A place is a line of an input table.
type place struct{ table, line int32 }

// rawLines reads lines as they are written, by table.
func (s *session) rawLines(ctx context.Context, wanted map[int32][]int32) (map[place]string, error) {
	raw := map[place]string{}
	for _, number := range sortedKeys(wanted) {
		t := s.all[number]
		lines := wanted[number]
		slices.Sort(lines)
		found, err := loaders.ShownLines(ctx, s.pathOf(t), t, slices.Compact(lines))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.File(), err)
		}
		for line, text := range found {
			raw[place{number, line}] = text
		}
	}
	return raw, nil
}

// pathOf is where a table's file is.
func (s *session) pathOf(t *schema.Table) string {
	for _, in := range s.inputs {
		if in.Name == t.Path {
			return in.Path
		}
	}
	return t.Path
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func inputBytes(inputs []job.Input) int64 {
	var total int64
	for _, in := range inputs {
		if info, err := os.Stat(in.Path); err == nil {
			total += info.Size()
		}
	}
	return total
}

// billBytes are the sizes of the files of bills.
func billBytes(inputs []job.Input) []int64 {
	var sizes []int64
	for _, in := range inputs {
		if in.Kind != schema.AlipayBill {
			continue
		}
		if info, err := os.Stat(in.Path); err == nil {
			sizes = append(sizes, info.Size())
		}
	}
	return sizes
}

// A byteCount adds up how much of each file was read.
type byteCount struct {
	mu    sync.Mutex
	files map[string]int64
	done  int64
	most  int64
	tell  func(done int64)
}

func newByteCount(most int64, tell func(int64)) *byteCount {
	return &byteCount{files: map[string]int64{}, most: most, tell: tell}
}

func (c *byteCount) file(name string, bytes, _ int64) {
	c.mu.Lock()
	c.done += max(bytes-c.files[name], 0)
	c.files[name] = max(bytes, c.files[name])
	done := min(c.done, c.most-1) // the end is told when the loaders have ended
	c.mu.Unlock()
	c.tell(done)
}

// timings measure the stages of a run.
type timings struct {
	now   func() time.Time
	done  []reports.Timing
	stage string // that goes on, or ""
	began time.Time

	profile *profile
}

// start begins a stage, and gives what ends it.
func (t *timings) start(stage string) (end func()) {
	t.stage, t.began = stage, t.now()
	t.profile.begin()
	return func() {
		t.done, t.stage = t.sofar(), ""
		t.profile.end(stage)
	}
}

// sofar are the stages up to now, with the one that goes on.
func (t *timings) sofar() []reports.Timing {
	if t.stage == "" {
		return t.done
	}
	return append(t.done[:len(t.done):len(t.done)], reports.Timing{Stage: t.stage, Duration: t.now().Sub(t.began)})
}
