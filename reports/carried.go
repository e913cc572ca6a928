package reports

import (
	"slices"
	"sync"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Carried is what became of the rows that earlier days carried to a run, counted
// by side as its parts come.
type Carried struct {
	From string // business date that left them, "" for none

	places []bool // by table: its rows are carried
	mu     sync.Mutex
	trades [9]engine.Tally // of the carried sides alone, by status
	refund [9]engine.Tally
}

// NewCarried counts by the tables of a run.
func NewCarried(tables []*schema.Table) *Carried {
	c := &Carried{}
	for _, t := range tables {
		c.places = append(c.places, t.Carried())
	}
	return c
}

// A CarriedPart is what became of the carried rows of one part.
type CarriedPart struct{ trades, refunds [9]engine.Tally }

// Count adds a part. It is safe for concurrent use.
func (c *Carried) Count(p *engine.Part) {
	if slices.Contains(c.places, true) {
		one := c.Of(p)
		c.Add(&one)
	}
}

// Of counts a part.
func (c *Carried) Of(p *engine.Part) (one CarriedPart) {
	t, r := &p.Trades, &p.Refunds
	c.count(&one.trades, t.Status, t.Pos, t.PosAmount, t.Bill, t.BillAmount)
	c.count(&one.refunds, r.Status, r.Pos, r.PosAmount, r.Bill, r.BillAmount)
	return one
}

// Add adds what Of gave, perhaps in an earlier run. It is safe for concurrent use.
func (c *Carried) Add(one *CarriedPart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range one.trades {
		mergeTally(&c.trades[s], &one.trades[s])
		mergeTally(&c.refund[s], &one.refunds[s])
	}
}

func (c *Carried) count(into *[9]engine.Tally, status []uint8, pos schema.Place, posAmount []int64, bill schema.Place, billAmount []int64) {
	for i, s := range status {
		if at := pos.Table[i]; at >= 0 && c.places[at] {
			into[s].PosCount++
			into[s].PosAmount.AddInt(posAmount[i])
		}
		if at := bill.Table[i]; at >= 0 && c.places[at] {
			into[s].BillCount++
			into[s].BillAmount.AddInt(billAmount[i])
		}
	}
}

func mergeTally(t, o *engine.Tally) {
	t.PosCount += o.PosCount
	t.BillCount += o.BillCount
	t.PosAmount.AddSum(o.PosAmount)
	t.BillAmount.AddSum(o.BillAmount)
}

// units is what came in and what of it still waits: sides of trades and refunds.
func (c *Carried) units() (in, on int64) {
	for _, tallies := range [...]*[9]engine.Tally{&c.trades, &c.refund} {
		for s := range tallies {
			n := tallies[s].PosCount + tallies[s].BillCount
			in += n
			if rules.Status(s) == rules.StatusPending {
				on += n
			}
		}
	}
	return in, on
}

// pendingUnits are the units that a run leaves to the next days.
func pendingUnits(r *engine.Result) int64 {
	t, f := &r.Trades[rules.StatusPending], &r.Refunds[rules.StatusPending]
	return t.PosCount + t.BillCount + f.PosCount + f.BillCount
}

// A ClosedBreak is a break of an earlier run that is gone.
type ClosedBreak struct {
	ID, Code, Merchant, OutTradeNo, TradeNo, RequestNo string
	Amount                                             rules.Sum // at stake, in millionths
	FirstSeen                                          string    // 2006-01-02
}

// title is the break's code in words.
func (b *ClosedBreak) title(l Lang) string {
	if code, ok := rules.ParseBreakCode(b.Code); ok {
		return l.Title(code)
	}
	return b.Code
}

// numbers are those that a person knows the break's trade by.
func (b *ClosedBreak) numbers() string {
	text := ""
	for _, number := range [...]string{b.OutTradeNo, b.RequestNo, b.TradeNo} {
		if number != "" && text != "" {
			text += " / "
		}
		text += number
	}
	return text
}

// closedTotal is how many breaks are closed, and what was at stake.
func closedTotal(closed []ClosedBreak) (count int, amount rules.Sum) {
	for i := range closed {
		amount.AddSum(closed[i].Amount)
	}
	return len(closed), amount
}

type closedInfo struct {
	ID         string `json:"id"`
	Code       string `json:"code"`
	Merchant   string `json:"merchant_pid"`
	OutTradeNo string `json:"out_trade_no"`
	TradeNo    string `json:"trade_no"`
	Amount     string `json:"amount"`
	FirstSeen  string `json:"first_seen"`
}

func closedOf(closed []ClosedBreak) []closedInfo {
	list := []closedInfo{}
	for i := range closed {
		b := &closed[i]
		list = append(list, closedInfo{b.ID, b.Code, b.Merchant, b.OutTradeNo, b.TradeNo, b.Amount.String6(), b.FirstSeen})
	}
	return list
}

// carriedInfo is what came from earlier days, by what became of it, and what goes to
// the next.
type carriedInfo struct {
	From string     `json:"from"`
	In   carriedIn  `json:"in"`
	Out  carriedOut `json:"out"`
}

type carriedIn struct {
	Trades  countsJSON `json:"trades"`
	Refunds countsJSON `json:"refunds"`
}

type carriedOut struct {
	Trades  tallyInfo `json:"trades"`
	Refunds tallyInfo `json:"refunds"`
}

// carriedOf is null without a state.
func carriedOf(c *Carried, r *engine.Result) *carriedInfo {
	if c == nil {
		return nil
	}
	return &carriedInfo{
		From: c.From, In: carriedIn{becameOf(&c.trades), becameOf(&c.refund)},
		Out: carriedOut{tallyOf(&r.Trades[rules.StatusPending]), tallyOf(&r.Refunds[rules.StatusPending])},
	}
}

// becameOf has the statuses that occur.
func becameOf(tallies *[9]engine.Tally) countsJSON {
	object := countsJSON{}
	for s := rules.StatusDuplicate; s <= rules.StatusPOSOnly; s++ {
		if t := &tallies[s]; t.PosCount != 0 || t.BillCount != 0 {
			object = append(object, member{s.String(), tallyOf(t)})
		}
	}
	return object
}

func tallyOf(t *engine.Tally) tallyInfo {
	return tallyInfo{t.PosCount, t.PosAmount.String2(), t.BillCount, t.BillAmount.String2()}
}

// carriedLine says in words what came from earlier days and what goes to the next;
// "" without either.
func carriedLine(c *Carried, r *engine.Result, l Lang) string {
	if c == nil {
		return ""
	}
	in, on := c.units()
	out := pendingUnits(r)
	text := ""
	if in > 0 {
		text = l.pick(
			"从 "+c.From+" 结转 "+countText(in)+" 笔：了结 "+countText(in-on)+" 笔，仍待对 "+countText(on)+" 笔",
			"carried from "+c.From+": "+countText(in)+", of which "+countText(in-on)+" are settled and "+countText(on)+" still pending")
	}
	if out > 0 {
		if text != "" {
			text += l.pick("；", "; ")
		}
		text += l.pick("结转以后各天 "+countText(out)+" 笔", "carried to the next days: "+countText(out))
	}
	return text
}

// closedLine says in words which breaks are gone; "" for none.
func closedLine(closed []ClosedBreak, l Lang) string {
	n, amount := closedTotal(closed)
	if n == 0 {
		return ""
	}
	return l.pick("已消除的差异 "+countText(n)+" 条，"+money(amount)+" 元", "breaks closed: "+countText(n)+", "+money(amount))
}
