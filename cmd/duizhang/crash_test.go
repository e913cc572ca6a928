package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"duizhang/engine/fsys"
)

// dying is the command that dies, as with kill -9, right before the first step whose
// kind and path are DIE_AT: "rename */publishing/journal".
func dying() {
	kind, pattern, _ := strings.Cut(os.Getenv("DIE_AT"), " ")
	fsys.Watch(func(s fsys.Step) error {
		path, err := filepath.Abs(s.Path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(path), "/")
		n := strings.Count(pattern, "/") + 1
		if ok, _ := filepath.Match(pattern, strings.Join(parts[max(0, len(parts)-n):], "/")); ok && s.Kind.String() == kind {
			os.Exit(137)
		}
		return nil
	})
	main()
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
