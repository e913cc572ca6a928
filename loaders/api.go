package loaders

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tidwall/gjson"
	"github.com/zeebo/xxh3"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// The messages of all API logs of a run meet in one log, because the answer to a
// request may stand in another file than the request. They wait there in a
// compact form, divided by the hash of their out_trade_no, until all logs are
// read; then each trade's messages are put together to an order and its refunds
// (assemble). What is beyond the budget waits elsewhere, if there is such a place.
type messageLog struct {
	parts    [messageParts]messagePart
	mu       sync.Mutex
	loose    [][]byte    // encoded: messages that name their trade by trade_no alone
	answered atomic.Bool // the logs have answers, so that one that is missing means something

	budget int64        // bytes held; 0 is without bound
	held   atomic.Int64 // in chunks
	spill  func(data []byte) (Spilled, error)
	failed atomic.Pointer[error]
}

// Spilled gives back, appended to dst, what was put away.
type Spilled func(dst []byte) ([]byte, error)

const messageParts = 256

type messagePart struct {
	mu     sync.Mutex
	chunks []messageChunk // of encoded messages, each after its length
}

// A messageChunk is data, or what was put away.
type messageChunk struct {
	data    []byte
	spilled Spilled
}

// Sizes of a part's chunks: none is copied when another is begun, and a short log
// takes little.
const (
	firstChunk = 2 << 10
	lastChunk  = 64 << 10
)

// add takes the messages of one chunk of a file.
func (l *messageLog) add(outTradeNo, encoded []byte) {
	p := &l.parts[xxh3.Hash(outTradeNo)%messageParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.chunks)
	if n == 0 || cap(p.chunks[n-1].data)-len(p.chunks[n-1].data) < len(encoded)+4 {
		size := firstChunk
		if n > 0 {
			size = min(2*cap(p.chunks[n-1].data), lastChunk)
			l.putAway(&p.chunks[n-1])
		}
		size = max(size, len(encoded)+4)
		p.chunks = append(p.chunks, messageChunk{data: make([]byte, 0, size)})
		l.held.Add(int64(size))
		n++
	}
	c := p.chunks[n-1].data
	c = append(c, byte(len(encoded)), byte(len(encoded)>>8), byte(len(encoded)>>16), byte(len(encoded)>>24))
	p.chunks[n-1].data = append(c, encoded...)
}

// putAway puts a full chunk away if more is held than may be.
func (l *messageLog) putAway(c *messageChunk) {
	if l.spill == nil || l.budget <= 0 || l.held.Load() <= l.budget {
		return
	}
	spilled, err := l.spill(c.data)
	if err != nil {
		l.failed.CompareAndSwap(nil, &err)
		return
	}
	l.held.Add(-int64(cap(c.data)))
	*c = messageChunk{spilled: spilled}
}

// err is why messages could not be put away, or nil.
func (l *messageLog) err() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// each calls do with every encoded message, which stays as it is.
func (p *messagePart) each(do func(encoded []byte)) error {
	for _, chunk := range p.chunks {
		c := chunk.data
		if chunk.spilled != nil {
			var err error
			if c, err = chunk.spilled(nil); err != nil {
				return err
			}
		}
		for len(c) > 0 {
			n := int(c[0]) | int(c[1])<<8 | int(c[2])<<16 | int(c[3])<<24
			do(c[4 : 4+n : 4+n])
			c = c[4+n:]
		}
	}
	return nil
}

// A messageParser reads the lines of one API log.
type messageParser struct {
	t       *tableReader
	log     *messageLog
	reader  *messageReader
	encoded []byte // reused

	n       int   // messages since the last flush
	others  int64 // lines since then without a message of alipay.trade.*
	blank   int64 // lines of nothing but a form feed and the like
	extra   int64 // messages beyond one a line
	spoiled int64
	decoded bool // the chunk's bytes all decode as UTF-8
}

// openAPI opens an API log, which has no header.
func openAPI(t *tableReader, _ []string) (func() rowParser, error) {
	t.private = []bool{}
	t.finish = func(context.Context) error {
		if t.leftOut > 0 {
			n := itoa(t.leftOut)
			t.problem(schema.Problem{
				Code: "other_messages", Value: n,
				Message: say(t.opt.Lang, n+" 行是其他接口的报文，不参与对账", n+" lines are messages of other interfaces and left out"),
			})
		}
		return nil
	}
	return func() rowParser {
		return &messageParser{t: t, log: t.messages, reader: newMessageReader(t)}
	}, nil
}

func (p *messageParser) chunk(valid bool) { p.decoded = valid && !p.t.charset.gb18030() }

func (p *messageParser) rows() int { return p.n }

func (p *messageParser) flush(ctx context.Context) error {
	p.t.skip(p.others + p.blank - p.extra)
	p.t.repair("bytes_replaced", p.spoiled)
	p.t.leaveOut(p.others)
	p.n, p.others, p.blank, p.extra, p.spoiled = 0, 0, 0, 0, 0
	if err := p.log.err(); err != nil {
		return err
	}
	return ctx.Err()
}

// row reads one line.
func (p *messageParser) row(line int32, _ [][]byte, raw []byte) {
	p.n++
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		p.blank++
		return
	}
	text := unsafe.String(unsafe.SliceData(raw), len(raw)) // read during the call only
	if !p.decoded {
		text = p.t.text(raw)
	}
	around := wrapping{time: schema.Null}
	body := text
	json := text[0] == '{' || text[0] == '[' || text[0] == '"'
	if json && !gjson.Valid(text) || !json && !wholeForm(text) {
		logged, ok := readLogged(text)
		if !ok {
			p.rejectLine(line, text, logged.broken)
			return
		}
		body, around = logged.json, logged.around
	}
	found := p.reader.read(line, body, around)
	if len(found) == 0 {
		p.others++
		return
	}
	p.extra += int64(len(found) - 1)
	for i := range found {
		p.take(&found[i], text)
	}
	if p.reader.spoiled {
		p.spoiled++
	}
}

// rejectLine reports a line that holds no message, or a broken one.
func (p *messageParser) rejectLine(line int32, text, broken string) {
	detail := say(p.t.opt.Lang, "不是 JSON，也不是表单报文", "neither JSON nor the body of a form")
	switch {
	case text[0] == '{' || text[0] == '"':
		detail = jsonFault(text, p.t.opt.Lang)
	case broken != "":
		detail = jsonFault(broken, p.t.opt.Lang)
	}
	p.t.reject(schema.Reject{
		Line: line, Code: rules.CodeColumnCount, Raw: shownMessage(text), Detail: detail, Amount: schema.Null, Message: true,
	})
}

// take judges a message and adds it to the log.
func (p *messageParser) take(m *message, raw string) {
	if len(m.text[msgOutTradeNo]) == 0 && len(m.text[msgTradeNo]) == 0 && m.fault == 0 {
		p.reader.bad(m, rules.CodeMissingValue, "out_trade_no")
	}
	switch {
	case m.fault != 0:
		m.flags |= msgReported | msgUnread
	case m.goodsFault != 0:
		m.flags |= msgReported
	}
	if m.has(msgReported) {
		code := m.fault
		if code == 0 {
			code = m.goodsFault
		}
		column := p.t.opt.Words.Texts()[m.word[msgFaultColumn]]
		p.t.reject(schema.Reject{
			Line: m.line, Code: code, Column: column, Value: valueOf(raw, column), Raw: shownMessage(raw), Amount: schema.Null,
			Kind: kindOfUnit(m.kind),
		})
	}
	if !m.kind.asks() {
		p.log.answered.Store(true)
	}
	p.encoded = m.encode(p.encoded[:0])
	switch {
	case len(m.text[msgOutTradeNo]) > 0:
		p.log.add(m.text[msgOutTradeNo], p.encoded)
	case len(m.text[msgTradeNo]) > 0:
		p.log.mu.Lock()
		p.log.loose = append(p.log.loose, bytes.Clone(p.encoded))
		p.log.mu.Unlock()
	}
}

func kindOfUnit(k messageKind) schema.RowKind {
	if k.ofRefund() {
		return schema.Refund
	}
	return schema.Payment
}

// jsonFault says where a text stops to be JSON.
func jsonFault(text, lang string) string {
	var v json.RawMessage
	err := json.Unmarshal([]byte(text), &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at := itoa(syntax.Offset)
		return say(lang, "第 "+at+" 字节处不是合法的 JSON："+syntax.Error(), "not JSON at byte "+at+": "+syntax.Error())
	}
	return say(lang, "不是合法的 JSON", "not JSON")
}

// secretFields are the members of messages that are not shown whole: payment codes
// and what the receiver of an online order is called and where they live.
var secretFields = regexp.MustCompile(`(?i)(auth_?code\\*"?\s*[:=]\s*\\*"?)([^"\\&,}]*?)([^"\\&,}]{0,4})(["\\&,}]|$)`)

var personFields = regexp.MustCompile(`(?i)(?:receiver_?[a-z]+|buyer_?(?:nick|email|area|message|alipay_?no|memo)|seller_?memo)(\\*)"\s*:\s*`)

// shownMessage is a message as rejects and explain show it.
func shownMessage(text string) string {
	text = secretFields.ReplaceAllString(text, "$1****$3$4")
	var out []byte
	for {
		at := personFields.FindStringSubmatchIndex(text)
		if at == nil {
			return string(shortRaw(append(out, text...)))
		}
		out = append(append(out, text[:at[1]]...), text[at[2]:at[3]]...) // the value is quoted as its key is
		out = append(append(append(out, `"***`...), text[at[2]:at[3]]...), '"')
		text = text[at[1]:]
		text = text[valueEnd(text, at[3]-at[2]):]
	}
}

// valueEnd is the length of the JSON value that text begins with, in a string of
// JSON in which quotes stand after so many backslashes.
func valueEnd(text string, backslashes int) int {
	quote := strings.Repeat(`\`, backslashes) + `"`
	if !strings.HasPrefix(text, quote) {
		if end := strings.IndexAny(text, ",}]"); end >= 0 {
			return end
		}
		return len(text)
	}
	run := 0
	for i := len(quote); i < len(text); i++ {
		switch text[i] {
		case '\\':
			run++
			continue
		case '"':
			// A quote of the value's own stands after more backslashes.
			if run%(2*(backslashes+1)) == backslashes {
				return i + 1
			}
		}
		run = 0
	}
	return len(text)
}

// valueOf is the value of a message's field as it is written, for a reject.
func valueOf(raw, column string) string {
	if column == "" {
		return ""
	}
	name := column[strings.LastIndexByte(column, '.')+1:]
	for at := 0; ; {
		i := strings.Index(raw[at:], `"`)
		if i < 0 {
			return ""
		}
		at += i + 1
		end := strings.IndexByte(raw[at:], '"')
		if end < 0 {
			return ""
		}
		key := strings.TrimRight(raw[at:at+end], `\`)
		at += end + 1
		if keyName(key) != keyName(name) {
			continue
		}
		rest := strings.TrimLeft(raw[at:], " \t")
		if !strings.HasPrefix(rest, ":") {
			continue
		}
		value := strings.TrimLeft(rest[1:], " \t\\\"")
		if end := strings.IndexAny(value, `"\,}]`); end >= 0 {
			value = value[:end]
		}
		return shortText(strings.TrimSpace(value), 80)
	}
}
