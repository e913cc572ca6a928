//go:build !unix

package main

// failing does nothing: no process dies by a signal here.
func failing() {}
