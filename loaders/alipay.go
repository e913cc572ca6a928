package loaders

import (
	"context"
	"slices"
	"sync"

	"duizhang/engine/schema"
)

// The columns of a trade bill (formats 2.3), by what they mean.
type billColumn uint8

const (
	colTradeNo billColumn = iota
	colUnionNo            // 银联交易号: the trade number if it has 28 digits
	colOutTradeNo
	colKind
	colSubject
	colCreated
	colTime
	colStore
	colStoreName
	colOperator
	colTerminal
	colCoupon
	colRequest
	colRemark
	colSubMerchant
	colMerchantID // 商户ID of V28b
	colInstalments
	colNet // 实收净额
	colAmount
	colReceived
	colRedPacket
	colPoints
	colPlatform
	colMerchantDiscount
	colVoucher
	colMerchantRed
	colCard
	colFee
	colRoyalty
	billColumnCount
)

const (
	firstAmount = colNet
	amountCount = int(billColumnCount - firstAmount)
)

var billColumnNames = [billColumnCount]string{
	colTradeNo: "支付宝交易号", colUnionNo: "银联交易号", colOutTradeNo: "商户订单号", colKind: "业务类型",
	colSubject: "商品名称", colCreated: "创建时间", colTime: "完成时间", colStore: "门店编号",
	colStoreName: "门店名称", colOperator: "操作员", colTerminal: "终端号", colCoupon: "券名称",
	colRequest: "退款批次号/请求号", colRemark: "备注", colSubMerchant: "商户识别号", colMerchantID: "商户ID",
	colInstalments: "花呗分期数", colNet: "实收净额", colAmount: "订单金额", colReceived: "商家实收",
	colRedPacket: "支付宝红包", colPoints: "集分宝", colPlatform: "支付宝优惠", colMerchantDiscount: "商家优惠",
	colVoucher: "券核销金额", colMerchantRed: "商家红包消费金额", colCard: "卡消费金额", colFee: "服务费",
	colRoyalty: "分润",
}

// freeText are the columns in which a byte that does not decode spoils nothing, and
// which a row may lack at its end; a cell of no known column is one of them.
var freeText = [billColumnCount + 1]bool{
	colSubject: true, colStoreName: true, colOperator: true, colCoupon: true, colRemark: true, billColumnCount: true,
}

// The words of 业务类型, in the charsets of the files.
var (
	paymentWords = [2]string{"交易", "\xbd\xbb\xd2\xd7"}
	refundWords  = [2]string{"退款", "\xcd\xcb\xbf\xee"}
)

// A billTable is what the parsers of one trade bill or summary share.
type billTable struct {
	pre     preamble
	at      [billColumnCount]int16 // cell of a column, -1 if the header has none
	roles   []billColumn           // column of a cell, billColumnCount if it is unknown
	header  []string               // as written
	account uint32                 // word of the account
	noOwner bool                   // no account anywhere: merchant_unknown
	flags   uint8
	stores  bool // totals by store are wanted: the run has a summary

	mu      sync.Mutex
	parsers []*billParser
	notes   []billNote // the lines after the list, in no order
	tails   []billNote // V28b: the totals' header and value lines

	totals  billTotals // of all parsers, after the last row
	summary summaryRows
}

// A billNote is a line that is no row.
type billNote struct {
	line  int32
	text  string
	cells []string
}

func newBillTable(pre preamble) *billTable { return &billTable{pre: pre} }

// openTradeBill reads the header of a trade bill.
func openTradeBill(t *tableReader, header []string) (func() rowParser, error) {
	names, err := openHeader(t, "trade_bill", header)
	if err != nil {
		return nil, err
	}
	b := t.bill
	b.header = header
	b.place(names)
	switch t.table.Dialect {
	case "V27", "V29", "V28b":
		b.flags |= schema.Institution
	}
	if b.at[colMerchantDiscount] < 0 {
		b.flags |= schema.NoSplit
	}
	if t.table.Account == "" {
		t.table.Account = accountInName(t.table.Member)
	}
	if t.table.Account == "" {
		t.table.Account = accountInName(t.table.Path)
	}
	owner := t.table.Account
	if owner == "" {
		owner = t.opt.DefaultMerchant
	}
	b.account = t.opt.Words.Code(owner)
	b.noOwner = owner == "" && b.flags&schema.Institution == 0 && !t.inspected
	t.finish = func(context.Context) error { return b.finish(t) }
	return func() rowParser { return newBillParser(t) }, nil
}

// place finds the columns in a normalised header.
func (b *billTable) place(names []string) {
	for i := range b.at {
		b.at[i] = -1
	}
	b.roles = make([]billColumn, len(names))
	for i, name := range names {
		b.roles[i] = billColumnCount
		if own, ok := sameColumn[name]; ok && !slices.Contains(names, own) {
			name = own
		}
		for c, column := range billColumnNames {
			if name == column && b.at[c] < 0 {
				b.at[c], b.roles[i] = int16(i), billColumn(c)
			}
		}
	}
}

// name is a column as the file calls it.
func (b *billTable) name(c billColumn) string {
	if i := b.at[c]; i >= 0 {
		return trimHeader(b.header[i])
	}
	return billColumnNames[c]
}
