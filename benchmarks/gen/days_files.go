package gen

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A DayFileKind is one of the kinds of files of a day.
type DayFileKind uint8

// The kinds.
const (
	BillOfDay      DayFileKind = iota + 1 // a merchant's bill
	OverlapOfDay                          // a merchant's second bill, of rows that were in an earlier day's
	OrdersOfDay                           // a merchant's POS orders
	RefundsOfDay                          // a merchant's POS refunds
	StatementOfDay                        // the provider's rebates, of all merchants
)

// A DayFile is one file of a day. A draft is what came first and is put right
// later: rows are missing in it, and amounts of some orders are wrong.
type DayFile struct {
	Day, Merchant int
	Kind          DayFileKind
	Draft         bool
}

// Files are the files of a day, as they should be.
func (d *Days) Files(day int) []DayFile {
	var files []DayFile
	for m := range d.merchants {
		files = append(files, DayFile{Day: day, Merchant: m, Kind: BillOfDay})
		again := false
		_ = d.eachBill(DayFile{Day: day, Merchant: m, Kind: OverlapOfDay}, func(*dayTrade) error { // cannot fail
			again = true
			return nil
		})
		if again {
			files = append(files, DayFile{Day: day, Merchant: m, Kind: OverlapOfDay})
		}
		files = append(files, DayFile{Day: day, Merchant: m, Kind: OrdersOfDay}, DayFile{Day: day, Merchant: m, Kind: RefundsOfDay})
	}
	return append(files, DayFile{Day: day, Kind: StatementOfDay})
}

// Path is the file's place in the folder of the days.
func (d *Days) Path(f DayFile) string {
	date := d.compact(f.Day)
	pid := d.merchants[f.Merchant]
	switch f.Kind {
	case BillOfDay:
		return "bills/" + date + "/" + pid + billSuffix + "_" + date + ".csv.zip"
	case OverlapOfDay: // after the bill, by its name
		return "bills/" + date + "/" + pid + billSuffix + "_" + date + "_overlap.zip"
	case OrdersOfDay:
		return "pos/" + date + "/" + pid + ".csv"
	case RefundsOfDay:
		return "refunds/" + date + "/" + pid + ".csv"
	case StatementOfDay:
	}
	return "rebate/" + date + "/statement.csv"
}

// Begin writes what is not of a day: the job file and the registries.
func (d *Days) Begin(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "ref"), 0o755); err != nil {
		return err
	}
	return d.writeRefs(dir)
}

// WriteFile writes one file of a day, in place of what was there.
func (d *Days) WriteFile(dir string, f DayFile) error {
	path := filepath.Join(dir, filepath.FromSlash(d.Path(f)))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch f.Kind {
	case BillOfDay, OverlapOfDay:
		return d.writeBill(path, f)
	case OrdersOfDay:
		return d.writeSheet(dir, f, dayOrderHeader, d.writeOrders)
	case RefundsOfDay:
		return d.writeSheet(dir, f, dayRefundHeader, d.writeRefunds)
	case StatementOfDay:
		return d.writeSheet(dir, f, statementHeader, d.writeStatement)
	}
	return fmt.Errorf("no kind of file: %d", f.Kind)
}

// WriteDay writes all files of a day.
func (d *Days) WriteDay(dir string, day int) error {
	for _, f := range d.Files(day) {
		if err := d.WriteFile(dir, f); err != nil {
			return err
		}
	}
	return nil
}

// RemoveDay removes a day's files.
func (d *Days) RemoveDay(dir string, day int) error {
	for _, kind := range []string{"bills", "pos", "refunds", "rebate"} {
		if err := os.RemoveAll(filepath.Join(dir, kind, d.compact(day))); err != nil {
			return err
		}
	}
	return nil
}

// draws tells what a draft does with a trade.
func (d *Days) draws(f DayFile, t *dayTrade) uint64 {
	if !f.Draft {
		return 99
	}
	return mix64(d.cfg.Seed^uint64(t.day)<<32^uint64(t.i)^0xd7af7) % 12
}

// eachOrder visits the orders of a file, with what the file says they come to.
func (d *Days) eachOrder(f DayFile, visit func(t *dayTrade, total fen) error) error {
	return d.each(f.Day, f.Merchant, false, func(t *dayTrade) error {
		here := t.posDay == f.Day || (t.fate == posAgain || t.fate == bothAgain) && t.again == f.Day
		if t.day < 0 || !here {
			return nil
		}
		switch d.draws(f, t) {
		case 0:
			return nil
		case 1:
			return visit(t, t.posTotal+100)
		}
		return visit(t, t.posTotal)
	})
}

// eachBill visits the payments of a bill.
func (d *Days) eachBill(f DayFile, visit func(t *dayTrade) error) error {
	return d.each(f.Day, f.Merchant, false, func(t *dayTrade) error {
		here := t.billDay == f.Day
		if f.Kind == OverlapOfDay {
			here = (t.fate == billAgain || t.fate == bothAgain) && t.again == f.Day
		}
		if t.day < 0 || !here || d.draws(f, t) == 2 {
			return nil
		}
		return visit(t)
	})
}

// eachRefund visits the refunds of a file: of a bill or the till.
func (d *Days) eachRefund(f DayFile, visit func(t *dayTrade, r *dayRefund) error) error {
	if f.Kind == OverlapOfDay {
		return nil
	}
	return d.each(f.Day, f.Merchant, true, func(t *dayTrade) error {
		x := d.draws(f, t)
		for k := range t.n {
			r := &t.refunds[k]
			day, gone := r.posDay, x == 3
			if f.Kind == BillOfDay {
				day, gone = r.billDay, x == 4
			}
			if day != f.Day || gone {
				continue
			}
			if err := visit(t, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// A dayStated is a row of a statement.
type dayStated struct {
	t      *dayTrade
	amount micro
}

// eachStated visits the rows of a day's statement: those of the month before, on
// its fifth day.
func (d *Days) eachStated(day int, visit func(r dayStated) error) error {
	if d.cfg.Statement < 0 {
		return nil
	}
	month := d.from.AddDate(0, 0, day).AddDate(0, -1, 0).Format("2006-01")
	var t dayTrade
	for from := max(0, day-36); from < day; from++ {
		if d.statementDay(from) != day && d.statementDay(from+1) != day {
			continue
		}
		for i := int64(0); i < int64(d.cfg.Trades); i += int64(d.cfg.Statement) {
			d.trade(from, i, &t)
			if t.billDay == none || t.stated == notPaid || d.period(int(t.billTime/midnight)) != month {
				continue
			}
			for _, amount := range d.paid(&t) {
				if err := visit(dayStated{&t, amount}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// paid are the amounts of a trade's rows in the statement.
func (d *Days) paid(t *dayTrade) []micro {
	right := rebateOf(d.basis(t), d.rates[0], 2, 0)
	switch t.stated {
	case paidShort:
		return []micro{max(right-20_000, 0)}
	case paidOver:
		return []micro{right + 30_000}
	case paidBack:
		return []micro{right + 50_000, -50_000}
	case paidRight, notPaid:
	}
	return []micro{right}
}

// basis is what a trade brought in within its month: 商家实收 less what its bill
// refunds of the month took back.
func (d *Days) basis(t *dayTrade) fen {
	basis := t.fund.buyer + t.fund.red
	for k := range t.n {
		r := &t.refunds[k]
		if r.billDay != none && d.period(int(r.billTime/midnight)) == d.period(int(t.billTime/midnight)) {
			basis -= r.actual.paid + r.actual.red
		}
	}
	return basis
}

const (
	dayOrderHeader = "out_trade_no,trade_no,merchant_pid,store_id,terminal_id,order_time,channel,total_amount," +
		"buyer_paid,red_packet,allowance,coupon,sys_service_provider_id,goods_id,goods_name,quantity,price"
	dayRefundHeader = "out_trade_no,trade_no,out_request_no,merchant_pid,store_id,refund_time,refund_amount,mode"
)

func (d *Days) writeSheet(dir string, f DayFile, header string, fill func(s *sheet, f DayFile) error) error {
	s, err := createSheet(dir, d.Path(f))
	if err != nil {
		return err
	}
	s.line(header)
	if err := fill(s, f); err != nil {
		_ = s.finish() // the first error is the one to tell
		return err
	}
	return s.finish()
}

// moments appends seconds since the first day's midnight. It remembers the date.
type moments struct {
	d    *Days
	day  int64
	date []byte
}

func (m *moments) append(b []byte, t int64) []byte {
	day := t / midnight
	if t < day*midnight { // before the first
		day--
	}
	if m.date == nil || day != m.day {
		m.day, m.date = day, []byte(m.d.Date(int(day))+" ")
	}
	return appendClock(append(b, m.date...), t-day*midnight)
}

func (d *Days) writeOrders(s *sheet, f DayFile) error {
	at := moments{d: d}
	return d.eachOrder(f, func(t *dayTrade, total fen) error {
		b := append(s.b, t.number...)
		b = append(b, ',')
		if t.posTradeNo && t.fate != wechatPaid {
			b = append(b, t.tradeNo...)
		}
		b = append(b, ',')
		b = append(b, d.merchants[t.merchant]...)
		b = append(b, ',')
		b = append(b, d.storeID(t.merchant, t.store)...)
		b = append(b, ",T"...)
		b = appendDigits(b, int64(t.terminal+1), 1)
		b = append(b, ',')
		b = at.append(b, t.posTime)
		b = append(b, ',')
		if t.fate == wechatPaid {
			b = append(b, "wechat"...)
		}
		b = append(b, ',')
		b = appendFen(b, total)
		b = append(b, ',')
		if t.posTotal != t.total {
			b = append(b, ",,,"...)
		} else {
			for k, v := range [...]fen{t.fund.buyer + total - t.posTotal, t.fund.red, t.fund.allowance, t.fund.coupon} {
				if k > 0 {
					b = append(b, ',')
				}
				b = appendFen(b, v)
			}
		}
		b = append(b, ',')
		if !t.noPID && t.fate != wechatPaid {
			b = append(b, d.provider...)
		}
		cells := b[len(s.b):]
		first := total
		if t.split {
			first = total / 3
		}
		b = appendDayGoods(b, t, 0, first)
		if t.split {
			b = append(b, '\n')
			b = append(b, cells...)
			b = appendDayGoods(b, t, 1, total-first)
		}
		s.b = b
		s.newline()
		return s.err
	})
}

func appendDayGoods(b []byte, t *dayTrade, line int64, price fen) []byte {
	b = append(b, ",SKU"...)
	b = appendDigits(b, (t.i*31+line)%20_000, 6)
	b = append(b, ",goods,1,"...)
	return appendFen(b, price)
}

func (d *Days) writeRefunds(s *sheet, f DayFile) error {
	at := moments{d: d}
	return d.eachRefund(f, func(t *dayTrade, r *dayRefund) error {
		b := append(s.b, t.number...)
		b = append(b, ',')
		if t.fate != wechatPaid && t.i%2 == 0 {
			b = append(b, t.tradeNo...)
		}
		b = append(b, ',')
		b = appendDayRequest(b, t, r.k)
		b = append(b, ',')
		b = append(b, d.merchants[t.merchant]...)
		b = append(b, ',')
		b = append(b, d.storeID(t.merchant, t.store)...)
		b = append(b, ',')
		b = at.append(b, r.posTime)
		b = append(b, ',')
		b = appendFen(b, r.posAmount)
		b = append(b, ',')
		if r.listPrice {
			b = append(b, "list_price"...)
		}
		s.b = b
		s.newline()
		return s.err
	})
}

func (d *Days) writeStatement(s *sheet, f DayFile) error {
	at := moments{d: d}
	return d.eachStated(f.Day, func(r dayStated) error {
		t := r.t
		b := append(s.b, d.period(int(t.billTime/midnight))...)
		b = append(b, ',')
		b = append(b, d.provider...)
		b = append(b, ',')
		b = append(b, d.merchants[t.merchant]...)
		b = append(b, ",face_to_face,"...)
		b = append(b, t.tradeNo...)
		b = append(b, ",,"...)
		b = at.append(b, t.billTime)
		b = append(b, ",,"...)
		b = appendMicro(b, d.rates[0], 0)
		b = append(b, ',')
		b = appendMicro(b, r.amount, 2)
		b = append(b, ",,"...)
		s.b = b
		s.newline()
		return s.err
	})
}

var (
	dayPayment = rawCell("\t,交易\t,门店消费,")
	dayRefunds = rawCell("\t,退款\t,门店消费,")
	dayStore   = rawCell("\t,门店\t,op1\t,T")
	dayBuyer   = rawCell("\t,*明(139****")
)

// writeBill writes a bill: its detail alone, whose footers state the totals.
func (d *Days) writeBill(path string, f DayFile) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	flate := deflaters{level: d.cfg.Compression}
	a := flate.archive(out)
	err = d.writeDetail(a, f)
	if e := a.finish(); err == nil {
		err = e
	}
	return err
}

func (d *Days) writeDetail(a *archive, f DayFile) error {
	name := strings.TrimSuffix(filepath.Base(d.Path(f)), ".csv.zip")
	name = strings.TrimSuffix(name, ".zip")
	w, err := a.member(name + detailTail)
	if err != nil {
		return err
	}
	s := &sheet{w: w, encoding: gb18030}
	b := dayBill{sheet: s, d: d, at: moments{d: d}}
	start := d.from.AddDate(0, 0, f.Day)
	const layout = "2006年01月02日 15:04:05"
	s.line("#支付宝业务明细查询")
	s.line("#账号：[" + d.merchants[f.Merchant] + billSuffix + "]")
	s.line("#起始日期：[" + start.Format(layout) + "]   终止日期：[" + start.AddDate(0, 0, 1).Format(layout) + "]")
	s.line("#" + strings.Repeat("-", 41) + "业务明细列表" + strings.Repeat("-", 40))
	s.line(detailHeader)
	if err := d.eachBill(f, b.payment); err != nil {
		return err
	}
	if err := d.eachRefund(f, b.refund); err != nil {
		return err
	}
	s.line("#" + strings.Repeat("-", 41) + "业务明细列表结束" + strings.Repeat("-", 36))
	s.line(fmt.Sprintf("#交易合计：%d笔，商家实收共%s元，商家优惠共%s元",
		b.payments.rows, appendFen(nil, b.payments.received), appendFen(nil, b.payments.discount)))
	s.line(fmt.Sprintf("#退款合计：%d笔，商家实收退款共%s元，商家优惠退款共%s元",
		b.refunds.rows, appendFen(nil, b.refunds.received), appendFen(nil, b.refunds.discount)))
	s.line("#导出时间：[" + start.Add(30*time.Hour).Format(layout) + "]")
	s.flush()
	return s.err
}

// dayBill is a detail while it is written.
type dayBill struct {
	*sheet
	d                 *Days
	at                moments
	payments, refunds billSums
}

func (w *dayBill) payment(t *dayTrade) error {
	fd := &t.fund
	w.row(t, &dayPayment, t.billTime, [7]fen{
		t.total, fd.buyer + fd.red, fd.redPacket, 0, 0, fd.allowance + fd.coupon, fd.coupon,
	}, nil, -feeOf(fd.buyer+fd.red, w.d.rates[1]))
	w.payments.add(fd.buyer+fd.red, fd.allowance+fd.coupon)
	return w.err
}

func (w *dayBill) refund(t *dayTrade, r *dayRefund) error {
	var request []byte
	if !r.noRequest {
		request = appendDayRequest(nil, t, r.k)
	}
	received := r.actual.paid + r.actual.red
	w.row(t, &dayRefunds, r.billTime, [7]fen{-r.amount, -received, -r.actual.red, 0, 0, -r.actual.allowance, 0}, request, 0)
	w.refunds.add(-received, -r.actual.allowance)
	return w.err
}

func (s *billSums) add(received, discount fen) {
	s.rows++
	s.received += received
	s.discount += discount
}

func (w *dayBill) row(t *dayTrade, kind *cell, finished int64, amounts [7]fen, request []byte, fee fen) {
	b := append(w.b, t.tradeNo...)
	b = append(b, "\t,"...)
	b = append(b, t.number...)
	b = append(b, kind.gbk...)
	b = w.at.append(b, min(t.posTime, t.billTime))
	b = append(b, ',')
	b = w.at.append(b, finished)
	b = append(b, ',')
	b = append(b, w.d.storeID(t.merchant, t.store)...)
	b = append(b, dayStore.gbk...)
	b = appendDigits(b, int64(t.terminal+1), 1)
	b = append(b, dayBuyer.gbk...)
	b = appendDigits(b, t.i%10_000, 4)
	b = append(b, ")\t,"...)
	for _, v := range amounts {
		b = appendFen(b, v)
		b = append(b, ',')
	}
	b = append(b, ",0.00\t,0.00,"...) // 券名称 blank
	b = append(b, request...)
	b = append(b, "\t,"...)
	b = appendFen(b, fee)
	b = append(b, ",0.00,"...)
	w.b = b
	w.newline()
}
