package loaders

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// A charset is how a table's bytes are read. As long as nothing but ASCII was
// met it is open, and both readings agree; the first block with another byte
// decides, once (formats 1.1).
type charset struct{ state *atomic.Uint32 }

const (
	charsetOpen uint32 = iota // ASCII so far
	charsetUTF8
	charsetGB18030
)

func newCharset(state uint32) charset {
	c := charset{new(atomic.Uint32)}
	c.state.Store(state)
	return c
}

// decide settles an open charset by a block of whole lines, if the block has a
// byte above 0x7F.
func (c charset) decide(block []byte) {
	if c.state.Load() == charsetOpen {
		c.state.Store(charsetOf(block))
	}
}

// open tells whether the charset is still undecided.
func (c charset) open() bool { return c.state.Load() == charsetOpen }

func (c charset) gb18030() bool { return c.state.Load() == charsetGB18030 }

// String is the name of the charset in inspect.
func (c charset) String() string {
	if c.gb18030() {
		return "gb18030"
	}
	return "utf-8"
}

// charsetOf judges a block of whole lines.
func charsetOf(block []byte) uint32 {
	switch {
	case asciiPrefix(block) == len(block):
		return charsetOpen
	case utf8.Valid(block):
		return charsetUTF8
	}
	return charsetGB18030
}

// sniffSize is the size of the blocks that decide a charset.
const sniffSize = 64 << 10

// sniffBlock is the beginning of data that decides: 64 KiB, cut at a line end.
func sniffBlock(data []byte) []byte {
	if len(data) <= sniffSize {
		return data
	}
	if i := bytes.LastIndexByte(data[:sniffSize], '\n'); i >= 0 {
		return data[:i+1]
	}
	// One line beyond the block: the cut may fall into a character.
	n := sniffSize
	for k := 0; k < 3 && !utf8.RuneStart(data[n]); k++ {
		n--
	}
	return data[:n]
}

// asciiPrefix is the number of bytes before the first one above 0x7F.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}

// valid tells whether every byte of b decodes. NUL does not.
func (c charset) valid(b []byte) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	if c.gb18030() {
		return validGB18030(b)
	}
	return utf8.Valid(b)
}

// validGB18030 tells whether b is a sequence of GB18030 characters.
func validGB18030(b []byte) bool {
	for i := 0; i < len(b); {
		if b[i] < 0x80 {
			i += asciiPrefix(b[i:])
			continue
		}
		if i+1 < len(b) { // the usual two bytes
			if lead, trail := b[i], b[i+1]; lead-0x81 <= 0xFE-0x81 && trail-0x40 <= 0xFE-0x40 && trail != 0x7F {
				i += 2
				continue
			}
		}
		n := gb18030Len(b[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// gb18030Len is the length of the character at the start of b, whose first byte
// is above 0x7F; 0 if it is none.
func gb18030Len(b []byte) int {
	if len(b) < 2 || b[0] == 0x80 || b[0] == 0xFF {
		return 0
	}
	trail := b[1]
	switch {
	case trail >= 0x40 && trail != 0x7F && trail != 0xFF:
		return 2
	case trail < '0' || trail > '9':
		return 0
	}
	if len(b) < 4 || b[2] < 0x81 || b[2] > 0xFE || b[3] < '0' || b[3] > '9' {
		return 0
	}
	n := ((int(b[0])-0x81)*10+int(b[1]-'0'))*1260 + int(b[2]-0x81)*10 + int(b[3]-'0')
	const lastBMP, firstBeyond, lastBeyond = 39419, 189000, 189000 + 0xFFFFF
	if n <= lastBMP || n >= firstBeyond && n <= lastBeyond {
		return 4
	}
	return 0
}

// text decodes b. What does not decode, NUL included, is U+FFFD.
func (c charset) text(b []byte) string {
	var s string
	switch {
	case asciiPrefix(b) == len(b):
		s = string(b)
	case c.gb18030():
		s = gb18030Text(b)
	default:
		s = strings.ToValidUTF8(string(b), "�")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "�")
	}
	return s
}

func gb18030Text(b []byte) string {
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "�")
	}
	return string(decoded)
}
