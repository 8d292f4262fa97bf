package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// A browser is a Chromium that reaches nothing but this machine, and has the collector for Google.
type browser struct {
	ctx     context.Context
	close   func()
	version string
}

func startBrowser(google *collector) (*browser, error) {
	var options []chromedp.ExecAllocatorOption
	for name, value := range browsertest.Flags("--window-size=1280,800", "--ignore-certificate-errors", "--host-resolver-rules="+google.rules()) {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	b := &browser{ctx: ctx, close: stop}
	version, err := chromedp.CallBrowser(ctx, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		stop()
		return nil, err
	}
	b.version = version.Product
	return b, nil
}

// A tab is a first visit: it has cookies, a cache and a storage of its own,
// empty at first.
type tab struct {
	ctx   context.Context
	close func()

	mu       sync.Mutex
	requests int
	bytes    float64 // of responses, heads included, as they came over the wire
	err      error   // the first step that failed; those behind it do nothing
}

func (b *browser) newTab() *tab {
	t := new(tab)
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(t.count))
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.ctx = ctx
	t.close = func() { cancel(); closeTab() }
	call(t, network.Enable, network.EnableParams{})
	call(t, performance.Enable, performance.EnableParams{})
	return t
}

func (t *tab) count(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasPrefix(event.Request.URL, "http") {
			t.requests++
		}
	case *network.EventLoadingFinished:
		t.bytes += event.EncodedDataLength
	}
}

func call[P, R any](t *tab, command cdp.Command[P, R], params P) R {
	var result R
	if t.err == nil {
		result, t.err = chromedp.Call(t.ctx, command, params)
	}
	return result
}

// visit opens a page and waits for its load event.
func (t *tab) visit(url string) {
	if t.err == nil {
		t.err = chromedp.Do(t.ctx, chromedp.Navigate(url))
	}
}

// onEachPage has a script run before those of each page that is visited.
func (t *tab) onEachPage(source string) {
	call(t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source})
}

// eval returns what an expression amounts to in the page, awaited where it is a
// promise.
func eval[T any](t *tab, expression string) T {
	var result T
	if t.err == nil {
		result, t.err = chromedp.Run(t.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	}
	return result
}

// metric returns one of Chromium's own measures of the page.
func (t *tab) metric(name string) float64 {
	for _, metric := range call(t, performance.GetMetrics, cdp.Empty{}).Metrics {
		if metric.Name == name {
			return metric.Value
		}
	}
	if t.err == nil {
		t.err = fmt.Errorf("no metric %s in Chromium", name)
	}
	return 0
}
