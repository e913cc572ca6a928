package diff

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// ErrNoTables is a folder of results that were not written as CSV.
var ErrNoTables = errors.New("holds no breaks.csv")

// AddFolder adds the run whose results are in the folder, as CSV. A table whose
// part of the work was left out is not there.
func (c *Comparer) AddFolder(run int, dir string) error {
	err := eachRow(filepath.Join(dir, "breaks.csv"), []string{
		"id", "code", "severity", "merchant_pid", "out_trade_no", "trade_no", "out_request_no", "amount",
	}, func(cells []string) error {
		amount, err := rules.ParseMicro([]byte(cells[7]))
		if err != nil {
			return fmt.Errorf("amount %q: %w", cells[7], err)
		}
		b := Break{
			ID: strings.Clone(cells[0]), Code: strings.Clone(cells[1]), Severity: strings.Clone(cells[2]), Merchant: strings.Clone(cells[3]),
			OutTradeNo: strings.Clone(cells[4]), TradeNo: strings.Clone(cells[5]), RequestNo: strings.Clone(cells[6]),
		}
		b.Amount.AddMicro(amount)
		c.AddBreaks(run, []Break{b})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoTables
	}
	if err != nil {
		return err
	}
	for _, table := range []Table{Trades, Refunds} {
		err := c.addTable(run, table, filepath.Join(dir, table.String()+".csv"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c *Comparer) addTable(run int, table Table, file string) error {
	columns := []string{"merchant_pid", "out_trade_no", "trade_no", "status", "pos_amount", "bill_amount"}
	if table == Refunds {
		columns = append(columns, "out_request_no")
	}
	return c.AddUnits(run, func(add func(*Unit)) error {
		return eachRow(file, columns, func(cells []string) error {
			u := Unit{Table: table, Merchant: []byte(cells[0]), OutTradeNo: []byte(cells[1]), TradeNo: []byte(cells[2])}
			if table == Refunds {
				u.RequestNo = []byte(cells[6])
			}
			status, ok := rules.ParseStatus(cells[3])
			if !ok {
				return fmt.Errorf("status %q: unknown", cells[3])
			}
			u.Status = status
			for i, into := range [...]*int64{&u.Pos, &u.Bill} {
				*into = schema.Null
				if text := cells[4+i]; text != "" {
					amount, err := rules.ParseFen([]byte(text))
					if err != nil {
						return fmt.Errorf("%s %q: %w", columns[4+i], text, err)
					}
					*into = int64(amount)
				}
			}
			add(&u)
			return nil
		})
	})
}

// eachRow gives the named columns of a CSV that a run wrote; cells are valid
// during the call.
func eachRow(file string, columns []string, each func(cells []string) error) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		at[i] = slices.IndexFunc(header, func(h string) bool { return strings.TrimPrefix(h, "\uFEFF") == name })
		if at[i] < 0 {
			return fmt.Errorf("%s: no column %s", file, name)
		}
	}
	cells := make([]string, len(columns))
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for i := range at {
			cells[i] = unspreadsheet(record[at[i]])
		}
		if err := each(cells); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
}

// unspreadsheet takes away what output.csv_bom puts around a cell.
func unspreadsheet(cell string) string {
	cell = strings.TrimSuffix(cell, "\t")
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@＝＋－＠\t\r\n", []rune(cell[1:])[0]) {
		return cell[1:]
	}
	return cell
}
