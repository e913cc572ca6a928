package job

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A reader walks the file's syntax tree and gathers what is wrong with it.
type reader struct {
	file     string
	lang     lang.Lang
	problems Problems
	places   map[string]schema.Pos // of the keys and list entries that were met, by path
	set      map[string]bool       // paths that the command line gives
}

// A field is one key of a mapping and what reads its value. A key without a
// value is a key that is not given.
type field struct {
	key   string
	read  func(path string, n ast.Node)
	below []field // the keys of a section
}

func (r *reader) say(zh, en string, args ...any) string { return r.lang.Say(zh, en, args...) }

func (r *reader) pos(path string, n ast.Node) schema.Pos {
	if r.isSet(path) {
		return schema.Pos{File: SetFlag, Name: path}
	}
	at := n.GetToken().Position
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		at = m.Values[0].Key.GetToken().Position // the node's own is its first colon
	}
	return schema.Pos{File: r.file, Line: at.Line, Column: at.Column, Name: path}
}

func (r *reader) problem(path string, n ast.Node, text string) {
	r.problems = append(r.problems, Problem{Pos: r.pos(path, n), Value: written(n), Text: text})
}

// written is a scalar as it stands in the file; lists and mappings are not
// repeated.
func written(n ast.Node) string {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.MappingNode, *ast.SequenceNode, *ast.NullNode:
		return ""
	}
	return n.GetToken().Value
}

// document parses the file and gives its one mapping, or nil after a problem.
func (r *reader) document(data []byte) ast.Node {
	data = trimBOM(data)
	if line, column, ok := badUTF8(data); ok {
		r.at(line, column, r.say("不是 UTF-8 文本；请用 UTF-8 保存", "not UTF-8; save the file as UTF-8"))
		return nil
	}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc.Body == nil:
		case body == nil:
			body = doc.Body
		default:
			r.problem("", doc.Body, r.say("一个作业文件里只能有一份文档", "a job file holds one document"))
		}
	}
	if body == nil {
		r.at(1, 1, r.say("文件为空；至少需要 inputs", "the file is empty; inputs is required"))
	}
	return body
}

func (r *reader) at(line, column int, text string) {
	r.problems = append(r.problems, Problem{Pos: schema.Pos{File: r.file, Line: line, Column: column}, Text: text})
}

func (r *reader) syntax(err error) {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		at := e.GetToken().Position
		if strings.Contains(e.GetMessage(), "'\t'") {
			r.at(at.Line, at.Column, r.say("缩进不能用制表符，请改用空格", "a tab cannot indent; use blanks"))
			return
		}
		r.at(at.Line, at.Column, r.say("YAML 语法：%s", "YAML syntax: %s", e.GetMessage()))
		return
	}
	r.at(1, 1, r.say("YAML 语法：%v", "YAML syntax: %v", err))
}

func trimBOM(data []byte) []byte {
	if len(data) >= 3 && string(data[:3]) == "\xef\xbb\xbf" {
		return data[3:]
	}
	return data
}

func badUTF8(data []byte) (line, column int, found bool) {
	line, column = 1, 1
	for len(data) > 0 {
		letter, size := utf8.DecodeRune(data)
		switch {
		case letter == utf8.RuneError && size == 1:
			return line, column, true
		case letter == '\n':
			line, column = line+1, 1
		default:
			column++
		}
		data = data[size:]
	}
	return 0, 0, false
}

// plain tells whether the node is one of the kinds that a job file is made of;
// anchors, aliases and tags would hide what a place says, and are refused.
func (r *reader) plain(path string, n ast.Node) bool {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.problem(path, n, r.say("作业文件不支持锚点、别名和标签", "anchors, aliases and tags are not used in job files"))
		return false
	}
	return true
}

// mapping reads the keys of a mapping with its fields.
func (r *reader) mapping(path string, n ast.Node, fields []field) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	r.entries(path, n, func(key, path string, at ast.MapKeyNode, value ast.Node) {
		for _, f := range fields {
			if f.key == key {
				if value.Type() != ast.NullType {
					f.read(path, value)
				}
				return
			}
		}
		r.problem(path, at, r.say("没有这个键；可用：", "unknown key; valid: ")+strings.Join(keys, ", ")+r.meant(key, keys))
	})
}

func (r *reader) meant(word string, choices []string) string {
	if near := Nearest(word, choices); near != "" {
		return r.say("；是不是想写 %q？", "; did you mean %q?", near)
	}
	return ""
}

// entries goes over a mapping whose keys the file chooses.
func (r *reader) entries(path string, n ast.Node, each func(key, path string, at ast.MapKeyNode, value ast.Node)) {
	if !r.plain(path, n) {
		return
	}
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.problem(path, n, r.say("应为键值结构", "must be a mapping of keys to values"))
		return
	}
	seen := map[string]bool{}
	for _, entry := range m.Values {
		key, ok := entry.Key.(*ast.StringNode)
		if !ok {
			r.problem(path, entry.Key, r.say("键应为文字", "a key must be text"))
			continue
		}
		at := key.Value
		if path != "" {
			at = path + "." + key.Value
		}
		if seen[key.Value] {
			r.problem(at, key, r.say("键重复", "this key is given twice"))
			continue
		}
		seen[key.Value] = true
		r.places[at] = r.pos(at, key)
		each(key.Value, at, key, entry.Value)
	}
}

// list goes over the entries of a list.
func (r *reader) list(path string, n ast.Node, each func(path string, item ast.Node)) {
	if !r.plain(path, n) {
		return
	}
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.problem(path, n, r.say("应为列表，例如 [\"…\"]", `must be a list, as in ["…"]`))
		return
	}
	for i, item := range s.Values {
		at := path + "[" + strconv.Itoa(i) + "]"
		r.places[at] = r.pos(at, item)
		each(at, item)
	}
}

// text is a scalar that is text: quoted, or plain and not a number or a word of
// YAML's own.
func (r *reader) text(path string, n ast.Node) (string, bool) {
	if !r.plain(path, n) {
		return "", false
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	r.problem(path, n, r.say("应为文字（数字请加引号）", "must be text (put a number in quotes)"))
	return "", false
}

// scalar is a value by its letters, whether YAML takes it for text or a number:
// amounts, PIDs and dates are read from what is written, never from a float.
func (r *reader) scalar(path string, n ast.Node, want string) (string, bool) {
	if !r.plain(path, n) {
		return "", false
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	r.problem(path, n, want)
	return "", false
}

// filled is text that is not empty.
func (r *reader) filled(into *string) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		text, ok := r.text(path, n)
		switch {
		case !ok:
		case strings.TrimSpace(text) == "":
			r.problem(path, n, r.say("不能为空", "must not be empty"))
		default:
			*into = text
		}
	}
}

func (r *reader) boolean(into *bool) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		value, ok := n.(*ast.BoolNode)
		if !ok {
			r.problem(path, n, r.say("应为 true 或 false", "must be true or false"))
			return
		}
		*into = value.Value
	}
}

// maxCount bounds the counts of a job file; it is far beyond any day.
const maxCount = 1_000_000_000

func (r *reader) count(into *int) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		want := r.say("应为 0 到 %d 的整数", "must be a whole number from 0 to %d", maxCount)
		if _, ok := n.(*ast.IntegerNode); !ok {
			r.problem(path, n, want)
			return
		}
		value, err := strconv.Atoi(n.GetToken().Value)
		if err != nil || value < 0 || value > maxCount {
			r.problem(path, n, want)
			return
		}
		*into = value
	}
}

// scalarOf is a value that parse takes from its letters; ok is false if it is none.
func scalarOf[T any](r *reader, want string, into *T, parse func(text string) (value T, ok bool)) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		text, ok := r.scalar(path, n, want)
		if !ok {
			return
		}
		value, ok := parse(text)
		if !ok {
			r.problem(path, n, want)
			return
		}
		*into = value
	}
}

func (r *reader) amount(into *rules.Fen) func(string, ast.Node) {
	want := r.say("应为不小于 0、最多两位小数的金额，例如 \"0.01\"", `must be an amount of 0 or more with at most two decimals, such as "0.01"`)
	return scalarOf(r, want, into, func(text string) (rules.Fen, bool) {
		value, err := rules.ParseFen([]byte(text))
		return value, err == nil && value >= 0
	})
}

func (r *reader) micro(into *rules.Micro) func(string, ast.Node) {
	want := r.say("应为不小于 0、最多六位小数的金额，例如 \"0.01\"", `must be an amount of 0 or more with at most six decimals, such as "0.01"`)
	return scalarOf(r, want, into, func(text string) (rules.Micro, bool) {
		value, err := rules.ParseMicro([]byte(text))
		return value, err == nil && value >= 0
	})
}

// duration is a time of whole seconds, a day at most.
func (r *reader) duration(into *int64) func(string, ast.Node) {
	want := r.say("应为 0s 到 24h 的时长，例如 10m、90s", "must be a duration from 0s to 24h, such as 10m or 90s")
	return scalarOf(r, want, into, func(text string) (int64, bool) {
		value, err := time.ParseDuration(text)
		return int64(value / time.Second), err == nil && value >= 0 && value <= 24*time.Hour && value%time.Second == 0
	})
}

// word is one of the choices.
func (r *reader) word(choices []string, take func(word string)) func(string, ast.Node) {
	return func(path string, n ast.Node) {
		want := r.say("应为以下之一：", "must be one of ") + strings.Join(choices, ", ")
		text, ok := r.scalar(path, n, want)
		if !ok {
			return
		}
		for _, choice := range choices {
			if choice == text {
				take(text)
				return
			}
		}
		r.problem(path, n, want+r.meant(text, choices))
	}
}

// pid is an account number, or a blank.
func (r *reader) pid(into *string) func(string, ast.Node) {
	want := r.say("应为 PID：2088 开头的 16 位数字", "must be a PID: 16 digits beginning 2088")
	return scalarOf(r, want, into, func(text string) (string, bool) {
		return text, text == "" || rules.IsPID(text)
	})
}

// unsupported refuses a value that is not empty: better no answer than one that
// leaves part of the job out without a word.
func (r *reader) unsupported(path string, n ast.Node) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		if len(n.Values) == 0 {
			return
		}
	case *ast.MappingNode:
		if len(n.Values) == 0 {
			return
		}
	case *ast.StringNode:
		if n.Value == "" {
			return
		}
	}
	r.problem(path, n, r.say("尚未支持：%s；请删去或留空", "not supported yet: %s; leave it out or empty", path))
}
