package loaders

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"duizhang/engine/schema"
	"duizhang/rules"
)

func TestCoupons(t *testing.T) {
	text := `coupon_name,kind,threshold,off,goods_ids,store_ids
满100减10,smart_store,100.00,10.00,SKU1|SKU2,S1
官方券,支付宝,"1,000.00",¥5,,
满30减5,allowance,30,5, G1 | |G2｜G3 ,
无种类,,,,="0012",
`
	want := []schema.Coupon{
		{Name: "满100减10", Kind: rules.CouponSmartStore, Threshold: 10000, Off: 1000, Goods: []string{"SKU1", "SKU2"}, Stores: []string{"S1"}, Line: 2},
		{Name: "官方券", Kind: rules.CouponAlipay, Threshold: 100_000, Off: 500, Line: 3},
		{Name: "满30减5", Kind: rules.CouponAllowance, Threshold: 3000, Off: 500, Goods: []string{"G1", "G2", "G3"}, Line: 4},
		{Name: "无种类", Kind: rules.CouponSmartStore, Threshold: schema.Null, Off: schema.Null, Goods: []string{"0012"}, Line: 5},
	}
	for _, data := range [][]byte{[]byte(text), gb18030(t, text)} {
		g := load(t, Options{}, canonicalInput{kind: schema.CouponsKind, data: data})
		if got := g.registry.Coupons; !reflect.DeepEqual(got, want) || g.placed() != "" {
			t.Errorf("coupons\n%+v\nwant\n%+v\n%s", got, want, g.placed())
		}
		if got, want := g.counts()+"; "+g.repairsOf(), "4 rows, 4 accepted, 0 rejected; excel_formula 1"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A coupon of thousands of goods is one long cell.
func TestCouponOfManyGoods(t *testing.T) {
	ids := make([]string, 5000)
	for i := range ids {
		ids[i] = fmt.Sprintf("SKU%06d", i)
	}
	g := load(t, Options{chunkSize: 4096}, canonicalInput{kind: schema.CouponsKind, data: []byte("coupon_name,goods_ids\n券,\"" + strings.Join(ids, "|") + "\"\n")})
	if len(g.registry.Coupons) != 1 || !slices.Equal(g.registry.Coupons[0].Goods, ids) {
		t.Errorf("%d coupons; %s", len(g.registry.Coupons), g.problems())
	}
}

func TestDevices(t *testing.T) {
	const month = rules.Month(2026*12 + 10)
	g := load(t, Options{},
		canonicalInput{kind: schema.DevicesKind, data: []byte("device_sn,purchaser_pid,signer_pid,model,policy_signed_on\nSN1,2088717085982806,,F4,2026-06-01\n0002,2088717085982806,20887251469744930156,,\n")},
		canonicalInput{kind: schema.DevicePoliciesKind, data: []byte("生效日期,失效日期,月上限,月数,总上限\n2026-01-01,,400,5,1600\n2025/1/1,2025-12-31,\"1,000.00\",12,5000.50\n")},
		canonicalInput{kind: schema.DeviceRewardsKind, data: []byte("device_sn,month,reward_amount\nSN1,2026-11,400.00\n0002,202611,-1\nSN1,2026年11月,0.5\nSN1,2026/11/30,2\n")},
	)
	wantDevices := []schema.Device{{SN: "SN1", Signer: merchantOne, Signed: true}, {SN: "0002", Signer: merchantTwo}}
	if got := g.registry.Devices; !reflect.DeepEqual(got, wantDevices) {
		t.Errorf("devices %+v, want %+v", got, wantDevices)
	}
	wantPolicies := rules.DevicePolicies{
		{From: 20454, To: rules.OpenEnd, MonthCap: 40000, Months: 5, TotalCap: 160_000},
		{From: 20089, To: 20453, MonthCap: 100_000, Months: 12, TotalCap: 500_050},
	}
	if got := g.registry.DevicePolicies; !reflect.DeepEqual(got, wantPolicies) {
		t.Errorf("policies %+v, want %+v", got, wantPolicies)
	}
	var rewards []schema.DeviceReward
	for _, r := range g.registry.DeviceRewards {
		r.Table = 0
		rewards = append(rewards, r)
	}
	wantRewards := []schema.DeviceReward{
		{SN: "SN1", Month: month, Amount: 40000, Line: 2},
		{SN: "0002", Month: month, Amount: -100, Line: 3},
		{SN: "SN1", Month: month, Amount: 50, Line: 4},
		{SN: "SN1", Month: month, Amount: 200, Line: 5},
	}
	if !reflect.DeepEqual(rewards, wantRewards) || g.placed() != "" {
		t.Errorf("rewards %+v, want %+v\n%s", rewards, wantRewards, g.placed())
	}
}

func TestCouponAndDeviceRejects(t *testing.T) {
	for _, c := range []struct {
		kind  schema.InputKind
		file  string
		codes []rules.Code
	}{
		{
			schema.CouponsKind,
			"coupon_name,kind,threshold,off,goods_ids\n§,,1,1,\nA,§coupon,1,1,\nB,,§-1,1,\nC,,1,§1.234,\nD,,1,1,§G1|2.01907E+27\n",
			[]rules.Code{rules.CodeMissingValue, rules.CodeEnumValue, rules.CodeAmountRange, rules.CodeAmountPrecision, rules.CodeIDDamaged},
		},
		{
			schema.DevicesKind,
			"device_sn,purchaser_pid,signer_pid,policy_signed_on\n§,2088717085982806,,\nA,§,,\nB,§2088,,\nC,2088717085982806,§1,\nD,2088717085982806,,§2026-02-30\n",
			[]rules.Code{rules.CodeMissingValue, rules.CodeMissingValue, rules.CodeEnumValue, rules.CodeEnumValue, rules.CodeTimeSyntax},
		},
		{
			schema.DevicePoliciesKind,
			"effective_from,effective_to,month_cap,months,total_cap\n§,,400,5,1600\n2026-01-01,§2025-12-31,400,5,1600\n2026-01-01,,§-400,5,1600\n2026-01-01,,400,§1.5,1600\n2026-01-01,,400,§1201,1600\n2026-01-01,,400,5,§\n",
			[]rules.Code{rules.CodeMissingValue, rules.CodeTimeSyntax, rules.CodeAmountRange, rules.CodeNumberSyntax, rules.CodeAmountRange, rules.CodeMissingValue},
		},
		{
			schema.DeviceRewardsKind,
			"device_sn,month,reward_amount\n§,2026-11,400\nA,§,400\nA,§2026-13,400\nA,§11,400\nA,2026-11,§\nA,2026-11,§4oo\n§2.01907E+15,2026-11,400\n",
			[]rules.Code{rules.CodeMissingValue, rules.CodeMissingValue, rules.CodeTimeSyntax, rules.CodeTimeSyntax, rules.CodeMissingValue, rules.CodeAmountSyntax, rules.CodeIDDamaged},
		},
	} {
		file, places := marked(c.file, c.codes...)
		g := loadText(t, c.kind, file)
		if got := g.placed(); got != places {
			t.Errorf("rejects of %v\n%s\nwant\n%s\n%s", c.kind, got, places, g.problems())
		}
		if r := *g.registry; len(r.Coupons)+len(r.Devices)+len(r.DevicePolicies)+len(r.DeviceRewards) != 0 {
			t.Errorf("%v: rejected rows are in the registry: %+v", c.kind, r)
		}
	}
}

// FuzzReferences reads anything as each reference table: rows are accepted or
// rejected, and the accepted ones are what the registry has.
func FuzzReferences(f *testing.F) {
	kinds := []schema.InputKind{
		schema.CouponsKind, schema.DevicesKind, schema.DevicePoliciesKind, schema.DeviceRewardsKind,
		schema.StoresKind, schema.GoodsKind, schema.MerchantsKind, schema.AgreementsKind, schema.ProvidersKind,
	}
	for i, text := range []string{
		"coupon_name,kind,threshold,off,goods_ids,store_ids\n券,alipay,1,2,A|B,S\n",
		"device_sn,purchaser_pid,signer_pid,model,policy_signed_on\nSN1,2088717085982806,,F4,2026-06-01\n",
		"effective_from,effective_to,month_cap,months,total_cap\n2026-01-01,,400,5,1600\n",
		"device_sn,month,reward_amount\nSN1,2026-11,400.00\n",
		"store_id,merchant_pid,order_sync\nS1,2088717085982806,true\n",
		"goods_id,goods_name,tag_price\nG1,咖啡,1.00\n",
		"merchant_pid,name,fee_rate\n2088717085982806,一店,0.6%\n",
		"provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding,cap_per_trade\n2088731199938475,face_to_face,0.002,received,2026-01-01,,2,trade,1.00\n",
		"provider_pid,name,primary\n2088731199938475,x,true\n",
	} {
		f.Add(byte(i), []byte(text))
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		if isZip(data) || isGzip(data) {
			t.Skip()
		}
		k := kinds[int(kind)%len(kinds)]
		g := load(t, Options{Workers: 1}, canonicalInput{kind: k, data: data})
		r := g.registry
		found := len(r.Coupons) + len(r.Devices) + len(r.DevicePolicies) + len(r.DeviceRewards) + len(r.Stores) + len(r.Goods) + len(r.Merchants) +
			len(r.Agreements) + len(r.Providers)
		for _, tab := range g.tables {
			if !tab.Refused && (int64(found) != tab.Accepted || tab.Accepted+tab.Rejected != tab.Rows) {
				t.Errorf("%d rows, %d accepted, %d rejected; the registry has %d", tab.Rows, tab.Accepted, tab.Rejected, found)
			}
		}
	})
}
