// Package rules decides where every fen goes: money and its rounding, the
// allocation of an order over its goods (分摊), the split of a refund over what
// paid the order, the rebate audit, service fees, and the words of the report.
//
// It is pure. Functions take values and slices and return values and slices;
// nothing here reads a file, a clock or the environment, and nothing starts a
// goroutine. Whoever wants to check a number needs this package and the worked
// examples in testdata, which stand one to a line.
//
// Where to look:
//
//	money.go, parse.go   Fen and Micro, their text, exact and without floats
//	sum.go, round.go     128-bit totals; the roundings
//	allocate.go          a total over weights, to the fen
//	goods.go             one order over its goods, with merging and the filler line
//	coupon.go            what a coupon's threshold looks at
//	refund.go            funding, the refund policy, and what a refund returns
//	returns.go           what a refund asks for, by the goods that came back
//	pid.go               the PID that a trade carried, right or wrong, and why
//	rebate.go            what a rebate should be, per trade and per period
//	cause.go, status.go, breaks.go   the report's words
//	fee.go, identity.go, ids.go      the smaller rules
//
// Money is never a float. An amount is a Fen, an int64 of 1/100 yuan; prices,
// quantities, rates and rebate amounts are a Micro, an int64 of 1/1,000,000.
// Rounding is half up, away from zero for negatives (四舍五入), and whatever
// divides an amount gives parts that add up to it.
//
// Types with scratch (Allocator, Returns) are for one goroutine each. The hot
// functions allocate nothing once the scratch has grown.
package rules
