package main

import (
	"context"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/reports"
	"duizhang/reports/diff"
	"duizhang/rules"
)

// addRevision adds a run as the state has it: what it settled, and what it left
// open. revision 0 is the current one.
func (s *jobState) addRevision(ctx context.Context, c *diff.Comparer, run int, date int32, revision int) (comparedRun, error) {
	a := s.app
	rev, err := s.Revision(date, revision)
	if err != nil {
		return comparedRun{}, a.stateFault(ctx, err)
	}
	r := comparedRun{Name: rev.Run.Token, Revision: rev.Run.Revision}
	detail, err := s.detailOf(date, rev.Run.Revision)
	if err != nil {
		return r, a.stateFault(ctx, err)
	}
	r.summary = detail.Summary
	if err := r.read(); err != nil {
		return r, a.stateFault(ctx, &state.DamageError{Place: rev.Run.Token, Why: err.Error()})
	}
	err = c.AddUnits(run, func(add func(*diff.Unit)) error { return eachUnit(ctx, rev, add) })
	if err != nil {
		return r, a.stateFault(ctx, err)
	}
	breaks, err := rev.Breaks()
	if err != nil {
		return r, a.stateFault(ctx, err)
	}
	all := make([]diff.Break, len(breaks))
	for i := range breaks {
		b := &breaks[i]
		one := engine.Break{Amount: b.Amount, Micro: b.Micro}
		all[i] = diff.Break{
			ID: b.ID, Code: b.Code, Merchant: b.Merchant, OutTradeNo: b.OutTradeNo, TradeNo: b.TradeNo, RequestNo: b.RequestNo,
			Amount: reports.Stake(&one),
		}
	}
	c.AddBreaks(run, all)
	return r, nil
}

// eachUnit gives the rows of trades and refunds that the run had.
func eachUnit(ctx context.Context, rev *state.Revision, add func(*diff.Unit)) error {
	err := rev.Trades(ctx, func(t *schema.Settled) error {
		words := rev.Words.Texts()
		for i := range t.Len() {
			add(&diff.Unit{
				Table: diff.Trades, Merchant: []byte(words[t.Merchant[i]]), OutTradeNo: t.OutTradeNo.At(i), TradeNo: t.TradeNo.At(i),
				Status: rules.Status(t.Status[i]), Pos: t.PosAmount[i], Bill: t.BillAmount[i],
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = rev.Refunds(ctx, func(t *schema.Returned) error {
		words := rev.Words.Texts()
		for i := range t.Len() {
			add(&diff.Unit{
				Table: diff.Refunds, Merchant: []byte(words[t.Merchant[i]]), OutTradeNo: t.OutTradeNo.At(i), TradeNo: t.TradeNo.At(i),
				RequestNo: t.RequestNo.At(i), Status: rules.Status(t.Status[i]), Pos: t.PosAmount[i], Bill: t.BillAmount[i],
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	carried, err := rev.Carried()
	if err != nil || carried == nil {
		return err
	}
	pendingUnits(carried, rev.Words.Texts(), add)
	return nil
}

// pendingUnits gives the units that a run left open, which are not settled: their
// rows, of which an order or refund of the POS may have several.
func pendingUnits(c *engine.Carried, words []string, add func(*diff.Unit)) {
	magnitude := func(v int64) int64 {
		if v != schema.Null && v < 0 {
			return -v
		}
		return v
	}
	for i := range c.Bills.Len() {
		u := diff.Unit{
			Table: diff.Trades, Merchant: []byte(words[c.Bills.Merchant[i]]), OutTradeNo: c.Bills.OutTradeNo.At(i), TradeNo: c.Bills.TradeNo.At(i),
			Status: rules.StatusPending, Pos: schema.Null, Bill: c.Bills.Amount[i],
		}
		if schema.RowKind(c.Bills.Kind[i]) == schema.Refund {
			u.Table, u.RequestNo, u.Bill = diff.Refunds, c.Bills.RequestNo.At(i), magnitude(c.Bills.Amount[i])
		}
		add(&u)
	}
	seen := map[string]bool{}
	for i := range c.Orders.Len() {
		merchant := words[c.Orders.Merchant[i]]
		key := merchant + "\x1f" + string(c.Orders.OutTradeNo.At(i))
		if c.Orders.Total[i] == schema.Null || seen[key] {
			continue
		}
		seen[key] = true
		add(&diff.Unit{
			Table: diff.Trades, Merchant: []byte(merchant), OutTradeNo: c.Orders.OutTradeNo.At(i), TradeNo: c.Orders.TradeNo.At(i),
			Status: rules.StatusPending, Pos: c.Orders.Total[i], Bill: schema.Null,
		})
	}
	for i := range c.Refunds.Len() {
		merchant := words[c.Refunds.Merchant[i]]
		request := string(c.Refunds.RequestNo.At(i))
		key := merchant + "\x1f" + string(c.Refunds.OutTradeNo.At(i)) + "\x1f" + request
		if c.Refunds.Amount[i] == schema.Null || request != "" && seen[key] {
			continue
		}
		seen[key] = true
		add(&diff.Unit{
			Table: diff.Refunds, Merchant: []byte(merchant), OutTradeNo: c.Refunds.OutTradeNo.At(i), TradeNo: c.Refunds.TradeNo.At(i),
			RequestNo: []byte(request), Status: rules.StatusPending, Pos: magnitude(c.Refunds.Amount[i]), Bill: schema.Null,
		})
	}
}
