package rules

import "slices"

// Scenario is how an order's total met the sum of its lines. 0 is an order that
// was not allocated.
type Scenario uint8

// The scenarios of an allocation.
const (
	Equal    Scenario = iota + 1 // T = S: every line keeps its amount
	Below                        // T < S: T is divided in proportion
	Above                        // T > S: a filler line takes the difference
	TagPrice                     // no line had a price: T in proportion to the tag prices
)

var scenarioWords = []string{Equal: "equal", Below: "below", Above: "above", TagPrice: "tag_price"}

// String is the contract's word, blank for an order that was not allocated.
func (s Scenario) String() string {
	if s == 0 {
		return ""
	}
	return word(scenarioWords, uint8(s), "Scenario")
}

// ParseScenario is the inverse of String.
func ParseScenario(s string) (Scenario, bool) { return parseWord[Scenario](scenarioWords, s) }

// GoodsLine is one line of a POS order. ID and Name are interned words, and ID 0
// is a blank goods_id.
type GoodsLine struct {
	ID, Name uint32
	Quantity Micro
	Price    Micro
	HasPrice bool
}

// AllocatedLine is one line of an allocated order, with all POS lines of its
// goods_id in it.
//
// Price is the line's own price as it was given, with up to six decimals, where
// it stands for one POS line. Where several were merged it is amount / quantity,
// and only that quotient is rounded to two decimals: rounding a price of 0.125
// that nobody computed would show what no till has. Amount is exact in both.
//
// A filler line has ID and Name 0, quantity 1, price and amount 0.00.
type AllocatedLine struct {
	ID, Name  uint32
	Quantity  Micro
	Price     Micro
	Amount    Fen // price × quantity, each POS line rounded before they add up
	Allocated Fen
	Lines     uint32 // POS lines in it; 0 in a filler line
	Filler    bool
}

// Allocator allocates orders over their goods, with scratch that it reuses. The
// zero value is ready; it is for one goroutine.
type Allocator struct {
	lines     []AllocatedLine
	index     idIndex
	weights   []Fen
	shares    []Fen
	fractions []fraction
}

// Order divides total over the lines of one order. What it returns is reused by
// the next call.
//
// A line without a price takes its tag price, which tag knows (nil: nobody knows
// any); then lines with the same goods_id are merged, in the order of first
// appearance; then total is compared with the sum S of the line amounts:
//
//	total 10, 3 × 2 and 4 × 1  ->  6.00  4.00        equal
//	total  8, 3 × 2 and 4 × 1  ->  4.80  3.20        below
//	total 12, 3 × 2 and 4 × 1  ->  6.00  4.00  2.00  above, the last a filler
//
// When no line had a price, total goes in proportion to the tag prices whatever
// S is (tag_price), and without filler unless S is 0. The allocated amounts
// always add up to total. An order without lines is not allocated: scenario 0,
// no lines, no error.
//
// ErrPriceUnknown is a line with neither price nor tag price; ErrNegative a
// negative total or price, or a quantity of 0 or less; ErrRange a line amount, a
// sum of them or a sum of quantities beyond its range. None of them leaves a
// part of an allocation behind.
func (a *Allocator) Order(total Fen, lines []GoodsLine, tag func(id uint32) (Micro, bool), remainder Remainder) (Scenario, []AllocatedLine, error) {
	if total < 0 {
		return 0, nil, ErrNegative
	}
	if total > MaxFen {
		return 0, nil, ErrRange
	}
	if len(lines) == 0 {
		return 0, nil, nil
	}
	sum, onTags, err := a.merge(lines, tag)
	if err != nil {
		return 0, nil, err
	}
	scenario := compared(total, sum, onTags)
	switch {
	case total == sum:
		for i := range a.lines {
			a.lines[i].Allocated = a.lines[i].Amount
		}
	case scenario == Above, sum == 0:
		for i := range a.lines {
			a.lines[i].Allocated = a.lines[i].Amount
		}
		a.lines = append(a.lines, AllocatedLine{Quantity: One, Allocated: total - sum, Filler: true})
	default:
		if err := a.divide(total, remainder); err != nil {
			return 0, nil, err
		}
	}
	return scenario, a.lines, nil
}

// compared names the scenario. onTags: every line lacked a price.
func compared(total, sum Fen, onTags bool) Scenario {
	switch {
	case onTags:
		return TagPrice
	case total == sum:
		return Equal
	case total < sum:
		return Below
	}
	return Above
}

// merge fills a.lines with the lines of one order, and gives the sum of their
// amounts and whether all of them are tag prices.
func (a *Allocator) merge(lines []GoodsLine, tag func(id uint32) (Micro, bool)) (sum Fen, onTags bool, err error) {
	a.lines = a.lines[:0]
	a.index.reset()
	onTags = true
	merged := false
	for i := range lines {
		line := &lines[i]
		price, err := priceOf(line, tag)
		if err != nil {
			return 0, false, err
		}
		onTags = onTags && !line.HasPrice
		amount, err := LineAmount(price, line.Quantity)
		if err != nil {
			return 0, false, err
		}
		if sum += amount; sum > MaxFen {
			return 0, false, ErrRange
		}
		at, found := a.index.place(line.ID)
		if !found {
			a.lines = append(a.lines, AllocatedLine{
				ID: line.ID, Name: line.Name, Quantity: line.Quantity, Price: price, Amount: amount, Lines: 1,
			})
			continue
		}
		merged = true
		first := &a.lines[at]
		if line.Quantity > MaxMicro-first.Quantity {
			return 0, false, ErrRange
		}
		first.Quantity += line.Quantity
		first.Amount += amount
		first.Lines++
	}
	if merged {
		return sum, onTags, a.averagePrices()
	}
	return sum, onTags, nil
}

// priceOf is the line's price, or its tag price.
func priceOf(line *GoodsLine, tag func(id uint32) (Micro, bool)) (Micro, error) {
	price, known := line.Price, line.HasPrice
	if !known && tag != nil && line.ID != 0 {
		price, known = tag(line.ID)
	}
	switch {
	case !known:
		return 0, ErrPriceUnknown
	case price < 0, line.Quantity <= 0:
		return 0, ErrNegative
	}
	return price, nil
}

// averagePrices sets the price of merged lines: 100 × 1 and 50 × 1 are 75 × 2.
func (a *Allocator) averagePrices() error {
	const fenAsMicro = 10_000
	for i := range a.lines {
		line := &a.lines[i]
		if line.Lines == 1 {
			continue
		}
		fen, ok := mulDivHalfUp(uint64(line.Amount), uint64(One), uint64(line.Quantity))
		if !ok || fen > uint64(MaxMicro)/fenAsMicro {
			return ErrRange
		}
		line.Price = Micro(fen) * fenAsMicro
	}
	return nil
}

// divide gives every line its share of total.
func (a *Allocator) divide(total Fen, remainder Remainder) error {
	n := len(a.lines)
	a.weights = slices.Grow(a.weights[:0], n)[:n]
	a.shares = slices.Grow(a.shares[:0], n)[:n]
	a.fractions = slices.Grow(a.fractions[:0], n)
	for i := range a.lines {
		a.weights[i] = a.lines[i].Amount
	}
	if err := remainder.allocate(a.shares, total, a.weights, a.fractions); err != nil {
		return err
	}
	for i := range a.lines {
		a.lines[i].Allocated = a.shares[i]
	}
	return nil
}

// smallIndex is the number of lines up to which looking at each is faster than
// a map, which is nearly every order.
const smallIndex = 16

// idIndex finds the place of a goods_id in a list of lines.
type idIndex struct {
	ids   []uint32
	large map[uint32]int // all ids but 0, once there are more than smallIndex
}

func (x *idIndex) reset() {
	x.ids = x.ids[:0]
	if len(x.large) > 0 {
		clear(x.large)
	}
}

// find is the place of id; the blank id has none.
func (x *idIndex) find(id uint32) (int, bool) {
	if id == 0 {
		return 0, false
	}
	if len(x.ids) > smallIndex {
		at, ok := x.large[id]
		return at, ok
	}
	at := slices.Index(x.ids, id)
	return at, at >= 0
}

// place is find, which gives an id that is not there, and every blank one, the
// next place.
func (x *idIndex) place(id uint32) (at int, found bool) {
	if at, found = x.find(id); found {
		return at, true
	}
	at = len(x.ids)
	x.ids = append(x.ids, id)
	switch {
	case at < smallIndex:
	case at == smallIndex:
		if x.large == nil {
			x.large = make(map[uint32]int, 4*smallIndex)
		}
		for i, id := range x.ids {
			if id != 0 {
				x.large[id] = i
			}
		}
	case id != 0:
		x.large[id] = at
	}
	return at, false
}
