package gen

import (
	"fmt"
	"slices"
	"strings"
)

var posHeader = [2]string{
	"out_trade_no,trade_no,merchant_pid,store_id,terminal_id,operator_id,order_time,status,channel," +
		"total_amount,buyer_paid,red_packet,allowance,coupon,hb_fq_num,sys_service_provider_id," +
		"goods_id,goods_name,quantity,price",
	"商户订单号,支付宝交易号,商户PID,门店编号,终端号,操作员,订单时间,订单状态,支付渠道," +
		"订单金额,实付金额,红包,购物津贴,优惠券,花呗分期数,服务商PID," +
		"商品编号,商品名称,数量,单价",
}

// The Slim columns.
var slimPOSHeader = "out_trade_no,trade_no,merchant_pid,store_id,terminal_id,order_time,status,channel," +
	"total_amount,buyer_paid,red_packet,allowance,coupon,hb_fq_num,sys_service_provider_id," +
	"goods_id,goods_name,quantity,price"

var (
	statusCells  = [3]cell{rawCell("paid"), rawCell("unpaid"), rawCell("closed")}
	statusWords  = [3]cell{rawCell("已支付"), rawCell("未支付"), rawCell("已取消")}
	channelCells = [3]cell{rawCell(""), rawCell("wechat"), rawCell("cash")}
	channelWords = [3]cell{rawCell("支付宝"), rawCell("微信"), rawCell("现金")}
	yenSigns     = cell{utf8: []byte("¥"), gbk: rawCell("￥").gbk}
)

var badAmounts = []string{"12.", ".5", "\"1,23\"", "12.3e2", "1O.00", "十二"}

// posWriter writes the orders in the order of the index: one file after the
// other, and the repeated ones in a file that comes later by its name.
type posWriter struct {
	w      *world
	dir    string
	out    *sheet
	resent *sheet
	file   int
	count  int64
	apart  [8][]byte // last lines that stand apart, by the turn at which they are due
	rows   *Rows
}

// sheetStyle sets encoding, line ends and what stands above the header of file k.
func (p *posWriter) open(name string, k int) (*sheet, error) {
	s, err := createSheet(p.dir, name)
	if err != nil {
		return nil, err
	}
	switch p.w.cfg.Encoding {
	case MixedEncodings:
		if k%2 == 1 {
			s.encoding = gb18030
		}
		s.crlf = k%3 == 1
		if k%4 == 2 {
			s.b = append(s.b, "\xef\xbb\xbf"...)
		}
	case GB18030:
		s.encoding = gb18030
	case UTF8:
	}
	if k%3 == 2 {
		s.line("# 收银系统导出 " + p.w.cfg.Date)
	}
	switch {
	case p.w.cfg.Slim:
		s.line(slimPOSHeader)
	case s.encoding == gb18030: // few bytes of GBK may look like UTF-8; a header of it does not
		s.line(p.w.posHeader(1))
	default:
		s.line(p.w.posHeader(0))
	}
	return s, nil
}

// order writes one record's order, if it has one.
func (p *posWriter) order(o *order) error {
	if file := int(o.i * int64(p.w.cfg.POSFiles) / int64(p.w.cfg.Trades)); p.out == nil || file > p.file {
		if err := p.nextFile(file); err != nil {
			return err
		}
	}
	p.count++
	slot := &p.apart[p.count%int64(len(p.apart))]
	p.release(slot)
	if !o.posLines {
		return p.out.err
	}
	p.lines(p.out, o, o.posTotal, slot)
	if o.kind == DuplicatePOS || o.kind == ConflictPOS {
		if p.resent == nil {
			s, err := p.open("pos/resent.csv", p.w.cfg.POSFiles)
			if err != nil {
				return err
			}
			p.resent = s
		}
		p.lines(p.resent, o, o.posTotal+o.conflict, nil)
	}
	return p.out.err
}

func (p *posWriter) nextFile(file int) error {
	if err := p.closeFile(); err != nil {
		return err
	}
	name := fmt.Sprintf("pos/orders_%03d.csv", file+1)
	out, err := p.open(name, file)
	p.out, p.file = out, file
	return err
}

// release writes a line that stood apart.
func (p *posWriter) release(slot *[]byte) {
	if len(*slot) == 0 {
		return
	}
	p.out.b = append(p.out.b, *slot...)
	p.out.newline()
	*slot = (*slot)[:0]
}

func (p *posWriter) closeFile() error {
	if p.out == nil {
		return nil
	}
	for k := range p.apart {
		p.release(&p.apart[k])
	}
	return p.out.finish()
}

func (p *posWriter) finish() error {
	err := p.closeFile()
	if e := p.resent.finish(); err == nil {
		err = e
	}
	return err
}

// lines writes the goods lines; the order's cells are made once and copied.
func (p *posWriter) lines(s *sheet, o *order, total fen, slot *[]byte) {
	p.rows.POSLines += int64(o.n)
	start := len(s.b)
	s.b = p.orderCells(s.b, s.encoding, o, total)
	cells := slices.Clip(s.b[start:])
	for k := range o.n {
		at := len(s.b)
		switch {
		case k == 0:
			at = start
		case o.kind == OrderConflict && k == o.n-1:
			s.b = p.orderCells(s.b, s.encoding, o, total+100)
		case o.blankCells:
			s.b = p.blankCells(s.b, o)
		default:
			s.b = append(s.b, cells...)
		}
		s.b = p.goodsCells(s.b, s.encoding, o, &o.lines[k])
		if o.apart && k > 0 && k == o.n-1 && slot != nil {
			*slot = append(*slot, s.b[at:]...)
			s.b = s.b[:at]
			continue
		}
		if s.crlf {
			s.b = append(s.b, '\r')
		}
		s.b = append(s.b, '\n')
	}
	if len(s.b) >= flushAt {
		s.flush()
	}
}

func (p *posWriter) orderCells(b []byte, enc encoding, o *order, total fen) []byte {
	w := p.w
	slim := w.cfg.Slim
	number, tradeNo, merchantPID, storeID := o.number, o.posTradeNo, w.merchants[o.posMerchant].pid, w.stores[o.posStore].id
	//exhaustive:ignore
	switch o.kind {
	case NoMerchantPID:
		merchantPID = ""
	case RejectNoNumber:
		number, tradeNo = nil, nil
	case RejectMerchant:
		merchantPID, storeID = "", "X9999"
	case RejectTradeNo:
		tradeNo = []byte("2.02611E+27")
	}
	b = append(b, number...)
	b = append(b, ',')
	b = append(b, tradeNo...)
	b = append(b, ',')
	b = append(b, merchantPID...)
	b = append(b, ',')
	b = append(b, storeID...)
	b = append(b, ",T"...)
	b = appendDigits(b, int64(o.terminal+1), 1)
	if !slim {
		b = append(b, ",op"...)
		b = appendDigits(b, int64(o.operator+1), 1)
	}
	b = append(b, ',')
	if o.kind == RejectTime {
		b = append(b, "2026-13-45 10:61:00"...)
	} else {
		b = append(b, w.day...)
		b = appendClock(b, o.created)
	}
	b = append(b, ',')
	words, channels := &statusCells, &channelCells
	if enc == gb18030 {
		words, channels = &statusWords, &channelWords
	}
	if o.kind == RejectStatus {
		b = append(b, "refunding"...)
	} else {
		b = append(b, words[o.status].in(enc)...)
	}
	b = append(b, ',')
	b = append(b, channels[o.channel].in(enc)...)
	b = append(b, ',')
	//exhaustive:ignore
	switch o.kind {
	case RejectAmount:
		bad := rawCell(badAmounts[o.i%int64(len(badAmounts))])
		b = append(b, bad.in(enc)...)
	case RejectPrecision:
		b = appendFen(b, total)
		b = append(b, '5')
	case RejectRange:
		b = append(b, "99999999999999.99"...)
	default:
		b = appendAmount(b, enc, o, total)
	}
	b = append(b, ',')
	if o.posFund.stated {
		f := &o.posFund
		b = appendAmount(b, enc, o, f.buyer+total-o.posTotal)
		b = append(b, ',')
		b = appendFen(b, f.red)
		b = append(b, ',')
		b = appendFen(b, f.allowance)
		b = append(b, ',')
		b = appendFen(b, f.coupon)
	} else {
		b = append(b, ",,,"...)
	}
	b = append(b, ',')
	if o.hbNum > 0 {
		b = appendDigits(b, int64(o.hbNum), 1)
	}
	b = append(b, ',')
	if o.channel == alipay {
		if o.padded && len(o.pid) > 0 {
			b = append(b, ' ')
			b = append(b, o.pid...)
			b = append(b, " \t"...)
		} else {
			b = append(b, o.pid...)
		}
	}
	b = append(b, ',')
	if w.cfg.Registries {
		x := w.drawExtra(o)
		b = x.cells(b, enc)
	}
	return b
}

// posHeader is the header in English or Chinese.
func (w *world) posHeader(k int) string {
	if !w.cfg.Registries {
		return posHeader[k]
	}
	goods := strings.Index(posHeader[k], []string{"goods_id", "商品编号"}[k])
	return posHeader[k][:goods] + extraHeader[k] + posHeader[k][goods:]
}

// appendAmount writes an amount in the record's manner.
func appendAmount(b []byte, enc encoding, o *order, v fen) []byte {
	switch {
	case o.thousands:
		return appendThousands(b, v)
	case o.yen:
		b = append(b, yenSigns.in(enc)...)
	}
	return appendFen(b, v)
}

// blankCells is what an order's further lines may be: its key alone.
func (p *posWriter) blankCells(b []byte, o *order) []byte {
	b = append(b, o.number...)
	b = append(b, ",,"...)
	b = append(b, p.w.merchants[o.posMerchant].pid...)
	if p.w.cfg.Slim {
		return append(b, ",,,,,,,,,,,,,"...)
	}
	if p.w.cfg.Registries {
		b = append(b, ",,,,"...)
	}
	return append(b, ",,,,,,,,,,,,,,"...)
}

func (p *posWriter) goodsCells(b []byte, enc encoding, o *order, l *goodsLine) []byte {
	a := &p.w.articles[l.goods]
	if o.goodsKind == NoGoods {
		return append(b, ",,,"...)
	}
	cells := a.cells.in(enc)
	if l.blankID {
		cells = cells[len(a.id):]
	}
	b = append(b, cells...)
	b = append(b, ',')
	//exhaustive:ignore
	switch l.bad {
	case NegativeQuantity:
		if l.quantity%2_000_000 == 0 {
			b = append(b, '0')
		} else {
			b = append(b, '-')
			b = appendMicro(b, l.quantity, 0)
		}
	case BadQuantity:
		b = append(b, "2x"...)
	case BlankQuantity:
	default:
		b = appendMicro(b, l.quantity, 0)
	}
	b = append(b, ',')
	if !l.noPrice {
		b = appendMicro(b, l.price, 2)
	}
	if o.kind == RejectColumns {
		b = append(b, ",x,y,z"...)
	}
	return b
}

// refundWriter writes the POS's refunds in the order of the index.
type refundWriter struct {
	w      *world
	dir    string
	out    *sheet
	resent *sheet
	rows   *Rows
}

const refundHeader = "out_trade_no,trade_no,out_request_no,merchant_pid,store_id,refund_time,refund_amount,mode,goods_id,quantity"

var modeWords = [...]string{"", "whole", "list_price", "prorated", "reorder"}

func newRefundSheet(dir, name string) (*sheet, error) {
	s, err := createSheet(dir, name)
	if err == nil {
		s.line(refundHeader)
	}
	return s, err
}

func (p *refundWriter) order(o *order) error {
	for k := range o.nRefunds {
		ref := &o.refunds[k]
		if !ref.pos {
			continue
		}
		p.lines(p.out, o, ref, k)
		if ref.again == RefundDuplicatePOS {
			if p.resent == nil {
				s, err := newRefundSheet(p.dir, "refunds/resent.csv")
				if err != nil {
					return err
				}
				p.resent = s
			}
			p.lines(p.resent, o, ref, k)
		}
	}
	return p.out.err
}

func (p *refundWriter) lines(s *sheet, o *order, ref *refund, k int) {
	for n := range max(ref.n, 1) {
		p.rows.POSRefunds++
		b := append(s.b, o.number...)
		b = append(b, ',')
		b = append(b, o.posTradeNo...)
		b = append(b, ',')
		b = appendRequestNo(b, o, k)
		b = append(b, ',')
		if o.kind != NoMerchantPID {
			b = append(b, p.w.merchants[o.posMerchant].pid...)
		}
		b = append(b, ',')
		b = append(b, p.w.stores[ref.store].id...)
		b = append(b, ',')
		b = append(b, p.w.day...)
		b = appendClock(b, ref.posTime)
		b = append(b, ',')
		b = appendAmount(b, utf8, o, ref.posAmount)
		b = append(b, ',')
		b = append(b, modeWords[ref.mode]...)
		b = append(b, ',')
		if n < ref.n {
			l := ref.lines[n]
			b = append(b, p.w.articles[o.merged[l.line].goods].id...)
			b = append(b, ',')
			b = appendMicro(b, l.quantity, 0)
		} else {
			b = append(b, ',')
		}
		s.b = b
		s.newline()
	}
}

// appendRequestNo appends the 请求号 of the order's k-th refund.
func appendRequestNo(b []byte, o *order, k int) []byte {
	b = append(b, "RF"...)
	b = append(b, o.number[3:]...)
	return appendDigits(b, int64(k+1), 1)
}

func (p *refundWriter) finish() error {
	err := p.out.finish()
	if e := p.resent.finish(); err == nil {
		err = e
	}
	return err
}
