package loaders

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// An xmlScanner reads the parts of a workbook tag by tag. It knows as much of
// XML as they use: elements, attributes, texts, the five entities and characters
// by number. It expands nothing else, so that no file can make it grow.
type xmlScanner struct {
	r    *bufio.Reader
	text []byte // between the tag before and this one
	tag  []byte // between < and >
	err  error
}

// maxXMLPiece is the longest text or tag; a cell holds 32,767 characters.
const maxXMLPiece = 4 << 20

var errXML = errors.New("not the XML of a workbook")

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{r: bufio.NewReaderSize(r, 64<<10)}
}

// next reads up to the end of the next tag. It is false at the end and after an
// error.
func (x *xmlScanner) next() bool {
	x.text = x.text[:0]
	for x.err == nil {
		x.readText()
		if x.err != nil {
			break
		}
		x.tag, x.err = x.until(x.tag[:0], '>')
		if x.err != nil {
			x.err = errors.Join(errXML, x.err)
			break
		}
		x.tag = x.tag[:len(x.tag)-1]
		switch {
		case len(x.tag) == 0:
			x.err = errXML
		case bytes.HasPrefix(x.tag, []byte("!--")):
			x.skip("--")
		case bytes.HasPrefix(x.tag, []byte("![CDATA[")):
			x.skip("]]")
			x.text = append(x.text, bytes.TrimSuffix(x.tag[8:], []byte("]]"))...)
		case x.tag[0] == '?':
			x.skip("?")
		case x.tag[0] == '!':
			x.err = errXML // a DOCTYPE
		default:
			x.quoted()
			return x.err == nil
		}
	}
	return false
}

// readText reads up to the next tag and decodes what stands before it.
func (x *xmlScanner) readText() {
	piece, err := x.r.ReadSlice('<')
	if errors.Is(err, bufio.ErrBufferFull) { // a text longer than the buffer
		long := append([]byte(nil), piece...)
		piece, err = x.until(long, '<')
	}
	if err != nil {
		x.err = err
		return
	}
	x.text = appendUnescaped(x.text, piece[:len(piece)-1])
}

// until appends what stands up to the next end byte, which it includes.
func (x *xmlScanner) until(dst []byte, end byte) ([]byte, error) {
	for {
		piece, err := x.r.ReadSlice(end)
		dst = append(dst, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return dst, err
		}
		if len(dst) > maxXMLPiece {
			return dst, errXML
		}
	}
}

// goOn reads the tag to its next >: the last one was not its end.
func (x *xmlScanner) goOn() {
	x.tag = append(x.tag, '>')
	x.tag, x.err = x.until(x.tag, '>')
	if x.err == nil {
		x.tag = x.tag[:len(x.tag)-1]
	}
	if len(x.tag) > maxXMLPiece {
		x.err = errXML
	}
}

// skip goes on to the > that follows the given end.
func (x *xmlScanner) skip(end string) {
	for x.err == nil && !bytes.HasSuffix(x.tag, []byte(end)) {
		x.goOn()
	}
}

// quoted goes on where a > stood in an attribute's value.
func (x *xmlScanner) quoted() {
	for x.err == nil && bytes.IndexByte(x.tag, '"') >= 0 && bytes.Count(x.tag, []byte{'"'})%2 == 1 {
		x.goOn()
	}
}

// failure is the error that ended the scan, if the end of the part did not.
func (x *xmlScanner) failure(part string) error {
	if x.err == nil || x.err == io.EOF { //nolint:errorlint // an EOF inside a tag is wrapped
		return nil
	}
	return fmt.Errorf("%s: %w", part, x.err)
}

// closing tells </name>, opening <name>; <name/> is neither.
func (x *xmlScanner) closing() bool { return x.tag[0] == '/' }
func (x *xmlScanner) opening() bool { return x.tag[0] != '/' && x.tag[len(x.tag)-1] != '/' }

// name is the tag's name without its prefix.
func (x *xmlScanner) name() string {
	name := x.tag
	if name[0] == '/' {
		name = name[1:]
	}
	if i := bytes.IndexAny(name, " \t\r\n/"); i >= 0 {
		name = name[:i]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return xmlNames[string(name)]
}

// xmlNames are the elements that are looked at; others have no name.
var xmlNames = func() map[string]string {
	names := map[string]string{}
	for _, name := range []string{
		"row", "c", "v", "t", "is", "r", "rPh", "si", "sheetData", "sheet", "workbookPr", "Relationship",
		"numFmt", "cellXfs", "cellStyles", "dxfs", "xf",
	} {
		names[name] = name
	}
	return names
}()

// attr is the value of an attribute; "" if there is none.
func (x *xmlScanner) attr(name string) string {
	return string(appendUnescaped(nil, x.attrBytes(name)))
}

// attrBytes is attr as it stands in the file.
func (x *xmlScanner) attrBytes(name string) []byte {
	return x.find(func(n []byte) bool { return string(n) == name })
}

// qualified is the value of an attribute with any prefix, as r:id.
func (x *xmlScanner) qualified(name string) string {
	value := x.find(func(n []byte) bool {
		i := bytes.IndexByte(n, ':')
		return i >= 0 && string(n[i+1:]) == name
	})
	return string(appendUnescaped(nil, value))
}

// find is the value of the first attribute whose name is wanted; nil if there is
// none.
func (x *xmlScanner) find(wanted func(name []byte) bool) []byte {
	rest := x.tag
	for {
		i := bytes.IndexByte(rest, '=')
		if i < 0 || i+1 >= len(rest) {
			return nil
		}
		name := bytes.TrimRight(rest[:i], " \t\r\n")
		if space := bytes.LastIndexAny(name, " \t\r\n"); space >= 0 {
			name = name[space+1:]
		}
		rest = bytes.TrimLeft(rest[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil
		}
		if wanted(name) {
			return rest[1 : end+1]
		}
		rest = rest[end+2:]
	}
}

// appendUnescaped appends a text with its entities put in. What is no entity
// stays.
func appendUnescaped(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		text = text[i:]
		end := bytes.IndexByte(text[:min(len(text), 12)], ';')
		r := rune(-1)
		if end > 0 {
			r = entity(string(text[1:end]))
		}
		if r < 0 {
			dst, text = append(dst, '&'), text[1:]
			continue
		}
		dst, text = utf8.AppendRune(dst, r), text[end+1:]
	}
}

func entity(name string) rune {
	switch name {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	var n uint64
	var err error
	switch {
	case len(name) > 2 && name[0] == '#' && (name[1] == 'x' || name[1] == 'X'):
		n, err = strconv.ParseUint(name[2:], 16, 32)
	case len(name) > 1 && name[0] == '#':
		n, err = strconv.ParseUint(name[1:], 10, 32)
	default:
		return -1
	}
	if err != nil || n > utf8.MaxRune {
		return -1
	}
	return rune(n)
}
