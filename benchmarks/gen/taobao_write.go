package gen

import (
	"encoding/json"
	"fmt"
	"strings"
)

// taobaoWriter writes the order list of the Tmall shop.
type taobaoWriter struct {
	w     *world
	dir   string
	files [TaobaoMixed]listFile // by form; nil: not written
	again *listSheet            // a second export, with some orders of the first ones
	rows  *Rows
}

// A listFile is one file of the list.
type listFile interface {
	order(l *listOrder, i int64) error
	finish() error
}

func newTaobaoWriter(w *world, dir string, rows *Rows) (*taobaoWriter, error) {
	p := &taobaoWriter{w: w, dir: dir, rows: rows}
	stamp := "taobao/ExportOrderList" + w.date.AddDate(0, 0, 1).Format("20060102")
	for form := TaobaoE41; form < TaobaoMixed; form++ {
		if w.cfg.Taobao != form && w.cfg.Taobao != TaobaoMixed {
			continue
		}
		header := e61Header
		switch form {
		case TaobaoE41:
			header = e41Header
		case TaobaoE56:
			header = e56Header
		case TaobaoE61New:
			header = newTaobaoNames.Replace(header)
		case NoTaobao, TaobaoE61, TaobaoBook, TaobaoAPI, TaobaoMixed:
		}
		var err error
		switch form {
		case TaobaoBook:
			var b *book
			if b, err = createBook(dir, stamp+"1200.xlsx"); err == nil {
				p.files[form] = newListBook(w, b, header)
			}
		case TaobaoAPI:
			var s *sheet
			if s, err = createSheet(dir, "taobao/trades_sold.json"); err == nil {
				p.files[form] = &listAnswers{w: w, out: s}
			}
		case NoTaobao, TaobaoE41, TaobaoE56, TaobaoE61, TaobaoE61New, TaobaoMixed:
			p.files[form], err = newListSheet(w, dir, fmt.Sprintf("%s09%02d.csv", stamp, form), header)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// order writes the rows of a record, in a file of Mixed that its index tells.
func (p *taobaoWriter) order(o *order) error {
	form := p.w.cfg.Taobao
	if form == TaobaoMixed {
		form = TaobaoE41 + TaobaoForm(o.i%int64(TaobaoMixed-TaobaoE41))
	}
	var room [2]listOrder
	for _, l := range p.w.listOrders(o, &room) {
		p.rows.TaobaoOrders++
		if err := p.files[form].order(&l, o.i); err != nil {
			return err
		}
		if !l.again {
			continue
		}
		if p.again == nil {
			name := "taobao/ExportOrderList" + p.w.date.AddDate(0, 0, 1).Format("20060102") + "2359.csv"
			again, err := newListSheet(p.w, p.dir, name, e61Header)
			if err != nil {
				return err
			}
			p.again = again
		}
		p.rows.TaobaoOrders++
		if err := p.again.order(&l, o.i); err != nil {
			return err
		}
	}
	return nil
}

func (p *taobaoWriter) finish() error {
	var first error
	for _, f := range p.files {
		if f == nil {
			continue
		}
		if err := f.finish(); first == nil {
			first = err
		}
	}
	if p.again != nil {
		if err := p.again.finish(); first == nil {
			first = err
		}
	}
	return first
}

// listCells are the cells of a row by column: what it does not name is blank. Text
// that a person typed has what such text has.
func (w *world) listCells(l *listOrder, i int64) map[string]string {
	day := w.day + string(appendClock(nil, l.created))
	if i%3 == 1 { // as Excel shows it, without seconds and zeros
		day = fmt.Sprintf("%d/%d/%d %d:%02d", w.date.Year(), w.date.Month(), w.date.Day(), l.created/3600, l.created/60%60)
	}
	cells := map[string]string{
		"订单编号": l.number, "买家会员名": fmt.Sprintf("tb%d_11", i), "买家支付宝账号": "138****0000", "支付单号": l.tradeNo,
		"买家应付货款": string(appendFen(nil, l.amount)), "买家应付邮费": "0.00", "买家支付积分": "0", "总金额": string(appendFen(nil, l.amount)),
		"返点积分": "0", "买家实际支付金额": string(appendFen(nil, l.amount)), "订单状态": l.state.words, "收货人姓名": "张三",
		"收货地址": "某省 某市, 某路1号", "运送方式": "快递", "联系手机": "'18600001234", "订单创建时间": day, "宝贝标题": `茶"礼盒"`,
		"宝贝总数量": "1", "店铺Id": "0", "店铺名称": "旗舰店", "是否手机订单": "手机订单", "是否是O2O交易": "否", "退款金额": "无退款申请",
	}
	if l.bad == badTaobaoAmount {
		cells["买家实际支付金额"] = "1O.00"
	} else if i%4 == 2 {
		cells["买家实际支付金额"] += "元"
	}
	if l.state.paid {
		cells["订单付款时间"] = day
	}
	if i%5 == 0 {
		cells["买家留言"] = "请\n放门口，谢谢"
	}
	switch {
	case l.o2o:
		cells["是否是O2O交易"] = "是"
		cells["新零售交易类型"] = "线下交易"
		cells["收货人姓名"], cells["收货地址"] = "", ""
	case i%2 == 0:
		cells["是否是O2O交易"] = ""
	}
	return cells
}

// oldNames are the columns' names before 2026.
var oldNames = strings.NewReplacer("买家下单时间", "订单创建时间", "买家付款时间", "订单付款时间", "买家实付金额", "买家实际支付金额", "运单号", "物流单号")

// columnsOf are the columns of a header by the names that listCells has.
func columnsOf(header string) []string {
	names := strings.Split(oldNames.Replace(header), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// listSheet is an export as CSV: GBK, every value in quotes.
type listSheet struct {
	w       *world
	out     *sheet
	columns []string
}

func newListSheet(w *world, dir, name, header string) (*listSheet, error) {
	out, err := createSheet(dir, name)
	if err != nil {
		return nil, err
	}
	out.encoding = gb18030
	out.line(header)
	return &listSheet{w, out, columnsOf(header)}, nil
}

func (s *listSheet) order(l *listOrder, i int64) error {
	cells := s.w.listCells(l, i)
	var b strings.Builder
	for k, name := range s.columns {
		if k > 0 {
			b.WriteByte(',')
		}
		text := cells[name]
		if name == "订单编号" {
			switch {
			case l.bad == badNumber:
				text = "1.93E+18"
			case i%3 != 2:
				text = `="` + text + `"`
			}
		}
		b.WriteString(`"` + strings.ReplaceAll(text, `"`, `""`) + `"`)
	}
	s.out.line(b.String())
	return s.out.err
}

func (s *listSheet) finish() error { return s.out.finish() }

// listBook is an export as a workbook.
type listBook struct {
	w       *world
	book    *book
	sheet   *bookSheet
	columns []string
	cells   []string // reused
}

func newListBook(w *world, b *book, header string) *listBook {
	s := &listBook{w: w, book: b, sheet: b.sheet("sheet1"), columns: columnsOf(header)}
	s.sheet.row(s.columns, noNumber)
	return s
}

func noNumber(int) bool { return false }

func (s *listBook) order(l *listOrder, i int64) error {
	cells := s.w.listCells(l, i)
	s.cells = s.cells[:0]
	for _, name := range s.columns {
		text := cells[name]
		if name == "订单编号" && l.bad == badNumber {
			text = "1930000000000000000" // as a number, which keeps 15 digits
		}
		s.cells = append(s.cells, text)
	}
	s.sheet.row(s.cells, func(k int) bool {
		switch name := s.columns[k]; name {
		case "订单编号":
			return l.bad == badNumber
		case "买家应付货款", "买家实际支付金额":
			return l.bad != badTaobaoAmount && !strings.HasSuffix(s.cells[k], "元")
		}
		return false
	})
	return s.book.err
}

func (s *listBook) finish() error { return s.book.finish() }

// listAnswers is the list as answers of the API, a page a line; some are printed over
// several.
type listAnswers struct {
	w    *world
	out  *sheet
	page []fields
	n    int
}

const listPage = 40

func (s *listAnswers) order(l *listOrder, i int64) error {
	clock := func(second int64) string { return s.w.day + string(appendClock(nil, second)) }
	f := fields{}
	switch {
	case l.bad == badNumber:
		f = append(f, "tid", "1.93E+18")
	case !strings.HasPrefix(l.number, "19"):
		f = append(f, "tid_str", l.number)
	default:
		f = append(f, "tid", json.RawMessage(l.number))
		if i%2 == 0 {
			f = append(f, "tid_str", l.number)
		}
	}
	payment := any(string(appendFen(nil, l.amount)))
	switch {
	case l.bad == badTaobaoAmount:
		payment = "1O.00"
	case i%3 == 0:
		payment = json.RawMessage(appendFen(nil, l.amount))
	}
	f = append(f, "status", l.state.code, "payment", payment, "created", clock(l.created),
		"receiver_name", "张三", "receiver_address", "某省某市某路1号", "buyer_nick", "tb"+fmt.Sprint(i))
	if l.state.paid {
		f = append(f, "pay_time", clock(min(l.created+30, midnight-1)))
	}
	if l.tradeNo != "" {
		f = append(f, "alipay_no", l.tradeNo)
	}
	switch {
	case l.o2o && i%4 == 0:
		f = append(f, "type", "o2o_offlinetrade")
	case l.o2o:
		f = append(f, "type", "o2o_offlinetrade", "is_o2o_passport", true)
	case i%3 != 1:
		f = append(f, "type", "fixed", "is_o2o_passport", nil)
	}
	s.page = append(s.page, f)
	if len(s.page) == listPage {
		return s.flush()
	}
	return s.out.err
}

func (s *listAnswers) flush() error {
	name := "trades_sold_get_response"
	if s.n%3 == 1 {
		name = "trades_sold_increment_get_response"
	}
	text := fields{name, fields{"total_results", len(s.page), "trades", fields{"trade", s.page}, "request_id", fmt.Sprintf("r%d", s.n)}}.json()
	if s.n%2 == 1 {
		var v json.RawMessage = []byte(text)
		if pretty, err := json.MarshalIndent(v, "", "  "); err == nil {
			text = string(pretty)
		}
	}
	s.out.line(text)
	s.page = s.page[:0]
	s.n++
	return s.out.err
}

func (s *listAnswers) finish() error {
	if len(s.page) > 0 || s.n == 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	return s.out.finish()
}
