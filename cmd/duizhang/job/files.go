package job

import (
	"cmp"
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
// two patterns of a kind find, or that is there under a second name, counts once;
// notes tell of such names, and of what was passed by. The error is Missing; the
// files of the other patterns come with it.
func (j *Job) Files() (inputs []Input, notes []string, err error) {
	var missing Missing
	seen := map[schema.InputKind]map[string]string{} // name of what a path leads to
	for _, pattern := range j.Patterns {
		w := walker{lang: j.lang, name: j.name}
		w.glob(j.Dir, pattern.Text)
		for _, f := range w.broken {
			missing = append(missing, Problem{Pos: pattern.Pos, Value: f.value, Text: f.text})
		}
		for _, note := range w.notes {
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
		if seen[pattern.Kind] == nil {
			seen[pattern.Kind] = map[string]string{}
		}
		for _, file := range w.found {
			identity, name := file, j.name(file)
			if real, err := filepath.EvalSymlinks(file); err == nil {
				identity = real
			}
			first, again := seen[pattern.Kind][identity]
			switch {
			case !again:
				seen[pattern.Kind][identity] = name
				inputs = append(inputs, Input{Kind: pattern.Kind, Path: file, Name: name})
			case first != name:
				note := j.lang.Say("%s 与 %s 是同一个文件，只读一次", "%s and %s are one file, which is read once", first, name)
				if !slices.Contains(notes, note) {
					notes = append(notes, note)
				}
			}
		}
	}
	slices.SortFunc(inputs, func(a, b Input) int {
		return cmp.Or(int(a.Kind)-int(b.Kind), strings.Compare(a.Name, b.Name))
	})
	if len(missing) > 0 {
		return inputs, notes, missing
	}
	return inputs, notes, nil
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
// begins with one. What the pattern matches and cannot be read is broken, as is a
// pattern that matches nothing.
func (w *walker) glob(dir, pattern string) {
	text := pattern
	pattern = filepath.ToSlash(pattern)
	literal := filepath.FromSlash(pattern)
	if !filepath.IsAbs(literal) {
		literal = filepath.Join(dir, literal)
	}
	if !hasMeta(pattern) || isFile(literal) { // a name may hold what looks like a pattern
		pattern = quoteMeta(pattern)
	}
	w.walk(start(dir, pattern))
	if len(w.found) == 0 {
		w.notes = nil // said as the fault
		if len(w.broken) == 0 {
			w.broken = []fault{{text, cmp.Or(w.fault, w.lang.Say("没有找到文件", "no file matches"))}}
		}
	}
	slices.Sort(w.found)
	w.found = slices.Compact(w.found)
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
	lang   lang.Lang
	name   func(file string) string // as reports show it
	found  []string
	broken []fault
	notes  []string // what was passed by
	fault  string   // the first reason why nothing was found
}

// A fault is a name that cannot be read, and why.
type fault struct{ value, text string }

func (w *walker) walk(dir string, parts []string) {
	part, rest := parts[0], parts[1:]
	if !hasMeta(part) {
		w.step(dir, part, rest, true)
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.broken = append(w.broken, fault{w.name(dir), w.lang.System(err)})
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
func (w *walker) step(dir, name string, rest []string, named bool) {
	at := filepath.Join(dir, name)
	link, err := os.Lstat(at)
	if err != nil {
		if !os.IsNotExist(err) {
			w.broken = append(w.broken, fault{w.name(at), w.lang.System(err)})
		}
		return
	}
	info, err := os.Stat(at)
	linked := link.Mode()&fs.ModeSymlink != 0
	linkText := w.lang.Say("%s 是指向文件夹的链接，不会进入", "%s is a link to a folder, and those are not followed", w.name(at))
	switch {
	case os.IsNotExist(err):
		w.broken = append(w.broken, fault{w.name(at), w.lang.Say("链接指向的文件不存在", "the link points to a file that is not there")})
	case err != nil:
		w.broken = append(w.broken, fault{w.name(at), w.lang.System(err)})
	case len(rest) == 0 && info.Mode().IsRegular():
		w.found = append(w.found, at)
	case len(rest) == 0:
		switch {
		case info.IsDir() && linked:
			w.blame(linkText)
		case info.IsDir() && named:
			w.blame(w.lang.Say("是文件夹，不是文件；是不是想写 %s/*？", "is a folder, not a file; did you mean %s/*?", name))
		}
	case !info.IsDir():
	case linked:
		w.blame(linkText)
		w.notes = append(w.notes, linkText)
	default:
		w.walk(at, rest)
	}
}

func (w *walker) blame(text string) {
	if w.fault == "" {
		w.fault = text
	}
}

// permissions are the nine bits of a mode.
func permissions(bits uint64) os.FileMode { return os.FileMode(bits) & os.ModePerm }
