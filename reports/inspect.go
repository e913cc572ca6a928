package reports

import (
	"slices"

	"duizhang/engine/schema"
)

// A tableInfo is one entry of inspect's array, and of tables in the summary
// (contract 1).
type tableInfo struct {
	Path     string        `json:"path"`
	Member   string        `json:"member"`
	Kind     *string       `json:"kind"`
	Format   *string       `json:"format"`
	Dialect  string        `json:"dialect"`
	Encoding string        `json:"encoding"`
	Account  string        `json:"account"`
	Period   *periodInfo   `json:"period"`
	Rows     int64         `json:"rows"`
	Accepted int64         `json:"accepted"`
	Rejected int64         `json:"rejected"`
	Repairs  countsJSON    `json:"repairs"`
	Columns  columnsInfo   `json:"columns"`
	Controls []controlInfo `json:"controls"`
	Problems []problemInfo `json:"problems"`
	More     int           `json:"more"`
}

type periodInfo struct {
	From *string `json:"from"`
	To   *string `json:"to"`
}

type columnsInfo struct {
	Known   []string `json:"known"`
	Unknown []string `json:"unknown"`
}

type controlInfo struct {
	Name   string  `json:"name"`
	Stated *string `json:"stated"`
	Found  string  `json:"found"`
	Holds  *bool   `json:"holds"`
}

type problemInfo struct {
	Code    string `json:"code"`
	Line    int    `json:"line"`
	Column  string `json:"column"`
	Value   string `json:"value"`
	Message string `json:"message"`
}

// TableJSON is what inspect prints of a table: a value that marshals to the
// contract's object. Values and messages are masked.
func TableJSON(t *schema.Table) any { return newTableInfo(t, Mask) }

func newTableInfo(t *schema.Table, p Privacy) *tableInfo {
	info := &tableInfo{
		Path: t.Path, Member: t.Member, Dialect: t.Dialect, Encoding: t.Encoding, Account: t.Account,
		Rows: t.Rows, Accepted: t.Accepted, Rejected: t.Rejected, Repairs: countsOf(t.Repairs),
		Columns:  columnsInfo{Known: list(t.Known), Unknown: list(t.Unknown)},
		Controls: []controlInfo{}, Problems: []problemInfo{}, More: t.More,
	}
	if t.Kind != 0 {
		kind := t.Kind.String()
		info.Kind = &kind
	}
	if t.Format != "" && !t.Refused {
		info.Format = &t.Format
	}
	if from, to := moment(t.From), moment(t.To); from != nil || to != nil {
		info.Period = &periodInfo{From: from, To: to}
	}
	for _, c := range t.Controls {
		info.Controls = append(info.Controls, controlInfo{Name: p.mobiles(c.Name), Stated: c.Stated, Found: c.Found, Holds: c.Holds})
	}
	for _, problem := range t.Problems {
		info.Problems = append(info.Problems, problemInfo{
			Code: problem.Code, Line: problem.Line, Column: problem.Column,
			Value: p.cell(problem.Column, problem.Value), Message: p.remark(problem.Column, problem.Message),
		})
	}
	return info
}

// list is the list, empty and not null where there is none.
func list(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// moment is wall-clock seconds as the outputs write them, nil for none.
func moment(seconds int64) *string {
	if seconds == schema.Null {
		return nil
	}
	text := momentText(seconds)
	return &text
}

func momentText(seconds int64) string {
	var e csvEncoder
	return string(e.time(nil, seconds))
}

// countsOf are counts by name, in the order of the names.
func countsOf(counts map[string]int64) countsJSON {
	sorted := countsJSON{}
	for name, count := range counts {
		sorted = append(sorted, member{name, count})
	}
	slices.SortFunc(sorted, func(a, b member) int { return compareStrings(a.name, b.name) })
	return sorted
}
