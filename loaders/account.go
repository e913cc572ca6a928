package loaders

import (
	"context"
	"slices"
	"sync"

	"duizhang/engine/schema"
)

// The columns of an account bill (formats 3) and of the portal's 资金流水 (formats
// 4), by what they mean.
type accountColumn uint8

const (
	accFlow accountColumn = iota
	accTradeNo
	accOutTradeNo
	accTime
	accType
	accIncome
	accExpense
	accBalance
	accSubject
	accRemark
	accountColumnCount // of a cell: text that nothing depends on
)

// accountNames are the columns' names, those of the portal last.
var accountNames = [accountColumnCount][]string{
	accFlow:       {"账务流水号", "支付宝流水号"},
	accTradeNo:    {"业务流水号", "支付宝交易号"},
	accOutTradeNo: {"商户订单号"},
	accTime:       {"发生时间", "入账时间"},
	accType:       {"业务类型", "账务类型"},
	accIncome:     {"收入金额", "收入"},
	accExpense:    {"支出金额", "支出"},
	accBalance:    {"账户余额", "余额"},
	accSubject:    {"商品名称"},
	accRemark:     {"备注"},
}

// optional tells the columns that a row may lack at its end, and in which a byte
// that does not decode spoils nothing.
func (c accountColumn) optional() bool { return c >= accSubject }

// An accountTable is what the parsers of one account bill share.
type accountTable struct {
	pre       preamble
	at        [accountColumnCount]int16 // cell of a column, -1 if the header has none
	roles     []accountColumn           // column of a cell
	header    []string                  // as written
	texts     []int                     // cells of 商品名称 and 备注, in which a comma may stand
	account   uint32                    // word of the account
	noOwner   bool                      // no account anywhere: merchant_unknown
	needsType bool                      // the portal's 账务类型 is required

	mu      sync.Mutex
	parsers []*accountParser
	notes   []billNote // the lines after the list, in no order

	totals  accountTotals // of all parsers, after the last row
	footers accountFooters
}

// openAccountBill reads the header of an account bill or of the portal's export.
func openAccountBill(t *tableReader, header []string) (func() rowParser, error) {
	names, err := openHeader(t, t.formatName, header)
	if err != nil {
		return nil, err
	}
	b := &accountTable{pre: t.bill.pre, header: header, needsType: t.formatName == "fund_flow"}
	t.movements = b
	b.place(names)
	t.table.Linked = b.at[accTradeNo] >= 0 || b.at[accOutTradeNo] >= 0
	if !t.table.Linked {
		t.problem(schema.Problem{
			Code: "account_unlinked",
			Message: say(t.opt.Lang, "没有交易号和商户订单号列：不能与业务明细逐笔核对，只按业务类型合计；请导出带这些列的账务明细或资金流水",
				"it has no column of trade or order numbers: trades are not tied out with it, only totalled by 业务类型; export the account bill or fund flow with these columns"),
		})
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
	b.noOwner = owner == "" && !t.inspected
	t.finish = func(context.Context) error { return b.finish(t) }
	return func() rowParser { return newAccountParser(t) }, nil
}

// place finds the columns in a normalised header.
func (b *accountTable) place(names []string) {
	for i := range b.at {
		b.at[i] = -1
	}
	b.roles = make([]accountColumn, len(names))
	for i, name := range names {
		b.roles[i] = accountColumnCount
		for c, columns := range accountNames {
			if slices.Contains(columns, name) && b.at[c] < 0 {
				b.at[c], b.roles[i] = int16(i), accountColumn(c)
			}
		}
		if c := b.roles[i]; c == accSubject || c == accRemark {
			b.texts = append(b.texts, i)
		}
	}
}

// name is a column as the file calls it.
func (b *accountTable) name(c accountColumn) string {
	if i := b.at[c]; i >= 0 {
		return trimHeader(b.header[i])
	}
	return accountNames[c][0]
}

// optionalFrom tells whether the columns from the n-th cell on are optional text.
func (b *accountTable) optionalFrom(n int) bool {
	return !slices.ContainsFunc(b.roles[n:], func(c accountColumn) bool { return !c.optional() })
}
