package state_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
)

var seeds = flag.Int("seeds", 0, "how many histories TestAgainstModel tries; 0 is 200, or 10 in a short test")

// TestAgainstModel runs days in any order, again and again, and compares all that a
// Day says with what the model says.
func TestAgainstModel(t *testing.T) {
	n := *seeds
	switch {
	case n > 0:
	case testing.Short():
		n = 10
	default:
		n = 200
	}
	var amended, commits, more atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range n {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				x := newTrial(t, uint64(seed))
				x.run()
				amended.Add(int64(x.amended))
				commits.Add(int64(x.commits))
				more.Add(int64(x.more))
			})
		}
	})
	if amended.Load() < int64(n)/2 {
		t.Errorf("%d amendments in %d histories: too few to say anything", amended.Load(), n)
	}
	if more.Load()*100 > commits.Load() {
		t.Errorf("%d of %d commits named days that would find the same", more.Load(), commits.Load())
	}
	t.Logf("%d amendments; %d of %d commits named a day too many", amended.Load(), more.Load(), commits.Load())
}

// A trial is a state and its model.
type trial struct {
	t     *testing.T
	r     source
	fs    vfs.FS
	store *state.Store
	model model

	amended int // runs that were amendments
	commits int
	more    int // of them: those that named a day which would find the same
}

func newTrial(t *testing.T, seed uint64) *trial {
	return &trial{t: t, r: source{rand.New(rand.NewPCG(seed, 7))}, fs: vfs.NewMem(), model: model{}}
}

func (x *trial) open() {
	x.t.Helper()
	s, err := state.Open(context.Background(), "state", state.Options{FS: x.fs, Version: "test"})
	if err != nil {
		x.t.Fatal(err)
	}
	x.store = s
}

func (x *trial) close() {
	x.t.Helper()
	if err := x.store.Close(); err != nil {
		x.t.Fatal(err)
	}
}

const (
	firstDay = 20_000 // 2024-10-04
	manyDays = 10_000
)

func (x *trial) run() {
	x.open()
	for range 8 {
		if x.r.IntN(3) == 0 {
			x.close()
			x.open()
		}
		date := int32(firstDay + x.r.IntN(6))
		rows := []int{0, 3, 40, 700}[x.r.IntN(4)]
		x.day(date, x.r.day(date, rows))
		if x.t.Failed() {
			return
		}
	}
	problems, err := x.store.Check(context.Background())
	if err != nil || len(problems) > 0 {
		x.t.Errorf("Check: %v, %v", problems, err)
	}
	x.close()
}

// day runs a day, and compares.
func (x *trial) day(date int32, left *modelDay) {
	t, r := x.t, x.r
	t.Helper()
	words := schema.NewWords()
	for i := range r.IntN(100) {
		words.Code(fmt.Sprint("word ", i))
	}
	d, err := x.store.Begin(date, words, manyDays)
	if err != nil {
		t.Fatal(err)
	}
	carried, err := d.Carried()
	if err != nil {
		t.Fatal(err)
	}
	var now string
	left.carryFrom, left.carryIn = x.model.carriedTo(date)
	if now = describeCarried(carried, words); now != left.carryIn {
		t.Errorf("Carried =\n%s\nwant\n%s", now, left.carryIn)
	}
	x.amend(d, date, left)
	x.ask(d, date, left, words)
	x.breaks(d, date, left)
	x.keep(d, left, words)
	run := state.Run{
		Job: "job.yaml", Settings: "s", Version: "v", Partitions: left.parts,
		Inputs: []state.Input{{Kind: "alipay_bill", Path: "b", SHA256: fmt.Sprint(r.IntN(1000))}},
	}
	if r.IntN(8) == 0 {
		if err := d.Discard(); err != nil {
			t.Fatal(err)
		}
		return
	}
	token, unchanged, err := d.Prepare(context.Background(), run)
	if err != nil || unchanged {
		t.Fatalf("Prepare: %v, unchanged %v", err, unchanged)
	}
	if x.store.Committed(token) {
		t.Errorf("Committed(%s) before the commit", token)
	}
	if r.IntN(8) == 0 {
		if err := d.Discard(); err != nil {
			t.Fatal(err)
		}
		return
	}
	later, err := d.Commit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !x.store.Committed(token) {
		t.Errorf("Committed(%s) is false after the commit", token)
	}
	revision := 0
	if before := x.model[date]; before != nil {
		revision = before.revision
	}
	left.revision = revision + 1
	left.previous = x.model[date]
	if left.amends != nil {
		left.takeOver()
		x.amended++
	}
	x.model[date] = left
	want := x.model.stale(date)
	x.commits++
	if len(later) > len(want) { // of an amended day the times of replaced rows still count
		x.more++
		later = slices.DeleteFunc(slices.Clone(later), func(day int32) bool { return !slices.Contains(want, day) })
	}
	if !slices.Equal(later, want) {
		t.Errorf("Commit of %d says that %v are stale, want %v", date, later, want)
	}
	x.compareRuns()
	x.compareRows(date)
	if left.previous != nil {
		x.compareRevision(date, left.previous)
	}
	if r.IntN(6) == 0 {
		x.again(date, left, run)
	}
}

// amend has the run amend the date's revision, if there is one: some parts are drawn
// anew, and what is left is of these alone.
func (x *trial) amend(d *state.Day, date int32, left *modelDay) {
	t, r := x.t, x.r
	t.Helper()
	old := x.model[date]
	if old == nil || r.IntN(4) == 0 {
		return
	}
	dirty := make([]bool, old.parts)
	for range 1 + r.IntN(2) {
		dirty[r.IntN(old.parts)] = true
	}
	err := d.Amend(dirty)
	if err != nil && !errors.Is(err, state.ErrFull) {
		t.Fatal(err)
	}
	if err != nil {
		return
	}
	if left.carryFrom != old.carryFrom || left.carryIn != old.carryIn || !slices.Equal(x.model.find(date, &old.wanted, old.words), old.asked) {
		t.Errorf("Amend of %d, whose clean parts would be answered otherwise now", date)
	}
	left.amends, left.parts = dirty, old.parts
	left.previous = old
	var parts []int
	for p, is := range dirty {
		if is {
			parts = append(parts, p)
		}
	}
	for i := range left.tradeParts {
		left.tradeParts[i] = parts[r.IntN(len(parts))]
	}
	for i, of := range left.returned.Of {
		left.refundParts[i] = parts[r.IntN(len(parts))]
		if of >= 0 {
			left.refundParts[i] = left.tradeParts[of]
		}
	}
	if err := d.Amend(dirty); err == nil || errors.Is(err, state.ErrFull) {
		t.Errorf("Amend twice = %v", err)
	}
	for p, is := range dirty {
		if err := d.Keep(p, &schema.Settled{}, &schema.Returned{}); (err == nil) != is {
			t.Errorf("Keep(%d) = %v, and the dirty parts are %v", p, err, dirty)
		}
	}
}

// takeOver adds what an amendment keeps of the revision before.
func (d *modelDay) takeOver() {
	old := d.previous
	keeps := func(part int) bool { return part < 0 || !d.amends[part] }
	var trades, refunds, wanted []int32
	now := make([]int32, old.settled.Len()) // by old row: the new one
	for i, part := range old.tradeParts {
		if keeps(part) {
			now[i] = int32(d.settled.Len() + len(trades))
			trades = append(trades, int32(i))
			d.tradeParts = append(d.tradeParts, part)
		}
	}
	for i, part := range old.refundParts {
		if keeps(part) {
			refunds = append(refunds, int32(i))
			d.refundParts = append(d.refundParts, part)
		}
	}
	for i, part := range old.wantedParts {
		again := slices.ContainsFunc(rangeOf(d.wanted.Len()), func(j int) bool {
			return part < 0 && d.wantedParts[j] < 0 && d.question(j) == old.question(i)
		})
		if keeps(part) && !again {
			wanted = append(wanted, int32(i))
			d.wantedParts = append(d.wantedParts, part)
			d.asked = append(d.asked, old.asked[i])
		}
	}
	var s schema.Settled
	var t schema.Returned
	var w schema.Wanted
	appendTable(&s, &old.settled, trades)
	appendTable(&t, &old.returned, refunds)
	appendTable(&w, &old.wanted, wanted)
	for i, of := range t.Of {
		if of >= 0 {
			t.Of[i] = now[of]
		}
	}
	for _, rows := range []schema.Rows{&s, &t, &w} {
		translate(rows, old.words, d.words)
	}
	schema.AppendAll(&d.settled, &s)
	schema.AppendAll(&d.returned, &t)
	schema.AppendAll(&d.wanted, &w)
}

func rangeOf(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// question says what is wanted.
func (d *modelDay) question(i int) string { return describe(&d.wanted, i, d.words, "", "") }

// again runs a date in full as it is: nothing changes.
func (x *trial) again(date int32, left *modelDay, run state.Run) {
	t := x.t
	t.Helper()
	words := schema.NewWords()
	d, err := x.store.Begin(date, words, manyDays)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range left.wantedParts {
		var wanted schema.Wanted
		schema.Append(&wanted, &left.wanted, []int32{int32(i)})
		translate(&wanted, left.words, words)
		if err := d.Find(part, &wanted, &schema.Settled{}, &schema.Returned{}); err != nil {
			t.Fatal(err)
		}
	}
	whole := *left
	whole.amends = nil
	x.keep(d, &whole, words)
	d.KeepBreaks(slices.Clone(left.breaks), slices.Clone(left.closed))
	if _, unchanged, err := d.Prepare(context.Background(), run); err != nil || !unchanged {
		t.Errorf("%d: Prepare of a run that the state has = %v, unchanged %v (amended %v)", date, err, unchanged, left.amends)
	}
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
}

// ask looks trades up, in several goroutines.
func (x *trial) ask(d *state.Day, date int32, left *modelDay, words *schema.Words) {
	t, r := x.t, x.r
	for range 60 {
		trade, no := r.tradeNo(date-int32(r.IntN(4))), r.number()
		if trade == "" && no == "" {
			continue
		}
		left.wanted.Merchant = append(left.wanted.Merchant, left.words.Code(r.merchant()))
		left.wanted.TradeNo.AppendString(trade)
		left.wanted.OutTradeNo.AppendString(no)
		left.wanted.Time = append(left.wanted.Time, schema.Null)
	}
	left.asked = x.model.find(date, &left.wanted, left.words)
	all := left.wanted.Len()
	var wg sync.WaitGroup
	chunks := 1 + r.IntN(4)
	for p := range chunks {
		part := r.IntN(left.parts+1) - 1
		if left.amends != nil && part >= 0 && !left.amends[part] {
			part = slices.Index(left.amends, true)
		}
		var rows []int32
		for i := all * p / chunks; i < all*(p+1)/chunks; i++ {
			seen := slices.ContainsFunc(rangeOf(i), func(j int) bool {
				return part < 0 && left.wantedParts[j] < 0 && left.question(i) == left.question(j)
			})
			if seen { // asked twice while routing; the model has it once
				left.wantedParts = append(left.wantedParts, unasked)
				continue
			}
			rows = append(rows, int32(i))
			left.wantedParts = append(left.wantedParts, part)
		}
		wg.Go(func() {
			var wanted schema.Wanted
			schema.Append(&wanted, &left.wanted, rows)
			translate(&wanted, left.words, words)
			var settled schema.Settled
			var returned schema.Returned
			if err := d.Find(part, &wanted, &settled, &returned); err != nil {
				t.Error(err)
				return
			}
			for i, got := range found(&wanted, &settled, &returned, words) {
				if want := left.asked[rows[i]]; got != want {
					t.Errorf("%d: Find(%s) =\n%s\nwant\n%s", date, describe(&wanted, i, words, "", ""), got, want)
				}
			}
		})
	}
	wg.Wait()
	left.dropUnasked()
}

// unasked is the part of questions that are not asked after all.
const unasked = -2

func (d *modelDay) dropUnasked() {
	var rows []int32
	var parts []int
	var asked []string
	for i, part := range d.wantedParts {
		if part != unasked {
			rows, parts, asked = append(rows, int32(i)), append(parts, part), append(asked, d.asked[i])
		}
	}
	var wanted schema.Wanted
	schema.Append(&wanted, &d.wanted, rows)
	d.wanted, d.wantedParts, d.asked = wanted, parts, asked
}

// breaks asks for and keeps breaks.
func (x *trial) breaks(d *state.Day, date int32, left *modelDay) {
	t, r := x.t, x.r
	var ids []string
	for i := range left.breaks {
		ids = append(ids, left.breaks[i].ID)
		left.seen = append(left.seen, x.model.firstSeen(date, left.breaks[i].ID))
	}
	seen, err := d.FirstSeen(ids)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, left.seen) {
		t.Errorf("FirstSeen(%v) = %v, want %v", ids, seen, left.seen)
	}
	for i := range left.breaks {
		left.breaks[i].FirstSeen = left.seen[i]
	}
	left.subjects = []string{fmt.Sprint("S", r.IntN(6)), fmt.Sprint("S", r.IntN(6)), "S9"}
	left.open = x.model.open(date, left.subjects)
	open, err := d.OpenBreaks(left.subjects)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(open); got != left.open {
		t.Errorf("%d: OpenBreaks(%v) =\n%s\nwant\n%s", date, left.subjects, got, left.open)
	}
	for _, b := range open {
		if r.IntN(2) == 0 {
			left.closed = append(left.closed, b)
		}
	}
	d.KeepBreaks(slices.Clone(left.breaks), slices.Clone(left.closed))
}

// keep keeps the rows in parts, in several goroutines.
func (x *trial) keep(d *state.Day, left *modelDay, words *schema.Words) {
	if err := errors.Join(left.keep(d, words), d.Carry(left.carriedIn(words))); err != nil {
		x.t.Error(err)
	}
}

// keep keeps the rows of all parts, or of those that the day amends.
func (d *modelDay) keep(to *state.Day, words *schema.Words) error {
	trades, refunds := make([][]int32, d.parts), make([][]int32, d.parts)
	for i, p := range d.tradeParts {
		trades[p] = append(trades[p], int32(i))
	}
	for i, p := range d.refundParts {
		refunds[p] = append(refunds[p], int32(i))
	}
	var g errgroup.Group
	for p := range d.parts {
		if d.amends != nil && !d.amends[p] {
			continue
		}
		g.Go(func() error {
			var s schema.Settled
			var ret schema.Returned
			appendTable(&s, &d.settled, trades[p])
			appendTable(&ret, &d.returned, refunds[p])
			for i, of := range ret.Of {
				if of >= 0 {
					ret.Of[i] = int32(slices.Index(trades[p], of))
				}
			}
			translate(&s, d.words, words)
			translate(&ret, d.words, words)
			return to.Keep(p, &s, &ret)
		})
	}
	return g.Wait()
}

// carriedIn are the carried rows in other words.
func (d *modelDay) carriedIn(words *schema.Words) *engine.Carried {
	if d.carried == nil {
		return nil
	}
	c := &engine.Carried{
		Tables: d.carried.Tables, BillSince: d.carried.BillSince, OrderSince: d.carried.OrderSince, RefundSince: d.carried.RefundSince,
	}
	for _, rows := range []struct{ to, from schema.Rows }{
		{&c.Bills, &d.carried.Bills},
		{&c.Orders, &d.carried.Orders},
		{&c.Lines, &d.carried.Lines},
		{&c.Refunds, &d.carried.Refunds},
		{&c.RefundLines, &d.carried.RefundLines},
	} {
		var all []int32
		for i := range rows.from.Len() {
			all = append(all, int32(i))
		}
		appendTable(rows.to, rows.from, all)
		translate(rows.to, d.words, words)
	}
	return c
}

// appendTable adds rows of columns that are filled.
func appendTable(to, from schema.Rows, rows []int32) {
	src := schema.Fields(from)
	for k, f := range schema.Fields(to) {
		for _, row := range rows {
			i := int(row)
			switch data := f.Data.(type) {
			case *[]int64:
				*data = append(*data, (*src[k].Data.(*[]int64))[i])
			case *[]int32:
				if from := *src[k].Data.(*[]int32); i < len(from) {
					*data = append(*data, from[i])
				}
			case *[]uint32:
				*data = append(*data, (*src[k].Data.(*[]uint32))[i])
			case *[]uint8:
				*data = append(*data, (*src[k].Data.(*[]uint8))[i])
			case *schema.Text:
				if from := src[k].Data.(*schema.Text); i < from.Len() {
					data.Append(from.At(i))
				}
			}
		}
	}
}

// translate puts words into other codes.
func translate(rows schema.Rows, from, to *schema.Words) {
	texts := from.Texts()
	for _, f := range schema.Fields(rows) {
		if codes, ok := f.Data.(*[]uint32); ok {
			for i, code := range *codes {
				(*codes)[i] = to.Code(texts[code])
			}
		}
	}
}

// compareRuns compares the records of the runs that count.
func (x *trial) compareRuns() {
	x.t.Helper()
	runs, err := x.store.Runs()
	if err != nil {
		x.t.Fatal(err)
	}
	current := map[int32]int{}
	for _, run := range runs {
		if run.Current {
			current[run.Date] = run.Revision
		}
	}
	want := map[int32]int{}
	for date, d := range x.model {
		want[date] = d.revision
	}
	if !reflect.DeepEqual(current, want) {
		x.t.Errorf("current revisions %v, want %v", current, want)
	}
}

// compareRows reads back what a date left.
func (x *trial) compareRows(date int32) {
	t := x.t
	t.Helper()
	x.compareRevision(date, x.model[date])
}

// compareRevision reads back what a revision left.
func (x *trial) compareRevision(date int32, d *modelDay) {
	t := x.t
	t.Helper()
	rev, err := x.store.Revision(date, d.revision)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	var last []byte
	if err := rev.Trades(context.Background(), func(s *schema.Settled) error {
		for i := range s.Len() {
			if ref := s.Ref.At(i); bytes.Compare(last, ref) > 0 {
				t.Errorf("%d: trades are not in the order of their refs", date)
			} else {
				last = append(last[:0], ref...)
			}
			got = append(got, describe(s, i, rev.Words, "", "", "query", "day", "ref"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := rev.Refunds(context.Background(), func(s *schema.Returned) error {
		for i := range s.Len() {
			got = append(got, describe(s, i, rev.Words, "", "", "of", "day", "ref"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range d.settled.Len() {
		want = append(want, describe(&d.settled, i, d.words, "", "", "query", "day", "ref"))
	}
	for i := range d.returned.Len() {
		want = append(want, describe(&d.returned, i, d.words, "", "", "of", "day", "ref"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d: rows\n%s\nwant\n%s", date, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	breaks, err := rev.Breaks()
	if err != nil {
		t.Fatal(err)
	}
	for i := range breaks {
		breaks[i].Day = 0
	}
	sorted := slices.Clone(d.breaks)
	slices.SortFunc(sorted, func(a, b state.Break) int { return strings.Compare(a.ID, b.ID) })
	if fmt.Sprint(breaks) != fmt.Sprint(sorted) {
		t.Errorf("%d: breaks\n%v\nwant\n%v", date, breaks, sorted)
	}
}
