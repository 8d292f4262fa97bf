package browser

import (
	"maps"
	"os"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// axe returns the source of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	return installed(t, "node_modules/axe-core/axe.min.js")
}

// installed returns a file that npm installs. If it is not there the test is skipped; with
// CI=true it fails.
func installed(t *testing.T, path string) string {
	t.Helper()
	browsertest.Installed(t, path, "npm ci --prefix dev/browser")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// states are what a new visitor goes through, one after the other.
var states = []struct {
	name  string
	reach func(*tab, *demo)
}{
	{"a page that asks", func(b *tab, d *demo) {
		b.visit("about:blank") // a page loads itself again if its decision is taken away
		b.forget()
		b.visit(d.url + "/")
	}},
	{"a static page that asks", func(b *tab, d *demo) {
		b.visit(d.url + "/static")
		b.until(`document.querySelector(".charter-banner")`)
	}},
	{"a page with a film that waits", func(b *tab, d *demo) { b.visit(d.url + "/film") }},
	{"a page with a player that waits", func(b *tab, d *demo) { b.visit(d.url + "/player") }},
	{"the settings over a page", func(b *tab, d *demo) {
		b.click("footer .charter-link")
		b.until(`document.querySelector(".charter-settings[open]")`)
		eval[any](b, `document.querySelectorAll(".charter-settings details").forEach(details => { details.open = true; })`)
	}},
	{"the charter before a decision", func(b *tab, d *demo) { b.visit(d.url + "/cookies/") }},
	{"a page that confirms", func(b *tab, d *demo) {
		b.visit(d.url + "/")
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
	}},
	{"the charter after a decision", func(b *tab, d *demo) { b.visit(d.url + "/cookies/") }},
	{"the charter after saving", func(b *tab, d *demo) {
		b.answer("third-party", "allow")
		b.click("[value=save]")
		b.until(`document.querySelector("[name='category:third-party'][value=allow][checked]")`)
	}},
	{"the visitor's records", func(b *tab, d *demo) {
		b.visit(d.url + "/cookies/records")
		for _, folded := range []string{"section:nth-of-type(2) > details", "section > details", "section details details"} {
			b.click(folded + " > summary")
		}
		b.click("h1") // the tab key goes on from here
	}},
}

// answer gives an answer for a category in the form.
func (b *tab) answer(category, answer string) {
	b.Helper()
	b.click("[name='category:" + category + "'][value=" + answer + "]")
}

// What axe leaves undecided is listed too, but for text that is scrolled out of sight, or
// on the picture of a site. The rule on target size is off by default, being new in WCAG
// 2.2, and so is that on a contrast of 7 to 1, which the charter keeps to and a site need
// not. In forced colours the contrast is the visitor's own, and axe reads a colour that is
// not (-webkit-text-fill-color).
const runAxe = `axe.run({resultTypes: ["violations", "incomplete"], rules: {
	"target-size": {enabled: true},
	"color-contrast-enhanced": {enabled: !matchMedia("(forced-colors: active)").matches},
	"color-contrast": {enabled: !matchMedia("(forced-colors: active)").matches},
}}).then(({violations, incomplete, passes}) => ({
	passed: passes.map(rule => rule.id),
	found: [...violations, ...incomplete].flatMap(rule => rule.nodes
		.filter(node => {
			const drawn = document.querySelector(node.target[0]).closest("[class^=charter-]:not(.charter-link)");
			return drawn ? !node.any.some(check => ["elmPartiallyObscured", "elmPartiallyObscuring", "bgOverlap"].includes(check.data?.messageKey)) : rule.id !== "color-contrast-enhanced";
		})
		.map(node => rule.id + ": " + node.html + "\n" + (node.failureSummary || rule.help))),
}))`

// A view is how a visitor looks at a page: with a width in CSS pixels, and a
// media feature.
type view struct {
	width          int64
	feature, value string
}

func TestAxeFindsNothingToFault(t *testing.T) {
	t.Parallel()
	source := axe(t)
	d := newDetailedDemo(t, append(declared, foreign)...)
	// How long words are has no bearing on colours.
	few := []view{{320, "prefers-color-scheme", "light"}, {1280, "prefers-color-scheme", "dark"}}
	every := append(few, view{320, "prefers-color-scheme", "dark"}, view{1280, "prefers-color-scheme", "light"}, view{320, "forced-colors", "active"})
	for language, views := range map[string][]view{"en": every, "bg": few, "de": few, "ar": few} {
		t.Run("in "+language, func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			b.speak(language)
			b.onEachPage(source)
			for _, state := range states {
				state.reach(b, d)
				for _, view := range views {
					b.resize(view.width, 800)
					b.prefer(view.feature, view.value)
					report := eval[struct{ Found, Passed []string }](b, runAxe)
					assert.Empty(t, report.Found, "%s, %v", state.name, view)
					assert.Contains(t, report.Passed, "target-size", "%s, %v", state.name, view)
				}
			}
		})
	}
}

// laws are the headers of visitors under different laws.
var laws = map[string]network.Headers{
	"opt-in":               {},
	"of the UK":            {"Country": "GB"},
	"opt-out":              {"Country": "US"},
	"opt-out, with signal": {"Country": "US", "Sec-GPC": "1"},
}

func TestAxeFindsNothingToFaultInAnyLayout(t *testing.T) {
	t.Parallel()
	source := axe(t)
	d := newDetailedDemo(t, declared...)
	for _, layout := range layouts {
		path := d.inLayout(t, layout)
		t.Run(string(layout), func(t *testing.T) {
			b := newTab(t)
			b.onEachPage(source)
			for _, language := range some {
				for law, headers := range laws {
					headers = maps.Clone(headers)
					headers["Accept-Language"] = language
					b.send(headers)
					b.visit(d.url + path)
					for _, view := range []view{{320, "prefers-color-scheme", "light"}, {1280, "prefers-color-scheme", "dark"}} {
						b.resize(view.width, 800)
						b.prefer(view.feature, view.value)
						report := eval[struct{ Found, Passed []string }](b, runAxe)
						assert.Empty(t, report.Found, "in %s, %s, %v", language, law, view)
						assert.Contains(t, report.Passed, "color-contrast-enhanced", "in %s, %s, %v", language, law, view)
					}
				}
			}
		})
	}
}
