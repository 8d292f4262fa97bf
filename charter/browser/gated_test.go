package browser

import (
	"html/template"
	"net/http"
	"testing"

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
		b.click(".consent-banner [value=accept]")
		b.until(`document.querySelector(".consent-done") && ran === 3`)
		assert.Equal(t, []detail{{false, none}, {true, all}}, eval[[]detail](b, "told"))
		assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".alive").length`))
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".consent-banner").length`))

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
		b.until(`document.querySelector(".consent-banner")`)
		assert.Equal(t, before+1, d.banners.Load())
		b.click(".consent-banner [value=refuse]")
		b.until("told.length === 2")
		assert.Equal(t, []detail{{false, none}, {true, none}}, eval[[]detail](b, "told"))
		assert.Zero(t, eval[int](b, `ran + document.querySelectorAll(".alive").length`))
	})
}
