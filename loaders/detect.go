package loaders

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"duizhang/engine/schema"
)

// headerLines is how far down a header may stand (formats 1.2).
const headerLines = 60

// A signature knows a format by its header: every one of cells must be there, by
// one of its names, and none of without. Signatures are tried in this order, before
// the canonical tables.
type signature struct {
	format  *format
	cells   [][]string
	without string
}

// The formats that are not canonical, in the order in which signatures win.
var (
	tradeBill      = &format{name: "trade_bill", kind: schema.AlipayBill, open: openTradeBill}
	tradeSummary   = &format{name: "trade_summary", kind: schema.AlipayBill, open: openTradeSummary}
	accountBill    = &format{name: "account_bill", kind: schema.AlipayAccount, open: openAccountBill}
	accountSummary = &format{name: "account_summary", kind: schema.AlipayAccount, open: openAccountSummary}
	fundFlow       = &format{name: "fund_flow", kind: schema.AlipayAccount, open: openAccountBill}
	taobaoOrders   = &format{name: "taobao_orders", kind: schema.TaobaoOrders, multiline: true, open: openTaobao}
	taobaoTrades   = &format{name: "taobao_orders", kind: schema.TaobaoOrders, open: openTaobaoTrades}
	kukeduoOrders  = &format{name: "kukeduo_orders", kind: schema.KukeduoOrders, multiline: true, open: openKukeduo}
	alipayPersonal = &format{name: "alipay_personal", open: openCounted}
	wechatBill     = &format{name: "wechat_bill", open: openCounted}
	wechatFund     = &format{name: "wechat_fund", open: openCounted}
	wechatPersonal = &format{name: "wechat_personal", multiline: true, open: openCounted}
	taobaoItems    = &format{name: "taobao_items", multiline: true, open: openCounted}
	pinduoduoBill  = &format{name: "pinduoduo_bill", open: openCounted}
	posAPI         = &format{name: "pos_api", kind: schema.PosAPI, open: openAPI}
)

// formats are the canonical tables, after all that has a signature.
var formats = canonicalFormats()

var signatures = []signature{
	{format: tradeBill, cells: [][]string{{"支付宝交易号", "银联交易号"}, {"业务类型"}, {"商家实收", "交易金额"}}},
	{format: tradeSummary, cells: [][]string{{"门店编号"}, {"交易订单总笔数"}, {"退款订单总笔数"}}},
	{format: accountBill, cells: [][]string{{"账务流水号"}, {"收入金额"}}},
	{format: accountSummary, cells: [][]string{{"类型"}, {"收入笔数"}, {"支出笔数"}}},
	{format: fundFlow, cells: [][]string{{"入账时间"}, {"账务类型"}, {"收入"}, {"支出"}, {"支付宝流水号"}}},
	{format: taobaoOrders, cells: [][]string{{"订单编号"}, {"买家应付货款"}}},
	{format: kukeduoOrders, cells: [][]string{{"订单编号"}, {"订单子类型"}, {"储值抵扣"}, {"应付金额"}}},
	{format: rebateFormat(), cells: [][]string{
		{"返佣金额", "rebate_amount"},
		{"服务商PID", "service_provider_pid", "账期", "period", "支付宝交易号", "trade_no"},
	}},
	{format: rebateFormat(), cells: [][]string{{"返佣比例", "返佣金额", "结算费率"}, {"商户PID", "商户号"}}},
	{format: alipayPersonal, cells: [][]string{{"交易号"}, {"商家订单号"}, {"资金状态"}}},
	{format: alipayPersonal, cells: [][]string{{"交易订单号"}, {"商家订单号"}, {"收/支"}}},
	{format: wechatBill, cells: [][]string{{"交易时间"}, {"公众账号ID"}, {"微信订单号"}}},
	{format: wechatFund, cells: [][]string{{"记账时间"}, {"资金流水单号"}}},
	{format: wechatPersonal, cells: [][]string{{"交易单号"}, {"商户单号"}, {"当前状态"}}},
	{format: taobaoItems, cells: [][]string{{"订单编号"}, {"标题"}, {"购买数量"}, {"外部系统编号"}}},
	{format: pinduoduoBill, cells: [][]string{{"商户订单号"}, {"收入金额"}, {"账务类型"}}, without: "账务流水号"},
}

func rebateFormat() *format {
	for i := range formats {
		if formats[i].kind == schema.Rebate {
			return &formats[i]
		}
	}
	panic("loaders: no rebate format")
}

// titles are the words of title lines, which confirm what the header says.
var titles = []struct {
	words  string
	format *format
}{
	{"支付宝业务明细查询", tradeBill},
	{"支付宝业务汇总查询", tradeSummary},
	{"支付宝账务明细查询", accountBill},
	{"支付宝账务汇总查询", accountSummary},
	{"支付宝交易记录明细查询", alipayPersonal},
	{"电子客户回单", alipayPersonal},
	{"微信支付账单明细", wechatPersonal},
	{"拼多多店铺账务明细查询", pinduoduoBill},
}

// fits tells whether a header has the signature.
func (s *signature) fits(names map[string]bool) bool {
	for _, cell := range s.cells {
		if !slices.ContainsFunc(cell, func(name string) bool { return names[name] }) {
			return false
		}
	}
	return s.without == "" || !names[s.without]
}

// A detection is what a head of a table says of it.
type detection struct {
	format    *format  // nil where nothing is known
	line      int32    // of the header, from 1
	header    []string // its cells as written, without the first if it is empty
	padding   int      // empty cells at its end, which header does not have
	dropFirst bool
	comma     byte
}

// detect finds the first row within the first lines whose cells hold the
// signature of a format. kind prefers among the canonical tables.
func detect(rows [][]string, comma byte, kind schema.InputKind, opt *Options) detection {
	for i, cells := range rows {
		if d := detectRow(cells, i, comma, kind, opt); d.format != nil {
			return d
		}
	}
	return detection{}
}

// detectRow looks at one row, counted from 0.
func detectRow(cells []string, i int, comma byte, kind schema.InputKind, opt *Options) detection {
	header, padding, dropFirst := headerCells(cells)
	if len(header) == 1 && strings.HasPrefix(header[0], "#") { // a line of a preamble
		return detection{}
	}
	if f := formatOf(header, kind, opt); f != nil {
		return detection{f, int32(i + 1), header, padding, dropFirst, comma}
	}
	return detection{}
}

// headerCells are the cells of a row that may be a header.
func headerCells(cells []string) (header []string, padding int, dropFirst bool) {
	for len(cells) > 0 && normalHeader(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
		padding++
	}
	if len(cells) > 1 && normalHeader(cells[0]) == "" {
		return cells[1:], padding, true
	}
	return cells, padding, false
}

// formatOf is the format whose signature a header has, or nil.
func formatOf(header []string, kind schema.InputKind, opt *Options) *format {
	names := make(map[string]bool, len(header))
	for _, name := range sourceNames(header, kind, opt) {
		names[name] = true
	}
	for i := range signatures {
		if signatures[i].fits(names) {
			return signatures[i].format
		}
	}
	return formatFor(canonicalFor(header, kind, opt))
}

// isCanonical tells the product's own tables.
func isCanonical(f *format) bool {
	return slices.ContainsFunc(formats, func(c format) bool { return c.name == f.name })
}

// formatFor is the format of a canonical table.
func formatFor(spec *canonicalSpec) *format {
	for i := range canonicalSpecs {
		if spec == &canonicalSpecs[i] {
			return &formats[i]
		}
	}
	return nil
}

// headerName is a header cell as signatures name it: without the backtick that
// some exports put before every value.
func headerName(cell string) string {
	return normalHeader(strings.TrimLeft(trimHeader(cell), "`'"))
}

// sourceNames are the cells of a header as the formats name them: those that the job
// gives to a column of the kind by the column's name. As in the canonical tables, such
// a name goes before the built-in one, which is unknown where both occur.
func sourceNames(header []string, kind schema.InputKind, opt *Options) []string {
	names := make([]string, len(header))
	for i, cell := range header {
		names[i] = headerName(cell)
	}
	columns := opt.Columns[kind]
	if len(columns) == 0 || specOf(kind) != nil {
		return names
	}
	columnOf, given := map[string]string{}, map[string]bool{}
	for column, extra := range columns {
		for _, name := range extra {
			columnOf[headerName(name)] = column
			given[column] = given[column] || slices.Contains(names, headerName(name))
		}
	}
	for i, name := range names {
		switch column, ok := columnOf[name]; {
		case ok:
			names[i] = column
		case given[name]:
			names[i] = "\x00" + name
		}
	}
	return names
}

// A head is the beginning of a table.
type head struct {
	lines []string   // decoded so far; a row of a sheet has its cells joined by commas
	rows  [][]string // of a sheet
	data  []byte     // of a text
	rest  []byte     // of it what is not decoded yet
	text  func([]byte) string
}

// has tells whether the head has a line of that number, from 0, and decodes as far
// as that: most headers stand in the first lines.
func (h *head) has(i int) bool {
	for len(h.lines) <= i && len(h.lines) < headerLines && len(h.rest) > 0 {
		line, rest, _ := bytes.Cut(h.rest, []byte{'\n'})
		h.lines = append(h.lines, h.text(bytes.TrimSuffix(line, []byte{'\r'})))
		h.rest = rest
	}
	return i < len(h.lines)
}

// all are the lines, all decoded.
func (h *head) all() []string {
	h.has(headerLines)
	return h.lines
}

// cells are the cells of a line, from 0.
func (h *head) cells(i int) []string {
	if h.rows != nil {
		return slices.Clone(h.rows[i])
	}
	return splitText(h.lines[i], ',')
}

// headSize is how much of a table is looked at to find its header.
const headSize = 1 << 20

const headBuffer = longHead

var headPool = sync.Pool{New: func() any {
	buf := make([]byte, 0, headBuffer)
	return &buf
}}

// giveHead gives the buffer of a head back, unless long lines made it grow.
func giveHead(buf []byte) {
	if cap(buf) == headBuffer {
		headPool.Put(&buf)
	}
}

// shortHead is mostly enough of a bill to see its header: a head to begin with,
// because what is looked at is unpacked twice.
const shortHead = 20 << 10

// longHead is enough to decide the charset.
const longHead = sniffSize + 4096

// readHead reads the first lines of a table: at least the block that decides its
// charset, at most headSize. Of first bytes, if they are less, it is content where more
// would say nothing else of the charset: bytes that are no UTF-8 remain so. The caller
// gives the buffer back.
func readHead(src io.Reader, first int) (data []byte, whole bool, err error) {
	data = (*headPool.Get().(*[]byte))[:0]
	for {
		size := len(data) + longHead
		switch {
		case len(data) == 0:
			size = first
		case len(data) < sniffSize:
			size = longHead
		}
		data, err = fill(src, data, size)
		if errors.Is(err, io.EOF) {
			return data, true, nil
		}
		if err != nil {
			return data, false, err
		}
		if len(data) < sniffSize && charsetOf(data[:bytes.LastIndexByte(data, '\n')+1]) != charsetGB18030 {
			continue
		}
		if len(data) >= headSize || bytes.Count(data, []byte{'\n'}) > headerLines {
			return data, false, nil
		}
	}
}

// probeTable reads the head of a table, decides what the table is, and opens its
// format.
func (r *run) probeTable(t *tableRun) {
	if t.isXLSX {
		r.probeSheet(t)
		return
	}
	if !r.probeHead(t, shortHead) {
		r.probeHead(t, longHead)
	}
}

// probeHead is probeTable of a head that begins with first bytes. A short one may not
// say what the table is: then done is false.
func (r *run) probeHead(t *tableRun, first int) (done bool) {
	data, whole, err := t.readHead(first)
	defer giveHead(data)
	if err != nil {
		t.fail(openError(t.table, err, r.opt.Lang))
		return true
	}
	if whole && len(data) <= keptWhole {
		t.whole = bytes.Clone(data)
	}
	if text, ok := utf16Text(data); ok {
		t.charset.state.Store(charsetUTF8)
		t.otherText(text, say(r.opt.Lang, "文件是 UTF-16 编码，请另存为 UTF-8 或 GBK 的 CSV",
			"the file is in UTF-16; save it as a CSV in UTF-8 or GBK"))
		return true
	}
	if rest, ok := bytes.CutPrefix(data, []byte(utf8BOM)); ok {
		data, t.bom = rest, true
		t.charset.state.Store(charsetUTF8)
	} else {
		t.charset.decide(sniffBlock(data))
	}
	if endsInCR(data) {
		t.otherText(bytes.ReplaceAll(data, []byte{'\r'}, []byte{'\n'}), say(r.opt.Lang,
			"行结束符是 CR（旧 Mac 格式），请另存为 CRLF 或 LF",
			"its lines end in CR (old Mac text); save it with CRLF or LF"))
		return true
	}
	t.encodingKnown = len(data) > 0 && t.valid(sniffBlock(data))
	h := head{data: data, rest: data, text: t.text}
	if !whole {
		h.rest = data[:bytes.LastIndexByte(data, '\n')+1]
	}
	found := t.detectText(&h)
	if found.format == nil && first < longHead && !whole {
		return false
	}
	r.openTable(t, &h, found)
	return true
}

// keptWhole is the size up to which a table that was read to its end to see what it
// is need not be read again: the totals in a bill's archive.
const keptWhole = 4 << 10

func (t *tableRun) readHead(first int) ([]byte, bool, error) {
	src, err := openMember(t.file.Path, t.member, nil)
	if err != nil {
		return nil, false, err
	}
	defer src.Close()
	data, whole, err := readHead(src, first)
	if err == nil && t.member.kind != plainFile && (isZip(data) || isGzip(data)) {
		err = errNested
	}
	return data, whole, err
}

// detectText detects a table of lines: with commas, else with tabs, else as
// JSON.
func (t *tableRun) detectText(h *head) detection {
	for _, comma := range []byte{',', '\t'} {
		for i := 0; h.has(i); i++ {
			if loneNote(h.lines[i], comma) {
				continue
			}
			if d := detectRow(splitText(h.lines[i], comma), i, comma, t.kind, t.opt); d.format != nil {
				return d
			}
		}
	}
	return detectJSON(h.lines, h.data, t.kind)
}

// loneNote tells a line of a preamble, # and one cell, without cutting it.
func loneNote(line string, comma byte) bool {
	return len(line) > 0 && line[0] == '#' && strings.IndexByte(line, comma) < 0
}

// splitText splits a decoded line.
func splitText(line string, comma byte) []string {
	cells, _, ok := splitQuoted(nil, nil, []byte(line), comma)
	if !ok {
		cells = bytes.Split([]byte(line), []byte{comma})
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = string(cell)
	}
	return texts
}

// detectJSON knows API messages: JSON, JSON in strings, or form bodies, a line
// each. Given under the kind, JSON is taken for what the kind is.
func detectJSON(lines []string, data []byte, given schema.InputKind) detection {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return detection{}
	}
	if data[0] != '{' && data[0] != '[' && data[0] != '"' {
		first := slices.IndexFunc(lines, func(line string) bool { return strings.TrimSpace(line) != "" })
		if first >= 0 && wholeForm(strings.TrimSpace(lines[first])) || slices.ContainsFunc(lines, isLogged) {
			return detection{format: posAPI, comma: '\n'}
		}
		return detection{}
	}
	for _, known := range []struct {
		words  string
		format *format
	}{
		{"trades_sold_get_response", taobaoTrades},
		{"trades_sold_increment_get_response", taobaoTrades},
		{"alipay_trade_", posAPI},
		{"alipay.trade.", posAPI},
		{"out_trade_no", posAPI},
		{"outTradeNo", posAPI},
	} {
		if bytes.Contains(data, []byte(known.words)) && (data[0] != '"' || known.format == posAPI) {
			return detection{format: known.format, comma: '\n'}
		}
	}
	if data[0] != '"' && given == schema.PosAPI || slices.ContainsFunc(lines, isLogged) {
		return detection{format: posAPI, comma: '\n'}
	}
	return detection{}
}

// isLogged tells a line of an application's log that has a message of Alipay's.
func isLogged(line string) bool {
	if !strings.Contains(line, "alipay") && !strings.Contains(line, "out_trade_no") && !strings.Contains(line, "outTradeNo") {
		return false
	}
	_, ok := readLogged(line)
	return ok
}

// openTable takes what was detected, or refuses the table.
func (r *run) openTable(t *tableRun, h *head, d detection) {
	pre := readPreamble(h.lines[:min(len(h.lines), max(int(d.line)-1, 0))])
	if d.format == nil || isCanonical(d.format) && pre.titled != nil {
		// A bill's title over a table that is none: a column is missing.
		pre = readPreamble(h.all())
		if d = t.likelyHeader(h, pre); d.format == nil {
			t.unrecognised(h)
			return
		}
	}
	t.known, t.comma, t.columns, t.multiline = d.format, d.comma, len(d.header), d.format.multiline
	t.padding, t.dropFirst, t.headerLine = d.padding, d.dropFirst, d.line
	if t.kind != 0 && d.format.kind != t.kind {
		t.wrongKind(d)
		return
	}
	t.table.Kind, t.formatName = d.format.kind, d.format.name
	t.table.Account, t.table.From, t.table.To = pre.account, pre.from, pre.to
	t.bill = newBillTable(pre)
	t.firstRows = make([]string, 0, r.maxRows)
	newParser, err := d.format.open(t.tableReader, d.header)
	if err != nil {
		t.fail(t.placed(err, d.line))
		return
	}
	t.table.Format, t.newParser = d.format.name, newParser
	t.document = t.document || d.format == posAPI && spansLines(h.lines)
	t.repair("excel_padding", pre.padded)
	if pre.account == "" && pre.blank > 0 {
		t.problem(schema.Problem{
			Code: "account_missing", Line: int(pre.blank),
			Message: say(r.opt.Lang, "账号为空", "the account is blank"),
		})
	}
	if pre.titled != nil && pre.titled != d.format {
		t.problem(schema.Problem{
			Code: "title_mismatch", Line: int(pre.titleLine), Value: pre.title,
			Message: say(r.opt.Lang, "标题行是"+formatWords(pre.titled, "zh")+"，表头是"+formatWords(d.format, "zh")+"，以表头为准",
				"the title is that of "+formatWords(pre.titled, "en")+", the header that of "+formatWords(d.format, "en")+"; the header counts"),
		})
	}
}

// placed is the error that open gave, with the header's line.
func (t *tableRun) placed(err error, line int32) *FileError {
	if e, ok := errors.AsType[*FileError](err); ok {
		if e.Pos.File == "" {
			e.Pos.File = t.table.File()
		}
		if e.Pos.Line == 0 {
			e.Pos.Line = int(line)
		}
		if e.Lang == "" {
			e.Lang = t.opt.Lang
		}
		return e
	}
	return &FileError{Code: "unreadable", Pos: schema.Pos{File: t.table.File(), Line: int(line)}, Detail: err.Error(), Lang: t.opt.Lang}
}

// likelyHeader is the row that must be the header of a table that has no
// signature: the one after the list's start line of a titled bill, or the first that
// looks like the kind it was given under. Its format then says which columns are
// missing.
func (t *tableRun) likelyHeader(h *head, pre preamble) detection {
	if pre.titled != nil && pre.listLine > 0 && int(pre.listLine) < len(h.all()) {
		header, padding, dropFirst := headerCells(h.cells(int(pre.listLine)))
		if len(header) > 3 {
			return detection{pre.titled, pre.listLine + 1, header, padding, dropFirst, ','}
		}
	}
	for i := range h.all() {
		header, padding, dropFirst := headerCells(h.cells(i))
		if f := formatFor(canonicalNear(header, t.kind, t.opt)); f != nil {
			return detection{f, int32(i + 1), header, padding, dropFirst, ','}
		}
	}
	return detection{}
}

// unrecognised refuses a table of no known format and shows its first lines. In
// an archive it is only listed, as long as another member is known.
func (t *tableRun) unrecognised(h *head) {
	if err := t.tooLarge(); err != nil {
		t.fail(openError(t.table, err, t.opt.Lang))
		return
	}
	e := &FileError{Code: "unrecognised", Pos: schema.Pos{File: t.table.File()}, Lang: t.opt.Lang, Lines: firstLines(h.all())}
	switch {
	case len(e.Lines) > 0:
		e.Advice = t.nearKinds(h)
	case len(bytes.TrimSpace(h.data)) > 0:
		e.Detail = say(t.opt.Lang, "第一行超过 1 MiB，不是表格", "the first line is longer than 1 MiB: no table")
	default:
		e.Detail = say(t.opt.Lang, "文件是空的", "the file is empty")
	}
	t.fail(e)
	t.stranger = t.inArchive()
}

// firstLines are up to three lines that are not blank, as far as they are shown.
func firstLines(lines []string) (shown []string) {
	for _, line := range lines {
		if len(shown) == 3 {
			break
		}
		if strings.TrimSpace(line) != "" {
			shown = append(shown, shortText(line, 120))
		}
	}
	return shown
}

// inArchive tells a table that others stand beside.
func (t *tableRun) inArchive() bool { return t.member.kind == zipFile || t.member.kind == xlsxFile }

// tooLarge looks whether a gzip of no known header is one that is made to unpack
// to very much, which it does not say itself.
func (t *tableRun) tooLarge() error {
	if t.member.kind != gzipFile {
		return nil
	}
	src, err := openMember(t.file.Path, t.member, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	if _, err := io.CopyN(io.Discard, src, freeSize+1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// otherText refuses a text that is written in a way that is not read: detail says
// in which. In an archive it is listed like any other text, if it is no table.
func (t *tableRun) otherText(text []byte, detail string) {
	h := head{data: text, rest: text, text: t.text}
	e := &FileError{Code: "unreadable", Pos: schema.Pos{File: t.table.File()}, Detail: detail, Lang: t.opt.Lang}
	if t.inArchive() && t.detectText(&h).format == nil {
		e.Code, t.stranger = "unrecognised", true
	}
	t.fail(e)
}

// shortText cuts a text to n characters.
func shortText(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n]) + "…"
}

// wrongKind refuses a table whose format its input kind does not take.
func (t *tableRun) wrongKind(d detection) {
	lang := t.opt.Lang
	e := &FileError{Code: "wrong_kind", Pos: schema.Pos{File: t.table.File(), Line: int(d.line)}, Lang: lang}
	what := formatWords(d.format, lang)
	if d.format.kind == 0 {
		e.Detail = say(lang, "这是"+what+"，不参与对账", "this is "+what+", which no input takes")
		if advice, ok := insteadOf[d.format.name]; ok {
			e.Advice = say(lang, advice[0], advice[1])
		}
	} else {
		e.Detail = say(lang, "这是"+what, "this is "+what)
		e.Advice = say(lang, "请放到 inputs."+d.format.kind.String()+" 下，而不是 inputs."+t.kind.String(),
			"list it under inputs."+d.format.kind.String()+", not inputs."+t.kind.String())
	}
	t.fail(e)
}

// insteadOf says which export to take in place of one that no input takes.
var insteadOf = map[string][2]string{
	"alipay_personal": {
		"个人账单没有商户的完整数据：请用商家账号登录 b.alipay.com，下载业务明细（inputs.alipay_bill）、账务明细或资金流水（inputs.alipay_account）",
		"a personal export lacks the merchant's data: log in to b.alipay.com as the merchant and take the trade bill (业务明细, inputs.alipay_bill) and the account bill or fund flow (账务明细, 资金流水, inputs.alipay_account)",
	},
	"wechat_personal": {
		"微信不参与对账：微信收款的订单放在 pos_orders，支付渠道写微信；核对合计请从微信支付商户平台下载交易账单，再用 duizhang inspect",
		"WeChat is not reconciled: orders paid by it belong in pos_orders with their channel; to check totals take the bill of the WeChat Pay merchant platform and look at it with duizhang inspect",
	},
	"wechat_bill": {
		"微信不参与对账；duizhang inspect 会核对它的合计",
		"WeChat is not reconciled; duizhang inspect checks its totals",
	},
	"wechat_fund": {
		"微信不参与对账；duizhang inspect 会核对它的合计",
		"WeChat is not reconciled; duizhang inspect checks its totals",
	},
	"taobao_items": {
		"请导出订单报表 ExportOrderList，放到 inputs.taobao_orders",
		"export the orders (ExportOrderList) and list them under inputs.taobao_orders",
	},
}

var formatNames = map[string][2]string{
	"trade_bill":      {"支付宝业务明细账单", "an Alipay trade bill"},
	"trade_summary":   {"支付宝业务汇总", "an Alipay trade summary"},
	"account_bill":    {"支付宝账务明细账单", "an Alipay account bill"},
	"account_summary": {"支付宝账务汇总", "an Alipay account summary"},
	"fund_flow":       {"商家中心资金流水", "a fund flow export of the merchant portal"},
	"taobao_orders":   {"淘宝订单导出", "a Taobao order export"},
	"kukeduo_orders":  {"酷客多订单列表", "a Kukeduo order list"},
	"rebate":          {"返佣账单", "a rebate statement"},
	"rebate_summary":  {"返佣汇总", "a summary of rebates"},
	"alipay_personal": {"支付宝个人账单", "a personal Alipay export"},
	"wechat_bill":     {"微信支付交易账单", "a WeChat Pay bill"},
	"wechat_fund":     {"微信支付资金账单", "a WeChat Pay fund bill"},
	"wechat_personal": {"微信个人账单", "a personal WeChat export"},
	"taobao_items":    {"淘宝宝贝清单", "a Taobao item list"},
	"pinduoduo_bill":  {"拼多多店铺账务明细", "a Pinduoduo shop bill"},
	"pos_api":         {"支付接口日志", "a log of alipay.trade.* messages"},

	"pos_orders":      {"POS 订单", "a table of POS orders"},
	"pos_refunds":     {"POS 退款", "a table of POS refunds"},
	"agreements":      {"返佣协议", "a table of rebate agreements"},
	"providers":       {"服务商档案", "a table of service providers"},
	"merchants":       {"商户档案", "a table of merchants"},
	"stores":          {"门店档案", "a table of stores"},
	"goods":           {"商品档案", "a table of goods"},
	"coupons":         {"优惠券档案", "a table of coupons"},
	"devices":         {"设备档案", "a table of devices"},
	"device_policies": {"设备奖励政策", "a table of device policies"},
	"device_rewards":  {"设备奖励账单", "a statement of device rewards"},
}

// formatWords name a format in a sentence, a canonical table also by its kind.
func formatWords(f *format, lang string) string {
	names := formatNames[f.name]
	words := say(lang, names[0], names[1])
	if isCanonical(f) {
		words += say(lang, "（"+f.name+"）", " ("+f.name+")")
	}
	return words
}
