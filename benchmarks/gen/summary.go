package gen

import (
	"fmt"
	"strings"
)

// storeSums are one row of the summary.
type storeSums struct {
	payments, refunds                         int64
	total, received, platform, discount, fees fen
}

// add takes a row into the control totals, unless its type cannot be read.
func (f *billFile) add(row *billRow) {
	if row.kind == &foreignType {
		return
	}
	st := &f.stores[len(f.stores)-1]
	if !row.noStore {
		st = &f.stores[row.store-f.w.merchants[f.m].firstStore]
	}
	sums := &f.payments
	if row.kind == &refundType {
		sums = &f.refunds
		st.refunds++
	} else {
		st.payments++
	}
	sums.rows++
	sums.received += row.received
	sums.discount += row.discount
	st.total += row.total
	st.received += row.received
	st.platform += row.platform
	st.discount += row.discount
	st.fees += row.fee
}

// summary writes the 汇总 member: a line a store, and their total.
func (f *billFile) summary(a *archive) error {
	p := billWriter{w: f.w}
	out, err := a.member(p.memberName(f.m, summaryTail))
	if err != nil {
		return err
	}
	s := &sheet{w: out, encoding: gb18030}
	f.preamble(s, "业务汇总", 41, 40)
	s.line(summaryHeader)
	var all storeSums
	for k := range f.stores {
		st := &f.stores[k]
		if st.payments == 0 && st.refunds == 0 {
			continue
		}
		all.payments += st.payments
		all.refunds += st.refunds
		all.total += st.total
		all.received += st.received
		all.platform += st.platform
		all.discount += st.discount
		all.fees += st.fees
		if k == len(f.stores)-1 {
			f.sumLine(s, "其他\t,", st)
			continue
		}
		me := &f.w.stores[f.w.merchants[f.m].firstStore+k]
		f.sumLine(s, me.id+"\t,"+string(me.name.utf8), st)
	}
	f.sumLine(s, "合计\t,", &all)
	s.line("#" + strings.Repeat("-", 40) + "业务汇总列表结束" + strings.Repeat("-", 37))
	f.exported(s)
	s.flush()
	return s.err
}

func (f *billFile) sumLine(s *sheet, label string, st *storeSums) {
	net := st.received + st.fees
	if f.w.merchants[f.m].positive {
		net = st.received - st.fees
	}
	s.line(fmt.Sprintf("%s\t,%d,%d,%s,%s,%s,%s,0.00,%s,0.00,%s", label, st.payments, st.refunds,
		appendFen(nil, st.total), appendFen(nil, st.received), appendFen(nil, st.platform),
		appendFen(nil, st.discount), appendFen(nil, st.fees), appendFen(nil, net)))
}
