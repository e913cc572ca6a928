package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// written is what Prepare wrote.
type written struct {
	run       Run
	pointer   pointer
	record    []byte
	gen       generation
	table     *tableWriter // nil: nothing, the run is what the state has
	unchanged bool
}

// A head says what rows a generation has.
type head struct {
	Trades  int64 `json:"trades"`
	Refunds int64 `json:"refunds"`
	Breaks  int   `json:"breaks"`
	Closed  int   `json:"closed"`
	Asked   int   `json:"asked"`
	Words   int   `json:"words"`

	// Columns are those that pages have, by table.
	Columns map[string][]string `json:"columns"`
	// Prefixes are the first characters of the run's trade_nos, sorted; Any: there
	// are too many to list.
	Prefixes [][]byte `json:"prefixes"`
	Any      bool     `json:"any,omitempty"`

	// Times are when the rows were; nil in a head that is too old to say. Scanned are
	// the days whose trades the run scanned.
	Times   *times  `json:"times"`
	Scanned []int32 `json:"scanned,omitempty"`
	// Covered is what the run's statements covered, sorted.
	Covered []engine.Coverage `json:"covered,omitempty"`
	// ScanSums are a part of the digest of all look-ups.
	ScanSums []uint64 `json:"scan_sums,omitempty"`
}

// mostPrefixes are listed.
const mostPrefixes = 4096

// Prepare writes what the run leaves, without a change to the state, and gives the
// token under which its outputs are made durable. Run's fields that Prepare does not
// give are kept as they are.
//
// unchanged: the state has this very run already, from the same inputs and with the
// same answers. Commit then changes nothing, and the token is that of the run.
func (d *Day) Prepare(ctx context.Context, run Run) (token string, unchanged bool, err error) {
	if err := d.check(); err != nil {
		return "", false, err
	}
	if d.written != nil {
		return "", false, errors.New("state: prepared twice")
	}
	d.askedCovered()
	d.complete(&run)
	if d.s.readOnly {
		return "", false, errors.New("state: opened to be read only")
	}
	now := d.s.day(d.date)
	if err := d.checkAmended(&run); err != nil {
		return "", false, err
	}
	if same, err := d.same(now, &run); err != nil {
		return "", false, err
	} else if same && now.Breaks == digestBreaks(d.breaks, d.closed) {
		d.written = &written{unchanged: true, pointer: *now}
		return now.Token, true, nil
	}
	gen, err := d.s.newGeneration(d.date)
	if err != nil {
		return "", false, err
	}
	w := &written{run: run, gen: gen, pointer: pointer{
		Gen: gen.Gen, Revision: 1, CarryFrom: run.CarryFrom, CarryIn: d.carry.digest, CarryOut: d.carried.digest(), Answers: d.revised().digest(),
		Breaks: digestBreaks(d.breaks, d.closed), Bills: hasBills(run.Inputs),
	}}
	if now != nil {
		w.pointer.Revision = now.Revision + 1
		w.pointer.Previous, w.pointer.PreviousGen, w.pointer.PreviousOverlay, w.pointer.PreviousBelow = now.Revision, now.Gen, now.Overlay, now.Below
	}
	if a := d.amended; a != nil {
		w.pointer.Overlay, w.pointer.Below = a.dirty, a.base.layers()
	}
	w.run.Revision = w.pointer.Revision
	w.run.Token = fmt.Sprintf("%s#%d", DateText(d.date), w.pointer.Revision)
	// A journal of outputs that was left behind names the attempt: another run of
	// this revision is not taken for it.
	w.pointer.Token = fmt.Sprintf("%s@%d", w.run.Token, gen.Gen)
	if w.record, err = json.Marshal(&w.run); err != nil {
		return "", false, err
	}
	w.table = &tableWriter{s: d.s, name: fmt.Sprint(gen.Gen)}
	d.written = w
	if err := d.write(ctx, w); err != nil {
		return "", false, err
	}
	return w.pointer.Token, false, nil
}

// hasBills reports whether a run has seen bills: rules 6 ask for the days that have.
func hasBills(inputs []Input) bool {
	return slices.ContainsFunc(inputs, func(in Input) bool { return in.Kind == schema.AlipayBill.String() })
}

func compareInputs(a, b Input) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path), cmp.Compare(a.SHA256, b.SHA256))
}

// complete fills in what the day knows itself.
func (d *Day) complete(run *Run) {
	run.Date = d.date
	run.CarryFrom = d.carry.from
	run.CarriedIn, run.CarriedOut = d.carry.rows, d.carried.rows()
	run.Inputs = slices.Clone(run.Inputs)
	slices.SortFunc(run.Inputs, compareInputs)
	sums := d.revised()
	run.Trades, run.Refunds, run.LookedUp = sums.trades.list(), sums.refunds.list(), sums.asked
}

// checkAmended: what an amendment keeps is divided as what it writes.
func (d *Day) checkAmended(run *Run) error {
	if d.amended == nil {
		return nil
	}
	was, err := d.s.record(d.date, d.amended.base.Revision)
	if err == nil && was.Partitions != run.Partitions {
		err = fmt.Errorf("state: %s has %d partitions and cannot be amended with %d", DateText(d.date), was.Partitions, run.Partitions)
	}
	return err
}

// same reports whether the date's run was made of what this one is made of.
func (d *Day) same(now *pointer, run *Run) (bool, error) {
	if now == nil || now.CarryFrom != d.carry.from || now.CarryIn != d.carry.digest || now.Answers != d.revised().digest() {
		return false, nil
	}
	was, err := d.s.record(d.date, now.Revision)
	if err != nil {
		return false, err
	}
	return was.Job == run.Job && was.Settings == run.Settings && was.Version == run.Version &&
		slices.Equal(was.Inputs, run.Inputs) && reflect.DeepEqual(was.Trades, run.Trades) && reflect.DeepEqual(was.Refunds, run.Refunds), nil
}

// write writes the rows, kind after kind.
func (d *Day) write(ctx context.Context, w *written) error {
	h := head{
		Breaks: len(d.breaks), Closed: len(d.closed), Asked: int(d.counted().total().asked), Times: timesOf(d.all),
		Scanned: d.asked.scanned, ScanSums: d.asked.scanSums, Covered: d.covered,
		Columns: map[string][]string{
			tradeTable:  names(trades.columns(trades.fresh())),
			refundTable: names(refunds.columns(refunds.fresh())),
		},
	}
	var globals [][]byte
	steps := []func() error{
		func() error { return d.writeTrades(ctx, w, &h) },
		func() error { return d.writeRefunds(ctx, w, &h, &globals) },
		func() error { return d.writeAsked(w, &h) },
		func() error { return d.writeBreaks(w, &h, &globals) },
		func() error { return d.writeSubjects(w, &h) },
		func() error { return d.writeCarried(w, &h) },
		func() error { return d.writeWords(w, &h) },
		func() error { return writeHead(w, &h) },
		func() error { return d.writeTallies(w) },
		w.table.finish,
		func() error { return w.writeGlobals(globals) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Tables, as heads name them.
const (
	tradeTable  = "trades"
	refundTable = "refunds"
)

func (d *Day) writeTrades(ctx context.Context, w *written, h *head) error {
	var runs []sortedRun
	for _, g := range d.all {
		if err := g.trades.flush(); err != nil {
			return err
		}
		runs = append(runs, g.trades.runs...)
		g.trades = nil
	}
	index := &numberIndex{shelf: d.shelf}
	refs := &refList{}
	key := w.gen.key(tradePages)
	prefix := len(key)
	var p packer
	var value []byte
	pages := 0
	err := merge(ctx, &trades, d.shelf, d.dict, runs, func(rows *tradeRows) error {
		n := rows.Len()
		for i := range n {
			if rules.Status(rows.Status[i]) != rules.StatusDuplicate && len(rows.OutTradeNo.At(i)) > 0 {
				if err := index.add(rows.OutTradeNo.At(i), uint32(h.Trades)+uint32(i)); err != nil {
					return err
				}
			}
			h.addPrefix(tradeNoOf(rows.Ref.At(i)))
		}
		h.Trades += int64(n)
		refs.add(rows.Ref.At(n - 1))
		key = numbered(key[:prefix], pages)
		pages++
		for i := range n {
			if !trades.pack(rows, i) {
				return errRange
			}
		}
		value = p.page(value[:0], trades.columns(rows), n)
		return w.table.set(key, value)
	})
	if err != nil {
		return err
	}
	if err := refs.write(w); err != nil {
		return err
	}
	_, err = index.write(w.gen, w.table)
	return err
}

// addPrefix notes that there is a trade with this number; they come sorted, those
// without one last.
func (h *head) addPrefix(tradeNo []byte) {
	prefix := tradeNo[:min(len(tradeNo), datePrefix)]
	if len(prefix) == 0 || h.Any {
		return
	}
	if n := len(h.Prefixes); n > 0 && string(h.Prefixes[n-1]) == string(prefix) {
		return
	}
	if len(h.Prefixes) == mostPrefixes {
		h.Any, h.Prefixes = true, nil
		return
	}
	h.Prefixes = append(h.Prefixes, slices.Clone(prefix))
}

// has reports whether there may be a trade with this number.
func (h *head) has(tradeNo []byte) bool {
	if h.Any {
		return true
	}
	_, ok := slices.BinarySearchFunc(h.Prefixes, tradeNo[:min(len(tradeNo), datePrefix)], slices.Compare[[]byte])
	return ok
}

// A refList is the last refs of the pages of trades: it tells in which page a trade is.
type refList struct{ refs schema.Text }

// refsAtOnce are in one value.
const refsAtOnce = 1024

func (l *refList) add(ref []byte) { l.refs.Append(ref) }

func (l *refList) write(w *written) error {
	key := w.gen.key(tradeRefs)
	prefix := len(key)
	var p packer
	var out schema.Text
	fields := []schema.Field{{Name: "ref", Data: &out}}
	for from := 0; from < l.refs.Len(); from += refsAtOnce {
		resetFields(fields)
		for i := from; i < min(from+refsAtOnce, l.refs.Len()); i++ {
			out.Append(l.refs.At(i))
		}
		key = numbered(key[:prefix], from)
		if err := w.table.set(key, p.page(nil, fields, out.Len())); err != nil {
			return err
		}
	}
	return nil
}

func (d *Day) writeRefunds(ctx context.Context, w *written, h *head, globals *[][]byte) error {
	var runs []sortedRun
	for _, g := range d.all {
		if err := g.refunds.flush(); err != nil {
			return err
		}
		runs = append(runs, g.refunds.runs...)
		g.refunds = nil
	}
	words := d.dict.all()
	key := w.gen.key(refundPages)
	prefix := len(key)
	var p packer
	var value []byte
	pages := 0
	return merge(ctx, &refunds, d.shelf, d.dict, runs, func(rows *refundRows) error {
		n := rows.Len()
		for i := range n {
			row := rowBytes(int(h.Refunds) + i)
			refundKeys(&rows.Returned, i, words[rows.Merchant[i]], func(space byte, ref []byte) {
				*globals = append(*globals, globalKey(space, hashed(ref), w.gen, row...))
			})
		}
		h.Refunds += int64(n)
		for i := range n {
			if !refunds.pack(rows, i) {
				return errRange
			}
		}
		key = numbered(key[:prefix], pages)
		pages++
		value = p.page(value[:0], refunds.columns(rows), n)
		return w.table.set(key, value)
	})
}

// refundKeys calls f with what a refund is found by: the trade that it was said to be
// of, its own trade_no, its merchant and out_trade_no. One that has no trade_no is
// found by the last apart as well: it may be of a trade that has one. A duplicate is
// never found.
func refundKeys(rows *schema.Returned, i int, merchant string, f func(space byte, ref []byte)) {
	if rules.Status(rows.Status[i]) == rules.StatusDuplicate {
		return
	}
	f(refundedKey, rows.Ref.At(i))
	t, no := rows.TradeNo.At(i), rows.OutTradeNo.At(i)
	if len(t) > 0 {
		f(refundedKey, appendRef(nil, "", nil, t))
	}
	if len(no) > 0 {
		ref := appendRef(nil, merchant, no, nil)
		f(refundedKey, ref)
		if len(t) == 0 {
			f(unnamedKey, ref)
		}
	}
}

func (d *Day) writeWords(w *written, h *head) error {
	words := d.dict.all()
	h.Words = len(words)
	key := w.gen.key(wordPages)
	prefix := len(key)
	var p packer
	var out schema.Text
	fields := []schema.Field{{Name: "word", Data: &out}}
	for from := 0; from < len(words); from += refsAtOnce {
		resetFields(fields)
		for _, word := range words[from:min(from+refsAtOnce, len(words))] {
			out.AppendString(word)
		}
		key = numbered(key[:prefix], from)
		if err := w.table.set(key, p.page(nil, fields, out.Len())); err != nil {
			return err
		}
	}
	return nil
}

func writeHead(w *written, h *head) error {
	value, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return w.table.set(w.gen.key(headKey), value)
}

// writeGlobals writes the keys that are not the generation's alone.
func (w *written) writeGlobals(keys [][]byte) error {
	slices.SortFunc(keys, slices.Compare[[]byte])
	keys = slices.CompactFunc(keys, slices.Equal[[]byte])
	for _, key := range keys {
		if err := w.table.set(key, nil); err != nil {
			return err
		}
	}
	return w.table.finish()
}
