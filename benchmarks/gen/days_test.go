package gen

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func newDays(t *testing.T, cfg DaysConfig) *Days {
	t.Helper()
	d, err := NewDays(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The books of a ledger, run day after day, come to what the trades were planted as.
func TestLedgerKeepsThePlan(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		d := newDays(t, DaysConfig{Seed: seed, Days: 40, Trades: 60, Merchants: 1 + int(seed%3), Crossing: 250, Refunded: 300})
		got, want := map[Closing]int{}, map[Closing]int{}
		d.Closings(func(c Closing) { want[c]++ })
		back, cumulative := map[string]Return{}, map[string]int64{}
		l := NewLedger(d)
		for day := range d.Len() {
			truth, err := l.Run(day, d.Files(day))
			if err != nil {
				t.Fatal(err)
			}
			if truth.Doubtful {
				t.Errorf("seed %d: day %d is doubtful", seed, day)
			}
			counts := map[string]int64{}
			for _, row := range truth.Trades {
				c := strings.Split(row, ",")
				counts[c[2]]++
				if c[2] == "pending" {
					continue
				}
				carried, _ := strconv.Atoi(strings.TrimPrefix(c[5], "?"))
				got[Closing{c[0], c[1], c[2], day, carried}]++
			}
			if want := d.Statuses(day); !maps.Equal(counts, want) {
				t.Errorf("seed %d: day %d: %v, want %v", seed, day, counts, want)
			}
			for _, row := range truth.Refunds {
				c := strings.Split(row, ",")
				if c[3] == "pending" || c[5] == "" || c[7] == "?" {
					continue
				}
				r := back[c[0]+c[1]]
				r.Paid += fenIn(t, c[7])
				r.RedPacket += fenIn(t, c[8])
				r.Allowance += fenIn(t, c[9])
				back[c[0]+c[1]] = r
				cumulative[c[0]+c[1]] = max(cumulative[c[0]+c[1]], fenIn(t, c[6]))
			}
			for _, b := range truth.Breaks {
				if strings.HasPrefix(b, "refund_split") {
					t.Errorf("seed %d: day %d: %s: the bill was planted to be right", seed, day, b)
				}
			}
		}
		if !maps.Equal(got, want) {
			for c := range want {
				if got[c] != want[c] {
					t.Errorf("seed %d: %v: %d times in the books, want %d", seed, c, got[c], want[c])
				}
			}
			for c := range got {
				if want[c] == 0 {
					t.Errorf("seed %d: %v is in the books, and was not planted", seed, c)
				}
			}
		}
		n := 0
		d.Returns(func(r Return) {
			n++
			b := back[r.Merchant+r.Number]
			if b.Paid != r.Paid || b.RedPacket != r.RedPacket || b.Allowance != r.Allowance || cumulative[r.Merchant+r.Number] != r.Cumulative {
				t.Errorf("seed %d: %s: %v gave back %v, cumulative %d, want %v", seed, r.Number, r.Merchant, b, cumulative[r.Merchant+r.Number], r)
			}
		})
		if n == 0 {
			t.Errorf("seed %d: no refunds", seed)
		}
	}
}

func fenIn(t *testing.T, text string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(strings.ReplaceAll(text, ".", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Every fate, and every way in which a refund or a statement goes wrong, is planted.
func TestDaysPlantEverything(t *testing.T) {
	d := newDays(t, DaysConfig{Seed: 1, Days: 60, Trades: 100, Crossing: 300, Refunded: 300})
	fates, statuses, causes, breaks := map[fate]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	far := 0
	l := NewLedger(d)
	var tr dayTrade
	for day := range d.Len() {
		for i := range int64(100) {
			d.trade(day, i, &tr)
			fates[tr.fate] = true
			for k := range tr.n {
				far = max(far, tr.refunds[k].billDay-day)
			}
		}
		truth, err := l.Run(day, d.Files(day))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range truth.Refunds {
			statuses[strings.Split(r, ",")[3]] = true
		}
		for _, r := range truth.Rebates {
			causes[strings.Split(r, ",")[3]] = true
		}
		for _, b := range truth.Breaks {
			breaks[strings.Split(b, ",")[0]] = true
		}
	}
	if len(fates) != int(fateCount) {
		t.Errorf("%d fates, want %d", len(fates), fateCount)
	}
	if far < 50 {
		t.Errorf("refunds come %d days later at most", far)
	}
	for _, test := range []struct {
		name string
		got  map[string]bool
		want []string
	}{
		{"refunds", statuses, []string{"amount_mismatch", "bill_only", "excluded", "matched", "pending", "pos_only"}},
		{"causes", causes, []string{"ok", "pid_missing", "pid_unknown", "statement_missing", "statement_over", "statement_short"}},
		{"breaks", breaks, []string{"refund_exceeds_total", "refund_orphan"}},
	} {
		got := slices.Sorted(maps.Keys(test.got))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// The same seed gives the same bytes, in whatever order files are written, and
// again in place of a draft.
func TestDaysAreTheSame(t *testing.T) {
	d := newDays(t, DaysConfig{Seed: 3, Days: 3, Trades: 50})
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := d.Begin(dir); err != nil {
			t.Fatal(err)
		}
	}
	drafts := 0
	for day := range 3 {
		if err := d.WriteDay(a, day); err != nil {
			t.Fatal(err)
		}
		for _, f := range slices.Backward(d.Files(2 - day)) {
			draft := f
			draft.Draft = true
			if err := d.WriteFile(b, draft); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(filepath.Join(b, filepath.FromSlash(d.Path(f))))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.WriteFile(b, f); err != nil {
				t.Fatal(err)
			}
			after, _ := os.ReadFile(filepath.Join(b, filepath.FromSlash(d.Path(f))))
			if string(before) != string(after) {
				drafts++
			}
		}
	}
	if drafts < 6 {
		t.Errorf("%d drafts differ from what they should be", drafts)
	}
	if x, y := treeOf(t, a), treeOf(t, b); !maps.Equal(x, y) {
		t.Errorf("files differ: %d and %d", len(x), len(y))
	}
}

func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestDaysConfig(t *testing.T) {
	for _, test := range []struct {
		cfg  DaysConfig
		want string
	}{
		{DaysConfig{From: "2026-13-01"}, `date "2026-13-01": not a date`},
		{DaysConfig{Days: 401}, "days: 401 is not in 1 to 400"},
		{DaysConfig{Crossing: -1}, "crossing: -1 is not in 0 to 900"},
	} {
		if _, err := NewDays(test.cfg); fmt.Sprint(err) != test.want {
			t.Errorf("NewDays(%+v) = %v, want %s", test.cfg, err, test.want)
		}
	}
}
