package rules_test

import (
	"errors"
	"testing"

	"duizhang/rules"
)

func TestParseMobile(t *testing.T) {
	for _, test := range []struct {
		text, want string
		err        error
	}{
		{"15089990091", "15089990091", nil},
		{" 150-8999-0091\t", "15089990091", nil},
		{"+86 150 8999 0091", "15089990091", nil},
		{"008615089990091", "15089990091", nil},
		{"8615089990091", "15089990091", nil},
		{"'15089990091", "15089990091", nil},
		{"", "", rules.ErrMobileBlank},
		{" - ", "", rules.ErrMobileBlank},
		{"150****0091", "", rules.ErrMobileMasked},
		{"12089990091", "", rules.ErrMobile},
		{"1508999009", "", rules.ErrMobile},
		{"150899900911", "", rules.ErrMobile},
		{"1.50900E+10", "", rules.ErrMobile},
		{"１５０８９９９００９１", "", rules.ErrMobile},
		{"+8515089990091", "", rules.ErrMobile},
	} {
		if got, err := rules.ParseMobile(test.text); got != test.want || !errors.Is(err, test.err) {
			t.Errorf("ParseMobile(%q) = %q, %v, want %q, %v", test.text, got, err, test.want, test.err)
		}
	}
}

func TestMemberHash(t *testing.T) {
	const want = "8de43ad752d75d70de275ce0f3f678fc"
	if got := rules.MemberHash("15089990091", "abcd"); got != want {
		t.Errorf("MemberHash = %s, want %s", got, want)
	}
}
