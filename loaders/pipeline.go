package loaders

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"

	"duizhang/engine/schema"
	"duizhang/rules"
)

// Sizes of the pipeline.
const (
	defaultChunk = 1 << 20 // what is parsed at once; it fits a core's cache
	firstBuffer  = 64 << 10
	maxLine      = 1 << 20 // a longer line is a reject (formats 1.1)
	maxLines     = 100     // a quoted cell spans no more lines
)

// A pipeline carries chunks from the feeders, one a table, which unpack and cut,
// to the workers, which parse. Its buffers go round: they are all the memory that
// reading takes.
type pipeline struct {
	chunks    chan chunk
	free      chan []byte
	chunkSize int
}

// A chunk is some whole records of a table.
type chunk struct {
	t    *tableRun
	data []byte
	buf  []byte // what data is part of
	line int32  // of the first record
}

func newPipeline(workers, feeders, chunkSize int) *pipeline {
	// A feeder fills one while its last waits; a worker parses one.
	buffers := 2*feeders + workers
	p := &pipeline{
		chunks:    make(chan chunk, buffers),
		free:      make(chan []byte, buffers),
		chunkSize: chunkSize,
	}
	for range buffers {
		p.free <- nil // grows when first used
	}
	return p
}

// buffer waits for a free buffer.
func (p *pipeline) buffer(ctx context.Context) ([]byte, error) {
	select {
	case buf := <-p.free:
		return buf[:0], nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release gives a buffer back. One that a long record made grow is let go.
func (p *pipeline) release(buf []byte) {
	if cap(buf) > 4*p.chunkSize && cap(buf) > 4*defaultChunk {
		buf = nil
	}
	p.free <- buf
}

// work parses chunks until there are no more. After an error it drains them, so
// that nobody waits for ever.
func (p *pipeline) work(ctx context.Context, cancel context.CancelCauseFunc, worker int) {
	var s splitter
	for c := range p.chunks {
		if ctx.Err() == nil {
			if err := c.t.parse(ctx, &s, c, worker); err != nil {
				cancel(err)
			}
		}
		p.release(c.buf)
		c.t.pending.Done()
	}
}

// readTable feeds one table through the pipeline and completes it. Only the
// context's error and the sink's come back: what is wrong with the file refuses
// the table.
func (r *run) readTable(ctx context.Context, p *pipeline, t *tableRun) error {
	if t.isXLSX {
		return r.readSheet(ctx, t)
	}
	if t.document {
		return t.readDocuments(ctx)
	}
	t.parsers = make([]rowParser, r.opt.Workers)
	err := t.feed(ctx, p)
	t.pending.Wait()
	return t.done(ctx, err)
}

// done completes a table after its last row.
func (t *tableRun) done(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		// What was read says nothing of the whole: no control, no missing end line.
		t.fail(openError(t.table, err, t.opt.Lang))
	}
	if err == nil && t.finish != nil {
		if err := t.finish(ctx); err != nil {
			if refused, ok := errors.AsType[*FileError](err); ok {
				t.fail(refused)
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	t.parsers = nil
	t.giveCaches()
	t.progress()
	return ctx.Err()
}

// readSerially reads a table without workers: the references, whose order counts.
func (r *run) readSerially(ctx context.Context, t *tableRun) error {
	if t.isXLSX {
		return r.readSheet(ctx, t)
	}
	if t.document {
		return t.readDocuments(ctx)
	}
	p := newPipeline(1, 1, r.opt.chunkSize)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.work(ctx, cancel, 0)
	}()
	t.parsers = make([]rowParser, 1)
	err := t.feed(ctx, p)
	close(p.chunks)
	<-ended
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.done(ctx, err)
}

// feed unpacks a table and sends it as chunks of whole records. It is one loop
// with a state: buf[:] is what was read and not sent, line the line at its start.
func (t *tableRun) feed(ctx context.Context, p *pipeline) error {
	src, err := t.open()
	if err != nil {
		return err
	}
	defer src.Close()
	buf, err := p.buffer(ctx)
	if err != nil {
		return err
	}
	line, start, skipping := int32(1), true, false
	for eof := false; !eof; {
		buf, err = fill(src, buf, p.chunkSize)
		if eof = errors.Is(err, io.EOF); err != nil && !eof {
			p.release(buf)
			return err
		}
		if start {
			start = false
			if t.bom {
				buf = buf[:copy(buf, bytes.TrimPrefix(buf, []byte(utf8BOM)))]
			}
		}
		if skipping {
			var ended bool
			if buf, ended = afterLine(buf); ended {
				skipping = false
				line++
			} else if !eof {
				continue
			}
		}
		cut := len(buf)
		if !eof {
			cut = t.cut(buf)
		}
		if cut == 0 && !eof {
			if len(buf) > maxLine && bytes.IndexByte(buf[:maxLine+1], '\n') < 0 {
				t.overlong(line, buf)
				buf, skipping = buf[:0], true
			} else if len(buf) >= p.chunkSize {
				buf = grow(buf, 2*len(buf))
			}
			continue
		}
		next, err := p.buffer(ctx)
		if err != nil {
			p.release(buf)
			return err
		}
		next = append(next, buf[cut:]...)
		lines := int32(bytes.Count(buf[:cut], []byte{'\n'}))
		if int64(line)+int64(lines) >= math.MaxInt32 {
			p.release(buf)
			p.release(next)
			return errTooManyLines
		}
		t.sendChunk(ctx, p, buf, cut, line)
		line += lines
		buf = next
		t.progress()
	}
	p.release(buf)
	return nil
}

// open is the table's bytes from the beginning.
func (t *tableRun) open() (io.ReadCloser, error) {
	if t.whole != nil {
		return io.NopCloser(bytes.NewReader(t.whole)), nil
	}
	return openMember(t.file.Path, t.member, &t.file.read)
}

var errTooManyLines = errors.New("more than 2,147,483,646 lines")

// sendChunk hands one chunk to the workers, without the lines up to the header.
func (t *tableRun) sendChunk(ctx context.Context, p *pipeline, buf []byte, cut int, line int32) {
	data := buf[:cut]
	for line <= t.headerLine && len(data) > 0 {
		data, _ = lineCut(data)
		line++
	}
	if len(data) == 0 {
		p.release(buf)
		return
	}
	if t.charset.open() {
		for rest := data; len(rest) > 0 && t.charset.open(); {
			block := sniffBlock(rest)
			t.charset.decide(block)
			rest = rest[len(block):]
		}
	}
	t.keepFirstRows(data)
	t.pending.Add(1)
	select {
	case p.chunks <- chunk{t, data, buf, line}:
	case <-ctx.Done():
		t.pending.Done()
		p.release(buf)
	}
}

// fill reads until buf holds size bytes or more than it did, and io.EOF with the
// last of them.
func fill(src io.Reader, buf []byte, size int) ([]byte, error) {
	if len(buf) >= size {
		size = len(buf) + max(size/2, 1)
	}
	for len(buf) < size {
		if len(buf) == cap(buf) { // small files take small buffers
			buf = grow(buf, min(max(2*cap(buf), firstBuffer), size+size/4))
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

func grow(buf []byte, size int) []byte {
	if cap(buf) >= size {
		return buf
	}
	return append(make([]byte, 0, size), buf...)
}

// afterLine drops the rest of a line in place and tells whether it ended.
func afterLine(buf []byte) (rest []byte, ended bool) {
	rest, ended = lineCut(buf)
	return buf[:copy(buf, rest)], ended
}

func lineCut(buf []byte) (rest []byte, ended bool) {
	i := bytes.IndexByte(buf, '\n')
	if i < 0 {
		return nil, false
	}
	return buf[i+1:], true
}

// cut is the end of the last whole record of buf, 0 if there is none.
func (t *tableRun) cut(buf []byte) int {
	if !t.known.multiline || bytes.IndexByte(buf, '"') < 0 {
		return bytes.LastIndexByte(buf, '\n') + 1
	}
	return lastRecordEnd(buf, t.comma)
}

// overlong rejects a line that is not held.
func (t *tableRun) overlong(line int32, head []byte) {
	if line <= t.headerLine {
		return
	}
	t.mu.Lock()
	t.rows++
	t.mu.Unlock()
	t.reject(schema.Reject{
		Line: line, Code: rules.CodeColumnCount, Amount: schema.Null,
		Detail: say(t.opt.Lang, "一行超过 1 MiB", "a line of more than 1 MiB"),
		Raw:    t.text(shortRaw(t.shownFault(head))),
	})
}

// maxRaw is how much of a row a reject shows.
const maxRaw = 4 << 10

// shortRaw cuts a row for show.
func shortRaw(raw []byte) []byte {
	if len(raw) <= maxRaw {
		return raw
	}
	return append(bytes.Clone(raw[:maxRaw]), " …"...)
}

// parser is the worker's own parser of the table.
func (t *tableRun) parser(worker int) rowParser {
	if t.parsers[worker] == nil {
		t.mu.Lock()
		t.parsers[worker] = t.newParser()
		t.mu.Unlock()
	}
	return t.parsers[worker]
}

// parse reads the records of one chunk.
func (t *tableRun) parse(ctx context.Context, s *splitter, c chunk, worker int) error {
	p := t.parser(worker)
	s.start(t, p, c.data)
	var err error
	if t.known.multiline {
		err = s.records(ctx, c.data, c.line)
	} else {
		err = s.lines(ctx, c.data, c.line)
	}
	if err == nil {
		err = p.flush(ctx)
	}
	s.end()
	return err
}

// keepFirstRows keeps what Inspect shows of a table.
func (t *tableRun) keepFirstRows(data []byte) {
	if t.private != nil {
		t.keepFirstRecords(data)
		return
	}
	for len(t.firstRows) < cap(t.firstRows) && len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte(`"#`)) {
			t.firstRows = append(t.firstRows, t.text(shortRaw(line)))
		}
		data = rest
	}
}
