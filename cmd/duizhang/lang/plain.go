package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Plain is text from outside, such as a cell or a file's name, as a terminal may
// have it: on one line, with whatever would act on the terminal or hide what
// stands there written out. It changes nothing in its own result.
//
//	ESC [2J      ->  \x1b[2J
//	two
//	lines        ->  two\nlines
//	U+202E       ->  \u202e
func Plain(text string) string {
	if !strings.ContainsFunc(text, acts) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		letter, size := utf8.DecodeRuneInString(text)
		switch {
		case letter == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case acts(letter):
			quoted := strconv.QuoteRuneToASCII(letter)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// Lines is Plain of each line of a text that has lines of its own.
func Lines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Plain(lines[i])
	}
	return strings.Join(lines, "\n")
}

// acts tells whether a letter is a control character, changes the direction of
// writing or has no width, or may be a byte that is no text.
func acts(letter rune) bool {
	return letter == utf8.RuneError || unicode.In(letter, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// A shown is an argument of Say: a name may hold anything.
type shown string

// Format writes %s and %v plainly; %q is plain as it is.
func (s shown) Format(f fmt.State, verb rune) {
	text := string(s)
	if verb != 'q' {
		text = Plain(text)
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), text)
}

// systemWords are in Chinese what the system says of files.
var systemWords = []struct {
	err  error
	text string
}{
	{fs.ErrNotExist, "没有这个文件或文件夹"},
	{fs.ErrPermission, "没有权限"},
	{fs.ErrExist, "已经存在"},
	{syscall.ENOTDIR, "不是文件夹"},
	{syscall.EISDIR, "是文件夹"},
	{syscall.ENOSPC, "磁盘已满"},
	{syscall.EROFS, "文件系统只读"},
	{syscall.ELOOP, "链接绕成了圈"},
	{syscall.EPIPE, "读取的一方已经结束"},
	{os.ErrDeadlineExceeded, "超时"},
}

// System is what the system says of a file, without the call and the path.
func (l Lang) System(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	if l == Chinese {
		for _, known := range systemWords {
			if errors.Is(err, known.err) {
				return known.text
			}
		}
	}
	return Plain(err.Error())
}
