package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// rows are those of one generation, as they are read. Safe for concurrent use.
type rows struct {
	s     *Store
	gen   generation
	words *schema.Words // into which words are put; nil: nobody asks for them

	replaced partSet // the parts whose rows do not count: newer layers of the chain have them

	opened  sync.Once
	head    head
	at      map[string][]int // by table: the columns of the pages
	openErr error

	named  sync.Once
	codes  []uint32 // by code of the generation: the code in words
	texts  []string
	hashes []uint64
	wordsE error

	listed sync.Once
	refs   schema.Text // last refs of the pages of trades
	refsE  error

	ended sync.Once
	ends  []int64 // last hashes of the pages of the index of numbers
	endsE error
}

func (s *Store) rows(g generation, words *schema.Words) *rows {
	return &rows{s: s, gen: g, words: words}
}

// A DamageError is a history that is not what was written.
type DamageError struct {
	Place string // the run, and what of it
	Why   string
}

// Error names the place.
func (e *DamageError) Error() string { return "state: " + e.Place + ": " + e.Why }

func (r *rows) damaged(format string, args ...any) error {
	return &DamageError{DateText(r.gen.Date), fmt.Sprintf(format, args...)}
}

// open reads the head.
func (r *rows) open() error {
	r.opened.Do(func() {
		value, err := r.s.get(r.gen.key(headKey))
		if errors.Is(err, pebble.ErrNotFound) {
			err = r.damaged("its rows are missing")
		}
		if err == nil {
			err = json.Unmarshal(value, &r.head)
		}
		r.openErr = err
		r.at = map[string][]int{
			tradeTable:  places(trades.columns(trades.fresh()), r.head.Columns[tradeTable]),
			refundTable: places(refunds.columns(refunds.fresh()), r.head.Columns[refundTable]),
			breakTable:  places(new(breakRows).fields(), r.head.Columns[breakTable]),
			askedTable:  places(new(askedPage).fields(), r.head.Columns[askedTable]),
		}
	})
	return r.openErr
}

// dictionary reads the words.
func (r *rows) dictionary() error {
	r.named.Do(func() {
		if r.wordsE = r.open(); r.wordsE != nil {
			return
		}
		var all schema.Text
		r.wordsE = r.each(wordPages, func(_, value []byte) error {
			return unpackTexts(value, &all)
		})
		if r.wordsE == nil && all.Len() != r.head.Words {
			r.wordsE = r.damaged("it has %d words, not %d", all.Len(), r.head.Words)
		}
		for i := range all.Len() {
			text := string(all.At(i))
			r.texts = append(r.texts, text)
			r.hashes = append(r.hashes, xxh3.HashString(text))
			if r.words != nil {
				r.codes = append(r.codes, r.words.Code(text))
			}
		}
	})
	return r.wordsE
}

func unpackTexts(value []byte, to *schema.Text) error {
	var p page
	if err := p.open(value); err != nil {
		return err
	}
	if len(p.columns) != 1 {
		return errPage
	}
	return p.appendTo([]schema.Field{{Name: "text", Data: to}}, []int{0})
}

// lastRefs reads where the pages of trades end.
func (r *rows) lastRefs() (*schema.Text, error) {
	r.listed.Do(func() {
		r.refsE = r.each(tradeRefs, func(_, value []byte) error { return unpackTexts(value, &r.refs) })
	})
	return &r.refs, r.refsE
}

// lastHashes reads where the pages of the index end.
func (r *rows) lastHashes() ([]int64, error) {
	r.ended.Do(func() {
		r.endsE = r.each(numberEnds, func(_, value []byte) error {
			var p page
			if err := p.open(value); err != nil {
				return err
			}
			if len(p.columns) != 1 {
				return errPage
			}
			return p.appendTo(endFields(&r.ends), []int{0})
		})
	})
	return r.ends, r.endsE
}

// each calls f with the keys of a kind, without what all begin with, and the values.
func (r *rows) each(kind byte, f func(rest, value []byte) error) error {
	prefix := r.gen.key(kind)
	err := r.s.each(prefix, func(key, value []byte) error { return f(key[len(prefix):], value) })
	return r.explain(err, "")
}

// explain says where a page is damaged.
func (r *rows) explain(err error, what string) error {
	if errors.Is(err, errPage) {
		return r.damaged("%s%v", what, err)
	}
	return err
}

// page reads the page with the key into fields of a table.
func (r *rows) page(key []byte, table string, fields []schema.Field) error {
	value, closer, err := r.s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return r.damaged("a page of %s is missing", table)
	}
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // always nil
	return r.unpack(value, table, fields)
}

// unpack appends a page to the fields of a table.
func (r *rows) unpack(value []byte, table string, fields []schema.Field) error {
	if err := r.open(); err != nil {
		return err
	}
	var p page
	err := p.open(value)
	if err == nil && len(p.columns) != len(r.head.Columns[table]) {
		err = errPage
	}
	if err == nil {
		err = p.appendTo(fields, r.at[table])
	}
	return r.explain(err, table+": ")
}

// recode puts words into codes of the reader's words.
func (r *rows) recode(codes []uint32) error {
	for i, code := range codes {
		if int(code) >= len(r.codes) {
			return r.damaged("word %d is missing", code)
		}
		codes[i] = r.codes[code]
	}
	return nil
}
