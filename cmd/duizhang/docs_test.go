package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine/schema"
)

// TestSystems runs the commands of docs/systems.md and its Chinese twin in a copy
// of their data, and looks for what the pages say that they show.
func TestSystems(t *testing.T) {
	if testing.Short() {
		t.Skip("runs two dozen commands twice")
	}
	for _, kind := range []schema.InputKind{schema.AlipayAccount, schema.PosAPI} {
		if !job.Supported(kind) {
			t.Skipf("a run does not take %s yet", kind)
		}
	}
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"systems.md", "systems.zh.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(docs, name))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(docs, "examples", "systems"))); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			blocks := strings.Split(string(text), "```sh\n")[1:]
			if len(blocks) < 15 {
				t.Fatalf("%d commands in %s", len(blocks), name)
			}
			for _, block := range blocks {
				command, rest, _ := strings.Cut(block, "\n")
				shown := runShown(t, command)
				for line := range strings.Lines(rest) {
					words, ok := strings.CutPrefix(line, "→ ")
					if !ok {
						continue
					}
					for i, word := range strings.Split(words, "`") {
						if i%2 == 1 && !strings.Contains(shown, word) {
							t.Errorf("%s: no %s in\n%s", command, word, shown)
						}
					}
				}
			}
		})
	}
}

// runShown runs a command line of a page, with its variables and input, and gives
// what it writes.
func runShown(t *testing.T, command string) string {
	t.Helper()
	line, input, _ := strings.Cut(command, " < ")
	for !strings.HasPrefix(line, "duizhang ") {
		assignment, rest, ok := strings.Cut(line, " ")
		name, value, isVariable := strings.Cut(assignment, "=")
		if !ok || !isVariable {
			t.Fatalf("%q is no command that this test knows", command)
		}
		t.Setenv(name, value)
		line = rest
	}
	if input != "" {
		stdin := os.Stdin
		f, err := os.Open(input)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = f
		defer func() {
			os.Stdin = stdin
			_ = f.Close()
		}()
	}
	var out bytes.Buffer
	status := run(t.Context(), strings.Fields(strings.TrimPrefix(line, "duizhang ")), &out, &out)
	if status != exitDone && status != exitBreaks {
		t.Errorf("%s: status %d\n%s", command, status, out.String())
	}
	return out.String()
}
