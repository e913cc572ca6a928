package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"duizhang/cmd/duizhang/lang"
)

// A table is aligned text for people. Chinese letters are two columns wide.
type table struct {
	rows  [][]string
	right map[int]bool // columns that align at the right
}

func newTable(right ...int) *table {
	t := &table{right: map[int]bool{}}
	for _, column := range right {
		t.right[column] = true
	}
	return t
}

// row adds a row; its cells may hold anything.
func (t *table) row(cells ...string) {
	plain := make([]string, len(cells))
	for i, cell := range cells {
		plain[i] = lang.Plain(cell)
	}
	t.rows = append(t.rows, plain)
}

// write prints the rows with two blanks between columns.
func (t *table) write(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	for _, row := range t.rows {
		var b strings.Builder
		for i, cell := range row {
			fill := strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if t.right[i] {
				b.WriteString(fill + cell)
			} else {
				b.WriteString(cell + fill)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// shortened is text of at most so many columns.
func shortened(text string, width int) string { return runewidth.Truncate(text, width, "…") }
