package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"duizhang/rules"
)

// An allocation is what prorate prints of one order.
type allocation struct {
	Total     string          `json:"total"`
	Sum       string          `json:"sum"`
	Remainder string          `json:"remainder"`
	Scenario  string          `json:"scenario"`
	Lines     []allocatedLine `json:"lines"`
}

type allocatedLine struct {
	Line      int    `json:"line"`
	GoodsID   string `json:"goods_id"`
	Quantity  string `json:"quantity"`
	Price     string `json:"price"`
	Amount    string `json:"line_amount"`
	Allocated string `json:"allocated"`
	Filler    bool   `json:"is_filler"`
}

func (a *app) prorateCommand() *cobra.Command {
	var total, remainder string
	var lines []string
	cmd := &cobra.Command{
		Use:   "prorate",
		Short: a.say("计算器：把订单金额分摊到商品", "calculator: allocate an order's total over its goods"),
		Long: a.say(`把订单金额按商品行金额分摊到分（规则 4）。商品行写作 价格x数量，前面可加 商品编号=；
同一编号的行会合并。不给 --total 时从标准输入读取，每行一个订单：金额，然后是商品行。`,
			`Allocates an order's total over its goods lines, to the fen (rules 4). A line is PRICExQUANTITY,
with GOODS_ID= before it if you like; lines of one goods_id are merged. Without --total, orders
are read from standard input, one a line: the total, then the goods lines.`),
		Example: `  duizhang prorate --total 8 --line 3x2 --line 4x1
  duizhang prorate --total 1.00 --line 1 --line 1 --line 1 --remainder last_line
  echo "12 A=3x2 B=4x1" | duizhang prorate --json`,
		Args: a.exactly(0, "prorate 不带参数；请用 --total 和 --line", "prorate takes no arguments; use --total and --line"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rule, ok := rules.ParseRemainder(remainder)
			if !ok {
				return a.badFlag("remainder", remainder, []string{"largest_remainder", "last_line"})
			}
			if cmd.Flags().Changed("total") {
				result, err := a.prorate(total, lines, rule)
				if err != nil {
					return err
				}
				return a.printAllocations([]allocation{result}, false)
			}
			if len(lines) > 0 {
				return usage(a.say("缺少 --total", "--total is missing"), "")
			}
			return a.prorateLines(cmd.InOrStdin(), rule)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&total, "total", "", a.say("订单金额", "the order's total"))
	flags.StringArrayVar(&lines, "line", nil, a.say("商品行：价格x数量，可重复", "a goods line, PRICExQUANTITY; may be repeated"))
	flags.StringVar(&remainder, "remainder", "largest_remainder", a.say("尾差：largest_remainder 或 last_line", "the fen left over: largest_remainder or last_line"))
	completeWith(cmd, "remainder", []string{"largest_remainder", "last_line"})
	return cmd
}

// prorateLines reads orders from standard input.
func (a *app) prorateLines(in io.Reader, rule rules.Remainder) error {
	var all []allocation
	err := a.eachLine(in, func(words []string) error {
		result, err := a.prorate(words[0], words[1:], rule)
		all = append(all, result)
		return err
	})
	if err != nil {
		return err
	}
	return a.printAllocations(all, true)
}

// eachLine reads the lines of standard input that are neither blank nor a
// comment, as words; an error of use names its line.
func (a *app) eachLine(in io.Reader, each func(words []string) error) error {
	scanner := bufio.NewScanner(in)
	for number := 1; scanner.Scan(); number++ {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := each(words); err != nil {
			if f, ok := errors.AsType[*failure](err); ok {
				return usage(a.say("标准输入:%d: %s", "stdin:%d: %s", number, f.Error()), f.hint)
			}
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return &failure{status: exitUsage, err: err}
	}
	return nil
}

func (a *app) prorate(total string, lines []string, rule rules.Remainder) (allocation, error) {
	t, err := rules.ParseFen([]byte(total))
	if errors.Is(err, rules.ErrRange) {
		return allocation{}, usage(a.say("--total: %q: 超出金额范围 ±9999999999999.99", "--total: %q: out of the range of amounts, ±9999999999999.99", total), "")
	}
	if err != nil || t < 0 {
		return allocation{}, usage(a.say("--total: %q: 应为不小于 0、最多两位小数的金额", "--total: %q: must be an amount of 0 or more with at most two decimals", total), "")
	}
	if len(lines) == 0 {
		return allocation{}, usage(a.say("没有商品行", "no goods lines"), a.say("例如 --line 3x2", "such as --line 3x2"))
	}
	ids := []string{""}
	goods := make([]rules.GoodsLine, len(lines))
	var sum rules.Fen
	for i, text := range lines {
		line, id, err := parseGoods(text)
		if errors.Is(err, rules.ErrRange) {
			return allocation{}, usage(a.say("--line: %q: 超出范围：价格和数量至多 9223372036854.775807，行金额至多 9999999999999.99", "--line: %q: out of range: price and quantity are at most 9223372036854.775807, the amount 9999999999999.99", text), "")
		}
		if err != nil {
			return allocation{}, usage(a.say("--line: %q: 应为 价格x数量，例如 3.50x2", "--line: %q: must be PRICExQUANTITY, such as 3.50x2", text), "")
		}
		line.ID = wordCode(&ids, id)
		goods[i] = line
		amount, _ := rules.LineAmount(line.Price, line.Quantity) // parseGoods has seen that it is one
		if sum += amount; sum > rules.MaxFen {
			return allocation{}, usage(a.say("商品合计超出金额范围 ±9999999999999.99", "the goods together are out of the range of amounts, ±9999999999999.99"), "")
		}
	}
	var allocator rules.Allocator
	scenario, allocated, err := allocator.Order(t, goods, nil, rule)
	if err != nil {
		return allocation{}, usage(a.say("无法分摊：%v", "cannot be allocated: %v", err), "")
	}
	result := allocation{Total: t.String(), Sum: sum.String(), Remainder: rule.String(), Scenario: scenario.String()}
	for i := range allocated {
		line := &allocated[i]
		id := ids[line.ID]
		result.Lines = append(result.Lines, allocatedLine{
			Line: i + 1, GoodsID: id, Quantity: line.Quantity.String(), Price: string(rules.AppendMicro(nil, line.Price, 2)),
			Amount: line.Amount.String(), Allocated: line.Allocated.String(), Filler: line.Filler,
		})
	}
	return result, nil
}

// wordCode is the place of the text in the list, which it is added to; a blank
// is 0.
func wordCode(words *[]string, text string) uint32 {
	for i, known := range *words {
		if known == text {
			return uint32(i)
		}
	}
	*words = append(*words, text)
	return uint32(len(*words) - 1)
}

// parseGoods reads [ID=]PRICE[xQUANTITY].
func parseGoods(text string) (line rules.GoodsLine, id string, err error) {
	if before, after, found := strings.Cut(text, "="); found {
		id, text = before, after
	}
	at := strings.IndexAny(text, "xX×*")
	price, quantity := text, "1"
	if at >= 0 {
		_, size := firstLetter(text[at:])
		price, quantity = text[:at], text[at+size:]
	}
	p, err := rules.ParseMicro([]byte(price))
	if err != nil {
		return line, id, err
	}
	q, err := rules.ParseMicro([]byte(quantity))
	if err != nil {
		return line, id, err
	}
	if p < 0 || q <= 0 {
		return line, id, rules.ErrNegative
	}
	_, err = rules.LineAmount(p, q)
	return rules.GoodsLine{Quantity: q, Price: p, HasPrice: true}, id, err
}

func firstLetter(text string) (letter rune, size int) {
	for i, r := range text {
		if i > 0 {
			return letter, i
		}
		letter = r
	}
	return letter, len(text)
}

// printAllocations prints one result, or the list of what standard input asked.
func (a *app) printAllocations(all []allocation, list bool) error { //nolint:revive // the two shapes of --json
	if a.json {
		if list {
			return a.printJSON(append([]allocation{}, all...))
		}
		return a.printJSON(all[0])
	}
	for i, result := range all {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		a.printAllocation(result)
	}
	return nil
}

func (a *app) printAllocation(result allocation) {
	scenario := map[string]string{
		"equal": a.say("相等，各行不变", "equal, lines keep their amounts"),
		"below": a.say("订单金额小于商品合计，按比例分摊", "total below the goods, divided in proportion"),
		"above": a.say("订单金额大于商品合计，差额入填充商品", "total above the goods, a filler takes the difference"),
	}[result.Scenario]
	fmt.Fprintln(a.stdout, a.say("订单金额 %s，商品合计 %s：%s（%s）", "total %s, goods %s: %s (%s)", result.Total, result.Sum, scenario, result.Scenario))
	t := newTable(0, 2, 3, 4, 5)
	t.row("#", a.say("商品", "goods"), a.say("数量", "quantity"), a.say("单价", "price"), a.say("行金额", "amount"), a.say("分摊", "allocated"))
	for _, line := range result.Lines {
		id := line.GoodsID
		if line.Filler {
			id = a.say("填充商品", "filler")
		}
		t.row(fmt.Sprint(line.Line), id, line.Quantity, line.Price, line.Amount, line.Allocated)
	}
	t.write(a.stdout)
}
