package rules

import (
	"crypto/md5" //nolint:gosec // the platform's rule, not a choice of ours
	"encoding/hex"
	"errors"
	"strings"
)

// What a text is that is no mobile. The errors do not repeat it.
var (
	ErrMobileBlank  = errors.New("blank")
	ErrMobileMasked = errors.New("masked: its middle is not there any more")
	ErrMobile       = errors.New("not a mainland mobile number: 11 digits beginning 13 to 19")
)

// ParseMobile reads a mainland mobile number as people and files write it, with
// blanks or hyphens in it and +86 before it, and gives its 11 digits.
//
//	150-8999-0091      ->  15089990091
//	+86 150 8999 0091  ->  15089990091
func ParseMobile(text string) (string, error) {
	if strings.Contains(text, "*") {
		return "", ErrMobileMasked
	}
	text = strings.NewReplacer(" ", "", "-", "", "\t", "", "\u00a0", "").Replace(text)
	text = strings.TrimLeft(text, "'`")
	if text == "" {
		return "", ErrMobileBlank
	}
	for _, country := range []string{"+86", "0086", "86"} {
		if rest, found := strings.CutPrefix(text, country); found && len(rest) == 11 {
			text = rest
			break
		}
	}
	if len(text) != 11 || text[0] != '1' || text[1] < '3' || strings.Trim(text, "0123456789") != "" {
		return "", ErrMobile
	}
	return text, nil
}

// MemberHash is the name under which a member is joined without the plain number:
// MD5(MD5("tmall" + mobile + key)) in lower-case hex digits, the inner one's digits
// being what the outer one is taken of.
//
//	15089990091 with key abcd  ->  8de43ad752d75d70de275ce0f3f678fc
func MemberHash(mobile, key string) string {
	inner := md5.Sum([]byte("tmall" + mobile + key)) //nolint:gosec // as above
	var digits [2 * md5.Size]byte
	hex.Encode(digits[:], inner[:])
	outer := md5.Sum(digits[:]) //nolint:gosec // as above
	return hex.EncodeToString(outer[:])
}
