package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// gated is what a page holds back until there is consent. Each script says that
// it ran.
const gated = `
<template data-consent="statistics"><p class="alive">alive</p><script src="/ran.js"></script></template>
<script type="text/plain" data-consent="third-party" src="/ran.js"></script>
<script type="text/plain" data-consent="chat" data-provider="Chat" src="/ran.js"></script>
<script type="text/plain" data-consent="chat" data-provider="Nobody" src="/ran.js"></script>
<script type="text/plain" data-consent="undeclared" src="/ran.js"></script>`

// watchConsent keeps what a site's own code is told.
const watchConsent = `
	window.told = [];
	window.ran = 0;
	document.addEventListener("consent", event => told.push(event.detail));
`

type detail struct {
	Decided bool
	Allowed map[string][]string
}

func TestTheScriptDecidesWithoutAReload(t *testing.T) {
	t.Parallel()
	d := newDemo(t, append(declared,
		consent.Cookie{Provider: "Chat", Name: "chat", Purpose: english("Finds the talk again."), Category: "chat"},
		consent.Cookie{Provider: `<b>"Ad" & Co</b>`, Name: "ad", Purpose: english("Chooses advertising."), Category: consent.ThirdParty},
	)...)
	main := func(*http.Request) template.HTML { return gated }
	d.page("/gated", true, true, main)
	d.page("/gated/static", false, true, main)
	d.file("/ran.js", "text/javascript", "ran++")
	all := map[string][]string{"statistics": {"Matomo"}, "first-party": {"Valombre"}, "third-party": {`<b>"Ad" & Co</b>`, "Dailymotion", "Vimeo"}, "chat": {"Chat"}}
	none := map[string][]string{"statistics": {}, "first-party": {}, "third-party": {}, "chat": {}}

	t.Run("accepting brings alive what waits", func(t *testing.T) {
		b := newTab(t)
		b.onEachPage(watchConsent)
		b.visit(d.url + "/gated")
		assert.Equal(t, []detail{{false, none}}, eval[[]detail](b, "told"))
		assert.Zero(t, eval[int](b, `ran + document.querySelectorAll(".alive").length`))
		b.click(".charter-banner [value=accept]")
		b.until(`document.querySelector(".charter-done") && ran === 3`)
		assert.Equal(t, []detail{{false, none}, {true, all}}, eval[[]detail](b, "told"))
		assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".alive").length`))
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`))

		before := d.banners.Load()
		b.visit(d.url + "/gated/static")
		b.until("ran === 3")
		assert.Equal(t, []detail{{true, all}}, eval[[]detail](b, "told"), "the decision is read from the cookie")
		assert.Equal(t, before, d.banners.Load(), "and the server is not asked")
	})
	t.Run("refusing on a page from a cache leaves it be", func(t *testing.T) {
		b := newTab(t)
		b.onEachPage(watchConsent)
		before := d.banners.Load()
		b.visit(d.url + "/gated/static")
		b.until(`document.querySelector(".charter-banner")`)
		assert.Equal(t, before+1, d.banners.Load())
		b.click(".charter-banner [value=refuse]")
		b.until("told.length === 2")
		assert.Equal(t, []detail{{false, none}, {true, none}}, eval[[]detail](b, "told"))
		assert.Zero(t, eval[int](b, `ran + document.querySelectorAll(".alive").length`))
	})
}

// A yes to what a law had presumed may be a box that was ticked already.
func TestAConsentUnderAWeakLawOpensNothingUnderOptIn(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	main := func(*http.Request) template.HTML { return gated }
	d.page("/gated", true, true, main)
	d.page("/gated/static", false, true, main)
	d.file("/ran.js", "text/javascript", "ran++")
	b := newTab(t)
	b.onEachPage(watchConsent)
	american := network.Headers{"Country": "US"}
	b.send(american)
	b.visit(d.url + "/gated")
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector(".charter-done")`)

	for _, path := range []string{"/gated/static", "/gated"} {
		b.send(american)
		before := d.banners.Load()
		b.visit(d.url + path)
		b.until("ran === 2")
		told := eval[[]detail](b, "told")
		assert.True(t, told[len(told)-1].Decided, path)
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), path)
		if path == "/gated" {
			assert.Equal(t, before, d.banners.Load(), "the page says the law, and the server is not asked")
		}

		b.send(network.Headers{})
		b.visit(d.url + path)
		b.until(`document.querySelector(".charter-banner")`)
		told = eval[[]detail](b, "told")
		assert.False(t, told[len(told)-1].Decided, path)
		assert.Zero(t, eval[int](b, "ran"), path)
	}

	b.send(network.Headers{"Country": "GB"})
	b.visit(d.url + "/gated/static")
	b.until(`document.querySelector(".charter-banner")`)
	assert.Equal(t, []string{"Matomo"}, eval[[]detail](b, "told.slice(-1)")[0].Allowed["statistics"], "of which the UK presumes as much")
	assert.Empty(t, eval[[]detail](b, "told.slice(-1)")[0].Allowed["third-party"])

	b.send(network.Headers{"Country": "AQ"})
	b.forget()
	b.visit(d.url + "/gated/static")
	b.until("ran === 2")
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), "where no law asks, nobody is")
}

func TestAClockThatIsWrongAsksNobodyAgain(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.page("/gated/static", false, true, func(*http.Request) template.HTML { return gated })
	d.file("/ran.js", "text/javascript", "ran++")
	for name, days := range map[string]int{"a year ahead": 365, "a year behind": -365} {
		t.Run(name, func(t *testing.T) { // one after the other, since they count the same requests
			b := newTab(t)
			b.onEachPage(watchConsent + fmt.Sprintf(`Date = class extends Date {
				static now() { return super.now() + %d * 864e5 }
				constructor(...when) { when.length ? super(...when) : super(Date.now()) }
			};`, days))
			b.visit(d.url + "/gated/static")
			b.until(`document.querySelector(".charter-banner")`)
			b.click(".charter-banner [value=accept]")
			b.until(`document.querySelector(".charter-done") && ran === 2`)
			before := d.banners.Load()
			b.visit(d.url + "/gated/static")
			b.until("told.length")
			assert.True(t, eval[[]detail](b, "told")[0].Decided)
			b.until("ran === 2")
			assert.Equal(t, before, d.banners.Load(), "and the server is not asked")
		})
	}
}

func TestTheScriptShowsWhatCouldNotBeRecorded(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.page("/gated/static", false, true, nil)
	b := newTab(t)
	b.visit(d.url + "/gated/static")
	b.until(`document.querySelector(".charter-banner")`)
	d.records.full.Store(true)
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector(".charter-page [role=status]")?.textContent.includes("could not be recorded")`)
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-form [name=allow]:not(:checked)").length`), "the form is still filled")
	d.records.full.Store(false)
	b.click(".charter-form [value=save]")
	b.until(`location.pathname === "/gated/static"`)
	assert.True(t, eval[bool](b, `document.cookie.includes("cookies_preferences=")`))
}

func TestWhereTheLawIsOptOutTheScriptWaitsForARefusal(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	main := func(*http.Request) template.HTML { return gated }
	d.page("/gated", true, true, main)
	d.page("/gated/static", false, true, main)
	d.file("/ran.js", "text/javascript", "ran++")
	none := map[string][]string{"statistics": {}, "first-party": {}, "third-party": {}}
	all := map[string][]string{"statistics": {"Matomo"}, "first-party": {"Valombre"}, "third-party": {"Dailymotion", "Vimeo"}}
	private := map[string][]string{"statistics": {"Matomo"}, "first-party": {"Valombre"}, "third-party": {}}

	for name, test := range map[string]struct {
		headers network.Headers
		allowed map[string][]string
		ran     int
	}{
		"what waits comes alive":               {network.Headers{"Country": "US"}, all, 2},
		"but for whom the browser refuses":     {network.Headers{"Country": "US", "Sec-GPC": "1"}, private, 1},
		"where the law is opt-in nothing does": {network.Headers{"Sec-GPC": "1"}, none, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t)
			b.send(test.headers)
			b.onEachPage(watchConsent)
			b.visit(d.url + "/gated/static")
			b.until(fmt.Sprintf(`document.querySelector(".charter-banner") && ran === %d`, test.ran))
			told := eval[[]detail](b, "told")
			assert.Equal(t, detail{false, none}, told[0], "before the server has said what the law is")
			assert.Equal(t, detail{false, test.allowed}, told[len(told)-1])

			b.visit(d.url + "/gated")
			b.until(fmt.Sprintf("ran === %d", test.ran))
			assert.Equal(t, []detail{{false, test.allowed}}, eval[[]detail](b, "told"), "the page's own banner says it at once")
			b.click(".charter-banner [value=refuse]")
			b.until(`told[0]?.decided || told[1]?.decided`)
			if test.ran > 0 { // the page is loaded again, since something is alive that is refused now
				b.until(`document.querySelector(".charter-done") && ran === 0`)
			}
			b.visit(d.url + "/gated")
			assert.Equal(t, []detail{{true, none}}, eval[[]detail](b, "told"))
			assert.Zero(t, eval[int](b, "ran"))
		})
	}
	t.Run("a page that is older than the declarations takes a refusal for one", func(t *testing.T) {
		older := newDemo(t, append(declared, foreign)...)
		w := httptest.NewRecorder()
		path := regexp.MustCompile(`/cookies/script[^"]+`).FindString(string(older.charter.Script(nil)))
		older.pages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		d.file("/older.js", "text/javascript", w.Body.String())
		d.page("/older", true, false, func(*http.Request) template.HTML { return `<script src="/older.js" defer></script>` })

		b := newTab(t)
		b.send(network.Headers{"Country": "US"})
		b.onEachPage(watchConsent)
		b.visit(d.url + "/older")
		b.until(`told[0].allowed.statistics.length`)
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done") && told.length`)
		assert.Empty(t, eval[[]detail](b, "told")[0].Allowed["statistics"])
	})
}
