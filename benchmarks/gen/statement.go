package gen

import "context"

const (
	statementHeader = "period,service_provider_pid,merchant_pid,product,trade_no,out_trade_no,trade_time," +
		"trade_amount,rate,rebate_amount,adjustment,remark"
	slimStatementHeader = "period,service_provider_pid,product,trade_no,trade_amount,rate,rebate_amount"
)

// covered are the (provider, product) pairs of which the statement has a row of
// another day, so that it covers them even on a day without a trade of theirs. What is
// stated by the month is not among them.
func (w *world) covered() [][2]int {
	if w.together() {
		return [][2]int{{primary, huabei}, {second, faceToFace}}
	}
	return [][2]int{{primary, faceToFace}, {primary, huabei}, {second, faceToFace}}
}

// statementWriter writes the statement's rows in an order of its own.
type statementWriter struct {
	w    *world
	out  *sheet
	rows *Rows

	months *monthRows // what is stated by the month, or nil
}

func (w *world) writeStatement(ctx context.Context, dir string, rows *Rows) error {
	s, err := createSheet(dir, "rebate/statement.csv")
	if err != nil {
		return err
	}
	p := statementWriter{w, s, rows, newMonthRows(w)}
	if w.cfg.Slim {
		s.line(slimStatementHeader)
	} else {
		s.line(statementHeader)
	}
	o := new(order)
	n := int64(w.cfg.Trades)
	p.coverage(o)
	order := newPermutation(n, mix64(w.cfg.Seed^3))
	for k := range n {
		if k%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		w.build(order.at(k), o)
		p.months.add(o)
		for r := range o.nStatements {
			p.row(o, &o.statements[r])
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	if err := p.months.write(dir, rows); err != nil {
		return err
	}
	return ctx.Err()
}

func (p *statementWriter) coverage(o *order) {
	for k, c := range p.w.covered() {
		*o = order{i: int64(k), finished: 12 * 3600}
		o.tradeNo = p.w.appendTradeNo(o.tradeNoBuf[:0], p.w.compact, 2*int64(p.w.cfg.Trades)+int64(k))
		row := o.pay(c[0], c[1], 1_000_000)
		row.otherDay = true
		p.row(o, row)
	}
}

func (p *statementWriter) row(o *order, row *statementRow) {
	w := p.w
	p.rows.StatementRows++
	b := append(p.out.b, w.period...)
	b = append(b, ',')
	b = append(b, w.providers[row.provider].pid...)
	if !w.cfg.Slim {
		b = append(b, ',')
		b = append(b, w.merchants[o.m].pid...)
	}
	b = append(b, ',')
	switch {
	case w.cfg.Slim || o.i%3 != 0:
		b = append(b, productNames[row.product]...)
	case row.product == huabei:
		b = append(b, "花呗分期"...)
	default:
		b = append(b, "当面付"...)
	}
	b = append(b, ',')
	if !row.byNumber || w.cfg.Slim {
		b = append(b, row.tradeNo...)
	}
	if !w.cfg.Slim {
		b = append(b, ',')
		if row.byNumber {
			b = append(b, o.billNumber...)
		}
		b = append(b, ',')
		if row.otherDay {
			b = append(b, w.otherDay...)
			b = append(b, ' ')
		} else {
			b = append(b, w.day...)
		}
		b = appendClock(b, row.time)
	}
	b = append(b, ',')
	if row.tradeAmount != blankAmount {
		b = appendFen(b, row.tradeAmount)
	}
	b = append(b, ',')
	b = appendRate(b, w.providers[row.provider].agreements[row.product].rate, o.i, w.cfg.Slim)
	b = append(b, ',')
	b = appendMicro(b, row.amount, 2)
	if !w.cfg.Slim {
		b = append(b, ',')
		if row.adjustment != 0 {
			b = appendMicro(b, row.adjustment, 2)
		}
		b = append(b, ',')
		if row.amount < 0 || row.adjustment < 0 {
			b = append(b, "调差"...)
		}
	}
	p.out.b = b
	p.out.newline()
}

// appendRate writes 0.002 as 0.002, 0.2% or 2‰.
func appendRate(b []byte, rate micro, i int64, plain bool) []byte {
	switch {
	case plain || i%4 < 2:
		return appendMicro(b, rate, 0)
	case i%4 == 2:
		return append(appendMicro(b, rate*100, 0), '%')
	}
	return append(appendMicro(b, rate*1000, 0), "‰"...)
}
