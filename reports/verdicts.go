package reports

import (
	"strings"

	"duizhang/engine"
	"duizhang/rules"
)

// A VerdictState is what a person concluded about a break.
type VerdictState uint8

// The states, in the order of the drop-down. A blank cell is no verdict.
const (
	VerdictOpen       VerdictState = iota + 1 // somebody is at it
	VerdictSettled                            // the cause was found and put right
	VerdictIgnored                            // nothing is to be done
	VerdictClaimed                            // passed on as a claim; the money is still out
	VerdictWrittenOff                         // the loss is accepted
)

var verdictWords = []string{"", "open", "settled", "ignored", "claimed", "written_off"}

// String is the state's word in files and commands.
func (s VerdictState) String() string { return word(verdictWords, uint8(s), "VerdictState") }

// verdictTexts are the words of the drop-down.
var verdictTexts = [...][2]string{
	VerdictOpen:       {"待处理", "open"},
	VerdictSettled:    {"已解决", "settled"},
	VerdictIgnored:    {"无需处理", "ignored"},
	VerdictClaimed:    {"转申诉", "claimed"},
	VerdictWrittenOff: {"核销损失", "written off"},
}

// Text is the state's word in the workbook's drop-down, "" for none.
func (s VerdictState) Text(lang Lang) string {
	if int(s) >= len(verdictTexts) {
		return ""
	}
	return verdictTexts[s][lang.index()]
}

// Settles reports whether a break with that verdict counts towards no limit any
// more: somebody has decided on it. Only [VerdictOpen] leaves it open.
func (s VerdictState) Settles() bool { return s > VerdictOpen }

// VerdictStates are all states, in the order of the drop-down.
func VerdictStates() []VerdictState {
	return []VerdictState{VerdictOpen, VerdictSettled, VerdictIgnored, VerdictClaimed, VerdictWrittenOff}
}

// ParseVerdictState reads a state as a command or a workbook of either language
// writes it.
func ParseVerdictState(text string) (VerdictState, bool) {
	text = strings.TrimSpace(text)
	for _, s := range VerdictStates() {
		if strings.EqualFold(text, s.String()) || strings.EqualFold(text, s.Text(Chinese)) || strings.EqualFold(text, s.Text(English)) {
			return s, true
		}
	}
	return 0, false
}

// A Verdict is what a person wrote behind a break.
type Verdict struct {
	State VerdictState // 0: none
	By    string       // who is at it
	Note  string
}

// A VerdictColumn is one of the columns of a sheet of breaks that verdicts are
// read from.
//
// A sheet of breaks is known by its header and not by its name, which depends on
// the language and is numbered where the breaks go on on a further sheet: one of
// its first [VerdictHeaderRows] rows has VerdictIDColumn and VerdictStateColumn.
// Every row below it whose id is not blank is a break.
type VerdictColumn uint8

// The columns. All of their cells are text.
const (
	VerdictIDColumn VerdictColumn = iota + 1 // the break's id
	VerdictByColumn
	VerdictStateColumn // with a drop-down of the states
	VerdictNoteColumn
)

// VerdictHeaderRows is how many rows of a sheet may be its header.
const VerdictHeaderRows = 8

var verdictHeads = [...][2]string{
	VerdictIDColumn:    {"差异编号", "Break ID"},
	VerdictByColumn:    {"处理人", "Handled by"},
	VerdictStateColumn: {"结论", "Verdict"},
	VerdictNoteColumn:  {"备注", "Note"},
}

// Head is the column's header cell.
func (c VerdictColumn) Head(lang Lang) string { return verdictHeads[c][lang.index()] }

// ParseVerdictColumn knows a column by its header cell, in either language.
func ParseVerdictColumn(head string) (VerdictColumn, bool) {
	head = strings.TrimSpace(head)
	for c := VerdictIDColumn; int(c) < len(verdictHeads); c++ {
		if head == c.Head(Chinese) || strings.EqualFold(head, c.Head(English)) {
			return c, true
		}
	}
	return 0, false
}

// Settle marks the breaks whose verdict settles them.
func Settle(breaks []engine.Break, verdicts map[string]Verdict) {
	if len(verdicts) == 0 {
		return
	}
	for i := range breaks {
		breaks[i].Settled = verdicts[breaks[i].ID()].State.Settles()
	}
}

// Settled is how many breaks would count towards the job's limits had nobody
// settled them, and what they add up to in millionths of a yuan.
func Settled(breaks []engine.Break) (count int64, amount rules.Sum) {
	for i := range breaks {
		if breaks[i].Settled && breaks[i].Severity.Counts() {
			count++
			amount.AddSum(stake(&breaks[i]))
		}
	}
	return count, amount
}

// AmountText is the amount at stake in yuan.
func AmountText(b *engine.Break) string { return stake(b).String6() }

// Title is a break's title in words.
func (l Lang) Title(code rules.BreakCode) string { return l.text(code).Title }

// settledText says how many breaks were left out of the limits, or nothing.
func settledText(breaks []engine.Break, l Lang) string {
	count, amount := Settled(breaks)
	if count == 0 {
		return ""
	}
	return l.pick(itoa(count)+" 条差异已有结论（"+amount.String6()+"），不计入限额",
		itoa(count)+" breaks have a verdict ("+amount.String6()+") and count towards no limit")
}

// Stake is the amount of a break in millionths of a yuan.
func Stake(b *engine.Break) rules.Sum { return stake(b) }
