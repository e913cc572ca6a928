package claim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"regexp"
	"strconv"
	"strings"

	"duizhang/rules"
)

// A Difference is something that is not as the pack says.
type Difference struct {
	Place string `json:"place"` // trades.csv:7, bills/a.zip:b.csv:12, claim.xlsx:交易!K8
	What  string `json:"what"`  // the column or figure
	Pack  string `json:"pack"`  // what the pack says
	Found string `json:"found"` // what was computed, or is in the original
}

// A Check is one part of the verification, and how much of it there was.
type Check struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Holds bool   `json:"holds"`
}

// A Report is what a verification comes to.
type Report struct {
	Checks      []Check      `json:"checks"`
	Differences []Difference `json:"differences"` // the first of them
	More        int          `json:"more"`        // beyond them
}

// maxDifferences is how many differences are said one by one.
const maxDifferences = 200

// Holds reports whether nothing differs.
func (r *Report) Holds() bool { return len(r.Differences) == 0 }

func (r *Report) add(d Difference) {
	if len(r.Differences) < maxDifferences {
		r.Differences = append(r.Differences, d)
	} else {
		r.More++
	}
}

// check runs one part.
func (r *Report) check(name string, part func(report func(Difference)) (int64, error)) error {
	before := len(r.Differences) + r.More
	n, err := part(r.add)
	if err != nil {
		return err
	}
	r.Checks = append(r.Checks, Check{name, n, before == len(r.Differences)+r.More})
	return nil
}

// The names of the checks.
const (
	CheckFiles     = "files"
	CheckTrades    = "trades"
	CheckGroups    = "groups"
	CheckTotals    = "totals"
	CheckBook      = "workbook"
	CheckStatement = "statement"
	CheckInputs    = "inputs"
	CheckLines     = "lines"
	CheckEvidence  = "evidence"
	CheckLeftOut   = "left_out"
)

// Verify computes the pack anew from its evidence: every trade, the groups, the
// totals, and what the workbook and the statement say of them. cells gives the rows
// of the workbook.
func (p *Pack) Verify(cells func(row func(sheet string, line int, cells []string) error) error) (*Report, error) {
	r := &Report{Differences: []Difference{}}
	if err := r.check(CheckFiles, func(report func(Difference)) (int64, error) {
		return int64(len(p.Manifest.Files)), p.digests(report)
	}); err != nil {
		return nil, err
	}
	calc := newCalculator(&p.Manifest, p.limit)
	if err := p.eachTrade(func(e *Evidence) error {
		calc.shared(e)
		return nil
	}, func(_ int, t *Trade, _ rules.Micro, evidence []Evidence) error {
		f := calc.figureOf(t, evidence)
		calc.collect(t, &f)
		return nil
	}); err != nil {
		return nil, err
	}
	calc.close()
	groups := map[groupKey]*Group{}
	sum := totals{}
	if err := r.check(CheckTrades, func(report func(Difference)) (int64, error) { return p.verifyTrades(calc, groups, &sum, report) }); err != nil {
		return nil, err
	}
	if err := r.check(CheckGroups, func(report func(Difference)) (int64, error) { return p.verifyGroups(calc, groups, &sum, report) }); err != nil {
		return nil, err
	}
	if err := r.check(CheckTotals, func(report func(Difference)) (int64, error) { return p.verifyTotals(&sum, report), nil }); err != nil {
		return nil, err
	}
	if err := r.check(CheckBook, func(report func(Difference)) (int64, error) { return p.verifyBook(cells, report) }); err != nil {
		return nil, err
	}
	return r, r.check(CheckStatement, p.verifyStatement)
}

// totals are the pack's figures, computed.
type totals struct {
	rows, claimed         int64
	expected, paid, claim rules.Sum
}

func (p *Pack) verifyTrades(calc *calculator, groups map[groupKey]*Group, sum *totals, report func(Difference)) (int64, error) {
	err := p.eachTrade(func(*Evidence) error { return nil }, func(line int, t *Trade, claim rules.Micro, evidence []Evidence) error {
		f := calc.figureOf(t, evidence)
		place := tradesName + ":" + strconv.Itoa(line)
		differ := func(what, pack, found string) {
			if pack != found {
				report(Difference{place, what, pack, found})
			}
		}
		if f.wrong != "" {
			report(Difference{place, f.wrong, "", "evidence does not fit the trade"})
		}
		differ("basis", t.Basis.String(), f.basis.String())
		expected := calc.expected(t, &f)
		differ("expected", money(t.Expected), money(expected))
		paid := func(m rules.Micro, has bool) string {
			if !has {
				return ""
			}
			return money(m)
		}
		differ("paid", paid(t.Paid, t.HasPaid), paid(f.paid, f.hasPaid))
		cause := t.Cause
		if f.pos != nil && (cause == rules.CauseOK || cause >= rules.CauseStatementMissing) {
			cause = calc.cause(t, &f, expected)
		}
		if t.Cause.Appeal() == rules.AppealClaimable && !calc.right(t, &f) {
			report(Difference{place, "sys_service_provider_id", t.Cause.String(), "no agreement in force for the PID that was sent"})
		}
		differ("cause", t.Cause.String(), cause.String())
		again := Trade{Expected: expected, Paid: f.paid, HasPaid: f.hasPaid, Cause: cause}
		differ("claim", money(claim), money(again.Claim()))

		sum.rows++
		if again.Claim() != 0 {
			sum.claimed++
			sum.expected.AddMicro(again.Expected)
			sum.paid.AddMicro(again.Paid)
		}
		key := groupKey{t.Merchant, t.Product}
		g := groups[key]
		if g == nil {
			g = &Group{Merchant: t.Merchant, Product: t.Product}
			groups[key] = g
		}
		g.add(&again)
		return nil
	})
	for key := range calc.aggregated {
		if groups[key] == nil {
			groups[key] = &Group{Merchant: key.merchant, Product: key.product}
		}
	}
	return sum.rows, err
}

func (p *Pack) verifyGroups(calc *calculator, groups map[groupKey]*Group, sum *totals, report func(Difference)) (int64, error) {
	n := int64(0)
	err := p.rows(groupsName, groupHeader, func(line int, _, _ int64, record []string) error {
		n++
		place := groupsName + ":" + strconv.Itoa(line)
		key := groupKey{strings.Clone(record[0]), strings.Clone(record[1])}
		g := groups[key]
		if g == nil {
			report(Difference{place, "merchant_pid", record[0] + " " + record[1], ""})
			return nil
		}
		delete(groups, key)
		calc.rest(g)
		g.Whole = record[2] == "true"
		sum.claim.AddSum(g.Total())
		for i, text := range g.record() {
			if text != record[i] {
				report(Difference{place, groupHeader[i], record[i], text})
			}
		}
		return nil
	})
	for key, g := range groups { // that groups.csv does not have
		report(Difference{groupsName, "merchant_pid", "", key.merchant + " " + key.product})
		calc.rest(g)
		sum.claim.AddSum(g.Total())
	}
	return n, err
}

func (p *Pack) verifyTotals(sum *totals, report func(Difference)) int64 {
	m := &p.Manifest
	pairs := [][3]string{
		{"rows", strconv.FormatInt(m.Rows, 10), strconv.FormatInt(sum.rows, 10)},
		{"claimed", strconv.FormatInt(m.Claimed, 10), strconv.FormatInt(sum.claimed, 10)},
		{"expected", m.Expected, sum.expected.String6()},
		{"paid", m.Paid, sum.paid.String6()},
		{"claim", m.Claim, sum.claim.String6()},
	}
	for _, pair := range pairs {
		if pair[1] != pair[2] {
			report(Difference{ManifestName, pair[0], pair[1], pair[2]})
		}
	}
	return int64(len(pairs))
}

// The columns of the workbook's sheet of trades that are compared, from 0.
var bookColumns = []struct{ sheet, row int }{
	{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {8, 10}, {9, 11}, {10, 12},
}

// verifyBook compares the workbook's trades with those of trades.csv.
func (p *Pack) verifyBook(cells func(func(sheet string, line int, cells []string) error) error, report func(Difference)) (int64, error) {
	next, stop := pull2(func(yield func([]string, error) bool) {
		errStop := errors.New("stopped")
		if err := p.rows(tradesName, tradeHeader, func(_ int, _, _ int64, record []string) error {
			if !yield(record, nil) {
				return errStop
			}
			return nil
		}); err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	})
	defer stop()
	n := int64(0)
	name := TradesSheet(p.Manifest.Lang)
	err := cells(func(sheet string, line int, row []string) error {
		if sheet != name && !strings.HasPrefix(sheet, name+" (") || line == 1 {
			return nil
		}
		record, err, ok := next()
		switch {
		case err != nil:
			return err
		case !ok:
			report(Difference{bookName + ":" + sheet + "!A" + strconv.Itoa(line), "row", "a row", "no such trade"})
			return nil
		}
		n++
		for _, c := range bookColumns {
			text := ""
			if c.sheet < len(row) {
				text = row[c.sheet]
			}
			if c.row >= 10 && text != "" {
				if v, err := rules.ParseMicro([]byte(text)); err == nil {
					text = money(v)
				}
			}
			if text != record[c.row] {
				report(Difference{bookName + ":" + sheet + "!" + string(rune('A'+c.sheet)) + strconv.Itoa(line), tradeHeader[c.row], text, record[c.row]})
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if record, err, ok := next(); ok && err == nil {
		report(Difference{bookName + ":" + name, "row", "", record[0]})
	}
	return n, nil
}

var statedClaim = regexp.MustCompile(`data-claim="([^"]*)"`)

// verifyStatement compares what the statement claims with the manifest.
func (p *Pack) verifyStatement(report func(Difference)) (int64, error) {
	const most = 4 << 20 // a page of ours has a few thousand bytes
	f, err := p.root.Open(statementName)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return 0, err
	}
	found := statedClaim.FindAllSubmatch(data, -1)
	if len(found) != 1 || string(found[0][1]) != p.Manifest.Claim {
		text := ""
		if len(found) > 0 {
			text = string(found[0][1])
		}
		report(Difference{statementName, "claim", text, p.Manifest.Claim})
	}
	return 1, nil
}

// pull2 is iter.Pull2.
func pull2[K, V any](seq iter.Seq2[K, V]) (func() (K, V, bool), func()) { return iter.Pull2(seq) }

// A Row is a row of evidence.csv as it is to be compared with the original: its
// place, and the columns used.
type Row struct {
	Line    int32
	at, end int64
}

// Rows are the rows of evidence.csv by input, each list sorted as it stands in the
// file.
func (p *Pack) Rows() (rows [][]Row, err error) {
	rows = make([][]Row, len(p.Manifest.Inputs))
	err = p.rows(evidenceName, evidenceHeader, func(line int, at, end int64, record []string) error {
		in, ok := p.inputs[[2]string{record[2], record[3]}]
		n, err := strconv.ParseInt(record[4], 10, 32)
		if !ok || err != nil || n < 1 {
			return refuse("%s:%d: %q: no such place", evidenceName, line, record[2]+":"+record[4])
		}
		rows[in] = append(rows[in], Row{int32(n), at, end})
		return nil
	})
	return rows, err
}

// Evidence reads a row again.
func (p *Pack) Evidence(file *os.File, r Row) (e Evidence, err error) {
	text := make([]byte, r.end-r.at)
	if _, err := file.ReadAt(text, r.at); err != nil {
		return e, err
	}
	c := csv.NewReader(strings.NewReader(string(text)))
	c.FieldsPerRecord = len(evidenceHeader)
	record, err := c.Read()
	if err != nil {
		return e, err
	}
	return parseEvidence(record, p.inputs, &p.Manifest)
}

// OpenEvidence opens evidence.csv for Evidence.
func (p *Pack) OpenEvidence() (*os.File, error) { return p.root.Open(evidenceName) }

// Used are the columns that are the input row's own, with their names.
func (e *Evidence) Used() (names, values []string) { return evidenceHeader[usedFrom:], e.used() }

// EachTrade gives the trades of the pack.
func (p *Pack) EachTrade(trade func(t *Trade) error) error {
	return p.rows(tradesName, tradeHeader, func(line int, _, _ int64, record []string) error {
		t, _, err := parseTrade(record)
		if err != nil {
			return refuse("%s:%d: %v", tradesName, line, err)
		}
		return trade(&t)
	})
}

// Check runs a further part of the verification.
func (r *Report) Check(name string, part func(report func(Difference)) (int64, error)) error {
	return r.check(name, part)
}

// String is place: what: pack → found.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: %q → %q", d.Place, d.What, d.Pack, d.Found)
}
