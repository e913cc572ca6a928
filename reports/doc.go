// Package reports writes what a run found: the result tables as CSV and
// Parquet, the breaks in words, the rejects, summary.json, the workbook and the
// page.
//
// A [Writer] takes the partitions' results while the engine computes them
// (it is the engine's ResultSink), and the rest at the end, with Finish:
//
//	staging, err := reports.NewStaging("out", 0) // a folder beside out
//	w, err := reports.NewWriter(reports.Options{Dir: staging.Dir(), …})
//	result, err := engine.Run(ctx, …, w)
//	err = w.Finish(ctx, result, reports.Outcome{…})
//	err = staging.Publish()                      // readers see the old run or the new one
//
// Every output but the timings in summary.json depends on the inputs alone: no
// clock, no map's order, and no order in which parts arrive reaches a byte.
//
// Where to look:
//
//	writer.go, order.go   the sink; CSV chunks in the order of the parts
//	csv.go, parquet.go    the two forms of a result table
//	sorted.go             output.sort: one order over all parts
//	breaks.go, texts.go   the findings, and their words in two languages
//	rejects.go            the rows that were not accepted
//	mask.go, veil.go      privacy; masked words in Parquet
//	groups.go             rebate_groups
//	shifts.go             shifts
//	shiftpages.go         what one shift hands over: terminal, page to print, JSON
//	accounts.go           what the summary says of the account bills
//	summary.go, inspect.go  summary.json; what inspect prints of a table
//	workbook*.go, sheetxml.go  the workbook: lists, the overview, charts; rows as XML
//	verdicts.go           what people write behind breaks: columns and words
//	page.go, console.go   for people
//	figures.go, attribution.go  what they share: figures, and where breaks come from
//	publish.go            the exchange of folders
package reports
