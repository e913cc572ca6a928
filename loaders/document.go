package loaders

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// maxDocument is how large a table of JSON documents may be: one is read as a
// whole, because a document may end anywhere.
const maxDocument = 256 << 20

var errLargeDocument = errors.New("JSON documents of more than 256 MiB: divide the file")

// readDocuments reads a table of JSON documents and completes it, as readTable
// does.
func (t *tableRun) readDocuments(ctx context.Context) error {
	text, err := t.readWhole()
	if err == nil {
		if err := t.documents(ctx, text); err != nil {
			return err // the sink's, or the context's
		}
	}
	return t.done(ctx, err)
}

// readWhole is the text of the table.
func (t *tableRun) readWhole() (string, error) {
	src, err := openMember(t.file.Path, t.member, &t.file.read)
	if err != nil {
		return "", err
	}
	defer src.Close()
	data, err := io.ReadAll(io.LimitReader(src, maxDocument+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxDocument:
		return "", errLargeDocument
	}
	return trimBOM(t.text(data)), nil
}

// documents reads a text of JSON documents, which may span lines: the values
// one after the other, or those of a list. What is no JSON is rejected up to the
// next line that begins a document.
func (t *tableRun) documents(ctx context.Context, text string) error {
	p := t.newParser()
	if m, ok := p.(chunkMarker); ok {
		m.chunk(true)
	}
	line, rows := int32(1), int64(0)
	for len(text) > 0 && ctx.Err() == nil {
		switch c := text[0]; c {
		case '\n':
			line++
			text = text[1:]
			continue
		case ' ', '\t', '\r', ',', '[', ']':
			text = text[1:]
			continue
		}
		n := documentEnd(text)
		fault := n == 0 || !gjson.Valid(text[:n])
		if fault {
			n = nextDocument(text)
		}
		rows++
		if document := text[:n]; fault {
			t.reject(schema.Reject{
				Line: line, Code: rules.CodeColumnCount, Amount: schema.Null, Message: true,
				Raw: shownMessage(document), Detail: jsonFault(document, t.opt.Lang),
			})
		} else {
			if len(t.firstRows) < cap(t.firstRows) {
				t.firstRows = append(t.firstRows, shownMessage(document))
			}
			p.row(line, nil, []byte(document))
		}
		for i := range n {
			if text[i] == '\n' {
				line++
			}
		}
		text = text[n:]
		if p.rows() >= batchRows {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
	t.mu.Lock()
	t.rows += rows
	t.mu.Unlock()
	t.file.rows.Add(rows)
	return p.flush(ctx)
}

func trimBOM(text string) string {
	if len(text) >= len(utf8BOM) && text[:len(utf8BOM)] == utf8BOM {
		return text[len(utf8BOM):]
	}
	return text
}

// documentEnd is the length of the object or string that text begins with; 0 if
// it does not end.
func documentEnd(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		case depth == 0:
			return 0
		}
	}
	return 0
}

// nextDocument is where the next line begins that could begin a document.
func nextDocument(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i-1] == '\n' && (text[i] == '{' || text[i] == '[') {
			return i
		}
	}
	return len(text)
}

// spansLines tells from its first lines whether a text has JSON that is printed
// over several of them.
func spansLines(lines []string) bool {
	first := slices.IndexFunc(lines, func(line string) bool { return strings.TrimSpace(line) != "" })
	if first < 0 || first+1 >= len(lines) {
		return false
	}
	switch line := strings.TrimSpace(lines[first]); {
	case line == "[" || line == "{":
		return true
	case line[0] != '{' && line[0] != '[' || gjson.Valid(line):
		return false
	}
	next := lines[first+1]
	return next != "" && strings.IndexByte(" \t}]\"", next[0]) >= 0
}
