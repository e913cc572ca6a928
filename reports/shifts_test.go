package reports

import (
	"slices"
	"testing"
)

// What is not compared has no difference, and an operator who signs in with a
// mobile is masked.
func TestShifts(t *testing.T) {
	d := newDay(1, 1, 10)
	o := d.options(t.TempDir())
	d.write(t, o, []int{0})
	got := records(t, files(t, o.Dir)["shifts.csv"])[1:] // without the header
	want := [][]string{
		{"S001", "T01", "138****0000", "早班", "alipay", "2", "24.00", "3", "36.00", "1", "1.00", "12.00", "2026-11-20", "0", "0.00", "1.00"},
		{"S001", "T01", "OP, 1", "早班", "alipay", "1", "5.00", "0", "0.00", "0", "0.00", "-5.00", "2026-11-20", "", "", ""},
		{"S001", "T01", "138****0000", "早班", "cash", "1", "0.01", "0", "0.00", "1", "0.01", "", "2026-11-20", "1", "0.01", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("row %d:\n got %q\nwant %q", i, got[i], want[i])
		}
	}
}
