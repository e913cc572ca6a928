package engine

import (
	"testing"

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
		w.reconcile(0)
	}
	b.ReportMetric(float64(20_000*b.N)/b.Elapsed().Seconds(), "trades/s")
}

// BenchmarkStore measures the division of batches among partitions.
func BenchmarkStore(b *testing.B) {
	d := makeDay(3, 20_000)
	rows := 0
	for _, batch := range d.batches {
		rows += int(batch.Rows.NumRows())
	}
	b.ReportAllocs()
	for b.Loop() {
		store := NewStore(StoreOptions{Words: d.words, Partitions: 16})
		for _, batch := range d.batches {
			if err := store.Batch(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func oneWorker(tb testing.TB, d *madeDay) (*worker, *Rows) {
	tb.Helper()
	store := NewStore(StoreOptions{Words: d.words, Partitions: 1})
	for _, batch := range d.batches {
		if err := store.Batch(tb.Context(), batch); err != nil {
			tb.Fatal(err)
		}
	}
	p, err := newPlan(d.job, store, d.tables)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := store.route(tb.Context(), 1); err != nil {
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
	d := cleanDay(5000)
	w, rows := oneWorker(t, d)
	run := func() {
		w.rows.reset()
		w.rows.add(rows)
		if found := w.reconcile(0); len(found.breaks) > 0 {
			t.Fatalf("%d breaks in a clean day: %+v", len(found.breaks), found.breaks[0])
		}
	}
	run() // the worker's memory grows to the partition's size
	if n := testing.AllocsPerRun(5, run); n > 100 {
		t.Errorf("%v allocations for 5000 trades, want a few for the partition", n)
	}
}

// cleanDay is a day on which both sides agree in everything.
func cleanDay(trades int) *madeDay {
	d := makeDay(1, 1)
	w := d.words
	rng := newRand()
	m, provider, store := w.Code("2088000000000001"), w.Code("2088900000000001"), w.Code("S1")
	goods := []uint32{w.Code("G1"), w.Code("G2"), w.Code("G3")}
	var bills schema.Bills
	var orders schema.Orders
	var lines schema.Lines
	for i := range trades {
		no, trade := key(i), "T"+key(i)
		d.addBill(&bills, schema.Payment, m, no, trade, "", 1000, noon, store, rng)
		appendOrder(&orders, &lines, 2, no, trade, m, store, provider, 1000, noon, 1, goods, rng)
	}
	d.batches = []schema.Batch{
		{Kind: schema.AlipayBill, Rows: schema.Record(&bills)},
		{Kind: schema.PosOrders, Rows: schema.Record(&orders), Lines: schema.Record(&lines)},
	}
	return d
}
