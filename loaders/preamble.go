package loaders

import (
	"strings"

	"duizhang/engine/schema"
)

// A preamble is what stands above the header of a bill (formats 2.2, 4).
type preamble struct {
	title     string
	titleLine int32
	titled    *format // what the title names, or nil
	account   string  // PID, or ""
	blank     int32   // the line of an account with nothing between its brackets, 0 if none
	from, to  int64   // period, to exclusive; Null if none
	listLine  int32   // the line that starts the list, 0 if none
	padded    int64   // # lines that a spreadsheet padded with commas
}

// readPreamble reads the lines above a header.
func readPreamble(lines []string) preamble {
	p := preamble{from: schema.Null, to: schema.Null}
	for i, line := range lines {
		text, padded := unpad(line)
		if padded && strings.HasPrefix(text, "#") {
			p.padded++
		}
		if p.titled == nil {
			for _, title := range titles {
				if strings.Contains(text, title.words) {
					p.title, p.titleLine, p.titled = strings.TrimLeft(text, "# "), int32(i+1), title.format
				}
			}
		}
		if account := accountIn(text); account != "" && p.account == "" {
			p.account = account
		}
		if p.blank == 0 && isBlankAccount(text) {
			p.blank = int32(i + 1)
		}
		if strings.Contains(text, "起始日期") && p.from == schema.Null {
			p.from, p.to = periodIn(text)
		}
		if isListStart(text) {
			p.listLine = int32(i + 1)
		}
	}
	return p
}

// unpad is a line without the quotes and the empty cells that a spreadsheet put
// around a text; padded tells whether there were such cells.
func unpad(line string) (text string, padded bool) {
	text = strings.Trim(line, ", \t\r")
	padded = strings.HasSuffix(strings.TrimRight(line, " \t\r"), ",")
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	}
	return strings.TrimSpace(text), padded
}

// isListStart and isListEnd know the dashed lines around a list by their words.
func isListStart(text string) bool {
	return dashed(text) && strings.Contains(text, "列表") && !strings.Contains(text, "列表结束")
}

func isListEnd(text string) bool { return dashed(text) && strings.Contains(text, "列表结束") }

func dashed(text string) bool { return strings.HasPrefix(strings.TrimLeft(text, "#"), "--") }

// accountIn is the PID in an account line, or "".
//
//	#账号：[20881234567890120156]
//	#账号：demo***@example.com[2088000000000000]
func accountIn(text string) string {
	if !strings.Contains(text, "账号") {
		return ""
	}
	_, rest, found := strings.Cut(text, "[")
	inner, _, closed := strings.Cut(rest, "]")
	if !found || !closed {
		return ""
	}
	inner = strings.TrimSpace(inner)
	if len(inner) == 20 && strings.HasSuffix(inner, "0156") {
		inner = inner[:16]
	}
	if len(inner) != 16 || !digitsOnly([]byte(inner)) {
		return ""
	}
	return inner
}

// isBlankAccount knows an account line without an account: #账号：[].
func isBlankAccount(text string) bool {
	before, rest, found := strings.Cut(text, "[")
	inner, _, closed := strings.Cut(rest, "]")
	return found && closed && strings.Contains(before, "账号") && strings.TrimSpace(inner) == ""
}

// periodIn is the period in a line with 起始日期 and 终止日期. The portal's end is a
// moment and inclusive, and given plus one second.
func periodIn(text string) (from, to int64) {
	before, after, found := strings.Cut(text, "终止日期")
	from, to = momentIn(before), schema.Null
	if found {
		to = momentIn(after)
	}
	if to != schema.Null && strings.Contains(text, "查询") {
		to++
	}
	return from, to
}

// momentIn is the first time in a text: its numbers, whatever stands between.
func momentIn(text string) int64 {
	var numbers []int
	for i := 0; i < len(text) && len(numbers) < 6; {
		v, n := cutNumber([]byte(text[i:]), 4)
		if n == 0 {
			i++
			continue
		}
		numbers = append(numbers, v)
		i += n
	}
	for len(numbers) < 6 && len(numbers) >= 3 {
		numbers = append(numbers, 0)
	}
	if len(numbers) < 6 || !validDay(numbers[0], numbers[1], numbers[2]) || numbers[3] > 24 || numbers[4] > 59 || numbers[5] > 59 {
		return schema.Null
	}
	return int64(daysFrom(numbers[0], numbers[1], numbers[2]))*secondsPerDay +
		int64(numbers[3]*3600+numbers[4]*60+numbers[5])
}

// accountInName is the PID in a file's name: its 16 digits, or 20 with the suffix.
func accountInName(name string) string {
	for i := 0; i < len(name); {
		n := 0
		for i+n < len(name) && name[i+n]-'0' <= 9 {
			n++
		}
		if n == 16 || n == 20 && name[i+16:i+20] == "0156" {
			if pid := name[i : i+16]; isPID([]byte(pid)) {
				return pid
			}
		}
		i += max(n, 1)
	}
	return ""
}
