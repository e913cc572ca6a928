package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"duizhang/engine/schema"
)

// TestRanked: keys are ordered by their bytes, as a plain sort orders them.
func TestRanked(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	var order []rankedKey
	for round := range 300 {
		var text schema.Text
		var g groups
		n := rng.IntN(60)
		g.reset(n)
		prefix := []string{"", "POS2026", "N\x00"}[round%3]
		for row := range n {
			switch rng.IntN(4) {
			case 0:
				text.AppendString(prefix + string([]byte{byte(rng.IntN(2))})[:rng.IntN(2)])
			case 1:
				text.AppendString(fmt.Sprintf("%s%012d", prefix, rng.IntN(100)))
			default:
				text.AppendString(fmt.Sprintf("%s%x", prefix, rng.Uint64()>>rng.IntN(64)))
			}
			g.add(uint64(rng.IntN(3)), &text, row) // a key may be there twice: order is by bytes alone
		}
		order = g.ranked(order)
		want := make([][]byte, g.len())
		for key := range want {
			want[key] = g.key(int32(key))
		}
		slices.SortFunc(want, bytes.Compare)
		for i, k := range order {
			if !bytes.Equal(g.key(k.key), want[i]) {
				t.Fatalf("round %d: key %d is %q, want %q", round, i, g.key(k.key), want[i])
			}
		}
		if len(order) != len(want) {
			t.Fatalf("%d keys, want %d", len(order), len(want))
		}
	}
}

// TestRenumber: keys are found by their new numbers, and stand where they were moved.
func TestRenumber(t *testing.T) {
	var first, second schema.Text
	var g groups
	const n = 500
	g.reset(2 * n)
	hash := func(row int) uint64 { return uint64(row % 7) } // many collide
	for row := range n {
		first.AppendString(fmt.Sprint("a", row))
		second.AppendString(fmt.Sprint("b", row))
	}
	var inFirst, inSecond []int32
	for row := range n {
		inFirst = append(inFirst, g.add(hash(row), &first, row))
		inSecond = append(inSecond, g.add(hash(row), &second, row))
	}
	number := make([]int32, g.len())
	for k, to := range rand.New(rand.NewPCG(1, 9)).Perm(g.len()) {
		number[k] = int32(to)
	}
	g.renumber(number)
	rows := make([]int32, n) // the second column is turned round, the first stays
	var turned schema.Text
	for row := range n {
		rows[row] = number[inSecond[n-1-row]]
		turned.Append(second.At(n - 1 - row))
	}
	second = turned
	g.moved(&second, rows)
	for row := range n {
		for _, key := range []struct {
			text string
			want int32
		}{{fmt.Sprint("a", row), number[inFirst[row]]}, {fmt.Sprint("b", row), number[inSecond[row]]}} {
			if have := g.find(hash(row), []byte(key.text)); have != key.want {
				t.Fatalf("find(%s) = %d, want %d", key.text, have, key.want)
			}
			if have := string(g.key(key.want)); have != key.text {
				t.Fatalf("key(%d) = %s, want %s", key.want, have, key.text)
			}
		}
	}
	if have := g.find(3, []byte("c")); have != -1 {
		t.Errorf("find(c) = %d, want -1", have)
	}
}

// TestTradesBesideOrders: the trades of rows that are found beside those of orders are
// those that are looked up, whatever the order of the rows.
func TestTradesBesideOrders(t *testing.T) {
	d := makeDay(5, 3000)
	w, rows := oneWorker(t, d)
	for _, sorted := range []bool{false, true} {
		w.rows.reset()
		w.rows.add(rows)
		if sorted {
			w.inKeyOrder()
		} else {
			w.number()
		}
		check := func(name string, have []int32, text *schema.Text) {
			beside := w.trades.len()
			if want := w.group(nil, &w.trades, text); !slices.Equal(have, want) {
				t.Errorf("sorted %v: trades of %s differ", sorted, name)
			}
			if w.trades.len() != beside {
				t.Errorf("sorted %v: %s have trades that were not found", sorted, name)
			}
		}
		check("bills", w.billTrade, &w.rows.Bills.TradeNo)
		check("refunds", w.refundTrade, &w.rows.Refunds.TradeNo)
	}
}

// TestMergedUnits: units are merged into the order in which they are sorted.
func TestMergedUnits(t *testing.T) {
	w, rows := oneWorker(t, makeDay(6, 3000))
	w.rows.reset()
	w.rows.add(rows)
	if _, err := w.reconcile(0); err != nil {
		t.Fatal(err)
	}
	payments := 0
	for _, i := range w.sorted {
		if w.units[i].order < 0 {
			payments++
		}
	}
	w.sorted = w.sorted[:0]
	if !w.mergeUnits() {
		t.Skip("the units are of several merchants") // which is what the random days are
	}
	if payments == 0 {
		t.Fatal("a day without payments that stand alone tests nothing")
	}
	merged := slices.Clone(w.sorted)
	slices.SortFunc(w.unitOrder, w.compareOrdered)
	for k, ordered := range w.unitOrder {
		if merged[k] != ordered.unit {
			t.Fatalf("unit %d is %d, want %d", k, merged[k], ordered.unit)
		}
	}
}
