package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const turbo = `<script src="/turbo.js" defer></script>`

func newTurboDemo(t *testing.T) *demo {
	t.Helper()
	d := newSwapDemo(t, map[string]string{"/turbo.js": "@hotwired/turbo/dist/turbo.es2017-umd.js"})
	const links = `<nav><a href="/turbo/a">a</a> <a href="/turbo/b">b</a> <a href="/turbo/empty">empty</a> <a href="/turbo/slow">slow</a></nav>`
	d.swapped("/turbo/a", true, true, turbo, links+gates+`<input id="name">`)
	d.swapped("/turbo/b", false, true, turbo, links+gates)
	d.swapped("/turbo/empty", true, true, turbo, links)
	d.html("/turbo/slow", func(r *http.Request) template.HTML {
		time.Sleep(250 * time.Millisecond) // so that Turbo shows it from the cache first
		return `<!doctype html><html lang="en"><head><title>/turbo/slow</title>` + turbo + d.charter.Script(r) + `</head><body>` + links + gates + `</body></html>`
	})
	d.swapped("/turbo/plain/a", true, false, turbo, `<a href="/turbo/plain/b">b</a>`)
	d.swapped("/turbo/plain/b", true, false, turbo, `<p id="b">b</p>`)
	return d
}

// turbo clicks a link, and waits for the page that Turbo swaps in.
func (b *tab) turbo(path string) {
	b.Helper()
	b.click(fmt.Sprintf("a[href=%q]", path))
	b.until(fmt.Sprintf(`document.title === %q && location.pathname === document.title`, path))
	b.settled()
}

func TestTurboDriveKeepsTheBannerAndOpensGatesOncePerVisit(t *testing.T) {
	t.Parallel()
	d := newTurboDemo(t)
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/turbo/a")
	eval[any](b, "window.same = true")
	for _, path := range []string{"/turbo/b", "/turbo/a", "/turbo/empty", "/turbo/b"} {
		b.turbo(path)
		assert.True(t, eval[bool](b, hasBanner), path)
	}
	assert.Zero(t, eval[int](b, "ran"))
	b.click(".charter-banner [value=accept]")
	b.until(isOpen)
	b.until(`document.querySelector(".charter-done")`)
	assert.Equal(t, "/turbo/b", eval[string](b, "location.pathname"))

	b.turbo("/turbo/empty")
	assert.Equal(t, 4, eval[int](b, "ran"))
	for i, path := range []string{"/turbo/a", "/turbo/b", "/turbo/a"} {
		b.turbo(path) // the last two have a preview
		assert.Equal(t, 8+4*i, eval[int](b, "ran"), path)
		assert.Equal(t, 2, eval[int](b, `document.querySelectorAll(".counted, .inner").length`), path)
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), path)
	}
	eval[any](b, "history.back()")
	b.until(`document.title === "/turbo/b" && ran === 20`)
	b.settled()
	assert.Equal(t, 20, eval[int](b, "ran"), "from the cache they run once, too")
	assert.Equal(t, 2, eval[int](b, `document.querySelectorAll(".counted, .inner").length`))
	eval[any](b, "history.go(-5)")
	b.until(`document.title === "/turbo/a" && ran === 24`)
	b.settled()
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), "what the cache asks is answered")
	assert.True(t, eval[bool](b, "same"), "it is one page all the time")

	b.turbo("/turbo/slow")
	b.turbo("/turbo/empty")
	b.until("ran === 28")
	eval[any](b, `window.previews = 0, document.addEventListener("turbo:render", () => { previews += document.documentElement.hasAttribute("data-turbo-preview") })`)
	b.turbo("/turbo/slow")
	b.until("previews === 1 && ran >= 32")
	b.settled()
	assert.Equal(t, 32, eval[int](b, "ran"), "what Turbo shows until the page arrives runs nothing")
}

func TestWhatTurboKeepsOfAPageBringsBackNothingRefused(t *testing.T) {
	t.Parallel()
	d := newTurboDemo(t)
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/turbo/b")
	b.until(hasBanner)
	b.click(".charter-banner [value=accept]")
	b.until(isOpen)
	b.turbo("/turbo/a")
	assert.Equal(t, 8, eval[int](b, "ran"))
	eval[any](b, `document.querySelector("#name").focus(), document.execCommand("insertText", false, "Ada")`) // so that the page is not loaded again
	b.refuseInSettings()
	b.until(`document.querySelector(".charter-done [data-charter-reload]")`)
	eval[any](b, "history.back()")
	b.until(`document.title === "/turbo/b"`)
	b.settled()
	assert.Equal(t, 8, eval[int](b, "ran"))
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".counted, .inner, .charter-banner").length`))
	assert.Equal(t, 4, eval[int](b, `document.querySelectorAll("template[data-consent], script[data-consent]").length`), "the gates are there, closed")
}

func TestWithoutTheScriptTurboFollowsADecisionBackToThePage(t *testing.T) {
	t.Parallel()
	d := newTurboDemo(t)
	b := newTab(t)
	b.visit(d.url + "/turbo/plain/a")
	eval[any](b, "window.same = true")
	b.turbo("/turbo/plain/b")
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector(".charter-done") && document.querySelector("#b")`)
	assert.Equal(t, "/turbo/plain/b", eval[string](b, "location.pathname"))
	assert.True(t, eval[bool](b, "same"))
}

func TestTurboFramesAndStreamsBringGates(t *testing.T) {
	t.Parallel()
	d := newTurboDemo(t)
	d.swapped("/turbo/framed", true, true, turbo, `<turbo-frame id="frame"><a href="/turbo/frame">more</a></turbo-frame><div id="stream"></div>`)
	d.swapped("/turbo/frame", false, false, "", `<turbo-frame id="frame">`+gates+`</turbo-frame>`)
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/turbo/framed")
	b.click("turbo-frame a")
	b.until(`document.querySelector("turbo-frame .gates")`)
	b.settled()
	assert.Zero(t, eval[int](b, "ran"))
	b.click(".charter-banner [value=accept]")
	b.until(isOpen)
	stream := func(action string) {
		eval[any](b, fmt.Sprintf(`ran = 0, Turbo.renderStreamMessage(%q)`, `<turbo-stream action="`+action+`" target="stream"><template>`+gates+`</template></turbo-stream>`))
		b.until(`ran === 4 && document.querySelectorAll("#stream :is(.counted, .inner)").length === 2`)
		b.settled()
		assert.Equal(t, 4, eval[int](b, "ran"))
	}
	stream("update")
	stream("update")
	eval[any](b, fmt.Sprintf(`ran = 0, Turbo.renderStreamMessage(%q)`, `<turbo-stream action="update" method="morph" target="stream"><template>`+gates+`</template></turbo-stream>`))
	b.until(`document.querySelectorAll("#stream :is(.counted, .inner)").length === 2`)
	b.settled()
	assert.LessOrEqual(t, eval[int](b, "ran"), 4)
}
