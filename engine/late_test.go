package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"duizhang/engine/schema"
)

// sections are what a run keeps, in memory.
type sections struct {
	mu   sync.Mutex
	data map[string][]byte
	from *sections // of a late run
}

func (s *sections) Put(section string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.data[section]; twice {
		return fmt.Errorf("%s is kept twice", section)
	}
	s.data[section] = bytes.Clone(data)
	return nil
}

func (s *sections) Take(section string) error {
	data, err := s.from.Get(section)
	if err != nil {
		return err
	}
	return s.Put(section, data)
}

func (s *sections) Has(section string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data[section] != nil
}

func (s *sections) Get(section string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data[section] == nil {
		return nil, anew("no section %s", section)
	}
	return s.data[section], nil
}

// A partsSink keeps the rows of each part as text, with the paths of their tables.
type partsSink struct {
	mu     sync.Mutex
	words  *schema.Words
	tables []*schema.Table
	parts  map[int][]string
	from   *partsSink // of a late run
	reused int
}

func (s *partsSink) Begin(int) error { s.parts = map[int][]string{}; return nil }

func (s *partsSink) Part(_ context.Context, p *Part) error {
	text := &textSink{words: s.words, rows: map[string][]string{}, tables: s.tables}
	if err := text.Part(context.Background(), p); err != nil {
		return err
	}
	var lines []string
	for _, name := range []string{"trades", "refunds", "goods", "rebates", "accounts"} {
		for _, row := range text.rows[name] {
			lines = append(lines, name+" "+row)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[p.Number] = lines
	return nil
}

func (s *partsSink) Reuse(_ context.Context, part int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[part] = s.from.parts[part]
	s.reused++
	return nil
}

// A lateDay is a made day whose rows come in many files.
type lateDay struct {
	*madeDay
	paths []string // of its tables, sorted
}

// inFiles divides the bills, orders, refunds and statements of a day among files, most
// of them of one merchant.
func inFiles(d *madeDay, rng *rand.Rand) *lateDay {
	l := &lateDay{madeDay: d}
	number := map[string]int32{}
	var tables []*schema.Table
	file := func(kind schema.InputKind, name string, like int32) int32 {
		path := kind.String() + "/" + name
		n, ok := number[path]
		if !ok {
			n = int32(len(tables))
			number[path] = n
			t := *d.tables[like]
			t.Path, t.Rows, t.Rejected = path, 0, 0
			tables = append(tables, &t)
		}
		return n
	}
	merchants := d.words.Texts()
	for k := range d.batches {
		b := &d.batches[k]
		var table []int32
		var whose []uint32
		var lines []int32
		var reject []uint8
		switch b.Kind { //nolint:exhaustive // the kinds that makeDay makes
		case schema.AlipayBill:
			var v schema.Bills
			_ = schema.View(&v, b.Rows)
			table, whose = v.Table, v.Account
		case schema.PosOrders:
			var v schema.Orders
			_ = schema.View(&v, b.Rows)
			table, whose, lines = v.Table, v.Merchant, v.Lines
		case schema.PosRefundsKind:
			var v schema.PosRefunds
			_ = schema.View(&v, b.Rows)
			table, whose, lines = v.Table, v.Merchant, v.Lines
		case schema.Rebate:
			var v schema.Statements
			_ = schema.View(&v, b.Rows)
			table, whose = v.Table, v.Merchant
		case schema.AlipayAccount:
			var v schema.Accounts
			_ = schema.View(&v, b.Rows)
			table, whose, reject = v.Table, v.Account, v.Reject
		}
		for i := range table {
			name := merchants[whose[i]] + ".csv"
			if rng.IntN(4) == 0 {
				name = fmt.Sprintf("more%d.csv", rng.IntN(2))
			}
			table[i] = file(b.Kind, name, table[i])
			rows := int64(1)
			if lines != nil {
				rows = int64(lines[i])
			}
			tables[table[i]].Rows += rows
			if reject != nil && reject[i] != 0 {
				tables[table[i]].Rejected++
			}
		}
	}
	d.tables = tables
	for _, t := range tables {
		l.paths = append(l.paths, t.Path)
	}
	slices.Sort(l.paths)
	return l
}

// run runs the day with those files that there are; a late run begins with what an
// earlier one has kept, and reads the others alone.
func (l *lateDay) run(t *testing.T, there map[string]bool, opt StoreOptions, workers int, before *lateResult) (*lateResult, error) {
	t.Helper()
	numbers := make([]int32, len(l.tables)) // of this run
	var tables []*schema.Table
	for _, path := range l.paths {
		if there[path] {
			at := slices.IndexFunc(l.tables, func(t *schema.Table) bool { return t.Path == path })
			numbers[at] = int32(len(tables))
			table := *l.tables[at]
			tables = append(tables, &table)
		}
	}
	words := schema.NewWords()
	for _, text := range l.words.Texts() {
		words.Code(text)
	}
	r := &lateResult{there: there, kept: &sections{data: map[string][]byte{}}, sink: &partsSink{words: words, tables: tables}}
	opt.Words, opt.SpillDir, opt.Keep = words, t.TempDir(), r.kept
	var earlier *Earlier
	if before != nil {
		r.kept.from, r.sink.from = before.kept, before.sink
		var err error
		if earlier, err = ReadEarlier(before.kept); err != nil {
			return nil, err
		}
		for _, word := range earlier.Words() {
			words.Code(word)
		}
	}
	store := NewStore(opt)
	defer store.Close()
	store.KnowMerchants(l.job.Registry, l.job.DefaultMerchant)
	for _, b := range l.batches {
		var rows []int32
		all := make([]int32, b.Rows.NumRows())
		for i := range all {
			all[i] = int32(i)
		}
		picked := pickBatch(b, all) // a copy
		table := tablesOf(picked)
		for i := range table {
			path := l.tables[table[i]].Path
			if there[path] && (before == nil || !before.there[path]) {
				rows = append(rows, int32(i))
			}
			table[i] = numbers[table[i]]
		}
		for len(rows) > 0 {
			n := min(len(rows), 37)
			if err := store.Batch(t.Context(), pickBatch(picked, rows[:n])); err != nil {
				t.Fatal(err)
			}
			rows = rows[n:]
		}
	}
	if earlier != nil {
		if err := store.Recall(earlier, tables); err != nil {
			return nil, err
		}
	}
	job := *l.job
	result, err := Run(t.Context(), &job, store, tables, r.sink, RunOptions{Workers: workers})
	if err != nil {
		return nil, err
	}
	r.lines = append(r.lines, resultLines(result, tables)...)
	for part := range len(r.sink.parts) {
		for _, line := range r.sink.parts[part] {
			r.lines = append(r.lines, fmt.Sprintf("part %d: %s", part, line))
		}
	}
	return r, nil
}

func tablesOf(b schema.Batch) []int32 {
	switch b.Kind { //nolint:exhaustive // the kinds that makeDay makes
	case schema.AlipayBill:
		var v schema.Bills
		_ = schema.View(&v, b.Rows)
		return v.Table
	case schema.PosOrders:
		var v schema.Orders
		_ = schema.View(&v, b.Rows)
		return v.Table
	case schema.PosRefundsKind:
		var v schema.PosRefunds
		_ = schema.View(&v, b.Rows)
		return v.Table
	case schema.Rebate:
		var v schema.Statements
		_ = schema.View(&v, b.Rows)
		return v.Table
	}
	var v schema.Accounts
	_ = schema.View(&v, b.Rows)
	return v.Table
}

type lateResult struct {
	there map[string]bool
	kept  *sections
	sink  *partsSink
	lines []string
}

// lateSeeds is how many random orders of files TestLateRuns goes through: as many as
// DUIZHANG_LATE_SEEDS says.
func lateSeeds(t *testing.T) int {
	if text := os.Getenv("DUIZHANG_LATE_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("DUIZHANG_LATE_SEEDS: %v", err)
		}
		return n
	}
	if testing.Short() {
		return 15
	}
	return 60
}

// TestLateRuns: whatever the order in which the files of a day come, a late run finds
// part by part what a run over all of them finds, or says that it cannot.
func TestLateRuns(t *testing.T) {
	seeds := lateSeeds(t)
	late, reused, anews := 0, 0, map[string]int{}
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 77))
		made := entangled(seed, 120)
		if seed%4 > 0 { // how entangled goes with the seed; most days are tidy
			made = entangled(seed*4, 120)
		}
		if rng.IntN(2) == 0 {
			for i := range made.job.Registry.Stores {
				made.job.Registry.Stores[i].Receiving = ""
			}
		}
		l := inFiles(made, rng)
		partitions := 8 << rng.IntN(3)
		opt := StoreOptions{Layout: Layout{Partitions: partitions, Spread: 1 << rng.IntN(3)}}
		if rng.IntN(4) == 0 {
			opt.Budget = 1
		}
		there := map[string]bool{}
		for _, path := range l.paths {
			there[path] = rng.IntN(3) > 0
		}
		before, err := l.run(t, there, opt, 2, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, k := range rng.Perm(len(l.paths)) {
			if there[l.paths[k]] {
				continue
			}
			more := map[string]bool{}
			for path, is := range there {
				more[path] = is
			}
			more[l.paths[k]] = true
			there = more
			want, err := l.run(t, there, opt, 1, nil)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got, err := l.run(t, there, opt, 2, before)
			switch {
			case errors.Is(err, ErrAnew):
				anews[err.Error()]++
				before = want
				continue
			case err != nil:
				t.Fatalf("seed %d, %s: %v", seed, l.paths[k], err)
			case !slices.Equal(got.lines, want.lines):
				t.Fatalf("seed %d, %s is late: %s", seed, l.paths[k], firstDifference(got.lines, want.lines))
			}
			late++
			reused += got.sink.reused
			before = got
		}
	}
	t.Logf("%d late runs took %d parts from the runs before; anew: %v", late, reused, anews)
	if late < seeds/3 || reused < late {
		t.Errorf("%d late runs took %d parts from the runs before", late, reused)
	}
}
