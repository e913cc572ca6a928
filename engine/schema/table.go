package schema

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"duizhang/rules"
)

// InputKind is a key of the job's inputs.
type InputKind uint8

// The kinds of input (contract 2).
const (
	AlipayBill InputKind = iota + 1
	AlipayAccount
	PosOrders
	PosRefundsKind
	Rebate
	AgreementsKind
	ProvidersKind
	MerchantsKind
	StoresKind
	GoodsKind
	CouponsKind
	DevicesKind
	DevicePoliciesKind
	DeviceRewardsKind
	TaobaoOrders
	KukeduoOrders
	PosAPI
)

var kindNames = [...]string{
	"", "alipay_bill", "alipay_account", "pos_orders", "pos_refunds", "rebate", "agreements",
	"providers", "merchants", "stores", "goods", "coupons", "devices", "device_policies",
	"device_rewards", "taobao_orders", "kukeduo_orders", "pos_api",
}

// String is the kind's key in a job file.
func (k InputKind) String() string { return kindNames[k] }

// InputKinds are all kinds, in the contract's order.
func InputKinds() []InputKind {
	kinds := make([]InputKind, 0, len(kindNames)-1)
	for k := AlipayBill; int(k) < len(kindNames); k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// ParseInputKind finds a kind by its key; 0 if there is none.
func ParseInputKind(name string) InputKind {
	for _, k := range InputKinds() {
		if k.String() == name {
			return k
		}
	}
	return 0
}

// A Table is one table of one input file: the file itself, a member of an
// archive, a sheet of a workbook. It is what inspect prints and the summary
// lists (contract 1). Tables are numbered in the order of path, then member,
// bytewise: "first" in rules 1.
type Table struct {
	Path   string // relative to the job file, slashes
	Member string // name inside an archive or workbook; "" for a plain file

	Kind     InputKind // 0 for a format that no input takes
	Format   string    // trade_bill, trade_summary, pos_orders, …; "" if refused
	Dialect  string    // V25, …; "" where there is only one
	Encoding string    // utf-8, utf-8-bom, gb18030, xlsx
	Account  string    // PID in the header, or ""
	From, To int64     // period of the header, To exclusive; Null if none

	Rows, Accepted, Rejected int64
	// Idle counts the accepted rows that speak of no order and no refund: a query
	// of a trade that is not of the day, an answer to it.
	Idle           int64
	Repairs        map[string]int64 // repair code → rows
	Known, Unknown []string         // header cells, as written
	Controls       []Control
	Problems       []Problem // at most 100
	More           int       // problems beyond them
	Refused        bool      // the file is refused; Problems says why
	Drift          string    // what changed in its format since earlier runs, in words, or ""

	FeesAllZero bool  // every fee of a bill is 0: billed afterwards (rules 7)
	FirstTime   int64 // earliest and latest 完成时间 (发生时间), or Null
	LastTime    int64

	ExpenseSign ExpenseSign // of an account bill
	Linked      bool        // an account bill's rows name trades or orders, so that a trade can be missed

	SHA256 string // of the whole file, hex
	Bytes  int64  // of the whole file

	// Since is the business date, in days since 1970-01-01, from which the table's
	// rows are carried: the table stands for rows of a file that an earlier day read.
	// 0 for a table of the inputs.
	Since int32
}

// Carried tells that the table is none of the inputs: it stands for rows that an
// earlier day carried to this one.
func (t *Table) Carried() bool { return t.Since != 0 }

// ControlOnly tells a table that gives no rows to the run: it only states what those
// of others come to.
func (t *Table) ControlOnly() bool {
	return t.Format == "trade_summary" || t.Format == "account_summary" || t.Format == "rebate_summary"
}

// Source is the place of a line as outputs write it: path[:member]:line.
func (t *Table) Source(line int32) string {
	return string(t.AppendSource(nil, line))
}

// AppendSource appends the place of a line.
func (t *Table) AppendSource(dst []byte, line int32) []byte {
	dst = append(dst, t.Path...)
	if t.Member != "" {
		dst = append(dst, ':')
		dst = append(dst, t.Member...)
	}
	dst = append(dst, ':')
	return strconv.AppendInt(dst, int64(line), 10)
}

// File is the place of the table without a line.
func (t *Table) File() string {
	if t.Member == "" {
		return t.Path
	}
	return t.Path + ":" + t.Member
}

// Less orders tables as rules 1 do: path, then member, bytewise.
func (t *Table) Less(o *Table) bool {
	if t.Path != o.Path {
		return strings.Compare(t.Path, o.Path) < 0
	}
	return t.Member < o.Member
}

// A Control is one control total of a table: what the file states and what was
// found. Stated and Holds are nil where the file states nothing.
type Control struct {
	Name   string
	Stated *string
	Found  string
	Holds  *bool
	Gap    rules.Fen // absolute difference; 0 for a count
}

// A Problem is one entry of inspect's problems.
type Problem struct {
	Code    string
	Line    int
	Column  string
	Value   string
	Message string // in the loader's language; Chinese by default
}

// A Reject is one input row that was not accepted (rules 11).
type Reject struct {
	Table   int32 `memo:"table"`
	Line    int32
	Code    rules.Code
	Column  string // header cell, or ""
	Value   string // as written, "" if the whole row is at fault
	Detail  string // what the message adds to its code, or ""
	Message bool   // the row is a message, which has no cells, and cannot be read
	Raw     string // the row as written; "" is filled from the file before it is reported
	Order   int32  // line at fault of the same order, when this row only shares its fate; else 0
	Amount  int64  // readable amount of the row in fen (order total, bill amount), or Null
	Kind    RowKind
	Unit    string // bill: one row; pos: the order's key when the engine rejects an order
}

// A Batch is a set of rows on their way from a loader to the engine.
type Batch struct {
	Kind InputKind    // AlipayBill, AlipayAccount, PosOrders, PosRefundsKind or Rebate
	Rows arrow.Record // Bills, Accounts, Orders, PosRefunds or Statements
	// Lines are the Lines or RefundLines of the runs in Rows, in the same order;
	// nil for the other kinds.
	Lines arrow.Record
}

// A Sink takes what loaders read. Its methods are safe for concurrent use; a
// batch is borrowed: it is valid during the call only.
type Sink interface {
	Batch(ctx context.Context, b Batch) error
	Reject(r Reject)
}

// A Pos is a place in an input, in the one form that every message uses.
type Pos struct {
	File   string // path[:member]
	Line   int    // from 1; 0 for the whole file
	Column int    // from 1; 0 for the whole line
	Name   string // of the column, or ""
}

// String is file:line:column (name), as far as given.
func (p Pos) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			s += ":" + strconv.Itoa(p.Column)
		}
	}
	if p.Name != "" {
		s += " (" + p.Name + ")"
	}
	return s
}
