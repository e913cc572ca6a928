package diff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// Runs of a Comparer.
const (
	First  = 0
	Second = 1
)

// A Table is one of the two that have units.
type Table uint8

// The tables.
const (
	Trades Table = iota + 1
	Refunds
)

var tableWords = []string{"", "trades", "refunds"}

// String is the table's name.
func (t Table) String() string { return tableWords[t] }

// A Side is one of a row, or both where they moved together.
type Side uint8

// The sides.
const (
	POS Side = iota + 1
	Bill
	Both
)

var sideWords = []string{"", "pos", "bill", "both"}

// String is the side's word.
func (s Side) String() string { return sideWords[s] }

// A Unit is a row of trades or refunds, as far as it is compared. Its bytes are
// borrowed.
type Unit struct {
	Table                                    Table
	Merchant, OutTradeNo, TradeNo, RequestNo []byte
	Status                                   rules.Status
	Pos, Bill                                int64 // fen; schema.Null: the row has no such side
}

// buckets is how many files the sides are divided among; flushAt how much of one
// waits in memory.
const (
	buckets = 64
	flushAt = 128 << 10
)

// A Comparer takes the rows of two runs and compares them. Its Add methods may be
// called from several goroutines.
type Comparer struct {
	temp    string
	buckets [buckets]bucket

	mu     sync.Mutex
	totals [2]totals
	breaks [2][]Break
}

// totals are what a run has in each status, by table and side.
type totals [3][3][9]Tally

// A Tally counts sides and adds their amounts, in fen.
type Tally struct {
	Count  int64
	Amount rules.Sum
}

func (t *Tally) add(amount int64) {
	t.Count++
	t.Amount.AddInt(amount)
}

type bucket struct {
	mu   sync.Mutex
	wait []byte
	file *fsys.File
}

// New makes a Comparer that keeps its files in the folder.
func New(temp string) *Comparer { return &Comparer{temp: temp} }

// Close removes its files.
func (c *Comparer) Close() error {
	var errs error
	for i := range c.buckets {
		if f := c.buckets[i].file; f != nil {
			errs = errors.Join(errs, f.Close(), fsys.Remove(f.Name()))
			c.buckets[i].file = nil
		}
	}
	return errs
}

// AddPart adds the trades and refunds of a part of a run. words are the run's.
func (c *Comparer) AddPart(run int, p *engine.Part, words []string) error {
	b := c.batch(run)
	word := func(code uint32) []byte { return b.word(words[code]) }
	for i := range p.Trades.Len() {
		t := &p.Trades
		b.add(&Unit{
			Table: Trades, Merchant: word(t.Merchant[i]), OutTradeNo: t.OutTradeNo.At(i), TradeNo: t.TradeNo.At(i),
			Status: rules.Status(t.Status[i]), Pos: t.PosAmount[i], Bill: t.BillAmount[i],
		})
	}
	for i := range p.Refunds.Len() {
		t := &p.Refunds
		b.add(&Unit{
			Table: Refunds, Merchant: word(t.Merchant[i]), OutTradeNo: t.OutTradeNo.At(i), TradeNo: t.TradeNo.At(i),
			RequestNo: t.RequestNo.At(i), Status: rules.Status(t.Status[i]), Pos: t.PosAmount[i], Bill: t.BillAmount[i],
		})
	}
	return b.done()
}

// AddUnits adds the units that each gives.
func (c *Comparer) AddUnits(run int, each func(add func(*Unit)) error) error {
	b := c.batch(run)
	return errors.Join(each(func(u *Unit) {
		if b.err == nil {
			b.add(u)
			b.flush(flushAt)
		}
	}), b.done())
}

// AddBreaks adds the breaks of a run.
func (c *Comparer) AddBreaks(run int, breaks []Break) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breaks[run] = append(c.breaks[run], breaks...)
}

// A batch gathers sides by bucket, so that buckets are locked seldom.
type batch struct {
	c      *Comparer
	run    int
	sides  [buckets][]byte
	totals totals
	text   []byte
	err    error
}

func (c *Comparer) batch(run int) *batch { return &batch{c: c, run: run} }

// word is a word as bytes, valid until the next call.
func (b *batch) word(s string) []byte {
	b.text = append(b.text[:0], s...)
	return b.text
}

func (b *batch) add(u *Unit) {
	if u.Pos != schema.Null {
		b.side(u, POS, u.Pos)
	}
	if u.Bill != schema.Null {
		b.side(u, Bill, u.Bill)
	}
}

// side encodes one side of a unit: run, table, side, status, amount, and its four
// texts, each behind its length.
func (b *batch) side(u *Unit, side Side, amount int64) {
	b.totals[u.Table][side][u.Status].add(amount)
	h := uint64(0)
	if side == Bill && len(u.TradeNo) > 0 {
		h = xxh3.Hash(u.TradeNo)
	} else {
		h = xxh3.Hash(u.OutTradeNo)
	}
	at := h % buckets
	d := append(b.sides[at], byte(b.run), byte(u.Table), byte(side), byte(u.Status))
	d = binary.AppendVarint(d, amount)
	for _, text := range [...][]byte{u.Merchant, u.OutTradeNo, u.TradeNo, u.RequestNo} {
		d = binary.AppendUvarint(d, uint64(len(text)))
		d = append(d, text...)
	}
	b.sides[at] = d
}

// flush hands on what is more than the given bytes.
func (b *batch) flush(most int) {
	for i := range b.sides {
		if len(b.sides[i]) > most && b.err == nil {
			b.err = b.c.buckets[i].take(b.sides[i], b.c.temp)
			b.sides[i] = b.sides[i][:0]
		}
	}
}

func (b *batch) done() error {
	b.flush(0)
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	mine := &b.c.totals[b.run]
	for t := range b.totals {
		for s := range b.totals[t] {
			for status := range b.totals[t][s] {
				mine[t][s][status].Count += b.totals[t][s][status].Count
				mine[t][s][status].Amount.AddSum(b.totals[t][s][status].Amount)
			}
		}
	}
	return b.err
}

func (k *bucket) take(sides []byte, temp string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wait = append(k.wait, sides...)
	if len(k.wait) < flushAt {
		return nil
	}
	if k.file == nil {
		f, err := fsys.CreateTemp(temp, "diff-*")
		if err != nil {
			return err
		}
		k.file = f
	}
	_, err := k.file.Write(k.wait)
	k.wait = k.wait[:0]
	return err
}

// all reads the bucket's sides. buf is reused.
func (k *bucket) all(buf []byte) ([]byte, error) {
	buf = buf[:0]
	if k.file != nil {
		if _, err := k.file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		info, err := k.file.Stat()
		if err != nil {
			return nil, err
		}
		if size := int(info.Size()); cap(buf) < size+len(k.wait) {
			buf = make([]byte, 0, size+len(k.wait))
		}
		n, err := io.ReadFull(k.file, buf[:info.Size()])
		if err != nil {
			return nil, err
		}
		buf = buf[:n]
	}
	return append(buf, k.wait...), nil
}

// A sided is one side, decoded; its texts point into the bucket.
type sided struct {
	run                             uint8
	table                           Table
	side                            Side
	status                          rules.Status
	amount                          int64
	merchant, order, trade, request []byte
}

func decode(data []byte) (sides []sided, err error) {
	for len(data) > 0 {
		const fixed = 4
		if len(data) < fixed {
			return nil, errTorn
		}
		s := sided{run: data[0], table: Table(data[1]), side: Side(data[2]), status: rules.Status(data[3])}
		data = data[fixed:]
		amount, n := binary.Varint(data)
		if n <= 0 {
			return nil, errTorn
		}
		s.amount, data = amount, data[n:]
		for _, into := range [...]*[]byte{&s.merchant, &s.order, &s.trade, &s.request} {
			size, n := binary.Uvarint(data)
			if n <= 0 || uint64(len(data)-n) < size {
				return nil, errTorn
			}
			*into, data = data[n:n+int(size)], data[n+int(size):]
		}
		sides = append(sides, s)
	}
	return sides, nil
}

var errTorn = fmt.Errorf("diff: %w in a temporary file", io.ErrUnexpectedEOF)
