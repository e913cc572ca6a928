package gen

import (
	"fmt"
	"time"
)

// Demo is a believable day: a tea shop, a convenience store and a restaurant
// with twelve stores and about 3,000 orders, and every kind of break among them.
// The tea shop's second till at its second store loses the service provider's
// PID at 15:40, and the convenience store at the hospital has an hour of orders
// that never reached Alipay.
func Demo(seed uint64) Config {
	mix := DefaultMix()
	for k := firstMatch; k < firstGoods; k++ {
		if !k.rejecting() && mix[k] > 2 {
			mix[k] = max(mix[k]/2, 1)
		}
	}
	return Config{
		Seed: seed, Trades: 3050, Terminals: 3, POSFiles: 3, Mix: mix, Refunds: 35,
		Weights: []int{4, 5, 3}, Profiles: demoProfiles,
		LostPID: &LostPID{Merchant: 0, Store: 1, Terminal: 1, From: 15*time.Hour + 40*time.Minute},
		Cluster: &Cluster{Merchant: 1, Store: 2, Hour: 18, Share: 600},
		Formats: []string{"xlsx", "html", "csv", "json"},
	}
}

// Performance is the day of the performance measurements: one merchant with one
// ZIP, 2.18 goods lines an order, refunds of 6 %, and few breaks.
func Performance(trades int, seed uint64) Config {
	return Config{
		Seed: seed, Trades: trades, Merchants: 1, Stores: 200, Terminals: 9, Goods: 20_000, POSFiles: 1,
		Encoding: UTF8, Slim: true, TotalsOnly: true, Refunds: 60, Formats: []string{"csv", "parquet", "json"},
		Mix: Mix{
			NoTradeNo: 20, AmountMismatch: 3, ClosedPaid: 1, BillOnly: 2, POSOnly: 2, NotPaid: 3,
			DuplicateBill: 1, PaidTwice: 1,
			Below: 250, Above: 60, TagPrice: 15, Merged: 30,
			RedPacket: 80, PlatformDiscount: 30, Allowance: 40, Coupon: 60, AllFunds: 20,
			RefundPart: 70, RefundSeveral: 10, RefundWhole: 20, RefundSplitWrong: 1,
			SecondProvider: 60, PIDMissing: 12, PIDForeign: 5, StatementMissing: 8, StatementShort: 6, StatementOver: 6,
			FeeMismatch: 1, Instalment: 10,
		},
	}
}

// SmallZips is the same number of trades in many merchants' small bills.
func SmallZips(trades, files int) Config {
	cfg := Performance(trades, 1)
	cfg.Merchants, cfg.Stores, cfg.POSFiles = files, 3, min(files, 100)
	return cfg
}

// Random is a small day of 5 to 400 trades, one to four merchants and a mix of
// its own, for tests over many seeds.
func Random(seed uint64) Config {
	r := streamOf(seed, 0, 0xda7)
	cfg := Config{
		Seed: seed, Trades: int(r.between(5, 400)), Merchants: int(r.between(1, 4)), Stores: int(r.between(1, 5)),
		Terminals: int(r.between(1, 4)), Goods: int(r.between(4, 60)), POSFiles: int(r.between(1, 3)),
		BillMode: BillMode(r.n(2)), Encoding: Encoding(r.n(3)), Level: int(r.between(1, 9)),
		Refunds: int(r.n(500)), NoRejects: r.n(3) == 0, RebateScale: 2 + int(r.n(3))*int(r.n(3)),
		LastLine: r.n(3) == 0, FeesProRata: r.n(3) == 0, Clean: r.n(25) == 0,
	}
	cfg.Registries = seed%2 == 1
	cfg.Date = fmt.Sprintf("2026-%02d-%02d", 1+r.n(12), 1+r.n(28))
	for range cfg.Merchants {
		cfg.Weights = append(cfg.Weights, int(r.between(1, 9)))
	}
	cfg.Mix = Mix{}
	for _, group := range [][2]Kind{
		{firstMatch, firstGoods},
		{firstGoods, firstFunding},
		{firstFunding, firstRefund},
		{firstRefund, firstRebate},
		{firstRebate, firstFee},
		{firstFee, firstAttribute},
	} {
		// A few kinds are frequent, some are absent; what is left agrees.
		room := r.between(100, 800)
		n := int64(group[1] - group[0] - 1)
		start := r.n(n)
		for x := range n {
			k := group[0] + 1 + Kind((start+x)%n)
			share := min([]int64{0, 5, 10, 20, 80}[r.n(5)], room)
			room -= share
			cfg.Mix[k] = int(share)
		}
	}
	for k := firstAttribute; k < kindCount; k++ {
		cfg.Mix[k] = int(r.n(200))
	}
	cfg.Accounts = seed%2 == 0
	return cfg
}

// Sources is a random day with every source of the business: POS tables, API messages
// and an order list, account bills in different forms, the order list of the Tmall
// shop, a month's workbook of rebates, coupons and devices, and what no input takes.
func Sources(seed uint64) Config {
	cfg := Random(seed)
	cfg.Trades, cfg.Merchants, cfg.Weights = max(cfg.Trades, 150), max(cfg.Merchants, 3), nil
	cfg.Accounts, cfg.AccountForm, cfg.Taobao, cfg.Registries = true, AccountMixed, TaobaoMixed, true
	cfg.POS, cfg.Rebate, cfg.Mix = POSMixed, RebateWorkbook, MessageMix(TogetherMix(cfg.Mix))
	cfg.Strangers = true
	return cfg
}
