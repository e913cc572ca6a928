package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// TestWordCache: a cache gives the codes of Words, whatever it has met before,
// and two caches of one Words agree.
func TestWordCache(t *testing.T) {
	words := NewWords()
	a := NewWordCache(words, func(raw []byte) string { return strings.ToUpper(string(raw)) })
	b := NewWordCache(words, func(raw []byte) string { return string(raw) })
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20_000 {
			a.Code(fmt.Appendf(nil, "s%d", i%5000))
		}
	})
	wg.Go(func() {
		for i := range 20_000 {
			b.Code(fmt.Appendf(nil, "S%d", i%5000))
		}
	})
	wg.Wait()
	texts := words.Texts()
	for i := range 5000 {
		lower, upper := a.Code(fmt.Appendf(nil, "s%d", i)), b.Code(fmt.Appendf(nil, "S%d", i))
		if want := fmt.Sprintf("S%d", i); lower != upper || texts[lower] != want {
			t.Fatalf("codes of %s: %d and %d, the word is %q", want, lower, upper, texts[lower])
		}
	}
	if got := a.Code(nil); got != 0 || len(texts) != 5001 {
		t.Errorf("Code(nil) = %d of %d words, want 0 of 5001", got, len(texts))
	}
	raw := []byte("s17")
	if n := testing.AllocsPerRun(100, func() { a.Code(raw) }); n != 0 {
		t.Errorf("Code allocates %v times", n)
	}
}

// TestShortWords: words of every length, many alike, have the codes that Words gives
// them, and no two have one.
func TestShortWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	words := NewWords()
	c := NewWordCache(words, func(raw []byte) string { return string(raw) })
	for range 200_000 {
		raw := make([]byte, rng.IntN(longestShort+4))
		for i := range raw {
			raw[i] = "a\x00\xffb"[rng.IntN(4)]
		}
		if len(raw) > 3 && rng.IntN(2) == 0 {
			copy(raw[1:], raw[:len(raw)-1]) // one byte more than a word that is known
		}
		code := c.Code(raw)
		if got := words.Texts()[code]; got != string(raw) {
			t.Fatalf("the code of %q is that of %q", raw, got)
		}
		if again := c.Code(raw); again != code {
			t.Fatalf("codes of %q: %d, then %d", raw, code, again)
		}
	}
	if n := len(c.slots); n < 256 || c.count == 0 || c.short.count == 0 {
		t.Errorf("%d long words, %d short ones", c.count, c.short.count)
	}
}

// BenchmarkWordCache looks up numbers of goods as a POS has them, 20,000 of them.
func BenchmarkWordCache(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	cells := make([][]byte, 1<<16)
	for i := range cells {
		cells[i] = fmt.Appendf(nil, "SKU%06d", rng.IntN(20_000))
	}
	for _, bench := range []struct {
		name string
		code func(c *WordCache, raw []byte) uint32
	}{{"short", (*WordCache).Code}, {"long", (*WordCache).long}} {
		b.Run(bench.name, func(b *testing.B) {
			c := NewWordCache(NewWords(), func(raw []byte) string { return string(raw) })
			b.ReportAllocs()
			for b.Loop() {
				for _, raw := range cells {
					bench.code(c, raw)
				}
			}
			b.ReportMetric(float64(len(cells)*b.N)/b.Elapsed().Seconds(), "words/s")
		})
	}
}
