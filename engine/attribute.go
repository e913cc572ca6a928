package engine

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Dimension is what a cause may lie in.
type Dimension uint8

// The dimensions. The first seven are those of a cell; goods are counted apart,
// because an order has several.
const (
	DimensionStore Dimension = iota
	DimensionTerminal
	DimensionOperator
	DimensionHour
	DimensionProvider // sys_service_provider_id
	DimensionProduct  // of a rebate
	DimensionMerchant
	dimensions
	DimensionGoods = dimensions
)

var dimensionNames = [...]string{
	"store_id", "terminal_id", "operator_id", "hour", "sys_service_provider_id", "product", "merchant_pid", "goods_id",
}

// String is the name of the column.
func (d Dimension) String() string { return dimensionNames[d] }

// A Facet is one side of a segment: terminal_id 7.
type Facet struct {
	Dimension Dimension
	Value     string // as in the inputs, "" for rows where it is blank; an hour is 00 to 23
}

// An Attribution is the cause of one kind of break, as far as counting tells: the
// segment that has most of the breaks and few of the rows that could have had
// them.
type Attribution struct {
	Code     rules.BreakCode
	Severity rules.Severity
	Segment  []Facet // one, or a pair

	Breaks, AllBreaks int64     // in the segment, and of the kind
	Amount, AllAmount rules.Sum // millionths
	Rows, AllRows     int64     // trades (refunds, of a refund's break) in the segment, and all
	Refunds           bool      // rows are refunds

	// Times of the first and the last break in the segment, or Null. Where its
	// breaks keep to a part of the day, the few others in it do not count.
	First, Last int64
	Ended       bool // the segment went on after Last without them
}

// What a cause must be. Shares are compared exactly.
const (
	leastBreaks = 5  // below that nothing can be told
	coverPart   = 3  // the segment has at least 3 in 10 breaks
	coverWhole  = 10 //
	liftPart    = 3  // and at least 3/2 times its share of the rows
	liftWhole   = 2  //
	rateTimes   = 3  // and at least 3 times the rate of the rows outside
)

// Logarithms of likelihoods.
var (
	// falseAlarm bounds the chance that a run in which breaks are spread evenly
	// names any cause at all.
	falseAlarm = math.Log(0.001)
	// pairGain is by how much a pair must explain more than the best single
	// dimension: the simpler cause is preferred.
	pairGain = math.Log(100)
)

// A place is a segment of any population.
type place struct {
	dims   [2]Dimension // of one dimension: twice the same
	values [2]uint32
}

// A candidate is a segment that may be the cause of a kind of break.
type candidate struct {
	place
	breakTally
	rows  int64   // of the population in the segment
	score float64 // how unlikely, of counts alone: no money
}

func (c *candidate) single() bool { return c.dims[0] == c.dims[1] }

// A suspectKey is one kind of break in one population.
type suspectKey struct {
	code rules.BreakCode
	of   population
}

// A suspect is a kind of break whose cause is looked for in a population.
type suspect struct {
	suspectKey
	all        breakTally // the breaks of the kind in the population
	candidates []*candidate
}

// attribute finds the causes of the breaks, those first that explain most.
func attribute(c *census, breaks []Break, text func(uint32) string) []Attribution {
	totals := map[rules.BreakCode]*Attribution{}
	for i := range breaks {
		b := &breaks[i]
		a := totals[b.Code]
		if a == nil {
			a = &Attribution{Code: b.Code, Severity: b.Severity}
			totals[b.Code] = a
		}
		a.AllBreaks++
		a.AllAmount.AddSum(b.atStake())
	}
	s := search{census: c, text: text}
	s.suspects(totals)
	s.countRows()
	var found []Attribution
	for _, code := range rules.BreakCodes() {
		a := totals[code]
		if a == nil {
			continue
		}
		if best, of := s.cause(code); best != nil {
			s.fill(a, best, of)
			found = append(found, *a)
		}
	}
	slices.SortStableFunc(found, func(a, b Attribution) int {
		return cmp.Or(compareTrue(a.Severity.Counts(), b.Severity.Counts()), b.Amount.Cmp(a.Amount), cmp.Compare(b.Breaks, a.Breaks))
	})
	return found
}

// compareTrue puts true before false.
func compareTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// A search is the look-out for causes.
type search struct {
	census *census
	text   func(uint32) string

	kinds []*suspect // sorted

	counts []int64                     // scratch, by value
	hot    [dimensions]map[uint32]bool // values of candidates
	seen   [dimensions][]uint8         // by value: bits of the populations that have it

	rows     [populations]int64                 // of each population
	segments [populations][dimensions + 1]int64 // distinct values
	cells    [populations]int64
}

// A brokenCell is a cell's breaks of one kind.
type brokenCell struct {
	key   cellKey
	tally int32
}

// suspects adds the breaks up by segment, and keeps the segments that have enough
// of a kind. A pair has enough only if both of its sides have.
func (s *search) suspects(totals map[rules.BreakCode]*Attribution) {
	cells := map[suspectKey][]brokenCell{}
	for where, i := range s.census.breaks {
		key := suspectKey{where.code, where.of}
		if totals[where.code].AllBreaks >= leastBreaks {
			cells[key] = append(cells[key], brokenCell{s.census.cells.at(int(where.cell)).keyOf(where.of), i})
		}
	}
	for key, list := range cells {
		k := &suspect{suspectKey: key, all: breakTally{first: schema.Null, last: schema.Null}}
		for _, c := range list {
			k.all.merge(s.census.tallies.at(int(c.tally)))
		}
		least := max(leastBreaks, (totals[key.code].AllBreaks*coverPart+coverWhole-1)/coverWhole)
		var often [dimensions][]uint32
		for d := range dimensions {
			if tells(key.code, d) {
				often[d] = s.often(list, d, least)
			}
		}
		for d := range dimensions {
			for e := d; e < dimensions; e++ {
				for _, v := range often[d] {
					for _, x := range often[e] {
						if d != e || v == x {
							s.suspect(k, list, place{[2]Dimension{d, e}, [2]uint32{v, x}}, least)
						}
					}
				}
			}
		}
		s.kinds = append(s.kinds, k)
	}
	s.suspectGoods(totals)
	slices.SortFunc(s.kinds, func(a, b *suspect) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.of, b.of))
	})
}

// often gives the values of a dimension that have at least so many of the breaks:
// a handful, because together they have no more than all.
func (s *search) often(list []brokenCell, d Dimension, least int64) []uint32 {
	counts := s.counts
	for _, c := range list {
		value := c.key[d]
		if value == unknownWord {
			continue
		}
		if int(value) >= len(counts) {
			counts = append(counts, make([]int64, int(value)+1-len(counts))...)
		}
		counts[value] += s.census.tallies.at(int(c.tally)).count
	}
	var values []uint32
	for _, c := range list {
		if value := c.key[d]; value != unknownWord {
			if counts[value] >= least {
				values = append(values, value)
			}
			counts[value] = 0
		}
	}
	s.counts = counts
	return values
}

// suspect adds up the breaks in a place.
func (s *search) suspect(k *suspect, list []brokenCell, where place, least int64) {
	c := candidate{place: where}
	for i := range list {
		if list[i].key[where.dims[0]] == where.values[0] && list[i].key[where.dims[1]] == where.values[1] {
			c.merge(s.census.tallies.at(int(list[i].tally)))
		}
	}
	if c.count >= least {
		k.candidates = append(k.candidates, &c)
	}
}

// tells reports whether a dimension may be the cause of a kind of break: a PID that
// is wrong is not explained by its being that PID.
func tells(code rules.BreakCode, d Dimension) bool {
	wrong := code >= rules.BreakPIDMissing && code <= rules.BreakPIDUnknown || code == rules.BreakStatementUnearned
	return d != DimensionProvider || !wrong
}

// suspectGoods adds the goods that have enough of a kind.
func (s *search) suspectGoods(totals map[rules.BreakCode]*Attribution) {
	kinds := map[rules.BreakCode]*suspect{}
	for _, k := range s.kinds {
		if k.of == ofOrders {
			kinds[k.code] = k
		}
	}
	for what, i := range s.census.broken {
		t := s.census.tallies.at(int(i))
		k := kinds[what.code]
		if k == nil || t.count < leastBreaks || t.count*coverWhole < totals[what.code].AllBreaks*coverPart {
			continue
		}
		k.candidates = append(k.candidates, &candidate{
			place: place{[2]Dimension{DimensionGoods, DimensionGoods}, [2]uint32{what.goods, what.goods}}, breakTally: *t,
			rows: int64(s.census.goods[what.goods]),
		})
	}
}

// countRows counts the rows of each candidate, and how many segments there are to
// choose from.
func (s *search) countRows() {
	places := map[place]*[populations]int64{}
	for d := range s.hot {
		s.hot[d] = map[uint32]bool{}
	}
	for _, k := range s.kinds {
		for _, c := range k.candidates {
			if c.dims[0] == DimensionGoods {
				continue
			}
			places[c.place] = new([populations]int64)
			s.hot[c.dims[0]][c.values[0]], s.hot[c.dims[1]][c.values[1]] = true, true
		}
	}
	s.census.each(func(c *cell) { s.countCell(c, places) })
	for d := range s.seen {
		for _, of := range s.seen[d] {
			for p := range populations {
				s.segments[p][d] += int64(of >> p & 1)
			}
		}
	}
	for _, n := range s.census.goods {
		if n > 0 {
			s.segments[ofOrders][DimensionGoods]++
		}
	}
	for _, k := range s.kinds {
		for _, c := range k.candidates {
			if c.dims[0] != DimensionGoods {
				c.rows = places[c.place][k.of]
			}
		}
	}
}

// countCell adds a cell's rows to the places that hold it.
func (s *search) countCell(c *cell, places map[place]*[populations]int64) {
	of, withProvider := uint8(0), uint8(0)
	for p, n := range c.counts {
		if n == 0 {
			continue
		}
		of |= 1 << p
		if population(p).hasProvider() {
			withProvider |= 1 << p
		}
		s.rows[p] += int64(n)
		s.cells[p]++
	}
	key := c.keyOf(ofOrders)
	var here [dimensions]Dimension // where the cell has a value that breaks often have
	n := 0
	for d, value := range key {
		bits := of
		if Dimension(d) == DimensionProvider {
			bits = withProvider
		}
		if value == unknownWord || bits == 0 {
			continue
		}
		if int(value) >= len(s.seen[d]) {
			s.seen[d] = append(s.seen[d], make([]uint8, int(value)+1-len(s.seen[d]))...)
		}
		s.seen[d][value] |= bits
		if len(s.hot[d]) > 0 && s.hot[d][value] {
			here[n] = Dimension(d)
			n++
		}
	}
	for i, d := range here[:n] {
		for _, e := range here[i:n] {
			if rows := places[place{[2]Dimension{d, e}, [2]uint32{key[d], key[e]}}]; rows != nil {
				for p, n := range c.counts {
					rows[p] += int64(n)
				}
			}
		}
	}
}

// choices is how many segments of the candidate's dimensions there are.
func (s *search) choices(c *candidate, of population) float64 {
	n := s.segments[of][c.dims[0]]
	if !c.single() {
		n = min(n*s.segments[of][c.dims[1]], s.cells[of])
	}
	return float64(max(n, 1))
}

// cause is the best of the candidates for a kind of break, nil if none stands out
// from chance.
func (s *search) cause(code rules.BreakCode) (best *candidate, of population) {
	for _, k := range s.kinds {
		if k.code != code {
			continue
		}
		if c := s.causeIn(k); c != nil && (best == nil || c.score > best.score) {
			best, of = c, k.of
		}
	}
	return best, of
}

func (s *search) causeIn(k *suspect) *candidate {
	// Whatever could have been named is a chance of a false alarm: each kind, each
	// pair of dimensions and each segment of it. The dimensions share the risk
	// equally.
	const families = dimensions*(dimensions+1)/2 + 1
	tries := math.Log(float64(len(s.kinds)) * float64(families))
	var single, pair *candidate
	n, of := k.all.count, s.rows[k.of]
	left := k.candidates[:0]
	for _, c := range k.candidates {
		if c.rows == 0 || c.rows >= of ||
			c.count*of*liftWhole < n*c.rows*liftPart || c.count*(of-c.rows) < rateTimes*(n-c.count)*c.rows {
			continue
		}
		choices := math.Log(s.choices(c, k.of))
		if logTail(c.count, n, c.rows, of)+tries+choices > falseAlarm {
			continue
		}
		const steps = 1e6 // so that no machine's last bit decides
		c.score = math.Round((logGain(c.count, n, c.rows, of)-choices)*steps) / steps
		left = append(left, c)
	}
	slices.SortFunc(left, s.compare)
	for _, c := range left {
		switch {
		case c.single() && (single == nil || c.score > single.score):
			single = c
		case !c.single() && (pair == nil || c.score > pair.score):
			pair = c
		}
	}
	best := single
	if pair != nil && (single == nil || pair.score > single.score+pairGain) {
		best = pair
	}
	// Of segments that hold the same rows the first in order is named.
	for _, c := range left {
		if c.count == best.count && c.rows == best.rows {
			return c
		}
	}
	return best
}

// compare orders candidates as they are named among equals: a store before its
// only terminal, a terminal with its store before its only operator.
func (s *search) compare(a, b *candidate) int {
	rank := func(c *candidate) int {
		switch {
		case c.dims == [2]Dimension{DimensionStore, DimensionTerminal}:
			return 1
		case c.single():
			return 2 * int(c.dims[0])
		}
		return 2*int(DimensionGoods) + 1 + int(c.dims[0])*int(dimensions) + int(c.dims[1])
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)),
		strings.Compare(s.facet(a, 0).Value, s.facet(b, 0).Value), strings.Compare(s.facet(a, 1).Value, s.facet(b, 1).Value))
}

func (s *search) facet(c *candidate, i int) Facet {
	f := Facet{Dimension: c.dims[i]}
	switch f.Dimension {
	case DimensionHour:
		f.Value = string([]byte{'0' + byte(c.values[i]/10), '0' + byte(c.values[i]%10)})
	case DimensionProduct:
		f.Value = faceToFace
		if c.values[i] != 0 {
			f.Value = s.text(c.values[i])
		}
	case DimensionStore, DimensionTerminal, DimensionOperator, DimensionProvider, DimensionMerchant, DimensionGoods:
		f.Value = s.text(c.values[i])
	}
	return f
}

// fill says what the candidate comes to.
func (s *search) fill(a *Attribution, c *candidate, of population) {
	a.Segment = []Facet{s.facet(c, 0)}
	if !c.single() {
		a.Segment = append(a.Segment, s.facet(c, 1))
	}
	a.Breaks, a.Amount, a.First, a.Last = c.count, c.amount, c.first, c.last
	a.Rows, a.AllRows, a.Refunds = c.rows, s.rows[of], of == ofPOSRefunds || of == ofBillRefunds
	switch {
	case c.first == schema.Null || dayOf(c.first) != dayOf(c.last) || c.dims[0] == DimensionGoods:
	case c.dims[0] == DimensionHour || c.dims[1] == DimensionHour:
		a.Ended = true
	default:
		s.during(a, c, of)
	}
}

const (
	hours       = 24
	hourSeconds = 3600
)

// mostly: the breaks of an hour are at least three in five of the rows that so many
// seconds of it should have.
func mostly(t *breakTally, rows, seconds int64) bool {
	return t.count > 0 && t.count*5*hourSeconds >= 3*rows*seconds
}

// during finds the hours to which the breaks of a segment keep, if they do: the
// run of hours that explains most.
func (s *search) during(a *Attribution, c *candidate, of population) {
	var breaks [hours]breakTally
	var rows [hours]int64
	in := func(key *cellKey) bool {
		return key[c.dims[0]] == c.values[0] && key[c.dims[1]] == c.values[1] && key[DimensionHour] < hours
	}
	s.census.each(func(c *cell) {
		if key := c.keyOf(of); c.counts[of] > 0 && in(&key) {
			rows[key[DimensionHour]] += int64(c.counts[of])
		}
	})
	for where, i := range s.census.breaks {
		if key := s.census.cells.at(int(where.cell)).keyOf(where.of); where.code == a.Code && where.of == of && in(&key) {
			breaks[key[DimensionHour]].merge(s.census.tallies.at(int(i)))
		}
	}
	best, from, to := pairGain+math.Log(hours*(hours+1)/2), -1, -1
	for h := range hours {
		run, n := int64(0), int64(0)
		for e := h; e < hours; e++ {
			run += breaks[e].count
			n += rows[e]
			if n >= c.rows || run*c.rows <= c.count*n { // all of it, or less than its share
				continue
			}
			if gain := logGain(run, c.count, n, c.rows); gain > best+1e-9 {
				best, from, to = gain, h, e
			}
		}
	}
	if from < 0 {
		return
	}
	// The hours in which it began and ended are broken in part: of the rows after
	// their first break, or before their last, most are.
	if h := from - 1; h >= 0 && mostly(&breaks[h], rows[h], hourSeconds-breaks[h].first%hourSeconds) {
		from = h
	}
	if h := to + 1; h < hours && mostly(&breaks[h], rows[h], breaks[h].last%hourSeconds) {
		to = h
	}
	all := breakTally{first: schema.Null, last: schema.Null}
	for h := from; h <= to; h++ {
		if breaks[h].count > 0 {
			all.merge(&breaks[h])
		}
	}
	a.First, a.Last = all.first, all.last
	for _, n := range rows[to+1:] {
		a.Ended = a.Ended || n > 0
	}
}
