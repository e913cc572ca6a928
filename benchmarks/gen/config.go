package gen

import (
	"fmt"
	"time"
)

// BillMode says how the bills lie in archives.
type BillMode uint8

// The bill modes.
const (
	PerMerchant BillMode = iota // one ZIP a merchant
	AllInOne                    // the bills of up to 45 merchants in one ZIP
)

// Encoding says how the POS files are encoded.
type Encoding uint8

// The encodings.
const (
	MixedEncodings Encoding = iota // UTF-8 and GB18030, with and without BOM, LF and CRLF
	UTF8
	GB18030
)

// Config describes a day. The zero value of a field means its default.
type Config struct {
	Seed      uint64
	Date      string // 2006-01-02; 2026-11-20
	Trades    int    // indexes; a few kinds make no trade of theirs; 300
	Merchants int    // 2
	Stores    int    // a merchant; 4
	Terminals int    // a store; 4
	Goods     int    // in the catalogue of all merchants; 300
	POSFiles  int    // 2
	Weights   []int  // of the merchants' shares of the trades; equal ones

	BillMode BillMode
	Encoding Encoding
	Level    int // of the ZIP's compression, 1 to 9; 6

	Mix       Mix  // DefaultMix
	Refunds   int  // orders with refunds, per mille; 60. Below 0: none
	Clean     bool // plants nothing: both sides agree in everything
	NoRejects bool // plants no row that has to be rejected

	RebateScale int  // decimals of the primary's rebate, 2 to 6; 2
	LastLine    bool // goods.remainder: last_line
	FeesProRata bool // fees.on_refund: pro_rata
	State       bool // the job keeps a state
	Accounts    bool // account bills, tied out with the trade bills
	AccountForm AccountForm
	Taobao      TaobaoForm // the order list of the Tmall shop
	Rebate      RebateForm // of the primary provider's face payments
	Strangers   bool       // files that no input takes

	POS        POSForm  // in which files the POS side is written
	Registries bool     // coupons, devices and what the registries find; only of POSTables and POSMixed, not on a Clean or Slim day
	Slim       bool     // fewer columns in POS and statement
	TotalsOnly bool     // no tables by record in expected/
	Formats    []string // of the job's outputs; csv and json

	Profiles []Profile // believable merchants in place of numbered ones
	LostPID  *LostPID
	Cluster  *Cluster
}

// Profile is a merchant of a believable day.
type Profile struct {
	Name   string
	Stores []string
	Hours  [24]int // weight of each hour of the day; 0: closed
	Goods  []Article
}

// Article is one thing that a Profile's merchant sells.
type Article struct {
	Name    string
	Price   int64 // in fen
	Weighed bool  // by the kilogram, so that its quantity has decimals
}

// LostPID is a terminal that lost its service provider's PID: all its trades
// from a time on are pid_missing.
type LostPID struct {
	Merchant, Store, Terminal int
	From                      time.Duration // since midnight
}

// Cluster is a store whose POS has orders of one hour that the bill lacks.
type Cluster struct {
	Merchant, Store, Hour int
	Share                 int // per mille of the orders in that hour
}

func (c Config) withDefaults() (Config, error) {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if len(c.Profiles) > 0 {
		c.Merchants = len(c.Profiles)
		c.Goods = 0
		for _, p := range c.Profiles {
			c.Goods += len(p.Goods)
		}
	}
	if c.Date == "" {
		c.Date = "2026-11-20"
	}
	set(&c.Trades, 300)
	set(&c.Merchants, 2)
	set(&c.Stores, 4)
	set(&c.Terminals, 4)
	set(&c.Goods, 300)
	set(&c.POSFiles, 2)
	set(&c.Level, 6)
	set(&c.Refunds, 60)
	set(&c.RebateScale, 2)
	c.Refunds = max(c.Refunds, 0)
	if c.Mix == nil {
		c.Mix = DefaultMix()
	}
	if c.Clean {
		c.Mix = cleanMix()
	}
	c.Registries = c.Registries && !c.Clean && !c.Slim && (c.POS == POSTables || c.POS == POSMixed)
	if len(c.Formats) == 0 {
		c.Formats = []string{"csv", "json"}
	}
	if len(c.Weights) == 0 {
		c.Weights = make([]int, c.Merchants)
		for i := range c.Weights {
			c.Weights[i] = 1
		}
	}
	if _, err := time.Parse(time.DateOnly, c.Date); err != nil {
		return c, fmt.Errorf("date %q: not a date", c.Date)
	}
	for _, limit := range []struct {
		name       string
		value      int
		from, upTo int
	}{
		{"trades", c.Trades, 1, 1_000_000_000},
		{"merchants", c.Merchants, 1, 20_000},
		{"stores", c.Stores, 1, 1000},
		{"terminals", c.Terminals, 1, 1000},
		{"goods", c.Goods, 4, 1_000_000},
		{"POS files", c.POSFiles, 1, 1000},
		{"compression level", c.Level, 1, 9},
		{"rebate scale", c.RebateScale, 2, 6},
		{"weights", len(c.Weights), c.Merchants, c.Merchants},
	} {
		if limit.value < limit.from || limit.value > limit.upTo {
			return c, fmt.Errorf("%s: %d is not in %d to %d", limit.name, limit.value, limit.from, limit.upTo)
		}
	}
	if err := c.Mix.check(); err != nil {
		return c, err
	}
	for _, w := range c.Weights {
		if w < 1 || w > 1000 {
			return c, fmt.Errorf("weights: %d is not in 1 to 1000", w)
		}
	}
	return c, nil
}
