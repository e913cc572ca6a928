package gen

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DaysConfig describes business days one after the other. The zero value of a
// field means its default.
type DaysConfig struct {
	Seed      uint64
	From      string // first business date; 2026-10-12
	Days      int    // 30
	Trades    int    // a day; 100
	Merchants int    // 2
	Stores    int    // a merchant; 3

	Refunded    int // orders with refunds, per mille; 120
	Refunds     int // days within which an order is refunded; 60
	Crossing    int // orders whose sides are in two days' files, or in one alone, per mille; 60
	Statement   int // of how many trades one is in the monthly statement; 1, and below 0 none
	Compression int // of the ZIPs, 1 to 9; 1

	Formats []string // of the job's outputs; csv and json
	NoState bool     // the job keeps no state
}

func (c DaysConfig) withDefaults() (DaysConfig, error) {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if c.From == "" {
		c.From = "2026-10-12"
	}
	set(&c.Days, 30)
	set(&c.Trades, 100)
	set(&c.Merchants, 2)
	set(&c.Stores, 3)
	set(&c.Refunded, 120)
	set(&c.Refunds, 60)
	set(&c.Crossing, 60)
	set(&c.Statement, 1)
	set(&c.Compression, 1)
	if len(c.Formats) == 0 {
		c.Formats = []string{"csv", "json"}
	}
	if _, err := time.Parse(time.DateOnly, c.From); err != nil {
		return c, fmt.Errorf("date %q: not a date", c.From)
	}
	for _, limit := range []struct {
		name       string
		value      int
		from, upTo int
	}{
		{"days", c.Days, 1, 400},
		{"trades", c.Trades, 1, 10_000_000},
		{"merchants", c.Merchants, 1, 500},
		{"stores", c.Stores, 1, 1000},
		{"refunded", c.Refunded, 0, 900},
		{"days of refunds", c.Refunds, 0, 60},
		{"crossing", c.Crossing, 0, 900},
		{"compression level", c.Compression, 1, 9},
	} {
		if limit.value < limit.from || limit.value > limit.upTo {
			return c, fmt.Errorf("%s: %d is not in %d to %d", limit.name, limit.value, limit.from, limit.upTo)
		}
	}
	return c, nil
}

// Days are business days that hang together: orders whose sides are in the files
// of two days, refunds up to 60 days later, a monthly statement of what was sold
// before. A trade with all its refunds is a pure function of (seed, day, index),
// so that a day's files are written without holding the days before.
type Days struct {
	cfg       DaysConfig
	from      time.Time
	merchants []string // PIDs
	provider  string
	rates     [2]micro // of the rebate, and of the service fee
}

// NewDays lays them out.
func NewDays(cfg DaysConfig) (*Days, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Days{cfg: cfg, rates: [2]micro{2000, 6000}}
	d.from, _ = time.Parse(time.DateOnly, cfg.From) // withDefaults has parsed it
	w := world{cfg: Config{Seed: cfg.Seed}}
	for m := range cfg.Merchants {
		d.merchants = append(d.merchants, w.pid('5', m))
	}
	d.provider = w.pid('6', 0)
	return d, nil
}

// Date is the k-th business date.
func (d *Days) Date(k int) string { return d.from.AddDate(0, 0, k).Format(time.DateOnly) }

func (d *Days) compact(k int) string { return d.from.AddDate(0, 0, k).Format("20060102") }

// Len is how many days there are.
func (d *Days) Len() int { return d.cfg.Days }

// Merchants is how many merchants there are.
func (d *Days) Merchants() int { return d.cfg.Merchants }

// A fate says in which days' files the sides of a trade are.
type fate uint8

const (
	together      fate = iota // both in the day's files
	billNextDay               // paid before midnight, finished after
	posNextDay                // the bill has it before midnight, the till's clock after
	posLate                   // the bill has it before midnight, the till sends it two or three days later
	billLate                  // the other way round
	posTooLate                // the till sends it when it is no longer waited for
	billFarAway               // not near the cut for the till: the sides never meet
	noPOSNear                 // only the bill has it, just before midnight
	noPOSStart                // only the bill has it, just after midnight
	noPOS                     // only the bill has it
	noBillNear                // only the till has it, just before midnight
	noBill                    // only the till has it
	billAgain                 // again in the bill of the next day
	posAgain                  // again in the till's export of the next day
	bothAgain                 // again in both of the next day
	amountDiffers             // the sides' amounts differ
	nextDiffers               // as billNextDay, and the amounts differ
	wechatPaid                // the till's alone, paid otherwise
	fateCount
)

const (
	none    = -1000 // no day
	carries = 3     // matching.carry_days
)

// A dayTrade is one trade with its refunds.
type dayTrade struct {
	day              int
	i                int64
	merchant         int
	store, terminal  int
	fate             fate
	posDay, billDay  int // in whose files the sides are, or none
	again            int // the day in whose files one side is again, or none
	posTime          int64
	billTime         int64
	posTotal         fen
	total            fen // the bill's
	fund             funding
	noPID            bool
	split            bool // two goods lines
	number, tradeNo  []byte
	posTradeNo       bool // the till knows the trade_no
	refunds          [3]dayRefund
	n                int // refunds
	stated           paidAs
	numberBuf, noBuf [40]byte
}

// A dayRefund is one refund of a trade.
type dayRefund struct {
	k               int
	posDay, billDay int
	posTime         int64
	billTime        int64
	posAmount       fen
	amount          fen // the bill's
	actual          parts
	listPrice       bool
	noRequest       bool // the bill has no 请求号
	near            bool // near midnight: it may be carried
}

// paidAs says how the statement pays a trade.
type paidAs uint8

const (
	paidRight paidAs = iota
	paidShort
	paidOver
	paidBack // too much, and the difference taken back in a second row
	notPaid
)

// head draws what is cheap to draw of all trades of a day: whether it is ordinary.
func (d *Days) head(day int, i int64) (f fate, refunded bool) {
	x := mix64(d.cfg.Seed*0x9e3779b97f4a7c15 ^ mix64(uint64(day)<<40^uint64(i)))
	if int(x%1000) < d.cfg.Crossing {
		f = fate(1 + x>>32%uint64(fateCount-1))
	}
	return f, int(x>>16%1000) < d.cfg.Refunded
}

// trade fills t with trade i of a day, which may be before the first: then only its
// refunds are in the files.
func (d *Days) trade(day int, i int64, t *dayTrade) {
	f, refunded := d.head(day, i)
	r := streamOf(d.cfg.Seed, int64(day)<<32^i, 0xda75)
	*t = dayTrade{
		day: day, i: i, fate: f, merchant: int(i % int64(d.cfg.Merchants)), store: int(r.n(int64(d.cfg.Stores))), terminal: int(r.n(4)),
		posDay: day, billDay: day, again: none, noPID: r.perMille(30), split: r.perMille(500), posTradeNo: !r.perMille(100),
	}
	start := int64(day) * midnight
	t.posTime = start + 3600 + (i*(21*3600)+r.n(21*3600))/int64(d.cfg.Trades)%(21*3600)
	t.billTime = t.posTime + r.between(2, 30)
	t.meet(&r, start)
	t.numbers(d)
	t.amounts(&r)
	if refunded {
		t.drawRefunds(&r, d.cfg.Refunds)
	}
	t.stated = paidRight
	if x := r.n(100); x < 12 {
		t.stated = paidShort + paidAs(x/3)
	}
}

// meet sets when and where the two sides are.
func (t *dayTrade) meet(r *rng, start int64) {
	end := start + midnight
	before := func() int64 { return end - 1 - r.n(cutoff-1) }
	after := func() int64 { return end + r.n(cutoff-1) }
	switch t.fate {
	case billNextDay, nextDiffers:
		t.posTime, t.billTime, t.billDay = before(), after(), t.day+1
	case posNextDay:
		t.posTime, t.billTime, t.posDay = after(), before(), t.day+1
	case posLate:
		t.billTime = before()
		t.posTime, t.posDay = t.billTime-2, t.day+2+int(r.n(2))
	case billLate:
		t.posTime = before()
		t.billTime, t.billDay = t.posTime+1, t.day+2+int(r.n(2))
	case posTooLate:
		t.billTime = before()
		t.posTime, t.posDay, t.posTradeNo = t.billTime-2, t.day+carries+1, false
	case billFarAway:
		t.posTime, t.billTime, t.billDay, t.posTradeNo = end-cutoff-1-r.n(3000), after(), t.day+1, false
	case noPOSNear:
		t.billTime, t.posDay = before(), none
	case noPOSStart:
		t.billTime, t.posDay = start+r.n(cutoff-1), none
	case noPOS:
		t.posDay = none
	case noBillNear:
		t.posTime, t.billDay = before(), none
	case noBill, wechatPaid:
		t.billDay = none
	case billAgain, posAgain, bothAgain:
		t.again = t.day + 1
	case together, amountDiffers, fateCount:
	}
}

func (t *dayTrade) numbers(d *Days) {
	compact := d.compact(t.day)
	b := append(t.numberBuf[:0], "N"...)
	b = append(b, compact...)
	t.number = appendDigits(b, t.i/int64(d.cfg.Merchants)+1, 7)
	b = append(t.noBuf[:0], compact...)
	b = append(b, "22002"...)
	b = appendDigits(b, int64(mix64(uint64(t.i)^d.cfg.Seed)%10_000), 4)
	t.tradeNo = appendDigits(b, (t.i*7_368_787+31_415_926_535+int64(t.day)*97)%100_000_000_000, 11)
}

func (t *dayTrade) amounts(r *rng) {
	t.total = r.between(200, 30_000)
	f := funding{stated: true}
	switch r.n(8) {
	case 0:
		f.redPacket = 1 + r.n(t.total/5)
	case 1:
		f.allowance = 1 + r.n(t.total/6)
	case 2:
		f.coupon = 1 + r.n(t.total/5)
	case 3:
		f.redPacket, f.allowance, f.coupon = 1+r.n(t.total/8), 1+r.n(t.total/8), 1+r.n(t.total/8)
	}
	f.red, f.voucher = f.redPacket, f.coupon
	f.buyer = t.total - f.red - f.allowance - f.coupon
	t.fund = f
	t.posTotal = t.total
	if t.fate == amountDiffers || t.fate == nextDiffers {
		t.posTotal += r.between(1, 150)
	}
}

// refundable reports whether refunds of the trade are planted: not where a side
// stands alone that the other side's refund could be taken for.
func (t *dayTrade) refundable() bool {
	return t.fate != posTooLate && t.fate != billFarAway && t.fate != noBill && t.fate != noBillNear
}

// drawRefunds draws one to three refunds over the days.
func (t *dayTrade) drawRefunds(r *rng, within int) {
	if !t.refundable() {
		return
	}
	first := max(t.billDay, t.posDay)
	if t.fate == posLate {
		first = t.billDay + 1 // while the sale is still waited for
	}
	day := first
	switch r.n(10) {
	case 0, 1, 2:
	case 3, 4, 5, 6:
		day += int(r.n(8))
	default:
		day += 8 + int(r.n(53))
	}
	last := t.day + within
	left := t.total
	var x fen
	count := 1 + int(r.n(3))
	for k := range count {
		if day > last {
			return
		}
		ref := dayRefund{k: k, posDay: day, billDay: day}
		at := int64(day)*midnight + 3*3600 + 5*3600*int64(k) + r.n(3600)
		if day == t.day {
			at = max(at, t.billTime+60*int64(k+1))
		}
		if at > int64(day+1)*midnight-cutoff-60 {
			return // no room before the day ends
		}
		ref.posTime, ref.billTime = at, at+r.n(30)
		ref.amount = 1 + r.n(left)
		if k == count-1 && r.n(3) == 0 {
			ref.amount = left
		}
		plan := r.n(20)
		if t.fate == wechatPaid {
			ref.posAmount, ref.billDay = ref.amount, none
			t.refunds[t.n] = ref
			t.n++
			return
		}
		ref.posAmount = ref.amount
		ref.meet(r, plan, t)
		if plan == 9 && t.fund.buyer == t.total && t.posDay != none {
			ref.listPrice, ref.amount = true, left
			ref.posAmount = left + r.between(1, 500)
		}
		if plan == 10 && left > 0 && k > 0 {
			ref.amount = left + r.between(1, 300) // refused
			ref.posAmount = ref.amount
			ref.actual = parts{paid: ref.amount}
		} else if ref.billDay != none {
			before := t.fund.returned(x)
			x += ref.amount
			ref.actual = t.fund.returned(x).minus(before)
			left -= ref.amount
		}
		t.refunds[t.n] = ref
		t.n++
		if left == 0 {
			return
		}
		if ref.near {
			day += carries + 2 // so that none is between a refund and its other side
		}
		day += []int{0, 1, 2, 5, 9, 20}[r.n(6)]
	}
}

// meet sets when and where the two sides of a refund are.
func (ref *dayRefund) meet(r *rng, plan int64, t *dayTrade) {
	end := int64(ref.posDay+1) * midnight
	if t.posDay == none { // the till knows nothing of it
		ref.posDay = none
		return
	}
	switch plan {
	case 0: // the till before midnight, the bill after
		ref.posTime, ref.billTime, ref.near = end-1-r.n(cutoff-1), end+r.n(cutoff-1), true
		ref.billDay++
	case 1: // the other way round
		ref.posTime, ref.billTime, ref.near = end+r.n(cutoff-1), end-1-r.n(cutoff-1), true
		ref.posDay++
	case 2: // only the bill, near midnight
		ref.billTime, ref.posDay, ref.near = end-1-r.n(cutoff-1), none, true
	case 3: // only the till, near midnight
		ref.posTime, ref.billDay, ref.near = end-1-r.n(cutoff-1), none, true
	case 4:
		ref.posDay = none
	case 5:
		ref.billDay = none
	case 6:
		ref.noRequest = true
	}
}

func appendDayRequest(b []byte, t *dayTrade, k int) []byte {
	b = append(b, 'R')
	b = append(b, t.number[1:]...)
	return appendDigits(append(b, '-'), int64(k+1), 1)
}

// lookBack is how many days before its file a side of a trade may be made.
const lookBack = carries + 2

// each visits the trades of a merchant that may be in the files of a day: those
// of that day and of the days before that are not ordinary; with refunds those as
// well that may be refunded on it. Trades of the days before the first are visited
// for their refunds alone. The trade is borrowed.
func (d *Days) each(day, merchant int, refunds bool, visit func(t *dayTrade) error) error { //nolint:revive // flag-parameter: what is visited
	var t dayTrade
	back := lookBack
	if refunds {
		back = d.cfg.Refunds + lookBack
	}
	for from := max(day-back, -unknownDays); from <= day; from++ {
		for i := int64(merchant); i < int64(d.cfg.Trades); i += int64(d.cfg.Merchants) {
			f, refunded := d.head(from, i)
			wanted := f != together
			if refunds {
				wanted = refunded
			}
			if from < day && !wanted {
				continue
			}
			if from < 0 && i >= unknownTrades*int64(d.cfg.Merchants) {
				break
			}
			d.trade(from, i, &t)
			if err := visit(&t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Orders of before the first day, which nothing knows: their refunds are orphans.
const (
	unknownDays   = 20
	unknownTrades = 12 // a day and merchant
)

// Statements returns the day in whose files the statement of day k's month is; it
// may be after the last.
func (d *Days) statementDay(k int) int {
	date := d.from.AddDate(0, 0, k)
	fifth := time.Date(date.Year(), date.Month()+1, 5, 0, 0, 0, 0, time.UTC)
	return int(fifth.Sub(d.from).Hours()) / 24
}

// period is a day's month.
func (d *Days) period(k int) string { return d.from.AddDate(0, 0, k).Format("2006-01") }

// writeRefs writes the registries and the job file.
func (d *Days) writeRefs(dir string) error {
	files := map[string][]string{
		"ref/agreements.csv": {
			"provider_pid,product,rate,basis,effective_from,effective_to,scale,rounding,cap_per_trade",
			d.provider + ",face_to_face," + rateText(d.rates[0]) + ",received,2020-01-01,,2,trade,",
		},
		"ref/providers.csv": {"provider_pid,name,primary", d.provider + ",主体,true"},
		"ref/merchants.csv": {"merchant_pid,name,fee_rate"},
		"ref/stores.csv":    {"store_id,merchant_pid,name,order_sync,fee_rate"},
		"job.yaml": {`# Business days from ` + d.cfg.From + ` on, seed ` + strconv.FormatUint(d.cfg.Seed, 10) + `.
timezone: Asia/Shanghai
inputs:
  alipay_bill: ["bills/{date:20060102}/*.zip"]
  pos_orders:  ["pos/{date:20060102}/*.csv"]
  pos_refunds: ["refunds/{date:20060102}/*.csv"]
  rebate:      ["rebate/{date:20060102}/*.csv"]
  agreements:  ["ref/agreements.csv"]
  providers:   ["ref/providers.csv"]
  merchants:   ["ref/merchants.csv"]
  stores:      ["ref/stores.csv"]
matching: {carry_days: ` + strconv.Itoa(carries) + `}
refunds: {policy: smart_store, mode: prorated}
limits:  {rejects: 0, breaks: 1000000000, break_amount: "999999999999.99"}
output:  {dir: "out/{date:20060102}", formats: [` + strings.Join(d.cfg.Formats, ", ") + `]}`},
	}
	if !d.cfg.NoState {
		files["job.yaml"] = append(files["job.yaml"], "state:   {dir: state, history_days: 400}")
	}
	for m, pid := range d.merchants {
		files["ref/merchants.csv"] = append(files["ref/merchants.csv"], fmt.Sprintf("%s,商户%d,%s", pid, m+1, rateText(d.rates[1])))
		for s := range d.cfg.Stores {
			files["ref/stores.csv"] = append(files["ref/stores.csv"], fmt.Sprintf("%s,%s,门店%d,true,", d.storeID(m, s), pid, s+1))
		}
	}
	for name, lines := range files {
		s, err := createSheet(dir, name)
		if err != nil {
			return err
		}
		s.line(strings.Join(lines, "\n"))
		if err := s.finish(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Days) storeID(m, s int) string { return "D" + strconv.Itoa(1000*(m+1)+s) }
