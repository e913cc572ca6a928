package engine

import (
	"context"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"duizhang/engine/schema"
)

// BenchmarkReconcile measures one partition, from its rows to its result rows.
func BenchmarkReconcile(b *testing.B) {
	d := makeDay(3, 20_000)
	w, rows := oneWorker(b, d)
	b.ReportAllocs()
	for b.Loop() {
		w.rows.reset()
		w.rows.add(rows)
		if _, err := w.reconcile(0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(20_000*b.N)/b.Elapsed().Seconds(), "trades/s")
}

// BenchmarkNumber measures the join itself: out_trade_nos and trade_nos to groups.
func BenchmarkNumber(b *testing.B) {
	d := makeDay(3, 20_000)
	w, rows := oneWorker(b, d)
	w.rows.add(rows)
	w.number()
	n := len(w.orderKey) + len(w.billKey) + len(w.refundKey) + len(w.statementKey)
	b.ReportAllocs()
	for b.Loop() {
		w.number()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRows measures how a partition's rows come out of the store.
func BenchmarkRows(b *testing.B) {
	for _, bench := range []struct {
		name   string
		budget int64
	}{{"memory", 0}, {"disk", 1}} {
		b.Run(bench.name, func(b *testing.B) {
			d := makeDay(3, 20_000)
			store := NewStore(StoreOptions{Words: d.words, Layout: Layout{Partitions: 16}, Budget: bench.budget, SpillDir: b.TempDir()})
			defer store.Close()
			n := 0
			for _, batch := range d.batches {
				n += int(batch.Rows.NumRows())
				if err := store.Batch(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := store.route(b.Context(), 1, nil, false); err != nil {
				b.Fatal(err)
			}
			var rows Rows
			b.ReportAllocs()
			for b.Loop() {
				for p := range 16 {
					if err := store.rows(p, &rows); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkStore measures the division of batches among partitions.
func BenchmarkStore(b *testing.B) {
	d := makeDay(3, 20_000)
	rows, bytes := 0, int64(0)
	for _, batch := range d.batches {
		rows += int(batch.Rows.NumRows())
		bytes += recordBytes(batch.Rows)
		if batch.Lines != nil {
			bytes += recordBytes(batch.Lines)
		}
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		store := NewStore(StoreOptions{Words: d.words, Layout: Layout{Partitions: 16}})
		for _, batch := range d.batches {
			if err := store.Batch(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// recordBytes is what the columns of a batch take.
func recordBytes(rec arrow.Record) (n int64) {
	for _, column := range rec.Columns() {
		for _, buffer := range column.Data().Buffers() {
			if buffer != nil {
				n += int64(buffer.Len())
			}
		}
	}
	return n
}

func oneWorker(tb testing.TB, d *madeDay) (*worker, *Rows) {
	tb.Helper()
	store := NewStore(StoreOptions{Words: d.words, Layout: Layout{Partitions: 1}})
	for _, batch := range d.batches {
		if err := store.Batch(tb.Context(), batch); err != nil {
			tb.Fatal(err)
		}
	}
	p, err := newPlan(d.job, store, d.tables)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := store.route(tb.Context(), 1, nil, false); err != nil {
		tb.Fatal(err)
	}
	rows := new(Rows)
	if err := store.rows(0, rows); err != nil {
		tb.Fatal(err)
	}
	return newWorker(p), rows
}

// TestReconcileAllocates: matching, splitting, allocating and auditing take no
// memory a row; only findings do, and they are few in a day that agrees.
func TestReconcileAllocates(t *testing.T) {
	t.Run("a day alone", func(t *testing.T) { reconcileAllocates(t, cleanDay(5000)) })
	t.Run("state", func(t *testing.T) {
		d := cleanDay(5000)
		d.job.State, d.job.CarryDays, d.job.History = true, 3, noHistory{}
		reconcileAllocates(t, d)
	})
}

// noHistory is that of a first day.
type noHistory struct{}

func (noHistory) Find(int, *schema.Wanted, *schema.Settled, *schema.Returned) error { return nil }

func (noHistory) Scan(context.Context, []int32, func(*schema.Settled, *schema.Returned) error) error {
	return nil
}

func (noHistory) Covered(Coverage) (int32, bool) { return 0, false }

func (noHistory) Times() (paid, ordered []Span) { return nil, nil }

func reconcileAllocates(t *testing.T, d *madeDay) {
	t.Helper()
	w, rows := oneWorker(t, d)
	run := func() {
		w.rows.reset()
		w.rows.add(rows)
		if found, err := w.reconcile(0); err != nil || len(found.breaks) > 0 {
			t.Fatalf("%d breaks in a clean day: %+v", len(found.breaks), found.breaks[0])
		}
	}
	run() // the worker's memory grows to the partition's size
	if n := testing.AllocsPerRun(5, run); n > 100 {
		t.Errorf("%v allocations for 5000 trades, want a few for the partition", n)
	}
}

// TestStoreAllocates: dividing rows among partitions takes no memory a row, but
// for the bytes that they are packed into.
func TestStoreAllocates(t *testing.T) {
	d := cleanDay(5000)
	store := NewStore(StoreOptions{Words: d.words, Layout: Layout{Partitions: 16}})
	defer store.Close()
	add := func() {
		for _, b := range d.batches {
			if err := store.Batch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 4 { // the stages grow to their size
		add()
	}
	const most = 500 // a few for each batch and segment; the race detector empties pools now and then
	if n := testing.AllocsPerRun(10, add); n > most {
		t.Errorf("%v allocations for the batches of 5000 trades, want at most %d", n, most)
	}
}

// cleanDay is a day on which both sides agree in everything: one trade in ten is
// refunded in part.
func cleanDay(trades int) *madeDay {
	d := makeDay(1, 1)
	w := d.words
	rng := newRand()
	m, provider, store := w.Code("2088000000000001"), w.Code("2088900000000001"), w.Code("S1")
	goods := []uint32{w.Code("G1"), w.Code("G2"), w.Code("G3")}
	var bills schema.Bills
	var orders schema.Orders
	var lines schema.Lines
	var refunds schema.PosRefunds
	var returned schema.RefundLines
	var accounts schema.Accounts
	credit := w.Code("在线支付")
	for i := range trades {
		no, trade := key(i), "T"+key(i)
		d.addBill(&bills, schema.Payment, m, no, trade, "", 1000, noon, store, rng)
		appendOrder(&orders, &lines, 2, no, trade, m, store, provider, 1000, noon, 1, goods, rng)
		if i%10 == 0 {
			d.addBill(&bills, schema.Refund, m, no, trade, "R1", 300, noon+60, store, rng)
			appendRefund(&refunds, &returned, 5, no, m, "R1", 300, noon+60)
		}
		moved := func(flow string, income, expense int64) {
			a := &accounts
			a.Table, a.Line, a.Account = append(a.Table, 6), append(a.Line, int32(a.Len()+5)), append(a.Account, m)
			a.Flow.AppendString(flow + no)
			a.TradeNo.AppendString(trade)
			a.OutTradeNo.AppendString(no)
			a.Type, a.Time = append(a.Type, credit), append(a.Time, noon)
			a.Income, a.Expense, a.Reject = append(a.Income, income), append(a.Expense, expense), append(a.Reject, 0)
		}
		moved("F", 1000, 0)
		if i%10 == 0 {
			moved("R", 0, 300)
		}
	}
	d.batches = []schema.Batch{
		{Kind: schema.AlipayBill, Rows: schema.Record(&bills)},
		{Kind: schema.PosOrders, Rows: schema.Record(&orders), Lines: schema.Record(&lines)},
		{Kind: schema.PosRefundsKind, Rows: schema.Record(&refunds), Lines: schema.Record(&returned)},
		{Kind: schema.AlipayAccount, Rows: schema.Record(&accounts)},
	}
	return d
}
