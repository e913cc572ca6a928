package gen

import (
	"io"
	"os"
	"path/filepath"
)

const flushAt = 256 << 10

// sheet is a text file that is written through one buffer. Its first error stays.
type sheet struct {
	w        io.Writer
	close    func() error
	b        []byte
	encoding encoding
	crlf     bool
	err      error
}

func createSheet(dir, name string) (*sheet, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return &sheet{w: f, close: f.Close, encoding: utf8}, nil
}

// newline ends a line and writes the buffer out when it is full.
func (s *sheet) newline() {
	if s.crlf {
		s.b = append(s.b, '\r')
	}
	s.b = append(s.b, '\n')
	if len(s.b) >= flushAt {
		s.flush()
	}
}

// line appends a whole line of UTF-8 text, for headers and registries.
func (s *sheet) line(text string) {
	c := rawCell(text)
	s.b = append(s.b, c.in(s.encoding)...)
	s.newline()
}

func (s *sheet) flush() {
	if s.err == nil {
		_, s.err = s.w.Write(s.b)
	}
	s.b = s.b[:0]
}

func (s *sheet) finish() error {
	if s == nil {
		return nil
	}
	s.flush()
	if err := s.close(); s.err == nil {
		s.err = err
	}
	return s.err
}
