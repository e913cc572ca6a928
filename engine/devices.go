package engine

import (
	"cmp"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Rewards of Dragonfly devices (蜻蜓奖励) against the policy (rules 6).

// A DeviceReward is a row of devices: what a device was paid for a month, and what
// the policy makes of it.
type DeviceReward struct {
	SN, Signer string
	Month      rules.Month
	Stated     rules.Fen
	rules.DeviceMonth
	Table, Line int32 // the first row of the device and month
}

// deviceTotals are both sides of the proof over the rewards.
type deviceTotals struct {
	read, rejected, used side // rows of the statements
	rows                 side // of devices: stated
	allowed, excess      rules.Sum
}

// deviceRewards judges the rewards of every device, month by month. Rows of one
// device and month are one reward. Without a register of devices all of them may
// be rewarded.
func deviceRewards(p *plan, found *findings) ([]DeviceReward, deviceTotals) {
	var totals deviceTotals
	rows := sumRewards(p, found, &totals)
	register := deviceRegister(p)
	var device rules.Device
	for i := range rows {
		r := &rows[i]
		if i == 0 || r.SN != rows[i-1].SN {
			device = rules.Device{Standing: rules.DeviceOK, Policies: p.job.Registry.DevicePolicies}
			if register != nil {
				device.Standing = register.standing(r.SN)
			}
		}
		r.Signer = register.signer(r.SN)
		r.DeviceMonth = device.Next(r.Month, r.Stated)
		totals.rows.add(int64(r.Stated))
		totals.allowed.Add(r.Allowed)
		totals.excess.Add(r.Excess)
		found.breaks = append(found.breaks, r.breaks()...)
	}
	return rows, totals
}

// sumRewards adds the rows up by device and month, in the order of both. A row with
// which a sum would leave the range of amounts is rejected (rules 1).
func sumRewards(p *plan, found *findings, totals *deviceTotals) []DeviceReward {
	in := p.job.Registry.DeviceRewards
	order := make([]int32, 0, len(in))
	for i := range in {
		if !p.tables[in[i].Table].Refused {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := &in[a], &in[b]
		return cmp.Or(strings.Compare(x.SN, y.SN), cmp.Compare(x.Month, y.Month), p.places.compare(x.Table, x.Line, y.Table, y.Line))
	})
	var rows []DeviceReward
	for _, i := range order {
		row := &in[i]
		totals.read.add(row.Amount)
		last := len(rows) - 1
		if last < 0 || rows[last].SN != row.SN || rows[last].Month != row.Month {
			rows = append(rows, DeviceReward{SN: row.SN, Month: row.Month, Table: row.Table, Line: row.Line})
			last++
		}
		sum := rows[last].Stated + rules.Fen(row.Amount) // two amounts within the range do not overflow
		if sum.Abs() > rules.MaxFen {
			totals.rejected.add(row.Amount)
			found.rejects = append(found.rejects, schema.Reject{
				Table: row.Table, Line: row.Line, Code: rules.CodeAmountRange, Column: "reward_amount",
				Value: rules.Fen(row.Amount).String(), Amount: schema.Null,
			})
			continue
		}
		totals.used.add(row.Amount)
		rows[last].Stated = sum
	}
	return rows
}

// A register knows the devices and their signers. nil is no register.
type register struct {
	signers map[string]string // by SN
	signed  map[string]bool   // by signer: one of its devices is
}

func deviceRegister(p *plan) *register {
	if !p.whole(schema.DevicesKind) {
		return nil
	}
	devices := p.job.Registry.Devices
	r := &register{signers: make(map[string]string, len(devices)), signed: map[string]bool{}}
	for i := range devices {
		d := &devices[i]
		if _, taken := r.signers[d.SN]; taken {
			continue
		}
		r.signers[d.SN] = d.Signer
		r.signed[d.Signer] = r.signed[d.Signer] || d.Signed
	}
	return r
}

func (r *register) signer(sn string) string {
	if r == nil {
		return ""
	}
	return r.signers[sn]
}

// standing says whether a device may be rewarded.
func (r *register) standing(sn string) rules.DeviceCause {
	signer, known := r.signers[sn]
	switch {
	case !known:
		return rules.DeviceUnknown
	case !r.signed[signer]:
		return rules.DeviceUnsigned
	}
	return rules.DeviceOK
}

// breaks are the findings of a reward: what is above its first cap, and what
// is above the total one besides. Together they are the excess.
func (r *DeviceReward) breaks() []Break {
	code, ok := r.Cause.Break()
	if !ok {
		return nil
	}
	found := func(code rules.BreakCode, amount rules.Fen) Break {
		return Break{
			Code: code, Severity: code.Severity(), Side: code.Side(), Merchant: r.Signer, Amount: int64(amount),
			Expected: int64(r.Allowed), Found: int64(r.Stated), What: r.SN + " " + r.Month.String(),
			Table: r.Table, Line: r.Line, Time: schema.Null,
		}
	}
	if r.Cause == rules.DeviceTotalCap || r.AboveTotal == 0 {
		return []Break{found(code, r.Excess)}
	}
	return []Break{found(code, r.Excess-r.AboveTotal), found(rules.BreakDeviceTotalCap, r.AboveTotal)}
}
