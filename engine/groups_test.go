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
