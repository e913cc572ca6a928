package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/loaders"
	"duizhang/reports/claim"
	"duizhang/rules"
)

// An originals compares the evidence of a pack with the files that it is from, while
// they are being read. It is the loaders' sink.
type originals struct {
	pack     *claim.Pack
	evidence *os.File
	words    *schema.Words
	rows     [][]claim.Row // by input, by line
	input    []int         // by table: its input, -1 for none

	mu      sync.Mutex
	seen    [][]bool // by input and row
	found   []claim.Difference
	read    int64
	blanks  map[orderAt]claim.Difference // POS orders whose value stands in another of their lines
	again   bool                         // the pass that looks for those
	paid    map[uint64]bool              // trade or order, and product: what the pack's trades are
	leftOut []claim.Difference
	looked  int64 // statement rows
}

// An orderAt is a POS order in a table, and the column that was blank.
type orderAt struct {
	input         int
	order, column string
}

// verifyOriginals compares the pack with the files below dir.
func (a *app) verifyOriginals(ctx context.Context, pack *claim.Pack, report *claim.Report, dir string) error {
	m := &pack.Manifest
	files, err := a.originalFiles(m, dir)
	if err != nil {
		return err
	}
	o := &originals{pack: pack, words: schema.NewWords(), blanks: map[orderAt]claim.Difference{}, paid: map[uint64]bool{}}
	if o.evidence, err = pack.OpenEvidence(); err != nil {
		return err
	}
	defer func() { _ = o.evidence.Close() }()
	if o.rows, err = pack.Rows(); err != nil {
		return err
	}
	for _, rows := range o.rows {
		slices.SortStableFunc(rows, func(x, y claim.Row) int { return cmp.Compare(x.Line, y.Line) })
		o.seen = append(o.seen, make([]bool, len(rows)))
	}
	if err := pack.EachTrade(func(t *claim.Trade) error {
		o.paid[identity(t.TradeNo, "", t.Product)] = true
		o.paid[identity(t.OutTradeNo, t.Merchant, t.Product)] = true
		return nil
	}); err != nil {
		return err
	}
	result, err := o.load(ctx, files, m)
	if err != nil {
		return err
	}
	if err := a.checkReadable(m, result.Tables, o.input); err != nil {
		return err
	}
	o.agreements(result)
	if len(o.blanks) > 0 {
		o.again = true
		if _, err := o.load(ctx, files, m); err != nil {
			return err
		}
	}
	if err := report.Check(claim.CheckInputs, func(differ func(claim.Difference)) (int64, error) {
		return compareInputs(m, result.Tables, o.input, differ), nil
	}); err != nil {
		return err
	}
	if err := report.Check(claim.CheckLines, func(differ func(claim.Difference)) (int64, error) {
		return o.lines(ctx, m, dir, differ)
	}); err != nil {
		return err
	}
	if err := report.Check(claim.CheckEvidence, o.compared); err != nil {
		return err
	}
	return report.Check(claim.CheckLeftOut, func(differ func(claim.Difference)) (int64, error) {
		sortDifferences(o.leftOut)
		for _, d := range o.leftOut {
			differ(d)
		}
		return o.looked, nil
	})
}

func sortDifferences(d []claim.Difference) {
	slices.SortFunc(d, func(a, b claim.Difference) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.What, b.What))
	})
}

// identity is a trade by one of its numbers, and a product.
func identity(number, merchant, product string) uint64 {
	return xxh3.HashString(number + "\x00" + merchant + "\x00" + product)
}

// originalFiles are the files to read. One that is not there, or is reached by a
// link out of the folder, cannot be compared.
func (a *app) originalFiles(m *claim.Manifest, dir string) ([]loaders.Input, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &failure{status: exitInput, err: errors.New(a.say("%s: 无法打开：%s", "%s: cannot be opened: %s", dir, a.lang.System(err)))}
	}
	defer func() { _ = root.Close() }()
	seen := map[[2]string]bool{}
	var files []loaders.Input
	for _, in := range m.Inputs {
		key := [2]string{in.Path, in.Kind}
		if seen[key] {
			continue
		}
		seen[key] = true
		kind := schema.ParseInputKind(in.Kind)
		if kind == 0 {
			return nil, fmt.Errorf("%w: %s: kind %q", claim.ErrNotAPack, claim.ManifestName, in.Kind)
		}
		local := filepath.FromSlash(in.Path)
		info, err := root.Stat(local)
		switch {
		case err != nil:
			return nil, &failure{
				status: exitInput, err: errors.New(a.say("%s: 原始文件无法读取：%s", "%s: the original cannot be read: %s", filepath.Join(dir, local), a.lang.System(err))),
				hint: a.say("--inputs 应为作业文件所在的文件夹", "--inputs is the folder in which the job file is"),
			}
		case !info.Mode().IsRegular():
			return nil, &failure{status: exitInput, err: errors.New(a.say("%s: 不是普通文件", "%s: not a regular file", filepath.Join(dir, local)))}
		}
		files = append(files, loaders.Input{Kind: kind, Path: filepath.Join(dir, local), Name: in.Path})
	}
	return files, nil
}

// load reads the originals as the run did.
func (o *originals) load(ctx context.Context, files []loaders.Input, m *claim.Manifest) (*loaders.Result, error) {
	inputs := map[[2]string]int{}
	for i, in := range m.Inputs {
		inputs[[2]string{in.Path, in.Member}] = i
	}
	columns := map[schema.InputKind]map[string][]string{}
	for name, of := range m.Reading.Columns {
		if kind := schema.ParseInputKind(name); kind != 0 {
			columns[kind] = of
		}
	}
	return loaders.Load(ctx, files, loaders.Options{
		Words: o.words, Columns: columns, StatementPID: m.Reading.StatementPID, DefaultMerchant: m.Reading.DefaultMerchant, Lang: "en",
		Listed: func(tables []*schema.Table) {
			o.input = make([]int, len(tables))
			for i, t := range tables {
				at, ok := inputs[[2]string{t.Path, t.Member}]
				if !ok {
					at = -1
				}
				o.input[i] = at
			}
		},
	}, o)
}

// checkReadable refuses to judge by originals that cannot be read.
func (a *app) checkReadable(m *claim.Manifest, tables []*schema.Table, input []int) error {
	have := make([]bool, len(m.Inputs))
	for i, t := range tables {
		if input[i] < 0 {
			continue
		}
		have[input[i]] = true
		if t.Refused {
			why := ""
			if len(t.Problems) > 0 {
				why = t.Problems[0].Message
			}
			return &failure{status: exitInput, err: errors.New(a.say("%s: 原始文件无法读取：%s", "%s: the original cannot be read: %s", t.File(), why))}
		}
	}
	for i, in := range m.Inputs {
		if !have[i] {
			return &failure{status: exitInput, err: errors.New(a.say("%s: 原始文件里没有 %s", "%s: the original has no %s", in.Path, in.Member))}
		}
	}
	return nil
}

func compareInputs(m *claim.Manifest, tables []*schema.Table, input []int, differ func(claim.Difference)) int64 {
	n := int64(0)
	told := map[string]bool{}
	for i, t := range tables {
		if input[i] < 0 || told[t.Path] {
			continue
		}
		told[t.Path] = true
		n++
		if in := m.Inputs[input[i]]; in.SHA256 != t.SHA256 {
			differ(claim.Difference{Place: t.Path, What: "file_sha256", Pack: in.SHA256, Found: t.SHA256})
		}
	}
	return n
}

// lines compares the SHA-256 of the lines.
func (o *originals) lines(ctx context.Context, m *claim.Manifest, dir string, differ func(claim.Difference)) (int64, error) {
	total := int64(0)
	for i, rows := range o.rows {
		var lines []int32
		for _, r := range rows {
			lines = append(lines, r.Line)
		}
		lines = slices.Compact(lines)
		in := m.Inputs[i]
		place := in.Path
		if in.Member != "" {
			place += ":" + in.Member
		}
		next := 0
		err := loaders.HashLines(ctx, filepath.Join(dir, filepath.FromSlash(in.Path)), in.Member, lines, func(line int32, sum [32]byte) error {
			for next < len(rows) && rows[next].Line < line {
				next++ // a line that the file has not: compared says so
			}
			for ; next < len(rows) && rows[next].Line == line; next++ {
				e, err := o.pack.Evidence(o.evidence, rows[next])
				if err != nil {
					return err
				}
				if e.LineSum != sum {
					differ(claim.Difference{
						Place: place + ":" + strconv.Itoa(int(line)), What: "line_sha256",
						Pack: hex.EncodeToString(e.LineSum[:]), Found: hex.EncodeToString(sum[:]),
					})
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("%s: %w", place, err)
		}
		total += int64(len(lines))
	}
	return total, nil
}

// compared gives what differed, and the rows that the originals do not have.
func (o *originals) compared(differ func(claim.Difference)) (int64, error) {
	for i, rows := range o.rows {
		in := o.pack.Manifest.Inputs[i]
		for k, r := range rows {
			if !o.seen[i][k] {
				place := in.Path
				if in.Member != "" {
					place += ":" + in.Member
				}
				o.found = append(o.found, claim.Difference{Place: place + ":" + strconv.Itoa(int(r.Line)), What: "line", Pack: "a row", Found: "no such row was accepted"})
			}
		}
	}
	for _, d := range o.blanks {
		o.found = append(o.found, d)
	}
	sortDifferences(o.found)
	for _, d := range o.found {
		differ(d)
	}
	return o.read, nil
}

// wanted are the evidence rows of a line.
func (o *originals) wanted(input int, line int32) (from, to int) {
	rows := o.rows[input]
	from, _ = slices.BinarySearchFunc(rows, line, func(r claim.Row, line int32) int { return cmp.Compare(r.Line, line) })
	for to = from; to < len(rows) && rows[to].Line == line; to++ {
	}
	return from, to
}

// Reject takes a row that is read as no row: the evidence that names it is not seen.
func (o *originals) Reject(schema.Reject) {}

// Batch compares the rows that the evidence names.
func (o *originals) Batch(ctx context.Context, b schema.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch b.Kind { //nolint:exhaustive // no other rows are evidence
	case schema.AlipayBill:
		var v schema.Bills
		if err := schema.View(&v, b.Rows); err != nil || o.again {
			return err
		}
		return o.each(v.Table, v.Line, func(i int, e *claim.Evidence) bool { return readBill(&v, i, e) })
	case schema.PosOrders:
		var v schema.Orders
		if err := schema.View(&v, b.Rows); err != nil {
			return err
		}
		if o.again {
			o.fillBlanks(&v)
			return nil
		}
		return o.each(v.Table, v.Line, func(i int, e *claim.Evidence) bool {
			e.TradeNo, e.OutTradeNo, e.Provider = string(v.TradeNo.At(i)), string(v.OutTradeNo.At(i)), o.text(v.ProviderPID[i])
			return e.Role == claim.RolePOS
		})
	case schema.Rebate:
		var v schema.Statements
		if err := schema.View(&v, b.Rows); err != nil || o.again {
			return err
		}
		o.lookLeftOut(&v)
		return o.each(v.Table, v.Line, func(i int, e *claim.Evidence) bool {
			e.Provider, e.Product, e.Period = o.text(v.Provider[i]), o.text(v.Product[i]), o.text(v.Period[i])
			e.TradeNo, e.OutTradeNo = string(v.TradeNo.At(i)), string(v.OutTradeNo.At(i))
			e.Rebate, e.Adjustment = v.Rebate[i], v.Adjustment[i]
			if e.Role == claim.RoleAggregated {
				e.Merchant = o.text(v.Merchant[i])
				return e.TradeNo == "" && e.OutTradeNo == ""
			}
			return e.Role == claim.RoleStatement
		})
	}
	return nil
}

// readBill puts what the bill says in place of what the evidence says.
func readBill(v *schema.Bills, i int, e *claim.Evidence) bool {
	e.TradeNo, e.OutTradeNo, e.RequestNo = string(v.TradeNo.At(i)), string(v.OutTradeNo.At(i)), string(v.RequestNo.At(i))
	e.Time = v.Time[i]
	for _, c := range [...]struct {
		said *int64
		is   int64
	}{{&e.Amount, v.Amount[i]}, {&e.Received, v.Received[i]}, {&e.Red, v.RedPacket[i]}, {&e.Discount, v.PlatformDiscount[i]}} {
		if *c.said != schema.Null {
			*c.said = c.is
		}
	}
	role := claim.RoleBill
	if schema.RowKind(v.Kind[i]) == schema.Refund {
		role = claim.RoleRefund
	}
	return e.Role == role
}

func (o *originals) text(code uint32) string { return o.words.Texts()[code] }

// each compares the rows of a batch that the evidence names. original puts what the
// row says in place of what the evidence says; it is false where the row is not of
// the evidence's kind.
func (o *originals) each(table, line []int32, original func(i int, e *claim.Evidence) bool) error {
	for i := range line {
		input := o.input[table[i]]
		if input < 0 {
			continue
		}
		from, to := o.wanted(input, line[i])
		for k := from; k < to; k++ {
			e, err := o.pack.Evidence(o.evidence, o.rows[input][k])
			if err != nil {
				return err
			}
			is := e
			fits := original(i, &is)
			o.mu.Lock()
			o.seen[input][k] = true
			o.read++
			o.compare(input, line[i], &e, &is, fits)
			o.mu.Unlock()
		}
	}
	return nil
}

// compare notes what differs. The caller holds mu.
func (o *originals) compare(input int, line int32, e, is *claim.Evidence, fits bool) { //nolint:revive // flag-parameter: what the row turned out to be
	place := o.place(input, line)
	if !fits {
		o.found = append(o.found, claim.Difference{Place: place, What: "role", Pack: e.Role.String(), Found: "another kind of row"})
		return
	}
	names, said := e.Used()
	_, found := is.Used()
	for k := range said {
		if said[k] == found[k] {
			continue
		}
		d := claim.Difference{Place: place, What: names[k], Pack: said[k], Found: found[k]}
		if e.Role == claim.RolePOS && found[k] == "" {
			o.blanks[orderAt{input, is.OutTradeNo, names[k]}] = d // another line of the order may have it
			continue
		}
		o.found = append(o.found, d)
	}
}

func (o *originals) place(input int, line int32) string {
	in := o.pack.Manifest.Inputs[input]
	place := in.Path
	if in.Member != "" {
		place += ":" + in.Member
	}
	return place + ":" + strconv.Itoa(int(line))
}

// fillBlanks looks at the other lines of POS orders whose line had a blank.
func (o *originals) fillBlanks(v *schema.Orders) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range v.Len() {
		input := o.input[v.Table[i]]
		if input < 0 {
			continue
		}
		order := string(v.OutTradeNo.At(i))
		for column, value := range map[string]string{"trade_no": string(v.TradeNo.At(i)), "provider_pid": o.text(v.ProviderPID[i])} {
			at := orderAt{input, order, column}
			if d, ok := o.blanks[at]; ok && value == d.Pack {
				delete(o.blanks, at)
			}
		}
	}
}

// lookLeftOut looks for statement rows of the pack's trades that the evidence does
// not have.
func (o *originals) lookLeftOut(v *schema.Statements) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range v.Len() {
		input := o.input[v.Table[i]]
		if input < 0 {
			continue
		}
		o.looked++
		product := o.text(v.Product[i])
		trade, order := string(v.TradeNo.At(i)), string(v.OutTradeNo.At(i))
		ours := trade != "" && o.paid[identity(trade, "", product)]
		if trade == "" && order != "" {
			ours = o.paid[identity(order, o.text(v.Merchant[i]), product)]
		}
		if from, to := o.wanted(input, v.Line[i]); !ours || from < to {
			continue
		}
		amount := rules.Micro(v.Rebate[i] + v.Adjustment[i])
		o.leftOut = append(o.leftOut, claim.Difference{Place: o.place(input, v.Line[i]), What: "rebate_amount", Pack: "", Found: string(rules.AppendMicro(nil, amount, 2))})
	}
}

// agreements compares the agreements, which the loaders give as a table.
func (o *originals) agreements(result *loaders.Result) {
	reg := result.Registry
	for n := range reg.Agreements {
		input := o.input[reg.Signed.Table[n]]
		if input < 0 {
			continue
		}
		line := reg.Signed.Line[n]
		from, to := o.wanted(input, line)
		for k := from; k < to; k++ {
			e, err := o.pack.Evidence(o.evidence, o.rows[input][k])
			if err != nil {
				continue // it is not seen, which is said
			}
			is := e
			a := reg.Agreements[n]
			is.Provider, is.Product, is.Agreement = a.Provider, a.Product, &a
			o.seen[input][k] = true
			o.read++
			o.compare(input, line, &e, &is, e.Role == claim.RoleAgreement)
		}
	}
}
