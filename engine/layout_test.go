package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"duizhang/engine/schema"
)

// entangled is a made day of many merchants, with all the ways in which the rows of one
// out_trade_no have to do with one another though they are not of one merchant: runs
// that name neither merchant nor store, statement rows by their number alone, accounts
// that other merchants collect into, institutions, and sides that name two merchants.
func entangled(seed uint64, orders int) *madeDay {
	d := makeDay(seed, orders)
	rng := rand.New(rand.NewPCG(seed, 12))
	w, reg := d.words, d.job.Registry
	var pids []uint32
	for i := range 6 {
		pid := fmt.Sprintf("208800000000000%d", i+1)
		pids = append(pids, w.Code(pid))
		m := schema.Merchant{PID: pid, FeeRate: schema.Null}
		if i == 4 {
			m.InstitutionAccount, m.InstitutionID = "2088000000000001", "sub"
		}
		reg.Merchants = append(reg.Merchants, m)
		s := schema.Store{ID: fmt.Sprintf("T%d", i), Merchant: pid, FeeRate: schema.Null}
		if i%2 == 0 {
			s.Receiving = "2088000000000002"
		}
		reg.Stores = append(reg.Stores, s)
	}
	if seed%3 == 0 {
		d.job.DefaultMerchant = "2088000000000003"
	}
	pid := func() uint32 { return pids[rng.IntN(len(pids))] }
	store := func() uint32 { return w.Code(fmt.Sprintf("T%d", rng.IntN(6))) }
	often := int(seed%4) * 3 // of 12: rows that are made other than they were
	some := func() bool { return rng.IntN(12) < often }
	few := func() bool { return rng.IntN(144) < often*often }
	var b schema.Bills
	var o schema.Orders
	var r schema.PosRefunds
	var s schema.Statements
	var a schema.Accounts
	schema.View(&b, d.batches[0].Rows)
	schema.View(&o, d.batches[1].Rows)
	schema.View(&r, d.batches[2].Rows)
	schema.View(&s, d.batches[3].Rows)
	schema.View(&a, d.batches[4].Rows)
	// A merchant for each order, so that rows of one are mostly of one.
	merchantOf := func(no []byte) uint32 {
		if len(no) == 0 {
			return pids[0]
		}
		return pids[int(no[len(no)-1]-'0')%len(pids)]
	}
	for i := range b.Len() {
		b.Account[i] = merchantOf(b.OutTradeNo.At(i))
		switch {
		case few():
			b.Account[i] = pid()
		case few():
			b.Flags[i], b.SubMerchant[i], b.Account[i] = schema.Institution, w.Code("sub"), pids[0]
		case some():
			b.Store[i] = store()
		}
	}
	for i := range o.Len() {
		o.Merchant[i] = merchantOf(o.OutTradeNo.At(i))
		switch rng.IntN(8) {
		case 0:
			o.Merchant[i], o.Store[i] = 0, store()
		case 1:
			if some() {
				o.Merchant[i], o.Store[i] = 0, 0
			}
		case 2:
			if some() {
				o.Merchant[i] = pid()
			}
		case 3:
			o.Flags[i] |= schema.OrderWhole
		}
	}
	for i := range r.Len() {
		r.Merchant[i] = merchantOf(r.OutTradeNo.At(i))
		switch {
		case few():
			r.Merchant[i], r.Store[i] = 0, 0
		case few():
			r.Merchant[i], r.Store[i] = 0, store()
		case some():
			r.Merchant[i] = pid()
		}
	}
	for i := range s.Len() {
		s.Merchant[i] = merchantOf(s.OutTradeNo.At(i))
		switch {
		case some():
			s.Merchant[i] = 0
		case some():
			s.Merchant[i] = pid()
		}
	}
	for i := range a.Len() {
		a.Account[i] = merchantOf(a.OutTradeNo.At(i))
		switch {
		case some():
			a.Account[i] = pids[1]
		case some():
			a.Account[i] = pid()
		}
	}
	return d
}

// TestLayouts: what comes out does not hang on how rows are divided by merchants; nor
// on whether that is given up half way, nor on hashes.
func TestLayouts(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 16
	}
	for seed := range uint64(seeds) {
		d := entangled(seed, 150)
		want := d.run(t, StoreOptions{Layout: Layout{Partitions: 1}}, 1, 1<<20)
		for name, opt := range map[string]StoreOptions{
			"one group":        {Layout: Layout{Partitions: 16}},
			"spread 1":         {Layout: Layout{Partitions: 16, Spread: 1}},
			"spread 2":         {Layout: Layout{Partitions: 8, Spread: 2}},
			"spread half":      {Layout: Layout{Partitions: 8, Spread: 4}},
			"many":             {Layout: Layout{Partitions: 256, Spread: 2}},
			"spilled":          {Layout: Layout{Partitions: 8, Spread: 1}, Budget: 1},
			"given up at once": {Layout: Layout{Partitions: 8, Spread: 1}, contested: 1},
			"given up later":   {Layout: Layout{Partitions: 32, Spread: 1}, contested: 40},
			"all hashes 0":     {Layout: Layout{Partitions: 8, Spread: 2}, hash: func([]byte) uint64 { return 0 }},
			"four hashes": {Layout: Layout{Partitions: 8, Spread: 2}, hash: func(b []byte) uint64 {
				sum := uint64(0)
				for _, c := range b {
					sum += uint64(c)
				}
				return sum % 4 << 61
			}},
		} {
			if got := d.run(t, opt, 1+int(seed%3), 13+int(seed)*7); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %s: %s", seed, name, firstDifference(got, want))
			}
		}
	}
}

// TestLayoutFor: a group has as large a share of the partitions as the largest bill has
// of the bills.
func TestLayoutFor(t *testing.T) {
	many := make([]int64, 2000)
	for i := range many {
		many[i] = 100_000
	}
	for _, c := range []struct {
		bytes int64
		bills []int64
		want  Layout
	}{
		{1 << 20, nil, Layout{1, 1}},
		{200 << 20, nil, Layout{32, 32}},
		{200 << 20, []int64{90 << 20}, Layout{32, 32}},
		{200 << 20, []int64{50 << 20, 50 << 20}, Layout{32, 16}},
		{200 << 20, []int64{60 << 20, 40 << 20}, Layout{32, 32}},
		{200 << 20, []int64{10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20}, Layout{32, 8}},
		{200 << 20, []int64{0, 0}, Layout{32, 32}},
		{400 << 20, many, Layout{64, 1}},
		{1 << 50, many, Layout{1024, 1}},
	} {
		if got := LayoutFor(c.bytes, c.bills); got != c.want {
			t.Errorf("%d bytes, %d bills: %+v, want %+v", c.bytes, len(c.bills), got, c.want)
		}
	}
}
