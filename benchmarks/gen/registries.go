package gen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a day with Config.Registries plants besides: coupons, payment codes, stores
// whose orders are not synchronised, goods that are not published, and rewards of
// Dragonfly devices. It is drawn from streams of its own, so that all else is the
// same day without it.

// extraHeader are the further columns of the POS.
var extraHeader = [2]string{"undiscountable_amount,coupon_name,scene,pay_code,", "不可打折金额,券名称,支付场景,付款码,"}

// A coupon of the day's register.
type coupon struct {
	name           string
	kind           string
	threshold, off fen
}

var coupons = []coupon{
	{"门店满三十减五", "smart_store", 3000, 500},
	{"官方满二十减二", "alipay", 2000, 200},
	{"每满十减一", "allowance", 1000, 100},
}

const (
	storeCoupon = iota
	officialCoupon
	stepAllowance
	noCoupon
)

// An extra is what is planted on one order, besides its kinds.
type extra struct {
	undiscountable fen
	coupon         int
	scene, code    string
	badCode        bool
}

// drawExtra draws an order's extra.
func (w *world) drawExtra(o *order) extra {
	x := extra{coupon: noCoupon}
	r := streamOf(w.cfg.Seed, o.i, 0xc0)
	if r.perMille(300) {
		x.undiscountable = r.n(max(o.posTotal, 1))
	}
	if r.perMille(400) && o.fundKind != POSFundsBlank && o.posFund.stated {
		x.coupon = int(r.n(noCoupon))
	}
	switch r.n(5) {
	case 0:
		x.scene, x.code = "bar_code", "28"+string(appendDigits(nil, r.n(1e16), 16))
	case 1:
		x.scene, x.code, x.badCode = "bar_code", "12"+string(appendDigits(nil, r.n(1e16), 16)), true
	case 2:
		x.scene, x.code = "wave_code", "12345"
	case 3:
		x.scene = "face_code"
	}
	return x
}

// extraCells appends the further cells.
func (x *extra) cells(b []byte, enc encoding) []byte {
	b = appendFen(b, x.undiscountable)
	b = append(b, ',')
	if x.coupon != noCoupon {
		name := newCell(coupons[x.coupon].name)
		b = append(b, name.in(enc)...)
	}
	b = append(b, ',')
	b = append(b, x.scene...)
	b = append(b, ',')
	b = append(b, x.code...)
	return append(b, ',')
}

// unsynced: the store's orders are not synchronised.
func (w *world) unsynced(store int) bool { return w.cfg.Registries && store%3 == 2 }

// published: the goods are in the register.
func (w *world) published(article int) bool {
	return !w.cfg.Registries || article != w.untagged && article != w.untagged+1
}

// extraBreaks counts what the registries find on an order: one that may be a trade.
func (w *world) extraBreaks(o *order, t *tallies) {
	if !w.cfg.Registries || !o.pos {
		return
	}
	//exhaustive:ignore
	switch o.kind {
	case NotPaid, ZeroAmount, OtherChannel:
		return
	}
	x := extra{coupon: noCoupon} // messages have none of it
	if w.inTables(o) {
		x = w.drawExtra(o)
	}
	if w.unsynced(o.posStore) {
		t.found(bStoreSyncOff, o.posTotal)
	}
	var seen []int
	for k := range o.n {
		l := &o.lines[k]
		if l.bad == 0 && !l.blankID && o.goodsKind != NoGoods && !w.published(l.goods) && !slices.Contains(seen, l.goods) {
			seen = append(seen, l.goods)
			t.found(bGoodsUnknown, 0)
		}
	}
	if x.badCode {
		t.found(bPayCode, 0)
	}
	if x.scene == "face_code" && o.hbNum > 0 {
		t.found(bHuabeiOnFace, 0)
	}
	if o.status == paid && x.coupon != noCoupon {
		w.couponBreak(o, &x, t)
	}
}

func (w *world) couponBreak(o *order, x *extra, t *tallies) {
	c := coupons[x.coupon]
	base := o.posTotal
	switch x.coupon {
	case stepAllowance:
		if most := o.posTotal / c.threshold * c.off; o.posFund.allowance > most {
			t.found(bAllowanceStep, o.posFund.allowance-most)
		}
		return
	case officialCoupon:
		base -= x.undiscountable
	}
	if base < c.threshold {
		atStake := o.posFund.coupon
		if atStake == 0 {
			atStake = c.off
		}
		t.found(bCouponThreshold, atStake)
	}
}

// writeExtras writes the registers of coupons and devices, and the rewards.
func (w *world) writeExtras(dir string, t *tallies) error {
	if !w.cfg.Registries {
		return nil
	}
	for _, file := range []struct {
		name string
		fill func(*sheet)
	}{
		{"ref/coupons.csv", func(s *sheet) {
			s.line("coupon_name,kind,threshold,off,goods_ids,store_ids")
			for _, c := range coupons {
				s.line(c.name + "," + c.kind + "," + string(appendFen(nil, c.threshold)) + "," + string(appendFen(nil, c.off)) + ",,")
			}
		}},
		{"ref/devices.csv", w.deviceRows},
		{"ref/device_policies.csv", func(s *sheet) {
			s.line("effective_from,effective_to,month_cap,months,total_cap")
			s.line("2020-01-01,," + string(appendFen(nil, policyMonth)) + "," + strconv.Itoa(policyMonths) + "," + string(appendFen(nil, policyTotal)))
		}},
		{"rebate_devices/rewards.csv", w.rewardRows},
		{"expected/devices.csv", func(s *sheet) { w.deviceTruth(s, t) }},
	} {
		s, err := createSheet(dir, file.name)
		if err != nil {
			return err
		}
		file.fill(s)
		if err := s.finish(); err != nil {
			return err
		}
	}
	return nil
}

// The policy of the day's devices.
const (
	policyMonth  fen = 300_00
	policyMonths     = 4
	policyTotal  fen = 1000_00
)

// A deviceRecord is one device and its rewards from a month on.
type deviceRecord struct {
	sn                string
	purchaser, signer string // signer blank: the purchaser
	signed            bool
	known             bool
	rewards           []fen // of consecutive months; 0: none
}

// deviceRecords are the day's devices.
func (w *world) deviceRecords() []deviceRecord {
	var all []deviceRecord
	all = append(all, deviceRecord{ // one that reaches what it may have in all
		sn: "SN-TOTAL", purchaser: w.pid('6', 0), signed: true, known: true,
		rewards: []fen{policyMonth, policyMonth, policyMonth, policyMonth},
	})
	for i := range 40 {
		r := streamOf(w.cfg.Seed, int64(i), 0xde)
		d := deviceRecord{
			sn: fmt.Sprintf("SN%08d", i), purchaser: w.pid('6', int(r.n(12))), signed: r.perMille(150), known: !r.perMille(100),
		}
		if r.perMille(200) {
			d.signer = w.pid('6', int(r.n(12)))
		}
		for range r.between(1, 7) {
			d.rewards = append(d.rewards, []fen{0, 10_000, 25_000, 30_000, 30_000, 35_000, 40_001}[r.n(7)])
		}
		all = append(all, d)
	}
	return all
}

func (d *deviceRecord) signedBy() string {
	if d.signer != "" {
		return d.signer
	}
	return d.purchaser
}

// rewardMonth is a month of the year before the day.
func (w *world) rewardMonth(k int) string {
	return fmt.Sprintf("%04d-%02d", w.date.Year()-1, 3+k)
}

func (w *world) deviceRows(s *sheet) {
	s.line("device_sn,purchaser_pid,signer_pid,model,policy_signed_on")
	for _, d := range w.deviceRecords() {
		if !d.known {
			continue
		}
		on := ""
		if d.signed {
			on = "2024-01-05"
		}
		s.line(strings.Join([]string{d.sn, d.purchaser, d.signer, "F4", on}, ","))
	}
}

func (w *world) rewardRows(s *sheet) {
	s.line("device_sn,month,reward_amount")
	for _, d := range w.deviceRecords() {
		for k := len(d.rewards) - 1; k >= 0; k-- { // the order of the rows does not matter
			switch reward := d.rewards[k]; reward {
			case 0:
			case 40_001: // in two rows
				s.line(d.sn + "," + w.rewardMonth(k) + ",400.00")
				s.line(d.sn + "," + w.rewardMonth(k) + ",0.01")
			default:
				s.line(d.sn + "," + w.rewardMonth(k) + "," + string(appendFen(nil, reward)))
			}
		}
	}
}

// deviceTruth follows each device month by month.
func (w *world) deviceTruth(s *sheet, t *tallies) {
	s.line("device_sn,signer_pid,month,stated,allowed,excess,cause")
	devices := w.deviceRecords()
	signed := map[string]bool{}
	for _, d := range devices {
		if d.known && d.signed {
			signed[d.signedBy()] = true
		}
	}
	for _, d := range devices {
		var total fen
		first := -1
		for k, stated := range d.rewards {
			if stated == 0 {
				continue
			}
			if first < 0 {
				first = k
			}
			signer, cause, code, allowed := d.signedBy(), "ok", noBreak, stated
			switch {
			case !d.known:
				signer, cause, code, allowed = "", "device_unknown", bDeviceUnknown, 0
			case !signed[signer]:
				cause, code, allowed = "device_unsigned", bDeviceUnsigned, 0
			case k-first >= policyMonths:
				cause, code, allowed = "device_month_count", bDeviceMonthCount, 0
			default:
				if allowed > policyMonth {
					cause, code, allowed = "device_month_cap", bDeviceMonthCap, policyMonth
				}
				if rest := policyTotal - total; allowed > rest {
					if cause == "ok" {
						cause = "device_total_cap"
					} else {
						t.found(code, stated-allowed)
					}
					t.found(bDeviceTotalCap, allowed-rest)
					code, allowed = noBreak, rest
				}
			}
			if code != noBreak {
				t.found(code, stated-allowed)
			}
			total += allowed
			s.line(strings.Join([]string{
				d.sn, signer, w.rewardMonth(k), string(appendFen(nil, stated)),
				string(appendFen(nil, allowed)), string(appendFen(nil, stated-allowed)), cause,
			}, ","))
		}
	}
}
