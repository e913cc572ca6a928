package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/reports"
	"duizhang/reports/diff"
)

// whatIfSuffix is what the private folder of --what-if is named after.
const whatIfSuffix = ".what-if"

// whatIf computes the job and compares it with what its day has: the run that the
// state recorded, or else the same job without --set. Nothing is changed, but that
// with --out the results are kept there.
func (a *app) whatIf(ctx context.Context, file string, f runFlags) error {
	limit, err := a.most(f.diff)
	if err != nil {
		return err
	}
	if f.from != "" || f.to != "" {
		return usage(a.say("--what-if 只看一天，不能与 --from、--to 同用", "--what-if looks at one day, and does not go with --from and --to"), "")
	}
	j, size, err := a.prepare(file, f)
	if err != nil {
		return err
	}
	plain := f
	plain.set = nil
	before, _, err := a.prepare(file, plain)
	if err != nil {
		return err
	}
	if f.out != "" && (within(before.Path(before.Output.Dir), f.out) || within(f.out, before.Path(before.Output.Dir))) {
		return usage(a.say("--out %s 是作业自己的输出文件夹；--what-if 不改动它", "--out %s is the job's own output folder, which --what-if leaves alone", f.out), "")
	}
	defer boundMemory(size.memory)()
	scratch, err := a.scratch(before.Path(before.Output.Dir), whatIfSuffix)
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Discard() }()
	if dir := j.StateDir(); dir != "" && dir != before.StateDir() {
		return usage(a.say("--what-if 不能换状态文件夹", "--what-if does not take another state folder"), "")
	}
	if err := a.checkState(before, outOf(before, f)); err != nil {
		return err
	}
	past, err := a.pastOf(ctx, before, access{read: true, wait: f.wait})
	if err != nil {
		return err
	}
	defer past.close()
	c := diff.New(scratch.Temp())
	defer c.Close() //nolint:errcheck // its folder goes
	w := &whatIfRun{app: a, flags: f, size: size, scratch: scratch, comparer: c, state: past}
	var runs [2]comparedRun
	if past != nil && past.has(before) {
		if runs[diff.First], err = past.addRevision(ctx, c, diff.First, dayNumber(before.Day), 0); err != nil {
			return err
		}
	} else if len(f.set) == 0 {
		return usage(a.say("没有可比的：--what-if 要与 --set 同用", "nothing to compare: --what-if goes with --set"),
			a.say("例如 --set rebate.tolerance=0.01 --what-if", "as in --set rebate.tolerance=0.01 --what-if"))
	}
	name := a.say("假如", "what if")
	if runs[diff.First].Name == "" {
		if runs[diff.First], err = w.compute(ctx, diff.First, before, a.say("不加 --set", "without --set")); err != nil {
			return err
		}
		name = a.say("加 --set", "with --set")
	}
	if runs[diff.Second], err = w.compute(ctx, diff.Second, j, name); err != nil {
		return err
	}
	return a.finishDiff(ctx, c, runs, limit, false)
}

// A whatIfRun computes the runs that --what-if compares.
type whatIfRun struct {
	app      *app
	flags    runFlags
	size     sizing
	scratch  *reports.Staging
	comparer *diff.Comparer
	state    *jobState // to be read; nil for none
}

// compute computes a job as one of the two runs. Its summary is all that is
// written, and, of the second run with --out, its results.
func (w *whatIfRun) compute(ctx context.Context, run int, j *job.Job, name string) (_ comparedRun, err error) {
	a := w.app
	compared := comparedRun{Name: name}
	known, err := a.knownVerdicts(j)
	if err != nil {
		return compared, err
	}
	staging := w.scratch
	kept := run == diff.Second && w.flags.out != ""
	if kept {
		unlock, err := a.lockOutput(ctx, outOf(j, w.flags), w.flags.wait)
		if err != nil {
			return compared, err
		}
		defer unlock()
		if staging, err = reports.NewStaging(outOf(j, w.flags), j.Output.Mode); err != nil {
			return compared, a.outputError(err)
		}
		defer func() { _ = staging.Discard() }()
	}
	show := a.newProgress()
	size := w.size
	size.spill = staging.Temp()
	if j.StateDir() != "" {
		if size.layout, err = w.state.layout(j); err != nil {
			return compared, err
		}
	}
	s, err := a.load(ctx, j, size, show)
	if err != nil {
		show.close()
		return compared, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if show, err = s.checkDrift(show); err != nil {
		return compared, err
	}
	defer func() { show.close() }()
	if err := s.checkPrimary(); err != nil {
		return compared, err
	}
	r := &runner{session: s, staging: staging, out: outOf(j, w.flags), flags: w.flags, verdicts: known}
	if j.StateDir() != "" {
		r.state = w.state
		defer func() { r.past.discard() }()
	}
	if s.incomplete() && !w.flags.allowIncomplete {
		show.close()
		s.complainInputs()
		a.complain(a.say("输入不完整，没有比较", "the inputs are incomplete and nothing was compared"), "")
		return compared, quietly(exitInput)
	}
	if err := r.begin(ctx); err != nil {
		return compared, err
	}
	options := r.reportOptions(staging.Dir())
	if !kept {
		options.Formats, options.Claims = reports.Formats{}, reports.ClaimOptions{}
		options.Dir = filepath.Join(staging.Dir(), strconv.Itoa(run))
		if err := fsys.Mkdir(options.Dir, 0o700); err != nil {
			return compared, &failure{status: exitUsage, err: err}
		}
	}
	r.parts = func(p *engine.Part) error { return w.comparer.AddPart(run, p, s.words.Texts()) }
	if err := r.compute(ctx, options, show); err != nil {
		return compared, err
	}
	w.comparer.AddBreaks(run, comparedBreaks(r.result.Breaks))
	if compared.summary, err = os.ReadFile(filepath.Join(options.Dir, reports.SummaryName)); err != nil {
		return compared, &failure{status: exitUsage, err: err}
	}
	if err := compared.read(); err != nil {
		return compared, err
	}
	if kept {
		return compared, turned(staging.Publish(), a.outputError)
	}
	return compared, nil
}

// comparedBreaks are breaks as a comparison takes them.
func comparedBreaks(breaks []engine.Break) []diff.Break {
	all := make([]diff.Break, len(breaks))
	for i := range breaks {
		b := &breaks[i]
		all[i] = diff.Break{
			ID: b.ID(), Code: b.Code.String(), Severity: b.Severity.String(), Merchant: b.Merchant, OutTradeNo: b.OutTradeNo,
			TradeNo: b.TradeNo, RequestNo: b.RequestNo, Amount: reports.Stake(b),
		}
	}
	return all
}
