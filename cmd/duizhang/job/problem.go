package job

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
)

// A Problem is one thing that is wrong with a job file.
type Problem struct {
	Pos   schema.Pos
	Value string // as written; quoted in the text
	Text  string // what is wrong, and the valid choices
}

// Error is place, value and text, on one line:
// job.yaml:7:12 (goods.remainder): "last": …
func (p Problem) Error() string {
	text := p.Pos.String() + ": "
	if p.Value != "" {
		text += strconv.Quote(p.Value) + ": "
	}
	return lang.Plain(text + p.Text)
}

// Problems is all that is wrong with a job file, sorted by place.
type Problems []Problem

// Error has a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

// Nearest is the choice that the word most likely means, or "" where none is
// near: at most a third of its letters are wrong, left out or added.
func Nearest(word string, choices []string) string {
	best, least := "", len([]rune(word))/3+1
	for _, choice := range choices {
		if strings.EqualFold(word, choice) {
			return choice
		}
		if d := distance(strings.ToLower(word), strings.ToLower(choice)); d < least || d == least && best == "" {
			best, least = choice, d
		}
	}
	return best
}

// distance is the number of letters to change, add, take away or exchange with
// their neighbour that makes a out of b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, row := make([]int, len(to)+1), make([]int, len(to)+1)
	next := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		next[0] = i + 1
		for j := range to {
			change := row[j]
			if from[i] != to[j] {
				change++
			}
			next[j+1] = min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(to)]
}
