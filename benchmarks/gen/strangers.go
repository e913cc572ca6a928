package gen

import (
	"fmt"
	"strings"
)

// What lies among the files of such a business and no input takes: WeChat's bills, of
// which the totals are stated, personal exports, a shop's items, another platform's
// bill, a note. Config.Strangers writes one of each into others/.

const (
	weChatHeader = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额," +
		"充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	weChatTotals     = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
	weChatFundHeader = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
	weChatFundTotals = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
	personalHeader   = "交易号                  ,商家订单号               ,交易创建时间              ,付款时间                ,最近修改时间              ,交易来源地     ," +
		"类型              ,交易对方            ,商品名称                ,金额（元）   ,收/支     ,交易状态    ,服务费（元）   ,成功退款（元）  ,备注                  ,资金状态     ,"
	receiptHeader = "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,"
)

// strangerFormats are what inspect must call the files of others/; "" is none.
var strangerFormats = [][2]string{
	{"wechat_bill.csv", "wechat_bill"},
	{"wechat_fund.csv", "wechat_fund"},
	{"微信支付账单.csv", "wechat_personal"},
	{"alipay_record.csv", "alipay_personal"},
	{"支付宝电子客户回单.csv", "alipay_personal"},
	{"ExportOrderDetailList.csv", "taobao_items"},
	{"pinduoduo.csv", "pinduoduo_bill"},
	{"说明.txt", ""},
}

func (w *world) writeStrangers(dir string) error {
	if !w.cfg.Strangers {
		return nil
	}
	for i, file := range []struct {
		encoding encoding
		fill     func(*sheet, *rng)
	}{
		{utf8, w.weChatBill},
		{utf8, w.weChatFund},
		{utf8, w.weChatPersonal},
		{gb18030, w.personalRecord},
		{gb18030, w.personalReceipt},
		{gb18030, func(s *sheet, _ *rng) {
			s.line("订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码")
			s.line(`"=""1930000000000000019""","茶,礼盒","50.00","1","SKU1","","","","交易成功","SKU1"`)
		}},
		{utf8, func(s *sheet, _ *rng) {
			s.line("#拼多多店铺账务明细查询")
			s.line("商户订单号,发生时间,收入金额（+元）,支出金额（-元）,账务类型,备注,业务描述")
			s.line("P1," + w.cfg.Date + " 10:00:00,1.00,0.00,交易收入,,x")
		}},
		{utf8, func(s *sheet, _ *rng) { s.line("今天的文件都在这里，谢谢。") }},
	} {
		s, err := createSheet(dir, "others/"+strangerFormats[i][0])
		if err != nil {
			return err
		}
		s.encoding = file.encoding
		r := streamOf(w.cfg.Seed, int64(i), 0x57a)
		file.fill(s, &r)
		if err := s.finish(); err != nil {
			return err
		}
	}
	s, err := createSheet(dir, "expected/strangers.csv")
	if err != nil {
		return err
	}
	s.line("file,format")
	for _, file := range strangerFormats {
		s.line("others/" + file[0] + "," + file[1])
	}
	return s.finish()
}

// ticked puts the backtick before every value that WeChat's bills have.
func ticked(cells ...string) string { return "`" + strings.Join(cells, ",`") }

func yuan(v fen) string { return string(appendFen(nil, v)) }

// weChatBill writes payments, refunds and a revoked payment, and their totals.
func (w *world) weChatBill(s *sheet, r *rng) {
	s.line(weChatHeader)
	var settled, refunded, asked, total, fees fen // fees in 0.00001
	n := r.between(3, 12)
	for i := range n {
		amount, back := r.between(1, 50_000), fen(0)
		state, paidFor := "SUCCESS", amount
		fee := amount * 6
		switch r.n(4) {
		case 0:
			state, back, paidFor, fee = "REFUND", amount, 0, -fee
		case 1:
			state, back, paidFor, fee = "REVOKED", amount, 0, 0
		}
		settled, total = settled+paidFor, total+paidFor
		refunded, asked, fees = refunded+back, asked+back, fees+fee
		s.line(ticked(w.cfg.Date+" "+string(appendClock(nil, r.n(midnight))), "wx1", "1600000001", "0", "", fmt.Sprintf("42000%023d", i), fmt.Sprintf("W%d", i), "u",
			"MICROPAY", state, "OTHERS", "CNY", yuan(paidFor), "0.00", "0", "0", yuan(back), "0.00", "", "", "咖啡", "", feeText(fee), "0.60%", yuan(paidFor), yuan(back), ""))
	}
	s.line(weChatTotals)
	s.line(ticked(fmt.Sprint(n), yuan(settled), yuan(refunded), "0.00", feeText(fees), yuan(total), yuan(asked)))
}

// feeText writes a fee in 0.00001 with its five decimals.
func feeText(v int64) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%05d", sign, v/100_000, v%100_000)
}

func (w *world) weChatFund(s *sheet, r *rng) {
	s.line(weChatFundHeader)
	var count [2]int64
	var sums [2]fen
	balance := fen(1_000_000)
	n := r.between(3, 12)
	for i := range n {
		amount, way := r.between(1, 50_000), r.n(2)
		count[way]++
		sums[way] += amount
		if way == 0 {
			balance += amount
		} else {
			balance -= amount
		}
		s.line(ticked(w.cfg.Date+" "+string(appendClock(nil, r.n(midnight))), "4200001", fmt.Sprintf("F%d", i), "交易", "交易",
			[]string{"收入", "支出"}[way], yuan(amount), yuan(balance), "system", "", fmt.Sprintf("V%d", i)))
	}
	s.line(weChatFundTotals)
	s.line(ticked(fmt.Sprint(n), fmt.Sprint(count[0]), yuan(sums[0]), fmt.Sprint(count[1]), yuan(sums[1])))
}

func (w *world) weChatPersonal(s *sheet, r *rng) {
	s.b = append(s.b, "\xef\xbb\xbf"...)
	s.line("微信支付账单明细,,,,,,,,,,")
	s.line("交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注")
	for i := range r.between(1, 5) {
		s.line(fmt.Sprintf("%s 10:00:00,商户消费,\"店\",\"茶\",支出,¥%s,零钱,支付成功,%d\t,%d\t,/", w.cfg.Date, yuan(r.between(1, 9999)), i+1, i+2))
	}
}

func (w *world) personalRecord(s *sheet, r *rng) {
	s.line("支付宝交易记录明细查询")
	s.line("账号:[x@example.com]")
	s.line("起始日期:[" + w.cfg.Date + " 00:00:00]    终止日期:[" + w.date.AddDate(0, 0, 1).Format("2006-01-02") + " 00:00:00]")
	s.line(strings.Repeat("-", 33) + "交易记录明细列表" + strings.Repeat("-", 36))
	s.line(personalHeader)
	n := r.between(1, 5)
	for i := range n {
		at := w.cfg.Date + " 10:00:00 "
		s.line(fmt.Sprintf("%d\t,S%d\t,%s,%s,%s,支付宝网站,即时到账交易,店,茶,%s ,支出,交易成功,0.00,0.00,,已支出,", i+1, i+1, at, at, at, yuan(r.between(1, 9999))))
	}
	s.line(strings.Repeat("-", 84))
	s.line(fmt.Sprintf("共%d笔记录", n))
}

func (w *world) personalReceipt(s *sheet, r *rng) {
	n := r.between(1, 5)
	for i := range 23 {
		switch i {
		case 1:
			s.line("导出信息：")
		case 8:
			s.line(fmt.Sprintf("共%d笔记录", n))
		default:
			s.line("说明")
		}
	}
	s.line(strings.Repeat("-", 24) + "支付宝（中国）网络技术有限公司  电子客户回单" + strings.Repeat("-", 24))
	s.line(receiptHeader)
	for i := range n {
		s.line(fmt.Sprintf("%s 10:00:00,餐饮,店,/,茶,支出,%s,余额,交易成功,%d\t,S%d\t,,", w.cfg.Date, yuan(r.between(1, 9999)), i+1, i+1))
	}
}
