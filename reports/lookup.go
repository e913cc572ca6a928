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
	privacy  Privacy
	sources  []string // prefixes for CSV, by table
	tables   []*schema.Table

	mu     sync.Mutex
	plain  []string // words as they are
	lists  map[variant][]string
	masked map[secrecy]int // words that are shown otherwise than they are
}

// A variant is a way in which words are shown.
type variant struct {
	secret secrecy
	form   form
}

func newLookup(o *Options) *lookup {
	l := &lookup{snapshot: o.Words, privacy: o.Privacy, tables: o.Tables, sources: make([]string, len(o.Tables))}
	f := plainForm
	if o.CSVBOM {
		f = sheetForm
	}
	for i, t := range o.Tables {
		l.sources[i] = renderSource(t, f)
	}
	return l
}

// words gives the words in a variant, up to code and perhaps beyond: each is
// masked and rendered once in a run. What it returned before stays valid.
func (l *lookup) words(code uint32, v variant) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grow(code, v)
}

// raw gives the words as they are.
func (l *lookup) raw(code uint32) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(code) >= len(l.plain) {
		l.plain = l.snapshot()
	}
	return l.plain
}

// masks reports whether any of the words up to code, and perhaps beyond, is
// masked.
func (l *lookup) masks(code uint32, secret secrecy) bool {
	if secret == openText {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grow(code, variant{secret, asIs})
	return l.masked[secret] > 0
}

// grow renders the words that came since the last time. The caller holds mu.
func (l *lookup) grow(code uint32, v variant) []string {
	list := l.lists[v]
	if int(code) < len(list) {
		return list
	}
	if int(code) >= len(l.plain) {
		l.plain = l.snapshot()
	}
	old := len(list)
	// Appending to a grown copy leaves what was returned before untouched.
	list = slices.Grow(slices.Clip(list), len(l.plain)-old)
	for _, word := range l.plain[old:] {
		shown := l.privacy.mask(word, v.secret)
		if v.form == asIs {
			if shown != word {
				l.count(v.secret)
			}
			list = append(list, shown)
			continue
		}
		list = append(list, renderWord(shown, v.form))
	}
	if l.lists == nil {
		l.lists = make(map[variant][]string)
	}
	l.lists[v] = list
	return list
}

func (l *lookup) count(secret secrecy) {
	if l.masked == nil {
		l.masked = make(map[secrecy]int)
	}
	l.masked[secret]++
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
