package state

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// breakRows are breaks as pages have them.
type breakRows struct {
	ID, Code, Subject, Merchant, OutTradeNo, TradeNo, RequestNo schema.Text
	Amount                                                      []int64
	Micro                                                       []uint8
	FirstSeen                                                   []int32
}

const breakTable = "breaks"

func (b *breakRows) fields() []schema.Field {
	return []schema.Field{
		{Name: "id", Data: &b.ID},
		{Name: "code", Data: &b.Code},
		{Name: "subject", Data: &b.Subject},
		{Name: "merchant", Data: &b.Merchant},
		{Name: "out_trade_no", Data: &b.OutTradeNo},
		{Name: "trade_no", Data: &b.TradeNo},
		{Name: "request_no", Data: &b.RequestNo},
		{Name: "amount", Data: &b.Amount},
		{Name: "micro", Data: &b.Micro},
		{Name: "first_seen", Data: &b.FirstSeen},
	}
}

func (b *breakRows) add(one *Break) {
	b.ID.AppendString(one.ID)
	b.Code.AppendString(one.Code)
	b.Subject.AppendString(one.Subject)
	b.Merchant.AppendString(one.Merchant)
	b.OutTradeNo.AppendString(one.OutTradeNo)
	b.TradeNo.AppendString(one.TradeNo)
	b.RequestNo.AppendString(one.RequestNo)
	b.Amount = append(b.Amount, one.Amount)
	micro := uint8(0)
	if one.Micro {
		micro = 1
	}
	b.Micro = append(b.Micro, micro)
	b.FirstSeen = append(b.FirstSeen, one.FirstSeen)
}

func (b *breakRows) at(i int, day int32) Break {
	return Break{
		ID: string(b.ID.At(i)), Code: string(b.Code.At(i)), Subject: string(b.Subject.At(i)), Merchant: string(b.Merchant.At(i)),
		OutTradeNo: string(b.OutTradeNo.At(i)), TradeNo: string(b.TradeNo.At(i)), RequestNo: string(b.RequestNo.At(i)),
		Amount: b.Amount[i], Micro: b.Micro[i] != 0, FirstSeen: b.FirstSeen[i], Day: day,
	}
}

// sortedBreaks sorts breaks by id, of which one stays.
func sortedBreaks(breaks []Break) []Break {
	slices.SortStableFunc(breaks, func(a, b Break) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(breaks, func(a, b Break) bool { return a.ID == b.ID })
}

// digestBreaks is the digest of what sorted breaks say.
func digestBreaks(lists ...[]Break) string {
	hash := xxh3.New()
	var buf []byte
	for _, breaks := range lists {
		_, _ = hash.Write(appendLong(buf[:0], uint64(len(breaks))))
		for i := range breaks {
			b := &breaks[i]
			buf = appendLong(appendLong(buf[:0], uint64(b.Amount)), uint64(b.FirstSeen))
			for _, text := range []string{b.ID, b.Code, b.Subject, b.Merchant, b.OutTradeNo, b.TradeNo, b.RequestNo} {
				buf = append(appendLong(buf, uint64(len(text))), text...)
			}
			_, _ = hash.Write(buf)
		}
	}
	return fmt.Sprintf("%016x", hash.Sum64())
}

// What a run said of a break.
const (
	wasReported = 1
	wasClosed   = 2
)

func (d *Day) writeBreaks(w *written, h *head, globals *[][]byte) error {
	h.Columns[breakTable] = names(new(breakRows).fields())
	for i := range d.breaks {
		b := &d.breaks[i]
		*globals = append(*globals, breakKeys(b, w.gen, i)...)
	}
	for i := range d.closed {
		*globals = append(*globals, globalKey(breakKey, []byte(d.closed[i].ID), w.gen, append([]byte{wasClosed}, rowBytes(i)...)...))
	}
	if err := writeBreakPages(w, breakPages, d.breaks); err != nil {
		return err
	}
	return writeBreakPages(w, closedPages, d.closed)
}

// breakKeys are what a reported break is found by.
func breakKeys(b *Break, g generation, row int) [][]byte {
	keys := [][]byte{globalKey(breakKey, []byte(b.ID), g, append([]byte{wasReported}, rowBytes(row)...)...)}
	if b.Subject != "" {
		keys = append(keys, globalKey(subjectKey, hashed([]byte(b.Subject)), g, rowBytes(row)...))
	}
	return keys
}

func writeBreakPages(w *written, kind byte, breaks []Break) error {
	key := w.gen.key(kind)
	prefix := len(key)
	var p packer
	var out breakRows
	fields := out.fields()
	for from := 0; from < len(breaks); from += pageRows {
		resetFields(fields)
		for i := from; i < min(from+pageRows, len(breaks)); i++ {
			out.add(&breaks[i])
		}
		key = numbered(key[:prefix], from/pageRows)
		if err := w.table.set(key, p.page(nil, fields, out.ID.Len())); err != nil {
			return err
		}
	}
	return nil
}

// event is what a run said of a break: key is breakKey, id, generation, what, row.
type event struct {
	gen  generation
	what byte
	row  int
}

// eventLength is the length of what follows a break's id.
const eventLength = generationLength + 1 + 4

// events calls f with what the days before date said of a break, the earliest first,
// until it returns false.
func (s *Store) events(it *pebble.Iterator, id string, before, keep int32, f func(event) bool) error {
	return s.allEvents(it, id, func(e event) bool {
		return e.gen.Date >= before || int64(e.gen.Date) < int64(before)-int64(keep) || !s.counts(e.gen) || f(e)
	})
}

// allEvents calls f with what any run said of a break, whether it counts or not.
func (s *Store) allEvents(it *pebble.Iterator, id string, f func(event) bool) error {
	prefix := append([]byte{breakKey}, id...)
	for ok := it.SeekGE(prefix); ok; ok = it.Next() {
		key := it.Key()
		if len(key) < len(prefix) || string(key[:len(prefix)]) != string(prefix) {
			break
		}
		if len(key) != len(prefix)+eventLength {
			continue // of an id that begins with this one
		}
		rest := key[len(prefix):]
		e := event{gen: generationOf(rest), what: rest[generationLength]}
		e.row = rowOf(rest[generationLength+1:])
		if !f(e) {
			break
		}
	}
	return it.Error()
}

// FirstSeen are the earliest dates on which earlier days reported breaks; NoDate for
// those that they did not.
func (d *Day) FirstSeen(ids []string) ([]int32, error) {
	seen := make([]int32, len(ids))
	if d.s.db == nil {
		for i := range seen {
			seen[i] = NoDate
		}
		return seen, nil
	}
	order := make([]int, len(ids))
	for i := range ids {
		seen[i], order[i] = NoDate, i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ids[a], ids[b]) })
	return seen, d.s.guard(func() error { return d.firstSeen(ids, order, seen) })
}

func (d *Day) firstSeen(ids []string, order []int, seen []int32) error {
	it, err := d.s.iterator([]byte{breakKey}, []byte{breakKey + 1})
	if err != nil {
		return err
	}
	for _, i := range order {
		if err = d.s.firstReport(it, ids[i], d.date, d.keep, &seen[i]); err != nil {
			break
		}
	}
	return errors.Join(err, it.Close())
}

// firstReport sets the earliest date before one on which a break was reported, if
// there is any.
func (s *Store) firstReport(it *pebble.Iterator, id string, before, keep int32, first *int32) error {
	return s.events(it, id, before, keep, func(e event) bool {
		if e.what != wasReported {
			return true
		}
		*first = e.gen.Date
		return false
	})
}

// OpenBreaks are the breaks about these subjects that earlier days reported, and did
// not close since: sorted by id, each once, with the day that reported it last and
// FirstSeen. That they were asked for is noted.
func (d *Day) OpenBreaks(subjects []string) ([]Break, error) {
	if d.s.db == nil {
		return nil, nil
	}
	var hashes []int64
	for _, subject := range subjects {
		if subject != "" {
			hashes = append(hashes, subjectHash(subject))
		}
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	var found map[int64][]Break
	if err := d.s.guard(func() (err error) {
		found, err = d.s.openBreaks(d.date, d.keep, hashes)
		return err
	}); err != nil {
		return nil, err
	}
	var open []Break
	asked := make(map[int64]int64, len(hashes))
	for _, h := range hashes {
		asked[h] = digestOpen(found[h])
		for _, b := range found[h] {
			if slices.Contains(subjects, b.Subject) {
				open = append(open, b)
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.Copy(d.subjects, asked)
	return sortedBreaks(open), nil
}

func subjectHash(subject string) int64 { return int64(xxh3.HashString(subject)) }

// digestOpen is the digest of an answer of OpenBreaks; 0 for none.
func digestOpen(breaks []Break) int64 {
	if len(breaks) == 0 {
		return 0
	}
	hash := xxh3.New()
	for i := range breaks {
		_, _ = hash.Write(appendLong(nil, uint64(breaks[i].Day)))
	}
	_, _ = hash.WriteString(digestBreaks(breaks))
	return int64(hash.Sum64())
}

// openBreaks are the open breaks before a date, by the hash of their subject; hashes
// are sorted.
func (s *Store) openBreaks(date, keep int32, hashes []int64) (map[int64][]Break, error) {
	at, err := s.iterator([]byte{subjectKey}, []byte{subjectKey + 1})
	if err != nil {
		return nil, err
	}
	found := map[string]Break{}
	readers := map[generation]*breakReader{}
	var prefix []byte
	for _, h := range hashes {
		prefix = appendBig(append(prefix[:0], subjectKey), uint64(h))
		for ok := at.SeekGE(prefix); ok && bytes.HasPrefix(at.Key(), prefix); ok = at.Next() {
			rest := at.Key()[len(prefix):]
			g := generationOf(rest)
			if g.Date >= date || int64(g.Date) < int64(date)-int64(keep) || !s.counts(g) {
				continue
			}
			r := readers[g]
			if r == nil {
				r = &breakReader{rows: s.rows(g, nil), kind: breakPages, page: -1}
				readers[g] = r
			}
			b, err := r.read(rowOf(rest[generationLength:]))
			if err != nil {
				return nil, errors.Join(err, at.Close())
			}
			found[b.ID] = b
		}
	}
	if err := errors.Join(at.Error(), at.Close()); err != nil {
		return nil, err
	}
	return s.stillOpen(date, keep, found)
}

// stillOpen leaves out what a day before date closed.
func (s *Store) stillOpen(date, keep int32, found map[string]Break) (map[int64][]Break, error) {
	it, err := s.iterator([]byte{breakKey}, []byte{breakKey + 1})
	if err != nil {
		return nil, err
	}
	open := map[int64][]Break{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		b := found[id]
		closed := false
		b.FirstSeen = NoDate
		if err = s.events(it, id, date, keep, func(e event) bool {
			if closed = e.what == wasClosed; !closed {
				b.Day = e.gen.Date
				if b.FirstSeen == NoDate {
					b.FirstSeen = e.gen.Date
				}
			}
			return true
		}); err != nil {
			break
		}
		if !closed {
			h := subjectHash(b.Subject)
			open[h] = append(open[h], b)
		}
	}
	return open, errors.Join(err, it.Close())
}

// Replaced are the breaks that the outputs of this run are compared with, to say
// which are gone: those of the revision that it replaces. A run that the state has
// already (Prepare would say unchanged) is compared with what it was compared with
// then, so that it says the same again. It is called when all look-ups are made, with
// the run as Prepare gets it.
func (d *Day) Replaced(run Run) ([]Break, error) {
	now := d.s.day(d.date)
	if now == nil {
		return nil, nil
	}
	d.complete(&run)
	same, err := d.same(now, &run)
	if err != nil {
		return nil, err
	}
	g := generation{d.date, now.Gen}
	if same {
		if now.Previous == 0 {
			return nil, nil
		}
		g.Gen = now.PreviousGen
	}
	return d.s.breaksOf(g, breakPages)
}

// breaksOf are all breaks of a kind that a generation has.
func (s *Store) breaksOf(g generation, kind byte) (all []Break, err error) {
	err = s.guard(func() (err error) {
		all, err = s.rows(g, nil).breaks(kind)
		return err
	})
	return all, err
}

// A breakReader reads single breaks of a generation.
type breakReader struct {
	rows *rows
	kind byte
	page int // that is held
	held breakRows
}

func (r *breakReader) read(row int) (Break, error) {
	if number := row / pageRows; number != r.page {
		resetFields(r.held.fields())
		if err := r.rows.page(numbered(r.rows.gen.key(r.kind), number), breakTable, r.held.fields()); err != nil {
			return Break{}, err
		}
		r.page = number
	}
	if row%pageRows >= r.held.ID.Len() {
		return Break{}, r.rows.damaged("break %d", row)
	}
	return r.held.at(row%pageRows, r.rows.gen.Date), nil
}

// breaks are all breaks of a kind, by id.
func (r *rows) breaks(kind byte) ([]Break, error) {
	var all []Break
	err := r.each(kind, func(_ []byte, value []byte) error {
		var held breakRows
		if err := r.unpack(value, breakTable, held.fields()); err != nil {
			return err
		}
		for i := range held.ID.Len() {
			all = append(all, held.at(i, r.gen.Date))
		}
		return nil
	})
	return all, err
}
