package reports

import (
	"slices"
	"strings"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A column is a result column: one of the schema's, or a column of totals, which
// do not fit its int64.
type column struct {
	schema.Column
	Sums []rules.Sum // instead of Ints, in its unit: fen of FenType, millionths of RebateType
	None []bool      // of Sums: no value; nil for none such
}

// A table is a result table on its way out.
type table struct {
	name    string
	rows    int
	columns []column
}

// The result tables' names, which are their files' names.
const (
	tradesName   = "trades"
	refundsName  = "refunds"
	goodsName    = "goods"
	rebatesName  = "rebates"
	accountsName = "accounts"
	groupsName   = "rebate_groups"
	shiftsName   = "shifts"
	devicesName  = "devices"
	breaksName   = "breaks"
	rejectsName  = "rejects"
)

// maxTables is how many tables a part has.
const maxTables = 5

// tablesOf gives the tables of a part that the run has, in a fixed order. It
// appends to dst, which is reused.
func (r Results) tablesOf(dst []table, p *engine.Part) []table {
	if r.Trades {
		dst = appendTable(dst, tradesName, p.Trades.Len(), p.Trades.Columns())
	}
	if r.Refunds {
		dst = appendTable(dst, refundsName, p.Refunds.Len(), p.Refunds.Columns())
	}
	if r.Goods {
		dst = appendTable(dst, goodsName, p.Goods.Len(), p.Goods.Columns())
	}
	if r.Rebates {
		dst = appendTable(dst, rebatesName, p.Rebates.Len(), p.Rebates.Columns())
	}
	if r.Accounts {
		dst = appendTable(dst, accountsName, p.Accounts.Len(), p.Accounts.Columns())
	}
	return dst
}

func appendTable(dst []table, name string, rows int, columns []schema.Column) []table {
	t := table{name: name, rows: rows, columns: make([]column, len(columns))}
	for i := range columns {
		t.columns[i].Column = columns[i]
	}
	return append(dst, t)
}

// isID tells the columns of ids, which a spreadsheet would round.
func isID(name string) bool {
	switch name {
	case "merchant_pid", "sys_service_provider_id", "agreement_pid", "provider_pid", "signer_pid",
		"out_trade_no", "trade_no", "out_request_no", "store_id", "terminal_id", "operator_id",
		"goods_id", "device_sn":
		return true
	}
	return name == "value" // of a reject: whatever was written, digit for digit
}

// Builders of the columns of the small tables.

func textColumn[T any](name string, rows []T, value func(*T) string) column {
	text := &schema.Text{Offsets: make([]int32, 0, len(rows)+1)}
	for i := range rows {
		s := strings.ToValidUTF8(value(&rows[i]), "\uFFFD")
		if cap(text.Data)-len(text.Data) < len(s) { // twice as much, so that it is not copied many times
			text.Data = slices.Grow(text.Data, len(text.Data)+len(s))
		}
		text.AppendString(s)
	}
	return column{Column: schema.Column{Name: name, Type: schema.TextType, Text: text}}
}

func intColumn[T any](name string, kind schema.ColumnType, rows []T, value func(*T) int64) column {
	ints := make([]int64, len(rows))
	for i := range rows {
		ints[i] = value(&rows[i])
	}
	return column{Column: schema.Column{Name: name, Type: kind, Ints: ints}}
}

func enumColumn[T any](name string, names []string, rows []T, value func(*T) uint8) column {
	bytes := make([]uint8, len(rows))
	for i := range rows {
		bytes[i] = value(&rows[i])
	}
	return column{Column: schema.Column{Name: name, Type: schema.EnumType, Bytes: bytes, Names: names}}
}

func sumColumn[T any](name string, kind schema.ColumnType, rows []T, value func(*T) rules.Sum) column {
	sums := make([]rules.Sum, len(rows))
	for i := range rows {
		sums[i] = value(&rows[i])
	}
	return column{Column: schema.Column{Name: name, Type: kind}, Sums: sums}
}
