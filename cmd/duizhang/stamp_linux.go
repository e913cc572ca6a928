package main

import (
	"os"
	"syscall"
)

// stampOf is the stamp of the file that a path leads to; blank if it cannot be known.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return stamp{}
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime().UnixNano(), syscall.TimespecToNsec(sys.Ctim), sys.Ino}
}
