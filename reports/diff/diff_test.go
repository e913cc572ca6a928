package diff

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

const none = schema.Null

func unit(table Table, order, trade, request string, status rules.Status, pos, bill int64) Unit {
	return Unit{
		Table: table, Merchant: []byte("2088717085982806"), OutTradeNo: []byte(order), TradeNo: []byte(trade), RequestNo: []byte(request),
		Status: status, Pos: pos, Bill: bill,
	}
}

func compare(t *testing.T, limit int, runs ...[]Unit) *Diff {
	t.Helper()
	dir := t.TempDir()
	c := New(dir)
	for run := range runs {
		err := c.AddUnits(run, func(add func(*Unit)) error {
			for i := range runs[run] {
				add(&runs[run][i])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := c.Finish(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Proofs {
		if !p.Holds {
			t.Errorf("%s: %s != %s", p.Name, p.Left, p.Right)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return d
}

func moves(d *Diff) (lines []string) {
	for _, m := range d.Moves {
		from, to := "none", "none"
		if m.From != 0 {
			from = m.From.String()
		}
		if m.To != 0 {
			to = m.To.String()
		}
		lines = append(lines, fmt.Sprintf("%v %v %s→%s %d %s %s", m.Table, m.Side, from, to, m.Count, m.Before.String2(), m.After.String2()))
	}
	return lines
}

func TestDiff(t *testing.T) {
	first := []Unit{
		unit(Trades, "A", "T1", "", rules.StatusMatched, 1000, 1000),
		unit(Trades, "B", "", "", rules.StatusPOSOnly, 2000, none),
		unit(Trades, "B2", "T2", "", rules.StatusBillOnly, none, 2000),
		unit(Trades, "C", "T3", "", rules.StatusMatched, 500, 500),
		unit(Trades, "D", "", "", rules.StatusPOSOnly, 700, none),
		unit(Trades, "D", "", "", rules.StatusDuplicate, 700, none),
		unit(Refunds, "A", "T1", "R1", rules.StatusBillOnly, none, 100),
	}
	second := []Unit{
		unit(Trades, "A", "T1", "", rules.StatusMatched, 1000, 1000),
		unit(Trades, "B", "T2", "", rules.StatusMatched, 2000, 2000),
		unit(Trades, "C", "T3", "", rules.StatusAmountMismatch, 501, 500),
		unit(Trades, "D", "", "", rules.StatusPOSOnly, 700, none),
		unit(Trades, "E", "T5", "", rules.StatusBillOnly, none, 900),
		unit(Refunds, "A", "T1", "R1", rules.StatusMatched, 100, 100),
	}
	d := compare(t, 0, first, second)
	want := []string{
		"trades pos duplicate→none 1 7.00 0.00",
		"trades pos matched→amount_mismatch 1 5.00 5.01",
		"trades pos matched→matched 1 10.00 10.00",
		"trades pos pos_only→matched 1 20.00 20.00",
		"trades pos pos_only→pos_only 1 7.00 7.00",
		"trades bill none→bill_only 1 0.00 9.00",
		"trades bill matched→amount_mismatch 1 5.00 5.00",
		"trades bill matched→matched 1 10.00 10.00",
		"trades bill bill_only→matched 1 20.00 20.00",
		"refunds pos none→matched 1 0.00 1.00",
		"refunds bill bill_only→matched 1 1.00 1.00",
	}
	if got := moves(d); !slices.Equal(got, want) {
		t.Errorf("moves\n%q\nwant\n%q", got, want)
	}
	var rows []string
	for _, c := range d.Changes {
		rows = append(rows, fmt.Sprintf("%v %s %s %v %v", c.Side, c.OutTradeNo, c.TradeNo, c.From, c.To))
	}
	wantRows := []string{
		"bill B T2 bill_only matched", "pos B T2 pos_only matched", "both C T3 matched amount_mismatch",
		"pos D  duplicate Status(0)", "bill E T5 Status(0) bill_only", "pos A T1 Status(0) matched", "bill A T1 bill_only matched",
	}
	if !slices.Equal(rows, wantRows) || d.Changed != 8 {
		t.Errorf("changes\n%q\nwant\n%q; %d sides", rows, wantRows, d.Changed)
	}
	if same := compare(t, 0, first, slices.Clone(first)); same.Changed != 0 || len(same.Changes) != 0 {
		t.Errorf("a run and itself: %+v", same.Changes)
	}
}

func TestBreaks(t *testing.T) {
	amount := func(v int64) (s rules.Sum) { s.AddInt(v * 10_000); return s }
	c := New(t.TempDir())
	c.AddBreaks(First, []Break{{ID: "b1", Code: "pos_only", Amount: amount(100)}, {ID: "b2", Code: "pos_only", Amount: amount(50)}, {ID: "b3", Code: "duplicate", Amount: amount(7)}})
	c.AddBreaks(Second, []Break{{ID: "b2", Code: "pos_only", Amount: amount(60)}, {ID: "b3", Code: "duplicate", Amount: amount(7)}, {ID: "b4", Code: "bill_only", Amount: amount(1)}})
	d, err := c.Finish(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if d.Opened != 1 || d.Closed != 1 || d.Other != 1 || len(d.Breaks) != 2 {
		t.Errorf("opened %d closed %d changed %d, %d listed", d.Opened, d.Closed, d.Other, len(d.Breaks))
	}
	for _, p := range d.Proofs {
		if !p.Holds {
			t.Errorf("%s: %s != %s", p.Name, p.Left, p.Right)
		}
	}
	if only := d.Codes[2]; only.Code != "pos_only" || only.Closed.Amount.String6() != "1.00" || only.Changed.Amount.String6() != "0.10" {
		t.Errorf("pos_only: %+v", only)
	}
}

// Whatever the order of the rows and the size of the files, the comparison is the
// same; a limit cuts the list and nothing else.
func TestOrderAndLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	make1 := func(n int) []Unit {
		var units []Unit
		for range n {
			i := r.IntN(n)
			status := rules.Status(1 + r.IntN(8))
			pos, bill := int64(r.IntN(9)), int64(r.IntN(9))
			if r.IntN(4) == 0 {
				pos = none
			}
			if r.IntN(4) == 0 {
				bill = none
			}
			units = append(units, unit(Table(1+i%2), fmt.Sprintf("O%d", i), fmt.Sprintf("T%d", i/2), fmt.Sprint(i%3), status, pos, bill))
		}
		return units
	}
	n := 40_000
	if testing.Short() {
		n = 4_000
	}
	first, second := make1(n), make1(n)
	all := compare(t, 0, first, second)
	r.Shuffle(n, func(i, j int) { first[i], first[j] = first[j], first[i] })
	r.Shuffle(n, func(i, j int) { second[i], second[j] = second[j], second[i] })
	if again := compare(t, 0, first, second); !reflect.DeepEqual(all, again) {
		t.Error("the comparison depends on the order of the rows")
	}
	some := compare(t, 10, first, second)
	if !slices.Equal(some.Changes, all.Changes[:10]) || some.Changed != all.Changed || !slices.Equal(some.Moves, all.Moves) {
		t.Errorf("limit 10:\n%+v\nwant\n%+v", some.Changes, all.Changes[:10])
	}
}

func TestFigures(t *testing.T) {
	got, err := Figures(
		[]byte(`{"exit_code":1,"rebates":{"causes":{"ok":{"count":3,"loss":"0.00"},"statement_short":{"count":1,"loss":"0.01"}},"list":[{"x":1}]},"trades":{"matched":1}}`),
		[]byte(`{"exit_code":0,"rebates":{"causes":{"ok":{"count":4,"loss":"0.00"}},"list":[]},"trades":{"matched":2},"carried":null}`))
	want := []Figure{
		{"rebates.causes.ok.count", "3", "4"},
		{"rebates.causes.statement_short.count", "1", ""},
		{"rebates.causes.statement_short.loss", "0.01", ""},
		{"exit_code", "1", "0"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Figures = %v, %v\nwant %v", got, err, want)
	}
}
