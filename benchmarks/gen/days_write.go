package gen

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DaysTruth is what the runs of all days in order must find, counted.
type DaysTruth struct {
	Seed uint64      `json:"seed"`
	Days []DayCounts `json:"days"`
}

// DayCounts are the rows of one day's trades by status.
type DayCounts struct {
	Date   string           `json:"date"`
	Trades map[string]int64 `json:"trades"`
}

// booked is how many trades the books of WriteDays may hold.
const booked = 300_000

const aboutDays = `# What the runs of these days must find, in order and with a state

- truth.json: how many rows of each status each day's trades have.
- DATE/trades.csv, refunds.csv, rebates.csv: each run's tables, cut to these columns, hold these rows, each as often, in
  any order; rebates has those of earlier days that the day's statement pays. ` + "`?`" + ` is not stated.
- DATE/breaks.csv: the breaks of these codes. More than 300,000 trades in all have truth.json alone.
`

// WriteDays writes all days with their job file into dir, a day at a time, and what
// their runs must find into expected/.
func WriteDays(ctx context.Context, dir string, cfg DaysConfig) (*DaysTruth, error) {
	d, err := NewDays(cfg)
	if err != nil {
		return nil, err
	}
	if err := d.Begin(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "expected"), 0o755); err != nil {
		return nil, err
	}
	truth := &DaysTruth{Seed: d.cfg.Seed}
	ledger := NewLedger(d)
	for day := range d.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.WriteDay(dir, day); err != nil {
			return nil, err
		}
		truth.Days = append(truth.Days, DayCounts{d.Date(day), d.Statuses(day)})
		if d.cfg.Days*d.cfg.Trades > booked {
			continue
		}
		found, err := ledger.Run(day, d.Files(day))
		if err != nil {
			return nil, err
		}
		if err := found.write(filepath.Join(dir, "expected", d.Date(day))); err != nil {
			return nil, err
		}
	}
	text, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "expected", "README.md"), []byte(aboutDays), 0o644); err != nil {
		return nil, err
	}
	return truth, os.WriteFile(filepath.Join(dir, "expected", "truth.json"), append(text, '\n'), 0o644)
}

// Tables are the truth's rows by the name of their table.
func (t *DayTruth) Tables() map[string][]string {
	return map[string][]string{"trades": t.Trades, "refunds": t.Refunds, "rebates": t.Rebates, "breaks": t.Breaks}
}

func (t *DayTruth) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, rows := range t.Tables() {
		lines := slices.Concat([]string{strings.Join(TruthColumns[name], ",")}, rows, []string{""})
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			return err
		}
	}
	return nil
}
