package state

import (
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"

	"duizhang/engine"
)

// KeepCovered takes what the statements of the run cover, sorted. It owns it.
func (d *Day) KeepCovered(covered []engine.Coverage) { d.covered = covered }

// Covered is engine.History. A run asks for what its own statements cover.
func (d *Day) Covered(c engine.Coverage) (date int32, ok bool) {
	date, ok = d.judged[c]
	return date, ok
}

// takeCovered finds the latest day that covered what earlier days did.
func (d *Day) takeCovered() error {
	d.judged = map[engine.Coverage]int32{}
	for _, c := range d.earlier {
		covered, err := c.covered()
		if err != nil {
			return err
		}
		for _, one := range covered {
			d.judged[one] = c.date
		}
	}
	return nil
}

// covered is what the statements of the revision cover: the newest layer says it for
// all.
func (c *chain) covered() ([]engine.Coverage, error) {
	if c == nil {
		return nil, nil
	}
	r := c.newest()
	if err := r.open(); err != nil {
		return nil, err
	}
	return r.head.Covered, nil
}

// askedCovered has what the run was told of its statements count as look-ups do.
func (d *Day) askedCovered() {
	d.asked.mu.Lock()
	defer d.asked.mu.Unlock()
	for _, one := range d.covered {
		date, ok := d.judged[one]
		if !ok {
			continue
		}
		buf := binary.BigEndian.AppendUint32([]byte("covered"), uint32(date))
		for _, text := range [...]string{one.Provider, one.Product, one.Period} {
			buf = append(append(buf, text...), 0)
		}
		d.asked.addSum(xxh3.Hash(buf))
	}
}

// findCovered compares what the statements of the two cover.
func (c *change) findCovered() error {
	was, err := c.was.covered()
	if err != nil {
		return err
	}
	now, err := c.now.covered()
	c.covered = map[engine.Coverage]bool{}
	for _, lists := range [...][2][]engine.Coverage{{was, now}, {now, was}} {
		for _, one := range lists[0] {
			if !slices.Contains(lists[1], one) {
				c.covered[one] = true
			}
		}
	}
	return err
}

// staleCovered: the run has statements for what the two cover otherwise. Of several
// such days, which are asked in their order, the first is the latest for those after it.
func (c *change) staleCovered(of *chain) (stale bool, err error) {
	if len(c.covered) == 0 {
		return false, nil
	}
	covered, err := of.covered()
	for _, one := range covered {
		stale = stale || c.covered[one]
		delete(c.covered, one)
	}
	return stale, err
}
