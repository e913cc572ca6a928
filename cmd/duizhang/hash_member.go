package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/text/encoding/simplifiedchinese"

	"duizhang/cmd/duizhang/job"
	"duizhang/reports"
	"duizhang/rules"
)

// memberKey is the variable that holds the key: never a file or a flag, which
// others could read.
const memberKey = "DUIZHANG_MEMBER_KEY"

func (a *app) hashMemberCommand() *cobra.Command {
	var column string
	cmd := &cobra.Command{
		Use:   "hash-member",
		Short: a.say("把会员手机号变成哈希，用于关联会员而不保存明文", "hashes members' mobiles, to join members without plain numbers"),
		Long: a.say(`从标准输入读取手机号，每行一个，按行输出 MD5(MD5("tmall" + 手机号 + 密钥))（规则 10）。
密钥只从环境变量 DUIZHANG_MEMBER_KEY 读取。手机号从不显示：不是手机号的行输出空行，错误只写行号，
退出码 4。用 --column 时输入是 CSV，输出同样的 CSV，该列换成哈希，其它列里的手机号和付款码打码。`,
			`Reads mobiles from standard input, one a line, and prints MD5(MD5("tmall" + mobile + key)) of each
(rules 10). The key comes from the environment variable DUIZHANG_MEMBER_KEY alone. No mobile is ever
shown: a line that is none gives a blank line, errors name the line only, and the exit status is 4.
With --column the input is CSV: the same CSV comes out, with the hash in that column and mobiles and
payment codes in the others masked.`),
		Example: `  duizhang hash-member < mobiles.txt > hashes.txt
  duizhang hash-member --column 手机号 < members.csv > members-hashed.csv
  echo 15089990091 | DUIZHANG_MEMBER_KEY=abcd duizhang hash-member`,
		Args: a.exactly(0, "hash-member 不带参数；手机号从标准输入读取", "hash-member takes no arguments; mobiles are read from standard input"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			key := os.Getenv(memberKey)
			switch {
			case key == "":
				return usage(a.say("没有设置环境变量 %s", "the environment variable %s is not set", memberKey),
					a.say("向平台索取密钥，例如 export %s=…；不要写进文件或命令行", "get the key from the platform, and set it as in export %s=…; keep it out of files and command lines", memberKey))
			case strings.TrimSpace(key) != key:
				return usage(a.say("%s 首尾有空白", "%s begins or ends with blanks", memberKey), a.say("去掉空白", "take them away"))
			case cmd.Flags().Changed("column") && strings.TrimSpace(column) == "":
				return a.blankFlag("column")
			}
			h := &memberHasher{app: a, key: key}
			if column != "" {
				if a.json {
					return usage(a.say("--json 不能与 --column 同用", "--json does not go with --column"), "")
				}
				return h.table(cmd.InOrStdin(), strings.TrimSpace(column))
			}
			return h.lines(cmd.InOrStdin())
		},
	}
	cmd.Flags().StringVar(&column, "column", "", a.say("输入是 CSV，手机号在这一列", "the input is CSV, and this column holds the mobiles"))
	return cmd
}

// A memberHasher hashes mobiles and counts what is none. It never says what
// stands in a line.
type memberHasher struct {
	app *app
	key string
	bad int
}

type memberHash struct {
	Line int     `json:"line"`
	Hash *string `json:"hash"`
}

// hash is the hash of a mobile, or a blank after a complaint.
func (h *memberHasher) hash(text string, line int) string {
	mobile, err := rules.ParseMobile(text)
	if err == nil {
		return rules.MemberHash(mobile, h.key)
	}
	a := h.app
	reason := a.say("不是大陆手机号（1 开头的 11 位数字）", "not a mainland mobile number (11 digits beginning with 1)")
	switch {
	case errors.Is(err, rules.ErrMobileBlank):
		reason = a.say("空白", "blank")
	case errors.Is(err, rules.ErrMobileMasked):
		reason = a.say("已打码，无法计算", "masked, so that nothing can be computed of it")
	}
	const shown = 20
	if h.bad++; h.bad <= shown {
		a.complain(a.say("第 %d 行：%s", "line %d: %s", line, reason), "")
	}
	return ""
}

func (h *memberHasher) lines(in io.Reader) error {
	const longest = 1 << 20
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longest)
	out := bufio.NewWriter(h.app.stdout)
	hashes := []memberHash{}
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		hash := h.hash(strings.TrimSuffix(text, "\r"), line)
		if !h.app.json {
			if _, err := out.WriteString(hash + "\n"); err != nil {
				return err
			}
			continue
		}
		one := memberHash{Line: line}
		if hash != "" {
			one.Hash = &hash
		}
		hashes = append(hashes, one)
	}
	if err := scanner.Err(); err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if h.app.json {
		if err := h.app.printJSON(hashes); err != nil {
			return err
		}
	}
	return h.end(out)
}

// end writes what is left, and gives the status.
func (h *memberHasher) end(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return err
	}
	if h.bad > 0 {
		h.app.complain(h.app.say("%d 行没有哈希", "%d lines have no hash", h.bad), "")
		return quietly(exitRejects)
	}
	return nil
}

// table hashes a column of CSV.
func (h *memberHasher) table(in io.Reader, column string) error {
	a := h.app
	r := csv.NewReader(decoded(in))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return usage(a.say("标准输入是空的", "standard input is empty"), "")
	}
	if err != nil {
		return h.badCSV(err)
	}
	at := -1
	names := make([]string, len(header))
	for i, name := range header {
		if names[i] = strings.TrimSpace(name); names[i] == column {
			at = i
		}
	}
	if at < 0 {
		hint := a.say("第一行应为列名", "the first line must be the columns' names")
		if near := job.Nearest(column, names); near != "" {
			hint = a.say("是不是想写 %s？", "did you mean %s?", near)
		}
		return usage(a.say("--column: 没有这一列：%q", "--column: no such column: %q", column), hint)
	}
	out := bufio.NewWriter(a.stdout)
	w := csv.NewWriter(out)
	for record := names; err == nil; record, err = r.Read() {
		if line, _ := r.FieldPos(0); line > 1 {
			for i := range record {
				if i != at {
					record[i] = reports.Mask.Cell(names[min(i, len(names)-1)], record[i])
				}
			}
			if at >= len(record) {
				h.hash("", line)
			} else {
				record[at] = h.hash(record[at], line)
			}
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	if !errors.Is(err, io.EOF) {
		return h.badCSV(err)
	}
	w.Flush()
	return h.end(out)
}

// badCSV says where the input is broken, and not what stands there.
func (h *memberHasher) badCSV(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return usage(h.app.say("标准输入：第 %s 行：不是 CSV", "standard input: line %s: not CSV", strconv.Itoa(e.Line)), "")
	}
	return &failure{status: exitUsage, err: err}
}

// decoded reads UTF-8, with or without BOM, or else GB18030.
func decoded(in io.Reader) io.Reader {
	const block = 64 << 10
	r := bufio.NewReaderSize(in, block)
	head, _ := r.Peek(block) // short: all there is
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = r.Discard(len("\ufeff"))
		return r
	}
	if end := bytes.LastIndexByte(head, '\n'); end > 0 && len(head) == block {
		head = head[:end]
	}
	if utf8.Valid(head) {
		return r
	}
	return simplifiedchinese.GB18030.NewDecoder().Reader(r)
}
