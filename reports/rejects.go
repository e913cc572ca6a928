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
		textColumn("value", rejects, func(j *schema.Reject) string { return p.value(j.Column, j.Value) }),
		textColumn("message", rejects, func(j *schema.Reject) string { return p.Text(rejectMessage(j, o.Lang)) }),
		textColumn("raw", rejects, func(j *schema.Reject) string { return p.Text(j.Raw) }),
	}}
}

var rejectNames = func() []string {
	names := []string{""}
	for code := rules.CodeColumnCount; code <= rules.CodeNegativeGoods; code++ {
		names = append(names, code.String())
	}
	return names
}()

// rejectMessage says what is wrong with a row and what to do.
func rejectMessage(j *schema.Reject, lang Lang) string {
	text := rejectTexts[j.Code][lang.index()]
	if text == "" {
		text = j.Code.String()
	}
	if j.Column != "" {
		text = lang.pick("「"+j.Column+"」", j.Column+": ") + text
	}
	if j.Detail != "" {
		text += lang.pick("（"+j.Detail+"）", " ("+j.Detail+")")
	}
	if j.Order != 0 {
		text += lang.pick("；同一订单的第 "+itoa(j.Order)+" 行有误，本行随之不采用",
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
