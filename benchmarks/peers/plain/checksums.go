package main

import (
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"

	"github.com/shopspring/decimal"
)

type sides struct {
	POSCount   int64           `json:"pos_count"`
	POSAmount  decimal.Decimal `json:"pos_amount"`
	BillCount  int64           `json:"bill_count"`
	BillAmount decimal.Decimal `json:"bill_amount"`
}

func (s *sides) add(pos, bill decimal.NullDecimal) {
	if pos.Valid {
		s.POSCount++
		s.POSAmount = s.POSAmount.Add(pos.Decimal)
	}
	if bill.Valid {
		s.BillCount++
		s.BillAmount = s.BillAmount.Add(bill.Decimal)
	}
}

type tally struct {
	Count  int64           `json:"count"`
	Amount decimal.Decimal `json:"amount"`
}

func (t *tally) add(amount decimal.Decimal) {
	t.Count++
	t.Amount = t.Amount.Add(amount)
}

type losses struct {
	Count    int64           `json:"count"`
	Expected decimal.Decimal `json:"expected"`
	Stated   decimal.Decimal `json:"stated"`
	Loss     decimal.Decimal `json:"loss"`
}

type split struct {
	Paid      decimal.Decimal `json:"paid"`
	Red       decimal.Decimal `json:"red_packet"`
	Allowance decimal.Decimal `json:"allowance"`
}

// checksums are what compare wants to know of every program.
type checksums struct {
	Trades     map[string]*sides  `json:"trades"`
	Refunds    map[string]*sides  `json:"refunds"`
	Goods      map[string]*tally  `json:"goods"`
	Filler     tally              `json:"filler"`
	Allocated  decimal.Decimal    `json:"allocated"`
	GoodsRows  int64              `json:"goods_rows"`
	Split      split              `json:"refund_split"`
	Rebates    map[string]*losses `json:"rebates"`
	OutOfScope int64              `json:"out_of_scope"`
	Breaks     map[string]*tally  `json:"breaks"`
	Rejects    map[string]int64   `json:"rejects"`

	findings []finding
}

func newChecksums() *checksums {
	return &checksums{
		Trades: map[string]*sides{}, Refunds: map[string]*sides{}, Goods: map[string]*tally{},
		Rebates: map[string]*losses{}, Breaks: map[string]*tally{}, Rejects: map[string]int64{},
	}
}

// at gives the entry of a name, a new one at its first use.
func at[T any](m map[string]*T, name string) *T {
	if m[name] == nil {
		m[name] = new(T)
	}
	return m[name]
}

// finding is a row of breaks.csv.
type finding struct {
	code, severity, side string
	key
	tradeNo, request, store string
	amount                  decimal.Decimal
}

func (c *checksums) found(f finding) {
	at(c.Breaks, f.code).add(f.amount)
	c.findings = append(c.findings, f)
}

// writeFindings writes breaks.csv and rejects.csv.
func writeFindings(dir string, c *checksums) error {
	slices.SortStableFunc(c.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.merchant, b.merchant), cmp.Compare(a.number, b.number),
			cmp.Compare(a.request, b.request), cmp.Compare(a.code, b.code), cmp.Compare(a.side, b.side))
	})
	err := writeCSV(filepath.Join(dir, "breaks.csv"), func(w *csv.Writer) error {
		err := w.Write([]string{
			"code", "severity", "merchant_pid", "out_trade_no", "trade_no",
			"out_request_no", "store_id", "amount", "side",
		})
		for _, f := range c.findings {
			if err != nil {
				return err
			}
			err = w.Write([]string{
				f.code, f.severity, f.merchant, f.number, f.tradeNo, f.request, f.store, f.amount.StringFixed(2), f.side,
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	return writeCSV(filepath.Join(dir, "rejects.csv"), func(w *csv.Writer) error {
		return w.Write([]string{"file", "line", "kind", "code", "column", "value", "message", "raw"})
	})
}

func writeCSV(path string, fill func(*csv.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	err = fill(w)
	w.Flush()
	return firstError(err, w.Error(), f.Close())
}

// firstError is the first error there is.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
