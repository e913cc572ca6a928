package verdicts

import (
	"time"

	"duizhang/reports"
)

// A Change is what an import comes to.
type Change struct {
	New, Changed, Same int
	// Kept are rows that say nothing about a break which has a verdict: it stays.
	Kept int
}

// Import takes the verdicts of a file, all of them or none. A row that says what is
// already known changes nothing; by is the handler of rows that name none. The
// caller holds the folder's lock. The error is Problems where an id is unknown.
func (s *Store) Import(sheet *Sheet, at time.Time, by string, lang reports.Lang) (Change, error) {
	ids := map[string]bool{}
	for i := range sheet.Rows {
		if _, had := s.last[sheet.Rows[i].ID]; !had {
			ids[sheet.Rows[i].ID] = true
		}
	}
	known, days, err := s.Known(ids)
	if err != nil {
		return Change{}, err
	}
	var change Change
	var problems Problems
	var events []Event
	for _, row := range sheet.Rows {
		if row.Verdict.By == "" {
			row.Verdict.By = by
		}
		last, had := s.last[row.ID]
		if _, ok := known[row.ID]; !ok && !had {
			problems = append(problems, Problem{row.Place, reports.VerdictIDColumn.Head(lang), row.ID, unknown(days, lang)})
			continue
		}
		switch {
		case had && same(s.events[last].Verdict, row.Verdict):
			change.Same++
			continue
		case had:
			change.Changed++
		default:
			change.New++
		}
		events = append(events, Event{row.ID, row.Verdict, at, row.Place})
	}
	if len(problems) > 0 {
		return Change{}, problems
	}
	for _, id := range sheet.Blank {
		if i, had := s.last[id]; had && s.events[i].Verdict != (reports.Verdict{}) {
			change.Kept++
		}
	}
	if len(events) == 0 {
		return change, nil
	}
	return change, s.save(events)
}

// same reports whether a row says what is known: as it was written, or as a report
// shows it, which may mask a mobile.
func same(known, row reports.Verdict) bool {
	shown := known
	shown.By, shown.Note = reports.Mask.Text(known.By), reports.Mask.Text(known.Note)
	return row == known || row == shown
}

func unknown(days int, lang reports.Lang) string {
	switch {
	case days == 0 && lang == reports.English:
		return "no run of the job has kept its breaks yet; run the job with its state first"
	case days == 0:
		return "还没有一次带 state 的对账记下过差异；请先运行作业"
	case lang == reports.English:
		return "no run of this job reported a break with this id; was it altered, or is it another job's?"
	}
	return "这个作业的对账从未报告过这个编号；编号被改动过，或是别的作业的"
}
