package rules

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestParseExamples(t *testing.T) {
	check(t, "amount.txt", func(t *testing.T, left string) string {
		f, err := ParseFen([]byte(mustUnquote(t, left)))
		return f.orCode(err)
	})
	check(t, "number.txt", func(t *testing.T, left string) string {
		m, err := ParseMicro([]byte(mustUnquote(t, left)))
		return m.orCode(err)
	})
	check(t, "rate.txt", func(t *testing.T, left string) string {
		m, err := ParseRate([]byte(mustUnquote(t, left)))
		return m.orCode(err)
	})
}

func (f Fen) orCode(err error) string {
	if err != nil {
		return CodeOf(err).String()
	}
	return f.String()
}

func (m Micro) orCode(err error) string {
	if err != nil {
		return CodeOf(err).String()
	}
	return m.String()
}

// amountSyntax is the syntax of rules 1 once more, as one expression.
var amountSyntax = regexp.MustCompile(
	"^[ \t]*['`]?[ \t]*(?:([-+]?)[￥¥]?|[￥¥]([-+]))((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\\.[0-9]+)?)[ \t]*元?[ \t]*$")

var blankSyntax = regexp.MustCompile("^[ \t]*['`]?[ \t]*元?[ \t]*$")

// refParse is ParseFen by an expression and decimal.
func refParse(s string, decimals int32, most int64) (int64, error) {
	if blankSyntax.MatchString(s) {
		return 0, ErrEmpty
	}
	m := amountSyntax.FindStringSubmatch(s)
	if m == nil {
		return 0, ErrSyntax
	}
	d, err := decimal.NewFromString(strings.ReplaceAll(m[3], ",", ""))
	if err != nil {
		return 0, err
	}
	d = d.Shift(decimals)
	if !d.IsInteger() {
		return 0, ErrPrecision
	}
	if d.Cmp(decimal.NewFromInt(most)) > 0 {
		return 0, ErrRange
	}
	v := d.IntPart()
	if m[1]+m[2] == "-" {
		v = -v
	}
	return v, nil
}

// checkParse compares both parsers with refParse on one text.
func checkParse(t *testing.T, s string) {
	t.Helper()
	want, wantErr := refParse(s, 2, int64(MaxFen))
	f, err := ParseFen([]byte(s))
	if int64(f) != want || !errors.Is(err, wantErr) {
		t.Errorf("ParseFen(%q) = %v, %v, want %v, %v", s, int64(f), err, want, wantErr)
	}
	want, wantErr = refParse(s, 6, math.MaxInt64)
	m, err := ParseMicro([]byte(s))
	if int64(m) != want || !errors.Is(err, wantErr) {
		t.Errorf("ParseMicro(%q) = %v, %v, want %v, %v", s, int64(m), err, want, wantErr)
	}
}

// Every text of up to four of the characters that matter, up to seven of those
// that group digits, and random longer ones parse as the expression and decimal
// say.
func TestParseDifferential(t *testing.T) {
	var each func(prefix string, letters []string, left int)
	each = func(prefix string, letters []string, left int) {
		checkParse(t, prefix)
		if left > 0 && !t.Failed() {
			for _, c := range letters {
				each(prefix+c, letters, left-1)
			}
		}
	}
	each("", strings.Split("019.,-+ 元¥`", ""), 4)
	each("", strings.Split("10,.", ""), 7)
	r := seeded()
	long := strings.Split("0000111234567899999.,,", "")
	for range 40_000 {
		var b strings.Builder
		b.WriteString([]string{"", "-", "+", "￥", "-¥", "¥-", " ", "'"}[r.IntN(8)])
		for range r.IntN(24) {
			b.WriteString(long[r.IntN(len(long))])
		}
		b.WriteString([]string{"", "", "", "0", ".00", "元", " "}[r.IntN(7)])
		checkParse(t, b.String())
	}
}

// What is printed reads back, by both paths, with commas and without.
func TestParseRoundTrip(t *testing.T) {
	r := seeded()
	for range 30_000 {
		f := Fen(signedAmount(r, int64(MaxFen)))
		if got, err := ParseFen([]byte(f.String())); got != f || err != nil {
			t.Fatalf("ParseFen(%q) = %v, %v", f.String(), got, err)
		}
		if got, err := ParseFen([]byte(" " + grouped(f.String()) + "元")); got != f || err != nil {
			t.Fatalf("ParseFen(%q) = %v, %v", grouped(f.String()), got, err)
		}
		m := Micro(signedAmount(r, math.MaxInt64))
		if got, err := ParseMicro([]byte(m.String())); got != m || err != nil {
			t.Fatalf("ParseMicro(%q) = %v, %v", m.String(), got, err)
		}
	}
}

// grouped puts commas into a number.
func grouped(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + "." + rest
}

// The fast path gives what the general one gives, or leaves it to it.
func TestParsePlainAgrees(t *testing.T) {
	taken := 0
	cents := 0
	for _, s := range []string{
		"0", "12", "-.00", "--1.00", "0.0a", "0.a0", "0.:0", "00000000000001.00", "-00000000000001.00", "1,234.50", "-9999999999999.99", "1/34.50", "12.3", "12.30", "-12.30", "-0.01", "9999999999999.99", "99999999999999.99",
		"999999999999999999", "123456789012345678", "0.000001", "1.1234567", "", "-", ".", "-.", "1.", ".1", "1..2", "1-", "+1", "1,000",
	} {
		if f, ok := parseCents([]byte(s)); ok {
			cents++
			if v, ok := parsePlain([]byte(s), 2); !ok || f != Fen(v) {
				t.Errorf("parseCents(%q) = %v, parsePlain gives %v, %v", s, f, Fen(v), ok)
			}
		}
		for _, decimals := range []int{2, 6} {
			v, ok := parsePlain([]byte(s), decimals)
			if !ok {
				continue
			}
			taken++
			u, sign, err := parseScaled([]byte(s), decimals)
			if err != nil || int64(u)*sign != v {
				t.Errorf("parsePlain(%q, %d) = %d, parseScaled gives %d × %d, %v", s, decimals, v, sign, u, err)
			}
		}
	}
	if taken < 12 || cents != 5 {
		t.Errorf("the fast paths took %d and %d of the texts", taken, cents)
	}
}

func TestParseTakesNothingFromTheCell(t *testing.T) {
	cell := []byte(" ￥1,234.50元 ")
	before := string(cell)
	if _, err := ParseFen(cell); err != nil || string(cell) != before {
		t.Errorf("ParseFen changed %q to %q, %v", before, cell, err)
	}
}

func TestCodes(t *testing.T) {
	for _, test := range []struct {
		err          error
		code, number Code
	}{
		{ErrEmpty, CodeMissingValue, CodeMissingValue},
		{ErrSyntax, CodeAmountSyntax, CodeNumberSyntax},
		{ErrPrecision, CodeAmountPrecision, CodeAmountPrecision},
		{ErrRange, CodeAmountRange, CodeAmountRange},
		{ErrNegative, CodeNegativeGoods, CodeNegativeGoods},
		{ErrPriceUnknown, 0, 0},
		{errors.Join(errors.New("line 3"), ErrRange), CodeAmountRange, CodeAmountRange},
		{errors.New("else"), 0, 0},
		{nil, 0, 0},
	} {
		if got := CodeOf(test.err); got != test.code {
			t.Errorf("CodeOf(%v) = %v, want %v", test.err, got, test.code)
		}
		if got := NumberCodeOf(test.err); got != test.number {
			t.Errorf("NumberCodeOf(%v) = %v, want %v", test.err, got, test.number)
		}
	}
}

func TestErrorCode(t *testing.T) {
	if ErrRange.Code() != CodeAmountRange || ErrNoWeight.Code() != 0 {
		t.Errorf("codes %v and %v", ErrRange.Code(), ErrNoWeight.Code())
	}
}

func FuzzParseFen(f *testing.F) {
	for _, s := range []string{
		"12", "12.30", "-12.30", "1,234.50", "￥12.30", "¥-12.30", " 12 ", "1,23", ".5", "12.", "12.3e2",
		"0.01元", "`1", "9999999999999.99", "\xa3\xa412.30", "12\xd4\xaa", "0.000",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseFen(b)
		if err != nil {
			if v != 0 || CodeOf(err) == 0 {
				t.Fatalf("ParseFen(%q) = %v, %v", b, v, err)
			}
			return
		}
		if back, err := ParseFen([]byte(v.String())); back != v || err != nil {
			t.Fatalf("ParseFen(%q) = %v, which reads back as %v, %v", b, v, back, err)
		}
		// A text without marks of GB18030 is what the expression says.
		if isASCII(b) {
			checkParse(t, string(b))
		}
	})
}

func FuzzParseMicro(f *testing.F) {
	for _, s := range []string{"3.745", "0.000001", "9223372036854.775807", "1.0000000", "-1", "1e3", "1,000.5"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseMicro(b)
		if err != nil {
			if v != 0 || CodeOf(err) == 0 {
				t.Fatalf("ParseMicro(%q) = %v, %v", b, v, err)
			}
			return
		}
		if back, err := ParseMicro([]byte(v.String())); back != v || err != nil {
			t.Fatalf("ParseMicro(%q) = %v, which reads back as %v, %v", b, v, back, err)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"0.0055", "0.55%", "5.5‰", "0.55 %", "%", "5%%", "5.5\xa1\xeb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseRate(b)
		if err != nil {
			if v != 0 || CodeOf(err) == 0 {
				t.Fatalf("ParseRate(%q) = %v, %v", b, v, err)
			}
			return
		}
		// A rate is its percentage divided by a hundred.
		percent := v.Decimal().Shift(2).String() + "%"
		if back, err := ParseRate([]byte(percent)); back != v || err != nil {
			t.Fatalf("ParseRate(%q) = %v, but %s gives %v, %v", b, v, percent, back, err)
		}
	})
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c > 0x7f {
			return false
		}
	}
	return true
}
