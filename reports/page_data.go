package reports

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// How much of a long list the page shows. It says so, and where the rest is: the
// page stays small enough to be mailed.
const (
	pageBreaks  = 1000
	pageTables  = 200
	pageLosses  = 20
	pageDo      = 5
	pageCauses  = 6
	pageLetters = 200 // letters of a cell
)

// A page is what report.html says, in words, in its order.
type page struct {
	Lang, Title string
	Date        string
	Job         string
	Version     string
	Mood        string // good, warn, bad
	Verdict     string
	Incomplete  bool

	Cards      []pageCard
	Do         []pageTask
	DoNone     string
	Causes     []pageCause
	MoreCauses int
	Charts     []pageChart
	Kinds      []pageKind
	Sides      []pageSide
	Rebates    *pageRebates
	Checks     []pageCheck
	Files      []pageFile
	FilesAll   int
	Left       [][2]string
	Rejects    string
	Days       []string // what came from earlier days, and what is gone
	Breaks     []pageBreak
	BreaksAll  int
	BreaksNote string
	Codes      []pageCode // of the filter

	Data pageData
	T    func(zh, en string) string
}

// A pageCard is one of the large figures at the top. Its id is what a test finds
// it by.
type pageCard struct{ ID, Label, Value, Note, Mood string }

// A pageTask is one thing to do, the most urgent first.
type pageTask struct{ Code, Title, Severity, Figures, Cause, Do string }

// A pageCause is an attribution with its two shares.
type pageCause struct {
	Title, Where, When string
	Breaks, Rows       string
	BreakBar, RowBar   string // per cent, for the length of a bar
	Rest               string
	Of                 string
}

// A pageChart is a place for a chart that the script draws.
type pageChart struct{ ID, Title string }

type pageKind struct {
	Code, Title, Severity, Word string
	Count, Amount, Cause        string
	CountKey, AmountKey         string
}

type pageSide struct {
	Name string
	Rows []pageStatus
	Any  bool
}

type pageStatus struct{ Status, Word, PosCount, PosAmount, BillCount, BillAmount string }

type pageRebates struct {
	Lost, Claimable       string
	Causes                []pageLossCause
	Stores, Tills         []pageLoss
	StoresMore, TillsMore int
	OutOfScope            string
}

type pageLossCause struct{ Cause, Title, Appeal, Count, Expected, Stated, Loss string }

type pageLoss struct{ Name, Merchant, Count, Lost, Claimable, Since string }

type pageCheck struct {
	Name, Left, Right, Code string
	Holds                   bool
}

type pageFile struct {
	Name, Format, Account, Rows, Accepted, Rejected, Controls, Mood string
}

type pageBreak struct {
	Code, Title, Severity, Word, Amount, AmountKey string
	OutTradeNo, TradeNo, Store, When, Detail, Do   string
	Source, ID                                     string
}

type pageCode struct {
	Code, Title string
	Count       int
}

// pageData is what the charts are drawn from. Amounts are text: the script makes
// numbers of them for the length of a bar alone.
type pageData struct {
	Lang    string       `json:"lang"`
	Matched []chartPoint `json:"matched"`
	Kinds   []chartPoint `json:"kinds"`
	Hours   []chartHour  `json:"hours"`
	Causes  []chartPoint `json:"causes"`
	Stores  []chartLoss  `json:"stores"`
}

type chartPoint struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Amount string `json:"amount"`
	Count  int64  `json:"count"`
}

type chartHour struct {
	Hour  string `json:"hour"`
	Error int64  `json:"error"`
	Warn  int64  `json:"warn"`
}

type chartLoss struct {
	Name  string `json:"name"`
	Lost  string `json:"lost"`
	Claim string `json:"claim"`
}

// newPage puts the page together.
func newPage(r *engine.Result, o *Options, end Outcome) *page {
	l := o.Lang
	b := pageBuilder{r: r, o: o, l: l, end: end, ran: ResultsOf(r.Parts)}
	p := &page{
		Lang: l.pick("zh-CN", "en"), Title: l.pick("对账报告", "Reconciliation report"), Date: r.Date, Job: o.Job.Name,
		Version: o.Job.Version, Verdict: verdict(r, end, l), Incomplete: end.Incomplete, T: l.pick,
	}
	p.Mood = b.mood()
	b.p = p
	b.cards()
	b.tasks()
	b.causes()
	b.kinds()
	b.sides()
	b.rebates()
	b.checks()
	b.files()
	b.breaks()
	b.charts()
	for _, text := range [...]string{carriedLine(end.Carried, r, l), closedLine(end.Closed, l)} {
		if text != "" {
			p.Days = append(p.Days, text)
		}
	}
	if n := len(r.Rejects); n > 0 {
		p.Rejects = countText(n)
	}
	for _, part := range r.Parts {
		if !part.Ran {
			p.Left = append(p.Left, [2]string{l.part(part.Name), part.Why})
		}
	}
	return p
}

type pageBuilder struct {
	r   *engine.Result
	o   *Options
	l   Lang
	end Outcome
	ran Results
	p   *page
}

// mood is the colour of the run: green, yellow, red.
func (b *pageBuilder) mood() string {
	count, _ := Counted(b.r.Breaks)
	switch {
	case b.end.ExitCode != 0 || b.end.Incomplete:
		return "bad"
	case count > 0 || !b.ran.Trades:
		return "warn"
	}
	return "good"
}

func (b *pageBuilder) cards() {
	l, r := b.l, b.r
	card := func(id, label, value, note, mood string) {
		b.p.Cards = append(b.p.Cards, pageCard{id, label, value, note, mood})
	}
	if b.ran.Trades {
		count, amount := shares(&r.Trades)
		text := func(v [2]rules.Sum, of func(rules.Sum) string) string { return of(v[0]) + " / " + of(v[1]) }
		plain := func(s rules.Sum) string { return thousandsApart(string(s.AppendDecimal(nil, 0, 0))) }
		card("share-count", l.pick("对平率 · 笔数", "Matched by count"), percentOfSum(count[0], count[1]), text(count, plain)+l.pick("（两侧合计）", " (both sides)"), "")
		card("share-amount", l.pick("对平率 · 金额", "Matched by money"), percentOfSum(amount[0], amount[1]), text(amount, fenMoney), "")
	}
	count, stakes := Counted(r.Breaks)
	mood := "good"
	if count > 0 {
		mood = "warn"
	}
	card("breaks", l.pick("待处理差异", "Breaks to look at"), countText(count), l.pick("涉及 ", "at stake ")+money(stakes), mood)
	if b.ran.Rebates {
		lost, claimable := rebateLosses(r)
		both := lost
		both.AddSum(claimable)
		card("losses", l.pick("返佣损失", "Rebate losses"), money(both), l.pick("不可申诉 ", "lost ")+money(lost)+l.pick(" · 可申诉 ", " · claimable ")+money(claimable), "")
	}
	stated, holds := statedControls(r)
	proofs, hold := provenInvariants(r)
	value, mood := l.pick("✔ 全部相符", "✔ all hold"), "good"
	if holds < stated || hold < proofs {
		value, mood = l.pick("✘ 有不符", "✘ some fail"), "bad"
	}
	card("checks", l.pick("自检", "Checks"), value,
		l.pick("守恒 ", "proofs ")+itoa(hold)+"/"+itoa(proofs)+l.pick(" · 控制总额 ", " · control totals ")+itoa(holds)+"/"+itoa(stated), mood)
}

func (b *pageBuilder) causeOf(code rules.BreakCode) *engine.Attribution {
	for i := range b.r.Attributions {
		if b.r.Attributions[i].Code == code {
			return &b.r.Attributions[i]
		}
	}
	return nil
}

// tasks are what to do first: the kinds of break by how grave they are and by
// money, with their cause where it is known.
func (b *pageBuilder) tasks() {
	l := b.l
	for _, t := range rankedBreaks(b.r.Breaks) {
		if !t.severity.Counts() || len(b.p.Do) == pageDo {
			break
		}
		text := l.text(t.code)
		task := pageTask{
			Code: t.code.String(), Title: text.Title, Severity: t.severity.String(), Do: text.Do,
			Figures: l.pick(countText(t.count)+" 条，"+money(t.amount)+" 元", countText(t.count)+" breaks, "+money(t.amount)),
		}
		if a := b.causeOf(t.code); a != nil {
			task.Cause = l.attribution(a, b.r.Date, b.o.Privacy)
		}
		b.p.Do = append(b.p.Do, task)
	}
	if len(b.p.Do) == 0 {
		b.p.DoNone = l.pick("无差异，无需处理。", "No break: nothing to do.")
	}
}

func (b *pageBuilder) causes() {
	l := b.l
	for i := range b.r.Attributions {
		if i == pageCauses {
			b.p.MoreCauses = len(b.r.Attributions) - i
			break
		}
		a := &b.r.Attributions[i]
		b.p.Causes = append(b.p.Causes, pageCause{
			Title: l.text(a.Code).Title, Where: clip(l.segment(a.Segment, b.o.Privacy)), When: l.when(a, b.r.Date),
			Breaks: percent(a.Breaks, a.AllBreaks), Rows: percent(a.Rows, a.AllRows),
			BreakBar: bar(a.Breaks, a.AllBreaks), RowBar: bar(a.Rows, a.AllRows),
			Rest: l.pick(countText(a.Breaks)+" / "+countText(a.AllBreaks)+" 条，"+money(a.Amount)+" / "+money(a.AllAmount)+" 元",
				countText(a.Breaks)+" of "+countText(a.AllBreaks)+" breaks, "+money(a.Amount)+" of "+money(a.AllAmount)),
			Of: pickRows(a, l.pick("交易", "trades"), l.pick("退款", "refunds")),
		})
	}
}

// bar is part of whole for the length of a bar: per cent with one decimal.
func bar(part, whole int64) string {
	if whole <= 0 {
		return "0"
	}
	const perMille = 1000
	tenths := new(big.Int).Mul(big.NewInt(part), big.NewInt(perMille))
	n := tenths.Quo(tenths, big.NewInt(whole)).Int64()
	return itoa(n/10) + "." + itoa(n%10)
}

func (b *pageBuilder) kinds() {
	l := b.l
	for _, t := range rankedBreaks(b.r.Breaks) {
		k := pageKind{
			Code: t.code.String(), Title: l.text(t.code).Title, Severity: t.severity.String(), Word: l.severity(t.severity),
			Count: countText(t.count), Amount: money(t.amount), CountKey: itoa(t.count), AmountKey: t.amount.String6(),
		}
		if a := b.causeOf(t.code); a != nil {
			k.Cause = percent(a.Breaks, a.AllBreaks) + " " + clip(l.segment(a.Segment, b.o.Privacy))
		}
		b.p.Kinds = append(b.p.Kinds, k)
	}
}

func (b *pageBuilder) sides() {
	l, r := b.l, b.r
	for _, side := range []struct {
		name    string
		ran     bool
		tallies *[9]engine.Tally
	}{{l.pick("交易", "Trades"), b.ran.Trades, &r.Trades}, {l.pick("退款", "Refunds"), b.ran.Refunds, &r.Refunds}} {
		if !side.ran {
			continue
		}
		s := pageSide{Name: side.name}
		for _, status := range statusOrder {
			if t := &side.tallies[status]; t.PosCount != 0 || t.BillCount != 0 {
				s.Rows = append(s.Rows, pageStatus{
					status.String(), l.status(status), countText(t.PosCount), fenMoney(t.PosAmount), countText(t.BillCount), fenMoney(t.BillAmount),
				})
			}
		}
		b.p.Sides = append(b.p.Sides, s)
	}
}

func (b *pageBuilder) rebates() {
	if !b.ran.Rebates {
		return
	}
	l, r := b.l, b.r
	lost, claimable := rebateLosses(r)
	p := &pageRebates{Lost: money(lost), Claimable: money(claimable)}
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		if t := &r.Causes[c]; t.Count > 0 {
			p.Causes = append(p.Causes, pageLossCause{
				c.String(), l.cause(c), l.appeal(c.Appeal()), countText(t.Count), money(t.Expected), money(t.Stated), money(t.Loss),
			})
		}
	}
	if r.OutOfScope > 0 {
		p.OutOfScope = countText(r.OutOfScope)
	}
	p.Stores, p.StoresMore = b.losses(r.Losses.Store)
	p.Tills, p.TillsMore = b.losses(r.Losses.Terminal)
	b.p.Rebates = p
}

func (b *pageBuilder) losses(groups []engine.LossGroup) (shown []pageLoss, more int) {
	groups = b.missing(groups)
	for i := range groups {
		if i == pageLosses {
			return shown, len(groups) - i
		}
		g := &groups[i]
		name := g.Key
		if name == "" {
			name = b.l.pick("（空）", "(blank)")
		}
		if g.Parent != "" {
			name = g.Parent + " · " + name
		}
		shown = append(shown, pageLoss{
			clip(name), g.Merchant, countText(g.Count), money(g.Lost), money(g.Claim), wallClock(g.Since, b.r.Date),
		})
	}
	return shown, 0
}

// missing are the groups that miss money, the most first: what was overpaid
// elsewhere in a group makes up for nothing.
func (b *pageBuilder) missing(groups []engine.LossGroup) []engine.LossGroup {
	groups = slices.DeleteFunc(b.o.Privacy.losses(groups), func(g engine.LossGroup) bool { return g.Lost.Sign() <= 0 && g.Claim.Sign() <= 0 })
	both := func(g engine.LossGroup) rules.Sum {
		g.Lost.AddSum(g.Claim)
		return g.Lost
	}
	slices.SortStableFunc(groups, func(x, y engine.LossGroup) int { return both(y).Cmp(both(x)) })
	return groups
}

func (b *pageBuilder) checks() {
	l := b.l
	for _, v := range b.r.Invariants {
		b.p.Checks = append(b.p.Checks, pageCheck{l.invariant(v.Name), v.Left, v.Right, v.Name, v.Holds})
	}
	for _, t := range b.r.Inputs() {
		for _, c := range t.Controls {
			if c.Stated != nil && c.Holds != nil && !*c.Holds {
				b.p.Checks = append(b.p.Checks, pageCheck{
					clip(l.control(c.Name, b.o.Privacy) + l.pick("：文件所列 = 实际（", ": stated = found (") + t.File() + l.pick("）", ")")),
					*c.Stated, c.Found, rules.BreakControlTotal.String(), false,
				})
			}
		}
	}
	slices.SortStableFunc(b.p.Checks, func(a, b pageCheck) int { // what fails first
		return cmp.Compare(strconv.FormatBool(a.Holds), strconv.FormatBool(b.Holds))
	})
	if len(b.p.Checks) > pageTables {
		b.p.Checks = b.p.Checks[:pageTables]
	}
}

func (b *pageBuilder) files() {
	l := b.l
	b.p.FilesAll = len(b.r.Inputs())
	for i, t := range b.r.Inputs() {
		if i == pageTables {
			break
		}
		f := pageFile{
			Name: clip(t.File()), Format: t.Format, Account: t.Account, Rows: countText(t.Rows), Accepted: countText(t.Accepted),
			Rejected: countText(t.Rejected), Controls: l.pick("文件未列", "not stated"),
		}
		if t.Dialect != "" {
			f.Format += " " + t.Dialect
		}
		stated, holds := controlCounts(t)
		switch {
		case stated > 0 && stated == holds:
			f.Controls, f.Mood = l.pick("✔ 相符 ", "✔ hold ")+itoa(holds)+"/"+itoa(stated), "good"
		case stated > 0:
			f.Controls, f.Mood = l.pick("✘ 不符 ", "✘ fail ")+itoa(stated-holds)+"/"+itoa(stated), "bad"
		}
		if t.Refused {
			f.Controls, f.Mood = l.pick("✘ 无法读取", "✘ unreadable"), "bad"
		}
		b.p.Files = append(b.p.Files, f)
	}
}

// breaks are the largest ones: what counts before what informs, then by money.
func (b *pageBuilder) breaks() {
	l, all := b.l, b.r.Breaks
	b.p.BreaksAll = len(all)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		a, c := &all[x], &all[y]
		return cmp.Or(cmp.Compare(a.Severity, c.Severity), stake(c).Cmp(stake(a)))
	})
	counts := map[rules.BreakCode]int{}
	for _, i := range order[:min(pageBreaks, len(order))] {
		x := &all[i]
		text := l.text(x.Code)
		counts[x.Code]++
		br := pageBreak{
			Code: x.Code.String(), Title: text.Title, Severity: x.Severity.String(), Word: l.severity(x.Severity),
			Amount: money(stake(x)), AmountKey: stake(x).String6(), OutTradeNo: clip(x.OutTradeNo), TradeNo: clip(x.TradeNo),
			Store: clip(b.o.Privacy.mobiles(x.Store)), When: wallClock(x.Time, b.r.Date), Detail: clip(detail(x, l, b.o.Privacy)),
			Do: clip(suggestion(x, l)), ID: x.ID(),
		}
		if x.Table >= 0 && int(x.Table) < len(b.r.Inputs()) {
			br.Source = clip(b.r.Tables[x.Table].Source(x.Line))
		}
		if x.Terminal != "" {
			br.Store = clip(br.Store + " · " + b.o.Privacy.mobiles(x.Terminal))
		}
		b.p.Breaks = append(b.p.Breaks, br)
	}
	for _, t := range rankedBreaks(all) {
		if n := counts[t.code]; n > 0 {
			b.p.Codes = append(b.p.Codes, pageCode{t.code.String(), l.text(t.code).Title, n})
		}
	}
	b.p.BreaksNote = b.where()
}

// where says in which outputs all breaks are.
func (b *pageBuilder) where() string {
	var names []string
	f := b.o.Formats
	if f.XLSX {
		names = append(names, workbookName)
	}
	if f.CSV {
		names = append(names, breaksName+".csv")
	}
	if f.Parquet {
		names = append(names, breaksName+".parquet")
	}
	return join(names)
}

// charts are the charts that have something to show.
func (b *pageBuilder) charts() {
	l, d := b.l, &b.p.Data
	d.Lang = b.p.Lang
	add := func(id, title string) { b.p.Charts = append(b.p.Charts, pageChart{id, title}) }
	if b.ran.Trades {
		for _, s := range append(slices.Clone(comparedStatuses), rules.StatusPending) {
			t := &b.r.Trades[s]
			amount, count := t.BillAmount, t.BillCount
			if s == rules.StatusPOSOnly {
				amount, count = t.PosAmount, t.PosCount
			}
			if s == rules.StatusPending {
				amount.AddSum(t.PosAmount)
				count += t.PosCount
			}
			if count > 0 {
				d.Matched = append(d.Matched, chartPoint{l.status(s), s.String(), amount.String2(), count})
			}
		}
	}
	if len(d.Matched) > 0 {
		add("matched", l.pick("对平与差异（金额）", "Matched and not, by money"))
	}
	const most = 10
	for _, t := range rankedBreaks(b.r.Breaks) {
		if t.severity.Counts() && t.amount.Sign() > 0 {
			d.Kinds = append(d.Kinds, chartPoint{l.text(t.code).Title, t.severity.String(), t.amount.String6(), t.count})
		}
	}
	slices.SortStableFunc(d.Kinds, func(a, b chartPoint) int { return compareAmounts(b.Amount, a.Amount) })
	d.Kinds = d.Kinds[:min(most, len(d.Kinds))]
	if len(d.Kinds) > 0 {
		add("kinds", l.pick("各类差异（金额）", "Breaks by kind, by money"))
	}
	if b.hours() {
		add("hours", l.pick("差异的时段（条数）", "Breaks by hour, by count"))
	}
	if !b.ran.Rebates {
		return
	}
	for c := rules.CauseOK; c <= rules.CauseStatementOver; c++ {
		if t := &b.r.Causes[c]; t.Loss.Sign() > 0 && (c.Appeal() == rules.AppealLost || c.Appeal() == rules.AppealClaimable) {
			d.Causes = append(d.Causes, chartPoint{l.cause(c), c.Appeal().String(), t.Loss.String6(), t.Count})
		}
	}
	slices.SortStableFunc(d.Causes, func(a, b chartPoint) int { return compareAmounts(b.Amount, a.Amount) })
	if len(d.Causes) > 0 {
		add("causes", l.pick("返佣损失的原因", "Rebate losses by cause"))
	}
	stores := b.missing(b.r.Losses.Store)
	for i := range stores {
		if g := &stores[i]; i < most {
			d.Stores = append(d.Stores, chartLoss{clip(cmp.Or(g.Key, l.pick("（空）", "(blank)"))), g.Lost.String6(), g.Claim.String6()})
		}
	}
	if len(d.Stores) > 1 {
		add("stores", l.pick("返佣损失的门店（前十）", "Rebate losses by store (top ten)"))
	}
}

// hours counts the breaks of each hour, from the first hour that has one to the
// last.
func (b *pageBuilder) hours() bool {
	var counts [24][2]int64
	first, last := len(counts), -1
	for i := range b.r.Breaks {
		x := &b.r.Breaks[i]
		if x.Time == schema.Null || !x.Severity.Counts() {
			continue
		}
		const hour, day = 3600, 86400
		h := int((x.Time%day + day) % day / hour)
		first, last = min(first, h), max(last, h)
		if x.Severity == rules.SeverityError {
			counts[h][0]++
		} else {
			counts[h][1]++
		}
	}
	for h := first; h <= last; h++ {
		b.p.Data.Hours = append(b.p.Data.Hours, chartHour{itoa(h), counts[h][0], counts[h][1]})
	}
	return last >= 0
}

// compareAmounts compares decimals that are not negative.
func compareAmounts(a, b string) int {
	x, _ := new(big.Rat).SetString(a)
	y, _ := new(big.Rat).SetString(b)
	return x.Cmp(y)
}

// clip keeps a cell short; the tables have it whole.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= pageLetters {
		return s
	}
	return string([]rune(s)[:pageLetters]) + "…"
}
