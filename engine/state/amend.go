package state

import (
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// ErrFull is why a run cannot be an amendment: the revision that it would amend does
// not say enough, or its clean parts might be judged otherwise now, or it has been
// amended so often that reading it is slow. The run is to be made in full.
var ErrFull = errors.New("state: the day cannot be amended")

const (
	// mostOverlays are in a chain: each is one more place to look in.
	mostOverlays = 4
	// mostParts is the number of parts that there can be.
	mostParts = 1 << 16
)

// An amendment is what a run keeps of the revision that it replaces.
type amendment struct {
	base  *pointer
	dirty partSet
	kept  byPart // tallies of what is kept
}

// Amending begins a run that will amend the date's current revision: Amend says which
// parts when the rows are routed. It comes first.
func (d *Day) Amending() error {
	if err := d.check(); err != nil {
		return err
	}
	if d.asked.routed != nil || len(d.all) > 0 {
		return errors.New("state: amended after rows were kept or looked up")
	}
	p := d.s.day(d.date)
	if p == nil {
		return fmt.Errorf("%w: %s: it has no run", ErrFull, DateText(d.date))
	}
	d.amending = true
	return d.s.guard(func() (err error) {
		d.asked.routed, err = d.s.chain(d.date, p.layers(), d.words).routed()
		return err
	})
}

// Amend has the run replace the rows of some parts alone: dirty is by the number of the
// part. All other trades, refunds and look-ups stay those of the date's current
// revision, as do the look-ups that it made while rows were routed; Keep and Find then
// take dirty parts alone. What is no part's is handed over for the whole day as ever.
//
// It comes before Keep and Find, but for look-ups that are made while rows are routed
// after Amending. After an error that is ErrFull nothing has changed, and the run can be
// made in full; after Amending with another Day.
func (d *Day) Amend(dirty []bool) error {
	if err := d.check(); err != nil {
		return err
	}
	for part := range d.asked.tallies {
		if part != routingPart {
			return errors.New("state: amended after rows were looked up")
		}
	}
	if d.amended != nil || len(d.all) > 0 {
		return errors.New("state: amended after rows were kept")
	}
	began := d.amending
	if !began {
		if err := d.Amending(); err != nil {
			return err
		}
	}
	err := d.s.guard(func() error { return d.amend(dirty) })
	if err != nil && !began { // a run in full may go on
		d.amending, d.asked.routed = false, nil
	}
	return err
}

func (d *Day) amend(dirty []bool) error {
	full := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrFull, DateText(d.date), fmt.Sprintf(format, args...))
	}
	p := d.s.day(d.date)
	switch {
	case p == nil:
		return full("it has no run")
	case p.Stale || p.Doubt || len(p.Differ) > 0:
		return full("an earlier day has changed since")
	case p.CarryFrom != d.carry.from || p.CarryIn != d.carry.digest:
		return full("it takes other carried rows now")
	case len(p.Below) >= mostOverlays:
		return full("it has been amended %d times", len(p.Below))
	case len(dirty) > mostParts:
		return full("it has %d parts", len(dirty))
	}
	set := newPartSet(dirty)
	a := &amendment{base: p, dirty: set, kept: byPart{}}
	c := d.s.chain(d.date, p.layers(), d.words)
	base := c.layers[len(c.layers)-1]
	again, overlaid := int64(0), int64(0)
	for _, r := range c.layers {
		all, err := r.tallies()
		if err != nil {
			return err
		}
		if all == nil {
			return full("it was written by an older version")
		}
		if err := r.open(); err != nil {
			return err
		}
		if r != base {
			overlaid += r.head.Trades
		}
		for part, t := range all {
			if set.has(int64(part)) && r.counts(int64(part)) {
				again += t.trades.rows()
			}
		}
		a.kept.add(all, func(part int64) bool { return r.counts(part) && !set.has(part) })
	}
	if (overlaid+again)*2 > base.head.Trades {
		return full("%d of its %d trades would be written again", overlaid+again, base.head.Trades)
	}
	d.amended = a
	return nil
}

// takes reports whether rows of a part are the run's to keep.
func (d *Day) takes(part int) error {
	switch {
	case part < -1 || part >= mostParts:
		return fmt.Errorf("state: part %d: there are at most %d", part, mostParts)
	case part >= 0 && d.amended != nil && !d.amended.dirty.has(int64(part)):
		return fmt.Errorf("state: part %d is kept as it was, and has other rows now", part)
	}
	return nil
}

// counted are the tallies of what the run itself has.
func (d *Day) counted() byPart {
	all := byPart{}
	for _, g := range d.all {
		all.add(g.tallies, everyPart)
	}
	d.asked.mu.Lock()
	defer d.asked.mu.Unlock()
	all.add(d.asked.tallies, everyPart)
	return all
}

// revised is the total of the revision: of what the run has, and what it keeps.
func (d *Day) revised() *partTally {
	sum := d.counted().total()
	if d.amended != nil {
		sum.merge(d.amended.kept.total())
	}
	return sum
}

// routed are the hashes of the look-ups that were made while rows were routed, with
// their answers.
func (c *chain) routed() (map[uint64]bool, error) {
	hashes := map[uint64]bool{}
	var buf []byte
	for _, r := range c.layers {
		if err := r.dictionary(); err != nil {
			return nil, err
		}
		for _, sum := range r.head.ScanSums {
			hashes[sum] = true
		}
		err := r.each(askedPages, func(_, value []byte) error {
			var p askedPage
			var in page
			if err := in.open(value); err != nil {
				return r.explain(err, askedTable+": ")
			}
			part, err := r.partOf(&in)
			if err != nil || part != routingPart {
				return err
			}
			if err := r.unpack(value, askedTable, p.fields()); err != nil {
				return err
			}
			for i, merchant := range p.Merchant {
				if int(merchant) >= len(r.texts) {
					return r.damaged("word %d is missing", merchant)
				}
				wanted := schema.Wanted{OutTradeNo: p.OutTradeNo, TradeNo: p.TradeNo, Time: p.Time}
				var h uint64
				h, buf = askedHash(buf, &wanted, i, r.texts[merchant], uint64(p.Answer[i]))
				hashes[h] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// askedHash is the hash of a look-up with its answer; the buffer is reused.
func askedHash(buf []byte, wanted *schema.Wanted, i int, merchant string, answer uint64) (uint64, []byte) {
	buf = appendLong(buf[:0], answer)
	buf = appendLong(buf, uint64(wanted.Time[i]))
	buf = append(append(buf, merchant...), 0)
	buf = append(append(buf, wanted.OutTradeNo.At(i)...), 0)
	buf = append(buf, wanted.TradeNo.At(i)...)
	return xxh3.Hash(buf), buf
}
