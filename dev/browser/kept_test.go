package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestAVisitorWhoseBrowserKeepsNoDecisionIsToldSo(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	b := newTabWithoutCookies(t)
	for _, test := range []struct{ path, button string }{
		{"/?page=2", ".charter-banner [value=refuse]"},
		{"/static", ".charter-banner [value=accept]"},
		{"/film", ".charter-placeholder button"},
	} {
		b.visit(d.url + test.path)
		b.until(fmt.Sprintf("document.querySelector(%q)", test.button))
		require.Empty(t, eval[string](b, "document.cookie = 'a=1; path=/', document.cookie"), "the browser keeps no cookie")
		b.click(test.button)
		b.until(`document.querySelector(".charter-done [role=status]")?.textContent.startsWith("Your browser did not keep your choice")`)
		assert.Equal(t, test.path, eval[string](b, "location.pathname + location.search"), "the visitor stays on the page")
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner, .film").length`))
		assert.Equal(t, "BUTTON", eval[string](b, "document.activeElement.tagName"), "and closes it with a key")
	}
	failures := d.failures()
	require.Len(t, failures, 1, "the site is told once")
	assert.ErrorIs(t, failures[0], consent.ErrNotKept)
}

func TestADecisionThatTakesItsTimeIsKept(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	proceed := make(chan struct{}, 1)
	d.slow.Store(&proceed)
	t.Cleanup(func() { close(proceed) }) // or the server waits for its handler
	b := newTab(t)
	shown := make(chan struct{}, 2)
	d.pages.HandleFunc("GET /shown", func(http.ResponseWriter, *http.Request) { shown <- struct{}{} })
	// The driver waits for the answer too: the page itself keeps what is said before, and
	// tells the server that it is shown.
	b.onEachPage(`window.said = []; new MutationObserver(changes => changes.forEach(({addedNodes}) => addedNodes.forEach(node =>
		node.classList?.contains("charter-done") && (said.push(node.textContent), new Image().src = "/shown?" + said.length)))).observe(document, {childList: true, subtree: true})`)
	b.visit(d.url + "/")
	b.click(".charter-banner [value=refuse]")
	select {
	case <-shown:
	case <-time.After(time.Minute):
		t.Fatal("the page says nothing")
	}
	proceed <- struct{}{}
	b.until("said.length === 2")
	said := eval[[]string](b, "said")
	assert.Contains(t, said[0], "Your choice is being saved")
	assert.Contains(t, said[1], "Your choice is saved.")
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".charter-done").length`), "one takes the place of the other")
}

func TestTheNoteThatADecisionIsBeingSavedGoesWithIt(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	proceed := make(chan struct{}, 1)
	d.slow.Store(&proceed)
	t.Cleanup(func() { close(proceed) })
	d.html("/fetching", func(r *http.Request) template.HTML {
		return d.charter.Head(r) + d.charter.Script(r) + d.charter.Banner(r) + d.charter.Placeholder(r, consent.ThirdParty, "Vimeo", `<p class="film">The film.</p>`)
	})
	b := newTab(t)
	b.visit(d.url + "/fetching")
	b.click(".charter-placeholder button")
	b.until(`document.querySelector(".charter-done")?.textContent.includes("Your choice is being saved")`)
	proceed <- struct{}{}
	b.until(`document.querySelector(".film")`)
	b.settled()
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-done").length`))
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".charter-banner").length`), "the rest is still asked for")
}

// The script waits for a cookie that it can read. If it cannot, the page is loaded again.
func TestADecisionThatScriptsCannotReadIsConfirmedToo(t *testing.T) {
	t.Parallel()
	d := newDemoOf(t, func(c *consent.Config) { c.HttpOnly = true }, declared...)
	d.html("/hidden", func(*http.Request) template.HTML {
		return `<!doctype html><title>t</title><link rel="icon" href="data:,"><script src="/cookies/script.js" defer></script>`
	})
	b := newTab(t)
	b.visit(d.url + "/hidden")
	b.until(`document.querySelector(".charter-banner")`)
	b.click(".charter-banner [value=refuse]")
	b.until(`document.querySelector(".charter-done")?.textContent.includes("Your choice is")`)
	assert.Contains(t, eval[string](b, `document.querySelector(".charter-done").textContent`), "Your choice is saved.")
	assert.Equal(t, "/hidden", eval[string](b, "location.pathname"))
}

// failing answers each post as a proxy does when the site behind it is away.
func (d *demo) failing(t *testing.T) string {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<html><head><title>503</title></head><body><h1>Service Unavailable</h1><hr>a proxy</body></html>")
			return
		}
		d.mw.Wrap(d.pages).ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

func TestWhoIsNotHeardIsAskedAgainOnTheSamePage(t *testing.T) {
	t.Parallel()
	const asksAgain = `document.querySelector(".charter-banner")?.checkVisibility() && document.querySelector(".charter-banner [role=alert]")?.textContent`
	url := newDemo(t, declared...).failing(t)
	b := newTab(t)
	b.visit(url + "/")
	b.click(".charter-banner [value=refuse]")
	b.until(asksAgain)
	assert.Equal(t, "503", eval[string](b, asksAgain), "and reads no HTML")

	b = newTab(t)
	b.visit(url + "/")
	call(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	eval[any](b, `window.fetch = async () => { throw new TypeError("Failed to fetch") }`) // the browser would complain
	b.click(".charter-banner [value=refuse]")
	b.until(asksAgain)
}

func TestANoteThatComesTooLateIsNotShown(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	proceed, asked, note := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	comes := sync.OnceFunc(func() { close(note) })
	d.slow.Store(&proceed)
	t.Cleanup(func() { close(proceed) })
	front := httptest.NewServer(d.mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("show") == "working" {
			asked <- struct{}{}
			<-note
		}
		d.pages.ServeHTTP(w, r)
	})))
	t.Cleanup(front.Close)
	t.Cleanup(comes) // or the server waits for its handler
	b := newTab(t)
	b.visit(front.URL + "/static")
	b.until(`document.querySelector(".charter-banner")`)
	eval[any](b, `document.querySelector(".charter-banner [value=refuse]").click()`)
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the page asks for no note")
	}
	proceed <- struct{}{}
	b.until(`document.querySelector(".charter-done")?.textContent.includes("Your choice is saved.")`)
	comes()
	b.settled()
	assert.Contains(t, eval[string](b, `document.querySelector(".charter-done").textContent`), "Your choice is saved.")
}

func TestNobodyIsAskedInAFrameOfAnotherSiteUnlessTheDecisionGoesThere(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	b.onEachPage(`addEventListener("message", ({data}) => { window.asks = data; })`)
	for name, isFramed := range map[string]bool{"Lax": false, "Framed": true} {
		d := newDemoOf(t, func(c *consent.Config) { c.Framed, c.Insecure = isFramed, !isFramed }, declared...)
		d.file("/tell.js", "text/javascript", `document.addEventListener("consent", () => setTimeout(() =>
			parent.postMessage(document.querySelectorAll("script[src*='banner.js'],.charter-banner").length, "*")))`)
		d.page("/framed", false, true, func(*http.Request) template.HTML { return `<script src="/tell.js"></script>` })
		frame := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "img-src data:; frame-src *")
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!doctype html><title>t</title><link rel="icon" href="data:,"><iframe src="%s/framed"></iframe>`, d.url)
		}
		d.pages.HandleFunc("GET /own", frame)
		b.visit(d.url + "/own")
		b.until(`window.asks === 0`) // of the site's own frames none asks

		other := httptest.NewServer(http.HandlerFunc(frame))
		t.Cleanup(other.Close)
		before := d.banners.Load()
		b.visit(strings.Replace(other.URL, "127.0.0.1", "localhost", 1))
		b.until(`"asks" in window`)
		assert.Equal(t, isFramed, eval[int](b, "asks") == 1, name)
		if !isFramed {
			assert.Equal(t, before, d.banners.Load(), name)
		}
	}
}
