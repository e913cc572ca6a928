package job

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"duizhang/engine/schema"
)

// SetFlag is the place that a problem of Options.Set names.
const SetFlag = "--set"

// Keys are the keys of a job file that take a value, as --set names them:
// matching.carry_days.
func Keys() []string {
	p := filler{reader: &reader{}, job: defaults("")}
	var keys []string
	var walk func(prefix string, fields []field)
	walk = func(prefix string, fields []field) {
		for _, f := range fields {
			if f.below == nil {
				keys = append(keys, prefix+f.key)
			}
			walk(prefix+f.key+".", f.below)
		}
	}
	walk("", p.fields())
	return keys
}

// override puts what the command line says in the place of what the file says.
// The values are YAML and are checked like the file's own; a problem with one
// names its key. A key that is given twice, or inside another that is given, is
// a problem: one of the two would be lost.
func (r *reader) override(body ast.Node, sets []string) {
	for _, set := range sets {
		path, text, found := strings.Cut(set, "=")
		path = strings.TrimSpace(path)
		parts := strings.Split(path, ".")
		if !found || slices.Contains(parts, "") {
			r.badSet("", set, r.say("应为 键=值，例如 rebate.tolerance=0.01", "must be KEY=VALUE, such as rebate.tolerance=0.01"))
			continue
		}
		if slices.ContainsFunc(r.given(), func(other string) bool {
			return path == other || below(path, other) || below(other, path)
		}) {
			r.badSet(path, text, r.say("给了两次", "is given twice"))
			continue
		}
		value := r.setValue(path, text)
		if value == nil {
			continue
		}
		r.replace(body, "", parts, value)
	}
}

func (r *reader) badSet(path, value, text string) {
	r.problems = append(r.problems, Problem{Pos: schema.Pos{File: SetFlag, Name: path}, Value: value, Text: text})
}

// setValue parses the value of a --set: one YAML value on a line.
func (r *reader) setValue(path, text string) ast.Node {
	if _, _, bad := badUTF8([]byte(text)); bad {
		r.badSet(path, text, r.say("不是 UTF-8 文本", "not UTF-8"))
		return nil
	}
	if strings.ContainsAny(text, "\r\n") {
		r.badSet(path, text, r.say("值应在一行内；列表写成 [a, b]", "a value is on one line; write a list as [a, b]"))
		return nil
	}
	// Behind a key, for that is where the value stands.
	tree, err := parser.ParseBytes([]byte("value: "+text+"\n"), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		why := err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			why = e.GetMessage()
		}
		r.badSet(path, text, r.say("YAML 语法：%s", "YAML syntax: %s", why))
		return nil
	}
	if len(tree.Docs) == 1 {
		if m, ok := tree.Docs[0].Body.(*ast.MappingNode); ok && len(m.Values) == 1 {
			return m.Values[0].Value
		}
	}
	r.badSet(path, text, r.say("应为一个值", "must be one value"))
	return nil
}

// replace sets the value at a path below a node, and makes the mappings that
// lead there.
func (r *reader) replace(n ast.Node, path string, parts []string, value ast.Node) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.badSet(path+"."+parts[0], "", r.say("%s 不是键值结构", "%s is not a mapping of keys to values", path))
		return
	}
	if path != "" {
		path += "."
	}
	path += parts[0]
	at := slices.IndexFunc(m.Values, func(v *ast.MappingValueNode) bool {
		key, ok := v.Key.(*ast.StringNode)
		return ok && key.Value == parts[0]
	})
	if at < 0 {
		at = len(m.Values)
		m.Values = append(m.Values, emptySection(parts[0]))
		r.set[path] = len(parts) == 1
	}
	entry := m.Values[at]
	if len(parts) == 1 {
		entry.Value, r.set[path] = value, true
		return
	}
	if entry.Value.Type() == ast.NullType {
		entry.Value = emptySection(parts[0]).Value
	}
	r.replace(entry.Value, path, parts[1:], value)
}

// emptySection is a key with an empty mapping.
func emptySection(key string) *ast.MappingValueNode {
	tree, err := parser.ParseBytes([]byte(strconv.Quote(key)+": {}\n"), 0)
	if err != nil {
		panic("job: " + err.Error()) // a quoted key is YAML
	}
	return tree.Docs[0].Body.(*ast.MappingNode).Values[0] //nolint:forcetypeassert // as written above
}

// isSet reports whether the value at the path is the command line's: the path is
// given, or below one that is, or was made on the way to one.
func (r *reader) isSet(path string) bool {
	if _, ok := r.set[path]; ok {
		return true
	}
	return slices.ContainsFunc(r.given(), func(set string) bool { return below(path, set) })
}

// given are the paths of --set.
func (r *reader) given() []string {
	var paths []string
	for path, given := range r.set {
		if given {
			paths = append(paths, path)
		}
	}
	return paths
}

// below reports whether a path is inside another.
func below(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}
