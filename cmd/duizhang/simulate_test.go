//go:build unix

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"duizhang/benchmarks/gen"
)

// simulatedDays is how many runs of a day TestSimulate makes: as many as
// DUIZHANG_SIMULATED_DAYS says, 200 without it, 20 with -short. The long version is
//
//	DUIZHANG_SIMULATED_DAYS=10000 go test -run TestSimulate -timeout 4h ./cmd/duizhang
func simulatedDays(t *testing.T) int {
	if text := os.Getenv("DUIZHANG_SIMULATED_DAYS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("DUIZHANG_SIMULATED_DAYS: %v", err)
		}
		return n
	}
	if testing.Short() {
		return 20
	}
	return 120
}

// Night after night, with files that come late or are put right later, days that
// are run out of order or again, and processes that die: each run finds what the
// ledger says. In the end every trade has closed once, every refund is split on
// the right cumulative amount, and the totals are those that were planted.
// DUIZHANG_SIMULATED_SEED runs one seed alone.
func TestSimulate(t *testing.T) {
	if text := os.Getenv("DUIZHANG_SIMULATED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		simulate(t, seed)
		return
	}
	want := simulatedDays(t)
	for seed, made := uint64(1), 0; made < want; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { made += simulate(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d failed: DUIZHANG_SIMULATED_SEED=%d runs it alone", seed, seed)
		}
	}
}

// A simulation is one firm's nights.
type simulation struct {
	t       *testing.T
	dir     string
	r       *rand.Rand
	days    *gen.Days
	ledger  *gen.Ledger
	files   map[int]map[string]gen.DayFile // what is there of each day
	owed    []gen.DayFile                  // what comes later
	next    int                            // the first day that has not come
	ran     map[int][]gen.DayFile          // what was there when the day was run
	actions []string
	runs    int
}

// simulate returns how many runs of a day it made.
func simulate(t *testing.T, seed uint64) int {
	r := rand.New(rand.NewPCG(seed, 0x51))
	cfg := gen.DaysConfig{
		Seed: seed, From: fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(11), 18+r.IntN(11)), Days: 5 + r.IntN(16), Trades: 10 + r.IntN(90),
		Merchants: 1 + r.IntN(3), Crossing: 60 + r.IntN(300), Refunded: 60 + r.IntN(300),
	}
	if seed%8 == 0 {
		cfg.Trades = 300
	}
	days, err := gen.NewDays(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &simulation{
		t: t, dir: t.TempDir(), r: r, days: days, ledger: gen.NewLedger(days), files: map[int]map[string]gen.DayFile{}, ran: map[int][]gen.DayFile{},
	}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, %+v:\n%s", seed, cfg, strings.Join(s.actions, "\n"))
		}
	}()
	if err := days.Begin(s.dir); err != nil {
		t.Fatal(err)
	}
	for s.next < days.Len() && !t.Failed() {
		s.act()
	}
	if !t.Failed() {
		s.end()
	}
	return s.runs
}

func (s *simulation) did(format string, args ...any) {
	s.actions = append(s.actions, fmt.Sprintf(format, args...))
}

// act does what may happen of a night.
func (s *simulation) act() {
	switch x := s.r.IntN(20); {
	case x < 10:
		s.arrive(s.next)
		s.night(s.next)
		s.next++
	case x < 12 && s.next+1 < s.days.Len(): // a day is left out, and run after the one that follows it
		s.arrive(s.next)
		s.arrive(s.next + 1)
		s.night(s.next + 1)
		s.night(s.next)
		s.next += 2
	case x < 15 && len(s.owed) > 0:
		k := s.r.IntN(len(s.owed))
		f := s.owed[k]
		s.owed = slices.Delete(s.owed, k, k+1)
		s.deliver(f)
		s.night(f.Day)
	case x < 17 && s.next > 0:
		s.again(s.r.IntN(s.next))
	case x < 18 && s.next > 0: // days are redone in order
		from := s.r.IntN(s.next)
		s.redo(from, min(s.next-1, from+s.r.IntN(4)))
	case s.next > 0:
		s.crash(s.r.IntN(s.next))
	}
}

func (s *simulation) deliver(f gen.DayFile) {
	s.did("day %d: %s arrives, draft %v", f.Day, s.days.Path(f), f.Draft)
	if err := s.days.WriteFile(s.dir, f); err != nil {
		s.t.Fatal(err)
	}
	if s.files[f.Day] == nil {
		s.files[f.Day] = map[string]gen.DayFile{}
	}
	s.files[f.Day][s.days.Path(f)] = f
}

// arrive brings the files of a day; some come later, and of some a draft comes first.
func (s *simulation) arrive(day int) {
	for _, f := range s.days.Files(day) {
		switch x := s.r.IntN(20); {
		case x == 0 && f.Kind != gen.StatementOfDay:
			s.owed = append(s.owed, f)
		case x <= 2 && f.Kind != gen.StatementOfDay:
			s.owed = append(s.owed, f)
			f.Draft = true
			s.deliver(f)
		default:
			s.deliver(f)
		}
	}
}

func (s *simulation) filesOf(day int) []gen.DayFile {
	var files []gen.DayFile
	for _, path := range slices.Sorted(maps.Keys(s.files[day])) {
		files = append(files, s.files[day][path])
	}
	return files
}

// whole reports whether each of the job's patterns of the day matches a file.
func (s *simulation) whole(day int) bool {
	kinds := map[gen.DayFileKind]bool{}
	for _, f := range s.files[day] {
		kinds[f.Kind] = true
	}
	return (kinds[gen.BillOfDay] || kinds[gen.OverlapOfDay]) && kinds[gen.OrdersOfDay] && kinds[gen.RefundsOfDay]
}

func (s *simulation) args(day int, more ...string) []string {
	return append([]string{"run", filepath.Join(s.dir, "job.yaml"), "--date", s.days.Date(day), "--lang", "en", "--quiet"}, more...)
}

func (s *simulation) out(day int) string {
	return filepath.Join(s.dir, "out", strings.ReplaceAll(s.days.Date(day), "-", ""))
}

func (s *simulation) command(want int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	var out, err bytes.Buffer
	if status := run(s.t.Context(), args, &out, &err); status != want {
		s.t.Fatalf("%q: status %d, want %d\n%s\n%s", args, status, want, out.String(), err.String())
	}
	return out.String(), err.String()
}

// night runs a day and compares what it found with the ledger. A day of which a
// whole kind of files is missing is refused, and changes nothing.
func (s *simulation) night(day int) {
	s.t.Helper()
	if !s.whole(day) {
		s.did("day %d: refused", day)
		before := s.folder(day)
		s.command(exitInput, s.args(day)...)
		if !maps.Equal(before, s.folder(day)) {
			s.t.Errorf("day %d: refused, and readers see something else", day)
		}
		return
	}
	s.did("day %d: run", day)
	s.runs++
	s.command(exitDone, s.args(day, "--memory", []string{"64MiB", "1GiB"}[s.r.IntN(2)], "--workers", strconv.Itoa(1+s.r.IntN(3)))...)
	truth, err := s.ledger.Run(day, s.filesOf(day))
	if err != nil {
		s.t.Fatal(err)
	}
	s.ran[day] = s.filesOf(day)
	s.compare(day, truth)
	if s.r.IntN(3) == 0 {
		s.dependents()
	}
}

// again runs a day that has been run: the same bytes.
func (s *simulation) again(day int) {
	if !s.ledger.Has(day) {
		return
	}
	look, err := s.ledger.Look(day, s.filesOf(day))
	if err != nil {
		s.t.Fatal(err)
	}
	before := outputs(s.t, s.out(day))
	same := agrees(look, s.ledger.Truth(day)) && !look.Doubtful && slices.Equal(s.filesOf(day), s.ran[day])
	revision := 0
	if same {
		revision = s.revision(day)
	}
	s.night(day)
	if !same || s.t.Failed() {
		return
	}
	s.sameOutputs(fmt.Sprintf("day %d, run again", day), before, outputs(s.t, s.out(day)))
	if now := s.revision(day); now != revision {
		s.t.Errorf("day %d, run again: the state has revision %d, had %d", day, now, revision)
	}
}

func agrees(a, b *gen.DayTruth) bool {
	return maps.EqualFunc(a.Tables(), b.Tables(), slices.Equal[[]string])
}

func (s *simulation) sameOutputs(what string, want, got map[string]string) {
	s.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			s.t.Errorf("%s: %s differs:\n%s", what, name, firstDifference(want[name], got[name]))
		}
	}
	if len(got) != len(want) {
		s.t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %.300s\nwas     %.300s", i+1, b[i], a[i])
		}
	}
	return fmt.Sprintf("%d lines, were %d", len(b), len(a))
}

// redo runs several days with one command.
func (s *simulation) redo(from, to int) {
	for day := from; day <= to; day++ {
		if !s.whole(day) {
			return
		}
	}
	s.did("days %d to %d: run", from, to)
	s.command(exitDone, "run", filepath.Join(s.dir, "job.yaml"), "--from", s.days.Date(from), "--to", s.days.Date(to), "--quiet", "--lang", "en")
	for day := from; day <= to; day++ {
		s.runs++
		s.ran[day] = s.filesOf(day)
		truth, err := s.ledger.Run(day, s.ran[day])
		if err != nil {
			s.t.Fatal(err)
		}
		s.compare(day, truth)
	}
}

// crash lets a run die at some step, and runs the day again: readers see the run
// before or the run after.
func (s *simulation) crash(day int) {
	if !s.whole(day) {
		return
	}
	before := s.folder(day)
	at := 1 + s.r.IntN(150)
	s.did("day %d: dies at step %d", day, at)
	text, status, died := runFailing(s.t, fault{Base: s.dir, Step: at, How: faultDies}, s.args(day, "--workers", "1")...)
	if !died && status != exitDone {
		s.t.Fatalf("day %d, dying at step %d: status %d\n%s", day, at, status, text)
	}
	between := s.folder(day)
	s.night(day)
	if s.t.Failed() {
		return
	}
	if after := s.folder(day); !maps.Equal(between, before) && !maps.Equal(between, after) {
		s.t.Errorf("day %d died at step %d: what readers saw is neither the run before nor the run after", day, at)
	}
}

// folder is what readers see of a day.
func (s *simulation) folder(day int) map[string]string {
	if _, err := os.Lstat(s.out(day)); err != nil {
		return nil
	}
	return outputs(s.t, s.out(day))
}

// compare compares the tables of a day with the truth.
func (s *simulation) compare(day int, truth *gen.DayTruth) {
	s.t.Helper()
	if truth.Doubtful {
		s.did("day %d: doubtful", day)
		return
	}
	for name, want := range truth.Tables() {
		got := readColumns(s.t, filepath.Join(s.out(day), name+".csv"), gen.TruthColumns[name], keptRow(name))
		if text := unmatched(got, want); text != "" {
			s.t.Errorf("day %d (%s): %s: %s\n%s", day, s.days.Date(day), name, strings.Join(gen.TruthColumns[name], ","), text)
		}
	}
}

// keptRow tells which rows of a table the truth states.
func keptRow(table string) func(row map[string]string) bool {
	switch table {
	case "rebates":
		return func(row map[string]string) bool { return row["stated"] != "" || row["cause"] == "statement_missing" }
	case "breaks":
		return func(row map[string]string) bool { return slices.Contains(gen.TruthCodes, row["code"]) }
	}
	return func(map[string]string) bool { return true }
}

// readColumns reads rows of a CSV, cut to columns.
func readColumns(t *testing.T, path string, columns []string, keep func(map[string]string) bool) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cut [][]string
	for _, cells := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = cells[i]
		}
		if !keep(row) {
			continue
		}
		var kept []string
		for _, name := range columns {
			kept = append(kept, row[name])
		}
		cut = append(cut, kept)
	}
	return cut
}

// unmatched lists rows that one side alone has; "?" is any cell.
func unmatched(got [][]string, want []string) string {
	byKey := map[string][]string{}
	for _, row := range want {
		c := strings.Split(row, ",")
		byKey[c[0]+","+c[1]] = append(byKey[c[0]+","+c[1]], row)
	}
	var out []string
	for _, row := range got {
		key := row[0] + "," + row[1]
		at := slices.IndexFunc(byKey[key], func(w string) bool { return fits(row, strings.Split(w, ",")) })
		if at < 0 {
			out = append(out, "found "+strings.Join(row, ","))
			continue
		}
		byKey[key] = slices.Delete(byKey[key], at, at+1)
	}
	for _, rows := range byKey {
		for _, row := range rows {
			out = append(out, "want  "+row)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a[6:], b[6:]) })
	const most = 20
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return strings.Join(out, "\n")
}

func fits(row, want []string) bool {
	for i, cell := range want {
		if cell != "?" && cell != row[i] {
			return false
		}
	}
	return true
}

// dependents: later days that would find something else now are named as such.
func (s *simulation) dependents() {
	s.t.Helper()
	stale := map[string]bool{}
	for _, r := range runsOf(s.t, filepath.Join(s.dir, "job.yaml")) {
		stale[r.Date] = r.Stale
	}
	for day, files := range s.ran {
		look, err := s.ledger.Look(day, files)
		if err != nil {
			s.t.Fatal(err)
		}
		was := s.ledger.Truth(day)
		if !look.Doubtful && !was.Doubtful && !agrees(look, was) && !stale[s.days.Date(day)] {
			s.t.Errorf("day %d (%s) would find something else now, and is not said to be run again", day, s.days.Date(day))
		}
	}
}

// revision is how often a day's run was replaced.
func (s *simulation) revision(day int) int {
	for _, r := range runsOf(s.t, filepath.Join(s.dir, "job.yaml")) {
		if r.Date == s.days.Date(day) {
			return r.Revision
		}
	}
	return 0
}

// end brings what is owed, runs all days in order, and closes the books.
func (s *simulation) end() {
	s.did("the end")
	for _, f := range s.owed {
		s.deliver(f)
	}
	s.redo(0, s.days.Len()-1)
	if s.t.Failed() {
		return
	}
	s.closings()
	s.returns()
	if s.r.IntN(3) == 0 {
		s.straight()
	}
	for _, r := range runsOf(s.t, filepath.Join(s.dir, "job.yaml")) {
		if r.Stale {
			s.t.Errorf("%s is to be run again, after all days were run in order", r.Date)
		}
	}
	for range 2 {
		day := s.r.IntN(s.days.Len())
		before := outputs(s.t, s.out(day))
		s.night(day)
		s.sameOutputs(fmt.Sprintf("day %d, run again in the end", day), before, outputs(s.t, s.out(day)))
	}
}

// straight: the outputs and the state are those of runs in order, with the right
// files from the start; but for which breaks a run has closed, which says what was
// before.
func (s *simulation) straight() {
	dir := s.t.TempDir()
	if err := s.days.Begin(dir); err != nil {
		s.t.Fatal(err)
	}
	for day := range s.days.Len() {
		if err := s.days.WriteDay(dir, day); err != nil {
			s.t.Fatal(err)
		}
	}
	s.command(exitDone, "run", filepath.Join(dir, "job.yaml"), "--from", s.days.Date(0), "--to", s.days.Date(s.days.Len()-1), "--quiet", "--lang", "en")
	here := *s
	here.dir = dir
	for day := range s.days.Len() {
		want, got := here.folder(day), s.folder(day)
		delete(want, "summary.json")
		delete(got, "summary.json")
		s.sameOutputs(fmt.Sprintf("day %d beside a straight run", day), want, got)
	}
	want, got := exported(s.t, dir), exported(s.t, s.dir)
	delete(want, "runs")
	delete(got, "runs")
	s.sameOutputs("the state beside that of straight runs", want, got)
}

// closings: every trade has closed as it was planted, once.
func (s *simulation) closings() {
	got, want := map[gen.Closing]int{}, map[gen.Closing]int{}
	for day := range s.days.Len() {
		rows := readColumns(s.t, filepath.Join(s.out(day), "trades.csv"), gen.TruthColumns["trades"], func(row map[string]string) bool {
			return row["status"] != "pending"
		})
		for _, row := range rows {
			carried, _ := strconv.Atoi(row[5])
			got[gen.Closing{Merchant: row[0], Number: row[1], Status: row[2], Day: day, Carried: carried}]++
		}
	}
	s.days.Closings(func(c gen.Closing) { want[c]++ })
	for c := range want {
		if got[c] != want[c] {
			s.t.Errorf("%v: closed %d times, want %d", c, got[c], want[c])
		}
	}
	for c := range got {
		if want[c] == 0 {
			s.t.Errorf("%v: closed, and was not planted", c)
		}
	}
}

// returns: what all refunds of a trade give back is the split of their sum.
func (s *simulation) returns() {
	got := map[string]*gen.Return{}
	for day := range s.days.Len() {
		rows := readColumns(s.t, filepath.Join(s.out(day), "refunds.csv"), gen.TruthColumns["refunds"], func(row map[string]string) bool {
			return row["status"] != "pending" && row["bill_amount"] != "" && row["expected_paid"] != ""
		})
		for _, row := range rows {
			r := got[row[0]+row[1]]
			if r == nil {
				r = &gen.Return{Merchant: row[0], Number: row[1]}
				got[row[0]+row[1]] = r
			}
			r.Cumulative = max(r.Cumulative, s.fen(row[6]))
			r.Paid += s.fen(row[7])
			r.RedPacket += s.fen(row[8])
			r.Allowance += s.fen(row[9])
		}
	}
	s.days.Returns(func(want gen.Return) {
		if r := got[want.Merchant+want.Number]; r == nil || *r != want {
			s.t.Errorf("refunds of %s: gave back %+v, want %+v", want.Number, r, want)
		}
	})
}

func (s *simulation) fen(text string) int64 {
	v, err := strconv.ParseInt(strings.Replace(text, ".", "", 1), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}
