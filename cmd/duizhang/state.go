package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine"
	"duizhang/engine/state"
)

// An access says what a command wants of a state folder.
type access struct {
	read bool // changes nothing
	wait bool // waits for another command that uses the folder
}

// A jobState is the state folder of a job, which this command has to itself.
type jobState struct {
	app  *app
	dir  string
	read bool
	lock *state.Lock
	*state.Store
}

// pastOf opens the state of a job, nil for a job without one.
func (a *app) pastOf(ctx context.Context, j *job.Job, how access) (*jobState, error) {
	if j.StateDir() == "" {
		return nil, nil
	}
	return a.openState(ctx, j.StateDir(), how)
}

// has tells whether the job's day has a run.
func (s *jobState) has(j *job.Job) bool {
	run, err := s.Current(dayNumber(j.Day))
	return err == nil && run != nil
}

// layout is that of the first run of the job's day: what comes to the day later does
// not move its rows to other places in the outputs. It is blank if there is none.
func (s *jobState) layout(j *job.Job) (engine.Layout, error) {
	if s == nil {
		return engine.Layout{}, nil
	}
	run, err := s.Current(dayNumber(j.Day))
	if err != nil || run == nil {
		return engine.Layout{}, err
	}
	return layoutOf(run), nil
}

func layoutOf(run *state.Run) engine.Layout {
	return engine.Layout{Partitions: run.Partitions, Spread: run.Spread}
}

func (a *app) waitFlag(cmd *cobra.Command, wait *bool) {
	cmd.Flags().BoolVar(wait, "wait", false, a.say("状态文件夹正被别的命令使用时等它结束", "wait for another command that uses the state folder"))
}

// openState takes the state folder, and completes or undoes what a command that
// died left half done. To be read, a folder that is not there is none: nil.
func (a *app) openState(ctx context.Context, dir string, how access) (*jobState, error) {
	if how.read {
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	lock, err := a.lockState(ctx, dir, how.wait)
	if err != nil {
		return nil, err
	}
	store, err := state.Open(ctx, dir, state.Options{Lock: lock, ReadOnly: how.read, Temp: dir, Version: version})
	if err != nil {
		lock.Release()
		return nil, a.stateFault(ctx, err)
	}
	s := &jobState{a, dir, how.read, lock, store}
	if err := a.completePublication(dir, store.Committed); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// lockState keeps other commands from the state folder.
func (a *app) lockState(ctx context.Context, dir string, wait bool) (*state.Lock, error) { //nolint:revive // flag-parameter: --wait
	lock, err := state.LockFolder(ctx, dir, a.owner(), false)
	locked, isLocked := errors.AsType[*state.LockedError](err)
	if isLocked && wait {
		a.note(a.say("%s；等它结束", "%s; waiting for it to end", locked.Text(a.chinese())))
		lock, err = state.LockFolder(ctx, dir, a.owner(), true)
	}
	return lock, a.stateFault(ctx, err)
}

// close lets others use the folder.
func (s *jobState) close() {
	if s == nil {
		return
	}
	if err := s.Close(); err != nil {
		s.app.complain(s.app.errorText(err), "")
	}
	s.lock.Release()
}

// owner is who this process is, for others who want the folder.
func (a *app) owner() string {
	who := "?"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	const most = 200
	command := strings.Join(append([]string{"duizhang"}, a.args...), " ")
	if runes := []rune(command); len(runes) > most {
		command = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("pid %d, %s@%s, %s, %s", os.Getpid(), who, host, a.now().Format(time.RFC3339), command)
}

// stateFault says in the language what is wrong with the state, and what to do.
func (a *app) stateFault(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	if locked, ok := errors.AsType[*state.LockedError](err); ok {
		return usage(locked.Text(a.chinese()), a.say("等它结束后再运行，或用 --wait 等它", "run again when it has ended, or wait for it with --wait"))
	}
	if e, ok := errors.AsType[*state.VersionError](err); ok {
		return usage(e.Text(a.chinese()), "")
	}
	if e, ok := errors.AsType[*state.FolderError](err); ok {
		return usage(e.Text(a.chinese()), "")
	}
	_, damaged := errors.AsType[*state.DamageError](err)
	text, more, _ := strings.Cut(err.Error(), "\n")
	if damaged || strings.Contains(err.Error(), "checksum mismatch") { // what the database says of a block goes on for pages
		if at := strings.Index(more, "checksum mismatch"); at >= 0 {
			text += ": checksum mismatch"
		}
		return &failure{
			status: exitInput, err: errors.New(text),
			hint: a.say("状态损坏：从备份恢复，或按 docs/state.md 重新开始", "the state is damaged: restore a backup, or begin anew as docs/state.md says"),
		}
	}
	return &failure{status: exitUsage, err: err}
}
