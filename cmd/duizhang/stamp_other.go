//go:build !linux

package main

// stampOf is blank: files are told apart by their digests.
func stampOf(string) stamp { return stamp{} }
