package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"duizhang/benchmarks/gen"
)

// sourceDays are days with every source of the business, in all forms in turn.
func sourceDays(seed uint64) gen.Config {
	cfg := gen.Sources(seed)
	cfg.LastLine, cfg.FeesProRata = false, false // what init cannot see
	switch seed % 4 {
	case 1: // all of it as messages
		cfg.POS, cfg.NoRejects, cfg.Mix = gen.POSMessages, true, gen.MessageMix(cfg.Mix)
	case 2:
		cfg.Rebate = gen.RebateMonthly
	case 3:
		cfg.Rebate = gen.RebateRows
	}
	return cfg
}

// TestSources generates a day with every source, runs it by its job file, throws its
// files together in one folder without that, has init write one, and runs it again.
// Both runs have found what the generator planted.
func TestSources(t *testing.T) {
	days := 40
	if testing.Short() {
		days = 4
	}
	for seed := range uint64(days) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := sourceDays(seed)
			dir := filepath.Join(t.TempDir(), "day")
			truth, err := gen.Write(t.Context(), dir, cfg)
			if err != nil {
				t.Fatal(err)
			}
			command(t, exitDone, "run", filepath.Join(dir, "job.yaml"), "--quiet")
			sameTruth(t, "job.yaml", filepath.Join(dir, "out"), filepath.Join(dir, "expected"), truth)

			mixed := filepath.Join(t.TempDir(), "mixed")
			throwTogether(t, dir, mixed)
			command(t, exitDone, "init", mixed, "--quiet")
			want := exitDone
			switch {
			case len(truth.Rejects) > 0:
				want = exitRejects
			case len(truth.Breaks) > 0:
				want = exitBreaks
			}
			command(t, want, "run", filepath.Join(mixed, initName), "--quiet")
			sameFormats(t, dir)
			sameTruth(t, "init", filepath.Join(mixed, "out"), filepath.Join(dir, "expected"), truth)
		})
	}
}

// sameFormats checks what inspect calls the files that no input takes, and that every
// total which they state holds.
func sameFormats(t *testing.T, dir string) {
	t.Helper()
	_, want := readTable(t, filepath.Join(dir, "expected", "strangers.csv"))
	for _, file := range want {
		var stdout, stderr bytes.Buffer
		run(t.Context(), []string{"inspect", filepath.Join(dir, file[0]), "--json"}, &stdout, &stderr)
		var tables []struct {
			Format   *string
			Controls []struct {
				Name          string
				Stated, Holds any
			}
		}
		if err := json.Unmarshal(stdout.Bytes(), &tables); err != nil || len(tables) != 1 {
			t.Fatalf("inspect %s: %v\n%s%s", file[0], err, stdout.String(), stderr.String())
		}
		got := ""
		if tables[0].Format != nil {
			got = *tables[0].Format
		}
		if got != file[1] || strings.HasPrefix(got, "wechat_") && got != "wechat_personal" && len(tables[0].Controls) == 0 {
			t.Errorf("inspect %s: format %q, controls %v, want %q", file[0], got, tables[0].Controls, file[1])
		}
		for _, c := range tables[0].Controls {
			if c.Holds != true && c.Stated != nil {
				t.Errorf("inspect %s: %+v does not hold", file[0], c)
			}
		}
	}
}

func command(t *testing.T, want int, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, &stdout, &stderr); status != want {
		t.Fatalf("duizhang %s: status %d, want %d\n%s%s", strings.Join(args, " "), status, want, stdout.String(), stderr.String())
	}
}

// throwTogether copies the inputs of a day into one folder. Their order, which says
// which of two rows counts, stays.
func throwTogether(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(from, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		if folder == "expected" || folder == "out" {
			continue
		}
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, folder+"_"+filepath.Base(file)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sameTruth compares the summary and the small tables of a run with the truth.
func sameTruth(t *testing.T, name, out, expected string, truth *gen.Truth) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	type sum struct {
		Count  int64  `json:"count"`
		Amount string `json:"amount"`
	}
	var found struct {
		Trades  map[string]json.RawMessage `json:"trades"`
		Refunds map[string]json.RawMessage `json:"refunds"`
		Breaks  map[string]sum             `json:"breaks"`
		Rejects map[string]int64           `json:"rejects"`
	}
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	for part, sides := range map[string][2]any{"trades": {found.Trades, truth.Trades}, "refunds": {found.Refunds, truth.Refunds}} {
		if got, want := plainJSON(t, sides[0]), plainJSON(t, sides[1]); got != want {
			t.Errorf("%s: %s\n%s, want\n%s", name, part, got, want)
		}
	}
	for _, code := range truth.NotStated {
		delete(found.Breaks, code)
	}
	for code, want := range truth.Breaks {
		amount := strings.Trim(plainJSON(t, want.Amount), `"`)
		if got := found.Breaks[code]; got.Count != want.Count || fenText(got.Amount) != amount {
			t.Errorf("%s: breaks %s: %d of %s, want %d of %s", name, code, got.Count, got.Amount, want.Count, amount)
		}
		delete(found.Breaks, code)
	}
	for code, want := range truth.Rejects {
		if got := found.Rejects[code]; got != want {
			t.Errorf("%s: rejects %s: %d, want %d", name, code, got, want)
		}
		delete(found.Rejects, code)
	}
	for code, got := range found.Breaks {
		t.Errorf("%s: breaks %s: %+v, which the truth has not", name, code, got)
	}
	for code, got := range found.Rejects {
		t.Errorf("%s: rejects %s: %d, which the truth has not", name, code, got)
	}
	for _, table := range []string{"accounts", "rebates", "rebate_groups", "devices"} {
		sameTable(t, name, filepath.Join(out, table+".csv"), filepath.Join(expected, table+".csv"))
	}
}

// plainJSON is a value's JSON with its members in order and without statuses that do
// not occur.
func plainJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	var plain any
	if err == nil {
		err = json.Unmarshal(data, &plain)
	}
	if m, ok := plain.(map[string]any); ok {
		for status, sides := range m {
			if s, ok := sides.(map[string]any); ok && s["pos_count"] == 0.0 && s["bill_count"] == 0.0 {
				delete(m, status)
			}
		}
	}
	if err == nil {
		data, err = json.MarshalIndent(plain, "", " ")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fenText rounds an amount with up to six decimals to the fen, half up.
func fenText(amount string) string {
	whole, decimals, _ := strings.Cut(amount, ".")
	if len(decimals) <= 2 {
		return amount
	}
	fen, err := strconv.ParseInt(whole+decimals[:2], 10, 64)
	if err != nil {
		return amount
	}
	if decimals[2] >= '5' {
		fen++
	}
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}

// sameTable compares a table with its truth, which may have fewer columns, row by row
// in any order.
func sameTable(t *testing.T, name, got, want string) {
	t.Helper()
	header, rows := readTable(t, want)
	if header == nil {
		return
	}
	columns, all := readTable(t, got)
	lines := func(from []string, rows [][]string) []string {
		var texts []string
		for _, row := range rows {
			cells := make([]string, len(header))
			for i, column := range header {
				cells[i] = row[slices.Index(from, column)]
			}
			texts = append(texts, strings.Join(cells, ","))
		}
		slices.Sort(texts)
		return texts
	}
	for _, column := range header {
		if !slices.Contains(columns, column) {
			t.Fatalf("%s: %s has no column %s", name, got, column)
		}
	}
	left, right := lines(columns, all), lines(header, rows)
	for i := range max(len(left), len(right)) {
		if i >= len(left) || i >= len(right) || left[i] != right[i] {
			t.Errorf("%s: %s: %d rows, want %d; first difference\n%s, want\n%s", name, filepath.Base(got), len(left), len(right),
				lineAt(left, i), lineAt(right, i))
			return
		}
	}
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return "none"
	}
	return lines[i]
}

func readTable(t *testing.T, path string) (header []string, rows [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return all[0], all[1:]
}
