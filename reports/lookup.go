package reports

import (
	"slices"
	"sync"

	"duizhang/engine/schema"
)

// A lookup holds what the cells of all parts share: the run's words and the
// places of its tables, rendered once for CSV. It is safe for concurrent use.
type lookup struct {
	snapshot func() []string
	form     form     // of texts: plainForm or sheetForm
	sources  []string // prefixes for CSV, by table
	tables   []*schema.Table

	mu    sync.Mutex
	plain []string // words as they are
	texts []string // words as CSV fields
	ids   []string // words as CSV fields of id columns; texts unless for spreadsheets
}

func newLookup(o *Options) *lookup {
	l := &lookup{snapshot: o.Words, form: plainForm, tables: o.Tables, sources: make([]string, len(o.Tables))}
	if o.CSVBOM {
		l.form = sheetForm
	}
	for i, t := range o.Tables {
		l.sources[i] = renderSource(t, l.form)
	}
	return l
}

// words gives the words as CSV fields, up to code and perhaps beyond. What it
// returned before stays valid.
func (l *lookup) words(code uint32, f form) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grow(code)
	if f == sheetIDForm {
		return l.ids
	}
	return l.texts
}

// raw gives the words as they are.
func (l *lookup) raw(code uint32) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grow(code)
	return l.plain
}

// grow renders the words that came since the last time. The caller holds mu.
func (l *lookup) grow(code uint32) {
	if int(code) < len(l.texts) {
		return
	}
	old := len(l.texts)
	l.plain = l.snapshot()
	// Appending to a grown copy leaves what was returned before untouched.
	l.texts = slices.Grow(slices.Clip(l.texts), len(l.plain)-old)
	for _, word := range l.plain[old:] {
		l.texts = append(l.texts, renderWord(word, l.form))
	}
	if l.form == plainForm {
		l.ids = l.texts
		return
	}
	l.ids = slices.Grow(slices.Clip(l.ids), len(l.plain)-old)
	for _, word := range l.plain[old:] {
		l.ids = append(l.ids, renderWord(word, sheetIDForm))
	}
}

// renderWord is the word as a CSV field: the same string where nothing is added.
func renderWord(word string, f form) string {
	switch {
	case f != plainForm:
		return string(appendSheetField(nil, []byte(word), f))
	case needsQuotes([]byte(word)):
		return string(appendField(nil, []byte(word)))
	}
	return word
}
