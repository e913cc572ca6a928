package state

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// A kind is a table whose rows are kept sorted.
type kind[T schema.Rows] struct {
	fresh   func() T
	without []string // columns that are not kept
	ref     func(T) *schema.Text
	part    func(T) *[]int32
	// tie orders rows of one ref by what they say, but for words; then comes the
	// merchant's text.
	tie      func(a T, i int, b T, j int) int
	merchant func(T) []uint32
	// pack replaces amounts and times of a row by differences, which are small;
	// false: something is too large. unpack is the inverse.
	pack   func(T, int) bool
	unpack func(T, int)
}

// A tradeRows is trades, and the numbers of the parts that they are of.
type tradeRows struct {
	schema.Settled
	Part []int32
}

// A refundRows is refunds likewise.
type refundRows struct {
	schema.Returned
	Part []int32
}

// fields are the columns that say something: those that are kept, without the part.
func (k *kind[T]) fields(rows schema.Rows) []schema.Field {
	return slices.DeleteFunc(schema.Fields(rows), func(f schema.Field) bool { return slices.Contains(k.without, f.Name) })
}

// partColumn is the last column of a page; those that an older version wrote lack it.
const partColumn = "part"

// columns are those that are kept.
func (k *kind[T]) columns(rows T) []schema.Field {
	return append(k.fields(rows), schema.Field{Name: partColumn, Data: k.part(rows)})
}

// all are the columns that rows have in memory.
func (k *kind[T]) all(rows T) []schema.Field {
	return append(schema.Fields(rows), schema.Field{Name: partColumn, Data: k.part(rows)})
}

// reset empties rows and keeps their memory.
func (k *kind[T]) reset(rows T) {
	schema.Reset(rows)
	part := k.part(rows)
	*part = (*part)[:0]
}

var errRange = errors.New("state: an amount or a time is beyond what can be kept")

var trades = kind[*tradeRows]{
	fresh:    func() *tradeRows { return new(tradeRows) },
	without:  []string{"query", "day", "trade_no"}, // ref has the trade_no
	ref:      func(s *tradeRows) *schema.Text { return &s.Ref },
	part:     func(s *tradeRows) *[]int32 { return &s.Part },
	tie:      tieTrades,
	merchant: func(s *tradeRows) []uint32 { return s.Merchant },
	pack:     packTrade,
	unpack:   unpackTrade,
}

// tieTrades puts the row first that a look-up finds.
func tieTrades(a *tradeRows, i int, b *tradeRows, j int) int {
	return cmp.Or(
		cmp.Compare(worth(b, j), worth(a, i)),
		bytes.Compare(a.OutTradeNo.At(i), b.OutTradeNo.At(j)),
		cmp.Compare(a.Status[i], b.Status[j]),
		cmp.Compare(a.BillTime[i], b.BillTime[j]),
		cmp.Compare(a.OrderTime[i], b.OrderTime[j]),
		cmp.Compare(a.BillAmount[i], b.BillAmount[j]),
		cmp.Compare(a.PosAmount[i], b.PosAmount[j]),
		cmp.Compare(a.Reason[i], b.Reason[j]),
	)
}

// bestWorth is that of a trade that is not excluded and has an order.
const bestWorth = 4

func worth(s *tradeRows, i int) int { return worthOf(s.Status[i], s.PosAmount[i]) }

// worthOf is what a trade is worth to who looks for it: one that is not excluded
// before one that is, then one with an order; 0 for a duplicate.
func worthOf(status uint8, posAmount int64) int {
	if rules.Status(status) == rules.StatusDuplicate {
		return 0
	}
	w := 1
	if posAmount != schema.Null {
		w++
	}
	if rules.Status(status) != rules.StatusExcluded {
		w += 2
	}
	return w
}

// limit bounds what is kept as a difference of up to six numbers.
const limit = 1 << 59

func within(values ...int64) bool {
	for _, v := range values {
		if v != schema.Null && (v <= -limit || v >= limit) {
			return false
		}
	}
	return true
}

// less is v less what is expected, where v is given.
func less(v, expected int64) int64 {
	if v == schema.Null || expected == schema.Null {
		return v
	}
	return v - expected
}

// more is the inverse of less.
func more(v, expected int64) int64 {
	if v == schema.Null || expected == schema.Null {
		return v
	}
	return v + expected
}

// unlike is 0 for a word that is as expected.
func unlike(word, expected uint32) uint32 {
	if word == expected {
		return 0
	}
	return word + 1
}

// like is the inverse of unlike.
func like(word, expected uint32) uint32 {
	if word == 0 {
		return expected
	}
	return word - 1
}

func given(v int64) int64 {
	if v == schema.Null {
		return 0
	}
	return v
}

// fundedElse is what the buyer paid, and what the merchant received, if the amounts
// agree as rules 3 say; Null where no amount is known.
func fundedElse(s *tradeRows, i int) (paid, received int64) {
	total := s.BillAmount[i]
	if total == schema.Null {
		total = s.PosAmount[i]
	}
	if total == schema.Null {
		return schema.Null, schema.Null
	}
	ours := given(s.Allowance[i]) + given(s.Coupon[i]) + given(s.MerchantRed[i])
	return total - ours - given(s.RedPacket[i]), total - ours
}

func packTrade(s *tradeRows, i int) bool {
	if !within(s.OrderTime[i], s.BillTime[i], s.PosAmount[i], s.BillAmount[i], s.Paid[i], s.RedPacket[i], s.Allowance[i], s.Coupon[i], s.MerchantRed[i], s.Received[i]) {
		return false
	}
	paid, received := fundedElse(s, i)
	s.Paid[i] = less(s.Paid[i], paid)
	s.Received[i] = less(s.Received[i], received)
	s.BillAmount[i] = less(s.BillAmount[i], s.PosAmount[i])
	s.BillTime[i] = less(s.BillTime[i], s.OrderTime[i])
	s.BillMerchant[i] = unlike(s.BillMerchant[i], s.Merchant[i])
	s.BillStore[i] = unlike(s.BillStore[i], s.Store[i])
	return true
}

func unpackTrade(s *tradeRows, i int) {
	s.BillMerchant[i] = like(s.BillMerchant[i], s.Merchant[i])
	s.BillStore[i] = like(s.BillStore[i], s.Store[i])
	s.BillTime[i] = more(s.BillTime[i], s.OrderTime[i])
	s.BillAmount[i] = more(s.BillAmount[i], s.PosAmount[i])
	paid, received := fundedElse(s, i)
	s.Received[i] = more(s.Received[i], received)
	s.Paid[i] = more(s.Paid[i], paid)
}

var refunds = kind[*refundRows]{
	fresh:    func() *refundRows { return new(refundRows) },
	without:  []string{"day"},
	ref:      func(r *refundRows) *schema.Text { return &r.Ref },
	part:     func(r *refundRows) *[]int32 { return &r.Part },
	tie:      tieRefunds,
	merchant: func(r *refundRows) []uint32 { return r.Merchant },
	pack:     packRefund,
	unpack:   unpackRefund,
}

func tieRefunds(a *refundRows, i int, b *refundRows, j int) int {
	return cmp.Or(
		cmp.Compare(a.Time[i], b.Time[j]),
		bytes.Compare(a.RequestNo.At(i), b.RequestNo.At(j)),
		bytes.Compare(a.OutTradeNo.At(i), b.OutTradeNo.At(j)),
		cmp.Compare(a.Status[i], b.Status[j]),
		cmp.Compare(a.BillAmount[i], b.BillAmount[j]),
		cmp.Compare(a.PosAmount[i], b.PosAmount[j]),
		cmp.Compare(a.Counts[i], b.Counts[j]),
		cmp.Compare(a.Received[i], b.Received[j]),
	)
}

func packRefund(r *refundRows, i int) bool {
	if !within(r.Time[i], r.PosAmount[i], r.BillAmount[i], r.Received[i], r.RedPacket[i]) {
		return false
	}
	r.Received[i] = less(r.Received[i], r.BillAmount[i])
	r.BillAmount[i] = less(r.BillAmount[i], r.PosAmount[i])
	return true
}

func unpackRefund(r *refundRows, i int) {
	r.BillAmount[i] = more(r.BillAmount[i], r.PosAmount[i])
	r.Received[i] = more(r.Received[i], r.BillAmount[i])
}
