package main

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

const (
	faceToFace = "face_to_face"
	huabei     = "huabei_instalment"
)

var rebateColumns = []column{
	{"merchant_pid", text},
	{"out_trade_no", text},
	{"trade_no", text},
	{"product", text},
	{"sys_service_provider_id", text},
	{"cause", text},
	{"appeal", text},
	{"basis", money},
	{"rate", rate},
	{"expected", rebated},
	{"stated", rebated},
	{"loss", rebated},
	{"period", text},
	{"store_id", text},
	{"terminal_id", text},
	{"trade_time", moment},
	{"agreement_pid", text},
}

var appeals = map[string]string{
	"pid_missing": "lost", "pid_malformed": "lost", "pid_is_merchant": "lost", "pid_not_effective": "lost",
	"pid_unsigned": "lost", "pid_foreign": "lost",
	"statement_missing": "claimable", "statement_short": "claimable", "statement_over": "owed",
}

// writeRebates audits every payment for the products it is entitled to (rules 6).
func writeRebates(dir string, d *day, trades []trade, sums *checksums) error {
	t, err := newTable(dir, "rebates", rebateColumns)
	if err != nil {
		return err
	}
	for i := range trades {
		x := &trades[i]
		if x.bill == nil || x.bill.duplicate {
			continue
		}
		x.bill.cause = t.rebateRow(d, x, faceToFace, sums)
		if x.order != nil && x.order.instalments != "" {
			t.rebateRow(d, x, huabei, sums)
		}
	}
	sums.OutOfScope = int64(len(d.statements)) // the others have been taken
	return t.close()
}

// inForce is the provider's agreement at a time.
func (d *day) inForce(pid, product string, at time.Time) *agreement {
	day := at.Format(time.DateOnly)
	found := d.agreements[[2]string{pid, product}]
	for i := range found {
		if a := &found[i]; a.from <= day && (a.to == "" || day <= a.to) {
			return a
		}
	}
	return nil
}

// wrongPID is why the PID that the order carries earns nothing; blank if it does.
func (d *day) wrongPID(x *trade, product string) (cause string, a *agreement) {
	if x.order == nil {
		return "pid_unknown", nil
	}
	pid := x.order.pid
	if a := d.inForce(pid, product, x.bill.time); a != nil {
		return "", a
	}
	switch {
	case pid == "":
		return "pid_missing", nil
	case len(pid) != 16 || !strings.HasPrefix(pid, "2088") || strings.Trim(pid, "0123456789") != "":
		return "pid_malformed", nil
	case d.merchants[pid]:
		return "pid_is_merchant", nil
	case len(d.agreements[[2]string{pid, product}]) > 0:
		return "pid_not_effective", nil
	case d.providers[pid]:
		return "pid_unsigned", nil
	}
	return "pid_foreign", nil
}

// rebateRow writes one trade's rebate and says its cause.
func (t *table) rebateRow(d *day, x *trade, product string, sums *checksums) string {
	p := x.bill
	cause, a := d.wrongPID(x, product)
	if a == nil {
		a = d.inForce(d.primary, product, p.time)
	}
	basis := p.received.Sub(p.refundedToAccount)
	if a.basis == "order_amount" {
		basis = p.total.Sub(p.refundedTotal)
	}
	expected := decimal.Max(basis.Mul(a.rate).Round(a.scale), decimal.Zero)
	if a.limit.Valid {
		expected = decimal.Min(expected, a.limit.Decimal)
	}
	paid := rebateKey{p.tradeNo, product}
	amount, stated := d.statements[paid]
	delete(d.statements, paid)
	loss := expected.Sub(amount)
	if cause == "" {
		cause = d.statementCause(a, product, loss, stated)
	} else if cause == "pid_unknown" && loss.IsZero() {
		cause = "ok"
	}

	s := at(sums.Rebates, cause)
	s.Count++
	s.Expected, s.Stated, s.Loss = s.Expected.Add(expected), s.Stated.Add(amount), s.Loss.Add(loss)
	k, store, terminal, pid := p.key, p.store, p.terminal, ""
	if o := x.order; o != nil {
		k, store, terminal, pid = o.key, o.store, o.terminal, o.pid
	}
	if cause != "ok" && cause != "statement_pending" {
		f := finding{code: cause, severity: "error", side: "statement", key: k, tradeNo: p.tradeNo, store: store, amount: loss.Abs()}
		switch {
		case appeals[cause] == "lost":
			f.severity, f.side = "warn", "pos"
		case cause == "pid_unknown":
			f.severity, f.side = "info", "pos"
		case cause == "statement_over":
			f.severity = "warn"
		}
		sums.found(f)
	}
	t.text(k.merchant)
	t.text(k.number)
	t.text(p.tradeNo)
	t.text(product)
	t.text(pid)
	t.text(cause)
	t.text(appeals[cause])
	t.decimal(basis)
	t.decimal(a.rate)
	t.decimal(expected)
	t.decimalOrNull(decimal.NullDecimal{Decimal: amount, Valid: stated})
	t.decimal(loss)
	t.text(p.time.Format("2006-01"))
	t.text(store)
	t.text(terminal)
	t.time(p.time)
	t.text(a.pid)
	t.end()
	return cause
}

// statementCause compares a right trade with the statements.
func (d *day) statementCause(a *agreement, product string, loss decimal.Decimal, stated bool) string {
	switch {
	case !d.covered[[2]string{a.pid, product}]:
		return "statement_pending"
	case loss.IsPositive() && !stated:
		return "statement_missing"
	case loss.IsPositive():
		return "statement_short"
	case loss.IsNegative():
		return "statement_over"
	}
	return "ok"
}
