package loaders

import (
	"slices"
	"strings"
	"unicode/utf8"

	"duizhang/engine/schema"
)

// cellType is what a canonical column holds.
type cellType uint8

const (
	textCell   cellType = iota + 1 // free text: a byte that does not decode is replaced
	idCell                         // text that must be whole: numbers of trades, stores, goods
	pidCell                        // an id without the suffix 0156
	wordCell                       // one of a set of words
	amountCell                     // fen
	numberCell                     // millionths
	countCell                      // a whole number
	timeCell
	dayCell
)

// optionalText tells the types whose cells a row may lack at its end
// (cells_padded, formats 1.5).
func (t cellType) optionalText() bool { return t <= wordCell }

// A canonicalColumn is one column of contract 3.
type canonicalColumn struct {
	name     string
	chinese  string // names parted by blanks
	typ      cellType
	required bool
}

// A canonicalSpec is one of the product's own tables (contract 3): its columns,
// and who reads its rows.
type canonicalSpec struct {
	kind    schema.InputKind
	columns []canonicalColumn
	// fits tells from the columns found whether a header is this table; nil for
	// all required columns.
	fits func(c *canonicalHeader) bool
	// check finds what the required columns do not say; it may be nil.
	check func(t *tableReader, c *canonicalHeader) (missing []int)
	// parser makes the row parsers; nil for a table that is recognised only.
	parser func(t *tableReader, c *canonicalHeader) func() rowParser
}

const required = true

// canonicalSpecs are all canonical tables, in the order in which a tie is decided.
var canonicalSpecs = []canonicalSpec{
	{kind: schema.PosOrders, columns: orderColumns, parser: newOrderParser},
	{kind: schema.PosRefundsKind, columns: refundColumns, parser: newRefundParser},
	{kind: schema.Rebate, columns: rebateColumns, fits: fitsRebate, check: checkRebate, parser: newRebateParser},
	{kind: schema.AgreementsKind, columns: agreementColumns, parser: referenceParser(readAgreement)},
	{kind: schema.ProvidersKind, columns: providerColumns, parser: referenceParser(readProvider)},
	{kind: schema.StoresKind, columns: storeColumns, parser: referenceParser(readStore)},
	{kind: schema.MerchantsKind, columns: merchantColumns, parser: referenceParser(readMerchant)},
	{kind: schema.GoodsKind, columns: goodColumns, parser: referenceParser(readGood)},
	{kind: schema.CouponsKind, columns: couponColumns, parser: referenceParser(readCoupon)},
	{kind: schema.DeviceRewardsKind, columns: rewardColumns, parser: referenceParser(readReward)},
	{kind: schema.DevicePoliciesKind, columns: policyColumns, parser: referenceParser(readPolicy)},
	{kind: schema.DevicesKind, columns: deviceColumns, parser: referenceParser(readDevice)},
}

// canonicalFormats are the canonical tables as formats. Which of them a header
// is, canonicalFor tells: a table of few required columns (goods, merchants) has
// them in common with others.
func canonicalFormats() []format {
	formats := make([]format, len(canonicalSpecs))
	for i := range canonicalSpecs {
		spec := &canonicalSpecs[i]
		formats[i] = format{name: spec.kind.String(), kind: spec.kind, multiline: true, open: spec.open}
	}
	return formats
}

// canonicalFor finds the table that a header is, or nil. Several may fit: a POS
// order has a goods_id, as goods do. The one with the most required columns is
// taken, then the one with the fewest unknown columns, then the fewest missing,
// then the first; but the kind that the input was given under, if it fits and knows
// no fewer columns.
// It is none of them if the kind it was given under knows more of its columns and
// only lacks a required one.
func canonicalFor(header []string, given schema.InputKind, opt *Options) *canonicalSpec {
	var best *canonicalHeader
	var least [3]int
	for i := range canonicalSpecs {
		spec := &canonicalSpecs[i]
		c := spec.find(header, opt)
		if !spec.fitted(c) || spec.swallows(c) {
			continue
		}
		rank := [3]int{-spec.requires(), len(c.unknown), c.missing()}
		if best == nil || slices.Compare(rank[:], least[:]) < 0 {
			best, least = c, rank
		}
	}
	if spec := specOf(given); spec != nil {
		if c := spec.find(header, opt); spec.fitted(c) && (best == nil || len(c.known) >= len(best.known)) {
			return spec
		}
	}
	if best == nil {
		return nil
	}
	if near := canonicalNear(header, given, opt); near != nil && len(near.find(header, opt).known) > len(best.known) {
		return nil
	}
	return best.spec
}

// requires counts the columns that make a header this table. A rebate statement
// needs a second one beside its amount.
func (s *canonicalSpec) requires() (n int) {
	for k := range s.columns {
		if s.columns[k].required {
			n++
		}
	}
	if s.fits != nil {
		n++
	}
	return n
}

// swallows tells a table that one column is enough for, where most columns are
// none of its own: many tables have a 商户PID or a 券名称 among others.
func (s *canonicalSpec) swallows(c *canonicalHeader) bool {
	return s.requires() == 1 && len(c.unknown) > len(c.known)
}

// canonicalNear finds the table that a header was perhaps meant to be, so that
// it can be refused for what it lacks and not as unrecognised: the kind that the
// input was given under, if at least two columns and half of the header's cells
// are its own.
func canonicalNear(header []string, given schema.InputKind, opt *Options) *canonicalSpec {
	for i := range canonicalSpecs {
		spec := &canonicalSpecs[i]
		if spec.kind != given {
			continue
		}
		if c := spec.find(header, opt); len(c.known) >= 2 && len(c.known) >= len(c.unknown) {
			return spec
		}
	}
	return nil
}

// fitted tells whether a header with these columns is this table.
func (s *canonicalSpec) fitted(c *canonicalHeader) bool {
	if s.fits != nil {
		return s.fits(c)
	}
	for k := range s.columns {
		if s.columns[k].required && c.at[k] < 0 {
			return false
		}
	}
	return true
}

// A canonicalHeader is the header row of a canonical table: where its columns
// stand in this file.
type canonicalHeader struct {
	spec    *canonicalSpec
	cells   []string // as written, blanks around them removed
	at      []int    // column → cell, -1 if the file has none
	column  []int    // cell → column, -1 if it is unknown
	known   []string
	unknown []string
	doubled []int // columns that two cells name
	width   int   // cells up to the last that is not blank
}

// find looks the columns up in a header. A name that the job gives a column
// goes before the built-in names: where both occur, the built-in one is unknown.
func (s *canonicalSpec) find(header []string, opt *Options) *canonicalHeader {
	c := &canonicalHeader{
		spec: s, cells: make([]string, len(header)),
		at: slices.Repeat([]int{-1}, len(s.columns)), column: slices.Repeat([]int{-1}, len(header)),
	}
	names := make([]string, len(header))
	for i, cell := range header {
		c.cells[i], names[i] = trimHeader(cell), normalHeader(cell)
		if names[i] != "" {
			c.width = i + 1
		}
	}
	extra := s.extraNames(opt)
	for _, given := range []bool{true, false} { // the job's names first
		for i, name := range names {
			k := s.columnOf(name)
			if given {
				k = extra[name].column()
			}
			switch {
			case name == "" || k < 0 || c.column[i] >= 0:
			case c.at[k] < 0:
				c.at[k], c.column[i] = i, k
			case given || extra[names[c.at[k]]].column() != k:
				c.column[i] = k
				if !slices.Contains(c.doubled, k) {
					c.doubled = append(c.doubled, k)
				}
			}
		}
	}
	for i, name := range names {
		switch {
		case name == "":
		case c.column[i] >= 0:
			c.known = append(c.known, c.cells[i])
		default:
			c.unknown = append(c.unknown, c.cells[i])
		}
	}
	return c
}

// extraColumn is a column that the job names; its number is one less.
type extraColumn int

// column is the column's number; -1 for none.
func (e extraColumn) column() int { return int(e) - 1 }

// extraNames are the job's header names of the table's kind.
func (s *canonicalSpec) extraNames(opt *Options) map[string]extraColumn {
	columns := opt.Columns[s.kind]
	if len(columns) == 0 {
		return nil
	}
	extra := map[string]extraColumn{}
	for k := range s.columns {
		for _, name := range columns[s.columns[k].name] {
			extra[normalHeader(name)] = extraColumn(k + 1)
		}
	}
	return extra
}

func specOf(kind schema.InputKind) *canonicalSpec {
	for i := range canonicalSpecs {
		if canonicalSpecs[i].kind == kind {
			return &canonicalSpecs[i]
		}
	}
	return nil
}

// columnOf is the column that a built-in name means; -1 for none.
func (s *canonicalSpec) columnOf(name string) int {
	for k := range s.columns {
		if s.columns[k].named(name) {
			return k
		}
	}
	return -1
}

func (c *canonicalColumn) named(name string) bool {
	return name == c.name || slices.Contains(strings.Fields(c.chinese), name)
}

// missing counts the columns of the table that the header lacks.
func (c *canonicalHeader) missing() (n int) {
	for _, at := range c.at {
		if at < 0 {
			n++
		}
	}
	return n
}

// has tells whether the file has a column.
func (c *canonicalHeader) has(k int) bool { return c.at[k] >= 0 }

// name is a column as messages call it: as the file does.
func (c *canonicalHeader) name(k int) string {
	if c.at[k] < 0 {
		return c.spec.columns[k].name
	}
	return c.cells[c.at[k]]
}

// open reads the header: format.open of every canonical table.
func (s *canonicalSpec) open(t *tableReader, header []string) (func() rowParser, error) {
	c := s.find(header, t.opt)
	t.table.Known, t.table.Unknown = c.known, c.unknown
	var missing []int
	for k := range s.columns {
		if s.columns[k].required && !c.has(k) {
			missing = append(missing, k)
		}
	}
	if s.check != nil {
		missing = append(missing, s.check(t, c)...)
	}
	if len(missing) > 0 || len(c.doubled) > 0 {
		return nil, c.refusal(t, missing)
	}
	if s.parser == nil {
		return func() rowParser { return &idleParser{} }, nil
	}
	return s.parser(t, c), nil
}

// refusal is the error for a header that lacks columns, or has some twice. It
// lists all of them.
func (c *canonicalHeader) refusal(t *tableReader, missing []int) error {
	var details []string
	for _, k := range missing {
		details = append(details, c.missingText(k, t.opt.Lang))
	}
	for _, k := range c.doubled {
		details = append(details, c.doubledText(k, t.opt.Lang))
	}
	code, wrong := "column_missing", missing
	if len(missing) == 0 {
		code, wrong = "column_duplicate", c.doubled
	}
	first := wrong[0]
	advice := "在作业文件的 columns." + c.spec.kind.String() + " 中写明列名，例如 " + c.spec.columns[first].name + `: ["列名"]`
	separator := "；"
	if t.opt.Lang == "en" {
		advice = "name the column in the job file under columns." + c.spec.kind.String() + `, as in ` + c.spec.columns[first].name + `: ["name"]`
		separator = "; "
	}
	if c.spec.kind == schema.Rebate && slices.Contains(missing, rebateProvider) {
		advice += say(t.opt.Lang, "；没有服务商PID列时，用 rebate.statement_pid 写明整份账单的服务商PID",
			"; for a statement without a provider column, say whose it is in rebate.statement_pid")
	}
	err := t.refuse(code, c.spec.columns[first].name, "", strings.Join(details, separator))
	err.Advice = advice
	return err
}

func (c *canonicalHeader) missingText(k int, lang string) string {
	column := &c.spec.columns[k]
	text := column.name
	if column.chinese != "" {
		names := strings.Join(strings.Fields(column.chinese), "、")
		if lang == "en" {
			text += " (" + names + ")"
		} else {
			text += "（" + names + "）"
		}
	}
	near, _ := c.nearest(column)
	switch {
	case near == "":
		return text
	case lang == "en":
		return text + `, nearest in the file: "` + near + `"`
	}
	return text + "，文件中最接近的是「" + near + "」"
}

func (c *canonicalHeader) doubledText(k int, lang string) string {
	var cells []string
	for i, column := range c.column {
		if column == k {
			cells = append(cells, c.cells[i])
		}
	}
	if lang == "en" {
		return c.spec.columns[k].name + " is named by " + strings.Join(cells, " and ")
	}
	return c.spec.columns[k].name + " 同时对应「" + strings.Join(cells, "」「") + "」"
}

// nearest is the unknown header cell that is most like one of the column's
// names, and how much of it they have in common; "" if none has at least half.
func (c *canonicalHeader) nearest(column *canonicalColumn) (best string, bestShare float64) {
	bestShare = 0.5
	for _, cell := range c.unknown {
		name := normalHeader(cell)
		if c.spec.kind == schema.Rebate && isWeChat(name) {
			continue // its money is another channel's
		}
		for _, want := range append(strings.Fields(column.chinese), column.name) {
			longest, length := utf8.RuneCountInString(name), utf8.RuneCountInString(want)
			if longest > 2*length {
				continue // more than half of it is something else
			}
			longest = max(longest, length)
			share := 1 - float64(editDistance(name, want))/float64(longest)
			if share > bestShare || share == bestShare && best == "" {
				best, bestShare = cell, share
			}
		}
	}
	if best == "" {
		return "", 0
	}
	return best, bestShare
}

// editDistance is how many characters must be added, dropped or changed to make
// one text the other.
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range to {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
