// Package browse is a visitor of a site in a real browser: opens pages, clicks, waits
// until they are at rest, and keeps a record of what they store and whom they contact.
package browse

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// Options are what a visitor is. Site is required.
type Options struct {
	Site *Site
	// Headers go with each request to the site's own hosts.
	Headers map[string]string
	// GPC has the browser send Sec-GPC, and say so to scripts.
	GPC bool
	// Jar is what the browser holds from the start.
	Jar []*network.CookieParam
	// Hash turns a value into what is kept of it. Nil: nothing is.
	Hash func(value string) string
	// Timeout is how long a page may take to come to rest, 15 seconds if zero.
	Timeout time.Duration
}

// A Visitor is a browser context with one page. Only [Visitor.Events], [Visitor.Problems]
// and [Visitor.Close] may be called while another method runs.
type Visitor struct {
	browser *chrome.Browser
	options Options
	token   string // marks what the hook tells
	context cdp.BrowserContextID

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew by each event
	main     *chrome.Session
	tabs     map[*chrome.Session]*tab
	requests map[network.RequestID]*request // of all sessions: a worker's is told of in part by its page
	windows  []*chrome.Session
	stage    string
	next     string // the stage that begins with the answer, while one is given
	before   string // the stage before it
	allows   bool   // the answer allows something
	page     string // the path of the page that is shown
	former   string // that of the one before
	leaving  bool
	rest     rest
	record   record
	held     map[string]string // the cookies of the last look
	unheard  []string          // addresses whose answers told no header since
	problems []seen.Problem
	attached chan *chrome.Session
}

// ErrCrashed says that the page's process has ended.
var ErrCrashed = errors.New("the page has crashed")

// New makes a visitor, whose events are those of stage.
func New(ctx context.Context, b *chrome.Browser, stage string, options Options) (*Visitor, error) {
	if options.Timeout == 0 {
		options.Timeout = 15 * time.Second
	}
	v := &Visitor{
		browser: b, options: options, stage: stage, token: token(),
		changed:  make(chan struct{}),
		tabs:     make(map[*chrome.Session]*tab),
		requests: make(map[network.RequestID]*request),
		attached: make(chan *chrome.Session, 1),
		record:   newRecord(),
	}
	var err error
	if v.context, err = b.NewContext(ctx, v); err != nil {
		return nil, err
	}
	if len(options.Jar) > 0 {
		if err := v.Bring(ctx, options.Jar...); err != nil {
			v.Close()
			return nil, err
		}
	}
	// Without an answer to its requests, a download would wait for somebody to say where.
	if _, err = chrome.Call(ctx, b, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: v.context, EventsEnabled: new(bool)}); err == nil {
		err = v.newPage(ctx)
	}
	if err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// Close ends the visit.
func (v *Visitor) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // a page that hangs
	defer cancel()
	v.browser.Dispose(ctx, v.context)
}

// newPage opens a page in place of the one that there was.
func (v *Visitor) newPage(ctx context.Context) error {
	v.mu.Lock()
	former := v.main
	v.main = nil
	v.mu.Unlock()
	if former != nil {
		// A page that hangs closes for nobody, and its process would be that of the next one.
		chrome.Send(former, page.Crash, cdp.Empty{})
		v.closeTarget(ctx, former.Info.TargetID)
	}
	if _, err := chrome.Call(ctx, v.browser, target.CreateTarget, target.CreateTargetParams{
		URL: "about:blank", BrowserContextID: v.context, NewWindow: yes(), Width: width, Height: height}); err != nil {
		return err
	}
	select {
	case s := <-v.attached:
		// A bidirectional answer: the page has been set up once it comes.
		_, err := chrome.Call(ctx, s, page.GetFrameTree, cdp.Empty{})
		return err
	case <-v.browser.Gone():
		return chrome.ErrGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// width and height are those of a common laptop, so that banners look as on most desks.
const width, height = 1280, 800

func (v *Visitor) closeTarget(ctx context.Context, id target.ID) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, _ = chrome.Call(ctx, v.browser, target.CloseTarget, target.CloseTargetParams{TargetID: id}) // an error: it is gone
}

// Bring puts cookies into the browser, as if the visitor had them already.
func (v *Visitor) Bring(ctx context.Context, cookies ...*network.CookieParam) error {
	jar := struct {
		Cookies          []*network.CookieParam `json:"cookies"`
		BrowserContextID cdp.BrowserContextID   `json:"browserContextId"`
	}{cookies, v.context}
	if err := v.browser.Call(ctx, "Storage.setCookies", jar, nil); err != nil {
		return fmt.Errorf("cookies: %w", err)
	}
	return nil
}

// pending stands for the stage of what happens after a click, as long as it is not known
// whether that click was the answer.
const pending = "\x00"

// Stage has what happens from now on belong to another stage, and what happened since the
// last click of an answer as well.
func (v *Visitor) Stage(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.record.restage(pending, name)
	v.stage, v.next = name, ""
}

// Answering says that the visitor is about to answer: stage name begins with the last click
// before [Visitor.Stage] says so. If the answer is posted to the site, the stage begins as
// soon as that is on its way if it allows something, else once the page has heard of the
// site that it counts. The cookies that go with the answer itself are those of before. If
// the answer allows something, the stage begins with the first click: where each switch is
// saved at once, that one may have allowed it.
func (v *Visitor) Answering(name string, allows bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next, v.before, v.allows = name, v.stage, allows
}

// clicked: what the clicks before this one have led to belongs to the stage of before.
func (v *Visitor) clicked() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.next == "" {
		return
	}
	if !v.allows {
		v.record.restage(pending, v.before)
	}
	v.stage = pending
}

// answered: what the visitor decided counts from here on.
func (v *Visitor) answered() {
	v.record.restage(pending, v.before)
	v.stage, v.next = v.next, ""
}

// Events returns what was recorded so far.
func (v *Visitor) Events() []seen.Event {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.record.restage(pending, v.before) // the answer was never given
	return v.record.list()
}

// Problems returns what could not be looked at so far.
func (v *Visitor) Problems() []seen.Problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]seen.Problem(nil), v.problems...)
}

// Problem notes what could not be looked at on the page that is shown, once.
func (v *Visitor) Problem(page, text string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problem(page, text, args...)
}

func (v *Visitor) problem(page, text string, args ...any) {
	p := seen.Problem{Stage: v.stage, Page: page, Text: fmt.Sprintf(text, args...)}
	for _, known := range v.problems {
		if known == p {
			return
		}
	}
	v.problems = append(v.problems, p)
}
