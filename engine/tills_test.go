package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"duizhang/engine"
	"duizhang/rules"
)

const (
	pidA = "2088000000000001"
	pidB = "2088000000000002"
	pidX = "2088999999999999"
)

// tillUses makes the uses of one till from orders written "20 09:30 PID CAUSE",
// each worth 1.00 of rebate; a blank PID is -.
func tillUses(t *testing.T, orders string) []engine.PIDUse {
	t.Helper()
	var uses []engine.PIDUse
	for line := range strings.Lines(orders) {
		var day int
		var clock, pid, word string
		if _, err := fmt.Sscan(line, &day, &clock, &pid, &word); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		cause, ok := rules.ParseCause(word)
		at, err := time.Parse("2006-01-02 15:04", fmt.Sprintf("2026-11-%02d %s", day, clock))
		if !ok || err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		pid = strings.TrimPrefix(pid, "-")
		i := slices.IndexFunc(uses, func(u engine.PIDUse) bool { return u.PID == pid && u.Cause == cause })
		if i < 0 {
			i = len(uses)
			uses = append(uses, engine.PIDUse{Store: "S1", Terminal: "T1", Product: "face_to_face", PID: pid, Cause: cause, First: at.Unix(), Table: -1})
		}
		u := &uses[i]
		u.Count++
		u.Expected.AddMicro(1_000_000)
		u.Last = at.Unix()
		if cause.Lost() {
			u.Times = append(u.Times, at.Unix())
		}
		if d := int32(at.Unix() / 86400); !slices.Contains(u.Days, d) {
			u.Days = append(u.Days, d)
		}
	}
	slices.SortStableFunc(uses, func(a, b engine.PIDUse) int { return int(a.First - b.First) })
	return uses
}

func findingLines(findings []engine.TillFinding) string {
	var b strings.Builder
	for i := range findings {
		f := &findings[i]
		word := "known"
		if f.New {
			word = "new"
		}
		until := ""
		if f.Until != "" {
			until = f.Until[8:16]
		}
		fmt.Fprintf(&b, "%s %s %s>%s %s..%s n%d lost %s day %s\n", word, f.What, f.Before, f.PID, f.Since[8:16], until, f.Orders, f.Lost.String6(), f.PerDay.String6())
	}
	return b.String()
}

// TestTills follows a till over the hours and days: each step's inputs, and what is
// found with the state of the steps before.
func TestTills(t *testing.T) {
	type step struct{ orders, want string }
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"right", []step{{"20 09:00 " + pidA + " ok\n20 10:00 " + pidA + " ok\n", ""}}},
		{"lost its PID", []step{
			{"20 09:00 " + pidA + " ok\n", ""},
			{
				"20 09:00 " + pidA + " ok\n20 10:20 - pid_missing\n20 10:50 - pid_missing\n",
				"new pid_missing > 20 10:20.. n2 lost 2.00 day 3.00\n",
			},
			{ // an hour later, and the same inputs again
				"20 09:00 " + pidA + " ok\n20 10:20 - pid_missing\n20 10:50 - pid_missing\n20 11:00 - pid_missing\n",
				"known pid_missing > 20 10:20.. n3 lost 3.00 day 4.00\n",
			},
			{
				"20 09:00 " + pidA + " ok\n20 10:20 - pid_missing\n20 10:50 - pid_missing\n20 11:00 - pid_missing\n",
				"known pid_missing > 20 10:20.. n3 lost 3.00 day 4.00\n",
			},
			{"21 09:00 - pid_missing\n", "known pid_missing > 20 10:20.. n1 lost 1.00 day 1.00\n"},
			{ // put right
				"21 09:00 - pid_missing\n21 12:00 " + pidA + " ok\n",
				"new pid_recovered >" + pidA + " 21 12:00.. n1 lost 0.00 day 2.00\nknown pid_missing > 20 10:20..21 09:00 n1 lost 1.00 day 1.00\n",
			},
			{"21 09:00 - pid_missing\n21 12:00 " + pidA + " ok\n", "known pid_missing > 20 10:20..21 09:00 n1 lost 1.00 day 1.00\n"},
			{"22 09:00 " + pidA + " ok\n", ""},
			{"24 09:00 - pid_missing\n", "new pid_missing > 24 09:00.. n1 lost 1.00 day 1.00\n"}, // again, days later
		}},
		{"to and fro is said once a day", []step{
			{
				"20 09:00 - pid_missing\n20 09:10 " + pidA + " ok\n",
				"new pid_missing > 20 09:00..20 09:00 n1 lost 1.00 day 1.00\n",
			},
			{
				"20 09:00 - pid_missing\n20 09:10 " + pidA + " ok\n20 09:20 - pid_missing\n",
				"known pid_missing > 20 09:00.. n2 lost 2.00 day 3.00\n",
			},
		}},
		{"put right between two inputs", []step{
			{"20 09:00 " + pidX + " pid_foreign\n", "new pid_foreign >" + pidX + " 20 09:00.. n1 lost 1.00 day 1.00\n"},
			{"21 09:00 " + pidA + " ok\n", "new pid_recovered " + pidX + ">" + pidA + " 21 09:00.. n1 lost 0.00 day 1.00\n"},
			{"21 09:00 " + pidA + " ok\n", ""},
		}},
		{"another wrong PID", []step{
			{"20 09:00 " + pidX + " pid_foreign\n", "new pid_foreign >" + pidX + " 20 09:00.. n1 lost 1.00 day 1.00\n"},
			{
				"20 09:00 " + pidX + " pid_foreign\n20 10:00 - pid_missing\n",
				"known pid_foreign >" + pidX + " 20 09:00.. n1 lost 1.00 day 2.00\nnew pid_missing > 20 10:00.. n1 lost 1.00 day 2.00\n",
			},
		}},
		{"changed to another right PID", []step{
			{"20 09:00 " + pidA + " ok\n", ""},
			{"21 09:00 " + pidB + " ok\n", "new pid_changed " + pidA + ">" + pidB + " 21 09:00.. n1 lost 0.00 day 1.00\n"},
			{"22 09:00 " + pidB + " ok\n", ""},
			{"20 09:00 " + pidA + " ok\n", ""}, // older inputs change nothing
			{"23 09:00 " + pidB + " ok\n", ""},
		}},
		{"changed within the inputs", []step{
			{
				"20 09:00 " + pidA + " ok\n20 10:00 " + pidB + " ok\n",
				"new pid_changed " + pidA + ">" + pidB + " 20 10:00.. n1 lost 0.00 day 2.00\n",
			},
			{
				"20 09:00 " + pidA + " ok\n20 10:00 " + pidB + " ok\n20 11:00 " + pidB + " ok\n",
				"known pid_changed " + pidA + ">" + pidB + " 20 10:00.. n2 lost 0.00 day 3.00\n",
			},
		}},
		{"two right PIDs at once are no change", []step{
			{"20 09:00 " + pidA + " ok\n20 10:00 " + pidB + " ok\n20 11:00 " + pidA + " ok\n", ""},
		}},
	} {
		var state []engine.TillState
		for i, s := range test.steps {
			var findings []engine.TillFinding
			findings, state = engine.Tills(tillUses(t, s.orders), state)
			if got := findingLines(findings); got != s.want {
				t.Errorf("%s, step %d:\n got %s\nwant %s", test.name, i+1, got, s.want)
			}
		}
	}
}

// What is over is forgotten after 30 days, and the tills of other inputs are kept.
func TestTillsForget(t *testing.T) {
	_, state := engine.Tills(tillUses(t, "01 09:00 - pid_missing\n01 10:00 "+pidA+" ok\n"), nil)
	if len(state) != 2 {
		t.Fatalf("%d entries, want 2: %+v", len(state), state)
	}
	other := tillUses(t, "30 09:00 "+pidA+" ok\n")
	other[0].Terminal, other[0].Last = "T2", other[0].Last+3*86400
	_, state = engine.Tills(other, state)
	if len(state) != 2 || state[0].Cause != "ok" || state[1].Terminal != "T2" {
		t.Errorf("after 30 days: %+v", state)
	}
}
