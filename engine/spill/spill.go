// Package spill keeps rows on disk that do not fit the memory budget.
package spill

import (
	"errors"
	"fmt"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine/fsys"
)

// A File holds bytes that were put into it, in blocks that can be read by
// themselves. It has no name on disk while it is open, where the system allows
// that, so that nothing is left behind however the process ends. Put and Get are
// safe for concurrent use.
type File struct {
	mu   sync.Mutex
	file *fsys.File
	name string // where the system does not let an open file lose its name
	size int64
}

// Blocks are bytes in a file, block after block.
type Blocks struct {
	at   int64
	ends []uint32
	sums []uint32 // of each block: what is read is what was written, or an error
}

// Create makes a spill file in the folder; "" is the system's temporary folder.
func Create(dir string) (*File, error) {
	f, err := fsys.CreateTemp(dir, ".duizhang-spill-*")
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	file := &File{file: f}
	if err := fsys.Remove(f.Name()); err != nil { // else the open file lives on without a name
		file.name = f.Name()
	}
	return file, nil
}

// Put writes data, whose block k ends before ends[k]. It borrows data, and owns
// ends.
func (f *File) Put(data []byte, ends []uint32) (Blocks, error) {
	b := Blocks{ends: ends, sums: make([]uint32, len(ends))}
	for k := range ends {
		from, to := b.bounds(k)
		b.sums[k] = uint32(xxh3.Hash(data[from:to]))
	}
	f.mu.Lock()
	b.at = f.size
	f.size += int64(len(data))
	f.mu.Unlock()
	if _, err := f.file.WriteAt(data, b.at); err != nil {
		return Blocks{}, fmt.Errorf("spill: %w", err)
	}
	return b, nil
}

var errDamaged = errors.New("spill: what was read back is not what was written")

// Get appends block k to dst.
func (f *File) Get(dst []byte, b *Blocks, k int) ([]byte, error) {
	from, to := b.bounds(k)
	start := len(dst)
	dst = append(dst, make([]byte, to-from)...)
	if _, err := f.file.ReadAt(dst[start:], b.at+int64(from)); err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	if uint32(xxh3.Hash(dst[start:])) != b.sums[k] {
		return nil, errDamaged
	}
	return dst, nil
}

func (b *Blocks) bounds(k int) (from, to uint32) {
	if k > 0 {
		from = b.ends[k-1]
	}
	return from, b.ends[k]
}

// Len is how many bytes block k has.
func (b *Blocks) Len(k int) int {
	from, to := b.bounds(k)
	return int(to - from)
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
	return errors.Join(err, fsys.Remove(f.name))
}
