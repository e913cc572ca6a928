package reports

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// rejectsTable is the table of input rows that were not accepted (contract 4),
// in the order of the result.
func rejectsTable(rejects []schema.Reject, tables []*schema.Table, o *Options) table {
	p := o.Privacy
	input := func(reject *schema.Reject) *schema.Table { return tableAt(tables, reject.Table) }
	return table{name: rejectsName, rows: len(rejects), columns: []column{
		textColumn("file", rejects, func(j *schema.Reject) string { return input(j).File() }),
		intColumn("line", schema.IntType, rejects, func(j *schema.Reject) int64 { return int64(j.Line) }),
		textColumn("kind", rejects, func(j *schema.Reject) string { return input(j).Kind.String() }),
		enumColumn("code", rejectNames, rejects, func(j *schema.Reject) uint8 { return uint8(j.Code) }),
		textColumn("column", rejects, func(j *schema.Reject) string { return j.Column }),
		textColumn("value", rejects, func(j *schema.Reject) string { return p.cell(j.Column, j.Value) }),
		textColumn("message", rejects, func(j *schema.Reject) string { return rejectMessage(j, o.Lang, p) }),
		textColumn("raw", rejects, func(j *schema.Reject) string { return p.raw(columnsOf(input(j), j.Code), j.Raw) }),
	}}
}

var rejectNames = func() []string {
	names := []string{""}
	for code := rules.CodeColumnCount; code <= rules.CodeNegativeGoods; code++ {
		names = append(names, code.String())
	}
	return names
}()

// columnsOf are the columns of a rejected row's cells; nil where that is not
// known: the table has columns that the product does not know, which are listed
// apart, or the row's cells may have shifted.
func columnsOf(t *schema.Table, code rules.Code) []string {
	if len(t.Unknown) > 0 || code == rules.CodeColumnCount {
		return nil
	}
	return t.Known
}

// rejectMessage says what is wrong with a row and what to do: the words of its
// code, and what the loader adds.
func rejectMessage(j *schema.Reject, lang Lang, p Privacy) string {
	text := rejectTexts[j.Code][lang.index()]
	if text == "" {
		text = j.Code.String()
	}
	if j.Message {
		text = lang.pick("不是完整的报文，请检查日志是否被截断", "not a whole message: see whether the log was cut off")
	}
	if j.Column != "" {
		text = lang.pick("「"+j.Column+"」", j.Column+": ") + text
	}
	if j.Detail != "" {
		more := p.remark(j.Column, j.Detail)
		text += lang.pick("（"+more+"）", " ("+more+")")
	}
	if j.Order != 0 {
		text += lang.pick("；同一订单的第 "+itoa(j.Order)+" 行有误，本行随之拒收",
			"; line "+itoa(j.Order)+" of the same order is at fault, this line shares its fate")
	}
	return text
}

var noTable schema.Table

// tableAt is the table of that number, or one without a name.
func tableAt(tables []*schema.Table, number int32) *schema.Table {
	if number < 0 || int(number) >= len(tables) {
		return &noTable
	}
	return tables[number]
}

// placeOf is a place as outputs write it; line 0 is the whole file.
func placeOf(t *schema.Table, line int32) string {
	if line == 0 {
		return t.File()
	}
	return t.Source(line)
}
