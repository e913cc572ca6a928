package rules

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// example is one line of a file of testdata: left -> right.
type example struct {
	place, left, right string
}

// examples reads the worked examples of a file. Lines that begin with # say what
// the next ones show.
func examples(t *testing.T, name string) []example {
	t.Helper()
	path := filepath.Join("testdata", name)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []example
	lines := bufio.NewScanner(f)
	for no := 1; lines.Scan(); no++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := fmt.Sprintf("%s:%d", path, no)
		at := strings.LastIndex(line, " -> ")
		if at < 0 {
			t.Fatalf("%s: no ->", place)
		}
		all = append(all, example{place, strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+4:])})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no examples", path)
	}
	return all
}

// check runs every example of a file through run, which gives what the right
// side must say.
func check(t *testing.T, name string, run func(t *testing.T, left string) string) {
	t.Helper()
	for _, x := range examples(t, name) {
		if got := run(t, x.left); got != x.right {
			t.Errorf("%s: %s\n got %s\nwant %s", x.place, x.left, got, x.right)
		}
	}
}

func mustFen(t testing.TB, s string) Fen {
	t.Helper()
	f, err := ParseFen([]byte(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return f
}

func mustMicro(t testing.TB, s string) Micro {
	t.Helper()
	m, err := ParseMicro([]byte(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return m
}

func mustFens(t testing.TB, s string) []Fen {
	t.Helper()
	var all []Fen
	for _, word := range strings.Fields(s) {
		all = append(all, mustFen(t, word))
	}
	return all
}

func mustUnquote(t testing.TB, s string) string {
	t.Helper()
	text, err := strconv.Unquote(s)
	if err != nil {
		// A backtick in Go's double quotes is fine; anything else is a slip.
		t.Fatalf("%s: %v", s, err)
	}
	return text
}

func joined[T fmt.Stringer](all []T) string {
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = v.String()
	}
	return strings.Join(words, " ")
}

// seeded is the random source of the tests: the same numbers in every run.
func seeded() *rand.Rand { return rand.New(rand.NewPCG(20261120, 1)) }

// amount gives random magnitudes of every size, and often an extreme.
func amount(r *rand.Rand, most int64) int64 {
	switch r.IntN(12) {
	case 0:
		return 0
	case 1:
		return most
	case 2:
		return r.Int64N(min(most, 10) + 1)
	}
	size := int64(pow10[r.IntN(19)])
	return r.Int64N(min(size, most) + 1)
}

func signedAmount(r *rand.Rand, most int64) int64 {
	return amount(r, most) * (1 - 2*r.Int64N(2))
}

// halfUp rounds as the rules say, away from zero for negatives, by decimal.
func halfUp(d decimal.Decimal, places int32) decimal.Decimal { return d.Round(places) }
