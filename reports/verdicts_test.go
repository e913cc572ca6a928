package reports

import "testing"

func TestVerdictWords(t *testing.T) {
	for _, s := range VerdictStates() {
		for _, text := range []string{s.String(), s.Text(Chinese), s.Text(English), " " + s.Text(Chinese) + "\n"} {
			if got, ok := ParseVerdictState(text); got != s || !ok {
				t.Errorf("ParseVerdictState(%q) = %v, %v, want %v", text, got, ok, s)
			}
		}
	}
	for _, text := range []string{"", "待", "settled?", "1"} {
		if got, ok := ParseVerdictState(text); ok {
			t.Errorf("ParseVerdictState(%q) = %v", text, got)
		}
	}
	for c := VerdictIDColumn; c <= VerdictNoteColumn; c++ {
		for _, lang := range []Lang{Chinese, English} {
			if got, ok := ParseVerdictColumn(c.Head(lang)); got != c || !ok {
				t.Errorf("ParseVerdictColumn(%q) = %v, %v, want %v", c.Head(lang), got, ok, c)
			}
		}
	}
	if got, ok := ParseVerdictColumn("ID"); ok {
		t.Errorf(`ParseVerdictColumn("ID") = %v`, got)
	}
}
