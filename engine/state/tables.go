package state

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A tableWriter writes keys in their order to tables beside the database, durable
// once it is finished.
type tableWriter struct {
	s     *Store
	name  string
	paths []string
	w     *sstable.Writer
	size  int
}

// tableSize is when another table is begun.
const tableSize = 64 << 20

func (t *tableWriter) set(key, value []byte) error {
	if t.w != nil && t.size >= tableSize {
		if err := t.finish(); err != nil {
			return err
		}
	}
	if t.w == nil {
		path := t.s.fs.PathJoin(t.s.incoming(), fmt.Sprintf("%s-%d.sst", t.name, len(t.paths)))
		f, err := t.s.fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return t.s.wrap(err)
		}
		t.paths = append(t.paths, path)
		t.size = 0
		t.w = sstable.NewWriter(objstorageprovider.NewFileWritable(f), t.s.tableOptions())
	}
	t.size += len(key) + len(value)
	return t.w.Set(key, value)
}

// tableOptions are those of the tables that a run writes. A page is about as large
// as a block: reading one row reads no other page.
func (s *Store) tableOptions() sstable.WriterOptions {
	const lowest = 6
	o := s.opts.MakeWriterOptions(lowest, s.db.TableFormat())
	o.BlockSize, o.IndexBlockSize = 4<<10, 1<<20
	return o
}

// finish makes the last table durable.
func (t *tableWriter) finish() error {
	if t.w == nil {
		return nil
	}
	w := t.w
	t.w = nil
	if err := w.Close(); err != nil {
		return t.s.wrap(err)
	}
	return nil
}

// remove takes the tables away; what cannot be removed goes when the database is
// opened again.
func (t *tableWriter) remove() error {
	err := t.finish()
	for _, path := range t.paths {
		err = errors.Join(err, t.s.fs.Remove(path))
	}
	t.paths = nil
	return err
}
