//go:build !linux && !darwin

package main

// machineMemory is the memory of the machine in bytes, or 0: not known here.
func machineMemory() int64 { return 0 }
