//go:build !linux

package main

import (
	"runtime/metrics"
	"time"
)

// processorTime is what the process has taken of the processors in Go code; the
// system's share is not in it.
func processorTime() time.Duration {
	samples := []metrics.Sample{{Name: "/cpu/classes/user:cpu-seconds"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(samples)
	var total float64
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindFloat64 {
			total += s.Value.Float64()
		}
	}
	return time.Duration(total * float64(time.Second))
}

// peakMemory is what the runtime has from the system in bytes.
func peakMemory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(samples)
	if samples[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(samples[0].Value.Uint64())
}

// resetPeak does nothing: the runtime keeps no peak.
func resetPeak() {}
