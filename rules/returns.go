package rules

import "slices"

// RefundMode is how a till works out what a refund asks for.
type RefundMode uint8

// The refund modes.
const (
	ModeWhole     RefundMode = iota + 1 // 整单: what is left of the total
	ModeListPrice                       // 方案一: the line amounts of the goods
	ModeProrated                        // 方案二: the goods' share of what was paid
	ModeReorder                         // 方案三: all of it, and a new order
)

var (
	modeWords = []string{
		ModeWhole: "whole", ModeListPrice: "list_price", ModeProrated: "prorated", ModeReorder: "reorder",
	}
	modeNames = []string{ModeWhole: "整单", ModeListPrice: "方案一", ModeProrated: "方案二", ModeReorder: "方案三"}
)

func (m RefundMode) String() string { return word(modeWords, uint8(m), "RefundMode") }

// ParseRefundMode knows the words of the contract and their Chinese names.
func ParseRefundMode(s string) (RefundMode, bool) {
	if m, ok := parseWord[RefundMode](modeWords, s); ok {
		return m, true
	}
	return parseWord[RefundMode](modeNames, s)
}

// ReturnedLine is a quantity of one goods_id that came back.
type ReturnedLine struct {
	ID       uint32
	Quantity Micro
}

// Returns follows the refunds of one order by the goods that come back. Begin
// starts an order, then each refund is asked (Ask) and, when it happened, booked
// (Book), in their order. The zero value awaits Begin; its scratch is reused.
type Returns struct {
	total, paid Fen // T, and T - C
	refunded    Fen // X so far
	prorated    Fen // prorated share of the goods that came back
	unknown     bool

	goods     []goodsReturned
	index     idIndex
	weights   []Fen
	shares    []Fen
	fractions []fraction
}

// goodsReturned is one line of the order and how much of it came back.
type goodsReturned struct {
	quantity, returned, pending Micro
	amount                      Fen // at list price
	share                       Fen // of T - C
}

// Begin starts an order with its allocated lines (of an order that could not be
// allocated: none), its total T and the coupon C of it. The prorated share of a
// line is its share of T - C by what the lines were allocated, filler included.
//
// ErrNegative is a coupon larger than the total.
func (r *Returns) Begin(lines []AllocatedLine, total, coupon Fen, remainder Remainder) error {
	n := len(lines)
	r.total, r.paid = total, total-coupon
	r.refunded, r.prorated, r.unknown = 0, 0, false
	r.goods = r.goods[:0]
	r.index.reset()
	if n == 0 {
		return nil
	}
	r.weights = slices.Grow(r.weights[:0], n)[:n]
	r.shares = slices.Grow(r.shares[:0], n)[:n]
	r.fractions = slices.Grow(r.fractions[:0], n)
	for i := range lines {
		r.weights[i] = lines[i].Allocated
	}
	if err := remainder.allocate(r.shares, r.paid, r.weights, r.fractions); err != nil {
		return err
	}
	for i := range lines {
		line := &lines[i]
		r.goods = append(r.goods, goodsReturned{quantity: line.Quantity, amount: line.Amount, share: r.shares[i]})
		r.index.place(line.ID)
	}
	return nil
}

// Ask is what a refund of these lines asks for in the given mode, and takes the
// goods as returned.
//
// whole and reorder ask for what is left of T, whatever their lines say, and
// bring everything back. list_price asks for the amounts of the goods, prorated
// for their share of T - C. A part of a quantity counts amount × returned /
// quantity rounded half up, cumulatively over the order's refunds, so that all
// parts add up to the whole.
//
// known is false when the refund names no lines, a goods_id that the order does
// not have, or more than was sold: nothing of it is taken then, and what came
// back stays unknown until a whole refund.
func (r *Returns) Ask(mode RefundMode, lines []ReturnedLine) (ask Fen, known bool) {
	if mode == ModeWhole || mode == ModeReorder {
		r.takeAll()
		return r.total - r.refunded, true
	}
	if !r.pend(lines) {
		r.unknown = true
		return 0, false
	}
	listed, prorated := r.take(lines)
	if mode == ModeListPrice {
		return listed, true
	}
	return prorated, true
}

// Book adds to what was refunded so far: the amount of a refund that happened,
// or what the history knows of earlier days.
func (r *Returns) Book(amount Fen) { r.refunded += amount }

// Forget says that goods came back of which nothing is known, as by a refund of
// an earlier day.
func (r *Returns) Forget() { r.unknown = true }

// Refunded is X, what was booked so far.
func (r *Returns) Refunded() Fen { return r.refunded }

// ProratedReturned is the share of T - C of all goods that came back. What was
// refunded beyond it is overpaid. It says nothing while Known is false.
func (r *Returns) ProratedReturned() Fen { return r.prorated }

// Known reports whether the lines of all refunds so far are known.
func (r *Returns) Known() bool { return !r.unknown }

// takeAll brings everything back, the filler too.
func (r *Returns) takeAll() {
	for i := range r.goods {
		r.goods[i].returned = r.goods[i].quantity
	}
	r.prorated = r.paid
	r.unknown = false
}

// pend sets the quantities of a refund aside if all of them can come back.
func (r *Returns) pend(lines []ReturnedLine) bool {
	for i := range lines {
		at, ok := r.index.find(lines[i].ID)
		if ok {
			goods := &r.goods[at]
			open := goods.quantity - goods.returned - goods.pending
			ok = lines[i].Quantity > 0 && lines[i].Quantity <= open
		}
		if !ok {
			r.drop(lines[:i])
			return false
		}
		r.goods[at].pending += lines[i].Quantity
	}
	return len(lines) > 0
}

// drop forgets what pend set aside.
func (r *Returns) drop(lines []ReturnedLine) {
	for i := range lines {
		if at, ok := r.index.find(lines[i].ID); ok {
			r.goods[at].pending = 0
		}
	}
}

// take returns what pend set aside, and gives the amounts of it.
func (r *Returns) take(lines []ReturnedLine) (listed, prorated Fen) {
	for i := range lines {
		at, _ := r.index.find(lines[i].ID)
		goods := &r.goods[at]
		after := goods.returned + goods.pending // 0 pending where a line names the goods again
		listed += part(goods.amount, after, goods.quantity) - part(goods.amount, goods.returned, goods.quantity)
		prorated += part(goods.share, after, goods.quantity) - part(goods.share, goods.returned, goods.quantity)
		goods.returned, goods.pending = after, 0
	}
	r.prorated += prorated
	return listed, prorated
}
