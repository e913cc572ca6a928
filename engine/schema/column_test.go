package schema

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

func someLines() *Lines {
	return &Lines{
		Line: []int32{2, 3, 4}, Goods: []uint32{7, 0, 9}, Name: []uint32{1, 2, 3},
		Quantity: []int64{1_000_000, Null, 2_500_000}, Price: []int64{Null, 0, 5}, Flags: []uint8{0, LineNoGoods, LineGoodsRejected},
	}
}

// TestRecord: a table that goes through Arrow comes back as it was.
func TestRecord(t *testing.T) {
	want := someLines()
	rec := Record(want)
	defer rec.Release()
	var got Lines
	if err := View(&got, rec); err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("View(Record(%v)) = %v, %v", want, got, err)
	}
	var statements Statements
	if err := View(&statements, rec); err == nil || err.Error() != "schema: 6 columns, want 14" {
		t.Errorf("View of another table: %v", err)
	}
}

func TestTextRecord(t *testing.T) {
	for _, values := range [][]string{nil, {""}, {"a", "", "长款"}} {
		want := new(Statements)
		for _, v := range values {
			want.TradeNo.AppendString(v)
			want.OutTradeNo.AppendString(v + v)
			want.Line = append(want.Line, 1)
			for _, c := range want.columns() {
				switch data := c.data.(type) {
				case *[]int64:
					*data = append(*data, Null)
				case *[]uint32:
					*data = append(*data, 5)
				case *[]int32:
					if data != &want.Line {
						*data = append(*data, 6)
					}
				}
			}
		}
		rec := Record(want)
		var got Statements
		if err := View(&got, rec); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if string(got.TradeNo.At(i)) != v || string(got.OutTradeNo.At(i)) != v+v {
				t.Errorf("row %d of %q: %q, %q", i, values, got.TradeNo.At(i), got.OutTradeNo.At(i))
			}
		}
		rec.Release()
	}
}

// TestAppend: picking rows, and adding all of them, keeps every column in step.
func TestAppend(t *testing.T) {
	src, dst := someLines(), new(Lines)
	Append(dst, src, []int32{2, 0, 2})
	AppendAll(dst, src)
	want := &Lines{
		Line: []int32{4, 2, 4, 2, 3, 4}, Goods: []uint32{9, 7, 9, 7, 0, 9}, Name: []uint32{3, 1, 3, 1, 2, 3},
		Quantity: []int64{2_500_000, 1_000_000, 2_500_000, 1_000_000, Null, 2_500_000}, Price: []int64{5, Null, 5, Null, 0, 5},
		Flags: []uint8{LineGoodsRejected, 0, LineGoodsRejected, 0, LineNoGoods, LineGoodsRejected},
	}
	if !reflect.DeepEqual(dst, want) {
		t.Errorf("Append, AppendAll: %v, want %v", dst, want)
	}
	if got := Size(src); got != 3*(4+4+4+8+8+1) {
		t.Errorf("Size = %d", got)
	}
	Reset(dst)
	if dst.Len() != 0 || Size(dst) != 0 {
		t.Errorf("after Reset: %d rows, %d bytes", dst.Len(), Size(dst))
	}
}

// TestTextAppend: a column of texts that is cut out of another begins at 0.
func TestTextAppend(t *testing.T) {
	var a, b Text
	for _, v := range []string{"x", "", "yy"} {
		a.AppendString(v)
	}
	src := &Statements{TradeNo: a}
	part := &Statements{TradeNo: Text{Offsets: src.TradeNo.Offsets[1:], Data: src.TradeNo.Data}}
	dst := &Statements{TradeNo: b}
	AppendAll(dst, part)
	AppendAll(dst, src)
	if got := string(dst.TradeNo.At(1)) + "|" + string(dst.TradeNo.At(2)) + "|" + string(dst.TradeNo.At(4)); got != "yy|x|yy" {
		t.Errorf("AppendAll of a cut column: %s", got)
	}
}

// TestReorder: the table becomes what Append picks, with the memory of tables before
// it.
func TestReorder(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	var spare Spare
	for range 50 {
		o, want := new(Orders), new(Orders)
		randomRows(o, rng, 1+rng.IntN(60))
		var rows []int32
		for _, row := range rng.Perm(o.Len()) {
			rows = append(rows, int32(row))
		}
		Append(want, o, rows)
		Reorder(o, rows, &spare)
		if got, want := fmt.Sprint(o), fmt.Sprint(want); got != want { // an empty slice is as good as none
			t.Fatalf("Reorder(%v): %s, want %s", rows, got, want)
		}
	}
}
