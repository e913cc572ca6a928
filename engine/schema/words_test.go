package schema

import (
	"fmt"
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
