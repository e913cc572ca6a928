package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same inputs give the same bytes, whatever the workers and the memory; only
// the timings of the summary differ.
func TestSameBytes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "day")
	var stdout, stderr bytes.Buffer
	for _, args := range [][]string{
		{"generate", "--out", dir, "--seed", "11", "--trades", "300", "--quiet"},
		{"run", filepath.Join(dir, "job.yaml"), "--quiet", "--workers", "1", "--memory", "64MiB"},
		{"run", filepath.Join(dir, "job.yaml"), "--quiet", "--workers", "7", "--out", filepath.Join(dir, "again")},
	} {
		if status := run(t.Context(), args, &stdout, &stderr); status != exitDone {
			t.Fatalf("%q: status %d\n%s", args, status, stderr.String())
		}
	}
	one, many := outputs(t, filepath.Join(dir, "out")), outputs(t, filepath.Join(dir, "again"))
	if len(one) < 7 || len(one) != len(many) {
		t.Fatalf("%d files from one worker, %d from seven", len(one), len(many))
	}
	for name, text := range one {
		if text != many[name] {
			t.Errorf("%s: one worker and seven give other bytes", name)
		}
	}
}

// outputs are the files of an output folder, the summary without its timings.
func outputs(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(at)
		name, _ := filepath.Rel(dir, at)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before, timings, _ := strings.Cut(files["summary.json"], `"timings"`)
	_, after, _ := strings.Cut(timings, "]")
	files["summary.json"] = before + after
	return files
}
