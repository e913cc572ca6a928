package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows how far a run is. Its methods are safe for concurrent use.
type progress interface {
	// stage says that so much of a stage is done; the first call begins it.
	stage(name string, done, total int64)
	// close ends the show, whatever is done.
	close()
}

// newProgress shows bars on a terminal, and lines elsewhere.
func (a *app) newProgress() progress {
	if a.quiet {
		return noProgress{}
	}
	const narrowest = 40 // columns in which a bar says something
	if width, ok := terminal(a.stderr); ok && width >= narrowest && a.logFormat == "text" {
		return newBars(a, width)
	}
	return &progressLines{app: a, seen: map[string]*progressLine{}}
}

// stageNames are the stages in words. A stage that is not here shows its own name.
var stageNames = map[string][2]string{
	"load":      {"读取", "load"},
	"reconcile": {"对账", "reconcile"},
	"match":     {"对账", "match"},
	"rebates":   {"返佣", "rebates"},
	"write":     {"写出", "write"},
	"generate":  {"生成", "generate"},
}

func (a *app) stageName(name string) string {
	if words, ok := stageNames[name]; ok {
		return a.say(words[0], words[1])
	}
	return name
}

type noProgress struct{}

func (noProgress) stage(string, int64, int64) {}
func (noProgress) close()                     {}

// bars are for a terminal: one for each stage.
type bars struct {
	app   *app
	mu    sync.Mutex
	all   *mpb.Progress
	known map[string]*mpb.Bar
}

func newBars(a *app, width int) *bars {
	return &bars{
		app:   a,
		all:   mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(min(width-24, 60)), mpb.WithRefreshRate(120*time.Millisecond)),
		known: map[string]*mpb.Bar{},
	}
}

func (b *bars) stage(name string, done, total int64) {
	b.mu.Lock()
	bar, ok := b.known[name]
	if !ok {
		bar = b.all.AddBar(max(total, 1),
			mpb.PrependDecorators(decor.Name(b.app.stageName(name), decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 8})),
		)
		b.known[name] = bar
	}
	b.mu.Unlock()
	bar.SetTotal(max(total, 1), false)
	bar.SetCurrent(done)
	if done >= total {
		bar.SetTotal(-1, true)
	}
}

func (b *bars) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bar := range b.known {
		if !bar.Completed() {
			bar.Abort(false)
		}
	}
	b.all.Wait()
}

// progressLines are for a log: a line where a stage begins and ends, and now and
// then between.
type progressLines struct {
	app  *app
	mu   sync.Mutex
	seen map[string]*progressLine
}

type progressLine struct {
	last     time.Time
	finished bool
}

// lineEvery is how often a stage that goes on says so.
const lineEvery = 5 * time.Second

func (p *progressLines) stage(name string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.app.now()
	line, ok := p.seen[name]
	if !ok {
		line = &progressLine{last: now}
		p.seen[name] = line
	}
	switch {
	case line.finished:
	case done >= total:
		line.finished = true
		p.app.note(p.app.stageName(name) + " 100%")
	case now.Sub(line.last) >= lineEvery:
		line.last = now
		p.app.note(fmt.Sprintf("%s %d%%", p.app.stageName(name), done*100/max(total, 1)))
	}
}

func (p *progressLines) close() {}
