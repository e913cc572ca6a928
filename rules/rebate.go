package rules

import (
	"cmp"
	"slices"
)

// Basis is the amount that a rebate is computed from.
type Basis uint8

// The bases.
const (
	BasisReceived    Basis = iota + 1 // 商家实收
	BasisOrderAmount                  // 订单金额
	BasisBuyerPaid                    // what the buyer paid
)

var basisWords = []string{BasisReceived: "received", BasisOrderAmount: "order_amount", BasisBuyerPaid: "buyer_paid"}

// Of is what a bill row of an order amount, 商家实收 and what the platform paid of
// it comes to on this basis.
func (b Basis) Of(amount, received, platform Fen) Fen {
	switch b {
	case BasisOrderAmount:
		return amount
	case BasisBuyerPaid:
		return received - platform
	case BasisReceived:
	}
	return received
}

func (b Basis) String() string { return word(basisWords, uint8(b), "Basis") }

// ParseBasis is the inverse of String.
func ParseBasis(s string) (Basis, bool) { return parseWord[Basis](basisWords, s) }

// Rounding says where a rebate is rounded.
type Rounding uint8

// The roundings.
const (
	RoundTrade  Rounding = iota + 1 // each trade
	RoundPeriod                     // once for provider × merchant × product × period
)

var roundingWords = []string{RoundTrade: "trade", RoundPeriod: "period"}

func (r Rounding) String() string { return word(roundingWords, uint8(r), "Rounding") }

// ParseRounding is the inverse of String.
func ParseRounding(s string) (Rounding, bool) { return parseWord[Rounding](roundingWords, s) }

// A basis in fen times a rate is exact in units of 10^-8.
const (
	exactDecimals = 8
	exactPerMicro = 100
)

// Expected is the rebate of one trade: min(round half up(basis × rate, scale),
// cap). At or below a basis of 0, and without an agreement, nothing is expected.
//
//	basis 129.17, rate 0.0055, scale 2  ->  0.71
func Expected(basis Fen, a *Agreement) Micro {
	if a == nil || basis <= 0 || a.Rate <= 0 {
		return 0
	}
	unit := pow10[exactDecimals-a.Scale]
	units, ok := mulDivHalfUp(uint64(basis), uint64(a.Rate), unit)
	micro := unit / exactPerMicro
	expected := MaxMicro // only a rate in the thousands comes here
	if ok && units <= uint64(MaxMicro)/micro {
		expected = Micro(units * micro)
	}
	if a.HasCap {
		expected = min(expected, a.Cap)
	}
	return expected
}

// ExactRebate is the rebate of one trade before rounding, in units of 10^-8, for
// agreements that round per period. The cap, which is per trade, is applied.
func ExactRebate(basis Fen, a *Agreement) Sum {
	if a == nil || basis <= 0 || a.Rate <= 0 {
		return Sum{}
	}
	most := MaxMicro
	if a.HasCap {
		most = a.Cap
	}
	exact := Sum{lo: uint64(basis)}.mul(uint64(a.Rate))
	limit := Sum{lo: uint64(most)}.mul(exactPerMicro)
	if exact.Cmp(limit) > 0 {
		return limit
	}
	return exact
}

// PeriodGroup adds up the exact rebates of one group (provider × merchant ×
// product × period) and divides the total, which is rounded once, over its
// trades: each gets the floor of its rebate, or one unit of the scale more. The
// units that flooring leaves over go to the largest remainders, earlier trades
// first among equals.
//
// It goes over the trades twice and holds none. In the first pass each exact
// rebate is added, and what Add gives back is ranked with the trade's order;
// Cutoff finds the last rank that gets a unit; in the second, Share decides each
// trade by itself, in any order.
type PeriodGroup struct {
	scale  int
	exact  Sum // in 10^-8
	floors Sum // in units of the scale
	trades int64
}

// NewPeriodGroup starts a group whose rebates have scale decimals, 0 to 6.
func NewPeriodGroup(scale int) PeriodGroup { return PeriodGroup{scale: scale} }

// Rank is a trade's claim to a unit: what flooring took from it, in 10^-8, and
// its place among the trades.
type Rank struct {
	Remainder uint32
	Order     uint64
}

// Compare puts the rank that gets a unit first before the other.
func (r Rank) Compare(o Rank) int {
	if c := cmp.Compare(o.Remainder, r.Remainder); c != 0 {
		return c
	}
	return cmp.Compare(r.Order, o.Order)
}

// Add adds one trade's exact rebate and gives its remainder. A trade whose
// remainder is 0 never gets a unit and need not be ranked.
func (g *PeriodGroup) Add(exact Sum) (remainder uint32) {
	units, rest := exact.div(g.unit())
	g.exact.AddSum(exact)
	g.floors.AddSum(units)
	g.trades++
	return uint32(rest)
}

// Join adds another part of the same group.
func (g *PeriodGroup) Join(o PeriodGroup) {
	g.exact.AddSum(o.exact)
	g.floors.AddSum(o.floors)
	g.trades += o.trades
}

// Trades is the number of trades added.
func (g *PeriodGroup) Trades() int64 { return g.trades }

// unit is one unit of the scale in 10^-8.
func (g *PeriodGroup) unit() uint64 { return pow10[exactDecimals-g.scale] }

// rounded is the exact sum in units of the scale, rounded half up.
func (g *PeriodGroup) rounded() Sum {
	units, rest := g.exact.div(g.unit())
	if rest >= g.unit()-rest {
		units.AddInt(1)
	}
	return units
}

// Total is the group's rebate, rounded half up at the scale, as a Sum of Micro.
func (g *PeriodGroup) Total() Sum { return g.rounded().mul(g.unit() / exactPerMicro) }

// Extra is the number of trades that get one unit more than their floor.
func (g *PeriodGroup) Extra() int {
	extra, _ := g.rounded().Sub(g.floors).Int64()
	return int(extra)
}

// Cutoff finds the last rank that gets a unit. ranks are those of all trades of
// the group whose remainder is not 0; their order is changed.
func (g *PeriodGroup) Cutoff(ranks []Rank) Cutoff {
	c := Cutoff{unit: g.unit()}
	if extra := min(g.Extra(), len(ranks)); extra > 0 {
		slices.SortFunc(ranks, Rank.Compare)
		c.last, c.any = ranks[extra-1], true
	}
	return c
}

// Cutoff decides which trades of a group get one unit more than their floor.
type Cutoff struct {
	unit uint64
	last Rank
	any  bool
}

// Share is the expected rebate of the trade with that exact rebate and place.
// The shares of a group add up to its Total.
func (c Cutoff) Share(exact Sum, order uint64) Micro {
	units, rest := exact.div(c.unit)
	if c.any && rest > 0 && (Rank{uint32(rest), order}).Compare(c.last) <= 0 {
		units.AddInt(1)
	}
	share, ok := units.mul(c.unit / exactPerMicro).Int64()
	if !ok {
		return MaxMicro
	}
	return Micro(share)
}

// CompareStatement compares what a trade with a right PID, whose period a
// statement covers, should get with what the statement pays for it. stated: the
// statement has a row of it. Too little counts from beyond the tolerance on, too
// much and a missing row from the first unit (rules 6).
func CompareStatement(expected, paid Micro, stated bool, tolerance Micro) Cause {
	var e, p Sum
	e.AddMicro(expected)
	p.AddMicro(paid)
	return CompareSums(e, p, stated, tolerance)
}

// CompareSums is CompareStatement for a group, whose amounts are Sums of Micro.
func CompareSums(expected, paid Sum, stated bool, tolerance Micro) Cause {
	loss := expected.Sub(paid)
	limit := Sum{lo: magnitude(int64(tolerance))}
	switch {
	case !stated && expected.Sign() > 0:
		return CauseStatementMissing
	case !stated:
		return CauseOK
	case loss.Cmp(limit) > 0:
		return CauseStatementShort
	case loss.Sign() < 0:
		return CauseStatementOver
	}
	return CauseOK
}
