package spill

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func numbers(t *testing.T, from, to int64) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "text", Type: arrow.BinaryTypes.Binary},
	}, nil))
	defer b.Release()
	for n := from; n < to; n++ {
		b.Field(0).(*array.Int64Builder).Append(n)
		b.Field(1).(*array.BinaryBuilder).AppendString(fmt.Sprint("no ", n))
	}
	return b.NewRecord()
}

// TestFile: batches that several goroutines put come back as they were, in any
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
	const batches = 20
	records := make([]arrow.Record, batches)
	refs := make([]Ref, batches)
	var wg sync.WaitGroup
	for i := range batches {
		records[i] = numbers(t, int64(i), int64(i)*100)
		defer records[i].Release()
		wg.Go(func() {
			var err error
			if refs[i], err = f.Put(records[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := batches - 1; i >= 0; i-- {
		got, err := f.Get(refs[i])
		if err != nil {
			t.Fatal(err)
		}
		if !array.RecordEqual(got, records[i]) {
			t.Errorf("batch %d: %v, want %v", i, got, records[i])
		}
		got.Release()
	}
	if f.Size() == 0 {
		t.Error("Size is 0 after batches were put")
	}
}

// TestClosed: a write that fails is an error, not a lost batch.
func TestClosed(t *testing.T) {
	f, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	rec := numbers(t, 0, 10)
	defer rec.Release()
	if _, err := f.Put(rec); err == nil {
		t.Error("Put into a closed file gives no error")
	}
	if _, err := f.Get(Ref{0, 100}); err == nil {
		t.Error("Get from a closed file gives no error")
	}
	if _, err := Create("/nonexistent/folder"); err == nil {
		t.Error("Create in a folder that is not there gives no error")
	}
}
