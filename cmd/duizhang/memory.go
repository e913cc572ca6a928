package main

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
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
	growth := heapGrowth
	if os.Getenv("GOGC") == "" {
		growth = debug.SetGCPercent(heapGrowth)
	}
	return func() {
		debug.SetMemoryLimit(limit)
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(growth)
		}
	}
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
