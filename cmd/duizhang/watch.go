package main

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"sync"

	"duizhang/engine/schema"
)

// A watch looks at the rows that go by on their way to the engine, and remembers
// the lines of some numbers.
type watch struct {
	numbers map[string]bool     // trade_nos and out_trade_nos of anybody
	keyed   map[string][]string // out_trade_nos of these merchants
	words   *schema.Words       // to know merchants by; needed for keyed
	stores  map[string]string   // merchant of a store
	// receiving are the merchants whose money an account receives.
	receiving map[string][]string

	mu    sync.Mutex
	found map[place]bool
}

func newWatch(id string) *watch {
	return &watch{
		numbers: map[string]bool{id: true}, keyed: map[string][]string{}, stores: map[string]string{},
		receiving: map[string][]string{}, found: map[place]bool{},
	}
}

// batch looks at a batch; it borrows it.
func (w *watch) batch(b schema.Batch) error {
	switch b.Kind { //nolint:exhaustive // only these kinds have rows
	case schema.AlipayBill:
		var v schema.Bills
		if err := schema.View(&v, b.Rows); err != nil {
			return err
		}
		for i := range v.Len() {
			if w.wanted(&v.TradeNo, &v.OutTradeNo, i, v.Merchant[i], v.Store[i]) {
				w.add(v.Table[i], v.Line[i])
			}
		}
	case schema.AlipayAccount:
		var v schema.Accounts
		if err := schema.View(&v, b.Rows); err != nil {
			return err
		}
		for i := range v.Len() {
			if w.wantedAccount(&v, i) {
				w.add(v.Table[i], v.Line[i])
			}
		}
	case schema.Rebate:
		var v schema.Statements
		if err := schema.View(&v, b.Rows); err != nil {
			return err
		}
		for i := range v.Len() {
			if w.wanted(&v.TradeNo, &v.OutTradeNo, i, v.Merchant[i], 0) {
				w.add(v.Table[i], v.Line[i])
			}
		}
	case schema.PosOrders:
		var v schema.Orders
		var lines schema.Lines
		if err := viewRuns(&v, &lines, b); err != nil {
			return err
		}
		w.runs(v.Table, v.Lines, lines.Line, func(i int) bool {
			return w.wanted(&v.TradeNo, &v.OutTradeNo, i, v.Merchant[i], v.Store[i])
		})
	case schema.PosRefundsKind:
		var v schema.PosRefunds
		var lines schema.RefundLines
		if err := viewRuns(&v, &lines, b); err != nil {
			return err
		}
		w.runs(v.Table, v.Lines, lines.Line, func(i int) bool {
			return w.wanted(&v.TradeNo, &v.OutTradeNo, i, v.Merchant[i], v.Store[i])
		})
	}
	return nil
}

func viewRuns(runs, lines schema.Rows, b schema.Batch) error {
	if err := schema.View(runs, b.Rows); err != nil {
		return err
	}
	return schema.View(lines, b.Lines)
}

// runs adds the lines of the runs that are wanted.
func (w *watch) runs(tables, counts, lines []int32, wanted func(i int) bool) {
	at := int32(0)
	for i, count := range counts {
		if wanted(i) {
			for _, line := range lines[at : at+count] {
				w.add(tables[i], line)
			}
		}
		at += count
	}
}

func (w *watch) wanted(trade, order *schema.Text, i int, merchant, store uint32) bool {
	if w.numbers[string(trade.At(i))] && len(trade.At(i)) > 0 || w.numbers[string(order.At(i))] && len(order.At(i)) > 0 {
		return true
	}
	merchants := w.keyed[string(order.At(i))]
	if len(merchants) == 0 {
		return false
	}
	words := w.words.Texts()
	name := words[merchant]
	if name == "" {
		name = w.stores[words[store]]
	}
	return name == "" || slices.Contains(merchants, name)
}

// wantedAccount is wanted for an account row, which names the account that the
// money went to.
func (w *watch) wantedAccount(v *schema.Accounts, i int) bool {
	if w.wanted(&v.TradeNo, &v.OutTradeNo, i, v.Account[i], 0) {
		return true
	}
	merchants := w.keyed[string(v.OutTradeNo.At(i))]
	return len(merchants) > 0 && slices.ContainsFunc(w.receiving[w.words.Texts()[v.Account[i]]], func(m string) bool {
		return slices.Contains(merchants, m)
	})
}

func (w *watch) add(table, line int32) {
	w.mu.Lock()
	w.found[place{table, line}] = true
	w.mu.Unlock()
}

// pick copies some rows of a result table, column by column.
func pick[T any](src *T, rows []int32) T {
	var dst T
	from, to := reflect.ValueOf(src).Elem(), reflect.ValueOf(&dst).Elem()
	for k := range from.NumField() {
		switch column := from.Field(k).Addr().Interface().(type) {
		case *[]uint32:
			to.Field(k).Set(reflect.ValueOf(pickSlice(*column, rows)))
		case *[]int64:
			to.Field(k).Set(reflect.ValueOf(pickSlice(*column, rows)))
		case *[]uint8:
			to.Field(k).Set(reflect.ValueOf(pickSlice(*column, rows)))
		case *schema.Text:
			text := to.Field(k).Addr().Interface().(*schema.Text)
			for _, row := range rows {
				text.Append(column.At(int(row)))
			}
		case *schema.Place:
			where := to.Field(k).Addr().Interface().(*schema.Place)
			for _, row := range rows {
				where.Append(column.Table[row], column.Line[row])
			}
		default:
			panic("duizhang: a result column of type " + from.Field(k).Type().String())
		}
	}
	return dst
}

func pickSlice[T any](from []T, rows []int32) []T {
	to := make([]T, len(rows))
	for i, row := range rows {
		to[i] = from[row]
	}
	return to
}

// readRecords reads a table that the reports wrote; one that they left out is
// empty.
func readRecords(file string) ([]record, error) {
	records := []record{}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return records, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		return nil, err
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		rec := make(record, len(header))
		for i, name := range header {
			rec[i] = namedCell{name, cells[i]}
		}
		records = append(records, rec)
	}
}
