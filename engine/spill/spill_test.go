package spill

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
)

// TestFile: blocks that several goroutines put come back as they were, in any
// order, and the file leaves no name behind.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the open file has a name: %v, %v", left, err)
	}
	const puts = 20
	data := func(i int) []byte { return bytes.Repeat([]byte{byte(i), 'x'}, 100*i) }
	put := make([]Blocks, puts)
	var wg sync.WaitGroup
	for i := range puts {
		wg.Go(func() {
			var err error
			if put[i], err = f.Put(data(i), []uint32{0, uint32(150 * i), uint32(200 * i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := puts - 1; i >= 0; i-- {
		got := []byte("before")
		for k := range 3 {
			if got, err = f.Get(got, &put[i], k); err != nil {
				t.Fatal(err)
			}
		}
		if want := append([]byte("before"), data(i)...); !bytes.Equal(got, want) {
			t.Errorf("blocks of %d: %q, want %q", i, got, want)
		}
		if got, want := put[i].Len(2), 50*i; got != want {
			t.Errorf("Len(2) of %d = %d, want %d", i, got, want)
		}
	}
	if got, want := f.Size(), int64(200*puts*(puts-1)/2); got != want {
		t.Errorf("Size = %d, want %d", got, want)
	}
}

// TestDamage: bytes that are not what was written are an error.
func TestDamage(t *testing.T) {
	f, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := f.Put([]byte("rows of a part"), []uint32{4, 14})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.file.WriteAt([]byte{'!'}, 6); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Get(nil, &b, 0); err != nil || string(got) != "rows" {
		t.Errorf("Get(0) = %q, %v", got, err)
	}
	if got, err := f.Get(nil, &b, 1); !errors.Is(err, errDamaged) {
		t.Errorf("Get(1) = %q, %v, want %v", got, err, errDamaged)
	}
}

// TestClosed: a write that fails is an error, not lost rows.
func TestClosed(t *testing.T) {
	f, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Put([]byte("rows"), []uint32{4})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put([]byte("rows"), []uint32{4}); err == nil {
		t.Error("Put into a closed file gives no error")
	}
	if _, err := f.Get(nil, &b, 0); err == nil {
		t.Error("Get from a closed file gives no error")
	}
	if _, err := Create("/nonexistent/folder"); err == nil {
		t.Error("Create in a folder that is not there gives no error")
	}
}
