//go:build !linux

package reports

import "errors"

// exchange is not to be had here: two renames do it.
func exchange(_, _ string) error { return errors.ErrUnsupported }
