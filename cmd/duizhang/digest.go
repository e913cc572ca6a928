package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tidwall/gjson"
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
		head, tail, err := withoutTimings(path)
		if err != nil {
			return "", err
		}
		_, _ = h.Write(head) // never fails
		_, _ = h.Write(tail)
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

// withoutTimings is a summary but for what no two runs have in common.
func withoutTimings(file string) (head, tail []byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	timings := gjson.GetBytes(text, "timings")
	if !timings.Exists() {
		return text, nil, nil
	}
	return text[:timings.Index], text[timings.Index+len(timings.Raw):], nil
}

// notKept are the members of a summary that are not recorded: they are recorded
// elsewhere, or are no figures.
var notKept = []string{"timings", "inputs", "job", "attributions", "closed", "claims", "invariants", "parts"}

// keptSummary is what is recorded of a summary: its figures.
func keptSummary(file string) (json.RawMessage, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	object := map[string]json.RawMessage{}
	gjson.ParseBytes(text).ForEach(func(name, value gjson.Result) bool {
		if !slices.Contains(notKept, name.String()) {
			object[name.String()] = json.RawMessage(value.Raw)
		}
		return true
	})
	return json.Marshal(object)
}
