package rules

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func fundingOf(f []Fen) Funding {
	return Funding{FundPaid: f[0], FundRedPacket: f[1], FundAllowance: f[2], FundCoupon: f[3], FundMerchantRed: f[4]}
}

func TestSplitExamples(t *testing.T) {
	policy := SmartStore()
	check(t, "split.txt", func(t *testing.T, left string) string {
		funds, x, _ := strings.Cut(left, " / ")
		back, ok := policy.Step(fundingOf(mustFens(t, funds)), 0, mustFen(t, x))
		if !ok {
			return "refused"
		}
		return joined(back[1:])
	})
}

func TestBillFundingExamples(t *testing.T) {
	check(t, "funding.txt", func(t *testing.T, left string) string {
		bill, pos, _ := strings.Cut(left, " / ")
		b, p := mustFens(t, bill), mustFens(t, pos)
		f := BillFunding(b[0], b[1], b[2], b[3], b[4], Funding{FundAllowance: p[0], FundCoupon: p[1]})
		if f.Total() != b[0] {
			t.Errorf("the funds of %s add up to %v", left, f.Total())
		}
		return joined(f[1:])
	})
}

func randomFunding(r *rand.Rand) Funding {
	var f Funding
	for k := FundPaid; k <= FundMerchantRed; k++ {
		if r.IntN(3) > 0 {
			f[k] = Fen(amount(r, 1e12))
		}
	}
	return f
}

// refSplit is the formula of rules 5 as it stands there.
func refSplit(f Funding, x Fen) Funding {
	paid := min(x, f[FundPaid])
	red := min(x-paid, f[FundRedPacket])
	rest := x - paid - red
	back := Funding{FundPaid: paid, FundRedPacket: red}
	if rest >= f[FundAllowance] {
		back[FundAllowance] = f[FundAllowance]
	}
	return back
}

func TestSplitDifferential(t *testing.T) {
	r := seeded()
	policy := SmartStore()
	for range 100_000 {
		f := randomFunding(r)
		x := Fen(amount(r, int64(f.Total())))
		if x > f.Total() {
			t.Fatalf("amount gave %v of %v", x, f.Total())
		}
		if got, want := policy.Split(f, x), refSplit(f, x); got != want {
			t.Fatalf("Split(%v, %v) = %v, want %v", f, x, got, want)
		}
	}
}

// Refunding in steps returns what refunding at once returns, and a refused
// refund returns nothing.
func TestStepsAddUp(t *testing.T) {
	r := seeded()
	policy := SmartStore()
	for range 20_000 {
		f := randomFunding(r)
		var back Funding
		x := Fen(0)
		for x < f.Total() {
			next := x + 1 + Fen(amount(r, int64(f.Total()-x-1)))
			if r.IntN(4) == 0 {
				next = f.Total()
			}
			step, ok := policy.Step(f, x, next)
			if !ok {
				t.Fatalf("Step(%v, %v, %v) was refused", f, x, next)
			}
			for k := FundPaid; k <= FundMerchantRed; k++ {
				if step[k] < 0 || step[k] > f[k] {
					t.Fatalf("Step(%v, %v, %v) = %v", f, x, next, step)
				}
			}
			if step.Received() != step[FundPaid]+step[FundRedPacket] {
				t.Fatalf("%v.Received() = %v", step, step.Received())
			}
			if left := policy.Left(f, x); step.Total() > left || left > RefundableTotal(policy, f) {
				t.Fatalf("Step(%v, %v, %v) = %v, more than the %v left", f, x, next, step, left)
			}
			back, x = back.Add(step), next
		}
		if want := policy.Split(f, f.Total()); back != want {
			t.Fatalf("steps to %v of %v return %v, at once %v", x, f, back, want)
		}
		if policy.Left(f, f.Total()) != 0 {
			t.Fatalf("something of %v is left: %v", f, policy.Left(f, f.Total()))
		}
		if back, ok := policy.Step(f, x, f.Total()+1); ok || back != (Funding{}) {
			t.Fatalf("Step beyond the total of %v = %v, %v", f, back, ok)
		}
	}
}

func TestSplitOfOtherPolicies(t *testing.T) {
	f := Funding{FundPaid: 5000, FundRedPacket: 1000, FundAllowance: 2000, FundCoupon: 3000, FundMerchantRed: 500}
	for _, test := range []struct {
		name   string
		policy Policy
		x      Fen
		want   Funding
	}{
		{"nothing", nil, 100, Funding{}},
		{"x below 0", SmartStore(), -1, Funding{}},
		{"indivisible first, not covered", Policy{{Fund: FundCoupon, Refundable: true}, {Fund: FundPaid, Refundable: true, Divisible: true}}, 2999, Funding{FundPaid: 2999}},
		{"indivisible first, covered", Policy{{Fund: FundCoupon, Refundable: true}, {Fund: FundPaid, Refundable: true, Divisible: true}}, 3001, Funding{FundCoupon: 3000, FundPaid: 1}},
		{"not refundable", Policy{{Fund: FundPaid, Divisible: true}, {Fund: FundRedPacket, Refundable: true, Divisible: true}}, 900, Funding{FundRedPacket: 900}},
		{"one fund twice", Policy{{Fund: FundPaid, Refundable: true, Divisible: true}, {Fund: FundPaid, Refundable: true, Divisible: true}}, 9000, Funding{FundPaid: 5000}},
		{"all of it", Policy{{Fund: FundPaid, Refundable: true, Divisible: true}}, 11500, Funding{FundPaid: 5000}},
	} {
		if got := test.policy.Split(f, test.x); got != test.want {
			t.Errorf("%s: Split(%v, %v) = %v, want %v", test.name, f, test.x, got, test.want)
		}
	}
}

func TestSmartStoreNamesColumns(t *testing.T) {
	policy := SmartStore()
	if len(policy) != 5 {
		t.Fatalf("smart_store has %d funds", len(policy))
	}
	channels := map[string][]Fund{}
	for i, fund := range policy {
		if want := FundPaid + Fund(i); fund.Fund != want {
			t.Errorf("fund %d is %v, want %v", i, fund.Fund, want)
		}
		if (fund.Bill == nil) != (fund.Fund == FundPaid) {
			t.Errorf("%v has the bill columns %v", fund.Fund, fund.Bill)
		}
		for _, c := range fund.FundChannel {
			channels[c] = append(channels[c], fund.Fund)
		}
	}
	if got := channels["MDISCOUNT"]; !slices.Equal(got, []Fund{FundAllowance, FundCoupon}) {
		t.Errorf("MDISCOUNT fills %v", got)
	}
	policy[0].Refundable = false
	if !SmartStore()[0].Refundable {
		t.Error("a change to one policy is in the next")
	}
}

func TestReturnsExamples(t *testing.T) {
	var a Allocator
	var r Returns
	check(t, "returns.txt", func(t *testing.T, left string) string {
		remainder, left := cutRemainder(left)
		parts := strings.Split(strings.ReplaceAll(left, "/ /", "/  /"), " / ")
		funds := mustFens(t, parts[0])
		total, coupon := funds[0], funds[1]
		_, lines, err := a.Order(total, parseGoods(t, parts[1]), nil, remainder)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(lines, total, coupon, remainder); err != nil {
			t.Fatal(err)
		}
		policy, funding := SmartStore(), Funding{FundPaid: total - coupon, FundCoupon: coupon}
		var said []string
		returned := Fen(0)
		for _, refund := range strings.Split(parts[2], ",") {
			ask, known := askOf(t, &r, refund)
			if !known {
				said = append(said, "unknown")
				continue
			}
			gets := min(ask, policy.Left(funding, r.Refunded()))
			step, _ := policy.Step(funding, r.Refunded(), r.Refunded()+gets)
			r.Book(gets)
			returned += step.Total()
			loss := Overpaid(returned, r.ProratedReturned()).String()
			if !r.Known() {
				loss = "unknown"
			}
			said = append(said, fmt.Sprintf("asks %v gets %v loss %s", ask, gets, loss))
		}
		return strings.Join(said, ", ")
	})
}

// askOf reads "prorated A 1 B 2" and asks.
func askOf(t *testing.T, r *Returns, refund string) (Fen, bool) {
	t.Helper()
	w := strings.Fields(refund)
	mode, ok := ParseRefundMode(w[0])
	if !ok {
		t.Fatalf("%q is no mode", w[0])
	}
	var lines []ReturnedLine
	for i := 1; i < len(w); i += 2 {
		line := ReturnedLine{Quantity: mustMicro(t, w[i+1])}
		if w[i] != "-" {
			line.ID = uint32(w[i][0])
		}
		lines = append(lines, line)
	}
	return r.Ask(mode, lines)
}

// However the goods come back, in whatever parts, the asks add up to all line
// amounts, and to all shares.
func TestReturnsAddUp(t *testing.T) {
	r := seeded()
	var a Allocator
	var returns Returns
	for range 5_000 {
		lines := randomGoods(r)
		total := Fen(1 + amount(r, 1e11))
		coupon := Fen(amount(r, int64(total)))
		_, allocated, err := a.Order(total, lines, randomTag, LargestRemainder)
		if err != nil {
			t.Fatal(err)
		}
		mode := ModeListPrice + RefundMode(r.IntN(2))
		if err := returns.Begin(allocated, total, coupon, LargestRemainder); err != nil {
			t.Fatal(err)
		}
		var wantListed, wantShares, got, prorated Fen
		open := map[uint32]Micro{}
		for i, line := range allocated {
			if line.ID == 0 {
				continue
			}
			open[line.ID] = line.Quantity
			wantListed += line.Amount
			wantShares += returns.goods[i].share
		}
		for range 200 {
			if len(open) == 0 {
				break
			}
			refund := randomReturn(r, allocated, open)
			ask, known := returns.Ask(mode, refund)
			if !known || ask < 0 {
				t.Fatalf("Ask(%v, %v) = %v, %v", mode, refund, ask, known)
			}
			got += ask
			if returns.ProratedReturned() < prorated {
				t.Fatalf("the prorated share fell from %v to %v", prorated, returns.ProratedReturned())
			}
			prorated = returns.ProratedReturned()
		}
		if len(open) > 0 {
			continue
		}
		want := wantListed
		if mode == ModeProrated {
			want = wantShares
		}
		if got != want || prorated != wantShares {
			t.Fatalf("%v of %+v: asks add up to %v, want %v; shares to %v, want %v", mode, allocated, got, want, prorated, wantShares)
		}
		if ask, known := returns.Ask(mode, []ReturnedLine{{ID: 1, Quantity: 1}}); known {
			t.Fatalf("more than all came back: %v", ask)
		}
	}
}

// randomReturn takes some of the goods that are still out.
func randomReturn(r *rand.Rand, lines []AllocatedLine, open map[uint32]Micro) []ReturnedLine {
	var refund []ReturnedLine
	for len(refund) == 0 {
		for _, line := range lines {
			left, ok := open[line.ID]
			if !ok || r.IntN(2) == 0 {
				continue
			}
			q := left
			if r.IntN(3) == 0 {
				q = 1 + Micro(r.Int64N(int64(left)))
			}
			refund = append(refund, ReturnedLine{line.ID, q})
			if open[line.ID] -= q; open[line.ID] == 0 {
				delete(open, line.ID)
			}
		}
	}
	return refund
}

func TestReturnsForget(t *testing.T) {
	var r Returns
	lines := []AllocatedLine{{ID: 1, Quantity: One, Amount: 100, Allocated: 100}}
	if err := r.Begin(lines, 100, 0, LargestRemainder); err != nil {
		t.Fatal(err)
	}
	r.Forget()
	r.Book(30)
	if r.Known() {
		t.Error("known after goods came back of which nothing is known")
	}
	if ask, known := r.Ask(ModeWhole, nil); ask != 70 || !known || !r.Known() {
		t.Errorf("Ask(whole) = %v, %v, want 0.70, true", ask, known)
	}
	if err := r.Begin(lines, 100, 10, LargestRemainder); err != nil {
		t.Fatal(err)
	}
	if r.Ask(ModeReorder, nil); r.ProratedReturned() != 90 {
		t.Errorf("after all came back the share is %v, want T - C = 0.90", r.ProratedReturned())
	}
	if err := r.Begin(lines, 100, 101, LargestRemainder); !errors.Is(err, ErrNegative) {
		t.Errorf("Begin with a coupon beyond the total: %v", err)
	}
	if err := r.Begin(lines, 100, 0, LargestRemainder); err != nil || !r.Known() || r.Refunded() != 0 || r.ProratedReturned() != 0 {
		t.Errorf("Begin left something of the order before: %+v", r)
	}
}
