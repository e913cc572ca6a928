package engine

import "duizhang/engine/schema"

// A History is what the runs of earlier days left (rules 9). It is safe for
// concurrent use.
type History interface {
	// Find appends the trades that are wanted to found, and their refunds of
	// earlier days, in the order of time, to returned: Of is the row of found. A row of
	// wanted has at most one trade; those that have none are left out. Duplicates
	// are never found.
	Find(wanted *schema.Wanted, found *schema.Settled, returned *schema.Returned) error
}

// Carried are the rows of pending units that a run leaves to the next days, as
// they were read (rules 9). Table is a number in Tables.
type Carried struct {
	Tables []*schema.Table

	Bills       schema.Bills
	BillSince   []int32 // of each row: the business date from which it is carried, days since 1970-01-01
	Orders      schema.Orders
	Lines       schema.Lines
	OrderSince  []int32
	Refunds     schema.PosRefunds
	RefundLines schema.RefundLines
	RefundSince []int32
}
