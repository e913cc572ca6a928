package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// keepSome runs a day of n trades with numbers from 0 on, kept in parts.
func keepSome(t *testing.T, s *Store, date int32, n int, most int) *Day {
	t.Helper()
	words := schema.NewWords()
	d, err := s.Begin(date, words, 400)
	if err != nil {
		t.Fatal(err)
	}
	d.shelf.most = most
	merchant := words.Code("2088000000000001")
	r := rand.New(rand.NewPCG(1, 2))
	order := r.Perm(n)
	for from := 0; from < n; from += 1000 {
		var part schema.Settled
		for _, i := range order[from:min(from+1000, n)] {
			part.Status = append(part.Status, uint8(rules.StatusMatched))
			part.TradeNo.AppendString(fmt.Sprintf("2026112022001%015d", i))
			part.OutTradeNo.AppendString(fmt.Sprint("A", i))
			part.Merchant = append(part.Merchant, merchant)
		}
		for _, f := range schema.Fields(&part) {
			for lengthOf(f) < part.Len() {
				switch data := f.Data.(type) {
				case *[]int64:
					*data = append(*data, 0)
				case *[]int32:
					*data = append(*data, 0)
				case *[]uint32:
					*data = append(*data, merchant)
				case *[]uint8:
					*data = append(*data, 0)
				case *schema.Text:
					data.Append(nil)
				}
			}
		}
		if err := d.Keep(0, &part, &schema.Returned{}); err != nil {
			t.Fatal(err)
		}
		for _, g := range d.all { // many small runs
			if err := g.trades.flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return d
}

// TestSpill: rows that do not fit the memory wait in a file, and come out as others do.
func TestSpill(t *testing.T) {
	for _, most := range []int{inMemory, 5_000, 0} {
		s, err := Open(context.Background(), "state", Options{FS: vfs.NewMem(), Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		const n = 9000
		d := keepSome(t, s, 20_000, n, most)
		if _, _, err := d.Prepare(context.Background(), Run{}); err != nil {
			t.Fatal(err)
		}
		if spilled := d.shelf.file != nil; spilled != (most < inMemory) {
			t.Errorf("memory for %d bytes: spilled %v", most, spilled)
		}
		if _, err := d.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		r, err := s.Revision(20_000, 0)
		if err != nil {
			t.Fatal(err)
		}
		row := 0
		if err := r.Trades(context.Background(), func(rows *schema.Settled) error {
			for i := range rows.Len() {
				if got, want := string(rows.TradeNo.At(i)), fmt.Sprintf("2026112022001%015d", row); got != want {
					return fmt.Errorf("row %d is %s, want %s", row, got, want)
				}
				row++
			}
			return nil
		}); err != nil || row != n {
			t.Errorf("memory for %d bytes: %d rows, %v", most, row, err)
		}
		problems, err := s.Check(context.Background())
		if err := errors.Join(err, s.Close()); err != nil || len(problems) > 0 {
			t.Errorf("Check: %v, %v", problems, err)
		}
	}
}

// TestMigration: a database of a made-up format 0, which kept the pointers of dates
// elsewhere, is migrated when it is opened, and is refused by what only reads.
func TestMigration(t *testing.T) {
	const oldDay = 'c'
	move := func(s *Store, from, to byte) error {
		batch := s.db.NewBatch()
		if err := s.each([]byte{from}, func(key, value []byte) error {
			return batch.Set(append([]byte{to}, key[1:]...), value, nil)
		}); err != nil {
			return err
		}
		return errors.Join(batch.DeleteRange([]byte{from}, []byte{from + 1}, nil), batch.Commit(pebble.Sync))
	}
	disk := vfs.NewMem()
	s, err := Open(context.Background(), "state", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	d := keepSome(t, s, 20_000, 100, inMemory)
	if _, _, err := d.Prepare(context.Background(), Run{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(move(s, dayKey, oldDay), s.setFormat(0), s.Close()); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for _, step := range []struct {
		name    string
		o       Options
		migrate func(*Store) error
		fails   bool
	}{
		{"read only", Options{ReadOnly: true}, func(*Store) error { return broken }, true},
		{"a migration that fails", Options{}, func(*Store) error { return broken }, true},
		{"a migration", Options{}, func(s *Store) error { return move(s, oldDay, dayKey) }, false},
		{"migrated already", Options{}, func(*Store) error { return broken }, false},
	} {
		migrations[0] = step.migrate
		step.o.FS = disk
		s, err := Open(context.Background(), "state", step.o)
		delete(migrations, 0)
		if (err != nil) != step.fails {
			t.Fatalf("%s: Open = %v", step.name, err)
		}
		if err != nil {
			continue
		}
		runs, err := s.Runs()
		if err != nil || len(runs) != 1 || !runs[0].Current {
			t.Errorf("%s: Runs = %+v, %v", step.name, runs, err)
		}
		problems, err := s.Check(context.Background())
		if err := errors.Join(err, s.Close()); err != nil || len(problems) > 0 {
			t.Errorf("%s: Check = %v, %v", step.name, problems, err)
		}
	}
}
