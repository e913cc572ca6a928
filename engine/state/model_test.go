package state_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/rules"
)

// A model is the state of a job, plainly: every look-up goes through every row.
type model map[int32]*modelDay

// A modelDay is what the run of a day left, in words of its own, and what it asked.
type modelDay struct {
	revision int
	words    *schema.Words
	settled  schema.Settled
	returned schema.Returned
	carried  *engine.Carried
	breaks   []state.Break
	closed   []state.Break

	parts       int
	tradeParts  []int // by row
	refundParts []int
	wantedParts []int
	previous    *modelDay // the revision that it replaced
	amends      []bool    // the parts that it replaced of it; nil: all

	wanted    schema.Wanted
	asked     []string // the answers
	carryFrom int32
	carryIn   string
	seen      []int32 // first seen, of breaks
	subjects  []string
	open      string
}

func (m model) before(date int32) []int32 {
	var dates []int32
	for d := range m {
		if d < date {
			dates = append(dates, d)
		}
	}
	slices.Sort(dates)
	return dates
}

func refOf(merchant string, no, trade []byte) string {
	if len(trade) > 0 {
		return "trade " + string(trade)
	}
	return "key " + merchant + " " + string(no)
}

// find answers what is wanted, an answer for each row: the trade and its refunds in
// words, "" for none.
func (m model) find(date int32, wanted *schema.Wanted, words *schema.Words) []string {
	answers := make([]string, wanted.Len())
	texts := words.Texts()
	for i := range answers {
		trade, no, merchant := wanted.TradeNo.At(i), wanted.OutTradeNo.At(i), texts[wanted.Merchant[i]]
		day, row := m.trade(date, func(d *modelDay, row int) bool {
			return len(trade) > 0 && bytes.Equal(d.settled.TradeNo.At(row), trade)
		})
		if day < 0 && len(no) > 0 {
			merchants := map[string]bool{}
			day, row = m.trade(date, func(d *modelDay, row int) bool {
				of := d.words.Texts()[d.settled.Merchant[row]]
				is := bytes.Equal(d.settled.OutTradeNo.At(row), no) && (merchant == "" || of == merchant)
				if is {
					merchants[of] = true
				}
				return is
			})
			if len(merchants) > 1 {
				day = -1
			}
		}
		if day >= 0 {
			d := m[day]
			trade, no, merchant = d.settled.TradeNo.At(row), d.settled.OutTradeNo.At(row), d.words.Texts()[d.settled.Merchant[row]]
			answers[i] = describe(&d.settled, row, d.words, "day", state.DateText(day), "query", "ref")
		}
		answers[i] += m.refunds(date, merchant, no, trade)
	}
	return answers
}

func (m model) trade(date int32, is func(d *modelDay, row int) bool) (day int32, at int) {
	day = -1
	best := 0
	for _, earlier := range m.before(date) {
		d := m[earlier]
		for row := range d.settled.Len() {
			if rules.Status(d.settled.Status[row]) == rules.StatusDuplicate || !is(d, row) {
				continue
			}
			rank := 1
			if d.settled.PosAmount[row] != schema.Null {
				rank++
			}
			if rules.Status(d.settled.Status[row]) != rules.StatusExcluded {
				rank += 2
			}
			if rank > best || rank == best && (earlier > day || d.order(row, at) < 0) {
				day, at, best = earlier, row, rank
			}
		}
	}
	return day, at
}

// order is that of two trades of a day that are worth the same.
func (d *modelDay) order(i, j int) int {
	s, texts := &d.settled, d.words.Texts()
	ref := func(i int) string { return refOfState(texts[s.Merchant[i]], s.OutTradeNo.At(i), s.TradeNo.At(i)) }
	return cmp.Or(
		cmp.Compare(ref(i), ref(j)),
		bytes.Compare(s.OutTradeNo.At(i), s.OutTradeNo.At(j)),
		cmp.Compare(s.Status[i], s.Status[j]),
		cmp.Compare(s.BillTime[i], s.BillTime[j]),
		cmp.Compare(s.OrderTime[i], s.OrderTime[j]),
		cmp.Compare(s.BillAmount[i], s.BillAmount[j]),
		cmp.Compare(s.PosAmount[i], s.PosAmount[j]),
		cmp.Compare(s.Reason[i], s.Reason[j]),
		cmp.Compare(texts[s.Merchant[i]], texts[s.Merchant[j]]),
	)
}

// refunds are those of a trade, in words.
func (m model) refunds(date int32, merchant string, no, trade []byte) string {
	var all []refundText
	for _, earlier := range m.before(date) {
		d := m[earlier]
		for row := range d.returned.Len() {
			if rules.Status(d.returned.Status[row]) == rules.StatusDuplicate {
				continue
			}
			of, t := d.returned.Of[row], d.returned.TradeNo.At(row)
			same := len(trade) > 0 && bytes.Equal(t, trade)
			if of >= 0 {
				s := &d.settled
				same = same || refOf(d.words.Texts()[s.Merchant[of]], s.OutTradeNo.At(int(of)), s.TradeNo.At(int(of))) == refOf(merchant, no, trade)
			}
			if r := d.returned.Ref.At(row); len(r) > 0 && of < 0 {
				same = same || string(r) == refOfState(merchant, no, trade)
			}
			if len(t) == 0 || len(trade) == 0 {
				same = same || len(no) > 0 && bytes.Equal(d.returned.OutTradeNo.At(row), no) && d.words.Texts()[d.returned.Merchant[row]] == merchant
			}
			if same {
				all = append(all, refundText{
					d.returned.Time[row], string(d.returned.RequestNo.At(row)),
					describe(&d.returned, row, d.words, "day", state.DateText(earlier), "of", "ref"),
				})
			}
		}
	}
	return refundTexts(all)
}

// refOfState is the ref that the state gives a trade.
func refOfState(merchant string, no, trade []byte) string {
	if len(trade) > 0 {
		return "\x01" + string(trade)
	}
	return fmt.Sprintf("\x02%c%s%s", len(merchant), merchant, no)
}

// describe says what a row says: all columns, words as text, day as given, without
// some.
func describe(rows schema.Rows, row int, words *schema.Words, day, is string, without ...string) string {
	var b strings.Builder
	for _, f := range schema.Fields(rows) {
		var v any
		switch data := f.Data.(type) {
		case *[]int64:
			v = (*data)[row]
		case *[]int32:
			if f.Name == day {
				v = is
				break
			}
			if row < len(*data) {
				v = (*data)[row]
			}
		case *[]uint32:
			v = words.Texts()[(*data)[row]]
		case *[]uint8:
			v = (*data)[row]
		case *schema.Text:
			if row < data.Len() {
				v = string(data.At(row))
			}
		}
		if !slices.Contains(without, f.Name) {
			fmt.Fprintf(&b, "%s=%q ", f.Name, fmt.Sprint(v))
		}
	}
	return b.String()
}

// found are the answers that a History gave, in the form of the model's. Refunds of
// one time and number may come in any order.
func found(wanted *schema.Wanted, settled *schema.Settled, returned *schema.Returned, words *schema.Words) []string {
	answers := make([]string, wanted.Len())
	refunds := make([][]refundText, settled.Len())
	for i := range returned.Len() {
		of := returned.Of[i]
		refunds[of] = append(refunds[of], refundText{
			returned.Time[i], string(returned.RequestNo.At(i)),
			describe(returned, i, words, "day", state.DateText(returned.Day[i]), "of", "ref"),
		})
	}
	for i := range settled.Len() {
		q := settled.Query[i]
		if answers[q] != "" {
			answers[q] = "twice: " + answers[q]
		}
		if settled.Status[i] != 0 {
			answers[q] += describe(settled, i, words, "day", state.DateText(settled.Day[i]), "query", "ref")
		}
		if !slices.IsSortedFunc(refunds[i], refundText.byTime) {
			answers[q] += "not sorted:"
		}
		answers[q] += refundTexts(refunds[i])
	}
	return answers
}

type refundText struct {
	time int64
	no   string
	text string
}

func (r refundText) byTime(o refundText) int {
	return cmp.Or(cmp.Compare(r.time, o.time), strings.Compare(r.no, o.no))
}

func refundTexts(all []refundText) string {
	slices.SortFunc(all, func(a, b refundText) int { return cmp.Or(a.byTime(b), strings.Compare(a.text, b.text)) })
	var b strings.Builder
	for _, r := range all {
		b.WriteString("\n\t" + r.text)
	}
	return b.String()
}

// A source of random rows draws from few numbers, so that they meet.
type source struct{ *rand.Rand }

func (r source) pick(of ...string) string { return of[r.IntN(len(of))] }

func (r source) number() string {
	return r.pick("", "A1", "A2", "20261101000001", "单号7", strings.Repeat("7", 64), "x\x00y", fmt.Sprint("P", r.IntN(40)))
}

func (r source) tradeNo(date int32) string {
	day := strings.ReplaceAll(state.DateText(date-int32(r.IntN(4))), "-", "")
	return r.pick("", fmt.Sprintf("%s2200%012d", day, r.IntN(12)), fmt.Sprintf("%s2200%012d", day, r.IntN(12)), "T"+fmt.Sprint(r.IntN(5)), "x", "x\x00", strings.Repeat("3", 64))
}

func (r source) merchant() string {
	return r.pick("2088000000000001", "2088000000000002", "", "商户")
}

func (r source) amount() int64 {
	switch r.IntN(6) {
	case 0:
		return schema.Null
	case 1:
		return []int64{0, -1, 1<<59 - 1, 1 - 1<<59}[r.IntN(4)]
	}
	return r.Int64N(100_000)
}

func (r source) status() uint8 {
	all := []rules.Status{
		rules.StatusDuplicate, rules.StatusExcluded, rules.StatusStatusMismatch, rules.StatusAmountMismatch,
		rules.StatusMatched, rules.StatusMatched, rules.StatusMatched, rules.StatusBillOnly, rules.StatusPOSOnly,
	}
	return uint8(all[r.IntN(len(all))])
}

// day draws what a run leaves, in parts.
func (r source) day(date int32, rows int) *modelDay {
	d := &modelDay{words: schema.NewWords()}
	w := func(text string) uint32 { return d.words.Code(text) }
	for range r.IntN(5) {
		w(fmt.Sprint("words come in any order ", r.IntN(100)))
	}
	used := map[string]bool{}
	s := &d.settled
	for range rows {
		trade, no, merchant, status, pos := r.tradeNo(date), r.number(), r.merchant(), r.status(), r.amount()
		if status != uint8(rules.StatusDuplicate) {
			key := refOf(merchant, []byte(no), []byte(trade))
			number := "number " + merchant + " " + no
			if (used[key] || used[number]) && r.IntN(4) > 0 {
				continue
			}
			used[key], used[number] = true, true
		}
		s.Merchant = append(s.Merchant, w(merchant))
		s.BillMerchant = append(s.BillMerchant, w(r.pick(merchant, merchant, "", "另一商户")))
		s.OutTradeNo.AppendString(no)
		s.TradeNo.AppendString(trade)
		s.Status = append(s.Status, status)
		s.Reason = append(s.Reason, uint8(r.IntN(5)))
		s.PosAmount = append(s.PosAmount, pos)
		fill(r, d.words, s, len(s.Status))
	}
	t := &d.returned
	for range rows / 4 {
		of := int32(r.IntN(max(s.Len(), 1))) - int32(r.IntN(2))*1000
		if of < 0 || s.Len() == 0 {
			of = -1
		}
		merchant, no, trade := r.merchant(), r.number(), r.tradeNo(date)
		t.Of = append(t.Of, of)
		ref := ""
		if of < 0 && r.IntN(2) == 0 {
			ref = refOfState(r.merchant(), []byte(r.number()), []byte(r.tradeNo(date)))
		}
		t.Ref.AppendString(ref)
		t.Merchant = append(t.Merchant, w(merchant))
		t.OutTradeNo.AppendString(no)
		t.TradeNo.AppendString(trade)
		t.RequestNo.AppendString(fmt.Sprint("R", r.IntN(1000)))
		t.Status = append(t.Status, r.status())
		t.Counts = append(t.Counts, uint8(r.IntN(2)))
		fill(r, d.words, t, len(t.Status))
	}
	d.parts = 1 + r.IntN(9)
	for range s.Len() {
		d.tradeParts = append(d.tradeParts, r.IntN(d.parts))
	}
	for _, of := range t.Of {
		p := r.IntN(d.parts)
		if of >= 0 {
			p = d.tradeParts[of]
		}
		d.refundParts = append(d.refundParts, p)
	}
	d.carried = r.carried(date, d.words)
	for range r.IntN(6) {
		id := r.IntN(20)
		if slices.ContainsFunc(d.breaks, func(b state.Break) bool { return b.ID == fmt.Sprint("b", id) }) {
			continue
		}
		d.breaks = append(d.breaks, state.Break{
			ID: fmt.Sprint("b", id), Code: "bill_only", Subject: fmt.Sprint("S", id%6), Merchant: r.merchant(),
			OutTradeNo: r.number(), Amount: r.Int64N(1e6), Micro: r.IntN(2) == 0,
		})
	}
	return d
}

// fill gives the columns that are still empty values, up to rows.
func fill(r source, words *schema.Words, table schema.Rows, rows int) {
	for _, f := range schema.Fields(table) {
		switch f.Name {
		case "query", "day", "of", "ref":
			continue
		}
		switch data := f.Data.(type) {
		case *[]int64:
			for len(*data) < rows {
				*data = append(*data, r.amount())
			}
		case *[]int32:
			for len(*data) < rows {
				*data = append(*data, int32(r.IntN(13)))
			}
		case *[]uint32:
			for len(*data) < rows {
				*data = append(*data, words.Code(r.pick("", "门店1", "till", fmt.Sprint("w", r.IntN(50)))))
			}
		case *[]uint8:
			for len(*data) < rows {
				*data = append(*data, uint8(r.IntN(4)))
			}
		case *schema.Text:
			for data.Len() < rows {
				data.AppendString(r.number())
			}
		}
	}
}

// carried draws carried rows, or none.
func (r source) carried(date int32, words *schema.Words) *engine.Carried {
	if r.IntN(3) == 0 {
		return nil
	}
	c := &engine.Carried{Tables: []*schema.Table{
		{
			Path: "pos/20.csv", Kind: schema.PosOrders, Format: "pos_orders", SHA256: "aa", Bytes: 12,
			From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
		},
		{
			Path: "bill.zip", Member: "账单.csv", Kind: schema.AlipayBill, Format: "trade_bill", Dialect: "V25", Account: "2088000000000001",
			FeesAllZero: true, From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null,
		},
	}}
	for _, t := range []struct {
		rows  schema.Rows
		since *[]int32
	}{{&c.Bills, &c.BillSince}, {&c.Orders, &c.OrderSince}, {&c.Lines, nil}, {&c.Refunds, &c.RefundSince}, {&c.RefundLines, nil}} {
		n := r.IntN(4)
		fill(r, words, t.rows, n)
		for range n {
			if t.since != nil {
				*t.since = append(*t.since, date-int32(r.IntN(3)))
			}
		}
	}
	if c.Bills.Len()+c.Orders.Len()+c.Refunds.Len() == 0 {
		return nil
	}
	return c
}

// describeCarried says what carried rows say.
func describeCarried(c *engine.Carried, words *schema.Words) string {
	if c == nil {
		return "nothing"
	}
	var b strings.Builder
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "%+v\n", *t)
	}
	for _, rows := range []schema.Rows{&c.Bills, &c.Orders, &c.Lines, &c.Refunds, &c.RefundLines} {
		for i := range rows.Len() {
			fmt.Fprintf(&b, "%T %s\n", rows, describe(rows, i, words, "", ""))
		}
	}
	fmt.Fprintln(&b, c.BillSince, c.OrderSince, c.RefundSince)
	return b.String()
}

// carriedTo are what the latest day before one left open.
func (m model) carriedTo(date int32) (from int32, text string) {
	days := m.before(date)
	if len(days) == 0 {
		return state.NoDate, "nothing"
	}
	d := m[days[len(days)-1]]
	return days[len(days)-1], describeCarried(d.carried, d.words)
}

// firstSeen is the earliest day before one on which a break was reported.
func (m model) firstSeen(date int32, id string) int32 {
	for _, d := range m.before(date) {
		for _, b := range m[d].breaks {
			if b.ID == id {
				return d
			}
		}
	}
	return state.NoDate
}

// open says which breaks about the subjects are open before a day.
func (m model) open(date int32, subjects []string) string {
	ids := map[string]state.Break{}
	for _, day := range m.before(date) {
		for _, b := range m[day].breaks {
			if slices.Contains(subjects, b.Subject) {
				b.Day = day
				ids[b.ID] = b
			} else if old, ok := ids[b.ID]; ok { // reported again, about something else
				old.Day = day
				ids[b.ID] = old
			}
		}
		for _, b := range m[day].closed {
			delete(ids, b.ID)
		}
	}
	var open []state.Break
	for id, b := range ids {
		b.FirstSeen = m.firstSeen(date, id)
		open = append(open, b)
	}
	slices.SortFunc(open, func(a, b state.Break) int { return strings.Compare(a.ID, b.ID) })
	return fmt.Sprint(open)
}

// stale are the days after one that would be told something else now.
func (m model) stale(date int32) []int32 {
	var later []int32
	for d, day := range m {
		if d <= date {
			continue
		}
		from, carry := m.carriedTo(d)
		var seen []int32
		for _, b := range day.breaks {
			seen = append(seen, m.firstSeen(d, b.ID))
		}
		if from != day.carryFrom || carry != day.carryIn || !slices.Equal(m.find(d, &day.wanted, day.words), day.asked) ||
			!reflect.DeepEqual(seen, day.seen) || m.open(d, day.subjects) != day.open {
			later = append(later, d)
		}
	}
	slices.Sort(later)
	return later
}
