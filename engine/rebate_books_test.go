package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duizhang/engine/schema"
)

// Foreign rebate statements from the file to rebate_groups, which were computed by
// hand.

// bookDay is two merchants' day: 100.50, 29.90 and 10.00 of one, 1000.00 of the other, at
// a rate of 0.2 %, with the statement in question.
func bookDay(t *testing.T, name string, columns map[string][]string) scenario {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "loaders", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	bill := func(account string, rows ...string) []byte {
		return []byte("#账号：[" + account + "0156]\n#----业务明细列表----\n支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）\n" +
			strings.Join(rows, "\n") + "\n#----业务明细列表结束----\n")
	}
	s := scenario{job: scenarioJob(), files: map[string][]byte{
		"bills/1.csv": bill("2088717085982806", "T1\t,A1\t,交易,2026-11-20 10:00:00,100.50,100.50",
			"T2\t,A2\t,交易,2026-11-20 10:00:00,29.90,29.90", "T3\t,A3\t,交易,2026-11-20 10:00:00,10.00,10.00"),
		"bills/2.csv": bill("2088725146974493", "T4\t,B1\t,交易,2026-11-20 10:00:00,1000.00,1000.00"),
		"pos/a.csv": []byte("out_trade_no,merchant_pid,order_time,total_amount,sys_service_provider_id\n" +
			"A1,2088717085982806,2026-11-20 10:00:00,100.50,2088731199938475\nA2,2088717085982806,2026-11-20 10:00:00,29.90,2088731199938475\n" +
			"A3,2088717085982806,2026-11-20 10:00:00,10.00,2088731199938475\nB1,2088725146974493,2026-11-20 10:00:00,1000.00,2088731199938475\n"),
		"ref/agreements.csv": []byte("provider_pid,product,rate,effective_from\n2088731199938475,face_to_face,0.002,2026-01-01\n"),
		"rebate/" + name:     data,
	}}
	s.options.StatementPID = "2088731199938475"
	if columns != nil {
		s.options.Columns = map[schema.InputKind]map[string][]string{schema.Rebate: columns}
	}
	return s
}

const groupHeader = "provider_pid,merchant_pid,product,period,trades,expected,stated,cause,lost,claimable\n2088731199938475,"

func TestRebateBooks(t *testing.T) {
	for _, test := range []struct {
		name, file string
		columns    map[string][]string
		groups     string
	}{
		{
			// 0.20 + 0.0598 − 0.10 + 0.055 is paid; 0.20, 0.06, 0.02 and 2.00 are expected.
			"aggregator's workbook", "rebate_ka.xlsx",
			map[string][]string{"trade_amount": {"支付宝交易金额"}, "rate": {"支付宝返佣比例"}, "rebate_amount": {"支付宝返佣金额"}, "period": {"交易期日"}},
			groupHeader + ",face_to_face,2026-11,0,0.00,0.2148,statement_short,0.00,2.0652\n" +
				"2088731199938475,2088717085982806,face_to_face,2026-11,3,0.28,,ok,0.00,0.00\n" +
				"2088731199938475,2088725146974493,face_to_face,2026-11,1,2.00,,ok,0.00,0.00\n",
		},
		{
			// The first merchant is paid 2.00 for 0.28; of the second 0.50 is taken back and nothing paid.
			"official table", "rebate_official.csv", nil,
			groupHeader + "2088717085982806,face_to_face,2026-11,3,0.28,2.00,statement_over,0.00,0.00\n" +
				"2088731199938475,2088725146974493,face_to_face,2026-11,1,2.00,-0.50,statement_short,0.00,2.50\n",
		},
		{
			// 1.00 for 0.28; the row of a merchant number is rejected, and the second merchant has none.
			"merchant numbers", "rebate_mchno.csv",
			map[string][]string{"merchant_pid": {"商户号"}, "rebate_amount": {"应返金额"}, "period": {"清算日期"}, "trade_amount": {"交易金额"}, "rate": {"结算费率"}},
			groupHeader + "2088717085982806,face_to_face,2026-11,3,0.28,1.00,statement_over,0.00,0.00\n" +
				"2088731199938475,2088725146974493,face_to_face,2026-11,1,2.00,,statement_missing,0.00,2.00\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := bookDay(t, test.file, test.columns)
			s.files["want/groups.csv"] = []byte(test.groups)
			s.check(t, howRun{1, 1, 0, 0})
			s.check(t, howRun{8, 4, 0, 0})
			s.check(t, howRun{8, 2, 0, 1})
		})
	}
}
