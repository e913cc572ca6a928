package main

import (
	"time"

	"github.com/shopspring/decimal"
)

// key is an order's identity (rules 2).
type key struct{ merchant, number string }

// funding is what paid an order.
type funding struct {
	buyer, red, allowance, coupon, merchantRed decimal.Decimal
}

// order is one POS receipt.
type order struct {
	key
	tradeNo, store, terminal, status string
	time                             time.Time
	total                            decimal.Decimal
	fund                             funding
	funded                           bool // the POS states the funding
	instalments                      string
	pid                              string
	lines                            []line
	bill                             *payment
}

type line struct {
	goods, name string
	quantity    decimal.Decimal
	price       decimal.NullDecimal
}

// payment is one payment row of the bill.
type payment struct {
	key
	tradeNo, store, operator, terminal         string
	time                                       time.Time
	total, received, red, discount, voucher    decimal.Decimal
	merchantRed, fee                           decimal.Decimal
	order                                      *order
	duplicate, second                          bool // a further row; a second payment of the order
	fund                                       funding
	refunds                                    []*refund
	refunded, refundedTotal, refundedToAccount decimal.Decimal
	cause                                      string // of face_to_face
}

// refund is one refund, of the bill, the POS or both.
type refund struct {
	key
	request, tradeNo, store                          string
	mode                                             string
	time                                             time.Time
	pos, bill                                        decimal.NullDecimal
	received, red, discount, fee                     decimal.Decimal
	cumulative, paid, expectedRed, expectedAllowance decimal.Decimal
}

type refundKey struct {
	key
	request string
}

type agreement struct {
	pid, product, basis string
	rate                decimal.Decimal
	from, to            string
	scale               int32
	limit               decimal.NullDecimal
}

type rebateKey struct{ tradeNo, product string }

type article struct {
	name string
	tag  decimal.NullDecimal
}

// day is everything that was read.
type day struct {
	orders     []*order
	byKey      map[key]*order
	payments   []*payment
	refunds    []*refund
	refundsBy  map[refundKey]*refund
	statements map[rebateKey]decimal.Decimal
	covered    map[[2]string]bool // provider and product
	goods      map[string]article
	storeRates map[string]decimal.NullDecimal
	rates      map[string]decimal.Decimal // by merchant
	agreements map[[2]string][]agreement  // by provider and product
	providers  map[string]bool
	primary    string
	merchants  map[string]bool
}
