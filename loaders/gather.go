package loaders

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A gathering is what the parsers of pos_orders and pos_refunds have in common:
// consecutive rows become one run, whose columns hold the first value given.
type gathering struct {
	canonicalRow
	sameBytes
	run   int     // the run that gathers, or -1
	found repairs // in the run's columns of the row last remembered
}

// newGathering is for rows whose columns before firstGoods are the run's.
func newGathering(t *tableReader, c *canonicalHeader, kind schema.RowKind, firstGoods int) gathering {
	return gathering{
		canonicalRow: newCanonicalRow(t, c, kind), sameBytes: newSameBytes(t, c, firstGoods), run: -1,
	}
}

// rest ends the run, before a flush.
func (g *gathering) rest() {
	g.run = -1
	g.forget()
	g.flushCounts()
}

// key is the id without which a row can belong to no run. ok is false for such a
// row: a blank one, which is counted as skipped, or one at fault, which is not
// dealt with yet.
func (g *gathering) key(k int) (id []byte, blank, ok bool) {
	id, ok = g.id(k)
	if !ok || len(id) > 0 {
		return id, false, ok
	}
	if blankRow(g.cells) {
		g.skipped++
		return nil, true, false
	}
	g.bad(k, rules.CodeMissingValue)
	return nil, false, false
}

// runMarks are the columns in which a run has what is wrong with it.
type runMarks struct {
	reject        *uint8
	rejectLine    *int32
	conflict      *uint32
	conflictLine  *int32
	conflictValue *uint32
}

// judge notes the row's conflict or fault in the run, the first of each, and gives
// the flags that the row has for it.
func (g *gathering) judge(run runMarks) (flags uint8) {
	if g.conflict >= 0 && *run.conflict == 0 {
		*run.conflict, *run.conflictValue = g.conflictWords()
		*run.conflictLine = g.line
	}
	if g.fault == 0 {
		g.remember(g.cells, g.raw)
		g.found = g.fixed &^ repairPadded
		return 0
	}
	g.forget()
	if *run.reject == 0 {
		*run.reject, *run.rejectLine = uint8(g.fault), g.line
	}
	return schema.LineOrderRejected
}
