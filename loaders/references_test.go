package loaders

import (
	"reflect"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// referenceFiles are one good table of each reference kind.
func referenceFiles() []canonicalInput {
	file := func(kind schema.InputKind, text string) canonicalInput {
		return canonicalInput{kind: kind, data: []byte(text)}
	}
	return []canonicalInput{
		file(schema.AgreementsKind, `provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding,cap_per_trade
2088731199938475,当面付,0.2%,received,2026-01-01,,,,
2088731199938475,huabei_instalment,8‰,buyer_paid,2026/1/1,2026-12-31,6,period,1.50
`),
		file(schema.ProvidersKind, "provider_pid,name,primary\n2088731199938475,主体,true\n20881182590302940156,二部,\n"),
		file(schema.MerchantsKind, "merchant_pid,name,fee_rate,institution_account,institution_id\n2088717085982806,商户0,0.006,,\n2088725146974493,商户1,,2088000000000001,0012345\n"),
		file(schema.StoresKind, "store_id,merchant_pid,receiving_pid,name,order_sync,fee_rate\nS0,2088717085982806,,一店,true,0.38%\nS1,2088717085982806,2088725146974493,二店,,\n"),
		file(schema.GoodsKind, "goods_id,goods_name,tag_price\nSKU1,茶,301.80\nSKU2,\"可乐,330ml\",\n"),
	}
}

func TestReferences(t *testing.T) {
	want := schema.Registry{
		Agreements: []rules.Agreement{
			{
				Provider: ownPID, Product: "face_to_face", Rate: 2000, Basis: rules.BasisReceived, From: 20454, To: rules.OpenEnd,
				Scale: 2, Rounding: rules.RoundTrade,
			},
			{
				Provider: ownPID, Product: "huabei_instalment", Rate: 8000, Basis: rules.BasisBuyerPaid, From: 20454, To: 20818,
				Scale: 6, Rounding: rules.RoundPeriod, Cap: 1_500_000, HasCap: true,
			},
		},
		Providers: []schema.Provider{{PID: ownPID, Name: "主体", Primary: true}, {PID: "2088118259030294", Name: "二部"}},
		Merchants: []schema.Merchant{
			{PID: merchantOne, Name: "商户0", FeeRate: 6000},
			{PID: merchantTwo, Name: "商户1", FeeRate: schema.Null, InstitutionAccount: "2088000000000001", InstitutionID: "0012345"},
		},
		Signed: schema.Place{Table: []int32{0, 0}, Line: []int32{2, 3}},
		Stores: []schema.Store{
			{ID: "S0", Merchant: merchantOne, Name: "一店", OrderSync: schema.SyncOn, FeeRate: 3800},
			{ID: "S1", Merchant: merchantOne, Receiving: merchantTwo, Name: "二店", OrderSync: schema.SyncOff, FeeRate: schema.Null},
		},
		Goods: []schema.Good{{ID: "SKU1", Name: "茶", TagPrice: 301_800_000}, {ID: "SKU2", Name: "可乐,330ml", TagPrice: schema.Null}},
	}
	files := referenceFiles()
	for i := range files {
		files[i].data = gb18030(t, string(files[i].data))
	}
	for _, inputs := range [][]canonicalInput{referenceFiles(), files} {
		g := load(t, Options{Workers: 4}, inputs...)
		if !reflect.DeepEqual(*g.registry, want) {
			t.Errorf("registry\n%+v\nwant\n%+v", *g.registry, want)
		}
		if got := g.placed(); got != "" {
			t.Errorf("rejects\n%s", got)
		}
	}
}

func TestReferenceRejects(t *testing.T) {
	for _, c := range []struct {
		kind  schema.InputKind
		file  string
		codes []rules.Code
	}{
		{
			schema.AgreementsKind,
			`provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding,cap_per_trade
§208873119993847,face_to_face,0.002,,2026-01-01,,,,
§2.08873E+15,face_to_face,0.002,,2026-01-01,,,,
§,face_to_face,0.002,,2026-01-01,,,,
2088731199938475,§,0.002,,2026-01-01,,,,
2088731199938475,face_to_face,§,,2026-01-01,,,,
2088731199938475,face_to_face,§-0.002,,2026-01-01,,,,
2088731199938475,face_to_face,0.002,§profit,2026-01-01,,,,
2088731199938475,face_to_face,0.002,,§,,,,
2088731199938475,face_to_face,0.002,,§2026-02-30,,,,
2088731199938475,face_to_face,0.002,,2026-01-01,§2025-12-31,,,
2088731199938475,face_to_face,0.002,,2026-01-01,,§7,,
2088731199938475,face_to_face,0.002,,2026-01-01,,§two,,
2088731199938475,face_to_face,0.002,,2026-01-01,,,§week,
2088731199938475,face_to_face,0.002,,2026-01-01,,,,§-1
`,
			[]rules.Code{
				rules.CodeEnumValue, rules.CodeIDDamaged, rules.CodeMissingValue, rules.CodeMissingValue, rules.CodeMissingValue,
				rules.CodeNumberSyntax, rules.CodeEnumValue, rules.CodeMissingValue, rules.CodeTimeSyntax, rules.CodeTimeSyntax,
				rules.CodeAmountRange, rules.CodeNumberSyntax, rules.CodeEnumValue, rules.CodeAmountRange,
			},
		},
		{schema.ProvidersKind, "provider_pid,primary\n2088731199938475,§maybe\n§1,true\n", []rules.Code{rules.CodeEnumValue, rules.CodeEnumValue}},
		{schema.MerchantsKind, "merchant_pid,fee_rate\n2088717085982806,§x\n§MCH1,\n", []rules.Code{rules.CodeNumberSyntax, rules.CodeEnumValue}},
		{schema.StoresKind, "store_id,merchant_pid\n§,2088717085982806\nS1,§\n", []rules.Code{rules.CodeMissingValue, rules.CodeMissingValue}},
		{schema.GoodsKind, "goods_id,tag_price\nG1,§-1\n§,1\nG2,§1.1234567\n", []rules.Code{rules.CodeNegativeGoods, rules.CodeMissingValue, rules.CodeAmountPrecision}},
	} {
		file, places := marked(c.file, c.codes...)
		g := loadText(t, c.kind, file)
		if got := g.placed(); got != places {
			t.Errorf("rejects of %v\n%s\nwant\n%s\n%s", c.kind, got, places, g.problems())
		}
		if r := *g.registry; len(r.Agreements)+len(r.Providers)+len(r.Merchants)+len(r.Stores)+len(r.Goods) != 0 {
			t.Errorf("%v: rejected rows are in the registry: %+v", c.kind, r)
		}
	}
}

// A stores table without order_sync leaves it unchecked.
func TestStoresWithoutOrderSync(t *testing.T) {
	g := loadText(t, schema.StoresKind, "门店编号,商户PID\nS1,2088717085982806\n")
	if len(g.registry.Stores) != 1 || g.registry.Stores[0].OrderSync != schema.SyncUnchecked {
		t.Errorf("registry %+v, want one store whose order_sync is unchecked", *g.registry)
	}
}

func TestCanonicalFor(t *testing.T) {
	for header, want := range map[string]schema.InputKind{
		"out_trade_no,order_time,total_amount,store_id,merchant_pid,goods_id": schema.PosOrders,
		"商户订单号,退款时间,退款金额,门店编号,商户PID":                                          schema.PosRefundsKind,
		"provider_pid,product,rate,effective_from":                            schema.AgreementsKind,
		"provider_pid,name,primary":                                           schema.ProvidersKind,
		"merchant_pid,name,fee_rate":                                          schema.MerchantsKind,
		"store_id,merchant_pid,name,order_sync":                               schema.StoresKind,
		"goods_id,goods_name,tag_price":                                       schema.GoodsKind,
		"coupon_name,kind,threshold,off,goods_ids,store_ids":                  schema.CouponsKind,
		"device_sn,purchaser_pid,signer_pid,model,policy_signed_on":           schema.DevicesKind,
		"effective_from,effective_to,month_cap,months,total_cap":              schema.DevicePoliciesKind,
		"device_sn,month,reward_amount":                                       schema.DeviceRewardsKind,
		"period,service_provider_pid,merchant_pid,rebate_amount":              schema.Rebate,
		"品牌,收钱吧商户号,支付宝返佣金额":                                                   schema.Rebate,
		"商铺编号,POS机编号,小票号,商品编码":                                                0,
		"": 0,
	} {
		got := schema.InputKind(0)
		if spec := canonicalFor(splitText(header, ','), 0, &Options{}); spec != nil {
			got = spec.kind
		}
		if got != want {
			t.Errorf("canonicalFor(%s) = %d, want %d", header, got, want)
		}
	}
}
