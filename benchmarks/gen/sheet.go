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
	words    map[string][]byte // encoded cells
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

// cells appends a row of cells that need no quotes: few of them are not ASCII, and
// those come again.
func (s *sheet) cells(cells []string) {
	for i, cell := range cells {
		if i > 0 {
			s.b = append(s.b, ',')
		}
		if plainASCII(cell) {
			s.b = append(s.b, cell...)
			continue
		}
		word, known := s.words[cell]
		if !known {
			c := rawCell(cell)
			word = c.in(s.encoding)
			if s.words == nil {
				s.words = map[string][]byte{}
			}
			if len(s.words) < maxWords {
				s.words[cell] = word
			}
		}
		s.b = append(s.b, word...)
	}
	s.newline()
}

// maxWords bounds the cells that are remembered.
const maxWords = 4096

func plainASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
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
