package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"duizhang/rules"
)

// A refundStep is what one refund returns.
type refundStep struct {
	Refund      string `json:"refund"`
	Refused     bool   `json:"refused"`
	Cumulative  string `json:"cumulative"`
	Paid        string `json:"paid"`
	RedPacket   string `json:"red_packet"`
	Allowance   string `json:"allowance"`
	Coupon      string `json:"coupon"`
	MerchantRed string `json:"merchant_red_packet"`
	Returned    string `json:"returned"`
	Left        string `json:"left"`
}

// A refundResult is what refund prints.
type refundResult struct {
	Total   string       `json:"total"`
	Refunds []refundStep `json:"refunds"`
}

func (a *app) refundCommand() *cobra.Command {
	amounts := map[rules.Fund]*string{}
	var refunds []string
	cmd := &cobra.Command{
		Use:   "refund",
		Short: a.say("计算器：退款如何拆分到实付、红包、津贴、优惠券", "calculator: how refunds fall on payment, red packet, allowance and coupon"),
		Long: a.say(`按智慧门店规则（规则 5）拆分一笔订单的历次退款：先退实付，再退红包，津贴要么全退要么不退，
优惠券和商家红包不退。不给 --refund 时从标准输入读取，每行一笔退款金额。`,
			`Splits the refunds of one order as the smart_store policy says (rules 5): first what the buyer
paid, then the red packet, then the allowance if all of it is covered; coupon and merchant
red packet do not come back. Without --refund, amounts are read from standard input, one a line.`),
		Example: `  duizhang refund --paid 77 --red-packet 5 --allowance 8 --coupon 10 --refund 60 --refund 20
  printf '60\n40\n' | duizhang refund --paid 77 --red-packet 5 --allowance 8 --coupon 10 --json`,
		Args: a.exactly(0, "refund 不带参数；请用 --paid 和 --refund", "refund takes no arguments; use --paid and --refund"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var funding rules.Funding
			for _, fund := range funds {
				value, err := rules.ParseFen([]byte(*amounts[fund.fund]))
				if err != nil || value < 0 {
					return usage(a.say("--%s: %q: 应为不小于 0、最多两位小数的金额", "--%s: %q: must be an amount of 0 or more with at most two decimals", fund.flag, *amounts[fund.fund]), "")
				}
				funding[fund.fund] = value
			}
			if funding.Total() == 0 {
				return usage(a.say("订单金额为 0；请至少给 --paid", "the order's total is 0; give --paid at least"), "")
			}
			if len(refunds) == 0 {
				err := a.eachLine(cmd.InOrStdin(), func(words []string) error {
					refunds = append(refunds, words...)
					return nil
				})
				if err != nil {
					return err
				}
			}
			result, err := a.splitRefunds(funding, refunds)
			if err != nil {
				return err
			}
			return a.printRefunds(result)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, fund := range funds {
		amounts[fund.fund] = flags.String(fund.flag, "0", a.say(fund.zh, fund.en))
	}
	flags.StringArrayVar(&refunds, "refund", nil, a.say("退款金额，按先后可重复", "a refund's amount; may be repeated, in their order"))
	return cmd
}

var funds = []struct {
	fund         rules.Fund
	flag, zh, en string
}{
	{rules.FundPaid, "paid", "实付", "what the buyer paid"},
	{rules.FundRedPacket, "red-packet", "红包", "red packet"},
	{rules.FundAllowance, "allowance", "购物津贴", "shopping allowance"},
	{rules.FundCoupon, "coupon", "优惠券", "coupon"},
	{rules.FundMerchantRed, "merchant-red", "商家红包", "merchant red packet"},
}

func (a *app) splitRefunds(funding rules.Funding, refunds []string) (refundResult, error) {
	policy := rules.SmartStore()
	result := refundResult{Total: funding.Total().String(), Refunds: []refundStep{}}
	var sum rules.Fen
	for _, text := range refunds {
		amount, err := rules.ParseFen([]byte(text))
		if err != nil || amount <= 0 {
			return result, usage(a.say("--refund: %q: 应为大于 0、最多两位小数的金额", "--refund: %q: must be an amount above 0 with at most two decimals", text), "")
		}
		back, ok := policy.Step(funding, sum, sum+amount)
		if ok {
			sum += amount
		}
		result.Refunds = append(result.Refunds, refundStep{
			Refund: amount.String(), Refused: !ok, Cumulative: sum.String(),
			Paid: back[rules.FundPaid].String(), RedPacket: back[rules.FundRedPacket].String(),
			Allowance: back[rules.FundAllowance].String(), Coupon: back[rules.FundCoupon].String(),
			MerchantRed: back[rules.FundMerchantRed].String(), Returned: back.Total().String(),
			Left: policy.Left(funding, sum).String(),
		})
	}
	return result, nil
}

func (a *app) printRefunds(result refundResult) error {
	if a.json {
		return a.printJSON(result)
	}
	fmt.Fprintln(a.stdout, a.say("订单金额 %s", "order total %s", result.Total))
	t := newTable(0, 1, 2, 3, 4, 5, 6, 7)
	t.row(a.say("退款", "refund"), a.say("累计", "cumulative"), a.say("实付", "paid"), a.say("红包", "red packet"),
		a.say("津贴", "allowance"), a.say("优惠券", "coupon"), a.say("退回合计", "returned"), a.say("还可退", "left"), "")
	for _, r := range result.Refunds {
		note := ""
		if r.Refused {
			note = a.say("拒绝：超过订单金额（refund_exceeds_total）", "refused: above the total (refund_exceeds_total)")
		}
		t.row(r.Refund, r.Cumulative, r.Paid, r.RedPacket, r.Allowance, r.Coupon, r.Returned, r.Left, note)
	}
	t.write(a.stdout)
	return nil
}
