package reports

import "strings"

// value is Text(s), and masks the whole cell in a column of payment codes, right
// or wrong ones.
func (p Privacy) value(column, s string) string {
	if p == Keep {
		return s
	}
	switch strings.TrimSpace(column) {
	case "pay_code", "auth_code", "付款码":
		return maskTail(s)
	}
	return p.Text(s)
}

// Text is s with what rules 10 mask: mobiles and payment codes that stand alone.
//
//	13812340000           ->  138****0000
//	+86 13812340000       ->  +86 138****0000
//	286012345678901234    ->  **************1234
//	2026111922001400...   ->  as it is: a trade number
func (p Privacy) Text(s string) string {
	if p == Keep {
		return s
	}
	var masked []byte // nil until something is masked
	from := 0
	for i := 0; i < len(s); {
		if !alphanumeric(s[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(s) && alphanumeric(s[end]) {
			end++
		}
		if with, ok := maskRun(s[i:end]); ok {
			masked = append(append(masked, s[from:i]...), with...)
			from = end
		}
		i = end
	}
	if masked == nil {
		return s
	}
	return string(append(masked, s[from:]...))
}

// maskRun masks one run of letters and digits, if it is a mobile or a payment
// code.
func maskRun(run string) (string, bool) {
	if digits(run) {
		country := ""
		for _, prefix := range []string{"86", "0086"} {
			if len(run) == len(prefix)+11 && strings.HasPrefix(run, prefix) {
				country = prefix
			}
		}
		if mobile := run[len(country):]; len(mobile) == 11 && mobile[0] == '1' && mobile[1] >= '3' {
			return country + mobile[:3] + "****" + mobile[7:], true
		}
		if payCode(run) {
			return maskTail(run), true
		}
		return "", false
	}
	// A face code begins fp and is long; words that begin so are short.
	const shortest = 12
	if len(run) >= shortest && (run[:2] == "fp" || run[:2] == "FP") && strings.ContainsAny(run, "0123456789") {
		return maskTail(run), true
	}
	return "", false
}

// payCode reports whether digits are a payment code: 16 to 24 of them, beginning
// 25 to 30.
func payCode(run string) bool {
	if len(run) < 16 || len(run) > 24 {
		return false
	}
	return run[0] == '2' && run[1] >= '5' || run[:2] == "30"
}

// maskTail keeps the last four characters.
func maskTail(s string) string {
	const keep = 4
	r := []rune(s)
	if len(r) <= keep {
		return s
	}
	return strings.Repeat("*", len(r)-keep) + string(r[len(r)-keep:])
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
