package state

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockName is the file that holds a state folder's lock, with its owner's name in it.
const lockName = ".lock"

// A Lock keeps other processes from a state folder.
type Lock struct{ held *fileLock }

// A LockedError is a state folder that another process uses.
type LockedError struct {
	Dir   string
	Owner string // as it wrote it, one line; "" if it cannot be read
}

// Error is Text in English.
func (e *LockedError) Error() string { return e.Text(false) }

// Text says who uses the folder, in Chinese or in English.
func (e *LockedError) Text(chinese bool) string { //nolint:revive // one of two languages
	if chinese {
		s := "状态文件夹 " + e.Dir + " 正在被另一个命令使用"
		if e.Owner != "" {
			s += "（" + e.Owner + "）"
		}
		return s
	}
	s := "state folder " + e.Dir + " is in use by another command"
	if e.Owner != "" {
		s += " (" + e.Owner + ")"
	}
	return s
}

// pause is how long a waiting process sleeps before it tries again.
const pause = 100 * time.Millisecond

// LockFolder locks a state folder, which is made if it is missing. owner is a line
// that others are shown: process, host, user, command, since when. With wait it
// waits until the folder is free or the context ends; else a folder in use is a
// *LockedError.
func LockFolder(ctx context.Context, dir, owner string, wait bool) (*Lock, error) { //nolint:revive // wait is what the caller's flag says
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, lockName)
	for {
		held, err := lockFile(name)
		if err != nil {
			return nil, fmt.Errorf("state: lock: %w", err)
		}
		if held != nil {
			if err := held.write(oneLine(owner) + "\n"); err != nil {
				held.release()
				return nil, fmt.Errorf("state: lock: %w", err)
			}
			return &Lock{held}, nil
		}
		if !wait {
			return nil, &LockedError{dir, ownerOf(name)}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Release lets others in.
func (l *Lock) Release() {
	if l.held != nil {
		l.held.release()
		l.held = nil
	}
}

// ownerOf reads who holds a lock.
func ownerOf(name string) string {
	const most = 1000
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return oneLine(string(b[:min(len(b), most)]))
}

// oneLine keeps what can be shown of a text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(strings.ToValidUTF8(s, "?"))
}
