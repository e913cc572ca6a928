// Package diff compares two runs: which trades and refunds changed their status,
// what money moved with them, and which breaks came and went.
//
// What is compared are sides, because the rows of two runs need not be the same: an
// order that was pos_only and a bill row that was bill_only may be one matched trade
// in the other run. A row of trades has a POS side, known by (merchant, out_trade_no),
// and a bill side, known by its trade_no. Each side moves from one status to another,
// or from or to none, where the other run does not have it:
//
//	pos   pos_only  → matched  3  120.00
//	bill  (none)    → matched  3  120.00
//
// So the moves from a status add up to what the first run has in it, those to a
// status to what the second has, and the comparison proves that they do.
//
// A Comparer takes the rows of either run in any order and puts them aside by the
// hash of their key, so that its memory does not grow with the runs.
package diff
