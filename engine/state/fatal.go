package state

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// pebble ends the process where it cannot write its log or manifest: what is on disk
// is then unknown to it. Here a run still has to say so and to leave, so that such an
// error stops whoever met it, for ever, and is given to whoever waits in guard. The
// database is used no more; opened again it is as before or as after.
type fatal struct {
	once    sync.Once
	failed  chan struct{}
	err     error
	blocked atomic.Bool // somebody was stopped, with all that it holds
}

func newFatal() *fatal { return &fatal{failed: make(chan struct{})} }

// Infof is pebble's log, which nobody reads.
func (*fatal) Infof(string, ...any) {}

// Errorf is pebble's log, which nobody reads.
func (*fatal) Errorf(string, ...any) {}

// Fatalf does not return.
func (f *fatal) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args {
		if cause, ok := a.(error); ok {
			err = cause
		}
	}
	f.blocked.Store(true)
	f.fail(err)
	select {}
}

func (f *fatal) fail(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.failed)
	})
}

// panicked: in places pebble panics with the error of a step that failed.
func (f *fatal) panicked() {
	r := recover()
	if r == nil {
		return
	}
	err, ok := r.(error)
	if _, ours := r.(runtime.Error); ours || !ok {
		panic(r)
	}
	f.fail(err)
}

// failed reports whether the database gave up.
func (s *Store) failed() bool {
	select {
	case <-s.fatal.failed:
		return true
	default:
		return false
	}
}

// guard runs what uses the database, which may never return.
func (s *Store) guard(use func() error) error {
	if s.failed() {
		return s.wrap(s.fatal.err)
	}
	done := make(chan error, 1)
	go func() {
		defer s.fatal.panicked()
		done <- use()
	}()
	select {
	case err := <-done:
		return err
	case <-s.fatal.failed:
		return s.wrap(s.fatal.err)
	}
}
