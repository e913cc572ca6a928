package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/reports"
	"duizhang/reports/verdicts"
	"duizhang/rules"
)

// A stateRun is what a run has to do with the state: it takes what earlier days
// left, and gathers what it leaves itself.
type stateRun struct {
	*jobState
	session *session
	day     *state.Day
	started time.Time

	carried *reports.Carried
	mu      sync.Mutex
	judged  map[string]uint8 // subjects of breaks: judged…
	closed  []state.Break
	seen    []state.Break
}

// dayNumber is the date in days since 1970-01-01.
func dayNumber(day time.Time) int32 { return int32(day.Unix() / (24 * 60 * 60)) }

// begin has the session's run see what earlier days left. It comes when the inputs
// are read and whole.
func (s *jobState) begin(r *session) (*stateRun, error) {
	n := &stateRun{jobState: s, session: r, judged: map[string]uint8{}, started: s.app.now()}
	var err error
	if n.day, err = s.Begin(dayNumber(r.job.Day), r.words, r.job.State.HistoryDays); err != nil {
		return nil, err
	}
	carried, err := n.day.Carried()
	if err != nil {
		return nil, errors.Join(err, n.day.Discard())
	}
	if r.late != nil {
		err = r.recall(n.day)
	} else {
		r.all, err = r.store.AddCarried(r.tables, carried)
	}
	if err != nil {
		return nil, errors.Join(err, n.day.Discard())
	}
	n.carried = reports.NewCarried(r.all)
	if from := n.day.CarriedFrom(); from != state.NoDate {
		n.carried.From = state.DateText(from)
	}
	e := &r.job.Engine
	e.State, e.History, e.HistoryDays = true, n.day, n.day.BillDays()
	return n, nil
}

// discard ends a run that leaves nothing; after its commit it does nothing.
func (n *stateRun) discard() {
	if n != nil && n.day != nil {
		_ = n.day.Discard() // what it left is removed when the state is opened again
	}
}

// part gathers what a part leaves to later days.
func (n *stateRun) part(p *engine.Part) error {
	n.carried.Count(p)
	n.judge(&p.Again)
	if n.read {
		return nil
	}
	return n.day.Keep(p.Number, &p.Settled, &p.Returned)
}

// Subjects of breaks: what earlier days said of a subject is closed when a later day
// judges it again and does not say so any more.
func unitSubject(merchant, outTradeNo, tradeNo, requestNo string) string {
	if outTradeNo == "" {
		return "trade\x1f" + tradeNo + "\x1f" + requestNo
	}
	return "order\x1f" + merchant + "\x1f" + outTradeNo + "\x1f" + requestNo
}

func fileSubject(t *schema.Table) string { return "file\x1f" + t.File() }

func otherSubject(merchant, what string) string { return "what\x1f" + merchant + "\x1f" + what }

func (n *stateRun) subjectOf(b *engine.Break) string {
	switch {
	case b.OutTradeNo != "" || b.TradeNo != "" || b.RequestNo != "":
		return unitSubject(b.Merchant, b.OutTradeNo, b.TradeNo, b.RequestNo)
	case b.Side == rules.SideFile:
		if b.Table < 0 {
			return ""
		}
		return fileSubject(n.session.all[b.Table])
	case b.What == "":
		return ""
	}
	return otherSubject(b.Merchant, b.What)
}

// How much of a subject a run judges again.
const (
	judgedAudit = 1 << iota // the rebates of a trade
	judgedRows              // all of a trade but its rebates and the tie-out
	judgedUnit              // all of a trade or refund but the tie-out, which its own day had
	judgedWhole             // all
)

// judge notes what of earlier days a part judges.
func (n *stateRun) judge(again *engine.Again) {
	words := n.session.words.Texts()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range again.Len() {
		how := uint8(judgedUnit)
		switch again.Audit[i] {
		case engine.AuditAlone:
			how = judgedAudit
		case engine.NoAudit:
			how = judgedRows
		}
		n.judged[unitSubject(words[again.Merchant[i]], string(again.OutTradeNo.At(i)), string(again.TradeNo.At(i)), string(again.RequestNo.At(i)))] |= how
	}
}

// judges tells whether a break of an earlier day would have been found again.
func (n *stateRun) judges(b *state.Break) bool {
	code, known := rules.ParseBreakCode(b.Code)
	how := n.judged[b.Subject]
	switch {
	case !known:
		return false
	case how&judgedWhole != 0:
		return true
	case code == rules.BreakAccountMissing, code == rules.BreakAccountMismatch:
		return false
	case how&judgedUnit != 0, how&judgedRows != 0 && !code.OfRebate():
		return true
	}
	return how&judgedAudit != 0 && code.OfRebate()
}

// judgeWhole notes what the run judges besides trades.
func (n *stateRun) judgeWhole(r *engine.Result) {
	for _, t := range n.session.tables {
		if !t.Refused {
			n.judged[fileSubject(t)] |= judgedWhole
		}
	}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.HasStated {
			n.judged[otherSubject(g.Merchant, g.Product+" "+g.Period)] |= judgedWhole
		}
	}
	for i := range r.Devices {
		d := &r.Devices[i]
		n.judged[otherSubject(d.Signer, d.SN+" "+d.Month.String())] |= judgedWhole
	}
}

// finish gives the run's breaks their age, finds which are closed, and hands over
// what is left to later days. The verdicts that hold are a part of what the run was
// made of.
func (n *stateRun) finish(r *engine.Result, run state.Run) error {
	if err := n.day.Carry(r.Carried); err != nil {
		return err
	}
	n.day.KeepCovered(r.Covered)
	ids := make([]string, len(r.Breaks))
	for i := range r.Breaks {
		ids[i] = r.Breaks[i].ID()
	}
	first, err := n.day.FirstSeen(ids)
	if err != nil {
		return err
	}
	today := dayNumber(n.session.job.Day)
	now := make(map[string]bool, len(ids))
	n.seen = make([]state.Break, len(ids))
	for i := range r.Breaks {
		b := &r.Breaks[i]
		now[ids[i]] = true
		if first[i] != state.NoDate {
			b.FirstSeen, b.AgeDays = state.DateText(first[i]), int(today-first[i])
		} else {
			first[i] = today
		}
		n.seen[i] = state.Break{
			ID: ids[i], Code: b.Code.String(), Subject: n.subjectOf(b), Merchant: b.Merchant, OutTradeNo: b.OutTradeNo,
			TradeNo: b.TradeNo, RequestNo: b.RequestNo, Amount: b.Amount, Micro: b.Micro, FirstSeen: first[i],
		}
	}
	if n.closed, err = n.findClosed(r, run, now); err != nil {
		return err
	}
	return nil
}

// findClosed are the breaks that are gone: those of the revision that this run
// replaces, and those of earlier days whose subject is judged again.
func (n *stateRun) findClosed(r *engine.Result, run state.Run, now map[string]bool) ([]state.Break, error) {
	n.judgeWhole(r)
	open, err := n.day.OpenBreaks(slices.Sorted(maps.Keys(n.judged)))
	if err != nil {
		return nil, err
	}
	replaced, err := n.day.Replaced(run)
	if err != nil {
		return nil, err
	}
	closed := map[string]state.Break{}
	for _, b := range open {
		if !now[b.ID] && n.judges(&b) {
			closed[b.ID] = b
		}
	}
	for _, b := range replaced {
		if _, known := closed[b.ID]; !now[b.ID] && !known {
			closed[b.ID] = b
		}
	}
	list := make([]state.Break, 0, len(closed))
	for _, id := range slices.Sorted(maps.Keys(closed)) {
		list = append(list, closed[id])
	}
	return list, nil
}

// closedBreaks are the closed breaks as reports show them.
func closedBreaks(closed []state.Break) []reports.ClosedBreak {
	list := make([]reports.ClosedBreak, 0, len(closed))
	for i := range closed {
		b := &closed[i]
		one := engine.Break{Amount: b.Amount, Micro: b.Micro}
		list = append(list, reports.ClosedBreak{
			ID: b.ID, Code: b.Code, Merchant: b.Merchant, OutTradeNo: b.OutTradeNo, TradeNo: b.TradeNo, RequestNo: b.RequestNo,
			Amount: reports.Stake(&one), FirstSeen: state.DateText(b.FirstSeen),
		})
	}
	return list
}

// A runDetail is what is recorded of a run so that it can be computed again.
type runDetail struct {
	File     string                   `json:"file"` // the job file, absolute
	Text     string                   `json:"text"` // what it said
	Set      []string                 `json:"set,omitempty"`
	Lang     string                   `json:"lang"`
	Out      string                   `json:"out"` // absolute
	Verdicts map[string]verdictDetail `json:"verdicts,omitempty"`
	Drift    map[string]string        `json:"drift,omitempty"` // by table: how its look has changed
	Closed   []closedDetail           `json:"closed,omitempty"`
	Outputs  map[string]string        `json:"outputs"` // digests, by path below the output folder
	Summary  json.RawMessage          `json:"summary"` // without inputs, settings and timings
}

type verdictDetail struct {
	State string `json:"state"`
	By    string `json:"by,omitempty"`
	Note  string `json:"note,omitempty"`
}

type closedDetail struct {
	ID         string `json:"id"`
	Code       string `json:"code"`
	Merchant   string `json:"merchant"`
	OutTradeNo string `json:"out_trade_no,omitempty"`
	TradeNo    string `json:"trade_no,omitempty"`
	RequestNo  string `json:"request_no,omitempty"`
	Amount     int64  `json:"amount"`
	Micro      bool   `json:"micro,omitempty"`
	FirstSeen  int32  `json:"first_seen"`
}

// detail is what the run is recorded with; its outputs are not known yet.
func (r *runner) detail() (*runDetail, error) {
	j := r.job
	d := &runDetail{Text: string(j.Text), Set: j.Set, Lang: j.Output.Lang.String(), Verdicts: map[string]verdictDetail{}, Drift: map[string]string{}}
	var err error
	if d.File, err = filepath.Abs(j.File); err != nil {
		return nil, err
	}
	if d.Out, err = filepath.Abs(r.out); err != nil {
		return nil, err
	}
	for _, t := range r.tables {
		if t.Drift != "" {
			d.Drift[t.File()] = t.Drift
		}
	}
	for i := range r.result.Breaks {
		id := r.result.Breaks[i].ID()
		if v, ok := r.verdicts[id]; ok {
			d.Verdicts[id] = verdictDetail{v.State.String(), v.By, v.Note}
		}
	}
	return d, nil
}

// record is the run as the state knows it, as far as it decides what comes out.
func (r *runner) record(d *runDetail) (state.Run, error) {
	j := r.job
	run := state.Run{Job: filepath.Base(j.File), Version: version, Started: r.past.started}
	layout := r.store.Layout()
	run.Partitions, run.Spread = layout.Partitions, layout.Spread
	// The settings are all that decides what comes out besides the inputs; what
	// people and earlier days said of them is a part of it.
	settings, err := json.Marshal(struct {
		Settings any
		Mode     uint32
		Verdicts map[string]verdictDetail
		Drift    map[string]string
		Allowed  bool
	}{j.Settings(), uint32(j.Output.Mode), d.Verdicts, d.Drift, r.outcome.Incomplete})
	if err != nil {
		return run, err
	}
	sum := sha256.Sum256(settings)
	run.Settings = hex.EncodeToString(sum[:])
	run.Inputs = r.stateInputs()
	return run, nil
}

// stateInputs are the session's inputs as the state records them.
func (s *session) stateInputs() []state.Input {
	var inputs []state.Input
	seen := map[state.Input]bool{}
	for _, t := range s.tables {
		in := state.Input{Kind: t.Kind.String(), Path: t.Path, SHA256: t.SHA256, Bytes: t.Bytes}
		if !seen[in] {
			seen[in] = true
			inputs = append(inputs, in)
		}
	}
	return inputs
}

// detailOf is what is recorded of a run.
func (s *jobState) detailOf(date int32, revision int) (*runDetail, error) {
	name := state.DateText(date) + "#" + strconv.Itoa(revision)
	text, err := s.Detail(date, revision)
	if err != nil {
		return nil, err
	}
	d := &runDetail{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, &state.DamageError{Place: name, Why: err.Error()}
	}
	return d, nil
}

// settle gives the run its place among the days: how old its breaks are, and which
// are closed.
func (r *runner) settle() error {
	if r.past == nil {
		return nil
	}
	d, err := r.detail()
	if err != nil {
		return err
	}
	run, err := r.record(d)
	if err != nil {
		return err
	}
	if err := r.past.finish(r.result, run); err != nil {
		return err
	}
	if was := r.replays; was != nil {
		r.past.closed = was.closed()
	}
	r.outcome.Closed, r.outcome.Carried = closedBreaks(r.past.closed), r.past.carried
	return nil
}

func (d *runDetail) closed() []state.Break {
	list := make([]state.Break, 0, len(d.Closed))
	for _, c := range d.Closed {
		list = append(list, state.Break{
			ID: c.ID, Code: c.Code, Merchant: c.Merchant, OutTradeNo: c.OutTradeNo, TradeNo: c.TradeNo, RequestNo: c.RequestNo,
			Amount: c.Amount, Micro: c.Micro, FirstSeen: c.FirstSeen,
		})
	}
	return list
}

// commit records the run, which is written, and publishes it. The state's commit is
// the decision: until then all is as before the run, from then on as after it.
func (r *runner) commit(ctx context.Context) error {
	n := r.past
	d, err := r.detail()
	if err != nil {
		return err
	}
	run, err := r.record(d)
	if err != nil {
		return err
	}
	if d.Outputs, err = digestOutputs(ctx, r.staging.Dir()); err != nil {
		return r.app.outputError(err)
	}
	if d.Summary, err = keptSummary(filepath.Join(r.staging.Dir(), reports.SummaryName)); err != nil {
		return r.app.outputError(err)
	}
	for _, b := range n.closed {
		d.Closed = append(d.Closed, closedDetail{b.ID, b.Code, b.Merchant, b.OutTradeNo, b.TradeNo, b.RequestNo, b.Amount, b.Micro, b.FirstSeen})
	}
	if run.Detail, err = json.Marshal(d); err != nil {
		return err
	}
	count, amount := reports.Counted(r.result.Breaks)
	run.Breaks, run.BreakAmount, run.ExitCode = count, amount.String6(), r.outcome.ExitCode
	run.Duration = r.app.now().Sub(n.started)
	n.day.KeepBreaks(n.seen, n.closed)
	token, _, err := n.day.Prepare(ctx, run)
	if err != nil {
		return r.app.stateFault(ctx, err)
	}
	if r.keeping != nil {
		r.keeping.finish(token, r.job, run.Inputs)
	}
	files, err := r.stateFiles()
	if err != nil {
		return err
	}
	p, err := newPublication(n.dir, token, r.out, files)
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if err := r.staging.Prepare(token); err != nil {
		return errors.Join(r.app.outputError(err), p.remove())
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, p.remove())
	}
	// From here on nothing is interrupted, and nothing is undone: what an error
	// leaves, the next command completes or undoes.
	ctx = context.WithoutCancel(ctx)
	r.staging.Leave()
	later, err := n.day.Commit(ctx)
	if err != nil {
		if stale, ok := errors.AsType[*state.StaleError](err); ok {
			r.app.complain(stale.Error(), "")
		} else {
			return r.app.stateFault(ctx, err)
		}
	}
	if err := r.staging.Publish(); err != nil {
		return &failure{
			status: exitUsage, err: r.app.outputError(err),
			hint: r.app.say("状态里已经有这一次对账；排除原因后，下一个命令会完成发布", "the state has this run; when the cause is gone, the next command completes the publication"),
		}
	}
	r.later = slices.DeleteFunc(later, func(day int32) bool { return state.DateText(day) <= r.app.runsTo })
	if err := p.complete(); err != nil {
		return r.app.unfinished(err)
	}
	if r.keeping != nil {
		if err := r.keeping.settle(r.job.Day); err != nil {
			r.app.note(r.app.errorText(err)) // a later run of the day is one in full
		}
	}
	if err := verdicts.Forget(n.dir, r.job.Day.AddDate(0, 0, -r.job.State.HistoryDays)); err != nil {
		r.app.note(r.app.errorText(err)) // the next run tries again
	}
	return nil
}

// stateFiles are the small files of the state folder as they are after the run: the
// breaks that verdicts may be about, and what the inputs look like.
func (r *runner) stateFiles() ([]stateFile, error) {
	source := func(b *engine.Break) string {
		if b.Table < 0 || int(b.Table) >= len(r.all) {
			return ""
		}
		return r.all[b.Table].Source(b.Line)
	}
	name, data, err := verdicts.Reported(r.past.dir, r.job.Day, r.result.Breaks, source)
	if err != nil {
		return nil, r.app.stateError(err)
	}
	files := []stateFile{{name, data}}
	if data, err := r.drift.remembered(r.tables); err != nil {
		return nil, err
	} else if data != nil {
		files = append(files, stateFile{sourcesName, data})
	}
	return files, nil
}

// sayLater names the days that a re-run of this one leaves behind.
func (r *runner) sayLater() {
	if len(r.later) == 0 {
		return
	}
	var days []string
	for _, day := range r.later {
		days = append(days, state.DateText(day))
	}
	a := r.app
	const shown = 7
	text := strings.Join(days[:min(len(days), shown)], a.say("、", ", "))
	if len(days) > shown {
		text += a.say(" 等 %d 天", " … %d days", len(days))
	}
	a.complain(a.say("这些天的结果依据的是以前的数据，需要重跑：%s", "these days are based on what was before, and are to be run again: %s", text),
		"duizhang run "+lang.Plain(r.job.File)+" --from "+days[0]+" --to "+days[len(days)-1])
}

func (a *app) chinese() bool { return a.lang == lang.Chinese }
