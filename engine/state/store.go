package state

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of Open.
type Options struct {
	// Owner names this process to others that want the folder: process, host, user,
	// command, since when.
	Owner string
	// Wait for a folder that another process uses, until the context ends.
	Wait bool
	// Lock is a lock of the folder that the caller holds already, and releases
	// itself after Close; nil: Open takes one, and Close releases it.
	Lock *Lock
	// ReadOnly changes nothing: a folder without a history has no runs.
	ReadOnly bool
	// Temp is the folder for rows that do not fit the memory; "" is the system's.
	Temp string
	// Version of the program, recorded with the format.
	Version string
	// FS is the file system of the history alone, for tests; nil is the disk.
	FS vfs.FS
}

// A Store is the history in a state folder. Its methods are safe for concurrent
// use; one Day at a time may be between Begin and Commit.
type Store struct {
	dir      string // of the history
	fs       vfs.FS
	db       *pebble.DB // nil: read only, and there is none
	opts     *pebble.Options
	dbLock   *pebble.Lock
	lock     *Lock // to be released; nil: the caller's
	fatal    *fatal
	readOnly bool
	temp     string
	version  string

	mu   sync.Mutex
	days map[int32]*pointer
}

// Folders in the state folder.
const (
	historyFolder  = "history"
	databaseFolder = "db"
	incomingFolder = "new" // tables that are not yet in the database
)

// A pointer says which generations of a date count.
type pointer struct {
	Revision int    `json:"revision"`
	Gen      uint32 `json:"gen"`
	Token    string `json:"token"`
	// Overlay are the parts that Gen replaces of what is Below it, if it does not have
	// the whole day (chain.go).
	Overlay partSet `json:"overlay,omitempty"`
	Below   []layer `json:"below,omitempty"`
	// Previous is the revision that this one replaced, whose rows are kept.
	Previous        int     `json:"previous,omitempty"`
	PreviousGen     uint32  `json:"previous_gen,omitempty"`
	PreviousOverlay partSet `json:"previous_overlay,omitempty"`
	PreviousBelow   []layer `json:"previous_below,omitempty"`

	// Bills: the run had bills. Stale: a day that it was based on has changed since.
	Bills bool `json:"bills,omitempty"`
	Stale bool `json:"stale,omitempty"`
	// Differ are the numbers of the run's look-ups that would be answered otherwise
	// now; Doubt: not all are known, and all are asked the next time.
	Differ []int32 `json:"differ,omitempty"`
	Doubt  bool    `json:"doubt,omitempty"`
	// Breaking: so would its questions about breaks.
	Breaking bool `json:"breaking,omitempty"`

	CarryFrom int32  `json:"carry_from"`
	CarryIn   string `json:"carry_in"`  // digest of what was taken
	CarryOut  string `json:"carry_out"` // and of what is left
	Answers   string `json:"answers"`   // digest of all look-ups and their answers
	Breaks    string `json:"breaks"`    // and of the breaks that were reported and closed
}

// Open opens the history in a state folder, which is made if it is missing, and puts
// right what a process that died left behind.
//
// A folder that another process uses is a *LockedError, one of a version that is not
// known a *VersionError, one that is no folder a *FolderError.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	s := &Store{
		dir: filepath.Join(dir, historyFolder), readOnly: o.ReadOnly, temp: o.Temp, version: o.Version,
		fs: o.FS, fatal: newFatal(), days: map[int32]*pointer{},
	}
	if s.fs == nil {
		s.fs = privateFiles{disk()}
		if o.ReadOnly {
			if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
				return s, nil
			}
		}
		if o.Lock == nil {
			lock, err := LockFolder(ctx, dir, o.Owner, o.Wait)
			if err != nil {
				return nil, err
			}
			s.lock = lock
		}
	}
	if err := s.open(o.FS == nil); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) database() string { return s.fs.PathJoin(s.dir, databaseFolder) }

func (s *Store) incoming() string { return s.fs.PathJoin(s.dir, incomingFolder) }

func (s *Store) open(onDisk bool) error { //nolint:revive // a test's file system has no links
	folders := []string{s.dir, s.database(), s.incoming()}
	for _, folder := range folders {
		if onDisk {
			if err := checkFolder(folder); err != nil {
				return err
			}
		}
		if s.readOnly {
			continue
		}
		if err := s.fs.MkdirAll(folder, folderMode); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	if !s.readOnly {
		if err := s.syncFolders(); err != nil {
			return s.wrap(err)
		}
	}
	if s.readOnly {
		desc, err := pebble.Peek(s.database(), s.fs)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("state: %w", err)
		}
		if err != nil || !desc.Exists {
			return nil
		}
	}
	dbLock, err := pebble.LockDirectory(s.database(), s.fs)
	if err != nil {
		return s.wrap(err)
	}
	s.dbLock = dbLock
	s.opts = s.options()
	s.opts.Lock = dbLock
	defer s.opts.Cache.Unref()
	if err := s.guard(func() (err error) {
		s.db, err = pebble.Open(s.database(), s.opts)
		return err
	}); err != nil {
		s.db = nil
		return s.wrap(err)
	}
	return s.guard(func() error {
		if err := s.checkFormat(); err != nil {
			return err
		}
		if err := s.load(); err != nil || s.readOnly {
			return err
		}
		return s.sweep()
	})
}

// syncFolders makes the folders that hold the database durable: it does so with its
// own alone.
func (s *Store) syncFolders() error {
	state := s.fs.PathDir(s.dir)
	for _, folder := range []string{s.dir, state, s.fs.PathDir(state)} {
		dir, err := s.fs.OpenDir(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

// options are pebble's. What they say of files is a part of the format.
func (s *Store) options() *pebble.Options {
	const cache, memTable = 32 << 20, 8 << 20
	o := &pebble.Options{
		FS:                 s.fs,
		Cache:              pebble.NewCache(cache),
		MemTableSize:       memTable,
		Logger:             s.fatal,
		ReadOnly:           s.readOnly,
		FormatMajorVersion: pebble.FormatTableFormatV6,
	}
	o.EnsureDefaults()
	return o
}

// Close ends the use of the folder.
func (s *Store) Close() error {
	var err error
	if s.db != nil {
		err = s.guard(s.db.Close) // after a fatal error it is not closed: it would hang
		s.db = nil
	}
	if s.dbLock != nil {
		if s.fatal.blocked.Load() {
			err = errors.Join(err, s.dbLock.Close()) // the database's share
		}
		err = errors.Join(err, s.dbLock.Close())
		s.dbLock = nil
	}
	if s.lock != nil {
		s.lock.Release()
		s.lock = nil
	}
	return err
}

// wrap says whose error it is.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("state: %s: %w", s.dir, err)
}

// get is the value of a key.
func (s *Store) get(key []byte) ([]byte, error) {
	value, closer, err := s.db.Get(key)
	if err != nil {
		return nil, err
	}
	defer closer.Close() //nolint:errcheck // always nil
	return slices.Clone(value), nil
}

func (s *Store) iterator(lower, upper []byte) (*pebble.Iterator, error) {
	return s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
}

// each calls f with the keys that begin with prefix, and their values; it borrows
// both.
func (s *Store) each(prefix []byte, f func(key, value []byte) error) error {
	it, err := s.iterator(prefix, after(prefix))
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = f(it.Key(), value)
		}
		if err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// load reads which generations count.
func (s *Store) load() error {
	return s.each([]byte{dayKey}, func(key, value []byte) error {
		p := new(pointer)
		if err := json.Unmarshal(value, p); err != nil || len(key) != 5 {
			return fmt.Errorf("state: %s: key %x is damaged", s.dir, key)
		}
		s.days[dateOf(key[1:])] = p
		return nil
	})
}

// dates are the dates that have a run, in their order.
func (s *Store) dates() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.days))
}

// day is the pointer of a date, or nil.
func (s *Store) day(date int32) *pointer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.days[date]
}

// counts reports whether keys of breaks that name this generation say what later days
// see.
func (s *Store) counts(g generation) bool {
	p := s.day(g.Date)
	return p != nil && p.Gen == g.Gen
}

// newGeneration takes a number that no other attempt had.
func (s *Store) newGeneration(date int32) (generation, error) {
	number := uint32(1)
	value, err := s.get([]byte{nextKey})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
	case err != nil:
		return generation{}, err
	case len(value) != 4:
		return generation{}, fmt.Errorf("state: %s: the number of generations is damaged", s.dir)
	default:
		number = binary.BigEndian.Uint32(value)
	}
	next := binary.BigEndian.AppendUint32(nil, number+1)
	err = s.guard(func() error { return s.db.Set([]byte{nextKey}, next, pebble.Sync) })
	return generation{date, number}, err
}

// Committed reports whether the run with this token is the one that its date has: a
// publication that was prepared with it is to be completed, else undone.
func (s *Store) Committed(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.days {
		if p.Token == token {
			return true
		}
	}
	return false
}
