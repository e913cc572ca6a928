package state

import (
	"maps"
	"slices"

	"duizhang/engine/schema"
)

// later finds the dates after this one whose runs would now be told something else:
// other carried rows, another answer to a look-up, another age of a break, or another
// break to close. before is what the date had, nil for nothing.
func (d *Day) later(before *pointer) ([]int32, error) {
	now := d.s.rows(generation{d.date, d.s.day(d.date).Gen}, d.words)
	var was *rows
	if before != nil {
		was = d.s.rows(generation{d.date, before.Gen}, d.words)
	}
	change, err := changeOf(was, now)
	if err != nil {
		return nil, err
	}
	var later []int32
	for _, date := range d.s.dates() {
		if date <= d.date || int64(date)-int64(d.keep) > int64(d.date) {
			continue
		}
		stale, err := d.stale(date, change)
		if err != nil {
			return later, err
		}
		if stale {
			later = append(later, date)
		}
	}
	return later, nil
}

// A change is what differs between two revisions of a date.
type change struct {
	was, now *rows           // was is nil for nothing
	breaks   map[string]bool // ids that only one of the two reported
	subjects map[int64]bool  // hashes, of breaks that were reported or closed otherwise
}

func changeOf(was, now *rows) (*change, error) {
	c := &change{was: was, now: now, breaks: map[string]bool{}, subjects: map[int64]bool{}}
	return c, c.findBreaks()
}

// findBreaks compares the breaks of the two.
func (c *change) findBreaks() error {
	type said struct {
		digest  string
		subject int64
	}
	for _, kind := range []byte{breakPages, closedPages} {
		var lists [2]map[string]said
		for k, r := range []*rows{c.was, c.now} {
			lists[k] = map[string]said{}
			if r == nil {
				continue
			}
			breaks, err := r.breaks(kind)
			if err != nil {
				return err
			}
			for i := range breaks {
				lists[k][breaks[i].ID] = said{digestBreaks(breaks[i : i+1]), subjectHash(breaks[i].Subject)}
			}
		}
		for k, list := range lists {
			for id, one := range list {
				other, both := lists[1-k][id]
				if both && one == other {
					continue
				}
				c.subjects[one.subject] = true
				if !both && kind == breakPages {
					c.breaks[id] = true
				}
			}
		}
	}
	return nil
}

// stale reports whether a change makes a later run another.
func (d *Day) stale(date int32, c *change) (bool, error) {
	p := d.s.day(date)
	if from, digest := d.s.carriedTo(date, d.keep); from != p.CarryFrom || digest != p.CarryIn {
		return true, nil
	}
	r := d.s.rows(generation{date, p.Gen}, d.words)
	if err := r.dictionary(); err != nil {
		return false, err
	}
	if stale, err := d.staleBreaks(r, c); stale || err != nil {
		return stale, err
	}
	return d.staleAnswers(r)
}

// carriedTo are the date whose carried rows a run of a date takes, and their digest.
func (s *Store) carriedTo(date, keep int32) (from int32, digest string) {
	from = NoDate
	for _, earlier := range s.dates() {
		if earlier < date && int64(earlier) >= int64(date)-int64(keep) {
			from = earlier
		}
	}
	if from != NoDate {
		digest = s.day(from).CarryOut
	}
	return from, digest
}

// staleBreaks: a break that the run reported was first seen on another day, or
// another break is open about what it asked for.
func (d *Day) staleBreaks(r *rows, c *change) (bool, error) {
	if len(c.breaks) > 0 {
		breaks, err := r.breaks(breakPages)
		if err != nil {
			return false, err
		}
		for i := range breaks {
			first := breaks[i].FirstSeen
			if c.breaks[breaks[i].ID] && (first == NoDate || first >= d.date) {
				return true, nil
			}
		}
	}
	if len(c.subjects) == 0 {
		return false, nil
	}
	asked := map[int64]int64{}
	err := r.each(subjectPages, func(_, value []byte) error {
		hashes, answers, err := unpackSubjects(value)
		for i, h := range hashes {
			if c.subjects[h] {
				asked[h] = answers[i]
			}
		}
		return err
	})
	if err != nil {
		return false, err
	}
	open, err := d.s.openBreaks(r.gen.Date, d.keep, slices.Sorted(maps.Keys(asked)))
	for h, answer := range asked {
		if digestOpen(open[h]) != answer {
			return true, err
		}
	}
	return false, err
}

// staleAnswers asks again what the run asked: all of it, for an answer may hang on a
// trade that another day has, under a number that the look-up did not name.
func (d *Day) staleAnswers(r *rows) (bool, error) {
	stale := false
	var days []*rows
	err := r.each(askedPages, func(_, value []byte) error {
		if stale {
			return nil
		}
		var p askedPage
		if err := r.unpack(value, askedTable, p.fields()); err != nil {
			return err
		}
		if err := r.recode(p.Merchant); err != nil {
			return err
		}
		wanted := schema.Wanted{Merchant: p.Merchant, OutTradeNo: p.OutTradeNo, TradeNo: p.TradeNo, Time: p.Time}
		if wanted.Len() == 0 {
			return nil
		}
		if days == nil {
			days = d.s.before(r.gen.Date, d.keep, d.words)
		}
		now, err := answer(d, &wanted, days)
		for i := range now {
			stale = stale || now[i] != uint64(p.Answer[i])
		}
		return err
	})
	return stale, err
}

func answer(d *Day, wanted *schema.Wanted, days []*rows) ([]uint64, error) {
	f := &finder{s: d.s, days: days, words: d.words, wanted: wanted}
	return f.find(&schema.Settled{}, &schema.Returned{})
}

// before are the current rows of the days that a run of a date sees.
func (s *Store) before(date, keep int32, words *schema.Words) []*rows {
	var days []*rows
	for _, earlier := range s.dates() {
		if earlier < date && int64(earlier) >= int64(date)-int64(keep) {
			days = append(days, s.rows(generation{earlier, s.day(earlier).Gen}, words))
		}
	}
	return days
}

// unpackSubjects reads a page of what was asked for open breaks about: hashes, and
// digests of the answers.
func unpackSubjects(value []byte) (hashes, answers []int64, err error) {
	var p page
	if err := p.open(value); err != nil {
		return nil, nil, err
	}
	if len(p.columns) != 2 {
		return nil, nil, errPage
	}
	err = p.appendTo(subjectFields(&hashes, &answers), []int{0, 1})
	return hashes, answers, err
}

func subjectFields(hashes, answers *[]int64) []schema.Field {
	return []schema.Field{{Name: "subject", Data: hashes}, {Name: "answer", Data: answers}}
}

func (d *Day) writeSubjects(w *written, _ *head) error {
	key := w.gen.key(subjectPages)
	prefix := len(key)
	var packer packer
	var hashes, answers []int64
	for pages, all := 0, slices.Sorted(maps.Keys(d.subjects)); len(all) > 0; pages++ {
		hashes = all[:min(indexRows, len(all))]
		all = all[len(hashes):]
		answers = answers[:0]
		for _, h := range hashes {
			answers = append(answers, d.subjects[h])
		}
		key = numbered(key[:prefix], pages)
		if err := w.table.set(key, packer.page(nil, subjectFields(&hashes, &answers), len(hashes))); err != nil {
			return err
		}
	}
	return nil
}
