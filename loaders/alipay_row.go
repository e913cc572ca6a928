package loaders

import (
	"bytes"
	"context"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A billParser reads the rows of one trade bill, for one worker.
type billParser struct {
	t     *tableReader
	b     *billTable
	bills *schema.Bills
	words *schema.WordCache

	valid     bool // every byte of the chunk decodes
	isLiteral bool // the row's quotes were read as plain characters
	now       billRow
	ways      commaWays

	totals  billTotals
	repairs [billRepairCount]int64
	skips   int64
}

// The repairs of trade bills, counted once a row.
const (
	billComma = iota
	billLiteral
	billPadded // cells_padded
	billBytes
	billExcelPad
	billFormula
	billSeconds
	billIDNumber
	billRepairCount
)

var billRepairWords = [billRepairCount]string{
	"comma_joined", "quote_literal", "cells_padded", "bytes_replaced", "excel_padding", "excel_formula",
	"seconds_lost", "id_number",
}

var billsPool = sync.Pool{New: func() any { return new(schema.Bills) }}

func newBillParser(t *tableReader) *billParser {
	p := &billParser{
		t: t, b: t.bill, bills: billsPool.Get().(*schema.Bills),
		words: t.newWordCache(nil), valid: true,
	}
	p.totals.reset(t.bill.newStores())
	p.b.parsers = append(p.b.parsers, p) // under the table's lock
	return p
}

func (p *billParser) rows() int { return p.bills.Len() }

func (p *billParser) literal() { p.isLiteral = true }

func (p *billParser) chunk(valid bool) { p.valid = valid }

func (p *billParser) flush(ctx context.Context) error {
	err := p.t.send(ctx, p.bills, nil)
	schema.Reset(p.bills)
	for i, n := range p.repairs {
		p.t.repair(billRepairWords[i], n)
	}
	p.repairs = [billRepairCount]int64{}
	p.t.skip(p.skips)
	p.skips = 0
	return err
}

// A billRow is one row as it is read, before it is known to be good.
type billRow struct {
	kind      schema.RowKind // 0 if it is none
	amounts   [amountCount]int64
	readable  uint32 // amounts that could be read or are blank, as bits
	filled    uint32 // amounts, times and type that are given, as bits
	time      int64
	created   int64
	tradeNo   []byte
	outNo     []byte
	request   []byte
	store     []byte
	terminal  []byte
	installed int32
	repairs   uint32 // 1 << billSeconds and so on

	fault   rules.Code // the first fault from the left
	faultAt int16      // its cell
	column  billColumn
}

func (r *billRow) amount(c billColumn) int64 { return r.amounts[c-firstAmount] }

// row reads one line of the bill: a row, or one of the lines below the list.
func (p *billParser) row(line int32, cells [][]byte, raw []byte) {
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
	case p.tail(line, cells):
		return
	case len(cells) < columns:
		if !p.b.optionalFrom(len(cells)) {
			p.ways.reset()
			p.rejectCount(line, raw)
			return
		}
		for len(cells) < columns {
			cells = append(cells, nil)
		}
		p.read(cells, r)
		r.repairs |= 1 << billPadded
	default:
		if cells = p.join(cells); cells == nil {
			p.rejectCount(line, raw)
			return
		}
	}
	if literal {
		r.repairs |= 1 << billLiteral
	}
	if !p.valid && !p.t.valid(raw) {
		p.judgeBytes(cells, r)
	}
	if p.b.noOwner && r.fault == 0 {
		r.fault, r.faultAt, r.column = rules.CodeMerchantUnknown, -1, billColumnCount
	}
	store := p.words.Code(r.store)
	p.totals.add(r, store)
	if r.fault != 0 {
		p.reject(line, cells, raw)
		return
	}
	p.accept(line, cells, r, store)
}

// read reads the cells of a row that are as many as the header's.
func (p *billParser) read(cells [][]byte, r *billRow) {
	at := &p.b.at
	r.fault, r.repairs, r.readable, r.filled = 0, 0, 0, 0
	r.kind = 0
	switch kind := p.trim(cells[at[colKind]], r); {
	case string(kind) == paymentWords[0], string(kind) == paymentWords[1]:
		r.kind = schema.Payment
	case string(kind) == refundWords[0], string(kind) == refundWords[1]:
		r.kind = schema.Refund
	case len(kind) == 0:
		p.fault(r, colKind, rules.CodeMissingValue)
	default:
		p.fault(r, colKind, rules.CodeEnumValue)
	}
	p.readTimes(cells, r)
	p.readAmounts(cells, r)
	p.readIDs(cells, r)
	r.installed = 0
	if i := at[colInstalments]; i >= 0 {
		n, digits := cutNumber(p.trim(cells[i], r), 4)
		if r.installed = int32(n); digits < len(p.trim(cells[i], r)) {
			p.fault(r, colInstalments, rules.CodeNumberSyntax)
		}
	}
}

func (p *billParser) readTimes(cells [][]byte, r *billRow) {
	r.time, r.created = schema.Null, schema.Null
	at := p.b.at[colTime]
	if cell := p.trim(cells[at], r); len(cell) == 0 {
		p.fault(r, colTime, rules.CodeMissingValue)
	} else {
		r.time = p.readTime(cell, colTime, r)
	}
	if at = p.b.at[colCreated]; at >= 0 {
		if cell := p.trim(cells[at], r); len(cell) > 0 {
			r.created = p.readTime(cell, colCreated, r)
		}
	}
}

func (p *billParser) readTime(cell []byte, c billColumn, r *billRow) int64 {
	seconds, lost, ok := parseTime(cell)
	if !ok && p.t.isXLSX {
		seconds, ok = parseSerial(cell)
	}
	if !ok {
		p.fault(r, c, rules.CodeTimeSyntax)
		return schema.Null
	}
	if lost {
		r.repairs |= 1 << billSeconds
	}
	r.filled |= 1 << (16 + uint32(c))
	return seconds
}

// zeroAmount is how most amount cells of a bill read.
const zeroAmount = "0.00"

func (p *billParser) readAmounts(cells [][]byte, r *billRow) {
	for c := firstAmount; c < billColumnCount; c++ {
		i := p.b.at[c]
		k := c - firstAmount
		if i < 0 {
			r.amounts[k] = schema.Null
			r.readable |= 1 << k
			continue
		}
		cell := cells[i]
		if n := len(cell); n > 0 && cell[n-1] == '\t' {
			cell = cell[:n-1]
		}
		if string(cell) == zeroAmount {
			r.amounts[k] = 0
			r.readable |= 1 << k
			r.filled |= 1 << k
			continue
		}
		v, err := rules.ParseFen(cell)
		if err != nil {
			v, err = p.oddAmount(cell, r)
		}
		code := rules.CodeOf(err)
		switch {
		case code == 0:
			r.amounts[k] = int64(v)
			r.readable |= 1 << k
			r.filled |= 1 << k
		case code == rules.CodeMissingValue && c != colAmount && c != colReceived:
			r.amounts[k] = schema.Null
			r.readable |= 1 << k
		default:
			r.amounts[k] = schema.Null
			p.fault(r, c, code)
		}
	}
}

// oddAmount reads an amount cell that is a formula, ="12.00".
func (p *billParser) oddAmount(cell []byte, r *billRow) (rules.Fen, error) {
	value, ok := trimFormula(trimCell(cell))
	if ok {
		r.repairs |= 1 << billFormula
	}
	return rules.ParseFen(value)
}

func (p *billParser) readIDs(cells [][]byte, r *billRow) {
	r.tradeNo = p.readID(cells, colTradeNo, r)
	given := len(r.tradeNo) > 0
	if i := p.b.at[colUnionNo]; i >= 0 && !given {
		r.tradeNo = p.readID(cells, colUnionNo, r)
		given = len(r.tradeNo) > 0
		if len(r.tradeNo) != 28 || !digitsOnly(r.tradeNo) {
			r.tradeNo = nil // a number of the channel
		}
	}
	r.outNo = p.readID(cells, colOutTradeNo, r)
	r.request = p.readID(cells, colRequest, r)
	r.store = p.readID(cells, colStore, r)
	r.terminal = p.readID(cells, colTerminal, r)
	if !given && len(r.outNo) == 0 {
		c := colTradeNo
		if p.b.at[c] < 0 {
			c = colUnionNo
		}
		p.fault(r, c, rules.CodeMissingValue)
	}
}

func (p *billParser) readID(cells [][]byte, c billColumn, r *billRow) []byte {
	i := p.b.at[c]
	if i < 0 {
		return nil
	}
	id := p.trim(cells[i], r)
	if len(id) < 3 && p.t.numeric == nil {
		return id
	}
	id, repaired, damaged := checkID(id, p.t.numeric != nil && int(i) < len(p.t.numeric) && p.t.numeric[i])
	switch {
	case damaged:
		p.fault(r, c, rules.CodeIDDamaged)
	case repaired:
		r.repairs |= 1 << billIDNumber
	}
	return id
}

// trim is a cell without blanks, backtick and formula around it.
func (p *billParser) trim(cell []byte, r *billRow) []byte {
	n := len(cell)
	if n > 0 && cell[n-1] == '\t' { // as Alipay writes ids
		n--
		cell = cell[:n]
	}
	if n == 0 {
		return cell
	}
	if c := cell[0]; c > ' ' && c != '`' && c != '\'' && c != '=' && cell[n-1] > ' ' {
		return cell
	}
	cell = trimCell(cell)
	if value, ok := trimFormula(cell); ok {
		r.repairs |= 1 << billFormula
		return value
	}
	return cell
}

// fault keeps the first fault of a row from the left.
func (p *billParser) fault(r *billRow, c billColumn, code rules.Code) {
	if at := p.b.at[c]; r.fault == 0 || at < r.faultAt {
		r.fault, r.faultAt, r.column = code, at, c
	}
}

// judgeBytes says what the bytes of a row that do not decode spoil: nothing that
// counts, in free text, or the row.
func (p *billParser) judgeBytes(cells [][]byte, r *billRow) {
	for i, cell := range cells {
		if p.t.valid(cell) {
			continue
		}
		c := p.b.roles[i]
		if freeText[c] {
			r.repairs |= 1 << billBytes
			continue
		}
		p.fault(r, c, rules.CodeEncoding)
		if r.column == c {
			r.fault = rules.CodeEncoding // and not what the cell looks like otherwise
		}
	}
}

// accept adds the row to the batch. Amounts of refunds are magnitudes.
func (p *billParser) accept(line int32, cells [][]byte, r *billRow, store uint32) {
	for i := range p.repairs {
		p.repairs[i] += int64(r.repairs >> i & 1)
	}
	b := p.bills
	b.Table = append(b.Table, p.t.number)
	b.Line = append(b.Line, line)
	b.Kind = append(b.Kind, uint8(r.kind))
	b.Account = append(b.Account, p.b.account)
	b.SubMerchant = append(b.SubMerchant, p.subMerchant(cells, r))
	b.Merchant = append(b.Merchant, 0)
	b.TradeNo.Append(r.tradeNo)
	b.OutTradeNo.Append(r.outNo)
	b.RequestNo.Append(r.request)
	b.Time = append(b.Time, r.time)
	b.Created = append(b.Created, r.created)
	b.Store = append(b.Store, store)
	b.Terminal = append(b.Terminal, p.words.Code(r.terminal))
	b.Operator = append(b.Operator, p.word(cells, colOperator, r))
	b.CouponName = append(b.CouponName, p.word(cells, colCoupon, r))

	amounts := r.amounts
	if r.kind == schema.Refund {
		for k := range amounts {
			if k != int(colRoyalty-firstAmount) {
				amounts[k] = magnitude(amounts[k])
			}
		}
	}
	b.Amount = append(b.Amount, amounts[colAmount-firstAmount])
	b.Received = append(b.Received, amounts[colReceived-firstAmount])
	b.RedPacket = append(b.RedPacket, amounts[colRedPacket-firstAmount])
	b.Points = append(b.Points, amounts[colPoints-firstAmount])
	b.PlatformDiscount = append(b.PlatformDiscount, amounts[colPlatform-firstAmount])
	b.MerchantDiscount = append(b.MerchantDiscount, amounts[colMerchantDiscount-firstAmount])
	b.Voucher = append(b.Voucher, amounts[colVoucher-firstAmount])
	b.MerchantRed = append(b.MerchantRed, amounts[colMerchantRed-firstAmount])
	b.Card = append(b.Card, amounts[colCard-firstAmount])
	b.Fee = append(b.Fee, magnitude(amounts[colFee-firstAmount]))
	b.Royalty = append(b.Royalty, amounts[colRoyalty-firstAmount])
	b.Instalments = append(b.Instalments, r.installed)
	b.Flags = append(b.Flags, p.b.flags)
	p.totals.accepted(r, line, &p.b.pre)
}

func (p *billParser) subMerchant(cells [][]byte, r *billRow) uint32 {
	if p.b.at[colSubMerchant] >= 0 {
		return p.word(cells, colSubMerchant, r)
	}
	return p.word(cells, colMerchantID, r)
}

func (p *billParser) word(cells [][]byte, c billColumn, r *billRow) uint32 {
	i := p.b.at[c]
	if i < 0 || len(cells[i]) == 0 {
		return 0
	}
	return p.words.Code(p.trim(cells[i], r))
}

// magnitude is an amount without its sign; Null stays Null.
func magnitude(v int64) int64 {
	if v < 0 && v != schema.Null {
		return -v
	}
	return v
}

// reject reports the row of p.now for its first fault.
func (p *billParser) reject(line int32, cells [][]byte, raw []byte) {
	r := &p.now
	rej := schema.Reject{
		Line: line, Code: r.fault, Raw: p.t.text(shortRaw(raw)),
		Amount: schema.Null, Kind: r.kind,
	}
	if v := r.amount(colAmount); r.readable>>(colAmount-firstAmount)&1 != 0 {
		rej.Amount = v
		if r.kind == schema.Refund {
			rej.Amount = magnitude(v)
		}
	}
	if r.fault == rules.CodeEnumValue {
		rej.Detail = oneOfWords(p.t.opt.Lang, paymentWords[0]+", "+refundWords[0])
	}
	if r.column < billColumnCount {
		rej.Column = p.b.name(r.column)
		rej.Value = p.t.text(trimBlanks(cells[r.faultAt]))
	}
	p.t.reject(rej)
}

// rejectCount reports a row whose cells do not fit the header. What every way of
// reading it agrees on still counts for the control totals.
func (p *billParser) rejectCount(line int32, raw []byte) {
	w := &p.ways
	rej := schema.Reject{
		Line: line, Code: rules.CodeColumnCount, Raw: p.t.text(shortRaw(raw)), Amount: schema.Null,
	}
	if w.fitting > 0 {
		p.totals.add(&w.agreed, p.words.Code(w.agreed.store))
		rej.Kind = w.agreed.kind
		if w.agreed.readable>>(colAmount-firstAmount)&1 != 0 && rej.Kind != 0 {
			rej.Amount = magnitude(w.agreed.amount(colAmount))
		}
		rej.Detail = say(p.t.opt.Lang, "未加引号的逗号有不止一种读法", "more than one way to read its commas")
	}
	p.t.reject(rej)
}

// optionalFrom tells whether the columns from the n-th cell on are optional text.
func (b *billTable) optionalFrom(n int) bool {
	for _, c := range b.roles[n:] {
		if !freeText[c] {
			return false
		}
	}
	return true
}

// note keeps a # line for the end of the table.
func (p *billParser) note(line int32, raw []byte) {
	p.skips++
	text, padded := unpad(p.t.text(raw))
	if padded {
		p.repairs[billExcelPad]++
	}
	p.b.mu.Lock()
	p.b.notes = append(p.b.notes, billNote{line: line, text: text})
	p.b.mu.Unlock()
}

// The first names of V28b's totals, in the charsets of the files.
var tailWords = [2]string{"总交易单数", "\xd7\xdc\xbd\xbb\xd2\xd7\xb5\xa5\xca\xfd"}

// tail keeps the totals below the rows of a bank's copy (V28b): a header line of
// other width and a line of values.
func (p *billParser) tail(line int32, cells [][]byte) bool {
	first := trimCell(cells[0])
	isHeader := string(first) == tailWords[0] || string(first) == tailWords[1]
	if !isHeader && (len(cells) > 8 || len(first) == 0 || !digitsOnly(first) || !p.allAmounts(cells)) {
		return false
	}
	p.skips++
	n := billNote{line: line}
	for _, cell := range cells {
		n.cells = append(n.cells, p.t.text(trimCell(cell)))
	}
	n.text = p.t.text(bytes.Join(cells, []byte{','}))
	p.b.mu.Lock()
	p.b.tails = append(p.b.tails, n)
	p.b.mu.Unlock()
	return true
}

func (p *billParser) allAmounts(cells [][]byte) bool {
	for _, cell := range cells {
		if _, err := rules.ParseFen(cell); err != nil {
			return false
		}
	}
	return true
}
