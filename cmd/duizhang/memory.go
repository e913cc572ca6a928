package main

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// sizeUnits are the units of a size, longest first.
var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"tib", 1 << 40},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"tb", 1e12},
	{"k", 1 << 10},
	{"m", 1 << 20},
	{"g", 1 << 30},
	{"t", 1 << 40},
	{"b", 1},
	{"", 1},
}

// parseSize reads 2GiB, 512MiB, 1.5g or a number of bytes.
func parseSize(text string) (int64, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		size := value * unit.bytes
		if err != nil || math.IsNaN(size) || size < 1 || size >= math.MaxInt64 {
			return 0, false
		}
		return int64(size), true
	}
	return 0, false
}

// leastMemory is what a run needs however small its inputs are.
const leastMemory = 64 << 20

// memoryBudget is 60 % of what the machine, or the container, has.
func memoryBudget() int64 {
	total := machineMemory()
	if limit := containerMemory(); limit > 0 && (total == 0 || limit < total) {
		total = limit
	}
	if total == 0 {
		total = 4 << 30
	}
	return max(total/100*60, leastMemory)
}

// storeBudget is what of the memory the rows may take that wait to be reconciled.
// The rest is for the partitions in work, the words, the findings, and what the
// garbage collector is behind.
func storeBudget(memory int64) int64 { return memory / 8 * 3 }

// messageBudget is what of the memory the messages of API logs may take that wait
// until all logs are read.
func messageBudget(memory int64) int64 { return memory / 8 }

// heapGrowth is by how many per cent the heap may grow beyond what is in use
// before the garbage collector runs. Nearly all that is in use are rows without
// pointers, which it need not look at, so that it may run four times as often as it
// would of itself, and memory stays low.
const heapGrowth = 25

// boundMemory tells the runtime what a run may take; restore takes it back. What
// the user set in the environment goes before.
func boundMemory(memory int64) (restore func()) {
	limit := debug.SetMemoryLimit(-1)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	stop := func() {}
	if os.Getenv("GOGC") == "" {
		stop = watchHeap(min(memory/8, smallHeap))
	}
	return func() {
		debug.SetMemoryLimit(limit)
		stop()
	}
}

// smallHeap is a heap that is let grow before it is collected at all: every run
// comes to more, and one that reads thousands of small files would collect it
// dozens of times on the way there.
const smallHeap = 64 << 20

// lateHeap is the heap of a late run that is let grow: what it reads again of the run
// before is full of pointers, but there is far less of it than of rows.
const lateHeap = 640 << 20

// letGrow lets the heap grow to the floor before it is collected a quarter at a time.
func letGrow(floor int64) {
	w := watched.Load()
	if w == nil {
		return
	}
	w.mu.Lock()
	w.floor = max(w.floor, floor)
	w.mu.Unlock()
	w.look(nil)
}

// watched is the watch of the process' heap, of which there is one.
var watched atomic.Pointer[heapWatch]

// A heapWatch sets by how much the heap may grow: up to the floor, and then by
// heapGrowth.
type heapWatch struct {
	floor int64

	mu      sync.Mutex
	stopped bool
}

// watchHeap begins to watch; stop puts back what was set before.
func watchHeap(floor int64) (stop func()) {
	w := &heapWatch{floor: floor}
	watched.Store(w)
	before := debug.SetGCPercent(heapGrowth)
	w.look(nil)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stopped = true
		debug.SetGCPercent(before)
	}
}

// A cycle is garbage as soon as it is made: its finalizer runs after the next
// collection.
type cycle struct{ _ *byte }

// look sets the growth after a collection, until the heap is beyond the floor.
func (w *heapWatch) look(*cycle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // after the last collection
	metrics.Read(live)
	growth := growthTo(w.floor, int64(live[0].Value.Uint64()))
	debug.SetGCPercent(growth)
	if growth > heapGrowth {
		runtime.SetFinalizer(new(cycle), w.look)
	}
}

// growthTo is by how many per cent what is in use may grow.
func growthTo(floor, live int64) int {
	const least = 4 << 20 // of the runtime; before the first collection nothing is known
	return int(max((floor-live)*100/max(live, least), heapGrowth))
}

// containerMemory is the limit of the control group, or 0.
func containerMemory() int64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && limit > 0 && limit < 1<<60 {
			return limit
		}
	}
	return 0
}
