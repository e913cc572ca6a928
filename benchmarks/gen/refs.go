package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// writeRegistries writes ref/.
func (w *world) writeRegistries(dir string) error {
	for _, file := range []struct {
		name string
		fill func(*sheet)
	}{
		{"ref/agreements.csv", w.agreementRows},
		{"ref/providers.csv", w.providerRows},
		{"ref/merchants.csv", w.merchantRows},
		{"ref/stores.csv", w.storeRows},
		{"ref/goods.csv", w.goodsRows},
	} {
		s, err := createSheet(dir, file.name)
		if err != nil {
			return err
		}
		file.fill(s)
		if err := s.finish(); err != nil {
			return err
		}
	}
	return nil
}

func rateText(r micro) string { return string(appendMicro(nil, r, 0)) }

func (w *world) agreementRows(s *sheet) {
	s.line("provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding,cap_per_trade")
	for p := range w.providers {
		for product, a := range w.providers[p].agreements {
			if !a.signed {
				continue
			}
			limit := ""
			if a.limit > 0 {
				limit = string(appendMicro(nil, a.limit, 2))
			}
			s.line(strings.Join([]string{
				w.providers[p].pid, productNames[product], rateText(a.rate), a.basis,
				a.from, a.to, strconv.Itoa(a.scale), "trade", limit,
			}, ","))
		}
	}
}

func (w *world) providerRows(s *sheet) {
	s.line("provider_pid,name,primary")
	for p, x := range w.providers {
		s.line(x.pid + "," + x.name + "," + strconv.FormatBool(p == primary))
	}
}

func (w *world) merchantRows(s *sheet) {
	s.line("merchant_pid,name,fee_rate")
	for _, m := range w.merchants {
		rate := ""
		if m.stated {
			rate = rateText(m.rate)
		}
		s.line(m.pid + "," + m.name + "," + rate)
	}
}

func (w *world) storeRows(s *sheet) {
	s.line("store_id,merchant_pid,name,order_sync,fee_rate")
	for i, st := range w.stores {
		rate := ""
		if st.own {
			rate = rateText(st.rate)
		}
		sync := "true"
		if w.unsynced(i) {
			sync = ""
		}
		s.line(st.id + "," + w.merchants[st.merchant].pid + "," + string(st.name.utf8) + "," + sync + "," + rate)
	}
}

func (w *world) goodsRows(s *sheet) {
	s.line("goods_id,goods_name,tag_price")
	for i, a := range w.articles {
		if !w.published(i) {
			continue
		}
		tag := ""
		if a.tag >= 0 {
			tag = string(appendFen(nil, a.tag))
		}
		s.line(string(a.cells.utf8) + "," + tag)
	}
}

// writeJob writes job.yaml.
func (w *world) writeJob(dir string) error {
	s, err := createSheet(dir, "job.yaml")
	if err != nil {
		return err
	}
	remainder, onRefund := "largest_remainder", "none"
	if w.cfg.LastLine {
		remainder = "last_line"
	}
	if w.cfg.FeesProRata {
		onRefund = "pro_rata"
	}
	pos := map[POSForm]string{
		POSTables: `  pos_orders:  ["pos/*.csv"]       # one row a goods line
  pos_refunds: ["refunds/*.csv"]`,
		POSMessages: `  pos_api:     ["api/*.jsonl"]     # messages of alipay.trade.*`,
		POSKukeduo:  `  kukeduo_orders: ["kukeduo/*.csv"]`,
		POSMixed: `  pos_orders:  ["pos/*.csv"]       # one row a goods line
  pos_refunds: ["refunds/*.csv"]
  pos_api:     ["api/*.jsonl"]     # messages of alipay.trade.*
  kukeduo_orders: ["kukeduo/*.csv"]`,
	}[w.cfg.POS]
	accounts := ""
	if w.cfg.Accounts {
		accounts = "  alipay_account: [\"account/*\"]   # 账务明细, 资金流水\n"
	}
	if w.cfg.Taobao != NoTaobao {
		pos += "\n  taobao_orders: [\"taobao/*\"]       # the order list of the Tmall shop"
	}
	further := ""
	if w.cfg.Registries {
		further = `
  coupons:     ["ref/coupons.csv"]
  devices:     ["ref/devices.csv"]
  device_policies: ["ref/device_policies.csv"]
  device_rewards:  ["rebate_devices/*.csv"]`
	}
	s.line(fmt.Sprintf(`# A synthetic day, seed %d. What a run must find is in expected/.
date: %s                 # the business date: [00:00, 24:00) in the timezone
timezone: Asia/Shanghai
inputs:
  alipay_bill: ["bills/*.zip"]     # 业务明细 and its 汇总
%s%s
  rebate:      ["rebate/*"]        # 返佣账单
  agreements:  ["ref/agreements.csv"]
  providers:   ["ref/providers.csv"]
  merchants:   ["ref/merchants.csv"]
  stores:      ["ref/stores.csv"]
  goods:       ["ref/goods.csv"]%s
goods:   {remainder: %s}
refunds: {policy: smart_store, mode: prorated}
fees:    {tolerance: "0.01", on_refund: %s}
limits:  {rejects: 1000000000, breaks: 1000000000, break_amount: "999999999999.99"}
output:  {dir: out, formats: [%s]}`, w.cfg.Seed, w.cfg.Date, accounts, pos, further, remainder, onRefund, strings.Join(w.cfg.Formats, ", ")))
	if w.together() { // a statement of one provider, under another's names
		s.line(`rebate:  {statement_pid: "` + w.providers[primary].pid + `"}`)
	}
	if w.cfg.Rebate == RebateWorkbook {
		s.line(`columns:
  rebate: {merchant_pid: ["支付宝商户PID"], trade_amount: ["支付宝交易金额"], rate: ["支付宝返佣比例"], rebate_amount: ["支付宝返佣金额"], period: ["交易期日"]}`)
	}
	if w.cfg.POS == POSKukeduo { // the list names no merchant
		s.line(`default_merchant: "` + w.merchants[0].pid + `"`)
	}
	if w.cfg.State {
		s.line("state:   {dir: state, history_days: 400}")
	}
	return s.finish()
}
