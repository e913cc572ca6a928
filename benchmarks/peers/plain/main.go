// Plain reconciles a generated day the way a Go program is usually written:
// encoding/csv, archive/zip, x/text, maps, shopspring's decimals and pqarrow.
// It is a baseline for benchmarks/compare and not a product: it knows the kinds
// of trouble that gen.Performance plants, and no others.
//
//	plain -data DIR -out DIR
//
// The checksums of what it found go to standard output as JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	data := flag.String("data", "", "the day's folder")
	out := flag.String("out", "", "folder for the results")
	flag.Parse()
	sums, err := run(*data, *out)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(sums)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

// run is the whole job, in order.
func run(data, out string) (*checksums, error) {
	d, err := load(data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	sums := newChecksums()
	trades := match(d, sums)
	if err := writeGoods(out, d, sums); err != nil {
		return nil, err
	}
	// The refunds tell what the trades and their rebates have left.
	if err := writeRefunds(out, d, sums); err != nil {
		return nil, err
	}
	if err := writeRebates(out, d, trades, sums); err != nil {
		return nil, err
	}
	if err := writeTrades(out, d, trades, sums); err != nil {
		return nil, err
	}
	return sums, writeFindings(out, sums)
}
