package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/zeebo/xxh3"
	"golang.org/x/sync/errgroup"

	"duizhang/reports"
)

// digestOutputs gives the digest of each file of an output folder, by its path with
// slashes. That of summary.json leaves out the timings, which no run repeats. The
// digests tell whether a run computed again has the same bytes; who wants to deceive
// himself could.
func digestOutputs(ctx context.Context, dir string) (map[string]string, error) {
	const together = 8
	digests := map[string]string{}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			digest, err := digestOutput(path)
			mu.Lock()
			digests[filepath.ToSlash(name)] = digest
			mu.Unlock()
			return err
		})
		return nil
	})
	if waited := g.Wait(); err == nil {
		err = waited
	}
	return digests, err
}

func digestOutput(path string) (string, error) {
	h := xxh3.New()
	if filepath.Base(path) == reports.SummaryName {
		text, err := withoutMembers(path, "timings")
		if err != nil {
			return "", err
		}
		_, _ = h.Write(text) // never fails
	} else {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close() //nolint:errcheck // only read
		if _, err := io.Copy(h, f); err != nil {
			return "", err
		}
	}
	sum := h.Sum128().Bytes()
	return "xxh3:" + hex.EncodeToString(sum[:]), nil
}

// withoutMembers is the object in a file without some of its members, on one line.
func withoutMembers(file string, names ...string) (json.RawMessage, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	for _, name := range names {
		delete(object, name)
	}
	return json.Marshal(object)
}

// keptSummary is what is recorded of a summary: its figures.
func keptSummary(file string) (json.RawMessage, error) {
	return withoutMembers(file, "timings", "inputs", "job", "attributions", "closed", "claims", "invariants", "parts")
}
