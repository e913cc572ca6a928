package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGrowthTo(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		floor, live int64
		want        int
	}{
		{64 * mb, 0, 1600},
		{64 * mb, 8 * mb, 700},
		{64 * mb, 50 * mb, 28},
		{64 * mb, 60 * mb, heapGrowth},
		{64 * mb, 900 * mb, heapGrowth},
	} {
		if got := growthTo(test.floor, test.live); got != test.want {
			t.Errorf("growthTo(%d, %d) = %d, want %d", test.floor, test.live, got, test.want)
		}
	}
}

// What was set before a run is set after it, whatever collections come in between.
func TestBoundMemoryIsTakenBack(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	restore := boundMemory(1 << 30)
	for range 3 {
		runtime.GC()
	}
	if now := debug.SetGCPercent(50); now < heapGrowth || now == 77 {
		t.Errorf("the growth of a run is %d", now)
	}
	restore()
	for range 3 {
		runtime.GC()
	}
	if after := debug.SetGCPercent(77); after != 77 {
		t.Errorf("the growth is %d after the run, want 77", after)
	}
}
