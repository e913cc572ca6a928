package reports

import (
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// devicesTable is devices: what every device was paid for every month, and what
// the policy makes of it.
func devicesTable(d []engine.DeviceReward) table {
	return table{name: devicesName, rows: len(d), columns: []column{
		textColumn("device_sn", d, func(d *engine.DeviceReward) string { return d.SN }),
		textColumn("signer_pid", d, func(d *engine.DeviceReward) string { return d.Signer }),
		textColumn("month", d, func(d *engine.DeviceReward) string { return d.Month.String() }),
		intColumn("stated", schema.FenType, d, func(d *engine.DeviceReward) int64 { return int64(d.Stated) }),
		intColumn("allowed", schema.FenType, d, func(d *engine.DeviceReward) int64 { return int64(d.Allowed) }),
		intColumn("excess", schema.FenType, d, func(d *engine.DeviceReward) int64 { return int64(d.Excess) }),
		enumColumn("cause", deviceCauseNames, d, func(d *engine.DeviceReward) uint8 { return uint8(d.Cause) }),
		intColumn("months_used", schema.IntType, d, func(d *engine.DeviceReward) int64 { return int64(d.MonthsUsed) }),
		intColumn("total_used", schema.FenType, d, func(d *engine.DeviceReward) int64 { return int64(d.TotalUsed) }),
		intColumn("still_to_come", schema.FenType, d, func(d *engine.DeviceReward) int64 { return int64(d.StillToCome) }),
	}}
}

var deviceCauseNames = func() []string {
	names := []string{""}
	for c := rules.DeviceOK; c <= rules.DeviceTotalCap; c++ {
		names = append(names, c.String())
	}
	return names
}()

type deviceInfo struct {
	Count   int64  `json:"count"`
	Stated  string `json:"stated"`
	Allowed string `json:"allowed"`
	Excess  string `json:"excess"`
}

// devicesOf has the causes that occur, in the order of the tests.
func devicesOf(r *engine.Result) countsJSON {
	object := countsJSON{}
	for c := rules.DeviceOK; c <= rules.DeviceTotalCap; c++ {
		var count int64
		var stated, allowed, excess rules.Sum
		for i := range r.Devices {
			if d := &r.Devices[i]; d.Cause == c {
				count++
				stated.Add(d.Stated)
				allowed.Add(d.Allowed)
				excess.Add(d.Excess)
			}
		}
		if count > 0 {
			object = append(object, member{c.String(), deviceInfo{count, stated.String2(), allowed.String2(), excess.String2()}})
		}
	}
	return object
}
