package lang

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"甲 A\u3000b, é 🀄", "甲 A\u3000b, é 🀄"},
		{`a\nb`, `a\nb`},
		{"a\x1b[2Jb\x07\x7f", `a\x1b[2Jb\a\x7f`},
		{"two\r\nlines\t", `two\r\nlines\t`},
		{"\u009b2J\u202eabc\u2028\ufeff", `\u009b2J\u202eabc\u2028\ufeff`},
		{"a\x9b2J\xff", `a\x9b2J\xff`},
		{"\ufffd", `\ufffd`},
	} {
		got := Plain(test.text)
		if got != test.want {
			t.Errorf("Plain(%q) = %s, want %s", test.text, got, test.want)
		}
		if again := Plain(got); again != got {
			t.Errorf("Plain(%q) = %q, want it unchanged", got, again)
		}
	}
	if got, want := Lines("a\x1b\nb\x07"), `a\x1b`+"\n"+`b\a`; got != want {
		t.Errorf("Lines = %q, want %q", got, want)
	}
	got := English.Say("", "%s: %q %v %d", "a\nb", "a\nb", fmt.Errorf("c\x1b"), 7)
	if want := `a\nb: "a\nb" c\x1b 7`; got != want {
		t.Errorf("Say = %s, want %s", got, want)
	}
}

func TestSystem(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}
	if got := Chinese.System(denied); got != "没有权限" {
		t.Errorf("System(%v) = %s", denied, got)
	}
	if got := English.System(denied); got != "permission denied" {
		t.Errorf("System(%v) = %s", denied, got)
	}
}
