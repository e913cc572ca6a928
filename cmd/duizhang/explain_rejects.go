package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// aboutReject tells whether a rejected row has the number, or one that the
// results tie to it. Which cell holds it is not known of a row that could not be
// read, so that any may.
func (e *explainer) aboutReject(r *schema.Reject) bool {
	t := e.all[r.Table]
	switch t.Kind { //nolint:exhaustive // the registries: their numbers are no trade's
	case schema.AgreementsKind, schema.ProvidersKind, schema.MerchantsKind, schema.StoresKind, schema.GoodsKind,
		schema.CouponsKind, schema.DevicesKind, schema.DevicePoliciesKind:
		return false
	}
	if holds(r.Raw, e.id) || strings.TrimSpace(r.Value) == e.id {
		return true
	}
	for number := range e.numbers {
		if holds(r.Raw, number) {
			return true
		}
	}
	for key := range e.keys {
		merchant, order, _ := strings.Cut(key, "\x1f")
		if holds(r.Raw, order) && !e.ofAnother(r.Raw, t, merchant) {
			return true
		}
	}
	return false
}

// ofAnother tells whether a row with the order's number is another merchant's:
// the number is unique within one merchant only.
func (e *explainer) ofAnother(raw string, t *schema.Table, merchant string) bool {
	if merchant == "" || holds(raw, merchant) {
		return false
	}
	if t.Account != "" {
		return t.Account != merchant
	}
	providers := map[string]bool{}
	for _, p := range e.job.Engine.Registry.Providers {
		providers[p.PID] = true
	}
	for i := range e.job.Engine.Registry.Agreements {
		providers[e.job.Engine.Registry.Agreements[i].Provider] = true
	}
	for _, cell := range strings.FieldsFunc(raw, betweenCells) {
		if rules.IsPID(cell) && !providers[cell] {
			return true
		}
	}
	return false
}

// holds tells whether a cell of the row, as it is written, is the number.
func holds(raw, number string) bool {
	if number == "" {
		return false
	}
	for from := 0; ; {
		at := strings.Index(raw[from:], number)
		if at < 0 {
			return false
		}
		start := from + at
		end := start + len(number)
		before, _ := utf8.DecodeLastRuneInString(raw[:start])
		after, _ := utf8.DecodeRuneInString(raw[end:])
		if (start == 0 || betweenCells(before)) && (end == len(raw) || betweenCells(after)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(raw[start:])
		from = start + size
	}
}

// betweenCells tells what may stand beside a cell's text in any of the formats.
func betweenCells(letter rune) bool {
	return unicode.IsSpace(letter) || strings.ContainsRune(",;|\"'=", letter)
}
