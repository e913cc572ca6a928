//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"duizhang/engine/fsys"
)

// faultEnv makes the test binary the command, with a fault in it.
const faultEnv = "DUIZHANG_TEST_FAULT"

// A fault is what happens to a run at one of its steps on the disk.
type fault struct {
	Base  string // the folder that steps' paths are relative to
	Trace string // a file for the places of all steps
	At    string // the place of the step
	Step  int    // or its number, from 1
	How   string // faultDies or another such word
	Met   string // a file that is made when the fault happens
}

const (
	faultDies   = "dies"   // the process ends, as by kill -9
	faultBreaks = "breaks" // the step fails, once
	faultFull   = "full"   // from then on nothing can be made or written: the disk is full
	faultGone   = "gone"   // from then on every step fails: the disk has gone
)

// failing runs the command with a fault, if the environment says so.
func failing() {
	text := os.Getenv(faultEnv)
	if text == "" {
		return
	}
	var f fault
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		panic(err)
	}
	w := &watcher{fault: f, seen: map[string]int{}}
	if f.Trace != "" {
		trace, err := os.OpenFile(f.Trace, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			panic(err)
		}
		w.trace = trace
	}
	fsys.Watch(w.step)
	main()
}

// A watcher lets the fault happen.
type watcher struct {
	fault
	mu    sync.Mutex
	n     int
	seen  map[string]int
	trace *os.File
	met   bool
}

// numbers are what names of files have that no other run has: temporary files, and
// the numbers of the state's tables.
var numbers = regexp.MustCompile(`\d{7,}|\d{6}\b`)

// place names a step so that another run of the same day has it as well, however its
// goroutines take turns: what it does to which file, and as often as that.
func (w *watcher) place(s fsys.Step) string {
	path, err := filepath.Rel(w.Base, s.Path)
	if err != nil {
		path = s.Path
	}
	p := s.Kind.String() + " " + numbers.ReplaceAllString(path, "#")
	w.seen[p]++
	return p + " " + strconv.Itoa(w.seen[p])
}

func (w *watcher) step(s fsys.Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	place := w.place(s)
	if w.trace != nil {
		_, _ = w.trace.WriteString(place + "\n")
	}
	if w.met {
		return w.later(s)
	}
	if place != w.At && w.n != w.Step {
		return nil
	}
	w.met = true
	if w.Met != "" {
		_ = os.WriteFile(w.Met, []byte(place), 0o600)
	}
	if s.Half != nil {
		s.Half()
	}
	if w.How == faultDies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	if w.How == faultFull {
		return syscall.ENOSPC
	}
	return syscall.EIO
}

// later is what happens to the steps after the fault.
func (w *watcher) later(s fsys.Step) error {
	switch {
	case w.How == faultGone:
		return syscall.EIO
	case w.How == faultFull && (s.Kind == fsys.ToCreate || s.Kind == fsys.ToWrite || s.Kind == fsys.ToMkdir || s.Kind == fsys.ToLink):
		return syscall.ENOSPC
	}
	return nil
}

// runFailing runs the command with a fault; died tells that it was killed.
func runFailing(t *testing.T, f fault, args ...string) (text string, status int, died bool) {
	t.Helper()
	env, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), faultEnv+"="+string(env))
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
	case !ok:
		t.Fatal(err)
	default:
		how := exit.Sys().(syscall.WaitStatus)
		return string(out), exit.ExitCode(), how.Signaled() && how.Signal() == syscall.SIGKILL
	}
	return string(out), 0, false
}
