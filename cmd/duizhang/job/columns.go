package job

import (
	"slices"
	"strings"

	"duizhang/engine/schema"
)

// columnNames are the columns of each kind, each with its Chinese names after it,
// as the contract has them. The columns of bills and of other systems' lists have their
// Chinese names alone: those of formats by which they are known or read.
var columnNames = map[schema.InputKind][]string{
	schema.AlipayBill: {
		"支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员", "终端号",
		"对方账户", "订单金额", "商家实收", "支付宝红包", "集分宝", "支付宝优惠", "商家优惠", "券核销金额", "券名称",
		"商家红包消费金额", "卡消费金额", "退款批次号/请求号", "服务费", "分润", "备注", "商户识别号", "花呗分期数",
	},
	schema.AlipayAccount: {
		"账务流水号", "业务流水号", "商户订单号", "商品名称", "发生时间", "业务类型", "收入金额", "支出金额", "账户余额", "备注",
		"支付宝流水号", "支付宝交易号", "入账时间", "账务类型", "收入", "支出", "余额",
	},
	schema.TaobaoOrders: {
		"订单编号", "支付单号", "买家应付货款", "买家实际支付金额", "订单状态", "订单创建时间", "订单付款时间", "是否是O2O交易", "新零售导购门店id",
	},
	schema.KukeduoOrders: {
		"订单编号", "订单类型", "订单子类型", "订单状态", "支付状态", "储值抵扣", "应付金额", "订单时间",
	},
	schema.PosOrders: {
		"out_trade_no 商户订单号 订单编号", "trade_no 支付宝交易号", "merchant_pid 商户PID", "store_id 门店编号",
		"terminal_id 终端号", "operator_id 操作员", "order_time 订单时间 交易时间", "status 订单状态", "interface 支付接口",
		"channel 支付渠道", "link 直连间连", "total_amount 订单金额 应付金额", "undiscountable_amount 不可打折金额",
		"buyer_paid 实付金额", "red_packet 红包", "allowance 购物津贴", "coupon 优惠券", "coupon_name 券名称",
		"hb_fq_num 花呗分期数", "sys_service_provider_id 服务商PID", "scene 支付场景", "pay_code 付款码", "shift 班次",
		"goods_id 商品编号", "goods_name 商品名称", "quantity 数量", "price 单价",
	},
	schema.PosRefundsKind: {
		"out_trade_no 商户订单号 订单编号", "trade_no 支付宝交易号", "out_request_no 退款请求号", "merchant_pid 商户PID",
		"store_id 门店编号", "refund_time 退款时间", "refund_amount 退款金额", "mode 退款方式", "goods_id 商品编号", "quantity 数量",
	},
	schema.Rebate: {
		"period 账期", "service_provider_pid 服务商PID", "merchant_pid 商户PID", "product 产品", "trade_no 支付宝交易号",
		"out_trade_no 商户订单号", "trade_time 交易时间", "trade_amount 有效交易金额", "trade_count 有效交易笔数", "rate 费率",
		"rebate_amount 返佣金额", "adjustment 调整金额", "remark 备注",
	},
	schema.AgreementsKind: {
		"provider_pid", "product", "rate", "basis", "effective_from", "effective_to", "scale", "rounding", "cap_per_trade",
	},
	schema.ProvidersKind:      {"provider_pid", "name", "primary"},
	schema.MerchantsKind:      {"merchant_pid", "name", "fee_rate", "institution_account", "institution_id"},
	schema.StoresKind:         {"store_id", "merchant_pid", "receiving_pid", "name", "order_sync", "fee_rate"},
	schema.GoodsKind:          {"goods_id", "goods_name", "tag_price"},
	schema.CouponsKind:        {"coupon_name", "kind", "threshold", "off", "goods_ids", "store_ids"},
	schema.DevicesKind:        {"device_sn", "purchaser_pid", "signer_pid", "model", "policy_signed_on"},
	schema.DevicePoliciesKind: {"effective_from", "effective_to", "month_cap", "months", "total_cap"},
	schema.DeviceRewardsKind:  {"device_sn", "month", "reward_amount"},
}

// ColumnNames are the columns of a kind to which columns may add header names.
func ColumnNames(kind schema.InputKind) []string {
	names := make([]string, len(columnNames[kind]))
	for i, all := range columnNames[kind] {
		names[i], _, _ = strings.Cut(all, " ")
	}
	return names
}

// ColumnOf is the column of the kind that has this header cell for its name, or "".
func ColumnOf(kind schema.InputKind, header string) string {
	header = strings.TrimSpace(header)
	for _, all := range columnNames[kind] {
		names := strings.Fields(all)
		if slices.Contains(names, header) {
			return names[0]
		}
	}
	return ""
}

// NearestColumn is the column of the kind that a header cell most likely means,
// or "".
func NearestColumn(kind schema.InputKind, header string) string {
	var words []string
	of := map[string]string{}
	for _, all := range columnNames[kind] {
		names := strings.Fields(all)
		for _, name := range names {
			words = append(words, name)
			of[name] = names[0]
		}
	}
	return of[Nearest(header, words)]
}
