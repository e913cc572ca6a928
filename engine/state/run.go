package state

import (
	"fmt"
	"math"
	"time"

	"duizhang/rules"
)

// NoDate is the date of what has none.
const NoDate = math.MinInt32

// A Run is one revision of a business date's run, as the state records it.
type Run struct {
	Date     int32  `json:"date"`     // business date, days since 1970-01-01
	Revision int    `json:"revision"` // from 1; Prepare gives it
	Token    string `json:"token"`    // the run's name, 2026-11-20#1; Prepare gives it

	Job        string  `json:"job"`      // the job file, as it was named
	Settings   string  `json:"settings"` // digest of all settings that outputs depend on
	Version    string  `json:"version"`  // of the program
	Inputs     []Input `json:"inputs"`   // by kind and path
	Partitions int     `json:"partitions"`
	Spread     int     `json:"spread,omitempty"` // partitions of a merchant's group; 0: all of them

	// Trades and Refunds are what the run left to later days, by rules.Status:
	// counted as rows were kept. Prepare gives them.
	Trades  []Tally `json:"trades"`
	Refunds []Tally `json:"refunds"`
	// CarryFrom is the date whose carried rows the run took, NoDate for none.
	// Prepare gives it, and the numbers of bill rows, orders and refunds that the
	// run took and leaves.
	CarryFrom  int32    `json:"carry_from"`
	CarriedIn  [3]int64 `json:"carried_in"`
	CarriedOut [3]int64 `json:"carried_out"`
	LookedUp   int64    `json:"looked_up"` // trades that the run asked the history for

	Breaks      int64            `json:"breaks"` // that count towards the limits
	BreakAmount string           `json:"break_amount"`
	Figures     map[string]int64 `json:"figures,omitempty"` // the caller's own, kept as they are
	ExitCode    int              `json:"exit_code"`
	Started     time.Time        `json:"started"`
	Duration    time.Duration    `json:"duration"`

	// Detail is the caller's own record, which Runs leaves out and Store.Detail gives.
	Detail []byte `json:"-"`

	// Stale: since then an earlier day was changed in what the run was based on.
	Stale bool `json:"-"`
	// Current: the revision is the one that later days see. Kept: its rows can
	// still be read (Revision, Diff). Neither is recorded with the run.
	Current bool `json:"-"`
	Kept    bool `json:"-"`
}

// An Input is one input file of a run.
type Input struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// A Tally counts rows of one status, and adds up their amounts.
type Tally struct {
	Status rules.Status `json:"status"`
	Rows   int64        `json:"rows"`
	Pos    Total        `json:"pos"`
	Bill   Total        `json:"bill"`
}

// A Total is a rules.Sum of fen that is written as text.
type Total struct{ rules.Sum }

// MarshalText writes the halves of the sum.
func (t Total) MarshalText() ([]byte, error) {
	hi, lo := t.Parts()
	return fmt.Appendf(nil, "%d:%d", hi, lo), nil
}

// UnmarshalText reads what MarshalText wrote.
func (t *Total) UnmarshalText(text []byte) error {
	var hi int64
	var lo uint64
	if _, err := fmt.Sscanf(string(text), "%d:%d", &hi, &lo); err != nil {
		return fmt.Errorf("total %q: %w", text, err)
	}
	t.Sum = rules.SumOf(hi, lo)
	return nil
}

// A Break is a break that a run reported, as far as later days need it.
type Break struct {
	ID         string
	Code       string
	Subject    string // what the break is about, in the caller's own form: OpenBreaks asks for it
	Merchant   string
	OutTradeNo string
	TradeNo    string
	RequestNo  string
	Amount     int64 // at stake; millionths if Micro, else fen
	Micro      bool
	Day        int32 // the run's date, where breaks are read back
	FirstSeen  int32 // NoDate if not known
}

// DateText is a date as a run's name has it.
func DateText(date int32) string {
	if date == NoDate {
		return ""
	}
	return time.Unix(int64(date)*86400, 0).UTC().Format(time.DateOnly)
}

// ParseDate is the inverse of DateText.
func ParseDate(text string) (int32, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return NoDate, fmt.Errorf("date %q: not a date", text)
	}
	return int32(t.Unix() / 86400), nil
}
