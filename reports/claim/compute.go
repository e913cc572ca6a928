package claim

import (
	"strings"

	"duizhang/rules"
)

// A groupKey is a merchant and a product of the pack.
type groupKey struct{ merchant, product string }

// A share is a group whose rebates are rounded once.
type share struct {
	sum    rules.PeriodGroup
	ranks  []rules.Rank
	stated rules.Sum
	has    bool
	cutoff rules.Cutoff
	holds  bool
}

// A calculator computes the trades of a pack anew, from the evidence alone. Where a
// group is rounded once it must have collected all trades before.
type calculator struct {
	m          *Manifest
	tolerance  rules.Micro
	agreements map[int]*rules.Agreement
	aggregated map[groupKey]rules.Sum // what statements pay in one sum
	shares     map[groupKey]*share
}

func newCalculator(m *Manifest, tolerance rules.Micro) *calculator {
	return &calculator{
		m: m, tolerance: tolerance, agreements: map[int]*rules.Agreement{}, aggregated: map[groupKey]rules.Sum{}, shares: map[groupKey]*share{},
	}
}

// shared takes an evidence row that belongs to no trade.
func (c *calculator) shared(e *Evidence) {
	switch e.Role {
	case RoleAgreement:
		c.agreements[int(e.Row)] = e.Agreement
	case RoleAggregated:
		key := groupKey{e.Merchant, e.Product}
		sum := c.aggregated[key]
		sum.AddInt(given(e.Rebate))
		sum.AddInt(given(e.Adjustment))
		c.aggregated[key] = sum
	case RoleBill, RoleRefund, RolePOS, RoleStatement:
	}
}

// A figure is what the evidence of one trade comes to.
type figure struct {
	agreement *rules.Agreement
	bill, pos *Evidence
	basis     rules.Fen
	paid      rules.Micro
	hasPaid   bool
	rank      uint64
	wrong     string // what cannot be, or ""
}

// figureOf adds up the evidence of a trade.
func (c *calculator) figureOf(t *Trade, evidence []Evidence) figure {
	f := figure{agreement: c.agreements[t.Agreement]}
	kind := rules.BasisReceived
	if f.agreement != nil {
		kind = f.agreement.Basis
	}
	fail := func(what string) {
		if f.wrong == "" {
			f.wrong = what
		}
	}
	if t.Agreement > 0 && f.agreement == nil {
		fail("agreement")
	}
	for i := range evidence {
		e := &evidence[i]
		switch e.Role {
		case RoleBill:
			if f.bill != nil {
				fail("bill")
			}
			f.bill = e
			f.basis += e.basisOf(kind)
			f.rank = uint64(e.Input)<<32 | uint64(uint32(e.Line))
			if e.Time != t.Time {
				fail("trade_time")
			}
			if e.TradeNo != t.TradeNo {
				fail("trade_no")
			}
		case RoleRefund:
			f.basis -= e.basisOf(kind)
			if e.TradeNo != t.TradeNo && e.OutTradeNo != t.OutTradeNo || !c.inPeriod(e.Time) {
				fail("refund")
			}
		case RolePOS:
			f.pos = e
			if e.Provider != t.PID {
				fail("sys_service_provider_id")
			}
			if e.OutTradeNo != t.OutTradeNo && e.TradeNo != t.TradeNo {
				fail("out_trade_no")
			}
		case RoleStatement:
			f.hasPaid = true
			f.paid += rules.Micro(given(e.Rebate) + given(e.Adjustment))
			if e.Product != t.Product || e.TradeNo != t.TradeNo && e.OutTradeNo != t.OutTradeNo {
				fail("statement")
			}
		case RoleAgreement, RoleAggregated:
			fail("role")
		}
	}
	if f.bill == nil || !c.inPeriod(t.Time) {
		fail("bill")
	}
	return f
}

// inPeriod reports whether a time lies in the pack's period.
func (c *calculator) inPeriod(t int64) bool {
	day := dayText(dayOf(t))
	return strings.HasPrefix(day, c.m.Period)
}

// collect adds a trade to its group, if that is rounded once.
func (c *calculator) collect(t *Trade, f *figure) {
	if f.agreement == nil || f.agreement.Rounding != rules.RoundPeriod {
		return
	}
	key := groupKey{t.Merchant, t.Product}
	s := c.shares[key]
	if s == nil {
		s = &share{sum: rules.NewPeriodGroup(f.agreement.Scale)}
		c.shares[key] = s
	}
	if rest := s.sum.Add(rules.ExactRebate(f.basis, f.agreement)); rest > 0 {
		s.ranks = append(s.ranks, rules.Rank{Remainder: rest, Order: f.rank})
	}
	if f.hasPaid {
		s.has = true
		s.stated.AddMicro(f.paid)
	}
}

// close finds who gets what rounding leaves over.
func (c *calculator) close() {
	for _, s := range c.shares {
		s.cutoff = s.sum.Cutoff(s.ranks)
		s.ranks = nil
		s.holds = s.has && rules.CompareSums(s.sum.Total(), s.stated, true, c.tolerance) == rules.CauseOK
	}
}

// expected is the rebate that the trade should bring.
func (c *calculator) expected(t *Trade, f *figure) rules.Micro {
	if s := c.shares[groupKey{t.Merchant, t.Product}]; s != nil && f.agreement != nil && f.agreement.Rounding == rules.RoundPeriod {
		return s.cutoff.Share(rules.ExactRebate(f.basis, f.agreement), f.rank)
	}
	return rules.Expected(f.basis, f.agreement)
}

// cause is what the statement comes to for a trade with a right PID.
func (c *calculator) cause(t *Trade, f *figure, expected rules.Micro) rules.Cause {
	key := groupKey{t.Merchant, t.Product}
	_, together := c.aggregated[key]
	if s := c.shares[key]; !f.hasPaid && together || s != nil && s.holds {
		return rules.CauseOK
	}
	return rules.CompareStatement(expected, f.paid, f.hasPaid, c.tolerance)
}

// right reports whether the trade carried the provider's PID, by an agreement in
// force.
func (c *calculator) right(t *Trade, f *figure) bool {
	a := f.agreement
	day := dayOf(t.Time)
	return a != nil && f.pos != nil && a.Provider == c.m.Provider && a.Product == t.Product && a.From <= day && day <= a.To &&
		strings.Trim(f.pos.Provider, " \t") == c.m.Provider
}

// rest is what a group is short of beyond its single claims, with what its aggregated
// rows paid added to what it was paid.
func (c *calculator) rest(g *Group) {
	sum, ok := c.aggregated[groupKey{g.Merchant, g.Product}]
	if !ok {
		return
	}
	g.Paid.AddSum(sum)
	due := g.Expected.Sub(g.Lost)
	gap := due.Sub(g.Paid)
	if rules.CompareSums(due, g.Paid, true, c.tolerance) == rules.CauseStatementShort && gap.Cmp(g.Claims) > 0 {
		g.Rest = gap.Sub(g.Claims)
	}
}
