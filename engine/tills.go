package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"duizhang/rules"
)

// The words of a TillFinding's What besides the causes of rules 6.
const (
	PIDChanged   = "pid_changed"   // from one right PID to another
	PIDRecovered = "pid_recovered" // the till sends a right PID again
)

// A TillFinding is a change-point of one till: since when it sends a wrong PID, or
// another one, and what that costs.
type TillFinding struct {
	Merchant, Store, Terminal, Product string
	What                               string // a lost cause, PIDChanged or PIDRecovered
	PID                                string // as sent; of PIDRecovered the right one
	Before                             string // of PIDChanged and PIDRecovered: the PID until then
	Since                              string // 2006-01-02 15:04:05: first order of the current run
	Until                              string // last order with it, if right ones came after; else blank

	Orders int64
	Amount rules.Sum // fen: of those orders
	Lost   rules.Sum // millionths: their expected rebates
	// PerDay is what it costs a day, in millionths: while it goes on, what a day of
	// the till is worth, all its orders; once it is over, what was lost over the days.
	PerDay rules.Sum
	New    bool // nothing known before says so

	Order       string // the first such order, and its place; Table -1 for none
	Table, Line int32
}

// Wrong tells whether rebates are lost, or go elsewhere than before.
func (f *TillFinding) Wrong() bool { return f.What != PIDRecovered }

// A TillState is what is remembered of one till and PID.
type TillState struct {
	Merchant string `json:"merchant_pid"`
	Store    string `json:"store_id"`
	Terminal string `json:"terminal_id"`
	Product  string `json:"product"`
	PID      string `json:"pid"`
	Cause    string `json:"cause"` // ok, or a lost cause
	Since    string `json:"since"`
	Last     string `json:"last"`  // latest order with it
	Until    string `json:"until"` // of a wrong PID that is over: its last order; blank while it goes on
}

func (s *TillState) till() tillKey { return tillKey{s.Merchant, s.Store, s.Terminal, s.Product} }

func compareStates(a, b TillState) int {
	return cmp.Or(a.till().compare(b.till()), strings.Compare(a.Cause, b.Cause), strings.Compare(a.PID, b.PID), strings.Compare(a.Since, b.Since))
}

type tillKey struct{ merchant, store, terminal, product string }

func (k tillKey) compare(o tillKey) int {
	return cmp.Or(strings.Compare(k.merchant, o.merchant), strings.Compare(k.store, o.store),
		strings.Compare(k.terminal, o.terminal), strings.Compare(k.product, o.product))
}

// Tills finds the change-points in what the tills sent, and what is to be
// remembered for the next time. A finding is new unless the state has it: a till
// that goes on with a wrong PID is found once, with the time at which it began, and
// one that goes to and fro at most once in 24 hours. Inputs that are older than the
// state of a till change nothing in it.
//
// Findings that go on come first, then those that are over, each by what a day
// costs, the most first.
func Tills(uses []PIDUse, state []TillState) (findings []TillFinding, after []TillState) {
	known := map[tillKey][]TillState{}
	for _, s := range state {
		known[s.till()] = append(known[s.till()], s)
	}
	for from, to := 0, 0; from < len(uses); from = to {
		key := tillOf(&uses[from])
		for to = from; to < len(uses) && tillOf(&uses[to]) == key; {
			to++
		}
		t := till{key: key, uses: uses[from:to], state: known[key]}
		t.look()
		findings = append(findings, t.findings...)
		known[key] = t.state
	}
	newest := ""
	for _, states := range known {
		for i := range states {
			newest = max(newest, states[i].Last)
		}
		after = append(after, states...)
	}
	after = slices.DeleteFunc(after, func(s TillState) bool { return s.Until != "" && s.Until < before(newest, keepDays) })
	slices.SortFunc(after, compareStates)
	slices.SortStableFunc(findings, func(a, b TillFinding) int {
		return cmp.Or(compareBool(a.Until != "", b.Until != ""), b.PerDay.Cmp(a.PerDay), b.Lost.Cmp(a.Lost), strings.Compare(a.Since, b.Since))
	})
	return findings, after
}

// keepDays is how long a wrong PID that is over is remembered.
const keepDays = 30

// before is a time so many days earlier; a blank stays blank.
func before(moment string, days int) string {
	t, err := time.Parse(time.DateTime, moment)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, -days).Format(time.DateTime)
}

func tillOf(u *PIDUse) tillKey { return tillKey{u.Merchant, u.Store, u.Terminal, u.Product} }

func clockText(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateTime) }

// A till is one till's orders for one product, while they are looked at.
type till struct {
	key      tillKey
	uses     []PIDUse
	state    []TillState
	findings []TillFinding
	newer    bool // the inputs are not older than the state
}

func (t *till) look() {
	latest, known := "", ""
	var days []int32
	var worth rules.Sum
	right := -1 // the right PID that was sent last
	for i := range t.uses {
		u := &t.uses[i]
		latest = max(latest, clockText(u.Last))
		days = append(days, u.Days...)
		worth.AddSum(u.Expected)
		if u.Cause == rules.CauseOK && (right < 0 || u.Last > t.uses[right].Last) {
			right = i
		}
	}
	for i := range t.state {
		known = max(known, t.state[i].Last)
	}
	slices.Sort(days)
	perDay := worth.Over(len(slices.Compact(days)))
	t.newer = latest >= known
	kept := slices.Clone(t.state)
	for i := range t.uses {
		if t.uses[i].Cause.Lost() {
			t.lookAtWrong(&t.uses[i], right, perDay)
		}
	}
	if right >= 0 {
		t.lookAtRight(&t.uses[right], perDay)
	}
	if !t.newer {
		t.state = kept
	}
}

// entry is what is remembered of a PID, of several the latest; nil for nothing.
func (t *till) entry(pid, cause string) *TillState {
	var found *TillState
	for i := range t.state {
		if s := &t.state[i]; s.PID == pid && s.Cause == cause && (found == nil || s.Since > found.Since) {
			found = s
		}
	}
	return found
}

func (t *till) finding(u *PIDUse, what string, perDay rules.Sum) TillFinding {
	return TillFinding{
		Merchant: t.key.merchant, Store: t.key.store, Terminal: t.key.terminal, Product: t.key.product,
		What: what, PID: u.PID, Since: clockText(u.First), Orders: u.Count, Amount: u.Amount, PerDay: perDay,
		Order: u.Order, Table: u.Table, Line: u.Line,
	}
}

func (t *till) lookAtWrong(u *PIDUse, right int, perDay rules.Sum) {
	f := t.finding(u, u.Cause.String(), perDay)
	f.Lost, f.New = u.Expected, true
	last := clockText(u.Last)
	if right >= 0 && t.uses[right].Last >= u.Last {
		f.Until, f.PerDay = last, u.Expected.Over(len(u.Days))
	} else if right >= 0 { // the current run begins after the last right one
		at, _ := slices.BinarySearch(u.Times, t.uses[right].Last+1)
		f.Since = clockText(u.Times[at])
	}
	e := t.entry(u.PID, u.Cause.String())
	if e == nil || e.Until != "" && e.Until < before(f.Since, 1) {
		t.state = append(t.state, TillState{
			Merchant: t.key.merchant, Store: t.key.store, Terminal: t.key.terminal, Product: t.key.product,
			PID: u.PID, Cause: u.Cause.String(), Since: f.Since, Last: last, Until: f.Until,
		})
		t.findings = append(t.findings, f)
		return
	}
	f.New = false
	f.Since = min(f.Since, e.Since)
	if t.newer {
		if e.Until == "" && f.Until != "" {
			t.recovered(e, &t.uses[right], perDay)
		}
		e.Since, e.Last, e.Until = f.Since, max(e.Last, last), f.Until
	}
	t.findings = append(t.findings, f)
}

func (t *till) lookAtRight(u *PIDUse, perDay rules.Sum) {
	last := clockText(u.Last)
	for i := range t.state { // wrong PIDs of earlier inputs that did not come again
		s := &t.state[i]
		if t.newer && s.Cause != rules.CauseOK.String() && s.Until == "" && s.Last < last {
			t.recovered(s, u, perDay)
			s.Until = s.Last
		}
	}
	var e *TillState // the right PID of earlier inputs
	for i := range t.state {
		if t.state[i].Cause == rules.CauseOK.String() {
			e = &t.state[i]
		}
	}
	old := ""
	for i := range t.uses {
		if r := &t.uses[i]; r.Cause == rules.CauseOK && r.PID != u.PID && r.Last < u.First {
			old = r.PID
		}
	}
	if old == "" && e != nil && e.PID != u.PID && e.Last < clockText(u.First) && !t.sends(e.PID) {
		old = e.PID
	}
	if old != "" {
		f := t.finding(u, PIDChanged, perDay)
		f.Before, f.New = old, e == nil || e.PID != u.PID || e.Since != f.Since
		t.findings = append(t.findings, f)
	}
	switch {
	case e == nil:
		t.state = append(t.state, TillState{
			Merchant: t.key.merchant, Store: t.key.store, Terminal: t.key.terminal, Product: t.key.product,
			PID: u.PID, Cause: rules.CauseOK.String(), Since: clockText(u.First), Last: last,
		})
	case e.PID == u.PID:
		e.Since, e.Last = min(e.Since, clockText(u.First)), max(e.Last, last)
	default:
		e.PID, e.Since, e.Last = u.PID, clockText(u.First), max(e.Last, last)
	}
}

// sends tells whether the till sends the PID in these inputs too.
func (t *till) sends(pid string) bool {
	return slices.ContainsFunc(t.uses, func(u PIDUse) bool { return u.PID == pid })
}

// recovered says that the till sends a right PID again.
func (t *till) recovered(s *TillState, right *PIDUse, perDay rules.Sum) {
	f := t.finding(right, PIDRecovered, perDay)
	f.Before, f.New = s.PID, true
	if f.Since <= s.Last { // it went to and fro: known is only when it was right last
		f.Since = clockText(right.Last)
	}
	t.findings = append(t.findings, f)
}
