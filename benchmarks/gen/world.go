package gen

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The providers of the ISV, by what they are for.
const (
	primary = iota
	second
	expired
	unsigned
	pendingPID // signed, and in no statement yet
	future
	providerCount
)

// The products.
const (
	faceToFace = iota
	huabei
	productCount
)

var productNames = [productCount]string{"face_to_face", "huabei_instalment"}

const (
	midnight    = 24 * 3600
	cutoff      = 600 // matching.cutoff_window
	billSuffix  = "0156"
	noStoreRate = -1
)

type agreement struct {
	rate     micro
	basis    string // received or order_amount
	from, to string
	scale    int
	limit    micro
	signed   bool
}

type provider struct {
	pid        string
	name       string
	agreements [productCount]agreement
}

type merchant struct {
	pid        string
	name       string
	rate       micro // 0.006
	stated     bool  // the registry knows the rate
	deferred   bool  // 后收: all fees are 0
	positive   bool  // the bill writes fees without a sign
	partner    int   // another merchant of the same rate; -1: none
	firstStore int
	stores     int
	firstGoods int
	goods      int
	upTo       [24]int64 // cumulative weight of the hours
	subjects   []cell    // 商品名称 in the bill
	weight     int64
	slots      []int64 // places in the pattern
	count      int64   // indexes
}

type store struct {
	id       string
	name     cell
	merchant int
	rate     micro // what the bill charges
	own      bool  // the registry knows a rate of its own
}

type article struct {
	id    string
	name  string
	cells cell // id and name
	tag   fen  // -1: none
}

// world is everything that is the same for all records.
type world struct {
	cfg       Config
	date      time.Time
	day       string // "2026-11-20 "
	compact   string // "20261120"
	period    string // "2026-11"
	yesterday string // "2026-11-19 "
	earlier   string // "20261119"
	otherDay  string // a day of the month without a bill, "2026-11-19"
	seqWidth  int

	accountLayouts [AccountMixed]accountLayout

	merchants []merchant
	stores    []store
	providers [providerCount]provider
	articles  []article
	prices    []micro // of the articles; apart, as drawing needs little else of them
	weighed   []bool  // of the articles of profiles; nil: any article may be
	untagged  int     // index of two articles without a tag price
	zeroTag   int     // index of two articles with a tag price of 0.00
	surnames  []cell
	voucher   cell

	weightSum int64
	pattern   []int   // merchant at each place
	rank      []int64 // how many places of the same merchant are before

	match, goods, funding, refund, rebate, fee picker
	attribute                                  [kindCount]int
}

// newWorld lays out merchants, stores, goods and providers of a day.
func newWorld(cfg Config) *world {
	w := &world{cfg: cfg}
	w.date, _ = time.Parse(time.DateOnly, cfg.Date) // withDefaults has parsed it
	w.day = cfg.Date + " "
	w.compact = w.date.Format("20060102")
	w.period = w.date.Format("2006-01")
	w.yesterday = w.date.AddDate(0, 0, -1).Format(time.DateOnly) + " "
	w.earlier = w.date.AddDate(0, 0, -1).Format("20060102")
	other := w.date.AddDate(0, 0, -1)
	if other.Month() != w.date.Month() {
		other = w.date.AddDate(0, 0, 1)
	}
	w.otherDay = other.Format(time.DateOnly)
	w.seqWidth = max(7, len(strconv.Itoa(cfg.Trades)))
	w.layMerchants()
	w.layGoods()
	w.layProviders()
	w.layPattern()
	w.layMix()
	w.layAccounts()
	for m := range w.merchants {
		w.merchants[m].subjects = w.subjectsOf(m)
	}
	for _, s := range surnames {
		w.surnames = append(w.surnames, newCell("*"+s+"("))
	}
	w.voucher = newCell("满减券")
	return w
}

// pid makes the n-th PID of a family; families never meet, no PID ends in 0 and
// no two share their first 15 digits.
func (w *world) pid(family byte, n int) string {
	r := streamOf(w.cfg.Seed, int64(n), 0x70<<8|uint64(family))
	b := append([]byte("2088"), family)
	b = appendDigits(b, r.n(100_000), 5)
	b = appendDigits(b, int64(n), 5)
	return string(append(b, byte('1'+r.n(9))))
}

func (w *world) layMerchants() {
	// The first merchant's rate is the commonest; a store of its own rate, one that
	// is billed afterwards and one without a rate come with more merchants.
	for m := range w.cfg.Merchants {
		me := merchant{
			pid: w.pid('1', m), name: "商户" + strconv.Itoa(m+1), rate: 6000, stated: m%8 != 5,
			deferred: m%8 == 3 && !w.cfg.Clean, positive: m%2 == 1, firstStore: len(w.stores),
			stores: w.cfg.Stores, goods: w.cfg.Goods, weight: int64(w.cfg.Weights[m]),
		}
		if m%4 == 1 {
			me.rate = 3800
		}
		hours := defaultHours
		names := []string(nil)
		if m < len(w.cfg.Profiles) {
			p := w.cfg.Profiles[m]
			me.name, hours, names, me.stores = p.Name, p.Hours, p.Stores, len(p.Stores)
			me.rate, me.deferred, me.stated = 6000, false, true
		}
		var sum int64
		for h, x := range hours {
			if h >= 1 && h <= 22 {
				sum += int64(x)
			}
			me.upTo[h] = sum
		}
		for s := range me.stores {
			st := store{id: "S" + strconv.Itoa(1000*(m+1)+s), merchant: m, rate: me.rate}
			name := "门店" + st.id
			if s < len(names) {
				name = names[s]
			}
			st.name = newCell(name)
			if s == 1 && me.stores > 2 && !me.deferred {
				st.own, st.rate = true, 4500
			}
			w.stores = append(w.stores, st)
		}
		w.merchants = append(w.merchants, me)
	}
	for m := range w.merchants {
		w.merchants[m].partner = w.partnerOf(m)
	}
}

func (w *world) subjectsOf(m int) []cell {
	if m < len(w.cfg.Profiles) {
		return []cell{newCell("门店消费"), newCell(w.cfg.Profiles[m].Name)}
	}
	if m > 0 {
		return w.merchants[0].subjects
	}
	var out []cell
	for _, s := range subjectNames {
		out = append(out, newCell(s))
	}
	return out
}

// partnerOf finds a merchant whose trades carry the same fee.
func (w *world) partnerOf(m int) int {
	me := &w.merchants[m]
	for d := 1; d < min(len(w.merchants), 16); d++ {
		o := (m + d) % len(w.merchants)
		you := &w.merchants[o]
		if you.rate == me.rate && you.stated == me.stated && !you.deferred && !me.deferred {
			return o
		}
	}
	return -1
}

func (w *world) layGoods() {
	add := func(name string, price, tag fen) {
		id := appendDigits([]byte("SKU"), int64(len(w.articles)), 6)
		w.articles = append(w.articles, article{string(id), name, rawCell(string(id) + "," + quoted(name)), tag})
		w.prices = append(w.prices, price*10_000)
	}
	if len(w.cfg.Profiles) > 0 {
		for m, p := range w.cfg.Profiles {
			w.merchants[m].firstGoods, w.merchants[m].goods = len(w.articles), len(p.Goods)
			for _, a := range p.Goods {
				add(a.Name, a.Price, a.Price)
				w.weighed = append(w.weighed, a.Weighed)
			}
		}
	} else {
		for g := range w.cfg.Goods {
			r := streamOf(w.cfg.Seed, int64(g), 0x900d)
			name := goodsNames[r.n(int64(len(goodsNames)))] + goodsSizes[r.n(int64(len(goodsSizes)))]
			price := 50 + r.n(3000)
			if r.perMille(200) {
				price += r.n(30_000)
			}
			tag := price
			if r.perMille(200) {
				tag += r.n(price)
			}
			add(name, price, tag)
		}
	}
	w.untagged = len(w.articles)
	add("现做小食", 880, -1)
	add("称重散装", 1560, -1)
	w.zeroTag = len(w.articles)
	add("赠品杯套", 0, 0)
	add("试饮装", 0, 0)
}

func (w *world) layProviders() {
	year := w.date.Format("2006") + "-01-01"
	signed := func(rate micro, from, to string) agreement {
		return agreement{rate: rate, basis: "received", from: from, to: to, scale: 2, signed: true}
	}
	for p := range w.providers {
		w.providers[p] = provider{pid: w.pid('2', p), name: providerNames[p]}
	}
	first := &w.providers[primary].agreements
	first[faceToFace] = signed(2000, year, "")
	first[huabei] = signed(8000, year, "")
	first[faceToFace].scale, first[huabei].scale = w.cfg.RebateScale, w.cfg.RebateScale
	a := signed(1500, year, w.date.Format(time.DateOnly)) // its last day is the business date
	a.basis, a.limit = "order_amount", 2_000_000
	w.providers[second].agreements[faceToFace] = a
	w.providers[expired].agreements[faceToFace] = signed(2000, "2020-01-01", w.date.AddDate(0, 0, -10).Format(time.DateOnly))
	w.providers[pendingPID].agreements[faceToFace] = signed(2500, year, "")
	w.providers[future].agreements[faceToFace] = signed(2000, w.date.AddDate(0, 0, 10).Format(time.DateOnly), "")
}

// layPattern spreads the merchants over the indexes by their weights, so that
// index and merchant can be told from each other without a table of trades.
func (w *world) layPattern() {
	for _, x := range w.cfg.Weights {
		w.weightSum += int64(x)
	}
	// Smooth weighted round robin: the merchant that is furthest behind is next.
	credit := make([]int64, len(w.merchants))
	equal := slices.Max(w.cfg.Weights) == slices.Min(w.cfg.Weights)
	if equal {
		w.weightSum = int64(len(w.merchants))
	}
	for at := range w.weightSum {
		best := int(at)
		if !equal {
			best = 0
			for m := range credit {
				credit[m] += w.merchants[m].weight
				if credit[m] > credit[best] {
					best = m
				}
			}
			credit[best] -= w.weightSum
		}
		me := &w.merchants[best]
		w.pattern = append(w.pattern, best)
		w.rank = append(w.rank, int64(len(me.slots)))
		me.slots = append(me.slots, at)
	}
	n := int64(w.cfg.Trades)
	full, rest := n/w.weightSum, n%w.weightSum
	for m := range w.merchants {
		me := &w.merchants[m]
		me.count = full * int64(len(me.slots))
		for _, s := range me.slots {
			if s < rest {
				me.count++
			}
		}
	}
}

// place tells the merchant of index i and i's number within it.
func (w *world) place(i int64) (m int, j int64) {
	round, at := i/w.weightSum, i%w.weightSum
	m = w.pattern[at]
	return m, round*int64(len(w.merchants[m].slots)) + w.rank[at]
}

// index is the inverse of place.
func (w *world) index(m int, j int64) int64 {
	slots := w.merchants[m].slots
	k := int64(len(slots))
	return j/k*w.weightSum + slots[j%k]
}

func (w *world) layMix() {
	mix := maps.Clone(w.cfg.Mix)
	if w.cfg.NoRejects {
		maps.DeleteFunc(mix, func(k Kind, _ int) bool { return k.rejecting() })
	}
	if w.cfg.Slim { // without 调整金额 and trade_time, these would be something else
		delete(mix, Adjustment)
		delete(mix, StatementOrphan)
	}
	w.match = newPicker(mix, firstMatch, firstGoods)
	w.goods = newPicker(mix, firstGoods, firstFunding)
	w.funding = newPicker(mix, firstFunding, firstRefund)
	w.refund = newPicker(mix, firstRefund, firstRebate)
	w.rebate = newPicker(mix, firstRebate, firstFee)
	w.fee = newPicker(mix, firstFee, firstAttribute)
	for k := firstAttribute; k < kindCount; k++ {
		w.attribute[k] = mix[k]
	}
}

// second gives the time of day at u of 2^32 of a merchant's opening hours; the
// last hour ends at 22:45, so that refunds fit before the day does.
func (me *merchant) second(u uint64) int64 {
	x := u * uint64(me.upTo[23])
	hour := uint64(0)
	for uint64(me.upTo[hour])<<32 <= x {
		hour++
	}
	var before uint64
	if hour > 0 {
		before = uint64(me.upTo[hour-1])
	}
	span := uint64(3600)
	if hour == 22 {
		span = 2700
	}
	within := (x - before<<32) / (uint64(me.upTo[hour]) - before) // of 2^32
	return int64(hour*3600 + within*span>>32)
}

// damaged is a PID as a spreadsheet shows it.
func damaged(pid string) string {
	return strings.Join([]string{pid[:1], ".", pid[1:6], "E+15"}, "")
}
