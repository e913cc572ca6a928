package reports

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"duizhang/engine"
	"duizhang/engine/schema"
)

// browserNames are browsers that can be driven, as they are called on a system.
var browserNames = []string{"headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// aBrowser starts a headless browser, and skips the test where there is none.
func aBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	at := ""
	for _, name := range browserNames {
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && at == "" && info.Mode()&0o111 != 0 {
				at = filepath.Join(dir, name)
			}
		}
	}
	if at == "" {
		t.Skipf("no browser is installed (%s): the page is not looked at in one", strings.Join(browserNames, ", "))
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(at), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return ctx
}

// In a real browser: no error, no request but for the file itself, charts that are
// drawn, figures that are those of the summary, a search that finds, columns that
// sort; on a wide and a narrow screen, light and dark.
func TestPageInABrowser(t *testing.T) {
	ctx := aBrowser(t)
	path, _, summary := aPage(t, func(_ *day, r *engine.Result, _ *Options) {
		for i := range r.Breaks {
			r.Breaks[i].Time = 1795104000 + int64(i)*1200
			r.Breaks[i].Amount += int64(i)
		}
		r.Breaks[3].Store = hostile
		r.Losses.Store = []engine.LossGroup{
			{Key: "S1", Loss: fenSum(10000), Lost: fenSum(10000), Since: schema.Null},
			{Key: "S2", Loss: fenSum(20000), Claim: fenSum(20000), Since: schema.Null},
		}
		r.Causes[4].Count, r.Causes[4].Loss = 3, fenSum(70000)
	})
	var mu sync.Mutex
	var complaints, requests []string
	complain := func(list *[]string, text string) {
		mu.Lock()
		*list = append(*list, text)
		mu.Unlock()
	}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain(&complaints, fmt.Sprintf("%+v", e.ExceptionDetails))
		case *runtime.EventConsoleAPICalled:
			complain(&complaints, fmt.Sprintf("console.%s", e.Type))
		case *log.EventEntryAdded:
			complain(&complaints, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			complain(&requests, e.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{}); return err },
	} {
		if err := enable(); err != nil {
			t.Fatal(err)
		}
	}
	eval := func(expression string) string {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		return text
	}
	// becomes waits for what a click or a key does: the page hears of it a moment later.
	becomes := func(expression, want string) (got string, ok bool) {
		for range 100 {
			if got = eval(expression); got == want {
				return got, true
			}
			time.Sleep(50 * time.Millisecond)
		}
		return got, false
	}
	address := "file://" + path
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
				t.Fatal(err)
			}
			charts := eval(`document.querySelectorAll('canvas').length`)
			blank := eval(`[...document.querySelectorAll('canvas')].filter(c =>
				c.width < 200 || !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)).length`)
			overflow := eval(`document.documentElement.scrollWidth - innerWidth > 0`)
			if charts != "5" || blank != "0" || overflow != "false" {
				t.Errorf("%d, %s: %s charts, %s of them blank; wider than the screen: %s", width, scheme, charts, blank, overflow)
			}
		}
	}
	eval(`document.documentElement.style.scrollBehavior = 'auto'`) // a click goes where its target was
	limits := member1(summary, "limits", "breaks", "found")
	all := len(member1(summary, "breaks").(map[string]any))
	if got := eval(`document.querySelector('#card-breaks .figure').textContent`); got != fmt.Sprint(limits) {
		t.Errorf("breaks %s, want %v", got, limits)
	}
	const shown = `document.getElementById('shown').textContent`
	if got, ok := becomes(shown, fmt.Sprint(all)); !ok {
		t.Errorf("%s breaks shown, want %d", got, all)
	}
	search := func(text string) {
		eval(`document.getElementById('search').value = ''`)
		if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#search"), text)); err != nil {
			t.Fatal(err)
		}
	}
	search("POS017 短款")
	if got, ok := becomes(shown, "0"); !ok {
		t.Errorf("a search for what is not there finds %s", got)
	}
	search("pos002 短款")
	found, _ := becomes(shown, "1")
	kinds := eval(`[...document.querySelectorAll('#table-breaks tbody tr')].filter(r => r.offsetHeight).map(r => r.dataset.code).join()`)
	if kinds != "pos_only" || found != "1" {
		t.Errorf("a search for POS002 finds %s: %s", found, kinds)
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#table-kinds th:nth-child(4)"))); err != nil {
		t.Fatal(err)
	}
	const sorted = `[...document.querySelectorAll('#table-kinds tbody tr')].map(r => +r.cells[3].dataset.key).every((v, i, all) => !i || all[i - 1] >= v)`
	if _, ok := becomes(sorted, "true"); !ok {
		t.Error("a click on the amounts does not sort by them")
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#do a"))); err != nil {
		t.Fatal(err)
	}
	if got, ok := becomes(shown, "1"); !ok {
		t.Errorf("the link of a kind shows %s breaks", got)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, c := range complaints {
		t.Errorf("the browser says: %s", c)
	}
	for _, r := range requests {
		if !strings.HasPrefix(r, address) {
			t.Errorf("the page asks for %.200s", r)
		}
	}
	if len(requests) == 0 {
		t.Error("no request was seen: the test looks at nothing")
	}
}
