package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// checksums are numbers by name, such as trades.matched.pos_amount. A name that
// is not there stands for 0.
type checksums map[string]decimal.Decimal

// flatten reads the numbers of a JSON object, those in strings too.
func (c checksums) flatten(prefix string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if err := c.flatten(strings.TrimPrefix(prefix+"."+name, "."), x); err != nil {
				return err
			}
		}
		return nil
	case json.Number:
		return c.set(prefix, v.String())
	case string:
		return c.set(prefix, v)
	}
	return fmt.Errorf("%s: %v: not a number", prefix, v)
}

func (c checksums) set(name, text string) error {
	v, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c[name] = v
	return nil
}

func decode(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(to)
}

// printed reads a peer's checksums.
func printed(b []byte) (checksums, error) {
	var all map[string]any
	if err := decode(b, &all); err != nil {
		return nil, err
	}
	c := checksums{}
	return c, c.flatten("", all)
}

// truthOf reads what the generator planted; what it does not state is not in it.
func truthOf(d *day) (checksums, error) {
	b, err := os.ReadFile(d.path("expected/truth.json"))
	if err != nil {
		return nil, err
	}
	var t struct {
		Trades, Refunds, Goods, Filler, Rebates, Breaks, Rejects any
		Lines                                                    json.Number `json:"goods_lines"`
		OutOfScope                                               json.Number `json:"out_of_scope"`
	}
	if err := decode(b, &t); err != nil {
		return nil, err
	}
	c := checksums{}
	return c, c.flatten("", map[string]any{
		"trades": t.Trades, "refunds": t.Refunds, "goods": t.Goods, "filler": t.Filler, "rebates": t.Rebates,
		"breaks": t.Breaks, "rejects": t.Rejects, "goods_rows": t.Lines, "out_of_scope": t.OutOfScope,
	})
}

// summarized reads our summary.json.
func summarized(b []byte) (checksums, error) {
	type amounts struct {
		Count  json.Number `json:"count"`
		Lines  json.Number `json:"lines"`
		Orders json.Number `json:"orders"`
		Amount string      `json:"amount"`
	}
	var s struct {
		Trades  any `json:"trades"`
		Refunds any `json:"refunds"`
		Goods   struct {
			Scenarios map[string]amounts `json:"scenarios"`
			Filler    amounts            `json:"filler"`
		} `json:"goods"`
		Rebates struct {
			Causes     any         `json:"causes"`
			OutOfScope json.Number `json:"out_of_scope"`
		} `json:"rebates"`
		Breaks     map[string]amounts `json:"breaks"`
		Rejects    any                `json:"rejects"`
		Invariants []struct {
			Name  string `json:"name"`
			Left  string `json:"left"`
			Holds bool   `json:"holds"`
		} `json:"invariants"`
	}
	if err := decode(b, &s); err != nil {
		return nil, err
	}
	c := checksums{}
	errs := []error{c.flatten("", map[string]any{
		"trades": s.Trades, "refunds": s.Refunds, "rebates": s.Rebates.Causes, "rejects": s.Rejects,
		"out_of_scope": s.Rebates.OutOfScope, "filler.count": s.Goods.Filler.Lines, "filler.amount": s.Goods.Filler.Amount,
	})}
	var rows decimal.Decimal
	for name, x := range s.Goods.Scenarios {
		errs = append(errs, c.set("goods."+name+".count", x.Orders.String()), c.set("goods."+name+".amount", x.Amount),
			c.set("lines", x.Lines.String()))
		rows = rows.Add(c["lines"])
	}
	delete(c, "lines")
	c["goods_rows"] = rows
	for name, x := range s.Breaks {
		errs = append(errs, c.set("breaks."+name+".count", x.Count.String()), c.set("breaks."+name+".amount", x.Amount))
	}
	for _, x := range s.Invariants {
		if !x.Holds {
			errs = append(errs, fmt.Errorf("invariant %s does not hold", x.Name))
		}
		if x.Name == "goods.allocated" {
			errs = append(errs, c.set("allocated", x.Left))
		}
	}
	return c, errors.Join(errs...)
}

// differences compares by the names of both, or of only those that want states.
func (c checksums) differences(want checksums, names []string) []string {
	var out []string
	for _, name := range names {
		if got := c[name]; !got.Equal(want[name]) {
			out = append(out, fmt.Sprintf("%s: %s, want %s", name, got, want[name]))
		}
	}
	return out
}

func union(a, b checksums) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
