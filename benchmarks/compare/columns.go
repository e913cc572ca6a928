package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/shopspring/decimal"
)

// tables are the Parquet tables that all programs write, with the columns that
// are added up in each.
var tables = map[string][]string{
	"trades": {
		"pos_amount", "bill_amount", "difference", "received", "buyer_paid", "red_packet", "allowance", "coupon",
		"service_fee", "fee_expected", "refunded",
	},
	"refunds": {
		"pos_amount", "bill_amount", "cumulative", "expected_paid", "expected_red_packet", "expected_allowance",
		"expected_coupon", "actual_received", "actual_red_packet", "actual_allowance", "service_fee", "fee_expected",
	},
	"goods":   {"quantity", "price", "line_amount", "allocated"},
	"rebates": {"basis", "rate", "expected", "stated", "loss"},
}

// columnSums adds up the columns of the tables in dir: rows, values that are
// given, and their sum.
func columnSums(dir string) (checksums, error) {
	c := checksums{}
	for name, columns := range tables {
		parts, err := filepath.Glob(filepath.Join(dir, name+".parquet", "*.parquet"))
		if err != nil {
			return nil, err
		}
		if len(parts) == 0 {
			parts = []string{filepath.Join(dir, name+".parquet")}
		}
		for _, path := range parts {
			if err := c.addFile(name, path, columns); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return c, nil
}

// addFile adds one file, a batch at a time.
func (c checksums) addFile(table, path string, columns []string) error {
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1 << 16}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	var at []int
	for _, name := range columns {
		i := f.MetaData().Schema.ColumnIndexByName(name)
		if i < 0 {
			return fmt.Errorf("no column %s", name)
		}
		at = append(at, i)
	}
	batches, err := r.GetRecordReader(context.Background(), at, nil)
	if err != nil {
		return err
	}
	defer batches.Release()
	for batches.Next() {
		rec := batches.Record()
		c[table+".rows"] = c[table+".rows"].Add(decimal.NewFromInt(rec.NumRows()))
		for i, name := range columns {
			if err := c.addColumn(table+"."+rec.ColumnName(i), rec.Column(i)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if err := batches.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (c checksums) addColumn(name string, column arrow.Array) error {
	values, ok := column.(*array.Decimal128)
	if !ok {
		return fmt.Errorf("%s: not a decimal", column.DataType())
	}
	var sum decimal128.Num
	for i, v := range values.Values() {
		if values.IsValid(i) {
			sum = sum.Add(v)
		}
	}
	scale := values.DataType().(*arrow.Decimal128Type).Scale
	c[name+".sum"] = c[name+".sum"].Add(decimal.NewFromBigInt(new(big.Int).Set(sum.BigInt()), -scale))
	c[name+".values"] = c[name+".values"].Add(decimal.NewFromInt(int64(column.Len() - column.NullN())))
	return nil
}
