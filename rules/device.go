package rules

import (
	"strconv"
	"time"
)

// A Month is a calendar month: 12 × year + month − 1.
type Month int32

const daySeconds = 24 * 60 * 60

// MonthOf is the month of a day; days count from 1970-01-01.
func MonthOf(day int32) Month {
	year, month, _ := time.Unix(int64(day)*daySeconds, 0).UTC().Date()
	return Month(12*year + int(month) - 1)
}

// FirstDay is the first day of the month.
func (m Month) FirstDay() int32 {
	return int32(time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// String is the month as 2026-11.
func (m Month) String() string {
	month := int(m)%12 + 1
	text := strconv.Itoa(int(m)/12) + "-"
	if month < 10 {
		text += "0"
	}
	return text + strconv.Itoa(month)
}

// A DevicePolicy bounds the rewards of one Dragonfly device (蜻蜓奖励). It is in
// force from From to To, the last day; OpenEnd: no end.
type DevicePolicy struct {
	From, To int32
	MonthCap Fen // the most in one month
	Months   int // consecutive months from the first that count
	TotalCap Fen // the most in all
}

// BuiltInDevicePolicy holds in every month that no other policy covers: at most
// 400.00 a month, 5 consecutive months from the first, 1600.00 in all.
func BuiltInDevicePolicy() DevicePolicy {
	return DevicePolicy{To: OpenEnd, MonthCap: 400_00, Months: 5, TotalCap: 1600_00}
}

// DevicePolicies are the policies of a job.
type DevicePolicies []DevicePolicy

// Of is the policy that governs the rewards of a month: the one in force on its
// first day, else the first to come into force within it, else the built-in one.
// Where several are in force the one that began last holds, among equals the
// first given: a new policy need not close the old one's dates.
func (p DevicePolicies) Of(m Month) DevicePolicy {
	first, next := m.FirstDay(), (m + 1).FirstDay()
	var found, later *DevicePolicy
	for i := range p {
		switch policy := &p[i]; {
		case policy.From <= first && first <= policy.To:
			if found == nil || policy.From > found.From {
				found = policy
			}
		case policy.From > first && policy.From < next:
			if later == nil || policy.From < later.From {
				later = policy
			}
		}
	}
	switch {
	case found != nil:
		return *found
	case later != nil:
		return *later
	}
	return BuiltInDevicePolicy()
}

// DeviceCause says why a device's reward of a month is, or is not, as the policy
// allows.
type DeviceCause uint8

// The causes, in the order of the tests.
const (
	DeviceOK DeviceCause = iota + 1
	DeviceUnknown
	DeviceUnsigned
	DeviceMonthCount
	DeviceMonthCap
	DeviceTotalCap
)

var deviceCauses = []struct {
	word string
	code BreakCode
}{
	DeviceOK:         {"ok", 0},
	DeviceUnknown:    {"device_unknown", BreakDeviceUnknown},
	DeviceUnsigned:   {"device_unsigned", BreakDeviceUnsigned},
	DeviceMonthCount: {"device_month_count", BreakDeviceMonthCount},
	DeviceMonthCap:   {"device_month_cap", BreakDeviceMonthCap},
	DeviceTotalCap:   {"device_total_cap", BreakDeviceTotalCap},
}

var deviceCauseWords = func() []string {
	words := make([]string, len(deviceCauses))
	for i := range deviceCauses {
		words[i] = deviceCauses[i].word
	}
	return words
}()

func (c DeviceCause) String() string { return word(deviceCauseWords, uint8(c), "DeviceCause") }

// ParseDeviceCause is the inverse of String.
func ParseDeviceCause(s string) (DeviceCause, bool) {
	return parseWord[DeviceCause](deviceCauseWords, s)
}

// Break is the break that goes with the cause; ok has none.
func (c DeviceCause) Break() (BreakCode, bool) {
	if c == 0 || int(c) >= len(deviceCauses) {
		return 0, false
	}
	return deviceCauses[c].code, deviceCauses[c].code != 0
}

// A DeviceMonth is what the policy makes of a device's reward of one month.
type DeviceMonth struct {
	Allowed Fen // Stated = Allowed + Excess
	Excess  Fen
	Cause   DeviceCause // the first that applies
	// AboveTotal is the part of Excess that is within the month's cap and above the
	// total one; the rest has Cause.
	AboveTotal  Fen
	MonthsUsed  int // of the policy's months, with this one
	TotalUsed   Fen // allowed so far, with this month
	StillToCome Fen // the most that later months can bring
}

// A Device follows one device through the months of its rewards.
//
// Months count from the first with a reward above 0, whether or not each month
// between brought one. What a cap takes away does not count towards the total.
// A month whose rewards add up to 0 or less takes something back: it is allowed
// as it is.
type Device struct {
	// Standing is DeviceUnknown or DeviceUnsigned for a device that may have no
	// reward at all, else DeviceOK.
	Standing DeviceCause
	Policies DevicePolicies

	first   Month
	started bool
	total   Fen
}

// Next judges the device's reward of a month; months are given in their order,
// each once.
//
//	400.00 in each of five months  ->  400.00 400.00 400.00 400.00 0.00
//	450.00                         ->  400.00, 50.00 above the month's cap
func (d *Device) Next(m Month, stated Fen) DeviceMonth {
	r := DeviceMonth{Cause: DeviceOK, Allowed: stated}
	if d.Standing != DeviceOK {
		if stated > 0 {
			r.Allowed, r.Excess, r.Cause = 0, stated, d.Standing
		}
		return r
	}
	policy := d.Policies.Of(m)
	if !d.started && stated > 0 {
		d.first, d.started = m, true
	}
	used := 0
	if d.started {
		used = int(m-d.first) + 1
	}
	if stated > 0 {
		r.Allowed = min(stated, policy.MonthCap)
		if used > policy.Months {
			r.Allowed, r.Cause = 0, DeviceMonthCount
		} else if r.Allowed < stated {
			r.Cause = DeviceMonthCap
		}
		if room := max(policy.TotalCap-d.total, 0); r.Allowed > room {
			r.AboveTotal, r.Allowed = r.Allowed-room, room
			if r.Cause == DeviceOK {
				r.Cause = DeviceTotalCap
			}
		}
		r.Excess = stated - r.Allowed
	}
	d.total += r.Allowed
	r.MonthsUsed, r.TotalUsed = min(used, policy.Months), d.total
	r.StillToCome = policy.left(r.MonthsUsed, d.total)
	return r
}

// left is the most that a device can still get after so many months.
func (p DevicePolicy) left(months int, total Fen) Fen {
	byMonths, ok := mulDivHalfUp(uint64(p.Months-months), uint64(p.MonthCap), 1)
	room := max(p.TotalCap-total, 0)
	if !ok || byMonths > uint64(room) {
		return room
	}
	return Fen(byMonths)
}
