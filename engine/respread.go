package engine

import "context"

// A layout by merchants is a guess at how the rows hang together. Where it is wrong,
// because one merchant has far more of them than its bill, or because most of them are
// another merchant's on either side, one partition would be all the day. Then the rows
// are divided anew, by out_trade_no alone, which the merchants have no part in.

// A partition is too large when it has so many times the average of rows, and so many
// that it matters.
const (
	mostUneven = 8
	unevenRows = 200_000
)

// uneven tells whether one partition is too large.
func (s *Store) uneven() bool {
	s.sizes = make([]int64, s.keep.parts)
	if s.late != nil {
		copy(s.sizes, s.late.run.sizes)
	}
	for _, h := range s.rowShuffles() {
		for p, n := range h.counts {
			s.sizes[p] += n
		}
	}
	var all, largest int64
	for _, n := range s.sizes {
		all, largest = all+n, max(largest, n)
	}
	return largest > unevenRows && largest > mostUneven*all/int64(len(s.sizes))
}

// respread divides all rows anew in one group. What is routed by trade_no has not left
// its buckets.
func (s *Store) respread(ctx context.Context) error {
	if s.late != nil {
		return anew("the rows do not lend themselves to the layout any more")
	}
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
