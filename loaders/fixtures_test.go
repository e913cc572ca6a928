package loaders

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// update rewrites testdata: go test ./loaders -run TestFixtures -update
var update = flag.Bool("update", false, "rewrite the fixtures in testdata")

// The fixtures of formats 15 that concern trade bills, made by one seeded
// generator. Every number in them is invented.

const (
	fixtureAccount = "20881234567890120156"
	fixturePID     = "2088123456789012"
)

// A billRecord is one row of B5, by the names of V25.
type billRecord map[string]string

// fixtures makes all files, by name.
type fixtures struct {
	rng   *rand.Rand
	files map[string][]byte
}

func makeFixtures() map[string][]byte {
	f := &fixtures{rng: newRand(), files: map[string][]byte{}}
	f.bases()
	f.resaved()
	f.spoiled()
	f.signs()
	f.footers()
	f.archives()
	f.generations()
	f.lookalikes()
	f.rebates()
	f.accounts()
	f.orders()
	return f.files
}

// b5 is B5: T1, T2, T3 and the refunds R1 of T1 and R2 of T2.
func (f *fixtures) b5() []billRecord {
	row := func(no, out, kind, created, finished, store, amount, received string) billRecord {
		return billRecord{
			"支付宝交易号": "20261119220014000000" + no, "商户订单号": out, "业务类型": kind, "商品名称": "咖啡",
			"创建时间": "2026-11-19 " + created, "完成时间": "2026-11-19 " + finished, "门店编号": store, "门店名称": store + "店",
			"操作员": "OP1", "终端号": "T1", "对方账户": "*三(138****0000)", "订单金额": amount, "商家实收": received,
			"支付宝红包": "0.00", "集分宝": "0.00", "支付宝优惠": "0.00", "商家优惠": "0.00", "券核销金额": "0.00",
			"商家红包消费金额": "0.00", "卡消费金额": "0.00", "服务费": "0.00", "分润": "0.00", "实收净额": received,
			"商户识别号": "101", "交易方式": "条码支付", "商户ID": fixturePID, "费率": "0.0038", "花呗分期手续费": "0.00", "优惠汇总": "0.00",
		}
	}
	t1 := row("10000001", "POS000123", "交易", "10:55:16", "10:55:23", "S001", "12.00", "12.00")
	t2 := row("10000002", "POS000124", "交易", "11:02:00", "11:02:09", "S001", "30.00", "28.00")
	t2["商家优惠"] = "2.00"
	t2["优惠汇总"] = "2.00"
	t3 := row("10000003", "POS000125", "交易", "12:30:41", "12:30:47", "S002", "0.01", "0.01")
	t3["支付宝红包"] = "0.01"
	r1 := row("10000001", "POS000123", "退款", "10:55:16", "13:00:00", "S001", "-12.00", "-12.00")
	r1["退款批次号/请求号"] = "RF000123"
	r2 := row("10000002", "POS000124", "退款", "11:02:00", "14:10:05", "S002", "-10.00", "-10.00")
	r2["退款批次号/请求号"] = "RF000124"
	for _, r := range []billRecord{t1, t2, t3, r1, r2} {
		r["操作员"] = fmt.Sprintf("OP%d", 1+f.rng.IntN(3))
		r["对方账户"] = fmt.Sprintf("*三(138****%04d)", f.rng.IntN(10000))
	}
	return []billRecord{t1, t2, t3, r1, r2}
}

var tabbed = map[string]bool{
	"支付宝交易号": true, "商户订单号": true, "业务类型": true, "门店编号": true, "门店名称": true, "操作员": true, "终端号": true,
	"对方账户": true, "商家红包消费金额": true, "退款批次号/请求号": true,
}

const (
	v27Header = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号,服务费（元）,实收净额（元）,商户识别号,交易方式,备注"
	v28Header = "商户ID,支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号,手续费（元）,费率,实收净额（元）,交易方式,备注"
	v22Header = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,交易门店,操作员,终端号,对账账户,订单金额,交易金额,红包抵扣,集分宝抵扣,优惠汇总,卡消费金额,卷核销金额,商家红包,退款批次号,服务费,分润,备注"

	listStart = "#-----------------------------------------业务明细列表----------------------------------------"
	listEnd   = "#-----------------------------------------业务明细列表结束------------------------------------"
)

var v29Header = strings.Replace(v27Header, "支付宝交易号", "银联交易号", 1) + ",花呗分期手续费,花呗分期数"

// A billFile is a trade bill to be written.
type billFile struct {
	account  string
	from, to string
	header   string
	rows     []billRecord
	bare     bool
	end      bool
	footers  []string
	cell     func(row int, name, value string) string
}

func (f *fixtures) v25() *billFile {
	return &billFile{
		account: fixtureAccount, from: "2026年11月19日 00:00:00", to: "2026年11月20日 00:00:00",
		header: v25Header, rows: f.b5(), end: true,
		footers: []string{
			"#交易合计：3笔，商家实收共40.01元，商家优惠共2.00元",
			"#退款合计：2笔，商家实收退款共-22.00元，商家优惠退款共0.00元",
			"#导出时间：[2026年11月20日 05:46:49]",
		},
	}
}

// text writes the bill.
func (b *billFile) text() string {
	var s strings.Builder
	if !b.bare {
		fmt.Fprintf(&s, "#支付宝业务明细查询\n#账号：[%s]\n#起始日期：[%s]   终止日期：[%s]\n%s\n", b.account, b.from, b.to, listStart)
	}
	s.WriteString(b.header + "\n")
	names := strings.Split(b.header, ",")
	for i, row := range b.rows {
		for k, name := range names {
			if k > 0 {
				s.WriteByte(',')
			}
			name = normalHeader(name)
			value, ok := row[name]
			if own := sameColumn[name]; !ok && own != "" {
				name = own
				value = row[own]
			}
			if name == "银联交易号" {
				name, value = "支付宝交易号", row["支付宝交易号"]
			}
			if tabbed[name] {
				value += "\t"
			}
			if b.cell != nil {
				value = b.cell(i, name, value)
			}
			s.WriteString(value)
		}
		s.WriteByte('\n')
	}
	if b.end && !b.bare {
		s.WriteString(listEnd + "\n" + strings.Join(b.footers, "\n") + "\n")
	}
	return s.String()
}

func gbk(text string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic(err)
	}
	return b
}

func (f *fixtures) put(name string, b *billFile) { f.files[name] = gbk(b.text()) }

func (f *fixtures) bases() {
	f.put("v25_base.csv", f.v25())
	f.files["v25_utf8.csv"] = []byte(utf8BOM + strings.ReplaceAll(f.v25().text(), "\n", "\r\n"))
	b := f.v25()
	names := append(strings.Split(strings.NewReplacer("（", "(", "）", ")").Replace(v25Header), ","), "新增列")
	f.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	b.header = strings.Join(names, ",")
	f.put("v25_shuffled.csv", b)
	b = f.v25()
	b.rows = nil
	b.footers = []string{
		"#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元", "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元",
		"#导出时间：[2026年11月20日 05:46:49]",
	}
	f.put("v25_empty_day.csv", b)
	b = f.v25()
	b.bare = true
	f.put("v25_bare.csv", b)
	b = f.v25()
	b.rows[2]["完成时间"] = "2026-11-20 00:00:00"
	f.put("v25_outside_period.csv", b)
	f.put("v25_refunds.csv", f.refunds())
}

// refunds is a day whose refunds are the matter: one of an earlier day's trade, two
// of one trade, two more without a number, one in another store.
func (f *fixtures) refunds() *billFile {
	b := f.v25()
	refund := func(no, request, amount, at, store string) billRecord {
		r := f.b5()[3]
		r["支付宝交易号"], r["退款批次号/请求号"], r["门店编号"] = no, request, store
		r["订单金额"], r["商家实收"], r["完成时间"] = amount, amount, "2026-11-19 "+at
		return r
	}
	t2 := b.rows[1]["支付宝交易号"]
	b.rows = append(b.rows[:3],
		refund("2026111822001400000099999999", "RF1", "-5.00", "09:00:00", "S001"),
		refund(t2, "RF2", "-4.00", "15:00:00", "S001"), refund(t2, "RF3", "-6.00", "15:10:00", "S001"),
		refund(t2, "", "-1.00", "16:00:00", "S001"), refund(t2, "", "-1.00", "16:00:00", "S001"),
		refund(b.rows[0]["支付宝交易号"], "RF4", "-2.00", "17:00:00", "S009"))
	b.footers[1] = "#退款合计：6笔，商家实收退款共-19.00元，商家优惠退款共0.00元"
	return b
}

// resaved are bills that went through a spreadsheet.
func (f *fixtures) resaved() {
	excel := func(lost bool) []byte {
		b := f.v25()
		b.cell = func(row int, name, value string) string {
			switch {
			case lost && row == 0 && name == "支付宝交易号":
				return "2.02611E+27"
			case lost && row == 3 && name == "支付宝交易号":
				return value[:15] + strings.Repeat("0", 13)
			case strings.HasSuffix(value, "\t"):
				return `"` + value + `"`
			case name == "创建时间" || name == "完成时间":
				return strings.ReplaceAll(value[:16], "-", "/")
			case value == "0.00":
				return "0"
			}
			return value
		}
		lines := strings.Split(strings.TrimSuffix(b.text(), "\n"), "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "#") {
				if strings.Contains(line, "合计") {
					line = `"` + line + `"`
				}
				lines[i] = line + strings.Repeat(",", 24)
			}
		}
		return gbk(strings.Join(lines, "\r\n") + "\r\n")
	}
	f.files["v25_excel.csv"] = excel(false)
	f.files["v25_excel_ids_lost.csv"] = excel(true)
}

// spoiled are bills with cells that do not read.
func (f *fixtures) spoiled() {
	b := f.v25()
	b.rows[0]["商品名称"], b.rows[4]["备注"] = "拿铁,大杯", "a,b"
	f.put("v25_comma.csv", b)
	b = f.v25()
	b.rows[4]["备注"], b.rows[4]["退款批次号/请求号"] = "1,2", "1234567890123"
	f.put("v25_comma_ambiguous.csv", b)
	b = f.v25()
	b.rows[1]["商品名称"], b.rows[2]["商品名称"] = `5" 屏`, `"半句`
	f.put("v25_quotes.csv", b)
	b = f.v25()
	b.rows[0]["商品名称"], b.rows[1]["商户订单号"] = "咖@啡", "POS@124"
	f.files["v25_bad_bytes.csv"] = bytes.ReplaceAll(gbk(b.text()), []byte("@"), []byte{0xFF})
	b = f.v25()
	b.footers = b.footers[2:]
	b.rows[0]["业务类型"] = "充值"
	b.rows[1]["订单金额"] = "12.345"
	b.rows[2]["商家实收"] = "abc"
	b.rows[3]["订单金额"], b.rows[3]["商家实收"] = `"1,234.50"`, `"1,234.50"`
	f.put("v25_bad_cells.csv", b)
}

func (f *fixtures) signs() {
	b := f.v25()
	for _, r := range b.rows[3:] {
		r["订单金额"], r["商家实收"] = r["订单金额"][1:], r["商家实收"][1:]
	}
	b.footers[1] = "#退款合计：2笔，商家实收退款共22.00元，商家优惠退款共0.00元"
	f.put("v25_refund_positive.csv", b)
	for _, fees := range [][3]string{{"neg", "-0.07", "0.00"}, {"pos", "0.07", "0.00"}, {"mixed", "-0.07", "0.17"}} {
		b := f.v25()
		b.rows[0]["服务费"], b.rows[1]["服务费"] = fees[1], fees[2]
		f.put("v25_fee_"+fees[0]+".csv", b)
	}
}

func (f *fixtures) footers() {
	for _, footer := range [][3]string{
		{"amount", "#交易合计：3笔，交易金额共42.01元，优惠金额共2.00元", "#退款合计：2笔，交易退款金额共-22.00元，优惠退款金额共0.00元"},
		{"hash", "#交易合计：3笔，商家实收共40.01元，商家优惠共2.00元", "##退款合计：2笔，商家实收退款共-22.00元，商家优惠退款共0.00元"},
		{"wrong", "#交易合计：3笔，商家实收共40.02元，商家优惠共2.00元", "#退款合计：2笔，商家实收退款共-22.00元，商家优惠退款共0.00元"},
	} {
		b := f.v25()
		b.footers = []string{footer[1], footer[2], b.footers[2]}
		f.put("v25_footer_"+footer[0]+".csv", b)
	}
	b := f.v25()
	b.rows, b.end = b.rows[:3], false
	f.put("v25_truncated.csv", b)
}

// summaryText is the summary of B5 by store; off is added to the refund count of
// S001.
func summaryText(account string, off int) string {
	return fmt.Sprintf(`#支付宝业务汇总查询
#账号：[%s]
#起始日期：[2026年11月19日 00:00:00]   终止日期：[2026年11月20日 00:00:00]
#-----------------------------------------业务汇总列表----------------------------------------
门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）
S001	,S001店	,2,%d,30.00,28.00,0.00,2.00,0.00,0.00,0.00,28.00
S002	,S002店	,1,1,-9.99,-9.99,0.00,0.00,0.00,0.00,0.00,-9.99
合计	,	,3,%d,20.01,18.01,0.00,2.00,0.00,0.00,0.00,18.01
#----------------------------------------业务汇总列表结束-------------------------------------
#导出时间：[2026年11月20日 05:20:13]
`, account, 1+off, 2+off)
}

// A zipMember is one member to be packed.
type zipMember struct {
	name string
	data []byte
}

// packed is a ZIP; names go in as GBK with the UTF-8 flag clear.
func packed(members ...zipMember) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: string(gbk(m.name)), NonUTF8: true, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(m.data)
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

func (f *fixtures) archives() {
	base, summary := gbk(f.v25().text()), gbk(summaryText(fixtureAccount, 0))
	name := fixtureAccount + "_20261119_业务明细"
	f.files["v25_gbk_names.zip"] = packed(zipMember{name + "(汇总).csv", summary}, zipMember{name + ".csv", base})
	month := f.v25()
	month.from, month.to = "2026年11月01日 00:00:00", "2026年12月01日 00:00:00"
	f.files["v25_day_month.zip"] = packed(zipMember{name + ".csv", base}, zipMember{fixtureAccount + "_202611_业务明细.csv", gbk(month.text())})
	f.files["v25_two_accounts.zip"] = packed(zipMember{name + ".csv", base}, zipMember{name + "(汇总).csv", gbk(summaryText("20889999999999990156", 0))})
	f.files["summary_wrong_store.zip"] = packed(zipMember{name + ".csv", base}, zipMember{name + "(汇总).csv", gbk(summaryText(fixtureAccount, 1))})
	f.files["readme.zip"] = packed(zipMember{name + ".csv", base}, zipMember{"说明.txt", gbk("请核对后使用\n")})
	f.files["settlement.zip"] = packed(zipMember{"批次结算到卡明细.csv", gbk("#批次结算到卡明细\n批次号,结算日期,到账金额,银行卡\n1,2026-11-19,10.00,6222\n")})
	f.files["slip.zip"] = packed(zipMember{"../../x.csv", base})
	f.files["nested.zip"] = packed(zipMember{"inner.zip", f.files["slip.zip"]})
	encrypted := bytes.Clone(f.files["slip.zip"])
	binary.LittleEndian.PutUint16(encrypted[6:], binary.LittleEndian.Uint16(encrypted[6:])|1)
	central := bytes.Index(encrypted, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint16(encrypted[central+8:], binary.LittleEndian.Uint16(encrypted[central+8:])|1)
	f.files["encrypted.zip"] = encrypted
}

func (f *fixtures) generations() {
	b := f.v25()
	b.header = v27Header
	b.rows[2]["商户识别号"] = "102"
	f.files["v27.zip"] = packed(zipMember{fixtureAccount + "_20261119_DETAILS.csv", gbk(b.text())})
	b = f.v25()
	b.header = v29Header
	f.put("v29.csv", b)
	b = f.v25()
	b.header = v22Header
	b.footers = nil
	f.put("v22.csv", b)
	b = f.v25()
	b.header, b.bare = v28Header, true
	for _, r := range b.rows[3:] {
		r["订单金额"], r["商家实收"], r["实收净额"] = r["订单金额"][1:], r["商家实收"][1:], r["实收净额"][1:]
		r["创建时间"] = ""
	}
	b.cell = func(_ int, _, value string) string { return "`" + strings.TrimSuffix(value, "\t") }
	f.files["v28b.csv"] = gbk(b.text() +
		"总交易单数,总交易实收额,交易手续费总金额,总退款笔数,总退款金额,退款手续费总金额\n`3,`40.01,`0.00,`2,`22.00,`0.00\n")
	b = f.v25()
	b.header = v27Header
	b.rows[0]["服务费"], b.rows[0]["实收净额"] = "0.07", "11.93"
	f.put("v27_net.csv", b)
}

// lookalikes are files of other kinds that must be named, and files that nobody
// knows.
func (f *fixtures) lookalikes() {
	f.files["pinduoduo.csv"] = []byte("#拼多多店铺账务明细查询\n商户订单号,发生时间,收入金额（+元）,支出金额（-元）,账务类型,备注,业务描述\nP1,2026-11-19 10:00:00,1.00,0.00,交易收入,,x\n")
	f.files["pos_no_header.csv"] = []byte("A001,P01,000001,SKU1,可乐,3.00,20261119\nA001,P01,000002,SKU2,面包,-5.00,20261119\n")
	f.files["personal_w16.csv"] = gbk("支付宝交易记录明细查询\n账号:[x@example.com]\n起始日期:[2026-11-01 00:00:00]    终止日期:[2026-11-20 00:00:00]\n---------------------------------交易记录明细列表------------------------------------\n" +
		"交易号                  ,商家订单号               ,交易创建时间              ,付款时间                ,最近修改时间              ,交易来源地     ,类型              ,交易对方            ,商品名称                ,金额（元）   ,收/支     ,交易状态    ,服务费（元）   ,成功退款（元）  ,备注                  ,资金状态     ,\n" +
		"1\t,S1\t,2026-11-19 10:00:00 ,2026-11-19 10:00:01 ,2026-11-19 10:00:01 ,支付宝网站,即时到账交易,店,茶,1.00 ,支出,交易成功,0.00,0.00,,已支出,\n" +
		"------------------------------------------------------------------------------------\n共1笔记录\n")
	a12 := "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,\n2026-11-19 10:00:00,餐饮,店,/,茶,支出,1.00,余额,交易成功,1\t,S1\t,,\n"
	preamble := strings.Repeat("说明\n", 22)
	f.files["personal_a11.csv"] = gbk("------------------------支付宝（中国）网络技术有限公司  电子客户回单------------------------\n收/支,交易对方,对方账号,商品说明,收/付款方式,金额,交易状态,交易分类,交易订单号,商家订单号,交易时间,\n支出,店,/,茶,余额,1.00,交易成功,餐饮,1\t,S1\t,2026-11-19 10:00:00 ,\n")
	f.files["personal_a12.csv"] = gbk(preamble + "说明\n------------------------支付宝（中国）网络技术有限公司  电子客户回单------------------------\n" + a12)
	f.files["personal_a12b.csv"] = gbk(preamble + "------------------------支付宝支付科技有限公司  电子客户回单------------------------\n" + a12)
	f.files["wechat_all.csv"] = []byte(utf8BOM + wechatText(wechatAll, "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n`3,`12.00,`2.00,`0.00,`0.06000,`12.00,`2.00\n", ","))
	f.files["wechat_old_tab.csv"] = gbk(wechatText(wechatOld, "总交易单数\t总交易额\t总退款金额\t总企业红包退款金额\t手续费总金额\n`3\t`12.00\t`2.00\t`0.00\t`0.06000\n", "\t"))
	f.files["wechat_fund.csv"] = []byte(utf8BOM + "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\n" +
		"`2026-11-19 10:00:00,`4200001,`F1,`交易,`交易,`收入,`12.00,`112.00,`system,`,`V1\n`2026-11-19 10:00:00,`4200001,`F2,`扣除交易手续费,`扣除交易手续费,`支出,`0.07,`111.93,`system,`,`V2\n" +
		"`2026-11-19 11:00:00,`4200001,`F3,`退款,`退款,`支出,`2.00,`109.93,`x,`,`V3\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`3,`1,`12.00,`2,`2.07\n")
	f.files["wechat_personal.csv"] = []byte(utf8BOM + "微信支付账单明细,,,,,,,,,,\n交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注\n2026-11-19 10:00:00,商户消费,\"店\",\"茶\",支出,¥1.00,零钱,支付成功,1\t,2\t,/\n")
}

const (
	wechatAll = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	wechatOld = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率"
)

// wechatText is a WeChat bill of three rows: a trade, a refund and a revoked one.
func wechatText(header, totals, comma string) string {
	names := strings.Split(header, ",")
	text := strings.Join(names, comma) + "\n"
	for i, state := range []string{"SUCCESS", "REFUND", "REVOKED"} {
		cells := make([]string, len(names))
		for k, name := range names {
			value := "0"
			switch {
			case name == "交易时间":
				value = "2026-11-19 10:00:00"
			case name == "交易状态":
				value = state
			case name == "微信订单号", name == "商户订单号":
				value = fmt.Sprintf("42000%d", i)
			case i == 0 && (name == "应结订单金额" || name == "总金额" || name == "订单金额"):
				value = "12.00"
			case i > 0 && (name == "退款金额" || name == "申请退款金额"):
				value = "1.00"
			case name == "手续费":
				value = []string{"0.07000", "-0.01000", "0.00000"}[i]
			case strings.Contains(name, "金额"):
				value = "0.00"
			}
			cells[k] = "`" + value
		}
		text += strings.Join(cells, comma) + "\n"
	}
	return text + totals
}

// TestFixtures compares testdata with the generator.
func TestFixtures(t *testing.T) {
	for name, want := range makeFixtures() {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the generator makes; run with -update", path)
		}
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(20261119, 15)) }
