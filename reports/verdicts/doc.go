// Package verdicts keeps what people concluded about breaks, and reads it back from
// the workbook that they wrote it in.
//
// The state folder of a job holds, all plain text:
//
//	verdicts.jsonl          what was concluded, an event a line, the oldest first
//	breaks/2026-11-20.csv   the breaks that the runs of that day reported
//
// The first line of verdicts.jsonl says what the file is:
//
//	{"format":"duizhang verdicts","schema":1}
//	{"id":"bx7…","verdict":"settled","handler":"张会计","note":"补录","at":"2026-11-21T09:30:00+08:00","source":"report.xlsx:短款!Q7"}
//
// A break's verdict is that of its last event; those before it are its history.
// Nothing is ever taken out. The files of breaks are what ids are recognised by: an
// id that is in none of them was not reported by the job, or so long ago that it
// was forgotten (state.history_days).
//
// Every file is written beside its place, made durable and renamed. Whoever writes
// holds the folder's lock, which is the caller's.
package verdicts
