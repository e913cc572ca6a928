package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/state"
	"duizhang/reports"
	"duizhang/reports/diff"
)

// replaySuffix is what the private folder of replay is named after.
const replaySuffix = ".replay"

// replayFlags are the flags of replay.
type replayFlags struct {
	runFlags
	of     verdictFlags
	inputs string
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay RUN",
		Short: a.say("照记录重算一次对账，核对每个输出文件是否一字不差", "computes a recorded run again and compares every byte"),
		Long: a.say(`用记录下来的作业文件、设置和输入，在私有文件夹里把一次对账重算一遍，逐个输出文件比较
（summary.json 的 timings 除外）。先核对每个输入文件的 SHA-256：缺失或改动过的逐个列出，退出码 3，
不再往下算。不改动状态和输出。结果不一致时退出码 1，说明哪些文件不同、哪些交易不同。`,
			`Computes a run again in a private folder, from the job file, the settings and the inputs that were
recorded, and compares every output file (but the timings in summary.json). First the SHA-256 of
every input is checked: those that are missing or changed are named, exit status 3, and nothing is
computed. State and outputs are left alone. Exit status 1 where the results differ; which files and
which trades is said.`),
		Example: `  duizhang replay 2026-11-20
  duizhang replay 2026-11-20#1 --job duizhang.yaml
  duizhang replay 2026-11-20 --state /data/recon/state --inputs /archive/recon`,
		Args: a.exactly(1, "请给出一次对账，例如 2026-11-20", "give one run, such as 2026-11-20"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.diff.limitSet = cmd.Flags().Changed("limit")
			if f.blank("inputs", f.inputs) {
				return a.blankFlag("inputs")
			}
			name, ok := parseRunName(args[0])
			if !ok {
				return usage(a.say("%q: 不是对账的名称", "%q: not the name of a run", args[0]), a.say("例如 2026-11-20 或 2026-11-20#1；duizhang runs 列出全部", "such as 2026-11-20 or 2026-11-20#1; duizhang runs lists them"))
			}
			return a.withState(cmd, f.of, f.wait, func(ctx context.Context, s *jobState) error { return a.replay(ctx, s, name, f) })
		},
	}
	a.verdictFlags(cmd, &f.of)
	cmd.Flags().StringVar(&f.inputs, "inputs", "", a.say("作业文件所在的文件夹，如果已经搬走", "the job file's folder, if it has moved"))
	a.waitFlag(cmd, &f.wait)
	a.limitFlag(cmd, &f.diff)
	a.sizeFlags(cmd, &f.runFlags)
	return cmd
}

// A replayed is what replay --json gives.
type replayed struct {
	Run     string      `json:"run"`
	Same    bool        `json:"same"`
	Version string      `json:"version"` // of the program that computed it
	Inputs  []inputGone `json:"inputs"`  // that are not what they were
	Outputs []outputOff `json:"outputs"` // that differ
	Diff    *diffJSON   `json:"diff"`    // null if no trade can be compared
}

type inputGone struct {
	Path   string `json:"path"`
	Change string `json:"change"` // missing, changed, added
}

type outputOff struct {
	Path   string `json:"path"`
	Change string `json:"change"` // differs, missing, added
}

func (a *app) replay(ctx context.Context, s *jobState, name runName, f replayFlags) error {
	limit, err := a.most(f.diff)
	if err != nil {
		return err
	}
	size, err := a.sizing(f.runFlags)
	if err != nil {
		return err
	}
	run, err := s.find(name)
	if err != nil {
		return err
	}
	detail, err := s.detailOf(run.Date, run.Revision)
	if err != nil {
		return a.stateFault(ctx, err)
	}
	j, err := a.recordedJob(run, detail, f.inputs)
	if err != nil {
		return err
	}
	x := &replayed{Run: run.Token, Version: run.Version, Inputs: []inputGone{}, Outputs: []outputOff{}}
	if x.Inputs, err = a.checkInputs(ctx, run, j); err != nil {
		return err
	}
	if len(x.Inputs) > 0 {
		return a.refuseReplay(x)
	}
	defer boundMemory(size.memory)()
	scratch, err := a.scratch(detail.Out, replaySuffix)
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Discard() }()
	size.spill, size.layout = scratch.Temp(), layoutOf(run)
	c := diff.New(scratch.Temp())
	defer c.Close() //nolint:errcheck // its folder goes
	again, err := a.recompute(ctx, s, j, detail, size, scratch, c)
	if err != nil {
		return err
	}
	digests, err := digestOutputs(ctx, scratch.Dir())
	if err != nil {
		return a.outputError(err)
	}
	x.Outputs = differing(detail.Outputs, digests)
	if x.Same = len(x.Outputs) == 0; x.Same {
		return a.printReplay(x)
	}
	if run.Kept {
		first, err := s.addRevision(ctx, c, diff.First, run.Date, run.Revision)
		if err != nil {
			return err
		}
		d, err := c.Finish(ctx, limit)
		if err != nil {
			return err
		}
		runs := [2]comparedRun{first, again}
		figures, err := diff.Figures(first.summary, again.summary)
		if err != nil {
			return &failure{status: exitUsage, err: err}
		}
		x.Diff = shownDiff(runs, d, figures)
		if err := a.printReplay(x); err != nil {
			return err
		}
		if !a.json {
			fmt.Fprintln(a.stdout)
			a.printDiff(runs, d, figures, limit)
		}
		return quietly(exitBreaks)
	}
	if err := a.printReplay(x); err != nil {
		return err
	}
	return quietly(exitBreaks)
}

// recordedJob is the job as it was, in its folder or another.
func (a *app) recordedJob(run *state.Run, d *runDetail, folder string) (*job.Job, error) {
	file := d.File
	if folder != "" {
		file = filepath.Join(folder, filepath.Base(d.File))
	}
	l, ok := lang.Parse(d.Lang)
	if !ok {
		return nil, a.stateFault(context.Background(), &state.DamageError{Place: run.Token, Why: "its language is unknown"})
	}
	j, err := job.Parse(file, []byte(d.Text), job.Options{Lang: l, Date: state.DateText(run.Date), Now: a.now(), Set: d.Set})
	if err != nil {
		return nil, &failure{
			status: exitUsage, err: err,
			hint: a.say("记录的作业文件在这个版本里无效；记录时的版本是 %s", "the job file that was recorded is not valid in this version; it was recorded by version %s", run.Version),
		}
	}
	j.Output.Lang = l
	return j, nil
}

// checkInputs compares the inputs with what they were: by SHA-256, each file once.
func (a *app) checkInputs(ctx context.Context, run *state.Run, j *job.Job) ([]inputGone, error) {
	found, _, err := j.Files()
	if _, missing := errors.AsType[job.Missing](err); err != nil && !missing {
		return nil, err
	}
	paths := map[string]string{}
	for _, in := range found {
		paths[in.Kind.String()+"\x1f"+in.Name] = in.Path
	}
	gone := []inputGone{}
	digests := map[string]string{}
	for _, in := range run.Inputs {
		key := in.Kind + "\x1f" + in.Path
		if in.SHA256 == "" { // a pattern that found nothing then
			continue
		}
		path, there := paths[key]
		delete(paths, key)
		if !there {
			path = j.Path(in.Path)
		}
		if _, known := digests[path]; !known {
			if digests[path], err = fileDigest(ctx, path); err != nil && !errors.Is(err, os.ErrNotExist) {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				digests[path] = "unreadable"
			}
		}
		switch {
		case digests[path] == "":
			gone = append(gone, inputGone{in.Path, "missing"})
		case digests[path] != in.SHA256:
			gone = append(gone, inputGone{in.Path, "changed"})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(paths)) {
		_, name, _ := strings.Cut(key, "\x1f")
		gone = append(gone, inputGone{name, "added"})
	}
	slices.SortFunc(gone, func(x, y inputGone) int { return strings.Compare(x.Path, y.Path) })
	return slices.Compact(gone), nil
}

func fileDigest(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), ctx.Err()
}

// refuseReplay names the inputs that are not what they were.
func (a *app) refuseReplay(x *replayed) error {
	if a.json {
		if err := a.printJSON(x); err != nil {
			return err
		}
	}
	words := map[string]string{
		"missing": a.say("文件不存在", "the file is gone"), "changed": a.say("文件已改动", "the file has changed"),
		"added": a.say("当时没有这个文件", "the file was not there then"),
	}
	for _, in := range x.Inputs {
		a.complain(lang.Plain(in.Path)+": "+words[in.Change], "")
	}
	return &failure{
		status: exitInput, err: errors.New(a.say("%s 的输入不是当时的样子，没有重算", "the inputs of %s are not what they were; nothing was computed", x.Run)),
		hint: a.say("从备份恢复这些文件；已搬到别处就用 --inputs", "restore these files from a backup; if all have moved, use --inputs"),
	}
}

// recompute computes the job in the private folder, with what people and earlier days
// said of it then.
func (a *app) recompute(
	ctx context.Context, s *jobState, j *job.Job, d *runDetail, size sizing, scratch *reports.Staging, c *diff.Comparer,
) (again comparedRun, err error) {
	again.Name = a.say("重算", "computed again")
	show := a.newProgress()
	defer func() { show.close() }()
	loaded, err := a.load(ctx, j, size, show)
	if err != nil {
		return again, err
	}
	defer func() { err = errors.Join(err, loaded.close()) }()
	for _, t := range loaded.tables {
		t.Drift = d.Drift[t.File()]
	}
	if err := loaded.checkPrimary(); err != nil {
		return again, err
	}
	known := map[string]reports.Verdict{}
	for id, v := range d.Verdicts {
		word, _ := reports.ParseVerdictState(v.State)
		known[id] = reports.Verdict{State: word, By: v.By, Note: v.Note}
	}
	r := &runner{session: loaded, staging: scratch, out: d.Out, verdicts: known, state: s, replays: d}
	defer func() { r.past.discard() }()
	r.parts = func(p *engine.Part) error { return c.AddPart(diff.Second, p, loaded.words.Texts()) }
	if err := r.begin(ctx); err != nil {
		return again, err
	}
	if err := r.compute(ctx, r.reportOptions(scratch.Dir()), show); err != nil {
		return again, err
	}
	c.AddBreaks(diff.Second, comparedBreaks(r.result.Breaks))
	if again.summary, err = os.ReadFile(filepath.Join(scratch.Dir(), reports.SummaryName)); err != nil {
		return again, &failure{status: exitUsage, err: err}
	}
	return again, again.read()
}

// differing are the files whose bytes are not what they were.
func differing(was, now map[string]string) []outputOff {
	list := []outputOff{}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		switch digest, there := now[path]; {
		case !there:
			list = append(list, outputOff{path, "missing"})
		case digest != was[path]:
			list = append(list, outputOff{path, "differs"})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(now)) {
		if _, there := was[path]; !there {
			list = append(list, outputOff{path, "added"})
		}
	}
	return list
}

func (a *app) printReplay(x *replayed) error {
	if a.json {
		return a.printJSON(x)
	}
	if x.Same {
		fmt.Fprintln(a.stdout, a.say("✔ %s：重算的结果一字不差", "✔ %s: computed again, every byte is the same", x.Run))
		return nil
	}
	fmt.Fprintln(a.stdout, a.say("✘ %s：重算的结果不同", "✘ %s: computed again, the results differ", x.Run))
	words := map[string]string{
		"differs": a.say("内容不同", "differs"), "missing": a.say("重算没有", "is not there again"), "added": a.say("当时没有", "was not there then"),
	}
	t := newTable()
	for _, o := range x.Outputs {
		t.row("  "+o.Path, words[o.Change])
	}
	t.write(a.stdout)
	if x.Version != version {
		a.note(a.say("当时的程序版本是 %s，现在是 %s", "it was computed by version %s; this is %s", x.Version, version))
	} else {
		a.note(a.say("输入和设置与当时相同：变了的是以前各天留下的（历史、结转、差异的首见日）", "inputs and settings are what they were: what changed is what earlier days left (history, carried rows, when breaks were first seen)"))
	}
	return nil
}
