package gen

// What becomes of the trades when all days are run in order with the right files:
// from how each was planted, and from nothing else. A Ledger says the same by
// keeping books; that both agree is a test.

// A Closing is a row of trades that is not pending.
type Closing struct {
	Merchant, Number, Status string
	Day, Carried             int
}

// Closings visits what closes before the end of the days: each trade once, or each
// of its sides once where they never meet, and what is there again as a duplicate.
func (d *Days) Closings(visit func(Closing)) {
	var t dayTrade
	for day := range d.cfg.Days {
		for i := range int64(d.cfg.Trades) {
			d.trade(day, i, &t)
			t.eachRow(func(at int, status string, carried int) {
				if status != "pending" && at < d.cfg.Days {
					visit(Closing{d.merchants[t.merchant], string(t.number), status, at, carried})
				}
			})
		}
	}
}

// Statuses are how many rows of each status the trades of a day come to.
func (d *Days) Statuses(day int) map[string]int64 {
	counts := map[string]int64{}
	var t dayTrade
	for from := max(0, day-2*carries); from <= day; from++ {
		for i := range int64(d.cfg.Trades) {
			f, _ := d.head(from, i)
			switch {
			case f == together && from == day:
				counts["matched"]++
			case f == together:
			default:
				d.trade(from, i, &t)
				t.eachRow(func(at int, status string, _ int) {
					if at == day {
						counts[status]++
					}
				})
			}
		}
	}
	return counts
}

// RefundsOfEarlier is how many refunds of a day's bills are of trades that were not
// made that day.
func (d *Days) RefundsOfEarlier(day int) int64 {
	var n int64
	for m := range d.merchants {
		_ = d.eachRefund(DayFile{Day: day, Merchant: m, Kind: BillOfDay}, func(t *dayTrade, _ *dayRefund) error { // cannot fail
			if t.day < day {
				n++
			}
			return nil
		})
	}
	return n
}

// eachRow visits the rows that the trade has in the tables of the days.
func (t *dayTrade) eachRow(visit func(day int, status string, carried int)) {
	waits := func(from, to int, status string) {
		for day := from; day < to; day++ {
			visit(day, "pending", day-from)
		}
		visit(to, status, to-from)
	}
	d := t.day
	switch t.fate {
	case billNextDay, posNextDay, posLate, billLate:
		waits(d, max(t.posDay, t.billDay), "matched")
	case nextDiffers:
		waits(d, d+1, "amount_mismatch")
	case posTooLate:
		waits(d, d+carries, "bill_only")
		visit(d+carries+1, "pos_only", 0)
	case billFarAway:
		visit(d, "pos_only", 0)
		waits(d+1, d+1+carries, "bill_only")
	case noPOSNear, noPOSStart:
		waits(d, d+carries, "bill_only")
	case noBillNear:
		waits(d, d+carries, "pos_only")
	case noPOS:
		visit(d, "bill_only", 0)
	case noBill:
		visit(d, "pos_only", 0)
	case billAgain, posAgain:
		visit(d, "matched", 0)
		visit(d+1, "duplicate", 0)
	case bothAgain:
		visit(d, "matched", 0)
		visit(d+1, "duplicate", 0)
		visit(d+1, "duplicate", 0)
	case amountDiffers:
		visit(d, "amount_mismatch", 0)
	case wechatPaid:
		visit(d, "excluded", 0)
	case together, fateCount:
		visit(d, "matched", 0)
	}
}

// A Return is what the bill refunds of a trade give back over all the days, in fen.
type Return struct {
	Merchant, Number                       string
	Cumulative, Paid, RedPacket, Allowance int64
}

// Returns visits the trades of the days whose refunds in the bills have all closed
// before the end, and that gave something back.
func (d *Days) Returns(visit func(Return)) {
	var t dayTrade
	for day := range d.cfg.Days {
		for i := range int64(d.cfg.Trades) {
			if _, refunded := d.head(day, i); !refunded {
				continue
			}
			d.trade(day, i, &t)
			var x fen
			open := false
			for k := range t.n {
				r := &t.refunds[k]
				if r.billDay == none {
					continue
				}
				closes := max(r.billDay, r.posDay)
				if r.near && r.posDay == none {
					closes += carries
				}
				open = open || closes >= d.cfg.Days
				if x+r.amount <= t.total {
					x += r.amount
				}
			}
			if x == 0 || open {
				continue
			}
			p := t.fund.returned(x)
			visit(Return{d.merchants[t.merchant], string(t.number), x, p.paid, p.red, p.allowance})
		}
	}
}
