package main

import "golang.org/x/sys/unix"

// machineMemory is the memory of the machine in bytes, or 0.
func machineMemory() int64 {
	size, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(size)
}
