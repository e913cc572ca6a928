// Package claim writes claim packs, and checks those that somebody else wrote.
//
// A pack is what a provider sends to whoever pays its rebates: what was not paid for
// the trades of one PID in one period, and all that shows it. It is a folder:
//
//	MANIFEST.json   whose claim it is, its totals, its files and the input files, with their SHA-256
//	trades.csv      the trades, a row each: what is expected, what was paid, what is claimed
//	evidence.csv    the input rows behind them: the columns used, file, line, SHA-256 of line and file
//	groups.csv      the sums per merchant and product
//	claim.xlsx      the same for people: summary, trades, recomputation, agreements
//	statement.html  the claim in words, on one page
//
// trades.csv and evidence.csv go together: the evidence of a trade has its row
// number and stands in the same order, so that both are read in one pass, however
// long they are. Trades that claim nothing are there where others cannot be computed
// without them: all of a group that is paid in one sum, or rounded once.
//
// The line of an evidence row is that of the file or archive member as it is stored;
// its SHA-256 is of the line's bytes without the line end, or, in a workbook, of the
// row's cells joined by commas.
package claim
