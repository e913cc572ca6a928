package main

import (
	"context"
	"errors"
	"io"
	"time"
)

// maxDays bounds --from and --to: what is longer is a slip.
const maxDays = 3660

// rangeOf are the days that the flags name.
func (a *app) rangeOf(f runFlags) ([]string, error) {
	switch {
	case f.date != "" || f.blank("date", f.date):
		return nil, usage(a.say("--date 不能与 --from、--to 同用", "--date does not go with --from and --to"), "")
	case f.from == "" || f.to == "":
		return nil, usage(a.say("--from 和 --to 要一起给出", "--from and --to go together"), a.say("例如 --from 2026-11-18 --to 2026-11-20", "as in --from 2026-11-18 --to 2026-11-20"))
	}
	var ends [2]time.Time
	for i, flag := range [...][2]string{{"from", f.from}, {"to", f.to}} {
		day, err := time.Parse(time.DateOnly, flag[1])
		if err != nil {
			return nil, usage(a.say("--%s: %q: 应为日期，例如 2026-11-20", "--%s: %q: must be a date, such as 2026-11-20", flag[0], flag[1]), "")
		}
		ends[i] = day
	}
	var days []string
	for day := ends[0]; !day.After(ends[1]); day = day.AddDate(0, 0, 1) {
		if len(days) == maxDays {
			return nil, usage(a.say("--from、--to 至多 %d 天", "--from to --to is more than %d days", maxDays), "")
		}
		days = append(days, day.Format(time.DateOnly))
	}
	if len(days) == 0 {
		return nil, usage(a.say("--from %s 在 --to %s 之后", "--from %s is after --to %s", f.from, f.to), "")
	}
	return days, nil
}

// runDays runs the job for one day after the other. A day whose results were
// published does not stop them, whatever was found in it.
func (a *app) runDays(ctx context.Context, file string, f runFlags) error {
	days, err := a.rangeOf(f)
	if err != nil {
		return err
	}
	// Before anything is run, the job is checked as it is on the first and the last
	// day.
	var outs []string
	for _, day := range []string{days[0], days[len(days)-1]} {
		f.date = day
		j, _, err := a.prepare(file, f)
		if err != nil {
			return err
		}
		outs = append(outs, outOf(j, f))
	}
	if len(days) > 1 && outs[0] == outs[1] {
		a.note(a.say("各天都写到 %s，最后一天的结果留下；要各天都留，在 output.dir 里写日期，例如 out/{date:20060102}",
			"all days are written to %s, and the last day's results remain; to keep each day's, have the date in output.dir, as in out/{date:20060102}", outs[0]))
	}
	a.list, a.runsTo = a.json, days[len(days)-1]
	if a.json {
		defer func() { _, _ = io.WriteString(a.stdout, a.listEnd()) }()
	}
	statuses := []int{exitDone}
	for _, day := range days {
		if len(days) > 1 {
			a.note(a.say("== %s", "== %s", day))
		}
		f.date, a.published = day, false
		err := a.runJob(ctx, file, f)
		status := statusOf(ctx, err)
		statuses = append(statuses, status)
		whole := a.published && (status != exitInput || f.allowIncomplete)
		if err == nil || whole && said(err) {
			continue
		}
		if day != days[len(days)-1] {
			a.note(a.say("停在 %s；处理后继续：duizhang run %s --from %s --to %s", "stopped at %s; when it is put right, go on with duizhang run %s --from %s --to %s",
				day, file, day, days[len(days)-1]))
		}
		if said(err) {
			break
		}
		return err
	}
	return quietly(worst(statuses...))
}

// said tells that the command has said what ended it: its results are there.
func said(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.err == nil
}

// listEnd ends the list of the days' summaries.
func (a *app) listEnd() string {
	if a.listed == 0 {
		return "[]\n"
	}
	return "]\n"
}
