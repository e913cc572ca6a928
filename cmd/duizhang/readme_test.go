package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the commands of README.md and README.zh.md, one after the
// other, as a reader would. Only go test is left out: it is what runs this.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the demo")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh.md"} {
		t.Run(name, func(t *testing.T) {
			commands := readmeCommands(t, filepath.Join(root, name))
			if want := "demo"; len(commands) < 8 || commands[0][0] != want {
				t.Fatalf("commands of %s: %q, want %s first and seven more", name, commands, want)
			}
			t.Chdir(t.TempDir())
			for _, args := range commands {
				var stdout, stderr bytes.Buffer
				status := run(t.Context(), args, &stdout, &stderr)
				if status != exitDone {
					t.Errorf("duizhang %s: status %d\n%s%s", strings.Join(args, " "), status, stdout.String(), stderr.String())
				}
			}
		})
	}
}

// readmeCommands are the arguments of the duizhang commands in the sh blocks.
func readmeCommands(t *testing.T, file string) [][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case !inside || line == "" || line == "go test ./...":
		default:
			args, ok := strings.CutPrefix(line, "go run ./cmd/duizhang ")
			if !ok {
				args, ok = strings.CutPrefix(line, "duizhang ")
			}
			if !ok {
				t.Errorf("%s: %q is no command that this test knows", file, line)
				continue
			}
			commands = append(commands, strings.Fields(args))
		}
	}
	return commands
}
