package reports

import (
	"strings"

	"duizhang/rules"
)

// A breakText is what a finance person reads of a kind of break: its title, what
// has been found, and what to do next. In Detail, {amount} is the amount at
// stake; what is expected and found follows by itself (breaks.go).
type breakText struct{ Title, Detail, Do string }

// breakTexts are the words of every break code, in Chinese and in English.
// 长款 is money that Alipay has and the POS does not explain (+); 短款 is money
// that the POS counts and Alipay does not have (−).
var breakTexts = map[rules.BreakCode][2]breakText{
	rules.BreakBillOnly: {
		{"长款：支付宝有、POS 无", "长款 +{amount}：支付宝已收款，POS 没有这笔订单", "核对该门店该时刻的小票：补录漏传的 POS 订单；查无销售的，联系顾客后退款"},
		{"Over: in Alipay, not in the POS", "over +{amount}: Alipay has received the payment, the POS has no such order", "look for the receipt at this store and time: enter an order that was not uploaded; if nothing was sold, refund the customer"},
	},
	rules.BreakRefundBillOnly: {
		{"退款：支付宝有、POS 无", "短款 -{amount}：支付宝已退款，POS 没有这笔退款", "查明谁在商家中心或接口发起了退款：确认有退货的，在 POS 补录；没有退货的，按资损上报"},
		{"Refund in Alipay, not in the POS", "short -{amount}: Alipay has paid a refund, the POS has none", "find out who refunded through the portal or the API: enter the return in the POS, or report the loss if nothing came back"},
	},
	rules.BreakPOSOnly: {
		{"短款：POS 有、支付宝无", "短款 -{amount}：POS 记为已支付，支付宝没有收款", "先确认账单是否齐全、是否属于次日；仍无的，核对小票上的支付宝交易号，未实际收款的作废该单并追查收银"},
		{"Short: in the POS, not in Alipay", "short -{amount}: the POS counts the order as paid, Alipay has no payment", "make sure that all bills are there and that it is not in the next day's; then check the trade number on the receipt, void an order that was never paid and look into the till"},
	},
	rules.BreakRefundPOSOnly: {
		{"退款：POS 有、支付宝无", "长款 +{amount}：POS 已记退款，支付宝没有退出", "确认退款请求是否失败或落在次日：失败的重新发起退款，已用现金退的在 POS 改为现金"},
		{"Refund in the POS, not in Alipay", "over +{amount}: the POS has booked a refund, Alipay has not paid it", "see whether the request failed or falls into the next day: send it again, or book it as cash if it was paid in cash"},
	},
	rules.BreakAmountMismatch: {
		{"金额不符", "同一笔订单两边金额不同，相差 {amount}", "以支付宝实收为准核对小票：改价、抹零或手工录入错误的，更正 POS 金额"},
		{"Amounts differ", "the two sides have different amounts for one order, {amount} apart", "check the receipt against what Alipay received: correct the POS where a price was changed, rounded or typed wrongly"},
	},
	rules.BreakRefundAmountMismatch: {
		{"退款金额不符", "同一笔退款两边金额不同，相差 {amount}", "核对退货单与支付宝退款记录：少退的补退，多退的更正 POS 或向顾客追回"},
		{"Refund amounts differ", "the two sides have different amounts for one refund, {amount} apart", "check the return against Alipay's refund: pay what is missing, or correct the POS and recover what was paid too much"},
	},
	rules.BreakStatusMismatch: {
		{"状态不符：支付宝已收、POS 未支付", "支付宝已收 {amount}，POS 为未支付或已取消", "货已交付的，把 POS 订单改为已支付；没有交付的，退款给顾客"},
		{"Status differs: paid in Alipay, not in the POS", "Alipay has received {amount}, the POS says unpaid or closed", "mark the order as paid if the goods were handed over; refund the customer if not"},
	},
	rules.BreakRefundStatusMismatch: {
		{"退款状态不符", "支付宝退款 {amount}，POS 退款的状态与之不符", "核对该退款在 POS 的状态并更正"},
		{"Refund status differs", "Alipay has refunded {amount}, the POS refund has another status", "check the refund's status in the POS and correct it"},
	},
	rules.BreakDuplicate: {
		{"重复行", "同一笔 {amount} 在同一侧出现多次，只计第一次", "一般是账单或导出文件的日期重叠，无需处理；否则检查是否重复上传"},
		{"Row occurs again", "the same unit of {amount} occurs more than once on one side; the first counts", "usually files that overlap in time: nothing to do; else look for a double upload"},
	},
	rules.BreakRefundDuplicate: {
		{"退款重复行", "同一笔退款 {amount} 在同一侧出现多次，只计第一次", "一般是账单或导出文件的日期重叠，无需处理；否则检查是否重复上传"},
		{"Refund row occurs again", "the same refund of {amount} occurs more than once on one side; the first counts", "usually files that overlap in time: nothing to do; else look for a double upload"},
	},
	rules.BreakDuplicateConflict: {
		{"重复行金额不一致", "同一笔在同一侧出现多次且金额不同，相差 {amount}", "确认哪一份文件正确，移除错误的文件后重跑"},
		{"Repeated rows disagree", "the same unit occurs more than once on one side with different amounts, {amount} apart", "find out which file is right, take the other away and run again"},
	},
	rules.BreakTradeNoConflict: {
		{"交易号不一致", "商户订单号相同，但两边的支付宝交易号不同，金额 {amount}", "核对小票：可能是重复支付或 POS 记错交易号；重复支付的退还顾客"},
		{"Trade numbers differ", "one order number, but two trade numbers, amount {amount}", "check the receipt: a double payment, or a wrong number in the POS; refund a double payment"},
	},
	rules.BreakAmountIdentity: {
		{"金额勾稽不平", "一行之内的各项金额加不出总额，相差 {amount}", "核对源文件该行；文件经手工改动的，重新下载原始文件"},
		{"Amounts of a row do not add up", "the amounts within one row do not add up to its total, {amount} apart", "look at the row in its file; download the file again if it was edited"},
	},
	rules.BreakFundingMismatch: {
		{"支付构成不一致", "POS 与支付宝的实付、红包、优惠构成不同，最大相差 {amount}", "以支付宝账单为准；检查 POS 优惠与红包的回传字段"},
		{"Funding differs", "the POS and Alipay disagree on what was paid by the buyer, red packets and discounts, by {amount} at most", "the bill is right; check the fields in which the POS receives discounts and red packets"},
	},
	rules.BreakPriceUnknown: {
		{"商品无价格，未分摊", "订单 {amount} 中有商品既无单价也无吊牌价，无法分摊", "在商品档案补吊牌价，或让 POS 上传单价后重跑"},
		{"Goods without a price, not allocated", "an order of {amount} has goods with neither a price nor a tag price and cannot be allocated", "add the tag price to the goods register, or have the POS send prices, and run again"},
	},
	rules.BreakGoodsIncomplete: {
		{"商品行拒收，未分摊", "订单 {amount} 有商品行拒收，未做分摊", "按拒收清单修正商品行后重跑"},
		{"Goods lines rejected, not allocated", "an order of {amount} has goods lines that were rejected; it is not allocated", "put the lines right as the list of rejects says, and run again"},
	},
	rules.BreakCouponThreshold: {
		{"未达券门槛却已核销", "订单未达到优惠券使用门槛，已优惠 {amount}", "检查 POS 的券校验规则；属恶意核销的，向收银追责"},
		{"Coupon below its threshold", "the order does not reach the coupon's threshold, {amount} was taken off", "check how the POS verifies coupons; look into the till where it was done on purpose"},
	},
	rules.BreakAllowanceStep: {
		{"购物津贴超过满减上限", "购物津贴比每满减规则多 {amount}", "检查津贴活动设置与 POS 计算"},
		{"Allowance above its steps", "the allowance is {amount} more than its steps give", "check the campaign's settings and the calculation in the POS"},
	},
	rules.BreakCouponGoodsLimit: {
		{"券商品数达到上限", "一张券所列商品达到或超过 3000 个", "拆分为多张券，否则部分商品不能核销"},
		{"Coupon lists too many goods", "a coupon lists 3000 goods or more", "divide it into several coupons, or some goods will not redeem it"},
	},
	rules.BreakGoodsFieldMissing: {
		{"商品字段缺失", "该终端上传的订单缺少门店或商品必填字段", "让 POS 厂商补齐 store_id、goods_id、goods_name、quantity、price"},
		{"Goods fields missing", "orders of this terminal lack required store or goods fields", "have the POS vendor send store_id, goods_id, goods_name, quantity and price"},
	},
	rules.BreakGoodsUnknown: {
		{"商品未发布", "商品编号不在商品档案中", "在商品档案发布该商品，或更正编号"},
		{"Goods not published", "the goods_id is not in the goods register", "publish the goods, or correct the number"},
	},
	rules.BreakPayCode: {
		{"付款码不合规", "条码支付的付款码格式不对", "检查扫码设备与 POS 上传的付款码字段"},
		{"Payment code malformed", "the payment code of a bar-code payment has a wrong form", "check the scanner and the field in which the POS sends it"},
	},
	rules.BreakHuabeiOnFace: {
		{"刷脸支付带花呗分期", "刷脸支付不支持花呗分期，订单却两者都有", "核对 POS 上传的场景与分期数"},
		{"Instalments on a face payment", "face payment offers no Huabei instalments, but the order has both", "check the scene and the instalments that the POS sends"},
	},
	rules.BreakStoreUnknown: {
		{"门店未登记", "订单 {amount} 的门店不在门店档案中", "在门店档案登记并发布该门店，或更正 POS 的门店编号"},
		{"Store not registered", "an order of {amount} has a store that is not in the register", "register and publish the store, or correct the store number in the POS"},
	},
	rules.BreakStoreSyncOff: {
		{"门店未开订单同步", "订单 {amount} 的门店没有打开订单同步，券与红包在该店不能核销", "在后台打开该门店的订单同步"},
		{"Order sync is off", "an order of {amount} is of a store whose order sync is off: coupons and red packets do not redeem there", "switch the store's order sync on"},
	},
	rules.BreakRefundSplit: {
		{"退款拆分不符", "支付宝退回的实付、红包、优惠与规则不同，最大相差 {amount}", "核对该订单的支付构成与历次退款；规则无误的向支付宝提工单"},
		{"Refund split differs", "what Alipay returned of payment, red packet and discount differs from the rule, by {amount} at most", "check the order's funding and its earlier refunds; if the rule holds, ask Alipay"},
	},
	rules.BreakRefundExceedsTotal: {
		{"退款超过订单金额", "累计退款超出订单金额 {amount}", "立即核实是否重复退款，追回多退部分"},
		{"Refunds exceed the order", "the refunds together exceed the order by {amount}", "find out at once whether a refund was paid twice, and recover what was paid too much"},
	},
	rules.BreakRefundRequest: {
		{"退款申请金额不符", "POS 申请的退款金额与所退商品按退款方式应退的金额相差 {amount}", "核对退款方式（整单、方案一、方案二、方案三）与所退商品数量"},
		{"Refund request differs", "the amount that the POS asked for differs by {amount} from what the returned goods give", "check the refund mode and the quantities returned"},
	},
	rules.BreakRefundOrphan: {
		{"退款找不到原订单", "账单中的退款 {amount} 在当日输入与历史中都没有原订单", "原订单在更早日期的，补齐历史账单；否则核实退款来源"},
		{"Refund without its order", "a refund of {amount} has no order in the inputs or in the history", "add the bills of the earlier day; if there is no order, find out where the refund comes from"},
	},
	rules.BreakPIDMissing: {
		{"返佣损失：未传服务商 PID", "交易没有携带服务商 PID，损失返佣 {amount}，不可申诉", "在该收银终端的支付参数中补上 sys_service_provider_id"},
		{"Rebate lost: PID missing", "the trade carried no provider PID: rebate of {amount} lost, no appeal", "set sys_service_provider_id in this till's payment parameters"},
	},
	rules.BreakPIDWrongKey: {
		{"返佣损失：PID 字段名写错", "PID 传在错误的字段名下，损失返佣 {amount}，不可申诉", "把字段名改为 extend_params 中的 sys_service_provider_id"},
		{"Rebate lost: PID under a wrong key", "the PID was sent under another key: rebate of {amount} lost, no appeal", "send it as sys_service_provider_id in extend_params"},
	},
	rules.BreakPIDDamaged: {
		{"返佣损失：PID 被表格软件改坏", "PID 末位被改成 0 或成为科学计数，损失返佣 {amount}，不可申诉", "把终端配置中的 PID 重新按文本填写 16 位完整数字"},
		{"Rebate lost: PID damaged by a spreadsheet", "the PID's last digit was turned to 0, or it became a floating number: rebate of {amount} lost, no appeal", "type the PID's 16 digits into the till's configuration again, as text"},
	},
	rules.BreakPIDMalformed: {
		{"返佣损失：PID 格式错误", "PID 不是 2088 开头的 16 位数字，损失返佣 {amount}，不可申诉", "更正该收银终端的 PID"},
		{"Rebate lost: PID malformed", "the PID is not 16 digits beginning 2088: rebate of {amount} lost, no appeal", "correct the PID of this till"},
	},
	rules.BreakPIDIsMerchant: {
		{"返佣损失：填了商户 PID", "服务商 PID 填成了商户（自己的或另一家的）的 PID，损失返佣 {amount}，不可申诉", "把该收银终端的 PID 改为服务商 PID"},
		{"Rebate lost: the merchant's PID", "the PID sent is a merchant's, the trade's own or another: rebate of {amount} lost, no appeal", "set the provider's PID at this till"},
	},
	rules.BreakPIDNotEffective: {
		{"返佣损失：协议不在有效期", "PID 的返佣协议在交易日不生效，损失返佣 {amount}，不可申诉", "续签协议，或改用在有效期内的服务商 PID"},
		{"Rebate lost: agreement not in force", "the PID's agreement was not in force on the day: rebate of {amount} lost, no appeal", "renew the agreement, or use a PID whose agreement is in force"},
	},
	rules.BreakPIDUnsigned: {
		{"返佣损失：PID 未签约该产品", "PID 是自有的，但没有签该产品的返佣协议，损失返佣 {amount}，不可申诉", "为该 PID 签约，或改用已签约的 PID"},
		{"Rebate lost: PID has not signed", "the PID is our own but has no agreement for the product: rebate of {amount} lost, no appeal", "sign the agreement for this PID, or use one that has signed"},
	},
	rules.BreakPIDForeign: {
		{"返佣损失：填了他人的 PID", "PID 属于其他服务商，返佣 {amount} 归了别人，不可申诉", "立即更正该收银终端的 PID，并查明来源"},
		{"Rebate lost: somebody else's PID", "the PID is another provider's: rebate of {amount} went there, no appeal", "correct the till's PID at once and find out where it came from"},
	},
	rules.BreakPIDUnknown: {
		{"PID 未知：没有 POS 订单", "交易没有对应的 POS 订单，不知道传了哪个 PID，涉及返佣 {amount}", "先处理该笔长款；补录订单后重跑"},
		{"PID unknown: no POS order", "the trade has no POS order, so that the PID sent is not known; rebate of {amount}", "settle the missing order first, then run again"},
	},
	rules.BreakStatementTerms: {
		{"返佣账单口径不同", "返佣账单的交易金额、费率或笔数与我方不同，影响 {amount}", "核对协议费率与计算基数；仅供参考，不计入差异"},
		{"Statement terms differ", "the statement's amount, rate or count differs from ours, by {amount}", "check the agreement's rate and basis; for information only"},
	},
	rules.BreakStatementUnearned: {
		{"不应得的返佣", "PID 不符合条件却收到返佣 {amount}", "留意后续可能被追回；仅供参考"},
		{"Rebate not earned", "a rebate of {amount} was paid although the PID does not qualify", "it may be taken back later; for information only"},
	},
	rules.BreakStatementMissing: {
		{"返佣缺失：可申诉", "返佣账单没有这笔交易，少收 {amount}", "随申诉包向支付宝申诉"},
		{"Rebate missing: to be claimed", "the statement does not have the trade: {amount} was not paid", "claim it with the claim pack"},
	},
	rules.BreakStatementShort: {
		{"返佣少付：可申诉", "返佣账单少付 {amount}", "随申诉包向支付宝申诉"},
		{"Rebate short: to be claimed", "the statement pays {amount} less than expected", "claim it with the claim pack"},
	},
	rules.BreakStatementOver: {
		{"返佣多付", "返佣账单多付 {amount}", "核对协议；确属多付的，预留退还"},
		{"Rebate overpaid", "the statement pays {amount} more than expected", "check the agreement; set the amount aside if it was overpaid"},
	},
	rules.BreakStatementOrphan: {
		{"返佣找不到交易", "返佣账单有 {amount}，但输入与历史中都没有该交易", "补齐该交易所属日期的账单，或向支付宝核实"},
		{"Rebate without a trade", "the statement pays {amount} for a trade that is in no input and not in the history", "add the bills of the trade's day, or ask Alipay"},
	},
	rules.BreakStatementDuplicate: {
		{"返佣重复", "同一交易、产品、账期的返佣重复出现，多付 {amount}", "核对是否重复入账，预留退还"},
		{"Rebate paid twice", "the same trade, product and period occurs again: {amount} beyond", "see whether it was booked twice, and set it aside"},
	},
	rules.BreakDeviceMonthCap: {
		{"设备奖励超月上限", "设备当月奖励超过上限 {amount}", "核对设备奖励政策，超出部分预留退还"},
		{"Device reward above the month's cap", "the device's reward is {amount} above the month's cap", "check the policy, and set the excess aside"},
	},
	rules.BreakDeviceTotalCap: {
		{"设备奖励超总上限", "设备累计奖励超过总上限 {amount}", "核对设备奖励政策，超出部分预留退还"},
		{"Device reward above the total cap", "the device's rewards together are {amount} above the cap", "check the policy, and set the excess aside"},
	},
	rules.BreakDeviceMonthCount: {
		{"设备奖励超月数", "设备奖励超过政策规定的月数，涉及 {amount}", "核对起始月份与政策，超出部分预留退还"},
		{"Device reward beyond its months", "the device was rewarded beyond the policy's months, {amount}", "check the first month and the policy, and set the excess aside"},
	},
	rules.BreakDeviceUnsigned: {
		{"设备未签奖励政策", "设备的签约人没有签署奖励政策，却有奖励 {amount}", "核对设备转让与签约记录"},
		{"Device policy not signed", "the device's signer has not signed the policy, but {amount} was paid", "check to whom the device was transferred and what was signed"},
	},
	rules.BreakDeviceUnknown: {
		{"设备不在档案中", "奖励账单中的设备不在设备档案中，涉及 {amount}", "补录设备档案，或更正设备序列号"},
		{"Device not registered", "a device of the reward statement is not registered, {amount}", "register the device, or correct its serial number"},
	},
	rules.BreakFeeMismatch: {
		{"手续费不符", "服务费与签约费率算出的相差 {amount}", "核对门店或商户的签约费率；费率无误的向支付宝提工单"},
		{"Service fee differs", "the service fee differs by {amount} from the contract's rate", "check the store's or the merchant's rate; if it is right, ask Alipay"},
	},
	rules.BreakAccountMissing: {
		{"账务明细缺这笔", "业务明细有这笔交易，账务明细没有，应入账 {amount}", "确认账务明细的日期与收款账号；确属未入账的联系支付宝"},
		{"Missing from the account bill", "the trade bill has the trade, the account bill has not; {amount} should have been credited", "check the account bill's day and account; ask Alipay if it was not credited"},
	},
	rules.BreakAccountMismatch: {
		{"账务入账金额不符", "账务明细的净入账与业务明细相差 {amount}", "核对实收、服务费与分润；差异属手续费的先查费率"},
		{"Account bill differs", "the net credit of the account bill differs by {amount} from the trade bill", "check receipt, service fee and royalty; look at the fee rate first"},
	},
	rules.BreakControlTotal: {
		{"控制总额不符", "文件标明的笔数或金额与实际读到的不同，相差 {amount}", "文件不完整或被改动：重新下载原始文件后重跑"},
		{"Control total does not hold", "the file states another count or amount than was read, {amount} apart", "the file is incomplete or was edited: download it again and run again"},
	},
	rules.BreakDialectDrift: {
		{"文件格式有变化", "文件的列、编码或版式与以前的同类文件不同", "确认取数无误；列改了名的，在作业文件的 columns 里加上新列名"},
		{"The file's format has changed", "the columns, encoding or dialect are not those of earlier files of this source", "make sure that the figures are right; add a renamed column's new name to columns in the job file"},
	},
}

// text gives a break's words in a language.
func (l Lang) text(code rules.BreakCode) breakText {
	t := breakTexts[code][l.index()]
	if t.Title == "" {
		t.Title = code.String()
	}
	return t
}

// index is the language's place in the pairs of texts.
func (l Lang) index() int {
	if l == English {
		return 1
	}
	return 0
}

// pick chooses the text of the language.
func (l Lang) pick(zh, en string) string {
	if l == English {
		return en
	}
	return zh
}

// reasonTexts say more about a break's reason.
var reasonTexts = map[string][2]string{
	"o2o_passport":       {"智慧门店线下订单，已在线下对账", "an offline order of the smart store, reconciled there"},
	"online_order":       {"线上订单", "an online order"},
	"not_face_pay":       {"非刷脸支付", "not a face payment"},
	"other_channel":      {"非支付宝支付", "not paid by Alipay"},
	"not_paid":           {"未支付", "not paid"},
	"zero_amount":        {"全额优惠，支付宝无记录", "all coupon: Alipay never sees it"},
	"paid_twice":         {"同一订单支付了两次，这是第二笔", "the order was paid twice, this is the second payment"},
	"merchant_differs":   {"两边商户 PID 不同，按交易号对上", "the merchant PIDs differ; matched by the trade number"},
	"cancelled_refunded": {"订单已取消且已全额退款", "cancelled and refunded in full"},
	"pos_rejected":       {"对应的 POS 订单拒收，见拒收清单", "its POS order was rejected, see the rejects"},
}

// whatTexts name the columns that expected and found amounts are of.
var whatTexts = map[string][2]string{
	"paid":          {"实付", "payment"},
	"buyer_paid":    {"实付", "buyer's payment"},
	"red_packet":    {"红包", "red packet"},
	"red":           {"红包", "red packet"},
	"allowance":     {"购物津贴", "allowance"},
	"coupon":        {"优惠券", "coupon"},
	"received":      {"商家实收", "received"},
	"service_fee":   {"服务费", "service fee"},
	"total_amount":  {"订单金额", "order amount"},
	"pos_amount":    {"POS 金额", "POS amount"},
	"bill_amount":   {"支付宝金额", "bill amount"},
	"refund_amount": {"退款金额", "refund amount"},
	"rebate_amount": {"返佣金额", "rebate amount"},
	"trade_amount":  {"交易金额", "trade amount"},
	"trade_count":   {"交易笔数", "trade count"},
	"rate":          {"费率", "rate"},
	"discount":      {"商家优惠", "merchant discount"},
	"amount":        {"金额", "amount"},

	"receipt_amount":    {"报文的实收 receipt_amount", "receipt_amount of the message"},
	"buyer_pay_amount":  {"报文的买家实付 buyer_pay_amount", "buyer_pay_amount of the message"},
	"invoice_amount":    {"报文的可开票金额 invoice_amount", "invoice_amount of the message"},
	"allowance+coupon":  {"购物津贴与优惠券", "allowance and coupon"},
	"商家实收":              {"商家实收", "received"},
	"服务费":               {"服务费", "service fee"},
	"face_to_face":      {"当面付", "face_to_face"},
	"huabei_instalment": {"花呗分期", "huabei_instalment"},
}

// control names a control total in words, from its machine name:
//
//	payments.merchant_discount  ->  交易商家优惠
//	store.S001.received         ->  门店 S001 商家实收
//
// What is no part of such a name is a store's number, or stays as it is.
func (l Lang) control(name string, p Privacy) string {
	if text, ok := controlTexts[name]; ok {
		return text[l.index()]
	}
	parts := strings.Split(name, ".")
	known := len(parts) // the parts from here on have words
	for known > 0 && controlTexts[parts[known-1]][0] != "" {
		known--
	}
	var words []string
	if known > 0 {
		whose := strings.Join(parts[:known], ".")
		store, ofStore := strings.CutPrefix(whose, "store.")
		merchant, ofMerchant := strings.CutPrefix(whose, "merchant.")
		switch {
		case known == len(parts):
			return p.mobiles(name)
		case ofStore:
			words = append(words, l.pick("门店 ", "store ")+p.mobiles(store)+l.pick(" ", ""))
		case ofMerchant:
			words = append(words, l.pick("商户 ", "merchant ")+p.mobiles(merchant)+l.pick(" ", ""))
		default:
			return p.mobiles(name)
		}
	}
	for _, part := range parts[known:] {
		words = append(words, controlTexts[part][l.index()])
	}
	return strings.Join(words, l.pick("", " "))
}

// controlTexts are the words of control totals: of a whole name where there is
// more to say, else of its parts.
var controlTexts = map[string][2]string{
	"stores.count":      {"门店数", "number of stores"},
	"rows.count":        {"行数", "number of rows"},
	"settled.amount":    {"应结订单总金额", "settled order amount"},
	"refunds.amount":    {"退款金额", "refunds amount"},
	"refunds.voucher":   {"充值券退款金额", "refunds of vouchers"},
	"refunds.asked":     {"申请退款金额", "refunds asked for"},
	"payments":          {"交易", "payments"},
	"refunds":           {"退款", "refunds"},
	"total":             {"合计", "total"},
	"detail":            {"明细", "detail"},
	"count":             {"笔数", "count"},
	"amount":            {"金额", "amount"},
	"order_amount":      {"订单金额", "order amount"},
	"received":          {"商家实收", "received"},
	"discount":          {"优惠", "discount"},
	"card":              {"卡消费金额", "paid by card"},
	"fee":               {"服务费", "service fee"},
	"royalty":           {"分润", "royalty"},
	"net":               {"实收净额", "net received"},
	"merchant_discount": {"商家优惠", "merchant discount"},
	"platform_discount": {"支付宝优惠", "Alipay discount"},
	"due":               {"应返金额", "rebate due"},
	"income":            {"收入", "income"},
	"expense":           {"支出", "expense"},
	"movements":         {"总金额", "income less expense"},
}

// rejectTexts say what a reject code means and what to do.
var rejectTexts = map[rules.Code][2]string{
	rules.CodeColumnCount:     {"列数与表头不符，检查该行多余或缺少的逗号、引号", "the row has more or fewer cells than the header: look for commas and quotes"},
	rules.CodeEncoding:        {"有无法解码的字节，请从来源重新导出文件", "a byte does not decode: export the file again"},
	rules.CodeMissingValue:    {"必填的值为空，请补上", "a required value is empty: fill it in"},
	rules.CodeAmountSyntax:    {"不是金额，请改为数字，如 12.30", "not an amount: write a number such as 12.30"},
	rules.CodeAmountPrecision: {"小数位过多，金额最多两位小数", "too many decimals: an amount has two"},
	rules.CodeAmountRange:     {"金额超出范围（±9,999,999,999,999.99）", "the amount is out of range (±9,999,999,999,999.99)"},
	rules.CodeNumberSyntax:    {"不是数字，请更正", "not a number: correct it"},
	rules.CodeTimeSyntax:      {"不是时间，请写成 2026-11-20 08:30:00", "not a time: write it as 2026-11-20 08:30:00"},
	rules.CodeEnumValue:       {"不是该列允许的值，请更正", "not a value that the column allows: correct it"},
	rules.CodeIDDamaged:       {"编号已被表格软件改坏，请用原始文件（不要用 Excel 另存）", "the number was damaged by a spreadsheet: use the original file, not one saved from Excel"},
	rules.CodeMerchantUnknown: {"找不到商户 PID：在门店档案登记该门店，或在作业中设置 default_merchant", "no merchant PID: register the store, or set default_merchant in the job"},
	rules.CodeOrderConflict:   {"同一订单的各行内容不一致，整单拒收，请统一后重跑", "the lines of the order disagree, none is used: make them agree and run again"},
	rules.CodeNegativeGoods:   {"金额或单价为负，或数量不大于 0，请更正", "a negative amount or price, or a quantity of 0 or less: correct it"},
}
