package loaders

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A tableReader is one table while it is read: what the parsers of a format know
// of it, and where they report to. Its methods are safe for concurrent use, its
// fields are set before the first row and only read afterwards.
type tableReader struct {
	table    *schema.Table
	number   int32            // its index in Result.Tables
	kind     schema.InputKind // the kind it was given under; 0 in Inspect
	opt      *Options
	sink     schema.Sink
	messages *messageLog      // of the run's API logs
	registry *schema.Registry // for the reference kinds, which have one parser and come in order

	formatName string
	charset    charset
	comma      byte // the cell delimiter: a comma, or a tab in old WeChat bills
	columns    int  // cells of the header
	// padding is how many empty cells end the header beyond columns: as many at
	// the end of a row are no repair.
	padding   int
	dropFirst bool   // the header's first cell is empty and goes, on rows too
	private   []bool // cells of the header that are personal and never shown; nil for none
	document  bool   // JSON that may span lines, read as a whole
	inspected bool   // Inspect: there is no job, so that merchant_unknown is never said
	isXLSX    bool
	multiline bool // of the format

	// numeric tells, in a workbook, which cells of the row now read are number
	// cells; nil elsewhere. Workbooks have one parser, so that it needs no lock.
	numeric []bool

	// finish is called once, after the last row was read and flushed. A format
	// sets it in open to complete the table: control totals, mostly.
	finish func(ctx context.Context) error

	mu       sync.Mutex
	rows     int64
	rejected int64
	skipped  int64
	leftOut  int64 // messages of other interfaces
	problems []schema.Problem
	more     int
	bill     *billTable    // trade bills and their summaries
	rebates  *rebateTotals // rebates of workbooks, and their summaries
	borrowed []*borrowedCache
	// orderParsers have columns to give back.
	orderParsers []*orderParser

	movements *accountTable // account bills
	account   *accountSummaryRows
}

// reject reports a row that was not accepted and counts it. A row is rejected
// once, for its first fault from the left. Table is filled in.
func (t *tableReader) reject(r schema.Reject) {
	r.Table = t.number
	if t.sink != nil {
		t.sink.Reject(r)
	}
	p := schema.Problem{
		Code: r.Code.String(), Line: int(r.Line), Column: r.Column, Value: r.Value,
		Message: rejectMessage(r, t.opt.Lang),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected++
	t.addProblem(p)
}

// repair counts rows that were put right, under the repair's code. A parser
// counts for itself and hands its counts over in flush.
func (t *tableReader) repair(code string, rows int64) {
	if rows == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.table.Repairs == nil {
		t.table.Repairs = map[string]int64{}
	}
	t.table.Repairs[code] += rows
}

// skip takes rows that were handed to a parser out of the count again: total
// rows and rows of another product are not rows of the table.
func (t *tableReader) skip(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skipped += rows
}

// leaveOut counts messages that are none of alipay.trade.*.
func (t *tableReader) leaveOut(messages int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leftOut += messages
}

// problem adds a warning or a finding about the table.
func (t *tableReader) problem(p schema.Problem) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addProblem(p)
}

// control adds a control total. One that does not hold becomes the problem
// control_total as well.
func (t *tableReader) control(c schema.Control) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.table.Controls = append(t.table.Controls, c)
	if c.Holds != nil && !*c.Holds {
		t.addProblem(schema.Problem{
			Code: "control_total", Column: c.Name, Value: *c.Stated,
			Message: controlMessage(c, t.opt.Lang),
		})
	}
}

// maxProblems is how many problems a table lists (contract 1).
const maxProblems = 100

// addProblem keeps the problems of the first lines, whatever the order in which
// they are found. What they quote of the file is made visible.
func (t *tableReader) addProblem(p schema.Problem) {
	p.Column, p.Value, p.Message = visible(p.Column), visible(p.Value), visibleLines(p.Message)
	t.problems = append(t.problems, p)
	if len(t.problems) > 8*maxProblems {
		t.cutProblems()
	}
}

func (t *tableReader) cutProblems() {
	slices.SortStableFunc(t.problems, func(a, b schema.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Value, b.Value))
	})
	if n := len(t.problems) - maxProblems; n > 0 {
		t.more += n
		t.problems = t.problems[:maxProblems]
	}
}

// send hands a batch to the sink; in Inspect there is none.
func (t *tableReader) send(ctx context.Context, rows, lines schema.Rows) error {
	return t.sendAs(ctx, t.table.Kind, rows, lines)
}

// sendAs is send for a table whose rows are those of another kind: the orders of
// other systems are POS orders.
func (t *tableReader) sendAs(ctx context.Context, kind schema.InputKind, rows, lines schema.Rows) error {
	if t.sink == nil || rows.Len() == 0 {
		return ctx.Err()
	}
	b := schema.Batch{Kind: kind, Rows: schema.Record(rows)}
	defer b.Rows.Release()
	if lines != nil {
		b.Lines = schema.Record(lines)
		defer b.Lines.Release()
	}
	return t.sink.Batch(ctx, b)
}

// text decodes a cell; a byte that does not decode becomes U+FFFD.
func (t *tableReader) text(raw []byte) string { return t.charset.text(raw) }

// valid tells whether every byte decodes.
func (t *tableReader) valid(raw []byte) bool { return t.charset.valid(raw) }

// refuse gives the error that refuses the table for what its header says.
func (t *tableReader) refuse(code string, column, value, detail string) *FileError {
	return &FileError{
		Code: code, Pos: schema.Pos{File: t.table.File(), Line: 0, Name: column},
		Value: value, Detail: detail, Lang: t.opt.Lang,
	}
}

// rejectMessage says a reject in words: its code, and what the loader adds.
func rejectMessage(r schema.Reject, lang string) string {
	text, detail := rejectWords[lang == "en"][r.Code], visible(r.Detail)
	if r.Message {
		text = say(lang, "不是完整的报文", "not a whole message")
	}
	if text != "" && detail != "" {
		text += ": "
	}
	return text + detail
}

var rejectWords = map[bool]map[rules.Code]string{
	false: {
		rules.CodeColumnCount:     "列数与表头不符",
		rules.CodeEncoding:        "含有无法解码的字节",
		rules.CodeMissingValue:    "必填的值为空",
		rules.CodeAmountSyntax:    "不是金额",
		rules.CodeAmountPrecision: "金额超过两位小数",
		rules.CodeAmountRange:     "金额超出范围",
		rules.CodeNumberSyntax:    "不是数字",
		rules.CodeTimeSyntax:      "不是时间",
		rules.CodeEnumValue:       "不是允许的取值",
		rules.CodeIDDamaged:       "编号已被电子表格损坏",
		rules.CodeMerchantUnknown: "商户不明",
		rules.CodeOrderConflict:   "同一订单的各行互相矛盾",
		rules.CodeNegativeGoods:   "商品金额或数量为负",
	},
	true: {
		rules.CodeColumnCount:     "the number of cells is not that of the header",
		rules.CodeEncoding:        "a byte that does not decode",
		rules.CodeMissingValue:    "a required value is empty",
		rules.CodeAmountSyntax:    "not an amount",
		rules.CodeAmountPrecision: "more than two decimals",
		rules.CodeAmountRange:     "amount out of range",
		rules.CodeNumberSyntax:    "not a number",
		rules.CodeTimeSyntax:      "not a time",
		rules.CodeEnumValue:       "not one of the values that the column takes",
		rules.CodeIDDamaged:       "an id that a spreadsheet has damaged",
		rules.CodeMerchantUnknown: "merchant unknown",
		rules.CodeOrderConflict:   "lines of one order disagree",
		rules.CodeNegativeGoods:   "negative goods",
	},
}

func controlMessage(c schema.Control, lang string) string {
	if lang == "en" {
		return fmt.Sprintf("%s: stated %s, found %s", controlWords(c.Name, lang), *c.Stated, c.Found)
	}
	return fmt.Sprintf("%s：文件所列 %s，实际 %s", controlWords(c.Name, lang), *c.Stated, c.Found)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
