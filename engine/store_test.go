package engine

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A madeDay is a small random day in columns, with all the ways in which rows
// can hang together across out_trade_nos.
type madeDay struct {
	words   *schema.Words
	batches []schema.Batch
	tables  []*schema.Table
	job     *Job
}

const (
	testDay = 20777 // 2026-11-20
	noon    = int64(testDay)*daySeconds + 43200
)

func makeDay(seed uint64, orders int) *madeDay {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := schema.NewWords()
	d := &madeDay{words: w}
	for _, path := range []string{"bills/a.csv", "bills/b.csv", "pos/a.csv", "pos/b.csv", "rebate/s.csv", "refunds/r.csv", "account/a.csv", "account/b.csv"} {
		kind := map[byte]schema.InputKind{'b': schema.AlipayBill, 'p': schema.PosOrders, 'a': schema.AlipayAccount}[path[0]]
		if path[0] == 'r' {
			kind = schema.Rebate
			if strings.HasPrefix(path, "refunds") {
				kind = schema.PosRefundsKind
			}
		}
		d.tables = append(d.tables, &schema.Table{Path: path, Kind: kind, Format: kind.String(), From: schema.Null, To: schema.Null, FirstTime: schema.Null, LastTime: schema.Null})
	}
	merchants := []uint32{w.Code("2088000000000001"), w.Code("2088000000000002")}
	stores := []uint32{w.Code("S1"), w.Code("S2"), 0}
	provider := []uint32{w.Code("2088900000000001"), w.Code("2088900000000002"), 0}
	goods := []uint32{w.Code("G1"), w.Code("G2"), w.Code("G3")}
	var b schema.Bills
	var o schema.Orders
	var l schema.Lines
	var r schema.PosRefunds
	var rl schema.RefundLines
	var s schema.Statements
	var a schema.Accounts
	trade := func(i int) string { return fmt.Sprintf("T%04d", i) }
	for i := range orders {
		m := merchants[rng.IntN(2)]
		amount := int64(rng.IntN(5000) + 1)
		no, tr := key(i), trade(i)
		if rng.IntN(10) == 0 { // a number or a trade of another order
			no = key(rng.IntN(orders))
		}
		if rng.IntN(10) == 0 {
			tr = trade(rng.IntN(orders))
		}
		store := stores[rng.IntN(3)]
		t := noon + int64(rng.IntN(40000))
		if rng.IntN(12) > 0 {
			for range 1 + rng.IntN(8)/7 {
				d.addBill(&b, schema.Payment, m, no, tr, "", amount, t, store, rng)
			}
			if rng.IntN(4) == 0 {
				d.addBill(&b, schema.Refund, m, no, tr, fmt.Sprintf("R%d", rng.IntN(3)), amount/2, t+60, store, rng)
			}
		}
		posNo, posTrade := no, tr
		if rng.IntN(8) == 0 {
			posNo = key(orders + i)
		}
		if rng.IntN(3) == 0 {
			posTrade = ""
		}
		if rng.IntN(12) > 0 {
			lines := int32(rng.IntN(3))
			appendOrder(&o, &l, int32(2+rng.IntN(2)), posNo, posTrade, m, store, provider[rng.IntN(3)], amount+int64(rng.IntN(20)/19), t-5, lines, goods, rng)
		}
		if rng.IntN(4) == 0 {
			appendRefund(&r, &rl, 5, posNo, m, fmt.Sprintf("R%d", rng.IntN(3)), amount/2, t+50)
		}
		if rng.IntN(2) == 0 {
			appendStatement(&s, w, 4, tr, no, m, provider[0], amount, rng)
		}
		if rng.IntN(8) > 0 {
			d.addAccount(&a, m, i, tr, no, amount, t, rng)
		}
	}
	d.batches = []schema.Batch{
		{Kind: schema.AlipayBill, Rows: schema.Record(&b)},
		{Kind: schema.PosOrders, Rows: schema.Record(&o), Lines: schema.Record(&l)},
		{Kind: schema.PosRefundsKind, Rows: schema.Record(&r), Lines: schema.Record(&rl)},
		{Kind: schema.Rebate, Rows: schema.Record(&s)},
		{Kind: schema.AlipayAccount, Rows: schema.Record(&a)},
	}
	counts := []int64{int64(b.Len()), 0, int64(l.Len()), 0, int64(s.Len()), int64(rl.Len()), int64(a.Len())}
	for i, n := range counts {
		d.tables[i].Rows = n
	}
	for i, code := range a.Reject {
		if code != 0 {
			d.tables[a.Table[i]].Rejected++
		}
	}
	for i, account := range map[int]string{0: "2088000000000001", 1: "2088000000000002", 6: "2088000000000001", 7: "2088000000000002"} {
		t := d.tables[i]
		t.Account, t.From, t.To, t.Linked = account, testDay*daySeconds, (testDay+1)*daySeconds, true
		t.Format = map[bool]string{true: "account_bill", false: "trade_bill"}[i > 1]
	}
	d.job = &Job{
		Date: testDay, CutoffWindow: 600, SuggestWindow: 600, Remainder: rules.LargestRemainder,
		Policy: rules.SmartStore(), RefundMode: rules.ModeProrated, FeeTolerance: 1, FeeOnRefund: FeeNone,
		Inputs: map[schema.InputKind]bool{
			schema.AlipayBill: true, schema.PosOrders: true, schema.PosRefundsKind: true,
			schema.Rebate: true, schema.AgreementsKind: true, schema.AlipayAccount: true,
		},
		Registry: &schema.Registry{
			Agreements: []rules.Agreement{{
				Provider: "2088900000000001", Product: faceToFace, Rate: 5500, Basis: rules.BasisReceived,
				From: 0, To: 1 << 30, Scale: 2, Rounding: rules.RoundTrade + rules.Rounding(seed%2),
			}},
		},
	}
	return d
}

// addAccount adds the account rows of an order: some of them twice, under other
// numbers or without one, or with a number of a third.
func (d *madeDay) addAccount(a *schema.Accounts, m uint32, i int, trade, no string, amount, t int64, rng *rand.Rand) {
	flow := fmt.Sprintf("F%05d", i)
	for range 1 + rng.IntN(6)/5 {
		row := [2]string{trade, no}
		switch rng.IntN(8) {
		case 0:
			row[0] = ""
		case 1:
			row[1] = ""
		case 2:
			row[0] = fmt.Sprintf("X%04d", rng.IntN(500))
		case 3:
			row[1] = key(rng.IntN(150))
		case 4:
			row = [2]string{}
		}
		a.Table = append(a.Table, int32(6+rng.IntN(2)))
		a.Line = append(a.Line, int32(a.Len()+5))
		a.Account = append(a.Account, m)
		a.Flow.AppendString(flow)
		a.TradeNo.AppendString(row[0])
		a.OutTradeNo.AppendString(row[1])
		a.Type = append(a.Type, d.words.Code([]string{"在线支付", "收费", "提现"}[rng.IntN(3)]))
		a.Time = append(a.Time, t)
		a.Reject = append(a.Reject, uint8(rng.IntN(8)/7)*uint8(rules.CodeTimeSyntax))
		a.Income = append(a.Income, amount*int64(rng.IntN(4)%2))
		a.Expense = append(a.Expense, int64(rng.IntN(5)))
		if rng.IntN(6) == 0 { // a number that another order's row has too
			flow = fmt.Sprintf("F%05d", rng.IntN(60))
		}
	}
}

func key(i int) string { return fmt.Sprintf("N%05d", i) }

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func (d *madeDay) addBill(b *schema.Bills, kind schema.RowKind, m uint32, no, trade, request string, amount, t int64, store uint32, rng *rand.Rand) {
	b.Table = append(b.Table, int32(rng.IntN(2)))
	b.Line = append(b.Line, int32(b.Len()+5))
	b.Kind = append(b.Kind, uint8(kind))
	b.Account = append(b.Account, m)
	b.TradeNo.AppendString(trade)
	b.OutTradeNo.AppendString(no)
	b.RequestNo.AppendString(request)
	b.Time = append(b.Time, t)
	b.Store = append(b.Store, store)
	b.Amount = append(b.Amount, amount)
	b.Received = append(b.Received, amount)
	for _, v := range []*[]int64{&b.Created, &b.RedPacket, &b.Points, &b.PlatformDiscount, &b.MerchantDiscount, &b.Voucher, &b.MerchantRed, &b.Card, &b.Fee, &b.Royalty} {
		*v = append(*v, 0)
	}
	for _, v := range []*[]uint32{&b.SubMerchant, &b.Merchant, &b.Terminal, &b.Operator, &b.CouponName} {
		*v = append(*v, 0)
	}
	b.Instalments = append(b.Instalments, 0)
	b.Flags = append(b.Flags, 0)
}

func appendOrder(o *schema.Orders, l *schema.Lines, table int32, no, trade string, m, store, provider uint32, total, t int64, lines int32, goods []uint32, rng *rand.Rand) {
	o.Table = append(o.Table, table)
	o.Line = append(o.Line, int32(l.Len()+2))
	o.Lines = append(o.Lines, lines+1)
	o.OutTradeNo.AppendString(no)
	o.TradeNo.AppendString(trade)
	o.Merchant = append(o.Merchant, m)
	o.Store = append(o.Store, store)
	o.ProviderPID = append(o.ProviderPID, provider)
	o.Time = append(o.Time, t)
	o.Total = append(o.Total, total)
	for _, v := range []*[]int64{&o.Undiscountable, &o.BuyerPaid, &o.RedPacket, &o.Allowance, &o.Coupon} {
		*v = append(*v, schema.Null)
	}
	for _, v := range []*[]uint32{&o.Terminal, &o.Operator, &o.Interface, &o.Channel, &o.CouponName, &o.Scene, &o.PayCodeTail, &o.Shift, &o.Conflict, &o.ConflictValue} {
		*v = append(*v, 0)
	}
	for _, v := range []*[]uint8{&o.Status, &o.Link, &o.PayCode, &o.Reject, &o.Excluded, &o.Flags} {
		*v = append(*v, 0)
	}
	for _, v := range []*[]int32{&o.RejectLine, &o.ConflictLine} {
		*v = append(*v, 0)
	}
	o.Instalments, o.Gap = append(o.Instalments, -1), append(o.Gap, 0)
	for range lines + 1 {
		l.Line = append(l.Line, int32(l.Len()+2))
		l.Goods = append(l.Goods, goods[rng.IntN(3)])
		l.Name = append(l.Name, 0)
		l.Quantity = append(l.Quantity, int64(rng.IntN(3)+1)*1_000_000)
		l.Price = append(l.Price, int64(rng.IntN(2000))*10_000)
		l.Flags = append(l.Flags, 0)
	}
}

func appendRefund(r *schema.PosRefunds, l *schema.RefundLines, table int32, no string, m uint32, request string, amount, t int64) {
	r.Table = append(r.Table, table)
	r.Line = append(r.Line, int32(l.Len()+2))
	r.Lines = append(r.Lines, 1)
	r.OutTradeNo.AppendString(no)
	r.TradeNo.AppendString("")
	r.RequestNo.AppendString(request)
	r.Merchant = append(r.Merchant, m)
	r.Store = append(r.Store, 0)
	r.Time = append(r.Time, t)
	r.Amount = append(r.Amount, amount)
	r.Mode = append(r.Mode, 0)
	r.Undone = append(r.Undone, 0)
	r.Reject = append(r.Reject, 0)
	r.RejectLine = append(r.RejectLine, 0)
	r.Conflict = append(r.Conflict, 0)
	r.ConflictLine = append(r.ConflictLine, 0)
	r.ConflictValue = append(r.ConflictValue, 0)
	l.Line = append(l.Line, int32(l.Len()+2))
	l.Goods = append(l.Goods, 0)
	l.Quantity = append(l.Quantity, schema.Null)
	l.Flags = append(l.Flags, schema.LineNoGoods)
}

func appendStatement(s *schema.Statements, w *schema.Words, table int32, trade, no string, m, provider uint32, amount int64, rng *rand.Rand) {
	s.Table = append(s.Table, table)
	s.Line = append(s.Line, int32(s.Len()+2))
	s.Period = append(s.Period, w.Code("2026-11"))
	s.Provider = append(s.Provider, provider)
	s.Merchant = append(s.Merchant, m)
	s.Product = append(s.Product, w.Code(faceToFace))
	if rng.IntN(3) == 0 {
		trade = ""
	} else if rng.IntN(3) == 0 {
		no = ""
	}
	s.TradeNo.AppendString(trade)
	s.OutTradeNo.AppendString(no)
	s.Time = append(s.Time, schema.Null)
	s.TradeAmount = append(s.TradeAmount, schema.Null)
	s.TradeCount = append(s.TradeCount, schema.Null)
	s.Rate = append(s.Rate, schema.Null)
	s.Rebate = append(s.Rebate, int64(rules.MulRate(rules.Fen(amount), 5500))*microPerFen)
	s.Adjustment = append(s.Adjustment, 0)
}

// textSink keeps every result row as text.
type textSink struct {
	mu     sync.Mutex
	words  *schema.Words
	rows   map[string][]string
	tables []*schema.Table // given: their paths are shown, not their numbers
}

func (s *textSink) Begin(int) error { s.rows = map[string][]string{}; return nil }

func (s *textSink) Part(_ context.Context, p *Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	add := func(name string, columns []schema.Column, n int) {
		texts := s.words.Texts()
		for i := range n {
			var line strings.Builder
			for _, c := range columns {
				switch {
				case c.Text != nil:
					line.Write(c.Text.At(i))
				case c.Words != nil:
					line.WriteString(texts[c.Words[i]])
				case c.Ints != nil:
					fmt.Fprint(&line, c.Ints[i])
				case c.Bytes != nil:
					fmt.Fprint(&line, c.Bytes[i])
				case s.tables != nil && c.Tables[i] >= 0:
					fmt.Fprint(&line, s.tables[c.Tables[i]].Path, ":", c.Lines[i])
				default:
					fmt.Fprint(&line, c.Tables[i], ":", c.Lines[i])
				}
				line.WriteByte('|')
			}
			s.rows[name] = append(s.rows[name], line.String())
		}
	}
	add("trades", p.Trades.Columns(), p.Trades.Len())
	add("refunds", p.Refunds.Columns(), p.Refunds.Len())
	add("goods", p.Goods.Columns(), p.Goods.Len())
	add("rebates", p.Rebates.Columns(), p.Rebates.Len())
	add("accounts", p.Accounts.Columns(), p.Accounts.Len())
	return nil
}

// run gives everything that the day comes to as sorted lines.
func (d *madeDay) run(t *testing.T, opt StoreOptions, workers, batch int) []string {
	t.Helper()
	opt.Words, opt.SpillDir = d.words, t.TempDir()
	store := NewStore(opt)
	defer store.Close()
	store.KnowMerchants(d.job.Registry, d.job.DefaultMerchant)
	for _, b := range d.batches {
		for from := int64(0); from < b.Rows.NumRows(); from += int64(batch) {
			if err := store.Batch(t.Context(), sliceBatch(b, from, min(from+int64(batch), b.Rows.NumRows()))); err != nil {
				t.Fatal(err)
			}
		}
	}
	sink := &textSink{words: d.words}
	result, err := Run(t.Context(), d.job, store, d.tables, sink, RunOptions{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, rows := range sink.rows {
		for _, row := range rows {
			lines = append(lines, name+" "+row)
		}
	}
	slices.Sort(lines)
	return append(lines, resultLines(result, nil)...)
}

// resultLines are what a run found besides its rows. Given tables, their paths are
// shown.
func resultLines(result *Result, tables []*schema.Table) (lines []string) {
	for i := range result.Breaks {
		b := result.Breaks[i]
		lines = append(lines, fmt.Sprintf("break %s %+v", b.ID(), b))
		if tables != nil && b.Table >= 0 {
			lines = append(lines, tables[b.Table].Path)
		}
	}
	for i := range result.Rejects {
		r := result.Rejects[i]
		lines = append(lines, fmt.Sprintf("reject %+v", r))
	}
	for _, g := range result.Groups {
		lines = append(lines, fmt.Sprintf("group %+v", g))
	}
	lines = append(lines, fmt.Sprintf("%+v", result.Losses), fmt.Sprint(result.OutOfScope), fmt.Sprintf("%+v", result.Accounts))
	for _, a := range result.Attributions {
		lines = append(lines, fmt.Sprintf("cause %+v", a))
	}
	for _, v := range result.Invariants {
		lines = append(lines, fmt.Sprintf("%+v", v))
	}
	return lines
}

// sliceBatch copies some rows of a batch: views need columns that start at 0.
func sliceBatch(b schema.Batch, from, to int64) schema.Batch {
	rows := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, int32(i))
	}
	return pickBatch(b, rows)
}

func pickRows[R schema.Rows](rec arrow.Record, rows []int32, from, to R) arrow.Record {
	if err := schema.View(from, rec); err != nil {
		panic(err)
	}
	schema.Append(to, from, rows)
	return schema.Record(to)
}

func pickBatch(b schema.Batch, rows []int32) schema.Batch {
	out := schema.Batch{Kind: b.Kind}
	switch b.Kind { //nolint:exhaustive // the kinds that makeDay makes
	case schema.AlipayBill:
		out.Rows = pickRows(b.Rows, rows, &schema.Bills{}, &schema.Bills{})
	case schema.Rebate:
		out.Rows = pickRows(b.Rows, rows, &schema.Statements{}, &schema.Statements{})
	case schema.AlipayAccount:
		out.Rows = pickRows(b.Rows, rows, &schema.Accounts{}, &schema.Accounts{})
	case schema.PosOrders:
		var v schema.Orders
		schema.View(&v, b.Rows)
		out.Rows = pickRows(b.Rows, rows, &schema.Orders{}, &schema.Orders{})
		out.Lines = pickRows(b.Lines, linesOf(nil, rows, firstLines(v.Lines)), &schema.Lines{}, &schema.Lines{})
	case schema.PosRefundsKind:
		var v schema.PosRefunds
		schema.View(&v, b.Rows)
		out.Rows = pickRows(b.Rows, rows, &schema.PosRefunds{}, &schema.PosRefunds{})
		out.Lines = pickRows(b.Lines, linesOf(nil, rows, firstLines(v.Lines)), &schema.RefundLines{}, &schema.RefundLines{})
	}
	return out
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n%s\n%s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(a), len(b))
}

// TestSameResult: neither the number of partitions and workers, nor the size and
// order of batches, nor spilling, nor the hash changes what comes out.
func TestSameResult(t *testing.T) {
	for seed := range uint64(30) {
		d := makeDay(seed, 120)
		want := d.run(t, StoreOptions{Layout: Layout{Partitions: 1}}, 1, 1<<20)
		for name, opt := range map[string]struct {
			store          StoreOptions
			workers, batch int
		}{
			"16 partitions": {StoreOptions{Layout: Layout{Partitions: 16}}, 4, 1 << 20},
			"small batches": {StoreOptions{Layout: Layout{Partitions: 4}}, 2, 7},
			"spilled":       {StoreOptions{Layout: Layout{Partitions: 8}, Budget: 1}, 2, 50},
			"all hashes 0":  {StoreOptions{Layout: Layout{Partitions: 8}, hash: func([]byte) uint64 { return 0 }}, 2, 50},
			"two hash values": {StoreOptions{Layout: Layout{Partitions: 8}, hash: func(b []byte) uint64 {
				return uint64(bytes.Count(b, []byte("1"))%2) << 63
			}}, 2, 50},
		} {
			if got := d.run(t, opt.store, opt.workers, opt.batch); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %s: %s", seed, name, firstDifference(got, want))
			}
		}
	}
}

// TestRowOrder: shuffling the rows of the input changes nothing.
func TestRowOrder(t *testing.T) {
	for seed := range uint64(10) {
		d := makeDay(seed, 80)
		want := d.run(t, StoreOptions{Layout: Layout{Partitions: 4}}, 2, 1<<20)
		shuffled := *d
		shuffled.batches = slices.Clone(d.batches)
		slices.SortFunc(shuffled.batches, func(a, b schema.Batch) int { return -cmp.Compare(a.Kind, b.Kind) })
		rng := rand.New(rand.NewPCG(seed, 9))
		for i, b := range shuffled.batches {
			shuffled.batches[i] = shuffleBatch(b, rng)
		}
		if got := shuffled.run(t, StoreOptions{Layout: Layout{Partitions: 4}}, 2, 11); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s", seed, firstDifference(got, want))
		}
	}
}

func shuffleBatch(b schema.Batch, rng *rand.Rand) schema.Batch {
	rows := make([]int32, b.Rows.NumRows())
	for i, k := range rng.Perm(len(rows)) {
		rows[i] = int32(k)
	}
	return pickBatch(b, rows)
}
