package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// SummaryName is the file that makes a folder one of ours.
const SummaryName = "summary.json"

// summarySchema is the version of summary.json.
const summarySchema = 1

// A member is one member of an object whose members stand in a fixed order.
type member struct {
	name  string
	value any
}

// countsJSON is an object with its members in the order of the slice.
type countsJSON []member

// MarshalJSON writes the object.
func (o countsJSON) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			buf.WriteByte(',')
		}
		if err := appendJSON(&buf, m.name); err != nil {
			return nil, err
		}
		buf.WriteByte(':')
		if err := appendJSON(&buf, m.value); err != nil {
			return nil, err
		}
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// appendJSON appends a value without escaping < > &.
func appendJSON(buf *bytes.Buffer, v any) error {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	buf.Truncate(buf.Len() - 1) // the encoder's line end
	return nil
}

type summaryInfo struct {
	Schema     int             `json:"schema"`
	Job        jobInfo         `json:"job"`
	Date       string          `json:"date"`
	Version    string          `json:"version"`
	Incomplete bool            `json:"incomplete"`
	Inputs     []inputInfo     `json:"inputs"`
	Parts      []partInfo      `json:"parts"`
	Trades     countsJSON      `json:"trades"`
	Refunds    countsJSON      `json:"refunds"`
	Excluded   countsJSON      `json:"excluded"`
	Goods      goodsInfo       `json:"goods"`
	Rebates    rebatesInfo     `json:"rebates"`
	Losses     lossesInfo      `json:"losses"`
	Devices    countsJSON      `json:"devices"`
	Shifts     countsJSON      `json:"shifts"`
	Accounts   accountsInfo    `json:"accounts"`
	Breaks     countsJSON      `json:"breaks"`
	Rejects    countsJSON      `json:"rejects"`
	Claims     []ClaimInfo     `json:"claims"`
	Invariants []invariantInfo `json:"invariants"`
	Limits     limitsInfo      `json:"limits"`
	ExitCode   int             `json:"exit_code"`
	Timings    []timingInfo    `json:"timings"`

	Attributions []attributionInfo `json:"attributions"`
	Carried      *carriedInfo      `json:"carried"` // null without state
	Closed       []closedInfo      `json:"closed"`
}

type jobInfo struct {
	Name     string `json:"name"`
	Settings any    `json:"settings"`
}

type inputInfo struct {
	Path   string       `json:"path"`
	SHA256 string       `json:"sha256"`
	Bytes  int64        `json:"bytes"`
	Tables []*tableInfo `json:"tables"`
}

type partInfo struct {
	Name string `json:"name"`
	Ran  bool   `json:"ran"`
	Why  string `json:"why"`
}

type tallyInfo struct {
	PosCount   int64  `json:"pos_count"`
	PosAmount  string `json:"pos_amount"`
	BillCount  int64  `json:"bill_count"`
	BillAmount string `json:"bill_amount"`
}

type goodsInfo struct {
	Scenarios    countsJSON   `json:"scenarios"`
	Filler       fillerInfo   `json:"filler"`
	NotAllocated notAllocated `json:"not_allocated"`
}

type scenarioInfo struct {
	Orders int64  `json:"orders"`
	Amount string `json:"amount"`
	Lines  int64  `json:"lines"`
}

type fillerInfo struct {
	Lines  int64  `json:"lines"`
	Amount string `json:"amount"`
}

type notAllocated struct {
	NoGoods         int64 `json:"no_goods"`
	PriceUnknown    int64 `json:"price_unknown"`
	GoodsIncomplete int64 `json:"goods_incomplete"`
}

type rebatesInfo struct {
	Causes     countsJSON `json:"causes"`
	OutOfScope int64      `json:"out_of_scope"`
}

type causeInfo struct {
	Count    int64  `json:"count"`
	Expected string `json:"expected"`
	Stated   string `json:"stated"`
	Loss     string `json:"loss"`
}

type lossesInfo struct {
	Provider []lossInfo `json:"provider"`
	Merchant []lossInfo `json:"merchant"`
	Store    []lossInfo `json:"store"`
	Terminal []lossInfo `json:"terminal"`
	Day      []lossInfo `json:"day"`
}

type lossInfo struct {
	Key       string  `json:"key"`
	Parent    string  `json:"parent"`
	Merchant  string  `json:"merchant_pid"`
	Count     int64   `json:"count"`
	Loss      string  `json:"loss"`
	Lost      string  `json:"lost"`
	Claimable string  `json:"claimable"`
	Since     *string `json:"since"`
}

type breakInfo struct {
	Count    int64  `json:"count"`
	Amount   string `json:"amount"`
	Severity string `json:"severity"`
}

type invariantInfo struct {
	Name  string `json:"name"`
	Left  string `json:"left"`
	Right string `json:"right"`
	Holds bool   `json:"holds"`
}

type limitInfo struct {
	Limit any  `json:"limit"`
	Found any  `json:"found"`
	Above bool `json:"above"`
}

type limitsInfo struct {
	Rejects     limitInfo `json:"rejects"`
	Breaks      limitInfo `json:"breaks"`
	BreakAmount limitInfo `json:"break_amount"`
	// Settled are the breaks that were left out of both, because a verdict
	// settles them.
	Settled settledInfo `json:"settled"`
}

type settledInfo struct {
	Breaks int64  `json:"breaks"`
	Amount string `json:"amount"`
}

type timingInfo struct {
	Stage        string `json:"stage"`
	Milliseconds int64  `json:"ms"`
}

// summary writes summary.json, the last of the outputs: a folder that has one is
// whole.
func (w *Writer) summary(r *engine.Result, end Outcome) error {
	info := newSummary(r, &w.opts, end)
	info.Claims = append(info.Claims, w.claimed...)
	return w.writeFile(SummaryName, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(info)
	})
}

func newSummary(r *engine.Result, o *Options, end Outcome) *summaryInfo {
	info := &summaryInfo{
		Schema: summarySchema, Job: jobInfo{Name: o.Job.Name, Settings: o.Job.Settings}, Date: r.Date,
		Version: o.Job.Version, Incomplete: end.Incomplete, Inputs: inputsOf(r.Inputs(), o.Privacy),
		Parts: []partInfo{}, Trades: talliesOf(&r.Trades), Refunds: talliesOf(&r.Refunds), Excluded: excludedOf(r), Goods: goodsOf(r),
		Rebates: rebatesInfo{Causes: causesOf(r), OutOfScope: r.OutOfScope},
		Losses: lossesInfo{
			Provider: lossesOf(r.Losses.Provider), Merchant: lossesOf(r.Losses.Merchant),
			Store: lossesOf(o.Privacy.losses(r.Losses.Store)), Terminal: lossesOf(o.Privacy.losses(r.Losses.Terminal)), Day: lossesOf(r.Losses.Day),
		},
		Devices: devicesOf(r), Shifts: shiftsOf(r.Shifts), Accounts: accountsOf(&r.Accounts),
		Breaks: breakCountsJSON(r), Rejects: rejectCounts(r), Invariants: []invariantInfo{},
		Claims: []ClaimInfo{}, Limits: limitsOf(r, end.Limits), ExitCode: end.ExitCode, Timings: []timingInfo{},
		Attributions: attributionsOf(r, o.Privacy), Carried: carriedOf(end.Carried, r), Closed: closedOf(end.Closed),
	}
	for _, p := range r.Parts {
		info.Parts = append(info.Parts, partInfo(p))
	}
	for _, i := range r.Invariants {
		info.Invariants = append(info.Invariants, invariantInfo(i))
	}
	if end.Timings != nil {
		for _, t := range end.Timings() {
			info.Timings = append(info.Timings, timingInfo{t.Stage, t.Duration.Milliseconds()})
		}
	}
	return info
}

// inputsOf groups the tables by file, in the order of the run.
func inputsOf(tables []*schema.Table, p Privacy) []inputInfo {
	inputs := []inputInfo{}
	for _, t := range tables {
		if n := len(inputs); n == 0 || inputs[n-1].Path != t.Path {
			inputs = append(inputs, inputInfo{Path: t.Path, SHA256: t.SHA256, Bytes: t.Bytes})
		}
		in := &inputs[len(inputs)-1]
		in.Tables = append(in.Tables, newTableInfo(t, p))
	}
	return inputs
}

// talliesOf has every status, so that a reader need not ask whether it is there.
func talliesOf(tallies *[9]engine.Tally) countsJSON {
	var object countsJSON
	for s := rules.StatusDuplicate; s <= rules.StatusPOSOnly; s++ {
		t := &tallies[s]
		object = append(object, member{s.String(), tallyInfo{
			t.PosCount, t.PosAmount.String2(), t.BillCount, t.BillAmount.String2(),
		}})
	}
	return object
}

type reasonInfo struct {
	Count  int64  `json:"count"`
	Amount string `json:"amount"`
}

// excludedOf has the reasons that occur, in the order of rules 3: of online_order
// it is the total of the online side.
func excludedOf(r *engine.Result) countsJSON {
	object := countsJSON{}
	for reason := rules.ReasonO2OPassport; int(reason) < len(schema.ReasonNames); reason++ {
		if t := &r.Excluded[reason]; t.Count != 0 {
			object = append(object, member{reason.String(), reasonInfo{t.Count, t.Amount.String2()}})
		}
	}
	return object
}

func goodsOf(r *engine.Result) goodsInfo {
	info := goodsInfo{NotAllocated: notAllocated{r.NoGoods, r.PriceUnknown, r.Incomplete}}
	var filler rules.Sum
	for s := rules.Equal; s <= rules.TagPrice; s++ {
		t := &r.Scenarios[s]
		info.Scenarios = append(info.Scenarios, member{s.String(), scenarioInfo{t.Orders, t.Amount.String2(), t.Lines}})
		info.Filler.Lines += t.Fillings
		filler.AddSum(t.Filler)
	}
	info.Filler.Amount = filler.String2()
	return info
}

// causesOf has the causes that occur, in the order of the tests.
func causesOf(r *engine.Result) countsJSON {
	object := countsJSON{}
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		if t := &r.Causes[c]; t.Count != 0 {
			object = append(object, member{c.String(), causeInfo{
				t.Count, t.Expected.String6(), t.Stated.String6(), t.Loss.String6(),
			}})
		}
	}
	return object
}

// losses are the groups by stores or terminals, as they may be shown.
func (p Privacy) losses(groups []engine.LossGroup) []engine.LossGroup {
	shown := slices.Clone(groups)
	for i := range shown {
		shown[i].Key, shown[i].Parent = p.mobiles(shown[i].Key), p.mobiles(shown[i].Parent)
	}
	return shown
}

func lossesOf(groups []engine.LossGroup) []lossInfo {
	infos := []lossInfo{}
	for i := range groups {
		g := &groups[i]
		infos = append(infos, lossInfo{
			Key: g.Key, Parent: g.Parent, Merchant: g.Merchant, Count: g.Count, Loss: g.Loss.String6(),
			Lost: g.Lost.String6(), Claimable: g.Claim.String6(), Since: moment(g.Since),
		})
	}
	return infos
}

// A codeTally adds the breaks of one code. One code may have two severities in
// no run; the first is shown.
type codeTally struct {
	code     rules.BreakCode
	severity rules.Severity
	count    int64
	amount   rules.Sum // millionths
}

// tallyBreaks adds the breaks by code, in the order of rules 12.
func tallyBreaks(breaks []engine.Break) []codeTally {
	var byCode [256]codeTally
	for i := range breaks {
		b := &breaks[i]
		t := &byCode[b.Code]
		if t.count == 0 {
			t.code, t.severity = b.Code, b.Severity
		}
		t.count++
		t.amount.AddSum(stake(b))
	}
	var tallies []codeTally
	for i := range byCode {
		if byCode[i].count > 0 {
			tallies = append(tallies, byCode[i])
		}
	}
	return tallies
}

func breakCountsJSON(r *engine.Result) countsJSON {
	object := countsJSON{}
	for _, t := range tallyBreaks(r.Breaks) {
		object = append(object, member{t.code.String(), breakInfo{t.count, t.amount.String6(), t.severity.String()}})
	}
	return object
}

func rejectCounts(r *engine.Result) countsJSON {
	counts := map[string]int64{}
	for i := range r.Rejects {
		counts[r.Rejects[i].Code.String()]++
	}
	return countsOf(counts)
}

func limitsOf(r *engine.Result, l Limits) limitsInfo {
	count, amount := Counted(r.Breaks)
	settled, settledAmount := Settled(r.Breaks)
	limit := micros(int64(l.BreakAmount))
	return limitsInfo{
		Settled:     settledInfo{settled, settledAmount.String6()},
		Rejects:     limitInfo{l.Rejects, len(r.Rejects), int64(len(r.Rejects)) > l.Rejects},
		Breaks:      limitInfo{l.Breaks, count, count > l.Breaks},
		BreakAmount: limitInfo{limit.String6(), amount.String6(), amount.Cmp(limit) > 0},
	}
}

func compareStrings(a, b string) int { return strings.Compare(a, b) }

// isSummary reports whether the bytes are a summary of ours.
func isSummary(b []byte) bool {
	if !gjson.ValidBytes(b) {
		return false
	}
	schema, code, inputs := gjson.GetBytes(b, "schema"), gjson.GetBytes(b, "exit_code"), gjson.GetBytes(b, "inputs")
	return schema.Type == gjson.Number && schema.Int() >= 1 && code.Type == gjson.Number && inputs.Exists() && inputs.Type != gjson.Null
}
