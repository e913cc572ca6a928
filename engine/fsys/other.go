//go:build !unix

package fsys

// SyncFolder does nothing: this system has no such thing.
func SyncFolder(string) error { return nil }
