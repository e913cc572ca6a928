package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/reports"
)

type shiftFlags struct {
	runFlags
	store, shift string
	different    bool
	html         string
	force        bool
}

func (a *app) shiftCommand() *cobra.Command {
	var f shiftFlags
	cmd := &cobra.Command{
		Use:   "shift JOB.yaml",
		Short: a.say("交接班结算：每个门店、终端、操作员、班次，POS 对支付宝", "shift settlement: POS beside Alipay per store, terminal, operator and shift"),
		Long: a.say(`按作业文件计算一遍，列出每个门店每个班次的收款：POS 记的、支付宝账单的、退款、差额，以及差额背后的
订单。微信、现金等按 POS 的记录列在各自的渠道下。班次取自 POS 的 shift 列，其次取自作业文件的 shifts，
都没有时一天为一个班次。--html 写一份可打印的结算单，每个班次一页，带签字栏。不写其它结果。`,
			`Computes the job and lists what each store took in each shift: as the POS has it, as Alipay's bill has
it, refunds, the difference, and the orders behind it. WeChat, cash and others stand under their
channel as the POS gives them. Shifts come from the POS column shift, else from the job's shifts,
else a day is one shift. --html writes pages to print, one a shift, with lines to sign. No other
results are written.`),
		Example: `  duizhang shift duizhang.yaml
  duizhang shift duizhang.yaml --store S001 --shift 早班
  duizhang shift duizhang.yaml --date yesterday --different --json
  duizhang shift duizhang.yaml --html shifts.html`,
		Args: a.exactly(1, "请给出一个作业文件", "give one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.shift(cmd.Context(), args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	a.dateFlag(cmd, &f.runFlags)
	flags.StringVar(&f.store, "store", "", a.say("只看这个门店编号", "this store_id only"))
	flags.StringVar(&f.shift, "shift", "", a.say("只看这个班次", "this shift only"))
	flags.BoolVar(&f.different, "different", false, a.say("只看有差额的班次", "only shifts that do not balance"))
	flags.StringVar(&f.html, "html", "", a.say("写成可打印的网页，每个班次一页", "write pages to print to this file, one a shift"))
	flags.BoolVar(&f.force, "force", false, a.say("替换已有的 --html 文件", "replace the file of --html"))
	a.waitFlag(cmd, &f.wait)
	a.sizeFlags(cmd, &f.runFlags)
	return cmd
}

func (a *app) shift(ctx context.Context, file string, f shiftFlags) error {
	if f.blank("html", f.html) {
		return a.blankFlag("html")
	}
	j, size, err := a.prepare(file, f.runFlags)
	if err != nil {
		return err
	}
	if f.html != "" && !f.force {
		if _, err := os.Lstat(f.html); err == nil {
			return usage(a.say("%s 已经存在，没有改动", "%s exists; nothing was changed", f.html), a.say("换一个文件，或用 --force 替换", "choose another file, or replace it with --force"))
		}
	}
	for _, part := range j.Engine.Parts() {
		if part.Name == "shifts" && !part.Ran {
			return usage(a.say("交接班结算需要账单和 POS 订单；作业文件没有 %s", "a shift settlement takes bills and POS orders; the job has no %s", part.Why), "")
		}
	}
	pages, incomplete, err := a.shiftPages(ctx, j, size, f)
	if err != nil {
		return err
	}
	if f.html != "" {
		if err := a.writeShifts(f.html, pages); err != nil {
			return err
		}
	}
	switch {
	case a.json:
		err = a.printJSON(struct {
			Incomplete bool                `json:"incomplete"`
			Shifts     []reports.ShiftPage `json:"shifts"`
		}{incomplete, pages})
	case f.html == "":
		err = reports.ShiftConsole(a.stdout, pages, reports.ConsoleOptions{Lang: reports.Lang(a.lang), Color: a.colored(a.stdout)})
	}
	if err != nil {
		return err
	}
	if incomplete {
		a.complain(a.say("输入不完整，不是最终结果", "an input is incomplete: not the final result"), "")
		return quietly(exitInput)
	}
	return nil
}

// shiftPages computes the job and gives the pages that the flags ask for.
func (a *app) shiftPages(ctx context.Context, j *job.Job, size sizing, f shiftFlags) (pages []reports.ShiftPage, incomplete bool, err error) {
	out := outOf(j, f.runFlags)
	if err := a.checkState(j, out); err != nil {
		return nil, false, err
	}
	a.tidy(out, out+failedSuffix)
	scratch, err := a.scratch(out, explainSuffix)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = scratch.Discard() }()
	size.spill = scratch.Temp()
	show := a.newProgress()
	defer show.close()
	s, err := a.load(ctx, j, size, show)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = s.close() }()
	if err := s.checkPrimary(); err != nil {
		return nil, false, err
	}
	past, err := a.pastOf(ctx, j, access{read: true, wait: f.wait})
	if err != nil {
		return nil, false, err
	}
	defer past.close()
	r := &runner{session: s, staging: scratch, state: past}
	if err := r.begin(ctx); err != nil {
		return nil, false, err
	}
	defer func() { r.past.discard() }()
	var mu sync.Mutex
	var orders []engine.ShiftOrder
	r.shiftOrders = func(o engine.ShiftOrder) {
		if f.store != "" && o.Store != f.store || f.shift != "" && o.Shift != f.shift {
			return
		}
		mu.Lock()
		orders = append(orders, o)
		mu.Unlock()
	}
	if err := r.reconcile(ctx, nowhere{}, show); err != nil {
		return nil, false, err
	}
	show.close()
	s.complainInputs()
	if err := a.chooseShifts(r.result, f); err != nil {
		return nil, false, err
	}
	pages = reports.ShiftPages(r.result, orders, &j.Engine, r.reportOptions(""))
	if f.different {
		pages = slices.DeleteFunc(pages, func(p reports.ShiftPage) bool { return p.Balanced })
	}
	if pages == nil {
		pages = []reports.ShiftPage{}
	}
	return pages, s.incomplete(), nil
}

// chooseShifts leaves the rows of the result that the flags ask for; a store or
// shift that no row has is an error.
func (a *app) chooseShifts(r *engine.Result, f shiftFlags) error {
	for _, choice := range []struct {
		flag, value string
		of          func(*engine.ShiftRow) string
	}{
		{"store", f.store, func(r *engine.ShiftRow) string { return r.Store }},
		{"shift", f.shift, func(r *engine.ShiftRow) string { return r.Shift }},
	} {
		if choice.value == "" {
			continue
		}
		var names []string
		for i := range r.Shifts {
			if name := choice.of(&r.Shifts[i]); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if !slices.Contains(names, choice.value) {
			const shown = 8
			hint := a.say("没有任何名称", "there are none")
			if len(names) > 0 {
				hint = a.say("有：", "there are: ") + reports.Mask.Text(strings.Join(names[:min(shown, len(names))], ", "))
			}
			return usage(a.say("--%s: %q: 输入里没有", "--%s: %q: not in the inputs", choice.flag, choice.value), hint)
		}
		r.Shifts = slices.DeleteFunc(r.Shifts, func(r engine.ShiftRow) bool { return choice.of(&r) != choice.value })
	}
	return nil
}

// nowhere is a sink for those who want the result alone.
type nowhere struct{}

func (nowhere) Begin(int) error                                { return nil }
func (nowhere) Part(ctx context.Context, _ *engine.Part) error { return ctx.Err() }

// writeShifts writes the pages beside their place and puts them there.
func (a *app) writeShifts(file string, pages []reports.ShiftPage) error {
	return a.replaceFile(file, 0o600, func(w io.Writer) error {
		return reports.ShiftHTML(w, pages, reports.Lang(a.lang))
	})
}

// replaceFile writes a file beside its place and renames it, so that nobody reads
// half of it. A link or a folder is not replaced.
func (a *app) replaceFile(file string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		return usage(a.say("%s: 不是普通文件，没有改动", "%s: not a regular file; nothing was changed", file), "")
	}
	f, err := fsys.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	defer func() {
		if err != nil {
			_ = fsys.Remove(f.Name())
			err = &failure{status: exitUsage, err: err}
		}
	}()
	err = errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return fsys.Rename(f.Name(), file)
}
