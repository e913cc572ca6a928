package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the product's; it stands in summary.json.
const version = "0.1.0"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   a.say("显示版本", "print the version"),
		Example: "  duizhang version\n  duizhang version --json",
		Args:    a.exactly(0, "version 不带参数", "version takes no arguments"),
		RunE:    func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	if a.json {
		return a.printJSON(struct {
			Version  string `json:"version"`
			Go       string `json:"go"`
			OS       string `json:"os"`
			Arch     string `json:"arch"`
			Revision string `json:"revision,omitempty"`
		}{version, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision})
	}
	fmt.Fprintf(a.stdout, "duizhang %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
