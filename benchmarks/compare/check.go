package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// checked says how much was found to agree.
type checked struct {
	Checksums int `json:"checksums"`
	OfTruth   int `json:"of_truth"`
	Columns   int `json:"columns"`
}

// check compares what the programs printed and wrote with the truth of their day,
// and with the first that had the same day.
func check(programs []program) (checked, error) {
	var done checked
	var truth, first, firstColumns checksums
	var names []string
	var faults []error
	for i := range programs {
		p := &programs[i]
		sums, columns, err := p.results()
		if err != nil {
			return done, fmt.Errorf("%s: %w", p.name, err)
		}
		if i == 0 || p.day != programs[i-1].day {
			if truth, err = truthOf(p.day); err != nil {
				return done, err
			}
			names, first, firstColumns = union(truth, nil), sums, columns
		}
		found := append(sums.differences(truth, names), sums.differences(first, union(sums, first))...)
		found = append(found, columns.differences(firstColumns, union(columns, firstColumns))...)
		if len(found) > 0 {
			faults = append(faults, fmt.Errorf("%s differs:\n\t%s", p.name, strings.Join(found, "\n\t")))
		}
	}
	return checked{len(first), len(names), len(firstColumns)}, errors.Join(faults...)
}

// results are the checksums that p printed and the sums of the columns it wrote.
func (p *program) results() (sums, columns checksums, err error) {
	if columns, err = columnSums(p.out); err != nil {
		return nil, nil, err
	}
	if !p.product {
		sums, err = printed(p.sums)
		return sums, columns, err
	}
	if sums, err = summarized(p.sums); err != nil {
		return nil, nil, err
	}
	// The summary states the parts of the refunds as one sum; the file has them apart.
	for name, column := range map[string]string{
		"paid": "expected_paid", "red_packet": "expected_red_packet", "allowance": "expected_allowance",
	} {
		v := columns["refunds."+column+".sum"]
		if v.Equal(decimal.Zero) {
			continue
		}
		sums["refund_split."+name] = v
	}
	return sums, columns, nil
}
