package loaders

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Lines that begin as the one before them are cut where they differ: the same rows,
// whatever stands between them.
func TestRepeatedBeginnings(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	columns := strings.Count(orderHeader, ",") // before the last
	for round := range 300 {
		var data bytes.Buffer
		var line []string
		for range 60 {
			switch rng.IntN(9) {
			case 0:
				data.WriteString([]string{"", ",,,", strings.Repeat(",", columns), " ", "A1", "\"A1\",x"}[rng.IntN(6)] + "\n")
				continue
			case 1, 2, 3, 4: // another line of the order, or nearly
				if len(line) > 8 {
					k := len(line) - 1 - rng.IntN(4)
					line[k] = []string{"1", "2", "x", "", "12", "\"1\"", "\"a,b\""}[rng.IntN(7)]
				}
			case 5: // one that ends early, or goes on
				if len(line) > 8 {
					line = append(line[:len(line)-rng.IntN(6)], []string{"", "1"}[rng.IntN(2)])
				}
			default:
				line = strings.Split("A"+string(rune('1'+rng.IntN(3)))+",,,,2026-11-20 10:00:00,,,,10.00,,,G1,1,1", ",")
			}
			data.WriteString(strings.Join(line, ",") + []string{"\n", "\r\n"}[rng.IntN(2)])
		}
		var shown [2]string
		for i := range shown {
			p, _ := benchParser(t, []byte(orderHeader))
			g := &gathered{words: p.t.opt.Words}
			p.t.sink = g
			p.t.comma = ','
			p.t.columns = strings.Count(strings.TrimSpace(orderHeader), ",") + 1
			p.t.multiline = round%2 == 0
			tab := &tableRun{tableReader: p.t, known: &format{multiline: p.t.multiline}}
			var s splitter
			s.start(tab, p, data.Bytes())
			if s.rep == nil {
				t.Fatal("the parser of orders repeats nothing")
			}
			if i == 1 {
				s.rep = nil
			}
			read := s.lines
			if p.t.multiline {
				read = s.records
			}
			if err := read(t.Context(), slices.Clone(data.Bytes()), 2); err != nil {
				t.Fatal(err)
			}
			g.orders, g.lines = p.orders, p.lines
			shown[i] = g.placed() + g.orderText()
		}
		if shown[0] != shown[1] {
			t.Fatalf("%s\ncut where they differ:\n%s\ncut whole:\n%s", data.Bytes(), shown[0], shown[1])
		}
	}
}

var _ repeater = (*orderParser)(nil)
