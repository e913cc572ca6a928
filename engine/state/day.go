package state

import (
	"errors"
	"fmt"
	"sync"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Day is the run of one business date, between Begin and Commit or Discard: what
// it sees of earlier days, and what it leaves to later ones. It is engine.History.
type Day struct {
	s     *Store
	date  int32
	words *schema.Words
	keep  int32 // days of history

	earlier []*chain // of the days that the run sees, in their order
	carry   *carriedIn
	amended *amendment // nil: the run is a full one
	// amending: Amend is to come, and the look-ups of routing are known.
	amending bool

	paid, ordered []engine.Span             // when the trades of these days were
	judged        map[engine.Coverage]int32 // what their statements covered: the latest of them
	covered       []engine.Coverage         // by the run's own statements

	dict  *dictionary
	shelf *shelf
	mu    sync.Mutex
	idle  []*gatherer
	all   []*gatherer
	asked askedRows

	breaks, closed []Break
	subjects       map[int64]int64 // hashes of those that were asked for: digests of the answers
	carried        *carriedOut

	written *written // from Prepare on
	done    bool
}

var _ engine.History = (*Day)(nil)

// A gatherer takes parts; it is for one goroutine at a time.
type gatherer struct {
	trades  *collector[*tradeRows]
	refunds *collector[*refundRows]
	words   translation
	tallies byPart
	times   [timeColumns]timeline
}

// Begin begins the run of a date. It sees the days before it, historyDays of them at
// most, in the words of the run.
func (s *Store) Begin(date int32, words *schema.Words, historyDays int) (*Day, error) {
	d := &Day{
		s: s, date: date, words: words, keep: int32(max(historyDays, 0)),
		subjects: map[int64]int64{}, dict: newDictionary(), shelf: &shelf{dir: s.temp, most: inMemory},
	}
	d.earlier = s.before(date, d.keep, words)
	if err := s.guard(d.takeCarried); err != nil {
		return nil, err
	}
	if err := s.guard(d.takeTimes); err != nil {
		return nil, err
	}
	if err := s.guard(d.takeCovered); err != nil {
		return nil, err
	}
	return d, nil
}

// CarriedFrom is the date that left the carried rows, NoDate for none.
func (d *Day) CarriedFrom() int32 { return d.carry.from }

// BillDays are the earlier days whose runs had bills, in their order.
func (d *Day) BillDays() []int32 {
	var days []int32
	for _, c := range d.earlier {
		if p := d.s.day(c.date); p != nil && p.Bills {
			days = append(days, c.date)
		}
	}
	return days
}

func (d *Day) gatherer() *gatherer {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		g := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return g
	}
	g := &gatherer{
		trades:  newCollector(&trades, d.shelf, d.dict),
		refunds: newCollector(&refunds, d.shelf, d.dict),
		words:   translation{from: d.words, to: d.dict},
		tallies: byPart{},
	}
	d.all = append(d.all, g)
	return g
}

func (d *Day) release(g *gatherer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, g)
}

// Keep takes the trades and refunds of a part, by its number: Of in returned is a row
// of settled. It borrows both, and is safe for concurrent use.
func (d *Day) Keep(part int, settled *schema.Settled, returned *schema.Returned) error {
	if part < 0 {
		return fmt.Errorf("state: part %d", part)
	}
	if err := d.takes(part); err != nil {
		return err
	}
	g := d.gatherer()
	defer d.release(g)
	if err := g.keepTrades(part, settled); err != nil {
		return err
	}
	return g.keepRefunds(part, settled, returned)
}

var errStatus = errors.New("state: a trade or refund without a status that is settled")

func settledStatus(status uint8) bool {
	return status != 0 && status <= uint8(rules.StatusPOSOnly) && rules.Status(status) != rules.StatusPending
}

func (g *gatherer) keepTrades(part int, settled *schema.Settled) error {
	c := g.trades
	tally := &g.tallies.of(int32(part)).trades
	from := c.rows.Len()
	g.add(c.from, trades.fields(settled), from)
	var ref []byte
	for i := range settled.Len() {
		if !settledStatus(settled.Status[i]) {
			return errStatus
		}
		tally.add(settled.Status[i], settled.PosAmount[i], settled.BillAmount[i])
		if rules.Status(settled.Status[i]) != rules.StatusDuplicate {
			g.times[paidTimes].add(settled.BillTime[i])
			g.times[orderedTimes].add(settled.OrderTime[i])
		}
		ref = appendRef(ref[:0], g.words.text(settled.Merchant[i]), settled.OutTradeNo.At(i), settled.TradeNo.At(i))
		c.rows.Ref.Append(ref)
		c.rows.Part = append(c.rows.Part, int32(part))
	}
	return c.full()
}

func (g *gatherer) keepRefunds(part int, settled *schema.Settled, returned *schema.Returned) error {
	c := g.refunds
	tally := &g.tallies.of(int32(part)).refunds
	from := c.rows.Len()
	g.add(c.from, refunds.fields(returned), from)
	var ref []byte
	for i := range returned.Len() {
		if !settledStatus(returned.Status[i]) {
			return errStatus
		}
		tally.add(returned.Status[i], returned.PosAmount[i], returned.BillAmount[i])
		g.times[returnedTimes].add(returned.Time[i])
		ref = ref[:0]
		switch of := returned.Of[i]; {
		case of >= 0:
			ref = appendRef(ref, g.words.text(settled.Merchant[of]), settled.OutTradeNo.At(int(of)), settled.TradeNo.At(int(of)))
			c.rows.Of[from+i] = 0
		case returned.Ref.Len() > i && len(returned.Ref.At(i)) > 0:
			ref = append(ref, returned.Ref.At(i)...)
		default:
			ref = appendRef(ref, g.words.text(returned.Merchant[i]), returned.OutTradeNo.At(i), returned.TradeNo.At(i))
		}
		c.rows.Ref.Append(ref)
		c.rows.Part = append(c.rows.Part, int32(part))
	}
	return c.full()
}

// add adds all columns but ref and part, and puts words, which are the columns of uint32, into
// the day's own codes.
func (g *gatherer) add(to, from []schema.Field, at int) {
	for k, f := range to {
		if f.Name == "ref" || f.Name == partColumn {
			continue
		}
		appendAll(to[k:k+1], from[k:k+1])
		if codes, ok := f.Data.(*[]uint32); ok {
			g.words.translate((*codes)[at:])
		}
	}
}

// Discard ends a run that leaves nothing. After Commit it does nothing.
func (d *Day) Discard() error {
	if d.done {
		return nil
	}
	d.done = true
	err := d.shelf.close()
	if d.written != nil && d.written.table != nil {
		err = errors.Join(err, d.written.table.remove())
	}
	return err
}

// KeepBreaks takes the breaks that the run reported, and those of earlier days that
// it closed. It owns both.
func (d *Day) KeepBreaks(reported, closed []Break) {
	d.breaks, d.closed = sortedBreaks(reported), sortedBreaks(closed)
}

func (d *Day) check() error {
	if d.done {
		return fmt.Errorf("state: the run of %s has ended", DateText(d.date))
	}
	return nil
}
