package schema

import "duizhang/rules"

// A Registry is the reference data of a run: small tables that every partition
// looks up. Slices are in the order of the inputs; where an identity occurs
// twice the first counts.
type Registry struct {
	Agreements []rules.Agreement
	Signed     Place // the rows that the agreements stand in
	Providers  []Provider
	Merchants  []Merchant
	Stores     []Store
	Goods      []Good

	Coupons []Coupon

	Devices        []Device
	DevicePolicies rules.DevicePolicies
	DeviceRewards  []DeviceReward
}

// A Provider is a PID of the ISV.
type Provider struct {
	PID     string
	Name    string
	Primary bool
}

// A Merchant is a registered merchant. FeeRate is Null if not given.
type Merchant struct {
	PID, Name          string
	FeeRate            int64 // millionths
	InstitutionAccount string
	InstitutionID      string
}

// A Store is a published store.
type Store struct {
	ID, Merchant, Receiving, Name string
	OrderSync                     OrderSync
	FeeRate                       int64
}

// OrderSync says whether a store's orders are synchronised.
type OrderSync uint8

// The states of order_sync. A blank is off: a new store starts with it off. Where
// a table of stores lacks the column, it is unchecked (rules 10).
const (
	SyncUnchecked OrderSync = iota
	SyncOff
	SyncOn
)

// A Good is a published SKU. TagPrice is Null if not given.
type Good struct {
	ID, Name string
	TagPrice int64 // millionths
}

// A Coupon is an offer that orders redeem by its name. Threshold and Off are Null
// if not given, Goods and Stores empty for all.
type Coupon struct {
	Name           string
	Kind           rules.CouponKind
	Threshold, Off int64 // fen
	Goods, Stores  []string
	Table, Line    int32
}

// A Device is a Dragonfly device (蜻蜓) and whose it is.
type Device struct {
	SN     string
	Signer string // the purchaser, or whom it was transferred to
	Signed bool   // the policy was signed for this device
}

// A DeviceReward is one row of a statement of device rewards.
type DeviceReward struct {
	SN          string
	Month       rules.Month
	Amount      int64 // fen
	Table, Line int32
}
