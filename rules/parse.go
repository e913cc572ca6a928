package rules

import (
	"bytes"
	"math"
)

// ParseFen reads an amount: 12, 12.3, 12.30, -12.30, +12.30, 1,234.50, ￥12.30,
// ¥12.30, the sign before or after the mark, with spaces or tabs around it. A
// leading backtick or apostrophe and a trailing 元, which exports add, go. The
// bytes are UTF-8 or GB18030 as the file has them: only the marks differ.
//
// It never rounds. Errors are ErrEmpty, ErrSyntax, ErrPrecision (a third decimal
// that is not 0) and ErrRange, and the first of them in that order is given.
func ParseFen(b []byte) (Fen, error) {
	if f, ok := parseCents(b); ok {
		return f, nil
	}
	b = trimBlank(b)
	if v, ok := parsePlain(b, 2); ok && v <= int64(MaxFen) && v >= -int64(MaxFen) {
		return Fen(v), nil
	}
	u, sign, err := parseScaled(b, 2)
	if err != nil {
		return 0, err
	}
	if u > uint64(MaxFen) {
		return 0, ErrRange
	}
	return Fen(int64(u) * sign), nil
}

// ParseMicro reads a price, a quantity or a rebate amount: the syntax of
// ParseFen with up to six decimals.
func ParseMicro(b []byte) (Micro, error) {
	b = trimBlank(b)
	if v, ok := parsePlain(b, 6); ok {
		return Micro(v), nil
	}
	return parseMicro(b, 6)
}

// ParseRate reads a rate: 0.0055, 0.55% or 5.5‰. Six decimals are counted after
// the % or ‰ is applied, so that 0.0055% is a rate and 0.00555% is ErrPrecision.
func ParseRate(b []byte) (Micro, error) {
	b = trimBlank(b)
	for _, m := range rateMarks {
		if rest, ok := bytes.CutSuffix(b, m.mark); ok {
			if len(trimBlank(rest)) == 0 {
				return 0, ErrSyntax // a mark alone is not nothing
			}
			return parseMicro(rest, 6-m.shift)
		}
	}
	return ParseMicro(b)
}

// parseMicro reads a number whose unit is 10^-decimals into as many Micro units:
// with 4 decimals a percentage becomes the rate it stands for.
func parseMicro(b []byte, decimals int) (Micro, error) {
	u, sign, err := parseScaled(b, decimals)
	if err != nil {
		return 0, err
	}
	if u > math.MaxInt64 {
		return 0, ErrRange
	}
	return Micro(int64(u) * sign), nil
}

// The marks around a number, in UTF-8 and in GB18030.
var (
	currencyMarks = [][]byte{
		[]byte("\xef\xbf\xa5"),     // ￥ U+FFE5
		[]byte("\xc2\xa5"),         // ¥ U+00A5
		[]byte("\xa3\xa4"),         // ￥ in GB18030
		[]byte("\x81\x30\x84\x36"), // ¥ in GB18030
	}
	yuanMarks = [][]byte{
		[]byte("\xe5\x85\x83"), // 元
		[]byte("\xd4\xaa"),     // 元 in GB18030
	}
	rateMarks = []struct {
		mark  []byte
		shift int
	}{
		{[]byte("%"), 2},
		{[]byte("\xe2\x80\xb0"), 3}, // ‰
		{[]byte("\xa1\xeb"), 3},     // ‰ in GB18030
		{[]byte("\xef\xbc\x85"), 2}, // ％
		{[]byte("\xa3\xa5"), 2},     // ％ in GB18030
	}
)

// parseCents reads the form that nearly every amount has, 1234.56 or -1234.56,
// in half the time of parsePlain, and leaves everything else to it.
func parseCents(b []byte) (Fen, bool) {
	n := len(b)
	if n < len("0.00") || n > len("-9999999999999.99") || b[n-3] != '.' {
		return 0, false
	}
	whole, tens, ones := b[:n-3], b[n-2]-'0', b[n-1]-'0'
	neg := whole[0] == '-'
	if neg {
		whole = whole[1:]
	}
	if len(whole) == 0 || len(whole) > len("9999999999999") || tens > 9 || ones > 9 {
		return 0, false
	}
	var v Fen
	for _, c := range whole {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + Fen(d)
	}
	v = v*100 + Fen(tens*10+ones)
	if neg {
		v = -v
	}
	return v, true
}

// parsePlain reads digits with a point or without and perhaps a minus, and leaves
// everything else to parseScaled. It accepts nothing that parseScaled does not,
// and gives the same value.
func parsePlain(b []byte, decimals int) (v int64, ok bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > plainDigits {
		return 0, false
	}
	i := 0
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			break
		}
		v = v*10 + int64(d)
	}
	left, given := decimals, i
	if i < len(b) {
		after := b[i+1:]
		if b[i] != '.' || i == 0 || len(after) == 0 || len(after) > decimals {
			return 0, false
		}
		for _, c := range after {
			d := c - '0'
			if d > 9 {
				return 0, false
			}
			v = v*10 + int64(d)
		}
		left -= len(after)
		given += len(after)
	}
	if given+left > plainDigits {
		return 0, false
	}
	v *= int64(pow10[left])
	if neg {
		v = -v
	}
	return v, true
}

// plainDigits is the number of digits that always fit an int64.
const plainDigits = 18

// parseScaled reads the whole syntax of ParseFen into units of 10^-decimals. The
// sign is 1 or -1.
func parseScaled(b []byte, decimals int) (v uint64, sign int64, err error) {
	b = trimBlank(b)
	if len(b) > 0 && (b[0] == '`' || b[0] == '\'') {
		b = trimBlank(b[1:])
	}
	if rest, ok := cutSuffix(b, yuanMarks); ok {
		b = trimBlank(rest)
	}
	if len(b) == 0 {
		return 0, 0, ErrEmpty
	}
	b, sign = cutSign(b)
	whole, read := parseWhole(b)
	if read == 0 {
		return 0, 0, ErrSyntax
	}
	v, err = parseDecimals(b[read:], decimals, whole)
	return v, sign, err
}

// cutSign takes the sign and the currency mark, in either order, off the front.
func cutSign(b []byte) (rest []byte, sign int64) {
	b, sign = cutOneSign(b)
	for _, mark := range currencyMarks {
		if rest, ok := bytes.CutPrefix(b, mark); ok {
			b = rest
			if sign == 0 {
				b, sign = cutOneSign(b)
			}
			break
		}
	}
	if sign == 0 {
		sign = 1
	}
	return b, sign
}

// cutOneSign takes a sign off the front; 0 is none.
func cutOneSign(b []byte) (rest []byte, sign int64) {
	switch {
	case len(b) == 0:
		return b, 0
	case b[0] == '-':
		return b[1:], -1
	case b[0] == '+':
		return b[1:], 1
	}
	return b, 0
}

// parseWhole reads the digits before the point, which commas may part into
// groups of three. read is the number of bytes that they take, 0 when they are
// not well formed.
func parseWhole(b []byte) (v uint64, read int) {
	group, comma := 0, false
	i := 0
	for ; i < len(b); i++ {
		if d := b[i] - '0'; d <= 9 {
			v = shiftIn(v, d)
			group++
			continue
		}
		if b[i] != ',' {
			break
		}
		if group == 0 || group > 3 || comma && group != 3 {
			return 0, 0
		}
		group, comma = 0, true
	}
	if group == 0 || comma && group != 3 {
		return 0, 0
	}
	return v, i
}

// parseDecimals reads the point and what follows it onto v, which has the digits
// before it, up to the given number of decimals.
func parseDecimals(b []byte, decimals int, v uint64) (uint64, error) {
	given, exact := 0, true
	if len(b) > 0 {
		if b[0] != '.' || len(b) == 1 {
			return 0, ErrSyntax
		}
		for _, c := range b[1:] {
			d := c - '0'
			switch {
			case d > 9:
				return 0, ErrSyntax
			case given < decimals:
				v = shiftIn(v, d)
				given++
			case d != 0:
				exact = false
			}
		}
	}
	for ; given < decimals; given++ {
		v = shiftIn(v, 0)
	}
	if !exact {
		return 0, ErrPrecision
	}
	return v, nil
}

// tooLarge is what digits that do not fit become: beyond the range of all that
// is parsed, and it stays so however many digits follow.
const tooLarge uint64 = math.MaxUint64

// shiftIn appends a digit to v, or gives tooLarge.
func shiftIn(v uint64, d byte) uint64 {
	if v > (math.MaxUint64-9)/10 {
		return tooLarge
	}
	return v*10 + uint64(d)
}

// trimBlank drops spaces and tabs around b.
func trimBlank(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

func cutSuffix(b []byte, marks [][]byte) ([]byte, bool) {
	for _, mark := range marks {
		if rest, ok := bytes.CutSuffix(b, mark); ok {
			return rest, true
		}
	}
	return b, false
}
