package state

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// format is the version of the database's layout.
const format = 2

// migrations[v] turns a database of format v into one of format v+1. A process that
// dies in one leaves a database of format v: a migration commits its work with the
// new number, or can be repeated.
var migrations = map[int]func(s *Store) error{
	// Rows of format 1 have no part, and its look-ups no keys: pages say which columns
	// they have. Which look-ups of a stale day would be answered otherwise was not kept.
	1: func(s *Store) error { return s.changeDays(func(p *pointer) { p.Doubt = p.Doubt || p.Stale }) },
}

// changeDays changes the pointers of all dates in one step.
func (s *Store) changeDays(change func(*pointer)) error {
	batch := s.db.NewBatch()
	defer batch.Close() //nolint:errcheck // Commit says what went wrong
	if err := s.each([]byte{dayKey}, func(key, value []byte) error {
		var p pointer
		if err := json.Unmarshal(value, &p); err != nil {
			return err
		}
		change(&p)
		changed, err := json.Marshal(&p)
		return errors.Join(err, batch.Set(key, changed, nil))
	}); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// A formatRecord says which layout a database has.
type formatRecord struct {
	Format int    `json:"format"`
	Writer string `json:"writer"` // version of the program that made it so
}

// A VersionError is a database that this version of the program does not know.
type VersionError struct {
	Dir    string
	Format int    // 0: it does not say
	Writer string // version of the program that wrote it, if known
}

// Error is Text in English.
func (e *VersionError) Error() string { return e.Text(false) }

// Text says what is wrong and what to do, in Chinese or in English.
func (e *VersionError) Text(chinese bool) string {
	by := e.Writer
	switch {
	case e.Format <= format && chinese:
		return fmt.Sprintf("%s：不认识的状态格式。是别的程序的文件夹，还是文件被改动过？请从备份恢复，或把它移走重新开始", e.Dir)
	case e.Format <= format:
		return fmt.Sprintf("%s: not a state that this program knows: another program's folder, or altered? Restore it from a backup, or move it away to begin anew", e.Dir)
	case chinese:
		if by != "" {
			by = "（由版本 " + by + " 写入）"
		}
		return fmt.Sprintf("%s：状态格式是 %d%s，本程序只认识到 %d。请升级本程序，或换一个状态文件夹", e.Dir, e.Format, by, format)
	}
	if by != "" {
		by = " (written by version " + by + ")"
	}
	return fmt.Sprintf("%s: the state has format %d%s, this program knows up to %d: upgrade the program, or use another state folder", e.Dir, e.Format, by, format)
}

// checkFormat makes the database one of this version's format, or refuses it.
func (s *Store) checkFormat() error {
	value, err := s.get([]byte{formatKey})
	if errors.Is(err, pebble.ErrNotFound) {
		return s.newFormat()
	}
	if err != nil {
		return err
	}
	var f formatRecord
	if err := json.Unmarshal(value, &f); err != nil || f.Format < 0 {
		return &VersionError{Dir: s.dir}
	}
	if f.Format > format {
		return &VersionError{s.dir, f.Format, f.Writer}
	}
	for v := f.Format; v < format; v++ {
		migrate := migrations[v]
		if migrate == nil {
			return &VersionError{Dir: s.dir, Writer: f.Writer}
		}
		if s.readOnly {
			return fmt.Errorf("state: %s has format %d: a run migrates it to %d", s.dir, v, format)
		}
		if err := migrate(s); err != nil {
			return fmt.Errorf("state: migration from format %d: %w", v, err)
		}
		if err := s.setFormat(v + 1); err != nil {
			return err
		}
	}
	return nil
}

// newFormat gives an empty database its format; one that is not empty is not ours.
func (s *Store) newFormat() error {
	it, err := s.iterator(nil, nil)
	if err != nil {
		return err
	}
	any := it.First()
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return err
	}
	if any {
		return &VersionError{Dir: s.dir}
	}
	if s.readOnly {
		return nil
	}
	return s.setFormat(format)
}

func (s *Store) setFormat(v int) error {
	value, err := json.Marshal(formatRecord{v, s.version})
	if err != nil {
		return err
	}
	return s.guard(func() error { return s.db.Set([]byte{formatKey}, value, pebble.Sync) })
}
