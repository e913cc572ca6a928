package job

import (
	"slices"
	"strings"
	"testing"

	"duizhang/cmd/duizhang/lang"
	"duizhang/rules"
)

func TestSet(t *testing.T) {
	file := "inputs: {pos_orders: [a]}\nlimits: {breaks: 5}\nmatching:\n"
	j, err := Parse("job.yaml", []byte(file), Options{Lang: lang.English, Set: []string{
		"limits.breaks=7", "matching.carry_days=1", "rebate.tolerance=0.01", "inputs.alipay_bill=[\"b*.zip\"]", "output={dir: o, formats: [csv]}",
		"default_merchant=2088717085982806", "refunds.policies.bank=[{fund: paid, refundable: true}]", "refunds.policy=bank",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if j.Limits.Breaks != 7 || j.Engine.CarryDays != 1 || j.Engine.RebateTolerance != rules.Micro(10000) ||
		j.Output.Dir != "o" || j.Engine.DefaultMerchant != "2088717085982806" || j.PolicyName != "bank" || len(j.Patterns) != 2 {
		t.Errorf("values set on the command line do not hold: %+v", j)
	}
	if len(j.Settings().Set) != 8 {
		t.Errorf("Settings().Set = %q, want what was given", j.Settings().Set)
	}
	if without, _ := Parse("job.yaml", []byte("state: {dir: st}\n"+file), Options{Set: []string{"state="}}); without == nil || without.State.Dir != "" {
		t.Errorf("--set state= leaves the state: %+v", without)
	}
}

// A value of the command line is checked like the file's own, and its place is the
// key; what the file has wrong keeps its line.
func TestSetProblems(t *testing.T) {
	for _, test := range []struct {
		name string
		file string
		set  []string
		want []string
	}{
		{"value", minimal, []string{"rebate.tolerance=x"}, []string{`--set (rebate.tolerance): "x": must be an amount of 0 or more with at most six decimals, such as "0.01"`}},
		{"type", minimal, []string{"limits.breaks=1.5"}, []string{`--set (limits.breaks): "1.5": must be a whole number from 0 to 1000000000`}},
		{"unknown section", minimal, []string{"rebat.tolerance=1"}, []string{`--set (rebat): "rebat": unknown key; valid: date, timezone, inputs, columns, default_merchant, matching, goods, refunds, rebate, fees, shifts, limits, output, state; did you mean "rebate"?`}},
		{"unknown key", minimal, []string{"rebate.tolerancy=1"}, []string{`--set (rebate.tolerancy): "tolerancy": unknown key; valid: tolerance, statement_pid; did you mean "tolerance"?`}},
		{"no section", minimal, []string{"date.x=1"}, []string{`--set (date): must be a date, such as 2026-11-20`}},
		{"below a value", "date: 2026-11-20\n" + minimal, []string{"date.x=1"}, []string{`--set (date.x): date is not a mapping of keys to values`}},
		{"in a list", minimal, []string{"inputs.pos_orders=[a, 7]"}, []string{`--set (inputs.pos_orders[1]): "7": must be text (put a number in quotes)`}},
		{"no value", minimal, []string{"rebate.tolerance"}, []string{`--set: "rebate.tolerance": must be KEY=VALUE, such as rebate.tolerance=0.01`}},
		{"no key", minimal, []string{"=1", "a..b=1"}, []string{
			`--set: "=1": must be KEY=VALUE, such as rebate.tolerance=0.01`, `--set: "a..b=1": must be KEY=VALUE, such as rebate.tolerance=0.01`,
		}},
		{"twice", minimal, []string{"limits.breaks=1", "limits.breaks=2"}, []string{`--set (limits.breaks): "2": is given twice`}},
		{"around", minimal, []string{"limits.breaks=1", "limits={rejects: 2}"}, []string{`--set (limits): "{rejects: 2}": is given twice`}},
		{"inside", minimal, []string{"limits={rejects: 2}", "limits.breaks=1"}, []string{`--set (limits.breaks): "1": is given twice`}},
		{"lines", minimal, []string{"limits={rejects: 2}\nx: 1"}, []string{`--set (limits): "{rejects: 2}\nx: 1": a value is on one line; write a list as [a, b]`}},
		{"file too", "goods: {remainder: x}\n" + minimal, []string{"limits.breaks=x"}, []string{
			`--set (limits.breaks): "x": must be a whole number from 0 to 1000000000`,
			`job.yaml:1:20 (goods.remainder): "x": must be one of largest_remainder, last_line`,
		}},
	} {
		_, err := Parse("job.yaml", []byte(test.file), Options{Lang: lang.English, Set: test.set})
		if err == nil {
			t.Errorf("%s: Parse with --set %q: no error", test.name, test.set)
			continue
		}
		if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, test.want) {
			t.Errorf("%s: Parse with --set %q:\n%s\nwant\n%s", test.name, test.set, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestSetSyntax(t *testing.T) {
	for _, value := range []string{"[a", "{a: 1", "\"x", "a: b: c", "&a 1", "\xff", "- a", "*x", "!!int 3", ": :"} {
		if j, err := Parse("job.yaml", []byte(minimal), Options{Lang: lang.English, Set: []string{"goods.remainder=" + value}}); err == nil {
			t.Errorf("--set goods.remainder=%s is taken for %+v", value, j.Engine.Remainder)
		}
	}
}

// Every key can be set, and to nothing.
func TestKeys(t *testing.T) {
	keys := Keys()
	for _, want := range []string{"date", "inputs.alipay_bill", "matching.carry_days", "refunds.policies", "output.dir", "state.history_days"} {
		if !slices.Contains(keys, want) {
			t.Errorf("Keys() lacks %s: %q", want, keys)
		}
	}
	for _, key := range keys {
		if key == "inputs.alipay_bill" {
			continue // the one that the file needs
		}
		if _, err := Parse("job.yaml", []byte(minimal), Options{Lang: lang.English, Set: []string{key + "="}}); err != nil {
			t.Errorf("--set %s=: %v", key, err)
		}
	}
}

func FuzzSet(f *testing.F) {
	for _, set := range []string{"limits.breaks=1", "inputs.pos_orders=[a]", "output={dir: o}", "a.b=\"", "=", "date"} {
		f.Add(set)
	}
	f.Fuzz(func(_ *testing.T, set string) {
		_, _ = Parse("job.yaml", []byte(minimal), Options{Lang: lang.English, Set: []string{set, "goods.remainder=last_line"}})
	})
}
