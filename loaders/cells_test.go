package loaders

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"duizhang/engine/schema"
)

func TestNormalHeader(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"订单金额（元）", "订单金额"},
		{"订单金额(元)", "订单金额"},
		{" 收入金额（+元）\t", "收入金额"},
		{"支出金额（－元）", "支出金额"},
		{"\ufefftrade_no", "trade_no"},
		{`"合计⇥"`, "合计⇥"},
		{`" 数量 "`, "数量"},
		{"退款批次号/请求号", "退款批次号/请求号"},
		{"金额 （元）", "金额"},
		{"业务明细（汇总）", "业务明细(汇总)"},
		{"", ""},
		{`"`, `"`},
	} {
		if got := normalHeader(c.cell); got != c.want {
			t.Errorf("normalHeader(%q) = %q, want %q", c.cell, got, c.want)
		}
	}
}

func TestTrimCell(t *testing.T) {
	for _, c := range []struct{ cell, want, formula string }{
		{"abc", "abc", "abc"},
		{" \t12.00\t ", "12.00", "12.00"},
		{" ", "", ""},
		{"`wx123", "wx123", "wx123"},
		{"'138", "138", "138"},
		{"` 1 ", "1", "1"},
		{`="1930"`, `="1930"`, "1930"},
		{`="19 "`, `="19 "`, "19"},
		{`=A1`, `=A1`, `=A1`},
	} {
		got := trimCell([]byte(c.cell))
		if string(got) != c.want {
			t.Errorf("trimCell(%q) = %q, want %q", c.cell, got, c.want)
		}
		if value, ok := trimFormula(got); string(value) != c.formula || ok != (c.formula != c.want) {
			t.Errorf("trimFormula(%q) = %q, %v, want %q", got, value, ok, c.formula)
		}
	}
}

func TestPlainASCII(t *testing.T) {
	for n := range 20 {
		b := bytes.Repeat([]byte{'a'}, n)
		if !plainASCII(b) {
			t.Errorf("plainASCII(%q) = false", b)
		}
		for i := range b {
			for c := range 256 {
				b[i] = byte(c)
				if got, want := plainASCII(b), c > 0 && c < 0x80; got != want {
					t.Fatalf("plainASCII(%q) = %v, want %v", b, got, want)
				}
			}
			b[i] = 0x7f
		}
	}
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"2026-11-20 10:23:48", "2026-11-20 10:23:48"},
		{"2026-11-20T10:23:48", "2026-11-20 10:23:48"},
		{"2016/7/27 9:15:01", "2016-07-27 09:15:01"},
		{"2016/7/27 9:15", "2016-07-27 09:15:00 minute"},
		{"2019/12/6 12:15:08", "2019-12-06 12:15:08"},
		{"2026-11-20 10:23", "2026-11-20 10:23:00 minute"},
		{"2026年11月19日 00:00:00", "2026-11-19 00:00:00"},
		{"2026年1月9日00:00:01", "2026-01-09 00:00:01"},
		{"2024-02-29 23:59:59", "2024-02-29 23:59:59"},
		{"2000-02-29 00:00:00", "2000-02-29 00:00:00"},
		{"2023-02-29 00:00:00", "none"},
		{"2026-02-30 00:00:00", "none"},
		{"1900-02-29 00:00:00", "none"},
		{"2026-13-01 00:00:00", "none"},
		{"2026-00-01 00:00:00", "none"},
		{"2026-11-00 00:00:00", "none"},
		{"2026-11-20 24:00:00", "none"},
		{"2026-11-20 23:60:00", "none"},
		{"2026-11-20 23:59:60", "none"},
		{"2026-11-20", "none"},
		{"2026-11-20 ", "none"},
		{"2026-11-2010:00:00", "none"},
		{"2026-11/20 10:00:00", "none"},
		{"2026-11-20 10", "none"},
		{"2026-11-20 10:", "none"},
		{"2026-11-20 10:1", "none"},
		{"2026-11-20 10:00:1", "none"},
		{"2026-11-20 10:00:00.5", "none"},
		{"2026-11-20 10:00:00 +0800", "none"},
		{"20261120 10:00:00", "none"},
		{"2026", "none"},
		{"", "none"},
		{"x", "none"},
	} {
		seconds, lost, ok := parseTime([]byte(c.cell))
		got := "none"
		if ok {
			got = time.Unix(seconds, 0).UTC().Format(time.DateTime)
			if lost {
				got += " minute"
			}
		}
		if got != c.want {
			t.Errorf("parseTime(%q) = %s, want %s", c.cell, got, c.want)
		}
	}
}

// The reading by hand agrees with the library's on every day from year 0 to 2400
// and on random seconds.
func TestParseTimeDifferential(t *testing.T) {
	for day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2401; day = day.AddDate(0, 0, 1) {
		days, ok := parseDay([]byte(day.Format(time.DateOnly)))
		if !ok || int64(days)*secondsPerDay != day.Unix() {
			t.Fatalf("parseDay(%s) = %d, %v, want %d", day.Format(time.DateOnly), days, ok, day.Unix()/secondsPerDay)
		}
		if year, month, d := dayOf(days); year != day.Year() || month != int(day.Month()) || d != day.Day() {
			t.Fatalf("dayOf(%d) = %d-%d-%d, want %s", days, year, month, d, day.Format(time.DateOnly))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		cell := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", 1900+random.IntN(300), random.IntN(14), random.IntN(33),
			random.IntN(26), random.IntN(62), random.IntN(62))
		compareTime(t, cell)
	}
}

// compareTime holds the fast reading of the usual form against the library's.
func compareTime(t *testing.T, cell string) {
	t.Helper()
	want, err := time.Parse(time.DateTime, cell)
	got, lost, ok := parseTime([]byte(cell))
	switch {
	case len(cell) != len(time.DateTime) || cell[4] != '-' || cell[7] != '-' || cell[10] != ' ' || cell[11] == ' ':
	case ok != (err == nil) && strings.Count(cell, " ") == 1 && strings.Count(cell, "-") == 2:
		t.Fatalf("parseTime(%q): ok = %v, want %v", cell, ok, err)
	case ok && err == nil && (got != want.Unix() || lost):
		t.Fatalf("parseTime(%q) = %d, %v, want %d", cell, got, lost, want.Unix())
	}
}

func FuzzTime(f *testing.F) {
	for _, cell := range []string{"2026-11-20 10:23:48", "2016/7/27 9:15", "2026年11月19日 00:00:00", "2026-11-20T01:02:03"} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		seconds, lost, ok := parseTime([]byte(cell))
		if !ok {
			return
		}
		// What was read is a time that, printed, reads back.
		text := time.Unix(seconds, 0).UTC().Format(time.DateTime)
		again, _, ok := parseTime([]byte(text))
		if !ok || again != seconds {
			t.Errorf("parseTime(%q) = %d, which prints as %s and reads as %d, %v", cell, seconds, text, again, ok)
		}
		if lost && seconds%60 != 0 {
			t.Errorf("parseTime(%q) = %d: seconds of a time without them", cell, seconds)
		}
		compareTime(t, cell)
	})
}

func FuzzHeader(f *testing.F) {
	f.Add("订单金额（元）,out_trade_no\t, 数量 ")
	f.Add("\"a\",,\ufeffb")
	f.Fuzz(func(t *testing.T, line string) {
		header := strings.Split(line, ",")
		for _, cell := range header {
			once := normalHeader(cell)
			if strings.Trim(once, " \t") != once {
				t.Errorf("normalHeader(%q) = %q: blanks around it", cell, once)
			}
		}
		for i := range canonicalSpecs {
			c := canonicalSpecs[i].find(header, &Options{})
			if len(c.known)+len(c.unknown) > len(header) {
				t.Errorf("%v: %d known and %d unknown of %d cells", canonicalSpecs[i].kind, len(c.known), len(c.unknown), len(header))
			}
		}
		canonicalFor(header, 0, &Options{})
	})
}

func TestParseSerial(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"46346", "2026-11-20 00:00:00"},
		{"46346.433194444442", "2026-11-20 10:23:48"},
		{"46346.99999999", "2026-11-21 00:00:00"}, // rounded to the second
		{"61", "1900-03-01 00:00:00"},
		{"60", "none"}, // Excel's 29 February 1900
		{"59", "1900-02-28 00:00:00"},
		{"1", "1900-01-01 00:00:00"},
		{"0.5", "none"},
		{"20261120", "none"},
		{"-1", "none"},
		{"NaN", "none"},
		{"x", "none"},
	} {
		got := "none"
		if seconds, ok := parseSerial([]byte(c.cell)); ok {
			got = time.Unix(seconds, 0).UTC().Format(time.DateTime)
		}
		if got != c.want {
			t.Errorf("parseSerial(%s) = %s, want %s", c.cell, got, c.want)
		}
	}
}

func TestCheckID(t *testing.T) {
	for _, c := range []struct {
		id      string
		numeric bool
		want    string
	}{
		{"POS202611200000001", false, "POS202611200000001"},
		{"007", false, "007"},
		{"2026112022001619730000000001", false, "2026112022001619730000000001"},
		{"2.02611E+27", false, "damaged"},
		{"2E+27", false, "damaged"},
		{"2.08873e+15", false, "damaged"},
		{"1.5E+100", false, "damaged"},
		{"2026112022001610000000000000", false, "damaged"}, // 15 digits and zeros
		{"20261120220016100000000", false, "damaged"},      // 23 of them
		{"2026112022001610000000", false, "2026112022001610000000"},
		{"2026112022001610000000000001", false, "2026112022001610000000000001"},
		{"A26112022001610000000000000", false, "A26112022001610000000000000"},
		{"123.0", false, "123 repaired"},
		{"2026112022001610000000000000.0", false, "damaged"},
		{"V1.0", false, "V1.0"},
		{"1.5", false, "1.5"},
		{"A+27", false, "A+27"},
		{"AE+27", false, "AE+27"},
		{"1001", true, "1001 repaired"},
		{"7", true, "7 repaired"},
		{"123456789012345", true, "123456789012345 repaired"},
		{"1234567890123456", true, "damaged"},
		{"2.01907E+27", true, "damaged"},
		{"", false, ""},
	} {
		fixed, repaired, damaged := checkID([]byte(c.id), c.numeric)
		got := string(fixed)
		switch {
		case damaged:
			got = "damaged"
		case repaired:
			got += " repaired"
		}
		if got != c.want {
			t.Errorf("checkID(%q, %v) = %s, want %s", c.id, c.numeric, got, c.want)
		}
	}
}

func TestPayCode(t *testing.T) {
	for _, c := range []struct {
		code string
		want uint8
	}{
		{"2512345678901234", schema.PayCodeValid},
		{"301234567890123456789012", schema.PayCodeValid},
		{"2412345678901234", schema.PayCodeInvalid},
		{"3112345678901234", schema.PayCodeInvalid},
		{"251234567890123", schema.PayCodeInvalid},
		{"2512345678901234567890123", schema.PayCodeInvalid},
		{"25123456789012x4", schema.PayCodeInvalid},
		{"2.85123E+17", schema.PayCodeInvalid},
		{"fp0123456789abcdef0123456789abcdef0", schema.PayCodeFace},
		{"fp", schema.PayCodeInvalid},
		{"1", schema.PayCodeInvalid},
	} {
		state, tail := payCode([]byte(c.code))
		if state != c.want || !strings.HasSuffix(c.code, string(tail)) || len(tail) > 4 {
			t.Errorf("payCode(%s) = %d, %s, want %d", c.code, state, tail, c.want)
		}
	}
}

func TestTrimPID(t *testing.T) {
	for cell, want := range map[string]string{
		merchantOne:                 merchantOne,
		merchantOne + "0156":        merchantOne,
		"2188717085982806" + "0156": "21887170859828060156",
		"0156":                      "0156",
		"":                          "",
	} {
		if got := trimPID([]byte(cell)); string(got) != want {
			t.Errorf("trimPID(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestCellsAllocateNothing(t *testing.T) {
	times := [][]byte{[]byte("2026-11-20 10:23:48"), []byte("2016/7/27 9:15"), []byte("no time")}
	ids := [][]byte{[]byte("2026112022001619730000000001"), []byte("2.02611E+27"), []byte("12.0")}
	pid, code := []byte(merchantOne+"0156"), []byte("2512345678901234")
	got := testing.AllocsPerRun(100, func() {
		for i := range times {
			parseTime(trimCell(times[i]))
			checkID(ids[i], false)
		}
		trimPID(pid)
		payCode(code)
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
