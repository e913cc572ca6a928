package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"duizhang/rules"
)

// TestCouponGoodsLimit: a coupon of 3000 goods is too large, once, whether or not it
// is redeemed; one of 2999 is not, nor one that lists a goods_id twice to get there.
func TestCouponGoodsLimit(t *testing.T) {
	goods := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("SKU%05d", i)
		}
		return strings.Join(ids, "|")
	}
	s := scenario{job: scenarioJob(), files: map[string][]byte{
		"pos/a.csv": []byte("out_trade_no,merchant_pid,order_time,total_amount,coupon_name\n" +
			"A1,2088717085982806,2026-11-20 10:00:00,10.00,大券\nA2,2088717085982806,2026-11-20 10:00:00,10.00,大券\n"),
		"ref/coupons.csv": []byte("coupon_name,goods_ids\n小券," + goods(2999) + "\n重复券," + goods(2999) + "|SKU00000\n大券," + goods(3000) + "\n"),
	}}
	for _, partitions := range []int{1, 8} {
		_, result := s.run(t, partitions, 2)
		if len(result.Breaks) != 1 {
			t.Fatalf("breaks %+v, want one", result.Breaks)
		}
		b := result.Breaks[0]
		if b.Code != rules.BreakCouponGoodsLimit || b.What != "大券" || b.Amount != 0 || placeOf(result, b.Table, b.Line) != "ref/coupons.csv:4" {
			t.Errorf("break %+v", b)
		}
	}
}
