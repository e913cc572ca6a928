package loaders

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// listText is the orders of other systems, one a line.
func listText(g *gathered) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(g.orderText(), "\n"), "\n") {
		if !strings.HasPrefix(line, "  ") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// TestOrderListFixtures reads the fixtures of formats 15.
func TestOrderListFixtures(t *testing.T) {
	for _, test := range []struct {
		file    string
		kind    schema.InputKind
		outcome string
		want    string
	}{
		{"taobao_e41.csv", schema.TaobaoOrders, "taobao_orders E41 3/3 excel_formula=3 seconds_lost=1", `
2: no=1930000000000000011 time=22:02:00 status=1 total=80.00 excluded=online_order flags=33
4: no=1930000000000000012 time=10:00:00 status=1 total=12.00 excluded=o2o_passport flags=33
5: no=1930000000000000013 time=11:00:00 status=3 total=0.00 excluded=online_order flags=33
`},
		{"taobao_e61.xlsx", schema.TaobaoOrders, "taobao_orders E61 2/3 seconds_lost=1 !id_damaged=1", `
2: no=1930000000000000011 time=22:02:00 status=1 total=80.00 excluded=online_order flags=33
3: no=1930000000000000012 time=10:00:00 status=1 total=12.00 excluded=o2o_passport flags=33
`},
		{"kukeduo.csv", schema.KukeduoOrders, "kukeduo_orders 4/4", `
2: no=D00000000000001 time=12:15:08 status=1 total=0.01 flags=33
3: no=D00000000000002 time=09:05:08 status=1 total=0.00 flags=33
4: no=D00000000000003 time=12:17:08 status=3 total=1207.20 flags=33
5: no=O00000000000004 time=12:18:08 status=1 total=30.00 excluded=not_face_pay flags=33
`},
		{"pos_pid_number.xlsx", schema.PosOrders, "pos_orders 2/2", `
2: no=P1 provider=2088123456789016 time=10:55:16 total=12.00
3: no=P2 provider=2088123456789016 time=10:56:16 total=13.00
`},
	} {
		t.Run(test.file, func(t *testing.T) {
			for _, opt := range []Options{{}, {Workers: 3, chunkSize: 200}} {
				g := load(t, opt, canonicalInput{kind: test.kind, name: test.file, data: readFixture(t, test.file)})
				if got := outcome(g.tables[0]); got != test.outcome {
					t.Errorf("outcome = %s, want %s\n%+v", got, test.outcome, g.tables[0].Problems)
				}
				if got := sortedLines(listText(g)); got != sortedLines(test.want) {
					t.Errorf("orders =\n%swant\n%s", got, test.want)
				}
			}
		})
	}
}

// sortedLines puts lines in order: workers hand batches over in any.
func sortedLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// TestOrderListRejects: what is wrong with a row, and what becomes of its order.
func TestOrderListRejects(t *testing.T) {
	const taobao = "订单编号,买家应付货款,买家实际支付金额,订单状态,订单创建时间\n"
	const kukeduo = "订单编号,订单类型,订单子类型,支付状态,储值抵扣,应付金额,订单时间\n"
	for _, test := range []struct {
		name   string
		kind   schema.InputKind
		text   string
		code   rules.Code
		column string
		value  string
		orders int // that the engine is told of, to reject them
	}{
		{"no number", schema.TaobaoOrders, taobao + ",1,1,交易成功,\n", rules.CodeMissingValue, "订单编号", "", 0},
		{"no status", schema.TaobaoOrders, taobao + "1,1,1,,\n", rules.CodeMissingValue, "订单状态", "", 0},
		{"no amount", schema.TaobaoOrders, taobao + "1,1,,交易成功,\n", rules.CodeMissingValue, "买家实际支付金额", "", 0},
		{"amount in words", schema.TaobaoOrders, taobao + "1,1,131.77(已退款89.84),交易成功,\n", rules.CodeAmountSyntax, "买家实际支付金额", "131.77(已退款89.84)", 0},
		{"too few cells", schema.TaobaoOrders, taobao + "1,1\n", rules.CodeColumnCount, "", "", 0},
		{"too many cells", schema.TaobaoOrders, taobao + "1,1,1,交易成功,,x\n", rules.CodeColumnCount, "", "", 0},
		{"damaged number", schema.TaobaoOrders, taobao + "1.93E+18,1,1,交易成功,\n", rules.CodeIDDamaged, "订单编号", "1.93E+18", 0},
		{"no time", schema.TaobaoOrders, taobao + "1,1,1,交易成功,昨天\n", rules.CodeTimeSyntax, "订单创建时间", "昨天", 0},
		{"state of payment", schema.KukeduoOrders, kukeduo + "D1,刷脸支付订单,x,退款中,0,1,2019/12/6 12:15:08\n", rules.CodeEnumValue, "支付状态", "退款中", 1},
		{"no type", schema.KukeduoOrders, kukeduo + "D1,,x,已支付,0,1,2019/12/6 12:15:08\n", rules.CodeMissingValue, "订单类型", "", 1},
		{"no state", schema.KukeduoOrders, kukeduo + "D1,刷脸支付订单,x,,0,1,2019/12/6 12:15:08\n", rules.CodeMissingValue, "支付状态", "", 1},
		{"no time", schema.KukeduoOrders, kukeduo + "D1,刷脸支付订单,x,已支付,0,1,\n", rules.CodeMissingValue, "订单时间", "", 1},
		{"negative", schema.KukeduoOrders, kukeduo + "D1,刷脸支付订单,x,已支付,0,-1,2019/12/6 12:15:08\n", rules.CodeNegativeGoods, "应付金额", "-1", 1},
	} {
		t.Run(test.kind.String()+" "+test.name, func(t *testing.T) {
			g := load(t, Options{}, canonicalInput{kind: test.kind, data: []byte(test.text)})
			if len(g.rejects) != 1 {
				t.Fatalf("%d rejects: %+v", len(g.rejects), g.rejects)
			}
			r := g.rejects[0]
			if r.Code != test.code || r.Column != test.column || r.Value != test.value || r.Line != 2 {
				t.Errorf("reject = %v %q %q line %d, want %v %q %q line 2", r.Code, r.Column, r.Value, r.Line, test.code, test.column, test.value)
			}
			if g.orders.Len() != test.orders {
				t.Errorf("%d orders, want %d", g.orders.Len(), test.orders)
			}
		})
	}
}

// TestPrivateCells: names, addresses and telephones are in no reject, no first row
// and no shown line, whatever is wrong with the row.
func TestPrivateCells(t *testing.T) {
	const header = "订单编号,买家应付货款,买家实际支付金额,订单状态,收货人姓名,收货地址 ,联系手机,买家留言\n"
	const person = `张三丰,"某路
1号",'18600001234,"放,门口"` + "\n"
	text := header +
		"1,1,1,交易成功," + person + // line 2
		"2,1,x,交易成功," + person + // line 4
		"3,1,1,交易成功,多一格," + person + // line 6
		"4,1,1,交易成功,张三丰,某路1号,18600001234,\"送到门口\n" // line 8
	data := []byte(text)
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	g := load(t, Options{}, canonicalInput{kind: schema.TaobaoOrders, data: data})
	var shown []string
	for _, r := range g.rejects {
		shown = append(shown, r.Raw, r.Value, r.Detail)
	}
	for _, p := range g.tables[0].Problems {
		shown = append(shown, p.Value, p.Message)
	}
	tables, first, err := Inspect(t.Context(), Input{Path: path, Name: "x.csv"}, Options{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, first[0]...)
	lines, err := ShownLines(t.Context(), path, tables[0], []int32{2, 4, 6, 8})
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, slices.Collect(maps.Values(lines))...)
	if got, want := lines[2], "1,1,1,交易成功,***,***,***,***"; got != want {
		t.Errorf("ShownLines = %q, want %q", got, want)
	}
	if len(g.rejects) != 3 || len(first[0]) < 3 || len(lines) < 3 {
		t.Errorf("%d rejects, %d first rows, %d lines", len(g.rejects), len(first[0]), len(lines))
	}
	for _, s := range shown {
		for _, secret := range []string{"张三丰", "某路", "1号", "1860000", "门口"} {
			if strings.Contains(s, secret) {
				t.Errorf("%q shows %q", s, secret)
			}
		}
	}
}

// TestSourceColumns: the job may name the columns of other systems' files; where both
// names occur, the job's counts and the built-in one is unknown.
func TestSourceColumns(t *testing.T) {
	for _, test := range []struct {
		kind    schema.InputKind
		text    string
		columns map[string][]string
		want    string
		unknown string
	}{
		{
			schema.TaobaoOrders, "订单号,应付货款,实付,订单编号,订单状态,付款时间,线下\n1,2.00,2.00,x,交易成功,2026-11-20 10:00:00,是\n",
			map[string][]string{
				"订单编号": {"单号", "订单号"}, "买家应付货款": {"应付货款"}, "买家实际支付金额": {"实付"}, "订单付款时间": {"付款时间"}, "是否是O2O交易": {"线下"},
			},
			"2: no=1 time=10:00:00 status=1 total=2.00 excluded=o2o_passport flags=33\n", "订单编号",
		},
		{
			schema.KukeduoOrders, "单号,订单类型,子类,支付状态,储值,应付,下单时间\nD1,刷脸支付订单,x,已支付,0,3.00元,2026/11/20 10:00:00\n",
			map[string][]string{"订单编号": {"单号"}, "订单子类型": {"子类"}, "储值抵扣": {"储值"}, "应付金额": {"应付"}, "订单时间": {"下单时间"}},
			"2: no=D1 time=10:00:00 status=1 total=3.00 flags=33\n", "",
		},
	} {
		opt := Options{Columns: map[schema.InputKind]map[string][]string{test.kind: test.columns}, DefaultMerchant: "2088123456789012"}
		g := load(t, opt, canonicalInput{kind: test.kind, data: []byte(test.text)})
		tab := g.tables[0]
		if got := listText(g); got != test.want || strings.Join(tab.Unknown, " ") != test.unknown || tab.Rejected != 0 {
			t.Errorf("%v: %q, unknown %v, want %q, %q; %s", test.kind, got, tab.Unknown, test.want, test.unknown, g.problems())
		}
		if g := load(t, Options{}, canonicalInput{kind: test.kind, data: []byte(test.text)}); !g.tables[0].Refused {
			t.Errorf("%v without columns is read", test.kind)
		}
	}
}

// TestBillColumns: so it is with the columns of bills.
func TestBillColumns(t *testing.T) {
	opt := Options{Columns: map[schema.InputKind]map[string][]string{
		schema.AlipayBill:    {"商户订单号": {"商户单号"}},
		schema.AlipayAccount: {"业务流水号": {"交易编号"}, "收入金额": {"进账"}},
	}}
	bill := writeAccount(t, []byte("#账号：[20881234567890120156]\n#----业务明细列表----\n支付宝交易号,商户单号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）\n"+
		"T1\t,A1\t,x\t,交易,2026-11-20 10:00:00,1.00,1.00\n#----业务明细列表结束----\n"))
	bill.Kind = schema.AlipayBill
	s, tables := loadBills(t, opt, bill)
	if tab := tables[0]; tab.Accepted != 1 || !slices.Equal(tab.Unknown, []string{"商户订单号"}) || !strings.Contains(s.rows[0], "A1") {
		t.Errorf("bill: %+v, rows %v", tab, s.rows)
	}
	account := writeAccount(t, []byte("账务流水号,交易编号,发生时间,进账,支出金额（-元）\n1,T1,2026-11-20 10:00:00,1.00,\n"))
	account.Name = "20881234567890120156.csv"
	a, tables := loadAccounts(t, opt, account)
	if tab := tables[0]; tab.Accepted != 1 || !tab.Linked || len(tab.Unknown) > 0 || !strings.Contains(a.rows[0], "T1") {
		t.Errorf("account bill: %+v, rows %v", tab, a.rows)
	}
}

// FuzzOrderList reads anything as rows of the two lists: rows are accepted or
// rejected, and no private cell is shown.
func FuzzOrderList(f *testing.F) {
	f.Add([]byte(`="1930000000000000011",1,1.00元,交易成功,2016/5/23 22:02,是` + "\n"))
	f.Add([]byte("D1,刷脸支付订单,x,已支付,0,1,2019/12/6 12:15:08\n"))
	f.Fuzz(func(t *testing.T, rows []byte) {
		for _, list := range []canonicalInput{
			{kind: schema.TaobaoOrders, data: append([]byte("订单编号,买家应付货款,买家实际支付金额,订单状态,订单创建时间,是否是O2O交易\n"), rows...)},
			{kind: schema.KukeduoOrders, data: append([]byte("订单编号,订单类型,订单子类型,支付状态,储值抵扣,应付金额,订单时间\n"), rows...)},
		} {
			g := load(t, Options{}, list)
			tab := g.tables[0]
			if tab.Refused {
				continue
			}
			orders := 0
			for _, reject := range g.orders.Reject {
				if reject == 0 {
					orders++
				}
			}
			if int64(orders) != tab.Accepted || tab.Accepted+tab.Rejected != tab.Rows || int64(len(g.rejects)) != tab.Rejected {
				t.Fatalf("%d rows, %d accepted, %d rejected; %d orders, %d rejects", tab.Rows, tab.Accepted, tab.Rejected, orders, len(g.rejects))
			}
		}
	})
}
