package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func newHTMXDemo(t *testing.T, version string) *demo {
	t.Helper()
	d := newSwapDemo(t, map[string]string{
		"/htmx.js":    map[string]string{"2": "htmx2/dist/htmx.js", "4": "htmx.org/dist/htmx.js", "4 with its cache": "htmx.org/dist/htmx.js"}[version],
		"/history.js": "htmx.org/dist/ext/hx-history-cache.js",
	})
	head := template.HTML(`<script src="/htmx.js" defer></script>`)
	if version == "4 with its cache" {
		head += `<script src="/history.js" defer></script>`
	}
	const boosted = `<div hx-boost="true" hx-boost:inherited="true"><a href="/htmx/a">a</a> <a href="/htmx/b">b</a></div>`
	d.swapped("/htmx/a", true, true, head, boosted+gates+`<input id="name"><p id="a">a</p>`)
	d.swapped("/htmx/b", false, true, head, boosted+gates+`<p id="b">b</p>`)
	d.swapped("/htmx/fragments", true, true, head, `<div id="target"></div>
		<button id="get" hx-get="/htmx/gates" hx-target="#target">gates</button>
		<button id="morph" hx-get="/htmx/gates" hx-target="#target" hx-swap="innerMorph">morph</button>
		<button id="film" hx-get="/htmx/film" hx-target="#target">film</button>
		<button id="body" hx-get="/htmx/gates" hx-target="body">body</button>`)
	d.swapped("/htmx/part", true, true, head, gates+`<button id="push" hx-get="/htmx/note" hx-target="#target" hx-push-url="true">push</button><div id="target"></div>`)
	d.html("/htmx/note", func(*http.Request) template.HTML { return `<p id="note">note</p>` })
	d.html("/htmx/gates", func(*http.Request) template.HTML { return gates })
	d.html("/htmx/film", func(r *http.Request) template.HTML {
		return d.charter.Embed(r, charter.Embed{Category: consent.ThirdParty, Provider: "Vimeo", Content: `<p class="film" tabindex="0">The film.</p>`})
	})
	// A whole page under hx-boost, whose forms and links htmx would take.
	d.html("/htmx/boosted", func(r *http.Request) template.HTML {
		return `<!doctype html><html lang="en"><head><title>t</title><link rel="icon" href="data:,">` + d.charter.Head(r) + head + d.charter.Script(r) +
			`</head><body hx-boost="true" hx-boost:inherited="true">` + d.charter.Banner(r) + gates + d.charter.Link(r) + `</body></html>`
	})
	return d
}

func forEachHTMX(t *testing.T, test func(*testing.T, *demo, string)) {
	for _, version := range []string{"2", "4", "4 with its cache"} {
		t.Run("htmx "+version, func(t *testing.T) {
			t.Parallel()
			test(t, newHTMXDemo(t, version), version)
		})
	}
}

func TestHTMXSwapsInGates(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, version string) {
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/htmx/fragments")
		b.until(`window.htmx`)
		b.click("#get")
		b.until(`document.querySelector("#target .gates")`)
		b.settled()
		assert.Zero(t, eval[int](b, "ran"))
		b.click(".charter-banner [value=accept]")
		b.until(isOpen)
		b.click("#get")
		b.until(`ran === 8 && document.querySelectorAll(".counted, .inner").length === 2`)
		if version != "2" {
			b.click("#morph")
			b.settled()
			assert.LessOrEqual(t, eval[int](b, "ran"), 12)
			assert.Equal(t, 2, eval[int](b, `document.querySelectorAll(".counted, .inner").length`))
		}
		eval[any](b, "ran = 0")
		b.click("#body")
		b.until(isOpen)
		b.settled()
		assert.Equal(t, 4, eval[int](b, "ran"))
	})
}

// Before htmx 2 changes the address, it keeps the whole page.
func TestWhatIsOpenBesideAPartThatHTMXSwapsStaysAsItIs(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/htmx/part")
		b.until(`window.htmx`)
		b.click(".charter-banner [value=accept]")
		b.until(isOpen)
		eval[any](b, `document.querySelector(".counted").playing = true`)
		b.click("#push")
		b.until(`document.querySelector("#note")`)
		b.settled()
		assert.True(t, eval[bool](b, isOpen+` && document.querySelector(".counted").playing`))
	})
}

func TestTheBannerSurvivesHTMX(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		b := newTab(t)
		b.visit(d.url + "/htmx/fragments")
		b.until(`window.htmx`)
		b.click("#body")
		b.until(`document.querySelector(".gates") && !document.querySelector("#body")`)
		b.until(hasBanner)
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
		b.settled()
		assert.Equal(t, "/htmx/fragments", eval[string](b, "location.pathname"))
	})
}

func TestAPlaceholderInAFragmentLeadsBackToThePage(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		b := newTab(t)
		b.visit(d.url + "/htmx/fragments")
		b.until(`window.htmx`)
		b.click("#film")
		b.until(`document.querySelector("#target .charter-placeholder button")`)
		assert.Regexp(t, "^/htmx/fragments#", eval[string](b, `document.querySelector(".charter-placeholder [name=back]").value`), "without the script, too")
		b.click(".charter-placeholder button")
		b.until(`document.activeElement.className === "film"`)
		assert.True(t, eval[bool](b, hasBanner))
		assert.Equal(t, "/htmx/fragments", eval[string](b, "location.pathname"))
	})
}

// A page that htmx fetches under hx-boost is no fragment.
func TestABannerInABoostedPageLeadsBackToThatPage(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		b := newTab(t)
		b.visit(d.url + "/htmx/b")
		b.until(`window.htmx && ` + hasBanner)
		b.settled()
		b.click(`a[href="/htmx/a"]`)
		b.until(`document.querySelector("#a")`)
		b.settled()
		assert.Equal(t, "/htmx/a", eval[string](b, `document.querySelector(".charter-banner [name=back]").value`), "without the script, too")
	})
}

func TestHTMXTakesNoFormAndNoLinkOfTheCharter(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/htmx/boosted")
		b.until(`window.htmx`)
		for _, opens := range []string{".charter-link", ".charter-banner [data-charter-open]"} {
			b.click(opens)
			b.until(`document.querySelector("dialog.charter-settings[open]")`)
			b.settled()
			assert.Equal(t, "/htmx/boosted", eval[string](b, "location.pathname"))
			assert.True(t, eval[bool](b, `!document.querySelector(".charter-page") && `+hasBanner))
			eval[any](b, `document.querySelector("dialog.charter-settings").close()`)
		}
		b.click(".charter-banner [value=accept]")
		b.until(isOpen)
		b.until(`document.querySelector(".charter-done")`)
		b.settled()
		assert.Equal(t, 4, eval[int](b, "ran"))
	})
}

func TestHTMXGoesBackToGates(t *testing.T) {
	t.Parallel()
	forEachHTMX(t, func(t *testing.T, d *demo, _ string) {
		boost := func(b *tab, name string) {
			b.click(fmt.Sprintf(`a[href="/htmx/%s"]`, name))
			b.until(fmt.Sprintf(`document.querySelector("#%s") && location.pathname === "/htmx/%[1]s"`, name))
			b.settled()
		}
		open := func(t *testing.T, path string) *tab {
			b := newTab(t)
			b.onEachPage(countsRuns)
			b.visit(d.url + path)
			b.until(`window.htmx && ` + hasBanner)
			b.click(".charter-banner [value=accept]")
			b.until(isOpen)
			return b
		}
		t.Run("after an acceptance they run once", func(t *testing.T) {
			b := open(t, "/htmx/b")
			boost(b, "a")
			assert.Equal(t, 8, eval[int](b, "ran"))
			boost(b, "b")
			assert.Equal(t, 12, eval[int](b, "ran"))
			eval[any](b, "history.back()")
			b.until(`document.querySelector("#a") && location.pathname === "/htmx/a" && document.querySelectorAll(".counted, .inner").length === 2`)
			b.settled()
			assert.Equal(t, 16, eval[int](b, "ran"))
			assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`))
		})
		t.Run("after a refusal they do not", func(t *testing.T) {
			b := open(t, "/htmx/b")
			boost(b, "a")
			assert.Equal(t, 8, eval[int](b, "ran"))
			eval[any](b, `document.querySelector("#name").focus(), document.execCommand("insertText", false, "Ada")`) // so that the page is not loaded again
			b.refuseInSettings()
			b.until(`document.querySelector(".charter-done [data-charter-reload]")`)
			eval[any](b, "history.back()")
			b.until(`document.querySelector("#b") && location.pathname === "/htmx/b"`)
			b.settled()
			assert.LessOrEqual(t, eval[int](b, "ran"), 8)
			assert.Zero(t, eval[int](b, `document.querySelectorAll(".counted, .inner, .charter-banner").length`))
		})
		t.Run("nor after one for which the page was loaded again", func(t *testing.T) {
			b := open(t, "/htmx/b")
			boost(b, "a")
			b.refuseInSettings()
			b.until(`document.querySelector("#a") && document.readyState === "complete" && window.htmx && !document.querySelector(".counted")`)
			eval[any](b, "history.back()")
			b.until(`document.querySelector("#b") && location.pathname === "/htmx/b"`)
			b.settled()
			assert.Zero(t, eval[int](b, "ran"))
			assert.Zero(t, eval[int](b, `document.querySelectorAll(".counted, .inner, .charter-banner").length`))
		})
	})
}
