// Package state keeps what a run leaves to later days (rules 9): settled trades and
// their refunds, the rows that are carried, the breaks that were reported, and a
// record of the run itself.
//
// A run of a business date goes through a Day:
//
//	s, err := state.Open(ctx, dir, state.Options{Owner: "duizhang run"})
//	day, err := s.Begin(date, words, historyDays)
//	day.Carried()                 what the latest earlier day left open
//	day.Find(…), day.Keep(…)      by the engine's workers, a part at a time
//	day.Carry(…), day.KeepBreaks(…)
//	token, unchanged, err := day.Prepare(run)
//	…                             outputs are made durable under the token
//	later, err := day.Commit()    the decision
//	…                             outputs are published
//
// Until Commit the state is as it was; after it, the day's earlier effect is
// replaced as a whole. A process that dies leaves one or the other, and
// [Store.Committed] tells which.
//
// The database is [pebble] in the folder history of the state folder. A run writes
// its rows sorted, in pages of columns (page.go), as tables that pebble takes over
// whole; keys.go is the layout.
//
// [pebble]: https://github.com/cockroachdb/pebble
package state
