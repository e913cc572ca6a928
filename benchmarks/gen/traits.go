package gen

// traits say what a match kind has and what may be combined with it.
type traits struct {
	pos, bill   bool // rows of the side
	goodsAll    bool // every goods kind; else those that are allocated plainly
	fundAll     bool // every funding kind; else those on which both sides agree
	refunds     bool // every refund kind
	refundPart  bool // RefundPart only
	rebateAll   bool // every rebate kind; else RightPrimary
	hasNoUnit   bool // no trade of its own
	posRejected bool
}

var traitsOf = [kindCount]traits{
	Matched:           {pos: true, bill: true, goodsAll: true, fundAll: true, refunds: true, rebateAll: true},
	NoTradeNo:         {pos: true, bill: true, goodsAll: true, fundAll: true, refunds: true, rebateAll: true},
	NoMerchantPID:     {pos: true, bill: true, goodsAll: true, fundAll: true, refunds: true, rebateAll: true},
	AmountMismatch:    {pos: true, bill: true, goodsAll: true, refundPart: true, rebateAll: true},
	ClosedPaid:        {pos: true, bill: true, rebateAll: true},
	UnpaidPaid:        {pos: true, bill: true, rebateAll: true},
	CancelledRefunded: {pos: true, bill: true},
	BillOnly:          {bill: true},
	POSOnly:           {pos: true, goodsAll: true},
	PendingPOS:        {pos: true, goodsAll: true},
	PendingBill:       {bill: true},
	BillAtStart:       {bill: true},
	NotPaid:           {pos: true},
	ZeroAmount:        {pos: true},
	OtherChannel:      {pos: true},
	DuplicatePOS:      {pos: true, bill: true, rebateAll: true},
	DuplicateBill:     {pos: true, bill: true, rebateAll: true},
	ConflictPOS:       {pos: true, bill: true},
	ConflictBill:      {pos: true, bill: true},
	PaidTwice:         {pos: true, bill: true},
	OtherNumber:       {pos: true, bill: true},
	MerchantDiffers:   {pos: true, bill: true},
	TradeNoConflict:   {pos: true, bill: true},
	IdentityBill:      {pos: true, bill: true, goodsAll: true, rebateAll: true},
	IdentityPOS:       {pos: true, bill: true, goodsAll: true, rebateAll: true},
	OrphanRefund:      {hasNoUnit: true},
	StatementOrphan:   {hasNoUnit: true},
	OutOfScope:        {hasNoUnit: true},
	RejectAmount:      {pos: true, bill: true, posRejected: true},
	RejectPrecision:   {pos: true, bill: true, posRejected: true},
	RejectRange:       {pos: true, bill: true, posRejected: true},
	RejectTime:        {pos: true, bill: true, posRejected: true},
	RejectStatus:      {pos: true, bill: true, posRejected: true},
	RejectTradeNo:     {pos: true, bill: true, posRejected: true},
	OrderConflict:     {pos: true, bill: true, posRejected: true},
	RejectColumns:     {pos: true, hasNoUnit: true, posRejected: true},
	RejectNoNumber:    {pos: true, hasNoUnit: true, posRejected: true},
	RejectMerchant:    {pos: true, hasNoUnit: true, posRejected: true},
	RejectBillTime:    {pos: true, bill: true},
	RejectBillType:    {pos: true, bill: true},
}
