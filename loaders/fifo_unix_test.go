//go:build unix

package loaders

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"duizhang/engine/schema"
)

// The opening of a pipe waited for a writer and could not be interrupted.
func TestPipeIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bill.csv")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	says := make(chan string, 1)
	go func() {
		tables, _, err := Inspect(t.Context(), Input{Path: path, Name: "bill.csv", Kind: schema.AlipayBill}, Options{}, 2)
		if err != nil {
			says <- err.Error()
			return
		}
		says <- saying(tables)
	}()
	select {
	case got := <-says:
		if want := "unreadable: 无法读取: 不是普通文件\n"; got != want {
			t.Errorf("Inspect of a pipe = %q, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Inspect of a pipe hangs")
	}
}
