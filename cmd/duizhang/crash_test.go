package main

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"duizhang/engine/fsys"
)

// dying is the command that dies, as with kill -9, right before the first step whose
// kind and path are DIE_AT: "rename publishing/journal".
func dying() {
	at(os.Getenv("DIE_AT"), func() error {
		os.Exit(137)
		return nil
	})
	main()
}

// full is the command on a disk that is full for the steps that are FAIL_AT.
func full() {
	at(os.Getenv("FAIL_AT"), func() error { return syscall.ENOSPC })
	main()
}

// at does something before each step of a kind and path.
func at(step string, do func() error) {
	kind, pattern, _ := strings.Cut(step, " ")
	fsys.Watch(func(s fsys.Step) error {
		file, err := filepath.Abs(s.Path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(file), "/")
		n := strings.Count(pattern, "/") + 1
		if ok, _ := path.Match(pattern, strings.Join(parts[max(0, len(parts)-n):], "/")); ok && s.Kind.String() == kind {
			return do()
		}
		return nil
	})
}

// holding is a command that has a state folder to itself for two seconds.
func holding() {
	a := &app{args: []string{"test"}, now: time.Now}
	lock, err := a.lockState(context.Background(), os.Args[1], false)
	if err != nil {
		panic(err)
	}
	time.Sleep(2 * time.Second)
	lock.Release()
}
