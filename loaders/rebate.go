package loaders

import (
	"context"
	"math"
	"path"
	"slices"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Columns of rebate (contract 3), by their place in rebateColumns.
const (
	rebatePeriod = iota
	rebateProvider
	rebateMerchant
	rebateProduct
	rebateTradeNo
	rebateOutTradeNo
	rebateTime
	rebateTradeAmount
	rebateTradeCount
	rebateRate
	rebateAmount
	rebateAdjustment
	rebateRemark
)

var rebateColumns = []canonicalColumn{
	rebatePeriod:      {"period", "账期 commission_ym", wordCell, !required},
	rebateProvider:    {"service_provider_pid", "服务商PID", pidCell, !required},
	rebateMerchant:    {"merchant_pid", "商户PID commission_pin_mch_id", pidCell, !required},
	rebateProduct:     {"product", "产品 commission_site", wordCell, !required},
	rebateTradeNo:     {"trade_no", "支付宝交易号", idCell, !required},
	rebateOutTradeNo:  {"out_trade_no", "商户订单号", idCell, !required},
	rebateTime:        {"trade_time", "交易时间", timeCell, !required},
	rebateTradeAmount: {"trade_amount", "有效交易金额 commission_total_amount", amountCell, !required},
	rebateTradeCount:  {"trade_count", "有效交易笔数 commission_count_amount", countCell, !required},
	rebateRate:        {"rate", "费率 commission_feilv", numberCell, !required},
	rebateAmount:      {"rebate_amount", "返佣金额 commission_settle_amount", numberCell, required},
	rebateAdjustment:  {"adjustment", "调整金额", numberCell, !required},
	rebateRemark:      {"remark", "备注", textCell, !required},
}

// Products by their other names. Any other product is a word of its own.
const (
	faceToFace = "face_to_face"
	huabei     = "huabei_instalment"
)

var productNames = map[string]string{
	"当面付": faceToFace, "支付宝": faceToFace, "alipay": faceToFace, "花呗分期": huabei, "支付宝-花呗分期": huabei,
}

// Rows of a statement that are none of ours, and are counted under these words.
const (
	totalRow  = "total_row"
	wechatRow = "wechat_row"
)

var (
	totalWords  = []string{"合计", "汇总", "总计", "小计"}
	wechatWords = []string{"微信", "wxpay", "wechat"}

	correctionWords = []string{"调账", "调差"}
)

func isWeChat(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(wechatWords, func(word string) bool { return strings.Contains(text, word) })
}

// fitsRebate is the signature of a rebate statement (formats 1.2), its own or a
// foreign one, whose columns the job names.
func fitsRebate(c *canonicalHeader) bool {
	if c.has(rebateAmount) && (c.has(rebateProvider) || c.has(rebatePeriod) || c.has(rebateTradeNo)) {
		return true
	}
	return c.hasCell("返佣比例", "返佣金额", "结算费率") && c.hasCell("商户PID", "商户号")
}

// hasCell tells whether a header cell ends in one of the names: 支付宝返佣金额 and
// 收钱吧商户号 do.
func (c *canonicalHeader) hasCell(names ...string) bool { return c.cellEnding(names...) >= 0 }

// cellEnding is the first header cell that ends in one of the names, -1 for none.
func (c *canonicalHeader) cellEnding(names ...string) int {
	return slices.IndexFunc(c.cells, func(cell string) bool {
		cell = normalHeader(cell)
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(cell, name) })
	})
}

// checkRebate finds the provider missing, where no column and no setting says
// whose statement it is.
func checkRebate(t *tableReader, c *canonicalHeader) (missing []int) {
	if !c.has(rebateProvider) && t.opt.StatementPID == "" && !t.inspected {
		missing = append(missing, rebateProvider)
	}
	return missing
}

// A rebateParser reads rebate statements.
type rebateParser struct {
	canonicalRow
	statements schema.Statements
	provider   uint32 // of a statement without the column, and of its blank cells
	filePeriod uint32 // in the file's name; 0 for none
	faceToFace uint32
	seen       map[uint32]rebateWord // words met in periods, merchants, products and first cells
	tradeNo    []byte                // reused

	number   int   // cell of the merchant's number, -1 for none
	both     int   // cell of the rebates of all channels together, -1 for none
	ofWeChat []int // cells that speak of WeChat alone

	totals, wechat int64 // rows skipped since the last flush
	n              int   // rows since the last flush
}

// A rebateWord is what a word means in each of the places where one can stand.
type rebateWord struct {
	period  uint32 // in its normal form, 0 for none
	product uint32
	pid     bool
	total   bool
	wechat  bool
}

// newRebateParser is the parser of rebate tables.
func newRebateParser(t *tableReader, c *canonicalHeader) func() rowParser {
	return func() rowParser {
		p := &rebateParser{
			canonicalRow: newCanonicalRow(t, c, schema.Payment),
			provider:     t.opt.Words.Code(t.opt.StatementPID),
			filePeriod:   t.opt.Words.Code(periodInName(t.table)),
			faceToFace:   t.opt.Words.Code(faceToFace),
			seen:         map[uint32]rebateWord{},
			number:       c.at[rebateMerchant],
			both:         c.cellEnding("返佣合计"),
		}
		if p.number < 0 {
			p.number = c.cellEnding(numberNames...)
		}
		for i, cell := range c.cells {
			if c.column[i] < 0 && isWeChat(normalHeader(cell)) {
				p.ofWeChat = append(p.ofWeChat, i)
			}
		}
		if t.isXLSX {
			t.rebates = &rebateTotals{hasBoth: p.both >= 0}
		}
		p.init()
		return p
	}
}

// periodInName is the month in the name of a file or member, as in KA返佣202611.xlsx;
// "" for none.
func periodInName(t *schema.Table) string {
	for _, name := range []string{t.Member, path.Base(t.Path)} {
		_, rest, ok := strings.Cut(name, "返佣")
		if !ok {
			continue
		}
		digits := strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' })
		if digits < 0 {
			continue
		}
		rest = rest[digits:]
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(rest)
		}
		if end != len("202611") {
			continue
		}
		if period, ok := normalPeriod(rest[:end]); ok {
			return period
		}
	}
	return ""
}

func (p *rebateParser) rows() int { return p.n }

func (p *rebateParser) flush(ctx context.Context) error {
	p.skipped += p.totals + p.wechat
	p.flushCounts()
	p.t.repair(totalRow, p.totals)
	p.t.repair(wechatRow, p.wechat)
	p.totals, p.wechat, p.n = 0, 0, 0
	err := p.t.send(ctx, &p.statements, nil)
	schema.Reset(&p.statements)
	return err
}

// row reads one row: every column first, because the leftmost fault is the one
// that is reported, and then the row into the batch.
func (p *rebateParser) row(line int32, cells [][]byte, raw []byte) {
	p.n++
	if !p.begin(line, cells, raw) || p.skips() {
		return
	}
	if p.fault == rules.CodeColumnCount {
		p.report(schema.Null)
		return
	}
	r := &p.canonicalRow
	period, product := p.period(), p.product()
	provider, _ := r.idWord(rebateProvider)
	if provider == 0 {
		provider = p.provider
	}
	merchant := p.merchant()
	id, _ := r.id(rebateTradeNo)
	p.tradeNo = append(p.tradeNo[:0], id...)
	outTradeNo, _ := r.id(rebateOutTradeNo)
	time, rate := r.time(rebateTime), r.rate(rebateRate)
	tradeAmount, tradeCount := r.amount(rebateTradeAmount), r.count(rebateTradeCount, math.MaxInt64)
	rebate, adjustment := p.money(rebateAmount), p.money(rebateAdjustment)
	if rebate == schema.Null && len(r.value(rebateAmount)) == 0 {
		r.bad(rebateAmount, rules.CodeMissingValue)
	}
	if rebate != schema.Null && adjustment == schema.Null && p.corrects() {
		rebate, adjustment = 0, rebate
		tradeAmount, tradeCount, rate = schema.Null, schema.Null, schema.Null
	}
	if adjustment == schema.Null {
		adjustment = 0
	}
	if rebate != schema.Null {
		p.sum(rebate + adjustment)
	}
	p.end()
	if p.fault != 0 {
		p.report(schema.Null)
		return
	}
	s := &p.statements
	s.Table = append(s.Table, p.t.number)
	s.Line = append(s.Line, line)
	s.Period = append(s.Period, period)
	s.Provider = append(s.Provider, provider)
	s.Merchant = append(s.Merchant, merchant)
	s.Product = append(s.Product, product)
	s.TradeNo.Append(p.tradeNo)
	s.OutTradeNo.Append(outTradeNo)
	s.Time = append(s.Time, time)
	s.TradeAmount = append(s.TradeAmount, tradeAmount)
	s.TradeCount = append(s.TradeCount, tradeCount)
	s.Rate = append(s.Rate, rate)
	s.Rebate = append(s.Rebate, rebate)
	s.Adjustment = append(s.Adjustment, adjustment)
}

// skips tells whether the row is none of the statement's: blank, a total, or
// WeChat's. It counts them.
func (p *rebateParser) skips() bool {
	first := p.firstCell()
	switch {
	case first == nil:
		p.skipped++
	case first[0] >= 0x80 && p.wordOf(first).total || strings.EqualFold(string(first), "total") || p.totalBehind():
		p.totals++
	case p.wordOf(p.value(rebateProduct)).wechat, p.wechatAlone():
		p.wechat++
		p.sum(0)
	default:
		return false
	}
	return true
}

// totalBehind: a row about no trade and no merchant says in one of its texts that it
// is a total, as the last of a brand may.
func (p *rebateParser) totalBehind() bool {
	number := p.cellAt(p.number)
	if len(p.value(rebateTradeNo)) > 0 || len(p.value(rebateOutTradeNo)) > 0 || len(number) > 0 && number[0] < 0x80 {
		return false
	}
	remark := p.at[rebateRemark]
	for i, cell := range p.cells {
		if cell = trimCell(cell); i != remark && len(cell) > 0 && cell[0] >= 0x80 && isTotal(p.t.text(cell)) {
			return true
		}
	}
	return false
}

// wechatAlone: the row has nothing of Alipay's, and something of WeChat's.
func (p *rebateParser) wechatAlone() bool {
	if len(p.ofWeChat) == 0 || len(p.value(rebateAmount)) > 0 || len(p.value(rebateTradeAmount)) > 0 {
		return false
	}
	return slices.ContainsFunc(p.ofWeChat, func(i int) bool { return len(p.cellAt(i)) > 0 })
}

func (p *rebateParser) cellAt(i int) []byte {
	if i < 0 || i >= len(p.cells) {
		return nil
	}
	return trimCell(p.cells[i])
}

// sum adds a row of a workbook to its merchant number, for the summary to be compared
// with. It does not matter whether the row is accepted.
func (p *rebateParser) sum(rebate int64) {
	if p.t.rebates == nil {
		return
	}
	both, err := rules.ParseMicro(shortDecimal(p.cellAt(p.both)))
	if err != nil {
		both = rules.Micro(rebate)
	}
	number, _, _ := checkID(p.cellAt(p.number), false)
	p.t.rebates.add(string(number), rebate, int64(both))
}

// firstCell is the first cell that is not blank, or nil.
func (p *rebateParser) firstCell() []byte {
	for _, cell := range p.cells {
		if cell = trimCell(cell); len(cell) > 0 {
			return cell
		}
	}
	return nil
}

// wordOf is what a text means.
func (p *rebateParser) wordOf(text []byte) rebateWord {
	if len(text) == 0 {
		return rebateWord{product: p.faceToFace}
	}
	word, _ := p.code(text)
	meaning, ok := p.seen[word]
	if !ok {
		meaning = p.meaning(word)
		p.seen[word] = meaning
	}
	return meaning
}

// meaning looks at a word that was not met before.
func (p *rebateParser) meaning(word uint32) rebateWord {
	words := p.t.opt.Words
	text := words.Texts()[word]
	w := rebateWord{product: word, pid: rules.IsPID(text)}
	if period, ok := normalPeriod(text); ok {
		w.period = words.Code(period)
	}
	if product, ok := productNames[text]; ok {
		w.product = words.Code(product)
	}
	starts := func(prefix string) bool { return strings.HasPrefix(strings.ToLower(text), prefix) }
	w.total = isTotal(text)
	w.wechat = slices.ContainsFunc(wechatWords, starts)
	return w
}

// period is the period in its normal form, 0 for a blank or a fault.
func (p *rebateParser) period() uint32 {
	cell := p.value(rebatePeriod)
	if len(cell) == 0 {
		return p.filePeriod
	}
	if p.numeric(rebatePeriod) && len(cell) == 5 { // a day, as Excel counts them
		if seconds, ok := parseSerial(cell); ok {
			return p.t.opt.Words.Code(string(appendDay(nil, int32(seconds/secondsPerDay))))
		}
	}
	period := p.wordOf(cell).period
	if period == 0 {
		p.badAs(rebatePeriod, p.undecodedOr(cell, rules.CodeTimeSyntax), say(p.t.opt.Lang,
			"「"+p.c.name(rebatePeriod)+"」应为 2026-11 或 2026-11-20", p.c.name(rebatePeriod)+" takes 2026-11 or 2026-11-20"))
	}
	return period
}

// product is the product's word: face_to_face for a blank.
func (p *rebateParser) product() uint32 {
	cell := p.value(rebateProduct)
	if !p.t.valid(cell) {
		p.bad(rebateProduct, rules.CodeEncoding)
	}
	return p.wordOf(cell).product
}

// merchant is the merchant's word. A number that is no PID is not guessed at.
func (p *rebateParser) merchant() uint32 {
	word, ok := p.idWord(rebateMerchant)
	if ok && word != 0 && !p.t.inspected && !p.wordOf(trimPID(p.value(rebateMerchant))).pid {
		p.badAs(rebateMerchant, rules.CodeMerchantUnknown, pidShape(p.t.opt.Lang))
	}
	return word
}

// corrects: the remark says that the row puts an earlier period right (formats 6). Its
// amount is an adjustment, which has no terms of its own.
func (p *rebateParser) corrects() bool {
	remark := p.value(rebateRemark)
	if len(remark) == 0 {
		return false
	}
	text := p.t.text(remark)
	return slices.ContainsFunc(correctionWords, func(word string) bool { return strings.Contains(text, word) })
}

// money is an amount with up to six decimals, or Null for a blank or a fault.
func (p *rebateParser) money(k int) int64 {
	return number(&p.canonicalRow, k, rules.ParseMicro, rules.CodeOf)
}

// normalPeriod is a month as 2026-11 or a day as 2026-11-20, from what statements
// have: also 202611, 20261120, 2026/11, 2026.11, 2026年11月.
func normalPeriod(text string) (string, bool) {
	text = plainPeriod(text)
	if days, ok := parseDay([]byte(text)); ok {
		return string(appendDay(nil, days)), true
	}
	days, ok := parseDay([]byte(text + "-1"))
	return string(appendMonth(nil, days)), ok
}

// periodDay is the first day of a period in any form that normalPeriod knows.
func periodDay(text string) (int32, bool) {
	text = plainPeriod(text)
	if days, ok := parseDay([]byte(text)); ok {
		return days, true
	}
	return parseDay([]byte(text + "-1"))
}

// plainPeriod writes a period with hyphens.
func plainPeriod(text string) string {
	text = strings.NewReplacer(".", "-", "/", "-", "年", "-", "月", "-", "日", "").Replace(text)
	text = strings.TrimSuffix(text, "-")
	if b := []byte(text); digitsOnly(b) {
		switch len(b) {
		case 6:
			text = text[:4] + "-" + text[4:]
		case 8:
			text = text[:4] + "-" + text[4:6] + "-" + text[6:]
		}
	}
	return text
}
