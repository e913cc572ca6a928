package verdicts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duizhang/engine"
	"duizhang/engine/fsys"
	"duizhang/reports"
)

const breaksDir = "breaks"

// A Known is a break that a run of the job reported.
type Known struct {
	Date                                                   string // business date of the latest such run
	ID, Code, Merchant, OutTradeNo, TradeNo, RequestNo, At string
	Amount                                                 string
}

var knownHeader = []string{"id", "code", "merchant_pid", "out_trade_no", "trade_no", "out_request_no", "source", "amount"}

// Reported is the file of the breaks that the runs of a day reported, with the
// breaks of one more run: its name in the state folder, and what it then holds. So
// their ids are known when verdicts come back. What an earlier run of that day
// reported stays known: its workbook may still come back.
func Reported(dir string, date time.Time, breaks []engine.Break, source func(*engine.Break) string) (name string, data []byte, err error) {
	name = breaksDir + "/" + date.Format(time.DateOnly) + ".csv"
	folder := filepath.Join(dir, breaksDir)
	for _, path := range []string{dir, folder} {
		if err := Check(path); err != nil {
			return "", nil, err
		}
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.Write(knownHeader); err != nil {
		return "", nil, err
	}
	seen := make(map[string]bool, len(breaks))
	for i := range breaks {
		b := &breaks[i]
		id := b.ID()
		if seen[id] {
			continue
		}
		seen[id] = true
		if err := w.Write([]string{id, b.Code.String(), b.Merchant, b.OutTradeNo, b.TradeNo, b.RequestNo, source(b), reports.AmountText(b)}); err != nil {
			return "", nil, err
		}
	}
	err = eachKnown(filepath.Join(dir, filepath.FromSlash(name)), func(record []string) error {
		if seen[record[0]] {
			return nil
		}
		return w.Write(record)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	w.Flush()
	return name, out.Bytes(), w.Error()
}

// Forget removes the files of the days before the given one.
func Forget(dir string, before time.Time) error { return forget(filepath.Join(dir, breaksDir), before) }

// forget removes the files of the days before the given one.
func forget(folder string, before time.Time) error {
	days, err := days(folder)
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < before.Format(time.DateOnly) {
			if err := fsys.Remove(filepath.Join(folder, day+".csv")); err != nil {
				return err
			}
		}
	}
	return nil
}

// days are the days whose breaks are known, the latest first.
func days(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var days []string
	for _, e := range entries {
		day, ok := strings.CutSuffix(e.Name(), ".csv")
		if _, err := time.Parse(time.DateOnly, day); ok && err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	slices.Reverse(days)
	return days, nil
}

// eachKnown reads a file of breaks. The record is valid during the call.
func eachKnown(path string, each func(record []string) error) error {
	f, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	r := csv.NewReader(f)
	r.ReuseRecord, r.FieldsPerRecord = true, len(knownHeader)
	for first := true; ; first = false {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && !first:
			return nil
		case err != nil:
			line, _ := r.FieldPos(0)
			if e, ok := errors.AsType[*csv.ParseError](err); ok {
				line = e.Line
			}
			return &CorruptError{path, max(line, 1), "not a file of known breaks"}
		case first && !slices.Equal(record, knownHeader), !first && !isID(record[0]):
			line, _ := r.FieldPos(0)
			return &CorruptError{path, line, "not a file of known breaks"}
		case first:
		default:
			if err := each(record); err != nil {
				return err
			}
		}
	}
}

func knownOf(day string, r []string) Known {
	return Known{
		Date: day, ID: strings.Clone(r[0]), Code: strings.Clone(r[1]), Merchant: strings.Clone(r[2]), OutTradeNo: strings.Clone(r[3]),
		TradeNo: strings.Clone(r[4]), RequestNo: strings.Clone(r[5]), At: strings.Clone(r[6]), Amount: strings.Clone(r[7]),
	}
}

// Known finds which of the ids were reported, and as what: by the latest day.
// days is how many days are known at all.
func (s *Store) Known(ids map[string]bool) (known map[string]Known, all int, err error) {
	folder := filepath.Join(s.dir, breaksDir)
	dates, err := days(folder)
	if err != nil {
		return nil, 0, err
	}
	known = map[string]Known{}
	for _, day := range dates {
		if len(known) == len(ids) {
			break
		}
		err := eachKnown(filepath.Join(folder, day+".csv"), func(record []string) error {
			if _, found := known[record[0]]; !found && ids[record[0]] {
				known[strings.Clone(record[0])] = knownOf(day, record)
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return known, len(dates), nil
}

// Open are the breaks of the latest day that have no verdict which settles them.
func (s *Store) Open() ([]Known, error) {
	folder := filepath.Join(s.dir, breaksDir)
	dates, err := days(folder)
	if err != nil || len(dates) == 0 {
		return nil, err
	}
	var open []Known
	err = eachKnown(filepath.Join(folder, dates[0]+".csv"), func(record []string) error {
		if i, ok := s.last[record[0]]; !ok || !s.events[i].Verdict.State.Settles() {
			open = append(open, knownOf(dates[0], record))
		}
		return nil
	})
	return open, err
}
