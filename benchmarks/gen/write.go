package gen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

var folders = []string{"bills", "rebate", "rebate_devices", "ref", "expected"}

// posFolders are the folders of the POS side, by its form.
var posFolders = map[POSForm][]string{
	POSTables: {"pos", "refunds"}, POSMessages: {"api"}, POSKukeduo: {"kukeduo"}, POSMixed: {"pos", "refunds", "api", "kukeduo"},
}

const aboutExpected = `# What a run of this day must find

Computed from the records that were planted, and not from the files.

- trades, refunds, goods, rebates, accounts: a run's tables, cut to these columns, hold the same rows, each as
  often, in any order. ` + "`?`" + ` is not stated; a blank ` + "`stated`" + ` counts as 0.00; quantities
  are compared as numbers.
- rebate_groups: the same. account_types: what the account bills have beyond the trade bill, by 业务类型.
- split_breaks: the refunds with a ` + "`refund_split`" + ` break.
- breaks_by_code, rejects_by_code: what the run's breaks and rejects come to. A code that is in neither,
  and not among ` + "`not_stated`" + ` in truth.json, does not occur.
- truth.json: counts and sums by status and side, scenario, cause and code, the rows that were written,
  and how many records of each kind were planted.
`

// Write writes the day that cfg describes into dir: bills/, the POS side in its
// form, rebate/, ref/, what cfg asks for besides, job.yaml, and the truth in
// expected/. The folders must be absent or empty, or files of an earlier day would be
// read with this one's.
func Write(ctx context.Context, dir string, cfg Config) (*Truth, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := makeFolders(dir, cfg); err != nil {
		return nil, err
	}
	w := newWorld(cfg)
	if err := w.writeRegistries(dir); err != nil {
		return nil, err
	}
	if err := w.writeJob(dir); err != nil {
		return nil, err
	}
	t, err := w.writeInputs(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := w.writeExtras(dir, t); err != nil {
		return nil, err
	}
	if err := w.writeStrangers(dir); err != nil {
		return nil, err
	}
	truth := t.truth(cfg)
	return truth, truth.write(dir)
}

func makeFolders(dir string, cfg Config) error {
	names := slices.Concat(folders, posFolders[cfg.POS])
	if cfg.Accounts {
		names = append(names, "account")
	}
	if cfg.Strangers {
		names = append(names, "others")
	}
	if cfg.Taobao != NoTaobao {
		names = append(names, "taobao")
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		found, err := f.Readdirnames(1)
		_ = f.Close() // read only
		if len(found) > 0 {
			return fmt.Errorf("%s: not empty", path)
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

// writeInputs writes bills, statement and POS side by side: each is a pure
// function of the seed, and has a record of its own.
func (w *world) writeInputs(ctx context.Context, dir string) (*tallies, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var ofBills, ofStatement Rows
	for _, write := range []func() error{
		func() error { return w.writeBills(ctx, dir, &ofBills) },
		func() error { return w.writeStatement(ctx, dir, &ofStatement) },
		func() error { return w.writeAccounts(ctx, dir) },
	} {
		wg.Go(func() {
			if err := write(); err != nil {
				cancel(err)
			}
		})
	}
	t := new(tallies)
	if err := w.writePOS(ctx, dir, t); err != nil {
		cancel(err)
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	t.outOfScope += int64(len(w.covered()))
	t.rows.BillPayments, t.rows.BillRefunds = ofBills.BillPayments, ofBills.BillRefunds
	t.rows.StatementRows = ofStatement.StatementRows
	return t, nil
}

// writePOS walks the index in order: orders, refunds, and what is true of them.
func (w *world) writePOS(ctx context.Context, dir string, t *tallies) error {
	pos, err := w.posWriters(dir, t)
	if err != nil {
		return err
	}
	truth, err := newExpected(w, dir, t)
	if err != nil {
		return err
	}
	err = w.walk(ctx, func(o *order) error {
		truth.order(o, t)
		for _, p := range pos {
			if err := p.order(o); err != nil {
				return err
			}
		}
		return nil
	})
	for _, p := range pos {
		if e := p.finish(); err == nil {
			err = e
		}
	}
	if e := truth.finish(); err == nil {
		err = e
	}
	return err
}

// recordWriter writes what a record says in one kind of file.
type recordWriter interface {
	order(o *order) error
	finish() error
}

// posWriters are the writers of the POS side in the day's form, and of the order
// list beside it.
func (w *world) posWriters(dir string, t *tallies) ([]recordWriter, error) {
	writers, err := w.posForm(dir, t)
	if err != nil || w.cfg.Taobao == NoTaobao {
		return writers, err
	}
	list, err := newTaobaoWriter(w, dir, &t.rows)
	return append(writers, list), err
}

func (w *world) posForm(dir string, t *tallies) ([]recordWriter, error) {
	var writers []recordWriter
	keep := func(turn int64, p recordWriter) {
		if w.cfg.POS == POSMixed && turn >= 0 {
			p = everyOther{p, turn}
		}
		writers = append(writers, p)
	}
	if w.cfg.POS == POSMessages || w.cfg.POS == POSMixed {
		messages, err := newMessageWriter(w, dir, &t.rows)
		if err != nil {
			return nil, err
		}
		keep(1, messages)
	}
	if w.cfg.POS == POSKukeduo || w.cfg.POS == POSMixed {
		list, err := newKukeduoWriter(w, dir, &t.rows)
		if err != nil {
			return nil, err
		}
		keep(-1, list)
	}
	if w.cfg.POS == POSTables || w.cfg.POS == POSMixed {
		out, err := newRefundSheet(dir, "refunds/refunds.csv")
		if err != nil {
			return nil, err
		}
		keep(0, &posWriter{w: w, dir: dir, rows: &t.rows})
		keep(0, &refundWriter{w: w, dir: dir, out: out, rows: &t.rows})
	}
	return writers, nil
}

// inTables tells whether a record's order is in the POS tables.
func (w *world) inTables(o *order) bool { return w.cfg.POS == POSTables || o.i%2 == 0 }

// everyOther writes every other record.
type everyOther struct {
	recordWriter
	turn int64
}

func (e everyOther) order(o *order) error {
	if o.i%2 != e.turn {
		return nil
	}
	return e.recordWriter.order(o)
}

// walk visits the records in the order of the index; each borrows the one before's room.
func (w *world) walk(ctx context.Context, visit func(*order) error) error {
	o := new(order)
	for i := range int64(w.cfg.Trades) {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		w.build(i, o)
		if err := visit(o); err != nil {
			return err
		}
	}
	return nil
}

// write writes the totals of expected/.
func (t *Truth) write(dir string) error {
	if err := t.writeCodes(dir); err != nil {
		return err
	}
	text, err := t.json()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "expected", "README.md"), []byte(aboutExpected), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "expected", "truth.json"), text, 0o644)
}

func (t *Truth) writeCodes(dir string) error {
	breaks, err := createSheet(dir, "expected/breaks_by_code.csv")
	if err != nil {
		return err
	}
	breaks.line("code,count,amount")
	for c := range breakCodes {
		if b, ok := t.Breaks[c.String()]; ok {
			breaks.line(c.String() + "," + strconv.FormatInt(b.Count, 10) + "," + string(appendFen(nil, fen(b.Amount))))
		}
	}
	if err := breaks.finish(); err != nil {
		return err
	}
	rejects, err := createSheet(dir, "expected/rejects_by_code.csv")
	if err != nil {
		return err
	}
	rejects.line("code,count")
	for _, name := range rejectNames {
		if n := t.Rejects[name]; n > 0 {
			rejects.line(name + "," + strconv.FormatInt(n, 10))
		}
	}
	return rejects.finish()
}
