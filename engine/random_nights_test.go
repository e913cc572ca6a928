package engine_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"duizhang/engine"
	"duizhang/rules"
)

// TestNightsAgainstOneRun makes random days of orders, payments and refunds, and a
// statement for all of them on the last day. It runs them night by night, each with
// what the nights before left, and once as one day with all files: what is not
// pending must be the same.
func TestNightsAgainstOneRun(t *testing.T) {
	seeds := 70
	if testing.Short() {
		seeds = 12
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			n := newNights(seed)
			for i := range 60 {
				n.sell(i)
			}
			n.payTogether()
			n.compare(t)
			for _, spread := range []int{1, 2} {
				n.spread = spread
				n.compare(t)
			}
		})
	}
}

const billEnd = "#----业务明细列表结束----\n"

const nightDays = 5 // and the day of the statement

var nightStart = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// nights are the files of some days, by name; those of a day are in its folder.
type nights struct {
	random *rand.Rand
	seed   uint64
	spread int // of the nights; 0: partitions

	// wild: rows that do not say whose they are, or say it wrongly.
	wild  bool
	files map[string]*bytes.Buffer
	job   func(*engine.Job)

	byDay    bool    // the statement is by day, not by month
	rounded  bool    // groups are rounded once
	unlisted int     // of how many trades the statement leaves one out; 0 for none
	together [2]bool // it pays the merchant's trades in one row
	anyone   bool    // that names no merchant
	nightly  bool    // there is one every night or so, for the trades of that and the nights before
}

const (
	nightBill = "支付宝交易号,商户订单号,业务类型,创建时间,完成时间,门店编号,订单金额（元）,商家实收（元）,支付宝红包（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,商家红包消费金额（元）,服务费（元）,退款批次号/请求号"
	nightPOS  = "out_trade_no,trade_no,merchant_pid,store_id,terminal_id,order_time,channel,total_amount,buyer_paid,red_packet,allowance,coupon,sys_service_provider_id"
	nightBack = "out_trade_no,trade_no,out_request_no,merchant_pid,refund_time,refund_amount,mode"
	nightPaid = "period,service_provider_pid,merchant_pid,product,trade_no,out_trade_no,trade_time,rebate_amount"
)

func newNights(seed uint64) *nights {
	n := &nights{random: rand.New(rand.NewPCG(seed, 11)), seed: seed, files: map[string]*bytes.Buffer{}}
	n.byDay, n.rounded, n.unlisted = n.chance(4), n.chance(4), []int{0, 2, 5}[n.random.IntN(3)]
	n.together, n.anyone = [2]bool{n.chance(4), n.chance(4)}, n.chance(3)
	n.write("ref/agreements.csv", "provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding")
	n.write("ref/agreements.csv", "2088731199938475,face_to_face,0.005,"+n.one("received", "order_amount", "buyer_paid")+",2026-01-01,,"+
		n.one("2", "4")+","+map[bool]string{false: "trade", true: "period"}[n.rounded])
	n.write("ref/providers.csv", "provider_pid,name,primary")
	n.write("ref/providers.csv", "2088731199938475,主体,true")
	n.write("ref/merchants.csv", "merchant_pid,name,fee_rate")
	n.write("ref/merchants.csv", naiveMerchants[0]+",一,0.006")
	n.write("ref/merchants.csv", naiveMerchants[1]+",二,0.0038")
	n.write("ref/stores.csv", "store_id,merchant_pid,fee_rate")
	n.write("ref/stores.csv", "S1,"+naiveMerchants[0]+",0.002")
	fee := []engine.FeeOnRefund{engine.FeeNone, engine.FeeProRata, engine.FeeFullRefundOnly}[n.random.IntN(3)]
	n.job = func(j *engine.Job) { j.CarryDays, j.FeeOnRefund = 1, fee }
	return n
}

func (n *nights) one(of ...string) string { return of[n.random.IntN(len(of))] }

func (n *nights) chance(of int) bool { return n.random.IntN(of) == 0 }

// write appends a line to a file, which begins with its header.
func (n *nights) write(name, line string) {
	b := n.files[name]
	if b == nil {
		b = &bytes.Buffer{}
		n.files[name] = b
		switch {
		case strings.Contains(name, "/bills/"):
			account := naiveMerchants[0]
			if strings.HasSuffix(name, "b.csv") {
				account = naiveMerchants[1]
			}
			fmt.Fprintf(b, "#账号：[%s0156]\n#----业务明细列表----\n%s\n", account, nightBill)
		case strings.Contains(name, "/pos/"):
			fmt.Fprintln(b, nightPOS)
		case strings.Contains(name, "/refunds/"):
			fmt.Fprintln(b, nightBack)
		case strings.Contains(name, "/rebate/"):
			fmt.Fprintln(b, nightPaid)
		}
	}
	fmt.Fprintln(b, line)
}

func nightDate(t time.Time) string { return t.Format(time.DateOnly) }

func yuan(fen int) string { return rules.Fen(fen).String() }

// A nightSale is one trade, with all that becomes of it.
type nightSale struct {
	merchant, key, trade, billKey, store string
	total, red, allowance, coupon        int
	ordered, paid                        time.Time

	hasOrder, hasPayment, cash, byTrade bool
}

// sell makes one trade, its refunds of this and later days, and its rows of the
// statement.
func (n *nights) sell(i int) {
	m := n.random.IntN(2)
	key := fmt.Sprintf("K%03d", i)
	if n.chance(5) { // merchants may number alike
		m, key = i%2, fmt.Sprintf("C%03d", i/2)
	}
	s := nightSale{merchant: naiveMerchants[m], key: key, store: n.one("S1", "S2", "S3")}
	day := nightStart.AddDate(0, 0, n.random.IntN(nightDays))
	s.ordered = day.Add(time.Duration(3600+n.random.IntN(80000)) * time.Second)
	s.paid = s.ordered.Add(5 * time.Second)
	switch n.random.IntN(6) { // around midnight, on either side of it
	case 0:
		s.ordered, s.paid = day.Add(24*time.Hour-7*time.Second), day.Add(24*time.Hour+3*time.Second)
	case 1:
		s.ordered, s.paid = day.Add(24*time.Hour+2*time.Second), day.Add(24*time.Hour-5*time.Second)
	}
	s.trade = s.paid.Format("20060102") + fmt.Sprintf("2200%06d", i)
	s.billKey = s.key
	if s.byTrade = n.chance(6); s.byTrade {
		s.billKey = "B" + s.key
	}
	s.total = 1000 + n.random.IntN(9000)
	s.red, s.allowance, s.coupon = n.random.IntN(100), n.random.IntN(3)*100, n.random.IntN(2)*n.random.IntN(200)
	s.hasOrder, s.hasPayment, s.cash = !n.chance(8), !n.chance(8), n.chance(10)
	if s.cash {
		s.hasOrder, s.hasPayment = true, false
	}
	if s.hasOrder {
		n.order(&s)
	}
	if s.hasPayment {
		n.billRow(&s, "交易", s.paid, s.total, s.total-s.allowance-s.coupon, s.red, s.allowance+s.coupon, s.coupon, "")
	}
	if s.hasPayment || s.hasOrder {
		n.refunds(&s)
		if !s.hasOrder {
			s.key = s.billKey // nobody knows another
		}
		n.pay(&s)
	}
}

func (n *nights) order(s *nightSale) {
	trade, total, channel := n.one(s.trade, ""), s.total, "alipay"
	if s.byTrade {
		trade = s.trade
	}
	if n.chance(10) {
		total += 100
	}
	if s.cash {
		channel, trade = "cash", ""
	}
	paid := total - s.red - s.allowance - s.coupon
	pid := n.one("2088731199938475", "2088731199938475", "2088731199938475", "", "2088638559267851", s.merchant)
	merchant, store := s.merchant, s.store
	if n.wild {
		merchant = n.one(merchant, merchant, merchant, naiveMerchants[0], naiveMerchants[1], "")
		store = n.one(store, "")
	}
	n.write(nightDate(s.ordered)+"/pos/a.csv", strings.Join([]string{
		s.key, trade, merchant, store, "POS1", s.ordered.Format(time.DateTime), channel, yuan(total), yuan(paid), yuan(s.red), yuan(s.allowance), yuan(s.coupon), pid,
	}, ","))
}

func (n *nights) billRow(s *nightSale, kind string, at time.Time, amount, received, red, discount, voucher int, request string) {
	sign, fee := "", -received*6/1000
	if kind == "退款" {
		sign, fee = "-", received*6/1000
	}
	file := map[string]string{naiveMerchants[0]: "a.csv", naiveMerchants[1]: "b.csv"}[s.merchant]
	n.write(nightDate(at)+"/bills/"+file, strings.Join([]string{
		s.trade + "\t", s.billKey + "\t", kind, s.paid.Format(time.DateTime), at.Format(time.DateTime), s.store,
		sign + yuan(amount), sign + yuan(received), sign + yuan(red), "0.00", sign + yuan(discount), sign + yuan(voucher), "0.00", yuan(fee), request,
	}, ","))
}

// refunds makes the trade's refunds, at the same hour of several days or of one, on
// one side or on both. None is near an end of its day: what is pending counts at
// another time.
func (n *nights) refunds(s *nightSale) {
	last := nightStart.AddDate(0, 0, nightDays).Add(22 * time.Hour) // in the statement's own day too
	first := s.paid
	if s.ordered.After(first) {
		first = s.ordered
	}
	day := first.Truncate(24*time.Hour).AddDate(0, 0, 1)
	for k := range n.random.IntN(5) {
		at := day.Add(time.Duration(10+k)*time.Hour + time.Duration(k)*time.Second)
		if at.After(last) {
			return
		}
		amount := 1 + n.random.IntN(s.total*2/30)*10 + 2*k // none is another's, nor one more than another's
		if n.chance(4) {
			amount = s.total - s.coupon
		}
		request := fmt.Sprintf("R%d", k)
		asked := amount
		if n.chance(6) {
			asked++
		}
		back, booked := !n.chance(5), s.hasPayment && !n.chance(5)
		if back {
			weak := request
			if n.chance(8) && amount != s.total-s.coupon { // else another day's may be it as well
				weak = ""
			}
			trade := ""
			if s.hasPayment && n.chance(2) {
				trade = s.trade
			}
			merchant := s.merchant
			if n.wild {
				merchant = n.one(merchant, merchant, merchant, "")
			}
			n.write(nightDate(at)+"/refunds/r.csv", strings.Join([]string{
				s.key, trade, weak, merchant, at.Format(time.DateTime), yuan(asked), n.one("whole", "list_price", "prorated", ""),
			}, ","))
		}
		if booked {
			n.billRow(s, "退款", at.Add(2*time.Second), amount, amount, 0, 0, 0, request)
		}
		if n.chance(2) {
			day = day.AddDate(0, 0, n.random.IntN(3))
		}
	}
}

// pay makes the statement's rows: by either number, or both, in one row or in two.
func (n *nights) pay(s *nightSale) {
	m := slices.Index(naiveMerchants[:], s.merchant)
	if n.together[m] && !n.chance(10) || n.unlisted > 0 && n.chance(n.unlisted) {
		return
	}
	day := nightStart.AddDate(0, 0, nightDays)
	if own := s.paid.Truncate(24 * time.Hour); n.nightly && own.Before(day) {
		day = own.AddDate(0, 0, n.random.IntN(4)/2)
	}
	rows := 1 + n.random.IntN(4)/3
	for range rows {
		trade, key := s.trade, s.key
		switch n.random.IntN(3) {
		case 0:
			trade = ""
		case 1:
			key = ""
		}
		if !s.hasPayment {
			trade, key = "", s.key
		}
		rebate := rules.Fen(n.random.IntN(60)).String()
		if n.chance(2) && rows == 1 {
			rebate = rules.MulRate(rules.Fen(s.total-s.allowance-s.coupon), 5000).String()
		}
		merchant := s.merchant
		if n.wild {
			merchant = n.one(merchant, merchant, naiveMerchants[0], naiveMerchants[1], "", "")
			if n.chance(3) { // both numbers, of which one may not be the trade's
				trade, key = s.trade, n.one(s.key, s.key, s.billKey)
			}
		}
		n.write(nightDate(day)+"/rebate/s.csv", strings.Join([]string{
			n.period(s.paid), "2088731199938475", merchant, "face_to_face", trade, key, s.paid.Format(time.DateTime), rebate,
		}, ","))
	}
}

func (n *nights) period(t time.Time) string {
	if n.byDay {
		return nightDate(t)
	}
	return t.Format("2006-01")
}

// payTogether makes the statement's rows that pay a merchant's trades in one sum.
func (n *nights) payTogether() {
	day := nightStart.AddDate(0, 0, nightDays)
	periods := map[string]bool{}
	for k := range nightDays {
		periods[n.period(nightStart.AddDate(0, 0, k))] = true
	}
	for m, together := range n.together {
		for _, period := range slices.Sorted(maps.Keys(periods)) {
			merchant := naiveMerchants[m]
			if !together || n.byDay && n.chance(5) {
				continue
			}
			if n.anyone {
				merchant = ""
			}
			n.write(nightDate(day)+"/rebate/s.csv", strings.Join([]string{
				period, "2088731199938475", merchant, "face_to_face", "", "", "", rules.Fen(n.random.IntN(400)).String(),
			}, ","))
		}
	}
}

// scenario is the job over the files of one day, or of all days in one.
func (n *nights) scenario(date time.Time, all bool) scenario {
	s := scenario{files: map[string][]byte{}, job: scenarioJob()}
	n.job(&s.job)
	s.job.Date = day(nightDate(date))
	for name, b := range n.files {
		folder, rest, _ := strings.Cut(name, "/")
		kind, file, _ := strings.Cut(rest, "/")
		data := b.Bytes()
		if kind == "bills" {
			data = append(slices.Clone(data), billEnd...)
		}
		switch {
		case folder == "ref":
			s.files[name] = data
		case all:
			s.files[kind+"/"+folder+file] = data
		case folder == nightDate(date):
			s.files[rest] = data
		}
	}
	s.job.State = !all
	return s
}

// compare runs the days in both ways.
func (n *nights) compare(t *testing.T) {
	last := nightStart.AddDate(0, 0, nightDays+1)
	one, oneResult := n.scenario(last, true).run(t, 1<<(n.seed%4), 2)
	var kept state = newMemory()
	if n.seed%3 == 0 {
		kept = newDisk(t)
	}
	got := map[string][]map[string]string{}
	var breaks, groups []map[string]string
	for i := range nightDays + 2 {
		date := nightStart.AddDate(0, 0, i)
		s := n.scenario(date, false)
		for _, empty := range []string{"bills/a.csv", "pos/a.csv", "refunds/r.csv"} {
			if s.files[empty] == nil {
				s.files[empty] = n.empty(empty)
			}
		}
		s.state = kept
		sink, result := s.runAs(t, howRun{1 << (n.seed % 4), 1 + int(n.seed%3), int64(n.seed % 2), n.spread})
		for _, name := range []string{"trades", "refunds"} {
			for _, row := range sink.table(name) {
				if row["status"] != "pending" {
					got[name] = append(got[name], row)
				}
			}
		}
		if i == nightDays {
			got["rebates"] = said(sink.table("rebates"))
			breaks, groups = statementBreaks(result), groupRows(result)
		}
	}
	rebates := []string{"merchant_pid", "out_trade_no", "trade_no", "product", "basis", "stated", "store_id", "terminal_id", "trade_time", "sys_service_provider_id"}
	broken := []string{"code", "merchant_pid", "out_trade_no", "trade_no", "amount", "what"}
	grouped := []string{"provider_pid", "merchant_pid", "product", "period", "trades", "basis", "rate", "expected", "stated", "cause"}
	oneBreaks := statementBreaks(oneResult)
	if n.rounded { // a share hangs on places, which earlier days do not keep
		ofGroups := func(row map[string]string) bool { return row["out_trade_no"] != "" || row["trade_no"] != "" }
		oneBreaks, breaks = slices.DeleteFunc(oneBreaks, ofGroups), slices.DeleteFunc(breaks, ofGroups)
		broken = slices.DeleteFunc(broken, func(column string) bool { return column == "amount" })
	} else {
		rebates, grouped = append(rebates, "cause", "expected", "loss"), append(grouped, "lost", "claimable")
	}
	for name, columns := range map[string][]string{
		"trades": {"merchant_pid", "out_trade_no", "trade_no", "status", "reason", "pos_amount", "bill_amount", "buyer_paid", "red_packet", "allowance", "coupon", "fee_expected"},
		"refunds": {
			"merchant_pid", "out_trade_no", "out_request_no", "refund_time", "status", "reason", "pos_amount", "bill_amount", "cumulative", "expected_paid",
			"expected_red_packet", "expected_allowance", "expected_coupon", "fee_expected", "mode", "refund_overpaid",
		},
	} {
		sameRows(t, name, columns, cellsOf(one.table(name), columns), got[name])
	}
	sameRows(t, "rebates", rebates, cellsOf(said(one.table("rebates")), rebates), got["rebates"])
	sameRows(t, "breaks", broken, cellsOf(oneBreaks, broken), breaks)
	sameRows(t, "rebate_groups", grouped, cellsOf(groupRows(oneResult), grouped), groups)
	if t.Failed() {
		for _, name := range slices.Sorted(maps.Keys(n.files)) {
			t.Logf("-- %s --\n%s", name, n.files[name])
		}
	}
}

// empty is a file of headings alone.
func (n *nights) empty(name string) []byte {
	other := &nights{files: map[string]*bytes.Buffer{}}
	other.write("/"+name, "")
	data := bytes.TrimSuffix(other.files["/"+name].Bytes(), []byte("\n"))
	if strings.HasPrefix(name, "bills/") {
		data = append(data, billEnd...)
	}
	return data
}

func cellsOf(rows []map[string]string, columns []string) [][]string {
	cells := make([][]string, len(rows))
	for i, row := range rows {
		for _, column := range columns {
			cells[i] = append(cells[i], row[column])
		}
	}
	return cells
}

// said are the rows of rebates that a statement makes: what is left to say of a trade
// of an earlier day.
func said(rows []map[string]string) []map[string]string {
	return slices.DeleteFunc(rows, func(row map[string]string) bool { return row["stated"] == "" && row["cause"] != "statement_missing" })
}

// statementBreaks are the breaks that a statement makes.
func statementBreaks(r *engine.Result) []map[string]string {
	return slices.DeleteFunc(breakRows(r), func(row map[string]string) bool { return !strings.HasPrefix(row["code"], "statement_") })
}

// TestStatementEachNight makes nights with a statement of some of their trades each, all
// labelled with the month: a trade is missing on the first such night from its own on,
// and on no other.
func TestStatementEachNight(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 12
	}
	missing := 0
	for seed := range uint64(seeds) {
		n := newNights(seed)
		n.nightly, n.byDay, n.together, n.unlisted = true, false, [2]bool{}, 3
		if n.rounded {
			continue // all of a month is judged together
		}
		for i := range 30 {
			n.sell(i)
		}
		quiet := nightDate(nightStart.AddDate(0, 0, n.random.IntN(nightDays))) // has no statement
		delete(n.files, quiet+"/rebate/s.csv")
		var stated []string // nights that had one
		waiting, refunded := map[string]string{}, map[string]bool{}
		for i, night := range n.tables(t, howRun{2, 1, 0, 0}) {
			date := nightDate(nightStart.AddDate(0, 0, i))
			for _, row := range night["refunds"] {
				refunded[row["out_trade_no"]], refunded[row["trade_no"]] = true, true
			}
			has := n.files[date+"/rebate/s.csv"] != nil
			said := map[string]bool{}
			for _, row := range night["rebates"] {
				judged := slices.ContainsFunc(stated, func(night string) bool { return night >= row["trade_time"][:len(date)] })
				switch {
				case row["cause"] == "statement_missing" && (judged || !has):
					t.Errorf("seed %d, %s: missing: %v", seed, date, row)
				case row["cause"] == "statement_pending" && has && !judged:
					t.Errorf("seed %d, %s: pending: %v", seed, date, row)
				case row["cause"] == "statement_pending" && !judged:
					waiting[row["trade_no"]] = row["out_trade_no"]
				case row["cause"] == "statement_missing":
					missing++
				}
				said[row["trade_no"]] = true
			}
			if !has {
				continue
			}
			stated = append(stated, date)
			for trade, no := range waiting {
				if !said[trade] && !refunded[no] && !refunded[trade] { // else nothing may be due
					t.Errorf("seed %d, %s: nothing is said of %s", seed, date, trade)
				}
			}
			clear(waiting)
		}
	}
	if missing == 0 {
		t.Error("no statement leaves anything out")
	}
}

// TestNightsInLayouts makes nights of which many rows do not say whose they are, and
// runs them in one partition and in many, divided by merchants and not: every night
// must come to the same.
func TestNightsInLayouts(t *testing.T) {
	seeds := 30
	if testing.Short() {
		seeds = 8
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			n := newNights(seed)
			n.wild, n.nightly = true, seed%3 == 1
			for i := range 60 {
				n.sell(i)
			}
			if job := n.job; seed%2 == 0 {
				n.job = func(j *engine.Job) { job(j); j.DefaultMerchant = naiveMerchants[1] }
			}
			want := n.night(t, howRun{1, 1, 0, 0})
			for _, how := range []howRun{{16, 2, 0, 0}, {8, 2, 0, 1}, {8, 2, 0, 2}, {4, 2, 1, 2}, {64, 2, 0, 1}} {
				got := n.night(t, how)
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%+v, night %d: %s", how, i, firstUnlike(got[i], want[i]))
						break
					}
				}
			}
		})
	}
}

// night runs all nights and gives what each comes to as sorted lines.
func (n *nights) night(t *testing.T, how howRun) [][]string {
	t.Helper()
	var all [][]string
	for _, tables := range n.tables(t, how) {
		var lines []string
		for name, rows := range tables {
			for _, row := range rows {
				lines = append(lines, fmt.Sprint(name, " ", row))
			}
		}
		slices.Sort(lines)
		all = append(all, lines)
	}
	return all
}

// tables runs all nights and gives what each comes to, invariants too.
func (n *nights) tables(t *testing.T, how howRun) []map[string][]map[string]string {
	t.Helper()
	var kept state = newMemory()
	if n.seed%3 == 0 {
		kept = newDisk(t)
	}
	var all []map[string][]map[string]string
	for i := range nightDays + 2 {
		s := n.scenario(nightStart.AddDate(0, 0, i), false)
		for _, empty := range []string{"bills/a.csv", "pos/a.csv", "refunds/r.csv"} {
			if s.files[empty] == nil {
				s.files[empty] = n.empty(empty)
			}
		}
		s.state = kept
		sink, result := s.runAs(t, how)
		tables := sink.scenarioTables(result)
		for _, v := range result.Invariants {
			tables["invariants"] = append(tables["invariants"], map[string]string{"holds": fmt.Sprintf("%+v", v)})
		}
		all = append(all, tables)
	}
	return all
}

func firstUnlike(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("line %d\n%s\n%s", i, got[i], want[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(got), len(want))
}
