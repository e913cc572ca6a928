package engine

import (
	"context"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Part is what one partition comes to: the rows of the result tables, sorted by
// key.
type Part struct {
	Number  int
	Trades  schema.Trades
	Refunds schema.RefundRows
	Goods   schema.GoodsRows
	Rebates schema.Rebates
	Claims  Claims

	Accounts schema.AccountRows

	// Of a run with state: what it leaves to the history of later days (rules 9).
	Settled  schema.Settled
	Returned schema.Returned
	// Again are the trades and refunds that it judged again.
	Again Again
}

// A ResultSink takes the partitions' results. Part is called once for every
// number below the count that Begin was given, from several goroutines and in any
// order; the part is borrowed: it is valid during the call.
type ResultSink interface {
	Begin(parts int) error
	Part(ctx context.Context, p *Part) error
}

// A Break is one finding of rules 12.
type Break struct {
	Code       rules.BreakCode
	Severity   rules.Severity
	Side       rules.Side
	Merchant   string
	OutTradeNo string
	TradeNo    string
	RequestNo  string
	Store      string
	Terminal   string
	Operator   string
	PID        string // sys_service_provider_id as the POS sent it
	Time       int64  // of the bill's row, else of the order; Null if it has neither
	Amount     int64  // at stake, never negative; millionths if Micro, else fen
	Micro      bool
	Ordinal    int    // among breaks of the same code, side and key
	Expected   int64  // what should be (POS side, or computed), in the unit of Amount; Null if there is none
	Found      int64  // what is (bill, statement); Null if there is none
	What       string // the column or part that Expected and Found are of, or ""
	Reason     string // rules.Reason's word, another code's, or the place of a rejected row that it lacks; or ""
	Suggestion string // the candidate that a suggestion found: out_trade_no or trade_no and source
	Table      int32  `memo:"table"` // -1 for none
	Line       int32
	FirstSeen  string // 2006-01-02
	AgeDays    int
	Settled    bool // a person has dealt with it: it counts towards no limit; the engine leaves it false
}

// ID is the break's identity, the same in every run (contract 4).
func (b *Break) ID() string {
	return rules.BreakID(b.Code, b.Side, b.key(), b.Ordinal)
}

func (b *Break) key() string {
	key := b.Merchant + "\x1f" + b.OutTradeNo + "\x1f" + b.TradeNo + "\x1f" + b.RequestNo
	if what := b.subject(); what != "" {
		key += "\x1f" + what
	}
	return key
}

// subject is what a finding is about that is about no trade: a device and month, a
// control total, a coupon. It is a part of its key.
func (b *Break) subject() string {
	if b.OutTradeNo != "" || b.TradeNo != "" || b.RequestNo != "" {
		return ""
	}
	return b.What
}

// atStake is the break's amount in millionths.
func (b *Break) atStake() rules.Sum {
	var s rules.Sum
	if b.Micro {
		s.AddInt(b.Amount)
		return s
	}
	const parts = 10 // the largest amount of fen, in millionths, would not fit
	for range parts {
		s.AddInt(b.Amount * (microPerFen / parts))
	}
	return s
}

// A Tally counts units and adds amounts of the two sides.
type Tally struct {
	PosCount, BillCount   int64
	PosAmount, BillAmount rules.Sum // fen
}

// A ReasonTally is the POS orders that are left out for one reason.
type ReasonTally struct {
	Count  int64
	Amount rules.Sum // fen
}

// A ScenarioTally is one scenario of the goods allocation.
type ScenarioTally struct {
	Orders          int64
	Amount, Filler  rules.Sum // fen: totals of the orders, filler lines in them
	Lines, Fillings int64
}

// A CauseTally is one cause of the rebate audit.
type CauseTally struct {
	Count                  int64
	Expected, Stated, Loss rules.Sum // millionths
}

// A LossGroup adds the losses of one PID, merchant, store, terminal or day.
type LossGroup struct {
	Key      string // the PID, store, terminal or day
	Parent   string // the store of a terminal, else ""
	Merchant string // of a store or terminal
	Count    int64
	Loss     rules.Sum // millionths
	Lost     rules.Sum // of it cannot be appealed
	Claim    rules.Sum // of it can be claimed
	Since    int64     // of a store or terminal: first trade of the current run of wrong ones; Null if it is right now
}

// Losses are the rebate losses, each list ranked by money.
type Losses struct {
	Provider, Merchant, Store, Terminal, Day []LossGroup
}

// A RebateGroup is a row of rebate_groups.
type RebateGroup struct {
	Provider, Merchant, Product, Period string
	Trades                              int64
	Basis                               rules.Sum // fen
	Rate                                int64     // millionths, Null where rates differ
	Expected, Stated                    rules.Sum // millionths
	HasStated                           bool
	Cause                               rules.Cause
	Lost, Claimable                     rules.Sum
	Aggregated                          []AggregatedRow // the statement rows that pay the group in one sum
	// EarlierClaim is what of Claimable no pack of this run can show: claims of trades
	// of earlier days, whose rows are in no input, and all of a group that is computed
	// together with such trades.
	EarlierClaim rules.Sum
}

// Again are the trades and refunds that a run with state judged again, and that an
// earlier day may have reported breaks of: those that were carried, and trades of
// earlier days whose rebates were audited. An open break of such a trade that this
// run does not find is closed.
type Again struct {
	Merchant   []uint32
	OutTradeNo schema.Text
	TradeNo    schema.Text // "" if the rows do not say
	RequestNo  schema.Text // of a refund; "" for a trade
	Audit      []uint8     // AuditAlone or NoAudit: of a trade; else 0
}

// What is judged again of a trade, if it is not all.
const (
	AuditAlone = 1 + iota // its rebates
	NoAudit               // all but its rebates
)

// Len is the number of rows.
func (a *Again) Len() int { return len(a.Merchant) }

// Judged tells whether a break of the code, of the trade or refund in a row, would
// have been found again. The tie-out with the account bill is done once, on the
// trade's own day.
func (a *Again) Judged(row int, code rules.BreakCode) bool {
	switch {
	case code == rules.BreakAccountMissing, code == rules.BreakAccountMismatch:
		return false
	case a.Audit[row] != 0:
		return code.OfRebate() == (a.Audit[row] == AuditAlone)
	}
	return true
}

func (a *Again) reset() {
	a.Merchant, a.Audit = a.Merchant[:0], a.Audit[:0]
	for _, t := range [...]*schema.Text{&a.OutTradeNo, &a.TradeNo, &a.RequestNo} {
		t.Offsets, t.Data = t.Offsets[:0], t.Data[:0]
	}
}

func (a *Again) add(merchant uint32, outTradeNo, tradeNo, requestNo []byte, audit uint8) {
	a.Merchant, a.Audit = append(a.Merchant, merchant), append(a.Audit, audit)
	a.OutTradeNo.Append(outTradeNo)
	a.TradeNo.Append(tradeNo)
	a.RequestNo.Append(requestNo)
}

// An Invariant is a proof of the run: both sides, computed apart, are equal.
type Invariant struct {
	Name        string
	Left, Right string
	Holds       bool
}

// PartState says whether a part of the work ran.
type PartState struct {
	Name string // trades, refunds, goods, fees, rebates, statements
	Ran  bool
	Why  string // of one that was left out: the input that is absent
}

// Inputs are the tables of the inputs. The other tables stand for rows that earlier
// days carried to this one; they follow, so that the numbers are the same.
func (r *Result) Inputs() []*schema.Table { return r.Tables[:placesOf(r.Tables)] }

// A Result is everything of a run but the rows of the large tables.
type Result struct {
	Date    string // business date
	Words   []string
	Tables  []*schema.Table
	Parts   []PartState
	Trades  [9]Tally // by rules.Status
	Refunds [9]Tally
	// Excluded says for which reason trades are excluded, by rules.Reason: the
	// online side is online_order.
	Excluded [16]ReasonTally
	Rejects  []schema.Reject // sorted by table, line, column
	Breaks   []Break         // sorted as contract 4 says

	Scenarios    [8]ScenarioTally // by rules.Scenario; 0: not allocated
	NoGoods      int64
	PriceUnknown int64
	Incomplete   int64 // goods_incomplete

	Causes     [32]CauseTally // by rules.Cause
	OutOfScope int64
	Losses     Losses
	Groups     []RebateGroup
	Devices    []DeviceReward // sorted by device, month
	Shifts     []ShiftRow     // in the order of the stores and shifts
	PIDUses    []PIDUse       // of a job with Guard: by till, product, time and PID
	Accounts   AccountResult

	Attributions []Attribution // the causes of the breaks, first those that explain most

	// Covered is what the statements of a run with state cover, sorted; none if it does
	// not audit. Later runs ask for it (History.Covered).
	Covered []Coverage

	// Carried are the rows that the run leaves to the next days; nil without state.
	Carried *Carried

	Invariants []Invariant
	FeesLater  []int32 // tables whose fees are all 0
}
