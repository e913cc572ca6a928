package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const ours = "duizhang"

// A program is one that is compared: ours, or a peer.
type program struct {
	name    string
	version string
	product bool // duizhang itself, whose checksums are in its summary
	day     *day
	args    []string
	out     string // where it writes
	sums    []byte // the checksums it printed last, or our summary
	samples []sample
}

// A sample is what one run took.
type sample struct {
	Wall   float64 `json:"wall_seconds"`
	CPU    float64 `json:"cpu_seconds"`        // user and system, with all it started
	System float64 `json:"system_cpu_seconds"` // of them the system's
	RSS    int64   `json:"peak_rss_bytes"`
}

func (s sample) String() string {
	return fmt.Sprintf("%6.2f s wall  %6.2f s CPU (%5.2f system)  %6.0f MB", s.Wall, s.CPU, s.System, float64(s.RSS)/1e6)
}

// A peer is a program that build can make ready.
type peer struct {
	name  string
	build func(ctx context.Context, b *builder) (program, error)
}

func peers() []peer {
	return []peer{
		{"duckdb", python("duckdb")},
		{"plain", plain},
		{"polars", python("polars")},
		{"one-core", oneCore},
		{"one-zip", oneZip},
	}
}

func peerNames() []string {
	var names []string
	for _, p := range peers() {
		names = append(names, p.name)
	}
	return names
}

// builder is what the programs are built with.
type builder struct {
	options
	module string // the module's folder
	bin    string // for what is built
	day    *day
	stderr io.Writer
}

// build makes the programs ready to run; remove clears away what it made and
// what they wrote.
func build(ctx context.Context, o options, d *day, stderr io.Writer) (programs []program, remove func(), err error) {
	b := &builder{options: o, day: d, stderr: stderr}
	if b.module, err = moduleDir(ctx); err != nil {
		return nil, nil, err
	}
	if b.bin, err = os.MkdirTemp("", "duizhang-compare-"); err != nil {
		return nil, nil, err
	}
	remove = func() {
		_ = os.RemoveAll(b.bin) // all of it can be made again
		if o.keep {
			return
		}
		for _, p := range programs {
			_ = os.RemoveAll(p.out)
		}
	}
	p, err := product(ctx, b)
	programs = append(programs, p)
	for _, x := range peers() {
		for _, name := range o.peers {
			if name == x.name && err == nil {
				p, err = x.build(ctx, b)
				programs = append(programs, p)
			}
		}
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return programs, remove, nil
}

func moduleDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "duizhang").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w; run compare from within the module", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goBuild builds one of the module's programs.
func (b *builder) goBuild(ctx context.Context, name, pkg string) (string, error) {
	path := filepath.Join(b.bin, name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	cmd.Dir = b.module
	cmd.Stderr = b.stderr
	return path, cmd.Run()
}

func (b *builder) out(name string) string { return b.day.path("out-" + name) }

func product(ctx context.Context, b *builder) (program, error) {
	path, err := b.goBuild(ctx, ours, "./cmd/duizhang")
	return b.productOn(b.day, ours, path), err
}

// productOn is duizhang on a day.
func (b *builder) productOn(d *day, name, path string) program {
	out := d.path("out-" + name)
	p := program{
		name: name, version: runtime.Version(), product: true, day: d, out: out,
		args: []string{path, "run", d.path(jobName), "--out", out, "--quiet"},
	}
	if b.memory != "" {
		p.args = append(p.args, "--memory", b.memory)
	}
	return p
}

// oneCore is duizhang with one worker, pinned to one processor.
func oneCore(ctx context.Context, b *builder) (program, error) {
	pin, err := exec.LookPath("taskset")
	if err != nil {
		return program{}, fmt.Errorf("one-core: %w; it comes with util-linux", err)
	}
	path, err := b.goBuild(ctx, ours, "./cmd/duizhang")
	p := b.productOn(b.day, "one-core", path)
	p.args = append([]string{pin, "-c", "0"}, append(p.args, "--workers", "1")...)
	return p, err
}

// oneZip is duizhang on the day of as many trades that has one large bill.
func oneZip(ctx context.Context, b *builder) (program, error) {
	if b.zips == 0 {
		return program{}, errors.New("one-zip: compares with -zips")
	}
	o := b.options
	o.zips, o.data = 0, ""
	d, err := prepare(ctx, o, b.stderr)
	if err != nil {
		return program{}, err
	}
	path, err := b.goBuild(ctx, ours, "./cmd/duizhang")
	return b.productOn(d, "one-zip", path), err
}

func plain(ctx context.Context, b *builder) (program, error) {
	path, err := b.goBuild(ctx, "plain", "./benchmarks/peers/plain")
	return program{
		name: "plain", version: runtime.Version(), day: b.day, out: b.out("plain"),
		args: []string{path, "-data", b.day.dir, "-out", b.out("plain")},
	}, err
}

// python is a peer that benchmarks/peers/install.sh has installed.
func python(name string) func(context.Context, *builder) (program, error) {
	return func(ctx context.Context, b *builder) (program, error) {
		var p program
		dir := os.Getenv("DUIZHANG_PEERS")
		if dir == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return p, err
			}
			dir = filepath.Join(cache, "duizhang-peers")
		}
		exe := filepath.Join(dir, "bin", "python")
		version, err := exec.CommandContext(ctx, exe, "-c", "import "+name+"; print("+name+".__version__)").Output()
		if err != nil {
			return p, fmt.Errorf("%s: %w; benchmarks/peers/install.sh installs it", name, err)
		}
		script := filepath.Join(b.module, "benchmarks", "peers", name, "run.py")
		return program{
			name: name, version: strings.TrimSpace(string(version)), day: b.day, out: b.out(name),
			args: []string{exe, "-B", script, b.day.dir, b.out(name)},
		}, nil
	}
}

// measure runs the program once as a whole process.
func (p *program) measure(ctx context.Context, stderr io.Writer) (sample, error) {
	if err := os.RemoveAll(p.out); err != nil {
		return sample{}, err
	}
	var stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return sample{}, err
	}
	s := sample{Wall: wall.Seconds(), RSS: peakRSS(cmd.ProcessState)}
	s.System = cmd.ProcessState.SystemTime().Seconds()
	s.CPU = cmd.ProcessState.UserTime().Seconds() + s.System
	p.sums = stdout.Bytes()
	if p.product {
		if p.sums, err = os.ReadFile(filepath.Join(p.out, "summary.json")); err != nil {
			return s, err
		}
	}
	if !json.Valid(p.sums) {
		return s, errors.New("printed no checksums")
	}
	return s, nil
}
