package engine

import (
	"cmp"
	"slices"

	"duizhang/engine/schema"
)

// postingLag is by how many seconds the account may be credited after 完成时间: a
// trade this near to the end of an account bill may stand in the next one.
const postingLag = 60

// spans are times that bills of one account cover, in order and apart.
type spans []span

type span struct{ from, to int64 } // to exclusive

// of is the span that holds a time, or nil.
func (s spans) of(t int64) *span {
	i, _ := slices.BinarySearchFunc(s, t, func(at span, t int64) int { return cmp.Compare(at.to, t+1) })
	if i < len(s) && s[i].from <= t {
		return &s[i]
	}
	return nil
}

// joined are spans in order, those that meet as one.
func (s spans) joined() spans {
	slices.SortFunc(s, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out spans
	for _, at := range s {
		if n := len(out); n > 0 && at.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, at.to)
			continue
		}
		out = append(out, at)
	}
	return out
}

// planAccounts finds which times of which account the trade bills and the account
// bills cover. An account bill whose rows name neither trades nor orders covers
// nothing: no trade can be missing from it.
func (p *plan) planAccounts() {
	p.billSpans, p.accountSpans = map[uint32]spans{}, map[uint32]spans{}
	if !p.tiesOut {
		return
	}
	for _, t := range p.tables {
		if t.Refused || t.Carried() {
			continue
		}
		var all map[uint32]spans
		switch {
		case t.Format == "trade_bill":
			all = p.billSpans
		case (t.Format == "account_bill" || t.Format == "fund_flow") && t.Linked:
			all = p.accountSpans
		default:
			continue
		}
		if s, ok := tableSpan(t); ok {
			owner := p.owner(p.words.Code(t.Account))
			all[owner] = append(all[owner], s)
		}
	}
	for _, all := range []map[uint32]spans{p.billSpans, p.accountSpans} {
		for owner, s := range all {
			all[owner] = s.joined()
		}
	}
}

// tableSpan is the period that a bill states, else the days of its rows.
func tableSpan(t *schema.Table) (span, bool) {
	switch {
	case t.From != schema.Null && t.To != schema.Null:
		return span{t.From, t.To}, t.From < t.To
	case t.FirstTime == schema.Null || t.LastTime == schema.Null:
		return span{}, false
	}
	return span{int64(dayOf(t.FirstTime)) * daySeconds, int64(dayOf(t.LastTime)+1) * daySeconds}, true
}

// owner is whose a bill is: the account in its header, else the default merchant.
func (p *plan) owner(account uint32) uint32 {
	if account == 0 {
		return p.defaultPID
	}
	return account
}
