// Package schema holds the shapes in which rows travel: what a loader hands to
// the engine, and what the engine hands to the reports.
//
// Input rows travel as Arrow record batches. [Bills], [Orders], [Lines],
// [PosRefunds], [RefundLines] and [Statements] are typed views of such a batch:
// plain slices, one a column, without copying. A view's Record method gives the
// Arrow form back. The two forms share their memory.
//
// Conventions of every column:
//
//   - Amounts are int64 fen, prices, quantities, rates and rebate amounts int64
//     millionths. [Null] stands for "not given", which is not 0.
//   - Times are seconds since 1970-01-01 00:00:00 of the job's wall clock,
//     because no file states a zone; [Null] is a blank.
//   - Texts of few distinct values (PIDs, stores, terminals, goods) are words:
//     codes into the run's [Words]. Code 0 is the blank. Codes depend on the
//     order of reading, so nothing is ever sorted by them.
//   - Numbers of trades, orders and requests are [Text] columns, byte for byte.
//   - A row knows where it stands: Table is an index into the run's tables,
//     Line the line in the file, from 1.
package schema
