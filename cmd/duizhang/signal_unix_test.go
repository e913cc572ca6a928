//go:build unix

package main

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A terminal that is closed ends a command as SIGTERM does: in order.
func TestHangUp(t *testing.T) {
	ctx, stop := interruptible(t.Context())
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Error("SIGHUP does not end the context")
	}
}

// nohup means it: a signal that was ignored stays ignored.
func TestNoHup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	ctx, stop := interruptible(t.Context())
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) || ctx.Err() != nil {
		t.Error("SIGHUP is no longer ignored")
	}
}

// A full disk behind standard output is said, and only what has been published
// keeps its status.
func TestStdoutFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }()
	dir := filepath.Join(t.TempDir(), "day")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"generate", "--out", dir, "--trades", "20", "--clean"}, &stdout, &stderr); status != 0 {
		t.Fatalf("generate: status %d\n%s", status, stderr.String())
	}
	job := filepath.Join(dir, "job.yaml")
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"inspect", job}, exitUsage},
		{[]string{"inspect", job, "--json"}, exitUsage},
		{[]string{"validate", job}, exitUsage},
		{[]string{"version"}, exitUsage},
		{[]string{"run", job}, exitDone},
		{[]string{"run", job, "--json"}, exitDone},
	} {
		stderr.Reset()
		status := run(t.Context(), append(test.args, "--lang", "zh"), full, &stderr)
		if status != test.want {
			t.Errorf("%q: status %d, want %d", test.args, status, test.want)
		}
		if want := "duizhang: 标准输出写不出去：磁盘已满\n"; strings.Count(stderr.String(), want) != 1 {
			t.Errorf("%q: %q, want once %q", test.args, stderr.String(), want)
		}
	}
}
