package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/kept"
	"duizhang/engine/memo"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/loaders"
	"duizhang/reports"
)

// A run with state keeps what it knew of its parts in the state folder:
//
//	state/kept/2026-11-20/     of the day's current run
//	state/kept/.2026-11-20-*   being written; of a run that died
//
// A run of the same day with more files is then a late run (engine/late.go): it
// reads the new files alone. Nothing here is needed: where it does not do, or is not
// there, the day is computed in full.

const (
	keptName = "kept"
	keptDays = 31 // are kept
)

// A keptNote says of what run the folder is.
type keptNote struct {
	Token    string               `json:"token"` // of the state
	Version  string               `json:"version"`
	Shape    string               `json:"shape"`    // of the engine's sections
	Settings string               `json:"settings"` // all that decides what comes out besides the inputs
	Inputs   []state.Input        `json:"inputs"`
	Stamps   map[string]stamp     `json:"stamps,omitempty"` // of the inputs' files, by path
	Outputs  *reports.KeptOutputs `json:"outputs"`
	Detail   map[string]string    `json:"digests"` // of the outputs
}

func keptFolder(dir string, day time.Time) string {
	return filepath.Join(dir, keptName, day.Format(time.DateOnly))
}

// keptShape tells builds apart that would not understand each other's sections.
func keptShape() string {
	return textDigest([]byte(engine.KeptShape() + memo.Shape[nightPart]()))
}

func textDigest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// keptSettings stand for what decides what comes out besides the inputs. Files may
// come by further patterns.
func keptSettings(j *job.Job) (string, error) {
	s := j.Settings()
	for kind := range s.Inputs {
		s.Inputs[kind] = nil
	}
	text, err := json.Marshal(s)
	return textDigest(text), err
}

// A lateStart is what an earlier run of the day has kept, and what a late run begins
// with.
type lateStart struct {
	note    keptNote
	reader  *kept.Reader
	earlier *engine.Earlier
	known   map[string][]*schema.Table // by file
}

// lateErr wraps the errors of what was kept: whatever they are, the day is computed in
// full.
func lateErr(err error) error {
	if err == nil || errors.Is(err, engine.ErrAnew) {
		return err
	}
	return fmt.Errorf("%w: %w", engine.ErrAnew, err) //nolint:errorlint // both are asked for
}

// anew tells whether a late run ended with an error that a run in full would not have.
func anew(err error) bool {
	return errors.Is(err, engine.ErrAnew) || errors.Is(err, reports.ErrKept) || errors.Is(err, state.ErrFull)
}

// Has tells whether there is such a section; it is engine.Kept.
func (l *lateStart) Has(section string) bool { return l.reader.Has(section) }

// Get reads a section; it is engine.Kept.
func (l *lateStart) Get(section string) ([]byte, error) {
	data, err := l.reader.Get(section)
	return data, lateErr(err)
}

// Section is reports.Source's.
func (l *lateStart) Section(part int, name string) ([]byte, error) {
	return l.Get(partSection(name, part))
}

// Path is reports.Source's; "" of a file that is not as it was.
func (l *lateStart) Path(name string) string {
	path, err := l.reader.Path(name)
	if err != nil {
		return ""
	}
	return path
}

func partSection(name string, part int) string { return fmt.Sprintf("%s-%05d", name, part) }

// late is what the run of the job's day has kept, nil if there is nothing that a late
// run could begin with.
func (s *jobState) late(j *job.Job) *lateStart {
	if s == nil || s.read || j.Output.Sort {
		return nil
	}
	l := &lateStart{}
	var err error
	if l.reader, err = kept.Open(keptFolder(s.dir, j.Day), &l.note); err != nil {
		return nil
	}
	settings, err := keptSettings(j)
	if err != nil || l.note.Settings != settings || l.note.Version != version || l.note.Shape != keptShape() || !s.Committed(l.note.Token) {
		return nil
	}
	if l.earlier, err = engine.ReadEarlier(l); err != nil {
		return nil
	}
	return l
}

// lateKinds may come late: their rows decide the parts that they fall into alone.
var lateKinds = []schema.InputKind{
	schema.AlipayBill, schema.AlipayAccount, schema.PosOrders, schema.PosRefundsKind, schema.Rebate, schema.TaobaoOrders, schema.KukeduoOrders,
}

// match finds whether the inputs are those of the earlier run, unchanged, and some more.
func (l *lateStart) match(ctx context.Context, inputs []job.Input, workers int) (bool, error) {
	type file struct{ kind, path string }
	was := map[file]string{}
	for _, in := range l.note.Inputs {
		was[file{in.Kind, in.Path}] = in.SHA256
	}
	more, seen := false, map[string]bool{}
	var same []job.Input
	for _, in := range inputs {
		if seen[in.Name] { // of two kinds
			return false, nil
		}
		seen[in.Name] = true
		key := file{in.Kind.String(), in.Name}
		if _, ok := was[key]; ok {
			same = append(same, in)
			continue
		}
		more = true
		if !slices.Contains(lateKinds, in.Kind) {
			return false, nil
		}
	}
	if !more || len(same) != len(was) {
		return false, nil
	}
	changed := make([]bool, len(same))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, in := range same {
		g.Go(func() error {
			if was, ok := l.note.Stamps[in.Name]; ok && was == stampOf(in.Path) {
				return nil
			}
			sum, err := loaders.Digest(ctx, in.Path)
			changed[i] = err != nil || sum != was[file{in.Kind.String(), in.Name}]
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return false, err
	}
	l.known = map[string][]*schema.Table{}
	tables := l.earlier.Tables()
	reference := map[string]bool{}
	for _, in := range same {
		reference[in.Name] = !slices.Contains(lateKinds, in.Kind) && in.Kind != schema.PosAPI
	}
	for i := range tables {
		if t := &tables[i]; !t.Carried() && !reference[t.Path] {
			l.known[t.Path] = append(l.known[t.Path], t)
		}
	}
	return !slices.Contains(changed, true), nil
}

// apart tells whether the new tables have nothing to do with what others of the run
// state: a summary without its detail in its own file is compared with that of another.
func (l *lateStart) apart(tables []*schema.Table) bool {
	type bill struct {
		path, account string
		from, to      int64
	}
	whole := map[bill]bool{}
	of := func(t *schema.Table, path string) bill { return bill{path, t.Account, t.From, t.To} }
	for _, t := range tables {
		if !t.ControlOnly() {
			whole[of(t, t.Path)] = true
		}
	}
	alone := map[bill]bool{} // summaries, of whatever file
	for _, t := range tables {
		switch isNew := l.known[t.Path] == nil; {
		case isNew && t.Refused:
			return false
		case t.ControlOnly() && !whole[of(t, t.Path)]:
			if isNew {
				return false
			}
			alone[of(t, "")] = true
		}
	}
	return !slices.ContainsFunc(tables, func(t *schema.Table) bool { return l.known[t.Path] == nil && alone[of(t, "")] })
}

// A keeping is the folder that a run keeps its parts in. What cannot be written ends
// the keeping, and not the run.
type keeping struct {
	app    *app
	writer *kept.Writer
	from   *lateStart // of a late run
	place  string     // of the folder when the run is committed
	note   keptNote
	broken atomic.Bool // something could not be written: nothing is kept
}

// keeping begins a folder for the job's day, nil if nothing is to be kept.
func (s *jobState) keeping(j *job.Job, from *lateStart) *keeping {
	layout := j.Engine.Layout
	if s == nil || s.read || j.Output.Sort || layout.Spread >= layout.Partitions {
		return nil
	}
	k := &keeping{app: s.app, place: keptFolder(s.dir, j.Day), from: from}
	parent := filepath.Dir(k.place)
	s.removeUnfinished(parent)
	w, err := kept.Create(filepath.Join(parent, "."+j.Day.Format(time.DateOnly)))
	if err != nil {
		s.app.note(s.app.errorText(err))
		return nil
	}
	k.writer = w
	return k
}

// removeUnfinished removes what runs that died were keeping.
func (s *jobState) removeUnfinished(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			_ = fsys.RemoveAll(filepath.Join(parent, e.Name())) // the next run tries again
		}
	}
}

// Put keeps a section; it is engine.Keeper.
func (k *keeping) Put(section string, data []byte) error {
	if !k.broken.Load() {
		k.give(k.writer.Put(section, data))
	}
	return nil
}

// give gives up if something could not be written: the run goes on, and later ones of
// its day are in full.
func (k *keeping) give(err error) {
	if err == nil || k.broken.Swap(true) {
		return
	}
	k.app.note(k.app.errorText(err))
	k.drop()
}

// Take keeps a section of the earlier run on; it is engine.Keeper.
func (k *keeping) Take(section string) error {
	if !k.broken.Load() {
		k.give(k.writer.Take(k.from.reader, section))
	}
	return nil
}

// Keep keeps a section of a part; it is reports.Keeper.
func (k *keeping) Keep(part int, section string, data []byte) error {
	return k.Put(partSection(section, part), data)
}

// drop forgets the folder.
func (k *keeping) drop() {
	if k != nil {
		_ = fsys.RemoveAll(k.writer.Dir()) // the next run tries again
	}
}

// outputs keeps the output files that a later run may link.
func (k *keeping) outputs(dir string, o *reports.KeptOutputs) {
	if o == nil {
		return
	}
	k.note.Outputs = o
	for _, name := range o.Files() {
		if k.broken.Load() {
			return
		}
		k.give(k.writer.Link(filepath.Join(dir, filepath.FromSlash(name)), name))
	}
}

// stamp notes how the input files are now, before they are read.
func (k *keeping) stamp(inputs []job.Input, now time.Time) {
	k.note.Stamps = map[string]stamp{}
	for _, in := range inputs {
		if s := stampOf(in.Path); s.settled(now) {
			k.note.Stamps[in.Name] = s
		}
	}
}

// A stamp is what the file system says of a file. A change of the file changes it, but
// for one in the same tick of the clock as the one before.
type stamp struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // nanoseconds
	Changed  int64  `json:"changed"`  // of the inode, which no program sets; nanoseconds
	Inode    uint64 `json:"inode"`
}

// settled tells whether the stamp tells the file from what it may become: its last
// change is not of just now.
func (s stamp) settled(now time.Time) bool {
	const tick = 2 * time.Second
	return s.Changed != 0 && now.Sub(time.Unix(0, max(s.Changed, s.Modified))) > tick
}

// finish ends the folder, before the run is committed under the token.
func (k *keeping) finish(token string, j *job.Job, inputs []state.Input) {
	if k.broken.Load() {
		return
	}
	if !k.writer.Has(engine.RunSection) { // no part is for itself
		k.broken.Store(true)
		k.drop()
		return
	}
	settings, err := keptSettings(j)
	if err == nil {
		k.note.Token, k.note.Version, k.note.Shape, k.note.Settings, k.note.Inputs = token, version, keptShape(), settings, inputs
		err = k.writer.Close(&k.note)
	}
	k.give(err)
}

// settle puts the folder in its place when the run is committed, and forgets those of
// days long gone.
func (k *keeping) settle(day time.Time) error {
	if k.broken.Load() {
		return nil
	}
	if err := fsys.RemoveAll(k.place); err != nil {
		return err
	}
	if err := fsys.Rename(k.writer.Dir(), k.place); err != nil {
		return err
	}
	parent := filepath.Dir(k.place)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	newest := day
	for _, e := range entries {
		if of, err := time.Parse(time.DateOnly, e.Name()); err == nil && of.After(newest) {
			newest = of
		}
	}
	for _, e := range entries {
		if of, err := time.Parse(time.DateOnly, e.Name()); err == nil && of.Before(newest.AddDate(0, 0, -keptDays)) {
			if err := fsys.RemoveAll(filepath.Join(parent, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// A nightPart is what the run's part in the state knows of a part.
type nightPart struct {
	again   engine.Again
	carried reports.CarriedPart
}

const nightSection = "night"

// A keptSink has a stateRun and the outputs take their parts, or what was kept of them.
type keptSink struct {
	engine.ResultSink
	outputs *reports.Writer
	night   *stateRun
	keeping *keeping
	late    *lateStart
}

// Part hands a part to both.
func (s *keptSink) Part(ctx context.Context, p *engine.Part) error {
	if err := s.night.part(p); err != nil {
		return err
	}
	if s.keeping != nil {
		data := memo.Append(nil, &nightPart{p.Again, s.night.carried.Of(p)})
		if err := s.keeping.Keep(p.Number, nightSection, data); err != nil {
			return err
		}
	}
	return s.ResultSink.Part(ctx, p)
}

// Reuse has both take a part from what was kept of it.
func (s *keptSink) Reuse(ctx context.Context, part int) error {
	data, err := s.late.Section(part, nightSection)
	if err != nil {
		return err
	}
	var n nightPart
	if _, err := memo.Read(data, &n, nil); err != nil {
		return lateErr(err)
	}
	s.night.judge(&n.again)
	s.night.carried.Add(&n.carried)
	if err := s.keeping.Keep(part, nightSection, data); err != nil {
		return err
	}
	return s.outputs.Reuse(ctx, part)
}

// recall has a late run begin with the tables and rows of the day's earlier run. What
// earlier days carry to it is a part of that; the state sees to it that they are the
// same (state.Day.Amend).
func (s *session) recall(day *state.Day) error {
	if err := day.Amending(); err != nil {
		return err
	}
	s.all = slices.Clip(s.tables)
	tables := s.late.earlier.Tables()
	for i := range tables {
		if tables[i].Carried() {
			s.all = append(s.all, &tables[i])
		}
	}
	return s.store.Recall(s.late.earlier, s.all)
}
