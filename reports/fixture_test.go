package reports

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A day is a made-up run: words, tables and parts, the same for the same seed.
type day struct {
	words  *schema.Words
	tables []*schema.Table
	parts  []*engine.Part
}

func stated(s string) *string { return &s }
func yes(b bool) *bool        { return &b }

func newDay(seed uint64, parts, rows int) *day {
	d := &day{words: schema.NewWords(), tables: []*schema.Table{
		{
			Path: "bills/1.zip", Member: "业务明细,a.csv", Kind: schema.AlipayBill, Format: "trade_bill", Dialect: "V25",
			Encoding: "gb18030", Account: "2088111111111111", From: 1795104000, To: 1795190400, Rows: 3, Accepted: 3,
			Repairs: map[string]int64{"seconds_lost": 2, "excel_padding": 1}, SHA256: "ab", Bytes: 12,
			Known: []string{"支付宝交易号"}, Controls: []schema.Control{{Name: "交易合计笔数", Stated: stated("3"), Found: "3", Holds: yes(true)}},
		},
		{
			Path: "pos.csv", Kind: schema.PosOrders, Format: "pos_orders", Encoding: "utf-8", From: schema.Null, To: schema.Null,
			Problems: []schema.Problem{{Code: "amount_syntax", Line: 7, Column: "订单金额", Value: "1O.00", Message: "电话 13812340000"}},
		},
		{Path: "rebate.csv", Kind: schema.Rebate, Format: "rebate", From: schema.Null, To: schema.Null},
	}}
	rng := rand.New(rand.NewPCG(seed, 7))
	word := func(format string, n int) uint32 { return d.words.Code(fmt.Sprintf(format, rng.IntN(n))) }
	orNull := func(v int64) int64 {
		if rng.IntN(9) == 0 {
			return schema.Null
		}
		return v
	}
	serial := 0
	for number := range parts {
		p := &engine.Part{Number: number}
		for i := range rows {
			serial++
			merchant := d.words.Code(fmt.Sprintf("208811111111111%d", i*4/rows))
			out := fmt.Sprintf("POS%010d%04d", i, number)
			if serial%997 == 5 {
				out = "a,\"b\"" + out
			}
			trade := fmt.Sprintf("2026112022001400%012d", serial)
			if serial%11 == 0 {
				trade = ""
			}
			store, terminal := word("S%03d", 40), word("T%02d", 9)
			total := rng.Int64N(1_000_000)
			at := 1795104000 + rng.Int64N(86400)
			t := &p.Trades
			t.Merchant = append(t.Merchant, merchant)
			t.OutTradeNo.AppendString(out)
			t.TradeNo.AppendString(trade)
			t.Status = append(t.Status, uint8(1+rng.IntN(8)))
			t.OrderTime = append(t.OrderTime, orNull(at))
			t.BillTime = append(t.BillTime, at+3)
			t.Store, t.Terminal = append(t.Store, store), append(t.Terminal, terminal)
			t.Operator = append(t.Operator, word("OP%d", 3))
			t.PosAmount, t.BillAmount = append(t.PosAmount, orNull(total)), append(t.BillAmount, total)
			t.Difference = append(t.Difference, rng.Int64N(200)-100)
			t.Received, t.BuyerPaid = append(t.Received, total), append(t.BuyerPaid, orNull(total))
			t.RedPacket, t.Allowance, t.Coupon = append(t.RedPacket, 0), append(t.Allowance, schema.Null), append(t.Coupon, 500)
			t.ServiceFee, t.FeeExpected = append(t.ServiceFee, total/200), append(t.FeeExpected, orNull(total/200))
			t.Refunded = append(t.Refunded, 0)
			t.ProviderPID = append(t.ProviderPID, word("208822222222222%d", 3))
			t.Cause, t.CarriedDays = append(t.Cause, uint8(rng.IntN(4))), append(t.CarriedDays, 0)
			t.Reason = append(t.Reason, uint8(rng.IntN(3)))
			t.Pos.Append(1, int32(serial))
			t.Bill.Append(int32(rng.IntN(2)-1), int32(serial))
			for line := range 2 {
				g := &p.Goods
				g.Merchant = append(g.Merchant, merchant)
				g.OutTradeNo.AppendString(out)
				g.Line = append(g.Line, int64(line+1))
				g.Goods, g.Name = append(g.Goods, word("G%05d", 5000)), append(g.Name, word("商品 %d 号", 5000))
				g.Quantity, g.Price = append(g.Quantity, 1_500_000), append(g.Price, orNull(rng.Int64N(90_000_000)))
				g.Amount, g.Allocated = append(g.Amount, total), append(g.Allocated, total)
				g.Filler, g.Scenario = append(g.Filler, uint8(line)), append(g.Scenario, uint8(1+rng.IntN(4)))
				g.Store = append(g.Store, store)
				g.Source.Append(1, int32(serial))
			}
			if serial%5 == 0 {
				f := &p.Refunds
				f.Merchant = append(f.Merchant, merchant)
				f.OutTradeNo.AppendString(out)
				f.RequestNo.AppendString(fmt.Sprintf("R%d", serial))
				f.TradeNo.AppendString(trade)
				f.Status, f.Time, f.Store = append(f.Status, 5), append(f.Time, orNull(at)), append(f.Store, store)
				for _, ints := range []*[]int64{
					&f.PosAmount, &f.BillAmount, &f.Cumulative, &f.ExpectedPaid, &f.ExpectedRed, &f.ExpectedAllowance,
					&f.ExpectedCoupon, &f.ActualReceived, &f.ActualRed, &f.ActualAllowance, &f.ServiceFee, &f.FeeExpected, &f.Overpaid,
				} {
					*ints = append(*ints, orNull(rng.Int64N(10_000)))
				}
				f.Mode, f.Reason = append(f.Mode, uint8(rng.IntN(5))), append(f.Reason, 0)
				f.Pos.Append(-1, 0)
				f.Bill.Append(0, int32(serial))
			}
			if serial%7 == 0 {
				c := &p.Accounts
				c.Merchant = append(c.Merchant, merchant)
				c.OutTradeNo.AppendString(out)
				c.TradeNo.AppendString(trade)
				c.Status = append(c.Status, uint8(1+serial/7%5))
				for _, ints := range []*[]int64{&c.Expected, &c.Income, &c.Expense, &c.Difference} {
					*ints = append(*ints, orNullAt(total, serial))
				}
				c.Account.Append(int32(serial%2-1), int32(serial))
				c.Bill.Append(0, int32(serial))
			}
			b := &p.Rebates
			b.Merchant = append(b.Merchant, merchant)
			b.OutTradeNo.AppendString(out)
			b.TradeNo.AppendString(trade)
			b.Product = append(b.Product, d.words.Code("face_to_face"))
			b.ProviderPID = append(b.ProviderPID, word("208822222222222%d", 3))
			b.Cause, b.Appeal = append(b.Cause, uint8(1+rng.IntN(14))), append(b.Appeal, uint8(1+rng.IntN(4)))
			b.Basis, b.Rate = append(b.Basis, total), append(b.Rate, 5500)
			b.Expected, b.Stated = append(b.Expected, total*55), append(b.Stated, orNull(total*54))
			b.Loss, b.Period = append(b.Loss, total), append(b.Period, d.words.Code("2026-11"))
			b.Store, b.Terminal, b.Time = append(b.Store, store), append(b.Terminal, terminal), append(b.Time, at)
			b.Agreement = append(b.Agreement, word("208822222222222%d", 3))
			b.Pos.Append(1, int32(serial))
			b.Statement.Append(2, int32(serial))
		}
		d.parts = append(d.parts, p)
	}
	return d
}

// orNullAt is Null for some serials, and draws nothing.
func orNullAt(v int64, serial int) int64 {
	if serial%3 == 0 {
		return schema.Null
	}
	return v
}

var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

func (d *day) options(dir string) Options {
	return Options{
		Dir: dir, Formats: Formats{CSV: true, Parquet: true, JSON: true, XLSX: true, HTML: true},
		Results: Results{true, true, true, true, true, true, true}, Zone: shanghai, Words: d.words.Texts, Tables: d.tables,
		Job: JobInfo{Name: "job.yaml", Version: "0.1.0", Settings: map[string]any{"cutoff_window": "10m"}},
	}
}

// result has something of everything.
func (d *day) result() *engine.Result {
	r := &engine.Result{
		Date: "2026-11-20", Words: d.words.Texts(), Tables: d.tables,
		Parts: []engine.PartState{{Name: "trades", Ran: true}, {Name: "refunds", Ran: true}, {Name: "goods", Ran: true}, {Name: "fees", Ran: false, Why: "merchants"}, {Name: "rebates", Ran: true}},
		Rejects: []schema.Reject{
			{Table: 1, Line: 7, Code: rules.CodeAmountSyntax, Column: "订单金额", Value: "1O.00", Raw: "A1,1O.00,13812340000,=cmd"},
			{Table: 1, Line: 9, Code: rules.CodeOrderConflict, Column: "store_id", Value: "S2", Detail: "S1", Order: 8, Raw: "A2,\"x\ny\""},
			{Table: 1, Line: 10, Code: rules.CodeMissingValue, Column: "付款码", Value: "286012345678901234"},
		},
		Invariants: []engine.Invariant{{Name: "trades: bill amount", Left: "12.00", Right: "12.00", Holds: true}},
		Groups: []engine.RebateGroup{
			{Provider: "2088222222222221", Merchant: "2088111111111111", Product: "face_to_face", Period: "2026-11", Trades: 2, Basis: fenSum(12345), Rate: 5500, Expected: fenSum(678975), Stated: fenSum(600000), HasStated: true, Cause: rules.CauseStatementShort, Claimable: fenSum(78975)},
			{Provider: "2088222222222222", Merchant: "2088111111111111", Product: "face_to_face", Period: "2026-11", Rate: schema.Null, Cause: rules.CauseStatementPending},
		},
		Shifts: []engine.ShiftRow{
			{Store: "S001", Terminal: "T01", Operator: "13812340000", Shift: "早班", Channel: "alipay", Day: "2026-11-20", PosCount: 2, PosAmount: fenSum(2400), BillCount: 3, BillAmount: fenSum(3600), RefundCount: 1, RefundAmount: fenSum(100), Compared: true, ComparedRefunds: true},
			{Store: "S001", Terminal: "T01", Operator: "OP, 1", Shift: "早班", Channel: "alipay", Day: "2026-11-20", PosCount: 1, PosAmount: fenSum(500), Compared: true},
			{Store: "S001", Terminal: "T01", Operator: "13812340000", Shift: "早班", Channel: "cash", Day: "2026-11-20", PosCount: 1, PosAmount: fenSum(1), RefundCount: 1, RefundAmount: fenSum(1), PosRefundCount: 1, PosRefundAmount: fenSum(1)},
		},
		Devices: []engine.DeviceReward{
			{
				SN: "SN001", Signer: "2088111111111111", Month: rules.MonthOf(20777), Stated: 450_00,
				DeviceMonth: rules.DeviceMonth{Allowed: 400_00, Excess: 50_00, Cause: rules.DeviceMonthCap, MonthsUsed: 1, TotalUsed: 400_00, StillToCome: 1200_00},
			},
			{
				SN: "SN002", Month: rules.MonthOf(20777), Stated: 300_00,
				DeviceMonth: rules.DeviceMonth{Excess: 300_00, Cause: rules.DeviceUnknown},
			},
		},
		Losses: engine.Losses{
			Provider: []engine.LossGroup{{Key: "2088222222222221", Count: 2, Loss: fenSum(78975), Claim: fenSum(78975), Since: schema.Null}},
			Terminal: []engine.LossGroup{{Key: "S001/T01", Parent: "S001", Count: 3, Loss: fenSum(10000), Lost: fenSum(10000), Since: 1795104000}},
		},
	}
	r.Attributions = []engine.Attribution{
		{
			Code: rules.BreakPOSOnly, Severity: rules.SeverityError, Breaks: 10, AllBreaks: 11, Amount: fenSum(980_200_000), AllAmount: fenSum(1_053_810_000),
			Segment: []engine.Facet{{Dimension: engine.DimensionStore, Value: "NJ001"}, {Dimension: engine.DimensionTerminal, Value: "7"}},
			Rows:    20, AllRows: 1000, First: 1795210800, Last: 1795217000,
		},
		{
			Code: rules.BreakRefundSplit, Severity: rules.SeverityError, Breaks: 6, AllBreaks: 6, Amount: fenSum(1), AllAmount: fenSum(1),
			Segment: []engine.Facet{{Dimension: engine.DimensionOperator, Value: "13812340000"}},
			Rows:    1, AllRows: 3000, Refunds: true, First: 1795124400, Last: 1795128000, Ended: true,
		},
	}
	r.Accounts.Statuses[rules.AccountMissing] = engine.AccountTally{Count: 1, Expected: fenSum(1193)}
	r.Accounts.Types = []engine.AccountType{{Type: "提现", Count: 1, Expense: fenSum(50000)}}
	r.Trades[rules.StatusMatched] = engine.Tally{PosCount: 2, BillCount: 2, PosAmount: fenSum(2400), BillAmount: fenSum(2400)}
	r.Scenarios[rules.Above] = engine.ScenarioTally{Orders: 1, Amount: fenSum(1200), Filler: fenSum(200), Lines: 2, Fillings: 1}
	r.Causes[rules.CauseOK] = engine.CauseTally{Count: 2, Expected: fenSum(5), Stated: fenSum(5)}
	for i, code := range rules.BreakCodes() {
		b := engine.Break{
			Code: code, Severity: code.Severity(), Side: code.Side(), Merchant: "2088111111111111",
			OutTradeNo: fmt.Sprintf("POS%03d", i), TradeNo: fmt.Sprintf("2026112022001400%012d", i), Store: "S001",
			Amount: 1200, Expected: schema.Null, Found: 1200, Table: 1, Line: int32(i + 2), FirstSeen: "2026-11-20",
			Terminal: "T01", Operator: "op1", Time: 1795161601,
		}
		if b.Side == 0 {
			b.Side = rules.SidePOS
		}
		r.Breaks = append(r.Breaks, b)
	}
	return r
}

func fenSum(v int64) rules.Sum {
	var s rules.Sum
	s.AddInt(v)
	return s
}

func (d *day) write(t testing.TB, o Options, order []int) {
	t.Helper()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w := NewWriter(o)
	defer w.Close()
	if err := w.Begin(len(d.parts)); err != nil {
		t.Fatal(err)
	}
	for _, i := range order {
		if err := w.Part(context.Background(), d.parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(context.Background(), d.result(), Outcome{ExitCode: 1}); err != nil {
		t.Fatal(err)
	}
}

// files are the bytes of all files below dir, by name.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
