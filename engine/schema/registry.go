package schema

import "duizhang/rules"

// A Registry is the reference data of a run: small tables that every partition
// looks up. Slices are in the order of the inputs; where an identity occurs
// twice the first counts.
type Registry struct {
	Agreements []rules.Agreement
	Providers  []Provider
	Merchants  []Merchant
	Stores     []Store
	Goods      []Good

	// HasOrderSync tells that some stores table has the order_sync column: where
	// none has it, it is unchecked (rules 10).
	HasOrderSync bool
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
	OrderSync                     bool // a blank is off
	FeeRate                       int64
}

// A Good is a published SKU. TagPrice is Null if not given.
type Good struct {
	ID, Name string
	TagPrice int64 // millionths
}
