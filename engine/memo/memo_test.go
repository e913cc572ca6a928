package memo_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"duizhang/engine/memo"
	"duizhang/rules"
)

type place struct {
	table int32 `memo:"table"`
	Line  int32
}

type key struct {
	a, b uint32
	text string
}

type value struct {
	flag   bool
	amount int64
	sum    rules.Sum
	text   string
	tables []int32 `memo:"table"`
	places []place
	byKey  map[key]*place
	counts [3]uint16
	names  []string
	next   *value
	_      struct{}
	flat   []struct{ a, b int64 }
	bytes  []byte
	_      func() `memo:"-"`
}

func sample() *value {
	v := &value{
		flag: true, amount: -12, text: "支付宝", tables: []int32{0, 1, -1}, places: []place{{1, 7}, {-1, 8}},
		byKey: map[key]*place{{1, 2, "x"}: {0, 3}, {4, 5, ""}: nil}, counts: [3]uint16{1, 2, 3}, names: []string{"", "a"},
		next: &value{amount: 5}, flat: []struct{ a, b int64 }{{1, 2}, {3, 4}}, bytes: []byte("raw"),
	}
	v.sum.Add(99)
	return v
}

// renumbered is the sample as it is when its tables are 4 and 2 now.
func renumbered() *value {
	v := sample()
	v.tables = []int32{4, 2, -1}
	v.places = []place{{2, 7}, {-1, 8}}
	v.byKey[key{1, 2, "x"}].table = 4
	return v
}

func TestReadIsWhatWasWritten(t *testing.T) {
	data := memo.Append([]byte(nil), sample())
	for _, c := range []struct {
		tables []int32
		want   *value
	}{{nil, sample()}, {[]int32{4, 2}, renumbered()}} {
		var got value
		rest, err := memo.Read(append(data[:len(data):len(data)], "rest"...), &got, c.tables)
		if err != nil || string(rest) != "rest" {
			t.Fatalf("Read: %q left, %v", rest, err)
		}
		got.next.byKey, got.next.flat = nil, nil // an empty map is as good as none
		if !reflect.DeepEqual(&got, c.want) {
			t.Errorf("tables %v:\ngot  %+v\nwant %+v", c.tables, &got, c.want)
		}
	}
	if _, err := memo.Read(data, new(value), []int32{0}); err == nil {
		t.Error("a table that is not there now must be an error")
	}
}

// Damaged bytes give an error or another value, never a crash or a wish for memory.
func TestDamagedBytes(t *testing.T) {
	data := memo.Append(nil, sample())
	for n := range data {
		if _, err := memo.Read(data[:n], new(value), nil); err == nil {
			t.Fatalf("the first %d of %d bytes were read without an error", n, len(data))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		damaged := append([]byte(nil), data...)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] = byte(random.Uint32())
		}
		_, _ = memo.Read(damaged, new(value), []int32{0, 1})
	}
}

func TestShapeTellsTypesApart(t *testing.T) {
	type tagged struct {
		Table int32 `memo:"table"`
	}
	type plain struct{ Table int32 }
	if memo.Shape[tagged]() == memo.Shape[plain]() {
		t.Error("a tag makes no difference")
	}
	if s := memo.Shape[value](); !strings.Contains(s, "table") || memo.Shape[value]() != s {
		t.Errorf("shape %q", s)
	}
}

func TestNoPlainData(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a function was taken for data")
		}
	}()
	memo.Append(nil, &struct{ f func() }{})
}
