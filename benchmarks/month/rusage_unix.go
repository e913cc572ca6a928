//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakRSS is the greatest resident size of the process, or of one that it started.
func peakRSS(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss) //nolint:unconvert // an int32 on some systems
	}
	return int64(usage.Maxrss) * 1024 //nolint:unconvert // an int32 on some systems
}
