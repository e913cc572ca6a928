package schema

// ColumnType says how a result column is stored, written and typed in Parquet.
type ColumnType uint8

// The types of result column (contract 4).
const (
	TextType     ColumnType = iota + 1 // ids: Text; UTF-8
	WordType                           // Words: codes into the run's words
	FenType                            // Ints, fen: Decimal128(18,2)
	RebateType                         // Ints, millionths: Decimal128(20,6), CSV with 2 to 6 decimals
	QuantityType                       // Ints, millionths: Decimal128(22,6), CSV with 0 to 6 decimals
	PriceType                          // Ints, millionths: Decimal128(22,6), CSV with 2 to 6 decimals
	RateType                           // Ints, millionths: Decimal128(9,6), CSV with the decimals it has
	TimeType                           // Ints, wall-clock seconds: Timestamp(ms, the job's zone)
	IntType                            // Ints: Int64
	BoolType                           // Bytes, 0 or 1
	EnumType                           // Bytes: index into Names; "" is a blank
	SourceType                         // Tables and Lines: path[:member]:line; table -1 is a blank
)

// A Column is one column of a result table: its name, type, and the slice that
// the type names. Null in Ints, code 0 in Words, and "" are blanks.
type Column struct {
	Name   string
	Type   ColumnType
	Text   *Text
	Words  []uint32
	Ints   []int64
	Bytes  []uint8
	Names  []string // of an enum, by value
	Tables []int32
	Lines  []int32
}

// Place is a column of sources.
type Place struct{ Table, Line []int32 }

// Append adds a place; table -1 is a blank.
func (p *Place) Append(table, line int32) {
	p.Table = append(p.Table, table)
	p.Line = append(p.Line, line)
}

func (p *Place) reset() {
	p.Table, p.Line = p.Table[:0], p.Line[:0]
}

func empty[T any](columns ...*[]T) {
	for _, c := range columns {
		*c = (*c)[:0]
	}
}

func text(name string, t *Text) Column     { return Column{Name: name, Type: TextType, Text: t} }
func words(name string, w []uint32) Column { return Column{Name: name, Type: WordType, Words: w} }
func fen(name string, v []int64) Column    { return Column{Name: name, Type: FenType, Ints: v} }
func rebate(name string, v []int64) Column { return Column{Name: name, Type: RebateType, Ints: v} }

func quantity(name string, v []int64) Column { return Column{Name: name, Type: QuantityType, Ints: v} }
func price(name string, v []int64) Column    { return Column{Name: name, Type: PriceType, Ints: v} }
func rate(name string, v []int64) Column     { return Column{Name: name, Type: RateType, Ints: v} }
func moment(name string, v []int64) Column   { return Column{Name: name, Type: TimeType, Ints: v} }
func integer(name string, v []int64) Column  { return Column{Name: name, Type: IntType, Ints: v} }
func boolean(name string, v []uint8) Column  { return Column{Name: name, Type: BoolType, Bytes: v} }
func enum(name string, v []uint8, names []string) Column {
	return Column{Name: name, Type: EnumType, Bytes: v, Names: names}
}

func source(name string, p Place) Column {
	return Column{Name: name, Type: SourceType, Tables: p.Table, Lines: p.Line}
}

// Trades is the result table of that name: a row for each matched pair and for
// each single unit of any other status (contract 4).
type Trades struct {
	Merchant    []uint32
	OutTradeNo  Text
	TradeNo     Text
	Status      []uint8 // rules.Status
	OrderTime   []int64
	BillTime    []int64
	Store       []uint32
	Terminal    []uint32
	Operator    []uint32
	PosAmount   []int64
	BillAmount  []int64
	Difference  []int64
	Received    []int64
	BuyerPaid   []int64
	RedPacket   []int64
	Allowance   []int64
	Coupon      []int64
	ServiceFee  []int64
	FeeExpected []int64
	Refunded    []int64
	ProviderPID []uint32
	Cause       []uint8 // rules.Cause of face_to_face, 0 for none
	CarriedDays []int64
	Reason      []uint8 // rules.Reason, 0 for none
	Pos, Bill   Place
}

// Len is the number of rows.
func (t *Trades) Len() int { return len(t.Status) }

// Columns are the table's columns in the contract's order. The names of enums
// come from rules.
func (t *Trades) Columns() []Column {
	return []Column{
		words("merchant_pid", t.Merchant), text("out_trade_no", &t.OutTradeNo), text("trade_no", &t.TradeNo),
		enum("status", t.Status, StatusNames), moment("order_time", t.OrderTime), moment("bill_time", t.BillTime),
		words("store_id", t.Store), words("terminal_id", t.Terminal), words("operator_id", t.Operator),
		fen("pos_amount", t.PosAmount), fen("bill_amount", t.BillAmount), fen("difference", t.Difference),
		fen("received", t.Received), fen("buyer_paid", t.BuyerPaid), fen("red_packet", t.RedPacket),
		fen("allowance", t.Allowance), fen("coupon", t.Coupon), fen("service_fee", t.ServiceFee),
		fen("fee_expected", t.FeeExpected), fen("refunded", t.Refunded),
		words("sys_service_provider_id", t.ProviderPID), enum("rebate_cause", t.Cause, CauseNames),
		integer("carried_days", t.CarriedDays), enum("reason", t.Reason, ReasonNames),
		source("pos_source", t.Pos), source("bill_source", t.Bill),
	}
}

// RefundRows is the result table refunds.
type RefundRows struct {
	Merchant          []uint32
	OutTradeNo        Text
	RequestNo         Text
	TradeNo           Text
	Status            []uint8
	Time              []int64
	Store             []uint32
	PosAmount         []int64
	BillAmount        []int64
	Cumulative        []int64
	ExpectedPaid      []int64
	ExpectedRed       []int64
	ExpectedAllowance []int64
	ExpectedCoupon    []int64
	ActualReceived    []int64
	ActualRed         []int64
	ActualAllowance   []int64
	ServiceFee        []int64
	FeeExpected       []int64
	Mode              []uint8 // rules.RefundMode
	Overpaid          []int64
	Reason            []uint8
	Pos, Bill         Place
}

// Len is the number of rows.
func (t *RefundRows) Len() int { return len(t.Status) }

// Columns are the table's columns in the contract's order.
func (t *RefundRows) Columns() []Column {
	return []Column{
		words("merchant_pid", t.Merchant), text("out_trade_no", &t.OutTradeNo), text("out_request_no", &t.RequestNo),
		text("trade_no", &t.TradeNo), enum("status", t.Status, StatusNames), moment("refund_time", t.Time),
		words("store_id", t.Store), fen("pos_amount", t.PosAmount), fen("bill_amount", t.BillAmount),
		fen("cumulative", t.Cumulative), fen("expected_paid", t.ExpectedPaid),
		fen("expected_red_packet", t.ExpectedRed), fen("expected_allowance", t.ExpectedAllowance),
		fen("expected_coupon", t.ExpectedCoupon), fen("actual_received", t.ActualReceived),
		fen("actual_red_packet", t.ActualRed), fen("actual_allowance", t.ActualAllowance),
		fen("service_fee", t.ServiceFee), fen("fee_expected", t.FeeExpected), enum("mode", t.Mode, ModeNames),
		fen("refund_overpaid", t.Overpaid), enum("reason", t.Reason, ReasonNames),
		source("pos_source", t.Pos), source("bill_source", t.Bill),
	}
}

// GoodsRows is the result table goods: merged goods lines and filler lines.
type GoodsRows struct {
	Merchant   []uint32
	OutTradeNo Text
	Line       []int64
	Goods      []uint32
	Name       []uint32
	Quantity   []int64
	Price      []int64
	Amount     []int64
	Allocated  []int64
	Filler     []uint8
	Scenario   []uint8 // rules.Scenario
	Store      []uint32
	Source     Place
}

// Len is the number of rows.
func (t *GoodsRows) Len() int { return len(t.Line) }

// Columns are the table's columns in the contract's order.
func (t *GoodsRows) Columns() []Column {
	return []Column{
		words("merchant_pid", t.Merchant), text("out_trade_no", &t.OutTradeNo), integer("line", t.Line),
		words("goods_id", t.Goods), words("goods_name", t.Name), quantity("quantity", t.Quantity),
		price("price", t.Price), fen("line_amount", t.Amount), fen("allocated", t.Allocated),
		boolean("is_filler", t.Filler), enum("scenario", t.Scenario, ScenarioNames),
		words("store_id", t.Store), source("source", t.Source),
	}
}

// Rebates is the result table of that name: a row for each (trade, product) that
// the audit covers.
type Rebates struct {
	Merchant       []uint32
	OutTradeNo     Text
	TradeNo        Text
	Product        []uint32
	ProviderPID    []uint32
	Cause          []uint8 // rules.Cause
	Appeal         []uint8 // rules.Appeal
	Basis          []int64
	Rate           []int64
	Expected       []int64
	Stated         []int64
	Loss           []int64
	Period         []uint32
	Store          []uint32
	Terminal       []uint32
	Time           []int64
	Agreement      []uint32
	Pos, Statement Place
}

// Len is the number of rows.
func (t *Rebates) Len() int { return len(t.Cause) }

// Columns are the table's columns in the contract's order.
func (t *Rebates) Columns() []Column {
	return []Column{
		words("merchant_pid", t.Merchant), text("out_trade_no", &t.OutTradeNo), text("trade_no", &t.TradeNo),
		words("product", t.Product), words("sys_service_provider_id", t.ProviderPID),
		enum("cause", t.Cause, CauseNames), enum("appeal", t.Appeal, AppealNames), fen("basis", t.Basis),
		rate("rate", t.Rate), rebate("expected", t.Expected), rebate("stated", t.Stated), rebate("loss", t.Loss),
		words("period", t.Period), words("store_id", t.Store), words("terminal_id", t.Terminal),
		moment("trade_time", t.Time), words("agreement_pid", t.Agreement),
		source("pos_source", t.Pos), source("statement_source", t.Statement),
	}
}

// Reset empties the table and keeps its memory.
func (t *Trades) Reset() {
	t.OutTradeNo.reset()
	t.TradeNo.reset()
	t.Pos.reset()
	t.Bill.reset()
	empty(&t.Merchant, &t.Store, &t.Terminal, &t.Operator, &t.ProviderPID)
	empty(&t.OrderTime, &t.BillTime, &t.PosAmount, &t.BillAmount, &t.Difference, &t.Received, &t.BuyerPaid, &t.RedPacket, &t.Allowance, &t.Coupon, &t.ServiceFee, &t.FeeExpected, &t.Refunded, &t.CarriedDays)
	empty(&t.Status, &t.Cause, &t.Reason)
}

// Reset empties the table and keeps its memory.
func (t *RefundRows) Reset() {
	t.OutTradeNo.reset()
	t.RequestNo.reset()
	t.TradeNo.reset()
	t.Pos.reset()
	t.Bill.reset()
	empty(&t.Merchant, &t.Store)
	empty(&t.Time, &t.PosAmount, &t.BillAmount, &t.Cumulative, &t.ExpectedPaid, &t.ExpectedRed, &t.ExpectedAllowance, &t.ExpectedCoupon, &t.ActualReceived, &t.ActualRed, &t.ActualAllowance, &t.ServiceFee, &t.FeeExpected, &t.Overpaid)
	empty(&t.Status, &t.Mode, &t.Reason)
}

// Reset empties the table and keeps its memory.
func (t *GoodsRows) Reset() {
	t.OutTradeNo.reset()
	t.Source.reset()
	empty(&t.Merchant, &t.Goods, &t.Name, &t.Store)
	empty(&t.Line, &t.Quantity, &t.Price, &t.Amount, &t.Allocated)
	empty(&t.Filler, &t.Scenario)
}

// Reset empties the table and keeps its memory.
func (t *Rebates) Reset() {
	t.OutTradeNo.reset()
	t.TradeNo.reset()
	t.Pos.reset()
	t.Statement.reset()
	empty(&t.Merchant, &t.Product, &t.ProviderPID, &t.Period, &t.Store, &t.Terminal, &t.Agreement)
	empty(&t.Basis, &t.Rate, &t.Expected, &t.Stated, &t.Loss, &t.Time)
	empty(&t.Cause, &t.Appeal)
}

// AccountRows is the result table accounts: a row for each trade of the trade bill
// that is looked for in the account bill, and for each account row that is a
// duplicate (rules 8).
type AccountRows struct {
	Merchant   []uint32
	OutTradeNo Text
	TradeNo    Text
	Status     []uint8 // rules.AccountStatus
	Expected   []int64
	Income     []int64
	Expense    []int64
	Difference []int64
	Account    Place
	Bill       Place
}

// Len is the number of rows.
func (t *AccountRows) Len() int { return len(t.Status) }

// Columns are the table's columns in the contract's order.
func (t *AccountRows) Columns() []Column {
	return []Column{
		words("merchant_pid", t.Merchant), text("out_trade_no", &t.OutTradeNo), text("trade_no", &t.TradeNo),
		enum("status", t.Status, AccountNames), fen("expected", t.Expected), fen("income", t.Income),
		fen("expense", t.Expense), fen("difference", t.Difference),
		source("account_source", t.Account), source("bill_source", t.Bill),
	}
}

// Reset empties the table and keeps its memory.
func (t *AccountRows) Reset() {
	t.OutTradeNo.reset()
	t.TradeNo.reset()
	t.Account.reset()
	t.Bill.reset()
	empty(&t.Merchant)
	empty(&t.Status)
	empty(&t.Expected, &t.Income, &t.Expense, &t.Difference)
}
