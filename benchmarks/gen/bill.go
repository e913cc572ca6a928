package gen

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// checkEvery is how many records pass between two looks at the context.
const checkEvery = 4096

// zipsTogether is how many merchants' bills AllInOne puts into one archive: a
// detail and a summary each, of at most 100 members.
const zipsTogether = 45

const (
	detailHeader = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户," +
		"订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称," +
		"商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
	summaryHeader = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）," +
		"卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)

var (
	paymentType = rawCell("\t,交易\t,")
	refundType  = rawCell("\t,退款\t,")
	foreignType = rawCell("\t,充值\t,")
	commaName   = rawCell("拿铁,大杯")
)

// billRow is one row of the detail: amounts as the bill signs them.
type billRow struct {
	tradeNo, number                                                              []byte
	kind                                                                         *cell
	yesterday                                                                    bool // 创建时间 is the day before
	created, finished                                                            int64
	badTime                                                                      bool
	store                                                                        int
	noStore                                                                      bool
	total, received, redPacket, points, platform, discount, voucher, merchantRed fen
	request                                                                      []byte
	fee                                                                          fen // signed
}

// billSums are the control totals of one row type.
type billSums struct {
	rows               int64
	received, discount fen
}

// billFile is one detail while it is written, with its summary's sums.
type billFile struct {
	w        *world
	m        int
	out      sheet
	payments billSums
	refunds  billSums
	stores   []storeSums // the merchant's, and last those without a store
}

// billWriter writes the bills merchant by merchant, each in an order of its own.
type billWriter struct {
	w     *world
	dir   string
	flate deflaters
	rows  *Rows
	o     order // reused
	again order // reused
}

func (w *world) writeBills(ctx context.Context, dir string, rows *Rows) error {
	p := &billWriter{w: w, dir: dir, flate: deflaters{level: w.cfg.Level}, rows: rows}
	var a *archive
	for m := range w.merchants {
		if w.cfg.BillMode == PerMerchant || m%zipsTogether == 0 {
			if err := a.finish(); err != nil {
				return err
			}
			name := w.merchants[m].pid + billSuffix + "_" + w.compact + ".csv.zip"
			if w.cfg.BillMode == AllInOne {
				name = fmt.Sprintf("00_%s_%03d.zip", w.compact, m/zipsTogether+1) // before any overlapping bill
			}
			var err error
			if a, err = p.flate.create(dir, name); err != nil {
				return err
			}
		}
		if err := p.merchant(ctx, a, m); err != nil {
			_ = a.finish() // the first error is the one to tell
			return err
		}
	}
	return a.finish()
}

// merchant writes the two members of one merchant's bill, and the overlapping
// bill where rows are in both.
func (p *billWriter) merchant(ctx context.Context, a *archive, m int) error {
	w := p.w
	file, err := p.begin(a, m)
	if err != nil {
		return err
	}
	var over overlap
	defer over.close()
	count := w.merchants[m].count
	seed := mix64(w.cfg.Seed^2) + uint64(m)
	payments, refunds := newPermutation(count, seed), newPermutation(count, ^seed)
	for k := range count {
		if k%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		w.build(w.index(m, payments.at(k)), &p.o)
		if p.o.billRow {
			if err := p.payment(file, &over, &p.o); err != nil {
				return err
			}
		}
		if i := w.index(m, refunds.at(k)); w.mayHaveRefunds(i) {
			w.build(i, &p.again)
			if err := p.refundRows(file, &over, &p.again); err != nil {
				return err
			}
		}
	}
	if err := file.finish(a, p.rows); err != nil {
		return err
	}
	return over.finish(p.rows)
}

// overlap is the second bill of a merchant, begun with its first row.
type overlap struct {
	a    *archive
	file *billFile
}

func (p *billWriter) overlapping(over *overlap, m int) (*billFile, error) {
	if over.file != nil {
		return over.file, nil
	}
	// The name comes after the first bill's, so that the rows there count.
	a, err := p.flate.create(p.dir, p.w.merchants[m].pid+billSuffix+"_"+p.w.compact+"_overlap.zip")
	if err != nil {
		return nil, err
	}
	over.a = a
	over.file, err = p.begin(a, m)
	return over.file, err
}

func (over *overlap) finish(rows *Rows) error {
	if over.file == nil {
		return nil
	}
	err := over.file.finish(over.a, rows)
	if e := over.a.finish(); err == nil {
		err = e
	}
	over.a = nil
	return err
}

// close lets go of the file after an error.
func (over *overlap) close() {
	if over.a != nil {
		_ = over.a.f.Close() // an error is on its way already
	}
}

// Ends of members' names.
const (
	detailTail  = "_业务明细.csv"
	summaryTail = "_业务明细(汇总).csv"
)

func (p *billWriter) memberName(m int, tail string) string {
	return p.w.merchants[m].pid + billSuffix + "_" + p.w.compact + tail
}

func (p *billWriter) begin(a *archive, m int) (*billFile, error) {
	out, err := a.member(p.memberName(m, detailTail))
	if err != nil {
		return nil, err
	}
	f := &billFile{w: p.w, m: m, stores: make([]storeSums, p.w.merchants[m].stores+1)}
	f.out = sheet{w: out, encoding: gb18030, b: make([]byte, 0, flushAt/4)}
	f.preamble(&f.out, "业务明细", 41, 40)
	f.out.line(detailHeader)
	return f, nil
}

// preamble writes the lines above a table's header.
func (f *billFile) preamble(s *sheet, title string, before, after int) {
	word := strings.TrimSuffix(title, "明细")
	kind := "明细"
	if title == "业务汇总" {
		word, kind = "业务", "汇总"
	}
	s.line("#支付宝" + word + kind + "查询")
	s.line("#账号：[" + f.w.merchants[f.m].pid + billSuffix + "]")
	const layout = "2006年01月02日 15:04:05"
	s.line("#起始日期：[" + f.w.date.Format(layout) + "]   终止日期：[" + f.w.date.Add(24*time.Hour).Format(layout) + "]")
	s.line("#" + strings.Repeat("-", before) + word + kind + "列表" + strings.Repeat("-", after))
}

func (f *billFile) exported(s *sheet) {
	at := f.w.date.Add(24*time.Hour + 5*time.Hour + 46*time.Minute + 49*time.Second)
	s.line("#导出时间：[" + at.Format("2006年01月02日 15:04:05") + "]")
}

// payment writes the payment rows of one record.
func (p *billWriter) payment(f *billFile, over *overlap, o *order) error {
	row := p.paymentRow(o)
	f.row(o, &row)
	//exhaustive:ignore
	switch o.kind {
	case PaidTwice:
		row.tradeNo = o.secondTradeNo
		row.created += 60
		row.finished += 60
		f.row(o, &row)
	case DuplicateBill, ConflictBill:
		second, err := p.overlapping(over, o.m)
		if err != nil {
			return err
		}
		row.total += o.conflict
		row.received += o.conflict
		second.row(o, &row)
	}
	return f.out.err
}

func (p *billWriter) paymentRow(o *order) billRow {
	fd := &o.fund
	row := billRow{
		tradeNo: o.tradeNo, number: o.billNumber, kind: &paymentType, created: o.created, finished: o.finished,
		badTime: o.kind == RejectBillTime, store: o.store, noStore: o.blankStore,
		total: o.billTotal, received: o.received, redPacket: fd.redPacket, points: fd.points, platform: fd.platform,
		discount: fd.allowance + fd.coupon, voucher: fd.voucher, merchantRed: fd.merchantRed, fee: -o.fee,
	}
	if o.kind == RejectBillType {
		row.kind = &foreignType
	}
	if p.w.merchants[o.m].positive {
		row.fee = o.fee
	}
	return row
}

// refundRows writes the refunds of one record.
func (p *billWriter) refundRows(f *billFile, over *overlap, o *order) error {
	var request [48]byte
	var red fen
	for k := range o.nRefunds {
		ref := &o.refunds[k]
		if !ref.bill {
			continue
		}
		row := billRow{
			tradeNo: o.tradeNo, number: o.billNumber, kind: &refundType, created: o.created, finished: ref.billTime,
			store: ref.store, total: -ref.billAmount, received: -ref.received, discount: -ref.actual.allowance,
			yesterday: o.kind == OrphanRefund, fee: ref.fee,
		}
		// The red packet comes back before the platform's discount.
		packet := min(red+ref.actual.red, o.fund.redPacket) - min(red, o.fund.redPacket)
		row.redPacket, row.platform = -packet, packet-ref.actual.red
		red += ref.actual.red
		if p.w.merchants[o.m].positive {
			row.fee = -ref.fee
		}
		switch ref.billNo {
		case ownNo:
			row.request = appendRequestNo(request[:0], o, k)
		case orderNo:
			row.request = o.billNumber
		case blankNo:
		}
		f.row(o, &row)
		if ref.again == RefundDuplicateBill {
			second, err := p.overlapping(over, o.m)
			if err != nil {
				return err
			}
			second.row(o, &row)
		}
	}
	return f.out.err
}

// row appends one row and adds it to the totals; the totals take every row whose
// type and amount can be read.
func (f *billFile) row(o *order, row *billRow) {
	w := f.w
	b := append(f.out.b, row.tradeNo...)
	b = append(b, "\t,"...)
	b = append(b, row.number...)
	b = append(b, row.kind.gbk...)
	if o.comma && row.kind == &paymentType {
		b = append(b, commaName.gbk...)
	} else {
		subjects := w.merchants[f.m].subjects
		b = append(b, subjects[o.buyer>>40%uint64(len(subjects))].gbk...)
	}
	b = append(b, ',')
	if row.yesterday {
		b = append(b, w.yesterday...)
	} else {
		b = append(b, w.day...)
	}
	b = appendClock(b, row.created)
	b = append(b, ',')
	if row.badTime {
		b = append(b, w.day...)
		b = append(b, "25:61:00"...)
	} else {
		b = append(b, w.day...)
		b = appendClock(b, row.finished)
	}
	b = append(b, ',')
	if !row.noStore {
		b = append(b, w.stores[row.store].id...)
		b = append(b, "\t,"...)
		b = append(b, w.stores[row.store].name.gbk...)
		b = append(b, "\t,op"...)
	} else {
		b = append(b, "\t,\t,op"...)
	}
	b = appendDigits(b, int64(o.operator+1), 1)
	b = append(b, "\t,T"...)
	b = appendDigits(b, int64(o.terminal+1), 1)
	b = append(b, "\t,"...)
	b = append(b, w.surnames[o.buyer%uint64(len(w.surnames))].gbk...)
	b = append(b, '1')
	b = appendDigits(b, int64(30+o.buyer>>8%64), 2)
	b = append(b, "****"...)
	b = appendDigits(b, int64(o.buyer>>16%10_000), 4)
	b = append(b, ")\t,"...)
	for _, v := range [...]fen{row.total, row.received, row.redPacket, row.points, row.platform, row.discount, row.voucher} {
		b = appendFen(b, v)
		b = append(b, ',')
	}
	if row.voucher > 0 && o.buyer&(1<<60) != 0 {
		b = append(b, w.voucher.gbk...)
	}
	b = append(b, ',')
	b = appendFen(b, row.merchantRed)
	b = append(b, "\t,0.00,"...)
	b = append(b, row.request...)
	b = append(b, "\t,"...)
	b = appendFen(b, row.fee)
	b = append(b, ",0.00,"...)
	f.out.b = b
	f.out.newline()
	f.add(row)
}

// finish writes the footers and the summary.
func (f *billFile) finish(a *archive, rows *Rows) error {
	rows.BillPayments += f.payments.rows
	rows.BillRefunds += f.refunds.rows
	s := &f.out
	s.line("#" + strings.Repeat("-", 41) + "业务明细列表结束" + strings.Repeat("-", 36))
	s.line(fmt.Sprintf("#交易合计：%d笔，商家实收共%s元，商家优惠共%s元",
		f.payments.rows, appendFen(nil, f.payments.received), appendFen(nil, f.payments.discount)))
	s.line(fmt.Sprintf("#退款合计：%d笔，商家实收退款共%s元，商家优惠退款共%s元",
		f.refunds.rows, appendFen(nil, f.refunds.received), appendFen(nil, f.refunds.discount)))
	f.exported(s)
	s.flush()
	if s.err != nil {
		return s.err
	}
	return f.summary(a)
}
