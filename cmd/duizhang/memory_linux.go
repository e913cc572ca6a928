package main

import "golang.org/x/sys/unix"

// machineMemory is the memory of the machine in bytes, or 0.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit)) //nolint:unconvert // uint32 on 32-bit systems
}
