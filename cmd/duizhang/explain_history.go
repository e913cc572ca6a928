package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/engine/state"
	"duizhang/reports"
	"duizhang/rules"
)

// A pastTrade is a trade as the runs of earlier days left it.
type pastTrade struct {
	Run        string       `json:"run"` // that settled it; blank if the history has its refunds alone
	Merchant   string       `json:"merchant_pid"`
	OutTradeNo string       `json:"out_trade_no"`
	TradeNo    string       `json:"trade_no"`
	Status     string       `json:"status"`
	Reason     string       `json:"reason"`
	OrderTime  string       `json:"order_time"`
	BillTime   string       `json:"bill_time"`
	PosAmount  string       `json:"pos_amount"`
	BillAmount string       `json:"bill_amount"`
	Refunded   string       `json:"refunded"` // by all days together
	Refunds    []pastRefund `json:"refunds"`

	status rules.Status
}

// A pastRefund is a refund of an earlier day.
type pastRefund struct {
	Run        string `json:"run"`
	RequestNo  string `json:"out_request_no"`
	Status     string `json:"status"`
	Time       string `json:"refund_time"`
	PosAmount  string `json:"pos_amount"`
	BillAmount string `json:"bill_amount"`
	Cumulative string `json:"cumulative"`

	status rules.Status
}

// history looks for the number, and for those that the results tie to it, in what
// earlier days left.
func (e *explainer) history(ctx context.Context, past *stateRun) ([]pastTrade, error) {
	trades := []pastTrade{}
	if past == nil {
		return trades, nil
	}
	var wanted schema.Wanted
	want := func(trade, order string) {
		wanted.Merchant = append(wanted.Merchant, 0)
		wanted.TradeNo.AppendString(trade)
		wanted.OutTradeNo.AppendString(order)
		wanted.Time = append(wanted.Time, schema.Null)
	}
	want("", e.id)
	for _, number := range sortedKeys(e.numbers) {
		want(number, "")
	}
	if !e.numbers[e.id] {
		want(e.id, "")
	}
	var found schema.Settled
	var returned schema.Returned
	if err := past.day.Find(engine.Routing, &wanted, &found, &returned); err != nil {
		return nil, e.app.stateFault(ctx, err)
	}
	words := e.words.Texts()
	runs, err := past.runNames()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range found.Len() {
		t := pastTrade{Refunds: []pastRefund{}, status: rules.Status(found.Status[i])}
		if t.status != 0 {
			t.Run, t.Merchant, t.OutTradeNo, t.TradeNo = runs[found.Day[i]], words[found.Merchant[i]], string(found.OutTradeNo.At(i)), string(found.TradeNo.At(i))
			t.Status, t.OrderTime, t.BillTime = t.status.String(), wallText(found.OrderTime[i]), wallText(found.BillTime[i])
			t.PosAmount, t.BillAmount = amountOrBlank(found.PosAmount[i]), amountOrBlank(found.BillAmount[i])
			if reason := rules.Reason(found.Reason[i]); reason != 0 {
				t.Reason = reason.String()
			}
		}
		total := rules.Fen(0)
		for k := range returned.Len() {
			if int(returned.Of[k]) != i {
				continue
			}
			r := pastRefund{
				Run: runs[returned.Day[k]], RequestNo: string(returned.RequestNo.At(k)), Time: wallText(returned.Time[k]),
				PosAmount: amountOrBlank(returned.PosAmount[k]), BillAmount: amountOrBlank(returned.BillAmount[k]), status: rules.Status(returned.Status[k]),
			}
			r.Status = r.status.String()
			if returned.Counts[k] != 0 && returned.BillAmount[k] != schema.Null {
				total += rules.Fen(returned.BillAmount[k])
			}
			r.Cumulative = total.String()
			t.Refunds = append(t.Refunds, r)
			if t.OutTradeNo == "" && t.TradeNo == "" {
				t.Merchant, t.OutTradeNo, t.TradeNo = words[returned.Merchant[k]], string(returned.OutTradeNo.At(k)), string(returned.TradeNo.At(k))
			}
		}
		t.Refunded = total.String()
		if key := t.Run + "\x1f" + t.Merchant + "\x1f" + t.OutTradeNo + "\x1f" + t.TradeNo; !seen[key] {
			seen[key] = true
			trades = append(trades, t)
		}
	}
	slices.SortFunc(trades, func(a, b pastTrade) int {
		return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.OutTradeNo, b.OutTradeNo), cmp.Compare(a.TradeNo, b.TradeNo))
	})
	return trades, nil
}

// runNames are the names of the runs that the days have.
func (s *jobState) runNames() (map[int32]string, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, s.app.stateFault(context.Background(), err)
	}
	names := map[int32]string{}
	for i := range runs {
		if runs[i].Current {
			names[runs[i].Date] = runs[i].Token
		}
	}
	return names, nil
}

func amountOrBlank(v int64) string {
	if v == schema.Null {
		return ""
	}
	return rules.Fen(v).String()
}

// printHistory shows what earlier days had of the number.
func (a *app) printHistory(trades []pastTrade) {
	l := reports.Lang(a.lang)
	for i := range trades {
		t := &trades[i]
		fmt.Fprintf(a.stdout, "\n%s\n", a.say("以前各天", "earlier days"))
		rows := newTable()
		row := func(name, value string) {
			if value != "" {
				rows.row("  "+name, value)
			}
		}
		if t.status == 0 {
			row(a.say("为什么", "why"), a.say("历史里只有它的退款，没有这笔交易", "the history has its refunds, and not the trade"))
		} else {
			row("run", t.Run)
		}
		row("merchant_pid", t.Merchant)
		row("out_trade_no", t.OutTradeNo)
		row("trade_no", t.TradeNo)
		if t.status != 0 {
			row("status", t.Status+"  "+l.StatusText(t.status))
		}
		row("reason", t.Reason)
		row("order_time", t.OrderTime)
		row("bill_time", t.BillTime)
		row("pos_amount", t.PosAmount)
		row("bill_amount", t.BillAmount)
		row("refunded", t.Refunded)
		rows.write(a.stdout)
		if len(t.Refunds) == 0 {
			continue
		}
		list := newTable(4, 5, 6)
		list.row("  "+a.say("对账", "run"), "out_request_no", "refund_time", "status", "pos_amount", "bill_amount", a.say("累计", "cumulative"))
		for _, r := range t.Refunds {
			list.row("  "+r.Run, r.RequestNo, r.Time, l.StatusText(r.status), r.PosAmount, r.BillAmount, r.Cumulative)
		}
		list.write(a.stdout)
	}
}

// A stateCheck is what validate says of the state.
type stateCheck struct {
	Dir      string `json:"dir"`
	Days     int    `json:"days"`   // that have a run
	Latest   string `json:"latest"` // run, blank for none
	Run      string `json:"run"`    // that the job's day has, blank for none
	Same     bool   `json:"same_inputs"`
	Carried  int64  `json:"carried_rows"` // that the run will take
	From     string `json:"carried_from"`
	Stale    bool   `json:"stale"`
	Settings bool   `json:"same_settings"`
}

// checkedState looks at the state without a run. Nil for a job without one.
func (s *session) checkedState(ctx context.Context) (*stateCheck, error) {
	a := s.app
	if s.job.StateDir() == "" {
		return nil, nil
	}
	c := &stateCheck{Dir: s.job.StateDir()}
	past, err := a.pastOf(ctx, s.job, access{read: true})
	if err != nil || past == nil {
		return c, err
	}
	defer past.close()
	runs, err := past.Runs()
	if err != nil {
		return nil, a.stateFault(ctx, err)
	}
	today := dayNumber(s.job.Day)
	for i := range runs {
		r := &runs[i]
		if !r.Current {
			continue
		}
		c.Days++
		c.Latest = r.Token
		switch {
		case r.Date < today:
			c.From, c.Carried = state.DateText(r.Date), r.CarriedOut[0]+r.CarriedOut[1]+r.CarriedOut[2]
		case r.Date == today:
			c.Run, c.Stale = r.Token, r.Stale
			c.Same = sameInputs(r.Inputs, s.stateInputs())
		}
	}
	if c.Run != "" {
		settings, err := past.detailOf(today, revisionOf(c.Run))
		if err != nil {
			return nil, a.stateFault(ctx, err)
		}
		c.Settings = settings.Text == string(s.job.Text) && slices.Equal(settings.Set, s.job.Set)
	}
	return c, nil
}

func revisionOf(token string) int {
	name, _ := parseRunName(token)
	return name.revision
}

// sameInputs compares inputs whatever their order.
func sameInputs(a, b []state.Input) bool {
	order := func(x, y state.Input) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Path, y.Path), cmp.Compare(x.SHA256, y.SHA256))
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, order)
	slices.SortFunc(b, order)
	return slices.Equal(a, b)
}

func (a *app) printStateCheck(c *stateCheck) {
	if c == nil {
		return
	}
	if c.Days == 0 {
		fmt.Fprintln(a.stdout, a.say("状态 %s：还没有对账", "state %s: no runs yet", c.Dir))
		return
	}
	text := a.say("状态 %s：%d 天，最近是 %s", "state %s: %d days, the latest run is %s", c.Dir, c.Days, c.Latest)
	if c.From != "" {
		text += a.say("；将从 %s 接过 %s 行", "; %[2]s rows come from %[1]s", c.From, strconv.FormatInt(c.Carried, 10))
	}
	fmt.Fprintln(a.stdout, text)
	switch {
	case c.Run == "":
	case c.Same && c.Settings && !c.Stale:
		fmt.Fprintln(a.stdout, a.say("这一天已有对账 %s，输入和作业文件都没有变", "the day has the run %s, of the same inputs and job file", c.Run))
	default:
		var why []string
		for _, w := range []struct {
			holds  bool
			zh, en string
		}{
			{!c.Same, "输入变了", "the inputs have changed"},
			{!c.Settings, "作业文件或 --set 变了", "the job file or --set has changed"},
			{c.Stale, "所依据的以前各天变了", "earlier days that it is based on have changed"},
		} {
			if w.holds {
				why = append(why, a.say(w.zh, w.en))
			}
		}
		fmt.Fprintln(a.stdout, a.say("这一天已有对账 %s，将被替换：%s", "the day has the run %s, which will be replaced: %s", c.Run, strings.Join(why, a.say("、", "; "))))
	}
}

// wallText is a time of the wall clock; blank for none.
func wallText(seconds int64) string {
	if seconds == schema.Null {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateTime)
}
