package gen

import (
	"encoding/json"
	"strconv"
)

// Amount is money in truth.json: a string with its decimals.
type Amount int64

// MarshalJSON writes an amount in 0.01 as "12.30".
func (a Amount) MarshalJSON() ([]byte, error) {
	return append(appendFen([]byte{'"'}, fen(a)), '"'), nil
}

// Rebate is a rebate amount in 0.000001.
type Rebate int64

// MarshalJSON writes it with two decimals, and up to six where those are not zero.
func (a Rebate) MarshalJSON() ([]byte, error) {
	return append(appendMicro([]byte{'"'}, micro(a), 2), '"'), nil
}

// Sides counts the units of one status.
type Sides struct {
	POSCount   int64  `json:"pos_count"`
	POSAmount  Amount `json:"pos_amount"`
	BillCount  int64  `json:"bill_count"`
	BillAmount Amount `json:"bill_amount"`
}

// Tally is a count and its amount.
type Tally struct {
	Count  int64  `json:"count"`
	Amount Amount `json:"amount"`
}

// Losses is what a cause of rules 6 comes to.
type Losses struct {
	Count    int64  `json:"count"`
	Expected Rebate `json:"expected"`
	Stated   Rebate `json:"stated"`
	Loss     Rebate `json:"loss"`
}

// Rows counts what was written, by input.
type Rows struct {
	POSLines      int64 `json:"pos_lines"` // API messages, and rows of a Kukeduo list, too
	POSRefunds    int64 `json:"pos_refund_lines"`
	BillPayments  int64 `json:"bill_payments"`
	BillRefunds   int64 `json:"bill_refunds"`
	StatementRows int64 `json:"statement_rows"`
	TaobaoOrders  int64 `json:"taobao_orders"`
}

// Truth is what a run of the job must find. Codes and statuses that do not occur
// are left out.
type Truth struct {
	Date       string            `json:"date"`
	Seed       string            `json:"seed"`
	Trades     map[string]Sides  `json:"trades"`
	Excluded   map[string]Tally  `json:"excluded"` // orders that are left out, by reason
	Refunds    map[string]Sides  `json:"refunds"`
	Goods      map[string]Tally  `json:"goods"` // orders and their totals by scenario
	Filler     Tally             `json:"filler"`
	NotShared  int64             `json:"goods_not_allocated"` // paid orders with goods, without an allocation
	NoGoods    int64             `json:"no_goods"`
	GoodsLines int64             `json:"goods_lines"` // merged, filler included
	Rebates    map[string]Losses `json:"rebates"`
	OutOfScope int64             `json:"out_of_scope"`
	Breaks     map[string]Tally  `json:"breaks"`
	Rejects    map[string]int64  `json:"rejects"`
	Rows       Rows              `json:"rows"`
	Planted    map[string]int64  `json:"planted"`    // records by kind
	NotStated  []string          `json:"not_stated"` // codes that this truth says nothing of
}

// tallies are the truth while it grows.
type tallies struct {
	trades, refunds [statusCount]Sides
	excluded        map[string]Tally
	goods           [scenarioCount]Tally
	filler          Tally
	notShared       int64
	noGoods         int64
	goodsLines      int64
	rebates         [causeCount]Losses
	outOfScope      int64
	breaks          [breakCodes]breakTally
	rejects         [rejectCodes]int64
	rows            Rows
	planted         [kindCount]int64
}

// breakTally counts in micro: rebate breaks may have six decimals.
type breakTally struct {
	count  int64
	amount micro
}

func (t *tallies) found(c breakCode, amount fen) { t.foundMicro(c, amount*10_000) }

func (t *tallies) foundMicro(c breakCode, amount micro) {
	t.breaks[c].count++
	t.breaks[c].amount += amount
}

// leftOut counts an order that is left out.
func (t *tallies) leftOut(reason string, amount fen) {
	if t.excluded == nil {
		t.excluded = map[string]Tally{}
	}
	sum := t.excluded[reason]
	sum.Count++
	sum.Amount += Amount(amount)
	t.excluded[reason] = sum
}

func named[T comparable](n int, name func(int) string, at func(int) T) map[string]T {
	var zero T
	out := map[string]T{}
	for i := range n {
		if v := at(i); v != zero {
			out[name(i)] = v
		}
	}
	return out
}

func (t *tallies) truth(cfg Config) *Truth {
	status := func(i int) string { return statusNames[i] }
	return &Truth{
		Date: cfg.Date, Seed: strconv.FormatUint(cfg.Seed, 10),
		Trades:   named(int(statusCount), status, func(i int) Sides { return t.trades[i] }),
		Excluded: t.excluded,
		Refunds:  named(int(statusCount), status, func(i int) Sides { return t.refunds[i] }),
		Goods: named(int(scenarioCount), func(i int) string { return scenarioNames[i] },
			func(i int) Tally { return t.goods[i] }),
		Filler: t.filler, NotShared: t.notShared, NoGoods: t.noGoods, GoodsLines: t.goodsLines,
		Rebates: named(int(causeCount), func(i int) string { return causeNames[i] },
			func(i int) Losses { return t.rebates[i] }),
		OutOfScope: t.outOfScope,
		Breaks: named(int(breakCodes), func(i int) string { return breakCode(i).String() },
			func(i int) Tally { return Tally{t.breaks[i].count, Amount(halfUpFen(t.breaks[i].amount))} }),
		Rejects: named(int(rejectCodes), func(i int) string { return rejectNames[i] },
			func(i int) int64 { return t.rejects[i] }),
		Rows: t.rows,
		Planted: named(int(kindCount), func(i int) string { return Kind(i).String() },
			func(i int) int64 { return t.planted[i] }),
		NotStated: []string{"goods_field_missing"},
	}
}

func halfUpFen(v micro) fen {
	if v < 0 {
		return -halfUpFen(-v)
	}
	return (v + 5000) / 10_000
}

func (t *Truth) json() ([]byte, error) {
	b, err := json.MarshalIndent(t, "", "  ")
	return append(b, '\n'), err
}
