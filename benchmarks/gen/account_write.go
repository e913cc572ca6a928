package gen

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// accountWriter writes the account bill of one merchant.
type accountWriter struct {
	w       *world
	m       int
	layout  *accountLayout
	out     accountOutput
	enc     encoding
	serial  int64
	flow    int64
	step    int64 // of flow: 1, or −1 where the newest row is first
	balance fen
	in, not movementSum
	kinds   map[string]*[2]movementSum // income and expense by 业务类型

	cells []string // reused
	b     []byte   // reused
}

type movementSum struct {
	rows   int64
	amount fen
}

func (m *movementSum) add(v fen) {
	if v != 0 {
		m.rows++
		m.amount += v
	}
}

// accountOutput takes the rows: a text or a workbook.
type accountOutput interface {
	// row takes the cells, of which those that are numbers in a workbook are money.
	row(cells []string, money func(i int) bool)
	line(text string)
	finish() error
}

// writeAccounts writes account/, a bill for each merchant.
func (w *world) writeAccounts(ctx context.Context, dir string) error {
	if !w.cfg.Accounts {
		return nil
	}
	o := new(order)
	for m := range w.merchants {
		if err := w.writeAccount(ctx, dir, m, o); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) writeAccount(ctx context.Context, dir string, m int, o *order) error {
	p := accountWriter{w: w, m: m, layout: w.accountLayout(m), balance: 1_000_000, step: 1, enc: gb18030, kinds: map[string]*[2]movementSum{}}
	if err := p.open(dir); err != nil {
		return err
	}
	p.top()
	p.out.row(p.layout.names, func(int) bool { return false })
	count := w.merchants[m].count
	if p.layout.portal {
		p.flow, p.step = 100*count+1000, -1
		p.balance = 9_999_999
		p.others()
	}
	var ties [2]tie
	for k := range count {
		if k%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		j := k
		if p.layout.portal {
			j = count - 1 - k
		}
		w.build(w.index(m, j), o)
		for _, t := range w.tiesOf(o, &ties) {
			rows := t.rows[:t.n]
			if p.layout.portal {
				slices.Reverse(rows)
			}
			for i := range rows {
				p.movement(&rows[i], t.tradeNo, o.billNumber)
			}
		}
	}
	if !p.layout.portal {
		p.others()
	}
	p.bottom()
	if err := p.out.finish(); err != nil {
		return err
	}
	if err := p.summary(dir); err != nil {
		return err
	}
	return ctx.Err()
}

func (p *accountWriter) open(dir string) error {
	w := p.w
	name := "account/" + w.merchants[p.m].pid + billSuffix + "_" + w.compact + "_账务明细"
	if p.layout.portal {
		name = "account/资金流水_" + w.merchants[p.m].pid + "_" + w.compact
	}
	if p.layout.book {
		p.enc = utf8
		book, err := createBook(dir, name+".xlsx")
		if err != nil {
			return err
		}
		p.out = &accountBook{book, book.sheet("Sheet1")}
		return nil
	}
	s, err := createSheet(dir, name+".csv")
	if err != nil {
		return err
	}
	s.encoding = gb18030
	p.out = accountSheet{s}
	return nil
}

// top writes what stands above the header.
func (p *accountWriter) top() {
	w := p.w
	pid := w.merchants[p.m].pid
	if p.layout.portal {
		p.out.line("#账号：shop***@example.com[" + pid + "]")
		p.out.line("#查询起始日期：" + w.cfg.Date + " 00:00:00查询终止日期：" + w.cfg.Date + " 23:59:59")
		return
	}
	p.preamble(p.out.line, "账务明细")
}

// preamble is what stands above the header of a bill and of its summary.
func (p *accountWriter) preamble(line func(string), title string) {
	w := p.w
	line("#支付宝" + title + "查询")
	line("#账号：[" + w.merchants[p.m].pid + billSuffix + "]")
	line("#起始日期：[" + w.date.Format(layoutOfDay) + "]   终止日期：[" + w.date.AddDate(0, 0, 1).Format(layoutOfDay) + "]")
	line("#" + strings.Repeat("-", 41) + title + "列表" + strings.Repeat("-", 40))
}

// summary writes the 账务汇总 of a bill: a line a type, and their total.
func (p *accountWriter) summary(dir string) error {
	if p.layout.portal {
		return nil
	}
	s, err := createSheet(dir, "account/"+p.w.merchants[p.m].pid+billSuffix+"_"+p.w.compact+"_账务汇总.csv")
	if err != nil {
		return err
	}
	s.encoding = gb18030
	p.preamble(s.line, "账务汇总")
	s.line("类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）")
	kinds := slices.Collect(maps.Keys(p.kinds))
	slices.Sort(kinds)
	row := func(kind string, in, out movementSum) {
		s.line(fmt.Sprintf("%s,%d,%s,%d,%s,%s", kind, in.rows, appendFen(nil, in.amount), out.rows,
			appendFen(nil, p.signed(out.amount)), appendFen(nil, in.amount-out.amount)))
	}
	for _, kind := range kinds {
		row(kind, p.kinds[kind][0], p.kinds[kind][1])
	}
	row("合计", p.in, p.not)
	s.line("#" + strings.Repeat("-", 41) + "账务汇总列表结束" + strings.Repeat("-", 36))
	s.line("#导出时间：[" + p.exported().Format(layoutOfDay) + "]")
	return s.finish()
}

// exported is when the bill was made.
func (p *accountWriter) exported() time.Time {
	return p.w.date.Add(29*time.Hour + 46*time.Minute + 49*time.Second)
}

func (p *accountWriter) addKind(row *accountRow) {
	if p.layout.portal {
		return
	}
	if p.kinds[row.kind] == nil {
		p.kinds[row.kind] = new([2]movementSum)
	}
	p.kinds[row.kind][0].add(row.in)
	p.kinds[row.kind][1].add(row.out)
}

const layoutOfDay = "2006年01月02日 15:04:05"

func (p *accountWriter) bottom() {
	if p.layout.portal {
		p.out.line("#导出时间：" + p.exported().Format("2006-01-02 15:04:05"))
		return
	}
	p.out.line("#" + strings.Repeat("-", 41) + "账务明细列表结束" + strings.Repeat("-", 36))
	p.out.line(fmt.Sprintf("#支出合计：%d笔，共%s元", p.not.rows, appendFen(nil, p.signed(p.not.amount))))
	p.out.line(fmt.Sprintf("#收入合计：%d笔，共%s元", p.in.rows, appendFen(nil, p.in.amount)))
	p.out.line("#导出时间：[" + p.exported().Format(layoutOfDay) + "]")
}

// otherRows are the rows beyond the trade bill.
var otherRows = []accountRow{
	{time: 3600, in: 880, kind: "在线支付", beside: "personal"},
	{time: 7200, out: 250, kind: "收费"},
	{time: 79_200, out: 500_000, kind: "提现", beside: "withdrawal"},
	{time: 79_201, kind: "转账", beside: "transfer"},
}

func (p *accountWriter) others() {
	rows := slices.Clone(otherRows)
	if p.layout.portal {
		slices.Reverse(rows)
	}
	for i := range rows {
		p.movement(&rows[i], nil, nil)
	}
}

// signed is an expense as the form writes it.
func (p *accountWriter) signed(v fen) fen {
	if p.layout.sign == signPositive || p.layout.sign == signOfMerchant && p.w.merchants[p.m].positive {
		return v
	}
	return -v
}

// movement writes one row.
func (p *accountWriter) movement(row *accountRow, tradeNo, number []byte) {
	p.flow += p.step
	p.serial++
	if p.step > 0 {
		p.balance += row.in - row.out
	}
	p.in.add(row.in)
	p.not.add(row.out)
	p.addKind(row)
	p.cells = p.cells[:0]
	for _, c := range p.layout.columns {
		p.cells = append(p.cells, p.cell(c, row, tradeNo, number))
	}
	p.out.row(p.cells, func(i int) bool {
		c := p.layout.columns[i]
		return (c == accIn || c == accOut || c == accBalance) && strings.Trim(p.cells[i], " ") != ""
	})
	if p.step < 0 { // the next row is the one before
		p.balance -= row.in - row.out
	}
}

// cell is the text of one cell.
func (p *accountWriter) cell(c accountCell, row *accountRow, tradeNo, number []byte) string {
	b := p.b[:0]
	switch c {
	case accSerial:
		b = strconv.AppendInt(b, p.serial, 10)
	case accFlow:
		b = append(b, p.w.compact...)
		b = appendDigits(b, p.flow, 8)
	case accTradeNo:
		if row.beside != "" {
			b = append(b, p.w.compact...)
			b = strconv.AppendInt(append(b, "9900"...), p.flow, 10)
			b = append(b, row.beside...)
		} else if !row.numberOnly {
			b = append(b, tradeNo...)
		}
	case accNumber, accBase:
		b = append(b, number...)
	case accTime:
		b = append(b, p.w.day...)
		if row.badTime {
			b = append(b, "25:61:00"...)
		} else {
			b = appendClock(b, row.time)
		}
	case accIn:
		b = p.amount(b, row.in)
	case accOut:
		b = p.amount(b, p.signed(row.out))
	case accBalance:
		b = appendFen(b, p.balance)
	case accChannel:
		b = append(b, "支付宝"...)
	case accKind:
		b = append(b, row.kind...)
	case accText:
		b = append(b, accountTexts[row.kind]...)
	case accBlank, accPeer, accSource, accSubject:
	}
	if p.layout.tab && (c == accFlow || c == accTradeNo || c == accNumber) {
		b = append(b, '\t')
	}
	p.b = b
	return cmp.Or(string(b), p.layout.blank)
}

func (p *accountWriter) amount(b []byte, v fen) []byte {
	if v == 0 {
		return append(b, p.layout.none...)
	}
	return appendFen(b, v)
}

// accountTexts are 业务描述 by type.
var accountTexts = map[string]string{
	"在线支付": "0010001|交易收款-交易收款", "交易退款": "0020011|交易退款-交易退款", "收费": "0030003|技术费",
}

// accountSheet is an account bill as text.
type accountSheet struct{ *sheet }

func (s accountSheet) row(cells []string, _ func(int) bool) { s.cells(cells) }

// accountBook is one as a workbook.
type accountBook struct {
	*book
	s *bookSheet
}

func (b *accountBook) row(cells []string, money func(int) bool) { b.s.row(cells, money) }

func (b *accountBook) line(text string) {
	b.s.row([]string{text}, func(int) bool { return false })
}

// beyond adds up what no trade of the trade bill has, by 业务类型.
type beyond map[string]*[3]int64 // count, income, expense

func (m beyond) add(row *accountRow) {
	if m[row.kind] == nil {
		m[row.kind] = new([3]int64)
	}
	sum := m[row.kind]
	sum[0]++
	sum[1] += row.in
	sum[2] += row.out
}

func (m beyond) addTie(t *tie) {
	for i := range t.rows[:t.n] {
		if !t.rows[i].badTime {
			m.add(&t.rows[i])
		}
	}
}

// write writes the sums, with those of every merchant's other rows.
func (m beyond) write(dir string, merchants int) error {
	for range merchants {
		for i := range otherRows {
			m.add(&otherRows[i])
		}
	}
	s, err := createSheet(dir, "expected/account_types.csv")
	if err != nil {
		return err
	}
	s.line("type,count,income,expense")
	kinds := make([]string, 0, len(m))
	for kind := range m {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		sum := m[kind]
		s.line(fmt.Sprintf("%s,%d,%s,%s", kind, sum[0], appendFen(nil, sum[1]), appendFen(nil, sum[2])))
	}
	return s.finish()
}
