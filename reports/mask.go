package reports

import "strings"

// A secrecy is what is masked in a column; [Privacy] says which columns have it.
type secrecy uint8

const (
	openText    secrecy = iota + 1 // nothing: ids
	mobilesOnly                    // mobiles: what somebody typed as an id
	freeText                       // mobiles and payment codes
	codeText                       // the whole cell
)

// secrecyOf is what is masked in a column, called as the tables or as the inputs
// call it.
func secrecyOf(column string) secrecy {
	switch strings.TrimSpace(column) {
	case "merchant_pid", "sys_service_provider_id", "agreement_pid", "provider_pid", "service_provider_pid",
		"signer_pid", "purchaser_pid", "receiving_pid", "institution_id", "out_trade_no", "trade_no",
		"out_request_no", "goods_id", "device_sn",
		"商户PID", "服务商PID", "收款PID", "商户ID", "商户识别号", "商户订单号", "订单编号", "支付宝交易号",
		"银联交易号", "退款请求号", "退款批次号", "退款批次号/请求号", "商品编号":
		return openText
	case "store_id", "terminal_id", "operator_id", "门店编号", "终端号", "操作员":
		return mobilesOnly
	case "pay_code", "auth_code", "付款码":
		return codeText
	}
	return freeText
}

// of is what is masked in a column of words: nothing that the contract fixes is.
func (p Privacy) of(column string) secrecy {
	switch column {
	case "store_id", "terminal_id", "operator_id", "goods_name":
		if p != Keep {
			return secrecyOf(column)
		}
	}
	return openText
}

// cell is s as it may be shown in a column.
func (p Privacy) cell(column, s string) string { return p.mask(s, secrecyOf(column)) }

// Cell is s as it may be shown in a column of that name: an id stays as it is.
func (p Privacy) Cell(column, s string) string { return p.cell(column, s) }

// remark is what a message says about a cell of a column, whose value may stand in
// it.
func (p Privacy) remark(column, s string) string {
	if secret := secrecyOf(column); secret != codeText {
		return p.mask(s, secret)
	}
	return p.Text(s) // words, and a code masked where it was read
}

// mobiles is s with its mobiles masked: what somebody typed as an id.
func (p Privacy) mobiles(s string) string { return p.mask(s, mobilesOnly) }

// Text is s with what rules 10 mask: mobiles and payment codes that stand alone.
//
//	13812340000           ->  138****0000
//	+86 138-1234-0000     ->  +86 138****0000
//	286012345678901234    ->  ****1234
//	2026111922001400...   ->  as it is: a trade number
func (p Privacy) Text(s string) string { return p.mask(s, freeText) }

func (p Privacy) mask(s string, secret secrecy) string {
	switch {
	case p == Keep || secret == openText:
		return s
	case secret == codeText:
		return maskCode(s)
	}
	var masked []byte // nil until something is masked
	from := 0
	for i := 0; i < len(s); {
		if !alphanumeric(s[i]) {
			i++
			continue
		}
		end := runEnd(s, i)
		with, to, ok := maskMobile(s, i, end)
		if !ok && secret == freeText && payCode(s[i:end]) {
			with, to, ok = maskCode(s[i:end]), end, true
		}
		if ok {
			masked = append(append(masked, s[from:i]...), with...)
			from, end = to, to
		}
		i = end
	}
	if masked == nil {
		return s
	}
	return string(append(masked, s[from:]...))
}

// runEnd is the end of the run of letters and digits at i.
func runEnd(s string, i int) int {
	for i < len(s) && alphanumeric(s[i]) {
		i++
	}
	return i
}

// maskMobile masks the mobile that begins with the run s[i:end], perhaps behind
// the digits of its country, and says where it ends.
func maskMobile(s string, i, end int) (with string, to int, ok bool) {
	run := s[i:end]
	if !digits(run) {
		return "", 0, false
	}
	country := ""
	for _, prefix := range []string{"0086", "86"} {
		if rest, found := strings.CutPrefix(run, prefix); found && (len(rest) == 11 || len(rest) == 3) {
			country = prefix
		}
	}
	run = run[len(country):]
	if len(run) < 3 || run[0] != '1' || run[1] < '3' {
		return "", 0, false
	}
	switch len(run) {
	case 11:
		if amount(s, i, end) {
			return "", 0, false
		}
		return country + run[:3] + "****" + run[7:], end, true
	case 3: // 138-1234-5678
		to = grouped(s, i, end)
		if to == 0 {
			return "", 0, false
		}
		return country + run + "****" + s[to-4:to], to, true
	}
	return "", 0, false
}

// amount reports whether digits are a part of a number with a decimal point.
func amount(s string, i, end int) bool {
	digit := func(at int) bool { return at >= 0 && at < len(s) && s[at] >= '0' && s[at] <= '9' }
	return end < len(s) && s[end] == '.' && digit(end+1) || i > 0 && s[i-1] == '.' && digit(i-2)
}

// grouped is the end of two groups of four digits behind s[i:end], after the
// same blank or hyphen each, 0 if there are none. Groups that more hyphens join to
// something else are an id, unless it is the country.
func grouped(s string, i, end int) int {
	if end >= len(s) || s[end] != ' ' && s[end] != '-' {
		return 0
	}
	separator := s[end]
	to := end
	for range 2 {
		if to >= len(s) || s[to] != separator {
			return 0
		}
		group := to + 1
		to = runEnd(s, group)
		if to-group != 4 || !digits(s[group:to]) {
			return 0
		}
	}
	if to+1 < len(s) && s[to] == '-' && alphanumeric(s[to+1]) {
		return 0
	}
	if i > 1 && s[i-1] == '-' && alphanumeric(s[i-2]) {
		before := strings.TrimRight(s[:i-1], "0123456789")
		if country := s[len(before) : i-1]; country != "86" && country != "0086" || before != "" && alphanumeric(before[len(before)-1]) {
			return 0
		}
	}
	return to
}

// payCode reports whether a run of letters and digits is a payment code: 16 to 24
// digits beginning 25 to 30, or a face code.
func payCode(run string) bool {
	if digits(run) {
		return len(run) >= 16 && len(run) <= 24 && (run[0] == '2' && run[1] >= '5' || run[:2] == "30")
	}
	// A face code begins fp and is long; words that begin so are short.
	const shortest = 12
	return len(run) >= shortest && (run[:2] == "fp" || run[:2] == "FP") && strings.ContainsAny(run, "0123456789")
}

// maskCode masks a payment code: **** and its last four characters, also where it
// has been masked before. A blank stays blank.
func maskCode(s string) string {
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return s
	}
	const keep = 4
	r := []rune(strings.TrimLeft(trimmed, "*"))
	return "****" + string(r[max(0, len(r)-keep):])
}

// raw is the text of a row of an input with these columns, in their order; nil
// where that is not known.
func (p Privacy) raw(columns []string, s string) string {
	if p == Keep {
		return s
	}
	cells := cellsOf(s)
	if len(cells) != len(columns) {
		return p.Text(s)
	}
	var b strings.Builder
	from := 0
	for i, c := range cells {
		b.WriteString(s[from:c.from])
		b.WriteString(p.cell(columns[i], s[c.from:c.to]))
		from = c.to
	}
	b.WriteString(s[from:])
	return b.String()
}

// A span is where a cell stands in its row, without its quotes.
type span struct{ from, to int }

// cellsOf finds the cells of a row of CSV.
func cellsOf(s string) []span {
	var cells []span
	for i := 0; ; i++ {
		c := span{from: i}
		if i < len(s) && s[i] == '"' {
			c.from++
			for i++; i < len(s) && (s[i] != '"' || i+1 < len(s) && s[i+1] == '"'); i++ {
				if s[i] == '"' {
					i++
				}
			}
			c.to = min(i, len(s))
		}
		for i < len(s) && s[i] != ',' {
			i++
		}
		if c.to == 0 {
			c.to = i
		}
		cells = append(cells, c)
		if i >= len(s) {
			return cells
		}
	}
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
