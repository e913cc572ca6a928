package gen

import (
	"slices"
	"strings"
)

// AccountForm says in which of its forms the account side is written (formats 3
// and 4). The movements are the same; where a form has no number of trade or order,
// no trade is tied out.
type AccountForm uint8

// The forms.
const (
	AccountS12        AccountForm = iota // 账务明细 of 2012 to 2024
	AccountS12b                          // of 2026
	AccountS13                           // of a Taobao seller
	AccountS13Book                       // the same as XLSX
	AccountS16                           // every column, in any order
	AccountPortal19                      // 资金流水 of the merchant portal
	AccountPortal15                      //
	AccountPortalBook                    // the 19 columns as XLSX
	AccountPortal8                       // without numbers of trades and orders
	AccountMixed                         // another form for each merchant, but the last
)

// AccountForms are the forms' words.
var AccountForms = []string{"s12", "s12b", "s13", "s13-xlsx", "s16", "portal19", "portal15", "portal-xlsx", "portal8", "mixed"}

// accountCell is what a column of an account bill holds.
type accountCell uint8

const (
	accBlank accountCell = iota
	accSerial
	accFlow
	accTradeNo
	accNumber
	accTime
	accPeer
	accIn
	accOut
	accBalance
	accChannel
	accKind
	accText   // 业务描述
	accSource // 业务账单来源
	accBase   // 业务基础订单号
	accSubject
)

// accountColumnsByName are the columns by their names, without units.
var accountColumnsByName = map[string]accountCell{
	"序号": accSerial, "账务流水号": accFlow, "支付宝流水号": accFlow, "业务流水号": accTradeNo, "支付宝交易号": accTradeNo,
	"商户订单号": accNumber, "发生时间": accTime, "入账时间": accTime, "对方账号": accPeer, "对方账户": accPeer,
	"收入金额": accIn, "收入": accIn, "支出金额": accOut, "支出": accOut, "账户余额": accBalance, "余额": accBalance,
	"交易渠道": accChannel, "业务类型": accKind, "账务类型": accKind, "业务描述": accText, "业务账单来源": accSource,
	"业务基础订单号": accBase, "商品名称": accSubject,
}

// accountSign says how 支出 is signed.
type accountSign uint8

const (
	signOfMerchant accountSign = iota // as the merchant's other bills
	signNegative
	signPositive
)

// An accountLayout is a form of the account bill.
type accountLayout struct {
	header string
	sign   accountSign
	none   string // of an amount that is not there
	blank  string // of any other cell
	tab    bool   // after ids
	portal bool   // newest row first, without a title or totals
	book   bool
	shaken bool // columns in any order

	names   []string
	columns []accountCell
}

const (
	s13Header      = "账务流水号,业务流水号,商品名称,发生时间,收入金额（+元）,支出金额（-元）,账户余额（元）,业务类型,备注,商户订单号,对方账号,业务描述,业务基础订单号"
	portal19Header = "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,对方账户,对方名称,银行订单号,商品名称,备注,业务基础订单号,业务订单号,业务账单来源,业务描述,付款备注"
)

var accountLayouts = [AccountMixed]accountLayout{
	AccountS12: {
		header: "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注",
		none:   "0.00", tab: true,
	},
	AccountS12b: {
		header: "账务流水号,业务流水号,商品名称,发生时间,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注,商户订单号,对方账号",
		none:   " ", tab: true,
	},
	AccountS13:     {header: s13Header, sign: signNegative, tab: true},
	AccountS13Book: {header: s13Header, sign: signNegative, book: true},
	AccountS16: {
		header: "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注,业务描述,业务账单来源,业务基础订单号,业务订单号",
		none:   "0", sign: signPositive, tab: true, shaken: true,
	},
	AccountPortal19: {header: portal19Header, sign: signPositive, none: " ", blank: " ", portal: true},
	AccountPortal15: {
		header: "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,对方账户,对方名称,银行订单号,商品名称,备注,业务描述",
		sign:   signPositive, none: " ", blank: " ", portal: true,
	},
	AccountPortalBook: {header: portal19Header, sign: signPositive, portal: true, book: true},
	AccountPortal8: {
		header: "入账时间,账务类型,收入（+元）,支出（-元）,业务描述,支付宝流水号,业务基础订单号,余额（元）",
		sign:   signPositive, none: " ", blank: " ", portal: true,
	},
}

// layAccounts puts the columns of every form in their order of the day.
func (w *world) layAccounts() {
	r := streamOf(w.cfg.Seed, 0, 0xacc2)
	for form := range w.accountLayouts {
		layout := &w.accountLayouts[form]
		*layout = accountLayouts[form]
		layout.names = strings.Split(layout.header, ",")
		if layout.shaken {
			for i := len(layout.names) - 1; i > 0; i-- {
				k := r.n(int64(i + 1))
				layout.names[i], layout.names[k] = layout.names[k], layout.names[i]
			}
		}
		for _, name := range layout.names {
			plain, _, _ := strings.Cut(name, "（")
			layout.columns = append(layout.columns, accountColumnsByName[plain])
		}
	}
}

// accountLayout is the form of a merchant's account bill.
func (w *world) accountLayout(m int) *accountLayout {
	form := w.cfg.AccountForm
	if form == AccountMixed {
		form = AccountForm((uint64(m) + w.cfg.Seed) % uint64(AccountPortal8))
	}
	return &w.accountLayouts[form]
}

func (l *accountLayout) has(c accountCell) bool { return slices.Contains(l.columns, c) }
