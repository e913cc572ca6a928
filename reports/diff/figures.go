package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Figure is a number of summary.json that differs: blank in a run that does not
// have it.
type Figure struct{ Path, Before, After string }

// figured are the parts of a summary whose figures are compared: those that are no
// rows of trades and refunds, and no breaks, which the comparison itself has.
var figured = []string{"incomplete", "excluded", "goods", "rebates", "accounts", "devices", "shifts", "rejects", "carried", "exit_code"}

// Figures are the figures of two summaries that differ, in the order of the
// summary.
func Figures(before, after []byte) ([]Figure, error) {
	var runs [2]map[string]string
	var order []string
	for run, text := range [...][]byte{before, after} {
		runs[run] = map[string]string{}
		var summary map[string]json.RawMessage
		if err := json.Unmarshal(text, &summary); err != nil {
			return nil, fmt.Errorf("summary: %w", err)
		}
		for _, part := range figured {
			if err := flatten(summary[part], part, func(path, value string) {
				if _, known := runs[0][path]; !known && !slices.Contains(order, path) {
					order = append(order, path)
				}
				runs[run][path] = value
			}); err != nil {
				return nil, fmt.Errorf("summary: %s: %w", part, err)
			}
		}
	}
	rank := func(path string) int {
		part, _, _ := strings.Cut(path, ".")
		return slices.Index(figured, part)
	}
	slices.SortStableFunc(order, func(a, b string) int { return rank(a) - rank(b) })
	var figures []Figure
	for _, path := range order {
		if runs[0][path] != runs[1][path] {
			figures = append(figures, Figure{path, runs[0][path], runs[1][path]})
		}
	}
	return figures, nil
}

// flatten gives the numbers, amounts and truths of a value by their path; lists are
// left out.
func flatten(raw json.RawMessage, path string, each func(path, value string)) error {
	if len(raw) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var walk func(path string) error
	walk = func(path string) error {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case json.Delim:
			if t == '[' { // skipped
				for depth := 1; depth > 0; {
					t, err := d.Token()
					if err != nil {
						return err
					}
					switch t {
					case json.Delim('['), json.Delim('{'):
						depth++
					case json.Delim(']'), json.Delim('}'):
						depth--
					}
				}
				return nil
			}
			for d.More() {
				key, err := d.Token()
				if err != nil {
					return err
				}
				if err := walk(path + "." + fmt.Sprint(key)); err != nil {
					return err
				}
			}
			_, err := d.Token()
			return err
		case nil:
		default:
			each(path, fmt.Sprint(t))
		}
		return nil
	}
	return walk(path)
}
