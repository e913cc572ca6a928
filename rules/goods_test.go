package rules

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// parseGoods reads "A 3 x 2, - ? x 1": goods_id, price and quantity of each line.
func parseGoods(t testing.TB, text string) []GoodsLine {
	t.Helper()
	var lines []GoodsLine
	for _, part := range strings.Split(text, ",") {
		w := strings.Fields(part)
		if len(w) == 0 {
			continue
		}
		line := GoodsLine{Name: uint32(len(lines)) + 100, Quantity: mustMicro(t, w[3])}
		if w[0] != "-" {
			line.ID = uint32(w[0][0])
		}
		if w[1] != "?" {
			line.Price, line.HasPrice = mustMicro(t, w[1]), true
		}
		lines = append(lines, line)
	}
	return lines
}

func parseTags(t testing.TB, text string) func(uint32) (Micro, bool) {
	t.Helper()
	if text == "" {
		return nil
	}
	tags := map[uint32]Micro{}
	for _, part := range strings.Fields(text) {
		id, price, _ := strings.Cut(part, "=")
		tags[uint32(id[0])] = mustMicro(t, price)
	}
	return func(id uint32) (Micro, bool) { price, ok := tags[id]; return price, ok }
}

// showAllocated is the right side of goods.txt.
func showAllocated(scenario Scenario, lines []AllocatedLine) string {
	words := make([]string, len(lines))
	for i, line := range lines {
		id := "-"
		if line.ID != 0 {
			id = string(rune(line.ID))
		}
		if line.Filler {
			words[i] = fmt.Sprintf("filler gets %v", line.Allocated)
			if line != (AllocatedLine{Quantity: One, Allocated: line.Allocated, Filler: true}) {
				words[i] += fmt.Sprintf(" with %+v", line)
			}
			continue
		}
		words[i] = fmt.Sprintf("%s %v @ %v = %v gets %v", id, line.Quantity, line.Price, line.Amount, line.Allocated)
	}
	return scenario.String() + ": " + strings.Join(words, ", ")
}

// cutRemainder reads the remainder in front of an example.
func cutRemainder(left string) (Remainder, string) {
	if rest, ok := strings.CutPrefix(left, "last_line "); ok {
		return LastLine, rest
	}
	return LargestRemainder, left
}

func TestGoodsExamples(t *testing.T) {
	var a Allocator // one for all of them: nothing may be left of an order in the next
	check(t, "goods.txt", func(t *testing.T, left string) string {
		remainder, left := cutRemainder(left)
		parts := strings.Split(left+" / ", " / ")
		scenario, lines, err := a.Order(mustFen(t, parts[0]), parseGoods(t, parts[1]), parseTags(t, parts[2]), remainder)
		if err != nil {
			return err.Error()
		}
		return showAllocated(scenario, lines)
	})
}

func TestGoodsNameOfTheFirst(t *testing.T) {
	var a Allocator
	_, lines, err := a.Order(300, []GoodsLine{
		{ID: 7, Name: 1, Quantity: One, Price: One, HasPrice: true},
		{ID: 8, Name: 2, Quantity: One, Price: One, HasPrice: true},
		{ID: 7, Name: 3, Quantity: One, Price: One, HasPrice: true},
	}, nil, LargestRemainder)
	if err != nil || len(lines) != 2 || lines[0].Name != 1 || lines[1].Name != 2 || lines[0].Lines != 2 || lines[1].Lines != 1 {
		t.Errorf("Order = %+v, %v, want two lines with the names 1 and 2", lines, err)
	}
}

func TestGoodsOfNothing(t *testing.T) {
	var a Allocator
	scenario, lines, err := a.Order(100, nil, nil, LargestRemainder)
	if scenario != 0 || lines != nil || err != nil || scenario.String() != "" {
		t.Errorf("Order without lines = %q, %v, %v, want nothing", scenario, lines, err)
	}
}

func TestGoodsBeyondTheRange(t *testing.T) {
	var a Allocator
	lines := parseGoods(t, "A 1 x 1")
	if scenario, allocated, err := a.Order(MaxFen+1, lines, nil, LargestRemainder); scenario != 0 || allocated != nil || !errors.Is(err, ErrRange) {
		t.Errorf("Order of a total beyond MaxFen = %v, %v, %v, want ErrRange", scenario, allocated, err)
	}
	_, allocated, err := a.Order(MaxFen, lines, nil, LargestRemainder)
	if err != nil || len(allocated) != 2 || allocated[1].Allocated != MaxFen-100 {
		t.Errorf("Order of MaxFen = %v, %v", allocated, err)
	}
}

// A line without goods_id has no tag price, whatever tag says of id 0.
func TestBlankIDHasNoTagPrice(t *testing.T) {
	var a Allocator
	tag := func(uint32) (Micro, bool) { return One, true }
	if _, _, err := a.Order(100, parseGoods(t, "- ? x 1"), tag, LargestRemainder); !errors.Is(err, ErrPriceUnknown) {
		t.Errorf("Order = %v, want ErrPriceUnknown", err)
	}
}

// randomGoods are the lines of one order: some ids again, some blank, some
// without a price. Tag prices are 1.00 × id.
func randomGoods(r *rand.Rand) []GoodsLine {
	lines := make([]GoodsLine, 1+r.IntN(6))
	if r.IntN(30) == 0 {
		lines = make([]GoodsLine, 1+r.IntN(4*smallIndex))
	}
	noPrice := r.IntN(6) == 0
	for i := range lines {
		lines[i] = GoodsLine{
			ID: uint32(r.IntN(len(lines) + 1)), Name: uint32(i + 1), Quantity: Micro(1 + amount(r, 5e9)),
			Price: Micro(amount(r, 1e12)), HasPrice: !noPrice && r.IntN(8) > 0,
		}
		if lines[i].ID == 0 {
			lines[i].HasPrice = true
		}
	}
	return lines
}

func randomTag(id uint32) (Micro, bool) { return Micro(id) * One, true }

// refOrder merges by a map and allocates by decimal.
func refOrder(total Fen, lines []GoodsLine, remainder Remainder) (Scenario, []AllocatedLine) {
	var out []AllocatedLine
	at := map[uint32]int{}
	onTags, sum := true, Fen(0)
	for _, line := range lines {
		price := line.Price
		if !line.HasPrice {
			price, _ = randomTag(line.ID)
		}
		onTags = onTags && !line.HasPrice
		amount, _ := FenOf(halfUp(price.Decimal().Mul(line.Quantity.Decimal()), 2))
		sum += amount
		i, ok := at[line.ID]
		if !ok || line.ID == 0 {
			at[line.ID] = len(out)
			out = append(out, AllocatedLine{ID: line.ID, Name: line.Name, Quantity: line.Quantity, Price: price, Amount: amount, Lines: 1})
			continue
		}
		out[i].Quantity += line.Quantity
		out[i].Amount += amount
		out[i].Lines++
		average := out[i].Amount.Decimal().DivRound(out[i].Quantity.Decimal(), 30)
		out[i].Price = Micro(halfUp(average, 2).Shift(6).IntPart())
	}
	weights := make([]Fen, len(out))
	for i := range out {
		weights[i] = out[i].Amount
	}
	scenario := map[bool]Scenario{true: Above, false: Below}[total > sum]
	if total == sum {
		scenario = Equal
	}
	shares := weights
	if sum > 0 && (onTags || scenario == Below) {
		if shares = refAllocate(total, weights); remainder == LastLine {
			shares = refAllocateLast(total, weights)
		}
	}
	given := Fen(0)
	for i := range out {
		out[i].Allocated = shares[i]
		given += shares[i]
	}
	if given != total {
		out = append(out, AllocatedLine{Quantity: One, Allocated: total - given, Filler: true})
	}
	if onTags {
		scenario = TagPrice
	}
	return scenario, out
}

func TestOrderDifferential(t *testing.T) {
	r := seeded()
	var a Allocator
	seen := map[Scenario]int{}
	for range 40_000 {
		lines := randomGoods(r)
		remainder := LargestRemainder + Remainder(r.IntN(2))
		total := Fen(amount(r, 1e12))
		if r.IntN(3) == 0 {
			_, ref := refOrder(0, lines, remainder)
			for i := range ref {
				total += ref[i].Amount - total*Fen(r.IntN(2))
			}
		}
		scenario, got, err := a.Order(total, lines, randomTag, remainder)
		if err != nil {
			t.Fatalf("Order(%v, %+v): %v", total, lines, err)
		}
		wantScenario, want := refOrder(total, lines, remainder)
		if scenario != wantScenario || !slices.Equal(got, want) {
			t.Fatalf("Order(%v, %+v)\n got %v %+v\nwant %v %+v", total, lines, scenario, got, wantScenario, want)
		}
		var shares []Fen
		for i := range got {
			shares = append(shares, got[i].Allocated)
		}
		addsUp(t, shares, total)
		seen[scenario]++
	}
	for _, s := range []Scenario{Below, Above, TagPrice} {
		if seen[s] < 1000 {
			t.Errorf("scenario %v was seen %d times", s, seen[s])
		}
	}
	if seen[Equal] == 0 {
		t.Error("no order was equal")
	}
}

// An order with more ids than are looked through one by one.
func TestIndexBeyondSmall(t *testing.T) {
	var x idIndex
	for round := range 3 {
		x.reset()
		want := map[uint32]int{}
		r := rand.New(rand.NewPCG(7, uint64(round)))
		for range 10 * smallIndex {
			id := uint32(r.IntN(3 * smallIndex))
			at, found := x.place(id)
			if place, ok := want[id]; found != (ok && id != 0) || found && at != place {
				t.Fatalf("place(%d) = %d, %v, want %d, %v", id, at, found, place, ok)
			}
			if !found {
				want[id] = at
			}
			if got, ok := x.find(id); ok != (id != 0) || ok && got != want[id] {
				t.Fatalf("find(%d) = %d, %v, want %d", id, got, ok, want[id])
			}
		}
	}
}

func TestCouponExamples(t *testing.T) {
	check(t, "coupon.txt", func(t *testing.T, left string) string {
		w := strings.Fields(left)
		kind, ok := ParseCouponKind(w[0])
		if !ok {
			t.Fatalf("%q is no kind", w[0])
		}
		if len(w) == 4 {
			return kind.GoodsBase(mustFen(t, w[1]), mustFen(t, w[2]), mustFen(t, w[3])).String()
		}
		return kind.Base(mustFen(t, w[1]), mustFen(t, w[2])).String()
	})
	check(t, "allowance.txt", func(t *testing.T, left string) string {
		f := mustFens(t, left)
		return AllowanceLimit(f[0], f[1], f[2]).String()
	})
}
