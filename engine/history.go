package engine

import (
	"context"

	"duizhang/engine/schema"
)

// Routing is the part of look-ups that are made while rows are divided among the parts.
const Routing = -1

// A History is what the runs of earlier days left (rules 9). It is safe for
// concurrent use.
type History interface {
	// Find appends the trades that are wanted to found, and their refunds of
	// earlier days, in the order of time, to returned: Of is the row of found. Rows
	// of found have the order of wanted; a row of wanted has at most one trade, and
	// those that have none are left out. Duplicates, trades and refunds, are never
	// found.
	//
	// A trade is found by its trade_no; if none has it, or it is not known, by its
	// merchant and out_trade_no. Of several that fit it is one that is not excluded,
	// of those one with an order, of those that of the latest day.
	//
	// A trade's refunds are those that were said to be its (Returned.Of and Ref),
	// and those of its trade_no; where one of the two has no trade_no, those of its
	// merchant and out_trade_no. If there are refunds and no trade, because the trade
	// was pending or came in no bill, the row of found has Status 0 and is blank but
	// for Query.
	//
	// part is the number of the part that asks, Routing while rows are routed.
	Find(part int, wanted *schema.Wanted, found *schema.Settled, returned *schema.Returned) error

	// Scan hands out the trades that were paid on the days, each once, and of each
	// the refunds that count and were completed on the days. They come some at a
	// time, in an order that is the same in every run: Query is how many rows of
	// returned are the trade's, one trade's behind the other's. days are sorted. each
	// borrows both, and is called by one goroutine at a time.
	//
	// Of several rows of one trade it is the one that Find would prefer, of those with
	// a bill row. Duplicates are never among them.
	Scan(ctx context.Context, days []int32, each func(*schema.Settled, *schema.Returned) error) error

	// Covered is the date of the latest earlier run whose statements covered a provider's
	// product and period; false: there is none (Result.Covered).
	Covered(c Coverage) (date int32, ok bool)

	// Times are when the trades of earlier days were paid (完成时间), and when their
	// orders were made: no such time lies outside of the spans, which are sorted.
	Times() (paid, ordered []Span)
}

// A Span is the time from one second to another, which is in it.
type Span struct{ From, To int64 }

// A Coverage is what a statement covers as soon as it has a row of it (rules 6).
type Coverage struct{ Provider, Product, Period string }

// Carried are the rows of pending units that a run leaves to the next days, as
// they were read (rules 9). Table is a number in Tables.
//
// Of a table, Path, Member, Kind, Format, Dialect, Encoding, Account, FeesAllZero,
// SHA256 and Bytes are used. Every column of uint32 has words of the run.
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
