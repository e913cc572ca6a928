package schema

// Flags of a settled trade.
const (
	// SettledSplit: the funding columns are known (rules 5).
	SettledSplit uint8 = 1 << iota
	// SettledWrongKey: no PID was sent, and one under another key (rules 6).
	SettledWrongKey
	// SettledPIDUnknown: the POS order does not say which PID was sent.
	SettledPIDUnknown
	// SettledByMessages: the order was put together of API messages.
	SettledByMessages
	// SettledIndirect: the order is indirect (间连), which no account bill has.
	SettledIndirect
)

// Settled are trades as later days need them: a row for each row of the result
// table trades that is not pending (rules 9). Where it comes from the history,
// Query, Day and Ref say what it answers; what a run leaves has them blank. A row
// of the history with Status 0 stands for a trade that it does not have: it has
// refunds of it alone.
type Settled struct {
	Query []int32 // row of the Wanted that the trade answers
	Day   []int32 // business date of the run that settled it, days since 1970-01-01
	Ref   Text    // the trade's key in the history, opaque

	Merchant     []uint32 // of the key that the row is shown under
	BillMerchant []uint32 // of the bill's row; 0 without one
	OutTradeNo   Text
	TradeNo      Text
	Status       []uint8 // rules.Status
	Reason       []uint8 // rules.Reason
	Flags        []uint8
	OrderTime    []int64  // Null without an order
	BillTime     []int64  // Null without a bill row
	Store        []uint32 // as shown: the order's, else the bill row's
	BillStore    []uint32 // the bill row's: its fee follows it (rules 7); 0 without one
	Terminal     []uint32
	Operator     []uint32
	Channel      []uint32 // of the order, as it names it
	PosAmount    []int64  // Null without an order
	BillAmount   []int64  // Null without a bill row

	Paid, RedPacket, Allowance, Coupon, MerchantRed []int64 // the funding used (rules 5), fen

	Received    []int64 // 商家实收; Null without a bill row
	ProviderPID []uint32
	Instalments []int32 // 花呗分期数 of the order or the bill, the larger; 0 for none
}

// Len is the number of rows.
func (s *Settled) Len() int { return len(s.Status) }

func (s *Settled) columns() []column {
	return []column{
		{"query", &s.Query},
		{"day", &s.Day},
		{"ref", &s.Ref},
		{"merchant", &s.Merchant},
		{"bill_merchant", &s.BillMerchant},
		{"out_trade_no", &s.OutTradeNo},
		{"trade_no", &s.TradeNo},
		{"status", &s.Status},
		{"reason", &s.Reason},
		{"flags", &s.Flags},
		{"order_time", &s.OrderTime},
		{"bill_time", &s.BillTime},
		{"store", &s.Store},
		{"bill_store", &s.BillStore},
		{"terminal", &s.Terminal},
		{"operator", &s.Operator},
		{"channel", &s.Channel},
		{"pos_amount", &s.PosAmount},
		{"bill_amount", &s.BillAmount},
		{"paid", &s.Paid},
		{"red_packet", &s.RedPacket},
		{"allowance", &s.Allowance},
		{"coupon", &s.Coupon},
		{"merchant_red", &s.MerchantRed},
		{"received", &s.Received},
		{"provider_pid", &s.ProviderPID},
		{"instalments", &s.Instalments},
	}
}

// Returned are refunds as later days need them: a row for each row of the result
// table refunds that is not pending.
type Returned struct {
	// Of is the row of the Settled beside it whose trade is refunded; -1: it is a
	// trade of an earlier day (Ref), or none is known.
	Of  []int32
	Ref Text    // Settled.Ref of an earlier day's trade, "" for none
	Day []int32 // business date of the run that had the refund; empty in what a run leaves

	Merchant   []uint32 // as shown
	OutTradeNo Text
	RequestNo  Text
	TradeNo    Text
	Status     []uint8 // rules.Status
	Counts     []uint8 // 1: the bill has it, and it moves the trade's cumulative amount
	Time       []int64
	PosAmount  []int64 // Null without a POS refund
	BillAmount []int64 // magnitude; Null without a bill row
	Received   []int64 // 商家实收 that came back, magnitude; Null without a bill row
	RedPacket  []int64 // 支付宝红包 + 支付宝优惠 that came back; Null without a bill row
}

// Len is the number of rows.
func (r *Returned) Len() int { return len(r.Status) }

func (r *Returned) columns() []column {
	return []column{
		{"of", &r.Of},
		{"ref", &r.Ref},
		{"day", &r.Day},
		{"merchant", &r.Merchant},
		{"out_trade_no", &r.OutTradeNo},
		{"request_no", &r.RequestNo},
		{"trade_no", &r.TradeNo},
		{"status", &r.Status},
		{"counts", &r.Counts},
		{"time", &r.Time},
		{"pos_amount", &r.PosAmount},
		{"bill_amount", &r.BillAmount},
		{"received", &r.Received},
		{"red_packet", &r.RedPacket},
	}
}

// Wanted are trades that are looked for in the history: by trade_no whatever the
// merchant, else by merchant and out_trade_no.
type Wanted struct {
	Merchant   []uint32 // 0: any, if only one merchant has the out_trade_no
	OutTradeNo Text     // "" if not known
	TradeNo    Text     // "" if not known
	Time       []int64  // when the trade was made, or Null: says where to look first, and never decides
}

// Len is the number of rows.
func (w *Wanted) Len() int { return len(w.Merchant) }

func (w *Wanted) columns() []column {
	return []column{
		{"merchant", &w.Merchant},
		{"out_trade_no", &w.OutTradeNo},
		{"trade_no", &w.TradeNo},
		{"time", &w.Time},
	}
}
