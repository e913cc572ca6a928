package job

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

const minimal = "inputs: {alipay_bill: [\"bills/*.zip\"]}\n"

// marked takes the § out of a job file and gives their places: each stands
// before the value or key that an error must name.
func marked(text string) (clean string, places []string) {
	line, column := 1, 1
	var b strings.Builder
	for _, letter := range text {
		switch letter {
		case '§':
			places = append(places, strconv.Itoa(line)+":"+strconv.Itoa(column))
			continue
		case '\n':
			line, column = line+1, 0
		}
		column++
		b.WriteRune(letter)
	}
	return b.String(), places
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // the texts, without the places
	}{
		{"unknown key", minimal + "§matchng: {}\n", []string{
			`(matchng): "matchng": unknown key; valid: date, timezone, inputs, columns, default_merchant, matching, goods, refunds, rebate, fees, shifts, limits, output, state; did you mean "matching"?`,
		}},
		{"unknown input", "inputs:\n  §alipay_bil: [a]\n  pos_orders: [b]\n", []string{
			`(inputs.alipay_bil): "alipay_bil": unknown key; valid: alipay_bill, alipay_account, pos_orders, pos_refunds, rebate, agreements, providers, merchants, stores, goods, coupons, devices, device_policies, device_rewards, taobao_orders, kukeduo_orders, pos_api; did you mean "alipay_bill"?`,
		}},
		{"wrong type", minimal + "limits: §3\n", []string{`(limits): "3": must be a mapping of keys to values`}},
		{"not a list", "inputs: {pos_orders: §pos.csv}\n", []string{`(inputs.pos_orders): "pos.csv": must be a list, as in ["…"]`}},
		{"number for text", "inputs: {pos_orders: [§12]}\n", []string{`(inputs.pos_orders[0]): "12": must be text (put a number in quotes)`}},
		{"empty pattern", "inputs: {pos_orders: [§\"\"]}\n", []string{`(inputs.pos_orders[0]): must not be empty`}},
		{"double key", minimal + "goods: {}\n§goods: {}\n", []string{`(goods): "goods": this key is given twice`}},
		{"choice", minimal + "goods: {remainder: §last_lin}\n", []string{
			`(goods.remainder): "last_lin": must be one of largest_remainder, last_line; did you mean "last_line"?`,
		}},
		{"amount", minimal + "matching: {amount_tolerance: §\"0.005\"}\nfees: {tolerance: §-1}\n", []string{
			`(matching.amount_tolerance): "0.005": must be an amount of 0 or more with at most two decimals, such as "0.01"`,
			`(fees.tolerance): "-1": must be an amount of 0 or more with at most two decimals, such as "0.01"`,
		}},
		{"duration", minimal + "matching: {cutoff_window: §10, suggest_window: §25h}\n", []string{
			`(matching.cutoff_window): "10": must be a duration from 0s to 24h, such as 10m or 90s`,
			`(matching.suggest_window): "25h": must be a duration from 0s to 24h, such as 10m or 90s`,
		}},
		{"count", minimal + "limits: {rejects: §-1, breaks: §1.5}\n", []string{
			`(limits.rejects): "-1": must be a whole number from 0 to 1000000000`,
			`(limits.breaks): "1.5": must be a whole number from 0 to 1000000000`,
		}},
		{"date", "date: §2026-02-30\n" + minimal, []string{`(date): "2026-02-30": must be a date, such as 2026-11-20`}},
		{"zone", "timezone: §Asia/Shangai\n" + minimal, []string{`(timezone): "Asia/Shangai": no such time zone; such as Asia/Shanghai or UTC`}},
		{"pid", minimal + "default_merchant: §208812345678901\n", []string{`(default_merchant): "208812345678901": must be a PID: 16 digits beginning 2088`}},
		{"shifts", minimal + "shifts: [{name: 早班, start: §\"6\"}, §{name: 晚班}, {name: A, start: 06:00}, §{name: A, start: \"07:00\"}, §{name: B, start: \"06:00\"}, {name: §\"\", start: §\"24:00\", §end: \"1\"}]\n", []string{
			`(shifts[0].start): "6": must be a time of day, such as "06:00"`,
			`(shifts[1]): a shift has a name and a start`,
			`(shifts[3]): the shift A is given twice`,
			`(shifts[4]): two shifts start at the same time`,
			`(shifts[5].name): must not be empty`,
			`(shifts[5].start): "24:00": must be a time of day, such as "06:00"`,
			`(shifts[5].end): "end": unknown key; valid: name, start`,
		}},
		{"state in the output", minimal + "output: {dir: x/out}\nstate: {dir: §x/out/../out/state, history_days: §-1}\n", []string{
			`(state.dir): "x/out/../out/state": must not be in output.dir, which every run replaces`,
			`(state.history_days): "-1": must be a whole number from 0 to 1000000000`,
		}},
		{"state by date", "date: 2026-11-20\n" + minimal + "state: {dir: §\"state/{date:2006}\"}\n", []string{
			`(state.dir): "state/{date:2006}": must have no date in it: the runs of all days share it`,
		}},
		{"columns", minimal + "columns:\n  pos_orders: {§out_tradeno: [小票号], total_amount: [应收, 应收款, §应收]}\n", []string{
			`(columns.pos_orders.out_tradeno): "out_tradeno": unknown column; valid: ` + strings.Join(ColumnNames(schema.PosOrders), ", ") + `; did you mean "out_trade_no"?`,
			`(columns.pos_orders.total_amount[2]): "应收": already given to the column total_amount`,
		}},
		{"policies", minimal + "refunds:\n  policy: §promo\n  policies:\n    bank_promo:\n      - {fund: paid, refundable: §yes}\n      - §{refundable: true}\n      - {fund: §gold}\n    §smart_store: []\n", []string{
			`(refunds.policy): "promo": must be one of smart_store, bank_promo`,
			`(refunds.policies.bank_promo[0].refundable): "yes": must be true or false`,
			`(refunds.policies.bank_promo[1]): fund is missing: paid, red_packet, allowance, coupon, merchant_red_packet`,
			`(refunds.policies.bank_promo[2].fund): "gold": must be one of paid, red_packet, allowance, coupon, merchant_red_packet`,
			`(refunds.policies.smart_store): "smart_store": is built in; choose another name`,
		}},
		{"output", minimal + "output: {dir: §\"\", formats: [§pdf], lang: §cn, privacy: §none, csv_bom: §1, parquet: §gzip, mode: §\"0444\"}\n", []string{
			`(output.dir): must not be empty`,
			`(output.formats[0]): "pdf": must be one of xlsx, html, csv, parquet, json`,
			`(output.lang): "cn": must be one of zh, en; did you mean "en"?`,
			`(output.privacy): "none": must be one of mask, keep`,
			`(output.csv_bom): "1": must be true or false`,
			`(output.parquet): "gzip": must be one of zstd, snappy`,
			`(output.mode): "0444": must be an octal file mode such as "0640" that lets the owner read and write`,
		}},
		{"date in a path without a date", "inputs: {pos_orders: [§\"pos/{date:20060102}.csv\"]}\n", []string{
			`(inputs.pos_orders[0]): "pos/{date:20060102}.csv": the path has {date:…} and there is no date; give date in the job file, or --date`,
		}},
		{"layout that is none", "date: 2026-11-20\ninputs: {pos_orders: [§\"pos/{date:YYYYMMDD}.csv\", §\"{day}.csv\", §\"[a.csv\", §\"a/**/b\"]}\n", []string{
			`(inputs.pos_orders[0]): "pos/{date:YYYYMMDD}.csv": {date:YYYYMMDD} holds no date; the layout is written as 20060102 or 2006-01-02`,
			`(inputs.pos_orders[1]): "{day}.csv": braces are for {date:20060102} only`,
			`(inputs.pos_orders[2]): "[a.csv": not a pattern; * ? and [a-z] may be used`,
			`(inputs.pos_orders[3]): "a/**/b": ** is not supported; * matches within one folder`,
		}},
		{"anchor", "inputs: {pos_orders: §&x [a]}\n", []string{`(inputs.pos_orders): "&": anchors, aliases and tags are not used in job files`}},
		{"two documents", minimal + "---\n§goods: {}\n", []string{` a job file holds one document`}},
		{"not a mapping", "§- a\n", []string{` must be a mapping of keys to values`}},
		{"empty", "§", []string{` the file is empty; inputs is required`}},
		{"no inputs", "§date: 2026-11-20\n", []string{` inputs is required and names at least one file`}},
		{"inputs all empty", "§inputs: {pos_orders: []}\n", []string{` inputs is required and names at least one file`}},
		{"syntax", "inputs: §[a,\n", []string{` YAML syntax: sequence end token ']' not found`}},
		{"not UTF-8", "# 对账\n# §\xb6\xd4\n" + minimal, []string{` not UTF-8; save the file as UTF-8`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, places := marked(strings.ReplaceAll(test.text, "\xb6\xd4", "\x00"))
			text = strings.ReplaceAll(text, "\x00", "\xb6\xd4")
			_, err := Parse("job.yaml", []byte(text), Options{Lang: lang.English})
			var want []string
			for i, place := range places {
				line := "job.yaml:" + place
				if strings.HasPrefix(test.want[i], "(") {
					line += " "
				} else {
					line += ":"
				}
				want = append(want, line+test.want[i])
			}
			if err == nil || err.Error() != strings.Join(want, "\n") {
				t.Errorf("Parse(%q) =\n%v\nwant\n%s", text, err, strings.Join(want, "\n"))
			}
		})
	}
}

func TestProblemsInChinese(t *testing.T) {
	_, err := Parse("job.yaml", []byte(minimal+"goods: {remainder: last}\n"), Options{Lang: lang.Chinese})
	want := `job.yaml:2:20 (goods.remainder): "last": 应为以下之一：largest_remainder, last_line`
	if err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestDefaults(t *testing.T) {
	j := parse(t, minimal)
	e := j.Engine
	if e.Date != engine.NoDate || e.AmountTolerance != 0 || e.CutoffWindow != 600 || e.SuggestWindow != 600 || e.CarryDays != 3 ||
		e.Remainder != rules.LargestRemainder || e.RefundMode != rules.ModeProrated || len(e.Policy) != 5 || e.RebateTolerance != 0 ||
		e.FeeTolerance != 1 || e.FeeOnRefund != engine.FeeNone || e.DefaultMerchant != "" || !e.Inputs[schema.AlipayBill] || len(e.Inputs) != 1 {
		t.Errorf("Engine = %+v", e)
	}
	if j.Limits != (Limits{}) || j.PolicyName != "smart_store" || j.Zone.String() != "Asia/Shanghai" {
		t.Errorf("Job = %+v", j)
	}
	o := j.Output
	if o.Dir != "out" || len(o.Formats) != 5 || o.Lang != lang.Chinese || o.Privacy != "mask" || o.CSVBOM || o.Sort || o.Parquet != "zstd" || o.Mode != 0o600 {
		t.Errorf("Output = %+v", o)
	}
}

// The whole of the contract's example, but for what is not supported yet.
func TestEverything(t *testing.T) {
	j := parse(t, `
date: 2026-11-20
timezone: Asia/Shanghai
inputs:
  alipay_bill:    ["bills/{date:20060102}/*.zip"]
  alipay_account: []
  pos_orders:     ["pos/*.csv", more.csv]
  pos_refunds:    ["refunds/*.csv"]
  rebate:         ["rebate/*.csv"]
  agreements:     ["ref/agreements.csv"]
  coupons:
columns:
  pos_orders: {out_trade_no: ["小票号"], total_amount: ["应收"]}
default_merchant: 2088101122136241
matching: {amount_tolerance: 0.05, cutoff_window: 5m, suggest_window: 90s, carry_days: 1}
goods:    {remainder: last_line}
refunds:
  policy: bank_promo
  mode: whole
  policies:
    bank_promo:
      - {fund: paid,   refundable: true,  divisible: true,  bill: [], fund_channel: [ALIPAYACCOUNT, PCREDIT]}
      - {fund: coupon, refundable: false, divisible: false, bill: [券核销金额], fund_channel: [MDISCOUNT]}
rebate:   {tolerance: "0.000001", statement_pid: "2088731199938475"}
fees:     {tolerance: "0.02", on_refund: full_refund_only}
shifts:   [{name: 早班, start: "06:00"}, {name: 晚班, start: 18:30}]
limits:   {rejects: 1, breaks: 2, break_amount: "3.00"}
output:   {dir: "out/{date:2006-01-02}", formats: [csv, json], lang: en, privacy: keep,
           csv_bom: true, sort: true, parquet: snappy, mode: 0640}
state:    {dir: ../state, history_days: 30}
`)
	e := j.Engine
	if e.Date != 20777 || e.AmountTolerance != 5 || e.CutoffWindow != 300 || e.SuggestWindow != 90 || e.CarryDays != 1 ||
		e.Remainder != rules.LastLine || e.RefundMode != rules.ModeWhole || e.RebateTolerance != 1 ||
		!slices.Equal(e.Shifts, []engine.Shift{{Name: "早班", Start: 6 * 3600}, {Name: "晚班", Start: 18*3600 + 30*60}}) ||
		e.FeeTolerance != 2 || e.FeeOnRefund != engine.FeeFullRefundOnly || e.DefaultMerchant != "2088101122136241" {
		t.Errorf("Engine = %+v", e)
	}
	if len(e.Policy) != 2 || e.Policy[1].Fund != rules.FundCoupon || e.Policy[1].Bill[0] != "券核销金额" || !e.Policy[0].Divisible {
		t.Errorf("Policy = %+v", e.Policy)
	}
	if j.StatementPID != "2088731199938475" || j.Limits != (Limits{1, 2, 300}) || j.Columns[schema.PosOrders]["total_amount"][0] != "应收" {
		t.Errorf("Job = %+v", j)
	}
	if o := j.Output; o.Dir != "out/2026-11-20" || o.Lang != lang.English || o.Privacy != "keep" || !o.CSVBOM || !o.Sort || o.Parquet != "snappy" || o.Mode != 0o640 {
		t.Errorf("Output = %+v", o)
	}
	if j.State != (State{"../state", 30}) {
		t.Errorf("State = %+v", j.State)
	}
	if j.Patterns[0].Text != "bills/20261120/*.zip" || len(j.Patterns) != 6 || j.Given(schema.CouponsKind) {
		t.Errorf("Patterns = %+v", j.Patterns)
	}
}

func TestDateFlag(t *testing.T) {
	late := time.Date(2026, 11, 20, 17, 30, 0, 0, time.UTC) // already the 21st in Shanghai
	tests := []struct{ zone, date, want string }{
		{"Asia/Shanghai", "today", "2026-11-21"},
		{"Asia/Shanghai", "yesterday", "2026-11-20"},
		{"UTC", "today", "2026-11-20"},
		{"UTC", "2026-11-01", "2026-11-01"},
		{"UTC", "", "2026-10-01"},
	}
	for _, test := range tests {
		text := "date: 2026-10-01\ntimezone: " + test.zone + "\n" + minimal
		j, err := Parse("job.yaml", []byte(text), Options{Lang: lang.English, Date: test.date, Now: late})
		if err != nil || j.Day.Format(dayLayout) != test.want {
			t.Errorf("%s, --date %s: %v, want %s", test.zone, test.date, err, test.want)
		}
	}
	_, err := Parse("job.yaml", []byte(minimal), Options{Lang: lang.English, Date: "tomorrow", Now: late})
	want := `--date: "tomorrow": must be a date such as 2026-11-20, today or yesterday`
	if err == nil || err.Error() != want {
		t.Errorf("--date tomorrow: %v, want %s", err, want)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"bills/a.zip", "bills/b.zip", "bills/.hidden.zip", "bills/sub/c.zip", "elsewhere/d.zip", "elsewhere/deep/e.zip",
		"pos/1.csv", "pos/2.csv", "pos/[x].csv", "broken/c.txt",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range [][2]string{
		{"../elsewhere/d.zip", "bills/linked.zip"},
		{"a.zip", "bills/again.zip"},
		{"nowhere", "broken/b.zip"},
		{"../bills/a.zip", "broken/a.zip"},
		{"../elsewhere", "bills/folder"},
		{"elsewhere", "link"},
	} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Skip(err)
		}
	}
	tests := []struct {
		name, patterns string
		want           string
	}{
		{"all", `"bills/*.zip"`, "bills/a.zip bills/b.zip bills/linked.zip"},
		{"twice", `"bills/*.zip", bills/a.zip, "bills/[ab].zip"`, "bills/a.zip bills/b.zip bills/linked.zip"},
		{"two levels", `"bills/*/*.zip"`, "bills/sub/c.zip"},
		{"literal", `"pos/[x].csv"`, "pos/[x].csv"},
		{"hidden on demand", `"bills/.h*"`, "bills/.hidden.zip"},
		{"dots", `"./bills/../pos/?.csv"`, "pos/1.csv pos/2.csv"},
		{"in full", `"` + filepath.ToSlash(dir) + `/pos/1.csv"`, "pos/1.csv"},
		{"nothing", `"bills/*.rar"`, `job.yaml:1:24 (inputs.alipay_bill[0]): "bills/*.rar": no file matches`},
		{"absent", `bills/z.zip`, `job.yaml:1:24 (inputs.alipay_bill[0]): "bills/z.zip": no file matches`},
		{"folder", `bills`, `job.yaml:1:24 (inputs.alipay_bill[0]): "bills": is a folder, not a file; did you mean bills/*?`},
		{"linked folder", `"link/*.zip"`, `job.yaml:1:24 (inputs.alipay_bill[0]): "link/*.zip": link is a link to a folder, and those are not followed`},
		{"broken", `broken/b.zip`, `job.yaml:1:24 (inputs.alipay_bill[0]): "broken/b.zip": the link points to a file that is not there`},
		{"broken among others", `"broken/*.zip"`, `broken/a.zip job.yaml:1:24 (inputs.alipay_bill[0]): "broken/b.zip": the link points to a file that is not there`},
		{"linked folder alone", `"bills/fold*"`, `job.yaml:1:24 (inputs.alipay_bill[0]): "bills/fold*": bills/folder is a link to a folder, and those are not followed`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j, err := Parse("job.yaml", []byte("inputs: {alipay_bill: ["+test.patterns+"]}"), Options{Lang: lang.English})
			if err != nil {
				t.Fatal(err)
			}
			j.Dir = dir
			inputs, _, err := j.Files()
			var got []string
			for _, in := range inputs {
				got = append(got, in.Name)
			}
			if err != nil {
				got = append(got, err.Error())
				if _, ok := errors.AsType[Missing](err); !ok {
					t.Errorf("error is %T, want Missing", err)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("Files() = %s, want %s", strings.Join(got, " "), test.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	for _, test := range []struct{ word, want string }{
		{"alipay_bil", "alipay_bill"}, {"pos_order", "pos_orders"}, {"GOODS", "goods"}, {"xyz", ""}, {"goosd", "goods"},
	} {
		if got := Nearest(test.word, []string{"alipay_bill", "pos_orders", "goods"}); got != test.want {
			t.Errorf("Nearest(%q) = %q, want %q", test.word, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(minimal)
	f.Add("a: &x {b: *x}\n? [c]\n: d\n")
	f.Fuzz(func(t *testing.T, text string) {
		j, err := Parse("job.yaml", []byte(text), Options{Lang: lang.English})
		if (j == nil) == (err == nil) {
			t.Errorf("Parse(%q) = %v, %v", text, j, err)
		}
	})
}

func parse(t *testing.T, text string) *Job {
	t.Helper()
	j, err := Parse("job.yaml", []byte(text), Options{Lang: lang.English})
	if err != nil {
		t.Fatal(err)
	}
	return j
}
