package claim

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The files of a pack.
const (
	ManifestName  = "MANIFEST.json"
	tradesName    = "trades.csv"
	evidenceName  = "evidence.csv"
	groupsName    = "groups.csv"
	bookName      = "claim.xlsx"
	statementName = "statement.html"
)

var fileNames = []string{bookName, evidenceName, groupsName, statementName, tradesName}

const (
	format      = "duizhang claim"
	packSchema  = 1
	timeLayout  = "2006-01-02 15:04:05"
	monthLayout = "2006-01"
)

// A Manifest says what a pack is and what is in it.
type Manifest struct {
	Format    string  `json:"format"`
	Schema    int     `json:"schema"`
	Version   string  `json:"version"` // of the product that wrote it
	Lang      string  `json:"lang"`
	Provider  string  `json:"provider_pid"`
	Period    string  `json:"period"`
	Date      string  `json:"date"` // business date of the run
	Tolerance string  `json:"rebate_tolerance"`
	Rows      int64   `json:"rows"`     // of trades.csv
	Claimed   int64   `json:"claimed"`  // of them that claim something
	Expected  string  `json:"expected"` // of those
	Paid      string  `json:"paid"`
	Claim     string  `json:"claim"` // in all, groups included
	Files     []File  `json:"files"`
	Inputs    []Input `json:"inputs"`
	Reading   Reading `json:"reading"`
}

// A File is a file of the pack.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// An Input is a table of an input file, in the order of the run.
type Input struct {
	Path   string `json:"path"` // below the folder of the job
	Member string `json:"member"`
	Kind   string `json:"kind"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the whole file
}

// A Reading is what the reading of the input files took from the job.
type Reading struct {
	StatementPID    string                         `json:"statement_pid"`
	DefaultMerchant string                         `json:"default_merchant"`
	Columns         map[string]map[string][]string `json:"columns"`
}

// A Trade is a row of trades.csv.
type Trade struct {
	Row                                         int64  // from 1
	Merchant, OutTradeNo, TradeNo, Product, PID string // PID as it was sent
	Store                                       string
	Time                                        int64 // wall-clock seconds
	Agreement                                   int   // number in evidence.csv, 0 for none
	Basis                                       rules.Fen
	Expected, Paid                              rules.Micro
	HasPaid                                     bool // a statement has a row of it
	Cause                                       rules.Cause
}

// Loss is what is missing; an excess is negative.
func (t *Trade) Loss() rules.Micro { return t.Expected - t.Paid }

// Claim is what is claimed for the trade itself.
func (t *Trade) Claim() rules.Micro {
	if t.Cause.Appeal() == rules.AppealClaimable {
		return t.Loss()
	}
	return 0
}

var tradeHeader = []string{
	"row", "merchant_pid", "out_trade_no", "trade_no", "product", "sys_service_provider_id", "store_id", "trade_time",
	"agreement", "basis", "expected", "paid", "claim", "cause",
}

func (t *Trade) record() []string {
	paid, agreement := "", ""
	if t.HasPaid {
		paid = money(t.Paid)
	}
	if t.Agreement > 0 {
		agreement = strconv.Itoa(t.Agreement)
	}
	return []string{
		strconv.FormatInt(t.Row, 10), t.Merchant, t.OutTradeNo, t.TradeNo, t.Product, t.PID, t.Store, clock(t.Time),
		agreement, t.Basis.String(), money(t.Expected), paid, money(t.Claim()), t.Cause.String(),
	}
}

// parseTrade reads a row of trades.csv. claim is what the row says is claimed.
func parseTrade(r []string) (t Trade, claim rules.Micro, err error) {
	p := parser{}
	t = Trade{
		Row: p.number(r[0]), Merchant: r[1], OutTradeNo: r[2], TradeNo: r[3], Product: r[4], PID: r[5], Store: r[6], Time: p.time(r[7]),
		Basis: rules.Fen(p.fen(r[9])), Expected: p.micro(r[10]),
	}
	if r[8] != "" {
		t.Agreement = int(p.number(r[8]))
	}
	if r[11] != "" {
		t.Paid, t.HasPaid = p.micro(r[11]), true
	}
	claim = p.micro(r[12])
	cause, ok := rules.ParseCause(r[13])
	if !ok {
		p.fail("cause", r[13])
	}
	t.Cause = cause
	return t, claim, p.err
}

// A Role says what an input row shows.
type Role uint8

// The roles, in the order in which they stand behind a trade.
const (
	RoleAgreement  Role = iota + 1 // a signed agreement; belongs to no trade
	RoleAggregated                 // a statement row that pays a group in one sum; belongs to no trade
	RoleBill
	RoleRefund
	RolePOS
	RoleStatement
)

var roleWords = []string{"", "agreement", "aggregated", "bill", "refund", "pos", "statement"}

// String is the role's word in evidence.csv.
func (r Role) String() string {
	if int(r) < len(roleWords) {
		return roleWords[r]
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

// An Evidence is an input row, with the columns that are used of it; what is not
// used is blank or Null.
type Evidence struct {
	Row  int64 // of the trade; of an agreement, its number; 0 for an aggregated row
	Role Role

	Input   int // in Manifest.Inputs
	Line    int32
	LineSum [32]byte

	Provider, Merchant, Product, Period string // of agreements and statement rows; of POS rows the provider, as sent
	TradeNo, OutTradeNo, RequestNo      string
	Time                                int64
	Amount, Received, Red, Discount     int64
	Rebate, Adjustment                  int64
	Agreement                           *rules.Agreement
}

var evidenceHeader = []string{
	"row", "role", "file", "member", "line", "line_sha256", "file_sha256",
	"provider_pid", "merchant_pid", "product", "period", "trade_no", "out_trade_no", "out_request_no", "time",
	"order_amount", "received", "red_packet", "platform_discount", "rebate_amount", "adjustment",
	"rate", "basis", "effective_from", "effective_to", "scale", "rounding", "cap_per_trade",
}

// usedFrom is the first of the columns that are the input row's own.
const usedFrom = 7

func (e *Evidence) record(inputs []Input) []string {
	in := inputs[e.Input]
	row := ""
	if e.Row > 0 {
		row = strconv.FormatInt(e.Row, 10)
	}
	r := []string{row, e.Role.String(), in.Path, in.Member, strconv.Itoa(int(e.Line)), hex.EncodeToString(e.LineSum[:]), in.SHA256}
	return append(r, e.used()...)
}

// used are the columns that are the input row's own.
func (e *Evidence) used() []string {
	r := []string{
		e.Provider, e.Merchant, e.Product, e.Period, e.TradeNo, e.OutTradeNo, e.RequestNo, clock(e.Time),
		fenText(e.Amount), fenText(e.Received), fenText(e.Red), fenText(e.Discount), microText(e.Rebate), microText(e.Adjustment),
	}
	a := e.Agreement
	if a == nil {
		return append(r, "", "", "", "", "", "", "")
	}
	to, most := "", ""
	if a.To != rules.OpenEnd {
		to = dayText(a.To)
	}
	if a.HasCap {
		most = money(a.Cap)
	}
	return append(r, a.Rate.String(), a.Basis.String(), dayText(a.From), to, strconv.Itoa(a.Scale), a.Rounding.String(), most)
}

// parseEvidence reads a row of evidence.csv; inputs finds the number of an input by
// file and member.
func parseEvidence(r []string, inputs map[[2]string]int, m *Manifest) (e Evidence, err error) {
	p := parser{}
	e.Role = Role(max(slices.Index(roleWords, r[1]), 0))
	if e.Role == 0 {
		p.fail("role", r[1])
	}
	if r[0] != "" {
		e.Row = p.number(r[0])
	}
	at, ok := inputs[[2]string{r[2], r[3]}]
	if !ok {
		p.fail("file", r[2])
	} else if m.Inputs[at].SHA256 != r[6] {
		p.fail("file_sha256", r[6])
	}
	e.Input, e.Line = at, int32(p.number(r[4]))
	if sum, err := hex.DecodeString(r[5]); err != nil || len(sum) != len(e.LineSum) {
		p.fail("line_sha256", r[5])
	} else {
		copy(e.LineSum[:], sum)
	}
	u := r[usedFrom:]
	e.Provider, e.Merchant, e.Product, e.Period = u[0], u[1], u[2], u[3]
	e.TradeNo, e.OutTradeNo, e.RequestNo, e.Time = u[4], u[5], u[6], p.time(u[7])
	e.Amount, e.Received, e.Red, e.Discount = p.fen(u[8]), p.fen(u[9]), p.fen(u[10]), p.fen(u[11])
	e.Rebate, e.Adjustment = p.microOr(u[12]), p.microOr(u[13])
	if e.Role == RoleAgreement {
		e.Agreement = p.agreement(&e, u[14:])
	}
	return e, p.err
}

func (p *parser) agreement(e *Evidence, u []string) *rules.Agreement {
	a := &rules.Agreement{Provider: e.Provider, Product: e.Product, Rate: p.micro(u[0]), From: p.day(u[2]), To: rules.OpenEnd, Scale: int(p.number(u[4]))}
	var ok bool
	if a.Basis, ok = rules.ParseBasis(u[1]); !ok {
		p.fail("basis", u[1])
	}
	if a.Rounding, ok = rules.ParseRounding(u[5]); !ok {
		p.fail("rounding", u[5])
	}
	if u[3] != "" {
		a.To = p.day(u[3])
	}
	if u[6] != "" {
		a.Cap, a.HasCap = p.micro(u[6]), true
	}
	if a.Scale < 0 || a.Scale > 6 || a.Rate < 0 {
		p.fail("scale", u[4])
	}
	return a
}

// A Group is a row of groups.csv: what the trades of a merchant and product come to.
type Group struct {
	Merchant, Product string
	Whole             bool // all trades of the group are listed, not only those that claim something
	Trades            int64
	Expected, Lost    rules.Sum // millionths; Lost: what wrong PIDs lost, which nobody claims
	Paid              rules.Sum
	Claims            rules.Sum // of single trades
	Rest              rules.Sum // what the group as such is short of beyond them
}

// Total is what is claimed for the group.
func (g *Group) Total() rules.Sum {
	t := g.Claims
	t.AddSum(g.Rest)
	return t
}

// add adds a trade.
func (g *Group) add(t *Trade) {
	g.Trades++
	g.Expected.AddMicro(t.Expected)
	g.Paid.AddMicro(t.Paid)
	g.Claims.AddMicro(t.Claim())
	if t.Cause.Lost() {
		g.Lost.AddMicro(t.Loss())
	}
}

var groupHeader = []string{"merchant_pid", "product", "whole", "trades", "expected", "lost", "paid", "claim_trades", "claim_group", "claim"}

func (g *Group) record() []string {
	return []string{
		g.Merchant, g.Product, strconv.FormatBool(g.Whole), strconv.FormatInt(g.Trades, 10), g.Expected.String6(), g.Lost.String6(),
		g.Paid.String6(), g.Claims.String6(), g.Rest.String6(), g.Total().String6(),
	}
}

// IsPeriod reports whether the text is a month or a day, and nothing else.
func IsPeriod(text string) bool {
	for _, layout := range []string{monthLayout, time.DateOnly} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// Folder is the name of a pack's folder; "" where the PID or the period is none, and
// must not become a path.
func Folder(provider, period string) string {
	if len(provider) != 16 || strings.Trim(provider, "0123456789") != "" || !IsPeriod(period) {
		return ""
	}
	return provider + "-" + period
}

// A parser keeps the first cell that cannot be read.
type parser struct{ err error }

func (p *parser) fail(column, value string) {
	if p.err == nil {
		if len(value) > 80 {
			value = value[:80] + "…"
		}
		p.err = fmt.Errorf("%s: %q", column, value)
	}
}

func (p *parser) number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		p.fail("number", s)
	}
	return n
}

func (p *parser) time(s string) int64 {
	if s == "" {
		return schema.Null
	}
	t, err := time.Parse(timeLayout, s)
	if err != nil {
		p.fail("time", s)
		return schema.Null
	}
	return t.Unix()
}

func (p *parser) day(s string) int32 {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		p.fail("day", s)
		return 0
	}
	return int32(t.Unix() / daySeconds)
}

func (p *parser) fen(s string) int64 {
	if s == "" {
		return schema.Null
	}
	v, err := rules.ParseFen([]byte(s))
	if err != nil {
		p.fail("amount", s)
	}
	return int64(v)
}

func (p *parser) micro(s string) rules.Micro {
	v, err := rules.ParseMicro([]byte(s))
	if err != nil {
		p.fail("amount", s)
	}
	return v
}

func (p *parser) microOr(s string) int64 {
	if s == "" {
		return schema.Null
	}
	return int64(p.micro(s))
}

const daySeconds = 86400

func dayOf(seconds int64) int32 {
	day := seconds / daySeconds
	if seconds%daySeconds < 0 {
		day--
	}
	return int32(day)
}

func dayText(day int32) string {
	return time.Unix(int64(day)*daySeconds, 0).UTC().Format(time.DateOnly)
}

func clock(seconds int64) string {
	if seconds == schema.Null {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(timeLayout)
}

// money is an amount with two decimals, and up to six where those are not zero.
func money(m rules.Micro) string { return string(rules.AppendMicro(nil, m, 2)) }

func fenText(v int64) string {
	if v == schema.Null {
		return ""
	}
	return rules.Fen(v).String()
}

func microText(v int64) string {
	if v == schema.Null {
		return ""
	}
	return money(rules.Micro(v))
}

// given is an amount, 0 where there is none.
func given(v int64) int64 {
	if v == schema.Null {
		return 0
	}
	return v
}

// basisOf is what a bill row gives to the basis.
func (e *Evidence) basisOf(kind rules.Basis) rules.Fen {
	switch kind {
	case rules.BasisOrderAmount:
		return rules.Fen(given(e.Amount))
	case rules.BasisBuyerPaid:
		return rules.Fen(given(e.Received) - given(e.Red) - given(e.Discount))
	case rules.BasisReceived:
	}
	return rules.Fen(given(e.Received))
}

func say(lang, zh, en string) string {
	if lang == "en" {
		return en
	}
	return zh
}

// ErrNotAPack is a folder that is no claim pack, or one that must not be trusted.
var ErrNotAPack = errors.New("not a claim pack")
