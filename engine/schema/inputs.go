package schema

// RowKind tells a payment from a refund in a bill (业务类型 交易, 退款).
type RowKind uint8

// The kinds of bill row.
const (
	Payment RowKind = iota + 1
	Refund
)

// OrderStatus is a POS order's own word for its state; 0 is a blank, read as paid.
type OrderStatus uint8

// The states of a POS order (contract 3).
const (
	OrderPaid OrderStatus = iota + 1
	OrderUnpaid
	OrderClosed
)

// LinkKind tells direct from indirect orders; 0 is a blank, read as direct.
type LinkKind uint8

// The links of contract 3.
const (
	Direct LinkKind = iota + 1
	Indirect
)

// Flags of a bill row.
const (
	// NoSplit: the dialect gives no split of the discounts (V22), so that there
	// is no funding to check.
	NoSplit uint8 = 1 << iota
	// Institution: the account in the header is an institution's (V27, V29,
	// V28b); the row's merchant is found as rules 2 say.
	Institution
)

// Bills are the rows of trade bills. Amounts of refund rows are magnitudes.
type Bills struct {
	Table       []int32 `memo:"table"`
	Line        []int32
	Kind        []uint8  // RowKind
	Account     []uint32 // PID in the file's header; word, 0 if the file has none
	SubMerchant []uint32 // 商户识别号, word
	Merchant    []uint32 // the merchant PID of the row, word; the engine fills it
	TradeNo     Text
	OutTradeNo  Text
	RequestNo   Text
	Time        []int64 // 完成时间
	Created     []int64 // 创建时间, or Null
	Store       []uint32
	Terminal    []uint32
	Operator    []uint32
	CouponName  []uint32

	Amount           []int64 // 订单金额
	Received         []int64 // 商家实收
	RedPacket        []int64 // 支付宝红包
	Points           []int64 // 集分宝
	PlatformDiscount []int64 // 支付宝优惠
	MerchantDiscount []int64 // 商家优惠
	Voucher          []int64 // 券核销金额
	MerchantRed      []int64 // 商家红包消费金额
	Card             []int64 // 卡消费金额
	Fee              []int64 // 服务费: charged on payments, returned on refunds
	Royalty          []int64 // 分润, as written

	Instalments []int32 // 花呗分期数, 0 for none
	Flags       []uint8
}

// Len is the number of rows.
func (b *Bills) Len() int { return len(b.Line) }

func (b *Bills) columns() []column {
	return []column{
		{"table", &b.Table},
		{"line", &b.Line},
		{"kind", &b.Kind},
		{"account", &b.Account},
		{"sub_merchant", &b.SubMerchant},
		{"merchant", &b.Merchant},
		{"trade_no", &b.TradeNo},
		{"out_trade_no", &b.OutTradeNo},
		{"request_no", &b.RequestNo},
		{"time", &b.Time},
		{"created", &b.Created},
		{"store", &b.Store},
		{"terminal", &b.Terminal},
		{"operator", &b.Operator},
		{"coupon_name", &b.CouponName},
		{"amount", &b.Amount},
		{"received", &b.Received},
		{"red_packet", &b.RedPacket},
		{"points", &b.Points},
		{"platform_discount", &b.PlatformDiscount},
		{"merchant_discount", &b.MerchantDiscount},
		{"voucher", &b.Voucher},
		{"merchant_red", &b.MerchantRed},
		{"card", &b.Card},
		{"fee", &b.Fee},
		{"royalty", &b.Royalty},
		{"instalments", &b.Instalments},
		{"flags", &b.Flags},
	}
}

// Orders are runs of consecutive lines of one POS order (or, from a source
// without goods lines, whole orders). A column holds the first value given in
// the run; a blank is "", 0 or Null. The engine joins the runs of one order.
type Orders struct {
	Table      []int32 `memo:"table"`
	Line       []int32 // the run's first line
	Lines      []int32 // how many rows of Lines belong to the run
	OutTradeNo Text
	TradeNo    Text
	Merchant   []uint32 // as given, 0 if blank; the engine resolves it
	Store      []uint32
	Terminal   []uint32
	Operator   []uint32
	Time       []int64
	Status     []uint8 // OrderStatus, 0 if blank
	Interface  []uint32
	Channel    []uint32 // "alipay" for both of its names; 0 if blank
	Link       []uint8  // LinkKind, 0 if blank

	Total          []int64
	Undiscountable []int64
	BuyerPaid      []int64
	RedPacket      []int64
	Allowance      []int64
	Coupon         []int64
	CouponName     []uint32
	Instalments    []int32  // hb_fq_num, -1 if blank
	ProviderPID    []uint32 // sys_service_provider_id as sent
	Scene          []uint32
	PayCode        []uint8  // PayCode… below
	PayCodeTail    []uint32 // its last 4 characters
	Shift          []uint32

	// A run that cannot be an order of its own. The loader has reported the
	// lines at fault (LineOrderRejected in Lines); the engine rejects the rest.
	Reject     []uint8 // rules.Code, 0 for none
	RejectLine []int32 // first line at fault
	// Two lines of the run disagree on an order column.
	Conflict      []uint32 // word: the column's name, 0 for none
	ConflictLine  []int32
	ConflictValue []uint32 // word: the value that differs

	Excluded []uint8 // rules.Reason for which the source itself leaves the order out, 0 for none
	Flags    []uint8 // Order… below
	Gap      []int64 // what an identity of API messages is off by, found less expected; OrderGap… says which
}

// Flags of an order.
const (
	// OrderWhole: the run is a whole order; a further one with its number is a
	// duplicate, and never joined to it.
	OrderWhole uint8 = 1 << iota
	// OrderMessages: put together of API messages. They do not tell allowance and
	// coupon apart for sure, and what funds less than the total is the merchant's
	// red packet.
	OrderMessages
	// OrderPIDWrongKey: ProviderPID is blank, and a PID was sent under another key.
	OrderPIDWrongKey
	// OrderGapReceipt, OrderGapBuyerPay, both: the identity that Gap is of, that of
	// receipt_amount, of buyer_pay_amount, or of invoice_amount.
	OrderGapReceipt
	OrderGapBuyerPay
	// OrderPIDUnknown: the source cannot say which PID was sent.
	OrderPIDUnknown
)

// States of a payment code (付款码), which is cut to its validity and last four
// characters on loading.
const (
	PayCodeNone uint8 = iota
	PayCodeValid
	PayCodeInvalid
	PayCodeFace // of a face payment
)

// Len is the number of rows.
func (o *Orders) Len() int { return len(o.Line) }

func (o *Orders) columns() []column {
	return []column{
		{"table", &o.Table},
		{"line", &o.Line},
		{"lines", &o.Lines},
		{"out_trade_no", &o.OutTradeNo},
		{"trade_no", &o.TradeNo},
		{"merchant", &o.Merchant},
		{"store", &o.Store},
		{"terminal", &o.Terminal},
		{"operator", &o.Operator},
		{"time", &o.Time},
		{"status", &o.Status},
		{"interface", &o.Interface},
		{"channel", &o.Channel},
		{"link", &o.Link},
		{"total", &o.Total},
		{"undiscountable", &o.Undiscountable},
		{"buyer_paid", &o.BuyerPaid},
		{"red_packet", &o.RedPacket},
		{"allowance", &o.Allowance},
		{"coupon", &o.Coupon},
		{"coupon_name", &o.CouponName},
		{"instalments", &o.Instalments},
		{"provider_pid", &o.ProviderPID},
		{"scene", &o.Scene},
		{"pay_code", &o.PayCode},
		{"pay_code_tail", &o.PayCodeTail},
		{"shift", &o.Shift},
		{"reject", &o.Reject},
		{"reject_line", &o.RejectLine},
		{"conflict", &o.Conflict},
		{"conflict_line", &o.ConflictLine},
		{"conflict_value", &o.ConflictValue},
		{"excluded", &o.Excluded},
		{"flags", &o.Flags},
		{"gap", &o.Gap},
	}
}

// Flags of a goods line or a refund line.
const (
	// LineGoodsRejected: a goods column of the line is at fault. The line has
	// been reported; its order stays, without an allocation.
	LineGoodsRejected uint8 = 1 << iota
	// LineOrderRejected: an order column of the line is at fault. The line has
	// been reported; the order is rejected with all its lines.
	LineOrderRejected
	// LineNoGoods: no goods cell of the line is filled.
	LineNoGoods
	// LineContinues: the goods are of the same input row as the line before.
	LineContinues
)

// Lines are goods lines, in the order of the runs that they belong to.
type Lines struct {
	Line     []int32
	Goods    []uint32 // goods_id, word, 0 if blank
	Name     []uint32
	Quantity []int64 // millionths, Null if blank
	Price    []int64 // millionths, Null if blank
	Flags    []uint8
}

// Len is the number of rows.
func (l *Lines) Len() int { return len(l.Line) }

func (l *Lines) columns() []column {
	return []column{
		{"line", &l.Line},
		{"goods", &l.Goods},
		{"name", &l.Name},
		{"quantity", &l.Quantity},
		{"price", &l.Price},
		{"flags", &l.Flags},
	}
}

// PosRefunds are runs of consecutive lines of one POS refund, as Orders are of
// orders.
type PosRefunds struct {
	Table      []int32 `memo:"table"`
	Line       []int32
	Lines      []int32 // how many rows of RefundLines belong to the run
	OutTradeNo Text
	TradeNo    Text
	RequestNo  Text
	Merchant   []uint32
	Store      []uint32
	Time       []int64
	Amount     []int64
	Mode       []uint8 // rules.RefundMode, 0 if blank
	Undone     []uint8 // 1: asked for, and not known to be done (API messages)

	Reject        []uint8
	RejectLine    []int32
	Conflict      []uint32
	ConflictLine  []int32
	ConflictValue []uint32
}

// Len is the number of rows.
func (r *PosRefunds) Len() int { return len(r.Line) }

func (r *PosRefunds) columns() []column {
	return []column{
		{"table", &r.Table},
		{"line", &r.Line},
		{"lines", &r.Lines},
		{"out_trade_no", &r.OutTradeNo},
		{"trade_no", &r.TradeNo},
		{"request_no", &r.RequestNo},
		{"merchant", &r.Merchant},
		{"store", &r.Store},
		{"time", &r.Time},
		{"amount", &r.Amount},
		{"mode", &r.Mode},
		{"undone", &r.Undone},
		{"reject", &r.Reject},
		{"reject_line", &r.RejectLine},
		{"conflict", &r.Conflict},
		{"conflict_line", &r.ConflictLine},
		{"conflict_value", &r.ConflictValue},
	}
}

// RefundLines are the goods that a POS refund returns.
type RefundLines struct {
	Line     []int32
	Goods    []uint32
	Quantity []int64 // millionths, Null if blank
	Flags    []uint8
}

// Len is the number of rows.
func (l *RefundLines) Len() int { return len(l.Line) }

func (l *RefundLines) columns() []column {
	return []column{{"line", &l.Line}, {"goods", &l.Goods}, {"quantity", &l.Quantity}, {"flags", &l.Flags}}
}

// Statements are the rows of rebate statements. Rows without a trade_no and an
// out_trade_no are aggregated.
type Statements struct {
	Table       []int32 `memo:"table"`
	Line        []int32
	Period      []uint32 // word: 2026-11 or 2026-11-20; 0 if the file has none
	Provider    []uint32 // word
	Merchant    []uint32 // word, 0 if blank
	Product     []uint32 // word, never 0
	TradeNo     Text
	OutTradeNo  Text
	Time        []int64 // trade_time, or Null
	TradeAmount []int64 // fen, or Null
	TradeCount  []int64 // or Null
	Rate        []int64 // millionths, or Null
	Rebate      []int64 // millionths of a yuan
	Adjustment  []int64 // millionths of a yuan, 0 if blank
}

// Len is the number of rows.
func (s *Statements) Len() int { return len(s.Line) }

func (s *Statements) columns() []column {
	return []column{
		{"table", &s.Table},
		{"line", &s.Line},
		{"period", &s.Period},
		{"provider", &s.Provider},
		{"merchant", &s.Merchant},
		{"product", &s.Product},
		{"trade_no", &s.TradeNo},
		{"out_trade_no", &s.OutTradeNo},
		{"time", &s.Time},
		{"trade_amount", &s.TradeAmount},
		{"trade_count", &s.TradeCount},
		{"rate", &s.Rate},
		{"rebate", &s.Rebate},
		{"adjustment", &s.Adjustment},
	}
}

// Accounts are the rows of account bills: movements of an account's balance.
type Accounts struct {
	Table      []int32 `memo:"table"`
	Line       []int32
	Account    []uint32 // PID whose balance moved, word
	Flow       Text     // 账务流水号, the movement's own number
	TradeNo    Text     // 业务流水号: a trade's number, or another document's
	OutTradeNo Text     // 商户订单号
	Type       []uint32 // 业务类型, word
	Time       []int64  // 发生时间
	Income     []int64  // 收入, 0 for none; negative is a reversal
	// Expense is 支出 as written, 0 for none: which sign means money out is known
	// when the whole file is (Table.ExpenseSign).
	Expense []int64
	// A rejected row is known by its numbers alone, so that the trade that lacks it can
	// say so: it moves no money.
	Reject []uint8 // rules.Code, 0 for none
}

// Len is the number of rows.
func (a *Accounts) Len() int { return len(a.Line) }

func (a *Accounts) columns() []column {
	return []column{
		{"table", &a.Table},
		{"line", &a.Line},
		{"account", &a.Account},
		{"flow", &a.Flow},
		{"trade_no", &a.TradeNo},
		{"out_trade_no", &a.OutTradeNo},
		{"type", &a.Type},
		{"time", &a.Time},
		{"income", &a.Income},
		{"expense", &a.Expense},
		{"reject", &a.Reject},
	}
}

// Spent is an expense cell as money out: negative only for a reversal.
func (s ExpenseSign) Spent(written int64) int64 {
	switch {
	case s == OutNegative, s == 0 && written < 0:
		return -written
	}
	return written
}

// ExpenseSign says how an account bill writes money out (formats 1.4): 0 where a
// file has one sign, or mixes them without a meaning, so that all are magnitudes.
// In the others, a cell of the other sign is a reversal.
type ExpenseSign uint8

// The signs.
const (
	OutPositive ExpenseSign = iota + 1
	OutNegative
)

// Entries are entries of the engine's index from trade_no to partition, which
// pass through its store as rows do.
type Entries struct{ Entry []int64 }

// Len is the number of rows.
func (e *Entries) Len() int { return len(e.Entry) }

func (e *Entries) columns() []column { return []column{{"entry", &e.Entry}} }
