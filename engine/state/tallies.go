package state

import (
	"maps"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// tallies are by status.
type tallies [rules.StatusPOSOnly + 1]Tally

func (t *tallies) add(status uint8, pos, bill int64) {
	one := &t[status]
	one.Rows++
	if pos != schema.Null {
		one.Pos.AddInt(pos)
	}
	if bill != schema.Null {
		one.Bill.AddInt(bill)
	}
}

func (t *tallies) merge(o *tallies) {
	for k := range t {
		t[k].Rows += o[k].Rows
		t[k].Pos.AddSum(o[k].Pos.Sum)
		t[k].Bill.AddSum(o[k].Bill.Sum)
	}
}

func (t *tallies) rows() (n int64) {
	for k := range t {
		n += t[k].Rows
	}
	return n
}

func (t *tallies) list() []Tally {
	var list []Tally
	for status, one := range t {
		if one.Rows > 0 {
			one.Status = rules.Status(status)
			list = append(list, one)
		}
	}
	return list
}

// A partTally is what a generation has of a part.
type partTally struct {
	trades, refunds tallies
	asked           int64  // look-ups
	answers         uint64 // sum of the hashes of look-ups with their answers
}

func (t *partTally) merge(o *partTally) {
	t.trades.merge(&o.trades)
	t.refunds.merge(&o.refunds)
	t.asked += o.asked
	t.answers += o.answers
}

// byPart are tallies by number of the part; routing is -1.
type byPart map[int32]*partTally

func (b byPart) of(part int32) *partTally {
	t := b[part]
	if t == nil {
		t = new(partTally)
		b[part] = t
	}
	return t
}

// add adds the tallies of the parts that are wanted.
func (b byPart) add(o byPart, wanted func(part int64) bool) {
	for part, t := range o {
		if wanted(int64(part)) {
			b.of(part).merge(t)
		}
	}
}

func everyPart(int64) bool { return true }

// total is that of all parts.
func (b byPart) total() *partTally {
	sum := new(partTally)
	for _, t := range b {
		sum.merge(t)
	}
	return sum
}

// A tallyPage is tallies as they are kept.
type tallyPage struct {
	Part, What, Status, Rows     []int64
	PosHi, PosLo, BillHi, BillLo []int64
}

// What is counted.
const (
	ofTrades = iota
	ofRefunds
	ofAsked // Rows are look-ups, PosLo the sum of their hashes
)

func (p *tallyPage) fields() []schema.Field {
	return []schema.Field{
		{Name: "part", Data: &p.Part},
		{Name: "what", Data: &p.What},
		{Name: "status", Data: &p.Status},
		{Name: "rows", Data: &p.Rows},
		{Name: "pos_hi", Data: &p.PosHi},
		{Name: "pos_lo", Data: &p.PosLo},
		{Name: "bill_hi", Data: &p.BillHi},
		{Name: "bill_lo", Data: &p.BillLo},
	}
}

func (p *tallyPage) add(part int32, what, status int, rows int64, pos, bill rules.Sum) {
	p.Part, p.What, p.Status = append(p.Part, int64(part)), append(p.What, int64(what)), append(p.Status, int64(status))
	p.Rows = append(p.Rows, rows)
	hi, lo := pos.Parts()
	p.PosHi, p.PosLo = append(p.PosHi, hi), append(p.PosLo, int64(lo))
	hi, lo = bill.Parts()
	p.BillHi, p.BillLo = append(p.BillHi, hi), append(p.BillLo, int64(lo))
}

func (d *Day) writeTallies(w *written) error {
	all := d.counted()
	var out tallyPage
	for _, part := range slices.Sorted(maps.Keys(all)) {
		t := all[part]
		for what, list := range []*tallies{ofTrades: &t.trades, ofRefunds: &t.refunds} {
			for status := range list {
				if one := &list[status]; one.Rows > 0 {
					out.add(part, what, status, one.Rows, one.Pos.Sum, one.Bill.Sum)
				}
			}
		}
		if t.asked > 0 || t.answers != 0 {
			out.add(part, ofAsked, 0, t.asked, rules.SumOf(0, t.answers), rules.Sum{})
		}
	}
	var p packer
	var page tallyPage
	key := w.gen.key(tallyPages)
	prefix := len(key)
	for from := 0; from < len(out.Part) || from == 0; from += indexRows {
		resetFields(page.fields())
		appendPicked(page.fields(), out.fields(), rowsFrom(from, min(from+indexRows, len(out.Part))))
		key = numbered(key[:prefix], from/indexRows)
		if err := w.table.set(key, p.page(nil, page.fields(), len(page.Part))); err != nil {
			return err
		}
	}
	return nil
}

// tallies are those of the generation; nil if it was written without.
func (r *rows) tallies() (byPart, error) {
	var all byPart
	err := r.each(tallyPages, func(_, value []byte) error {
		if all == nil {
			all = byPart{}
		}
		var in page
		var p tallyPage
		fields := p.fields()
		if err := in.open(value); err != nil {
			return err
		}
		if len(in.columns) != len(fields) {
			return errPage
		}
		if err := in.appendTo(fields, rangeTo(len(fields))); err != nil {
			return err
		}
		for i, part := range p.Part {
			t := all.of(int32(part))
			if p.What[i] == ofAsked {
				t.asked, t.answers = p.Rows[i], uint64(p.PosLo[i])
				continue
			}
			list := &t.trades
			if p.What[i] == ofRefunds {
				list = &t.refunds
			}
			if p.Status[i] < 0 || p.Status[i] >= int64(len(list)) {
				return errPage
			}
			one := &list[p.Status[i]]
			one.Rows = p.Rows[i]
			one.Pos.Sum = rules.SumOf(p.PosHi[i], uint64(p.PosLo[i]))
			one.Bill.Sum = rules.SumOf(p.BillHi[i], uint64(p.BillLo[i]))
		}
		return nil
	})
	return all, err
}

func rangeTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
