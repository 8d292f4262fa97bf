package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gates wait for a category, for a provider, and one within the other for two. Each of
// their four scripts counts.
const gates = `
<div class="gates">
<template data-consent="statistics"><p class="counted">counted</p><script src="/ran.js"></script><template data-consent="third-party"><p class="inner">inner</p></template></template>
<script type="text/plain" data-consent="third-party" src="/ran.js"></script>
<script type="text/plain" data-consent="third-party" data-provider="Vimeo">ran++</script>
<template data-consent="first-party"><script>ran++</script></template>
</div>`

const countsRuns = `window.ran = 0;`

// newSwapDemo is newDemo with a library that changes pages in place of the browser, by
// the paths at which it is served.
func newSwapDemo(t *testing.T, library map[string]string) *demo {
	t.Helper()
	d := newDemo(t, declared...)
	d.file("/ran.js", "text/javascript", "ran++")
	for path, name := range library {
		content, err := os.ReadFile("node_modules/" + name)
		require.NoError(t, err, "npm ci --prefix dev/browser")
		d.file(path, "text/javascript", string(content))
	}
	return d
}

// html serves what such a library fetches, under no policy, since most add styles of
// their own.
func (d *demo) html(path string, content func(*http.Request) template.HTML) {
	d.pages.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Content-Security-Policy")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, content(r))
	})
}

// swapped is a page that such a library swaps in and out.
func (d *demo) swapped(path string, banner, script bool, head, body template.HTML) {
	d.html(path, func(r *http.Request) template.HTML {
		page := `<!doctype html><html lang="en"><head><title>` + template.HTML(path) + `</title><link rel="icon" href="data:,">` + d.charter.Head(r) + head
		if script {
			page += d.charter.Script(r)
		}
		page += `</head><body>`
		if banner {
			page += d.charter.Banner(r)
		}
		return page + body + `<footer>` + d.charter.Link(r) + `</footer></body></html>`
	})
}

const (
	isOpen    = `ran === 4 && document.querySelectorAll(".counted, .inner").length === 2`
	hasBanner = `document.querySelectorAll(".charter-banner").length === 1`
)

// settled waits for what a page might do too much, such as to run something twice.
func (b *tab) settled() {
	b.Helper()
	time.Sleep(300 * time.Millisecond)
}

// refuseInSettings refuses everything by the settings, over the page.
func (b *tab) refuseInSettings() {
	b.Helper()
	eval[any](b, "consent.open()")
	b.until(`document.querySelector("dialog.charter-settings[open]")`)
	b.click(".charter-settings [value=refuse]:not([type=radio])")
}

func TestAGateOpensWhateverBringsIt(t *testing.T) {
	t.Parallel()
	d := newSwapDemo(t, nil)
	d.swapped("/brought", true, true, "", `<main></main>`)
	for name, bring := range map[string]string{
		"innerHTML":          `main.innerHTML = html`,
		"insertAdjacentHTML": `main.insertAdjacentHTML("afterend", html)`,
		"outerHTML":          `main.outerHTML = html`,
		"body.innerHTML":     `document.body.innerHTML = html`,
		"a fragment":         `main.append(document.createRange().createContextualFragment(html))`,
		"appendChild": `for (const [tag, category, provider, src, text] of [
				["template", "statistics", "", "", "counted"], ["template", "third-party", "", "", "inner"], ["script", "statistics", "", "/ran.js", ""],
				["script", "third-party", "", "/ran.js", ""], ["script", "third-party", "Vimeo", "", "ran++"], ["script", "first-party", "", "", "ran++"],
			]) {
				const gate = document.createElement(tag);
				gate.dataset.consent = category;
				if (provider) gate.dataset.provider = provider;
				if (src) gate.dataset.src = src;
				if (tag === "script") gate.type = "text/plain", gate.text = text;
				else gate.appendChild(Object.assign(document.createElement("p"), {className: text})); // not in gate.content, as a parser has it
				main.appendChild(gate);
			}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bring := fmt.Sprintf(`(html => { const main = document.querySelector("main"); %s })(%q)`, bring, gates)
			b := newTab(t)
			b.onEachPage(countsRuns)
			b.visit(d.url + "/brought")
			b.until(`document.querySelector(".charter-banner")`)
			eval[any](b, bring)
			b.until(hasBanner)
			b.settled()
			assert.Zero(t, eval[int](b, `ran + document.querySelectorAll(".counted:not(template *)").length`))
			b.click(".charter-banner [value=accept]")
			b.until(isOpen)

			b.visit(d.url + "/brought")
			eval[any](b, bring)
			b.until(isOpen)
			b.settled()
			assert.Equal(t, 4, eval[int](b, "ran"), "each runs once")
		})
	}
	t.Run("document.write", func(t *testing.T) {
		t.Parallel()
		d.file("/write.js", "text/javascript", fmt.Sprintf("document.write(%q)", gates))
		d.swapped("/written", true, true, "", `<script src="/write.js"></script>`)
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/written")
		b.click(".charter-banner [value=accept]")
		b.until(isOpen)
	})
	t.Run("a gate in a gate opens when both are allowed", func(t *testing.T) {
		t.Parallel()
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/brought")
		eval[any](b, fmt.Sprintf(`document.querySelector("main").innerHTML = %q`, gates))
		eval[any](b, "consent.open()")
		b.until(`document.querySelector("dialog.charter-settings[open]")`)
		b.click(".charter-settings [name='category:statistics'][value=allow]")
		b.click(".charter-settings [name='category:third-party'][value=refuse]")
		b.click(".charter-settings [name='category:first-party'][value=refuse]")
		b.click(".charter-settings [value=save]")
		b.until(`ran === 1 && document.querySelector(".counted")`)
		assert.Zero(t, eval[int](b, `document.querySelectorAll(".inner").length`))
		eval[any](b, "consent.open()")
		b.until(`document.querySelector("dialog.charter-settings[open]")`)
		b.click(".charter-settings [value=accept]")
		b.until(isOpen)
	})
	t.Run("a gate that has gone before its turn does not run", func(t *testing.T) {
		t.Parallel()
		proceed := make(chan struct{})
		t.Cleanup(func() { close(proceed) })
		d.pages.HandleFunc("GET /waits.js", func(w http.ResponseWriter, _ *http.Request) {
			<-proceed
			w.Header().Set("Content-Type", "text/javascript")
		})
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/brought")
		b.click(".charter-banner [value=accept]")
		b.until(`document.querySelector(".charter-done")`)
		eval[any](b, `document.querySelector("main").innerHTML = '<script type="text/plain" data-consent="statistics" src="/waits.js"></'+'script><i><script type="text/plain" data-consent="statistics">ran++</'+'script></i>'`)
		b.until(`document.querySelector("script[src='/waits.js']:not([type='text/plain'])")`)
		eval[any](b, `document.querySelector("i").remove()`)
		proceed <- struct{}{}
		b.settled()
		assert.Zero(t, eval[int](b, "ran"))
	})
	t.Run("nothing is kept of a gate that has come and gone", func(t *testing.T) {
		t.Parallel()
		b := newTab(t)
		b.onEachPage(countsRuns)
		b.visit(d.url + "/brought")
		b.click(".charter-banner [value=accept]")
		b.until(`document.querySelector(".charter-done")`)
		eval[any](b, `document.querySelector("main").innerHTML = '<template data-consent="statistics"><p class="first"></p></template>', window.gone = new WeakRef(document.querySelector("main template")), 0`)
		b.until(`document.querySelector(".first")`)
		eval[any](b, `document.querySelector("main").innerHTML = '<template data-consent="statistics"><p class="second"></p></template>'`)
		b.until(`document.querySelector(".second")`)
		require.Eventually(t, func() bool {
			call(b, heapprofiler.CollectGarbage, cdp.Empty{})
			return eval[bool](b, "!gone.deref()")
		}, time.Minute, 50*time.Millisecond)
	})
}

// It may be an extension, or a script of the site.
func TestWhoTakesTheBannerAwayMakesNoEndlessLoop(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]string{
		"at once":                      `new MutationObserver(() => { for (const banner of document.querySelectorAll(".charter-banner")) banner.remove(), taken++ }).observe(document, {childList: true, subtree: true})`,
		"ten times in a second":        `setInterval(() => { for (const banner of document.querySelectorAll(".charter-banner")) banner.remove(), taken++ }, 100)`,
		"with all that is in the page": `setInterval(() => { if (document.querySelector(".charter-banner")) document.body.innerHTML = "", taken++ }, 10)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/", "/static"} {
				d := newDemo(t, declared...)
				b := newTab(t)
				b.onEachPage("window.taken = 0;" + take)
				b.visit(d.url + path)
				b.until("taken > 0")
				time.Sleep(2 * time.Second)
				assert.LessOrEqual(t, eval[int](b, "taken"), 100, path)
				before := eval[int](b, "taken")
				time.Sleep(2 * time.Second)
				assert.LessOrEqual(t, eval[int](b, "taken")-before, 20, "%s: it is not brought back for ever", path)
				assert.LessOrEqual(t, d.banners.Load(), int32(1), "the server is asked once")
			}
		})
	}
}

func TestTheBannerComesBackHoweverOftenThePageChanges(t *testing.T) {
	t.Parallel()
	d := newSwapDemo(t, nil)
	d.swapped("/changing", true, true, "", "<main></main>")
	b := newTab(t)
	b.visit(d.url + "/changing")
	for range 4 {
		eval[any](b, `document.body.innerHTML = ""`)
		b.until(hasBanner)
	}
	for range 120 {
		eval[any](b, `document.body.innerHTML = ""`)
	}
	time.Sleep(10 * time.Second)
	eval[any](b, `document.body.innerHTML = "<main></main>"`)
	b.until(hasBanner)
}

// Livewire and its like draw a part on the server and put its HTML in place of what is
// there, again and again.
func TestAPartThatTheServerDrawsAgainAndAgainComesBackOpen(t *testing.T) {
	t.Parallel()
	d := newSwapDemo(t, nil)
	d.swapped("/live", true, true, "", `<div id="live">`+gates+`</div>`)
	b := newTab(t)
	b.onEachPage(countsRuns)
	b.visit(d.url + "/live")
	b.click(".charter-banner [value=accept]")
	b.until(isOpen)
	eval[any](b, fmt.Sprintf(`window.html = %q, window.changes = 0, new MutationObserver(() => changes++).observe(document, {childList: true, subtree: true})`, `<div id="live">`+gates+`</div>`))
	for i := range 3 {
		eval[any](b, `document.querySelector("#live").outerHTML = html`)
		b.until(fmt.Sprintf(`ran === %d && document.querySelectorAll(".counted, .inner").length === 2`, 8+4*i))
	}
	b.settled()
	before := eval[int](b, "changes")
	b.settled()
	assert.Equal(t, before, eval[int](b, "changes"), "and then nothing moves")
	assert.Equal(t, 16, eval[int](b, "ran"))
}
