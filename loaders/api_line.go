package loaders

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"duizhang/engine/schema"
)

// A line of an application's log has other things around its messages: a time, a
// level, a logger, words such as "request:", what it cost. Only what is a message is
// read; the time and the interface that are named before it stand for it where it does
// not say them itself.

// A loggedLine is what such a line has in it: JSON, that of several messages in a list.
type loggedLine struct {
	json   string
	around wrapping
	broken string // what begins like a message and is none, as when the line was cut off
}

// readLogged takes a line apart. ok is false where it has no message, or a broken one.
func readLogged(text string) (l loggedLine, ok bool) {
	var parts []string
	first := -1
	for i := 0; i < len(text); {
		c := text[i]
		if c != '{' && c != '[' {
			i++
			continue
		}
		n := documentEnd(text[i:])
		switch {
		case n > 0 && gjson.Valid(text[i:i+n]):
			if first < 0 {
				first = i
			}
			parts = append(parts, text[i:i+n])
			i += n
		case beginsObject(text[i:]):
			l.broken = text[i:]
			return l, false
		default:
			i++
		}
	}
	if !slices.ContainsFunc(parts, hasMembers) {
		start := formStart(text)
		if start < 0 {
			return l, false
		}
		parts, first = []string{string(gjson.AppendJSONString(nil, text[start:]))}, start
	}
	l.around = wrapping{time: loggedTime(text[:first]), method: loggedMethod(text[:first])}
	l.json = "[" + strings.Join(parts, ",") + "]"
	return l, true
}

// beginsObject tells whether a text begins like an object of JSON.
func beginsObject(text string) bool {
	rest := strings.TrimLeft(text[1:], " \t")
	return text[0] == '{' && rest != "" && rest[0] == '"'
}

// hasMembers tells an object, or a list of some, from a thread's name or a number.
func hasMembers(json string) bool { return strings.Contains(json, ":") }

// loggedTime is the time that a line begins with, perhaps in brackets; Null for none.
func loggedTime(prefix string) int64 {
	const size = len(time.DateTime)
	prefix = strings.TrimLeft(prefix, "[( \t")
	if len(prefix) < size {
		return schema.Null
	}
	end := strings.IndexAny(prefix[size:], " \t])|")
	if end < 0 {
		end = len(prefix) - size
	}
	for _, text := range [...]string{prefix[:size+end], prefix[:size]} { // with fractions and a zone, if they are such
		if seconds, ok := textTime(text); ok {
			return seconds
		}
	}
	return schema.Null
}

// loggedMethod is the interface that is named last before a message, as the readers
// name it; "" for none. A class of that name is none.
func loggedMethod(prefix string) string {
	const name = "alipay.trade."
	for at := strings.LastIndex(prefix, name); at >= 0; at = strings.LastIndex(prefix[:at], name) {
		end := at + len(name)
		for end < len(prefix) && (prefix[end] >= 'a' && prefix[end] <= 'z' || prefix[end] == '.') {
			end++
		}
		alone := (at == 0 || !inName(prefix[at-1])) && (end == len(prefix) || !inName(prefix[end]))
		method := strings.TrimPrefix(keyName(strings.TrimSuffix(prefix[at:end], ".")), "alipay")
		for _, k := range methodKinds {
			if alone && method == k.method {
				return method
			}
		}
	}
	return ""
}

// inName tells what may stand in the name of a class or a variable.
func inName(c byte) bool {
	return c == '.' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// formStart is where the body of a form begins in a line that has one, -1 for none: at
// the name before the first &.
func formStart(text string) int {
	end := strings.IndexByte(text, '&')
	for end > 0 {
		eq := strings.LastIndexByte(text[:end], '=')
		if eq < 0 {
			return -1
		}
		start := eq
		for start > 0 && inName(text[start-1]) {
			start--
		}
		if start < eq {
			if isForm(text[start:]) {
				return start
			}
			return -1
		}
		end = eq
	}
	return -1
}

// wholeForm tells a line that is the body of a form and nothing else.
func wholeForm(text string) bool {
	return isForm(text) && !strings.ContainsAny(text[:strings.IndexByte(text, '=')], " \t")
}
