package main

import "testing"

func TestHolds(t *testing.T) {
	for _, test := range []struct {
		raw, number string
		want        bool
	}{
		{"POS1,2026,1O.00", "POS1", true},
		{"x,POS1", "POS1", true},
		{"x,\"POS1\t\",y", "POS1", true},
		{`x,="POS1",y`, "POS1", true},
		{"POS11,POS1", "POS1", true},
		{"POS11,XPOS1,POS1-2", "POS1", false},
		{"甲POS1,", "POS1", false},
		{"10.00,10", "10", true},
		{"10.00", "10", false},
		{"A B,1", "A B", true},
		{"POS1", "", false},
		{"", "POS1", false},
	} {
		if got := holds(test.raw, test.number); got != test.want {
			t.Errorf("holds(%q, %q) = %v, want %v", test.raw, test.number, got, test.want)
		}
	}
}
