package state_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

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
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			newTrial(t, uint64(seed)).run()
		})
	}
}

// A trial is a state and its model.
type trial struct {
	t     *testing.T
	r     source
	fs    vfs.FS
	store *state.Store
	model model
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
	x.ask(d, date, left, words)
	x.breaks(d, date, left)
	x.keep(d, left, words)
	run := state.Run{Job: "job.yaml", Settings: "s", Version: "v", Inputs: []state.Input{{Kind: "alipay_bill", Path: "b", SHA256: fmt.Sprint(r.IntN(1000))}}}
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
	x.model[date] = left
	if want := x.model.stale(date); !slices.Equal(later, want) {
		t.Errorf("Commit of %d says that %v are stale, want %v", date, later, want)
	}
	x.compareRuns()
	x.compareRows(date)
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
	parts := 1 + r.IntN(4)
	for p := range parts {
		wg.Go(func() {
			var rows []int32
			for i := all * p / parts; i < all*(p+1)/parts; i++ {
				rows = append(rows, int32(i))
			}
			var wanted schema.Wanted
			schema.Append(&wanted, &left.wanted, rows)
			for i, code := range wanted.Merchant {
				wanted.Merchant[i] = words.Code(left.words.Texts()[code])
			}
			var settled schema.Settled
			var returned schema.Returned
			if err := d.Find(&wanted, &settled, &returned); err != nil {
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
	t, r := x.t, x.r
	parts := 1 + r.IntN(5)
	trades, refunds := make([][]int32, parts), make([][]int32, parts)
	partOf := make([]int, left.settled.Len())
	for i := range left.settled.Len() {
		partOf[i] = r.IntN(parts)
		trades[partOf[i]] = append(trades[partOf[i]], int32(i))
	}
	for i, of := range left.returned.Of {
		p := r.IntN(parts)
		if of >= 0 {
			p = partOf[of]
		}
		refunds[p] = append(refunds[p], int32(i))
	}
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() {
			var s schema.Settled
			var ret schema.Returned
			appendTable(&s, &left.settled, trades[p])
			appendTable(&ret, &left.returned, refunds[p])
			for i, of := range ret.Of {
				if of >= 0 {
					ret.Of[i] = int32(slices.Index(trades[p], of))
				}
			}
			translate(&s, left.words, words)
			translate(&ret, left.words, words)
			if err := d.Keep(&s, &ret); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := d.Carry(left.carriedIn(words)); err != nil {
		t.Error(err)
	}
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
	rev, err := x.store.Revision(date, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := x.model[date]
	var got, want []string
	if err := rev.Trades(context.Background(), func(s *schema.Settled) error {
		for i := range s.Len() {
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
