package loaders

import (
	"bytes"
	"context"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A canonicalRow reads the cells of one row of a canonical table: the part that
// all their parsers share. A cell that cannot be read is a fault; the leftmost
// fault of a row is the one that is reported (rules 11).
type canonicalRow struct {
	t     *tableReader
	c     *canonicalHeader
	at    []int // c.at
	cache *schema.WordCache

	line  int32
	cells [][]byte
	raw   []byte

	fixed   repairs // of this row
	repairs [len(repairWords)]int64
	skipped int64 // rows since the last flush that are no rows of the table

	fault     rules.Code // of this row, 0 for none
	faultCell int        // its cell, or beyond the row for the row as a whole
	faultCol  int        // its column, -1 for the row as a whole
	faults    int        // faults of all rows so far
	detail    string
	conflict  int // a column of this row that differs from its run's, or -1

	kind   schema.RowKind // for rejects
	secret int            // column that rejects do not show whole, or -1

	// last are the cells of the first columns as the row before had them, and
	// their words: most rows repeat the merchant, the status, the provider.
	last []lastWord

	undecoded bool            // the cache has just decoded a text with bad bytes
	badWords  map[uint32]bool // words with bad bytes; nil while there are none
	scratch   []byte          // reused: an id in UTF-8
}

func newCanonicalRow(t *tableReader, c *canonicalHeader, kind schema.RowKind) canonicalRow {
	return canonicalRow{t: t, c: c, at: c.at, kind: kind, secret: -1}
}

// init gives the row its word cache, which points back to it: the row must stand
// where it stays.
func (r *canonicalRow) init() {
	r.cache = r.t.newWordCache(func() { r.undecoded = true })
}

// begin takes a row up. It is false for a row of blanks, which is no row.
func (r *canonicalRow) begin(line int32, cells [][]byte, raw []byte) bool {
	r.line, r.cells, r.raw = line, cells, raw
	r.fixed, r.fault, r.detail = 0, 0, ""
	if len(cells) != r.c.width {
		if blankRow(cells) {
			r.skipped++
			return false
		}
		r.checkWidth()
	}
	return true
}

// checkWidth judges a row that has not as many cells as the header (formats 1.5).
func (r *canonicalRow) checkWidth() {
	extra := len(r.cells) - r.c.width
	switch {
	case extra > 0 && blankRow(r.cells[r.c.width:]): // counted where the row was cut
	case extra < 0 && r.t.isXLSX: // a workbook does not store empty cells
	case extra < 0 && r.c.mayLack(len(r.cells)):
		r.fixed |= repairPadded
	default:
		r.fault, r.faultCell, r.faultCol = rules.CodeColumnCount, -1, -1 // before any cell's
		have, want := itoa(int64(len(r.cells))), itoa(int64(r.c.width))
		r.detail = say(r.t.opt.Lang, "表头 "+want+" 列，本行 "+have+" 列", have+" cells, "+want+" in the header")
	}
}

// mayLack tells whether all cells of the header from the given one on hold
// optional text or are unknown.
func (c *canonicalHeader) mayLack(from int) bool {
	for i := from; i < c.width; i++ {
		if k := c.column[i]; k >= 0 {
			if column := &c.spec.columns[k]; column.required || !column.typ.optionalText() {
				return false
			}
		}
	}
	return true
}

// end counts the row's repairs.
func (r *canonicalRow) end() {
	if r.fixed != 0 {
		r.countRepairs()
	}
}

func (r *canonicalRow) countRepairs() {
	for i := range r.repairs {
		if r.fixed&(1<<i) != 0 {
			r.repairs[i]++
		}
	}
}

// report rejects the row for its fault.
func (r *canonicalRow) report(amount int64) {
	reject := schema.Reject{
		Line: r.line, Code: r.fault, Detail: r.detail, Raw: r.t.text(r.shown()),
		Amount: amount, Kind: r.kind,
	}
	if r.faultCol >= 0 {
		reject.Column = r.c.name(r.faultCol)
		if r.faultCell < len(r.cells) && !r.t.isPrivate(r.faultCell) {
			reject.Value = r.t.text(r.cells[r.faultCell])
		}
	}
	r.t.reject(reject)
}

// shown is the row as rejects show it, payment codes masked (rules 10). Where the
// cells have shifted, whatever could be one is masked.
func (r *canonicalRow) shown() []byte {
	if r.t.private != nil {
		return r.t.shownCells(r.cells)
	}
	if r.secret < 0 || !r.c.has(r.secret) {
		return r.raw
	}
	var out []byte
	from, at := 0, 0 // what is copied; where the next cell begins or later
	for i, cell := range r.cells {
		begin := bytes.Index(r.raw[at:], cell) // each cell is looked for behind the one before it
		if begin < 0 {
			continue // written with doubled quotes
		}
		begin += at
		at = begin + len(cell)
		code := trimCell(cell)
		state, _ := payCode(code)
		shifted := state != schema.PayCodeInvalid && r.fault == rules.CodeColumnCount
		if len(code) > 4 && (i == r.at[r.secret] || shifted) {
			out = append(append(out, r.raw[from:begin]...), masked(code)...)
			from = at
		}
	}
	return append(out, r.raw[from:]...)
}

// masked is a payment code as it is shown: its last four characters.
func masked(code []byte) []byte {
	return append([]byte("****"), code[max(0, len(code)-4):]...)
}

// readable is the amount of a column if it can be read, and else Null. It is no
// fault of the row.
func (r *canonicalRow) readable(k int) int64 {
	if fen, err := rules.ParseFen(r.value(k)); err == nil && r.fault != rules.CodeColumnCount {
		return int64(fen)
	}
	return schema.Null
}

// conflictWords are the name of the column that differs and its value.
func (r *canonicalRow) conflictWords() (column, value uint32) {
	text := r.value(r.conflict)
	if r.conflict == r.secret {
		text = masked(text)
	}
	words := r.t.opt.Words
	return words.Code(r.c.name(r.conflict)), words.Code(r.t.text(text))
}

// flushCounts hands the repairs and skipped rows counted since the last flush over.
func (r *canonicalRow) flushCounts() {
	for i, n := range r.repairs {
		r.t.repair(repairWords[i], n)
	}
	r.repairs = [len(repairWords)]int64{}
	if r.skipped > 0 {
		r.t.skip(r.skipped)
		r.skipped = 0
	}
}

// bad notes a fault of a column's cell.
func (r *canonicalRow) bad(k int, code rules.Code) {
	at := r.at[k]
	if at < 0 {
		at = r.c.width // a column that the file lacks
	}
	r.faults++
	if r.fault == 0 || at < r.faultCell {
		r.fault, r.faultCell, r.faultCol, r.detail = code, at, k, ""
	}
}

// badAs is bad with what the message adds to the code.
func (r *canonicalRow) badAs(k int, code rules.Code, detail string) {
	if r.bad(k, code); r.faultCol == k && r.fault == code && code != rules.CodeEncoding {
		r.detail = detail
	}
}

// pidShape says what a PID looks like.
func pidShape(lang string) string {
	return say(lang, "应为 PID：2088 开头的 16 位数字", "a PID has 16 digits and starts with 2088")
}

// oneOfWords lists the words that a column takes.
func oneOfWords(lang, words string) string {
	return say(lang, "应为 ", "one of ") + words
}

// value is the cell of a column, trimmed; nil if the file or the row lacks it.
func (r *canonicalRow) value(k int) []byte {
	at := r.at[k]
	if at < 0 || at >= len(r.cells) {
		return nil
	}
	b := r.cells[at]
	if n := len(b); n == 0 || edge[b[0]] == 0 && b[n-1] > ' ' {
		return b
	}
	b = trimCell(b)
	if value, ok := trimFormula(b); ok {
		r.fixed |= repairFormula
		return value
	}
	return b
}

// edge marks the first bytes of cells that are not their value.
var edge = [256]uint8{' ': 1, '\t': 1, '`': 1, '\'': 1, '=': 1}

// numeric tells whether the cell of a column is a number cell of a workbook.
func (r *canonicalRow) numeric(k int) bool {
	return r.t.numeric != nil && r.at[k] < len(r.t.numeric) && r.t.numeric[r.at[k]]
}

// id is an id in UTF-8; ok is false when it is damaged, which is a fault. The
// bytes are valid until the next id is asked for.
func (r *canonicalRow) id(k int) (id []byte, ok bool) {
	id = r.value(k)
	if len(id) == 0 {
		return nil, true
	}
	id, ok = r.whole(k, id)
	if plainASCII(id) {
		return id, ok
	}
	text := r.t.text(id)
	if strings.Contains(text, "\ufffd") {
		r.bad(k, rules.CodeEncoding)
		return nil, false
	}
	r.scratch = append(r.scratch[:0], text...)
	return r.scratch, ok
}

// whole repairs an id or finds it damaged.
func (r *canonicalRow) whole(k int, id []byte) ([]byte, bool) {
	id, repaired, damaged := checkID(id, r.numeric(k))
	switch {
	case damaged:
		r.bad(k, rules.CodeIDDamaged)
		return nil, false
	case repaired:
		r.fixed |= repairIDNumber
	}
	return id, true
}

// A lastWord is a cell as written that needed no repair, and its word.
type lastWord struct {
	cell []byte
	word uint32
}

// again is the word of a cell that is the same as in the row before.
func (r *canonicalRow) again(k int) (word uint32, ok bool) {
	if k >= len(r.last) {
		return 0, false
	}
	at := r.at[k]
	if at < 0 || at >= len(r.cells) || len(r.cells[at]) == 0 {
		return 0, true
	}
	last := &r.last[k]
	return last.word, string(last.cell) == string(r.cells[at])
}

// note keeps the word of a cell for the next row.
func (r *canonicalRow) note(k int, word uint32) {
	if k < len(r.last) && r.fixed == 0 && r.t.numeric == nil {
		r.last[k].cell = append(r.last[k].cell[:0], r.cells[r.at[k]]...)
		r.last[k].word = word
	}
}

// idWord is an id of few distinct values; ok is false where it is at fault.
func (r *canonicalRow) idWord(k int) (word uint32, ok bool) {
	if word, ok = r.again(k); ok {
		return word, true
	}
	id := r.value(k)
	if len(id) == 0 {
		return 0, true
	}
	if id, ok = r.whole(k, id); !ok {
		return 0, false
	}
	if r.c.spec.columns[k].typ == pidCell {
		id = trimPID(id)
	}
	word, decoded := r.code(id)
	if !decoded {
		r.bad(k, rules.CodeEncoding)
		return 0, false
	}
	r.note(k, word)
	return word, true
}

// word is a text of few distinct values.
func (r *canonicalRow) word(k int) uint32 {
	word, ok := r.again(k)
	if ok {
		return word
	}
	text := r.value(k)
	if len(text) == 0 {
		return 0
	}
	word, decoded := r.code(text)
	if !decoded {
		r.fixed |= repairBytes
	}
	r.note(k, word)
	return word
}

// code is the word of a text, and whether all its bytes decode.
func (r *canonicalRow) code(text []byte) (word uint32, decoded bool) {
	word = r.cache.Code(text)
	if r.undecoded {
		if r.badWords == nil {
			r.badWords = map[uint32]bool{}
		}
		r.badWords[word], r.undecoded = true, false
	}
	return word, r.badWords == nil || !r.badWords[word]
}

// oneOf is a word that must be in a set: what it stands for, 0 for a blank. A
// word that is not in it is a fault.
func (r *canonicalRow) oneOf(k int, words wordSet) uint8 {
	word, ok := r.typeWord(k)
	if !ok || word == 0 {
		return 0
	}
	kind := words.kind(word)
	if kind == 0 {
		r.badAs(k, rules.CodeEnumValue, oneOfWords(r.t.opt.Lang, words.choices(r.t.opt.Words.Texts())))
	}
	return kind
}

// typeWord is the word of a cell that says of what type something is; ok is false
// for one that does not decode, which is a fault.
func (r *canonicalRow) typeWord(k int) (word uint32, ok bool) {
	if word, ok = r.again(k); ok {
		return word, true
	}
	text := r.value(k)
	if len(text) == 0 {
		return 0, true
	}
	word, ok = r.code(text)
	if !ok {
		r.bad(k, rules.CodeEncoding)
		return 0, false
	}
	r.note(k, word)
	return word, true
}

// amount is an amount in fen, or Null for a blank or a fault.
func (r *canonicalRow) amount(k int) int64 { return number(r, k, rules.ParseFen, rules.CodeOf) }

// micro is a price or a quantity in millionths, or Null for a blank or a fault.
func (r *canonicalRow) micro(k int) int64 { return number(r, k, rules.ParseMicro, rules.NumberCodeOf) }

// rate is a rate in millionths, or Null for a blank or a fault.
func (r *canonicalRow) rate(k int) int64 { return number(r, k, rules.ParseRate, rules.NumberCodeOf) }

// number is what parse makes of a cell, or Null for a blank or a fault.
func number[T ~int64](r *canonicalRow, k int, parse func([]byte) (T, error), codeOf func(error) rules.Code) int64 {
	cell := r.value(k)
	if len(cell) == 0 {
		return schema.Null
	}
	value, err := parse(cell)
	if err != nil {
		r.bad(k, r.undecodedOr(cell, codeOf(err)))
		return schema.Null
	}
	return int64(value)
}

// count is a whole number from 0 to limit, or Null for a blank or a fault.
func (r *canonicalRow) count(k int, limit int64) int64 {
	cell := r.value(k)
	if len(cell) == 0 {
		return schema.Null
	}
	micro, err := rules.ParseMicro(cell)
	switch {
	case err != nil:
		r.bad(k, r.undecodedOr(cell, rules.NumberCodeOf(err)))
	case micro < 0 || micro%rules.One != 0:
		r.bad(k, rules.CodeNumberSyntax)
	case int64(micro/rules.One) > limit:
		r.bad(k, rules.CodeAmountRange)
	default:
		return int64(micro / rules.One)
	}
	return schema.Null
}

// time is a time, or Null for a blank or a fault.
func (r *canonicalRow) time(k int) int64 {
	cell := r.value(k)
	if len(cell) == 0 {
		return schema.Null
	}
	if r.numeric(k) {
		if seconds, ok := parseSerial(cell); ok {
			return seconds
		}
	}
	seconds, lost, ok := parseTime(cell)
	switch {
	case !ok:
		r.bad(k, r.undecodedOr(cell, rules.CodeTimeSyntax))
		return schema.Null
	case lost:
		r.fixed |= repairSecondsLost
	}
	return seconds
}

// undecodedOr is encoding for a cell with a byte that does not decode, and else
// the given code.
func (r *canonicalRow) undecodedOr(cell []byte, code rules.Code) rules.Code {
	if !r.t.valid(cell) {
		return rules.CodeEncoding
	}
	return code
}

// A wordSet is the words of an enumeration by their codes: 1 to 3 kinds of one
// or two words each, so that a search along them is quickest.
type wordSet []wordKind

type wordKind struct {
	word uint32
	kind uint8
}

func (s wordSet) kind(word uint32) uint8 {
	for _, w := range s {
		if w.word == word {
			return w.kind
		}
	}
	return 0
}

// choices are the words as a message lists them.
func (s wordSet) choices(texts []string) string {
	names := make([]string, len(s))
	for i, w := range s {
		names[i] = texts[w.word]
	}
	return strings.Join(names, ", ")
}

// newWordSet gives the names, parted by blanks, of kinds 1, 2, ….
func newWordSet(words *schema.Words, names ...string) wordSet {
	var s wordSet
	for i, group := range names {
		for _, name := range strings.Fields(group) {
			s = append(s, wordKind{words.Code(name), uint8(i + 1)})
		}
	}
	return s
}

// give sets a value of a run that is still blank, and finds a conflict where the
// row says something else.
func give[T comparable](r *canonicalRow, k int, value *T, given, blank T) {
	switch {
	case given == blank:
	case *value == blank:
		*value = given
	case *value != given && r.conflict < 0:
		r.conflict = k
	}
}

// giveText is give for the last value of a text column.
func giveText(r *canonicalRow, k int, column *schema.Text, given []byte) {
	last := column.Len() - 1
	switch value := column.At(last); {
	case len(given) == 0:
	case len(value) == 0:
		column.Data = append(column.Data, given...)
		column.Offsets[last+1] = int32(len(column.Data))
	case string(value) != string(given) && r.conflict < 0:
		r.conflict = k
	}
}

// An idleParser is the parser of a table that is recognised and not read.
type idleParser struct{ n int }

func (p *idleParser) row(int32, [][]byte, []byte) { p.n++ }

func (p *idleParser) flush(context.Context) error {
	p.n = 0
	return nil
}

func (p *idleParser) rows() int { return p.n }
