// Package lang holds the two languages that the command speaks.
package lang

import "fmt"

// Lang is a language of messages and reports.
type Lang uint8

// The languages. Chinese is the default everywhere.
const (
	Chinese Lang = iota + 1
	English
)

var words = [...]string{Chinese: "zh", English: "en"}

// String is the language's word in flags and job files.
func (l Lang) String() string { return words[l] }

// Parse finds a language by its word; ok is false if there is none.
func Parse(word string) (l Lang, ok bool) {
	switch word {
	case words[Chinese]:
		return Chinese, true
	case words[English]:
		return English, true
	}
	return 0, false
}

// Say is the text in the language, with its arguments filled in, text among them
// as [Plain] has it. The two texts take the same arguments in the same order.
func (l Lang) Say(zh, en string, args ...any) string {
	text := zh
	if l == English {
		text = en
	}
	if len(args) == 0 {
		return text
	}
	plain := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			plain[i] = shown(arg)
		case error:
			plain[i] = shown(arg.Error())
		default:
			plain[i] = arg
		}
	}
	return fmt.Sprintf(text, plain...)
}
