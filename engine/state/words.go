package state

import (
	"sync"

	"duizhang/engine/schema"
)

// A dictionary is the words of one run's rows, by a code of their own, from 1 in the
// order in which they are met; 0 is the blank. Physical order and nothing else
// depends on it.
type dictionary struct {
	mu    sync.RWMutex
	codes map[string]uint32
	texts []string
}

func newDictionary() *dictionary {
	return &dictionary{codes: map[string]uint32{"": 0}, texts: []string{""}}
}

func (d *dictionary) code(text string) uint32 {
	d.mu.RLock()
	code, ok := d.codes[text]
	d.mu.RUnlock()
	if ok {
		return code
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if code, ok = d.codes[text]; !ok {
		code = uint32(len(d.texts))
		d.codes[text] = code
		d.texts = append(d.texts, text)
	}
	return code
}

// all are the texts by code: a snapshot that stays valid.
func (d *dictionary) all() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.texts[:len(d.texts):len(d.texts)]
}

// A translation turns codes of the run's words into those of a dictionary. It is
// for one goroutine at a time.
type translation struct {
	from  *schema.Words
	to    *dictionary
	known []uint32 // by code of from: the code in to, plus 1; 0 for not yet known
	texts []string // of from
}

// translate replaces codes in place.
func (t *translation) translate(codes []uint32) {
	for i, code := range codes {
		if int(code) < len(t.known) && t.known[code] != 0 {
			codes[i] = t.known[code] - 1
			continue
		}
		codes[i] = t.meet(code)
	}
}

func (t *translation) meet(code uint32) uint32 {
	if int(code) >= len(t.texts) {
		t.texts = t.from.Texts()
	}
	to := t.to.code(t.texts[code])
	for len(t.known) <= int(code) {
		t.known = append(t.known, 0)
	}
	t.known[code] = to + 1
	return to
}

// text is the text of a code of from.
func (t *translation) text(code uint32) string {
	if int(code) >= len(t.texts) {
		t.texts = t.from.Texts()
	}
	return t.texts[code]
}
