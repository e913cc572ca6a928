package reports

import (
	"strings"

	"duizhang/engine/schema"
)

// veiledPart is parquetPart of the table with its words masked. A Parquet column
// holds words by their codes in the run: masked ones get codes behind all of
// these, in a lookup that lives as long as the call. A run in which there is
// nothing to mask does not come so far.
func (w *Writer) veiledPart(enc *encoder, t *table, number int, note *KeptFile) error {
	v := veil{lookup: w.lookup}
	shown := *t
	for k := range t.columns {
		c := &t.columns[k]
		if c.Type != schema.WordType || !w.lookup.masks(maxWord(c.Words), w.opts.Privacy.of(c.Name)) {
			continue
		}
		if v.words == nil {
			shown.columns = append([]column(nil), t.columns...)
		}
		shown.columns[k].Words = v.column(c, w.opts.Privacy.of(c.Name))
	}
	if v.words == nil {
		return w.parquetPart(enc, t, number, note)
	}
	enc.parquet.lookup = &lookup{snapshot: func() []string { return v.words }, tables: w.lookup.tables}
	defer func() { enc.parquet.lookup = w.lookup }()
	return w.parquetPart(enc, &shown, number, note)
}

// A veil gives masked words codes of their own.
type veil struct {
	lookup *lookup
	words  []string // the run's, and behind them the masked ones; nil until there are any
}

// column gives the codes of a column's words as they are shown. No two of them
// are of the same word: a dictionary has it once.
func (v *veil) column(c *column, secret secrecy) []uint32 {
	most := maxWord(c.Words)
	plain := v.lookup.raw(most)
	masked := v.lookup.words(most, variant{secret, asIs})
	if v.words == nil {
		v.words = append([]string(nil), plain...)
	}
	to := make([]uint32, most+1) // 0: not seen yet
	same := map[string]uint32{}  // masked, or masked before it came
	codes := make([]uint32, len(c.Words))
	for i, code := range c.Words {
		if to[code] == 0 && code != 0 {
			text := masked[code]
			at, known := same[text]
			switch {
			case known:
			case text == plain[code]:
				at = code
			default:
				at = uint32(len(v.words))
				v.words = append(v.words, text)
			}
			if strings.Contains(text, "****") {
				same[text] = at
			}
			to[code] = at
		}
		codes[i] = to[code]
	}
	return codes
}
