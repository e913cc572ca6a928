package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"text/tabwriter"
	"time"
)

// A profile is what --profile asks for: a CPU profile, memory profiles, and a
// table of the stages with what each took, so that a slow night can be reported.
// A nil profile measures nothing.
type profile struct {
	dir    string
	cpu    *os.File
	began  consumption
	stages []stageUsage
	notes  []string // what the table begins with
}

// A consumption is what the process has used up to a moment.
type consumption struct {
	at     time.Time
	cpu    time.Duration // user and system
	gc     time.Duration // of it the garbage collector's
	allocs int64         // bytes allocated since the start
	peak   int64         // greatest resident size in bytes since the stage began, or, where that cannot be told, since the start
}

// A stageUsage is a row of the table.
type stageUsage struct {
	name        string
	wall        time.Duration
	cpu, gc     time.Duration
	allocs      int64
	peak        int64
	rows, bytes int64 // that the stage read or wrote; -1 is not known
}

// startProfile begins to profile into a folder; "" gives nil.
func startProfile(dir string) (*profile, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // nil is the profile that measures nothing
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, &failure{status: exitUsage, err: err}
	}
	return &profile{dir: dir, cpu: cpu}, nil
}

// begin marks the start of a stage.
func (p *profile) begin() {
	if p == nil {
		return
	}
	resetPeak()
	p.began = used()
}

// end marks its end.
func (p *profile) end(stage string) {
	if p == nil {
		return
	}
	now := used()
	p.stages = append(p.stages, stageUsage{
		name: stage, wall: now.at.Sub(p.began.at), cpu: now.cpu - p.began.cpu, gc: now.gc - p.began.gc,
		allocs: now.allocs - p.began.allocs, peak: now.peak, rows: -1, bytes: -1,
	})
}

// moved says how many rows and bytes a stage read or wrote.
func (p *profile) moved(stage string, rows, bytes int64) {
	if p == nil {
		return
	}
	for i := range p.stages {
		if p.stages[i].name == stage {
			p.stages[i].rows, p.stages[i].bytes = rows, bytes
		}
	}
}

// note adds a line to the head of the table.
func (p *profile) note(format string, args ...any) {
	if p != nil {
		p.notes = append(p.notes, fmt.Sprintf(format, args...))
	}
}

// heap writes a profile of what is in use now.
func (p *profile) heap(name string) {
	if p == nil {
		return
	}
	p.lookup("heap", name)
}

func (p *profile) lookup(kind, name string) {
	f, err := os.Create(filepath.Join(p.dir, name))
	if err != nil {
		return // a profile is a help, never a reason to fail
	}
	_ = pprof.Lookup(kind).WriteTo(f, 0)
	_ = f.Close()
}

// stop ends the CPU profile and writes the rest.
func (p *profile) stop() {
	if p == nil {
		return
	}
	pprof.StopCPUProfile()
	_ = p.cpu.Close()
	p.lookup("allocs", "memory.pprof")
	_ = os.WriteFile(filepath.Join(p.dir, "stages.txt"), []byte(p.table()), 0o644) //nolint:gosec // no data of the inputs in it
}

// table is the stage table as text.
func (p *profile) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "duizhang %s, %s %s/%s, %d processors, GOMAXPROCS %d\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.GOMAXPROCS(0))
	for _, note := range p.notes {
		fmt.Fprintln(&b, note)
	}
	fmt.Fprintln(&b)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\trows\tMB\tseconds\tCPU seconds\tof it GC\tallocated MB\tpeak MB\t")
	var all stageUsage
	for _, s := range p.stages {
		s.line(w)
		all.wall += s.wall
		all.cpu += s.cpu
		all.gc += s.gc
		all.allocs += s.allocs
		all.peak = max(all.peak, s.peak)
	}
	all.name, all.rows, all.bytes = "all", -1, -1
	all.line(w)
	_ = w.Flush()
	return b.String()
}

func (s *stageUsage) line(w *tabwriter.Writer) {
	known := func(v int64, format string, value any) string {
		if v < 0 {
			return ""
		}
		return fmt.Sprintf(format, value)
	}
	const mega = 1e6
	fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", s.name,
		known(s.rows, "%d", s.rows), known(s.bytes, "%.1f", float64(s.bytes)/mega),
		s.wall.Seconds(), s.cpu.Seconds(), s.gc.Seconds(), float64(s.allocs)/mega, float64(s.peak)/mega)
}

// used is what the process has used up to now.
func used() consumption {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(samples)
	u := consumption{at: time.Now(), cpu: processorTime(), peak: peakMemory()}
	if samples[0].Value.Kind() == metrics.KindUint64 {
		u.allocs = int64(samples[0].Value.Uint64())
	}
	if samples[1].Value.Kind() == metrics.KindFloat64 {
		u.gc = time.Duration(samples[1].Value.Float64() * float64(time.Second))
	}
	return u
}

// describe heads the table with what the run was given.
func (p *profile) describe(r *runner, size sizing) {
	if p == nil {
		return
	}
	p.note("memory %.0f MB, workers %d, partitions %d, files %d, tables %d, memory limit of the runtime %.0f MB",
		float64(size.memory)/1e6, size.workers, r.job.Engine.Layout.Partitions, len(r.inputs), len(r.tables), float64(debug.SetMemoryLimit(-1))/1e6)
	rows := map[string][2]int64{}
	var read int64
	for _, t := range r.tables {
		sum := rows[t.Kind.String()]
		rows[t.Kind.String()] = [2]int64{sum[0] + 1, sum[1] + t.Rows}
		read += t.Rows
	}
	for _, kind := range sortedKeys(rows) {
		if kind != "" {
			p.note("  %s: %d tables, %d rows", kind, rows[kind][0], rows[kind][1])
		}
	}
	p.moved("load", read, inputBytes(r.inputs))
	if r.result == nil {
		return
	}
	var units int64
	for i := range r.result.Trades {
		units += r.result.Trades[i].PosCount + r.result.Trades[i].BillCount + r.result.Refunds[i].PosCount + r.result.Refunds[i].BillCount
	}
	p.moved("reconcile", units, folderBytes(r.dir, ".parquet", ".csv"))
	p.moved("write", int64(len(r.result.Breaks)+len(r.result.Rejects)), folderBytes(r.dir, ".xlsx", ".html", ".json"))
}

// folderBytes adds up the files below a folder that have one of the endings.
func folderBytes(dir string, endings ...string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // what cannot be read is not counted
		}
		for _, ending := range endings {
			if filepath.Ext(path) == ending {
				if info, err := d.Info(); err == nil {
					total += info.Size()
				}
			}
		}
		return nil
	})
	return total
}
