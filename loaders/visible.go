package loaders

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// visible is a text of a file as messages quote it: characters that a terminal
// acts on, or that turn the text around them, are shown by their numbers. A tab
// stays.
//
//	"\x1b[31mA1"  ->  \x1b[31mA1
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if hidden(c) {
			quoted := strconv.QuoteRuneToASCII(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func hidden(c rune) bool {
	return c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029')
}

// visibleLines is visible of each line.
func visibleLines(s string) string {
	if !strings.Contains(s, "\n") {
		return visible(s)
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

// utf16Text is a table or text that begins with the mark of UTF-16, as UTF-8; ok
// tells whether it is one.
func utf16Text(data []byte) (text []byte, ok bool) {
	var order binary.ByteOrder
	switch {
	case len(data) < 2:
		return nil, false
	case data[0] == 0xFF && data[1] == 0xFE:
		order = binary.LittleEndian
	case data[0] == 0xFE && data[1] == 0xFF:
		order = binary.BigEndian
	default:
		return nil, false
	}
	units := make([]uint16, 0, len(data)/2)
	for data = data[2:]; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	text = []byte(string(utf16.Decode(units)))
	return text, bytes.ContainsAny(text, ",\t\r\n") // else noise that begins so
}

// endsInCR tells a text of several lines in which CR alone ends a line.
func endsInCR(data []byte) bool {
	return bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(data, "\r"), '\r') >= 0
}
