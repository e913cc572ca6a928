package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Problem is something in the history that is not as it was written.
type Problem struct {
	Place string // a run, 2026-11-20#2, and what of it; or the database
	why   [2]string
}

// Text says what is wrong, in Chinese or in English.
func (p Problem) Text(chinese bool) string { //nolint:revive // one of two languages
	if chinese {
		return p.why[0]
	}
	return p.why[1]
}

// String is the place and what is wrong, in English.
func (p Problem) String() string { return p.Place + ": " + p.why[1] }

// A checker looks through the whole database.
type checker struct {
	s        *Store
	ctx      context.Context //nolint:containedctx // of one call
	problems []Problem
	sums     map[generation]keySum // of the keys elsewhere that name a generation
	counted  map[generation]byPart // of the generations that were checked: revisions may share them
}

// A keySum tells one set of keys from another.
type keySum struct {
	count int
	sum   uint64
}

func (k *keySum) add(key []byte) {
	k.count++
	k.sum += xxh3.Hash(key)
}

// mostProblems are listed of one run.
const mostProblems = 20

func (c *checker) say(place, chinese, english string, args ...any) {
	c.problems = append(c.problems, Problem{place, [2]string{fmt.Sprintf(chinese, args...), fmt.Sprintf(english, args...)}})
}

// failed notes what could not be read; what cannot be told is an error.
func (c *checker) failed(place string, err error) error {
	if err == nil {
		return nil
	}
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	c.say(place, "读不出来：%v", "cannot be read: %v", err)
	return nil
}

// Check reads all that the history has: the checksums of every block, and that rows,
// indexes, counts and sums agree with one another and with the records of the runs.
// What does not is a problem; the error is of checking alone.
func (s *Store) Check(ctx context.Context) ([]Problem, error) {
	if s.db == nil {
		return nil, nil
	}
	c := &checker{s: s, ctx: ctx, sums: map[generation]keySum{}, counted: map[generation]byPart{}}
	err := s.guard(c.check)
	if s.failed() { // the database gave up; what was found before is told
		err = c.failed("database", err)
	}
	return c.problems, err
}

func (c *checker) check() error {
	s := c.s
	if err := c.failed("database", c.blocks()); err != nil {
		return err
	}
	for _, space := range []byte{breakKey, refundedKey, unnamedKey, subjectKey} {
		if err := c.failed("database", c.count(space)); err != nil {
			return err
		}
	}
	for _, date := range s.dates() {
		p := s.day(date)
		if err := c.revision(date, p.Revision, p.layers()); err != nil {
			return err
		}
		if p.Previous != 0 {
			if err := c.revision(date, p.Previous, p.previous()); err != nil {
				return err
			}
		}
	}
	return nil
}

// blocks verifies the checksum of every block of every table.
func (c *checker) blocks() error {
	names, err := c.tables()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		err := c.table(c.s.fs.PathJoin(c.s.database(), name))
		if errors.Is(err, fs.ErrNotExist) {
			// Tables are put together in the background: this one may be gone by now.
			now, listing := c.tables()
			if listing != nil {
				return listing
			}
			if !now[name] {
				continue
			}
		}
		if err := c.failed("database: "+name, err); err != nil {
			return err
		}
	}
	return nil
}

// tables are the names of all tables.
func (c *checker) tables() (map[string]bool, error) {
	levels, err := c.s.db.SSTables()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, tables := range levels {
		for _, t := range tables {
			names[fmt.Sprintf("%06d.sst", t.BackingSSTNum)] = true
		}
	}
	return names, nil
}

func (c *checker) table(path string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	f, err := c.s.fs.Open(path)
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r, err := sstable.NewReader(c.ctx, readable, c.s.opts.MakeReaderOptions())
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}

// count adds up the keys of a space by the generation that they name.
func (c *checker) count(space byte) error {
	return c.s.each([]byte{space}, func(key, _ []byte) error {
		tail := map[byte]int{breakKey: eventLength, refundedKey: generationLength + 4, unnamedKey: generationLength + 4, subjectKey: generationLength + 4}[space]
		if len(key) < 1+tail {
			return fmt.Errorf("key %x: %w", key, errPage)
		}
		g := generationOf(key[len(key)-tail:])
		sum := c.sums[g]
		sum.add(key)
		c.sums[g] = sum
		return c.ctx.Err()
	})
}

// revision checks one run: its generations each for itself, and that what counts of
// them is what its record says.
func (c *checker) revision(date int32, revision int, layers []layer) error {
	name := fmt.Sprintf("%s#%d", DateText(date), revision)
	run, err := c.s.record(date, revision)
	if err != nil {
		return c.failed(name, err)
	}
	chain := c.s.chain(date, layers, schema.NewWords())
	sum := byPart{}
	for k, r := range chain.layers {
		counted, known := c.counted[r.gen]
		if !known {
			if counted, err = c.generation(name, r, layers[k]); err != nil {
				return err
			}
			c.counted[r.gen] = counted
		}
		if counted == nil { // it could not be read, which is said
			return nil
		}
		sum.add(counted, r.counts)
	}
	x := &revisionCheck{checker: c, name: name, r: chain.newest()}
	if err := x.r.dictionary(); err != nil {
		return c.failed(name, err)
	}
	x.record(&run, sum.total())
	for _, step := range []struct {
		what  string
		check func() error
	}{
		{"breaks", x.breaks},
		{"carried rows", x.carried},
	} {
		if err := c.failed(name+": "+step.what, step.check()); err != nil {
			return err
		}
	}
	return nil
}

// generation checks one generation, and gives the tallies of its rows; nil if they
// cannot be read.
func (c *checker) generation(name string, r *rows, l layer) (byPart, error) {
	if err := r.dictionary(); err != nil {
		return nil, c.failed(name, err)
	}
	x := &revisionCheck{checker: c, name: name, r: r, layer: l, sums: byPart{}}
	before := len(c.problems)
	for _, step := range []struct {
		what  string
		check func() error
	}{
		{"trades", x.trades},
		{"index", x.index},
		{"refunds", x.refunds},
		{"look-ups", x.asked},
		{"parts", x.parts},
		{"keys", x.keys},
	} {
		if err := c.failed(name+": "+step.what, step.check()); err != nil {
			return nil, err
		}
	}
	if len(c.problems) > before {
		return nil, nil
	}
	return x.sums, nil
}

// A revisionCheck checks one run, or a generation of it; later steps use what earlier ones read.
type revisionCheck struct {
	*checker
	name   string
	r      *rows
	layer  layer
	sums   byPart   // of the rows that were read
	hashes []uint64 // of each trade's number, none for what is not in the index
	refs   []uint64 // hashes of the trades' refs, sorted
	said   int
}

const noHash = ^uint64(0)

func (x *revisionCheck) say(what, chinese, english string, args ...any) {
	if x.said++; x.said <= mostProblems {
		x.checker.say(x.name+": "+what, chinese, english, args...)
	}
}

func (x *revisionCheck) trades() error {
	var last []byte
	pages := 0
	err := x.r.settled(func(s *tradeRows) error {
		for i := range s.Len() {
			ref := s.Ref.At(i)
			if bytes.Compare(last, ref) > 0 {
				x.say("trades", "第 %d 行次序不对", "row %d is out of order", len(x.hashes))
			}
			last = append(last[:0], ref...)
			if !settledStatus(s.Status[i]) {
				x.say("trades", "第 %d 行没有状态", "row %d has no status", len(x.hashes))
				continue
			}
			if no := tradeNoOf(ref); len(no) > 0 && !x.r.head.has(no) {
				x.say("trades", "交易号 %s 的日期不在目录里", "the list of days lacks that of trade %s", no)
			}
			x.part(s.Part[i], "trades").trades.add(s.Status[i], s.PosAmount[i], s.BillAmount[i])
			hash := noHash
			if no := s.OutTradeNo.At(i); len(no) > 0 && rules.Status(s.Status[i]) != rules.StatusDuplicate {
				hash = numberHash(no)
			}
			x.hashes = append(x.hashes, hash)
			x.refs = append(x.refs, xxh3.Hash(ref))
		}
		list, err := x.r.lastRefs()
		if err != nil {
			return err
		}
		if pages >= list.Len() || !bytes.Equal(list.At(pages), last) {
			x.say("trades", "第 %d 页不在目录里", "page %d is not in the list of pages", pages)
		}
		pages++
		return x.codes(schema.Fields(s), "trades")
	})
	slices.Sort(x.refs)
	if n := int64(len(x.hashes)); n != x.r.head.Trades && err == nil {
		x.say("trades", "有 %d 行，应有 %d 行", "%d rows, not %d", n, x.r.head.Trades)
	}
	return err
}

// part are the tallies of a part, which an overlay must be said to have.
func (x *revisionCheck) part(part int32, what string) *partTally {
	if len(x.layer.Parts) > 0 && part != routingPart && !x.layer.Parts.has(int64(part)) {
		x.say(what, "有分区 %d 的行，它不应有", "there are rows of part %d, which it does not replace", part)
	}
	return x.sums.of(part)
}

// record compares what counts with the run's record.
func (x *revisionCheck) record(run *Run, sum *partTally) {
	for _, one := range []struct {
		what      string
		got, want []Tally
	}{{"trades", sum.trades.list(), run.Trades}, {"refunds", sum.refunds.list(), run.Refunds}} {
		if !reflect.DeepEqual(one.got, one.want) {
			x.say(one.what, "各状态的笔数和金额与运行记录不符：%v，记录为 %v", "counts and amounts by status are %v, and %v in the run's record", text(one.got), text(one.want))
		}
	}
	if sum.asked != run.LookedUp {
		x.say("look-ups", "有 %d 次，运行记录为 %d 次", "%d, and %d in the run's record", sum.asked, run.LookedUp)
	}
}

// parts: the counts and sums by part are those of the rows.
func (x *revisionCheck) parts() error {
	kept, err := x.r.tallies()
	if err != nil || kept == nil { // nil: written without
		return err
	}
	for part := range x.sums {
		if kept[part] == nil {
			kept[part] = new(partTally)
		}
	}
	for _, part := range slices.Sorted(maps.Keys(kept)) {
		got := x.sums.of(part)
		for what, lists := range map[string][2]*tallies{"trades": {&got.trades, &kept[part].trades}, "refunds": {&got.refunds, &kept[part].refunds}} {
			if !reflect.DeepEqual(lists[0].list(), lists[1].list()) {
				x.say(what, "分区 %d 的笔数和金额与记录不符：%v，记录为 %v", "counts and amounts of part %d are %v, and %v in the list of parts", part, text(lists[0].list()), text(lists[1].list()))
			}
		}
		if got.asked != kept[part].asked || got.answers != kept[part].answers {
			x.say("look-ups", "分区 %d 的查询与记录不符", "those of part %d are not those of the list of parts", part)
		}
	}
	return nil
}

// text says what tallies are.
func text(list []Tally) string {
	var all []string
	for _, t := range list {
		all = append(all, fmt.Sprintf("%s %d %s %s", t.Status, t.Rows, t.Pos.String2(), t.Bill.String2()))
	}
	return strings.Join(all, ", ")
}

func (x *revisionCheck) codes(fields []schema.Field, what string) error {
	for _, f := range fields {
		if codes, ok := f.Data.(*[]uint32); ok {
			for _, code := range *codes {
				if int(code) >= len(x.r.texts) {
					x.say(what, "%s 列的词 %d 不存在", "column %s: there is no word %d", f.Name, code)
				}
			}
		}
	}
	return x.ctx.Err()
}

// index: every entry has its trade, and every trade its entry.
func (x *revisionCheck) index() error {
	entries := 0
	last := int64(-1)
	err := x.r.each(numberPages, func(_, value []byte) error {
		var p indexPage
		var in page
		if err := in.open(value); err != nil {
			return err
		}
		if len(in.columns) != 2 {
			return errPage
		}
		if err := in.appendTo(p.fields(), []int{0, 1}); err != nil {
			return err
		}
		for i, row := range p.Row {
			if p.Hash[i] < last {
				x.say("index", "第 %d 项次序不对", "entry %d is out of order", entries)
			}
			last = p.Hash[i]
			if row < 0 || row >= int64(len(x.hashes)) || x.hashes[row] != uint64(p.Hash[i]) {
				x.say("index", "第 %d 项没有对应的交易", "entry %d has no trade", entries)
			}
			entries++
		}
		return x.ctx.Err()
	})
	want := 0
	for _, h := range x.hashes {
		if h != noHash {
			want++
		}
	}
	if err == nil && entries != want {
		x.say("index", "有 %d 项，应有 %d 项", "%d entries, not %d", entries, want)
	}
	return err
}

func (x *revisionCheck) refunds() error {
	n := 0
	err := x.r.returned(func(p *refundRows) error {
		for i := range p.Len() {
			if !settledStatus(p.Status[i]) {
				x.say("refunds", "第 %d 行没有状态", "row %d has no status", n)
				continue
			}
			x.part(p.Part[i], "refunds").refunds.add(p.Status[i], p.PosAmount[i], p.BillAmount[i])
			if p.Of[i] >= 0 {
				if _, ok := slices.BinarySearch(x.refs, xxh3.Hash(p.Ref.At(i))); !ok {
					x.say("refunds", "第 %d 行的交易不存在", "the trade of row %d is missing", n)
				}
			}
			n++
		}
		return x.codes(schema.Fields(p), "refunds")
	})
	if err == nil && int64(n) != x.r.head.Refunds {
		x.say("refunds", "有 %d 行，应有 %d 行", "%d rows, not %d", n, x.r.head.Refunds)
	}
	return err
}

func (x *revisionCheck) breaks() error {
	for _, list := range []struct {
		kind byte
		want int
	}{{breakPages, x.r.head.Breaks}, {closedPages, x.r.head.Closed}} {
		breaks, err := x.r.breaks(list.kind)
		if err != nil {
			return err
		}
		if len(breaks) != list.want {
			x.say("breaks", "有 %d 条，应有 %d 条", "%d, not %d", len(breaks), list.want)
		}
		for i := 1; i < len(breaks); i++ {
			if breaks[i-1].ID >= breaks[i].ID {
				x.say("breaks", "第 %d 条次序不对", "number %d is out of order", i)
			}
		}
	}
	return nil
}

func (x *revisionCheck) asked() error {
	n := 0
	for _, sum := range x.r.head.ScanSums {
		x.sums.of(routingPart).answers += sum
	}
	at := x.r.at[askedTable]
	var buf []byte
	err := x.r.each(askedPages, func(_, value []byte) error {
		var p askedPage
		if err := x.r.unpack(value, askedTable, p.fields()); err != nil {
			return err
		}
		n += len(p.Answer)
		if err := x.codes(p.fields(), "look-ups"); err != nil {
			return err
		}
		wanted := schema.Wanted{OutTradeNo: p.OutTradeNo, TradeNo: p.TradeNo, Time: p.Time}
		for i, merchant := range p.Merchant {
			part := p.Part[i]
			if at[len(at)-1] < 0 {
				part = routingPart
			}
			if part != p.Part[0] && at[len(at)-1] >= 0 {
				x.say("look-ups", "一页里有不同分区的查询", "a page has those of several parts")
			}
			if int(merchant) < len(x.r.texts) {
				var hash uint64
				hash, buf = askedHash(buf, &wanted, i, x.r.texts[merchant], uint64(p.Answer[i]))
				x.part(part, "look-ups").merge(&partTally{asked: 1, answers: hash})
			}
		}
		return nil
	})
	if err == nil && n != x.r.head.Asked {
		x.say("look-ups", "有 %d 次，应有 %d 次", "%d, not %d", n, x.r.head.Asked)
	}
	return err
}

func (x *revisionCheck) carried() error {
	c, err := x.r.carried()
	if err != nil {
		return err
	}
	p := x.s.day(x.r.gen.Date)
	if p.Gen != x.r.gen.Gen {
		return nil // of the revision before only that they can be read
	}
	digest := ""
	if c != nil {
		if digest, err = digestCarried(c, x.r.words.Texts()); err != nil {
			return err
		}
	}
	if digest != p.CarryOut {
		x.say("carried rows", "与运行记录不符", "are not those of the run's record")
	}
	return nil
}

// keys: the keys elsewhere that name the run are those that its rows ask for.
func (x *revisionCheck) keys() error {
	keys, err := x.s.globals(x.r.gen)
	if err != nil {
		return err
	}
	slices.SortFunc(keys, bytes.Compare)
	var want keySum
	for _, key := range slices.CompactFunc(keys, bytes.Equal) {
		want.add(key)
	}
	if got := x.checker.sums[x.r.gen]; got != want {
		x.say("keys", "索引里有 %d 个键指向它，应有 %d 个，或内容不符", "%d keys name it, not %d, or they are others", got.count, want.count)
	}
	return nil
}
