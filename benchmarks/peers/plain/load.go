package main

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const layout = time.DateTime

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

func load(dir string) (*day, error) {
	d := &day{
		byKey: map[key]*order{}, refundsBy: map[refundKey]*refund{}, statements: map[rebateKey]decimal.Decimal{},
		covered: map[[2]string]bool{}, goods: map[string]article{}, storeRates: map[string]decimal.NullDecimal{},
		rates: map[string]decimal.Decimal{}, agreements: map[[2]string][]agreement{},
		providers: map[string]bool{}, merchants: map[string]bool{},
	}
	for _, file := range []struct {
		pattern string
		read    func(rows) error
	}{
		{"ref/goods.csv", d.readGoods},
		{"ref/stores.csv", d.readStores},
		{"ref/merchants.csv", d.readMerchants},
		{"ref/providers.csv", d.readProviders},
		{"ref/agreements.csv", d.readAgreements},
		{"pos/*.csv", d.readOrders},
		{"refunds/*.csv", d.readRefunds},
		{"rebate/*.csv", d.readStatement},
	} {
		paths, err := filepath.Glob(filepath.Join(dir, file.pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if err := readFile(path, file.read); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	bills, err := filepath.Glob(filepath.Join(dir, "bills/*.zip"))
	if err != nil {
		return nil, err
	}
	for _, path := range bills {
		if err := d.readZip(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return d, nil
}

// rows reads a table by its columns' names.
type rows struct {
	r  *csv.Reader
	at map[string]int
}

func newRows(r *csv.Reader) (rows, error) {
	header, err := r.Read()
	if err != nil {
		return rows{}, err
	}
	at := make(map[string]int, len(header))
	for i, name := range header {
		at[name] = i
	}
	r.ReuseRecord = true
	return rows{r, at}, nil
}

func readFile(path string, read func(rows) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	t, err := newRows(csv.NewReader(bufio.NewReaderSize(f, 1<<20)))
	if err != nil {
		return err
	}
	return read(t)
}

// each calls f for every row with a getter of its cells, and stops at the first error.
func (t rows) each(f func(cell func(string) string) error) error {
	var rec []string
	cell := func(name string) string {
		i, ok := t.at[name]
		if !ok {
			return ""
		}
		return rec[i]
	}
	for {
		var err error
		rec, err = t.r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(cell); err != nil {
			n, _ := t.r.FieldPos(0)
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// words keeps one copy of each text of a column that has few.
type words map[string]string

func (w words) one(s string) string {
	s = strings.TrimSpace(s)
	if known, ok := w[s]; ok {
		return known
	}
	s = strings.Clone(s)
	w[s] = s
	return s
}

// amounts reads the cells of one row and keeps the first error.
type amounts struct{ err error }

func (a *amounts) need(s string) decimal.Decimal {
	if s == "0.00" {
		return decimal.Zero // most of the amounts: it is shared
	}
	v, err := decimal.NewFromString(strings.TrimSpace(s))
	if err != nil && a.err == nil {
		a.err = err
	}
	return v
}

func (a *amounts) or0(s string) decimal.Decimal {
	if s == "" {
		return decimal.Zero
	}
	return a.need(s)
}

func (a *amounts) null(s string) decimal.NullDecimal {
	if s == "" {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(a.need(s))
}

func (a *amounts) time(s string) time.Time {
	v, err := time.ParseInLocation(layout, s, shanghai)
	if err != nil && a.err == nil {
		a.err = err
	}
	return v
}

func (d *day) readGoods(t rows) error {
	return t.each(func(cell func(string) string) error {
		var a amounts
		d.goods[strings.Clone(cell("goods_id"))] = article{strings.Clone(cell("goods_name")), a.null(cell("tag_price"))}
		return a.err
	})
}

func (d *day) readStores(t rows) error {
	return t.each(func(cell func(string) string) error {
		var a amounts
		d.storeRates[strings.Clone(cell("store_id"))] = a.null(cell("fee_rate"))
		return a.err
	})
}

func (d *day) readMerchants(t rows) error {
	return t.each(func(cell func(string) string) error {
		var a amounts
		pid := strings.Clone(cell("merchant_pid"))
		d.merchants[pid] = true
		d.rates[pid] = a.need(cell("fee_rate"))
		return a.err
	})
}

func (d *day) readProviders(t rows) error {
	return t.each(func(cell func(string) string) error {
		pid := strings.Clone(cell("provider_pid"))
		d.providers[pid] = true
		if cell("primary") == "true" {
			d.primary = pid
		}
		return nil
	})
}

func (d *day) readAgreements(t rows) error {
	return t.each(func(cell func(string) string) error {
		var a amounts
		scale, err := strconv.ParseInt(cell("scale"), 10, 32)
		if err != nil {
			return err
		}
		g := agreement{
			pid: strings.Clone(cell("provider_pid")), product: strings.Clone(cell("product")),
			basis: strings.Clone(cell("basis")), rate: a.need(cell("rate")),
			from: strings.Clone(cell("effective_from")), to: strings.Clone(cell("effective_to")),
			scale: int32(scale), limit: a.null(cell("cap_per_trade")),
		}
		d.agreements[[2]string{g.pid, g.product}] = append(d.agreements[[2]string{g.pid, g.product}], g)
		return a.err
	})
}

func (d *day) readOrders(t rows) error {
	few := words{}
	return t.each(func(cell func(string) string) error {
		var a amounts
		k := key{cell("merchant_pid"), cell("out_trade_no")}
		o := d.byKey[k]
		if o == nil {
			k = key{few.one(k.merchant), strings.Clone(k.number)}
			o = &order{
				key: k, tradeNo: strings.Clone(cell("trade_no")), store: few.one(cell("store_id")),
				terminal: few.one(cell("terminal_id")), status: few.one(cell("status")),
				time: a.time(cell("order_time")), total: a.need(cell("total_amount")),
				funded:      cell("buyer_paid") != "",
				instalments: few.one(cell("hb_fq_num")), pid: few.one(cell("sys_service_provider_id")),
			}
			o.fund = funding{
				buyer: a.or0(cell("buyer_paid")), red: a.or0(cell("red_packet")),
				allowance: a.or0(cell("allowance")), coupon: a.or0(cell("coupon")),
			}
			d.byKey[k] = o
			d.orders = append(d.orders, o)
		}
		o.lines = append(o.lines, line{
			goods: few.one(cell("goods_id")), name: few.one(cell("goods_name")),
			quantity: a.need(cell("quantity")), price: a.null(cell("price")),
		})
		return a.err
	})
}

func (d *day) readRefunds(t rows) error {
	return t.each(func(cell func(string) string) error {
		var a amounts
		r := &refund{
			key:     key{strings.Clone(cell("merchant_pid")), strings.Clone(cell("out_trade_no"))},
			request: strings.Clone(cell("out_request_no")), tradeNo: strings.Clone(cell("trade_no")),
			store: strings.Clone(cell("store_id")), mode: strings.Clone(cell("mode")),
			time: a.time(cell("refund_time")), pos: decimal.NewNullDecimal(a.need(cell("refund_amount"))),
		}
		d.refundsBy[refundKey{r.key, r.request}] = r
		d.refunds = append(d.refunds, r)
		return a.err
	})
}

func (d *day) readStatement(t rows) error {
	few := words{}
	return t.each(func(cell func(string) string) error {
		var a amounts
		k := rebateKey{cell("trade_no"), cell("product")}
		if paid, ok := d.statements[k]; ok {
			d.statements[k] = paid.Add(a.need(cell("rebate_amount")))
		} else {
			d.statements[rebateKey{strings.Clone(k.tradeNo), few.one(k.product)}] = a.need(cell("rebate_amount"))
		}
		if c := [2]string{cell("service_provider_pid"), cell("product")}; !d.covered[c] {
			d.covered[[2]string{strings.Clone(c[0]), strings.Clone(c[1])}] = true
		}
		return a.err
	})
}

func (d *day) readZip(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, member := range z.File {
		if strings.HasSuffix(member.Name, ").csv") { // the summary
			continue
		}
		f, err := member.Open()
		if err != nil {
			return err
		}
		err = d.readBill(f)
		_ = f.Close() // the CRC was checked at the end of the data
		if err != nil {
			return err
		}
	}
	return nil
}

// readBill reads a 业务明细: # lines, among them the account, the header and the rows.
func (d *day) readBill(f io.Reader) error {
	r := bufio.NewReaderSize(simplifiedchinese.GB18030.NewDecoder().Reader(f), 1<<20)
	merchant := ""
	for merchant == "" {
		s, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if _, account, ok := strings.Cut(s, "#账号：["); ok {
			merchant = account[:16]
		}
	}
	c := csv.NewReader(r)
	c.Comment = '#'
	t, err := newRows(c)
	if err != nil {
		return err
	}
	few := words{}
	return t.each(func(cell func(string) string) error {
		text := func(name string) string { return strings.Clone(strings.TrimSpace(cell(name))) }
		var a amounts
		k := key{merchant, text("商户订单号")}
		at, total := a.time(cell("完成时间")), a.need(cell("订单金额（元）"))
		received, discount := a.need(cell("商家实收（元）")), a.need(cell("商家优惠（元）"))
		red := plus(a.need(cell("支付宝红包（元）")), a.need(cell("支付宝优惠（元）")))
		fee := a.need(cell("服务费（元）")).Neg()
		if a.err != nil {
			return a.err
		}
		if strings.TrimSpace(cell("业务类型")) == "退款" {
			d.billRefund(refund{
				key: k, request: text("退款批次号/请求号"), tradeNo: text("支付宝交易号"), store: text("门店编号"), time: at,
				bill: decimal.NewNullDecimal(total.Neg()), received: received.Neg(), red: red.Neg(), discount: discount.Neg(), fee: fee,
			})
			return nil
		}
		d.payments = append(d.payments, &payment{
			key: k, tradeNo: text("支付宝交易号"), store: few.one(cell("门店编号")), operator: few.one(cell("操作员")),
			terminal: few.one(cell("终端号")), time: at,
			total: total, received: received, red: red, discount: discount, voucher: a.need(cell("券核销金额（元）")),
			merchantRed: a.need(cell("商家红包消费金额（元）")), fee: fee,
		})
		return a.err
	})
}

// plus adds without making a new number where one of the two is 0.
func plus(a, b decimal.Decimal) decimal.Decimal {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	return a.Add(b)
}

// billRefund matches a refund row to the POS's by key and request number.
func (d *day) billRefund(b refund) {
	r := d.refundsBy[refundKey{b.key, b.request}]
	if r == nil {
		d.refunds = append(d.refunds, &b)
		return
	}
	r.time, r.bill, r.received, r.red, r.discount, r.fee = b.time, b.bill, b.received, b.red, b.discount, b.fee
	r.tradeNo, r.store = b.tradeNo, b.store
}
