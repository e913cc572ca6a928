package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine/fsys"
	"duizhang/reports"
)

// outOf is the output folder of a job.
func outOf(j *job.Job, f runFlags) string {
	if f.out != "" {
		out, _ := j.Dated(f.out) // prepare has checked it
		return out
	}
	return j.Path(j.Output.Dir)
}

// What stands beside an output folder.
const (
	failedSuffix  = ".failed"  // what is known of a run that was not published
	explainSuffix = ".explain" // temporary files of explain, for its time
)

// tidy removes what dead commands left beside these folders, and completes the
// publications that they began. That it cannot is no fault of the command.
func (a *app) tidy(folders ...string) {
	for _, name := range folders {
		if err := reports.Recover(name, nil); err != nil {
			a.note(a.errorText(a.outputError(err)))
		}
	}
}

// removeFailed removes what an earlier run that could not be published left in
// out.failed: the files that such a run writes, and the folder if it held nothing
// else.
func (a *app) removeFailed(dir string) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return
	}
	for _, name := range []string{reports.SummaryName, "rejects.csv"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return // not ours
		}
	}
	for _, name := range []string{"rejects.csv", reports.SummaryName, "."} {
		if err := fsys.Remove(filepath.Join(dir, name)); err != nil {
			a.note(a.say("旧的 %s 没有删除：%v", "the old %s could not be removed: %v", dir, a.lang.System(err)))
			return
		}
	}
}

// scratch is a folder for the temporary files of a command that publishes nothing:
// beside the output folder, where the disk is that runs use, or else in a folder of
// the user's. It goes with the command; after a crash the next one removes it.
func (a *app) scratch(out, suffix string) (*reports.Staging, error) {
	var places []string
	if info, err := os.Stat(filepath.Dir(filepath.Clean(out))); err == nil && info.IsDir() {
		places = append(places, out+suffix)
	}
	name := strings.TrimPrefix(suffix, ".")
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, filepath.Join(cache, "duizhang", name))
	}
	places = append(places, filepath.Join(os.TempDir(), "duizhang-"+strconv.Itoa(os.Getuid()), name))
	var errs error
	for _, place := range places {
		staging, err := reports.NewStaging(place, 0)
		if err == nil {
			return staging, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, a.outputError(errs)
}
