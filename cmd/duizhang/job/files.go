package job

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
)

// An Input is one file of a run.
type Input struct {
	Kind schema.InputKind
	Path string // to open it
	Name string // relative to the job file, with slashes
}

// Missing is every pattern of a job that finds no file. The run has no inputs to
// work on: exit status 3.
type Missing []Problem

// Error has a line for each pattern.
func (m Missing) Error() string { return Problems(m).Error() }

// Files finds the files of all patterns, sorted by kind and name. A file that
// two patterns of a kind find, or that is there under a second name, counts once.
// The error is Missing; the files of the other patterns come with it.
func (j *Job) Files() (inputs []Input, err error) {
	var missing Missing
	seen := map[schema.InputKind]map[string]bool{}
	for _, pattern := range j.Patterns {
		paths, fault := glob(j.Dir, pattern.Text, j.lang)
		if fault != "" {
			missing = append(missing, Problem{Pos: pattern.Pos, Value: pattern.Text, Text: fault})
			continue
		}
		if seen[pattern.Kind] == nil {
			seen[pattern.Kind] = map[string]bool{}
		}
		for _, file := range paths {
			identity := file
			if real, err := filepath.EvalSymlinks(file); err == nil {
				identity = real
			}
			if seen[pattern.Kind][identity] {
				continue
			}
			seen[pattern.Kind][identity] = true
			inputs = append(inputs, Input{Kind: pattern.Kind, Path: file, Name: j.name(file)})
		}
	}
	slices.SortFunc(inputs, func(a, b Input) int {
		return cmp.Or(int(a.Kind)-int(b.Kind), strings.Compare(a.Name, b.Name))
	})
	if len(missing) > 0 {
		return inputs, missing
	}
	return inputs, nil
}

// name is the path as reports show it.
func (j *Job) name(file string) string {
	dir, err := filepath.Abs(j.Dir)
	if err == nil {
		if abs, err := filepath.Abs(file); err == nil {
			if rel, err := filepath.Rel(dir, abs); err == nil {
				return filepath.ToSlash(rel)
			}
		}
	}
	return filepath.ToSlash(file)
}

// badPattern says what is wrong with a pattern as such, or is empty.
func badPattern(pattern string, l lang.Lang) string {
	switch {
	case hasMeta(pattern) && !wellFormed(pattern):
		return l.Say("不是合法的通配符；可用 *、? 和 [a-z]", "not a pattern; * ? and [a-z] may be used")
	case strings.Contains(pattern, "**"):
		return l.Say("不支持 **；* 只匹配一层", "** is not supported; * matches within one folder")
	}
	return ""
}

func wellFormed(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// glob finds the files of one pattern, sorted by name. It follows links to files
// and never goes into linked folders, so that a link cannot lead a run to files
// that nobody meant. Names that begin with a dot are found only by a pattern that
// begins with one.
func glob(dir, pattern string, l lang.Lang) (paths []string, fault string) {
	pattern = filepath.ToSlash(pattern)
	literal := filepath.FromSlash(pattern)
	if !filepath.IsAbs(literal) {
		literal = filepath.Join(dir, literal)
	}
	w := walker{lang: l}
	if !hasMeta(pattern) || isFile(literal) { // a name may hold what looks like a pattern
		pattern = quoteMeta(pattern)
	}
	w.walk(start(dir, pattern))
	if len(w.found) == 0 {
		return nil, cmp.Or(w.fault, l.Say("没有找到文件", "no file matches"))
	}
	slices.Sort(w.found)
	return slices.Compact(w.found), ""
}

func isFile(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

func quoteMeta(text string) string {
	var b strings.Builder
	for _, letter := range text {
		if strings.ContainsRune(`*?[\`, letter) {
			b.WriteByte('\\')
		}
		b.WriteRune(letter)
	}
	return b.String()
}

// start is the folder to begin at and the parts below it. A path in full is
// taken as it is up to its first pattern: what leads there is the system's.
func start(dir, pattern string) (from string, parts []string) {
	pattern = path.Clean(pattern)
	if !filepath.IsAbs(filepath.FromSlash(pattern)) {
		return dir, strings.Split(pattern, "/")
	}
	from, pattern = "/", strings.TrimPrefix(pattern, "/")
	if volume := filepath.VolumeName(filepath.FromSlash(pattern)); volume != "" {
		from, pattern = volume+"/", strings.TrimPrefix(pattern[len(volume):], "/")
	}
	parts = strings.Split(pattern, "/")
	for len(parts) > 1 && !hasMeta(parts[0]) {
		from, parts = filepath.Join(from, parts[0]), parts[1:]
	}
	return from, parts
}

// A walker gathers the files below a folder that the parts of a pattern name.
type walker struct {
	lang  lang.Lang
	found []string
	fault string // the first reason why something was not found
}

func (w *walker) walk(dir string, parts []string) {
	part, rest := parts[0], parts[1:]
	if !hasMeta(part) {
		w.step(dir, part, rest, true)
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.blame(plainError(err))
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if ok, _ := path.Match(part, name); ok {
			w.step(dir, name, rest, !hasMeta(unquoted(part)))
		}
	}
}

// unquoted is a part without the letters that a backslash makes plain.
func unquoted(part string) string {
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		if part[i] == '\\' {
			i++
			continue
		}
		b.WriteByte(part[i])
	}
	return b.String()
}

// step goes on with one name. named: the pattern spells it, so that it is worth
// saying why it is no file.
func (w *walker) step(dir, name string, rest []string, named bool) { //nolint:revive // a flag of the caller's loop
	at := filepath.Join(dir, name)
	link, err := os.Lstat(at)
	if err != nil {
		if named && !os.IsNotExist(err) {
			w.blame(plainError(err))
		}
		return
	}
	info, err := os.Stat(at)
	switch {
	case err != nil:
		w.blame(w.lang.Say("%s 是断开的链接", "%s is a link to nothing", name))
	case len(rest) == 0 && info.Mode().IsRegular():
		w.found = append(w.found, at)
	case len(rest) == 0:
		if named && info.IsDir() {
			w.blame(w.lang.Say("是文件夹，不是文件；是不是想写 %s/*？", "is a folder, not a file; did you mean %s/*?", name))
		}
	case !info.IsDir():
	case link.Mode()&fs.ModeSymlink != 0:
		w.blame(w.lang.Say("%s 是指向文件夹的链接，不会进入", "%s is a link to a folder, and those are not followed", name))
	default:
		w.walk(at, rest)
	}
}

func (w *walker) blame(text string) {
	if w.fault == "" {
		w.fault = text
	}
}

// plainError is what the system says, without the call and the path.
func plainError(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// permissions are the nine bits of a mode.
func permissions(bits uint64) os.FileMode { return os.FileMode(bits) & os.ModePerm }
