package loaders

import (
	"bytes"
	"slices"

	"duizhang/engine/schema"
)

// A row of a trade bill with more cells than the header may have commas in a text
// that is not quoted. commaWays gives the extra cells to the text columns in every
// way, and keeps the ways that fit (comma_joined, formats 1.5).
type commaWays struct {
	found   []commaWay // the ways that fit
	union   uint32     // typed cells that some of them fills
	fitting int        // how many fill all of those, if any does
	agreed  billRow    // what these read alike

	spread [4]int   // cells beyond one that each text column takes; reused
	cells  [][]byte // reused
	buf    []byte   // reused
}

// A commaWay is one fitting way: how the extra cells are spread, and which typed
// cells are filled.
type commaWay struct {
	spread [4]int
	filled uint32
}

// maxExtra is the number of extra cells up to which the ways are tried: 3,276 of
// them over four columns.
const maxExtra = 25

func (w *commaWays) reset() {
	w.fitting, w.union = 0, 0
	w.found = w.found[:0]
}

// join reads a row with too many cells into p.now. It gives the cells as they
// belong to the header, or nil if no way fits, or more than one.
func (p *billParser) join(cells [][]byte) [][]byte {
	w := &p.ways
	w.reset()
	columns := p.t.columns
	extra := len(cells) - columns
	blank := allBlank(cells[columns:])
	if blank {
		p.read(cells[:columns], &p.now)
		if extra > p.t.padding {
			p.now.repairs |= 1 << billExcelPad
		}
		if p.now.fault == 0 && p.identical(&p.now) {
			return cells[:columns]
		}
	}
	if texts := p.textColumns(); len(texts) > 0 && extra <= maxExtra {
		p.tryWays(cells, texts, 0, extra)
	}
	w.settle()
	for i := range w.found {
		joined := w.spreadOut(cells, p.textColumns(), w.found[i].spread, columns)
		p.read(joined, &p.now)
		if len(w.found) == 1 {
			p.now.repairs |= 1 << billComma
			return joined
		}
		p.agree(&p.now)
	}
	if blank && w.fitting == 0 { // padding, and another fault
		p.read(cells[:columns], &p.now)
		p.now.repairs |= 1 << billExcelPad
		return cells[:columns]
	}
	return nil
}

// textColumns are the cells of 商品名称, 门店名称, 券名称 and 备注, in their order.
func (p *billParser) textColumns() []int {
	var at [4]int
	n := 0
	for i, c := range p.b.roles {
		if c == colSubject || c == colStoreName || c == colCoupon || c == colRemark {
			at[n] = i
			n++
		}
	}
	return at[:n]
}

// tryWays spreads the extra cells over the text columns from k on.
func (p *billParser) tryWays(cells [][]byte, texts []int, k, extra int) {
	w := &p.ways
	if k == len(texts)-1 {
		w.spread[k] = extra
		p.tryWay(cells, texts)
		return
	}
	for n := extra; n >= 0; n-- {
		w.spread[k] = n
		p.tryWays(cells, texts, k+1, extra-n)
	}
}

func (p *billParser) tryWay(cells [][]byte, texts []int) {
	w, r := &p.ways, &p.now
	p.read(w.spreadOut(cells, texts, w.spread, p.t.columns), r)
	if r.fault != 0 || !p.identical(r) {
		return
	}
	w.found = append(w.found, commaWay{w.spread, r.filled})
	w.union |= r.filled
}

// settle drops the ways that leave a typed cell empty where another fills it.
func (w *commaWays) settle() {
	full := func(way commaWay) bool { return way.filled == w.union }
	if slices.ContainsFunc(w.found, full) {
		w.found = slices.DeleteFunc(w.found, func(way commaWay) bool { return !full(way) })
	}
}

// agree keeps what one more fitting way reads as the others do: it counts for the
// control totals, although the row is a reject.
func (p *billParser) agree(r *billRow) {
	w := &p.ways
	if w.fitting++; w.fitting == 1 {
		w.agreed = *r
		return
	}
	if w.agreed.kind != r.kind {
		w.agreed.kind = 0
	}
	for i := range r.amounts {
		if w.agreed.amounts[i] != r.amounts[i] {
			w.agreed.readable &^= 1 << i
		}
	}
	if !bytes.Equal(w.agreed.store, r.store) {
		w.agreed.store = nil
	}
}

// spreadOut joins the cells of each text column again.
func (w *commaWays) spreadOut(cells [][]byte, texts []int, spread [4]int, columns int) [][]byte {
	w.cells, w.buf = w.cells[:0], w.buf[:0]
	size := 0
	for _, cell := range cells {
		size += len(cell) + 1
	}
	if cap(w.buf) < size {
		w.buf = make([]byte, 0, 2*size)
	}
	from, k := 0, 0
	for i := range columns {
		n := 1
		if k < len(texts) && texts[k] == i {
			n += spread[k]
			k++
		}
		if n == 1 {
			w.cells = append(w.cells, cells[from])
		} else {
			at := len(w.buf)
			for j, part := range cells[from : from+n] {
				if j > 0 {
					w.buf = append(w.buf, ',')
				}
				w.buf = append(w.buf, part...)
			}
			w.cells = append(w.cells, w.buf[at:len(w.buf):len(w.buf)])
		}
		from += n
	}
	return w.cells
}

// identical checks the amount identity of rules 3, which payment rows keep:
// 商家实收 = 订单金额 − 商家优惠 − 商家红包消费金额.
func (p *billParser) identical(r *billRow) bool {
	if r.kind != schema.Payment || p.b.flags&schema.NoSplit != 0 {
		return true
	}
	return r.amount(colReceived) == r.amount(colAmount)-orZero(r.amount(colMerchantDiscount))-orZero(r.amount(colMerchantRed))
}

func orZero(v int64) int64 {
	if v == schema.Null {
		return 0
	}
	return v
}
