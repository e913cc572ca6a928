package main

import (
	"io"
	"strings"

	"duizhang/cmd/duizhang/lang"
)

// An output is standard output. It keeps the first error of writing, which run
// tells of when the command has ended: the commands need not look at each line,
// and a run that has been published has the status of what it found.
type output struct {
	w   io.Writer
	err error
}

// Write never fails; after an error it writes nothing.
func (o *output) Write(p []byte) (int, error) {
	if o.err == nil {
		_, o.err = o.w.Write(p)
	}
	return len(p), nil
}

// indented writes lines with blanks before them.
func indented(w io.Writer, by int, text string) {
	for line := range strings.Lines(text) {
		_, _ = io.WriteString(w, strings.Repeat(" ", by)+lang.Plain(strings.TrimSuffix(line, "\n"))+"\n")
	}
}
