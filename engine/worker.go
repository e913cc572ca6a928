package engine

import (
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A worker reconciles partitions, one after the other, with memory that it
// reuses.
type worker struct {
	p    *plan
	rows Rows

	keys, trades                                       groups
	orderKey, refundKey, billKey, statementKey         []int32
	orderTrade, refundTrade, billTrade, statementTrade []int32

	ordering keyOrder

	flows                                 groups
	accountKey, accountTrade, accountFlow []int32
	ties                                  tieScratch

	runsByKey   members
	nextRun     []int32
	orderLine   []int32
	orders      []order
	joinables   map[joinable]int32
	orderStart  []int32
	orderUnit   []int32
	openOrders  []int32
	joined      []joinedColumn[int64]
	joinedWords []joinedColumn[uint32]
	joinedBytes []joinedColumn[uint8]

	refundRuns     members
	nextRefundRun  []int32
	refundLine     []int32
	posRefunds     []posRefund
	posRefundStart []int32
	posRefundTrade []int32
	openRefunds    []int32
	posTable       []int32
	posLine        []int32

	billUse         []billState
	paymentKey      []int32
	paymentTrade    []int32
	billRefundKey   []int32
	billRefundTrade []int32

	paymentsByKey, paymentsByTrade, refundsByKey, refundsByTrade members
	posRefundsByTrade, statementsByTrade, statementsByKey        members
	family                                                       []int32

	units         []unit
	rowUnits      int // units that are rows; orphans follow
	sorted        []int32
	unitOrder     []orderedUnit
	emitted       []int32 // of sorted: those that are rows of trades
	runs, bills   []int32 // of emitted: the order's run, the payment; -1 for none
	refunds       []refundUnit
	sortedRefunds []int32
	orphanOfTrade []int32
	orphanOfKey   map[orphanKey]int32

	// What the history has for the partition (past.go). Of its trades, one that is
	// found several times is known by its first row.
	wanted       schema.Wanted
	asked        []asked // by row of wanted
	past         schema.Settled
	pastRefunds  schema.Returned
	pastReturns  members // refunds by row of past
	pastRefs     groups
	pastFirst    []int32 // by row of past: the first row of its trade
	pastUnit     []int32 // by row of past: its unit, or -1
	pastPlaces   []int32
	pastLines    []int32
	pastPaid     []pastPaid
	pastOfRow    []int32 // by statement row: the trade of an earlier day that it pays, or -1
	unitAsked    []bool
	unitNow      []int32
	orphanRow    []int32 // by unit: the first bill refund of an orphan
	orderOfTrade []int32
	earlier      stream   // trades of earlier days that statements cover; nil for none
	room         Rows     // that they are read into
	left         *leaving // what has left the partition; nil for nothing
	met          metTrades
	single       unit    // the trade of an earlier day that is audited
	cleared      bool    // the audit found a trade of an earlier day fine that no statement row names
	unsaid       bool    // it left a wrong PID to the trade's own day, or a statement to the run that judged it
	settledRow   []int32 // by unit: its row of Part.Settled, or -1

	allocator  rules.Allocator
	returns    rules.Returns
	goodsLines []rules.GoodsLine
	goodsAt    []int32 // line in the file of each of goodsLines
	returned   []rules.ReturnedLine
	follows    bool // returns follows the goods of the trade at hand
	tagPrice   func(uint32) (rules.Micro, bool)

	judged     map[judgeKey]judgement
	lastJudged struct { // most trades are judged as the one before
		key       judgeKey
		judgement judgement
	}
	partGroups map[groupKey]*groupSum // of the partition
	groups     map[groupKey]*groupSum // of all its partitions
	freeGroups []*groupSum
	lastGroup  struct { // of partGroups
		key groupKey
		sum *groupSum
	}
	losses        lossTable
	breaks        []Break // reused
	statementUsed []bool
	tradeOrdered  []bool
	tradeRejected []bool // by trade: an order that was rejected has it
	paidRows      []int32
	products      []uint32
	rest          []int32

	posts posts // of all its partitions
	post  int32 // of the trade in hand
	ahead ahead

	shifts      shiftTable // of all its partitions
	shiftOrders func(ShiftOrder)
	pidUses     map[pidUseKey]*PIDUse // of all its partitions; nil until there is one

	census      *census
	subjects    []subject
	extraAudits []extraAudit
	goodsOrder  []int32 // by word of a goods_id: the order in hand that has it

	found  *findings
	totals totals
	part   Part
}

// findings are what one partition found besides its rows.
type findings struct {
	part    int32
	breaks  []Break
	open    []openUnit
	rejects []schema.Reject
	missing map[terminalKey]*missingFields
	shares  map[groupKey]*periodGroup `memo:"-"` // of the collecting pass
	beyond  map[uint32]*movements     // by 业务类型: account rows that no trade has
	carried Carried                   // without tables
}

// totals are added up over the partitions: what went in, and what has no row to
// be counted from.
type totals struct {
	orders, ordersRejected            side
	posRefunds, posRefundsRejected    side
	paymentsRejected                  side
	billRefundsRejected               side
	statementsRejected, unearned      side // millionths
	orphans, outOfScope, aggregated   side
	earlier                           side // trades of earlier days that statements cover
	unpaidElsewhere                   side // orders of another channel that were not paid
	allocatedOrders                   rules.Sum
	returned                          rules.Sum // what the refunds of all trades return
	refunded                          rules.Sum // final cumulative amounts of all trades, with state
	refundedBefore                    rules.Sum // what earlier days refunded of them
	refundedPending                   rules.Sum // what pending refunds come to
	together                          rules.Sum // expected of the right trades that an aggregated row pays; millionths
	scenarios                         [8]ScenarioTally
	noGoods, priceUnknown, incomplete int64
	accounts                          accountTotals

	carriedOut               side  // units that are carried to the next days
	carriedOn, carriedClosed int64 // of the rows that were carried in
}

func (t *totals) merge(o *totals) {
	for _, pair := range [...][2]*side{
		{&t.orders, &o.orders},
		{&t.ordersRejected, &o.ordersRejected},
		{&t.posRefunds, &o.posRefunds},
		{&t.posRefundsRejected, &o.posRefundsRejected},
		{&t.paymentsRejected, &o.paymentsRejected},
		{&t.billRefundsRejected, &o.billRefundsRejected},
		{&t.statementsRejected, &o.statementsRejected},
		{&t.unearned, &o.unearned},
		{&t.orphans, &o.orphans},
		{&t.outOfScope, &o.outOfScope},
		{&t.aggregated, &o.aggregated},
		{&t.unpaidElsewhere, &o.unpaidElsewhere},
		{&t.carriedOut, &o.carriedOut},
		{&t.earlier, &o.earlier},
	} {
		pair[0].merge(*pair[1])
	}
	t.allocatedOrders.AddSum(o.allocatedOrders)
	t.returned.AddSum(o.returned)
	t.refunded.AddSum(o.refunded)
	t.refundedBefore.AddSum(o.refundedBefore)
	t.refundedPending.AddSum(o.refundedPending)
	t.together.AddSum(o.together)
	for i := range t.scenarios {
		t.scenarios[i].Orders += o.scenarios[i].Orders
		t.scenarios[i].Amount.AddSum(o.scenarios[i].Amount)
	}
	t.noGoods += o.noGoods
	t.priceUnknown += o.priceUnknown
	t.incomplete += o.incomplete
	t.accounts.merge(&o.accounts)
	t.carriedOn += o.carriedOn
	t.carriedClosed += o.carriedClosed
}

func newWorker(p *plan) *worker {
	w := &worker{
		p: p, joinables: map[joinable]int32{}, orphanOfKey: map[orphanKey]int32{}, judged: map[judgeKey]judgement{},
		census: newCensus(), partGroups: map[groupKey]*groupSum{}, groups: map[groupKey]*groupSum{},
	}
	w.tagPrice = w.tagOf
	return w
}

// reconcile computes one partition: the rows in w.rows become the result rows in
// w.part and what is found. It depends on nothing but the plan and the rows.
func (w *worker) reconcile(number int) (*findings, error) {
	w.found = &findings{
		part:    int32(number),
		missing: map[terminalKey]*missingFields{},
		shares:  map[groupKey]*periodGroup{}, beyond: map[uint32]*movements{},
	}
	w.found.breaks = w.breaks[:0]
	w.totals = totals{}
	w.beginCount()
	w.part.reset(number)
	w.inKeyOrder()
	w.prepareJoin()
	w.assembleOrders()
	w.assembleRefunds()
	w.sortBills()
	w.findDuplicatePayments()
	w.findDuplicateRefunds()
	w.matchPayments()
	if err := w.pairsAgain(); err != nil {
		return nil, err
	}
	if err := w.matchRefunds(); err != nil {
		return nil, err
	}
	w.makeUnits()
	w.makeRefundUnits()
	if err := w.lookUp(); err != nil {
		return nil, err
	}
	w.chainRefunds()
	w.splitRefunds()
	w.settle()
	w.sortUnits()
	w.sortStatements()
	w.emit(&w.part)
	w.closeGroups()
	w.orphanStatements()
	w.tieAccounts(&w.part.Accounts)
	w.addReturned()
	if !w.p.collecting {
		w.countRest()
		w.countCarried()
	}
	if w.p.job.State && !w.p.collecting {
		w.carryOut()
	}
	w.breaks, w.found.breaks = w.found.breaks, slices.Clone(w.found.breaks) // what stays takes no more than it needs
	return w.found, nil
}

// addReturned adds up what the refunds return in all, from the trades' final
// cumulative amounts: the other side of the sum over the refund rows.
func (w *worker) addReturned() {
	for i := range w.units {
		u := &w.units[i]
		if w.isPast(u) && u.past >= w.met.base {
			continue // it has the refunds of its period alone, and none of today
		}
		w.totals.refunded.Add(u.refunded)
		if u.past >= 0 && !u.again {
			w.totals.refundedBefore.Add(w.refundedBefore(u.past))
		}
		if u.firstRefund >= 0 && u.split && u.hasTotal {
			w.totals.returned.Add(w.p.job.Policy.Split(u.funding, u.refunded).Total() - w.p.job.Policy.Split(u.funding, u.before).Total())
		}
	}
}

// leave moves the rows that hang together with a contested trade from w.rows to
// away, and keeps the others: all rows of an out_trade_no or a trade_no go or
// stay together.
func (w *worker) leave(contested map[uint64]bool, away *Rows) error {
	w.number()
	keyLeaves, tradeLeaves := make([]bool, w.keys.len()), make([]bool, w.trades.len())
	for trade := range w.trades.len() {
		tradeLeaves[trade] = contested[w.p.hash(w.trades.key(int32(trade)))&^partBits]
	}
	pairs := [][2][]int32{
		{w.orderKey, w.orderTrade},
		{w.refundKey, w.refundTrade},
		{w.billKey, w.billTrade},
		{w.statementKey, w.statementTrade},
	}
	for key := range w.keys.len() { // of a trade of an earlier day
		keyLeaves[key] = contested[w.p.hash(w.keys.key(int32(key)))&^partBits]
	}
	links, err := w.links(contested, keyLeaves, tradeLeaves)
	if err != nil {
		return err
	}
	pairs = append(pairs, links)
	flowLeaves := w.contestedFlows(contested)
	for changed := true; changed; {
		changed = w.flowsTogether(flowLeaves, keyLeaves, tradeLeaves)
		for _, pair := range pairs {
			for i, key := range pair[0] {
				trade := pair[1][i]
				k, t := key >= 0 && keyLeaves[key], trade >= 0 && tradeLeaves[trade]
				if key >= 0 && trade >= 0 && k != t {
					keyLeaves[key], tradeLeaves[trade], changed = true, true, true
				}
			}
		}
	}
	if w.earlier != nil {
		w.left = &leaving{
			contested: contested, hash: w.p.hash, keys: textsOf(&w.keys, keyLeaves), trades: textsOf(&w.trades, tradeLeaves), to: away,
		}
	}
	leaves := func(keys, trades []int32) func(int) bool {
		return func(i int) bool {
			return keys[i] >= 0 && keyLeaves[keys[i]] || trades[i] >= 0 && tradeLeaves[trades[i]]
		}
	}
	w.divide(away, leaves(w.billKey, w.billTrade), leaves(w.orderKey, w.orderTrade),
		leaves(w.refundKey, w.refundTrade), leaves(w.statementKey, w.statementTrade),
		w.accountLeaves(flowLeaves, keyLeaves, tradeLeaves))
	return nil
}

// dropRefused forgets the rows of refused tables: a file that was found broken at
// its end has sent rows before.
func (w *worker) dropRefused() {
	r := &w.rows
	refused := func(table []int32) func(int) bool {
		return func(i int) bool { return w.p.tables[table[i]].Refused }
	}
	w.divide(new(Rows), refused(r.Bills.Table), refused(r.Orders.Table), refused(r.Refunds.Table), refused(r.Statements.Table),
		refused(r.Accounts.Table))
}

// divide moves the rows that go to away.
func (w *worker) divide(away *Rows, bill, order, refund, statement, account func(int) bool) {
	r := &w.rows
	var stay Rows
	divide := func(n int, leaves func(int) bool) (goes, stays []int32) {
		for i := range n {
			if leaves(i) {
				goes = append(goes, int32(i))
			} else {
				stays = append(stays, int32(i))
			}
		}
		return goes, stays
	}
	goes, stays := divide(r.Bills.Len(), bill)
	schema.Append(&away.Bills, &r.Bills, goes)
	schema.Append(&stay.Bills, &r.Bills, stays)
	goes, stays = divide(r.Statements.Len(), statement)
	schema.Append(&away.Statements, &r.Statements, goes)
	schema.Append(&stay.Statements, &r.Statements, stays)
	goes, stays = divide(r.Accounts.Len(), account)
	schema.Append(&away.Accounts, &r.Accounts, goes)
	schema.Append(&stay.Accounts, &r.Accounts, stays)
	goes, stays = divide(r.Orders.Len(), order)
	first := firstLines(r.Orders.Lines)
	schema.Append(&away.Orders, &r.Orders, goes)
	schema.Append(&away.Lines, &r.Lines, linesOf(nil, goes, first))
	schema.Append(&stay.Orders, &r.Orders, stays)
	schema.Append(&stay.Lines, &r.Lines, linesOf(nil, stays, first))
	goes, stays = divide(r.Refunds.Len(), refund)
	first = firstLines(r.Refunds.Lines)
	schema.Append(&away.Refunds, &r.Refunds, goes)
	schema.Append(&away.RefundLines, &r.RefundLines, linesOf(nil, goes, first))
	schema.Append(&stay.Refunds, &r.Refunds, stays)
	schema.Append(&stay.RefundLines, &r.RefundLines, linesOf(nil, stays, first))
	w.rows = stay
}

// reset empties a part and keeps its memory.
func (p *Part) reset(number int) {
	p.Number = number
	p.Trades.Reset()
	p.Refunds.Reset()
	p.Goods.Reset()
	p.Rebates.Reset()
	p.Claims.reset()
	p.Accounts.Reset()
	schema.Reset(&p.Settled)
	schema.Reset(&p.Returned)
	p.Again.reset()
}
