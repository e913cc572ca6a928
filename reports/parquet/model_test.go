package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// null is how a model's cells have one.
const null = "\x00null"

// A model is a table as it is written and as it must read: decimals without
// their point, times in milliseconds.
type model struct {
	rows   int
	fields []Field
	write  []func(*Writer)
	cells  [][]string // by column
}

func (m *model) add(f Field, write func(*Writer), cell func(i int) string) {
	cells := make([]string, m.rows)
	for i := range cells {
		cells[i] = cell(i)
	}
	m.fields, m.write, m.cells = append(m.fields, f), append(m.write, write), append(m.cells, cells)
}

func (m *model) ints(f Field, values []int64) {
	m.add(f, func(w *Writer) { w.Ints(values) }, func(i int) string {
		if values[i] == Null {
			return null
		}
		return strconv.FormatInt(values[i], 10)
	})
}

func (m *model) wide(f Field, values []Int128, none []bool) {
	m.add(f, func(w *Writer) { w.Wide(values, none) }, func(i int) string {
		if none != nil && none[i] {
			return null
		}
		v := new(big.Int).Lsh(big.NewInt(values[i].High), 64)
		return v.Add(v, new(big.Int).SetUint64(values[i].Low)).String()
	})
}

func (m *model) bools(f Field, values []uint8) {
	m.add(f, func(w *Writer) { w.Bools(values) }, func(i int) string { return strconv.FormatBool(values[i] != 0) })
}

func (m *model) text(f Field, texts []string) {
	var data []byte
	offsets := []int32{0}
	for _, text := range texts {
		data = append(data, text...)
		offsets = append(offsets, int32(len(data)))
	}
	if len(texts) == 0 {
		offsets = nil
	}
	m.add(f, func(w *Writer) { w.Text(offsets, data) }, func(i int) string {
		if texts[i] == "" {
			return null
		}
		return texts[i]
	})
}

// words numbers words, "" for none, in the order of their first appearance.
func (m *model) words(f Field, texts []string) {
	numbers := map[string]int32{"": -1}
	var words []string
	indices := make([]int32, len(texts))
	for i, text := range texts {
		number, ok := numbers[text]
		if !ok {
			number = int32(len(words))
			numbers[text] = number
			words = append(words, text)
		}
		indices[i] = number
	}
	m.add(f, func(w *Writer) { w.Words(indices, words) }, func(i int) string {
		if texts[i] == "" {
			return null
		}
		return texts[i]
	})
}

func (m *model) places(f Field, prefixes []string, files, lines []int32) {
	m.add(f, func(w *Writer) { w.Places(prefixes, files, lines) }, func(i int) string {
		if files[i] < 0 {
			return null
		}
		return placeText(prefixes[files[i]], lines[i])
	})
}

func placeText(prefix string, line int32) string {
	if line == 0 {
		return strings.TrimSuffix(prefix, ":")
	}
	return prefix + strconv.Itoa(int(line))
}

func (m *model) file(t testing.TB, codec Codec) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := m.writeTo(NewWriter(codec), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (m *model) writeTo(w *Writer, out io.Writer) error {
	w.Begin(out, NewSchema(m.fields, KeyValue{"made", "up"}), m.rows)
	for _, write := range m.write {
		write(w)
	}
	return w.End()
}

// randomModel has a column of every kind and of many distributions; nulls are so
// many of a hundred rows.
func randomModel(seed uint64, rows, nulls int) *model {
	rng := rand.New(rand.NewPCG(seed, uint64(rows)))
	m := &model{rows: rows}
	blank := func() bool { return rng.IntN(100) < nulls }
	ints := func(value func(i int) int64) []int64 {
		values := make([]int64, rows)
		for i := range values {
			if values[i] = value(i); blank() {
				values[i] = Null
			}
		}
		return values
	}
	texts := func(value func(i int) string) []string {
		values := make([]string, rows)
		for i := range values {
			if !blank() {
				values[i] = value(i)
			}
		}
		return values
	}
	fen := Field{Kind: Decimal, Precision: 18, Scale: 2, Range: true}
	rebate := Field{Kind: Decimal, Precision: 20, Scale: 6}
	quantity := Field{Kind: Decimal, Precision: 22, Scale: 6}
	rate := Field{Kind: Decimal, Precision: 9, Scale: 6, Range: true}
	moment := Field{Kind: Timestamp, Range: true}
	name := func(f Field, name string) Field {
		f.Name = name
		return f
	}
	const most = 999_999_999_999_999_999
	extreme := []int64{-most, most, 0, 1, -1}
	m.ints(name(fen, "fen"), ints(func(int) int64 { return rng.Int64N(2_000_000) - 500 }))
	m.ints(name(fen, "fen_extreme"), ints(func(int) int64 { return extreme[rng.IntN(5)] / (1 + rng.Int64N(2)*rng.Int64N(1000)) }))
	m.ints(name(fen, "fen_zero"), ints(func(int) int64 { return 0 }))
	m.ints(name(fen, "fen_few"), ints(func(int) int64 { return 500 * rng.Int64N(3) }))
	m.ints(name(fen, "fen_rare"), ints(func(i int) int64 { return 7 * int64(i%1000/999) }))
	m.ints(name(rebate, "rebate"), ints(func(int) int64 { return rng.Int64() - 1<<62 }))
	m.ints(name(rebate, "rebate_few"), ints(func(int) int64 { return -5000 + 1000*rng.Int64N(40) }))
	m.ints(name(quantity, "quantity"), ints(func(int) int64 { return -rng.Int64N(1 << 40) }))
	m.ints(name(quantity, "quantity_one"), ints(func(int) int64 { return 1_000_000 }))
	m.ints(name(quantity, "quantity_some"), ints(func(int) int64 { return rng.Int64N(5000) }))
	m.ints(name(rate, "rate"), ints(func(int) int64 { return []int64{5500, 2000, -999_999_999, 999_999_999}[rng.IntN(4)] }))
	m.ints(name(rate, "rate_any"), ints(func(int) int64 { return rng.Int64N(1_999_999_999) - 999_999_999 }))
	m.ints(name(moment, "time"), ints(func(int) int64 { return 1000 * (1795104000 + rng.Int64N(86400)) }))
	m.ints(name(moment, "time_rising"), ints(func(i int) int64 { return 1000 * (1795104000 + int64(i/3)) }))
	m.ints(Field{Name: "int", Kind: Int}, ints(func(i int) int64 { return int64(i % 5) }))
	m.ints(Field{Name: "int_any", Kind: Int, Range: true}, ints(func(int) int64 {
		return []int64{math.MaxInt64, math.MinInt64 + 1, int64(rng.Uint64()) | 1, 0}[rng.IntN(4)]
	}))
	m.bools(Field{Name: "bool", Kind: Bool}, func() []uint8 {
		values := make([]uint8, rows)
		for i := range values {
			values[i] = uint8(rng.IntN(2))
		}
		return values
	}())

	text := Field{Kind: Text, Range: true}
	m.text(name(text, "id"), texts(func(i int) string { return fmt.Sprintf("POS20261120%07d", i*3+rng.IntN(3)) }))
	m.text(name(text, "id_random"), texts(func(int) string { return fmt.Sprintf("20261120220014%014d", rng.Int64N(1e14)) }))
	m.text(name(text, "id_same"), texts(func(i int) string { return fmt.Sprintf("A%d", i/7) }))
	m.text(name(text, "text"), texts(func(int) string { return strings.Repeat("退款单号-é-x", rng.IntN(4)) }))
	m.text(name(text, "text_long"), texts(func(i int) string {
		return strings.Repeat(string(rune('a'+rng.IntN(26))), 1+rng.IntN(40)) + strings.Repeat("长", 9000*(i%1000/999))
	}))

	word := Field{Kind: Word}
	m.words(name(word, "word_one"), texts(func(int) string { return "matched" }))
	m.words(name(word, "word_two"), texts(func(i int) string { return "状态" + strconv.Itoa(i/50%2) }))
	m.words(name(word, "word_many"), texts(func(int) string { return "S" + strconv.Itoa(rng.IntN(300)) }))
	m.words(name(word, "word_all"), texts(func(i int) string { return "G" + strconv.Itoa(i) }))

	prefixes := []string{"bills/1.zip:业务明细.csv:", "bills/1.zip:业务明细2.csv:", "pos.csv:"}
	files, lines := make([]int32, rows), make([]int32, rows)
	for i := range files {
		if files[i], lines[i] = int32(rng.IntN(3)), rng.Int32N(300_000); blank() {
			files[i] = -1
		}
	}
	m.places(Field{Name: "place", Kind: Text}, prefixes, files, lines)
	rising := make([]int32, rows)
	for i := range rising {
		rising[i] = int32(i)
	}
	m.places(Field{Name: "place_rising", Kind: Text}, prefixes, make([]int32, rows), rising)

	wide, none := make([]Int128, rows), make([]bool, rows)
	for i := range wide {
		v := rng.Int64()
		wide[i] = Int128{High: v >> 63, Low: uint64(v)}
		if i%3 == 0 {
			wide[i] = Int128{High: rng.Int64N(10) - 5, Low: rng.Uint64()} // within 20 digits
		}
		none[i] = blank()
	}
	m.wide(name(rebate, "sum"), wide, none)
	m.wide(name(quantity, "sum_all"), wide, nil)
	small := make([]Int128, rows)
	for i := range small {
		v := extreme[rng.IntN(5)]
		small[i] = Int128{High: v >> 63, Low: uint64(v)}
	}
	m.wide(name(fen, "sum_fen"), small, none)
	return m
}
