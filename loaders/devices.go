package loaders

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// Dragonfly devices (蜻蜓): whose they are, the policy of their rewards, and what
// was paid for them (contract 3).

const (
	deviceSN = iota
	devicePurchaser
	deviceSigner
	deviceModel
	deviceSignedOn
)

var deviceColumns = []canonicalColumn{
	deviceSN:        {"device_sn", "设备SN", idCell, required},
	devicePurchaser: {"purchaser_pid", "采购方PID", pidCell, required},
	deviceSigner:    {"signer_pid", "签约方PID", pidCell, !required},
	deviceModel:     {"model", "型号", textCell, !required},
	deviceSignedOn:  {"policy_signed_on", "政策签约日期", dayCell, !required},
}

const (
	policyFrom = iota
	policyTo
	policyMonthCap
	policyMonths
	policyTotalCap
)

var policyColumns = []canonicalColumn{
	policyFrom:     {"effective_from", "生效日期", dayCell, required},
	policyTo:       {"effective_to", "失效日期", dayCell, !required},
	policyMonthCap: {"month_cap", "月上限", amountCell, required},
	policyMonths:   {"months", "月数", countCell, required},
	policyTotalCap: {"total_cap", "总上限", amountCell, required},
}

const (
	rewardSN = iota
	rewardMonth
	rewardAmount
)

var rewardColumns = []canonicalColumn{
	rewardSN:     {"device_sn", "设备SN", idCell, required},
	rewardMonth:  {"month", "月份", wordCell, required},
	rewardAmount: {"reward_amount", "奖励金额", amountCell, required},
}

// readDevice reads a device. Its signer is the purchaser, unless it was
// transferred.
func readDevice(r *referenceRow) func(*schema.Registry) {
	purchaser := r.pid(devicePurchaser)
	d := schema.Device{
		SN:     r.text(deviceSN),
		Signer: r.pid(deviceSigner),
		Signed: len(r.value(deviceSignedOn)) > 0,
	}
	if d.Signer == "" {
		d.Signer = purchaser
	}
	r.day(deviceSignedOn, 0) // on which day does not matter, but it must be one
	return func(to *schema.Registry) { to.Devices = append(to.Devices, d) }
}

// maxPolicyMonths is beyond every policy's duration.
const maxPolicyMonths = 1200

func readPolicy(r *referenceRow) func(*schema.Registry) {
	p := rules.DevicePolicy{
		From:     r.day(policyFrom, 0),
		To:       r.day(policyTo, rules.OpenEnd),
		MonthCap: rules.Fen(r.magnitude(policyMonthCap)),
		TotalCap: rules.Fen(r.magnitude(policyTotalCap)),
	}
	if months := r.count(policyMonths, maxPolicyMonths); months != schema.Null {
		p.Months = int(months)
	}
	if p.To < p.From {
		r.bad(policyTo, rules.CodeTimeSyntax)
	}
	return func(to *schema.Registry) { to.DevicePolicies = append(to.DevicePolicies, p) }
}

func readReward(r *referenceRow) func(*schema.Registry) {
	reward := schema.DeviceReward{
		SN: r.text(rewardSN), Month: r.month(rewardMonth), Amount: r.amount(rewardAmount),
		Table: r.t.number, Line: r.line,
	}
	return func(to *schema.Registry) { to.DeviceRewards = append(to.DeviceRewards, reward) }
}

// month is a month in one of the forms of a period; a day stands for its month.
func (r *referenceRow) month(k int) rules.Month {
	cell := r.value(k)
	if len(cell) == 0 {
		return 0
	}
	if r.numeric(k) && len(cell) == 5 { // a day, as Excel counts them
		if seconds, ok := parseSerial(cell); ok {
			return rules.MonthOf(int32(seconds / secondsPerDay))
		}
	}
	days, ok := periodDay(r.t.text(cell))
	if !ok {
		r.badAs(k, r.undecodedOr(cell, rules.CodeTimeSyntax), say(r.t.opt.Lang, "应为月份，例如 2026-11", "takes a month such as 2026-11"))
		return 0
	}
	return rules.MonthOf(days)
}
