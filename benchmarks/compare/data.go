package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"duizhang/benchmarks/gen"
)

// A day is a folder with generated data.
type day struct {
	dir string
}

// marker is the file that says what a folder was generated with. It is written
// last, so that half a day has none.
type marker struct {
	Trades int    `json:"trades"`
	Seed   uint64 `json:"seed"`
	Zips   int    `json:"zips,omitempty"`
}

// config is the generator's.
func (m marker) config() gen.Config {
	if m.Zips == 0 {
		return gen.Performance(m.Trades, m.Seed)
	}
	cfg := gen.SmallZips(m.Trades, m.Zips)
	cfg.Seed = m.Seed
	return cfg
}

const (
	markerName = "generated.json"
	jobName    = "compare.yaml"
)

// prepare generates the day unless the folder has it.
func prepare(ctx context.Context, o options, stderr io.Writer) (*day, error) {
	d := &day{dir: o.data}
	if d.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		name := strconv.Itoa(o.trades) + "-" + strconv.FormatUint(o.seed, 10)
		if o.zips > 0 {
			name += "-zips-" + strconv.Itoa(o.zips)
		}
		d.dir = filepath.Join(cache, "duizhang-compare", name)
	}
	dir, err := filepath.Abs(d.dir)
	if err != nil {
		return nil, err
	}
	d.dir = dir
	made := marker{o.trades, o.seed, o.zips}
	want, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	switch found, err := os.ReadFile(d.path(markerName)); {
	case err == nil && bytes.Equal(found, want):
		fmt.Fprintln(stderr, "data:", d.dir)
		return d, nil
	case err == nil:
		return nil, fmt.Errorf("%s: has other data, %s; remove it or give another -data", d.dir, found)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	fmt.Fprintln(stderr, "generating", d.dir)
	if _, err := gen.Write(ctx, d.dir, made.config()); err != nil {
		return nil, err
	}
	if err := d.writeJob(); err != nil {
		return nil, err
	}
	return d, os.WriteFile(d.path(markerName), want, 0o644)
}

func (d *day) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

func (d *day) jsonPath(o options) string {
	if o.json != "" {
		return o.json
	}
	return d.path("compare.json")
}

var formats = regexp.MustCompile(`formats: \[[^]]*\]`)

// writeJob writes the generated job again with the formats that the peers write.
func (d *day) writeJob() error {
	job, err := os.ReadFile(d.path("job.yaml"))
	if err != nil {
		return err
	}
	if !formats.Match(job) {
		return fmt.Errorf("%s: names no formats", d.path("job.yaml"))
	}
	return os.WriteFile(d.path(jobName), formats.ReplaceAll(job, []byte("formats: [parquet, json]")), 0o644)
}

// sizes are the bytes of the inputs, by folder.
func (d *day) sizes() map[string]int64 {
	sizes := map[string]int64{}
	for _, folder := range []string{"bills", "pos", "refunds", "rebate", "ref"} {
		entries, err := os.ReadDir(d.path(folder))
		if err != nil {
			continue // a fact for the reader, and nothing hangs on it
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				sizes[folder] += info.Size()
			}
		}
	}
	return sizes
}
