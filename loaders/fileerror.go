package loaders

import (
	"strconv"
	"strings"

	"duizhang/engine/schema"
)

// A FileError refuses a file or one table of it (formats 1.5): what is wrong,
// where, and what to do about it.
type FileError struct {
	Code   string // unrecognised, wrong_kind, column_missing, truncated, …
	Pos    schema.Pos
	Value  string   // as written, or ""
	Detail string   // what the code alone does not say
	Lines  []string // the file's first lines, where nothing is known of it
	Advice string
	Lang   string // zh or en
	Cause  error  // of the operating system, or nil
}

// Error is the place, the value as written, and what is wrong, in the one form
// that all messages have.
func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString(visible(e.Pos.String()))
	b.WriteString(": ")
	if e.Value != "" {
		b.WriteString(strconv.Quote(e.Value))
		b.WriteString(": ")
	}
	b.WriteString(e.Message())
	return b.String()
}

// Unwrap is the cause.
func (e *FileError) Unwrap() error { return e.Cause }

// Message is what is wrong, without the place.
func (e *FileError) Message() string {
	text := fileErrorWords[e.Lang == "en"][e.Code]
	if text == "" {
		text = e.Code
	}
	if e.Detail != "" {
		text += ": " + visible(e.Detail)
	}
	for _, line := range e.Lines {
		text += "\n    " + visible(line)
	}
	if e.Advice != "" {
		text += "\n" + visible(e.Advice)
	}
	return text
}

func (e *FileError) problem() schema.Problem {
	return schema.Problem{Code: e.Code, Line: e.Pos.Line, Column: e.Pos.Name, Value: e.Value, Message: e.Message()}
}

// fileErrorWords are the codes in words, by whether the language is English.
var fileErrorWords = map[bool]map[string]string{
	false: {
		"unreadable":        "无法读取",
		"unrecognised":      "不认识的文件格式",
		"wrong_kind":        "文件放错了输入类别",
		"archive_encrypted": "压缩包已加密",
		"archive_unsafe":    "压缩包不安全",
		"column_missing":    "缺少必需的列",
		"column_duplicate":  "列名重复",
		"truncated":         "文件被截断：有列表开始行，没有结束行",
		"account_conflict":  "同一文件中出现两个账号",
	},
	true: {
		"unreadable":        "cannot be read",
		"unrecognised":      "no known format",
		"wrong_kind":        "given under the wrong kind of input",
		"archive_encrypted": "the archive is encrypted",
		"archive_unsafe":    "the archive is unsafe",
		"column_missing":    "required columns are missing",
		"column_duplicate":  "a column name occurs twice",
		"truncated":         "cut off: the section starts and does not end",
		"account_conflict":  "two accounts in one file",
	},
}
