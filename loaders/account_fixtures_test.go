package loaders

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zip"
)

// The fixtures of formats 15 that concern account bills.

const (
	s12Header  = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"
	s12bHeader = "账务流水号,业务流水号,商品名称,发生时间,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注,商户订单号,对方账号"
	s13Header  = "账务流水号,业务流水号,商品名称,发生时间,收入金额（+元）,支出金额（-元）,账户余额（元）,业务类型,备注,商户订单号,对方账号,业务描述,业务基础订单号"
	s16Header  = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注,业务描述,业务账单来源,业务基础订单号,业务订单号"

	portal19Header = "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,对方账户,对方名称,银行订单号,商品名称,备注,业务基础订单号,业务订单号,业务账单来源,业务描述,付款备注"
	portal15Header = "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,对方账户,对方名称,银行订单号,商品名称,备注,业务描述"
	portal8Header  = "入账时间,账务类型,收入（+元）,支出（-元）,业务描述,支付宝流水号,业务基础订单号,余额（元）"

	accountListStart = "#-----------------------------------------账务明细列表----------------------------------------"
	accountListEnd   = "#----------------------------------------账务明细列表结束-------------------------------------"
)

// accountNamesOfPortal are the names that the portal has for the same columns.
var accountNamesOfPortal = map[string]string{
	"入账时间": "发生时间", "支付宝流水号": "账务流水号", "支付宝交易号": "业务流水号", "账务类型": "业务类型", "收入": "收入金额", "支出": "支出金额",
	"余额": "账户余额", "对方账户": "对方账号",
}

// An accountFile is an account bill to be written.
type accountFile struct {
	title    string
	account  string
	from, to string
	header   string
	rows     []billRecord
	footers  []string
	positive bool   // 支出 without a sign
	none     string // what an empty amount cell holds
}

// a4 is A4: in 12.00 and 28.00, out 0.07 as a fee and 12.00 as a refund.
func (f *fixtures) a4() *accountFile {
	row := func(no, trade, out, at, kind, in, spent, balance string) billRecord {
		return billRecord{
			"账务流水号": "1234567890" + no, "业务流水号": trade, "商户订单号": out, "商品名称": "咖啡", "发生时间": "2026-11-19 " + at,
			"对方账号": fmt.Sprintf("138****%04d", f.rng.IntN(10000)), "收入金额": in, "支出金额": spent, "账户余额": balance, "交易渠道": "支付宝",
			"业务类型": kind, "业务描述": "", "业务账单来源": "", "业务基础订单号": "", "业务订单号": "",
		}
	}
	const t1, t2 = "2026111922001400000010000001", "2026111922001400000010000002"
	return &accountFile{
		title: "#支付宝账务明细查询", account: fixtureAccount,
		from: "2026年11月19日 00:00:00", to: "2026年11月20日 00:00:00", header: s12Header, none: "0.00",
		rows: []billRecord{
			row("01", t1, "POS000123", "10:55:23", "在线支付", "12.00", "", "1012.00"),
			row("02", t1, "POS000123", "10:55:23", "收费", "", "0.07", "1011.93"),
			row("03", t2, "POS000124", "11:02:09", "交易付款", "28.00", "", "1039.93"),
			row("04", t1, "POS000123", "13:00:00", "交易退款", "", "12.00", "1027.93"),
		},
		footers: []string{"#支出合计：2笔，共-12.07元", "#收入合计：2笔，共40.00元", "#导出时间：[2026年11月20日 13:19:01]"},
	}
}

// cells are the bill's lines, cell by cell.
func (a *accountFile) cells() [][]string {
	var lines [][]string
	if a.title != "" {
		lines = append(lines, []string{a.title}, []string{"#账号：[" + a.account + "]"},
			[]string{"#起始日期：[" + a.from + "]   终止日期：[" + a.to + "]"}, []string{accountListStart})
	}
	names := strings.Split(a.header, ",")
	lines = append(lines, names)
	for i, row := range a.rows {
		var line []string
		for _, name := range names {
			name = normalHeader(name)
			if own, ok := accountNamesOfPortal[name]; ok {
				name = own
			}
			value := row[name]
			switch name {
			case "序号":
				value = fmt.Sprint(i + 1)
			case "账务流水号", "业务流水号", "商户订单号":
				if a.none != " " {
					value += "\t"
				}
			case "支出金额":
				if value != "" && !a.positive {
					value = "-" + value
					value = strings.TrimPrefix(value, "--")
				}
				if value == "" {
					value = a.none
				}
			case "收入金额":
				if value == "" {
					value = a.none
				}
			}
			if value == "" && a.none == " " {
				value = " "
			}
			line = append(line, value)
		}
		lines = append(lines, line)
	}
	if a.title != "" {
		lines = append(lines, []string{accountListEnd})
		for _, footer := range a.footers {
			lines = append(lines, []string{footer})
		}
	}
	return lines
}

func (a *accountFile) text() string {
	var s strings.Builder
	for _, line := range a.cells() {
		s.WriteString(strings.Join(line, ",") + "\n")
	}
	return s.String()
}

func (f *fixtures) putAccount(name string, a *accountFile) { f.files[name] = gbk(a.text()) }

func (f *fixtures) accounts() {
	f.putAccount("s12.csv", f.a4())
	a := f.a4()
	a.header, a.positive, a.none = s12bHeader, true, " "
	a.footers[0] = "#支出合计：2笔，共12.07元"
	f.putAccount("s12b.csv", a)
	a = f.a4()
	a.header, a.none = s13Header, ""
	f.files["s13.xlsx"] = sheetOf(a.cells())
	a = f.a4()
	names := strings.Split(s16Header, ",")
	f.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	a.header, a.positive, a.none = strings.Join(names, ","), true, "0"
	f.putAccount("s16.csv", a)
	f.mixedAccounts()
	f.oddAccounts()
	f.portals()
}

// mixedAccounts have one positive 支出 among negative ones.
func (f *fixtures) mixedAccounts() {
	mixed := func(footer string) *accountFile {
		a := f.a4()
		back := f.a4().rows[1]
		back["账务流水号"], back["发生时间"], back["支出金额"] = "123456789005", "2026-11-19 13:00:01", "-0.07"
		a.rows = append(a.rows, back)
		a.footers[0] = footer
		return a
	}
	a := mixed("#支出合计：3笔，共-12.00元") // 0.07 comes back
	a.rows[4]["账户余额"] = "1028.00"
	f.putAccount("s12_mixed.csv", a)
	a = mixed("#支出合计：3笔，共-12.14元")
	a.rows[4]["账户余额"] = "1027.86"
	f.putAccount("s12_mixed2.csv", a)
}

func (f *fixtures) oddAccounts() {
	a := f.a4()
	a.title = "#支付宝账务汇总查询"
	lines := strings.Split(strings.TrimSuffix(a.text(), "\n"), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "#") {
			line += strings.Repeat(",", 11)
		}
		lines[i] = "," + line
	}
	f.files["s12_odd.csv"] = gbk(strings.Join(lines, "\r\n") + "\r\n")

	a = f.a4()
	more := func(no, trade, kind, in, spent, balance string) {
		row := f.a4().rows[0]
		row["账务流水号"], row["业务流水号"], row["商户订单号"], row["业务类型"] = "1234567890"+no, trade, "", kind
		row["收入金额"], row["支出金额"], row["账户余额"] = in, spent, balance
		a.rows = append(a.rows, row)
	}
	more("11", "", "在线支付", "1.00", "1.00", "1027.93")
	more("12", "20261119110070001502000000000001", "提现", "", "500.00", "527.93")
	more("13", "20261119110070001502000000000002", "转账", "", "20.00", "507.93")
	more("14", "2026111922001499990099999999", "在线支付", "6.60", "", "514.53")
	a.footers[0], a.footers[1] = "#支出合计：4笔，共-532.07元", "#收入合计：3笔，共46.60元"
	f.putAccount("s12_rows.csv", a)

	a = f.a4()
	a.footers[1] = "#收入合计：2笔，共40.01元"
	f.putAccount("s12_footer_wrong.csv", a)

	first, second := f.a4(), f.a4()
	first.to, second.from = "2026年11月19日 12:00:00", "2026年11月19日 12:00:00"
	first.rows, second.rows = first.rows[:3], second.rows[3:]
	first.footers[0] = "#支出合计：1笔，共-0.07元"
	second.footers[0], second.footers[1] = "#支出合计：1笔，共-12.00元", "#收入合计：0笔，共0.00元"
	name := fixtureAccount + "_20261119_账务"
	f.files["s12_split.zip"] = packed(
		zipMember{name + "明细_2.csv", gbk(second.text())}, zipMember{name + "明细_1.csv", gbk(first.text())},
		zipMember{name + "汇总.csv", gbk(accountSummaryText)})
	f.files["s_summary.csv"] = gbk(accountSummaryText)
	f.files["s12_two_accounts.zip"] = packed(
		zipMember{name + "明细.csv", gbk(f.a4().text())},
		zipMember{name + "汇总.csv", gbk(strings.Replace(accountSummaryText, fixtureAccount, "20889999999999990156", 1))})
}

// accountSummaryText is the summary of A4.
const accountSummaryText = `#支付宝账务汇总查询
#账号：[` + fixtureAccount + `]
#起始日期：[2026年11月19日 00:00:00]   终止日期：[2026年11月20日 00:00:00]
#-----------------------------------------账务汇总列表----------------------------------------
类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）
在线支付,2,40.00,0,0.00,40.00
收费,0,0.00,1,-0.07,-0.07
交易退款,0,0.00,1,-12.00,-12.00
合计,2,40.00,2,-12.07,27.93
#----------------------------------------账务汇总列表结束-------------------------------------
#导出时间：[2026年11月20日 13:19:01]
`

// portals are the exports of the merchant portal, newest row first.
func (f *fixtures) portals() {
	preamble := []string{"#账号：demo***@example.com[" + fixturePID + "]", "#查询起始日期：2026-11-19 00:00:00查询终止日期：2026-11-19 23:59:59"}
	portal := func(header string) [][]string {
		a := f.a4()
		a.title, a.header, a.positive, a.none = "", header, true, " "
		back := f.a4().rows[0] // the account holder was the buyer
		back["账务流水号"], back["业务流水号"], back["商户订单号"], back["业务类型"] = "123456789009", "2026111822001400000088888888", "", "退款"
		back["发生时间"], back["收入金额"], back["账户余额"] = "2026-11-19 14:00:00", "3.00", "1030.93"
		a.rows = append(a.rows, back)
		slices.Reverse(a.rows)
		lines := [][]string{{preamble[0]}, {preamble[1]}}
		return append(append(lines, a.cells()...), []string{"#导出时间：2026-11-20 18:06:54"})
	}
	text := func(lines [][]string) []byte {
		var s strings.Builder
		for _, line := range lines {
			s.WriteString(strings.Join(line, ",") + "\n")
		}
		return gbk(s.String())
	}
	f.files["portal19.csv"] = text(portal(portal19Header))
	f.files["portal15.csv"] = text(portal(portal15Header))
	f.files["portal8.csv"] = text(portal(portal8Header))
	f.files["portal.xlsx"] = sheetOf(portal(portal19Header))
}

// sheetOf is a workbook of one sheet, with the amounts of rows as numbers. Its
// bytes are the same every time.
func sheetOf(lines [][]string) []byte { return bookOf(bookSheet{"Sheet1", lines}) }

// A bookSheet is a sheet of a workbook: a value with one point in it is a number.
type bookSheet struct {
	name  string
	lines [][]string
}

func (s *bookSheet) xml() string {
	var sheet strings.Builder
	sheet.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for i, line := range s.lines {
		fmt.Fprintf(&sheet, `<row r="%d">`, i+1)
		for k, value := range line {
			at := fmt.Sprintf("%c%d", 'A'+k, i+1)
			switch {
			case value == "":
			case !strings.Contains(value, " ") && strings.Count(value, ".") == 1 && strings.Trim(value, "-0123456789.") == "":
				fmt.Fprintf(&sheet, `<c r="%s"><v>%s</v></c>`, at, value)
			default:
				fmt.Fprintf(&sheet, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, at, escape.Replace(value))
			}
		}
		sheet.WriteString("</row>")
	}
	sheet.WriteString("</sheetData></worksheet>")
	return sheet.String()
}

// bookOf is a workbook.
func bookOf(sheets ...bookSheet) []byte {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	var types, list, links strings.Builder
	for i, s := range sheets {
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, i+1)
		fmt.Fprintf(&list, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, s.name, i+1, i+1)
		fmt.Fprintf(&links, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, i+1, i+1)
	}
	parts := [][2]string{
		{"[Content_Types].xml", head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", head + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + list.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + links.String() + `</Relationships>`},
	}
	for i := range sheets {
		parts = append(parts, [2]string{fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), sheets[i].xml()})
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, part := range parts {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = w.Write([]byte(part[1]))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}
