package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// What the sources of a job looked like is remembered in the state folder: the
// header cells, the encoding and the dialect. A source is an input kind and a path
// whose numbers are left out, so that the files of every day are one; the PIDs in
// it stay, for a merchant chooses the columns of its own bills.
//
//	alipay_bill bills/20881465470000070156_#.csv.zip:20881465470000070156_#_业务明细.csv
//
// A look is remembered with the business date from which it holds, and a run is
// compared with what held before its own date: run again, it says the same.

// sourcesName is the file of the state folder.
const sourcesName = "sources.json"

// sourcesSchema is the version of that file.
const sourcesSchema = 1

// A sourceMemory is the file.
type sourceMemory struct {
	Schema  int                     `json:"schema"`
	Sources map[string][]sourceLook `json:"sources"` // by source, oldest look first
}

// A sourceLook is what the tables of a source looked like from a date on.
type sourceLook struct {
	Since  string  `json:"since"` // business date
	Shapes []shape `json:"shapes"`
}

// A shape is what one table looks like.
type shape struct {
	Format   string   `json:"format"`
	Dialect  string   `json:"dialect"`
	Encoding string   `json:"encoding"` // blank: plain letters alone, which read the same in all
	Columns  []string `json:"columns"`  // sorted
}

func shapeOf(t *schema.Table) shape {
	s := shape{Format: t.Format, Dialect: t.Dialect, Encoding: t.Encoding, Columns: []string{}}
	plain := true
	for _, cells := range [...][]string{t.Known, t.Unknown} {
		for _, cell := range cells {
			if cell = strings.TrimSpace(cell); cell != "" && !slices.Contains(s.Columns, cell) {
				s.Columns = append(s.Columns, cell)
				plain = plain && ascii(cell)
			}
		}
	}
	if plain && (s.Encoding == "utf-8" || s.Encoding == "gb18030") {
		s.Encoding = ""
	}
	slices.Sort(s.Columns)
	return s
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}

func (s shape) equal(o shape) bool {
	return s.Format == o.Format && s.Dialect == o.Dialect && s.Encoding == o.Encoding && slices.Equal(s.Columns, o.Columns)
}

// apart counts the differences of two shapes.
func (s shape) apart(o shape) int {
	fresh, gone := columnsApart(s, o)
	n := len(fresh) + len(gone)
	for _, differs := range [...]bool{s.Format != o.Format, s.Dialect != o.Dialect, s.Encoding != o.Encoding} {
		if differs {
			n++
		}
	}
	return n
}

// columnsApart are the columns that s has beyond o, and those that it lacks.
func columnsApart(s, o shape) (fresh, gone []string) {
	for _, c := range s.Columns {
		if !slices.Contains(o.Columns, c) {
			fresh = append(fresh, c)
		}
	}
	for _, c := range o.Columns {
		if !slices.Contains(s.Columns, c) {
			gone = append(gone, c)
		}
	}
	return fresh, gone
}

// sourceOf is the source of a table: its kind and its path without numbers.
func sourceOf(t *schema.Table) string {
	return t.Kind.String() + " " + withoutNumbers(t.File())
}

// withoutNumbers puts # in place of every number but PIDs, with or without 0156.
func withoutNumbers(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); {
		end := i
		for end < len(path) && path[end] >= '0' && path[end] <= '9' {
			end++
		}
		switch number := path[i:end]; {
		case end == i:
			b.WriteByte(path[i])
			end++
		case rules.IsPID(rules.TrimPID(number)):
			b.WriteString(number)
		default:
			b.WriteByte('#')
		}
		i = end
	}
	return b.String()
}

// remembers tells whether a table's look is worth remembering: messages have no
// header, and what was refused has no look.
func remembers(t *schema.Table) bool {
	return !t.Refused && t.Kind != 0 && t.Kind != schema.PosAPI && len(t.Known)+len(t.Unknown) > 0
}

// readSources reads what is remembered in a state folder.
func (a *app) readSources(dir string) (*sourceMemory, error) {
	m := &sourceMemory{Schema: sourcesSchema, Sources: map[string][]sourceLook{}}
	file := filepath.Join(dir, sourcesName)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, m)
	}
	if err == nil && m.Schema != sourcesSchema {
		err = fmt.Errorf("schema %d", m.Schema)
	}
	if err != nil {
		return nil, usage(a.say("%s 读不了：%v", "%s cannot be read: %v", file, a.lang.System(err)),
			a.say("移走这个文件会从头开始：格式变化从下一次起才能看出", "move it away to begin anew: a change of format shows from the next run on"))
	}
	if m.Sources == nil {
		m.Sources = map[string][]sourceLook{}
	}
	return m, nil
}

// before is the look that held before the date.
func (m *sourceMemory) before(source, date string) (sourceLook, bool) {
	looks := m.Sources[source]
	at := slices.IndexFunc(looks, func(l sourceLook) bool { return l.Since >= date })
	if at < 0 {
		at = len(looks)
	}
	if at == 0 {
		return sourceLook{}, false
	}
	return looks[at-1], true
}

// set remembers the shapes of a source on the date.
func (m *sourceMemory) set(source, date string, shapes []shape) {
	earlier, known := m.before(source, date)
	looks := slices.DeleteFunc(m.Sources[source], func(l sourceLook) bool { return l.Since == date })
	same := known && !slices.ContainsFunc(shapes, func(s shape) bool { return !slices.ContainsFunc(earlier.Shapes, s.equal) })
	if !same {
		at := slices.IndexFunc(looks, func(l sourceLook) bool { return l.Since > date })
		if at < 0 {
			at = len(looks)
		}
		looks = slices.Insert(looks, at, sourceLook{date, shapes})
	}
	m.Sources[source] = looks
	if len(looks) == 0 {
		delete(m.Sources, source)
	}
}

// A driftCheck compares the tables of a run with what is remembered, and
// remembers them once the run is published. nil checks nothing.
type driftCheck struct {
	app    *app
	dir    string
	date   string
	memory *sourceMemory
}

// driftCheck reads the job's memory; without state or date there is none.
func (a *app) driftCheck(j *job.Job) (*driftCheck, error) {
	dir := stateOf(j, "")
	if dir == "" || j.Day.IsZero() {
		return nil, nil
	}
	memory, err := a.readSources(dir)
	if err != nil {
		return nil, err
	}
	return &driftCheck{a, dir, j.Day.Format("2006-01-02"), memory}, nil
}

// look compares the tables, before anything is matched, and gives what changed, in
// words.
func (d *driftCheck) look(tables []*schema.Table) (changes []string) {
	if d == nil {
		return nil
	}
	for _, t := range tables {
		if !remembers(t) {
			continue
		}
		look, known := d.memory.before(sourceOf(t), d.date)
		s := shapeOf(t)
		if !known || slices.ContainsFunc(look.Shapes, s.equal) {
			continue
		}
		nearest := slices.MinFunc(look.Shapes, func(a, b shape) int { return s.apart(a) - s.apart(b) })
		t.Drift = d.app.drift(s, nearest)
		changes = append(changes, d.app.say("%s: 格式与以前不同：%s", "%s: the format has changed: %s", t.File(), t.Drift))
	}
	return changes
}

// checkDrift says what changed in the inputs, before anything is matched. The
// progress is begun anew where something was said.
func (s *session) checkDrift(show progress) (progress, error) {
	var err error
	if s.drift, err = s.app.driftCheck(s.job); err != nil {
		show.close()
		return show, err
	}
	changes := s.drift.look(s.tables)
	if len(changes) == 0 {
		return show, nil
	}
	show.close()
	for _, change := range changes {
		s.app.complain(change, "")
	}
	return s.app.newProgress(), nil
}

// drift says what is new in s against what was.
func (a *app) drift(s, was shape) string {
	var parts []string
	fresh, gone := columnsApart(s, was)
	for _, c := range gone {
		near := job.Nearest(c, fresh)
		if near == "" && len(gone) == 1 && len(fresh) == 1 {
			near = fresh[0]
		}
		if near == "" {
			parts = append(parts, a.say("缺少列 %s", "the column %s is gone", c))
			continue
		}
		fresh = slices.DeleteFunc(fresh, func(f string) bool { return f == near })
		parts = append(parts, a.say("缺少列 %s，可能改名为 %s", "the column %s is gone, perhaps renamed to %s", c, near))
	}
	for _, c := range fresh {
		parts = append(parts, a.say("新列 %s", "new column %s", c))
	}
	for _, change := range [...][3]string{
		{a.say("格式", "format"), was.Format, s.Format},
		{a.say("版式", "dialect"), was.Dialect, s.Dialect},
		{a.say("编码", "encoding"), was.Encoding, s.Encoding},
	} {
		if change[1] != change[2] {
			parts = append(parts, change[0]+" "+orBlank(change[1], "–")+" → "+orBlank(change[2], "–"))
		}
	}
	return strings.Join(parts, a.say("；", "; "))
}

// remembered is the file as it is after a published run with these tables; nil if
// there is none. It is read again, for another job may share the folder.
func (d *driftCheck) remembered(tables []*schema.Table) ([]byte, error) {
	if d == nil {
		return nil, nil
	}
	var err error
	if d.memory, err = d.app.readSources(d.dir); err != nil {
		return nil, err
	}
	shapes := map[string][]shape{}
	for _, t := range tables {
		if !remembers(t) {
			continue
		}
		source, s := sourceOf(t), shapeOf(t)
		if !slices.ContainsFunc(shapes[source], s.equal) {
			shapes[source] = append(shapes[source], s)
		}
	}
	for _, source := range slices.Sorted(maps.Keys(shapes)) {
		d.memory.set(source, d.date, shapes[source])
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	err = enc.Encode(d.memory)
	return out.Bytes(), err
}
