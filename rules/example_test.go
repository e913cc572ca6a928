package rules_test

import (
	"fmt"

	"duizhang/rules"
)

func ExampleParseFen() {
	for _, cell := range []string{"12.3", " ￥1,234.50 ", "-0.01元", "1,23", "0.125", ""} {
		f, err := rules.ParseFen([]byte(cell))
		if err != nil {
			fmt.Printf("%q: %v (%v)\n", cell, err, rules.CodeOf(err))
			continue
		}
		fmt.Printf("%q: %v\n", cell, f)
	}
	// Output:
	// "12.3": 12.30
	// " ￥1,234.50 ": 1234.50
	// "-0.01元": -0.01
	// "1,23": not an amount (amount_syntax)
	// "0.125": more decimals than the column has (amount_precision)
	// "": empty (missing_value)
}

func ExampleParseRate() {
	for _, cell := range []string{"0.0055", "0.55%", "5.5‰"} {
		rate, _ := rules.ParseRate([]byte(cell))
		fmt.Println(rate)
	}
	// Output:
	// 0.0055
	// 0.0055
	// 0.0055
}

func ExampleAppendMicro() {
	fmt.Printf("%s %s\n", rules.AppendMicro(nil, 710_000, 2), rules.AppendMicro(nil, 710_435, 2))
	// Output: 0.71 0.710435
}

func ExampleLineAmount() {
	amount, err := rules.LineAmount(163_940_000, 3_745_000) // 163.94 × 3.745
	fmt.Println(amount, err)
	// Output: 613.96 <nil>
}

func ExampleSum() {
	var total rules.Sum
	total.Add(rules.MaxFen)
	total.Add(1)
	fmt.Println(total.String2())
	// Output: 10000000000000.00
}

func ExampleAllocate() {
	shares := make([]rules.Fen, 3)
	if err := rules.Allocate(shares, 1000, []rules.Fen{1, 1, 1}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(shares)
	// Output: [3.34 3.33 3.33]
}

func ExampleAllocateLast() {
	shares := make([]rules.Fen, 3)
	if err := rules.AllocateLast(shares, 1000, []rules.Fen{1, 1, 1}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(shares)
	// Output: [3.33 3.33 3.34]
}

func ExampleAllocator_Order() {
	var a rules.Allocator
	lines := []rules.GoodsLine{
		{ID: 1, Quantity: 2 * rules.One, Price: 3 * rules.One, HasPrice: true},
		{ID: 2, Quantity: 1 * rules.One, Price: 4 * rules.One, HasPrice: true},
	}
	for _, total := range []rules.Fen{1000, 800, 1200} {
		scenario, allocated, err := a.Order(total, lines, nil, rules.LargestRemainder)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Print(total, " ", scenario, ":")
		for _, line := range allocated {
			fmt.Print(" ", line.Allocated)
		}
		fmt.Println()
	}
	// Output:
	// 10.00 equal: 6.00 4.00
	// 8.00 below: 4.80 3.20
	// 12.00 above: 6.00 4.00 2.00
}

func ExamplePolicy_Split() {
	policy := rules.SmartStore()
	funding := rules.Funding{
		rules.FundPaid: 7700, rules.FundRedPacket: 500, rules.FundAllowance: 800, rules.FundCoupon: 1000,
	}
	for _, x := range []rules.Fen{10000, 8900, 6000} {
		back := policy.Split(funding, x)
		fmt.Println(x, "returns", back[rules.FundPaid], back[rules.FundRedPacket], back[rules.FundAllowance])
	}
	// Output:
	// 100.00 returns 77.00 5.00 8.00
	// 89.00 returns 77.00 5.00 0.00
	// 60.00 returns 60.00 0.00 0.00
}

// Order 100.00 (A 60.00, B 40.00), coupon 10.00: A comes back, then B.
func ExampleReturns() {
	lines := []rules.AllocatedLine{
		{ID: 'A', Quantity: rules.One, Amount: 6000, Allocated: 6000},
		{ID: 'B', Quantity: rules.One, Amount: 4000, Allocated: 4000},
	}
	var returns rules.Returns
	if err := returns.Begin(lines, 10000, 1000, rules.LargestRemainder); err != nil {
		fmt.Println(err)
	}
	for _, id := range []uint32{'A', 'B'} {
		ask, known := returns.Ask(rules.ModeProrated, []rules.ReturnedLine{{ID: id, Quantity: rules.One}})
		fmt.Println(ask, known)
		returns.Book(ask)
	}
	fmt.Println(returns.ProratedReturned())
	// Output:
	// 54.00 true
	// 36.00 true
	// 90.00
}

func ExamplePIDBook_Judge() {
	book, err := rules.NewPIDBook([]rules.Agreement{{
		Provider: "2088000000000017", Product: "face_to_face", Rate: 5500,
		Basis: rules.BasisReceived, To: rules.OpenEnd, Scale: 2, Rounding: rules.RoundTrade,
	}}, nil, nil, "2088000000000017")
	if err != nil {
		fmt.Println(err)
	}
	for _, x := range []string{"2088000000000017", "2088000000000010", "", "2088555555555555"} {
		cause, _ := book.Judge(x, "2088100000000009", "face_to_face", 20_000, false)
		fmt.Printf("%q: %v, appeal %q\n", x, cause, cause.Appeal())
	}
	// Output:
	// "2088000000000017": ok, appeal ""
	// "2088000000000010": pid_damaged, appeal "lost"
	// "": pid_missing, appeal "lost"
	// "2088555555555555": pid_foreign, appeal "lost"
}

func ExampleExpected() {
	a := &rules.Agreement{Rate: 5500, Scale: 2}
	fmt.Println(rules.Expected(12917, a)) // 129.17 at 0.55 % is 0.710435
	// Output: 0.71
}

// Three trades of 0.6 fen each are 0.00 or 0.01 alone; their group is 0.018.
func ExamplePeriodGroup() {
	a := &rules.Agreement{Rate: 6000}
	group := rules.NewPeriodGroup(2)
	var ranks []rules.Rank
	for order := range uint64(3) {
		ranks = append(ranks, rules.Rank{Remainder: group.Add(rules.ExactRebate(100, a)), Order: order})
	}
	cutoff := group.Cutoff(ranks)
	for order := range uint64(3) {
		fmt.Println(cutoff.Share(rules.ExactRebate(100, a), order))
	}
	fmt.Println(group.Total().String6())
	// Output:
	// 0.01
	// 0.01
	// 0
	// 0.02
}

func ExampleExpectedFee() {
	fmt.Println(rules.ExpectedFee(10000, 3800)) // 0.38 %
	// Output: 0.38
}

func ExampleBreakID() {
	fmt.Println(rules.BreakID(rules.BreakPOSOnly, rules.SidePOS, "2088100000000009 POS1", 0))
	// Output: bzitaes5hn533km6dkofl
}
