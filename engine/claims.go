package engine

import (
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// EvidenceRole says what an input row shows about a claim.
type EvidenceRole uint8

// The roles.
const (
	EvidenceBill      EvidenceRole = iota + 1 // the payment
	EvidenceRefund                            // a refund that lessens the basis
	EvidencePOS                               // the PID that was sent
	EvidenceStatement                         // what was paid
)

// Claims are the rows of Part.Rebates that claim packs are made of, each with the
// input rows that it was computed from. Beside the claimable rows there are those
// that are computed together with them: all of a group that an aggregated statement
// row pays, or that is rounded once. Whether their group has a claim is known at the
// end of the run.
type Claims struct {
	Row       []int32  // in Part.Rebates
	Provider  []uint32 // word: of the group; its merchant, product and period are the row's
	Agreement []int32  // number in the registry's agreements; -1 for none
	End       []int32  // end of the row's evidence; it begins where that of the row before ends
	Evidence  Evidence
}

// Evidence are input rows, with the columns that rebates are computed from. What a
// role does not use is blank or Null.
type Evidence struct {
	Role                            []uint8
	Place                           schema.Place
	TradeNo, OutTradeNo, RequestNo  schema.Text
	Time                            []int64  // 完成时间
	Amount, Received, Red, Discount []int64  // of bill rows: what the agreement's basis is made of
	Rebate, Adjustment              []int64  // of statement rows, millionths
	Provider, Period                []uint32 // words, of statement rows
}

// Len is the number of rows.
func (c *Claims) Len() int { return len(c.Row) }

func (c *Claims) reset() {
	c.Row, c.Provider, c.Agreement, c.End = c.Row[:0], c.Provider[:0], c.Agreement[:0], c.End[:0]
	e := &c.Evidence
	e.Role = e.Role[:0]
	e.Place.Table, e.Place.Line = e.Place.Table[:0], e.Place.Line[:0]
	for _, t := range []*schema.Text{&e.TradeNo, &e.OutTradeNo, &e.RequestNo} {
		t.Offsets, t.Data = t.Offsets[:0], t.Data[:0]
	}
	for _, v := range []*[]int64{&e.Time, &e.Amount, &e.Received, &e.Red, &e.Discount, &e.Rebate, &e.Adjustment} {
		*v = (*v)[:0]
	}
	e.Provider, e.Period = e.Provider[:0], e.Period[:0]
}

// An AggregatedRow is a statement row that pays a group in one sum.
type AggregatedRow struct {
	Table, Line        int32
	Rebate, Adjustment int64 // millionths
}

// claims reports whether the row is claimable, or is computed together with rows
// that may be.
//
// What is computed of rows of earlier days no pack can show.
func (w *worker) claims(a *audited) bool {
	if w.ofEarlier(a.unit) {
		return false
	}
	if a.cause.Appeal() == rules.AppealClaimable {
		return true
	}
	if g := w.p.shares[a.group]; g != nil && !g.holds && a.covered && perPeriod(a.judgement) {
		return true
	}
	return w.p.aggregated && w.p.coverage[coverKey{
		provider: a.group.provider, product: a.group.product, period: a.group.period, aggregated: true, merchant: a.group.merchant,
	}] > 0
}

// ofEarlier: rows that the trade's rebate is computed from are in no input of today:
// an earlier day had them.
func (w *worker) ofEarlier(u *unit) bool {
	if int(w.p.places) == len(w.p.tables) && w.past.Len() == 0 { // nearly always
		return false
	}
	pos, bill := w.unitTables(u)
	if u.past >= 0 || w.p.carried(pos) || w.p.carried(bill) {
		return true
	}
	for i := u.firstRefund; i >= 0; i = w.refunds[i].next {
		if w.refundCarried(&w.refunds[i]) {
			return true
		}
	}
	return false
}

// emitClaim adds the row that emitRebate has just added, with its evidence.
func (w *worker) emitClaim(a *audited, out *Part) {
	c, s := &out.Claims, &w.rows.Statements
	c.Row = append(c.Row, int32(out.Rebates.Len()-1))
	c.Provider = append(c.Provider, a.group.provider)
	c.Agreement = append(c.Agreement, a.number)
	kind := basisKind(a.judgement)
	w.billEvidence(&c.Evidence, EvidenceBill, a.unit.bill, kind)
	w.eachRefund(a.unit, a.judgement, func(row int32) { w.billEvidence(&c.Evidence, EvidenceRefund, row, kind) })
	if in := &w.rows.Orders; a.run >= 0 {
		c.Evidence.add(EvidencePOS, in.Table[a.run], in.Line[a.run], in.TradeNo.At(int(a.run)), in.OutTradeNo.At(int(a.run)), nil)
	}
	for _, row := range w.paidRows {
		if s.Product[row] != a.product {
			continue
		}
		e := &c.Evidence
		i := e.add(EvidenceStatement, s.Table[row], s.Line[row], s.TradeNo.At(int(row)), s.OutTradeNo.At(int(row)), nil)
		e.Rebate[i], e.Adjustment[i] = s.Rebate[row], s.Adjustment[row]
		e.Provider[i], e.Period[i] = s.Provider[row], s.Period[row]
	}
	c.End = append(c.End, int32(len(c.Evidence.Role)))
}

func (w *worker) billEvidence(e *Evidence, role EvidenceRole, row int32, kind rules.Basis) {
	b := &w.rows.Bills
	i := e.add(role, b.Table[row], b.Line[row], b.TradeNo.At(int(row)), b.OutTradeNo.At(int(row)), b.RequestNo.At(int(row)))
	e.Time[i] = b.Time[row]
	switch kind {
	case rules.BasisOrderAmount:
		e.Amount[i] = b.Amount[row]
	case rules.BasisBuyerPaid:
		e.Received[i], e.Red[i], e.Discount[i] = b.Received[row], b.RedPacket[row], b.PlatformDiscount[row]
	case rules.BasisReceived:
		e.Received[i] = b.Received[row]
	}
}

// add adds a row whose amounts are not given, and gives its number.
func (e *Evidence) add(role EvidenceRole, table, line int32, tradeNo, outTradeNo, requestNo []byte) int {
	e.Role = append(e.Role, uint8(role))
	e.Place.Append(table, line)
	e.TradeNo.Append(tradeNo)
	e.OutTradeNo.Append(outTradeNo)
	e.RequestNo.Append(requestNo)
	for _, v := range [...]*[]int64{&e.Time, &e.Amount, &e.Received, &e.Red, &e.Discount, &e.Rebate, &e.Adjustment} {
		*v = append(*v, schema.Null)
	}
	e.Provider, e.Period = append(e.Provider, 0), append(e.Period, 0)
	return len(e.Role) - 1
}

// agreementNumber is the agreement's place in the registry, -1 for none.
func (p *plan) agreementNumber(a *rules.Agreement) int32 {
	if a == nil {
		return -1
	}
	return int32(slices.Index(p.job.Registry.Agreements, *a))
}
