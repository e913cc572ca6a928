package job

import (
	"fmt"
	"time"

	"duizhang/rules"
)

// Settings are the effective configuration as reports echo it: every key of the
// job file with the value that holds, defaults included.
type Settings struct {
	Date            string                         `json:"date"`
	Timezone        string                         `json:"timezone"`
	Inputs          map[string][]string            `json:"inputs"`
	Columns         map[string]map[string][]string `json:"columns"`
	DefaultMerchant string                         `json:"default_merchant"`
	Matching        struct {
		AmountTolerance string `json:"amount_tolerance"`
		CutoffWindow    string `json:"cutoff_window"`
		SuggestWindow   string `json:"suggest_window"`
		CarryDays       int    `json:"carry_days"`
	} `json:"matching"`
	Goods struct {
		Remainder string `json:"remainder"`
	} `json:"goods"`
	Refunds struct {
		Policy string     `json:"policy"`
		Mode   string     `json:"mode"`
		Funds  []FundRule `json:"funds"`
	} `json:"refunds"`
	Rebate struct {
		Tolerance    string `json:"tolerance"`
		StatementPID string `json:"statement_pid"`
	} `json:"rebate"`
	Fees struct {
		Tolerance string `json:"tolerance"`
		OnRefund  string `json:"on_refund"`
	} `json:"fees"`
	Shifts []ShiftRule `json:"shifts"`
	Limits struct {
		Rejects     int    `json:"rejects"`
		Breaks      int    `json:"breaks"`
		BreakAmount string `json:"break_amount"`
	} `json:"limits"`
	Output struct {
		Dir     string   `json:"dir"`
		Formats []string `json:"formats"`
		Lang    string   `json:"lang"`
		Privacy string   `json:"privacy"`
		CSVBOM  bool     `json:"csv_bom"`
		Sort    bool     `json:"sort"`
		Parquet string   `json:"parquet"`
	} `json:"output"`
	State *StateSettings `json:"state"` // null: no carry-forward, no history, no verdicts

	// Set is what the command line gave in place of the job file: KEY=VALUE.
	Set []string `json:"set,omitempty"`
}

// StateSettings are those of the state folder.
type StateSettings struct {
	Dir         string `json:"dir"`
	HistoryDays int    `json:"history_days"`
}

// A FundRule is one line of the refund policy in use.
type FundRule struct {
	Fund        string   `json:"fund"`
	Refundable  bool     `json:"refundable"`
	Divisible   bool     `json:"divisible"`
	Bill        []string `json:"bill"`
	FundChannel []string `json:"fund_channel"`
}

// A ShiftRule is one of the job's shifts.
type ShiftRule struct {
	Name  string `json:"name"`
	Start string `json:"start"`
}

// Settings gives the effective configuration.
func (j *Job) Settings() Settings {
	s := Settings{
		Timezone: j.Zone.String(), Inputs: map[string][]string{}, Columns: map[string]map[string][]string{},
		DefaultMerchant: j.Engine.DefaultMerchant, Set: j.Set,
	}
	if !j.Day.IsZero() {
		s.Date = j.Day.Format(dayLayout)
	}
	for _, p := range j.Patterns {
		s.Inputs[p.Kind.String()] = append(s.Inputs[p.Kind.String()], p.Text)
	}
	for kind, columns := range j.Columns {
		s.Columns[kind.String()] = columns
	}
	e := &j.Engine
	s.Matching.AmountTolerance = e.AmountTolerance.String()
	s.Matching.CutoffWindow = window(e.CutoffWindow)
	s.Matching.SuggestWindow = window(e.SuggestWindow)
	s.Matching.CarryDays = e.CarryDays
	s.Goods.Remainder = e.Remainder.String()
	s.Refunds.Policy, s.Refunds.Mode = j.PolicyName, e.RefundMode.String()
	for _, f := range e.Policy {
		s.Refunds.Funds = append(s.Refunds.Funds, FundRule{
			f.Fund.String(), f.Refundable, f.Divisible, append([]string{}, f.Bill...), append([]string{}, f.FundChannel...),
		})
	}
	s.Rebate.Tolerance = string(rules.AppendMicro(nil, e.RebateTolerance, 2))
	s.Rebate.StatementPID = j.StatementPID
	s.Fees.Tolerance, s.Fees.OnRefund = e.FeeTolerance.String(), e.FeeOnRefund.String()
	s.Shifts = []ShiftRule{}
	for _, shift := range e.Shifts {
		s.Shifts = append(s.Shifts, ShiftRule{shift.Name, fmt.Sprintf("%02d:%02d", shift.Start/3600, shift.Start/60%60)})
	}
	s.Limits.Rejects, s.Limits.Breaks, s.Limits.BreakAmount = j.Limits.Rejects, j.Limits.Breaks, j.Limits.BreakAmount.String()
	o := &j.Output
	s.Output.Dir, s.Output.Formats, s.Output.Lang, s.Output.Privacy = o.Dir, o.Formats, o.Lang.String(), o.Privacy
	s.Output.CSVBOM, s.Output.Sort, s.Output.Parquet = o.CSVBOM, o.Sort, o.Parquet
	if j.State.Dir != "" {
		s.State = &StateSettings{j.State.Dir, j.State.HistoryDays}
	}
	return s
}

func window(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }
