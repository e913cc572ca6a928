package gen

import (
	"fmt"
	"strings"
)

// A monthRow is what a statement by the month says of one shop.
type monthRow struct {
	trades int64
	basis  fen
	rebate micro
}

// monthRows adds up the primary's face payments by store, while the statement is
// written.
type monthRows struct {
	w      *world
	stores []monthRow
}

func newMonthRows(w *world) *monthRows {
	if !w.together() {
		return nil
	}
	return &monthRows{w, make([]monthRow, len(w.stores))}
}

// add adds the trades of a record that the statement pays: those with the primary's
// PID, and those of which only Alipay knows the PID, which was right.
func (s *monthRows) add(o *order) {
	if s == nil {
		return
	}
	a := &s.w.providers[primary].agreements[faceToFace]
	add := func(b *rebate) {
		store := &s.stores[o.store]
		store.trades++
		store.basis += max(o.basis(a), 0)
		store.rebate += b.expected
	}
	for k := range o.nRebates {
		b := &o.rebates[k]
		//exhaustive:ignore
		switch {
		case b.product != faceToFace:
		case !o.pos, wrongPID(o.rebateKind) == 0 && o.rebateKind != SecondProvider && o.rebateKind != PendingProvider:
			add(b)
		}
	}
	if o.secondRebate.cause != 0 {
		add(&o.secondRebate)
	}
}

// A statedRow is one row of a statement by the month.
type statedRow struct {
	merchant   string
	store      string
	trades     int64
	basis      fen
	rebate     micro
	correction bool // of an earlier month
	weChat     bool // it has WeChat trades too
}

// of are the rows of a merchant: one a store, and what is planted.
func (s *monthRows) of(m int) []statedRow {
	w := s.w
	me := &w.merchants[m]
	plan := w.groupPlan(m)
	if plan.kind == groupMissing {
		return nil
	}
	var rows []statedRow
	for k := me.firstStore; k < me.firstStore+me.stores; k++ {
		if sum := s.stores[k]; sum.trades > 0 || k == me.firstStore {
			rows = append(rows, statedRow{me.pid, string(w.stores[k].name.utf8), sum.trades, sum.basis, sum.rebate, false, false})
		}
	}
	switch plan.kind {
	case groupAdjusted:
		rows[0].rebate += plan.off
		rows = append(rows, statedRow{merchant: me.pid, store: rows[0].store, rebate: -plan.off, correction: true})
	case groupOver:
		rows[len(rows)-1].rebate += plan.off
	case groupShort: // from row to row, as far as they go
		off := plan.off
		for k := range rows {
			less := min(off, rows[k].rebate)
			rows[k].rebate -= less
			off -= less
		}
	case groupRight, groupMissing:
	}
	return rows
}

const (
	kaHeader = "品牌,收钱吧商户名称,收钱吧商户号,支付宝商户PID,支付宝交易金额,支付宝返佣比例,支付宝返佣金额,支付宝间连返佣,微信交易金额,微信返佣比例,微信返佣金额,返佣合计," +
		"交易期日,备注,一级组织,二级组织,三级组织"
	monthlyHeader = "commission_ym,commission_pin_mch_id,commission_shop_name,commission_site,commission_total_amount,commission_count_amount," +
		"commission_feilv,commission_settle_amount"
)

// strangeNumber is a merchant's number that is no PID, in a row that is rejected.
const strangeNumber = "1680001234567"

func (s *monthRows) write(dir string, rows *Rows) error {
	if s == nil {
		return nil
	}
	if s.w.cfg.Rebate == RebateMonthly {
		return s.writeMonthly(dir, rows)
	}
	return s.writeWorkbook(dir, rows)
}

// writeMonthly writes the official table, with WeChat's rows among Alipay's.
func (s *monthRows) writeMonthly(dir string, rows *Rows) error {
	w := s.w
	month := strings.ReplaceAll(w.period, "-", "")
	out, err := createSheet(dir, "rebate/commission_"+month+".csv")
	if err != nil {
		return err
	}
	out.line(monthlyHeader)
	rate := rateText(w.providers[primary].agreements[faceToFace].rate)
	for m := range w.merchants {
		for k, r := range s.of(m) {
			rows.StatementRows++
			terms := fmt.Sprintf("%s,%d,%s", appendFen(nil, r.basis), r.trades, rate)
			if r.correction {
				terms = ",,"
			}
			out.line(fmt.Sprintf("%s,%s,%s,alipay,%s,%s", month, r.merchant, r.store, terms, appendMicro(nil, r.rebate, 2)))
			if k == 0 {
				out.line(fmt.Sprintf("%s,%s,%s,wxpay,%s,%d,0.001,0.33", month, strangeNumber, r.store, appendFen(nil, 33_000), 7))
			}
		}
	}
	if w.strangeRow() {
		rows.StatementRows++
		out.line(month + "," + strangeNumber + ",别家,alipay,100.00,1,0.002,0.20")
	}
	return out.finish()
}

// strangeRow: the statement has a row of a merchant whose PID it does not give.
func (w *world) strangeRow() bool { return !w.cfg.NoRejects && !w.cfg.Clean }

// writeWorkbook writes a workbook as an aggregator sends it: a title above the header,
// a sheet a brand, WeChat beside Alipay, rows of totals, and a sheet 汇总.
func (s *monthRows) writeWorkbook(dir string, rows *Rows) error {
	w := s.w
	month := strings.ReplaceAll(w.period, "-", "")
	b, err := createBook(dir, "rebate/KA返佣"+month+".xlsx")
	if err != nil {
		return err
	}
	due := map[string]micro{}
	for brand, name := range []string{"品牌一", "品牌二"} {
		sheet := kaSheet{book: b.sheet(name), due: due, month: month, rate: rateText(w.providers[primary].agreements[faceToFace].rate)}
		sheet.text("KA 返佣明细")
		sheet.text("")
		sheet.text(fmt.Sprintf("统计周期：%d 年 %d 月", w.date.Year(), w.date.Month()))
		sheet.text(strings.Split(kaHeader, ",")...)
		for m := brand; m < len(w.merchants); m += 2 {
			for k, r := range s.of(m) {
				rows.StatementRows++
				r.weChat = k%2 == 0
				sheet.shop(name, &r)
			}
		}
		if brand == 0 && w.strangeRow() {
			rows.StatementRows++
			sheet.shop(name, &statedRow{merchant: strangeNumber, store: "别家", trades: 1, basis: 10_000, rebate: 200_000})
		}
		sheet.totals()
	}
	summary := b.sheet("汇总")
	summary.row([]string{"KA 返佣汇总"}, noNumber)
	summary.row([]string{"商户PID", "商户名称", "应返金额"}, noNumber)
	var all micro
	for m := range w.merchants {
		if sum, ok := due[w.merchants[m].pid]; ok {
			summary.row([]string{w.merchants[m].pid, w.merchants[m].name, string(appendMicro(nil, sum, 2))}, lastNumber)
			all += sum
		}
	}
	if sum, ok := due[strangeNumber]; ok {
		summary.row([]string{strangeNumber, "别家", string(appendMicro(nil, sum, 2))}, lastNumber)
		all += sum
	}
	summary.row([]string{"合计", "", string(appendMicro(nil, all, 2))}, lastNumber)
	b.sheet("说明").row([]string{"本表由渠道部提供"}, noNumber)
	return b.finish()
}

func lastNumber(i int) bool { return i == 2 }

// kaSheet is the sheet of one brand.
type kaSheet struct {
	book        *bookSheet
	due         map[string]micro // all channels, by merchant
	month, rate string
	basis, sum  micro
	n           int
}

func (s *kaSheet) text(cells ...string) { s.book.row(cells, noNumber) }

func (s *kaSheet) row(cells ...string) {
	s.book.row(cells, func(i int) bool {
		switch i {
		case 4, 6, 8, 10, 11:
			return cells[i] != ""
		}
		return false
	})
}

// shop writes the row of one shop, with WeChat's if it has any; another shop has
// WeChat trades alone.
func (s *kaSheet) shop(brand string, r *statedRow) {
	s.n++
	number := fmt.Sprintf("168%010d", s.n)
	basis, rate, remark := string(appendFen(nil, r.basis)), s.rate, ""
	if r.correction {
		basis, rate, remark = "", "", "上月调账"
	}
	var wxBasis, wxRate, wxRebate string
	both := r.rebate
	if r.weChat {
		wxBasis, wxRate, wxRebate = "50.00", "0.10%", "0.05"
		both += 50_000
	}
	s.due[r.merchant] += both
	s.sum += r.rebate
	s.basis += r.basis
	s.row(brand, r.store, number, r.merchant, basis, rate, string(appendMicro(nil, r.rebate, 2)), "", wxBasis, wxRate, wxRebate,
		string(appendMicro(nil, both, 2)), s.month, remark, "华东", "上海", "一组")
	if r.weChat {
		s.row(brand, r.store+"（微信）", number, r.merchant, "", "", "", "", "10.00", "0.10%", "0.01", "0.01", s.month, "", "华东", "上海", "一组")
		s.due[r.merchant] += 10_000
	}
	if s.n%3 == 0 {
		s.row(brand, "", "小计", "", "", "", string(appendMicro(nil, s.sum, 2)), "", "", "", "", "", "", "", "", "", "")
	}
}

func (s *kaSheet) totals() {
	s.row("合计", "", "", "", string(appendFen(nil, s.basis)), "", string(appendMicro(nil, s.sum, 2)), "", "", "", "", "", "", "", "", "", "")
}
