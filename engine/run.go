package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// RunOptions are what a run needs besides the job: they never change a result.
type RunOptions struct {
	Workers  int                                   // at least 1
	Progress func(stage string, done, total int64) // may be nil; called from several goroutines
	// ShiftOrders takes what is behind the differences of the shifts; may be nil;
	// called from several goroutines.
	ShiftOrders func(ShiftOrder)
	// Amend is told, in a late run, which parts are computed anew, before any of them
	// is; may be nil.
	Amend func(dirty []bool) error
}

// Run reconciles what the store holds. The tables are the loaders', by number.
// Result rows go to the sink part by part; the rest is returned. An
// *InvariantError means that the result must not be published.
func Run(ctx context.Context, job *Job, store *Store, tables []*schema.Table, sink ResultSink, opt RunOptions) (*Result, error) {
	p, err := newPlan(job, store, tables)
	if err != nil {
		return nil, err
	}
	d := &driver{plan: p, store: store, opt: opt, sink: sink, keeper: store.opt.Keep, late: store.late}
	if err := d.scan(ctx); err != nil {
		return nil, err
	}
	d.contested, err = store.route(ctx, opt.Workers, job.History, p.hasRefused)
	if err != nil {
		return nil, err
	}
	if err := d.prepareLate(); err != nil {
		return nil, err
	}
	if p.shares != nil {
		if err := d.collectShares(ctx); err != nil {
			return nil, err
		}
	}
	if err := sink.Begin(d.count()); err != nil {
		return nil, err
	}
	if err := d.pass(ctx, "reconcile"); err != nil {
		return nil, err
	}
	store.forget()
	r, err := d.result()
	if err == nil && d.keeper != nil {
		err = d.keepRun()
	}
	return r, err
}

// A driver runs the partitions on this machine.
type driver struct {
	plan      *plan
	store     *Store
	contested []map[uint64]bool
	opt       RunOptions
	sink      ResultSink
	census    *census

	keeper Keeper   // nil: nothing is kept
	late   *Earlier // what the run before has kept, of a late run; else nil
	awayOf []int32  // by partition: the generation that has its rows of the last part, -1 for none
	memoOf []int32  // by part: the generation that has its memo

	mu      sync.Mutex
	found   []*findings // by part
	away    []Rows      // by partition: rows that meet in the last part
	totals  totals
	out     outTotals
	shifts  shiftTable
	losses  lossTable
	groups  map[groupKey]*groupSum
	devices deviceTotals
	uses    map[pidUseKey]*PIDUse
	done    atomic.Int64
}

// count is the number of parts: the partitions, and one more for the rows of
// contested trades.
func (d *driver) count() int {
	n := d.store.keep.parts
	for _, c := range d.contested {
		if len(c) > 0 {
			return n + 1
		}
	}
	return n
}

// collectShares is the pass that adds up the groups whose rebate is rounded once.
func (d *driver) collectShares(ctx context.Context) error {
	d.plan.collecting = true
	if err := d.pass(ctx, "rebate groups"); err != nil {
		return err
	}
	d.plan.collecting = false
	d.plan.closeShares(d.found)
	return nil
}

// pass reconciles all partitions, in parallel, and then the rows that left them.
func (d *driver) pass(ctx context.Context, stage string) error {
	n := d.store.keep.parts
	d.found, d.away = make([]*findings, d.count()), make([]Rows, n)
	d.totals, d.out, d.shifts, d.losses, d.uses = totals{}, outTotals{}, shiftTable{}, lossTable{}, map[pidUseKey]*PIDUse{}
	d.census, d.groups = newCensus(), map[groupKey]*groupSum{}
	d.awayOf, d.memoOf = fill(d.awayOf, n, -1), fill(d.memoOf, d.count(), -1)
	d.done.Store(0)
	var next atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	for range max(min(d.opt.Workers, n), 1) {
		group.Go(func() error {
			w := d.worker()
			for p := int(next.Add(1)) - 1; p < n; p = int(next.Add(1)) - 1 {
				step := d.partition
				if d.clean(p) {
					step = d.reuse
				}
				if err := step(groupCtx, w, p, stage); err != nil {
					return err
				}
			}
			d.mergeSums(w.takeSums())
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if d.count() == n {
		return nil
	}
	w := d.worker()
	if d.clean(n) {
		return d.reuse(ctx, w, n, stage)
	}
	for p := range d.away {
		w.rows.add(&d.away[p])
	}
	if w.rows.Earlier.Len() > 0 {
		w.earlier = func(each func(*schema.Settled, *schema.Returned)) error {
			each(&w.rows.Earlier, &w.rows.EarlierRefunds)
			return nil
		}
	}
	if err := d.finish(ctx, w, n, stage); err != nil {
		return err
	}
	d.mergeSums(w.takeSums())
	return nil
}

func (d *driver) worker() *worker {
	w := newWorker(d.plan)
	if !d.plan.collecting {
		w.shiftOrders = d.opt.ShiftOrders
	}
	return w
}

func (d *driver) partition(ctx context.Context, w *worker, p int, stage string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.store.rows(p, &w.rows); err != nil {
		return err
	}
	if err := d.keepRows(p, &w.rows); err != nil {
		return err
	}
	if d.plan.hasRefused {
		w.dropRefused()
	}
	w.earlier, w.left = d.store.earlierRows(p, &w.room), nil
	if len(d.contested[p]) > 0 {
		if err := w.leave(d.contested[p], &d.away[p]); err != nil {
			return err
		}
		if err := d.keepAway(p); err != nil {
			return err
		}
	}
	return d.finish(ctx, w, p, stage)
}

// finish reconciles the rows that the worker holds as the part of that number.
func (d *driver) finish(ctx context.Context, w *worker, number int, stage string) error {
	found, err := w.reconcile(number)
	if err != nil {
		return err
	}
	out := tally(&w.part)
	if !d.plan.collecting {
		if err := d.sink.Part(ctx, &w.part); err != nil {
			return err
		}
		if err := d.keepPart(w, found, &out); err != nil {
			return err
		}
	}
	d.note(number, found, &w.totals, &out, stage)
	return nil
}

// note adds what a part came to.
func (d *driver) note(number int, found *findings, t *totals, out *outTotals, stage string) {
	d.mu.Lock()
	d.found[number] = found
	d.totals.merge(t)
	d.out.merge(out)
	d.mu.Unlock()
	if d.opt.Progress != nil {
		d.opt.Progress(stage, d.done.Add(1), int64(d.count()))
	}
}

// result puts together what the parts found, and proves the run.
func (d *driver) result() (*Result, error) {
	p := d.plan
	r := &Result{
		Date: p.date(), Tables: p.tables, Parts: p.job.Parts(),
		Trades: d.out.trades, Refunds: d.out.refunds, Causes: d.out.causes,
		Scenarios: d.totals.scenarios, NoGoods: d.totals.noGoods, PriceUnknown: d.totals.priceUnknown,
		Incomplete: d.totals.incomplete,
	}
	for i := range r.Excluded {
		r.Excluded[i] = ReasonTally{d.out.excluded[i].count, d.out.excluded[i].amount}
	}
	for i := range r.Scenarios {
		s := &d.out.scenarios[i]
		r.Scenarios[i].Filler, r.Scenarios[i].Lines, r.Scenarios[i].Fillings = s.Filler, s.Lines, s.Fillings
	}
	d.mergeFindings(r)
	r.OutOfScope = d.totals.outOfScope.count
	r.Words = p.words.Texts()
	d.census.close()
	r.Attributions = attribute(d.census, r.Breaks, p.text)
	for i, t := range p.tables[:p.places] {
		if t.Kind == schema.AlipayBill && t.FeesAllZero && t.Rows > 0 {
			r.FeesLater = append(r.FeesLater, int32(i))
		}
	}
	r.Shifts = shiftRows(p, &d.shifts)
	r.PIDUses = sortedUses(d.uses)
	r.Accounts = d.accounts()
	if p.job.State {
		r.Carried, r.Covered = d.carriedRows(), p.coverages()
	}
	r.Invariants = d.prove(r)
	for _, v := range r.Invariants {
		if !v.Holds {
			return r, &InvariantError{v}
		}
	}
	return r, nil
}

func (d *driver) mergeFindings(r *Result) {
	p := d.plan
	breaks := make([][]Break, len(d.found))
	var open []openUnit
	rejects := slices.Clone(d.store.rejects)
	for i, f := range d.found {
		breaks[i], f.breaks = f.breaks, nil
		open = append(open, f.open...)
		rejects = append(rejects, f.rejects...)
	}
	breaks = append(breaks, missingFieldBreaks(p.places, d.found), couponBreaks(p))
	suggest(p, open, breaks)
	extra := &findings{}
	r.Devices, d.devices = deviceRewards(p, extra)
	if p.audit {
		r.Groups = rebateGroups(p, d.groups, &d.store.aggregated, &d.totals, extra)
		r.Losses = rankLosses(p, &d.losses)
	} else {
		s := &d.store.aggregated
		for i := range s.Len() {
			d.totals.outOfScope.add(s.Rebate[i] + s.Adjustment[i])
		}
	}
	breaks = append(breaks, extra.breaks, fileBreaks(p.tables))
	rejects = append(rejects, extra.rejects...)
	r.Breaks = sortBreaks(p.places, breaks)
	for i := range r.Breaks {
		r.Breaks[i].FirstSeen = r.Date
	}
	slices.SortStableFunc(rejects, func(a, b schema.Reject) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	r.Rejects = rejects
}

// fileBreaks are the control totals that do not hold (rules 8), and the files whose
// format has changed.
func fileBreaks(tables []*schema.Table) []Break {
	var breaks []Break
	for i, t := range tables {
		for _, c := range t.Controls {
			if c.Holds == nil || *c.Holds {
				continue
			}
			b := Break{
				Code: rules.BreakControlTotal, Severity: rules.SeverityError, Side: rules.SideFile, Merchant: t.Account,
				Amount: int64(c.Gap), Expected: schema.Null, Found: schema.Null, What: c.Name, Table: int32(i), Line: 0, Time: schema.Null,
			}
			if c.Stated != nil {
				b.Reason = *c.Stated + " / " + c.Found
			}
			breaks = append(breaks, b)
		}
		if t.Drift != "" {
			breaks = append(breaks, Break{
				Code: rules.BreakDialectDrift, Severity: rules.SeverityWarn, Side: rules.SideFile, Merchant: t.Account,
				Expected: schema.Null, Found: schema.Null, Table: int32(i), Time: schema.Null, Reason: t.Drift,
			})
		}
	}
	return breaks
}
