package state

import (
	"fmt"
	"slices"
	"sync"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// askedRows are what a run looked up, and what the answers were, so that a change of
// an earlier day tells whether the run would be answered otherwise now.
type askedRows struct {
	mu      sync.Mutex
	tallies byPart // the sums are those of all look-ups with their answers, whatever their order
	pages   [][]byte
	// routed are the hashes of look-ups made while rows were routed: each is noted
	// once, however many rows ask.
	routed map[uint64]bool

	scanned  []int32  // days whose trades were scanned (scan.go), sorted
	scanSums []uint64 // of the scans, and of what was asked of statements (covered.go)
}

// routingPart is the part of look-ups that are made while rows are routed.
const routingPart = engine.Routing

// An askedPage is a page of look-ups of one part.
type askedPage struct {
	Merchant   []uint32 // of the day's own words
	OutTradeNo schema.Text
	TradeNo    schema.Text
	Time       []int64
	Answer     []int64 // digest
	Keys       [keysOfQuestion][]int64
	Part       []int32
}

const askedTable = "asked"

func (p *askedPage) fields() []schema.Field {
	return []schema.Field{
		{Name: "merchant", Data: &p.Merchant},
		{Name: "out_trade_no", Data: &p.OutTradeNo},
		{Name: "trade_no", Data: &p.TradeNo},
		{Name: "time", Data: &p.Time},
		{Name: "answer", Data: &p.Answer},
		{Name: keyColumns[0], Data: &p.Keys[0]},
		{Name: keyColumns[1], Data: &p.Keys[1]},
		{Name: keyColumns[2], Data: &p.Keys[2]},
		{Name: keyColumns[3], Data: &p.Keys[3]},
		{Name: partColumn, Data: &p.Part},
	}
}

// digest is that of all look-ups and answers of a revision.
func (t *partTally) digest() string { return fmt.Sprintf("%d:%016x", t.asked, t.answers) }

// add notes look-ups of a part and what they were answered.
func (a *askedRows) add(part int, wanted *schema.Wanted, texts []string, dict *dictionary, answers []answer) {
	const atOnce = 512
	hashes := make([]uint64, wanted.Len())
	rows := make([]int32, wanted.Len())
	var buf []byte
	for i := range hashes {
		hashes[i], buf = askedHash(buf, wanted, i, texts[wanted.Merchant[i]], answers[i].digest)
		rows[i] = int32(i)
	}
	if part == routingPart {
		rows = a.fresh(rows, hashes)
	}
	var pages [][]byte
	var packer packer
	var p askedPage
	tally := partTally{asked: int64(len(rows))}
	for from := 0; from < len(rows); from += atOnce {
		resetFields(p.fields())
		for _, i := range rows[from:min(from+atOnce, len(rows))] {
			p.Merchant = append(p.Merchant, dict.code(texts[wanted.Merchant[i]]))
			p.OutTradeNo.Append(wanted.OutTradeNo.At(int(i)))
			p.TradeNo.Append(wanted.TradeNo.At(int(i)))
			p.Time = append(p.Time, wanted.Time[i])
			p.Answer = append(p.Answer, int64(answers[i].digest))
			for k, key := range answers[i].keys {
				p.Keys[k] = append(p.Keys[k], int64(key))
			}
			p.Part = append(p.Part, int32(part))
			tally.answers += hashes[i]
		}
		pages = append(pages, packer.page(nil, p.fields(), len(p.Answer)))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tallies == nil {
		a.tallies = byPart{}
	}
	a.tallies.of(int32(part)).merge(&tally)
	a.pages = append(a.pages, pages...)
}

// fresh are the rows whose look-up was not noted yet.
func (a *askedRows) fresh(rows []int32, hashes []uint64) []int32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.routed == nil {
		a.routed = map[uint64]bool{}
	}
	return slices.DeleteFunc(rows, func(i int32) bool {
		known := a.routed[hashes[i]]
		a.routed[hashes[i]] = true
		return known
	})
}

// partOf is the part of a page of look-ups; routingPart if it was written without.
func (r *rows) partOf(in *page) (int64, error) {
	at := r.at[askedTable]
	k := at[len(at)-1]
	switch {
	case k < 0:
		return routingPart, nil
	case k >= len(in.columns) || in.rows == 0:
		return 0, r.explain(errPage, askedTable+": ")
	}
	var part numbers
	if err := part.open(in.columns[k], in.rows); err != nil {
		return 0, r.explain(err, askedTable+": ")
	}
	return part.at(0), nil
}

func (d *Day) writeAsked(w *written, h *head) error {
	h.Columns[askedTable] = names(new(askedPage).fields())
	key := w.gen.key(askedPages)
	prefix := len(key)
	for i, p := range d.asked.pages {
		key = numbered(key[:prefix], i)
		if err := w.table.set(key, p); err != nil {
			return err
		}
	}
	return nil
}
