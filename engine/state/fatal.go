package state

import (
	"fmt"
	"sync"
)

// pebble ends the process where it cannot write its log or manifest: what is on disk
// is then unknown to it. Here a run still has to say so and to leave, so that such an
// error stops whoever met it, for ever, and is given to whoever waits in guard. The
// database is used no more; opened again it is as before or as after.
type fatal struct {
	once   sync.Once
	failed chan struct{}
	err    error
}

func newFatal() *fatal { return &fatal{failed: make(chan struct{})} }

// Infof is pebble's log, which nobody reads.
func (*fatal) Infof(string, ...any) {}

// Errorf is pebble's log, which nobody reads.
func (*fatal) Errorf(string, ...any) {}

// Fatalf does not return.
func (f *fatal) Fatalf(format string, args ...any) {
	f.once.Do(func() {
		f.err = fmt.Errorf(format, args...)
		for _, a := range args {
			if err, ok := a.(error); ok {
				f.err = fmt.Errorf("%w", err)
			}
		}
		close(f.failed)
	})
	select {}
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
	go func() { done <- use() }()
	select {
	case err := <-done:
		return err
	case <-s.fatal.failed:
		return s.wrap(s.fatal.err)
	}
}
