package loaders

import (
	"context"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// An accountParser reads the rows of one account bill, for one worker.
type accountParser struct {
	t     *tableReader
	b     *accountTable
	out   *schema.Accounts
	words *schema.WordCache

	valid     bool // every byte of the chunk decodes
	isLiteral bool // the row's quotes were read as plain characters
	now       accountRow
	cells     [][]byte // reused
	buf       []byte   // reused

	totals  accountTotals
	repairs [billRepairCount]int64
	skips   int64
}

var accountsPool = sync.Pool{New: func() any { return new(schema.Accounts) }}

func newAccountParser(t *tableReader) *accountParser {
	p := &accountParser{t: t, b: t.movements, out: accountsPool.Get().(*schema.Accounts), words: t.newWordCache(nil), valid: true}
	p.totals.reset()
	p.b.parsers = append(p.b.parsers, p) // under the table's lock
	return p
}

func (p *accountParser) rows() int { return p.out.Len() }

func (p *accountParser) literal() { p.isLiteral = true }

func (p *accountParser) chunk(valid bool) { p.valid = valid }

func (p *accountParser) flush(ctx context.Context) error {
	err := p.t.send(ctx, p.out, nil)
	schema.Reset(p.out)
	for i, n := range p.repairs {
		p.t.repair(billRepairWords[i], n)
	}
	p.repairs = [billRepairCount]int64{}
	p.t.skip(p.skips)
	p.skips = 0
	p.totals.balances.end()
	return err
}

// An accountRow is one row as it is read, before it is known to be good.
type accountRow struct {
	flow, tradeNo, outNo, kind []byte
	time                       int64
	income, expense            int64 // Null if blank
	balance                    int64 // Null if blank
	unread                     bool  // an amount of the two cannot be read
	both                       bool  // both are filled: nobody knows which way the money went
	filled                     uint32
	repairs                    uint32 // 1 << billSeconds and so on

	fault   rules.Code // the first fault from the left
	faultAt int16      // its cell
	column  accountColumn
}

// row reads one line: a row, or one of the lines below the list.
func (p *accountParser) row(line int32, cells [][]byte, raw []byte) {
	literal := p.isLiteral
	p.isLiteral = false
	if p.t.comment(cells[0]) {
		p.note(line, raw)
		return
	}
	r := &p.now
	columns := p.t.columns
	switch {
	case len(cells) == columns:
		p.read(cells, r)
	case len(cells) < columns:
		if !p.b.optionalFrom(len(cells)) {
			p.rejectCount(line, raw, 0, accountRow{})
			return
		}
		for len(cells) < columns {
			cells = append(cells, nil)
		}
		p.read(cells, r)
		r.repairs |= 1 << billPadded
	default:
		joined, fitting, agreed := p.join(cells)
		if joined == nil {
			p.rejectCount(line, raw, fitting, agreed)
			return
		}
		cells = joined
	}
	if literal {
		r.repairs |= 1 << billLiteral
	}
	if !p.valid && !p.t.valid(raw) {
		p.judgeBytes(cells, r)
	}
	if p.b.noOwner && r.fault == 0 {
		r.fault, r.faultAt, r.column = rules.CodeMerchantUnknown, -1, accountColumnCount
	}
	p.totals.add(r)
	if r.fault != 0 {
		p.totals.balances.broken(line)
		p.reject(line, cells, raw)
		p.acceptNumbers(line, r)
		return
	}
	p.accept(line, r)
}

// read reads the cells of a row that are as many as the header's.
func (p *accountParser) read(cells [][]byte, r *accountRow) {
	*r = accountRow{time: schema.Null}
	r.flow = p.readID(cells, accFlow, r)
	if len(r.flow) == 0 {
		p.fault(r, accFlow, rules.CodeMissingValue)
	}
	r.tradeNo = p.readID(cells, accTradeNo, r)
	r.outNo = p.readID(cells, accOutTradeNo, r)
	p.readTime(p.trim(cells[p.b.at[accTime]], r), r)
	if i := p.b.at[accType]; i >= 0 {
		r.kind = p.trim(cells[i], r)
		if len(r.kind) == 0 && p.b.needsType {
			p.fault(r, accType, rules.CodeMissingValue)
		}
	}
	r.income = p.readAmount(cells, accIncome, r)
	r.expense = p.readAmount(cells, accExpense, r)
	if r.both = orZero(r.income) != 0 && orZero(r.expense) != 0; r.both {
		p.fault(r, accExpense, rules.CodeAmountSyntax)
	}
	unread := r.unread
	r.balance = p.readAmount(cells, accBalance, r)
	r.unread = unread
}

func (p *accountParser) readTime(cell []byte, r *accountRow) {
	if len(cell) == 0 {
		p.fault(r, accTime, rules.CodeMissingValue)
		return
	}
	seconds, lost, ok := parseTime(cell)
	if !ok && p.t.isXLSX {
		seconds, ok = parseSerial(cell)
	}
	if !ok {
		p.fault(r, accTime, rules.CodeTimeSyntax)
		return
	}
	if lost {
		r.repairs |= 1 << billSeconds
	}
	r.time = seconds
	r.filled |= 1 << accTime
}

// readAmount reads an amount cell; a blank one is Null.
func (p *accountParser) readAmount(cells [][]byte, c accountColumn, r *accountRow) int64 {
	i := p.b.at[c]
	if i < 0 {
		return schema.Null
	}
	cell := cells[i]
	v, err := rules.ParseFen(cell)
	if err != nil {
		v, err = rules.ParseFen(p.trim(cell, r))
	}
	code := rules.CodeOf(err)
	if code == 0 {
		r.filled |= 1 << c
		return int64(v)
	}
	if code != rules.CodeMissingValue {
		r.unread = true
		p.fault(r, c, code)
	}
	return schema.Null
}

func (p *accountParser) readID(cells [][]byte, c accountColumn, r *accountRow) []byte {
	i := p.b.at[c]
	if i < 0 {
		return nil
	}
	id := p.trim(cells[i], r)
	if len(id) == 0 {
		return id
	}
	id, repaired, damaged := checkID(id, p.t.numeric != nil && int(i) < len(p.t.numeric) && p.t.numeric[i])
	switch {
	case damaged:
		p.fault(r, c, rules.CodeIDDamaged)
		return nil
	case repaired:
		r.repairs |= 1 << billIDNumber
	}
	r.filled |= 1 << c
	return id
}

// trim is a cell without blanks, backtick and formula around it.
func (p *accountParser) trim(cell []byte, r *accountRow) []byte {
	cell = trimCell(cell)
	if value, ok := trimFormula(cell); ok {
		r.repairs |= 1 << billFormula
		return value
	}
	return cell
}

// fault keeps the first fault of a row from the left.
func (p *accountParser) fault(r *accountRow, c accountColumn, code rules.Code) {
	if at := p.b.at[c]; r.fault == 0 || at < r.faultAt {
		r.fault, r.faultAt, r.column = code, at, c
	}
}

// judgeBytes says what the bytes of a row that do not decode spoil.
func (p *accountParser) judgeBytes(cells [][]byte, r *accountRow) {
	for i, cell := range cells {
		if p.t.valid(cell) {
			continue
		}
		c := p.b.roles[i]
		if c.optional() {
			r.repairs |= 1 << billBytes
			continue
		}
		p.fault(r, c, rules.CodeEncoding)
		if r.column == c {
			r.fault = rules.CodeEncoding // and not what the cell looks like otherwise
		}
	}
}

// join reads a row with too many cells into p.now: padding, or commas in 商品名称
// and 备注 (comma_joined, formats 1.5). It gives the cells as they belong to the
// header, or nil if no way fits, or more than one; then what the fitting ways read
// alike.
func (p *accountParser) join(cells [][]byte) (joined [][]byte, fitting int, agreed accountRow) {
	columns, r := p.t.columns, &p.now
	extra := len(cells) - columns
	blank := allBlank(cells[columns:])
	if blank {
		p.read(cells[:columns], r)
		if extra > p.t.padding {
			r.repairs |= 1 << billExcelPad
		}
		if r.fault == 0 {
			return cells[:columns], 0, agreed
		}
	}
	way, fitting, agreed := p.onlyWay(cells, extra)
	switch {
	case fitting == 1:
		joined = p.spreadOut(cells, way, extra-way)
		p.read(joined, r)
		r.repairs |= 1 << billComma
		return joined, 1, agreed
	case fitting == 0 && blank: // padding, and another fault
		p.read(cells[:columns], r)
		r.repairs |= 1 << billExcelPad
		return cells[:columns], 0, agreed
	}
	return nil, fitting, agreed
}

// onlyWay tries every way to give the extra cells to the two texts, and counts
// those that read, without those that leave a typed cell empty which another
// fills. way is how many go to the first text.
func (p *accountParser) onlyWay(cells [][]byte, extra int) (way, fitting int, agreed accountRow) {
	if len(p.b.texts) == 0 || extra > maxExtra {
		return 0, 0, agreed
	}
	var rows [maxExtra + 1]accountRow
	ways, union := 0, uint32(0)
	first := 0
	if len(p.b.texts) == 1 {
		first = extra
	}
	for n := first; n <= extra; n++ {
		p.read(p.spreadOut(cells, n, extra-n), &rows[n])
		if rows[n].fault == 0 {
			ways++
			union |= rows[n].filled
		}
	}
	if ways == 0 {
		return 0, 0, agreed
	}
	full := false // some way fills all that any fills
	for n := first; n <= extra; n++ {
		full = full || rows[n].fault == 0 && rows[n].filled == union
	}
	for n := first; n <= extra; n++ {
		r := &rows[n]
		if r.fault != 0 || full && r.filled != union {
			continue
		}
		if fitting++; fitting == 1 {
			way, agreed = n, *r
		} else if r.income != agreed.income || r.expense != agreed.expense {
			agreed.unread = true
		}
	}
	return way, fitting, agreed
}

// spreadOut joins the cells of the texts again: a more go to the first, b to the
// second.
func (p *accountParser) spreadOut(cells [][]byte, a, b int) [][]byte {
	size := 0
	for _, cell := range cells {
		size += len(cell) + 1
	}
	if cap(p.buf) < size {
		p.buf = make([]byte, 0, 2*size)
	}
	p.cells, p.buf = p.cells[:0], p.buf[:0]
	from := 0
	for i := range p.t.columns {
		n := 1
		switch {
		case i == p.b.texts[0]:
			n += a
		case len(p.b.texts) > 1 && i == p.b.texts[1]:
			n += b
		}
		at := len(p.buf)
		for j, part := range cells[from : from+n] {
			if j > 0 {
				p.buf = append(p.buf, ',')
			}
			p.buf = append(p.buf, part...)
		}
		p.cells = append(p.cells, p.buf[at:len(p.buf):len(p.buf)])
		from += n
	}
	return p.cells
}

// accept adds the row to the batch.
func (p *accountParser) accept(line int32, r *accountRow) {
	for i := range p.repairs {
		p.repairs[i] += int64(r.repairs >> i & 1)
	}
	a := p.out
	a.Table = append(a.Table, p.t.number)
	a.Line = append(a.Line, line)
	a.Account = append(a.Account, p.b.account)
	a.Flow.Append(r.flow)
	a.TradeNo.Append(r.tradeNo)
	a.OutTradeNo.Append(r.outNo)
	a.Type = append(a.Type, p.words.Code(r.kind))
	a.Time = append(a.Time, r.time)
	a.Income = append(a.Income, orZero(r.income))
	a.Expense = append(a.Expense, orZero(r.expense))
	a.Reject = append(a.Reject, 0)
	p.totals.accepted(r, line, &p.b.pre)
}

// acceptNumbers adds what is known of a rejected row: whose trade lacks it.
func (p *accountParser) acceptNumbers(line int32, r *accountRow) {
	if p.b.noOwner || len(r.tradeNo) == 0 && len(r.outNo) == 0 {
		return
	}
	a := p.out
	a.Table = append(a.Table, p.t.number)
	a.Line = append(a.Line, line)
	a.Account = append(a.Account, p.b.account)
	a.Flow.Append(nil)
	a.TradeNo.Append(r.tradeNo)
	a.OutTradeNo.Append(r.outNo)
	a.Type = append(a.Type, 0)
	a.Time = append(a.Time, r.time)
	a.Income = append(a.Income, 0)
	a.Expense = append(a.Expense, 0)
	a.Reject = append(a.Reject, uint8(r.fault))
}

// reject reports the row of p.now for its first fault.
func (p *accountParser) reject(line int32, cells [][]byte, raw []byte) {
	r := &p.now
	rej := schema.Reject{Line: line, Code: r.fault, Raw: p.t.text(shortRaw(raw)), Amount: schema.Null}
	if !r.unread && !r.both {
		rej.Amount = orZero(r.income) + magnitude(orZero(r.expense)) // one of the two
	}
	if r.column < accountColumnCount {
		rej.Column = p.b.name(r.column)
		rej.Value = p.t.text(trimBlanks(cells[r.faultAt]))
		if r.fault == rules.CodeAmountSyntax && r.both {
			rej.Detail = say(p.t.opt.Lang, "收入与支出都不为零", "both income and expense are filled")
		}
	}
	p.t.reject(rej)
}

// rejectCount reports a row whose cells do not fit the header. What every fitting
// way of reading it agrees on still counts for the control totals.
func (p *accountParser) rejectCount(line int32, raw []byte, fitting int, agreed accountRow) {
	p.totals.balances.broken(line)
	rej := schema.Reject{Line: line, Code: rules.CodeColumnCount, Raw: p.t.text(shortRaw(raw)), Amount: schema.Null}
	if fitting > 1 {
		p.totals.add(&agreed)
		rej.Detail = say(p.t.opt.Lang, "未加引号的逗号有不止一种读法", "more than one way to read its commas")
	}
	p.t.reject(rej)
}

// note keeps a # line for the end of the table.
func (p *accountParser) note(line int32, raw []byte) {
	p.skips++
	text, padded := unpad(p.t.text(raw))
	if padded {
		p.repairs[billExcelPad]++
	}
	p.b.mu.Lock()
	p.b.notes = append(p.b.notes, billNote{line: line, text: text})
	p.b.mu.Unlock()
}
