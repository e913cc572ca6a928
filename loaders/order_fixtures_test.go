package loaders

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/klauspost/compress/zip"
)

// The fixtures of formats 15 that concern orders of other systems.

// taobaoRecord is a row of an order export; what it does not name is blank.
type taobaoRecord map[string]string

func taobaoRecords() []taobaoRecord {
	return []taobaoRecord{
		{
			"订单编号": "1930000000000000011", "买家会员名": "甲", "买家应付货款": "88.00", "总金额": "88.00", "买家实际支付金额": "80.00元",
			"订单状态": "买家已付款，等待卖家发货", "买家留言": "请\n放门口", "收货人姓名": "张三", "收货地址": "某省某市某路1号", "联系手机": "'18600001234",
			"订单创建时间": "2016/5/23 22:02", "订单付款时间": "2016/5/23 22:03", "退款金额": "无退款申请", "是否是O2O交易": "否",
		},
		{
			"订单编号": "1930000000000000012", "买家会员名": "乙", "买家应付货款": "12.00", "总金额": "12.00", "买家实际支付金额": "12.00",
			"订单状态": "交易成功", "收货人姓名": "李四", "联系手机": "'13900005678",
			"订单创建时间": "2016-05-23 10:00:00", "订单付款时间": "2016-05-23 10:00:05", "退款金额": "无退款申请", "是否是O2O交易": "是",
		},
		{
			"订单编号": "1930000000000000013", "买家会员名": "丙", "买家应付货款": "5.00", "总金额": "5.00", "买家实际支付金额": "0.00",
			"订单状态": "交易关闭", "订单创建时间": "2016-05-23 11:00:00", "退款金额": "无退款申请", "是否是O2O交易": "",
		},
	}
}

func layoutOf(format, dialect string) []string {
	for _, l := range layouts[format] {
		if l.dialect == dialect {
			return l.columns
		}
	}
	panic("loaders: no layout " + dialect)
}

func (f *fixtures) orders() {
	columns := layoutOf("taobao_orders", "E41")
	var b strings.Builder
	for i, column := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		switch column {
		case "收货地址", "联系电话", "订单付款时间", "宝贝标题", "宝贝种类", "物流单号":
			column += " "
		}
		b.WriteString(column)
	}
	b.WriteByte('\n')
	for _, r := range taobaoRecords() {
		for i, column := range columns {
			if i > 0 {
				b.WriteByte(',')
			}
			value := r[column]
			if column == "订单编号" {
				value = `="` + value + `"`
			}
			b.WriteString(`"` + strings.ReplaceAll(value, `"`, `""`) + `"`)
		}
		b.WriteByte('\n')
	}
	f.files["taobao_e41.csv"] = gbk(b.String())

	columns = layoutOf("taobao_orders", "E61")
	rows := [][]any{texts(columns)}
	for i, r := range taobaoRecords() {
		row := make([]any, len(columns))
		for k, column := range columns {
			row[k] = r[column]
		}
		if i == 2 { // Excel shows 1.93E+18 and keeps 15 digits
			row[0] = 1930000000000000000
		}
		rows = append(rows, row)
	}
	f.files["taobao_e61.xlsx"] = plainXLSX(rows)

	f.files["kukeduo.csv"] = gbk(`订单编号,订单类型,订单子类型,订单状态,支付状态,支付方式,储值抵扣,应付金额,收货人,电话,订单时间,操作
D00000000000001,刷脸支付订单,支付宝刷脸订单,订单完成,已支付,线上,0.00,0.01元,,,2019/12/6 12:15:08,
D00000000000002,刷脸支付订单,支付宝刷脸订单,订单完成,已支付,线上,0.00,0.00元,,,2019/12/6 9:05:08,
D00000000000003,刷脸支付订单,支付宝刷脸订单,订单取消,未支付,线上,0.00,1207.20元,,,2019/12/6 12:17:08,
O00000000000004,实物订单,普通订单,订单完成,已支付,线上,0.00,30.00元,张三,13800001234,2019/12/6 12:18:08,
`)
	f.files["taobao_api.json"] = []byte(`{
  "trades_sold_get_response": {
    "total_results": 4,
    "trades": {
      "trade": [
        {"tid": 1930000000000000021, "status": "TRADE_FINISHED", "payment": "12.00", "is_o2o_passport": true, "created": "2026-11-19 10:00:00", "pay_time": "2026-11-19 10:00:05", "receiver_name": "张三", "receiver_address": "某省某市某路1号"},
        {"tid": 1930000000000000022, "tid_str": "1930000000000000022", "status": "WAIT_SELLER_SEND_GOODS", "payment": 30.5, "is_o2o_passport": null, "created": "2026-11-19 11:00:00"},
        {"tid": 1930000000000000023, "status": "TRADE_CLOSED_BY_TAOBAO", "payment": "7.00", "created": "2026-11-19 12:00:00"},
        {"tid": 1930000000000000024, "status": "TRADE_FINISHED", "payment": "9.00", "type": "o2o_offlinetrade", "alipay_no": "2026112022001400000000000024", "o2o_shop_id": 8, "created": "2026-11-19 13:00:00"}
      ]
    }
  }
}
`)
	f.files["pos_pid_number.xlsx"] = plainXLSX([][]any{
		{"商户订单号", "订单时间", "订单金额", "服务商PID"},
		{"P1", "2026-11-19 10:55:16", "12.00", 2088123456789016},
		{"P2", "2026-11-19 10:56:16", "13.00", "2088123456789016"},
	})
}

func texts(cells []string) []any {
	row := make([]any, len(cells))
	for i, cell := range cells {
		row[i] = cell
	}
	return row
}

// plainXLSX is a workbook of one sheet: texts are inline, ints are number cells.
func plainXLSX(rows [][]any) []byte {
	var sheet strings.Builder
	sheet.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for i, row := range rows {
		fmt.Fprintf(&sheet, `<row r="%d">`, i+1)
		for _, cell := range row {
			switch cell := cell.(type) {
			case int:
				fmt.Fprintf(&sheet, `<c><v>%d</v></c>`, cell)
			case string:
				fmt.Fprintf(&sheet, `<c t="inlineStr"><is><t>%s</t></is></c>`, html.EscapeString(cell))
			default:
				panic(fmt.Sprintf("loaders: a cell of %T", cell))
			}
		}
		sheet.WriteString(`</row>`)
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/worksheets/sheet1.xml", sheet.String()},
	} {
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
	return out.Bytes()
}
