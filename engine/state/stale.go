package state

import (
	"errors"
	"maps"
	"slices"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// later finds the dates after this one whose runs would now be told something else:
// other carried rows, another answer to a look-up, another age of a break, or another
// break to close. before is what the date had, nil for nothing. marked are the pointers
// that say something else of their date than before.
func (d *Day) later(before *pointer) (later []int32, marked map[int32]*pointer, err error) {
	now := d.s.chain(d.date, d.s.day(d.date).layers(), d.words)
	var was *chain
	if before != nil {
		was = d.s.chain(d.date, before.layers(), d.words)
	}
	dates := slices.DeleteFunc(d.s.dates(), func(date int32) bool {
		return date <= d.date || int64(date)-int64(d.keep) > int64(d.date)
	})
	marked = map[int32]*pointer{}
	if len(dates) == 0 {
		return nil, marked, nil
	}
	for _, date := range dates { // unless it is found out
		p := *d.s.day(date)
		p.Doubt, p.Differ = true, nil
		marked[date] = &p
	}
	change, err := changeOf(was, now)
	if err == nil {
		err = d.reported(change)
	}
	if err != nil {
		return nil, marked, err
	}
	for _, date := range dates {
		p := *d.s.day(date)
		stale, err := d.stale(date, &p, change)
		if err != nil {
			return later, marked, err
		}
		marked[date] = &p
		if stale {
			p.Stale = true
			later = append(later, date)
		}
		if old := d.s.day(date); p.Stale == old.Stale && p.Doubt == old.Doubt && p.Breaking == old.Breaking && slices.Equal(p.Differ, old.Differ) {
			delete(marked, date)
		}
	}
	return later, marked, nil
}

// A change is what differs between two revisions of a date.
type change struct {
	was, now *chain          // was is nil for nothing
	breaks   map[string]bool // ids that only one of the two reported
	again    map[int32][]int // by later date: where its run reported such a break
	subjects map[int64]bool  // hashes, of breaks that were reported or closed otherwise
	rows     *changed        // trades and refunds that only one of the two has

	covered map[engine.Coverage]bool // by the statements of one of the two; later days that cover it are done with
}

func changeOf(was, now *chain) (*change, error) {
	c := &change{was: was, now: now, breaks: map[string]bool{}, subjects: map[int64]bool{}}
	if err := c.findBreaks(); err != nil {
		return nil, err
	}
	if err := c.findCovered(); err != nil {
		return c, err
	}
	var err error
	c.rows, err = changedRows(was, now)
	return c, err
}

// findBreaks compares the breaks of the two.
func (c *change) findBreaks() error {
	type said struct {
		digest  string
		subject int64
	}
	for _, kind := range []byte{breakPages, closedPages} {
		var lists [2]map[string]said
		for k, of := range []*chain{c.was, c.now} {
			lists[k] = map[string]said{}
			if of == nil {
				continue
			}
			breaks, err := of.newest().breaks(kind)
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

// reported finds where later days reported the breaks that only one of the two
// revisions did.
func (d *Day) reported(c *change) error {
	if len(c.breaks) == 0 {
		return nil
	}
	it, err := d.s.iterator([]byte{breakKey}, []byte{breakKey + 1})
	if err != nil {
		return err
	}
	c.again = map[int32][]int{}
	for _, id := range slices.Sorted(maps.Keys(c.breaks)) {
		if err = d.s.allEvents(it, id, func(e event) bool {
			if e.what == wasReported && e.gen.Date > d.date && d.s.counts(e.gen) {
				c.again[e.gen.Date] = append(c.again[e.gen.Date], e.row)
			}
			return true
		}); err != nil {
			break
		}
	}
	for _, again := range c.again {
		slices.Sort(again)
	}
	return errors.Join(err, it.Close())
}

// stale reports whether a change makes a later run another, and notes in its pointer
// which of its look-ups would be answered otherwise.
func (d *Day) stale(date int32, p *pointer, c *change) (bool, error) {
	from, digest := d.s.carriedTo(date, d.keep)
	r := d.s.chain(date, p.layers(), d.words)
	stale, err := c.staleCovered(r)
	if err != nil {
		return false, err
	}
	stale = stale || from != p.CarryFrom || digest != p.CarryIn
	other, err := d.staleBreaks(r.newest(), c, p.Doubt || p.Breaking)
	if err != nil {
		return false, err
	}
	p.Breaking = other
	if err := d.staleAnswers(r, p, c.rows.keys); err != nil {
		return false, err
	}
	stale = stale || other || p.Doubt || len(p.Differ) > 0
	if !stale {
		stale, err = d.staleTimes(r, c)
	}
	if !stale && err == nil {
		stale, err = c.staleScan(r)
	}
	return stale, err
}

// staleTimes: the run would ask for pairs that it did not ask for, because another
// run has trades of their time now. Of a layer the times of all rows are known, so that
// a chain may seem to have more than it has.
func (d *Day) staleTimes(r *chain, c *change) (bool, error) {
	for _, column := range []int{paidTimes, orderedTimes} {
		var spans [3][]engine.Span
		for k, of := range []*chain{r, c.now, c.was} {
			if of == nil {
				continue
			}
			var err error
			if spans[k], err = timesOfDays([]*chain{of}, column); err != nil {
				return false, err
			}
		}
		if touches(spans[0], without(spans[1], spans[2])) {
			return true, nil
		}
	}
	return false, nil
}

// staleScan: the run scanned days of which the two have other rows.
func (c *change) staleScan(of *chain) (bool, error) {
	for _, r := range of.layers {
		if err := r.open(); err != nil {
			return false, err
		}
		if slices.ContainsFunc(r.head.Scanned, func(day int32) bool { return c.rows.days[day] }) {
			return true, nil
		}
	}
	return false, nil
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
// another break is open about what it asked for. all: look at more than what the
// change has to do with.
func (d *Day) staleBreaks(r *rows, c *change, all bool) (bool, error) { //nolint:revive // flag-parameter: how much is looked at
	if stale, err := d.staleAges(r, c.again[r.gen.Date], all); stale || err != nil {
		return stale, err
	}
	if len(c.subjects) == 0 && !all {
		return false, nil
	}
	asked := map[int64]int64{}
	err := r.each(subjectPages, func(_, value []byte) error {
		hashes, answers, err := unpackSubjects(value)
		for i, h := range hashes {
			if all || c.subjects[h] {
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

// staleAges compares when breaks that the run reported were first seen with what it
// was told: those of some rows, or all.
func (d *Day) staleAges(r *rows, again []int, all bool) (bool, error) { //nolint:revive // flag-parameter: how much is looked at
	if all {
		if err := r.open(); err != nil {
			return false, err
		}
		again = again[:0:0]
		for row := range r.head.Breaks {
			again = append(again, row)
		}
	}
	if len(again) == 0 {
		return false, nil
	}
	it, err := d.s.iterator([]byte{breakKey}, []byte{breakKey + 1})
	if err != nil {
		return false, err
	}
	stale := false
	breaks := &breakReader{rows: r, kind: breakPages, page: -1}
	for _, row := range again {
		var b Break
		if b, err = breaks.read(row); err != nil {
			break
		}
		told := b.FirstSeen
		if told == r.gen.Date { // that is, by no earlier day
			told = NoDate
		}
		first := int32(NoDate)
		if err = d.s.firstReport(it, b.ID, r.gen.Date, d.keep, &first); err != nil || first != told {
			stale = err == nil
			break
		}
	}
	return stale, errors.Join(err, it.Close())
}

// mostDiffer are noted of look-ups that would be answered otherwise; where there are
// more, all are asked the next time.
const mostDiffer = 1000

// staleAnswers asks again what the run asked, as far as the answer hangs on a row that
// has changed, or was another already; all if that is in doubt.
func (d *Day) staleAnswers(c *chain, p *pointer, changed *keySet) error {
	if changed.empty() && !p.Doubt && len(p.Differ) == 0 {
		return nil
	}
	a := &askAgain{all: p.Doubt, were: p.Differ, changed: changed}
	var days []*chain
	var differ []int32
	from := int32(0) // number of the first look-up of a page, in the order of the layers
	for _, r := range c.layers {
		if err := r.open(); err != nil {
			return err
		}
		if err := r.each(askedPages, func(_, value []byte) error {
			picked, n, err := a.pick(r, value, from)
			from += n
			if err != nil || len(picked) == 0 {
				return err
			}
			if days == nil {
				days = d.s.before(c.date, d.keep, d.words)
			}
			wanted, answers, err := r.questions(value, picked)
			if err != nil {
				return err
			}
			f := &finder{s: d.s, days: days, words: d.words, wanted: wanted}
			now, err := f.find(&schema.Settled{}, &schema.Returned{})
			for i := range now {
				if now[i].digest != uint64(answers[i]) {
					differ = append(differ, from-n+picked[i])
				}
			}
			return err
		}); err != nil {
			return err
		}
	}
	p.Doubt, p.Differ = false, differ
	if len(differ) > mostDiffer {
		p.Doubt, p.Differ = true, nil
	}
	return nil
}

// askAgain picks the look-ups of a run that are asked again.
type askAgain struct {
	all     bool
	were    []int32 // that were answered otherwise before, sorted
	changed *keySet
	page    page      // reused
	asked   askedPage // reused
}

// pick gives the rows of a page, which begins with look-up number from, and how many it
// has. A page that was written without keys is asked whole, one of a part that was
// replaced not at all.
func (a *askAgain) pick(r *rows, value []byte, from int32) (picked []int32, n int32, err error) {
	err = a.page.open(value)
	if err == nil && len(a.page.columns) != len(r.head.Columns[askedTable]) {
		err = errPage
	}
	n = int32(a.page.rows)
	fields, at := a.asked.fields(), r.at[askedTable]
	if err == nil {
		part, err := r.partOf(&a.page)
		if err != nil || !r.counts(part) {
			return nil, n, err
		}
	}
	key := slices.IndexFunc(fields, func(f schema.Field) bool { return f.Name == keyColumns[0] })
	resetFields(fields)
	if err == nil && (a.all || at[key] < 0) {
		return rowsFrom(0, int(n)), n, nil
	}
	if err == nil {
		err = a.page.appendTo(fields[key:], at[key:])
	}
	if err != nil {
		return nil, n, r.explain(err, askedTable+": ")
	}
	for i := range n {
		if len(a.were) > 0 && a.were[0] == from+i {
			a.were = a.were[1:]
			picked = append(picked, i)
			continue
		}
		for k := range a.asked.Keys {
			if h := a.asked.Keys[k][i]; h != 0 && a.changed.has(uint32(h)) {
				picked = append(picked, i)
				break
			}
		}
	}
	return picked, n, nil
}

// questions are some of a page, and the digests of their answers.
func (r *rows) questions(value []byte, picked []int32) (*schema.Wanted, []int64, error) {
	if err := r.dictionary(); err != nil {
		return nil, nil, err
	}
	var p, some askedPage
	if err := r.unpack(value, askedTable, p.fields()); err != nil {
		return nil, nil, err
	}
	appendPicked(some.fields(), p.fields(), picked)
	err := r.recode(some.Merchant)
	return &schema.Wanted{Merchant: some.Merchant, OutTradeNo: some.OutTradeNo, TradeNo: some.TradeNo, Time: some.Time}, some.Answer, err
}

// before are the current rows of the days that a run of a date sees.
func (s *Store) before(date, keep int32, words *schema.Words) []*chain {
	var days []*chain
	for _, earlier := range s.dates() {
		if earlier < date && int64(earlier) >= int64(date)-int64(keep) {
			days = append(days, s.chain(earlier, s.day(earlier).layers(), words))
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
