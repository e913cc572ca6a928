package engine

import "context"

// A layout by merchants is a guess at how the rows hang together. Where it is wrong,
// because one merchant has far more of them than its bill, or because most of them are
// another merchant's on either side, one partition would be all the day. Then the rows
// are divided anew, by out_trade_no alone, which the merchants have no part in.

// A partition is too large when it has so many times the average, and is of a size that
// matters.
const (
	mostUneven  = 8
	unevenBytes = 16 << 20 // packed
)

// uneven tells whether one partition is too large.
func (s *Store) uneven() bool {
	sizes := make([]int64, s.keep.parts)
	for _, h := range [...]*shuffle{s.bills, s.orders, s.refunds, s.statements, s.accounts} {
		h.addSizes(sizes)
	}
	var all, largest int64
	for _, n := range sizes {
		all, largest = all+n, max(largest, n)
	}
	return largest > unevenBytes && largest > mostUneven*all/int64(len(sizes))
}

// respread divides all rows anew in one group. What is routed by trade_no has not left
// its buckets.
func (s *Store) respread(ctx context.Context) error {
	from := []*shuffle{
		s.bills, s.orders, s.refunds, s.statements, s.accounts,
		s.adriftOrders, s.adriftRefunds, s.adriftStatements, s.adriftAccounts, s.earlier,
	}
	old := append(from[:len(from):len(from)], s.entries, s.refunded, s.flows)
	s.layOut(Layout{Partitions: s.opt.Layout.Partitions})
	s.adriftStatements, s.adriftAccounts = s.shuffle(statementRows), s.shuffle(accountRows)
	var rows Rows
	for p := range s.keep.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows.reset()
		for _, h := range from {
			if err := h.rows(p, &rows); err != nil {
				return err
			}
		}
		if err := s.place(&rows); err != nil {
			return err
		}
	}
	for _, h := range old {
		h.forget()
	}
	return s.seal()
}

// place sends rows to their partitions.
func (s *Store) place(rows *Rows) error {
	if err := s.placeBills(&rows.Bills); err != nil {
		return err
	}
	if err := s.placeOrders(&rows.Orders, &rows.Lines); err != nil {
		return err
	}
	if err := s.placeRefunds(&rows.Refunds, &rows.RefundLines); err != nil {
		return err
	}
	if err := s.placeStatements(&rows.Statements); err != nil {
		return err
	}
	if err := s.placeAccounts(&rows.Accounts); err != nil {
		return err
	}
	return s.placeEarlier(&rows.Earlier, &rows.EarlierRefunds)
}
