package loaders

import (
	"context"
	"strings"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The reference tables (contract 3): small, read once, into the registry.

const (
	agreementProvider = iota
	agreementProduct
	agreementRate
	agreementBasis
	agreementFrom
	agreementTo
	agreementScale
	agreementRounding
	agreementCap
)

var agreementColumns = []canonicalColumn{
	agreementProvider: {"provider_pid", "服务商PID", pidCell, required},
	agreementProduct:  {"product", "产品", wordCell, required},
	agreementRate:     {"rate", "费率", numberCell, required},
	agreementBasis:    {"basis", "计算基数", wordCell, !required},
	agreementFrom:     {"effective_from", "生效日期", dayCell, required},
	agreementTo:       {"effective_to", "失效日期", dayCell, !required},
	agreementScale:    {"scale", "小数位数", countCell, !required},
	agreementRounding: {"rounding", "舍入方式", wordCell, !required},
	agreementCap:      {"cap_per_trade", "单笔上限", amountCell, !required},
}

const (
	providerPID = iota
	providerName
	providerPrimary
)

var providerColumns = []canonicalColumn{
	providerPID:     {"provider_pid", "服务商PID", pidCell, required},
	providerName:    {"name", "名称", textCell, !required},
	providerPrimary: {"primary", "主体", wordCell, !required},
}

const (
	merchantPID = iota
	merchantName
	merchantFeeRate
	merchantAccount
	merchantID
)

var merchantColumns = []canonicalColumn{
	merchantPID:     {"merchant_pid", "商户PID", pidCell, required},
	merchantName:    {"name", "商户名称 名称", textCell, !required},
	merchantFeeRate: {"fee_rate", "手续费率", numberCell, !required},
	merchantAccount: {"institution_account", "机构账号", pidCell, !required},
	merchantID:      {"institution_id", "商户识别号", idCell, !required},
}

const (
	storeID = iota
	storeMerchant
	storeReceiving
	storeName
	storeOrderSync
	storeFeeRate
)

var storeColumns = []canonicalColumn{
	storeID:        {"store_id", "门店编号", idCell, required},
	storeMerchant:  {"merchant_pid", "商户PID", pidCell, required},
	storeReceiving: {"receiving_pid", "收款PID", pidCell, !required},
	storeName:      {"name", "门店名称 名称", textCell, !required},
	storeOrderSync: {"order_sync", "订单同步", wordCell, !required},
	storeFeeRate:   {"fee_rate", "手续费率", numberCell, !required},
}

const (
	goodID = iota
	goodName
	goodTagPrice
)

var goodColumns = []canonicalColumn{
	goodID:       {"goods_id", "商品编号", idCell, required},
	goodName:     {"goods_name", "商品名称", textCell, !required},
	goodTagPrice: {"tag_price", "吊牌价", numberCell, !required},
}

// A referenceRow reads the cells of a row of a reference table as the types that
// the registry has.
type referenceRow struct{ canonicalRow }

// A referenceReader reads one kind of row. It gives what to add to the registry,
// which is done if the row has no fault.
type referenceReader func(r *referenceRow) (add func(to *schema.Registry))

// A smallParser reads a reference table. Tables have one such parser each and
// come one after the other, so that the registry is in the order of the inputs.
type smallParser struct {
	referenceRow
	read referenceReader
	n    int
}

// referenceParser gives the parser of a reference table.
func referenceParser(read referenceReader) func(*tableReader, *canonicalHeader) func() rowParser {
	return func(t *tableReader, c *canonicalHeader) func() rowParser {
		return func() rowParser {
			p := &smallParser{referenceRow: referenceRow{newCanonicalRow(t, c, 0)}, read: read}
			p.init()
			return p
		}
	}
}

func (p *smallParser) row(line int32, cells [][]byte, raw []byte) {
	p.n++
	if !p.begin(line, cells, raw) {
		return
	}
	if blankRow(cells) {
		p.skipped++
		return
	}
	if p.fault != rules.CodeColumnCount {
		add := p.read(&p.referenceRow)
		p.missing()
		if p.fault == 0 && p.t.registry != nil {
			add(p.t.registry)
		}
	}
	p.end()
	if p.fault != 0 {
		p.report(schema.Null)
	}
}

func (p *smallParser) flush(ctx context.Context) error {
	p.n = 0
	p.flushCounts()
	return ctx.Err()
}

func (p *smallParser) rows() int { return p.n }

// missing finds required cells that are blank.
func (r *referenceRow) missing() {
	for k := range r.c.spec.columns {
		if r.c.spec.columns[k].required && len(r.value(k)) == 0 {
			r.bad(k, rules.CodeMissingValue)
		}
	}
}

// text is the text of a cell, as its column's type has it.
func (r *referenceRow) text(k int) string {
	if typ := r.c.spec.columns[k].typ; typ == textCell || typ == wordCell {
		text := r.t.text(r.value(k))
		if strings.Contains(text, "\ufffd") {
			if typ == wordCell {
				r.bad(k, rules.CodeEncoding)
			}
			r.fixed |= repairBytes
		}
		return text
	}
	id, _ := r.id(k)
	if r.c.spec.columns[k].typ == pidCell {
		id = trimPID(id)
	}
	return string(id)
}

// pid is a PID; another number is not one of the values that the column takes.
func (r *referenceRow) pid(k int) string {
	pid := r.text(k)
	if pid != "" && !rules.IsPID(pid) {
		r.badAs(k, rules.CodeEnumValue, pidShape(r.t.opt.Lang))
	}
	return pid
}

// product is a product by its own name.
func (r *referenceRow) product(k int) string {
	text := r.text(k)
	if product, ok := productNames[text]; ok {
		return product
	}
	return text
}

// flag is true or false; a blank is false.
func (r *referenceRow) flag(k int) bool {
	switch strings.ToLower(r.text(k)) {
	case "true", "是", "1", "yes", "y":
		return true
	case "", "false", "否", "0", "no", "n":
	default:
		r.badAs(k, rules.CodeEnumValue, oneOfWords(r.t.opt.Lang, "true, 是, false, 否"))
	}
	return false
}

// share is a rate, which is not negative; Null for a blank.
func (r *referenceRow) share(k int) int64 {
	rate := r.rate(k)
	if rate < 0 && rate != schema.Null {
		r.bad(k, rules.CodeNumberSyntax)
	}
	return rate
}

// day is a day, or the given one for a blank.
func (r *referenceRow) day(k int, blank int32) int32 {
	cell := r.value(k)
	if len(cell) == 0 {
		return blank
	}
	if r.numeric(k) {
		if seconds, ok := parseSerial(cell); ok {
			return int32(seconds / secondsPerDay)
		}
	}
	days, ok := parseDay([]byte(r.t.text(cell)))
	if !ok {
		r.bad(k, r.undecodedOr(cell, rules.CodeTimeSyntax))
	}
	return days
}

// kindOf is a word of an enumeration, or the given one for a blank. words are
// those that parse knows, for the message.
func kindOf[T any](r *referenceRow, k int, blank T, parse func(string) (T, bool), words string) T {
	text := r.text(k)
	if text == "" {
		return blank
	}
	kind, ok := parse(text)
	if !ok {
		r.badAs(k, rules.CodeEnumValue, oneOfWords(r.t.opt.Lang, words))
	}
	return kind
}

// The words of the enumerations of an agreement.
const (
	basisWords    = "received, order_amount, buyer_paid"
	roundingWords = "trade, period"
)

// rebateScale is the number of decimals of a rebate if the agreement names none.
const rebateScale = 2

func readAgreement(r *referenceRow) func(*schema.Registry) {
	a := rules.Agreement{
		Provider: r.pid(agreementProvider),
		Product:  r.product(agreementProduct),
		Rate:     rules.Micro(r.share(agreementRate)),
		Basis:    kindOf(r, agreementBasis, rules.BasisReceived, rules.ParseBasis, basisWords),
		From:     r.day(agreementFrom, 0),
		To:       r.day(agreementTo, rules.OpenEnd),
		Scale:    rebateScale,
		Rounding: kindOf(r, agreementRounding, rules.RoundTrade, rules.ParseRounding, roundingWords),
	}
	if a.To < a.From {
		r.bad(agreementTo, rules.CodeTimeSyntax)
	}
	if scale := r.count(agreementScale, 6); scale != schema.Null {
		a.Scale = int(scale)
	}
	if most := r.micro(agreementCap); most != schema.Null {
		a.Cap, a.HasCap = rules.Micro(most), true
		if most < 0 {
			r.bad(agreementCap, rules.CodeAmountRange)
		}
	}
	table, line := r.t.number, r.line
	return func(to *schema.Registry) {
		to.Agreements = append(to.Agreements, a)
		to.Signed.Append(table, line)
	}
}

func readProvider(r *referenceRow) func(*schema.Registry) {
	p := schema.Provider{
		PID:     r.pid(providerPID),
		Name:    r.text(providerName),
		Primary: r.flag(providerPrimary),
	}
	return func(to *schema.Registry) { to.Providers = append(to.Providers, p) }
}

func readMerchant(r *referenceRow) func(*schema.Registry) {
	m := schema.Merchant{
		PID:                r.pid(merchantPID),
		Name:               r.text(merchantName),
		FeeRate:            r.share(merchantFeeRate),
		InstitutionAccount: r.text(merchantAccount),
		InstitutionID:      r.text(merchantID),
	}
	return func(to *schema.Registry) { to.Merchants = append(to.Merchants, m) }
}

func readStore(r *referenceRow) func(*schema.Registry) {
	s := schema.Store{
		ID:        r.text(storeID),
		Merchant:  r.pid(storeMerchant),
		Receiving: r.pid(storeReceiving),
		Name:      r.text(storeName),
		FeeRate:   r.share(storeFeeRate),
	}
	if r.c.has(storeOrderSync) {
		s.OrderSync = schema.SyncOff
		if r.flag(storeOrderSync) {
			s.OrderSync = schema.SyncOn
		}
	}
	return func(to *schema.Registry) { to.Stores = append(to.Stores, s) }
}

func readGood(r *referenceRow) func(*schema.Registry) {
	g := schema.Good{
		ID:       r.text(goodID),
		Name:     r.text(goodName),
		TagPrice: r.micro(goodTagPrice),
	}
	if g.TagPrice < 0 && g.TagPrice != schema.Null {
		r.bad(goodTagPrice, rules.CodeNegativeGoods)
	}
	return func(to *schema.Registry) { to.Goods = append(to.Goods, g) }
}
