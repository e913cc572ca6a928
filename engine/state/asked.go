package state

import (
	"fmt"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
)

// askedRows are what a run looked up, and what the answers were, so that a change of
// an earlier day tells whether the run would be answered otherwise now.
type askedRows struct {
	mu    sync.Mutex
	count int64
	sum   uint64 // of all look-ups with their answers, whatever their order
	pages [][]byte

	scanned []int32 // days whose trades were scanned (scan.go), sorted
}

// An askedPage is a page of look-ups.
type askedPage struct {
	Merchant   []uint32 // of the day's own words
	OutTradeNo schema.Text
	TradeNo    schema.Text
	Time       []int64
	Answer     []int64 // digest
	Keys       [keysOfQuestion][]int64
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
	}
}

// digest is that of all look-ups and answers.
func (a *askedRows) digest() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf("%d:%016x", a.count, a.sum)
}

// add notes look-ups and what they were answered.
func (a *askedRows) add(wanted *schema.Wanted, texts []string, dict *dictionary, answers []answer) {
	const atOnce = 512
	n := wanted.Len()
	var pages [][]byte
	var packer packer
	var p askedPage
	var sum uint64
	var buf []byte
	for from := 0; from < n; from += atOnce {
		resetFields(p.fields())
		for i := from; i < min(from+atOnce, n); i++ {
			merchant := texts[wanted.Merchant[i]]
			p.Merchant = append(p.Merchant, dict.code(merchant))
			p.OutTradeNo.Append(wanted.OutTradeNo.At(i))
			p.TradeNo.Append(wanted.TradeNo.At(i))
			p.Time = append(p.Time, wanted.Time[i])
			p.Answer = append(p.Answer, int64(answers[i].digest))
			for k, key := range answers[i].keys {
				p.Keys[k] = append(p.Keys[k], int64(key))
			}
			buf = appendLong(buf[:0], answers[i].digest)
			buf = appendLong(buf, uint64(wanted.Time[i]))
			buf = append(append(buf, merchant...), 0)
			buf = append(append(buf, wanted.OutTradeNo.At(i)...), 0)
			buf = append(buf, wanted.TradeNo.At(i)...)
			sum += xxh3.Hash(buf)
		}
		pages = append(pages, packer.page(nil, p.fields(), len(p.Answer)))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count += int64(n)
	a.sum += sum
	a.pages = append(a.pages, pages...)
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
