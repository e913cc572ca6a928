package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"

	"duizhang/engine"
	"duizhang/engine/schema"
	onDisk "duizhang/engine/state"
	"duizhang/rules"
)

// A state is where the runs of a job find what earlier days left.
type state interface {
	begin(t testing.TB, job *engine.Job, words *schema.Words) night
}

// A night is one run of it.
type night struct {
	carried *engine.Carried
	history engine.History
	days    []int32
	keep    func(*engine.Part)   // called by several at once
	leave   func(*engine.Result) // ends it
}

// A memory is the state of a job in memory: what the runs of its days left. It says
// plainly what a History is.
type memory struct {
	days  map[int32]*left
	scans map[int32][]int32 // the days that the run of a date had scanned last
}

// left is what one day left, in the words of its run.
type left struct {
	mu       sync.Mutex
	words    []string
	carried  *engine.Carried
	settled  schema.Settled
	returned schema.Returned
	bills    bool
	covered  []engine.Coverage
}

func newMemory() *memory { return &memory{days: map[int32]*left{}, scans: map[int32][]int32{}} }

func (m *memory) begin(_ testing.TB, job *engine.Job, words *schema.Words) night {
	date, day := job.Date, &left{bills: job.Inputs[schema.AlipayBill]}
	delete(m.scans, date)
	n := night{
		carried: m.carriedTo(date, words), history: &past{memory: m, date: date, words: words}, keep: day.keep,
		leave: func(r *engine.Result) {
			day.words, day.carried, day.covered = words.Texts(), r.Carried, r.Covered
			m.days[date] = day
		},
	}
	for _, d := range m.before(date) {
		if m.days[d].bills {
			n.days = append(n.days, d)
		}
	}
	return n
}

// before are the days before one, in order.
func (m *memory) before(date int32) []int32 {
	var days []int32
	for d := range m.days {
		if d < date {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return days
}

// carriedTo are the rows that the latest earlier day carried, in the words of a run.
func (m *memory) carriedTo(date int32, words *schema.Words) *engine.Carried {
	days := m.before(date)
	if len(days) == 0 {
		return nil
	}
	day := m.days[days[len(days)-1]]
	c := &engine.Carried{Tables: day.carried.Tables}
	schema.AppendAll(&c.Bills, &day.carried.Bills)
	schema.AppendAll(&c.Orders, &day.carried.Orders)
	schema.AppendAll(&c.Lines, &day.carried.Lines)
	schema.AppendAll(&c.Refunds, &day.carried.Refunds)
	schema.AppendAll(&c.RefundLines, &day.carried.RefundLines)
	c.BillSince, c.OrderSince, c.RefundSince = day.carried.BillSince, day.carried.OrderSince, day.carried.RefundSince
	for _, rows := range []schema.Rows{&c.Bills, &c.Orders, &c.Lines, &c.Refunds, &c.RefundLines} {
		recode(rows, day.words, words)
	}
	return c
}

// recode puts the words of a table into those of another run: every column of
// uint32 is one of words.
func recode(rows schema.Rows, from []string, to *schema.Words) {
	rec := schema.Record(rows)
	defer rec.Release()
	for _, column := range rec.Columns() {
		if column, ok := column.(*array.Uint32); ok {
			values := column.Uint32Values()
			for i, code := range values {
				values[i] = to.Code(from[code])
			}
		}
	}
}

// keep takes what a part leaves.
func (d *left) keep(p *engine.Part) {
	d.mu.Lock()
	defer d.mu.Unlock()
	base := int32(d.settled.Len())
	schema.AppendAll(&d.settled, &p.Settled)
	for i, of := range p.Returned.Of {
		if of >= 0 {
			p.Returned.Of[i] = of + base
		}
	}
	schema.AppendAll(&d.returned, &p.Returned)
}

// A past is the history that a run of a date sees.
type past struct {
	memory *memory
	date   int32
	words  *schema.Words
	mu     sync.Mutex
}

// ref is what a trade is known by in this history.
func ref(merchant string, no, trade []byte) string {
	if len(trade) > 0 {
		return "trade " + string(trade)
	}
	return "key " + merchant + " " + string(no)
}

// Find looks at every row of every day.
func (p *past) Find(_ int, wanted *schema.Wanted, found *schema.Settled, returned *schema.Returned) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := p.words.Texts()
	for i := range wanted.Len() {
		trade, no, merchant := wanted.TradeNo.At(i), wanted.OutTradeNo.At(i), texts[wanted.Merchant[i]]
		day, row := p.trade(func(d *left, row int) bool {
			return len(trade) > 0 && bytes.Equal(d.settled.TradeNo.At(row), trade)
		})
		if day < 0 {
			day, row = p.trade(func(d *left, row int) bool {
				m := d.words[d.settled.Merchant[row]]
				return len(no) > 0 && bytes.Equal(d.settled.OutTradeNo.At(row), no) && (merchant == "" || m == merchant)
			})
		}
		var one schema.Settled
		if day >= 0 {
			d := p.memory.days[day]
			schema.Append(&one, &d.settled, []int32{int32(row)})
			recode(&one, d.words, p.words)
			trade, no, merchant = one.TradeNo.At(0), one.OutTradeNo.At(0), p.words.Texts()[one.Merchant[0]]
			one.Ref = schema.Text{}
			one.Ref.AppendString(ref(merchant, no, trade))
			one.Query[0], one.Day[0] = int32(i), day
		}
		refunds := p.refunds(merchant, no, trade)
		if day < 0 {
			if refunds.Len() == 0 {
				continue
			}
			one = onlyRefunds(int32(i))
		}
		for k := range refunds.Of {
			refunds.Of[k] = int32(found.Len())
		}
		schema.AppendAll(found, &one)
		schema.AppendAll(returned, refunds)
	}
	return nil
}

// Covered looks at every day.
func (p *past) Covered(c engine.Coverage) (date int32, ok bool) {
	for _, day := range p.memory.before(p.date) {
		if slices.Contains(p.memory.days[day].covered, c) {
			date, ok = day, true
		}
	}
	return date, ok
}

// Times are those of every row.
func (p *past) Times() (paid, ordered []engine.Span) {
	add := func(spans []engine.Span, t int64) []engine.Span {
		if t != schema.Null {
			spans = append(spans, engine.Span{From: t, To: t})
		}
		return spans
	}
	for _, date := range p.memory.before(p.date) {
		d := p.memory.days[date]
		for row := range d.settled.Len() {
			if d.settled.Status[row] != uint8(rules.StatusDuplicate) {
				paid, ordered = add(paid, d.settled.BillTime[row]), add(ordered, d.settled.OrderTime[row])
			}
		}
	}
	for _, spans := range [][]engine.Span{paid, ordered} {
		slices.SortFunc(spans, func(a, b engine.Span) int { return cmp.Compare(a.From, b.From) })
	}
	return paid, ordered
}

// Scan looks at every row of every day, and at every refund for each trade.
func (p *past) Scan(_ context.Context, days []int32, each func(*schema.Settled, *schema.Returned) error) error {
	p.memory.scans[p.date] = slices.Clone(days)
	on := func(t int64) bool { return t != schema.Null && slices.Contains(days, int32(t/86400)) }
	done := map[string]bool{}
	for _, date := range p.memory.before(p.date) {
		d := p.memory.days[date]
		for row := range d.settled.Len() {
			if d.settled.Status[row] == uint8(rules.StatusDuplicate) || d.settled.BillAmount[row] == schema.Null || !on(d.settled.BillTime[row]) {
				continue
			}
			name := func(d *left, row int) string {
				return ref(d.words[d.settled.Merchant[row]], d.settled.OutTradeNo.At(row), d.settled.TradeNo.At(row))
			}
			own := name(d, row)
			if done[own] {
				continue
			}
			done[own] = true
			best, at := p.trade(func(o *left, k int) bool { return o.settled.BillAmount[k] != schema.Null && name(o, k) == own })
			var one schema.Settled
			schema.Append(&one, &p.memory.days[best].settled, []int32{int32(at)})
			recode(&one, p.memory.days[best].words, p.words)
			trade, no, merchant := one.TradeNo.At(0), one.OutTradeNo.At(0), p.words.Texts()[one.Merchant[0]]
			refunds, counted := p.refunds(merchant, no, trade), &schema.Returned{}
			for k := range refunds.Len() {
				if refunds.Counts[k] != 0 && on(refunds.Time[k]) {
					schema.Append(counted, refunds, []int32{int32(k)})
				}
			}
			one.Ref = schema.Text{}
			one.Ref.AppendString(ref(merchant, no, trade))
			one.Query[0], one.Day[0] = int32(counted.Len()), best
			if err := each(&one, counted); err != nil {
				return err
			}
		}
	}
	return nil
}

// onlyRefunds stands for a trade of which the history has refunds alone.
func onlyRefunds(query int32) schema.Settled {
	var one schema.Settled
	zero := []int64{schema.Null}
	one = schema.Settled{
		Query: []int32{query}, Day: []int32{0}, Merchant: []uint32{0}, BillMerchant: []uint32{0}, Status: []uint8{0}, Reason: []uint8{0}, Flags: []uint8{0},
		OrderTime: zero, BillTime: zero, Store: []uint32{0}, BillStore: []uint32{0}, Terminal: []uint32{0}, Operator: []uint32{0}, Channel: []uint32{0}, PosAmount: zero, BillAmount: zero,
		Paid: []int64{0}, RedPacket: []int64{0}, Allowance: []int64{0}, Coupon: []int64{0}, MerchantRed: []int64{0},
		Received: zero, ProviderPID: []uint32{0}, Instalments: []int32{0},
	}
	for _, t := range []*schema.Text{&one.Ref, &one.OutTradeNo, &one.TradeNo} {
		t.Append(nil)
	}
	return one
}

// trade is the row of the trade that counts of those that are wanted: one that is
// not excluded, then one with an order, then that of the latest day, then the first.
func (p *past) trade(is func(d *left, row int) bool) (day int32, at int) {
	day = -1
	best := 0
	for _, date := range p.memory.before(p.date) {
		d := p.memory.days[date]
		for row := range d.settled.Len() {
			if d.settled.Status[row] == uint8(rules.StatusDuplicate) || !is(d, row) {
				continue
			}
			rank := 1
			if d.settled.PosAmount[row] != schema.Null {
				rank++
			}
			if d.settled.Status[row] != uint8(rules.StatusExcluded) {
				rank += 2
			}
			if rank > best || rank == best && date > day {
				day, at, best = date, row, rank
			}
		}
	}
	return day, at
}

// refunds are the refunds of a trade, in the order of time.
func (p *past) refunds(merchant string, no, trade []byte) *schema.Returned {
	all := &schema.Returned{}
	for _, date := range p.memory.before(p.date) {
		d := p.memory.days[date]
		for row := range d.returned.Len() {
			if d.returned.Status[row] == uint8(rules.StatusDuplicate) {
				continue
			}
			of, t := d.returned.Of[row], d.returned.TradeNo.At(row)
			same := len(trade) > 0 && bytes.Equal(t, trade)
			if of >= 0 && !same {
				s := &d.settled
				same = ref(d.words[s.Merchant[of]], s.OutTradeNo.At(int(of)), s.TradeNo.At(int(of))) == ref(merchant, no, trade)
			}
			if r := d.returned.Ref.At(row); len(r) > 0 && !same {
				same = string(r) == ref(merchant, no, trade)
			}
			if !same && (len(t) == 0 || len(trade) == 0) {
				same = len(no) > 0 && bytes.Equal(d.returned.OutTradeNo.At(row), no) && d.words[d.returned.Merchant[row]] == merchant
			}
			if !same {
				continue
			}
			one := &schema.Returned{}
			schema.Append(one, &d.returned, []int32{int32(row)})
			recode(one, d.words, p.words)
			one.Day[0] = date
			schema.AppendAll(all, one)
		}
	}
	order := make([]int32, all.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(all.Time[a], all.Time[b]) })
	sorted := &schema.Returned{}
	schema.Append(sorted, all, order)
	return sorted
}

// A disk is the state as users have it.
type disk struct {
	store *onDisk.Store
	bills []int32
}

func newDisk(t testing.TB) *disk {
	store, err := onDisk.Open(t.Context(), t.TempDir(), onDisk.Options{Owner: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &disk{store: store}
}

func (d *disk) begin(t testing.TB, job *engine.Job, words *schema.Words) night {
	date := job.Date
	day, err := d.store.Begin(date, words, 400)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	carried, err := day.Carried()
	check(err)
	n := night{carried: carried, history: day, keep: func(p *engine.Part) { check(day.Keep(p.Number, &p.Settled, &p.Returned)) }}
	for _, earlier := range d.bills {
		if earlier < date {
			n.days = append(n.days, earlier)
		}
	}
	if job.Inputs[schema.AlipayBill] && !slices.Contains(d.bills, date) {
		d.bills = append(d.bills, date)
	}
	n.leave = func(r *engine.Result) {
		check(day.Carry(r.Carried))
		day.KeepCovered(r.Covered)
		_, _, err := day.Prepare(t.Context(), onDisk.Run{})
		check(err)
		_, err = day.Commit(t.Context())
		check(err)
	}
	return n
}

// TestDays runs every scenario of testdata/days, day by day, in one part by one
// worker and in eight by several, with and without memory for rows, with a state in
// memory and on disk, and each day twice: a day that is run again gives the same.
func TestDays(t *testing.T) {
	paths, err := filepath.Glob("testdata/days/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			for _, how := range []howRun{{1, 1, 0, 0}, {8, 4, 0, 0}, {8, 2, 1, 0}, {8, 2, 0, 1}, {8, 2, 0, 2}, {64, 2, 0, 1}} {
				t.Run(fmt.Sprintf("partitions %d spread %d workers %d budget %d", how.partitions, how.spread, how.workers, how.budget), func(t *testing.T) {
					checkDays(t, readScenario(t, path), newMemory(), how)
				})
			}
			t.Run("disk", func(t *testing.T) { checkDays(t, readScenario(t, path), newDisk(t), howRun{4, 2, 0, 1}) })
		})
	}
}

// daysOf are the days of a scenario, in order: the folders that are dates have the
// inputs and wants of a day; all other files are those of every day.
func daysOf(t *testing.T, all scenario) []scenario {
	days := map[string]scenario{}
	var dates []string
	for name := range all.files {
		date, _, ok := strings.Cut(name, "/")
		if _, seen := days[date]; seen || !ok || !strings.HasPrefix(date, "20") {
			continue
		}
		s := all
		s.job.Date, s.job.State = day(date), true
		s.files = map[string][]byte{}
		for name, data := range all.files {
			if own, ok := strings.CutPrefix(name, date+"/"); ok {
				s.files[own] = data
			} else if !strings.HasPrefix(name, "20") {
				s.files[name] = data
			}
		}
		days[date] = s
		dates = append(dates, date)
	}
	slices.Sort(dates)
	list := make([]scenario, 0, len(dates))
	for _, date := range dates {
		s := days[date]
		if err := s.set(s.files["job.txt"]); err != nil {
			t.Fatal(err)
		}
		s.job.Date = day(date)
		list = append(list, s)
	}
	return list
}

// checkDays runs the days of a scenario, each twice.
func checkDays(t *testing.T, all scenario, kept state, how howRun) {
	for _, s := range daysOf(t, all) {
		s.state = kept
		for range 2 {
			t.Run(dateText(s.job.Date), func(t *testing.T) {
				sink, result := s.runAs(t, how)
				s.compare(t, sink, result)
			})
		}
	}
}

// TestStatementNights: what nights with statements have scanned, and that nights that
// are run out of their order, and then again in it, come to the same.
func TestStatementNights(t *testing.T) {
	for _, name := range []string{"statement_nights", "statement_corrections", "statement_days"} {
		t.Run(name, func(t *testing.T) {
			days := daysOf(t, readScenario(t, "testdata/days/"+name+".txtar"))
			for _, kept := range []state{newMemory(), newDisk(t)} {
				for _, k := range rand.New(rand.NewPCG(1, 2)).Perm(len(days)) {
					days[k].state = kept
					days[k].runAs(t, howRun{2, 1, 0, 0})
				}
				for _, s := range days {
					sink, result := s.runAs(t, howRun{2, 1, 0, 0})
					s.compare(t, sink, result)
				}
			}
		})
	}
	m := newMemory()
	for _, s := range daysOf(t, readScenario(t, "testdata/days/statement_nights.txtar")) {
		s.state = m
		s.runAs(t, howRun{1, 1, 0, 0})
	}
	got := map[string]string{}
	for date, days := range m.scans {
		got[dateText(date)] = dateText(days[0]) + " to " + dateText(days[len(days)-1])
	}
	want := map[string]string{"2026-11-20": "2026-11-01 to 2026-11-30", "2026-11-23": "2026-11-22 to 2026-11-30"}
	if !maps.Equal(got, want) {
		t.Errorf("scanned: %v, want %v", got, want)
	}
}

func dateText(day int32) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }
