package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The products that every audit knows (rules 6).
const (
	faceToFace = "face_to_face"
	huabei     = "huabei_instalment"
)

// fillerName is the goods_name of a filler line (rules 4).
const fillerName = "填充商品"

const daySeconds = 86400

// A plan is a job made ready for the workers: every look-up by word code. It is
// read only, but for the words.
type plan struct {
	job    *Job
	tables []*schema.Table
	places placeOrder
	words  *schema.Words
	hash   func([]byte) uint64
	texts  []string // of the words that the inputs and the registry have

	dayStart, dayEnd int64 // of the business day
	compares         bool  // bills and POS orders are given, so that a single row is a finding
	comparesRefunds  bool  // bills are given
	settles          bool  // shifts are settled: both sides of the trades are given
	hasRefused       bool  // rows of a refused table are left out
	tiesOut          bool  // trade bills and account bills are given

	merchants
	isPID       []bool  // by word
	storeFee    []int64 // by word of a store_id: its rate, or Null
	merchantFee []int64 // by word of a merchant PID, or Null
	tag         []int64 // by word of a goods_id: tag price, or Null
	alipay      uint32
	shifts      []planShift // by start
	filler      uint32
	registries  registryPlan
	coupons     couponPlan

	audit      bool
	book       *rules.PIDBook
	primary    uint32
	faceToFace uint32
	huabei     uint32
	inScope    map[uint32]bool // by product
	coverage   map[coverKey]int64
	covered    map[[3]uint32]bool  // provider, product, period: a statement has a row of it
	before     map[[3]uint32]int32 // of covered: the latest earlier run whose statements covered it too
	perPeriod  map[[2]uint32]bool  // provider, product: an agreement rounds once a period
	byDay      map[[2]uint32]bool  // provider, product: statements by day
	billDays   map[billDay]bool
	aggregated bool                      // some statement row pays a group in one sum
	shares     map[groupKey]*periodGroup // of agreements that round per period
	collecting bool                      // the pass that fills shares

	paid, ordered []Span // when the trades of earlier days were

	billSpans, accountSpans map[uint32]spans // by account: the times that its bills cover
}

// A billDay is a day of a merchant whose bill is in the inputs or in the history;
// merchant 0 is any.
type billDay struct {
	merchant uint32
	day      int32
}

// newPlan looks everything up once. The words must be complete but for those
// that the engine itself adds.
func newPlan(job *Job, s *Store, tables []*schema.Table) (*plan, error) {
	w := s.opt.Words
	p := &plan{
		job: job, tables: tables, places: placesOf(tables), words: w, hash: s.hash,
		compares:        job.given(posOrderKinds...) && job.Inputs[schema.AlipayBill],
		comparesRefunds: job.given(posRefundKinds...) && job.Inputs[schema.AlipayBill],
		audit:           job.Inputs[schema.AgreementsKind] && job.Inputs[schema.AlipayBill],
		coverage:        map[coverKey]int64{},
		covered:         map[[3]uint32]bool{},
		tiesOut:         job.Inputs[schema.AlipayBill] && job.Inputs[schema.AlipayAccount],
		settles:         job.given(posOrderKinds...) && job.Inputs[schema.AlipayBill],
		alipay:          w.Code("alipay"),
		filler:          w.Code(fillerName),
		faceToFace:      w.Code(faceToFace),
		huabei:          w.Code(huabei),
	}
	for key, n := range s.coverage {
		if !tables[key.table].Refused {
			key.table = 0
			p.coverage[key] += n
			p.aggregated = p.aggregated || key.aggregated
			p.covered[[3]uint32{key.provider, key.product, key.period}] = true
		}
	}
	for _, t := range tables {
		p.hasRefused = p.hasRefused || t.Refused
	}
	if job.History != nil {
		p.paid, p.ordered = job.History.Times()
	}
	p.wordRegistry()
	p.planShifts()
	p.texts = w.Texts()
	p.fillTables()
	p.registries = p.newRegistryPlan()
	p.coupons = p.newCouponPlan()
	p.businessDay()
	p.planAccounts()
	if p.audit || job.Guard {
		if err := p.prepareAudit(); err != nil {
			return nil, err
		}
	}
	p.texts = w.Texts()
	return p, nil
}

// wordRegistry makes words of all that the registry says, so that the look-ups
// have a place for it.
func (p *plan) wordRegistry() {
	reg := p.job.Registry
	p.merchants = newMerchants(p.words, reg, p.job.DefaultMerchant)
	for i := range reg.Goods {
		p.words.Code(reg.Goods[i].ID)
	}
	for i := range reg.Coupons {
		p.wordCoupon(&reg.Coupons[i])
	}
	for i := range reg.Providers {
		p.words.Code(reg.Providers[i].PID)
	}
	for i := range reg.Agreements {
		p.words.Code(reg.Agreements[i].Provider)
		p.words.Code(reg.Agreements[i].Product)
	}
}

func (p *plan) fillTables() {
	n := len(p.texts)
	p.isPID = make([]bool, n)
	for code, text := range p.texts {
		p.isPID[code] = rules.IsPID(text)
	}
	p.storeFee, p.merchantFee, p.tag = nulls(n), nulls(n), nulls(n)
	reg := p.job.Registry
	for i := range reg.Merchants {
		m := &reg.Merchants[i]
		pid := p.words.Code(m.PID)
		if p.merchantFee[pid] == schema.Null {
			p.merchantFee[pid] = m.FeeRate
		}
	}
	seen := make([]bool, n)
	for i := range reg.Stores {
		s := &reg.Stores[i]
		if id := p.words.Code(s.ID); !seen[id] {
			seen[id] = s.Merchant != ""
			p.storeFee[id] = s.FeeRate
		}
	}
	for i := range reg.Goods {
		if id := p.words.Code(reg.Goods[i].ID); p.tag[id] == schema.Null {
			p.tag[id] = reg.Goods[i].TagPrice
		}
	}
}

func nulls(n int) []int64 {
	v := make([]int64, n)
	for i := range v {
		v[i] = schema.Null
	}
	return v
}

// businessDay finds the business day: the job's, else the day before the latest
// 终止日期, else the day of the latest bill row (rules 3).
func (p *plan) businessDay() {
	day := p.job.Date
	if day == NoDate {
		latest, row := int64(schema.Null), int64(schema.Null)
		for _, t := range p.tables {
			if t.Kind != schema.AlipayBill || t.Format != "trade_bill" || t.Carried() {
				continue
			}
			latest, row = max(latest, t.To), max(row, t.LastTime)
		}
		switch {
		case latest != schema.Null:
			day = dayOf(latest - 1)
		case row != schema.Null:
			day = dayOf(row)
		}
	}
	if day == NoDate { // no bill: nothing is near a day's end
		p.dayStart, p.dayEnd = schema.Null, schema.Null
		return
	}
	p.dayStart = int64(day) * daySeconds
	p.dayEnd = p.dayStart + daySeconds
}

// date is the business date in words, or "".
func (p *plan) date() string {
	if p.dayStart == schema.Null {
		return ""
	}
	return dayText(dayOf(p.dayStart))
}

func dayOf(seconds int64) int32 {
	day := seconds / daySeconds
	if seconds%daySeconds < 0 {
		day--
	}
	return int32(day)
}

func dayText(day int32) string {
	return time.Unix(int64(day)*daySeconds, 0).UTC().Format(time.DateOnly)
}

func monthText(day int32) string { return dayText(day)[:len("2006-01")] }

func (p *plan) prepareAudit() error {
	reg := p.job.Registry
	var providers, merchants []string
	primary := ""
	for i := range reg.Providers {
		providers = append(providers, reg.Providers[i].PID)
		if reg.Providers[i].Primary {
			primary = reg.Providers[i].PID
		}
	}
	for i := range reg.Merchants {
		merchants = append(merchants, reg.Merchants[i].PID)
	}
	if primary == "" && len(reg.Agreements) > 0 { // the only PID in agreements; the job has checked it
		primary = reg.Agreements[0].Provider
	}
	book, err := rules.NewPIDBook(reg.Agreements, providers, merchants, primary)
	if err != nil {
		return fmt.Errorf("agreements: %w", err)
	}
	p.book, p.primary = book, p.words.Code(primary)
	p.inScope, p.perPeriod = map[uint32]bool{}, map[[2]uint32]bool{}
	for i := range reg.Agreements {
		p.inScope[p.words.Code(reg.Agreements[i].Product)] = true
		if reg.Agreements[i].Rounding != rules.RoundPeriod {
			continue
		}
		p.perPeriod[[2]uint32{p.words.Code(reg.Agreements[i].Provider), p.words.Code(reg.Agreements[i].Product)}] = true
		if p.shares == nil {
			p.shares = map[groupKey]*periodGroup{}
		}
	}
	p.coveredBefore()
	p.byDay = map[[2]uint32]bool{}
	for key := range p.coverage {
		p.inScope[key.product] = true
		if len(p.text(key.period)) == len(time.DateOnly) {
			p.byDay[[2]uint32{key.provider, key.product}] = true
		}
	}
	p.billDays = map[billDay]bool{}
	for _, day := range p.job.HistoryDays {
		p.billDays[billDay{0, day}] = true
	}
	for _, t := range p.tables {
		if t.Kind != schema.AlipayBill || t.Format != "trade_bill" || t.Refused || t.Carried() {
			continue
		}
		from, to := t.From, t.To
		if from == schema.Null || to == schema.Null {
			from, to = t.FirstTime, t.LastTime+1
		}
		if from == schema.Null || to == schema.Null {
			continue
		}
		for day := dayOf(from); day <= dayOf(to-1); day++ {
			p.billDays[billDay{0, day}] = true
		}
	}
	return nil
}

// coveredBefore asks which runs had statements for what today's cover.
func (p *plan) coveredBefore() {
	p.before = map[[3]uint32]int32{}
	if p.job.History == nil {
		return
	}
	for key := range p.covered {
		if date, ok := p.job.History.Covered(p.coverageOf(key)); ok {
			p.before[key] = date
		}
	}
}

func (p *plan) coverageOf(key [3]uint32) Coverage {
	return Coverage{Provider: p.text(key[0]), Product: p.text(key[1]), Period: p.text(key[2])}
}

// coverages are what the run's statements cover, sorted; none if it does not audit.
func (p *plan) coverages() []Coverage {
	if !p.audit {
		return nil
	}
	all := make([]Coverage, 0, len(p.covered))
	for key := range p.covered {
		all = append(all, p.coverageOf(key))
	}
	slices.SortFunc(all, func(a, b Coverage) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), strings.Compare(a.Product, b.Product), strings.Compare(a.Period, b.Period))
	})
	return all
}

// oneSource tells whether lines of two tables may be of one order: those of one
// table, and those of all API logs, for an answer may stand in the next day's.
func (p *plan) oneSource(a, b int32) bool { return p.source(a) == p.source(b) }

// source is a table's number, and -1 for every API log.
func (p *plan) source(table int32) int32 {
	if p.tables[table].Kind == schema.PosAPI {
		return -1
	}
	return table
}

// text is the text of a word.
func (p *plan) text(code uint32) string {
	if int(code) < len(p.texts) {
		return p.texts[code]
	}
	return p.words.Texts()[code]
}

// feeRate is the service fee rate of a trade (rules 7), or Null.
func (p *plan) feeRate(merchant, store uint32) int64 {
	if store >= uint32(len(p.storeFee)) { // a word of an earlier day: no registry has it
		store = 0
	}
	if merchant >= uint32(len(p.merchantFee)) {
		merchant = 0
	}
	if fee := p.storeFee[store]; fee != schema.Null {
		return fee
	}
	if receiving := p.receiving(store); receiving != 0 {
		if fee := p.merchantFee[receiving]; fee != schema.Null {
			return fee
		}
	}
	return p.merchantFee[merchant]
}

// nearEnd: the other side of a row at this time could still come tomorrow.
func (p *plan) nearEnd(t int64) bool {
	return p.dayEnd != schema.Null && t >= p.dayEnd-p.job.CutoffWindow && t < p.dayEnd
}
