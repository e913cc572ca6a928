package engine

import (
	"math/rand/v2"
	"testing"
)

// TestShiftTable: the table adds up as a map does, and so does what two of them
// come to.
func TestShiftTable(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 0))
	want := map[shiftKey]int64{}
	var tables [2]shiftTable
	for i := range 20_000 {
		key := shiftKey{
			store: random.Uint32N(40), terminal: random.Uint32N(4), operator: random.Uint32N(3),
			shift: random.Uint32N(3), channel: random.Uint32N(2), day: -1 + random.Int32N(3),
		}
		amount := random.Int64N(1000)
		want[key] += amount
		tables[i%2].at(key).pos.add(amount)
	}
	tables[0].merge(&tables[1])
	if got := tables[0].len(); got != len(want) {
		t.Errorf("%d keys, want %d", got, len(want))
	}
	for i := range tables[0].len() {
		key := tables[0].key(i)
		if got, _ := tables[0].sum(i).pos.amount.Int64(); got != want[key] {
			t.Errorf("%+v: %d, want %d", key, got, want[key])
		}
	}
	key := tables[0].key(7)
	if n := testing.AllocsPerRun(100, func() { tables[0].at(key).bill.add(1) }); n != 0 {
		t.Errorf("at allocates %v times", n)
	}
}

func TestShiftAt(t *testing.T) {
	const day, hour = daySeconds, 3600
	p := &plan{shifts: []planShift{{6 * hour, 1}, {14 * hour, 2}, {22 * hour, 3}}}
	for _, test := range []struct {
		name      string
		named     uint32
		time      int64
		wantShift uint32
		wantDay   int32
	}{
		{"before the first", 0, 10*day + 6*hour - 1, 3, 9},
		{"the first begins", 0, 10*day + 6*hour, 1, 10},
		{"midnight", 0, 10 * day, 3, 9},
		{"the last begins", 0, 10*day + 22*hour, 3, 10},
		{"named", 2, 10*day + 23*hour, 2, 10},
		{"named, over midnight", 3, 10*day + 1*hour, 3, 9},
		{"named, none of the job's", 7, 10*day + 1*hour, 7, 10},
		{"before 1970", 0, -1, 3, -1},
	} {
		if shift, day := p.shiftAt(test.named, test.time); shift != test.wantShift || day != test.wantDay {
			t.Errorf("%s: shiftAt(%d, %d) = %d, %d, want %d, %d", test.name, test.named, test.time, shift, day, test.wantShift, test.wantDay)
		}
	}
	if shift, day := new(plan).shiftAt(5, 10*day+1); shift != 5 || day != 10 {
		t.Errorf("shiftAt without shifts = %d, %d, want 5, 10", shift, day)
	}
}
