package rules

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
)

// breakIDChars are the base32 characters of a break's id: 100 bits.
const breakIDChars = 20

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BreakID is the id of a break: "b" and 20 base32 characters of SHA-256 over what
// it is about. It has no date in it, so that a finding keeps its id from run to
// run, and a letter first, so that no spreadsheet takes it for a number.
//
// The fields are parted by NUL. Code and side are words without one and the
// ordinal is digits, so that no two findings read the same, whatever key holds.
func BreakID(code BreakCode, side Side, key string, ordinal int) string {
	var stack [256]byte
	text := append(stack[:0], code.String()...)
	text = append(text, 0)
	text = append(text, side.String()...)
	text = append(text, 0)
	text = append(text, key...)
	text = append(text, 0)
	text = strconv.AppendInt(text, int64(ordinal), 10)
	sum := sha256.Sum256(text)
	var id [1 + 24]byte // 15 bytes make 24 characters
	id[0] = 'b'
	lowerBase32.Encode(id[1:], sum[:15])
	return string(id[:1+breakIDChars])
}
