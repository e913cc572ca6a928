package engine

import (
	"context"
	"maps"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A statement may cover days whose bills earlier runs had (rules 6): what it does not
// list of their trades is missing, and a row that pays a merchant's trades in one sum,
// or a group that is rounded once, is of all of them. These trades come from a scan of
// the history, which passes through the store like today's rows: each waits, packed,
// for the partition of its out_trade_no, and stands in the index of trade_nos, so that
// statement rows find it. No other day costs anything.
//
// A trade is judged for being listed by the first run of its day or a later one whose
// statements cover it; a later one judges it again only if it lists it, or together
// with all of its group. So a statement of the day's trades every night, or one of
// corrections, has no days scanned that the run of an earlier one has judged.
//
// A partition passes over its earlier trades some at a time. One whose numbers no row
// of today has is audited there and then. The others become what a look-up would
// have found: a statement row takes its trade without one. Of all of them the group
// counts; what is neither paid nor missing, its own day has said.

// scanDays are the days of the periods that statements cover, sorted.
func (p *plan) scanDays() []int32 {
	if p.job.History == nil || !p.audit {
		return nil
	}
	days := map[int32]bool{}
	for key := range p.coverage {
		if key.product != p.faceToFace && key.product != p.huabei {
			continue // audited for trades that a row names
		}
		from, to, ok := periodDays(p.text(key.period))
		before, judged := p.before[[3]uint32{key.provider, key.product, key.period}]
		if judged && !key.aggregated && !p.perPeriod[[2]uint32{key.provider, key.product}] {
			ok = ok && before < p.job.Date-1 // else no run lies between
			from = max(from, before+1)
		}
		for day := from; ok && day <= to; day++ {
			days[day] = true
		}
	}
	return slices.Sorted(maps.Keys(days))
}

// scan brings the trades of earlier days that statements cover to their partitions.
func (d *driver) scan(ctx context.Context) error {
	days := d.plan.scanDays()
	if len(days) == 0 {
		return nil
	}
	w := newWorker(d.plan)
	var rows, refunds []int32
	err := d.plan.job.History.Scan(ctx, days, func(h *schema.Settled, r *schema.Returned) error {
		rows, refunds = rows[:0], refunds[:0]
		w.past, *h = *h, w.past // to be judged like what a look-up found
		first := int32(0)
		for row, n := range w.past.Query {
			if w.coveredEarlier(int32(row)) {
				rows = append(rows, int32(row))
				refunds = appendRange(refunds, first, first+n)
			}
			first += n
		}
		w.past, *h = *h, w.past
		return d.store.addEarlier(h, r, rows, refunds)
	})
	d.plan.texts = d.plan.words.Texts()
	return err
}

func appendRange(to []int32, from, end int32) []int32 {
	for ; from < end; from++ {
		to = append(to, from)
	}
	return to
}

// coveredEarlier: a statement covers the trade, a row of w.past, for a product that it
// is audited for.
func (w *worker) coveredEarlier(row int32) bool {
	if !w.pastTrade(row) || rules.Status(w.past.Status[row]) == rules.StatusExcluded || w.past.BillAmount[row] == schema.Null {
		return false
	}
	u := unit{order: -1, bill: -1, past: row}
	s := w.saleOf(&u)
	for _, product := range [...]uint32{w.p.faceToFace, w.p.huabei} {
		if !w.p.inScope[product] || product == w.p.huabei && !w.instalments(&u) {
			continue
		}
		if j := w.judge(s.judgedFor(product)); j.together || j.covered && !w.judgedBefore(&u, &j, s.time) {
			return true
		}
	}
	return false
}

// judgedBefore: an earlier run judged whether its statements, which covered the trade
// too, list it. It was a run of the trade's day or a later one, or had the trade.
func (w *worker) judgedBefore(u *unit, j *judgement, t int64) bool {
	if j.before == NoDate {
		return false
	}
	if dayOf(t) <= j.before {
		return true
	}
	if w.isPast(u) {
		return w.past.Day[u.past] <= j.before
	}
	table := w.p.tables[w.rows.Bills.Table[u.bill]]
	return table.Carried() && table.Since <= j.before
}

// addEarlier takes rows of what a scan handed out, and their refunds.
func (s *Store) addEarlier(h *schema.Settled, r *schema.Returned, rows, refunds []int32) error {
	var picked schema.Settled
	var back schema.Returned
	schema.Append(&picked, h, rows)
	schema.Append(&back, r, refunds)
	for _, amount := range picked.BillAmount {
		s.scanned.add(amount)
	}
	return s.placeEarlier(&picked, &back)
}

// placeEarlier sends trades of earlier days to their partitions.
func (s *Store) placeEarlier(h *schema.Settled, r *schema.Returned) error {
	if h.Len() == 0 {
		return nil
	}
	d := spreads.Get().(*spread)
	defer spreads.Put(d)
	d.part, d.hashes, d.flags = d.part[:0], d.hashes[:0], d.flags[:0]
	groups, flags := s.groups(), uint64(saleBit)
	if s.grouped {
		flags |= sureBit
	}
	for i := range h.Len() {
		hash := s.hash(h.TradeNo.At(i))
		d.hashes, d.flags = append(d.hashes, hash), append(d.flags, flags)
		if no := h.OutTradeNo.At(i); len(no) > 0 {
			hash = s.hash(no)
		}
		d.part = append(d.part, s.partOf(groups.of(h.Merchant[i]), hash))
	}
	if err := s.earlier.add(d.part, func(to *Rows) {
		schema.AppendAll(&to.Earlier, h)
		schema.AppendAll(&to.EarlierRefunds, r)
	}); err != nil {
		return err
	}
	return s.indexTrades(d, &h.TradeNo, nil)
}

// A stream hands out earlier trades of a partition some at a time, in the order of the
// scan; Query says how many of the refunds are a trade's. It lends both.
type stream func(each func(*schema.Settled, *schema.Returned)) error

// earlierRows is the stream of a partition.
func (s *Store) earlierRows(p int, room *Rows) stream {
	if len(s.earlier.segments) == 0 {
		return nil
	}
	return func(each func(*schema.Settled, *schema.Returned)) error {
		return s.earlier.each(p, room, func() { each(&room.Earlier, &room.EarlierRefunds) })
	}
}

// links are the keys and trades of today that the earlier trades of the partition have,
// -1 for none. What one that is contested has, leaves.
func (w *worker) links(contested map[uint64]bool, keyLeaves, tradeLeaves []bool) (links [2][]int32, err error) {
	if w.earlier == nil {
		return links, nil
	}
	l := leaving{contested: contested, hash: w.p.hash}
	err = w.earlier(func(h *schema.Settled, _ *schema.Returned) {
		for row := range h.Len() {
			key, trade := w.todays(h, row)
			if l.has(h.OutTradeNo.At(row), h.TradeNo.At(row)) {
				if key >= 0 {
					keyLeaves[key] = true
				}
				if trade >= 0 {
					tradeLeaves[trade] = true
				}
			}
			links[0], links[1] = append(links[0], key), append(links[1], trade)
		}
	})
	return links, err
}

// todays are the key and the trade of today's rows that an earlier trade has.
func (w *worker) todays(h *schema.Settled, row int) (key, trade int32) {
	key, trade = -1, -1
	if no := h.OutTradeNo.At(row); len(no) > 0 {
		key = w.keys.find(w.p.hash(no), no)
	}
	if no := h.TradeNo.At(row); len(no) > 0 {
		trade = w.trades.find(w.p.hash(no), no)
	}
	return key, trade
}

// A met trade of an earlier day has a number that a row of today has. w.metRows are
// those of the partition, with the refunds that count for their rebates.
type metTrades struct {
	rows    schema.Settled
	refunds schema.Returned
	byTrade []int32 // by trade of today's: its row, or -1
	base    int32   // of rows in w.past
	paid    []metPaid
	units   []int32 // that are audited without a statement row
	picked  []int32
	backs   []int32
}

// A metPaid is a statement row that names the trade_no of a met trade.
type metPaid struct{ statement, row int32 }

// passEarlier passes over the earlier trades of the partition: those that no row of
// today has to do with are audited, those of a contested trade leave, the others are
// met.
func (w *worker) passEarlier() error {
	m := &w.met
	schema.Reset(&m.rows)
	schema.Reset(&m.refunds)
	m.paid, m.units = m.paid[:0], m.units[:0]
	if w.earlier == nil {
		return nil
	}
	m.byTrade = fill(m.byTrade, w.trades.len(), -1)
	return w.earlier(func(h *schema.Settled, r *schema.Returned) {
		var met, metBacks, left, leftBacks []int32
		met, metBacks = m.picked[:0], m.backs[:0]
		w.past, *h = *h, w.past
		w.pastRefunds, *r = *r, w.pastRefunds
		w.countedReturns()
		first := int32(0)
		for row, n := range w.past.Query {
			key, trade := w.todays(&w.past, row)
			switch {
			case w.left != nil && w.left.has(w.past.OutTradeNo.At(row), w.past.TradeNo.At(row)):
				left, leftBacks = append(left, int32(row)), appendRange(leftBacks, first, first+n)
			case key >= 0 || trade >= 0:
				if trade >= 0 {
					m.byTrade[trade] = int32(m.rows.Len() + len(met))
				}
				met, metBacks = append(met, int32(row)), appendRange(metBacks, first, first+n)
			default:
				w.auditEarlier(int32(row))
			}
			first += n
		}
		w.past, *h = *h, w.past
		w.pastRefunds, *r = *r, w.pastRefunds
		schema.Append(&m.rows, h, met)
		schema.Append(&m.refunds, r, metBacks)
		if len(left) > 0 {
			schema.Append(&w.left.to.Earlier, h, left)
			schema.Append(&w.left.to.EarlierRefunds, r, leftBacks)
		}
		m.picked, m.backs = met, metBacks
	})
}

// countedReturns indexes w.pastRefunds, which stand in the order of the trades in
// w.past.
func (w *worker) countedReturns() {
	k := 0
	for row, n := range w.past.Query {
		for range n {
			w.pastRefunds.Of[k] = int32(row)
			k++
		}
	}
	w.indexReturns()
}

// auditEarlier audits a row of w.past that no row of today has to do with.
func (w *worker) auditEarlier(row int32) {
	h, out := &w.past, &w.part
	w.totals.earlier.add(h.BillAmount[row])
	w.single = unit{
		order: -1, bill: -1, key: -1, past: row, merchant: h.Merchant[row], firstRefund: -1, lastRefund: -1,
		status: rules.Status(h.Status[row]), reason: rules.Reason(h.Reason[row]),
	}
	u := &w.single
	w.post = w.posts.number(w.postKeyOf(u))
	w.paidRows, w.cleared = w.paidRows[:0], false
	said := out.Rebates.Len()
	w.auditTrade(u, out)
	if w.cleared || out.Rebates.Len() > said {
		out.Again.add(u.merchant, w.numberOf(u), w.tradeNo(u), nil, AuditAlone)
	}
}

// joinMet puts the met trades behind those that were looked up.
func (w *worker) joinMet() {
	m := &w.met
	m.base = int32(w.past.Len())
	if m.rows.Len() == 0 {
		return
	}
	base := w.pastRefunds.Len()
	schema.AppendAll(&w.past, &m.rows)
	schema.AppendAll(&w.pastRefunds, &m.refunds)
	k := base
	for row, n := range m.rows.Query {
		for range n {
			w.pastRefunds.Of[k] = m.base + int32(row)
			k++
		}
	}
}

// metUnits makes units of the met trades that no trade of today's is: the same again,
// which an open end of pairsAgain lets through.
func (w *worker) metUnits() {
	m := &w.met
	for row := range m.rows.Len() {
		w.totals.earlier.add(m.rows.BillAmount[row])
		_, trade := w.todays(&m.rows, row)
		if trade >= 0 && w.paidToday(trade) {
			continue
		}
		u := w.unitOfPast(m.base + int32(row))
		if !w.paysPast(u) {
			m.units = append(m.units, u)
		}
	}
}

// paidToday: a payment of today's that no earlier day had has the trade_no.
func (w *worker) paidToday(trade int32) bool {
	for _, payment := range w.paymentsByTrade.of(trade) {
		use := &w.billUse[payment]
		if use.unit >= 0 && use.first < 0 && !w.units[use.unit].again {
			return true
		}
	}
	return false
}

// A leaving is what leaves a partition: trades of earlier days leave with it.
type leaving struct {
	contested    map[uint64]bool
	hash         func([]byte) uint64
	keys, trades map[string]bool
	to           *Rows
}

// textsOf are the keys of the groups that leave.
func textsOf(g *groups, leaves []bool) map[string]bool {
	texts := map[string]bool{}
	for group, goes := range leaves {
		if goes {
			texts[string(g.key(int32(group)))] = true
		}
	}
	return texts
}

func (l *leaving) has(no, trade []byte) bool {
	return len(no) > 0 && (l.keys[string(no)] || l.contested[l.hash(no)&^partBits]) ||
		len(trade) > 0 && (l.trades[string(trade)] || l.contested[l.hash(trade)&^partBits])
}
