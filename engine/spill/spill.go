// Package spill keeps record batches on disk that do not fit the memory budget.
package spill

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A File holds spilled batches, each as an Arrow IPC stream compressed with LZ4.
// It has no name on disk while it is open, where the system allows that, so that
// nothing is left behind however the process ends. Put and Get are safe for
// concurrent use.
type File struct {
	mu   sync.Mutex
	file *os.File
	name string // where the system does not let an open file lose its name
	size int64
}

// A Ref is where a batch lies in its file.
type Ref struct{ offset, length int64 }

// Create makes a spill file in the folder; "" is the system's temporary folder.
func Create(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, ".duizhang-spill-*")
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	file := &File{file: f}
	if err := os.Remove(f.Name()); err != nil { // else the open file lives on without a name
		file.name = f.Name()
	}
	return file, nil
}

// Put writes a batch. It borrows the record.
func (f *File) Put(rec arrow.Record) (Ref, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	start := f.size
	counted := &counter{w: io.NewOffsetWriter(f.file, start)}
	buffered := bufio.NewWriterSize(counted, 1<<20)
	w := ipc.NewWriter(buffered, ipc.WithSchema(rec.Schema()), ipc.WithLZ4())
	err := w.Write(rec)
	if closed := w.Close(); err == nil {
		err = closed
	}
	if flushed := buffered.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		return Ref{}, fmt.Errorf("spill: %w", err)
	}
	f.size += counted.n
	return Ref{start, counted.n}, nil
}

// Get reads a batch back. The caller releases it.
func (f *File) Get(ref Ref) (arrow.Record, error) {
	r, err := ipc.NewReader(io.NewSectionReader(f.file, ref.offset, ref.length), ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	defer r.Release()
	rec, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	rec.Retain()
	return rec, nil
}

// Size is how many bytes lie on disk.
func (f *File) Size() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Close gives the disk space back.
func (f *File) Close() error {
	err := f.file.Close()
	if f.name == "" {
		return err
	}
	return errors.Join(err, os.Remove(f.name))
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
