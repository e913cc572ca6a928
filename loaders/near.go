package loaders

import (
	"cmp"
	"slices"
	"strings"

	"duizhang/engine/schema"
)

// A nearKind is a canonical table that a row may have been meant to be the
// header of: how many columns they share, those that are alike counted in part.
type nearKind struct {
	header *canonicalHeader
	score  float64
}

// nearKinds says which canonical tables an unknown one is nearest to, and what
// it lacks of each; "" if no row has a column of any.
func (t *tableRun) nearKinds(h *head) string {
	var best []nearKind
	for i := range h.all() {
		header, _, _ := headerCells(h.cells(i))
		kinds := nearestOf(header, t.kind, t.opt)
		if len(kinds) > 0 && (best == nil || kinds[0].score > best[0].score) {
			best = kinds
		}
	}
	if len(best) == 0 {
		return ""
	}
	lang := t.opt.Lang
	texts := make([]string, 0, maxNear)
	for _, kind := range best[:min(len(best), maxNear)] {
		texts = append(texts, kind.text(lang))
	}
	return say(lang, "最接近的是：", "nearest: ") + strings.Join(texts, say(lang, "；", "; "))
}

// maxNear is how many kinds a message names.
const maxNear = 3

// nearestOf are the tables of which a header has a column: the kind it was given
// under first, then by what they share.
func nearestOf(header []string, given schema.InputKind, opt *Options) []nearKind {
	var kinds []nearKind
	for i := range canonicalSpecs {
		c := canonicalSpecs[i].find(header, opt)
		if len(c.known) == 0 {
			continue
		}
		score := float64(len(c.known))
		for _, k := range c.lacks() {
			_, share := c.nearest(&c.spec.columns[k])
			score += share
		}
		kinds = append(kinds, nearKind{c, score})
	}
	other := func(n nearKind) int {
		if n.header.spec.kind == given {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(kinds, func(a, b nearKind) int {
		return cmp.Or(cmp.Compare(other(a), other(b)), cmp.Compare(b.score, a.score))
	})
	return kinds
}

// lacks are the required columns that the header has not.
func (c *canonicalHeader) lacks() (columns []int) {
	for k := range c.spec.columns {
		if c.spec.columns[k].required && !c.has(k) {
			columns = append(columns, k)
		}
	}
	return columns
}

// text names the kind and why the table is not of it.
func (n *nearKind) text(lang string) string {
	c := n.header
	kind := formatWords(formatFor(c.spec), lang)
	lacks := c.lacks()
	if len(lacks) == 0 {
		known, all := itoa(int64(len(c.known))), itoa(int64(len(c.known)+len(c.unknown)))
		return kind + say(lang, "，"+all+" 列中只认得 "+known+" 列", ", but only "+known+" of "+all+" columns are its own")
	}
	names := make([]string, len(lacks))
	for i, k := range lacks {
		names[i] = c.missingText(k, lang)
	}
	return kind + say(lang, "，缺少 ", ", without ") + strings.Join(names, say(lang, "、", " and "))
}
