package loaders

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// kindTotals are the totals of one kind of row: payments as read, refunds by
// magnitude.
type kindTotals struct {
	count int64
	sums  [amountCount]rules.Sum
}

func (k *kindTotals) sum(c billColumn) rules.Sum { return k.sums[c-firstAmount] }

// storeTotals are the totals of a store, by RowKind.
type storeTotals [3]kindTotals

// billTotals are what one parser found in a trade bill. Totals are taken over all
// rows whose type and amounts can be read, rejected ones included.
type billTotals struct {
	storeTotals
	stores map[uint32]*storeTotals // nil if nobody asks
	last   *storeTotals            // of the store that came last
	lastOf uint32

	// What was found in the rows that were accepted.
	conflicts   int64 // rows whose 订单金额 has the wrong sign
	fees        [3][2]int64
	cleanFees   [3][2]int64 // the same, of rows without another conflict
	netPlus     int64       // 实收净额 = 商家实收 + 服务费 + 分润 only
	netMinus    int64       // 实收净额 = 商家实收 − 服务费 − 分润 only
	accept      int64
	charged     bool // a fee that is not 0
	first       int64
	latest      int64
	outside     int64
	outsideLine int32
	outsideTime int64
}

// reset empties the totals; stores takes those by store.
func (t *billTotals) reset(stores map[uint32]*storeTotals) {
	*t = billTotals{stores: stores, first: schema.Null, latest: schema.Null}
}

// newStores is where totals by store go; nil if nobody asks.
func (b *billTable) newStores() map[uint32]*storeTotals {
	if !b.stores {
		return nil
	}
	return map[uint32]*storeTotals{}
}

// add counts a row, accepted or not.
func (t *billTotals) add(r *billRow, store uint32) {
	if r.kind == 0 {
		return
	}
	t.storeTotals[r.kind].add(r)
	if t.stores == nil {
		return
	}
	if t.last == nil || t.lastOf != store {
		if t.last = t.stores[store]; t.last == nil {
			t.last = new(storeTotals)
			t.stores[store] = t.last
		}
		t.lastOf = store
	}
	t.last[r.kind].add(r)
}

func (k *kindTotals) add(r *billRow) {
	k.count++
	for i, v := range r.amounts {
		if v == 0 || v == schema.Null || r.readable>>i&1 == 0 {
			continue
		}
		if r.kind == schema.Refund && v < 0 && i != int(colRoyalty-firstAmount) && i != int(colNet-firstAmount) {
			v = -v
		}
		k.sums[i].AddInt(v)
	}
}

// accepted takes down what an accepted row says of signs, fees and times.
func (t *billTotals) accepted(r *billRow, line int32, pre *preamble) {
	t.accept++
	amount, fee := r.amount(colAmount), r.amount(colFee)
	conflict := r.kind == schema.Payment && amount < 0 || r.kind == schema.Refund && amount > 0
	if conflict {
		t.conflicts++
	}
	if fee != 0 && fee != schema.Null {
		t.charged = true
		sign := 0
		if fee < 0 {
			sign = 1
		}
		t.fees[r.kind][sign]++
		if !conflict {
			t.cleanFees[r.kind][sign]++
		}
		if net := r.amount(colNet); net != schema.Null {
			received, royalty := r.amount(colReceived), orZero(r.amount(colRoyalty))
			plus, minus := net == received+fee+royalty, net == received-fee-royalty
			if plus && !minus {
				t.netPlus++
			} else if minus && !plus {
				t.netMinus++
			}
		}
	}
	if t.first == schema.Null || r.time < t.first {
		t.first = r.time
	}
	t.latest = max(t.latest, r.time)
	if pre.from != schema.Null && r.time < pre.from || pre.to != schema.Null && r.time >= pre.to {
		if t.outside++; t.outside == 1 || line < t.outsideLine {
			t.outsideLine, t.outsideTime = line, r.time
		}
	}
}

// merge adds the totals of another parser.
func (t *billTotals) merge(o *billTotals) {
	t.storeTotals.merge(&o.storeTotals)
	for store, totals := range o.stores {
		if t.stores[store] == nil {
			t.stores[store] = new(storeTotals)
		}
		t.stores[store].merge(totals)
	}
	t.conflicts += o.conflicts
	for kind := range t.fees {
		for sign := range t.fees[kind] {
			t.fees[kind][sign] += o.fees[kind][sign]
			t.cleanFees[kind][sign] += o.cleanFees[kind][sign]
		}
	}
	t.netPlus += o.netPlus
	t.netMinus += o.netMinus
	t.accept += o.accept
	t.charged = t.charged || o.charged
	if o.first != schema.Null && (t.first == schema.Null || o.first < t.first) {
		t.first = o.first
	}
	t.latest = max(t.latest, o.latest)
	if o.outside > 0 && (t.outside == 0 || o.outsideLine < t.outsideLine) {
		t.outsideLine, t.outsideTime = o.outsideLine, o.outsideTime
	}
	t.outside += o.outside
}

func (s *storeTotals) merge(o *storeTotals) {
	for kind := range s {
		s[kind].count += o[kind].count
		for i := range s[kind].sums {
			s[kind].sums[i].AddSum(o[kind].sums[i])
		}
	}
}

// signConflicts counts the rows of formats 1.4 whose sign is not the file's. The
// fee's sign is fixed by 实收净额 where it says so, else by most payment rows.
func (t *billTotals) signConflicts() int64 {
	pay := t.fees[schema.Payment]
	charged := 0 // the sign of a charge: 0 is positive
	switch {
	case t.netPlus > 0 && t.netMinus == 0:
		charged = 1
	case t.netMinus > 0 && t.netPlus == 0:
	case pay[1] > pay[0]:
		charged = 1
	}
	n := t.conflicts + t.cleanFees[schema.Payment][1-charged]
	if pay[0]+pay[1] > 0 {
		n += t.cleanFees[schema.Refund][charged]
	}
	return n
}

// finish completes a trade bill after its last row: what its footers say, and
// what its rows have in common.
func (b *billTable) finish(t *tableReader) error {
	b.totals.reset(b.newStores())
	for _, p := range b.parsers {
		b.totals.merge(&p.totals)
		schema.Reset(p.bills)
		billsPool.Put(p.bills)
	}
	b.parsers = nil
	totals := &b.totals
	t.table.FirstTime, t.table.LastTime = totals.first, totals.latest
	t.table.FeesAllZero = b.at[colFee] >= 0 && totals.accept > 0 && !totals.charged
	t.repair("sign_conflict", totals.signConflicts())
	if totals.outside > 0 {
		t.problem(schema.Problem{
			Code: "outside_period", Line: int(totals.outsideLine), Column: b.name(colTime), Value: clockText(totals.outsideTime),
			Message: say(t.opt.Lang, fmt.Sprintf("%d 行的完成时间不在账单周期内，已读入", totals.outside),
				fmt.Sprintf("%d rows are outside the bill's period; they are loaded", totals.outside)),
		})
	}
	slices.SortFunc(b.notes, func(x, y billNote) int { return cmp.Compare(x.line, y.line) })
	slices.SortFunc(b.tails, func(x, y billNote) int { return cmp.Compare(x.line, y.line) })
	ended := false
	for _, n := range b.notes {
		if account := accountIn(n.text); account != "" && b.pre.account != "" && account != b.pre.account {
			return &FileError{
				Code: "account_conflict", Pos: schema.Pos{File: t.table.File(), Line: int(n.line)}, Lang: t.opt.Lang,
				Detail: b.pre.account + ", " + account,
			}
		}
		ended = ended || isListEnd(n.text)
	}
	if b.pre.listLine > 0 && !ended {
		return &FileError{
			Code: "truncated", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang,
			Advice: say(t.opt.Lang, "请重新下载该账单", "download the bill again"),
		}
	}
	b.checkFooters(t)
	return nil
}

// clockText writes a time as outputs do.
func clockText(seconds int64) string {
	days := seconds / secondsPerDay
	second := seconds % secondsPerDay
	if second < 0 {
		days--
		second += secondsPerDay
	}
	year, month, day := civil(days)
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", year, month, day, second/3600, second/60%60, second%60)
}

// civil is the day that daysFrom counts.
func civil(days int64) (year, month, day int64) {
	days += 719468
	era := (days + 146097*400) / 146097
	dayOfEra := days + 146097*400 - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*m+2)/5 + 1
	month = m + 3
	year = yearOfEra + (era-400)*400
	if m >= 10 {
		month -= 12
		year++
	}
	return year, month, day
}

// A footerAmount is one amount in a footer: its label, and the sums that it may
// mean, any of which satisfies it.
type footerAmount struct {
	words   string
	means   []billColumn // each alone
	all     []billColumn // or all of these together
	control string
}

// footerAmounts, the longer label first.
var footerAmounts = []footerAmount{
	{"商家实收", []billColumn{colReceived}, nil, "received"},
	{"商家优惠", []billColumn{colMerchantDiscount}, nil, "merchant_discount"},
	{"优惠", []billColumn{colMerchantDiscount}, []billColumn{colMerchantDiscount, colPlatform}, "merchant_discount"},
	{"金额", []billColumn{colAmount, colReceived}, nil, "amount"},
}

var (
	footerCount = regexp.MustCompile(`([0-9][0-9,]*)\s*笔`)
	footerSum   = regexp.MustCompile(`([^，,：:；;。共]*)共\s*([-+]?[0-9][0-9,]*(?:\.[0-9]+)?)\s*元`)
)

// checkFooters compares what the footers state with what was found. Footers that
// are not there leave their controls not stated, which is a warning.
func (b *billTable) checkFooters(t *tableReader) {
	if b.checkTails(t) {
		return
	}
	missing := false
	for _, kind := range []schema.RowKind{schema.Payment, schema.Refund} {
		words := "交易合计"
		if kind == schema.Refund {
			words = "退款合计"
		}
		text := ""
		for _, n := range b.notes {
			if strings.Contains(n.text, words) {
				text = n.text
			}
		}
		if text == "" {
			missing = true
			b.notStated(t, kind)
			continue
		}
		b.checkFooter(t, kind, text)
	}
	if missing {
		t.notStated()
	}
}

// notStated warns of control totals that the file does not have.
func (t *tableReader) notStated() {
	t.problem(schema.Problem{
		Code: "control_not_stated",
		Message: say(t.opt.Lang, "文件没有列出合计，无法核对总额",
			"the file states no totals, so that none could be checked"),
	})
}

func (b *billTable) notStated(t *tableReader, kind schema.RowKind) {
	totals := &b.totals.storeTotals[kind]
	prefix := kindPrefix(kind)
	t.control(schema.Control{Name: prefix + "count", Found: itoa(totals.count)})
	t.control(schema.Control{Name: prefix + "received", Found: totals.sum(colReceived).String2()})
}

func kindPrefix(kind schema.RowKind) string {
	if kind == schema.Refund {
		return "refunds."
	}
	return "payments."
}

func (b *billTable) checkFooter(t *tableReader, kind schema.RowKind, text string) {
	totals, prefix := &b.totals.storeTotals[kind], kindPrefix(kind)
	if m := footerCount.FindStringSubmatch(text); m != nil {
		t.control(countControl(prefix+"count", strings.ReplaceAll(m[1], ",", ""), totals.count))
	}
	for _, m := range footerSum.FindAllStringSubmatch(text, -1) {
		i := slices.IndexFunc(footerAmounts, func(f footerAmount) bool { return strings.Contains(m[1], f.words) })
		if i < 0 {
			continue
		}
		stated, err := rules.ParseFen([]byte(m[2]))
		if err != nil {
			continue
		}
		if kind == schema.Refund {
			stated = stated.Abs()
		}
		f := &footerAmounts[i]
		name, found := f.control, totals.sum(f.means[0])
		for _, c := range f.means {
			if sum := totals.sum(c); sum == sumOf(stated) {
				found = sum
				if c == colReceived {
					name = "received"
				}
				break
			}
		}
		if len(f.all) > 0 && found != sumOf(stated) {
			var sum rules.Sum
			for _, c := range f.all {
				sum.AddSum(totals.sum(c))
			}
			if sum == sumOf(stated) {
				name, found = "discount", sum
			}
		}
		t.control(amountControl(prefix+name, stated, found))
	}
}

func sumOf(f rules.Fen) (s rules.Sum) {
	s.Add(f)
	return s
}

func countControl(name, stated string, found int64) schema.Control {
	stated = strings.TrimLeft(stated, "0")
	if stated == "" {
		stated = "0"
	}
	c := schema.Control{Name: name, Stated: &stated, Found: itoa(found)}
	holds := c.Found == stated
	c.Holds = &holds
	return c
}

func amountControl(name string, stated rules.Fen, found rules.Sum) schema.Control {
	text, holds := stated.String(), sumOf(stated) == found
	c := schema.Control{Name: name, Stated: &text, Found: found.String2(), Holds: &holds}
	if gap, ok := found.Sub(sumOf(stated)).Abs().Int64(); ok {
		c.Gap = rules.Fen(gap)
	}
	return c
}

// tailColumns are the totals of V28b (formats 2.4).
var tailColumns = []struct {
	name    string
	kind    schema.RowKind
	means   []billColumn // none: the count
	control string
}{
	{"总交易单数", schema.Payment, nil, "count"},
	{"总交易实收额", schema.Payment, []billColumn{colReceived}, "received"},
	{"交易手续费总金额", schema.Payment, []billColumn{colFee}, "fee"},
	{"总退款笔数", schema.Refund, nil, "count"},
	{"总退款金额", schema.Refund, []billColumn{colReceived, colAmount}, "received"},
	{"退款手续费总金额", schema.Refund, []billColumn{colFee}, "fee"},
}

// checkTails compares V28b's totals: a header line and the line of values after
// it. What looked like one and is none is a row with too few cells.
func (b *billTable) checkTails(t *tableReader) bool {
	checked := false
	for i := 0; i < len(b.tails); i++ {
		header := b.tails[i]
		if header.cells[0] != tailWords[0] || i+1 == len(b.tails) {
			t.skip(-1)
			t.reject(schema.Reject{Line: header.line, Code: rules.CodeColumnCount, Amount: schema.Null, Raw: header.text})
			continue
		}
		i++
		values := b.tails[i].cells
		checked = true
		for k, name := range header.cells {
			if k < len(values) {
				b.checkTail(t, normalHeader(name), values[k])
			}
		}
	}
	return checked
}

func (b *billTable) checkTail(t *tableReader, name, value string) {
	for _, column := range tailColumns {
		if column.name != name {
			continue
		}
		totals, control := &b.totals.storeTotals[column.kind], kindPrefix(column.kind)+column.control
		if column.means == nil {
			t.control(countControl(control, value, totals.count))
			return
		}
		stated, err := rules.ParseFen([]byte(value))
		if err != nil {
			return
		}
		found := totals.sum(column.means[0]).Abs()
		for _, c := range column.means {
			if sum := totals.sum(c).Abs(); sum == sumOf(stated.Abs()) {
				found = sum
			}
		}
		t.control(amountControl(control, stated.Abs(), found))
		return
	}
}

// controlWords name a control in a sentence.
func controlWords(name, lang string) string {
	if lang == "en" {
		return name
	}
	parts := strings.Split(name, ".")
	var b strings.Builder
	for i := 0; i < len(parts); i++ {
		switch word := parts[i]; {
		case word == "store" && i+1 < len(parts):
			i++
			b.WriteString("门店 " + parts[i] + " ")
		case word == "merchant" && i+1 < len(parts):
			i++
			b.WriteString("商户 " + parts[i] + " ")
		case controlParts[word] != "":
			b.WriteString(controlParts[word])
		default:
			b.WriteString(word)
		}
	}
	return b.String()
}

var controlParts = map[string]string{
	"payments": "交易", "refunds": "退款", "count": "笔数", "received": "商家实收", "amount": "金额",
	"merchant_discount": "商家优惠", "platform_discount": "支付宝优惠", "discount": "优惠", "fee": "服务费",
	"card": "卡消费金额", "royalty": "分润", "net": "实收净额", "total": "合计", "detail": "明细", "stores": "门店",
	"order_amount": "订单金额", "income": "收入", "expense": "支出", "rows": "行", "movements": "总金额", "due": "应返金额",
}
