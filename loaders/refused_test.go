package loaders

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/xuri/excelize/v2"

	"duizhang/engine/schema"
)

// inspected is what Inspect says of a file, in Chinese: outcomes, one a line.
func inspected(t testing.TB, name string, data []byte) ([]*schema.Table, string) {
	t.Helper()
	in := writeFile(t, name, data)
	in.Kind = 0
	tables, _, err := Inspect(context.Background(), in, Options{Lang: "zh"}, 2)
	if err != nil {
		t.Fatalf("Inspect(%s) = %v", name, err)
	}
	lines := make([]string, len(tables))
	for i, tab := range tables {
		lines[i] = outcome(tab)
	}
	return tables, strings.Join(lines, "\n")
}

// saying are the messages of tables, in one text.
func saying(tables []*schema.Table) string {
	var b strings.Builder
	for _, tab := range tables {
		for _, p := range tab.Problems {
			fmt.Fprintf(&b, "%s: %s\n", p.Code, p.Message)
		}
	}
	return b.String()
}

// workbookOf has the cells of one line a row.
func workbookOf(t testing.TB, text string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		cells := strings.Split(line, ",")
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Tables of one required column took whatever has that column among others.
func TestOneColumnSwallowsTheTable(t *testing.T) {
	for _, test := range []struct{ file, want, near string }{
		{
			"小票号,应收,下单时间,商户PID\nA1,1.00,2026-11-20 10:00:00,2088717085982806\n", "refused !unrecognised=1",
			"最接近的是：POS 订单（pos_orders），缺少 out_trade_no（商户订单号、订单编号）、order_time（订单时间、交易时间），文件中最接近的是「下单时间」",
		},
		{"券名称,小票号,金额\n满减,A1,1.00\n", "refused !unrecognised=1", "优惠券档案（coupons），3 列中只认得 1 列"},
		{
			"provider_pid,product,rate\n2088731199938475,face_to_face,0.0055\n", "refused !unrecognised=1",
			"最接近的是：返佣协议（agreements），缺少 effective_from（生效日期）",
		},
		{
			"provider_pid,product,rate,basis\n2088731199938475,face_to_face,0.0055,received\n", "refused !unrecognised=1",
			"返佣协议（agreements），缺少 effective_from",
		},
		{"provider_pid,product,rate,effective_from\n2088731199938475,face_to_face,0.0055,2026-01-01\n", "agreements 1/1", ""},
		{"merchant_pid,name,城市,经理\n2088717085982806,店,杭州,李\n", "merchants 1/1", ""},
		{"provider_pid,name\n2088731199938475,我司\n", "providers 1/1", ""},
		// The most required columns count before the fewest unknown ones.
		{"store_id,merchant_pid,name,省,市,区\nS1,2088717085982806,店,,,\n", "stores 1/1", ""},
	} {
		for name, data := range map[string][]byte{"x.csv": []byte(test.file), "x.xlsx": workbookOf(t, test.file)} {
			tables, got := inspected(t, name, data)
			if got != test.want || !strings.Contains(saying(tables), test.near) {
				t.Errorf("Inspect(%s %q) = %s, want %s with %q\n%s", name, test.file, got, test.want, test.near, saying(tables))
			}
		}
	}
}

// A file that has all columns of its kind was refused as another kind.
func TestGivenKindIsTaken(t *testing.T) {
	for _, test := range []struct {
		kind       schema.InputKind
		file, want string
	}{
		{schema.AgreementsKind, "provider_pid,product,rate,effective_from\n2088731199938475,face_to_face,0.0055,2026-01-01\n", "agreements 1/1"},
		{schema.AgreementsKind, "provider_pid,product,rate,basis\n2088731199938475,face_to_face,0.0055,received\n", "refused !column_missing=1"},
		{schema.AgreementsKind, "provider_pid,rate\n2088731199938475,0.0055\n", "refused !column_missing=1"},
		{schema.AgreementsKind, "provider_pid,name\n2088731199938475,我司\n", "refused !wrong_kind=1"},
		{schema.MerchantsKind, "小票号,应收,下单时间,商户PID\nA1,1.00,2026-11-20,2088717085982806\n", "merchants 1/1"},
		{schema.MerchantsKind, "store_id,merchant_pid,name\nS1,2088717085982806,店\n", "refused !wrong_kind=1"},
		{schema.PosOrders, "小票号,应收,下单时间,商户PID\nA1,1.00,2026-11-20,2088717085982806\n", "refused !unrecognised=1"},
		{schema.PosOrders, "provider_pid,name\n2088731199938475,我司\n", "refused !wrong_kind=1"},
	} {
		g := loadText(t, test.kind, test.file)
		if got := outcome(g.tables[0]); got != test.want {
			t.Errorf("Load(%v, %q) = %s, want %s\n%s", test.kind, test.file, got, test.want, g.problems())
		}
	}
}

// Columns that are named by the missing one, and kinds in the reader's words.
func TestKindsAreNamedInWords(t *testing.T) {
	g := loadText(t, schema.PosOrders, "provider_pid,name\n2088731199938475,我司\n")
	if got := g.problems(); !strings.Contains(got, "这是服务商档案（providers）") {
		t.Errorf("problems %q, want the kind in Chinese", got)
	}
	for i := range formats {
		if words := formatWords(&formats[i], "zh"); formatNames[formats[i].name][0] == "" || !strings.HasSuffix(words, "（"+formats[i].name+"）") {
			t.Errorf("formatWords(%s) = %q", formats[i].name, words)
		}
	}
	g = load(t, Options{}, canonicalInput{kind: schema.Rebate, data: []byte("period,merchant_pid,rebate_amount\n2026-11,2088717085982806,1\n")})
	if got := g.problems(); !strings.Contains(got, "作业文件") || !strings.Contains(got, "rebate.statement_pid") {
		t.Errorf("problems %q, want the setting named", got)
	}
}

// A bill whose lines end in CR was a coupon table of no rows.
func TestCRLineEnds(t *testing.T) {
	fx := &fixtures{rng: newRand()}
	bill := fx.v25().text()
	cr := strings.ReplaceAll(bill, "\n", "\r")
	readme := zipMember{"说明.txt", []byte("please\rread\rthis\r")}
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"bill.csv", gbk(cr), "refused !unreadable=1"},
		{"bill.csv.gz", gzipped(t, gbk(cr)), "refused !unreadable=1"},
		{"bill.zip", packed(zipMember{"bill.csv", gbk(cr)}, zipMember{"ok.csv", gbk(bill)}), "refused !unreadable=1\ntrade_bill V25 5/5"},
		{"readme.zip", packed(zipMember{"ok.csv", gbk(bill)}, readme), "trade_bill V25 5/5\nnone 0/0 !unrecognised=1"},
		{"one.csv", []byte("provider_pid,name\r"), "providers 0/0"},
	} {
		tables, got := inspected(t, test.name, test.data)
		if got != test.want {
			t.Errorf("Inspect(%s) = %s, want %s", test.name, got, test.want)
		}
		if says := saying(tables); test.name != "one.csv" && !strings.Contains(says, "行结束符是 CR（旧 Mac 格式），请另存为 CRLF 或 LF") {
			t.Errorf("Inspect(%s) says %q", test.name, says)
		}
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Text in UTF-16 was noise of no known format.
func TestUTF16IsNamed(t *testing.T) {
	text := "商户订单号,订单时间,订单金额\r\nA1,2026-11-20 10:00:00,1.00\r\n"
	little, big := []byte{0xFF, 0xFE}, []byte{0xFE, 0xFF}
	for _, c := range text { // none of it beyond 16 bits
		little, big = append(little, byte(c), byte(c>>8)), append(big, byte(c>>8), byte(c))
	}
	for _, data := range [][]byte{little, big} {
		tables, got := inspected(t, "pos.csv", data)
		want := "unreadable: 无法读取: 文件是 UTF-16 编码，请另存为 UTF-8 或 GBK 的 CSV\n"
		if says := saying(tables); got != "refused !unreadable=1" || says != want {
			t.Errorf("Inspect = %s, %q, want %q", got, says, want)
		}
	}
}

// A first line without an end was an empty file.
func TestLongFirstLineIsNotEmpty(t *testing.T) {
	for _, data := range [][]byte{bytes.Repeat([]byte("x"), 3<<20), append([]byte("\n"), bytes.Repeat([]byte("x"), 3<<20)...)} {
		tables, got := inspected(t, "long.csv", data)
		want := "unrecognised: 不认识的文件格式: 第一行超过 1 MiB，不是表格\n"
		if says := saying(tables); got != "refused !unrecognised=1" || says != want {
			t.Errorf("Inspect = %s, %q, want %q", got, says, want)
		}
	}
}

// A member that unpacks to too much was listed as a stranger when it is no table,
// and said to be cut off as well when it is one.
func TestUnsafeMemberIsNoStranger(t *testing.T) {
	fx := &fixtures{rng: newRand()}
	bill := gbk(fx.v25().text())
	zeros := bytes.Repeat([]byte(strings.Repeat("0", 127)+"\n"), 80<<20/128)
	bomb := append(bytes.Clone(bill[:bytes.LastIndex(bill, []byte("#---"))]), zeros...)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"bomb.zip", packed(zipMember{"bill.csv", bill}, zipMember{"x.bin", zeros}), "trade_bill V25 5/5\nrefused !archive_unsafe=1"},
		{"bill.zip", packed(zipMember{"bill.csv", bomb}), "refused !archive_unsafe=1"},
		{"bomb.gz", gzipped(t, zeros), "refused !archive_unsafe=1"},
		{"bill.gz", gzipped(t, bomb), "refused !archive_unsafe=1"},
	} {
		if tables, got := inspected(t, test.name, test.data); got != test.want {
			t.Errorf("Inspect(%s) = %s, want %s\n%s", test.name, got, test.want, saying(tables))
		}
	}
}

// Broken archives were refused in the words of the libraries.
func TestBrokenArchiveInWords(t *testing.T) {
	fx := &fixtures{rng: newRand()}
	bill := gbk(fx.v25().text())
	whole := packed(zipMember{"bill.csv", bill})
	spoiled := bytes.Clone(whole)
	for i := 200; i < 400; i++ {
		spoiled[i] ^= 0x5A
	}
	gz := gzipped(t, bill)
	for name, data := range map[string][]byte{
		"cut.zip": whole[:len(whole)/2], "spoiled.zip": spoiled, "cut.gz": gz[:len(gz)/2], "head.gz": gz[:5],
	} {
		tables, got := inspected(t, name, data)
		want := "unreadable: 无法读取: 压缩包损坏或没有下载完整，请重新下载\n"
		if says := saying(tables); got != "refused !unreadable=1" || says != want {
			t.Errorf("Inspect(%s) = %s, %q, want %q", name, got, says, want)
		}
	}
}

// A refused table counted its rows as accepted, and lost its encoding.
func TestRefusedTableAcceptsNothing(t *testing.T) {
	for _, file := range []string{"v25_truncated.csv", "wechat_all.csv"} {
		_, tables := loadBills(t, Options{}, fixture(file))
		if tab := tables[0]; !tab.Refused || tab.Accepted != 0 || tab.Encoding == "" {
			t.Errorf("Load(%s): refused %v, %d accepted, encoding %q", file, tab.Refused, tab.Accepted, tab.Encoding)
		}
	}
	tables, _ := inspected(t, "unknown.csv", gbk("甲,乙\n一,二\n"))
	if got := tables[0].Encoding; got != "gb18030" {
		t.Errorf("encoding of a file of no known format %q, want gb18030", got)
	}
}

// An account line with nothing in it went unnoticed.
func TestBlankAccountIsSaid(t *testing.T) {
	fx := &fixtures{rng: newRand()}
	b := fx.v25()
	b.account = ""
	tables, got := inspected(t, "bill.csv", gbk(b.text()))
	if want := "trade_bill V25 5/5 !account_missing=1"; got != want || tables[0].Problems[0].Line != 2 || tables[0].Problems[0].Message != "账号为空" {
		t.Errorf("Inspect = %s, want %s: %+v", got, want, tables[0].Problems)
	}
}

// Rejects said that a value is wrong and not what is right.
func TestRejectsSayWhatIsRight(t *testing.T) {
	for _, test := range []struct {
		kind       schema.InputKind
		file, want string
	}{
		{schema.Rebate, "账期,服务商PID,返佣金额\n2026-13,2088731199938475,1\n", "「账期」应为 2026-11 或 2026-11-20"},
		{schema.Rebate, "账期,服务商PID,商户PID,返佣金额\n2026-11,2088731199938475,16800,1\n", "应为 PID：2088 开头的 16 位数字"},
		{schema.ProvidersKind, "provider_pid,primary\n12345,\n", "应为 PID：2088 开头的 16 位数字"},
		{schema.ProvidersKind, "provider_pid,primary\n2088731199938475,maybe\n", "应为 true, 是, false, 否"},
		{schema.AgreementsKind, "provider_pid,product,rate,effective_from,basis\n2088731199938475,x,0.01,2026-01-01,profit\n", "应为 received, order_amount, buyer_paid"},
		{schema.AgreementsKind, "provider_pid,product,rate,effective_from,rounding\n2088731199938475,x,0.01,2026-01-01,week\n", "应为 trade, period"},
		{schema.PosRefundsKind, "out_trade_no,refund_time,refund_amount,mode\nA1,2026-11-20 10:00:00,1,half\n", "应为 whole, 整单, list_price, 方案一, prorated, 方案二, reorder, 方案三"},
	} {
		g := loadText(t, test.kind, test.file)
		if got := g.problems(); !strings.HasSuffix(got, ": "+test.want) {
			t.Errorf("Load(%v, %q) says %q, want %q", test.kind, test.file, got, test.want)
		}
	}
	_, tables := loadBills(t, Options{}, fixture("v25_bad_cells.csv"))
	if got := saying(tables); !strings.Contains(got, "enum_value: 不是允许的取值: 应为 交易, 退款") {
		t.Errorf("a bill says %q, want the words of 业务类型", got)
	}
}

// Rejects of blank cells name the column as the file does.
func TestBlankCellHasTheFilesColumn(t *testing.T) {
	for _, test := range []struct {
		kind       schema.InputKind
		file, want string
	}{
		{schema.PosOrders, "商户订单号,订单时间,订单金额（元）\n,2026-11-20 10:00:00,1\n", "2 missing_value (商户订单号) \"\"\n"},
		{schema.PosRefundsKind, "订单编号,退款时间,退款金额\n,2026-11-20 10:00:00,1\n", "2 missing_value (订单编号) \"\"\n"},
		{schema.Rebate, "账期,服务商PID,返佣金额（元）\n2026-11,2088731199938475,\n", "2 missing_value (返佣金额（元）) \"\"\n"},
		{schema.ProvidersKind, "服务商PID,名称\n,我司\n", "2 missing_value (服务商PID) \"\"\n"},
	} {
		if got := loadText(t, test.kind, test.file).placed(); got != test.want {
			t.Errorf("Load(%v, %q) rejects %q, want %q", test.kind, test.file, got, test.want)
		}
	}
}

// Control characters of a file reached the terminal in messages.
func TestControlCharactersAreShown(t *testing.T) {
	g := loadText(t, schema.ProvidersKind, "provider_pid,\x1b[2Jname\n\x1b[31m12,x\n")
	if p := g.tables[0].Problems[0]; p.Value != `\x1b[31m12` {
		t.Errorf("value %q, want it visible", p.Value)
	}
	tables, _ := inspected(t, "x.csv", []byte("a\x1b]0;b\x07,c\n商户PID,\u202ex,y,z\n"))
	if says := saying(tables); strings.ContainsAny(says, "\x1b\x07\u202e") || !strings.Contains(says, `a\x1b]0;b\a,c`) {
		t.Errorf("an unknown file says %q", says)
	}
	e := &FileError{Code: "unreadable", Pos: schema.Pos{File: "a\x1b[1m.csv"}, Detail: "\x1b", Advice: "\x07"}
	if got := e.Error(); strings.ContainsAny(got, "\x1b\x07") {
		t.Errorf("Error() = %q", got)
	}
	for text, want := range map[string]string{"A1\t": "A1\t", "账单": "账单", "a\nb": `a\nb`, "\u2028": `\u2028`, "\x7f\u0085": `\x7f\u0085`} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %q, want %q", text, got, want)
		}
	}
}

// A folder was read as a file.
func TestFolderIsNoFile(t *testing.T) {
	tables, _, err := Inspect(t.Context(), Input{Path: t.TempDir(), Name: "dir"}, Options{}, 2)
	if err != nil || saying(tables) != "unreadable: 无法读取: 不是普通文件\n" {
		t.Errorf("Inspect of a folder = %q, %v", saying(tables), err)
	}
	if _, err := RawLines(t.Context(), filepath.Join(t.TempDir()), "", []int32{1}); err == nil {
		t.Error("RawLines of a folder: no error")
	}
}
