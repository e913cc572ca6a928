package loaders

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"duizhang/engine/schema"
)

// Repairs that a cell or a row may need (formats 1.5), as bits of one row: a
// repair is counted once a row, however many cells needed it.
type repairs uint16

const (
	repairFormula     repairs = 1 << iota // ="123"
	repairIDNumber                        // a number cell of up to 15 digits, or an id ending .0
	repairSecondsLost                     // a time known to the minute
	repairBytes                           // U+FFFD in free text
	repairPadded                          // optional text columns at the end are missing
)

var repairWords = [...]string{
	"excel_formula", "id_number", "seconds_lost", "bytes_replaced", "cells_padded",
}

// bracketHalver turns full-width brackets and signs into the half-width ones.
var bracketHalver = strings.NewReplacer("（", "(", "）", ")", "＋", "+", "－", "-")

// headerUnits are dropped from the end of a header cell.
var headerUnits = []string{"(元)", "(+元)", "(-元)"}

// normalHeader is a header cell as it is compared (formats 1.3): without quotes,
// spaces, tabs and BOM around it, with half-width brackets, without its unit.
//
//	"订单金额（元）⇥"  ->  订单金额
func normalHeader(cell string) string {
	cell = trimHeader(cell)
	if len(cell) >= 2 && cell[0] == '"' && cell[len(cell)-1] == '"' {
		cell = trimHeader(cell[1 : len(cell)-1])
	}
	cell = bracketHalver.Replace(cell)
	for _, unit := range headerUnits {
		if rest, ok := strings.CutSuffix(cell, unit); ok {
			return trimHeader(rest)
		}
	}
	return cell
}

func trimHeader(cell string) string { return strings.Trim(cell, " \t\r\n\ufeff") }

// trimCell is a cell without the spaces and tabs around it and without the
// backtick or apostrophe that exports put before a value to keep it text. A cell
// of spaces is empty. None of this is a repair (formats 1.3).
func trimCell(b []byte) []byte {
	b = trimBlanks(b)
	if len(b) > 0 && (b[0] == '`' || b[0] == '\'') {
		b = trimBlanks(b[1:])
	}
	return b
}

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// trimFormula is the value of a trimmed cell that a spreadsheet was told to keep
// as text, ="123"; ok tells whether it is one, which is the repair excel_formula.
func trimFormula(b []byte) (value []byte, ok bool) {
	if len(b) < 3 || b[0] != '=' || b[1] != '"' || b[len(b)-1] != '"' {
		return b, false
	}
	return trimBlanks(b[2 : len(b)-1]), true
}

// blankRow tells whether no cell of a row holds anything.
func blankRow(cells [][]byte) bool {
	for _, cell := range cells {
		if len(trimCell(cell)) > 0 {
			return false
		}
	}
	return true
}

// plainASCII tells whether every byte is an ASCII character, and so decodes to
// itself. NUL is none.
func plainASCII(b []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		if (x|(x-ones)&^x)&highs != 0 { // a byte above 0x7F, or a zero
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c-1 >= 0x7f {
			return false
		}
	}
	return true
}

// parseTime reads a wall clock time in seconds since 1970-01-01 00:00:00 of the
// same clock (formats 1.3):
//
//	2006-01-02 15:04:05   2006/1/2 15:04:05   2006年01月02日 15:04:05
//
// each also without seconds, which lostSeconds tells, and with T for the space.
// The day must exist: there is no 30th of February.
func parseTime(cell []byte) (seconds int64, lostSeconds, ok bool) {
	if len(cell) == len("2006-01-02 15:04:05") {
		if seconds, ok = parseFullTime((*[19]byte)(cell)); ok {
			return seconds, false, true
		}
	}
	days, rest, ok := cutDay(cell)
	if !ok {
		return 0, false, false
	}
	clock := trimBlanks(rest)
	switch {
	case len(rest) > 0 && rest[0] == 'T':
		clock = rest[1:]
	case len(clock) == len(rest) && !bytes.HasSuffix(cell[:len(cell)-len(rest)], dayMark):
		return 0, false, false // only 日 may stand right before the hour
	}
	second, lostSeconds, ok := parseClock(clock)
	return int64(days)*secondsPerDay + second, lostSeconds, ok
}

const secondsPerDay = 24 * 60 * 60

// parseFullTime reads the form that nearly every file has: 2006-01-02 15:04:05.
func parseFullTime(b *[19]byte) (int64, bool) {
	var bad byte // above 9 as soon as one of the digits is none
	two := func(i int) int {
		tens, ones := b[i]-'0', b[i+1]-'0'
		if tens > 9 || ones > 9 {
			bad = 1
		}
		return int(tens)*10 + int(ones)
	}
	year := two(0)*100 + two(2)
	month, day, hour, minute, second := two(5), two(8), two(11), two(14), two(17)
	if bad != 0 || b[4] != '-' || b[7] != '-' || b[10] != ' ' && b[10] != 'T' || b[13] != ':' || b[16] != ':' ||
		hour > 23 || minute > 59 || second > 59 || !validDay(year, month, day) {
		return 0, false
	}
	return int64(daysFrom(year, month, day))*secondsPerDay + int64(hour*3600+minute*60+second), true
}

// parseDay reads a day, 2006-01-02, 2006/1/2 or 2006年1月2日, as days since
// 1970-01-01. A time 00:00:00 after it, as workbooks give it, is none of a day's.
func parseDay(cell []byte) (days int32, ok bool) {
	days, rest, ok := cutDay(cell)
	if !ok {
		return 0, false
	}
	rest = trimBlanks(rest)
	return days, len(rest) == 0 || string(rest) == "00:00:00"
}

var (
	yearMark  = []byte("年")
	monthMark = []byte("月")
	dayMark   = []byte("日")
)

// cutDay reads the day at the front of a cell, and gives what follows it.
func cutDay(cell []byte) (days int32, rest []byte, ok bool) {
	year, n := cutNumber(cell, 4)
	if n != 4 || len(cell) == 4 {
		return 0, nil, false
	}
	rest = cell[4:]
	var marks [3][]byte
	switch {
	case rest[0] == '-' || rest[0] == '/':
		marks[0], marks[1] = rest[:1], rest[:1]
	case bytes.HasPrefix(rest, yearMark):
		marks = [3][]byte{yearMark, monthMark, dayMark}
	default:
		return 0, nil, false
	}
	rest = rest[len(marks[0]):]
	month, n := cutNumber(rest, 2)
	rest = rest[n:]
	if n == 0 || !bytes.HasPrefix(rest, marks[1]) {
		return 0, nil, false
	}
	rest = rest[len(marks[1]):]
	day, n := cutNumber(rest, 2)
	rest = rest[n:]
	if n == 0 || !bytes.HasPrefix(rest, marks[2]) || !validDay(year, month, day) {
		return 0, nil, false
	}
	return daysFrom(year, month, day), rest[len(marks[2]):], true
}

// parseClock reads 15:04:05, 9:04:05 or, without its seconds, 15:04.
func parseClock(b []byte) (second int64, lostSeconds, ok bool) {
	hour, n := cutNumber(b, 2)
	if n == 0 || len(b) < n+3 || b[n] != ':' {
		return 0, false, false
	}
	minute, m := cutNumber(b[n+1:], 2)
	b = b[n+1+m:]
	if m != 2 || hour > 23 || minute > 59 {
		return 0, false, false
	}
	second = int64(hour*3600 + minute*60)
	if len(b) == 0 {
		return second, true, true
	}
	s, n := cutNumber(b[1:], 2)
	return second + int64(s), false, b[0] == ':' && n == 2 && len(b) == 3 && s < 60
}

// cutNumber reads up to limit digits at the front of b and tells how many.
func cutNumber(b []byte, limit int) (value, n int) {
	for n < len(b) && n < limit && b[n]-'0' <= 9 {
		value = value*10 + int(b[n]-'0')
		n++
	}
	return value, n
}

var monthDays = [13]uint8{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func validDay(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	last := int(monthDays[month])
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		last = 29
	}
	return day <= last
}

// daysFrom counts the days from 1970-01-01. The year begins in March here, so
// that the leap day is its last.
func daysFrom(year, month, day int) int32 {
	if month <= 2 {
		year--
		month += 12
	}
	era := (year + 400) / 400 // of 400 years; 400 more so that year 0 is no exception
	yearOfEra := year + 400 - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return int32((era-1)*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468)
}

// dayOf is the calendar day that daysFrom counts.
func dayOf(days int32) (year, month, day int) {
	n := int(days) + 719468
	era := n / 146097
	if n < 0 {
		era = (n - 146096) / 146097
	}
	n -= era * 146097
	yearOfEra := (n - n/1460 + n/36524 - n/146096) / 365
	n -= yearOfEra*365 + yearOfEra/4 - yearOfEra/100
	month = (5*n + 2) / 153
	day = n - (153*month+2)/5 + 1
	year = era*400 + yearOfEra
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// appendDay appends a day as 2006-01-02.
func appendDay(dst []byte, days int32) []byte {
	_, _, day := dayOf(days)
	return append(appendMonth(dst, days), '-', byte('0'+day/10), byte('0'+day%10))
}

// appendMonth appends the month of a day as 2006-01.
func appendMonth(dst []byte, days int32) []byte {
	year, month, _ := dayOf(days)
	return append(dst,
		byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-',
		byte('0'+month/10), byte('0'+month%10))
}

// excelEpoch is the number of days from day 0 of Excel's 1900 system to
// 1970-01-01, after its 29th of February 1900, which never was.
const excelEpoch = 25569

// parseSerial reads an Excel date serial: days, and the time of day as their
// fraction, rounded to the second.
//
//	45976.4550115741  ->  2025-11-15 10:55:13
func parseSerial(cell []byte) (seconds int64, ok bool) {
	const lastDay = 2958466 // 10000-01-01
	serial, err := strconv.ParseFloat(string(cell), 64)
	if err != nil || !(serial >= 1 && serial < lastDay) || serial >= 60 && serial < 61 {
		return 0, false
	}
	if serial < 60 {
		serial++
	}
	return int64(math.Round((serial - excelEpoch) * secondsPerDay)), true
}

// checkID reads an id cell that is trimmed already. Ids are text; what a
// spreadsheet made of one is put right where nothing is lost, id_number, and is
// id_damaged otherwise (formats 1.5). numeric tells a number cell of a workbook.
func checkID(id []byte, numeric bool) (fixed []byte, repaired, damaged bool) {
	const exactDigits = 15 // of a double
	fixed = id
	if n := len(id); n >= 3 && id[n-1] == '0' && id[n-2] == '.' && digitsOnly(id[:n-2]) {
		fixed = id[:n-2]
	}
	damaged = isScientific(fixed) || isRounded(fixed) ||
		numeric && len(fixed) > exactDigits && digitCount(fixed) > exactDigits
	return fixed, numeric || len(fixed) < len(id), damaged
}

// isScientific knows what a spreadsheet shows of a long number: 2.01907E+27.
func isScientific(id []byte) bool {
	n := len(id)
	exponent := 0 // digits after the plus
	switch {
	case n > 4 && id[n-3] == '+':
		exponent = 2
	case n > 5 && id[n-4] == '+':
		exponent = 3
	case n > 3 && id[n-2] == '+':
		exponent = 1
	default:
		return false
	}
	mantissa := id[:n-exponent-2]
	if e := id[n-exponent-2]; e != 'E' && e != 'e' || !digitsOnly(id[n-exponent:]) || len(mantissa) == 0 {
		return false
	}
	whole, fraction, point := bytes.Cut(mantissa, []byte("."))
	return digitsOnly(whole) && len(whole) > 0 && (!point || digitsOnly(fraction))
}

// isRounded knows an id that went through a double: 23 digits or more, with
// nothing but zeros after the 15th.
func isRounded(id []byte) bool {
	if len(id) < 23 || id[len(id)-1] != '0' {
		return false
	}
	for _, c := range id[15:] {
		if c != '0' {
			return false
		}
	}
	return digitsOnly(id[:15])
}

func digitsOnly(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

func digitCount(b []byte) (n int) {
	for _, c := range b {
		if c-'0' <= 9 {
			n++
		}
	}
	return n
}

// trimPID drops the account suffix 0156 after the 16 digits of a PID.
func trimPID(b []byte) []byte {
	if len(b) == 20 && string(b[16:]) == "0156" && isPID(b[:16]) {
		return b[:16]
	}
	return b
}

// isPID is rules.IsPID on bytes.
func isPID(b []byte) bool {
	return len(b) == 16 && string(b[:4]) == "2088" && digitsOnly(b)
}

// payCode cuts a payment code (付款码) to what it can be, 16 to 24 digits beginning
// 25 to 30 or a face code fp…, and its last four characters (rules 10).
func payCode(code []byte) (state uint8, tail []byte) {
	tail = code[max(0, len(code)-4):]
	if len(code) > 2 && code[0] == 'f' && code[1] == 'p' {
		return schema.PayCodeFace, tail
	}
	if len(code) < 16 || len(code) > 24 || !digitsOnly(code) {
		return schema.PayCodeInvalid, tail
	}
	if start := int(code[0]-'0')*10 + int(code[1]-'0'); start < 25 || start > 30 {
		return schema.PayCodeInvalid, tail
	}
	return schema.PayCodeValid, tail
}
