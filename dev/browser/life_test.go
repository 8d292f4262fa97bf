package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// another opens one more tab of the same visitor.
func (b *tab) another() *tab {
	b.Helper()
	return newTabOf(b.T, b.ctx)
}

// Pages live on after they were drawn. This one is alive while there is consent: its
// scripts count in the storage of the tab, which a page that is loaded again keeps.
const ticking = `
<template data-consent="third-party"><p class="alive">alive</p></template>
<script type="text/plain" data-consent="third-party" src="/tick.js"></script>`

// keepsStory keeps how a page came to be shown.
const keepsStory = `
	sessionStorage.story ??= "";
	addEventListener("pageshow", ({persisted}) => { sessionStorage.story += persisted ? "frozen " : "fresh "; });
`

func newLivingDemo(t *testing.T) *demo {
	t.Helper()
	d := newDemo(t, declared...)
	d.page("/living", true, true, func(*http.Request) template.HTML { return ticking })
	d.page("/living/static", false, true, func(*http.Request) template.HTML { return ticking })
	d.file("/tick.js", "text/javascript", "window.ticking = true")
	return d
}

const isAlive = `window.ticking && document.querySelector(".alive")`

func TestAPageThatComesBackKeepsToTheAnswer(t *testing.T) {
	t.Parallel()
	d := newLivingDemo(t)
	for _, path := range []string{"/living", "/living/static"} {
		b := newTab(t)
		b.onEachPage(keepsStory)
		b.visit(d.url + path)
		b.until(`document.querySelector(".charter-banner")`)
		b.click(".charter-banner [value=accept]")
		b.until(isAlive)
		b.visit(d.url + "/cookies/")
		b.click(".charter-page [value=refuse].charter-page, .charter-buttons [value=refuse]")
		b.until(`document.querySelector(".charter-page [value=refuse][checked]")`)
		eval[any](b, "history.go(-2)")
		b.until(`location.pathname === "` + path + `" && document.readyState === "complete" && !document.querySelector(".alive") && window.ticking === undefined`)
		assert.Contains(t, eval[string](b, "sessionStorage.story"), "frozen", "%s: it came from the back/forward cache", path)

		b = newTab(t)
		b.onEachPage(keepsStory)
		b.visit(d.url + path + "?1")
		b.until(`document.querySelector(".charter-banner")`)
		b.visit(d.url + path + "?2")
		b.until(`document.querySelector(".charter-banner")`)
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
		eval[any](b, "history.back()")
		b.until(`location.search === "?1" && !document.querySelector(".charter-banner")`)
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), path)
	}
}

func TestAnAnswerInOneTabHoldsInTheOthers(t *testing.T) {
	t.Parallel()
	d := newLivingDemo(t)
	b := newTab(t)
	b.visit(d.url + "/living")
	other := b.another()
	other.onEachPage(watchConsent)
	other.visit(d.url + "/living/static")
	other.until(`document.querySelector(".charter-banner")`)
	b.click(".charter-banner [value=accept]")
	other.until(isAlive)
	other.until(`!document.querySelector(".charter-banner")`)
	assert.Equal(t, false, eval[bool](other, "told.at(-1).before.decided"))

	b.click(".charter-done a")
	b.until(`document.querySelector("dialog.charter-settings[open]")`)
	b.click(".charter-settings [value=refuse]:not([type=radio])")
	other.until(`document.readyState === "complete" && !document.querySelector(".alive") && window.ticking === undefined`)
	b.until(`document.readyState === "complete" && !document.querySelector(".alive") && window.ticking === undefined`)
}

func TestAVisitorWhoHasTypedSomethingIsAskedBeforeAPageIsLoadedAgain(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.page("/living", true, true, func(*http.Request) template.HTML { return ticking + `<input id="name">` })
	d.file("/tick.js", "text/javascript", "window.ticking = true")
	b := newTab(t)
	b.visit(d.url + "/living")
	b.click(".charter-banner [value=accept]")
	b.until(isAlive)
	eval[any](b, `document.querySelector("#name").focus(), document.execCommand("insertText", false, "Ada")`)
	eval[any](b, "consent.open()")
	b.until(`document.querySelector("dialog.charter-settings[open]")`)
	b.click(".charter-settings [value=refuse]:not([type=radio])")
	b.until(`document.querySelector(".charter-done [data-charter-reload]")`)
	assert.Equal(t, "Ada", eval[string](b, `document.querySelector("#name").value`))
	b.click("[data-charter-reload]")
	b.until(`document.readyState === "complete" && window.ticking === undefined && document.querySelector("#name").value === ""`)
}

// The script brings its banner at once; a page that takes its time may be whole only after
// an answer in another tab.
func TestABannerThatIsOlderThanTheAnswerIsNotShown(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	proceed := make(chan struct{})
	ends := sync.OnceFunc(func() { close(proceed) })
	t.Cleanup(ends) // or the server waits for its handler
	d.pages.HandleFunc("GET /slow", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Del("Content-Security-Policy")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>t</title><link rel="icon" href="data:,"><script src="/cookies/script.js"></script><p>begun</p>`+strings.Repeat(" ", 4096))
		_ = http.NewResponseController(w).Flush() // an error is the browser's leaving
		<-proceed
	})
	other := newTab(t)
	other.visit(d.url + "/")
	b := other.another()
	eval[any](b, `void (location.href = "`+d.url+`/slow")`)
	b.until(`document.querySelector("p") && consent`)
	other.click(".charter-banner [value=refuse]")
	other.until(`document.querySelector(".charter-done")`)
	ends()
	b.until(`document.readyState === "complete"`)
	b.settled()
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`))
}

// A browser that is driven draws no page in advance, so that this one goes its way alone.
func TestAPageThatIsDrawnInAdvanceWaitsUntilItIsSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile string
		runs      bool
	}{
		"and runs then":                         {"accept", true},
		"and takes what was answered meanwhile": {"refuse", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newLivingDemo(t)
			told := make(chan string, 100)
			d.pages.HandleFunc("GET /tell", func(_ http.ResponseWriter, r *http.Request) { told <- r.URL.RawQuery })
			html := func(path, content string) {
				d.pages.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Del("Content-Security-Policy")
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, `<!doctype html><title>t</title><link rel="icon" href="data:,">`+content)
				})
			}
			const choose = `<script>const choose = choice => fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({choice})});</script>`
			html("/begin", choose+`<script>choose("accept").then(() => location = "/speculate")</script>`)
			html("/speculate", choose+`<script type="speculationrules">{"prerender": [{"urls": ["/advance"], "eagerness": "immediate"}]}</script><script>
				const drawn = setInterval(async () => {
					if (!(await (await fetch("/drawn")).text())) return;
					clearInterval(drawn);
					await choose("`+test.meanwhile+`");
					location = "/advance";
				}, 100)</script>`)
			var drawn atomic.Bool
			d.pages.HandleFunc("GET /drawn", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != "" {
					drawn.Store(true)
				} else if drawn.Load() {
					fmt.Fprint(w, "drawn")
				}
			})
			html("/advance", `<script src="/cookies/script.js" defer></script>
				<script type="text/plain" data-consent="third-party">fetch("/tell?ran=" + document.prerendering)</script>
				<script>
					addEventListener("load", () => fetch("/drawn?1"));
					const seen = () => setTimeout(() => fetch("/tell?seen"), 500);
					document.prerendering ? document.addEventListener("prerenderingchange", seen) : fetch("/tell?late");
				</script>`)
			browsertest.Chromium(t, d.url+"/begin")
			next := func() string {
				select {
				case query := <-told:
					return query
				case <-time.After(time.Minute):
					return "nothing"
				}
			}
			if test.runs {
				assert.Equal(t, "ran=false", next())
				assert.Equal(t, "seen", next())
			} else {
				// The page that was drawn in advance is loaded again at once, and nothing runs.
				assert.Contains(t, []string{"seen", "late"}, next())
			}
		})
	}
}

func TestAnAnswerReachesTheFramesOfThePage(t *testing.T) {
	t.Parallel()
	d := newLivingDemo(t)
	d.pages.HandleFunc("GET /around", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy+"; frame-src 'self'")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>t</title>%s%s%s<iframe src="/living/static" title="t"></iframe>`, d.charter.Head(r), d.charter.Script(r), d.charter.Banner(r))
	})
	b := newTab(t)
	b.visit(d.url + "/around")
	const inside = `document.querySelector("iframe").contentWindow`
	b.until(inside + `.consent && ` + inside + `.document.readyState === "complete"`)
	assert.False(t, eval[bool](b, inside+`.consent.state.decided`))
	b.click(".charter-banner [value=accept]")
	b.until(inside + `.ticking`)
	b.until(`document.querySelector(".charter-done")`)
	assert.Zero(t, eval[int](b, inside+`.document.querySelectorAll(".charter-banner").length`))
	assert.Equal(t, int32(1), d.banners.Load(), "the frame has asked for no banner; the page for its confirmation")
}
