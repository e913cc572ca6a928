package main

import (
	"fmt"
	"slices"
	"strings"

	"duizhang/cmd/duizhang/lang"
)

// An edge of the graph that explain walks: POS order → trade bill → account rows →
// rebate rows, and the same of the refunds. A side that is not there has no source.
type edge struct {
	From       string   `json:"from"` // the kind of input at its beginning
	FromSource string   `json:"from_source"`
	To         string   `json:"to"`
	ToSource   string   `json:"to_source"`
	Status     string   `json:"status"` // as in the table that says so; of a rebate its cause
	Reason     string   `json:"reason"`
	Merchant   string   `json:"merchant_pid"`
	OutTradeNo string   `json:"out_trade_no"`
	TradeNo    string   `json:"trade_no"`
	RequestNo  string   `json:"out_request_no"`
	Product    string   `json:"product"`
	Why        string   `json:"why"`
	Breaks     []string `json:"breaks"` // codes of what was found on it
}

// The kinds of input that an edge joins.
const (
	posKind, billKind, accountKind, rebateKind = "pos_orders", "alipay_bill", "alipay_account", "rebate"
	posRefundKind, billRefundKind              = "pos_refunds", "alipay_bill (refund)"
)

// edges are the edges of an explanation, in the order of its tables.
func (a *app) edges(x *explanation) []edge {
	edges := []edge{}
	for _, r := range x.Trades {
		e := edgeOf(posKind, r, "pos_source", billKind, "bill_source")
		e.Why, e.Breaks = a.whyTrade(r), breaksOn(x, r, "", "pos", "bill", "both")
		if e.Status == "duplicate" {
			e.toFirst(x.Trades)
		}
		edges = append(edges, e)
	}
	for _, r := range x.Refunds {
		e := edgeOf(posRefundKind, r, "pos_source", billRefundKind, "bill_source")
		e.Why, e.Breaks = a.whyTrade(r), breaksOn(x, r, e.RequestNo, "pos", "bill", "both")
		if e.Status == "duplicate" {
			e.toFirst(x.Refunds)
		}
		edges = append(edges, e)
	}
	for _, r := range x.Accounts {
		e := edgeOf(billKind, r, "bill_source", accountKind, "account_source")
		e.Why, e.Breaks = a.whyAccount(x, r), breaksOn(x, r, "", "account")
		edges = append(edges, e)
	}
	for _, r := range x.Rebates {
		e := edgeOf(billKind, r, "", rebateKind, "statement_source")
		e.Status, e.Product, e.Why, e.Breaks = r.value("cause"), r.value("product"), a.whyRebate(r), breaksOn(x, r, "", "statement")
		if code := e.Status; strings.HasPrefix(code, "pid_") && slices.ContainsFunc(x.Breaks, func(b record) bool {
			return b.value("code") == code && sameTrade(b, r)
		}) {
			e.Breaks = append([]string{code}, e.Breaks...)
		}
		e.FromSource = billSourceOf(x, r)
		edges = append(edges, e)
	}
	return edges
}

func edgeOf(from string, r record, fromSource, to, toSource string) edge {
	return edge{
		From: from, FromSource: r.value(fromSource), To: to, ToSource: r.value(toSource), Status: r.value("status"),
		Reason: r.value("reason"), Merchant: r.value("merchant_pid"), OutTradeNo: r.value("out_trade_no"),
		TradeNo: r.value("trade_no"), RequestNo: r.value("out_request_no"), Breaks: []string{},
	}
}

// toFirst points the edge of a row that occurs again at the row that counts, which
// is on the same side.
func (e *edge) toFirst(rows []record) {
	column, from := "pos_source", e.FromSource
	if from == "" {
		column, from, e.From = "bill_source", e.ToSource, e.To
	}
	e.To, e.FromSource, e.ToSource = e.From, from, ""
	for _, r := range rows {
		same := r.value("merchant_pid") == e.Merchant && r.value("out_trade_no") == e.OutTradeNo
		if column == "bill_source" && e.TradeNo != "" {
			same = r.value("trade_no") == e.TradeNo
		}
		if same && r.value("status") != "duplicate" && r.value(column) != "" && r.value("out_request_no") == e.RequestNo {
			e.ToSource = r.value(column)
			return
		}
	}
}

// sameTrade tells whether two rows are of one trade.
func sameTrade(a, b record) bool {
	if trade := a.value("trade_no"); trade != "" && b.value("trade_no") != "" {
		return trade == b.value("trade_no")
	}
	return a.value("merchant_pid") == b.value("merchant_pid") && a.value("out_trade_no") == b.value("out_trade_no")
}

// breaksOn are the codes of the breaks of a row that are of one of the sides.
func breaksOn(x *explanation, r record, request string, sides ...string) []string {
	codes := []string{}
	for _, b := range x.Breaks {
		code := b.value("code")
		if !sameTrade(b, r) || b.value("out_request_no") != request || !slices.Contains(sides, b.value("side")) ||
			strings.HasPrefix(code, "pid_") || slices.Contains(codes, code) {
			continue
		}
		// Rows of one identity share its breaks, but not those of occurring again.
		again := r.value("status") == "duplicate"
		if source := b.value("source"); again && source != r.value("pos_source") && source != r.value("bill_source") ||
			!again && strings.Contains(code, "duplicate") {
			continue
		}
		codes = append(codes, code)
	}
	return codes
}

// billSourceOf is where the payment of a row's trade stands in the bill.
func billSourceOf(x *explanation, r record) string {
	for _, t := range x.Trades {
		if t.value("status") != "duplicate" && t.value("bill_source") != "" && sameTrade(t, r) {
			return t.value("bill_source")
		}
	}
	return ""
}

// kindWord is a kind of input in words.
func (a *app) kindWord(kind string) string {
	switch kind {
	case posKind:
		return a.say("POS 订单", "POS order")
	case billKind:
		return a.say("业务明细", "trade bill")
	case accountKind:
		return a.say("账务明细", "account bill")
	case rebateKind:
		return a.say("返佣账单", "rebate statement")
	case posRefundKind:
		return a.say("POS 退款", "POS refund")
	case billRefundKind:
		return a.say("业务明细退款", "trade bill, refund")
	}
	return kind
}

// printEdges prints the graph: an edge is where it begins, its status and where it
// ends, and why below it.
func (a *app) printEdges(edges []edge) {
	if len(edges) == 0 {
		return
	}
	fmt.Fprintf(a.stdout, "\n%s\n", a.say("链路", "the way from POS order to rebate"))
	for _, e := range edges {
		status := e.Status
		for _, more := range []string{e.Reason, e.Product} {
			if more != "" {
				status += ", " + more
			}
		}
		fmt.Fprintf(a.stdout, "  %s %s\n    ── %s ──▶ %s %s\n", a.kindWord(e.From), lang.Plain(orBlank(e.FromSource, "–")), lang.Plain(status),
			a.kindWord(e.To), lang.Plain(orBlank(e.ToSource, "–")))
		why := e.Why
		if len(e.Breaks) > 0 {
			why = strings.TrimSpace(why + "  [" + strings.Join(e.Breaks, " ") + "]")
		}
		if why != "" {
			fmt.Fprintf(a.stdout, "       %s\n", lang.Plain(why))
		}
	}
}
