package gen

import (
	"math/bits"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// cell is a text in the two encodings, quoted where CSV needs it.
type cell struct{ utf8, gbk []byte }

// An encoding is that of a sheet.
type encoding uint8

const (
	utf8 encoding = iota + 1
	gb18030
)

func (c *cell) in(e encoding) []byte {
	if e == gb18030 {
		return c.gbk
	}
	return c.utf8
}

// newCell quotes and encodes text; it panics on text outside GB18030, which
// this package's own tables never hold.
func newCell(text string) cell {
	return rawCell(quoted(text))
}

func rawCell(text string) cell {
	gbk, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic("gen: " + text + ": " + err.Error())
	}
	return cell{utf8: []byte(text), gbk: gbk}
}

func quoted(text string) string {
	special := false
	for i := range len(text) {
		switch text[i] {
		case ',', '"', '\n', '\r':
			special = true
		}
	}
	if !special {
		return text
	}
	out := []byte{'"'}
	for i := range len(text) {
		if text[i] == '"' {
			out = append(out, '"')
		}
		out = append(out, text[i])
	}
	return string(append(out, '"'))
}

const pairs = "00010203040506070809101112131415161718192021222324252627282930313233343536373839" +
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

func appendPair(b []byte, v int64) []byte { return append(b, pairs[2*v], pairs[2*v+1]) }

const zeros = "00000000000000000000"

var powers = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// digitsOf counts the decimal digits of v, of which 0 has one: the bits give the
// count or one less.
func digitsOf(v uint64) int {
	guess := bits.Len64(v|1) * 1233 >> 12
	if v|1 >= powers[guess] {
		guess++
	}
	return guess
}

// appendDigits appends v with at least width digits.
func appendDigits(b []byte, v int64, width int) []byte {
	b = append(b, zeros[:max(digitsOf(uint64(v)), width)]...)
	i := len(b)
	for v >= 10 {
		q := v / 100
		i -= 2
		b[i], b[i+1] = pairs[2*(v-100*q)], pairs[2*(v-100*q)+1]
		v = q
	}
	if v > 0 {
		b[i-1] = byte('0' + v)
	}
	return b
}

// appendFen appends an amount with its two decimals.
func appendFen(b []byte, v fen) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	q := v / 100
	b = appendDigits(b, q, 1)
	b = append(b, '.')
	return appendPair(b, v-100*q)
}

// appendThousands appends an amount as "1,234.50", quoted where it has a comma.
func appendThousands(b []byte, v fen) []byte {
	if v < 100_000 {
		return appendFen(b, v)
	}
	b = append(b, '"')
	yuan := v / 100
	digits := appendDigits(nil, yuan, 1)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, d)
	}
	b = append(b, '.')
	b = appendPair(b, v%100)
	return append(b, '"')
}

// appendMicro appends a number with at least low decimals, and up to six where
// those are not zero.
func appendMicro(b []byte, v micro, low int) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	b = appendDigits(b, v/1_000_000, 1)
	rest := v % 1_000_000
	if rest == 0 && low == 0 {
		return b
	}
	b = append(b, '.')
	decimals, scale := 0, int64(100_000)
	for rest > 0 || decimals < low {
		b = append(b, byte('0'+rest/scale))
		rest %= scale
		scale /= 10
		decimals++
		if scale == 0 {
			break
		}
	}
	return b
}

// appendClock appends hh:mm:ss.
func appendClock(b []byte, second int64) []byte {
	h := second / 3600
	m := (second - 3600*h) / 60
	b = appendPair(b, h)
	b = append(b, ':')
	b = appendPair(b, m)
	b = append(b, ':')
	return appendPair(b, second-3600*h-60*m)
}
