package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/loaders"
	"duizhang/reports"
	"duizhang/reports/claim"
)

// runFlags are the flags of run, and of what runs a job besides.
type runFlags struct {
	date            string
	out             string
	memory          string
	workers         int
	allowIncomplete bool
	profile         string
	set             []string
	from, to        string // --from, --to: a run for each of these days
	whatIf          bool
	wait            bool
	diff            diffFlags // of --what-if

	given func(flag string) bool // on the command line, if only blank
}

// blank tells whether a flag was given without a value in it: a variable of a
// script that was not set.
func (f *runFlags) blank(flag, value string) bool {
	return value == "" && f.given != nil && f.given(flag)
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run JOB.yaml",
		Short: a.say("每晚的对账：读取、匹配、计算、审计、报告", "the nightly job: load, match, compute, audit, report"),
		Long: a.say(`按作业文件对账，把结果一次性发布到 output.dir。

缺文件、文件无法读取或控制总额不符时（退出码 3）什么也不发布，已知的情况写入 out.failed/；
用 --allow-incomplete 可照常发布，各报告都会注明不完整。

--from、--to 逐日对账；有差异或拒收超限时继续，别的问题停在那一天，退出码取各天中最重的。
各天的结果要分开保存，就在 output.dir 里写日期，例如 out/{date:20060102}；否则最后一天的留下。

--set 替代作业文件里的值，检查同样严格。--what-if 只算不写：与这一天已有的结果相比
（没有则与不加 --set 的结果相比）有哪些差别；给出 --out 时，结果另存到那里。
退出码 0 表示比较完成，无论有无差别。`,
			`Reconciles a job and publishes the results to output.dir in one step.

When an input is missing, unreadable or fails its control total (exit status 3) nothing is
published, and what is known goes to out.failed/. With --allow-incomplete the run is
published all the same, and every report says that it is incomplete.

--from and --to run one day after the other; breaks or rejects above the limits do not stop them,
anything else stops at its day, and the exit status is the gravest of all days. To keep the results
of all days, have the date in output.dir, as in out/{date:20060102}; else those of the last remain.

--set takes the place of a value of the job file, and is checked as strictly. --what-if computes and
writes nothing: it shows what differs from the results that the day has, or, if it has none, from
those without --set; with --out, its results are kept there. Exit status 0 says that the comparison
was made, whatever it found.`),
		Example: `  duizhang run duizhang.yaml
  duizhang run duizhang.yaml --date yesterday
  duizhang run duizhang.yaml --date 2026-11-20 --out /data/recon/2026-11-20
  duizhang run duizhang.yaml --from 2026-11-18 --to 2026-11-20
  duizhang run duizhang.yaml --set rebate.tolerance=0.01 --what-if
  duizhang run duizhang.yaml --memory 2GiB --workers 4 --json`,
		Args: a.exactly(1, "请给出一个作业文件", "give one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.whatIf:
				f.diff.limitSet = cmd.Flags().Changed("limit")
				return a.whatIf(cmd.Context(), args[0], f)
			case cmd.Flags().Changed("limit"):
				return usage(a.say("--limit 要与 --what-if 同用", "--limit goes with --what-if"), "")
			case cmd.Flags().Changed("from"), cmd.Flags().Changed("to"):
				return a.runDays(cmd.Context(), args[0], f)
			}
			return a.runJob(cmd.Context(), args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	a.dateFlag(cmd, &f)
	flags.StringVar(&f.from, "from", "", a.say("从这一天起，逐日对账（与 --to 同用）", "a run for each day from this one on (with --to)"))
	flags.StringVar(&f.to, "to", "", a.say("到这一天为止，含当天", "to this day, inclusive"))
	flags.StringVar(&f.out, "out", "", a.say("输出文件夹，替代 output.dir", "output folder, in place of output.dir"))
	a.setFlag(cmd, &f)
	flags.BoolVar(&f.whatIf, "what-if", false, a.say("只看会怎样：不改输出和状态，列出与已有结果的差别", "change no output and no state, and show what would differ"))
	a.limitFlag(cmd, &f.diff)
	a.waitFlag(cmd, &f.wait)
	a.sizeFlags(cmd, &f)
	flags.BoolVar(&f.allowIncomplete, "allow-incomplete", false, a.say("输入不完整也照常发布（退出码仍为 3）", "publish although inputs are incomplete (exit status 3 all the same)"))
	flags.StringVar(&f.profile, "profile", "", a.say("把各阶段的耗时、内存表和 CPU、内存剖析写到这个文件夹（报告运行慢时附上）", "write a table of the stages, and CPU and memory profiles, to this folder (to report a slow run)"))
	return cmd
}

func (a *app) dateFlag(cmd *cobra.Command, f *runFlags) {
	cmd.Flags().StringVar(&f.date, "date", "", a.say("业务日期：2026-11-20、today 或 yesterday", "business date: 2026-11-20, today or yesterday"))
}

// setFlag has values of the job file given on the command line.
func (a *app) setFlag(cmd *cobra.Command, f *runFlags) {
	cmd.Flags().StringArrayVar(&f.set, "set", nil, a.say("替代作业文件里的一个值，可多次给出，例如 rebate.tolerance=0.01",
		"a value in place of the job file's, such as rebate.tolerance=0.01; may be given again"))
	_ = cmd.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { // the flag is there
		keys := job.Keys()
		for i := range keys {
			keys[i] += "="
		}
		return keys, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
}

func (a *app) sizeFlags(cmd *cobra.Command, f *runFlags) {
	f.given = cmd.Flags().Changed
	cmd.Flags().StringVar(&f.memory, "memory", "", a.say("内存上限，例如 2GiB（默认为本机内存的 60%）", "memory to use, such as 2GiB (60 % of the machine's by default)"))
	cmd.Flags().IntVar(&f.workers, "workers", 0, a.say("并行数（默认为处理器数）", "workers (one for each processor by default)"))
}

// sizing checks the flags that bound what a run may use.
func (a *app) sizing(f runFlags) (sizing, error) {
	size := sizing{memory: memoryBudget(), workers: f.workers}
	if f.memory != "" || f.blank("memory", f.memory) {
		memory, ok := parseSize(f.memory)
		if !ok {
			return size, usage(a.say("--memory: %q: 应为大小，例如 2GiB、512MiB", "--memory: %q: must be a size such as 2GiB or 512MiB", f.memory), "")
		}
		if memory < leastMemory {
			return size, usage(a.say("--memory: %q: 至少 64MiB", "--memory: %q: at least 64MiB", f.memory), "")
		}
		size.memory = memory
	}
	switch {
	case f.workers < 0 || f.workers > 4096 || f.workers == 0 && f.given != nil && f.given("workers"):
		return size, usage(a.say("--workers: %q: 应为 1 到 4096", "--workers: %q: must be 1 to 4096", fmt.Sprint(f.workers)), "")
	case f.workers == 0:
		size.workers = runtime.GOMAXPROCS(0)
	}
	return size, nil
}

// prepare reads the job, and checks the flags that all commands with a job have.
func (a *app) prepare(file string, f runFlags) (*job.Job, sizing, error) {
	size, err := a.sizing(f)
	if err != nil {
		return nil, size, err
	}
	switch {
	case f.blank("out", f.out):
		return nil, size, a.blankFlag("out")
	case f.blank("date", f.date):
		return nil, size, a.blankFlag("date")
	}
	j, err := a.readJob(file, f.date, f.set...)
	if err != nil {
		return nil, size, err
	}
	if _, fault := j.Dated(f.out); fault != "" {
		return nil, size, usage("--out: "+strconv.Quote(f.out)+": "+fault, "")
	}
	return j, size, nil
}

// blankFlag is the error of a flag whose value is blank.
func (a *app) blankFlag(flag string) error {
	return usage(a.say("--%s 的值不能为空", "--%s must not be blank", flag), "")
}

// runJob is the nightly job.
func (a *app) runJob(ctx context.Context, file string, f runFlags) error {
	j, size, err := a.prepare(file, f)
	if err != nil {
		return err
	}
	out := outOf(j, f)
	if err := a.checkState(j, out); err != nil {
		return err
	}
	prof, err := startProfile(f.profile)
	if err != nil {
		return err
	}
	defer prof.stop()
	defer boundMemory(size.memory)()

	past, err := a.pastOf(ctx, j, access{wait: f.wait})
	if err != nil {
		return err
	}
	defer past.close()
	known, err := a.knownVerdicts(j)
	if err != nil {
		return err
	}
	unlock, err := a.lockOutput(ctx, out, f.wait)
	if err != nil {
		return err
	}
	defer unlock()
	a.tidy(out+failedSuffix, out+explainSuffix) // NewStaging does so for out itself
	size.profile, size.past = prof, past
	r := &runner{out: out, flags: f, verdicts: known, state: past}
	err = r.oneDay(ctx, a, j, size)
	if anew(err) {
		size.anew = true
		err = r.oneDay(ctx, a, j, size)
	}
	if err != nil {
		return err
	}
	return r.close()
}

// oneDay takes the job from its files to its outputs.
func (r *runner) oneDay(ctx context.Context, a *app, j *job.Job, size sizing) error {
	staging, err := reports.NewStaging(r.out, j.Output.Mode)
	if err != nil {
		return a.outputError(err)
	}
	defer func() { _ = staging.Discard() }()
	size.spill = staging.Temp()

	show := a.newProgress()
	if size.layout, err = r.state.layout(j); err != nil {
		return err
	}
	s, err := a.load(ctx, j, size, show)
	if err != nil {
		show.close()
		return err
	}
	if show, err = s.checkDrift(show); err != nil {
		return errors.Join(err, s.close())
	}
	size.profile.heap("heap-loaded.pprof")
	defer func() { _ = s.close() }()
	r.session, r.staging = s, staging
	defer func() { r.past.discard() }()
	err = r.run(ctx, show)
	show.close()
	size.profile.describe(r, size)
	return err
}

// A runner takes a loaded job to its end.
type runner struct {
	*session
	staging *reports.Staging
	out     string
	flags   runFlags
	result  *engine.Result
	outcome reports.Outcome
	dir     string // where the results are now: out, or out.failed

	parts       func(*engine.Part) error   // looks at every part; may be nil
	shiftOrders func(engine.ShiftOrder)    // what is behind the differences of the shifts; may be nil
	verdicts    map[string]reports.Verdict // what people concluded so far
	state       *jobState                  // nil for a job without
	past        *stateRun                  // what the run has to do with it
	later       []int32                    // days that are to be run again, but for those that this command runs yet
	replays     *runDetail                 // of a run that is computed again: what is recorded of it
	claims      []reports.ClaimInfo
}

func (r *runner) run(ctx context.Context, show progress) error {
	if err := r.checkPrimary(); err != nil {
		return err
	}
	r.limits()
	if r.outcome.Incomplete && !r.flags.allowIncomplete {
		return r.fail(ctx)
	}
	return r.publish(ctx, show)
}

// limits says what the run is measured by.
func (r *runner) limits() {
	r.outcome = reports.Outcome{
		Incomplete: r.incomplete(),
		Limits: reports.Limits{
			Rejects: int64(r.job.Limits.Rejects), Breaks: int64(r.job.Limits.Breaks), BreakAmount: r.job.Limits.BreakAmount,
		},
		Timings: r.timings.sofar,
	}
}

// publish computes the run, writes it beside its place and puts it there.
func (r *runner) publish(ctx context.Context, show progress) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.compute(ctx, r.reportOptions(r.staging.Dir()), show); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.dir = r.out
	if r.past != nil {
		if err := r.commit(ctx); err != nil {
			return err
		}
	} else if err := r.staging.Publish(); err != nil {
		return r.app.outputError(err)
	}
	r.app.removeFailed(r.out + failedSuffix)
	return nil
}

// compute computes the run and writes its outputs into the folder of the options.
func (r *runner) compute(ctx context.Context, o reports.Options, show progress) error {
	r.limits()
	w := reports.NewWriter(o)
	defer func() { _ = w.Close() }()
	if err := r.reconcile(ctx, w, show); err != nil {
		return err
	}
	if err := r.fillRaw(ctx, r.result.Rejects); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return r.app.stateFault(ctx, err)
	}
	reports.Settle(r.result.Breaks, r.verdicts)
	r.outcome.ExitCode = r.status()
	if err := r.write(ctx, w); err != nil {
		return err
	}
	r.claims = w.Claims()
	if r.keeping != nil {
		r.keeping.outputs(o.Dir, w.Kept())
	}
	return nil
}

// begin has the run see what earlier days left. It comes before whatever shows the
// run's tables, which are more by those of the rows that are carried.
func (r *runner) begin(ctx context.Context) (err error) {
	r.job.Engine.State = r.job.StateDir() != "" // a state that is not there yet is one without a past
	if r.state != nil {
		r.past, err = r.state.begin(r.session)
	}
	return r.app.stateFault(ctx, err)
}

func (r *runner) reconcile(ctx context.Context, sink engine.ResultSink, show progress) (err error) {
	defer r.timings.start("reconcile")()
	w, _ := sink.(*reports.Writer)
	opt := engine.RunOptions{Workers: r.workers, Progress: show.stage, ShiftOrders: r.shiftOrders}
	if r.late != nil {
		opt.Amend = func(dirty []bool) error { return r.amend(w, dirty) }
	}
	if r.past != nil {
		sink = &keptSink{ResultSink: sink, outputs: w, night: r.past, keeping: r.keeping, late: r.late}
	}
	if r.parts != nil {
		sink = &watchedSink{sink, r.parts}
	}
	r.result, err = engine.Run(ctx, &r.job.Engine, r.store, r.all, sink, opt)
	if r.result != nil && r.job.Engine.State {
		r.result.Parts = append(r.result.Parts, engine.PartState{Name: "carry", Ran: true}, engine.PartState{Name: "history", Ran: true})
	}
	if _, damaged := errors.AsType[*state.DamageError](err); damaged {
		return r.app.stateFault(ctx, err)
	}
	if err == nil && r.late != nil {
		r.sayLate(r.late.earlier.Dirty())
	}
	return err
}

// sayLate says how much of the day was computed anew.
func (r *runner) sayLate(dirty []bool) {
	n := 0
	for _, d := range dirty {
		if d {
			n++
		}
	}
	r.app.note(r.app.say("后到的文件：%d 个分区里重算 %d 个，其余与上一次对账相同", "late files: of %d parts %d are computed anew, the others are as in the run before", len(dirty), n))
}

// amend has outputs and state take the parts that are not dirty from the earlier run.
func (r *runner) amend(w *reports.Writer, dirty []bool) error {
	if err := r.past.day.Amend(dirty); err != nil {
		return err
	}
	return w.From(reports.Earlier{Outputs: r.late.note.Outputs, Source: r.late, Tables: r.late.earlier.Renumbered()})
}

// A watchedSink shows each part to somebody besides its sink.
type watchedSink struct {
	engine.ResultSink
	watch func(*engine.Part) error
}

// Part shows the part, and hands it on.
func (s *watchedSink) Part(ctx context.Context, p *engine.Part) error {
	if err := s.watch(p); err != nil {
		return err
	}
	return s.ResultSink.Part(ctx, p)
}

func (r *runner) write(ctx context.Context, w *reports.Writer) error {
	r.timings.start("write")
	defer r.timings.profile.end("write") // the stage itself goes on until the summary has its timings
	return turned(w.Finish(ctx, r.result, r.outcome), r.app.outputError)
}

// turned turns an error, if there is one.
func turned(err error, turn func(error) error) error {
	if err == nil {
		return nil
	}
	return turn(err)
}

// status is the exit status of a run that has been computed.
func (r *runner) status() int {
	statuses := []int{exitDone}
	breaks, rejects := r.outcome.Limits.Above(r.result)
	if breaks {
		statuses = append(statuses, exitBreaks)
	}
	if rejects {
		statuses = append(statuses, exitRejects)
	}
	if r.outcome.Incomplete {
		statuses = append(statuses, exitInput)
	}
	return worst(statuses...)
}

// fail writes what is known of a run that cannot be published.
func (r *runner) fail(ctx context.Context) error {
	r.result = &engine.Result{Words: r.words.Texts(), Tables: r.tables, Rejects: r.rejects}
	if !r.job.Day.IsZero() {
		r.result.Date = r.job.Day.Format("2006-01-02")
	}
	slices.SortStableFunc(r.result.Rejects, func(a, b schema.Reject) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if err := r.fillRaw(ctx, r.result.Rejects); err != nil {
		return err
	}
	r.outcome.ExitCode = exitInput
	staging, err := reports.NewStaging(r.out+failedSuffix, r.job.Output.Mode)
	if err != nil {
		return r.app.outputError(err)
	}
	defer func() { _ = staging.Discard() }()
	w := reports.NewWriter(r.reportOptions(staging.Dir()))
	if err := w.Fail(r.result, r.outcome); err != nil {
		return r.app.outputError(errors.Join(err, w.Close()))
	}
	r.dir = r.out + failedSuffix
	return turned(staging.Publish(), r.app.outputError)
}

// reportOptions are the choices of the job's output.
func (r *runner) reportOptions(dir string) reports.Options {
	o := &r.job.Output
	formats, _ := reports.ParseFormats(o.Formats) // the job has checked the words
	privacy, _ := reports.ParsePrivacy(o.Privacy)
	codec, _ := reports.ParseCodec(o.Parquet)
	temp := ""
	if r.staging != nil {
		temp = r.staging.Temp()
	}
	return reports.Options{
		Dir: dir, Temp: temp, Mode: o.Mode, Formats: formats, Results: reports.ResultsOf(r.job.Engine.Parts()),
		Lang: reports.Lang(o.Lang), Privacy: privacy, CSVBOM: o.CSVBOM, Sort: o.Sort, Parquet: codec,
		Claims: r.claimOptions(), Verdicts: r.verdicts, Zone: r.job.Zone, Words: r.words.Texts, Tables: r.all,
		Job:  reports.JobInfo{Name: filepath.Base(r.job.File), Version: version, Settings: r.job.Settings()},
		Keep: r.reportKeeper(),
	}
}

// reportKeeper is what the reports keep their parts in, nil for nothing.
func (r *runner) reportKeeper() reports.Keeper {
	if r.keeping == nil {
		return nil
	}
	return r.keeping
}

// claimed tells the formats that a pack is made of. A job that wants none of them
// writes for programs alone: they have the claims in rebates, and a pack costs
// reading the inputs once more.
func claimed(format string) bool { return format == "xlsx" || format == "html" || format == "csv" }

// claimOptions are what claim packs need of the job and its inputs; without Lines
// no packs are written.
func (r *runner) claimOptions() reports.ClaimOptions {
	reg := r.job.Engine.Registry
	if reg == nil || !slices.ContainsFunc(r.job.Output.Formats, claimed) {
		return reports.ClaimOptions{}
	}
	columns := map[string]map[string][]string{}
	for kind, names := range r.job.Columns {
		columns[kind.String()] = names
	}
	return reports.ClaimOptions{
		Tolerance: r.job.Engine.RebateTolerance, Agreements: reg.Agreements, Signed: reg.Signed,
		Reading: claim.Reading{StatementPID: r.job.StatementPID, DefaultMerchant: r.job.Engine.DefaultMerchant, Columns: columns},
		Lines: func(ctx context.Context, table int32, lines []int32, each func(int32, [32]byte) error) error {
			t := r.all[table]
			return loaders.HashLines(ctx, r.pathOf(t), t.Member, lines, each)
		},
	}
}

// summarize prints the closing summary.
func (r *runner) summarize() error {
	width, _ := terminal(r.app.stdout)
	o := r.reportOptions(r.dir)
	return reports.Console(r.app.stdout, r.result, r.outcome, reports.ConsoleOptions{
		Lang: reports.Lang(r.app.lang), Color: r.app.colored(r.app.stdout), Width: width, Privacy: o.Privacy,
		Out: lang.Plain(r.dir), Formats: o.Formats,
	})
}

// close ends the run: it says what came out, and gives the status.
func (r *runner) close() error {
	a := r.app
	a.published = true
	r.sayLater()
	if r.outcome.Incomplete {
		r.complainInputs()
		if !r.flags.allowIncomplete {
			a.complain(a.say("输入不完整，什么也没有发布；已知的情况在 %s", "the inputs are incomplete and nothing was published; what is known is in %s", r.dir),
				a.say("补齐后重跑，或用 --allow-incomplete 照常发布", "complete them and run again, or publish all the same with --allow-incomplete"))
		}
	}
	for _, c := range r.claims {
		if c.Dir == "" {
			a.note(a.say("服务商 %s 账期 %q 有 %s 元可申诉，没有申诉包：%s", "provider %s, period %q: %s can be claimed, and there is no pack: %s", c.Provider, c.Period, c.Amount, c.Note))
		}
	}
	if a.json {
		if err := a.printSummary(r.dir); err != nil {
			return err
		}
	} else if !a.quiet && (!r.outcome.Incomplete || r.flags.allowIncomplete) {
		if err := r.summarize(); err != nil {
			return err
		}
	}
	return quietly(r.outcome.ExitCode)
}

// printSummary prints summary.json, which is the machine-readable result.
func (a *app) printSummary(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if a.list {
		sign := ","
		if a.listed == 0 {
			sign = "["
		}
		a.listed++
		if _, err := io.WriteString(a.stdout, sign); err != nil {
			return err
		}
	}
	_, err = a.stdout.Write(text)
	return err
}

// lockOutput keeps other runs from the output folder until unlock is called. With
// wait it waits for one that uses it.
func (a *app) lockOutput(ctx context.Context, out string, wait bool) (unlock func(), err error) {
	parent, base := filepath.Split(filepath.Clean(out))
	const parents = 0o755
	if err := fsys.MkdirAll(filepath.Join(parent, "."), parents); err != nil {
		return nil, a.outputError(err)
	}
	lock, err := lockFile(filepath.Join(parent, "."+base+".lock"))
	for waited := false; err == nil && lock == nil && wait; waited = true {
		if !waited {
			a.note(a.say("%s 正在被另一次对账使用；等它结束", "%s is in use by another run; waiting for it to end", out))
		}
		const pause = 100 * time.Millisecond
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
		lock, err = lockFile(filepath.Join(parent, "."+base+".lock"))
	}
	if err != nil {
		return nil, a.outputError(err)
	}
	if lock == nil {
		return nil, usage(a.say("%s 正在被另一次对账使用", "%s is in use by another run", out), a.say("等它结束后再运行，或用 --wait 等它", "run again when it has ended, or wait for it with --wait"))
	}
	return lock.release, nil
}

// outputError says that results could not be written where they should go.
func (a *app) outputError(err error) error {
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	if folder, ok := errors.AsType[*reports.OutputError](err); ok {
		return usage(folder.Text(reports.Lang(a.lang)), "")
	}
	return &failure{status: exitUsage, err: err}
}
